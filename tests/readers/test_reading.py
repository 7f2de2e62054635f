"""Readers: the shipped files give exactly the published edges; anything malformed gives a ReadError."""

from __future__ import annotations

import copy
import csv
import json
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seqkit._util.words import printable
from seqkit.core.graph import RepoDependencyGraph
from seqkit.core.ids import is_blank
from seqkit.errors import DependencyCycle, ReadError
from seqkit.readers import ReadWarning, read_graph
from seqkit.readers.formats import FORMATS

DATA = Path(__file__).parents[2] / "data"
LOCK = DATA / "jest29" / "package-lock.json"
REPORT = DATA / "jupyter" / "pip-report.json"

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write text, bytes or a JSON document into a file of the given name."""

    def write(content: Any, name: str = "file.json") -> Path:
        path = tmp_path / name
        if not isinstance(content, str | bytes):
            content = json.dumps(content)
        path.write_bytes(content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content)
        return path

    return write


def published(path: Path, *kinds: str) -> set[tuple[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return {(row["dependency"], row["dependent"]) for row in csv.DictReader(file) if row["kind"] in kinds}


def lock_of(packages: Any, version: Any = 3, **more: Any) -> dict[str, Any]:
    return {"name": "app", "lockfileVersion": version, "packages": packages, **more}


def report_of(*items: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"version": "1", "install": list(items), **more}


def item_of(name: str, *requirements: str, version: str = "1.0", **more: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "version": version, "requires_dist": list(requirements)}, **more}


def read_error(path: Any, *args: Any, **options: Any) -> ReadError:
    with pytest.raises(ReadError) as caught:
        read_graph(path, *args, **options)
    assert caught.value.path == str(path)
    assert str(caught.value).startswith(printable(str(path)))
    return caught.value


# ---------------------------------------------------------------------- the format


def test_format_is_guessed_from_name_and_content(write: Write) -> None:
    assert read_graph(write("dependency,dependent\na,b\n", "edges.CSV")).edges == [("a", "b")]
    assert list(read_graph(write(lock_of({"node_modules/a": {"version": "1"}})))) == ["a@1"]
    assert list(read_graph(write(report_of(item_of("a"))))) == ["a"]


def test_format_can_be_told(write: Write) -> None:
    assert read_graph(write("dependency,dependent\na,b\n", "edges.txt"), "csv").edges == [("a", "b")]
    assert list(read_graph(str(write(lock_of({"node_modules/a": {}}), "lock")), format="npm")) == ["a"]
    assert list(read_graph(write(report_of(item_of("a")), "report"), format="pip")) == ["a"]


def test_unknown_format_lists_the_known(write: Write) -> None:
    path = write("", "edges.nothing")
    known = re.escape(str(tuple(row.name for row in FORMATS)))
    with pytest.raises(ValueError, match=rf"format is 'nothing', expected one of {known}"):
        read_graph(path, format="nothing")
    with pytest.raises(ValueError, match=rf"cannot be guessed from the ending '\.nothing'.*{known}"):
        read_graph(path)


@pytest.mark.parametrize("document", [[], 3, None, {}, {"packages": {}}])
def test_json_that_is_neither(write: Write, document: Any) -> None:
    message = read_error(write(document)).message
    assert "is neither a" in message
    assert "or a package-lock.json" in message


def test_options_of_another_format_are_refused(write: Write) -> None:
    with pytest.raises(TypeError, match=r"option 'ids' is unknown to format 'csv'.*'dependency'"):
        read_graph(write("dependency,dependent\n", "e.csv"), ids="name")
    with pytest.raises(TypeError, match=r"option 'environment' is unknown to format 'npm'.*'kinds'"):
        read_graph(write(lock_of({})), environment={})
    with pytest.raises(TypeError, match=r"option 'root' is unknown to format 'pip'.*'extras'"):
        read_graph(write(report_of()), "pip", root=True)


@pytest.mark.parametrize("path", [None, 3, b"edges.csv"])
def test_path_of_a_wrong_type(path: Any) -> None:
    for format in (None, "csv"):
        with pytest.raises(TypeError, match=r"path is .* expected a str or a pathlib\.Path"):
            read_graph(path, format)


@pytest.mark.parametrize("format", ["csv", "npm", "pip"])
def test_files_that_cannot_be_opened(tmp_path: Path, format: str) -> None:
    assert read_error(tmp_path / "none.json", format).message == "there is no such file"
    assert read_error(tmp_path, format).message == "is a directory, expected a file"
    assert "no name of a file" in read_error("a\0b", format).message
    assert "cannot be read" in read_error("x" * 5000, format).message


@pytest.mark.parametrize("format", ["csv", "npm", "pip"])
def test_every_reader_checks_cycles_before_the_file(format: str) -> None:
    with pytest.raises(ValueError, match="cycles is 'ignore', expected one of"):
        read_graph("none", format, cycles="ignore")


def test_bytes_that_are_not_utf8_are_found_by_line(write: Write) -> None:
    error = read_error(write(b"dependency,dependent\r\na,b\r\nc,\xff\r\n", "e.csv"))
    assert error.line == 3
    assert "byte 0xff is not UTF-8" in error.message
    assert read_error(write(b"\n\xe4", "e.csv")).line == 2
    assert read_error(write(b'{\n\n"install": "\xfe"}')).line == 3
    assert read_error(write("dependency,dependent".encode("utf-16"), "e.csv")).line == 1


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, "is not JSON"),
        ('{"install": [\n1,\n}', 3, "is not JSON"),
        ('{\n<<<<<<< HEAD\n"a": 1}', 2, "is not JSON"),
        ('{"install": NaN}', None, "NaN is not JSON"),
        ('{"install": -Infinity}', None, "-Infinity is not JSON"),
        ('{"install": %s1}' % ("9" * 5000), None, "digits"),
        ("[" * 100_000, None, "nested too deeply"),
        ('{"a":' * 100_000, None, "nested too deeply"),
    ],
)
def test_json_that_is_broken(write: Write, text: str, line: int | None, message: str) -> None:
    for format in (None, "npm", "pip"):
        error = read_error(write(text), format)
        assert error.line == line
        assert message in error.message


def test_byte_order_mark_is_no_part_of_the_content(write: Write) -> None:
    assert read_graph(write(b"\xef\xbb\xbfdependency,dependent\na,b\n", "e.csv")).edges == [("a", "b")]
    assert list(read_graph(write(b"\xef\xbb\xbf" + json.dumps(report_of(item_of("a"))).encode()))) == ["a"]


# ---------------------------------------------------------------------- edge lists


def test_edges_with_other_columns_in_another_order(write: Write) -> None:
    path = write('kind,dependent,dependency\nrun,"b, too",a\n\nrun,c,"b, too"\n\n', "e.csv")
    assert read_graph(path).edges == [("a", "b, too"), ("b, too", "c")]


def test_edges_with_columns_of_other_names(write: Write) -> None:
    path = write("needs,package\na,b\n", "e.csv")
    assert read_graph(path, dependency="needs", dependent="package").edges == [("a", "b")]
    assert read_graph(path, dependency="package", dependent="needs").edges == [("b", "a")]


def test_edges_take_two_columns() -> None:
    with pytest.raises(ValueError, match="dependency and dependent are both 'a'"):
        read_graph("none.csv", dependency="a", dependent="a")
    with pytest.raises(TypeError, match=r"dependency is 0 \(int\)"):
        read_graph("none.csv", dependency=0)


def test_edges_cycles(write: Write) -> None:
    path = write("dependency,dependent\na,b\nb,a\nb,c\n", "e.csv")
    with pytest.raises(DependencyCycle):
        read_graph(path)
    assert read_graph(path, cycles="merge").edges == [("a+b", "c")]


def test_edges_of_a_merge_whose_name_is_taken(write: Write) -> None:
    path = write("dependency,dependent\na,b\nb,a\nc,a+b\n", "e.csv")
    assert "'a+b', but that id is taken" in read_error(path, cycles="merge").message


def test_edges_are_what_a_graph_writes(write: Write) -> None:
    graph = RepoDependencyGraph.from_edges([("a\nb", 'say "c"'), ('say "c"', "d,e"), (" c ", "ß")])
    path = write(graph.to_frame().to_csv(index=False, lineterminator="\n"), "e.csv")
    assert read_graph(path).edges == graph.edges


@pytest.mark.parametrize("text", ["", "\n", "\n\n \n"])
def test_edges_without_a_header(write: Write, text: str) -> None:
    error = read_error(write(text, "e.csv"))
    assert "is empty, expected a header" in error.message or "has no column 'dependency'" in error.message


def test_edges_header_alone_is_an_empty_graph(write: Write) -> None:
    assert len(read_graph(write("dependency,dependent\n", "e.csv"))) == 0


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (
            "a,b\nx,y\n",
            1,
            "has no column 'dependency', its columns are ['a', 'b']; rename one, or choose it by "
            "read_graph(…, dependency=…)",
        ),
        ("\ndependency,to\nx,y\n", 2, "has no column 'dependent', its columns are ['dependency', 'to']"),
        ("dependency,dependent,dependent\n", 1, "has several columns 'dependent'"),
        ("dependency,dependent\na,b\nc\n", 3, "has 1 field, expected 2"),
        ("dependency,dependent\n\na,b,c\n", 3, "has 3 fields, expected 2"),
        ('dependency,dependent\n"a\n\nb",c\nd\n', 5, "has 1 field"),
        ('dependency,dependent\na,b\n"c\nd\n', 3, "is not CSV"),
        ('dependency,dependent\na,"b"c\n', 2, "is not CSV"),
        ("dependency,dependent\ra,b\rc\r", 3, "has 1 field"),
        ("dependency,dependent\n" + "a" * 200_000 + ",b\n", 2, "is not CSV"),
    ],
)
def test_edges_malformed(write: Write, text: str, line: int, message: str) -> None:
    error = read_error(write(text, "e.csv"))
    assert error.line == line
    assert message in error.message


def test_edges_of_a_long_chain(write: Write) -> None:
    rows = "".join(f"r{number},r{number + 1}\n" for number in range(20_000))
    assert len(read_graph(write("dependency,dependent\n" + rows, "e.csv")).waves()) == 20_001


# ---------------------------------------------------------------------- npm


def test_npm_whole_lock_gives_the_published_edges() -> None:
    # Three pairs of packages need each other; the reader joins them, and what is left must agree.
    expected = RepoDependencyGraph.from_edges(
        published(DATA / "jest29" / "lock-edges.csv", "normal", "peer", "optional"), cycles="merge"
    )
    graph = read_graph(LOCK, cycles="merge")
    assert graph.edges == expected.edges
    assert set(graph) >= set(expected)
    assert sum("members" in graph.attributes(repo) for repo in graph) == 3
    with pytest.raises(DependencyCycle, match="3 cyclic components"):
        read_graph(LOCK)


def test_npm_edges_before_any_merge() -> None:
    edges = DATA / "jest29" / "lock-edges.csv"
    for kinds in (["normal"], ["peer"], ["optional"], ["dev"], ["normal", "peer", "optional"]):
        assert set(read_graph(LOCK, kinds=kinds, cycles="keep").edges) == published(edges, *kinds)
    assert read_graph(LOCK, cycles="keep").n_dependencies == 606


def test_npm_versions_are_attributes() -> None:
    graph = read_graph(LOCK, kinds="normal")
    assert len(graph) == 266
    assert all(repo == f"{repo.rsplit('@', 1)[0]}@{graph.attributes(repo)['version']}" for repo in graph)


def test_npm_lockfile_version_2(write: Write) -> None:
    document = json.loads(LOCK.read_text(encoding="utf-8"))
    document["lockfileVersion"] = 2
    document["dependencies"] = {"jest": {"version": "0.0.0"}}  # the table of version 1, kept for old clients
    assert read_graph(write(document), cycles="merge") == read_graph(LOCK, cycles="merge")


def test_npm_version_1_says_how_to_upgrade(write: Write) -> None:
    error = read_error(write({"lockfileVersion": 1, "dependencies": {}}))
    assert "lockfileVersion is 1, expected 2 or 3" in error.message
    assert "npm install --package-lock-only" in error.message


NESTED = lock_of(
    {
        "": {"name": "app", "version": "1.0.0", "dependencies": {"a": "*", "b": "*"}, "devDependencies": {"d": "*"}},
        "node_modules/a": {"version": "1.0.0", "dependencies": {"c": "^1", "b": "*"}},
        "node_modules/b": {"version": "1.0.0", "dependencies": {"c": "^2"}},
        "node_modules/a/node_modules/c": {"version": "1.0.0", "dependencies": {"@s/e": "*"}},
        "node_modules/c": {"version": "2.0.0", "optionalDependencies": {"gone": "*"}, "peerDependencies": {"no": "*"}},
        "node_modules/@s/e": {"version": "3.0.0", "dependencies": {"c": "^2"}},
        "node_modules/d": {"version": "1.0.0", "dev": True},
    }
)


def test_npm_resolves_as_node_does(write: Write) -> None:
    # a has a c of its own, which b does not see; the scoped folder sees the top one.
    assert read_graph(write(NESTED)).edges == [
        ("@s/e@3.0.0", "c@1.0.0"),
        ("b@1.0.0", "a@1.0.0"),
        ("c@1.0.0", "a@1.0.0"),
        ("c@2.0.0", "@s/e@3.0.0"),
        ("c@2.0.0", "b@1.0.0"),
    ]


def test_npm_ids_by_name(write: Write) -> None:
    path = write(NESTED)
    with pytest.raises(DependencyCycle):  # the two versions of c are one repo now
        read_graph(path, ids="name")
    merged = read_graph(path, ids="name", cycles="merge")
    assert merged.attributes("@s/e+c") == {"members": ["@s/e", "c"], "version": "3.0.0 + 1.0.0 + 2.0.0"}
    with pytest.raises(ValueError, match="ids is 'id', expected one of"):
        read_graph(path, ids="id")


def test_npm_root_and_kinds(write: Write) -> None:
    path = write(NESTED)
    assert "app@1.0.0" not in read_graph(path)
    assert read_graph(path, root=True).dependencies_of("app@1.0.0") == ["a@1.0.0", "b@1.0.0"]
    assert read_graph(path, root=True, kinds="dev").edges == [("d@1.0.0", "app@1.0.0")]
    assert read_graph(path, root=True, kinds=()).edges == []
    with pytest.raises(ValueError, match="kinds is 'development', expected some of"):
        read_graph(path, kinds="development")


def test_npm_root_without_a_name(write: Write) -> None:
    path = write(lock_of({"": {}, "node_modules/a": {}}))
    assert list(read_graph(path, root=True)) == ["app", "a"]
    nameless = {"lockfileVersion": 3, "packages": {"": {}}}
    assert len(read_graph(write(nameless))) == 0
    assert read_error(write(nameless), root=True).message == "name is null, expected text"


def test_npm_kinds_of_one_dependency(write: Write) -> None:
    path = write(
        lock_of(
            {
                "node_modules/a": {"dependencies": {"b": "1"}, "optionalDependencies": {"b": "1"}},
                "node_modules/b": {},
                "node_modules/c": {"dependencies": {"gone": "1"}, "optionalDependencies": {"gone": "1"}},
                "node_modules/d": {"peerDependencies": {"b": "1", "gone": "1"}, "dependencies": {"d": "1"}},
            }
        )
    )
    assert read_graph(path, kinds="normal").edges == []
    assert read_graph(path, kinds="optional").edges == [("b", "a")]
    assert read_graph(path, kinds="peer").edges == [("b", "d")]


def test_npm_a_dependency_that_is_not_in_the_lock(write: Write) -> None:
    error = read_error(write(lock_of({"node_modules/a": {"dependencies": {"b": "1"}}})))
    assert "packages['node_modules/a'] needs 'b', which is nowhere in the lock" in error.message


WORKSPACES = lock_of(
    {
        "": {"name": "mono", "workspaces": ["packages/*"], "dependencies": {"x": "1"}},
        "packages/core": {"name": "@m/core", "version": "1.0.0", "dependencies": {"x": "1"}},
        "packages/app": {
            "name": "@m/app",
            "version": "2.0.0",
            "dependencies": {"@m/core": "*", "x": "2", "mono": "*"},
            "devDependencies": {"tool": "*"},
        },
        "packages/app/node_modules/x": {"version": "2.0.0"},
        "packages/@s/plain": {"peerDependencies": {"@m/app": "*"}},
        "../outside": {"version": "5.0.0", "dependencies": {"y": "1"}},
        "../outside/node_modules/y": {"version": "1.0.0", "peerDependencies": {"x": "1"}},
        "node_modules/@m/core": {"resolved": "packages/core", "link": True},
        "node_modules/@m/app": {"resolved": "packages/app", "link": True},
        "node_modules/mono": {"resolved": "", "link": True},
        "node_modules/tool": {"resolved": "../outside", "link": True},
        "node_modules/x": {"version": "1.0.0"},
        "node_modules/alias": {"name": "real", "version": "7.0.0"},
    }
)


def test_npm_workspaces_and_links(write: Write) -> None:
    path = write(WORKSPACES)
    graph = read_graph(path)
    assert set(graph) == {
        "@m/core@1.0.0",
        "@m/app@2.0.0",
        "x@1.0.0",
        "x@2.0.0",
        "@s/plain",
        "outside@5.0.0",
        "y@1.0.0",
        "real@7.0.0",
    }
    assert graph.attributes("@s/plain") == {}
    assert graph.edges == [
        ("@m/app@2.0.0", "@s/plain"),
        ("@m/core@1.0.0", "@m/app@2.0.0"),
        ("x@1.0.0", "@m/core@1.0.0"),
        ("x@2.0.0", "@m/app@2.0.0"),
        ("y@1.0.0", "outside@5.0.0"),  # and not x → y: no folder above "../outside" has an x
    ]
    assert ("outside@5.0.0", "@m/app@2.0.0") in read_graph(path, kinds=["dev"]).edges
    assert ("mono", "@m/app@2.0.0") in read_graph(path, root=True).edges


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (lock_of({}, version=4), "lockfileVersion is 4, expected 2 or 3"),
        (lock_of({}, version=True), "lockfileVersion is true, expected 2 or 3"),
        (lock_of({}, version=3.0), "lockfileVersion is 3.0, expected 2 or 3"),
        (lock_of({}, version="3"), "lockfileVersion is '3', expected 2 or 3"),
        (lock_of({}, version=[3]), "lockfileVersion is a list, expected 2 or 3"),
        ({"packages": {}}, "lockfileVersion is missing, expected 2 or 3"),
        ({"lockfileVersion": 3}, "has no table `packages`"),
        ([], "the document is a list, expected an object"),
        (lock_of([]), "packages is a list, expected an object"),
        (lock_of({"node_modules/a": None}), "packages['node_modules/a'] is null, expected an object"),
        (lock_of({"node_modules/a": {"version": 1}}), "packages['node_modules/a'].version is 1, expected text"),
        (lock_of({"node_modules/a": {"name": []}}), "packages['node_modules/a'].name is a list, expected text"),
        (lock_of({"node_modules/a": {"name": ""}}), "packages['node_modules/a'] has no name"),
        (lock_of({"node_modules/": {}}), "packages['node_modules/'] has no name"),
        (lock_of({"node_modules/a": {"dependencies": ["b"]}}), ".dependencies is a list, expected an object"),
        (lock_of({"node_modules/a": {"dependencies": {"b": 1}}}), ".dependencies['b'] is 1, expected text"),
        (lock_of({"node_modules/a": {"devDependencies": 0}}), ".devDependencies is 0, expected an object"),
        (lock_of({"node_modules/a": {"link": "yes"}}), ".link is 'yes', expected true or false"),
        (lock_of({"node_modules/a": {"link": True}}), ".resolved is null, expected text"),
        (lock_of({"node_modules/a": {"link": True, "resolved": "p"}}), "links to 'p', which is no folder"),
        (
            lock_of({"node_modules/a": {"link": True, "resolved": "node_modules/a"}}),
            "links to 'node_modules/a', which is no folder",
        ),
        (lock_of({"node_modules/\ud800": {}}), "a key of packages is 'node_modules/\\ud800', which holds half"),
        (lock_of({"node_modules/a": {"version": "\udfff"}}), ".version is '\\udfff', which holds half a character"),
    ],
)
def test_npm_malformed(write: Write, document: Any, message: str) -> None:
    assert message in read_error(write(document), "npm").message


def test_npm_numbers_beyond_floats_are_refused(write: Write) -> None:
    text = json.dumps(lock_of({"node_modules/a": {"version": 0}})).replace(": 0", ": 1e999")
    assert "the number 1e999 is too large to be held" in read_error(write(text)).message


def test_npm_deep_folders(write: Write) -> None:
    deep = "node_modules/a/" * 200 + "node_modules/a"
    graph = read_graph(
        write(lock_of({deep: {"version": "1", "dependencies": {"b": "*"}}, "node_modules/b": {"version": "2"}}))
    )
    assert graph.edges == [("b@2", "a@1")]


# ---------------------------------------------------------------------- pip's reports


def test_pip_report_gives_the_published_edges() -> None:
    graph = read_graph(REPORT, extras="requested")
    assert set(graph.edges) == published(DATA / "jupyter" / "edges.csv", "run")
    assert len(graph) == 97
    assert len(graph.waves()) == 12
    assert graph.attributes("jupyterlab") == {"version": "4.6.6"}


def test_pip_report_with_all_extras_explains_every_package() -> None:
    published_edges = published(DATA / "jupyter" / "edges.csv", "run")
    graph = read_graph(REPORT, extras="all")
    assert set(graph.edges) - published_edges == {("tinycss2", "bleach")} | {
        (needed, "jsonschema")
        for needed in (
            "fqdn",
            "idna",
            "isoduration",
            "jsonpointer",
            "rfc3339-validator",
            "rfc3986-validator",
            "rfc3987-syntax",
            "uri-template",
            "webcolors",
        )
    }
    assert published_edges < set(graph.edges)
    # pip installed these 97 for jupyter alone, so everything must lie below it.
    assert len(graph.transitive_dependencies_of("jupyter")) == 96


def test_pip_report_does_not_depend_on_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    here = read_graph(REPORT)
    elsewhere = dict.fromkeys(json.loads(REPORT.read_text(encoding="utf-8"))["environment"], "2.0")
    monkeypatch.setattr("packaging.markers.default_environment", lambda: dict(elsewhere))
    assert read_graph(REPORT) == here


def test_pip_environment(write: Write) -> None:
    items = item_of("a", "b; sys_platform == 'win32'", "c; python_version < '3.9'"), item_of("b"), item_of("c")
    told = {"sys_platform": "win32", "python_version": "3.8"}
    path = write(report_of(*items, environment=told))
    assert read_graph(path).edges == [("b", "a"), ("c", "a")]
    assert read_graph(path, environment={"sys_platform": "linux"}).edges == [("c", "a")]
    silent = write(report_of(*items))
    assert read_graph(silent, environment={**told, "python_version": "3.12"}).edges == [("b", "a")]


def test_pip_environment_missing_everywhere_is_that_of_the_interpreter(write: Write) -> None:
    path = write(
        report_of(item_of("a", "b; python_version >= '3.11'", "c; python_version < '3.11'"), item_of("b"), item_of("c"))
    )
    assert read_graph(path).edges == [("b", "a")]


def test_pip_environment_of_a_wrong_kind(write: Write) -> None:
    path = write(report_of())
    with pytest.raises(ValueError, match="environment has 'platform', which is no marker variable"):
        read_graph(path, environment={"platform": "win32"})
    with pytest.raises(TypeError, match=r"environment\['python_version'\] is 3.11 \(float\), expected a str"):
        read_graph(path, environment={"python_version": 3.11})
    with pytest.raises(TypeError, match="environment is 'win32', expected a mapping"):
        read_graph(path, environment="win32")
    with pytest.raises(ValueError, match="extras is 'some', expected one of"):
        read_graph(path, extras="some")


def test_pip_names_are_normalised(write: Write) -> None:
    graph = read_graph(write(report_of(item_of("My_App", "Zope.Interface>=1"), item_of("zope-interface", version="5"))))
    assert graph.edges == [("zope-interface", "my-app")]
    assert graph.attributes("zope-interface") == {"version": "5"}


def test_pip_requirements_that_are_installed_already_are_passed_over(write: Write) -> None:
    assert read_graph(write(report_of(item_of("a", "b", "c @ https://example.org/c.whl")))).edges == []


# a is requested with an extra; that asks b for one, which asks c for one, which asks b for another.
EXTRAS = (
    item_of("a", "b[Deep_Er]; extra == 'more'", "x; extra == 'unasked'", requested=True, requested_extras=["more"]),
    item_of("b", "c[x]; extra == 'deep-er'", "y; extra == 'back'"),
    item_of("c", "b-helper", "d[z]; extra == 'x'", "c[all]; extra == 'x'", "e; extra == 'all'"),
    item_of("d", "b-helper; extra == 'z'"),
    item_of("e"),
    item_of("x"),
    item_of("y"),
    item_of("b-helper"),
)


def test_pip_extras_are_followed_to_the_end(write: Write) -> None:
    edges = [("b", "a"), ("b-helper", "c"), ("b-helper", "d"), ("c", "b"), ("d", "c"), ("e", "c")]
    assert read_graph(write(report_of(*EXTRAS)), extras="all").edges == edges
    assert read_graph(write(report_of(*EXTRAS[::-1])), extras="all").edges == edges


def test_pip_extras_that_a_person_requested(write: Write) -> None:
    assert read_graph(write(report_of(*EXTRAS)), extras="requested").edges == [("b", "a"), ("b-helper", "c")]
    # An extra that is made of others of the same package is one request.
    items = (
        item_of("a", "a[x]; extra == 'all'", "b; extra == 'x'", requested=True, requested_extras=["all"]),
        item_of("b"),
    )
    assert read_graph(write(report_of(*items)), extras="requested").edges == [("b", "a")]
    # Newer versions of pip note the extras of packages that nobody requested, too.
    items = item_of("a", "b; extra == 'x'", requested=False, requested_extras=["x"]), item_of("b")
    assert read_graph(write(report_of(*items)), extras="requested").edges == []
    assert read_graph(write(report_of(*items)), extras="all").edges == [("b", "a")]


def test_pip_extras_that_ask_for_each_other(write: Write) -> None:
    items = (
        item_of("a", "b[x]", "b[y]; extra == 'z'"),
        item_of("b", "a[z]; extra == 'x'", "c; extra == 'y'"),
        item_of("c"),
    )
    assert read_graph(write(report_of(*items)), extras="all", cycles="merge").edges == [("c", "a+b")]
    with pytest.raises(DependencyCycle):
        read_graph(write(report_of(*items)), extras="all")


def test_pip_negated_extra_holds_for_the_package_alone(write: Write) -> None:
    # pip looks at the package alone as well as at each extra, so both requirements count.
    items = item_of("a", "b; extra != 'x'", "c; extra == 'x'", requested=True, requested_extras=["x"])
    assert read_graph(write(report_of(items, item_of("b"), item_of("c")))).edges == [("b", "a"), ("c", "a")]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "the document is a list, expected an object"),
        ({"install": []}, "version is missing, expected '1'"),
        ({"version": 1, "install": []}, "version is 1, expected '1'"),
        ({"version": "1"}, "install is null, expected a list"),
        ({"version": "1", "install": {}}, "install is an object, expected a list"),
        (report_of(environment=[]), "environment is a list, expected an object"),
        (report_of(environment={"os_name": None}), "environment['os_name'] is null, expected text"),
        ({"version": "1", "install": [3]}, "install[0] is 3, expected an object"),
        (report_of({}), "install[0].metadata is null, expected an object"),
        (report_of({"metadata": {"version": "1"}}), "install[0].metadata.name is null, expected text"),
        (report_of({"metadata": {"name": "a"}}), "install[0].metadata.version is null, expected text"),
        (report_of(item_of("a/b")), "install[0].metadata.name is 'a/b', expected a package name"),
        (report_of(item_of("")), "install[0].metadata.name is '', expected a package name"),
        (report_of(item_of("a\n")), "expected a package name"),
        (report_of(item_of("A.b"), item_of("a-b")), "install[1] is 'a-b', which install[0] is too"),
        (report_of(item_of("a", requested=1)), "install[0].requested is 1, expected true or false"),
        (report_of(item_of("a", requested_extras="x")), "install[0].requested_extras is 'x', expected a list"),
        (report_of(item_of("a", requested_extras=[None])), "requested_extras[0] is null, expected text"),
        (report_of(item_of("a", None)), "install[0].metadata.requires_dist[0] is null, expected text"),  # type: ignore[arg-type]
        (report_of(item_of("a", "b", "!")), "install[0].metadata.requires_dist[1] is '!', expected a requirement"),
        (report_of(item_of("a", "\ud800")), "which holds half a character"),
        (report_of(item_of("a", version="\ud800")), "install[0].metadata.version is '\\ud800'"),
    ],
)
def test_pip_malformed(write: Write, document: Any, message: str) -> None:
    error = read_error(write(document), "pip")
    assert message in error.message
    assert len(str(error)) < 1000


# ---------------------------------------------------------------------- anything at all

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.sampled_from(["a", "b", "node_modules/a", "packages/b", "a[x]; extra == 'x'", "\ud800", "1"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "link", "name", ""]), inner, max_size=3)
    ),
    max_leaves=5,
)


def places(document: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """List the ways to every value inside a document."""
    inner = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    return [at, *(place for key, value in inner for place in places(value, (*at, key)))]


def put(document: Any, place: tuple[Any, ...], value: Any) -> Any:
    if not place:
        return value
    changed = copy.deepcopy(document)
    inside = changed
    for key in place[:-1]:
        inside = inside[key]
    inside[place[-1]] = value
    return changed


def attempt(path: Path, format: str | None, **options: Any) -> tuple[RepoDependencyGraph | None, ReadError | None]:
    """Give the graph or the ReadError; anything else that is raised fails the test, and so does another warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ReadWarning)
        try:
            return read_graph(path, format, cycles="merge", **options), None
        except ReadError as error:
            return None, error


VICTIMS = {
    "npm": WORKSPACES,
    "pip": report_of(*EXTRAS, environment={"sys_platform": "linux", "python_version": "3.11"}),
}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(format=st.sampled_from(sorted(VICTIMS)), guess=st.booleans(), data=st.data())
def test_any_value_anywhere_gives_a_graph_or_a_read_error(
    write: Write, format: str, guess: bool, data: st.DataObject
) -> None:
    document = VICTIMS[format]
    path = write(put(document, data.draw(st.sampled_from(places(document))), data.draw(json_values)))
    options = {"root": data.draw(st.booleans()), "ids": data.draw(st.sampled_from(["name", "name@version"]))}
    graph, error = attempt(path, None if guess else format, **(options if format == "npm" and not guess else {}))
    assert graph is None or sorted(graph.topological_order()) == sorted(graph)
    assert error is None or len(str(error)) < 2000


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    format=st.sampled_from(["csv", "npm", "pip"]),
    content=st.binary(max_size=60)
    | st.text(alphabet='dependnt,cy"\n\r ', max_size=40).map(lambda text: f"dependency,dependent\n{text}".encode()),
)
def test_any_bytes_give_a_graph_or_a_read_error(write: Write, format: str, content: bytes) -> None:
    _, error = attempt(write(content, "any"), format)
    assert error is None or error.line is None or 1 <= error.line <= len(content.splitlines()) + 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.text(max_size=5), st.text(max_size=5)).map(sorted).filter(lambda pair: pair[0] != pair[1]))
)
def test_any_edges_survive_csv(write: Write, pairs: list[list[str]]) -> None:
    path = write("", "e.csv")
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([("dependency", "dependent"), *pairs])
    kept = {(before, after) for before, after in pairs if not is_blank(before) and not is_blank(after)}
    assert read_graph(path).edges == sorted(kept)
