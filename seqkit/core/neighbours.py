"""Who stands near a repo: what to look at where the whole graph is too much."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from seqkit._util.arguments import whole
from seqkit.core.graph import RepoDependencyGraph, both_ways

__all__ = ["neighbours"]


def neighbours(graph: RepoDependencyGraph, repo: str, depth: int = 1) -> list[str]:
    """List a repo, what it needs up to some steps up, and what needs it up to as many steps down.

    Both ways are directed: siblings that share a dependency with it, but have nothing else to do with
    it, are left out. All that could keep the repo from its release, or wait for it, is found with
    ``depth=len(graph)``.

    Parameters
    ----------
    graph : RepoDependencyGraph
        Who needs whom; of a plan, its `graph`.
    repo : str
        Whose neighbours.
    depth : int
        How many dependencies to follow from it, either way; with 0 it stands alone.

    Returns
    -------
    list of str
        In topological order, `repo` among them.

    Raises
    ------
    RepoNotFound
        Where `repo` is not in the graph.
    TypeError, ValueError
        Where `depth` is not a whole number from 0.

    Examples
    --------
    >>> graph = RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs"), ("api", "app"), ("app", "site")])
    >>> neighbours(graph, "api")
    ['core', 'api', 'app']
    >>> neighbours(graph, "api", depth=2)
    ['core', 'api', 'app', 'site']
    """
    steps = whole("depth", depth, 0)
    graph.require(repo)
    needs, serves = both_ways(graph)
    near = {*_within(repo, needs, steps), *_within(repo, serves, steps)}
    return [other for other in graph.topological_order() if other in near]


def _within(repo: str, beside: Callable[[str], Iterable[str]], steps: int) -> set[str]:
    seen, edge = {repo}, {repo}
    while edge and steps:
        edge = {other for one in edge for other in beside(one)} - seen
        seen |= edge
        steps -= 1
    return seen
