"""Runs that are made up by a seed, with all that may go wrong in them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Sequence
from typing import Any

from seqkit import RepoDependencyGraph, Retry, RunEvent, SequencePlan, VirtualClock, build_plan, execute_plan
from tests.tools.faults import BREAKING, DEAF, HONEST, LOST, Manner, Registry

ENDING = ("ok", "fails", "cancels itself", "is cancelled", "lost")  # by themselves


def plan_by(chance: random.Random) -> SequencePlan:
    repos = "abcdefgh"[: chance.randint(1, 8)]
    density = chance.choice([0.0, 0.15, 0.3])
    edges = [(a, b) for n, b in enumerate(repos) for a in repos[:n] if chance.random() < density]
    released = [repo for repo in repos if chance.random() < 0.9] or list(repos)
    return build_plan(RepoDependencyGraph.from_edges(edges, nodes=list(repos)), [(repo, "1") for repo in released])


def unruly(chance: random.Random, breaking: bool = True) -> tuple[SequencePlan, Registry, dict[str, Any]]:
    """Make up a plan, what goes wrong, and how it is run; `breaking`: it may end the run."""
    plan = plan_by(chance)
    timeout = chance.choice([None, 5, 5, 5])
    answers = chance.choice(["", "", "truth", "truth", "lags", "unknown", "rubbish", "hangs", "deaf"])
    if answers == "rubbish" and not breaking:
        answers = "truth"
    if timeout is None and answers in ("hangs", "deaf"):
        answers = "truth"
    kinds = [*ENDING] if timeout is None else [*HONEST, *DEAF, *LOST, *chance.choice([(), ENDING * 3])]
    kinds += [how for how in BREAKING if chance.random() < 0.05 and breaking]
    kinds += ["ok"] * len(kinds)

    def manner() -> Manner:
        return Manner(chance.choice(kinds), chance.choice([0, 1, 1, 2, 4, 8, 12]), chance.choice([0, 0, 1, 3]))

    registry = Registry({repo: [manner() for _ in range(3)] for repo in plan.released}, answers)
    options = {
        "attempts": Retry(chance.randint(1, 3), delay=chance.choice([0, 1, 3]), backoff=chance.choice([1, 2])),
        "timeout": timeout,
        "grace": chance.choice([0, 2, 6]),
        "check": registry.check if answers else None,
        "check_wait": chance.choice([3, 7]),
        "max_parallel": chance.choice([1, 1, 2, 3, 5, 8, None]),
        "policy": chance.choice(["skip_dependents", "stop", "continue"]),
        "failure_budget": chance.choice([None, None, None, 1, 2]),
        "priority": chance.choice([None, "plan", "most_blocked", "longest_path", {"c": 3, "a": 1}]),
        "min_interval": chance.choice([0.0, 0.0, 1.0]),
    }
    return plan, registry, options


# ---------------------------------------------------------------------- one beside another


async def told_by(seed: int, ledger: Any) -> list[Any]:
    """Run what a seed makes up into a ledger, and give what it tells."""
    plan, registry, options = unruly(random.Random(f"beside {seed}"), breaking=False)
    tags = {"seed_of_all": seed}
    outcome = await execute_plan(plan, registry.release, ledger, clock=VirtualClock(), tags=tags, **options)
    assert outcome.ledger is not None
    return shown(outcome.ledger.get_events(outcome.run_id or ""))


def shown(events: Sequence[RunEvent]) -> list[Any]:
    """Give what events tell, the same for every ledger."""
    return [(event.seq, event.kind, event.payload, event.timestamp) for event in events]


def run_all(ledger: str, seeds: Iterable[int]) -> None:
    """Run what some seeds make up, one after the other."""
    for seed in seeds:
        asyncio.run(told_by(seed, ledger))
