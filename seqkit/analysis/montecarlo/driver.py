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
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ThreadPoolExecutor
from typing import Any, Literal, TypeVar, get_args

from seqkit._util.arguments import whole
from seqkit._util.secrets import as_given
from seqkit.analysis.montecarlo import numpy_kernel
from seqkit.analysis.montecarlo.experiment import Experiment, Tally

__all__ = ["Engine", "chosen_engine", "each_chunk", "each_part"]

_T = TypeVar("_T")

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
    repos = sum(len(experiment.released) + _REPOS_A_TRIAL for experiment in experiments)
    _kernel(engine)  # imported before threads would do it at the same time

    def call(first: int, trials: int) -> tuple[Callable[..., list[Tally]], tuple[Any, ...]]:
        return _run, (engine, experiments, first // 64, trials, arrays)

    yield from each_part(call, begin, end, _PER_SECOND[engine] / repos, executor, "simulating", _ROUND)


def each_part(
    call: Callable[[int, int], tuple[Callable[..., _T], tuple[Any, ...]]],
    begin: int,
    end: int,
    per_second: float,
    executor: Executor | int | None,
    what: str,
    round_to: int = 1,
) -> Generator[_T]:
    """Yield what comes of the trials `begin` to `end`, part by part and in their order, as :func:`each_chunk` does.

    `call` gives, for a first trial and a number of trials, a function of a module and its arguments, which can be sent
    to another process. One thread does `per_second` trials in a second, which sizes the parts, multiples of `round_to`;
    `what` is what the progress bar says; there is none where that is empty.

    Raises
    ------
    RuntimeError
        Where somebody else's executor takes no work or gives it up, as it has been shut down.
    BrokenExecutor
        Where it has lost a worker for good: that is a RuntimeError too. Whoever sums the parts then has no sum.
    """
    from seqkit._util.progress import Bar  # noqa: PLC0415  # `import seqkit` stays light: tqdm

    threads = _threads(executor)
    size = per_second * (_SECONDS_OF_THREADS if threads else _SECONDS_ELSEWHERE)
    if threads > 1:  # a share for each, where a share is worth a thread
        size = min(size, max((end - begin) / threads, size / 10))
    size = max(1, math.ceil(size / round_to)) * round_to
    firsts = range(begin, end, size)
    with Bar(total=end - begin, desc=what, unit="trial", unit_scale=True, delay=1, ascii=True, quiet=not what) as bar:
        if threads and min(threads, len(firsts)) == 1:
            for first in firsts:
                trials = min(size, end - first)
                function, arguments = call(first, trials)
                yield function(*arguments)
                bar.update(trials)
            return
        name = f"seqkit-simulate-{next(_POOLS)}"
        own = ThreadPoolExecutor(threads, name) if threads else None
        pool: Any = own or executor
        waiting: deque[Any] = deque()
        try:
            for first in firsts:
                trials = min(size, end - first)
                function, arguments = call(first, trials)
                done = _submitted(own, function, *arguments) if own else _sent(pool, function, *arguments)
                waiting.append((trials, done))
                if len(waiting) >= (2 * threads or _AHEAD):
                    yield _come_of(waiting[0][1])
                    bar.update(waiting.popleft()[0])
            while waiting:
                yield _come_of(waiting[0][1])
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


def _sent(executor: Any, call: Callable[..., Any], *arguments: Any) -> Any:
    """Submit a call to somebody else's executor."""
    try:
        return executor.submit(call, *arguments)
    except BrokenExecutor as error:
        raise _lost_worker(error) from error
    except RuntimeError as error:
        raise RuntimeError(
            f"executor took no more work, so nothing is counted ({error}); expected one that is open until the result "
            "is there: has it been shut down, or its `with` block been left?"
        ) from error


def _come_of(future: Any) -> Any:
    try:
        return future.result()
    except BrokenExecutor as error:
        raise _lost_worker(error) from error
    except CancelledError as error:
        raise RuntimeError(
            "executor gave up work that it had taken, so nothing is counted; expected one that is open until the "
            "result is there: has it been shut down meanwhile, or its cluster?"
        ) from error


def _lost_worker(error: BrokenExecutor) -> BrokenExecutor:
    return BrokenExecutor(
        f"executor has lost a worker and takes no more work, so nothing is counted ({error}); make a new one and ask "
        "again with the same seed, which gives the same numbers. A worker dies where it is killed or memory runs "
        'out, and at once where a script that starts processes has no `if __name__ == "__main__":`. A Dask cluster '
        "gives what a lost worker had to another one"
    )


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
