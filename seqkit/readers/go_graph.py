"""What ``go mod graph`` prints: who requires whom among all modules that a build looks at."""

from __future__ import annotations

import re
from collections.abc import Iterator

from seqkit.core.graph import Cycles, RepoDependencyGraph
from seqkit.core.kinds import Kinds
from seqkit.errors import ReadError
from seqkit.readers._exact_ids import Exact, Ids, check_options, exact_ids, graph_of_exact, tell_exact
from seqkit.readers._files import Opened, PathLike, described, load_text
from seqkit.readers._gathered import Gathered

__all__ = ["is_go_mod_graph", "read_go_mod_graph"]

_MODULE = r"[^\s@]+(?:@v\d\S*)?"
_TOOL = r"(?:go@\d\S*|toolchain@\S+)"
_LINE = re.compile(rf"(?:{_MODULE}|{_TOOL}) (?:[^\s@]+@v\d\S*|{_TOOL})")
_OF_GO = ("go", "toolchain")  # modules that stand for Go itself
_SNIFFED = 20


def is_go_mod_graph(file: Opened) -> bool:
    """Tell whether a file looks like it: by its first lines."""
    lines = [line.strip() for line in file.text[: 2**16].split("\n")[:_SNIFFED] if line.strip()]
    return bool(lines) and all(_LINE.fullmatch(line) for line in lines[:-1] or lines)


def read_go_mod_graph(
    path: PathLike, *, ids: Ids = "name@version", kinds: Kinds = None, cycles: Cycles = "error"
) -> RepoDependencyGraph:
    r"""Read the output of ``go mod graph``; every module in a version is a repo, with its `version` as attribute.

    The main module, or each of a workspace, has no version and is a root. The graph holds more than what is built:
    older versions that were asked for stand beside those that were chosen. It does not say which requirements are
    ``// indirect``, so that all dependencies are ``normal``. Requirements on Go itself (``go@1.22``,
    ``toolchain@go1.22``) are left out and counted.

    Parameters
    ----------
    path : str or pathlib.Path
        A text file, a line an edge: the module that requires, a blank, the module that is required; both as
        ``path@version``.
    ids : {"name@version", "name"}
        What a repo is called. ``"name"`` joins the versions of a module, sorted and joined by ``" + "`` in the
        attribute; modules that require older versions of each other then form cycles.
    kinds : str or collection of str, or None
        Which dependencies count; as all are ``normal``, there is nothing to choose.
    cycles : {"error", "merge", "keep"}
        As in :meth:`seqkit.RepoDependencyGraph.from_edges`.

    Raises
    ------
    ReadError
        Where a line has other than two modules (with the line), or there is none.
    DependencyCycle
        With ``cycles="error"``, where there is one.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "graph.txt")
    ...     _ = path.write_text("a.b/app go@1.22\na.b/app a.b/lib/v2@v2.0.1\na.b/lib/v2@v2.0.1 a.b/x@v1.0.0\n")
    ...     read_go_mod_graph(path).edges
    [('a.b/lib/v2@v2.0.1', 'a.b/app'), ('a.b/x@v1.0.0', 'a.b/lib/v2@v2.0.1')]
    """
    check_options(ids, kinds, cycles)
    modules: dict[str, None] = {}
    pairs = []
    of_go = []
    for before, after in _pairs(path):
        if before.partition("@")[0] in _OF_GO or after.partition("@")[0] in _OF_GO:
            of_go.append(f"{before} needs {after}")
            if before.partition("@")[0] not in _OF_GO:
                modules[before] = None
        else:
            modules.update({before: None, after: None})
            pairs.append((before, after))

    def gathered(ids: Ids) -> Gathered:
        found = Gathered(path, "go-graph", knows_kinds=False)
        exact = [_exact(module) for module in modules]
        names = dict(zip(modules, exact_ids(exact, ids), strict=True))
        tell_exact(found, exact, list(names.values()))
        for before, after in pairs:
            if names[before] != names[after]:
                found.needs(names[before], names[after])
        roots = [names[module] for module in modules if "@" not in module]
        found.root = roots[0] if len(roots) == 1 else None
        for told in of_go:
            found.left_out("requirements on Go itself", told)
        return found

    return graph_of_exact(gathered, ids, kinds, cycles)


def _pairs(path: PathLike) -> Iterator[tuple[str, str]]:
    number = 0
    is_empty = True
    for number, line in enumerate(load_text(path).split("\n"), 1):
        words = line.split()
        if not words:
            continue
        is_empty = False
        if len(words) != 2 or any(not word.partition("@")[0] for word in words):  # who needs whom
            raise ReadError(
                path, number, f"is {described(line.strip())}, expected two modules as `go mod graph` prints"
            )
        yield words[0], words[1]
    if is_empty:
        raise ReadError(path, None, "is empty, expected lines of two modules as `go mod graph` prints")


def _exact(module: str) -> Exact:
    name, _, version = module.partition("@")
    return Exact(name, version or None, attributes={"ecosystem": "go"})
