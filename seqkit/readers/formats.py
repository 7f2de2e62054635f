"""The formats that graphs are read from: one table.

A new format is a module and a row here. The module has the public function that reads it, ``read(path, *, …,
kinds=None, cycles="error") -> RepoDependencyGraph``, with :mod:`seqkit.readers._files` and
:mod:`seqkit.readers._documents` for what every reader does with a file, and :mod:`seqkit.readers._gathered` for what
becomes of what it finds. One that reads manifests of packages gives an :class:`Ecosystem` too, so that folders of
checkouts are read by the same code. To make it public, name it in this package's ``__init__`` and in
``tests/test_names.py``. What :func:`seqkit.read_graph` and the command line read, and the errors and helps that list
it, are made from the table.

Other packages add formats by the entry point group ``seqkit.graph_formats``: each is a
:class:`seqkit.readers.formats.Format`, whose `sniff` is given an :class:`Opened` file.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from seqkit._util.formats import Format, T_co, added_by
from seqkit.core.graph import RepoDependencyGraph
from seqkit.core.plan import SequencePlan
from seqkit.errors import ReadError
from seqkit.readers._files import Opened
from seqkit.readers._manifests import Ecosystem
from seqkit.readers.backstage import BACKSTAGE_FILES, is_backstage, read_backstage
from seqkit.readers.cargo import CARGO, read_cargo
from seqkit.readers.cargo_lock import is_cargo_lock, read_cargo_lock
from seqkit.readers.cargo_metadata import read_cargo_metadata
from seqkit.readers.conda_forge import is_conda_forge, read_conda_forge
from seqkit.readers.cyclonedx import read_cyclonedx
from seqkit.readers.dbt import is_dbt, read_dbt
from seqkit.readers.debian import is_debian_sources, read_debian
from seqkit.readers.dot import read_dot
from seqkit.readers.edges import read_edges
from seqkit.readers.go import GO, read_go
from seqkit.readers.go_graph import is_go_mod_graph, read_go_mod_graph
from seqkit.readers.graphml import read_graphml
from seqkit.readers.js import NPM, read_js
from seqkit.readers.kde import KDE_FILES, is_kde, read_kde
from seqkit.readers.maven import MAVEN, read_maven
from seqkit.readers.node_link import is_node_link, read_node_link
from seqkit.readers.npm import read_npm
from seqkit.readers.nx import is_nx, read_nx
from seqkit.readers.pip_report import read_pip
from seqkit.readers.plans import read_plan
from seqkit.readers.pnpm import read_pnpm
from seqkit.readers.poetry_lock import is_poetry_lock, read_poetry
from seqkit.readers.publishing import is_publishing_rules, read_publishing_rules
from seqkit.readers.pylock import is_pylock, read_pylock
from seqkit.readers.python import PYTHON, read_python
from seqkit.readers.ros import ROS, read_ros
from seqkit.readers.spdx import is_spdx, read_spdx
from seqkit.readers.turbo import is_turbo, read_turbo
from seqkit.readers.uv_lock import is_uv_lock, read_uv
from seqkit.readers.workflows import is_workflow, read_workflow
from seqkit.readers.yarn import is_yarn, read_yarn

__all__ = ["ECOSYSTEMS", "FORMATS", "PLAN", "Format", "all_formats", "recognised"]

GROUP = "seqkit.graph_formats"
"""The entry points by which other packages add formats."""

FORMATS: tuple[Format[RepoDependencyGraph], ...] = (
    Format(
        "csv",
        "an edge list",
        read_edges,
        (".csv", ".tsv"),
        detail="with the columns dependency and dependent, or others and a direction",
    ),
    Format(
        "turbo",
        "a dry run of turbo",
        read_turbo,
        (".json",),
        sniff=is_turbo,  # before all others that are JSON: it may have text before it
        sign="tasks",
        detail="turbo run build --dry=json",
    ),
    Format(
        "npm",
        "a package-lock.json",
        read_npm,
        (".json",),
        sniff=lambda file: file.has_keys("lockfileVersion"),
        sign="lockfileVersion",
        detail="lockfileVersion 2 or 3",
    ),
    Format(
        "pip",
        "a pip report",
        read_pip,
        (".json",),
        sniff=lambda file: file.has_keys("install"),
        sign="install",
        detail="pip install --report",
    ),
    Format(
        "cyclonedx",
        "a CycloneDX bill of materials",
        read_cyclonedx,
        (".cdx.json", ".json"),
        sniff=lambda file: file.has_keys("bomFormat"),
        sign="bomFormat",
        detail="1.2 to 1.7",
    ),
    Format(
        "spdx",
        "an SPDX bill of materials",
        read_spdx,
        (".spdx.json", ".json"),
        sniff=is_spdx,
        sign="spdxVersion",
        detail="2.2, 2.3 or 3.0",
    ),
    Format(
        "js",
        "a JavaScript workspace",
        read_js,
        files=("package.json", "pnpm-workspace.yaml", "lerna.json"),
        detail="npm, yarn, pnpm, bun or lerna; its folder will do",
    ),
    Format(
        "pnpm",
        "a pnpm lock",
        read_pnpm,
        files=("pnpm-lock.yaml",),
        detail="lockfileVersion 5, 6 or 9",
    ),
    Format(
        "yarn",
        "a yarn.lock",
        read_yarn,
        (".lock",),
        sniff=is_yarn,
        sign="`# yarn lockfile v1` and no __metadata",
        files=("yarn.lock",),
        detail="of yarn 1 and of berry",
    ),
    Format(
        "nx",
        "a graph of nx",
        read_nx,
        (".json",),
        sniff=is_nx,
        sign="nodes and dependencies",
        detail="nx graph --file",
    ),
    Format(
        "python",
        "Python packages",
        read_python,
        files=("pyproject.toml", "setup.cfg"),
        detail="with those below it",
    ),
    Format(
        "uv",
        "a uv.lock",
        read_uv,
        (".lock",),
        sniff=is_uv_lock,
        sign="requires-python and packages with a source",
        files=("uv.lock",),
    ),
    Format(
        "poetry",
        "a poetry.lock",
        read_poetry,
        (".lock",),
        sniff=is_poetry_lock,
        sign="content-hash",
        files=("poetry.lock",),
    ),
    Format(
        "pylock",
        "a pylock.toml",
        read_pylock,
        (".toml",),
        sniff=is_pylock,
        sign="lock-version",
        detail="PEP 751, where it has dependencies",
    ),
    Format(
        "workflow",
        "a workflow of CI",
        read_workflow,
        (".yml", ".yaml"),
        sniff=is_workflow,
        sign="jobs, nor stages",
        detail="jobs of GitHub Actions or GitLab",
    ),
    Format(
        "cargo",
        "a Cargo workspace",
        read_cargo,
        files=("cargo.toml",),
        detail="its folder will do",
    ),
    Format(
        "cargo-metadata",
        "the output of cargo metadata",
        read_cargo_metadata,
        (".json",),
        sniff=lambda file: file.has_keys("packages", "workspace_members"),
        sign="workspace_members",
    ),
    Format(
        "cargo-lock",
        "a Cargo.lock",
        read_cargo_lock,
        (".lock",),
        sniff=is_cargo_lock,
        sign="packages as Cargo writes them",
        files=("cargo.lock",),
    ),
    Format(
        "go",
        "Go modules",
        read_go,
        files=("go.work", "go.mod"),
        detail="their folder will do",
    ),
    Format(
        "go-graph",
        "the output of go mod graph",
        read_go_mod_graph,
        (".txt", ".graph"),
        sniff=is_go_mod_graph,
        sign="lines of two modules",
    ),
    Format(
        "maven",
        "a Maven reactor",
        read_maven,
        files=("pom.xml",),
        detail="with its modules",
    ),
    Format(
        "dbt",
        "a manifest of dbt",
        read_dbt,
        (".json",),
        sniff=is_dbt,
        sign="dbt_schema_version",
        detail="target/manifest.json",
    ),
    Format(
        "node-link",
        "a node-link graph",
        read_node_link,
        (".json",),
        sniff=is_node_link,
        sign="lists of nodes and of edges or links",
        detail="networkx and D3",
    ),
    Format("dot", "a graph in DOT", read_dot, (".dot", ".gv"), detail="Graphviz; a digraph"),
    Format("graphml", "a graph in GraphML", read_graphml, (".graphml",), detail="networkx, yEd, Gephi"),
    Format(
        "backstage",
        "a catalog of Backstage",
        read_backstage,
        (".yaml", ".yml"),
        sniff=is_backstage,
        sign="apiVersion: backstage.io/…",
        files=BACKSTAGE_FILES,
    ),
    Format(
        "ros",
        "ROS packages",
        read_ros,
        files=("package.xml",),
        detail="with those below a folder",
    ),
    Format(
        "publishing-rules",
        "rules of Kubernetes' publishing bot",
        read_publishing_rules,
        (".yaml", ".yml"),
        sniff=is_publishing_rules,
        sign="rules with destination and branches",
    ),
    Format(
        "conda-forge",
        "the status of a migration of conda-forge",
        read_conda_forge,
        (".json",),
        sniff=is_conda_forge,
        sign="_feedstock_status",
    ),
    Format(
        "debian",
        "the Sources of Debian",
        read_debian,
        (".txt", "_sources"),
        sniff=is_debian_sources,
        sign="stanzas with Package and Binary",
        files=("sources",),
        detail="unpacked",
    ),
    Format(
        "kde",
        "dependency data of KDE",
        read_kde,
        (".txt",),
        sniff=is_kde,
        sign="lines of `folder/project: folder/project`",
        files=KDE_FILES,
    ),
)
"""In the order in which they are asked; `sniff` is given an :class:`Opened` file."""

ECOSYSTEMS: tuple[Ecosystem, ...] = (NPM, PYTHON, CARGO, GO, MAVEN, ROS)
"""How packages are found in folders, in the order in which they are listed."""


@cache
def all_formats() -> tuple[Format[RepoDependencyGraph], ...]:
    """Give the formats of the table and those that installed packages add; what cannot be loaded is warned of, once."""
    return added_by(GROUP, FORMATS)


PLAN: Format[SequencePlan] = Format(
    "plan",
    "a plan",
    read_plan,
    (".json",),
    sniff=lambda file: file.has_keys("items", "edges"),
    sign="items and edges",
    detail="as SequencePlan.to_json() writes it",
)
"""What the command line reads beside graphs."""


def recognised(rows: Sequence[Format[T_co]], file: Opened, advice: str = "") -> Format[T_co]:
    """Find out which of several formats a file has, whose name fits them all.

    Raises
    ------
    ReadError
        Where it has none of them, saying what is missing for each, and then `advice`.
    """
    for row in rows:
        if row.sniff is None or row.sniff(file):
            return row
    missed = ", nor ".join(f"{row.help} (no {row.sign})" if row.sign else row.help for row in rows)
    raise ReadError(file, None, f"is {'neither' if len(rows) > 1 else 'not'} {missed}{advice}")
