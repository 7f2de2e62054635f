"""The same bits from every kernel, whatever the blocks, chunks, threads, processes and machines."""

from __future__ import annotations

import dataclasses
import multiprocessing
import random
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from seqkit import CommonCause, FailureModel, RepoDependencyGraph, Simulation, build_plan, compare, simulate
from seqkit.analysis.montecarlo import driver, experiment, numpy_draws, numpy_kernel
from seqkit.analysis.montecarlo.experiment import Experiment, Tally, prepare, total
from seqkit.analysis.montecarlo.trial import run_trial
from seqkit.core import draws
from seqkit.core.terms import Terms
from tests.tools.strategies import POLICIES, attempts, budgets, dags, policies, repo_ids, subsets

numba_kernel = pytest.importorskip("seqkit.analysis.montecarlo.numba_kernel")
KERNELS = {"numpy": numpy_kernel.run, "numba": numba_kernel.run}
LAST_WORD = draws.MAX_TRIALS // 64 - 1
SPECIAL_TRIALS = [1, 31, 32, 33, 63, 64, 65, 4095, 4096, 4097]
rates = st.sampled_from([0.0, 1.0, 1e-9, 1 - 1e-9, 0.5, 5e-324]) | st.floats(0, 1)

each_kernel = pytest.mark.parametrize("run", KERNELS.values(), ids=KERNELS)


@st.composite
def experiments(draw: st.DrawFn) -> Experiment:
    nodes, edges = draw(dags(9, repo_ids))
    plan = build_plan(
        RepoDependencyGraph.from_edges(edges, nodes=nodes),
        [(repo, "1") for repo in draw(st.just(nodes) | subsets(nodes))],
        scope="all",
    )
    causes = [
        CommonCause(name, draw(rates), draw(subsets(nodes)))
        for name in draw(st.lists(repo_ids, unique=True, max_size=3))
    ]
    hard = draw(st.just(0.0) | rates | st.fixed_dictionaries(dict.fromkeys(nodes, rates)))
    model = FailureModel({repo: draw(rates) for repo in nodes}, common_causes=causes, hard=hard)
    return prepare(plan, Terms(draw(policies), draw(budgets), draw(attempts)), model, draw(st.integers(0, 2**64)))


def seeded(seed: int, n: int = 60, **changes: Any) -> dict[str, Any]:
    """The arguments of a simulation in which much happens."""
    chosen = random.Random(seed)
    nodes = [f"repo-{number:04}" for number in range(n)]
    plan = build_plan(
        RepoDependencyGraph.from_edges(
            [pair for pair in combinations(nodes, 2) if chosen.random() < 3 / n], nodes=nodes
        ),
        [(repo, "1") for repo in nodes if chosen.random() < 0.9],
    )
    rate = {repo: chosen.choice([0.5, 2, 0]) * chosen.random() / n**0.5 for repo in nodes}
    causes = [CommonCause("ci", 0.07, nodes[: n // 3]), CommonCause("mirror", 0.01, nodes[n // 4 :])]
    rules = {"policy": POLICIES[seed % 3], "failure_budget": (None, 3)[seed % 2], "attempts": 1 + seed % 2}
    model = FailureModel(rate, common_causes=causes, hard=(0.0, 0.3, dict.fromkeys(nodes[::2], 0.6))[seed % 3])
    return {"plan": plan, "model": model, "rng": seed, **rules, **changes}


def prepared(seed: int, n: int = 60) -> Experiment:
    given_ = seeded(seed, n)
    rules = (given_[name] for name in ("policy", "failure_budget", "attempts"))
    return prepare(given_["plan"], Terms(*rules), given_["model"], seed)


def content(tally: Tally) -> dict[str, Any]:
    return {
        name: (value.dtype.str, value.tolist()) if isinstance(value, np.ndarray) else value
        for name, value in dataclasses.asdict(tally).items()
    }


def assert_same(first: Simulation, second: Simulation) -> None:
    assert (first.seed, first.trials) == (second.seed, second.trials)
    assert first.to_frame().equals(second.to_frame())
    assert first.counts.equals(second.counts)
    assert first.summary().equals(second.summary())
    for name in ("n_succeeded", "n_failed", "n_skipped"):
        mine, other = getattr(first, name), getattr(second, name)
        assert mine.dtype == other.dtype == np.int32
        assert np.array_equal(mine, other), name
    assert repr(first) == repr(second)


# ---------------------------------------------------------------------- kernels


@settings(max_examples=80)
@given(
    what=experiments(),
    first_word=st.sampled_from([0, 1, 2**31 - 1, LAST_WORD - 150]) | st.integers(0, LAST_WORD - 150),
    trials=st.sampled_from(SPECIAL_TRIALS) | st.integers(1, 9000),
    arrays=st.booleans(),
)
def test_both_kernels_count_the_same(what: Experiment, first_word: int, trials: int, arrays: bool) -> None:
    one, other = (run(what, first_word, trials, arrays) for run in KERNELS.values())
    assert content(one) == content(other)
    assert len(one.n_failed) == len(one.n_lost) == (trials if arrays else 0)
    assert one.weights.sum() == one.trials == trials


@pytest.mark.parametrize("seed", range(6))
def test_both_kernels_count_the_same_on_many_repos(seed: int) -> None:
    what = prepared(seed, n=700)
    one, other = (run(what, 5, 5_000, True) for run in KERNELS.values())
    assert content(one) == content(other)
    assert len(one.joint) > 20


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
def test_both_kernels_count_the_same_over_millions(seed: int) -> None:
    what = prepared(seed, n=40)
    one, other = (run(what, 2**20, 3_000_017, True) for run in KERNELS.values())
    assert content(one) == content(other)


@each_kernel
@settings(max_examples=25)
@given(
    what=experiments(),
    cuts=st.lists(st.integers(1, 70), min_size=1, max_size=4),
    rest=st.integers(1, 200),
    first_word=st.sampled_from([0, 77, LAST_WORD - 300]),
)
def test_parts_add_up_to_the_whole(
    run: Callable[..., Tally], what: Experiment, cuts: list[int], rest: int, first_word: int
) -> None:
    parts, word = [], first_word
    for words in cuts:
        parts.append(run(what, word, 64 * words, True))
        word += words
    parts.append(run(what, word, rest, True))
    whole = run(what, first_word, 64 * sum(cuts) + rest, True)
    assert content(total(parts)) == content(whole)


@each_kernel
@settings(max_examples=15)
@given(what=experiments(), trials=st.integers(1, 5000))
def test_fewer_trials_are_the_first_of_more(run: Callable[..., Tally], what: Experiment, trials: int) -> None:
    few, many = run(what, 9, trials, True), run(what, 9, 5000, True)
    assert few.n_failed.tolist() == many.n_failed[:trials].tolist()
    assert few.n_lost.tolist() == many.n_lost[:trials].tolist()


@each_kernel
@pytest.mark.parametrize("first_word", [2**31 - 1, 2**32 - 2])
def test_far_trials_are_runs_too(run: Callable[..., Tally], first_word: int) -> None:
    setting = seeded(4, n=12)
    terms = Terms(*(setting[name] for name in ("policy", "failure_budget", "attempts")))
    found = run(prepare(setting["plan"], terms, setting["model"], 4), first_word, 128, True)
    assert found.n_failed.any()
    for i in range(128):
        outcome = run_trial(setting["plan"], setting["model"], terms, 4, 64 * first_word + i).outcome
        assert len(outcome.failed) == found.n_failed[i]
        assert len(outcome.succeeded) == len(setting["plan"].released) - found.n_lost[i]


# ---------------------------------------------------------------------- blocks and tables


@pytest.mark.parametrize(
    ("module", "constants"),
    [
        (numpy_kernel, {"_BLOCK_LANES": 1}),
        (numpy_kernel, {"_BLOCK_LANES": 1 << 30}),
        (numpy_draws, {"_TILE_LANES": 1}),
        (numpy_draws, {"_TILE_LANES": 5_000}),
        (numpy_draws, {"_TOGETHER": 0}),
        (numpy_draws, {"_TOGETHER": 2}),
        (numpy_draws, {"_TOGETHER": 2000}),
        (numba_kernel, {"_WORDS": 1}),
        (numba_kernel, {"_WORDS": 3}),
        (numba_kernel, {"_WORDS": 500}),
        (numba_kernel, {"_LARGE": 0}),
        (numba_kernel, {"_DENSE_UP_TO": 0}),
    ],
    ids=str,
)
@pytest.mark.parametrize("seed", [2, 3])
def test_constants_of_a_kernel_change_nothing(
    monkeypatch: pytest.MonkeyPatch, module: Any, constants: dict[str, int], seed: int
) -> None:
    what, run = prepared(seed), numba_kernel.run if module is numba_kernel else numpy_kernel.run
    expected = [run(what, 3, 140_001, arrays) for arrays in (True, False)]
    for name, value in constants.items():
        monkeypatch.setattr(module, name, value)
    found = [run(what, 3, 140_001, arrays) for arrays in (True, False)]
    assert list(map(content, found)) == list(map(content, expected))


@each_kernel
@pytest.mark.parametrize("seed", [0, 1, 3])
def test_tables_and_shortcuts_change_nothing(
    monkeypatch: pytest.MonkeyPatch, run: Callable[..., Tally], seed: int
) -> None:
    reduced, expected = prepared(seed), run(prepared(seed), 0, 9_000, True)
    monkeypatch.setattr(experiment, "_DENSE", 0)
    monkeypatch.setattr(experiment, "_REDUCE_UP_TO", 0)
    whole = prepared(seed)
    assert content(run(whole, 0, 9_000, True)) == content(expected)
    left_out = len(whole.dependencies) - len(reduced.dependencies)
    assert left_out > 0 if seed % 3 == 0 else left_out == 0  # policies other than the first need none


@settings(max_examples=60, suppress_health_check=[HealthCheck.filter_too_much])
@given(graph=dags(9, st.sampled_from("abcdefghi")))
@example(graph=(["a", "b", "c"], [("a", "b"), ("b", "c"), ("a", "c")]))
def test_dependencies_left_out_are_reached_otherwise(graph: Any) -> None:
    nodes, edges = graph
    assume(edges)
    plan = build_plan(RepoDependencyGraph.from_edges(edges, nodes=nodes), version="1")
    what = prepare(plan, Terms(), FailureModel(default=0.5), 0)
    order = [item.repo_id for item in plan.items]
    kept = [
        (order[what.dependencies[i]], repo)
        for v, repo in enumerate(order)
        for i in range(what.first_dependency[v], what.first_dependency[v + 1])
    ]
    assert set(kept) <= set(edges)
    left = RepoDependencyGraph.from_edges(kept, nodes=nodes)
    for repo in nodes:
        assert set(left.transitive_dependencies_of(repo)) == set(plan.graph.transitive_dependencies_of(repo))
    for edge in kept:  # nothing more could be left out
        fewer = RepoDependencyGraph.from_edges([other for other in kept if other != edge], nodes=nodes)
        assert edge[0] not in fewer.transitive_dependencies_of(edge[1])


# ---------------------------------------------------------------------- who runs them


class Backwards(Executor):
    """Runs what it is given last first, and only when somebody waits for it."""

    def __init__(self) -> None:
        self.tasks: list[tuple[Future[Any], Callable[[], Any]]] = []
        self.submitted = 0

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        outer = self

        class Lazy(Future[Any]):
            def result(self, timeout: float | None = None) -> Any:
                while outer.tasks:
                    future, task = outer.tasks.pop()
                    future.set_result(task())
                return super().result(timeout)

        future = Lazy()
        self.tasks.append((future, lambda: function(*args, **kwargs)))
        self.submitted += 1
        return future


@pytest.fixture(scope="module")
def processes() -> Iterator[Executor]:
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "_PER_SECOND", {"numpy": 1.0, "numba": 1.0})
    monkeypatch.setattr(driver, "_ROUND", 2048)


@pytest.fixture(scope="module")
def expected() -> Simulation:
    """One chunk of numpy, in this thread."""
    return simulate(**seeded(1), trials=50_001, engine="numpy", executor=1)


each_engine = pytest.mark.parametrize("engine", ["numpy", "numba", "auto"])


@each_engine
@pytest.mark.parametrize("threads", [1, 2, 5, None])
@pytest.mark.parametrize("rate", [1.0, 1e6, 1e12])
def test_threads_and_chunks_change_nothing(
    monkeypatch: pytest.MonkeyPatch, expected: Simulation, engine: Any, threads: int | None, rate: float
) -> None:
    monkeypatch.setattr(driver, "_PER_SECOND", {"numpy": rate, "numba": rate})
    assert_same(simulate(**seeded(1), trials=50_001, engine=engine, executor=threads), expected)


@pytest.mark.usefixtures("small_chunks")
@each_engine
def test_any_executor_gives_the_same(expected: Simulation, engine: Any) -> None:
    with ThreadPoolExecutor(3) as pool:
        assert_same(simulate(**seeded(1), trials=50_001, engine=engine, executor=pool), expected)
    backwards = Backwards()
    assert_same(simulate(**seeded(1), trials=50_001, engine=engine, executor=backwards), expected)
    assert backwards.submitted == 25  # chunks of the tally; the arrays are drawn here, the executor may be gone


@pytest.mark.usefixtures("small_chunks")
def test_few_chunks_are_handed_out_at_a_time(monkeypatch: pytest.MonkeyPatch, expected: Simulation) -> None:
    monkeypatch.setattr(driver, "_AHEAD", 2)
    backwards = Backwards()
    most = 0
    submit = backwards.submit

    def watched(*args: Any) -> Any:
        nonlocal most
        future = submit(*args)
        most = max(most, len(backwards.tasks))
        return future

    monkeypatch.setattr(backwards, "submit", watched)
    assert_same(simulate(**seeded(1), trials=50_001, executor=backwards), expected)
    assert most <= 2


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("engine", ["numpy", "numba"])
def test_processes_give_the_same(processes: Executor, expected: Simulation, engine: Any) -> None:
    assert_same(simulate(**seeded(1), trials=50_001, engine=engine, executor=processes), expected)


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("workers", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["threads", "processes"])
def test_dask_gives_the_same(expected: Simulation, workers: bool) -> None:
    distributed = pytest.importorskip("distributed")
    with distributed.Client(processes=workers, n_workers=1, threads_per_worker=2, dashboard_address=None) as client:
        for engine in ("numpy", "numba"):
            found = simulate(**seeded(1), trials=50_001, engine=engine, executor=client.get_executor())
            assert_same(found, expected)


@pytest.mark.usefixtures("small_chunks")
def test_until_stops_at_the_same_trial_whoever_runs(processes: Executor) -> None:
    one = simulate(**seeded(1), until=0.0015, engine="numpy", executor=1)
    assert one.trials > 16_384  # more than the first look
    for engine, executor in [("numba", 2), ("numpy", Backwards()), ("numba", processes)]:
        assert_same(simulate(**seeded(1), until=0.0015, engine=engine, executor=executor), one)  # type: ignore[arg-type]
    assert_same(simulate(**seeded(1), trials=one.trials), one)


@pytest.mark.usefixtures("small_chunks")
def test_comparisons_are_the_same_whoever_runs(processes: Executor) -> None:
    setting = seeded(3)
    plan, models = setting["plan"], (setting["model"], 0.01)
    one = compare(plan, *models, trials=20_001, rng=5, engine="numpy", executor=1)
    for engine, executor in [("numba", 1), ("numba", 2), ("numpy", Backwards()), ("numpy", processes)]:
        other = compare(plan, *models, trials=20_001, rng=5, engine=engine, executor=executor)  # type: ignore[arg-type]
        assert other.to_frame().equals(one.to_frame())
        assert repr(other) == repr(one)


def test_an_executor_that_fails_says_so() -> None:
    with ThreadPoolExecutor(1) as pool:
        pass
    with pytest.raises(RuntimeError, match="shutdown"):
        simulate(**seeded(1), trials=10, executor=pool)
