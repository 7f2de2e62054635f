"""Parity with the original sequencer: every case of data/cases.jsonl, list orders and texts included."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from seqkit import (
    DependencyCycle,
    DuplicateRelease,
    MemoryRunLedger,
    RepoDependencyGraph,
    RepoNotFound,
    SequencingFailed,
    build_plan,
    run_plan,
)

CASES = [
    json.loads(line) for line in (Path(__file__).parents[1] / "data" / "cases.jsonl").read_text("utf-8").splitlines()
]


def refusal(case: dict[str, Any]) -> Exception | None:
    """What we say of the first release that the original takes and we do not."""
    seen: set[str] = set()
    for repo, *_ in case["releases"]:
        if repo not in case["nodes"]:
            return RepoNotFound(repo)
        if repo in seen:
            return DuplicateRelease(repo)
        seen.add(repo)
    return None


PLANNED = [case for case in CASES if refusal(case["case"]) is None]
REFUSED = [case for case in CASES if refusal(case["case"]) is not None]


class RecordingReleaser:
    def __init__(self, failing: list[str]) -> None:
        self.failing = failing
        self.calls: list[list[str]] = []

    async def release(self, repo_id: str, version_label: str, spec_digest: str, promoted_by: str) -> str:
        self.calls.append([repo_id, version_label, spec_digest, promoted_by])
        if repo_id in self.failing:
            raise SequencingFailed(repo_id, "intentional failure")
        return f"run-{repo_id}"


def built(case: dict[str, Any]) -> tuple[RepoDependencyGraph, list[dict[str, Any]]]:
    """Build the graph edge by edge, as the original was; also tell which edges it refused."""
    graph = RepoDependencyGraph()
    for repo in case["nodes"]:
        graph.add_node(repo)
    errors: list[dict[str, Any]] = []
    for index, (dependency, dependent) in enumerate(case["edges"]):
        try:
            graph.add_dependency(dependency, dependent)
        except (DependencyCycle, RepoNotFound) as error:
            told = {"repos": error.repos} if isinstance(error, DependencyCycle) else {"repo": error.repo}
            errors.append({"index": index, "kind": type(error).__name__, "message": str(error), **told})
    return graph, errors


def by_id(cases: list[dict[str, Any]]) -> Any:
    return pytest.mark.parametrize("golden", cases, ids=[case["id"] for case in cases])


def test_the_cases_are_all_there() -> None:
    assert (len(CASES), len(PLANNED), len(REFUSED)) == (43, 29, 14)


@by_id(CASES)
def test_graph(golden: dict[str, Any]) -> None:
    graph, errors = built(golden["case"])
    expected = golden["expected"]
    assert [(error["index"], error["kind"]) for error in errors] == [
        (error["index"], error["kind"]) for error in expected["edge_errors"]
    ]
    for error, wanted in zip(errors, expected["edge_errors"], strict=True):
        for key in {"message", "repos", "repo"} & set(wanted):  # paths stand only where they are unique
            assert error[key] == wanted[key]
        if error["kind"] == "DependencyCycle":
            dependency, dependent = golden["case"]["edges"][error["index"]]
            assert error["repos"][0] == error["repos"][-1] == dependent
            assert error["repos"][-2] == dependency
    assert graph.topological_order() == expected["topological_order"]
    assert graph.waves() == expected["parallel_groups"]


@by_id(REFUSED)
def test_unknown_and_duplicate_releases_raise(golden: dict[str, Any]) -> None:
    graph, _ = built(golden["case"])
    wanted = refusal(golden["case"])
    with pytest.raises(type(wanted)) as caught:  # type: ignore[arg-type]
        build_plan(graph, map(tuple, golden["case"]["releases"]), golden["case"]["originating_run_id"], scope="all")
    assert str(caught.value) == str(wanted)


@by_id(PLANNED)
def test_plan_run_and_ledger(golden: dict[str, Any]) -> None:
    case, expected = golden["case"], golden["expected"]
    graph, _ = built(case)
    plan = build_plan(graph, map(tuple, case["releases"]), case["originating_run_id"], scope="all")
    assert [json.loads(item.model_dump_json()) for item in plan.items] == expected["plan_items"]
    assert json.loads(plan.to_json())["items"] == expected["plan_items"]

    releaser, ledger = RecordingReleaser(case["fail"]), MemoryRunLedger()
    outcome = run_plan(plan, releaser, ledger, record_skips=False)
    assert releaser.calls == expected["release_calls"]
    assert {
        "succeeded": outcome.succeeded,
        "failed": [list(pair) for pair in outcome.failed],
        "skipped": outcome.skipped,
        "overall_success": outcome.overall_success,
    } == expected["outcome"]
    assert outcome.failures == dict(map(tuple, expected["outcome"]["failed"]))

    run = json.loads(ledger.get_run(outcome.run_id).model_dump_json())
    assert run["metadata"]["tags"]["plan_id"] == plan.plan_id
    run["metadata"]["tags"] = {"plan_id": "<plan_id>"}  # our other tags are additions
    for unlike in ("duration_ms", "final_state_digest"):
        for summary in (run["summary"], expected["run"]["summary"]):
            summary[unlike] = "not compared"
    assert {key: run[key] for key in expected["run"]} == expected["run"]
    events = [json.loads(event.model_dump_json()) for event in ledger.get_events(outcome.run_id)]
    assert [{key: event[key] for key in ("seq", "kind", "payload")} for event in events] == expected["events"]
    assert set(expected["run"]) >= {"status", "spec_digest", "metadata", "summary"}
