"""Who follows the trials of a schedule: plain Python, or what is compiled; the numbers are the same."""

from __future__ import annotations

import importlib.util
from collections.abc import Generator
from concurrent.futures import Executor
from typing import Literal, get_args

from seqkit._util.secrets import as_given
from seqkit.analysis.montecarlo.driver import each_part
from seqkit.analysis.schedule import closed, plain
from seqkit.analysis.schedule.ends import Ends
from seqkit.analysis.schedule.problem import ScheduleProblem

__all__ = ["ScheduleEngine", "chosen", "each_end"]

ScheduleEngine = Literal["auto", "python", "numpy", "numba"]
"""Who follows the trials: numpy only where nothing but dependencies keeps a repo from starting."""

_PER_SECOND = {"python": 1e6, "numpy": 2e7, "numba": 3e7}  # trials times repos, of one thread; only to size parts
_WORTH_COMPILING = 2e7  # trials times repos; compiling takes some seconds, once
_A_TRIAL = 10  # what is done once a trial takes as long as so many repos


def chosen(engine: str, problem: ScheduleProblem, trials: int) -> str:
    """Read an `engine` argument.

    Raises
    ------
    ValueError
        Where there is none of that name, or it cannot follow this problem.
    ImportError
        Where numba is asked for by name but not installed.
    """
    if engine not in get_args(ScheduleEngine):
        raise ValueError(f"engine is {as_given(engine, 200)}, expected one of {get_args(ScheduleEngine)}")
    there = importlib.util.find_spec("numba") is not None
    if engine == "numba" and not there:
        raise ImportError(
            'engine="numba" needs numba, which is not installed: pip install "seqkit-py[fast]", '
            'or use engine="auto" or "python", which give the same numbers'
        )
    if engine == "numpy" and not problem.closed:
        raise ValueError(
            'engine is "numpy", which only follows a schedule where no lane, interval or stop keeps a repo waiting; '
            'expected "auto", "python" or "numba"'
        )
    if engine != "auto":
        return engine
    if there and trials * max(1, problem.n) >= _WORTH_COMPILING:
        return "numba"
    return "numpy" if problem.closed else "python"


def follow_trials(
    engine: str, problem: ScheduleProblem, first: int, trials: int, criticality: bool, details: bool
) -> Ends:
    """Follow some trials; a function of the module, so that it can be sent to another process."""
    if engine == "python":
        return plain.run(problem, first, trials, criticality, details)
    if engine == "numpy":
        return closed.run(problem, first, trials, criticality, details)
    # importing numba takes a second
    if problem.closed:
        from seqkit.analysis.schedule.compiled import closed as compiled_closed  # noqa: PLC0415

        return compiled_closed.run(problem, first, trials, criticality, details)
    from seqkit.analysis.schedule.compiled import loop  # noqa: PLC0415

    return loop.run(problem, first, trials, criticality, details)


def _loaded(engine: str) -> None:
    if engine == "numba":
        from seqkit.analysis.schedule.compiled import closed, loop  # noqa: F401, PLC0415


def each_end(
    engine: str,
    problem: ScheduleProblem,
    begin: int,
    end: int,
    executor: Executor | int | None = None,
    criticality: bool = False,
    details: bool = False,
    what: str = "scheduling",
) -> Generator[Ends]:
    """Yield how the trials `begin` to `end` ended, part by part; close it where you leave it early.

    A progress bar says `what` goes on, where that is not empty.
    """
    _loaded(engine)  # before threads would do it at once
    per_second = _PER_SECOND[engine] / (problem.n + _A_TRIAL)
    if details:  # memory stays flat
        per_second = min(per_second, 2e7 / (problem.n + 1))

    def call(first: int, trials: int):  # type: ignore[no-untyped-def]  # as each_part has it
        return follow_trials, (engine, problem, first, trials, criticality, details)

    yield from each_part(call, begin, end, per_second, executor, what)
