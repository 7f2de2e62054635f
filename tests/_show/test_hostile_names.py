"""Names that break naive programs: planned, run, stored, framed and shown without harm."""

from __future__ import annotations

import csv
import io
import re
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pydantic import BaseModel

import seqkit
from seqkit import (
    CommonCause,
    FailureModel,
    MemoryRunLedger,
    OrderCheck,
    RepoDependencyGraph,
    ScriptedReleaser,
    SequencePlan,
    SimulatedReleaser,
    SqlRunLedger,
    VirtualClock,
    analyze,
    audit,
    build_plan,
    check_order,
    compare,
    diff_plans,
    errors,
    eta,
    events_frame,
    for_spreadsheet,
    items_frame,
    read_ledger,
    replay,
    resume_plan,
    run_plan,
    runs_frame,
    simulate,
    steps,
    what_if,
    write_ledger,
)
from seqkit._show.spreadsheet import harmless
from seqkit._util.warned import warn_caller
from seqkit._util.words import printable
from seqkit.errors import as_recorded
from seqkit.explore import Browser, LiveRun, Quiz, Scenario, Walk
from seqkit.ledger.found import Problem
from tests.tools.strange_names import FORMULAS, HIDDEN, STRANGE_NAMES, Shown, is_seen
from tests.tools.strategies import HOSTILE_NAMES

_OF_PYTHON = (tuple, BaseModel, OrderCheck, Problem)  # whose reprs keep letters without a look, in quotes

ALLOWED = set(
    """b bdi br caption circle code details div g h1 h2 h3 head i img li main meta p path pre rect span strong style
    summary svg table tbody body td text th thead title tr ul html""".split()  # noqa: SIM905  # a list of them is a page long
)


@pytest.fixture
def graph():
    return RepoDependencyGraph.from_edges([("core", name) for name in HOSTILE_NAMES if name != "core"])


def test_planned_run_stored_and_framed(graph, tmp_path):
    plan = build_plan(graph, [(name, name) for name in graph], originating_run_id="'; DROP TABLE runs;--")
    assert SequencePlan.from_json(plan.to_json()) == plan
    with SqlRunLedger(tmp_path / "runs.db") as ledger:
        reasons = {name: name for name in HOSTILE_NAMES[::2]}
        outcome = run_plan(plan, ScriptedReleaser(reasons), ledger)
        assert set(outcome.failures) == set(reasons)
        items = items_frame(ledger, outcome.run_id)
        assert items["repo_id"].tolist() == [item.repo_id for item in plan.items]
        assert items["version_label"].tolist() == items["repo_id"].tolist()
        assert set(events_frame(ledger)["repo_id"]) == set(graph)
        assert runs_frame(ledger)["originating_run_id"].tolist() == ["'; DROP TABLE runs;--"]
        assert not ledger.list_runs("0" * 64)


def test_shown_as_html_and_text(graph):
    plan = build_plan(graph, version="<script>alert(2)</script>")
    outcome = what_if(plan, HOSTILE_NAMES[:2])
    for shown in (graph, plan, outcome):
        html = shown._repr_html_()
        assert "<script" not in html
        assert len(html) < 50_000
        assert html == shown._repr_html_()
        assert len(repr(shown)) < 500
    assert len(steps(plan, HOSTILE_NAMES[0])) == len(graph)
    assert check_order(plan, [item.repo_id for item in plan.items]).same_as_plan


# ---------------------------------------------------------------------- all that is shown


def everything(names: list[str], folder: Path) -> Iterator[Any]:
    """One of each thing that has a repr, about a release of these repos; all texts in it are such names too."""
    hub, *others = names
    graph = RepoDependencyGraph.from_edges([(hub, name) for name in others])
    releases = [(name, name, "", name) for name in names]
    plan = build_plan(graph, releases, originating_run_id=hub)
    other = build_plan(graph, [(name, others[-1]) for name in others], originating_run_id=hub)
    model = FailureModel(dict.fromkeys(names[:4], 0.2), common_causes=[CommonCause(hub, 0.1, names[:3])])
    ids = iter([*names, *(f"{hub}{number}" for number in range(9))])
    ledger = MemoryRunLedger(ids=ids)
    failing = {name: f"{name}: {hub}" for name in others[::2]}
    outcome = run_plan(plan, ScriptedReleaser(failing), ledger, tags={"train": hub})
    ended = run_plan(other, ScriptedReleaser({}), ledger)
    left = resume_plan(ledger, outcome.run_id)
    yield from (graph, plan, plan.items[0], plan.arrays, ledger, outcome, left, model, ScriptedReleaser(failing))
    analysis, simulation = analyze(plan, model), simulate(plan, model, trials=64, rng=0)
    yield from (analysis, simulation, simulation.trial(3), compare(plan, other, model, trials=64, rng=0))
    yield from (replay(ledger, outcome.run_id, policy="stop"), diff_plans(plan, other), diff_plans(other, plan))
    yield from (check_order(plan, [*others, hub]), check_order(plan, names[:2]), check_order(plan, names))
    yield from (audit(ledger, graph=other), ledger.get_events(outcome.run_id)[3], ledger.get_run(outcome.run_id))
    broken = folder / "runs.jsonl"
    write_ledger(ledger, broken)
    broken.write_text(broken.read_text(encoding="utf-8").replace('"seq":2', '"seq":7'), encoding="utf-8")
    found = read_ledger(broken)
    yield from (found, audit(found), Problem(hub, 3, others[0]))
    with SqlRunLedger(folder / "x\u202e$y$.db") as stored:
        yield stored
    yield from (Scenario(plan, model), Walk(plan, fail=others[0]), LiveRun(plan), Browser(ledger))
    yield from (Quiz(plan, rng=0), Quiz(plan, rng=0).question, ended)
    began = datetime(2026, 1, 2, tzinfo=UTC)
    slow = run_plan(plan, SimulatedReleaser(0.0, rng=0, durations=60), clock=VirtualClock(began))
    yield eta(slow.ledger, slow.run_id, 1.0, now=began + timedelta(seconds=30), trials=8, rng=0)  # names who is late


def html_of_everything(names: list[str], folder: Path) -> Iterator[str]:
    yield from (thing._repr_html_() for thing in everything(names, folder) if hasattr(thing, "_repr_html_"))


@pytest.fixture(scope="module")
def things(tmp_path_factory: pytest.TempPathFactory) -> list[list[Any]]:
    """The same things, with each name once at the front, five others behind it; and with all of them at once."""
    assert len(STRANGE_NAMES) >= 60
    given = []
    with warnings.catch_warnings(action="ignore"):
        for start in range(0, len(STRANGE_NAMES), 6):
            names = (STRANGE_NAMES + STRANGE_NAMES)[start : start + 7]
            given.append(list(everything(names, tmp_path_factory.mktemp("strange"))))
        given.append(list(everything(STRANGE_NAMES, tmp_path_factory.mktemp("strange"))))
    return given


def test_every_repr_is_seen_as_it_is(things: list[list[Any]]) -> None:
    kinds = set()
    for thing in (thing for same in things for thing in same):
        for text in (repr(thing), str(thing)):
            if isinstance(thing, _OF_PYTHON):
                assert text.isprintable(), type(thing)
            else:
                assert is_seen(text, lines=True), type(thing)
        kinds.add(type(thing))
    assert len(kinds) >= 24


def test_no_name_adds_a_line_to_a_repr(tmp_path: Path) -> None:
    plain = [f"name {number}" for number in range(9)]
    broken = [f"name\n{number}" for number in range(9)]
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    for one, other in zip(everything(plain, tmp_path / "a"), everything(broken, tmp_path / "b"), strict=True):
        assert repr(one).count("\n") == repr(other).count("\n"), type(one)


def test_every_html_is_text_that_nobody_typesets(things: list[list[Any]], tmp_path: Path) -> None:
    count = 0
    for thing in (thing for same in things for thing in same if hasattr(thing, "_repr_html_")):
        html = thing._repr_html_()
        shown = Shown(html)
        assert shown.set_as_tex == [], type(thing)
        assert shown.tags <= ALLOWED, (type(thing), shown.tags - ALLOWED)
        assert not any(name.startswith("on") or name in ("href", "autofocus") for name in shown.attributes)
        assert is_seen("".join(shown.texts), lines=False), type(thing)
        assert is_seen(html)
        count += 1
    assert count >= 100
    report = next(thing for thing in things[-1] if isinstance(thing, seqkit.AuditReport))
    report.to_html(tmp_path / "audit.html")
    shown = Shown((tmp_path / "audit.html").read_text(encoding="utf-8").partition("<body>")[2].partition("</body>")[0])
    assert "".join(shown.set_as_tex).strip() == ""
    assert shown.tags <= ALLOWED
    assert is_seen("".join(shown.texts), lines=True)


# ---------------------------------------------------------------------- errors and warnings


def raised(call: Callable[[], object]) -> Exception:
    with pytest.raises((errors.SeqkitError, ValueError, TypeError, OSError)) as caught:
        call()
    return caught.value


def complaints(name: str, folder: Path) -> Iterator[Exception]:
    """Errors whose messages name what they are about."""
    graph = RepoDependencyGraph.from_edges([(f"{name}1", f"{name}2"), (f"{name}2", name)])
    plan = build_plan(graph, version=name, originating_run_id=name)
    ledger = MemoryRunLedger(ids=[name])
    outcome = run_plan(plan, ScriptedReleaser({name: name}), ledger)
    yield from (
        errors.RepoNotFound(name, [f"{name}1"]),
        errors.DependencyCycle([name, f"{name}1", name]),
        errors.DependencyCycle([name, name], 3, name, name),
        errors.SequencingFailed(name, name),
        errors.DuplicateRelease(name),
        errors.RunNotFound(name),
        errors.InvalidRunState(name, name, name),
        errors.InvalidDigest(name),
        errors.IntegrityError(name),
        errors.Backend(f"{name}: {name}"),
        errors.StorageError(name),
        errors.ReadError(name, 3, name),
        errors.SeqkitError(name),
    )
    (folder / "a.csv").write_bytes(f'dependency,dependent\n"{name}x\n'.encode("utf-8", "surrogatepass"))
    (folder / "a.json").write_text(f'{{"lockfileVersion": "{name[:3]}"}}', encoding="utf-8")
    (folder / "a.jsonl").write_text(f'{{"run": "{name}"}}\n{name}\n', encoding="utf-8")
    for call in (
        lambda: graph.node(f"{name}9"),
        lambda: graph.dependents_of(f"{name}9"),
        lambda: graph.add_dependency(name, f"{name}1"),
        lambda: graph.add_dependency(f"{name}1", f"{name}7"),
        lambda: RepoDependencyGraph.from_edges([(name, f"{name}1"), (f"{name}1", name)]),
        lambda: build_plan(graph, [(f"{name}9", "1")]),
        lambda: build_plan(graph, [(name, "1"), (name, "2")]),
        lambda: build_plan(graph, version="1", scope=name),  # type: ignore[arg-type]
        lambda: plan.without(f"{name}9"),
        lambda: what_if(plan, f"{name}9"),
        lambda: what_if(plan, name, policy=name),  # type: ignore[arg-type]
        lambda: analyze(plan, {f"{name}9": 0.5}),
        lambda: simulate(plan, 0.1, trials=8, engine=name),  # type: ignore[arg-type]
        lambda: FailureModel({name: 7}),
        lambda: CommonCause(name, 7, []),
        lambda: CommonCause(name, 0.5, [3]),  # type: ignore[list-item]
        lambda: FailureModel(common_causes=[CommonCause(name, 0.5, []), CommonCause(name, 0.5, [])]),
        lambda: steps(plan, fail=f"{name}9"),
        lambda: ledger.get_run(f"{name}9"),
        lambda: ledger.cancel_run(name, ledger.get_run(name).summary),  # type: ignore[arg-type]
        lambda: resume_plan(ledger, f"{name}9"),
        lambda: resume_plan(ledger, name, in_doubt=name),  # type: ignore[arg-type]
        lambda: replay(ledger, name, policy=name),  # type: ignore[arg-type]
        lambda: audit(ledger, f"{name}9"),
        lambda: items_frame(ledger, f"{name}9"),
        lambda: seqkit.load_dataset(name),
        lambda: seqkit.read_graph(folder / f"{name[:40]}.csv".replace("/", "")),
        lambda: seqkit.read_graph(folder / "a.csv"),
        lambda: seqkit.read_graph(folder / "a.csv", format=name),
        lambda: seqkit.read_graph(folder / "a.json"),
        lambda: read_ledger(folder / "a.jsonl"),
        lambda: read_ledger(folder / f"{name[:40]}.jsonl".replace("/", "")),
        lambda: seqkit.open_ledger(folder / name[:40].replace("/", "") / "x" / "y.db"),
        lambda: seqkit.fit_failure_rates(pd.DataFrame({name: [1]})),
        lambda: for_spreadsheet(name),  # type: ignore[arg-type]
        lambda: run_plan(plan, ScriptedReleaser({f"{name}9": "x"}), ledger, policy=name),  # type: ignore[arg-type]
        lambda: Scenario(plan, 0.1).fail(f"{name}9"),
        lambda: Walk(plan, fail=f"{name}9"),
        lambda: SequencePlan.from_json(name),
        lambda: SequencePlan.from_json(plan.to_json().replace('"position"', f'"{name[:3]}"') + name),
        lambda: RepoDependencyGraph.from_edges(pd.DataFrame({name: [1], f"{name}2": [2]})),
        lambda: outcome.plan.position(f"{name}9"),
    ):
        yield raised(call)


@pytest.mark.parametrize("name", [*HIDDEN, *STRANGE_NAMES[:3]])
def test_every_error_is_one_line_that_is_seen_as_it_is(name: str, tmp_path: Path) -> None:
    for error in complaints(name, tmp_path):
        if isinstance(error, errors.SeqkitError):
            assert is_seen(str(error)), (type(error), ascii(str(error)))
        assert str(error).isprintable(), (type(error), ascii(str(error)))  # where repr quotes the value
        assert all(is_seen(note) for note in getattr(error, "__notes__", ())), type(error)


def test_attributes_and_ledgers_keep_names_as_they_are() -> None:
    name = "esc\x1b[2J\n"
    assert errors.RepoNotFound(name).repo == errors.SequencingFailed(name, "x").repo == name
    assert (errors.ReadError(name, 1, name).path, errors.ReadError(name, 1, name).message) == (name, name)
    plan = build_plan(RepoDependencyGraph.from_edges([], nodes=[name]), version="1")
    for releaser in (ScriptedReleaser({name: name}), 1.0):
        outcome = run_plan(plan, releaser, rng=None if isinstance(releaser, ScriptedReleaser) else 0)
        assert outcome.failures[name].startswith(f"release sequencing failed for repo {name}: ")
    assert outcome.failures == simulate(plan, 1.0, trials=1, rng=0).trial(0).outcome.failures

    class Own(errors.SequencingFailed):
        def __str__(self) -> str:
            return "mine"

    assert as_recorded(Own("a", "b")) == "mine"
    assert as_recorded(errors.SeqkitError()) == "SeqkitError"
    assert as_recorded(ValueError("a\nb")) == "a\nb"


@pytest.mark.parametrize("name", HIDDEN)
def test_every_warning_is_seen_as_it_is(name: str, tmp_path: Path) -> None:
    plan = build_plan(RepoDependencyGraph.from_edges([(name, "core")]), version="1")
    (tmp_path / "runs.jsonl").write_text(f'{{"run": "{name}"}}\n', encoding="utf-8")
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        analyze(plan, FailureModel({f"{name}9": 0.5, "core": 0.1}))
        RepoDependencyGraph.from_edges([("Abc", "abc"), (name, f"{name} ")])
        read_ledger(tmp_path / "runs.jsonl", on_bad_lines="warn")
        warn_caller(f"of {name}", UserWarning)
    assert len(seen) >= 4
    assert all(is_seen(str(warning.message)) for warning in seen)


@pytest.mark.parametrize("text", ["core", "naïve 🚀 שלום", "a'b\"c\\d", "x" * 300, "❤\ufe0f", ""])
def test_what_is_seen_stays_as_it_is(text: str) -> None:
    assert printable(text) == text
    assert str(errors.RepoNotFound(text)) == f"repo not found in graph: {text}"


@pytest.mark.parametrize("name", HIDDEN)
def test_escapes_are_those_of_repr(name: str) -> None:
    assert printable(printable(name)) == printable(name)
    assert printable(name).encode().decode("unicode_escape") == name


# ---------------------------------------------------------------------- spreadsheets


def runs(cell: str) -> bool:
    """Whether a spreadsheet would take a cell for a formula, or a call of another program."""
    text = re.sub(r"^[\s\0-\x1f\u200b\ufeff]+", "", cell)
    return bool(re.match("[=+\\-%|＝＋－﹦﹢﹣⁼⁺₊]|[@＠](?=.*[(|!])|@ ", text)) or cell[:1] in tuple("\t\r\n")


@pytest.mark.parametrize("escape", [True, False])
def test_no_cell_of_a_table_is_run(escape: bool) -> None:
    tricks = [*FORMULAS, *STRANGE_NAMES]
    frame = pd.DataFrame(
        {
            "text": tricks,
            "category": pd.Categorical(tricks),
            "list": [[trick, "x"] for trick in tricks],
            "dict": [{trick: trick} for trick in tricks],
            **dict.fromkeys(tricks, 1),
        },
        index=pd.MultiIndex.from_arrays([tricks, range(len(tricks))], names=["=index", "＋level"]),
    )
    before = frame.copy(deep=True)
    sheet = for_spreadsheet(frame, escape=escape)
    pd.testing.assert_frame_equal(frame, before)
    cells = [*sheet.columns, *(cell for name in sheet for cell in sheet[name] if isinstance(cell, str))]
    assert any(map(runs, cells)) is not escape
    if escape:
        assert for_spreadsheet(sheet).equals(sheet)
        assert not any(map(runs, [row for name in sheet for row in str(name).splitlines()]))


@pytest.mark.parametrize("text", FORMULAS)
@pytest.mark.parametrize(
    ("written", "opened"), [(",", ","), (",", ";"), (",", "\t"), (";", ","), ("\t", ";"), ("\t", ",")]
)
def test_no_other_separator_makes_a_formula(text: str, written: str, opened: str) -> None:
    table = for_spreadsheet(pd.DataFrame({"n": [1], "x": [text], "y": [text]})).to_csv(index=False, sep=written)
    rows = [
        *csv.reader(io.StringIO(table, newline=""), delimiter=opened),
        *csv.reader(table.splitlines(), delimiter=opened),
    ]
    bare = [line.split(opened) for line in table.splitlines()]
    for cell in (cell.lstrip(' "') for row in [*rows, *bare] for cell in row):
        assert not runs(cell) or re.fullmatch(r"[-+]?\d+", cell), (ascii(table), cell)


@pytest.mark.parametrize(
    "text",
    [
        *("core", "a-b", "a - b", "a=b", "a;b", "a@b.example", "50%", "1 | 2", "x, -1, +2", "'=1", ""),
        *("@acme/icons", "@acme", "@acme/icons(old)", "@acme/a, @acme/b", "'; DROP TABLE runs;--"),
        *('{"a": [1, -2]}', "https://example.org/?a=b"),
    ],
)  # fmt: skip
def test_harmless_text_stays(text: str) -> None:
    assert harmless(text) == text


def test_a_long_run_of_blanks_or_separators_takes_one_pass() -> None:
    for text in ("\n" * 200_000, ",+" * 100_000, ' "' * 100_000 + "=", "@a(a" * 50_000, "\u200b" * 200_000):
        assert len(harmless(text)) - len(text) <= 1
