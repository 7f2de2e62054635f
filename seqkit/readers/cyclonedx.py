"""CycloneDX bills of materials in JSON, versions 1.2 to 1.7, of whatever tool and ecosystem."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from seqkit._util.words import shortened
from seqkit.core.graph import Cycles, RepoDependencyGraph
from seqkit.core.kinds import Kinds
from seqkit.errors import ReadError
from seqkit.readers._exact_ids import Ids, check_options
from seqkit.readers._files import PathLike, described, load_json, typed
from seqkit.readers._sboms import Bill, items_of, text_of

__all__ = ["read_cyclonedx"]

_VERSIONS = ("1.2", "1.3", "1.4", "1.5", "1.6", "1.7")
_NO_PACKAGES = frozenset(("file", "data", "cryptographic-asset"))
_REQUIRED = "normal"
_SCOPES = {"required": _REQUIRED, "optional": "optional", "excluded": "dev"}
_DISTANCE = {_REQUIRED: 0, "optional": 1, "dev": 2}
_FOR_DEVELOPMENT = frozenset(("cdx:npm:package:development", "cdx:composer:package:isDevRequirement"))


def read_cyclonedx(
    path: PathLike,
    *,
    ids: Ids = "name@version",
    root: bool = True,
    kinds: Kinds = None,
    cycles: Cycles = "error",
) -> RepoDependencyGraph:
    """Read a CycloneDX bill of materials; every component and service is a repo.

    Who needs whom stands in `dependencies`, by bom-ref; `provides` (who implements a specification) and the nesting of
    components are no dependencies. Many tools write no `dependencies`, or let the root need all: the graph's `report`
    says so. Components inside components are repos like others. Files, data and cryptographic assets, and the parts of
    the root, are repos only where a dependency names them. A bom-ref in `dependencies` that no component has, and a
    component of another bill (``urn:cdx:…``), give no edge; they are counted.

    A repo has the attributes `version`, `ecosystem` (the type of its purl), `purl` and `ref` (its bom-ref), as far as
    they are known.

    Parameters
    ----------
    path : str or pathlib.Path
        JSON, specVersion 1.2 to 1.7.
    ids : {"name@version", "name"}
        What a repo is called. ``"name@version"``, the default: the name with its scope or namespace as the ecosystem
        writes it, from the purl where there is one, else from `group`; and `version` (else the purl's). Where two
        would be called alike, each goes by its bom-ref. ``"name"`` joins versions, which can close cycles.
    root : bool
        Whether the component that the bill describes (``metadata.component``) is a repo too.
    kinds : str or collection of str, or None
        Which dependencies count: some of ``"normal"``, ``"optional"`` and ``"dev"``; ``"all"``; None for all but dev.
        The format tells of components, not of dependencies, that they are `optional` or `excluded` (taken for
        development and tests; so are those that cyclonedx-npm and cyclonedx-php mark so). So a dependency is of that
        kind where a component that is required needs one that is not; between two that are optional or excluded, it
        is a normal one.
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

    Examples
    --------
    >>> import json, pathlib, tempfile
    >>> bill = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [
    ...             {"type": "library", "bom-ref": "1", "name": "core", "version": "2.0"},
    ...             {"type": "library", "bom-ref": "2", "purl": "pkg:npm/%40my/api@1.0", "name": "api"}],
    ...         "dependencies": [{"ref": "2", "dependsOn": ["1"]}]}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "bom.json")
    ...     _ = file.write_text(json.dumps(bill))
    ...     read_cyclonedx(file).edges
    [('core@2.0', '@my/api@1.0')]
    """
    check_options(ids, kinds, cycles)
    return _Reader(path).bill.to_graph(ids, root, kinds, cycles)


class _Reader:
    def __init__(self, path: PathLike) -> None:
        self.path = path
        document = typed(path, "the document", load_json(path), dict)
        if document.get("bomFormat") != "CycloneDX":
            told = described(document["bomFormat"]) if "bomFormat" in document else "missing"
            raise ReadError(path, None, f"bomFormat is {told}, expected 'CycloneDX'")
        self.bill = Bill(path, "cyclonedx", "bom-refs")
        version = document.get("specVersion")
        if not isinstance(version, str) or version not in _VERSIONS:
            told = "missing" if version is None else described(version)
            self.bill.found.guessed(f"specVersion that is unknown, read as {_VERSIONS[-1]}", told)
        self.distances: dict[str, int] = {}  # of those that are not required
        self.idle: list[str] = []
        self.components(document)
        self.dependencies(document)
        self.bill.forget_idle(self.idle, "files, data and parts of the root that no dependency names")

    def components(self, document: dict[str, Any]) -> None:
        metadata = document.get("metadata")
        metadata = {} if metadata is None else typed(self.path, "metadata", metadata, dict)
        if metadata.get("component") is not None:
            place = "metadata.component"
            component = typed(self.path, place, metadata["component"], dict)
            self.bill.root = self.component(place, component)
            for inner_place, inner in self.nested(f"{place}.components", component.get("components"), "components"):
                self.idle.append(self.component(inner_place, inner))
        for key in ("components", "services"):
            for place, component in self.nested(key, document.get(key), key):
                ref = self.component(place, component)
                if str(component.get("type")) in _NO_PACKAGES:
                    self.idle.append(ref)

    def nested(self, where: str, rows: object, key: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """List components and those inside them, in their order, whatever the depth."""
        waiting = [(where, rows)]
        while waiting:
            where, rows = waiting.pop()
            deeper = []
            for index, row in enumerate(items_of(self.path, where, rows)):
                place = f"{where}[{index}]"
                yield place, row
                if key in row:
                    deeper.append((f"{place}.{key}", row[key]))
            waiting += reversed(deeper)

    def component(self, place: str, row: dict[str, Any]) -> str:
        ref, group, name, version, purl, scope = (
            text_of(self.path, f"{place}.{key}", row.get(key))
            for key in ("bom-ref", "group", "name", "version", "purl", "scope")
        )
        if not (name or ref or purl):
            raise ReadError(self.path, None, f"{place} has no name, expected one")
        known = self.bill.add(ref, f"{group}/{name}" if group and name else name, version, purl)
        kind = self.kind(place, row, scope)
        if kind != _REQUIRED:
            self.distances.setdefault(known, _DISTANCE[kind])
        return known

    def kind(self, place: str, row: dict[str, Any], scope: str) -> str:
        """Say for what a component is there."""
        for property in items_of(self.path, f"{place}.properties", row.get("properties")):
            if property.get("value") == "true" and str(property.get("name")) in _FOR_DEVELOPMENT:
                return "dev"
        if scope and scope not in _SCOPES:
            self.bill.found.guessed(f"scopes that are unknown, taken for {_REQUIRED}", shortened(repr(scope), 60))
        return _SCOPES.get(scope, _REQUIRED)

    def dependencies(self, document: dict[str, Any]) -> None:
        bill, parts, distances = self.bill, self.bill.parts, self.distances
        kinds = {distance: kind for kind, distance in _DISTANCE.items()}
        for index, row in enumerate(items_of(self.path, "dependencies", document.get("dependencies"))):
            place = f"dependencies[{index}]"
            dependent = typed(self.path, f"{place}.ref", row.get("ref"), str)
            needed = row.get("dependsOn")
            needed = [] if needed is None else typed(self.path, f"{place}.dependsOn", needed, list)
            near = distances.get(dependent, 0)
            for at, ref in enumerate(needed):
                if not isinstance(ref, str) or ref not in parts or dependent not in parts:
                    self.stray(typed(self.path, f"{place}.dependsOn[{at}]", ref, str), dependent)
                else:
                    far = distances.get(ref, 0) if distances else 0
                    bill.needs(dependent, ref, kinds[far] if far > near else _REQUIRED)

    def stray(self, ref: str, dependent: str) -> None:
        missing = ref if ref not in self.bill.parts else dependent
        if missing.startswith("urn:cdx:"):
            self.bill.found.left_out("dependencies on components of other bills", missing)
        else:
            self.bill.found.left_out("dependencies of which one bom-ref is that of no component", missing)
