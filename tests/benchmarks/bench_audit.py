"""Audits of a million events: how many events a second, run by run held against plan, rules and digest."""

from __future__ import annotations

from collections.abc import Iterator

from seqkit import MemoryRunLedger, RepoDependencyGraph, RunEvent, RunRecord, SequencePlan, build_plan, run_plan
from seqkit.auditing import audit
from seqkit.ledger.found import FoundEvent, FoundLedger, FoundRun
from tests.benchmarks.bench_core import random_edges, seconds

EVENTS = 1_000_000
AIM = 300_000
SIZES = (10, 100, 1_000, 10_000)


def many_runs(n: int, same_plan: bool) -> tuple[list[RunRecord], list[tuple[str, RunEvent]]]:
    """Repeat a run of `n` repos, some of which fail, until there are a million events."""
    graph = RepoDependencyGraph.from_edges(random_edges(n))
    records: list[RunRecord] = []
    events: list[tuple[str, RunEvent]] = []
    runs: list[tuple[RunRecord, list[RunEvent]]] = []
    while len(events) < EVENTS:
        if len(runs) < (1 if same_plan else 20):
            runs.append(one_run(build_plan(graph, version="1.0", originating_run_id=f"origin-{len(runs)}")))
        record, own = runs[len(records) % len(runs)]
        run_id = f"run-{len(records)}"
        records.append(record.model_copy(update={"run_id": run_id}))
        events += [(run_id, event) for event in own]
    return records, events


def one_run(plan: SequencePlan) -> tuple[RunRecord, list[RunEvent]]:
    """Run a plan whose last repos fail now and then."""
    ledger = MemoryRunLedger(ids=["run"])
    run_plan(plan, {item.repo_id: 0.1 for item in plan.items[len(plan.items) // 2 :]}, ledger, rng=7, attempts=2)
    return ledger.get_run("run"), ledger.get_events("run")


def run() -> Iterator[str]:
    """Audit ledgers of large and of small runs."""
    yield f"audit of {EVENTS:,} events; the aim is {AIM:,} events a second:"
    yield f"{'repos a run':>12}{'plans':>10}{'ledger':>10}{'seconds':>9}{'events/s':>12}  aim"
    for n in SIZES:
        for same_plan in (True, False):
            records, events = many_runs(n, same_plan)
            ledgers = {
                "memory": MemoryRunLedger.from_records(records, events),
                "found": FoundLedger(
                    [FoundRun(record, "runs.jsonl", 1) for record in records],
                    [FoundEvent(run_id, event, "runs.jsonl", 1) for run_id, event in events],
                ),
            }
            for name, ledger in ledgers.items():
                report = audit(ledger)
                if not report.findings.empty:
                    raise AssertionError(f"the ledger is clean, found {report}")
                took = seconds(lambda: audit(ledger), 2)
                rate = len(events) / took
                plans = "the same" if same_plan else "20"
                verdict = "met" if rate >= AIM else "missed"
                yield f"{n:12,}{plans:>10}{name:>10}{took:9.2f}{rate:12,.0f}  {verdict}"
