"""Paths and URLs of ledgers: what is understood, what is refused, and that nothing secret in them is ever shown."""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import subprocess
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

import seqkit
from seqkit import (
    MemoryRunLedger,
    RepoDependencyGraph,
    SqlRunLedger,
    audit,
    blockers,
    build_plan,
    close_run,
    events_frame,
    items_frame,
    load_dataset,
    open_ledger,
    plots,
    read_graph,
    read_ledger,
    replay,
    resume_plan,
    run_plan,
    runs_frame,
    trains_frame,
    write_ledger,
)
from seqkit.__main__ import main
from seqkit._util.secrets import as_given, secrets_in, shown, shown_id
from seqkit.explore.browse import Browser
from seqkit.ledger import read_ledgers

S = "s3cret"
PLAN = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs")]), version="1.0")
GOOD = f"postgresql://kim:{S}@127.0.0.1:1/db"

# Wrong in every way that people are wrong; none of them may take its password anywhere.
WRONG = [
    GOOD,
    f"postgresql://kim:a@{S}@127.0.0.1:1/db",
    f"postgresql://kim@corp:{S}@127.0.0.1:1/db",
    f"postgresql://kim:a/{S}@127.0.0.1:1/db",
    f"postgresql://kim:a?{S}@127.0.0.1:1/db",
    f"postgresql://kim:a#{S}@127.0.0.1:1/db",
    f"postgresql://kim:a:{S}@127.0.0.1:1/db",
    f"postgresql://kim:a {S}@127.0.0.1:1/db",
    f"postgresql://kim:{S}%40x@127.0.0.1:1/db",
    f"postgresql://kim:{S}%zz@127.0.0.1:1/db",
    f"postgresql://kim%3A{S}@127.0.0.1:1/db",
    f"postgresql://kim:{S}",
    f"postgresql://kim:{S}/db",
    f"postgresql://127.0.0.1:1/kim:{S}@db",
    f" {GOOD}",
    f"{GOOD} ",
    f"{GOOD}\n",
    f"\t{GOOD}",
    f"'{GOOD}'",
    f"<{GOOD}>",
    f"DATABASE_URL={GOOD}",
    f"jdbc:{GOOD}",
    f"postgresql:/kim:{S}@127.0.0.1:1/db",
    f"postgresql:kim:{S}@127.0.0.1:1/db",
    f"postgresql:///kim:{S}@127.0.0.1:1/db",
    f"postgresql//kim:{S}@127.0.0.1:1/db",
    f"postgresql:\\\\kim:{S}@127.0.0.1:1/db",
    f"//kim:{S}@127.0.0.1:1/db",
    f"kim:{S}@127.0.0.1:1/db",
    f"POSTGRESQL://kim:{S}@127.0.0.1:1/db",
    f"Postgres://kim:{S}@127.0.0.1:1/db",
    f"PostgreSQL:/kim:{S}@127.0.0.1:1/db",
    f"postgresql+asyncpg://kim:{S}@127.0.0.1:1/db",
    f"postgresql+psycopg2://kim:{S}@127.0.0.1:1/db",
    f"mysql://kim:{S}@127.0.0.1:1/db",
    f"mysql:/kim:{S}@127.0.0.1:1/db",
    f"https://{S}@example.invalid/runs.db",
    f"sqlite://kim:{S}@127.0.0.1/runs.db",
    f"sqlite:///runs.db?password={S}",
    f"sqlite:///postgresql://kim:{S}@127.0.0.1:1/db",
    f"sqlite:////postgresql://kim:{S}@127.0.0.1:1/db",
    f"sqlite:///runs.db?key={S}",
    *(
        f"postgresql://127.0.0.1:1/db?{query}"
        for query in (
            f"user=kim&passwd={S}",
            f"user=kim&password={S}",
            f"user=kim&PASSWORD={S}",
            f"user=kim&sslpassword={S}&sslmode={S}",
            f"user=kim&pwd={S}",
            f"user=kim&token={S}",
            f"user=kim:{S}",
            f"user=kim%3A{S}",
            f"user=kim&password=a&{S}",
            f"user=kim&password=a&{S}=1",
            f"user=kim&password=a@{S}",
            f"host=kim:{S}@127.0.0.1",
            f"host=kim%40{S}",
            f"port=1;{S}",
            f"connect_timeout=x{S}!",
            f"options=-c%20x={S}",
            f"password={S}&password={S}",
        )
    ),
    f"host=127.0.0.1 port=1 user=kim password={S}",
    f"host=127.0.0.1 port=1 user=kim password='a {S}'",
]

# Where a ledger is expected, and where anything else is.
LEDGERS: dict[str, Callable[[Any], object]] = {
    "read_ledger": read_ledger,
    "read_ledger, skip": lambda url: read_ledger(url, "skip"),
    "open_ledger": open_ledger,
    "SqlRunLedger": SqlRunLedger,
    "run_plan": lambda url: run_plan(PLAN, 0.0, url),
    "audit": audit,
    "runs_frame": runs_frame,
    "items_frame": items_frame,
    "resume_plan": lambda url: resume_plan(url, "run"),
    "close_run": lambda url: close_run(url, "run", "dead"),
    "Browser": Browser,
    "the command runs": lambda url: main(["runs", url]),
}
PLACES: dict[str, Callable[[Any], object]] = {
    "read_ledgers, alone": read_ledgers,
    "read_ledgers": lambda url: read_ledgers([url]),
    "read_ledger of a list": lambda url: read_ledger([url]),  # type: ignore[arg-type]
    "write_ledger from": lambda url: write_ledger(url, "x.jsonl"),
    "write_ledger to": lambda url: write_ledger(MemoryRunLedger(), url),
    "write_ledger to *.db": lambda url: write_ledger(MemoryRunLedger(), f"{url}.db"),
    "write_ledger to *.jsonl": lambda url: write_ledger(MemoryRunLedger(), f"{url}.jsonl"),
    "read_graph": read_graph,
    "read_graph of *.csv": lambda url: read_graph(f"{url}.csv"),
    "read_graph, format": lambda url: read_graph("x.csv", url),
    "load_dataset": load_dataset,
    "graph of audit": lambda url: audit(MemoryRunLedger(), graph=url),
    "graph of blockers": lambda url: blockers(MemoryRunLedger(), graph=url),
    "run_id of audit": lambda url: audit(MemoryRunLedger(), url),
    "run_id of events_frame": lambda url: events_frame(MemoryRunLedger(), url),
    "run_id of replay": lambda url: replay(MemoryRunLedger(), url),
    "to_html": lambda url: audit(MemoryRunLedger()).to_html(url),
    "plan": lambda url: run_plan(url, 0.0),
    "releaser": lambda url: run_plan(PLAN, url),
    "a list of ledgers": lambda url: runs_frame([url]),  # type: ignore[arg-type]
    "a dict": lambda url: run_plan({"plan": url}, 0.0),  # type: ignore[arg-type]
    "a repo": lambda url: PLAN.graph.transitive_dependents_of(url),
    "timeline": plots.timeline,
    "audit --json": lambda url: main(["audit", "there.jsonl", "--json", url]),
    "audit --html": lambda url: main(["audit", "there.jsonl", f"--html={url}"]),
    "audit --graph": lambda url: main(["audit", "there.jsonl", "--graph", url]),
    "simulate": lambda url: main(["simulate", url]),
    "simulate --csv": lambda url: main(["simulate", "chain_or_hub", "--csv", url]),
    "simulate --json": lambda url: main(["simulate", "chain_or_hub", "--json", url]),
    "simulate --trials": lambda url: main(["simulate", "chain_or_hub", "--trials", url]),
    "convert to": lambda url: main(["convert", "there.jsonl", url]),
    "convert to *.db": lambda url: main(["convert", "there.jsonl", f"{url}.db"]),
    "show RUN": lambda url: main(["show", "there.jsonl", url]),
    "resume --output": lambda url: main(["resume", "there.jsonl", "r", "--output", url]),
    "one word too many": lambda url: main(["runs", "there.jsonl", url]),
    "no such option": lambda url: main(["runs", "there.jsonl", f"--password={url}"]),
    "no such command": lambda url: main([url]),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_ledger(MemoryRunLedger(), "there.jsonl")
    return tmp_path


def all_that_is_said(call: Callable[[Any], object], given: object, caplog: Any, capsys: Any) -> str:
    """Everything that anybody could read of a call: the printed traceback, reprs, warnings, logs, output."""
    said = ""
    with warnings.catch_warnings(record=True) as seen, caplog.at_level(logging.DEBUG):
        warnings.simplefilter("always")
        try:
            made = call(given)
            said += repr(made)
            if isinstance(made, SqlRunLedger):
                said += f"{made.source}{made.engine!r}{made.engine.url!r}{made._repr_html_()}"
        except BaseException as error:
            if not isinstance(error, seqkit.SeqkitError | ValueError | TypeError | OSError):
                raise
            lines = traceback.TracebackException.from_exception(error).format()
            # The source lines are the test's and seqkit's own.
            said += "".join(line for line in lines if not line.startswith("  File"))
            said += f"{error!r}{error}{getattr(error, '__notes__', '')}{getattr(error, 'path', '')}"
            said += str(getattr(error, "filename", ""))
    said += "".join(str(warning.message) for warning in seen) + caplog.text
    return said + "".join(capsys.readouterr())


@pytest.mark.parametrize("name", LEDGERS)
def test_no_password_of_a_ledgers_url_is_shown(name: str, folder: Path, caplog: Any, capsys: Any) -> None:
    for url in WRONG:
        for given in (url, Path(url)):
            if isinstance(given, Path) and name.startswith("the command"):
                continue
            assert S not in all_that_is_said(LEDGERS[name], given, caplog, capsys), url


@pytest.mark.parametrize("name", PLACES)
def test_no_password_is_shown_where_a_url_is_not_expected(name: str, folder: Path, caplog: Any, capsys: Any) -> None:
    for url in WRONG:
        assert S not in all_that_is_said(PLACES[name], url, caplog, capsys), url


def test_what_may_be_a_part_of_a_password_is_not_looked_up(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    asked: list[dict[str, Any]] = []

    def connect(*_: Any, **given: Any) -> None:
        asked.append(given)
        raise psycopg.OperationalError(f"connection to server failed: {given}")

    monkeypatch.setattr(psycopg, "connect", connect)
    for url in WRONG:
        for call in LEDGERS.values():
            with contextlib.suppress(seqkit.SeqkitError, ValueError, TypeError):
                call(url)
    assert asked
    assert {given.get("host") for given in asked} == {"127.0.0.1"}


def test_what_the_driver_says_is_cleaned_and_its_own_error_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*_: Any, **given: Any) -> None:
        raise psycopg.OperationalError(f"the server says: {given}")

    monkeypatch.setattr(psycopg, "connect", connect)
    with pytest.raises(seqkit.Backend, match=r"'password': '\*\*\*'") as raised:
        SqlRunLedger("postgresql://kim:p%40ss%3Aw@127.0.0.1:1/db")
    assert "p@ss:w" not in "".join(traceback.format_exception(raised.value))
    with pytest.raises(seqkit.Backend) as plain:
        SqlRunLedger("postgresql://kim@127.0.0.1:1/db")
    assert plain.value.__cause__ is not None, "what has nothing secret in it is there to be read"


def test_an_engine_shows_nothing_secret() -> None:
    from seqkit.ledger.sql.store import make_engine  # noqa: PLC0415

    engine = make_engine(f"postgresql://kim:{S}@127.0.0.1:1/db?sslpassword={S}&options=-cx%3D{S}", False)
    assert S not in f"{engine!r}{engine.url!r}{engine.url.render_as_string(hide_password=False)}{engine.pool!r}"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("runs.db", "runs.db"),
        ("/srv/10:30/runs.db", "/srv/10:30/runs.db"),
        ("C:\\runs\\a:b@c.db", "C:\\runs\\a:b@c.db"),
        ("npm:lodash@4.17.21", "npm:***@4.17.21"),
        ("sqlite:///a:b@c.db", "sqlite:///a:b@c.db"),
        ("sqlite:////srv/runs.db?mode=ro&timeout=2", "sqlite:////srv/runs.db?mode=ro&timeout=2"),
        ("postgresql://host:5432/db", "postgresql://host:5432/db"),
        ("postgresql://kim:x@[::1]:5432/db", "postgresql://kim:***@[::1]:5432/db"),
        ("postgresql://kim@/db?host=/var/run&sslmode=require", "postgresql://kim@/db?host=/var/run&sslmode=require"),
        ("postgresql:/kim:x@host/db", "postgresql:/***"),
        ("git+ssh://git@example.org/core", "git+ssh://git@example.org/core"),
        ("https://token@example.org/core", "https://***@example.org/core"),
    ],
)
def test_how_paths_and_urls_are_shown(name: str, expected: str) -> None:
    assert shown(name) == expected


def test_ids_are_shown_as_they_are() -> None:
    for repo in ("npm:lodash@4.17.21", "@babel/core", "pkg:npm/left-pad@1.0", "org.slf4j:api@2", "git@host:a/b"):
        assert shown_id(repo) == repo
    assert as_given({"core": 0.5}) == "{'core': 0.5}"
    assert secrets_in("runs.db") == ()


@pytest.mark.parametrize("word", ["x" * 200_000, "a.b-" * 50_000, "my_token" * 25_000, "x/" * 100_000])
def test_a_long_id_is_looked_through_once(word: str) -> None:
    assert shown_id(word) == word  # in the square of its length that would take hours
    assert shown_id(f"{word}_token = s3cret") == f"{word}_token = ***"


# ---------------------------------------------------------------------- SQLite's URLs

REFUSED = [
    ("sqlite://runs.db", r"two slashes, expected three.*sqlite:///runs\.db"),
    ("sqlite://./runs.db", "two slashes"),
    ("sqlite:/runs.db", "lacks slashes, expected sqlite://"),
    ("sqlite:runs.db", "lacks slashes"),
    (Path("sqlite:///runs.db"), "takes slashes away"),
    (" sqlite:///runs.db", "space or the end of a line"),
    ("sqlite:///runs.db\n", "space or the end of a line"),
    ("sqlite:///runs.db?uri=true", "no file: before its path"),
    ("sqlite:///runs.db?mode=memory", r"mode='memory', expected ro"),
    ("sqlite:///runs.db?mode=RO", "expected ro"),
    ("sqlite:///runs.db?mode=", "expected ro"),
    ("sqlite:///runs.db?mode", "expected ro"),
    ("sqlite:///runs.db?mode=ro&mode=rw", "twice"),
    ("sqlite:///runs.db?timeout=soon", "how many seconds"),
    ("sqlite:///runs.db?timeout=-1", "how many seconds"),
    ("sqlite:///runs.db?timeout=nan", "how many seconds"),
    ("sqlite:///runs.db?immutable=1", "mode=ro instead"),
    ("sqlite:///runs.db?cache=shared", "connections of seqkit share nothing"),
    ("sqlite:///runs.db?nolock=1", "others would write over"),
    ("sqlite:///runs.db?check_same_thread=false", "does not know .number 1"),
    ("sqlite:///runs.db?mode=ro&isolation_level=x", "does not know .number 2"),
    ("sqlite:///runs.db?mdoe=ro", "does not know"),
    ("sqlite:///?mode=ro", "in memory"),
    ("sqlite://?mode=ro", "in memory"),
    ("sqlite:///:memory:?timeout=2", "in memory"),
    ("sqlite:///file::memory:?uri=true", "in memory"),
    ("sqlite:///file:?uri=true", "in memory"),
    ("sqlite:///file://host/runs.db?uri=true", "host in it"),
    ("", "it is empty; expected a path"),
    ("a\0.db", "holds a NUL"),
    ("a\0", "holds a NUL"),
    ("sqlite:///a\0.db", "holds a NUL"),
    ("a\ud800.db", "half a character"),
    ("sqlite:///a\ud800.db", "half a character"),
]
UNKNOWN = ["sqlite+aiosqlite:///runs.db", "sqlite+pysqlcipher:///runs.db", "postgresql+asyncpg://h/db", "mysql://h/db"]


@pytest.mark.parametrize(("url", "why"), REFUSED, ids=lambda value: ascii(str(value)))
def test_what_is_not_understood_is_refused_by_all(url: Any, why: str, folder: Path, capsys: Any) -> None:
    for name in ("read_ledger", "audit", "runs_frame", "items_frame", "resume_plan", "Browser"):
        with pytest.raises(seqkit.ReadError, match=why) as raised:
            LEDGERS[name](url)
        assert "path_or_url" in str(raised.value) or "the argument ledger" in str(raised.value)
    for name, argument in (("open_ledger", "path_or_url"), ("SqlRunLedger", "url"), ("run_plan", "ledger")):
        with pytest.raises(ValueError, match=rf"^{argument} is .*{why}"):
            LEDGERS[name](url)
    if "\0" not in str(url):
        assert main(["runs", str(url)]) == 2
        assert "Traceback" not in capsys.readouterr().err
    assert os.listdir() == ["there.jsonl"], "nothing is made"


@pytest.mark.parametrize("url", UNKNOWN)
def test_other_databases_are_refused_by_all(url: str, folder: Path) -> None:
    for call in LEDGERS.values():
        with contextlib.suppress(seqkit.ReadError, ValueError):
            assert call(url) == 2, url
    with pytest.raises(ValueError, match=r"expected a path, or a URL such as sqlite:///runs\.db"):
        open_ledger(url)
    assert os.listdir() == ["there.jsonl"]


@pytest.fixture
def runs(folder: Path) -> Path:
    run_plan(PLAN, 0.0, "runs.db", rng=1)
    return folder / "runs.db"


def test_what_is_understood_is_used(runs: Path) -> None:
    for url in (
        "sqlite:///runs.db",
        f"sqlite:///{runs}",
        "SQLite:///runs.db",
        "sqlite+pysqlite:///runs.db",
        "sqlite:///file:runs.db?uri=true",
        f"sqlite:///file:{runs}?uri=true&mode=ro",
        f"sqlite:///file://{runs}?uri=true",
        f"sqlite:///file://localhost{runs}",
        "sqlite:///runs.db?mode=ro",
        "sqlite:///runs.db?mode=rw&timeout=3",
        "sqlite:///runs.db?",
        "sqlite:///runs.db?vfs=unix",
    ):
        assert len(read_ledger(url).runs) == len(runs_frame(url)) == 1, url
        assert audit(url).ok
        with open_ledger(url) as ledger:
            assert len(ledger.list_runs()) == 1
    assert main(["runs", "sqlite:///runs.db?mode=ro"]) == 0
    assert {name.partition(".db")[0] for name in os.listdir()} == {"runs", "there.jsonl"}


def test_a_ledger_opened_with_mode_ro_is_not_written_to(runs: Path) -> None:
    for url in ("sqlite:///runs.db?mode=ro", "sqlite:///file:runs.db?uri=true&mode=ro"):
        with pytest.raises(seqkit.Backend, match="readonly"):
            run_plan(PLAN, 0.0, url, rng=1)
    assert len(runs_frame("runs.db")) == 1
    for mode in ("ro", "rw"):
        with pytest.raises(seqkit.Backend, match="unable to open"):
            run_plan(PLAN, 0.0, f"sqlite:///new.db?mode={mode}", rng=1)
    run_plan(PLAN, 0.0, "sqlite:///runs.db?mode=rw", rng=1)
    assert len(runs_frame("runs.db")) == 2
    assert not Path("new.db").exists()


@pytest.mark.parametrize(
    "url", ["new.db", "sqlite:///new.db", "sqlite:///file:new.db?uri=true", "sqlite:///new.db?mode=rw"]
)
def test_reading_makes_no_file(url: str, folder: Path) -> None:
    for call in (read_ledger, audit, runs_frame, events_frame, items_frame, trains_frame, blockers, Browser):
        with pytest.raises(seqkit.ReadError, match=r"there is no such file|no such ledger file"):
            call(url)
    with pytest.raises(seqkit.ReadError):
        close_run(url, "run", "dead")
    assert os.listdir() == ["there.jsonl"]


@pytest.mark.parametrize("url", ["sqlite:///runs.db?timeout=0", "sqlite:///runs.db?mode=rw&timeout=0.01"])
def test_a_timeout_is_kept_to(url: str, runs: Path) -> None:
    with exclusively(runs):
        with pytest.raises(seqkit.Backend, match="locked"):
            run_plan(PLAN, 0.0, url)
        with pytest.raises(seqkit.ReadError, match="locked"):
            read_ledger(url)
        with pytest.raises(seqkit.Backend, match="locked"):
            runs_frame(url)


@contextlib.contextmanager
def exclusively(path: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")  # beside a write-ahead log, whoever reads is not kept out
        connection.execute("BEGIN EXCLUSIVE")
        yield connection


def test_a_log_that_somebody_keeps_to_himself_does_not_keep_readers_out(runs: Path) -> None:
    with contextlib.closing(sqlite3.connect(runs, isolation_level=None)) as connection:
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        connection.execute("BEGIN EXCLUSIVE")
        assert len(read_ledger(runs).list_runs()) == 1
        assert len(runs_frame(f"sqlite:///{runs}?timeout=0")) == 1


def test_a_locked_ledger_is_said_to_be_locked_and_is_there_once_it_is_free(runs: Path) -> None:
    with exclusively(runs):
        browser = Browser(runs)
        assert "locked" in browser.problem
        assert browser.run_ids == []
        browser.refresh()
        assert "locked" in browser.problem
    browser.refresh()
    assert not browser.problem
    assert len(browser.run_ids) == 1
    with exclusively(runs):
        browser.refresh()
        assert "locked" in browser.problem
    with contextlib.closing(sqlite3.connect(runs, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")  # somebody writes: that is no reason not to read
        browser.refresh()
        assert not browser.problem
        assert browser.runs(0)["succeeded"].tolist() == [3]
    browser.close()


# ---------------------------------------------------------------------- descriptors

_MANY = """
import gc, os, resource, sys, warnings
warnings.simplefilter("ignore")
import matplotlib; matplotlib.use("Agg")
import matplotlib.pyplot as plt
import seqkit
from seqkit import *
from seqkit import plots
from seqkit.explore.browse import Browser
path = sys.argv[1]
plan = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs")]), version="1.0")
[run] = runs_frame(path)["run_id"]
outcome = run_plan(plan, {"core": 1.0}, path, rng=1)
kept = []
calls = {
    "runs_frame": lambda: runs_frame(path), "events_frame": lambda: events_frame(path),
    "items_frame": lambda: items_frame(path), "trains_frame": lambda: trains_frame(path),
    "fixes_frame": lambda: fixes_frame(path), "blockers": lambda: blockers(path),
    "resume_plan": lambda: resume_plan(path, outcome.run_id), "replay": lambda: replay(path, run),
    "fit_failure_rates": lambda: fit_failure_rates(path), "audit": lambda: audit(path),
    "read_ledger": lambda: read_ledger(path), "write_ledger": lambda: write_ledger(path, path + ".jsonl"),
    "run_plan": lambda: kept.append(run_plan(plan, 0.0, path, rng=1)),
    "outcome.ledger": lambda: run_plan(plan, 0.0, path, rng=1).ledger.list_runs(),
    "ReleaseSequencer": lambda: ReleaseSequencer(plan.graph, path),
    "open_ledger": lambda: open_ledger(path),
    "Browser": lambda: kept.append(Browser(path)),
    "history": lambda: (plots.history(path), plt.close("all")),
    "timeline": lambda: (plots.timeline(path, run), plt.close("all")),
}
calls["history"](); calls["timeline"]()
gc.collect()
gc.disable()
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
for name, call in calls.items():
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(int(sys.argv[2])):
        call()
    after = len(os.listdir("/proc/self/fd"))
    assert after <= before + 2, f"{name}: {before} descriptors before, {after} after"
assert len(kept[0].ledger.list_runs()) > 1  # it can still be asked
print("held")
"""


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts descriptors where the system lists them")
@pytest.mark.parametrize("times", [3, pytest.param(100, marks=pytest.mark.slow)])
def test_what_a_call_opened_is_closed_when_it_ends(runs: Path, times: int) -> None:
    done = subprocess.run(  # our own interpreter and code; a process, as the limit is one of the process
        [sys.executable, "-c", _MANY, str(runs), str(times)],
        capture_output=True,
        text=True,
        cwd=Path(seqkit.__file__).parents[1],
        check=False,
    )
    assert done.stdout == "held\n", done.stderr[-2000:]


def test_a_ledger_in_memory_outlives_the_run() -> None:
    outcome = run_plan(PLAN, 0.0, "sqlite://", rng=1)
    assert outcome.ledger is not None
    assert len(outcome.ledger.list_runs()) == 1


@pytest.mark.parametrize("name", ["a\0.db", "a\0.jsonl", "a\ud800.db", "a\ud800.jsonl.gz", ""])
def test_what_no_file_can_be_called_is_refused_by_name(name: str, folder: Path) -> None:
    with pytest.raises(ValueError, match=r"^path is .*no name of a file: it (?:holds|is empty)"):
        write_ledger(MemoryRunLedger(), name)
    assert os.listdir() == ["there.jsonl"]


def test_names_of_files_that_are_no_utf8_are_names(folder: Path) -> None:
    for name in (os.fsdecode(b"a\xff.db"), os.fsdecode(b"a\xff.jsonl")):
        write_ledger(MemoryRunLedger(), name)
        assert read_ledger(name).runs == ()
        assert len(runs_frame(name)) == 0
    run_plan(PLAN, 0.0, os.fsdecode(b"a\xff.db"), rng=1)
    assert audit(os.fsdecode(b"a\xff.db")).ok
