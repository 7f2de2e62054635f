"""GraphML, node-link JSON and edge lists with columns of other names."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqkit import DependencyCycle, ReadError, RepoDependencyGraph, SeqkitError, read_graph

NEEDS: dict[str, Any] = {"direction": "dependent_to_dependency"}
NS = 'xmlns="http://graphml.graphdrawing.org/xmlns" xmlns:y="http://www.yworks.com/xml/graphml"'

Read = Callable[..., RepoDependencyGraph]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Read text, or an object as JSON, from a file of that ending."""

    def read(ending: str, content: Any, **options: Any) -> RepoDependencyGraph:
        path = tmp_path / f"needs.{ending}"
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return read_graph(path, **options)

    return read


def told(graph: RepoDependencyGraph, about: str) -> dict[str, int]:
    assert graph.report is not None
    return {remark.what: remark.count for part, remark in graph.report if part == about}


# ---------------------------------------------------------------------- edge lists


@pytest.mark.parametrize(
    "header",
    ["source,target", "From;To", "parent\tchild", "note,src,x,dst", " SOURCE ,Target", "start,end", "tail,head"],
)
def test_columns_that_are_the_ends_of_an_arrow(read: Read, header: str) -> None:
    apart = next(sign for sign in ";\t," if sign in header)
    columns = [column.strip().lower() for column in header.split(apart)]
    cells = {"source": "app", "from": "app", "parent": "app", "src": "app", "start": "app", "tail": "app"}
    row = apart.join(cells.get(column, "core" if column not in ("note", "x") else "?") for column in columns)
    text = f"{header}\n{row}\n"
    with pytest.raises(
        ValueError, match=r"direction is missing: .*needs.csv does not say .* It has 'app' -> 'core'; give direction="
    ):
        read("csv", text)
    assert read("csv", text, **NEEDS).edges == [("core", "app")]
    assert read("csv", text, direction="dependency_to_dependent").edges == [("app", "core")]


def test_columns_that_say_what_they_mean_win(read: Read) -> None:
    text = "source,dependent,target,dependency\nx,app,y,core\n"
    assert read("csv", text).edges == read("csv", text, **NEEDS).edges == [("core", "app")]
    assert read("csv", "from,to\na,b\n", dependency="to", dependent="from").edges == [("b", "a")]
    with pytest.raises(ReadError, match=r"has no column 'dependency', its columns are"):
        read("csv", "left,right\na,b\n", **NEEDS)
    with pytest.raises(ValueError, match="direction is 'up'"):
        read("csv", "from,to\na,b\n", direction="up")


def test_a_separator_of_ones_own(read: Read) -> None:
    text = "dependency|dependent\na,1|b;2\n|c\n"
    graph = read("csv", text, separator="|")
    assert (graph.edges, list(graph)) == ([("a,1", "b;2")], ["c", "a,1", "b;2"])
    with pytest.raises(ReadError, match=r"has 3 fields, expected 2 as in the header, where '\|' separate them"):
        read("csv", text + "a|b|c", separator="|")
    for wrong in ("", "||", '"', "\n", 7):
        with pytest.raises(ValueError, match=r"separator is .*, expected one character"):
            read("csv", text, separator=wrong)


# ---------------------------------------------------------------------- node-link JSON


@pytest.mark.parametrize("edges", ["edges", "links"])
@pytest.mark.parametrize("kind", [nx.DiGraph, nx.MultiDiGraph])
def test_what_networkx_writes(read: Read, edges: str, kind: Any) -> None:
    drawn = kind()
    drawn.add_node("core", version=1.5, tags=["x", {"y": None}])
    drawn.add_edge("app", "core", kinds=["dev", "normal"])
    drawn.add_edge(7, "core", kind="peer")
    drawn.add_edge((1, "a"), "core", kind=3)
    if kind is nx.MultiDiGraph:
        drawn.add_edge(7, "core", kind="test")
    data = nx.node_link_data(drawn, edges=edges)
    graph = read("json", data, kinds="all", **NEEDS)
    seven = ["peer", "test"] if kind is nx.MultiDiGraph else ["peer"]
    assert {edge: graph.kinds(*edge) for edge in graph.edges} == {
        ("core", "app"): ["normal", "dev"],
        ("core", "7"): seven,
        ("core", '[1, "a"]'): ["normal"],
    }
    assert graph.attributes("core") == {"version": "1.5", "tags": ["x", {"y": None}]}
    assert sum(told(graph, "guessed").values()) == 1


def test_what_d3_draws(read: Read) -> None:
    nodes = [{"name": "app", "group": 1}, {"name": "core", "group": 1}]
    assert read("json", {"nodes": nodes, "links": [{"source": 0, "target": 1}]}, **NEEDS).edges == [("core", "app")]
    ends = {"source": {"id": "app", "x": 1.5}, "target": {"id": "core"}}
    assert read("json", {"nodes": [{"id": "app"}, {"id": "core"}], "links": [ends]}, **NEEDS).edges == [("core", "app")]


def test_names_of_nodes(read: Read) -> None:
    nodes = [{"id": 0, "name": "core", "members": "x"}, {"id": 1, "label": "app", "remote_url": "u", "members": ["y"]}]
    data = {"nodes": nodes, "edges": [{"source": 1, "target": 0}]}
    graph = read("json", data, **NEEDS)
    assert [graph.node(repo).display_name for repo in graph] == ["core", "app"]
    assert graph.node("1").remote_url == "u"
    assert [graph.attributes(repo).get("members") for repo in graph] == [None, ["y"]]
    assert read("json", data, ids="name", **NEEDS).edges == [("core", "app")]


def test_a_node_that_is_not_listed_and_ids_alike(read: Read) -> None:
    data = {"nodes": [{"id": 1}, {"id": "1"}], "edges": [{"source": 1, "target": "other"}]}
    graph = read("json", data, **NEEDS)
    assert graph.edges == [("other", "1")]
    assert list(told(graph, "look at").values()) == [1, 1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"directed": False}, "has directed: false: who needs whom"),
        ({"nodes": [7]}, r"nodes\[0\] is 7, expected an object"),
        ({"nodes": [{"id": "a"}, {}]}, r"nodes\[1\] has no 'id'"),
        ({"nodes": [{"id": None}]}, r"nodes\[0\].id is null, expected the id of a node"),
        ({"nodes": [{"id": "\ud800"}]}, "which holds half a character"),
        ({"nodes": [{"id": "a", "version": "\ud800"}]}, "which holds half a character"),
        ({"edges": [{"source": "a"}]}, r"edges\[0\] has no 'target'"),
        ({"edges": ["ab"]}, r"edges\[0\] is 'ab', expected an object"),
        ({"edges": [{"source": {}, "target": "a"}]}, r"edges\[0\].source is an object"),
    ],
)
def test_what_is_no_node_link_graph(read: Read, change: dict[str, Any], message: str) -> None:
    data = {"nodes": [{"id": "a"}, {"id": "b"}], "edges": [{"source": "a", "target": "b"}]}
    assert read("json", data, **NEEDS).edges == [("b", "a")]
    with pytest.raises(ReadError, match=message):
        read("json", data | change, **NEEDS)


def test_the_direction_of_json(read: Read) -> None:
    data = {"nodes": [], "links": [{"source": "a", "target": "b"}], "graph": {"direction": "dependent_to_dependency"}}
    assert read("json", data).edges == [("b", "a")]
    with pytest.raises(ValueError, match="itself says dependent_to_dependency"):
        read("json", data, direction="dependency_to_dependent")
    with pytest.raises(ValueError, match="direction is missing"):
        read("json", data | {"graph": [["direction", "x"]]})


# ---------------------------------------------------------------------- GraphML


def test_what_networkx_writes_in_xml(tmp_path: Path) -> None:
    drawn = nx.MultiDiGraph()
    drawn.add_node("core", version=2.0, private=True, count=3, label="The core")
    drawn.add_edge("app", "core", kind="dev")
    drawn.add_edge("app", "core", kind="normal")
    nx.write_graphml(drawn, tmp_path / "needs.graphml")
    graph = read_graph(tmp_path / "needs.graphml", kinds="all", **NEEDS)
    assert graph.kinds("core", "app") == ["normal", "dev"]
    assert graph.attributes("core") == {"version": "2.0", "private": True, "count": 3, "label": "The core"}
    assert graph.node("core").display_name == "The core"


def test_groups_labels_defaults_and_hyperedges_of_yed(read: Read) -> None:
    def node(name: str, label: str, inner: str = "") -> str:
        drawn = f"<data key='d1'><y:ShapeNode><y:NodeLabel>{label}</y:NodeLabel></y:ShapeNode></data>"
        return f"<node id='{name}'>{drawn}{inner}</node>"

    inner = f"<graph edgedefault='directed'>{node('n0::n0', 'core')}{node('n0::n1', 'api')}</graph>"
    text = f"""<?xml version="1.0" encoding="UTF-8" standalone="no"?>
        <graphml {NS}><key for="node" id="d1" yfiles.type="nodegraphics"/><!-- a comment -->
        <key id="d2" for="node" attr.name="team" attr.type="string"><default>x</default></key>
        <key id="d3" for="edge" attr.name="kind" attr.type="string"><default>peer</default></key>
        <graph edgedefault="directed">{node("n0", "group", inner)}{node("n1", "app")}
        <edge id="e0" source="n1" target="n0::n0"/><hyperedge><endpoint node="n1"/></hyperedge></graph></graphml>"""
    graph = read("graphml", text, **NEEDS)
    assert {edge: graph.kinds(*edge) for edge in graph.edges} == {("n0::n0", "n1"): ["peer"]}
    assert told(graph, "left out") == {"hyperedges, which have no direction": 1, "groups of nodes": 1}
    assert sorted(read("graphml", text, ids="name", **NEEDS)) == ["api", "app", "core"]
    assert graph.attributes("n1") == {"team": "x"}


GRAPHML = (
    f'<graphml {NS}><key id="k" for="node" attr.name="count" attr.type="int"/><graph edgedefault="directed">'
    '<node id="a"><data key="k">3</data></node><node id="b"/><edge source="a" target="b"/></graph></graphml>'
)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('edgedefault="directed"', 'edgedefault="undirected"', "has an undirected edge between 'a' and 'b'"),
        ('target="b"', 'target="b" directed="false"', "has an undirected edge"),
        ('<node id="b"/>', "<node/>", "has <node> without id="),
        ('target="b"', "", "has <edge> without target="),
        (">3<", ">three<", "has 'three' as 'count' of a node, expected data of type int"),
        (">3<", f">{'9' * 5000}<", "expected data of type int"),
        ("</graphml>", "", "is no XML"),
        ("<graphml", '<!DOCTYPE x [<!ENTITY a "b">]><graphml', "has what is not read"),
    ],
)
def test_what_is_no_directed_graphml(read: Read, before: str, after: str, message: str) -> None:
    assert read("graphml", GRAPHML, **NEEDS).edges == [("b", "a")]
    with pytest.raises(ReadError, match=message):
        read("graphml", GRAPHML.replace(before, after), **NEEDS)


def test_other_xml(read: Read) -> None:
    with pytest.raises(ReadError, match="is XML with <project> at the top, expected <graphml>"):
        read("graphml", "<project/>", **NEEDS)
    with pytest.raises(ReadError, match="has no <graph>"):
        read("graphml", "<graphml/>", **NEEDS)
    assert read("graphml", GRAPHML.replace('target="b"', 'target="b" directed="true"'), **NEEDS).n_dependencies == 1
    with pytest.raises(DependencyCycle):
        read("graphml", GRAPHML.replace("</graph>", '<edge source="b" target="a"/></graph>'), **NEEDS)


# ---------------------------------------------------------------------- dbt


def manifest(**changes: Any) -> dict[str, Any]:
    def made(kind: str, name: str, needs: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
        return {"resource_type": kind, "name": name, "package_name": "shop", "depends_on": {"nodes": needs}, **more}

    nodes = {
        "seed.shop.rates": made("seed", "rates"),
        "model.shop.orders.v2": made("model", "orders", ("source.shop.raw.orders", "seed.shop.rates"), version=2),
        "test.shop.unique.1a": made("test", "unique", ("model.shop.orders.v2",)),
        "model.shop.off": made("model", "off", ("seed.shop.rates",), config={"enabled": False}),
        "model.shop.late": made("model", "late", ("model.shop.off", "model.shop.orders.v2")),
    }
    return {
        "metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json"},
        "nodes": nodes,
        "sources": {"source.shop.raw.orders": made("source", "orders", source_name="raw")},
        "exposures": {"exposure.shop.board": made("exposure", "board", ("model.shop.orders.v2",))},
        "unit_tests": {"unit_test.shop.orders.adds": made("unit_test", "adds", ("model.shop.orders.v2",))},
        "disabled": {"model.shop.gone": []},
        **changes,
    }


def test_a_manifest_of_dbt(read: Read) -> None:
    graph = read("json", manifest())
    assert {f"{before} {after}" for before, after in graph.edges} == {
        "source.shop.raw.orders model.shop.orders.v2",
        "seed.shop.rates model.shop.orders.v2",
        "model.shop.orders.v2 exposure.shop.board",
        "model.shop.orders.v2 model.shop.late",
    }
    assert told(graph, "left out") == {
        "disabled resources": 2,
        'tests (kinds="all" has them)': 2,
        "dependencies on what is disabled or not in the manifest": 1,
    }
    assert graph.attributes("model.shop.orders.v2") == {"type": "model", "package": "shop", "version": "2"}
    everything = read("json", manifest(), kinds="all")
    assert everything.kinds("model.shop.orders.v2", "test.shop.unique.1a") == ["test"]
    assert everything.n_dependencies == 6
    named = read("json", manifest(), ids="name")
    assert set(named) == {"rates", "orders.v2", "late", "raw.orders", "board"}


def test_the_parent_map_of_dbt_goes_first(read: Read) -> None:
    parents = {"model.shop.late": ["seed.shop.rates"], "model.shop.orders.v2": []}
    assert read("json", manifest(parent_map=parents)).edges == [
        ("model.shop.orders.v2", "exposure.shop.board"),
        ("seed.shop.rates", "model.shop.late"),
    ]
    with pytest.raises(ReadError, match=r"parent_map\['model.shop.late'\]\[0\] is 7, expected text"):
        read("json", manifest(parent_map={"model.shop.late": [7]}))
    with pytest.raises(ReadError, match="nodes is a list, expected an object"):
        read("json", manifest(nodes=[]), format="dbt")


# ---------------------------------------------------------------------- damage

NODE_LINK = {
    "directed": True,
    "graph": {"direction": "dependency_to_dependent"},
    "nodes": [{"id": "a", "version": "1", "members": ["x"]}, {"id": 2, "label": "b"}],
    "links": [{"source": "a", "target": 2, "kinds": ["dev"]}, {"source": "a", "target": 2}],
}


def places(value: Any) -> list[tuple[Any, Any]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, entry in inner for place in [(value, key), *places(entry)]]


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_damage_to_json_is_a_graph_or_an_error_of_ours(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    form = data.draw(st.sampled_from(["node-link", "dbt"]))
    content = json.loads(json.dumps(NODE_LINK if form == "node-link" else manifest()))
    for _ in range(data.draw(st.integers(1, 3))):
        value, key = data.draw(st.sampled_from(places(content)))
        if isinstance(value, dict) and data.draw(st.booleans()):
            del value[key]
        else:
            value[key] = data.draw(st.sampled_from([None, 0, -1, 1.5, True, "", "a", [], ["a"], {}, {"id": "a"}, [[]]]))
        if not places(content):
            break
    path = tmp_path_factory.getbasetemp() / "damaged.json"
    path.write_text(json.dumps(content))
    options: dict[str, Any] = {"ids": "name"} if data.draw(st.booleans()) else {}
    with contextlib.suppress(SeqkitError, ValueError):
        read_graph(path, form, kinds="all", cycles="merge", **options)


@settings(max_examples=100, deadline=None)
@given(cuts=st.lists(st.tuples(st.integers(0, len(GRAPHML)), st.integers(0, 12), st.sampled_from(["", '"', "<", "x"]))))
def test_damage_to_xml_is_a_graph_or_an_error_of_ours(tmp_path_factory: pytest.TempPathFactory, cuts: Any) -> None:
    text = GRAPHML
    for at, length, put in cuts:
        text = text[:at] + put + text[at + length :]
    path = tmp_path_factory.getbasetemp() / "damaged.graphml"
    path.write_text(text)
    with contextlib.suppress(SeqkitError, ValueError):
        read_graph(path, kinds="all", **NEEDS)
