"""Forty threads of two processes write files and ledgers at once: what is read is one of them, whole."""

from __future__ import annotations

import multiprocessing
import threading
from collections import Counter
from pathlib import Path

import pytest

from seqkit import (
    MemoryRunLedger,
    RepoDependencyGraph,
    anchor,
    audit,
    build_plan,
    open_ledger,
    read_ledger,
    run_plan,
    write_ledger,
)

THREADS = 20


def _ledger(word: str, n: int) -> MemoryRunLedger:
    made = MemoryRunLedger(ids=[word])
    plan = build_plan(RepoDependencyGraph.from_edges([], nodes=[f"{word}-{i:04}" for i in range(n)]), version="1.0")
    run_plan(plan, 0.0, made, rng=1)
    return made


def _work(folder: str, name: str, rounds: int, failures: multiprocessing.Queue[str]) -> None:
    """Write the same files and into the same database as everybody else, and read them."""
    here = Path(folder)
    shared = [here / ("x" * 200 + end) for end in ("-one.jsonl", "-two.jsonl", ".jsonl.gz", ".html")]

    def turn(thread: int) -> None:
        try:
            for number in range(rounds):
                word = f"{name}-{thread}-{number}"
                ledger = _ledger(word, 20 + thread)
                target = shared[(thread + number) % 4]
                if target.suffix == ".html":
                    audit(ledger).to_html(target)
                    assert target.read_text("utf-8").endswith("</html>\n")
                    continue
                write_ledger(ledger, target)
                found = read_ledger(target)
                [run] = found.list_runs()
                assert {event.run_id for event in found.events} == {run.run_id}
                assert audit(found).ok
                write_ledger(ledger, own := here / f"{word}.db")
                assert anchor(own) == anchor(ledger)
                if not number % 4:
                    with open_ledger(here / "shared.db") as kept:
                        run_plan(build_plan(RepoDependencyGraph.from_edges([("a", word)]), version="1"), 0.0, kept)
                    own.unlink()
        except BaseException as error:
            failures.put(f"{name}-{thread}: {type(error).__name__}: {error}")

    threads = [threading.Thread(target=turn, args=(thread,)) for thread in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _race(folder: Path, rounds: int) -> None:
    context = multiprocessing.get_context("spawn")
    failures: multiprocessing.Queue[str] = context.Queue()
    workers = [context.Process(target=_work, args=(str(folder), f"p{number}", rounds, failures)) for number in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [failures.get() for _ in range(failures.qsize())] == []
    found = read_ledger(folder / "shared.db")
    assert audit(found).ok
    events = Counter(event.run_id for event in found.events)
    assert set(events.values()) <= {4}
    names = {path.name for path in folder.iterdir()}
    assert not [name for name in names if name.startswith(".")]  # no draft is left


def test_two_processes_of_twenty_threads(tmp_path: Path) -> None:
    _race(tmp_path, 1)


@pytest.mark.slow
def test_two_processes_of_twenty_threads_a_thousand_rounds(tmp_path: Path) -> None:
    _race(tmp_path, 25)
