"""Debian's ``Sources``: the source packages of an archive, what each makes and what it needs to be built."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from seqkit.core.graph import Cycles, RepoDependencyGraph, check_cycles
from seqkit.core.kinds import Kinds, chosen_kinds
from seqkit.errors import ReadError
from seqkit.readers._files import Opened, PathLike, described, load_text
from seqkit.readers._gathered import Gathered

__all__ = ["is_debian_sources", "read_debian"]

_NEEDS = ("build-depends", "build-depends-indep", "build-depends-arch")
_READ = frozenset(("package", "binary", "version", "extra-source-only", *_NEEDS))
_FIELD = re.compile(r"([!-9;-~]+):")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9+.\-]*")
_PROFILES = re.compile(r"<([^<>]*)>")
_SIGNS = (re.compile(r"^Package:", re.M | re.I), re.compile(r"^Binary:", re.M | re.I))
_BLANK = re.compile(r"\n[ \t]+(?=\n)")


def is_debian_sources(file: Opened) -> bool:
    """Tell whether a file has stanzas with the fields `Package` and `Binary`."""
    head = file.text[: 2**16]
    return _FIELD.match(head.lstrip()) is not None and all(sign.search(head) for sign in _SIGNS)


def read_debian(path: PathLike, *, kinds: Kinds = None, cycles: Cycles = "error") -> RepoDependencyGraph:
    r"""Read a ``Sources`` of Debian or Ubuntu; every source package is a repo.

    A source needs another where it build-depends on a binary package that the other makes. Of alternatives
    (``a | b``) the first counts that some source in the file makes. Dependencies for some architectures alone count
    like others, as do those that a build profile can leave out; ``<!nocheck>`` makes them ``test``. Those for profiles
    that are not active by default (``<stage1>``) are left out and counted. So are binary packages that no source makes:
    virtual ones (``debhelper-compat``), which the file does not tell of, and those of other archives. Nor does it say
    what binary packages need when they are installed. What a whole archive needs has cycles: ``cycles="merge"`` or
    ``"keep"``.

    Several versions of a source are one repo, with the dependencies of all; entries that are kept for their sources
    alone (``Extra-Source-Only``) are left out.

    Parameters
    ----------
    path : str or pathlib.Path
        The file, unpacked.
    kinds : str or collection of str, or None
        Which dependencies count: ``"build"`` (Build-Depends, -Indep and -Arch) and ``"test"``; ``"all"``; None for
        build alone.
    cycles : {"error", "merge", "keep"}
        As in :meth:`seqkit.RepoDependencyGraph.from_edges`.

    Returns
    -------
    RepoDependencyGraph
        With `version` (several sorted and joined by ``" + "``), `binaries` (how many it makes) and `ecosystem`
        (``debian``) as attributes.

    Raises
    ------
    ReadError
        Where a stanza is malformed (with the line).
    DependencyCycle
        With ``cycles="error"``, where there is one.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> text = '''Package: zlib
    ... Binary: zlib1g, zlib1g-dev
    ... Version: 1:1.3
    ...
    ... Package: png
    ... Binary: libpng16
    ... Version: 1.6
    ... Build-Depends: zlib1g-dev (>= 1:1.2) | libz-dev, gcc [amd64]
    ... '''
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "Sources")
    ...     _ = file.write_text(text)
    ...     read_debian(file).edges
    [('zlib', 'png')]
    """
    check_cycles(cycles)
    chosen_kinds(kinds)
    found = Gathered(path, "debian")
    makers: dict[str, str] = {}
    versions: dict[str, set[str]] = {}
    made: dict[str, set[str]] = {}
    needs: list[tuple[str, str]] = []
    for line, stanza in _stanzas(path):
        name = stanza.get("package", "")
        if not _NAME.fullmatch(name):
            raise ReadError(path, line, f"Package is {described(name)}, expected the name of a source package")
        if stanza.get("extra-source-only", "").lower() == "yes":
            found.left_out("sources that are kept for their sources alone", name)
            continue
        versions.setdefault(name, set()).update([stanza["version"]] if stanza.get("version") else [])
        binaries = made.setdefault(name, set())
        for binary in stanza.get("binary", "").replace(",", " ").split():
            binaries.add(binary)
            maker = makers.setdefault(binary, name)
            if maker != name:
                found.look_at(
                    "binary packages that several sources make, taken from the first", f"{binary}: {maker}, {name}"
                )
        needs += [(name, stanza[field]) for field in _NEEDS if stanza.get(field)]
    if not made:
        raise ReadError(path, None, "has no stanza with a Package, expected a Sources of Debian")
    for name, binaries in made.items():
        version = " + ".join(sorted(versions[name])) or None
        found.package(name, version=version, binaries=len(binaries), ecosystem="debian")
    for name, told in needs:
        for alternatives in told.split(","):
            _tell_need(name, alternatives.strip(), makers, found)
    return found.to_graph(kinds, cycles)


def _tell_need(name: str, told: str, makers: Mapping[str, str], found: Gathered) -> None:
    if not told:
        return
    is_asked = False
    for alternative in told.split("|"):
        called = _NAME.match(alternative.lstrip())
        if called is None:
            found.look_at("dependencies that are not understood", f"{name} needs {described(alternative.strip())}")
            continue
        kind = _kind(alternative)
        if kind is None:
            continue
        is_asked = True
        if called[0] in makers:
            found.needs(name, makers[called[0]], kind)
            return
    if is_asked:
        found.left_out("dependencies on binary packages that no source here makes", f"{name} needs {told}")
    else:
        found.left_out("dependencies for profiles that are not active by default", f"{name} needs {told}")


def _kind(alternative: str) -> str | None:
    """Say why it is needed: each ``<…>`` holds where all its terms do, and one that holds is enough."""
    rest = alternative.rpartition(")")[2]  # without the version, which may have a sign like that
    if "<" not in rest:
        return "build"
    groups = [group.split() for group in _PROFILES.findall(rest)]
    holding = [group for group in groups if all(term.startswith("!") for term in group)]
    if not holding and groups:
        return None
    return "test" if holding and all("!nocheck" in group for group in holding) else "build"


def _stanzas(path: PathLike) -> Iterator[tuple[int, dict[str, str]]]:
    """Give each stanza with its line: the fields that are read, in lower case, unfolded."""
    text = load_text(path)
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    text = _BLANK.sub("\n", text)
    start, line = 0, 1
    while start < len(text):
        end = text.find("\n\n", start)
        end = len(text) if end < 0 else end
        stanza = text[start:end]
        if stanza.strip():
            yield line, _fields(path, line, stanza)
        line += text.count("\n", start, end + 2)
        start = end + 2


def _fields(path: PathLike, first: int, stanza: str) -> dict[str, str]:
    fields: dict[str, list[str]] = {}
    is_in: list[str] | None = None
    is_first = True
    for number, line in enumerate(stanza.split("\n"), first):
        if not line or line.startswith("#"):
            continue
        if line[0] in " \t":
            if is_first:
                raise ReadError(path, number, f"is {described(line)}, expected a field such as `Package: name`")
            if is_in is not None:
                is_in.append(line.strip())
            continue
        told = _FIELD.match(line)
        if told is None:
            raise ReadError(path, number, f"is {described(line)}, expected a field such as `Package: name`")
        is_first = False
        key = told[1].lower()
        is_in = fields.setdefault(key, []) if key in _READ else None
        if is_in is not None:
            is_in[:] = [line[told.end() :].strip()]
    return {key: " ".join(filter(None, parts)) for key, parts in fields.items()}
