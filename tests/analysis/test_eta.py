"""When a run that is under way will end: right in the long run, and what it makes of what a ledger tells."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta

import pytest

from seqkit import (
    CommonCause,
    DurationModel,
    FailureModel,
    MemoryRunLedger,
    RepoDependencyGraph,
    Retry,
    RunEvent,
    RunMetadata,
    RunNotFound,
    SimulatedReleaser,
    VirtualClock,
    build_plan,
    eta,
    read_ledger,
    run_plan,
)
from seqkit.analysis.schedule.scheduling import schedule
from seqkit.core.model import spec_digest_of

BEGAN = datetime(2026, 1, 2, 10, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


# ---------------------------------------------------------------------- in the long run


def random_case(rng: random.Random):
    """A train, its durations and failures, and how it is run: no two alike."""
    n = rng.randint(1, 14)
    ids = [f"r{i}" for i in range(n)]
    edges = [(ids[i], ids[j]) for j in range(n) for i in range(j) if rng.random() < 1.5 / n]
    plan = build_plan(RepoDependencyGraph.from_edges(edges, nodes=ids), version="1")
    medians = {repo: rng.choice([30, 60, 300, 900]) for repo in ids}
    own = rng.choice([0.2, 0.5, 1.0])
    if rng.random() < 0.3:
        times = DurationModel.from_samples(
            {repo: [rng.lognormvariate(0, own) * median for _ in range(20)] for repo, median in medians.items()}
        )
    else:
        failed = rng.choice([None, DurationModel(60, sigma=0.3), DurationModel(1200, sigma=0.6)])
        times = DurationModel(medians, sigma=own, failed=failed)
    causes = [
        CommonCause(name, 0.3, rng.sample(ids, max(1, n // 2)), severity)
        for name, severity in (("outage", 1.0), ("slow", 0.4))
        if rng.random() < 0.4
    ]
    model = FailureModel(default=rng.choice([0.0, 0.1, 0.4]), hard=rng.choice([0.0, 0.5]), common_causes=causes)
    waits = Retry(rng.randint(1, 4), rng.choice([0.0, 40.0, 600.0]), backoff=1.5, jitter=rng.choice([0.0, 0.3]))
    how = {
        "attempts": waits,
        "policy": rng.choice(["skip_dependents", "stop", "continue"]),
        "failure_budget": rng.choice([None, None, 2]),
        "max_parallel": rng.choice([1, 2, 4, None]),
        "priority": rng.choice([None, "plan", "most_blocked", {ids[-1]: 5.0}]),
        "min_interval": rng.choice([0.0, 0.0, 45.0]),
        "durations": times,
    }
    return plan, times, model, how


def covered(runs: int, trials: int, seed: int) -> tuple[float, float]:
    """In which share of runs the end lay by P50, and by P80, as told at a moment that knows nothing of the end.

    The moment must not hang on how long the run takes, as a share of it would; runs that ended before are left out.
    """
    rng = random.Random(seed)
    by_half = by_most = number = 0
    while number < runs:
        plan, times, model, how = random_case(rng)
        scale = sum(map(times.mean, plan.released)) / (1 if how["max_parallel"] == 1 else 2)
        now = at(round(rng.random() * scale, 3))
        releaser = SimulatedReleaser(model, rng=rng.getrandbits(40), durations=times)
        outcome = run_plan(plan, releaser, clock=VirtualClock(BEGAN), **how)
        ended = outcome.ledger.get_run(outcome.run_id).completed_at
        if ended <= now:
            continue
        told = eta(outcome.ledger, outcome.run_id, times, model, now=now, trials=trials, rng=rng.getrandbits(40))
        by_half += ended <= told.quantile(0.5)
        by_most += ended <= told.quantile(0.8)
        number += 1
    return by_half / runs, by_most / runs


def test_half_of_the_ends_lie_by_p50_and_four_of_five_by_p80():
    by_half, by_most = covered(runs=100, trials=40, seed=3)
    assert 0.37 <= by_half <= 0.63
    assert 0.70 <= by_most <= 0.90


@pytest.mark.slow
def test_it_is_right_in_the_long_run():
    by_half, by_most = covered(runs=3_000, trials=400, seed=7)
    assert 0.47 <= by_half <= 0.53
    assert 0.77 <= by_most <= 0.83


@pytest.mark.parametrize("runs", [40, pytest.param(400, marks=pytest.mark.slow)])
def test_what_is_under_way_is_told_as_it_is(runs):
    """Starts of second attempts leave no event: with lanes, priorities and intervals they are found all the same."""
    rng, seen = random.Random(5), 0
    for _ in range(runs):
        plan, times, model, how = random_case(rng)
        clock, made = VirtualClock(BEGAN), []
        simulated = SimulatedReleaser(model, rng=rng.getrandbits(40), durations=times)

        async def release(repo, version, digest, by, attempt=1, clock=clock, made=made, simulated=simulated):
            began = clock()
            try:
                return await simulated.release(repo, version, digest, by, attempt)
            finally:
                made.append((repo, attempt, began, clock()))

        outcome = run_plan(plan, release, clock=clock, rng=1, **how)
        for _ in range(3):
            now = at(round(rng.random() * clock.elapsed.total_seconds(), 3))
            frame = eta(outcome.ledger, outcome.run_id, times, model, now=now, trials=1, rng=1).to_frame()
            frame = frame[frame["status"] == "in_progress"]
            expected = {repo: (number, began) for repo, number, began, ended in made if began <= now < ended}
            told = dict(zip(frame.index, zip(frame["attempt"], frame["since"], strict=True), strict=True))
            assert told == expected
            seen += sum(number > 1 for number, _ in expected.values())
    assert seen > 0.3 * runs


# ---------------------------------------------------------------------- what the ledger tells, by hand

PLAN = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("api", "app"), ("core", "docs")]), version="1")
TIMES = {"core": 600, "api": 1200, "app": 300, "docs": 60}


def written(*told: tuple[float, str, str], plan=PLAN, **how):
    """A run that goes on: (seconds, kind and repo, more of the payload as JSON)."""
    ledger = MemoryRunLedger(clock=lambda: BEGAN)
    tag = json.loads(plan.to_json()) | {"attempts": 1, "policy": "skip_dependents", "failure_budget": None} | how
    record = ledger.create_run(spec_digest_of("x"), RunMetadata(tags={"plan": tag}))
    for seq, (seconds, what, more) in enumerate(told, 1):
        kind, repo = what.split()
        payload = {"node_id": repo} | (json.loads(more) if more else {})
        ledger.append_event(record, RunEvent(seq=seq, kind=kind, payload=payload, timestamp=at(seconds)))
    return ledger, record


def exactly(told) -> float:
    """The seconds at which all trials end."""
    first, last = told.quantile(0.01), told.quantile(0.99)
    assert first == last == told.mean
    return (first - BEGAN).total_seconds()


# Shares of so many trials are held against the exact ones: a wrong law is off by more than four standard errors.
each_count = pytest.mark.parametrize("trials", [4_000, pytest.param(40_000, marks=pytest.mark.slow)])


def about(p: float, trials: int):
    return pytest.approx(p, abs=4 * (p * (1 - p) / trials) ** 0.5)


ENTER, EXIT, FAIL, RETRY = "NodeEntered", "NodeExited", "NodeFailed", "NodeRetrying"


def test_a_run_that_has_just_begun_ends_as_its_plan_does():
    """The same seed draws the same, whoever asks."""
    times = DurationModel(TIMES, sigma=0.5, failed=DurationModel(50, sigma=0.2))
    causes = [CommonCause("slow", 0.3, ["api", "docs"], 0.5), CommonCause("outage", 0.1, ["app", "docs"])]
    model = FailureModel({"docs": 0.3}, default=0.1, hard=0.4, common_causes=causes)
    waits = Retry(3, 30, backoff=2.0, jitter=0.2)
    for lanes in (1, 2, None):
        ledger, run = written(
            max_parallel=lanes,
            attempts=3,
            retry={"delay": 30.0, "backoff": 2.0, "jitter": 0.2, "max_delay": None},
            min_interval=20.0,
        )
        told = eta(ledger, run, times, model, trials=100, rng=7)
        train = schedule(PLAN, times, lanes, model, waits, min_interval=20.0, start=BEGAN, trials=100, rng=7)
        assert [told.quantile(q) for q in (0.1, 0.5, 0.8, 0.99)] == [train.quantile(q) for q in (0.1, 0.5, 0.8, 0.99)]
        assert (told.mean, told.p_complete) == (train.mean(), train.p_complete)
        assert told.p_done_by(at(2_400)) == (train.makespan() <= at(2_400)).mean()
        assert told.to_frame()["p50"].tolist() == train.to_frame()["finish_p50"].tolist()


def test_what_is_done_is_done_and_what_runs_has_been_running():
    ledger, run = written((0, f"{ENTER} core", ""), (700, f"{EXIT} core", ""), (700, f"{ENTER} api", ""))
    assert exactly(eta(ledger, run, TIMES, trials=4)) == 700 + 1200 + 300 + 60
    assert exactly(eta(ledger, run, TIMES, trials=4, now=at(500))) == 600 + 1200 + 300 + 60
    told = eta(ledger, run, TIMES, trials=4, now=at(1_900))
    assert exactly(told) == 1_900 + 300 + 60
    assert (told.running, told.waiting, told.left, told.overdue) == (("api",), (), ("docs", "app"), ())
    assert (told.p_done_by(at(2_259)), told.p_done_by(at(2_260)), told.p_complete) == (0, 1, 1)
    frame = told.to_frame()
    assert frame.index.tolist() == ["api", "docs", "app"]
    assert frame["status"].tolist() == ["in_progress", "pending", "pending"]
    assert frame["since"].tolist()[0] == at(700)
    assert frame["p80"].tolist()[0] == at(1_900)


def test_what_runs_for_longer_than_ever_may_end_at_any_moment():
    ledger, run = written((0, f"{ENTER} core", ""), max_parallel=None)
    told = eta(ledger, run, TIMES, trials=4, now=at(5_000))
    assert (exactly(told), told.overdue) == (5_000 + 1_500, ("core",))
    assert told.to_frame()["overdue"].tolist() == [True, False, False, False]
    assert "longer than ever: core" in repr(told)
    times = DurationModel.from_samples({"core": [600, 4_000, 9_000]}, default=60)
    told = eta(ledger, run, times, trials=400, now=at(5_000))
    assert (exactly(told), told.overdue) == (9_000 + 120, ())
    far = eta(ledger, run, DurationModel(60, sigma=0.5), trials=4, now=at(1e6))
    assert far.overdue == ("core",)


@each_count
def test_how_long_it_has_been_running_tells_whether_it_fails(trials):
    """A failed attempt takes a second here: who has been running for ten does not fail. And the other way round."""
    ledger, run = written((0, f"{ENTER} core", ""))
    for times, sure in (
        (DurationModel(60, failed=1), 1.0),
        (DurationModel(5, failed=60), 0.0),
    ):
        told = eta(ledger, run, times, {"core": 0.5}, trials=200, now=at(10), rng=1)
        assert told.to_frame()["p_released"]["core"] == sure
    # By Bayes: 1/2 of the successes and all failures last so long, so that 1/3 of those that do succeed.
    times = DurationModel.from_samples({"core": [5, 60]}, default=1, failed=60)
    told = eta(ledger, run, times, {"core": 0.5}, trials=trials, now=at(10), rng=1)
    assert told.p_complete == about(1 / 3, trials)


def test_failed_repos_block_by_the_policy_of_the_run():
    told = [(0, f"{ENTER} core", ""), (60, f"{EXIT} core", ""), (60, f"{ENTER} api", ""), (90, f"{FAIL} api", "")]
    for policy, end, left in (
        ("skip_dependents", 150, ("docs",)),
        ("continue", 450, ("docs", "app")),
        ("stop", 90, ()),
    ):
        ledger, run = written(*told, policy=policy)
        found = eta(ledger, run, TIMES, trials=4)
        assert (policy, exactly(found), found.left) == (policy, end, left)
        assert found.p_complete == 0
    ledger, run = written(*told, policy="continue", failure_budget=1)
    assert exactly(eta(ledger, run, TIMES, trials=4)) == 90
    doubt = [*told[:3], (90, f"{FAIL} api", '{"in_doubt": true}')]
    assert exactly(eta(*written(*doubt), TIMES, trials=4)) == 150


def test_a_lane_of_what_goes_on_though_it_has_failed_stays_taken():
    told = [(0, f"{ENTER} core", ""), (60, f"{EXIT} core", ""), (60, f"{ENTER} api", "")]
    hangs = (90, f"{FAIL} api", '{"in_doubt": true, "still_running": true}')
    assert exactly(eta(*written(*told, hangs, max_parallel=2), TIMES, trials=4)) == 150
    ledger, run = written(*told, hangs)  # no lane is left: the run ends without it
    found = eta(ledger, run, TIMES, trials=4)
    assert (exactly(found), found.p_complete) == (90, 0)


def test_a_retry_starts_once_it_is_due():
    told = [(0, f"{ENTER} core", ""), (60, f"{RETRY} core", '{"attempt": 1, "delay_ms": 240000, "error": "red"}')]
    ledger, run = written(*told, attempts=2)
    found = eta(ledger, run, TIMES, trials=4)
    assert exactly(found) == 300 + 600 + 1200 + 300 + 60
    assert (found.running, found.waiting) == ((), ("core",))
    assert found.to_frame()["attempt"].tolist() == [2, 1, 1, 1]
    found = eta(ledger, run, TIMES, trials=4, now=at(400))
    assert (found.running, exactly(found)) == (("core",), 2_460)
    stopped = [(0, f"{ENTER} a", ""), (0, f"{ENTER} b", ""), (5, told[1][1].replace("core", "a"), told[1][2])]
    plan = build_plan(RepoDependencyGraph.from_edges([], nodes=["a", "b"]), version="1")
    ledger, run = written(*stopped, (9, f"{FAIL} b", ""), plan=plan, attempts=2, policy="stop", max_parallel=2)
    assert exactly(eta(ledger, run, 100, trials=4)) == 9


@each_count
def test_a_repo_that_has_failed_is_broken_by_the_evidence(trials):
    """b / (b + (1 - b) f^m): of a rate of 0.5, half of it hard, b = 1/4 and f = 1/3; after two failures 3/4."""
    again = '{"attempt": 1, "delay_ms": 0, "error": "red"}'
    plan = build_plan(RepoDependencyGraph.from_edges([], nodes=["a"]), version="1")
    ledger, run = written(
        (0, f"{ENTER} a", ""), (1, f"{RETRY} a", again), (2, f"{RETRY} a", again), plan=plan, attempts=9
    )
    found = eta(ledger, run, 10, FailureModel(default=0.5, hard=0.5), trials=trials, rng=3)
    assert found.p_complete == about(1 / 4, trials)


@each_count
def test_a_common_cause_is_drawn_by_the_evidence(trials):
    plan = build_plan(RepoDependencyGraph.from_edges([], nodes=["a", "b", "c"]), version="1")
    outage = FailureModel(common_causes=[CommonCause("outage", 0.5, ["a", "b", "c"])])
    out = written((0, f"{ENTER} a", ""), (9, f"{EXIT} a", ""), plan=plan)
    assert eta(*out, 10, outage, trials=50, rng=1).p_complete == 1
    failed = written((0, f"{ENTER} a", ""), (9, f"{FAIL} a", ""), plan=plan)
    assert eta(*failed, 10, outage, trials=50, rng=1).to_frame()["p_released"].tolist() == [0, 0]
    # A release says of a cause of severity 1/2 that struck with 1/2: 1/3. So b fails with 1/6.
    slow = FailureModel(common_causes=[CommonCause("slow", 0.5, ["a", "b"], 0.5)])
    found = eta(*out, 10, slow, trials=trials, rng=1)
    assert found.p_complete == about(5 / 6, trials)


def test_a_run_that_has_ended_gives_its_own_end():
    outcome = run_plan(PLAN, SimulatedReleaser(0.0, rng=1, durations=TIMES), clock=VirtualClock(BEGAN))
    found = eta(outcome.ledger, outcome.run_id, TIMES)
    assert (exactly(found), found.over, found.trials, found.p_complete) == (2_160, True, 0, 1)
    assert repr(found) == "Eta(ended 2026-01-02 10:36 UTC)"
    assert repr(found.mean) == "exactly 2026-01-02 10:36"
    assert (found.p_done_by(at(2_160)), found.p_done_by(at(2_159))) == (1, 0)
    assert found.to_frame().empty
    assert "ended" in found._repr_html_()
    assert not eta(outcome.ledger, outcome.run_id, TIMES, now=at(2_159.9), trials=4).over


def test_everything_done_and_not_yet_closed_ends_now():
    events = [(t, f"{kind} {repo}", "") for t, repo in enumerate(PLAN.released) for kind in (ENTER, EXIT)]
    found = eta(*written(*events), TIMES, trials=4, now=at(99))
    assert (exactly(found), found.left, found.to_frame().empty) == (99, (), True)
    assert repr(found) == "Eta(about 10:01:39, with 80 % before 10:01:39 UTC; nothing left)"


def test_a_run_is_read_from_its_database_while_it_goes(tmp_path):
    path, found = tmp_path / "runs.db", []
    times = DurationModel(TIMES, sigma=0.5)
    simulated = SimulatedReleaser(0.0, rng=1, durations=times)

    async def release(*about):
        (run,) = read_ledger(path).list_runs()
        found.append(eta(path, run.run_id, times, trials=50, rng=1))
        return await simulated.release(*about)

    outcome = run_plan(PLAN, release, path, clock=VirtualClock(BEGAN))
    assert [told.running for told in found] == [(repo,) for repo in PLAN.released]
    assert [len(told.left) for told in found] == [3, 2, 1, 0]
    assert not any(told.over for told in found)
    assert eta(path, outcome.run_id, times).over


def test_it_does_not_hang_on_the_order_of_trials():
    ledger, run = written((0, f"{ENTER} core", ""))
    times = DurationModel(TIMES, sigma=0.5)
    few, many = (eta(ledger, run, times, 0.1, now=at(60), trials=trials, rng=5) for trials in (40, 2_000))
    assert few.p_done_by(at(2_000)) * 40 == sum(many._ends[:40] <= 2_000_000)
    assert few.seed == 5


def test_what_is_wrong_is_said():
    ledger, run = written((0, f"{ENTER} core", ""))
    with pytest.raises(RunNotFound):
        eta(ledger, "no such run", TIMES)
    with pytest.raises(ValueError, match="durations has none for 'app', expected one for each repo to release"):
        eta(ledger, run, {"core": 1, "api": 1, "docs": 1})
    with pytest.raises(ValueError, match="did you mean 'core'"):
        eta(ledger, run, TIMES, {"croe": 0.5})
    with pytest.raises(ValueError, match=r"now is .* before the run began"):
        eta(ledger, run, TIMES, now=at(-1))
    with pytest.raises(ValueError, match=r"now is .* expected an aware datetime"):
        eta(ledger, run, TIMES, now=datetime(2026, 1, 2))
    with pytest.raises(ValueError, match="trials is 0"):
        eta(ledger, run, TIMES, trials=0)
    told = eta(ledger, run, TIMES, trials=4)
    for wrong in (0, 1, "0.8", True):
        with pytest.raises(ValueError, match=r"q is .* expected a probability between 0 and 1"):
            told.quantile(wrong)
    with pytest.raises(TypeError, match=r"t is 60 \(int\), expected an aware datetime"):
        told.p_done_by(60)
    bare = MemoryRunLedger()
    with pytest.raises(ValueError, match="carries no plan that can be read"):
        eta(bare, bare.create_run(spec_digest_of("x"), RunMetadata()), TIMES)


@pytest.mark.parametrize(
    ("tag", "message"),
    [
        ({"max_parallel": 0}, "the plan tag's max_parallel is 0"),
        ({"max_parallel": "two"}, "the plan tag's max_parallel is 'two'"),
        ({"priority": "mine"}, "the plan tag's priority is 'mine'"),
        ({"priority": {"core": "high"}}, r"the plan tag's priority\['core'\] is 'high', expected a number"),
        ({"priority": ["core"]}, "the plan tag's priority is"),
        ({"min_interval": -1}, "the plan tag's min_interval is -1"),
        ({"retry": 3}, "the plan tag's retry is 3"),
        ({"retry": {"delay": "long"}}, "delay is 'long'"),
        ({"retry": {"pause": 3}}, "pause"),
    ],
)
def test_a_tag_that_no_run_goes_by_is_refused(tag, message):
    with pytest.raises(ValueError, match=message):
        eta(*written(**tag), TIMES)
