"""Who is told which try it is; and one releaser that several runs share."""

from __future__ import annotations

import asyncio
import functools
import threading
from typing import Any

import pytest

from seqkit import RepoDependencyGraph, SequencePlan, SimulatedReleaser, build_plan, run_plan
from seqkit.running.executor import execute_plan

PLAN = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs"), ("api", "app")]), version="1.0")
ONE = build_plan(RepoDependencyGraph.from_edges([], nodes=["core"]), version="1.0")


def tried(releaser: Any, heard: list[Any], attempts: int = 3) -> list[Any]:
    """Run one repo, which fails at each try, and give what the releaser heard."""
    heard.clear()
    assert run_plan(ONE, releaser, attempts=attempts).failures == {"core": "red"}
    return heard[:]


HEARD: list[Any] = []


def fail(attempt: object = "not told") -> str:
    HEARD.append(attempt)
    raise OSError("red")


def plain(repo_id: str, version: str, digest: str, by: str, attempt: int) -> str:
    return fail(attempt)


async def coroutine(repo_id: str, version: str, digest: str, by: str, attempt: int = 1) -> str:
    return fail(attempt)


def keyword_only(*about: str, attempt: int) -> str:
    return fail(attempt)


def before(extra: str, repo_id: str, version: str, digest: str, by: str, attempt: int) -> str:
    return fail(attempt)


class Method:
    def release(self, repo_id: str, version: str, digest: str, by: str, attempt: int = 1) -> str:
        return fail(attempt)


class AsyncMethod:
    async def release(self, repo_id: str, version: str, digest: str, by: str, *, attempt: int, **more: object) -> str:
        return fail(attempt)


class Call:
    def __call__(self, repo_id: str, version: str, digest: str, by: str, attempt: int) -> str:
        return fail(attempt)


class AsyncCall:
    async def __call__(self, repo_id: str, version: str, digest: str, by: str, attempt: int) -> str:
        return fail(attempt)


class Static:
    @staticmethod
    def release(repo_id: str, version: str, digest: str, by: str, attempt: int) -> str:
        return fail(attempt)


@functools.wraps(plain)
def hands_on(*arguments: Any, **named: Any) -> str:
    return plain(*arguments, **named)


@functools.wraps(coroutine)
async def hands_on_async(*arguments: Any, **named: Any) -> str:
    return await coroutine(*arguments, **named)


@pytest.mark.parametrize(
    "releaser",
    [
        plain,
        coroutine,
        keyword_only,
        functools.partial(before, "extra"),
        functools.partial(functools.partial(before, "extra")),
        functools.partial(coroutine),
        Method(),
        Method().release,
        AsyncMethod(),
        Call(),
        AsyncCall(),
        Static(),
        hands_on,
        hands_on_async,
        lambda repo_id, version, digest, by, attempt: fail(attempt),
        lambda *about, attempt=1: coroutine(*about, attempt=attempt),  # a plain function that hands on a coroutine
    ],
)
def test_a_release_with_a_parameter_attempt_is_told_which_try_it_is(releaser: Any) -> None:
    assert tried(releaser, HEARD) == [1, 2, 3]


@functools.wraps(plain)
def hides(repo_id: str, version: str, digest: str, by: str) -> str:
    return plain(repo_id, version, digest, by, 7)


@functools.wraps(coroutine)
def takes_no_names(*arguments: Any) -> Any:
    return coroutine(*arguments)


def by_place(repo_id: str, version: str, digest: str, attempt: str) -> str:
    return fail(attempt)  # a name of its own for who promoted it


def positional_only(repo_id: str, version: str, digest: str, by: str, attempt: int = 5, /) -> str:
    return fail(attempt)


@pytest.mark.parametrize(
    ("releaser", "heard"),
    [
        (lambda *about: fail(), "not told"),
        (lambda *about, **named: fail(named), {}),  # it has no such parameter
        (hides, 7),
        (takes_no_names, 1),
        (by_place, ""),
        (positional_only, 5),
    ],
)
def test_others_are_not(releaser: Any, heard: object) -> None:
    assert tried(releaser, HEARD) == [heard] * 3


def test_what_wants_more_than_the_attempt_is_refused() -> None:
    with pytest.raises(TypeError, match=r"releaser takes .*attempt, train\).*missing.*expected it to take .*attempt"):
        run_plan(ONE, lambda repo, version, digest, by, attempt, train: "x")  # type: ignore[misc]


def test_the_attempt_of_a_simulated_releaser_is_checked() -> None:
    for attempt in (0, True, 1.5):
        with pytest.raises((TypeError, ValueError), match=r"attempt is .*, expected a whole number from 1"):
            asyncio.run(SimulatedReleaser(0.5, rng=1).release("core", "1", "", "", attempt=attempt))  # type: ignore[arg-type]


# ---------------------------------------------------------------------- one releaser, several runs


def chain(n: int) -> SequencePlan:
    return build_plan(RepoDependencyGraph.from_edges([], nodes=[f"repo-{i}" for i in range(n)]), version="1.0")


def alone(trial: int) -> tuple[Any, ...]:
    outcome = run_plan(chain(30), SimulatedReleaser(0.5, rng=3, trial=trial), attempts=3)
    return outcome.failures, outcome.attempts


class Slow:
    """Another releaser around a simulated one, that lets others go first."""

    def __init__(self, releaser: SimulatedReleaser) -> None:
        self.releaser = releaser

    async def release(self, repo_id: str, version: str, digest: str, by: str, attempt: int) -> str:
        await asyncio.sleep(0)
        return await self.releaser.release(repo_id, version, digest, by, attempt=attempt)


@pytest.mark.parametrize("wrapped", [False, True])
def test_runs_in_one_loop_that_share_a_releaser_go_as_each_alone(wrapped: bool) -> None:
    simulated = SimulatedReleaser(0.5, rng=3)
    releaser = Slow(simulated) if wrapped else simulated

    async def together() -> list[Any]:
        return await asyncio.gather(*(execute_plan(chain(30), releaser, attempts=3) for _ in range(4)))

    expected = alone(0)
    assert len(expected[0]) in range(1, 12)
    assert max(expected[1]) == 3
    assert [(outcome.failures, outcome.attempts) for outcome in asyncio.run(together())] == [expected] * 4


def test_runs_in_threads_that_share_a_releaser_go_as_each_alone() -> None:
    releaser = SimulatedReleaser(0.5, rng=3)
    meet = threading.Barrier(3)
    outcomes: list[Any] = []

    def run() -> None:
        def on_event(event: Any) -> None:
            if event.seq % 10 == 1 and event.seq < 50:
                meet.wait(30)  # so that they are in the middle of it together

        outcomes.append(run_plan(chain(30), releaser, attempts=3, on_event=on_event))

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [(outcome.failures, outcome.attempts) for outcome in outcomes] == [alone(0)] * 3


def test_a_run_that_was_cut_short_leaves_nothing_behind_in_its_releaser() -> None:
    releaser = SimulatedReleaser(0.5, rng=3)

    def stop(event: Any) -> None:
        if event.seq == 9:
            raise OSError("enough")

    with pytest.raises(OSError, match="enough"):
        run_plan(chain(30), releaser, attempts=3, on_event=stop)
    outcome = run_plan(chain(30), releaser, attempts=3)
    assert (outcome.failures, outcome.attempts) == alone(0)


class Begins:
    def __init__(self) -> None:
        self.begun: list[str] = []

    async def start_run(self, run_id: str) -> None:
        await asyncio.sleep(0)
        self.begun.append(run_id)

    async def release(self, repo_id: str, *about: str) -> str:
        return repo_id


def test_start_run_may_be_async() -> None:
    releaser = Begins()
    assert run_plan(PLAN, releaser).run_id == releaser.begun[0]
