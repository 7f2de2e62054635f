"""Python packages in folders: whose tables are read, who is meant, and what is said of the rest."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from packaging.markers import Marker

from seqkit import ReadError, RepoDependencyGraph, SeqkitError, read_graph
from seqkit.readers import ReadWarning
from seqkit.readers._requirements import can_hold

Made = Callable[..., Path]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """Write files by their paths; a name alone is a package that needs what is given."""

    def made(**files: str | list[str]) -> Path:
        for place, content in files.items():
            name = place.replace("__", "/")
            text = content
            if isinstance(content, list):
                text = f'[project]\nname = "{name.rpartition("/")[2]}"\nversion = "1"\ndependencies = {content}\n'
                name += "/pyproject.toml"
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(str(text), "utf-8")
        return tmp_path

    return made


def told(graph: RepoDependencyGraph) -> dict[str, list[str]]:
    """List dependencies with their kinds, as ``dependent needs dependency``."""
    return {f"{after} needs {before}": list(graph.kinds(before, after)) for before, after in graph.edges}


def nothing(names: Iterable[str]) -> dict[str, list[str]]:
    """Give packages that need nothing."""
    return {name: [] for name in names}


def remarks(graph: RepoDependencyGraph) -> str:
    assert graph.report is not None
    return "\n".join(graph.report.lines())


def read(folder: Path, **options: Any) -> dict[str, list[str]]:
    return told(read_graph(folder, **({"kinds": "all", "cycles": "keep"} | options)))


WORKSPACE = """
[project]
name = "Whole"
version = "1"
dependencies = ["my.core[Fast]", "httpx"]
[dependency-groups]
dev = ["tools", {include-group = "tests"}]
tests = ["my_plug >= 1"]
[build-system]
requires = ["tools"]
[tool.uv.workspace]
members = ["packages/*", "exact"]
exclude = ["packages/not-*"]
[tool.uv.sources]
elsewhere = { path = "vendored/else", editable = true }
"""
CORE = """
[project]
name = "My_Core"
dynamic = ["version"]
[project.optional-dependencies]
fast = ["my-plug"]
slow = ["tools", "my-core[fast]"]
"""


def test_a_workspace_of_uv(made: Made) -> None:
    folder = made(
        **{
            "pyproject.toml": WORKSPACE,
            "packages__core__pyproject.toml": CORE,
            "packages__my-plug": [],
            "packages__tools": ["elsewhere"],
            "packages__not-this": ["my-core"],
            "exact": ["my-core"],
            "beside": ["my-core"],
            "vendored__else__pyproject.toml": '[project]\nname = "elsewhere"\ndependencies = ["exact"]\n',
        }
    )
    expected = {
        "whole needs my-core": ["normal"],
        "whole needs tools": ["build", "dev"],
        "whole needs my-plug": ["dev", "test"],
        "my-core needs my-plug": ["normal"],  # whole asks for it
        "my-core needs tools": ["extra"],  # nobody does
        "tools needs elsewhere": ["normal"],  # by what the root says of sources
        "exact needs my-core": ["normal"],
        "elsewhere needs exact": ["normal"],
    }
    graph = read_graph(folder, kinds="all", cycles="keep")
    assert told(graph) == expected == read(folder, format="python") == read(folder / "pyproject.toml")
    assert graph.attributes("my-core") == {"path": "packages/core", "ecosystem": "pypi"}
    assert graph.attributes("whole")["version"] == "1"
    assert "1 dependencies on packages from elsewhere: whole needs httpx" in remarks(graph)


def test_the_members_without_their_root_say_the_same(made: Made, tmp_path: Path) -> None:
    members = {"packages__a": ["b[x]"], "packages__b": ["c"], "packages__c": []}
    root = '[tool.uv.workspace]\nmembers = ["packages/*"]\n'
    folder = made(**members, **{"pyproject.toml": root})
    whole = read_graph(folder)
    assert "1 roots of workspaces" in remarks(whole)
    assert told(whole) == read(folder / "packages") == {"a needs b": ["normal"], "b needs c": ["normal"]}


def test_an_extra_that_only_development_asks_for_is_of_its_kind(made: Made) -> None:
    lib = (
        '[project]\nname = "lib"\n[project.optional-dependencies]\nx = ["core"]\n[dependency-groups]\ndev = ["lib[x]"]'
    )
    folder = made(**{"lib__pyproject.toml": lib, "core": []})
    assert read(folder) == {"lib needs core": ["dev"]}


def test_markers_that_can_never_hold_do_not_count(made: Made) -> None:
    text = """
    [project]
    name = "app"
    requires-python = ">=3.11"
    dependencies = ["old; python_version < '3.8'",
        "win; sys_platform == 'win32'", "no; os_name == 'nt' and sys_platform == 'linux'"]
    """
    folder = made(**{"app__pyproject.toml": text, "old": [], "win": [], "no": []})
    graph = read_graph(folder)
    assert told(graph) == {"app needs win": ["normal"]}
    assert "2 dependencies whose markers can never hold" in remarks(graph)


@pytest.mark.parametrize(
    ("marker", "python", "holds"),
    [
        ("python_version < '3'", ">=3.9", False),
        ("python_full_version < '3.9.17'", ">=3.9", True),
        ("python_version == '3.10.*'", ">=3.9,<3.11", True),
        ("sys_platform == 'win32' and platform_system == 'Linux'", "", False),
        ("sys_platform == 'linux2'", "", True),
        ("platform_machine == 'armv7l' and platform_machine != 'arm64'", "", True),
        ("platform_python_implementation == 'PyPy' and implementation_name == 'cpython'", "", False),
        ("extra == 'a' and extra == 'b'", "", False),
        ("extra == 'a' or python_version < '3'", ">=3.9", True),
        ("python_version in '2.7, 3.6'", ">=3", True),
        ("'x' in extras", "", True),
        ("platform_release >= '6'", "", True),
        ("python_version < '3'", "what?", True),
    ],
)
def test_which_markers_can_hold(marker: str, python: str, holds: bool) -> None:
    assert can_hold(Marker(marker), python) is holds


POETRY = """
[tool.poetry]
name = "Pkg.App"
version = "2.1"
[tool.poetry.dependencies]
python = "^3.9"
core = { path = "../core", develop = true, extras = ["x"] }
opt = { version = "^1", optional = true }
alone = { version = "*", optional = true }
many = [{ version = "^1", markers = "python_version < '3.10'" }, { version = "^2" }]
[tool.poetry.extras]
more = ["opt"]
[tool.poetry.dev-dependencies]
old = "*"
[tool.poetry.group.test.dependencies]
check = "*"
[tool.poetry.group.lint.dependencies]
ruffle = "*"
[build-system]
requires = ["poetry-core>=1"]
"""


def test_the_tables_of_poetry(made: Made) -> None:
    names = nothing(("opt", "alone", "many", "old", "check", "ruffle", "poetry-core"))
    core = '[tool.poetry]\nname = "the_core"\n[tool.poetry.dependencies]\nopt = {version = "*", optional = true}\n'
    core += '[tool.poetry.extras]\nx = ["opt"]\n'
    folder = made(**names, **{"app__pyproject.toml": POETRY, "core__pyproject.toml": core})
    assert read(folder) == {
        "the-core needs opt": ["normal"],
        "pkg-app needs the-core": ["normal"],
        "pkg-app needs opt": ["extra"],
        "pkg-app needs alone": ["extra"],
        "pkg-app needs many": ["normal"],
        "pkg-app needs old": ["dev"],
        "pkg-app needs check": ["test"],
        "pkg-app needs ruffle": ["dev"],
        "pkg-app needs poetry-core": ["build"],
    }


def test_path_dependencies_of_the_root_of_poetry(made: Made) -> None:
    root = '[tool.poetry]\npackage-mode = false\n[tool.poetry.dependencies]\na = { path = "libs/deep/er/still/a" }\n'
    folder = made(**{"pyproject.toml": root, "libs__deep__er__still__a": ["b"], "libs__b": []})
    assert read(folder) == {". needs a": ["normal"], "a needs b": ["normal"]}


def test_poetry_beside_project(made: Made) -> None:
    text = '[project]\nname = "app"\ndependencies = ["core"]\n[tool.poetry.dependencies]\n'
    text += 'core = { path = "../x" }\nmore = "*"\n'
    folder = made(**{"app__pyproject.toml": text, "x": [], "more": []})
    assert read(folder) == {"app needs x": ["normal"]}  # it lies there, whatever it is called; more is no requirement
    dynamic = text.replace('dependencies = ["core"]', 'dynamic = ["dependencies"]', 1)
    assert read(made(**{"app__pyproject.toml": dynamic})) == {"app needs x": ["normal"], "app needs more": ["normal"]}


@pytest.mark.parametrize(
    "reference",
    [
        "lib @ file:../lib",
        "lib @ file:///${PROJECT_ROOT}/../lib",
        "lib @ {root:uri}/../lib",
        "lib @ {root:parent:uri}/lib",
        "lib@../lib ; python_version > '3'",
        "lib @ git+https://example.org/lib.git@main#egg=lib",
        "Lib (>=1)",
        "LIB == {{ version }}",
        "lib>=1.0.*,<bad",
    ],
)
def test_references(made: Made, reference: str) -> None:
    assert read(made(app=[reference], lib=[])) == {"app needs lib": ["normal"]}


def test_what_tools_are_told_of_development(made: Made) -> None:
    text = """
    [project]
    name = "app"
    [tool.uv]
    dev-dependencies = ["a"]
    [tool.rye]
    dev-dependencies = ["b"]
    [tool.pdm.dev-dependencies]
    test = ["-e file:///${PROJECT_ROOT}/../c#egg=c"]
    [tool.hatch.envs.hatch-test]
    extra-dependencies = ["d"]
    [tool.hatch.envs.default]
    dependencies = ["e @ {root:uri}/../e"]
    """
    folder = made(**{"app__pyproject.toml": text, **nothing("abcde")})
    kinds = ["dev", "dev", "test", "test", "dev"]
    assert read(folder) == {f"app needs {name}": [kind] for name, kind in zip("abcde", kinds, strict=True)}


def test_dynamic_dependencies_that_are_written_down(made: Made) -> None:
    text = """
    [project]
    name = "app"
    dynamic = ["dependencies", "optional-dependencies"]
    [tool.setuptools.dynamic]
    dependencies = { file = ["needs.txt"] }
    optional-dependencies.x = { file = "more.txt" }
    """
    needs = (
        "# a comment\na>=1 # why\n-r sub/other.txt\n--hash=x\nb ; python_version > '3' \\\n  --hash=sha256:0\n-e ../c\n"
    )
    other = "-r ../needs.txt\nd --hash=sha256:1\n-c limits.txt\n"
    folder = made(
        **{"app__pyproject.toml": text, "app__needs.txt": needs, "app__sub__other.txt": other, "app__more.txt": "e"},
        **nothing("abcde"),
    )
    expected = {f"app needs {name}": ["normal"] for name in "abcd"} | {"app needs e": ["extra"]}
    assert read(folder) == expected
    hook = '[project]\nname = "app"\ndynamic = ["dependencies"]\n[tool.hatch.metadata.hooks.uv-dynamic-versioning]\n'
    hook += 'dependencies = ["a=={{ version }}"]\n'
    assert read(made(**{"app__pyproject.toml": hook})) == {"app needs a": ["normal"]}


def test_dynamic_dependencies_that_are_computed_are_reported(made: Made) -> None:
    folder = made(app__pyproject_toml="", a=[])
    made(**{"app__pyproject.toml": '[project]\nname = "app"\ndynamic = ["dependencies"]\n'})
    graph = read_graph(folder)
    assert told(graph) == {}
    assert "1 packages whose dependencies are computed when they are built" in remarks(graph)


SETUP = """
[metadata]
name = The.App
version = attr: app.__version__
[options]
install_requires =
    # a comment
    a>=1
    b; python_version > "3"
setup_requires = c
tests_require = d
[options.extras_require]
x = e
"""


def test_setup_cfg(made: Made) -> None:
    folder = made(**{"app__setup.cfg": SETUP, "old__setup.py": "raise SystemExit"}, **nothing("abcde"))
    graph = read_graph(folder, kinds="all")
    kinds = ["normal", "normal", "build", "test", "extra"]
    assert told(graph) == {f"the-app needs {name}": [kind] for name, kind in zip("abcde", kinds, strict=True)}
    assert "1 packages that only setup.py describes" in remarks(graph)
    assert "version" not in graph.attributes("the-app")


def test_packages_below_a_checkout_without_a_workspace(made: Made) -> None:
    folder = made(
        one__libs__partners__a=["b", "core"],
        one__libs__b=["core"],
        one__libs__x__y__too_deep=["core"],
        one__tests__fixtures__no=["core"],
        one__docs=["core"],
        two=["b"],
        two__plugin=["two"],
        core=[],
    )
    expected = {"a needs b", "a needs core", "b needs core", "two needs b", "plugin needs two"}
    assert set(read(folder)) == expected
    assert set(read(folder / "one", format="python")) == {"a needs b"}
    units = read_graph(folder, unit="repo")
    assert sorted(units.edges) == [("core", "one"), ("one", "two")]
    assert units.attributes("one")["members"] == ["b", "a"]


def test_a_template_below_is_no_error(made: Made) -> None:
    folder = made(app=[], **{"app__new__pyproject.toml": "[project]\nname = {{ name }}\n"})
    assert "1 manifests below that cannot be read" in remarks(read_graph(folder))


def test_links_and_patterns_that_leave_the_folder(made: Made, tmp_path: Path) -> None:
    root = '[project]\nname="app"\n[tool.uv.workspace]\nmembers = ["../*", "/etc", "a", "gone", "l[i-"]\n'
    folder = made(**{"in__pyproject.toml": root, "in__a": ["b"], "b": ["a"]}) / "in"
    (folder / "loop").symlink_to(folder)
    graph = read_graph(folder, format="python", kinds="all")
    assert list(graph) == ["app", "a"]
    assert "1 members of workspaces that lie outside" in remarks(graph)
    assert "3 members of workspaces that are not there" in remarks(graph)


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("a/*", ["a/b", "a/bc"]),
        ("a/**", ["a/b", "a/bc", "a/b/d"]),
        ("**/d", ["a/b/d"]),
        ("a/**/b", ["a/b"]),
        ("a/b?", ["a/bc"]),
        ("[ax]/[!x]", ["a/b"]),
        ("./a/b/", ["a/b"]),
        ("a/" + "*b*" * 40, ["a/b", "a/bc"][:0]),
        ("**/" * 60 + "d", ["a/b/d"]),
    ],
)
def test_patterns_of_members(made: Made, pattern: str, found: list[str]) -> None:
    root = f'[tool.uv.workspace]\nmembers = ["{pattern}"]\n'
    folder = made(**{"pyproject.toml": root}, a__b=[], a__bc=[], a__b__d=[])
    graph = read_graph(folder, format="python")
    assert sorted(str(graph.attributes(name)["path"]) for name in graph) == sorted(found)


def test_markers_and_tables_that_are_nested_without_end(made: Made) -> None:
    deep = "(" * 9_000 + "os_name == 'nt'" + ")" * 9_000
    assert read(made(app=[f"b; {deep}"], b=[])) == {"app needs b": ["normal"]}
    folder = made(**{"app__pyproject.toml": '[project]\nname = "a"\ndependencies = ' + "[" * 9_000})
    with pytest.warns(ReadWarning, match="nested too deeply"):  # b stands
        assert list(read_graph(folder)) == ["b"]
    with pytest.raises(ReadError, match="nested too deeply"):
        read_graph(folder / "app")


def test_checkouts_of_two_ecosystems_do_not_clash(made: Made) -> None:
    python = {f"repo{number}": [f"repo{number + 1}"] for number in range(23)}
    npm = {
        f"js{number}__package.json": json.dumps({"name": f"repo{number}", "dependencies": {f"repo{number + 1}": "*"}})
        for number in range(15)
    }
    graph = read_graph(made(**python, **npm, repo23=[], **{"js15__package.json": '{"name": "x"}'}))
    assert (len(graph), len(graph.edges)) == (24 + 16, 23 + 14)
    assert ("pypi:repo1", "pypi:repo0") in graph.edges
    assert ("npm:repo1", "npm:repo0") in graph.edges


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[project]\nname = 3\n", "project.name is 3, expected text"),
        ('[project]\nname = "a"\ndependencies = [1]\n', "project.dependencies[0] is 1, expected text"),
        ('[project]\nname = "a"\n[dependency-groups]\ndev = [[]]\n', "dependency-groups.dev[0] is a list"),
        ("project = 1\n", "project is 1, expected an object"),
        ("[project\n", "is no TOML"),
        ('[project]\nname = "a"\n[tool.uv]\nsources = {a = 1}\n', "tool.uv.sources.a is 1"),
        ('[tool.poetry]\nname = "a"\ndependencies = {a = 1}\n', "tool.poetry.dependencies.a is 1"),
    ],
)
def test_faults_are_named(made: Made, text: str, fault: str) -> None:
    folder = made(**{"pyproject.toml": text})
    with pytest.raises(ReadError) as caught:
        read_graph(folder, format="python")
    assert fault in str(caught.value)
    assert str(folder) in str(caught.value)


def _damaged(text: str, rng: random.Random) -> str:
    """Take a piece out, put one twice, or write something else in its place."""
    start = rng.randrange(len(text))
    end = min(len(text), start + rng.choice((1, 2, 5, 20, 80)))
    return text[:start] + rng.choice(("", text[start:end] * 2, "{}", "[]", "1", '"x"', "\n", "[[a]]", "=")) + text[end:]


@pytest.mark.filterwarnings("ignore::seqkit.ReadWarning")
@pytest.mark.parametrize("count", [100, pytest.param(20_000, marks=pytest.mark.slow)])
def test_damaged_files_give_a_graph_or_an_error_of_ours(made: Made, count: int) -> None:
    rng = random.Random(7)
    texts = {"a__pyproject.toml": WORKSPACE, "b__pyproject.toml": POETRY, "c__setup.cfg": SETUP}
    for _ in range(count):
        name = rng.choice(sorted(texts))
        folder = made(**{**texts, name: _damaged(texts[name], rng)})
        for each in (folder, folder / name.partition("__")[0]):
            try:
                read_graph(each, kinds="all", cycles="keep")
            except SeqkitError:
                continue
