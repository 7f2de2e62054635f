import asyncio
import functools
import itertools
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from seqkit import (
    Backend,
    CommonCause,
    FailureModel,
    MemoryRunLedger,
    ReleaseSequencer,
    RepoDependencyGraph,
    RunStatus,
    ScriptedReleaser,
    SimulatedReleaser,
    SqlRunLedger,
    StorageError,
    build_plan,
    execute_plan,
    run_plan,
    what_if,
)


@pytest.fixture
def plan():
    return build_plan(RepoDependencyGraph.from_edges([("a", "b"), ("b", "c"), ("a", "d")]), version="1.0")


def kinds(ledger, run_id=None):
    run_id = run_id or ledger.list_runs()[-1].run_id
    return [(event.kind, event.payload["node_id"]) for event in ledger.get_events(run_id)]


def only_run(ledger):
    [run] = ledger.list_runs()
    return run


def test_events_of_a_run(plan):
    outcome = run_plan(plan, ScriptedReleaser({"b": "red"}))
    assert [(event.seq, event.kind, event.payload) for event in outcome.ledger.get_events(outcome.run_id)] == [
        (1, "NodeEntered", {"node_id": "a", "version": "1.0"}),
        (2, "NodeExited", {"node_id": "a", "run_id": "run-a"}),
        (3, "NodeEntered", {"node_id": "b", "version": "1.0"}),
        (4, "NodeFailed", {"node_id": "b", "error": "release sequencing failed for repo b: red"}),
        (5, "NodeEntered", {"node_id": "d", "version": "1.0"}),
        (6, "NodeExited", {"node_id": "d", "run_id": "run-d"}),
        (7, "NodeSkipped", {"node_id": "c", "blocked_by": ["b"]}),
    ]
    run = outcome.ledger.get_run(outcome.run_id)
    assert (run.status, run.summary.total_events, run.summary.success) == (RunStatus.FAILED, 7, False)


def test_a_ledger_explains_itself(plan):
    outcome = run_plan(plan, 0.0, rng=0, policy="stop", failure_budget=2, attempts=3, tags={"train": "t1"})
    tags = outcome.ledger.get_run(outcome.run_id).metadata.tags
    assert tags["plan_id"] == plan.plan_id
    assert tags["train"] == "t1"
    assert {key: tags["plan"][key] for key in ("policy", "failure_budget", "attempts", "record_skips")} == {
        "policy": "stop",
        "failure_budget": 2,
        "attempts": 3,
        "record_skips": True,
    }
    assert tags["plan"]["edges"] == [["a", "b"], ["a", "d"], ["b", "c"]]
    assert [item["repo_id"] for item in tags["plan"]["items"]] == ["a", "b", "d", "c"]


def test_retries_are_recorded_and_waited_for(plan):
    tries = []

    async def flaky(repo_id, *_):
        tries.append((repo_id, time.monotonic()))
        if repo_id == "b" and len([1 for repo, _ in tries if repo == "b"]) < 3:
            raise RuntimeError("flaky")
        return f"done-{repo_id}"

    outcome = run_plan(plan, flaky, attempts=3, retry_delay=0.02)
    assert outcome.overall_success
    retries = [e.payload for e in outcome.ledger.get_events(outcome.run_id) if e.kind == "NodeRetrying"]
    assert retries == [
        {"node_id": "b", "attempt": 1, "delay_ms": 20, "error": "flaky"},
        {"node_id": "b", "attempt": 2, "delay_ms": 20, "error": "flaky"},
    ]
    first, second, third = [when for repo, when in tries if repo == "b"]
    assert second - first >= 0.02
    assert third - second >= 0.02
    assert outcome.to_frame().set_index("repo_id")["attempts"].to_dict() == {"a": 1, "b": 3, "d": 1, "c": 1}


def test_a_reason_is_the_text_or_else_the_class(plan):
    def release(repo_id, version_label, spec_digest, promoted_by):
        raise KeyError if repo_id == "a" else ValueError("x")

    assert run_plan(plan, release).failures == {"a": "KeyError"}


class Sync:
    def __init__(self):
        self.started = []

    def start_run(self, run_id):
        self.started.append(run_id)

    def release(self, repo_id, version_label, spec_digest, promoted_by):
        return f"{repo_id}@{version_label}"


class AsyncCall:
    async def __call__(self, repo_id, *_):
        return repo_id


async def coroutine_function(repo_id, *_):
    return repo_id


@pytest.mark.parametrize(
    "releaser",
    [
        lambda repo_id, *_: repo_id,
        coroutine_function,
        functools.partial(lambda extra, repo_id, *_: repo_id, "extra"),
        lambda *arguments: coroutine_function(*arguments),
        AsyncCall(),
        Sync(),
        ScriptedReleaser(),
        SimulatedReleaser(0.0),
        0.0,
        0,
        {"a": 0.0},
        FailureModel(),
    ],
)
def test_everything_that_releases(plan, releaser):
    outcome = run_plan(plan, releaser)
    assert outcome.succeeded == ["a", "b", "d", "c"]
    if isinstance(releaser, Sync):
        assert releaser.started == [outcome.run_id]


@pytest.mark.parametrize("releaser", [None, "a", True, object(), Sync, ScriptedReleaser])
def test_what_cannot_release_is_refused_before_a_run_starts(plan, releaser):
    ledger = MemoryRunLedger()
    with pytest.raises(TypeError, match="releaser is"):
        run_plan(plan, releaser, ledger)
    assert ledger.list_runs() == []


def test_wrong_arguments_are_named_before_a_run_starts(plan):
    ledger = MemoryRunLedger()
    for options, message in [
        ({"policy": "retry"}, "policy is 'retry', expected one of"),
        ({"failure_budget": 0}, "failure_budget is 0, expected a whole number from 1"),
        ({"attempts": 0}, "attempts is 0"),
        ({"retry_delay": -1}, "retry_delay is -1, expected seconds from 0"),
        ({"retry_delay": float("nan")}, "retry_delay is nan"),
        ({"tags": {"plan": 1}}, "tags has 'plan', which seqkit writes itself"),
        ({"rng": -1}, "rng is -1"),
        ({"trial": -1}, "trial is -1"),
    ]:
        with pytest.raises(ValueError, match=message):
            run_plan(plan, 0.0, ledger, **options)
    with pytest.raises(ValueError, match="rng is 7, and the releaser has the seed 5 of its own: leave rng out"):
        run_plan(plan, SimulatedReleaser(0.0, rng=5), ledger, rng=7)
    with pytest.raises(TypeError, match="plan is 7, expected a SequencePlan"):
        run_plan(7, 0.0)
    with pytest.raises(TypeError, match="ledger is 7"):
        run_plan(plan, 0.0, 7)
    assert ledger.list_runs() == []


@pytest.mark.parametrize("rate", [-0.1, 1.5, float("nan"), float("inf")])
def test_rates_out_of_range_are_named(plan, rate):
    for model in (rate, {"a": rate}):
        with pytest.raises(ValueError, match=r"expected a probability from 0 to 1"):
            run_plan(plan, model)


def test_a_release_that_returns_no_string_ends_the_run(plan):
    ledger = MemoryRunLedger()
    with pytest.raises(TypeError, match=r"the releaser returned None .* for repo 'a', expected an id"):
        run_plan(plan, lambda *_: None, ledger, attempts=3)
    assert kinds(ledger) == [("NodeEntered", "a"), ("NodeFailed", "a")]
    assert only_run(ledger).status is RunStatus.FAILED


@pytest.mark.parametrize("raised", [SystemExit("bye"), BaseException("odd")])
def test_a_base_exception_fails_the_run_and_goes_on_up(plan, raised):
    ledger = MemoryRunLedger()

    def release(*_):
        raise raised

    with pytest.raises(type(raised)):
        run_plan(plan, release, ledger)
    assert kinds(ledger) == [("NodeEntered", "a"), ("NodeFailed", "a")]
    assert only_run(ledger).status is RunStatus.FAILED


def test_stop_iteration_is_a_failure_like_any_other(plan):
    def release(*_):
        raise StopIteration

    assert "StopIteration" in run_plan(plan, release).failures["a"]


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_a_releaser_that_never_returns_can_be_cancelled(plan, kind, tmp_path):
    ledger = MemoryRunLedger() if kind == "memory" else SqlRunLedger(tmp_path / "runs.db")

    async def hang(repo_id, *_):
        if repo_id == "b":
            await asyncio.Event().wait()
        return repo_id

    async def main():
        task = asyncio.create_task(execute_plan(plan, hang, ledger))
        while not ledger.list_runs() or ("NodeEntered", "b") not in kinds(ledger):
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    run = only_run(ledger)
    assert (run.status, run.summary.success, run.summary.total_events) == (RunStatus.CANCELLED, False, 3)
    assert kinds(ledger)[-1] == ("NodeEntered", "b")  # the entry stays open: it is in doubt
    ledger.close()


def test_a_plain_function_that_never_returns_can_be_cancelled(plan):
    ledger = MemoryRunLedger()
    release, returned = threading.Event(), threading.Event()

    def hang(*_):
        release.wait(600)
        returned.set()

    async def main():
        task = asyncio.create_task(execute_plan(plan, hang, ledger, grace=0.05))
        while not ledger.list_runs() or not kinds(ledger):
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert not returned.is_set(), "nobody waited for it"
    release.set()
    assert only_run(ledger).status is RunStatus.CANCELLED


def test_cancelling_while_the_ledger_writes_loses_nothing(plan, tmp_path):
    writing, gate = threading.Event(), threading.Event()

    class Slow(SqlRunLedger):
        def append_event(self, run_id, event):
            writing.set()
            gate.wait(600)
            super().append_event(run_id, event)

    ledger = Slow(tmp_path / "runs.db")

    async def main():
        task = asyncio.create_task(execute_plan(plan, 0.0, ledger))
        while not writing.is_set():
            await asyncio.sleep(0.001)
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()
        gate.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    run = only_run(ledger)
    assert run.status is RunStatus.CANCELLED
    assert run.summary.total_events == len(ledger.get_events(run.run_id))
    ledger.close()


class FailsAt(MemoryRunLedger):
    def __init__(self, seq, finish=True):
        super().__init__()
        self.seq, self.can_finish = seq, finish

    def append_event(self, run_id, event):
        if event.seq >= self.seq:
            raise Backend("the disk is gone")
        super().append_event(run_id, event)

    def _finish(self, *arguments):
        if not self.can_finish:
            raise Backend("the disk is gone")
        super()._finish(*arguments)


@pytest.mark.parametrize("can_finish", [True, False])
def test_a_ledger_that_fails_half_way(plan, can_finish):
    ledger = FailsAt(4, can_finish)
    with pytest.raises(StorageError, match="the disk is gone") as caught:
        run_plan(plan, ScriptedReleaser(), ledger)
    # b was released, and only its record is missing: both are told.
    assert [(event.kind, event.payload["node_id"]) for event in caught.value.events] == [("NodeExited", "b")]
    assert caught.value.outcome.succeeded == ["a", "b"]
    assert not caught.value.outcome.overall_success
    assert len(kinds(ledger)) == 3
    assert only_run(ledger).status is (RunStatus.FAILED if can_finish else RunStatus.RUNNING)
    assert bool(getattr(caught.value, "__notes__", [])) is not can_finish


def test_a_ledger_that_fails_before_a_release_keeps_it_from_starting(plan):
    released = []

    async def release(repo_id, *_):
        released.append(repo_id)
        return repo_id

    with pytest.raises(StorageError) as caught:
        run_plan(plan, release, FailsAt(3))
    assert released == ["a"]
    assert [item.status.name for item in caught.value.outcome.items] == ["succeeded", "pending", "pending", "pending"]


def test_an_exception_of_the_callback_fails_the_run(plan):
    ledger = MemoryRunLedger()

    def on_event(event):
        if event.seq == 2:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_plan(plan, 0.0, ledger, on_event=on_event)
    assert only_run(ledger).status is RunStatus.FAILED
    assert only_run(ledger).summary.total_events == 2


def test_the_callback_sees_every_event(plan):
    seen = []
    outcome = run_plan(plan, {"b": 1.0}, on_event=seen.append)
    assert seen == outcome.ledger.get_events(outcome.run_id)


def test_run_plan_inside_a_running_loop(plan):
    async def main():
        return run_plan(plan, {"b": 1.0}, rng=3)

    assert asyncio.run(main()).skipped == ["c"]


def test_errors_pass_out_of_a_running_loop(plan):
    async def main():
        run_plan(plan, lambda *_: None)

    with pytest.raises(TypeError, match="the releaser returned None"):
        asyncio.run(main())


@pytest.mark.parametrize("inside_a_loop", [False, True])
def test_ctrl_c_cancels_the_run(tmp_path, inside_a_loop):
    code = textwrap.dedent(f"""
        import asyncio, signal, sys, time
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background may inherit it ignored
        from seqkit import RepoDependencyGraph, build_plan, run_plan
        plan = build_plan(RepoDependencyGraph.from_edges([("a", "b")]), version="1")
        def release(*_):
            print("releasing", flush=True)
            time.sleep(600)
        def go():
            run_plan(plan, release, sys.argv[1], grace=0.1)
        async def main():
            go()
        asyncio.run(main()) if {inside_a_loop} else go()
    """)
    path = tmp_path / "runs.db"
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "releasing\n"
    time.sleep(0.2)
    os.kill(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=300)
    assert "KeyboardInterrupt" in errors
    with SqlRunLedger(path) as ledger:
        assert only_run(ledger).status is RunStatus.CANCELLED
        assert kinds(ledger) == [("NodeEntered", "a")]


def test_the_same_seed_gives_the_same_run_whatever_else_is_planned(plan):
    outcomes = [run_plan(plan, 0.4, rng=11, trial=trial) for trial in range(50)]
    again = [run_plan(plan, 0.4, rng=11, trial=trial) for trial in range(50)]
    assert [o.failures for o in outcomes] == [o.failures for o in again]
    assert len({str(o.failures) for o in outcomes}) > 3
    assert all(o.seed == 11 for o in outcomes)
    smaller = plan.without("b")
    for trial, outcome in enumerate(outcomes):
        less = run_plan(smaller, 0.4, rng=11, trial=trial)
        assert ("a" in less.failures) is ("a" in outcome.failures)
        if not outcome.failures or "d" in outcome.failures:
            assert ("d" in less.failures) is ("d" in outcome.failures)


def test_the_seed_of_a_run_without_one_is_told(plan):
    outcome = run_plan(plan, 0.5)
    assert run_plan(plan, 0.5, rng=outcome.seed).failures == outcome.failures
    assert run_plan(plan, ScriptedReleaser()).seed is None


def test_the_clock_makes_timestamps_and_duration(plan):
    clock = (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=s) for s in itertools.count())
    outcome = run_plan(plan, 0.0, clock=lambda: next(clock))
    run = outcome.ledger.get_run(outcome.run_id)
    stamps = [event.timestamp for event in outcome.ledger.get_events(outcome.run_id)]
    assert stamps == sorted(set(stamps))
    assert run.summary.duration_ms == 9000
    assert (run.created_at, run.completed_at) == (
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2026, 1, 1, 0, 0, 11, tzinfo=UTC),
    )


def test_an_empty_plan_completes():
    plan = build_plan(RepoDependencyGraph())
    outcome = run_plan(plan, 1.0)
    assert outcome.overall_success
    assert (outcome.items, outcome.succeeded, outcome.failed, outcome.skipped) == ((), [], [], [])
    assert only_run(outcome.ledger).status is RunStatus.COMPLETED


def test_items_of_any_status_but_skipped_run_again(plan):
    ran = run_plan(plan, 0.0)
    text = ran.plan.to_json().replace('"pending"', '{"failed": {"reason": "last week"}}')
    again = type(plan).from_json(text)
    assert run_plan(again, 0.0).succeeded == ["a", "b", "d", "c"]


def test_the_sequencer_binds_graph_and_ledger(tmp_path):
    graph = RepoDependencyGraph.from_edges([("a", "b")])
    sequencer = ReleaseSequencer(graph, tmp_path / "runs.db", record_skips=False)
    plan = sequencer.build_plan([("a", "1", "", ""), ("b", "1", "", "")], originating_run_id="o")
    outcome = sequencer.run(plan, {"a": 1.0})
    assert asyncio.run(sequencer.execute_plan(plan, 0.0)).overall_success
    assert [run.status for run in sequencer.ledger.list_runs()] == [RunStatus.FAILED, RunStatus.COMPLETED]
    assert kinds(sequencer.ledger, outcome.run_id) == [("NodeEntered", "a"), ("NodeFailed", "a")]
    with pytest.raises(TypeError, match="a sequencer has its own"):
        sequencer.run(plan, 0.0, ledger=MemoryRunLedger())
    sequencer.ledger.close()


def test_a_common_cause_fails_every_member_that_is_tried(plan):
    model = FailureModel(common_causes=[CommonCause(name="outage", probability=0.5, repos=["a", "d"])])
    struck = [run_plan(plan, model, rng=5, trial=trial, policy="continue", attempts=2) for trial in range(60)]
    assert {tuple(outcome.failures) for outcome in struck} == {(), ("a", "d")}
    assert "common cause: outage" in next(o for o in struck if o.failures).failures["a"]


def test_what_if_and_a_run_agree_on_the_outcome(plan):
    for policy in ("skip_dependents", "stop", "continue"):
        ran = run_plan(plan, ScriptedReleaser(["b"]), policy=policy)
        asked = what_if(plan, "b", policy=policy)
        assert ran.to_frame().drop(columns="reason").equals(asked.to_frame().drop(columns="reason"))


def test_a_releaser_of_the_wrong_shape_is_refused_before_the_run():
    plan = build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1.0")

    class Short:
        async def release(self, repo_id):
            return repo_id

    async def short(repo_id, version_label):
        return repo_id

    ledger = MemoryRunLedger()
    for releaser in (lambda repo_id, version_label: "x", short, Short()):
        with pytest.raises(TypeError, match=r"releaser takes .*missing|releaser takes .*too many.*promoted_by"):
            run_plan(plan, releaser, ledger)
    assert ledger.list_runs() == []
    assert run_plan(plan, lambda *about: f"run-{about[0]}").overall_success


def test_what_run_plan_raises_follows_from_nothing_else():
    plan = build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1.0")
    with pytest.raises(TypeError, match="releaser is") as told:
        run_plan(plan, "nobody")
    assert told.value.__context__ is None
