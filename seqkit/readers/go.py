"""Go: modules by their ``go.mod``, in a workspace (``go.work``) or as they lie in a repository."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from seqkit.core.graph import Cycles, RepoDependencyGraph
from seqkit.core.kinds import Kinds
from seqkit.errors import ReadError
from seqkit.readers._documents import load_yaml
from seqkit.readers._files import PathLike, text_list, typed
from seqkit.readers._gathered import Gathered
from seqkit.readers._go_files import GoMod, GoWork, Replaced
from seqkit.readers._manifests import Ecosystem, Manifest, Need, read_manifests
from seqkit.readers._tree import Tree, joined

__all__ = ["GO", "read_go"]

_MOD = "go.mod"
_WORK = "go.work"
_SETS = "versions.yaml"
_FIXTURES = "testdata"  # which Go passes over, as it does what begins with _
_DEEPEST = 12  # levels of folders below a module
_DEEPEST_ELSEWHERE = 5  # below a folder that may hold anything


def read_go(path: PathLike, *, kinds: Kinds = None, cycles: Cycles = "error") -> RepoDependencyGraph:
    r"""Read the Go modules of a folder; every module is a repo, called by its path (with ``/v2`` and the like).

    Where there is a ``go.work``, its modules are those that it uses. Else they are the module of the folder and all
    that lie below, as repositories of several modules have them; ``testdata``, ``vendor`` and folders whose names
    begin with ``_`` or a dot are passed over, and what lies more than 12 levels deep (5, where the folder itself is no
    module).

    An edge is a `require` of a module on another of them, by its path; in the version that is required or not, since
    whatever is required from here is released from here. A `replace` by a folder leads to the module there, one by
    another module to that. `exclude` and `retract` say nothing of who needs whom.

    Parameters
    ----------
    path : str or pathlib.Path
        The folder, or the ``go.work`` or ``go.mod`` in it. Nothing above it is read.
    kinds : str or collection of str, or None
        Which dependencies count: some of ``"normal"``, ``"implicit"`` (marked ``// indirect``: a dependency brings
        it, and it is released before that) and ``"dev"`` (the module has a `tool` of the other, beside whichever of
        the two it is, since a ``go.mod`` does not say whether it is nothing else); ``"all"``; None for all but dev.
        What only tests need is ``normal``: a ``go.mod`` does not tell it apart.
    cycles : {"error", "merge", "keep"}
        As in :meth:`seqkit.RepoDependencyGraph.from_edges`. Modules may require each other.

    Returns
    -------
    RepoDependencyGraph
        With `path` and `ecosystem` (``go``) as attributes. Versions are tags and stand in no file, unless there is
        a ``versions.yaml`` of OpenTelemetry's multimod at the top: then `version` is that of the module's set, and
        `private` is set for its excluded modules.

    Raises
    ------
    ReadError
        Where there is no module, or a file that counts is malformed.
    DependencyCycle
        With ``cycles="error"``, where there is one; it says which kinds to leave out, if that opens it.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     def write(place, text):
    ...         pathlib.Path(folder, place).mkdir(exist_ok=True)
    ...         _ = pathlib.Path(folder, place, "go.mod").write_text(text)
    ...     write("", "module example.com/core/v2\n")
    ...     write("cmd", "module example.com/core/v2/cmd\nrequire (\n\texample.com/core/v2 v2.1.0\n)\n")
    ...     graph = read_go(folder)
    >>> graph.edges, graph.attributes("example.com/core/v2/cmd")["path"]
    ([('example.com/core/v2', 'example.com/core/v2/cmd')], 'cmd')
    """
    return read_manifests(GO, path, "go", kinds, cycles)


def _at(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


@dataclass(frozen=True)
class _ModuleSets:
    """What multimod's ``versions.yaml`` says: versions of modules, and modules that are not released."""

    versions: Mapping[str, str] = field(default_factory=dict)
    excluded: frozenset[str] = frozenset()

    @classmethod
    def read(cls, tree: Tree, folder: str, found: Gathered) -> _ModuleSets:
        above = folder.split("/")
        places = [_at("/".join(above[:count]), _SETS) for count in range(len(above), -1, -1)]
        place = next(filter(tree.has, places), None)
        if place is None:
            return cls()
        file = tree.open(place)
        documents = load_yaml(file)
        document = documents[0] if documents else None
        if not isinstance(document, dict) or "module-sets" not in document:
            found.left_out("files called versions.yaml that have no module-sets", place)
            return cls()
        versions = {}
        for name, told in typed(file, "module-sets", document["module-sets"] or {}, dict).items():
            where = f"module-sets.{name}"
            table = typed(file, where, told, dict)
            version = typed(file, f"{where}.version", table.get("version", ""), str)
            for module in text_list(file, f"{where}.modules", table.get("modules") or []):
                versions[module] = version
        return cls(versions, frozenset(text_list(file, "excluded-modules", document.get("excluded-modules") or [])))


def _manifests(tree: Tree, folder: str, found: Gathered) -> list[Manifest]:
    """Read what a workspace uses, else the module of a folder and those below."""
    below = list(_modules_below(tree, folder))
    sets = _ModuleSets.read(tree, folder, found)
    if not tree.has(_at(folder, _WORK)):
        manifests = [_manifest(tree, folder, folder, [], sets, found)]
        for place in below:
            try:
                manifests.append(_manifest(tree, place, folder, [], sets, found))
            except ReadError as error:  # nobody named it: a template, say
                found.look_at("manifests below that cannot be read", f"{place}: {error.message}")
        return manifests
    work = GoWork(tree.open(_at(folder, _WORK)))
    _tell_unknown(work.unknown, found)
    used = list(_used(tree, folder, work, found))
    for place in sorted({*below}.difference(used)):
        found.left_out("modules below that the workspace does not use", place)
    return [_manifest(tree, place, folder, work.replaced, sets, found) for place in used]


def _used(tree: Tree, folder: str, work: GoWork, found: Gathered) -> Iterator[str]:
    met = set()
    for one in work.used:
        place = joined(folder, one)
        if place is None:
            found.left_out("modules outside the folder, which are not read", one)
        elif not tree.has(_at(place, _MOD)):
            found.look_at("modules that are used and are not there", one)
        elif place not in met:
            met.add(place)
            yield place


def _manifest(
    tree: Tree, place: str, top: str, replaced: list[Replaced], sets: _ModuleSets, found: Gathered
) -> Manifest:
    mod = GoMod(tree.open(_at(place, _MOD)))
    _tell_unknown(mod.unknown, found)
    instead = {(one.module, one.version): (one, top) for one in replaced}
    instead = {**{(one.module, one.version): (one, place) for one in mod.replaced}, **instead}
    modules = {one.module for one in mod.required}
    tools = {_provider(tool, modules) for tool in mod.tools}
    needs = []
    for one in mod.required:
        replacement, base = instead.get((one.module, one.version)) or instead.get((one.module, "")) or (None, "")
        name, target = one.module, None
        if replacement is not None and replacement.is_folder:
            target = joined(base, replacement.by)
        elif replacement is not None:
            name = replacement.by
        needs.append(Need(name, "implicit" if one.indirect else "normal", target))
        if one.module in tools:
            needs.append(Need(name, "dev", target))
    return Manifest(
        "go",
        mod.module,
        place,
        version=sets.versions.get(mod.module) or None,
        private=mod.module in sets.excluded,
        needs=needs,
    )


def _provider(tool: str, modules: Collection[str]) -> str:
    """Find the module that a package is of: the one with the longest path that it begins with."""
    while tool and tool not in modules:
        tool = tool.rpartition("/")[0]
    return tool


def _tell_unknown(lines: list[str], found: Gathered) -> None:
    for line in lines:
        found.left_out("lines that begin with no word of Go's", line)


def _modules_below(tree: Tree, folder: str, deepest: int = _DEEPEST) -> Iterator[str]:
    """List the folders below that hold modules, each before what is in it."""
    waiting = [(folder, 0)]
    while waiting:
        place, depth = waiting.pop()
        if place != folder and tree.has(_at(place, _MOD)):
            yield place
        if depth < deepest:
            waiting += [
                (below, depth + 1)
                for below in reversed(tree.folders(place))
                if _is_looked_into(below.rpartition("/")[2])
            ]


def _is_looked_into(name: str) -> bool:
    return name != _FIXTURES and not name.startswith("_")


def _is_workspace(tree: Tree, folder: str) -> bool:
    return tree.has(_at(folder, _WORK)) or next(_modules_below(tree, folder), None) is not None


def _others(tree: Tree, folder: str) -> list[str]:
    """List the modules below a folder that is none itself and has no workspace."""
    if GO.is_in(tree, folder) or not _is_looked_into(folder.rpartition("/")[2]):
        return []
    return list(_modules_below(tree, folder, _DEEPEST_ELSEWHERE))


GO = Ecosystem("go", (_WORK, _MOD), _manifests, _is_workspace, others=_others)
"""How Go's modules are found in folders."""
