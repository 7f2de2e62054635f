"""The reference from the docstrings: a page a row of the package's own docstring, and one a further module."""

from __future__ import annotations

import importlib
import inspect
import re
from types import ModuleType

from seqkit.cli.site import frames
from seqkit.cli.site.writing import headed

__all__ = ["directive", "pages"]

_MODULES = {  # what `import seqkit` does not list
    "plots": "Pictures",
    "widgets": "Widgets",
    "explore": "Widgets without a browser",
    "errors": "Errors",
    "importers": "Other systems' runs",
    "ledger.file_format": "The file format of ledgers",
}


def pages() -> dict[str, str]:
    """Write the pages in reStructuredText, by name; ``index`` lists them."""
    intro, groups = _groups()
    texts = {
        _file(title): headed(title, "\n".join(directive("seqkit", name) for name in names))
        for title, names in groups.items()
    }
    told = {name for names in groups.values() for name in names}
    for module, title in _MODULES.items():
        content = importlib.import_module(f"seqkit.{module}")
        # The same thing is described once; a picture may be called as what it shows.
        names = [name for name in content.__all__ if name not in told or not _is_the_same(content, name)]
        own = "\n".join(directive(f"seqkit.{module}", name) for name in names)
        texts[_file(module)] = headed(title, f".. automodule:: seqkit.{module}\n   :no-members:\n\n{own}")
    texts["columns"] = frames.page()
    listed = "\n".join(f"   {page}" for page in texts)
    texts["index"] = headed("Reference", f"{intro}\n\n.. toctree::\n   :maxdepth: 1\n\n{listed}\n\n:ref:`genindex`\n")
    return texts


def _is_the_same(content: ModuleType, name: str) -> bool:
    return getattr(content, name) is getattr(importlib.import_module("seqkit"), name)


def _groups() -> tuple[str, dict[str, list[str]]]:
    """Read the table of the package's docstring: the lines above it, then title → names."""
    package = importlib.import_module("seqkit")
    intro, table, _ = re.split(r"^=[= ]+$", inspect.getdoc(package) or "", flags=re.MULTILINE)
    border = (inspect.getdoc(package) or "").split("\n\n")[1].index(" ")
    groups: dict[str, list[str]] = {}
    for line in table.strip("\n").splitlines():
        title = line[:border].strip() or next(reversed(groups))
        names = [name for name in re.findall(r"\w+", line[border:]) if name in package.__all__]
        groups.setdefault(title, []).extend(names)
    errors = set(package.errors.__all__)
    return intro.strip(), {
        title: own for title, names in groups.items() if (own := [name for name in names if name not in errors])
    }


def directive(module: str, name: str) -> str:
    """Let autodoc describe a public name."""
    thing = getattr(importlib.import_module(module), name)
    kind = "class" if inspect.isclass(thing) else "function" if callable(thing) else "data"
    return f".. auto{kind}:: {module}.{name}\n"


def _file(title: str) -> str:
    return re.sub(r"\W+", "-", title)
