"""The commands about ledgers: audit, runs, show, resume, convert."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from seqkit import (
    MemoryRunLedger,
    RepoDependencyGraph,
    RunEvent,
    RunMetadata,
    RunStatus,
    RunSummary,
    ScriptedReleaser,
    SequencePlan,
    build_plan,
    open_ledger,
    run_plan,
    runs_frame,
)
from seqkit.__main__ import main
from seqkit.ledger import write_ledger
from seqkit.ledger.reading import read_ledger
from tests.tools.by_hand import Run, written
from tests.tools.strategies import HOSTILE_NAMES

EXPORT = Path(__file__).parents[1] / "data" / "aivcs" / "export.surql"
GRAPH = RepoDependencyGraph.from_edges([("core", "api"), ("api", "app"), ("core", "docs")])
INTERRUPTED = "0db2ab70-b98b-7bbb-619f-27484633ec32"

Seqkit = Callable[..., tuple[int, str, str]]


@pytest.fixture
def seqkit(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Seqkit:
    """Run a command in a directory of its own; give status, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> tuple[int, str, str]:
        status = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return status, out, err

    return run


def ticking() -> Callable[[], datetime]:
    now = [datetime(2026, 1, 2, 3, 4, 5, 600_000, tzinfo=UTC)]

    def clock() -> datetime:
        now[0] += timedelta(seconds=1)
        return now[0]

    return clock


def two_runs(fail: dict[str, str] | None = None) -> MemoryRunLedger:
    """Give a ledger of a run that failed at api, and one that resumes it."""
    clock = ticking()
    ledger = MemoryRunLedger(ids=["monday-1", "monday-2"], clock=clock)
    plan = build_plan(GRAPH, version="1.0", originating_run_id="manual")
    run_plan(plan, ScriptedReleaser(fail or {"api": "red tests"}), ledger, clock=clock, tags={"train": "5.1"})
    rest = build_plan(GRAPH, [("api", "1.1"), ("app", "1.0")], originating_run_id="monday-1")
    run_plan(rest, ScriptedReleaser(), ledger, clock=clock, tags={"resumes": "monday-1"})
    return ledger


@pytest.fixture
def ledger_file(tmp_path: Path) -> Path:
    path = tmp_path / "runs.jsonl"
    write_ledger(two_runs(), path)
    return path


def words(text: str) -> str:
    return " ".join(text.split())


# ---------------------------------------------------------------------- runs, show


def test_runs(seqkit: Seqkit, ledger_file: Path) -> None:
    status, out, err = seqkit("runs", ledger_file.name)
    assert (status, err) == (0, "")
    assert out.startswith("runs.jsonl: 2 runs, 11 events.\n")
    assert "monday-1 FAILED 2026-01-02 03:04 10.0 s 2 1 train 5.1" in words(out)
    assert words(out).endswith("monday-2 COMPLETED 2026-01-02 03:04 7.0 s 2 0 resumes monday-1")


def test_runs_of_the_original_fit_the_width(seqkit: Seqkit) -> None:
    status, out, _ = seqkit("runs", EXPORT)
    assert status == 0
    lines = [line for line in out.splitlines() if "-" in line and "20" in line]
    assert len([line for line in lines if INTERRUPTED in line and "RUNNING" in line]) == 1
    assert max(map(cell_len, out.splitlines())) <= 100


def test_runs_of_an_empty_ledger(seqkit: Seqkit, tmp_path: Path) -> None:
    open_ledger(tmp_path / "empty.db").close()
    assert seqkit("runs", "empty.db") == (0, "empty.db: 0 runs, 0 events.\n", "")


def test_show_with_the_start_of_an_id(seqkit: Seqkit, ledger_file: Path) -> None:
    status, out, _ = seqkit("show", ledger_file.name, "monday-1")
    assert status == 0
    text = words(out)
    assert "Run monday-1: FAILED, started 2026-01-02 03:04:" in text
    assert "originating run manual, policy skip_dependents, train 5.1." in text
    assert "1 api 1.0 failed 1 " in text
    assert "red tests" in text
    assert "2 app 1.0 blocked 0 - because of api" in text
    assert "NodeSkipped app blocked_by" not in text, "lists are shown as JSON"
    assert '{"blocked_by": ["api"]}' in text
    assert "NodeEntered core version 1.0" in text
    assert seqkit("show", EXPORT, INTERRUPTED[:4])[1].startswith(f"Run {INTERRUPTED}: RUNNING")


def test_show_says_that_a_run_of_the_original_has_no_plan(seqkit: Seqkit) -> None:
    _, out, _ = seqkit("show", EXPORT, INTERRUPTED)
    assert "ITEMS: the run carries no plan; these are the repos of its events" in out
    assert "org/repo-37 v6.3 in progress 1 - -" in words(out)


def test_show_at_most(seqkit: Seqkit, ledger_file: Path) -> None:
    _, out, _ = seqkit("show", ledger_file.name, "monday-1", "--most", "2")
    assert "… and 2 more (--most 0 shows all)" in out
    assert "docs" not in out
    assert "… and" not in seqkit("show", ledger_file.name, "monday-1", "--most", "0")[1]


def test_show_a_run_without_a_record(seqkit: Seqkit, ledger_file: Path) -> None:
    lines = [line for line in ledger_file.read_text("utf-8").splitlines() if '"run":{"run_id":"monday-2"' not in line]
    assert len(lines) == 12
    ledger_file.write_text("\n".join(lines), "utf-8")
    status, out, _ = seqkit("show", ledger_file.name, "monday-2")
    assert status == 0
    assert "the ledger has events of it, but no record" in out
    assert "NodeExited" in out


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("monday", "RUN is 'monday', with which the ids of 2 runs start: monday-1, monday-2"),
        ("tuesday", "RUN is 'tuesday', which is no run of the ledger; it has monday-1, monday-2"),
        ("", "RUN is '', which is no run"),
    ],
)
def test_which_run_is_meant(seqkit: Seqkit, ledger_file: Path, name: str, message: str) -> None:
    for command in ("show", "resume"):
        status, out, err = seqkit(command, ledger_file.name, name)
        assert (status, out) == (2, "")
        assert message in err
    assert message.split(",", maxsplit=1)[0] in seqkit("audit", ledger_file.name, "--run", name)[2]


def test_unreadable_lines_are_told_and_audited(seqkit: Seqkit, ledger_file: Path) -> None:
    with ledger_file.open("a", encoding="utf-8") as file:
        file.write("oops\n")
    note = "1 unreadable line left out; the command audit names what is unreadable."
    assert note in words(seqkit("runs", ledger_file.name)[1])
    assert note in words(seqkit("show", ledger_file.name, "monday-1")[1])
    assert note in words(seqkit("resume", ledger_file.name, "monday-2")[1])
    status, out, _ = seqkit("audit", ledger_file.name)
    assert status == 1
    assert "line 14" in words(out)


@pytest.mark.parametrize("command", [("runs",), ("show", "x"), ("audit",), ("resume", "x"), ("convert", "x.jsonl")])
def test_what_is_no_ledger_is_one_line(seqkit: Seqkit, tmp_path: Path, command: tuple[str, ...]) -> None:
    (tmp_path / "other.surql").write_text("CREATE x;", "utf-8")
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.db").write_text("hello", "utf-8")
    for name in ("other.surql", "folder", "none.jsonl", "none.db", "text.db"):
        status, out, err = seqkit(command[0], name, *command[1:])
        assert (status, out) == (2, "")
        assert err.startswith(f"seqkit: {name}")
        assert err.count("\n") == 1
    assert not list(tmp_path.glob("x.jsonl*"))


# ---------------------------------------------------------------------- audit


def test_audit_of_a_clean_ledger(seqkit: Seqkit, ledger_file: Path) -> None:
    status, out, err = seqkit("audit", ledger_file.name)
    assert (status, err) == (0, ""), out
    assert out.startswith("runs.jsonl holds together: 0 errors, 0 warnings, ")


def test_audit_of_a_changed_ledger(seqkit: Seqkit, ledger_file: Path, tmp_path: Path) -> None:
    text = ledger_file.read_text("utf-8")
    ledger_file.write_text(text.replace('"version":"1.1"', '"version":"6.6"'), "utf-8")
    status, out, _ = seqkit("audit", ledger_file.name, "--html", "report.html", "--json", "report.json")
    assert status == 1
    assert "does not hold together: 1 error" in words(out) or "does not hold together: 2 errors" in words(out)
    assert "6.6" in out
    assert "Written: report.html" in out
    assert (tmp_path / "report.html").read_text("utf-8").lstrip().startswith("<")
    report = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert (report["ok"], report["runs"], report["events"]) == (False, 2, 11)
    assert {"versions"} <= {finding["check"] for finding in report["findings"]}
    assert set(report["findings"][0]) == {"check", "severity", "run_id", "seq", "repo_id", "message"}
    assert seqkit("audit", ledger_file.name, "--run", "monday-1")[0] == 0


def test_an_anchor_is_one_line_that_the_audit_takes(seqkit: Seqkit, ledger_file: Path) -> None:
    status, line, err = seqkit("anchor", ledger_file.name)
    assert (status, err, line.count("\n")) == (0, "", 1)
    assert line.startswith("seqkit-anchor-1 runs=2 sha256=")
    assert seqkit("audit", ledger_file.name, "--anchor", line)[0] == 0
    text = ledger_file.read_text("utf-8").splitlines(keepends=True)
    second = next(at for at, entry in enumerate(text) if at and entry.startswith('{"run"'))
    ledger_file.write_text("".join(text[:second]), "utf-8")
    assert seqkit("audit", ledger_file.name)[0] == 0
    status, out, _ = seqkit("audit", ledger_file.name, "--anchor", line)
    assert status == 1
    assert "runs were taken away" in words(out)
    assert seqkit("audit", ledger_file.name, "--anchor", line[:-2])[0] == 2


def test_audit_as_json_on_stdout(seqkit: Seqkit, ledger_file: Path) -> None:
    status, out, _ = seqkit("audit", ledger_file.name, "--json", "-")
    assert status == 0
    assert json.loads(out)["ok"] is True


def test_audit_with_a_graph(seqkit: Seqkit, tmp_path: Path) -> None:
    ledger = two_runs()
    for record in ledger.list_runs():
        record.metadata.tags.pop("plan")  # as the original writes them
    write_ledger(ledger, tmp_path / "bare.jsonl")
    (tmp_path / "good.csv").write_text("dependency,dependent\ncore,api\napi,app\ncore,docs\n", "utf-8")
    (tmp_path / "bad.csv").write_text("dependency,dependent\napi,core\napp,api\ncore,docs\n", "utf-8")
    _, without, _ = seqkit("audit", "bare.jsonl", "--run", "monday-1")
    assert "--graph" in without
    status, out, _ = seqkit("audit", "bare.jsonl", "--run", "monday-1", "--graph", "good.csv")
    assert status == 0, out
    assert seqkit("audit", "bare.jsonl", "--run", "monday-1", "--graph", "bad.csv")[0] == 1
    plan = build_plan(GRAPH, version="1.0", originating_run_id="manual")
    (tmp_path / "plan.json").write_text(plan.to_json(), "utf-8")
    assert seqkit("audit", "bare.jsonl", "--run", "monday-1", "--graph", "plan.json")[0] == 0


def test_audit_of_the_original(seqkit: Seqkit) -> None:
    status, out, _ = seqkit("audit", EXPORT)
    assert status == 1
    assert "4 errors" in words(out)
    assert "error unfinished 4" in words(out)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--html", "-"), "--html is '-', expected the name of a file"),
        (("--html", "a", "--json", "./a"), "expected two places"),
        (("--json", "runs.jsonl"), "is the file that is read"),
        (("--html", "runs.jsonl"), "is the file that is read"),
        (("--html", "no/where.html"), "there is no directory"),
        (("--graph", "runs.jsonl"), "no name of a file that is read: python -m seqkit graph --help lists those"),
        (("--graph", "none.csv"), "none.csv: there is no such file"),
    ],
)
def test_audit_refuses(seqkit: Seqkit, ledger_file: Path, options: tuple[str, ...], message: str) -> None:
    before = ledger_file.read_bytes()
    status, out, err = seqkit("audit", ledger_file.name, *options)
    assert (status, out) == (2, "")
    assert message in err
    assert ledger_file.read_bytes() == before


# ---------------------------------------------------------------------- resume


def test_resume_names_what_is_left_and_writes_a_plan(seqkit: Seqkit, tmp_path: Path) -> None:
    clock = ticking()
    with open_ledger(tmp_path / "runs.db") as ledger:
        plan = build_plan(GRAPH, version="1.0")
        run_id = run_plan(plan, ScriptedReleaser({"api": "red"}), ledger, clock=clock).run_id
    status, out, err = seqkit("resume", "runs.db", run_id[:8])
    assert (status, err) == (0, "")
    assert f"Run {run_id} left 2 repos to do: 1 failed, 1 blocked." in words(out)
    assert "app 1.0 blocked api -" in words(out)
    assert "--output plan.json writes the plan" in out
    status, out, _ = seqkit("resume", "runs.db", run_id, "--output", "plan.json")
    assert "Written: plan.json" in out
    rest = SequencePlan.from_json((tmp_path / "plan.json").read_text("utf-8"))
    assert (rest.released, rest.originating_run_id) == (["api", "app"], run_id)
    assert SequencePlan.from_json(seqkit("resume", "runs.db", run_id, "--output", "-")[1]).plan_id == rest.plan_id
    assert "api" in seqkit("what-if", "plan.json", "--fail", "api")[1], "other commands read the plan"


def test_resume_of_a_completed_run(seqkit: Seqkit, ledger_file: Path) -> None:
    assert seqkit("resume", ledger_file.name, "monday-2") == (0, "Run monday-2 left nothing to do.\n", "")


def test_resume_asks_about_repos_in_doubt(seqkit: Seqkit, ledger_file: Path) -> None:
    lines = ledger_file.read_text("utf-8").splitlines()
    head = json.loads(lines[0])
    head["run"] |= {"status": "RUNNING", "summary": None, "completed_at": None}
    ledger_file.write_text(json.dumps(head) + "\n" + lines[1] + "\n", "utf-8")  # killed while core was released
    status, out, err = seqkit("resume", ledger_file.name, "monday-1")
    assert (status, out) == (2, "")
    assert "core" in err
    assert "--in-doubt retry" in err
    assert "--in-doubt done" in err
    assert "in_doubt" not in err
    assert "left 4 repos" in seqkit("resume", ledger_file.name, "monday-1", "--in-doubt", "retry")[1]
    assert "left 3 repos" in seqkit("resume", ledger_file.name, "monday-1", "--in-doubt", "done")[1]
    assert (
        "--in-doubt is 'maybe', expected error, retry, done or check"
        in seqkit("resume", ledger_file.name, "monday-1", "--in-doubt", "maybe")[2]
    )


def test_resume_without_a_plan_needs_a_graph(seqkit: Seqkit, tmp_path: Path) -> None:
    status, _, err = seqkit("resume", EXPORT, INTERRUPTED)
    assert status == 2
    assert "--graph" in err
    assert "graph=" not in err


# ---------------------------------------------------------------------- convert


def same(path: Path, other: Path) -> bool:
    def content(file: Path) -> Any:
        found = read_ledger(file)
        return sorted((run.record.run_id, run.record) for run in found.runs), sorted(
            (event.run_id, event.event.seq, event.event.model_dump_json()) for event in found.events
        )

    return bool(content(path) == content(other))


def test_convert_there_and_back(seqkit: Seqkit, tmp_path: Path) -> None:
    steps = ["a.jsonl", "b.db", "c.jsonl.gz", "d.sqlite", "e.jsonl"]
    for source, target in zip([EXPORT, *steps], steps, strict=False):
        assert seqkit("convert", source, target) == (0, f"{target}: 36 runs, 312 events.\n", "")
        assert same(EXPORT, tmp_path / target)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(steps)
    assert (tmp_path / "b.db").stat().st_mode & 0o444 == 0o444 & ~_mask()


def _mask() -> int:
    import os  # noqa: PLC0415

    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_convert_overwrites_only_when_told(seqkit: Seqkit, ledger_file: Path, tmp_path: Path) -> None:
    for target in ("old.db", "old.jsonl"):
        (tmp_path / target).write_text("precious", "utf-8")
        status, _, err = seqkit("convert", ledger_file.name, target)
        assert (status, (tmp_path / target).read_text("utf-8")) == (2, "precious")
        assert "which exists; give --force to replace it" in err
        assert seqkit("convert", ledger_file.name, target, "--force")[0] == 0
        assert same(ledger_file, tmp_path / target)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("runs.csv", "expected a file that ends in .jsonl, .jsonl.gz, .db, .sqlite or .sqlite3"),
        ("postgresql://host/db", "expected a file that ends in"),
        ("runs.jsonl", "which is SOURCE"),
        ("./runs.jsonl", "which is SOURCE"),
        ("no/where.db", "there is no directory"),
        ("folder.db", "it is a directory"),
        ("busy.db", "a database in use"),
    ],
)
def test_convert_refuses_targets(seqkit: Seqkit, ledger_file: Path, target: str, message: str) -> None:
    (ledger_file.parent / "folder.db").mkdir()
    (ledger_file.parent / "busy.db-wal").write_bytes(b"x")
    before = ledger_file.read_bytes()
    status, _, err = seqkit("convert", ledger_file.name, target, "--force")
    assert status == 2
    assert message in err
    assert ledger_file.read_bytes() == before
    assert {path.name for path in ledger_file.parent.iterdir()} == {"runs.jsonl", "folder.db", "busy.db-wal"}


def test_convert_keeps_contradictions_in_lines_and_refuses_them_in_a_database(
    seqkit: Seqkit, ledger_file: Path, tmp_path: Path
) -> None:
    lines = ledger_file.read_text("utf-8").splitlines()
    for name, changed, message in (
        ("twice", [*lines, lines[0]], "run 'monday-1' is recorded 2 times"),
        ("seq", [*lines, lines[1]], "has an event with seq 1 already"),
        ("orphan", lines[1:], "events of run 'monday-1', but no record of it"),
        ("alive", [lines[0].replace("FAILED", "RUNNING"), *lines[1:]], "of run 'monday-1' do not go together"),
    ):
        source = tmp_path / f"{name}.jsonl"
        source.write_text("\n".join(changed), "utf-8")
        status, _, err = seqkit("convert", source.name, "new.db")
        assert status == 2, name
        assert "a database cannot hold the ledger as it was found: " in err
        assert message in err
        assert seqkit("convert", source.name, "new.jsonl", "--force")[0] == 0
        assert len(read_ledger(tmp_path / "new.jsonl").events) == len(read_ledger(source).events)
    assert not list(tmp_path.glob("new.db*"))
    assert not list(tmp_path.glob(".seqkit*"))


def test_convert_leaves_unreadable_lines_out_only_when_told(seqkit: Seqkit, ledger_file: Path, tmp_path: Path) -> None:
    with ledger_file.open("a", encoding="utf-8") as file:
        file.write("oops\n{}\n")
    status, _, err = seqkit("convert", ledger_file.name, "new.db")
    assert status == 2
    assert err.startswith("seqkit: runs.jsonl, line 14: ")
    assert "of 2 that cannot be read; --skip-unreadable leaves them out" in err
    status, out, _ = seqkit("convert", ledger_file.name, "new.db", "--skip-unreadable")
    assert (status, out) == (0, "new.db: 2 runs, 11 events; 2 unreadable lines left out.\n")
    assert len(read_ledger(tmp_path / "new.db").events) == 11


# ---------------------------------------------------------------------- hostile names


@pytest.mark.parametrize("name", [*HOSTILE_NAMES, "[bold]red[/bold]", "\x1b[31m", "a\rb", ":smile:"])
def test_hostile_names_are_only_shown(seqkit: Seqkit, tmp_path: Path, name: str) -> None:
    clock = ticking()
    ledger = MemoryRunLedger(ids=[f"run {name}"], clock=clock)
    graph = RepoDependencyGraph.from_edges([(name, f"{name}2")])
    run_plan(build_plan(graph, version=name), ScriptedReleaser({name: name}), ledger, clock=clock, tags={"train": name})
    run_id = ledger.list_runs()[0].run_id
    write_ledger(ledger, tmp_path / "runs.jsonl")
    for command in (("runs",), ("show", run_id), ("audit",), ("resume", run_id)):
        status, out, err = seqkit(command[0], "runs.jsonl", *command[1:])
        assert (status, err) == (0, ""), command
        assert all(char.isprintable() or char == "\n" for char in out)
        assert max(map(cell_len, out.splitlines())) <= 100
        if len(name) < 20 and name.isprintable() and name.isascii() and command[0] != "audit":
            assert name in out
    status, _, err = seqkit("show", "runs.jsonl", "\x1b[31mnobody")
    assert (status, err.count("\n")) == (2, 1)
    assert "\x1b" not in err


def test_any_payload_is_shown(seqkit: Seqkit, tmp_path: Path) -> None:
    ledger = MemoryRunLedger(ids=["odd"], clock=ticking())
    ledger.create_run("a" * 64, RunMetadata(tags=[1]))
    payloads: list[Any] = [
        None,
        [],
        {},
        1,
        "x",
        {"node_id": 3},
        {"node_id": "a", "deep": {"x": [None]}},
        {"version": None},
    ]
    for seq, payload in enumerate(payloads, 1):
        event = RunEvent(seq=seq, kind="NodeEntered", payload=payload, timestamp=datetime(2026, 1, 2, tzinfo=UTC))
        ledger.append_event("odd", event)
    ledger.cancel_run("odd", RunSummary(total_events=8, duration_ms=0, success=False))
    assert ledger.get_run("odd").status is RunStatus.CANCELLED
    write_ledger(ledger, tmp_path / "odd.jsonl")
    for command in (("runs",), ("show", "odd")):
        status, out, err = seqkit(command[0], "odd.jsonl", *command[1:])
        assert (status, err) == (0, "")
    assert '{"deep": {"x": [null]}}' in out


def test_a_folder_of_the_original(seqkit: Seqkit, tmp_path: Path) -> None:
    pytest.importorskip("surrealdb")
    shutil.copytree(EXPORT.parent / "surrealkv", tmp_path / "db")
    assert seqkit("runs", "db")[1].startswith("db: 36 runs, 312 events.")
    assert seqkit("convert", "db", "x.jsonl")[0] == 0
    assert same(tmp_path / "x.jsonl", EXPORT)


def test_a_run_of_some_repos_is_shown_by_wave_and_who_is_only_passed_over_apart(seqkit: Seqkit, tmp_path: Path) -> None:
    graph = RepoDependencyGraph.from_edges([("r1", "u"), ("u", "r3"), ("x", "y"), ("y", "r2")])
    plan = build_plan(graph, [(repo, "1") for repo in ("r1", "r2", "r3")])
    assert [item.repo_id for item in plan.items] == ["r1", "u", "r3", "r2"]
    ledger = MemoryRunLedger(ids=["monday"])
    run_plan(plan, ScriptedReleaser({}), ledger)
    write_ledger(ledger, tmp_path / "ledger.jsonl")
    _, out, _ = seqkit("show", tmp_path / "ledger.jsonl", "monday")
    items = out.split("ITEMS")[1].split("EVENTS")[0]
    assert [line.split()[:2] for line in items.splitlines() if " 1 " in line and "succeeded" in line] == [
        ["0", "r1"],
        ["0", "r2"],
        ["1", "r3"],
    ]
    assert "1 repo of the plan not to be released, passed over: u" in items


def test_a_doubt_is_shown_and_refused_where_a_run_is_resumed(seqkit: Seqkit, tmp_path: Path) -> None:
    plan = build_plan(RepoDependencyGraph.from_edges([], nodes=["a", "b"]), version="1")
    ledger = written(may=Run(plan, ["enter a", "process a", "hang a", "enter b", "doubt b", "late b"]))
    write_ledger(ledger, tmp_path / "doubt.jsonl")
    text = words(seqkit("show", str(tmp_path / "doubt.jsonl"), "may")[1])
    assert "0 a 1 in doubt 1 2:00 min timed out after 30 s" in text
    assert "0 b 1 failed 1 1:00 min out too late, as run-b: the answer was lost" in text
    status, _, err = seqkit("resume", str(tmp_path / "doubt.jsonl"), "may")
    assert status != 0
    assert "failed and perhaps out all the same (1): 'a'; may still be running: 'a' (process 4711" in words(err)
    assert "--in-doubt check needs --run" in words(seqkit("resume", "x.db", "may", "--in-doubt", "check")[2])
    assert "Run may left 1 repo to do: 1 in doubt." in words(
        seqkit("resume", str(tmp_path / "doubt.jsonl"), "may", "--in-doubt", "retry")[1]
    )


def test_export_writes_parquet_and_adds_what_is_new(seqkit: Seqkit, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    assert seqkit("export", EXPORT, "out", "--partition-by", "month") == (0, "out: 36 runs written.\n", "")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["events", "items", "runs"]
    going_on = (runs_frame(EXPORT)["status"] == "RUNNING").sum()
    assert seqkit("export", EXPORT, "out", "--partition-by", "month") == (0, f"out: {going_on} runs written.\n", "")
    status, _, err = seqkit("export", EXPORT, "out")
    assert status == 2
    assert "is not partitioned by run_id" in err
    status, _, err = seqkit("export", EXPORT, "out", "--partition-by", "week")
    assert status == 2
    assert "partition_by is 'week', expected one of" in err
