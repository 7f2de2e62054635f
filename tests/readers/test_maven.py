"""Reactors of Maven: who needs whom by parents, dependencies, plugins; what Maven leaves out is left out."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seqkit import DependencyCycle, ReadError, ReadWarning, RepoDependencyGraph, read_graph
from seqkit.readers import read_maven

Poms = dict[str, str]
Tell = Callable[..., RepoDependencyGraph]

ROOT = "<groupId>g</groupId><artifactId>root</artifactId><version>1</version><packaging>pom</packaging>"
PARENT = "<parent><groupId>g</groupId><artifactId>root</artifactId><version>1</version></parent>"


def modules(*names: str) -> str:
    return f"<modules>{''.join(f'<module>{name}</module>' for name in names)}</modules>"


def artifact(name: str, more: str = "", group: str = "g") -> str:
    return f"<groupId>{group}</groupId><artifactId>{name}</artifactId>{more}"


def needs(*names: str, more: str = "") -> str:
    told = "".join(f"<dependency>{artifact(name, more)}</dependency>" for name in names)
    return f"<dependencies>{told}</dependencies>"


def managed(name: str, more: str) -> str:
    return f"<dependencyManagement>{needs(name, more=more)}</dependencyManagement>"


def child(name: str, more: str = "") -> str:
    return f"{PARENT}<artifactId>{name}</artifactId>{more}"


def version(text: str) -> str:
    return f"<version>{text}</version>"


def write(folder: Path, poms: Poms) -> Path:
    for place, content in poms.items():
        path = folder / place
        if path.suffix != ".xml":
            path = path / "pom.xml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            f'<?xml version="1.0" encoding="UTF-8"?>\n<project xmlns="http://maven.apache.org/POM/4.0.0">'
            f"<modelVersion>4.0.0</modelVersion>{content}</project>",
            encoding="utf-8",
        )
    return folder


@pytest.fixture
def tell(tmp_path: Path) -> Tell:
    def read(poms: Poms, **options: Any) -> RepoDependencyGraph:
        return read_graph(write(tmp_path, poms), **options)

    return read


def reactor(**poms: str) -> Poms:
    """Give a root with modules that have it as parent."""
    return {
        ".": ROOT + poms.pop("root", "") + modules(*poms),
        **{name: child(name, more) for name, more in poms.items()},
    }


def without_parents(graph: RepoDependencyGraph) -> dict[tuple[str, str], list[str]]:
    return {pair: graph.kinds(*pair) for pair in graph.edges if graph.kinds(*pair) != ["parent"]}


def told(graph: RepoDependencyGraph, about: str) -> str:
    return "\n".join(line for line in graph.report.lines() if line.startswith(about))


# ---------------------------------------------------------------------- what gives an edge


def test_a_reactor_has_parents_and_dependencies_by_scope(tell: Tell) -> None:
    scopes = {"a": "", "b": "runtime", "c": "system", "d": "provided", "e": "test"}
    told = "".join(
        f"<dependency>{artifact(name)}{f'<scope>{scope}</scope>' * bool(scope)}</dependency>"
        for name, scope in scopes.items()
    )
    told += f"<dependency>{artifact('f')}<optional>true</optional></dependency>"
    poms = reactor(app=f"<dependencies>{told}</dependencies>", **dict.fromkeys("abcdef", ""))
    graph = tell(poms)
    kinds = {"a": "normal", "b": "normal", "c": "normal", "d": "build", "e": "test", "f": "optional"}
    assert without_parents(graph) == {(name, "app"): [kind] for name, kind in kinds.items()}
    assert {pair for pair in graph.edges if graph.kinds(*pair) == ["parent"]} == {
        ("root", name) for name in ("app", *"abcdef")
    }
    assert graph.report.format == "maven"
    assert graph.attributes("a") == {"version": "1", "path": "a", "ecosystem": "maven"}
    # Tests count by default, and can be left out.
    assert ("e", "app") not in tell(poms, kinds=["normal", "parent"]).edges
    assert tell(poms, kinds="all").edges == graph.edges


def test_types_and_classifiers_make_no_difference(tell: Tell) -> None:
    more = "<type>test-jar</type><classifier>tests</classifier>"
    assert without_parents(tell(reactor(app=needs("core", more=more), core=""))) == {("core", "app"): ["normal"]}


def test_scopes_and_versions_are_managed_by_parents_and_imported_boms(tell: Tell) -> None:
    importing = managed("bom", version("${project.version}") + "<type>pom</type><scope>import</scope>")
    graph = tell(
        reactor(
            root=managed("core", version("${project.version}") + "<scope>test</scope>"),
            bom="<packaging>pom</packaging>"
            + managed("lib", version("${project.version}") + "<scope>provided</scope>"),
            app=importing + needs("core", "lib"),
            core="",
            lib="",
        )
    )
    # The import of a BOM is no edge, as in Maven 3.8.
    assert without_parents(graph) == {("core", "app"): ["test"], ("lib", "app"): ["build"]}


def test_another_version_of_what_is_here_comes_from_a_repository(tell: Tell) -> None:
    graph = tell(reactor(app=needs("core", more=version("0.9")), api=needs("core", more=version("[0.9,2)")), core=""))
    assert without_parents(graph) == {("core", "api"): ["normal"]}
    assert "other versions of what is here" in told(graph, "left out")


def test_properties_of_parents_and_projects_are_filled_in(tell: Tell) -> None:
    poms = {
        ".": "<groupId>g</groupId><artifactId>root</artifactId><version>${revision}${changelist}</version>"
        "<packaging>pom</packaging><properties><revision>2.0</revision><changelist>-SNAPSHOT</changelist>"
        "<name>core</name><core.version>${project.version}</core.version></properties>" + modules("core", "app"),
    }
    for name, more in {
        "core": "",
        "app": "<dependencies><dependency><groupId>${project.groupId}</groupId><artifactId>${name}</artifactId>"
        "<version>${core.version}</version></dependency></dependencies>",
    }.items():
        poms[name] = child(name, more).replace(version("1"), version("${revision}${changelist}"))
    graph = tell(poms)
    assert without_parents(graph) == {("core", "app"): ["normal"]}
    assert {graph.attributes(name)["version"] for name in graph} == {"2.0-SNAPSHOT"}
    assert ("root", "app") in graph.edges


def test_dependencies_of_parents_are_inherited(tell: Tell) -> None:
    poms = {
        ".": ROOT + modules("core", "parent", "app"),
        "core": child("core"),
        "parent": child("parent", "<packaging>pom</packaging>" + needs("core")),
        "app": "<parent><groupId>g</groupId><artifactId>parent</artifactId><version>1</version>"
        "<relativePath>../parent</relativePath></parent><artifactId>app</artifactId>",
    }
    graph = tell(poms)
    assert set(graph.edges) == {
        ("root", "core"),
        ("root", "parent"),
        ("parent", "app"),
        ("core", "parent"),
        ("core", "app"),
    }


def test_a_parent_is_found_by_its_name_where_no_path_leads_to_it(tell: Tell) -> None:
    poms = {
        ".": ROOT + modules("parent", "app", "core"),
        "parent": "<groupId>h</groupId><artifactId>parent</artifactId><version>3</version><packaging>pom</packaging>"
        + needs("core"),
        "core": "<groupId>g</groupId><artifactId>core</artifactId><version>1</version>",
        "app": "<parent><groupId>h</groupId><artifactId>parent</artifactId><version>3</version><relativePath/></parent>"
        "<artifactId>app</artifactId>",
    }
    graph = tell(poms)
    assert set(graph.edges) == {("core", "app"), ("core", "parent"), ("parent", "app")}


def test_a_parent_from_elsewhere_is_told(tell: Tell) -> None:
    alone = "<groupId>g</groupId><artifactId>a</artifactId><version>1</version>"
    above = "<parent><groupId>org</groupId><artifactId>above</artifactId><version>7</version><relativePath/></parent>"
    graph = tell({".": above + "<artifactId>root</artifactId><packaging>pom</packaging>" + modules("a"), "a": alone})
    assert "parents from elsewhere" in told(graph, "left out")
    assert {graph.attributes(repo)["version"] for repo in graph} == {"7", "1"}


def test_plugins_extensions_what_they_need_and_processors_build(tell: Tell) -> None:
    plugin = (
        f"<plugin>{artifact('tool')}<dependencies><dependency>{artifact('rules')}</dependency></dependencies></plugin>"
    )
    compiler = (
        "<plugin><artifactId>maven-compiler-plugin</artifactId><configuration><annotationProcessorPaths>"
        f"<path>{artifact('processor')}</path></annotationProcessorPaths></configuration></plugin>"
    )
    extension = f"<extensions><extension>{artifact('ext')}</extension></extensions>"
    graph = tell(
        reactor(
            root=f"<build><pluginManagement><plugins>{compiler}<plugin>{artifact('unused')}</plugin></plugins>"
            "</pluginManagement></build>",
            app=f"<build>{extension}<plugins>{plugin}</plugins></build>",
            **dict.fromkeys(("tool", "rules", "ext", "unused"), "<packaging>pom</packaging>"),
            processor="<packaging>pom</packaging>",
        )
    )
    assert without_parents(graph) == {(name, "app"): ["build"] for name in ("tool", "rules", "ext", "processor")}


def test_plugins_for_all_do_not_build_what_they_need_themselves(tell: Tell) -> None:
    plugin = f"<build><plugins><plugin>{artifact('tool')}</plugin></plugins></build>"
    graph = tell(reactor(root=plugin, tool=needs("lib"), lib="", app=""))
    assert without_parents(graph) == {("lib", "tool"): ["normal"], ("tool", "app"): ["build"]}
    assert "would close a cycle" in told(graph, "left out")


def test_profiles_count_and_are_told_as_guesses(tell: Tell) -> None:
    def profile(name: str, content: str, active: bool = False) -> str:
        activation = "<activation><activeByDefault>true</activeByDefault></activation>" if active else ""
        return f"<profile><id>{name}</id>{activation}{content}</profile>"

    poms = {
        ".": ROOT + f"<profiles>{profile('all', modules('b'))}{profile('main', modules('a'), True)}</profiles>",
        "a": child("a", f"<profiles>{profile('x', needs('b'))}</profiles>"),
        "b": child("b"),
    }
    graph = tell(poms)
    assert without_parents(graph) == {("b", "a"): ["normal"]}
    guesses = told(graph, "guessed")
    assert "b (all)" in guesses
    assert "a needs g:b (x)" in guesses
    assert "a (main)" not in guesses


def test_reactors_may_be_nested_and_name_files(tell: Tell) -> None:
    poms = {
        ".": ROOT + modules("group", "other/pom-17.xml"),
        "group": child("group", "<packaging>pom</packaging>" + modules("one", "../two")),
        "group/one": child("one").replace("</parent>", "<relativePath>../..</relativePath></parent>"),
        "two": child("two"),
        "other/pom-17.xml": child("other", needs("one")),
    }
    graph = tell(poms)
    assert set(graph.edges) == {("root", name) for name in ("group", "one", "two", "other")} | {("one", "other")}


def test_those_that_share_an_artifact_id_are_called_by_both_names(tell: Tell) -> None:
    poms = {
        ".": ROOT + modules("a", "b", "c"),
        "a": child("core"),
        "b": child("core").replace("<artifactId>core", "<groupId>h</groupId><artifactId>core"),
        "c": child("app", needs("core")),
    }
    graph = tell(poms)
    assert set(graph) == {"root", "g:core", "h:core", "app"}
    assert without_parents(graph) == {("g:core", "app"): ["normal"]}


def test_maven_4_finds_subprojects_parents_and_versions(tmp_path: Path) -> None:
    def pom(content: str) -> str:
        return f'<project xmlns="http://maven.apache.org/POM/4.1.0" root="true">{content}</project>'

    for place, content in {
        ".": ROOT,
        "a": "<parent/><artifactId>a</artifactId>",
        "b": "<parent/><artifactId>b</artifactId>" + needs("a"),
    }.items():
        (tmp_path / place).mkdir(exist_ok=True)
        (tmp_path / place / "pom.xml").write_text(pom(content))
    graph = read_graph(tmp_path)
    assert set(graph.edges) == {("root", "a"), ("root", "b"), ("a", "b")}
    assert "subprojects that nobody names" in told(graph, "guessed")
    assert graph.attributes("b")["version"] == "1"
    named = ROOT + "<subprojects><subproject>a</subproject></subprojects>"
    (tmp_path / "pom.xml").write_text(pom(named))
    assert set(read_graph(tmp_path)) == {"root", "a"}


def test_members_side_by_side_without_their_root_give_the_same_edges(tmp_path: Path) -> None:
    poms = reactor(app=needs("core", "lib"), core=needs("lib", more="<scope>test</scope>"), lib="")
    whole = read_graph(write(tmp_path / "whole", poms))
    split = read_graph(write(tmp_path / "split", {name: pom for name, pom in poms.items() if name != "."}))
    assert without_parents(split) == without_parents(whole)
    moved = read_graph(write(tmp_path / "moved", {"root" if name == "." else name: pom for name, pom in poms.items()}))
    assert moved.edges == whole.edges  # the modules that the root names are not in it


def test_a_file_is_read_as_the_folder_it_is_in(tell: Tell, tmp_path: Path) -> None:
    graph = tell(reactor(app=needs("core"), core=""))
    for path in (tmp_path / "pom.xml", tmp_path / "other.xml"):
        path.write_text((tmp_path / "pom.xml").read_text())
        assert read_graph(path, format="maven").edges == graph.edges == read_maven(path).edges


# ---------------------------------------------------------------------- traps


def test_circles_are_bounded_and_told(tell: Tell) -> None:
    properties = "<properties><a>${b}</a><b>${a}</b><c>${c}${c}</c></properties>"
    graph = tell(reactor(root=properties, app=needs("${a}", "${c}", "core"), core=""))
    assert without_parents(graph) == {("core", "app"): ["normal"]}
    assert "named by properties that nothing here defines" in told(graph, "left out")
    assert "properties that name themselves" in told(graph, "guessed")


def test_properties_that_grow_are_cut_off(tell: Tell) -> None:
    grow = "".join(f"<p{n}>{f'${{p{n - 1}}}' * 10}</p{n}>" for n in range(1, 40))
    graph = tell(reactor(root=f"<properties><p0>x</p0>{grow}</properties>", app=needs("${p39}"), core=""))
    assert "named by properties" in told(graph, "left out")
    long = "".join(f"<q{n}>${{q{n + 1}}}</q{n}>" for n in range(5_000))
    assert tell(reactor(root=f"<properties>{long}</properties>", app=needs("${q0}"), core=""))


def test_parents_in_a_circle_are_told(tell: Tell) -> None:
    own = "<parent><groupId>g</groupId><artifactId>root</artifactId><version>1</version><relativePath>.</relativePath>"
    graph = tell(
        {".": own + "</parent><artifactId>root</artifactId><packaging>pom</packaging>" + modules("a"), "a": ROOT}
    )
    assert "their own parents" in told(graph, "look at")

    def under(name: str) -> str:
        return (
            f"<parent><groupId>g</groupId><artifactId>{name}</artifactId><version>1</version>"
            f"<relativePath>../{name}</relativePath></parent>"
        )

    poms = {
        ".": ROOT + modules("a", "b"),
        "a": under("b") + "<artifactId>a</artifactId>",
        "b": under("a") + "<artifactId>b</artifactId>",
    }
    with pytest.raises(DependencyCycle):
        tell(poms)
    assert "their own parents" in told(tell(poms, cycles="keep"), "look at")


def test_modules_that_lead_out_or_round_are_told(tell: Tell, tmp_path: Path) -> None:
    (tmp_path / "round").symlink_to(tmp_path)
    (tmp_path.parent / "outside").mkdir(exist_ok=True)
    graph = tell({".": ROOT + modules("../outside", "/etc", ".", "nowhere", "round", "a", "a/../a"), "a": child("a")})
    assert list(graph) == ["root", "a"]
    assert "2 modules that lie outside" in told(graph, "left out")
    assert "1 modules that are not there: nowhere" in told(graph, "look at")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("<project", "is no XML"),
        ("<settings/>", "is <settings>, expected <project>"),
        ("<project/>", "has no <artifactId>"),
        ("<a>" * 10_000 + "</a>" * 10_000, "nested more than"),
        ('<!DOCTYPE p [<!ENTITY a "b">]><project>&a;</project>', "has what is not read"),
        ('<!DOCTYPE p SYSTEM "file:///etc/passwd" [<!ENTITY a SYSTEM "file:///etc/passwd">]><p>&a;</p>', "not read"),
        ('<?xml version="1.0" encoding="nobody-knows"?><project/>', "is no XML"),
    ],
)
def test_what_is_no_pom_is_an_error_with_its_place(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "pom.xml").write_text(content)
    with pytest.raises(ReadError, match=message) as error:
        read_graph(tmp_path)
    assert "pom.xml" in str(error.value)


def test_encodings_are_those_that_are_declared(tmp_path: Path) -> None:
    pom = f'<?xml version="1.0" encoding="{{}}"?><project><!-- Zoë -->{ROOT}<name>Zoë</name></project>'
    for encoding in ("ISO-8859-1", "UTF-16", "UTF-8", "windows-1252"):
        (tmp_path / "pom.xml").write_bytes(pom.format(encoding).encode(encoding))
        assert list(read_graph(tmp_path)) == ["root"]


def test_characters_that_html_names_are_known_as_to_maven(tmp_path: Path) -> None:
    (tmp_path / "pom.xml").write_text(f"<project>{ROOT}<name>S&oslash;ren &amp; &#65;</name></project>")
    assert list(read_graph(tmp_path)) == ["root"]
    (tmp_path / "pom.xml").write_text(f"<project>{ROOT}<name>&nobody;</name></project>")
    with pytest.raises(ReadError, match="is no XML"):
        read_graph(tmp_path)


def damaged(rng: random.Random, text: str) -> str:
    """Cut text, drop or double an element, or put one's content elsewhere."""
    spans = [match.span() for match in re.finditer(r"<(\w+)>[^<]*</\1>|</?\w+/?>", text)]
    if not spans:
        return text[1:]
    first, second = rng.choice(spans), rng.choice(spans)
    return rng.choice(
        [
            text[: first[0]] + text[first[1] :],
            text[: first[1]] + text[slice(*second)] + text[first[1] :],
            text[: first[0]] + text[slice(*second)] + text[first[1] :],
            text[: rng.randrange(len(text) + 1)],
            text.replace(*rng.sample(["core", "app", "root", "g", "1", "project", "module", "${a}"], 2)),
        ]
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32))
def test_damage_gives_a_graph_or_an_error_of_ours(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    plugin = f"<build><plugins><plugin>{artifact('core')}<inherited>false</inherited></plugin></plugins></build>"
    poms = reactor(
        root="<properties><a>${project.version}</a></properties>" + managed("core", version("${a}")),
        app=needs("core") + plugin,
        core=f"<profiles><profile><id>x</id>{needs('app', more='<scope>test</scope>')}</profile></profiles>",
    )
    write(tmp_path, poms)
    for _ in range(rng.randint(1, 3)):
        path = tmp_path / rng.choice(["pom.xml", "app/pom.xml", "core/pom.xml"])
        path.write_text(damaged(rng, path.read_text()))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ReadWarning)  # of one project of several that is broken
        try:
            graph = read_graph(tmp_path, kinds="all", cycles=rng.choice(["keep", "error"]))
        except (ReadError, DependencyCycle):
            return
    assert graph.report.read


# ---------------------------------------------------------------------- Maven itself


@pytest.mark.slow
def test_maven_builds_the_same_before_each(tmp_path: Path) -> None:
    """What ``mvn -am`` builds for a project is what it needs, directly or not."""
    mvn = shutil.which("mvn")
    if mvn is None:
        pytest.skip("Maven is not installed")
    pom = "<packaging>pom</packaging>"
    importing = managed("bom", version("1") + "<type>pom</type><scope>import</scope>")
    typed = "<type>pom</type>" + version("${project.version}")
    write(
        tmp_path,
        reactor(
            app=pom + needs("core", more=typed),
            tested=pom + needs("app", more=typed + "<scope>test</scope>"),
            importer=pom + importing,
            bom=pom + managed("core", version("1")),
            old=pom + needs("app", more="<type>pom</type>" + version("0.9")),
            core=pom,
        ),
    )
    graph = read_graph(tmp_path, kinds="all")
    for repo in ("tested", "importer", "old"):
        done = subprocess.run(
            [mvn, "-o", "-B", "-pl", f":{repo}", "-am", "validate"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        built = set(re.findall(r"< g:(\w+) >", done.stdout))
        assert built == {repo, *graph.transitive_dependencies_of(repo)}
