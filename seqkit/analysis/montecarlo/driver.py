"""Who runs the kernels: chunks of trials in this thread, in several, or in any executor.

Every chunk is a range of trials, tallies are integers, and trials are drawn by their number. So the
sum is the same whoever computes which part.
"""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import math
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any, Literal, get_args

from seqkit._util.arguments import whole
from seqkit._util.secrets import as_given
from seqkit.analysis.montecarlo import numpy_kernel
from seqkit.analysis.montecarlo.experiment import Experiment, Tally

__all__ = ["Engine", "chosen_engine", "each_chunk"]

Engine = Literal["auto", "numpy", "numba"]
"""Which kernel counts; the numbers are the same."""

_PER_SECOND = {"numpy": 0.8e9, "numba": 8e9}  # trials times repos, of one thread; only to size chunks
_SECONDS_OF_THREADS = 0.1  # of a chunk: what an interrupt waits for
_SECONDS_ELSEWHERE = 0.25  # of a chunk that has to be sent
_REPOS_A_TRIAL = 30  # what is done once a trial takes as long as so many repos
_WORTH_COMPILING = 4e9  # trials times repos; compiling takes some seconds, once
_ROUND = 8192  # trials; chunks are multiples, so that no kernel's block is cut
_POOLS = itertools.count()  # tells the threads of simulations at the same time apart
_AHEAD = 256  # chunks handed to a foreign executor at a time


def chosen_engine(engine: Engine, work: float) -> str:
    """Read an `engine` argument, `work` being trials times repos.

    ``auto`` takes numba where it is installed and the work is worth the seconds that compiling takes.

    Raises
    ------
    ValueError
        Where there is no such engine.
    ImportError
        Where numba is asked for by name but not installed.
    """
    if engine not in get_args(Engine):
        raise ValueError(f"engine is {as_given(engine, 200)}, expected one of {get_args(Engine)}")
    if engine == "numpy":
        return engine
    there = importlib.util.find_spec("numba") is not None
    if engine == "numba" and not there:
        raise ImportError(
            'engine="numba" needs numba, which is not installed: pip install "seqkit-py[fast]", '
            'or use engine="auto" or "numpy", which give the same numbers'
        )
    loaded = sys.modules.get("seqkit.analysis.montecarlo.numba_kernel")
    ready = getattr(loaded, "is_compiled", None)  # None too while another thread imports it
    at_once = ready is not None and ready()
    return "numba" if there and (engine == "numba" or at_once or work >= _WORTH_COMPILING) else "numpy"


def _kernel(engine: str) -> Callable[..., Tally]:
    if engine == "numpy":
        return numpy_kernel.run
    from seqkit.analysis.montecarlo import numba_kernel  # noqa: PLC0415  # importing numba takes a second

    return numba_kernel.run


def _run(engine: str, experiments: Sequence[Experiment], first_word: int, trials: int, arrays: bool) -> list[Tally]:
    """Run one chunk; a function of the module, so that it can be sent to another process."""
    kernel = _kernel(engine)
    return [kernel(experiment, first_word, trials, arrays) for experiment in experiments]


def each_chunk(
    engine: str,
    experiments: Sequence[Experiment],
    begin: int,
    end: int,
    executor: Executor | int | None = None,
    arrays: bool = False,
) -> Generator[list[Tally]]:
    """Yield the tallies of the experiments chunk by chunk, in the order of the trials `begin` to `end`.

    `begin` is a multiple of 64. Shows a progress bar on stderr where it takes over a second. When it is
    closed (the caller was interrupted, between two chunks or in one), what is under way is waited for and the
    rest given up: so close it, with :func:`contextlib.closing`.
    """
    from seqkit._util.progress import Bar  # noqa: PLC0415  # `import seqkit` stays light: tqdm

    repos = sum(len(experiment.released) + _REPOS_A_TRIAL for experiment in experiments)
    threads = _threads(executor)
    seconds = _SECONDS_OF_THREADS if threads else _SECONDS_ELSEWHERE
    size = _PER_SECOND[engine] * seconds / repos
    if threads > 1:  # a share for each, where a share is worth a thread
        size = min(size, max((end - begin) / threads, size / 10))
    size = max(1, math.ceil(size / _ROUND)) * _ROUND
    firsts = range(begin, end, size)
    with Bar(total=end - begin, desc="simulating", unit="trial", unit_scale=True, delay=1, ascii=True) as bar:
        if threads and min(threads, len(firsts)) == 1:
            for first in firsts:
                trials = min(size, end - first)
                yield _run(engine, experiments, first // 64, trials, arrays)
                bar.update(trials)
            return
        _kernel(engine)  # imported before threads would do it at the same time
        name = f"seqkit-simulate-{next(_POOLS)}"
        own = ThreadPoolExecutor(threads, name) if threads else None
        pool: Any = own or executor
        waiting: deque[Any] = deque()
        try:
            for first in firsts:
                trials = min(size, end - first)
                task = (_run, engine, experiments, first // 64, trials, arrays)
                waiting.append((trials, _submitted(own, *task) if own else pool.submit(*task)))
                if len(waiting) >= (2 * threads or _AHEAD):
                    yield waiting[0][1].result()
                    bar.update(waiting.popleft()[0])
            while waiting:
                yield waiting[0][1].result()
                bar.update(waiting.popleft()[0])
        finally:
            for _, future in waiting:
                future.cancel()
            if own is not None:
                own.shutdown(wait=True, cancel_futures=True)
                # An interrupt may come while the pool starts a thread that it does not know of yet.
                for thread in threading.enumerate():
                    if thread.name.startswith(name):
                        thread.join()


def _submitted(pool: ThreadPoolExecutor, call: Callable[..., Any], *arguments: Any) -> Future[Any]:
    """Submit a call to threads of our own; where no more of them can start it is made in this one.

    The pool may have kept the call all the same, and make it too: it is then done twice, and counted once.
    """
    try:
        return pool.submit(call, *arguments)
    except RuntimeError:  # "can't start new thread"
        made: Future[Any] = Future()
        made.set_result(call(*arguments))
        return made


def _threads(executor: Any) -> int:
    """Say how many threads of our own an `executor` argument asks for; 0 where it is an executor."""
    if executor is None:
        with contextlib.suppress(AttributeError):  # not on every system
            return len(os.sched_getaffinity(0))
        return os.cpu_count() or 1
    if callable(getattr(executor, "submit", None)) and not isinstance(executor, type):
        return 0
    if isinstance(executor, bool) or not hasattr(type(executor), "__index__"):
        raise TypeError(f"executor is {as_given(executor, 200)}, expected an executor, a number of threads or None")
    return whole("executor", executor, 1)
