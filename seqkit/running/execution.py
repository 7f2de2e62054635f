"""One execution of a plan: who drives it, and how it ends."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from seqkit.core.model import RunMetadata
from seqkit.core.outcome import SequenceOutcome
from seqkit.core.retry import Waits
from seqkit.core.rules import Rules, Start
from seqkit.running.asking import Asked
from seqkit.running.clock import Pace, VirtualClock
from seqkit.running.context import UnderWay, part_of
from seqkit.running.lanes import Lanes, Options
from seqkit.running.recording import CANCELLATIONS, Recording

__all__ = ["Execution"]


@dataclass
class Execution:
    """One execution of a plan."""

    recording: Recording
    releaser: Asked
    waits: Waits
    pace: Pace
    options: Options

    async def execute(self, metadata: RunMetadata) -> SequenceOutcome:
        """Run the plan to its end."""
        async with self.recording.lending():
            return await self._execute(metadata)

    async def _execute(self, metadata: RunMetadata) -> SequenceOutcome:
        recording = self.recording
        await recording.call(recording.rules.plan.check_ledger, recording.ledger)
        try:
            run_id = await recording.open(metadata)
            await self.releaser.start_run(run_id)
            if self.options.plain and not isinstance(self.pace, VirtualClock):
                await self._one_by_one()
            else:
                lanes = Lanes(recording, self.releaser, self.waits, self.pace, self.options)
                await lanes.follow()
            await recording.close()
        except BaseException as error:
            await recording.abandon(error, self.releaser.seed)
            raise
        return recording.outcome(self.releaser.seed)

    # ------------------------------------------------------------------ one lane, in real time

    async def _one_by_one(self) -> None:
        """Release one repo after the other, in this task: a cancellation reaches the releaser itself."""
        rules = self.recording.rules
        with part_of(UnderWay(self.pace, self.options.grace)):
            while (step := rules.take()) is not None:
                if isinstance(step, Start):
                    await self._release(rules, step)
                else:
                    await self.recording.skipped(step)

    async def _release(self, rules: Rules, step: Start) -> None:
        repo, item = step.repo_id, rules.plan.items[step.position]
        await self.recording.entered(step)
        began = self.pace.now()
        while True:
            try:
                released_as = await self.releaser.release(item, rules.attempt(repo))
            except CANCELLATIONS as error:
                if not _is_its_own(error):
                    raise  # the entry stays open: nobody knows how far this release got
                failure: BaseException = error
            except BaseException as error:
                failure = error
            else:
                await self.recording.ended(step, released_as)
                return
            wait = await self.recording.attempt_failed(step, failure, self.waits, self.pace.now() - began)
            if wait is None:
                return
            await self.pace.sleep(wait)


def _is_its_own(error: BaseException) -> bool:
    """Tell a cancellation of something that the releaser awaited from one of the task that runs the plan."""
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and task is not None and not task.cancelling()
