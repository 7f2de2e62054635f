"""SPDX 3: a graph of elements in JSON-LD, in which relationships are elements too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from seqkit.errors import ReadError
from seqkit.readers._files import PathLike, typed
from seqkit.readers._sboms import Bill, items_of, text_of

__all__ = ["bill_of_elements", "has_elements"]

_NEEDS = {
    "dependsOn": "normal",
    "hasPrerequisite": "normal",
    "hasDynamicLink": "normal",
    "hasStaticLink": "normal",
    "hasOptionalDependency": "optional",
    "hasProvidedDependency": "peer",
    "usesTool": "build",
}
_SCOPES = {"build": "build", "design": "dev", "development": "dev", "test": "test", "runtime": "", "other": "", "": ""}
_COLLECTIONS = ("SpdxDocument", "Sbom", "Bom", "Bundle")
_NOTHING = ("NoneElement", "NoAssertionElement")


def has_elements(document: Any) -> bool:
    """Tell whether a JSON document is an SPDX 3 graph."""
    if not isinstance(document, dict) or "@graph" not in document:
        return False
    context = document.get("@context")
    return any(
        isinstance(told, str) and "spdx" in told for told in [context, *(context if isinstance(context, list) else ())]
    )


def bill_of_elements(path: PathLike, document: dict[str, Any]) -> Bill:
    """Read the elements.

    Raises
    ------
    ReadError
        Where they are malformed.
    """
    bill = Bill(path, "spdx", "SPDXIDs")
    roots: dict[str, list[str]] = {}
    relationships: list[tuple[str, dict[str, Any]]] = []
    described: list[str] = []
    for index, row in enumerate(items_of(path, "@graph", document["@graph"])):
        place = f"@graph[{index}]"
        kind = _word(row.get("type", row.get("@type")))
        if kind.endswith("Package"):
            ref, name, version = (
                text_of(path, f"{place}.{key}", row.get(key))
                for key in (_id_key(row), "name", "software_packageVersion")
            )
            if not (ref or name):
                raise ReadError(path, None, f"{place} has no spdxId and no name, expected both")
            bill.add(ref, name, version, _purl(path, place, row))
        elif kind in _COLLECTIONS:
            ref = text_of(path, f"{place}.{_id_key(row)}", row.get(_id_key(row)))
            roots[ref] = list(_ids(path, f"{place}.rootElement", row.get("rootElement")))
            if kind == _COLLECTIONS[0]:
                described.append(ref)
        elif kind.endswith("Relationship"):
            relationships.append((place, row))
    for place, row in relationships:
        described += _relate(path, place, row, bill)
    bill.find_root(_leaves(described or list(roots), roots))
    return bill


def _relate(path: PathLike, place: str, row: dict[str, Any], bill: Bill) -> list[str]:
    """Tell who needs whom by one relationship, and give what it describes."""
    kind = _word(typed(path, f"{place}.relationshipType", row.get("relationshipType"), str))
    needed = list(_ids(path, f"{place}.to", row.get("to")))
    if kind == "describes":
        return needed
    if kind not in _NEEDS:
        bill.found.left_out("relationships that are no dependencies", kind)
        return []
    scope = _word(text_of(path, f"{place}.scope", row.get("scope")))
    if scope not in _SCOPES:
        bill.found.guessed("scopes that are unknown, passed over", scope)
    why = _SCOPES.get(scope) or _NEEDS[kind]
    for dependent in _ids(path, f"{place}.from", row.get("from")):
        for dependency in needed:
            if dependent in bill.parts and dependency in bill.parts:
                bill.needs(dependent, dependency, why)
            elif (word := _word(dependency)) in _NOTHING:
                if word == _NOTHING[1]:
                    bill.found.left_out(
                        "packages of which it is not known what they need, or who needs them", dependent
                    )
            else:
                bill.found.left_out("dependencies of what is no package here", f"{dependent} needs {dependency}")
    return []


def _leaves(refs: list[str], roots: dict[str, list[str]]) -> list[str]:
    """Follow collections to the roots that they name: a document's is often a bill."""
    seen: dict[str, None] = {}
    waiting = refs[::-1]
    while waiting:
        ref = waiting.pop()
        if ref not in seen:
            seen[ref] = None
            waiting += reversed(roots.get(ref, ()))
    return list(seen)


def _id_key(row: dict[str, Any]) -> str:
    return "spdxId" if "spdxId" in row else "@id"


def _word(value: object) -> str:
    """Give the last word of a name, which may be an IRI or have the name of its profile before it."""
    if isinstance(value, list) and value:
        value = value[-1]
    return (
        value.replace("#", "/").rpartition("/")[2].rpartition(":")[2].rpartition("_")[2]
        if isinstance(value, str)
        else ""
    )


def _ids(path: PathLike, where: str, value: object) -> Iterator[str]:
    """Give the ids of elements: one or a list, each told by its id or written out in place."""
    for index, item in enumerate(value if isinstance(value, list) else [] if value is None else [value]):
        if isinstance(item, str):
            yield item
        else:
            row = typed(path, f"{where}[{index}]", item, dict)
            yield typed(path, f"{where}[{index}].{_id_key(row)}", row.get(_id_key(row)), str)


def _purl(path: PathLike, place: str, row: dict[str, Any]) -> str:
    if purl := text_of(path, f"{place}.software_packageUrl", row.get("software_packageUrl")):
        return purl
    for index, told in enumerate(items_of(path, f"{place}.externalIdentifier", row.get("externalIdentifier"))):
        if _word(told.get("externalIdentifierType")) in ("packageUrl", "purl"):
            return text_of(path, f"{place}.externalIdentifier[{index}].identifier", told.get("identifier"))
    return ""
