"""Schedules: trials of a train in lanes, against discrete-event simulation and plain Python.

The unit is trials × repos a second of CPU time, of the whole call of ``schedule`` in one thread, or of the kernel where
it says so; a rival is prepared beforehand and draws its own numbers. All that is compared takes turns in one process;
the median of the rounds counts. The rivals are in :mod:`tests.benchmarks.schedule_rivals`. Random graphs, each repo
needs up to 3 earlier ones, lognormal times, the longest path first, few failures, as those end trials early.
"""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from math import exp
from random import Random

from seqkit import DurationModel, RepoDependencyGraph, Schedule, SequencePlan, build_plan, schedule
from seqkit.analysis.schedule.jobs import Jobs
from seqkit.analysis.schedule.kernels import follow_trials
from seqkit.analysis.schedule.listing import in_line, list_jobs
from seqkit.analysis.schedule.posing import mean_ticks
from seqkit.analysis.schedule.problem import pose
from seqkit.analysis.schedule.search import Found, search
from seqkit.core.failures import as_model
from seqkit.core.retry import retry_of
from seqkit.core.terms import Terms
from seqkit.running.lanes import ranks_of
from tests.benchmarks.bench_core import random_edges
from tests.benchmarks.schedule_rivals import RIVALS, Train
from tests.tools.task_graphs import METHODS, task_plan

SIZES = (50, 300, 1_000)
LANES = (4, 16, None)
SIGMA, P = 0.5, 0.0005
ROUNDS = 7
WORK = 2e7  # trials × repos of one timing of ours; a rival's takes a tenth of a second
WHOLE, FRAME, KERNEL, CRITICAL = "schedule", "schedule, to_frame", "kernel", "kernel, criticality"
AIMS = {4: 60, 16: 50, None: 300}  # how many times as fast as SimPy's callbacks
AIM_OF_CRITICAL = 40
AIM_OF_PROCESSES = 400
AIM_OF_SEARCH = 0.1  # seconds, at 300 repos

Calls = dict[str, tuple[Callable[[], object], float]]
"""By name: what is timed, and how many trials times repos it does."""


def met(reached: bool) -> str:
    """Say whether an aim was reached."""
    return "met" if reached else "missed"


def case(n: int) -> tuple[SequencePlan, DurationModel]:
    """Make a plan of so many repos, and say how long they take: about a minute, spread."""
    plan = build_plan(RepoDependencyGraph.from_edges(random_edges(n)), version="1.0")
    chance = Random(5)
    return plan, DurationModel({repo: 60 * exp(chance.gauss(0, 0.5)) for repo in plan.released}, sigma=SIGMA)


def train_of(plan: SequencePlan, takes: DurationModel, lanes: int | None) -> Train:
    """Make it what rivals take: numbered by who goes first, without the needs that others imply."""
    means = takes.means(plan.released)
    ranks = ranks_of("longest_path", plan.arrays, means)
    jobs = Jobs.of(plan.arrays, mean_ticks(plan, takes))
    order = sorted(range(len(jobs)), key=lambda job: ranks[jobs.positions[job]])
    number = {job: at for at, job in enumerate(order)}
    needs = [[number[need] for need in jobs.needs[job]] for job in order]
    medians = [1_000 * takes.median(plan.arrays.ids[jobs.positions[job]]) for job in order]
    return Train(needs, medians, SIGMA, P, len(order) if lanes is None else lanes)


def cpu_seconds(call: Callable[[], object]) -> float:
    """Time one call."""
    began = time.process_time()
    call()
    return time.process_time() - began


def rates_of(calls: Calls, rounds: int = ROUNDS) -> dict[str, float]:
    """Let them take turns, so that a machine busy for a while slows down all alike; give the median of work by time."""
    took: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, (call, _) in calls.items():
            took[name].append(cpu_seconds(call))
    return {name: work / statistics.median(took[name]) for name, (_, work) in calls.items()}


def calls_of(plan: SequencePlan, takes: DurationModel, lanes: int | None) -> Calls:
    """Give all that is compared, with how much each does; what is compiled has been compiled."""
    n = len(plan.released)
    trials = max(64, int(WORK / n))
    ranks = ranks_of("longest_path", plan.arrays, takes.means(plan.released))
    problem = pose(plan, takes, as_model(P), Terms(), retry_of(1), 7, lanes, ranks)

    def whole(trials: int) -> Schedule:
        return schedule(
            plan, takes, lanes, P, priority="longest_path", trials=trials, rng=7, engine="numba", executor=1
        )

    ours: dict[str, Callable[[int], object]] = {
        WHOLE: whole,
        FRAME: lambda trials: whole(trials).to_frame(),
        KERNEL: lambda trials: follow_trials("numba", problem, 0, trials, False, False),
        CRITICAL: lambda trials: follow_trials("numba", problem, 0, trials, True, False),
    }
    calls: Calls = {}
    for name, call in ours.items():
        call(64)
        calls[name] = (partial(call, trials), trials * n)
    train = train_of(plan, takes, lanes)
    for name, make in RIVALS.items():
        with contextlib.suppress(ImportError):
            run = make(train)
            count = max(2, int(0.1 / max(cpu_seconds(partial(run, 2, 7)) / 2, 1e-6)))
            calls[name] = (partial(run, count, 7), count * n)
    return calls


def trials() -> Iterator[str]:
    """Run `schedule` beside its rivals."""
    yield "schedule, 10⁶ trials × repos a second of CPU, one thread, and how many times as fast as each rival:"
    for n in SIZES:
        plan, takes = case(n)
        for lanes in LANES:
            rates = rates_of(calls_of(plan, takes, lanes))
            rivals = [name for name in RIVALS if name in rates]
            where = "no limit" if lanes is None else f"{lanes} lanes"
            theirs = ", ".join(f"{name} {rates[name] / 1e6:.3f}" for name in rivals)
            yield f"  {n:5,} repos, {where}: {theirs}" + ("" if rivals else "no rival is installed")
            for name in (WHOLE, FRAME, KERNEL, CRITICAL):
                ratios = ", ".join(f"{rates[name] / rates[rival]:,.0f}x" for rival in rivals)
                yield f"    {name:20}{rates[name] / 1e6:7.1f}  {ratios}" + aimed(name, lanes, rates)


def aimed(name: str, lanes: int | None, rates: dict[str, float]) -> str:
    """Hold what is aimed at against what was measured, where anything is."""
    aims = {
        WHOLE: {"SimPy callbacks": AIMS[lanes], "SimPy processes": AIM_OF_PROCESSES},
        CRITICAL: {} if lanes is None else {"SimPy callbacks": AIM_OF_CRITICAL},
    }.get(name, {})
    told = [
        f"{aim}x of {rival} {met(rates[name] / rates[rival] >= aim)}" for rival, aim in aims.items() if rival in rates
    ]
    return f"  ({', '.join(told)})" if told else ""


def searching(n: int = 300) -> Iterator[str]:
    """Look for priorities, on graphs such as those of the Standard Task Graph Set."""
    yield f"priority search, {n} repos, percent above the lower bound, and how often the bound is met:"
    for method in METHODS:
        found: dict[str, list[float]] = {"plan": [], "longest_path": [], "search": []}
        took: list[float] = []
        for seed, density in enumerate((0.1, 0.2) if method.endswith("prob") else (2.0, 5.0, 10.0)):
            plan, ticks = task_plan(method, n, seed, density)
            own = [ticks[repo] for repo in plan.arrays.ids]
            jobs = Jobs.of(plan.arrays, own)
            for lanes in (2, 4, 8, 16):
                searched: list[Found] = []
                took.append(cpu_seconds(lambda: searched.append(search(plan.arrays, own, lanes, seed=1))))
                [best] = searched
                ends = {"search": best.makespan}
                for name in ("plan", "longest_path"):
                    ranks = ranks_of(name, plan.arrays, ticks)
                    ends[name] = list_jobs(jobs, in_line(jobs, ranks), lanes).makespan
                for name, end in ends.items():
                    found[name].append(end / best.lower_bound - 1)
        told = [
            f"{name} {100 * statistics.mean(above):.2f} ({sum(not each for each in above)} of {len(above)})"
            for name, above in found.items()
        ]
        yield f"  {method}: {', '.join(told)}; a search {1e3 * statistics.median(took):.0f} ms, " + (
            f"{1e3 * max(took):.0f} at most (aim {1e3 * AIM_OF_SEARCH:.0f}: {met(max(took) <= AIM_OF_SEARCH)})"
        )


def run() -> Iterator[str]:
    """Print both."""
    yield from trials()
    yield from searching()


if __name__ == "__main__":
    print(*run(), sep="\n")
