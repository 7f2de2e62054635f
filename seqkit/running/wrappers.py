"""Releasers around releasers, which compose, and one that does again what is recorded."""

from __future__ import annotations

from typing import Literal, cast

from seqkit.core import draws
from seqkit.core.draws import Seed, resolve_seed
from seqkit.core.durations import DurationsLike, as_durations
from seqkit.core.failures import FailureModel, ModelLike, as_model
from seqkit.core.plan import SequencePlan
from seqkit.core.times import TICKS_A_SECOND, seconds_of
from seqkit.core.unknown import check_durations, check_models, check_script
from seqkit.ledger import LedgerLike
from seqkit.ledger.copies import counted
from seqkit.ledger.naming import run_called
from seqkit.ledger.reading import lent
from seqkit.ledger.story import Told, read_story
from seqkit.running.asking import as_releaser, is_model
from seqkit.running.clock import sleep, sleep_for_ever
from seqkit.running.commands import CommandReleaser
from seqkit.running.releasers import ReleaserLike, ScriptedReleaser, SimulatedReleaser

__all__ = [
    "Around",
    "Delayed",
    "Disturbed",
    "RateLimited",
    "RecordedReleaser",
    "check_releaser",
    "delayed",
    "disturbed",
]


class Around:
    """A releaser that asks another one, and hands on what else that is asked and tells."""

    def __init__(self, releaser: ReleaserLike) -> None:
        self.releaser = releaser
        self._asked = as_releaser(releaser)
        self.seed = self._asked.seed
        self.check = self._asked.checker

    async def start_run(self, run_id: str) -> None:
        """Hand on that a run begins."""
        await self._asked.start_run(run_id)


class Delayed(Around):
    """Sleeps by the clock of the run, then asks another releaser. Made by :func:`delayed`."""

    def __init__(
        self, releaser: ReleaserLike, durations: DurationsLike, rng: Seed | None = None, trial: int | None = None
    ) -> None:
        super().__init__(releaser)
        self.durations = as_durations(durations)
        self.rng = self.seed if rng is None and self.seed is not None else resolve_seed(rng)
        own = getattr(releaser, "trial", 0)
        self.trial: int = (own if isinstance(own, int) else 0) if trial is None else trial

    async def release(
        self, repo_id: str, version_label: str, spec_digest: str, promoted_by: str, attempt: int = 1
    ) -> object:
        """Sleep, then ask."""
        await sleep(self.durations.draw(repo_id, attempt, self.rng, self.trial) / TICKS_A_SECOND)
        return await self._asked.ask((repo_id, version_label, spec_digest, promoted_by), attempt)

    def __repr__(self) -> str:
        return f"delayed({self.releaser!r:.200}, {self.durations!r})"


def delayed(
    releaser: ReleaserLike, durations: DurationsLike, rng: Seed | None = None, trial: int | None = None
) -> Delayed:
    """Let each attempt of a releaser take some time first, by the clock of the run.

    On a :class:`seqkit.VirtualClock` nobody waits for it, so that any releaser can be rehearsed.

    Parameters
    ----------
    releaser : RepoReleaser, function, float, mapping or FailureModel
        Who is asked then.
    durations : float, timedelta, mapping, Series or DurationModel
        How long each attempt takes: seconds or timedeltas, for all or by repo id, in whole milliseconds. Of a model it
        is drawn, as that of an attempt which succeeds: nobody knows yet.
    rng, trial
        The seed of what is drawn, and which of its trials to follow, from 0; by default those of `releaser`, where it
        is a simulated one.

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
    return Delayed(releaser, durations, rng, trial)


class RateLimited(Exception):
    """What a disturbed attempt fails with that is to come back later; `retry_after` says in how many seconds."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"rate limited: try again in {retry_after:g} s")
        self.retry_after = retry_after


class Disturbed(Around):
    """Asks another releaser, and lets attempts hang, be refused or lose their answers. Made by :func:`disturbed`."""

    def __init__(
        self,
        releaser: ReleaserLike,
        hang: ModelLike,
        lost: ModelLike,
        limited: ModelLike,
        rng: Seed | None,
        trial: int,
        retry_after: float,
    ) -> None:
        super().__init__(releaser)
        self.rates = {
            name: as_model(given, name) for name, given in (("hang", hang), ("lost", lost), ("limited", limited))
        }
        self.rng, self.trial = resolve_seed(rng), trial
        self.retry_after = seconds_of(retry_after, "retry_after")
        self.released: dict[tuple[str, str], object] = {}
        """What is out, by repo and version, whatever was answered."""

    async def release(
        self, repo_id: str, version_label: str, spec_digest: str, promoted_by: str, attempt: int = 1
    ) -> object:
        """Ask, unless this attempt hangs or is refused; its answer may be lost."""
        if self._happens("limited", repo_id, attempt):
            raise RateLimited(self.retry_after)
        if self._happens("hang", repo_id, attempt):
            await sleep_for_ever()
        answer = await self._asked.ask((repo_id, version_label, spec_digest, promoted_by), attempt)
        self.released[repo_id, version_label] = answer
        if self._happens("lost", repo_id, attempt):
            raise ConnectionError("the answer was lost")
        return answer

    def _happens(self, what: Literal["hang", "lost", "limited"], repo_id: str, attempt: int) -> bool:
        return draws.happens(self.rates[what].rate(repo_id), self.rng, what, repo_id, attempt, self.trial)

    async def is_out(self, repo_id: str, version_label: str) -> str | None:
        """Tell as what a repo is out, None where it is not: what a registry would, for the argument `check`."""
        return cast("str | None", self.released.get((repo_id, version_label)))  # where it is no id the run says so

    def __repr__(self) -> str:
        told = "".join(f", {name}={model!r}" for name, model in self.rates.items() if model != FailureModel())
        return f"disturbed({self.releaser!r:.200}{told}, rng={self.rng})"


def disturbed(
    releaser: ReleaserLike,
    hang: ModelLike = 0.0,
    lost: ModelLike = 0.0,
    limited: ModelLike = 0.0,
    rng: Seed | None = None,
    trial: int = 0,
    retry_after: float = 60.0,
) -> Disturbed:
    """Let attempts of a releaser go wrong in the ways that a real one's do, to rehearse time-outs, retries and checks.

    Each attempt is first refused, or else hangs, or else `releaser` is asked, and its answer may be lost. Each of these
    has a probability of its own, for all repos or by repo id, and is drawn anew for each attempt; of a FailureModel the
    rates count and nothing else.

    Parameters
    ----------
    releaser : RepoReleaser, function, float, mapping or FailureModel
        Who is asked. A failure rate or model is one to simulate, 0.0 one that always succeeds; one that really releases
        does so here too.
    hang : float, mapping, Series or FailureModel
        How likely an attempt never answers. It releases nothing, and stops once it is asked to: give the run a
        `timeout`, or it waits for ever.
    lost : float, mapping, Series or FailureModel
        How likely the answer of an attempt is lost: the repo is out, and the attempt fails with a ConnectionError all
        the same. A run with ``check=`` the method ``is_out`` of what this returns finds that out; one without releases
        it again.
    limited : float, mapping, Series or FailureModel
        How likely an attempt is refused. It fails at once, releases nothing, and asks to come back after `retry_after`
        seconds, which the run heeds where `attempts` allows another.
    rng : int or numpy.random.Generator, optional
        The seed of whether an attempt is disturbed, not of what `releaser` does; the same seed disturbs the same
        attempts.
    trial : int
        Which of the seed's trials to follow, from 0.
    retry_after : float or timedelta
        How long a refused attempt is to wait, in seconds.

    Returns
    -------
    Disturbed
        A releaser, with ``is_out(repo_id, version_label)`` for the argument `check`, and `released`, all that is out.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, VirtualClock, build_plan, run_plan
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs")]), version="1.0")
    >>> bad_day = disturbed(0.0, hang={"api": 0.5}, lost={"core": 1.0}, rng=1)
    >>> run_plan(plan, bad_day, attempts=3, timeout=600, check=bad_day.is_out, clock=VirtualClock())
    SequenceOutcome(3 succeeded, 0 failed)
    """
    return Disturbed(releaser, hang, lost, limited, rng, trial, retry_after)


class RecordedReleaser:
    """Does again, try by try, what a run of a ledger records: as long, failing for the same reasons, with the same ids.

    It sleeps by the clock of the run, so that on a :class:`seqkit.VirtualClock` a past train is gone through again in
    no time, with more lanes or in another order. It keeps no count.

    Parameters
    ----------
    ledger : RunLedger, path or URL
        Where the run is kept.
    run_id : str
        The run: its id, the start of it (four characters or more) or ``"last"``.

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
            source = counted(kept)
            self.run_id = run_called(source, run_id)
            story = read_story(source, self.run_id)
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
        check_durations(plan, releaser.durations, "the durations of releaser name")
    if isinstance(releaser, Around):
        check_releaser(plan, releaser.releaser)
    elif isinstance(releaser, CommandReleaser):
        releaser.check_plan(plan)
    elif isinstance(releaser, ScriptedReleaser):
        check_script(plan, releaser.failures)
    elif isinstance(releaser, SimulatedReleaser):
        check_models([plan], releaser=releaser.model)
    elif is_model(releaser):
        check_models([plan], releaser=as_model(releaser, "releaser"))
