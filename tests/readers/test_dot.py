"""DOT: everything that the grammar allows, and what stands in files that tools write."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqkit import DependencyCycle, ReadError, RepoDependencyGraph, SeqkitError, read_graph
from seqkit.readers._dot import Parser

Read = Callable[..., RepoDependencyGraph]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def read(text: str, **options: Any) -> RepoDependencyGraph:
        path = tmp_path / "needs.dot"
        path.write_bytes(text.encode())
        return read_graph(path, **{"direction": "dependency_to_dependent", **options})

    return read


def told(graph: RepoDependencyGraph, about: str) -> dict[str, int]:
    assert graph.report is not None
    return {remark.what: remark.count for part, remark in graph.report if part == about}


@pytest.mark.parametrize(
    ("text", "edges"),
    [
        ("digraph{a->b}", "a b"),
        ("DiGraph g { a -> b -> c; }", "a b, b c"),
        ("strict digraph { a -> b; a -> b }", "a b"),
        ('digraph "a name" { a -> {b c} -> d }', "a b, a c, b d, c d"),
        ("digraph { {a b} -> subgraph cluster_x { label=x; c; d -> e } }", "a c, a d, a e, b c, b d, b e, d e"),
        ("digraph { subgraph s {a; b} c -> subgraph s }", "c a, c b"),
        ("digraph { a:p:n -> b:se; c:p -> a }", "a b, c a"),
        ('digraph { "a:p" -> "b" + "c" + \n "d" }', "a:p bcd"),
        (r'digraph { "say \"hi\"" -> "C:\\dir" -> "C:\x" }', 'say "hi" C:\\dir, C:\\dir C:\\x'),
        ('digraph { "two \\\nlines" -> 1.5 -> -.5 -> 2. }', "two lines 1.5, 1.5 -.5, -.5 2."),
        ("digraph { <b> -> <i<u>x</u>> }", "b i<u>x</u>"),
        ("# 1 line\n// -> {\n/* a -> x\n* */digraph {\n#b\na -> b // c -> d\n}", "a b"),
        ('digraph { "// no" -> "/* no */"; "#" -> "{" }', "// no /* no */, # {"),
        ("digraph { graph [a=b]; node [shape=box, color=red; x]; edge []; rankdir = LR a -> b [w=1][v=2] }", "a b"),
        ("digraph { naïve -> ümläut_1 }", "naïve ümläut_1"),
        ("digraph { a -> b } digraph { b -> c }", "a b, b c"),
        ("digraph {}", ""),
        ("digraph { ; , a ; ; }", ""),
        ("digraph { a -> b [style=invis]; b -> c }", "b c"),
        ('digraph { "Node" -> "edge" }', "Node edge"),
        ("\ufeffdigraph { a -> b }\n", "a b"),
    ],
)
def test_the_language(tmp_path: Path, read: Read, text: str, edges: str) -> None:
    graph = read(text)
    assert {" ".join(pair) for pair in graph.edges} == set(filter(None, edges.split(", ")))


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("graph { a -- b }", 1, "is an undirected graph: who needs whom"),
        ("strict graph {}", 1, "is an undirected graph"),
        ("digraph {\na -- b }", 2, "has an edge --, which has no direction"),
        ("", None, "is empty, expected a digraph"),
        ("tree { a }", 1, "has 'tree', expected digraph"),
        ("digraph {\n a -> b\n", 3, "ends, expected a statement, or }"),
        ("digraph {\n a.b -> c }", 2, "has '.b -> c }', which is no DOT; ids with other signs"),
        ("digraph { a-b }", 1, "has '-b }'"),
        ("digraph { 1a }", 1, "has '1a }'"),
        ('digraph {\n\n "a -> b }', 3, 'has a " without the one that closes it'),
        ("digraph {\n /* a -> b }", 2, "has a comment /* without its */"),
        ("digraph {\n <a < b }", 2, "has a < without its >"),
        ("digraph { a -> }", 1, "has '}', expected a node or a subgraph"),
        ("digraph { a -> node }", 1, "has 'node', expected a node or a subgraph"),
        ("digraph { a [x }", 1, "has '}', expected an attribute, or ]"),
        ('digraph { "a" + b }', 1, "has 'b', expected more quoted text after +"),
        ("digraph " + "{" * 5000, 1, "has subgraphs more than 100 levels deep"),
    ],
)
def test_what_is_no_digraph(read: Read, text: str, line: int | None, message: str) -> None:
    with pytest.raises(ReadError) as caught:
        read(text)
    assert (caught.value.line, message in caught.value.message) == (line, True), caught.value


def test_few_words_that_make_many_edges(read: Read) -> None:
    names = " ".join(f"n{number}" for number in range(2_300))
    with pytest.raises(ReadError, match="makes more than 5,000,000 edges"):
        read(f"digraph {{ {{{names}}} -> {{{names}}} }}")
    with pytest.raises(ReadError, match="makes more than 5,000,000 edges"):
        read(f"digraph {{ subgraph s {{{names}}} {'{subgraph s}' * 2_300} }}")


def test_blanks_and_comments_without_end_take_no_time(read: Read) -> None:
    with pytest.raises(ReadError):
        read("digraph { a " + " \n" * 100_000 + "?")


def test_labels_are_display_names(read: Read) -> None:
    text = r"""digraph { node [label="\N", color=red, team=core]; a; b [label="The\nB &amp; c", version="1.2" URL="x"];
        c [label=<<b>C</b> <i>d&lt;</i>>]; d [label=""] }"""
    graph = read(text)
    names = {repo: graph.node(repo).display_name for repo in graph}
    assert names == {"a": "a", "b": "The B & c", "c": "C d<", "d": "d"}
    assert graph.attributes("b") == {"team": "core", "version": "1.2"}


def test_labels_name_repos_where_that_is_asked_for(read: Read) -> None:
    text = "digraph { n0 [label=core]; n1 [label=app]; n2 [label=x]; n3 [label=x]; n0 -> n1 -> n2 -> n3 }"
    graph = read(text)
    assert list(told(graph, "look at")) == ['ids are numbers of nodes: ids="name" calls repos by their labels']
    graph = read(text, ids="name")
    assert graph.edges == [("app", "n2"), ("core", "app"), ("n2", "n3")]
    assert told(graph, "look at") == {"labels that several nodes have, which are called by their ids": 2}
    with pytest.raises(ReadError, match="has labels that are ids of other nodes"):
        read("digraph { a [label=b]; b [label=c]; d [label=c] }", ids="name")
    with pytest.raises(ValueError, match="ids is 'label', expected \"name\""):
        read("digraph {}", ids="label")


def test_kinds_of_edges(read: Read) -> None:
    text = """digraph { a -> b [kind=dev]; a -> b [kinds="test, normal"]; edge [kind=peer]; b -> c;
        c -> d [kind=solid]; subgraph { edge [kind=test]; d -> e } }"""
    graph = read(text, kinds="all")
    assert {edge: graph.kinds(*edge) for edge in graph.edges} == {
        ("a", "b"): ["normal", "dev", "test"],
        ("b", "c"): ["peer"],
        ("c", "d"): ["normal"],
        ("d", "e"): ["test"],
    }
    assert sum(told(graph, "guessed").values()) == 1
    assert ("d", "e") not in read(text).edges


def test_the_direction_is_asked_for(read: Read) -> None:
    with pytest.raises(
        ValueError,
        match=r"direction is missing: .*needs.dot does not .* It has 'app' -> 'core'; give direction=",
    ):
        read("digraph { app -> core }", direction=None)
    with pytest.raises(ValueError, match="direction is 'up', expected one of"):
        read("digraph { app -> core }", direction="up")
    turned = read("digraph { app -> core }", direction="dependent_to_dependency")
    assert turned.edges == [("core", "app")]
    own = "digraph { direction=dependent_to_dependency; app -> core }"
    assert read(own, direction=None) == turned
    with pytest.raises(ValueError, match="itself says dependent_to_dependency; leave direction= out"):
        read(own)


def test_cycles_as_everywhere(read: Read) -> None:
    text = "digraph { a -> b -> a; b -> c; c -> c }"
    with pytest.raises(DependencyCycle):
        read(text)
    assert list(read(text, cycles="merge")) == ["a+b", "c"]
    assert read(text, cycles="keep").has_cycles
    assert told(read(text, cycles="keep"), "left out") == {"packages that need themselves": 1}


GOOD = r"""strict digraph "g" { // comment
graph [direction=dependency_to_dependent]; node [label="\N"]; a [label=<b<i>x</i>>, version="1"];
subgraph cluster_1 { b; "c \" d" } a:p:n -> {b c} -> subgraph cluster_1 [kinds="dev,test"] /* end */ }"""


@settings(max_examples=150, deadline=None)
@given(
    cuts=st.lists(st.tuples(st.integers(0, len(GOOD)), st.integers(0, 8), st.sampled_from('{}[]"<>-\\=;:+#/ a1é\0')))
)
def test_damage_is_a_graph_or_an_error_of_ours(tmp_path_factory: pytest.TempPathFactory, cuts: Any) -> None:
    text = GOOD
    for at, length, put in cuts:
        text = text[:at] + put + text[at + length :]
    path = tmp_path_factory.getbasetemp() / "damaged.dot"
    path.write_bytes(text.encode())
    with contextlib.suppress(SeqkitError, ValueError):
        read_graph(path, kinds="all")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of pyparsing, at the import of pydot
def test_pydot_reads_the_same(tmp_path: Path) -> None:
    pydot = pytest.importorskip("pydot")
    text = """digraph g { node [shape=box]; a -> b -> "c d"; b:p -> e; "x.y" -> a [kind=dev, color=red];
        f -> {g h}; subgraph cluster_1 { i -> j; label="x" } /* no */ k; "a" -> 12 }"""
    (drawn,) = pydot.graph_from_dot_data(text)
    graphs, edges = [drawn], set()
    for graph in graphs:
        graphs += graph.get_subgraphs()
        for edge in graph.get_edges():
            ends = [
                [node.strip('"') for node in end["nodes"]]
                if hasattr(end, "get")
                else [str(end).strip('"').split(":")[0]]
                for end in (edge.get_source(), edge.get_destination())
            ]
            edges |= {(tail, head) for tail in ends[0] for head in ends[1]}
    assert set(Parser("x", text).edges) == edges
