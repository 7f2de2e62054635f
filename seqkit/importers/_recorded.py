"""What every importer does with what it finds: rows are kept, times are read, and what had to be guessed is said."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

from seqkit.core.read_report import Counted
from seqkit.errors import ReadError
from seqkit.ledger.attempts import CANCELLED, IN_DOUBT, AttemptRow
from seqkit.readers._files import PathLike, described

__all__ = ["Recorded", "counted", "moment"]

_EXAMPLES = 4
_FINER = re.compile(r"(\.\d{6})\d+")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def counted(what: str, count: int, examples: Sequence[str] = ()) -> Counted:
    """Say how many of something there are, in the plural; of a single one, which is shown, no number.

    Examples
    --------
    >>> str(counted("rows without a repo", 2, ("3", "7"))), str(counted("rows without a repo", 1, ("3",)))
    ('2 rows without a repo: 3, 7', 'rows without a repo: 3')
    """
    return Counted(what, 0 if count == 1 and examples else count, tuple(examples[:_EXAMPLES]))


class Recorded:
    """Attempts as an importer finds them, and what is to be said of them.

    Parameters
    ----------
    system : str
        Whose record it is, as people call it: ``GitHub Actions``.

    Attributes
    ----------
    rows : list of AttemptRow
        In the order in which they were found.
    unreadable : list of ReadError
        Why files were left out.

    Examples
    --------
    >>> found = Recorded("demo")
    >>> found.add("1", "core", "cancelled", attempt=1, started=datetime(2026, 1, 5, tzinfo=UTC))
    >>> found.add("1", "api", "cancelled")
    >>> [(row.repo_id, row.attempt, row.status, row.detail) for row in found.rows]
    [('core', 1, 'in_progress', 'cancelled'), ('api', None, 'stopped', 'cancelled')]
    """

    def __init__(self, system: str) -> None:
        self.system = system
        self.rows: list[AttemptRow] = []
        self.unreadable: list[ReadError] = []
        self._said: dict[str, tuple[int, list[str]]] = {}
        self._notes: list[Counted] = []

    def add(
        self,
        run_id: str,
        repo_id: str,
        meaning: str,
        *,
        attempt: int | None = None,
        started: datetime | None = None,
        finished: datetime | None = None,
        reason: str | None = None,
        blocked_by: Iterable[str] = (),
        train: str | None = None,
        version: str | None = None,
        released_as: str | None = None,
        detail: str | None = None,
    ) -> None:
        """Keep a row.

        Parameters
        ----------
        run_id, repo_id : str
            Which run, and which repo.
        meaning : str
            One of :data:`seqkit.importers._words.MEANINGS`. ``cancelled`` becomes ``in_progress`` without an end where
            `started` is given, else ``stopped``; ``in_doubt`` becomes ``failed``. What was not tried keeps neither
            attempt nor times.
        attempt : int or None
            Which try it is, from 1; by default 1.
        started, finished : datetime or None
            Aware; None where nobody told.
        reason, blocked_by, train, version, released_as, detail
            As in :class:`seqkit.ledger.attempts.AttemptRow`; `detail` keeps the system's own word where that says more
            than the status.
        """
        if meaning == "cancelled":
            meaning, detail = ("stopped" if started is None else "in_progress"), CANCELLED
        elif meaning == "in_doubt":
            meaning, detail = "failed", IN_DOUBT
        tried = meaning in ("succeeded", "failed", "in_progress")
        number = (attempt or 1) if tried else None
        ended = finished if meaning in ("succeeded", "failed") else None
        times = (started, ended) if tried else (None, None)
        why = reason if meaning == "failed" else None
        out = released_as if tried else None
        blockers = () if tried else tuple(blocked_by)
        self.rows.append(
            AttemptRow(run_id, train, repo_id, version, number, meaning, *times, why, blockers, out, detail)
        )

    def say(self, what: str, example: str = "") -> None:
        """Count something that is to be looked at: what was guessed, left out or not told, in the plural."""
        count, examples = self._said.get(what, (0, []))
        if example and len(examples) < _EXAMPLES:
            examples.append(example)
        self._said[what] = (count + 1, examples)

    def say_once(self, sentence: str) -> None:
        """Say a sentence, however often it is said."""
        self._said.setdefault(sentence, (0, []))

    def note(self, told: Counted) -> None:
        """Say what was counted elsewhere."""
        self._notes.append(told)

    def said(self) -> Sequence[Counted]:
        """Give all that was said."""
        return [
            *self._notes,
            *(counted(what, count, examples) for what, (count, examples) in self._said.items()),
        ]


def moment(
    path: PathLike, where: str, value: object, found: Recorded, unit: Literal["", "s", "ms"] = ""
) -> datetime | None:
    """Read a time from a file: text in ISO 8601, or a number since 1970.

    Parameters
    ----------
    path : str or path
        The file, for errors.
    where : str
        The place in it, for errors: ``jobs[3].started_at``.
    value : object
        What stands there; None, empty text and the year 1 (as Go writes no time) give None.
    found : Recorded
        Is told, once, that times without a zone are taken for UTC.
    unit : {"", "s", "ms"}
        What a number counts; none is expected where it is empty.

    Raises
    ------
    ReadError
        Where it is no time.

    Examples
    --------
    >>> moment("jobs.json", "started_at", "2026-01-05T10:00:00.1234567Z", Recorded("demo"))
    datetime.datetime(2026, 1, 5, 10, 0, 0, 123456, tzinfo=datetime.timezone.utc)
    """
    if value is None or value == "":
        return None
    try:
        if unit and isinstance(value, int | float) and not isinstance(value, bool):
            at = _EPOCH + (timedelta(seconds=value) if unit == "s" else timedelta(milliseconds=value))
        elif isinstance(value, str):
            at = datetime.fromisoformat(_FINER.sub(r"\1", value.strip()))
        else:
            raise ValueError  # told below, with all others
        if at.tzinfo is None:
            found.say_once("times without a zone were taken for UTC")
            at = at.replace(tzinfo=UTC)
        return None if at.year <= 1 else at.astimezone(UTC)
    except (ValueError, OverflowError):
        expected = f"a time in ISO 8601{f', or a number of {unit} since 1970' if unit else ''}"
        raise ReadError(path, None, f"{where} is {described(value)}, expected {expected}") from None
