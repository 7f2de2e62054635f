"""From files that people already have to a dependency graph.

=========  ============================================================  ==============================
format     file                                                          module
=========  ============================================================  ==============================
``csv``    an edge list with a header; commas, semicolons or tabs        :mod:`seqkit.readers.edges`
``npm``    ``package-lock.json``, lockfileVersion 2 or 3                 :mod:`seqkit.readers.npm`
``pip``    pip's installation report (``pip install --report``)          :mod:`seqkit.readers.pip_report`
=========  ============================================================  ==============================

Files are read as data: nothing in them is run, and whatever is wrong with one is a `ReadError`.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from pathlib import PurePath
from typing import Any

from seqkit.errors import ReadError
from seqkit.graph import RepoDependencyGraph
from seqkit.readers._files import PathLike, ReadWarning, check_cycles, load_json
from seqkit.readers.edges import read_edges
from seqkit.readers.npm import npm_graph, read_npm
from seqkit.readers.pip_report import pip_graph, read_pip

__all__ = ["ReadWarning", "read_graph"]

_READERS: dict[str, Callable[..., RepoDependencyGraph]] = {"csv": read_edges, "npm": read_npm, "pip": read_pip}
_FORMATS = tuple(_READERS)


def read_graph(path: PathLike, format: str | None = None, **options: Any) -> RepoDependencyGraph:
    r"""Read a dependency graph from a file.

    Parameters
    ----------
    path : str or pathlib.Path
        The file; UTF-8.
    format : {"csv", "npm", "pip"}, optional
        What the file is; guessed from its name (``.csv``, ``.tsv``) and, for ``.json``, from its content.
    **options
        What the format knows beside: ``cycles="merge"`` (all), ``dependency=`` and ``dependent=``
        (``csv``, the names of the columns), ``ids=``, ``kinds=`` and ``root=`` (``npm``),
        ``environment=`` and ``extras=`` (``pip``). They are explained at
        :func:`seqkit.readers.edges.read_edges`, :func:`seqkit.readers.npm.read_npm` and
        :func:`seqkit.readers.pip_report.read_pip`.

    Returns
    -------
    RepoDependencyGraph
        For ``npm`` and ``pip`` every package of the file, with its `version` as attribute.

    Raises
    ------
    ReadError
        Where the file is missing or malformed; with the line where there is one.
    DependencyCycle
        Where the dependencies form a cycle and ``cycles="merge"`` was not given.
    ValueError
        Where `format` is none of the three, cannot be guessed, or an option has a wrong value.
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
        raise TypeError(f"path is {path!r} ({type(path).__name__}), expected a str or a pathlib.Path")
    check_cycles(options.get("cycles", "error"))
    if format is not None:
        if format not in _FORMATS:
            raise ValueError(f"format is {format!r}, expected one of {_FORMATS}, or None to guess")
        _check_options(format, options)
        return _READERS[format](path, **options)
    match PurePath(path).suffix.lower():
        case ".csv" | ".tsv":
            _check_options("csv", options)
            return read_edges(path, **options)
        case ".json":
            document = load_json(path)
            format = _format_of(document, path)
            _check_options(format, options)
            return (npm_graph if format == "npm" else pip_graph)(document, path, **options)
        case suffix:
            raise ValueError(
                f"format of {os.fspath(path)!r} cannot be guessed from the ending {suffix!r} of its name, "
                f"expected .csv, .tsv or .json; pass format= one of {_FORMATS}"
            )


def _format_of(document: object, path: PathLike) -> str:
    if isinstance(document, dict):
        if "lockfileVersion" in document:
            return "npm"
        if "install" in document:
            return "pip"
    raise ReadError(
        path,
        None,
        "is neither a package-lock.json (no lockfileVersion) nor a report of pip (no install); "
        f"pass format= one of {_FORMATS} to see what is missing",
    )


def _check_options(format: str, options: dict[str, Any]) -> None:
    known = [name for name in inspect.signature(_READERS[format]).parameters if name != "path"]
    for name in options:
        if name not in known:
            raise TypeError(f"option {name!r} is unknown to format {format!r}, expected some of {known}")
