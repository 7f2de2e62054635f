"""Repos of which nobody knows whether they are out: what is to be done with them, and how somebody is asked.

>>> registry = {("api", "1.0"): "run-7"}
>>> asked(lambda repo, version: registry.get((repo, version)), [("api", "1.0"), ("docs", "2.1")], wait=0.0)
[Answer(released_as='run-7', problem=None), Answer(released_as=None, problem=None)]
"""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, cast, get_args

from seqkit._show.html import shortened
from seqkit._util.secrets import as_given
from seqkit._util.words import listed, quoted
from seqkit.core.times import seconds_of
from seqkit.history.past import NotTold
from seqkit.ledger.links import Standing
from seqkit.ledger.story import Told
from seqkit.running.asking import Check, Patience, checked_check
from seqkit.running.beside import run_anywhere
from seqkit.running.calling import id_in, reason_of, shown
from seqkit.running.processes import still_alive

__all__ = ["Answer", "Doubts", "InDoubt", "asked"]

InDoubt = Literal["error", "retry", "done", "check"]
"""What to do with repos of which nobody knows whether they are out."""

_SHOWN = 5  # repos of a message
_LONGEST = 200


@dataclass(frozen=True)
class Answer:
    """What a check said of a repo."""

    released_as: str | None = None
    """What it is out as; None where it is not."""
    problem: str | None = None
    """What it said instead, so that nothing is known."""


class Doubts:
    """How those in doubt are decided, read from the arguments of a resumption.

    Raises
    ------
    ValueError, TypeError
        Where an argument is wrong, or `check` is missing or would not be asked.
    """

    def __init__(self, in_doubt: Any, check: Any, check_wait: Any) -> None:
        if in_doubt not in get_args(InDoubt):
            raise ValueError(f"in_doubt is {as_given(in_doubt, 200)}, expected one of {get_args(InDoubt)}")
        if in_doubt == "check" and check is None:
            raise ValueError('in_doubt is "check" and check is None, expected a function check(repo_id, version_label)')
        if in_doubt != "check" and check is not None:
            raise ValueError(f'check is given and in_doubt is "{in_doubt}", expected in_doubt="check", or no check')
        self._how: InDoubt = in_doubt
        self._check = checked_check(check)
        self._wait = seconds_of(check_wait, "check_wait")

    def taken(self, run_id: str, doubtful: Standing, versions: Mapping[str, str], has_holes: bool) -> list[str]:
        """Say which of them are taken as released; the others are planned again.

        `versions` are those planned, for repos of which no event tells one.

        Raises
        ------
        NotTold
            Where that is not known.
        """
        if not doubtful or self._how == "retry":
            return []
        if self._how == "done":
            return list(doubtful)
        if self._check is None:
            raise _undecided(run_id, doubtful, has_holes)
        about = [(repo, own.version or versions[repo]) for repo, (_, own) in doubtful.items()]
        said = asked(self._check, about, self._wait)
        answers = {repo: _for_good(answer, doubtful[repo][1]) for repo, answer in zip(doubtful, said, strict=True)}
        if unknown := {repo: answer.problem for repo, answer in answers.items() if answer.problem is not None}:
            raise _unanswered(run_id, {repo: doubtful[repo] for repo in unknown}, unknown)
        return [repo for repo, answer in answers.items() if answer.released_as is not None]


def asked(
    check: Check, about: Sequence[tuple[str, str]], wait: float, now: Callable[[], float] = time.monotonic
) -> list[Answer]:
    """Ask of each repo and version whether it is out; where the check is async, of all at once.

    Whoever is not out is asked about again until `wait` seconds are over by `now`, as in a run: see
    :class:`~seqkit.running.asking.Patience`. The waits are those of all together.
    """
    patience = Patience(wait, now())
    begun = _begun(check, about)
    if any(not isinstance(one, Answer) for one in begun):
        return run_anywhere(lambda: _awaited(check, about, begun, patience, now))
    answers = [one for one in begun if isinstance(one, Answer)]
    while (silent := _silent(answers)) and (pause := patience.pause(now())) is not None:
        time.sleep(pause)
        for place, again in zip(silent, _begun(check, [about[place] for place in silent]), strict=True):
            answers[place] = again if isinstance(again, Answer) else run_anywhere(partial(_end, again))
    return answers


async def _awaited(
    check: Check,
    about: Sequence[tuple[str, str]],
    begun: Sequence[Answer | Awaitable[object]],
    patience: Patience,
    now: Callable[[], float],
) -> list[Answer]:
    """Do the same in one loop, as what a check keeps open belongs to the loop that it was opened in."""
    answers = list(await asyncio.gather(*map(_end, begun)))
    while (silent := _silent(answers)) and (pause := patience.pause(now())) is not None:
        await asyncio.sleep(pause)
        again = _begun(check, [about[place] for place in silent])
        for place, answer in zip(silent, await asyncio.gather(*map(_end, again)), strict=True):
            answers[place] = answer
    return answers


def _silent(answers: Sequence[Answer]) -> list[int]:
    return [place for place, answer in enumerate(answers) if answer == Answer()]


def _begun(check: Check, about: Sequence[tuple[str, str]]) -> list[Answer | Awaitable[object]]:
    begun: list[Answer | Awaitable[object]] = []
    for repo, version in about:
        try:
            said = check(repo, version)
        except Exception as error:
            begun.append(_raised(error))
        else:
            begun.append(cast("Awaitable[object]", said) if inspect.isawaitable(said) else _read(said))
    return begun


async def _end(begun: Answer | Awaitable[object]) -> Answer:
    if isinstance(begun, Answer):
        return begun
    try:
        return _read(await begun)
    except Exception as error:
        return _raised(error)


def _read(said: object) -> Answer:
    if said is None:
        return Answer()
    released_as = id_in(said)
    return Answer(released_as) if released_as else Answer(problem=f"answered {shown(said)}, expected an id or None")


def _raised(error: Exception) -> Answer:
    return Answer(problem=f"raised: {shortened(reason_of(error), _LONGEST)}")


# ---------------------------------------------------------------------- refusals

_ADVICE = (
    '{}; look whether they are out, then pass in_doubt="retry" to release them again, in_doubt="done" to take all of '
    'them as released, in_doubt="check" with check= to ask a function, or taken_as_released=[…] with those that are out'
)


def _undecided(run_id: str, doubtful: Standing, has_holes: bool) -> NotTold:
    told = [own for _, own in doubtful.values()]
    ways = ["entered and never ended"] if any(not own.unsure for own in told) else []
    ways += ["silent in a record with holes"] if has_holes else []
    ways += ["failed and perhaps out all the same"] if any(own.unsure for own in told) else []
    said = f"run {run_id!r} left repos in doubt, {', or '.join(ways)} ({len(doubtful)}): {quoted(doubtful)}"
    return NotTold("in_doubt", said + _may_run(doubtful), _ADVICE)


def _unanswered(run_id: str, doubtful: Standing, problems: Mapping[str, str]) -> NotTold:
    said = listed([f"{repo!r:.80} ({problem})" for repo, problem in problems.items()], _SHOWN)
    told = f"run {run_id!r} left repos in doubt, and check does not tell whether they are out ({len(problems)}): {said}"
    return NotTold("in_doubt", told + _may_run(doubtful), _ADVICE)


def _may_run(doubtful: Standing) -> str:
    """Name the processes that may still be releasing some of the repos."""
    named = [
        f"{repo!r:.80} ({_process(own.process)})"
        for repo, (_, own) in doubtful.items()
        if own.process is not None and _may_live(own)
    ]
    return f"; may still be running: {listed(named, _SHOWN)}" if named else ""


def _for_good(answer: Answer, told: Told) -> Answer:
    """Take an answer as it is; but what is not out, and is still being released here, may be out any moment."""
    if answer == Answer() and _may_live(told) and still_alive(told.process or {}):
        return Answer(problem="it is not out, and its process is still running")
    return answer


def _may_live(told: Told) -> bool:
    """Tell whether a repo's process may still live: its end was never recorded, and nothing here says that it ended."""
    return (told.status == "in_progress" or told.still_running) and still_alive(told.process or {}) != []


def _process(process: Mapping[str, Any]) -> str:
    pid, host, started = (shortened(str(process.get(name, "?")), 80) for name in ("pid", "host", "start_time"))
    return f"process {pid} on {host}, start time {started}"
