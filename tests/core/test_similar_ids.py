"""Ids that a person takes for one: told of, once, by name, wherever a graph is built of a list."""

from __future__ import annotations

import json
import unicodedata
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import networkx as nx
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqkit import RepoDependencyGraph, SimilarIds, build_plan, read_graph
from seqkit.core.ids import is_blank, similar_ids, warn_of_similar
from seqkit.core.plan import plan_of

from_edges = RepoDependencyGraph.from_edges
NFC, NFD = "caf\u00e9", "cafe\u0301"


def told(call: Callable[[], Any]) -> list[warnings.WarningMessage]:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        call()
    return [warning for warning in seen if warning.category is SimilarIds]


@pytest.mark.parametrize(
    ("one", "other", "shown"),
    [
        ("core", "Core", "'core' and 'Core'"),
        ("core", "core ", "'core' and 'core '"),
        ("core", "\tcore", r"'core' and '\tcore'"),
        ("core", "core\n", r"'core' and 'core\n'"),
        ("core", "core\u00a0", r"'core' and 'core\xa0'"),
        ("core", "\u200bcore", r"'core' and '\u200bcore'"),
        ("core", "co\u200dre", r"'core' and 'co\u200dre'"),
        ("core", "\ufeffcore", r"'core' and '\ufeffcore'"),
        ("core", "core\u2060\u3000", r"'core' and 'core\u2060\u3000'"),
        ("core", "co\u00adre", r"'core' and 'co\xadre'"),
        ("core", "core\ufe0f", r"'core' and 'core\ufe0f'"),
        ("core ", "core\u00a0", r"'core ' and 'core\xa0'"),
        ("my core", "my\u00a0core", r"'my core' and 'my\xa0core'"),
        (NFC, NFD, r"'caf\xe9' and 'cafe\u0301'"),
        (NFC, NFD.upper() + " ", "'café' and 'CAFE\u0301 '"),
        ("core", "\uff43\uff4f\uff52\uff45", r"'core' and '\uff43\uff4f\uff52\uff45'"),
        ("file", "\ufb01le", r"'file' and '\ufb01le'"),
        ("straße", "STRASSE", "'straße' and 'STRASSE'"),
        ("ΣΑΣ", "σας", "'ΣΑΣ' and 'σας'"),
        ("\u212bngstrom", "\u00c5ngstrom", r"'\u212bngstrom' and '\xc5ngstrom'"),
        ("Å", "a\u030a", "'Å' and 'a\u030a'"),
    ],
)
def test_a_pair_that_looks_alike_is_named_so_that_one_sees_the_difference(one: str, other: str, shown: str) -> None:
    [warning] = told(lambda: from_edges([("base", one), (other, "app")]))
    assert shown in str(warning.message)
    assert warning.filename == __file__
    assert {one, other} < set(from_edges([("base", one), (other, "app")]))  # ids stay as they are


@pytest.mark.parametrize(
    "ids",
    [
        ("core", "cores"),
        ("my core", "mycore"),
        ("my  core", "my core"),
        ("core-api", "core_api"),
        ("a", "\u0430"),  # Latin and Cyrillic: two scripts, not two forms
        ("", " ", "\u200b"),  # nothing to look alike
        ("e", "\u00e9"),
        ("\0", "\x01"),
    ],
)
def test_other_ids_are_let_be(ids: tuple[str, ...]) -> None:
    assert told(lambda: from_edges([], nodes=ids)) == []


def test_groups_are_whole_and_in_their_order() -> None:
    assert similar_ids(["Api", "x", "api", "core", "API ", "X", "api"]) == [["Api", "api", "API "], ["x", "X"]]


def test_one_warning_a_call_shortened_where_there_are_many() -> None:
    nodes = [f"{name}{blanks}" for name in map(str, range(40)) for blanks in ("", " ", "  ", "   ", "\t", "\n", "\r")]
    [warning] = told(lambda: from_edges([], nodes=nodes))
    assert str(warning.message).count(";") == 5
    assert r"'0', '0 ', '0  ', '0   ', '0\t' and 2 more; '1', " in str(warning.message)
    assert "and 35 more such groups" in str(warning.message)
    [warning] = told(lambda: from_edges([("x" * 10_000, "X" * 10_000)]))
    assert len(str(warning.message)) < 500


def test_an_id_that_is_only_a_dependent_counts() -> None:
    assert "'app' and 'App'" in str(told(lambda: from_edges([("core", "app"), ("core", "App")]))[0].message)


def test_it_is_told_before_a_cycle_is() -> None:
    def call() -> None:
        with pytest.raises(Exception, match="cycle detected"):
            from_edges([("a", "b"), ("b", "a"), ("A", "b")])

    assert len(told(call)) == 1
    assert len(told(lambda: from_edges([("a", "b"), ("b", "a"), ("A", "b")], cycles="merge"))) == 1


def lock() -> str:
    versions: dict[str, Any] = {f"node_modules/{name}": {"version": "1.0.0"} for name in ("JSONStream", "jsonstream")}
    return json.dumps({"name": "app", "lockfileVersion": 3, "packages": versions})


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("edges.csv", "dependency,dependent\nbase,core\ncore\u00a0,app\n"),
        ("edges.csv", "dependency,dependent\nbase,core\n,Core\n"),
        ("lock.json", lock()),
    ],
)
def test_every_reader_tells(tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    for format in (None, {".csv": "csv", ".json": "npm"}[path.suffix]):
        [warning] = told(lambda format=format: read_graph(path, format))  # type: ignore[misc]
        assert warning.filename == __file__


def test_frames_and_networkx_graphs_tell() -> None:
    frame = pd.DataFrame({"dependency": ["a", None], "dependent": ["b", "B"]})
    assert len(told(lambda: from_edges(frame))) == 1
    drawn: nx.DiGraph[str] = nx.DiGraph([("a", "b"), ("a", "B")])
    [warning] = told(lambda: RepoDependencyGraph.from_networkx(drawn, "dependency_to_dependent"))
    assert warning.filename == __file__


def test_compose_tells_of_what_comes_together_only_there() -> None:
    one, other = from_edges([("a", "b")]), from_edges([("a", "B")])
    [warning] = told(lambda: RepoDependencyGraph.compose(one, other))
    assert "'b' and 'B'" in str(warning.message)
    both = RepoDependencyGraph.compose(one, other)
    assert told(lambda: RepoDependencyGraph.compose(both, one)) == []  # a copy: it was told


def test_a_plan_read_again_does_not_tell_again() -> None:
    plan = build_plan(from_edges([("a", "b"), ("a", "B")]), version="1")
    assert told(lambda: plan_of(json.loads(plan.to_json()))) == []


def test_nothing_to_tell_is_no_warning() -> None:
    assert told(lambda: warn_of_similar([])) == []


@given(st.text(max_size=8))
def test_all_ways_to_write_an_id_are_one_group(repo: str) -> None:
    ways = {repo, f" {repo}\u00a0", f"\u200b{repo}", *(unicodedata.normalize(form, repo) for form in ("NFC", "NFD"))}
    expected = 0 if is_blank(unicodedata.normalize("NFKC", repo)) else 1
    assert len(similar_ids(sorted(ways))) == expected
    assert similar_ids(sorted(ways)) == [sorted(ways)] * expected


@given(st.lists(st.text("abAB ", max_size=3), unique=True))
def test_groups_of_plain_ids(repos: list[str]) -> None:
    expected: dict[str, list[str]] = {}
    for repo in repos:
        expected.setdefault(repo.strip().lower(), []).append(repo)
    assert sorted(similar_ids(repos)) == sorted(group for key, group in expected.items() if key and len(group) > 1)
