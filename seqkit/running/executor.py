"""Running a plan: the rules drive, a releaser releases, a ledger keeps the record.

Write-ahead: ``NodeEntered`` is durable before the releaser is called, and how a release ended is
durable before anything that depends on it starts. After a crash the ledger says what is in doubt.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from seqkit.core.draws import Seed
from seqkit.core.model import RunEvent, RunMetadata, spec_digest_of
from seqkit.core.outcome import SequenceOutcome
from seqkit.core.plan import SequencePlan, item_json
from seqkit.core.rules import Rules, Skip, Start
from seqkit.core.terms import Policy, Terms
from seqkit.errors import InvalidRunState, StorageError
from seqkit.ledger import LedgerLike, MemoryRunLedger, RunLedger, as_ledger
from seqkit.ledger.base import Clock, GraphRunRecorder, system_clock
from seqkit.ledger.digest import StateDigest
from seqkit.ledger.story import Story, kind_of
from seqkit.running.releasers import ReleaserLike, RepoReleaser, as_releaser, check_names

__all__ = ["OnEvent", "execute_plan", "run_plan"]

_T = TypeVar("_T")
OnEvent = Callable[[RunEvent], object]


async def execute_plan(
    plan: SequencePlan,
    releaser: ReleaserLike,
    ledger: LedgerLike | None = None,
    rng: Seed | None = None,
    trial: int = 0,
    record_skips: bool = True,
    policy: Policy = "skip_dependents",
    failure_budget: int | None = None,
    attempts: int = 1,
    retry_delay: float = 0.0,
    tags: Mapping[str, Any] | None = None,
    on_event: OnEvent | None = None,
    clock: Clock | None = None,
) -> SequenceOutcome:
    """Run a plan: release each repo after what it needs, and record every step.

    Parameters
    ----------
    plan : SequencePlan
        What to run.
    releaser : RepoReleaser, function, float, mapping or FailureModel
        Who releases. A failure rate or model means a :class:`seqkit.SimulatedReleaser`.
    ledger : RunLedger, path or URL, optional
        Where the run is kept; a new :class:`seqkit.MemoryRunLedger` where None.
    rng, trial
        For a failure rate or model: the seed, and which of its trials to follow.
    record_skips : bool
        Whether skipped repos get a ``NodeSkipped`` event; ``aivcs-core`` writes none.
    policy : {"skip_dependents", "stop", "continue"}
        After a failure: skip what depends on it, start nothing new, or go on regardless.
    failure_budget : int, optional
        At the n-th failure the policy turns to ``"stop"``.
    attempts : int
        How often a repo is tried before it counts as failed.
    retry_delay : float
        Seconds to wait before the next attempt at a repo.
    tags : mapping, optional
        More to write into the run's tags, such as ``train``, ``resumes``, ``due``.
    on_event : callable, optional
        Called with each event once it is durable.
    clock : callable, optional
        Tells the time as an aware datetime; the system's by default.

    Returns
    -------
    SequenceOutcome
        What the run came to; also where releases failed.

    Raises
    ------
    StorageError
        Where the ledger failed. Its `events` are those that could not be written, its `outcome` is what
        had happened by then.
    ValueError
        Where an argument is out of its range; where `plan` resumes a run and this ledger has another run already
        that did, and released one of its repos; where a failure rate, model or script names only repos that the plan
        does not have, and nothing could fail.
    TypeError
        Where the releaser returned something that is no str; the run is FAILED.
    BaseException
        What came from outside the releaser ends the run as FAILED, a cancellation or KeyboardInterrupt as
        CANCELLED; both are raised again.

    Warns
    -----
    UnknownRepo
        Where it names a repo that looks like a slip: see :class:`seqkit.FailureModel`.

    Examples
    --------
    >>> import asyncio
    >>> from seqkit import RepoDependencyGraph, ScriptedReleaser, build_plan
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs")]), version="1.0")
    >>> asyncio.run(execute_plan(plan, ScriptedReleaser({"api": "tests are red"})))
    SequenceOutcome(2 succeeded, 1 failed)
    """
    run, metadata = _prepared(
        plan,
        releaser,
        ledger,
        rng,
        trial,
        record_skips,
        Terms(policy, failure_budget, attempts),
        retry_delay,
        tags,
        on_event,
        clock,
    )
    return await run.execute(metadata)


def _prepared(
    plan: SequencePlan,
    releaser: ReleaserLike,
    ledger: LedgerLike | None,
    rng: Seed | None,
    trial: int,
    record_skips: bool,
    terms: Terms,
    retry_delay: float,
    tags: Mapping[str, Any] | None,
    on_event: OnEvent | None,
    clock: Clock | None,
) -> tuple[_Run, RunMetadata]:
    """Read and check the arguments; in the thread of the caller, whose line a warning should name."""
    if not isinstance(plan, SequencePlan):
        raise TypeError(f"plan is {plan!r:.80}, expected a SequencePlan (build_plan makes one)")
    if isinstance(retry_delay, bool) or not isinstance(retry_delay, int | float):
        raise TypeError(f"retry_delay is {retry_delay!r}, expected seconds from 0")
    if not 0 <= retry_delay < math.inf:
        raise ValueError(f"retry_delay is {retry_delay!r}, expected seconds from 0")
    release = as_releaser(releaser, rng, trial)
    check_names(plan, releaser)
    run = _Run(
        rules=Rules(plan, terms),
        releaser=release,
        ledger=MemoryRunLedger(clock=clock) if ledger is None else as_ledger(ledger),
        record_skips=record_skips,
        retry_delay=retry_delay,
        on_event=on_event,
        clock=clock or system_clock,
    )
    return run, _metadata(run.rules, record_skips, tags)


def _metadata(rules: Rules, record_skips: bool, tags: Mapping[str, Any] | None) -> RunMetadata:
    plan = rules.plan
    if tags is not None and not isinstance(tags, Mapping):
        raise TypeError(f"tags is {tags!r:.80}, expected a mapping from names to JSON")
    more = dict(plan.run_tags) | dict(tags or {})
    for name in ("resumes", "taken_as_released"):
        if name in plan.run_tags and more[name] != plan.run_tags[name]:
            own = plan.run_tags[name]
            raise ValueError(
                f"tags has {name}={more[name]!r:.80}, expected {own!r:.80}, as the plan says: leave it out"
            )
    for taken in ("plan_id", "plan"):
        if taken in more:
            raise ValueError(f"tags has {taken!r}, which seqkit writes itself; choose another name")
    own = {
        "originating_run_id": plan.originating_run_id,
        **rules.terms.to_tag(),
        "record_skips": record_skips,
        "items": [item_json(item) for item in plan.items],
        "edges": [list(edge) for edge in plan.edges],
    }
    return RunMetadata(tags={"plan_id": plan.plan_id, "plan": own, **more})


class _Run:
    """One execution of a plan."""

    def __init__(
        self,
        rules: Rules,
        releaser: RepoReleaser,
        ledger: RunLedger,
        record_skips: bool,
        retry_delay: float,
        on_event: OnEvent | None,
        clock: Clock,
    ) -> None:
        self.rules = rules
        self.releaser = releaser
        self.ledger = ledger
        self.record_skips = record_skips
        self.retry_delay = retry_delay
        self.on_event = on_event
        self.clock = clock
        self.recorder: GraphRunRecorder | None = None
        self.story = Story(rules.plan, rules.terms, record_skips)  # what the ledger's events say
        self.digest = StateDigest()

    async def execute(self, metadata: RunMetadata) -> SequenceOutcome:
        await self._call(self.rules.plan.check_ledger, self.ledger)
        try:
            await self._call(self._open, metadata)
            await self._follow()
            await self._call(self._close, None)
        except BaseException as error:
            self._abandon(error)
            raise
        return self._outcome()

    def _outcome(self, unwritten: Iterable[RunEvent] = ()) -> SequenceOutcome:
        story = self.story.copy()
        for event in unwritten:
            if kind_of(event) in ("NodeExited", "NodeFailed"):  # it ended so, whether that could be recorded or not
                story.tell(event)
        return story.outcome(
            run_id=None if self.recorder is None else self.recorder.run_id,
            ledger=self.ledger,
            seed=getattr(self.releaser, "seed", None),
        )

    # ------------------------------------------------------------------ the ledger

    async def _call(self, call: Callable[..., _T], *arguments: Any) -> _T:
        """Call the ledger, in a worker thread where it may block.

        A cancellation waits for a call that is under way: a write is then whole, and the run is
        ended only after it.
        """
        if not self.ledger.blocking:
            return call(*arguments)
        under_way = asyncio.get_running_loop().run_in_executor(None, call, *arguments)
        try:
            return await asyncio.shield(under_way)
        except asyncio.CancelledError:
            while not under_way.done():
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.wait([under_way])
            if not under_way.cancelled():
                under_way.exception()  # seen: the cancellation is what goes on
            raise

    def _open(self, metadata: RunMetadata) -> None:
        digest = spec_digest_of(self.rules.plan.originating_run_id)
        self.recorder = GraphRunRecorder.start(self.ledger, digest, metadata, self.clock)

    def _close(self, error: BaseException | None) -> None:
        recorder = self._recorder
        digest = self.digest.finished((repo, status.to_json()) for repo, status in self.story.statuses())
        if isinstance(error, asyncio.CancelledError | KeyboardInterrupt | GeneratorExit):
            recorder.finish_cancelled(recorder.summary(False, digest))
        elif error is not None or not self.rules.success:
            recorder.finish_err(recorder.summary(False, digest))
        else:
            recorder.finish_ok(recorder.summary(True, digest))

    def _abandon(self, error: BaseException) -> None:
        """End the run in the ledger, whatever happened; without awaiting, as nothing may come between."""
        if isinstance(error, StorageError):
            error.outcome = self._outcome(error.events)
        if self.recorder is None:
            return
        try:
            self._close(error)
        except InvalidRunState:  # a cancellation came while the run was being ended: it has ended
            return
        except StorageError as also:
            error.add_note(f"the run {self.recorder.run_id} could not be ended in the ledger: {also}")

    @property
    def _recorder(self) -> GraphRunRecorder:
        assert self.recorder is not None, "the run is open"  # noqa: S101  # tells mypy
        return self.recorder

    def _store(self, kind: str, payload: dict[str, Any]) -> RunEvent:
        """Write an event, and keep what it tells."""
        event = self._recorder.record(kind, payload)
        self.digest.add(event)
        self.story.tell(event)
        return event

    async def _record(self, kind: str, payload: dict[str, Any]) -> None:
        event = await self._call(self._store, kind, payload)
        if self.on_event is not None:
            self.on_event(event)

    # ------------------------------------------------------------------ the rules

    async def _follow(self) -> None:
        start_run = getattr(self.releaser, "start_run", None)
        if callable(start_run):
            start_run(self._recorder.run_id)
        while (step := self.rules.take()) is not None:
            if isinstance(step, Start):
                await self._release(step)
            elif self.record_skips and step.cause != "unreleased":
                await self._skip(step)

    async def _skip(self, step: Skip) -> None:
        payload: dict[str, Any] = {"node_id": step.repo_id, "blocked_by": list(step.blocked_by)}
        if step.more:
            payload["n_blocked_by"] = len(step.blocked_by) + step.more
        await self._record("NodeSkipped", payload)

    async def _release(self, step: Start) -> None:
        repo, item = step.repo_id, self.rules.plan.items[step.position]
        entry = {"node_id": repo, "version": item.version_label}
        await self._record("NodeEntered", entry)
        self.rules.start(repo)
        while True:
            try:
                released_as = await self.releaser.release(repo, item.version_label, item.spec_digest, item.promoted_by)
            except (asyncio.CancelledError, KeyboardInterrupt, GeneratorExit):
                raise  # the entry stays open: nobody knows how far this release got
            except Exception as error:
                reason = _reason(error)
            except BaseException as error:  # SystemExit and its like: the release failed, and the run ends with it
                await self._fail(step, _reason(error))
                raise
            else:
                await self._succeed(step, released_as)
                return
            if not self.rules.will_retry(repo):
                await self._fail(step, reason)
                return
            await self._retry(step, reason)

    async def _retry(self, step: Start, reason: str) -> None:
        payload = {
            "node_id": step.repo_id,
            "attempt": self.rules.attempt(step.repo_id),
            "delay_ms": round(self.retry_delay * 1000),
            "error": reason,
        }
        await self._record("NodeRetrying", payload)
        self.rules.fail(step.repo_id, reason)
        await asyncio.sleep(self.retry_delay)

    async def _succeed(self, step: Start, released_as: object) -> None:
        repo = step.repo_id
        if not isinstance(released_as, str):
            reason = (
                f"the releaser returned {released_as!r:.80} ({type(released_as).__name__}) for repo {repo!r:.80}, "
                "expected an id for the release as a str"
            )
            await self._fail(step, reason)
            raise TypeError(reason)
        try:
            payload = {"node_id": repo, "run_id": released_as}
            await self._record("NodeExited", payload)
        finally:
            self.rules.succeed(repo, released_as)  # it is out, whether that could be recorded or not

    async def _fail(self, step: Start, reason: str) -> None:
        try:
            payload = {"node_id": step.repo_id, "error": reason}
            await self._record("NodeFailed", payload)
        finally:
            self.rules.fail(step.repo_id, reason, final=True)


def _reason(error: BaseException) -> str:
    return str(error) or type(error).__name__


def run_plan(
    plan: SequencePlan,
    releaser: ReleaserLike,
    ledger: LedgerLike | None = None,
    rng: Seed | None = None,
    trial: int = 0,
    record_skips: bool = True,
    policy: Policy = "skip_dependents",
    failure_budget: int | None = None,
    attempts: int = 1,
    retry_delay: float = 0.0,
    tags: Mapping[str, Any] | None = None,
    on_event: OnEvent | None = None,
    clock: Clock | None = None,
) -> SequenceOutcome:
    """Run a plan and wait for it: :func:`execute_plan` for code that is not async.

    Works in a notebook too, where an event loop is running already. Ctrl-C ends the run as CANCELLED.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, build_plan
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs")]), version="1.0")
    >>> run_plan(plan, {"core": 1.0}, rng=7)
    SequenceOutcome(0 succeeded, 1 failed, 2 blocked)
    """
    run, metadata = _prepared(
        plan,
        releaser,
        ledger,
        rng,
        trial,
        record_skips,
        Terms(policy, failure_budget, attempts),
        retry_delay,
        tags,
        on_event,
        clock,
    )

    try:
        asyncio.get_running_loop()
        beside = True
    except RuntimeError:
        beside = False
    return _beside_a_running_loop(run, metadata) if beside else asyncio.run(run.execute(metadata))


def _beside_a_running_loop(run: _Run, metadata: RunMetadata) -> SequenceOutcome:
    """Run in a loop of its own, in a thread: the loop of this thread cannot be entered twice."""
    result: list[SequenceOutcome] = []
    raised: list[BaseException] = []
    started = threading.Event()
    handle: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = []

    async def outer() -> SequenceOutcome:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  # tells mypy; a coroutine under run() has one
        handle.append((asyncio.get_running_loop(), task))
        started.set()
        return await run.execute(metadata)

    def work() -> None:
        try:
            result.append(asyncio.run(outer()))
        except BaseException as error:  # raised again in the caller's thread
            raised.append(error)
        finally:
            started.set()

    thread = threading.Thread(target=work, name="seqkit-run", daemon=True)
    thread.start()
    waiting = asyncio.current_task()

    def cancel() -> None:
        started.wait()
        for loop, task in handle:
            with contextlib.suppress(RuntimeError):  # the loop has ended by itself
                loop.call_soon_threadsafe(task.cancel)
        thread.join()

    try:
        # asyncio.run answers the first Ctrl-C by asking its task to cancel, which cannot reach a
        # thread that waits here; so look for it now and then.
        while thread.is_alive() and not (waiting and waiting.cancelling()):
            thread.join(0.05)
    except KeyboardInterrupt:
        cancel()
        raise
    if thread.is_alive():
        cancel()
    if raised:
        raise raised[0]
    return result[0]
