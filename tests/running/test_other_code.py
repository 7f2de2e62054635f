"""What other people's code may do to a run, and what the record says then: releasers, listeners, clocks."""

from __future__ import annotations

import asyncio
import enum
import functools
import gc
import unittest.mock
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from seqkit import (
    ContentDigest,
    MemoryRunLedger,
    Release,
    RepoDependencyGraph,
    RunStatus,
    ScriptedReleaser,
    SequencePlan,
    SqlRunLedger,
    audit,
    build_plan,
    execute_plan,
    run_plan,
)

PLAN = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("api", "app"), ("core", "docs")]), version="1.0")


def told(ledger: Any) -> list[tuple[str, str]]:
    [run] = ledger.list_runs()
    return [(event.kind, event.payload["node_id"]) for event in ledger.get_events(run.run_id)]


def ended(ledger: Any) -> RunStatus:
    [run] = ledger.list_runs()
    return run.status


def plain_all_through(value: Any) -> bool:
    if isinstance(value, dict):
        return all(type(key) is str and plain_all_through(inner) for key, inner in value.items())
    if isinstance(value, list):
        return all(map(plain_all_through, value))
    return value is None or type(value) in (str, int, float, bool)


@pytest.fixture(params=["memory", "sqlite"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    return MemoryRunLedger() if request.param == "memory" else SqlRunLedger(tmp_path / "runs.db")


# ---------------------------------------------------------------------- texts


class Shouts(str):
    """Prints as something else."""

    __slots__ = ()

    def __str__(self) -> str:
        return "LOUD"

    def __repr__(self) -> str:
        raise ZeroDivisionError

    def __format__(self, spec: str) -> str:
        raise ZeroDivisionError


class Word(enum.StrEnum):
    API = "api"


class Old(str, enum.Enum):  # noqa: UP042  # the two differ in how they print
    API = "api"


SUBCLASSES = [np.str_, Shouts, lambda text: Word(text) if text == "api" else text, lambda text: Old.API]


@pytest.mark.parametrize("made", SUBCLASSES)
def test_ids_of_any_class_of_text_are_recorded_as_plain_text(ledger: Any, made: Callable[[str], str]) -> None:
    outcome = run_plan(PLAN, lambda *_: made("api"), ledger)
    assert {status.run_id for status in outcome.statuses} == {"api"}
    assert all(plain_all_through(event.payload) for event in ledger.get_events(outcome.run_id))
    report = audit(ledger)
    assert report.findings.empty, report


def test_digests_and_mocks_as_ids() -> None:
    digest = ContentDigest.of(b"core")
    assert run_plan(PLAN, lambda *_: digest).statuses[0].run_id == digest
    with pytest.raises(TypeError, match="the releaser returned <Mock"):
        run_plan(PLAN, lambda *_: unittest.mock.Mock(spec=str))


@pytest.mark.parametrize("made", SUBCLASSES)
def test_names_of_any_class_of_text_make_plain_plans(made: Callable[[str], str]) -> None:
    name = made("api")
    graph = RepoDependencyGraph()
    for repo in ("core", name):
        graph.add_node(repo, version=name)
    graph.add_dependency("core", name)
    of_edges = RepoDependencyGraph.from_edges([("core", name)])
    releases = [("core", name, name, name), (name, name, name, name)]
    for plan in (
        build_plan(graph),
        build_plan(of_edges, version=name),
        build_plan(of_edges, releases, originating_run_id=name),
        build_plan(
            of_edges, pd.DataFrame(releases, columns=["repo_id", "version_label", "spec_digest", "promoted_by"])
        ),
    ):
        assert plain_all_through([list(edge) for edge in plan.edges])
        ledger = MemoryRunLedger()
        outcome = run_plan(plan, {"core": 0.0}, ledger)
        assert outcome.succeeded == ["core", "api"]
        assert plain_all_through(ledger.list_runs()[0].metadata.tags)
        assert audit(ledger).findings.empty


class Raises(Exception):
    def __str__(self) -> str:
        raise ZeroDivisionError


class NoText(Exception):
    def __str__(self) -> str:
        return 7  # type: ignore[return-value]  # noqa: PLE0307  # which is the case


class Endless(Exception):
    def __str__(self) -> str:
        return str(self)


class Subclass(Exception):
    def __str__(self) -> str:
        return Shouts("tests are red")


class Empty(Exception):
    def __str__(self) -> str:
        return ""


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Raises(), "Raises"),
        (NoText(), "NoText"),
        (Endless(), "Endless"),
        (Empty(), "Empty"),
        (Subclass(), "tests are red"),
        (OSError("v1-\udcff"), "v1-\\udcff"),
        (OSError("\ud83d\ude00"), "\\ud83d\\ude00"),
        (OSError("nul \0 and é"), "nul \0 and é"),
        (OSError("x" * 40_000_000), "x" * 1_000_000 + "… (40,000,000 characters)"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_a_reason_is_text_whatever_the_exception_says(ledger: Any, error: Exception, reason: str) -> None:
    def release(repo: str, *_: str) -> str:
        if repo == "api":
            raise error
        return "x"

    outcome = run_plan(PLAN, release, ledger, attempts=2)
    assert outcome.failures == {"api": reason}
    assert outcome.succeeded == ["core", "docs"]
    assert all(plain_all_through(event.payload) for event in ledger.get_events(outcome.run_id))
    assert audit(ledger).findings.empty


@pytest.mark.parametrize(
    ("returned", "kept"),
    [
        ("\ud83d\ude00", "\\ud83d\\ude00"),
        ("\ud800", "\\ud800"),
        ("v1-\udcff", "v1-\\udcff"),
        ("", ""),
        ("\0", "\0"),
        ("x" * 40_000_000, "x" * 1_000_000 + "… (40,000,000 characters)"),
    ],
    ids=range(6),
)
def test_an_id_is_recorded_whatever_text_it_is(ledger: Any, returned: str, kept: str) -> None:
    outcome = run_plan(PLAN, lambda *_: returned, ledger)
    assert outcome.overall_success
    assert {event.payload["run_id"] for event in ledger.get_events(outcome.run_id)[1::2]} == {kept}
    assert audit(ledger).findings.empty


class NoRepr:
    def __repr__(self) -> str:
        raise ZeroDivisionError


@pytest.mark.parametrize(
    ("returned", "shown"),
    [
        (None, "None (NoneType)"),
        (7, "7 (int)"),
        (b"x", "b'x' (bytes)"),
        (NoRepr(), "something (NoRepr)"),
        (10**5000, "something (int)"),
        ([Shouts("x")], "something (list)"),
        (["x" * 10**6] * 10**6, " (list)"),
    ],
    ids=range(7),
)
def test_what_is_no_id_ends_the_run_and_the_record_is_whole(ledger: Any, returned: object, shown: str) -> None:
    with pytest.raises(TypeError) as caught:
        run_plan(PLAN, lambda *_: returned, ledger, attempts=2)
    assert shown in str(caught.value)
    assert len(str(caught.value)) < 300
    assert told(ledger) == [("NodeEntered", "core"), ("NodeFailed", "core")]
    [run] = ledger.list_runs()
    assert ledger.get_events(run.run_id)[-1].payload["in_doubt"] is True, "it came to its end without an error"
    assert ended(ledger) is RunStatus.FAILED
    assert audit(ledger).ok


HALF = "v1-\udcff"


@pytest.mark.parametrize("field", ["repo_id", "version_label", "spec_digest", "promoted_by"])
def test_half_characters_in_releases_are_refused_when_they_are_named(field: str) -> None:
    graph = RepoDependencyGraph.from_edges([("core", "api")])
    fields = {"repo_id": "core", "version_label": "1.0", "spec_digest": "", "promoted_by": "", field: HALF}
    frame = pd.DataFrame([fields], dtype=object)
    text = PLAN.to_json().replace(f'"{field}": "', f'"{field}": "\\udcff', 1)
    expected = f"{field} is .*udcff.*expected text that UTF-8 can hold"
    for make in (
        lambda: Release(**fields),
        lambda: build_plan(graph, [fields]),
        lambda: build_plan(graph, [tuple(fields.values())]),
        lambda: build_plan(graph, frame),
        lambda: SequencePlan.from_json(text),
    ):
        with pytest.raises(ValueError, match=expected):
            make()


def test_half_characters_elsewhere_are_refused_before_a_run(tmp_path: Path) -> None:
    graph = RepoDependencyGraph.from_edges([("core", "api")])
    versioned = RepoDependencyGraph()
    versioned.add_node("core", version=HALF)
    made: list[tuple[str, Callable[[], object]]] = [
        ("the version of repo 'core'", lambda: build_plan(graph, version=HALF)),
        ("the version of repo 'core'", lambda: build_plan(versioned)),
        ("originating_run_id", lambda: build_plan(graph, version="1", originating_run_id=HALF)),
        ("originating_run_id", lambda: SequencePlan.from_json(PLAN.to_json().replace('"manual"', '"\\udcff"'))),
        ("plan_id", lambda: SequencePlan.from_json(PLAN.to_json().replace('"seq-', '"\\udcff'))),
        ("tags", lambda: run_plan(PLAN, 0.0, tmp_path / "runs.db", tags={"train": HALF})),
        ("tags", lambda: run_plan(PLAN, 0.0, tmp_path / "runs.db", tags={HALF: 1})),
        ("tags", lambda: run_plan(PLAN, 0.0, tmp_path / "runs.db", tags={"a": [{"b": (HALF,)}]})),
    ]
    for argument, make in made:
        with pytest.raises(ValueError, match=f"{argument} is .*udcff.*expected text that UTF-8 can hold"):
            make()
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------------- cancellations of their own


async def cancels_a_task(*_: str) -> str:
    task = asyncio.create_task(asyncio.sleep(600))
    task.cancel()
    await task
    return "x"


async def gives_up(*_: str) -> str:
    raise asyncio.CancelledError("the queue was closed")


async def awaits_a_cancelled_future(*_: str) -> str:
    future = asyncio.get_running_loop().create_future()
    future.cancel()
    return await future


def in_its_thread(*_: str) -> str:
    raise asyncio.CancelledError


async def gathers(*_: str) -> str:
    await asyncio.gather(cancels_a_task(), asyncio.sleep(0))
    return "x"


@pytest.mark.parametrize("release", [cancels_a_task, gives_up, awaits_a_cancelled_future, in_its_thread, gathers])
@pytest.mark.parametrize("beside", [False, True])
def test_a_releasers_own_cancellation_is_a_failure_of_its_release(release: Any, beside: bool) -> None:
    async def cell() -> Any:
        return run_plan(PLAN, release, attempts=2, policy="continue")

    outcome = asyncio.run(cell()) if beside else run_plan(PLAN, release, attempts=2, policy="continue")
    reason = "the queue was closed" if release is gives_up else "CancelledError"
    assert outcome.failures == dict.fromkeys(PLAN.released, reason)
    assert set(outcome.attempts) == {2}
    assert ended(outcome.ledger) is RunStatus.FAILED
    assert audit(outcome.ledger).findings.empty


def test_a_cancellation_of_the_run_is_one_whatever_the_releaser_awaits() -> None:
    ledger = MemoryRunLedger()

    async def release(*_: str) -> str:
        await asyncio.gather(asyncio.sleep(600), asyncio.sleep(600))
        return "x"

    async def main(how: str) -> None:
        task = asyncio.ensure_future(execute_plan(PLAN, release, ledger))
        await asyncio.sleep(0.01)
        if how == "cancel":
            task.cancel()
            await task
        else:
            async with asyncio.timeout(0):
                await task

    for how, error in (("cancel", asyncio.CancelledError), ("timeout", TimeoutError)):
        with pytest.raises(error):
            asyncio.run(main(how))
    assert [run.status for run in ledger.list_runs()] == [RunStatus.CANCELLED] * 2


# ---------------------------------------------------------------------- listeners


async def news(event: Any) -> None:
    raise AssertionError("nobody awaits this")


async def stream(event: Any) -> Any:
    yield event


class AsyncListener:
    async def __call__(self, event: Any) -> None:
        raise AssertionError("nobody awaits this")

    async def hear(self, event: Any) -> None:
        raise AssertionError("nobody awaits this")


@pytest.mark.parametrize(
    "on_event",
    [
        news,
        stream,
        AsyncListener(),
        AsyncListener().hear,
        functools.partial(news),
        functools.partial(functools.partial(AsyncListener())),
        unittest.mock.AsyncMock(),
    ],
)
def test_an_async_listener_is_refused_before_the_run(on_event: Any, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="on_event is async, and nobody would await"):
        run_plan(PLAN, 0.0, tmp_path / "runs.db", on_event=on_event)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("on_event", [7, "print", [print]])
def test_a_listener_that_cannot_be_called_is_refused(on_event: Any) -> None:
    with pytest.raises(TypeError, match=r"on_event is .*, expected a function that takes an event"):
        run_plan(PLAN, 0.0, on_event=on_event)


class Awaitable:
    def __await__(self) -> Any:
        yield


@pytest.mark.parametrize("answer", [news, stream, lambda event: Awaitable()])
def test_an_answer_that_nobody_awaits_ends_the_run(ledger: Any, answer: Any) -> None:
    with pytest.raises(TypeError, match=r"on_event returned .*nobody does"):
        run_plan(PLAN, 0.0, ledger, on_event=lambda event: answer(event))
    gc.collect()  # would warn of what was never awaited, which is an error here
    assert ended(ledger) is RunStatus.FAILED
    assert audit(ledger).ok


def test_a_listener_may_start_a_task() -> None:
    heard: list[int] = []

    async def hear(event: Any) -> None:
        heard.append(event.seq)

    async def main() -> Any:
        return await execute_plan(PLAN, 0.0, on_event=lambda event: asyncio.ensure_future(hear(event)))

    assert asyncio.run(main()).overall_success
    assert heard


@pytest.mark.parametrize("seq", range(1, 9))
@pytest.mark.parametrize("error", [ZeroDivisionError("oh"), SystemExit(3), BaseException("oh"), Raises()])
def test_a_listener_that_raises_ends_the_run_and_nothing_is_in_doubt(ledger: Any, seq: int, error: Any) -> None:
    def on_event(event: Any) -> None:
        if event.seq >= seq:
            raise error

    def release(repo: str, *_: str) -> str:
        released.append(repo)
        if repo == "api":
            raise OSError("red")
        return "x"

    released: list[str] = []
    with pytest.raises(type(error)):
        run_plan(PLAN, release, ledger, on_event=on_event, attempts=2)
    assert ended(ledger) is RunStatus.FAILED
    events = told(ledger)
    report = audit(ledger)
    assert report.ok, report
    assert "entries" not in set(report.findings["check"])
    assert [repo for kind, repo in events if kind == "NodeExited"] == [repo for repo in released if repo != "api"]


def test_what_was_not_tried_says_so() -> None:
    def at(kind: str, event: Any) -> None:
        if event.kind == kind:
            raise ZeroDivisionError("the screen is gone")

    for kind, reason in (
        ("NodeEntered", "not tried, as the run broke off: the screen is gone"),
        ("NodeRetrying", "not tried again, as the run broke off: the screen is gone"),
    ):
        ledger = MemoryRunLedger()
        with pytest.raises(ZeroDivisionError):
            run_plan(PLAN, ScriptedReleaser(["core"]), ledger, attempts=3, on_event=functools.partial(at, kind))
        last = ledger.get_events(ledger.list_runs()[0].run_id)[-1]
        assert (last.kind, last.payload["error"]) == ("NodeFailed", reason)


def spoil(event: Any) -> None:
    for value in list(event.payload.values()):
        if isinstance(value, list):
            value.append("forged")
    event.payload["node_id"] = "forged"
    event.payload.pop("version", None)
    event.__dict__["seq"] = 99


@pytest.mark.parametrize("on_event", [lambda event: event.payload.clear(), spoil])
def test_a_listener_cannot_change_the_record(ledger: Any, on_event: Any) -> None:
    outcome = run_plan(PLAN, ScriptedReleaser(["api"]), ledger, on_event=on_event, attempts=2)
    assert (outcome.succeeded, outcome.skipped) == (["core", "docs"], ["app"])
    assert told(ledger) == told(run_plan(PLAN, ScriptedReleaser(["api"]), attempts=2).ledger)
    assert audit(ledger).findings.empty


# ---------------------------------------------------------------------- clocks


class Nowhere(tzinfo):
    def utcoffset(self, when: datetime | None) -> timedelta | None:
        raise ZeroDivisionError


async def async_clock() -> datetime:
    return datetime.now(UTC)


CLOCKS = {
    "naive": (datetime.now, ValueError),
    "seconds": (lambda: 1.7e9, TypeError),
    "text": (lambda: "2026-01-01T00:00:00Z", TypeError),
    "none": (lambda: None, TypeError),
    "date": (lambda: datetime.now(UTC).date(), TypeError),
    "NaT": (lambda: pd.NaT, ValueError),
    "out of range": (lambda: datetime.min.replace(tzinfo=timezone(timedelta(hours=5))), ValueError),
    "a zone that fails": (lambda: datetime(2026, 1, 1, tzinfo=Nowhere()), ValueError),
    "async": (async_clock, TypeError),
}


@pytest.mark.parametrize("name", CLOCKS)
def test_a_clock_that_is_none_is_refused_before_the_run(name: str, tmp_path: Path) -> None:
    clock, error = CLOCKS[name]
    for ledger in (None, tmp_path / "runs.db"):
        with pytest.raises(error, match=r"clock tells .*expected an aware datetime, such as datetime.now\(UTC\)"):
            run_plan(PLAN, 0.0, ledger, clock=clock)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("clock", [7, "now", datetime(2026, 1, 1, tzinfo=UTC)])
def test_a_clock_that_cannot_be_called_is_refused(clock: Any) -> None:
    for make in (lambda: run_plan(PLAN, 0.0, clock=clock), lambda: MemoryRunLedger(clock=clock)):
        with pytest.raises(TypeError, match=r"clock is .*, expected a function that tells the time"):
            make()


def broken_after(n: int, then: Callable[[], Any]) -> Callable[[], Any]:
    left = [n]

    def clock() -> Any:
        left[0] -= 1
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=n - left[0]) if left[0] >= 0 else then()

    return clock


def stops() -> datetime:
    raise OSError("the clock stands still")


@pytest.mark.parametrize("n", range(1, 14))
@pytest.mark.parametrize("then", [stops, datetime.now, lambda: None], ids=["raises", "naive", "none"])
def test_a_clock_that_fails_later_ends_the_run_and_loses_nothing(n: int, then: Any, tmp_path: Path) -> None:
    for ledger in (None, SqlRunLedger(tmp_path / "runs.db")):
        released: list[str] = []
        kept: list[Any] = []

        def release(repo: str, *_: str) -> str:
            released.append(repo)
            return "x"

        def on_event(event: Any) -> None:
            kept.append(event)

        made = MemoryRunLedger(clock=None) if ledger is None else ledger
        try:
            run_plan(PLAN, release, made, clock=broken_after(n, then), on_event=on_event)
        except (OSError, TypeError, ValueError):
            assert ended(made) is RunStatus.FAILED
        else:
            assert ended(made) is RunStatus.COMPLETED
        assert [repo for kind, repo in told(made) if kind == "NodeExited"] == released
        report = audit(made)
        assert report.ok, report.findings.to_dict("records")


@pytest.mark.parametrize("n", [1, 2, 5])
def test_a_ledgers_clock_that_fails_does_not_keep_a_run_open(n: int, tmp_path: Path) -> None:
    clock = broken_after(1, stops)
    for ledger in (MemoryRunLedger(clock=clock), SqlRunLedger(tmp_path / "runs.db", clock=broken_after(1, stops))):
        assert run_plan(PLAN, 0.0, ledger).overall_success
        assert ended(ledger) is RunStatus.COMPLETED


def test_a_clock_that_runs_backwards_stands_still_in_the_record() -> None:
    left = iter(range(1000, 0, -1))
    outcome = run_plan(PLAN, 0.0, clock=lambda: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=next(left)))
    assert len({event.timestamp for event in outcome.ledger.get_events(outcome.run_id)}) == 1
    assert audit(outcome.ledger).findings.empty


# ---------------------------------------------------------------------- no loop


def test_without_an_asyncio_loop_execute_plan_says_so_before_the_run(tmp_path: Path) -> None:
    for releaser in (lambda *_: "x", 0.0, gives_up):
        coroutine = execute_plan(PLAN, releaser, tmp_path / "runs.db")
        with pytest.raises(RuntimeError, match=r"needs a running asyncio event loop.*call run_plan"):
            coroutine.send(None)
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------------- every way to break off


@pytest.mark.parametrize("returned", [None, SystemExit, BaseException])
@pytest.mark.parametrize("skips", [True, False])
@pytest.mark.parametrize("policy", ["skip_dependents", "stop", "continue"])
def test_a_run_that_broke_off_anywhere_is_no_forgery(returned: Any, skips: bool, policy: Any) -> None:
    edges = [("a", "c"), ("b", "c"), ("c", "d"), ("b", "e"), ("e", "f"), ("d", "f"), ("g", "h")]
    plan = build_plan(RepoDependencyGraph.from_edges(edges), version="1.0")
    for at in plan.released:
        for failing in plan.released:

            def release(repo: str, *_: str) -> Any:
                if repo == at:
                    if returned is None:
                        return None
                    raise returned("bye")
                if repo == failing:
                    raise OSError("red")
                return "x"

            ledger = MemoryRunLedger()
            try:
                run_plan(plan, release, ledger, record_skips=skips, policy=policy)
            except BaseException:
                assert ended(ledger) is RunStatus.FAILED
            report = audit(ledger)
            assert report.ok, (at, failing, report.findings.to_dict("records"))
