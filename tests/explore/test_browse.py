"""Browsing a ledger without a browser: lists, filters, pages, one run, two runs, broken records."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqkit import (
    MemoryRunLedger,
    RepoDependencyGraph,
    RunEvent,
    ScriptedReleaser,
    SqlRunLedger,
    audit,
    build_plan,
    events_frame,
    items_frame,
    ledger_from_frame,
    load_dataset,
    open_ledger,
    resume_plan,
    run_plan,
    runs_frame,
    trains_frame,
)
from seqkit._show.times import time_text
from seqkit.core.model import RunStatus
from seqkit.errors import ReadError, RunNotFound, StorageError
from seqkit.explore.browse import Browser
from seqkit.explore.filters import SEARCHED
from seqkit.explore.run_diff import WORDS, diff_runs, words_of
from seqkit.ledger import write_ledger
from seqkit.ledger.found import FoundLedger, FoundRun
from tests.auditing.test_audit_mutations import MUTATIONS, clean
from tests.tools.by_hand import Run, written
from tests.tools.strategies import HOSTILE_NAMES, Train, trains

GRAPH = RepoDependencyGraph.from_edges([("core", "api"), ("api", "app"), ("core", "docs")])
PLAN = build_plan(GRAPH, version="1.0", originating_run_id="spring")
OTHER = build_plan(GRAPH, version="2.0", originating_run_id="autumn")
STARTED = datetime(2026, 1, 2, tzinfo=UTC)


def clock() -> Any:
    ticks = iter(range(10**6))
    return lambda: STARTED + timedelta(seconds=next(ticks))


def kept(ids: list[str] | None = None) -> MemoryRunLedger:
    return MemoryRunLedger(ids=ids or [f"run-{number}" for number in range(1, 100)], clock=clock())


@pytest.fixture
def ledger() -> MemoryRunLedger:
    """Five runs: all out, a failure, its resumption, a stopped one of another plan, one with a train."""
    ledger = kept()
    run_plan(PLAN, ScriptedReleaser(), ledger, clock=clock())
    run_plan(PLAN, ScriptedReleaser({"api": "tests are red"}), ledger, clock=clock())
    run_plan(resume_plan(ledger, "run-2"), ScriptedReleaser(), ledger, clock=clock())
    run_plan(OTHER, ScriptedReleaser({"core": "no disk"}), ledger, policy="stop", clock=clock())
    run_plan(OTHER, ScriptedReleaser(), ledger, tags={"train": "Autumn Train"}, clock=clock())
    return ledger


# ---------------------------------------------------------------------- which runs


def test_runs_are_listed_newest_first_with_what_became_of_their_repos(ledger: MemoryRunLedger) -> None:
    browser = Browser(ledger)
    runs = browser.runs()
    assert list(runs["run_id"]) == ["run-5", "run-4", "run-3", "run-2", "run-1"] == browser.listed
    assert list(runs.columns) == [*runs_frame(ledger).columns, *WORDS, "errors", "warnings"]
    assert runs[list(WORDS)].to_numpy().tolist() == [
        [4, 0, 0, 0, 0, 0, 0, 0, 0],
        [0, 1, 0, 3, 0, 0, 0, 0, 0],
        [2, 0, 0, 0, 0, 0, 0, 0, 0],
        [2, 1, 0, 1, 0, 0, 0, 0, 0],
        [4, 0, 0, 0, 0, 0, 0, 0, 0],
    ]
    assert {str(runs[name].dtype) for name in (*WORDS, "errors", "warnings")} == {"Int64"}
    again = runs_frame(ledger).iloc[::-1].reset_index(drop=True)
    pd.testing.assert_frame_equal(runs[list(again.columns)], again)


def test_filters_let_through_what_they_say(ledger: MemoryRunLedger) -> None:
    browser = Browser(ledger)

    def listed(**filters: Any) -> list[str]:
        assert browser.filter(**filters) == len(browser.listed)
        return browser.listed

    assert listed(status="FAILED") == ["run-4", "run-2"]
    assert listed(status="RUNNING") == []
    assert listed(policy="stop") == ["run-4"]
    assert listed(train="run-2") == ["run-3", "run-2"]
    assert listed(train="Autumn Train") == ["run-5"]
    assert listed(text="AUTUMN") == ["run-5", "run-4"]  # the plan's originating run, and a train
    assert listed(text=PLAN.plan_id.upper()) == ["run-2", "run-1"]  # a resumption has a plan of its own
    assert listed(status="COMPLETED", text="autumn") == ["run-5"]
    assert listed() == ["run-5", "run-4", "run-3", "run-2", "run-1"]


def test_what_there_is_to_filter_by(ledger: MemoryRunLedger) -> None:
    browser = Browser(ledger)
    assert browser.policies == ["skip_dependents", "stop"]
    assert browser.trains == ["Autumn Train", "run-2"]
    several = trains_frame(ledger).set_index("train")
    assert all(several.loc[name, "n_runs"] > 1 or name == "Autumn Train" for name in browser.trains)


@pytest.mark.parametrize(
    ("filters", "error", "told"),
    [
        ({"status": "failed"}, ValueError, "status is 'failed', expected None or one of ['RUNNING', 'COMPLETED'"),
        ({"policy": "go"}, ValueError, "policy is 'go', expected None or one of ['skip_dependents', 'stop']"),
        ({"train": ""}, ValueError, "train is '', expected None or one of ['Autumn Train', 'run-2']"),
        ({"text": None}, TypeError, "text is None, expected a str"),
    ],
)
def test_a_wrong_filter_is_refused_and_the_others_stay(
    ledger: MemoryRunLedger, filters: dict[str, Any], error: type[Exception], told: str
) -> None:
    browser = Browser(ledger)
    browser.filter(status="FAILED")
    with pytest.raises(error) as raised:
        browser.filter(**filters)
    assert told in str(raised.value)
    assert browser.listed == ["run-4", "run-2"]


def test_pages_put_together_are_the_list(ledger: MemoryRunLedger) -> None:
    browser = Browser(ledger, page_size=2)
    assert browser.n_pages == 3
    pages = [browser.runs(page) for page in range(3)]
    assert [len(page) for page in pages] == [2, 2, 1]
    pd.testing.assert_frame_equal(pd.concat(pages, ignore_index=True), browser.runs())
    with pytest.raises(ValueError, match=r"page is 3, expected a whole number from 0 to 2"):
        browser.runs(3)
    browser.filter(text="nowhere")
    assert browser.n_pages == 1
    assert browser.runs(0).empty


class Counting:
    """A ledger that counts what is asked of it."""

    blocking = False

    def __init__(self, ledger: Any) -> None:
        self.ledger = ledger
        self.asked: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any) -> Any:
            self.asked[f"{name} {arguments[0]}" if arguments else name] += 1
            return getattr(self.ledger, name)(*arguments)

        return call


for _name in ("create_run", "append_event", "complete_run", "fail_run", "cancel_run", "get_run", "get_events"):
    setattr(Counting, _name, lambda self, *arguments, _name=_name: self.__getattr__(_name)(*arguments))
Counting.list_runs = lambda self, spec_digest=None: self.__getattr__("list_runs")()  # type: ignore[attr-defined]


def test_only_what_is_looked_at_is_read(ledger: MemoryRunLedger) -> None:
    counting = Counting(ledger)
    browser = Browser(counting, page_size=2)  # type: ignore[arg-type]
    assert counting.asked == {"list_runs": 1}
    browser.runs(0)
    assert {asked for asked in counting.asked if asked.startswith("get_events")} == {
        "get_events run-5",
        "get_events run-4",
    }
    before = counting.asked.copy()
    browser.runs(0)
    browser.refresh()
    browser.runs(0)
    assert counting.asked - before == {"list_runs": 1}  # what has ended is not read again
    browser.select("run-1")
    browser.items, browser.items, browser.words  # noqa: B018
    assert (counting.asked - before)["get_events run-1"] == 2  # for the frame, and for what became of each repo


# ---------------------------------------------------------------------- one run


def test_the_selected_run_is_shown_as_the_frames_show_it(ledger: MemoryRunLedger) -> None:
    browser = Browser(ledger)
    assert browser.items.empty
    assert browser.events.empty
    assert list(browser.items.columns) == list(items_frame(ledger).columns)
    browser.select("run-2")
    pd.testing.assert_frame_equal(browser.items, items_frame(ledger, "run-2"))
    pd.testing.assert_frame_equal(browser.events, events_frame(ledger, "run-2"))
    assert browser.words == {"core": "succeeded", "api": "failed", "docs": "succeeded", "app": "blocked"}
    assert browser.run is not None
    assert browser.run.plan == PLAN
    assert browser.run.summary == "2 succeeded, 1 failed, 1 blocked; took 1.0 s"
    assert browser.run.origin == f"plan {PLAN.plan_id}, policy skip_dependents"
    with pytest.raises(RunNotFound, match="run not found: nobody"):
        browser.select("nobody")
    assert browser.selected == "run-2"
    browser.select(None)
    assert browser.selected is None


def test_tables_are_the_callers_own(ledger: MemoryRunLedger) -> None:
    browser = Browser(ledger)
    browser.select("run-2")
    del browser.items["repo_id"], browser.events["seq"], browser.runs()["run_id"]
    assert "repo_id" in browser.items
    assert "seq" in browser.events
    assert "run_id" in browser.runs()


def test_findings_are_of_the_run_or_of_the_whole_ledger() -> None:
    ledger = load_dataset("kf5").ledger
    browser = Browser(ledger, graph=load_dataset("kf5").graph)
    run = browser.listed[-1]
    assert browser.runs()["errors"].isna().all()
    browser.select(run)
    own = audit(ledger, run, graph=load_dataset("kf5").graph)
    pd.testing.assert_frame_equal(browser.findings, own.findings)
    severities = Counter(own.findings["severity"])
    row = browser.runs().iloc[-1]
    assert (row["errors"], row["warnings"]) == (severities["error"], severities["warning"])
    assert severities["error"] > 0
    assert browser.runs()["errors"].isna().tolist() == [True, True, False]
    browser.select(None)
    whole = audit(ledger, graph=load_dataset("kf5").graph)
    pd.testing.assert_frame_equal(browser.findings, whole.findings)
    pd.testing.assert_frame_equal(browser.whole_report.findings, whole.findings)
    errors = whole.findings[whole.findings["severity"] == "error"]["run_id"].value_counts()
    assert browser.runs()["errors"].tolist() == [errors.get(run, 0) for run in browser.listed]


def test_a_run_without_a_plan_is_drawn_on_the_graph_given() -> None:
    kf5 = load_dataset("kf5")
    without, given_graph = Browser(kf5.ledger), Browser(kf5.ledger, graph=kf5.graph)
    for browser in (without, given_graph):
        browser.select("kf5-5.78.0-unstable")
    assert without.run is not None
    assert without.run.plan is None
    assert given_graph.run is not None
    assert given_graph.run.plan is kf5.graph
    assert Counter(without.words.values()) == {"succeeded": 70, "failed": 5}
    assert list(given_graph.words) == kf5.graph.topological_order()
    some = Browser(
        kf5.ledger, graph=build_plan(RepoDependencyGraph.from_edges([("a", "extra-cmake-modules")]), version="1")
    )
    some.select("kf5-5.78.0-unstable")
    assert some.words["a"] == "pending"
    assert some.words["extra-cmake-modules"] == "failed"


# ---------------------------------------------------------------------- two runs


def test_runs_are_compared_repo_by_repo(ledger: MemoryRunLedger) -> None:
    browser = Browser(ledger)
    difference = browser.compare("run-2", "run-4")
    red = "release sequencing failed for repo {}"
    assert difference.frame.drop(columns="changes").astype(object).where(
        lambda f: f.notna(), None
    ).to_numpy().tolist() == [
        ["core", "succeeded", "failed", "1.0", "2.0", None, red.format("core: no disk")],
        ["api", "failed", "blocked", "1.0", "2.0", red.format("api: tests are red"), None],
        ["docs", "succeeded", "blocked", "1.0", "2.0", None, None],
        ["app", "blocked", "blocked", "1.0", "2.0", None, None],
    ]
    assert difference.frame["changes"].tolist() == [
        ["status", "version", "reason"],
        ["status", "version", "reason"],
        ["status", "version"],
        ["version"],
    ]
    assert difference.summary == (
        "4 of 4 repos differ: 1 succeeded → failed, 1 failed → blocked, 1 succeeded → blocked, 1 with another version"
    )
    assert browser.compare("run-1", "run-1").summary == "no difference in 4 repos"
    assert browser.compare("run-1", "run-1").frame.empty
    with pytest.raises(RunNotFound):
        browser.compare("run-1", "nobody")


def test_repos_of_one_run_alone_are_told(ledger: MemoryRunLedger) -> None:
    difference = Browser(ledger).compare("run-2", "run-3")  # the resumption holds what was left
    assert dict(zip(difference.frame["repo_id"], difference.frame["changes"], strict=True)) == {
        "api": ["status", "reason"],
        "app": ["status"],
        "core": ["only in a"],
        "docs": ["only in a"],
    }
    assert difference.frame["status_b"].isna().tolist() == [False, False, True, True]
    assert difference.summary == "4 of 4 repos differ: 2 only in a, 1 failed → succeeded, 1 blocked → succeeded"


@given(trains(), trains())
@settings(max_examples=60)
def test_a_difference_is_what_a_naive_reading_finds(one: Train, two: Train) -> None:
    ledger = kept(["a", "b"])
    for train in (one, two):
        failing = dict.fromkeys(train.failing, "red")
        run_plan(train.plan, ScriptedReleaser(failing), ledger, policy=train.policy)
    a, b = (
        {
            row.repo_id: (word, row.version_label, row.reason)
            for row, word in zip(frame.itertuples(), words_of(frame).values(), strict=True)
        }
        for frame in (items_frame(ledger, "a").fillna({"reason": ""}), items_frame(ledger, "b").fillna({"reason": ""}))
    )
    expected = {repo for repo in a.keys() | b.keys() if a.get(repo) != b.get(repo)}
    difference = diff_runs(items_frame(ledger, "a"), items_frame(ledger, "b"))
    assert set(difference.frame["repo_id"]) == expected
    mirrored = diff_runs(items_frame(ledger, "b"), items_frame(ledger, "a"))
    assert set(mirrored.frame["repo_id"]) == expected
    assert difference.summary.startswith(f"{len(expected)} of " if expected else "no difference in ")


def test_the_run_to_compare_with(ledger: MemoryRunLedger) -> None:
    browser = Browser(ledger)
    assert browser.companion is None

    def companion(run: str) -> str | None:
        browser.select(run)
        return browser.companion

    assert companion("run-3") == "run-2"  # it resumes that
    assert companion("run-2") == "run-1"  # the same plan before
    assert companion("run-5") == "run-4"
    assert companion("run-4") == "run-3"  # nothing of its plan before: the last one before
    assert companion("run-1") == "run-2"  # nothing before: the next
    alone = Browser(run_plan(PLAN, 0.0, kept()).ledger)
    alone.select("run-1")
    assert alone.companion is None


# ---------------------------------------------------------------------- ledgers that grow


def test_a_ledger_that_grows_is_read_again(ledger: MemoryRunLedger) -> None:
    browser = Browser(ledger)
    browser.filter(status="COMPLETED")
    browser.select("run-1")
    run_plan(PLAN, ScriptedReleaser(), ledger, clock=lambda: STARTED + timedelta(days=1))
    assert "run-6" not in browser.listed
    browser.refresh()
    assert set(browser.listed) == {"run-6", "run-5", "run-3", "run-1"}
    assert browser.selected == "run-1"


def test_a_run_that_goes_on_is_read_again_alone() -> None:
    ledger = kept()
    browser = Browser(ledger)
    seen: list[tuple[str, int]] = []

    def look(event: RunEvent) -> None:
        if event.seq == 1:
            browser.refresh()
            browser.select(browser.listed[0])
        browser.reread()
        row = browser.runs(0).iloc[0]
        seen.append((row["status"], row["succeeded"]))

    run_plan(PLAN, ScriptedReleaser(), ledger, on_event=look)
    assert seen == [("RUNNING", 0), *[("RUNNING", n) for n in (1, 1, 2, 2, 3, 3, 4)]]
    browser.refresh()
    assert browser.runs()["status"].tolist() == ["COMPLETED"]
    assert browser.runs()["succeeded"].tolist() == [4]


def test_databases_are_followed_and_let_go_of(tmp_path: Any) -> None:
    path = tmp_path / "runs.db"
    with open_ledger(path) as writing:
        run_plan(PLAN, 0.0, writing)
        browser = Browser(path)
        assert len(browser.listed) == 1
        run_plan(PLAN, 0.0, writing)
        browser.refresh()
        assert len(browser.listed) == 2
        browser.close()
        given_ledger = Browser(writing)
        given_ledger.close()
        assert len(writing.list_runs()) == 2  # a ledger that was given stays open


def test_files_are_read_again(tmp_path: Any, ledger: MemoryRunLedger) -> None:
    path = tmp_path / "runs.jsonl"
    write_ledger(run_plan(PLAN, 0.0, kept(["first"])).ledger, path)
    browser = Browser(path)
    browser.select("first")
    assert browser.listed == ["first"]
    path.unlink()
    write_ledger(ledger, path)
    browser.refresh()
    assert len(browser.listed) == 5
    assert browser.selected is None
    browser.close()


# ---------------------------------------------------------------------- broken ledgers


def look_at_everything(browser: Browser) -> int:
    """Ask for all that a browser gives; give the number of findings."""
    browser.runs()
    findings = len(browser.findings)
    for run in browser.listed:
        browser.select(run)
        assert browser.companion != run
        browser.items, browser.events, browser.words, browser.report  # noqa: B018
        assert browser.run is not None
        assert browser.run.summary
        browser.compare(run, browser.companion or run)
    browser.filter(text="x")
    repr(browser)
    return findings


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_broken_record_is_shown_and_its_findings_are_the_audits(name: str) -> None:
    tries = (MUTATIONS[name](clean(random.Random(seed)), random.Random(seed)) for seed in range(99))
    broken = next(mutated for mutated in tries if mutated is not None)[0].ledger
    assert look_at_everything(Browser(broken)) == len(audit(broken).findings)


def test_lines_that_cannot_be_read_are_findings(tmp_path: Any, ledger: MemoryRunLedger) -> None:
    path = tmp_path / "runs.jsonl"
    write_ledger(ledger, path)
    with path.open("a") as file:
        file.write("this is no JSON\n")
    browser = Browser(path)
    assert len(browser.listed) == 5
    assert look_at_everything(browser) >= 1
    assert "readable" in set(browser.findings["check"])


def test_a_database_with_spoilt_rows_is_read_as_far_as_it_goes(tmp_path: Any, ledger: MemoryRunLedger) -> None:
    for number, spoil in enumerate(
        (
            "UPDATE seqkit_run SET metadata = '{' WHERE run_id = '{}'",
            "UPDATE seqkit_event SET payload = '[' WHERE seq = 2",
        )
    ):
        path = tmp_path / f"{number}.db"
        with SqlRunLedger(path, ids=["one", "two"]) as writing:
            run_plan(PLAN, 0.0, writing)
            run_plan(PLAN, 0.0, writing)
            with writing.engine.begin() as connection:
                tables = [
                    row[0] for row in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'")
                ]
                run, event = (next(name for name in tables if word in name) for word in ("run", "event"))
                connection.exec_driver_sql(
                    spoil.replace("seqkit_run", run).replace("seqkit_event", event).replace("'{}'", "'one'")
                )
        browser = Browser(path)
        assert look_at_everything(browser) >= 1
        assert "two" in Browser(path).listed
        browser.close()


class Refusing(MemoryRunLedger):
    """A store that is gone."""

    def list_runs(self, spec_digest: str | None = None) -> Any:
        raise StorageError("the disk is on fire")


class Mute(MemoryRunLedger):
    """A store that lists its runs and gives none of their events."""

    def get_events(self, run_id: str) -> Any:
        raise OSError("the tape broke")


def test_a_store_that_fails_is_a_finding() -> None:
    browser = Browser(Refusing())
    assert browser.problem == "the runs cannot be listed: StorageError: the disk is on fire"
    assert browser.listed == []
    assert "on fire" in browser.findings["message"][0]
    assert repr(browser) == "Browser(0 runs; unreadable)"

    mute = Mute(ids=["only"])
    run_plan(PLAN, 0.0, mute)
    browser = Browser(mute)
    assert browser.runs()[list(WORDS)].isna().all(axis=None)
    browser.select("only")
    assert browser.items.empty
    assert browser.run is not None
    assert "cannot be read (OSError: the tape broke)" in browser.run.summary
    assert any("the tape broke" in message for message in browser.findings["message"])
    assert browser.compare("only", "only").summary == "cannot be read: OSError: the tape broke"


def test_what_could_not_be_read_for_a_while_is_read_again() -> None:
    class Busy(MemoryRunLedger):
        busy = True

        def get_events(self, run_id: str) -> Any:
            if self.busy:
                raise StorageError("the database is locked")
            return super().get_events(run_id)

    ledger = Busy(ids=["only"])
    run_plan(PLAN, 0.0, ledger)
    browser = Browser(ledger)
    assert browser.runs()["succeeded"].isna().all()
    ledger.busy = False
    browser.refresh()
    assert browser.runs()["succeeded"].tolist() == [len(PLAN.items)]


def test_of_a_run_that_is_recorded_twice_the_first_is_listed(ledger: MemoryRunLedger) -> None:
    run = ledger.get_run("run-2")
    twice = FoundLedger(
        [FoundRun(run, "a.jsonl", 1), FoundRun(run.model_copy(update={"status": RunStatus.COMPLETED}), "b.jsonl", 1)]
    )
    browser = Browser(twice)
    assert browser.runs()["status"].tolist() == ["FAILED"]
    assert "recorded_once" in set(browser.findings["check"])


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_any_name_will_do(name: str) -> None:
    ledger = MemoryRunLedger(ids=[name, "other"])
    plan = build_plan(RepoDependencyGraph.from_edges([(name, f"{name}b")]), version="1.0", originating_run_id=name)
    for _ in range(2):
        run_plan(plan, ScriptedReleaser({name: name}), ledger, tags={"train": name})
    browser = Browser(ledger)
    look_at_everything(browser)
    browser.filter(train=name, text=name[:3])
    assert len(browser.listed) == 2
    browser.select(name)
    assert browser.words == {name: "failed", f"{name}b": "blocked"}
    assert name not in repr(browser) or name == ""


@given(st.sampled_from(SEARCHED), st.text(min_size=1, max_size=3))
@settings(max_examples=40)
def test_text_is_looked_for_in_every_id_whatever_its_case(column: str, text: str) -> None:
    browser = Browser(load_dataset("kf5").ledger)
    browser.filter(text=text)
    runs = browser.runs()
    browser.filter()
    everything = browser.runs()
    hits = everything[column].fillna("").str.casefold().map(lambda cell: text.casefold() in cell)
    assert set(everything.loc[hits.to_numpy(), "run_id"]) <= set(runs["run_id"])


# ---------------------------------------------------------------------- arguments and words


def test_wrong_arguments_are_named(tmp_path: Any) -> None:
    with pytest.raises(TypeError, match="graph is 'x', expected a RepoDependencyGraph or a SequencePlan"):
        Browser(MemoryRunLedger(), graph="x")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="page_size is 0, expected a whole number from 1"):
        Browser(MemoryRunLedger(), page_size=0)
    with pytest.raises(TypeError, match="ledger is 7, expected a ledger"):
        Browser(7)  # type: ignore[arg-type]
    with pytest.raises(ReadError):
        Browser(tmp_path / "nothing.jsonl")


def test_an_empty_ledger_has_nothing_to_show() -> None:
    browser = Browser(MemoryRunLedger())
    assert repr(browser) == "Browser(0 runs)"
    assert browser.runs().empty
    assert (browser.policies, browser.trains, browser.n_pages) == ([], [], 1)
    assert browser.words == {}
    assert look_at_everything(browser) == 0


@pytest.mark.parametrize(
    ("time", "told"),
    [
        (timedelta(microseconds=999), "1.0 ms"),
        (timedelta(milliseconds=999), "999 ms"),
        (timedelta(microseconds=999_999), "999 ms"),
        (timedelta(seconds=59.9), "59.9 s"),
        (timedelta(seconds=60), "1 min 0 s"),
        (timedelta(hours=25, minutes=1), "1 d 1 h"),
        (timedelta(seconds=-5), "minus 5.0 s"),
    ],
)
def test_times_are_told_in_two_units(time: timedelta, told: str) -> None:
    assert time_text(time) == told


def test_a_doubt_is_counted_and_compared_as_one() -> None:
    plan = build_plan(RepoDependencyGraph.from_edges([("a", "b")], nodes=["c"]), version="1")
    steps = ["enter a", "hang a", "enter c", "exit c", "skip b a"]
    ledger = written(may=Run(plan, steps), june=Run(plan, ["enter a", "fail a", "enter c", "exit c", "skip b a"]))
    browser = Browser(ledger)
    browser.select("may")
    assert browser.words == {"a": "in_doubt", "c": "succeeded", "b": "blocked"}
    assert browser.runs().set_index("run_id")[["failed", "in_doubt"]].to_numpy().tolist() == [[1, 0], [0, 1]]
    assert browser.compare("may", "june").summary == "1 of 3 repos differs: 1 in doubt → failed"
    assert browser.run is not None
    assert browser.run.counted == "1 succeeded, 1 in doubt, 1 blocked"


# ---------------------------------------------------------------------- the grid, names, repos


def ci(**columns: str) -> MemoryRunLedger | FoundLedger:
    builds = pd.read_csv("data/made_up_ci/builds.csv").rename(columns={"job": "repo_id", "result": "status"})
    return ledger_from_frame(builds, run="pipeline", attempt="try", **columns)


NEEDS = RepoDependencyGraph.from_edges(
    pd.read_csv("data/made_up_ci/needs.csv"), dependency="dependency", dependent="dependent"
)  # fmt: skip


def test_the_grid_shows_every_repo_of_every_run(ledger: MemoryRunLedger) -> None:
    browser = Browser(ledger)
    grid = browser.grid()
    assert [row.run_id for row in grid.rows] == browser.listed
    assert grid.repos == ("core", "api", "docs", "app")
    assert grid.rows[3].words == {"core": "succeeded", "api": "failed", "docs": "succeeded", "app": "blocked"}
    assert grid.counts == {"succeeded": 12, "failed": 2, "blocked": 4}
    assert len(Browser(ledger, page_size=2).grid(0).rows) == 2


def test_other_systems_skips_stay_skips_until_a_graph_tells() -> None:
    kept = ci(started="began", finished="ended")
    words = Counter(word for row in Browser(kept).grid().rows for word in row.words.values())
    assert set(words) == {"succeeded", "failed", "skipped"}
    browser = Browser(kept, NEEDS)
    told = Counter(word for row in browser.grid().rows for word in row.words.values())
    assert told["blocked"] == words["skipped"]
    assert browser.grid().repos == tuple(NEEDS.topological_order())
    assert max(max(row.attempts.values()) for row in browser.grid().rows) == 2
    browser.select(next(row.run_id for row in browser.grid().rows if "blocked" in row.words.values()))
    assert "blocked" in browser.run.counted
    blocked = next(repo for repo, word in browser.words.items() if word == "blocked")
    assert browser.run.told(blocked).waits.startswith("waits for ")


def test_who_was_blocked_in_a_run_without_skips_and_without_a_plan() -> None:
    kept = run_plan(PLAN, ScriptedReleaser({"api": "red"}), record_skips=False).ledger
    record = kept.list_runs()[0]
    bare = record.model_copy(update={"metadata": record.metadata.model_copy(update={"tags": {}})})
    kept = MemoryRunLedger.from_records([bare], [(bare.run_id, event) for event in kept.get_events(bare.run_id)])
    assert "app" not in Browser(kept).grid().rows[0].words
    assert Browser(kept, GRAPH).grid().rows[0].words["app"] == "blocked"
    small = RepoDependencyGraph.from_edges([("api", "app")])  # it does not know core and docs
    assert Browser(kept, small).grid().rows[0].words == {
        "core": "succeeded", "api": "failed", "docs": "succeeded", "app": "blocked",
    }  # fmt: skip


def test_a_ledger_without_times_is_listed_and_named() -> None:
    browser = Browser(ci())
    assert browser.runs(0)["started_at"].isna().all()
    assert browser.name("1400") == "1400"
    assert browser.grid(0).rows[0].words


def test_runs_are_named_by_train_and_date(ledger: MemoryRunLedger) -> None:
    browser = Browser(ledger)
    assert browser.name("run-5") == "Autumn Train · 2026-01-02 00:00"
    assert browser.name("run-2") == "run-2 · 2026-01-02 00:00"
    own = MemoryRunLedger(clock=clock())  # ids by machine
    run_plan(PLAN, 0.0, own, clock=clock()), run_plan(PLAN, 0.0, own, clock=clock())
    browser = Browser(own)
    assert [browser.name(run)[:29] for run in browser.run_ids] == [
        "spring · 2026-01-02 00:00 · " + run[:1] for run in browser.run_ids
    ]
    assert [browser.called(browser.name(run)) for run in browser.run_ids] == browser.run_ids
    assert browser.compare(browser.name(browser.run_ids[0]), "last").frame.empty


def test_runs_are_found_by_what_became_of_a_repo(ledger: MemoryRunLedger) -> None:
    browser = Browser(ledger)
    assert browser.filter(repo="API", ended="failed") == 1
    assert browser.listed == ["run-2"]
    assert browser.answer == "api: failed in 1 of 5 runs that had it"
    assert browser.filter(repo="ap", ended="blocked") == 2  # api and app
    assert browser.answer == "api, app: blocked in 2 of 5 runs that had one of them"
    assert browser.filter(ended="failed") == 2
    assert browser.answer == "something: failed in 2 of 5 runs"
    assert browser.filter(repo="docs") == 4  # the resumption had api and app alone
    assert browser.answer == "docs: is there in 4 of 4 runs"
    assert browser.filter(repo="nobody", ended="failed") == 0
    assert browser.answer == "no repo of 5 runs is called 'nobody'"
    assert browser.filter(status="FAILED", repo="core", ended="succeeded") == 1
    browser.filter()
    assert browser.answer == ""
    with pytest.raises(ValueError, match="ended is 'red', expected None or one of"):
        browser.filter(ended="red")


def test_of_very_many_repos_those_that_failed_and_those_meant_stay() -> None:
    wide = RepoDependencyGraph.from_edges([], nodes=[f"r{number:03}" for number in range(320)])
    plan = build_plan(wide, version="1")
    browser = Browser(run_plan(plan, ScriptedReleaser({"r310": "red"})).ledger)
    browser.filter(repo="r315")
    grid = browser.grid()
    assert (len(grid.repos), grid.left_out) == (300, 20)
    assert {"r310", "r315"} <= set(grid.repos)
