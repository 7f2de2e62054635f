"""Who blocks whom: the nearest hundred of many, sets of failures however they are held, and how both grow."""

from __future__ import annotations

import pickle
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqkit import RepoDependencyGraph, build_plan, run_plan, what_if
from seqkit.core import blocking
from seqkit.core.blocking import MOST_NAMED, AllAbove, Blockers, failed_above, failures_of, joined, only, size
from seqkit.core.rules import Rules, Skip
from seqkit.core.terms import Terms
from tests.tools.growth import SHAPES, doubled, lines, peak, plan_of

Dependencies = list[list[int]]


@st.composite
def dags(draw: st.DrawFn) -> tuple[Dependencies, list[int]]:
    n = draw(st.integers(1, 14))
    needs = [sorted(draw(st.sets(st.integers(0, max(at - 1, 0)), max_size=3 if at else 0))) for at in range(n)]
    return needs, draw(st.permutations(sorted(draw(st.sets(st.integers(0, n - 1))))))


def distances(needs: Dependencies, position: int) -> dict[int, int]:
    """Walk up level by level."""
    found: dict[int, int] = {}
    level, steps = {position}, 0
    while level:
        steps += 1
        level = {other for here in level for other in needs[here]} - found.keys()
        found.update(dict.fromkeys(level, steps))
    return found


@given(dags(), st.integers(1, 4), st.sampled_from([(1024, 128), (3, 2), (0, 1)]))
def test_the_nearest_are_named_and_the_rest_counted(
    dag: tuple[Dependencies, list[int]], most: int, held: tuple[int, int]
) -> None:
    needs, failures = dag
    ids = [f"r{number:02}" for number in range(len(needs))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocking, "MOST_NAMED", most)
        patch.setattr(blocking, "_DENSE", held[0])
        patch.setattr(blocking, "_FEW", held[1])
        blockers = Blockers(ids, needs, failures)
        for position, above in failed_above(blockers):
            far = {other: steps for other, steps in distances(needs, position).items() if other in failures}
            nearest = sorted(far, key=lambda other: (far[other], other))[:most]
            assert blockers.told(position, above) == (
                tuple(ids[other] for other in sorted(nearest)),
                max(0, len(far) - most),
            )
            assert blockers.all(above) == [ids[other] for other in sorted(far)]
            assert list(AllAbove(ids, needs, failures, position)) == blockers.all(above)


@given(st.lists(st.sets(st.integers(0, 40)), max_size=6), st.integers(0, 30), st.integers(1, 8))
def test_sets_of_failures_are_joined_whatever_they_are_held_as(sets: list[set[int]], dense: int, few: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocking, "_DENSE", dense)
        patch.setattr(blocking, "_FEW", few)
        whole: blocking.Above = 0
        for numbers in sets:
            part: blocking.Above = 0
            for number in numbers:
                part = joined(only(number), part)
            assert (list(failures_of(part)), size(part)) == (sorted(numbers), len(numbers))
            whole = joined(whole, part)
        assert list(failures_of(whole)) == sorted(set().union(*sets))


def test_all_of_many_read_like_a_list() -> None:
    needs: Sequence[Sequence[int]] = [(), (), (0, 1), (2,)]
    everybody = AllAbove(["a", "b", "c", "d"], needs, {0, 1}, 3)
    assert (len(everybody), list(everybody), everybody[0], everybody[-1:], "b" in everybody) == (
        2,
        ["a", "b"],
        "a",
        ["b"],
        True,
    )
    assert everybody == ["a", "b"]
    assert everybody != ["a"]
    assert pickle.loads(pickle.dumps(everybody)) == ["a", "b"]
    assert list(AllAbove(["a", "b", "c", "d"], needs, {0, 1, 2}, 3, past=False)) == ["c"]


def wide(n: int) -> RepoDependencyGraph:
    ids = [f"a{number:03}" for number in range(n)]
    return RepoDependencyGraph.from_edges([*((x, "hub") for x in ids), ("hub", "leaf")])


@pytest.mark.parametrize(("n", "named"), [(99, 99), (100, 100), (101, 100), (250, 100)])
def test_a_skip_names_a_hundred_and_counts_the_rest(n: int, named: int) -> None:
    plan = build_plan(wide(n), version="1.0")
    failing = [repo for repo in plan.released if repo.startswith("a")]
    outcome = run_plan(plan, dict.fromkeys(failing, 1.0), rng=1)
    ledger = outcome.ledger
    assert ledger is not None
    payloads = [event.payload for event in ledger.get_events(str(outcome.run_id)) if event.kind == "NodeSkipped"]
    count = {} if n <= MOST_NAMED else {"n_blocked_by": n}
    assert payloads == [{"node_id": repo, "blocked_by": failing[:named], **count} for repo in ("hub", "leaf")]
    assert outcome.blocked_by[-1] == tuple(failing[:named])
    assert outcome.n_blocked_by[-2:] == (n, n)
    assert outcome.to_frame()["blocked_by"].iloc[-1] == failing
    imagined = what_if(plan, failing)
    assert (imagined.blocked_by, imagined.n_blocked_by) == (outcome.blocked_by, outcome.n_blocked_by)
    assert "blocks 2 repos" in outcome._repr_html_()


def test_nearer_ones_come_before_those_that_stand_earlier() -> None:
    first = [f"a{number:03}" for number in range(150)]
    edges = [*((x, "m") for x in first), ("m", "z"), *((f"n{number:03}", "z") for number in range(30))]
    plan = build_plan(RepoDependencyGraph.from_edges(edges), version="1.0")
    failing = [repo for repo in plan.released if repo[0] in "an"]
    blocked_by = what_if(plan, failing).blocked_by[plan.position("z")]
    assert sorted(blocked_by) == first[:70] + [f"n{number:03}" for number in range(30)]
    assert list(blocked_by) == sorted(blocked_by, key=plan.position)


def test_nothing_is_looked_up_where_nobody_is_ever_kept_from_starting(monkeypatch: pytest.MonkeyPatch) -> None:
    plan, failing = plan_of("chain", 60)
    monkeypatch.setattr(blocking, "joined", None)
    monkeypatch.setattr("seqkit.core.rules.joined", None)
    assert len(what_if(plan, failing, policy="continue").failed) == 30


@pytest.mark.parametrize("n_stepped", [300, pytest.param(1_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_rules_grow_with_the_plan(shape: str, n_stepped: int) -> None:
    """Steps show a square in a small plan already, and are slow to count; bits of memory only in a large one."""
    plans = {n: plan_of(shape, n) for n in {n_stepped, 2 * n_stepped, 1_000, 2_000}}

    def run(n: int, policy: str) -> list[Skip]:
        plan, failing = plans[n]
        rules, fails = Rules(plan, Terms(policy, failure_budget=len(failing))), set(failing)  # type: ignore[arg-type]
        skips = []
        while (step := rules.take()) is not None:
            if isinstance(step, Skip):
                skips.append(step)
                continue
            rules.start(step.repo_id)
            if step.repo_id in fails:
                rules.fail(step.repo_id, "red")
            else:
                rules.succeed(step.repo_id, "out")
        rules.outcome()
        return skips

    for policy in ("skip_dependents", "continue"):
        assert run(n_stepped, policy)
        doubled(lambda n, policy=policy: lines(lambda: run(n, policy)), n_stepped)
        doubled(lambda n, policy=policy: peak(lambda: run(n, policy)), 1_000)
