"""What is no regular file is refused at once by whatever reads files; what is too large is not read to its end."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import seqkit
from seqkit import ledger as ledgers
from seqkit import readers
from seqkit.__main__ import main
from seqkit.ledger import jsonl
from seqkit.ledger.surreal import export
from seqkit.readers import _files

ENDS = (".jsonl", ".jsonl.gz", ".db", ".sqlite3", ".surql", ".json", ".csv", "")


def fifo(path: Path) -> None:
    os.mkfifo(path)


def bound_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        before = os.getcwd()
        os.chdir(path.parent)  # the name of a socket is short
        try:
            made.bind(path.name)
        finally:
            os.chdir(before)


def linked(target: str) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(target)


def pipe_of_a_shell(path: Path) -> None:
    """As ``<(…)`` gives it."""
    reads, writes = os.pipe()
    path.symlink_to(f"/proc/{os.getpid()}/fd/{reads}")
    PIPES[path] = (reads, writes)


PIPES: dict[Path, tuple[int, int]] = {}

SPECIAL: dict[str, Callable[[Path], None]] = {
    "a pipe with a name": fifo,
    "a socket": bound_socket,
    "/dev/zero": linked("/dev/zero"),
    "/dev/urandom": linked("/dev/urandom"),
    "/dev/full": linked("/dev/full"),
    "a terminal": linked("/dev/ptmx"),
    "the pipe of a shell": pipe_of_a_shell,
}

READERS: dict[str, Callable[[Path], Any]] = {
    "read_ledger": ledgers.read_ledger,
    "read_ledger, skipping": lambda path: ledgers.read_ledger(path, on_bad_lines="skip"),
    "read_ledgers": lambda path: ledgers.read_ledgers([path]),
    "read_jsonl": ledgers.read_jsonl,
    "read_sqlite": ledgers.read_sqlite,
    "read_surql": ledgers.read_surql,
    "audit": seqkit.audit,
    "runs_frame": seqkit.runs_frame,
    "events_frame": seqkit.events_frame,
    "items_frame": seqkit.items_frame,
    "write_ledger": lambda path: ledgers.write_ledger(path, path.with_name("new.jsonl")),
    "read_conda_forge": readers.read_conda_forge,
    "read_debian": readers.read_debian,
    "read_edges": readers.read_edges,
    "read_js": lambda path: readers.read_graph(path, format="js"),
    "read_kde": readers.read_kde,
    "read_maven": readers.read_maven,
    "read_npm": readers.read_npm,
    "read_nx": readers.read_nx,
    "read_pnpm": readers.read_pnpm,
    "read_publishing_rules": readers.read_publishing_rules,
    "read_ros": readers.read_ros,
    "read_turbo": readers.read_turbo,
    "read_yarn": readers.read_yarn,
    "read_pip": readers.read_pip,
    "read_plan": readers.read_plan,
    "read_graph": lambda path: readers.read_graph(path, format="csv"),
    "read_graph, npm": lambda path: readers.read_graph(path, format="npm"),
}


def read_only(path: Path) -> object:
    return ledgers.SqlRunLedger(path, read_only=True)


@pytest.fixture(params=SPECIAL)
def special(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    made: list[Path] = []

    def make(end: str) -> Path:
        path = tmp_path / f"x{len(made)}{end}"
        made.append(path)
        SPECIAL[request.param](path)
        return path

    yield make
    for path in made:
        for descriptor in PIPES.pop(path, ()):
            os.close(descriptor)


def test_every_reader_refuses_it(special: Callable[[str], Path]) -> None:
    for end in ENDS:
        path = special(end)
        for name, read in READERS.items():
            with pytest.raises(seqkit.ReadError, match="is no regular file") as raised:
                read(path)
            assert raised.value.path == str(path), name
        for open_it in (
            seqkit.open_ledger,
            ledgers.SqlRunLedger,
            lambda path: ledgers.SqlRunLedger(path, read_only=True),
        ):
            if end in (".db", ".sqlite3", ""):
                with pytest.raises(seqkit.Backend, match="is no regular file"):
                    open_it(path)


@pytest.mark.parametrize(
    "command",
    [
        ["runs", "FILE"],
        ["audit", "FILE"],
        ["show", "FILE", "r"],
        ["convert", "FILE", "to.jsonl"],
        ["what-if", "FILE", "--fail", "core"],
    ],
)
def test_every_command_refuses_it(
    request: pytest.FixtureRequest,
    special: Callable[[str], Path],
    command: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    # Each end goes its own way to the same question of what kind of file it is, which every command asks once.
    ends = (".csv", ".json") if command[0] == "what-if" else (".jsonl", ".db", ".surql")
    for end in ends if request.node.callspec.params["special"] == "a pipe with a name" else ends[:1]:
        path = special(end)
        assert main([str(path) if word == "FILE" else word for word in command]) == 2
        assert "is no regular file" in capsys.readouterr().err


def test_what_a_shell_redirects_is_a_file(tmp_path: Path) -> None:
    """``command /dev/stdin < file`` reads that file: it has an end."""
    (tmp_path / "edges.csv").write_text("dependency,dependent\ncore,api\n")
    with (tmp_path / "edges.csv").open("rb") as file:
        assert len(readers.read_edges(f"/dev/fd/{file.fileno()}")) == 2


# ---------------------------------------------------------------------- files without end


def hole(path: Path, size: int, begin: bytes = b"") -> Path:
    """A file of NULs that takes no room on the disk."""
    with path.open("wb") as file:
        file.write(begin)
        file.truncate(size)
    return path


@pytest.mark.parametrize("end", [".csv", ".json"])
def test_a_graph_has_a_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    path = hole(tmp_path / f"x{end}", 1 << 40)
    monkeypatch.setattr(_files, "LARGEST", 3 << 20)
    for read in (readers.read_graph, *(READERS[name] for name in ("read_edges", "read_npm", "read_pip", "read_plan"))):
        with pytest.raises(seqkit.ReadError, match="has more than 3 MB, expected dependencies in at most"):
            read(path)
    path.write_bytes(b" " * (3 << 20))
    with pytest.raises(seqkit.ReadError, match="is not"):
        readers.read_graph(path)


def test_an_export_has_a_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "LARGEST", 1 << 20)
    with pytest.raises(seqkit.ReadError, match=r"has 1,099,511,627,776 bytes, expected at most 1,048,576"):
        ledgers.read_surql(hole(tmp_path / "x.surql", 1 << 40))


def test_a_line_without_end_ends_the_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonl, "LONGEST_LINE", 1 << 16)
    monkeypatch.setattr(jsonl, "LONGEST_SKIPPED", 1 << 20)
    path = hole(tmp_path / "x.jsonl", 1 << 40, b'{"run":{}}\n')
    found = ledgers.read_ledger(path, on_bad_lines="skip")
    assert [problem.line for problem in found.problems] == [1, 2, 3]
    assert "nothing from here on was read" in found.problems[-1].message


def test_a_database_of_nothing_has_an_end(tmp_path: Path) -> None:
    for begin in (b"", b"SQLite format 3\0"):
        path = hole(tmp_path / "x.db", 1 << 40, begin)
        with pytest.raises(seqkit.ReadError):
            ledgers.read_ledger(path, on_bad_lines="skip")
