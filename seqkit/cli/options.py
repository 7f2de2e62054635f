"""Options, checked: an error names the option as it is typed."""

from __future__ import annotations

import contextlib
import csv
import io
import math
from collections.abc import Sequence
from datetime import datetime

from seqkit.cli.source import Source
from seqkit.core.calendar import Freeze
from seqkit.core.failures import CommonCause, FailureModel
from seqkit.core.terms import POLICIES, Terms
from seqkit.core.times import moment_of, seconds_of

__all__ = [
    "BUDGET_HELP",
    "LEAD_HELP",
    "POLICY_HELP",
    "failure_model",
    "freezes",
    "moment",
    "one_of",
    "probability",
    "terms",
    "whole",
]


def _or(choices: Sequence[str]) -> str:
    return f"{', '.join(choices[:-1])} or {choices[-1]}"


POLICY_HELP = f"What a failure means: {_or(tuple(POLICIES))}."
BUDGET_HELP = "Stop the release at the N-th failure."
LEAD_HELP = "Nothing starts so many seconds before a freeze either."


def probability(option: str, value: float | str) -> float:
    """Read a probability.

    Examples
    --------
    >>> probability("--rate", "0.2")
    0.2
    >>> probability("--rate", "often")
    Traceback (most recent call last):
    ValueError: --rate is often, expected a probability from 0 to 1
    """
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not 0.0 <= number <= 1.0:
        raise ValueError(f"{option} is {value}, expected a probability from 0 to 1")
    return number


def whole(option: str, value: int, least: int) -> int:
    """Give `value` back if it is `least` or more."""
    if value < least:
        raise ValueError(f"{option} is {value}, expected a whole number from {least}")
    return value


def moment(option: str, text: str) -> datetime:
    """Read a date.

    Examples
    --------
    >>> moment("--start", "2026-12-24T18:00+01:00")
    datetime.datetime(2026, 12, 24, 17, 0, tzinfo=datetime.timezone.utc)
    >>> moment("--start", "noon")
    Traceback (most recent call last):
    ValueError: --start is 'noon', expected a date with its zone, such as 2026-12-24T18:00Z
    """
    try:
        return moment_of(datetime.fromisoformat(text), option)
    except ValueError:
        raise ValueError(f"{option} is {text!r}, expected a date with its zone, such as 2026-12-24T18:00Z") from None


def freezes(texts: Sequence[str], lead: float, dated: bool = False) -> list[Freeze]:
    """Read --freeze and --lead: START/END, dates or where not `dated` also seconds from the start.

    Examples
    --------
    >>> freezes(["3600/7200"], 60.0)
    [Freeze(1:00:00 to 2:00:00, lead 0:01:00)]
    >>> freezes(["3600"], 0.0)
    Traceback (most recent call last):
    ValueError: --freeze is '3600', expected START/END, dates such as 2026-12-24T18:00Z or seconds from the start
    """
    seconds_of(lead, "--lead")
    kinds = "dates such as 2026-12-24T18:00Z" + ("" if dated else " or seconds from the start")
    found = []
    for text in texts:
        try:
            times = [_moment_or_seconds(part, dated) for part in text.split("/")]
        except ValueError:
            times = []
        if len(times) != 2:
            raise ValueError(f"--freeze is {text!r}, expected START/END, {kinds}")
        try:
            found.append(Freeze(times[0], times[1], lead=lead))
        except ValueError as error:
            raise ValueError(f"--freeze is {text!r}: {error}") from None
    return found


def _moment_or_seconds(text: str, dated: bool) -> datetime | float:
    if not dated:
        with contextlib.suppress(ValueError):
            return float(text)
    return moment("--freeze", text)


def one_of(option: str, value: str, choices: Sequence[str]) -> str:
    """Give `value` back if it is one of the choices."""
    if value not in choices:
        raise ValueError(f"{option} is {value!r}, expected {_or(choices)}")
    return value


def terms(policy: str, failure_budget: int | None, attempts: int = 1) -> Terms:
    """Read --policy, --failure-budget and --attempts."""
    one_of("--policy", policy, tuple(POLICIES))
    if failure_budget is not None:
        whole("--failure-budget", failure_budget, 1)
    whole("--attempts", attempts, 1)
    return Terms(policy, failure_budget, attempts)  # type: ignore[arg-type]  # a policy, as one_of has seen


def failure_model(source: Source, default: float, rates: Sequence[str], outages: Sequence[str]) -> FailureModel:
    """Read --failure-rate, --rate and --outage.

    Raises
    ------
    ValueError
        Where one is malformed, names a repo that the plan does not release, or comes twice.
    """
    own: dict[str, float] = {}
    for text in rates:
        repo, equals, rate = text.rpartition("=")  # a name may hold = too
        if not equals:
            raise ValueError(f"--rate is {text!r}, expected REPO=P, such as core=0.2")
        if source.released("--rate", repo) in own:
            raise ValueError(f"--rate names {repo!r} twice, expected each repo once")
        own[repo] = probability(f"--rate of {repo!r}", rate)
    causes: dict[str, CommonCause] = {}
    for count, text in enumerate(outages, 1):
        cause = _outage(source, text, f"outage {count}")
        if cause.name in causes:
            raise ValueError(f"--outage is called {cause.name!r} twice, expected different names")
        causes[cause.name] = cause
    return FailureModel(rates=own, default=probability("--failure-rate", default), common_causes=tuple(causes.values()))


def _outage(source: Source, text: str, called: str) -> CommonCause:
    head, colon, members = text.partition(":")
    name, equals, rate = head.rpartition("=")
    try:
        # As in a row of CSV, where a name that holds a comma stands in quotes.
        repos = next(csv.reader(io.StringIO(members, newline=""), strict=True), [])
    except csv.Error:
        repos = []
    if not colon or not repos:
        raise ValueError(f"--outage is {text!r}, expected P:REPO,REPO or NAME=P:REPO,REPO, such as ci=0.02:core,api")
    name = name if equals else called
    return CommonCause(
        name=name,
        probability=probability(f"--outage, the probability of {name!r},", rate),
        repos=[source.released(f"--outage {name!r}", repo) for repo in repos],
    )
