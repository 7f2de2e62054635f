"""The words that systems have for what became of an attempt, and what they mean here: one table."""

from __future__ import annotations

import re

from seqkit._util import dtypes

__all__ = ["CANCELLED", "MEANINGS", "plain", "status_of"]

CANCELLED = "cancelled"
"""Means ``in_progress`` of what had started (it has no end that counts), and ``stopped`` of what had not."""
MEANINGS = (*dtypes.ATTEMPT_STATUSES, CANCELLED, "in_doubt")
"""What a word may mean: the statuses of attempts, ``cancelled``, and ``in_doubt`` (failed, and perhaps out)."""

_WORDS = {
    "succeeded": "success successful ok okay passed pass done complete released published deployed green warn warning "
    "no_op reused up_to_date cached neutral",
    "failed": "failure fail error errored err broken red timed_out timeout timedout startup_failure crashed exception",
    "blocked": "upstream_failed dependency_failed depends_failed",
    "stopped": "not_run never_run not_started",
    "unreleased": "not_released not_planned",
    CANCELLED: "canceled aborted abort interrupted terminated killed removed shutdown stopping canceling cancelling "
    "stale",
    "skipped": "skip omitted ignored",
    "in_progress": "running run executing started ongoing active building",
    "pending": "queued waiting scheduled requested created manual preparing not_reached waiting_for_resource "
    "waiting_for_callback action_required",
    "in_doubt": "unknown",
}
_STATUS = {word: meaning for meaning, words in _WORDS.items() for word in (meaning, *words.split())}


def plain(word: str) -> str:
    """Write a word as the table has it.

    Examples
    --------
    >>> plain(" Timed-Out "), plain("UPSTREAM FAILED")
    ('timed_out', 'upstream_failed')
    """
    return re.sub(r"[\s_-]+", "_", word.strip()).casefold()


def status_of(word: str) -> str | None:
    """Say what a word means, one of :data:`MEANINGS`; None where nobody knows.

    ``completed`` is none of them: it says that something ended, and not how.

    Examples
    --------
    >>> status_of("SUCCESS"), status_of("timed out"), status_of("Canceled"), status_of("completed")
    ('succeeded', 'failed', 'cancelled', None)
    """
    return _STATUS.get(plain(word))
