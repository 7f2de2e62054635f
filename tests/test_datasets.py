"""The data sets that ship: complete, in line with their notes, and found wherever seqkit is installed."""

from __future__ import annotations

import csv
import dataclasses
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from seqkit import analyze, build_plan, datasets
from seqkit.datasets import Dataset, load_dataset
from seqkit.errors import ReadError
from seqkit.readers import read_graph

DATA = Path(__file__).parents[1] / "data"
NAMES = ("jest29", "jupyter", "kf5", "chain_or_hub")


def published(path: Path) -> set[tuple[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return {(row["dependency"], row["dependent"]) for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def kf5() -> Dataset:
    return load_dataset("kf5")


@pytest.fixture(scope="module")
def trains(kf5: Dataset) -> pd.DataFrame:
    assert kf5.trains is not None
    return kf5.trains


@pytest.mark.parametrize(
    ("name", "repos", "edges", "waves", "file"),
    [
        ("jest29", 46, 175, 15, "lockstep-edges.csv"),
        ("jupyter", 97, 172, 12, "edges.csv"),
        ("kf5", 75, 397, 11, "edges.csv"),
        ("chain_or_hub", 14, 12, 8, "edges.csv"),
    ],
)
def test_graphs_are_the_published_ones(name: str, repos: int, edges: int, waves: int, file: str) -> None:
    graph = load_dataset(name).graph
    assert (len(graph), graph.n_dependencies, len(graph.waves())) == (repos, edges, waves)
    assert set(graph.edges) == published(DATA / name / file)
    assert all(isinstance(graph.attributes(repo)["version"], str) for repo in graph)


@pytest.mark.parametrize("name", ["jest", "KF5", "", "../data", None, 3, []])
def test_unknown_name_lists_the_known(name: Any) -> None:
    with pytest.raises(ValueError, match=r"expected one of \('jest29', 'jupyter', 'kf5', 'chain_or_hub'\)"):
        load_dataset(name)


def test_each_load_is_a_copy_of_its_own() -> None:
    load_dataset("jest29").graph.add_node("mine")
    assert "mine" not in load_dataset("jest29").graph


def test_dataset_is_frozen(kf5: Dataset) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        kf5.name = "other"  # type: ignore[misc]
    assert [field.name for field in dataclasses.fields(kf5)] == ["name", "graph", "trains", "ledger", "notes"]


def test_only_kf5_has_trains() -> None:
    for name in ("jest29", "jupyter"):
        assert load_dataset(name).trains is None
        assert load_dataset(name).ledger is None


# ---------------------------------------------------------------------- reprs


def test_reprs(kf5: Dataset) -> None:
    assert repr(load_dataset("jupyter")) == "Dataset('jupyter': 97 repos, 172 dependencies, 12 waves)"
    assert repr(kf5).startswith("Dataset('kf5': 75 repos, 397 dependencies, 11 waves, 63 trains, 4725 rows of trains")
    html = kf5._repr_html_()
    assert html == load_dataset("kf5")._repr_html_()
    for part in ("kf5", "<td", "63", "4725", "75 source packages"):
        assert part in html


def test_html_is_escaped_and_names_a_ledger(kf5: Dataset) -> None:
    hostile = dataclasses.replace(kf5, name="<script>", notes="<b>\nmore", ledger=object(), trains=None)
    html = hostile._repr_html_()
    assert "<script>" not in html
    assert "<b>" not in html
    assert "ledger" in html
    assert repr(hostile).endswith("11 waves, a ledger)")


# ---------------------------------------------------------------------- notes


@pytest.mark.parametrize("name", NAMES)
def test_notes_say_source_licence_use_and_limits(name: str) -> None:
    notes = load_dataset(name).notes
    for part in ("Source.", "Licence.", "It can carry:", "Limits."):
        assert notes.count(part) == 1
    assert all(len(line) <= 110 for line in notes.splitlines())
    assert len(notes.splitlines()[0]) < 150  # it stands in the repr


def test_notes_of_kf5_carry_its_limits(kf5: Dataset) -> None:
    for part in (
        "inferred",
        "49 failed of 4,507",
        "under-reported",
        "changelog",
        "74.7 %",
        "23,809",
        "too few failures",
    ):
        assert part in kf5.notes


def test_nothing_names_a_host() -> None:
    texts = [load_dataset(name).notes for name in NAMES] + [(DATA / "README.md").read_text(encoding="utf-8")]
    for text in texts:
        assert not re.search(r"://|www\.|\.(?:org|com|io|net)\b", text)


def test_readme_counts() -> None:
    text = (DATA / "README.md").read_text(encoding="utf-8")
    for row in ("| `jest29` | 46 | 175 | 15 |", "| `jupyter` | 97 | 172 | 12 |", "| `kf5` | 75 | 397 | 11 |"):
        assert row in text
    kinds: Counter[str] = Counter()
    with (DATA / "jest29" / "lock-edges.csv").open(newline="", encoding="utf-8") as file:
        kinds.update(row["kind"] for row in csv.DictReader(file))
    assert kinds == {"normal": 581, "peer": 24, "optional": 1}
    lines = [json.loads(line) for line in (DATA / "kf5" / "ledger.jsonl").read_text(encoding="utf-8").splitlines()]
    assert Counter(next(iter(line)) for line in lines) == {"run": 3, "event": 450}


# ---------------------------------------------------------------------- what the notes say


def test_chain_or_hub_flips_where_the_notes_say() -> None:
    graph = load_dataset("chain_or_hub").graph
    reach = {repo: len(graph.transitive_dependents_of(repo)) for repo in graph}
    assert (reach["chain-1"], reach["hub"]) == (7, 5)
    plan = build_plan(graph)
    for rate, first in ((0.01, "chain-1"), (0.114, "chain-1"), (0.116, "hub"), (0.4, "hub")):
        gains = analyze(plan, rate).importance()["gain_if_perfect"]
        assert gains.index[0] == first
        assert gains["chain-1"] == pytest.approx(1 - (1 - rate) ** 8)
        assert gains["hub"] == pytest.approx(rate * (1 + 5 * (1 - rate)))


def test_jest29_is_all_of_29() -> None:
    lock = read_graph(DATA / "jest29" / "package-lock.json", kinds="normal")
    jest = load_dataset("jest29").graph
    versions = Counter(jest.attributes(repo)["version"] for repo in jest)
    assert versions == {"29.7.0": 38, "29.6.3": 8}
    assert sum(lock.attributes(repo)["version"].startswith("29.") for repo in lock) == 46


def test_jest29_loses_no_path_through_other_packages() -> None:
    lock = read_graph(DATA / "jest29" / "package-lock.json", ids="name", kinds=("normal", "optional"))
    jest = load_dataset("jest29").graph
    for repo in jest:
        inside = [other for other in lock.transitive_dependents_of(repo) if other in jest]
        assert sorted(inside) == sorted(jest.transitive_dependents_of(repo))


def test_jupyter_packages_that_stand_alone() -> None:
    graph = load_dataset("jupyter").graph
    alone = {repo for repo in graph if not graph.dependencies_of(repo) and not graph.dependents_of(repo)}
    assert alone == {"fqdn", "jsonpointer", "uri-template", "webcolors"}


def test_kf5_graph(kf5: Dataset) -> None:
    assert len(kf5.graph.transitive_dependents_of("extra-cmake-modules")) == 73
    assert all(kf5.graph.attributes(repo) == {"version": "5.103"} for repo in kf5.graph)
    assert kf5.graph.dependencies_of("kapidox") == kf5.graph.dependents_of("kapidox") == []


def test_kf5_ledger_is_read_as_found(kf5: Dataset) -> None:
    assert repr(kf5.ledger) == "FoundLedger(3 runs, 450 events)"
    assert [run.run_id for run in kf5.ledger.list_runs()] == [
        "kf5-5.78.0-unstable",
        "kf5-5.98.0-unstable",
        "kf5-5.102.0-unstable",
    ]
    assert {Path(run.source).name for run in kf5.ledger.runs} == {"ledger.jsonl"}
    assert sorted(event.line for event in kf5.ledger.events)[-1] == 453


# ---------------------------------------------------------------------- the trains of kf5


def test_trains_columns_and_dtypes(trains: pd.DataFrame) -> None:
    string, utc = pd.StringDtype("python"), "datetime64[us, UTC]"
    expected = {
        "train": string,
        "repo_id": string,
        "version": string,
        "distribution": string,
        "started_at": utc,
        "released_at": utc,
        "revisions": pd.Int64Dtype(),
        "status": pd.CategoricalDtype(pd.Index(["succeeded", "failed", "missing"], dtype=string), ordered=True),
        "reason_class": string,
        "fixed_at": utc,
    }
    assert list(trains.columns) == list(expected)
    for column, dtype in expected.items():
        assert trains[column].dtype == dtype, column


def test_trains_counts(kf5: Dataset, trains: pd.DataFrame) -> None:
    assert len(trains) == 4725
    sizes = trains.groupby(["train", "distribution"]).size()
    assert len(sizes) == 63
    assert set(sizes) == {75}
    assert trains["train"].nunique() == 56
    assert set(trains["repo_id"]) == set(kf5.graph)
    assert trains["status"].value_counts().to_dict() == {"succeeded": 4458, "missing": 218, "failed": 49}


def test_trains_missing_values(trains: pd.DataFrame) -> None:
    missing = trains["status"] == "missing"
    assert (trains["released_at"].isna() == missing).all()
    assert (trains["version"].isna() == missing).all()
    assert (trains["fixed_at"].notna() == (trains["status"] == "failed")).all()
    # The word "none" is a class of reasons, not a missing value.
    assert (trains["reason_class"] == "none").sum() == 4216
    assert (
        not trains[["train", "repo_id", "distribution", "started_at", "revisions", "reason_class"]]
        .isna()
        .any(axis=None)
    )


def test_trains_times(trains: pd.DataFrame) -> None:
    assert trains["started_at"].min() == pd.Timestamp("2015-01-21T10:58:07Z")
    assert trains["started_at"].max() == pd.Timestamp("2023-02-12T20:44:20Z")
    released = trains.dropna(subset=["released_at"])
    assert (released["released_at"] >= released["started_at"]).all()
    span = released.groupby(["train", "distribution"])["released_at"].agg(lambda times: times.max() - times.min())
    assert span.median() == pd.Timedelta("3min 13s")


def test_trains_order_is_what_the_notes_say(kf5: Dataset, trains: pd.DataFrame) -> None:
    times = trains.dropna(subset=["released_at"]).pivot_table(
        index="repo_id", columns=["train", "distribution"], values="released_at", aggfunc="first"
    )
    pairs = in_order = together = 0
    for before, after in kf5.graph.edges:
        both = times.loc[[before, after]].dropna(axis="columns")
        pairs += both.shape[1]
        in_order += int((both.loc[before] < both.loc[after]).sum())
        together += int((both.loc[before] == both.loc[after]).sum())
    assert pairs == 23_809
    assert (round(100 * in_order / pairs, 1), round(100 * together / pairs, 1)) == (74.7, 3.0)


# ---------------------------------------------------------------------- where the files are


@pytest.mark.parametrize("installed", [True, False])
def test_files_of_a_wheel_come_before_what_lies_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installed: bool
) -> None:
    package = tmp_path / "site-packages" / "seqkit"
    beside = package.parent / "data" / "kf5"
    own = package / "_data" / "kf5"
    for folder in (beside, own) if installed else (beside,):
        folder.mkdir(parents=True)
    monkeypatch.setattr(datasets.importlib.resources, "files", lambda name: package)
    assert datasets._folder("kf5") == (own if installed else beside)


def test_files_that_are_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.importlib.resources, "files", lambda name: tmp_path / "seqkit")
    with pytest.raises(ReadError, match=r"the files of data set 'jest29' are not there .* install seqkit-py anew"):
        load_dataset("jest29")
