"""The command line, mostly within this process; some in one of their own, as nothing else has been imported there."""

from __future__ import annotations

import contextlib
import csv
import doctest
import io
import json
import os
import stat
import subprocess
import sys
from itertools import combinations
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from seqkit import (
    CommonCause,
    FailureModel,
    RepoDependencyGraph,
    analyze,
    build_plan,
    load_dataset,
    runs_frame,
    simulate,
    what_if,
)
from seqkit.__main__ import main
from seqkit._show.spreadsheet import harmless
from tests.tools.strategies import HOSTILE_NAMES, Train, trains

TOP = Path(__file__).parents[2]
PNG = b"\x89PNG\r\n\x1a\n"
REPOS = {"jest29": 46, "jupyter": 97, "kf5": 75, "chain_or_hub": 14}


def seqkit(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "seqkit", *arguments]
    environment = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "FORCE_COLOR")}
    environment |= variables
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False)


def demo_here(folder: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str, str]:
    """Run demo within this process; give its exit code, and what goes to stdout and stderr."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("MPLBACKEND", "agg")  # which demo sets: it is put back
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(["demo", *arguments])
    return code, out.getvalue(), err.getvalue()


@pytest.mark.parametrize(  # jest29 is run twice below
    "name",
    ["jupyter", "chain_or_hub", pytest.param("kf5", marks=pytest.mark.slow)],  # the largest and the smallest
)
@pytest.mark.usefixtures("settings_untouched")
def test_demo_writes_a_ledger_and_two_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    ended = demo_here(tmp_path, monkeypatch, name, "--failure-rate", "0.05", "--rng", "7")
    assert_two_pictures(tmp_path, name, *ended)


def assert_two_pictures(tmp_path: Path, name: str, code: int, text: str, told: str) -> None:
    assert code == 0, told
    assert text.startswith(f"{name}: {REPOS[name]} repos, ")
    assert max(map(len, text.splitlines())) <= 100
    assert str(tmp_path) not in text
    files = {path.name for path in tmp_path.iterdir()}
    ledger = f"seqkit-demo-{name}.db"
    pictures = {f"seqkit-demo-{name}-order.png", f"seqkit-demo-{name}-blast-radius.png"}
    assert files == {ledger} | pictures
    assert all(file in text for file in files)
    for picture in pictures:
        assert (tmp_path / picture).read_bytes().startswith(PNG)
    assert "releasing" in told, "the progress bar"


@pytest.mark.usefixtures("settings_untouched")
def test_demo_twice_prints_and_draws_the_same_and_keeps_both_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ("jest29", "--failure-rate", "0.05", "--rng", "7")
    first = seqkit(tmp_path, "demo", *arguments)  # where strings have other hashes, and sets other orders, than here
    assert_two_pictures(tmp_path, "jest29", first.returncode, first.stdout.decode(), first.stderr.decode())
    drawn = {path.name: path.read_bytes() for path in tmp_path.glob("*.png")}
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERM", "dumb")
    code, text, told = demo_here(tmp_path, monkeypatch, *arguments)
    assert code == 0, told
    assert first.stdout.decode() == text
    assert drawn == {path.name: path.read_bytes() for path in tmp_path.glob("*.png")}
    runs = runs_frame(tmp_path / "seqkit-demo-jest29.db")
    assert len(runs) == 2
    assert runs["run_id"].is_unique
    assert runs["plan_id"].iloc[0] == runs["plan_id"].iloc[1]


@pytest.fixture
def without_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep demo within this process and short: what it draws is looked at above."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("seqkit.cli.demonstration._draw", lambda *_: ("order.png", "radius.png"))


def demo(*arguments: str) -> str:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        assert main(["demo", *arguments]) == 0, err.getvalue()
    return out.getvalue()


@pytest.mark.usefixtures("without_pictures")
def test_demo_says_what_each_failure_blocked() -> None:
    text = demo("kf5", "--failure-rate", "1")
    # Nothing that needs something is ever tried: whatever fails needs nothing.
    assert "simulated failure" in text
    assert "extra-cmake-modules" in text
    assert [line for line in text.splitlines() if "succeeded" in line and " 0 " in line]


@pytest.mark.usefixtures("without_pictures")
def test_demo_without_failures_shows_the_repo_with_most_dependents() -> None:
    text = demo("kf5", "--failure-rate", "0")
    assert "Nothing failed" in text
    assert "what extra-cmake-modules, which most others need, holds up when it fails" in " ".join(text.split())


@pytest.mark.usefixtures("without_pictures")
def test_another_seed_fails_elsewhere() -> None:
    assert len({demo("--failure-rate", "0.2", "--rng", seed) for seed in ("0", "1", "2")}) == 3


def test_help_everywhere(tmp_path: Path) -> None:
    top = seqkit(tmp_path, "--help")
    assert top.returncode == 0
    assert b"python -m seqkit" in top.stdout
    assert b"demo" in top.stdout
    assert b"what-if" in top.stdout
    assert said() == said("--help")
    of_demo = demo("--help")
    assert "--failure-rate" in of_demo
    assert "jest29, jupyter, kf5 or chain_or_hub" in of_demo
    assert "--merge-cycles" in said("simulate", "--help")
    assert not list(tmp_path.iterdir())


def test_version() -> None:
    assert said("--version").startswith("seqkit-py ")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("demo", "--failure-rate", "1.5"), "--failure-rate is 1.5, expected a probability from 0 to 1"),
        (("demo", "--failure-rate", "-0.1"), "--failure-rate is -0.1, expected"),
        (("demo", "--failure-rate", "nan"), "--failure-rate is nan, expected"),
        (("demo", "--failure-rate", "often"), "Invalid value for '--failure-rate'"),
        (("demo", "--rng", "-1"), "--rng is -1, expected a whole number from 0"),
        (("demo", "--rng", "1.5"), "Invalid value for '--rng'"),
        (("demo", "jest30"), "name is 'jest30', expected one of"),
        (("demo", "[bold]x[/nothing]"), "name is '[bold]x[/nothing]'"),
        (("demo", "jest29", "kf5"), "kf5"),
        (("dance",), "dance"),
        (("--loud",), "--loud"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert words in complained(*arguments)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("taken", ["seqkit-demo-chain_or_hub.db", "seqkit-demo-chain_or_hub-order.png"])
@pytest.mark.usefixtures("settings_untouched")
def test_files_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: str) -> None:
    (tmp_path / taken).mkdir()
    code, _, told = demo_here(tmp_path, monkeypatch, "chain_or_hub")
    assert code == 2
    lines = told.replace("\r", "\n").splitlines()
    assert lines[-1].startswith("seqkit: ")
    assert taken in lines[-1]
    assert "Traceback" not in told


def test_a_ledger_that_is_something_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "seqkit-demo-jest29.db").write_text("not a database " * 100)
    code, _, told = demo_here(tmp_path, monkeypatch)
    assert code == 2
    assert "Traceback" not in told
    assert told.splitlines()[-1].startswith("seqkit: ")


# ---------------------------------------------------------------------- what-if and simulate


EDGES = "dependency,dependent\ncore,api\ncore,docs\napi,app\ndocs,site\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "edges.csv").write_text(EDGES)
    return tmp_path


def said(*arguments: str) -> str:
    """Run within this process; give what goes to stdout."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(arguments)
    assert (code, err.getvalue()) == (0, "")
    return out.getvalue()


def complained(*arguments: str, code: int = 2) -> str:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        assert main(arguments) == code
    message = err.getvalue()
    assert message.startswith("seqkit: ")
    assert message.count("\n") == 1
    assert message[:-1].isprintable()
    assert out.getvalue() == ""
    return message


def strict(text: str) -> Any:
    def refused(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refused)


def words(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def plan_of_edges() -> Any:
    pairs = list(csv.reader(EDGES.splitlines()))[1:]
    return build_plan(RepoDependencyGraph.from_edges([(a, b) for a, b in pairs]), version="1")


def test_what_if_prints_what_a_failure_blocks(folder: Path) -> None:
    text = said("what-if", "edges.csv", "--fail", "api", "--fail", "docs")
    assert text.splitlines()[:2] == [
        "edges.csv (edge list): 5 repos to release, 4 dependencies, 3 waves.",
        "What if api, docs fail? Policy skip_dependents.",
    ]
    table = words(text)
    assert ["released", "1", "tried,", "and", "went", "out"] in table
    assert ["api", "1", "1", "app"] in table
    assert ["docs", "1", "1", "site"] in table
    assert [row[:2] for row in table if row[:1] == ["blocked"]] == [["blocked", "2"]]
    assert "stopped" not in text
    assert "unreleased" not in text


def test_what_if_word_for_word(folder: Path) -> None:
    text = said("what-if", "edges.csv", "--fail", "api", "--failure-rate", "0.2")
    assert (
        "\n".join(line.rstrip().replace("─", "-") for line in text.splitlines())
        == """\
edges.csv (edge list): 5 repos to release, 4 dependencies, 3 waves.
What if api fails? Policy skip_dependents.

OUTCOME

status     repos   meaning
----------------------------------------------------------------
released       3   tried, and went out
failed         1   tried, and failed
blocked        1   not tried, because something they need failed

FAILURES AND WHAT THEY BLOCK

failed   blocks   it alone   which, directly or through others
--------------------------------------------------------------
api           1          1   app

EXPECTED RELEASES of 5 repos: others may fail too

                                        repos per run
-----------------------------------------------------
before anything is known                         3.10
given that this repo fails when tried            1.95
difference                                       1.15

Exact: each other attempt fails with probability 0.2, independently; 1 attempt each."""
    )


def test_what_if_tells_whom_another_failure_blocks_too() -> None:
    answer = strict(said("what-if", "kf5", "--fail", "kconfig", "--fail", "ki18n", "--json", "-"))
    both = [set(failure["blocks"]) - set(failure["only"]) for failure in answer["failures"]]
    assert both[0] == both[1] != set()
    assert {"kcompletion", "kded"} <= {*answer["failures"][0]["blocks"], *answer["failures"][1]["blocks"]}


def test_what_if_blames_nobody_where_a_failure_blocks_nobody() -> None:
    options = ("kf5", "--fail", "kio", "--fail", "ki18n", "--policy", "continue", "--failure-budget", "2")
    answer = strict(said("what-if", *options, "--json", "-"))
    assert [(failure["blocks"], failure["only"]) for failure in answer["failures"]] == [([], [])] * 2
    assert (answer["counts"]["blocked"], answer["counts"]["stopped"]) == (0, 19)
    assert "until the run stops: nothing is" in said("what-if", *options)


def test_what_if_names_those_that_are_never_tried(folder: Path) -> None:
    text = said("what-if", "edges.csv", "--fail", "core", "--fail", "app")
    assert ["app", "blocked", "core"] in words(text[text.index("NEVER TRIED") :])
    text = said("what-if", "edges.csv", "--fail", "api", "--fail", "docs", "--policy", "stop")
    assert ["docs", "stopped", "-"] in words(text[text.index("NEVER TRIED") :])
    assert ["stopped", "2"] in [row[:2] for row in words(text)]
    text = said("what-if", "edges.csv", "--fail", "core", "--policy", "continue")
    assert "nothing is blocked" in text
    assert ["released", "4"] in [row[:2] for row in words(text)]


def test_what_if_with_a_rate_says_what_to_expect(folder: Path) -> None:
    text = said("what-if", "edges.csv", "--fail", "api", "--failure-rate", "0.5", "--attempts", "2")
    q = 0.75
    before = q + 2 * q**2 + 2 * q**3
    given = q + q**2 + q**3
    for number in (before, given, before - given):
        assert [row for row in words(text) if row and row[-1] == f"{number:.2f}"]
    assert "Exact: each other attempt fails with probability 0.5, independently; 2 attempts each." in text
    (*_, asked) = (strict(said("what-if", "edges.csv", "--fail", "api", "--failure-rate", "0.5", "--json", "-")),)
    assert asked["expected"]["succeeded_given_failures"] == pytest.approx(0.5 + 0.25 + 0.125)


@given(trains(), st.data())
@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])
def test_what_if_is_the_librarys(tmp_path_factory: pytest.TempPathFactory, train: Train, data: st.DataObject) -> None:
    assert_what_if_is_the_librarys(tmp_path_factory, train, data)


@pytest.mark.slow
@given(trains(), st.data())
@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
def test_what_if_is_the_librarys_for_many_plans(
    tmp_path_factory: pytest.TempPathFactory, train: Train, data: st.DataObject
) -> None:
    assert_what_if_is_the_librarys(tmp_path_factory, train, data)


def assert_what_if_is_the_librarys(factory: pytest.TempPathFactory, train: Train, data: st.DataObject) -> None:
    plan = train.plan
    if not plan.released:
        return
    failing = data.draw(st.lists(st.sampled_from(plan.released), min_size=1, unique=True))
    file = factory.mktemp("plans") / "plan.json"
    file.write_text(plan.to_json(), encoding="utf-8")
    options = [f"--fail={repo}" for repo in failing] + [f"--policy={train.policy}"]
    options += [f"--failure-budget={train.budget}"] if train.budget else []
    table_file = file.with_name("repos.csv")
    answer = strict(said("what-if", str(file), *options, "--json", "-", "--csv", str(table_file)))
    outcome = what_if(plan, failing, train.policy, train.budget)
    assert answer["counts"]["succeeded"] == len(outcome.succeeded)
    assert [failure["repo_id"] for failure in answer["failures"]] == list(outcome.failures)
    assert answer["not_tried"] == [repo for repo in failing if repo not in outcome.failures]
    assert sum(answer["counts"].values()) == len(plan.items)
    rows = list(csv.DictReader(io.StringIO(table_file.read_bytes().decode(), newline="")))
    assert [row["repo_id"] for row in rows] == [harmless(item.repo_id) for item in plan.items]
    told = [json.loads(row["blocked_by"]) for row in rows]
    assert told == [json.loads(harmless(json.dumps(repos))) for repos in outcome.blocked_by]
    assert [row["blocked_by"] for row in answer["repos"]] == list(map(list, outcome.blocked_by))
    assert [row["skip_cause"] or None for row in rows] == list(outcome.skip_causes)
    text = said("what-if", str(file), *options)
    assert all(line.isprintable() and cell_len(line) <= 100 for line in text.split("\n"))


def test_simulate_prints_what_simulate_gives(folder: Path) -> None:
    text = said("simulate", "edges.csv", "--failure-rate", "0.1", "--rate", "core=0.25", "--outage", "ci=0.05:api,docs",
                "--trials", "20000", "--rng", "7", "--top", "2")  # fmt: skip
    model = FailureModel({"core": 0.25}, 0.1, [CommonCause("ci", 0.05, ["api", "docs"])])
    simulation = simulate(plan_of_edges(), model, trials=20_000, rng=7)
    exact = analyze(plan_of_edges(), model)
    assert text.splitlines()[:5] == [
        "edges.csv (edge list): 5 repos to release, 4 dependencies, 3 waves.",
        "An attempt fails with probability 0.1 (1 repo with a rate of its own).",
        "Policy skip_dependents; 1 attempt each.",
        "Outage ci: probability 0.05 a run, strikes 2 repos.",
        "20,000 simulated runs; --rng 7 gives these numbers again.",
    ]
    table = {row[0]: row[1:] for row in words(text) if row}
    released = simulation.summary().loc["succeeded"]
    assert table["released"][:3] == [f"{released['mean']:.3f}", "±", f"{released['se_mean']:.3f}"]
    assert table["released"][-7:] == [str(int(value)) for value in released.iloc[3:]]
    assert f"all 5 repos are released {simulation.p_all_succeed:.4f} ± 0.0035" in " ".join(text.split())
    assert f"at least 80 % (4) are released {simulation.p_at_least(k=4):.4f} ± 0.0035" in " ".join(text.split())
    worth = exact.importance()["gain_if_perfect"]
    gains = worth[worth.index.isin(exact.plan.released)].head(2)
    listed = words(text[text.index("WHICH REPOS") : text.index("Exact")])
    assert [(row[0], row[1]) for row in listed[4:6]] == [(repo, f"{gain:.2f}") for repo, gain in gains.items()]
    assert f"{exact.expected.succeeded:.2f} repos on average" in text
    assert f"all with probability {exact.p_all_succeed:.4g}." in text
    assert max(map(len, text.splitlines())) <= 100


def test_simulate_twice_is_the_same_and_tells_a_fresh_seed(folder: Path) -> None:
    arguments = ("simulate", "jest29", "--failure-rate", "0.05", "--trials", "500")
    assert said(*arguments, "--rng", "7") == said(*arguments, "--rng", "7", "--engine", "numpy")
    text = said(*arguments)
    seed = text.split("--rng ")[1].split()[0]
    assert said(*arguments, "--rng", seed) == text


@pytest.mark.parametrize(("policy", "budget"), [("stop", None), ("continue", None), ("skip_dependents", 2)])
def test_policies_without_closed_forms_rank_by_what_was_simulated(policy: str, budget: int | None) -> None:
    options = ["--policy", policy] + ([f"--failure-budget={budget}"] if budget else [])
    arguments = ("simulate", "kf5", "--failure-rate", "0.05", "--rng", "3", "--trials", "5000", *options)
    text = said(*arguments, "--top", "3")
    assert "Exact: nothing" in text
    assert "(exact)" not in text
    plan = build_plan(load_dataset("kf5").graph, version="1")
    frame = simulate(plan, 0.05, trials=5000, rng=3, policy=policy, failure_budget=budget).to_frame()  # type: ignore[arg-type]
    least = frame["p_succeeded"].nsmallest(3)
    listed = [row[:2] for row in words(text[text.index("LEAST OFTEN") :])[4:7]]
    assert [float(p) for _, p in listed] == pytest.approx(least.to_list(), abs=1e-3)
    answer = strict(said(*arguments, "--json", "-"))
    assert answer["exact"] is None
    assert {row["gain_if_perfect"] for row in answer["repos"]} == {None}
    assert answer["setting"]["failure_budget"] == budget


def test_more_outages_than_can_be_summed_over_are_simulated(folder: Path) -> None:
    several = [",".join(some) for size in (2, 3) for some in combinations(plan_of_edges().released, size)]
    text = said("simulate", "edges.csv", "--failure-rate", "0.1", "--trials", "100",
                *(f"--outage=0.1:{some}" for some in several[:15]))  # fmt: skip
    assert "Exact: nothing, as so many outages are too many to sum over." in text
    assert "Outage outage 15: probability 0.1 a run, strikes 3 repos." in text


def test_simulate_until_it_is_precise_enough(folder: Path) -> None:
    answer = strict(said("simulate", "edges.csv", "--failure-rate", "0.2", "--until", "0.01", "--rng", "1", "--json=-"))
    assert answer["summary"]["succeeded"]["se_mean"] / 5 < 0.01
    assert answer["setting"]["until"] == 0.01
    text = said("simulate", "edges.csv", "--failure-rate", "0.2", "--until", "0.01", "--rng", "1")
    assert "enough for a standard error of 0.01 of the share released" in text


def test_what_was_never_seen_has_a_limit_instead_of_an_error(folder: Path) -> None:
    text = said("simulate", "edges.csv", "--failure-rate", "1e-9", "--trials", "1000", "--rng", "1")
    assert "1 (at least 1 - 0.003)" in text
    assert "5 (at least 4.985)" in text
    assert "0 (at most 0.003)" in text
    assert "limits of 95 % confidence" in text
    certain = said("simulate", "edges.csv", "--failure-rate", "0", "--trials", "1000", "--rng", "1")
    assert "exactly 5" in certain
    assert "limits of 95 % confidence" not in certain
    one = said("simulate", "edges.csv", "--failure-rate", "1e-9", "--trials", "1", "--rng", "1")
    assert ["released", "5", "±", "?", "?", *"5555555"] in words(one)
    assert "nan" not in one


def test_an_empty_graph_is_no_trouble(folder: Path) -> None:
    (folder / "none.csv").write_text("dependency,dependent\n")
    text = said("simulate", "none.csv", "--failure-rate", "0.1", "--trials", "10")
    assert text.startswith("none.csv (edge list): 0 repos to release, 0 dependencies, 0 waves.")
    assert "WHICH" not in text


def test_json_of_simulate_holds_everything(folder: Path) -> None:
    arguments = ("simulate", "edges.csv", "--failure-rate", "0.1", "--outage", "0.05:api,docs", "--rng", "7",
                 "--attempts", "2", "--trials", "3000")  # fmt: skip
    answer = strict(said(*arguments, "--json", "-"))
    model = FailureModel({}, 0.1, [CommonCause("outage 1", 0.05, ["api", "docs"])])
    simulation = simulate(plan_of_edges(), model, trials=3000, rng=7, attempts=2)
    assert list(answer) == ["setting", "summary", "exact", "repos", "counts"]
    setting = answer["setting"]
    assert setting["outages"] == [{"name": "outage 1", "probability": 0.05, "repos": ["api", "docs"]}]
    assert (setting["seed"], setting["trials"], setting["attempts"], setting["repos"]) == (7, 3000, 2, 5)
    assert answer["counts"] == simulation.counts.to_dict("records")
    assert answer["summary"]["succeeded"] == simulation.summary().loc["succeeded"].to_dict()
    assert answer["summary"]["p_at_least_80_percent"]["p"] == simulation.p_at_least(share=0.8)
    assert answer["summary"]["p_all_succeed"]["se"] == simulation.p_all_succeed.se
    frame = pd.DataFrame(answer["repos"]).set_index("repo_id")
    gains = frame.pop("gain_if_perfect")
    pd.testing.assert_frame_equal(frame, simulation.to_frame(), check_index_type=False)
    exact = analyze(plan_of_edges(), model, attempts=2)
    assert gains.to_dict() == exact.importance()["gain_if_perfect"].loc[exact.plan.released].to_dict()
    assert answer["exact"]["p_all_succeed"] == exact.p_all_succeed
    one = strict(said("simulate", "edges.csv", "--failure-rate", "0.1", "--trials", "1", "--json", "-"))
    assert one["summary"]["failed"]["se_mean"] is None


def test_csv_of_simulate_is_the_frame(folder: Path) -> None:
    arguments = ("simulate", "edges.csv", "--failure-rate", "0.1", "--rng", "7", "--trials", "3000")
    text = said(*arguments, "--csv", "-")
    frame = simulate(plan_of_edges(), 0.1, trials=3000, rng=7).to_frame()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert list(rows[0]) == ["repo_id", *frame.columns]
    assert [row.pop("repo_id") for row in rows] == frame.index.to_list()
    assert [list(map(float, row.values())) for row in rows] == frame.to_numpy().tolist()
    said(*arguments, "--csv", "out.csv", "--json", "out.json")
    assert (folder / "out.csv").read_text() == text
    assert strict((folder / "out.json").read_text())["setting"]["seed"] == 7


def test_files_are_replaced_whole_and_keep_their_permissions_and_links(folder: Path) -> None:
    (folder / "real.csv").write_text("old" * 10_000)
    (folder / "real.csv").chmod(0o640)
    (folder / "link.csv").symlink_to("real.csv")
    said("what-if", "edges.csv", "--fail", "api", "--csv", "link.csv")
    assert (folder / "link.csv").is_symlink()
    assert (folder / "real.csv").read_text().startswith("position,wave,repo_id,status,skip_cause,blocked_by\n0,0,core,")
    assert "old" not in (folder / "real.csv").read_text()
    assert stat.S_IMODE((folder / "real.csv").stat().st_mode) == 0o640
    mask = os.umask(0o027)
    try:
        said("what-if", "edges.csv", "--fail", "api", "--csv", "new.csv")
    finally:
        os.umask(mask)
    assert stat.S_IMODE((folder / "new.csv").stat().st_mode) == 0o640
    assert {path.name for path in folder.iterdir()} == {"edges.csv", "real.csv", "link.csv", "new.csv"}


def test_what_is_no_regular_file_is_not_replaced(folder: Path) -> None:
    said("what-if", "edges.csv", "--fail", "api", "--json", os.devnull)
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


@pytest.mark.parametrize("broken", ["fsync", "replace"])
def test_a_write_that_fails_leaves_what_was_there(folder: Path, monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    (folder / "out.csv").write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, broken, full)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as err:
        assert main(["what-if", "edges.csv", "--fail", "api", "--csv", "out.csv"]) == 2
    assert err.getvalue() == "seqkit: cannot write 'out.csv': No space left on device\n"
    assert (folder / "out.csv").read_text() == "old"
    assert {path.name for path in folder.iterdir()} == {"edges.csv", "out.csv"}


WHAT_IF = ("what-if", "edges.csv", "--fail", "api")
SIMULATE = ("simulate", "edges.csv", "--failure-rate", "0.1")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("what-if", "edges.csv"), "--fail"),
        (("what-if", "edges.csv", "--fail", "aip"), "--fail names 'aip', which edges.csv does not have; did you mean"),
        (("what-if", "edges.csv", "--fail", "zzzz"), "its repos are core, api, docs, app, site"),
        (
            ("what-if", "jest30", "--fail", "a"),
            "'jest30' is no data set (jest29, jupyter, kf5, chain_or_hub), no folder and no name of a file",
        ),
        (("what-if", "./jest29", "--fail", "a"), "'./jest29' is no data set"),
        (("what-if", "none.csv", "--fail", "a"), "none.csv: there is no such file"),
        (("what-if", "none.json", "--fail", "a"), "none.json: there is no such file"),
        ((*WHAT_IF, "--policy", "hope"), "--policy is 'hope', expected skip_dependents, stop or continue"),
        ((*WHAT_IF, "--failure-budget", "0"), "--failure-budget is 0, expected a whole number from 1"),
        ((*WHAT_IF, "--failure-rate", "2"), "--failure-rate is 2.0, expected a probability"),
        ((*WHAT_IF, "--attempts", "2"), "--attempts is 2, but without --failure-rate it changes nothing"),
        ((*WHAT_IF, "--failure-rate", "0.1", "--attempts", "0"), "--attempts is 0, expected a whole number from 1"),
        ((*WHAT_IF, "--failure-rate", "0.1", "--policy", "stop"), "only worked out for --policy skip_dependents"),
        ((*WHAT_IF, "--csv", "-", "--json", "-"), "--csv and --json are both '-', expected two places"),
        ((*WHAT_IF, "--csv", "a", "--json", "./a"), "--csv and --json are both 'a', expected two places"),
        ((*WHAT_IF, "--csv", "./edges.csv"), "'./edges.csv' is the file that is read, expected another one"),
        ((*WHAT_IF, "--csv", "no/where.csv"), "cannot write 'no/where.csv': there is no directory"),
        ((*WHAT_IF, "--json", "."), "cannot write '.': it is not the name of a file"),
        ((*WHAT_IF, "--json", ""), "cannot write '': it is not the name of a file"),
        (("simulate", "edges.csv"), "--failure-rate"),
        (("simulate", "edges.csv", "--failure-rate", "nan"), "--failure-rate is nan, expected a probability"),
        ((*SIMULATE, "--rate", "core"), "--rate is 'core', expected REPO=P, such as core=0.2"),
        ((*SIMULATE, "--rate", "cor=1"), "--rate names 'cor', which edges.csv does not have; did you mean 'core'"),
        ((*SIMULATE, "--rate", "core=x"), "--rate of 'core' is x, expected a probability"),
        ((*SIMULATE, "--rate", "core=0", "--rate", "core=1"), "--rate names 'core' twice"),
        ((*SIMULATE, "--outage", "core"), "--outage is 'core', expected P:REPO,REPO or NAME=P:REPO,REPO"),
        ((*SIMULATE, "--outage", "0.1:"), "--outage is '0.1:', expected"),
        ((*SIMULATE, "--outage", "0.1:core,aip"), "--outage 'outage 1' names 'aip', which"),
        ((*SIMULATE, "--outage", "ci=often:core"), "--outage, the probability of 'ci', is often, expected"),
        ((*SIMULATE, "--outage", "ci=0:core", "--outage", "ci=0:api"), "--outage is called 'ci' twice"),
        ((*SIMULATE, "--trials", "0"), "--trials is 0, expected a whole number from 1"),
        ((*SIMULATE, "--trials", "5", "--until", "0.1"), "--trials is 5 and --until is 0.1, expected one of the two"),
        ((*SIMULATE, "--until", "0"), "until is 0.0, expected a standard error above 0"),
        ((*SIMULATE, "--rng", "-1"), "--rng is -1, expected a whole number from 0"),
        ((*SIMULATE, "--top", "-1"), "--top is -1, expected a whole number from 0"),
        ((*SIMULATE, "--engine", "gpu"), "--engine is 'gpu', expected auto, numpy or numba"),
    ],
)  # fmt: skip
def test_wrong_arguments_are_one_line(folder: Path, arguments: tuple[str, ...], expected: str) -> None:
    assert expected in complained(*arguments)
    assert [path.name for path in folder.iterdir()] == ["edges.csv"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "is not JSON"),
        ("[]", "nor a package-lock.json (no lockfileVersion), nor a pip report (no install), nor"),
        ("NaN", "NaN is not JSON"),
        ("[" * 100_000, "is nested too deeply"),
        ('{"items": 3, "edges": []}', "not a plan: "),
        ('{"originating_run_id": "x", "items": [], "edges": [["a", "b"]]}', "repo not found in graph: a"),
        ('{"lockfileVersion": 1}', "x.json"),
        ('{"install": 7}', "x.json"),
    ],
)
def test_files_that_are_something_else(folder: Path, content: str, expected: str) -> None:
    (folder / "x.json").write_text(content)
    message = complained("what-if", "x.json", "--fail", "a")
    assert "x.json" in message
    assert expected in message


def test_half_a_character_in_a_plan_is_refused(folder: Path) -> None:
    text = plan_of_edges().to_json().replace('"core"', '"\\ud800"')
    (folder / "plan.json").write_text(text)
    message = complained("what-if", "plan.json", "--fail", "api")
    assert "plan.json: " in message
    assert "expected text that UTF-8 can hold" in message


def test_unreleased_repos_of_a_plan_are_counted_and_cannot_be_made_to_fail(folder: Path) -> None:
    (folder / "plan.json").write_text(plan_of_edges().without("api").to_json())
    text = said("what-if", "plan.json", "--fail", "core")
    assert text.startswith("plan.json (plan): 4 repos to release, 1 unreleased, 4 dependencies, 3 waves.")
    assert ["unreleased", "1"] in [row[:2] for row in words(text)]
    for arguments in (
        ("what-if", "plan.json", "--fail", "api"),
        ("simulate", "plan.json", "--failure-rate", "0", "--rate", "api=1"),
    ):
        assert "names 'api', which is in the plan but not to be released" in complained(*arguments)


def test_a_data_set_wins_over_a_file_of_its_name(folder: Path) -> None:
    (folder / "jest29").write_text(EDGES)
    text = said("what-if", "jest29", "--fail", "jest")
    assert text.startswith("jest29 (data set; the file of that name was not read): 46 repos to release, ")
    (folder / "jest29.csv").write_text(EDGES)
    assert said("what-if", "jest29.csv", "--fail", "core").startswith("jest29.csv (edge list): 5 repos")


@pytest.mark.parametrize(
    ("name", "kind"), [("jest29/package-lock.json", "package-lock.json"), ("jupyter/pip-report.json", "pip report")]
)
def test_the_other_formats_are_read(name: str, kind: str) -> None:
    file = TOP / "data" / name
    text = said("simulate", str(file), "--failure-rate", "0.1", "--trials", "64", "--merge-cycles")
    assert f"({kind}): " in text


def test_what_a_reader_warns_of_is_one_line(folder: Path) -> None:
    (folder / "alike.csv").write_text("dependency,dependent\nbase,core\ncore\u200b,app\n", encoding="utf-8")
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        assert main(["what-if", "alike.csv", "--fail", "base"]) == 0
    assert err.getvalue().startswith("seqkit: warning: ids that differ only in case")
    assert r"'core' and 'core\u200b'" in err.getvalue()
    assert err.getvalue().count("\n") == 1
    assert out.getvalue().startswith("alike.csv (edge list): 4 repos")


def test_a_cycle_names_the_option_that_merges_it(folder: Path) -> None:
    (folder / "cycle.csv").write_text("dependency,dependent\na,b\nb,a\na,c\n")
    message = complained("what-if", "cycle.csv", "--fail", "c")
    assert "give --merge-cycles" in message
    assert 'cycles="' not in message
    text = said("what-if", "cycle.csv", "--fail", "a+b", "--merge-cycles")
    assert ["a+b", "1", "1", "c"] in words(text)


def test_hostile_names_do_no_harm(folder: Path) -> None:
    hostile = [*HOSTILE_NAMES, "\x1b[31mred", "[bold]x[/nothing]", "a,b=c:d", "x\ry", "=1+1"]
    graph = RepoDependencyGraph.from_edges([("core", name) for name in hostile])
    (folder / "plan.json").write_text(build_plan(graph, version="1").to_json(), encoding="utf-8")
    with (folder / "hostile.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("dependency", "dependent"), *(("core", name) for name in hostile)])
    for source in ("plan.json", "hostile.csv"):
        names = hostile if source == "plan.json" else [name for name in hostile if name]  # a blank cell is no repo
        quoted = io.StringIO()
        csv.writer(quoted, lineterminator="", quoting=csv.QUOTE_ALL).writerow(names[2:])
        model = ("--failure-rate", "0.1", "--trials", "100", f"--outage=[red]=0.5:{quoted.getvalue()}")
        model += tuple(f"--rate={name}=0.2" for name in names)
        for arguments in (("simulate", source, *model, "--top", "50"),
                          ("what-if", source, *(f"--fail={name}" for name in names))):  # fmt: skip
            text = said(*arguments)
            assert all(line.isprintable() and cell_len(line) <= 100 for line in text.split("\n"))
            assert r"\x1b[31mred" in text
            assert "[bold]x[/nothing]" in text
            rows = csv.DictReader(io.StringIO(said(*arguments, "--csv", "-"), newline=""))
            assert {row["repo_id"] for row in rows} == {"core", *map(harmless, names)}
            assert "'=1+1" in map(harmless, names)
            assert {row["repo_id"] for row in strict(said(*arguments, "--json", "-"))["repos"]} == {"core", *names}
        complained("what-if", source, "--fail", "\x1b[31m\nno such repo" + "y" * 10_000)


def test_an_interrupt_ends_with_130_and_leaves_no_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("seqkit.cli.simulation.run", interrupted)
    assert complained(*SIMULATE, "--csv", "out.csv", code=130) == "seqkit: interrupted\n"
    assert [path.name for path in folder.iterdir()] == ["edges.csv"]


def test_an_engine_that_is_not_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda *_: None)
    message = complained(*SIMULATE, "--engine", "numba")
    assert "--engine is numba: " in message
    assert "seqkit-py[fast]" in message


def test_a_reader_that_has_seen_enough_is_no_error(folder: Path) -> None:
    command = [sys.executable, "-m", "seqkit", *SIMULATE, "--trials", "64"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


def test_letters_that_the_terminal_lacks_are_spelled_out(folder: Path) -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")  # strict, as that of a process where the locale is C
    with contextlib.redirect_stdout(out):
        assert main([*SIMULATE, "--trials", "64", "--rng", "1"]) == 0
    printed = out.buffer.getvalue()
    assert b"core" in printed
    assert printed.isascii()


# ---------------------------------------------------------------------- the README


def test_the_readme_and_ci_type_the_same_test_command() -> None:
    commands = [
        line
        for line in (TOP / ".ci/run").read_text(encoding="utf-8").splitlines()
        if ".venv/bin/python -m tests" in line
    ]
    assert len(commands) == 1
    assert commands[0] in (TOP / "README.md").read_text(encoding="utf-8").splitlines()


def test_the_examples_of_the_readme_give_what_it_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = (TOP / "README.md").read_text(encoding="utf-8")
    example = doctest.DocTestParser().get_doctest(text.replace("```", "\n"), {}, "README.md", "README.md", 0)
    assert len(example.examples) > 10
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    results = doctest.DocTestRunner(optionflags=flags).run(example)
    assert results.failed == 0
