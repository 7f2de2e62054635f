"""Runs of dbt: what became of each node, who blocked whom by the manifest, and what a retry goes on with."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from seqkit import ReadError, RepoDependencyGraph
from seqkit.importers.dbt import is_dbt_run, read_dbt_runs
from seqkit.readers._files import Opened
from tests.importers.opening import said, told, written
from tests.readers.damage import survives

A, B, C, D = (f"model.shop.{name}" for name in "abcd")
CHECK_A, CHECK_B, SAME = "test.shop.a_is_unique", "test.shop.b_is_unique", "test.shop.a_is_as_d"


def results(run: str, minute: int = 0, command: str = "dbt build", /, **statuses: str) -> dict[str, Any]:
    """Make a run_results.json; repos are tried a second each, in their order."""
    names = {"a": A, "b": B, "c": C, "d": D, "check_a": CHECK_A, "check_b": CHECK_B, "same": SAME}
    rows = []
    for second, (name, status) in enumerate(statuses.items()):
        start, middle, end = (f"2026-01-05T10:{minute:02}:{second:02}.{part}00Z" for part in (0, 3, 9))
        steps = [
            {"name": "compile", "started_at": start, "completed_at": middle},
            {"name": "execute", "started_at": middle, "completed_at": end},
        ]
        message = f"{status} in {name}\nand more" if status in ("error", "fail") else None
        timing = [] if status == "skipped" else steps
        rows.append({"unique_id": names[name], "status": status, "timing": timing, "message": message})
    at = f"2026-01-05T10:{minute:02}:30Z"
    return {
        "metadata": {"invocation_id": run, "generated_at": at, "dbt_schema_version": "run-results/v6.json"},
        "args": {"which": "build", "invocation_command": command},
        "results": rows,
    }


def manifest(run: str = "", **parents: list[str]) -> dict[str, Any]:
    """Make a manifest: a, then b, then c; d beside; tests of a, of b, and of a and d together."""
    needs = {A: [], B: [A], C: [B], D: [], CHECK_A: [A], CHECK_B: [B], SAME: [A, D], **parents}
    nodes = {name: {"resource_type": name.split(".")[0], "depends_on": {"nodes": on}} for name, on in needs.items()}
    facts = {"dbt_schema_version": "manifest/v12.json", "invocation_id": run, "generated_at": "2026-01-05T10:00:00Z"}
    return {"metadata": facts, "nodes": nodes, "sources": {}}


def test_a_run_with_a_failure(tmp_path: Path) -> None:
    run = results("1", a="success", b="error", c="skipped", d="success", check_a="warn", check_b="skipped")
    files = written(tmp_path, {"run_results.json": run, "manifest.json.gz": manifest()})
    assert all(map(is_dbt_run, files))
    found = read_dbt_runs(files)
    assert told(found) == [
        (A, 1, "succeeded", [], None),
        (B, 1, "failed", [], None),
        (C, None, "blocked", [B], None),
        (D, 1, "succeeded", [], None),
        (CHECK_A, 1, "succeeded", [], "warn"),
        (CHECK_B, None, "blocked", [B], None),
    ]
    failed = found.rows[1]
    assert (failed.run_id, failed.train, failed.reason) == ("1", None, "error in b")
    assert failed.started_at == datetime(2026, 1, 5, 10, 0, 1, tzinfo=UTC)
    assert failed.finished_at == datetime(2026, 1, 5, 10, 0, 1, 900_000, tzinfo=UTC)
    assert not found.said()


def test_a_failed_test_blocks_what_is_below_all_that_it_looks_at(tmp_path: Path) -> None:
    run = results("1", a="success", check_a="fail", b="skipped", check_b="skipped", c="skipped", d="skipped")
    found = read_dbt_runs(written(tmp_path, {"r.json": run, "m.json": manifest()}))
    assert [row[2:4] for row in told(found)[2:]] == [("blocked", [CHECK_A])] * 3 + [("skipped", [])]


def test_a_test_of_two_blocks_only_what_needs_both(tmp_path: Path) -> None:
    both = manifest(**{C: [B, D]})
    run = results("1", a="success", d="success", same="fail", b="skipped", c="skipped")
    found = read_dbt_runs(written(tmp_path, {"r.json": run, "m.json": both}))
    assert [row[2:4] for row in told(found)[3:]] == [("skipped", []), ("blocked", [SAME])]


def test_a_test_is_named_only_where_no_failed_ancestor_is(tmp_path: Path) -> None:
    run = results("1", a="success", check_a="fail", b="error", c="skipped")
    found = read_dbt_runs(written(tmp_path, {"r.json": run, "m.json": manifest()}))
    assert told(found)[-1][3] == [B]


def test_without_a_manifest_skips_name_nobody(tmp_path: Path) -> None:
    files = written(tmp_path, {"r.json": results("1", a="error", b="skipped")})
    found = read_dbt_runs(files)
    assert told(found)[1] == (B, None, "skipped", [], None)
    assert "give the manifest.json" in said(found)
    graph = RepoDependencyGraph.from_edges([(A, B)])
    assert told(read_dbt_runs(files, graph))[1] == (B, None, "blocked", [A], None)
    lost = read_dbt_runs(files, RepoDependencyGraph.from_edges([("a", "b")]))
    assert "the graph does not know 1 repo that 1 skipped" in said(lost)


def test_what_dbt_stopped_itself(tmp_path: Path) -> None:
    run = results("1", a="error", b="skipped", d="skipped")
    for row in run["results"][1:]:
        row["message"] = "Skipping due to fail_fast"
    found = read_dbt_runs(written(tmp_path, {"r.json": run, "m.json": manifest()}))
    assert [row[2:4] for row in told(found)[1:]] == [("blocked", [A]), ("stopped", [])]


def test_words_that_say_more(tmp_path: Path) -> None:
    run = results("1", a="partial success", b="no-op", c="runtime error", d="success")
    found = read_dbt_runs(written(tmp_path, {"r.json": run, "m.json": manifest()}))
    assert [(row[2], row[4]) for row in told(found)] == [
        ("failed", "partial success"),
        ("succeeded", "no-op"),
        ("failed", "runtime error"),
        ("succeeded", None),
    ]


def test_a_retry_is_of_the_train_of_what_it_goes_on_with(tmp_path: Path) -> None:
    runs = {
        "z.json": results("first", 0, a="success", b="error", c="skipped"),
        "y.json": results("other", 1, a="success", d="error"),
        "x.json": results("again", 2, "dbt --quiet retry --profiles-dir .", b="error", c="skipped"),
        "w.json": results("third", 3, "dbt retry", b="success", c="success"),
        "v.json": results("alone", 4, "dbt run --select retry", a="success"),
        "u.json": results("lost", 5, "dbt retry", a="success"),
    }
    found = read_dbt_runs(written(tmp_path, dict(sorted(runs.items()))))
    trains = {row.run_id: row.train for row in found.rows}
    assert list(trains) == ["first", "other", "again", "third", "alone", "lost"]  # by time
    assert {run for run, train in trains.items() if train == "first"} == {"first", "again", "third"}
    assert {trains[run] for run in ("other", "alone", "lost")} == {None}
    assert "retries of a run that is not among the files: lost" in said(found)


def test_args_may_say_that_it_is_a_retry(tmp_path: Path) -> None:
    again = results("2", 1, a="success")
    again["args"] = {"which": "retry"}
    found = read_dbt_runs(written(tmp_path, {"1.json": results("1", a="error"), "2.json": again}))
    assert [row.train for row in found.rows] == ["1", "1"]


def test_each_run_is_read_with_its_own_manifest(tmp_path: Path) -> None:
    run = {"a": "error", "d": "skipped"}
    files = {
        "run_1.json": results("1", 0, **run),
        "run_2.json": results("2", 1, **run),
        "there/run_3.json": results("3", 2, **run),
        "old.json": manifest("1"),
        "new.json": manifest("2", **{D: [A]}),
        "there/manifest.json": manifest("x"),
    }
    found = read_dbt_runs(written(tmp_path, files))
    assert [row.status for row in found.rows if row.repo_id == D] == ["skipped", "blocked", "skipped"]
    assert "manifest" not in said(found)
    del files["there/manifest.json"]
    assert "without a manifest of their own" in said(read_dbt_runs(written(tmp_path / "b", files)))


def test_a_run_that_comes_twice(tmp_path: Path) -> None:
    run = results("1", a="success")
    twice = read_dbt_runs(written(tmp_path, {"a.json": run, "b.json": run}))
    assert len(twice.rows) == 1
    assert "records that came twice and count once: 1" in said(twice)
    longer = results("1", a="success", b="success")
    assert len(read_dbt_runs(written(tmp_path, {"a.json": run, "b.json": longer})).rows) == 2
    with pytest.raises(ReadError, match=r"b\.json: tells of the run '1' otherwise than .*a\.json"):
        read_dbt_runs(written(tmp_path, {"a.json": run, "b.json": results("1", a="error")}))


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (["results"], {}, "results is an object, expected a list"),
        (["results", 0], 1, r"results\[0\] is 1, expected an object"),
        (["results", 0, "unique_id"], None, r"results\[0\]\.unique_id is null, expected text"),
        (["results", 1, "unique_id"], A, r"results\[1\]\.unique_id is 'model.shop.a' once more"),
        (["results", 0, "status"], "odd", "statuses that dbt is not known to write: 'odd'"),
        (["results", 0, "timing", 0, "started_at"], "noon", r"timing\[0\]\.started_at is 'noon', expected a time"),
        (["results", 0, "timing", 0], [], r"timing\[0\] is a list, expected an object"),
        (["results", 0, "message"], 5, r"results\[0\]\.message is 5, expected text"),
        (["metadata", "invocation_id"], "\ud800", "holds half a character"),
        (["args"], [], "args is a list, expected an object"),
    ],
)
def test_what_is_malformed(tmp_path: Path, place: list[Any], value: Any, message: str) -> None:
    run = results("1", a="success", b="error")
    here: Any = run
    for key in place[:-1]:
        here = here[key]
    here[place[-1]] = value
    with pytest.raises(ReadError, match=message):
        read_dbt_runs(written(tmp_path, {"r.json": run}))


def test_a_manifest_alone_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="is a manifest of dbt, expected a run_results"):
        read_dbt_runs(written(tmp_path, {"m.json": manifest()}))


def test_a_manifest_with_a_cycle(tmp_path: Path) -> None:
    files = {"r.json": results("1", a="error", b="skipped"), "m.json": manifest(**{A: [C]})}
    with pytest.raises(ReadError, match=r"m\.json: dependency cycle"):
        read_dbt_runs(written(tmp_path, files))


def test_damage(tmp_path: Path) -> None:
    names = {"r.json": results("1", 0, "dbt retry", a="success", check_a="fail", b="skipped"), "m.json": manifest()}

    def read() -> object:
        files = [Opened(tmp_path / name) for name in names]
        return read_dbt_runs([file for file in files if is_dbt_run(file)])

    for name, document in names.items():
        written(tmp_path, names)
        survives(document, tmp_path / name, read, 300)
