"""Who releases a repo: your own code, a script of failures, or chance.

Anything with ``async def release(repo_id, version_label, spec_digest, promoted_by) -> str`` that
raises on failure is a releaser, and so is a plain function of that shape, async or not. One that
also has a parameter ``attempt`` is told by that name which try it is, from 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol, runtime_checkable

import numpy as np

from seqkit._util.arguments import whole
from seqkit._util.secrets import as_given
from seqkit._util.words import printable
from seqkit.core import draws
from seqkit.core.draws import Seed
from seqkit.core.durations import DurationsLike, as_durations
from seqkit.core.failures import ModelLike, as_model
from seqkit.core.times import TICKS_A_SECOND
from seqkit.errors import SequencingFailed
from seqkit.running.clock import sleep

__all__ = ["ReleaserLike", "RepoReleaser", "ScriptedReleaser", "SimulatedReleaser"]


@runtime_checkable
class RepoReleaser(Protocol):
    """What the sequencer needs of whoever releases.

    A releaser may also have ``start_run(run_id)``, called once before the first release of a run. A `release` that
    has a parameter `attempt` gets the number of the try by that name, from 1; one that takes any keywords
    (``**kwargs``) and has no such parameter does not.
    """

    async def release(self, repo_id: str, version_label: str, spec_digest: str, promoted_by: str) -> str:
        """Release one repo and return an id for it; raise where that fails."""
        ...


class _Releasing(Protocol):
    """Anything with a method `release` of that shape, a coroutine or not."""

    @property
    def release(self) -> Callable[..., object]: ...


ReleaserLike = RepoReleaser | _Releasing | Callable[..., object] | ModelLike
"""What a `releaser` argument takes: a releaser, a function of that shape, or the model of one to simulate."""


class ScriptedReleaser:
    """Fails exactly where told, and releases everything else as ``run-<repo_id>``.

    Parameters
    ----------
    failures : mapping of str to str, or iterable of str
        Repo ids and the reason of each; without reasons it is ``"intentional failure"``. A run refuses a script of
        which its plan has no repo, and warns (:class:`seqkit.UnknownRepo`) of names that look like slips.

    Examples
    --------
    >>> import asyncio
    >>> releaser = ScriptedReleaser({"core": "tests are red"})
    >>> asyncio.run(releaser.release("docs", "1.0", "", ""))
    'run-docs'
    >>> asyncio.run(releaser.release("core", "1.0", "", ""))
    Traceback (most recent call last):
    seqkit.SequencingFailed: release sequencing failed for repo core: tests are red
    """

    def __init__(self, failures: Mapping[str, str] | Iterable[str] = ()) -> None:
        if isinstance(failures, str):
            failures = [failures]
        if not isinstance(failures, Mapping):
            failures = dict.fromkeys(failures, "intentional failure")
        self.failures = dict(failures)

    async def release(self, repo_id: str, version_label: str, spec_digest: str, promoted_by: str) -> str:
        """Follow the script."""
        if repo_id in self.failures:
            raise SequencingFailed(repo_id, self.failures[repo_id])
        return f"run-{repo_id}"

    def __repr__(self) -> str:
        return printable(f"ScriptedReleaser({self.failures!r})")


class SimulatedReleaser:
    """Fails by chance, the same way each time: outcomes depend on (seed, repo, attempt, trial) alone.

    It keeps no count, so that any number of runs may share one, one after the other or at once. A releaser of your own
    that asks this one hands on the `attempt` that it gets: a second try of the first attempt fails like the first.

    Parameters
    ----------
    model : float, mapping, Series or FailureModel
        How likely each attempt fails.
    rng : int or numpy.random.Generator, optional
        The seed, or where it comes from; None takes a fresh one, which the attribute `seed` tells.
    trial : int
        Which of the seed's trials to follow, from 0.
    durations : float, timedelta, mapping, Series or DurationModel, optional
        How long each attempt takes, drawn where a model says so: it sleeps that long by the clock of the run, in whole
        milliseconds. Without, no time.

    Examples
    --------
    >>> import asyncio
    >>> asyncio.run(SimulatedReleaser(0.0, rng=7).release("core", "1.0", "", ""))
    'run-core'
    """

    def __init__(
        self,
        model: ModelLike,
        rng: Seed | None = None,
        trial: int = 0,
        durations: DurationsLike | None = None,
    ) -> None:
        if isinstance(trial, bool) or not isinstance(trial, int | np.integer):
            raise TypeError(f"trial is {as_given(trial, 200)}, expected a whole number from 0")
        if not 0 <= trial < draws.MAX_TRIALS:
            raise ValueError(f"trial is {trial}, expected a whole number from 0 to {draws.MAX_TRIALS - 1}")
        self.model = as_model(model)
        self.seed = draws.resolve_seed(rng)
        self.trial = int(trial)
        self.durations = None if durations is None else as_durations(durations)

    async def release(
        self, repo_id: str, version_label: str, spec_digest: str, promoted_by: str, attempt: int = 1
    ) -> str:
        """Draw whether this attempt fails; they count from 1."""
        reason = self.model.reason(repo_id, whole("attempt", attempt, 1), self.seed, self.trial)
        if self.durations is not None:
            ticks = self.durations.draw(repo_id, attempt, self.seed, self.trial, failed=reason is not None)
            await sleep(ticks / TICKS_A_SECOND)
        if reason is not None:
            raise SequencingFailed(repo_id, reason)
        return f"run-{repo_id}"

    def __repr__(self) -> str:
        takes = "" if self.durations is None else f", {self.durations!r}"
        return f"SimulatedReleaser({self.model!r}, rng={self.seed}, trial={self.trial}{takes})"
