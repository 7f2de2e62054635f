"""What an event says of its repo, in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from seqkit._util.words import and_more, listed, shortened
from seqkit.core.model import RunEvent
from seqkit.explore._words import short
from seqkit.ledger.story import Told, kind_of

__all__ = ["said"]


def said(event: RunEvent, told: Told) -> str | None:
    """Say what an event tells of its repo, whose story by then is `told`; None of a kind that tells nothing.

    Examples
    --------
    >>> event = RunEvent(seq=1, kind="NodeEntered", payload={"version": "1.0"}, timestamp="2026-01-02T10:00:07Z")
    >>> said(event, Told("core"))
    'core 1.0 is being released'
    """
    how = _SAID.get(kind_of(event))
    return None if how is None else f"{short(told.repo_id)} {how(event, told)}"


def _shown(event: RunEvent, key: str) -> str:
    value: Any = event.payload.get(key, "")
    return shortened(str(value), 200)


def _skipped(_event: RunEvent, told: Told) -> str:
    if not told.blocked_by:
        return "is skipped: the run was stopped"
    return f"is skipped: {listed(told.blocked_by[:3], 3, short)}{and_more(told.n_blocked_by - 3)} failed"


def _again(event: RunEvent, told: Told) -> str:
    attempt = event.payload.get("attempt")
    number = f" (attempt {attempt + 1})" if isinstance(attempt, int) else ""
    once = " once it has stopped" if told.still_running else ""
    return f"is tried again{number}{once}: {_shown(event, 'error')}"


def _failed(event: RunEvent, told: Told) -> str:
    doubt = ", and nobody knows whether it is out" if told.unsure else ""
    return f"failed{' and is still running' * told.still_running}{doubt}: {_shown(event, 'error')}"


def _out(event: RunEvent, _told: Told) -> str:
    found = ", as a check found" if event.payload.get("confirmed") == "check" else ""
    return f"is out as {_shown(event, 'run_id')}{found}"


def _late(event: RunEvent, told: Told) -> str:
    if "run_id" in event.payload:
        return f"{_out(event, told)}, too late for this run"
    doubt = ", and nobody knows whether it is out" if told.unsure else ""
    return f"has stopped too late for this run{doubt}: {_shown(event, 'error')}"


_SAID: dict[str, Callable[[RunEvent, Told], str]] = {
    "NodeEntered": lambda event, _: f"{_shown(event, 'version')} is being released",
    "NodeRetrying": _again,
    "NodeExited": _out,
    "NodeFailed": _failed,
    "NodeSkipped": _skipped,
    "NodeLate": _late,
    "NodeProcess": lambda event, _: f"is being released by process {_shown(event, 'pid')}",
}
