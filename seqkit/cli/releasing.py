"""The options of commands that release: who releases, how many at once, what a failure means. Declared once."""

from __future__ import annotations

import functools
import inspect
import math
import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from seqkit.cli.options import BUDGET_HELP, LEAD_HELP, POLICY_HELP, freezes, one_of, terms, whole
from seqkit.core.retry import Retry
from seqkit.core.times import seconds_of
from seqkit.running.commands import CommandReleaser
from seqkit.running.lanes import PRIORITIES

__all__ = ["Commands", "Releasing", "releasing"]

_Words = list[str] | None
_AS_TYPED = {
    "argv": "--command",
    "check": "--check-command",
    "cwd": "--cwd",
    "env": "--env",
    "secrets": "--secret",
    "fatal_exit_codes": "--fatal-exit-code",
    "logs": "--logs",
}
_ARGUMENT = re.compile(rf"^({'|'.join(_AS_TYPED)})\b(?:\[\d+\])?")  # what an error of a releaser begins with


class Commands(CommandReleaser):
    """The commands that were typed, and the run in which they release: other runs may begin in its ledger meanwhile."""

    run_id: str | None = None
    """None before the run has begun."""

    async def start_run(self, run_id: str) -> None:
        """Hear which run begins."""
        self.run_id = run_id


@dataclass(frozen=True)
class Releasing:
    """What was typed of how to release, checked."""

    argv: list[str]
    named: dict[str, Any]
    """The other arguments of a :class:`seqkit.CommandReleaser`."""
    options: dict[str, Any]
    """Arguments of :func:`seqkit.run_plan`."""
    dry_run: bool

    def releaser(self) -> Commands:
        """Make the releaser."""
        try:
            return Commands(self.argv, **self.named)
        except ValueError as error:
            raise ValueError(_ARGUMENT.sub(lambda found: _AS_TYPED[found[1]], str(error))) from error


def _options(
    command: Annotated[
        str,
        typer.Option(
            metavar="COMMAND",
            help="What releases one repo, as 'git push origin v{version_label}': {repo_id}, {version_label}, "
            "{spec_digest} and {promoted_by} are replaced. No shell reads it. Exit code 0 means that it is out.",
        ),
    ] = "",
    check_command: Annotated[
        str,
        typer.Option(
            metavar="COMMAND",
            help="What finds out whether a repo is out that failed: exit code 0, it is, and the last line is its id; "
            "1, it is not; any other, nobody knows.",
        ),
    ] = "",
    check_wait: Annotated[
        float, typer.Option(metavar="S", help="Seconds after which it is believed that a repo is not out.")
    ] = 10.0,
    cwd: Annotated[
        str | None, typer.Option(metavar="DIR", help="Where the commands run, as checkouts/{repo_id}.")
    ] = None,
    env: Annotated[
        _Words, typer.Option(metavar="NAME", help="A variable that the commands get. Can be repeated.")
    ] = None,
    secret: Annotated[
        _Words,
        typer.Option(metavar="NAME", help="A variable that the commands get and nobody sees. Can be repeated."),
    ] = None,
    fatal_exit_code: Annotated[
        list[int] | None,
        typer.Option(metavar="N", help="After this exit code a repo is not tried again. Can be repeated."),
    ] = None,
    logs: Annotated[
        str | None, typer.Option(metavar="DIR", help="Keep what the commands write, secrets and all.")
    ] = None,
    parallel: Annotated[int, typer.Option(metavar="N", help="So many releases at once; 0 for no limit.")] = 1,
    priority: Annotated[
        str | None, typer.Option(metavar="NAME", help=f"Who goes first: {', '.join(PRIORITIES)}.")
    ] = None,
    min_interval: Annotated[float, typer.Option(metavar="S", help="Seconds between two starts.")] = 0.0,
    freeze: Annotated[
        _Words,
        typer.Option(metavar="START/END", help="Between these dates nothing starts. Can be repeated."),
    ] = None,
    lead: Annotated[float, typer.Option(metavar="S", help=LEAD_HELP)] = 0.0,
    timeout: Annotated[float | None, typer.Option(metavar="S", help="Seconds for one attempt.")] = None,
    grace: Annotated[
        float, typer.Option(metavar="S", help="Seconds that what runs has to stop, at a time-out or Ctrl-C.")
    ] = 10.0,
    attempts: Annotated[int, typer.Option(metavar="N", help="How often a repo is tried.")] = 1,
    retry_delay: Annotated[float, typer.Option(metavar="S", help="Seconds before it is tried again.")] = 0.0,
    backoff: Annotated[float, typer.Option(metavar="X", help="By what that is multiplied each time.")] = 1.0,
    policy: Annotated[str, typer.Option(metavar="NAME", help=POLICY_HELP)] = "skip_dependents",
    failure_budget: Annotated[int | None, typer.Option(metavar="N", help=BUDGET_HELP)] = None,
    train: Annotated[
        str | None, typer.Option(metavar="NAME", help="What the release is called, in the ledger.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would run, and run nothing.")] = False,
) -> Releasing:
    """Check what was typed."""
    if not command:
        raise ValueError("--command is missing: what releases one repo, as --command 'make -C {repo_id} publish'")
    how = terms(policy, failure_budget, attempts)
    if priority is not None:
        one_of("--priority", priority, PRIORITIES)
    seconds = {"--check-wait": check_wait, "--min-interval": min_interval, "--grace": grace}
    for option, value in (seconds | {"--retry-delay": retry_delay}).items():
        seconds_of(value, option)
    if timeout is not None and not seconds_of(timeout, "--timeout"):
        raise ValueError("--timeout is 0, which no release keeps: expected seconds above 0")
    if not 1.0 <= backoff < math.inf:
        raise ValueError(f"--backoff is {backoff:g}, expected a number from 1")
    options: dict[str, Any] = {
        "policy": how.policy,
        "failure_budget": failure_budget,
        "attempts": Retry(attempts, delay=retry_delay, backoff=backoff),
        "max_parallel": whole("--parallel", parallel, 0) or None,
        "priority": priority,
        "min_interval": min_interval,
        "calendar": freezes(freeze or (), lead, dated=True),
        "timeout": timeout,
        "grace": grace,
        "check_wait": check_wait,
        "tags": {} if train is None else {"train": train},
    }
    named: dict[str, Any] = {
        "cwd": cwd,
        "env": list(dict.fromkeys([*(env or ()), *(secret or ())])),
        "secrets": secret or (),
        "fatal_exit_codes": fatal_exit_code or (),
        "check": _words("--check-command", check_command) or None,
        "logs": logs,
    }
    return Releasing(_words("--command", command), named, options, dry_run)


def _words(option: str, text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise ValueError(f"{option} cannot be read: {error!s}".lower().replace(option.lower(), option)) from None


def releasing(needed: bool = True) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command these options too, read into its argument `how`: None where not `needed` and none is typed."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        own = inspect.signature(function, eval_str=True)
        more = inspect.signature(_options, eval_str=True)
        defaults = {name: parameter.default for name, parameter in more.parameters.items()}

        @functools.wraps(function)
        def command(**typed: Any) -> Any:
            given = {name: typed.pop(name) for name in defaults}
            how = _options(**given) if needed or given["command"] else None
            if how is None and (extra := _typed(given, defaults)):
                raise ValueError(f"{', '.join(extra)} needs --command: without it nothing is released")
            return function(how=how, **typed)

        parameters = [each for name, each in own.parameters.items() if name != "how"] + list(more.parameters.values())
        signature = inspect.Signature([each.replace(kind=each.KEYWORD_ONLY) for each in parameters])
        command.__signature__ = signature  # type: ignore[attr-defined]  # what typer reads
        command.__annotations__ = {each.name: each.annotation for each in signature.parameters.values()}
        return command

    return decorate


def _typed(given: dict[str, Any], defaults: dict[str, Any]) -> Sequence[str]:
    return [f"--{name.replace('_', '-')}" for name, value in given.items() if value != defaults[name]]
