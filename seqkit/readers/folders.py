"""Folders: a workspace, or repositories side by side."""

from __future__ import annotations

from collections.abc import Sequence

from seqkit._util.formats import either
from seqkit._util.secrets import as_given
from seqkit.core.graph import Cycles, RepoDependencyGraph, check_cycles
from seqkit.core.kinds import Kinds, chosen_kinds
from seqkit.errors import ReadError
from seqkit.readers._files import PathLike
from seqkit.readers._gathered import Gathered
from seqkit.readers._manifests import Ecosystem, Manifest, Unit, link, tell_of_strangers
from seqkit.readers._tree import Tree

__all__ = ["read_folder"]

_UNITS = ("package", "repo")


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
        Where the folder holds nothing that is read, or a file that is malformed.
    DependencyCycle
        With ``cycles="error"``, where there is one.
    """
    check_cycles(cycles)
    chosen_kinds(kinds)
    if unit not in _UNITS:
        raise ValueError(f"unit is {as_given(unit, 200)}, expected one of {_UNITS}")
    tree = Tree(path)
    below = tree.folders()  # says what is wrong with the folder, if anything is
    here = [ecosystem for ecosystem in ecosystems if ecosystem.is_in(tree, "")]
    workspaces = [ecosystem for ecosystem in here if ecosystem.is_workspace(tree, "")]
    found = Gathered(path, "folder" if len(workspaces) != 1 else workspaces[0].format or workspaces[0].name)
    manifests: list[Manifest] = []
    for ecosystem in workspaces:
        manifests += ecosystem.checkout(tree, "", found)
    if not workspaces:
        for checkout in ["", *below]:
            manifests += _checkout(tree, checkout, ecosystems, found)
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


def _checkout(tree: Tree, folder: str, ecosystems: Sequence[Ecosystem], found: Gathered) -> list[Manifest]:
    """Read the packages of one repository."""
    manifests = []
    for ecosystem in ecosystems:
        # What lies below the top is a repository of its own.
        if folder:
            manifests += ecosystem.checkout(tree, folder, found)
        elif ecosystem.is_in(tree, ""):
            manifests += ecosystem.manifests(tree, "", found)
    for manifest in manifests:
        manifest.checkout = folder
    if not manifests and folder:
        found.left_out("folders without a manifest at their top", folder)
    return manifests
