"""The page about the file format says what is so: its examples are read, and it names all that the code knows."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent

import pandas as pd
import pytest

from seqkit import (
    AuditReport,
    Freeze,
    MemoryRunLedger,
    RepoDependencyGraph,
    Retry,
    RunEvent,
    VirtualClock,
    audit,
    build_plan,
    items_frame,
    read_ledger,
    report,
    resume_plan,
    run_plan,
    trains_frame,
)
from seqkit.core.model import spec_digest_of
from seqkit.ledger import file_format, story
from seqkit.ledger.story import KINDS, KINDS_BESIDE
from seqkit.running import recording

PAGE = file_format.__doc__ or ""
MINUTE = pd.Timedelta(minutes=1)


def example(number: int, folder: Path) -> Path:
    """Write an example of the page into a file."""
    block = re.findall(r"::\n\n((?:    \{.*\n)+)", PAGE)[number]
    path = folder / "example.jsonl"
    path.write_text(dedent(block), encoding="utf-8")
    return path


def serious(found: AuditReport) -> list[str]:
    findings = found.findings
    return findings.loc[findings["severity"] != "info", "message"].tolist()


def test_the_example_written_by_hand_is_read_and_holds_together(tmp_path: Path) -> None:
    ledger = read_ledger(example(0, tmp_path))
    assert ledger.problems == ()
    assert serious(audit(ledger)) == []
    items = items_frame(ledger, "may-1")
    assert items[["repo_id", "status", "attempts", "reason", "blocked_by"]].astype(object).to_numpy().tolist() == [
        ["core", "succeeded", 1, pd.NA, []],
        ["api", "failed", 2, "tests are red", []],
        ["app", "skipped", 0, pd.NA, ["api"]],
    ]
    (train,) = trains_frame(ledger).to_dict("records")
    assert (train["train"], train["runs"], train["status"]) == ("may", ["may-1", "may-2"], "COMPLETED")
    told = report(ledger, "may").to_frame().set_index("repo_id")
    assert told["duration"].tolist() == [5 * MINUTE, 6 * MINUTE, 4 * MINUTE]
    assert ledger.get_run("may-1").spec_digest == spec_digest_of("may")
    second_try = next(one for one in story.read_story(ledger, "may-1").told["api"].tries if one.number == 2)
    assert second_try.began is not None
    assert second_try.began.minute == 10  # a minute after the first had failed


def test_it_can_be_resumed_and_a_digest_alone_is_seqkits(tmp_path: Path) -> None:
    lines = example(0, tmp_path).read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "first.jsonl").write_text("".join(lines[:7]), encoding="utf-8")
    graph = RepoDependencyGraph.from_edges([("core", "api"), ("api", "app")])
    plan = build_plan(graph, version="2.1.0", originating_run_id="may")
    assert resume_plan(tmp_path / "first.jsonl", "may-1", plan).released == ["api", "app"]
    assert serious(audit(tmp_path / "first.jsonl", graph=plan)) == []


def test_the_example_of_another_system_is_read(tmp_path: Path) -> None:
    ledger = read_ledger(example(1, tmp_path))
    assert ledger.problems == ()
    items = items_frame(ledger)
    assert items["repo_id"].tolist() == ["core", "api", "docs", "site"]
    assert items["status"].astype(object).tolist() == ["failed", "skipped", "skipped", "pending"]
    assert items["skip_cause"].astype(object).fillna("").tolist() == ["", "blocked", "", ""]
    assert items[["started_at", "finished_at", "version_label"]].isna().all().all()
    told = story.read_story(ledger, "1184").told
    assert (told["core"].tries[0].detail, told["docs"].detail) == ("ABORTED", "NOT_BUILT")


@pytest.mark.parametrize("line", range(12))
def test_every_line_of_the_example_is_needed(tmp_path: Path, line: int) -> None:
    path = example(0, tmp_path)
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[:line] + lines[line + 1 :]), encoding="utf-8")
    assert serious(audit(path)) != []


def test_lines_may_come_in_any_order(tmp_path: Path) -> None:
    path = example(0, tmp_path)
    before = items_frame(path)
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("\n".join(reversed(lines)), encoding="utf-8")  # and empty ones between
    pd.testing.assert_frame_equal(items_frame(path), before)


# ---------------------------------------------------------------------- nothing is left out


def kinds_described() -> dict[str, str]:
    """Give what the page says of each kind."""
    return dict(re.findall(r"^``(\w+)``\n((?:    .*\n)+)", PAGE, re.MULTILINE))


def test_every_kind_is_described() -> None:
    assert list(kinds_described()) == [
        "NodeEntered",
        "NodeExited",
        "NodeFailed",
        "NodeRetrying",
        "NodeSkipped",
        "NodeLate",
        "NodeProcess",
        "RunClosed",
    ]
    assert set(kinds_described()) == {*KINDS, *KINDS_BESIDE, "RunClosed"}


def test_what_the_code_reads_and_writes_is_described() -> None:
    reads = Path(story.__file__).read_text(encoding="utf-8")
    keys = re.findall(r'payload(?:\.get\(|\[|, )"(\w+)"|"(\w+)" in payload|(?:told|imported)\.get\("(\w+)"\)', reads)
    writes = Path(recording.__file__).read_text(encoding="utf-8")
    written = re.findall(r'\{?"(\w+)": ', writes)
    names = {key for found in keys for key in found if key} | set(written) | {"from", "times", "pending"}
    assert {"blocked_by", "time_unknown", "next_started_at", "given_up", "delay_ms", "n_blocked_by"} <= names
    assert [name for name in sorted(names) if f"`{name}`" not in PAGE] == []


def test_every_tag_that_a_run_may_write_is_described() -> None:
    ledger = MemoryRunLedger(ids=["r"], clock=VirtualClock())
    clock = VirtualClock()
    freeze = Freeze(clock().replace(year=2300), clock().replace(year=2301), name="holidays", lead=60)
    plan = build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1")
    run_plan(
        plan,
        0.0,
        ledger,
        rng=7,
        attempts=Retry(attempts=2, delay=1.0),
        max_parallel=2,
        priority="most_blocked",
        min_interval=1.0,
        timeout=60.0,
        grace=3.0,
        check_wait=1.0,
        calendar=[freeze],
        clock=clock,
        tags={"due": "2026-05-05", "train": "may"},
    )
    tags = ledger.get_run("r").metadata.tags
    own = tags["plan"]
    (calendar,) = own["calendar"]
    names = {*tags, *own, *own["items"][0], *own["retry"], *calendar, "resumes", "taken_as_released", "imported"}
    assert [name for name in sorted(names) if f"`{name}`" not in PAGE] == []


def test_what_is_passed_over_is_passed_over(tmp_path: Path) -> None:
    path = example(0, tmp_path)
    text = path.read_text(encoding="utf-8")
    more = text.replace('"seq": ', '"colour": "red", "seq": ').replace('{"run": {', '{"note": 1, "run": {"who": "me", ')
    path.write_text(more.replace("NodeEntered", "node_entered"), encoding="utf-8")
    events = read_ledger(path).get_events("may-1")
    assert events[0] == RunEvent(
        seq=1,
        kind="node_entered",
        payload={"node_id": "core", "version": "2.1.0"},
        timestamp="2026-05-04T10:00:00Z",  # type: ignore[arg-type]
    )
    assert serious(audit(path)) == []
