"""What a check says: remarks about a run, or why it could not be made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import Any, NamedTuple, TypeVar, cast

from seqkit._util.words import quoted

__all__ = [
    "SEVERITIES",
    "Finding",
    "NotChecked",
    "Partly",
    "Remark",
    "Result",
    "error",
    "info",
    "looks_for",
    "named",
    "warning",
]

_Check = TypeVar("_Check", bound=Callable[..., object])

SEVERITIES = ("error", "warning", "info")
"""The worst first."""

_MOST_NAMES = 20


class Remark(NamedTuple):
    """What a check has to say, before it is known which check and which run it is about."""

    severity: str
    """One of :data:`SEVERITIES`."""
    message: str
    """What was expected and what was found."""
    at: int | None = None
    """Which event of the run it is about, counted from 0 in the order in which they are read."""
    repo_id: str | None = None
    """Which repo it is about."""
    run_id: str | None = None
    """Which run; filled in for checks of one run."""
    of_all_runs: bool = False
    """Whether remarks of the same words are one finding about the ledger, which names their repos."""


class NotChecked(NamedTuple):
    """A check that could not be made."""

    why: str
    """What is missing, and how to give it."""
    whose: str = ""
    """Whom that is about, where it would be another reason for each run: named behind it, the first of them."""


class Partly(NamedTuple):
    """A check that could be made of a part only, or tells less than it seems."""

    remarks: Sequence[Remark]
    """What it has to say all the same."""
    why: str
    """What it could not look at, or why it tells less."""
    made: bool = True
    """Whether what it is for could be looked at all the same."""


Result = Iterable[Remark] | NotChecked | Partly


class Finding(NamedTuple):
    """One finding of an audit; a row of ``AuditReport.findings``."""

    check: str
    """The check that made it."""
    severity: str
    """``error``: a contradiction; ``warning``: unusual; ``info``: worth knowing."""
    run_id: str | None
    """The run; None where it is about the ledger."""
    seq: int | None
    """The event's number; None where it is about no event, or the number is none (beyond 64 bits)."""
    repo_id: str | None
    """The repo, where it is about one."""
    message: str
    """What was expected and what was found, and where it stands where lines are known."""


def looks_for(sentence: str, of_imported: Callable[[Any], Result] | None = None) -> Callable[[_Check], _Check]:
    """Declare what a check wants to be the case: its sentence on the audit's page, and its docstring.

    Written as data, because ``python -OO`` takes docstrings away. `of_imported` is asked instead about the facts of
    runs that another system made.

    Examples
    --------
    >>> @looks_for("The run has ended.")
    ... def unfinished(run): ...
    >>> unfinished.__doc__
    'The run has ended.'
    """

    def declare(check: _Check) -> _Check:
        check.__doc__ = sentence
        if of_imported is None:
            return check

        @wraps(check)
        def either(run: Any) -> Any:
            return check(run) if run.imported is None else of_imported(run)

        return cast("_Check", either)

    return declare


def error(message: str, index: int | None = None, repo: str | None = None) -> Remark:
    """Remark on a contradiction."""
    return Remark("error", message, index, repo)


def warning(message: str, index: int | None = None, repo: str | None = None) -> Remark:
    """Remark on something unusual."""
    return Remark("warning", message, index, repo)


def info(message: str, index: int | None = None, repo: str | None = None) -> Remark:
    """Remark on something worth knowing."""
    return Remark("info", message, index, repo)


def named(repos: Iterable[object]) -> str:
    """Quote ids in a sentence, the first twenty.

    Examples
    --------
    >>> named(["core", "api"])
    "'core', 'api'"
    >>> named([])
    'none'
    """
    return quoted(repos, _MOST_NAMES) or "none"
