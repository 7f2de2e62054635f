"""Where no thread and no process can start: what needs none works, and the core's own tests pass."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from seqkit import (
    MemoryRunLedger,
    ReadError,
    RepoDependencyGraph,
    Retry,
    RunStatus,
    ScriptedReleaser,
    SequenceOutcome,
    VirtualClock,
    audit,
    build_plan,
    delayed,
    execute_plan,
    read_ledger,
    run_plan,
    simulate,
)
from seqkit.ledger.surreal import folder
from seqkit.widgets import RunView
from seqkit.widgets._follow import Follower
from seqkit.widgets._parts import Throttle
from tests.tools.restricted import no_process, no_thread

TOP = Path(__file__).parents[2]
PLAN = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs"), ("api", "app")]), version="1.0")


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", no_thread)
        patch.setattr(subprocess.Popen, "__init__", no_process)
        yield


def in_a_cell(call: Callable[[], Any]) -> Any:
    """Call something as a notebook's cell: a loop is running."""

    async def cell() -> Any:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        try:
            return call()
        finally:
            assert asyncio.get_running_loop() is loop
            assert asyncio.current_task() is task
            await asyncio.sleep(0.001)  # and it goes on

    return asyncio.run(cell())


# ---------------------------------------------------------------------- runs


def plain(repo: str, *_: str) -> str:
    if repo == "api":
        raise ValueError("tests are red")
    return f"{repo}-1"


async def awaiting(repo: str, *_: str) -> str:
    await asyncio.sleep(0)
    async with asyncio.TaskGroup() as group:
        given = group.create_task(asyncio.to_thread(plain, repo))
    return given.result()


def itself_a_runner(repo: str, *_: str) -> str:
    """Do what is possible in a thread of its own: run a loop, and another plan."""
    assert asyncio.run(asyncio.sleep(0, result=1)) == 1
    assert run_plan(PLAN, ScriptedReleaser({})).overall_success
    return plain(repo)


RUNS: dict[str, Callable[[Any], SequenceOutcome]] = {
    "a plain function": lambda ledger: run_plan(PLAN, plain, ledger),
    "a coroutine": lambda ledger: run_plan(PLAN, awaiting, ledger),
    "a function that runs loops": lambda ledger: run_plan(PLAN, itself_a_runner, ledger),
    "simulated": lambda ledger: run_plan(PLAN, 0.5, ledger, rng=4),
    "tried again": lambda ledger: run_plan(PLAN, plain, ledger, attempts=Retry(3)),
    "three lanes": lambda ledger: run_plan(PLAN, ScriptedReleaser({"api": "red"}), ledger, max_parallel=3),
    "on a clock that jumps": lambda ledger: run_plan(
        PLAN, delayed(ScriptedReleaser({"api": "red"}), 3600), ledger, max_parallel=2, clock=VirtualClock()
    ),
}


def told(ledger: Any) -> list[tuple[str, Any]]:
    [run] = ledger.list_runs()
    return [(event.kind, event.payload) for event in ledger.get_events(run.run_id)]


@pytest.mark.parametrize("kept", ["memory", "a file"])
@pytest.mark.parametrize("name", RUNS)
def test_a_run_in_a_notebook_is_the_same_as_elsewhere(
    name: str, kept: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    elsewhere, here = MemoryRunLedger(), MemoryRunLedger()
    expected = RUNS[name](elsewhere)
    request.getfixturevalue("refused")
    given = here if kept == "memory" else tmp_path / "runs.db"
    outcome = in_a_cell(lambda: RUNS[name](given))
    ledger = here if kept == "memory" else read_ledger(tmp_path / "runs.db")
    assert told(ledger) == told(elsewhere)
    assert outcome.words() == expected.words()
    assert "error" not in set(audit(ledger).findings["severity"])


@pytest.mark.usefixtures("refused")
@pytest.mark.parametrize("releaser", [plain, awaiting])
def test_a_run_that_is_awaited_or_run_by_a_loop_of_its_own_needs_no_thread_either(
    releaser: Any, tmp_path: Path
) -> None:
    outcomes = [run_plan(PLAN, plain, tmp_path / "own.db")]
    outcomes.append(asyncio.run(execute_plan(PLAN, plain, tmp_path / "awaited.db")))
    assert [outcome.words() for outcome in outcomes] == [["succeeded", "failed", "succeeded", "blocked"]] * 2


WAITING: dict[str, Callable[[Any], Any]] = {
    "a releaser that sleeps": lambda ledger: run_plan(PLAN, delayed(ScriptedReleaser({}), 60), ledger),
    "a process": lambda ledger: run_plan(PLAN, process, ledger),
    "a wait before another attempt": lambda ledger: run_plan(PLAN, plain, ledger, attempts=2, retry_delay=60),
    "lanes": lambda ledger: run_plan(PLAN, delayed(ScriptedReleaser({}), 60), ledger, max_parallel=2),
}


async def process(*_: str) -> str:
    await asyncio.create_subprocess_exec("git", "--version")
    return "x"


@pytest.mark.usefixtures("refused")
@pytest.mark.parametrize("name", WAITING)
def test_what_needs_waiting_is_refused_and_is_no_failed_release(name: str, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"no thread can be started .* use await execute_plan\(…\)"):
        in_a_cell(lambda: WAITING[name](tmp_path / "runs.db"))
    ledger = read_ledger(tmp_path / "runs.db")
    [run] = ledger.list_runs()
    assert run.status is RunStatus.CANCELLED
    assert not [event for event in ledger.get_events(run.run_id) if "thread" in str(event.payload)]


# ---------------------------------------------------------------------- the rest


@pytest.mark.usefixtures("refused")
def test_a_releaser_that_wants_a_thread_ends_the_run_and_has_not_failed() -> None:
    async def wants_one(repo: str, *_: str) -> str:
        return await asyncio.to_thread(str, repo)

    ledger = MemoryRunLedger(ids=["r"])
    with pytest.raises(RuntimeError, match="releaser of 'core' could not start a thread, and none can be started here"):
        run_plan(PLAN, wants_one, ledger, attempts=3)
    assert [event.kind for event in ledger.get_events("r")] == ["NodeEntered"]
    assert ledger.get_run("r").status is RunStatus.FAILED


def test_simulations_are_the_same(request: pytest.FixtureRequest) -> None:
    expected = simulate(PLAN, 0.3, 200_000, rng=5, executor=2).to_frame()
    request.getfixturevalue("refused")
    for executor in (1, 2, None):
        assert simulate(PLAN, 0.3, 200_000, rng=5, executor=executor).to_frame().equals(expected)


@pytest.mark.usefixtures("refused", "no_model_is_left")
def test_a_picture_follows_its_run() -> None:
    view = RunView(PLAN)
    outcome = in_a_cell(lambda: run_plan(PLAN, plain, on_event=view))
    assert [view.dag.word(repo) for repo in view.dag.drawn] == outcome.words()
    view.close()


@pytest.mark.usefixtures("refused")
def test_what_is_asked_for_again_at_once_comes_in_the_loops_next_turns() -> None:
    calls: list[int] = []

    async def cell() -> None:
        throttle = Throttle(lambda: calls.append(len(calls)), 0.001)
        throttle.ask()
        throttle.ask()
        assert calls == [0]
        while len(calls) < 2:
            await asyncio.sleep(0.001)
        throttle.close()

    asyncio.run(cell())
    throttle = Throttle(lambda: calls.append(len(calls)), 600)
    throttle.ask()
    throttle.ask()
    assert calls == [0, 1, 2, 3], "without a loop nobody would come back to the second request"


@pytest.mark.usefixtures("refused")
def test_a_loop_that_stands_still_does_not_hold_back_what_is_due() -> None:
    calls: list[int] = []

    async def cell() -> None:
        throttle = Throttle(lambda: calls.append(len(calls)), 0.0)
        for _ in range(3):
            throttle.ask()
            began = asyncio.get_running_loop().time()
            while asyncio.get_running_loop().time() == began:
                pass
        throttle.close()

    asyncio.run(cell())
    assert calls == [0, 1, 2]


@pytest.mark.usefixtures("refused")
def test_a_follower_looks_when_the_loop_has_its_turn_and_without_one_at_once() -> None:
    looks: list[int] = []

    async def cell() -> None:
        follower = Follower(lambda: len(looks) < 3 and not looks.append(1), 0.0001)
        follower.news()
        assert looks == []
        while len(looks) < 3:
            await asyncio.sleep(0.001)
        follower.close()

    asyncio.run(cell())
    follower = Follower(lambda: not looks.append(1))
    follower.news()
    assert len(looks) == 4


@pytest.mark.usefixtures("refused")
def test_a_folder_that_only_a_process_can_read_says_what_can_be_read(tmp_path: Path) -> None:
    pytest.importorskip("surrealdb")
    for part in ("clog", "manifest"):
        (tmp_path / part).mkdir()
    with pytest.raises(ReadError, match=r"does not support processes.*`surreal export`"):
        list(folder.rows_of_folder(str(tmp_path)))


# ---------------------------------------------------------------------- whole test files

STARTS_THREADS = (
    "tests/core/test_failures.py::test_draws_depend_on_each_part_of_their_address_and_on_nothing_else",
    "tests/running/test_attempts.py::test_runs_in_threads_that_share_a_releaser_go_as_each_alone",
    "tests/ledger/test_ledger.py::test_eight_processes_make_the_tables_together_and_write",
    "tests/ledger/test_ledger.py::test_two_processes_race_for_one_run",
)
HOLDS_A_THREAD_UP = (  # what is called in place blocks there, and nobody could let it go on
    "tests/running/test_lanes.py::test_threads_take_real_time_and_the_clock_stands_still_meanwhile",
    "tests/running/test_sequencer.py::test_a_plain_function_that_never_returns_can_be_cancelled",
    "tests/running/test_sequencer.py::test_cancelling_while_the_ledger_writes_loses_nothing",
    "tests/ledger/test_ledger.py::test_a_slow_ledger_does_not_hold_up_the_event_loop",
)
STARTS_PROCESSES = (
    "seqkit/running/commands.py",
    "tests/running/test_sequencer.py::test_ctrl_c_cancels_the_run",
    "tests/ledger/test_ledger.py::test_the_postgres_fixture_fails_where_services_are_required",
)
QUICK = (
    "tests/running/test_golden.py",
    "tests/running/test_sequencer.py",
    "seqkit/running",
)
ALL = (
    "tests/core",
    *QUICK,
    "tests/running/test_lanes.py",
    "tests/running/test_attempts.py",
    "tests/running/test_other_code.py",
    "tests/ledger/test_digest.py",
    "tests/ledger/test_frames.py",
    "tests/ledger/test_interchange.py",
    "tests/ledger/test_ledger.py",
    "tests/ledger/test_one_rule.py",
    "tests/ledger/test_story.py",
    "seqkit/core",
    "seqkit/ledger",
)


@pytest.mark.parametrize("chosen", [QUICK, pytest.param(ALL, marks=pytest.mark.slow)], ids=["quick", "all"])
def test_the_cores_tests_pass(chosen: tuple[str, ...]) -> None:
    left_out = [f"--deselect={name}" for name in (*STARTS_THREADS, *HOLDS_A_THREAD_UP, *STARTS_PROCESSES)]
    command = ["-m", "pytest", "-q", "-p", "tests.tools.restricted", "-p", "no:cacheprovider", "-p", "no:xdist"]
    done = subprocess.run(
        [sys.executable, *command, "-k", "not postgres", *left_out, *chosen],
        cwd=TOP,
        env=os.environ | {"PYTHONPATH": str(TOP)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]


# ---------------------------------------------------------------------- notebooks

CELLS = """
import asyncio, os, sys
import nbformat
from IPython.core.interactiveshell import InteractiveShell
from tests.tools.restricted import refuse

os.chdir(sys.argv[1])

class Shell(InteractiveShell):
    def enable_gui(self, gui=None):
        pass  # as a kernel's does for pictures inline

async def kernel(paths):
    for path in paths:
        Shell.clear_instance()
        shell = Shell.instance()
        if path == paths[0]:
            refuse()
        for cell in nbformat.read(path, 4).cells:
            if cell.cell_type == "code" and "needs-commands" not in cell.metadata.get("tags", []):
                result = await shell.run_cell_async(
                    cell.source, store_history=False, transformed_cell=shell.transform_cell(cell.source)
                )
                if not result.success:
                    sys.exit(f"{path}: {cell.source}")

asyncio.run(kernel(sys.argv[2:]))
"""


BOOKS = sorted((TOP / "notebooks").glob("0?_*.ipynb"))


def test_one_notebook_runs_commands() -> None:
    tagged = [path for path in BOOKS if "needs-commands" in path.read_text(encoding="utf-8")]
    assert [path.stem for path in tagged] == ["05_releasing_for_real"]


@pytest.mark.parametrize("some", ["0[1-4]", pytest.param("0[!1-4]", marks=pytest.mark.slow)])
def test_notebooks_run_from_top_to_bottom(some: str, tmp_path: Path) -> None:
    """Cells run as in a kernel, whose loop is running; those that run commands are tagged `needs-commands`."""
    books = [str(path) for path in BOOKS if path.match(f"{some}_*")]
    assert len(books) == 4, "they are where they are looked for"
    done = subprocess.run(
        [sys.executable, "-c", CELLS, str(TOP / "notebooks"), *books],
        env=os.environ | {"PYTHONPATH": str(TOP), "IPYTHONDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "Traceback" not in done.stdout + done.stderr
