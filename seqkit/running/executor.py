"""Running a plan: the rules drive, a releaser releases, a ledger keeps the record.

Write-ahead: ``NodeEntered`` is durable before the releaser is called, and how a release ended is
durable before anything that depends on it starts. After a crash the ledger says what is in doubt.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from pydantic_core import to_jsonable_python

from seqkit._util.secrets import as_given
from seqkit.core.draws import Seed
from seqkit.core.ids import checked_text
from seqkit.core.model import RunEvent, RunMetadata, RunStatus, spec_digest_of
from seqkit.core.outcome import SequenceOutcome
from seqkit.core.plan import SequencePlan, item_json
from seqkit.core.rules import Rules, Skip, Start
from seqkit.core.terms import Policy, Terms
from seqkit.errors import InvalidRunState, StorageError
from seqkit.ledger import LedgerLike, MemoryRunLedger, RunLedger, as_ledger
from seqkit.ledger.base import GraphRunRecorder
from seqkit.ledger.digest import VERSION, StateDigest
from seqkit.ledger.given import Clock, RunClock, system_clock
from seqkit.ledger.reading import lent
from seqkit.ledger.story import Story, kind_of
from seqkit.running.asking import Asked, as_releaser, check_names
from seqkit.running.beside import run_beside
from seqkit.running.calling import id_in, reason_of, shown
from seqkit.running.releasers import ReleaserLike
from seqkit.running.telling import OnEvent, checked_on_event, tell

__all__ = ["OnEvent", "execute_plan", "run_plan"]

_T = TypeVar("_T")
_CANCELLATIONS = (asyncio.CancelledError, KeyboardInterrupt, GeneratorExit)


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
        Who releases. A failure rate or model means a :class:`seqkit.SimulatedReleaser`. The id that it returns and
        the reason of a failure are recorded as plain text: half characters as their escapes, and cut after 1,000,000
        characters, which the text then says.
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
        Called with a copy of each event once it is durable. A plain function: nobody awaits what it returns.
    clock : callable, optional
        Tells the time as an aware datetime; the system's by default. It is asked once before the run begins. Where it
        fails later, what happened is recorded with the time it told last, and the run ends as FAILED.

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
    RuntimeError
        Where no asyncio event loop is running, as under trio: use :func:`seqkit.run_plan` there.
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
    _require_a_loop()
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


def _require_a_loop() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        raise RuntimeError(
            "execute_plan needs a running asyncio event loop, and there is none: under trio or another framework, or "
            "without any, call run_plan (in a thread of its own, where it must not block); else asyncio.run(…)"
        ) from None


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
        raise TypeError(f"plan is {as_given(plan)}, expected a SequencePlan (build_plan makes one)")
    if isinstance(retry_delay, bool) or not isinstance(retry_delay, int | float):
        raise TypeError(f"retry_delay is {as_given(retry_delay, 200)}, expected seconds from 0")
    if not 0 <= retry_delay < math.inf:
        raise ValueError(f"retry_delay is {as_given(retry_delay, 200)}, expected seconds from 0")
    asked = as_releaser(releaser, rng, trial)
    check_names(plan, releaser)
    on_event = checked_on_event(on_event)
    rules = Rules(plan, terms)
    metadata = _metadata(rules, record_skips, tags)
    if not isinstance(ledger, str | os.PathLike | None):
        ledger = as_ledger(ledger)
    if clock is not None:
        clock = RunClock(clock, ledger)
    run = _Run(
        rules=rules,
        releaser=asked,
        ledger=MemoryRunLedger(clock=clock) if ledger is None else ledger,
        record_skips=record_skips,
        retry_delay=retry_delay,
        on_event=on_event,
        clock=clock or system_clock,
    )
    return run, metadata


def _metadata(rules: Rules, record_skips: bool, tags: Mapping[str, Any] | None) -> RunMetadata:
    plan = rules.plan
    if tags is not None and not isinstance(tags, Mapping):
        raise TypeError(f"tags is {as_given(tags)}, expected a mapping from names to JSON")
    more = dict(plan.run_tags) | _json(dict(tags or {}))
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
        "digest": VERSION,
    }
    return RunMetadata(tags={"plan_id": plan.plan_id, "plan": own, **more})


def _json(tags: dict[str, Any]) -> dict[str, Any]:
    """Give a copy of tags as any ledger can hold them, which nobody else can change while the run goes on."""
    try:
        text = json.dumps(tags, allow_nan=False, ensure_ascii=False, default=to_jsonable_python)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"tags is {as_given(tags)}, expected what JSON can hold: {error!s:.120}") from None
    made: dict[str, Any] = json.loads(checked_text(text, "tags"))
    return made


class _Run:
    """One execution of a plan."""

    def __init__(
        self,
        rules: Rules,
        releaser: Asked,
        ledger: RunLedger | str | os.PathLike[str],
        record_skips: bool,
        retry_delay: float,
        on_event: OnEvent | None,
        clock: Clock,
    ) -> None:
        self.rules = rules
        self.releaser = releaser
        self.given = ledger
        self.record_skips = record_skips
        self.retry_delay = retry_delay
        self.on_event = on_event
        self.clock = clock
        self.recorder: GraphRunRecorder | None = None
        self.story = Story(rules.plan, rules.terms, record_skips)  # what the ledger's events say
        self.digest: StateDigest | None = None

    async def execute(self, metadata: RunMetadata) -> SequenceOutcome:
        with contextlib.ExitStack() as opened:  # what was opened for this run is let go of at its end
            if isinstance(self.given, str | os.PathLike):  # a database that is locked is waited for
                self.ledger = await _in_worker(opened.enter_context, lent(self.given))
            else:
                self.ledger = self.given
            return await self._execute(metadata)

    async def _execute(self, metadata: RunMetadata) -> SequenceOutcome:
        await self._call(self.rules.plan.check_ledger, self.ledger)
        try:
            await self._call(self._open, metadata)
            await self._follow()
            await self._call(self._close, None)
        except BaseException as error:
            await self._abandon(error)
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
            seed=self.releaser.seed,
        )

    # ------------------------------------------------------------------ the ledger

    async def _call(self, call: Callable[..., _T], *arguments: Any) -> _T:
        """Call the ledger, in a worker thread where it may block."""
        return await _in_worker(call, *arguments) if self.ledger.blocking else call(*arguments)

    def _open(self, metadata: RunMetadata) -> None:
        digest = spec_digest_of(self.rules.plan.originating_run_id)
        self.recorder = GraphRunRecorder.start(self.ledger, digest, metadata, self.clock)
        self.digest = StateDigest(self.recorder.run())  # as the ledger has it, which also tells when it began

    def _close(self, error: BaseException | None) -> None:
        recorder = self._recorder
        if isinstance(error, asyncio.CancelledError | KeyboardInterrupt | GeneratorExit):
            status = RunStatus.CANCELLED
        else:
            status = RunStatus.COMPLETED if error is None and self.rules.success else RunStatus.FAILED
        summary = recorder.summary(status is RunStatus.COMPLETED)
        if self.digest is not None:  # None where the ledger failed right after the run was opened
            digest = self.digest.finished(self.story.endings(), status, summary)
            summary = summary.model_copy(update={"final_state_digest": digest})
        ends = {
            RunStatus.COMPLETED: recorder.finish_ok,
            RunStatus.FAILED: recorder.finish_err,
            RunStatus.CANCELLED: recorder.finish_cancelled,
        }
        ends[status](summary)

    async def _abandon(self, error: BaseException) -> None:
        """End the run in the ledger, whatever happened, and whatever else comes meanwhile."""
        if isinstance(error, StorageError):
            error.outcome = self._outcome(error.events)
        if self.recorder is None:
            return
        try:
            closed = isinstance(error, GeneratorExit)  # a coroutine that is closed awaits no more
            if closed or not self.ledger.blocking:
                self._close(error)
            else:
                ending, _ = await _to_its_end(self._close, error)
                ending.result()
        except InvalidRunState:  # a cancellation came while the run was being ended: it has ended
            return
        except StorageError as also:
            error.add_note(f"the run {self.recorder.run_id} could not be ended in the ledger: {also}")

    @property
    def _recorder(self) -> GraphRunRecorder:
        assert self.recorder is not None, "the run is open"  # noqa: S101  # tells mypy
        return self.recorder

    def _write(self, kind: str, payload: dict[str, Any]) -> RunEvent:
        """Write an event, and keep what it tells."""
        event = self._recorder.record(kind, payload)
        if self.digest is not None:
            self.digest.add(event)
        self.story.tell(event)
        return event

    async def _store(self, kind: str, payload: dict[str, Any]) -> RunEvent:
        return await self._call(self._write, kind, payload)

    async def _record(self, kind: str, payload: dict[str, Any]) -> None:
        self._tell(await self._store(kind, payload))

    def _tell(self, event: RunEvent) -> None:
        """Tell of an event that is stored; raises what the listener raises, and what went wrong with the clock."""
        if isinstance(self.clock, RunClock) and self.clock.fault is not None:
            raise self.clock.fault
        if self.on_event is not None:
            tell(self.on_event, event)

    # ------------------------------------------------------------------ the rules

    async def _follow(self) -> None:
        await self.releaser.start_run(self._recorder.run_id)
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
        entry = await self._store("NodeEntered", {"node_id": repo, "version": item.version_label})
        self.rules.start(repo)
        await self._tell_before_a_try(step, entry)
        while True:
            try:
                released_as = await self.releaser.release(item, self.rules.attempt(repo))
            except _CANCELLATIONS as error:
                if not _is_its_own(error):
                    raise  # the entry stays open: nobody knows how far this release got
                reason = reason_of(error)
            except Exception as error:
                reason = reason_of(error)
            except BaseException as error:  # SystemExit and its like: the release failed, and the run ends with it
                await self._fail(step, reason_of(error))
                raise
            else:
                await self._succeed(step, released_as)
                return
            if not self.rules.will_retry(repo):
                await self._fail(step, reason)
                return
            await self._retry(step, reason)

    async def _tell_before_a_try(self, step: Start, event: RunEvent) -> None:
        """Tell of an event after which a try would begin.

        Where that ends the run nothing is under way, and the ledger says so: the repo failed, and is not in doubt.
        """
        try:
            self._tell(event)
        except _CANCELLATIONS:
            raise
        except BaseException as error:
            why = f"not tried{' again' * (self.rules.attempt(step.repo_id) > 1)}, as the run broke off: "
            await self._fail(step, why + reason_of(error), tell=False)
            raise

    async def _retry(self, step: Start, reason: str) -> None:
        payload = {
            "node_id": step.repo_id,
            "attempt": self.rules.attempt(step.repo_id),
            "delay_ms": round(self.retry_delay * 1000),
            "error": reason,
        }
        event = await self._store("NodeRetrying", payload)
        self.rules.fail(step.repo_id, reason)
        await self._tell_before_a_try(step, event)
        await asyncio.sleep(self.retry_delay)

    async def _succeed(self, step: Start, returned: object) -> None:
        repo, released_as = step.repo_id, id_in(returned)
        if released_as is None:
            what = f"the releaser returned {shown(returned)} for repo {repo!r:.80}"
            error = TypeError(f"{what}, expected an id for the release as a str")
            await self._fail(step, reason_of(error))
            raise error
        try:
            payload = {"node_id": repo, "run_id": released_as}
            await self._record("NodeExited", payload)
        finally:
            self.rules.succeed(repo, released_as)  # it is out, whether that could be recorded or not

    async def _fail(self, step: Start, reason: str, tell: bool = True) -> None:
        try:
            event = await self._store("NodeFailed", {"node_id": step.repo_id, "error": reason})
            if tell:
                self._tell(event)
        finally:
            self.rules.fail(step.repo_id, reason, final=True)


def _is_its_own(error: BaseException) -> bool:
    """Tell a cancellation of something that the releaser awaited from one of the task that runs the plan."""
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and task is not None and not task.cancelling()


async def _in_worker(call: Callable[..., _T], *arguments: Any) -> _T:
    """Call something that may block, in a worker thread.

    A cancellation waits for a call that is under way: a write is then whole, and the run is ended only after it.
    """
    under_way, cancelled = await _to_its_end(call, *arguments)
    if cancelled is not None:
        if not under_way.cancelled():
            under_way.exception()  # seen: the cancellation is what goes on
        raise cancelled
    return under_way.result()


async def _to_its_end(
    call: Callable[..., _T], *arguments: Any
) -> tuple[asyncio.Future[_T], asyncio.CancelledError | None]:
    """Call something in a worker thread and wait until it has ended, however often that is cancelled."""
    under_way = asyncio.get_running_loop().run_in_executor(None, call, *arguments)
    cancelled = None
    while not under_way.done():
        try:
            await asyncio.wait([under_way])
        except asyncio.CancelledError as error:
            cancelled = error
    return under_way, cancelled


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
    return run_beside(lambda: run.execute(metadata)) if beside else asyncio.run(run.execute(metadata))
