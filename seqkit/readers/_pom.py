"""What stands in one ``pom.xml``: names, versions and properties as they are written, nothing filled in.

What parents, properties and management make of it is in :mod:`seqkit.readers._pom_models`.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.entities import name2codepoint
from xml.etree.ElementTree import Element

from seqkit._util.words import shortened
from seqkit.errors import ReadError
from seqkit.readers._documents import load_xml
from seqkit.readers._tree import Tree

__all__ = ["Artifact", "Plugin", "Pom", "Section", "read_pom"]

_CHARACTERS = {name: code for name, code in name2codepoint.items() if name not in ("amp", "lt", "gt", "quot")}
"""What Maven knows by name, as HTML does, beside what all XML knows."""

_PLUGINS = "org.apache.maven.plugins"
"""Whose a plugin is that does not say it."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """What is needed, or managed: a dependency, an extension, a processor of annotations."""

    group: str
    artifact: str
    version: str = ""
    scope: str = ""
    optional: str = ""
    type: str = ""
    classifier: str = ""

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What makes two of them the same to Maven."""
        return self.group, self.artifact, self.type or "jar", self.classifier


@dataclass(frozen=True, slots=True)
class Plugin:
    """A plugin, used or managed."""

    artifact: Artifact
    inherited: bool
    dependencies: tuple[Artifact, ...]
    processors: tuple[Artifact, ...]
    """Where it tells the compiler to look for processors of annotations."""


@dataclass(slots=True)
class Section:
    """What the project says, or one of its profiles."""

    profile: str = ""
    """The id of the profile; ``""`` for the project."""
    active: bool = True
    """Whether it counts unless somebody asks for something else."""
    properties: dict[str, str] = field(default_factory=dict)
    modules: list[str] = field(default_factory=list)
    dependencies: list[Artifact] = field(default_factory=list)
    managed: dict[str, list[Artifact]] = field(default_factory=dict)
    """By `artifactId`; those with a property in it stand at ``""``."""
    imports: list[Artifact] = field(default_factory=list)
    plugins: list[Plugin] = field(default_factory=list)
    managed_plugins: list[Plugin] = field(default_factory=list)
    extensions: list[Artifact] = field(default_factory=list)


@dataclass(slots=True)
class Pom:
    """A ``pom.xml``."""

    place: str
    """Where the file is, from the top of the tree."""
    group: str
    artifact: str
    version: str
    packaging: str
    parent: Artifact | None
    relative: str
    """Where it looks for its parent; ``""``: not among the files."""
    sections: list[Section]
    """The project's own first, then its profiles."""
    discovers: bool
    """Whether it takes every folder in its own with a ``pom.xml`` for a module, as Maven 4 does where none is named."""
    incomplete: list[str]
    """What it names by half, so that nobody can tell what is meant."""

    @property
    def folder(self) -> str:
        """The folder it is in."""
        return posixpath.dirname(self.place)

    @property
    def has_modules(self) -> bool:
        """Whether it names others that are built with it."""
        return self.discovers or any(section.modules for section in self.sections)


def read_pom(tree: Tree, place: str) -> Pom:
    """Read one.

    Raises
    ------
    ReadError
        Where it is no XML, no project, or has no `artifactId`.
    """
    path = tree.path(place)
    root = load_xml(tree.open(place), _CHARACTERS)
    if _tag(root) != "project":
        raise ReadError(path, None, f"is <{shortened(_tag(root), 60)}>, expected <project>, as a pom.xml begins")
    artifact = _text(root, "artifactId")
    if not artifact:
        raise ReadError(path, None, "has no <artifactId>, expected the name that the project is published by")
    above = _child(root, "parent")
    parent, relative = None, ""
    if above is not None:
        parent = _artifact(above)
        told = _child(above, "relativePath")
        relative = "../pom.xml" if told is None else (told.text or "").strip()
    incomplete: list[str] = []
    sections = [_section(root, incomplete), *_profiles(root, incomplete)]
    packaging = _text(root, "packaging") or "jar"
    names_none = _child(root, "modules") is None and _child(root, "subprojects") is None
    return Pom(
        place=place,
        group=_text(root, "groupId") or (parent.group if parent else ""),
        artifact=artifact,
        version=_text(root, "version") or (parent.version if parent else ""),
        packaging=packaging,
        parent=parent,
        relative=relative,
        sections=sections,
        discovers=names_none and packaging == "pom" and _is_of_maven_4(root),
        incomplete=incomplete,
    )


def _is_of_maven_4(root: Element) -> bool:
    version = _text(root, "modelVersion") or root.tag.rpartition("}")[0].rpartition("/")[2]
    return version.startswith("4.") and not version.startswith("4.0")


def _profiles(root: Element, incomplete: list[str]) -> Iterator[Section]:
    for number, profile in enumerate(_children(_child(root, "profiles"), "profile"), 1):
        section = _section(profile, incomplete)
        section.profile = _text(profile, "id") or f"profile {number}"
        section.active = _text(_child(profile, "activation"), "activeByDefault") == "true"
        yield section


def _section(element: Element, incomplete: list[str]) -> Section:
    """Read what a project and a profile may both say."""
    build = _child(element, "build")
    section = Section(
        properties={_tag(one): (one.text or "").strip() for one in _children(_child(element, "properties"))},
        modules=[
            (one.text or "").strip()
            for listed, each in (("modules", "module"), ("subprojects", "subproject"))
            for one in _children(_child(element, listed), each)
        ],
        dependencies=_whole(_artifacts(_child(element, "dependencies"), "dependency"), incomplete),
        plugins=_plugins(_child(build, "plugins"), incomplete),
        managed_plugins=_plugins(_child(_child(build, "pluginManagement"), "plugins"), incomplete),
        extensions=_whole(_artifacts(_child(build, "extensions"), "extension"), incomplete),
    )
    for one in _artifacts(_child(_child(element, "dependencyManagement"), "dependencies"), "dependency"):
        if one.scope == "import":
            section.imports.append(one)
        else:
            section.managed.setdefault("" if "${" in one.artifact else one.artifact, []).append(one)
    return section


def _plugins(element: Element | None, incomplete: list[str]) -> list[Plugin]:
    plugins = []
    for one in _children(element, "plugin"):
        named = _artifact(one)
        if not named.artifact:
            incomplete.append("a plugin")
            continue
        configured = [one, *_children(_child(one, "executions"), "execution")]
        paths = [_child(_child(each, "configuration"), "annotationProcessorPaths") for each in configured]
        plugins.append(
            Plugin(
                Artifact(named.group or _PLUGINS, named.artifact, named.version),
                _text(one, "inherited") != "false",
                tuple(_whole(_artifacts(_child(one, "dependencies"), "dependency"), incomplete)),
                tuple(_whole([_artifact(path) for each in paths for path in _children(each)], incomplete)),
            )
        )
    return plugins


def _whole(artifacts: list[Artifact], incomplete: list[str]) -> list[Artifact]:
    whole = [one for one in artifacts if one.group and one.artifact]
    incomplete += [one.artifact or one.group or "a dependency" for one in artifacts if not (one.group and one.artifact)]
    return whole


def _artifacts(element: Element | None, tag: str) -> list[Artifact]:
    return [_artifact(one) for one in _children(element, tag)]


def _artifact(element: Element) -> Artifact:
    told = {_tag(one): (one.text or "").strip() for one in element}
    return Artifact(
        told.get("groupId", ""),
        told.get("artifactId", ""),
        told.get("version", ""),
        told.get("scope", ""),
        told.get("optional", ""),
        told.get("type", ""),
        told.get("classifier", ""),
    )


def _tag(element: Element) -> str:
    """Give the name of an element without its namespace, of which POMs have several or none."""
    return element.tag.rpartition("}")[2]


def _children(element: Element | None, tag: str = "") -> list[Element]:
    return [] if element is None else [one for one in element if not tag or _tag(one) == tag]


def _child(element: Element | None, tag: str) -> Element | None:
    return next(iter(_children(element, tag)), None)


def _text(element: Element | None, tag: str) -> str:
    found = _child(element, tag)
    return "" if found is None else (found.text or "").strip()
