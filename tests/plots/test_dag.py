import io
import re
from collections import Counter
from functools import cache
from itertools import combinations, pairwise

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.collections import PathCollection, PolyCollection
from matplotlib.colors import to_hex

from seqkit._show.palette import STATUS_STYLES, luminance
from seqkit._show.rows import reduction
from seqkit.analysis.whatif import what_if
from seqkit.core.graph import RepoDependencyGraph
from seqkit.core.neighbours import neighbours
from seqkit.core.plan import build_plan
from seqkit.datasets import load_dataset
from seqkit.errors import RepoNotFound
from seqkit.ledger.story import read_story
from seqkit.plots import blast_radius, order
from seqkit.plots._text import wrapped
from tests.tools.by_hand import Run, written
from tests.tools.data_sets import graphs_and_plans
from tests.tools.strategies import HOSTILE_NAMES

DATA = ["jest29", "jupyter", "kf5"]
HOSTILE = [*HOSTILE_NAMES, "$\\frac{", "a\nb\tc", "W" * 40, "م\u202e\x00", "&", "   "]
PAGE = 10.3  # inches


pytestmark = pytest.mark.usefixtures("settings_untouched")


def diamond():
    return RepoDependencyGraph.from_edges(
        [("core", "api"), ("core", "docs"), ("api", "app"), ("docs", "app")], nodes=["lone"]
    )


def chains(n, abreast=40):
    return RepoDependencyGraph.from_edges([(f"r{i:05}", f"r{i + abreast:05}") for i in range(n - abreast)])


@cache
def whole(name):
    """A graph, its plan and the picture with a box for every repo, made once: those who look change nothing.

    It is closed after the first test, so those who draw it make their own.
    """
    graph = load_dataset(name).graph
    plan = build_plan(graph, version="1")
    return graph, plan, order(plan, fold=False)


def shapes(ax):
    (nodes,) = [artist for artist in ax.collections if isinstance(artist, PolyCollection)]
    return nodes


def corners(ax):
    return [path.vertices[:4] for path in shapes(ax).get_paths()]


def centres(ax):
    return [tuple((box.min(axis=0) + box.max(axis=0)) / 2) for box in corners(ax)]


def lines(ax):
    """Quiet lines, then loud ones."""
    return [artist for artist in ax.collections if isinstance(artist, PathCollection)]


def colours(ax):
    return [to_hex(colour) for colour in shapes(ax).get_facecolor()]


def labels(ax):
    """Marks, positions and names by box."""
    texts = [text.get_text() for text in ax.texts]
    return [(*head.split("\n"), name) for head, name in zip(texts[::2], texts[1::2], strict=True)]


def names(ax):
    return [name.replace("\n", "") for _, _, name in labels(ax)]


def legend(ax):
    """Read the legend as counts by word, after a look at its order and marks."""
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    found = [re.fullmatch(r"(\S) (.+) ([\d,]+)", text).groups() for text in texts]
    every = [(look.mark, look.word) for look in STATUS_STYLES.values()]
    assert [(mark, word) for mark, word, _ in found] == [look for look in every if look in {pair[:2] for pair in found}]
    return {word.replace(" ", "_"): int(count.replace(",", "")) for _, word, count in found}


def title(ax):
    return ax.get_title(loc="left")


def bars(ax):
    """Read the bars as {wave: {status: count}}."""
    found = {}
    for box, colour in zip(corners(ax), colours(ax), strict=True):
        word = next(word for word, look in STATUS_STYLES.items() if look.colour == colour)
        found.setdefault(round(float(box[:, 1].mean())), {})[word] = round(np.ptp(box[:, 0]))
    return found


# ---------------------------------------------------------------------- palette


def test_palette_covers_all_statuses_and_skip_causes():
    assert set(STATUS_STYLES) == {
        "pending", "in_progress", "succeeded", "failed", "blocked", "stopped", "unreleased", "in_doubt",
    }  # fmt: skip
    assert len({style.mark for style in STATUS_STYLES.values()}) == 8


def test_greyscale_tells_statuses_apart():
    def lightness(colour):
        return 116 * np.cbrt(luminance(colour)) - 16  # CIE L*, for all but the darkest

    levels = sorted(lightness(style.colour) for style in STATUS_STYLES.values())
    assert min(np.diff(levels)) > 9
    assert lightness(STATUS_STYLES["succeeded"].colour) - lightness(STATUS_STYLES["failed"].colour) > 20


def test_ink_is_readable_on_every_colour():
    for style in STATUS_STYLES.values():
        low, high = sorted([luminance(style.colour), luminance(style.ink)])
        assert (high + 0.05) / (low + 0.05) > 4.5


# ---------------------------------------------------------------------- order


@pytest.mark.parametrize("name", DATA)
def test_dependencies_are_above_and_nothing_overlaps(name):
    graph, plan, ax = whole(name)
    at = dict(zip([item.repo_id for item in plan.items], centres(ax), strict=True))
    assert len(at) == len(graph)
    assert ax.yaxis_inverted()
    assert all(at[before][1] < at[after][1] for before, after in graph.edges)
    for one, other in combinations(corners(ax), 2):
        apart = np.maximum(one.min(axis=0) - other.max(axis=0), other.min(axis=0) - one.max(axis=0))
        assert apart.max() > 2  # points


@pytest.mark.parametrize("name", DATA)
def test_waves_are_bands_one_below_the_other(name):
    _, plan, ax = whole(name)
    at = dict(zip([item.repo_id for item in plan.items], centres(ax), strict=True))
    assert [tick.get_text() for tick in ax.get_yticklabels()] == [str(wave) for wave in range(len(plan.waves()))]
    ends = [(min(at[repo][1] for repo in wave), max(at[repo][1] for repo in wave)) for wave in plan.waves()]
    assert all(bottom < top for (_, bottom), (top, _) in pairwise(ends))
    for tick, (top, bottom) in zip(ax.get_yticks(), ends, strict=True):
        assert tick == pytest.approx((top + bottom) / 2, abs=6)


@pytest.mark.parametrize("name", DATA)
def test_lines_leave_below_their_dependency_and_run_through_no_box(name):
    graph, plan, ax = whole(name)
    (quiet,) = lines(ax)
    ids = [item.repo_id for item in plan.items]
    boxes = np.array([(*box.min(axis=0), *box.max(axis=0)) for box in corners(ax)])
    lefts, tops, rights, bottoms = boxes.T
    middles = (lefts + rights) / 2
    drawn = reduction(ids, graph.edges)
    assert len(quiet.get_paths()) == len(drawn)
    for path in quiet.get_paths():
        first, last = path.vertices[0], path.vertices[-1]
        (start, *_) = np.flatnonzero(np.isclose(middles, first[0]) & np.isclose(bottoms, first[1]))
        (end, *_) = np.flatnonzero(np.isclose(middles, last[0]) & np.isclose(tops, last[1]))
        assert (ids[start], ids[end]) in drawn
        assert all(np.diff(path.vertices[:, 1]) >= 0)
        for straight in (path.vertices[i : i + 2] for i in range(3, len(path.vertices) - 1, 4)):
            x, middle = straight[0, 0], straight[:, 1].mean()
            assert not ((lefts < x) & (x < rights) & (tops < middle) & (middle < bottoms)).any()


@pytest.mark.parametrize("name", DATA)
def test_pictures_are_a_page_wide_and_names_stay_whole_in_their_boxes(name):
    plan = build_plan(load_dataset(name).graph, version="1")
    ax = order(plan, fold=False)
    assert ax.figure.get_figwidth() < PAGE
    assert names(ax) == [item.repo_id for item in plan.items]
    ax.figure.canvas.draw()
    renderer = ax.figure.canvas.get_renderer()
    found = corners(ax)
    for number, text in enumerate(ax.texts):
        shown = text.get_window_extent(renderer)
        room = ax.transData.transform(found[number // 2])
        assert shown.x0 >= room[:, 0].min()
        assert shown.x1 <= room[:, 0].max()
        assert shown.height < np.ptp(room[:, 1]) * 1.05
        assert text.get_fontsize() >= 6.5


@pytest.mark.parametrize("name", DATA)
def test_legends_stay_on_the_figure(name):
    ax = order(build_plan(load_dataset(name).graph, version="1"), fold=False)
    ax.figure.canvas.draw()
    extent = ax.get_legend().get_window_extent()
    assert extent.x0 >= 0
    assert extent.y0 >= 0
    assert extent.x1 <= ax.figure.bbox.width
    assert extent.y1 < ax.xaxis.label.get_window_extent().y0


def test_labels_have_mark_position_and_name():
    plan = build_plan(diamond(), version="1")
    assert labels(order(plan)) == [("○", str(number), item.repo_id) for number, item in enumerate(plan.items)]


def test_long_names_are_wrapped_at_hyphens_and_not_cut():
    name = "jupyter-server-extension-for-long-names1"
    assert len(name) == 40
    graph = RepoDependencyGraph.from_edges([("core", name)])
    (_, _, shown) = labels(order(build_plan(graph, version="1")))[1]
    assert shown == "jupyter-server-\nextension-for-\nlong-names1"


@pytest.mark.parametrize("text", [*HOSTILE, "frameworkintegration", "a-b_c.d/e@f", "-" * 60])
def test_wrapped_lines_fit_or_are_cut_in_the_middle(text):
    found = wrapped(text, 7.5, [50, 90, 90])
    assert 1 <= len(found) <= 3
    assert all("\n" not in line for line in found)
    joined = "".join(found)
    if "…" in joined:
        assert len(text) > len(joined)
    elif text.isprintable() and text.isascii() and " " not in text:
        assert joined == (text or "''")


def test_an_empty_id_is_not_read_past():
    graph = RepoDependencyGraph.from_edges([("", "app")])
    assert title(blast_radius(graph, "")) == "If '' fails: 1 blocked, 0 go on"


def test_plan_shows_what_is_unreleased():
    plan = build_plan(diamond(), [("core", "1"), ("app", "1")])
    ax = order(plan)
    assert title(ax) == "2 repos to release in 2 waves, 2 unreleased"
    assert legend(ax) == {"pending": 2, "unreleased": 2}
    assert colours(ax) == [
        STATUS_STYLES["unreleased" if item.repo_id in plan.unreleased else "pending"].colour for item in plan.items
    ]
    assert ax.get_ylabel() == "dependency level"


def test_axis_counts_waves():
    ax = order(build_plan(diamond(), version="1"))
    assert ax.get_ylabel() == "wave"
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["0", "1", "2"]


def test_outcome_has_colours_marks_and_counts():
    outcome = what_if(build_plan(diamond(), version="1"), fail="api")
    ax = order(outcome)
    frame = outcome.to_frame()
    expected = frame["skip_cause"].astype("string").fillna(frame["status"].astype("string")).tolist()
    assert colours(ax) == [STATUS_STYLES[word].colour for word in expected]
    assert [mark for mark, _, _ in labels(ax)] == [STATUS_STYLES[word].mark for word in expected]
    assert title(ax) == "3 succeeded, 1 failed, 1 blocked"
    assert legend(ax) == Counter(expected)


def test_stopped_repos_are_counted_in_the_legend():
    ax = order(what_if(build_plan(diamond(), version="1"), fail="core", policy="stop"))
    assert legend(ax) == {"failed": 1, "blocked": 3, "stopped": 1}


def test_paths_of_a_failure_are_drawn_loud_through_unreleased_repos_too():
    plan = build_plan(diamond(), [("core", "1"), ("app", "1")])
    quiet_and_loud = lines(order(what_if(plan, fail="core")))
    assert [len(artist.get_paths()) for artist in quiet_and_loud] == [4]
    assert to_hex(quiet_and_loud[0].get_edgecolor()[0]) == STATUS_STYLES["failed"].colour
    quiet, loud = lines(order(what_if(build_plan(diamond(), version="1"), fail="api")))
    assert (len(quiet.get_paths()), len(loud.get_paths())) == (3, 1)
    assert loud.get_linewidth() > quiet.get_linewidth()  # colour is never alone


def test_failures_that_block_nothing_are_quiet():
    plan = build_plan(diamond(), version="1")
    (quiet,) = lines(order(what_if(plan, fail=["core", "api"], policy="continue")))
    assert to_hex(quiet.get_edgecolor()[0]) != STATUS_STYLES["failed"].colour


@pytest.mark.parametrize("draw", [order, lambda plan, **kw: blast_radius(plan, "core", **kw)])
def test_given_axes_and_keywords_are_used(draw):
    _, axes = plt.subplots(1, 2, figsize=(12, 4))
    made = plt.get_fignums()
    plan = build_plan(diamond(), version="1")
    assert draw(plan, ax=axes[1], linewidth=3, edgecolors="#123456", gid="nodes") is axes[1]
    assert plt.get_fignums() == made
    assert not axes[0].collections
    assert shapes(axes[1]).get_linewidth() == pytest.approx([3])
    assert to_hex(shapes(axes[1]).get_edgecolor()[0]) == "#123456"
    assert shapes(axes[1]).get_gid() == "nodes"


def test_axes_in_a_subfigure_work():
    parts = plt.figure(figsize=(10, 4)).subfigures(1, 2)
    assert names(order(build_plan(diamond(), version="1"), ax=parts[0].subplots()))


def test_waves_are_folded_to_fit_the_axes_given():
    _, ax = plt.subplots(figsize=(7, 9))
    plan = build_plan(load_dataset("jest29").graph, version="1")
    order(plan, ax=ax)
    assert names(ax) == [item.repo_id for item in plan.items]
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    every = np.concatenate(corners(ax))
    assert left <= every[:, 0].min() < every[:, 0].max() <= right
    assert top <= every[:, 1].min() < every[:, 1].max() <= bottom
    first = {y for (_, y), item in zip(centres(ax), plan.items, strict=True) if item.repo_id in plan.waves()[0]}
    assert len(first) > 1


def test_unknown_keywords_are_refused():
    with pytest.raises(TypeError, match="no_such' is no argument of this picture"):
        order(build_plan(diamond(), version="1"), no_such=1)


def test_pictures_are_the_same_bytes_each_time():
    def saved(graph):
        into = io.BytesIO()
        ax = order(what_if(build_plan(graph, version="1"), fail="api"))
        ax.figure.savefig(into, format="png", metadata={"Software": None})
        return into.getvalue()

    again = RepoDependencyGraph.from_edges(diamond().edges[::-1], nodes=["lone"])
    assert saved(diamond()) == saved(again)


def test_empty_plan_says_so():
    ax = order(build_plan(RepoDependencyGraph(), []))
    assert not ax.collections
    assert "Nothing to draw" in ax.texts[0].get_text()
    ax.figure.canvas.draw()


def test_one_repo_is_drawn():
    graph = RepoDependencyGraph.from_edges([], nodes=["only"])
    ax = order(build_plan(graph, version="1"))
    assert title(ax) == "1 repo to release in 1 wave"
    assert ax.get_xlabel() == "Numbers: places in the plan. No dependencies."
    ax.figure.canvas.draw()


def test_a_graph_is_drawn_without_versions_and_with_its_cycles():
    ax = order(diamond())
    assert title(ax) == f"{len(diamond())} repos in {len(diamond().waves())} waves"
    edges = [("a", "b"), ("b", "c"), ("c", "a"), ("c", "d"), ("x", "d")]
    ax = order(RepoDependencyGraph.from_edges(edges, cycles="keep"))
    assert title(ax) == "3 repos in 2 waves; 1 cycle as one box each"
    assert "a+b+c" in {text.get_text() for text in ax.texts}
    ax.figure.canvas.draw()


def test_wrong_arguments_are_named():
    with pytest.raises(TypeError, match="graph_or_plan_or_outcome is a str, expected a RepoDependencyGraph"):
        order("plan")
    with pytest.raises(TypeError, match="plan_or_graph is a str"):
        blast_radius("plan", "core")
    with pytest.raises(ValueError, match="depth is -1"):
        order(build_plan(diamond(), version="1"), around="api", depth=-1)


def test_hostile_names_are_drawn_as_text():
    edges = [(HOSTILE[0], name) for name in HOSTILE[1:]]
    plan = build_plan(RepoDependencyGraph.from_edges(edges), version="1")
    for ax in (order(plan), *(blast_radius(plan, name, around=name) for name in HOSTILE)):
        ax.figure.canvas.draw()  # warnings are errors
        texts = (*ax.texts, ax.xaxis.label, ax._left_title)
        assert not any(text.get_parse_math() for text in texts if text.get_text())
        assert all(name.count("\n") <= 2 and len(name) <= 80 for _, _, name in labels(ax))
        plt.close(ax.figure)
    assert {"$x$", "a\\nb\\tc", "<script>alert(1)</script>", ""} <= set(names(order(plan)))


# ---------------------------------------------------------------------- a part of it


def test_around_draws_neighbours_alone_and_says_so():
    graph = load_dataset("kf5").graph
    plan = build_plan(graph)
    outcome = what_if(plan, fail="kservice")
    ax = order(outcome, around="kded")
    near = neighbours(graph, "kded", 1)
    assert names(ax) == near
    assert title(ax) == f"{outcome.summary()}\nAround kded: {len(near)} of 75 repos, 1 step up and down"
    position = {item.repo_id: str(number) for number, item in enumerate(plan.items)}
    assert [number for _, number, _ in labels(ax)] == [position[repo] for repo in near]
    assert sum(legend(ax).values()) == len(near)
    waves = {str(number) for number, wave in enumerate(plan.waves()) if set(wave) & set(near)}
    assert {tick.get_text() for tick in ax.get_yticklabels()} == waves
    inside = [edge for edge in graph.edges if set(edge) <= set(near)]
    assert sum(len(artist.get_paths()) for artist in lines(ax)) == len(reduction(near, inside))


def test_more_steps_draw_more():
    graph = load_dataset("kf5").graph
    ax = blast_radius(graph, "ki18n", around="kio", depth=2, fold=False)
    assert names(ax) == neighbours(graph, "kio", 2)
    assert title(ax).endswith("2 steps up and down")


def test_around_brings_names_to_a_graph_of_thousands():
    ax = order(build_plan(chains(2_000), version="1"), around="r00400")
    assert names(ax) == ["r00360", "r00400", "r00440"]


def test_around_an_unknown_repo_is_not_found():
    with pytest.raises(RepoNotFound, match="nowhere"):
        order(build_plan(diamond(), version="1"), around="nowhere")
    assert not plt.get_fignums()


# ---------------------------------------------------------------------- implied dependencies


def test_implied_dependencies_are_left_out_and_counted():
    graph = load_dataset("kf5").graph
    plan = build_plan(graph)
    kept = reduction([item.repo_id for item in plan.items], graph.edges)
    ax = order(plan, fold=False)
    assert len(lines(ax)[0].get_paths()) == len(kept) == 130
    assert " ".join(ax.get_xlabel().split()).endswith("397 dependencies, 267 of them implied by others and not drawn.")
    ax = order(plan, implied=True, fold=False)
    assert len(lines(ax)[0].get_paths()) == 397
    assert ax.get_xlabel() == "Numbers: places in the plan. 397 dependencies."


# ---------------------------------------------------------------------- folded


def boxes(ax):
    """Read the boxes as the names of single repos, and how many each of the others is."""
    texts = [text.get_text() for text in ax.texts]
    pairs = list(zip(texts[::2], texts[1::2], strict=True))
    alone = [name.replace("\n", "") for head, name in pairs if "\n" in head]
    return alone, [int(name.split(" repos")[0].replace(",", "")) for head, name in pairs if "\n" not in head]


def web(n):
    """Give each repo some of those before it."""
    edges = [(f"r{at * step % at:03}", f"r{at:03}") for at in range(20, n) for step in (7, 11)]
    edges += [(f"r{at // 9:03}", f"r{at:03}") for at in range(20, n)]
    return RepoDependencyGraph.from_edges(edges, nodes=[f"r{at:03}" for at in range(n)])


SLIDE = (13.4, 7.6)  # inches


@pytest.mark.parametrize("graph", [load_dataset("kf5").graph, load_dataset("jupyter").graph, web(300)], ids=len)
def test_large_graphs_fit_on_a_slide_and_name_what_most_others_need(graph):
    ax = order(graph)
    assert all(size <= most for size, most in zip(ax.figure.get_size_inches(), SLIDE, strict=True))
    alone, several = boxes(ax)
    assert len(alone) + sum(several) == len(graph)
    assert len(shapes(ax).get_paths()) == len(alone) + len(several) < 60
    reach = {repo: len(graph.transitive_dependents_of(repo)) for repo in graph}
    assert set(sorted(graph, key=lambda repo: (-reach[repo], repo))[:3]) <= set(alone)
    assert f"{sum(several)} of {len(graph)} repos share a box" in " ".join(ax.get_xlabel().split())
    assert legend(ax) == {"pending": len(graph)}
    for one, other in combinations(corners(ax), 2):
        apart = np.maximum(one.min(axis=0) - other.max(axis=0), other.min(axis=0) - one.max(axis=0))
        assert apart.max() > 2  # points
    (behind,) = [artist for artist in ax.collections if artist.get_gid() == "several"]
    assert len(behind.get_paths()) == len(several)  # shape tells them too, not the words alone


@pytest.mark.parametrize("graph", [load_dataset("kf5").graph, web(200)], ids=len)
def test_all_that_a_failure_blocks_is_named_and_the_rest_summarised(graph):
    repo = next(repo for repo in graph if 5 < len(graph.transitive_dependents_of(repo)) < 40)
    outcome = what_if(build_plan(graph, version="1"), fail=repo)
    cone = {repo, *graph.transitive_dependents_of(repo)}
    for ax in (order(outcome), blast_radius(graph, repo)):
        alone, several = boxes(ax)
        assert cone <= set(alone)
        assert len(several) < 12
        drawn = reduction(graph.topological_order(), [edge for edge in graph.edges if set(edge) <= cone])
        (loud,) = [artist for artist in lines(ax) if artist.get_linewidth() > 1]
        assert len(loud.get_paths()) == len(drawn)
        assert legend(ax) == {"failed": 1, "blocked": len(cone) - 1, "succeeded": len(graph) - len(cone)}


def test_a_failure_that_blocks_nearly_all_is_named_among_those_that_block_most():
    graph = load_dataset("kf5").graph
    alone, several = boxes(order(what_if(build_plan(graph, version="1"), fail="extra-cmake-modules")))
    assert "extra-cmake-modules" in alone
    assert 5 <= len(alone) <= 32
    assert len(alone) + sum(several) == 75


def test_boxes_of_several_have_one_status_and_lines_lead_down():
    plan = build_plan(web(120), [(f"r{at:03}", "1") for at in range(0, 120, 2)])
    ax = order(what_if(plan, fail="r024"))
    marks = [text.get_text().split("\n")[0] for text in ax.texts[::2]]
    assert colours(ax) == [next(s.colour for s in STATUS_STYLES.values() if s.mark == mark) for mark in marks]
    for artist in lines(ax):
        assert all(np.all(np.diff(path.vertices[:, 1]) >= 0) for path in artist.get_paths())


def test_waves_without_a_named_repo_are_one_band():
    chain = [(f"c{at:03}", f"c{at + 1:03}") for at in range(99)]
    ax = order(RepoDependencyGraph.from_edges(chain))
    alone, several = boxes(ax)
    assert len(alone) + sum(several) == 100
    ticks = [tick.get_text() for tick in ax.get_yticklabels()]
    assert f"{len(alone) - 1}–99" in ticks  # the last is alone in what nothing needs
    assert ax.figure.get_size_inches()[1] < SLIDE[1]


def test_up_to_sixty_repos_are_not_folded():
    graph = load_dataset("kf5").graph
    sixty = graph.topological_order()[:60]
    edges = [edge for edge in graph.edges if set(edge) <= set(sixty)]
    assert names(order(RepoDependencyGraph.from_edges(edges, nodes=sixty))) == sixty


def test_folded_drawings_fit_into_the_axes_given():
    _, ax = plt.subplots(figsize=(9, 5), layout="constrained")
    order(load_dataset("kf5").graph, ax=ax)
    alone, several = boxes(ax)
    assert len(alone) + sum(several) == 75
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    every = np.concatenate(corners(ax))
    assert left <= every[:, 0].min() < every[:, 0].max() <= right
    assert top <= every[:, 1].min() < every[:, 1].max() <= bottom


# ---------------------------------------------------------------------- look


def test_figures_have_the_size_asked_for():
    for ax in (order(diamond(), figsize=(5, 4)), blast_radius(diamond(), "core", figsize=(5, 4))):
        assert ax.figure.get_size_inches().tolist() == [5, 4]
        assert names(ax)


def test_dark_plots_are_dark_and_leave_the_settings_alone():
    outcome = what_if(build_plan(diamond(), version="1"), fail="api")
    light, dark = order(outcome, theme="light"), order(outcome, theme="dark")
    assert luminance(to_hex(light.figure.get_facecolor())) > 0.9
    assert luminance(to_hex(dark.figure.get_facecolor())) < 0.1
    assert luminance(to_hex(dark._left_title.get_color())) > 0.9
    for artist in lines(dark):
        assert luminance(to_hex(artist.get_edgecolor()[0])) > 0.3
    with plt.style.context("dark_background"):  # what a notebook says once for all
        assert luminance(to_hex(order(outcome).figure.get_facecolor())) < 0.1
    with pytest.raises(ValueError, match=r"theme is 'night', expected one of \('auto', 'light', 'dark'\)"):
        order(outcome, theme="night")


# ---------------------------------------------------------------------- no room


def test_tiny_axes_get_bars_and_say_so():
    _, axes = plt.subplots(4, 4, figsize=(6, 6))
    plan = build_plan(load_dataset("jest29").graph, version="1")
    ax = order(plan, ax=axes[0, 0], alpha=0.5)
    assert bars(ax) == {number: {"pending": len(wave)} for number, wave in enumerate(plan.waves())}
    assert "no room for names" in ax.get_xlabel()
    assert shapes(ax).get_alpha() == 0.5
    ax.figure.canvas.draw()


@pytest.mark.parametrize("n", [400, 5_000])
def test_many_repos_get_a_bar_a_wave(n):
    plan = build_plan(chains(n), version="1")
    outcome = what_if(plan, fail="r00000")
    ax = order(outcome)
    words = dict(zip([item.repo_id for item in plan.items], outcome.words(), strict=True))
    expected = {number: dict(Counter(words[repo] for repo in wave)) for number, wave in enumerate(plan.waves())}
    each = -(-len(expected) // 40)
    found = bars(ax)
    assert len(found) == -(-len(expected) // each) <= 40
    for number, counts in found.items():
        together = sum(
            (Counter(expected[w]) for w in range(number * each, min((number + 1) * each, len(expected)))), Counter()
        )
        assert counts == together
    assert legend(ax) == Counter(words.values())
    assert "more than 300 repos" in ax.get_xlabel()
    assert "around=" in ax.get_xlabel()
    waves = plan.waves()
    group = {repo: number // each for number, wave in enumerate(waves) for repo in wave}
    between = sum(group[before] != group[after] for before, after in plan.edges)
    drawn = f"{between:,} of {n - 40:,}" if each > 1 else f"{n - 40:,}"
    assert f"arcs for {drawn} dependencies" in ax.get_xlabel().replace("\n", " ")
    first = ax.get_yticklabels()[0].get_text()
    assert first == ("0" if each == 1 else f"0–{each - 1}")
    ax.figure.canvas.draw()


def test_arcs_are_thicker_where_more_depends():
    edges = [(f"a{i:03}", f"b{i:03}") for i in range(300)] + [("b000", "c")]
    ax = order(build_plan(RepoDependencyGraph.from_edges(edges), version="1"))
    (arcs,) = lines(ax)
    ends = [tuple(path.vertices[[0, -1], 1]) for path in arcs.get_paths()]
    assert ends == [(0, 1), (1, 2)]
    assert arcs.get_linewidth()[0] > 5 * arcs.get_linewidth()[1]


def test_bars_without_dependencies_have_no_arcs():
    graph = RepoDependencyGraph.from_edges([], nodes=[f"r{i}" for i in range(301)])
    ax = order(build_plan(graph, version="1"))
    assert not lines(ax)
    assert bars(ax) == {0: {"pending": 301}}
    assert ax.get_xlim()[0] == 0


# ---------------------------------------------------------------------- blast radius


@graphs_and_plans
def test_blast_radius_counts_and_colours(name, of):
    graph = load_dataset(name).graph
    repo = next(repo for repo in graph.topological_order()[3:] if graph.dependents_of(repo))
    hit = graph.transitive_dependents_of(repo)
    ax = blast_radius(of(graph), repo, fold=False)
    assert title(ax) == f"If {repo} fails: {len(hit)} blocked, {len(graph) - 1 - len(hit)} go on"
    assert legend(ax) == {"failed": 1, "blocked": len(hit), "succeeded": len(graph) - 1 - len(hit)}
    found = colours(ax)
    assert found.count(STATUS_STYLES["failed"].colour) == 1
    assert found.count(STATUS_STYLES["blocked"].colour) == len(hit)
    drawn = reduction(graph.topological_order(), graph.edges)
    inside = [edge for edge in drawn if set(edge) <= {repo, *hit}]
    quiet, loud = lines(ax)
    assert (len(quiet.get_paths()), len(loud.get_paths())) == (len(drawn) - len(inside), len(inside))
    assert loud.get_linewidth() > quiet.get_linewidth()


def test_blast_of_unreleased_repo_blocks_nothing():
    plan = build_plan(diamond(), [("core", "1"), ("app", "1")])
    ax = blast_radius(plan, "api")
    assert title(ax) == "api is not released: 0 blocked, 2 go on, 2 unreleased"
    assert STATUS_STYLES["failed"].colour not in colours(ax)


def test_blast_passes_through_unreleased_repos():
    ax = blast_radius(build_plan(diamond(), [("core", "1"), ("app", "1")]), "core")
    assert title(ax) == "If core fails: 1 blocked, 0 go on, 2 unreleased"


def test_one_repo_goes_on():
    ax = blast_radius(RepoDependencyGraph.from_edges([("a", "b")], nodes=["c"]), "a")
    assert title(ax) == "If a fails: 1 blocked, 1 goes on"


@pytest.mark.parametrize("of", [lambda graph: graph, lambda graph: build_plan(graph, version="1")])
def test_unknown_repo_is_not_found(of):
    with pytest.raises(RepoNotFound, match="nowhere"):
        blast_radius(of(diamond()), "nowhere")
    assert not plt.get_fignums()


def test_an_outcome_in_doubt_is_drawn_so():
    plan = build_plan(RepoDependencyGraph.from_edges([("a", "b"), ("c", "d")]), version="1")
    ledger = written(run=Run(plan, ["enter a", "hang a", "enter c", "exit c", "skip b a", "enter d", "exit d"]))
    ax = order(read_story(ledger, "run").outcome("run", ledger))
    assert ax.get_title(loc="left") == "2 succeeded, 0 failed, 1 in doubt, 1 blocked"
    assert "? in doubt 1" in [text.get_text() for text in ax.get_legend().get_texts()]
