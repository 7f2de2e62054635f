import re
from itertools import pairwise

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.collections import PathCollection, PolyCollection
from matplotlib.colors import to_hex

from seqkit._palette import STATUS_STYLES, luminance
from seqkit.datasets import load_dataset
from seqkit.errors import RepoNotFound
from seqkit.graph import RepoDependencyGraph
from seqkit.plan import build_plan
from seqkit.plots import blast_radius, order
from seqkit.whatif import what_if

DATA = ["jest29", "jupyter", "kf5"]
HOSTILE = [
    "$x$",
    "$\\frac{",
    "a\nb\tc",
    "x" * 10_000,
    "release 🚀",
    "<script>alert(1)</script>",
    "W" * 40,
    "م\u202e\x00",
    "&",
]


@pytest.fixture(autouse=True)
def _closed():
    before = dict(mpl.rcParams)
    yield
    plt.close("all")
    assert dict(mpl.rcParams) == before


def diamond():
    return RepoDependencyGraph.from_edges(
        [("core", "api"), ("core", "docs"), ("api", "app"), ("docs", "app")], nodes=["lone"]
    )


def chain(n):
    return RepoDependencyGraph.from_edges([(f"r{i:04}", f"r{i + 40:04}") for i in range(n - 40)])


def boxes(ax):
    (nodes,) = [artist for artist in ax.collections if isinstance(artist, PolyCollection)]
    return nodes


def centres(ax):
    return [
        tuple((path.vertices[:4].min(axis=0) + path.vertices[:4].max(axis=0)) / 2) for path in boxes(ax).get_paths()
    ]


def colours(ax):
    return [to_hex(colour) for colour in boxes(ax).get_facecolor()]


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def title(ax):
    return ax.get_title(loc="left")


# ---------------------------------------------------------------------- palette


def test_palette_covers_all_statuses_and_skip_causes():
    assert set(STATUS_STYLES) == {
        "pending", "in_progress", "succeeded", "failed", "blocked", "stopped", "unreleased",
    }  # fmt: skip
    assert len({style.mark for style in STATUS_STYLES.values()}) == 7


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
def test_dependencies_are_left_and_nothing_overlaps(name):
    graph = load_dataset(name).graph
    plan = build_plan(graph, version="1")
    ax = order(plan)
    at = dict(zip([item.repo_id for item in plan.items], centres(ax), strict=True))
    assert len(at) == len(graph)
    assert all(at[before][0] < at[after][0] for before, after in graph.edges)
    levels = {repo: level for level, wave in enumerate(graph.waves()) for repo in wave}
    assert {repo: x for repo, (x, _) in at.items()} == pytest.approx(levels)
    for level in set(levels.values()):
        ys = sorted(at[repo][1] for repo in at if levels[repo] == level)
        assert all(b - a > 0.99 for a, b in pairwise(ys))


@pytest.mark.parametrize("name", DATA)
def test_every_label_stays_in_its_box(name):
    plan = build_plan(load_dataset(name).graph, version="1")
    ax = order(plan)
    ax.figure.canvas.draw()
    renderer = ax.figure.canvas.get_renderer()
    assert len(ax.texts) == len(plan.items)
    for text, path in zip(ax.texts, boxes(ax).get_paths(), strict=True):
        shown = text.get_window_extent(renderer)
        room = ax.transData.transform(path.vertices)
        assert shown.x0 >= room[:, 0].min()
        assert shown.x1 <= room[:, 0].max()
        assert shown.height < 1.5 * np.ptp(room[:, 1])


def test_labels_have_mark_position_and_name():
    plan = build_plan(diamond(), version="1")
    labels = [text.get_text() for text in order(plan).texts]
    assert labels == [f"○ {number} {item.repo_id}" for number, item in enumerate(plan.items)]


def test_plan_shows_what_is_unreleased():
    plan = build_plan(diamond(), [("core", "1"), ("app", "1")])
    ax = order(plan)
    assert title(ax) == "2 repos to release in 2 waves, 2 unreleased"
    assert legend(ax) == ["○ to release", "– unreleased"]
    assert colours(ax) == [
        STATUS_STYLES["unreleased" if item.repo_id in plan.unreleased else "pending"].colour for item in plan.items
    ]
    assert "level" in ax.get_xlabel()


def test_axis_counts_waves():
    ax = order(build_plan(diamond(), version="1"))
    assert ax.get_xlabel() == "wave"
    assert ax.get_xticks().tolist() == [0, 1, 2]


def test_outcome_has_colours_marks_and_counts():
    outcome = what_if(build_plan(diamond(), version="1"), fail="api")
    ax = order(outcome)
    words = outcome.to_frame()
    expected = words["skip_cause"].astype("string").fillna(words["status"].astype("string")).tolist()
    assert colours(ax) == [STATUS_STYLES[word].colour for word in expected]
    assert [text.get_text()[0] for text in ax.texts] == [STATUS_STYLES[word].mark for word in expected]
    assert title(ax) == "3 succeeded, 1 failed, 1 blocked"
    assert set(legend(ax)) == {"✓ succeeded", "✗ failed", "⊘ blocked"}


def test_stopped_repos_are_in_the_legend():
    ax = order(what_if(build_plan(diamond(), version="1"), fail="core", policy="stop"))
    assert "■ stopped" in legend(ax)


@pytest.mark.parametrize("draw", [order, lambda plan, **kw: blast_radius(plan, "core", **kw)])
def test_given_axes_and_keywords_are_used(draw):
    _, axes = plt.subplots(1, 2, figsize=(12, 4))
    made = plt.get_fignums()
    plan = build_plan(diamond(), version="1")
    assert draw(plan, ax=axes[1], linewidth=3, edgecolors="#123456", gid="nodes") is axes[1]
    assert plt.get_fignums() == made
    assert not axes[0].collections
    assert boxes(axes[1]).get_linewidth() == pytest.approx([3])
    assert to_hex(boxes(axes[1]).get_edgecolor()[0]) == "#123456"
    assert boxes(axes[1]).get_gid() == "nodes"


def test_axes_in_a_subfigure_work():
    parts = plt.figure(figsize=(10, 4)).subfigures(1, 2)
    assert order(build_plan(diamond(), version="1"), ax=parts[0].subplots()).texts


def test_unknown_keywords_are_refused():
    with pytest.raises(AttributeError, match="no_such"):
        order(build_plan(diamond(), version="1"), no_such=1)


def test_tiny_axes_get_marks_and_say_so():
    _, axes = plt.subplots(4, 4, figsize=(6, 6))
    ax = order(build_plan(load_dataset("jest29").graph, version="1"), ax=axes[0, 0], alpha=0.5)
    assert not ax.texts
    assert title(ax) == "46 repos to release in 15 waves; no room for names"


def test_many_repos_get_marks_and_say_so():
    ax = order(build_plan(chain(400), version="1"), gid="nodes")
    (dots,) = [artist for artist in ax.collections if artist.get_gid() == "nodes"]
    assert isinstance(dots, PathCollection)
    assert len(dots.get_offsets()) == 400
    assert not ax.texts
    assert title(ax) == "400 repos to release in 10 waves; no room for names"
    ax.figure.canvas.draw()


def test_marks_without_names_differ_in_shape():
    ax = order(what_if(build_plan(chain(400), version="1"), fail="r0000"), gid="nodes")
    (dots,) = [artist for artist in ax.collections if artist.get_gid() == "nodes"]
    looks = {
        (to_hex(colour), path.vertices.tobytes())
        for colour, path in zip(dots.get_facecolor(), dots.get_paths(), strict=True)
    }
    assert len(looks) == len({shape for _, shape in looks}) == 3
    assert set(legend(ax)) == {"succeeded", "failed", "blocked"}


def test_drawing_is_deterministic():
    edges = diamond().edges
    again = RepoDependencyGraph.from_edges(edges[::-1], nodes=["lone"])
    one, other = (order(build_plan(graph, version="1")) for graph in (diamond(), again))
    assert centres(one) == centres(other)


def test_empty_plan_says_so():
    ax = order(build_plan(RepoDependencyGraph(), []))
    assert not ax.collections
    assert "Nothing to draw" in ax.texts[0].get_text()
    ax.figure.canvas.draw()


def test_one_repo_is_drawn():
    graph = RepoDependencyGraph.from_edges([], nodes=["only"])
    ax = order(build_plan(graph, version="1"))
    assert title(ax) == "1 repo to release in 1 wave"
    ax.figure.canvas.draw()


def test_wrong_arguments_are_named():
    with pytest.raises(TypeError, match="plan_or_outcome is a RepoDependencyGraph"):
        order(diamond())
    with pytest.raises(TypeError, match="plan_or_graph is a str"):
        blast_radius("plan", "core")


def test_hostile_names_are_drawn_as_text():
    edges = [(HOSTILE[0], name) for name in HOSTILE[1:]]
    plan = build_plan(RepoDependencyGraph.from_edges(edges), version="1")
    for ax in (order(plan), *(blast_radius(plan, name) for name in HOSTILE)):
        ax.figure.canvas.draw()  # warnings are errors
        assert not any(text.get_parse_math() for text in (*ax.texts, ax.title, ax._left_title) if text.get_text())
        labels = [re.sub(r"^\S \d+ ", "", text.get_text()) for text in ax.texts]
        assert "$x$" in labels
        assert "a b c" in labels
        assert "release □" in labels
        assert all(len(label) <= 20 and "\n" not in label for label in labels)
        plt.close(ax.figure)


# ---------------------------------------------------------------------- blast radius


@pytest.mark.parametrize(
    "of", [lambda graph: graph, lambda graph: build_plan(graph, version="1")], ids=["graph", "plan"]
)
@pytest.mark.parametrize("name", DATA)
def test_blast_radius_counts_and_colours(name, of):
    graph = load_dataset(name).graph
    repo = next(repo for repo in graph.topological_order()[3:] if graph.dependents_of(repo))
    hit = graph.transitive_dependents_of(repo)
    ax = blast_radius(of(graph), repo)
    assert title(ax) == f"If {repo} fails: {len(hit)} blocked, {len(graph) - 1 - len(hit)} go on"
    found = colours(ax)
    assert found.count(STATUS_STYLES["failed"].colour) == 1
    assert found.count(STATUS_STYLES["blocked"].colour) == len(hit)
    assert {"✗ failed", "✓ goes on"} <= set(legend(ax))
    lines = [artist for artist in ax.collections if isinstance(artist, PathCollection)]
    inside = [edge for edge in graph.edges if set(edge) <= {repo, *hit}]
    assert [len(artist.get_paths()) for artist in lines] == [len(graph.edges) - len(inside), len(inside)]
    assert lines[0].get_alpha() < lines[1].get_alpha()


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
