"""Summaries of runs of turbo: what was begun they tell, what was not is known from who needs whom."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from seqkit import ReadError, RepoDependencyGraph
from seqkit.importers.turbo import is_turbo_run, read_turbo_runs
from seqkit.readers._files import Opened
from tests.importers.opening import said, told, written
from tests.readers.damage import survives

START = 1_767_607_200_000  # 2026-01-05T10:00:00Z
NEEDS = {"core": [], "docs": [], "api": ["core"], "app": ["api", "docs"]}


def task(name: str, needs: list[str], outcome: int | str | None = None, **more: Any) -> dict[str, Any]:
    """Make a task of a summary; `outcome` is an exit code, "cut off" or, of what was not begun, None."""
    package, _, kind = name.partition("#")
    row: dict[str, Any] = {"taskId": name, "task": kind, "package": package, "command": "make"}
    row |= {"dependencies": needs, "dependents": [], "cache": {"status": "MISS"}, "execution": None}
    if outcome is not None:
        code = None if outcome == "cut off" else outcome
        row["execution"] = {"startTime": START, "endTime": START + 1500, "exitCode": code}
    return row | more


def summary(*tasks: dict[str, Any], run: str = "1", packages: list[str] | None = None) -> dict[str, Any]:
    """Make the summary of a run, or without an id what a dry run prints."""
    for row in tasks:
        row["dependents"] = [other["taskId"] for other in tasks if row["taskId"] in other["dependencies"]]
    document = {"turboVersion": "2.5.0", "packages": packages or [], "tasks": list(tasks)}
    return document | ({"id": run, "execution": {"startTime": START, "exitCode": 1}} if run else {})


def build(package: str, outcome: int | str | None = None, **more: Any) -> dict[str, Any]:
    return task(f"{package}#build", [f"{need}#build" for need in NEEDS[package]], outcome, **more)


DRY = summary(*map(build, NEEDS), run="", packages=list(NEEDS))


def test_a_run_with_a_failure(tmp_path: Path) -> None:
    run = summary(build("core", 2), build("docs", 0, cache={"status": "HIT"}), packages=["//", *NEEDS])
    files = written(tmp_path, {"1.json": run, "dry.json": DRY})
    assert all(map(is_turbo_run, files))
    found = read_turbo_runs(files)
    assert told(found) == [
        ("core", 1, "failed", [], None),
        ("docs", 1, "succeeded", [], "cached"),
        ("api", None, "blocked", ["core"], None),
        ("app", None, "blocked", ["core"], None),
    ]
    failed = found.rows[0]
    assert (failed.run_id, failed.train, failed.reason) == ("1", None, "exit code 2")
    assert failed.started_at == datetime(2026, 1, 5, 10, tzinfo=UTC)
    assert failed.finished_at == datetime(2026, 1, 5, 10, 0, 1, 500_000, tzinfo=UTC)
    assert said(found) == "2 repos that a run does not tell of, and that were taken from who needs whom: api, app"


def test_a_dry_run_has_text_before_it(tmp_path: Path) -> None:
    run = summary(build("core", 1), packages=list(NEEDS))
    files = written(tmp_path, {"1.json": run, "dry.json": f"> turbo\n\n{json.dumps(DRY)}"})
    assert all(map(is_turbo_run, files))
    assert {row.repo_id: row.status for row in read_turbo_runs(files).rows} == {
        "core": "failed",
        "docs": "stopped",  # turbo ends at the first failure
        "api": "blocked",
        "app": "blocked",
    }


def test_a_run_alone_tells_of_dependents(tmp_path: Path) -> None:
    run = summary(build("core", 1, dependents=["api#build"]))
    run["tasks"][0]["dependents"] = ["api#build"]
    found = read_turbo_runs(written(tmp_path, {"1.json": run}))
    assert told(found) == [("core", 1, "failed", [], None), ("api", None, "blocked", ["core"], None)]
    assert "as far as the summaries tell of dependents" in said(found)


def test_other_runs_tell_who_needs_whom(tmp_path: Path) -> None:
    good = summary(*(build(package, 0) for package in NEEDS), run="0")
    found = read_turbo_runs(written(tmp_path, {"0.json": good, "1.json": summary(build("core", 1))}))
    assert [row[:4] for row in told(found)[4:]] == [
        ("core", 1, "failed", []),
        ("api", None, "blocked", ["core"]),
        ("app", None, "blocked", ["core"]),
    ]


def test_only_packages_of_the_run_are_missing_from_it(tmp_path: Path) -> None:
    run = summary(build("core", 1), packages=["core", "api"])
    found = read_turbo_runs(written(tmp_path, {"1.json": run, "dry.json": DRY}))
    assert [row.repo_id for row in found.rows] == ["core", "api"]


def test_what_has_no_script_is_no_repo(tmp_path: Path) -> None:
    dry = summary(build("core"), build("api", command="<NONEXISTENT>"), build("docs"), build("app"), run="")
    found = read_turbo_runs(
        written(tmp_path, {"1.json": summary(build("core", 1), packages=[*NEEDS]), "dry.json": dry})
    )
    assert told(found)[1:] == [("docs", None, "stopped", [], None), ("app", None, "blocked", ["core"], None)]


def test_a_graph_says_who_needs_whom(tmp_path: Path) -> None:
    files = written(tmp_path, {"1.json": summary(build("core", 1))})
    packages = read_turbo_runs(files, RepoDependencyGraph.from_edges([("core", "x"), ("a", "b")]))
    assert [row[:4] for row in told(packages)] == [("core", 1, "failed", []), ("x", None, "blocked", ["core"])]
    assert "dry run" not in said(packages)
    tasks = read_turbo_runs(files, RepoDependencyGraph.from_edges([("core#build", "x#build"), ("x#build", "x#test")]))
    assert [row[:4] for row in told(tasks)] == [
        ("core#build", 1, "failed", []),
        ("x#build", None, "blocked", ["core#build"]),
    ]


def test_what_went_on_in_spite_of_a_failure(tmp_path: Path) -> None:
    run = summary(build("core", 1), build("api", 0), build("docs", 0), build("app", 0))
    assert [row.status for row in read_turbo_runs(written(tmp_path, {"1.json": run})).rows] == ["failed"] + [
        "succeeded"
    ] * 3


def test_what_was_not_begun_or_cut_off(tmp_path: Path) -> None:
    run = summary(build("core", 1, execution={"startTime": START, "endTime": START, "exitCode": 1, "error": "oom"}))
    run["tasks"] += [build("docs", "cut off"), build("api"), build("app"), task("lint#build", [])]
    found = read_turbo_runs(written(tmp_path, {"1.json": run}))
    assert told(found) == [
        ("core", 1, "failed", [], None),
        ("docs", 1, "in_progress", [], "cancelled"),
        ("api", None, "blocked", ["core"], None),
        ("app", None, "blocked", ["core"], None),
        ("lint", None, "stopped", [], None),
    ]
    assert [row.reason for row in found.rows][:2] == ["oom", None]


def test_of_several_tasks_the_worst_counts(tmp_path: Path) -> None:
    late = {"startTime": START + 5000, "endTime": START + 9000, "exitCode": 1}
    run = summary(build("core", 0), task("core#test", ["core#build"], execution=late), build("api", 0))
    run["tasks"].append(task("api#test", ["core#test", "api#build"]))
    found = read_turbo_runs(written(tmp_path, {"1.json": run}))
    assert told(found) == [("core", 1, "failed", [], None), ("api", None, "blocked", ["core"], None)]
    failed = found.rows[0]
    assert failed.started_at is not None
    assert failed.finished_at is not None
    assert (failed.finished_at - failed.started_at).total_seconds() == 9
    assert "2 packages with several tasks, of which the worst counts: core, api" in said(found)


def test_a_repository_of_one_package(tmp_path: Path) -> None:
    run = summary(task("build", [], 1), task("test", ["build"]))
    for row in run["tasks"]:
        del row["taskId"], row["package"]
        row["task"] = "test" if row["dependencies"] else "build"
    files = written(tmp_path, {"1.json": run})
    assert is_turbo_run(files[0])
    assert [row[:4] for row in told(read_turbo_runs(files))] == [
        ("build", 1, "failed", []),
        ("test", None, "blocked", ["build"]),
    ]


def test_a_run_that_comes_twice(tmp_path: Path) -> None:
    early, late = summary(build("core", 0), build("api")), summary(build("core", 0), build("api", 0))
    found = read_turbo_runs(written(tmp_path, {"b.json": late, "a.json": early, "c.json": late}))
    assert [row.status for row in found.rows] == ["succeeded", "succeeded"]
    assert "records that came twice and count once: 1" in said(found)
    assert "older records of a run" in said(found)
    with pytest.raises(ReadError, match="otherwise than"):
        read_turbo_runs(written(tmp_path, {"a.json": late, "b.json": summary(build("core", 1), build("api"))}))


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (["tasks"], None, "tasks is null, expected a list"),
        (["tasks", 0, "taskId"], 5, r"tasks\[0\]\.taskId is 5, expected text"),
        (["tasks", 1, "taskId"], "core#build", r"tasks\[1\]\.taskId is once more that of another task"),
        (["tasks", 0, "dependencies"], [1], r"tasks\[0\]\.dependencies\[0\] is 1, expected text"),
        (["tasks", 0, "dependencies"], ["docs#build", "api#build"], r"1\.json: .*tasks that wait for each other"),
        (["tasks", 0, "execution"], [], r"tasks\[0\]\.execution is a list, expected an object"),
        (
            ["tasks", 0, "execution", "startTime"],
            1e300,
            r"execution\.startTime is 1e\+300, expected a time",
        ),
        (["tasks", 0, "execution", "exitCode"], "1", r"exitCode is '1', expected a number"),
        (["id"], None, "id is null, expected text"),
        (["execution"], None, "is a dry run of turbo, expected a summary"),
    ],
)
def test_what_is_malformed(tmp_path: Path, place: list[Any], value: Any, message: str) -> None:
    run = summary(build("core", 1), build("api", 0))
    here: Any = run
    for key in place[:-1]:
        here = here[key]
    here[place[-1]] = value
    with pytest.raises(ReadError, match=message):
        read_turbo_runs(written(tmp_path, {"1.json": run}))


def test_damage(tmp_path: Path) -> None:
    run = summary(build("core", 1), build("docs", 0), build("api"), packages=list(NEEDS))
    names = {"r.json": run, "dry.json": DRY}

    def read() -> object:
        files = [Opened(tmp_path / name) for name in names]
        return read_turbo_runs([file for file in files if is_turbo_run(file)])

    for name, document in names.items():
        written(tmp_path, names)
        survives(document, tmp_path / name, read, 300)
