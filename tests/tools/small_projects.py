"""Small projects that read well, one a format: what is damaged on purpose, and what must not be run."""

from __future__ import annotations

import json
from pathlib import Path

from seqkit._util.formats import Format
from seqkit.core.graph import RepoDependencyGraph

__all__ = ["PROJECTS", "names_of", "write_project"]

_LOCK = {
    "name": "app",
    "lockfileVersion": 3,
    "packages": {
        "": {"name": "app", "version": "1.0.0", "workspaces": ["packages/*"], "dependencies": {"b": "^1"}},
        "node_modules/b": {"version": "1.2.0", "peerDependencies": {"@s/c": "*"}},
        "node_modules/@s/c": {"resolved": "packages/c", "link": True},
        "packages/c": {"name": "@s/c", "version": "2.0.0", "devDependencies": {"b": "~1.2"}},
        "node_modules/b/node_modules/d": {"version": "3.0.0", "optionalDependencies": {"gone": "1"}},
    },
}
_REPORT = {
    "version": "1",
    "environment": {"sys_platform": "linux", "python_version": "3.11"},
    "install": [
        {
            "metadata": {"name": "A_b", "version": "1.0", "requires_dist": ["c[x]>=1; python_version >= '3'", "d"]},
            "requested": True,
            "requested_extras": ["all"],
        },
        {"metadata": {"name": "c", "version": "2", "requires_dist": ["d; extra == 'x'"]}},
        {"metadata": {"name": "d", "version": "3"}},
    ],
}
_TURBO = {
    "packages": ["core", "app"],
    "tasks": [
        {"taskId": "core#build", "directory": "packages/core", "dependencies": [], "dependents": ["app#build"]},
        {"taskId": "app#build", "directory": "packages/app", "dependencies": ["core#build"], "dependents": []},
    ],
}
_NX = {
    "graph": {
        "nodes": {
            "core": {"name": "core", "type": "lib", "data": {"root": "libs/core", "tags": ["x"]}},
            "app": {"name": "app", "type": "app", "data": {"root": "apps/app", "implicitDependencies": ["core"]}},
        },
        "dependencies": {
            "core": [{"source": "core", "target": "npm:react", "type": "static"}],
            "app": [{"source": "app", "target": "core", "type": "implicit"}],
        },
    }
}
_METADATA = {
    "packages": [
        {
            "name": name,
            "version": "0.1.0",
            "id": f"path+file:///w/{name}#0.1.0",
            "source": None,
            "manifest_path": f"/w/{name}/Cargo.toml",
            "publish": None,
            "dependencies": [
                {"name": other, "kind": kind, "optional": False, "source": None, "path": f"/w/{other}"}
                for other, kind in needs
            ],
        }
        for name, needs in (("core", []), ("app", [("core", None)]), ("tool", [("app", "dev"), ("core", "build")]))
    ],
    "workspace_members": [f"path+file:///w/{name}#0.1.0" for name in ("core", "app", "tool")],
    "workspace_root": "/w",
    "resolve": {
        "root": None,
        "nodes": [
            {
                "id": "path+file:///w/app#0.1.0",
                "dependencies": ["path+file:///w/core#0.1.0"],
                "deps": [{"name": "core", "pkg": "path+file:///w/core#0.1.0", "dep_kinds": [{"kind": None}]}],
            }
        ],
    },
}
_PNPM_LOCK = """\
lockfileVersion: '9.0'
settings: {autoInstallPeers: true}
catalogs:
  default:
    b: {specifier: ^1.0.0, version: 1.2.0}
importers:
  .:
    devDependencies:
      b: {specifier: 'catalog:', version: 1.2.0}
  packages/c:
    dependencies:
      b: {specifier: ^1.0.0, version: 1.2.0(d@3.0.0)}
      e: {specifier: 'workspace:*', version: link:../e}
  packages/e: {}
packages:
  b@1.2.0: {resolution: {integrity: sha512-x}, peerDependencies: {d: '*'}}
  d@3.0.0: {resolution: {integrity: sha512-y}}
snapshots:
  b@1.2.0(d@3.0.0): {dependencies: {d: 3.0.0}}
  d@3.0.0: {optionalDependencies: {b: 1.2.0(d@3.0.0)}}
"""
_UV_LOCK = """\
version = 1
requires-python = ">=3.9"
[manifest]
members = ["app", "core"]
[[package]]
name = "app"
version = "1.0"
source = { virtual = "." }
dependencies = [{ name = "core" }, { name = "six", extra = ["x"], marker = "python_version < '3.12'" }]
[package.optional-dependencies]
more = [{ name = "six" }]
[package.dev-dependencies]
dev = [{ name = "six" }]
[[package]]
name = "core"
version = "1.0"
source = { editable = "core" }
[[package]]
name = "six"
version = "1.16.0"
source = { registry = "https://example.org/simple" }
"""
_POETRY_LOCK = """\
[[package]]
name = "six"
version = "1.16.0"
optional = false
groups = ["main"]
[[package]]
name = "Core"
version = "2.0"
optional = true
[package.dependencies]
six = [{version = ">=1", markers = "sys_platform == 'win32'"}, {version = "<2", optional = true}]
[package.extras]
x = ["six (>=1)"]
[extras]
all = ["core"]
[metadata]
lock-version = "2.0"
python-versions = "^3.9"
content-hash = "00"
"""
_PYLOCK = """\
lock-version = "1.0"
created-by = "hand"
requires-python = ">=3.9"
[[packages]]
name = "a"
version = "1.0"
dependencies = [{ name = "b", version = "2.0" }]
[[packages]]
name = "b"
version = "2.0"
marker = "os_name == 'posix'"
"""
_CARGO_LOCK = """\
version = 4
[[package]]
name = "app"
version = "0.1.0"
dependencies = ["core", "rand 0.8.5 (registry+https://example.org/index)"]
[[package]]
name = "core"
version = "0.1.0"
[[package]]
name = "rand"
version = "0.8.5"
source = "registry+https://example.org/index"
checksum = "00"
[[package]]
name = "rand"
version = "0.7.0"
source = "registry+https://example.org/index"
"""
_WORKFLOW = """\
name: ship
on: {push: {branches: [main]}}
jobs:
  build: &job
    name: Build it
    runs-on: linux
    strategy: {matrix: {python: ['3.10', '3.11']}}
    steps: [{run: 'exit 1'}]
  test:
    <<: *job
    needs: build
  ship: {needs: [build, test], uses: ./.github/workflows/ship.yml}
"""
_POM = """\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  {parent}<groupId>g</groupId><artifactId>{name}</artifactId><version>${{revision}}</version>
  <packaging>{packaging}</packaging>
  <properties><revision>1.0</revision></properties>
  {more}
</project>
"""
_NEED = "<dependency><groupId>g</groupId><artifactId>{}</artifactId><version>1.0</version>{}</dependency>"
_PARENT = "<parent><groupId>g</groupId><artifactId>top</artifactId><version>1.0</version></parent>"
_RUN = "import pathlib\npathlib.Path(__file__).with_name('was-run').write_text('')\n"

PROJECTS: dict[str, dict[str, str]] = {
    "csv": {"edges.csv": "dependency,dependent,kind\ncore,api,normal\napi,app,normal\ncore,app,dev\n"},
    "turbo": {"dry.json": "> turbo run build\n" + json.dumps(_TURBO)},
    "npm": {"package-lock.json": json.dumps(_LOCK)},
    "pip": {"report.json": json.dumps(_REPORT)},
    "js": {
        "package.json": json.dumps(
            {
                "private": True,
                "workspaces": {"packages": ["packages/*", "!packages/no", "{a,b}/**"]},
                "scripts": {"preinstall": "touch was-run"},
                "overrides": {"x": "workspace:*"},
            }
        ),
        ".yarnrc.yml": "catalog: {c: 'workspace:*'}\n",
        "packages/c/package.json": json.dumps({"name": "@s/c", "version": "1.4.0"}),
        "packages/d/package.json": json.dumps(
            {
                "name": "d",
                "version": "0.0.0",
                "dependencies": {"@s/c": "^1.0.0", "left-pad": "1", "e": "link:../e"},
                "peerDependencies": {"alias": "npm:@s/c@*"},
                "peerDependenciesMeta": {"alias": {"optional": True}},
            }
        ),
        "packages/e/package.json": json.dumps({"devDependencies": {"d": "workspace:^", "c": "catalog:"}}),
    },
    "pnpm": {"pnpm-lock.yaml": _PNPM_LOCK},
    "nx": {"graph.json": json.dumps(_NX)},
    "python": {
        "pyproject.toml": (
            '[project]\nname = "App"\nversion = "1.0"\nrequires-python = ">=3.9"\n'
            'dependencies = ["core[x]>=1; python_version < \'4\'", "six"]\ndynamic = ["optional-dependencies"]\n'
            '[project.urls]\nhome = "https://example.org"\n'
            '[dependency-groups]\ndev = ["tool", {include-group = "test"}]\ntest = ["core"]\n'
            '[tool.uv]\nsources = {core = {workspace = true}, tool = {path = "tool"}}\n'
            '[tool.uv.workspace]\nmembers = ["core", "tool*"]\nexclude = ["no"]\n'
            '[tool.setuptools.dynamic.optional-dependencies]\nmore = {file = ["more.txt"]}\n'
            '[build-system]\nrequires = ["tool"]\nbuild-backend = "setup"\nbackend-path = ["."]\n'
        ),
        "more.txt": "core>=1\n-r other.txt\n",
        "other.txt": "-r more.txt\ntool\n",
        "setup.py": _RUN,
        "conftest.py": _RUN,
        "core/pyproject.toml": (
            '[tool.poetry]\nname = "core"\nversion = "2.0"\n[tool.poetry.dependencies]\npython = "^3.9"\n'
            'tool = {path = "../tool", optional = true}\n[tool.poetry.extras]\nx = ["tool"]\n'
            '[tool.poetry.group.dev.dependencies]\nsix = "*"\n'
        ),
        "core/build.py": _RUN,
        "tool/setup.cfg": (
            "[metadata]\nname = tool\nversion = attr: tool.VERSION\n[options]\ninstall_requires =\n    six>=1\n"
            "    core; extra == 'x'\n[options.extras_require]\nall = core[x]\n"
        ),
        "tool/pyproject.toml": '[build-system]\nrequires = ["setuptools"]\n',
        "tool/setup.py": _RUN,
        "tool/tool.py": _RUN,
    },
    "uv": {"uv.lock": _UV_LOCK},
    "poetry": {"poetry.lock": _POETRY_LOCK},
    "pylock": {"pylock.toml": _PYLOCK},
    "workflow": {"ci.yml": _WORKFLOW},
    "cargo": {
        "Cargo.toml": (
            '[workspace]\nmembers = ["crates/*", "app"]\nexclude = ["no"]\n'
            '[workspace.package]\nversion = "0.2.0"\n[workspace.dependencies]\ncore2 = {path = "crates/core"}\n'
        ),
        "build.rs": "fn main() {}\n",
        "crates/core/Cargo.toml": '[package]\nname = "core2"\nversion.workspace = true\n',
        "crates/tool/Cargo.toml": (
            '[package]\nname = "tool"\nversion = "0.1.0"\npublish = false\n[dev-dependencies]\ncore2.workspace = true\n'
        ),
        "app/Cargo.toml": (
            '[package]\nname = "app"\nversion = "1.0.0"\n[dependencies]\n'
            'renamed = {package = "core2", path = "../crates/core", optional = true}\nserde = "1"\n'
            "[target.'cfg(unix)'.build-dependencies]\ntool = {path = '../crates/tool', version = '0.1'}\n"
        ),
    },
    "cargo-metadata": {"metadata.json": json.dumps(_METADATA)},
    "cargo-lock": {"Cargo.lock": _CARGO_LOCK},
    "go": {
        "go.work": "go 1.22\n\nuse (\n\t./core\n\t./app // the one\n)\nreplace example.org/x => ./core\n",
        "core/go.mod": "module example.org/core/v2\n\ngo 1.22\nretract v2.0.0 // no\n",
        "app/go.mod": (
            "module example.org/app\nrequire (\n\texample.org/core/v2 v2.1.0\n\texample.org/y v1.0.0 // indirect\n)\n"
            "replace example.org/core/v2 => ../core\nexclude example.org/y v0.9.0\n"
        ),
    },
    "go-graph": {
        "graph.txt": "example.org/app example.org/core@v1.0.0\nexample.org/core@v1.0.0 golang.org/x/sys@v0.1.0\n"
    },
    "maven": {
        "pom.xml": _POM.format(
            parent="",
            name="top",
            packaging="pom",
            more="<modules><module>core</module><module>app</module></modules><dependencyManagement><dependencies>"
            + _NEED.format("core", "<scope>import</scope><type>pom</type>")
            + "</dependencies></dependencyManagement><profiles><profile><id>p</id><activation><activeByDefault>true"
            "</activeByDefault></activation><modules><module>app</module></modules></profile></profiles>",
        ),
        "core/pom.xml": _POM.format(parent=_PARENT, name="core", packaging="jar", more=""),
        "app/pom.xml": _POM.format(
            parent=_PARENT,
            name="app",
            packaging="war",
            more=f"<dependencies>{_NEED.format('core', '<scope>test</scope><optional>true</optional>')}</dependencies>"
            "<build><plugins><plugin><groupId>g</groupId><artifactId>core</artifactId><version>${revision}</version>"
            f"<dependencies>{_NEED.format('core', '')}</dependencies></plugin></plugins></build>",
        ),
    },
}
"""By the names of formats: files by their paths, the one that is read first."""


def names_of(row: Format[RepoDependencyGraph]) -> tuple[str, ...]:
    """List names that files of a format may have."""
    return (*row.files, *(f"some{end}" for end in row.suffixes))


def write_project(files: dict[str, str], folder: Path) -> Path:
    """Write a project; give the file that is read."""
    for place, text in files.items():
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
    return folder / next(iter(files))
