"""Where a graph's boxes and edges go on the screen, and which of them are drawn at all."""

from __future__ import annotations

from dataclasses import dataclass

from seqkit._show.rows import Point, reduction, rows
from seqkit._util.secrets import as_given
from seqkit.core.graph import RepoDependencyGraph, both_ways
from seqkit.core.neighbours import neighbours
from seqkit.core.plan import SequencePlan
from seqkit.errors import RepoNotFound

__all__ = ["MOST_DRAWN", "GraphDrawing", "draw"]

MOST_DRAWN = 500
"""Repos in one interactive picture; a browser still follows the pointer at once."""


@dataclass(frozen=True)
class GraphDrawing:
    """What is drawn, by number: repo number i is ``ids[i]``. Made by :func:`draw`."""

    ids: tuple[str, ...]
    """The repos drawn, in plan order."""
    waves: tuple[int | None, ...]
    """The wave of each, from 0; None for repos that are not released."""
    spots: tuple[Point, ...]
    """(column, row) of each; columns are dependency levels, both in boxes."""
    routes: tuple[tuple[int, int, tuple[Point, ...]], ...]
    """Edges drawn: numbers of dependency and dependent, and a point in each column, ends included."""
    implied: int
    """Dependencies that are not drawn because others imply them."""
    among: int
    """Repos in the whole plan or graph."""

    @property
    def too_many(self) -> bool:
        """Whether nothing is drawn because more than `MOST_DRAWN` repos would be."""
        return not self.ids and self.among > 0


def draw(
    plan_or_graph: SequencePlan | RepoDependencyGraph,
    around: str | None = None,
    depth: int = 1,
    implied: bool = False,
) -> GraphDrawing:
    """Lay out a plan or graph, or what is near one of its repos.

    Parameters
    ----------
    plan_or_graph : SequencePlan or RepoDependencyGraph
        What to draw.
    around : str, optional
        Draw this repo, what it needs and what needs it, up to `depth` steps away; None draws all, and so
        does "" where no repo is called that.
    depth : int
        Steps, from 1.
    implied : bool
        Whether to draw dependencies that others imply too.

    Raises
    ------
    RepoNotFound
        Where `around` is not in the plan or graph.
    TypeError, ValueError
        Where `plan_or_graph` is neither, or `depth` is not a whole number from 1.

    Examples
    --------
    >>> graph = RepoDependencyGraph.from_edges([("core", "api"), ("api", "app"), ("core", "app")])
    >>> picture = draw(graph)
    >>> picture.ids, [column for column, _ in picture.spots], picture.implied
    (('core', 'api', 'app'), [0.0, 1.0, 2.0], 1)
    >>> len(picture.routes), len(draw(graph, implied=True).routes)
    (2, 3)
    >>> draw(graph, around="api").ids
    ('core', 'api', 'app')
    """
    if isinstance(plan_or_graph, SequencePlan):
        graph = plan_or_graph.graph
        order = [item.repo_id for item in plan_or_graph.items]
        wave_of: dict[str, int | None] = dict(zip(order, plan_or_graph.arrays.waves, strict=True))
    elif isinstance(plan_or_graph, RepoDependencyGraph):
        graph = plan_or_graph
        order = graph.topological_order()
        wave_of = {repo: number for number, wave in enumerate(graph.waves()) for repo in wave}
    else:
        raise TypeError(f"plan_or_graph is {as_given(plan_or_graph)}, expected a SequencePlan or a RepoDependencyGraph")
    if around or around in wave_of:
        if around not in wave_of:
            raise RepoNotFound(around, among=wave_of)
        near = set(neighbours(graph, around, depth))
        ids = [repo for repo in order if repo in near]
    else:
        ids = order
    if len(ids) > MOST_DRAWN or not ids:
        return GraphDrawing((), (), (), (), 0, len(order))
    number = {repo: i for i, repo in enumerate(ids)}
    _, serves = both_ways(graph)
    edges = [(repo, other) for repo in ids for other in serves(repo) if other in number]
    kept = edges if implied else reduction(ids, edges)
    spots, routes = rows(ids, kept)
    return GraphDrawing(
        ids=tuple(ids),
        waves=tuple(wave_of[repo] for repo in ids),
        spots=tuple(spots[repo] for repo in ids),
        routes=tuple((number[a], number[b], tuple(routes[a, b])) for a, b in kept),
        implied=len(edges) - len(kept),
        among=len(order),
    )
