"""Runs of GitHub Actions: REST, gh, webhooks, and workflows that tell who waited for whom."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from seqkit import DependencyCycle, ReadError, RepoDependencyGraph, read_graph
from seqkit.importers.github import is_github, read_github
from seqkit.readers._files import Opened
from tests.importers.rows import brief, opened, refused, remarks, times
from tests.readers.damage import damaged

WORKFLOW = """
name: CI
on: [push]
jobs:
  lint: {}
  build:
    strategy: {matrix: {os: [linux, mac]}}
  test:
    name: Test ${{ matrix.py }} on ${{ matrix.os }}
    needs: build
  docs: {needs: lint}
  ship:
    name: Ship it
    needs: [test, docs]
    uses: ./.github/workflows/ship.yml
  tell: {needs: ship}
"""
SHIP = """
on: workflow_call
jobs:
  pack: {}
  upload: {name: Upload, needs: pack}
"""


def job(number: int, title: str, conclusion: Any = "success", run: int = 7, **more: Any) -> dict[str, Any]:
    """Make a job as the REST API gives it, a minute after the one before."""
    return {
        "id": number,
        "run_id": run,
        "run_url": f"https://api.github.com/repos/acme/shop/actions/runs/{run}",
        "html_url": f"https://github.com/acme/shop/actions/runs/{run}/job/{number}",
        "run_attempt": 1,
        "name": title,
        "status": "completed" if conclusion else "in_progress",
        "conclusion": conclusion,
        "started_at": f"2026-01-05T10:{number % 60:02}:00Z",
        "completed_at": f"2026-01-05T11:{number % 60:02}:00Z" if conclusion else None,
        "steps": [{"name": "Set up job", "conclusion": "success", "number": 1}],
        "runner_id": 3,
        **more,
    }


def jobs(*those: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"total_count": len(those), "jobs": list(those), **more}


def run(number: int = 7, **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "name": "CI",
        "path": ".github/workflows/ci.yml",
        "run_number": 12,
        "run_attempt": 1,
        "workflow_id": 4,
        "status": "completed",
        "conclusion": "success",
        "created_at": "2026-01-05T10:00:00Z",
        "run_started_at": "2026-01-05T10:00:30Z",
        "updated_at": "2026-01-05T10:09:00Z",
        "html_url": f"https://github.com/acme/shop/actions/runs/{number}",
        "repository": {"full_name": "acme/shop"},
        **more,
    }


GH = {
    "attempt": 1,
    "databaseId": 7,
    "workflowName": "CI",
    "status": "completed",
    "conclusion": "failure",
    "startedAt": "2026-01-05T10:00:00Z",
    "updatedAt": "2026-01-05T10:10:00Z",
    "url": "https://github.com/acme/shop/actions/runs/7",
}
GH_JOBS = [
    {
        "databaseId": 1,
        "name": "build",
        "status": "completed",
        "conclusion": "failure",
        "startedAt": "2026-01-05T10:01:00Z",
        "completedAt": "2026-01-05T10:02:00Z",
        "steps": [],
        "url": "https://github.com/acme/shop/actions/runs/7/job/1",
    },
    {
        "databaseId": 2,
        "name": "test",
        "status": "in_progress",
        "conclusion": "",
        "startedAt": "2026-01-05T10:03:00Z",
        "completedAt": "0001-01-01T00:00:00Z",
        "steps": [],
        "url": "https://github.com/acme/shop/actions/runs/7/job/2",
    },
]


def test_jobs_are_rows_whichever_file_tells_of_their_run(tmp_path: Path) -> None:
    told = jobs(job(1, "lint"), job(2, "build (linux)", "failure"))
    files = opened(tmp_path, jobs_json=told, run_json=run(repository={"full_name": "acme/renamed"}))
    assert brief(read_github(files)) == ["acme/renamed#7 lint 1 succeeded", "acme/renamed#7 build (linux) 1 failed"]
    found = read_github(files[:1])
    assert brief(found) == ["acme/shop#7 lint 1 succeeded", "acme/shop#7 build (linux) 1 failed"]
    assert times(found) == [("10:01", "11:01"), ("10:02", "11:02")]
    assert remarks(found) == []


def test_what_gh_views(tmp_path: Path) -> None:
    whole, alone = opened(tmp_path, a_json=GH | {"jobs": GH_JOBS}, b_json={"jobs": GH_JOBS})
    for file in (whole, alone):
        assert is_github(file)
        found = read_github([file])
        assert brief(found) == ["acme/shop#7 build 1 failed", "acme/shop#7 test 1 in_progress"]
        assert times(found) == [("10:01", "10:02"), ("10:03", None)]


def test_the_attempt_of_a_run_is_that_of_its_jobs_where_gh_tells_it(tmp_path: Path) -> None:
    url = "https://github.com/acme/shop/actions/runs/7/attempts/3"
    by_number = GH | {"attempt": 2, "jobs": GH_JOBS[:1]}
    by_url = {"databaseId": 7, "url": url, "jobs": GH_JOBS[:1], "status": "completed"}
    for document, attempt in ((by_number, 2), (by_url, 3)):
        found = read_github(opened(tmp_path, a_json=document))
        assert brief(found) == [f"acme/shop#7 build {attempt} failed"]
        assert remarks(found) == ["runs of which not every attempt is told: acme/shop#7"]


def test_a_list_of_runs_is_a_row_a_run(tmp_path: Path) -> None:
    other = GH | {"databaseId": 8, "url": "", "workflowName": "Nightly", "conclusion": "timed_out", "attempt": 2}
    found = read_github(opened(tmp_path, a_json=[GH, other]))
    assert brief(found) == ["acme/shop#7 CI 1 failed", "8 Nightly 2 failed timed_out"]
    assert times(found)[0] == ("10:00", "10:10")
    assert "2 runs without their jobs" in remarks(found)[0]
    rest = {"total_count": 40, "workflow_runs": [run(), run(9, conclusion=None, status="queued")]}
    found = read_github(opened(tmp_path, rest_json=rest))
    assert brief(found) == ["acme/shop#7 CI 1 succeeded", "acme/shop#9 CI pending queued"]
    assert times(found) == [("10:00", "10:09"), (None, None)]
    assert "lists of runs count 40, and hold 2" in remarks(found)


def test_a_list_does_not_repeat_runs_whose_jobs_are_told(tmp_path: Path) -> None:
    later = run(8, updated_at="2026-01-06T00:00:00Z")
    files = opened(
        tmp_path, list_json={"workflow_runs": [run(), run(8)]}, jobs_json=jobs(job(1, "a")), again_json=later
    )
    found = read_github(files)
    assert sorted(brief(found)) == ["acme/shop#7 a 1 succeeded", "acme/shop#8 CI 1 succeeded"]
    assert times(found)[1] == ("10:00", "10:09")  # a run is touched long after it ended


def test_runs_without_ids_are_refused_with_what_to_ask_for(tmp_path: Path) -> None:
    bare = {key: GH[key] for key in ("conclusion", "status", "startedAt", "updatedAt")}
    (file,) = opened(tmp_path, a_json=[bare])
    assert is_github(file)
    with pytest.raises(ReadError) as caught:
        read_github([file])
    for word in ("[0] has no id", "databaseId", "gh run list --json", "ledger_from_frame", "run=None"):
        assert word in str(caught.value)
    with pytest.raises(ReadError, match="workflowName is null, expected the name of the workflow"):
        read_github(opened(tmp_path, a_json=[bare | {"databaseId": 5}]))
    by_number = bare | {"number": 5, "workflowName": "CI"}
    assert brief(read_github(opened(tmp_path, a_json=[by_number]))) == ["CI #5 CI 1 failed"]


def test_webhooks_tell_of_a_job_as_it_goes(tmp_path: Path) -> None:
    def hook(name: str, **more: Any) -> dict[str, Any]:
        return {"action": name, "workflow_job": job(1, "build", **more), "repository": {"full_name": "acme/web"}}

    files = opened(
        tmp_path,
        done_json=hook("completed", conclusion="failure"),
        queued_json=hook("queued", conclusion=None, status="queued"),
        running_json=hook("in_progress", conclusion=None),
        twice_json=hook("completed", conclusion="failure"),
    )
    found = read_github(files)
    assert brief(found) == ["acme/web#7 build 1 failed"]
    assert remarks(found) == [
        "2 records of jobs under way that a later record replaces: build, build",
        "records that came twice and count once: build",
    ]
    hooked = {"action": "completed", "workflow_run": run(), "repository": {}}
    assert brief(read_github(opened(tmp_path, run_json=hooked))) == ["acme/shop#7 CI 1 succeeded"]


def test_records_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    files = opened(tmp_path, a_json=jobs(job(1, "build")), b_json=jobs(job(1, "build", "failure")))
    with pytest.raises(ReadError) as caught:
        read_github(files)
    assert all(name in str(caught.value) for name in ("a.json", "b.json", "succeeded", "failed", "job 1 (build)"))


def test_who_blocked_whom_is_told_by_the_workflow(tmp_path: Path) -> None:
    told = jobs(
        job(1, "lint"),
        job(2, "build (linux)"),
        job(3, "build (mac)", "failure"),
        job(4, "Test ${{ matrix.py }} on ${{ matrix.os }}", "skipped"),
        job(5, "docs", "skipped"),
        job(6, "Ship it", "skipped"),
        job(7, "tell", "skipped"),
    )
    files = opened(tmp_path, run_json=run(), jobs_json=told, ci_yml=WORKFLOW, ship_yml=SHIP)
    assert brief(read_github(files)) == [
        "acme/shop#7 lint 1 succeeded",
        "acme/shop#7 build (linux) 1 succeeded",
        "acme/shop#7 build (mac) 1 failed",
        "acme/shop#7 Test ${{ matrix.py }} on ${{ matrix.os }} blocked by build (mac)",
        "acme/shop#7 docs skipped",  # by choice: what it needs went well
        "acme/shop#7 Ship it blocked by build (mac)",
        "acme/shop#7 tell blocked by build (mac)",
    ]
    assert {line.rpartition(" ")[2] for line in brief(read_github(files[:2]))} == {"succeeded", "failed", "skipped"}


def test_jobs_of_called_workflows_wait_inside_and_outside(tmp_path: Path) -> None:
    called = [job(1, "Ship it / pack", "failure"), job(2, "Ship it / Upload", "skipped"), job(3, "tell", "skipped")]
    files = opened(tmp_path, jobs_json=jobs(*called), ci_yml=WORKFLOW, ship_yml=SHIP)
    assert brief(read_github(files)) == [
        "acme/shop#7 Ship it / pack 1 failed",
        "acme/shop#7 Ship it / Upload blocked by Ship it / pack",
        "acme/shop#7 tell blocked by Ship it / pack",
    ]
    # Without the file that is called nobody knows what waits for what inside.
    assert brief(read_github(files[:2]))[1:] == [
        "acme/shop#7 Ship it / Upload skipped",
        "acme/shop#7 tell blocked by Ship it / pack",
    ]


def test_a_workflow_is_found_by_its_path_else_by_the_jobs(tmp_path: Path) -> None:
    turned = "on: push\njobs: {build: {needs: test}, test: {}}\n"
    right = "on: push\njobs: {test: {needs: build}, build: {}, more: {}}\n"
    told = jobs(job(1, "build", "failure"), job(2, "test", "skipped"))
    by_path = opened(tmp_path, jobs_json=told, run_json=run(), other_yml=turned, ci_yml=right)
    assert brief(read_github(by_path))[1] == "acme/shop#7 test blocked by build"
    # Both have the jobs, and nobody says which it was.
    assert brief(read_github([by_path[0], *by_path[2:]]))[1] == "acme/shop#7 test skipped"
    more = jobs(job(1, "build", "failure"), job(2, "test", "skipped"), job(3, "more"))
    by_jobs = opened(tmp_path, jobs_json=more, other_yml=turned, ci_yml=right)
    assert brief(read_github(by_jobs))[1] == "acme/shop#7 test blocked by build"
    # A run of a workflow that is not here has a job more.
    strange = opened(tmp_path, jobs_json=told["jobs"] + [job(9, "x")], run_json=run(path="a/b.yml@v1"), one_yml=right)
    assert brief(read_github(strange))[1] == "acme/shop#7 test skipped"


def test_a_graph_may_use_names_or_keys(tmp_path: Path) -> None:
    told = jobs(job(1, "build (mac)", "failure"), job(2, "Ship it", "skipped"), job(3, "other", "skipped"))
    files = opened(tmp_path, jobs_json=told, ci_yml=WORKFLOW)
    by_keys = RepoDependencyGraph.from_edges([("build", "ship")])
    by_names = RepoDependencyGraph.from_edges([("build (mac)", "Ship it")])
    for graph, given in ((by_keys, files), (by_names, files[:1]), (read_graph(tmp_path / "ci.yml"), files[:1])):
        found = read_github(given, graph)
        assert brief(found)[1:] == ["acme/shop#7 Ship it blocked by build (mac)", "acme/shop#7 other skipped"]
        assert remarks(found) == ["skipped jobs of which nobody told what they need: other of acme/shop#7"]
    circle = RepoDependencyGraph.from_edges([("a", "b"), ("b", "a")], cycles="keep")
    with pytest.raises(DependencyCycle):
        read_github(files, circle)


def test_a_job_that_may_fail_holds_nobody_back(tmp_path: Path) -> None:
    text = "on: push\njobs: {a: {continue-on-error: true}, b: {needs: a}}\n"
    files = opened(tmp_path, jobs_json=jobs(job(1, "a", "failure"), job(2, "b", "skipped")), ci_yml=text)
    assert brief(read_github(files)) == ["acme/shop#7 a 1 failed", "acme/shop#7 b skipped"]


def test_attempts_of_a_re_run_are_joined(tmp_path: Path) -> None:
    first = jobs(job(1, "a"), job(2, "b", "failure"), job(3, "c", "skipped"))
    same = job(1, "a") | {"id": 11, "run_attempt": 2}
    second = jobs(same, job(12, "b", run_attempt=2), job(13, "c", run_attempt=2))
    files = opened(tmp_path, second_json=second, first_json=first, run_json=run(run_attempt=2))
    found = read_github(files)
    assert brief(found) == [
        "acme/shop#7 a 1 succeeded",
        "acme/shop#7 b 1 failed",
        "acme/shop#7 b 2 succeeded",
        "acme/shop#7 c 2 succeeded",
    ]
    assert remarks(found) == [
        "jobs that a re-run took over from an earlier attempt: a of acme/shop#7",
        "jobs not tried in one attempt of their run, and told by another: c of acme/shop#7",
    ]
    assert remarks(read_github(files[:1])) == ["runs of which not every attempt is told: acme/shop#7"]
    assert remarks(read_github(files[1:])) == ["runs of which not every attempt is told: acme/shop#7"]


def test_jobs_of_one_name_get_numbers(tmp_path: Path) -> None:
    found = read_github(opened(tmp_path, a_json=jobs(job(10, "a"), job(9, "a", "failure"), job(11, "a #2"))))
    assert brief(found) == ["acme/shop#7 a 1 failed", "acme/shop#7 a #3 1 succeeded", "acme/shop#7 a #2 1 succeeded"]
    assert remarks(found) == ["jobs of one name in one attempt, which got numbers: a of acme/shop#7"]


@pytest.mark.parametrize(
    ("word", "more", "row"),
    [
        ("neutral", {}, "1 succeeded neutral"),
        ("timed_out", {}, "1 failed timed_out"),
        ("startup_failure", {}, "1 failed startup_failure"),
        ("action_required", {}, "pending action_required"),
        ("stale", {}, "1 in_progress cancelled"),
        ("cancelled", {}, "1 in_progress cancelled"),
        ("cancelled", {"runner_id": None}, "1 in_progress cancelled"),
        ("cancelled", {"runner_id": 0, "steps": []}, "stopped cancelled"),
        ("cancelled", {"runner_id": None, "steps": []}, "stopped cancelled"),
        ("skipped", {}, "skipped"),
        (None, {"status": "queued"}, "pending queued"),
        (None, {"status": "waiting"}, "pending waiting"),
        (None, {"status": "requested"}, "pending requested"),
        (None, {}, "1 in_progress"),
    ],
)
def test_words(tmp_path: Path, word: str | None, more: dict[str, Any], row: str) -> None:
    assert brief(read_github(opened(tmp_path, a_json=jobs(job(1, "a", word, **more))))) == [f"acme/shop#7 a {row}"]


def test_gh_does_not_name_the_runner_of_a_job_that_never_began(tmp_path: Path) -> None:
    never = GH_JOBS[0] | {"conclusion": "cancelled", "completedAt": GH_JOBS[0]["startedAt"]}
    found = read_github(
        opened(tmp_path, a_json={"jobs": [never, GH_JOBS[0] | {"conclusion": "cancelled", "databaseId": 9}]})
    )
    assert brief(found)[0] == "acme/shop#7 build stopped cancelled"


def test_an_end_before_the_start_is_kept_as_told(tmp_path: Path) -> None:
    found = read_github(opened(tmp_path, a_json=jobs(job(1, "a", completed_at="2026-01-05T10:00:59Z"))))
    assert times(found) == [("10:01", "10:00")]


def test_a_page_of_the_jobs_is_said_to_be_one(tmp_path: Path) -> None:
    pages = opened(tmp_path, a_json=jobs(job(1, "a"), total_count=2), b_json=jobs(job(2, "b"), total_count=2))
    assert remarks(read_github(pages)) == []
    assert remarks(read_github(pages[:1])) == ["runs of which some jobs are not told: acme/shop#7: 1 of 2"]
    slurped = opened(tmp_path, c_json=[jobs(job(1, "a")), jobs(job(2, "b", run=8))])
    assert is_github(slurped[0])
    assert brief(read_github(slurped)) == ["acme/shop#7 a 1 succeeded", "acme/shop#8 b 1 succeeded"]


def test_unknown_words_are_told_together(tmp_path: Path) -> None:
    files = opened(
        tmp_path, a_json=jobs(job(1, "a", "odd"), job(2, "b", "Odd"), job(3, "c")), b_json=job(4, "d", "even")
    )
    with pytest.raises(
        ReadError, match=r"a\.json: has status words .*'odd' \(jobs\[0\]\.conclusion\), 'even' \(the job"
    ):
        read_github(files)


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        (jobs(job(1, "a", name=None)), "jobs[0].name is null, expected text"),
        (jobs(job(1, " ")), "jobs[0].name is ' ', expected the name of the job"),
        (jobs(job(1, "a", id=None)), "jobs[0].id is null, expected an id: a number or text"),
        (jobs(job(1, "a", id=10**30)), "expected an id: a number or text"),
        (jobs(job(1, "a", run_attempt="1")), "jobs[0].run_attempt is '1', expected a whole number from 1"),
        (jobs(job(1, "a", run_attempt=10**12)), "expected a whole number from 1"),
        (jobs(job(1, "a", steps={})), "jobs[0].steps is an object, expected a list"),
        (jobs(job(1, "a", started_at=5)), "jobs[0].started_at is 5, expected a time in ISO 8601"),
        (jobs(job(1, "a", None, status="completed")), "jobs[0].conclusion is not told, expected a word"),
        (jobs(job(1, "a", None, status=None)), "jobs[0].conclusion is not told"),
        (jobs(job(1, "a", ["x"])), "jobs[0].conclusion is a list, expected text"),
        (jobs(job(1, "a"), [job(2, "a")]), "jobs[1] is a list, expected an object"),
        (jobs(job(1, "a"), total_count="2"), "total_count is '2', expected a whole number"),
        ({"jobs": [{"run_id": None, "name": "a"}]}, "jobs[0] has no id of its run (run_id"),
        ({"jobs": [{"databaseId": 1, "url": "x"}]}, "jobs[0] has no id of its run"),
        (run(repository=["x"]), "the run.repository is a list, expected an object"),
        ([run(), 7], "[1] is 7, expected an object"),
        ([run(), {"a": 1}], "[1] is an object without their keys"),
        ({"workflow_job": 1}, "workflow_job is 1, expected an object"),
        ({"workflow_runs": {}}, "workflow_runs is an object, expected a list"),
    ],
)
def test_faults_are_named(tmp_path: Path, document: object, fault: str) -> None:
    with pytest.raises(ReadError) as caught:
        read_github(opened(tmp_path, a_json=document))
    assert fault in str(caught.value)
    assert "a.json: " in str(caught.value)


def test_a_url_with_half_a_character_names_nothing(tmp_path: Path) -> None:
    half = job(1, "a", run_url=None, html_url="https://github.com/acme/\ud800/actions/runs/7/job/1")
    assert brief(read_github(opened(tmp_path, a_json=jobs(half)))) == ["7 a 1 succeeded"]


def test_ids_may_be_text(tmp_path: Path) -> None:
    files = opened(tmp_path, a_json=jobs(job(1, "a", id="1", run_id="7")), run_json=run(id="7"))
    assert brief(read_github(files)) == ["acme/shop#7 a 1 succeeded"]


def test_workflows_alone_or_in_a_circle_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="is a workflow, expected runs of it beside it"):
        read_github(opened(tmp_path, ci_yml=WORKFLOW))
    circle = "on: push\njobs: {a: {needs: b}, b: {needs: a}}\n"
    with pytest.raises(ReadError, match=r"ci\.yml: has jobs that wait for each other"):
        read_github(opened(tmp_path, a_json=run(), ci_yml=circle))


def test_workflows_that_call_one_another_end(tmp_path: Path) -> None:
    around = "on: push\njobs: {a: {uses: ./.github/workflows/b.yml}}\n"
    back = "on: push\njobs: {a: {uses: o/r/.github/workflows/a.yml@refs/heads/main}, c: {needs: a}}\n"
    told = jobs(job(1, "a / a / a", "failure"), job(2, "a / c", "skipped"))
    found = read_github(opened(tmp_path, j_json=told, r_json=run(path="x/a.yml"), a_yml=around, b_yml=back))
    assert brief(found)[1] == "acme/shop#7 a / c blocked by a / a / a"
    wide = "on: push\njobs:\n" + "".join(f"  a{n}: {{uses: x/{{}}}}\n" for n in range(60))
    texts = {f"w{n}_yml": wide.replace("{}", f"w{n + 1}.yml") for n in range(9)}
    files = opened(tmp_path, j_json=told, r_json=run(path="w0.yml"), **texts)
    found = read_github(files)  # 60 ** 9 jobs, were they all put in
    assert len(found.rows) == 2


def test_what_is_and_is_not_ours(tmp_path: Path) -> None:
    ours = opened(tmp_path, a_json=job(1, "a"), b_json=run(), c_json=jobs(), d_yml=WORKFLOW, e_json=[GH])
    others = opened(
        tmp_path,
        f_json={"jobs": [{"name": "a"}]},
        g_json=[],
        h_json=[None],
        i_json={"nodes": []},
        j_yml="stages: [a]\nb: {script: x}\n",
        k_txt="{ not: 'json' }",
        l_json="7",
        m_json={"status": "completed"},
    )
    assert [is_github(file) for file in ours] == [True] * len(ours)
    assert [is_github(file) for file in others] == [False] * len(others)
    with pytest.raises(ReadError, match="is not JSON"):
        is_github(*opened(tmp_path, broken_json='{"jobs": ['))


@pytest.mark.parametrize("count", [150, pytest.param(20_000, marks=pytest.mark.slow)])
def test_damaged_files_give_rows_or_an_error_of_ours(tmp_path: Path, count: int) -> None:
    (workflow,) = opened(tmp_path, ci_yml=WORKFLOW)
    documents = [
        jobs(job(1, "build (a)", "failure"), job(2, "tell", "skipped"), job(3, "tell", None, run_attempt=2)),
        [GH, GH | {"databaseId": 8}],
        GH | {"jobs": GH_JOBS},
        {"total_count": 2, "workflow_runs": [run(), run(8)]},
        {"workflow_job": job(1, "build"), "repository": {"full_name": "a/b"}},
    ]

    def read(files: list[Opened]) -> Any:
        is_github(files[0])
        return read_github([*files, workflow])

    for document in documents:
        faults = list(refused(read, tmp_path / "a.json", damaged(document, count)))
        assert 0 < len(faults) < count
        assert max(map(len, faults)) < 2_000
