"""From files that people already have to a dependency graph.

Which formats there are stands in :mod:`seqkit.readers.formats`; each has a module with the function that reads it.
Files are read as data: nothing in them is run, and whatever is wrong with one is a `ReadError`.
"""

from __future__ import annotations

import inspect
import os
from pathlib import PurePath
from typing import Any

from seqkit._util.formats import endings, listed, named_like, told_in
from seqkit._util.secrets import as_given, shown
from seqkit.core.graph import RepoDependencyGraph
from seqkit.readers._files import Opened, PathLike, ReadWarning, check_cycles
from seqkit.readers.edges import read_edges
from seqkit.readers.formats import FORMATS, recognised
from seqkit.readers.npm import read_npm
from seqkit.readers.pip_report import read_pip
from seqkit.readers.plans import read_plan

__all__ = ["ReadWarning", "read_edges", "read_graph", "read_npm", "read_pip", "read_plan"]

_NAMES = tuple(row.name for row in FORMATS)


@told_in(
    formats=f"One of {_NAMES}: {listed(FORMATS)}. By default guessed from the end of the file's name and, where "
    "several formats share it, from the content.",
    options="What the format knows beside; explained at "
    + ", ".join(f":func:`{row.read.__module__}.{row.read.__name__}` ({row.name})" for row in FORMATS)
    + '. All know ``cycles="merge"``.',
)
def read_graph(path: PathLike, format: str | None = None, **options: Any) -> RepoDependencyGraph:
    r"""Read a dependency graph from a file.

    Parameters
    ----------
    path : str or pathlib.Path
        The file; UTF-8, with at most 256 MB. Pipes and devices are not read.
    format : str, optional
        {formats}
    **options
        {options}

    Returns
    -------
    RepoDependencyGraph
        Of formats with packages every package of the file, with its `version` as attribute.

    Raises
    ------
    ReadError
        Where the file is missing or malformed; with the line where there is one.
    DependencyCycle
        Where the dependencies form a cycle and ``cycles="merge"`` was not given.
    ValueError
        Where `format` is none of these, cannot be guessed, or an option has a wrong value.
    TypeError
        Where the format does not know an option.

    Warns
    -----
    SimilarIds
        Where ids differ only in case, outer blanks or Unicode form; they stay different repos.
    ReadWarning
        Where a part of the file was understood in part; the formats say when.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "edges.csv")
    ...     _ = file.write_text("dependency,dependent\ncore,api\napi,app\n")
    ...     read_graph(file).topological_order()
    ['core', 'api', 'app']
    """
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"path is {as_given(path, 200)} ({type(path).__name__}), expected a str or a pathlib.Path")
    check_cycles(options.get("cycles", "error"))
    file = Opened(path)
    if format is not None:
        row = next((row for row in FORMATS if row.name == format), None)
        if row is None:
            raise ValueError(f"format is {as_given(format, 200)}, expected one of {_NAMES}, or None to guess")
    else:
        rows = named_like(FORMATS, file)
        if not rows:
            raise ValueError(
                f"format of {as_given(os.fspath(path), 200)} cannot be guessed from the ending "
                f"{PurePath(shown(os.fspath(path))).suffix!r} of its name, expected {endings(FORMATS)}; pass format= "
                f"one of {_NAMES}"
            )
        row = recognised(rows, file, advice=f"; pass format= one of {_NAMES} to see what is missing")
    known = [name for name in inspect.signature(row.read).parameters if name != "path"]
    for name in options:
        if name not in known:
            raise TypeError(f"option {name!r} is unknown to format {row.name!r}, expected some of {known}")
    return row.read(file, **options)
