"""The notebooks as pages of the site, with the outputs that they are kept with: nothing is executed."""

from __future__ import annotations

import json
from pathlib import Path

import seqkit
from seqkit.errors import ReadError

__all__ = ["notebooks_in", "pages"]

_WIDGET = "application/vnd.jupyter.widget-view+json"
_LEAD = """# Guide

Each answers a question, with real data, from top to bottom. What they show is what they are kept with; to run them,
open the folder `notebooks` of a checkout in JupyterLab.

```{toctree}
:maxdepth: 1

"""


def notebooks_in(folder: str | None) -> list[Path]:
    """Find the notebooks: in this folder, or where None in the checkout that seqkit is imported from, if it is one.

    Raises
    ------
    ReadError
        Where a folder is named that has none.
    """
    place = Path(seqkit.__file__).parents[1] / "notebooks" if folder is None else Path(folder)
    found = sorted(place.glob("[0-9][0-9]_*.ipynb"))
    if folder is not None and not found:
        raise ReadError(str(place), None, "it has no notebooks such as 01_first_release_train.ipynb")
    return found


def pages(notebooks: list[Path]) -> dict[str, str]:
    """Give the notebooks' texts by file name, ``index.md`` first."""
    texts = {path.name: _without_widgets(path.read_text(encoding="utf-8")) for path in notebooks}
    listed = "".join(f"{Path(name).stem}\n" for name in texts)
    return {"index.md": f"{_LEAD}{listed}```\n", **texts}


def _without_widgets(text: str) -> str:
    """Leave out what only a kernel can show; the still picture before it stays."""
    book = json.loads(text)
    for cell in book["cells"]:
        if "outputs" in cell:
            cell["outputs"] = [output for output in cell["outputs"] if _WIDGET not in output.get("data", {})]
    return json.dumps(book)
