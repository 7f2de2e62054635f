"""A lesson about somebody's own plan as two notebooks, the teacher's and the student's."""

from __future__ import annotations

import copy
import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any, NamedTuple

from seqkit._util.files import replacing
from seqkit._util.secrets import as_given
from seqkit._util.words import plural
from seqkit.core.draws import Seed
from seqkit.core.plan import SequencePlan
from seqkit.explore.exercise_cells import cells_of, code, literal, markdown, name_in_text
from seqkit.explore.exercises import Exercises
from seqkit.explore.lesson import MOST_WALKED

__all__ = ["LessonNotebooks", "lesson_notebook"]

_SOLUTION = re.compile(r"^### BEGIN SOLUTION\n.*?^### END SOLUTION\n?", re.MULTILINE | re.DOTALL)
_REFUSAL = re.compile(r"^assert .*\n?", re.MULTILINE)
_WIDTH = 100
_LONG = 2_000  # characters of a plan that would be in the way: their cell is folded


class LessonNotebooks(NamedTuple):
    """The notebooks that were written, and what is not in them."""

    teacher: Path
    """With solutions, which are marked in the way of nbgrader."""
    student: Path
    """The same without them."""
    left_out: dict[str, str]
    """Exercise → why the plan has none such."""


def lesson_notebook(
    plan: SequencePlan, path: str | os.PathLike[str], failure_rate: float = 0.1, rng: Seed | None = 0
) -> LessonNotebooks:
    """Write a lesson with exercises about a plan: a notebook for the teacher and one for the students.

    The exercises are those of :class:`seqkit.explore.Exercises`, each with hints and a cell that says whether the
    answer is right; any right answer is. The student's notebook runs to its end with nothing filled in, and says what
    is not done yet. Both hold the plan, so that each is all that its reader needs besides seqkit.

    Parameters
    ----------
    plan : SequencePlan
        What the lesson is about; it must release something.
    path : path
        Where the teacher's notebook goes; its name ends in ``.ipynb``. The student's stands beside it:
        ``lesson_student.ipynb`` for ``lesson.ipynb``.
    failure_rate : float
        The probability with which each repo fails in the exercises on chances; between 0 and 1.
    rng : int, numpy.random.Generator or None
        The seed of the quiz and of the simulated run.

    Returns
    -------
    LessonNotebooks
        The two paths, `teacher` and `student`, and `left_out`: exercise → why the plan has none such. The
        notebooks say that too.

    Raises
    ------
    TypeError, ValueError
        Where `plan` is no plan or releases nothing, `path` does not end in ``.ipynb``, `failure_rate` is no
        probability, or `rng` no seed.
    FileExistsError
        Where there is another file of one of the names, or a lesson into which somebody has written. A lesson as it was
        written, executed or not, is replaced.
    OSError
        Where a notebook cannot be written; each is written whole or not at all.

    Examples
    --------
    >>> import tempfile
    >>> from seqkit import RepoDependencyGraph, build_plan
    >>> graph = RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs"), ("api", "app")])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     written = lesson_notebook(build_plan(graph, version="1.0"), Path(folder, "lesson.ipynb"))
    >>> written.teacher.name, written.student.name, written.left_out
    ('lesson.ipynb', 'lesson_student.ipynb', {})
    """
    teacher = Path(path)
    if teacher.suffix != ".ipynb":
        raise ValueError(f"path is {as_given(os.fspath(path))}, expected the name of a notebook, such as lesson.ipynb")
    student = teacher.with_name(f"{teacher.stem}_student.ipynb")
    exercises = Exercises(plan, failure_rate, rng)
    cells = [*_beginning(exercises), *cells_of(exercises), *_end(exercises)]
    for each in (teacher, student):
        _refuse_to_lose(each)
    with replacing(teacher) as whole, replacing(student) as open_ended:
        whole.write_text(_book(cells), encoding="utf-8")
        open_ended.write_text(_book(_without_solutions(cells)), encoding="utf-8")
    return LessonNotebooks(teacher, student, dict(exercises.left_out))


def _beginning(exercises: Exercises) -> list[dict[str, Any]]:
    plan, n = exercises.plan, len(exercises.plan.released)
    run = name_in_text(plan.originating_run_id)
    walk = len(plan.items) <= MOST_WALKED
    waves = plural(len(plan.waves()), "wave")
    about = (
        f"# How this release is ordered\n\nThis is a release of {plural(n, 'repo')} in {waves}, called {run}. Nothing "
        "may go out before what it needs, and a failure blocks all that needs what failed. Nothing is really released "
        "here.\n\nPut your answer in place of `...` and run the cell, then the one below: it says whether the answer "
        "is right. Often several are. Running all cells does no harm: what is not done yet is said to be so."
    )
    text = plan.to_json()
    lines = [f"    {literal(text[i : i + _WIDTH])}" for i in range(0, len(text), _WIDTH)]
    source = "\n".join(["plan = seqkit.SequencePlan.from_json(", *lines, ")"])
    rate, seed = exercises.failure_rate, exercises.seed
    imports = "import seqkit\nfrom seqkit.explore import Exercises"
    cells = [
        markdown(about),
        code(f"{imports}\nfrom seqkit.widgets import Lesson" if walk else imports),
        code(source, folded=len(text) > _LONG),
        code(f"exercises = Exercises(plan, failure_rate={rate!r}, rng={seed!r})\nplan"),
    ]
    if walk:
        cells += [
            markdown("Go through the order one step at a time, and let the quiz ask you what comes next."),
            code(f"Lesson(plan, rng={seed!r})"),
        ]
    return cells


def _end(exercises: Exercises) -> list[dict[str, Any]]:
    cells = [markdown("## How far you are"), code("print(exercises)")]
    if exercises.left_out:
        rows = [f"- *{title}*: {reason}." for title, reason in exercises.left_out.items()]
        cells.append(markdown("\n".join(["Some exercises would make no sense for this plan:", "", *rows])))
    return cells


def _without_solutions(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Make the student's cells of the teacher's: no solution, and a check that says what is wrong and goes on."""
    cells = copy.deepcopy(cells)
    for cell in cells:
        grading = cell["metadata"].get("nbgrader", {})
        if grading.get("solution"):
            cell["source"] = _SOLUTION.sub("", cell["source"]).rstrip("\n")
        elif grading.get("grade"):
            cell["source"] = _REFUSAL.sub("", cell["source"]).rstrip("\n")
    return cells


def _book(cells: list[dict[str, Any]]) -> str:
    """Write cells as a notebook of format 4.5, the same bytes each time."""
    numbered = [{**cell, "id": f"c{number:03d}"} for number, cell in enumerate(cells)]
    book = {
        "cells": numbered,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
            "seqkit": {"lesson": _digest(numbered)},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(book, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _digest(cells: list[dict[str, Any]]) -> str:
    """Tell what people write from what running a notebook changes."""
    sources = ["".join(cell["source"]) for cell in cells]  # a string, or its lines
    return hashlib.sha256(json.dumps(sources).encode()).hexdigest()


def _refuse_to_lose(path: Path) -> None:
    """Raise where there is a file that is no lesson, or no longer as it was written."""
    try:
        book = json.loads(path.read_text(encoding="utf-8"))
        if book["metadata"]["seqkit"]["lesson"] == _digest(book["cells"]):
            return
        what = "a lesson into which somebody has written"
    except FileNotFoundError:
        return
    except (ValueError, LookupError, TypeError, RecursionError):
        what = "a file that is no lesson"
    raise FileExistsError(17, f"there is {what}; give another path, or move it away", str(path))
