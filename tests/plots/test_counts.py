import re

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex
from matplotlib.container import BarContainer, ErrorbarContainer

from seqkit import RepoDependencyGraph, analyze, build_plan, load_dataset, simulate
from seqkit._show.palette import STATUS_STYLES
from seqkit.plots.counts import counts

pytestmark = pytest.mark.usefixtures("settings_untouched")


@pytest.fixture(scope="module")
def plan():
    return build_plan(load_dataset("kf5").graph, version="1")


@pytest.fixture(scope="module")
def simulation(plan):
    return simulate(plan, 0.02, trials=2_000, rng=7)


def alone(n):
    return build_plan(RepoDependencyGraph.from_edges([], nodes=[f"r{i}" for i in range(n)]), version="1")


def drawn(ax, which=0):
    """Heights by position of the law that was drawn first, second, …"""
    container = ax.containers[which]
    if isinstance(container, BarContainer):
        return {patch.get_x() + patch.get_width() / 2: patch.get_height() for patch in container}
    return dict(zip(*container[0].get_data(), strict=True))


def whiskers(ax):
    """Low and high by position, of all simulations."""
    lines = [artist for artist in ax.collections if isinstance(artist, LineCollection)]
    return [{s[0][0]: (s[0][1], s[1][1]) for s in each.get_segments()} for each in lines]


def strips(ax):
    """What the strips mark: 5 %, median, mean, 95 %, and in which shape and fill the mean."""
    marks = [line for line in ax.lines if not line.get_clip_on()]
    return [
        {
            "ends": list(ends.get_xdata()),
            "median": median.get_xdata()[0],
            "mean": mean.get_xdata()[0],
            "look": (mean.get_marker(), to_hex(mean.get_markerfacecolor())),
        }
        for ends, median, mean in zip(marks[::3], marks[1::3], marks[2::3], strict=True)
    ]


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


# ---------------------------------------------------------------------- exact


def test_bars_are_the_exact_law(plan):
    analysis = analyze(plan, 0.02)
    ax = counts(analysis)
    law = analysis.distribution()
    assert drawn(ax) == pytest.approx(law[law >= 1e-6].to_dict())
    assert ax.get_xlabel() == "repos released in a run"
    assert ax.get_ylabel() == "probability"
    assert whiskers(ax) == []


def test_strip_and_line_mark_mean_and_quantiles(plan):
    analysis = analyze(plan, 0.02)
    ax = counts(analysis)
    below = analysis.distribution().cumsum()
    (strip,) = strips(ax)
    assert strip["ends"] == [(below < 0.05).sum(), (below < 0.95).sum()]
    assert strip["median"] == (below < 0.5).sum()
    assert strip["mean"] == analysis.expected.succeeded
    (line,) = [line for line in ax.lines if line.get_clip_on()]
    assert list(line.get_xdata()) == [analysis.expected.succeeded] * 2
    told = f"mean {analysis.expected.succeeded:.1f} of 75, 5 %: {strip['ends'][0]} · 50 %: {strip['median']}"
    assert legend(ax)[0].startswith(f"exact: {told}")
    assert {text for each in ax.texts for text in each.get_text().split(", ")} == {"5 %", "50 %", "95 %", "mean"}


def test_title_says_what_to_expect(plan):
    analysis = analyze(plan, 0.02)
    expected = f"{analysis.expected.succeeded:.1f} of 75 repos are released on average"
    assert counts(analysis).get_title(loc="left") == (
        f"{expected}, all of them with probability {analysis.p_all_succeed:.3g}"
    )


def test_quantiles_that_rounding_misses():
    analysis = analyze(alone(1), 0.05)  # P(0) is 0.05 exactly: the 5 % quantile is 0
    assert strips(counts(analysis))[0]["ends"] == [0, 1]


# ---------------------------------------------------------------------- simulated


@pytest.mark.parametrize(("which", "word"), [("succeeded", "succeeded"), ("failed", "failed"), ("skipped", "blocked")])
def test_bars_are_the_shares_of_trials(simulation, which, word):
    ax = counts(simulation, which=which)
    trials = simulation.counts.groupby(f"n_{which}")["trials"].sum()
    assert drawn(ax) == pytest.approx((trials / simulation.trials).to_dict())
    assert {to_hex(patch.get_facecolor()) for patch in ax.containers[0]} == {STATUS_STYLES[word].colour}
    row = simulation.summary().loc[which]
    (strip,) = strips(ax)
    assert (strip["ends"], strip["median"]) == ([row["q05"], row["q95"]], row["median"])
    assert strip["mean"] == pytest.approx(row["mean"])
    assert {"succeeded": "released"}.get(which, which) in ax.get_xlabel()
    mean, se = map(float, re.search(r"mean ([\d.]+) ± ([\d.]+) of 75", legend(ax)[0]).groups())
    assert mean == pytest.approx(row["mean"], abs=0.01)
    assert se == pytest.approx(row["se_mean"], rel=0.05)


def test_whiskers_are_wilson_intervals(simulation):
    ax = counts(simulation)
    (found,) = whiskers(ax)
    heights = drawn(ax)
    assert found.keys() == heights.keys()
    n = simulation.trials
    for at, (low, high) in found.items():
        # Both ends solve |p̂ - p| = z sqrt(p (1 - p) / n), which is what the interval inverts.
        for end in (low, high):
            assert abs(heights[at] - end) == pytest.approx(1.959964 * np.sqrt(end * (1 - end) / n), rel=1e-5, abs=1e-9)
        assert low < heights[at] < high
    assert legend(ax)[-1] == "95 % confidence interval of a simulated probability"


def test_title_tells_how_often_everything_went_well(plan):
    simulation = simulate(plan, 0.5, trials=100, rng=1)
    assert counts(simulation).get_title(loc="left").endswith("all of them in none of the 100 trials")
    assert counts(simulate(plan, 0.0, trials=100, rng=1), which="failed").get_title(loc="left") == (
        "0 of 75 repos fail on average, none in 100 % of the trials"
    )


def test_a_single_trial_has_no_standard_error(plan):
    assert "± nan" in legend(counts(simulate(plan, 0.1, trials=1, rng=1)))[0]


# ---------------------------------------------------------------------- several


def test_exact_points_lie_over_simulated_bars(plan, simulation):
    ax = counts(simulation)
    limits = ax.get_xlim()
    analysis = analyze(plan, 0.02)
    assert counts(analysis, ax=ax) is ax
    bars, points = ax.containers
    assert isinstance(bars, BarContainer)
    assert isinstance(points, ErrorbarContainer)
    assert points[0].get_zorder() > max(patch.get_zorder() for patch in bars)
    law = analysis.distribution()
    assert drawn(ax, 1) == pytest.approx(law[law >= 1e-6].to_dict())
    first, second = strips(ax)
    assert first["look"] == ("s", STATUS_STYLES["succeeded"].colour)
    assert second["look"] == ("o", "#000000")
    assert second["mean"] == analysis.expected.succeeded
    assert [text.split(":")[0] for text in legend(ax)[:2]] == ["simulated 2,000 times", "exact"]
    assert len(legend(ax)) == 3
    assert ax.get_title(loc="left") == "How many repos are released: 2 distributions compared"
    assert ax.get_xlim()[0] <= limits[0]


def test_simulated_points_lie_over_exact_bars(plan, simulation):
    ax = counts(analyze(plan, 0.02))
    counts(simulation, ax=ax)
    assert drawn(ax, 1) == pytest.approx((simulation.counts.groupby("n_succeeded")["trials"].sum() / 2_000).to_dict())
    assert whiskers(ax)[0].keys() == drawn(ax, 1).keys()


def test_each_law_has_a_shape_of_its_own_and_one_key_for_whiskers(plan):
    ax = plt.figure().add_subplot()
    for rate in (0.01, 0.02, 0.05, 0.1):
        counts(simulate(plan, rate, trials=200, rng=1), ax=ax, label=f"at {rate}")
    assert len({strip["look"] for strip in strips(ax)}) == 4
    assert legend(ax)[:4] == ["at 0.01", "at 0.02", "at 0.05", "at 0.1"]
    assert len(legend(ax)) == 5
    heights = [line.get_transform().transform((0, 1))[1] for line in ax.lines if line.get_marker() == "|"][::2]
    assert heights == sorted(heights)
    assert len(set(np.round(heights, 6))) == 4  # strips do not lie on each other


# ---------------------------------------------------------------------- many counts


def test_more_counts_than_room_share_bars():
    simulation = simulate(build_plan(load_dataset("jupyter").graph, version="1"), 0.1, trials=2_000, rng=3)
    ax = plt.figure(figsize=(1.2, 2)).add_subplot()
    counts(simulation, ax=ax)
    heights = drawn(ax)
    (step,) = map(int, re.search(r"of (\d+) counts a bar", ax.get_ylabel()).groups())
    assert step > 1
    trials = simulation.counts.groupby("n_succeeded")["trials"].sum() / simulation.trials
    for at in sorted(heights)[1:-1]:  # of the first and last, the axis may leave out a part
        low, high = at - (step - 1) / 2, at + (step - 1) / 2
        assert low == int(low)
        assert heights[at] == pytest.approx(trials.loc[low:high].sum())
    assert len(heights) > 4
    assert sum(heights.values()) >= 0.998 - 1e-12
    assert (max(heights) + (step - 1) / 2 - len(simulation.plan.released)) % step == 0


def test_a_second_law_keeps_the_bars_of_the_first():
    plan = alone(5_000)
    ax = counts(simulate(plan, 0.3, trials=3_000, rng=1))
    counts(simulate(plan, 0.01, trials=3_000, rng=1), ax=ax)
    first, second = sorted(drawn(ax)), sorted(drawn(ax, 1))
    step = np.diff(first).min()
    assert step > 1
    offsets = (np.array(second) - first[0]) % step
    assert np.allclose(offsets, 0)
    left, right = ax.get_xlim()
    assert left < first[0]
    assert second[-1] < right


def test_long_axes_leave_out_the_ends_and_say_so():
    analysis = analyze(alone(2_000), 0.001)
    ax = counts(analysis)
    assert len(ax.containers[0]) < 40  # nearly all of the 2,001 counts are hopeless
    assert "at most" not in ax.get_xlabel()
    long = counts(analyze(alone(4_000), 0.2), ax=plt.subplots(figsize=(4, 3))[1])
    assert "at most 0.1 % of the runs beyond either end" in long.get_xlabel()
    assert sum(drawn(long).values()) >= 0.998 - 1e-12


# ---------------------------------------------------------------------- edges


def test_nothing_to_release_is_said(plan):
    ax = counts(analyze(build_plan(RepoDependencyGraph(), version="1"), 0.1))
    assert [text.get_text() for text in ax.texts] == ["Nothing to draw: there are no repos to release."]
    assert not ax.containers


def test_certainty_is_one_bar(plan):
    ax = counts(analyze(plan, 0.0))
    assert drawn(ax) == {75.0: 1.0}
    assert "5 %, 50 %, 95 %, mean" in [text.get_text() for text in ax.texts]


def test_kwargs_reach_bars_and_points(plan, simulation):
    ax = counts(simulation, log=True, hatch="//", color="#123456")
    assert ax.get_yscale() == "log"
    assert {patch.get_hatch() for patch in ax.containers[0]} == {"//"}
    counts(analyze(plan, 0.02), ax=ax, fmt="x", markersize=9)
    assert ax.containers[1][0].get_marker() == "x"
    assert ax.containers[1][0].get_markersize() == 9


def test_kwargs_may_go_by_their_short_names(plan, simulation):
    ax = counts(simulation, ec="#123456", lw=3)
    assert {(to_hex(patch.get_edgecolor()), patch.get_linewidth()) for patch in ax.containers[0]} == {("#123456", 3)}
    counts(analyze(plan, 0.02), ax=ax, c="#654321", ms=9)
    assert (ax.containers[1][0].get_color(), ax.containers[1][0].get_markersize()) == ("#654321", 9)


@pytest.mark.parametrize("label", ["_hidden", "", None])
def test_a_law_without_a_name_is_not_in_the_legend(plan, label):
    assert legend(counts(analyze(plan, 0.02), label=label)) == []


def test_what_is_not_sure_is_never_called_sure():
    plan = alone(1)
    assert counts(analyze(plan, 1e-5)).get_title(loc="left").endswith("with probability more than 0.999")
    simulation = simulate(plan, 1e-4, trials=50_000, rng=1)
    assert 0 < simulation.n_failed.sum() < 10
    assert counts(simulation).get_title(loc="left").endswith("all of them in more than 99.9 % of the trials")
    always = simulate(plan, 1.0, trials=50, rng=1)
    assert counts(always, which="failed").get_title(loc="left").endswith("at least one in each of the 50 trials")


def test_lines_are_seen_on_a_dark_page(plan, simulation):
    with plt.style.context("dark_background"):
        ax = counts(analyze(plan, 0.02), ax=counts(simulation))
    shown = [line.get_color() for line in ax.lines] + [line.get_colors()[0] for line in ax.collections]
    assert {to_hex(colour) for colour in shown} == {"#ffffff"}


def test_wrong_arguments_are_named(plan, simulation):
    with pytest.raises(ValueError, match=r"which is 'released', expected one of \('succeeded', 'failed', 'skipped'\)"):
        counts(simulation, which="released")
    with pytest.raises(ValueError, match=r"which is 'failed', expected 'succeeded'.*simulate\(plan, model\)"):
        counts(analyze(plan, 0.02), which="failed")
    with pytest.raises(TypeError, match="analysis_or_simulation is a SequencePlan, expected an Analysis or"):
        counts(plan)
    assert not plt.get_fignums()
    for ax in (None, counts(simulation)):  # bars, and the line of another law in the same picture
        counts(simulation, ax=ax, alpha=0.5, capsize=3)
        with pytest.raises(TypeError, match=r"'colour' is no argument of this picture.*; did you mean 'color'"):
            counts(simulation, ax=ax, colour="red")


def test_a_law_out_of_reach_keeps_its_error_and_leaves_no_figure():
    bottom, top = [f"a{i}" for i in range(40)], [f"b{i}" for i in range(40)]
    edges = [(above, below) for i, below in enumerate(top) for above in (bottom[i], bottom[(7 * i + 3) % 40])]
    edges += [(bottom[(11 * i + 5) % 40], below) for i, below in enumerate(top)]
    analysis = analyze(build_plan(RepoDependencyGraph.from_edges(edges), version="1"), 0.1)
    with pytest.raises(ValueError, match=r"simulate\(plan, model\) estimates it"):
        counts(analysis)
    assert not plt.get_fignums()


def test_the_same_law_gives_the_same_svg(simulation, tmp_path):
    def svg(name):
        ax = counts(simulation)
        with mpl.rc_context({"svg.hashsalt": "x"}):
            ax.figure.savefig(tmp_path / name, format="svg", metadata={"Date": None})
        return (tmp_path / name).read_bytes()

    assert svg("a") == svg("b")
