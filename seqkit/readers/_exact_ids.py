"""What packages are called where a file holds several versions of one: ids, and the versions that they stand for.

>>> packages = [Exact("log", "0.4.1"), Exact("log", "0.3.9"), Exact("app", None)]
>>> exact_ids(packages, "name@version"), exact_ids(packages, "name")
(['log@0.4.1', 'log@0.3.9', 'app'], ['log', 'log', 'app'])
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from seqkit._util.secrets import as_given, shown
from seqkit.core.graph import Cycles, RepoDependencyGraph, check_cycles
from seqkit.core.kinds import Kinds, chosen_kinds
from seqkit.errors import DependencyCycle
from seqkit.readers._gathered import Gathered

__all__ = ["Exact", "Ids", "check_options", "exact_ids", "graph_of_exact", "tell_exact"]

Ids: TypeAlias = Literal["name@version", "name"]

_IDS = ("name@version", "name")


@dataclass(frozen=True, slots=True)
class Exact:
    """A package in one version."""

    name: str
    version: str | None
    source: str = ""
    """Where it is taken from, which tells it from others of its name and version."""
    attributes: dict[str, Any] = field(default_factory=dict)
    """What else is known of it; None is not known."""

    def __str__(self) -> str:
        return self.name if self.version is None else f"{self.name}@{self.version}"


def check_options(ids: object, kinds: Kinds, cycles: Cycles) -> None:
    """Refuse options that are none.

    Raises
    ------
    ValueError, TypeError
        Naming the option.
    """
    check_cycles(cycles)
    if ids not in _IDS:
        raise ValueError(f"ids is {as_given(ids, 200)}, expected one of {_IDS}")
    chosen_kinds(kinds)


def exact_ids(packages: Sequence[Exact], ids: Ids) -> list[str]:
    """Say what each is called; where two would collide, where it is taken from stands behind, and a number if it must.

    ``"name"`` joins the versions of a package.
    """
    if ids == "name":
        return [package.name for package in packages]
    plain = list(map(str, packages))
    shared = Counter(plain)
    taken: set[str] = set()
    reached: dict[str, int] = {}  # the last number of a name, from where it goes on
    told = []
    for name, package in zip(plain, packages, strict=True):
        first = f"{name} ({shown(package.source)})" if shared[name] > 1 and package.source else name
        number, unique = reached.get(first, 1), first
        while unique in taken:
            number += 1
            unique = f"{first} #{number}"
        reached[first] = number
        taken.add(unique)
        told.append(unique)
    return told


def tell_exact(found: Gathered, packages: Sequence[Exact], names: Sequence[str]) -> None:
    """Tell of packages under their names; several versions under one name are sorted and joined by ``" + "``."""
    versions: dict[str, set[str]] = {}
    for name, package in zip(names, packages, strict=True):
        found.package(name, **package.attributes)
        if package.version is not None:
            versions.setdefault(name, set()).add(package.version)
    for name, known in versions.items():
        found.package(name, version=" + ".join(sorted(known)))


def graph_of_exact(gathered: Callable[[Ids], Gathered], ids: Ids, kinds: Kinds, cycles: Cycles) -> RepoDependencyGraph:
    """Build the graph of what `gathered` finds by ids; of a cycle say whether versions kept apart have it too.

    Raises
    ------
    DependencyCycle
        With ``cycles="error"``, where there is one.
    """
    try:
        return gathered(ids).to_graph(kinds, cycles)
    except DependencyCycle as cycle:
        if ids == "name" and gathered("name@version").is_acyclic(kinds):
            also = ". ".join(
                filter(None, [cycle.also, 'Versions kept apart have none: read_graph(…, ids="name@version")'])
            )
            raise DependencyCycle(cycle.repos, cycle.components, cycle.way_out, also) from None
        raise
