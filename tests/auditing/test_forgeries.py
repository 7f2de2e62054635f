"""Ledgers that somebody changed so that they look right: what finds each, and what an anchor finds beyond that.

A forgery changes the records as JSON, as whoever can write to a ledger would. It says what must find it: checks of
the audit, or nobody; with an anchor, which was kept elsewhere, every one of them is found.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from seqkit import (
    GraphRunRecorder,
    MemoryRunLedger,
    RepoDependencyGraph,
    RunMetadata,
    ScriptedReleaser,
    anchor,
    audit,
    build_plan,
    close_run,
    read_ledger,
    read_ledgers,
    resume_plan,
    run_plan,
    write_ledger,
)
from seqkit.auditing.anchoring import as_anchor
from seqkit.ledger.digest import StateDigest
from seqkit.ledger.links import Links
from seqkit.ledger.story import story_of

Lines = list[dict[str, Any]]
GRAPH = RepoDependencyGraph.from_edges([("core", "api"), ("api", "app"), ("core", "docs")])
PLAN = build_plan(GRAPH, [(r, "1.0", f"sha256:{r}", "kim") for r in ("core", "api", "app", "docs")], "spring")
BEGAN = datetime(2026, 1, 2, tzinfo=UTC)


def honest(**how: Any) -> MemoryRunLedger:
    """Make a train of two runs, the second of which goes on with the first, and a run of another train."""
    ticks = iter(range(10**6))

    def clock() -> datetime:
        return BEGAN + timedelta(seconds=next(ticks))

    ledger = MemoryRunLedger(ids=["monday", "tuesday", "other", "more"], clock=clock)
    first = run_plan(PLAN, ScriptedReleaser({"api": "red"}), ledger, clock=clock, tags={"due": "friday"}, **how)
    run_plan(resume_plan(ledger, first.run_id), ScriptedReleaser(), ledger, clock=clock, attempts=2)
    run_plan(PLAN, ScriptedReleaser(), ledger, clock=clock)
    return ledger


def lines_of(ledger: Any, folder: Path) -> Lines:
    write_ledger(ledger, folder / "lines.jsonl")
    return [json.loads(line) for line in (folder / "lines.jsonl").read_text().splitlines()]


def runs(lines: Lines) -> Lines:
    return [line["run"] for line in lines if "run" in line]


def events(lines: Lines, run: str = "monday") -> Lines:
    return [line["event"] for line in lines if line.get("event", {}).get("run_id") == run]


def plan(lines: Lines, at: int = 0) -> dict[str, Any]:
    tag: dict[str, Any] = runs(lines)[at]["metadata"]["tags"]["plan"]
    return tag


def identify(lines: Lines) -> None:
    """Take the plan's id anew, as somebody would who covers up."""
    tag = plan(lines)
    content = {name: tag[name] for name in ("originating_run_id", "items", "edges")}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    runs(lines)[0]["metadata"]["tags"]["plan_id"] = f"seq-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def seal(ledger: Any, run_id: str) -> str:
    """Take the digest anew that a run should carry: the last thing that whoever covers up would do."""
    record = ledger.get_run(run_id)
    digest = StateDigest(record)
    for event in ledger.get_events(run_id):
        digest.add(event)
    return digest.finished(story_of(record, ledger.get_events(run_id)).endings(), record.status, record.summary)


Forgery = tuple[set[str], dict[str, Any]]
FORGERIES: dict[str, tuple[Callable[[Lines], object], Forgery]] = {}


def forgery(*found_by: str, **how: Any) -> Callable[[Callable[[Lines], object]], Callable[[Lines], object]]:
    """Add a forgery to the list: which checks find it (none: nobody can), and how the honest ledger was made."""

    def add(change: Callable[[Lines], object]) -> Callable[[Lines], object]:
        FORGERIES[change.__name__.replace("_", " ")] = (change, (set(found_by), how))
        return change

    return add


# ---------------------------------------------------------------------- in one run, the digest left as it was


@forgery("final_state_digest", record_skips=False)
def a_blocked_repo_was_never_to_be_released(lines: Lines) -> None:
    for item in plan(lines)["items"]:
        if item["repo_id"] == "app":
            item.update(status="skipped", version_label="skipped", spec_digest="", promoted_by="")
    identify(lines)


@forgery("final_state_digest")
def what_was_released_had_another_spec_digest(lines: Lines) -> None:
    for item in plan(lines)["items"]:
        item["spec_digest"] = "sha256:evil"
    identify(lines)


@forgery("final_state_digest")
def somebody_else_asked_for_it(lines: Lines) -> None:
    plan(lines)["items"][0]["promoted_by"] = "mallory"
    identify(lines)


@forgery("final_state_digest")
def a_dependency_is_taken_out(lines: Lines) -> None:
    plan(lines)["edges"].remove(["core", "docs"])
    identify(lines)


@forgery("final_state_digest")
def a_dependency_is_put_in(lines: Lines) -> None:
    plan(lines)["edges"].insert(1, ["core", "app"])
    plan(lines)["edges"].sort()
    identify(lines)


@forgery("final_state_digest")
def another_failure_budget(lines: Lines) -> None:
    plan(lines)["failure_budget"] = 5


@forgery("final_state_digest")
def more_lanes(lines: Lines) -> None:
    plan(lines)["max_parallel"] = 8


@forgery("final_state_digest")
def a_number_for_true(lines: Lines) -> None:
    plan(lines)["attempts"] = 1.0  # equal for Python, another text


@forgery("final_state_digest")
def another_commit(lines: Lines) -> None:
    runs(lines)[0]["metadata"]["git_sha"] = "0" * 40


@forgery("final_state_digest")
def another_agent(lines: Lines) -> None:
    runs(lines)[0]["metadata"]["agent_name"] = "somebody"


@forgery("final_state_digest")
def a_promotion_gate_after_all(lines: Lines) -> None:
    runs(lines)[0]["metadata"]["evaluation"]["isPromotionGate"] = True


@forgery("final_state_digest")
def another_due_date(lines: Lines) -> None:
    runs(lines)[0]["metadata"]["tags"]["due"] = "monday"


@forgery("final_state_digest")
def no_due_date(lines: Lines) -> None:
    del runs(lines)[0]["metadata"]["tags"]["due"]


@forgery("final_state_digest")
def a_tag_more(lines: Lines) -> None:
    runs(lines)[0]["metadata"]["tags"]["approved"] = True


@forgery("final_state_digest")
def it_took_a_hundred_years(lines: Lines) -> None:
    run = runs(lines)[0]
    run["completed_at"] = run["completed_at"].replace("2026", "2126")
    run["summary"]["duration_ms"] += 36_524 * 86_400_000


@forgery("duration")
def it_ended_an_hour_later(lines: Lines) -> None:
    runs(lines)[0]["completed_at"] = "2026-01-02T01:00:00.000000Z"


@forgery("final_state_digest")
def it_began_a_second_earlier(lines: Lines) -> None:
    runs(lines)[0]["created_at"] = "2026-01-01T23:59:59.000000Z"


@forgery("final_state_digest")
def it_was_cancelled(lines: Lines) -> None:
    runs(lines)[0]["status"] = "CANCELLED"


@forgery("final_state_digest")
def it_has_another_id(lines: Lines) -> None:
    for line in lines:
        for what in line.values():
            if what["run_id"] == "monday":
                what["run_id"] = "friday"


@forgery("final_state_digest")
def another_reason(lines: Lines) -> None:
    next(e for e in events(lines) if e["kind"] == "NodeFailed")["payload"]["error"] = "the network was down"


@forgery("final_state_digest")
def another_release_id(lines: Lines) -> None:
    next(e for e in events(lines) if e["kind"] == "NodeExited")["payload"]["run_id"] = "run-x"


@forgery("final_state_digest")
def a_word_more_in_a_payload(lines: Lines) -> None:
    events(lines)[0]["payload"]["note"] = ""


@forgery("final_state_digest")
def an_event_a_microsecond_later(lines: Lines) -> None:
    events(lines)[1]["timestamp"] = events(lines)[1]["timestamp"].replace(".000000", ".000001")


@forgery("final_state_digest")
def the_mark_of_the_digest_taken_away(lines: Lines) -> None:
    del plan(lines)["digest"]


@forgery("final_state_digest")
def a_digest_that_nobody_knows(lines: Lines) -> None:
    plan(lines)["digest"] = 3


@forgery("final_state_digest")
def the_digest_set_to_null_and_a_reason_changed(lines: Lines) -> None:
    runs(lines)[0]["summary"]["final_state_digest"] = None
    another_reason(lines)


@forgery("final_state_digest")
def the_digest_misspelt(lines: Lines) -> None:
    summary = runs(lines)[0]["summary"]
    summary["final_state_digess"] = summary.pop("final_state_digest")


@forgery("plan")
def plan_and_digest_taken_away(lines: Lines) -> None:
    runs(lines)[0]["summary"]["final_state_digest"] = None
    del runs(lines)[0]["metadata"]["tags"]["plan"]


def mark(lines: Lines, at: int = 0) -> None:
    runs(lines)[at]["metadata"]["tags"]["imported"] = {"from": "Jenkins", "times": False}


@forgery("plan", "final_state_digest")
def the_mark_of_another_system_and_a_reason_changed(lines: Lines) -> None:
    mark(lines)
    another_reason(lines)


@forgery("plan")
def the_mark_of_another_system_without_plan_and_digest(lines: Lines) -> None:
    mark(lines, 2)
    plan_and_digest_and_all_other_signs_taken_away(lines)


@forgery("total_events", "final_state_digest")
def the_tail_cut_off(lines: Lines) -> None:
    lines.remove({"event": events(lines)[-1]})


# ---------------------------------------------------------------------- among runs


@forgery("digests", "final_state_digest")
def a_run_copied_under_another_id(lines: Lines) -> None:
    run = {**runs(lines)[2], "run_id": "another"}
    lines += [{"run": run}, *({"event": {**e, "run_id": "another"}} for e in events(lines, "other"))]


@forgery("links", "final_state_digest")
def two_runs_that_resume_each_other(lines: Lines) -> None:
    runs(lines)[0]["metadata"]["tags"]["resumes"] = "tuesday"


@forgery("links", "final_state_digest")
def a_resumption_made_before_what_it_resumes(lines: Lines) -> None:
    runs(lines)[1]["created_at"] = "2020-01-02T00:00:00.000000Z"


@forgery("twice", "final_state_digest")
def a_run_becomes_the_resumption_of_another(lines: Lines) -> None:
    runs(lines)[2]["metadata"]["tags"]["resumes"] = "monday"


# ---------------------------------------------------------------------- what nobody can find


@forgery()
def a_run_taken_away_as_a_whole(lines: Lines) -> None:
    lines[:] = [line for line in lines if next(iter(line.values()))["run_id"] != "other"]


@forgery()
def it_ended_half_a_minute_later(lines: Lines) -> None:
    runs(lines)[2]["completed_at"] = "2026-01-02T00:01:10.000000Z"


@forgery()
def plan_and_digest_and_all_other_signs_taken_away(lines: Lines) -> None:
    run = runs(lines)[2]
    run["summary"]["final_state_digest"] = None
    del run["metadata"]["tags"]["plan"]


@forgery()
def the_mark_of_another_system_and_no_sign_of_our_own(lines: Lines) -> None:
    the_mark_of_another_system_without_plan_and_digest(lines)
    runs(lines)[2]["metadata"]["agent_name"] = "Jenkins"


@forgery("total_events")
def the_same_and_its_tail_cut_off(lines: Lines) -> None:
    the_mark_of_another_system_and_no_sign_of_our_own(lines)
    lines.remove({"event": events(lines, "other")[-1]})


@forgery()
def everything_rewritten_with_a_new_digest(lines: Lines) -> None:
    another_reason(lines)
    somebody_else_asked_for_it(lines)


RESEALED = {"everything rewritten with a new digest"}


def test_what_an_older_digest_does_not_cover_is_said_and_found_with_an_anchor(tmp_path: Path) -> None:
    lines = lines_of(honest(), tmp_path)
    path = tmp_path / "old.jsonl"

    def write() -> None:
        path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))

    for at, run in enumerate(runs(lines)):
        del plan(lines, at)["digest"]
        write()
        run["summary"]["final_state_digest"] = seal(read_ledger(path), run["run_id"])
    write()
    line, told = anchor(path), [("final_state_digest", "info")] * 3
    assert [(row.check, row.severity) for row in audit(path).finding_rows] == told
    assert (
        "the plan, the tags, the times and the status of the run are not in it" in audit(path).finding_rows[0].message
    )
    assert audit(path, anchor=line).ok
    somebody_else_asked_for_it(lines)
    another_due_date(lines)
    write()
    assert [(row.check, row.severity) for row in audit(path).finding_rows] == told
    assert "anchored" in {row.check for row in audit(path, anchor=line).finding_rows}


def forged(name: str, folder: Path) -> tuple[Any, str, set[str]]:
    change, (found_by, how) = FORGERIES[name]
    ledger = honest(**how)
    line = anchor(ledger)
    assert audit(ledger, anchor=line).findings.empty
    lines = copy.deepcopy(lines_of(ledger, folder))
    change(lines)
    path = folder / "forged.jsonl"
    for _ in range(2):
        path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
        if name not in RESEALED:
            break
        runs(lines)[0]["summary"]["final_state_digest"] = seal(read_ledger(path), "monday")
    return path, line, found_by


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forgery_is_found_or_cannot_be_and_an_anchor_finds_it(name: str, tmp_path: Path) -> None:
    path, line, found_by = forged(name, tmp_path)
    report = audit(path)
    grave = {row.check for row in report.finding_rows if row.severity != "info"}
    assert grave == found_by or grave > found_by > set(), report
    report = audit(path, anchor=line)
    assert not report.ok
    among_the_covered = name != "a run copied under another id"  # that stands behind them, as any later run
    assert ("anchored" in {row.check for row in report.finding_rows if row.severity == "error"}) is among_the_covered


def test_among_many_runs_the_audit_of_one_finds_what_is_about_it(tmp_path: Path) -> None:
    path, _, _ = forged("a run becomes the resumption of another", tmp_path)
    assert "twice" in set(audit(path, "other").findings["check"])
    assert "twice" not in set(audit(path, "monday").findings["check"])
    path, _, _ = forged("a run copied under another id", tmp_path)
    for run in ("other", "another"):
        told = audit(path, run).findings
        assert told[told["check"] == "digests"]["run_id"].tolist() == [run]


# ---------------------------------------------------------------------- anchors


def test_what_comes_later_is_no_finding(tmp_path: Path) -> None:
    ledger = MemoryRunLedger(ids=["a", "b", "c", "d"])
    run_plan(PLAN, ScriptedReleaser(), ledger)
    recorder = GraphRunRecorder.start(ledger, "0" * 64, RunMetadata())
    recorder.record("NodeEntered", {"node_id": "core", "version": "1.0"})
    line = anchor(ledger)
    assert line.startswith("seqkit-anchor-1 runs=2 unfinished=2:1 sha256=")
    write_ledger(ledger, tmp_path / "then.jsonl")
    recorder.record("NodeExited", {"node_id": "core", "run_id": "x"})
    close_run(ledger, "b", "the machine lost power")
    run_plan(PLAN, ScriptedReleaser({"core"}), ledger)
    run_plan(PLAN, ScriptedReleaser({"api"}), ledger)
    for name in ("now.jsonl.gz", "now.db"):
        write_ledger(ledger, tmp_path / name)
        assert "anchored" not in set(audit(tmp_path / name, anchor=line).findings["check"])
        assert anchor(tmp_path / name) == anchor(ledger)
    assert anchor(ledger) != line
    again = read_ledgers([tmp_path / "now.jsonl.gz", tmp_path / "now.jsonl.gz", tmp_path / "then.jsonl"])
    with pytest.warns(UserWarning, match="counted once"):
        assert anchor(again) == anchor(ledger)
    assert audit(again, anchor=anchor(ledger)).ok is audit(again).ok


def test_a_tail_cut_off_after_the_anchor_is_found_wherever_it_is_cut() -> None:
    ledger = honest()
    line = anchor(ledger)
    records = ledger.list_runs()
    told = [(run.run_id, event) for run in records for event in ledger.get_events(run.run_id)]
    for whole in range(len(records)):
        kept = {record.run_id for record in records[:whole]}
        cut = MemoryRunLedger.from_records(records[:whole], [pair for pair in told if pair[0] in kept])
        assert not audit(cut, anchor=line).ok
        assert audit(cut).ok
    recorder = GraphRunRecorder.start(ledger, "0" * 64, RunMetadata())
    for repo in "abc":
        recorder.record("NodeEntered", {"node_id": repo, "version": "1.0"})
    line = anchor(ledger)
    last = ledger.list_runs()
    told = [(run.run_id, event) for run in last for event in ledger.get_events(run.run_id)]
    cut = MemoryRunLedger.from_records(last, told[:-1])
    [found] = [row for row in audit(cut, anchor=line).finding_rows if row.check == "anchored"]
    assert "had 3 events when the anchor was taken, expected as many or more, found 2" in found.message


def test_the_page_says_what_an_anchor_covers(tmp_path: Path) -> None:
    ledger = honest()
    line = anchor(ledger)
    run_plan(PLAN, ScriptedReleaser(), ledger)
    audit(ledger, anchor=line).to_html(tmp_path / "with.html")
    audit(ledger).to_html(tmp_path / "without.html")
    with_anchor, without = ((tmp_path / name).read_text() for name in ("with.html", "without.html"))
    assert "covers 3 runs, the oldest first, and fits" in with_anchor
    assert "newer than the anchor" in with_anchor
    assert "Only what was kept elsewhere is evidence" in without
    assert "no anchor was given" in without
    path, line, _ = forged("another reason", tmp_path)
    audit(path, anchor=line).to_html(tmp_path / "forged.html")
    assert "and does not fit" in (tmp_path / "forged.html").read_text()


@pytest.mark.parametrize("around", ["{}", "  {}\n", "Release 2026.1\n\n{}\n\nkim", "> {}\r\n> {}"])
def test_an_anchor_is_found_in_a_text(around: str) -> None:
    ledger = honest()
    line = anchor(ledger)
    assert audit(ledger, anchor=around.replace("{}", line)).ok
    assert as_anchor(around.replace("{}", line.replace(" ", "\n"))) == as_anchor(line)


def test_what_is_no_anchor_is_refused() -> None:
    ledger = honest()
    line = anchor(ledger)
    for text in ("", "abc", line[:-1], line + "0", line.replace("-1 ", "-2 "), line.replace("runs", "run")):
        with pytest.raises(ValueError, match="expected the line that"):
            audit(ledger, anchor=text)
    other = line[:-1] + ("0" if line[-1] != "0" else "1")
    with pytest.raises(ValueError, match="several"):
        audit(ledger, anchor=f"{line} {other}")
    with pytest.raises(TypeError, match="expected the line that"):
        audit(ledger, anchor=7)  # type: ignore[arg-type]  # the point
    assert not audit(ledger, anchor=other).ok


def test_no_anchor_is_taken_of_what_nobody_can_tell(tmp_path: Path) -> None:
    path, _, _ = forged("another reason", tmp_path)
    with pytest.raises(ValueError, match="differ"):
        anchor(read_ledgers([path, tmp_path / "lines.jsonl"]))
    with path.open("a") as file:
        file.write("no JSON\n")
    with pytest.raises(ValueError, match="expected one that can be read"):
        anchor(read_ledger(path, on_bad_lines="skip"))
    assert anchor(MemoryRunLedger()).startswith("seqkit-anchor-1 runs=0 sha256=")


# ---------------------------------------------------------------------- chains


def test_circles_are_found_in_time_that_grows_with_the_runs() -> None:
    ledger = MemoryRunLedger()
    records = [ledger.get_run(ledger.create_run("0" * 64, RunMetadata())) for _ in range(300)]
    ids = [record.run_id for record in records]

    def tagged(resumes: dict[int, int]) -> Links:
        made = []
        for place, record in enumerate(records):
            tags = {"resumes": ids[resumes[place]]} if place in resumes else {}
            made.append(record.model_copy(update={"metadata": RunMetadata(tags=tags)}))
        return Links(made)

    assert tagged({n: n - 1 for n in range(1, 300)}).circles() == set()
    assert tagged({n: (n + 1) % 300 for n in range(300)}).circles() == set(ids)
    lasso = tagged({**{n: n - 1 for n in range(1, 300)}, 0: 2})
    assert lasso.circles() == set(ids[:3])
    assert tagged({0: 1, 1: 0, 5: 6, 6: 5, 7: 6}).circles() == {ids[0], ids[1], ids[5], ids[6]}


def test_a_chain_that_releases_the_rest_has_no_finding() -> None:
    ledger = MemoryRunLedger(ids=[f"r{n}" for n in range(4)])
    outcome = run_plan(PLAN, ScriptedReleaser(["core"]), ledger)
    outcome = run_plan(resume_plan(ledger, outcome.run_id), ScriptedReleaser(["api"]), ledger)
    outcome = run_plan(resume_plan(ledger, outcome.run_id), ScriptedReleaser(["app"]), ledger)
    assert run_plan(resume_plan(ledger, outcome.run_id), ScriptedReleaser(), ledger).overall_success
    assert audit(ledger).findings.empty
    assert all(audit(ledger, f"r{n}").findings.empty for n in range(4))


def test_what_goes_out_again_at_another_version_is_another_release() -> None:
    ledger = MemoryRunLedger(ids=["a", "b", "c"])
    run_plan(PLAN, ScriptedReleaser({"api"}), ledger)
    run_plan(build_plan(GRAPH, version="1.1"), ScriptedReleaser(), ledger, tags={"resumes": "a"})
    assert audit(ledger).ok
    run_plan(PLAN, ScriptedReleaser(), ledger, tags={"resumes": "a"})
    assert {row.repo_id for row in audit(ledger).finding_rows if row.check == "twice"} == {"core", "docs"}


def test_a_version_that_is_no_text_is_told_once_and_stops_no_chain() -> None:
    ledger = MemoryRunLedger(ids=["a", "b"])
    run_plan(PLAN, ScriptedReleaser(), ledger)
    run_plan(PLAN, ScriptedReleaser(), ledger, tags={"resumes": "a"})
    events = [(run.run_id, event) for run in ledger.list_runs() for event in ledger.get_events(run.run_id)]
    events = [
        (run_id, event.model_copy(update={"payload": {**event.payload, "version": ["1.0"]}}))
        if event.kind == "NodeEntered" and event.payload["node_id"] == "core"
        else (run_id, event)
        for run_id, event in events
    ]
    found = audit(MemoryRunLedger.from_records(ledger.list_runs(), events)).finding_rows
    assert [row.check for row in found if row.repo_id == "core"] == ["versions"] * 2
    assert not [row for row in found if "could not cope" in row.message]
    assert {row.repo_id for row in found if row.check == "twice"} == {item.repo_id for item in PLAN.items} - {"core"}


def test_a_plan_with_half_a_character_cannot_be_read() -> None:
    ledger = MemoryRunLedger(ids=["a"])
    run_plan(PLAN, ScriptedReleaser(), ledger)
    [run] = ledger.list_runs()
    plan = json.loads(json.dumps(run.metadata.tags["plan"]).replace('"1.0"', '"\\ud800"'))
    metadata = run.metadata.model_copy(update={"tags": {**run.metadata.tags, "plan": plan}})
    changed = MemoryRunLedger.from_records([run.model_copy(update={"metadata": metadata})], [])
    [told] = [row.message for row in audit(changed).finding_rows if row.check == "plan"]
    assert "version_label is '\\ud800', expected text that UTF-8 can hold" in told
