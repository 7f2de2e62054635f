"""Commands that end in every way, in runs that are interrupted or killed at any moment: nothing is left behind or told.

What may be left: processes that left their session, as daemons do; and, where we are killed ourselves, what commands
had started, and a command in the instant of its start. Each carries a mark in its environment, and is counted.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import resource
import shutil
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from seqkit import CommandReleaser, RunStatus, SqlRunLedger, audit, close_run, resume_plan, run_plan
from seqkit.ledger.story import read_story
from seqkit.running.processes import still_alive
from tests.tools import command_child
from tests.tools.faults import claims, plan_of
from tests.tools.marks import eventually, marked

pytestmark = pytest.mark.skipif(
    shutil.which("setsid") is None or shutil.which("setpriv") is None, reason="missing: setsid and setpriv (util-linux)"
)
PROCESSES = multiprocessing.get_context(
    "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
)
if hasattr(PROCESSES, "set_forkserver_preload"):
    PROCESSES.set_forkserver_preload(["tests.tools.command_child", "seqkit.ledger.sql"])  # imported once, not by each

HOW = ["whole", "SIGINT", "SIGINT twice", "SIGTERM", "SIGKILL"]


class Case:
    """One run, in a process of its own."""

    def __init__(self, folder: Path, seed: int, how: str) -> None:
        self.folder, self.seed, self.how = folder, seed, how
        self.chance = random.Random(f"{how} {seed}")
        self.mark = f"{os.getpid()} {time.monotonic_ns()}"
        for name in ("out", "tmp"):
            (folder / name).mkdir(parents=True)
        self.manners = command_child.manners(seed)

    def go(self) -> Counter[str]:
        """Run it and interrupt it; hold what it leaves against what may be left, and go on with it."""
        self._execute()
        try:
            left = self._left_behind()
            with SqlRunLedger(self.folder / "runs.db") as ledger:
                left += self._recorded(ledger)
                assert eventually(self._kill_all)  # a script starts others meanwhile
                self._goes_on(ledger)
        finally:
            eventually(self._kill_all)
        self._no_secret()
        return left

    def _kill_all(self) -> bool:
        left = marked(self.mark)
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not left

    def _execute(self) -> None:
        process = PROCESSES.Process(target=command_child.execute, args=(self.folder, self.seed, self.mark))
        process.start()
        assert eventually((self.folder / "begun").exists)
        time.sleep(0 if self.how == "whole" else self.chance.random() * 0.7)
        if self.how != "whole" and process.pid is not None:
            number = getattr(signal, self.how.split()[0])
            with contextlib.suppress(ProcessLookupError):  # it has ended by itself
                os.kill(process.pid, number)
                if "twice" in self.how:
                    time.sleep(self.chance.choice([0, 0.001, 0.02, 0.1]))
                    os.kill(process.pid, number)
        process.join(60)
        assert process.exitcode in ((-9, 0) if self.how == "SIGKILL" else (0, 1, 143, -15, -2)), process.exitcode
        if process.exitcode == 1:
            assert (self.folder / "said").read_text().splitlines()[-1] == "KeyboardInterrupt", "it came after the run"
        process.close()

    def _left_behind(self) -> Counter[str]:
        found: Counter[str] = Counter()
        killed = self.how == "SIGKILL"

        def only_the_permitted() -> bool:
            found.clear()
            for pid in marked(self.mark) - self._leaders():
                with contextlib.suppress(OSError):  # it has ended
                    name = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[:2]
                    found["left the session" if name == [b"sleep", b"601"] else "grandchild, as we were killed"] += 1
            return set(found) <= {"left the session"} or killed

        assert eventually(only_the_permitted), found
        sessions = sum(manner == "leaves the session" for manner in self.manners.values())
        assert found["left the session"] <= 2 * sessions, "each was tried twice at most"
        assert killed or not list((self.folder / "tmp").iterdir()), "raw logs are removed"
        assert all(file.stat().st_mode & 0o777 == 0o600 for file in (self.folder / "tmp").iterdir())
        return found

    def _leaders(self) -> set[int]:
        """List the commands that live though we were killed."""
        found = set()
        for pid in marked(self.mark) if self.how == "SIGKILL" else ():
            with contextlib.suppress(OSError):
                if os.getsid(pid) == pid and b"601" not in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
                    found.add(pid)
        return found

    def _recorded(self, ledger: SqlRunLedger) -> Counter[str]:
        [run] = ledger.list_runs()
        events = ledger.get_events(run.run_id)
        report = audit(ledger)
        errors = {row.check for row in report.finding_rows if row.severity == "error"}
        running = run.status is RunStatus.RUNNING
        assert errors == ({"unfinished"} if running else set()), report.findings.to_string()
        assert not running or self.how == "SIGKILL"
        known = {event.payload["pid"] for event in events if event.kind == "NodeProcess"}
        assert eventually(lambda: not known & self._leaders()), "a command dies with us, once its start is recorded"
        out = {file.name for file in (self.folder / "out").iterdir()}
        for repo, claim in claims(events).items():
            assert claim != "out" or repo in out, f"{repo} is called out, and is not"
            assert claim != "not out" or repo not in out, f"{repo} is called failed, and is out"
        doubtful = [told for told in read_story(ledger, run.run_id).items() if told.in_doubt and not told.is_out]
        alive = [told.process["pid"] for told in doubtful if told.process and still_alive(told.process)]
        if doubtful:
            with pytest.raises(ValueError, match="left repos in doubt") as caught:
                resume_plan(ledger, run.run_id)
            assert all(f"process {pid} on" in str(caught.value) for pid in alive[:5])
        told = {f"run {run.status.value}": 1, "processes that resume names": len(alive)}
        return Counter(told | {"commands that were just starting": len(self._leaders())})

    def _goes_on(self, ledger: SqlRunLedger) -> None:
        out = self.folder / "out"
        [run] = ledger.list_runs()
        if run.status is RunStatus.RUNNING:
            close_run(ledger, run.run_id, "killed")

        def publish(repo: str, *_: str) -> str:
            with (out / repo).open("a") as file:
                file.write("x\n")
            return f"run-{repo}"

        def check(repo: str, _: str) -> str | None:
            return f"run-{repo}" if (out / repo).exists() else None

        rest = resume_plan(ledger, run.run_id, in_doubt="check", check=check, check_wait=0)
        assert run_plan(rest, publish, ledger).overall_success
        assert {file.name: file.read_text() for file in out.iterdir()} == dict.fromkeys(self.manners, "x\n")
        assert audit(ledger).ok, audit(ledger).findings.to_string()

    def _no_secret(self) -> None:
        for file in [*self.folder.glob("runs.db*"), self.folder / "said"]:
            text = file.read_bytes().decode("utf-8", "replace")
            assert not [spelt for spelt in command_child.SPELT if spelt in text], file


def interrupted(folder: Path, how: str, seeds: range) -> Counter[str]:
    """Interrupt a run a seed."""
    came: Counter[str] = Counter()
    for seed in seeds:
        came += Case(folder / f"{how} {seed}", seed, how).go()
    return came


@pytest.mark.parametrize("how", HOW)
def test_commands_of_a_run_that_is_interrupted(how: str, tmp_path: Path) -> None:
    came = interrupted(tmp_path, how, range(1))
    assert sum(n for name, n in came.items() if name.startswith("run ")) == 1


@pytest.mark.slow
@pytest.mark.parametrize("how", HOW)
def test_commands_of_fifty_runs_that_are_interrupted(how: str, tmp_path: Path) -> None:
    print(how, interrupted(tmp_path, how, range(100, 150)))


@pytest.mark.slow
def test_a_gigabyte_of_output_in_a_run_takes_no_memory() -> None:
    releaser = CommandReleaser(["sh", "-c", "head -c 1000000000 /dev/zero | tr '\\0' x; exit 3"])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    outcome = run_plan(plan_of(nodes="a"), releaser)
    assert outcome.failures == {"a": f"exit code 3: …{'x' * 2000}"}
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < before + 50_000  # kilobytes
