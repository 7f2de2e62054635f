"""Runs by repos on a page: each cell can be pressed, by mouse and by keyboard."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from typing import Any

import anywidget
import traitlets as T

from seqkit._show.palette import EVERY_STYLE
from seqkit._util.words import plural
from seqkit.explore.grid import RunGrid
from seqkit.ledger.showing import RUN_STYLES
from seqkit.widgets._parts import plain

__all__ = ["GridView"]

_STATIC = files("seqkit.widgets") / "static"
_KEYS = list(EVERY_STYLE)


class GridView(anywidget.AnyWidget):
    """A grid of runs and repos.

    Parameters
    ----------
    pressed : callable
        Called with the id of the run and that of the repo whose cell was pressed; with None where the run's name was.
    """

    _esm = "\n".join((_STATIC / name).read_text("utf-8") for name in ("still.js", "grid.js"))
    _css = (_STATIC / "grid.css").read_text("utf-8")

    label = T.Unicode("runs by repos").tag(sync=True)
    _styles: T.List[list[str]] = T.List().tag(sync=True)
    _grid = T.Dict().tag(sync=True)
    _chosen: T.List[int] = T.List([-1, -1]).tag(sync=True)

    def __init__(self, pressed: Callable[[str, str | None], object]) -> None:
        self.shown = RunGrid((), ())
        """What is shown."""
        self._pressed = pressed
        self._number = 0
        super().__init__(
            _styles=[[style.word, style.colour, style.mark, style.ink] for style in EVERY_STYLE.values()],
            _grid=_wire(self.shown, (), 0),
        )
        self.on_msg(self._received)

    def show(
        self, grid: RunGrid, marked: list[str], run: str | None = None, repo: str | None = None, hint: str = ""
    ) -> None:
        """Show a grid, and a hint above it; the columns of `marked` stand out, and so does one run and one repo."""
        if grid != self.shown or marked != self._marked:
            self._number += 1  # a press tells which grid it was on: its place means another run in the next
            self.shown, self._marked = grid, marked
            with self.hold_sync():
                self._grid = _wire(grid, marked, self._number, hint)
                self.choose(run, repo)
        self.choose(run, repo)

    _marked: list[str] | None = None

    def choose(self, run: str | None, repo: str | None = None) -> None:
        """Let a run, and a repo in it, stand out."""
        runs = [row.run_id for row in self.shown.rows]
        self._chosen = [
            runs.index(run) if run in runs else -1,
            self.shown.repos.index(repo) if repo in self.shown.repos else -1,
        ]

    def press(self, run: str, repo: str | None = None) -> None:
        """Do what a press of a cell, or of a run's name, does."""
        self._pressed(run, repo)

    def _received(self, _widget: object, content: Any, _buffers: object) -> None:
        place = content.get("press") if isinstance(content, dict) and content.get("number") == self._number else None
        if not (isinstance(place, list) and len(place) == 2 and all(type(part) is int for part in place)):
            return
        row, column = place
        if 0 <= row < len(self.shown.rows) and -1 <= column < len(self.shown.repos):
            self.press(self.shown.rows[row].run_id, None if column < 0 else self.shown.repos[column])


def _wire(grid: RunGrid, marked: Any, number: int, hint: str = "") -> dict[str, Any]:
    """Give a grid the form that the browser gets: numbers and clean text, never ids."""
    wanted, counts = set(marked), grid.counts
    rows = [
        {
            "name": plain(row.name, 60),
            "said": f"{plain(row.name, 120)}: {RUN_STYLES[row.status].word}",
            "style": [getattr(RUN_STYLES[row.status], part) for part in ("word", "colour", "mark", "ink")],
            "words": [_KEYS.index(row.words[repo]) if repo in row.words else -1 for repo in grid.repos],
            "tries": [row.attempts.get(repo, 0) for repo in grid.repos],
        }
        for row in grid.rows
    ]
    return {
        "number": number,
        "rows": rows,
        "repos": [[plain(repo, 30), plain(repo, 120)] for repo in grid.repos],
        "marked": [at for at, repo in enumerate(grid.repos) if repo in wanted],
        "note": _note(grid) + (f" {hint}" if hint else ""),
        "counts": [[at, counts[word]] for at, word in enumerate(_KEYS) if counts.get(word)],
    }


def _note(grid: RunGrid) -> str:
    if not grid.rows:
        return "No runs to show."
    more = f" ({grid.left_out:,} more repos, which failed less often, are left out)" if grid.left_out else ""
    size = f"{plural(len(grid.rows), 'run')} × {plural(len(grid.repos), 'repo')}{more}"
    return f"{size}, newest first; a small number tells how many attempts. Press a cell, or a run's name."
