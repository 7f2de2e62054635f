"""What a reader finds in a file or folder, and the graph and the report that come of it.

A reader tells a :class:`Gathered` what there is: packages, who needs whom and why, what it leaves out, what it guesses.
Which kinds of dependencies count, what becomes of cycles and what the report says is the same for all formats, and
stands here.

>>> found = Gathered("package.json", "js")
>>> found.package("core", version="1.0"); found.package("app")
>>> found.needs("app", "core"); found.needs("core", "app", "dev")
>>> graph = found.to_graph()
>>> graph.edges, graph.report
([('core', 'app')],
 ReadReport(js: 2 packages, 1 normal dependency; left out: 1 dev-only dependency (with it there is a cycle of 2)))
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from itertools import combinations
from typing import Any

from seqkit._util.words import inflected
from seqkit.core.cycles import after_each, components, leads
from seqkit.core.graph import Cycles, RepoDependencyGraph, graph_of_kinds
from seqkit.core.kinds import KINDS, Kinds, chosen_kinds, in_order
from seqkit.core.read_report import Counted, ReadReport
from seqkit.errors import DependencyCycle, ReadError
from seqkit.readers._files import PathLike

__all__ = ["Gathered"]

_KEPT_EXAMPLES = 5
_STAR = 3  # packages around one root that make a star

Pair = tuple[str, str]

_ALONE = {kind: (kind,) for kind in KINDS}


class Gathered:
    """What a reader finds.

    Parameters
    ----------
    path : str or pathlib.Path
        What is read.
    format : str
        What ``format=`` calls it.
    knows_kinds : bool
        Whether such a file says why who is needed, so that a choice of kinds is worth advising.
    """

    def __init__(self, path: PathLike, format: str, knows_kinds: bool = True) -> None:
        self.path = path
        self.format = format
        self.knows_kinds = knows_kinds
        self.nodes: dict[str, dict[str, Any]] = {}
        self.edges: dict[Pair, tuple[str, ...]] = {}
        self.root: str | None = None
        self._waited_for: dict[Pair, tuple[str, ...]] = {}
        self._told: dict[str, dict[str, list[str]]] = {"left out": {}, "guessed": {}, "look at": {}}
        self._counts: dict[tuple[str, str], int] = {}

    # ------------------------------------------------------------------ what readers tell

    def package(self, name: str, /, **attributes: Any) -> None:
        """Tell of a package, and what is known of it: `version`, `path`, `ecosystem`; None is not known."""
        self.nodes.setdefault(name, {}).update({key: value for key, value in attributes.items() if value is not None})

    def needs(self, dependent: str, dependency: str, kind: str = "normal", waited_for: bool = False) -> None:
        """Tell who needs whom, and why; a package that is met for the first time here is one too.

        One that needs itself does not wait for itself. What is `waited_for` counts by default, whatever its kind.
        """
        if dependency not in self.nodes:
            self.nodes[dependency] = {}
        if dependent not in self.nodes:
            self.nodes[dependent] = {}
        if dependent == dependency:
            self.left_out("packages that need themselves", dependent)
            return
        pair = dependency, dependent
        told = self.edges.get(pair)
        if told is None:
            self.edges[pair] = _ALONE[kind]
        elif kind not in told:
            self.edges[pair] = in_order((*told, kind))
        if waited_for:
            self._waited_for[pair] = in_order((*self._waited_for.get(pair, ()), kind))

    def needs_if_open(self, needs: Collection[tuple[str, str, str]]) -> None:
        """Tell of dependencies, each (dependency, dependent, kind), that do not count where they would close a cycle.

        To be told after all others; of those that close one together the first stay.
        """
        if not needs:
            return
        place: dict[str, int] = {}
        for number, members in enumerate(components(after_each([*self.edges, *(need[:2] for need in needs)]))):
            place.update(dict.fromkeys(members, number))
        after: dict[str, list[str]] = {}  # within the components, which is where cycles are
        for dependency, dependent in self.edges:
            if place.get(dependency, -1) == place.get(dependent, -2):
                after.setdefault(dependency, []).append(dependent)
        for dependency, dependent, kind in needs:
            if (dependency, dependent) not in self.edges and place.get(dependency, -1) == place.get(dependent, -2):
                if leads(after, dependent, dependency):
                    self.left_out(
                        "dependencies that would close a cycle, and then do not count",
                        f"{dependent} needs {dependency} ({kind})",
                    )
                    continue
                after.setdefault(dependency, []).append(dependent)
            self.needs(dependent, dependency, kind)

    def left_out(self, what: str, example: str = "") -> None:
        """Count one that is not in the graph; `what` is in the plural: ``dependencies on optional groups``."""
        self._tell("left out", what, example)

    def guessed(self, what: str, example: str = "") -> None:
        """Count one that the file did not say, and that was guessed; without an example `what` is a sentence."""
        self._tell("guessed", what, example)

    def look_at(self, what: str, example: str = "") -> None:
        """Count one that whoever reads the graph should look at; without an example `what` is a sentence."""
        self._tell("look at", what, example)

    def _tell(self, about: str, what: str, example: str) -> None:
        self._counts[about, what] = self._counts.get((about, what), 0) + 1
        examples = self._told[about].setdefault(what, [])
        if example and len(examples) < _KEPT_EXAMPLES and example not in examples:
            examples.append(example)

    # ------------------------------------------------------------------ what comes of it

    def to_graph(self, kinds: Kinds = None, cycles: Cycles = "error") -> RepoDependencyGraph:
        """Build the graph, with its report.

        Parameters
        ----------
        kinds : str or collection of str, or None
            Which dependencies count: some of `seqkit.core.kinds.KINDS`, or ``"all"``; None for those that a release
            waits for, all but dev, test and extra.
        cycles : {"error", "merge", "keep"}
            As in :meth:`seqkit.RepoDependencyGraph.from_edges`.

        Raises
        ------
        DependencyCycle
            With ``cycles="error"``, where there is one; it says which kinds to leave out, if that opens it.
        ReadError
            Where the graph cannot be built, such as a merged unit whose name is taken.
        """
        chosen = chosen_kinds(kinds)
        kept = self._of_kinds(kinds)
        report = self._report(kept, chosen)
        try:
            return graph_of_kinds(kept, self.nodes, cycles, report)
        except DependencyCycle as cycle:
            also = self._way_out(kept) if self.knows_kinds else ""
            raise DependencyCycle(
                cycle.repos, cycle.components, cycle.way_out, ". ".join(filter(None, [cycle.also, also]))
            ) from None
        except ValueError as error:
            raise ReadError(self.path, None, str(error)) from error

    def is_acyclic(self, kinds: Kinds) -> bool:
        """Tell whether the dependencies of these kinds alone have no cycle."""
        return _opens(self._of_kinds(kinds))

    def _of_kinds(self, kinds: Kinds) -> dict[Pair, tuple[str, ...]]:
        wanted = set(chosen_kinds(kinds))
        kept = {why: in_order(wanted.intersection(why)) for why in set(self.edges.values())}
        if kinds is not None or not self._waited_for:
            return {pair: kept[why] for pair, why in self.edges.items() if kept[why]}
        waited_for = {pair: in_order((*kept[self.edges[pair]], *why)) for pair, why in self._waited_for.items()}
        of_all = ((pair, waited_for.get(pair, kept[why])) for pair, why in self.edges.items())
        return {pair: why for pair, why in of_all if why}

    def _report(self, kept: Mapping[Pair, tuple[str, ...]], chosen: Collection[str]) -> ReadReport:
        read = [Counted(inflected(len(self.nodes), "package"), len(self.nodes))]
        counts = Counter(kept.values())
        for kind in KINDS:
            count = sum(many for kinds, many in counts.items() if kind in kinds)
            if count:
                read.append(Counted(_dependencies(count, kind), count))
        left_out = [*self._left_out_kinds(kept), *self._all_told("left out")]
        warnings = [*self._shape(kept), *self._all_told("look at")]
        path = os.fspath(self.path)
        return ReadReport(
            path, self.format, tuple(read), tuple(left_out), tuple(self._all_told("guessed")), tuple(warnings)
        )

    def _all_told(self, about: str) -> list[Counted]:
        """List what was told: how many, but of sentences."""
        return [
            Counted(what, self._counts[about, what] if examples or about == "left out" else 0, tuple(examples))
            for what, examples in self._told[about].items()
        ]

    def _left_out_kinds(self, kept: Mapping[Pair, tuple[str, ...]]) -> list[Counted]:
        """Count the dependencies of other kinds, and say whether they close cycles."""
        groups: dict[tuple[str, ...], list[Pair]] = {}
        for pair, why in self.edges.items():
            if pair not in kept:
                groups.setdefault(why, []).append(pair)
        told = []
        for kinds, pairs in sorted(groups.items(), key=lambda group: -len(group[1])):
            before, after = len(_largest(kept)), len(_largest([*kept, *pairs]))
            cycle = f" (with {inflected(len(pairs), 'it', 'them')} there is a cycle of {after})" * (after > before)
            examples = tuple(f"{after} needs {before}" for before, after in pairs[:_KEPT_EXAMPLES])
            told.append(Counted(f"{_dependencies(len(pairs), '/'.join(kinds) + '-only')}{cycle}", len(pairs), examples))
        return told

    def _shape(self, kept: Mapping[Pair, tuple[str, ...]]) -> list[Counted]:
        """Say what is no error, and yet seldom what somebody wanted: no edges, a star, a root that is a stranger."""
        if len(self.nodes) > 1 and not kept:
            why = " of these kinds" if self.edges else ""
            return [
                Counted(f"packages but no edges: there is no dependency{why} among them, so that any order will do")
            ]
        told = []
        dependents = {after for _, after in kept}
        if len(dependents) == 1 and len(kept) >= _STAR and len(kept) == len(self.nodes) - 1:
            told.append(
                Counted(
                    f"a star around one root: {dependents.pop()} needs all others, and nothing is said of who among "
                    "those needs whom"
                )
            )
        if self.root in self.nodes and kept and not any(self.root in pair for pair in kept):
            told.append(Counted(f"the root is a stranger: nothing is said of what {self.root} needs"))
        return told

    def _way_out(self, kept: Mapping[Pair, tuple[str, ...]]) -> str:
        """Say which kinds to leave out against a cycle: normal ones last, and as few as can be."""
        there = {kind for kinds in kept.values() for kind in kinds}
        present = [kind for kind in KINDS if kind in there]
        choices = [left_out for count in range(1, len(present)) for left_out in combinations(present, count)]
        # A stable sort: of those that keep the normal ones, and of those that don't, the fewest come first.
        choices.sort(key=lambda left_out: "normal" in left_out)
        ways: list[tuple[str, ...]] = []
        for left_out in choices:
            if ways and (len(left_out) > len(ways[0]) or ("normal" in left_out) > ("normal" in ways[0])):
                break
            if _opens(self._of_kinds(there.difference(left_out))):
                ways.append(left_out)
        if ways:
            start = (
                "Normal dependencies alone have a cycle; there is none "
                if "normal" in ways[0]
                else "There is no cycle "
            )
            return start + ", or ".join(
                f"without {' and '.join(left_out)} dependencies: read_graph(…, "
                f"kinds={tuple(kind for kind in present if kind not in left_out)!r})"
                for left_out in ways
            )
        if len(present) > 1:
            return "No choice among the kinds of dependencies (kinds=) opens it: those of each kind alone have one"
        return f"Other kinds= do not open it: it is made of {present[0]} dependencies"


def _dependencies(count: int, kind: str) -> str:
    return f"{kind} {inflected(count, 'dependency', 'dependencies')}"


def _largest(pairs: Iterable[Pair]) -> list[str]:
    """Give the largest component with a cycle, or nothing."""
    return max(components(after_each(pairs)), key=len, default=[])


def _opens(pairs: Iterable[Pair]) -> bool:
    return not components(after_each(pairs))
