"""``convert`` and ``export``: a ledger or a graph in another form, and as files for engines of data."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from seqkit._util.formats import either, endings, listed_to_write, named_like
from seqkit._util.secrets import as_given
from seqkit._util.words import plural
from seqkit.cli.graphs import DirectionOption, FormatOption, UnitOption
from seqkit.cli.ledgers import LEDGER_HELP
from seqkit.cli.printing import console, named
from seqkit.cli.source import read_dependencies
from seqkit.cli.writing import write
from seqkit.core.exports import FORMS
from seqkit.core.graph import RepoDependencyGraph
from seqkit.core.kinds import KINDS
from seqkit.errors import ReadError
from seqkit.ledger import write_ledger
from seqkit.ledger.formats import FORMATS, writable
from seqkit.ledger.found import FoundLedger
from seqkit.ledger.parquet import write_parquet
from seqkit.ledger.reading import read_ledger

__all__ = ["convert", "export"]

_GRAPHS = {end: to_text for _, ends, to_text in FORMS for end in ends}
_WRITTEN = either([what + " (" + ", ".join(ends) + ")" for what, ends, _ in FORMS])

_GRAPH_HELP = "Or a graph: a data set, a folder or a file, as for the command graph."


def convert(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help=f"{LEDGER_HELP} {_GRAPH_HELP}")],
    target: Annotated[
        str,
        typer.Argument(
            metavar="TARGET",
            help=f"What to write: {listed_to_write(writable())}; of a graph {_WRITTEN}. The end of the name decides.",
        ),
    ],
    force: Annotated[bool, typer.Option("--force", help="Replace TARGET where it exists.")] = False,
    skip_unreadable: Annotated[
        bool, typer.Option("--skip-unreadable", help="Leave out what cannot be read, rather than refuse.")
    ] = False,
    kinds: Annotated[
        str | None,
        typer.Option(
            metavar="KIND,…", help=f"Of a graph, which dependencies to write: some of {', '.join(KINDS)}. Default: all."
        ),
    ] = None,
    format: FormatOption = None,
    direction: DirectionOption = None,
    unit: UnitOption = None,
) -> None:
    """Write a ledger or a graph in another form, whole or not at all.

    JSON Lines keep everything as it was found. A database refuses what contradicts itself: a run recorded
    twice, a seq used twice, an event without its run. Of a graph JSON keeps everything, DOT the versions and
    kinds, an edge list the kinds; cycles stay.
    """
    to_text = _text_of(source, target)
    if to_text is not None:
        if skip_unreadable:
            raise ValueError("--skip-unreadable is about ledgers, and a graph is written")
        _check_target(source, target, force)
        graph = read_dependencies(source, kinds or "all", format, unit, "keep", direction)
        write(target, to_text(graph))
        told = f"{plural(len(graph), 'repo')}, {plural(graph.n_dependencies, 'dependency', 'dependencies')}"
        console().print(Text(f"{named(target)}: {told}."))
        return
    of_graphs = {"--kinds": kinds, "--format": format, "--direction": direction, "--unit": unit}
    if given := [option for option, value in of_graphs.items() if value is not None]:
        raise ValueError(f"{given[0]} is about graphs, expected a TARGET that ends in {either(list(_GRAPHS))}")
    _check_target(source, target, force)
    found = _read(source, skip_unreadable)
    write_ledger(found, target)
    left_out = f"; {plural(len(found.unreadable), 'unreadable line')} left out" if found.unreadable else ""
    console().print(
        Text(f"{named(target)}: {plural(len(found.runs), 'run')}, {plural(len(found.events), 'event')}{left_out}.")
    )


def export(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help=LEDGER_HELP)],
    folder: Annotated[
        str,
        typer.Argument(metavar="FOLDER", help="Where to: a new or empty folder, or one that was exported to before."),
    ],
    partition_by: Annotated[
        str, typer.Option(metavar="NAME", help="run_id: files for each run; month: for the runs of each month.")
    ] = "run_id",
) -> None:
    """Write the runs, items and events of a ledger as Parquet files; run again, it adds what is new.

    They are for pandas, DuckDB, Polars, Spark, Dask and the like, and need the extra "parquet".
    """
    new = write_parquet(source, folder, partition_by)  # type: ignore[arg-type]  # it says what it expects
    console().print(Text(f"{named(folder)}: {plural(len(new), 'run')} written."))


def _text_of(source: str, target: str) -> Callable[[RepoDependencyGraph], str] | None:
    """Say how a graph is written there: by the name of the target, unless the source is called like a ledger."""
    if "://" in source or named_like(FORMATS, source):
        return None
    return next((text for end, text in _GRAPHS.items() if target.lower().endswith(end)), None)


def _check_target(source: str, target: str, force: bool) -> None:
    if "://" in target or not (named_like(writable(), target) or _text_of(source, target)):
        graphs = "" if named_like(FORMATS, source) else f", or of a graph {either(list(_GRAPHS))}"
        raise ValueError(
            f"TARGET is {as_given(target, 200)}, expected a file that ends in {endings(writable())}{graphs}"
        )
    path = Path(os.path.realpath(target))
    if str(path) == os.path.realpath(source):
        raise ValueError(f"TARGET is {as_given(target, 200)}, which is SOURCE, expected another file")
    if path.is_dir():
        raise OSError(f"cannot write {as_given(target, 200)}: it is a directory")
    if not path.parent.is_dir():
        raise OSError(f"cannot write {as_given(target, 200)}: there is no directory {as_given(str(path.parent), 200)}")
    if path.exists() and not force:
        raise ValueError(f"TARGET is {as_given(target, 200)}, which exists; give --force to replace it")


def _read(source: str, skip_unreadable: bool) -> FoundLedger:
    try:
        return read_ledger(source, on_bad_lines="skip" if skip_unreadable else "error")
    except ReadError as error:
        if skip_unreadable:
            raise
        try:  # is it the whole file, or a part that can be left out?
            unreadable = len(read_ledger(source, on_bad_lines="skip").unreadable)
        except ReadError:
            raise error from None
        hint = f"(of {unreadable:,} that cannot be read; --skip-unreadable leaves them out)"
        raise ReadError(error.path, error.line, f"{error.message} {hint}") from error
