"""Releasers around releasers, which compose, and one that does again what is recorded."""

from __future__ import annotations

from seqkit.core.durations import Durations, DurationsLike
from seqkit.core.failures import as_model
from seqkit.core.plan import SequencePlan
from seqkit.core.unknown import check_models, check_script
from seqkit.ledger import LedgerLike
from seqkit.ledger.copies import counted
from seqkit.ledger.reading import lent
from seqkit.ledger.story import Told, read_story
from seqkit.running.asking import as_releaser, is_model
from seqkit.running.clock import sleep
from seqkit.running.releasers import ReleaserLike, ScriptedReleaser, SimulatedReleaser

__all__ = ["Delayed", "RecordedReleaser", "check_releaser", "delayed"]


class Delayed:
    """Sleeps by the clock of the run, then asks another releaser. Made by :func:`delayed`."""

    def __init__(self, releaser: ReleaserLike, durations: DurationsLike) -> None:
        self.releaser, self.durations = releaser, Durations(durations)
        self._asked = as_releaser(releaser)
        self.seed = self._asked.seed

    async def start_run(self, run_id: str) -> None:
        """Hand on that a run begins."""
        await self._asked.start_run(run_id)

    async def release(
        self, repo_id: str, version_label: str, spec_digest: str, promoted_by: str, attempt: int = 1
    ) -> object:
        """Sleep, then ask."""
        await sleep(self.durations.of(repo_id))
        return await self._asked.ask((repo_id, version_label, spec_digest, promoted_by), attempt)

    def __repr__(self) -> str:
        return f"delayed({self.releaser!r:.200}, {self.durations!r})"


def delayed(releaser: ReleaserLike, durations: DurationsLike) -> Delayed:
    """Let each attempt of a releaser take some time first, by the clock of the run.

    On a :class:`seqkit.VirtualClock` nobody waits for it, so that any releaser can be rehearsed.

    Parameters
    ----------
    releaser : RepoReleaser, function, float, mapping or FailureModel
        Who is asked then.
    durations : float, timedelta, mapping or Series
        How long each attempt takes: seconds or timedeltas, for all or by repo id.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, ScriptedReleaser, VirtualClock, build_plan, run_plan
    >>> plan = build_plan(RepoDependencyGraph.from_edges([], nodes=["api", "docs", "web"]), version="1.0")
    >>> clock = VirtualClock()
    >>> run_plan(plan, delayed(ScriptedReleaser(), {"api": 60, "docs": 20, "web": 50}), max_parallel=2, clock=clock)
    SequenceOutcome(3 succeeded, 0 failed)
    >>> str(clock.elapsed)  # api beside web, then docs
    '0:01:10'
    """
    return Delayed(releaser, durations)


class RecordedReleaser:
    """Does again, try by try, what a run of a ledger records: as long, failing for the same reasons, with the same ids.

    It sleeps by the clock of the run, so that on a :class:`seqkit.VirtualClock` a past train is gone through again in
    no time, with more lanes or in another order. It keeps no count.

    Parameters
    ----------
    ledger : RunLedger, path or URL
        Where the run is kept.
    run_id : str
        The run.

    Raises
    ------
    RunNotFound
        Where the ledger has no such run.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, VirtualClock, build_plan, run_plan
    >>> plan = build_plan(RepoDependencyGraph.from_edges([], nodes=["api", "docs", "web"]), version="1.0")
    >>> past = run_plan(plan, delayed({"docs": 1.0}, 60), clock=VirtualClock())
    >>> clock = VirtualClock()
    >>> again = run_plan(plan, RecordedReleaser(past.ledger, past.run_id), max_parallel=3, clock=clock)
    >>> again.failures == past.failures, str(clock.elapsed)  # one after the other it took three minutes
    (True, '0:01:00')
    """

    def __init__(self, ledger: LedgerLike, run_id: str) -> None:
        with lent(ledger, existing=True) as kept:
            story = read_story(counted(kept), run_id)
        self.run_id = run_id
        self._told: dict[str, Told] = story.told

    async def release(
        self, repo_id: str, version_label: str, spec_digest: str, promoted_by: str, attempt: int = 1
    ) -> str:
        """Do what is recorded of this attempt.

        Raises
        ------
        LookupError
            Where the run records no end of it.
        """
        told = self._told.get(repo_id)
        tries = [] if told is None else [each for each in told.tries if each.outcome != "in_progress"]
        if told is None or attempt > len(tries):
            raise LookupError(f"run {self.run_id!r:.80} records no end of attempt {attempt} at {repo_id!r:.80}")
        one = tries[attempt - 1]
        if one.began is not None and one.ended is not None:
            await sleep(max(0.0, (one.ended - one.began).total_seconds()))
        if one.outcome == "failed":
            raise _AsRecorded(one.reason or "")
        return told.released_as or ""

    def __repr__(self) -> str:
        return f"RecordedReleaser(run {self.run_id!r:.80}, {len(self._told)} repos)"


class _AsRecorded(Exception):  # its text is a recorded reason, as it stands
    """A failure for a recorded reason."""


def check_releaser(plan: SequencePlan, releaser: ReleaserLike) -> None:
    """Hold what a `releaser` argument names against a plan, before the run: repos that fail, and how long each takes.

    Warns
    -----
    UnknownRepo
        Where a name looks like a slip.

    Raises
    ------
    ValueError
        Where all names of who fails are unknown, and so nothing could fail; or a repo to release has no duration.
    """
    if isinstance(releaser, Delayed | SimulatedReleaser) and releaser.durations is not None:
        releaser.durations.by_repo(plan.released)
    if isinstance(releaser, Delayed):
        check_releaser(plan, releaser.releaser)
    elif isinstance(releaser, ScriptedReleaser):
        check_script(plan, releaser.failures)
    elif isinstance(releaser, SimulatedReleaser):
        check_models([plan], releaser=releaser.model)
    elif is_model(releaser):
        check_models([plan], releaser=as_model(releaser, "releaser"))
