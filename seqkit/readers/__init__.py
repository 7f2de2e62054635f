"""From files that people already have to a dependency graph.

Which formats there are stands in :mod:`seqkit.readers.formats`; each has a module with the function that reads it.
Files are read as data: nothing in them is run, and whatever is wrong with one is a `ReadError`.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from seqkit._util.collector import collector_paused
from seqkit._util.formats import listed, named_like, told_in
from seqkit._util.secrets import as_given, shown
from seqkit.core.graph import RepoDependencyGraph, check_cycles
from seqkit.readers._files import Opened, PathLike, ReadWarning, name_unpacked
from seqkit.readers.backstage import read_backstage
from seqkit.readers.cargo import read_cargo
from seqkit.readers.cargo_lock import read_cargo_lock
from seqkit.readers.cargo_metadata import read_cargo_metadata
from seqkit.readers.conda_forge import read_conda_forge
from seqkit.readers.cyclonedx import read_cyclonedx
from seqkit.readers.dbt import read_dbt
from seqkit.readers.debian import read_debian
from seqkit.readers.dot import read_dot
from seqkit.readers.edges import read_edges
from seqkit.readers.folders import read_folder
from seqkit.readers.formats import ECOSYSTEMS, FORMATS, all_formats, recognised
from seqkit.readers.go import read_go
from seqkit.readers.go_graph import read_go_mod_graph
from seqkit.readers.graphml import read_graphml
from seqkit.readers.js import read_js
from seqkit.readers.kde import read_kde
from seqkit.readers.maven import read_maven
from seqkit.readers.node_link import read_node_link
from seqkit.readers.npm import read_npm
from seqkit.readers.nx import read_nx
from seqkit.readers.pip_report import read_pip
from seqkit.readers.plans import read_plan
from seqkit.readers.pnpm import read_pnpm
from seqkit.readers.poetry_lock import read_poetry
from seqkit.readers.publishing import read_publishing_rules
from seqkit.readers.pylock import read_pylock
from seqkit.readers.python import read_python
from seqkit.readers.ros import read_ros
from seqkit.readers.spdx import read_spdx
from seqkit.readers.turbo import read_turbo
from seqkit.readers.uv_lock import read_uv
from seqkit.readers.workflows import read_workflow
from seqkit.readers.yarn import read_yarn

__all__ = [
    "ReadWarning",
    "read_backstage",
    "read_cargo",
    "read_cargo_lock",
    "read_cargo_metadata",
    "read_conda_forge",
    "read_cyclonedx",
    "read_dbt",
    "read_debian",
    "read_dot",
    "read_edges",
    "read_go",
    "read_go_mod_graph",
    "read_graph",
    "read_graphml",
    "read_js",
    "read_kde",
    "read_maven",
    "read_node_link",
    "read_npm",
    "read_nx",
    "read_pip",
    "read_plan",
    "read_pnpm",
    "read_poetry",
    "read_publishing_rules",
    "read_pylock",
    "read_python",
    "read_ros",
    "read_spdx",
    "read_turbo",
    "read_uv",
    "read_workflow",
    "read_yarn",
]

_NAMES = tuple(row.name for row in FORMATS)


@told_in(
    formats=f"One of {_NAMES}: {listed(FORMATS)}. By default guessed from the end of the file's name and, where "
    "several formats share it, from the content.",
    options="What the format knows beside; explained at "
    + ", ".join(f":func:`{row.read.__module__}.{row.read.__name__}` ({row.name})" for row in FORMATS)
    + '. All know `kinds` (some of `seqkit.core.kinds.KINDS`, ``"all"``, or None for all but dev, test and extra) and '
    'cycles="merge" and "keep"; folders know `unit` ("package" or "repo").',
)
def read_graph(path: PathLike, format: str | None = None, **options: Any) -> RepoDependencyGraph:
    r"""Read a dependency graph from a file or a folder.

    Parameters
    ----------
    path : str or pathlib.Path
        The file; UTF-8, with at most 256 MB, perhaps gzipped (``*.gz``). Pipes and devices are not read. Or a folder:
        the workspace whose files stand at its top, else the repositories that lie in it side by side.
    format : str, optional
        {formats}
    **options
        {options}

    Returns
    -------
    RepoDependencyGraph
        Of formats with packages every package of the file, with its `version` as attribute. Its
        :attr:`~seqkit.RepoDependencyGraph.report` says what was read, left out and guessed.

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
    formats = all_formats()
    names = tuple(row.name for row in formats)
    if format is not None and format not in names:
        raise ValueError(f"format is {as_given(format, 200)}, expected one of {names}, or None to guess")
    if format is None and os.path.isdir(path):
        _check_options(options, read_folder, "folder", passed_over=("path", "ecosystems"))
        with collector_paused():  # what is read is kept: there is nothing to collect
            return read_folder(path, ECOSYSTEMS, **options)
    file = Opened(path)
    if format is not None:
        row = next(row for row in formats if row.name == format)
    else:
        rows = named_like(formats, name_unpacked(file))
        if not rows:
            raise ValueError(
                f"format of {as_given(os.fspath(path), 200)} cannot be guessed from the ending "
                f"{PurePath(shown(os.fspath(path))).suffix!r} of its name; pass format= one of {names}"
            )
        alike = tuple(row.name for row in rows)
        row = recognised(rows, file, advice=f"; pass format= one of {alike} to see what is missing")
    _check_options(options, row.read, row.name, passed_over=("path",))
    with collector_paused():
        return row.read(file, **options)


def _check_options(options: Mapping[str, Any], read: Callable[..., Any], name: str, passed_over: Sequence[str]) -> None:
    known = [option for option in inspect.signature(read).parameters if option not in passed_over]
    for option in options:
        if option not in known:
            raise TypeError(f"option {option!r} is unknown to format {name!r}, expected some of {known}")
