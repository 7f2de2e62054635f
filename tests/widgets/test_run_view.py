"""The picture of a run, without a browser: it follows the events, from any thread, and never disturbs the run."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from seqkit import (
    MemoryRunLedger,
    ReleaseSequencer,
    RepoDependencyGraph,
    ScriptedReleaser,
    build_plan,
    execute_plan,
    run_plan,
)
from seqkit.errors import RunNotFound
from seqkit.widgets import RunView
from seqkit.widgets._beside import Beside
from seqkit.widgets._keys import KeyGuard
from tests.tools.by_hand import Run, written
from tests.tools.strategies import HOSTILE_NAMES

GRAPH = RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs"), ("api", "app")])
PLAN = build_plan(GRAPH, version="1")


pytestmark = pytest.mark.usefixtures("no_model_is_left")


@pytest.fixture
def view():
    made = RunView(PLAN)
    yield made
    made.close()


def words(view: RunView) -> dict[str, str]:
    return {repo: view.dag.word(repo) for repo in view.dag.drawn}


def test_it_shows_how_the_run_ended(view):
    assert view.status.text == "Nothing has started yet"
    outcome = run_plan(PLAN, ScriptedReleaser({"api": "red"}), on_event=view)
    assert list(words(view).values()) == outcome.words()
    assert view.progress.value == view.progress.max == 4
    assert view.progress.bar_style == "danger"
    assert view.told.value == "4 of 4"
    assert view.status.text == "app is skipped: api failed. The run is over: 2 succeeded, 1 failed, 1 blocked."
    assert repr(view) == "RunView(4 of 4 repos ended: 1 blocked, 2 succeeded, 1 failed)"
    assert "Run of seq-" in view.still_html()
    view.reset()
    assert set(words(view).values()) == {"pending"}
    assert view.progress.bar_style == ""


def test_it_follows_while_the_run_goes(view):
    """Each release looks at the picture once it shows that very release: the run waits for it."""
    seen = {}

    async def release(repo, *_about):
        while view.dag.word(repo) != "in_progress":
            await asyncio.sleep(0)
        seen[repo] = list(words(view).values())
        return "x"

    async def main():
        sequencer = ReleaseSequencer(GRAPH)
        return await asyncio.wait_for(sequencer.execute_plan(PLAN, release, on_event=view), 30)

    assert asyncio.run(main()).overall_success
    assert seen == {
        "core": ["in_progress", "pending", "pending", "pending"],
        "api": ["succeeded", "in_progress", "pending", "pending"],
        "docs": ["succeeded", "succeeded", "in_progress", "pending"],
        "app": ["succeeded", "succeeded", "succeeded", "in_progress"],
    }
    assert view.progress.bar_style == "success"


def test_it_works_where_a_loop_is_running_already(view):
    async def notebook():
        return run_plan(PLAN, 0.0, on_event=view)  # in a worker thread

    asyncio.run(notebook())
    assert set(words(view).values()) == {"succeeded"}


def test_a_second_run_shows_itself(view):
    run_plan(PLAN, ScriptedReleaser({"core": "red"}), on_event=view)
    run_plan(PLAN, 0.0, on_event=view)
    assert set(words(view).values()) == {"succeeded"}


def test_skips_that_are_not_recorded(view):
    outcome = asyncio.run(execute_plan(PLAN, ScriptedReleaser({"core": "red"}), record_skips=False, on_event=view))
    view.finish(outcome)
    assert list(words(view).values()) == outcome.words()


def test_a_run_of_another_plan_goes_on_and_the_view_says_so(view):
    other = build_plan(RepoDependencyGraph.from_edges([("core", "else<b>")]), version="1")
    ledger = MemoryRunLedger()
    assert run_plan(other, 0.0, ledger, on_event=view).overall_success
    assert "else<b>" in view.status.text
    assert "says nothing about the plan" in view.status.text
    assert "else&lt;b&gt;" in view.status.value


def test_hostile_names():
    plan = build_plan(RepoDependencyGraph.from_edges([("core", name) for name in HOSTILE_NAMES]), version="1")
    view = RunView(plan)
    run_plan(plan, ScriptedReleaser({name: name for name in HOSTILE_NAMES}), on_event=view)
    assert view.live.counts["failed"] == len(HOSTILE_NAMES)
    assert "<script" not in view.status.value + view.still_html()
    view.close()


def test_nothing_to_run():
    view = RunView(build_plan(RepoDependencyGraph(), []))
    assert view.live.over
    assert "nothing to release" in view.status.text
    view.close()


def test_closing_in_the_middle_of_a_run_leaves_nothing(view):
    def release(repo, *_about):
        view.close()
        return "x"

    assert run_plan(PLAN, release, on_event=view).overall_success


def test_it_refuses_what_is_no_plan():
    with pytest.raises(TypeError, match="plan is a RepoDependencyGraph, expected a SequencePlan"):
        RunView(GRAPH)


def test_its_keys_are_kept_from_the_page(view):
    """Or ``d`` pressed twice in the list of what is drawn would delete the cell."""
    assert any(isinstance(part, KeyGuard) for part in view.children)


@pytest.mark.parametrize("times", [20, pytest.param(200, marks=pytest.mark.slow)])
def test_closing_while_events_come_from_another_thread_does_not_end_the_run(times):
    for _ in range(times):
        view, going = RunView(PLAN), threading.Event()
        ended = []

        def watch(event, view=view, going=going):
            view(event)
            going.set()

        def run(watch=watch, ended=ended):
            while not ended:
                if not run_plan(PLAN, 0.0, on_event=watch).overall_success:
                    ended.append("failed")

        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(run)
            assert going.wait(10)
            view.close()
            ended.append("closed")
            running.result(10)  # raises what came out of on_event
        assert ended == ["closed"]


def test_what_runs_and_what_is_in_doubt_stand_in_its_line():
    plan = build_plan(RepoDependencyGraph.from_edges([], nodes=["a", "b"]), version="1")
    events = written(run=Run(plan, ["enter a", "enter b", "exit a", "hang b", "late b"])).get_events("run")
    seen = []
    for number, event in enumerate(events):
        view = RunView(plan)
        for before in events[:number]:
            view.live(before)
        view(event)  # shown at once: it is the first that the view itself hears of
        seen.append(view.status.text)
        style = view.progress.bar_style
        view.close()
    assert seen[:3] == [
        "a 1 is being released. Running: a since 10:01:00 UTC",
        "b 1 is being released. Running: a since 10:01:00, b since 10:02:00 UTC",
        "a is out as run-a. Running: b since 10:02:00 UTC",
    ]
    assert seen[3].endswith("The run is over: 1 succeeded, 1 in doubt. Still running: b.")
    assert seen[4] == "b is out as run-b, too late for this run. The run is over: 1 succeeded, 1 failed."
    assert style == "danger"


def until(condition) -> None:
    for _ in range(3_000):  # a minute, for the busiest machine
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError("it never came")


TIMES = {"core": 600, "api": 1200, "app": 300, "docs": 60}


def test_it_tells_when_the_run_will_end():
    """Beside the run, a moment after an event; as of the last event, whatever came while it was worked out."""
    events = written(run=Run(PLAN, ["enter core", "exit core", "enter api"], "RUNNING")).get_events("run")
    view = RunView(PLAN, TIMES, max_parallel=2)
    view(events[0])
    until(lambda: "The end" in view.status.text)
    assert view.status.text == (
        "core 1 is being released. Running: core since 10:01:00 UTC. The end: about 10:36, with 80 % before 10:36 UTC"
    )
    view(events[1])
    view(events[2])
    until(lambda: view.status.text.endswith("The end: about 10:28, with 80 % before 10:28 UTC"))
    view.reset()
    assert view.status.text == "Nothing has started yet"
    view.close()


def test_what_is_worked_out_beside_a_run_never_ends_it(monkeypatch):
    view = RunView(PLAN, TIMES)
    monkeypatch.setattr(view.live, "eta", lambda: 1 / 0)
    assert run_plan(PLAN, 0.0, on_event=view).overall_success
    view(written(run=Run(PLAN, ["enter core"], "RUNNING")).get_events("run")[0])
    until(lambda: "When it ends cannot be said: division by zero" in view.status.text)
    view.close()


def test_no_end_is_told_once_the_run_is_over():
    view = RunView(PLAN, TIMES)
    run_plan(PLAN, 0.0, on_event=view)
    assert view.live.eta() is None
    assert view.status.text.endswith(" is out as run-app. The run is over: 4 succeeded.")
    view.close()


def test_work_beside_a_run_is_never_done_twice_at_once_and_the_last_request_counts():
    going, go_on, calls = threading.Event(), threading.Event(), []

    def work():
        calls.append(threading.current_thread())
        going.set()
        assert go_on.wait(60)

    beside = Beside(work, 0.0)
    beside.ask()
    assert going.wait(60)
    for _ in range(5):
        beside.ask()  # while it is being done
    assert len(calls) == 1
    go_on.set()
    until(lambda: len(calls) == 2)
    assert threading.current_thread() not in calls
    beside.close()
    beside.ask()
    assert len(calls) == 2


def test_durations_are_looked_at_before_the_run():
    with pytest.raises(ValueError, match="durations has none for 'app'"):
        RunView(PLAN, {"core": 1, "api": 1, "docs": 1})
    with pytest.raises(ValueError, match="did you mean 'core'"):
        RunView(PLAN, TIMES, {"croe": 0.5})
    with pytest.raises(ValueError, match="max_parallel is 0"):
        RunView(PLAN, TIMES, max_parallel=0)


# ---------------------------------------------------------------------- a repo, the time, stopping, a ledger's run


def test_a_press_shows_reason_times_and_attempts_and_they_stay(view):
    assert "Press a box" in view.panel.value
    run_plan(PLAN, ScriptedReleaser({"api": "exit 1\n3 tests failed: <b>login</b>"}), on_event=view, attempts=2)
    view.dag.press("api")
    assert view.status.text.startswith("api: failed, 2 attempts, ")
    assert view.focus.repo == "api"
    assert view.dag.ringed == ["api"]
    html = view.panel.value
    assert html.count("✗") == 3  # its own, and two attempts'
    assert "3 tests failed: &lt;b&gt;login&lt;/b&gt;</pre>" in html
    view.dag.press("app")
    assert "waits for api" in view.panel.value
    run_plan(PLAN, 0.0, on_event=view)
    assert "Press a box" in view.panel.value  # of another run


def test_who_cannot_start_any_more_is_held_at_once():
    view, seen = RunView(PLAN), []
    view.dag.observe(lambda change: seen.append((change["new"], view.dag.word("app"), view.told.value)), "notes")

    async def release(repo, *_about):
        if repo == "api":
            raise OSError("red")
        while repo == "docs" and not view.dag.notes:
            await asyncio.sleep(0)
        return repo

    run_plan(PLAN, release, on_event=view)
    assert [(notes, word) for notes, word, _ in seen] == [({"app": "held"}, "pending"), ({}, "blocked")]
    assert view.told.value == "4 of 4"
    view.close()


def stoppable(view, ledger, pressed):
    """Run the plan until docs is under way, press what `pressed` presses, and give what came of it."""

    async def release(repo, *_about):
        if repo == "docs":
            pressed(view.stopper)
            await asyncio.sleep(0.05 if not view.stopper.asked else 60)
        return repo

    try:
        return run_plan(PLAN, release, ledger, on_event=view, grace=0.05)
    except asyncio.CancelledError:
        return None


def shown(stopper):
    return [part.description for part in stopper.children if part.layout.display is None and part.description]


def test_the_stop_button_asks_once_and_then_nothing_new_starts(view):
    ledger, seen = MemoryRunLedger(), []

    def press(stopper):
        seen.append(shown(stopper))
        stopper.stop.click()
        seen.append((shown(stopper), view.status.text))
        stopper.yes.click()
        seen.append((shown(stopper), view.status.text))

    assert shown(view.stopper) == []
    assert stoppable(view, ledger, press) is None
    assert seen[0] == ["Stop"]
    assert seen[1][0] == ["Stop", "Yes, stop", "No, go on"]
    assert seen[1][1].startswith("Stop the run?")
    assert seen[2][0] == ["Stop at once"]
    assert seen[2][1].startswith("Stopping: nothing new starts")
    assert shown(view.stopper) == []
    assert ledger.list_runs()[0].status.value == "CANCELLED"
    told = "The run was interrupted: 2 succeeded, 1 in doubt as it was under way (docs), 1 not reached."
    assert told in view.status.text
    assert view.progress.bar_style == "warning"
    assert view.time.value.startswith("took ")
    assert view.dag.word("app") == "pending"


def test_no_is_no(view):
    def press(stopper):
        stopper.stop.click()
        stopper.no.click()
        stopper.stop.click()
        stopper.stop.click()

    assert stoppable(view, MemoryRunLedger(), press).overall_success
    assert "The run is over: 4 succeeded." in view.status.text
    view.stopper.at_once.click()  # nothing to stop


def test_a_run_of_a_ledger_is_shown_as_it_ended(tmp_path):
    ledger = written(
        one=Run(PLAN, ["enter core", "exit core", "enter api", "fail api"], "CANCELLED"),
        two=Run(PLAN, ["enter core", "fail core", "skip api core", "skip docs core", "skip app core"]),
    )
    view = RunView.of(ledger)
    assert list(words(view).values()) == ["failed", "blocked", "blocked", "blocked"]
    assert view.time.value == "took 6 min 0 s"
    view.close()
    view = RunView.of(ledger, "one")
    assert "The run was interrupted: 1 succeeded, 1 failed, 2 not reached." in view.status.text
    assert view.dag.notes == {"app": "held"}
    view.close()


def test_a_run_that_goes_on_elsewhere_is_followed(tmp_path):
    path, going, view = tmp_path / "runs.sqlite", threading.Event(), []

    def release(repo, *_about):
        if repo == "docs":
            going.wait(30)
        return repo

    with ThreadPoolExecutor() as pool:
        run = pool.submit(run_plan, PLAN, release, path)
        while not view:
            try:
                view.append(RunView.of(path))
            except Exception:  # the file is being made
                time.sleep(0.01)
        until(lambda: view[0].dag.word("docs") == "in_progress")
        assert "Running: docs since " in view[0].status.text
        assert shown(view[0].stopper) == []  # it stops where it runs
        going.set()
        run.result()
    until(lambda: view[0].live.status is not None)
    until(lambda: "The run is over: 4 succeeded." in view[0].status.text)
    view[0].close()


def test_a_run_that_is_not_there():
    with pytest.raises(RunNotFound, match="nobody"):
        RunView.of(MemoryRunLedger(), "nobody")
