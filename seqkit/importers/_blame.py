"""Who blocked whom, where a system does not say and a graph does."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from seqkit.core.graph import RepoDependencyGraph

__all__ = ["blockers_in"]


def blockers_in(
    graph: RepoDependencyGraph, order: Iterable[str], failed: Collection[str], released: Collection[str]
) -> dict[str, list[str]]:
    """Give for each repo that did not go out the failed repos that it waited for.

    A failure blocks what needs it, also by way of others that did not go out; where one of those did go out in spite of
    it, nothing beyond that one waits for it. Linear in the dependencies, but for the lists.

    Parameters
    ----------
    graph : RepoDependencyGraph
        Who needs whom.
    order : iterable of str
        The repos of the graph, dependencies first: ``graph.topological_order()``.
    failed, released : collection of str
        What failed in the run, and what went out.

    Returns
    -------
    dict
        Of the others, those that wait for a failure; the failed ones in the order of the graph.

    Examples
    --------
    >>> graph = RepoDependencyGraph.from_edges([("core", "api"), ("api", "app"), ("docs", "app")])
    >>> blockers_in(graph, graph.topological_order(), {"core"}, {"docs"})
    {'api': ['core'], 'app': ['core']}
    """
    waits: dict[str, frozenset[str]] = {}
    place: dict[str, int] = {}
    found: dict[str, list[str]] = {}
    for number, repo in enumerate(order):
        if repo in failed:
            place[repo], waits[repo] = number, frozenset((repo,))
        elif repo not in released:
            above = frozenset().union(*(waits.get(need, ()) for need in graph.dependencies_of(repo)))
            if above:
                waits[repo] = above
                found[repo] = sorted(above, key=place.__getitem__)
    return found
