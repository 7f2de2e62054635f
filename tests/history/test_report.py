"""Reports: what became of a train, held against the frames and against trains followed by hand."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings

from seqkit import (
    MemoryRunLedger,
    RepoDependencyGraph,
    RunNotFound,
    ScriptedReleaser,
    TrainReport,
    VirtualClock,
    blockers,
    build_plan,
    delayed,
    items_frame,
    load_dataset,
    read_ledger,
    report,
    resume_plan,
    run_plan,
    trains_frame,
)
from tests.tools.by_hand import BEGAN, Run, written
from tests.tools.strange_names import STRANGE_NAMES, Shown, is_seen
from tests.tools.strategies import Train, trains

MONDAY = datetime(2026, 1, 5, 9, tzinfo=UTC)
GRAPH = RepoDependencyGraph.from_edges([("core", "api"), ("core", "auth"), ("api", "app"), ("auth", "app")])
PLAN = build_plan(GRAPH, version="1.0")
MINUTE = timedelta(minutes=1)


class Flaky:
    """The registry answers auth at the second try alone, and the tests of api are red."""

    async def release(self, repo: str, version: str, digest: str, promoter: str, attempt: int = 1) -> str:
        if repo == "auth" and attempt == 1:
            raise RuntimeError("502 from the registry")
        if repo == "api":
            raise RuntimeError("tests are red")
        return f"run-{repo}"


def winter(**more: Any) -> MemoryRunLedger:
    """Two quick trains, a slow one that stops at api, and the run that goes on with it."""
    clock = VirtualClock(MONDAY)
    ledger = MemoryRunLedger(ids=["old-1", "old-2", "monday", "tuesday"], clock=clock)
    for minutes in (2, 4):
        run_plan(PLAN, delayed(ScriptedReleaser(), 60 * minutes), ledger, clock=clock)
    run_plan(PLAN, delayed(Flaky(), 600), ledger, clock=clock, attempts=2, max_parallel=2, tags=more)
    run_plan(resume_plan(ledger, "monday"), delayed(ScriptedReleaser(), 60), ledger, clock=clock)
    return ledger


def rows(told: TrainReport, *columns: str) -> list[list[Any]]:
    return told.to_frame()[list(columns)].astype(object).to_numpy().tolist()


def page(told: TrainReport, folder: Path) -> str:
    told.to_html(folder / "report.html")
    return (folder / "report.html").read_text(encoding="utf-8")


def section(html: str, title: str) -> str:
    """Give the text of a section, a cell or a sentence a line."""
    found = re.search(rf"<h2>{title}.*?</h2>(.*?)(?=<h2>|</main>)", html, re.DOTALL)
    assert found is not None
    return "\n".join(text for text in Shown(found[1]).texts if text.strip())


# ---------------------------------------------------------------------- which runs


def test_a_train_has_all_its_runs_and_a_run_is_reported_alone() -> None:
    ledger = winter(train="winter")
    assert report(ledger, "winter").run_ids == ["monday", "tuesday"]
    assert report(ledger, "last").run_ids == report(ledger).run_ids == report(ledger, "tues").run_ids == ["tuesday"]
    assert "one of 2 runs of the train winter" in repr(report(ledger))
    assert report(ledger, "old-1").told.is_whole


def test_the_oldest_run_names_a_train_that_has_no_name() -> None:
    ledger = winter()
    names = trains_frame(ledger)["train"].tolist()
    assert names == ["old-1", "old-2", "monday"]
    assert [report(ledger, name).run_ids for name in names] == trains_frame(ledger)["runs"].tolist()
    assert report(ledger, "mond").run_ids == ["monday", "tuesday"]


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("old-", ValueError, "run_or_train is 'old-', with which the ids of 2 runs start: old-1, old-2"),
        ("mon", RunNotFound, "run not found: mon"),
        ("", RunNotFound, "run not found: "),
        (7, TypeError, "run_or_train is 7, expected a str, the id of a run"),
    ],
)
def test_names_that_mean_no_run(name: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        report(winter(), name)


def test_a_graph_is_a_graph() -> None:
    with pytest.raises(TypeError, match="expected a RepoDependencyGraph or a SequencePlan"):
        report(winter(), "monday", graph=[("a", "b")])  # type: ignore[arg-type]


# ---------------------------------------------------------------------- what is told


def test_a_train_with_retries_lanes_a_failure_and_a_resume() -> None:
    told = report(winter(train="winter"), "winter")
    assert told.status.value == "COMPLETED"
    assert rows(told, "repo_id", "status", "attempts", "released_as", "run_id") == [
        ["core", "succeeded", 1, "run-core", "monday"],
        ["api", "succeeded", 3, "run-api", "tuesday"],
        ["auth", "succeeded", 2, "run-auth", "monday"],
        ["app", "succeeded", 1, "run-app", "tuesday"],
    ]
    assert told.to_frame()["reason"].isna().all()
    took, usual = told.to_frame()["duration"], told.to_frame()["usual"]
    assert took.tolist() == [10 * MINUTE, MINUTE, 10 * MINUTE, MINUTE]
    assert usual.tolist() == [3 * MINUTE] * 4  # of 2 and 4 minutes, in the other runs
    assert told.to_frame()["n_usual"].tolist() == [2] * 4
    assert told.to_frame()["ratio"].tolist() == pytest.approx([10 / 3, 1 / 3, 10 / 3, 1 / 3])
    assert told.started_at == MONDAY + 24 * MINUTE
    assert told.finished_at == told.started_at + 32 * MINUTE  # 10, twice 10 at once, and two of one each
    assert [(one.run_id, one.repo_id, one.number, one.reason) for one in told.told.failed_tries] == [
        ("monday", "api", 1, "tests are red"),
        ("monday", "api", 2, "tests are red"),
        ("monday", "auth", 1, "502 from the registry"),
    ]
    assert [(share.run_id, share.repo_id, share.held_up) for share in told.told.shares] == [("monday", "api", ("app",))]


def test_the_lines_for_a_terminal() -> None:
    ledger = winter()
    events = [("monday", event) for event in ledger.get_events("monday")]
    told = report(MemoryRunLedger.from_records([ledger.get_run("monday")], events))
    assert repr(told).splitlines() == [
        "TrainReport(run monday: FAILED; 2 of 4 repos out, 1 blocked, 1 failed; 1 run, 5 attempts, 30 min 0 s)",
        "  began 2026-01-05 09:24:00, ended 2026-01-05 09:54:00 UTC",
        "  failed: api 1.0 (2 tries): tests are red",
        "  blocked, in repos: api 1",
    ]
    assert rows(told, "usual", "n_usual")[0] == [pd.NaT, 0]


def test_documented_columns_and_dtypes() -> None:
    columns = {
        **dict.fromkeys(["repo_id", "version", "reason", "released_as", "run_id"], "string"),
        "status": "category",
        **dict.fromkeys(["attempts", "n_usual"], "Int64"),
        **dict.fromkeys(["started_at", "finished_at"], "datetime64[us, UTC]"),
        **dict.fromkeys(["duration", "usual"], "timedelta64[us]"),
        "ratio": "float64",
        "blocked_by": "object",
    }
    empty = report(written(only=Run(build_plan(RepoDependencyGraph(), []), [], "COMPLETED"))).to_frame()
    for frame in (report(winter()).to_frame(), empty):
        assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == columns
        assert frame["status"].cat.ordered


def test_what_is_out_in_another_way() -> None:
    plan = build_plan(GRAPH, version="1")
    first = Run(plan, ["enter core", "exit core", "enter api", "hang api", "late api", "enter auth", "fail auth"])
    second = Run(plan.without(["core", "api", "auth"]), ["enter app", "exit app"], "COMPLETED")
    second.tags.update(resumes="first", taken_as_released=["auth"])
    told = report(written(first=first, second=second), "first")
    assert [(repo.repo_id, repo.word, repo.how) for repo in told.told.repos] == [
        ("core", "succeeded", ""),
        ("api", "succeeded", "late"),
        ("auth", "succeeded", "decided"),
        ("app", "succeeded", ""),
    ]
    assert told.status.value == "COMPLETED"
    api = told.to_frame().set_index("repo_id").loc["api"]
    assert api["finished_at"] == BEGAN + 5 * MINUTE  # when it was out, not when it was given up
    assert api["reason"] == "timed out after 30 s"


@pytest.mark.parametrize(("status", "word"), [("RUNNING", "in_progress"), ("CANCELLED", "in_doubt")])
def test_what_is_open_is_in_doubt_once_its_run_has_ended(tmp_path: Path, status: str, word: str) -> None:
    told = report(written(r=Run(PLAN, ["enter core", "exit core", "enter api"], status)))
    assert rows(told, "status") == [["succeeded"], [word], ["pending"], ["pending"]]
    assert "api" in section(page(told, tmp_path), "What is in doubt")
    limits = section(page(told, tmp_path), "What this report can tell")
    assert ("whether it goes on or has died" in limits) == (status == "RUNNING")


def test_a_later_plan_that_does_not_release_a_repo_says_nothing_of_it() -> None:
    """Of a train in two parts, the second has what the first released or failed as unreleased."""
    ledger = MemoryRunLedger(ids=["one", "two"], clock=VirtualClock(MONDAY))
    first, second = build_plan(GRAPH, version="1").split(["core", "api", "auth"])
    run_plan(first, ScriptedReleaser(["api"]), ledger, tags={"train": "t"})
    run_plan(second, ScriptedReleaser(), ledger, tags={"train": "t"})
    assert rows(report(ledger, "t"), "repo_id", "status", "run_id") == [
        ["core", "succeeded", "one"],
        ["api", "failed", "one"],
        ["auth", "succeeded", "one"],
        ["app", "succeeded", "two"],
    ]


@settings(max_examples=40, deadline=None)
@given(trains())
def test_one_run_is_told_as_the_frames_tell_it(train: Train) -> None:
    ledger = MemoryRunLedger(ids=["r"], clock=VirtualClock(MONDAY))
    run_plan(train.plan, train.releaser(), ledger, **train.options)
    told, items = report(ledger), items_frame(ledger)
    frame = told.to_frame()
    assert frame["repo_id"].tolist() == items["repo_id"].tolist()
    assert frame["attempts"].tolist() == items["attempts"].tolist()
    words = items["skip_cause"].astype(object).where(items["skip_cause"].notna(), items["status"].astype(object))
    assert frame["status"].astype(object).tolist() == words.tolist()
    assert frame["blocked_by"].tolist() == [list(repos) for repos in items["blocked_by"]]
    shares = {share.repo_id: share.share for share in told.told.shares}
    held_up = blockers(ledger)
    assert shares == pytest.approx(held_up.loc[held_up["blocks"] > 0, "shapley"].to_dict())
    assert isinstance(repr(told) + told._repr_html_(), str)


@settings(max_examples=30, deadline=None)
@given(trains())
def test_a_resumed_train_comes_to_what_trains_frame_says(train: Train) -> None:
    ledger = MemoryRunLedger(ids=["a", "b"], clock=VirtualClock(MONDAY))
    run_plan(train.plan, train.releaser(), ledger, **train.options)
    rest = resume_plan(ledger, "a")
    if rest.released:
        run_plan(rest, ScriptedReleaser(rest.released[-1:]), ledger)
    told, (summed,) = report(ledger, "a"), trains_frame(ledger).to_dict("records")
    assert (told.status.value, told.run_ids) == (summed["status"], summed["runs"])
    assert told.told.counts["succeeded"] == summed["released"]
    assert told.told.planned == summed["planned"]
    assert told.to_frame()["attempts"].sum() == summed["attempts"]


# ---------------------------------------------------------------------- other systems' records


def imported(folder: Path) -> Path:
    """Write a run as importers do: no plan, no times, a skip that nobody explains, and repos that had no turn."""
    tags = {"imported": {"from": "Some <CI>", "times": False, "pending": {"site": "2"}}}
    run = {
        "run_id": "ci-1",
        "spec_digest": "0" * 64,
        "metadata": {"git_sha": None, "agent_name": "ci", "tags": tags},
        "status": "FAILED",
        "summary": None,
        "created_at": "1970-01-01T00:00:00Z",
        "completed_at": "1970-01-01T00:00:00Z",
    }
    events = [
        ("NodeEntered", {"node_id": "core", "time_unknown": True}),
        ("NodeFailed", {"node_id": "core", "time_unknown": True, "detail": "cancelled by hand"}),
        ("NodeSkipped", {"node_id": "api", "blocked_by": ["core"], "time_unknown": True}),
        ("NodeSkipped", {"node_id": "docs", "cause": None, "detail": "skipped", "time_unknown": True}),
    ]
    lines = [{"run": run}]
    for seq, (kind, payload) in enumerate(events, 1):
        event = {"run_id": "ci-1", "seq": seq, "kind": kind, "payload": payload, "timestamp": "1970-01-01T00:00:00Z"}
        lines.append({"event": event})
    path = folder / "ci.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def test_a_record_of_another_system_is_told_without_what_it_lacks(tmp_path: Path) -> None:
    told = report(imported(tmp_path))
    assert rows(told, "repo_id", "status", "blocked_by") == [
        ["core", "failed", []],
        ["api", "blocked", ["core"]],
        ["docs", "skipped", []],
        ["site", "pending", []],
    ]
    frame = told.to_frame()
    assert frame[["started_at", "finished_at", "duration", "usual"]].isna().all().all()
    assert frame["version"].tolist() == [pd.NA, pd.NA, pd.NA, "2"]
    assert (told.started_at, told.finished_at) == (None, None)
    html = page(told, tmp_path)
    assert "cancelled by hand" in section(html, "What failed, and why")
    assert "1970" not in html
    limits = section(html, "What this report can tell")
    for said in ("Run “ci-1” carries no plan", "the record of Some <CI>, which tells no times", "1 repo was skipped"):
        assert said in limits


def test_a_run_without_a_plan_is_drawn_by_a_graph(tmp_path: Path) -> None:
    data = load_dataset("kf5")
    name = data.ledger.list_runs()[0].run_id
    bare, drawn = report(data.ledger, name), report(data.ledger, name, data.graph)
    assert bare.told.edges == ()
    assert len(drawn.told.edges) == data.graph.n_dependencies
    assert bare.told.counts == {"succeeded": 70, "failed": 5}
    assert "Every release ends when it begins" in page(bare, tmp_path)


def test_what_could_not_be_read_is_said(tmp_path: Path) -> None:
    path = imported(tmp_path)
    path.write_text(path.read_text(encoding="utf-8") + "{]\n", encoding="utf-8")
    html = page(report(read_ledger(path, on_bad_lines="skip")), tmp_path)
    assert "1 thing could not be read" in section(html, "What this report can tell")


# ---------------------------------------------------------------------- the page


def test_the_page_tells_everything_and_needs_nothing(tmp_path: Path) -> None:
    html = page(report(winter(train="winter"), "winter"), tmp_path)
    shown = Shown(html.partition("<body>")[2].partition("</body>")[0])
    assert shown.tags.isdisjoint({"script", "link", "img", "iframe", "a", "form"})
    assert not re.search(r"https?:(?!//www\.w3\.org/2000/svg)|url\(|@import", html)
    assert "@media print" in html
    assert "color-scheme: light dark" in html
    assert "502 from the registry" in section(html, "What failed, and why")
    assert "Nothing is left." in section(html, "What is left")
    assert "3.33 × as long" in section(html, "How long each took")
    assert re.search(r"monday\nword\nFAILED\n[^/]*tuesday\nword\nCOMPLETED", section(html, "The runs"))
    assert "✓ All 4 repos are out." in shown.texts


def test_the_same_ledger_gives_the_same_bytes(tmp_path: Path) -> None:
    pages = {page(report(winter(), "monday"), tmp_path) for _ in range(2)}
    assert len(pages) == 1


def test_a_page_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        report(winter()).to_html(tmp_path / "nowhere" / "report.html")
    assert list(tmp_path.iterdir()) == []


def test_names_and_reasons_do_nothing_where_they_are_shown(tmp_path: Path) -> None:
    graph = RepoDependencyGraph.from_edges(list(pairwise(STRANGE_NAMES)))
    plan = build_plan(graph, version="<b>$x$\u202e</b>")
    bad = {STRANGE_NAMES[40]: "".join(STRANGE_NAMES)[:3000], STRANGE_NAMES[60]: "<script>alert(1)</script>"}
    ledger = MemoryRunLedger(ids=["<img src=x onerror=alert(1)>\u202e$x$"], clock=VirtualClock(MONDAY))
    run_plan(plan, ScriptedReleaser(bad), ledger, tags={"train": "</title><script>1</script>"}, policy="continue")
    told = report(ledger, "</title><script>1</script>")
    body = page(told, tmp_path).partition("<body>")[2].partition("</body>")[0]
    for shown in (Shown(body), Shown(told._repr_html_())):
        assert not "".join(shown.set_as_tex).strip()
        assert shown.tags.isdisjoint({"script", "img", "a", "u"})
        assert not any(name.startswith("on") for name in shown.attributes)
        assert all(is_seen(text, lines=True) for text in shown.texts)
    assert is_seen(repr(told), lines=True)


def test_long_tables_are_cut_and_say_so(tmp_path: Path) -> None:
    graph = RepoDependencyGraph.from_edges([], nodes=[f"r{number:04}" for number in range(2_100)])
    ledger = MemoryRunLedger(ids=["r"], clock=VirtualClock(MONDAY))
    run_plan(build_plan(graph, version="1"), ScriptedReleaser(), ledger)
    html = page(report(ledger), tmp_path)
    assert html.count("<td><bdi>r1999</bdi></td>") == 2  # what shipped, and how long it took
    assert "<td><bdi>r2000</bdi></td>" not in html
    assert html.count("… and 100 more; <code>report.to_frame()</code> has every repo.") == 2
