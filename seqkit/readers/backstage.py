r"""Backstage's catalog: ``catalog-info.yaml``, one file or all of a folder.

>>> import pathlib, tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     file = pathlib.Path(folder, "catalog-info.yaml")
...     _ = file.write_text('''apiVersion: backstage.io/v1alpha1
... kind: Component
... metadata: {name: shop}
... spec: {type: service, dependsOn: ["component:stock"]}
... ---
... apiVersion: backstage.io/v1alpha1
... kind: Component
... metadata: {name: stock}
... ''')
...     read_backstage(file).edges
[('stock', 'shop')]
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from seqkit.core.graph import Cycles, RepoDependencyGraph, check_cycles
from seqkit.core.kinds import Kinds, chosen_kinds
from seqkit.errors import ReadError
from seqkit.readers._documents import load_yaml
from seqkit.readers._files import Opened, PathLike, text_list, typed
from seqkit.readers._gathered import Gathered
from seqkit.readers._tree import Tree

__all__ = ["BACKSTAGE_FILES", "is_backstage", "read_backstage"]

BACKSTAGE_FILES = ("catalog-info.yaml", "catalog-info.yml")
"""What Backstage calls such a file."""

_SIGN = re.compile(r"^apiVersion\s*:\s*['\"]?backstage\.io/", re.M)
_UNITS = ("component", "resource", "api")  # what is released or provisioned; the rest says who owns what
_NOT_READ = "entities that are no component, resource or API"

Key = tuple[str, str, str]
"""Kind, namespace and name, in lower case: Backstage compares them so."""


@dataclass(frozen=True, slots=True)
class _Entity:
    key: Key
    name: str
    path: PathLike
    where: str
    metadata: dict[str, Any]
    spec: dict[str, Any]


def is_backstage(file: Opened) -> bool:
    """Tell whether a file has an entity of Backstage."""
    return _SIGN.search(file.text) is not None


def read_backstage(path: PathLike, *, kinds: Kinds = None, cycles: Cycles = "error") -> RepoDependencyGraph:
    """Read entities of Backstage; every component, resource and API is a repo.

    Who `dependsOn` another needs it, and is needed by what stands in its `dependencyOf`. An API needs the components
    that provide it (`providesApis`), and is needed by those that consume it (`consumesApis`). Being a part of something
    (`subcomponentOf`, `system`) is no dependency. A reference without a kind is of a component, or of an API where APIs
    stand; one without a namespace is in that of the entity that has it. Systems, domains, locations, groups and people
    are no repos, and counted.

    Parameters
    ----------
    path : str or pathlib.Path
        A file, of one document or several; or a folder: all ``catalog-info.yaml`` below it.
    kinds : str or collection of str, or None
        Which dependencies count; as all are ``normal``, there is nothing to choose.
    cycles : {"error", "merge", "keep"}
        As in :meth:`seqkit.RepoDependencyGraph.from_edges`.

    Returns
    -------
    RepoDependencyGraph
        Ids are names, and ``kind:namespace/name`` where two entities share one. With `kind`, and `title`, `type`,
        `lifecycle` and `owner` where an entity has them, as attributes.

    Raises
    ------
    ReadError
        Where a file is malformed, holds no entity, or the folder no such file.
    DependencyCycle
        With ``cycles="error"``, where there is one.
    """
    check_cycles(cycles)
    chosen_kinds(kinds)
    found = Gathered(path, "backstage", knows_kinds=False)
    entities = [entity for file in _files(path) for entity in _entities(file, found)]
    if not entities:
        raise ReadError(path, None, "holds no component, resource or API, expected entities of Backstage")
    ids = _ids(entities, found)
    for entity in entities:
        found.package(ids[entity.key], kind=entity.key[0], title=_text(entity.metadata, "title"))
        for word in ("type", "lifecycle", "owner"):
            found.package(ids[entity.key], **{word: _text(entity.spec, word)})
    for entity in entities:
        for relation, default, needs in _RELATIONS:
            for told in _told(entity, relation):
                _relate(found, ids, entity, _key(told, default, entity.key[1]), told, needs)
    return found.to_graph(kinds, cycles)


_RELATIONS = (
    ("dependsOn", "component", True),
    ("dependencyOf", "component", False),
    ("consumesApis", "api", True),
    ("providesApis", "api", False),
)
"""What an entity says, of what where no kind is named, and whether it needs that or that needs it."""


def _relate(found: Gathered, ids: dict[Key, str], entity: _Entity, key: Key, told: str, needs: bool) -> None:
    here, other = ids[entity.key], ids.get(key)
    if other is None:
        found.left_out("references to what no entity here is", f"{here}: {told}")
    elif other != here:
        found.needs(*((here, other) if needs else (other, here)))


def _files(path: PathLike) -> Iterator[PathLike]:
    place = os.fspath(path)
    if not os.path.isdir(place):
        yield path
        return
    tree = Tree(place)
    files = [f"{folder}/{name}".lstrip("/") for name in BACKSTAGE_FILES for folder in tree.holding(name)]
    if not files:
        raise ReadError(path, None, f"has no {BACKSTAGE_FILES[0]}, expected such files in the folder or below it")
    for file in sorted(files):
        yield tree.open(file)


def _entities(path: PathLike, found: Gathered) -> Iterator[_Entity]:
    for number, document in enumerate(load_yaml(path)):
        where = f"document {number + 1}"
        if document in (None, ""):
            continue
        entity = typed(path, where, document, dict)
        kind = typed(path, f"{where}.kind", entity.get("kind"), str)
        metadata = typed(path, f"{where}.metadata", entity.get("metadata"), dict)
        name = typed(path, f"{where}.metadata.name", metadata.get("name"), str)
        namespace = typed(path, f"{where}.metadata.namespace", metadata.get("namespace", "default"), str)
        if kind.lower() not in _UNITS:
            found.left_out(_NOT_READ, f"{kind} {name}")
            continue
        spec = entity.get("spec")
        key = (kind.lower(), namespace.lower(), name.lower())
        yield _Entity(
            key, name, path, where, metadata, typed(path, f"{where}.spec", {} if spec in (None, "") else spec, dict)
        )


def _ids(entities: Sequence[_Entity], found: Gathered) -> dict[Key, str]:
    """Say what each is called; of two that say they are the same the first is meant."""
    names = Counter(entity.name for entity in {entity.key: entity for entity in reversed(entities)}.values())
    ids: dict[Key, str] = {}
    for entity in entities:
        if entity.key in ids:
            found.look_at("entities that stand there twice; both are taken for one", ids[entity.key])
            continue
        kind, namespace, _ = entity.key
        ids[entity.key] = entity.name if names[entity.name] == 1 else f"{kind}:{namespace}/{entity.name}"
    return ids


def _told(entity: _Entity, relation: str) -> list[str]:
    value = entity.spec.get(relation)
    return [] if value in (None, "") else text_list(entity.path, f"{entity.where}.spec.{relation}", value)


def _key(told: str, kind: str, namespace: str) -> Key:
    """Read a reference, ``kind:namespace/name`` of which only the name must be there."""
    before, colon, rest = told.rpartition(":")
    space, slash, name = rest.rpartition("/")
    return ((before if colon else kind).lower(), (space if slash else namespace).lower(), name.lower())


def _text(table: dict[str, Any], key: str) -> str | None:
    value = table.get(key)
    return value if isinstance(value, str) and value else None
