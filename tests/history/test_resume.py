"""Resuming runs, against a naive reading of what was left, and until everything is out."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqkit import (
    CommandReleaser,
    GraphRunRecorder,
    MemoryRunLedger,
    RepoDependencyGraph,
    RepoNotFound,
    RunEvent,
    RunLedger,
    RunMetadata,
    RunNotFound,
    RunRecord,
    RunStatus,
    ScriptedReleaser,
    SequencePlan,
    SqlRunLedger,
    audit,
    build_plan,
    execute_plan,
    run_plan,
    runs_frame,
)
from seqkit._show.palette import STATUS_STYLES
from seqkit.core.model import spec_digest_of
from seqkit.history import ResumePlan, blockers, doubt, fixes_frame, replay, resume_plan, trains_frame
from seqkit.ledger.copies import without_repeats
from seqkit.ledger.found import FoundEvent, FoundLedger, FoundRun
from tests.tools.by_hand import Run, written
from tests.tools.strategies import HOSTILE_NAMES, Train, ancestors, fifo_kahn, on_a_path, trains

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
CHAIN = RepoDependencyGraph.from_edges([("core", "api"), ("api", "app"), ("core", "docs")])


class Script:
    """Fails each repo as often as told, and counts what it released."""

    def __init__(self, failing: dict[str, int]) -> None:
        self.failing = dict(failing)
        self.released: list[tuple[str, str, str, str]] = []
        self.crash_at: int | None = None
        self.calls = 0

    async def release(self, repo_id: str, version_label: str, spec_digest: str, promoted_by: str) -> str:
        self.calls += 1
        if self.crash_at is not None and self.calls >= self.crash_at:
            raise KeyboardInterrupt
        if self.failing.get(repo_id, 0):
            self.failing[repo_id] -= 1
            raise RuntimeError(f"{repo_id} is not ready")
        self.released.append((repo_id, version_label, spec_digest, promoted_by))
        return f"run-{repo_id}"


def executed(train: Train, ledger: RunLedger, record_skips: bool = True) -> str:
    run = train.run(ledger, record_skips=record_skips).run_id
    assert run is not None
    return run


# ---------------------------------------------------------------------- what is left


@settings(max_examples=80)
@given(trains(), st.booleans())
def test_what_is_left_is_all_that_was_planned_and_not_released(train: Train, record_skips: bool) -> None:
    ledger, expected = MemoryRunLedger(), train.reading()
    run = executed(train, ledger, record_skips)
    plan = resume_plan(ledger, run)
    left = [repo for repo in train.order if repo in train.released and repo not in expected.succeeded]
    between = on_a_path(train.nodes, train.edges, left)
    assert [item.repo_id for item in plan.items] == [repo for repo in train.order if repo in between]
    assert plan.released == left
    assert isinstance(plan, SequencePlan)
    assert plan.originating_run_id == plan.resumes == run
    old = {item.repo_id: item for item in train.plan.items}
    assert [item for item in plan.items if item.status == "pending"] == [old[repo] for repo in left]
    whole = build_plan(train.graph, [(repo, "1.0", f"digest-{repo}", "kim") for repo in left], run)
    assert {*plan.items} == {*whole.items}
    below = {(a, b) for a in between for b in between if b in set(train.graph.transitive_dependents_of(a))}
    assert {(a, b) for a in between for b in plan.graph.transitive_dependents_of(a)} == below


@settings(max_examples=80)
@given(trains(), st.booleans())
def test_every_repo_that_is_left_has_its_reason(train: Train, record_skips: bool) -> None:
    ledger, expected = MemoryRunLedger(), train.reading()
    run = executed(train, ledger, record_skips)
    plan = resume_plan(ledger, run)
    reasons = plan.reasons
    assert reasons.index.tolist() == plan.released
    told = dict.fromkeys(expected.failed, "failed") | expected.causes
    assert reasons["reason"].astype(str).to_dict() == {repo: told[repo] for repo in plan.released}
    assert {repo: sorted(reasons.loc[repo, "blocked_by"]) for repo in plan.released} == {
        repo: sorted(expected.blocked_by.get(repo, [])) for repo in plan.released
    }
    assert set(reasons["run_id"]) <= {run}
    assert reasons["error"].dropna().to_dict() == {repo: f"{repo} failed {train.attempts}" for repo in expected.failed}
    for repo in plan.released:
        passable, nearest, seen = list(plan.graph.dependencies_of(repo)), set(), set()
        while passable:
            other = passable.pop()
            if other in plan.released:
                nearest.add(other)
            elif other not in seen:
                seen.add(other)
                passable += plan.graph.dependencies_of(other)
        assert reasons.loc[repo, "parents"] == [other for other in plan.released if other in nearest]


def test_the_frame_of_reasons_has_the_same_dtypes_when_nothing_is_left() -> None:
    ledger = MemoryRunLedger(ids=["good", "bad"])
    run_plan(build_plan(CHAIN, version="1"), ScriptedReleaser(), ledger)
    run_plan(build_plan(CHAIN, version="1"), ScriptedReleaser(["core"]), ledger)
    nothing, something = resume_plan(ledger, "good"), resume_plan(ledger, "bad")
    assert nothing.items == ()
    assert repr(nothing).endswith("nothing is left of run good)")
    assert nothing.reasons.dtypes.to_dict() == something.reasons.dtypes.to_dict()
    assert nothing.reasons.index.dtype == something.reasons.index.dtype
    assert run_plan(nothing, ScriptedReleaser(["core"]), ledger=MemoryRunLedger()).overall_success


def test_a_plan_to_resume_travels_as_json_and_loses_repos_like_any_other() -> None:
    ledger = MemoryRunLedger(ids=["bad"])
    run_plan(build_plan(CHAIN, version="1"), ScriptedReleaser(["api"]), ledger, tags={"train": "May"})
    plan = resume_plan(ledger, "bad")
    assert SequencePlan.from_json(plan.to_json()) == plan
    rest = plan.without("api")
    assert isinstance(rest, ResumePlan)
    assert (rest.resumes, rest.train, rest.released) == ("bad", "May", ["app"])
    assert rest.reasons[["reason", "parents"]].to_numpy().tolist() == [["blocked", []]]
    assert "bad" in plan._repr_html_()


def test_hostile_names_are_escaped() -> None:
    star = RepoDependencyGraph.from_edges([(HOSTILE_NAMES[0], name) for name in HOSTILE_NAMES[1:]])
    ledger = MemoryRunLedger(ids=["<b>run</b>"])
    run_plan(build_plan(star, version="<i>1</i>"), ScriptedReleaser([HOSTILE_NAMES[0]]), ledger)
    plan = resume_plan(ledger, "<b>run</b>")
    assert len(plan.released) == len(HOSTILE_NAMES)
    html = plan._repr_html_()
    assert not any(markup in html for markup in ("<script>", "<b>", "<i>"))
    assert len(html) < 20_000


# ---------------------------------------------------------------------- doubt


def broken_off(
    entered: list[str], exited: list[str], failed: list[str], status: str = "RUNNING", **options: Any
) -> MemoryRunLedger:
    """A run of CHAIN that ended somewhere: what was entered, and what of that ended."""
    ledger = MemoryRunLedger(ids=["crash", "next", "third"], clock=lambda: NOON)
    plan = build_plan(CHAIN, version="1.0")
    donor = MemoryRunLedger(ids=["donor"], clock=lambda: NOON)
    run_plan(plan, ScriptedReleaser(), donor, **options)
    recorder = GraphRunRecorder.start(ledger, spec_digest_of("manual"), donor.get_run("donor").metadata, lambda: NOON)
    for repo in entered:
        recorder.record("NodeEntered", {"node_id": repo, "version": "1.0"})
        if repo in exited:
            recorder.record("NodeExited", {"node_id": repo, "run_id": f"run-{repo}"})
        if repo in failed:
            recorder.record("NodeFailed", {"node_id": repo, "error": "red"})
    if status == "CANCELLED":
        recorder.finish_cancelled()
    return ledger


@pytest.mark.parametrize("status", ["RUNNING", "CANCELLED"])
def test_repos_in_doubt_must_be_decided(status: str) -> None:
    ledger = broken_off(["core", "api"], ["core"], [], status)
    with pytest.raises(
        ValueError, match=r"run 'crash' left repos in doubt.*\(1\): 'api'.*in_doubt=\"retry\".*in_doubt=\"done\""
    ):
        resume_plan(ledger, "crash")
    again, over = resume_plan(ledger, "crash", in_doubt="retry"), resume_plan(ledger, "crash", in_doubt="done")
    assert again.reasons["reason"].astype(str).to_dict() == {
        "api": "in_doubt",
        "docs": "not_reached",
        "app": "not_reached",
    }
    assert over.released == ["docs", "app"]
    assert again.in_doubt == over.in_doubt == ("api",)
    assert over.reasons["parents"].tolist() == [[], []]


def test_a_retry_under_way_is_in_doubt_too() -> None:
    ledger = broken_off(["core"], [], [])
    events = ledger._events["crash"]
    events[2] = events[1].model_copy(
        update={"seq": 2, "kind": "NodeRetrying", "payload": {"node_id": "core", "attempt": 1, "error": "red"}}
    )
    with pytest.raises(ValueError, match="'core'"):
        resume_plan(ledger, "crash")


def test_a_doubt_lasts_until_a_later_run_has_tried_the_repo_to_an_end() -> None:
    ledger = broken_off(["core", "api"], ["core"], [])
    run_plan(
        resume_plan(ledger, "crash", in_doubt="retry"), ScriptedReleaser(["api"]), ledger, tags={"resumes": "crash"}
    )
    assert resume_plan(ledger, "crash").reasons["run_id"].to_dict() == {"api": "next", "app": "next"}
    assert resume_plan(ledger, "next").released == ["api", "app"]
    # Taken as released: the run that resumes says so, and nobody is asked again.
    ledger = broken_off(["core", "api"], ["core"], [])
    run_plan(
        resume_plan(ledger, "crash", in_doubt="done"), ScriptedReleaser(["app"]), ledger, tags={"resumes": "crash"}
    )
    assert resume_plan(ledger, "crash").released == ["app"]
    assert resume_plan(ledger, "next").released == ["app"]


def test_a_run_that_broke_off_before_it_came_to_the_repo_leaves_it_in_doubt() -> None:
    ledger = broken_off(["core", "api"], ["core"], [])
    releaser = Script({})
    releaser.crash_at = 1
    plan = resume_plan(ledger, "crash", in_doubt="retry")
    with pytest.raises(KeyboardInterrupt):
        run_plan(plan.without("api"), releaser, ledger, tags={"resumes": "crash"})
    with pytest.raises(ValueError, match=r"in doubt.*\(2\): 'api', 'docs'"):
        resume_plan(ledger, "crash")
    with pytest.raises(KeyboardInterrupt):
        run_plan(plan.without("docs"), releaser, ledger, tags={"resumes": "crash"})
    assert resume_plan(ledger, "crash", in_doubt="done").released == ["app"]
    # A run that had it in its plan and broke off before it: the doubt about the first try stays.
    ledger = broken_off(["docs", "core"], ["docs"], [])
    recorder = GraphRunRecorder.start(
        ledger,
        spec_digest_of("crash"),
        RunMetadata(tags={"resumes": "crash", "plan": ledger.get_run("crash").metadata.tags["plan"]}),
    )
    recorder.finish_cancelled()
    with pytest.raises(ValueError, match=r"in doubt.*\(1\): 'core'"):
        resume_plan(ledger, "crash")


def test_a_run_that_was_to_stop_and_broke_off_before_it_said_so_did_not_reach_the_rest() -> None:
    ledger = broken_off(["core", "api"], ["core"], ["api"], "CANCELLED", policy="stop")
    assert resume_plan(ledger, "crash").reasons["reason"].astype(str).to_dict() == {
        "api": "failed",
        "docs": "not_reached",
        "app": "not_reached",
    }
    ledger = broken_off(["core", "api", "app"], ["core"], ["api"], "CANCELLED", policy="stop", record_skips=False)
    reasons = resume_plan(ledger, "crash", in_doubt="retry").reasons
    assert reasons.loc["docs", "reason"] == "stopped", "the run went past it"


def test_what_was_released_stays_released_whatever_came_after() -> None:
    ledger = broken_off(["core", "api", "core"], ["core"], ["api"])
    events = ledger._events["crash"]
    del events[max(events)]  # the second end of core
    assert resume_plan(ledger, "crash").released == ["api", "docs", "app"]


# ---------------------------------------------------------------------- chains of runs


def test_what_a_later_run_released_is_not_planned_again() -> None:
    ledger = MemoryRunLedger(ids=["one", "two", "three"])
    run_plan(build_plan(CHAIN, version="1"), ScriptedReleaser(["core"]), ledger)
    run_plan(resume_plan(ledger, "one"), ScriptedReleaser(["api"]), ledger, tags={"resumes": "one"})
    assert resume_plan(ledger, "one").reasons["reason"].astype(str).to_dict() == {"api": "failed", "app": "blocked"}
    run_plan(resume_plan(ledger, "two"), ScriptedReleaser(["app"]), ledger, tags={"resumes": "two"})
    assert [resume_plan(ledger, run).released for run in ("one", "two", "three")] == [["app"]] * 3
    assert resume_plan(ledger, "one").reasons["run_id"].tolist() == ["three"]


def test_a_fork_is_seen_from_its_older_branch() -> None:
    ledger = MemoryRunLedger(ids=["one", "left", "right"])
    run_plan(build_plan(CHAIN, version="1"), ScriptedReleaser(["core"]), ledger)
    run_plan(resume_plan(ledger, "one"), ScriptedReleaser(["core"]), ledger, tags={"resumes": "one"})
    run_plan(resume_plan(ledger, "one"), ScriptedReleaser(["api"]), ledger, tags={"resumes": "one"})
    assert resume_plan(ledger, "left").released == resume_plan(ledger, "right").released == ["api", "app"]


def test_an_earlier_release_does_not_take_a_repo_out_of_a_plan_that_names_it() -> None:
    ledger = MemoryRunLedger(ids=["one", "two"])
    run_plan(build_plan(CHAIN, version="1"), ScriptedReleaser(["app"]), ledger)
    run_plan(build_plan(CHAIN, version="2"), ScriptedReleaser(["core"]), ledger, tags={"resumes": "one"})
    assert resume_plan(ledger, "two").released == ["core", "api", "docs", "app"]


@pytest.mark.parametrize("tags", [("two", "one"), ("one", "two"), ("gone", "gone"), ("gone", "one"), (5, ["one"])])
def test_circles_gaps_and_nonsense_in_the_tags_do_no_harm(tags: tuple[object, object]) -> None:
    ledger = MemoryRunLedger(ids=["one", "two"])
    run_plan(build_plan(CHAIN, version="1"), ScriptedReleaser(["api"]), ledger, tags={"resumes": tags[0]})
    run_plan(build_plan(CHAIN, version="1"), ScriptedReleaser(["core"]), ledger, tags={"resumes": tags[1]})
    assert resume_plan(ledger, "one").released == ["api", "app"]
    assert resume_plan(ledger, "two").released == ["core", "api", "docs", "app"]


# ---------------------------------------------------------------------- until everything is out


def run_until_done(train: Train, ledger: RunLedger, crashes: list[int], skips: bool) -> None:
    releaser = Script(train.failing)
    options = {"policy": train.policy, "failure_budget": train.budget, "attempts": train.attempts}
    plan, resumed, runs = train.plan, None, []
    for turn in range(40):
        releaser.calls, releaser.crash_at = 0, crashes[turn] if turn < len(crashes) else None
        tags = {} if resumed is None else {"resumes": resumed}
        with contextlib.suppress(KeyboardInterrupt):
            run_plan(plan, releaser, ledger, record_skips=skips, tags=tags, **options)  # type: ignore[arg-type]
        resumed = next(run.run_id for run in reversed(ledger.list_runs()) if run.run_id not in runs)
        runs.append(resumed)
        # The releaser breaks off before it releases: what is in doubt is to be released again.
        plan = resume_plan(ledger, resumed, in_doubt="retry")
        done = [repo for repo, *_ in releaser.released]
        assert plan.released == [repo for repo in train.order if repo in train.released and repo not in done]
        assert {tuple(resume_plan(ledger, run, in_doubt="retry").released) for run in runs} == {tuple(plan.released)}
        if not plan.items:
            break
    assert sorted(releaser.released) == sorted((repo, "1.0", f"digest-{repo}", "kim") for repo in train.released)


@settings(max_examples=80)
@given(trains(), st.lists(st.integers(1, 4), max_size=3), st.booleans())
def test_runs_that_fail_and_break_off_release_everything_once_in_the_end(
    train: Train, crashes: list[int], skips: bool
) -> None:
    run_until_done(train, MemoryRunLedger(), crashes, skips)


@pytest.mark.slow
@settings(max_examples=3000)
@given(trains(largest=12), st.lists(st.integers(1, 9), max_size=6), st.booleans())
def test_the_same_with_larger_counts(train: Train, crashes: list[int], skips: bool) -> None:
    run_until_done(train, MemoryRunLedger(), crashes, skips)


@settings(max_examples=12)
@given(trains(largest=5), st.lists(st.integers(1, 4), max_size=2), st.booleans())
def test_the_same_in_a_database(train: Train, crashes: list[int], skips: bool) -> None:
    with SqlRunLedger("sqlite://") as ledger:
        run_until_done(train, ledger, crashes, skips)


def test_a_path_names_a_ledger_too(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    outcome = run_plan(build_plan(CHAIN, version="1"), ScriptedReleaser(["api"]), path)
    assert outcome.run_id is not None
    assert resume_plan(path, outcome.run_id).released == ["api", "app"]
    assert runs_frame(path)["run_id"].tolist() == [outcome.run_id]


# ---------------------------------------------------------------------- runs without a plan


def original(events: list[tuple[str, str]], status: str | None = "FAILED") -> MemoryRunLedger:
    """A run as the original writes it: no plan in its tags, no word about skips."""
    ledger = MemoryRunLedger(ids=["old"], clock=lambda: NOON)
    recorder = GraphRunRecorder.start(ledger, spec_digest_of("x"), RunMetadata(), lambda: NOON)
    for kind, repo in events:
        more = {"NodeEntered": {"version": "1.0"}, "NodeExited": {"run_id": "r"}, "NodeFailed": {"error": "red"}}[kind]
        recorder.record(kind, {"node_id": repo, **more})
    if status == "FAILED":
        recorder.finish_err()
    return ledger


FAILED_API = [("NodeEntered", "core"), ("NodeExited", "core"), ("NodeEntered", "api"), ("NodeFailed", "api")]


def test_a_run_without_a_plan_needs_a_graph_and_versions() -> None:
    ledger = original(FAILED_API)
    with pytest.raises(ValueError, match=r"run 'old' carries no plan that can be read.*pass graph="):
        resume_plan(ledger, "old")
    with pytest.raises(ValueError, match=r"run 'old' left repos whose version is not known \(1\): 'app'"):
        resume_plan(ledger, "old", graph=CHAIN)
    graph = RepoDependencyGraph.compose(CHAIN)
    graph.add_node("app", version="3.0")
    plan = resume_plan(ledger, "old", graph=graph)
    assert [(item.repo_id, item.version_label) for item in plan.items] == [("api", "1.0"), ("app", "3.0")]
    assert plan.reasons["reason"].astype(str).tolist() == ["failed", "blocked"]


def test_a_plan_in_place_of_a_graph_leaves_nothing_to_guess() -> None:
    plan = build_plan(CHAIN, [("core", "7"), ("api", "7"), ("docs", "7")])
    assert resume_plan(original(FAILED_API[:3], None), "old", plan, in_doubt="retry").released == ["api", "docs"]
    assert [item.version_label for item in resume_plan(original(FAILED_API), "old", plan).items] == ["7", "7"]


@settings(max_examples=80)
@given(trains())
def test_with_a_graph_all_that_a_failure_can_have_blocked_is_left_with_a_plan_what_it_blocked(train: Train) -> None:
    plain = replace(train, policy="skip_dependents", budget=None, attempts=1)
    donor, ledger = MemoryRunLedger(), MemoryRunLedger(ids=["old"])
    run = executed(plain, donor, record_skips=False)
    recorder = GraphRunRecorder.start(ledger, spec_digest_of("x"), RunMetadata())
    for event in donor.get_events(run):
        recorder.record(event.kind, event.payload)
    recorder.finish_err()
    expected, above = plain.reading(), ancestors(train.nodes, train.edges)
    graph = RepoDependencyGraph.from_edges(train.edges, nodes={repo: {"version": "g"} for repo in train.nodes})
    silent = {repo for repo in train.nodes if above[repo] & set(expected.failed)}
    plan = resume_plan(ledger, "old", graph)
    assert plan.released == [
        repo for repo in fifo_kahn(train.nodes, train.edges) if repo in silent or repo in expected.failed
    ]
    versions = {item.repo_id: item.version_label for item in plan.items if item.status == "pending"}
    assert versions == {repo: "g" if repo in silent else "1.0" for repo in plan.released}
    known = resume_plan(ledger, "old", plain.plan)
    assert known.released == resume_plan(donor, run).released
    assert known.reasons.drop(columns="run_id").equals(resume_plan(donor, run).reasons.drop(columns="run_id"))


def test_a_run_without_a_plan_that_broke_off_leaves_every_silent_repo() -> None:
    graph = RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs")], nodes={"docs": {"version": "9"}})
    plan = resume_plan(original(FAILED_API, None), "old", graph)
    assert plan.reasons["reason"].astype(str).to_dict() == {"api": "failed", "docs": "not_reached"}
    assert resume_plan(original(FAILED_API), "old", graph).released == ["api"], "docs was not part of the release"


# ---------------------------------------------------------------------- records that contradict themselves

KINDS = ["NodeEntered", "node_exited", "NodeExited", "NodeFailed", "NodeRetrying", "NodeSkipped", "Other", "", "_"]
payloads = st.one_of(
    st.fixed_dictionaries(
        {"node_id": st.sampled_from(["core", "api", "app", "docs", "nobody"])},
        optional={
            "blocked_by": st.sampled_from([["core"], [], "core", None, [["core"], 5, "nobody", "core"]]),
            "run_id": st.sampled_from(["r", None, 5]),
            "error": st.sampled_from(["red", None, ["x"]]),
            "version": st.sampled_from(["1", None, 7]),
        },
    ),
    st.sampled_from([None, [], 5, "core", {}, {"node_id": None}, {"node_id": ["core"]}]),
)
settings_of_runs = st.fixed_dictionaries(
    {},
    optional={
        "policy": st.sampled_from(["stop", "continue", "never", [], None]),
        "failure_budget": st.sampled_from([1, 2, 0, -1, True, "2", None]),
        "attempts": st.sampled_from([1, 2, 0, "2", False, None]),
        "record_skips": st.sampled_from([True, False, None, "no"]),
    },
)


@settings(max_examples=80)
@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(-1, 9), st.sampled_from(KINDS), payloads), max_size=12),
    settings_of_runs,
    st.sampled_from(["a", "b", "gone", 5, None]),
    st.sampled_from(RunStatus),
    st.booleans(),
)
def test_no_record_is_too_contradictory(
    events: list[tuple[str, int, str, Any]], said: dict[str, Any], resumes: Any, status: RunStatus, planned: bool
) -> None:
    donor = MemoryRunLedger(ids=["donor"])
    run_plan(build_plan(CHAIN, version="1"), ScriptedReleaser(), donor)
    content = {**donor.get_run("donor").metadata.tags["plan"], **said}
    runs = [
        RunRecord(
            run_id=run_id,
            spec_digest=spec_digest_of("x"),
            metadata=RunMetadata(tags={"resumes": resumes, **({"plan": content} if planned or run_id == "b" else {})}),
            status=status,
            created_at=NOON,
        )
        for run_id in "aab"
    ]
    ledger = FoundLedger(
        [FoundRun(run, "x.jsonl") for run in runs],
        [
            FoundEvent(run_id, RunEvent(seq=seq, kind=kind, payload=payload, timestamp=NOON), "x.jsonl")
            for run_id, seq, kind, payload in events
        ],
    )
    ledger = without_repeats(ledger)  # run a is recorded twice
    stand_in = build_plan(CHAIN, version="1")
    for run_id in "ab":
        out = {
            payload["node_id"]
            for run, _, kind, payload in events
            if run == run_id and kind in ("NodeExited", "node_exited") and isinstance(payload, dict) and payload
            if isinstance(payload["node_id"], str)
        }
        plan = resume_plan(ledger, run_id, graph=stand_in, in_doubt="retry")
        assert not out & set(plan.released)
        assert set(plan.released) <= {"core", "api", "app", "docs"}
        assert len(plan.reasons) == len(plan.released)
        again = replay(ledger, run_id, graph=stand_in, model=0.5, trials=3, rng=1)
        assert again.to_frame()[["p_succeeded", "p_failed", "p_skipped"]].sum(axis=1).tolist() == pytest.approx([1] * 4)
    blame = blockers(ledger, graph=stand_in)
    assert blame["shapley"].sum() == pytest.approx(round(blame["shapley"].sum()))
    assert trains_frame(ledger)["n_runs"].sum() == 2
    assert len(fixes_frame(ledger)) <= 10


# ---------------------------------------------------------------------- wrong arguments


def test_what_is_wrong_is_named() -> None:
    ledger = original(FAILED_API)
    with pytest.raises(RunNotFound, match="run not found: nobody"):
        resume_plan(ledger, "nobody", graph=CHAIN)
    with pytest.raises(RepoNotFound, match="api"):
        resume_plan(ledger, "old", graph=RepoDependencyGraph.from_edges([], nodes=["core"]))
    with pytest.raises(TypeError, match="graph is 'core', expected a RepoDependencyGraph or a SequencePlan"):
        resume_plan(ledger, "old", graph="core")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"in_doubt is 'maybe', expected one of \('error', 'retry', 'done', 'check'\)"):
        resume_plan(ledger, "old", in_doubt="maybe")  # type: ignore[arg-type]


def test_a_long_chain_is_no_trouble() -> None:
    n = 5_000
    ids = [f"r{i:05}" for i in range(n)]
    plan = build_plan(RepoDependencyGraph.from_edges(itertools.pairwise(ids)), version="1")
    ledger = MemoryRunLedger(ids=["long"])
    run_plan(plan, ScriptedReleaser([ids[10]]), ledger, record_skips=False)
    assert resume_plan(ledger, "long").released == ids[10:]


def test_a_run_of_the_plan_says_by_itself_what_it_resumes() -> None:
    ledger = MemoryRunLedger(ids=["one", "two", "three"])
    plan = build_plan(CHAIN, version="1")
    run_plan(plan, ScriptedReleaser([plan.released[0]]), ledger, tags={"train": "spring"})
    run_plan(resume_plan(ledger, "one"), ScriptedReleaser(), ledger)
    run_plan(resume_plan(ledger, "two"), ScriptedReleaser(), ledger, tags={"train": "other", "due": "friday"})
    tags = [ledger.get_run(run_id).metadata.tags for run_id in ("two", "three")]
    assert [(tag["resumes"], tag["train"], tag.get("due")) for tag in tags] == [
        ("one", "spring", None),
        ("two", "other", "friday"),  # what the caller says goes before
    ]


def test_silence_in_a_record_with_holes_is_doubt() -> None:
    ledger = MemoryRunLedger(ids=["one"])
    plan = build_plan(RepoDependencyGraph.from_edges([("a", "b"), ("b", "c")]), version="1")
    run_plan(plan, ScriptedReleaser(["c"]), ledger)
    for missing, doubtful in (({1, 2}, "a"), ({2}, "a"), ({3, 4}, "b"), ({5, 6}, "c")):
        kept = [("one", event) for event in ledger.get_events("one") if event.seq not in missing]
        holed = MemoryRunLedger.from_records(ledger.list_runs(), kept)
        with pytest.raises(ValueError, match=rf"in doubt.*\(1\): '{doubtful}'"):
            resume_plan(holed, "one")
        assert set(resume_plan(holed, "one", in_doubt="retry").released) == {doubtful, "c"}
    assert resume_plan(ledger, "one").released == ["c"]


def test_what_was_decided_to_be_out_is_not_asked_about_again() -> None:
    ledger = MemoryRunLedger(ids=["one", "two"])
    plan = build_plan(RepoDependencyGraph.from_edges([("a", "b"), ("a", "c")]), version="1")

    def hang(repo: str, *_: str) -> str:
        if repo == "b":
            raise KeyboardInterrupt
        return "x"

    with pytest.raises(KeyboardInterrupt):
        run_plan(plan, hang, ledger)
    rest = resume_plan(ledger, "one", in_doubt="done")
    assert rest.without([]).run_tags == rest.run_tags
    run_plan(rest, ScriptedReleaser(), ledger)
    assert ledger.get_run("two").metadata.tags["taken_as_released"] == ["b"]
    assert resume_plan(ledger, "one").released == []
    train = trains_frame(ledger).iloc[0]
    assert (train["status"], train["released"], train["left"]) == ("COMPLETED", 3, 0)


# ---------------------------------------------------------------------- out, although the record says failed


def test_what_is_recorded_as_failed_and_is_out_is_not_released_again() -> None:
    ledger = MemoryRunLedger(ids=["one", "two", "three"])
    run_plan(build_plan(CHAIN, version="1"), ScriptedReleaser({"api": "published; pushing the tag failed"}), ledger)
    plan = resume_plan(ledger, "one", taken_as_released=["api"])
    assert (plan.released, plan.taken_as_released) == (["app"], ("api",))
    assert plan.reasons["reason"].tolist() == ["blocked"]
    run_plan(plan, ScriptedReleaser(), ledger)
    assert ledger.get_run("two").metadata.tags["taken_as_released"] == ["api"]
    assert resume_plan(ledger, "one").released == resume_plan(ledger, "two").released == []
    train = trains_frame(ledger).iloc[0]
    assert (train["status"], train["n_runs"], train["released"], train["left"], train["failed"]) == (
        "COMPLETED",
        2,
        4,
        0,
        0,
    )
    assert audit(ledger).ok


def test_what_is_in_doubt_can_be_told_apart_one_by_one() -> None:
    ledger = MemoryRunLedger(ids=["one"])
    plan = build_plan(RepoDependencyGraph.from_edges([], nodes=["a", "b", "c"]), version="1")
    record = run_plan(plan, ScriptedReleaser(["c"]), ledger).ledger.get_run("one")
    entered = [
        RunEvent(seq=seq, kind="NodeEntered", payload={"node_id": repo, "version": "1"}, timestamp=NOON)
        for seq, repo in enumerate("ab", 1)
    ]
    failed = [
        RunEvent(seq=3, kind="NodeEntered", payload={"node_id": "c", "version": "1"}, timestamp=NOON),
        RunEvent(seq=4, kind="NodeFailed", payload={"node_id": "c", "error": "red"}, timestamp=NOON),
    ]
    running = record.model_copy(update={"status": RunStatus.RUNNING, "summary": None, "completed_at": None})
    ledger = MemoryRunLedger.from_records([running], [("one", event) for event in [*entered, *failed]])
    with pytest.raises(ValueError, match=r"in doubt.*\(2\): 'a', 'b'; .*taken_as_released="):
        resume_plan(ledger, "one")
    with pytest.raises(ValueError, match=r"in doubt.*\(1\): 'b'; "):
        resume_plan(ledger, "one", taken_as_released="a")
    plan = resume_plan(ledger, "one", taken_as_released=["b", "a"])
    assert (plan.released, plan.taken_as_released, plan.in_doubt) == (["c"], ("a", "b"), ("a", "b"))
    retried = resume_plan(ledger, "one", in_doubt="retry", taken_as_released=["a", "c"])
    assert (retried.released, retried.taken_as_released) == (["b"], ("a", "c"))
    done = resume_plan(ledger, "one", in_doubt="done", taken_as_released=["c"])
    assert (done.released, done.taken_as_released) == ([], ("a", "b", "c"))


@pytest.mark.parametrize(
    ("taken", "error", "message"),
    [
        (["core"], ValueError, "taken_as_released has 'core', which is released there .*: 'api'"),
        (["app"], ValueError, "taken_as_released has 'app', which is blocked there .*: 'api'"),
        (["api", "apii"], ValueError, "has 'apii', which is not one that it was to release; .*: 'api'"),
        ("ap", ValueError, "taken_as_released has 'ap', which is not one that it was to release"),
        (5, TypeError, "taken_as_released is 5, expected repo ids"),
        ([7], ValueError, "taken_as_released has 7, which is not one that it was to release"),
    ],
)
def test_only_what_failed_or_is_in_doubt_can_be_taken_as_released(
    taken: Any, error: type[Exception], message: str
) -> None:
    ledger = MemoryRunLedger(ids=["one"])
    run_plan(build_plan(CHAIN, version="1"), ScriptedReleaser(["api"]), ledger)
    with pytest.raises(error, match=message):
        resume_plan(ledger, "one", taken_as_released=taken)


# ---------------------------------------------------------------------- a plan that was run, a plan that was read


def half_done() -> MemoryRunLedger:
    ledger = MemoryRunLedger(ids=["one", "two", "three", "four", "five"])
    run_plan(build_plan(CHAIN, version="1"), ScriptedReleaser(["core"]), ledger, tags={"train": "spring"})
    return ledger


def test_a_resume_plan_is_not_run_a_second_time_in_silence() -> None:
    ledger = half_done()
    plan, partly = resume_plan(ledger, "one"), resume_plan(ledger, "one").without("docs")
    run_plan(plan, ScriptedReleaser(["api"]), ledger)  # core and docs are out
    for again in (plan, partly, SequencePlan.from_json(plan.to_json())):
        runs = len(ledger.list_runs())
        with pytest.raises(
            ValueError, match=r"resumes run 'one', and so did run 'two', which has released 'core'.*resume_plan\(ledger"
        ):
            run_plan(again, ScriptedReleaser(), ledger)
        assert len(ledger.list_runs()) == runs
    rest = resume_plan(ledger, "one")
    assert rest.released == ["api", "app"]
    run_plan(rest, ScriptedReleaser(), ledger)
    assert resume_plan(ledger, "one").released == []


def test_a_plan_that_released_nothing_may_be_run_again() -> None:
    ledger = half_done()
    plan = resume_plan(ledger, "one")
    run_plan(plan, ScriptedReleaser(["core"]), ledger)
    assert run_plan(plan, ScriptedReleaser(), ledger).overall_success
    assert trains_frame(ledger)[["n_runs", "left"]].to_numpy().tolist() == [[3, 0]]


def test_what_another_run_of_the_chain_released_counts_whichever_it_resumed() -> None:
    ledger = half_done()
    old = resume_plan(ledger, "one")
    run_plan(old, ScriptedReleaser(["core"]), ledger)
    run_plan(resume_plan(ledger, "two"), ScriptedReleaser(["docs"]), ledger)  # three resumes two, not one
    with pytest.raises(ValueError, match="so did run 'three'"):
        run_plan(old, ScriptedReleaser(), ledger)


def test_what_was_decided_to_be_out_counts_as_released() -> None:
    ledger = half_done()
    old = resume_plan(ledger, "one")
    run_plan(resume_plan(ledger, "one", taken_as_released="core").without(["api", "docs"]), ScriptedReleaser(), ledger)
    with pytest.raises(ValueError, match="so did run 'two', which has released 'core', 'app' since"):
        run_plan(old, ScriptedReleaser(), ledger)


def test_another_ledger_knows_nothing_of_it(tmp_path: Path) -> None:
    ledger = half_done()
    plan = resume_plan(ledger, "one")
    run_plan(plan, ScriptedReleaser(), ledger)
    assert run_plan(plan, ScriptedReleaser(), tmp_path / "other.db").overall_success
    assert run_plan(build_plan(CHAIN, version="1"), ScriptedReleaser(), ledger).overall_success  # no resume plan


def test_json_keeps_what_a_plan_resumes_so_that_the_train_stays_one() -> None:
    ledger = half_done()
    plan = resume_plan(ledger, "one", taken_as_released="core")
    for read in (SequencePlan.from_json(plan.to_json()), ResumePlan.from_json(plan.to_json().encode())):
        assert isinstance(read, ResumePlan)
        assert read == plan
        assert (read.plan_id, read.resumes, read.train) == (plan.plan_id, "one", "spring")
        assert (read.taken_as_released, read.in_doubt, read.run_tags) == (("core",), (), plan.run_tags)
        assert read.reasons.equals(plan.reasons)
        assert (repr(read), read._repr_html_()) == (repr(plan), plan._repr_html_())
        assert read.to_json() == plan.to_json()
        assert read.without("app").reasons.equals(plan.without("app").reasons)
    run_plan(read, ScriptedReleaser(), ledger)
    assert trains_frame(ledger)[["train", "n_runs", "left"]].to_numpy().tolist() == [["spring", 2, 0]]


@given(trains(), st.booleans())
def test_any_resume_plan_comes_back_from_json(train: Train, retry: bool) -> None:
    ledger = MemoryRunLedger(ids=["one"])
    run_plan(train.plan, ScriptedReleaser(list(train.failing)), ledger, policy=train.policy)
    plan = resume_plan(ledger, "one")
    read = SequencePlan.from_json(plan.to_json())
    assert isinstance(read, ResumePlan)
    assert (read, read.run_tags) == (plan, plan.run_tags)
    assert read.reasons.equals(plan.reasons)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content.pop("reasons"), "not a plan: reasons: Field required"),
        (lambda content: content["reasons"].pop("api"), "not a plan: reasons lacks 'api', expected one for each"),
        (lambda content: content["reasons"]["api"].update(reason="bored"), r"not a plan: reasons\.api\.reason: Input"),
        (lambda content: content.update(resumes=7), "not a plan: resumes: Input should be a valid string"),
        (lambda content: content.update(taken_as_released="api"), "not a plan: taken_as_released: Input should be"),
        (lambda content: content.pop("items"), "not a plan: items: Field required"),
    ],
)
def test_what_is_no_resume_plan_is_refused(change: Any, message: str) -> None:
    content = json.loads(resume_plan(half_done(), "one").to_json())
    change(content)
    with pytest.raises(ValueError, match=message):
        SequencePlan.from_json(json.dumps(content))


def test_a_plan_that_resumes_nothing_is_no_resume_plan() -> None:
    plan = build_plan(CHAIN, version="1")
    assert type(SequencePlan.from_json(plan.to_json())) is SequencePlan
    with pytest.raises(ValueError, match=r"not a ResumePlan: it has no 'resumes'; SequencePlan\.from_json reads any"):
        ResumePlan.from_json(plan.to_json())


# ---------------------------------------------------------------------- chains of runs that were broken off


def boom(_: RunEvent) -> None:
    raise RuntimeError("the callback is broken")


def test_a_decision_counts_whatever_a_run_in_between_came_to() -> None:
    ledger = MemoryRunLedger(ids=["mon", "a", "b"])
    run_plan(build_plan(CHAIN, version="1"), ScriptedReleaser({"api": "red", "docs": "upload timed out"}), ledger)
    first, decided = resume_plan(ledger, "mon"), resume_plan(ledger, "mon", taken_as_released="docs")

    def at_a_failure(event: RunEvent) -> None:
        if event.kind == "NodeFailed":
            raise RuntimeError

    with pytest.raises(RuntimeError):  # breaks off before docs
        run_plan(first, ScriptedReleaser(["api"]), ledger, on_event=at_a_failure)
    run_plan(decided, 0.0, ledger)
    assert resume_plan(ledger, "mon").released == []
    assert trains_frame(ledger)[["planned", "released", "left"]].to_numpy().tolist() == [[4, 4, 0]]


def test_what_failed_can_be_taken_as_released_though_the_next_run_did_not_come_to_it() -> None:
    ledger = MemoryRunLedger(ids=["monday", "tuesday"])
    run_plan(build_plan(CHAIN, version="1"), ScriptedReleaser({"api": "red", "docs": "x"}), ledger)
    with pytest.raises(RuntimeError):
        run_plan(resume_plan(ledger, "monday"), ScriptedReleaser(), ledger, on_event=boom)
    plan = resume_plan(ledger, "monday", in_doubt="retry", taken_as_released=["docs"])
    assert (plan.released, plan.taken_as_released) == (["api", "app"], ("docs",))
    with pytest.raises(ValueError, match=r"'app', which is not reached there \(run 'tuesday'\); .*: 'api', 'docs'"):
        resume_plan(ledger, "monday", in_doubt="retry", taken_as_released=["app"])


def test_a_plan_whose_run_left_something_in_doubt_is_not_run_again() -> None:
    ledger = half_done()
    plan = resume_plan(ledger, "one")

    def hang(repo: str, *_: str) -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_plan(plan, hang, ledger)
    with pytest.raises(ValueError, match="so did run 'two', which has left 'core' in doubt; make a new plan"):
        run_plan(plan, ScriptedReleaser(), ledger)
    assert run_plan(resume_plan(ledger, "one", in_doubt="retry"), ScriptedReleaser(), ledger).overall_success


@pytest.mark.parametrize("tags", [{"resumes": "ticket-7"}, {"resumes": None}, {"taken_as_released": []}])
def test_tags_do_not_cut_a_plan_from_what_it_resumes(tags: dict[str, Any]) -> None:
    ledger = half_done()
    plan = resume_plan(ledger, "one", taken_as_released="core")
    with pytest.raises(ValueError, match=r"tags has \w+=.*, expected .*, as the plan says: leave it out"):
        run_plan(plan, ScriptedReleaser(), ledger, tags=tags)
    assert len(ledger.list_runs()) == 1
    with pytest.raises(TypeError, match="tags is 'abc', expected a mapping"):
        run_plan(plan, ScriptedReleaser(), ledger, tags="abc")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content.update(resumes="other"), "resumes is 'other', expected the originating_run_id"),
        (lambda content: content.update(taken_as_released=["api"]), "taken_as_released has 'api', which the plan rel"),
    ],
)
def test_a_file_that_contradicts_itself_is_no_resume_plan(change: Any, message: str) -> None:
    content = json.loads(resume_plan(half_done(), "one").to_json())
    change(content)
    with pytest.raises(ValueError, match=message):
        SequencePlan.from_json(json.dumps(content))


def test_what_a_later_run_released_is_fixed_even_where_clocks_disagree() -> None:
    ledger = half_done()
    run_plan(resume_plan(ledger, "one"), ScriptedReleaser(), ledger)
    runs = ledger.list_runs()
    moved = [
        (run.run_id, event.model_copy(update={"timestamp": event.timestamp + timedelta(hours=run.run_id == "one")}))
        for run in runs
        for event in ledger.get_events(run.run_id)
    ]
    train = trains_frame(MemoryRunLedger.from_records(runs, moved)).iloc[0]
    assert (train["fixed"], train["median_time_to_fix"]) == (1, pd.NaT)


# ---------------------------------------------------------------------- failed, and perhaps out


DOUBTFUL = ["enter core", "exit core", "enter api", "process api", "hang api", "enter docs", "doubt docs"]
DOUBTFUL += ["skip app api"]


def doubtful(*more: str, status: str = "FAILED") -> MemoryRunLedger:
    return written(may=Run(build_plan(CHAIN, version="1"), [*DOUBTFUL, *more], status))


def test_a_failure_in_doubt_must_be_decided_as_an_open_entry_must() -> None:
    ledger = doubtful()
    with pytest.raises(
        ValueError,
        match=r"run 'may' left repos in doubt, failed and perhaps out all the same \(2\): 'api', 'docs'; may still be "
        r"running: 'api' \(process 4711 on ci-3, start time 12.5\); look whether .*in_doubt=\"check\" with check=",
    ):
        resume_plan(ledger, "may")
    again = resume_plan(ledger, "may", in_doubt="retry")
    assert again.in_doubt == ("api", "docs")
    assert again.reasons["reason"].tolist() == ["in_doubt", "in_doubt", "blocked"]
    assert again.reasons["error"].dropna().to_dict() == {"api": "timed out after 30 s", "docs": "the answer was lost"}
    assert repr(again).endswith("3 repos left of run may: 2 in doubt, 1 blocked)")
    assert SequencePlan.from_json(again.to_json()).reasons.equals(again.reasons)
    over = resume_plan(ledger, "may", in_doubt="done")
    assert (over.released, over.taken_as_released) == (["app"], ("api", "docs"))
    one = resume_plan(ledger, "may", in_doubt="retry", taken_as_released="docs")
    assert (one.released, one.taken_as_released) == (["api", "app"], ("docs",))
    assert STATUS_STYLES["in_doubt"].colour in again._repr_html_()


def test_what_came_out_late_is_not_planned_again() -> None:
    ledger = doubtful("late api", "stopped docs")
    plan = resume_plan(ledger, "may")
    assert plan.reasons["reason"].astype(str).to_dict() == {"docs": "failed", "app": "blocked"}
    assert plan.in_doubt == plan.taken_as_released == ()
    with pytest.raises(ValueError, match=r"'api', which is released there \(run 'may'\)"):
        resume_plan(ledger, "may", taken_as_released="api")
    run_plan(plan, ScriptedReleaser(), ledger)
    assert resume_plan(ledger, "may").released == []
    assert audit(ledger).ok


@pytest.mark.parametrize("is_async", [True, False, "handed on"])
def test_a_check_decides_each_and_is_asked_of_all_at_once_and_again_as_in_a_run(is_async: Any) -> None:
    told: list[tuple[str, str]] = []
    under_way: list[str] = []
    lags = 0

    def answer(repo: str, version: str) -> str | None:
        told.append((repo, version))
        return "run-7" if repo == "api" and len(told) > lags else None

    async def check(repo: str, version: str) -> str | None:
        under_way.append(repo)
        while len(told) < 2 and len(under_way) < 2:
            await asyncio.sleep(0)
        return answer(repo, version)

    given = {True: check, False: answer, "handed on": lambda repo, version: check(repo, version)}[is_async]
    plan = resume_plan(doubtful(), "may", in_doubt="check", check=given, check_wait=0)
    assert (plan.released, plan.taken_as_released, plan.in_doubt) == (["docs", "app"], ("api",), ("api", "docs"))
    assert sorted(told) == [("api", "1"), ("docs", "1")]  # without a wait each is believed at once
    assert plan.run_tags["taken_as_released"] == ["api"]

    told, under_way, lags = [], [], 2
    both = [("api", "1"), ("docs", "1")]
    answers = doubt.asked(given, both, wait=0.007, now=lambda: 0.0)  # however slow the machine is
    assert [one.released_as for one in answers] == ["run-7", None]
    assert sorted(told[:2]) == sorted(told[2:4]) == both
    assert told[4:] == [("docs", "1")] * 2  # after 1/7, 3/7 and all of the wait
    told, under_way, times = [], [], iter([0.0, 0.007])
    assert doubt.asked(given, both, wait=0.007, now=lambda: next(times)) == [doubt.Answer()] * 2
    assert len(told) == 2  # the questions have taken as long


def test_a_check_works_where_a_loop_is_running_already() -> None:
    async def check(repo: str, version: str) -> str:
        await asyncio.sleep(0)
        return f"run-{repo}"

    async def cell() -> list[str]:
        return resume_plan(doubtful(), "may", in_doubt="check", check=check, check_wait=0).released

    assert asyncio.run(cell()) == ["app"]


def test_the_releaser_is_asked_where_no_check_is_given() -> None:
    class Registry(ScriptedReleaser):
        async def check(self, repo: str, version: str) -> str | None:
            return f"v-{repo}" if repo == "docs" else None

    plan = resume_plan(doubtful(), "may", in_doubt="check", releaser=Registry(), check_wait=0)
    assert (plan.released, plan.taken_as_released) == (["api", "app"], ("docs",))
    with pytest.raises(ValueError, match="check is None"):
        resume_plan(doubtful(), "may", in_doubt="check", releaser=ScriptedReleaser())


def test_a_check_that_does_not_tell_is_refused_with_what_it_said() -> None:
    def check(repo: str, version: str) -> Any:
        if repo == "api":
            raise OSError("the registry is down")
        return 7

    with pytest.raises(
        ValueError,
        match=r"check does not tell whether they are out \(2\): 'api' \(raised: the registry is down\), 'docs' "
        r"\(answered 7 \(int\), expected an id or None\); may still be running: 'api'",
    ):
        resume_plan(doubtful(), "may", in_doubt="check", check=check, check_wait=0)
    with pytest.raises(ValueError, match=r"\(1\): 'api' \(answered '' \(str\)"):
        resume_plan(
            doubtful(), "may", in_doubt="check", check=lambda repo, _: "" if repo == "api" else "x", check_wait=0
        )

    def interrupted(repo: str, version: str) -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        resume_plan(doubtful(), "may", in_doubt="check", check=interrupted)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="missing: /proc, which tells who is alive")
def test_what_is_not_out_but_still_being_released_is_not_released_beside_that() -> None:
    ledger, plan = MemoryRunLedger(), build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1")

    def resumed() -> ResumePlan:
        [run] = ledger.list_runs()
        return resume_plan(ledger, run.run_id, in_doubt="check", check=lambda *_: None, check_wait=0)

    async def main() -> None:
        run = asyncio.ensure_future(execute_plan(plan, CommandReleaser(["sleep", "600"]), ledger))
        while not any(event.kind == "NodeProcess" for event in events()):
            await asyncio.sleep(0.01)
        with pytest.raises(
            ValueError,
            match=r"check does not tell whether they are out \(1\): 'core' \(it is not out, and its process is still "
            r"running\); may still be running: 'core' \(process \d+ on",
        ):
            resumed()
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run

    def events() -> list[RunEvent]:
        return [event for run in ledger.list_runs() for event in ledger.get_events(run.run_id)]

    asyncio.run(main())
    assert resumed().released == ["core", "api"], "once it has ended, the answer is believed"


def test_a_check_that_nobody_needs_is_not_asked_and_a_wrong_one_named() -> None:
    def never(repo: str, version: str) -> str:
        raise AssertionError

    assert resume_plan(doubtful("late api", "late docs"), "may", in_doubt="check", check=never).released == ["app"]
    taken = ["api", "docs"]
    assert resume_plan(doubtful(), "may", None, "check", taken, never).released == ["app"]
    with pytest.raises(ValueError, match='in_doubt is "check" and check is None, expected a function'):
        resume_plan(doubtful(), "may", in_doubt="check")
    with pytest.raises(ValueError, match='check is given and in_doubt is "retry"'):
        resume_plan(doubtful(), "may", in_doubt="retry", check=never)
    with pytest.raises(TypeError, match="check is 'npm view', expected a function of"):
        resume_plan(doubtful(), "may", in_doubt="check", check="npm view")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="check_wait is -1"):
        resume_plan(doubtful(), "may", in_doubt="check", check=never, check_wait=-1)


def test_a_doubt_lasts_through_a_chain_and_a_plan_made_before_is_refused() -> None:
    plan = build_plan(CHAIN, version="1")
    ledger = doubtful()
    rest = resume_plan(ledger, "may", in_doubt="retry")
    # A run of the chain that did not come to it leaves the doubt; one that tried it to a certain end takes it away.
    steps = {"june": ["enter docs", "exit docs"], "july": ["enter api", "fail api", "skip app api"]}
    runs = {run: Run(rest, own, "CANCELLED", tags={"resumes": "may"}) for run, own in steps.items()}
    chain = written(may=Run(plan, DOUBTFUL), **{"june": runs["june"]})
    with pytest.raises(ValueError, match=r"failed and perhaps out all the same \(1\): 'api'"):
        resume_plan(chain, "may")
    chain = written(may=Run(plan, DOUBTFUL), **runs)
    assert resume_plan(chain, "may").reasons["reason"].astype(str).to_dict() == {"api": "failed", "app": "blocked"}
    with pytest.raises(ValueError, match=r"and so did run 'june', which has released 'docs' since"):
        rest.check_ledger(chain)
    doubt_again = {"june": Run(rest, ["enter docs", "doubt docs"], tags={"resumes": "may"})}
    with pytest.raises(ValueError, match=r"and so did run 'june', which has left 'docs' in doubt"):
        rest.check_ledger(written(may=Run(plan, DOUBTFUL), **doubt_again))
    rest.check_ledger(ledger)
    # What the resumed run itself released since: it was not dead when the plan was made.
    with pytest.raises(ValueError, match=r"resumes run 'may', which has released 'api' since; make a new plan"):
        rest.check_ledger(doubtful("late api"))
    late = {"june": Run(rest, ["enter api", "hang api", "late api"], tags={"resumes": "may"})}
    assert resume_plan(written(may=Run(plan, DOUBTFUL), **late), "may", in_doubt="retry").released == ["docs", "app"]
