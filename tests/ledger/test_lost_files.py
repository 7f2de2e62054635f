"""A ledger's file that goes away while it is written to is an error; a run that is wholly recorded is none."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from seqkit import Backend, RepoDependencyGraph, audit, build_plan, open_ledger, read_ledger, run_plan
from seqkit.ledger import SqlRunLedger
from seqkit.running.releasers import SimulatedReleaser

PLAN = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("api", "app")]), version="1.0")


def delete(path: Path) -> None:
    for end in ("", "-wal", "-shm"):
        os.unlink(f"{path}{end}")


def replace_by_another(path: Path) -> None:
    other = path.with_name("other.db")
    with open_ledger(other) as ledger:
        run_plan(PLAN, 0.0, ledger)
    os.replace(other, path)


def copy_over(path: Path) -> None:
    shutil.copy(path, path.with_name("copied.db"))
    os.replace(path.with_name("copied.db"), path)


def make_anew(path: Path) -> None:
    delete(path)
    sqlite3.connect(path).close()
    with open_ledger(path) as ledger:
        run_plan(PLAN, 0.0, ledger)


LOSSES: dict[str, tuple[Callable[[Path], object], str]] = {
    "deleted": (delete, r"runs\.db was deleted or moved away"),
    "the database alone deleted": (os.unlink, r"runs\.db was deleted or moved away"),
    "the log alone deleted": (lambda path: os.unlink(f"{path}-wal"), r"runs\.db-wal was deleted or moved away"),
    "moved away": (lambda path: path.rename(path.with_name("moved.db")), r"runs\.db was deleted or moved away"),
    "its folder moved": (lambda path: path.parent.rename(path.parent.with_name("m")), r"runs\.db was deleted or moved"),
    "its folder removed": (lambda path: shutil.rmtree(path.parent), r"runs\.db was deleted or moved away"),
    "replaced by another": (replace_by_another, r"runs\.db was replaced by another file"),
    "replaced by its copy": (copy_over, r"runs\.db was replaced by another file"),
    "made anew": (make_anew, r"runs\.db was replaced by another file"),
    "a file in place of the folder": (
        lambda path: (path.parent.rename(path.parent.with_name("m")), path.parent.touch()),
        r"runs\.db was deleted or moved away",
    ),
}


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("at", ["core", "app"])
def test_a_file_that_goes_away_during_a_run(tmp_path: Path, loss: str, at: str) -> None:
    lose, told = LOSSES[loss]
    (tmp_path / "at").mkdir()
    path = tmp_path / "at" / "runs.db"

    def release(repo: str, *_: Any) -> str:
        if repo == at:
            lose(path)
        return f"run-{repo}"

    with open_ledger(path) as ledger, pytest.raises(Backend, match=told) as raised:
        run_plan(PLAN, release, ledger)
    assert "may be lost" in str(raised.value)
    outcome: Any = raised.value.outcome
    assert outcome.succeeded[-1] == at, "what happened is not lost"


@pytest.mark.parametrize("loss", LOSSES)
def test_a_file_that_went_away_between_two_runs(tmp_path: Path, loss: str) -> None:
    lose, told = LOSSES[loss]
    (tmp_path / "at").mkdir()
    path = tmp_path / "at" / "runs.db"
    tried: list[str] = []
    with open_ledger(path) as ledger:
        run_plan(PLAN, 0.0, ledger)
        lose(path)
        with pytest.raises(Backend, match=told):
            run_plan(PLAN, lambda repo, *_: tried.append(repo) or "x", ledger)
        assert tried == []


def test_one_that_goes_away_after_the_last_event(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    last = 2 * len(PLAN.items)
    with open_ledger(path) as ledger, pytest.raises(Backend, match="was deleted or moved away"):
        run_plan(PLAN, 0.0, ledger, on_event=lambda event: delete(path) if event.seq == last else None)


def test_a_database_in_memory_has_no_file() -> None:
    with SqlRunLedger("sqlite://") as ledger:
        assert len(run_plan(PLAN, 0.0, ledger).succeeded) == 3


def test_other_work_on_the_file_is_no_loss(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    with open_ledger(path) as ledger:
        for number in range(3):
            run_plan(PLAN, 0.0, ledger)
            read_ledger(path)
            with open_ledger(path) as other:
                run_plan(PLAN, 0.0, other)
            path.chmod(0o640)
            os.utime(path)
            with contextlib.closing(sqlite3.connect(path)) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            assert len(ledger.list_runs()) == 2 * number + 2
        ledger.engine.dispose()
        run_plan(PLAN, 0.0, ledger)
    assert audit(path).ok


# ---------------------------------------------------------------------- what is recorded is recorded


@pytest.mark.parametrize("failing", ["database or disk is full", "disk I/O error", "database is locked"])
def test_the_checkpoint_is_a_courtesy(tmp_path: Path, failing: str) -> None:
    path = tmp_path / "runs.db"
    asked = []
    with open_ledger(path) as ledger:

        @sa.event.listens_for(ledger.engine, "before_cursor_execute")
        def fail(*arguments: Any) -> None:
            if "wal_checkpoint" in arguments[2]:
                asked.append(arguments[2])
                raise sa.exc.OperationalError("", None, sqlite3.OperationalError(failing))

        for releaser in (0.0, SimulatedReleaser({"core": 1.0}, rng=1)):
            assert run_plan(PLAN, releaser, ledger).run_id
        assert len(asked) == 2
    assert [run.status.value for run in read_ledger(path).list_runs()] == ["COMPLETED", "FAILED"]
    assert audit(path).ok


def test_a_disk_that_is_full_for_the_database_and_not_for_its_log(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    path = tmp_path / "runs.db"
    with open_ledger(path) as ledger:
        for _ in range(20):
            run_plan(PLAN, lambda *_: "x" * 9000, ledger)
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        # The log begins anew and is small; the database would have to grow beyond what a file may have.
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size, before[1]))
        try:
            outcome = run_plan(PLAN, lambda *_: "x" * 9000, ledger)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert len(outcome.succeeded) == 3
    assert audit(path).ok
    assert len(read_ledger(path).runs) == 21
