"""Who releases a repo: your own code, a script of failures, or chance.

Anything with ``async def release(repo_id, version_label, spec_digest, promoted_by) -> str`` that
raises on failure is a releaser, and so is a plain function of that shape, async or not.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import inspect
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from numbers import Real
from typing import Any, Protocol, TypeGuard, runtime_checkable

import numpy as np
import pandas as pd

from seqkit._util.secrets import as_given
from seqkit.core import draws
from seqkit.core.draws import Seed
from seqkit.core.failures import FailureModel, ModelLike, as_model
from seqkit.core.plan import SequencePlan
from seqkit.core.unknown import check_models, check_script
from seqkit.errors import SequencingFailed

__all__ = ["ReleaserLike", "RepoReleaser", "ScriptedReleaser", "SimulatedReleaser", "as_releaser", "check_names"]


@runtime_checkable
class RepoReleaser(Protocol):
    """What the sequencer needs of whoever releases.

    A releaser may also have ``start_run(run_id)``, called once before the first release of a run.
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
        return f"ScriptedReleaser({self.failures!r})"


class SimulatedReleaser:
    """Fails by chance, the same way each time: outcomes depend on (seed, repo, attempt, trial) alone.

    Parameters
    ----------
    model : float, mapping, Series or FailureModel
        How likely each attempt fails.
    rng : int or numpy.random.Generator, optional
        The seed, or where it comes from; None takes a fresh one, which the attribute `seed` tells.
    trial : int
        Which of the seed's trials to follow, from 0.

    Examples
    --------
    >>> import asyncio
    >>> asyncio.run(SimulatedReleaser(0.0, rng=7).release("core", "1.0", "", ""))
    'run-core'
    """

    def __init__(self, model: ModelLike, rng: Seed | None = None, trial: int = 0) -> None:
        if isinstance(trial, bool) or not isinstance(trial, int | np.integer):
            raise TypeError(f"trial is {as_given(trial, 200)}, expected a whole number from 0")
        if not 0 <= trial < draws.MAX_TRIALS:
            raise ValueError(f"trial is {trial}, expected a whole number from 0 to {draws.MAX_TRIALS - 1}")
        self.model = as_model(model)
        self.seed = draws.resolve_seed(rng)
        self.trial = int(trial)
        self._tries: Counter[str] = Counter()

    def start_run(self, run_id: str) -> None:
        """Count attempts anew: a second run with the same releaser goes like the first."""
        self._tries.clear()

    async def release(self, repo_id: str, version_label: str, spec_digest: str, promoted_by: str) -> str:
        """Draw whether this attempt fails."""
        self._tries[repo_id] += 1
        reason = self.model.reason(repo_id, self._tries[repo_id], self.seed, self.trial)
        if reason is not None:
            raise SequencingFailed(repo_id, reason)
        return f"run-{repo_id}"

    def __repr__(self) -> str:
        return f"SimulatedReleaser({self.model!r}, rng={self.seed}, trial={self.trial})"


class _FunctionReleaser:
    """A plain function as a releaser.

    One that is not async runs in a thread of its own, so that it holds up neither the event loop (a
    notebook's widgets) nor a Ctrl-C. The thread is a daemon: a function that never returns cannot
    keep the interpreter from ending.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.is_async = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
            getattr(function, "__call__", None)  # noqa: B004  # the method itself is wanted, not callability
        )

    async def release(self, repo_id: str, version_label: str, spec_digest: str, promoted_by: str) -> str:
        arguments = (repo_id, version_label, spec_digest, promoted_by)
        if self.is_async:
            return await self.function(*arguments)  # type: ignore[no-any-return]  # checked by the sequencer
        result = await _in_thread(self.function, *arguments)
        if inspect.isawaitable(result):  # a plain function that hands on a coroutine
            result = await result
        return result  # type: ignore[no-any-return]  # checked by the sequencer


async def _in_thread(function: Callable[..., Any], *arguments: object) -> Any:
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[tuple[Any, BaseException | None]] = loop.create_future()
    context = contextvars.copy_context()

    def deliver(result: Any, error: BaseException | None) -> None:
        if not ended.done():
            ended.set_result((result, error))

    def work() -> None:
        result, raised = None, None
        try:
            result = context.run(function, *arguments)
        except BaseException as error:  # handed to the waiting coroutine whole
            raised = error
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(deliver, result, raised)

    threading.Thread(target=work, name="seqkit-release", daemon=True).start()
    result, raised = await ended
    if raised is not None:
        raise raised
    return result


def as_releaser(releaser: ReleaserLike, rng: Seed | None = None, trial: int = 0) -> RepoReleaser:
    """Read a `releaser` argument: a releaser, a function, or a failure model to simulate.

    Raises
    ------
    TypeError
        Where it is none of these.
    ValueError
        Where `rng` or `trial` is given, but `releaser` is no failure model and would not use it.
    """
    if _is_model(releaser):
        return SimulatedReleaser(as_model(releaser, "releaser"), rng, trial)
    if rng is not None or trial != 0:
        raise ValueError(
            f"rng={rng!r}, trial={trial!r} are for a failure rate or FailureModel, "
            f"but releaser is a {type(releaser).__name__}, which would not use them"
        )
    release = getattr(releaser, "release", None)
    if callable(release) and not isinstance(releaser, type):
        _check_shape(release)
        if inspect.iscoroutinefunction(release):
            return releaser  # type: ignore[return-value]  # it has the method
        return _started(_FunctionReleaser(release), releaser)
    if callable(releaser) and not isinstance(releaser, type):
        _check_shape(releaser)
        return _FunctionReleaser(releaser)
    raise TypeError(
        f"releaser is {as_given(releaser)}, expected an object with release(repo_id, version_label, spec_digest, "
        "promoted_by), a function of that shape, a failure rate or a FailureModel"
    )


def check_names(plan: SequencePlan, releaser: ReleaserLike) -> None:
    """Hold the names of a `releaser` argument against a plan, where it is one that has names.

    Warns
    -----
    UnknownRepo
        Where a name looks like a slip.

    Raises
    ------
    ValueError
        Where all names are unknown, and so nothing could fail.
    """
    if isinstance(releaser, ScriptedReleaser):
        check_script(plan, releaser.failures)
    elif isinstance(releaser, SimulatedReleaser):
        check_models([plan], releaser=releaser.model)
    elif _is_model(releaser):
        check_models([plan], releaser=as_model(releaser, "releaser"))


def _is_model(releaser: object) -> TypeGuard[ModelLike]:
    return isinstance(releaser, Real | Mapping | pd.Series | FailureModel) and not isinstance(releaser, bool)


def _check_shape(function: Callable[..., Any]) -> None:
    """Refuse before the run what would otherwise fail every release of it."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # some callables of other languages tell none
        return
    try:
        signature.bind("repo_id", "version_label", "spec_digest", "promoted_by")
    except TypeError as error:
        raise TypeError(
            f"releaser takes {signature} ({error}), expected it to take (repo_id, version_label, spec_digest, "
            "promoted_by)"
        ) from None


def _started(function: _FunctionReleaser, owner: Any) -> RepoReleaser:
    if callable(getattr(owner, "start_run", None)):
        function.start_run = owner.start_run  # type: ignore[attr-defined]  # optional part of the protocol
    return function
