"""What bills of materials have in common, whatever the format: parts with references, what they are called, a root.

A package is called as its ecosystem writes it, which its package URL (purl) tells best.

>>> purl_parts("pkg:npm/%40babel/core@7.0.0"), purl_parts("pkg:maven/org.apache/x@1?type=jar")
(('npm', '@babel/core', '7.0.0'), ('maven', 'org.apache:x', '1'))
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import unquote

from seqkit.core.graph import Cycles, RepoDependencyGraph
from seqkit.core.kinds import Kinds
from seqkit.readers._exact_ids import Ids, graph_of_exact
from seqkit.readers._files import PathLike, typed
from seqkit.readers._gathered import Gathered

__all__ = ["Bill", "items_of", "purl_parts", "text_of"]

_PURL = re.compile(r"pkg:/*([A-Za-z0-9.+-]+)/([^?#]+)")
_SPELLING = re.compile("[-_.]+")
_PLACES = frozenset(("alpm", "apk", "conan", "cpan", "deb", "rpm"))  # here the namespace is where it is published
_NOTHING_SAID = frozenset(("", "NOASSERTION", "NONE"))


def text_of(path: PathLike, where: str, value: object) -> str:
    """Give text that may be missing, and then is ``""``."""
    return "" if value is None else cast("str", typed(path, where, value, str))


def items_of(path: PathLike, where: str, value: object) -> list[dict[str, Any]]:
    """Give a list of objects that may be missing, and then is empty."""
    rows = [] if value is None else typed(path, where, value, list)
    for index, row in enumerate(rows):
        if not isinstance(row, dict):
            typed(path, f"{where}[{index}]", row, dict)
    return cast("list[dict[str, Any]]", rows)


def purl_parts(purl: str) -> tuple[str, str, str] | None:
    """Give the type, the name with its namespace, and the version (or ``""``) of a package URL; None where it is none.

    The name is as the ecosystem writes it: ``@scope/name``, ``group:name`` for Maven, no namespace where that says
    where a package is published, as Debian's.
    """
    match = _PURL.match(purl)
    if match is None:
        return None
    kind, path = match[1].lower(), match[2]
    at = path.rfind("@")
    if at > path.rfind("/") + 1:
        path, version = path[:at], unquote(path[at + 1 :])
    else:  # some write the sign as %40, which the standard has for the one of a scope
        path, version = unquote(path), ""
        at = path.rfind("@")
        if at > path.rfind("/") + 1:
            path, version = path[:at], path[at + 1 :]
    *namespace, name = [unquote(part) for part in path.split("/") if part] or [""]
    if kind in _PLACES or not namespace:
        return kind, name, version
    return kind, f"{'/'.join(namespace)}{':' if kind == 'maven' else '/'}{name}", version


@dataclass(frozen=True, slots=True)
class BillPart:
    """One thing that a bill of materials lists."""

    ref: str
    """By which the bill speaks of it: a bom-ref or an SPDXID."""
    name: str
    version: str
    ecosystem: str | None
    purl: str | None

    @property
    def exact(self) -> str:
        """Its name and version."""
        return f"{self.name}@{self.version}" if self.version else self.name


class Bill:
    """What a bill of materials says.

    Parameters
    ----------
    path : str or pathlib.Path
        The file.
    format : str
        What ``format=`` calls it.
    refs : str
        What the format calls references, in the plural.
    """

    def __init__(self, path: PathLike, format: str, refs: str) -> None:
        self.found = Gathered(path, format)
        self.parts: dict[str, BillPart] = {}
        self.root: str | None = None
        self.edges: list[tuple[str, str, str]] = []  # who needs whom and why, by references
        self._refs = refs
        self._said_twice = f"{refs} that stand twice, of which the first is taken"

    def add(self, ref: str, name: str, version: str, purl: str) -> str:
        """Take in a part, and give the reference by which it is known; without one of its own: its purl or name."""
        version = "" if version in _NOTHING_SAID else version
        known = purl_parts(purl)
        kind = None
        if known is not None and known[1]:
            kind, told, release = known
            # A purl has the whole name, in an ecosystem's normal form, and a version that may lack its epoch.
            name = name if _SPELLING.sub("-", name).lower() == _SPELLING.sub("-", told).lower() else told
            version = version or release
        part = BillPart(ref or purl or f"{name}@{version}", name or ref, version, kind, purl or None)
        if part.ref in self.parts:
            if part.ref != self.root:
                self.found.look_at(self._said_twice, part.ref)
        else:
            self.parts[part.ref] = part
        return part.ref

    def needs(self, dependent: str, dependency: str, kind: str = "normal") -> None:
        """Tell who needs whom, by references that are known."""
        self.edges.append((dependent, dependency, kind))

    def find_root(self, refs: Iterable[str]) -> None:
        """Take for the root what a bill describes, where that is one part of it."""
        known = {ref for ref in refs if ref in self.parts}
        if len(known) == 1:
            self.root = known.pop()
        elif known:
            self.found.guessed("packages that are described, none of them taken for a root", f"{len(known):,}")

    def forget_idle(self, refs: Iterable[str], what: str) -> None:
        """Leave out those parts that are in no dependency."""
        busy = {ref for dependent, dependency, _ in self.edges for ref in (dependent, dependency)}
        for ref in refs:
            if ref not in busy and ref != self.root and ref in self.parts:
                self.found.left_out(what, self.parts.pop(ref).exact)

    def to_graph(self, ids: Ids, root: bool, kinds: Kinds, cycles: Cycles) -> RepoDependencyGraph:
        """Build the graph, with or without the root; the errors are those of :meth:`Gathered.to_graph`."""
        if not root and self.root is not None:
            self.found.left_out("roots, and what they need", self.parts.pop(self.root).exact)

        def gathered(chosen: Ids) -> Gathered:
            found = self.found if chosen == ids else Gathered(self.found.path, self.found.format)
            self._tell(found, self._names() if chosen == "name" else self._exact_names())
            return found

        return graph_of_exact(gathered, ids, kinds, cycles)

    def _tell(self, found: Gathered, names: Mapping[str, str]) -> None:
        called: dict[str, list[BillPart]] = {}
        for ref, part in self.parts.items():
            called.setdefault(names[ref], []).append(part)
        for name, parts in called.items():
            found.package(
                name,
                version=_joined(part.version for part in parts),
                ecosystem=_joined(part.ecosystem for part in parts),
                purl=_joined(part.purl for part in parts),
                ref=_joined(part.ref for part in parts),
            )
        found.root = names.get(self.root) if self.root is not None else None
        for dependent, dependency, kind in self.edges:
            after, before = names.get(dependent), names.get(dependency)
            # The root, left out, has no name; of joined versions one may need another.
            if after is not None and before is not None and (after != before or dependent == dependency):
                found.needs(after, before, kind)

    def _names(self) -> dict[str, str]:
        """Call parts by their names, and by their ecosystems too where several have one of a name."""
        ecosystems: dict[str, set[str | None]] = {}
        for part in self.parts.values():
            ecosystems.setdefault(part.name, set()).add(part.ecosystem)
        return {
            ref: part.name
            if part.ecosystem is None or len(ecosystems[part.name]) == 1
            else f"{part.ecosystem}:{part.name}"
            for ref, part in self.parts.items()
        }

    def _exact_names(self) -> dict[str, str]:
        """Call parts by name and version, and by their references where two would be called alike."""
        names = {ref: part.exact for ref, part in self.parts.items()}
        called: dict[str, list[str]] = {}
        for ref, name in names.items():
            called.setdefault(name, []).append(ref)
        alike = [ref for refs in called.values() if len(refs) > 1 for ref in refs]
        for ref in alike:
            if ref in names and names[ref] != ref:
                self.found.look_at(f"packages that others are called alike, called by their {self._refs}", ref)
        while alike:
            ref = alike.pop()
            names[ref] = ref
            # A reference may look like the name of one that is alone with it.
            alike += [other for other in called.pop(ref, ()) if names[other] != other]
        return names


def _joined(values: Iterable[str | None]) -> str | None:
    known: Collection[str] = {value for value in values if value}
    return " + ".join(sorted(known)) or None
