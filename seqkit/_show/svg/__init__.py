"""Small pictures as SVG text: for reprs, and for what stands in where a widget cannot be shown.

They are pure functions of their arguments and byte-stable, hold no ids, scripts or style sheets (several
may stand on one page), and take the colour of text and lines from the page (``currentColor``), so that
light and dark themes both work.
"""

from seqkit._show.svg.columns import stacked
from seqkit._show.svg.counts import chip, legend, strip, summary
from seqkit._show.svg.drawing import MOST_DRAWN, dag
from seqkit._show.svg.histogram import bars

__all__ = ["MOST_DRAWN", "bars", "chip", "dag", "legend", "stacked", "strip", "summary"]
