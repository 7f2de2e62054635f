"""What stands in a ledger twice counts once and is said; copies that contradict each other are never added up."""

from __future__ import annotations

import itertools
import json
import warnings
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqkit import (
    MemoryRunLedger,
    RepeatedRecords,
    RepoDependencyGraph,
    RunStatus,
    SqlRunLedger,
    UnsupportedRanking,
    audit,
    blockers,
    build_plan,
    dispersion_test,
    events_frame,
    fit_failure_rates,
    fixes_frame,
    items_frame,
    read_ledger,
    read_ledgers,
    replay,
    resume_plan,
    run_plan,
    runs_frame,
    trains_frame,
    write_ledger,
)
from seqkit.ledger.copies import counted, settled, without_repeats
from seqkit.ledger.found import FoundLedger
from seqkit.plots import history, timeline
from tests.tools.strategies import Train, trains

CHAIN = RepoDependencyGraph.from_edges([("core", "api"), ("api", "app"), ("core", "docs")])
CASE = Path(__file__).parents[1] / "data" / "delivered_twice"


def ran(folder: Path, name: str = "once.jsonl", run_id: str = "monday", **options: Any) -> Path:
    """A run with retries and a failure in a file."""
    tries = itertools.count()

    def release(repo: str, *about: str) -> str:
        if repo == "api" or (repo == "docs" and next(tries) == 0):
            raise RuntimeError(f"{repo} is red")
        return f"{repo}-1"

    ledger = MemoryRunLedger(ids=[run_id])
    run_plan(build_plan(CHAIN, version="1"), release, ledger, **{"attempts": 2, **options})
    write_ledger(ledger, folder / name)
    return folder / name


def lines(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines()


def written(path: Path, content: list[str]) -> Path:
    path.write_text("\n".join(content) + "\n", "utf-8")
    return path


def changed(line: str, **changes: Any) -> str:
    content = json.loads(line)
    [inner] = content.values()
    inner.update(changes)
    return json.dumps(content)


def counts(ledger: Any) -> dict[str, Any]:
    """Everything that counts tries, of a ledger with one run."""
    with warnings.catch_warnings(action="ignore"):
        fit = fit_failure_rates(ledger)
        return {
            "fit": fit[["attempts", "failures"]].to_dict("index"),
            "items": items_frame(ledger).drop(columns="source", errors="ignore").to_dict("records"),
            "trains": trains_frame(ledger).to_dict("records"),
            "fixes": fixes_frame(ledger).to_dict("records"),
            "blockers": blockers(ledger).to_dict("index"),
            "resume": resume_plan(ledger, "monday").reasons.to_dict("index"),
            "replay": replay(ledger, "monday").outcome.items,
            "dispersion": dispersion_test(ledger, rng=1).n_runs,
        }


REPEATS = {
    "an event at once": lambda all_of: [*all_of[:3], all_of[2], *all_of[3:]],
    "an event later": lambda all_of: [*all_of, all_of[2]],
    "a failure": lambda all_of: [*all_of, *(line for line in all_of if "NodeFailed" in line)],
    "every event": lambda all_of: [all_of[0], *(line for line in all_of[1:] for _ in range(2))],
    "the file, joined to itself": lambda all_of: [*all_of, *all_of],
    "three times": lambda all_of: [*all_of, *all_of, *all_of],
    "the record again in the middle": lambda all_of: [*all_of[:4], all_of[0], *all_of[4:]],
    "records first": lambda all_of: [all_of[0], all_of[0], *all_of[1:], *all_of[1:]],
    "backwards": lambda all_of: [*all_of, *reversed(all_of)],
}


@pytest.mark.filterwarnings("ignore:the data do not support a ranking")  # of three first attempts
@pytest.mark.parametrize("name", REPEATS)
def test_what_is_delivered_twice_counts_once_and_is_said(name: str, tmp_path: Path) -> None:
    once = ran(tmp_path)
    twice = written(tmp_path / "twice.jsonl", REPEATS[name](lines(once)))
    assert counts(twice) == counts(once)
    for look in (fit_failure_rates, items_frame, trains_frame, fixes_frame, blockers):
        with pytest.warns(RepeatedRecords, match="counted once: ") as caught:
            look(twice)
        assert Path(caught[0].filename) == Path(__file__)
    report = audit(twice)
    assert report.ok
    assert set(report.findings["severity"]) == {"warning"}
    assert set(report.findings["check"]) <= {"seq", "recorded_once"}
    # What was found is still all there.
    found = read_ledger(twice)
    assert len(events_frame(found)) == len(REPEATS[name](lines(once))) - len(found.runs)
    assert len(runs_frame(found)) == len(found.runs)


def test_the_same_file_read_twice_and_a_database_beside_its_export(tmp_path: Path) -> None:
    once = ran(tmp_path)
    found = read_ledger(once)
    now = [found.runs[0].record.created_at]
    database = SqlRunLedger(tmp_path / "runs.db", ids=["monday"], clock=lambda: now[0])
    record = found.get_run("monday")
    database.create_run(record.spec_digest, record.metadata)
    for event in found.get_events("monday"):
        database.append_event("monday", event)
    now[0] = record.completed_at
    assert record.summary is not None
    database.fail_run("monday", record.summary)
    database.close()
    for paths in ([once, once], [tmp_path / "runs.db", once], [once, tmp_path / "runs.db"]):
        both = read_ledgers(paths)
        assert counts(both) == counts(once)
        assert len(both.events) == 2 * len(found.events)


def test_a_second_entry_under_another_number_is_no_failure() -> None:
    """It is a contradiction, which the audit names, but nothing that failed."""
    for path in (CASE / "runs.jsonl", CASE / "doubled.jsonl"):
        with warnings.catch_warnings(action="ignore", category=UnsupportedRanking), pytest.warns(RepeatedRecords):
            fit = fit_failure_rates(path)
        assert fit["failures"].sum() == 0
        assert fit["attempts"].tolist() == [1] * 4


def test_entries_that_repeat_are_no_tries(tmp_path: Path) -> None:
    all_of = lines(ran(tmp_path))
    at = next(place for place, line in enumerate(all_of) if "NodeEntered" in line)
    renumbered = [all_of[0], *all_of[1 : at + 1], *all_of[at:]]
    renumbered = [all_of[0], *(changed(line, seq=seq) for seq, line in enumerate(renumbered[1:], 1))]
    again = written(tmp_path / "again.jsonl", renumbered)
    with warnings.catch_warnings(action="ignore"):
        assert fit_failure_rates(again).equals(fit_failure_rates(tmp_path / "once.jsonl"))
    assert trains_frame(again)["attempts"].tolist() == trains_frame(tmp_path / "once.jsonl")["attempts"].tolist()
    assert "entries" in set(audit(again).findings["check"])
    assert not audit(again).ok


# ---------------------------------------------------------------------- older copies


def running(record: str) -> str:
    return changed(record, status="RUNNING", summary=None, completed_at=None)


@pytest.mark.parametrize("newer_first", [False, True])
@pytest.mark.parametrize("joined", [False, True])
def test_of_an_older_copy_and_a_newer_one_the_longer_counts(tmp_path: Path, newer_first: bool, joined: bool) -> None:
    whole = lines(ran(tmp_path))
    once = counts(tmp_path / "once.jsonl")
    for length in range(1, len(whole) + 1):
        old = [running(whole[0]), *whole[1:length]]
        parts = [whole, old] if newer_first else [old, whole]
        paths = [written(tmp_path / f"{n}.jsonl", part) for n, part in enumerate(parts)]
        if joined:
            paths = [written(tmp_path / "joined.jsonl", [*parts[0], *parts[1]])]
        both = read_ledgers(paths)
        answer = settled(both)
        assert answer.ledger.get_run("monday").status is RunStatus.FAILED
        assert [run.record.status.value for run, _ in answer.older] == ["RUNNING"]
        assert "older copy of a run ('monday' in " in answer.said
        assert counts(both) == once
        report = audit(both)
        assert report.ok
        assert "once as an older copy, which does not count" in report.findings["message"].str.cat()


def test_a_copy_that_was_cut_is_the_older_one(tmp_path: Path) -> None:
    once = ran(tmp_path)
    cut = written(tmp_path / "cut.jsonl", lines(once)[:-2])
    assert counts(read_ledgers([cut, once])) == counts(read_ledgers([once, cut])) == counts(once)


def test_a_file_without_the_record_has_more_of_the_run(tmp_path: Path) -> None:
    whole = lines(ran(tmp_path))
    first = written(tmp_path / "first.jsonl", whole[:4])
    second = written(tmp_path / "second.jsonl", whole[3:])
    both = read_ledgers([first, second])
    assert counts(both) == counts(tmp_path / "once.jsonl")
    assert len(settled(both).repeats) == 1


# ---------------------------------------------------------------------- copies that differ

DIFFERING = {
    "another payload": lambda all_of: [*all_of[:2], changed(all_of[2], payload={"node_id": "core", "run_id": "x"})],
    "a number for a text": lambda all_of: [*all_of[:2], changed(all_of[2], payload={"node_id": "core", "run_id": 1})],
    "another time": lambda all_of: [*all_of[:2], changed(all_of[2], timestamp="2020-01-01T00:00:00Z")],
    "another kind": lambda all_of: [*all_of[:2], changed(all_of[2], kind="NodeFailed")],
    "an event is missing": lambda all_of: [*all_of[:2], *all_of[3:]],
    "another end": lambda all_of: [changed(all_of[0], status="CANCELLED"), *all_of[1:]],
    "another plan": lambda all_of: [changed(all_of[0], metadata={"agent_name": "x"}), *all_of[1:]],
    "another start": lambda all_of: [changed(all_of[0], created_at="2020-01-01T00:00:00Z"), *all_of[1:]],
    "ended, and yet shorter": lambda all_of: [changed(all_of[0], status="CANCELLED"), *all_of[1:3]],
}


@pytest.mark.usefixtures("settings_untouched")
@pytest.mark.parametrize("joined", [False, True])
@pytest.mark.parametrize("name", DIFFERING)
def test_copies_that_differ_are_refused_by_whoever_counts(name: str, tmp_path: Path, joined: bool) -> None:
    once = ran(tmp_path)
    all_of, other = lines(once), DIFFERING[name](lines(once))
    paths = [once, written(tmp_path / "other.jsonl", other)]
    if joined:
        paths = [written(tmp_path / "joined.jsonl", [*all_of, *other])]
        if name == "an event is missing":
            return  # one file that says its record twice and lacks nothing
    both = read_ledgers(paths)
    for count in (
        fit_failure_rates,
        trains_frame,
        fixes_frame,
        blockers,
        lambda ledger: resume_plan(ledger, "monday"),
        lambda ledger: replay(ledger, "monday"),
        lambda ledger: dispersion_test(ledger, rng=1),
    ):
        with pytest.raises(ValueError, match=r"^run 'monday' stands in .* and they differ in .*nobody can") as caught:
            count(both)
        for path in paths:
            assert str(path) in str(caught.value)
    findings = audit(both).findings
    told = findings[findings["check"] == "recorded_once"]
    assert told["severity"].tolist() == ["error"]
    assert "and they differ in" in told["message"].item()
    for path in paths:
        assert path.name in told["message"].item()
    # Kept as found: frames of the record and pictures still show it.
    assert len(events_frame(both)) == len(all_of) + len(other) - 2
    assert set(items_frame(both)["repo_id"]) == {"core", "api", "app", "docs"}
    _, ax = plt.subplots()
    timeline(both, ax=ax)
    history(both, ax=ax)


def test_a_run_that_differs_does_not_hide_the_others(tmp_path: Path) -> None:
    once, tuesday = ran(tmp_path), ran(tmp_path, "tuesday.jsonl", "tuesday")
    other = written(tmp_path / "other.jsonl", DIFFERING["another payload"](lines(once)))
    both = read_ledgers([once, other, tuesday, tuesday])
    answer = settled(both)
    assert len(answer.differing) == 1
    assert len(answer.ledger.get_events("tuesday")) == len(lines(tuesday)) - 1
    assert len(answer.ledger.get_events("monday")) > len(lines(once)) - 1
    assert resume_plan(read_ledger(tuesday), "tuesday").released


def test_what_a_ledger_contradicts_in_one_record_is_left_as_it_is(tmp_path: Path) -> None:
    """One run, one record, one number used for two events: no copy, and the audit's business."""
    all_of = lines(ran(tmp_path))
    odd = written(tmp_path / "odd.jsonl", [*all_of, changed(all_of[2], kind="NodeSkipped")])
    found = read_ledger(odd)
    assert counted(found) is found
    assert "seq" in set(audit(odd).findings["check"])


def test_a_ledger_that_is_written_to_counts_as_it_is() -> None:
    ledger = MemoryRunLedger()
    assert counted(ledger) is without_repeats(ledger) is ledger


@settings(deadline=None)
@given(trains().filter(lambda train: bool(train.order)), st.randoms(use_true_random=False))
def test_any_line_again_anywhere_changes_nothing(train: Train, chance: Any) -> None:
    ledger = MemoryRunLedger(ids=["monday"])
    run_plan(train.plan, lambda repo, *_: repo if repo not in train.failing else 1 / 0, ledger)
    record, events = ledger.get_run("monday"), ledger.get_events("monday")
    once = found_of([record], events)
    twice = found_of([record] * chance.choice([1, 2]), [*events, *chance.choices(events, k=3)] if events else [])
    assert without_repeats(twice).get_events("monday") == events
    assert items_frame(without_repeats(twice)).equals(items_frame(once))


def found_of(records: Any, events: Any) -> FoundLedger:
    from seqkit.ledger.found import FoundEvent, FoundRun  # noqa: PLC0415

    return FoundLedger([FoundRun(run, "a") for run in records], [FoundEvent("monday", event, "a") for event in events])
