"""Names that are written much like another: what a slip of the keyboard may have meant.

Near is what :mod:`difflib` calls close (a ratio of 0.6), whatever the case of the letters. difflib takes time
as the square of a name's length, so that it only looks at names that have letters enough in common.

>>> NearNames(["acme-core", "acme-api", "docs"]).near("acme-coer")
['acme-core']
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher

import numpy as np
import numpy.typing as npt

from seqkit._util.words import printable

__all__ = ["MOST_COMPARED", "NearNames", "did_you_mean"]

MOST_COMPARED = 200
"""How many names difflib compares with one that is sought, those with the most letters in common."""

_CUTOFF = 0.6
_LONGEST = 200  # characters; longer names are near to nothing
_CLASSES = 128  # letters are counted by their code modulo this: more in common, never less


class NearNames:
    """Names to choose from, made ready once for many that are sought. Linear in their letters.

    Attributes
    ----------
    compared : int
        How many pairs difflib has compared so far.
    """

    def __init__(self, possible: Iterable[str]) -> None:
        self.compared = 0
        self._names = [name for name in dict.fromkeys(possible) if 0 < len(name.lower()) <= _LONGEST]
        self._lengths = np.array([len(name.lower()) for name in self._names], dtype=np.int64)
        self._counts = self._counted()

    def _counted(self) -> dict[int, npt.NDArray[np.int16]]:
        """Count for each class of letters how often each name has it."""
        letters = _classes("".join(name.lower() for name in self._names))
        used, row = np.unique(letters, return_inverse=True)
        n = len(self._names)
        cells = row * n + np.repeat(np.arange(n), self._lengths)
        table = np.bincount(cells, minlength=len(used) * n).astype(np.int16).reshape(len(used), n)
        return dict(zip(used.tolist(), table, strict=True))

    def near(self, sought: str, n: int = 3, most: int = MOST_COMPARED) -> list[str]:
        """List at most `n` of the names that are near to `sought`, the nearest first; equals in the given order.

        Of the names with letters enough in common those `most` are compared that have the most.
        """
        lower = sought.lower()
        if not self._names or not 0 < len(lower) <= _LONGEST:
            return []
        common = np.zeros(len(self._names), dtype=np.int64)
        for letter, count in zip(*np.unique(_classes(lower), return_counts=True), strict=True):
            if letter.item() in self._counts:
                common += np.minimum(self._counts[letter.item()], count)
        bound = 2 * common / (self._lengths + len(lower))  # the ratio, were the letters in the same order
        places = np.flatnonzero(bound >= _CUTOFF)
        ranked = places[np.argsort(-bound[places], kind="stable")][:most].tolist()
        found: list[tuple[float, int]] = []  # how unlike, and which
        plain, folded = SequenceMatcher(b=sought), SequenceMatcher(b=lower)
        for place in ranked:
            if len(found) >= n and sorted(found)[n - 1][0] < -bound[place]:
                break  # no other can be nearer
            self.compared += 1
            name = self._names[place]
            ratio = _ratio(plain, name)
            if name.lower() != name or lower != sought:
                ratio = max(ratio, _ratio(folded, name.lower()))
            if ratio >= _CUTOFF:
                found.append((-ratio, place))
        return [self._names[place] for _, place in sorted(found)[:n]]


def _classes(text: str) -> npt.NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4") % _CLASSES


def _ratio(matcher: SequenceMatcher[str], name: str) -> float:
    matcher.set_seq1(name)
    return matcher.ratio()


def did_you_mean(names: Sequence[str]) -> str:
    """Ask whether one of these was meant; empty where there are none.

    Examples
    --------
    >>> did_you_mean(["core", "cord"])
    "did you mean 'core' or 'cord'?"
    """
    return f"did you mean {' or '.join(printable(repr(name)) for name in names)}?" if names else ""
