"""Airflow's task instances: exports of the tables, listings of the REST API, and databases."""

from __future__ import annotations

import csv
import json
import random
import sqlite3
import traceback
import warnings
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from seqkit import (
    MemoryRunLedger,
    ReadError,
    RepoDependencyGraph,
    attempts_frame,
    ledger_from_frame,
    read_attempts,
    write_ledger,
)
from seqkit.importers import airflow
from seqkit.importers.airflow import is_airflow, is_airflow_database, read_airflow, read_airflow_database
from seqkit.ledger.attempts import AttemptRow
from seqkit.readers._files import Opened
from tests.importers.opening import said
from tests.readers.damage import survives

HEADER = "dag_id,task_id,run_id,map_index,start_date,end_date,duration,state,try_number,max_tries,operator,hostname"
DAY = "2026-01-05 "
UTC = "+00:00"


def line(task: str, state: str, number: int, start: str = "", end: str = "", index: int = -1, run: str = "r1") -> str:
    start, end = (f"{DAY}{at}{UTC}" if at else "" for at in (start, end))
    return f"etl,{task},{run},{index},{start},{end},,{state},{number},2,PythonOperator,worker-1"


def table(folder: Path, *lines: str, name: str = "task_instance.csv", header: str = HEADER) -> Opened:
    path = folder / name
    path.write_text("\n".join([header, *lines, ""]), "utf-8")
    return Opened(path)


def listing(folder: Path, *entries: dict[str, Any], name: str = "instances.json", **more: Any) -> Opened:
    path = folder / name
    path.write_text(json.dumps({"task_instances": list(entries), "total_entries": len(entries)} | more), "utf-8")
    return Opened(path)


def tasks_file(folder: Path, needs: dict[str, list[str]], name: str = "tasks.json", **more: Any) -> Opened:
    entries = [{"task_id": task, "downstream_task_ids": below, **more} for task, below in needs.items()]
    path = folder / name
    path.write_text(json.dumps({"tasks": entries, "total_entries": len(entries)}), "utf-8")
    return Opened(path)


def short(rows: Iterable[AttemptRow]) -> list[tuple[Any, ...]]:
    return [(row.repo_id, row.attempt, row.status, list(row.blocked_by)) for row in rows]


CHAIN = {"load": ["clean"], "clean": ["report"], "report": []}


# ---------------------------------------------------------------------- tables


def test_tries_come_from_both_tables(tmp_path: Path) -> None:
    now = table(
        tmp_path,
        line("load", "success", 1, "10:00:00", "10:05:00"),
        line("clean", "failed", 3, "10:20:00", "10:21:00"),
        line("report", "upstream_failed", 0, "10:21:00", "10:21:00"),
    )
    before = table(
        tmp_path,
        line("clean", "failed", 1, "10:05:00", "10:06:00"),
        line("clean", "failed", 2, "10:10:00", "10:11:30"),
        name="task_instance_history.csv",
    )
    found = read_airflow([now, before, tasks_file(tmp_path, CHAIN)])
    assert short(found.rows) == [
        ("load", 1, "succeeded", []),
        ("clean", 1, "failed", []),
        ("clean", 2, "failed", []),
        ("clean", 3, "failed", []),
        ("report", None, "blocked", ["clean"]),
    ]
    assert {row.run_id for row in found.rows} == {"etl#r1"}
    second = found.rows[2]
    assert second.started_at is not None
    assert second.finished_at is not None
    assert (second.finished_at - second.started_at).total_seconds() == 90
    assert found.rows[-1].started_at is None  # Airflow writes when it gave up: that is no start
    assert said(found) == ""


def test_what_airflow_before_2_10_does_not_keep_is_said(tmp_path: Path) -> None:
    found = read_airflow([table(tmp_path, line("clean", "success", 3, "10:00:00", "10:05:00"))])
    assert short(found.rows) == [("clean", 3, "succeeded", [])]
    assert "task instances whose earlier tries the source does not keep" in said(found)
    assert "clean in etl#r1: 1 of 3" in said(found)


def test_files_of_a_folder_belong_together(tmp_path: Path) -> None:
    table(
        tmp_path,
        line("load", "failed", 2, "10:10:00", "10:15:00"),
        line("clean", "skipped", 0),
        line("report", "upstream_failed", 0),
    )
    table(tmp_path, line("load", "failed", 1, "10:00:00", "10:05:00"), name="task_instance_history.csv")
    tasks_file(tmp_path, {"load": ["clean", "report"], "clean": [], "report": []})
    frame = read_attempts(tmp_path)
    assert frame[["repo_id", "status", "blocked_by"]].to_numpy().tolist() == [
        ["load", "failed", []],
        ["load", "failed", []],
        ["clean", "skipped", []],
        ["report", "blocked", ["load"]],
    ]
    again = attempts_frame(ledger_from_frame(frame))
    pd.testing.assert_frame_equal(again, frame)


def test_runs_of_two_dags_stay_apart(tmp_path: Path) -> None:
    other = line("load", "success", 1, "10:00:00", "10:05:00").replace("etl", "billing", 1)
    found = read_airflow([table(tmp_path, line("load", "success", 1, "10:00:00", "10:05:00"), other)])
    assert [row.run_id for row in found.rows] == ["etl#r1", "billing#r1"]
    assert said(found) == ""


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("success", (1, "succeeded", None)),
        ("failed", (1, "failed", None)),
        ("up_for_retry", (1, "failed", "up_for_retry")),
        ("upstream_failed", (None, "blocked", None)),
        ("skipped", (None, "skipped", None)),
        ("running", (1, "in_progress", None)),
        ("deferred", (1, "in_progress", "deferred")),
        ("restarting", (1, "in_progress", "restarting")),
        ("up_for_reschedule", (1, "in_progress", "up_for_reschedule")),
        ("queued", (None, "pending", "queued")),
        ("scheduled", (None, "pending", "scheduled")),
        ("", (None, "pending", None)),
        ("None", (None, "pending", None)),
        ("shutdown", (1, "in_progress", "cancelled")),
    ],
)
def test_states(tmp_path: Path, state: str, expected: tuple[Any, ...]) -> None:
    found = read_airflow([table(tmp_path, line("load", state, 1, "10:00:00", "10:05:00"))])
    assert [(row.attempt, row.status, row.detail) for row in found.rows] == [expected]
    if expected[1] == "in_progress":
        assert found.rows[0].finished_at is None


def test_what_is_removed_is_left_out_and_said(tmp_path: Path) -> None:
    rows = [line("load", "success", 1, "10:00:00", "10:05:00"), line("old", "removed", 0)]
    found = read_airflow([table(tmp_path, *rows)])
    assert short(found.rows) == [("load", 1, "succeeded", [])]
    assert "task instances left out that are removed" in said(found)
    assert "old in etl#r1" in said(found)


def test_a_skip_is_no_failure_also_below_one(tmp_path: Path) -> None:
    needs = {"load": ["choose"], "choose": ["left", "right"], "left": ["join"], "right": ["join"], "join": []}
    rows = [
        line("load", "failed", 1, "10:00:00", "10:05:00"),
        line("choose", "skipped", 0),
        line("left", "skipped", 0),
        line("right", "failed", 1, "10:06:00", "10:07:00"),
        line("join", "upstream_failed", 0),
    ]
    found = read_airflow([table(tmp_path, *rows), tasks_file(tmp_path, needs)])
    # A choice took `left` out: the failure above the choice holds nobody up.
    assert short(found.rows)[1:] == [
        ("choose", None, "skipped", []),
        ("left", None, "skipped", []),
        ("right", 1, "failed", []),
        ("join", None, "blocked", ["right"]),
    ]


def test_a_failure_blocks_by_way_of_what_did_not_run(tmp_path: Path) -> None:
    rows = [
        line("load", "failed", 1, "10:00:00", "10:05:00"),
        line("clean", "upstream_failed", 0),
        line("report", "upstream_failed", 0),
    ]
    found = read_airflow([table(tmp_path, *rows), tasks_file(tmp_path, CHAIN)])
    assert short(found.rows)[1:] == [("clean", None, "blocked", ["load"]), ("report", None, "blocked", ["load"])]
    given = read_airflow([table(tmp_path, *rows)], RepoDependencyGraph.from_edges([("load", "clean")]))
    assert short(given.rows)[1:] == [("clean", None, "blocked", ["load"]), ("report", None, "blocked", [])]
    assert "tasks whose upstream failed, of which nothing tells what it was: report in etl#r1" in said(given)


def test_instances_of_mapped_tasks_are_repos(tmp_path: Path) -> None:
    needs = {"fetch": ["parse"], "parse": ["merge"], "other": ["parse"], "merge": []}
    rows = [
        line("fetch", "success", 1, "10:00:00", "10:01:00", index=0),
        line("fetch", "failed", 1, "10:00:00", "10:02:00", index=1),
        line("other", "success", 1, "10:00:00", "10:01:00"),
        line("parse", "failed", 1, "10:03:00", "10:04:00", index=0),
        line("parse", "upstream_failed", 0, index=1),
        line("merge", "upstream_failed", 0),
    ]
    found = read_airflow([table(tmp_path, *rows), tasks_file(tmp_path, needs)])
    assert short(found.rows)[3:] == [
        ("parse[0]", 1, "failed", []),
        ("parse[1]", None, "blocked", ["fetch[1]"]),
        ("merge", None, "blocked", ["fetch[1]", "parse[0]"]),
    ]


def test_a_task_that_was_cleared_keeps_every_try(tmp_path: Path) -> None:
    before = [line("load", "success", 1, "10:00:00", "10:05:00"), line("clean", "success", 1, "10:05:00", "10:06:00")]
    history = table(tmp_path, *before, name="task_instance_history.csv")
    # `load` went again; `clean` waits for its turn, with the times of its last try.
    now = [line("load", "success", 2, "11:00:00", "11:05:00"), line("clean", "", 1, "10:05:00", "10:06:00")]
    found = read_airflow([table(tmp_path, *now), history])
    assert short(found.rows) == [
        ("load", 1, "succeeded", []),
        ("load", 2, "succeeded", []),
        ("clean", 1, "succeeded", []),
    ]
    assert "task instances that were cleared, or wait for another try" in said(found)


def test_what_is_up_for_retry_is_in_the_history_too(tmp_path: Path) -> None:
    history = table(tmp_path, line("load", "failed", 1, "10:00:00", "10:05:00.5"), name="task_instance_history.csv")
    found = read_airflow([table(tmp_path, line("load", "up_for_retry", 1, "10:00:00", "10:05:00.7")), history])
    assert [(row.attempt, row.status, row.detail) for row in found.rows] == [(1, "failed", "up_for_retry")]
    assert said(found) == ""


def test_what_a_person_marked_later_counts(tmp_path: Path) -> None:
    history = table(tmp_path, line("load", "failed", 1, "10:00:00", "10:05:00"), name="task_instance_history.csv")
    now = table(tmp_path, line("load", "success", 1, "10:00:00", "10:09:00"))
    for files in ([now, history], [history, now]):
        found = read_airflow(files)
        assert short(found.rows) == [("load", 1, "succeeded", [])]
        assert "tries that were marked as something else later" in said(found)


def test_rows_that_are_there_twice_count_once(tmp_path: Path) -> None:
    row = line("load", "success", 1, "10:00:00", "10:05:00")
    found = read_airflow([table(tmp_path, row, row, line("report", "skipped", 0), line("report", "skipped", 0))])
    assert short(found.rows) == [("load", 1, "succeeded", []), ("report", None, "skipped", [])]
    assert "2 rows that are there twice: counted once" in said(found)


def test_an_open_row_yields_to_one_that_has_ended(tmp_path: Path) -> None:
    older = table(tmp_path, line("load", "running", 1, "10:00:00"), line("report", "", 0), name="at_ten.csv")
    rows = [line("load", "success", 1, "10:00:00", "10:05:00"), line("report", "upstream_failed", 0)]
    for files in ([older, table(tmp_path, *rows)], [table(tmp_path, *rows), older]):
        found = read_airflow(files)
        assert short(found.rows) == [("load", 1, "succeeded", []), ("report", None, "blocked", [])]
        assert "tries with an open row and one that has ended" in said(found)


def test_rows_that_contradict_each_other_are_refused_by_name(tmp_path: Path) -> None:
    rows = [line("load", "success", 1, "10:00:00", "10:05:00"), line("load", "failed", 1, "10:00:00", "10:07:00")]
    with pytest.raises(ReadError) as caught:
        read_airflow([table(tmp_path, *rows)])
    message = str(caught.value)
    assert "line 3 says of try 1 of load in etl#r1 that it is failed" in message
    assert "task_instance.csv, line 2, says success" in message
    with pytest.raises(ReadError, match="says of the outcome of load"):
        read_airflow([table(tmp_path, line("load", "skipped", 0), line("load", "upstream_failed", 0))])


def test_outcomes_without_a_try(tmp_path: Path) -> None:
    found = read_airflow([table(tmp_path, line("start", "success", 0, "10:00:00", "10:00:00"))])
    assert short(found.rows) == [("start", 1, "succeeded", [])]
    assert "outcomes without a try" in said(found)
    earlier = table(tmp_path, line("start", "failed", 0), name="task_instance_history.csv")
    again = read_airflow([table(tmp_path, line("start", "success", 1, "10:00:00", "10:00:00")), earlier])
    assert short(again.rows) == [("start", 1, "succeeded", [])]
    assert "earlier rounds left out in which a task was not tried" in said(again)


def test_other_ways_to_write_a_table(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    text = "sep=;\r\nDAG_ID;Task_ID;execution_date;state;try_number;start_date;end_date\r\n"
    text += f"etl;load;{DAY}00:00;success;1.0;{DAY}10:00:00;\\N\r\n;;;;;;\r\n"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert is_airflow(Opened(path))
    found = read_airflow([Opened(path)])
    assert [(row.run_id, row.attempt, row.finished_at) for row in found.rows] == [(f"etl#{DAY}00:00", 1, None)]
    assert said(found) == "times without a zone were taken for UTC"


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (line("load", "exploded", 1), "line 2: state is 'exploded', expected a state of Airflow's: success,"),
        (line("", "failed", 1), "line 2: task_id is empty, expected an id"),
        (line("load", "failed", 1).replace(",1,2,", ",x,2,"), "line 2: try_number is 'x', expected a whole number"),
        (line("load", "failed", 1, "25:00"), "line 2: start_date is '2026-01-05 25:00+00:00', expected a time"),
        (line("load", "failed", 1) + ",more", "line 2: has 13 fields, expected 12"),
        (line("load", 'fa"iled', 1).replace("fa", '"fa'), "is not CSV"),
    ],
)
def test_malformed_tables(tmp_path: Path, row: str, expected: str) -> None:
    with pytest.raises(ReadError) as caught:
        read_airflow([table(tmp_path, row)])
    assert expected in str(caught.value)


# ---------------------------------------------------------------------- the REST API


def entry(
    task: str, state: str | None, number: int, start: str | None = None, end: str | None = None
) -> dict[str, Any]:
    started, ended = (f"2026-01-05T{at}Z" if at else None for at in (start, end))
    dates = {"start_date": started, "end_date": ended, "duration": 1.5}
    return {"dag_id": "etl", "dag_run_id": "r1", "task_id": task, "state": state, "try_number": number, **dates}


def test_listings_of_instances_and_of_tries(tmp_path: Path) -> None:
    now = listing(
        tmp_path,
        entry("load", "success", 2, "10:10:00", "10:15:00"),
        entry("clean", None, 0),
        {**entry("fetch", "running", 1, "10:15:00"), "map_index": 4},
    )
    tries = listing(
        tmp_path,
        entry("load", "failed", 1, "10:00:00", "10:05:00"),
        entry("load", "success", 2, "10:10:00", "10:15:00"),
        name="tries.json",
    )
    assert is_airflow(now)
    assert is_airflow(tries)
    found = read_airflow([now, tries])
    assert short(found.rows) == [
        ("load", 1, "failed", []),
        ("load", 2, "succeeded", []),
        ("clean", None, "pending", []),
        ("fetch[4]", 1, "in_progress", []),
    ]
    assert said(found) == "rows that are there twice: counted once: try 2 of load in etl#r1"


def test_pages_that_are_missing_are_said(tmp_path: Path) -> None:
    found = read_airflow([listing(tmp_path, entry("load", "success", 1), total_entries=250)])
    assert "a listing is of 250 task instances, of which 1 are there: pages are missing" in said(found)


def test_tasks_of_another_dag_are_not_used(tmp_path: Path) -> None:
    rows = [line("load", "failed", 1, "10:00:00", "10:05:00"), line("clean", "upstream_failed", 0)]
    other = tasks_file(tmp_path, {"load": ["other"], "other": []})
    assert short(read_airflow([table(tmp_path, *rows), other]).rows)[1] == ("clean", None, "blocked", [])
    named = tasks_file(tmp_path, CHAIN, dag_id="billing")
    assert short(read_airflow([table(tmp_path, *rows), named]).rows)[1] == ("clean", None, "blocked", [])
    two = [tasks_file(tmp_path, CHAIN, "one.json"), tasks_file(tmp_path, {"load": [], "clean": []}, "two.json")]
    found = read_airflow([table(tmp_path, *rows), *two])
    assert short(found.rows)[1] == ("clean", None, "blocked", [])
    assert "several files of tasks fit DAG etl" in said(found)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"task_instances": {}}, "task_instances is an object, expected a list"),
        ({"task_instances": [7]}, "task_instances[0] is 7, expected an object"),
        ({"task_instances": [entry("a", "failed", 1) | {"try_number": True}]}, "task_instances[0].try_number is true"),
        ({"task_instances": [entry("a", "failed", 1) | {"dag_id": None}]}, "task_instances[0].dag_id is null"),
        ({"task_instances": [entry("a", "failed", 1) | {"task_id": "\ud800"}]}, "holds half a character"),
        ({"task_instances": [], "total_entries": "many"}, "total_entries is 'many'"),
        ({"tasks": [{"task_id": "a", "downstream_task_ids": ["a"]}]}, "tasks goes round in a circle"),
        ({"tasks": [{"task_id": "a", "downstream_task_ids": [1]}]}, "tasks[0].downstream_task_ids[0] is 1"),
        ({"tasks": [{"task_id": "a", "downstream_task_ids": []}, {}]}, "tasks[1].task_id is null"),
    ],
)
def test_malformed_listings(tmp_path: Path, document: Any, expected: str) -> None:
    path = tmp_path / "answer.json"
    path.write_text(json.dumps(document))
    with pytest.raises(ReadError) as caught:
        read_airflow([Opened(path)])
    assert expected in str(caught.value)


def test_what_is_not_airflows(tmp_path: Path) -> None:
    others = {
        "edges.csv": "dependency,dependent\na,b\n",
        "twice.csv": "dag_id,task_id,run_id,state,state,try_number\n",
        "empty.csv": "",
        "blank.csv": "\n \n",
        "jobs.json": '{"jobs": []}',
        "turbo.json": '{"tasks": [{"taskId": "a"}]}',
        "broken.json": '{"task_instances": [',
    }
    for name, text in others.items():
        path = tmp_path / name
        path.write_text(text)
        assert not is_airflow(Opened(path)), name
    with pytest.raises(ReadError, match="there is no such file"):
        is_airflow(Opened(tmp_path / "nowhere.csv"))


def test_damage_is_read_or_refused(tmp_path: Path) -> None:
    entries = [
        entry("load", "failed", 1, "10:00:00", "10:05:00"),
        entry("load", "up_for_retry", 2, "10:10:00", "10:15:00"),
        {**entry("fetch", "success", 1, "10:10:00", "10:15:00"), "map_index": 0},
        entry("clean", "upstream_failed", 0),
    ]
    instances, tasks = listing(tmp_path, *entries), tasks_file(tmp_path, CHAIN)
    for file in (instances, tasks):

        def read() -> None:
            read_airflow([Opened(instances), Opened(tasks)])

        good = file.document
        survives(good, Path(file), read, 150)
        Path(file).write_text(json.dumps(good))


def test_damaged_tables_are_read_or_refused(tmp_path: Path) -> None:
    rng = random.Random(4)
    rows = [line("load", "failed", 1, "10:00:00", "10:05:00"), line("clean", "upstream_failed", 0)]
    good = "\n".join([HEADER, *rows])
    refused = 0
    for _ in range(300):
        text = list(good)
        for _ in range(rng.randint(1, 4)):
            text[rng.randrange(len(text))] = rng.choice(['"', ",", "\n", "\0", "é", "", ";", "9", "-"])
        path = tmp_path / "task_instance.csv"
        path.write_text("".join(text), "utf-8")
        try:
            read_airflow([Opened(path)])
        except ReadError:
            refused += 1
    assert 0 < refused < 300


# ---------------------------------------------------------------------- databases

COLUMNS = {
    "task_instance": "dag_id VARCHAR, task_id VARCHAR, run_id VARCHAR, map_index INTEGER, start_date TIMESTAMP, "
    "end_date TIMESTAMP, duration FLOAT, state VARCHAR, try_number INTEGER, max_tries INTEGER, executor_config BLOB",
    "serialized_dag": "dag_id VARCHAR, data JSON, data_compressed BLOB, last_updated TIMESTAMP",
}
COLUMNS["task_instance_history"] = COLUMNS["task_instance"]
SERIALIZED = {
    "__version": 1,
    "dag": {
        "dag_id": "etl",
        "tasks": [
            {"__var": {"task_id": task, "downstream_task_ids": below}, "__type": "operator"}
            for task, below in CHAIN.items()
        ],
    },
}
STATEMENTS = [f"CREATE TABLE {name} ({columns})" for name, columns in COLUMNS.items()]
NOW = [
    ("load", "success", 1, "10:00:00.000001", "10:05:00.000000"),
    ("clean", "failed", 2, "10:10:00.000000", "10:11:00.000000"),
    ("report", "upstream_failed", 0, "10:11:00.000000", "10:11:00.000000"),
]
BEFORE = [("clean", "failed", 1, "10:05:00.000000", "10:06:00.000000")]
EXPECTED = [
    ("load", 1, "succeeded", []),
    ("clean", 1, "failed", []),
    ("clean", 2, "failed", []),
    ("report", None, "blocked", ["clean"]),
]
PICKLE = b"cos\nsystem\n(S'false'\ntR."


def values(rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return [
        ("etl", task, "r1", -1, DAY + start, DAY + end, 1.0, state, number, 2, PICKLE)
        for task, state, number, start, end in rows
    ]


def database(path: Path, data: Any = None, packed: Any = None) -> Path:
    with sqlite3.connect(path) as connection:
        for statement in STATEMENTS:
            connection.execute(statement)
        marks = ", ".join("?" * 11)
        connection.executemany(f"INSERT INTO task_instance VALUES ({marks})", values(NOW))
        connection.executemany(f"INSERT INTO task_instance_history VALUES ({marks})", values(BEFORE))
        connection.execute("INSERT INTO serialized_dag VALUES ('etl', ?, ?, '2026-01-01')", (data, packed))
    connection.close()
    return path


def test_a_sqlite_database_by_its_path_and_its_url(tmp_path: Path) -> None:
    path = database(tmp_path / "airflow.db", json.dumps(SERIALIZED))
    before = path.read_bytes()
    for name in (path, str(path), f"sqlite:///{path}"):
        assert is_airflow_database(name)
        found = read_airflow_database(name)
        assert short(found.rows) == EXPECTED
        assert said(found) == ""  # Airflow's own times are UTC
    assert path.read_bytes() == before
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["airflow.db"]


def test_a_dag_that_is_packed(tmp_path: Path) -> None:
    path = database(tmp_path / "airflow.db", None, zlib.compress(json.dumps(SERIALIZED).encode()))
    assert short(read_airflow_database(path).rows) == EXPECTED


def test_the_newest_dag_that_fits_the_run_counts(tmp_path: Path) -> None:
    path = database(tmp_path / "airflow.db", json.dumps(SERIALIZED))
    cut = {"dag": {"tasks": [{"task_id": "load", "downstream_task_ids": ["report"]}]}}
    with sqlite3.connect(path) as connection:  # a version without `clean`, which this run has
        connection.execute("INSERT INTO serialized_dag VALUES ('etl', ?, NULL, '2026-02-01')", (json.dumps(cut),))
    connection.close()
    assert short(read_airflow_database(path).rows) == EXPECTED


def test_an_older_database_has_fewer_tables(tmp_path: Path) -> None:
    path = database(tmp_path / "airflow.db")
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE task_instance_history")
        connection.execute("DROP TABLE serialized_dag")
        connection.execute("ALTER TABLE task_instance DROP COLUMN map_index")
    connection.close()
    found = read_airflow_database(path, RepoDependencyGraph.from_edges([("clean", "report")]))
    assert short(found.rows) == [EXPECTED[0], *EXPECTED[2:]]
    assert "task instances whose earlier tries" in said(found)


def test_what_is_no_database_of_airflows(tmp_path: Path) -> None:
    ledger = tmp_path / "runs.db"
    write_ledger(MemoryRunLedger(), ledger)
    assert not is_airflow_database(ledger)
    with pytest.raises(ReadError, match="has no table task_instance, expected a database of Airflow's"):
        read_airflow_database(ledger)
    text = tmp_path / "notes.db"
    text.write_text("notes")
    assert not is_airflow_database(text)
    assert not is_airflow_database(tmp_path / "nowhere.db")
    with pytest.raises(ReadError, match="is no SQLite file"):
        read_airflow_database(text)
    with pytest.raises(ReadError, match="there is no such file"):
        read_airflow_database(tmp_path / "nowhere.db")
    assert not (tmp_path / "nowhere.db").exists()
    with pytest.raises(ReadError, match="is no URL of SQLite, PostgreSQL or MySQL"):
        read_airflow_database("redis://host/0")
    assert not is_airflow_database("https://airflow.example/api")


@pytest.mark.parametrize(
    ("data", "packed", "expected"),
    [
        ("{", None, "serialized_dag of 'etl': is not JSON"),
        ("[]", None, "serialized_dag of 'etl' is a list, expected an object"),
        ("{}", None, "serialized_dag of 'etl': dag is null, expected an object"),
        ('{"dag": {"tasks": 7}}', None, "dag.tasks is 7, expected a list"),
        ('{"dag": {"tasks": [{"__var": 7}]}}', None, "dag.tasks[0] is 7, expected an object"),
        (None, b"no", "data_compressed is not what zlib packed"),
        (None, zlib.compress(b"{}")[:-1], "data_compressed breaks off"),
        (None, zlib.compress(b"\xff"), "is no UTF-8"),
        (None, "text", "data_compressed is 'text', expected bytes"),
    ],
)
def test_malformed_dags(tmp_path: Path, data: Any, packed: Any, expected: str) -> None:
    with pytest.raises(ReadError) as caught:
        read_airflow_database(database(tmp_path / "airflow.db", data, packed))
    assert expected in str(caught.value)


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from seqkit.importers import _airflow_database  # noqa: PLC0415

    monkeypatch.setattr(_airflow_database, "_LARGEST", 1000)
    with pytest.raises(ReadError, match="breaks off, or is of more than"):
        read_airflow_database(database(tmp_path / "airflow.db", None, zlib.compress(b" " * 1_000_000)))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("UPDATE task_instance SET state = 7 WHERE task_id = 'load'", "task_instance row 1: state is '7'"),
        ("UPDATE task_instance SET state = x'ff' WHERE task_id = 'load'", "task_instance row 1: state is b'\\xff'"),
        ("UPDATE task_instance SET try_number = 'x' WHERE task_id = 'load'", "row 1: try_number is 'x'"),
        ("UPDATE task_instance SET start_date = 7 WHERE task_id = 'load'", "row 1: start_date is 7, expected a time"),
        ("UPDATE task_instance SET state = CAST(x'ff' AS TEXT)", "cannot be read as Airflow's database"),
        ("ALTER TABLE task_instance DROP COLUMN dag_id", "table task_instance has no column dag_id"),
        ("ALTER TABLE task_instance DROP COLUMN run_id", "task_instance row 1: run_id is null"),
    ],
)
def test_malformed_tables_of_a_database(tmp_path: Path, change: str, expected: str) -> None:
    path = database(tmp_path / "airflow.db", json.dumps(SERIALIZED))
    with sqlite3.connect(path) as connection:
        connection.execute(change)
    connection.close()
    with pytest.raises(ReadError) as caught:
        read_airflow_database(path)
    assert expected in str(caught.value)


def test_a_table_that_is_a_query_without_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "airflow.db"
    with sqlite3.connect(path) as connection:
        connection.execute(
            "CREATE VIEW task_instance AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) "
            "SELECT x AS dag_id, x AS task_id, x AS run_id, x AS state, x AS try_number FROM n"
        )
    connection.close()
    with pytest.raises(ReadError, match="cannot be read as Airflow's database"):
        read_airflow_database(path)


SECRET = "s3cretPassw0rd"


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://kim:{SECRET}@127.0.0.1:1/airflow",
        f"postgresql://kim:{SECRET}@no-such-host.invalid/airflow",
        f"postgresql://kim:{SECRET}@127.0.0.1:1/airflow?connect_timeout=x",
        f"postgresql://kim@127.0.0.1:1/airflow?password={SECRET}",
        f"postgresql://kim:{SECRET}@h@x/airflow",
        f"postgresql:/kim:{SECRET}@host/airflow",
        f"mysql+nosuch://kim:{SECRET}@127.0.0.1:1/airflow",
        f"mysql://kim:{SECRET}@127.0.0.1:x/airflow",
        f"oracle://kim:{SECRET}@host/airflow",
    ],
)
@pytest.mark.parametrize("ask", [read_airflow_database, is_airflow_database])
def test_no_password_is_in_any_message(url: str, ask: Any, request: pytest.FixtureRequest) -> None:
    if url.startswith("postgresql://"):
        pytest.importorskip("psycopg")
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            assert ask(url) in (True, False)  # of MySQL and of what is no database nobody is asked
        except ReadError as error:
            told = "".join(traceback.format_exception(error)) + repr(error) + repr(error.__cause__) + str(error.args)
        else:
            assert ask is is_airflow_database
            assert not url.startswith("postgresql://")
            told = ""
    assert SECRET not in told + "".join(str(warning.message) for warning in warned)


def test_what_a_driver_says_is_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    from seqkit.importers import _airflow_database as module  # noqa: PLC0415

    class Loud:
        class dialect:
            name = "mysql"

        def connect(self) -> Any:
            raise RuntimeError(f"cannot log in as kim with {SECRET}")

        def dispose(self) -> None:
            pass

    monkeypatch.setattr(module.sa, "create_engine", lambda *_, **__: Loud())
    with pytest.raises(ReadError) as caught:
        read_airflow_database(f"mysql+pymysql://kim:{SECRET}@host/airflow")
    assert "cannot log in as *** with ***" in str(caught.value)
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_a_driver_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from seqkit.importers import _airflow_database as module  # noqa: PLC0415

    def missing(*_: Any, **__: Any) -> Any:
        raise ModuleNotFoundError("No module named 'MySQLdb'")

    monkeypatch.setattr(module.sa, "create_engine", missing)
    with pytest.raises(ImportError, match="reading MySQL needs a driver that cannot be imported") as caught:
        read_airflow_database(f"mysql://kim:{SECRET}@host/airflow")
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_a_postgresql_database(postgres: Any) -> None:
    url = postgres.fresh()
    schema = url.rpartition("search_path%3D")[2]
    assert not is_airflow_database(url)
    statements = [
        f"CREATE TABLE {schema}.{name} ({columns.replace('TIMESTAMP', 'TIMESTAMPTZ').replace('BLOB', 'BYTEA')})"
        for name, columns in COLUMNS.items()
    ]
    for name, rows in (("task_instance", NOW), ("task_instance_history", BEFORE)):
        for dag, task, run, index, start, end, _, state, number, *_ in values(rows):
            told = f"'{dag}', '{task}', '{run}', {index}, '{start}+00', '{end}+00', 1, '{state}', {number}, 2, NULL"
            statements.append(f"INSERT INTO {schema}.{name} VALUES ({told})")
    statements.append(f"INSERT INTO {schema}.serialized_dag VALUES ('etl', '{json.dumps(SERIALIZED)}', NULL, now())")
    postgres.execute(*statements)
    assert is_airflow_database(url)
    found = read_airflow_database(url)
    assert short(found.rows) == EXPECTED
    assert str(found.rows[0].started_at) == "2026-01-05 10:00:00.000001+00:00"


def test_the_importer_is_in_the_table() -> None:
    from seqkit.importers.formats import FORMATS  # noqa: PLC0415

    assert next(row for row in FORMATS if row.name == "airflow").read is airflow.read_airflow


def test_fields_may_hold_separators(tmp_path: Path) -> None:
    path = tmp_path / "task_instance.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*HEADER.split(","), "rendered_map_index"])
        writer.writerow([*line("load", "success", 1, "10:00:00", "10:05:00").split(","), 'a "b",\nc'])
        writer.writerow([*line("clean", "unheard of", 1).split(","), ""])
    with pytest.raises(ReadError, match=r"task_instance\.csv, line 4: state is 'unheard of'"):
        read_airflow([Opened(path)])
