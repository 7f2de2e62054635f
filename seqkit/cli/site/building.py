"""The pages of the site put together in a folder, and Sphinx over them, without a network."""

from __future__ import annotations

import importlib.util
import io
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import Any

from seqkit.cli.site import api, gallery, guide

__all__ = ["MissingExtra", "build", "sources"]

_NEEDED = ("sphinx", "pydata_sphinx_theme", "myst_nb")
_SETTINGS: dict[str, Any] = {
    "project": "seqkit",
    "project_copyright": "the authors of seqkit",
    "html_title": "seqkit",
    "html_theme": "pydata_sphinx_theme",
    "html_theme_options": {
        "navbar_align": "left",
        "navbar_end": ["theme-switcher"],  # and no links to hosts of code
        "show_toc_level": 2,
        "show_prev_next": False,
        "footer_start": ["copyright"],
        "footer_end": [],
        "header_links_before_dropdown": 8,
    },
    "html_context": {"default_mode": "auto"},
    "html_sidebars": {"*": [], "gallery/*": []},  # the others have the list of their pages
    "html_static_path": ["static"],
    "html_css_files": ["seqkit.css"],
    "html_show_sphinx": False,
    "html_show_sourcelink": False,
    "html_copy_source": False,
    "html_last_updated_fmt": None,
    "html_math_renderer": "mathml",
    "extensions": [
        "sphinx.ext.autodoc",
        "sphinx.ext.napoleon",
        "myst_nb",
        "seqkit.cli.site.mathml",
        "seqkit.cli.site.fields",
    ],
    "napoleon_google_docstring": False,
    "napoleon_use_rtype": False,
    "autodoc_default_options": {"members": True, "member-order": "bysource", "exclude-members": "model_config"},
    "autodoc_typehints_format": "short",
    "python_use_unqualified_type_names": True,
    "add_module_names": False,
    "default_role": "code",
    "highlight_language": "default",
    "nb_execution_mode": "off",
    "nb_ipywidgets_js": {},  # scripts from elsewhere, for widgets that no kernel stands behind
    "myst_enable_extensions": ["dollarmath"],
    "myst_heading_anchors": 3,
}
_CSS = """table.seqkit-frames { table-layout: fixed; width: 100%; }
.seqkit-frames td { vertical-align: top; overflow-wrap: anywhere; }
.seqkit-still div { background: none !important; } /* a dark page dims the picture, and its paper */
div.cell_output table { font-size: 0.85em; }
"""


class MissingExtra(ImportError):
    """What the extra ``docs`` brings is not installed."""


def build(folder: str, notebooks: list[Path]) -> tuple[str, int]:
    """Write the site; give what Sphinx warned of, and 0 where all went well.

    Raises
    ------
    MissingExtra
        Where Sphinx, its theme or what renders notebooks is missing.
    """
    missing = [name for name in _NEEDED if not _is_there(name)]
    if missing:
        raise MissingExtra(f"the site needs {', '.join(missing)}")
    from sphinx.application import Sphinx  # noqa: PLC0415  # of an extra
    from sphinx.util.docutils import docutils_namespace  # noqa: PLC0415

    warnings = io.StringIO()
    with tempfile.TemporaryDirectory(prefix="seqkit-site-") as name, docutils_namespace():
        source = Path(name, "source")
        for path, content in sources(notebooks).items():
            target = source / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content if isinstance(content, bytes) else content.encode())
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
        return warnings.getvalue(), int(app.statuscode)


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):  # ValueError: it is None in sys.modules
        return False


def sources(notebooks: list[Path]) -> dict[str, str | bytes]:
    """Give what Sphinx reads, by path: pages in Markdown and reStructuredText, notebooks and pictures."""
    own = {path.name: path.read_text("utf-8") for path in (files("seqkit.cli.site") / "text").iterdir()}
    page, pictures = gallery.pages()
    made: dict[str, str | bytes] = {"static/seqkit.css": _CSS, **own, "gallery/index.rst": page}
    made |= {f"gallery/{name}": content for name, content in pictures.items()}
    made |= {f"reference/{name}.rst": text for name, text in api.pages().items()}
    if notebooks:
        made |= {f"guide/{name}": text for name, text in guide.pages(notebooks).items()}
    made["index.md"] = _index(own["index.md"], bool(notebooks))
    return made


def _index(text: str, with_guide: bool) -> str:
    """Leave the guide out of the first page where there is none."""
    return text if with_guide else "\n".join(line for line in text.splitlines() if "guide/" not in line) + "\n"
