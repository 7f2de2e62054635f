"""pip's installation reports, ``pip install --dry-run --ignore-installed --report report.json …``.

A report lists the packages that pip chose and, for each, the requirements that its metadata
declares. Which of those count depends on the machine (environment markers) and on the extras
that somebody asked for.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, cast

import networkx as nx
from packaging.markers import default_environment

from seqkit._util.words import listed
from seqkit.core.graph import Cycles, RepoDependencyGraph, check_cycles
from seqkit.core.kinds import Kinds
from seqkit.errors import DependencyCycle, ReadError
from seqkit.readers._files import (
    PathLike,
    described,
    load_json,
    text_list,
    typed,
    warn_of_content,
)
from seqkit.readers._gathered import Gathered
from seqkit.readers._requirements import normalised, parsed, reason

__all__ = ["read_pip"]

_EXTRAS = ("all", "requested")
_WORDS = re.compile(r""""[^"]*"|'[^']*'|[^\s"'()]+""")  # of a marker
_EQUAL = ("==", "!=")
_MOST_TRIES = 1_000  # of a requirement, each for another extra
_NAME = re.compile(r"[A-Z0-9]([A-Z0-9._-]*[A-Z0-9])?", re.IGNORECASE | re.ASCII)  # PEP 508


def read_pip(
    path: PathLike,
    *,
    environment: Mapping[str, str] | None = None,
    extras: Literal["all", "requested"] = "all",
    kinds: Kinds = None,
    cycles: Cycles = "error",
) -> RepoDependencyGraph:
    """Read an installation report; every package in it is a repo, with its `version` as attribute.

    Repo ids are normalised names (PEP 503: lower case, runs of ``-_.`` become ``-``). A requirement
    counts where its marker (PEP 508) holds for the package alone or with one of its active extras,
    and where the required package is in the report: pip leaves out what is installed already,
    unless it is run with ``--ignore-installed``. A package that requires an extra of itself does
    not wait for itself.

    Parameters
    ----------
    path : str or pathlib.Path
        A report of version 1.
    environment : mapping of str to str, optional
        Marker variables (PEP 508), such as ``{"sys_platform": "win32"}``, that replace those of
        the report. A variable that neither gives is taken from the running interpreter; pip
        writes all of them into a report, so that its graph is the same on every machine.
    extras : {"all", "requested"}
        Which extras are active: all that anybody asks for, a person or another package's requirement
        (and so on: an extra can ask for extras), as pip does (the default), or only those of the
        packages that a person requested.
    kinds : str or collection of str, or None
        Which dependencies count; a report tells no kinds, so that all are ``normal``.
    cycles : {"error", "merge", "keep"}
        As in :meth:`seqkit.RepoDependencyGraph.from_edges`.

    Raises
    ------
    ReadError
        Where the file is no such report, lists a package twice, or a requirement has no name.
    DependencyCycle
        With ``cycles="error"``, where there is one.

    Warns
    -----
    ReadWarning
        Where a requirement of a package in the report breaks the rules, which older versions of pip let
        through: its name is enough for an edge, and its marker counts if that alone can be read. And
        where a package is in the report that nobody requested and that nothing requested needs: older
        versions of pip leave out for which extra they took it.
    """
    check_cycles(cycles)
    if extras not in _EXTRAS:
        raise ValueError(f"extras is {extras!r}, expected one of {_EXTRAS}")
    chosen = _chosen_environment(environment)
    report = typed(path, "the document", load_json(path), dict)
    if report.get("version") != "1":
        found = described(report["version"]) if "version" in report else "missing"
        raise ReadError(path, None, f"version is {found}, expected '1': is it a report of pip?")
    told = typed(path, "environment", report.get("environment", {}), dict)
    for variable, value in told.items():
        typed(path, f"environment[{described(variable)}]", value, str)
    packages = _packages(report, path)
    environment = {**told, **chosen}
    pairs = _Edges(packages, environment, follow=extras == "all")
    warn_of_content(path, "requirements that break the rules (PEP 508) were read by their name", pairs.odd)
    if extras == "all" and not chosen:  # with another choice it is no wonder that something is left over
        warn_of_content(
            path,
            "in the report, but not requested and needed by nothing that is, as far as it tells",
            _unexplained(packages, pairs.pairs),
        )
    graph = Gathered(path, "pip", knows_kinds=False)
    for name, package in packages.items():
        graph.package(name, version=package.version)
    for before, after in pairs.pairs:
        graph.needs(after, before)
    try:
        return graph.to_graph(kinds, cycles)
    except DependencyCycle as cycle:
        also = cycle.also
        if extras == "all" and nx.is_directed_acyclic_graph(
            nx.DiGraph(_Edges(packages, environment, follow=False).pairs)
        ):
            also = 'There is no cycle with read_graph(…, extras="requested")'
        raise DependencyCycle(cycle.repos, cycle.components, cycle.way_out, also) from None


def _chosen_environment(environment: Mapping[str, str] | None) -> dict[str, str]:
    if environment is None:
        return {}
    if not isinstance(environment, Mapping):
        raise TypeError(f"environment is {environment!r}, expected a mapping of marker variables to their values")
    known = sorted(default_environment())
    for variable, value in environment.items():
        if variable not in known:
            raise ValueError(f"environment has {variable!r}, which is no marker variable; expected some of {known}")
        if not isinstance(value, str):
            raise TypeError(f"environment[{variable!r}] is {value!r} ({type(value).__name__}), expected a str")
    return dict(environment)


class _Package:
    """One item of the report: its version, its requirements and the extras it was chosen with."""

    def __init__(self, item: object, where: str, path: PathLike) -> None:
        self.where = where
        told = typed(path, where, item, dict)
        metadata = typed(path, f"{where}.metadata", told.get("metadata"), dict)
        name = typed(path, f"{where}.metadata.name", metadata.get("name"), str)
        if not _NAME.fullmatch(name):
            raise ReadError(path, None, f"{where}.metadata.name is {described(name)}, expected a package name")
        self.name = normalised(name)
        self.version = cast("str", typed(path, f"{where}.metadata.version", metadata.get("version"), str))
        # None: not told, which pip always does.
        self.requested: bool | None = (
            typed(path, f"{where}.requested", told["requested"], bool) if "requested" in told else None
        )
        self.extras = {
            normalised(extra)
            for extra in text_list(path, f"{where}.requested_extras", told.get("requested_extras", []))
        }
        where = f"{where}.metadata.requires_dist"
        self.requirements = [
            _Requirement(path, f"{where}[{index}]", text)
            for index, text in enumerate(text_list(path, where, metadata.get("requires_dist", [])))
        ]


class _Requirement:
    """What a package requires: a name, extras and a marker. Versions don't matter: pip has chosen."""

    def __init__(self, path: PathLike, where: str, text: str) -> None:
        self.where, self.text = where, text
        read, self.trouble = parsed(text)
        if read is None:
            raise ReadError(path, None, f"{where} is {described(text)}, expected a requirement: {self.trouble}")
        self.name = normalised(read.name)
        self.extras = sorted(normalised(extra) for extra in read.extras)
        self.marker = read.marker

    def holds(self, environment: Mapping[str, str], extra: str) -> bool:
        """Tell whether it counts for the package with `extra`, or with none (""); what cannot be decided counts."""
        if self.marker is None:
            return True
        try:
            return self.marker.evaluate({**environment, "extra": extra})
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            # A marker that compares what cannot be compared, or a variable that markers of metadata do not have.
            self.trouble = f"its marker cannot be evaluated: {reason(error)}"
            return True

    def extras_of_marker(self) -> Collection[str] | None:
        """List the extras that its marker names; None where it asks something else than which extra it is."""
        words = _WORDS.findall(str(self.marker)) if self.marker is not None else []
        named = set()
        for at, word in enumerate(words):
            if word == "extra":
                beside = words[at - 2 : at] if at > 1 and words[at - 1] in _EQUAL else words[at + 1 : at + 3][::-1]
                if len(beside) != 2 or beside[1] not in _EQUAL or len(beside[0]) < 3 or beside[0][0] not in "\"'":
                    return None
                named.add(normalised(beside[0][1:-1]))
        return named

    def __str__(self) -> str:
        return f"{self.where} is {described(self.text)} ({self.trouble})"


def _packages(report: Mapping[str, Any], path: PathLike) -> dict[str, _Package]:
    packages: dict[str, _Package] = {}
    for index, item in enumerate(typed(path, "install", report.get("install"), list)):
        package = _Package(item, f"install[{index}]", path)
        if package.name in packages:
            raise ReadError(
                path,
                None,
                f"install[{index}] is {package.name!r}, which {packages[package.name].where} is too; expected it once",
            )
        packages[package.name] = package
    return packages


class _Asked:
    """The requirements of a package, by the extras that can make them count: it may have hundreds of both."""

    def __init__(self, requirements: Iterable[_Requirement]) -> None:
        self._all = list(requirements)
        self._by_extra: dict[str, list[int]] = {}
        self._by_any: list[int] = []  # their markers ask something else of the extra than which it is
        for index, requirement in enumerate(self._all):
            extras = requirement.extras_of_marker()
            if extras is None:
                self._by_any.append(index)
            for extra in extras or ():
                self._by_extra.setdefault(extra, []).append(index)
        self._tries: list[int | None] = [0] * len(self._all)  # None: it has counted

    def look_at(self, environment: Mapping[str, str], extra: str) -> Iterator[tuple[_Requirement, bool]]:
        """Give requirements, and whether each counts: with no extra ("") all, then those that this one may bring.

        What has counted once is not looked at again.
        """
        chosen = range(len(self._all)) if not extra else sorted({*self._by_extra.get(extra, ()), *self._by_any})
        for index in chosen:
            requirement = self._all[index]
            tries = self._tries[index]
            if tries is None:
                continue
            if tries >= _MOST_TRIES:
                requirement.trouble = f"its marker is not evaluated for more than {_MOST_TRIES:,} extras"
            counts = tries >= _MOST_TRIES or requirement.holds(environment, extra)
            self._tries[index] = None if counts else tries + 1
            yield requirement, counts


class _Edges:
    """Who needs whom by the requirements that count.

    Attributes
    ----------
    pairs : list of (str, str)
        Needed and needing.
    odd : list of str
        The requirements among them that break the rules, as a warning tells them.
    """

    def __init__(self, packages: Mapping[str, _Package], environment: Mapping[str, str], follow: bool) -> None:
        # The extra "" stands for the package alone. Each (package, extra) is looked at once, and may
        # bring new ones onto the end of the list: a fixpoint, whatever the order.
        todo = [(name, "") for name in packages]
        todo += [
            (name, extra)
            for name, package in packages.items()
            if follow or package.requested
            for extra in sorted(package.extras)
        ]
        seen = set(todo)
        pairs = {}
        odd = {}
        asked = {
            name: _Asked(one for one in package.requirements if one.name in packages)
            for name, package in packages.items()
        }
        for name, extra in todo:
            for requirement, counts in asked[name].look_at(environment, extra):
                needed = requirement.name
                if requirement.trouble:
                    odd[requirement] = True
                if not counts:
                    continue
                if needed != name:
                    pairs[needed, name] = True
                # An extra that asks for more extras of its own package is that package's doing, not another's.
                if follow or needed == name:
                    for pair in ((needed, asked) for asked in requirement.extras):
                        if pair not in seen:
                            seen.add(pair)
                            todo.append(pair)
        self.pairs = list(pairs)
        self.odd = [str(requirement) for requirement in odd]


def _unexplained(packages: Mapping[str, _Package], pairs: Iterable[tuple[str, str]]) -> list[str]:
    """List packages that pip took for nothing that the report tells, and what asks for them under a marker."""
    if not any(package.requested for package in packages.values()):
        return []  # written by something else than pip, or cut out of a report
    needs: dict[str, list[str]] = {name: [] for name in packages}
    for needed, name in pairs:
        needs[name].append(needed)
    todo = [name for name, package in packages.items() if package.requested is not False]
    explained = set(todo)
    for name in todo:
        new = [needed for needed in needs[name] if needed not in explained]
        todo += new
        explained.update(new)
    # What another unexplained package needs hangs on that one; of a circle each is named.
    left = [name for name in packages if name not in explained]
    needed_by_them = {needed for name in left for needed in needs[name]}
    hanging = dict.fromkeys([name for name in left if name not in needed_by_them] or left)
    asking: dict[str, set[str]] = {name: set() for name in hanging}
    for other, package in packages.items():
        for one in package.requirements:
            if one.name in asking:
                asking[one.name].add(other)
    return [f"{name!r}{_asked_for(name, sorted(asking[name]))}" for name in hanging]


def _asked_for(name: str, asking: Sequence[str]) -> str:
    if not asking:
        return ", which no requirement names"
    who = listed(asking, 3, repr)
    return f", which {who} may need for an extra (add_dependency({name!r}, {asking[0]!r}) adds the edge)"
