"""What a past run tells, try by try."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from seqkit.ledger.story import Told

__all__ = ["RecordedTries"]


@dataclass(frozen=True)
class RecordedTries:
    """What is known of every repo's tries: from the ledger, or because somebody says so."""

    told: Mapping[str, Told]
    fail: Collection[str]
    """Repos that fail at every try."""
    succeed: Collection[str]
    """Repos that are released at the first try."""
    _reasons: dict[str, list[str]] = field(default_factory=dict, repr=False, compare=False)

    def reason(self, repo: str, attempt: int) -> str | None:
        """Say why this try failed, None where it did not.

        Raises
        ------
        LookupError
            Where nothing tells.
        """
        if repo in self.fail:
            return "named as failing"
        if repo in self.succeed:
            return None
        told = self.told.get(repo)
        if told is not None:
            reasons = self._reasons.get(repo)
            if reasons is None:
                reasons = self._reasons[repo] = told.reasons
            if attempt <= len(reasons):
                return reasons[attempt - 1]
            if told.status == "succeeded":
                return None
        raise LookupError(repo)

    def released_as(self, repo: str) -> str:
        """Give what the releaser returned in the ledger, else what a simulated one would."""
        told = self.told.get(repo)
        return f"run-{repo}" if told is None or told.released_as is None else told.released_as
