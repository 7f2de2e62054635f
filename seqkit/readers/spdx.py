"""SPDX bills of materials in JSON: 2.2, 2.3 and 3.0, of whatever tool and ecosystem.

The older ones list packages and relationships apart; the newer one is a graph of elements (JSON-LD), which
:mod:`seqkit.readers._spdx3` reads.
"""

from __future__ import annotations

import re
from typing import Any

from seqkit.core.graph import Cycles, RepoDependencyGraph
from seqkit.core.kinds import Kinds
from seqkit.errors import ReadError
from seqkit.readers._exact_ids import Ids, check_options
from seqkit.readers._files import Opened, PathLike, described, load_json, text_list, typed
from seqkit.readers._sboms import Bill, items_of, text_of
from seqkit.readers._spdx3 import bill_of_elements, has_elements

__all__ = ["is_spdx", "read_spdx"]

_NEEDS = {
    "DEPENDS_ON": "normal",
    "HAS_PREREQUISITE": "normal",
    "DYNAMIC_LINK": "normal",
    "STATIC_LINK": "normal",
}
_IS_NEEDED_BY = {
    "DEPENDENCY_OF": "normal",
    "RUNTIME_DEPENDENCY_OF": "normal",
    "PREREQUISITE_FOR": "normal",
    "BUILD_DEPENDENCY_OF": "build",
    "BUILD_TOOL_OF": "build",
    "PROVIDED_DEPENDENCY_OF": "peer",
    "OPTIONAL_DEPENDENCY_OF": "optional",
    "DEV_DEPENDENCY_OF": "dev",
    "DEV_TOOL_OF": "dev",
    "TEST_DEPENDENCY_OF": "test",
    "TEST_TOOL_OF": "test",
}
_NPM = re.compile(r"Tool: npm/cli-(\d{1,9})\.(\d{1,9})\.(\d{1,9})")
_NPM_TURNED = ("DEV_DEPENDENCY_OF", "OPTIONAL_DEPENDENCY_OF")
_NPM_PEERS = ("HAS_PREREQUISITE", "PREREQUISITE_FOR")
_DESCRIBES = ("DESCRIBES", "DESCRIBED_BY")
_NOTHING = ("NONE", "NOASSERTION")


def is_spdx(file: Opened) -> bool:
    """Tell whether a JSON file is an SPDX document, by its keys."""
    return file.has_keys("spdxVersion") or has_elements(file.document) or _exported(file.document) is not None


def _exported(document: Any) -> dict[str, Any] | None:
    """Give the document inside of what GitHub's API answers."""
    inner = document.get("sbom") if isinstance(document, dict) and "spdxVersion" not in document else None
    return inner if isinstance(inner, dict) and "spdxVersion" in inner else None


def read_spdx(
    path: PathLike,
    *,
    ids: Ids = "name@version",
    root: bool = True,
    kinds: Kinds = None,
    cycles: Cycles = "error",
) -> RepoDependencyGraph:
    """Read an SPDX bill of materials; every package is a repo.

    Who needs whom stands in relationships, of both directions: DEPENDS_ON and DEPENDENCY_OF. CONTAINS, and what else
    relationships say, are no dependencies, and counted. Many tools write none, or let the root need all: the graph's
    `report` says so. Dependencies of files, of packages of other documents, and on what the document does not have
    give no edge; they are counted, as are those of which nothing is asserted.

    A repo has the attributes `version`, `ecosystem` (the type of its purl), `purl` and `ref` (its SPDXID), as far as
    they are known.

    Parameters
    ----------
    path : str or pathlib.Path
        JSON: SPDX 2.2 or 2.3, also as GitHub's API wraps it, or 3.0.
    ids : {"name@version", "name"}
        What a repo is called. ``"name@version"``, the default: the name with its scope or namespace as the ecosystem
        writes it, from the purl where there is one, and `versionInfo` (else the purl's version). Where two would be
        called alike, each goes by its SPDXID. ``"name"`` joins versions, which can close cycles.
    root : bool
        Whether the package that the document describes is a repo too; where it describes several, all are.
    kinds : str or collection of str, or None
        Which dependencies count: some of `seqkit.core.kinds.KINDS`, ``"all"``, or None for all but dev and test.
        BUILD_, DEV_, TEST_ and OPTIONAL_DEPENDENCY_OF are the kinds that they say, as are the tools (BUILD_TOOL_OF
        …); PROVIDED_DEPENDENCY_OF is ``"peer"``, and so are npm's prerequisites; all others are ``"normal"``. In 3.0
        the scope of a relationship goes before its type.
    cycles : {"error", "merge", "keep"}
        As in :meth:`seqkit.RepoDependencyGraph.from_edges`. Operating systems' packages make cycles often.

    Raises
    ------
    ReadError
        Where the file is no such bill.
    DependencyCycle
        With ``cycles="error"``, where there is one.

    Warns
    -----
    SimilarIds
        Where ids differ only in case, outer blanks or Unicode form.

    Notes
    -----
    ``npm sbom`` wrote DEV_ and OPTIONAL_DEPENDENCY_OF the wrong way round before npm 9.9.3 and 10.2.5 (npm/cli pull
    request 7036). Where the document says that such an npm made it, they are turned round, and the report counts them
    among its guesses.

    Examples
    --------
    >>> import json, pathlib, tempfile
    >>> bill = {"spdxVersion": "SPDX-2.3", "packages": [
    ...             {"SPDXID": "SPDXRef-1", "name": "core", "versionInfo": "2.0"},
    ...             {"SPDXID": "SPDXRef-2", "name": "api", "versionInfo": "1.0"}],
    ...         "relationships": [{"spdxElementId": "SPDXRef-1", "relationshipType": "BUILD_DEPENDENCY_OF",
    ...                            "relatedSpdxElement": "SPDXRef-2"}]}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "api.spdx.json")
    ...     _ = file.write_text(json.dumps(bill))
    ...     graph = read_spdx(file)
    >>> graph.edges, graph.kinds("core@2.0", "api@1.0")
    ([('core@2.0', 'api@1.0')], ['build'])
    """
    check_options(ids, kinds, cycles)
    document = typed(path, "the document", load_json(path), dict)
    bill = bill_of_elements(path, document) if has_elements(document) else _bill(path, _exported(document) or document)
    return bill.to_graph(ids, root, kinds, cycles)


def _bill(path: PathLike, document: dict[str, Any]) -> Bill:
    version = document.get("spdxVersion")
    if not isinstance(version, str):
        told = described(version) if "spdxVersion" in document else "missing"
        raise ReadError(path, None, f"spdxVersion is {told}, expected 'SPDX-2.2' or 'SPDX-2.3', or a @graph of SPDX 3")
    bill = Bill(path, "spdx", "SPDXIDs")
    if not version.startswith("SPDX-2."):
        bill.found.guessed("spdxVersion that is unknown, read as SPDX-2.3", described(version))
    for index, row in enumerate(items_of(path, "packages", document.get("packages"))):
        place = f"packages[{index}]"
        ref = typed(path, f"{place}.SPDXID", row.get("SPDXID"), str)
        name, release = (text_of(path, f"{place}.{key}", row.get(key)) for key in ("name", "versionInfo"))
        if not (ref or name):
            raise ReadError(path, None, f"{place} has no name and an empty SPDXID, expected both")
        bill.add(ref, name, release, _purl(path, place, row))
    bill.find_root(_related(path, document, bill))
    return bill


def _purl(path: PathLike, place: str, row: dict[str, Any]) -> str:
    for index, reference in enumerate(items_of(path, f"{place}.externalRefs", row.get("externalRefs"))):
        # As it is, or as the end of the IRI that older tools wrote.
        if str(reference.get("referenceType")).endswith("purl"):
            told = f"{place}.externalRefs[{index}].referenceLocator"
            return text_of(path, told, reference.get("referenceLocator"))
    return ""


def _related(path: PathLike, document: dict[str, Any], bill: Bill) -> list[str]:
    """Tell who needs whom, and give what the document describes."""
    described_ones = document.get("documentDescribes")
    roots = [] if described_ones is None else text_list(path, "documentDescribes", described_ones)
    npm = _npm_of(path, document)
    turned = _NPM_TURNED if npm and npm < ((9, 9, 3) if npm[0] < 10 else (10, 2, 5)) else ()
    for index, row in enumerate(items_of(path, "relationships", document.get("relationships"))):
        first, kind, second = _sides(path, f"relationships[{index}]", row)
        if kind in _NEEDS:
            dependent, dependency, why = first, second, _NEEDS[kind]
        elif kind in _IS_NEEDED_BY:
            dependent, dependency, why = second, first, _IS_NEEDED_BY[kind]
        else:
            if kind in _DESCRIBES:
                roots.append(second if kind == _DESCRIBES[0] else first)
            else:
                bill.found.left_out("relationships that are no dependencies", f"{first} {kind} {second}")
            continue
        if kind in turned:
            dependent, dependency = dependency, dependent
            version = ".".join(map(str, npm))
            bill.found.guessed(f"relationships that npm {version} wrote the wrong way round, turned", kind)
        if dependent in bill.parts and dependency in bill.parts:
            bill.needs(dependent, dependency, "peer" if npm and kind in _NPM_PEERS else why)
        elif not {dependent, dependency}.isdisjoint(_NOTHING):
            if "NOASSERTION" in (dependent, dependency):
                bill.found.left_out("packages of which it is not known what they need, or who needs them", first)
        elif "DocumentRef-" in (dependent[:12], dependency[:12]):
            bill.found.left_out("dependencies of packages of other documents", f"{dependent} needs {dependency}")
        else:
            bill.found.left_out("dependencies of what is no package here", f"{dependent} needs {dependency}")
    return roots


def _sides(path: PathLike, place: str, row: dict[str, Any]) -> tuple[str, str, str]:
    first, kind, second = row.get("spdxElementId"), row.get("relationshipType"), row.get("relatedSpdxElement")
    if isinstance(first, str) and isinstance(kind, str) and isinstance(second, str):
        return first, kind, second
    return (
        typed(path, f"{place}.spdxElementId", first, str),
        typed(path, f"{place}.relationshipType", kind, str),
        typed(path, f"{place}.relatedSpdxElement", second, str),
    )


def _npm_of(path: PathLike, document: dict[str, Any]) -> tuple[int, ...]:
    """Give the version of the npm that made a document; () where another did."""
    told = document.get("creationInfo")
    creators = {} if told is None else typed(path, "creationInfo", told, dict)
    for creator in text_list(path, "creationInfo.creators", creators.get("creators") or []):
        if match := _NPM.match(creator):
            return tuple(int(number) for number in match.groups())
    return ()
