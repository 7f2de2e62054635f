"""Who may import whom, and what `import seqkit` costs."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import seqkit

ROOT = Path(seqkit.__file__).parent

LAYERS = [
    {
        "arrays",
        "errors",
        "model",
        "digest",
        "draws",
        "layout",
        "closure",
        "ids",
        "_arguments",
        "_collector",
        "_dtypes",
        "_files",
        "_formats",
        "_html",
        "_near",
        "_palette",
        "_public",
        "_rows",
        "_svg",
        "_warned",
        "_words",
        "spreadsheet",
    },
    {"graph"},
    {"plan", "outcome", "terms", "rules", "readers"},
    {"failures", "unknown", "releasers", "ledger"},
    {"sequencer", "frames", "datasets"},
    {"whatif", "ordering", "blast", "exact", "montecarlo", "schedule", "auditing", "history"}
    | {"tries", "posterior", "rates", "dispersion", "neighbours"},
    {"plots"},
    {"explore", "widgets"},
    {"__main__", "cli"},
]
LAYER = {module: layer for layer, modules in enumerate(LAYERS) for module in modules}

# Heavy packages and the only places that may import them.
ONLY_IN = {
    "matplotlib": ("plots",),
    "ipywidgets": ("widgets",),
    "anywidget": ("widgets",),
    "sqlalchemy": ("ledger/sql",),
    "numba": ("montecarlo/numba_kernel",),
    "surrealdb": ("ledger/surreal",),
    "psycopg": ("ledger/sql",),
}

FILES = sorted(ROOT.rglob("*.py"))


def name_of(file: Path) -> str:
    return file.relative_to(ROOT).with_suffix("").as_posix()


def imports(*trees: ast.AST) -> Iterator[str]:
    """All imported dotted names; ``from seqkit import x`` gives ``seqkit.x``. TYPE_CHECKING blocks are exempt."""
    for node in trees:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from imports(*node.orelse)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "absolute imports only"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        else:
            yield from imports(*ast.iter_child_nodes(node))


def uses(file: Path) -> set[str]:
    return set(imports(ast.parse(file.read_text("utf-8"))))


def test_the_walk_sees_every_form_of_import() -> None:
    source = """
import a.b
if TYPE_CHECKING:
    import exempt
else:
    import other
def f():
    from seqkit import graph, plan as p
    try:
        import late
    except ImportError:
        import spare
"""
    assert set(imports(ast.parse(source))) == {"a.b", "other", "seqkit.graph", "seqkit.plan", "late", "spare"}


def test_every_module_has_a_layer() -> None:
    assert FILES
    assert {name_of(file).split("/")[0] for file in FILES} - {"__init__"} <= set(LAYER)


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_imports_point_down(file: Path) -> None:
    module = name_of(file).split("/")[0]
    if module == "__init__":
        return
    for used in uses(file):
        if used.split(".")[0] != "seqkit":
            continue
        other = used.split(".")[1] if "." in used else ""
        if module == "__main__" and other not in LAYER:
            continue  # the command line stands above the package and may use its public names
        assert other in LAYER, f"{module} imports {used}: from the package itself, not from a module of it"
        assert LAYER[other] <= LAYER[module], f"{module} (layer {LAYER[module]}) imports {used} (layer {LAYER[other]})"


def test_nothing_imports_in_circles() -> None:
    needs: dict[str, set[str]] = {}
    for file in FILES:
        module = name_of(file).split("/")[0]
        below = {used.split(".")[1] for used in uses(file) if used.startswith("seqkit.")}
        needs.setdefault(module, set()).update(below - {module})
    del needs["__init__"]
    assert len(list(TopologicalSorter(needs).static_order())) >= len(needs)  # raises CycleError


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
