import functools
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.collections import LineCollection, PathCollection, PolyCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from seqkit import (
    MemoryRunLedger,
    ReleaseSequencer,
    RepoDependencyGraph,
    RunEvent,
    RunMetadata,
    RunNotFound,
    RunRecord,
    ScriptedReleaser,
    SqlRunLedger,
    StorageError,
    build_plan,
    items_frame,
    ledger_from_frame,
    load_dataset,
    resume_plan,
    run_plan,
    simulate,
    what_if,
    write_ledger,
)
from seqkit._show.palette import EVERY_STYLE, STATUS_STYLES
from seqkit.core.model import RunStatus
from seqkit.core.plan import item_json
from seqkit.ledger.copies import without_repeats
from seqkit.ledger.found import FoundEvent, FoundLedger, FoundRun
from seqkit.plots import timeline
from tests.auditing.test_audit_mutations import MUTATIONS, clean
from tests.tools.by_hand import Run, written
from tests.tools.strategies import HOSTILE_NAMES, Train, trains

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ENDS = "ends"


pytestmark = pytest.mark.usefixtures("settings_untouched")


def ticking(step=60.0):
    moments = (NOON + timedelta(seconds=step * n) for n in range(10**6))
    return lambda: next(moments)


def chain(*repos):
    edges = list(pairwise(repos))
    return build_plan(RepoDependencyGraph.from_edges(edges, nodes=repos), version="1")


def ran(plan, failing=(), step=60.0, **settings):
    clock = ticking(step)
    ledger = MemoryRunLedger(ids=["spring"], clock=clock)
    run_plan(plan, ScriptedReleaser(failing), ledger, clock=clock, **settings)
    return ledger


def told(plan, *events, status=RunStatus.RUNNING, completed=None, created=0.0, **tags):
    """A ledger as it was found: each event is a kind, a repo, its second, and more of its payload."""
    items = [item_json(item) for item in plan.items]
    own = {"plan": {"originating_run_id": "o", "items": items, "edges": plan.edges, "record_skips": True} | tags}
    run = RunRecord(
        run_id="spring",
        spec_digest="0" * 64,
        metadata=RunMetadata(tags=own),
        status=status,
        created_at=NOON + timedelta(seconds=created),
        completed_at=None if completed is None else NOON + timedelta(seconds=completed),
    )
    found = [
        RunEvent(
            seq=seq,
            kind=kind,
            payload={"node_id": repo} | dict(*more),
            timestamp=NOON + timedelta(seconds=second),
        )
        for seq, (kind, repo, second, *more) in enumerate(events, start=1)
    ]
    return FoundLedger([FoundRun(run, "a")], [FoundEvent("spring", event, "a") for event in found])


def only(ax, kind):
    (artist,) = [artist for artist in ax.collections if type(artist) is kind]
    return artist


def bars(ax):
    """Each bar: its row, start, end (without the tip of an open one), and status."""
    words = {style.colour: word for word, style in STATUS_STYLES.items()}
    artist = only(ax, PolyCollection)
    return [
        (
            round(path.vertices[2][1]),
            pytest.approx(path.vertices[0][0]),
            pytest.approx(path.vertices[1][0]),
            words[to_hex(colour)],
        )
        for path, colour in zip(artist.get_paths(), artist.get_facecolor(), strict=True)
    ]


def pointed(ax):
    return [bool(path.vertices[2][0] > path.vertices[1][0]) for path in only(ax, PolyCollection).get_paths()]


def ends(ax):
    """Each square: its place by row, and its status."""
    words = {style.colour: word for word, style in STATUS_STYLES.items()}
    (squares,) = [artist for artist in ax.collections if artist.get_gid() == ENDS]
    spots = squares.get_offsets()
    colours = squares.get_facecolor()[: len(spots)]  # an empty scatter has a colour
    return {round(y): (float(x), words[to_hex(colour)]) for (x, y), colour in zip(spots, colours, strict=True)}


def waits(ax):
    return [tuple(map(tuple, segment)) for segment in only(ax, LineCollection).get_segments()]


def labels(ax):
    return [label.get_text() for label in ax.get_yticklabels()]


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def title(ax):
    return ax.get_title(loc="left")


def words_of(items):
    status, cause = items["status"].astype(object), items["skip_cause"].astype(object)
    doubts = zip(status, items["in_doubt"], strict=True)
    ended = ["in_doubt" if word == "failed" and doubt else word for word, doubt in doubts]
    return [why if word == "skipped" else word for word, why in zip(ended, cause, strict=True)]


# ---------------------------------------------------------------------- bars and marks


def test_bars_go_from_entry_to_end_in_plan_order():
    ax = timeline(ran(chain("core", "api", "app"), ["api"], step=300))
    assert bars(ax) == [(0, 10, 15, "succeeded"), (1, 20, 25, "failed")]
    assert ends(ax) == {0: (15.0, "succeeded"), 1: (25.0, "failed"), 2: (30.0, "blocked")}
    assert labels(ax) == ["0 core ✓", "1 api ✗", "2 app ⊘"]
    assert ax.get_xlabel() == "minutes since the run started"
    assert title(ax) == "Run spring failed after 40 minutes"
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # rows from above


def test_each_end_has_its_mark_in_its_ink():
    ax = timeline(ran(chain("core", "api", "app"), ["api"]))
    for row, (x, word) in ends(ax).items():
        (mark,) = [a for a in ax.collections if a.get_gid() == word]
        assert mark.get_offsets().tolist() == [[x, row]]
        assert to_hex(mark.get_facecolor()[0]) == STATUS_STYLES[word].ink


def test_every_status_and_cause_is_in_the_legend_with_its_count():
    ax = timeline(ran(chain("core", "api", "app"), ["api"]))
    assert legend(ax) == ["⊘ blocked 1", "✓ succeeded 1", "✗ failed 1"]  # what occurs, in the palette's order


@pytest.mark.parametrize(
    ("step", "unit", "width"),
    [(0.01, "milliseconds", 10), (5, "seconds", 5), (60, "minutes", 1), (3600, "hours", 1), (86400, "days", 1)],
)
def test_the_unit_suits_the_length_of_the_run(step, unit, width):
    ax = timeline(ran(chain("core", "api", "app"), step=step))
    assert ax.get_xlabel() == f"{unit} since the run started"
    assert bars(ax)[0] == (0, 2 * width, 3 * width, "succeeded")


def test_tries_and_the_waits_between_them_can_be_told_apart():
    ledger = told(
        chain("core"),
        ("NodeEntered", "core", 10),
        ("NodeRetrying", "core", 40, {"attempt": 1, "delay_ms": 20_000, "error": "flaky"}),
        ("NodeExited", "core", 90, {"run_id": "r"}),
    )
    ax = timeline(ledger)
    assert bars(ax) == [(0, 10, 40, "failed"), (0, 60, 90, "succeeded")]
    assert waits(ax) == [((40, 0), (60, 0))]
    assert [text.get_text() for text in ax.texts] == ["2 tries"]
    (mark,) = [a for a in ax.collections if a.get_gid() == "tries"]
    assert mark.get_offsets().tolist() == [[25, 0]]
    assert to_hex(mark.get_facecolor()[0]) == STATUS_STYLES["failed"].ink


def test_a_wait_ends_with_the_next_event_at_the_latest():
    ledger = told(
        chain("core"),
        ("NodeEntered", "core", 0),
        ("NodeRetrying", "core", 40, {"attempt": 1, "delay_ms": 10**400, "error": "flaky"}),
        ("NodeRetrying", "core", 50, {"attempt": 2, "delay_ms": 5_000, "error": "flaky"}),
        ("NodeFailed", "core", 52, {"error": "red"}),
    )
    ax = timeline(ledger)
    assert bars(ax) == [(0, 0, 40, "failed"), (0, 50, 50, "failed"), (0, 52, 52, "failed")]
    assert waits(ax) == [((40, 0), (50, 0)), ((50, 0), (52, 0))]


@pytest.mark.parametrize("delay", ["soon", -5, None, True, float("nan"), [3]])
def test_a_delay_that_is_none_is_no_wait(delay):
    ledger = told(
        chain("core"),
        ("NodeEntered", "core", 0),
        ("NodeRetrying", "core", 40, {"delay_ms": delay}),
        ("NodeExited", "core", 60),
    )
    assert bars(timeline(ledger)) == [(0, 0, 40, "failed"), (0, 40, 60, "succeeded")]


def test_skips_without_an_event_stand_where_the_plan_order_passed_them():
    graph = RepoDependencyGraph.from_edges([("a", "b"), ("b", "c"), ("c", "d")])
    plan = build_plan(graph, [("a", "1"), ("c", "1"), ("d", "1")])
    ax = timeline(ran(plan, ["c"], record_skips=False))
    place = ends(ax)
    assert place[1] == (place[0][0], "unreleased")
    assert place[3] == (place[2][0], "blocked")
    assert labels(ax)[1] == "1 b –"


def test_parallel_releases_overlap_and_are_counted():
    ledger = told(
        chain("a"),
        ("NodeEntered", "a", 0),
        ("NodeEntered", "b", 10),
        ("NodeEntered", "c", 20),
        ("NodeExited", "b", 30),
        ("NodeExited", "a", 40),
        ("NodeExited", "c", 50),
    )
    ax = timeline(ledger)
    assert bars(ax) == [(0, 0, 40, "succeeded"), (1, 10, 30, "succeeded"), (2, 20, 50, "succeeded")]
    assert title(ax).startswith("Run spring has not ended after 50 seconds, up to 3 repos at once")


def test_open_entries_are_pointed_and_last_until_the_run_was_cancelled():
    plan = chain("core", "api", "app")
    events = ("NodeEntered", "core", 0), ("NodeExited", "core", 30), ("NodeEntered", "api", 40)
    ax = timeline(told(plan, *events, status=RunStatus.CANCELLED, completed=100))
    assert bars(ax) == [(0, 0, 30, "succeeded"), (1, 40, 100, "in_progress")]
    assert pointed(ax) == [False, True]
    assert ends(ax)[1][1] == "in_progress"
    assert 2 not in ends(ax)  # never reached
    assert labels(ax) == ["0 core ✓", "1 api ▶", "2 app ○"]
    assert title(ax) == "Run spring was cancelled after 100 seconds"
    crashed = timeline(told(plan, *events))
    assert bars(crashed)[1] == (1, 40, 40, "in_progress")
    assert pointed(crashed) == [False, True]


def test_a_release_long_in_doubt_sets_the_unit():
    events = ("NodeEntered", "core", 0), ("NodeExited", "core", 30), ("NodeEntered", "api", 40)
    ax = timeline(told(chain("core", "api"), *events, status=RunStatus.CANCELLED, completed=864_000))
    assert title(ax) == "Run spring was cancelled after 10 days"
    assert bars(ax)[1][2] == pytest.approx(10)


def test_a_release_in_doubt_does_not_last_until_another_clock_says_so():
    events = ("NodeEntered", "core", 0), ("NodeExited", "core", 30), ("NodeEntered", "api", 40)
    ax = timeline(told(chain("core", "api"), *events, status=RunStatus.CANCELLED, created=1e8, completed=1e8 + 40))
    assert bars(ax) == [(0, 0, 30, "succeeded"), (1, 40, 40, "in_progress")]


@pytest.mark.parametrize(("seconds", "long"), [(0.9998, "1,000 milliseconds"), (2e8, "2,315 days")])
def test_large_numbers_are_written_out(seconds, long):
    ax = timeline(told(chain("core"), ("NodeEntered", "core", 0), ("NodeExited", "core", seconds)))
    assert title(ax) == f"Run spring has not ended after {long}"


def test_why_it_failed_stands_where_there_is_room():
    plan, reason = chain("a", "b", "c"), {"error": "tests are red"}
    early = ("NodeEntered", "a", 0), ("NodeFailed", "a", 5, reason), ("NodeEntered", "c", 5), ("NodeExited", "c", 900)
    late = (
        ("NodeEntered", "a", 0),
        ("NodeExited", "a", 890),
        ("NodeEntered", "b", 890),
        ("NodeFailed", "b", 900, reason),
    )
    long = ("NodeEntered", "a", 0), ("NodeFailed", "a", 900, reason)
    for events, side, x, colour in (
        (early, "left", 5 / 60, "black"),
        (late, "right", 890 / 60, "black"),
        (long, "left", 0, STATUS_STYLES["failed"].ink),
    ):
        (remark,) = timeline(told(plan, *events)).texts
        assert remark.get_text() == "tests are red"
        assert (remark.get_ha(), remark.get_color()) == (side, colour)
        assert remark.xy[0] == pytest.approx(x)


# ---------------------------------------------------------------------- the axis


def test_where_all_events_have_one_time_they_are_counted():
    ax = timeline(ran(chain("core", "api", "app"), ["api"], step=0))
    assert ax.get_xlabel() == "event: all carry the same time"
    assert bars(ax) == [(0, 1, 2, "succeeded"), (1, 3, 4, "failed")]
    assert ends(ax)[2] == (5.0, "blocked")
    assert title(ax) == "Run spring failed after 5 events"


def test_a_ledger_with_another_clock_does_not_squeeze_the_run():
    plan = chain("core")
    ledger = told(plan, ("NodeEntered", "core", 0), ("NodeExited", "core", 60), created=-1e8)
    ax = timeline(ledger)
    assert ax.get_xlabel() == "seconds since the first event"
    assert bars(ax) == [(0, 0, 60, "succeeded")]


@pytest.mark.parametrize("events", [(), (("NodeEntered", "core", 7),)])
def test_a_run_that_hardly_began_is_drawn(events):
    ax = timeline(told(chain("core", "api"), *events))
    ax.figure.canvas.draw()
    assert labels(ax) == ["0 core ▶" if events else "0 core ○", "1 api ○"]
    assert len(bars(ax)) == len(events)


# ---------------------------------------------------------------------- which run


def test_the_run_must_be_named_where_there_are_several(tmp_path):
    plan = chain("core")
    ledger = MemoryRunLedger(ids=["one", "two"])
    for _ in range(2):
        run_plan(plan, 0.0, ledger, rng=1)
    with pytest.raises(ValueError, match="run_id is None and the ledger has 2 runs, expected one of 'one', 'two'"):
        timeline(ledger)
    assert title(timeline(ledger, "two")).startswith("Run two completed")
    with pytest.raises(RunNotFound, match="three"):
        timeline(ledger, "three")
    with pytest.raises(TypeError, match="ledger_or_outcome is 5"):
        timeline(5)


@pytest.mark.parametrize("name", ["runs.jsonl", "runs.db"])
def test_a_path_will_do(name, tmp_path):
    ledger = ran(chain("core", "api"), ["api"])
    if name == "runs.db":
        clock = ticking()
        with run_plan(chain("core", "api"), ScriptedReleaser(["api"]), tmp_path / name, clock=clock).ledger:
            pass
    else:
        write_ledger(ledger, tmp_path / name)
    assert [bar[0::3] for bar in bars(timeline(tmp_path / name))] == [(0, "succeeded"), (1, "failed")]


def test_nothing_to_draw_is_said():
    assert "no runs" in timeline(MemoryRunLedger()).texts[0].get_text()
    assert "names no repos" in timeline(told(chain())).texts[0].get_text()


# ---------------------------------------------------------------------- records that do not hold together


def test_a_ledger_without_a_plan_shows_what_its_events_tell():
    ledger = load_dataset("kf5").ledger
    ax = timeline(ledger, "kf5-5.78.0-unstable", fold=False)
    items = items_frame(ledger, "kf5-5.78.0-unstable")
    days = (items["finished_at"] - items["started_at"].min()).dt.total_seconds() / 86400
    assert [x for x, _ in ends(ax).values()] == pytest.approx(days.tolist())
    assert [word for _, word in ends(ax).values()] == words_of(items)
    assert title(ax).endswith("\nno plan: repos in the order of their events")
    assert ax.get_xlabel() == "days since the run started"


def test_an_end_without_an_entry_is_a_mark_alone():
    ax = timeline(told(chain("core", "api"), ("NodeEntered", "core", 0), ("NodeExited", "api", 60)))
    assert bars(ax)[1] == (1, 60, 60, "succeeded")
    assert title(ax).endswith("\n1 event that contradicts others")


def test_a_second_entry_is_no_second_try_and_what_is_released_stays_so():
    ledger = told(
        chain("core"),
        ("NodeEntered", "core", 0),
        ("NodeEntered", "core", 10),
        ("NodeExited", "core", 20),
        ("NodeEntered", "core", 30),
        ("NodeFailed", "core", 40, {"error": "red"}),
    )
    ax = timeline(ledger)
    assert bars(ax) == [(0, 0, 20, "succeeded")]
    assert title(ax).endswith("\n3 events that contradict others")


def test_time_that_goes_backwards_is_drawn_as_it_stands():
    ax = timeline(told(chain("core"), ("NodeEntered", "core", 100), ("NodeExited", "core", 40), created=90))
    assert bars(ax) == [(0, -50, 10, "succeeded")]
    assert ax.get_xlim()[0] < -50
    assert "times that go backwards" in title(ax)


def test_events_that_tell_nothing_are_counted():
    ledger = told(chain("core"), ("NodeEntered", "core", 0), ("NodeVanished", "core", 1), ("NodeExited", 7, 2))
    assert title(timeline(ledger)).endswith("\n2 events of unknown kind or repo left out")


def test_doubled_and_missing_records_are_named():
    whole = told(chain("core"), ("NodeEntered", "core", 0), ("NodeExited", "core", 60))
    twice = FoundLedger([*whole.runs, *whole.runs], [*whole.events, whole.events[1]])
    assert "the run is recorded more than once; 1 event that stands there again counted once" in title(timeline(twice))
    ax = timeline(FoundLedger([], whole.events))
    assert "the run has no record, only events" in title(ax)
    assert bars(ax) == [(0, 0, 60, "succeeded")]


@pytest.mark.parametrize("nth", [0, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", MUTATIONS)
def test_mutated_ledgers_are_drawn(name, nth):
    _, ax = plt.subplots(figsize=(8, 4))
    chances = [random.Random(seed) for seed in range(12)]
    possible = (case for chance in chances if (case := MUTATIONS[name](clean(chance), chance)) is not None)
    mutated = list(islice(possible, nth, nth + 1))  # no ledger is made that is not drawn
    for case, _ in mutated:
        ledger = case.ledger
        known = {run.record.run_id for run in ledger.runs}
        for run_id in known | {event.run_id for event in ledger.events}:
            ax.clear()
            assert timeline(ledger, run_id, ax=ax) is ax
            if run_id in known:
                expected = words_of(items_frame(without_repeats(ledger), run_id))
                marks = Counter(label.rsplit(" ", 1)[1] for label in labels(ax))
                assert marks == Counter(STATUS_STYLES[word].mark for word in expected)
                told_of = {row: word for row, (_, word) in ends(ax).items()}
                assert told_of.items() <= dict(enumerate(expected)).items()
                assert all(expected[row] == "pending" for row in set(range(len(expected))) - set(told_of))
    assert mutated
    ax.figure.canvas.draw()


@settings(max_examples=25)
@given(trains().filter(lambda train: bool(train.order)), st.booleans())
def test_any_run_shows_each_try_and_each_end(train: Train, record_skips):
    clock = ticking(7)
    ledger = MemoryRunLedger(ids=["r"], clock=clock)
    train.run(ledger, clock=clock, record_skips=record_skips)
    reading = train.reading()
    ax = timeline(ledger, ax=Figure(figsize=(8, 6)).subplots())
    assert Counter(train.order[row] for row, *_ in bars(ax)) == {repo: n for repo, n in reading.tries.items() if n}
    assert "\n" not in title(ax)  # nothing is contradictory
    came_to = {train.order[row]: word for row, (_, word) in ends(ax).items()}
    expected = dict.fromkeys(reading.succeeded, "succeeded") | dict.fromkeys(reading.failed, "failed")
    assert came_to == expected | reading.causes


# ---------------------------------------------------------------------- sizes, names, keywords


def wide(n):
    return build_plan(RepoDependencyGraph.from_edges([("r0000", f"r{i:04}") for i in range(1, n)]), version="1")


def test_three_hundred_repos_have_a_row_and_a_name_each():
    ax = timeline(ran(wide(300)), fold=False)
    assert len(labels(ax)) == len(bars(ax)) == 300
    assert "\n" not in title(ax)


def test_more_repos_are_counted_over_time():
    ax = timeline(ran(wide(400), ["r0003"], step=90), alpha=0.5)
    layers = [a for a in ax.collections if isinstance(a, PolyCollection)]
    assert len(layers) == len(EVERY_STYLE)
    assert {a.get_alpha() for a in layers} == {0.5}
    at_the_end = [np.ptp([y for x, y in a.get_paths()[0].vertices if x == ax.get_xlim()[1]]) for a in layers]
    assert at_the_end == [399, 1, 0, 0, 0, 0, 0, 0, 0]
    at_the_start = [np.ptp([y for x, y in a.get_paths()[0].vertices if x == 0]) for a in layers]
    assert at_the_start == [0, 0, 0, 0, 0, 0, 0, 0, 400]
    assert title(ax).endswith("\ntoo many repos for a row each (400): this shows how many are in each state")
    assert ax.get_ylabel() == "repos"
    assert "✓ succeeded 399" in legend(ax)
    assert {a.get_gid() for a in ax.collections if isinstance(a, PathCollection)} == {"pending", "succeeded"}


def test_above_forty_rows_the_uneventful_share_rows_and_the_axis_is_repeated():
    ledger = ran(wide(100), ["r0050", "r0070"])
    ax = timeline(ledger)
    names = labels(ax)
    assert {"50 r0050 ✗", "70 r0070 ✗"} <= set(names)
    assert len(names) < 10
    assert len(bars(ax)) == 100  # every try is drawn, on fewer rows
    shared = [int(label.split()[1]) for label in names if label.endswith(" repos ✓")]
    alone = [label for label in names if not label.endswith(" repos ✓")]
    assert sum(shared) + len(alone) == 100
    assert f"{sum(shared)} repos that nothing happened to share rows" in title(ax)
    assert [word for _, word in ends(ax).values()].count("failed") == 2
    assert ax.xaxis.get_tick_params()["labeltop"]
    assert ax.figure.get_size_inches()[1] < 7
    assert not timeline(ran(wide(40))).xaxis.get_tick_params().get("labeltop")
    assert len(labels(timeline(ledger, fold=False))) == 100


def test_timelines_have_the_size_and_the_ground_asked_for():
    ax = timeline(ran(wide(60)), figsize=(6, 3), theme="dark")
    assert ax.figure.get_size_inches().tolist() == [6, 3]
    assert ax.figure.get_facecolor() == (0, 0, 0, 1)


def test_small_axes_name_some_rows_and_say_so():
    _, axes = plt.subplots(2, 2, figsize=(12, 6))
    ax = timeline(ran(wide(60)), ax=axes[0, 1], fold=False)
    every = 60 // len(labels(ax)) + (60 % len(labels(ax)) > 0)
    assert every > 1
    assert labels(ax)[1].startswith(f"{every} ")
    assert title(ax).endswith(f"\n1 name in {every} is written")
    _, tiny = plt.subplots(figsize=(2, 1))
    assert "this shows how many" in title(timeline(ran(wide(60)), ax=tiny, fold=False)).replace("\n", " ")


def test_given_axes_and_keywords_are_used():
    part = plt.figure(figsize=(12, 4)).subfigures(1, 2)[0]
    axes = part.subplots()
    before = plt.get_fignums()
    ax = timeline(ran(chain("core", "api")), ax=axes, linewidth=3, edgecolors="#123456", gid="bars")
    assert ax is axes
    assert plt.get_fignums() == before
    assert only(ax, PolyCollection).get_linewidth() == pytest.approx([3])
    assert to_hex(only(ax, PolyCollection).get_edgecolor()[0]) == "#123456"
    with pytest.raises(TypeError, match="no_such' is no argument of this picture"):
        timeline(ran(chain("core")), no_such=1)


def test_hostile_names_and_reasons_are_drawn_as_text():
    plan = build_plan(RepoDependencyGraph.from_edges([], nodes=[*HOSTILE_NAMES, "م\u202e\x00"]), version="1")
    clock = ticking()
    ledger = MemoryRunLedger(ids=["$x$\n<script>"], clock=clock)
    run_plan(plan, ScriptedReleaser({name: name or "$" for name in HOSTILE_NAMES}), ledger, clock=clock)
    ax = timeline(ledger)
    ax.figure.canvas.draw()  # warnings are errors
    texts = [*ax.texts, *ax.get_yticklabels(), ax._left_title]
    assert not any(text.get_parse_math() for text in texts)
    assert all("\n" not in label and len(label) < 40 for label in labels(ax))
    assert any("$x$ ✗" in label for label in labels(ax))
    assert title(ax).startswith("Run $x$\\n<script> failed")


def test_drawing_is_deterministic():
    one, other = (timeline(ran(chain("core", "api", "app"), ["api"])) for _ in range(2))
    for a, b in zip(one.collections, other.collections, strict=True):
        assert np.array_equal(a.get_offsets(), b.get_offsets())
        assert all(np.array_equal(p.vertices, q.vertices) for p, q in zip(a.get_paths(), b.get_paths(), strict=True))


# ---------------------------------------------------------------------- of an outcome


def seen(ax):
    """What a picture tells: title, names, bars and ends."""
    told = ax.get_title(loc="left"), [label.get_text() for label in ax.get_yticklabels()]
    return *told, [path.vertices.tolist() for path in only(ax, PolyCollection).get_paths()], ends(ax)


@pytest.mark.parametrize("kind", ["memory", "database", "path", "sequencer"])
def test_an_outcome_is_drawn_as_its_run(tmp_path, kind):
    plan = chain("core", "api", "app")
    clock = ticking()
    made = {
        "memory": lambda: MemoryRunLedger(),
        "database": lambda: SqlRunLedger(tmp_path / "runs.db"),
        "path": lambda: str(tmp_path / "runs.db"),
        "sequencer": lambda: MemoryRunLedger(),
    }[kind]()
    if kind == "sequencer":
        run = functools.partial(ReleaseSequencer(plan.graph, made).run, plan)
    else:
        run = functools.partial(run_plan, plan, ledger=made)
    first = run(ScriptedReleaser({"api": "tests are red"}), clock=clock)
    second = run(ScriptedReleaser(), clock=clock)
    for outcome in (first, second):
        kept = made if kind != "path" else tmp_path / "runs.db"
        assert seen(timeline(outcome)) == seen(timeline(kept, outcome.run_id))
    assert ends(timeline(first)) != ends(timeline(second))
    assert seen(timeline(first, second.run_id)) == seen(timeline(second))
    with pytest.raises(RunNotFound):
        timeline(first, "another")


def test_outcomes_of_resumed_cancelled_and_broken_off_runs_are_drawn(tmp_path):
    plan = chain("core", "api", "app")
    ledger = MemoryRunLedger()
    failed = run_plan(plan, ScriptedReleaser({"api": "red"}), ledger)
    resumed = run_plan(resume_plan(ledger, failed.run_id), 0.0, ledger)
    assert [label.get_text() for label in timeline(resumed).get_yticklabels()] == ["0 api ✓", "1 app ✓"]
    ax = plt.figure().subplots()
    assert timeline(resumed, ax=ax) is ax

    class Full(MemoryRunLedger):
        def append_event(self, run_id, event):
            if event.seq == 3:
                raise StorageError("the disk is full")
            super().append_event(run_id, event)

    with pytest.raises(StorageError) as raised:
        run_plan(plan, 0.0, Full())
    assert "Run " in timeline(raised.value.outcome).get_title(loc="left")


def test_an_empty_outcome_is_drawn_as_an_empty_run():
    outcome = run_plan(build_plan(RepoDependencyGraph()), 0.0)
    assert "names no repos" in timeline(outcome).texts[0].get_text()


def test_an_outcome_without_a_run_says_what_to_do():
    plan = chain("core", "api")

    class Closed(MemoryRunLedger):
        def create_run(self, spec_digest, metadata):
            raise StorageError("read-only")

    with pytest.raises(StorageError) as raised:
        run_plan(plan, 0.0, Closed())
    outcomes = [what_if(plan, "core"), simulate(plan, 0.5, trials=2, rng=1).trial(0).outcome]
    outcomes += [raised.value.outcome] * (raised.value.outcome is not None)
    for outcome in outcomes:
        with pytest.raises(ValueError, match=r"no ledger has.*plots\.order\(outcome\) draws .* run_plan\(plan, …\)"):
            timeline(outcome)
    with pytest.raises(TypeError, match=r"ledger_or_outcome is 7, expected a ledger, its path or URL, or a SequenceOu"):
        timeline(7)


def test_doubt_lateness_and_what_still_runs_are_told():
    plan = build_plan(RepoDependencyGraph.from_edges([], nodes=["a", "b", "c"]), version="1")
    steps = ["enter a", "process a", "hang a", "enter b", "doubt b", "late b", "enter c"]
    ledger = written(run=Run(plan, steps, "CANCELLED"))
    ax = timeline(ledger)
    assert labels(ax) == ["0 a ?", "1 b ✗", "2 c ▶"]
    assert [word for *_, word in bars(ax)] == ["in_doubt", "failed", "in_progress"]
    assert [word for _, word in ends(ax).values()] == ["in_doubt", "failed", "in_progress"]
    said = " ".join(text.get_text() for text in ax.texts)
    assert "timed out after 30 s; still running" in said
    assert "the answer was lost; out too late" in said
    assert "? in doubt 1" in legend(ax)
    assert "contradict" not in title(ax)
    assert "unknown" not in title(ax)
    crowd = timeline(written(run=Run(wide(301), ["enter r0000", "hang r0000"], "FAILED")))
    assert "? in doubt 1" in legend(crowd)


@pytest.mark.parametrize("n", [1, 320])
@pytest.mark.parametrize("timed", [True, False])
def test_another_systems_skips_have_a_look_and_a_place_in_the_legend(n, timed):
    rows = [("1", "core", "failed", "2026-01-05T10:00Z", "2026-01-05T10:05Z")]
    rows += [("1", f"repo-{number}", "skipped", None, None) for number in range(n)]
    frame = pd.DataFrame(rows, columns=["run_id", "repo_id", "status", "started_at", "finished_at"])
    ax = timeline(ledger_from_frame(frame if timed else frame.drop(columns=["started_at", "finished_at"])), "1")
    legend = ax.get_legend() or next(legend for legend in ax.figure.legends)
    assert [text.get_text() for text in legend.get_texts()][:2] == [f"» skipped {n}", "✗ failed 1"]
    assert "nobody told when what was skipped had its turn" in title(ax).replace("\n", " ")
