"""Execute the notebooks and keep their outputs, the same bytes each time; write the student's version of the lesson.

``python notebooks/build.py`` does all of them, ``python notebooks/build.py 04*.ipynb`` only some. The lesson has one
source, the teacher's notebook: its solutions are marked in the way of nbgrader, and the student's version is the same
without them. It is written without outputs, and what cannot run without solutions is tagged ``nbval-skip``.
Tags stay as they are: ``nbval-check-output`` marks a cell whose output the tests compare.
"""

from __future__ import annotations

import copy
import hashlib
import json
import os
import re
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).parent
TEACHER = HERE / "04_teaching_release_ordering.ipynb"
STUDENT = HERE / "student" / TEACHER.name
SOLUTION = re.compile(
    r"^( *)### BEGIN SOLUTION\n.*?^ *### END SOLUTION$", re.MULTILINE | re.DOTALL
)
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
    """Take the solutions and all outputs out of the teacher's notebook."""
    book = copy.deepcopy(teacher)
    for cell in book.cells:
        grading = cell.metadata.get("nbgrader", {})
        if cell.cell_type != "code":
            if grading.get("solution"):
                cell.source = "YOUR ANSWER HERE"
            continue
        cell.outputs, cell.execution_count = [], None
        cell.source = SOLUTION.sub(
            r"\1# YOUR CODE HERE\n\1raise NotImplementedError()", cell.source
        )
        if grading.get("solution") or grading.get("grade"):
            cell.metadata["tags"] = [*cell.metadata.get("tags", []), "nbval-skip"]
    return book


def main(names: list[str]) -> None:
    """Build the notebooks of these names, or all."""
    for path in [HERE / Path(name).name for name in names] or sorted(HERE.glob("*.ipynb")):
        nbformat.write(executed(path), path)
        print(path.name)
    STUDENT.parent.mkdir(exist_ok=True)
    nbformat.write(student_version(nbformat.read(TEACHER, 4)), STUDENT)


if __name__ == "__main__":
    main(sys.argv[1:])
