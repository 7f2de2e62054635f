"""Commands: what they are told, how they end, that nothing of them is left behind, and that no secret is told."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import os
import pickle
import random
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqkit import CommandReleaser, RepoDependencyGraph, Retry, build_plan, run_plan
from seqkit.running import processes
from seqkit.running.clock import Pace
from seqkit.running.commands import CommandFailed
from seqkit.running.context import UnderWay
from seqkit.running.output import Mask, Output
from seqkit.running.processes import still_alive
from seqkit.running.templates import PLACEHOLDERS, Template
from tests.tools.marks import eventually, marked
from tests.tools.under_way import part_of

PLAN = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs")]), version="1.0")
PYTHON = [sys.executable, "-ISc"]
SECRET = 's3/cr"et +ü'
needs_setpriv = pytest.mark.skipif(shutil.which("setpriv") is None, reason="missing: setpriv (util-linux)")


class Place:
    """Where a test starts commands; each carries a mark, so that none is overlooked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mark = f"{os.getpid()} {time.monotonic_ns()}"  # names of folders come again
        self.ready = folder / "ready"

    def releaser(
        self, script: str, *arguments: str, env: Mapping[str, str] | None = None, **more: Any
    ) -> CommandReleaser:
        """Make a releaser whose program is a shell that follows a script: such a one as a user may have."""
        own = {"MARK": self.mark, "READY": str(self.ready), **(env or {})}
        return CommandReleaser(["sh", "-c", script, "sh", *arguments], env=own, **more)

    def python(self, code: str, env: Mapping[str, str] | None = None, **more: Any) -> CommandReleaser:
        own = {"MARK": self.mark, "READY": str(self.ready), **(env or {})}
        return CommandReleaser([*PYTHON, textwrap.dedent(code)], env=own, **more)

    def hangs(self, how: str, **more: Any) -> CommandReleaser:
        """Make a releaser whose program says that it is ready, and then only takes signals."""
        return self.python(PREPARED.replace("{how}", how), **more)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """Give a place, and see that no process, descriptor or temporary file is left of what was started there."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    made = Place(tmp_path)
    processes._dies_with_us()
    before = sorted(os.listdir("/proc/self/fd"))
    yield made
    assert eventually(lambda: not marked(made.mark))
    assert sorted(os.listdir("/proc/self/fd")) == before
    assert list(temporary.iterdir()) == []
    with contextlib.suppress(ChildProcessError):
        assert os.waitpid(-1, os.WNOHANG) == (0, 0)  # no zombie


def release(releaser: CommandReleaser, repo: str = "core", version: str = "1.0", **more: Any) -> str:
    return asyncio.run(releaser.release(repo, version, "abc", "kim", **more))


def failure(releaser: CommandReleaser, *about: str, **more: Any) -> CommandFailed:
    with pytest.raises(CommandFailed) as caught:
        release(releaser, *about, **more)
    return caught.value


# ---------------------------------------------------------------------- how it ends


def test_exit_code_0_is_released(place: Place) -> None:
    assert release(place.releaser("echo done")) == "run-core"


@pytest.mark.parametrize("code", [1, 3, 127, 255])
def test_any_other_is_a_failure(place: Place, code: int) -> None:
    error = failure(place.releaser(f"echo no tests; exit {code}"))
    assert str(error) == f"exit code {code}: no tests"
    assert (error.exit_code, error.output, error.log, error.retryable) == (code, "no tests", None, True)
    back = pickle.loads(pickle.dumps(error))
    assert (str(back), vars(back)) == (str(error), vars(error))


@pytest.mark.parametrize(("number", "name"), [(11, "SIGSEGV"), (9, "SIGKILL"), (10, "SIGUSR1"), (40, "signal 40")])
def test_a_signal_is_named(place: Place, number: int, name: str) -> None:
    error = failure(place.releaser(f"kill -{number} $$"))
    assert str(error) == f"killed by {name} (no output)"
    assert (error.exit_code, error.retryable) == (None, True)


def test_fatal_exit_codes_are_not_tried_again(place: Place) -> None:
    script = 'echo x >> "$READY"; exit "$1"'
    for code, tries in ((4, 1), (5, 3)):
        place.ready.unlink(missing_ok=True)
        releaser = place.releaser(script, str(code), fatal_exit_codes=[3, 4])
        outcome = run_plan(PLAN, releaser, attempts=Retry(attempts=3), policy="stop")
        assert outcome.failures == {"core": f"exit code {code} (no output)"}
        assert len(place.ready.read_text().split()) == tries


def test_it_has_nothing_to_read_and_no_terminal(place: Place) -> None:
    assert (
        release(place.releaser('read line && exit 1; test -z "$line" && ! (: < /dev/tty) 2> /dev/null')) == "run-core"
    )


def test_one_that_closes_its_output_fails_as_any(place: Place) -> None:
    assert str(failure(place.releaser("exec >&- 2>&-; exit 4"))) == "exit code 4 (no output)"


def test_an_exit_code_that_others_took_is_no_success(place: Place) -> None:
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        error = failure(place.releaser("exit 3"))
    finally:
        signal.signal(signal.SIGCHLD, before)
    assert "nobody knows how" in str(error)
    assert error.exit_code is None


@pytest.fixture(params=["no pidfd", "no add_reader", "no waitid", "no setpriv"])
def poorer(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """Run on a system that has less."""

    class Loop(asyncio.SelectorEventLoop):
        def add_reader(self, *_: object) -> None:
            raise NotImplementedError

    def forbidden(*_: object) -> int:
        raise PermissionError

    if request.param == "no pidfd":
        monkeypatch.setattr(os, "pidfd_open", forbidden)
    elif request.param == "no waitid":
        monkeypatch.setattr(processes, "_HAS_WAITID", False)
    elif request.param == "no setpriv":
        monkeypatch.setattr(processes, "_dies_with_us", lambda: ())

    def run(work: Coroutine[Any, Any, Any]) -> Any:
        with asyncio.Runner(loop_factory=Loop if request.param == "no add_reader" else None) as runner:
            return runner.run(work)

    return run


def test_systems_that_have_less(place: Place, poorer: Callable[[Coroutine[Any, Any, Any]], Any]) -> None:
    assert poorer(place.releaser("sleep 0.02; sleep 600 &").release("core", "1", "", "")) == "run-core"
    with pytest.raises(CommandFailed, match=r"^exit code 3: why$"):
        poorer(place.releaser("echo why; exit 3").release("core", "1", "", ""))
    with pytest.raises(CommandFailed, match=r"^killed by SIGSEGV"):
        poorer(place.releaser("kill -11 $$").release("core", "1", "", ""))
    with pytest.raises(asyncio.CancelledError, match="killed by SIGINT"):
        poorer(stopped(place.hangs(DIES), place))


# ---------------------------------------------------------------------- nothing is left behind


LEAVES = {
    "in its group": "sleep 600 & exit {code}",
    "forked twice": "(sleep 600 & sleep 600 &) & exit {code}",
    "ignores signals": "trap '' INT TERM HUP; sleep 600 & exit {code}",
    "holds its output": "(while :; do echo x; sleep 600; done) & exit {code}",
}


@pytest.mark.parametrize("how", LEAVES)
@pytest.mark.parametrize("code", [0, 3])
def test_what_it_leaves_behind_is_killed(place: Place, how: str, code: int) -> None:
    with contextlib.suppress(CommandFailed):
        release(place.releaser(LEAVES[how].format(code=code)))


def test_what_has_a_group_of_its_own_is_killed_too(place: Place) -> None:
    code = """
        import os, time
        if os.fork() == 0:
            os.setpgid(0, 0)
            open(os.environ["READY"], "w").close()
            time.sleep(600)
        while not os.path.exists(os.environ["READY"]):
            time.sleep(0.001)
    """
    assert release(place.python(code)) == "run-core"


@pytest.mark.skipif(shutil.which("setsid") is None, reason="missing: setsid (util-linux)")
def test_what_has_left_the_session_goes_on(place: Place) -> None:
    daemon = """setsid sh -c 'echo $$ > "$READY.new"; mv "$READY.new" "$READY"; exec sleep 600' &"""
    script = f'{daemon} while ! [ -e "$READY" ]; do :; done'
    try:
        assert release(place.releaser(script)) == "run-core"
        left, until = {int(place.ready.read_text())}, time.monotonic() + 30
        while marked(place.mark) != left:  # what was killed is gone a moment later
            assert time.monotonic() < until
            time.sleep(0.01)
        assert marked(place.mark) == left  # a daemon: what it is for
    finally:
        for pid in marked(place.mark):
            os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("error", [PermissionError("not here"), NotImplementedError("no fork"), KeyboardInterrupt()])
def test_one_that_does_not_start(
    place: Place, monkeypatch: pytest.MonkeyPatch, error: BaseException, when: str
) -> None:
    execute = subprocess.Popen._execute_child  # type: ignore[attr-defined]

    def breaks(*arguments: Any) -> None:
        if when == "after":  # interrupted in the middle of it
            execute(*arguments)
        raise error

    releaser = place.releaser("sleep 600", logs=place.folder / "logs")
    monkeypatch.setattr(subprocess.Popen, "_execute_child", breaks)
    if isinstance(error, KeyboardInterrupt):
        with pytest.raises(KeyboardInterrupt):
            release(releaser)
    else:
        assert str(failure(releaser)) == f"'sh' cannot be started: {error}"
        assert list((place.folder / "logs").iterdir()) == []


def test_a_browser_has_no_processes(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "emscripten")
    releaser = CommandReleaser(["no-such-program", "{repo_id}"])
    assert releaser.command("core", "1") == ["no-such-program", "core"]
    with pytest.raises(RuntimeError, match="no command can be started here: Python on emscripten has no processes"):
        releaser.check_plan(PLAN)


def test_a_coroutine_that_is_closed_kills_its_command(place: Place) -> None:
    async def close() -> None:
        under_way = place.hangs(DEAFER).release("core", "1", "", "")
        under_way.send(None)
        assert eventually(place.ready.exists)
        assert marked(place.mark)
        under_way.close()

    asyncio.run(close())


def test_an_error_of_whoever_is_told_of_the_process_kills_it(place: Place) -> None:
    def full(_: Mapping[str, Any]) -> None:
        raise OSError("disk is full")

    async def told() -> None:
        with part_of(UnderWay(Pace(), report=full)):
            await place.releaser("sleep 600").release("core", "1", "", "")

    with pytest.raises(OSError, match="disk is full"):
        asyncio.run(told())


@needs_setpriv
def test_our_own_death_kills_the_command(place: Place) -> None:
    code = f"""
        import asyncio
        from seqkit import CommandReleaser
        script = 'echo $$ > "$READY.new"; mv "$READY.new" "$READY"; exec sleep 600'
        releaser = CommandReleaser(["sh", "-c", script], env={{"MARK": {place.mark!r}, "READY": {str(place.ready)!r}}})
        asyncio.run(releaser.release("core", "1.0", "", ""))
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)]) as we:
        assert eventually(place.ready.exists)
        assert marked(place.mark) == {int(place.ready.read_text())}
        we.kill()


# ---------------------------------------------------------------------- asked to stop

# A shell would lose a signal that comes while it starts another program.
PREPARED = """
    import os, signal, sys, time
    {how}
    print("begun", flush=True)
    open(os.environ["READY"], "w").close()
    while True:
        time.sleep(600)
"""
DIES = "signal.signal(signal.SIGINT, signal.SIG_DFL)"
DEAF = "signal.signal(signal.SIGINT, signal.SIG_IGN)"
DEAFER = f"{DEAF}; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
ENDS = "signal.signal(signal.SIGINT, lambda *_: sys.exit({code}))"


async def stopped(releaser: CommandReleaser, place: Place, grace: float = 60.0, times: int = 1) -> str:
    """Ask a release to stop once it is ready."""
    place.ready.unlink(missing_ok=True)
    with part_of(UnderWay(Pace(), grace)):
        task = asyncio.create_task(releaser.release("core", "1.0", "", ""))
        await ready(place)
        for _ in range(times):
            task.cancel()
            await asyncio.sleep(0.01)
        return await task


async def ready(place: Place) -> None:
    while not place.ready.exists():
        await asyncio.sleep(0.001)


def asked(releaser: CommandReleaser, place: Place, **more: Any) -> str:
    with pytest.raises(asyncio.CancelledError) as caught:
        asyncio.run(stopped(releaser, place, **more))
    return str(caught.value)


def test_it_is_asked_by_an_interruption(place: Place) -> None:
    assert asked(place.hangs(DIES), place) == "killed by SIGINT; last output: begun"


def test_then_by_a_termination_and_then_it_is_killed(place: Place) -> None:
    assert asked(place.hangs(DEAF), place, grace=0.2) == "killed by SIGTERM; last output: begun"
    assert asked(place.hangs(DEAFER), place, grace=0.2) == "killed by SIGKILL; last output: begun"


@pytest.mark.parametrize("times", [2, 5])
def test_asked_twice_it_is_killed_at_once(place: Place, times: int) -> None:
    assert asked(place.hangs(DEAFER), place, times=times) == "killed by SIGKILL; last output: begun"


def test_one_that_comes_to_its_end_all_the_same_is_released(place: Place) -> None:
    assert asyncio.run(stopped(place.hangs(ENDS.format(code=0)), place)) == "run-core"


def test_one_that_fails_then_was_stopped(place: Place) -> None:
    how = ENDS.format(code="os.environ['TOKEN']")
    releaser = place.hangs(how, env={"TOKEN": SECRET}, secrets=["TOKEN"])
    assert asked(releaser, place) == "exit code 1; last output: begun\n***"


def test_a_check_that_was_stopped_has_no_answer(place: Place) -> None:
    for code in (0, 1):
        hangs = textwrap.dedent(PREPARED.replace("{how}", ENDS.format(code=code)))
        releaser = place.releaser("exit 0", check=[*PYTHON, hangs])

        async def stop(ask: Any = releaser.check) -> None:
            place.ready.unlink(missing_ok=True)
            task = asyncio.create_task(ask("core", "1.0"))
            await ready(place)
            task.cancel()
            await task

        with pytest.raises(asyncio.CancelledError, match=f"check: exit code {code}"):
            asyncio.run(stop())


def test_one_releaser_serves_many_releases_in_many_loops(place: Place) -> None:
    releaser = place.releaser('sleep 0.0$1; test "$1" != 7', "{repo_id}", logs=place.folder / "logs")
    came: list[object] = []

    async def many() -> None:
        came.extend(
            await asyncio.gather(
                *(releaser.release(str(number), "1", "", "") for number in range(10)), return_exceptions=True
            )
        )

    threads = [threading.Thread(target=asyncio.run, args=(many(),)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = [*(f"run-{number}" for number in range(10) if number != 7), "exit code 1 (no output)"]
    assert sorted(map(str, came)) == sorted(3 * expected)
    assert len(list((place.folder / "logs").iterdir())) == 30


MANNERS = [
    "exit 0",
    "sleep 0.004; exit 0",
    "sleep 0.004; exit 3",
    "kill -9 $$",
    "trap '' INT TERM; sleep 600 & sleep 600",
    "trap 'exit 0' INT; (sleep 600 &) & sleep 0.01",
    "trap 'sleep 600' TERM; while :; do sleep 0.002; done",
    "exec >&- 2>&-; sleep 600",
    "set -m; sleep 600 & sleep 0.002",
    "while :; do echo x; done",
]


@pytest.mark.parametrize("count", [30, pytest.param(2_000, marks=pytest.mark.slow)])
def test_whenever_it_is_asked_to_stop_nothing_is_left(place: Place, count: int) -> None:
    chance = random.Random(f"moments {count}")
    came: Counter[str] = Counter()

    async def one(releaser: CommandReleaser, moments: list[float], closes: bool) -> str:
        work = releaser.release("core", "1.0", "", "")
        if closes:
            with contextlib.suppress(StopIteration):  # it may have ended by the first look
                work.send(None)
            time.sleep(moments[0])
            work.close()
            return "closed"
        with part_of(UnderWay(Pace(), chance.choice([0.0, 0.01, 0.05]))):
            task = asyncio.create_task(work)
        for moment in moments:
            await asyncio.sleep(moment)
            task.cancel()
        return await task

    for _ in range(count):
        moments = [chance.random() * 0.012 for _ in range(chance.choice([1, 1, 2, 3]))]
        try:
            came[asyncio.run(one(place.releaser(chance.choice(MANNERS)), moments, chance.random() < 0.2))] += 1
        except (CommandFailed, asyncio.CancelledError) as error:
            came[type(error).__name__] += 1
        assert eventually(lambda: not marked(place.mark))
    assert set(came) >= {"closed", "CancelledError"}, came


# ---------------------------------------------------------------------- who it is


def test_a_process_is_reported_and_found_again(place: Place) -> None:
    reported: list[Mapping[str, Any]] = []

    async def look() -> None:
        script = 'sleep 600 & echo $$ $! > "$READY.new"; mv "$READY.new" "$READY"; while :; do sleep 600; done'
        with part_of(UnderWay(Pace(), report=reported.append)):
            task = asyncio.create_task(place.releaser(script).release("core", "1.0", "", ""))
        await ready(place)
        leader, other = map(int, place.ready.read_text().split())
        process = dict(reported[0])
        assert (process["pid"], process["host"]) == (leader, socket.gethostname())
        assert set(process) == {"pid", "start_time", "boot_id", "host"}
        assert {leader, other} <= set(still_alive(process) or [])
        assert still_alive({**process, "start_time": process["start_time"] - 1}) == []  # another had the number
        assert still_alive({**process, "boot_id": "another"}) == []
        assert still_alive({**process, "host": "another"}) is None
        os.kill(leader, signal.SIGSTOP)  # it reaps nobody now
        os.kill(other, signal.SIGKILL)
        assert eventually(lambda: other not in (still_alive(process) or []))
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        assert still_alive(process) == []

    asyncio.run(look())
    assert len(reported) == 1


def test_a_check_is_not_reported(place: Place) -> None:
    reported: list[Mapping[str, Any]] = []

    async def ask() -> object:
        with part_of(UnderWay(Pace(), report=reported.append)):
            check = place.releaser("exit 0", check=["sh", "-c", "exit 1"]).check
            assert check is not None
            return await check("core", "1.0")

    assert (asyncio.run(ask()), reported) == (None, [])


anything = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.floats() | st.lists(st.integers(), max_size=2)
)


@settings(max_examples=50)
@given(
    st.dictionaries(st.sampled_from(["pid", "start_time", "boot_id", "host", "x"]), anything) | anything,
    st.sampled_from(
        [{}, {"host": socket.gethostname()}, {"host": socket.gethostname(), "boot_id": processes._boot_id()}]
    ),
)
def test_whatever_a_record_holds_nothing_is_found_by_chance(rubbish: Any, more: dict[str, Any]) -> None:
    assert still_alive(rubbish | more if isinstance(rubbish, dict) else rubbish) in (None, [])


# ---------------------------------------------------------------------- what it is told


def test_it_is_told_the_release_literally(place: Place) -> None:
    script = 'for each; do echo "[$each]"; done; exit 1'
    argv = [
        "{repo_id}",
        "v{version_label}:{repo_id}",
        "--digest={spec_digest}",
        "{promoted_by}",
        "{{all}} $HOME {} {a-b} *",
    ]
    error = failure(place.releaser(script, *argv), "{version_label}; rm -rf $HOME", "1 0")
    assert error.output.splitlines() == [
        "[{version_label}; rm -rf $HOME]",
        "[v1 0:{version_label}; rm -rf $HOME]",
        "[--digest=abc]",
        "[kim]",
        "[{all} $HOME {} {a-b} *]",
    ]


def test_its_environment_is_what_was_allowed(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not for others")
    monkeypatch.setenv("TOKEN", "of ours")
    monkeypatch.setenv("LANG", "C.UTF-8")
    allowed = {"PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR"}
    for env, more in (
        (["TOKEN"], {"TOKEN": "of ours"}),
        ({"PATH": "/bin:/usr/bin", "A": "1"}, {"PATH": "/bin:/usr/bin", "A": "1"}),
    ):
        releaser = CommandReleaser(["env"], env=env, logs=place.folder / f"logs {len(more)}")
        release(releaser)
        [log] = (place.folder / f"logs {len(more)}").iterdir()
        got = dict(line.split("=", 1) for line in log.read_text().splitlines())
        assert got == {name: os.environ[name] for name in allowed if name in os.environ} | more


def test_it_runs_in_its_directory(place: Place) -> None:
    (place.folder / "repos" / "org" / "core").mkdir(parents=True)
    releaser = place.releaser("pwd; exit 1", cwd=place.folder / "repos" / "{repo_id}")
    assert failure(releaser, "org/core").output == str(place.folder / "repos" / "org" / "core")
    assert "there is no directory '" in str(failure(releaser, "docs"))
    assert releaser.directory("docs", "1") == str(place.folder / "repos" / "docs")
    assert place.releaser("exit 0").directory("docs", "1") is None


def test_a_program_beside_what_is_released(place: Place) -> None:
    for repo, mode in (("core", 0o700), ("docs", 0o600)):
        folder = place.folder / repo
        folder.mkdir()
        (folder / "release.sh").write_text('#!/bin/sh\ntest "$1" = "$(basename "$PWD")"\n')
        (folder / "release.sh").chmod(mode)
    env = {"MARK": place.mark}
    releaser = CommandReleaser(["./release.sh", "{repo_id}"], cwd=place.folder / "{repo_id}", env=env)
    assert release(releaser) == "run-core"
    assert "there is no program './release.sh' in '" in str(failure(releaser, "docs"))
    assert str(failure(CommandReleaser(["{repo_id}"], env=env), "nonesuch")) == (
        "there is no program 'nonesuch' that may be run"
    )
    (place.folder / "core" / "release.sh").write_text("#!/no/such/interpreter\n")
    error = failure(releaser)
    assert "release.sh" in str(error)
    assert "No such file" in str(error)


REFUSED = [
    ({"repo_id": "-rf"}, r"repo_id is '-rf', which is not put into argv\[1\], '{repo_id}': .* option"),
    ({"version_label": "-1"}, r"version_label of repo 'core' is '-1', .* argv\[2\]"),
    (
        {"spec_digest": "--force"},
        r"spec_digest of repo 'core' is '--force', .* argv\[3\], '{spec_digest}{promoted_by}'",
    ),
    ({"spec_digest": "", "promoted_by": "-x"}, r"promoted_by of repo 'core' is '-x', .* argv\[3\]"),
    ({"version_label": "1\0"}, r"version_label of repo 'core' is '1\\x00', .*: it holds a NUL"),
    ({"version_label": "1\ud800"}, r"version_label of repo 'core' is '1\\ud800', .*: it holds half a character"),
    ({"repo_id": "../core"}, r"repo_id is '\.\./core', which is not put into cwd, .*: it would lead to another place"),
    ({"repo_id": "a/../../b"}, r"repo_id is 'a/\.\./\.\./b', .* another place"),
    ({"repo_id": "a\\..\\b"}, r"repo_id .* another place"),
    ({"repo_id": "/etc"}, r"repo_id is '/etc', .* another place"),
    ({"repo_id": "C:/x"}, r"repo_id is 'C:/x', .* another place"),
    ({"repo_id": "."}, r"repo_id is '\.', .* another place"),
]


@pytest.mark.parametrize(("values", "why"), REFUSED)
def test_values_that_are_refused(place: Place, values: dict[str, str], why: str) -> None:
    argv = ["echo", "{repo_id}", "{version_label}", "{spec_digest}{promoted_by}"]
    releaser = CommandReleaser(argv, cwd="repos/{repo_id}")
    about = {"repo_id": "core", "version_label": "1.0", "spec_digest": "abc", "promoted_by": "kim"} | values
    repo, version, digest, by = about.values()
    plan = build_plan(RepoDependencyGraph.from_edges([], nodes=["a"]), version="1.0")
    releaser.check_plan(plan)
    with pytest.raises(ValueError, match=why):
        asyncio.run(releaser.release(repo, version, digest, by))
    with pytest.raises(ValueError, match=why):
        _ = (releaser.command(repo, version, digest, by), releaser.directory(repo, version, digest, by))


def test_values_that_make_a_bad_path_together() -> None:
    template = Template("cwd", "../{repo_id}/x", is_path=True)
    assert template.fill({"repo_id": "org/core"}) == "../org/core/x"
    with pytest.raises(ValueError, match="another place"):
        Template("cwd", "r/.{repo_id}", is_path=True).fill({"repo_id": ".", "version_label": ""})


def test_a_plan_is_held_against_it_before_the_run() -> None:
    graph = RepoDependencyGraph.from_edges([("core", "-api")])
    releaser = CommandReleaser(["echo", "{repo_id}"])
    with pytest.raises(ValueError, match="repo_id is '-api'"):
        releaser.check_plan(build_plan(graph, version="1.0"))
    releaser.check_plan(build_plan(graph, [("core", "1.0")], scope="all"))  # what is not released is not asked for
    with pytest.raises(ValueError, match=r"check\[1\]"):
        CommandReleaser(["true"], check=["echo", "{repo_id}"]).check_plan(build_plan(graph, version="1.0"))


literals = st.text(st.characters(exclude_characters="{}\0", exclude_categories=["Cs"]), max_size=5)
values = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)


@given(
    st.lists(literals | st.sampled_from(PLACEHOLDERS).map(lambda name: (name,)) | st.just(["all"])),
    st.lists(values, min_size=4, max_size=4),
)
def test_templates_are_filled_in_one_pass(pieces: list[Any], given_values: list[str]) -> None:
    about = dict(zip(PLACEHOLDERS, given_values, strict=True))
    text = "=" + "".join(
        piece if isinstance(piece, str) else f"{{{piece[0]}}}" if isinstance(piece, tuple) else "{{all}}"
        for piece in pieces
    )
    filled = "=" + "".join(
        piece if isinstance(piece, str) else about[piece[0]] if isinstance(piece, tuple) else "{all}"
        for piece in pieces
    )
    assert Template("argv[1]", text).fill(about) == filled


@given(st.text("{}ab", max_size=12))
def test_braces_that_hold_no_name_stand_as_they_are(text: str) -> None:
    if re.search(r"\{[ab]+\}", text):
        return
    assert Template("argv[1]", text).fill({}) == text


WRONG: list[tuple[Callable[[], object], type[Exception], str]] = [
    (lambda: CommandReleaser("git push"), TypeError, r"argv is 'git push', .*no shell.*shlex\.split"),
    (lambda: CommandReleaser(["echo"], check="test x"), TypeError, r"check is 'test x', .*no shell"),
    (lambda: CommandReleaser(b"git"), TypeError, "argv is bytes"),  # type: ignore[arg-type]
    (lambda: CommandReleaser(7), TypeError, "argv is 7, expected a list"),  # type: ignore[arg-type]
    (lambda: CommandReleaser([]), ValueError, "argv is empty"),
    (lambda: CommandReleaser(["echo", 7]), TypeError, r"argv\[1\] is 7, expected text"),  # type: ignore[list-item]
    (lambda: CommandReleaser(["echo", "a\0"]), ValueError, r"argv\[1\] .* holds a NUL"),
    (lambda: CommandReleaser(["echo", "{repo}"]), ValueError, r"argv\[1\] .* \{repo\}; .*\{repo_id\}.* \{\{repo\}\}"),
    (lambda: CommandReleaser(["echo", "${HOME}"]), ValueError, r"which has \{HOME\}"),
    (lambda: CommandReleaser(["echo"], check=["echo", "{spec_digest}"]), ValueError, r"check\[1\] .*\{spec_digest\}"),
    (
        lambda: CommandReleaser(["echo"], cwd="{spec_digest}", check=["echo"]),
        ValueError,
        "cwd is .* and there is a check",
    ),
    (lambda: CommandReleaser(["no-such-program"]), ValueError, r"argv\[0\] is 'no-such-program', .* PATH"),
    (lambda: CommandReleaser(["echo"], env={"PATH": "/nowhere"}), ValueError, r"argv\[0\] is 'echo', .* PATH"),
    (lambda: CommandReleaser(["echo"], check=["no-such"]), ValueError, r"check\[0\] is 'no-such'"),
    (lambda: CommandReleaser(["echo"], env=["NO_SUCH"]), ValueError, "env has 'NO_SUCH', .*not set.*mapping"),
    (lambda: CommandReleaser(["echo"], env={"A": 1}), TypeError, r"env\['A'\] is of type int"),
    (lambda: CommandReleaser(["echo"], env={"A": "s3cret\0"}), ValueError, r"env\['A'\] holds a NUL"),
    (lambda: CommandReleaser(["echo"], env={"A=B": "1"}), ValueError, "env has, at place 0, no name of a variable"),
    (lambda: CommandReleaser(["echo"], env=7), TypeError, "env is of type int, expected names"),  # type: ignore[arg-type]
    (lambda: CommandReleaser(["echo"], env=["my_s3cret"]), ValueError, "env has a name at place 0, which is not set"),
    (lambda: CommandReleaser(["echo"], secrets=["A"]), ValueError, "secrets has 'A', which env has not"),
    (
        lambda: CommandReleaser(["echo"], secrets=["my_s3cret"]),
        ValueError,
        "secrets has a name at place 0, .*and not its value",
    ),
    (
        lambda: CommandReleaser(["echo"], env={"A": " "}, secrets=["A"]),
        ValueError,
        "secrets has 'A', whose value is empty",
    ),
    (lambda: CommandReleaser(["echo"], fatal_exit_codes=[0]), ValueError, "fatal_exit_codes is 0"),
    (lambda: CommandReleaser(["echo"], fatal_exit_codes=3), TypeError, "fatal_exit_codes is 3"),  # type: ignore[arg-type]
    (lambda: CommandReleaser(["echo"], logs=__file__), ValueError, "logs is .* no directory"),
]


@pytest.mark.parametrize(("make", "kind", "why"), WRONG)
def test_wrong_arguments(make: Callable[[], object], kind: type[Exception], why: str) -> None:
    with pytest.raises(kind, match=why) as caught:
        make()
    assert "s3cret" not in str(caught.value)


# ---------------------------------------------------------------------- is it out?


@pytest.mark.parametrize(
    ("script", "answer"),
    [
        ("echo noise; echo ' v1 \n\n'; echo warning >&2", "v1"),
        ("echo warning >&2", "run-core"),
        ("printf 'v1\r\n'", "v1"),
        ("echo v1; exit 1", None),
        ("yes | head -n 100000; echo v2", "v2"),
        (f"echo v-{SECRET!r}", "v-***"),
        ("echo v-s3/c", "v-s3/c"),  # the beginning of a secret: it came to its end
    ],
)
def test_a_check_answers(place: Place, script: str, answer: str | None) -> None:
    env = {"MARK": place.mark, "TOKEN": SECRET}
    releaser = CommandReleaser(["true"], env=env, secrets=["TOKEN"], check=["sh", "-c", script, "{repo_id}"])
    assert releaser.check is not None
    assert asyncio.run(releaser.check("core", "1.0")) == answer  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo out; echo no network >&2; exit 2", "check: exit code 2: no network"),
        ("kill -9 $$", r"check: killed by SIGKILL \(no output\)"),
        ("head -c 9000 /dev/zero | tr '\\0' x", "check: the last line .* more than 2,000 characters"),
        ("echo v1; yes '' | head -n 20000", "check: the last line"),
    ],
)
def test_a_check_that_does_not_answer(place: Place, script: str, why: str) -> None:
    check = place.releaser("exit 0", check=["sh", "-c", script]).check
    assert check is not None
    with pytest.raises(CommandFailed, match=f"^{why}"):
        asyncio.run(check("core", "1.0"))  # type: ignore[arg-type]


def test_there_is_no_check_where_none_was_given() -> None:
    assert CommandReleaser(["true"]).check is None


# ---------------------------------------------------------------------- its output


def memory_of(size: int, place: Place) -> int:
    """Give the bytes of memory that a failure with so much output takes at most."""
    releaser = place.releaser(f"head -c {size} /dev/zero | tr '\\0' x; exit 3")
    release(place.releaser("exit 0"))
    tracemalloc.start()
    try:
        error = failure(releaser)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert str(error) == f"exit code 3: …{'x' * 2000}"
    return peak


def test_much_output_takes_no_memory(place: Place) -> None:
    assert memory_of(20_000_000, place) < 1_000_000


@pytest.mark.slow
def test_a_gigabyte_takes_no_memory(place: Place) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert memory_of(1_000_000_000, place) < 1_000_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < before + 50_000  # kilobytes


def test_its_output_is_told_in_plain_text(place: Place) -> None:
    script = "printf '\\033[31mred\\033(B\\033[m\\t10%%\\r20%%\\r\\n\\377ok\\000\\007\\n\\n'; echo err >&2; exit 1"
    assert str(failure(place.releaser(script))) == "exit code 1: red\t10%\n20%\n\ufffdok\n\nerr"
    link = "printf '\\033]8;;http://x\\033\\\\a link\\033]8;;\\007, \\033]0;a title\\nwhy'; exit 1"
    assert str(failure(place.releaser(link))) == "exit code 1: a link, \nwhy"


def test_its_output_is_cut_between_characters() -> None:
    for size in range(8_000, 8_012):
        told = told_of(b"x" * (size % 4) + "😀".encode() * (size // 4 + 10), [])
        assert told == "…" + 2000 * "😀"


def test_one_that_empties_its_output_leaves_no_hole(place: Place) -> None:
    assert failure(place.releaser("echo one; : > /dev/stdout; echo two; exit 1")).output == "two"


def test_logs_are_kept_and_never_overwritten(place: Place) -> None:
    logs = place.folder / "a" / "logs"
    releaser = place.releaser(
        'echo "$TOKEN $1"; exit 1', "{repo_id}", env={"TOKEN": SECRET}, secrets=["TOKEN"], logs=logs
    )
    first = failure(releaser, "org/core", attempt=2)
    assert first.log == str(logs / "org%2Fcore@1.0-2.log")
    release_again = failure(releaser, "org/core", attempt=2)
    assert release_again.log == str(logs / "org%2Fcore@1.0-2.2.log")
    assert Path(first.log).read_text() == f"{SECRET} org/core\n"  # raw
    assert first.output == "*** org/core"
    assert {file.stat().st_mode & 0o777 for file in logs.iterdir()} == {0o600}
    assert failure(releaser, "x" * 400, "y" * 400).exit_code == 1
    assert failure(releaser, "..", "../..").log == str(logs / "..@..%2F..-1.log")


def test_logs_that_cannot_be_kept(place: Place) -> None:
    (place.folder / "file").touch()
    releaser = place.releaser("exit 0", logs=place.folder / "file" / "logs")
    assert str(failure(releaser)).startswith("its output cannot be kept: ")


# ---------------------------------------------------------------------- secrets


def test_no_secret_is_told(place: Place, tmp_path: Path) -> None:
    script = 'echo "user:$TOKEN@host"; echo "$TOKEN" >&2; exit 3'
    releaser = CommandReleaser(
        ["sh", "-c", script, f"--header={SECRET}", "{repo_id}", "{promoted_by}"],
        cwd=f"{tmp_path}/" + "{repo_id}",
        env={"MARK": place.mark, "TOKEN": SECRET},
        secrets=["TOKEN"],
        check=["false", SECRET],
        fatal_exit_codes=[3],
    )
    (tmp_path / "core").mkdir()
    outcome = run_plan(PLAN, releaser, attempts=2, check_wait=0)
    assert outcome.failures == {"core": "exit code 3: user:***@host\n***"}
    assert outcome.ledger is not None
    told = [repr(releaser), repr(outcome), *map(repr, outcome.ledger.get_events(outcome.run_id or ""))]
    told += [str(releaser.command("core", "1.0", SECRET, SECRET)), str(releaser.directory(SECRET, "1"))]
    (tmp_path / "core").rmdir()
    told.append(repr(failure(releaser)))
    for bad in ({"repo_id": f"-{SECRET}"}, {"promoted_by": f"-{SECRET}"}, {"repo_id": f"../{SECRET}"}):
        with pytest.raises(ValueError, match="not put into") as caught:
            releaser.check_plan(
                build_plan(
                    RepoDependencyGraph.from_edges([], nodes=[bad.get("repo_id", "core")]),
                    [(bad.get("repo_id", "core"), "1", "", bad.get("promoted_by", ""))],
                )
            )
        told.append(str(caught.value))
    for text in told:
        assert not any(spelt in text for spelt in (SECRET, repr(SECRET)[1:-1], 'cr\\"et', "s3%2F"))
    assert repr(releaser).startswith("CommandReleaser(['sh', '-c', ")
    assert "secrets=['TOKEN'], fatal_exit_codes=[3], check=['false', '***'])" in repr(releaser)


def test_it_takes_no_secret_to_another_process() -> None:
    releaser = CommandReleaser(["true"], env={"TOKEN": SECRET}, secrets=["TOKEN"])
    for take in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="cannot be pickled or copied: it holds secrets"):
            take(releaser)


@pytest.mark.parametrize(
    "written",
    [
        'a/b c"d\\\n',
        'a/b c"d\\',
        'a/b c\\"d\\\\',
        "a%2Fb%20c%22d%5C",
        "a%2Fb+c%22d%5C",
        "a/b%20c%22d%5C",
        'a/b c"d\\\\',
    ],
)
def test_secrets_are_found_as_they_are_spelt(written: str) -> None:
    mask = Mask(['a/b c"d\\\n'])
    assert mask.text(f"<{written}>").replace("\n", "") == "<***>"
    assert mask.tail(f"<{written}>".encode(), 0, False).replace(b"\n", b"") == b"<***>"


def test_lines_of_a_secret_are_secrets() -> None:
    key = "-----BEGIN KEY-----\nabcdefghij\nklmnopqrst\nend\n"
    assert Mask([key]).text("> abcdefghij\r\n> klmnopqrst; end") == "> ***\r\n> ***; end"


def told_of(data: bytes, secrets: list[str]) -> str:
    with Output() as output:
        os.write(output.descriptor, data)
        return output.tail(Mask(secrets))


SECRETS = ["XYZÖXYZ", "ZÖX", "XX", "Y\nZZ\rY", "X" * 300, "Ö€😀" * 50]


@given(
    st.lists(st.sampled_from(SECRETS), min_size=1, max_size=4, unique=True),
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 5)), max_size=6),
    st.integers(0, 2100),
    st.integers(0, 4),
    st.sampled_from(["a", "é", "😀", "\0", "\n"]),
)
def test_no_part_of_a_secret_is_told_wherever_it_stands(
    secrets: list[str], places: list[tuple[int, int]], behind: int, near: int, filler: str
) -> None:
    text = filler * 100 * near * near
    for gap, which in places:
        text += "b" * gap + secrets[which % len(secrets)]
    text += "c" * (behind if near % 2 else 2000 - near)
    text = filler * (9_000 if near == 4 else 0) + text
    told = told_of(text.encode(), secrets)
    assert not set("XYZÖ€") & set(told)
    if secrets != ["Ö€😀" * 50] and filler != "😀":
        assert "😀" not in told
    assert len(told) <= 2001


@given(st.integers(7_600, 8_400), st.sampled_from([SECRETS[0], SECRETS[4], SECRETS[5]]))
def test_a_secret_at_the_edge_of_what_is_read(behind: int, secret: str) -> None:
    told = told_of((f"{secret}" + "c" * behind).encode(), [secret])
    assert set(told) <= set("…c*")
    told = told_of((f"{'a' * 500}{secret}" + "\0" * behind + "c").encode(), [secret])
    assert set(told) <= set("…ac*")


@given(st.integers(4, 19))
def test_a_secret_that_breaks_off_is_one(size: int) -> None:
    assert (
        told_of(f"token: {'ABCDEFGHIJKLMNOPQRST'[:size]}".encode(), ["ABCDEFGHIJKLMNOPQRST", "ABCDX"]) == "token: ***"
    )


def test_overlapping_secrets_are_hidden_whole() -> None:
    assert Mask(["abcd", "cdef", "bc"]).text("xabcdefx bc aabcdcdef") == "x***x *** a***"
    assert Mask(["aba"]).text("cababababac") == "c***c"
    assert Mask([]).text("abc") == "abc"
