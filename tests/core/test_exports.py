"""DOT, Mermaid, node-link JSON and edge lists: what goes out comes back, whatever repos are called."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqkit import RepoDependencyGraph, RepoNode, read_graph
from seqkit.core.exports import csv_of
from seqkit.core.ids import is_blank
from seqkit.core.kinds import KINDS
from tests.tools.strange_names import STRANGE_NAMES, is_seen

NAMES = st.one_of(
    st.sampled_from(STRANGE_NAMES),
    st.text(st.sampled_from('ab\\"\n\r {}<>;&-=+#/*'), max_size=6),
    st.text(st.characters(codec="utf-8"), max_size=8),
)


@st.composite
def graphs(draw: st.DrawFn) -> RepoDependencyGraph:
    names = draw(st.lists(NAMES, min_size=1, max_size=7, unique=True))
    graph = RepoDependencyGraph()
    for name in names:
        graph.add_node(name, **draw(st.sampled_from([{}, {"version": "1.0"}, {"path": 'a"\\'}])))
    drawn = graph.to_networkx()
    for at, name in enumerate(names):
        for other in draw(st.lists(st.sampled_from(names[:at]), unique=True, max_size=3)) if at else []:
            kinds = draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=2))
            drawn.add_edge(other, name, kinds=kinds)
    return RepoDependencyGraph.from_networkx(drawn, "dependency_to_dependent")


@settings(deadline=None)
@given(graph=graphs())
def test_it_comes_back(tmp_path_factory: pytest.TempPathFactory, graph: RepoDependencyGraph) -> None:
    path = tmp_path_factory.getbasetemp() / "graph"

    def back(text: str, format: str) -> RepoDependencyGraph:
        path.write_bytes(text.encode())
        return read_graph(path, format, kinds="all")

    assert back(json.dumps(graph.to_node_link()), "node-link") == graph
    assert back(graph.to_dot(), "dot") == graph
    again = nx.node_link_graph(json.loads(json.dumps(graph.to_node_link())), edges="edges")
    assert RepoDependencyGraph.from_networkx(again, "dependency_to_dependent") == graph
    if any(map(is_blank, graph)):
        with pytest.raises(ValueError, match="which is no repo in an edge list"):
            csv_of(graph)
    else:
        from_csv = back(csv_of(graph), "csv")
        assert (set(from_csv), from_csv.to_frame().to_dict()) == (set(graph), graph.to_frame().to_dict())


_ENTITY = re.compile(r"#(\d+);")
_NODE = re.compile(r"  (n\d+)\[+\"([^\"]+)\"\]+")
_EDGE = re.compile(r"  (n\d+) (-->|-\.->)(\|[a-z, ]+\|)? (n\d+)")


@settings(max_examples=100, deadline=None)
@given(graph=graphs())
def test_mermaid_is_lines_of_three_forms(graph: RepoDependencyGraph) -> None:
    first, *lines = graph.to_mermaid().splitlines()
    assert first == "flowchart LR"
    assert len(lines) == len(graph) + graph.n_dependencies
    for line in lines:
        node = _NODE.fullmatch(line)
        assert node or _EDGE.fullmatch(line)
        if node:
            bare = _ENTITY.sub("", node[2])
            assert is_seen(bare)
            assert not re.search(r"[#<>&\"'`*\\|(){}\[\]$~!;:%^=,?ﬂ°¶ß]|^[-+]|\. |//|__", bare)


def test_what_is_shown_is_the_name() -> None:
    graph = RepoDependencyGraph.from_edges([("@acme/core-ui", 'a "b"\n1. x')])
    assert graph.to_mermaid() == (
        'flowchart LR\n  n0["#64;acme/core-ui"]\n  n1["a #34;b#34;#92;n1#46; x"]\n  n0 --> n1\n'
    )


@pytest.mark.parametrize("name", STRANGE_NAMES)
def test_what_dot_draws_is_seen(name: str) -> None:
    graph = RepoDependencyGraph.from_edges([(name, "app")], nodes=[RepoNode(repo_id="app", display_name=name)])
    for label in re.findall(r'label="((?:[^"\\]|\\.)*)"', graph.to_dot(), re.DOTALL):
        assert is_seen(label)
        assert not re.search(r"&(?!amp;)", label)
        assert not re.search(r"(?<!\\)(?:\\\\)*\\[^\\\"]", label)


def test_kinds_units_and_display_names() -> None:
    import pandas as pd  # noqa: PLC0415

    edges = pd.DataFrame(
        [("a", "b", ""), ("b", "a", ""), ("b", "c", "dev,test"), ("a", "d", "peer"), ("c", "d", "dev,normal")],
        columns=["dependency", "dependent", "kinds"],
    )
    nodes = [RepoNode(repo_id="d", display_name="Dee", remote_url="https://example.org/d")]
    graph = RepoDependencyGraph.from_edges(edges, nodes=nodes, cycles="merge")
    dot = graph.to_dot().splitlines()
    assert '  "a+b" [peripheries=2, tooltip="a, b"];' in dot
    assert '  "a+b" -> "c" [kinds="dev, test", label="dev, test", style=dashed];' in dot
    assert '  "a+b" -> "d" [kinds="peer", label="peer", style=dotted];' in dot
    assert '  "d" [label="Dee"];' in dot
    mermaid = graph.to_mermaid().splitlines()
    assert '  n1[["a+b"]]' in mermaid
    assert "  n1 -.->|dev, test| n2" in mermaid
    people = RepoDependencyGraph.from_edges([], nodes={"team": {"members": 4}})
    assert people.to_mermaid() == 'flowchart LR\n  n0["team"]\n'
    assert '  "team";' in people.to_dot()
    told: dict[str, Any] = graph.to_node_link()
    assert told["nodes"][0] == {"display_name": "Dee", "remote_url": "https://example.org/d", "id": "d"}
    assert told["nodes"][1] == {"members": ["a", "b"], "id": "a+b"}


def test_attributes_that_json_does_not_know(tmp_path: Path) -> None:
    graph = RepoDependencyGraph()
    graph.add_node("a", when=Path("x"), rate=float("nan"), some={2, 1}, pair=(1, "b"), id="other", label="A")
    (node,) = json.loads(json.dumps(graph.to_node_link(), allow_nan=False))["nodes"]
    assert node == {
        "when": "x",
        "rate": None,
        "some": [1, 2],
        "pair": [1, "b"],
        "id": "a",
        "label": "A",
        "display_name": "a",
    }
