"""Execute the notebooks and keep their outputs, the same bytes each time; write the student's version of the lesson.

``python notebooks/build.py`` does all of them, ``python notebooks/build.py 04*.ipynb`` only some. The lesson has one
source, the teacher's notebook: its solutions are marked in the way of nbgrader, and the student's version is the same
without them. It is written without outputs. It runs to its end with nothing filled in: where the teacher's checks
raise, so that they can be graded, the student's say what is not done yet, or not right.
Tags stay as they are: ``nbval-check-output`` marks a cell whose output the tests compare.
"""

from __future__ import annotations

import copy
import hashlib
import json
import os
import re
import sys
import textwrap
from pathlib import Path

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).parent
TEACHER = HERE / "04_teaching_release_ordering.ipynb"
STUDENT = HERE / "student" / TEACHER.name
SOLUTION = re.compile(
    r"^( *)### BEGIN SOLUTION\n.*?^ *### END SOLUTION$", re.MULTILINE | re.DOTALL
)
TO_DO = re.compile(r"^(\w+) = \.\.\.", re.MULTILINE)
HELPER = '''\
# This cell needs no answer: it makes the checks say how far you are.
from contextlib import contextmanager


@contextmanager
def exercise(number, *answers):
    """Say whether the checks inside pass, or that there is no answer yet."""
    undone, said = any(answer is ... for answer in answers), "right"
    try:
        yield
    except NotImplementedError:
        undone = True
    except AssertionError as error:
        said = f"not right. {error}".removesuffix(". ")
    except Exception as error:
        said = f"not right. {type(error).__name__}: {error}"
    print(f"Exercise {number}: {'not done yet' if undone else said}")
'''
MODEL_ID = re.compile(r'"model_id": "([0-9a-f]{32})"')


def executed(path: Path) -> nbformat.NotebookNode:
    """Run a notebook in its folder. No times, no random ids, no bars of progress and no widget state stay in it."""
    os.environ["TQDM_DISABLE"] = (
        "1"  # for its kernel: a bar shows where a cell is slow, on one machine or another
    )
    book = nbformat.read(path, 4)
    client = NotebookClient(
        book,
        timeout=300,
        kernel_name="python3",
        record_timing=False,
        store_widget_state=False,
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.execute()
    for number, cell in enumerate(book.cells):
        cell["id"] = f"c{number:03d}"
    book.metadata["language_info"] = {"name": "python"}
    return _settled(book, path.stem)


def _settled(book: nbformat.NotebookNode, name: str) -> nbformat.NotebookNode:
    """Number the widget models, whose ids are random."""
    text = nbformat.writes(book)
    for number, model in enumerate(dict.fromkeys(MODEL_ID.findall(text))):
        text = text.replace(
            model, hashlib.sha256(f"{name} {number}".encode()).hexdigest()[:32]
        )
    return nbformat.from_dict(json.loads(text))


def student_version(teacher: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Take the solutions and all outputs out of the teacher's notebook, and let its checks say what is not right."""
    book = copy.deepcopy(teacher)
    number, answers = 0, []
    for cell in book.cells:
        grading = cell.metadata.get("nbgrader", {})
        if cell.cell_type != "code":
            if grading.get("solution"):
                cell.source = "YOUR ANSWER HERE"
            continue
        cell.outputs, cell.execution_count = [], None
        if grading.get("solution"):
            number, answers = number + 1, TO_DO.findall(cell.source)
            cell.source = SOLUTION.sub(_place, cell.source)
        elif grading.get("grade"):
            inside = textwrap.indent(cell.source, "    ")
            cell.source = f"with exercise({', '.join([str(number), *answers])}):\n{inside}"
    first = next(place for place, cell in enumerate(book.cells) if cell.cell_type == "code")
    helper = nbformat.v4.new_code_cell(HELPER.rstrip("\n"), id="checks")
    book.cells.insert(first + 1, helper)
    return book


def _place(solution: re.Match[str]) -> str:
    """Say where the answer goes. A function without its body raises when it is called; a value is ``...`` so far."""
    indent = solution[1]
    place = f"{indent}# YOUR CODE HERE"
    return f"{place}\n{indent}raise NotImplementedError()" if indent else place


def main(names: list[str]) -> None:
    """Build the notebooks of these names, or all."""
    for path in [HERE / Path(name).name for name in names] or sorted(HERE.glob("*.ipynb")):
        nbformat.write(executed(path), path)
        print(path.name)
    STUDENT.parent.mkdir(exist_ok=True)
    nbformat.write(student_version(nbformat.read(TEACHER, 4)), STUDENT)


if __name__ == "__main__":
    main(sys.argv[1:])
