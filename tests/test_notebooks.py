"""The lesson has one source, the kept outputs name no machine, and every notebook is executed by the tests."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import nbformat
import pytest

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
BOOKS = sorted(NOTEBOOKS.rglob("*.ipynb"))

WRONG = {
    "own-order": "my_order = ['core', 'app', 'api', 'docs']",
    "may-start": "def may_start(graph, released):\n    return {repo for repo in graph if repo not in released}",
    "skipped-by": "def skipped_by(graph, repo):\n    return set(graph.dependents_of(repo))",
    "gain": "def gain_of_chain(p):\n    return 1 - (1 - p) ** 8\ndef gain_of_hub(p):\n    return 6 * p",
    "flip": "flip = 0.125",
    "simulated": "p = 0.25\nas_is = perfect_hub = seqkit.FailureModel(default=p)",
}
"""Answers that are nearly right."""


@pytest.fixture(scope="module")
def build() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build", NOTEBOOKS / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_student_version_is_the_teachers_without_solutions(build: ModuleType) -> None:
    teacher, student = nbformat.read(build.TEACHER, 4), nbformat.read(build.STUDENT, 4)
    assert nbformat.writes(build.student_version(teacher)) == nbformat.writes(student)
    solutions = [
        line.strip()
        for cell in teacher.cells
        for part in re.findall(r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", cell.source, re.DOTALL)
        for line in part.splitlines()
        if line.strip()
    ]
    assert len(solutions) > 15
    text = "\n".join(cell.source for cell in student.cells)
    assert [line for line in solutions if line in text.splitlines()] == []
    assert "SOLUTION" not in text
    assert text.count("raise NotImplementedError()") == 3, "a function each"
    assert text.count(" = ...  # your answer") == 3
    assert all(cell.get("outputs", []) == [] for cell in student.cells)


def test_every_exercise_is_checked(build: ModuleType) -> None:
    graded = [
        cell.metadata["nbgrader"] for cell in nbformat.read(build.TEACHER, 4).cells if "nbgrader" in cell.metadata
    ]
    assert [cell["solution"] for cell in graded] == [True, False] * 6  # a solution, then its check
    assert [cell["grade"] for cell in graded] == [False, True] * 6
    assert all(cell["points"] > 0 for cell in graded if cell["grade"])
    assert len({cell["grade_id"] for cell in graded}) == len(graded)


def test_checks_refuse_what_is_wrong(build: ModuleType) -> None:
    """Run the student's version with an answer that is nearly right in place of each solution."""
    book = nbformat.read(build.TEACHER, 4)
    names: dict[str, object] = {}
    refused = []
    for cell in book.cells:
        if cell.cell_type != "code" or "Lesson(" in cell.source or "plots." in cell.source:
            continue
        grading = cell.metadata.get("nbgrader", {"grade_id": ""})
        source = cell.source.replace("%matplotlib inline", "")
        if grading.get("grade"):
            name = grading["grade_id"].removesuffix("-check")
            right = dict(names)
            exec(compile(source, name, "exec"), right)  # our own notebook
            names.update({key: right[key] for key in right if key == "released"})
            spoilt = dict(names)
            exec(WRONG[name], spoilt)
            with pytest.raises(AssertionError):
                exec(compile(source, name, "exec"), spoilt)
            refused.append(name)
        else:
            exec(compile(source, "cell", "exec"), names)
    assert refused == list(WRONG)


@pytest.mark.parametrize("answers", ["none", "right", "wrong"])
def test_the_students_version_runs_to_its_end_and_says_how_far_one_is(
    build: ModuleType, answers: str, capsys: pytest.CaptureFixture[str]
) -> None:
    student = nbformat.read(build.STUDENT, 4)
    teacher = {cell.id: cell.source for cell in nbformat.read(build.TEACHER, 4).cells}
    names: dict[str, object] = {}
    for cell in student.cells:
        if cell.cell_type != "code" or "Lesson(" in cell.source or "plots." in cell.source:
            continue
        source = cell.source.replace("%matplotlib inline", "")
        grading = cell.metadata.get("nbgrader", {})
        if grading.get("solution") and answers != "none":
            source = teacher[cell.id] if answers == "right" else WRONG[grading["grade_id"]]
        exec(compile(source, cell.id, "exec"), names)  # our own notebook
    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Exercise ")]
    said = {"none": "not done yet", "right": "right", "wrong": "not right"}[answers]
    assert [line.split(". ")[0] for line in told] == [f"Exercise {number}: {said}" for number in range(1, 7)]


@pytest.mark.parametrize("path", BOOKS, ids=lambda path: path.stem)
def test_what_is_compared_is_tagged_and_has_an_output(path: Path) -> None:
    """A comment that the tests need would be copied by whoever copies the cell."""
    cells = nbformat.read(path, 4).cells
    assert [cell.source for cell in cells if "NBVAL" in cell.source.upper()] == []
    compared = [cell for cell in cells if "nbval-check-output" in cell.metadata.get("tags", [])]
    assert len(compared) >= 4
    if path.parent == NOTEBOOKS:  # the student's version is kept without outputs
        assert [cell.source for cell in compared if not cell.get("outputs")] == []


@pytest.mark.parametrize("path", BOOKS, ids=lambda path: path.stem)
def test_kept_outputs(path: Path) -> None:
    book = nbformat.read(path, 4)
    nbformat.validate(book)
    assert "widgets" not in book.metadata  # models of a kernel that is gone
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"/(?:root|home|tmp|work|Users)/", text)
    assert not re.search(r"at 0x[0-9a-f]{6}", text)
    for cell in book.cells:
        for output in cell.get("outputs", []):
            assert output.output_type != "error"
            assert output.get("name") != "stderr"
