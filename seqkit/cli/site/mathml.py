"""Formulas as MathML, which browsers set themselves: no script, from here or from elsewhere."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from docutils.utils.math import MathError, latex2mathml
from sphinx.util import logging

__all__ = ["setup"]


def setup(app: Any) -> dict[str, bool]:
    """Let Sphinx know it as ``html_math_renderer = "mathml"``."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _inline(writer: Any, node: nodes.math) -> None:
    _write(writer, node, as_block=False)


def _block(writer: Any, node: nodes.math_block) -> None:
    _write(writer, node, as_block=True)


def _write(writer: Any, node: nodes.Element, as_block: bool) -> None:
    tex = node.astext()
    try:
        writer.body.append(latex2mathml.tex2mathml(tex, as_block=as_block))
    except MathError as error:
        logging.getLogger(__name__).warning("formula %r: %s", tex, error, location=node)
        writer.body.append(f"<code>{writer.encode(tex)}</code>")
    raise nodes.SkipNode
