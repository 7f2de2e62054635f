"""What stands below a field, for the reference: autodoc looks where a class says it is from, which is not its file."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from typing import Any

from docutils import nodes
from sphinx.addnodes import desc_annotation, pending_xref, pending_xref_condition
from sphinx.pycode import ModuleAnalyzer

__all__ = ["setup"]

_TIME = re.compile(r"~?[\w.]*Annotated\[[^\[\]]*AwareDatetime[^\[\]]*\]")
_CLASS = re.compile(r"^class (\w+)", re.MULTILINE)
_PACKAGES = ("seqkit", "seqkit.plots", "seqkit.widgets", "seqkit.explore", "seqkit.errors")


def setup(app: Any) -> dict[str, bool]:
    """Let Sphinx find the texts below the fields of public classes."""
    app.connect("builder-inited", lambda _app: _collect())
    app.connect("autodoc-process-signature", _shortened)
    app.connect("doctree-read", lambda _app, page: _plain_kinds(page))
    return {"parallel_read_safe": True}


def _shortened(*event: Any) -> tuple[str, Any] | None:
    """Say of a time that it is one, not how it is written as JSON."""
    arguments, returned = event[-2:]
    return None if arguments is None else (_TIME.sub("datetime", arguments), returned)


def _plain_kinds(page: Any) -> None:
    """Link no small word of an argument's kind, such as the "path" of "path or URL", to a field that is called so."""
    for node in list(page.findall(pending_xref)):
        if node.hasattr("refspecific") and node.get("reftype") == "class" and node["reftarget"].islower():
            shown = [child for child in node.children if not isinstance(child, pending_xref_condition)]
            node.replace_self(shown or [nodes.Text(node["reftarget"])])
    for node in list(page.findall(desc_annotation)):
        if _TIME.search(node.astext()):  # of a field; of arguments see `_shortened`
            node.children = [nodes.Text(_TIME.sub("datetime", node.astext()))]


def _collect() -> None:
    """Tell the analysis of each public package what the modules behind it say of its classes."""
    homes = {name: module for name, module in list(sys.modules.items()) if name.startswith("seqkit.")}
    for package in _PACKAGES:
        content = importlib.import_module(package)
        public = {name for name in content.__all__ if inspect.isclass(getattr(content, name))}
        analyzer = ModuleAnalyzer.for_module(package)
        analyzer.analyze()
        for name, module in homes.items():
            if not any(vars(module).get(cls) is getattr(content, cls) for cls in public):
                continue
            own = ModuleAnalyzer.for_module(name)
            if public.isdisjoint(_CLASS.findall(own.code)):
                continue  # it uses them; to analyze a module takes its time
            own.analyze()
            for (cls, field), text in own.attr_docs.items():
                if cls in public:
                    analyzer.attr_docs.setdefault((cls, field), text)
            for member, place in own.tagorder.items():
                if member.split(".")[0] in public:
                    analyzer.tagorder.setdefault(member, place)
