"""What became of one repo in one run, for whoever presses its box or its cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from seqkit._show.palette import EVERY_STYLE
from seqkit._util.words import plural
from seqkit.explore._words import short, told
from seqkit.ledger.story import Told, Try

__all__ = ["OneRepo"]


@dataclass(frozen=True)
class OneRepo:
    """What a run tells of a repo."""

    repo_id: str
    """The repo."""
    word: str
    """How it stands, a key of ``EVERY_STYLE``."""
    version: str | None = None
    """The version that is or was to be released, where that is known."""
    tries: tuple[Try, ...] = ()
    """Its attempts, the one under way included."""
    reason: str | None = None
    """Why its last attempt failed, where it is not out: all of it, with the end of a log that a releaser kept."""
    blocked_by: tuple[str, ...] = ()
    """The failed repos for which it was passed over."""
    held_by: tuple[str, ...] | None = None
    """The failed repos that hold it back though it has not been passed over; none of them where nothing starts any
    more, None where it may start."""
    released_as: str | None = None
    """What the release is called."""
    detail: str | None = None
    """What another system, whose record this is, calls its status."""

    @classmethod
    def of(
        cls,
        own: Told,
        word: str,
        version: str | None = None,
        blocked_by: Sequence[str] = (),
        held_by: tuple[str, ...] | None = None,
    ) -> OneRepo:
        """Read it from the story of a run."""
        reasons = own.reasons
        reason = reasons[-1] if reasons and own.status != "succeeded" else None
        tries, details = tuple(own.tries), own.detail
        return cls(
            own.repo_id, word, version, tries, reason or None, tuple(blocked_by), held_by, own.released_as, details
        )

    @property
    def started_at(self) -> datetime | None:
        """When its first attempt began."""
        return self.tries[0].began if self.tries else None

    @property
    def finished_at(self) -> datetime | None:
        """When its last attempt ended."""
        return self.tries[-1].ended if self.tries else None

    @property
    def waits(self) -> str:
        """For whom it waits, as half a sentence; empty where for nobody."""
        if self.blocked_by:
            return f"waits for {told(self.blocked_by)}"
        if self.held_by:
            return f"held back by {told(self.held_by)}"
        return "" if self.held_by is None else "held back, as nothing starts any more"

    @property
    def sentence(self) -> str:
        """All in one line: how it stands, attempts, reason, for whom it waits.

        Examples
        --------
        >>> OneRepo("api", "failed", tries=(Try(outcome="failed"),), reason="tests are red").sentence
        'api: failed, 1 attempt, tests are red'
        """
        parts = [EVERY_STYLE[self.word].word]
        parts += [plural(len(self.tries), "attempt")] if self.tries else []
        parts += [part for part in (self.reason, self.released_as, self.waits) if part]
        return f"{short(self.repo_id)}: {', '.join(parts)}"
