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

__all__ = ["TRIED", "Recorded", "counted", "meant", "moment"]

TRIED = frozenset(("succeeded", "failed", "in_progress"))
"""Statuses of attempts; the others are of repos that were not tried."""

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


def meant(row: AttemptRow) -> AttemptRow:
    """Give a row whose status is one of :data:`seqkit.importers._words.MEANINGS` the words of a ledger.

    What was not tried keeps neither attempt nor times, what has no end none, and only a failure has a reason.

    Examples
    --------
    >>> row = AttemptRow("1", None, "core", None, 1, "cancelled", None, None, None, (), None, None)
    >>> meant(row).status, meant(row._replace(started_at=datetime(2026, 1, 5, tzinfo=UTC))).status
    ('stopped', 'in_progress')
    """
    if row.status == "succeeded" and row.reason is None and not row.blocked_by:
        return row  # most are: nothing is to be changed
    if row.status == CANCELLED:
        row = row._replace(status="in_progress" if row.started_at is not None else "stopped", detail=CANCELLED)
    elif row.status == "in_doubt":
        row = row._replace(status="failed", detail=IN_DOUBT)
    elif row.status == "skipped" and row.blocked_by:
        row = row._replace(status="blocked")
    if row.status not in TRIED:
        return row._replace(attempt=None, started_at=None, finished_at=None, reason=None, released_as=None)
    return row._replace(
        finished_at=None if row.status == "in_progress" else row.finished_at,
        reason=row.reason if row.status == "failed" else None,
        blocked_by=(),
    )


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
        told = (started, finished, reason, tuple(blocked_by), released_as, detail)
        row = meant(AttemptRow(run_id, train, repo_id, version, attempt, meaning, *told))
        self.rows.append(row if row.attempt or row.status not in TRIED else row._replace(attempt=1))

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
