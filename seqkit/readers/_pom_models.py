"""What a ``pom.xml`` comes to with its parents: properties filled in, versions and scopes as they are managed.

As Maven does it: what parents say is inherited as it is written, then properties are filled in with the values of the
one who inherits, then management is applied, first what the project and its parents manage, then the BOMs they import.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property

from seqkit.errors import ReadError
from seqkit.readers._gathered import Gathered
from seqkit.readers._pom import Artifact, Pom, Section, read_pom
from seqkit.readers._tree import Tree, joined

__all__ = ["Filled", "Model", "Poms", "may_be"]

_PROPERTY = re.compile(r"\$\{([^${}]*)\}")
_LONGEST = 2_000  # characters of a name or version
_DEEPEST = 50  # parents above each other, and properties that name others
_EXACT = re.compile(r"[^\[(,]+")


@dataclass(frozen=True, slots=True)
class Filled:
    """What is needed, with nothing left to be filled in."""

    name: str
    """As it is published: ``groupId:artifactId``."""
    version: str | None
    """None: not known, or any will do."""
    scope: str = ""
    optional: bool = False


def may_be(version: str | None, other: str | None) -> bool:
    """Tell whether what is asked for by one version may be what has the other; ranges may be anything.

    Examples
    --------
    >>> may_be("1.0", "1.0"), may_be("[1,2)", "1.0"), may_be(None, "1.0"), may_be("0.9", "1.0")
    (True, True, True, False)
    """
    return not version or not other or version == other or not _EXACT.fullmatch(version)


class Poms:
    """The projects of a tree, each read once."""

    def __init__(self, tree: Tree, found: Gathered) -> None:
        self.tree = tree
        self.found = found
        self._poms: dict[str, Pom] = {}
        self._models: dict[str, Model] = {}
        self._named: dict[tuple[str, str], list[Pom]] = {}
        self._looked_beside = False

    @classmethod
    def of(cls, tree: Tree, found: Gathered) -> Poms:
        """Give those of a tree, all that was read of it before included; `found` is told from now on."""
        poms = tree.kept.get("maven")
        if not isinstance(poms, cls):
            poms = cls(tree, found)
        tree.kept["maven"], poms.found = poms, found
        return poms

    def at(self, place: str) -> Pom:
        """Give the project that a file holds.

        Raises
        ------
        ReadError
            As :func:`seqkit.readers._pom.read_pom`.
        """
        if place not in self._poms:
            pom = self._poms[place] = read_pom(self.tree, place)
            self._named.setdefault((pom.group, pom.artifact), []).append(pom)
        return self._poms[place]

    def file(self, folder: str, path: str) -> str | None:
        """Find what a project means by a path to another: a file, or the folder that it is in; None: nothing there."""
        place = joined(folder, path)
        if place is None:
            return None
        within = f"{place}/pom.xml" if place else "pom.xml"
        return next((each for each in (within, place) if self.tree.has(each)), None)

    def named(self, one: Artifact) -> Pom | None:
        """Find a project by what it is called, among those that were read, and those beside each other at the top."""
        if not self._looked_beside and not self._fitting(one):
            self._looked_beside = True
            for folder in self.tree.folders():
                if self.tree.has(f"{folder}/pom.xml"):
                    with suppress(ReadError):  # which is told where it is read for its own sake
                        self.at(f"{folder}/pom.xml")
        return self._fitting(one)

    def _fitting(self, one: Artifact) -> Pom | None:
        named = self._named.get((one.group, one.artifact), [])
        return next((pom for pom in named if _may_be_as_written(one.version, pom.version)), None)

    def parent(self, pom: Pom) -> Pom | None:
        """Find the parent of a project; None where it has none here."""
        told = pom.parent
        if told is None:
            return None
        place = self.file(pom.folder, pom.relative) if pom.relative else None
        if place is not None:
            found = self.at(place)
            if not told.artifact:  # Maven 4: what lies there is meant
                return found
            same = told.artifact == found.artifact and (told.group == found.group or "${" in told.group + found.group)
            if same and _may_be_as_written(told.version, found.version):
                return found
        return self.named(told) if told.artifact else None

    def line(self, pom: Pom) -> list[Pom]:
        """List a project and its parents, the nearest first."""
        line, seen = [pom], {pom.place}
        while (above := self.parent(line[-1])) is not None:
            if above.place in seen:
                self.found.look_at("parents that are their own parents", " → ".join(one.artifact for one in line))
                break
            if len(line) >= _DEEPEST:
                self.found.look_at(f"projects with more than {_DEEPEST} parents above each other", pom.artifact)
                break
            line.append(above)
            seen.add(above.place)
        return line

    def model(self, pom: Pom) -> Model:
        """Give what a project comes to."""
        if pom.place not in self._models:
            self._models[pom.place] = Model(self, self.line(pom))
        return self._models[pom.place]


@dataclass
class Model:
    """A project with its parents."""

    poms: Poms
    line: list[Pom]
    _values: dict[str, str | None] = field(default_factory=dict)
    _imported: list[Model] | None = None

    def __post_init__(self) -> None:
        pom, parent = self.pom, self.pom.parent
        above = self.line[1] if len(self.line) > 1 else None
        self.parent_group = (parent.group if parent else "") or (above.group if above else "")
        self.parent_artifact = (parent.artifact if parent else "") or (above.artifact if above else "")
        self._parent_version = (parent.version if parent else "") or (above.version if above else "")
        self.group = self.fill(pom.group or self.parent_group) or pom.group
        self.name = f"{self.group}:{self.fill(pom.artifact) or pom.artifact}"
        self.version = self.fill(pom.version or self._parent_version) or None
        self.parent_version = self.fill(self._parent_version) or None

    @property
    def pom(self) -> Pom:
        """The project itself."""
        return self.line[0]

    @cached_property
    def sections(self) -> list[tuple[Pom, Section]]:
        """What the project and its parents say, what counts more first; profiles that must be asked for come last."""
        told = [
            (pom, section)
            for pom in self.line
            for section in sorted(pom.sections, key=lambda each: (not each.active, not each.profile))
        ]
        return sorted(told, key=lambda each: not each[1].active)

    # ------------------------------------------------------------------ properties

    def fill(self, text: str, within: tuple[str, ...] = ()) -> str | None:
        """Fill in properties; None where one is not known here, names itself, or where too much comes of it."""
        while place := _PROPERTY.search(text):
            value = self._value(place[1], within)
            if value is None or len(text) + len(value) > _LONGEST:
                return None
            text = text[: place.start()] + value + text[place.end() :]
        return None if "${" in text else text

    def _value(self, name: str, within: tuple[str, ...]) -> str | None:
        if name not in self._values:
            if name in within or len(within) > _DEEPEST:
                self.poms.found.guessed("properties that name themselves, taken for unknown", f"${{{name}}}")
                return None
            told = self._told(name)
            self._values[name] = None if told is None else self.fill(told, (*within, name))
        return self._values[name]

    def _told(self, name: str) -> str | None:
        """Say what a property is, as it is written."""
        bare = re.sub(r"^(project|pom)\.", "", name)
        if bare != name and (own := self._of_project(bare)):
            return own
        for _, section in self.sections:
            if name in section.properties:
                return section.properties[name]
        return self._of_project(name)

    def _of_project(self, name: str) -> str | None:
        pom = self.pom
        return {
            "groupId": pom.group or self.parent_group,
            "artifactId": pom.artifact,
            "version": pom.version or self._parent_version,
            "packaging": pom.packaging,
            "parent.groupId": self.parent_group,
            "parent.artifactId": self.parent_artifact,
            "parent.version": self._parent_version,
        }.get(name)

    # ------------------------------------------------------------------ what is needed

    def filled(self, one: Artifact) -> Filled | None:
        """Fill in what is needed, with what management says of it; None where its name is not known."""
        group, artifact = self.fill(one.group), self.fill(one.artifact)
        if not group or not artifact:
            self.poms.found.left_out(
                "dependencies named by properties that nothing here defines",
                f"{self.pom.artifact} needs {one.group}:{one.artifact}",
            )
            return None
        type_, classifier = self.fill(one.type or "jar"), self.fill(one.classifier)
        version, scope = one.version, one.scope
        if not version or not scope:
            managed = self.managed((group, artifact, type_, classifier), set())
            if managed is not None:
                version, scope = version or managed.version or "", scope or managed.scope
        return Filled(
            f"{group}:{artifact}", self.fill(version), self.fill(scope) or "", self.fill(one.optional) == "true"
        )

    def managed(self, key: tuple[str | None, ...], asked: set[str]) -> Filled | None:
        """Find what management says of an artifact; `asked` are the BOMs that were asked already."""
        asked.add(self.pom.place)
        group, artifact = key[0], key[1]
        for _, section in self.sections:
            for listed in (artifact, ""):
                for one in section.managed.get(listed or "", ()):
                    if tuple(map(self.fill, one.key)) == key:
                        scope = self.fill(one.scope) or ""
                        return Filled(f"{group}:{artifact}", self.fill(one.version), scope)
        for model in self._imports():
            if model.pom.place not in asked and (told := model.managed(key, asked)) is not None:
                return told
        return None

    def _imports(self) -> list[Model]:
        """List the BOMs here that are imported."""
        if self._imported is None:
            self._imported = []  # a BOM that imports itself finds nothing
            for _, section in self.sections:
                for one in section.imports:
                    group, artifact, version = self.fill(one.group), self.fill(one.artifact), self.fill(one.version)
                    pom = self.poms.named(Artifact(group, artifact, version or "")) if group and artifact else None
                    if pom is not None:
                        self._imported.append(self.poms.model(pom))
        return self._imported


def _may_be_as_written(version: str, other: str) -> bool:
    return "${" in version + other or may_be(version, other)
