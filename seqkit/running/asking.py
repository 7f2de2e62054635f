"""How a releaser is asked: one shape for the executor, whatever was given as `releaser`.

A ``release`` that has a parameter ``attempt`` gets the number of the try by that name, from 1. One that only takes any
keywords (``**kwargs``) does not: it has no such parameter, and may hand on what it gets to a function that takes none.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from numbers import Real
from typing import Any, TypeGuard

import pandas as pd

from seqkit._util.secrets import as_given
from seqkit.core.draws import Seed
from seqkit.core.failures import FailureModel, ModelLike, as_model
from seqkit.core.model import SequenceItem
from seqkit.running.calling import in_thread, is_async
from seqkit.running.releasers import ReleaserLike, SimulatedReleaser

__all__ = ["Asked", "Check", "Patience", "as_releaser", "called", "checked_check", "is_model"]

Check = Callable[[str, str], str | Awaitable[str | None] | None]
"""Asked ``(repo_id, version_label)``, async or not: an id where that is out, None where it is not; raises where it
cannot tell."""

_PAUSES = (1 / 7, 2 / 7, 4 / 7)  # of the time that "it is not out" is doubted
_SHAPE = ("repo_id", "version_label", "spec_digest", "promoted_by")


class Asked:
    """A releaser as the executor asks it. One that is not async runs in a thread of its own.

    Attributes
    ----------
    seed : int or None
        The seed of a simulated one.
    trial : int or None
        Which of the seed's trials a simulated one follows.
    drawn : bool
        Whether that seed comes from the `rng` argument.
    checker : function or None
        Who is asked whether a repo is out.
    """

    def __init__(self, release: Callable[..., Any], owner: object = None, check: Check | None = None) -> None:
        self._release, self._is_async = release, is_async(release)
        self._told_attempt = _check_shape(release)
        self._start_run = getattr(owner, "start_run", None)
        self.checker = checked_check(_own_check(owner) if check is None else check)
        seed = getattr(owner, "seed", None)
        self.seed = seed if isinstance(seed, int) else None
        trial = getattr(owner, "trial", None)
        self.trial = trial if self.seed is not None and isinstance(trial, int) else None
        self.drawn = False

    @property
    def checks(self) -> bool:
        """Whether somebody can be asked if a repo is out."""
        return self.checker is not None

    async def start_run(self, run_id: str) -> None:
        """Tell the releaser that a run begins, where it wants to know."""
        if callable(self._start_run):
            begun = self._start_run(run_id)
            if inspect.isawaitable(begun):
                await begun

    def release(self, item: SequenceItem, attempt: int) -> Coroutine[Any, Any, object]:
        """Ask for one release, once that is awaited; what comes back is checked by whoever asks."""
        return self.ask((item.repo_id, item.version_label, item.spec_digest, item.promoted_by), attempt)

    async def ask(self, arguments: tuple[str, str, str, str], attempt: int) -> object:
        """Ask with these arguments."""
        named = {"attempt": attempt} if self._told_attempt else {}
        if self._is_async:
            return await self._release(*arguments, **named)
        return await _in_thread(self._release, *arguments, **named)

    async def check(self, item: SequenceItem) -> object:
        """Ask whether a repo is out: an id where it is, None where it is not; what comes back is not yet checked."""
        assert self.checker is not None  # noqa: S101  # tells mypy: whoever asks has looked
        return await called(self.checker, item.repo_id, item.version_label)


async def called(function: Callable[..., Any], *arguments: object) -> object:
    """Call what is async or not: one that is not runs in a thread of its own."""
    return await (function(*arguments) if is_async(function) else _in_thread(function, *arguments))


async def _in_thread(function: Callable[..., Any], *arguments: object, **named: object) -> object:
    result = await in_thread(function, *arguments, **named)
    if inspect.isawaitable(result):  # a plain function that hands on a coroutine
        result = await result
    return result


def _own_check(owner: object) -> object:
    own = getattr(owner, "check", None)
    return own if callable(own) else None  # it may be anything else, of the same name


def checked_check(check: Any) -> Check | None:
    """Read a `check` argument: a function that is asked (repo_id, version_label).

    Raises
    ------
    TypeError
        Where it is none, or takes something else.

    Examples
    --------
    >>> checked_check(lambda repo_id: None)
    Traceback (most recent call last):
    TypeError: check takes (repo_id) (too many positional arguments), expected a function of (repo_id, ...
    """
    expected = "expected a function of (repo_id, version_label) that gives an id where that is out, else None"
    if check is None:
        return None
    if not callable(check):
        raise TypeError(f"check is {as_given(check)}, {expected}")
    try:
        inspect.signature(check).bind("repo_id", "version_label")
    except TypeError as error:
        raise TypeError(f"check takes {inspect.signature(check)} ({error}), {expected}") from None
    except ValueError:  # some callables of other languages tell nothing
        pass
    given: Check = check
    return given


class Patience:
    """How long a check is asked again that says "it is not out": registries lag.

    That is after 1/7, 3/7 and the whole of `wait` seconds. Then it is believed; and so it is where the time is over
    earlier, as questions take time too.

    Examples
    --------
    >>> patience = Patience(wait=7.0, since=100.0)
    >>> [patience.pause(now) for now in (100.0, 101.0, 103.0, 107.0)]
    [1.0, 2.0, 4.0, None]
    >>> Patience(wait=0.0, since=100.0).pause(100.0)  # believed at once
    """

    def __init__(self, wait: float, since: float) -> None:
        self._end = since + wait
        self._pauses = [wait * part for part in reversed(_PAUSES)]

    def pause(self, now: float) -> float | None:
        """Say in how many seconds to ask again; None where the answer is believed."""
        return self._pauses.pop() if now < self._end and self._pauses else None


def as_releaser(releaser: ReleaserLike, rng: Seed | None = None, trial: int = 0, check: Check | None = None) -> Asked:
    """Read a `releaser` argument: a releaser, a function, or a failure model to simulate.

    Raises
    ------
    TypeError
        Where it is none of these.
    """
    if is_model(releaser):
        simulated = SimulatedReleaser(as_model(releaser, "releaser"), rng, trial)
        made = Asked(simulated.release, simulated, check)
        made.drawn = True
        return made
    release = getattr(releaser, "release", None)
    if callable(release) and not isinstance(releaser, type):
        return Asked(release, releaser, check)
    if callable(releaser) and not isinstance(releaser, type):
        return Asked(releaser, check=check)
    raise TypeError(
        f"releaser is {as_given(releaser)}, expected an object with release(repo_id, version_label, spec_digest, "
        "promoted_by), a function of that shape, a failure rate or a FailureModel"
    )


def is_model(releaser: object) -> TypeGuard[ModelLike]:
    """Tell whether a `releaser` argument is the model of one to simulate."""
    return isinstance(releaser, Real | Mapping | pd.Series | FailureModel) and not isinstance(releaser, bool)


def _check_shape(function: Callable[..., Any]) -> bool:
    """Refuse before the run what would otherwise fail every release of it; tell whether it is told the attempt."""
    try:
        signature = inspect.signature(function)  # of a decorated function: that of what it wraps
        own = inspect.signature(function, follow_wrapped=False)
    except (TypeError, ValueError):  # some callables of other languages tell none
        return False
    if not any(taken.kind in (taken.VAR_POSITIONAL, taken.VAR_KEYWORD) for taken in own.parameters.values()):
        signature = own  # it names what it takes, whatever it wraps
    if "attempt" in signature.parameters and _binds(signature, attempt=1) is None and _binds(own, attempt=1) is None:
        return True
    if error := _binds(signature):
        raise TypeError(
            f"releaser takes {signature} ({error}), expected it to take (repo_id, version_label, spec_digest, "
            "promoted_by), and where it wants to know which try it is also attempt"
        )
    return False


def _binds(signature: inspect.Signature, **named: object) -> TypeError | None:
    """Tell what keeps a function of this signature from being called so; None where nothing does."""
    try:
        signature.bind(*_SHAPE, **named)
    except TypeError as error:
        return error
    return None
