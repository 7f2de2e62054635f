from itertools import combinations, pairwise

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest

from seqkit import CommonCause, FailureModel, RepoDependencyGraph, analyze, build_plan, load_dataset
from seqkit.plots._text import shown
from seqkit.plots.importance import importance
from tests.tools.strategies import HOSTILE_NAMES

SHAKY = FailureModel(rates={"kio": 0.25, "kxmlgui": 0.2, "plasma-framework": 0.3}, default=0.002)


pytestmark = pytest.mark.usefixtures("settings_untouched")


def analysis_of(name, model):
    return analyze(build_plan(load_dataset(name).graph, version="1"), model)


def scattered(*args, **kwargs):
    return importance(*args, kind="scatter", **kwargs)


def title(ax):
    return ax.get_title(loc="left")


def names(ax):
    return [text.get_text() for text in ax.texts]


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def boxes(ax):
    """Where the names stand, in pixels, their leaders left out."""
    renderer = ax.figure.canvas.get_renderer()
    ax.figure.canvas.draw()
    return {text.get_text(): mpl.text.Text.get_window_extent(text, renderer) for text in ax.texts}


def test_points_are_dependents_and_gain():
    analysis = analysis_of("kf5", SHAKY)
    ax = scattered(analysis)
    (points,) = ax.collections
    worth = analysis.importance()
    assert points.get_offsets()[:, 0].tolist() == worth["n_dependents"].tolist()
    assert points.get_offsets()[:, 1].tolist() == worth["gain_if_perfect"].tolist()
    assert "depend" in ax.get_xlabel()
    assert "repos released in a run" in ax.get_ylabel()


def test_area_grows_with_the_failure_rate():
    analysis = analysis_of("kf5", SHAKY)
    ax = scattered(analysis)
    areas = dict(zip(analysis.importance().index, ax.collections[0].get_sizes(), strict=True))
    assert areas["plasma-framework"] > areas["kio"] > areas["kxmlgui"] > areas["karchive"]
    assert areas["karchive"] == areas["extra-cmake-modules"] > 0
    assert [text for text in legend(ax) if text.startswith("fails with")] == [
        "fails with probability 0.002",
        "fails with probability 0.3",
    ]
    markers = [line.get_markersize() ** 2 for line in ax.get_legend().legend_handles[:2]]
    assert markers == pytest.approx([areas["karchive"], areas["plasma-framework"]])


def test_retries_lower_the_probability_that_is_shown():
    plan = build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1")
    assert "fails with probability 0.04" in legend(importance(analyze(plan, 0.2, attempts=2)))


def test_line_is_what_dependents_would_tell():
    analysis = analysis_of("kf5", SHAKY)
    (line,) = scattered(analysis).lines
    rate = analysis.to_frame()["failure_rate"].mean()
    most = analysis.importance()["n_dependents"].max()
    assert line.get_xdata().tolist() == [0, most]
    assert line.get_ydata().tolist() == pytest.approx([rate, rate * (1 + most)])


def test_points_of_repos_that_alone_can_fail_lie_on_their_own_line():
    # With one fragile repo nothing else stops its dependents: gain = rate × (1 + dependents) exactly.
    plan = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs")]), version="1")
    ax = importance(analyze(plan, {"core": 0.3}))
    assert ax.collections[0].get_offsets()[0].tolist() == pytest.approx([2, 0.9])


def test_title_tells_where_the_rankings_part():
    assert title(scattered(analysis_of("kf5", SHAKY))) == (
        "Hardening kio buys most: 3.65 more releases in a run.\n"
        "Most depend on extra-cmake-modules (73): hardening it buys 0.128, rank 4."
    )
    assert title(scattered(analysis_of("kf5", 0.01))).endswith("Most depend on it, too: 73 repos.")


def test_the_first_of_both_rankings_have_names_and_places():
    analysis = analysis_of("kf5", SHAKY)
    worth = analysis.importance()
    by_dependents = worth.sort_values("n_dependents", ascending=False, kind="stable").index
    found = {}
    for name in names(scattered(analysis)):
        repo, places = name.rstrip(")").split(" (")
        found[repo] = tuple(int(place) for place in places.split(", "))
    assert {"kio", "kxmlgui", "plasma-framework", "extra-cmake-modules"} <= found.keys()
    assert found.keys() <= {*worth.index[:6], *by_dependents[:6]}
    assert found == {repo: (worth.index.get_loc(repo) + 1, by_dependents.get_loc(repo) + 1) for repo in found}


@pytest.mark.parametrize("name", ["jest29", "jupyter", "kf5"])
@pytest.mark.parametrize("rate", [0.01, 0.3])
def test_names_lie_neither_on_each_other_nor_on_points(name, rate):
    ax = scattered(analysis_of(name, rate))
    placed = boxes(ax)
    assert len(placed) > 3
    assert not any(a.overlaps(b) for a, b in combinations(placed.values(), 2))
    frame = ax.get_window_extent()
    centres = ax.transData.transform(ax.collections[0].get_offsets())
    for box in placed.values():
        assert not any(box.contains(*centre) for centre in centres)
        assert frame.x0 - 1 <= box.x0
        assert box.x1 <= frame.x1 + 1
        assert frame.y0 - 1 <= box.y0
        assert box.y1 <= frame.y1 + 1


def test_repos_at_the_same_point_share_a_name():
    plan = build_plan(RepoDependencyGraph.from_edges([("hub", f"leaf{i}") for i in range(30)]), version="1")
    assert names(importance(analyze(plan, 0.1))) == ["hub (1, 1)", "leaf0 and 29 more (2, 2)"]


def test_hostile_names_are_cut_and_drawn():
    edges = list(pairwise(HOSTILE_NAMES))
    plan = build_plan(RepoDependencyGraph.from_edges(edges), version="1")
    ax = importance(analyze(plan, {repo: 0.05 * (i + 1) for i, repo in enumerate(HOSTILE_NAMES)}))
    ax.figure.canvas.draw()
    allowed = {shown(repo) for repo in HOSTILE_NAMES}
    assert len(names(ax)) > 4
    assert {text.rpartition(" (")[0] for text in names(ax)} <= allowed
    assert not any(text.get_parse_math() for text in ax.texts)


def test_plans_without_danger_or_dependents_or_repos():
    plan = build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1")
    assert title(importance(analyze(plan, 0.0))) == "No repo can fail: hardening buys nothing"
    alone = build_plan(RepoDependencyGraph.from_edges([], nodes=["a", "b"]), version="1")
    assert title(importance(analyze(alone, {"b": 0.5}))) == (
        "Hardening b buys most: 0.5 more releases in a run.\nNo repo depends on another."
    )
    ax = importance(analyze(build_plan(RepoDependencyGraph(), version="1"), 0.1))
    assert names(ax) == ["Nothing to draw: there are no repos to release."]


def test_given_axes_and_kwargs():
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
    assert scattered(analysis_of("kf5", SHAKY), ax=right, alpha=0.5, zorder=7) is right
    (points,) = right.collections
    assert (points.get_alpha(), points.get_zorder()) == (0.5, 7)
    assert not left.collections
    assert len(figure.axes) == 2


def test_only_an_analysis_will_do():
    with pytest.raises(TypeError, match=r"analysis is a float, expected an Analysis: analyze\(plan, model\) makes one"):
        importance(0.5)
    assert not plt.get_fignums()


def test_names_have_the_same_places_every_time():
    first, second = (
        {text.get_text(): tuple(text.xyann) for text in scattered(analysis_of("jest29", 0.05)).texts} for _ in range(2)
    )
    assert first == second
    assert all(np.isfinite(place).all() for place in first.values())


def test_common_causes_and_retries_count():
    plan = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("api", "app")]), version="1")
    model = FailureModel(default=0.1, common_causes=[CommonCause(name="ci", probability=0.3, repos=["core", "app"])])
    ax = importance(analyze(plan, model, attempts=2))
    told = [text.get_text() for text in ax.get_legend().get_texts()]
    both, own = 1 - 0.99 * 0.7, 0.01
    assert told[:2] == [f"fails with probability {own:.2g}", f"fails with probability {both:.2g}"]
    assert ax.lines[0].get_ydata()[0] == pytest.approx((2 * both + own) / 3)


def test_leaders_pass_by_other_points():
    ax = scattered(analysis_of("jest29", {f"@jest/{name}": 0.2 for name in ("types", "test-result", "schemas")}))
    ax.figure.canvas.draw()
    (points,) = ax.collections
    per_point = ax.figure.dpi / 72
    centres = ax.transData.transform(points.get_offsets())
    radii = np.sqrt(points.get_sizes()) / 2 * per_point
    led = [text for text in ax.texts if text.arrow_patch is not None]
    assert led
    for text in led:
        start = ax.transData.transform(text.xy)
        way = start + np.linspace(0, 1, 20)[:, None] * np.array(text.xyann) * per_point
        others = ~np.isclose(centres, start).all(axis=1)
        gaps = np.hypot(*(way[:, None] - centres[others]).T)
        assert (gaps > 0.9 * radii[others][:, None]).all()


# ---------------------------------------------------------------------- dots


@pytest.mark.parametrize("name", ["jest29", "jupyter", "kf5"])
def test_many_repos_are_sorted_dots_with_a_row_each(name):
    analysis = analysis_of(name, {"kio": 0.25} if name == "kf5" else 0.05)
    worth = analysis.importance()
    ax = importance(analysis, kind="dots")
    rows = [label.get_text() for label in ax.get_yticklabels()]
    by_dependents = worth.sort_values("n_dependents", ascending=False, kind="stable").index
    chosen = {*worth.index[:24], *by_dependents[:6]}
    kept = [repo for repo in worth.index if repo in chosen]
    assert rows == [*(shown(repo, 32) for repo in kept), f"{len(worth) - len(kept)} other repos"]
    dots, expected, others = (each for each in ax.collections if hasattr(each, "get_sizes") and len(each.get_sizes()))
    assert dots.get_offsets()[:, 0].tolist() == worth["gain_if_perfect"][kept].tolist()
    assert np.all(np.diff(dots.get_offsets()[:, 0]) <= 0)
    mean = analysis.fails_alone()[worth.index].mean()
    told = mean * (1 + worth["n_dependents"][kept].to_numpy(dtype=float))
    assert expected.get_offsets()[:, 0].tolist() == pytest.approx(told.tolist())
    assert len(others.get_offsets()) == len(worth) - len(kept)
    assert expected.get_paths()[0].vertices.shape != dots.get_paths()[0].vertices.shape  # shapes tell them too
    told = [text.get_text() for text in ax.texts]
    assert f"{worth['n_dependents'][kept[0]]:,}" in told
    assert title(ax) == title(importance(analysis, kind="scatter"))


def test_dots_are_drawn_above_forty_repos_and_fit_into_the_axes_given():
    plan = build_plan(RepoDependencyGraph.from_edges([("hub", f"leaf{i}") for i in range(40)]), version="1")
    ax = importance(analyze(plan, 0.1))
    assert ax.get_yticklabels()[0].get_text() == "hub"
    assert len(importance(analyze(plan, 0.1), kind="scatter").get_yticklabels()) < 12
    ax = importance(analysis_of("kf5", SHAKY), figsize=(5, 3), theme="dark")
    assert ax.figure.get_size_inches().tolist() == [5, 3]
    assert ax.figure.get_facecolor() == (0, 0, 0, 1)
    assert 3 < len(ax.get_yticklabels()) < 20
    with pytest.raises(ValueError, match=r"kind is 'bars', expected one of \('auto', 'scatter', 'dots'\)"):
        importance(analyze(plan, 0.1), kind="bars")
