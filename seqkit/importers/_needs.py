"""Who needs whom among jobs of CI, asked by the names that the systems show."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from seqkit.core.graph import RepoDependencyGraph
from seqkit.importers._blame import blockers_in

__all__ = ["JobNeeds"]

_MOST_PARTS = 20  # of a name: GitHub lets workflows call one another ten levels deep
_APART = " / "


class JobNeeds:
    """A graph of jobs, by their keys or by the names that are shown.

    A name is a key, a job's `title`, such with the values of a matrix behind it (``test (3.12, linux)``,
    ``test: [3.12]``, ``test 2/5``), one that a title with expressions can become (``Test ${{ matrix.os }}``), or that
    of a job in a workflow that a job of the graph calls (``ship / upload``).

    Parameters
    ----------
    graph : RepoDependencyGraph
        The jobs, with the attributes that :func:`seqkit.readers.workflows.read_workflow` gives, or without.

    Raises
    ------
    DependencyCycle
        Where jobs wait for each other.

    Examples
    --------
    >>> graph = RepoDependencyGraph.from_edges([("build", "test"), ("test", "ship")])
    >>> graph.add_node("test", title="Test on ${{ matrix.os }}")
    >>> needs = JobNeeds(graph)
    >>> [needs.job_of(name) for name in ("build (3.12)", "Test on linux", "ship / upload", "docs")]
    ['build', 'test', 'ship', None]
    >>> needs.blockers({"build"}, ())
    {'test': ['build'], 'ship': ['build']}
    """

    def __init__(self, graph: RepoDependencyGraph) -> None:
        self._graph = graph
        self._order = graph.topological_order()
        self._patterns: list[tuple[list[str], str]] = []
        self._asked: dict[str, str | None] = {}
        titled: dict[str, str | None] = {}
        for job in graph:
            title = graph.attributes(job).get("title")
            if not isinstance(title, str) or not title:
                continue
            pieces = _literal(title)
            if len(pieces) > 1:
                self._patterns.append((pieces, job))
            # Two jobs of one title: nobody knows which is meant.
            titled[title] = None if title in titled else job
        self._patterns.sort(key=lambda pattern: -sum(map(len, pattern[0])))
        self._named: dict[str, str | None] = {**{job: job for job in graph}, **titled}

    def job_of(self, name: str) -> str | None:
        """Give the job of the graph that is shown by this name; None where there is none, or it is not clear which."""
        if name not in self._asked:
            self._asked[name] = self._find(name)
        return self._asked[name]

    def _find(self, name: str) -> str | None:
        parts = name.split(_APART, _MOST_PARTS)
        for count in range(len(parts), 0, -1):
            for spelt in _without_values(parts[:count]):
                if spelt in self._named:
                    return self._named[spelt]
            whole = _APART.join(parts[:count])
            fits = [(pieces, job) for pieces, job in self._patterns if _can_become(pieces, whole)]
            if fits:
                best = sum(map(len, fits[0][0]))
                likely = [job for pieces, job in fits if sum(map(len, pieces)) == best]
                return likely[0] if len(likely) == 1 else None
        return None

    def knows(self, names: Iterable[str]) -> int:
        """Count the names that it has a job for."""
        return sum(self.job_of(name) is not None for name in names)

    def may_fail(self, job: str) -> bool:
        """Tell whether nobody waits for this job where it failed."""
        return self._graph.attributes(job).get("may_fail") is True

    def blockers(self, failed: Mapping[str, object] | Collection[str], out: Collection[str]) -> dict[str, list[str]]:
        """Give for each job that neither failed nor is out the failed ones that it waited for."""
        return blockers_in(self._graph, self._order, failed, out)


def _literal(title: str) -> list[str]:
    """Split a title at its expressions."""
    pieces, start = [], 0
    while (opened := title.find("${{", start)) >= 0 and (closed := title.find("}}", opened)) >= 0:
        pieces.append(title[start:opened])
        start = closed + 2
    return [*pieces, title[start:]]


def _can_become(pieces: list[str], name: str) -> bool:
    first, *inner, last = pieces
    at, end = len(first), len(name) - len(last)
    if at > end or not name.startswith(first) or not name.endswith(last):
        return False
    for piece in inner:
        at = name.find(piece, at, end)
        if at < 0:
            return False
        at += len(piece)
    return True


def _without_values(parts: list[str]) -> Iterator[str]:
    """Write a name as it is, and without the values of a matrix: behind its last part, then behind each."""
    yield _APART.join(parts)
    for short in (_before_last, _before_first):
        yield _APART.join([*parts[:-1], short(parts[-1])])
        yield _APART.join(map(short, parts))


def _before_last(part: str) -> str:
    if part.endswith(")") and " (" in part:
        return part[: part.rindex(" (")]
    if part.endswith("]") and ": [" in part:
        return part[: part.rindex(": [")]
    head, _, tail = part.rpartition(" ")
    number, slash, total = tail.partition("/")
    return head if head and slash and number.isdecimal() and total.isdecimal() else part


def _before_first(part: str) -> str:
    if part.endswith(")") and " (" in part:
        return part[: part.index(" (")]
    return part[: part.index(": [")] if part.endswith("]") and ": [" in part else part
