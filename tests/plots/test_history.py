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
from matplotlib.collections import PathCollection, QuadMesh
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from seqkit import (
    MemoryRunLedger,
    RepoDependencyGraph,
    ScriptedReleaser,
    build_plan,
    fit_failure_rates,
    items_frame,
    load_dataset,
    run_plan,
    write_ledger,
)
from seqkit._show.palette import EVERY_STYLE
from seqkit.ledger.attempts import attempts_frame
from seqkit.ledger.copies import without_repeats
from seqkit.ledger.found import FoundEvent, FoundLedger
from seqkit.plots import history
from tests.auditing.test_audit_mutations import MUTATIONS, clean
from tests.tools.by_hand import Run, written
from tests.tools.strategies import HOSTILE_NAMES, Train, trains

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
WORDS = {style.colour: word for word, style in EVERY_STYLE.items()}


pytestmark = pytest.mark.usefixtures("settings_untouched")


def daily():
    days = (NOON + timedelta(days=n) for n in range(10**6))
    return lambda: next(days)


def chain(*repos):
    return build_plan(RepoDependencyGraph.from_edges(list(pairwise(repos)), nodes=repos), version="1")


def kept(*runs, ids=None):
    """A ledger of runs: each a plan, the repos that fail, and more for run_plan."""
    clock = NOON - timedelta(days=1)

    def tick():
        return clock

    ledger = MemoryRunLedger(ids=ids or [f"run-{n}" for n in range(len(runs))], clock=tick)
    for plan, failing, *more in runs:
        clock += timedelta(days=1)
        run_plan(plan, ScriptedReleaser(failing), ledger, clock=tick, **dict(*more))
    return ledger


def mesh(ax):
    (cells,) = [artist for artist in ax.collections if isinstance(artist, QuadMesh)]
    return cells


def cells(ax):
    """The statuses of each row, by the colours that are drawn; None where a cell is empty."""
    mesh(ax).update_scalarmappable()  # as drawing does
    drawn = mesh(ax).get_array()
    colours = mesh(ax).get_facecolor().reshape(*drawn.shape, 4)
    return [[None if colour[3] == 0 else WORDS[to_hex(colour)] for colour in row] for row in colours]


def marks(ax):
    """The status whose mark stands in each cell, by row and column."""
    return {
        (round(y), round(x)): artist.get_gid()
        for artist in ax.collections
        if isinstance(artist, PathCollection)
        for x, y in artist.get_offsets()
    }


def texts(labels):
    return [label.get_text() for label in labels]


def margin(ax):
    (axis,) = ax.child_axes
    return texts(axis.get_yticklabels())


def legend(ax):
    return texts(ax.get_legend().get_texts())


def title(ax):
    return ax.get_title(loc="left")


# ---------------------------------------------------------------------- the grid


def test_a_cell_is_what_became_of_a_repo_in_a_run():
    plan = chain("core", "api", "app")
    ax = history(kept((plan, []), (plan, ["api"]), (plan, ["core"], {"policy": "stop"})))
    assert cells(ax) == [
        ["succeeded", "succeeded", "failed"],
        ["succeeded", "failed", "blocked"],
        ["succeeded", "blocked", "blocked"],
    ]
    assert texts(ax.get_yticklabels()) == ["core", "api", "app"]
    assert margin(ax) == ["1 / 3", "1 / 2", "0 / 1"]
    assert title(ax) == "3 runs of 3 repos: 2 of 6 attempts failed"
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # rows from above


def test_each_cell_has_its_mark_in_its_ink():
    plan = chain("core", "api", "app")
    ax = history(kept((plan, []), (plan, ["api"])))
    drawn = {(row, n): word for row, words in enumerate(cells(ax)) for n, word in enumerate(words)}
    assert marks(ax) == drawn
    for artist in ax.collections[1:]:
        assert to_hex(artist.get_facecolor()[0]) == EVERY_STYLE[artist.get_gid()].ink
    shapes = {path.vertices.tobytes() for artist in ax.collections[1:] for path in artist.get_paths()}
    assert len(shapes) == len(set(drawn.values())) == 3


def test_every_status_and_cause_is_in_the_legend_with_its_count():
    graph = RepoDependencyGraph.from_edges([("a", "b"), ("b", "c"), ("c", "d")], nodes=["e"])
    plan = build_plan(graph, [(repo, "1") for repo in "acde"])
    ax = history(kept((plan, ["c"]), (plan, ["a"], {"policy": "stop"})))
    assert legend(ax) == ["– unreleased 2", "⊘ blocked 3", "✓ succeeded 2", "✗ failed 2", "■ stopped 1"]


def corners(ax):
    """The cells with a corner that tells of tries that failed, by row and column."""
    found = [artist for artist in ax.collections if artist.get_gid() == "again"]
    middles = [path.vertices[:3].mean(axis=0) for artist in found for path in artist.get_paths()]
    return {(round(y), round(x)) for x, y in middles}


def test_tries_that_failed_before_a_success_are_seen():
    class Wavering(ScriptedReleaser):
        async def release(self, repo_id, version_label, spec_digest, promoted_by, attempt=1):
            if repo_id == "api" and attempt == 1:
                raise RuntimeError("red")
            return await super().release(repo_id, version_label, spec_digest, promoted_by)

    plan, ledger = chain("core", "api", "app"), MemoryRunLedger()
    run_plan(plan, Wavering(["app"]), ledger, attempts=2)
    run_plan(plan, ScriptedReleaser(), ledger)
    for source in (ledger, items_frame(ledger), attempts_frame(ledger)):
        ax = history(source, figsize=(5, 4), theme="dark")
        assert cells(ax) == [["succeeded"] * 2, ["succeeded"] * 2, ["failed", "succeeded"]]
        assert corners(ax) == {(1, 0)}  # a failure that no success followed is the cell's own colour
        assert legend(ax) == ["✓ succeeded 5", "✗ failed 1", "failed before it succeeded 1"]
        assert ax.figure.get_size_inches().tolist() == [5, 4]
        assert ax.figure.get_facecolor() == (0, 0, 0, 1)
    assert not corners(history(kept((plan, []))))


def test_rows_follow_the_newest_plan_then_older_runs():
    old, new = chain("gone", "core", "app"), chain("core", "fresh", "app")
    ax = history(kept((old, []), (new, [])))
    assert texts(ax.get_yticklabels()) == ["core", "fresh", "app", "gone"]
    assert cells(ax) == [["succeeded"] * 2, [None, "succeeded"], ["succeeded"] * 2, ["succeeded", None]]
    assert marks(ax).keys() == {(0, 0), (0, 1), (1, 1), (2, 0), (2, 1), (3, 0)}


def test_columns_are_called_by_train_or_run_and_day():
    plan = chain("core")
    ledger = kept((plan, [], {"tags": {"train": "spring"}}), (plan, []), ids=["x", "0123456789-0123456789-0123456789"])
    assert texts(history(ledger).get_xticklabels()) == ["spring · 2026-03-02", "0123456789…123456789 · 2026-03-03"]
    assert {label.get_rotation() for label in history(ledger).get_xticklabels()} == {90}


@pytest.mark.filterwarnings("ignore::seqkit.fitting.rates.UnsupportedRanking")
def test_the_margin_counts_as_the_fit_does():
    plan = build_plan(load_dataset("jest29").graph)
    ledger = MemoryRunLedger()
    for seed in range(6):
        run_plan(plan, 0.1, ledger, rng=seed, attempts=1 + seed % 3)
    ax = history(ledger)
    fit = fit_failure_rates(ledger)
    counts = {repo: f"{row.failures} / {row.attempts}" for repo, row in fit.iterrows()}
    assert dict(zip(texts(ax.get_yticklabels()), margin(ax), strict=True)) == counts
    failed, tried = fit["failures"].sum(), fit["attempts"].sum()
    assert title(ax) == f"6 runs of 46 repos: {failed} of {tried} attempts failed"


def test_a_run_without_a_plan_or_events_is_a_column(tmp_path):
    ledger = load_dataset("kf5").ledger
    ax = history(ledger)
    counts = items_frame(ledger)["status"].value_counts()
    assert f"✗ failed {counts['failed']}" in legend(ax)
    assert mesh(ax).get_array().shape == (75, 3)
    crashed = MemoryRunLedger()
    crashed.create_run("0" * 64, ran_from(chain("core")))
    run_plan(chain("core"), 0.0, crashed, rng=1)
    assert cells(history(crashed)) == [["pending", "succeeded"]]


def ran_from(plan):
    return run_plan(plan, 0.0, rng=1).ledger.list_runs()[0].metadata


@settings(max_examples=25)
@given(st.lists(trains(largest=5), min_size=1, max_size=4))
def test_any_ledger_shows_every_item_once(cases: list[Train]):
    ledger = MemoryRunLedger()
    for case in cases:
        releaser = ScriptedReleaser([repo for repo, n in case.failing.items() if n >= case.attempts])
        run_plan(case.plan, releaser, ledger, policy=case.policy, failure_budget=case.budget)
    items = items_frame(ledger)
    ax = history(ledger, ax=Figure(figsize=(8, 6)).subplots())
    if items.empty:
        assert "no repos" in ax.texts[0].get_text()
        return
    status, cause = items["status"].astype(object), items["skip_cause"].astype(object)
    words = [why if word == "skipped" else word for word, why in zip(status, cause, strict=True)]
    drawn = Counter(word for row in cells(ax) for word in row if word is not None)
    assert drawn == Counter(words)
    assert mesh(ax).get_array().shape == (len(set(items["repo_id"])), len(cases))


# ---------------------------------------------------------------------- frames and paths


def test_items_of_a_ledger_are_drawn_as_the_ledger(tmp_path):
    plan = chain("core", "api", "app")
    ledger = kept((plan, []), (plan, ["api"]))
    write_ledger(ledger, tmp_path / "runs.jsonl")
    expected = cells(history(ledger))
    assert cells(history(items_frame(ledger))) == expected
    assert cells(history(tmp_path / "runs.jsonl")) == expected
    assert texts(history(items_frame(ledger)).get_xticklabels()) == ["run-0 · 2026-03-02", "run-1 · 2026-03-03"]
    bare = items_frame(ledger).drop(columns="started_at")
    assert texts(history(bare).get_xticklabels()) == ["run-0", "run-1"]


def test_trains_of_another_kind_are_drawn():
    trains = load_dataset("kf5").trains.sort_values("started_at")
    ax = history(trains.assign(run_id=trains["train"] + " " + trains["distribution"]))
    assert mesh(ax).get_array().shape == (75, 63)
    assert mesh(ax).get_array().mask.sum() == 218
    assert "✗ failed 49" in legend(ax)
    assert title(ax) == "63 runs of 75 repos: 49 of 4,507 attempts failed"


def attempts(**runs):
    """A frame of attempts: run -> {repo: whether it succeeded, None where it was not tried}."""
    rows = [(run, repo, outcome) for run, told in runs.items() for repo, outcome in told.items()]
    return pd.DataFrame(rows, columns=["run_id", "repo_id", "succeeded"])


def test_attempts_that_say_only_whether_they_succeeded_are_drawn():
    frame = attempts(one={"core": True, "api": None, "app": True}, two={"core": False, "api": None, "app": None})
    ax = history(frame)
    assert cells(ax) == [["succeeded", "failed"], ["pending", "pending"], ["succeeded", "pending"]]
    assert title(ax) == "2 runs of 3 repos: 1 of 3 attempts failed"


def test_a_graph_tells_who_was_blocked_and_puts_the_rows_in_order():
    graph = RepoDependencyGraph.from_edges([("core", "api"), ("api", "app")], nodes=["docs"])
    frame = attempts(one={"app": None, "core": True, "api": False, "docs": None, "else": None})
    for order in (graph, build_plan(graph, version="1")):
        ax = history(frame, graph=order)
        assert texts(ax.get_yticklabels()) == [*(item for item in graph.topological_order()), "else"]
        told = dict(zip(texts(ax.get_yticklabels()), cells(ax), strict=True))
        assert told == {
            "core": ["succeeded"],
            "api": ["failed"],
            "app": ["blocked"],
            "docs": ["pending"],
            "else": ["pending"],
        }
    # A repo in between that is not in the frame hands on what blocks.
    ends = frame[frame["repo_id"].isin(["core", "app"])].assign(succeeded=[None, False])
    assert cells(history(ends, graph=graph)) == [["failed"], ["blocked"]]
    skipped = pd.DataFrame(
        {"run_id": "one", "repo_id": ["core", "app", "docs"], "status": ["failed", "skipped", "skipped"], "attempts": 1}
    )
    assert cells(history(skipped, graph=graph)) == [["failed"], ["stopped"], ["blocked"]]
    with pytest.raises(ValueError, match="or pass graph=, the dependency graph, which tells who was blocked"):
        history(skipped)
    with pytest.raises(TypeError, match="graph is 5, expected a RepoDependencyGraph or a SequencePlan"):
        history(skipped, graph=5)


def test_of_several_attempts_in_a_run_the_one_that_released_it_counts():
    rows = [("one", "core", False), ("one", "core", True), ("one", "api", False), ("one", "api", False)]
    for order in (rows, rows[::-1]):
        ax = history(pd.DataFrame(order, columns=["run_id", "repo_id", "succeeded"]))
        told = dict(zip(texts(ax.get_yticklabels()), cells(ax), strict=True))
        assert told == {"core": ["succeeded"], "api": ["failed"]}
        assert title(ax) == "1 run of 2 repos: 3 of 4 attempts failed"


def test_every_advice_of_a_refusal_can_be_followed():
    """Whoever does what an error says does not meet the next error that takes it back."""
    frame = items_frame(kept((chain("core", "api"), ["core"])))
    bare = frame[["run_id", "repo_id", "status"]]
    with pytest.raises(ValueError, match=r"lacks succeeded.* or status and attempts"):
        history(bare)
    with pytest.raises(ValueError, match=r"a skip_cause.*or pass graph="):
        history(bare.assign(attempts=frame["attempts"]))
    assert cells(history(bare.assign(attempts=1), graph=chain("core", "api"))) == [["failed"], ["blocked"]]
    assert cells(history(bare.assign(succeeded=[False, None]))) == [["failed"], ["pending"]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: frame.drop(columns="run_id"), "lacks run_id"),
        (lambda frame: frame.drop(columns="attempts"), "lacks succeeded"),
        (lambda frame: frame.drop(columns="skip_cause").assign(status="skipped"), "or pass graph="),
        (lambda frame: pd.concat([frame, frame]), "tells of 'core' in run 'run-0' twice, expected once"),
        (lambda frame: frame.assign(status="skipped", skip_cause="bored"), "skip_cause 'bored', expected"),
        (lambda frame: frame.assign(status="skipped", skip_cause=None), "skip_cause None, expected a status"),
        (lambda frame: frame.assign(status="lost"), "has 'lost'"),
    ],
)
def test_frames_that_say_something_else_are_refused(change, message):
    frame = items_frame(kept((chain("core", "api"), [])))
    with pytest.raises(ValueError, match=message):
        history(change(frame))
    assert not plt.get_fignums()


def test_what_is_no_ledger_is_refused():
    with pytest.raises(TypeError, match="ledger_or_frame is 5, expected a ledger"):
        history(5)


# ---------------------------------------------------------------------- records that do not hold together


@pytest.mark.parametrize("nth", [0, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", MUTATIONS)
def test_mutated_ledgers_are_drawn(name, nth):
    _, ax = plt.subplots(figsize=(8, 4))
    chances = [random.Random(seed) for seed in range(12)]
    possible = (case for chance in chances if (case := MUTATIONS[name](clean(chance), chance)) is not None)
    mutated = list(islice(possible, nth, nth + 1))  # no ledger is made that is not drawn
    for case, _ in mutated:
        ax.clear()
        items = items_frame(without_repeats(case.ledger))
        history(case.ledger, ax=ax)
        if items.empty:
            assert "Nothing to draw" in ax.texts[0].get_text()
        else:
            assert mesh(ax).get_array().count() == len(items)
        without = {event.run_id for event in case.ledger.events} - {run.record.run_id for run in case.ledger.runs}
        assert ("events of runs without a record left out" in title(ax)) == bool(without and len(items))
    assert mutated


def test_events_without_their_run_are_left_out_and_said():
    ledger = kept((chain("core"), []))
    stray = [FoundEvent("nobody", event, "a") for event in ledger.get_events("run-0")]
    found = FoundLedger(load_dataset("kf5").ledger.runs, [*load_dataset("kf5").ledger.events, *stray])
    assert title(history(found)).endswith("\nevents of runs without a record left out")


# ---------------------------------------------------------------------- sizes, names, keywords


def test_of_many_runs_the_last_hundred_are_drawn():
    ledger = MemoryRunLedger(ids=[f"{n}" for n in range(130)], clock=daily())
    for n in range(130):
        run_plan(chain("core" if n < 30 else "api"), ScriptedReleaser(["core"] if 0 < n < 30 else []), ledger)
    ax = history(ledger)
    assert title(ax) == "100 runs of 1 repo: 0 of 100 attempts failed\nthe last 100 of 130 runs"
    assert texts(ax.get_xticklabels())[0].startswith("30 · ")
    assert texts(ax.get_yticklabels()) == ["api"]


def test_of_many_repos_those_that_failed_most_are_drawn_first():
    repos = [f"r{n:03}" for n in range(400)]
    plan = build_plan(RepoDependencyGraph.from_edges([], nodes=repos), version="1")
    ax = history(kept((plan, ["r350", "r020"]), (plan, ["r350", "r010"])))
    assert title(ax).endswith("\nthe 300 of 400 repos that failed most, these first")
    names = texts(ax.get_yticklabels())
    assert names[:4] == ["r350", "r010", "r020", "r000"]
    assert len(names) == 300
    assert margin(ax)[:4] == ["2 / 2", "1 / 2", "1 / 2", "0 / 2"]


def test_small_axes_name_some_and_have_no_marks():
    _, axes = plt.subplots(2, 2, figsize=(8, 5))
    plan = build_plan(load_dataset("jest29").graph)
    ax = history(kept(*[(plan, [])] * 40), ax=axes[0, 1])
    assert not marks(ax)
    names, runs = texts(ax.get_yticklabels()), texts(ax.get_xticklabels())
    every = -(-46 // len(names)), -(-40 // len(runs))
    assert min(every) > 1
    assert names[1] == plan.items[every[0]].repo_id
    assert runs[1].startswith(f"run-{every[1]} ")
    words = " ".join(title(ax).split())
    assert words.endswith(f" 1 repo in {every[0]} is named; 1 run in {every[1]} is named")
    assert len(margin(ax)) == len(names)


def test_given_axes_and_keywords_are_used():
    axes = plt.figure(figsize=(12, 4)).subfigures(1, 2)[0].subplots()
    before = plt.get_fignums()
    ledger = kept((chain("core", "api"), []))
    ax = history(ledger, ax=axes, alpha=0.5, gid="cells")
    assert ax is axes
    assert plt.get_fignums() == before
    assert (mesh(ax).get_alpha(), mesh(ax).get_gid()) == (0.5, "cells")
    with pytest.raises(TypeError, match="no_such' is no argument of this picture"):
        history(ledger, no_such=1)


def test_an_empty_ledger_says_so():
    assert history(MemoryRunLedger()).texts[0].get_text() == "Nothing to draw: 0 runs and no repos."


@pytest.mark.parametrize("name", ["jest29", pytest.param("kf5", marks=pytest.mark.slow)])
def test_title_and_legend_are_within_the_figure(name):
    plan = build_plan(load_dataset(name).graph, version="1")
    ledger = kept(*[(plan, []) for _ in range(21)])
    _, grid = plt.subplots(2, 2, figsize=(12, 9), layout="constrained")
    for ax in (history(ledger), history(ledger, ax=grid[1, 1])):
        ax.figure.canvas.draw()
        for part in (ax.get_legend(), ax._left_title):
            extent = part.get_window_extent()
            assert extent.x0 >= 0
            assert extent.x1 <= ax.figure.bbox.width


def test_moments_that_are_none_are_named():
    frame = items_frame(kept((chain("core"), []))).assign(started_at="yesterday")
    with pytest.raises(TypeError, match="started_at of ledger_or_frame has 'yesterday', expected dates or times"):
        history(frame)


def test_hostile_names_are_drawn_as_text():
    repos = [*HOSTILE_NAMES, "م\u202e\x00"]
    plan = build_plan(RepoDependencyGraph.from_edges([], nodes=repos), version="1")
    ax = history(kept((plan, HOSTILE_NAMES, {"tags": {"train": "$x$\n<script>"}}), (plan, []), ids=["", "x" * 10_000]))
    ax.figure.canvas.draw()  # warnings are errors
    labels = [*ax.get_yticklabels(), *ax.get_xticklabels(), *ax.child_axes[0].get_yticklabels(), ax._left_title]
    assert not any(label.get_parse_math() for label in labels)
    names = texts(ax.get_yticklabels())
    assert len(names) == len(repos)
    assert {"$x$", "two\\nlines", "''"} <= set(names)
    assert all(len(name) <= 28 for name in names)
    assert texts(ax.get_xticklabels())[0] == "$x$\\n<script> · 2026-03-02"


def test_an_empty_id_and_a_zero_byte_are_two_runs():
    plan = chain("core")
    ax = history(items_frame(kept((plan, []), (plan, ["core"]), ids=["", "\0"])))
    assert cells(ax) == [["succeeded", "failed"]]


def test_drawing_is_deterministic():
    plan = chain("core", "api", "app")
    one, other = (history(kept((plan, []), (plan, ["api"]))) for _ in range(2))
    assert np.ma.allequal(mesh(one).get_array(), mesh(other).get_array())
    assert texts(one.get_xticklabels()) == texts(other.get_xticklabels())


def test_doubt_is_a_word_of_its_own_and_what_came_late_no_failed_attempt():
    plan = build_plan(RepoDependencyGraph.from_edges([], nodes=["a", "b", "c"]), version="1")
    steps = ["enter a", "hang a", "enter b", "doubt b", "late b", "enter c"]
    ledger = written(may=Run(plan, steps, "CANCELLED"), june=Run(plan, [*steps[:4], "enter c"], "RUNNING"))
    ax = history(ledger)
    assert cells(ax) == [["in_doubt", "in_doubt"], ["failed", "in_doubt"], ["in_progress", "in_progress"]]
    assert margin(ax) == ["2 / 2", "1 / 2", "0 / 0"]
    again = history(items_frame(ledger).assign(in_doubt=lambda items: items["in_doubt"].astype(object)))
    assert cells(again) == cells(ax)
    assert cells(history(items_frame(ledger).drop(columns="in_doubt")))[0] == ["failed", "failed"]


def test_attempts_of_a_ledger_are_drawn_as_the_ledger():
    plan = build_plan(RepoDependencyGraph.from_edges([("a", "d")], nodes=["b", "c"]), version="1")
    steps = ["enter a", "hang a", "skip d a", "enter b", "retry b", "doubt b", "late b", "enter c", "retry c", "exit c"]
    ledger = written(
        may=Run(plan, steps, "CANCELLED", {"train": "spring"}), june=Run(plan, [*steps[:6], "enter c"], "RUNNING")
    )
    frame = attempts_frame(ledger)
    drawn = history(frame)
    rows = dict(zip(texts(drawn.get_yticklabels()), cells(drawn), strict=True))
    whole = history(ledger)
    assert rows == dict(zip(texts(whole.get_yticklabels()), cells(whole), strict=True))
    assert rows["c"] == ["succeeded", "in_progress"]
    assert title(drawn) == title(whole)
    assert [label.split(" ")[0] for label in texts(drawn.get_xticklabels())] == ["spring", "june"]
    shuffled = history(
        frame.sample(frac=1, random_state=1).sort_values("run_id", ascending=False, kind="stable"), graph=plan
    )
    assert cells(shuffled) == cells(history(ledger, graph=plan))


def test_what_was_skipped_for_no_known_reason_has_its_own_look_and_is_said():
    rows = [("1", "a", "failed", 1), ("1", "b", "skipped", None), ("1", "c", "skipped", None)]
    frame = pd.DataFrame(rows, columns=["run_id", "repo_id", "status", "attempt"])
    frame["attempt"] = frame["attempt"].astype("Int64")
    ax = history(frame)
    assert cells(ax) == [["failed"], ["skipped"], ["skipped"]]
    assert "2 skipped for a reason that nobody told" in title(ax).replace("\n", " ")
    assert texts(ax.get_legend().get_texts()) == ["» skipped 2", "✗ failed 1"]
    told = history(frame, graph=RepoDependencyGraph.from_edges([("a", "b")], nodes=["c"]))
    assert dict(zip(texts(told.get_yticklabels()), cells(told), strict=True)) == {
        "a": ["failed"],
        "b": ["blocked"],
        "c": ["stopped"],
    }
    assert "nobody told" not in title(told)
