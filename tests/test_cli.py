"""The command line, run as people run it: in a process and a directory of its own."""

from __future__ import annotations

import doctest
import os
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parent.parent
PNG = b"\x89PNG\r\n\x1a\n"
REPOS = {"jest29": 46, "jupyter": 97, "kf5": 75}


def seqkit(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "seqkit", *arguments]
    environment = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "FORCE_COLOR")}
    environment |= variables
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False)


@pytest.mark.parametrize("name", REPOS)
def test_demo_writes_a_ledger_and_two_pictures(tmp_path: Path, name: str) -> None:
    ended = seqkit(tmp_path, "demo", name, "--failure-rate", "0.05", "--rng", "7")
    assert ended.returncode == 0, ended.stderr.decode()
    text = ended.stdout.decode()
    assert text.startswith(f"{name}: {REPOS[name]} repos, ")
    assert max(map(len, text.splitlines())) <= 100
    assert str(tmp_path) not in text
    files = {path.name for path in tmp_path.iterdir()}
    ledger = f"seqkit-demo-{name}.db"
    pictures = {f"seqkit-demo-{name}-order.png", f"seqkit-demo-{name}-blast-radius.png"}
    assert files == {ledger} | pictures
    assert all(file in text for file in files)
    for picture in pictures:
        assert (tmp_path / picture).read_bytes().startswith(PNG)
    assert b"releasing" in ended.stderr, "the progress bar"


def test_demo_twice_prints_and_draws_the_same_and_keeps_both_runs(tmp_path: Path) -> None:
    from seqkit import runs_frame  # noqa: PLC0415  # the other tests here need no more than a process

    first = seqkit(tmp_path, "demo", "jest29", "--failure-rate", "0.05", "--rng", "7")
    drawn = {path.name: path.read_bytes() for path in tmp_path.glob("*.png")}
    second = seqkit(tmp_path, "demo", "jest29", "--failure-rate", "0.05", "--rng", "7", COLUMNS="40", TERM="dumb")
    assert first.returncode == second.returncode == 0
    assert first.stdout == second.stdout
    assert drawn == {path.name: path.read_bytes() for path in tmp_path.glob("*.png")}
    runs = runs_frame(tmp_path / "seqkit-demo-jest29.db")
    assert len(runs) == 2
    assert runs["run_id"].is_unique
    assert runs["plan_id"].nunique() == 1


def test_demo_says_what_each_failure_blocked(tmp_path: Path) -> None:
    ended = seqkit(tmp_path, "demo", "kf5", "--failure-rate", "1")
    text = ended.stdout.decode()
    assert ended.returncode == 0
    # Nothing that needs something is ever tried: whatever fails needs nothing.
    assert "simulated failure" in text
    assert "extra-cmake-modules" in text
    assert "what extra-cmake-modules holds up" in " ".join(text.split())
    assert [line for line in text.splitlines() if "succeeded" in line and " 0 " in line]


def test_demo_without_failures_shows_the_repo_with_most_dependents(tmp_path: Path) -> None:
    ended = seqkit(tmp_path, "demo", "kf5", "--failure-rate", "0")
    text = ended.stdout.decode()
    assert ended.returncode == 0
    assert "Nothing failed" in text
    assert "what extra-cmake-modules holds up when it fails (which most others need)" in " ".join(text.split())


def test_another_seed_fails_elsewhere(tmp_path: Path) -> None:
    texts = {seqkit(tmp_path, "demo", "--failure-rate", "0.2", "--rng", seed).stdout for seed in ("0", "1", "2")}
    assert len(texts) == 3


def test_help_everywhere(tmp_path: Path) -> None:
    bare, top, of_demo = seqkit(tmp_path), seqkit(tmp_path, "--help"), seqkit(tmp_path, "demo", "--help")
    assert (bare.returncode, top.returncode, of_demo.returncode) == (0, 0, 0)
    assert bare.stdout == top.stdout
    assert b"python -m seqkit" in top.stdout
    assert b"demo" in top.stdout
    assert b"--failure-rate" in of_demo.stdout
    assert b"jest29, jupyter or kf5" in of_demo.stdout
    assert not list(tmp_path.iterdir())


def test_version(tmp_path: Path) -> None:
    ended = seqkit(tmp_path, "--version")
    assert ended.returncode == 0
    assert ended.stdout.startswith(b"seqkit-py ")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("demo", "--failure-rate", "1.5"), "--failure-rate is 1.5, expected a probability from 0 to 1"),
        (("demo", "--failure-rate", "-0.1"), "--failure-rate is -0.1, expected"),
        (("demo", "--failure-rate", "nan"), "--failure-rate is nan, expected"),
        (("demo", "--failure-rate", "often"), "Invalid value for '--failure-rate'"),
        (("demo", "--rng", "-1"), "--rng is -1, expected a whole number from 0"),
        (("demo", "--rng", "1.5"), "Invalid value for '--rng'"),
        (("demo", "jest30"), "name is 'jest30', expected one of"),
        (("demo", "[bold]x[/nothing]"), "name is '[bold]x[/nothing]'"),
        (("demo", "jest29", "kf5"), "kf5"),
        (("dance",), "dance"),
        (("--loud",), "--loud"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    ended = seqkit(tmp_path, *arguments)
    message = ended.stderr.decode()
    assert ended.returncode == 2, message
    assert message.startswith("seqkit: ")
    assert message.count("\n") == 1
    assert words in message
    assert ended.stdout == b""
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("taken", ["seqkit-demo-jest29.db", "seqkit-demo-jest29-order.png"])
def test_files_that_cannot_be_written(tmp_path: Path, taken: str) -> None:
    (tmp_path / taken).mkdir()
    ended = seqkit(tmp_path, "demo")
    assert ended.returncode == 2
    lines = ended.stderr.decode().replace("\r", "\n").splitlines()
    assert lines[-1].startswith("seqkit: ")
    assert taken in lines[-1]
    assert "Traceback" not in ended.stderr.decode()


def test_a_ledger_that_is_something_else(tmp_path: Path) -> None:
    (tmp_path / "seqkit-demo-jest29.db").write_text("not a database " * 100)
    ended = seqkit(tmp_path, "demo")
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr.decode()
    assert ended.stderr.decode().splitlines()[-1].startswith("seqkit: ")


def test_the_readme_and_ci_type_the_same_test_command() -> None:
    commands = [
        line
        for line in (TOP / ".ci/run").read_text(encoding="utf-8").splitlines()
        if ".venv/bin/python -m tests" in line
    ]
    assert len(commands) == 1
    assert commands[0] in (TOP / "README.md").read_text(encoding="utf-8").splitlines()


def test_the_examples_of_the_readme_give_what_it_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = (TOP / "README.md").read_text(encoding="utf-8")
    example = doctest.DocTestParser().get_doctest(text.replace("```", "\n"), {}, "README.md", "README.md", 0)
    assert len(example.examples) > 10
    results = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(example)
    assert results.failed == 0
