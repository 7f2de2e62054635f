"""The terms of a release: one meaning of policies, budgets and attempts, whoever goes by them."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqkit import (
    MemoryRunLedger,
    RepoDependencyGraph,
    ScriptedReleaser,
    SequenceOutcome,
    analyze,
    audit,
    build_plan,
    compare,
    execute_plan,
    items_frame,
    replay,
    run_plan,
    simulate,
    steps,
    what_if,
)
from seqkit.core import terms
from seqkit.core.terms import Meaning, Policy, Terms
from seqkit.explore import Quiz, Scenario, Walk
from seqkit.explore.questions import Skipped
from seqkit.widgets import Lesson, WhatIf
from tests.tools.strategies import POLICIES, Train, attempts, budgets, policies, trains

PLAN = build_plan(RepoDependencyGraph.from_edges([("a", "b"), ("b", "c"), ("a", "d")], nodes=["e"]), version="1")


def run_of(policy: Any = "skip_dependents", **options: Any) -> SequenceOutcome:
    return run_plan(PLAN, ScriptedReleaser(["b"]), policy=policy, **options)


def with_policy_set(policy: Any) -> None:
    Scenario(PLAN).policy = policy


def replayed(policy: Any) -> None:
    run = run_of()
    replay(run.ledger, run.run_id or "", policy, model=0.5)


TAKERS: dict[str, Callable[[Any], object]] = {
    "Terms": Terms,
    "run_plan": run_of,
    "execute_plan": lambda policy: asyncio.run(execute_plan(PLAN, 0.0, policy=policy)),
    "what_if": lambda policy: what_if(PLAN, "a", policy),
    "steps": lambda policy: steps(PLAN, "a", policy),
    "simulate": lambda policy: simulate(PLAN, 0.1, 10, policy=policy),
    "compare": lambda policy: compare(PLAN, 0.1, 0.2, trials=10, policy=policy),
    "compare one": lambda policy: compare(PLAN, 0.1, 0.2, trials=10, policy=("stop", policy)),
    "analyze": lambda policy: analyze(PLAN, 0.1, policy=policy),
    "replay": replayed,
    "Scenario": lambda policy: Scenario(PLAN, policy=policy),
    "Scenario.policy": with_policy_set,
    "Walk": lambda policy: Walk(PLAN, policy=policy),
    "Quiz": lambda policy: Quiz(PLAN, policy),
    "Skipped": lambda policy: Skipped(PLAN, "a", policy).text,
    "Lesson": lambda policy: Lesson(PLAN, policy=policy),
    "WhatIf": lambda policy: WhatIf(PLAN, policy=policy),
}


# ---------------------------------------------------------------------- what is no policy


@pytest.mark.parametrize("taker", TAKERS)
@pytest.mark.parametrize("policy", ["panic", "", "Stop", "stop ", None, 1, ["stop"], b"stop"], ids=repr)
def test_what_is_no_policy_is_refused_in_one_place(taker: str, policy: Any) -> None:
    if taker == "replay" and policy is None:
        policy = 0  # None keeps the run's own
    with pytest.raises(ValueError, match=r"^policy is ") as caught:
        TAKERS[taker](policy)
    expected = "expected one of ('skip_dependents', 'stop', 'continue')"
    assert str(caught.value) == f"policy is {policy!r}, {expected}"
    assert Path(caught.traceback[-1].path).name == "terms.py"


@pytest.mark.parametrize("taker", TAKERS)
def test_a_policy_that_nobody_gave_a_meaning_is_none(taker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terms, "Policy", Literal["skip_dependents", "stop", "continue", "wait"])
    with pytest.raises(ValueError, match="policy is 'wait', expected one of"):
        TAKERS[taker]("wait")


def test_every_policy_has_a_meaning_and_words_of_its_own() -> None:
    assert get_args(Policy) == tuple(terms.POLICIES) == POLICIES
    meanings = terms.POLICIES.values()
    for told in (
        {(one.blocks, one.stops) for one in meanings},
        {one.words for one in meanings},
        {one.rule for one in meanings},
    ):
        assert len(told) == len(POLICIES)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"failure_budget": 0}, ValueError, "failure_budget is 0, expected a whole number from 1"),
        ({"failure_budget": -2}, ValueError, "failure_budget is -2"),
        ({"failure_budget": 1.5}, TypeError, "failure_budget is 1.5, expected a whole number"),
        ({"failure_budget": True}, TypeError, "failure_budget is True"),
        ({"attempts": 0}, ValueError, "attempts is 0, expected a whole number from 1"),
        ({"attempts": "2"}, TypeError, "attempts is '2'"),
        ({"attempts": None}, TypeError, "attempts is None"),
    ],
    ids=repr,
)
def test_bad_values_are_named(options: dict[str, Any], error: type[Exception], message: str) -> None:
    for take in (Terms, run_of, lambda **given: simulate(PLAN, 0.1, 10, **given)):
        with pytest.raises(error, match=message):
            take(**options)


def test_values_are_plain() -> None:
    read = Terms(np.str_("stop"), np.int64(2), np.int8(3))  # type: ignore[arg-type]  # what a frame's cell holds
    assert read == Terms("stop", 2, 3)
    assert [type(value) for value in read.to_tag().values()] == [str, int, int]
    with pytest.raises(AttributeError):
        read.policy = "continue"  # type: ignore[misc]  # frozen


# ---------------------------------------------------------------------- what follows


@given(policies, budgets, st.booleans(), st.integers(0, 5))
def test_what_follows(policy: Any, budget: int | None, blocked: bool, failures: int) -> None:
    read = Terms(policy, budget)
    stopped = (policy == "stop" and failures >= 1) or (budget is not None and failures >= budget)
    assert read.stops(failures) is stopped
    assert read.stop_at == min([1] * (policy == "stop") + [budget] * (budget is not None), default=None)
    assert read.skips(blocked, failures) == (
        ("blocked" if blocked and policy != "continue" else "stopped")
        if stopped
        else "blocked"
        if blocked and policy == "skip_dependents"
        else None
    )
    assert read.holds_up is (policy != "continue")
    assert read.goes_on is (policy == "continue" and budget != 1)
    assert read.closed_form is (policy == "skip_dependents" and budget is None)


def test_what_is_told() -> None:
    assert str(Terms()) == "skip_dependents"
    assert str(Terms("stop", 2, 3)) == "stop, failure_budget=2, attempts=3"
    assert [Terms("continue", 2).told, Terms().told] == [
        "Policy continue, stop at failure 2",
        "Policy skip_dependents",
    ]
    assert [Terms("stop", 2).why_stop, Terms("continue", 2).why_stop] == [
        "the policy is stop",
        "the failure budget is 2",
    ]


# ---------------------------------------------------------------------- in a ledger


@given(policies, budgets, attempts)
def test_a_run_tells_its_terms(policy: Any, budget: int | None, tries: int) -> None:
    run = run_of(policy, failure_budget=budget, attempts=tries)
    tag = run.ledger.get_run(run.run_id).metadata.tags["plan"]
    assert Terms.told_by(tag) == (Terms(policy, budget, tries), {})
    again = replay(run.ledger, run.run_id or "", model=0.5, rng=1)
    assert (again.policy, again.failure_budget, again.attempts) == (policy, budget, tries)


@given(
    st.dictionaries(
        st.sampled_from(["policy", "failure_budget", "attempts"]),
        st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(POLICIES) | st.text() | st.just([]),
    )
)
def test_whatever_a_ledger_tells_can_be_read(tag: dict[str, Any]) -> None:
    read, unread = Terms.told_by(tag)
    for name in ("policy", "failure_budget", "attempts"):
        fits = name in tag and (
            tag[name] in POLICIES
            if name == "policy"
            else (type(tag[name]) is int and tag[name] >= 1) or (name == "failure_budget" and tag[name] is None)
        )
        assert (name in unread) is not fits
        assert getattr(read, name) == (tag[name] if fits else getattr(Terms(), name))


def test_readers_take_one_meaning_from_terms_that_cannot_be_read() -> None:
    ledger = MemoryRunLedger(ids=["r"])
    run_of(ledger=ledger, record_skips=False, attempts=2)
    record = ledger.get_run("r")
    plan = {**record.metadata.tags["plan"], "policy": "wait", "failure_budget": 0, "attempts": None}
    tags = {**record.metadata.tags, "plan": plan}
    odd = record.model_copy(update={"metadata": record.metadata.model_copy(update={"tags": tags})})
    found = MemoryRunLedger.from_records([odd], [("r", event) for event in ledger.get_events("r")])
    again = replay(found, "r", model=0.5, rng=1)
    assert (again.policy, again.failure_budget, again.attempts) == ("skip_dependents", None, 1)
    assert items_frame(found).equals(items_frame(ledger))
    messages = audit(found).findings["message"]
    assert [message for message in messages if message.startswith("plan.")] == [
        "plan.policy is 'wait', expected one of ('skip_dependents', 'stop', 'continue'); taken for 'skip_dependents'",
        "plan.failure_budget is 0, expected a whole number from 1, or null; taken for None",
        "plan.attempts is None, expected a whole number from 1; taken for None",
    ]


# ---------------------------------------------------------------------- a policy more


def everything_under(train: Train, policy: Any) -> list[Any]:
    """Have every driver, kernel and reader go by a policy, and give what they say."""
    failing = [repo for repo in train.failing if repo in train.order]
    told: list[Any] = []
    for record_skips in (True, False):
        run = run_plan(
            train.plan, ScriptedReleaser(failing), MemoryRunLedger(ids=["r"]), record_skips=record_skips, policy=policy
        )
        told += [
            [(event.kind, event.payload) for event in run.ledger.get_events("r")],
            items_frame(run.ledger).drop(columns=["started_at", "finished_at", "seconds"], errors="ignore"),
            [*audit(run.ledger).findings["check"]],
            replay(run.ledger, "r").to_frame(),
        ]
    model = dict.fromkeys(train.order, 0.3)
    for engine in ("numpy", "numba"):
        simulation = simulate(train.plan, model, 200, 7, policy, engine=engine)  # type: ignore[arg-type]  # both are
        told += [simulation.to_frame(), [simulation.trial(i).outcome.to_frame() for i in range(5)]]
        counted = np.array([len(set(simulation.trial(i).outcome.succeeded)) for i in range(200)])
        assert simulation.n_succeeded.tolist() == counted.tolist()
    return [*told, what_if(train.plan, failing, policy).to_frame(), steps(train.plan, failing, policy)]


@pytest.mark.slow
def test_a_new_policy_is_a_row_of_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that blocks and stops comes to what stop does, since everything unstarted is skipped either way."""
    pytest.importorskip("numba")
    table = MappingProxyType({**terms.POLICIES, "halt": Meaning(True, True, "halt", "all halts")})
    for found in gc.get_objects():  # where doctests run beside, pytest has imported the module a second time
        if isinstance(found, dict) and found.get("__name__") == terms.__name__ and "POLICIES" in found:
            monkeypatch.setitem(found, "POLICIES", table)

    @settings(max_examples=15, deadline=None)
    @given(trains(5))
    def holds(train: Train) -> None:
        for new, known in zip(everything_under(train, "halt"), everything_under(train, "stop"), strict=True):
            assert repr(new) == repr(known)

    holds()
