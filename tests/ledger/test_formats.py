"""Formats of ledgers and graphs: one table each, and a new one is a module and a row."""

from __future__ import annotations

import ast
import inspect
import os
import re
import shutil
import subprocess
import sys
import textwrap
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import seqkit
from seqkit import MemoryRunLedger, RepoDependencyGraph, build_plan, read_graph, read_ledger, run_plan, write_ledger
from seqkit._util.formats import Format, endings, named_like
from seqkit.ledger import formats as ledgers
from seqkit.ledger.found import FoundLedger
from seqkit.readers import formats as graphs

ROOT = Path(seqkit.__file__).parent
TABLES: dict[str, tuple[Format[Any], ...]] = {"ledger": ledgers.FORMATS, "readers": (*graphs.FORMATS, graphs.PLAN)}
ROWS = [pytest.param(row, id=f"{place}-{row.name}") for place, table in TABLES.items() for row in table]

LEDGER_MODULE = '''
"""Ledgers as a line ``run`` or ``run seq repo``."""

import os
from datetime import UTC, datetime

from seqkit._util.files import replacing
from seqkit.ledger.base import RunLedger
from seqkit.ledger.collecting import Found, OnBadLines, collected
from seqkit.ledger.found import FoundEvent, FoundLedger, FoundRun, Problem
from seqkit.core.model import RunEvent, RunMetadata, RunRecord

DAY = datetime(2026, 1, 2, tzinfo=UTC)


def read_toy(path: str | os.PathLike[str], on_bad_lines: OnBadLines = "error") -> FoundLedger:
    """Read one."""
    return collected(_lines, path, on_bad_lines)


def _lines(path: str) -> Found:
    for number, line in enumerate(open(path), 1):
        match line.split():
            case [run]:
                record = RunRecord(
                    run_id=run, spec_digest="0" * 64, metadata=RunMetadata(), status="RUNNING", created_at=DAY
                )
                yield FoundRun(record, path, number)
            case [run, seq, repo]:
                event = RunEvent(seq=int(seq), kind="NodeEntered", payload={"node_id": repo}, timestamp=DAY)
                yield FoundEvent(run, event, path, number)
            case _:
                yield Problem(path, number, "is no line of a toy")


def write_toy(ledger: RunLedger, path: str) -> None:
    """Write one."""
    with replacing(path) as draft, draft.open("w") as file:
        for run in ledger.list_runs():
            print(run.run_id, file=file)
            for event in ledger.get_events(run.run_id):
                print(run.run_id, event.seq, event.payload["node_id"], file=file)
'''
LEDGER_ROW = (
    'Format("toy", "a toy ledger", read_toy, (".toy",), write=write_toy, detail="made up", extra="games"),',
    "from seqkit.ledger.toy import read_toy, write_toy",
)
GRAPH_MODULE = '''
"""Graphs as ``{"toys": [[dependency, dependent], …]}``."""

from seqkit.core.graph import RepoDependencyGraph
from seqkit.readers._files import Cycles, PathLike, build, load_json


def read_toy(path: PathLike, *, backwards: bool = False, cycles: Cycles = "error") -> RepoDependencyGraph:
    """Read one."""
    return build(path, [tuple(pair[:: -1 if backwards else 1]) for pair in load_json(path)["toys"]], {}, cycles)
'''
GRAPH_ROW = (
    'Format("toy", "a toy graph", read_toy, (".toy", ".json"), lambda file: file.has_keys("toys"), "toys"),',
    "from seqkit.readers.toy import read_toy",
)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package with a format more of each kind; for each, one file is new and one is changed."""
    place = tmp_path_factory.mktemp("package")
    shutil.copytree(ROOT, place / "seqkit", ignore=shutil.ignore_patterns("__pycache__"))
    for room, module, (row, line) in (("ledger", LEDGER_MODULE, LEDGER_ROW), ("readers", GRAPH_MODULE, GRAPH_ROW)):
        (place / "seqkit" / room / "toy.py").write_text(module, "utf-8")
        table = place / "seqkit" / room / "formats.py"
        text, rows = re.subn(r"(?m)^(FORMATS: .* = \()$", rf"\1\n    {row}", table.read_text("utf-8"))
        text, lines = re.subn(r"(?m)^(from seqkit\._util\.formats .*)$", rf"\1\n{line}", text)
        assert (rows, lines) == (1, 1)
        table.write_text(text, "utf-8")
    return place


@pytest.fixture
def told(package: Path, tmp_path: Path) -> Any:
    """Run Python, or the command line, with that package; give what it prints on one line."""

    def run(*arguments: str, code: str = "") -> str:
        command = ["-c", textwrap.dedent(code)] if code else ["-m", "seqkit", *arguments]
        done = subprocess.run(  # our own interpreter and code
            [sys.executable, *command],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(package), "COLUMNS": "400", "NO_COLOR": "1"},
        )
        assert "Traceback" not in done.stderr, done.stderr
        return " ".join((done.stdout + done.stderr).split())

    return run


@pytest.mark.slow
def test_a_new_ledger_format_is_a_module_and_a_row(told: Any, tmp_path: Path) -> None:
    (tmp_path / "a.toy").write_text("monday\nmonday 1 core\n")
    (tmp_path / "bad.toy").write_text("monday\nso it goes on and on\n")
    (tmp_path / "a.nothing").write_text("x")
    answer = told(
        code="""
        import seqkit
        from seqkit.ledger import as_ledger
        print(as_ledger("a.toy", existing=True), seqkit.read_ledgers(["a.toy", "bad.toy"], "skip"))
        print(seqkit.events_frame("a.toy")[["repo_id", "source"]].values.tolist())
        seqkit.write_ledger("a.toy", "b.jsonl.gz")
        seqkit.write_ledger("b.jsonl.gz", "c.toy")
        print(open("c.toy").read().splitlines())
        for call in (
            lambda: seqkit.read_ledger("bad.toy"),
            lambda: seqkit.read_ledger("a.nothing"),
            lambda: seqkit.open_ledger("new.toy"),
            lambda: seqkit.write_ledger("a.toy", "a.nothing"),
        ):
            try:
                call()
            except Exception as error:
                print(type(error).__name__, error)
        for function in (seqkit.read_ledger, as_ledger):
            print(function.__name__, "a toy ledger (.toy; made up; needs the extra games)" in function.__doc__)
        print("write_ledger", "a toy ledger (.toy), JSON Lines" in seqkit.write_ledger.__doc__)
        from seqkit.__main__ import main
        for command in ("runs", "show", "audit", "resume", "convert"):
            print("help of", command)
            main([command, "--help"])
        print("help of no more")
        main(["convert", "b.jsonl.gz", "d.toy"])
        """
    )
    for part in (
        "FoundLedger(1 run, 1 event) FoundLedger(1 run, 1 event, 1 unreadable) [['core', 'a.toy']]",
        "['monday', 'monday 1 core']",
        "ReadError bad.toy, line 2: is no line of a toy",
        "ReadError a.nothing: is no ledger, expected a ledger: a toy ledger (.toy; made up; needs the extra games), J",
        "ValueError path_or_url is 'new.toy', expected a SQLite file",
        "ValueError path is 'a.nothing', expected a name that ends in .toy, .jsonl",
        "read_ledger True as_ledger True write_ledger True",
    ):
        assert part in answer
    _, *helps, end = answer.split("help of ")
    assert [told_of.partition(" ")[0] for told_of in helps] == ["runs", "show", "audit", "resume", "convert"]
    for told_of in helps:
        assert "A ledger: a toy ledger (.toy; made up; needs the extra games), JSON Lines" in told_of
    assert (
        "What to write: a toy ledger (.toy), JSON Lines (.jsonl, .jsonl.gz) or a SQLite file (.db, .sqlite, .sqlite3);"
        in helps[-1]
    )
    assert end.endswith("d.toy: 1 run, 1 event.")
    assert told("runs", "a.toy").startswith("a.toy: 1 run, 1 event.")
    assert "expected a file that ends in .toy, .jsonl" in told("convert", "a.toy", "e.nothing")


@pytest.mark.slow
def test_a_new_graph_format_is_a_module_and_a_row(told: Any, tmp_path: Path) -> None:
    for name in ("a.toy", "a.json", "a"):
        (tmp_path / name).write_text('{"toys": [["core", "api"]]}')
    (tmp_path / "other.json").write_text("{}")
    answer = told(
        code="""
        import seqkit
        for name, *more in (("a.toy",), ("a.json",), ("a", "toy")):
            print(seqkit.read_graph(name, *more).edges, seqkit.read_graph(name, *more, backwards=True).edges)
        for call in (
            lambda: seqkit.read_graph("other.json"),
            lambda: seqkit.read_graph("a.toy", ids="name"),
            lambda: seqkit.read_graph("a.nothing"),
            lambda: seqkit.read_graph("a", "cargo"),
        ):
            try:
                call()
            except Exception as error:
                print(type(error).__name__, error)
        print("a toy graph (.toy, .json)" in seqkit.read_graph.__doc__)
        """
    )
    for part in (
        "[('core', 'api')] [('api', 'core')] " * 3,
        "ReadError other.json: is neither a toy graph (no toys), nor a package-lock.json (no lockfileVersion), nor",
        "TypeError option 'ids' is unknown to format 'toy', expected some of ['backwards', 'cycles']",
        "expected .toy, .json, .csv or .tsv; pass format= one of ('toy', 'csv', 'npm', 'pip')",
        "ValueError format is 'cargo', expected one of ('toy', 'csv', 'npm', 'pip'), or None to guess",
    ):
        assert part in answer
    assert answer.endswith("True")
    for command in ("what-if", "simulate"):
        assert "or a file: a toy graph (.toy, .json), an edge list (.csv, .tsv; with" in told(command, "--help")
    assert told("what-if", "a.toy", "--fail", "core").startswith("a.toy (toy graph): 2 repos to release")
    assert "no name of a file that ends in .toy, .json, .csv or .tsv" in told("what-if", "a.nothing", "--fail", "a")


# ---------------------------------------------------------------------- the tables


@pytest.mark.parametrize("row", ROWS)
def test_every_reader_is_a_public_typed_function(row: Format[Any]) -> None:
    module = sys.modules[row.read.__module__]
    assert row.read.__name__ in module.__all__
    assert getattr(seqkit.ledger if row in ledgers.FORMATS else seqkit.readers, row.read.__name__) is row.read
    assert row.read.__doc__
    hints = typing.get_type_hints(row.read)
    assert set(hints) == {*inspect.signature(row.read).parameters, "return"}
    expected = FoundLedger if row in ledgers.FORMATS else seqkit.SequencePlan if row is graphs.PLAN else None
    assert hints["return"] is (expected or RepoDependencyGraph)


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_rows_are_told_apart(table: tuple[Format[Any], ...]) -> None:
    assert len({row.name for row in table}) == len(table)
    for row in table:
        assert all(end == end.lower() and end[0] in "._" for end in row.suffixes)
        assert row.suffixes or row.files or row.sniff
        for end in row.suffixes:
            others = [other for other in named_like(table, f"x{end}") if other is not row]
            assert all(other.sniff and row.sniff for other in others), "who shares an ending looks into the file"


def strings(tree: ast.AST) -> Iterator[str]:
    """All text in a module; of an f-string the whole, with a letter for what is put in."""
    left = [tree]
    while left:
        for node in ast.iter_child_nodes(left.pop()):
            if isinstance(node, ast.JoinedStr):
                yield "".join(str(part.value) if isinstance(part, ast.Constant) else "x" for part in node.values)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value
            else:
                left.append(node)


def test_no_other_module_names_the_endings() -> None:
    own = {row.read.__module__ for table in TABLES.values() for row in table}
    own |= {"seqkit.ledger.formats", "seqkit.readers.formats"}
    own |= {"seqkit.core.exports"}  # what a graph is written as stands there
    own |= {"seqkit.importers", "seqkit.ledger.file_format"}  # files of other systems; a page about one format
    ends = "|".join(re.escape(end[1:]) for table in TABLES.values() for row in table for end in row.suffixes)
    ending = re.compile(rf"(?<![\w*)}}])\*?\.({ends})\b")
    assert ending.search("a file (*.jsonl)")
    assert ending.search("expected .csv")
    assert not ending.search("runs.jsonl, an example; seqkit.jsonl")
    named = []
    for file in sorted(ROOT.rglob("*.py")):
        module = ".".join(["seqkit", *file.relative_to(ROOT).with_suffix("").parts]).removesuffix(".__init__")
        if not any(module == name or module.startswith(f"{name}.") for name in own):
            named += [(module, text) for text in strings(ast.parse(file.read_text("utf-8"))) if ending.search(text)]
    assert [(module, text[:80]) for module, text in named if module != "seqkit._util.formats"] == []


def test_the_longest_ending_counts() -> None:
    table = [Format("all", "all", read_graph, (".gz",)), Format("some", "some", read_graph, (".b.gz", ".b"))]
    assert [row.name for name in ("x.gz", "X.B.GZ", "x.b", "gz", "") for row in named_like(table, name)] == [
        "all",
        "some",
        "some",
    ]
    assert endings(table) == ".gz, .b.gz or .b"


# ---------------------------------------------------------------------- what is told apart


@pytest.fixture
def ledger() -> MemoryRunLedger:
    made = MemoryRunLedger()
    run_plan(build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1"), 0.0, made)
    return made


@pytest.mark.parametrize("end", [end for row in ledgers.writable() for end in row.suffixes])
def test_whatever_is_written_is_recognised_and_comes_back(tmp_path: Path, ledger: MemoryRunLedger, end: str) -> None:
    for name in (f"a{end}", f"B{end.upper()}", f"{end}", "漢" * 80 + end):
        write_ledger(ledger, tmp_path / name)
        found = read_ledger(tmp_path / name)
        assert found.list_runs() == ledger.list_runs()
        assert [event.event for event in found.events] == ledger.get_events(ledger.list_runs()[0].run_id)
    assert len(list(tmp_path.iterdir())) == 4


def test_a_database_is_known_by_its_content_whatever_its_name(tmp_path: Path, ledger: MemoryRunLedger) -> None:
    write_ledger(ledger, tmp_path / "a.db")
    for name in ("plain", "a.ledger", "a.json", "a.db.bak"):
        shutil.copyfile(tmp_path / "a.db", tmp_path / name)
        assert read_ledger(tmp_path / name).list_runs() == ledger.list_runs()
        assert len(seqkit.runs_frame(tmp_path / name)) == 1


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.surql", "a.json", "a.csv", "a.gz", "a.csv.gz"])
def test_names_of_other_things_are_not_opened_for_writing(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=r"expected a SQLite file \(.*\) or .* read_ledger reads other files"):
        seqkit.open_ledger(tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["a.db", "a.sqlite3", "a.ledger", "ledger"])
def test_any_other_name_is_that_of_a_database(tmp_path: Path, name: str) -> None:
    with seqkit.open_ledger(tmp_path / name) as ledger:
        assert ledger.list_runs() == []
    assert read_ledger(tmp_path / name).list_runs() == []


def test_another_format_that_is_written_to_bit_by_bit_is_opened_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = MemoryRunLedger()

    def open_other(path: str, read_only: bool = False) -> MemoryRunLedger:
        return made

    row = Format("other", "another database", read_ledger, (".other",), os.path.exists, open=open_other)
    monkeypatch.setattr(ledgers, "FORMATS", (*ledgers.FORMATS, row))
    assert ledgers.kept_in(str(tmp_path / "new.other")) is row
    assert ledgers.kept_in(str(tmp_path / "new.db")) is ledgers.FORMATS[1]


def test_a_pipe_is_not_looked_into(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(seqkit.ReadError, match="is no regular file, expected a ledger"):
        read_ledger(tmp_path / "pipe")


def test_a_database_in_use_is_not_replaced_and_may_be_read_and_written_elsewhere(
    tmp_path: Path, ledger: MemoryRunLedger
) -> None:
    with seqkit.open_ledger(tmp_path / "a.db") as live:
        run_plan(build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1"), 0.0, live)
        with pytest.raises(ValueError, match="a database in use"):
            write_ledger(ledger, tmp_path / "a.db")
        write_ledger(tmp_path / "a.db", tmp_path / "b.db")
        assert read_ledger(tmp_path / "b.db").list_runs() == live.list_runs()
    write_ledger(tmp_path / "a.db", tmp_path / "a.db")
    assert len(read_ledger(tmp_path / "a.db").events) == 4


def test_each_reader_says_what_it_misses(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    for read, told in (
        (seqkit.ledger.read_jsonl, "line 1: is not JSON"),
        (seqkit.ledger.read_sqlite, "is no SQLite file"),
        (seqkit.ledger.read_surql, "no export of SurrealDB has"),
        (seqkit.ledger.read_surrealkv, "is no surrealkv folder"),
    ):
        with pytest.raises(seqkit.ReadError, match=told):
            read(tmp_path / "a")
        with pytest.raises(ValueError, match="on_bad_lines is 'ignore', expected one of"):
            read(tmp_path / "a", "ignore")
        with pytest.raises(TypeError, match="path_or_url is 7, expected a path or a database URL"):
            read(7)
