"""Who watches a run is told of its beginning and its end, and can stop it."""

from __future__ import annotations

import asyncio
import threading

import pytest

from seqkit import MemoryRunLedger, RepoDependencyGraph, RunEvent, ScriptedReleaser, build_plan, execute_plan, run_plan
from seqkit.core.model import RunStatus
from seqkit.running.telling import Watcher

PLAN = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs")]), version="1")


class Watch:
    """Keeps what it is told; with `stop_at` it stops the run once that repo is entered."""

    def __init__(self, stop_at=None):
        self.told, self.stop_at, self.stop = [], stop_at, None

    def __call__(self, event: RunEvent):
        self.told.append(event.kind)
        if self.stop_at == event.payload["node_id"] and event.kind == "NodeEntered":
            thread = threading.Thread(target=self.stop)
            thread.start()
            thread.join()

    def run_began(self, record, stop):
        self.told.append(("began", record.run_id, record.status))
        self.stop = stop

    def run_ended(self, status):
        self.told.append(("ended", status))


async def slow(*_about):
    await asyncio.sleep(60)


def test_a_plain_function_is_no_watcher():
    assert not isinstance(print, Watcher)
    assert isinstance(Watch(), Watcher)


@pytest.mark.parametrize(("failing", "status"), [({}, RunStatus.COMPLETED), ({"api": "red"}, RunStatus.FAILED)])
def test_the_beginning_and_the_end_are_told_around_the_events(failing, status):
    watch, ledger = Watch(), MemoryRunLedger(ids=["monday"])
    run_plan(PLAN, ScriptedReleaser(failing), ledger, on_event=watch)
    assert watch.told[0] == ("began", "monday", RunStatus.RUNNING)
    assert watch.told[-1] == ("ended", status)
    assert len(watch.told) == 2 + len(ledger.get_events("monday"))
    assert ledger.get_run("monday").status is status  # it is told once that is recorded


@pytest.mark.parametrize("beside", [False, True])
def test_it_can_stop_the_run_from_another_thread(beside):
    watch, ledger = Watch(stop_at="api"), MemoryRunLedger(ids=["monday"])

    async def release(repo, *about):
        return repo if repo == "core" else await slow(*about)

    def run():
        return run_plan(PLAN, release, ledger, on_event=watch, grace=0.01)

    async def cell():
        return run()

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cell()) if beside else run()
    assert watch.told[-1] == ("ended", RunStatus.CANCELLED)
    assert ledger.get_run("monday").status is RunStatus.CANCELLED
    assert [event.payload["node_id"] for event in ledger.get_events("monday")] == ["core", "core", "api"]
    watch.stop()  # it has ended: nothing happens


def test_the_task_that_awaits_is_what_is_stopped():
    watch = Watch(stop_at="core")

    async def main():
        task = asyncio.ensure_future(execute_plan(PLAN, slow, on_event=watch, grace=0.01))
        await asyncio.wait([task])
        return task.cancelled()

    assert asyncio.run(main())


def test_what_a_watcher_raises_at_the_end_hides_no_error():
    class Bad(Watch):
        def run_ended(self, status):
            super().run_ended(status)
            raise OSError("no picture")

    watch = Bad(stop_at="core")
    with pytest.raises(asyncio.CancelledError) as caught:
        run_plan(PLAN, slow, on_event=watch, grace=0.01)
    assert "no picture" in "".join(caught.value.__notes__)
    watch = Bad()
    with pytest.raises(OSError, match="no picture"):
        run_plan(PLAN, 0.0, on_event=watch)
    assert [one for one in watch.told if one[0] == "ended"] == [watch.told[-1]]  # once
