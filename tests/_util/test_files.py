"""Files that are written whole or not at all: one way to write them, whoever writes."""

from __future__ import annotations

import ast
import contextlib
import errno
import os
import re
import sqlite3
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import seqkit
from seqkit import Backend, MemoryRunLedger, RepoDependencyGraph, audit, build_plan, read_ledger, run_plan, write_ledger
from seqkit._util.files import replacing
from seqkit.cli.writing import write
from seqkit.ledger import SqlRunLedger, open_ledger, write_sqlite

LONGEST = "漢" * 80 + ".jsonl"  # 246 bytes: a valid name, with little room for a longer one beside it


def put(target: Path | str, text: str = "new") -> None:
    with replacing(target) as draft:
        draft.write_text(text)


def ledger_of(repos: int, word: str) -> MemoryRunLedger:
    ledger = MemoryRunLedger()
    graph = RepoDependencyGraph.from_edges([], nodes=[f"{word}-{number}" for number in range(repos)])
    run_plan(build_plan(graph, version="1"), 0.0, ledger)
    return ledger


def lines(target: Path) -> None:
    write_ledger(ledger_of(1, "a"), target)


def page(target: Path) -> None:
    audit(ledger_of(1, "a")).to_html(target)


def text(target: Path) -> None:
    write(str(target), "text")


def database(target: Path) -> None:
    write_sqlite(ledger_of(1, "a"), str(target))


WRITERS = [put, lines, page, text, database]


@pytest.mark.parametrize("writes", WRITERS)
def test_the_file_is_there_alone_with_the_mode_of_any_new_file(tmp_path: Path, writes: Callable[[Path], None]) -> None:
    for mask, mode in ((0o022, 0o644), (0o077, 0o600)):
        target = tmp_path / f"{mask}-{LONGEST[3 * len(str(mask)) :]}"
        before = os.umask(mask)
        try:
            writes(target)
        finally:
            os.umask(before)
        assert stat.S_IMODE(target.stat().st_mode) == mode
        assert target.stat().st_size
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("writes", WRITERS)
def test_a_file_keeps_its_mode_and_a_link_stays_one(tmp_path: Path, writes: Callable[[Path], None]) -> None:
    (tmp_path / "away").mkdir()
    old, link = tmp_path / "away" / LONGEST, tmp_path / "link.jsonl"
    old.write_text("precious")
    old.chmod(0o640)
    link.symlink_to(old)
    writes(link)
    assert link.is_symlink()
    assert stat.S_IMODE(old.stat().st_mode) == 0o640
    assert old.read_bytes() != b"precious"
    assert sorted(tmp_path.rglob("*")) == sorted([tmp_path / "away", old, link])


def test_a_link_that_points_nowhere_gets_its_file_and_one_in_a_circle_is_refused(tmp_path: Path) -> None:
    link, circle = tmp_path / "link", tmp_path / "circle"
    link.symlink_to(tmp_path / "later")
    put(link)
    assert link.is_symlink()
    assert (tmp_path / "later").read_text() == "new"
    circle.symlink_to(circle)
    with pytest.raises(OSError, match="circle"):
        put(circle)
    assert circle.is_symlink()


@pytest.mark.parametrize("length", [1, 246, 255])
def test_every_name_that_a_file_can_have(tmp_path: Path, length: int) -> None:
    target = tmp_path / ("漢" * (length // 3) + "x" * (length % 3))
    assert len(os.fsencode(target.name)) == length
    put(target)
    put(target, "newer")
    assert target.read_text() == "newer"


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), OSError(errno.ENOSPC, "full", "elsewhere")])
def test_a_failure_leaves_what_was_there_and_nothing_else(tmp_path: Path, error: BaseException) -> None:
    target = tmp_path / "a.txt"
    target.write_text("precious")

    def break_off() -> None:
        with replacing(target) as draft:
            draft.write_text("half")
            draft.with_name("draft-log").write_text("left by a database")
            raise error

    with pytest.raises(type(error)) as raised:
        break_off()
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert target.read_text() == "precious"
    if isinstance(raised.value, OSError):
        assert (raised.value.errno, raised.value.filename) == (errno.ENOSPC, str(target))


@pytest.mark.parametrize(
    ("name", "number"), [("", errno.EISDIR), (".", errno.EISDIR), ("none/a", errno.ENOENT), ("a\0", errno.EINVAL)]
)
def test_what_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, number: int
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OSError) as raised, replacing(name):  # noqa: PT011  # its number says which
        pytest.fail("there is no draft")
    assert (raised.value.errno, raised.value.filename) == (number, name)
    assert not list(tmp_path.iterdir())


def test_each_writer_says_it_in_its_own_words(tmp_path: Path) -> None:
    target = tmp_path / "none" / "a.jsonl"
    with pytest.raises(Backend, match=r"none/a\.jsonl: cannot be written: No such file or directory"):
        lines(target)
    with pytest.raises(FileNotFoundError, match=r"none/a\.jsonl"):
        page(target)
    with pytest.raises(OSError, match=r"cannot write '.*none/a\.jsonl': No such file or directory"):
        text(target)


def test_a_pipe_is_written_to_and_stays_one(tmp_path: Path) -> None:
    pipe, heard = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: heard.append(pipe.read_text()))
    reader.start()
    put(pipe, "through")
    reader.join()
    assert heard == ["through"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_link_of_the_drafts_name_is_never_followed(tmp_path: Path) -> None:
    victim, target = tmp_path / "victim", tmp_path / "runs.jsonl"
    victim.write_text("precious")
    (tmp_path / f".runs.jsonl.{os.getpid()}.part").symlink_to(victim)
    lines(target)
    assert victim.read_text() == "precious"
    assert not target.is_symlink()


@pytest.mark.parametrize("same", [True, False])
def test_threads_never_write_into_one_draft(tmp_path: Path, same: bool) -> None:
    ledgers = {word: ledger_of(repos, word) for word, repos in (("big", 300), ("small", 250))}
    paths = {word: tmp_path / ("x" * 100 + ("" if same else word) + ".jsonl") for word in ledgers}
    for _ in range(10):
        threads = [threading.Thread(target=write_ledger, args=(ledgers[word], paths[word])) for word in ledgers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for word, path in paths.items():
            wholes = [ledger.list_runs() for ledger in (ledgers.values() if same else [ledgers[word]])]
            found = read_ledger(path)
            assert found.list_runs() in wholes
            assert len(found.events) == found.list_runs()[0].summary.total_events
    assert len(list(tmp_path.iterdir())) == 2 - same


# ---------------------------------------------------------------------- who writes at all

# Where the calls may stand that make a file or change one; what writes anything else goes through `replacing`.
OWN_WAYS = {
    "_util/files": "makes the draft",
    "ledger/surreal/engine": "writes into a folder of its own, in a process of its own",
    "ledger/surreal/folder": "makes that folder, and copies into it",
    "ledger/sql/place": "makes a folder of its own, and copies into it",
    "cli/site/building": "makes a folder of its own, and Sphinx writes the pages",
    "running/output": "keeps what a command writes, for as long as it runs or where logs are asked for",
    "__main__": "opens the device that forgets everything",
}
WRITES = {
    "write_text",
    "write_bytes",
    "savefig",
    "mkdtemp",
    "mkstemp",
    "TemporaryDirectory",
    "copyfile",
    "copytree",
    "write_table",
}


def writing_calls(tree: ast.AST) -> list[tuple[ast.Call, str]]:
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        modes = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
        if name == "open" and any(
            isinstance(mode, str) and set(mode) & set("wax+") and len(mode) < 4 for mode in modes
        ):
            found.append((node, "open"))
        elif name in WRITES or (name in ("to_csv", "to_json", "to_excel") and node.args):
            found.append((node, name))
    return found


def test_whatever_writes_a_file_fills_a_draft() -> None:
    root, seen = Path(seqkit.__file__).parent, set()
    for file in sorted(root.rglob("*.py")):
        name = file.relative_to(root).with_suffix("").as_posix()
        tree = ast.parse(file.read_text("utf-8"))
        drafted = {
            call
            for node in ast.walk(tree)
            if isinstance(node, ast.With)
            and any(re.search(r"\b(replacing|adding)\(", ast.unparse(item)) for item in node.items)
            for call in ast.walk(node)
        }
        for call, how in writing_calls(tree):
            seen.add(name)
            in_memory = how == "savefig" and ast.unparse(call.args[0]) == "content"
            assert name in OWN_WAYS or call in drafted or in_memory, f"{name}, line {call.lineno}: {how}"
    assert {
        "_util/files",
        "cli/demonstration",
        "cli/writing",
        "_show/document",
        "ledger/jsonl",
        "ledger/parquet",
    } <= seen


# ---------------------------------------------------------------------- databases have files beside them

SIDES = ("-wal", "-journal", "-shm")


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize("end", [".db", ".sqlite", ".sqlite3"])
def test_a_database_is_not_written_where_another_left_its_log(tmp_path: Path, side: str, there: bool, end: str) -> None:
    target, left = tmp_path / f"runs{end}", tmp_path / f"runs{end}{side}"
    if there:
        target.write_bytes(b"precious")
    left.write_bytes(b"left")
    advice = "open it once with open_ledger" if there else rf"remove runs\{end}{side}"
    with pytest.raises(ValueError, match=rf"runs\{end}{side} lies beside it\).*{advice}"):
        write_ledger(ledger_of(1, "a"), target)
    link = tmp_path / f"link{end}"
    link.symlink_to(target)
    with pytest.raises(ValueError, match=rf"runs\{end}{side} lies beside it"):
        write_ledger(ledger_of(1, "a"), link)
    assert left.read_bytes() == b"left"
    assert target.exists() == there
    assert len(list(tmp_path.iterdir())) == 2 + there


def hot(path: Path) -> None:
    """Leave a journal that SQLite would roll back into whatever stands there."""
    with open_ledger(path) as ledger:
        run_plan(build_plan(RepoDependencyGraph.from_edges([("a", "b")]), version="1"), 0.0, ledger)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
        before = path.read_bytes()
        connection.execute("BEGIN")
        connection.execute("UPDATE run_events SET kind = 'forged'")
        journal = Path(f"{path}-journal")
        kept = journal.read_bytes()
        connection.execute("ROLLBACK")
    journal.write_bytes(kept)
    path.write_bytes(before)


def test_a_hot_journal_does_not_reach_the_new_file(tmp_path: Path) -> None:
    target = tmp_path / "runs.db"
    hot(target)
    with pytest.raises(ValueError, match=r"runs\.db-journal lies beside it"):
        write_ledger(ledger_of(3, "new"), target)
    open_ledger(target).close()  # as the message says
    write_ledger(ledger_of(3, "new"), target)
    assert [path.name for path in tmp_path.iterdir()] == ["runs.db"]
    assert len(read_ledger(target).events) == 6


def test_a_writer_that_comes_while_the_draft_is_filled_is_not_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, live = tmp_path / "runs.db", []
    ledger = ledger_of(2, "new")
    real = MemoryRunLedger.get_events

    def get_events(self: MemoryRunLedger, run_id: str) -> object:
        live.append(open_ledger(target))
        return real(self, run_id)

    monkeypatch.setattr(MemoryRunLedger, "get_events", get_events)
    with pytest.raises(ValueError, match="a database in use"):
        write_ledger(ledger, target)
    [other] = live
    assert other.list_runs() == []
    other.close()
    assert [path.name for path in tmp_path.iterdir()] == ["runs.db"]


@pytest.mark.parametrize("side", SIDES)
def test_lines_know_no_side_files(tmp_path: Path, side: str) -> None:
    (tmp_path / f"runs.jsonl{side}").write_bytes(b"left")
    lines(tmp_path / "runs.jsonl")
    assert len(read_ledger(tmp_path / "runs.jsonl").events) == 2


def test_a_draft_whose_log_cannot_be_moved_into_it_is_no_file(tmp_path: Path) -> None:
    """The log is in the draft's folder, and what only stands there would be lost with it."""
    resource = pytest.importorskip("resource")
    target, ledger = tmp_path / "runs.db", MemoryRunLedger()
    graph = RepoDependencyGraph.from_edges([], nodes=["a", "b"])
    run_plan(build_plan(graph, version="1"), lambda *_: "x" * 300_000, ledger)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, before[1]))
    try:
        with pytest.raises(Backend, match=r"runs\.db: .*(disk|full|room|moved into it)"):
            write_ledger(ledger, target)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_was_written_is_read_without_files_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "runs.db"
    database(target)
    with SqlRunLedger(target, read_only=True) as ledger:
        assert len(ledger.list_runs()) == 1
        assert os.listdir(tmp_path) == ["runs.db"]
    with open_ledger(target) as live:
        assert live.journal_mode == "wal"


def test_a_database_is_no_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "runs.db")
    with pytest.raises(Backend, match="is no regular file"):
        database(tmp_path / "runs.db")
    assert stat.S_ISFIFO((tmp_path / "runs.db").stat().st_mode)
