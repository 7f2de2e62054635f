"""Importance for each goal, of repos, causes and groups, against every combination of faults tried by hand."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import replace
from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from seqkit import CommonCause, FailureModel, RepoDependencyGraph, analyze, build_plan, load_dataset
from seqkit.analysis.exact.faults import MOST_CAUSES
from tests.analysis.test_exact import assert_close, seeded
from tests.tools.brute import Outcome, brute_force, draws, follow, out_of_attempts

Number = Callable[[Collection[Outcome]], Fraction]


def number_of(of: Any, n: int) -> tuple[Number, int]:
    """The goal of some outcomes, and the highest that it can be."""
    if of == "expected":
        return lambda found: sum((o.probability * len(o.succeeded) for o in found), Fraction(0)), n
    least = n if of == "all" else of
    return lambda found: sum((o.probability for o in found if len(o.succeeded) >= least), Fraction(0)), 1


def ratio(a: Fraction, b: Fraction) -> float:
    return math.nan if not b and not a else math.inf if not b else float(a / b)


def check(case: Any, of: Any) -> None:
    plan, model, _ = case
    number, most = number_of(of, len(plan.released))
    now = number(brute_force(*case))
    frame = analyze(*case).importance(of)
    assert frame["gain_if_perfect"].is_monotonic_decreasing
    assert ("kind" in frame) is bool(model.common_causes)
    for label, row in frame.iterrows():
        repo = str(label)
        if repo in plan.released:
            best, worst = (number(brute_force(*case, **{way: [repo]})) for way in ("perfect", "hopeless"))
            assert row["n_dependents"] == len(follow(plan, [repo])[2])
        else:
            name = repo.removeprefix("cause: ")
            assert (row["kind"], frame["n_dependents"].isna()[repo]) == ("cause", True)
            best, worst = (number(brute_force(*case, **{way: [name]})) for way in ("never", "always"))
        assert row["gain_if_perfect"] == pytest.approx(float(best - now), rel=1e-12, abs=1e-14)
        assert row["birnbaum"] == pytest.approx(float(best - worst), rel=1e-12, abs=1e-13)
        for name, exact in {
            "raw": ratio(most - worst, most - now) if most > now else math.inf,
            "rrw": ratio(most - now, most - best),
            "criticality": ratio(best - now, most - now),
        }.items():
            # where next to nothing is missing, that has lost its digits
            if most - now > 1e-6 and (most - best > 1e-6 or name != "rrw"):
                assert row[name] == pytest.approx(exact, rel=1e-9, abs=1e-12), name
    lacking = abs(frame["share"].sum() - float(most - now))
    assert lacking < 1e-12


def shapley(case: Any, of: Any) -> dict[str, Fraction]:
    """Average over all orders in which faults join what each adds to the loss, by its definition."""
    plan, model, attempts = case
    number, most = number_of(of, len(plan.released))
    repos, causes = plan.released, [cause.name for cause in model.common_causes]
    players = [*repos, *(f"cause: {name}" for name in causes)]

    def loss(there: frozenset[str]) -> Fraction:
        # a repo whose own fault is not there can still be struck
        rates = {repo: model.rate(repo) if repo in there else 0.0 for repo in repos}
        left = [cause for cause in model.common_causes if f"cause: {cause.name}" in there]
        return most - number(brute_force(plan, replace(model, rates=rates, default=0.0, common_causes=left), attempts))

    known = {
        frozenset(some): loss(frozenset(some))
        for size in range(len(players) + 1)
        for some in combinations(players, size)
    }
    shares = dict.fromkeys(players, Fraction(0))
    for there, value in known.items():
        for player in set(players) - there:
            orders = Fraction(math.factorial(len(there)) * math.factorial(len(players) - len(there) - 1))
            shares[player] += orders / math.factorial(len(players)) * (known[there | {player}] - value)
    return shares


def small(seed: int) -> Any:
    plan, model, attempts = seeded(seed, n=4, causes=seed % 3)
    causes = [replace(cause, probability=min(cause.probability, 0.9)) for cause in model.common_causes]
    return plan, replace(model, common_causes=causes), attempts


@pytest.mark.parametrize("seed", range(12))
def test_every_measure_of_every_goal(seed: int) -> None:
    case = seeded(seed, n=5, causes=seed % 4)
    n = len(case[0].released)
    for of in ("expected", "all", *({1, 1 + n // 2} if n else ())):
        check(case, of)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12, 220))
def test_every_measure_of_many_plans(seed: int) -> None:
    case = seeded(seed, n=3 + seed % 5, causes=seed % 4)
    n = len(case[0].released)
    for of in ("expected", "all", *({1, 1 + n // 2, n} if n else ())):
        check(case, of)


@pytest.mark.parametrize("seed", range(6))
def test_shares_are_shapley_values(seed: int) -> None:
    case = small(seed)
    for of in ("expected", "all", 2) if len(case[0].released) > 1 else ("expected", "all"):
        frame = analyze(*case).importance(of)
        for label, exact in shapley(case, of).items():
            assert frame["share"][label] == pytest.approx(float(exact), rel=1e-12, abs=1e-12), (of, label)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6, 60))
def test_shares_are_shapley_values_of_many_plans(seed: int) -> None:
    test_shares_are_shapley_values(seed)


@pytest.mark.parametrize("seed", range(4))
def test_trains_in_sequence_are_struck_anew(seed: int) -> None:
    plan, model, attempts = seeded(seed, n=5, causes=1 + seed % 2)
    if len(plan.released) < 2:
        pytest.skip("nothing to split")
    trains = analyze(plan.split(plan.released[:1]), model, attempts)
    outcomes = brute_force(trains.plan, model, attempts)
    for of in ("expected", "all", 2):
        check((trains.plan, model, attempts), of)
    for outcome in outcomes:
        assert_close(trains.outcome_probability(outcome.failed), outcome.probability)


def test_fussell_vesely_is_the_rate_times_the_achievement_worth() -> None:
    """How likely the repo would fail if tried, given that not all are released."""
    plan, model, attempts = seeded(3, n=6, causes=0)
    frame = analyze(plan, model, attempts).importance("all")
    missed = [(p, failing) for p, failing in draws(plan, model, attempts) if failing & set(plan.released)]
    total = sum((p for p, _ in missed), Fraction(0))
    for repo in plan.released:
        exact = sum((p for p, failing in missed if repo in failing), Fraction(0)) / total
        assert float(out_of_attempts(model, repo, attempts)) * frame["raw"][repo] == pytest.approx(
            float(exact), rel=1e-12
        )


@pytest.mark.parametrize("of", ["expected", "all", 3])
def test_groups_are_asked_about_together(of: Any) -> None:
    case = seeded(5, n=6, causes=2)
    plan = case[0]
    number, most = number_of(of, len(plan.released))
    now = number(brute_force(*case))
    groups = {"first": plan.released[:2], "one": plan.released[0], "all": plan.released}
    frame = analyze(*case).importance(of, groups=groups)
    assert (frame.index.name, sorted(frame.index)) == ("group", sorted(groups))
    for name, row in frame.iterrows():
        members = [groups[str(name)]] if isinstance(groups[str(name)], str) else groups[str(name)]
        best, worst = (number(brute_force(*case, **{way: members})) for way in ("perfect", "hopeless"))
        assert row["gain_if_perfect"] == pytest.approx(float(best - now), abs=1e-12)
        assert row["birnbaum"] == pytest.approx(float(best - worst), abs=1e-12)
        assert row["criticality"] == pytest.approx(float((best - now) / (most - now)), rel=1e-9)
        assert row["n_repos"] == len(members)
        assert row["n_dependents"] == len(follow(plan, members)[2] - set(members))
    with pytest.raises(ValueError, match=r"of is 0, expected a whole number from 1"):
        analyze(*case).importance(0)
    with pytest.raises(ValueError, match=r"of is 'most', expected 'expected', 'all' or a number"):
        analyze(*case).importance("most")  # type: ignore[arg-type]


def test_what_folds_does_not_count_towards_twelve() -> None:
    nodes = [f"r{i}" for i in range(6)]
    plan = build_plan(RepoDependencyGraph.from_edges([("r0", "r1"), ("r1", "r2")], nodes=nodes), version="1")
    lone = [CommonCause(f"lone {i}", 0.1, [nodes[i % 6]], 0.5 if i % 2 else 1.0) for i in range(30)]
    same = [CommonCause(f"same {i}", 0.05, ["r0", "r3"]) for i in range(20)]
    both = analyze(plan, FailureModel(default=0.1, common_causes=[*lone, *same]), 2)
    assert both.p_all_succeed > 0
    one = CommonCause("one", 1 - 0.95**20, ["r0", "r3"])
    folded = analyze(plan, FailureModel(default=0.1, common_causes=[*lone, one]), 2)
    assert both.p_all_succeed == pytest.approx(folded.p_all_succeed, rel=1e-12)
    assert both.std_succeeded == pytest.approx(folded.std_succeeded, rel=1e-12)
    unlike = [CommonCause(f"mild {i}", 0.05, nodes[:2], 0.1 + i / 100) for i in range(MOST_CAUSES + 1)]
    with pytest.raises(ValueError, match=r"model has 13 common causes that may or may not strike several repos"):
        analyze(plan, FailureModel(default=0.1, common_causes=unlike))


def test_a_mild_cause_of_one_member_folds_into_its_failing_and_not_into_its_rate() -> None:
    plan = build_plan(RepoDependencyGraph.from_edges([], nodes=["a"]), version="1")
    model = FailureModel({"a": 0.2}, common_causes=[CommonCause("c", 0.5, ["a"], 0.4)])
    exact = analyze(plan, model, 2).to_frame()["p_failed"]["a"]
    struck = 1 - 0.8 * 0.6
    assert exact == pytest.approx(0.5 * 0.2**2 + 0.5 * struck**2, rel=1e-14)
    assert exact != pytest.approx((1 - 0.8 * (1 - 0.5 * 0.4)) ** 2, rel=0.05)  # what folding into the rate would say


def test_six_mild_causes_on_a_real_plan() -> None:
    kf5 = build_plan(load_dataset("kf5").graph)
    causes = [CommonCause(str(i), 0.05, kf5.released[6 * i : 6 * i + 12], 0.3) for i in range(6)]
    model = FailureModel(default=0.02, common_causes=causes)
    frame = analyze(kf5, model, 2).importance()
    assert frame.attrs["share_error"] < 1e-10
    assert np.isfinite(frame["share"]).all()
