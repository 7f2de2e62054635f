"""Runs that resume each other as one train, against a naive reading of tags and events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqkit import (
    GraphRunRecorder,
    MemoryRunLedger,
    RepoDependencyGraph,
    RunMetadata,
    ScriptedReleaser,
    build_plan,
    load_dataset,
    run_plan,
)
from seqkit.core.model import spec_digest_of
from seqkit.history import fixes_frame, resume_plan, trains_frame
from seqkit.ledger.links import Links
from tests.tools.by_hand import Run, written
from tests.tools.strategies import Train, trains

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
CHAIN = RepoDependencyGraph.from_edges([("core", "api"), ("api", "app"), ("core", "docs")])


class Clock:
    """An hour later each time it is asked."""

    def __init__(self) -> None:
        self.hours = count()

    def __call__(self) -> datetime:
        return NOON + timedelta(hours=next(self.hours))


def ledger_of(ids: str) -> MemoryRunLedger:
    return MemoryRunLedger(ids=ids.split(), clock=Clock())


def run(ledger: MemoryRunLedger, failing: list[str] = [], graph: Any = CHAIN, **tags: Any) -> None:  # noqa: B006
    run_plan(build_plan(graph, version="1"), ScriptedReleaser(failing), ledger, tags=tags)


def rows(ledger: MemoryRunLedger, *columns: str) -> list[list[Any]]:
    return trains_frame(ledger)[list(columns)].astype(object).to_numpy().tolist()


# ---------------------------------------------------------------------- which runs belong together


def test_runs_that_resume_each_other_are_one_train() -> None:
    ledger = ledger_of("a b c d e")
    run(ledger, ["core"])
    run(ledger, ["api"], resumes="a")
    run(ledger, ["core"])
    run(ledger, [], resumes="b")
    run(ledger, ["api"], resumes="c")
    assert rows(ledger, "train", "runs", "n_runs", "status") == [
        ["a", ["a", "b", "d"], 3, "COMPLETED"],
        ["c", ["c", "e"], 2, "FAILED"],
    ]


def test_a_train_tag_names_the_train() -> None:
    ledger = ledger_of("a b c d e f")
    run(ledger, train="May")
    run(ledger, resumes="a")  # the tag of the run it resumes
    run(ledger, train="May")  # the same train without resuming anything
    run(ledger)
    run(ledger, resumes="d", train="June")  # and the oldest run is the only one that knows no tag
    run(ledger, resumes="e", train="July")  # a tag of one's own goes before what is inherited
    assert rows(ledger, "train", "runs") == [["May", ["a", "b", "c"]], ["June", ["d", "e"]], ["July", ["f"]]]


@settings(max_examples=80)
@given(
    st.lists(
        st.tuples(st.none() | st.sampled_from([*"abcdef", "gone", 5, None]), st.none() | st.sampled_from(["x", "", 7])),
        max_size=6,
    )
)
def test_any_tags_give_every_run_one_train(tags: list[tuple[Any, Any]]) -> None:
    ledger = ledger_of("a b c d e f")
    for resumes, train in tags:
        run(ledger, ["core"], resumes=resumes, train=train)
    frame = trains_frame(ledger)
    names = {run_id: row.train for row in frame.itertuples() for run_id in row.runs}
    assert sorted(names) == list("abcdef"[: len(tags)])
    assert frame["n_runs"].sum() == len(tags)
    assert frame["train"].is_unique
    own = {run_id: train for run_id, (_, train) in zip("abcdef", tags, strict=False) if isinstance(train, str)}
    assert own.items() <= names.items()
    for run_id, (resumes, _) in zip("abcdef", tags, strict=False):
        if run_id not in own and resumes in names and resumes != run_id:
            # It goes with the run that it resumes; in a circle with one of the circle.
            assert names[run_id] == names[resumes] or run_id in Links(ledger.list_runs()).before(resumes)
    for row in frame.itertuples():
        if row.train not in own.values():
            assert row.train in "abcdef"
            assert len({*row.runs} & {row.train}) == 1
    for run_id in names:  # and resuming goes through the same tags
        assert resume_plan(ledger, run_id).released[:1] == ["core"]


def test_two_runs_that_resume_a_run_that_is_gone_are_one_train() -> None:
    ledger = ledger_of("a b c")
    run(ledger, resumes="gone")
    run(ledger)
    run(ledger, resumes="gone")
    assert rows(ledger, "train", "runs") == [["a", ["a", "c"]], ["b", ["b"]]]


def test_long_chains_and_long_circles_end() -> None:
    n = 3000
    ledger = MemoryRunLedger(ids=[f"r{number}" for number in range(n)], clock=lambda: NOON)
    for number in range(n):
        metadata = RunMetadata(tags={"resumes": f"r{(number + 1) % n}"})
        ledger.create_run(spec_digest_of("x"), metadata)
    assert rows(ledger, "train", "n_runs") == [["r0", n]]
    links = Links(ledger.list_runs())
    assert len(links.before("r5")) == n - 1
    assert len(links.after("r5")) == n - 6, "in a circle, those that were made later"


# ---------------------------------------------------------------------- what they came to


@settings(max_examples=80)
@given(st.lists(trains(largest=5), min_size=1, max_size=3), st.lists(st.integers(0, 2), min_size=3, max_size=3))
def test_a_train_counts_what_its_runs_did(several: list[Train], repeats: list[int]) -> None:
    ledger = MemoryRunLedger(clock=Clock())
    expected = []
    for train, more in zip(several, repeats, strict=False):
        failing = dict(train.failing)
        tries = 0

        def release(repo: str, version: str, digest: str, promoter: str, failing: dict[str, int] = failing) -> str:
            nonlocal tries
            tries += 1
            if failing.get(repo, 0):
                failing[repo] -= 1
                raise RuntimeError("red")
            return "out"

        options: dict[str, Any] = {"policy": train.policy, "failure_budget": train.budget, "attempts": train.attempts}
        outcome = run_plan(train.plan, release, ledger, **options)
        runs, failed, out = [outcome.run_id], set(outcome.failures), set(outcome.succeeded)
        for _ in range(more):
            plan = resume_plan(ledger, runs[-1] or "")
            outcome = run_plan(plan, release, ledger, tags={"resumes": runs[-1]}, **options)
            runs.append(outcome.run_id)
            failed |= set(outcome.failures)
            out |= set(outcome.succeeded)
        left = set(train.released) - out
        expected.append(
            [runs[0], runs, tries, len(train.released), len(out), len(failed & left), len(left), len(failed & out)]
        )
    columns = ("train", "runs", "attempts", "planned", "released", "failed", "left", "fixed")
    assert rows(ledger, *columns) == expected
    frame, fixes = trains_frame(ledger), fixes_frame(ledger)
    assert (frame["duration"] == frame["finished_at"] - frame["started_at"]).all()
    assert ((frame["status"] == "COMPLETED") == (frame["left"] == 0)).all()
    assert fixes["released_at"].notna().sum() == frame["fixed"].sum()
    assert (fixes["time_to_fix"].dropna() > timedelta(0)).all()
    for row in frame.itertuples():
        times = fixes.loc[fixes["train"] == row.train, "time_to_fix"].dropna()
        if len(times):
            assert row.longest_time_to_fix == times.max()
            assert abs(row.median_time_to_fix - times.median()) <= timedelta(microseconds=1)
        else:
            assert pd.isna(row.longest_time_to_fix)
            assert pd.isna(row.median_time_to_fix)


def test_time_to_fix_runs_from_the_first_failure_to_the_release() -> None:
    ledger = MemoryRunLedger(ids=["a", "b", "c"])
    for number, (run_failing, resumes) in enumerate([(["api"], None), (["api"], "a"), ([], "b")]):
        plan = build_plan(CHAIN, version="1") if resumes is None else resume_plan(ledger, resumes)
        day = NOON + timedelta(days=number)
        run_plan(plan, ScriptedReleaser(run_failing), ledger, tags={"resumes": resumes}, clock=lambda day=day: day)  # type: ignore[misc]
    fixes = fixes_frame(ledger)
    assert fixes[["train", "repo_id", "failures"]].astype(object).to_numpy().tolist() == [["a", "api", 2]]
    assert fixes["time_to_fix"].tolist() == [timedelta(days=2)]
    assert fixes["failed_at"].tolist() == [NOON]
    assert trains_frame(ledger)["longest_time_to_fix"].tolist() == [timedelta(days=2)]


def test_a_run_that_goes_on_leaves_the_train_without_an_end() -> None:
    ledger = ledger_of("a b")
    run(ledger, ["core"])
    recorder = GraphRunRecorder.start(ledger, spec_digest_of("x"), RunMetadata(tags={"resumes": "a"}), Clock())
    recorder.record("NodeEntered", {"node_id": "core", "version": "1"})
    assert rows(ledger, "status", "failed", "left") == [["RUNNING", 0, 4]], "core is being tried again"
    assert trains_frame(ledger)["finished_at"].isna().all()
    recorder.record("node_failed", {"node_id": "core", "error": "red"})
    recorder.finish_cancelled()
    assert rows(ledger, "status", "failed", "left", "attempts") == [["CANCELLED", 1, 4, 2]]
    assert fixes_frame(ledger)["failures"].tolist() == [2]


def test_a_repo_that_failed_and_is_being_tried_again_has_not_failed_yet() -> None:
    ledger = ledger_of("a")
    recorder = GraphRunRecorder.start(ledger, spec_digest_of("x"), RunMetadata(), Clock())
    for kind in ("NodeEntered", "NodeFailed", "NodeEntered"):
        recorder.record(kind, {"node_id": "core"})
    assert rows(ledger, "failed", "left", "attempts") == [[0, 1, 2]]


def test_a_failure_after_the_release_is_not_to_be_fixed() -> None:
    ledger = ledger_of("a b")
    run(ledger, train="May")
    run(ledger, ["core"], train="May")
    assert rows(ledger, "released", "failed", "left", "fixed") == [[4, 0, 0, 0]]
    assert len(fixes_frame(ledger)) == 0


def test_a_part_of_the_rest_does_not_complete_a_train() -> None:
    ledger = ledger_of("a b")
    run(ledger, ["core"])
    run_plan(resume_plan(ledger, "a").without("app"), ScriptedReleaser(), ledger, tags={"resumes": "a"})
    assert rows(ledger, "status", "released", "left") == [["FAILED", 3, 1]]


def test_the_real_ledger_has_trains_without_plans() -> None:
    frame = trains_frame(load_dataset("kf5").ledger)
    assert frame["n_runs"].sum() == 3
    assert (frame["planned"] == frame["released"] + frame["left"]).all()


@pytest.mark.parametrize("show", [trains_frame, fixes_frame])
def test_dtypes_are_the_same_on_an_empty_ledger(show: Any) -> None:
    ledger = ledger_of("a b")
    empty = show(ledger)
    run(ledger, ["core"])
    assert len(empty) == 0
    assert len(show(ledger)) == 1
    assert empty.dtypes.to_dict() == show(ledger).dtypes.to_dict()


# ---------------------------------------------------------------------- doubt


def test_what_came_out_late_is_released_and_a_doubt_has_failed() -> None:
    plan = build_plan(RepoDependencyGraph.from_edges([], nodes=["a", "b", "c"]), version="1")
    steps = ["enter a", "exit a", "enter b", "hang b", "enter c", "doubt c", "late b"]
    ledger = written(may=Run(plan, steps))
    columns = ("attempts", "planned", "released", "failed", "left", "fixed", "status")
    assert rows(ledger, *columns) == [[3, 3, 2, 1, 1, 1, "FAILED"]]
    fixes = fixes_frame(ledger).set_index("repo_id")
    assert fixes["released_at"].isna().to_dict() == {"b": False, "c": True}
    assert fixes["time_to_fix"]["b"] == timedelta(minutes=3)
    late = written(may=Run(plan, [*steps, "late c"]))
    assert rows(late, *columns) == [[3, 3, 3, 0, 0, 2, "COMPLETED"]]
