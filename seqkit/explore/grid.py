"""Runs by repos: what became of every repo in each of some runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from seqkit.core.graph import RepoDependencyGraph
from seqkit.core.plan import SequencePlan

__all__ = ["MOST_REPOS", "GridRow", "RunGrid", "grid_of"]

MOST_REPOS = 300
"""Repos in one grid; of more those that failed most."""


@dataclass(frozen=True)
class GridRow:
    """A run."""

    run_id: str
    """Its id."""
    name: str
    """What it is called."""
    status: str
    """How it stands, such as ``"FAILED"``."""
    words: Mapping[str, str]
    """How each of its repos ended, a key of ``EVERY_STYLE``."""
    attempts: Mapping[str, int]
    """How often each was tried that was."""


@dataclass(frozen=True)
class RunGrid:
    """Some runs, newest first, and the repos that they have."""

    rows: tuple[GridRow, ...]
    """The runs."""
    repos: tuple[str, ...]
    """The columns."""
    left_out: int = 0
    """How many repos there are beside those."""

    @property
    def counts(self) -> dict[str, int]:
        """How many of its cells say what."""
        shown = set(self.repos)
        return dict(Counter(word for row in self.rows for repo, word in row.words.items() if repo in shown))


def grid_of(
    rows: Sequence[GridRow], graph: RepoDependencyGraph | SequencePlan | None = None, first: Iterable[str] = ()
) -> RunGrid:
    """Put runs into a grid.

    Columns are in the order of `graph`, where there is one; else as the run with most repos has them, then those of
    others. Of more than :data:`MOST_REPOS` those in `first` stay, and those that failed most.

    Examples
    --------
    >>> rows = [GridRow("2", "tuesday", "COMPLETED", {"core": "succeeded"}, {"core": 1}),
    ...         GridRow("1", "monday", "FAILED", {"core": "failed", "api": "blocked"}, {"core": 2})]
    >>> grid = grid_of(rows)
    >>> grid.repos, grid.counts
    (('core', 'api'), {'succeeded': 1, 'failed': 1, 'blocked': 1})
    """
    by_size = sorted(rows, key=lambda row: -len(row.words))
    repos = list(dict.fromkeys(repo for row in by_size for repo in row.words))
    if graph is not None:
        order = [item.repo_id for item in graph.items] if isinstance(graph, SequencePlan) else graph.topological_order()
        place = {repo: at for at, repo in enumerate(order)}
        repos.sort(key=lambda repo: place.get(repo, len(place)))
    if len(repos) <= MOST_REPOS:
        return RunGrid(tuple(rows), tuple(repos))
    failed = Counter(repo for row in rows for repo, word in row.words.items() if word in ("failed", "in_doubt"))
    wanted = set(first)
    kept = set(sorted(repos, key=lambda repo: (repo not in wanted, -failed[repo]))[:MOST_REPOS])
    return RunGrid(tuple(rows), tuple(repo for repo in repos if repo in kept), len(repos) - MOST_REPOS)
