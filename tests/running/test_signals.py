"""SIGINT and SIGTERM while run_plan runs: heard, answered once all is recorded, and handled as before afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from typing import Any

import pytest

from seqkit import RepoDependencyGraph, RunStatus, SqlRunLedger, audit, build_plan, items_frame, run_plan
from seqkit.running.signals import Interruptions

PLAN = build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1.0")

SCRIPT = """
    import asyncio, signal, sys, time
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background may inherit it ignored
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    from seqkit import RepoDependencyGraph, build_plan, run_plan
    plan = build_plan(RepoDependencyGraph.from_edges([("core", "api")], nodes=["docs"]), version="1")

    async def obeys(*_):
        print("releasing", flush=True)
        try:
            await asyncio.sleep(600)
        finally:
            print("asked", flush=True)

    async def finishes(*_):
        print("releasing", flush=True)
        try:
            await asyncio.sleep(600)
        except asyncio.CancelledError:
            print("asked", flush=True)
            return "done"

    async def ignores(*_):
        print("releasing", flush=True)
        while True:
            try:
                await asyncio.sleep(600)
            except asyncio.CancelledError:
                print("asked", flush=True)

    def holds_up_the_loop(seconds):
        async def release(*_):
            print("releasing", flush=True)
            time.sleep(seconds)
        return release

    try:
        run_plan(plan, {releaser}, sys.argv[1], max_parallel=None, grace=600)
    except KeyboardInterrupt as error:
        print("KeyboardInterrupt", *getattr(error, "__notes__", ()), flush=True)
    finally:
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        print("restored", flush=True)
"""


def started(path: Path, releaser: str, n: int = 2) -> subprocess.Popen[str]:
    code = textwrap.dedent(SCRIPT.replace("{releaser}", releaser))
    process = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for _ in range(n):
        assert process.stdout.readline() == "releasing\n"
    return process


def ended(path: Path) -> dict[str, str]:
    with SqlRunLedger(path) as ledger:
        [run] = ledger.list_runs()
        assert run.status is RunStatus.CANCELLED
        assert audit(ledger).ok
        frame = items_frame(ledger)
        return dict(zip(frame["repo_id"], frame["status"].astype(str), strict=True))


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 143)])
def test_the_first_signal_asks_what_runs_to_stop_and_records_what_came_of_it(
    number: signal.Signals, code: int, tmp_path: Path
) -> None:
    path = tmp_path / "runs.db"
    with started(path, "lambda repo, *a: (finishes if repo == 'docs' else obeys)(repo, *a)") as process:
        os.kill(process.pid, number)
        lines = process.communicate(timeout=60)[0].splitlines()
    assert process.returncode == code
    assert lines == ["asked", "asked", *(["KeyboardInterrupt"] if number == signal.SIGINT else []), "restored"]
    assert ended(path) == {"core": "in_progress", "docs": "succeeded", "api": "pending"}


@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_does_not_wait_for_the_grace(second: signal.Signals, tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    with started(path, "ignores") as process:
        assert process.stdout is not None
        os.kill(process.pid, signal.SIGINT)
        assert [process.stdout.readline() for _ in range(2)] == ["asked\n"] * 2
        os.kill(process.pid, second)
        lines = process.communicate(timeout=60)[0].splitlines()
    assert process.returncode == (0 if second == signal.SIGINT else 143)
    assert lines[:2] == ["asked"] * 2
    assert lines[-1] == "restored"
    assert ended(path) == {"core": "in_progress", "docs": "in_progress", "api": "pending"}


def test_a_loop_that_is_held_up_is_interrupted_by_the_second_signal(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    with started(path, "holds_up_the_loop(600)", 1) as process:
        os.kill(process.pid, signal.SIGINT)
        os.kill(process.pid, signal.SIGINT)
        while process.poll() is None:  # two of one kind may be delivered as one
            os.kill(process.pid, signal.SIGINT)
            try:
                process.wait(0.2)
            except subprocess.TimeoutExpired:
                continue
        lines = process.communicate(timeout=60)[0].splitlines()
    assert "restored" in lines
    assert set(ended(path).values()) <= {"in_progress", "pending"}


def test_handlers_of_others_are_left_alone() -> None:
    heard: list[int] = []

    async def release(*_: str) -> str:
        os.kill(os.getpid(), signal.SIGTERM)
        return "x"

    before = signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
    try:
        assert run_plan(PLAN, release).overall_success
    finally:
        signal.signal(signal.SIGTERM, before)
    assert heard == [signal.SIGTERM] * 2


def test_other_threads_install_nothing() -> None:
    installed: list[Any] = []

    def elsewhere() -> None:
        with Interruptions(lambda: None):
            installed.append(signal.getsignal(signal.SIGTERM))

    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert installed == [before]
