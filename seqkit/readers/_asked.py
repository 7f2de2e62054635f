"""Optional groups of dependencies, and whether somebody asked for them.

A dependency of an optional group counts for those who ask for the group: where somebody does who is needed himself, it
is one like any other; where only development or tests do, it is one of those; where nobody does, it is an ``extra``.

>>> list(answered([
...     Ask("app", "lib", extras=("fast",)),           # app needs lib[fast]
...     Ask("lib", "kernel", group="fast"), Ask("lib", "docs-theme", group="docs"),
... ]))
[('app', 'lib', 'normal'), ('lib', 'kernel', 'normal'), ('lib', 'docs-theme', 'extra')]
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

__all__ = ["Ask", "answered"]

Who = TypeVar("Who", bound=Hashable)

_OF_DEVELOPMENT = ("dev", "test")


@dataclass(frozen=True, slots=True)
class Ask(Generic[Who]):
    """A dependency as it is declared."""

    dependent: Who
    dependency: Who
    kind: str = "normal"
    """Why, where it is in no optional group."""
    group: str = ""
    """The optional group of the dependent that it stands in; ``""`` for none."""
    extras: tuple[str, ...] = ()
    """The optional groups of the dependency that it asks for."""


def answered(asks: Sequence[Ask[Who]]) -> Iterator[tuple[Who, Who, str]]:
    """Give who needs whom and of which kind, in the order of `asks`; linear in asks, and in groups asked for.

    A group that asks for another, of its own package or of a second one, asks for it when it is asked for itself.
    """
    within: dict[tuple[Who, str], list[Ask[Who]]] = {}
    for ask in asks:
        if ask.group:
            within.setdefault((ask.dependent, ask.group), []).append(ask)
    wanted: dict[tuple[Who, str], dict[str, None]] = {}
    todo: list[tuple[tuple[Who, str], str]] = []

    def want(ask: Ask[Who], kind: str) -> None:
        for extra in ask.extras:
            kinds = wanted.setdefault((ask.dependency, extra), {})
            if kind not in kinds:
                kinds[kind] = None
                todo.append(((ask.dependency, extra), kind))

    for ask in asks:
        if not ask.group and ask.kind != "extra":
            want(ask, ask.kind if ask.kind in _OF_DEVELOPMENT else "normal")
    for group, kind in todo:  # it grows while it is read
        for ask in within.get(group, ()):
            want(ask, kind)
    for ask in asks:
        for kind in wanted.get((ask.dependent, ask.group), ("extra",)) if ask.group else (ask.kind,):
            yield ask.dependent, ask.dependency, kind
