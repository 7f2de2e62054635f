"""How often the package's modules reach into each other's private names, per 1,000 lines.

``python -m tests.tools.private_access`` prints the number, the files with most reaches, and each reach. Counted are

- ``x._name``, where `x` is not ``self``, ``cls`` or ``super()``, and the module neither defines nor assigns `_name`;
- ``x.y._name`` whatever the module defines: what an attribute holds is another object;
- ``getattr(x, "_name")`` and its like, by the same two rules;
- ``from seqkit.module import _name``.

Not counted are dunders, what a named tuple has for everybody (``_replace``, ``_fields`` …), what an imported module
that is not seqkit's offers under such a name (``sys._getframe``), and modules of the package whose own name begins
with an underscore (``from seqkit import dtypes``): those are there for the whole package, and nobody else. The
count knows no types. A private name of another package's object counts too; one that a module defines itself and
reaches for in a plain name of another module's class does not.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

PACKAGE = Path(__file__).parents[2] / "seqkit"

NAMED_TUPLE = {"_replace", "_fields", "_asdict", "_make", "_field_defaults"}
BY_NAME = {"getattr", "setattr", "hasattr", "delattr"}
WORST = 5

_LOOKED_AT = (ast.Attribute, ast.Call, ast.Name, ast.stmt)  # all that tells of a name


class Reach(NamedTuple):
    """A place where a private name of another module is used."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


def reaches(source: str, file: str = "", modules: Iterable[str] = ()) -> list[Reach]:
    """List the reaches of one module, by line; `modules` are the package's own, by dotted name."""
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, _LOOKED_AT)]
    own, elsewhere, known = _defined(nodes), _other_packages(nodes), set(modules)
    found = []
    for node in nodes:
        for name, holder in _uses(node, known):
            if holder is None or _is_foreign(name, holder, own, elsewhere):
                found.append(Reach(file, node.lineno, ast.unparse(node)))
    return sorted(found)


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name != "_" and name not in NAMED_TUPLE


def _uses(node: ast.AST, modules: set[str]) -> Iterator[tuple[str, ast.expr | None]]:
    """Give the private names that a node uses, and of what; None for one that is imported."""
    match node:
        case ast.Attribute(value=holder, attr=name) if _is_private(name):
            yield name, holder
        case ast.Call(func=ast.Name(id=called), args=[holder, ast.Constant(value=str(name)), *_]) if (
            called in BY_NAME and _is_private(name)
        ):
            yield name, holder
        case ast.ImportFrom(module=str(module), names=names) if module.split(".")[0] == PACKAGE.name:
            for alias in names:
                if _is_private(alias.name) and f"{module}.{alias.name}" not in modules:
                    yield alias.name, None


def _is_foreign(name: str, holder: ast.expr, own: set[str], elsewhere: set[str]) -> bool:
    match holder:
        case ast.Name(id="self" | "cls") | ast.Call(func=ast.Name(id="super")):
            return False
        case ast.Name(id=module) if module in elsewhere:
            return False
        case ast.Attribute():
            return True
        case _:
            return name not in own


def _defined(nodes: Iterable[ast.AST]) -> set[str]:
    """Name what a module defines: functions, classes, variables, fields, and what it assigns on self or cls."""
    names = set()
    for node in nodes:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.Name(id=name, ctx=ast.Store()):
                names.add(name)
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name, ctx=ast.Store()):
                names.add(name)
    return names


def _other_packages(nodes: Iterable[ast.AST]) -> set[str]:
    """Name the modules of other packages that stand under a name of their own."""
    aliases = (alias for node in nodes if isinstance(node, ast.Import) for alias in node.names)
    return {alias.asname or alias.name.split(".")[0] for alias in aliases if alias.name.split(".")[0] != PACKAGE.name}


def count(package: Path = PACKAGE) -> tuple[list[Reach], int]:
    """Give all reaches of the package, and how many lines it has."""
    files = {path: path.read_text("utf-8") for path in sorted(package.rglob("*.py"))}
    dotted = {".".join(path.relative_to(package.parent).with_suffix("").parts) for path in files}
    modules = {name.removesuffix(".__init__") for name in dotted}
    found = [
        reach
        for path, source in files.items()
        for reach in reaches(source, path.relative_to(package.parent).as_posix(), modules)
    ]
    return found, sum(len(source.splitlines()) for source in files.values())


def main() -> None:
    """Print the number, the worst files, and every reach."""
    found, lines = count()
    print(f"{1000 * len(found) / lines:.2f} reaches per 1,000 lines: {len(found)} in {lines:,} lines")
    for file, number in Counter(reach.file for reach in found).most_common(WORST):
        print(f"{number:6} {file}")
    print(*found, sep="\n", end="\n" * bool(found))


if __name__ == "__main__":
    main()
