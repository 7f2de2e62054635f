"""Maven: a reactor of ``pom.xml`` files, and who among them needs whom."""

from __future__ import annotations

import os
import posixpath
from collections import Counter
from collections.abc import Iterator

from seqkit.core.graph import Cycles, RepoDependencyGraph
from seqkit.core.kinds import Kinds
from seqkit.readers._files import PathLike, load_bytes
from seqkit.readers._gathered import Gathered
from seqkit.readers._manifests import Ecosystem, Manifest, Need, read_manifests
from seqkit.readers._pom import Artifact, Plugin, Pom
from seqkit.readers._pom_models import Filled, Model, Poms, may_be
from seqkit.readers._tree import Tree, joined

__all__ = ["MAVEN", "read_maven"]

_POM = "pom.xml"
_ALWAYS = ("clean", "install", "deploy", "site")
_OF_CODE = ("resources", "compiler", "surefire", "jar")
_OF_PACKAGING = {"maven-plugin": "plugin", "ejb3": "ejb"}


def read_maven(path: PathLike, *, kinds: Kinds = None, cycles: Cycles = "error") -> RepoDependencyGraph:
    """Read a reactor: a project, its modules, theirs, and who among them needs whom.

    Every project is a repo, aggregators and parents too, called by its `artifactId`, or by `groupId:artifactId` where
    two share one. Dependencies on projects that are not in the reactor are left out, also those on another version of
    one that is: Maven takes both from a repository. Names, versions and scopes are as Maven would have them: inherited
    from parents, filled in from properties, managed by ``dependencyManagement`` and by BOMs that are imported, as far
    as those lie in the folder; a type or classifier makes no difference.

    ============================================================  =====================================================
    in the POM                                                    kind
    ============================================================  =====================================================
    ``parent``                                                    parent
    scope ``compile``, ``runtime``, ``system``                    normal; optional with ``<optional>true</optional>``
    scope ``provided``                                            build
    scope ``test``                                                test, which counts here by default: Maven builds what
                                                                  tests need first, and so releases it before or with
                                                                  those that it tests
    plugins, what they need, extensions, processors of            build
    annotations
    ============================================================  =====================================================

    What gives no edge: being a module of somebody, ``dependencyManagement`` and the import of a BOM (neither does in
    Maven 3.8), plugins that are managed and not used.

    Modules and dependencies of profiles count, whichever is active; the report says which were taken for granted as
    no ``activeByDefault`` stands there. Such dependencies, and plugins, are left out where they would close a cycle;
    for plugins Maven does the same. Of Maven 4 are known ``subprojects``, also where none is named, and parents and
    versions that are not written.

    Parameters
    ----------
    path : str or pathlib.Path
        The ``pom.xml`` that names the modules, or the folder it is in. Nothing above the folder is read: a parent
        there, or in a repository, gives nothing, and the report says so.
    kinds : str or collection of str, or None
        Which dependencies count: some of `seqkit.core.kinds.KINDS`, ``"all"``, or None for all but dev and extra.
    cycles : {"error", "merge", "keep"}
        As in :meth:`seqkit.RepoDependencyGraph.from_edges`.

    Raises
    ------
    ReadError
        Where the folder has no ``pom.xml``, or one that is read is malformed.
    DependencyCycle
        With ``cycles="error"``, where there is one.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> parent = "<parent><groupId>g</groupId><artifactId>all</artifactId><version>1</version></parent>"
    >>> core = "<dependency><groupId>g</groupId><artifactId>core</artifactId></dependency>"
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name, pom in {
    ...         ".": "<groupId>g</groupId><artifactId>all</artifactId><version>1</version><packaging>pom</packaging>"
    ...         "<modules><module>core</module><module>app</module></modules>",
    ...         "core": f"{parent}<artifactId>core</artifactId>",
    ...         "app": f"{parent}<artifactId>app</artifactId><dependencies>{core}</dependencies>",
    ...     }.items():
    ...         pathlib.Path(folder, name).mkdir(exist_ok=True)
    ...         _ = pathlib.Path(folder, name, "pom.xml").write_text(f"<project>{pom}</project>")
    ...     graph = read_maven(folder)
    >>> graph.edges, graph.kinds("all", "app")
    ([('all', 'app'), ('all', 'core'), ('core', 'app')], ['parent'])
    """
    place = os.fspath(path)
    if os.path.isdir(place):
        return read_manifests(MAVEN, path, "maven", kinds, cycles)
    load_bytes(path)  # says what is wrong with the file, if anything is
    return read_manifests(_ecosystem(os.path.basename(place)), path, "maven", kinds, cycles)


def _ecosystem(file: str) -> Ecosystem:
    """Give the ecosystem whose projects at the top of checkouts are called `file`; the modules say how theirs are."""
    return Ecosystem(
        "maven",
        (file,),
        lambda tree, folder, found: _manifests(tree, posixpath.join(folder, file), found),
        lambda tree, folder: Poms.of(tree, Gathered(tree.top, "maven")).at(posixpath.join(folder, file)).has_modules,
    )


MAVEN = _ecosystem(_POM)
"""Projects that have a ``pom.xml``."""


def _manifests(tree: Tree, top: str, found: Gathered) -> list[Manifest]:
    """Read the reactor that a file is the top of."""
    poms = Poms.of(tree, found)
    models = _reactor(poms, top)
    versions: dict[str, list[str | None]] = {}
    for model in models:
        versions.setdefault(model.name, []).append(model.version)
    shared = Counter(model.name.partition(":")[2] for model in models)
    manifests = []
    for model in models:
        artifact = model.name.partition(":")[2]
        if model.version is None:
            found.look_at("projects whose version nothing here says", artifact)
        manifest = Manifest("maven", model.name, model.pom.folder, model.version)
        manifest.title = artifact if shared[artifact] == 1 else model.name
        for need, version in _needs(model):
            if all(not may_be(version, here) for here in versions.get(need.name, [None])):
                found.left_out(
                    "dependencies on other versions of what is here, which Maven takes from a repository",
                    f"{artifact} needs {need.name}:{version}",
                )
            else:
                manifest.needs.append(need)
        manifests.append(manifest)
    return manifests


def _reactor(poms: Poms, top: str) -> list[Model]:
    """List the project in a file, its modules, theirs, and so on."""
    checkout = posixpath.dirname(top)
    models, waiting, seen = [], [top], set()
    while waiting:
        place = waiting.pop()
        real = os.path.realpath(poms.tree.path(place))
        if real in seen:
            continue
        seen.add(real)
        models.append(poms.model(poms.at(place)))
        waiting += reversed(list(_modules(poms, models[-1], checkout)))
    inside = {model.pom.place for model in models}
    for model in models:
        for one in model.pom.incomplete:
            poms.found.look_at(
                "dependencies and plugins without a groupId or an artifactId", f"{one} in {model.pom.place}"
            )
        told = model.pom.parent
        above = poms.parent(model.pom)
        if told is not None and above is None:
            poms.found.left_out(
                "parents from elsewhere, with what they manage and define", f"{model.pom.artifact} has {told.artifact}"
            )
        elif above is not None and above.place not in inside and not checkout:
            poms.found.left_out("parents that no project names as a module", above.place)
    return models


def _modules(poms: Poms, model: Model, checkout: str) -> Iterator[str]:
    pom, tree, found = model.pom, poms.tree, poms.found
    if pom.discovers:
        for folder in tree.folders(pom.folder):
            if tree.has(f"{folder}/{_POM}"):
                found.guessed("subprojects that nobody names, by the folders that have a pom.xml", folder)
                yield f"{folder}/{_POM}"
    always = {module for section in pom.sections if section.active for module in section.modules}
    for section in pom.sections:
        for module in section.modules:
            path = model.fill(module)
            place = poms.file(pom.folder, path) if path else None
            if path and joined(pom.folder, path) is None:
                found.left_out("modules that lie outside of the folder", f"{module} in {pom.place}")
            elif place is None:
                found.look_at("modules that are not there", f"{module} in {pom.place}")
            elif place != pom.place and not _is_checkout(place, checkout):
                if module not in always:
                    found.guessed(
                        "modules of profiles that are not active by default, taken for modules",
                        f"{module} ({section.profile})",
                    )
                yield place


def _is_checkout(place: str, checkout: str) -> bool:
    """Tell whether a project beside a checkout is the top of another, which is read by itself."""
    return bool(checkout) and not place.startswith(f"{checkout}/") and place.count("/") == 1


# ---------------------------------------------------------------------- what a project needs


def _needs(model: Model) -> Iterator[tuple[Need, str | None]]:
    """List what a project needs, and in which version."""
    if model.pom.parent is not None and model.parent_artifact:
        group, artifact = model.fill(model.parent_group), model.fill(model.parent_artifact)
        yield Need(f"{group}:{artifact}", "parent"), model.parent_version
    for one, profile in _dependencies(model):
        if (filled := model.filled(one)) is None:
            continue
        if profile:
            model.poms.found.guessed(
                "dependencies of profiles that are not active by default, taken for dependencies",
                f"{model.pom.artifact} needs {filled.name} ({profile})",
            )
        kind = _kind(filled)
        yield Need(filled.name, kind, waited_for=kind == "test", yields=bool(profile)), filled.version
    for one in _built_with(model):
        if (filled := model.filled(one)) is not None:
            yield Need(filled.name, "build", yields=True), filled.version


def _kind(filled: Filled) -> str:
    if filled.scope == "test":
        return "test"
    if filled.scope == "provided":
        return "build"
    return "optional" if filled.optional else "normal"


def _dependencies(model: Model) -> Iterator[tuple[Artifact, str]]:
    """List dependencies, those of parents too, and the profile that is not active by default that they stand in."""
    seen = set()
    for _, section in model.sections:
        for one in section.dependencies:
            key = (section.active, *one.key)
            if key not in seen:
                seen.add(key)
                yield one, "" if section.active else section.profile


def _built_with(model: Model) -> Iterator[Artifact]:
    """List what builds a project: plugins, what they need, extensions and processors of annotations."""
    used: dict[tuple[str, str], list[Plugin]] = {}
    managed: dict[tuple[str, str], list[Plugin]] = {}
    for pom, section in model.sections:
        for plugin in section.plugins:
            if plugin.inherited or pom is model.pom:
                used.setdefault(plugin.artifact.key[:2], []).append(plugin)
        for plugin in section.managed_plugins:
            managed.setdefault(plugin.artifact.key[:2], []).append(plugin)
        yield from section.extensions
    for key in _bound(model.pom):
        if key in managed:  # and so has a version; Maven knows others for those that have none
            used.setdefault(key, [])
    for key, plugins in used.items():
        told = [*plugins, *managed.get(key, ())]
        version = next((plugin.artifact.version for plugin in told if plugin.artifact.version), "")
        if version or plugins:
            yield Artifact(*key, version)
        for plugin in told:
            yield from (
                Artifact(one.group, one.artifact, one.version, "runtime")  # management of dependencies is not for them
                for one in plugin.dependencies
            )
            yield from plugin.processors


def _bound(pom: Pom) -> Iterator[tuple[str, str]]:
    """List the plugins that every project with its packaging is built with."""
    names = [*_ALWAYS]
    if pom.packaging != "pom":
        names += [*_OF_CODE, _OF_PACKAGING.get(pom.packaging, pom.packaging)]
    return (("org.apache.maven.plugins", f"maven-{name}-plugin") for name in names)
