"""The pictures of schedules: what reaches the artists."""

import math
from datetime import UTC, datetime, timedelta, timezone

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import to_hex
from matplotlib.dates import date2num

from seqkit import (
    DurationModel,
    Freeze,
    RepoDependencyGraph,
    ScheduleAnomaly,
    build_plan,
    lanes_curve,
    load_dataset,
    schedule,
)
from seqkit._show.palette import luminance
from seqkit.plots import gantt, lanes, makespan, timeline, tornado
from seqkit.plots.picture import png

pytestmark = pytest.mark.usefixtures("settings_untouched")

PLAN = build_plan(load_dataset("chain_or_hub").graph, version="1")
TIMES = DurationModel({repo: 240 + 20 * at for at, repo in enumerate(PLAN.released)}, sigma=0.4)
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
EMPTY = build_plan(RepoDependencyGraph(), version="1")
# Graham's own nine jobs: on four lanes they take longer than on three.
GRAHAM = build_plan(
    RepoDependencyGraph.from_edges(
        [("T1", "T9"), ("T4", "T5"), ("T4", "T6"), ("T4", "T7"), ("T4", "T8")], nodes=[f"T{i}" for i in range(1, 10)]
    ),
    version="1",
)
MINUTES = dict(zip((f"T{i}" for i in range(1, 10)), (3, 2, 2, 2, 4, 4, 4, 4, 9), strict=True))
AS_LISTED = {f"T{i}": 10 - i for i in range(1, 10)}


@pytest.fixture(scope="module")
def shaky():
    return schedule(PLAN, TIMES, 2, 0.03, rng=7, trials=400)


@pytest.fixture(scope="module")
def graham():
    with pytest.warns(ScheduleAnomaly):
        return lanes_curve(
            GRAHAM,
            {repo: 60 * minutes for repo, minutes in MINUTES.items()},
            lanes=range(2, 6),
            rng=7,
            trials=4,
            priority=AS_LISTED,
        )


def title(ax):
    return ax.get_title(loc="left")


def names(ax):
    return [label.get_text() for label in ax.get_yticklabels()]


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def twin(ax):
    (other,) = [other for other in ax.figure.axes if other is not ax]
    return other


def gains_of(*rows):
    gains, errors = zip(*((timedelta(seconds=gain), timedelta(seconds=se)) for _, gain, se in rows), strict=True)
    index = pd.Index([repo for repo, _, _ in rows], name="repo_id")
    return pd.DataFrame({"gain": pd.to_timedelta(gains), "se": pd.to_timedelta(errors)}, index=index)


# ---------------------------------------------------------------------- makespan


def test_bars_are_the_shares_of_trials_that_end_in_them_and_failed_trains_are_hatched(shaky):
    ax = makespan(shaky)
    ends, complete = (shaky.makespan(complete=whole).dt.total_seconds() / 60 for whole in (False, True))
    hatched = {bar for bar in ax.patches if bar.get_hatch()}
    assert 0 < len(hatched) < len(ax.patches)
    for bar in ax.patches:
        left, right = bar.get_x(), bar.get_x() + bar.get_width()
        own = ends.drop(complete.index) if bar in hatched else complete
        assert bar.get_height() == pytest.approx(((own >= left - 1e-9) & (own < right - 1e-9)).mean() * len(own) / 400)
    assert sum(bar.get_height() for bar in hatched) == pytest.approx(1 - shaky.p_complete)
    assert "minutes from the start" in ax.get_xlabel()
    assert "a bar" in ax.get_ylabel()


def test_curves_say_who_has_ended_and_who_has_released_everything(shaky):
    whole, ended = (line for line in twin(makespan(shaky)).lines if len(line.get_xdata()) > 2)
    for line, times in ((whole, shaky.makespan(complete=True)), (ended, shaky.makespan())):
        minutes = times.dt.total_seconds().to_numpy() / 60
        for x, y in zip(line.get_xdata()[1:-1:20], line.get_ydata()[1:-1:20], strict=True):
            assert y == (minutes <= x + 1e-9).sum() / 400
    assert whole.get_ydata()[-1] == shaky.p_complete < ended.get_ydata()[-1] == 1
    assert whole.get_linestyle() != ended.get_linestyle()


def test_points_and_lines_are_those_of_the_schedule(shaky):
    due = timedelta(minutes=75)
    ax = makespan(shaky, due)
    points = {
        (round(line.get_xdata()[0], 6), round(line.get_ydata()[0], 6), line.get_marker())
        for line in twin(ax).lines
        if len(line.get_xdata()) == 1
    }
    marked = {(shaky.quantile(level), level, "o") for level in (0.5, 0.8, 0.95)}
    marked |= {(due, float(shaky.p_done_by(due)), "D"), (shaky.plan_date, float(shaky.p_plan_date), "D")}
    assert points == {(round(time.total_seconds() / 60, 6), round(y, 6), mark) for time, y, mark in marked}
    upright = [line.get_xdata()[0] for line in twin(ax).lines if len(line.get_xdata()) == 2]
    assert upright == pytest.approx([t.total_seconds() / 60 for t in (due, shaky.plan_date, shaky.lower_bound)])
    assert {text.get_text() for text in twin(ax).texts} == {"P50", "P80", "P95"}
    assert "by the deadline with" in title(ax)
    told = legend(ax)
    assert any(text.startswith("deadline 1 h 15 min: met with") for text in told)
    assert any(text.startswith("plan date") and "met with" in text for text in told)
    assert any(text.startswith("lower bound") for text in told)
    assert "ended without" in told


def test_trains_that_all_release_everything_have_one_curve_and_no_hatch():
    ax = makespan(schedule(PLAN, 600, 2, rng=7, trials=8), 36_000)
    assert [(bar.get_height(), bool(bar.get_hatch())) for bar in ax.patches] == [(1, False)]
    assert len([line for line in twin(ax).lines if len(line.get_xdata()) > 2]) == 1
    assert title(ax).endswith("Each of them releases everything, by the deadline with 100 %.")
    assert "ended without" not in legend(ax)
    assert any("far from here" in text for text in legend(ax))  # ten hours: told, and the bars still fill the axes
    assert ax.get_xlim()[1] < 100


def test_trains_of_which_none_releases_everything():
    ax = makespan(schedule(PLAN, 600, 2, {PLAN.released[1]: 1.0}, rng=7, trials=8), 7200)
    assert all(bar.get_hatch() for bar in ax.patches)
    assert "released everything" not in legend(ax)
    assert "Everything is released with 0 %" in title(ax)


def test_a_long_tail_is_left_out_and_the_axis_says_so():
    tail = schedule(PLAN, DurationModel(600, sigma=1.5), rng=7, trials=3_000)
    ax = makespan(tail)
    assert "0.1 % of the trials beyond" in ax.get_xlabel()
    assert 0.997 < sum(bar.get_height() for bar in ax.patches) < 1


def test_a_schedule_with_a_start_has_dates():
    dated = schedule(PLAN, TIMES, 2, rng=7, trials=50, start=START)
    due = datetime(2026, 3, 2, 12, 30, tzinfo=timezone(timedelta(hours=2)))
    ax = makespan(dated, due)
    upright = [line.get_xdata()[0] for line in twin(ax).lines if len(line.get_xdata()) == 2]
    assert upright[:2] == pytest.approx([date2num(due), date2num(dated.plan_date)])
    assert ax.get_xlabel() == "date (UTC)"
    assert any(text.startswith("deadline 2026-03-02 10:30") for text in legend(ax))
    assert "have ended by 2026-03-02" in title(ax)
    ax.figure.canvas.draw()
    assert any(":" in label.get_text() for label in ax.get_xticklabels())
    bars = next(c for c in gantt(dated).collections if isinstance(c, PolyCollection))
    assert bars.get_paths()[0].vertices[0][0] == pytest.approx(date2num(START))


def test_wrong_deadlines_are_named(shaky):
    with pytest.raises(TypeError, match="deadline is 'noon', expected seconds from 0 or a timedelta"):
        makespan(shaky, "noon")
    with pytest.raises(ValueError, match="deadline is -1, expected"):
        makespan(shaky, -1)
    with pytest.raises(ValueError, match="the schedule has no start"):
        makespan(shaky, START)
    with pytest.raises(ValueError, match="expected an aware datetime"):
        makespan(schedule(PLAN, TIMES, rng=7, trials=2, start=START), datetime(2026, 3, 2))
    assert not plt.get_fignums()


# ---------------------------------------------------------------------- gantt


def bars_of(ax):
    return next(collection for collection in ax.collections if isinstance(collection, PolyCollection))


def whiskers(ax, what):
    (lines,) = [c for c in ax.collections if isinstance(c, LineCollection) and c.get_gid() == what]
    return [[x for x, _ in segment] for segment in lines.get_segments()]


def test_a_bar_goes_from_p50_of_the_start_to_p50_of_the_end_in_that_order(shaky):
    ax = gantt(shaky)
    frame = shaky.to_frame().sort_values("start_p50", kind="stable")
    assert set(names(ax)) == set(frame.index)
    own = frame.loc[names(ax)]
    minutes = {name: own[name].dt.total_seconds() / 60 for name in own.columns if "_p" in name and name[0] in "sf"}
    assert minutes["start_p50"].is_monotonic_increasing
    spans = [(path.vertices[0][0], path.vertices[1][0]) for path in bars_of(ax).get_paths()]
    pairs = zip(minutes["start_p50"], minutes["finish_p50"], strict=True)
    assert spans == [pytest.approx(pair) for pair in pairs]
    for what in ("start", "finish"):
        pairs = zip(minutes[f"{what}_p10"], minutes[f"{what}_p90"], strict=True)
        assert whiskers(ax, what) == [pytest.approx(pair) for pair in pairs]
    upright = [line.get_xdata()[0] for line in ax.lines if len(line.get_xdata()) == 2]
    assert upright == pytest.approx([shaky.quantile(level).total_seconds() / 60 for level in (0.5, 0.8)])
    assert ax.get_ylim()[0] > ax.get_ylim()[1]


def test_the_more_critical_the_darker_and_the_number_stands_beside(shaky):
    ax = gantt(shaky)
    critical = shaky.to_frame().loc[names(ax), "criticality"]
    light = [luminance(to_hex(face)) for face in bars_of(ax).get_facecolor()]
    fifths = [min(int(5 * share), 4) for share in critical]
    assert len(set(fifths)) > 1
    shades = dict(sorted(zip(fifths, light, strict=True)))
    assert light == [shades[fifth] for fifth in fifths]
    assert list(shades.values()) == sorted(shades.values(), reverse=True)
    assert len(set(shades.values())) == len(shades)
    told = [text.get_text() for text in ax.texts][: len(critical)]
    assert [float(text.removesuffix(" %")) for text in told] == pytest.approx((100 * critical).tolist(), abs=0.5)
    assert title(ax).startswith(f"The end hangs most often on {critical.idxmax()}")


def test_above_the_top_the_most_critical_have_a_row_and_the_rest_are_one(shaky):
    ax = gantt(shaky, top=4)
    frame = shaky.to_frame()
    kept = frame.sort_values("criticality", ascending=False, kind="stable").index[:4]
    assert set(names(ax)[:4]) == set(kept)
    assert names(ax)[4:] == [f"{len(frame) - 4} other repos"]
    (rest,) = ax.patches
    others = frame.drop(kept)
    first, last = (times.dt.total_seconds() / 60 for times in (others["start_p50"], others["finish_p50"]))
    assert (rest.get_x(), rest.get_x() + rest.get_width()) == pytest.approx((first.min(), last.max()))
    assert rest.get_hatch()
    assert f"The 4 of {len(frame)} repos" in title(ax)
    assert sum(text.get_text().startswith("≤") for text in ax.texts) == 1


def test_three_hundred_repos_are_forty_rows_and_one():
    plan = build_plan(RepoDependencyGraph.from_edges([(f"r{i // 3}", f"r{i}") for i in range(1, 300)]), version="1")
    ax = gantt(schedule(plan, 600, 8, rng=7, trials=3))
    assert len(names(ax)) == 41
    assert names(ax)[-1] == "260 other repos"


def test_given_axes_have_as_many_rows_as_fit(shaky):
    _, ax = plt.subplots(figsize=(6, 2.6), layout="constrained")
    assert gantt(shaky, ax=ax) is ax
    assert 2 <= len(names(ax)) < len(PLAN.released)
    assert names(ax)[-1].endswith("other repos")


def test_what_never_starts_comes_last_and_what_is_never_released_has_no_bar():
    hub = "hub"
    ax = gantt(schedule(PLAN, 600, 2, {hub: 1.0}, rng=7, trials=4))
    spokes = [repo for repo in PLAN.released if repo.startswith("spoke")]
    assert names(ax)[-len(spokes) :] == spokes
    assert hub in names(ax)
    assert len(bars_of(ax).get_paths()) == len(names(ax)) - len(spokes) - 1
    assert len(whiskers(ax, "start")) == len(names(ax)) - len(spokes)


def test_a_trial_is_a_timeline_and_the_same_each_time(shaky):
    drawn, own = gantt(shaky, trial=-1), timeline(shaky.trial(399).outcome)
    assert title(drawn) == title(own)
    assert title(drawn).startswith("Run trial-399 ")
    shapes = [[path.vertices.tolist() for path in bars_of(ax).get_paths()] for ax in (drawn, own)]
    assert shapes[0] == shapes[1]
    assert gantt(shaky, trial=0, figsize=(6, 3)).figure.get_size_inches().tolist() == [6, 3]
    first, second = (png(lambda ax: gantt(shaky, trial=3, ax=ax), 6, 4, dpi=50) for _ in range(2))
    assert first == second


def test_wrong_trials_are_named(shaky):
    with pytest.raises(IndexError, match="trial is 400, expected a whole number from 0 to 399"):
        gantt(shaky, trial=400)
    for wrong in (True, 0.5, "first"):
        with pytest.raises(TypeError, match=r"trial is .*, expected a whole number"):
            gantt(shaky, trial=wrong)
    with pytest.raises(ValueError, match="top is 0"):
        gantt(shaky, top=0)
    assert not plt.get_fignums()


# ---------------------------------------------------------------------- lanes


def line_of(ax, marker):
    (line,) = [line for line in ax.lines if line.get_marker() == marker and len(line.get_xdata()) > 1]
    return line.get_xydata().tolist()


def test_lanes_are_mean_p90_and_bound_with_knee_and_anomaly(graham):
    ax = lanes(graham)
    for marker, column in (("o", "mean"), ("s", "p90"), ("_", "lower_bound")):
        values = [time.total_seconds() / 60 for time in graham[column]]
        assert line_of(ax, marker) == [list(pair) for pair in zip([2.0, 3.0, 4.0, 5.0], values, strict=True)]
    (knee,) = [line for line in ax.lines if line.get_markerfacecolor() == "none" and line.get_marker() == "o"]
    assert knee.get_xydata().tolist() == [[3, 12]]
    (odd,) = [line for line in ax.lines if line.get_marker() == "^"]
    assert odd.get_xydata().tolist() == [[4, 15]]
    assert title(ax).splitlines() == [
        "3 lanes are enough: more shorten the mean end of 12 min by 5 % at most.",
        "With 4 lanes it takes longer than with 3: a Graham anomaly.",
    ]
    assert "longer than with fewer lanes" in legend(ax)
    assert ax.get_ylim()[0] == 0
    assert ax.get_xscale() == "linear"


@pytest.mark.parametrize("wide", [4.4, *(pytest.param(wide, marks=pytest.mark.slow) for wide in (5.1, 6.3)), 7.5])
def test_a_title_is_broken_where_it_would_leave_the_axes(wide):
    gains = gains_of(("a-wide-name", 70, 1), ("b", 30, 1), ("c", 2, 3))
    ways = [
        lanes(lanes_curve(GRAHAM, 60, [1, 2], rng=7, trials=2), figsize=(wide, 4)),
        tornado(gains, figsize=(wide, 4)),
        gantt(schedule(GRAHAM, 60, rng=7, trials=2), figsize=(wide, 4)),
    ]
    for ax in ways:
        ax.figure.canvas.draw()
        (shown,) = [text for text in ax.get_children() if getattr(text, "get_text", str)() == title(ax) != ""]
        assert shown.get_window_extent().x1 <= ax.get_window_extent().x1 + 1
        assert not any(line.startswith("%") for line in title(ax).splitlines())
        plt.close(ax.figure)


def test_the_interval_of_the_mean_is_drawn():
    frame = lanes_curve(PLAN, TIMES, [1, 2], rng=7, trials=50)
    (bars,) = [c for c in lanes(frame).collections if isinstance(c, LineCollection)]
    for segment, mean, error in zip(bars.get_segments(), frame["mean"], frame["se_mean"], strict=True):
        ends = [(mean + sign * 1.959964 * error).total_seconds() / 60 for sign in (-1, 1)]
        assert segment[:, 1].tolist() == pytest.approx(ends, rel=1e-6)


def test_a_wide_range_of_lanes_is_logarithmic_and_the_last_is_no_knee_to_rely_on():
    assert lanes(lanes_curve(GRAHAM, 60, [1, 16], rng=7, trials=2)).get_xscale() == "log"
    alone = lanes(lanes_curve(GRAHAM, 60, [2], rng=7, trials=2))
    assert title(alone) == "With 2 lanes the train ends after 5 min on average.\nWhether more would help is not known."
    assert "longer than with fewer lanes" not in legend(alone)


def test_an_empty_curve_and_wrong_ones(graham):
    assert "no number of lanes" in lanes(graham.head(0)).texts[0].get_text()
    with pytest.raises(TypeError, match="frame is 3, expected the DataFrame that lanes_curve gives"):
        lanes(3)
    with pytest.raises(ValueError, match=r"frame lacks the columns \['knee', 'anomaly'\]"):
        lanes(graham.drop(columns=["knee", "anomaly"]))
    with pytest.raises(TypeError, match=r"frame has no timedeltas in the columns \['mean'\]"):
        lanes(graham.assign(mean=1.0))
    with pytest.raises(TypeError, match="frame has an index of"):
        lanes(graham.set_axis(["a", "b", "c", "d"]))


# ---------------------------------------------------------------------- tornado


def test_a_bar_is_a_gain_with_its_interval_and_a_loss_goes_to_the_left():
    ax = tornado(gains_of(("core", 60, 5), ("api", 20, 15), ("docs", 0, 0), ("odd", -30, 2)))
    assert names(ax) == ["core", "api", "docs", "odd"]
    assert [bar.get_width() for bar in ax.patches] == [60, 20, 0, -30]
    (lines,) = [c for c in ax.collections if isinstance(c, LineCollection)]
    halves = [(segment[1][0] - segment[0][0]) / 2 for segment in lines.get_segments()]
    assert halves == pytest.approx([1.959964 * se for se in (5, 15, 0, 2)], rel=1e-6)
    hatches = [bar.get_hatch() for bar in ax.patches]
    assert hatches[1] == hatches[2]  # neither is told apart from no change
    assert len(set(hatches)) == 3
    assert [text.get_text() for text in ax.texts] == ["+60", "+20", "0", "-30"]
    assert title(ax) == "core faster: the train ends 60 seconds sooner on average."
    assert legend(ax)[:3] == ["sooner", "not told apart from no change", "later: an anomaly"]


def test_those_that_move_the_end_most_are_drawn_either_way():
    ax = tornado(gains_of(("a", 30, 1), ("b", 20, 1), ("c", 1, 0), ("d", -25, 1)), top=3)
    assert names(ax) == ["a", "b", "d"]
    assert "The 3 of 4 repos that move the end most." in title(ax)
    assert title(tornado(gains_of(("a", -30, 1)))) == "No repo that is faster is seen to end the train sooner."


def test_a_schedule_gives_the_gains_of_ten_percent():
    train = schedule(PLAN, TIMES, 2, rng=7, trials=30)
    ax, gains = tornado(train, top=3), train.gains()
    seconds = gains.loc[names(ax), "gain"].dt.total_seconds()
    unit = 60 if "minutes" in ax.get_xlabel() else 1
    assert [bar.get_width() for bar in ax.patches] == pytest.approx((seconds / unit).tolist())
    assert "10 % faster" in title(ax)


def test_one_trial_alone_has_no_interval():
    train = schedule(PLAN, TIMES, rng=7, trials=1)
    (lines,) = [c for c in tornado(train).collections if isinstance(c, LineCollection)]
    assert all(math.isclose(segment[0][0], segment[1][0]) for segment in lines.get_segments())


def test_wrong_gains_are_named(graham):
    with pytest.raises(TypeError, match="schedule_or_gains is 3, expected a Schedule"):
        tornado(3)
    with pytest.raises(ValueError, match=r"schedule_or_gains lacks the columns \['gain', 'se'\]"):
        tornado(graham)
    with pytest.raises(TypeError, match=r"schedule_or_gains has no timedeltas in the columns \['gain', 'se'\]"):
        tornado(pd.DataFrame({"gain": [1.0], "se": [0.1]}))
    with pytest.raises(ValueError, match="top is 0"):
        tornado(gains_of(("a", 1, 0)), top=0)
    assert not plt.get_fignums()


# ---------------------------------------------------------------------- all of them


DRAWN = {
    "makespan": lambda shaky, graham: (makespan, shaky),
    "gantt": lambda shaky, graham: (gantt, shaky),
    "lanes": lambda shaky, graham: (lanes, graham),
    "tornado": lambda shaky, graham: (tornado, gains_of(("core", 60, 5), ("api", 20, 15))),
}


@pytest.mark.parametrize("name", DRAWN)
def test_axes_size_theme_and_keywords(name, shaky, graham):
    draw, what = DRAWN[name](shaky, graham)
    _, own = plt.subplots()
    assert draw(what, ax=own) is own
    assert draw(what, figsize=(7, 5)).figure.get_size_inches().tolist() == [7, 5]
    dark, light = (draw(what, theme=theme) for theme in ("dark", "light"))
    assert to_hex(dark.get_facecolor()) == "#000000"
    assert to_hex(light.get_facecolor()) == "#ffffff"
    assert to_hex(dark.xaxis.label.get_color()) == "#ffffff"
    ax = draw(what, alpha=0.25)
    ax.figure.canvas.draw()
    artists = {
        "makespan": lambda: ax.patches,
        "gantt": lambda: [bars_of(ax)],
        "lanes": lambda: ax.lines[:1],
        "tornado": lambda: ax.patches,
    }[name]()
    assert artists
    assert all(np.all(artist.get_alpha() == 0.25) for artist in artists)
    with pytest.raises(ValueError, match="theme is 'blue', expected one of"):
        draw(what, theme="blue")
    with pytest.raises(TypeError, match=r"'colour' is no argument of this picture.*; did you mean 'color'"):
        draw(what, colour="red")
    with pytest.raises(TypeError, match="did you mean 'figsize'"):
        draw(what, fig_size=(3, 3))


@pytest.mark.parametrize("draw", [makespan, gantt, tornado])
def test_a_train_without_repos(draw):
    assert "no repos" in draw(schedule(EMPTY, 60, rng=7, trials=2)).texts[0].get_text()


@pytest.mark.parametrize(("durations", "model", "trials"), [(0, 0.0, 2), (600, 1.0, 1), (1e9, 0.5, 2)])
@pytest.mark.parametrize("draw", [makespan, gantt, tornado])
def test_trains_at_the_limits_are_drawn(draw, durations, model, trials):
    draw(schedule(PLAN, durations, 2, model, rng=7, trials=trials)).figure.canvas.draw()  # warnings are errors


@pytest.mark.parametrize("draw", [makespan, gantt])
def test_only_a_schedule_will_do(draw):
    with pytest.raises(TypeError, match=r"schedule is 3, expected a Schedule: seqkit.schedule\(plan, durations\)"):
        draw(3)
    assert not plt.get_fignums()


@pytest.mark.parametrize("draw", [makespan, gantt])
def test_freezes_are_hatched_bands_with_their_names(draw):
    calendar = [Freeze(600, 1_200, "lunch $x$ \u202e"), Freeze(4_000, 90_000), Freeze(9e6, 9.1e6, "never")]
    ax = draw(schedule(PLAN, TIMES, 2, rng=7, trials=200, calendar=calendar))
    limits = ax.get_xlim()
    bands = [patch for patch in ax.patches if patch.get_gid() == "freeze"]
    spans = [(band.get_x(), band.get_x() + band.get_width()) for band in bands]
    assert all(limits[0] <= left < right <= limits[1] for left, right in spans)
    assert len(bands) == 2
    assert (spans[1][1] == pytest.approx(limits[1])) == (draw is gantt), "the limits stay"
    assert all(band.get_hatch() for band in bands)
    words = [text.get_text() for text in ax.texts if text.get_rotation() == 90]
    assert "freeze" in words
    assert not [word for word in words if "never" in word or "\u202e" in word]
    shown = [text for text in ax.get_legend().get_texts() if text.get_text().startswith("freeze")]
    assert len(shown) == 3
    assert "freeze lunch $x$ \\u202e 10 min to 20 min: done before with 0 %" in shown[0].get_text()
    assert not any(text.get_parse_math() for text in shown)
