"""What a widget leaves on the page where it cannot run: a sentence and a picture.

A saved notebook keeps no state of widgets. Opened without a kernel, on a code host, or as a
converted page, a widget is an error message or nothing at all. So each displays two outputs: a still
picture, and then itself. Where the widget comes to life, it hides the still.
"""

from __future__ import annotations

import base64
from typing import Any

from IPython.display import publish_display_data

from seqkit._show.html import NO_TEX, escaped

__all__ = ["Still"]

_ADVICE = "To use it, run this cell in a notebook with ipywidgets."


class Still:
    """Base of widgets that leave a still picture; comes before the ipywidgets class in the list of bases."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, _dom_classes=NO_TEX, **options)  # type: ignore[call-arg]  # of the widget's class

    def _still(self) -> tuple[str, str]:
        """Give a sentence that says what is seen, and a picture as SVG ("" for none)."""
        raise NotImplementedError

    def still_html(self) -> str:
        """Give the sentence and the picture as HTML that also survives the cleaning of untrusted notebooks."""
        sentence, svg = self._still()
        shown = escaped(sentence, 600)
        # Inline SVG is removed from untrusted pages, an image is not; but there it cannot know the theme.
        data = base64.b64encode(svg.encode("utf-8", "replace")).decode("ascii")
        picture = f'<img alt="{shown}" style="max-width:100%" src="data:image/svg+xml;base64,{data}">' if svg else ""
        paper = f'<div style="background:#fff;padding:8px">{picture}</div>' if picture else ""
        return f'<div class="seqkit-still {" ".join(NO_TEX)}"><p>{shown}. <i>{_ADVICE}</i></p>{paper}</div>'

    def _ipython_display_(self, **_options: Any) -> None:
        _publish({"text/html": self.still_html(), "text/plain": f"{self!r}\n{_ADVICE}"}, {})
        bundle = getattr(self, "_repr_mimebundle_", None)  # None of a closed widget
        live = None if bundle is None else bundle()
        if live is not None:
            data, metadata = live if isinstance(live, tuple) else (live, {})
            _publish({**data, "text/plain": repr(self)}, metadata)


def _publish(data: dict[str, Any], metadata: dict[str, Any]) -> None:
    publish_display_data(data, metadata)  # type: ignore[no-untyped-call]  # of IPython
