"""Edge lists as people have them: empty cells, tails of empty rows, semicolons and tabs; and DataFrames of the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seqkit import DependencyCycle, ReadError, RepoDependencyGraph, read_graph
from seqkit.core.ids import is_blank

HEADER = "dependency,dependent\n"
BLANKS = ["", " ", "   ", "\t", "\u00a0", "\u3000", "\u200b", "\ufeff", "\u2060", "\u00ad", "\u3164", " \u200b\u00a0"]

Write = Callable[[str], Path]
from_edges = RepoDependencyGraph.from_edges


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(text: str) -> Path:
        path = tmp_path / "edges.csv"
        path.write_bytes(text.encode())
        return path

    return write


def refusal(path: Path, **options: Any) -> ReadError:
    with pytest.raises(ReadError) as caught:
        read_graph(path, **options)
    return caught.value


# ---------------------------------------------------------------------- empty cells


@pytest.mark.parametrize("blank", [*BLANKS, '""', '" "', '"\n"', '"\u00a0"'])
def test_a_blank_cell_is_no_repo(write: Write, blank: str) -> None:
    graph = read_graph(write(f"{HEADER}core,api\n{blank},docs\nsite,{blank}\n{blank},api\n"))
    assert sorted(graph) == ["api", "core", "docs", "site"]
    assert graph.edges == [("core", "api")]


@pytest.mark.parametrize("row", [",", " , ", '"",""', ",\u200b", ",,,", "\u00a0,\t", ""])
def test_a_blank_row_is_passed_over_wherever_it_stands(write: Write, row: str) -> None:
    graph = read_graph(write(f"{row}\n{HEADER}{row}\ncore,api\n{row}\n{row}"))
    assert (list(graph), graph.edges) == (["core", "api"], [("core", "api")])


def test_cells_of_other_columns_do_not_make_a_row(write: Write) -> None:
    graph = read_graph(write("dependency,dependent,note\n,,only a note\ncore,api,\n,lone,x\n"))
    assert (sorted(graph), graph.edges) == (["api", "core", "lone"], [("core", "api")])


def test_lines_are_counted_over_blank_rows(write: Write) -> None:
    assert refusal(write(f"\n,\n{HEADER},\ncore,api\n,,\nx,y,z\n")).line == 7


def test_a_list_of_repos_without_any_edge(write: Write) -> None:
    graph = read_graph(write(f"{HEADER},a\nb,\n"))
    assert graph.topological_order() == ["a", "b"]


def test_blanks_around_an_id_are_part_of_it(write: Write) -> None:
    with pytest.warns(UserWarning, match="' core ' and 'core'"):
        assert read_graph(write(f"{HEADER} core ,api\nbase,core\n")).edges == [(" core ", "api"), ("base", "core")]


def test_a_pair_keeps_the_empty_id() -> None:
    assert list(from_edges([("", "x")])) == ["", "x"]
    assert list(from_edges([], nodes=["", "\u200b"])) == ["", "\u200b"]


MISSING = [None, np.nan, float("nan"), pd.NA, pd.NaT, *BLANKS]


@pytest.mark.parametrize("missing", MISSING)
def test_a_missing_cell_of_a_frame_is_no_repo(missing: Any) -> None:
    frame = pd.DataFrame(
        {"dependency": ["core", missing, "site", missing], "dependent": ["api", "docs", missing, missing]}, dtype=object
    )
    graph = from_edges(frame, nodes=["first"])
    assert list(graph) == ["first", "core", "api", "docs", "site"]
    assert graph.edges == [("core", "api")]


@pytest.mark.parametrize("dtype", [object, "string", "category", pd.StringDtype("python")])
def test_a_frame_of_any_dtype(dtype: Any) -> None:
    frame = pd.DataFrame({"dependency": ["core", None], "dependent": ["api", "docs"]}).astype(dtype)
    assert (sorted(from_edges(frame)), from_edges(frame).edges) == (["api", "core", "docs"], [("core", "api")])


def test_a_frame_and_the_file_it_was_read_from_agree(write: Write) -> None:
    path = write(f"{HEADER}core,api\n,docs\n  ,site\n,\nlast,\n")
    for options in ({}, {"keep_default_na": False}, {"dtype": "string"}):
        frame = pd.read_csv(path, **options)  # type: ignore[call-overload]
        assert from_edges(frame) == read_graph(path)


def test_a_frame_without_any_repo() -> None:
    assert len(from_edges(pd.DataFrame({"dependency": [np.nan], "dependent": [np.nan]}))) == 0


def test_a_cell_that_is_no_text_is_found() -> None:
    with pytest.raises(TypeError, match=r"edges\['dependent'\]\.iloc\[1\] is 7 \(int\), expected a repo id"):
        from_edges(pd.DataFrame({"dependency": [None, "a"], "dependent": ["b", 7]}))
    with pytest.raises(ValueError, match="edges has 2 columns dependency='dependency', expected one"):
        from_edges(pd.DataFrame([["a", "b", "c"]], columns=["dependency", "dependency", "dependent"]))


# ---------------------------------------------------------------------- separators


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("quote", ["", '"'])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_commas_semicolons_and_tabs(write: Write, separator: str, quote: str, end: str, mark: str) -> None:
    rows = [("kind", "dependency", "dependent"), ("run", "core", "api"), ("", "", "docs"), ("", "", "")]
    text = mark + "".join(separator.join(f"{quote}{cell}{quote}" for cell in row) + end for row in rows)
    graph = read_graph(write(text))
    assert (sorted(graph), graph.edges) == (["api", "core", "docs"], [("core", "api")])


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_the_line_that_names_the_separator(write: Write, separator: str) -> None:
    text = f"sep={separator}\r\ndependency{separator}dependent\r\ncore{separator}api\r\nx\r\n"
    assert refusal(write(text)).line == 4
    assert read_graph(write(text.replace("x\r\n", ""))).edges == [("core", "api")]


def test_a_file_that_is_called_tsv(tmp_path: Path) -> None:
    path = tmp_path / "edges.TSV"
    path.write_text("dependency\tdependent\ncore\tapi\n", "utf-8")
    assert read_graph(path).edges == read_graph(path, "csv").edges == [("core", "api")]


def test_other_separators_inside_cells_are_text(write: Write) -> None:
    assert read_graph(write(f"{HEADER}a;b,c\td\n")).edges == [("a;b", "c\td")]
    assert read_graph(write('dependency;dependent\na,b;"c;d"\n')).edges == [("a,b", "c;d")]
    assert read_graph(write("a;b,c\nx,y\n"), dependency="a;b", dependent="c").edges == [("x", "y")]
    assert read_graph(write("needs;who\nx;y\n"), dependency="needs", dependent="who").edges == [("x", "y")]


@pytest.mark.parametrize("header", ["dependency|dependent", "dependency dependent", "dependency:dependent", "edges"])
def test_a_separator_that_is_not_known_is_said(write: Write, header: str) -> None:
    error = refusal(write(f"{header}\ncore|api\n"))
    assert error.line == 1
    assert repr([header]) in error.message
    assert error.message.endswith("Fields are separated by commas, semicolons or tabs")


def test_the_refusal_shows_the_columns_there_are(write: Write) -> None:
    error = refusal(write('"Dependency";"dependent"\n"core";"api"\n'))
    assert "has no column 'dependency', its columns are ['Dependency', 'dependent']" in error.message
    assert "its columns are ['dependency', ' dependent']" in refusal(write("dependency; dependent\n")).message


def test_a_row_with_another_separator_than_the_header(write: Write) -> None:
    for text, words in ((f"{HEADER}core;api\n", "commas"), ("dependency;dependent\ncore,api\n", "semicolons")):
        error = refusal(write(text))
        assert error.line == 2
        assert error.message == f"has 1 field, expected 2 as in the header, where {words} separate them"


def test_a_cycle_names_a_way_out_that_works(write: Write) -> None:
    path = write("dependency;dependent\na;b\nb;a\n")
    with pytest.raises(DependencyCycle) as caught:
        read_graph(path)
    assert 'pass cycles="merge"' in str(caught.value)
    assert list(read_graph(path, cycles="merge")) == ["a+b"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["a", "b", *BLANKS]), st.sampled_from(["c", "d", *BLANKS]))),
    st.sampled_from(",;\t"),
)
def test_any_mixture_of_cells(write: Write, rows: list[tuple[str, str]], separator: str) -> None:
    lines = [("dependency", "dependent"), *rows]
    graph = read_graph(write("".join(separator.join(f'"{cell}"' for cell in row) + "\n" for row in lines)))
    assert set(graph) == {cell for row in rows for cell in row if not is_blank(cell)}
    assert graph.edges == sorted({row for row in rows if not any(map(is_blank, row))})
