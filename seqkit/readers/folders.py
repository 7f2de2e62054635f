"""Folders: a workspace, or repositories side by side."""

from __future__ import annotations

from collections.abc import Sequence

from seqkit._util.formats import either
from seqkit._util.secrets import as_given
from seqkit.core.graph import Cycles, RepoDependencyGraph, check_cycles
from seqkit.core.kinds import Kinds, chosen_kinds
from seqkit.errors import ReadError
from seqkit.readers._files import PathLike, warn_of_content
from seqkit.readers._gathered import Gathered
from seqkit.readers._manifests import Ecosystem, Manifest, Unit, link, tell_of_strangers
from seqkit.readers._tree import Tree

__all__ = ["read_folder"]

_UNITS = ("package", "repo")
_BROKEN = "repositories that cannot be read and are not in the graph; mend them or move them away"


def read_folder(
    path: PathLike,
    ecosystems: Sequence[Ecosystem],
    *,
    unit: Unit = "package",
    kinds: Kinds = None,
    cycles: Cycles = "error",
) -> RepoDependencyGraph:
    """Read a folder: the workspace whose files stand at its top, else the repositories that lie in it side by side.

    Packages are joined by the names that they are published under, in each ecosystem by itself; so a workspace that is
    split into a folder a member, without its root, gives the same dependencies.

    One repository among others whose files are malformed is not in the graph, and that is said, by a warning and in the
    report. A manifest beside the repositories without a name or patterns for members belongs to none of them.

    Parameters
    ----------
    path : str or pathlib.Path
        The folder. Nothing above it is read, and no link out of it is followed.
    ecosystems : sequence of Ecosystem
        What to look for.
    unit : {"package", "repo"}
        What a repo of the graph is: a package, or a checkout with all its packages, which are then its `members`.
    kinds : str or collection of str, or None
        Which dependencies count: some of `seqkit.core.kinds.KINDS`, ``"all"``, or None for all but dev, test and
        extra.
    cycles : {"error", "merge", "keep"}
        As in :meth:`seqkit.RepoDependencyGraph.from_edges`.

    Raises
    ------
    ReadError
        Where the folder holds nothing that is read, or a workspace's file or all manifests are malformed.
    DependencyCycle
        With ``cycles="error"``, where there is one.

    Warns
    -----
    ReadWarning
        Where a repository among others cannot be read.
    """
    check_cycles(cycles)
    chosen_kinds(kinds)
    if unit not in _UNITS:
        raise ValueError(f"unit is {as_given(unit, 200)}, expected one of {_UNITS}")
    tree = Tree(path)
    below = tree.folders()  # says what is wrong with the folder, if anything is
    broken: list[ReadError] = []
    workspaces = [ecosystem for ecosystem in ecosystems if _is_workspace(ecosystem, tree, broken if below else None)]
    found = Gathered(path, "folder" if len(workspaces) != 1 else workspaces[0].format or workspaces[0].name)
    manifests: list[Manifest] = []
    for ecosystem in workspaces:
        manifests += ecosystem.checkout(tree, "", found)
    if not workspaces:
        for checkout in ["", *tree.apart(below)]:
            manifests += _checkout(tree, checkout, ecosystems, found, broken)
        manifests = _without_stray(manifests, found)
    if not manifests and broken:
        raise broken[0]
    told = list(dict.fromkeys(str(error) for error in broken))
    for one in told:
        found.look_at(_BROKEN, one)
    warn_of_content(path, _BROKEN, told)
    if not manifests:
        files = dict.fromkeys(name for ecosystem in ecosystems for name in ecosystem.files)
        raise ReadError(
            path, None, f"holds nothing that is read, expected {either(list(files))} in it or one level deeper"
        )
    names = dict.fromkeys(manifest.ecosystem for manifest in manifests)
    if len(names) > 1:
        for name in names:
            found.look_at("ecosystems, each joined by its own names", name)
    link(manifests, found, unit)
    tell_of_strangers(tree, found)
    return found.to_graph(kinds, cycles)


def _is_workspace(ecosystem: Ecosystem, tree: Tree, broken: list[ReadError] | None) -> bool:
    """Tell whether the top is the root of a workspace; what is no more than malformed there is not."""
    try:
        return ecosystem.is_in(tree, "") and ecosystem.is_workspace(tree, "")
    except ReadError as error:
        if broken is None:
            raise
        broken.append(error)
        return False


def _checkout(
    tree: Tree, folder: str, ecosystems: Sequence[Ecosystem], found: Gathered, broken: list[ReadError]
) -> list[Manifest]:
    """Read the packages of one repository; what is malformed is added to `broken`."""
    manifests = []
    before = len(broken)
    for ecosystem in ecosystems:
        try:
            # What lies below the top is a repository of its own.
            if folder:
                manifests += ecosystem.checkout(tree, folder, found)
            elif ecosystem.is_in(tree, ""):
                manifests += ecosystem.manifests(tree, "", found)
        except ReadError as error:
            broken.append(error)
    for manifest in manifests:
        manifest.checkout = folder
    if not manifests and folder and len(broken) == before:
        if any(ecosystem.is_in(tree, folder) for ecosystem in ecosystems):
            found.left_out("folders whose manifests describe no package", folder)
        else:
            found.left_out("folders without a manifest at their top", folder)
    return manifests


def _without_stray(manifests: list[Manifest], found: Gathered) -> list[Manifest]:
    """Leave out what lies beside the repositories and is called nothing: the settings of somebody's tools."""
    kept = [manifest for manifest in manifests if manifest.checkout or manifest.name]
    if not kept or len(kept) == len(manifests):
        return manifests
    for manifest in manifests:
        if manifest not in kept:
            found.left_out("manifests beside the repositories that have no name", f"the one of {manifest.ecosystem}")
    return kept
