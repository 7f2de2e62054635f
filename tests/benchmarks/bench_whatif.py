"""Simulation and exact analysis: against loops, event simulation, other graph libraries and plain numpy.

The unit is trials × repos a second, of the whole call of ``simulate``; a rival is prepared beforehand. The
rivals are in :mod:`tests.benchmarks.rivals`: a loop over a networkx graph that looks at predecessors, one that
asks for descendants, plain Python lists, SimPy callbacks, rustworkx, and numpy with a byte a trial. Random
graphs, each repo needs up to 3 earlier ones.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator
from functools import partial

import networkx as nx
import numpy as np

from seqkit import RepoDependencyGraph, SequencePlan, analyze, blast_radius, build_plan, compare, load_dataset, simulate
from seqkit.analysis.montecarlo.experiment import Experiment, prepare
from seqkit.core.failures import as_model
from seqkit.core.terms import Terms
from tests.benchmarks.bench_core import random_edges, seconds
from tests.benchmarks.rivals import RIVALS, Run, numpy_block

SIZES = (30, 300, 1_000, 10_000, 60_000)
RATES = (0.001, 0.01, 0.3)
TRIALS = 1_000_000
ENGINES = (  # name, threads, most and least trials × repos: two threads need chunks enough for both
    ("numba", 1, 5e9, 0.0),
    ("numba", 2, 5e9, 3.2e9),
    ("numpy", 1, 4e8, 0.0),
)
VERY_LARGE = 60_000
TOO_SLOW = ("nx below", "numpy f64")  # there: the first takes seconds a trial, the second as many as numpy f32
AIMED_SIZES = (300, 1_000)
AIMS = {  # of one thread, at those sizes: how many times as fast as a rival
    "numba": {"nx walk": 10_000, "nx below": 10_000, "SimPy": 50_000, "numpy f32": 50, "numpy f64": 50},
    "numpy": {"nx walk": 500, "nx below": 500, "numpy f32": 3, "numpy f64": 3},
}
AIM_OF_CEILING = 0.5

Measured = dict[tuple[int, float, str], float]


def met(reached: bool) -> str:
    """Say whether an aim was reached."""
    return "met" if reached else "missed"


def plan_of(n: int) -> SequencePlan:
    """Plan a random graph, all of it."""
    return build_plan(RepoDependencyGraph.from_edges(random_edges(n)), version="1.0")


# ---------------------------------------------------------------------- simulation


def fitting(run: Run, p: float, trials: int) -> int:
    """Find how many trials take a rival a tenth of a second or more."""
    while (took := seconds(lambda: run(p, trials, 7), 1)) < 0.08:
        trials *= max(2, min(16, int(0.15 / max(took, 1e-9))))
    return trials


def rates_of(calls: dict[str, tuple[Callable[[], object], float]], rounds: int) -> dict[str, float]:
    """Time in turns, so that a machine busy for a while slows down all alike; give work over the best time."""
    best = dict.fromkeys(calls, float("inf"))
    for _ in range(rounds):
        for name, (call, _) in calls.items():
            best[name] = min(best[name], seconds(call, 1))
    return {name: work / best[name] for name, (_, work) in calls.items()}


def rivals_of(plan: SequencePlan) -> dict[str, Run]:
    """Prepare the rivals whose packages are there, and which do not take seconds for a single trial."""
    runs = {}
    for name, make in RIVALS.items():
        if len(plan.items) >= VERY_LARGE and name in TOO_SLOW:
            continue
        with contextlib.suppress(ImportError):
            runs[name] = make(plan.arrays.dependencies)
    return runs


def trials_of(n: int, most: float, least: float) -> int:
    """Choose a number of trials; fewer than a million where there are many repos."""
    trials = max(min(TRIALS, int(most / n)), int(least / n))
    return trials if trials == TRIALS else -(-trials // 4_096) * 4_096


def times(ratio: float) -> str:
    """Write a ratio."""
    return f"{ratio:,.0f}x" if ratio >= 100 else f"{ratio:.1f}x"


def simulation(measured: Measured) -> Iterator[str]:
    """Run `simulate` beside its rivals."""
    yield "simulate, 10⁹ trials × repos a second, and how many times as fast as each rival (its own 10⁶ above):"
    yield f"{'repos':>7}{'p':>7} {'engine':17}{'trials':>12}{'10⁹/s':>7}" + "".join(f"{name:>11}" for name in RIVALS)
    for n in SIZES:
        plan = plan_of(n)
        runs = rivals_of(plan)
        for p in RATES:
            calls = {}
            for name, run in runs.items():
                trials = fitting(run, p, numpy_block(n) if name.startswith("numpy") else 1)
                calls[name] = (partial(run, p, trials, 7), trials * n)
            for engine, threads, most, least in ENGINES:
                trials = trials_of(n, most, least)
                call = partial(simulate, plan, p, trials=trials, rng=7, engine=engine, executor=threads)
                calls[f"{engine}, {threads}"] = (call, trials * n)
            simulate(plan, p, trials=64, rng=7, engine="numba")  # compiles
            rates = rates_of(calls, 3 if n <= 1_000 else 2 if n < VERY_LARGE else 1)
            row = "".join(f"{rates[name] / 1e6:11.2f}" if name in runs else f"{'not run':>11}" for name in RIVALS)
            yield f"{n:7,}{p:7} {'':36}{row}"
            for engine, threads, most, least in ENGINES:
                rate = rates[f"{engine}, {threads}"]
                ratios = {name: rate / rates[name] for name in runs}
                if threads == 1:
                    measured[n, p, engine] = rate
                    measured.update({(n, p, f"{engine}/{name}"): ratio for name, ratio in ratios.items()})
                row = "".join(f"{times(ratios[name]) if name in ratios else '':>11}" for name in RIVALS)
                name = f"{engine}, {threads} thread{'s'[: threads != 1]}"
                yield f"{'':15}{name:17}{trials_of(n, most, least):12,}{rate / 1e9:7.2f}{row}"
        preparing = seconds(lambda: prepare(plan, Terms(), as_model(0.01), 7))
        if missing := [name for name in RIVALS if name not in runs]:
            yield f"{n:7,} repos: not run for want of the package or for taking too long: {', '.join(missing)}"
        yield f"{n:7,} repos: of each call {preparing * 1e3:.1f} ms were for the keys of the draws and the arrays"


def aims(measured: Measured) -> Iterator[str]:
    """Hold the ratios against what was aimed at."""
    for engine, by_rival in AIMS.items():
        for rival, aim in by_rival.items():
            ratios = [
                ratio for (n, _, key), ratio in measured.items() if key == f"{engine}/{rival}" and n in AIMED_SIZES
            ]
            if ratios:
                low, high = min(ratios), max(ratios)
                yield (
                    f"  {engine} against {rival}, {'-'.join(map(str, AIMED_SIZES))} repos, 1 thread: "
                    f"{times(low)} to {times(high)}; aim {aim:,}x: "
                    f"{'met in part' if low < aim <= high else met(low >= aim)}"
                )


# ---------------------------------------------------------------------- what the machine could do


def alone() -> tuple[Callable[[Experiment], float], Callable[[Experiment], float]]:
    """Compile the two things that the kernel cannot do without, and give what measures each by itself."""
    import numba  # noqa: PLC0415  # an extra, which the other benchmarks do without
    from numba import uint32, uintp  # noqa: PLC0415

    from seqkit.analysis.montecarlo import numba_draws, numba_kernel  # noqa: PLC0415

    draw, all_, none = numba_draws.draw, uint32(0xFFFFFFFF), uint32(0)
    words = numba_kernel._WORDS
    block, work = 64 * words, 5e8  # trials; trials × rows of one timing

    @numba.njit(nogil=True)
    def draw_rows(keys, mantissas, digits, numbers, blocks):
        words = uintp(numbers.shape[0])
        pending, out = np.empty(2 * words, np.uint32), np.empty((1, 2 * words), np.uint32)
        seen = none
        for _ in range(blocks):
            for v in range(keys.shape[0]):
                pending[:] = all_
                out[0, :] = none
                draw(pending, out, 0, words, keys, v, 0, mantissas[v], digits[v], numbers)
                seen = uint32(seen ^ out[0, v % (2 * words)])
        return seen

    @numba.njit(nogil=True)
    def or_rows(first_dependency, dependencies, rows, blocks):
        for _ in range(blocks):
            for v in range(rows.shape[0]):
                for i in range(first_dependency[v], first_dependency[v + 1]):
                    needed = dependencies[i]
                    for lane in range(rows.shape[1]):
                        rows[v, lane] = uint32(rows[v, lane] | rows[needed, lane])

    random_bits = np.random.default_rng(7)

    def draws(experiment: Experiment) -> float:
        """Give trials × repos a second where no trial is blocked."""
        numbers = random_bits.integers(0, 1 << 32, words, np.uint32)
        arguments = (experiment.keys, experiment.mantissas, experiment.digits, numbers)
        draw_rows(*arguments, 1)
        n = len(experiment.released)
        blocks = max(1, round(work / n / block))
        return blocks * block * n / seconds(lambda: draw_rows(*arguments, blocks), 7)

    def ors(experiment: Experiment) -> float:
        """Give trials × edges a second."""
        rows = random_bits.integers(0, 1 << 32, (len(experiment.released), 2 * words), np.uint32)
        arguments = (experiment.first_dependency, experiment.dependencies, rows)
        or_rows(*arguments, 1)
        n_edges = len(experiment.dependencies)
        blocks = max(1, round(4 * work / n_edges / block))
        return blocks * block * n_edges / seconds(lambda: or_rows(*arguments, blocks), 7)

    return draws, ors


def ceilings(measured: Measured) -> Iterator[str]:
    """Measure what cannot be left out: the draws, and the OR of the rows of dependencies in the cache."""
    draws_of, ors_of = alone()
    # Beyond 100 % where much fails: the ceiling draws for every trial, the engine only for those not blocked.
    yield "the compiled engine against draws + OR, 10⁹ trials × repos (or edges) a second, 1 thread, same blocks:"
    for n in AIMED_SIZES:
        plan = plan_of(n)
        for p in RATES:
            experiment = prepare(plan, Terms(), as_model(p), 7)
            draws, ors = draws_of(experiment), ors_of(experiment)
            edges = len(experiment.dependencies) / n
            both = 1 / (1 / draws + edges / ors)
            rate = measured[n, p, "numba"]
            yield (
                f"{n:7,}{p:7}  draws {draws / 1e9:.1f}; OR {ors / 1e9:.1f}, {edges:.2f} edges a repo after reduction; "
                f"draws + OR {both / 1e9:.1f}; simulate {rate / 1e9:.1f} = {rate / both:.0%} "
                f"(aim {AIM_OF_CEILING:.0%}: {met(rate / both >= AIM_OF_CEILING)})"
            )


# ---------------------------------------------------------------------- exact analysis


def dense_variance(plan: SequencePlan, p: float) -> float:
    """Work out the variance with the ancestors as one matrix, in one product, as numpy invites to."""
    n = len(plan.items)
    above = np.zeros((n, n))
    for v, row in enumerate(plan.arrays.dependencies):
        above[v, v] = 1.0
        for before in row:
            np.maximum(above[v], above[before], out=above[v])
    weights = np.full(n, -np.log1p(-p))
    succeeded = np.exp(-above @ weights)
    shared = (above * weights) @ above.T
    return float(succeeded @ np.expm1(shared, out=shared) @ succeeded)


def layered(n: int, width: int) -> list[tuple[str, str]]:
    """Let each repo need up to three of the layer before its own."""
    chance = random.Random(7)
    starts = range(0, n - width, width)
    return [
        (f"repo-{before:05d}", f"repo-{after:05d}")
        for start in starts
        for after in range(start + width, start + 2 * width)
        for before in {chance.randrange(start, start + width) for _ in range(3)}
    ]


SHAPES = {
    "layers of 100": layered(10_000, 100),
    "layers of 1,000": layered(10_000, 1_000),
    "a chain": layered(10_000, 1),
    "133 releases of KDE side by side": [
        (f"{before}-{copy}", f"{after}-{copy}")
        for copy in range(133)
        for before, after in load_dataset("kf5").graph.edges
    ],
    "20 hubs": [(f"hub-{n % 20:02d}", f"repo-{n:05d}") for n in range(9_980)],
}
"""Plans of 10,000 repos of which the standard deviation is worked out."""


def exactly() -> Iterator[str]:
    """Time the exact answers."""
    plan = plan_of(10_000)

    def gradient() -> None:
        analysis = analyze(plan, 0.01)
        analysis.to_frame()
        assert analysis.importance()["birnbaum"].notna().all()

    took = seconds(gradient, 5)
    yield f"analyze at 10,000 repos, probabilities and gradient: {took:.2f} s (aim 0.3 s: {met(took < 0.3)})"
    took = seconds(lambda: analyze(plan, 0.001).std_succeeded, 1)
    yield f"  the standard deviation, in blocks: {took:.1f} s"
    for shape, edges in SHAPES.items():
        released = build_plan(RepoDependencyGraph.from_edges(edges), version="1.0")
        each = [seconds(lambda: analyze(released, rate).std_succeeded, 1) for rate in (0.001, 0.02, 0.1)]
        yield f"  of {shape}, at rates 0.001, 0.02 and 0.1: {', '.join(f'{took:.1f}' for took in each)} s"
    smaller = plan_of(4_000)
    assert np.isclose(analyze(smaller, 0.001).std_succeeded ** 2, dense_variance(smaller, 0.001))
    ours = seconds(lambda: analyze(smaller, 0.001).std_succeeded, 2)
    dense = seconds(lambda: dense_variance(smaller, 0.001), 2)
    yield f"  at 4,000: {ours:.2f} s; as one dense product {dense:.2f} s: {dense / ours:.1f}x faster, in less memory"


def reach() -> Iterator[str]:
    """Time the blast radius of every repo, against one search for each."""
    for n, sample in ((10_000, 400), (60_000, 0)):
        edges = random_edges(n)
        graph = RepoDependencyGraph.from_edges(edges)
        plan = build_plan(graph, version="1.0")
        took = seconds(lambda: blast_radius(plan), 3 if sample else 1)
        if not sample:
            yield f"  {n:,} repos: {took:.2f} s"
            continue
        bare = nx.DiGraph(edges)
        some = plan.released[:: n // sample]
        theirs = seconds(lambda: [len(nx.descendants(bare, repo)) for repo in some], 2) * n / len(some)
        frame = blast_radius(plan)
        assert frame.loc[some[7], "n_dependents"] == len(nx.descendants(bare, some[7]))
        yield (
            f"blast_radius, {n:,} repos: {took:.3f} s; len(nx.descendants(G, v)) for all v {theirs:.1f} s (scaled up "
            f"from {len(some)} of them, evenly spaced): {theirs / took:,.0f}x (aim 200x: "
            f"{met(theirs / took >= 200)})"
        )


def coupling() -> Iterator[str]:
    """Say what common random numbers are worth in one example."""
    plan = plan_of(300)
    worst = analyze(plan, 0.01).importance().index[0]
    rates = dict.fromkeys(plan.released, 0.01)
    comparison = compare(plan, rates, {**rates, worst: 0.005}, trials=200_000, rng=7)
    yield (
        "compare, 300 repos at p = 0.01, the rate of the most gainful halved, 200,000 trials: "
        f"difference {comparison.difference}, {comparison.variance_reduction:.0f} times less variance than unpaired"
    )


def run() -> Iterator[str]:
    """Give all, line by line: it takes some minutes."""
    measured: Measured = {}
    yield from simulation(measured)
    yield from aims(measured)
    yield from ceilings(measured)
    yield from exactly()
    yield from reach()
    yield from coupling()


if __name__ == "__main__":
    for line in run():
        print(line, flush=True)
