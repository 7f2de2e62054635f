"""Why one repo needs another: the kinds of dependencies, whatever the ecosystem calls them.

>>> chosen_kinds(None)
('normal', 'build', 'peer', 'optional', 'parent', 'implicit')
>>> chosen_kinds(["dev", "normal"]), chosen_kinds("all") == KINDS
(('normal', 'dev'), True)
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, TypeAlias

from seqkit._util.near import NearNames, did_you_mean
from seqkit._util.secrets import as_given

__all__ = [
    "KINDS",
    "NORMAL",
    "RELEASE_KINDS",
    "Kinds",
    "chosen_kinds",
    "hardest",
    "in_order",
    "kinds_as_kept",
    "kinds_of_edge",
]

KINDS = ("normal", "build", "peer", "optional", "dev", "test", "extra", "parent", "implicit")
"""All kinds, in the order in which they are listed."""

RELEASE_KINDS = ("normal", "build", "peer", "optional", "parent", "implicit")
"""The kinds that a release waits for: a repo that is needed for tests or development alone may go out later."""

NORMAL = ("normal",)
"""What is known of an edge of which nothing is said."""

Kinds: TypeAlias = str | Collection[str] | None

_KEPT = "kinds"  # the key under which networkx keeps them
_HARDNESS = ("build", "normal", "parent", "implicit", "peer", "optional", "extra", "test", "dev")
_PLACE = {kind: place for place, kind in enumerate(KINDS)}
_RANK = {kind: len(_HARDNESS) - place for place, kind in enumerate(_HARDNESS)}


def chosen_kinds(kinds: Kinds, argument: str = "kinds") -> tuple[str, ...]:
    """Read the choice of kinds that people give.

    Parameters
    ----------
    kinds : str, collection of str, or None
        Some of `KINDS`, or ``"all"``; None for `RELEASE_KINDS`.
    argument : str
        What errors call it.

    Raises
    ------
    TypeError, ValueError
        Where it is none of these.
    """
    if kinds is None:
        return RELEASE_KINDS
    if kinds == "all":
        return KINDS
    if not isinstance(kinds, str | Iterable):
        raise TypeError(f'{argument} is {as_given(kinds, 200)}, expected some of {KINDS}, or "all"')
    given = [kinds] if isinstance(kinds, str) else list(kinds)
    for kind in given:
        if not isinstance(kind, str) or kind not in _PLACE:
            near = NearNames(KINDS).near(kind) if isinstance(kind, str) else []
            hint = f"; {did_you_mean(near)}" if near else ""
            raise ValueError(
                f"{argument} {'is' if isinstance(kinds, str) else 'has'} {as_given(kind, 200)}, expected some of "
                f'{KINDS}, or "all"{hint}'
            )
    return in_order(given)


def in_order(kinds: Iterable[str]) -> tuple[str, ...]:
    """List each of these kinds once, in the order of `KINDS`."""
    return tuple(sorted(set(kinds), key=_PLACE.__getitem__))


def hardest(kinds: Iterable[str]) -> int:
    """Say how hard it is to do without a dependency of these kinds: 1 for one of development alone, more for others.

    Examples
    --------
    >>> hardest(["dev"]) < hardest(["peer"]) < hardest(["normal", "dev"])
    True
    """
    return max(_RANK[kind] for kind in kinds)


def kinds_as_kept(kinds: tuple[str, ...]) -> dict[str, Any]:
    """Give what networkx keeps with an edge of these kinds: of most edges nothing, as there are so many.

    Examples
    --------
    >>> kinds_as_kept(("normal",)), kinds_as_kept(("dev",)), kinds_of_edge({}), kinds_of_edge({"kinds": ("dev",)})
    ({}, {'kinds': ('dev',)}, ('normal',), ('dev',))
    """
    return {} if kinds == NORMAL else {_KEPT: kinds}


def kinds_of_edge(data: Mapping[str, Any]) -> tuple[str, ...]:
    """Give the kinds of an edge, of what networkx keeps with it."""
    kinds: tuple[str, ...] = data.get(_KEPT, NORMAL)
    return kinds
