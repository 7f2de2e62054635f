"""The record that a run keeps of itself, written ahead.

``NodeEntered`` is durable before the releaser is called, and how a release ended is durable before anything that
depends on it starts. One writer numbers the events, whoever is under way: each write has ended before the next begins.
After a crash the ledger says what is in doubt.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from seqkit.core.model import RunEvent, RunMetadata, RunRecord, RunStatus, spec_digest_of
from seqkit.core.outcome import SequenceOutcome
from seqkit.core.retry import Waits
from seqkit.core.rules import Rules, Skip, Start
from seqkit.errors import InvalidRunState, StorageError
from seqkit.ledger import RunLedger
from seqkit.ledger.base import GraphRunRecorder
from seqkit.ledger.digest import StateDigest
from seqkit.ledger.given import Clock, RunClock, told_by
from seqkit.ledger.reading import lent
from seqkit.ledger.story import Story, kind_of
from seqkit.running.calling import id_in, no_id, reason_of
from seqkit.running.clock import VirtualClock
from seqkit.running.telling import OnEvent, Watcher, stop_of_this_task, tell
from seqkit.running.worker import Worker

__all__ = ["AFTER_STOP", "CANCELLATIONS", "GIVEN_UP", "IN_DOUBT", "Recording"]

_T = TypeVar("_T")
CANCELLATIONS = (asyncio.CancelledError, KeyboardInterrupt, GeneratorExit)
"""What ends a run as CANCELLED."""
GIVEN_UP: Mapping[str, Any] = {"given_up": True}
"""Said of a failure after which another attempt was allowed and not made: no error to try again after, or the run
broke off."""
AFTER_STOP: Mapping[str, Any] = {"after_stop": True}
"""Said of what ended when nothing started any more."""
IN_DOUBT: Mapping[str, Any] = {"in_doubt": True}
"""Said of what failed, where nobody knows whether it is out all the same."""


class Recording:
    """What a run writes into its ledger, and tells the rules and a listener once it is written."""

    ledger: RunLedger

    def __init__(
        self,
        rules: Rules,
        ledger: RunLedger | str | os.PathLike[str],
        record_skips: bool,
        on_event: OnEvent | None,
        clock: Clock,
    ) -> None:
        self.rules = rules
        self._given = ledger
        self._record_skips = record_skips
        self._on_event = on_event
        self._clock = clock
        self._recorder: GraphRunRecorder | None = None
        self._story = Story(rules.plan, rules.terms, record_skips)  # what the ledger's events say
        self._opened: RunRecord | None = None
        self._digest: StateDigest | None = None
        self._worker = Worker()
        self._end_is_told = False
        self._unsure: set[str] = set()  # repos whose last try failed, and nobody knows whether it released them

    # ------------------------------------------------------------------ the run

    @contextlib.asynccontextmanager
    async def lending(self) -> AsyncIterator[None]:
        """Open what was given as a path or URL, and let go of it at the end."""
        with self._worker, contextlib.ExitStack() as opened:
            try:
                if isinstance(self._given, str | os.PathLike):  # a database that is locked is waited for
                    self.ledger = await self._worker.call(opened.enter_context, lent(self._given))
                else:
                    self.ledger = self._given
                yield
            finally:
                self._worker.at_once(opened.close)  # also where the coroutine is closed, and awaits no more

    async def call(self, call: Callable[..., _T], *arguments: Any) -> _T:
        """Call the ledger, in the run's worker thread where it may block."""
        return await self._worker.call(call, *arguments) if self.ledger.blocking else call(*arguments)

    async def open(self, metadata: RunMetadata) -> str:
        """Open the run; give its id."""
        await self.call(self._open, metadata)
        if isinstance(self._on_event, Watcher) and self._opened is not None:
            self._on_event.run_began(self._opened, stop_of_this_task())
        return self._own.run_id

    def _open(self, metadata: RunMetadata) -> None:
        digest = spec_digest_of(self.rules.plan.originating_run_id)
        with self._on_this_clock():
            self._recorder = GraphRunRecorder.start(self.ledger, digest, metadata, self._clock)
        self._opened = self._recorder.run()  # as the ledger has it, which also tells when it began
        self._digest = StateDigest(self._opened)

    def now(self) -> datetime:
        """Tell the date by the run's clock; raises what went wrong with it."""
        told = self._clock()
        self._check_the_clock()
        return told

    def _check_the_clock(self) -> None:
        if isinstance(self._clock, RunClock) and self._clock.fault is not None:
            raise self._clock.fault

    async def close(self) -> None:
        """End the run in the ledger, as the rules say: CANCELLED where they would go on."""
        await self.call(self._close, None)
        self._tell_of_the_end(None)

    def _tell_of_the_end(self, error: BaseException | None) -> None:
        if isinstance(self._on_event, Watcher) and not self._end_is_told:
            self._end_is_told = True
            self._on_event.run_ended(self._status(error))

    def _status(self, error: BaseException | None) -> RunStatus:
        """Say how a run ends that ends now, with this error."""
        if isinstance(error, CANCELLATIONS) or (error is None and not self.rules.over):
            return RunStatus.CANCELLED  # also where all lanes are taken by what goes on regardless
        return RunStatus.COMPLETED if error is None and self.rules.success else RunStatus.FAILED

    def _close(self, error: BaseException | None) -> None:
        recorder, status = self._own, self._status(error)
        summary = recorder.summary(status is RunStatus.COMPLETED)
        if self._digest is not None:  # None where the ledger failed right after the run was opened
            digest = self._digest.finished(self._story.endings(), status, summary)
            summary = summary.model_copy(update={"final_state_digest": digest})
        ends = {
            RunStatus.COMPLETED: recorder.finish_ok,
            RunStatus.FAILED: recorder.finish_err,
            RunStatus.CANCELLED: recorder.finish_cancelled,
        }
        with self._on_this_clock():
            ends[status](summary)

    def _on_this_clock(self) -> contextlib.AbstractContextManager[None]:
        """Let the record of a run on a clock that jumps tell its time too, but in a ledger with a clock of its own."""
        given = self._clock.given if isinstance(self._clock, RunClock) else None
        return told_by(given if isinstance(given, VirtualClock) else None)

    async def abandon(self, error: BaseException, seed: int | None) -> None:
        """End the run in the ledger, whatever happened, and whatever else comes meanwhile."""
        if isinstance(error, StorageError):
            error.outcome = self.outcome(seed, error.events)
        if self._recorder is None:
            return
        how: BaseException | None = error
        try:
            if isinstance(error, GeneratorExit) or not self.ledger.blocking:  # who is closed awaits no more
                self._worker.at_once(self._close, error)
            else:
                ending, _ = await self._worker.to_its_end(self._close, error)
                ending.result()
        except InvalidRunState:  # a cancellation came while the run was being ended: it has ended
            how = None
        except StorageError as also:
            error.add_note(f"the run {self._recorder.run_id} could not be ended in the ledger: {also}")
        try:
            self._tell_of_the_end(how)
        except Exception as also:
            error.add_note(f"who is told of the end of the run raised {type(also).__name__}: {also}")

    def outcome(self, seed: int | None, unwritten: Iterable[RunEvent] = ()) -> SequenceOutcome:
        """Say what the run came to, by what is recorded."""
        unwritten = list(unwritten)
        story = self._story.copy() if unwritten else self._story
        for event in unwritten:
            if kind_of(event) in ("NodeExited", "NodeFailed"):  # it ended so, whether that could be recorded or not
                story.tell(event)
        run_id = None if self._recorder is None else self._recorder.run_id
        return story.outcome(run_id=run_id, ledger=self.ledger, seed=seed)

    def last_reason(self, repo_id: str) -> str:
        """Say why the last try of a repo failed."""
        reasons = self._story.told[repo_id].reasons
        return reasons[-1] if reasons else ""

    def says_running(self, repo_id: str) -> bool:
        """Tell whether a repo has failed and its last try goes on, by what is recorded."""
        told = self._story.told[repo_id]
        return told.status == "failed" and told.still_running

    def last_doubt(self, repo_id: str) -> Mapping[str, Any]:
        """Say whether the last try of a repo may have released it though it failed, as an event does."""
        return IN_DOUBT if repo_id in self._unsure else {}

    def settle_doubt(self, repo_id: str, unsure: bool) -> None:
        """Take in whether the last try of a repo may have released it though it failed."""
        if unsure:
            self._unsure.add(repo_id)
        else:
            self._unsure.discard(repo_id)

    @property
    def _own(self) -> GraphRunRecorder:
        assert self._recorder is not None, "the run is open"  # noqa: S101  # tells mypy
        return self._recorder

    # ------------------------------------------------------------------ events

    def _write(self, kind: str, payload: dict[str, Any]) -> RunEvent:
        """Write an event, and keep what it tells."""
        event = self._own.record(kind, payload)
        if self._digest is not None:
            self._digest.add(event)
        self._story.tell(event)
        return event

    async def _store(self, kind: str, payload: dict[str, Any]) -> RunEvent:
        if self.ledger.blocking:
            return await self.call(self._write, kind, payload)
        return self._write(kind, payload)

    def _tell(self, event: RunEvent) -> None:
        """Tell of an event that is stored; raises what the listener raises, and what went wrong with the clock."""
        self._check_the_clock()
        if self._on_event is not None:
            tell(self._on_event, event)

    async def skipped(self, step: Skip) -> None:
        """Record that a repo is passed over, where skips are recorded."""
        if not self._record_skips or step.cause == "unreleased":
            return
        payload: dict[str, Any] = {"node_id": step.repo_id, "blocked_by": list(step.blocked_by)}
        if step.more:
            payload["n_blocked_by"] = len(step.blocked_by) + step.more
        self._tell(await self._store("NodeSkipped", payload))

    async def entered(self, step: Start) -> None:
        """Record that a repo is tried, before it is."""
        item = self.rules.plan.items[step.position]
        entry = await self._store("NodeEntered", {"node_id": step.repo_id, "version": item.version_label})
        self.rules.start(step.repo_id)
        await self._tell_before_a_try(step, entry)

    async def _tell_before_a_try(self, step: Start, event: RunEvent) -> None:
        """Tell of an event after which a try would begin.

        Where that ends the run the repo is not under way, and the ledger says so: it failed, and is not in doubt.
        """
        try:
            self._tell(event)
        except CANCELLATIONS:
            raise
        except BaseException as error:
            why = f"not tried{' again' * (self.rules.attempt(step.repo_id) > 1)}, as the run broke off: "
            more = {**self.last_doubt(step.repo_id), **(GIVEN_UP if self.rules.will_retry(step.repo_id) else {})}
            await self.failed(step, why + reason_of(error), more, tell_of_it=False)
            raise

    async def retrying(self, step: Start, reason: str, seconds: float, more: Mapping[str, Any] | None = None) -> None:
        """Record that a repo is to be tried again after a wait."""
        payload = {
            "node_id": step.repo_id,
            "attempt": self.rules.attempt(step.repo_id),
            "delay_ms": round(seconds * 1000),
            "error": reason,
            **(more or {}),
        }
        event = await self._store("NodeRetrying", payload)
        self.rules.fail(step.repo_id, reason)
        await self._tell_before_a_try(step, event)

    async def attempt_failed(
        self,
        step: Start,
        error: BaseException,
        waits: Waits,
        elapsed: float,
        lingers: bool = False,
        unsure: bool = False,
    ) -> float | None:
        """Record that an attempt failed, `elapsed` seconds after the first began.

        Gives the seconds to wait before the next; None where there is none, so that the repo has failed: in doubt,
        where `unsure` says that nobody knows whether it is out. What is no Exception ends the run too, and so does
        what the retry's own rule raises: it is raised once that is recorded.
        """
        repo, reason, wait = step.repo_id, reason_of(error), None
        going_on: dict[str, Any] = {"still_running": True} if lingers else {}
        self.settle_doubt(repo, unsure)
        more = {**going_on, **self.last_doubt(repo)}
        if self.rules.stopping:
            more = {**more, **AFTER_STOP}
        elif self.rules.will_retry(repo):
            more = {**more, **GIVEN_UP}
        if not isinstance(error, Exception | asyncio.CancelledError):  # SystemExit and its like
            await self.failed(step, reason, more)
            raise error
        if not self.rules.stopping:
            try:
                wait = waits.after(error, repo, self.rules.attempt(repo), elapsed)
            except Exception:
                await self.failed(step, reason, more)
                raise
        if wait is None:
            await self.failed(step, reason, more)
        else:
            await self.retrying(step, reason, wait, going_on)
        return wait

    async def late(self, step: Start, what: Mapping[str, Any], tell_of_it: bool = True) -> None:
        """Record how an attempt ended after its repo had failed: what that blocked stays blocked in this run."""
        event = await self._store("NodeLate", {"node_id": step.repo_id, **what})
        if tell_of_it:
            self._tell(event)

    async def process(self, step: Start, facts: Mapping[str, Any]) -> None:
        """Record which process works on a repo."""
        self._tell(await self._store("NodeProcess", {"node_id": step.repo_id, **facts}))

    async def ended(
        self, step: Start, returned: object, more: Mapping[str, Any] | None = None, tell_of_it: bool = True
    ) -> None:
        """Record that a repo is out, by what the releaser returned; where that is no id, that it failed, in doubt.

        It came to its end without an error: nobody knows whether the repo is out.
        """
        repo, released_as = step.repo_id, id_in(returned)
        if released_as is None:
            error = no_id(repo, returned)
            await self.failed(step, reason_of(error), {**IN_DOUBT, **(more or {})}, tell_of_it)
            raise error
        try:
            event = await self._store("NodeExited", {"node_id": repo, "run_id": released_as, **(more or {})})
            if tell_of_it:
                self._tell(event)
        finally:
            self.rules.succeed(repo, released_as)  # it is out, whether that could be recorded or not

    async def failed(
        self, step: Start, reason: str, more: Mapping[str, Any] | None = None, tell_of_it: bool = True
    ) -> None:
        """Record that a repo has failed for good."""
        try:
            event = await self._store("NodeFailed", {"node_id": step.repo_id, "error": reason, **(more or {})})
            if tell_of_it:
                self._tell(event)
        finally:
            self.rules.fail(step.repo_id, reason, final=True)
