"""Jobs of GitLab's pipelines: attempts, who blocked whom, and words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from seqkit import ReadError, RepoDependencyGraph
from seqkit.importers.gitlab import is_gitlab, read_gitlab
from seqkit.readers._files import Opened
from tests.importers.rows import brief, opened, refused, remarks, times
from tests.readers.damage import damaged

PIPELINE = """
stages: [build, test, deploy]
compile: {stage: build, script: make, parallel: 2}
unit: {stage: test, script: pytest}
lint: {stage: test, script: ruff, needs: []}
ship: {stage: deploy, script: x}
tell: {stage: deploy, script: x, needs: [lint]}
"""


def job(number: int, title: str, status: Any = "success", **more: Any) -> dict[str, Any]:
    """Make a job as the API gives it, a minute after the one before."""
    ran = status in ("success", "failed", "running", "canceled")
    return {
        "id": number,
        "name": title,
        "stage": "test",
        "status": status,
        "allow_failure": False,
        "started_at": f"2026-01-05T10:{number % 60:02}:00.500Z" if ran else None,
        "finished_at": f"2026-01-05T11:{number % 60:02}:00.500+01:00" if ran and status != "running" else None,
        "pipeline": {"id": 7, "project_id": 2, "ref": "main", "sha": "abc", "status": "success"},
        "web_url": f"https://gitlab.example/acme/web/shop/-/jobs/{number}",
        **more,
    }


def test_jobs_of_one_name_are_attempts_in_the_order_of_their_ids(tmp_path: Path) -> None:
    told = [
        job(100, "unit"),
        job(99, "unit", "failed", failure_reason="script_failure"),
        job(98, "unit", "canceled", started_at=None),
        job(9, "unit", "canceled"),
        job(5, "build 1/2", failure_reason=None),
        job(6, "build 2/2", "failed", started_at=None, failure_reason="runner_system_failure"),
    ]
    found = read_gitlab(opened(tmp_path, a_json=told))
    assert brief(found) == [
        "acme/web/shop#7 build 1/2 1 succeeded",
        "acme/web/shop#7 build 2/2 1 failed runner_system_failure",
        "acme/web/shop#7 unit 1 in_progress cancelled",
        "acme/web/shop#7 unit 2 failed script_failure",
        "acme/web/shop#7 unit 3 succeeded",
    ]
    assert times(found) == [
        ("10:05", "10:05"),
        (None, "10:06"),
        ("10:09", None),
        ("10:39", "10:39"),
        ("10:40", "10:40"),
    ]
    assert remarks(found) == [
        "jobs not tried in one attempt of their run, and told by another: unit of acme/web/shop#7"
    ]


def test_runs_are_pipelines_whichever_file_tells_the_project(tmp_path: Path) -> None:
    bare = job(1, "a", web_url=None)
    other = job(2, "b", pipeline={"id": 8, "web_url": "https://gitlab.example/acme/docs/pipelines/8"}, web_url=None)
    assert brief(read_gitlab(opened(tmp_path, a_json=[bare, other]))) == [
        "7 a 1 succeeded",
        "acme/docs#8 b 1 succeeded",
    ]
    pages = opened(tmp_path, a_json=[[bare], [other]], b_json=job(3, "c"))
    assert all(map(is_gitlab, pages))
    assert brief(read_gitlab(pages)) == [
        "acme/web/shop#7 a 1 succeeded",
        "acme/web/shop#7 c 1 succeeded",
        "acme/docs#8 b 1 succeeded",
    ]


def test_a_url_with_half_a_character_names_nothing(tmp_path: Path) -> None:
    half = job(1, "a", web_url="https://gitlab.example/acme/\ud800/-/jobs/1")
    assert brief(read_gitlab(opened(tmp_path, a_json=[half]))) == ["7 a 1 succeeded"]


def test_who_blocked_whom_is_told_by_the_pipeline_or_a_graph(tmp_path: Path) -> None:
    told = [
        job(1, "compile 1/2", "failed"),
        job(2, "compile 2/2"),
        job(3, "unit", "skipped"),
        job(4, "lint"),
        job(5, "ship", "skipped"),
        job(6, "tell", "skipped"),
    ]
    files = opened(tmp_path, a_json=told, gitlab_ci_yml="")
    yml = tmp_path / ".gitlab-ci.yml"
    yml.write_text(PIPELINE, "utf-8")
    blocked = [
        "acme/web/shop#7 unit blocked by compile 1/2",
        "acme/web/shop#7 lint 1 succeeded",
        "acme/web/shop#7 ship blocked by compile 1/2",
        "acme/web/shop#7 tell skipped",
    ]
    assert brief(read_gitlab([files[0], Opened(yml)]))[2:] == blocked
    graph = RepoDependencyGraph.from_edges([("compile", "unit"), ("unit", "ship"), ("lint", "tell")])
    assert brief(read_gitlab(files[:1], graph))[2:] == blocked
    assert not any("blocked" in line for line in brief(read_gitlab(files[:1])))


def test_a_failure_that_was_allowed_holds_nobody_back(tmp_path: Path) -> None:
    graph = RepoDependencyGraph.from_edges([("a", "b")])
    for allowed, row in ((True, "b skipped"), (False, "b blocked by a")):
        files = opened(tmp_path, a_json=[job(1, "a", "failed", allow_failure=allowed), job(2, "b", "skipped")])
        assert brief(read_gitlab(files, graph))[1] == f"acme/web/shop#7 {row}"


def test_a_failure_that_a_retry_mended_blocks_nobody(tmp_path: Path) -> None:
    graph = RepoDependencyGraph.from_edges([("a", "b")])
    files = opened(tmp_path, a_json=[job(1, "a", "failed"), job(2, "a"), job(3, "b", "skipped")])
    assert brief(read_gitlab(files, graph))[2] == "acme/web/shop#7 b skipped"


@pytest.mark.parametrize(
    ("word", "row"),
    [
        ("success", "1 succeeded"),
        ("failed", "1 failed"),
        ("canceled", "1 in_progress cancelled"),
        ("canceling", "stopped cancelled"),
        ("skipped", "skipped"),
        ("manual", "skipped manual"),
        ("created", "pending created"),
        ("pending", "pending"),
        ("running", "1 in_progress"),
        ("preparing", "pending preparing"),
        ("waiting_for_resource", "pending waiting_for_resource"),
        ("waiting_for_callback", "pending waiting_for_callback"),
        ("scheduled", "pending scheduled"),
    ],
)
def test_words(tmp_path: Path, word: str, row: str) -> None:
    assert brief(read_gitlab(opened(tmp_path, a_json=[job(1, "a", word)]))) == [f"acme/web/shop#7 a {row}"]


def test_a_bridge_is_a_job(tmp_path: Path) -> None:
    bridge = job(1, "docs", downstream_pipeline={"id": 9, "status": "failed"}, started_at=None)
    assert brief(read_gitlab(opened(tmp_path, a_json=[bridge]))) == ["acme/web/shop#7 docs 1 succeeded"]


def test_records_that_come_twice(tmp_path: Path) -> None:
    under_way, done = job(1, "a", "running"), job(1, "a")
    found = read_gitlab(opened(tmp_path, a_json=[done], b_json=[under_way], c_json=[done]))
    assert brief(found) == ["acme/web/shop#7 a 1 succeeded"]
    assert remarks(found) == [
        "records of jobs under way that a later record replaces: a",
        "records that came twice and count once: a",
    ]
    with pytest.raises(ReadError) as caught:
        read_gitlab(opened(tmp_path, a_json=[done], b_json=[job(1, "a", "failed")]))
    assert all(word in str(caught.value) for word in ("a.json", "b.json", "succeeded", "failed"))


def test_unknown_words_are_told_together(tmp_path: Path) -> None:
    files = opened(tmp_path, a_json=[job(1, "a", "odd")], b_json=[job(2, "b", "even")])
    with pytest.raises(ReadError, match=r"a\.json: .*'odd' \(\[0\]\.status\), 'even' \(\[0\]\.status of .*b\.json\)"):
        read_gitlab(files)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"name": 5}, "[0].name is 5, expected text"),
        ({"name": ""}, "[0].name is '', expected the name of the job"),
        ({"id": -1}, "[0].id is -1, expected an id"),
        ({"id": True}, "[0].id is true, expected an id"),
        ({"status": None}, "[0].status is null, expected text"),
        ({"pipeline": 7}, "[0].pipeline is 7, expected an object"),
        ({"pipeline": {}}, "[0].pipeline.id is null, expected an id"),
        ({"failure_reason": 1}, "[0].failure_reason is 1, expected text"),
        ({"allow_failure": "no"}, "[0].allow_failure is 'no', expected true or false"),
        ({"finished_at": "yesterday"}, "[0].finished_at is 'yesterday', expected a time in ISO 8601"),
    ],
)
def test_faults_are_named(tmp_path: Path, change: dict[str, Any], fault: str) -> None:
    with pytest.raises(ReadError) as caught:
        read_gitlab(opened(tmp_path, a_json=[job(1, "a") | change]))
    assert f"a.json: {fault}" in str(caught.value)


def test_what_is_and_is_not_ours(tmp_path: Path) -> None:
    yml = tmp_path / ".gitlab-ci.yml"
    yml.write_text(PIPELINE, "utf-8")
    assert is_gitlab(Opened(yml))
    with pytest.raises(ReadError, match="is a pipeline, expected its jobs beside it"):
        read_gitlab([Opened(yml)])
    others = opened(
        tmp_path, a_json=[], b_json=[[]], c_json=[7], d_json={"jobs": []}, e_yml="on: push\njobs: {a: }\n", f_txt="{ no"
    )
    assert not any(map(is_gitlab, others))
    with pytest.raises(ReadError, match="is not JSON"):
        is_gitlab(*opened(tmp_path, broken_json="[{"))


@pytest.mark.parametrize("count", [300, pytest.param(20_000, marks=pytest.mark.slow)])
def test_damaged_files_give_rows_or_an_error_of_ours(tmp_path: Path, count: int) -> None:
    graph = RepoDependencyGraph.from_edges([("a", "b")])
    document = [job(1, "a", "failed", failure_reason="x"), job(2, "b", "skipped"), job(3, "a")]

    def read(files: list[Opened]) -> Any:
        is_gitlab(files[0])
        return read_gitlab(files, graph)

    faults = list(refused(read, tmp_path / "a.json", damaged(document, count)))
    assert 0 < len(faults) < count
    assert max(map(len, faults)) < 2_000
