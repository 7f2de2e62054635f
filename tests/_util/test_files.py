"""Files that are written whole or not at all: one way to write them, whoever writes."""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from seqkit import Backend, MemoryRunLedger, RepoDependencyGraph, audit, build_plan, read_ledger, run_plan, write_ledger
from seqkit._util.files import replacing
from seqkit.cli.writing import write

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


WRITERS = [put, lines, page, text]


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
    assert old.read_text() != "precious"
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
