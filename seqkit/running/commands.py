"""Releasing by a command of your own: one program a repo, never a shell."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NoReturn

from seqkit._util.arguments import whole
from seqkit._util.secrets import as_given
from seqkit._util.words import cut, printable
from seqkit.core.plan import SequencePlan
from seqkit.running.context import UnderWay, under_way
from seqkit.running.environment import harmless, names_of, secret_values, variables
from seqkit.running.output import Mask, Output, log_name
from seqkit.running.processes import Ending, NotStarted, attend, can_start
from seqkit.running.templates import PLACEHOLDERS, Template

__all__ = ["CommandFailed", "CommandReleaser"]

_TOLD_TO_CHECK = PLACEHOLDERS[:2]
_Argument = str | os.PathLike[str]


class CommandFailed(Exception):  # its text is recorded as the reason, as it stands
    """A command that failed, or did not start. Its text is the reason, without secrets.

    Attributes
    ----------
    exit_code : int or None
        None where it was killed, or did not start.
    output : str
        The end of what it wrote, without secrets.
    log : str or None
        The file with all that it wrote, where that is kept.
    retryable : bool
        Whether another attempt may help.
    """

    def __init__(
        self,
        reason: str,
        exit_code: int | None = None,
        output: str = "",
        log: str | None = None,
        retryable: bool = True,
    ) -> None:
        super().__init__(reason)
        self.exit_code, self.output, self.log, self.retryable = exit_code, output, log, retryable


class CommandReleaser:
    """Releases each repo by a command: it is out where the command ends with exit code 0, as ``run-<repo_id>``.

    The command is started as it stands, by no shell, with nothing to read, in a session of its own. When it ends,
    whatever it has started and left behind in that session is killed. Asked to stop (Ctrl-C, a time-out) it gets
    SIGINT, after three quarters of the run's `grace` SIGTERM, and at its end SIGKILL; asked twice, SIGKILL at once. If
    it ends with exit code 0 all the same, the repo is out. Where there are no process groups (Windows), it is killed at
    once, and alone.

    If we are killed ourselves (SIGKILL), so is the command, where the system has ``setpriv`` (Linux) and the command is
    no setuid program. What it has started goes on, and a command that is just about to start at that moment may go on
    too. Either way its repo is left in doubt: :func:`seqkit.resume_plan` refuses to guess, and names the process where
    it may still live and the ledger had been told of it; of one that was killed on us within that moment it had not.

    Parameters
    ----------
    argv : iterable of str
        The program and its arguments. ``{repo_id}``, ``{version_label}``, ``{spec_digest}`` and ``{promoted_by}`` are
        replaced by those of the release, literally; ``{{name}}`` writes ``{name}``, and other braces stand as they are.
    cwd : str or Path, optional
        The directory to run in, which may have the same placeholders; ours by default.
    env : iterable of str, or mapping
        Names of variables of our environment that the command gets, such as ``SSH_AUTH_SOCK`` for a push by ssh, or a
        mapping from names to values. Beside these it gets PATH, HOME, LANG, LC_ALL, TZ, TMPDIR and SYSTEMROOT, where
        they are set, and nothing else. The values are those of now.
    secrets : iterable of str
        Names in `env` whose values nobody should see: ``***`` stands for them in whatever this tells, in the ways that
        JSON, URLs and ``repr`` spell them too. A program that encodes them otherwise is not seen through.
    fatal_exit_codes : iterable of int
        Exit codes after which the release is not tried again.
    check : iterable of str, optional
        A command that finds out whether a release is out, with ``{repo_id}`` and ``{version_label}``: exit code 0, it
        is, and the last line of its output is the id (``run-<repo_id>`` where there is none); 1, it is not; any other,
        nobody knows. It runs as `argv` does.
    logs : str or Path, optional
        A directory for what the commands write, a file for each attempt (``core@1.0-1.log``), which only we may read.
        None is ever overwritten: the next run's is ``core@1.0-1.2.log``. **Secrets are not masked in them.** Without
        `logs` the output is kept in the system's temporary directory until the command has ended.

    Attributes
    ----------
    check : coroutine function or None
        Asks the command `check` about ``(repo_id, version_label)``.

    Raises
    ------
    ValueError
        Where a placeholder is not known, a variable is not set, a secret is empty, or there is no such program.
    TypeError
        Where `argv` is a string: it would need a shell. ``shlex.split`` makes a list of it.

    Notes
    -----
    A value that would begin an argument with ``-`` is refused, since a program would take it for an option, and so is
    one that would lead out of a directory (``..``, or an absolute path) in `cwd` or the name of the program.

    Examples
    --------
    >>> import sys
    >>> from seqkit import RepoDependencyGraph, build_plan, run_plan
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs")]), version="1.0")
    >>> code = "import sys; sys.exit('no tests' if sys.argv[1] == 'api' else 0)"
    >>> releaser = CommandReleaser([sys.executable, "-c", code, "{repo_id}", "--version={version_label}"])
    >>> run_plan(plan, releaser).failures
    {'api': 'exit code 1: no tests'}
    >>> releaser.command("docs", "1.0")[3:]
    ['docs', '--version=1.0']
    """

    def __init__(
        self,
        argv: Iterable[_Argument],
        cwd: _Argument | None = None,
        env: Iterable[str] | Mapping[str, str] = (),
        secrets: Iterable[str] = (),
        fatal_exit_codes: Iterable[int] = (),
        check: Iterable[_Argument] | None = None,
        logs: _Argument | None = None,
    ) -> None:
        given = variables(env)
        self._env = harmless() | given
        self._given = list(given)
        self._secrets = names_of("secrets", secrets)
        self._mask = Mask(secret_values(self._secrets, given))
        self._argv = self._templates("argv", argv, PLACEHOLDERS)
        self._cwd = None if cwd is None else self._template("cwd", _text_of("cwd", cwd), PLACEHOLDERS, is_path=True)
        self._fatal = _codes(fatal_exit_codes)
        self._check = None if check is None else self._templates("check", check, _TOLD_TO_CHECK)
        if self._check is not None and self._cwd is not None and not set(self._cwd.names) <= set(_TOLD_TO_CHECK):
            raise ValueError(
                f"cwd is {self._shown(self._cwd.text)} and there is a check, which runs there too and knows "
                "{repo_id} and {version_label} alone; expected no other placeholder"
            )
        self._logs = None if logs is None else Path(_text_of("logs", logs))
        if self._logs is not None and self._logs.exists() and not self._logs.is_dir():
            raise ValueError(f"logs is {self._shown(str(self._logs))}, which is no directory")

    def __repr__(self) -> str:
        told = [repr([self._mask.text(each.text) for each in self._argv])]
        if self._cwd is not None:
            told.append(f"cwd={self._mask.text(self._cwd.text)!r}")
        told += [f"{name}={kept!r}" for name, kept in (("env", self._given), ("secrets", self._secrets)) if kept]
        if self._fatal:
            told.append(f"fatal_exit_codes={sorted(self._fatal)}")
        if self._check is not None:
            told.append(f"check={[self._mask.text(each.text) for each in self._check]}")
        if self._logs is not None:
            told.append(f"logs={self._mask.text(str(self._logs))!r}")
        return printable(f"CommandReleaser({', '.join(told)})")

    def __reduce__(self) -> NoReturn:
        raise TypeError("a CommandReleaser cannot be pickled or copied: it holds secrets; make one where it is used")

    # ------------------------------------------------------------------ what would run

    def command(self, repo_id: str, version_label: str, spec_digest: str = "", promoted_by: str = "") -> list[str]:
        """Give the command of a release, without secrets.

        Raises
        ------
        ValueError
            Where a value is refused.
        """
        values = dict(zip(PLACEHOLDERS, (repo_id, version_label, spec_digest, promoted_by), strict=True))
        return [self._mask.text(each.fill(values)) for each in self._argv]

    def directory(self, repo_id: str, version_label: str, spec_digest: str = "", promoted_by: str = "") -> str | None:
        """Give the directory in which the command of a release would run, without secrets; None for ours.

        Raises
        ------
        ValueError
            Where a value is refused.
        """
        values = dict(zip(PLACEHOLDERS, (repo_id, version_label, spec_digest, promoted_by), strict=True))
        return None if self._cwd is None else self._mask.text(self._cwd.fill(values))

    def check_plan(self, plan: SequencePlan) -> None:
        """Hold the commands against a plan, before the run.

        Raises
        ------
        ValueError
            Where a value of one of its releases is refused.
        RuntimeError
            Where no commands can be started at all.
        """
        _require_processes()
        released = set(plan.released)
        for item in plan.items:
            if item.repo_id in released:
                about = (item.repo_id, item.version_label, item.spec_digest, item.promoted_by)
                values = dict(zip(PLACEHOLDERS, about, strict=True))
                for each in (*self._argv, *([self._cwd] if self._cwd else []), *(self._check or [])):
                    each.fill(values)

    # ------------------------------------------------------------------ releasing

    async def release(
        self, repo_id: str, version_label: str, spec_digest: str, promoted_by: str, attempt: int = 1
    ) -> str:
        """Run the command of one release to its end.

        Raises
        ------
        CommandFailed
            Where it fails, or does not start. It has the attributes `exit_code`, `output`, `log` and `retryable`.
        asyncio.CancelledError
            Where it was asked to stop and did, with a text that says how.
        ValueError
            Where a value is refused.
        """
        values = dict(zip(PLACEHOLDERS, (repo_id, version_label, spec_digest, promoted_by), strict=True))
        argv, cwd = self._filled(self._argv, values)
        with self._opened(repo_id, version_label, attempt) as output:
            ending = await self._attend(argv, cwd, (output, output), under_way())
            if ending.code == 0:
                return f"run-{repo_id}"
            tail = output.tail(self._mask)
            if ending.asked:
                raise asyncio.CancelledError(f"{ending}; {f'last output: {tail}' if tail else 'no output'}")
            raise self._failed(ending, tail, output)

    @property
    def check(self) -> Callable[[str, str], Awaitable[str | None]] | None:  # noqa: D102  # documented in the class
        return None if self._check is None else self._ask

    async def _ask(self, repo_id: str, version_label: str) -> str | None:
        values = {"repo_id": repo_id, "version_label": version_label}
        argv, cwd = self._filled(self._check or [], values)
        with Output() as said, Output() as errors:
            ending = await self._attend(argv, cwd, (said, errors), None)
            if ending.asked:  # what it said then is no answer
                raise asyncio.CancelledError(f"check: {ending}")
            if ending.code == 0:
                try:
                    return said.last_line(self._mask) or f"run-{repo_id}"
                except ValueError as error:
                    raise CommandFailed(f"check: {error}, expected an id", 0) from None
            if ending.code == 1:
                return None
            raise self._failed(ending, errors.tail(self._mask) or said.tail(self._mask), said, "check: ")

    def _filled(self, argv: list[Template], values: Mapping[str, str]) -> tuple[list[str], str | None]:
        """Give what is to run, and where; refuse what could not be started."""
        filled = [each.fill(values) for each in argv]
        cwd = None if self._cwd is None else self._cwd.fill(values)
        if cwd is not None and not os.path.isdir(cwd):
            raise CommandFailed(f"there is no directory {self._shown(cwd)} to run in: make it, or change cwd")
        if self._found(filled[0], cwd) is None:
            where = "" if cwd is None else f" in {self._shown(cwd)}"
            raise CommandFailed(f"there is no program {self._shown(filled[0])}{where} that may be run")
        return filled, cwd

    def _found(self, program: str, cwd: str | None = None) -> str | None:
        """Look for a program as the system will."""
        if os.path.dirname(program):
            return shutil.which(os.path.join(cwd or "", program))
        return shutil.which(program, path=self._env.get("PATH", os.defpath))

    async def _attend(
        self, argv: list[str], cwd: str | None, outputs: tuple[Output, Output], mine: UnderWay | None
    ) -> Ending:
        _require_processes()
        current = under_way()
        grace = UnderWay.grace if current is None else current.grace
        more = {} if mine is None else {"started": mine.report}
        try:
            return await attend(argv, cwd, self._env, (outputs[0].descriptor, outputs[1].descriptor), grace, **more)
        except NotStarted as error:
            outputs[0].drop()
            raise CommandFailed(f"{self._shown(argv[0])} cannot be started: {self._mask.text(str(error))}") from None

    def _failed(self, ending: Ending, tail: str, output: Output, what: str = "") -> CommandFailed:
        return CommandFailed(
            f"{what}{ending}{f': {tail}' if tail else ' (no output)'}",
            ending.exit_code,
            tail,
            None if output.path is None else str(output.path),
            ending.exit_code not in self._fatal,
        )

    @contextlib.contextmanager
    def _opened(self, repo_id: str, version_label: str, attempt: int) -> Iterator[Output]:
        """Open a file for what an attempt writes, a new one each time."""
        try:
            output = self._new_output(repo_id, version_label, attempt)
        except OSError as error:
            raise CommandFailed(f"its output cannot be kept: {self._mask.text(str(error))}") from None
        with output:
            yield output

    def _new_output(self, repo_id: str, version_label: str, attempt: int) -> Output:
        if self._logs is None:
            return Output()
        self._logs.mkdir(parents=True, exist_ok=True)
        number = 1
        while True:
            try:
                return Output(self._logs / log_name(repo_id, version_label, attempt, number))
            except FileExistsError:
                number += 1

    # ------------------------------------------------------------------ arguments

    def _shown(self, text: str) -> str:
        return printable(repr(cut(self._mask.text(text))))

    def _template(self, where: str, text: str, known: tuple[str, ...], is_path: bool = False) -> Template:
        return Template(where, text, known, is_path, self._shown)

    def _templates(self, argument: str, argv: Iterable[_Argument], known: tuple[str, ...]) -> list[Template]:
        if isinstance(argv, str | bytes):
            text = self._shown(argv) if isinstance(argv, str) else "bytes"
            raise TypeError(
                f"{argument} is {text}, expected a list of the program and its arguments: no shell would read a line. "
                "shlex.split(line) makes one of a line without pipes and variables"
            )
        if not isinstance(argv, Iterable):
            raise TypeError(f"{argument} is {as_given(argv)}, expected a list of the program and its arguments")
        texts = [_text_of(f"{argument}[{index}]", each) for index, each in enumerate(argv)]
        if not texts or not texts[0]:
            raise ValueError(f"{argument} is empty, expected a list of the program and its arguments")
        made = [
            self._template(f"{argument}[{index}]", text, known, is_path=index == 0) for index, text in enumerate(texts)
        ]
        program = made[0]
        if not program.names and can_start():
            name = program.fill({})
            if not os.path.dirname(name) and self._found(name) is None:
                raise ValueError(
                    f"{argument}[0] is {self._shown(name)}, and the command's PATH has no such program: install it, "
                    "or give its path"
                )
        return made


def _require_processes() -> None:
    if not can_start():
        raise RuntimeError(
            f"no command can be started here: Python on {sys.platform} has no processes. Run this on a machine of "
            "your own; a SimulatedReleaser rehearses it here"
        )


def _text_of(where: str, value: object) -> str:
    text = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(text, str):
        raise TypeError(f"{where} is {as_given(value)}, expected text")
    return text


def _codes(codes: Iterable[int]) -> frozenset[int]:
    if not isinstance(codes, Iterable) or isinstance(codes, str):
        raise TypeError(f"fatal_exit_codes is {as_given(codes)}, expected a list of exit codes")
    return frozenset(whole("fatal_exit_codes", code, 1) for code in codes)
