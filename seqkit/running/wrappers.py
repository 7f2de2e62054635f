"""Releasers around releasers: they compose."""

from __future__ import annotations

from seqkit.core.durations import DurationsLike, seconds_by_repo, seconds_of
from seqkit.running.asking import as_releaser
from seqkit.running.clock import sleep
from seqkit.running.releasers import ReleaserLike

__all__ = ["Delayed", "delayed"]


class Delayed:
    """Sleeps by the clock of the run, then asks another releaser. Made by :func:`delayed`."""

    def __init__(self, releaser: ReleaserLike, durations: DurationsLike) -> None:
        self._given, self._durations = releaser, durations
        self._asked = as_releaser(releaser)
        self.seed = self._asked.seed

    async def start_run(self, run_id: str) -> None:
        """Hand on that a run begins."""
        await self._asked.start_run(run_id)

    async def release(
        self, repo_id: str, version_label: str, spec_digest: str, promoted_by: str, attempt: int = 1
    ) -> object:
        """Sleep, then ask."""
        await sleep(seconds_by_repo(self._durations, [repo_id])[repo_id])
        return await self._asked.ask((repo_id, version_label, spec_digest, promoted_by), attempt)

    def __repr__(self) -> str:
        return f"delayed({self._given!r:.200}, {self._durations!r:.200})"


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
    if not isinstance(durations, dict) and not hasattr(durations, "to_dict") and not hasattr(durations, "keys"):
        seconds_of(durations)  # says at once what is wrong
    return Delayed(releaser, durations)
