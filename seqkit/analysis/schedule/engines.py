"""Who runs the trials of a schedule: plain Python and numpy, or what numba has compiled; the integers are the same.

===============  ============================  ============================
engine           with lanes                    where a job waits for nobody
===============  ============================  ============================
``"numpy"``      `plain`, which follows        `closed`
                 `loop` trial by trial
``"numba"``      `compiled.loop`               `compiled.closed`
===============  ============================  ============================
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator
from concurrent.futures import Executor
from typing import Any

from seqkit.analysis.montecarlo.driver import Engine, chosen_engine, in_parts
from seqkit.analysis.schedule import closed, plain
from seqkit.analysis.schedule.ends import Ends, joined
from seqkit.analysis.schedule.problem import ScheduleProblem

__all__ = ["each_part", "engine_for", "run"]

_TURN = 1 << 32  # trials that share the keys of a level: see `draws.uniform`
_MOST_QUEUED = 100_000  # jobs; of more, the end of an attempt and its job do not go into one number
_WORTH_COMPILING = 5e6  # trials times jobs in lanes; compiling takes some seconds, once
_WORTH_COMPILING_CLOSED = 5e7
_PER_SECOND = {("numpy", False): 5e5, ("numpy", True): 8e6, ("numba", False): 3e7, ("numba", True): 3e8}
"""Trials times jobs, by engine and whether the form is closed; only to size chunks."""
_KEPT_A_SECOND = 5e6  # trials times jobs, where each is told of: a chunk has some 12 MB then
_MULTIPLES = {"numpy": 64, "numba": 4096}  # trials whose failures are drawn at once


def engine_for(engine: Engine, problem: ScheduleProblem, trials: float) -> str:
    """Read an `engine` argument: "numpy" or "numba"; ``auto`` as :func:`seqkit.simulate` takes it."""
    module = "closed" if problem.closed else "loop"
    worth = _WORTH_COMPILING_CLOSED if problem.closed else _WORTH_COMPILING
    return chosen_engine(engine, trials * problem.n, f"seqkit.analysis.schedule.compiled.{module}", worth)


def run(
    engine: str, problem: ScheduleProblem, first: int, trials: int, criticality: bool = False, details: bool = False
) -> Ends:
    """Run the trials from `first` on, at least one, in this thread.

    Parameters
    ----------
    engine : str
        "numpy" or "numba".
    problem : ScheduleProblem
        What is scheduled.
    first, trials : int
        Which trials.
    criticality : bool
        Whether to count who is critical.
    details : bool
        Whether to keep what became of each job in each trial, 25 bytes each.

    Raises
    ------
    ValueError
        Where a trial lasts over 2,000 years.
    """
    kernel = _kernel(engine, problem)
    parts, at = [], first
    while at < first + trials:
        end = min(first + trials, (at // _TURN + 1) * _TURN)
        parts.append(kernel(problem, at, end - at, criticality, details))
        at = end
    return joined(parts)


def each_part(
    engine: str,
    problem: ScheduleProblem,
    begin: int,
    end: int,
    executor: Executor | int | None = None,
    criticality: bool = False,
    details: bool = False,
) -> Generator[Ends]:
    """Yield how the trials `begin` to `end` ended, chunk by chunk, in their order.

    With a progress bar, in threads or an executor as :func:`seqkit.analysis.montecarlo.driver.in_parts` says; close
    it. Chunks with details are small, so that they do not pile up.
    """
    _kernel(engine, problem)  # imported before threads would do it at the same time
    call = functools.partial(_run, engine, problem, criticality, details)
    a_second, multiple = _PER_SECOND[engine, problem.closed] / max(1, problem.n), _MULTIPLES[engine]
    if details:
        a_second, multiple = min(a_second, _KEPT_A_SECOND / max(1, problem.n)), 64
    return in_parts(call, begin, end, a_second, multiple, executor)


def _run(engine: str, problem: ScheduleProblem, criticality: bool, details: bool, first: int, trials: int) -> Ends:
    return run(engine, problem, first, trials, criticality, details)


def _kernel(engine: str, problem: ScheduleProblem) -> Callable[..., Ends]:
    if engine == "numpy" or (problem.n > _MOST_QUEUED and not problem.closed):
        return closed.run if problem.closed else plain.run
    chosen: Any
    if problem.closed:
        from seqkit.analysis.schedule.compiled import closed as chosen  # noqa: PLC0415  # importing numba takes a second
    else:
        from seqkit.analysis.schedule.compiled import loop as chosen  # noqa: PLC0415
    kernel: Callable[..., Ends] = chosen.run
    return kernel
