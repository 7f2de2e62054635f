"""Who may import whom, and what `import seqkit` costs."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import seqkit

ROOT = Path(seqkit.__file__).parent

# A room imports from its own and from those above it in this list.
ROOMS = (
    "_util",
    "errors",
    "_show",
    "core",
    "ledger",
    "readers",
    "importers",
    "running",
    "datasets",
    "analysis",
    "fitting",
    "auditing",
    "history",
    "plots",
    "explore",
    "widgets",
    "cli",
    "__main__",
    "conftest",  # how the doctests are collected
)
LAYER = {room: number for number, room in enumerate(ROOMS)}

# Heavy packages and the only places that may import them.
ONLY_IN = {
    "matplotlib": ("plots",),
    "ipywidgets": ("widgets",),
    "anywidget": ("widgets",),
    "sqlalchemy": ("ledger/sql", "importers/_airflow_database"),
    "numba": ("analysis/montecarlo/numba_draws", "analysis/montecarlo/numba_kernel", "analysis/schedule/compiled"),
    "surrealdb": ("ledger/surreal",),
    "psycopg": ("ledger/sql",),
    "yaml": ("readers",),
    "defusedxml": ("readers",),
    "pyarrow": ("ledger/parquet",),
}

FILES = sorted(ROOT.rglob("*.py"))


def is_for_types(node: ast.AST) -> bool:
    """Whether it is an ``if TYPE_CHECKING``."""
    return isinstance(node, ast.If) and any(
        "TYPE_CHECKING" in (getattr(part, "id", ""), getattr(part, "attr", "")) for part in ast.walk(node.test)
    )


def statements_in(node: ast.AST) -> list[ast.AST]:
    """What may hold an import: no expression does, and most of a tree is expressions."""
    return [child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.expr)]


@cache
def tree_of(file: Path) -> ast.Module:
    return ast.parse(file.read_text("utf-8"))


def name_of(file: Path) -> str:
    return file.relative_to(ROOT).with_suffix("").as_posix()


def imports(*trees: ast.AST) -> Iterator[str]:
    """All imported dotted names; ``from seqkit import x`` gives ``seqkit.x``. TYPE_CHECKING blocks are exempt."""
    for node in trees:
        if isinstance(node, ast.If) and is_for_types(node):
            yield from imports(*node.orelse)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "absolute imports only"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        else:
            yield from imports(*statements_in(node))


@cache
def uses(file: Path) -> frozenset[str]:
    return frozenset(imports(tree_of(file)))


def test_the_walk_sees_every_form_of_import() -> None:
    source = """
import a.b
if TYPE_CHECKING:
    import exempt
else:
    import other
def f():
    from seqkit.core import graph
    from seqkit.core import plan as p
    try:
        import late
    except ImportError:
        import spare
"""
    assert set(imports(ast.parse(source))) == {"a.b", "other", "seqkit.core.graph", "seqkit.core.plan", "late", "spare"}


def test_every_module_is_in_a_room() -> None:
    assert FILES
    assert {name_of(file).split("/")[0] for file in FILES} - {"__init__"} == set(ROOMS)


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_imports_point_to_lower_rooms(file: Path) -> None:
    room = name_of(file).split("/")[0]
    if room == "__init__":
        return
    for used in uses(file):
        if used.split(".")[0] != "seqkit":
            continue
        other = used.split(".")[1] if "." in used else ""
        if (room == "__main__" or name_of(file) == "cli/site/examples") and other not in LAYER:
            continue  # the command line stands above the package and may use its public names, as examples do
        assert other in LAYER, f"{room} imports {used}: from the package itself, not from a module of it"
        assert LAYER[other] <= LAYER[room], f"{room} imports {used}, which stands above it"


def at_run_time(file: Path) -> set[str]:
    """Modules that are imported when this one is: not those that a function imports when it is called."""

    def outside(nodes: Sequence[ast.AST]) -> Iterator[ast.AST]:
        for node in nodes:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                continue
            if isinstance(node, ast.Import | ast.ImportFrom):
                yield node
            elif isinstance(node, ast.If) and is_for_types(node):
                yield from outside(node.orelse)
            else:
                yield from outside(statements_in(node))

    found = set()
    for used in imports(*outside(tree_of(file).body)):
        parts = used.split(".")
        while parts and ".".join(parts) not in MODULES:
            parts.pop()
        if parts[:1] == ["seqkit"] and len(parts) > 1:
            found.add(".".join(parts))
    return found


def dotted(file: Path) -> str:
    return ".".join(["seqkit", *file.relative_to(ROOT).with_suffix("").parts]).removesuffix(".__init__")


MODULES = {dotted(file): file for file in FILES}


def test_nothing_imports_in_circles_when_it_runs() -> None:
    """Inside rooms as between them; a room's own ``__init__`` counts as a module of it."""
    needs = {name: at_run_time(file) - {name} for name, file in MODULES.items()}
    assert len(list(TopologicalSorter(needs).static_order())) >= len(needs)  # raises CycleError
    assert "seqkit.core.graph" in needs["seqkit.core.plan"]


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_heavy_packages_stay_in_their_place(file: Path) -> None:
    name = name_of(file)
    for used in uses(file):
        allowed = ONLY_IN.get(used.split(".")[0])
        if allowed is not None:
            assert any(name == place or name.startswith(f"{place}/") for place in allowed), f"{name} imports {used}"


def test_heavy_packages_are_imported_somewhere() -> None:
    used = {name.split(".")[0] for file in FILES for name in uses(file)}
    assert {"matplotlib", "sqlalchemy", "numba"} <= used


def test_import_seqkit_is_light() -> None:
    code = (
        "import sys, seqkit\n"
        "heavy = {'matplotlib', 'sqlalchemy', 'scipy', 'ipywidgets', 'anywidget', 'typer', 'rich', 'tqdm', 'numba'}\n"
        "print(*sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(  # our own interpreter and code
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT.parent
    )
    assert done.stdout.strip() == ""
    assert done.stderr == ""
