"""One execution of a plan: its beginning and its end in the ledger, whatever comes between."""

from __future__ import annotations

from dataclasses import dataclass

from seqkit.core.model import RunMetadata
from seqkit.core.outcome import SequenceOutcome
from seqkit.core.retry import Waits
from seqkit.running.asking import Asked
from seqkit.running.clock import Pace
from seqkit.running.lanes import Lanes, Options
from seqkit.running.recording import Recording

__all__ = ["Execution"]


@dataclass
class Execution:
    """One execution of a plan."""

    recording: Recording
    releaser: Asked
    waits: Waits
    pace: Pace
    options: Options
    seed: int | None = None
    """The seed of whatever is drawn in it."""

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
            await Lanes(recording, self.releaser, self.waits, self.pace, self.options).follow()
            await recording.close()
        except BaseException as error:
            await recording.abandon(error, self.seed)
            raise
        return recording.outcome(self.seed)
