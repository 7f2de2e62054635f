"""The words that systems have for what became of an attempt, and what they mean here: one table."""

from __future__ import annotations

import re

from seqkit._util import dtypes

__all__ = ["CANCELLED", "MEANINGS", "plain", "says_more", "status_of"]

CANCELLED = "cancelled"
"""Means ``in_progress`` of what had started (it has no end that counts), and ``stopped`` of what had not."""
MEANINGS = (*dtypes.ATTEMPT_STATUSES, CANCELLED, "in_doubt")
"""What a word may mean: the statuses of attempts, ``cancelled``, and ``in_doubt`` (failed, and perhaps out)."""

# Words that say just what ours say, and words that say more: those are kept beside the status.
_SAME = {
    "succeeded": "success successful ok okay passed pass done complete released published green",
    "failed": "failure fail error errored err broken red",
    "stopped": "not_run never_run not_started",
    "unreleased": "not_released not_planned",
    CANCELLED: "canceled",
    "skipped": "skip",
    "in_progress": "running run executing started ongoing active",
    "pending": "not_reached",
}
_MORE = {
    "succeeded": "deployed warn warning no_op reused up_to_date cached neutral",
    "failed": "timed_out timeout timedout startup_failure crashed exception",
    "blocked": "upstream_failed dependency_failed depends_failed",
    CANCELLED: "aborted abort interrupted terminated killed removed shutdown stopping canceling cancelling stale",
    "skipped": "omitted ignored",
    "in_progress": "building",
    "pending": "queued waiting scheduled requested created manual preparing waiting_for_resource "
    "waiting_for_callback action_required",
    "in_doubt": "unknown",
}
_STATUS = {word: word for word in MEANINGS} | {
    word: meaning for table in (_SAME, _MORE) for meaning, words in table.items() for word in words.split()
}
_SAYING_MORE = frozenset(word for words in _MORE.values() for word in words.split())


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


def says_more(word: str) -> bool:
    """Tell whether a word says more than its meaning: ``timed out`` does, ``FAILURE`` does not.

    Examples
    --------
    >>> says_more("timed out"), says_more("FAILURE"), says_more("a word of your own")
    (True, False, True)
    """
    return plain(word) in _SAYING_MORE or plain(word) not in _STATUS
