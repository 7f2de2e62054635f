"""``run`` and ``resume --run``: releases by commands from the command line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from seqkit import RepoDependencyGraph, SqlRunLedger, audit, build_plan, items_frame, run_plan
from seqkit.__main__ import main

GRAPH = "dependency,dependent\ncore,api\ncore,docs\napi,app\n"
Out = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plan.csv").write_text(GRAPH)
    return tmp_path


def run(*options: str, command: str = "true") -> int:
    return main(["run", "plan.csv", "--version", "1.0", "--ledger", "runs.db", "--command", command, *options])


def ends(run_id: str | None = None) -> dict[str, str]:
    with SqlRunLedger("runs.db") as ledger:
        assert audit(ledger).ok
        frame = items_frame(ledger, run_id or ledger.list_runs()[-1].run_id)
    return dict(zip(frame["repo_id"], frame["status"].astype(str), strict=True))


def test_a_run_and_the_run_that_goes_on_with_it(capsys: Out) -> None:
    assert run("--parallel", "3", "--train", "May", command="sh -c 'test {repo_id} != api'") == 1
    told = capsys.readouterr()
    assert "2 succeeded, 1 failed, 1 blocked." in told.out
    assert "exit code 1 (no output)" in told.out
    assert "waits for api" in told.out
    assert "docs is out as run-docs" in told.err, "a line for each event, where there is no terminal"
    assert "app is skipped: api failed (0 left)" in told.err
    assert ends() == {"core": "succeeded", "api": "failed", "docs": "succeeded", "app": "skipped"}

    assert main(["resume", "runs.db", "--run", "--command", "true {repo_id}"]) == 0
    told = capsys.readouterr()
    assert "left 2 repos to do: 1 failed, 1 blocked." in told.out
    assert "2 succeeded, 0 failed." in told.out
    with SqlRunLedger("runs.db") as ledger:
        first, second = ledger.list_runs()
    assert second.metadata.tags["resumes"] == first.run_id
    assert second.metadata.tags["train"] == "May"
    assert main(["resume", "runs.db", "last", "--run", "--command", "true"]) == 0
    assert "left nothing to do" in capsys.readouterr().out
    with SqlRunLedger("runs.db") as ledger:
        assert len(ledger.list_runs()) == 2


def test_options_reach_the_run(capsys: Out, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "s3cret-token")
    script = "sh -c 'echo $TOKEN; exit 3'"
    options = ["--attempts", "3", "--retry-delay", "0.01", "--fatal-exit-code", "3", "--secret", "TOKEN"]
    options += ["--timeout", "60", "--grace", "5", "--parallel", "0", "--priority", "most_blocked", "--policy", "stop"]
    assert run(*options, "--check-command", "false", "--check-wait", "0", command=script) == 1
    told = capsys.readouterr()
    assert "exit code 3: ***" in told.out
    assert "s3cret" not in told.out + told.err + Path("runs.db").read_bytes().decode("latin-1")
    with SqlRunLedger("runs.db") as ledger:
        [record] = ledger.list_runs()
        [entered, process, failed, *_] = ledger.get_events(record.run_id)
    tag = record.metadata.tags["plan"]
    assert {name: tag[name] for name in ("attempts", "policy", "timeout", "grace", "max_parallel", "priority")} == {
        "attempts": 3, "policy": "stop", "timeout": 60.0, "grace": 5.0, "max_parallel": None,
        "priority": "most_blocked",
    }  # fmt: skip
    assert [each.kind for each in (entered, process, failed)] == ["NodeEntered", "NodeProcess", "NodeFailed"]
    assert failed.payload["given_up"] is True


def test_a_check_command_finds_what_is_out_and_decides_doubts(capsys: Out) -> None:
    assert run("--check-command", "echo v-{repo_id}", command="sh -c 'exit 1'") == 0
    assert "4 succeeded" in capsys.readouterr().out
    Path("runs.db").unlink()
    assert run("--check-command", "sh -c 'exit 9'", command="false") == 1
    assert "in doubt" in capsys.readouterr().out
    again = ["resume", "runs.db", "--run", "--command", "true", "--check-wait", "0"]
    assert main(again) == 2
    assert "--in-doubt retry" in capsys.readouterr().err
    assert main([*again, "--in-doubt", "check"]) == 2
    assert "--in-doubt check needs --run, --command and --check-command" in capsys.readouterr().err
    assert main([*again, "--in-doubt", "check", "--check-command", "true"]) == 0
    assert "3 succeeded" in capsys.readouterr().out, "core was out"


def test_a_dry_run_runs_and_writes_nothing(capsys: Out, folder: Path) -> None:
    assert run("--dry-run", "--cwd", "work/{repo_id}", command="git tag 'v{version_label} of {repo_id}'") == 0
    out = capsys.readouterr().out
    assert "api 1.0: git tag 'v1.0 of api' (in work/api)" in out
    assert "Nothing has run, and nothing is written: 4 repos would." in out
    assert [path.name for path in folder.iterdir()] == ["plan.csv"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--command", ""], "--command is missing"),
        (["--command", "no-such-program"], "--command is 'no-such-program', and the command's PATH has no such"),
        (["--command", "echo {repo}"], "--command is '{repo}', which has {repo}; expected"),
        (["--command", "echo 'x"], "--command cannot be read: no closing quotation"),
        (["--env", "NOT_SET_ANYWHERE"], "--env has 'NOT_SET_ANYWHERE'"),
        (["--parallel", "-1"], "--parallel is -1"),
        (["--priority", "fast"], "--priority is 'fast'"),
        (["--timeout", "0"], "--timeout is 0"),
        (["--grace", "-1"], "--grace is -1"),
        (["--backoff", "0.5"], "--backoff is 0.5"),
    ],
)
def test_what_is_wrong_is_named_as_it_is_typed(options: list[str], said: str, capsys: Out, folder: Path) -> None:
    assert run(*options) == 2
    assert said in capsys.readouterr().err
    assert not (folder / "runs.db").exists()


def test_versions_and_the_command_are_asked_for(capsys: Out) -> None:
    assert main(["run", "plan.csv", "--ledger", "runs.db", "--command", "true"]) == 2
    assert "--version is missing: core, api, docs, app have none in the file" in capsys.readouterr().err
    run(command="false")
    capsys.readouterr()
    for wrong, said in (
        (["--run"], "--run needs --command"),
        (["--command", "true"], "--command is given without --run"),
        (["--attempts", "3"], "--attempts needs --command"),
    ):
        assert main(["resume", "runs.db", *wrong]) == 2
        assert said in capsys.readouterr().err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_run_and_says_how_to_go_on(number: signal.Signals, code: int, folder: Path) -> None:
    code_of_it = (  # a job in the background may inherit the signal ignored
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from seqkit.__main__ import main; sys.exit(main(sys.argv[1:]))"
    )
    options = ["run", "plan.csv", "--version", "1", "--ledger", "runs.db"]
    options += ["--command", "sh -c 'touch started; exec sleep 600'"]
    process = subprocess.Popen(
        [sys.executable, "-c", code_of_it, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    while not Path("started").exists():
        assert process.poll() is None
        time.sleep(0.01)
    with SqlRunLedger("runs.db") as ledger:  # somebody else's run, which begins while this one is under way
        (own,) = ledger.list_runs()
        other = run_plan(build_plan(RepoDependencyGraph.from_edges([("x", "y")]), version="1"), 1.0, ledger, rng=1)
    os.kill(process.pid, number)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == code
    assert f"Run {own.run_id} is CANCELLED" in out
    assert "In doubt: core." in out
    assert f"python -m seqkit resume runs.db {own.run_id}" in out
    assert str(other.run_id) not in out
    assert ends(own.run_id) == {"core": "in_progress", "api": "pending", "docs": "pending", "app": "pending"}
