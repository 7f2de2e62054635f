"""What is read of a run with thousands of failures grows with the run: counted in lines, bytes and payloads."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from seqkit import (
    MemoryRunLedger,
    SequenceOutcome,
    audit,
    blockers,
    events_frame,
    items_frame,
    replay,
    resume_plan,
    run_plan,
    runs_frame,
    trains_frame,
    what_if,
)
from seqkit.analysis.steps import check_order
from tests.tools.growth import SHAPES, doubled, lines, peak, plan_of

N = 1_000

Read = Callable[[SequenceOutcome], Any]


@cache
def run_of(shape: str, n: int, record_skips: bool, policy: Any) -> SequenceOutcome:
    plan, failing = plan_of(shape, n)
    budget = len(failing) if policy == "continue" else None
    rates = dict.fromkeys(failing, 1.0)
    outcome = run_plan(plan, rates, rng=1, record_skips=record_skips, policy=policy, failure_budget=budget)
    _ = audit(outcome.ledger)  # type: ignore[arg-type]
    return outcome


def ledger_of(outcome: SequenceOutcome) -> MemoryRunLedger:
    assert isinstance(outcome.ledger, MemoryRunLedger)
    return outcome.ledger


def run_id_of(outcome: SequenceOutcome) -> str:
    assert outcome.run_id is not None
    return outcome.run_id


READS: dict[str, Read] = {
    "audit": lambda run: audit(ledger_of(run)).ok,
    "items_frame": lambda run: items_frame(ledger_of(run)),
    "events_frame": lambda run: events_frame(ledger_of(run)),
    "runs_frame": lambda run: runs_frame(ledger_of(run)),
    "trains_frame": lambda run: trains_frame(ledger_of(run)),
    "blockers": lambda run: blockers(ledger_of(run)),
    "resume_plan": lambda run: resume_plan(ledger_of(run), run_id_of(run)),
    "reasons": lambda run: resume_plan(ledger_of(run), run_id_of(run)).reasons,
    "resume to_json": lambda run: resume_plan(ledger_of(run), run_id_of(run)).to_json(),
    "replay": lambda run: replay(ledger_of(run), run_id_of(run)).to_frame(),
    "what_if": lambda run: what_if(run.plan, list(run.failures)),
    "to_frame": lambda run: run.to_frame(),
    "repr": lambda run: (repr(run), run._repr_html_()),
    "check_order": lambda run: check_order(run.plan, run.plan.released),
    "without": lambda run: run.plan.without(list(run.failures)),
}


@pytest.mark.slow
@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_read_of_a_run_grows_with_the_run(shape: str, read: str) -> None:
    for record_skips, policy in ((True, "skip_dependents"), (False, "skip_dependents"), (True, "continue")):
        for count, most in ((lines, 2.3), (peak, 2.5)):
            doubled(
                lambda n, c=count, s=record_skips, p=policy: c(lambda: READS[read](run_of(shape, n, s, p))), N, most
            )


@pytest.mark.parametrize("read", ["audit", "items_frame", "blockers", "resume_plan"])
def test_what_is_held_of_a_hub_grows_with_the_run(read: str) -> None:
    doubled(lambda n: peak(lambda: READS[read](run_of("hub", n, True, "skip_dependents"))), 250, 2.5)


@pytest.mark.parametrize("shape", SHAPES)
def test_ledgers_grow_with_the_run(shape: str) -> None:
    def written(n: int) -> int:
        run = run_of(shape, n, True, "continue")
        return sum(len(json.dumps(event.payload)) for event in ledger_of(run).get_events(run_id_of(run)))

    doubled(written, N)


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_not_named_is_read_from_the_plan(shape: str) -> None:
    run = run_of(shape, N, True, "continue")
    graph, failed = run.plan.graph, set(run.failures)
    frame = items_frame(ledger_of(run)).set_index("repo_id")
    shares: dict[str, float] = dict.fromkeys(run.failures, 0.0)
    waiting = [repo for repo, cause in zip(run.plan.arrays.ids, run.skip_causes, strict=True) if cause == "blocked"]
    for repo in waiting:
        above = [other for other in graph.transitive_dependencies_of(repo) if other in failed]
        if repo in waiting[-3:]:
            assert frame["blocked_by"][repo] == sorted(above, key=run.plan.position)
        for other in above:
            shares[other] += 1 / len(above)
    shared = blockers(ledger_of(run))["shapley"].to_dict()
    assert shared == pytest.approx(shares)
    assert sum(shared.values()) == pytest.approx(len(waiting))
