"""The gallery: every public picture and widget, drawn by the code that stands beside it."""

from __future__ import annotations

import doctest
import importlib
import inspect
import io
import textwrap
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from typing import Any

from seqkit.cli.site.writing import headed
from seqkit.plots.picture import png_of

__all__ = ["Piece", "pages", "pieces"]

_KINDS = {"plots": "Pictures", "widgets": "Widgets"}
_LEAD = """Press a name for its arguments. Before each come ``import seqkit`` and ``from seqkit import plots, widgets``.
Data sets come with seqkit; failure rates and durations are made up. Of widgets, which want a notebook, a still picture
is shown."""


@dataclass(frozen=True)
class Piece:
    """A public picture or widget: where it is, its code, and what that draws."""

    module: str
    name: str
    code: str
    png: bytes | None = field(default=None, repr=False)
    html: str = field(default="", repr=False)

    @property
    def title(self) -> str:
        """The first line of its docstring."""
        thing = getattr(importlib.import_module(f"seqkit.{self.module}"), self.name)
        return (inspect.getdoc(thing) or "").split("\n")[0]


def pages() -> tuple[str, dict[str, bytes]]:
    """Write the page in reStructuredText, and give its pictures by file name."""
    texts: dict[str, list[str]] = {module: [] for module in _KINDS}
    pictures: dict[str, bytes] = {}
    for piece in pieces():
        if piece.png is not None:
            pictures[f"{piece.name}.png"] = piece.png
        texts[piece.module].append(_text(piece))
    body = "\n".join(f"{title}\n{'-' * len(title)}\n\n{''.join(texts[module])}" for module, title in _KINDS.items())
    return headed("Gallery", f"{_LEAD}\n\n{body}"), pictures


def pieces() -> Iterator[Piece]:
    """Draw all that is public in ``seqkit.plots`` and ``seqkit.widgets``, one after the other."""
    examples = importlib.import_module("seqkit.cli.site.examples")
    for module in _KINDS:
        home = importlib.import_module(f"seqkit.{module}")
        for name in home.__all__:
            thing = getattr(home, name)
            if not callable(thing) or (inspect.isclass(thing) and not hasattr(thing, "still_html")):
                continue  # no picture: a function that writes something, a kind of argument
            own = getattr(examples, name, None)
            if own is not None:
                with redirect_stderr(io.StringIO()):  # bars of progress, where a machine is slow
                    made = own()
                yield _drawn(module, name, _body_of(own), made)
            elif module == "plots":
                yield _drawn(module, name, *_from_docstring(thing))


def _drawn(module: str, name: str, code: str, made: Any) -> Piece:
    if module == "widgets":
        html = made.still_html()
        made.close()
        return Piece(module, name, code, html=html)
    return Piece(module, name, code, png=png_of(made))


def _body_of(function: Any) -> str:
    """Give the lines of an example as one would type them in a cell."""
    lines = inspect.getsource(function).splitlines()[1:]
    code = textwrap.dedent("\n".join(lines))
    begin = code.rindex("return ")
    return code[:begin] + code[begin + len("return ") :]


def _from_docstring(function: Any) -> tuple[str, Any]:
    """Run the example of a plot's docstring up to where it has drawn, and give its lines and the last Axes."""
    parsed = doctest.DocTestParser().get_examples(inspect.getdoc(function) or "")
    names: dict[str, Any] = dict(vars(importlib.import_module("seqkit.plots")))
    lines, axes = [], None
    for example in parsed:
        if "close(" in example.source:
            break
        if "matplotlib.use" in example.source:
            continue
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            exec(compile(example.source, "<example>", "single"), names)  # noqa: S102  # our own docstring
        lines.append(example.source)
        if names.get("ax") is not None:
            axes = names["ax"]
            break
    if axes is None:
        raise ValueError(
            f"{function.__name__} has no example, neither with an `ax` in its docstring nor in examples.py"
        )
    return "".join(lines), axes


def _text(piece: Piece) -> str:
    kind = "func" if piece.module == "plots" else "class"
    code = textwrap.indent(piece.code.strip("\n"), "   ")
    shown = (
        f".. image:: {piece.name}.png\n   :alt: {piece.title}\n"
        if piece.png is not None
        else ".. raw:: html\n\n" + textwrap.indent(piece.html, "   ") + "\n"
    )
    title = piece.name
    return (
        f"{title}\n{'~' * len(title)}\n\n:{kind}:`seqkit.{piece.module}.{piece.name}`: {piece.title}\n\n"
        f".. code-block:: python\n\n{code}\n\n{shown}\n"
    )
