"""Errors and intervals of simulated numbers: how often they hold the truth, and what is said where nothing varies."""

from __future__ import annotations

import math
import pickle
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from seqkit import Estimate, RepoDependencyGraph, build_plan, compare, simulate
from seqkit.analysis.estimate import Range, Share, error_of_mean, error_of_share, mean_of, never_seen

STAR = build_plan(RepoDependencyGraph.from_edges([("hub", f"spoke-{i}") for i in range(9)]), version="1")


def binomial(n: int, p: float) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Give the law of the number of hits, by its logarithms."""
    x = np.arange(n + 1)
    ways = np.array([math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) for k in x])
    return np.exp(ways + x * math.log(p) + (n - x) * math.log1p(-p))


# ---------------------------------------------------------------------- shares


@pytest.mark.parametrize("n", [20, 400])
def test_the_interval_of_a_share_holds_the_truth_as_often_as_it_says(n: int) -> None:
    truths = np.concatenate([np.linspace(0.002, 0.998, 150), [0.1 / n, 1 / n, 2 / n, 3 / n, 6 / n]])
    ends = np.array([Share(x, n).interval() for x in range(n + 1)])
    covered = np.array([binomial(n, p)[(ends[:, 0] <= p) & (p <= ends[:, 1])].sum() for p in truths])
    assert covered.min() > 0.83  # the known worst of the score interval, between p = 1 / n and 0.1 / n
    assert 0.945 < covered.mean() < 0.965


def test_the_error_of_a_rare_share_covers_it_where_the_usual_one_is_zero() -> None:
    n, hits = 2_000, np.arange(2_001)
    share, usual, ours = hits / n, np.sqrt(hits / n * (1 - hits / n) / n), error_of_share(hits, n)
    covered: dict[str, list[float]] = {"usual": [], "ours": []}
    for p in np.array([0.02, 0.1, 0.3, 1, 2, 2.7, 4, 7, 12, 30]) / n:
        for name, error in (("usual", usual), ("ours", ours)):
            covered[name].append(binomial(n, p)[abs(share - p) <= 1.96 * error].sum())
    assert min(covered["usual"]) < 0.05
    assert min(covered["ours"]) > 0.92


def test_wilson_is_the_solution_of_its_equation() -> None:
    """The ends are where the distance from the share is z errors, each taken at the end itself."""
    for level, z in ((0.95, 1.959963984540054), (0.5, 0.6744897501960817)):
        for end in Share(30, 200).interval(level):
            assert math.isclose(abs(end - 0.15), z * math.sqrt(end * (1 - end) / 200))


def test_never_seen_is_what_leaves_five_percent() -> None:
    assert math.isclose((1 - never_seen(1_000)) ** 1_000, 0.05)
    assert math.isclose(never_seen(10**9), 3e-9, rel_tol=2e-3)


@pytest.mark.parametrize(
    ("share", "shown"),
    [
        (Share(0, 100_000), "0 (seen in no trial: with 95 % confidence below 3e-05)"),
        (Share(10**7, 10**7), "1 (seen in every trial: with 95 % confidence above 0.99999970)"),
        (Share(0, 10, sure=True), "exactly 0"),
        (Share(10, 10, sure=True), "exactly 1"),
        (Share(1, 10), "0.10 ± 0.11"),
    ],
)
def test_shares_say_what_they_know(share: Share, shown: str) -> None:
    assert repr(share) == str(share) == shown
    again = pickle.loads(pickle.dumps(share))
    assert (type(again), again, again.se, repr(again)) == (Share, share, share.se, shown)
    low, high = share.interval()
    assert 0 <= low <= share <= high <= 1
    assert (low == high) == share.exact == (share.se == 0)


# ---------------------------------------------------------------------- means


def test_the_error_of_a_mean_counts_four_trials_more() -> None:
    values = np.array([3, 4, 4, 5, 4, 4])
    sums = int(values.sum()), int((values**2).sum())
    for swing, ends in ((1, [3, 3, 5, 5]), (2, [2, 2, 6, 6]), (9, [0, 0, 7, 7])):
        with_them = np.concatenate([values, ends])
        assert math.isclose(error_of_mean(6, *sums, Range(0, 7, swing)), with_them.std() / math.sqrt(10))
    assert error_of_mean(6, 24, 96, Range(4, 4, 9)) == 0
    assert math.isnan(error_of_mean(1, 4, 16, Range(0, 7, 1)))


def test_a_mean_has_the_interval_of_student_within_what_can_be() -> None:
    few = mean_of(np.array([6, 7]), np.array([1, 3]), Range(0, 7, 1))
    low, high = few.interval(0.9)
    assert math.isclose(low, 6.75 - 2.3533634348018264 * few.se)  # three degrees of freedom
    assert high == 7
    many = Estimate(6.75, 0.01)
    assert many.interval(0.9) == pytest.approx((6.75 - 0.016448536, 6.75 + 0.016448536))


def test_what_all_trials_gave_alike_has_an_interval() -> None:
    alike = mean_of(np.array([7]), np.array([1_000]), Range(0, 9, 4))
    other = 1 - 0.05**0.001
    assert alike.interval() == pytest.approx((7 - 7 * other, 7 + 2 * other))
    assert alike.interval(0.5)[0] > alike.interval(0.95)[0]
    assert repr(alike) == "7 (the same in every trial: with 95 % confidence between 6.979 and 7.0060)"
    assert alike.se > 0
    exact = mean_of(np.array([7]), np.array([1_000]), Range(7, 7, 4))
    assert (repr(exact), exact.interval(), exact.exact) == ("exactly 7", (7, 7), True)
    one = mean_of(np.array([7]), np.array([1]), Range(0, 9, 4))
    assert (repr(one), math.isnan(one.se)) == ("7 ± nan", True)


@pytest.mark.parametrize(
    ("level", "kind"), [(0, ValueError), (1, ValueError), (95, ValueError), (math.nan, ValueError), ("x", TypeError)]
)
def test_levels_are_checked(level: Any, kind: type[Exception]) -> None:
    for estimate in (Estimate(1.0, 0.1), Share(1, 10)):
        with pytest.raises(kind, match=r"confidence_level is .*, expected a number between 0 and 1"):
            estimate.interval(level)


@pytest.mark.parametrize("rate", [1e-3, 1e-4, 1e-6])
def test_rare_failures_of_a_hub_are_covered(rate: float) -> None:
    """The usual error is 0 in most of these, and the mean is then outside of it."""
    truth = 10 - (10 * rate + 9 * (1 - rate) * rate)
    found = [simulate(STAR, rate, 2_000, rng=seed, executor=1).expected.succeeded for seed in range(60)]
    assert sum(abs(mean - truth) <= 1.96 * mean.se for mean in found) >= 52
    assert sum(low <= truth <= high for low, high in (mean.interval() for mean in found)) >= 52
    assert all(mean.se > 0 for mean in found)


def test_the_difference_of_what_differs_only_below_is_not_blurred_by_the_rest() -> None:
    names = [f"r{i:03}" for i in range(200)]
    chain = build_plan(RepoDependencyGraph.from_edges(pairwise(names)), version="1")
    last = compare(chain, 0.01, {**dict.fromkeys(names, 0.01), "r199": 0.0}, trials=2_000, rng=1).difference
    assert (last.least, last.most) == (-1, 1)
    assert last.se < 0.002
    assert compare(chain, chain, 0.01, trials=100, rng=1).difference.exact


def test_no_picture_of_a_number_says_plus_or_minus_nothing() -> None:
    results: list[Any] = [
        simulate(STAR, 1e-9, 500, rng=1),
        simulate(STAR, 0.0, 500, rng=1),
        compare(STAR, 1e-9, 1e-8, trials=500, rng=1),
        compare(STAR, STAR, 0.1, trials=500, rng=1),
        compare(STAR, 0.0, 1.0, trials=500, rng=1),
    ]
    for result in results:
        for text in (repr(result), result._repr_html_()):
            assert "± 0<" not in text
            assert "± 0 " not in text
            assert "inf" not in text
