"""What a command is about: a data set, a file with a graph, or a file with a plan."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import typer

from seqkit._util.formats import Format, listed, named_like
from seqkit._util.near import NearNames, did_you_mean
from seqkit._util.secrets import as_given, shown
from seqkit._util.words import plural, printable
from seqkit.cli.printing import some
from seqkit.core.graph import DIRECTIONS, Cycles, RepoDependencyGraph
from seqkit.core.ids import SimilarIds
from seqkit.core.kinds import KINDS, chosen_kinds
from seqkit.core.plan import SequencePlan, build_plan
from seqkit.datasets import LOADERS, load_dataset
from seqkit.errors import DependencyCycle, ReadError
from seqkit.readers import ReadWarning, read_graph
from seqkit.readers._files import Opened, PathLike, name_unpacked
from seqkit.readers.formats import FORMATS, PLAN, all_formats, recognised

__all__ = [
    "DATASETS",
    "DIRECTION_HELP",
    "GRAPH_HELP",
    "KINDS_HELP",
    "SOURCE_HELP",
    "Source",
    "read_dependencies",
    "read_order",
    "read_source",
]

DATASETS = tuple(LOADERS)

_FILES: tuple[Format[RepoDependencyGraph | SequencePlan], ...] = (*FORMATS, PLAN)

SOURCE_HELP = (
    f"A data set ({', '.join(DATASETS)}), a folder with a workspace or with repositories side by side, or a file: "
    f"{listed(_FILES)}. A file that is called like a data set needs a "
    "path or an ending."
)

GRAPH_HELP = (
    "For runs that carry no plan (the original's): a data set or a file, as for what-if, with the dependencies, or the "
    "plan that the run was made from."
)

KINDS_HELP = (
    f"Which dependencies count: some of {', '.join(KINDS)}, or all. Default: all "
    "but dev, test and extra; of edge lists all, of Maven its tests too."
)

DIRECTION_HELP = (
    f"What an edge means, where the file does not say it (DOT, GraphML, node-link JSON, columns such as source and "
    f"target): {' or '.join(DIRECTIONS)}."
)

_WAY_OUT = "remove an edge of each, or give --merge-cycles to release each as one unit"
_UNVERSIONED = "unversioned"  # an edge list knows no versions, a plan needs some, and nothing here shows them


@dataclass(frozen=True)
class Source:
    """A plan, and where it came from."""

    name: str
    """As it was typed."""
    kind: str
    """What it turned out to be, in words."""
    plan: SequencePlan
    """What is released."""
    passed_over: bool = False
    """Whether a file of that name was not read."""

    @property
    def facts(self) -> dict[str, int]:
        """Count what was read."""
        return {
            "repos": len(self.plan.released),
            "unreleased": len(self.plan.unreleased),
            "dependencies": self.plan.graph.n_dependencies,
            "waves": len(self.plan.waves()),
        }

    def __str__(self) -> str:
        facts = self.facts
        note = "; the file of that name was not read" if self.passed_over else ""
        unreleased = f", {facts['unreleased']:,} unreleased" if facts["unreleased"] else ""
        name = printable(shown(self.name))
        return (
            f"{name} ({self.kind}{note}): {plural(facts['repos'], 'repo')} to release{unreleased}, "
            f"{plural(facts['dependencies'], 'dependency', 'dependencies')}, {plural(facts['waves'], 'wave')}."
        )

    def released(self, option: str, repo: str) -> str:
        """Give `repo` back if the plan releases it; `option` is who asks.

        Raises
        ------
        ValueError
            Naming the repos that are called much the same.
        """
        if repo in self._released:
            return repo
        if repo in self.plan.graph:
            raise ValueError(f"{option} names {repo!r}, which is in the plan but not to be released: it never fails")
        hint = did_you_mean(NearNames(self.plan.released).near(repo)) or f"its repos are {some(self.plan.released, 5)}"
        raise ValueError(f"{option} names {repo!r}, which {shown(self.name)} does not have; {hint}")

    @cached_property
    def _released(self) -> frozenset[str]:
        return frozenset(self.plan.released)


def read_source(name: str, merge_cycles: bool = False, version: str | None = None, versioned: bool = False) -> Source:
    """Read what a command is about; `version` for repos without one, which are refused where `versioned` says so.

    Raises
    ------
    ValueError
        Where `name` is neither a data set nor called like a file that can be read.
    ReadError, DependencyCycle
        Where the file is missing or malformed.
    """
    if name in DATASETS:
        passed_over = Path(name).is_file()
        return Source(name, "data set", _planned(load_dataset(name).graph, version, versioned), passed_over)
    read, kind = _file(name, merge_cycles)
    plan = read if isinstance(read, SequencePlan) else _planned(read, version, versioned)
    return Source(name, kind, plan)


def _planned(graph: RepoDependencyGraph, version: str | None, versioned: bool) -> SequencePlan:
    if versioned and version is None:
        if lacking := [repo for repo in graph if graph.attributes(repo).get("version") is None]:
            raise ValueError(f"--version is missing: {some(lacking, 5)} have none in the file")
        return build_plan(graph)
    return build_plan(graph, version=version or _UNVERSIONED)


def read_order(name: str) -> RepoDependencyGraph | SequencePlan:
    """Read the dependencies, or the plan, that runs are held against; cycles are merged.

    Raises
    ------
    ValueError, ReadError
        As for :func:`read_source`.
    """
    return load_dataset(name).graph if name in DATASETS else _file(name, merge_cycles=True)[0]


def read_dependencies(
    name: str,
    kinds: str | None,
    format: str | None,
    unit: str | None,
    cycles: Cycles,
    direction: str | None = None,
) -> RepoDependencyGraph:
    """Read who needs whom, as the options of the commands graph, plan and convert say.

    Raises
    ------
    ValueError, ReadError
        As for :func:`read_source`.
    """
    if name in DATASETS and format is None:
        return load_dataset(name).graph.only_kinds("all" if kinds is None else _kinds(kinds))
    options: dict[str, Any] = {"cycles": cycles}
    if kinds is not None:
        options["kinds"] = _kinds(kinds)
    if unit is not None:
        options["unit"] = unit
    if direction is not None:
        options["direction"] = direction
    if format is None and not Path(name).is_dir():
        _named(name)
    return _read(name, format, options)


def _kinds(text: str) -> tuple[str, ...]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    return chosen_kinds("all" if parts == ["all"] else parts, "--kinds")


def _file(name: str, merge_cycles: bool) -> tuple[RepoDependencyGraph | SequencePlan, str]:
    """Give what a file or folder holds, and what kind of thing it is."""
    if Path(name).is_dir():
        graph = _read(name, None, {"cycles": "merge" if merge_cycles else "error"})
        return graph, "folder"
    file = Opened(name)
    row = recognised(_named(name), file)
    kind = row.help.split(" ", 1)[1]  # without its article
    if row is PLAN:
        return PLAN.read(file), kind
    return _read(file, row.name, {"cycles": "merge" if merge_cycles else "error"}), kind


def _named(name: str) -> list[Format[RepoDependencyGraph | SequencePlan]]:
    """List the formats whose files are named like this one."""
    table: list[Format[RepoDependencyGraph | SequencePlan]] = [*all_formats(), PLAN]
    rows = named_like(table, name_unpacked(name))
    if not rows:
        raise ValueError(
            f"{as_given(name, 200)} is no data set ({', '.join(DATASETS)}), no folder and no name of a file that is "
            "read: python -m seqkit graph --help lists those"
        )
    return rows


def _read(path: PathLike, format: str | None, options: Mapping[str, Any]) -> RepoDependencyGraph:
    """Read a graph; warnings go to stderr, a line each."""
    with warnings.catch_warnings(record=True) as seen:
        for category in (ReadWarning, SimilarIds):
            warnings.simplefilter("always", category)
        try:
            return read_graph(path, format, **options)
        except DependencyCycle as error:
            raise ReadError(path, None, error.told(_WAY_OUT)) from error
        finally:
            for warning in seen:
                typer.echo(f"seqkit: warning: {printable(str(warning.message))}", err=True)
