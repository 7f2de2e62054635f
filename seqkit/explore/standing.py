"""How a run stands, in a line: what happened last, what is under way, and in the end what it came to."""

from __future__ import annotations

from seqkit._show.palette import STATUS_STYLES
from seqkit._util.words import inflected
from seqkit.core.model import RunStatus
from seqkit.explore._words import told
from seqkit.explore.live import LiveRun

__all__ = ["ending", "standing"]

_ENDED = ("succeeded", "failed", "in_doubt", "blocked", "stopped")


def standing(live: LiveRun, estimated: str = "") -> str:
    """Say how a run stands; `estimated` says when it will end.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, build_plan, run_plan
    >>> live = LiveRun(build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1.0"))
    >>> standing(live)
    'Nothing has started yet'
    >>> _ = run_plan(live.plan, 0.0, on_event=live)
    >>> standing(live)
    'api is out as run-api. The run is over: 2 succeeded.'
    """
    now = live.now()
    then = ending(live) if live.over else f"Running: {now}" if now else ""
    if estimated and not live.over and live.last:
        then = f"{then}. {estimated}" if then else estimated
    return f"{live.last}. {then}" if live.last and then else live.last or then or "Nothing has started yet"


def ending(live: LiveRun) -> str:
    """Say what a run that is over came to; of one that broke off also what is left and what to do about it."""
    ended = [f"{live.counts[word]} {STATUS_STYLES[word].word}" for word in _ENDED if live.counts[word]]
    going_on = live.still_running
    more = f" Still running: {told(going_on)}." if going_on else ""
    if not live.interrupted:
        return f"The run is over: {', '.join(ended) or 'there was nothing to release'}.{more}"
    open_ = [repo for repo, word in live.words.items() if word == "in_progress"]
    left = live.counts["pending"]
    were = inflected(len(open_), "it was", "they were")
    ended += [f"{len(open_)} in doubt as {were} under way ({told(open_)})"] if open_ else []
    ended += [f"{left} not reached"] if left else []
    how = "was interrupted" if live.status is RunStatus.CANCELLED else "broke off with an error"
    return f"The run {how}: {', '.join(ended)}.{more} resume_plan(ledger, run_id) plans what is left."
