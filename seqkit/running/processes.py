"""Processes: started in a session of their own, waited for, stopped and named, so that none is left behind.

A process and what it starts are one session, and at first one process group. The group is asked to stop, and the whole
session is killed as soon as its leader has ended: before the leader is reaped, since until then nobody else can have
its number. Only what has left the session on purpose, as a daemon does, goes on.

All waiting is in real time. It needs no child watcher of asyncio's, so that it works in the loop of any thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from seqkit.running.clock import Wake

__all__ = ["Ending", "NotStarted", "attend", "can_start", "still_alive"]

_LOOK_SECONDS = 0.005  # between two looks, where nobody tells that a process has ended
_TERMINATE_AT = 0.75  # of the grace; a run that breaks off cancels a second time at nine tenths
_DEATH_SECONDS = 10.0  # how long something killed is waited for where nothing can be awaited
_KILL = getattr(signal, "SIGKILL", signal.SIGTERM)  # Windows has one way to end a process
_HAS_WAITID = hasattr(os, "waitid")
_HAS_GROUPS = hasattr(os, "killpg")
_PROC = Path("/proc")


def can_start() -> bool:
    """Tell whether there can be processes at all: not in a browser's Python."""
    return sys.platform not in ("emscripten", "wasi")


class NotStarted(Exception):  # its text says why
    """The system does not start a program."""


@dataclass(frozen=True)
class Ending:
    """How a process ended."""

    code: int | None
    """Its exit code; the number of the signal that killed it, negative; None where nobody knows."""
    asked: bool
    """Whether it was asked to stop before."""

    @property
    def exit_code(self) -> int | None:
        """Its exit code; None where it has none."""
        return None if self.code is None or self.code < 0 else self.code

    def __str__(self) -> str:
        if self.code is None:
            return "ended, nobody knows how: other code in our process took its exit code (is SIGCHLD ignored?)"
        if self.code >= 0:
            return f"exit code {self.code}"
        try:
            return f"killed by {signal.Signals(-self.code).name}"
        except ValueError:  # a real-time signal has no name
            return f"killed by signal {-self.code}"


async def attend(
    argv: Sequence[str],
    cwd: str | None,
    env: Mapping[str, str],
    output: tuple[int, int],
    grace: float,
    started: Callable[[Mapping[str, Any]], None] = lambda _: None,
) -> Ending:
    """Run a program to its end.

    A cancellation asks it to stop: SIGINT to its group at once, SIGTERM at three quarters of `grace`, SIGKILL at its
    end; a second one is SIGKILL at once. It is waited for all the same, and the cancellation is not raised: the result
    tells. A coroutine that is closed kills it.

    Parameters
    ----------
    argv : sequence of str
        The program and its arguments; no shell reads them.
    cwd, env
        Where it runs, and its whole environment.
    output : tuple of int
        The descriptors that it writes to, for its output and its errors.
    grace : float
        Seconds that it has to stop.
    started : callable
        Told of the process once there is one: ``pid``, ``start_time``, ``boot_id``, ``host``.

    Raises
    ------
    NotStarted
        Where it does not start.
    """
    kept: list[_Child] = []
    try:
        try:
            child = _Child(kept, [*_dies_with_us(), *argv], cwd, env, output)
        except (OSError, ValueError, NotImplementedError) as error:
            raise NotStarted(str(error)) from None
        started(_named(child.pid))
        asked = await _end_of(child, grace)
    finally:
        for each in kept:
            each.finish()
    return Ending(child.code, asked)


class _Child(subprocess.Popen[bytes]):
    """A process, the leader of its session."""

    def __init__(
        self,
        kept: list[_Child],
        argv: Sequence[str],
        cwd: str | None,
        env: Mapping[str, str],
        output: tuple[int, int],
    ) -> None:
        kept.append(self)  # an interruption in here may come when there is a process already
        self.code: int | None = None
        self._ended = False
        super().__init__(
            argv,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output[0],
            stderr=output[1],
            start_new_session=_HAS_GROUPS,
        )

    def tell(self, number: int) -> None:
        """Send a signal to its group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):  # what is gone, or has become another user's
            if _HAS_GROUPS:
                os.killpg(self.pid, number)
            else:
                self.kill()

    def has_ended(self) -> bool:
        """Tell whether it has; its number is still its own then, where the system can tell without reaping it."""
        if self._ended:
            return True
        if not _HAS_WAITID:
            self._ended, self.code = self.poll() is not None, self.returncode
            return self._ended
        try:
            seen = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:  # somebody else has reaped it; Popen would take it for a success
            self._ended = True
            return True
        if seen is not None:
            self._ended = True
            self.code = seen.si_status if seen.si_code == os.CLD_EXITED else -seen.si_status
        return self._ended

    def finish(self) -> None:
        """Leave nothing of it behind; kills it where it has not ended."""
        if getattr(self, "pid", None) is None or (self.returncode is not None and not self._ended):
            return  # it never started
        if not self.has_ended():
            self.tell(_KILL)
            until = time.monotonic() + _DEATH_SECONDS
            while not self.has_ended() and time.monotonic() < until:
                time.sleep(_LOOK_SECONDS / 5)
        self.tell(_KILL)
        _kill_session(self.pid)
        with contextlib.suppress(subprocess.TimeoutExpired):  # a system that hangs keeps it
            self.wait(timeout=0.0 if not self._ended else None)


async def _end_of(child: _Child, grace: float) -> bool:
    """Wait until it has ended; tell whether it was asked to stop meanwhile."""
    loop = asyncio.get_running_loop()
    wake = Wake()
    timers: list[asyncio.TimerHandle] = []
    asked = False
    with _heard_of(child, wake):
        try:
            while not child.has_ended():
                try:
                    await wake.heard()
                    wake.still()
                except asyncio.CancelledError:
                    if asked:
                        child.tell(_KILL)
                        continue
                    asked = True
                    child.tell(signal.SIGINT)
                    timers.append(loop.call_later(_TERMINATE_AT * grace, child.tell, signal.SIGTERM))
                    timers.append(loop.call_later(grace, child.tell, _KILL))
        finally:
            for timer in timers:
                timer.cancel()
    return asked


@contextlib.contextmanager
def _heard_of(child: _Child, wake: Wake) -> Iterator[None]:
    """Ring when it has ended; where nothing tells, every few milliseconds."""
    loop = asyncio.get_running_loop()
    descriptor = None
    with contextlib.suppress(OSError, AttributeError):  # another system, or one that forbids it
        descriptor = os.pidfd_open(child.pid)
    try:
        if descriptor is not None:
            try:
                loop.add_reader(descriptor, wake.ring)
            except (NotImplementedError, AttributeError, OSError):  # some loops watch nothing
                os.close(descriptor)
                descriptor = None
        if descriptor is not None:
            yield
            return
        timer: list[asyncio.TimerHandle] = []

        def look() -> None:
            wake.ring()
            timer[:] = [loop.call_later(_LOOK_SECONDS, look)]

        look()
        try:
            yield
        finally:
            timer[0].cancel()
    finally:
        if descriptor is not None:
            if not loop.is_closed():
                loop.remove_reader(descriptor)
            os.close(descriptor)


@functools.cache
def _dies_with_us() -> tuple[str, ...]:
    """Give what stands in front of a command so that our own death kills it; nothing where there is no such thing."""
    found = shutil.which("setpriv") if sys.platform == "linux" else None
    if found is None:
        return ()
    guard = (os.path.abspath(found), "--pdeathsig", "KILL", "--")
    try:  # BusyBox has one that cannot, and a sandbox may forbid it
        done = subprocess.run(  # noqa: S603  # a program of the system, by its path
            [*guard, guard[0], "--version"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return ()
    return guard if done.returncode == 0 else ()


# ---------------------------------------------------------------------- sessions and names, by Linux's /proc


class _Seen(NamedTuple):
    start_time: int
    dead: bool


def _look_at(pid: int | str) -> _Seen | None:
    try:
        text = (_PROC / str(pid) / "stat").read_bytes()
    except OSError:  # gone, or no such system
        return None
    fields = text[text.rfind(b")") + 2 :].split()  # a program's name may hold blanks and brackets
    return _Seen(int(fields[19]), fields[0] in (b"Z", b"X"))


def _living(session: int) -> list[int]:
    """List what lives of a session."""
    try:
        pids = [int(name) for name in os.listdir(_PROC) if name.isdecimal()]
    except OSError:
        return []
    return sorted(pid for pid in pids if _is_of(pid, session))


def _is_of(pid: int, session: int) -> bool:
    """Tell whether a process lives and is of a session."""
    try:
        if os.getsid(pid) != session:  # much faster than a look
            return False
    except OSError:  # gone
        return False
    seen = _look_at(pid)
    return seen is not None and not seen.dead


def _kill_session(session: int) -> None:
    """Kill what is left of a session: a shell gives each of its jobs a group of its own."""
    if not _PROC.is_dir():
        return
    for _ in range(50):  # what starts others meanwhile is met again
        left = _living(session)
        if not left:
            return
        for pid in left:
            if _is_of(pid, session):  # and nobody who has its number since
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, _KILL)
        time.sleep(_LOOK_SECONDS / 5)


def _boot_id() -> str | None:
    try:
        return (_PROC / "sys/kernel/random/boot_id").read_text("ascii").strip()
    except (OSError, ValueError):
        return None


def _named(pid: int) -> dict[str, Any]:
    """Name a process so that it is told from any other, on any machine."""
    seen = _look_at(pid)
    return {
        "pid": pid,
        "start_time": None if seen is None else seen.start_time,
        "boot_id": _boot_id(),
        "host": socket.gethostname(),
    }


def still_alive(process: Mapping[str, Any]) -> list[int] | None:
    """List the processes that still live of one that was reported, and of all that it started in its session.

    Parameters
    ----------
    process : mapping
        What was reported of it: ``pid``, ``start_time`` (clock ticks since the machine started), ``boot_id``, ``host``.

    Returns
    -------
    list of int or None
        Their numbers, empty where all have ended; None where that cannot be told from here: on another machine, one
        without ``/proc``, or where `process` names none.

    Examples
    --------
    >>> still_alive({"pid": "?"}) is None
    True
    """
    if not isinstance(process, Mapping):
        return None
    pid, start_time, boot_id, host = (process.get(name) for name in ("pid", "start_time", "boot_id", "host"))
    if type(pid) is not int or type(start_time) is not int or pid < 1 or not isinstance(boot_id, str):
        return None
    here = _boot_id()
    if here is None or _look_at(os.getpid()) is None or host != socket.gethostname():
        return None
    if boot_id != here:  # this machine has started anew since
        return []
    leader = _look_at(pid)
    if leader is not None and leader.start_time != start_time:  # the number went to another: the session was empty
        return []
    return _living(pid)
