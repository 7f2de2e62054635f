"""Clean ledgers of random releases, and what one change to them makes an audit say.

Every mutation names the checks that are responsible for it. A mutation that leaves a ledger another release
could have left (a failure's reason reworded, a time moved between its neighbours) is the digest's alone.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from seqkit import MemoryRunLedger, RepoDependencyGraph, RunEvent, RunRecord, ScriptedReleaser, build_plan, run_plan
from seqkit.auditing import CHECKS, AuditReport, audit
from seqkit.core.model import ContentDigest, RunStatus
from seqkit.core.plan import plan_of
from seqkit.ledger.found import FoundEvent, FoundLedger, FoundRun

POLICIES = ("skip_dependents", "stop", "continue")
BEGAN = datetime(2026, 1, 2, tzinfo=UTC)


@dataclass(frozen=True)
class Case:
    """A ledger of one run, in pieces that can be changed."""

    runs: list[RunRecord]
    events: list[tuple[str, RunEvent]]

    @property
    def run(self) -> RunRecord:
        return self.runs[0]

    @property
    def ledger(self) -> FoundLedger:
        return FoundLedger(
            (FoundRun(run, "a.jsonl", line) for line, run in enumerate(self.runs, 1)),
            (FoundEvent(run_id, event, "a.jsonl", line) for line, (run_id, event) in enumerate(self.events, 10)),
        )

    @property
    def plan(self) -> dict[str, Any]:
        tags: dict[str, Any] = self.run.metadata.tags
        return tags["plan"]

    def with_run(self, **changes: Any) -> Case:
        return replace(self, runs=[self.run.model_copy(update=changes)])

    def with_summary(self, **changes: Any) -> Case:
        assert self.run.summary is not None
        return self.with_run(summary=self.run.summary.model_copy(update=changes))

    def with_tags(self, **changes: Any) -> Case:
        metadata = self.run.metadata.model_copy(update={"tags": {**self.run.metadata.tags, **changes}})
        return self.with_run(metadata=metadata)

    def with_plan(self, **changes: Any) -> Case:
        return self.with_tags(plan={**self.plan, **changes})

    def with_event(self, index: int, **changes: Any) -> Case:
        run_id, event = self.events[index]
        events = [*self.events]
        events[index] = (run_id, event.model_copy(update=changes))
        return replace(self, events=events)

    def with_payload(self, index: int, **changes: Any) -> Case:
        return self.with_event(index, payload={**self.events[index][1].payload, **changes})

    def tidied(self, events: list[tuple[str, RunEvent]]) -> Case:
        """Number the events anew and count them, as somebody would who covers up."""
        numbered = [(run, event.model_copy(update={"seq": seq})) for seq, (run, event) in enumerate(events, 1)]
        tidy = replace(self, events=numbered)
        return tidy if self.run.summary is None else tidy.with_summary(total_events=len(numbered))


def clock() -> Callable[[], datetime]:
    ticks = iter(range(10**9))
    return lambda: BEGAN + timedelta(seconds=next(ticks))


def clean(chance: random.Random) -> Case:
    """Run a random plan: any policy, budgets, tries, unreleased repos, with and without events of skips."""
    n = chance.randint(2, 9)
    ids = [f"r{index}" for index in range(n)]
    chance.shuffle(ids)
    edges = [(a, b) for i, a in enumerate(ids) for b in ids[i + 1 :] if chance.random() < 0.3]
    graph = RepoDependencyGraph.from_edges(edges, nodes=ids)
    released = [repo for repo in ids if chance.random() < 0.85] or ids
    scope = chance.choice(["path", "all"])
    plan = build_plan(graph, [(repo, f"1.{repo}", "", "kim") for repo in released], f"o{n}", scope=scope)
    attempts = chance.choice([1, 1, 2, 3])
    failing = {repo: chance.randint(1, attempts) for repo in released if chance.random() < 0.3}
    tries = Counter[str]()

    def release(repo: str, version: str, spec_digest: str, promoted_by: str) -> str:
        tries[repo] += 1
        if tries[repo] <= failing.get(repo, 0):
            raise RuntimeError(f"try {tries[repo]} was red")
        return f"run-{repo}"

    time = clock()
    ledger = MemoryRunLedger(ids=["run-1"], clock=time)
    run_plan(
        plan,
        release,
        ledger,
        record_skips=chance.random() < 0.6,
        policy=chance.choice(POLICIES),
        failure_budget=chance.choice([None, None, 1, 2]),
        attempts=attempts,
        clock=time,
    )
    return Case([ledger.get_run("run-1")], [("run-1", event) for event in ledger.get_events("run-1")])


# ---------------------------------------------------------------------- mutations

Mutated = tuple[Case, set[str]] | None
Mutation = Callable[[Case, random.Random], Mutated]
MUTATIONS: dict[str, Mutation] = {}
STEPS = {"entries", "retries", "turns", "order", "blocked", "skips", "twice", "silent", "scope"}


def mutation(function: Mutation) -> Mutation:
    MUTATIONS[function.__name__] = function
    return function


def any_event(case: Case, chance: random.Random, *kinds: str) -> int | None:
    fitting = [i for i, (_, event) in enumerate(case.events) if not kinds or event.kind in kinds]
    return chance.choice(fitting) if fitting else None


def block(case: Case, index: int) -> list[int]:
    repo = case.events[index][1].payload["node_id"]
    return [i for i, (_, event) in enumerate(case.events) if event.payload["node_id"] == repo]


@mutation
def drop(case: Case, chance: random.Random) -> Mutated:
    index = any_event(case, chance)
    if index is None:
        return None
    return replace(case, events=case.events[:index] + case.events[index + 1 :]), {"total_events"} | (
        {"seq"} if index < len(case.events) - 1 else set()
    )


@mutation
def drop_tidily(case: Case, chance: random.Random) -> Mutated:
    index = any_event(case, chance)
    if index is None:
        return None
    event = case.events[index][1]
    responsible = {"NodeSkipped": "silent", "NodeRetrying": "retries"}.get(event.kind, "entries")
    if event.kind == "NodeRetrying":
        own = block(case, index)
        last = own[-1]
        if index == own[-2] and (case.events[last][1].kind == "NodeExited" or last == len(case.events) - 1):
            return None  # another release could have been out at once, or a run broken off by its last try
    return case.tidied(case.events[:index] + case.events[index + 1 :]), {responsible}


@mutation
def drop_a_repo_tidily(case: Case, chance: random.Random) -> Mutated:
    index = any_event(case, chance)
    if index is None:
        return None
    own = block(case, index)
    return case.tidied([event for i, event in enumerate(case.events) if i not in own]), {"silent"}


@mutation
def cut_the_tail(case: Case, chance: random.Random) -> Mutated:
    if not case.events:
        return None
    return replace(case, events=case.events[: chance.randrange(len(case.events))]), {"total_events"}


@mutation
def cut_the_tail_tidily(case: Case, chance: random.Random) -> Mutated:
    if not case.events:
        return None
    return case.tidied(case.events[: chance.randrange(len(case.events))]), {"silent", "entries"}


@mutation
def duplicate(case: Case, chance: random.Random) -> Mutated:
    index = any_event(case, chance)
    if index is None:
        return None
    return replace(case, events=[*case.events, case.events[index]]), {"seq"}


@mutation
def duplicate_tidily(case: Case, chance: random.Random) -> Mutated:
    index = any_event(case, chance)
    if index is None:
        return None
    responsible = {"NodeExited": "twice", "NodeRetrying": "retries"}.get(case.events[index][1].kind, "entries")
    return case.tidied(case.events[: index + 1] + case.events[index:]), {responsible}


@mutation
def swap_what_happened(case: Case, chance: random.Random) -> Mutated:
    if len(case.events) < 2:
        return None
    a, b = sorted(chance.sample(range(len(case.events)), 2))
    one, other = case.events[a][1], case.events[b][1]
    swapped = case.with_event(a, kind=other.kind, payload=other.payload)
    return swapped.with_event(b, kind=one.kind, payload=one.payload), STEPS


@mutation
def swap_places(case: Case, chance: random.Random) -> Mutated:
    if len(case.events) < 2:
        return None
    a, b = chance.sample(range(len(case.events)), 2)
    swapped = case.with_event(a, seq=case.events[b][1].seq)
    return swapped.with_event(b, seq=case.events[a][1].seq), {"timestamps"}


@mutation
def swap_neighbouring_repos_tidily(case: Case, chance: random.Random) -> Mutated:
    index = any_event(case, chance)
    if index is None:
        return None
    first = block(case, index)
    if first[-1] + 1 == len(case.events):
        return None
    second = block(case, first[-1] + 1)
    order = [*range(first[0]), *second, *first, *range(second[-1] + 1, len(case.events))]
    times = [event.timestamp for _, event in case.events]
    moved = [
        (run, event.model_copy(update={"timestamp": time}))
        for (run, event), time in zip([case.events[i] for i in order], times, strict=True)
    ]
    return case.tidied(moved), {"turns"}


@mutation
def retime(case: Case, chance: random.Random) -> Mutated:
    index = any_event(case, chance)
    if index is None:
        return None
    if chance.random() < 0.5:
        return case.with_event(index, timestamp=BEGAN - timedelta(days=1)), {"timestamps"}
    last = index == len(case.events) - 1
    return case.with_event(index, timestamp=BEGAN + timedelta(days=9)), {"after_the_end" if last else "timestamps"}


@mutation
def rename(case: Case, chance: random.Random) -> Mutated:
    index = any_event(case, chance)
    if index is None:
        return None
    others = [item["repo_id"] for item in case.plan["items"]] + ["nobody", "", "R0"]
    return case.with_payload(
        index, node_id=chance.choice([repo for repo in others if repo != case.events[index][1].payload["node_id"]])
    ), STEPS


@mutation
def rename_a_whole_repo(case: Case, chance: random.Random) -> Mutated:
    index = any_event(case, chance)
    if index is None:
        return None
    for i in block(case, index):
        case = case.with_payload(i, node_id="nobody")
    return case, {"scope"}


@mutation
def relabel(case: Case, chance: random.Random) -> Mutated:
    index = any_event(case, chance)
    if index is None:
        return None
    kinds = ["NodeEntered", "NodeExited", "NodeFailed", "NodeSkipped", "NodeRetrying"]
    kind = chance.choice([kind for kind in kinds if kind != case.events[index][1].kind])
    if (case.events[index][1].kind, kind) == ("NodeRetrying", "NodeFailed"):  # it says all that a failure says
        return case.with_event(index, kind=kind), {"entries", "retries"}
    return case.with_event(index, kind=kind), {"payloads"}


@mutation
def relabel_unknown(case: Case, chance: random.Random) -> Mutated:
    index = any_event(case, chance)
    kind = chance.choice(["NodeVanished", "", "nodeEntered", "Node Entered", "NODEENTERED", "node__"])
    return None if index is None else (case.with_event(index, kind=kind), {"kinds"})


@mutation
def respell(case: Case, chance: random.Random) -> Mutated:
    index = any_event(case, chance, "NodeEntered", "NodeExited")
    if index is None:
        return None
    kind = case.events[index][1].kind
    return case.with_event(index, kind=f"node_{kind[4:].lower()}"), {"spelling"}


@mutation
def change_version(case: Case, chance: random.Random) -> Mutated:
    index = any_event(case, chance, "NodeEntered")
    return None if index is None else (case.with_payload(index, version="6.6.6"), {"versions"})


@mutation
def spoil_payload(case: Case, chance: random.Random) -> Mutated:
    index = any_event(case, chance)
    if index is None:
        return None
    payload = dict(case.events[index][1].payload)
    del payload[chance.choice(sorted(payload))]
    spoiled = chance.choice([payload, None, [], "text", 7, 1e300, True, [[[[payload]]]], {}])
    return case.with_event(index, payload=spoiled), {"payloads"}


@mutation
def change_a_number_of_a_try(case: Case, chance: random.Random) -> Mutated:
    index = any_event(case, chance, "NodeRetrying")
    if index is None:
        return None
    attempt = case.events[index][1].payload["attempt"]
    return case.with_payload(index, attempt=attempt + chance.choice([-1, 1, 10**30])), {"retries"}


@mutation
def doubt_a_failure(case: Case, chance: random.Random) -> Mutated:
    index = any_event(case, chance, "NodeFailed")
    mark = chance.choice(["in_doubt", "still_running"])
    return None if index is None else (case.with_payload(index, **{mark: True}), {"doubts"})


@mutation
def come_late_without_a_failure(case: Case, chance: random.Random) -> Mutated:
    index = any_event(case, chance, "NodeEntered", "NodeExited")
    if index is None:
        return None
    run_id, event = case.events[index]
    payload = {"node_id": event.payload["node_id"], **chance.choice([{"run_id": "x"}, {"error": "killed"}])}
    late = (run_id, event.model_copy(update={"kind": "NodeLate", "payload": payload}))
    responsible = "twice" if event.kind == "NodeExited" else "entries"
    return case.tidied([*case.events[: index + 1], late, *case.events[index + 1 :]]), {responsible}


@mutation
def blame_others(case: Case, chance: random.Random) -> Mutated:
    index = any_event(case, chance, "NodeSkipped")
    if index is None:
        return None
    blockers = list(case.events[index][1].payload["blocked_by"])
    changed = chance.choice([[*blockers, "nobody"], blockers[1:] if blockers else ["r0"], [*blockers, *blockers, ""]])
    return case.with_payload(index, blocked_by=changed), {"skips"}


@mutation
def release_what_is_held_back(case: Case, chance: random.Random) -> Mutated:
    """At the end of the run, as if nothing had happened, and without its NodeSkipped."""
    seen = {event.payload["node_id"] for _, event in case.events if event.kind != "NodeSkipped"}
    held = [item for item in case.plan["items"] if item["status"] != "skipped" and item["repo_id"] not in seen]
    if not held:
        return None
    item = chance.choice(held)
    repo = item["repo_id"]
    kept = [pair for pair in case.events if pair[1].payload["node_id"] != repo]
    assert case.run.completed_at is not None
    time = case.run.completed_at
    more = [
        RunEvent(seq=0, kind=kind, payload={"node_id": repo, key: value}, timestamp=time)
        for kind, key, value in (
            ("NodeEntered", "version", item["version_label"]),
            ("NodeExited", "run_id", f"run-{repo}"),
        )
    ]
    return case.tidied([*kept, *(("run-1", event) for event in more)]), {"blocked"}


@mutation
def go_on_after_the_end(case: Case, chance: random.Random) -> Mutated:
    assert case.run.completed_at is not None
    late = RunEvent(
        seq=len(case.events) + 1,
        kind="NodeEntered",
        payload={"node_id": "r0", "version": "1.r0"},
        timestamp=case.run.completed_at + timedelta(seconds=chance.randint(1, 10**6)),
    )
    return replace(case, events=[*case.events, ("run-1", late)]), {"after_the_end"}


@mutation
def miscount(case: Case, chance: random.Random) -> Mutated:
    total = chance.choice([-1, len(case.events) + 1, 10**30, len(case.events) - 1])
    return case.with_summary(total_events=total), {"total_events"}


@mutation
def change_success(case: Case, chance: random.Random) -> Mutated:
    assert case.run.summary is not None
    return case.with_summary(success=not case.run.summary.success), {"status"}


@mutation
def change_duration(case: Case, chance: random.Random) -> Mutated:
    times = [-1, 10**9, 10**30]
    if len(case.events) > 1:
        times.append(0)
    return case.with_summary(duration_ms=chance.choice(times)), {"duration"}


@mutation
def change_digest(case: Case, chance: random.Random) -> Mutated:
    assert case.run.summary is not None
    if case.run.summary.final_state_digest is None:
        return None
    return case.with_summary(final_state_digest=ContentDigest("0" * 64)), {"final_state_digest"}


@mutation
def lose_summary(case: Case, chance: random.Random) -> Mutated:
    return case.with_run(summary=None), {"status"}


@mutation
def lose_end(case: Case, chance: random.Random) -> Mutated:
    return case.with_run(completed_at=None), {"status"}


@mutation
def end_before_the_start(case: Case, chance: random.Random) -> Mutated:
    return case.with_run(completed_at=BEGAN - timedelta(days=1)), {"timestamps"}


@mutation
def end_early(case: Case, chance: random.Random) -> Mutated:
    return (case.with_run(completed_at=BEGAN), {"after_the_end"}) if case.events else None


@mutation
def start_late(case: Case, chance: random.Random) -> Mutated:
    return case.with_run(created_at=case.run.completed_at), {"timestamps" if case.events else "duration"}


@mutation
def change_status(case: Case, chance: random.Random) -> Mutated:
    status = chance.choice([status for status in RunStatus if status is not case.run.status])
    return case.with_run(status=status), {"unfinished" if status is RunStatus.RUNNING else "status"}


@mutation
def change_status_and_success(case: Case, chance: random.Random) -> Mutated:
    status = chance.choice([s for s in RunStatus if s not in (case.run.status, RunStatus.RUNNING)])
    return case.with_summary(success=status is RunStatus.COMPLETED).with_run(status=status), {"status"}


@mutation
def finish_twice(case: Case, chance: random.Random) -> Mutated:
    status = chance.choice(list(RunStatus))
    return replace(case, runs=[case.run, case.run.model_copy(update={"status": status})]), {"recorded_once"}


@mutation
def lose_the_run(case: Case, chance: random.Random) -> Mutated:
    return (replace(case, runs=[]), {"runs_of_events"}) if case.events else None


@mutation
def move_to_another_run(case: Case, chance: random.Random) -> Mutated:
    index = any_event(case, chance)
    if index is None:
        return None
    events = [*case.events]
    events[index] = ("run-2", events[index][1])
    return replace(case, events=events), {"runs_of_events"}


@mutation
def change_spec_digest(case: Case, chance: random.Random) -> Mutated:
    return case.with_run(spec_digest=ContentDigest("0" * 64)), {"spec_digest"}


@mutation
def change_origin(case: Case, chance: random.Random) -> Mutated:
    return case.with_plan(originating_run_id="elsewhere"), {"spec_digest"}


@mutation
def change_plan_id(case: Case, chance: random.Random) -> Mutated:
    return case.with_tags(plan_id=chance.choice(["seq-00000000", None, 7, {}, []])), {"plan_id"}


@mutation
def change_planned_version(case: Case, chance: random.Random) -> Mutated:
    items = [dict(item) for item in case.plan["items"]]
    chance.choice(items)["version_label"] = "6.6.6"
    return case.with_plan(items=items), {"plan_id"}


@mutation
def drop_planned_edge(case: Case, chance: random.Random) -> Mutated:
    edges = list(case.plan["edges"])
    if not edges:
        return None
    edges.remove(chance.choice(edges))
    return case.with_plan(edges=edges), {"plan_id"}


@mutation
def spoil_plan(case: Case, chance: random.Random) -> Mutated:
    items = case.plan["items"]
    bad = chance.choice(
        [
            {"items": items + items},
            {"items": 7},
            {"edges": [["r0"]]},
            {"edges": [["nobody", "r0"]]},
            {"edges": [[items[0]["repo_id"], items[0]["repo_id"]]]},
            {"policy": "hope"},
            {"policy": ["stop"]},
            {"attempts": 0},
            {"attempts": 1.5},
            {"failure_budget": "two"},
            {"failure_budget": True},
            {"record_skips": None},
        ]
    )
    return case.with_plan(**bad), {"plan"}


@mutation
def lose_plan(case: Case, chance: random.Random) -> Mutated:
    tags = chance.choice([{}, None, [], "text", 7, {"plan": None}, {"plan": []}, {"plan": "x"}])
    metadata = case.run.metadata.model_copy(update={"tags": tags})
    return case.with_run(metadata=metadata), {"plan"}


@mutation
def claim_no_skips(case: Case, chance: random.Random) -> Mutated:
    recorded = any(event.kind == "NodeSkipped" for _, event in case.events)
    return (case.with_plan(record_skips=False), {"skips"}) if recorded else None


# ---------------------------------------------------------------------- what the digest alone tells


@mutation
def change_who_ran(case: Case, chance: random.Random) -> Mutated:
    change = chance.choice([{"git_sha": "0" * 40}, {"agent_name": "somebody"}])
    return case.with_run(metadata=case.run.metadata.model_copy(update=change)), {"final_state_digest"}


@mutation
def change_a_tag(case: Case, chance: random.Random) -> Mutated:
    return case.with_tags(**chance.choice([{"due": "friday"}, {"train": "x"}, {"": None}])), {"final_state_digest"}


@mutation
def change_a_rule(case: Case, chance: random.Random) -> Mutated:
    rules = [{"max_parallel": 8}, {"failure_budget": 10**6}, {"attempts": 1.0 * case.plan["attempts"]}, {"more": 1}]
    return case.with_plan(**chance.choice(rules)), {"final_state_digest", "plan"}


@mutation
def change_what_is_released_tidily(case: Case, chance: random.Random) -> Mutated:
    items = [dict(item) for item in case.plan["items"]]
    chance.choice(items)[chance.choice(["spec_digest", "promoted_by"])] = "mallory"
    tidy = case.with_plan(items=items)
    return tidy.with_tags(plan_id=plan_of({**tidy.plan, "plan_id": None}).plan_id), {"final_state_digest"}


@mutation
def end_a_year_later_tidily(case: Case, chance: random.Random) -> Mutated:
    assert case.run.summary is not None
    assert case.run.completed_at is not None
    later = case.with_run(completed_at=case.run.completed_at + timedelta(days=365))
    return later.with_summary(duration_ms=case.run.summary.duration_ms + 365 * 86_400_000), {"final_state_digest"}


@mutation
def begin_earlier(case: Case, chance: random.Random) -> Mutated:
    earlier = BEGAN - timedelta(seconds=chance.choice([1, 1e-6]))
    return case.with_run(created_at=earlier), {"final_state_digest"}


@mutation
def cancel(case: Case, chance: random.Random) -> Mutated:
    return case.with_run(status=RunStatus.CANCELLED).with_summary(success=False), {"final_state_digest"}


@mutation
def take_the_mark_of_the_digest_away(case: Case, chance: random.Random) -> Mutated:
    plan = {name: value for name, value in case.plan.items() if name != "digest"}
    return case.with_tags(plan=plan), {"final_state_digest"}


# ---------------------------------------------------------------------- the tests


def said(report: AuditReport) -> set[str]:
    return set(report.findings["check"])


def severities(report: AuditReport) -> list[tuple[str, str]]:
    return list(zip(report.findings["check"], report.findings["severity"], strict=True))


def coped(report: AuditReport) -> bool:
    return not report.findings["message"].str.contains("could not cope", regex=False).any()


def run_cases(seeds: range) -> Counter[str]:
    """Apply every mutation to every ledger, with and without its digest; count the cases."""
    cases = Counter[str]()
    for seed in seeds:
        chance = random.Random(seed)
        with_digest = clean(chance)
        for case in (with_digest, with_digest.with_summary(final_state_digest=None)):
            report = audit(case.ledger)
            told = [] if case is with_digest else [("final_state_digest", "warning")]
            assert severities(report) == told, (seed, report.findings.to_dict("records"))
            for name, mutate in MUTATIONS.items():
                mutated = mutate(case, chance)
                if mutated is None:
                    continue
                changed, responsible = mutated
                if case is not with_digest and responsible <= {"final_state_digest"}:
                    continue  # there is none
                cases[name] += 1
                report = audit(changed.ledger)
                assert said(report) & responsible, (seed, name, responsible, report.findings.to_dict("records"))
                assert coped(report), (seed, name, report.findings.to_dict("records"))
    return cases


def test_every_mutation_is_found_by_the_check_that_is_responsible() -> None:
    cases = run_cases(range(8))
    assert set(cases) == set(MUTATIONS)
    assert sum(cases.values()) > 400


@pytest.mark.slow
def test_every_mutation_is_found_in_many_more_cases() -> None:
    assert sum(run_cases(range(1_000, 2_000)).values()) > 50_000


def test_every_check_of_a_run_is_responsible_for_a_mutation() -> None:
    responsible = set[str]()
    for seed in range(40):
        chance = random.Random(seed)
        case = clean(chance)
        for mutate in MUTATIONS.values():
            mutated = mutate(case, chance)
            responsible |= set() if mutated is None else mutated[1]
    elsewhere = {"readable", "links", "antichain", "digests", "anchored"}  # tested by hand and in test_forgeries
    assert {check.__name__ for check in CHECKS} - responsible == elsewhere


def test_what_another_release_could_have_left_is_found_by_the_digest_alone() -> None:
    for seed in range(24):
        case = clean(chance := random.Random(seed))
        index = any_event(case, chance, "NodeExited", "NodeFailed")
        if index is None:
            continue
        key = "run_id" if case.events[index][1].kind == "NodeExited" else "error"
        changed = case.with_payload(index, **{key: "something else"})
        assert severities(audit(changed.ledger)) == [("final_state_digest", "error")]
        bare = audit(changed.with_summary(final_state_digest=None).ledger)
        assert severities(bare) == [("final_state_digest", "warning")]


def test_a_run_that_breaks_off_anywhere_has_one_error() -> None:
    for seed in range(16):
        case = clean(random.Random(seed)).with_run(status=RunStatus.RUNNING, summary=None, completed_at=None)
        for length in range(len(case.events) + 1):
            findings = audit(replace(case, events=case.events[:length]).ledger).findings
            assert findings["check"].tolist() == ["unfinished"], (seed, length, findings.to_dict("records"))
            entered = {e.payload["node_id"] for _, e in case.events[:length] if e.kind == "NodeEntered"}
            ended = {e.payload["node_id"] for _, e in case.events[:length] if e.kind in ("NodeExited", "NodeFailed")}
            for repo in entered - ended:
                assert repr(repo) in findings["message"].item()


def test_a_cancelled_run_has_at_most_a_warning() -> None:
    opened = 0
    for seed in range(60):
        chance = random.Random(seed)
        ids = [f"r{index}" for index in range(6)]
        edges = [(a, b) for i, a in enumerate(ids) for b in ids[i + 1 :] if chance.random() < 0.3]
        plan = build_plan(RepoDependencyGraph.from_edges(edges, nodes=ids), version="1.0")
        stop, failing = chance.choice(ids), set(chance.sample(ids, 2))

        def release(repo: str, version: str, spec: str, by: str, stop: str = stop, failing: set[str] = failing) -> str:
            if repo == stop:
                raise KeyboardInterrupt
            if repo in failing:
                raise RuntimeError("red")
            return "out"

        time = clock()
        ledger = MemoryRunLedger(clock=time)
        policy, skips = chance.choice(POLICIES), chance.random() < 0.5
        try:
            run_plan(plan, release, ledger, policy=policy, record_skips=skips, clock=time)
        except KeyboardInterrupt:
            opened += 1
            report = audit(ledger)
            assert report.findings[["check", "severity", "repo_id"]].values.tolist() == [["entries", "warning", stop]]
            assert report.ok
        else:
            assert audit(ledger).findings.empty
    assert opened > 20


def test_a_clean_ledger_of_many_runs_has_no_finding() -> None:
    time = clock()
    ledger = MemoryRunLedger(clock=time)
    graph = RepoDependencyGraph.from_edges([("a", "b"), ("b", "c"), ("a", "d")])
    for run in range(20):
        plan = build_plan(graph, version=f"1.{run % 3}", originating_run_id=f"o{run % 2}")
        run_plan(plan, ScriptedReleaser({"b": "red"} if run % 3 else {}), ledger, policy=POLICIES[run % 3], clock=time)
    assert audit(ledger).findings.empty
