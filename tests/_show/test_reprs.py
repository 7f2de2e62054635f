"""What objects look like in a notebook: true, strict, small, and the same bytes on every machine."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import sqlalchemy as sa

from seqkit import (
    MemoryRunLedger,
    RepoDependencyGraph,
    RunMetadata,
    ScriptedReleaser,
    SqlRunLedger,
    analyze,
    audit,
    build_plan,
    compare,
    load_dataset,
    read_ledger,
    replay,
    resume_plan,
    run_plan,
    simulate,
    what_if,
    write_ledger,
)
from seqkit._show.html import Markup, escaped, folded, names, page, table
from seqkit._show.palette import STATUS_STYLES
from seqkit.ledger.found import FoundLedger, FoundRun, Problem
from seqkit.ledger.showing import LAST, RUN_STYLES
from tests.tools.strategies import HOSTILE_NAMES

SVG = "{http://www.w3.org/2000/svg}"
NAMES = [*HOSTILE_NAMES, "\u202eabc", "שלום", "a\0b", "</svg><img src=x>"]


def shown(thing: Any) -> ET.Element:
    return ET.fromstring(thing._repr_html_())


def told(root: ET.Element) -> str:
    return " ".join("".join(root.itertext()).split())


def statuses(root: ET.Element) -> Counter[str]:
    """Count what the thumbnail shows."""
    return Counter(group.attrib["data-status"] for group in root.iter(f"{SVG}g") if "data-status" in group.attrib)


def legends(root: ET.Element) -> list[str]:
    """Give the entries of the legend."""
    return [
        " ".join("".join(span.itertext()).split())
        for div in root.iter("div")
        if "line-height" in div.get("style", "")
        for span in div
    ]


def legend_of(counts: Counter[str]) -> list[str]:
    return [f"{style.mark} {style.word} {counts[word]}" for word, style in STATUS_STYLES.items() if counts[word]]


def cells(root: ET.Element) -> list[list[str]]:
    """Give the rows of all tables, those that are folded away too."""
    return [["".join(cell.itertext()) for cell in row] for row in root.iter("tr")]


def everything() -> dict[str, Any]:
    """One of each, hostile names included; all of it is certain."""
    jest, kf5 = load_dataset("jest29"), load_dataset("kf5")
    star = RepoDependencyGraph.from_edges([("core", name) for name in NAMES])
    hostile = build_plan(star, [(name, f"<i>{name}</i>", "", "") for name in star])
    plan = build_plan(jest.graph, originating_run_id="spring")
    ledger, sql = (kind(**{"ids": [f"run-{i}" for i in range(30)]} | more) for kind, more in KINDS)
    for seed in range(25):
        last = run_plan(plan, 0.04, ledger, rng=seed, policy="stop" if seed % 2 else "skip_dependents")
    run_plan(hostile, ScriptedReleaser(dict.fromkeys(NAMES[::2], "<u>why</u>")), sql)
    return {
        "graph": jest.graph,
        "star": star,
        "large": RepoDependencyGraph.from_edges([(f"r{i // 3}", f"r{i}") for i in range(1, 400)]),
        "nothing": RepoDependencyGraph(),
        "plan": plan,
        "hostile plan": hostile,
        "empty plan": build_plan(jest.graph, []),
        "partial": build_plan(jest.graph, [("jest-util", "1", "", ""), ("jest", "1", "", "")]),
        "outcome": what_if(plan, ["jest-util", "jest-docblock"]),
        "stopped": what_if(plan, "jest-util", policy="stop"),
        "hostile outcome": what_if(hostile, NAMES),
        "memory": ledger,
        "sql": sql,
        "found": kf5.ledger,
        "simulation": simulate(build_plan(kf5.graph), 0.02, rng=7, trials=1000),
        "analysis": analyze(build_plan(kf5.graph), 0.02),
        "hostile analysis": analyze(hostile, 0.1),
        "comparison": compare(plan, plan, 0.02, attempts=(1, 2), rng=7, trials=1000),
        "audit": audit(kf5.ledger, graph=kf5.graph),
        "hostile audit": audit(sql),
        "data set": kf5,
        "resume": resume_plan(ledger, last.run_id),
        "hostile resume": resume_plan(sql, "run-0"),
        "replay": replay(ledger, last.run_id, policy="continue", model=0.3, rng=1, trials=50),
        "certain replay": replay(ledger, last.run_id, fail="jest-util"),
    }


KINDS: list[tuple[Callable[..., Any], dict[str, Any]]] = [(MemoryRunLedger, {}), (SqlRunLedger, {"url": "sqlite://"})]


@pytest.fixture(scope="module")
def things() -> dict[str, Any]:
    return everything()


def test_all_are_strict_and_small_and_nothing_in_them_is_live(things: dict[str, Any]) -> None:
    for name, thing in things.items():
        html = thing._repr_html_()
        root = ET.fromstring(html)
        tags = {element.tag.removeprefix(SVG) for element in root.iter()}
        assert not tags & {"script", "img", "style", "a", "iframe", "i", "u", "b"}, name
        assert not {attribute for element in root.iter() for attribute in element.attrib} & {"id", "onload", "href"}
        assert len(html) < 50_000, name
        assert len(repr(thing)) < 3_000, name


def test_no_colour_of_text_or_page_is_fixed(things: dict[str, Any]) -> None:
    fills = {style.colour for style in STATUS_STYLES.values()} | {"none", "currentColor", "#000000", "#ffffff"}
    for thing in things.values():
        for element in shown(thing).iter():
            assert element.get("fill", "none") in fills
            assert element.get("stroke", "none") in {"none", "currentColor", "#000000", "#ffffff"}
            if "background" in element.get("style", ""):
                assert element.get("aria-hidden") == "true", "the colour of a status, with its mark on it"
            else:
                assert "color:" not in element.get("style", "")


def digests(things: dict[str, Any]) -> list[str]:
    return [
        f"{name} {hashlib.sha256((thing._repr_html_() + repr(thing)).encode()).hexdigest()}"
        for name, thing in things.items()
    ]


def test_the_same_bytes_in_every_process(things: dict[str, Any]) -> None:
    root = Path(__file__).parents[2]
    done = subprocess.run(  # strings hash otherwise there: nothing may hang on the order of a set
        [
            sys.executable,
            "-c",
            "from tests._show import test_reprs as here; print(*here.digests(here.everything()), sep='\\n')",
        ],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "1", "PYTHONPATH": str(root)},
    )
    assert done.stdout.splitlines() == digests(things)


# ---------------------------------------------------------------------- graphs, plans, outcomes


def test_a_graph_shows_its_waves(things: dict[str, Any]) -> None:
    graph = things["graph"]
    root = shown(graph)
    assert statuses(root) == {"pending": 46}
    assert "46 repos, 175 dependencies; " in told(root)
    rows = cells(root)
    assert [row for row in rows if row != ["wave", "repos", "which"]] == [
        [str(number), str(len(wave)), ", ".join(wave[:8]) + (f" and {len(wave) - 8} more" if len(wave) > 8 else "")]
        for number, wave in enumerate(graph.waves())
    ]
    assert told(root.find("details/summary")) == "waves 6 to 14"


def test_a_plan_shows_what_is_not_released(things: dict[str, Any]) -> None:
    plan = things["partial"]
    root = shown(plan)
    counts = Counter({"pending": 2, "unreleased": len(plan.unreleased)})
    assert statuses(root) == counts
    assert legends(root) == legend_of(counts)
    rows = {row[2]: row for row in cells(root)}
    assert rows["jest-util"] == ["0", "0", "jest-util", "1"]
    assert [row for row in rows if row != "repo"] == plan.released
    fold = root.find("details")
    assert fold.findtext("summary") == f"{len(plan.unreleased)} not released"
    assert [bdi.text for bdi in fold.iter("bdi")] == plan.unreleased
    assert "only because repos to release depend on each other through them" in told(fold)


def test_an_outcome_shows_who_failed_and_who_waits_for_whom(things: dict[str, Any]) -> None:
    outcome = things["outcome"]
    root = shown(outcome)
    words = outcome.to_frame()["skip_cause"].astype(object).fillna(outcome.to_frame()["status"].astype(object))
    counts = Counter(words)
    assert statuses(root) == counts
    assert legends(root) == legend_of(counts)
    rows = [row for row in cells(root) if row[0] != "repo"]
    assert [row[0] for row in rows] == [*outcome.failures, *outcome.skipped]
    blocked = sum("jest-util" in blockers for blockers in outcome.blocked_by)
    failed = {row[0]: row for row in rows[:2]}
    assert failed["jest-util"][1] == "✗ failed"
    assert failed["jest-util"][2] == f"what if it fails (blocks {blocked} repos)"  # the row names the repo
    for row in rows[2:]:
        blockers = outcome.blocked_by[outcome.plan.position(row[0])]
        assert row[1:] == ["⊘ blocked", f"waits for {', '.join(blockers)}"]


def test_causes_of_skips_are_told_apart(things: dict[str, Any]) -> None:
    root = shown(things["stopped"])
    rows = {row[1]: row[2] for row in cells(root)}
    assert rows["■ stopped"] == "nothing new was started any more"
    assert rows["⊘ blocked"] == "waits for jest-util"
    assert {"stopped", "blocked", "succeeded", "failed"} == set(statuses(root))
    assert "everything was released" in told(shown(what_if(things["plan"])))


def test_above_300_repos_nothing_is_laid_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("a layout of a large graph")

    monkeypatch.setattr("seqkit._show.svg.drawing.rows", never)
    graph = RepoDependencyGraph.from_edges([("hub", f"r{i}") for i in range(600)])
    plan = build_plan(graph, version="1")
    for thing, counts in (
        (graph, "601 repos in 2 columns. "),
        (plan, "601 repos in 2 columns: 601 pending. "),
        (what_if(plan, "hub"), "601 repos in 2 columns: 600 blocked, 1 failed. "),
    ):
        root = shown(thing)
        assert any(counts in svg.get("aria-label", "") for svg in root.iter(f"{SVG}svg"))
        assert "the tallest 600 repos" in told(root)
        assert len(list(root.iter("tr"))) < 70
        assert ("… and" in told(root)) == (thing is not graph)


# ---------------------------------------------------------------------- ledgers


def runs_of(root: ET.Element) -> list[list[str]]:
    return [row for row in cells(root) if row != ["run", "status", "events"]]


def test_a_ledger_shows_how_its_runs_ended(things: dict[str, Any]) -> None:
    ledger = things["memory"]
    root = shown(ledger)
    counts = Counter(run.status.value for run in ledger.list_runs())
    assert legends(root) == [
        f"{style.mark} {style.word} {counts[word]}" for word, style in RUN_STYLES.items() if counts[word]
    ]
    assert runs_of(root) == [
        [run.run_id, f"{RUN_STYLES[run.status].mark} {run.status.lower()}", f"{len(ledger.get_events(run.run_id)):,}"]
        for run in ledger.list_runs()[-LAST:]
    ]
    assert "the last 20 of 25 runs: runs_frame(ledger) has all" in told(root)
    strip = next(root.iter(f"{SVG}svg"))
    assert strip.attrib["aria-label"] == f"{counts['COMPLETED']} completed, {counts['FAILED']} failed"


def test_all_ledgers_look_alike(tmp_path: Path) -> None:
    memory = MemoryRunLedger(ids=[f"run-{i}" for i in range(25)])
    plan = build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1")
    for seed in range(25):
        run_plan(plan, 0.3, memory, rng=seed)
    path = tmp_path / "runs.jsonl"
    write_ledger(memory, path)
    found = read_ledger(path)
    with SqlRunLedger(tmp_path / "runs.db", ids=[run.run_id for run in found.list_runs()]) as sql:
        for run in found.list_runs():
            sql.create_run(run.spec_digest, run.metadata)
            for event in found.get_events(run.run_id):
                sql.append_event(run.run_id, event)
            {"COMPLETED": sql.complete_run, "FAILED": sql.fail_run}[run.status.value](run.run_id, run.summary)
        pages = [told(shown(ledger)).split(")", 1)[1] for ledger in (memory, found, sql)]
    assert len(set(pages)) == 1


def test_an_empty_ledger_has_no_legend_and_no_table() -> None:
    root = shown(MemoryRunLedger())
    assert not legends(root)
    assert not list(root.iter("table"))


def test_a_found_ledger_says_what_is_odd(things: dict[str, Any]) -> None:
    run = things["memory"].list_runs()[0]
    odd = FoundLedger([FoundRun(run, "a"), FoundRun(run, "b")], [], [Problem("<b>", 3, "no <i>run</i>")])
    note = told(shown(odd))
    assert "1 more records of the same runs" in note
    assert "first unreadable: <b>: no <i>run</i>" in note


def test_a_damaged_database_is_shown_without_an_error(tmp_path: Path) -> None:
    with SqlRunLedger(tmp_path / "runs.db", ids=["one", "two"]) as ledger:
        ledger.create_run("0" * 64, RunMetadata())
        ledger.create_run("0" * 64, RunMetadata())
        with ledger.engine.connect() as connection:
            connection.execute(sa.text("UPDATE runs SET status = '<b>ODD</b>' WHERE run_id = 'two'"))
            connection.commit()
        root = shown(ledger)
        assert runs_of(root) == [["one", "▶ running", "0"], ["two", "<b>ODD</b>", "0"]]
        assert "1 with an unknown status" in told(root)
        with ledger.engine.connect() as connection:
            connection.execute(sa.text("DROP TABLE run_events"))
            connection.commit()
        assert "no such table" in told(shown(ledger))


# ---------------------------------------------------------------------- numbers


def bars_of(root: ET.Element) -> int:
    return len(list(root.iter(f"{SVG}rect")))


def label_of(root: ET.Element) -> str:
    return next(root.iter(f"{SVG}svg")).attrib["aria-label"]


def test_a_simulation_shows_its_histogram(things: dict[str, Any]) -> None:
    simulation = things["simulation"]
    root, row = shown(simulation), simulation.summary().loc["succeeded"]
    assert label_of(root) == (
        "Number of repos released per run, share of the trials: histogram of the counts from 0 to 75; "
        f"mean {row['mean']:.4g}, 5 % {row['q05']:.0f}, median {row['median']:.0f}, 95 % {row['q95']:.0f}"
    )
    assert bars_of(root) == simulation.counts["n_succeeded"].nunique()
    assert [row[0] for row in cells(root)] == ["repos per run", "succeeded", "failed", "skipped"]


def test_large_counts_are_written_out() -> None:
    plan = build_plan(RepoDependencyGraph.from_edges([], nodes=[f"r{i}" for i in range(4_000)]), version="1")
    simulation = simulate(plan, 0.5, trials=100, rng=1)
    median = int(simulation.summary().loc["succeeded", "median"])
    assert f"median {median:,}" in label_of(shown(simulation))
    analysis = analyze(plan, 0.5)
    assert ["expected to be released", "2,000", "repos"] in cells(shown(analysis))
    assert "expect 2,000 released, 2,000 failed, 0 skipped" in repr(analysis)


def test_an_analysis_shows_the_exact_law_and_the_gains(things: dict[str, Any]) -> None:
    analysis = things["analysis"]
    root, law = shown(analysis), analysis.distribution()
    below = law.cumsum()
    quantiles = [int((below < share - 1e-12).sum()) for share in (0.05, 0.5, 0.95)]
    assert label_of(root).endswith(
        f"mean {analysis.expected.succeeded:.4g}, 5 % {quantiles[0]}, median {quantiles[1]}, 95 % {quantiles[2]}"
    )
    assert bars_of(root) == int((law > 0).sum())
    best = analysis.importance().head(3)
    assert cells(root)[-3:] == [
        [repo, f"{row['gain_if_perfect']:.3g}", str(row["n_dependents"])] for repo, row in best.iterrows()
    ]
    assert told(root).endswith("exact, policy skip_dependents")


def test_an_analysis_leaves_out_what_takes_time() -> None:
    tangle = [(f"r{j}", f"r{i}") for i in range(1, 200) for j in {i // 2, i // 3, i // 5} if j < i]
    busy = shown(analyze(build_plan(RepoDependencyGraph.from_edges(tangle), version="1"), 0.1))
    assert bars_of(busy) == 0
    assert "left out for time: the law of the number released (.distribution()" in told(busy)
    assert "harden first" in told(busy)
    chain = [(f"r{i}", f"r{i + 1}") for i in range(600)]
    long = shown(analyze(build_plan(RepoDependencyGraph.from_edges(chain), version="1"), 0.1))
    assert "the gains (.importance())" in told(long)
    assert bars_of(long) == 0
    nothing = analyze(build_plan(RepoDependencyGraph(), []), 0.1)
    assert "harden first" not in told(shown(nothing))


def test_a_replay_shows_the_one_outcome_or_the_trials(things: dict[str, Any]) -> None:
    certain = things["certain replay"]
    counts = Counter(certain.outcome.words())
    assert legends(shown(certain)) == legend_of(counts)
    drawn = things["replay"]
    root = shown(drawn)
    assert f"mean {drawn.n_succeeded}" in label_of(root)
    assert bars_of(root) == drawn.outcomes["n_succeeded"].nunique()


def test_a_resume_shows_how_the_run_left_each_repo(things: dict[str, Any]) -> None:
    plan = things["resume"]
    root = shown(plan)
    counts = Counter(plan.reasons["reason"])
    assert statuses(root) == counts
    assert legends(root) == legend_of(counts)
    rows = [row for row in cells(root) if row[0] != "repo"]
    assert [row[0] for row in rows] == plan.released
    assert [row[2].split(" ", 1)[1] for row in rows] == plan.reasons["reason"].tolist()


def test_an_audit_shows_its_verdict_and_severities(things: dict[str, Any]) -> None:
    report = things["audit"]
    root = shown(report)
    counts = Counter(report.findings["severity"])
    assert legends(root) == [f"✗ error {counts['error']}", f"i info {counts['info']}"]
    assert "✗ the record does not hold together" in told(root)
    assert cells(root)[1][:3] == ["✗ error", "blocked", "96"]
    assert "8 checks were not made: .checks says why" in told(root)
    assert "✓ the record holds together" in told(shown(audit(things["memory"])))


# ---------------------------------------------------------------------- the parts


def test_markup_is_kept_and_text_is_escaped() -> None:
    root = ET.fromstring(table("<b>", ["<i>"], [[Markup("<u>x</u>"), "<u>y</u>", None, 3]], "<s>"))
    assert [element.tag for element in root.iter() if element.tag in "bius"] == ["u"]
    assert told(root) == "<b><i>x<u>y</u>3<s>"
    assert escaped(escaped("<")) == "&lt;"
    low = bytes(range(32)).decode()
    assert ET.fromstring(f"<p>{escaped(low)}</p>").text == repr(low)[1:-1]


def test_lists_of_names_are_cut_and_isolated() -> None:
    root = ET.fromstring("<p>" + names(["", "\u202eabc", *"defghijk"], most=4) + "</p>")
    assert [bdi.text for bdi in root] == ["''", "\\u202eabc", "d", "e"]
    assert told(root).endswith("and 6 more")


def test_folds_and_pages_nest() -> None:
    root = ET.fromstring(page("top", folded("<more>", "<hr/>"), note="end"))
    assert root.find("details/hr") is not None
    assert root.findtext("details/summary") == "<more>"
    assert told(root) == "top<more>end"
