"""JavaScript: packages and workspaces of npm, yarn, pnpm, bun and lerna, by their ``package.json``.

The root of a workspace names its members by patterns: `workspaces` in ``package.json``, `packages` in
``pnpm-workspace.yaml`` or ``lerna.json``. Members need each other by name, and by what stands behind it
(:mod:`seqkit.readers._js_specs`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import from_json

from seqkit.core.graph import Cycles, RepoDependencyGraph
from seqkit.core.kinds import Kinds
from seqkit.errors import ReadError
from seqkit.readers._documents import load_yaml
from seqkit.readers._files import Opened, PathLike, load_json, text_list, typed
from seqkit.readers._gathered import Gathered
from seqkit.readers._globs import chosen
from seqkit.readers._js_specs import Spec, has_no_version, npm_takes
from seqkit.readers._manifests import Ecosystem, Manifest, Need, read_manifests
from seqkit.readers._tree import Tree

__all__ = ["NPM", "read_js"]

_FILE = "package.json"
_PNPM = "pnpm-workspace.yaml"
_LERNA = "lerna.json"
_YARN = ".yarnrc.yml"
_SECTIONS = {
    "dependencies": "normal",
    "optionalDependencies": "optional",
    "devDependencies": "dev",
    "peerDependencies": "peer",
}
_LOCAL = ("workspace:", "link:", "file:", "portal:")


@dataclass(frozen=True)
class _Workspace:
    """What the root says of the whole."""

    patterns: tuple[str, ...] = ()
    catalogs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    overrides: Mapping[str, str] = field(default_factory=dict)
    """Packages that are from here whatever is asked for: by name, ``workspace:*`` or the like."""
    is_pnpm: bool = False
    is_nested: bool = False
    """Whether members may have members of their own, as with yarn from 2 on."""


def read_js(path: PathLike, *, kinds: Kinds = None, cycles: Cycles = "error") -> RepoDependencyGraph:
    """Read a JavaScript workspace, or a single package; every member is a repo.

    Members are the folders with a ``package.json`` that the patterns of the root name: `workspaces` (a list, or an
    object with `packages`), ``pnpm-workspace.yaml``, which goes before, or `packages` of ``lerna.json``, which is
    added to them unless `useWorkspaces` is true. With yarn from 2 on members may name members in turn. Patterns may
    have ``*``, ``**``, ``{a,b}`` and ``!``; what lies in ``node_modules`` is never meant. The root is no repo, unless
    a pattern names it (``.``) or a member needs it. Manifests that lie below and are no members are counted.

    An edge is a dependency of a member on a member:

    - by name, where the range takes the version of the member, pre-releases and all. npm, yarn, pnpm and lerna fetch
      what the range asks for from the registry where the member has another version, and so there is no edge, but a
      line in the report; nor for a tag (``latest``) or an address. A member without a version, or with ``0.0.0``
      until a release tool puts one in, is what any range means. pnpm 9 and newer take plain ranges from the registry
      unless `link-workspace-packages` is set; they are edges all the same, since whoever installs the released
      package gets the released member.
    - by ``workspace:``, whatever the range; by ``link:``, ``file:``, ``portal:`` or a path, where what lies there is
      a member, else by its name; by an alias, ``npm:name@range``; by ``catalog:``, from pnpm's, yarn's or bun's
      catalogs. `overrides` and `resolutions` of the root count where they say that a package is from here.

    Parameters
    ----------
    path : str or pathlib.Path
        The folder of the workspace or package, or the file in it that says so. Nothing above is read.
    kinds : str or collection of str, or None
        Which dependencies count: some of ``"normal"`` (dependencies), ``"optional"`` (optionalDependencies, which go
        before dependencies, and peers that `peerDependenciesMeta` calls optional), ``"peer"`` and ``"dev"``;
        ``"all"``; None for all but dev. A peer that is a dev dependency too is both: the edge keeps all its kinds.
    cycles : {"error", "merge", "keep"}
        As in :meth:`seqkit.RepoDependencyGraph.from_edges`.

    Returns
    -------
    RepoDependencyGraph
        With `version`, `path`, `ecosystem` (``npm``) and `private` as attributes. Members without a name are called
        by their folders. Of two with one name the first is the one that others mean.

    Raises
    ------
    ReadError
        Where there is none of the files, or one that counts is malformed. Of keys that stand twice in a
        ``package.json`` the last counts, as for npm.
    DependencyCycle
        With ``cycles="error"``, where there is one; it says which kinds to leave out, if that opens it.

    Examples
    --------
    >>> import json, pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     def write(place, **manifest):
    ...         pathlib.Path(folder, place).mkdir(parents=True, exist_ok=True)
    ...         _ = pathlib.Path(folder, place, "package.json").write_text(json.dumps(manifest))
    ...     write("", private=True, workspaces=["packages/*"])
    ...     write("packages/core", name="core", version="1.4.0")
    ...     write("packages/app", name="app", dependencies={"core": "^1.0.0", "left-pad": "^1.3.0"})
    ...     graph = read_js(folder)
    >>> graph.edges, graph.attributes("core")["version"]
    ([('core', 'app')], '1.4.0')
    """
    return read_manifests(NPM, path, "js", kinds, cycles)


def _at(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


# ---------------------------------------------------------------------- a package


def _load(file: Opened) -> dict[str, Any]:
    """Read a JSON object as npm does, which takes the last of keys that stand twice."""
    try:
        document = from_json(file.text, cache_strings="keys", allow_inf_nan=False)
    except ValueError:
        document = load_json(file)  # reads the rest, or says in which line it breaks off
    return dict(typed(file, "the document", document, dict))


def _text(file: Opened, where: str, value: object) -> str | None:
    return None if value is None or value == "" else str(typed(file, where, value, str))


def _package(tree: Tree, folder: str, top: str, workspace: _Workspace, found: Gathered) -> Manifest:
    file = tree.open(_at(folder, _FILE))
    document = _load(file)
    name = _text(file, "name", document.get("name")) or ""
    version = _text(file, "version", document.get("version"))
    manifest = Manifest("npm", name, folder, version=version, private=document.get("private") in (True, "true"))
    who = name or folder or "the top"
    manifest.needs = list(_needs(file, document, folder, top, workspace, found, who))
    return manifest


def _needs(
    file: Opened, document: Mapping[str, Any], folder: str, top: str, workspace: _Workspace, found: Gathered, who: str
) -> Iterator[Need]:
    sections = {section: _section(file, section, document.get(section), found, who) for section in _SECTIONS}
    meta = _mapping(document.get("peerDependenciesMeta"))
    specs: dict[str, list[Spec]] = {}  # by the name that the package calls it by: peers come last
    for section, kind in _SECTIONS.items():
        for name, text in sections[section].items():
            if section == "dependencies" and name in sections["optionalDependencies"]:
                continue  # npm's rule: what is also listed as optional is optional
            if name in workspace.overrides:
                spec = Spec.read(name, workspace.overrides[name], top, top, workspace.catalogs)
            else:
                spec = Spec.read(name, text, folder, top, workspace.catalogs)
                if text.strip().startswith("catalog:") and spec.wants is None and not spec.is_local:
                    found.guessed("dependencies by a catalog that says nothing of them: any version", f"{who}: {name}")
            why = kind
            if kind == "peer":
                spec = _provided(spec, specs.get(name, []))
                if _mapping(meta.get(name)).get("optional") is True:
                    why = "optional"
            else:
                specs.setdefault(name, []).append(spec)
            if spec.wants is None:
                yield Need(spec.name, why, spec.folder)
            else:
                yield Need(spec.name, why, spec.folder, spec.wants, npm_takes)


def _provided(peer: Spec, others: list[Spec]) -> Spec:
    """Give what a peer is while its package is built: what the package also asks for by another section, if it does."""
    for other in others:
        if other.wants is None:
            return other
        if peer.wants is not None and peer.name == other.name:
            peer = Spec(peer.name, wants=f"{peer.wants} || {other.wants}")
    return peer


def _section(file: Opened, section: str, value: object, found: Gathered, who: str) -> dict[str, str]:
    if value is None or value == [] or value is False:
        return {}
    kept = {}
    for name, text in typed(file, section, value, dict).items():
        if isinstance(text, str):
            kept[name] = text
        else:
            found.left_out("dependencies whose version is no text, which npm passes over", f"{who}: {section}.{name}")
    return kept


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


# ---------------------------------------------------------------------- a workspace


def _workspace(tree: Tree, folder: str) -> _Workspace | None:
    """Read what a folder says of its members; None where it is the root of no workspace."""
    file = tree.open(_at(folder, _FILE)) if tree.has(_at(folder, _FILE)) else None
    root = _load(file) if file else {}
    pnpm = _settings(tree, _at(folder, _PNPM))
    yarn = _settings(tree, _at(folder, _YARN))
    told = root.get("workspaces")
    patterns: list[str] = []
    if pnpm.get("packages"):
        patterns = text_list(tree.path(_at(folder, _PNPM)), "packages", pnpm["packages"])
    elif file and told:
        of_object = isinstance(told, dict)
        listed = told.get("packages") or [] if of_object else told
        patterns = text_list(file, "workspaces.packages" if of_object else "workspaces", listed)
    patterns += [pattern for pattern in _of_lerna(tree, folder, bool(patterns)) if pattern not in patterns]
    if not patterns:
        return None
    catalogs: dict[str, dict[str, str]] = {}
    for source in (pnpm, yarn, root, _mapping(told)):
        for name, catalog in [("default", source.get("catalog")), *_mapping(source.get("catalogs")).items()]:
            texts = {key: text for key, text in _mapping(catalog).items() if isinstance(text, str)}
            catalogs.setdefault(name, {}).update(texts)
    overrides: dict[str, Any] = {}
    for forced in (root.get("overrides"), root.get("resolutions"), _mapping(root.get("pnpm")).get("overrides")):
        overrides.update(_mapping(forced))
    overrides.update(_mapping(pnpm.get("overrides")))
    local = {name: text for name, text in overrides.items() if isinstance(text, str) and text.startswith(_LOCAL)}
    is_nested = tree.has(_at(folder, _YARN)) and not pnpm.get("packages")
    return _Workspace(tuple(patterns), catalogs, local, bool(pnpm.get("packages")), is_nested)


def _settings(tree: Tree, place: str) -> Mapping[str, Any]:
    """Read a YAML file of settings, if there is one."""
    if not tree.has(place):
        return {}
    file = tree.open(place)
    for document in load_yaml(file):
        if document != "":
            return dict(typed(file, "the document", document, dict))
    return {}


def _of_lerna(tree: Tree, folder: str, has_others: bool) -> list[str]:
    place = _at(folder, _LERNA)
    if not tree.has(place):
        return []
    file = tree.open(place)
    document = _load(file)
    if document.get("useWorkspaces") is True:
        return []
    if not document.get("packages"):
        return [] if has_others else ["packages/*"]
    return text_list(file, "packages", document["packages"])


def _manifests(tree: Tree, folder: str, found: Gathered) -> list[Manifest]:
    workspace = _workspace(tree, folder)
    has_manifest = tree.has(_at(folder, _FILE))
    if workspace is None:
        single = [_package(tree, folder, folder, _Workspace(), found)] if has_manifest else []
        _tell_of_versions(single, found)
        return single
    members = _members(tree, folder, workspace, found)
    manifests = [_package(tree, place, folder, workspace, found) for place in members]
    if has_manifest and folder not in members:
        root = _package(tree, folder, folder, workspace, found)
        root.root = bool(manifests)
        if any(_means(need, root) for manifest in manifests for need in manifest.needs):
            root.root = False
            found.look_at("the root of the workspace is a package too, since members need it", root.name or "the top")
        manifests.insert(0, root)
    _tell_of_others(tree, folder, members, found)
    _tell_of_versions(manifests, found)
    if workspace.is_pnpm:
        _tell_of_ranges(manifests, found)
    return manifests


def _members(tree: Tree, folder: str, workspace: _Workspace, found: Gathered) -> list[str]:
    """List the folders of the members, and of theirs where members may have some."""
    members: dict[str, None] = {}
    waiting = [(folder, workspace.patterns)]
    for top, patterns in waiting:  # it grows while it is read
        named = chosen(tree, top, patterns, [_FILE])
        for pattern in named.outside:
            found.left_out("patterns for packages that lead out of the folder", pattern)
        for pattern in named.idle:
            found.look_at("patterns that name no package", pattern)
        for place in named.folders:
            if place not in members and workspace.is_nested and place != top:
                inner = _workspace(tree, place)
                if inner is not None:
                    waiting.append((place, inner.patterns))
            members[place] = None
    return list(members)


def _means(need: Need, root: Manifest) -> bool:
    if need.folder is not None and need.folder == root.folder:
        return True
    return need.name == root.name and (need.takes is None or need.takes(need.wants, root.version))


def _tell_of_versions(manifests: list[Manifest], found: Gathered) -> None:
    for manifest in manifests:
        if has_no_version(manifest.version) and not manifest.root:
            found.guessed(
                "packages without a version, which are taken for what any range asks for",
                manifest.name or manifest.folder or "the top",
            )


def _tell_of_others(tree: Tree, folder: str, members: list[str], found: Gathered) -> None:
    known = {folder, *members}
    try:
        below = tree.holding(_FILE)
    except ReadError:
        found.look_at("the folder has too many folders to look in all for manifests that are not members")
        return
    for place in below:
        if place not in known and (not folder or place.startswith(folder + "/")):
            found.left_out("manifests below that are not members", place)


def _tell_of_ranges(manifests: list[Manifest], found: Gathered) -> None:
    versions = {manifest.name: manifest.version for manifest in manifests if manifest.name}
    for manifest in manifests:
        for need in manifest.needs:
            if manifest.root or need.takes is None or need.kind == "peer" or need.name not in versions:
                continue
            if need.takes(need.wants, versions[need.name]):
                found.guessed(
                    "dependencies on members by plain ranges, which pnpm takes from the registry unless "
                    "link-workspace-packages is set",
                    f"{manifest.name or manifest.folder} needs {need.name} {need.wants}",
                )


NPM = Ecosystem(
    "npm",
    (_FILE, _PNPM, _LERNA),
    _manifests,
    lambda tree, folder: _workspace(tree, folder) is not None,
    format="js",
)
"""Packages of npm, by their manifests."""
