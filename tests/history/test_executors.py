"""Whatever is counted by trials, on somebody else's executor: the same numbers, whole, or an error that helps."""

from __future__ import annotations

import importlib
import multiprocessing
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import seqkit
from seqkit import (
    CommonCause,
    DurationModel,
    FailureModel,
    MemoryRunLedger,
    RepoDependencyGraph,
    ScriptedReleaser,
    SimulatedReleaser,
    VirtualClock,
    build_plan,
    compare,
    compare_many,
    eta,
    load_dataset,
    replay,
    run_plan,
    schedule,
    simulate,
)
from seqkit._util import progress
from tests.tools.killing import Deadly

EDGES = [("core", "api"), ("core", "docs"), ("api", "app"), ("api", "web"), ("docs", "site"), ("web", "site")]
PLAN = build_plan(RepoDependencyGraph.from_edges(EDGES), version="1")
MODEL = FailureModel({"api": 0.3}, default=0.1, common_causes=[CommonCause("outage", 0.2, ["docs", "web"], 0.5)])
TIMES = DurationModel(dict(zip(PLAN.released, [60, 300, 20, 900, 120, 45], strict=True)), sigma=0.5)
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
LEDGER = MemoryRunLedger(ids=["past", "under way"])
run_plan(PLAN, ScriptedReleaser(["core"]), LEDGER)
run_plan(PLAN, SimulatedReleaser(0.0, rng=1, durations=TIMES), LEDGER, clock=VirtualClock(NOON), max_parallel=2)


def simulated(executor: Any) -> Any:
    one = simulate(PLAN, MODEL, 40_000, rng=1, engine="numpy", executor=executor)
    return one.to_frame().to_dict(), one.counts.to_dict()


def scheduled(executor: Any) -> Any:
    one = schedule(PLAN, TIMES, 2, MODEL, attempts=2, trials=400, rng=1, engine="python", executor=executor)
    return one.makespan().to_list(), float(one.p_complete)


def compared(executor: Any) -> Any:
    one = compare(PLAN, PLAN, MODEL, attempts=(1, 2), trials=20_000, rng=1, engine="numpy", executor=executor)
    return one.to_frame().to_dict(), repr(one)


def options(executor: Any) -> Any:
    many = {"all": (PLAN, MODEL), "but docs": (PLAN.without(["docs"]), MODEL)}
    return compare_many(many, trials=20_000, rng=1, engine="numpy", executor=executor).to_dict()


def replayed(executor: Any) -> Any:
    one = replay(LEDGER, "past", policy="continue", model=MODEL, trials=400, rng=1, executor=executor)
    return one.outcomes.to_dict(), one.to_frame().to_dict(), one.drawn


def told(executor: Any) -> Any:
    now = NOON.replace(minute=5)
    one = eta(LEDGER, "under way", TIMES, MODEL, now=now, trials=400, rng=1, executor=executor)
    return repr(one), one.quantile(0.8), float(one.p_complete), one.to_frame().to_dict()


ASKS = (simulated, scheduled, compared, options, replayed, told)
Ask = Callable[[Any], Any]
each_ask = pytest.mark.parametrize("ask", ASKS, ids=lambda ask: ask.__name__)


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some ten parts of each, however fast they are."""
    for name, rates in {
        "montecarlo.driver": {"numpy": 1.0},
        "schedule.kernels": {"python": 2_560.0},
        "schedule.eta": 1_000.0,
    }.items():
        monkeypatch.setattr(importlib.import_module(f"seqkit.analysis.{name}"), "_PER_SECOND", rates)
    monkeypatch.setattr(importlib.import_module("seqkit.analysis.montecarlo.driver"), "_ROUND", 2048)
    monkeypatch.setattr(importlib.import_module("seqkit.history.replaying"), "_PER_SECOND", 1_400.0)


def spawned(workers: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))


@pytest.fixture(scope="module")
def expected() -> dict[Ask, Any]:
    return {ask: ask(1) for ask in ASKS}


@pytest.fixture(scope="module")
def processes() -> Iterator[Executor]:
    with spawned(2) as pool:
        yield pool


class LastFirst(Executor):
    """Does what it is given last first, and only when somebody waits for it."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []
        self.submitted = 0

    def submit(self, call: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        outer = self
        self.submitted += 1

        class Late(Future[Any]):
            def result(self, timeout: float | None = None) -> Any:
                while not self.done():
                    outer.waiting.pop()()
                return super().result(timeout)

        future = Late()
        self.waiting.append(lambda: future.set_result(call(*arguments, **named)))
        return future


@each_ask
def test_any_executor_gives_the_same_numbers(ask: Ask, expected: dict[Ask, Any], processes: Executor) -> None:
    backwards = LastFirst()
    assert ask(backwards) == expected[ask]
    assert backwards.submitted > 5
    assert ask(processes) == expected[ask]
    assert ask(None) == ask(3) == expected[ask]


@each_ask
def test_what_is_no_executor_is_refused(ask: Ask) -> None:
    with pytest.raises(TypeError, match=r"executor is 'dask', expected an executor, a number of threads or None"):
        ask("dask")
    with pytest.raises(ValueError, match="executor is 0"):
        ask(0)


@each_ask
def test_one_that_has_been_shut_down(ask: Ask) -> None:
    with ThreadPoolExecutor(1) as pool:
        pass
    with pytest.raises(RuntimeError, match=r"executor took no more work, so nothing is counted .* expected one that"):
        ask(pool)


@each_ask
def test_one_that_is_shut_down_meanwhile(ask: Ask) -> None:
    """Its only thread is kept busy, so that all parts wait when it is."""
    begun, over = threading.Event(), threading.Event()
    pool = ThreadPoolExecutor(1)

    class Leaving(LastFirst):
        def submit(self, call: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
            self.submitted += 1
            future = pool.submit(call, *arguments, **named)
            if self.submitted == 3:
                pool.shutdown(wait=False, cancel_futures=True)
            return future

    pool.submit(lambda: (begun.set(), over.wait()))
    assert begun.wait(60)
    try:
        with pytest.raises(RuntimeError, match=r"nothing is counted.* been shut down") as caught:
            ask(Leaving())
        assert isinstance(caught.value.__cause__, RuntimeError | CancelledError)
    finally:
        over.set()
        pool.shutdown()


@pytest.mark.parametrize("ask", [simulated, pytest.param(told, marks=pytest.mark.slow)], ids=["simulate", "eta"])
def test_a_pool_that_loses_a_worker_says_what_to_do(
    ask: Ask, expected: dict[Ask, Any], processes: Executor, tmp_path: Path
) -> None:
    with spawned(1) as pool:
        deadly = Deadly(pool, tmp_path / "killed", 3)
        with pytest.raises(BrokenExecutor, match=r"lost a worker .*nothing is counted.*make a new one.*same seed"):
            ask(deadly)
        assert deadly.killed > 0
        with pytest.raises(BrokenExecutor, match="make a new one"):
            ask(pool)
    assert ask(processes) == expected[ask]  # as it says


@pytest.mark.parametrize("asks", [ASKS[:2], pytest.param(ASKS[2:], marks=pytest.mark.slow)], ids=["two", "others"])
def test_a_cluster_that_loses_a_worker_gives_the_same_numbers(
    asks: tuple[Ask, ...], expected: dict[Ask, Any], tmp_path: Path
) -> None:
    """Dask gives what a lost worker had to another. Each of these kills one that has computed a part and tells nobody.

    The nanny of the one that was killed starts another.
    """
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        client.wait_for_workers(2, timeout=120)
        gone = set()
        for ask in asks:
            deadly = Deadly(client.get_executor(), tmp_path / ask.__name__, 4)
            assert ask(deadly) == expected[ask], ask.__name__
            assert deadly.submitted > 5
            gone.add(deadly.killed)
        assert len(gone) == len(asks)


@pytest.mark.slow
def test_the_recipe_of_the_readme() -> None:
    pytest.importorskip("dask.distributed")
    text = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    (recipe,) = re.findall(r"```python\n(from dask\.distributed .*?)```", text, re.DOTALL)
    kf5 = build_plan(load_dataset("kf5").graph)
    names: dict[str, Any] = {"__name__": "__main__", "seqkit": seqkit, "kf5": kf5}
    exec(recipe.replace("00_000,", "00,"), names)
    expected = simulate(kf5, 0.02, trials=100_000, rng=7, executor=1)
    assert names["simulation"].counts.equals(expected.counts)
    assert names["train"].mean() == schedule(kf5, 600, 4, 0.02, trials=1_000, rng=7, executor=1).mean()


@each_ask
def test_what_takes_long_is_seen_to_go_on(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class AtOnce(progress.Bar):
        def __init__(self, **options: Any) -> None:
            assert options["delay"] == 1
            super().__init__(**options | {"delay": 0})

    monkeypatch.setattr(progress, "Bar", AtOnce)
    ask(1)
    assert "100%" in capsys.readouterr().err
