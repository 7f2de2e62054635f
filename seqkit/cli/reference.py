"""``reference``: the API reference as web pages that need no network, from the docstrings."""

from __future__ import annotations

import importlib
import inspect
import io
import re
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from seqkit.cli.printing import console, named

__all__ = ["pages", "reference"]

_MODULES = {  # what `import seqkit` does not list
    "plots": "Pictures",
    "widgets": "Widgets",
    "errors": "Errors",
    "ledger.file_format": "The file format of ledgers",
}
_SETTINGS: dict[str, Any] = {
    "project": "seqkit",
    "project_copyright": "the authors of seqkit",
    "html_title": "seqkit",
    "html_theme": "alabaster",
    "html_theme_options": {"description": "Releases that span many repositories", "page_width": "1250px"},
    "html_show_sphinx": False,
    "html_show_sourcelink": False,
    "html_copy_source": False,
    "html_last_updated_fmt": None,
    "extensions": ["sphinx.ext.autodoc", "sphinx.ext.napoleon"],
    "napoleon_google_docstring": False,
    "napoleon_use_rtype": False,
    "autodoc_default_options": {"members": True, "member-order": "bysource"},
    "autodoc_typehints_format": "short",
    "python_use_unqualified_type_names": True,
    "add_module_names": False,
    "default_role": "code",
    "highlight_language": "default",
}


def reference(
    folder: Annotated[str, typer.Argument(metavar="FOLDER", help="Where the pages go; index.html is the first.")],
) -> None:
    """Write the API reference as web pages that need no network."""
    try:
        from sphinx.application import Sphinx  # noqa: PLC0415
        from sphinx.util.docutils import docutils_namespace  # noqa: PLC0415
    except ImportError:
        typer.echo('Error: the reference needs Sphinx: pip install "seqkit-py[docs]"', err=True)
        raise typer.Exit(2) from None
    warnings = io.StringIO()
    with tempfile.TemporaryDirectory(prefix="seqkit-reference-") as name, docutils_namespace():
        source = Path(name, "source")
        source.mkdir()
        for page, text in pages().items():
            (source / f"{page}.rst").write_text(text, encoding="utf-8")
        app = Sphinx(
            source,
            None,
            folder,
            Path(name, "trees"),
            "html",
            confoverrides=_SETTINGS,
            status=None,
            warning=warnings,
            freshenv=True,
        )
        app.build()
    typer.echo(warnings.getvalue(), err=True, nl=False)
    console().print(Text(f"{named(str(Path(folder, 'index.html')))}: the first page of the reference."))
    if app.statuscode:
        raise typer.Exit(app.statuscode)


def pages() -> dict[str, str]:
    """Write the pages in reStructuredText: one a row of the package's docstring, and one a further module."""
    intro, groups = _groups()
    texts = {
        _file(title): _headed(title, "\n".join(_directive("seqkit", name) for name in names))
        for title, names in groups.items()
    }
    for module, title in _MODULES.items():
        content = importlib.import_module(f"seqkit.{module}")
        own = "\n".join(_directive(f"seqkit.{module}", name) for name in content.__all__)
        texts[_file(module)] = _headed(title, f".. automodule:: seqkit.{module}\n   :no-members:\n\n{own}")
    listed = "\n".join(f"   {page}" for page in texts)
    texts["index"] = _headed("seqkit", f"{intro}\n\n.. toctree::\n   :maxdepth: 2\n\n{listed}\n\n:ref:`genindex`\n")
    return texts


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


def _directive(module: str, name: str) -> str:
    thing = getattr(importlib.import_module(module), name)
    kind = "class" if inspect.isclass(thing) else "function" if callable(thing) else "data"
    return f".. auto{kind}:: {module}.{name}\n"


def _file(title: str) -> str:
    return re.sub(r"\W+", "-", title)


def _headed(title: str, text: str) -> str:
    shown = title[0].upper() + title[1:] if title != "seqkit" else title
    return f"{shown}\n{'=' * len(shown)}\n\n{text}\n"
