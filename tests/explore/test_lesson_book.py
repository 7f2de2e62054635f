"""A lesson as notebooks: both run to the end, whatever is filled in and whatever repos are called."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from seqkit import RepoDependencyGraph, SequencePlan, build_plan
from seqkit.explore.exercise_cells import name_in_text
from seqkit.explore.exercises import Exercises
from seqkit.widgets import lesson_notebook
from tests.tools.strange_names import STRANGE_NAMES, is_seen

EDGES = [("core", "api"), ("core", "docs"), ("api", "app"), ("app", "site"), ("docs", "site"), ("tool", "site")]
PLAN = build_plan(RepoDependencyGraph.from_edges(EDGES), version="1.0")
# All kinds of names; some are not released.
NAMES = sorted(STRANGE_NAMES)
STRANGE = build_plan(
    RepoDependencyGraph.from_edges(
        [(NAMES[max(0, i // 2 - 1)], name) for i, name in enumerate(NAMES) if i > 1], nodes=NAMES
    ),
    [(name, "1.0") for i, name in enumerate(NAMES) if i % 5],
    scope="all",
    originating_run_id="<b>`$x$`</b>",
)
BROAD = build_plan(
    RepoDependencyGraph.from_edges([(f"r{i // 3:03}", f"r{i:03}") for i in range(1, 100)]), version="1.0"
)
ALONE = build_plan(RepoDependencyGraph.from_edges([], nodes=["only"]), version="1.0")
PLANS = {"small": PLAN, "strange": STRANGE, "broad": BROAD, "alone": ALONE}


def written(plan: SequencePlan, folder: Path) -> tuple[Any, Any]:
    """The teacher's notebook and the student's."""
    books = lesson_notebook(plan, folder / "lesson.ipynb")
    teacher, student = nbformat.read(books.teacher, 4), nbformat.read(books.student, 4)
    for book in (teacher, student):
        nbformat.validate(book)
        assert len({cell.id for cell in book.cells}) == len(book.cells)
    return teacher, student


def filled(book: Any, answers: dict[str, str]) -> Any:
    """Put source in place of ``...``, by the name of the answer."""
    for cell in book.cells:
        cell.source = re.sub(
            r"^(\w+) = \.\.\.(?=  # your answer)",
            lambda match: f"{match[1]} = {answers.get(match[1], '...')}",
            cell.source,
            flags=re.MULTILINE,
        )
    return book


def said(book: Any) -> list[str]:
    """Run all code here, without widgets, and give what the checks printed."""
    names: dict[str, Any] = {"display": lambda _thing: None}
    lines: list[str] = []
    names["print"] = lambda thing: lines.append(repr(thing))
    for cell in book.cells:
        if cell.cell_type == "code" and "Lesson" not in cell.source:
            exec(compile(cell.source, "cell", "exec"), names)  # written by ourselves
        elif cell.cell_type == "code":
            exec("import seqkit; from seqkit.explore import Exercises", names)
    return [line for line in lines if line.startswith("Exercise")]


def solutions(book: Any) -> dict[str, str]:
    """What the teacher's notebook fills in."""
    found = {}
    for cell in book.cells:
        if match := re.search(r"### BEGIN SOLUTION\n(\w+) = (.*)\n### END SOLUTION", cell.source, re.DOTALL):
            found[match[1]] = match[2]
    return found


@pytest.mark.parametrize("name", PLANS)
def test_what_the_checks_say(name: str, tmp_path: Path) -> None:
    plan = PLANS[name]
    teacher, student = written(plan, tmp_path)
    n = len(Exercises(plan).kept)
    assert n == {"small": 6, "strange": 6, "broad": 6, "alone": 1}[name]
    assert said(teacher)[-1] == f"Exercises({n}: {n} right)", "and no assertion fails"
    undone = [f"Exercise {number}: not done yet" for number in range(1, n + 1)]
    assert said(student) == [*undone, f"Exercises({n}: {n} not done yet)"]
    right = said(filled(deepcopy(student), solutions(teacher)))
    assert right == said(teacher)
    wrong = dict.fromkeys(solutions(teacher), "['zzz', 7]")
    lines = said(filled(student, wrong))
    assert lines[-1] == f"Exercises({n}: {n} not right)"
    assert all(": not right. " in line for line in lines[:-1])


def test_the_teachers_refuses_a_wrong_answer(tmp_path: Path) -> None:
    teacher = written(PLAN, tmp_path)[0]
    for cell in teacher.cells:
        cell.source = cell.source.replace("blocked = [", "blocked = ['core', ")
    with pytest.raises(AssertionError, match=r"Exercise 3: not right\. Too many: core \(it fails"):
        said(teacher)


@pytest.mark.parametrize(("name", "version"), [("small", "student"), ("strange", "teacher"), ("strange", "student")])
def test_they_run_to_the_end_in_a_kernel(name: str, version: str, tmp_path: Path) -> None:
    teacher, student = written(PLANS[name], tmp_path)
    book = teacher if version == "teacher" else student
    if (name, version) == ("strange", "student"):
        filled(book, {**dict.fromkeys(solutions(teacher), "1 / 3"), "average": "'many'", "my_order": "..."})
    NotebookClient(book, timeout=300).execute()  # raises where a cell does
    outputs = [output for cell in book.cells for output in cell.get("outputs", [])]
    assert not [output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"]
    told = "".join(output.text for output in outputs if output.output_type == "stream" and output.name == "stdout")
    expected = {
        ("small", "student"): "Exercises(6: 6 not done yet)",
        ("strange", "teacher"): "Exercises(6: 6 right)",
        ("strange", "student"): "Exercises(6: 5 not right, 1 not done yet)",
    }
    assert told.splitlines()[-1] == expected[name, version]


def test_both_hold_the_plan_and_one_has_no_solutions(tmp_path: Path) -> None:
    for plan in PLANS.values():
        teacher, student = written(plan, tmp_path)
        for book in (teacher, student):
            (source,) = [cell for cell in book.cells if "from_json" in cell.source]
            names: dict[str, Any] = {}
            exec("import seqkit\n" + source.source, names)
            assert names["plan"] == plan
            assert source.metadata.get("jupyter", {}).get("source_hidden", False) is (len(plan.to_json()) > 2_000)
        text = "\n".join(cell.source for cell in student.cells)
        assert "SOLUTION" not in text
        assert "assert" not in text
        assert len(teacher.cells) == len(student.cells)


def test_solutions_and_checks_are_marked_as_nbgrader_does(tmp_path: Path) -> None:
    for book in written(PLAN, tmp_path):
        graded = [cell.metadata["nbgrader"] for cell in book.cells if "nbgrader" in cell.metadata]
        assert [mark["solution"] for mark in graded] == [True, False] * 6
        assert [mark["grade"] for mark in graded] == [False, True] * 6
        assert [mark["grade_id"] for mark in graded[:2]] == ["exercise-1", "exercise-1-check"]
        assert all(mark["points"] == 1 for mark in graded if mark["grade"])


def test_what_is_left_out_is_said(tmp_path: Path) -> None:
    books = lesson_notebook(ALONE, tmp_path / "lesson.ipynb")
    assert list(books.left_out)[-1] == "Read a ledger"
    last = nbformat.read(books.student, 4).cells[-1].source
    assert last.startswith("Some exercises would make no sense for this plan:\n\n- *An order of your own*: no repo")
    assert "left_out" not in (tmp_path / "lesson.ipynb").read_text("utf-8")


def test_the_same_plan_gives_the_same_bytes(tmp_path: Path) -> None:
    first = lesson_notebook(STRANGE, tmp_path / "a.ipynb", failure_rate=0.2, rng=5)
    again = lesson_notebook(STRANGE, tmp_path / "b.ipynb", failure_rate=0.2, rng=5)
    assert first.teacher.read_bytes() == again.teacher.read_bytes()
    assert first.student.read_bytes() == again.student.read_bytes()
    assert first.student.name == "a_student.ipynb"
    assert "failure_rate=0.2, rng=5" in first.student.read_text("utf-8")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("a.ipynb", "a_student.ipynb", "b.ipynb", "b_student.ipynb")
    ]


def test_names_in_the_text_are_shown_as_they_are(tmp_path: Path) -> None:
    for name in STRANGE_NAMES:
        shown = name_in_text(name)
        assert is_seen(shown)
        fence = re.match("`+", shown)
        assert fence is not None
        assert shown.endswith(fence[0])
        assert fence[0] not in shown[len(fence[0]) : -len(fence[0])].replace(" `", " ").replace("` ", " ")
    for book in written(STRANGE, tmp_path):
        for cell in book.cells:
            assert is_seen(cell.source, lines=True)
            if cell.cell_type == "markdown":
                outside = re.sub(r"(`+).+?\1(?!`)", "", cell.source)
                assert not re.search(r"\$|<(?!/?(?:details|summary)>)|\]\(", outside)


# ---------------------------------------------------------------------- files


def test_a_lesson_is_replaced_and_nothing_else_is(tmp_path: Path) -> None:
    path, student = tmp_path / "lesson.ipynb", tmp_path / "lesson_student.ipynb"
    lesson_notebook(PLAN, path)
    book = nbformat.read(path, 4)
    for cell in book.cells:  # as Jupyter does when it runs and saves it
        if cell.cell_type == "code":
            cell.execution_count, cell.outputs = 1, [nbformat.v4.new_output("stream", text="1")]
    nbformat.write(book, path)
    lesson_notebook(ALONE, path)
    assert "only" in path.read_text("utf-8")
    book = nbformat.read(student, 4)
    nbformat.write(filled(book, {"average": "0.9"}), student)
    before = student.read_bytes(), path.read_bytes()
    with pytest.raises(FileExistsError, match=r"lesson into which somebody has written; give .*lesson_student\.ipynb"):
        lesson_notebook(PLAN, path)
    assert before == (student.read_bytes(), path.read_bytes())
    student.unlink()
    for content in (b"", b"{}", b"[1]", b'{"metadata": {"seqkit": 1}}', b"\xff", b"[" * 100_000, b"{} or notes"):
        path.write_bytes(content)
        with pytest.raises(FileExistsError, match=r"there is a file that is no lesson; give another path"):
            lesson_notebook(PLAN, path)
        assert path.read_bytes() == content
        assert not student.exists()


def test_a_path_that_cannot_be_written_is_named_and_nothing_is_left(tmp_path: Path) -> None:
    for name in ("lesson", "lesson.py", "lesson.IPYNB.txt", ""):
        with pytest.raises(ValueError, match=r"path is .*, expected the name of a notebook, such as lesson.ipynb"):
            lesson_notebook(PLAN, tmp_path / name if name else "")
    with pytest.raises(OSError, match="nowhere"):
        lesson_notebook(PLAN, tmp_path / "nowhere" / "lesson.ipynb")
    (tmp_path / "lesson_student.ipynb").mkdir()
    with pytest.raises(OSError, match="lesson_student"):
        lesson_notebook(PLAN, tmp_path / "lesson.ipynb")
    assert [path.name for path in tmp_path.iterdir()] == ["lesson_student.ipynb"]
    with pytest.raises(TypeError, match="expected a SequencePlan"):
        lesson_notebook("plan", tmp_path / "x.ipynb")  # type: ignore[arg-type]


def test_the_notebooks_are_plain_json_as_jupyter_writes_it(tmp_path: Path) -> None:
    books = lesson_notebook(STRANGE, tmp_path / "lesson.ipynb")
    text = books.teacher.read_text("utf-8")
    assert text == json.dumps(json.loads(text), indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    assert (json.loads(text)["nbformat"], json.loads(text)["nbformat_minor"]) == (4, 5)
