"""What of a graph is drawn with boxes: every repo, or some by name; and which of that finds room."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from seqkit._show.palette import EVERY_STYLE
from seqkit._show.rows import reduction
from seqkit._util.words import plural
from seqkit.core.graph import RepoDependencyGraph
from seqkit.plots._boxes import SIZES, SIZES_ON_SLIDES, Arrangement, Node, arranged
from seqkit.plots._folding import Shown, foldings

__all__ = ["DrawnBoxes", "first_that_fits", "folded_drawings", "whole_drawing"]

Edge = tuple[str, str]

_PAGE = 675.0  # points, of the drawing in a figure of our own: ten inches with its margins
_SLIDE = (900.0, 430.0)  # points, of the drawing on 13⅓ by 7½ inches, less margins, title and legend
_TALLEST = 5_000.0


@dataclass(frozen=True)
class DrawnBoxes:
    """One way to draw a graph with boxes."""

    nodes: list[Node]
    edges: list[Edge]
    loud: Collection[Edge]
    """Along which a failure blocks."""
    note: str
    bands: Mapping[int, str] | None = None
    """What its waves are called, where not by their numbers."""
    room: tuple[float, float | None] = (_PAGE, None)
    """Points that it may take in a figure of our own: width, and height, or any."""
    sizes: Sequence[float] = SIZES[:1]
    """Of names in a figure of our own, the best first."""


def whole_drawing(told: Shown, implied: bool) -> DrawnBoxes:
    """Draw every repo; `implied` says whether dependencies that others imply are drawn too."""
    words, edges = told.words, told.edges
    drawn = list(edges) if implied else reduction(list(words), edges)
    nodes = [Node(repo, told.position[repo], told.level[repo], EVERY_STYLE[word]) for repo, word in words.items()]
    loud = [edge for edge in drawn if told.is_loud(edge)]
    return DrawnBoxes(nodes, drawn, loud, f"Numbers: places in the plan. {_note(len(edges), len(edges) - len(drawn))}")


def folded_drawings(graph: RepoDependencyGraph, told: Shown) -> list[DrawnBoxes]:
    """Give drawings with fewer and fewer repos by name, the others in boxes of several."""
    return [
        DrawnBoxes(
            folding.nodes,
            folding.edges,
            folding.loud,
            f"Numbers: places in the plan. {folding.shared:,} of {len(told.words):,} repos share a box with others of "
            f"their wave; fold=False draws each. {_note(len(told.edges), 0)}",
            folding.bands,
            _SLIDE,
            SIZES_ON_SLIDES,
        )
        for folding in foldings(graph, told)
    ]


def first_that_fits(
    drawings: Sequence[DrawnBoxes], given: tuple[float, float] | None
) -> tuple[DrawnBoxes, Arrangement] | None:
    """Give the first drawing that finds room in the largest letters that do: on axes `given`, or on its own."""
    for drawing in drawings:
        for size in drawing.sizes if given is None else SIZES:
            boxes = arranged(drawing.nodes, drawing.edges, size, given or (drawing.room[0], None))
            if boxes and (given is not None or _fits(boxes, drawing.room)):
                return drawing, boxes
    return None


def _fits(boxes: Arrangement, room: tuple[float, float | None]) -> bool:
    wide, tall = room
    return boxes.height <= _TALLEST if tall is None else boxes.height <= tall and boxes.width <= wide


def _note(edges: int, left_out: int) -> str:
    if not edges:
        return "No dependencies."
    note = f"{plural(edges, 'dependency', 'dependencies')}"
    return f"{note}, {left_out:,} of them implied by others and not drawn." if left_out else f"{note}."
