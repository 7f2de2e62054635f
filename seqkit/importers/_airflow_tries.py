"""Airflow's task instances and their tries: rows of a table or a listing, put together try by try.

What Airflow's versions mean by ``try_number`` differs. Of a task that has ended, that runs, or that is up for retry it
is the number of its last try everywhere: before 2.10 because the column was raised when a try began, since then because
it is raised when a try is scheduled. Of what waits it says nothing certain (before 2.10 the tries made, since then
perhaps the next one), so that what waits is no try here. Before 2.10 a task that was deferred or rescheduled has a
number that is one too low, and is counted as it stands (from 1).
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from seqkit.core.ids import is_blank
from seqkit.errors import ReadError
from seqkit.importers._copies import Contradiction
from seqkit.importers._recorded import Recorded, moment
from seqkit.importers._words import CANCELLED, plain
from seqkit.readers._files import PathLike, described, typed

__all__ = ["COLUMNS", "TaskInstance", "TaskTry", "instances_of", "read_try"]

COLUMNS = ("dag_id", "task_id", "run_id", "map_index", "state", "try_number", "start_date", "end_date")
"""All that is read of the tables: what is pickled there (``executor_config``) is not among it."""

REMOVED = "removed"
"""The state of what is in the DAG no more: it is left out."""
_MEANINGS = {
    "success": "succeeded",
    "failed": "failed",
    "up_for_retry": "failed",
    "upstream_failed": "blocked",
    "skipped": "skipped",
    "running": "in_progress",
    "deferred": "in_progress",
    "restarting": "in_progress",
    "sensing": "in_progress",
    "up_for_reschedule": "in_progress",
    "queued": "pending",
    "scheduled": "pending",
    "none": "pending",
    "shutdown": CANCELLED,
    REMOVED: REMOVED,
}
_PLAIN = frozenset(["success", "failed", "upstream_failed", "skipped", "running", "none", "shutdown"])
"""States that say no more than what they mean."""
_TRIED = frozenset(["succeeded", "failed", "in_progress", CANCELLED])
_NOTHING = frozenset(["", r"\n", "null", "none"])  # as databases export it
_WHOLE = re.compile(r"(-?\d{1,9})(?:\.0+)?")  # a column with gaps was perhaps written as one of fractions
_RUN_KEYS = ("run_id", "dag_run_id", "execution_date")


class TaskTry(NamedTuple):
    """What a row tells."""

    dag: str
    run: str
    task: str
    map_index: int
    state: str
    number: int
    started: datetime | None
    finished: datetime | None
    is_earlier: bool
    """Whether it stands in the table of what task instances were before."""
    path: str
    """The file, and with `place` where it stands, for errors."""
    place: str

    @property
    def meaning(self) -> str:
        """What became of it, in the words of :data:`seqkit.importers._words.MEANINGS`."""
        return _MEANINGS[self.state]

    @property
    def detail(self) -> str | None:
        """Airflow's word, where it says more."""
        return None if self.state in _PLAIN else self.state

    @property
    def run_id(self) -> str:
        """The run's id here: Airflow's own comes again in other DAGs."""
        return f"{self.dag}#{self.run}"

    @property
    def repo_id(self) -> str:
        """The repo: the task, and which instance of a mapped one."""
        return self.task if self.map_index < 0 else f"{self.task}[{self.map_index}]"

    def __str__(self) -> str:
        return f"{self.repo_id} in {self.run_id}"


def read_try(
    path: PathLike, place: str, row: Mapping[str, object], found: Recorded, is_earlier: bool = False, line: int = 0
) -> TaskTry:
    """Read a row: what a cell or a field holds is text, a number or nothing.

    Raises
    ------
    ReadError
        Naming the place (``task_instances[3].state``), what is there and what was expected; `line` where there is one.
    """
    try:
        run_key = next((key for key in _RUN_KEYS if row.get(key) is not None), "run_id")
        dag, task = (_name(path, place, key, row.get(key)) for key in ("dag_id", "task_id"))
        run = _name(path, place, run_key, row.get(run_key))
        return TaskTry(
            dag,
            run,
            task,
            _number(path, f"{place}map_index", row.get("map_index"), -1),
            _state(path, f"{place}state", row.get("state")),
            _number(path, f"{place}try_number", row.get("try_number"), 0),
            moment(path, f"{place}start_date", _cell(row.get("start_date")), found),
            moment(path, f"{place}end_date", _cell(row.get("end_date")), found),
            is_earlier,
            os.fspath(path),
            f"line {line}" if line else place.rstrip(".: "),
        )
    except ReadError as error:
        raise ReadError(path, line or None, error.message) from None


def _name(path: PathLike, place: str, key: str, value: object) -> str:
    text: str = typed(path, f"{place}{key}", value, str)
    if is_blank(text):
        raise ReadError(path, None, f"{place}{key} is empty, expected an id")
    return text


def _cell(value: object) -> object:
    return None if isinstance(value, str) and value.strip().casefold() in _NOTHING else value


def _number(path: PathLike, where: str, value: object, default: int) -> int:
    value = _cell(value)
    if value is None:
        return default
    if isinstance(value, str) and (told := _WHOLE.fullmatch(value.strip())):
        value = int(told[1])
    if not isinstance(value, int) or isinstance(value, bool) or not -1 <= value < 2**31:
        raise ReadError(path, None, f"{where} is {described(value)}, expected a whole number")
    return value


def _state(path: PathLike, where: str, value: object) -> str:
    if _cell(value) is None:
        return "none"
    state = plain(typed(path, where, value, str))
    if state not in _MEANINGS:
        raise ReadError(
            path, None, f"{where} is {described(value)}, expected a state of Airflow's: {', '.join(_MEANINGS)}"
        )
    return state


# ---------------------------------------------------------------------- put together


class TaskInstance(NamedTuple):
    """All that is known of a task in a run."""

    last: TaskTry
    """What became of it: its last try, or the row that tells of none."""
    tries: tuple[TaskTry, ...]
    """By number; empty where it was not tried."""


def instances_of(rows: list[TaskTry], found: Recorded) -> list[TaskInstance]:
    """Put the rows of each task instance together, in the order in which they are met, and say what was decided.

    Raises
    ------
    Contradiction
        Where two rows tell of one try and contradict each other; it names both.
    """
    grouped: dict[tuple[str, str, str, int], list[TaskTry]] = {}
    for row in rows:
        if row.state == REMOVED:
            found.say("task instances left out that are removed: their task is in the DAG no more", str(row))
        else:
            grouped.setdefault(row[:4], []).append(row)
    made = (_instance(own, found) for own in grouped.values())
    return [instance for instance in made if instance is not None]


def _instance(rows: list[TaskTry], found: Recorded) -> TaskInstance | None:
    numbered: dict[int, TaskTry] = {}
    untried: TaskTry | None = None
    waiting: list[TaskTry] = []
    for row in rows:
        if row.meaning not in _TRIED:
            untried = row if untried is None else _settled_untried(untried, row, found)
        elif row.number < 1:
            waiting.append(row)
        else:
            before = numbered.get(row.number)
            numbered[row.number] = row if before is None else _settled(before, row, found)
    for row in waiting:
        _count_in(row, numbered, found)
    if numbered:
        if untried is not None and not untried.is_earlier:
            found.say(
                "task instances that were cleared, or wait for another try: the tries that were made are kept",
                str(untried),
            )
        tries = tuple(numbered[number] for number in sorted(numbered))
        if len(tries) < tries[-1].number:
            found.say(
                "task instances whose earlier tries the source does not keep (before 2.10 Airflow keeps the last)",
                f"{tries[-1]}: {len(tries)} of {tries[-1].number}",
            )
        return TaskInstance(tries[-1], tries)
    return None if untried is None else TaskInstance(untried, ())


def _count_in(row: TaskTry, numbered: dict[int, TaskTry], found: Recorded) -> None:
    """Give a number to what has an outcome and none: no try was counted, and yet it came to something."""
    if row.is_earlier:
        found.say("earlier rounds left out in which a task was not tried", str(row))
        return
    if row.meaning != "in_progress":
        found.say("outcomes without a try, of empty operators or given by a person: counted as a try", str(row))
    number = max(numbered, default=0) + 1
    numbered[number] = row._replace(number=number)


def _settled(one: TaskTry, other: TaskTry, found: Recorded) -> TaskTry:
    """Say which of two rows counts that tell of the same try."""
    if _is_retried(one, other) and len({one.started, other.started} - {None}) < 2:
        return one if one.state == "up_for_retry" else other
    if _facts(one) == _facts(other):
        found.say("rows that are there twice: counted once", f"try {one.number} of {one}")
        return one
    if (one.finished is None) != (other.finished is None):
        found.say("tries with an open row and one that has ended: that one counts", f"try {one.number} of {one}")
        return other if one.finished is None else one
    if one.is_earlier != other.is_earlier:  # it was up for retry, and a person said what it was to count as
        found.say("tries that were marked as something else later: that counts", f"try {one.number} of {one}")
        return other if one.is_earlier else one
    raise _contradiction(one, other, f"try {one.number}")


def _is_retried(one: TaskTry, other: TaskTry) -> bool:
    """Tell whether they are the row of what is up for retry, and the one that the history has of it by then."""
    return one.is_earlier != other.is_earlier and {one.state, other.state} == {"up_for_retry", "failed"}


def _settled_untried(one: TaskTry, other: TaskTry, found: Recorded) -> TaskTry:
    if one.is_earlier != other.is_earlier:
        earlier, now = (one, other) if one.is_earlier else (other, one)
        found.say("earlier rounds left out in which a task was not tried", str(earlier))
        return now
    if one.number != other.number:  # it was cleared between them
        return max(one, other, key=lambda row: row.number)
    if one.meaning == other.meaning:
        found.say("rows that are there twice: counted once", str(one))
        return one
    for pending, decided in ((one, other), (other, one)):
        if pending.meaning == "pending":
            found.say(
                "task instances with a row that waits and one that says what became of them: that one counts", str(one)
            )
            return decided
    raise _contradiction(one, other, "the outcome")


def _facts(row: TaskTry) -> tuple[object, ...]:
    return row.meaning, row.started, row.finished


def _contradiction(one: TaskTry, other: TaskTry, what: str) -> Contradiction:
    first, second = (f"{row.state}, {_told(row.started)} to {_told(row.finished)}" for row in (one, other))
    return Contradiction(
        other.path,
        one.path,
        f"{other.place} says of {what} of {other} that it is {second}, but {one.path}, {one.place}, says {first}; "
        "expected them to agree: give exports of one moment",
    )


def _told(at: datetime | None) -> str:
    return "no time" if at is None else at.isoformat()
