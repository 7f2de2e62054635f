"""The columns of every public frame in one table, read from the docstrings that describe them."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from pathlib import Path
from typing import Any

from seqkit.cli.site.writing import headed

__all__ = ["Column", "Frame", "columns_of", "page", "public_frames"]

_PACKAGES = ("seqkit", "seqkit.explore")
_DTYPES = (
    r"ordered categorical|timedelta64\[us\]|datetime64\[us, UTC\]|timedelta|string|boolean|bool|object|UTC"
    r"|[iI]nt64|[fF]loat64"
)
_NAME = r"(?<!`)`[a-z]\w*`(?!`)"
_NAMES = rf"{_NAME}(?:(?:, and |, | and ){_NAME})*"
_INSIDE = r"[^()]*(?:\([^()]*\)[^()]*)*"
_DECLARED = re.compile(rf"(?P<index>[Ii]ndex )?(?P<names>{_NAMES})(?: \((?P<inside>{_INSIDE})\))?")
_FOR_ALL = re.compile(rf"olumns \((?:all )?({_DTYPES})\):|\b({_DTYPES}) columns:")  # one kind for all that follows
_LEAD = """Times are UTC with microseconds, durations timedeltas, names of pandas' nullable ``string``: the same on
pandas 2.2 and 3. :func:`seqkit.for_spreadsheet` makes any of them fit for Excel, CSV and Parquet."""
_SECTION = re.compile(r"^(\w[\w ]*)\n-{3,}$", re.MULTILINE)
_LIKE = re.compile(r"^\s*(?:DataFrame\s+)?(?:The columns of|The|As) (:(?:func|meth|attr):`~?[\w.]+`)")


@dataclass(frozen=True)
class Column:
    """A column, or the index, of a frame: its name, its dtype as the docstring calls it, and what is said of it."""

    name: str
    dtype: str
    meaning: str
    is_index: bool = False


@dataclass(frozen=True)
class Frame:
    """What gives a frame: the name to call it by, those that inherit it, and its docstring."""

    name: str
    also: tuple[str, ...]
    told: str

    @property
    def columns(self) -> list[Column]:
        """Its columns, in the order in which the docstring names them."""
        return columns_of(self.told)

    @property
    def like(self) -> str | None:
        """The role that refers to the frame whose columns it has, where it says so."""
        found = _LIKE.search(_columns_part(self.told))
        return None if found is None else found[1]


def public_frames() -> list[Frame]:
    """List all that gives a DataFrame: public functions, and methods, properties and fields of public classes."""
    told: dict[Any, list[str]] = {}
    texts: dict[Any, str] = {}
    for package in _PACKAGES:
        module = importlib.import_module(package)
        for public in module.__all__:
            thing = getattr(module, public)
            if getattr(thing, "__module__", package) != package:  # it is public elsewhere, too
                continue
            for name, key, text in _frames_in(f"{package}.{public}", thing):
                told.setdefault(key, []).append(name)
                texts[key] = text
    shortest = {key: sorted(names, key=lambda name: (_rank(name), name)) for key, names in told.items()}
    frames = [Frame(names[0], tuple(names[1:]), texts[key]) for key, names in shortest.items()]
    return sorted(frames, key=lambda frame: frame.name.lower())


def _rank(name: str) -> int:
    """Put the class that other plans inherit from first."""
    return 0 if name.startswith("seqkit.SequencePlan.") else 1


def _frames_in(name: str, thing: Any) -> Iterator[tuple[str, Any, str]]:
    """Give each frame's name, what tells whether two are one, and its docstring."""
    if not inspect.isclass(thing):
        if callable(thing) and _gives_a_frame(thing):
            yield name, thing, inspect.getdoc(thing) or ""
        return
    for member, value in inspect.getmembers_static(thing):
        function = getattr(value, "fget", None) or getattr(value, "func", None) or getattr(value, "__func__", value)
        if not member.startswith("_") and inspect.isfunction(function) and _gives_a_frame(function):
            yield f"{name}.{member}", function, inspect.getdoc(function) or ""
    for member, annotation in inspect.get_annotations(thing).items():
        if not member.startswith("_") and "DataFrame" in str(annotation):
            yield f"{name}.{member}", (thing, member), _told_of_field(thing, member)


def _gives_a_frame(function: Any) -> bool:
    return "DataFrame" in str(getattr(function, "__annotations__", {}).get("return"))


def _told_of_field(cls: type, field: str) -> str:
    """Read the text below a field, which Python itself does not keep: in the file that the class's methods are of."""
    methods = (getattr(value, "fget", value) for value in vars(cls).values())
    files = {method.__code__.co_filename for method in methods if inspect.isfunction(method)}
    for tree in (ast.parse(Path(file).read_text(encoding="utf-8")) for file in files if Path(file).is_file()):
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and node.name == cls.__name__:
                return _text_below(node.body, field)
    return ""


def _text_below(body: list[ast.stmt], field: str) -> str:
    for line, below in pairwise(body):
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) and line.target.id == field:
            text = below.value if isinstance(below, ast.Expr) else None
            return inspect.cleandoc(str(text.value)) if isinstance(text, ast.Constant) else ""
    return ""


def page() -> str:
    """Write the table in reStructuredText: a row a column, frame by frame."""
    rows = [["Frame", "Column", "dtype", "What it holds"]]
    for frame in public_frames():
        first = _link(frame.name) + "".join(f", {_link(name)}" for name in frame.also)
        if frame.like or not frame.columns:
            more = ", and" * bool(frame.columns)
            rows.append([first, "", "", f"The columns of {frame.like}{more}" if frame.like else "See there"])
            first = ""
        for column in frame.columns:
            rows.append([first, f"`{column.name}`", _kind(column), column.meaning])
            first = ""
    listed = "\n".join(
        "\n".join(f"{'* -' if place == 0 else '  -'} {cell}".rstrip() for place, cell in enumerate(row)) for row in rows
    )
    lead = ".. list-table::\n   :header-rows: 1\n   :class: seqkit-frames\n   :widths: 27 22 15 36\n\n"
    return headed("Columns of every frame", f"{_LEAD}\n\n{lead}{textwrap.indent(listed, '   ')}")


def _link(name: str) -> str:
    return f":obj:`{name.removeprefix('seqkit.')} <{name}>`"


def _kind(column: Column) -> str:
    return ", ".join(["index"] * column.is_index + [column.dtype] * bool(column.dtype))


# ---------------------------------------------------------------------- reading a docstring


def columns_of(told: str) -> list[Column]:
    """Read the columns that a docstring lists, each once.

    Listed is what stands in backquotes with its dtype in brackets behind, as in "`repo_id`, `reason` (string: why)", or
    at the begin of an entry of a list.

    Examples
    --------
    >>> for column in columns_of("Columns: `run_id` (string), `seq`, `tries` (Int64: from 1)."):
    ...     print(column.name, column.dtype, column.meaning)
    run_id string
    seq Int64 from 1
    tries Int64 from 1
    """
    found: dict[str, Column] = {}
    for_all = ""
    for unit in _units(_columns_part(told)):
        entry = unit.startswith("- ")
        said = _FOR_ALL.search(unit)
        if said is not None:
            for_all = said[1] or said[2]
        begins = None if said is None else said.end()
        declared = [match for match in _DECLARED.finditer(unit) if _declares(match, entry, begins)]
        for match, after in zip_longest(declared, declared[1:]):
            dtype, inside = _dtype_of(match["inside"] or "", "" if match["index"] else for_all)
            behind = unit[match.end() : len(unit) if after is None else after.start()]
            meaning = _meaning(inside, behind, entry)
            for name in re.findall(r"\w+", match["names"].replace(" and ", " ")):
                found.setdefault(name, Column(name, dtype, meaning, bool(match["index"])))
    return list(found.values())


def _columns_part(told: str) -> str:
    """Give what a docstring says of the columns: the section Returns, else all above the first section but one."""
    parts = _SECTION.split(told)
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    return sections.get("Returns") or parts[0] + sections.get("Parameters", "")


def _units(text: str) -> Iterator[str]:
    """Give each paragraph, and each entry of a list, as one line."""
    for part in re.split(r"\n\s*\n|\n(?=\s*- )", text):
        if part.strip():
            yield " ".join(part.split())


def _declares(match: re.Match[str], entry: bool, begins: int | None) -> bool:
    """Tell whether names are listed as columns here; behind `begins` they are, without a dtype of their own."""
    if match["index"] or re.match(_DTYPES, match["inside"] or ""):
        return True
    return (entry and match.start() == len("- ")) or (begins is not None and match.start() >= begins)


def _dtype_of(inside: str, for_all: str) -> tuple[str, str]:
    """Part what stands in the brackets into dtype and meaning."""
    found = re.match(_DTYPES, inside)
    if found is None:
        return for_all, inside
    return found[0], inside[found.end() :].lstrip(":;, ")


def _meaning(inside: str, behind: str, entry: bool) -> str:
    """Join what stands in the brackets and behind them: all of an entry, in running text what is said in one go."""
    behind = re.sub(r"(?:^|[.;,])[^.;,]*\b[Cc]olumns?:?\s*$", "", behind)  # they come next
    if not entry:
        behind = re.split(r"\.(?=\s|$)", behind)[0] if re.match(r"[:,;]? (?!and\b)[\w(]", behind) else ""
    behind = re.sub(r"^[\s:;,.]+|[\s:;,.]+(?:and)?\s*$", "", behind)
    return ". ".join(text for text in (inside, behind) if text)
