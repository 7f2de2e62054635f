"""Keys that are pressed in a widget are the widget's."""

from __future__ import annotations

from importlib.resources import files

import anywidget
import ipywidgets as ipw

__all__ = ["KeyGuard"]


class KeyGuard(anywidget.AnyWidget):
    """An invisible part of a composite widget: keeps JupyterLab from acting on keys that are pressed in it.

    Without it, arrow keys in a list or on a slider go to the next cell, and a letter pressed in a
    dropdown may be a command: ``d`` twice deletes the cell. Keys with Ctrl, Alt or Meta, Shift+Enter and
    Escape still reach the page.
    """

    _esm = (files("seqkit.widgets") / "static" / "keys.js").read_text("utf-8")

    def __init__(self) -> None:
        super().__init__(layout=ipw.Layout(width="100%", height="0", margin="0"))
