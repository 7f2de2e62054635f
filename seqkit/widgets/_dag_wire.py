"""What a picture of a graph is told: names that are there, words that are known, and clean text for the browser."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any

from seqkit._show.palette import EVERY_STYLE
from seqkit._util.secrets import as_given
from seqkit.core.graph import RepoDependencyGraph
from seqkit.core.plan import SequencePlan
from seqkit.errors import RepoNotFound
from seqkit.explore.drawing import MOST_DRAWN, GraphDrawing
from seqkit.widgets._parts import plain

__all__ = ["checked", "checked_shades", "checked_words", "plain_words", "wire"]

_NAME = 60  # characters; the browser measures and cuts further
_TITLE = 200


def plain_words(plan_or_graph: SequencePlan | RepoDependencyGraph) -> dict[str, str]:
    """Give the words of repos that nothing is said of."""
    if isinstance(plan_or_graph, SequencePlan):
        left_out = set(plan_or_graph.unreleased)
        return {item.repo_id: "unreleased" if item.repo_id in left_out else "pending" for item in plan_or_graph.items}
    return dict.fromkeys(plan_or_graph.topological_order(), "pending")


def wire(drawing: GraphDrawing) -> dict[str, Any]:
    """Give a drawing the form that the browser gets: short numbers and clean text, never ids."""
    return {
        "names": [plain(repo, _NAME) for repo in drawing.ids],
        "titles": [plain(repo, _TITLE) for repo in drawing.ids],
        "waves": list(drawing.waves),
        "spots": [[x, round(y, 3)] for x, y in drawing.spots],
        "edges": [[a, b, [[x, round(y, 3)] for x, y in route]] for a, b, route in drawing.routes],
        "note": _told(drawing),
    }


def _told(drawing: GraphDrawing) -> str:
    n, edges = len(drawing.ids), len(drawing.routes) + drawing.implied
    if drawing.too_many:
        most = f"{drawing.among:,} repos, at most {MOST_DRAWN} at a time"
        return f"Too many to draw: {most}. Choose a repo to look around."
    if not n:
        return "Nothing to draw: there are no repos."
    part = f" of {drawing.among:,}" if n < drawing.among else ""
    implied = f" ({drawing.implied:,} implied by others, not drawn)" if drawing.implied else ""
    return f"{n}{part} repos, {edges:,} dependencies{implied}"


def checked(repos: Any, known: Mapping[str, str]) -> Any:
    """Give them back where all are there."""
    for repo in repos:
        if repo not in known:
            raise RepoNotFound(repo, among=tuple(known))
    return repos


def checked_words(words: dict[str, str], known: Mapping[str, str]) -> dict[str, str]:
    """Give them back where all repos are there, and all words in the palette."""
    checked(words, known)
    for repo, word in words.items():
        if word not in EVERY_STYLE:
            raise ValueError(f"words has {word!r:.80} for {repo!r:.80}, expected one of {list(EVERY_STYLE)}")
    return words


def checked_shades(shades: dict[str, float], known: Mapping[str, str]) -> dict[str, float]:
    """Give them back where they are probabilities of repos that are there."""
    checked(shades, known)
    for repo, p in shades.items():
        if isinstance(p, bool) or not isinstance(p, Real) or not 0 <= p <= 1:
            raise ValueError(f"shades has {as_given(p, 200)} for {repo!r:.80}, expected a probability from 0 to 1")
    return shades
