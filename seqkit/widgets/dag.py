"""An interactive picture of a dependency graph: press, zoom, walk with the arrow keys."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any

import anywidget
import traitlets as T

from seqkit._show import svg
from seqkit._show.palette import EVERY_STYLE, STATUS_STYLES, ink_on, shade
from seqkit._util.arguments import whole
from seqkit._util.words import plural
from seqkit.core.graph import RepoDependencyGraph
from seqkit.core.plan import SequencePlan
from seqkit.explore.drawing import draw
from seqkit.widgets._dag_wire import checked, checked_shades, checked_words, plain_words, wire
from seqkit.widgets._parts import close_all, plain
from seqkit.widgets.still import Still

__all__ = ["DagView"]

_STATIC = files("seqkit.widgets") / "static"
_NOTE = 12
_STILL_WIDTH = 1_100.0  # pixels: a page's


class DagView(Still, anywidget.AnyWidget):
    """A graph of boxes, coloured by status, that can be pressed.

    The picture is laid out once; changing `words`, `notes` or `ringed` only repaints it. It is drawn at its full
    size, and scrolls in a box of its own where it is larger than that; names shrink only for whoever zooms out. With
    the keyboard it is one tab stop: arrows go to the next box, Home and End to the first and last, Enter or Space
    presses, ``+`` and ``-`` zoom, ``0`` shows all and ``1`` goes back to the full size.

    Parameters
    ----------
    plan_or_graph : SequencePlan or RepoDependencyGraph
        What to show.
    words : mapping of str to str, optional
        Repo → key of ``EVERY_STYLE``: pending, unreleased, blocked, succeeded, in_progress, failed, in_doubt,
        stopped, or skipped where nobody told why. Repos it does not name are pending, or unreleased where the plan
        does not release them.
    notes : mapping of str to str, optional
        Repo → a few characters that stand beside its name.
    around : str, optional
        Draw only this repo, what it needs and what needs it; None draws all, and so does "" where no repo
        is called that. Above 500 repos only such an excerpt is drawn.
    depth : int
        How many steps up and down `around` reaches.
    label : str
        What the picture shows, for those who cannot see it.
    implied : bool
        Whether to draw dependencies that others imply too.

    Attributes
    ----------
    words, notes : dict
        As above; assign a new dict to repaint.
    ringed : list of str
        Repos with a strong outline.
    shades : dict of str to float
        Repo → a probability: its box is filled by that, from dark (0) to light (1), and not by its status.
    chosen : str or None
        A repo with a second outline around it; the picture scrolls there.
    rings : str
        What an outline of `ringed` means, read out where a box has one and is not shown as failed.
    beside : int
        Pixels of the window's height that are left to what stands around the picture.
    around, depth
        As above; assign to look elsewhere.

    Raises
    ------
    RepoNotFound
        Where `words`, `notes`, `ringed` or `around` name a repo that is not there.
    TypeError, ValueError
        Where an argument is not of its kind.

    Examples
    --------
    >>> view = DagView(RepoDependencyGraph.from_edges([("core", "api")]), words={"core": "failed"})
    >>> view
    DagView(2 repos: 1 pending, 1 failed)
    >>> view.on_press(print)
    >>> view.press("api")
    api
    >>> view.close()
    """

    _esm = "\n".join((_STATIC / name).read_text("utf-8") for name in ("geometry.js", "still.js", "dag.js"))
    _css = (_STATIC / "dag.css").read_text("utf-8")

    label = T.Unicode().tag(sync=True)
    words = T.Dict()
    notes = T.Dict()
    ringed: T.List[str] = T.List()
    shades = T.Dict()
    chosen = T.Unicode(None, allow_none=True)
    beside = T.Int(300).tag(sync=True)
    rings = T.Unicode().tag(sync=True)
    around = T.Unicode(allow_none=True)
    depth = T.Int(1)
    _styles: T.List[list[str]] = T.List().tag(sync=True)
    _scale: T.List[str] = T.List([shade(step / 8) for step in range(9)]).tag(sync=True)
    _drawing = T.Dict().tag(sync=True)
    _state = T.Dict().tag(sync=True)

    def __init__(
        self,
        plan_or_graph: SequencePlan | RepoDependencyGraph,
        words: Mapping[str, str] | None = None,
        notes: Mapping[str, str] | None = None,
        around: str | None = None,
        depth: int = 1,
        label: str = "dependency graph",
        implied: bool = False,
    ) -> None:
        self._implied = implied
        self._drawn = draw(plan_or_graph, around, depth, implied)
        self._take(plan_or_graph)
        self._drawings = 0
        self._turn = threading.RLock()  # events of a run come in another thread than presses do
        self._callbacks: list[Callable[[str], object]] = []
        super().__init__(
            label=label,
            words=checked_words(dict(words or {}), self._plain),
            notes=checked(dict(notes or {}), self._plain),
            around=around,
            depth=whole("depth", depth, 1),
            _drawing=self._next_drawing(),
        )
        self._paint()
        self.on_msg(self._received)

    def _take(self, plan_or_graph: SequencePlan | RepoDependencyGraph) -> None:
        self._source, self._plain = plan_or_graph, plain_words(plan_or_graph)

    def _next_drawing(self) -> dict[str, Any]:
        self._drawings += 1  # a press tells which drawing it was on: its number means another repo in the next
        return {**wire(self._drawn), "drawing": self._drawings}

    # ------------------------------------------------------------------ what is shown

    @property
    def drawn(self) -> list[str]:
        """Ids of the repos in the picture, in plan order; none where there are too many."""
        return list(self._drawn.ids)

    @property
    def too_many(self) -> bool:
        """Whether nothing is drawn because there are too many repos: look around one of them."""
        return self._drawn.too_many

    def word(self, repo: str) -> str:
        """Give the status that a repo is shown with, a key of ``EVERY_STYLE``."""
        checked([repo], self._plain)
        return str(self.words.get(repo, self._plain[repo]))

    def counts(self, shaded: bool = True) -> dict[str, int]:
        """Count the repos of the whole plan or graph by status: all keys, in the order of the legend.

        ``skipped``, which other systems' records alone have, is there where it occurs. Without `shaded` those are left
        out whose boxes are filled by a probability.
        """
        left_out = () if shaded else self.shades
        counted = Counter(self.words.get(repo, word) for repo, word in self._plain.items() if repo not in left_out)
        return {key: counted[key] for key in EVERY_STYLE if key in STATUS_STYLES or counted[key]}

    @T.validate("words")
    def _words_are_known(self, proposal: Any) -> Any:
        return checked_words(proposal["value"], self._plain)

    @T.validate("shades")
    def _shades_are_chances(self, proposal: Any) -> Any:
        return checked_shades(proposal["value"], self._plain)

    @T.validate("chosen")
    def _chosen_is_known(self, proposal: Any) -> Any:
        checked([] if proposal["value"] is None else [proposal["value"]], self._plain)
        return proposal["value"]

    @T.validate("notes", "ringed")
    def _repos_are_known(self, proposal: Any) -> Any:
        return checked(proposal["value"], self._plain)

    @T.validate("around")
    def _around_is_known(self, proposal: Any) -> Any:
        self._check_around(proposal["value"])
        return proposal["value"]

    def _check_around(self, around: str | None) -> None:
        checked([around] if around else [], self._plain)

    @T.validate("depth")
    def _depth_counts(self, proposal: Any) -> int:
        return whole("depth", proposal["value"], 1)

    @T.observe("words", "notes", "ringed", "shades", "chosen")
    def _repaint(self, _change: Any) -> None:
        with self._turn:
            if self._drawing:  # or it is being made
                self._paint()

    @T.observe("around", "depth")
    def _redraw(self, _change: Any) -> None:
        if not self._drawing:
            return
        with self._turn, self.hold_sync():  # boxes and their colours arrive together
            self._drawn = draw(self._source, self.around, self.depth, self._implied)
            self._drawing = self._next_drawing()
            self._paint()

    def look(self, around: str | None, depth: int = 1) -> None:
        """Draw what is near a repo, or all: `around` and `depth` at once."""
        self._check_around(around)  # what is found wrong at the end of the next block is not taken back
        depth = whole("depth", depth, 1)
        with self.hold_trait_notifications():
            self.around, self.depth = around, depth

    def show(self, plan_or_graph: SequencePlan | RepoDependencyGraph, words: Mapping[str, str] | None = None) -> None:
        """Show another plan or graph in this place, all of it; where it is the same one, only repaint.

        A second view in place of this one would bring the still picture back: see :mod:`seqkit.widgets.still`.
        """
        words = dict(words or {})
        if plan_or_graph is self._source or plan_or_graph == self._source:
            self.words = words
            return
        drawn = draw(plan_or_graph, implied=self._implied)
        checked_words(words, plain_words(plan_or_graph))  # before anything changes
        with self._turn, self.hold_sync():  # boxes and their colours arrive together
            self._drawing = {}  # keeps quiet until all is in place
            self._take(plan_or_graph)
            self._drawn = drawn
            self.around, self.depth, self.words, self.notes, self.ringed = None, 1, words, {}, []
            self.shades, self.chosen = {}, None
            self._drawing = self._next_drawing()
            self._paint()

    def _paint(self) -> None:
        ids, words, notes, ringed = self._drawn.ids, self.words, self.notes, set(self.ringed)
        fills = {repo: shade(p) for repo, p in self.shades.items()}
        keys = list(self.counts())
        styles = [EVERY_STYLE[key] for key in keys]
        self._styles = [[style.word, style.colour, style.mark, style.ink] for style in styles]
        counts = self.counts(shaded=False)
        self._state = {
            "words": [keys.index(words.get(repo, self._plain[repo])) for repo in ids],
            "notes": [plain(str(notes[repo]), _NOTE) if notes.get(repo) else "" for repo in ids],
            "ringed": [i for i, repo in enumerate(ids) if repo in ringed],
            "shades": [[fills[repo], ink_on(fills[repo])] if repo in fills else None for repo in ids],
            "chosen": ids.index(self.chosen) if self.chosen in ids else -1,
            "counts": [counts.get(key, 0) for key in keys],
            "shaded": len(fills),
        }

    # ------------------------------------------------------------------ pressing

    def on_press(self, callback: Callable[[str], object], remove: bool = False) -> None:
        """Call `callback(repo_id)` when a box is pressed; with `remove`, no longer."""
        if remove:
            self._callbacks.remove(callback)
        else:
            self._callbacks.append(callback)

    def press(self, repo: str) -> None:
        """Do what a press of a repo's box does."""
        checked([repo], self._plain)
        for callback in list(self._callbacks):
            callback(repo)

    def _received(self, _widget: object, content: Any, _buffers: object) -> None:
        number, drawing = (content.get("press"), content.get("drawing")) if isinstance(content, dict) else (None, None)
        if drawing == self._drawings and isinstance(number, int) and 0 <= number < len(self._drawn.ids):
            self.press(self._drawn.ids[number])

    # ------------------------------------------------------------------ without a browser

    def still(self) -> str:
        """Draw the same as a static SVG; where there are too many repos, a bar for each column of them."""
        if self.too_many:
            source = self._source
            graph = source.graph if isinstance(source, SequencePlan) else source
            ids, edges = list(self._plain), list(graph.edges)
        else:
            ids = self.drawn
            edges = [(ids[a], ids[b]) for a, b, _ in self._drawn.routes]
        shown = set(ids)
        words = {repo: self.word(repo) for repo in ids}
        notes = {repo: plain(str(note), _NOTE) for repo, note in self.notes.items() if repo in shown and note}
        shades = {repo: p for repo, p in self.shades.items() if repo in shown}
        return svg.dag(
            ids,
            edges,
            words,
            width=_STILL_WIDTH,
            notes=notes,
            shades=shades,
            implied=self._implied,
            title=self.label,
        )

    def _still(self) -> tuple[str, str]:
        return f"{self.label}: {self._counted() or 'nothing to show'}", self.still()

    def _counted(self) -> str:
        counts = self.counts()
        return ", ".join(f"{count} {EVERY_STYLE[key].word}" for key, count in counts.items() if count)

    def __repr__(self) -> str:
        n = len(self._plain)
        part = f", {len(self._drawn.ids)} drawn" if len(self._drawn.ids) < n else ""
        return f"DagView({plural(n, 'repo')}{part}: {self._counted() or 'nothing to show'})"

    def close(self) -> None:
        """Remove the picture from all pages, and its models from the kernel."""
        close_all([self])
