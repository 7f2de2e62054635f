"""Rows of a timeline: one for each repo, or in a long run one for many that nothing happened to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from seqkit._show.palette import EVERY_STYLE
from seqkit.plots._axes import FEW
from seqkit.plots._spans import Row
from seqkit.plots._text import shown

__all__ = ["SharedRow", "shared_rows"]

_LONGEST = 10  # repos that share no row, as their tries took more than twice as long as most


@dataclass(frozen=True)
class SharedRow:
    """A row of the picture: a repo, or several that nothing happened to."""

    rows: list[Row]
    name: str
    """Positions from 0, what is there, and the mark of what it came to."""


def shared_rows(rows: Sequence[Row], fold: bool) -> list[SharedRow]:
    """Give every repo its row; where there are many, the uneventful between two others share one for each status."""
    lanes: list[list[int]] = []
    sharing: dict[str, list[int]] = {}
    took = {number: max(end - start for start, end, _ in row.tries) for number, row in enumerate(rows) if row.tries}
    usual = 2 * median(took.values()) if took else 0.0
    longest = {number for number in sorted(took, key=took.__getitem__)[-_LONGEST:] if took[number] > usual}
    for number, row in enumerate(rows):
        if not fold or len(rows) <= FEW or number in longest or not _uneventful(row):
            sharing = {}
            lanes.append([number])
        elif row.word in sharing:
            sharing[row.word].append(number)
        else:
            sharing[row.word] = [number]
            lanes.append(sharing[row.word])
    return [SharedRow([rows[number] for number in lane], _name(rows, lane)) for lane in lanes]


def _uneventful(row: Row) -> bool:
    released = row.word == "succeeded" and len(row.tries) == 1
    return row.open_at is None and not row.remark and (released or not row.tries)


def _name(rows: Sequence[Row], lane: Sequence[int]) -> str:
    first, mark = rows[lane[0]], EVERY_STYLE[rows[lane[0]].word].mark
    if len(lane) > 1:
        return f"{lane[0]}–{lane[-1]} {len(lane):,} repos {mark}"
    return f"{lane[0]} {shown(first.repo, 28)} {mark}"
