"""``graph`` and ``plan``: what a file says of who needs whom, and what must go out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from seqkit import ChangePlan, SequencePlan
from seqkit.__main__ import main

Out = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("edges.csv").write_text("dependency,dependent,kinds\ncore,api,\napi,app,peer\napp,core,dev\ncore,docs,\n")


def test_a_graph_is_told_with_its_report(capsys: Out) -> None:
    assert main(["graph", "edges.csv"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "edges.csv (csv): 4 repos, 4 dependencies." in out
    assert "CYCLES: there is no order" in out
    assert "core needs app" in out
    assert main(["graph", "edges.csv", "--kinds", "normal,peer", "--json", "-"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["repos"], told["dependencies"], told["waves"], told["cycles"]) == (4, 3, 3, [])
    assert told["longest_chain"] == ["core", "api", "app"]
    assert told["blast_radius"][0] == {"repo_id": "core", "dependents": 3, "directly": 2}
    assert {key: value for key, value in told["report"][-1].items() if key != "examples"} == {
        "about": "left out",
        "what": "dev-only dependency (with it there is a cycle of 3)",
        "count": 1,
    }


def test_what_is_printed_as_csv_is_read_again(capsys: Out) -> None:
    assert main(["graph", "edges.csv", "--csv", "again.csv"]) == 0
    first = capsys.readouterr().out
    assert main(["graph", "again.csv"]) == 0
    assert capsys.readouterr().out.replace("again.csv", "edges.csv") == first


def test_a_plan_of_changes_is_a_file_for_the_other_commands(capsys: Out) -> None:
    assert main(["plan", "jest29", "--changed", "jest-util, jest-worker", "--bump", "minor", "--json", "p.json"]) == 0
    out = capsys.readouterr().out
    assert "GOES OUT, in this order" in out
    made = SequencePlan.from_json(Path("p.json").read_text("utf-8"))
    assert isinstance(made, ChangePlan)
    assert set(made.reasons.index[made.reasons["reason"] == "changed"]) == {"jest-util", "jest-worker"}
    assert main(["what-if", "p.json", "--fail", "jest-util"]) == 0
    assert f"{len(made.released)} repos to release" in capsys.readouterr().out


def test_a_change_goes_through_the_kinds_that_were_chosen(capsys: Out) -> None:
    Path("tests.csv").write_text("dependency,dependent,kinds\ncore,api,\ncore,e2e,test\n")
    versions = ["--bump", "core=2,api=2"]
    assert main(["plan", "tests.csv", "--changed", "core", *versions, "--json", "p.json"]) == 0
    assert SequencePlan.from_json(Path("p.json").read_text("utf-8")).released == ["core", "api"]
    assert "needs core for test alone" in capsys.readouterr().out
    for kinds, released in (("all", ["core", "api", "e2e"]), ("test", ["core", "e2e"])):
        versions = ["--bump", ",".join(f"{repo}=2" for repo in released)]
        assert main(["plan", "tests.csv", "--kinds", kinds, "--changed", "core", *versions, "--json", "p.json"]) == 0
        assert SequencePlan.from_json(Path("p.json").read_text("utf-8")).released == released
        assert "LEFT OUT" not in capsys.readouterr().out


def test_a_whole_plan_by_waves(capsys: Out) -> None:
    assert main(["plan", "edges.csv", "--kinds", "normal,peer", "--version", "2.0", "--csv", "-"]) == 0
    assert capsys.readouterr().out.splitlines()[1].startswith("0,0,core,2.0")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["graph", "nothing.xyz"], "is no data set (jest29, jupyter, kf5, chain_or_hub), no folder and no name"),
        (["graph", "edges.csv", "--kinds", "norml"], "--kinds has 'norml', expected some of"),
        (["plan", "edges.csv", "--kinds", "all", "--version", "1"], "give --merge-cycles to release each as one unit"),
        (["plan", "jest29", "--changed", "jest-utl"], "did you mean 'jest-util'"),
        (["plan", "jest29", "--changed", "jest-util", "--bump", "big"], "--bump is 'big', expected one of"),
        (["plan", "jest29", "--changed", "jest-util", "--version", "3"], "with --changed versions are proposed by"),
        (["plan", "edges.csv", "--kinds", "normal"], "has no version attribute"),
        (["graph", "edges.csv", "--format", "dott"], "format is 'dott', expected one of"),
        (["graph", "."], "holds nothing that is read"),
    ],
)
def test_what_is_wrong_is_said(arguments: list[str], said: str, capsys: Out) -> None:
    assert main(arguments) == 2
    assert said in capsys.readouterr().err
