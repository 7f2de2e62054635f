"""Replays, against the naive reading of the rules, and against chances by full enumeration."""

from __future__ import annotations

import itertools
import math
from datetime import UTC, datetime
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqkit import (
    CommonCause,
    FailureModel,
    GraphRunRecorder,
    MemoryRunLedger,
    RepoDependencyGraph,
    RepoNotFound,
    RunNotFound,
    ScriptedReleaser,
    build_plan,
    run_plan,
    simulate,
)
from seqkit.core.model import spec_digest_of
from seqkit.history import Replay, replay
from tests.tools.brute import follow
from tests.tools.by_hand import Run, written
from tests.tools.strategies import Train, attempts, budgets, policies, trains

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
CHAIN = RepoDependencyGraph.from_edges([("core", "api"), ("api", "app"), ("core", "docs")])


def broken_off(graph: RepoDependencyGraph, events: list[tuple[str, str]], attempts: int = 1) -> MemoryRunLedger:
    """A run that goes on, or died, after some events."""
    donor = MemoryRunLedger(ids=["donor"])
    run_plan(build_plan(graph, version="1"), ScriptedReleaser(), donor, attempts=attempts)
    ledger = MemoryRunLedger(ids=["run"], clock=lambda: NOON)
    recorder = GraphRunRecorder.start(ledger, spec_digest_of("x"), donor.get_run("donor").metadata, lambda: NOON)
    for kind, repo in events:
        recorder.record(kind, {"node_id": repo, "version": "1", "run_id": f"run-{repo}", "error": "red"})
    return ledger


def entered(repo: str, *then: str) -> list[tuple[str, str]]:
    return [("NodeEntered", repo), *((kind, repo) for kind in then)]


# ---------------------------------------------------------------------- one outcome


@settings(max_examples=80)
@given(trains(), st.booleans())
def test_a_run_replayed_as_it_was_comes_to_what_it_came_to(train: Train, record_skips: bool) -> None:
    ledger = MemoryRunLedger()
    run = train.run(ledger, record_skips=record_skips)
    again = replay(ledger, run.run_id or "")
    assert again.outcome is not None
    assert again.outcome.to_frame().equals(run.to_frame())
    assert (again.trials, again.seed, again.drawn) == (1, None, ())
    frame = again.to_frame()
    assert frame.index.tolist() == train.plan.released
    for _, row in frame.iterrows():
        assert row[f"p_{row['recorded']}"] == 1
        assert row["known"]
        assert row["se_succeeded"] == row["se_failed"] == row["se_skipped"] == 0
    assert again.n_succeeded == len(run.succeeded)


@settings(max_examples=80)
@given(trains(), policies, budgets, attempts)
def test_other_rules_give_what_they_would_have_given(train: Train, policy: str, budget: int | None, tried: int) -> None:
    ledger = MemoryRunLedger()
    run = train.run(ledger)
    recorded = train.reading()
    other = Train(train.nodes, train.edges, train.released, train.failing, policy, budget, tried, train.scope)  # type: ignore[arg-type]
    # Somebody knows what the ledger does not: how the tries would have gone that were not made.
    unknown = [repo for repo in train.plan.released if repo not in recorded.succeeded and recorded.tries[repo] < tried]
    fails = [repo for repo in unknown if train.failing.get(repo, 0) >= tried]
    again = replay(
        ledger,
        run.run_id or "",
        policy=policy,  # type: ignore[arg-type]
        failure_budget=len(train.nodes) + 1 if budget is None else budget,
        attempts=tried,
        fail=fails,
        succeed=[repo for repo in unknown if repo not in fails],
    )
    expected = other.reading()
    assert again.outcome is not None
    assert again.outcome.succeeded == expected.succeeded
    assert list(again.outcome.failures) == expected.failed
    assert again.outcome.skipped == expected.skipped
    assert (again.policy, again.attempts) == (policy, tried)
    for repo, reason in again.outcome.failed:
        assert reason in ("named as failing", f"{repo} failed {tried}")


@settings(max_examples=80)
@given(trains(), policies, attempts)
def test_what_is_missing_is_named(train: Train, policy: str, tried: int) -> None:
    ledger = MemoryRunLedger()
    run = train.run(ledger)
    recorded = train.reading()
    # Going as far as it can: what is not known is released.
    hopeful = {
        repo: bad if recorded.tries[repo] >= min(bad + 1, tried) else 0
        for repo, bad in train.failing.items()
        if repo in recorded.tries
    }
    far = Train(train.nodes, train.edges, train.released, hopeful, policy, train.budget, tried, train.scope)  # type: ignore[arg-type]
    reached = far.reading()
    missing = [
        repo
        for repo in train.order
        if reached.tries[repo] and repo not in recorded.succeeded and recorded.tries[repo] < tried
    ]
    if missing:
        with pytest.raises(ValueError, match=rf"of {len(missing)} repos?: .*pass model=") as raised:
            replay(ledger, run.run_id or "", policy=policy, attempts=tried)  # type: ignore[arg-type]
        assert all(repr(repo) in str(raised.value) for repo in missing)
    else:
        assert replay(ledger, run.run_id or "", policy=policy, attempts=tried, model=0.5).outcome is not None  # type: ignore[arg-type]


def test_named_outcomes_go_before_the_ledger() -> None:
    ledger = MemoryRunLedger(ids=["run"])
    run_plan(build_plan(CHAIN, version="1"), ScriptedReleaser(["api"]), ledger)
    assert replay(ledger, "run", fail="docs").outcome.failures.keys() == {"api", "docs"}  # type: ignore[union-attr]
    certain = replay(ledger, "run", succeed=["api", "app"])
    assert certain.outcome is not None
    assert certain.outcome.overall_success
    assert certain.to_frame()["known"].all()
    assert replay(ledger, "run", fail="core", policy="continue", succeed=["app"]).outcome.succeeded == ["docs", "app"]  # type: ignore[union-attr]


def test_a_try_that_was_made_is_kept_and_a_try_that_was_not_is_drawn() -> None:
    ledger = broken_off(CHAIN, entered("core", "NodeRetrying", "NodeRetrying", "NodeExited"), attempts=3)
    once = replay(ledger, "run", attempts=1)
    assert once.outcome is not None
    assert once.outcome.failures == {"core": "red"}
    thrice = replay(ledger, "run", model=0.0)
    assert thrice.trial(0).attempts[0] == 3
    failed = broken_off(CHAIN, entered("core", "NodeRetrying", "NodeFailed"), attempts=2)
    assert replay(failed, "run", attempts=2).outcome is not None
    more = replay(failed, "run", attempts=4, model={"core": 0.5}, trials=4000, rng=3).to_frame()
    assert more.loc["core", "p_failed"] == pytest.approx(0.25, abs=5 * more.loc["core", "se_failed"])
    assert not more.loc["core", "known"]


def test_nothing_that_comes_after_a_release_counts() -> None:
    ledger = broken_off(CHAIN, entered("core", "NodeExited", "NodeEntered", "NodeFailed", "NodeSkipped"))
    assert replay(ledger, "run", succeed=["api", "app", "docs"]).outcome.overall_success  # type: ignore[union-attr]


def test_a_repo_in_doubt_has_an_unknown_outcome() -> None:
    ledger = broken_off(CHAIN, entered("core"))
    with pytest.raises(ValueError, match="'core'"):
        replay(ledger, "run")
    frame = replay(ledger, "run", model=0.5, trials=100, rng=1).to_frame()
    assert frame["recorded"].tolist() == ["in_progress", "pending", "pending", "pending"]
    assert not frame["known"].any()


# ---------------------------------------------------------------------- many outcomes


@pytest.mark.filterwarnings("ignore::seqkit.UnknownRepo")  # names of a draw may look like slips of each other
@settings(max_examples=80)
@given(trains(), st.integers(0, 5), policies, budgets, attempts)
def test_where_nothing_is_known_a_replay_is_a_simulation(
    train: Train, seed: int, policy: str, budget: int | None, tried: int
) -> None:
    plan = train.plan
    model = FailureModel(default=0.4, common_causes=[CommonCause("outage", 0.3, train.nodes[:2])])
    donor, ledger = MemoryRunLedger(ids=["donor"]), MemoryRunLedger(ids=["run"])
    run_plan(plan, ScriptedReleaser(), donor)
    GraphRunRecorder.start(ledger, spec_digest_of("x"), donor.get_run("donor").metadata)
    rules = {"policy": policy, "failure_budget": budget, "attempts": tried}
    again = replay(ledger, "run", model=model, trials=64, rng=seed, **rules)  # type: ignore[arg-type]
    if not plan.released:
        assert again.outcome is not None
        return
    simulated = simulate(plan, model, trials=64, rng=seed, **rules)  # type: ignore[arg-type]
    for trial in (0, 17, 63):
        assert again.trial(trial).statuses == simulated.trial(trial).outcome.statuses
    ours, theirs = again.to_frame(), simulated.to_frame()
    for column in ("p_succeeded", "p_failed", "p_skipped"):
        assert ours[column].to_dict() == theirs[column].to_dict()


@settings(max_examples=80)
@given(trains(largest=5), st.integers(0, 3), policies)
def test_the_frames_of_a_replay_agree_with_its_trials(train: Train, seed: int, policy: str) -> None:
    ledger = MemoryRunLedger()
    run = train.run(ledger)
    again = replay(ledger, run.run_id or "", policy=policy, model=0.5, trials=20, rng=seed)  # type: ignore[arg-type]
    trials = [again.trial(number) for number in range(again.trials)]
    frame, outcomes = again.to_frame(), again.outcomes
    for repo in train.plan.released:
        names = [next(item.status.name for item in one.items if item.repo_id == repo) for one in trials]
        for end in ("succeeded", "failed", "skipped"):
            assert frame.loc[repo, f"p_{end}"] == names.count(end) / again.trials
    assert outcomes["trials"].sum() == again.trials
    assert outcomes["probability"].sum() == pytest.approx(1)
    assert outcomes["trials"].is_monotonic_decreasing
    for row in outcomes.itertuples():
        one = trials[row.trial]
        assert row.failed == list(one.failures)
        assert row.trials == sum(
            list(other.failures) == row.failed and other.skipped == one.skipped for other in trials
        )
        assert (row.n_succeeded, row.n_failed) == (len(one.succeeded), len(one.failed))
    assert again.n_succeeded == pytest.approx(sum(len(one.succeeded) for one in trials) / again.trials)


def by_enumeration(
    model: FailureModel, ledger_says: dict[str, bool], graph: RepoDependencyGraph
) -> dict[str, Fraction]:
    """P(released) of each repo given how the tries of some went (True: it failed), for one attempt each."""
    plan = build_plan(graph, version="1")
    causes, repos = list(model.common_causes), plan.released
    total, released = Fraction(0), dict.fromkeys(repos, Fraction(0))
    for strikes in itertools.product((False, True), repeat=len(causes)):
        if any(strike and not cause.probability for cause, strike in zip(causes, strikes, strict=True)):
            continue  # its weight is 0
        hit = {repo for cause, strike in zip(causes, strikes, strict=True) if strike for repo in cause.repos}
        for fails in itertools.product((False, True), repeat=len(repos)):
            failing = hit | {repo for repo, fail in zip(repos, fails, strict=True) if fail}
            if any((repo in failing) != failed for repo, failed in ledger_says.items()):
                continue
            weight = Fraction(1)
            for cause, strike in zip(causes, strikes, strict=True):
                weight *= Fraction(cause.probability) if strike else 1 - Fraction(cause.probability)
            for repo, fail in zip(repos, fails, strict=True):
                weight *= Fraction(model.rate(repo)) if fail else 1 - Fraction(model.rate(repo))
            total += weight
            for repo in follow(plan, failing)[1]:
                released[repo] += weight
    return {repo: weight / total for repo, weight in released.items()}


WIDE = RepoDependencyGraph.from_edges([("b", "d"), ("c", "d")], nodes=["a", "b", "c", "d", "e"])
MODEL = FailureModel(
    rates={"a": 0.1, "b": 0.2, "c": 0.3, "d": 0.25, "e": 0.05},
    common_causes=[
        CommonCause("one", 0.3, ["a", "b", "d"]),
        CommonCause("two", 0.2, ["a", "c"]),
        CommonCause("three", 0.15, ["b", "e"]),
        CommonCause("never", 0.0, ["a", "b", "c", "d", "e"]),
    ],
)


@pytest.mark.parametrize(
    "told",
    [
        {"a": True},
        {"a": False},
        {"a": True, "b": True},
        {"a": True, "c": False},
        {"b": True, "e": False},
        {},
    ],
    ids=str,
)
@pytest.mark.parametrize("trials", [2000, pytest.param(20_000, marks=pytest.mark.slow)])
def test_what_is_recorded_tells_which_common_causes_struck(told: dict[str, bool], trials: int) -> None:
    events = [
        event for repo, failed in told.items() for event in entered(repo, "NodeFailed" if failed else "NodeExited")
    ]
    again = replay(broken_off(WIDE, events), "run", model=MODEL, trials=trials, rng=11).to_frame()
    for repo, chance in by_enumeration(MODEL, told, WIDE).items():
        se = math.sqrt(max(float(chance * (1 - chance)), 1e-9) / trials)
        assert again.loc[repo, "p_succeeded"] == pytest.approx(float(chance), abs=4.5 * se), repo


def test_every_failed_try_is_evidence_of_a_common_cause() -> None:
    model = FailureModel(rates={"core": 0.5}, common_causes=[CommonCause("outage", 0.25, ["core", "docs"])])
    ledger = broken_off(CHAIN, entered("core", "NodeRetrying", "NodeRetrying", "NodeFailed"), attempts=3)
    again = replay(ledger, "run", policy="continue", model=model, trials=4000, rng=2).to_frame()
    struck = 0.25 / (0.25 + 0.75 * 0.5**3)
    assert again.loc["docs", "p_failed"] == pytest.approx(struck, abs=4.5 * math.sqrt(struck * (1 - struck) / 4000))


def test_too_many_causes_to_tell_apart_are_refused() -> None:
    model = FailureModel(common_causes=[CommonCause(f"cause {n}", 0.1, ["core"]) for n in range(13)])
    with pytest.raises(ValueError, match="13 common causes that may have struck in the run, expected at most 12"):
        replay(broken_off(CHAIN, entered("core", "NodeFailed")), "run", model=model)
    assert replay(broken_off(CHAIN, entered("core", "NodeExited")), "run", model=model, trials=1, rng=0).drawn


def test_the_same_seed_gives_the_same_replay() -> None:
    ledger = broken_off(CHAIN, [])
    one, two = (replay(ledger, "run", model=0.3, trials=50, rng=5) for _ in range(2))
    assert one.to_frame().equals(two.to_frame())
    fresh = replay(ledger, "run", model=0.3, trials=50)
    assert fresh.to_frame().equals(replay(ledger, "run", model=0.3, trials=50, rng=fresh.seed).to_frame())


def test_reprs_say_what_it_came_to() -> None:
    ledger = broken_off(CHAIN, entered("core", "NodeExited"))
    sure, unsure = replay(ledger, "run", fail="core"), replay(ledger, "run", model=0.5, trials=100, rng=5)
    assert repr(sure) == "Replay(run run: 0 succeeded, 1 failed, 3 blocked)"
    assert repr(unsure).startswith("Replay(run run: ")
    assert repr(unsure).endswith("of 4 repos released where 1 were, 3 drawn from the model in 100 trials)")
    nasty = RepoDependencyGraph.from_edges([("<script>", "b")])
    again: Replay = replay(broken_off(nasty, []), "run", fail="<script>")
    assert "<script>" not in again._repr_html_()
    run_plan(build_plan(CHAIN, version="1"), ScriptedReleaser(["api"]), whole := MemoryRunLedger(ids=["run"]))
    assert "every repo ends as it did" in replay(whole, "run")._repr_html_()
    assert "every repo ends as it did" not in replay(whole, "run", succeed=["api", "app"])._repr_html_()


# ---------------------------------------------------------------------- wrong arguments


def test_what_is_wrong_is_named() -> None:
    ledger = broken_off(CHAIN, [])
    with pytest.raises(RunNotFound, match="run not found: nobody"):
        replay(ledger, "nobody")
    with pytest.raises(RepoNotFound, match="zzz"):
        replay(ledger, "run", fail="zzz")
    with pytest.raises(ValueError, match=r"fail and succeed both name 'core', expected one of the two"):
        replay(ledger, "run", fail="core", succeed=["core", "api"])
    with pytest.raises(ValueError, match="trials is 0, expected a whole number from 1"):
        replay(ledger, "run", model=0.5, trials=0)
    with pytest.raises(ValueError, match="policy is 'never'"):
        replay(ledger, "run", policy="never", model=0.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="attempts is 0"):
        replay(ledger, "run", attempts=0, model=0.5)
    with pytest.raises(ValueError, match="failure_budget is 0"):
        replay(ledger, "run", failure_budget=0, model=0.5)
    with pytest.raises(TypeError, match="model is 'often'"):
        replay(ledger, "run", model="often")
    with pytest.raises(ValueError, match="number is 5, expected a whole number from 0 to 4"):
        replay(ledger, "run", model=0.5, trials=5).trial(5)


# ---------------------------------------------------------------------- doubt


def test_what_came_late_rules_causes_out_and_a_doubt_does_not() -> None:
    plan = build_plan(RepoDependencyGraph.from_edges([], nodes=["a", "b", "c"]), version="1")
    model = FailureModel(default=0.2, common_causes=[CommonCause("outage", 0.5, ["b", "c"])])
    ledger = written(
        late=Run(plan, ["enter a", "exit a", "enter b", "hang b", "late b"], "CANCELLED"),
        doubt=Run(plan, ["enter a", "exit a", "enter b", "doubt b"], "CANCELLED"),
    )
    late, doubt = (replay(ledger, run, model=model, trials=4000, rng=1).to_frame() for run in ("late", "doubt"))
    assert (late["p_failed"]["b"], doubt["p_failed"]["b"]) == (1, 1)  # as the runs had it
    assert late["p_failed"]["c"] == pytest.approx(0.2, abs=0.03)
    struck = 0.5 / (0.5 + 0.5 * 0.2)
    assert doubt["p_failed"]["c"] == pytest.approx(struck + (1 - struck) * 0.2, abs=0.03)
