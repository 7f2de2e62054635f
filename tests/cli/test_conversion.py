"""``convert`` of graphs; of ledgers it stands in test_ledgers."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from seqkit import load_dataset, read_graph
from seqkit.__main__ import main

Out = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("edges.csv").write_text("dependency,dependent,kinds\ncore,api,\napi,app,peer\napp,core,dev\n,docs,\n")


def test_a_graph_goes_round_all_forms(capsys: Out) -> None:
    first = read_graph("edges.csv", cycles="keep")
    steps = ["edges.csv", "a.json", "b.dot", "c.tsv", "d.gv", "e.csv"]
    for source, target in itertools.pairwise(steps):
        assert main(["convert", source, target]) == 0
        assert capsys.readouterr().out == f"{target}: 4 repos, 3 dependencies.\n"
        again = read_graph(target, kinds="all", cycles="keep")
        assert (set(again), again.to_frame().to_dict()) == (set(first), first.to_frame().to_dict())
    assert main(["convert", "b.dot", "f.mmd", "--kinds", "normal"]) == 0
    assert Path("f.mmd").read_text().splitlines()[0] == "flowchart LR"
    assert "1 dependency" in capsys.readouterr().out


def test_a_data_set_and_a_folder(capsys: Out) -> None:
    assert main(["convert", "chain_or_hub", "hub.json"]) == 0
    assert read_graph("hub.json").edges == load_dataset("chain_or_hub").graph.edges
    Path("js").mkdir()
    Path("js/package.json").write_text('{"name": "root", "workspaces": ["a"]}')
    Path("js/a").mkdir()
    Path("js/a/package.json").write_text('{"name": "a"}')
    assert main(["convert", "js", "js.dot"]) == 0
    assert '"a"' in Path("js.dot").read_text()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["needs.dot", "x.csv"], "direction is missing: needs.dot does not say what an edge means"),
        (["edges.csv", "edges.csv"], "which is SOURCE"),
        (["edges.csv", "old.json"], "which exists; give --force to replace it"),
        (["edges.csv", "x.png"], "or of a graph .csv, .tsv, .json, .dot, .gv or .mmd"),
        (["edges.csv", "x.dot", "--skip-unreadable"], "--skip-unreadable is about ledgers"),
        (["runs.jsonl", "x.jsonl.gz", "--kinds", "all"], "--kinds is about graphs"),
        (["nothing.here", "x.dot"], "is no data set"),
        (["edges.csv", "no/x.dot"], "there is no directory"),
    ],
)
def test_what_cannot_be_converted(capsys: Out, words: list[str], message: str) -> None:
    Path("needs.dot").write_text("digraph { app -> core }")
    Path("old.json").write_text("{}")
    assert main(["convert", *words]) == 2
    assert message in " ".join(capsys.readouterr().err.split())
    assert not Path("x.dot").exists()


def test_the_direction_is_an_option(capsys: Out) -> None:
    Path("needs.dot").write_text("digraph { app -> core }")
    assert main(["convert", "needs.dot", "x.csv", "--direction", "dependent_to_dependency"]) == 0
    assert Path("x.csv").read_text() == "dependency,dependent\ncore,app\n"
    assert main(["graph", "needs.dot", "--direction", "dependent_to_dependency", "--csv", "-"]) == 0
    assert capsys.readouterr().out.endswith("core,app\n")
