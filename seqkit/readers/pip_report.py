"""pip's installation reports, ``pip install --dry-run --ignore-installed --report report.json …``.

A report lists the packages that pip chose and, for each, the requirements that its metadata
declares. Which of those count depends on the machine (environment markers) and on the extras
that somebody asked for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal, cast

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from seqkit._html import shortened
from seqkit.errors import ReadError
from seqkit.graph import RepoDependencyGraph
from seqkit.readers._files import Cycles, PathLike, build, check_cycles, described, load_json, text_list, typed

__all__ = ["pip_graph", "read_pip"]

_EXTRAS = ("all", "requested")
_NAME = re.compile(r"[A-Z0-9]([A-Z0-9._-]*[A-Z0-9])?", re.IGNORECASE | re.ASCII)  # PEP 508


def read_pip(
    path: PathLike,
    *,
    environment: Mapping[str, str] | None = None,
    extras: Literal["all", "requested"] = "requested",
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
        Which extras are active: only those of the packages that a person requested (the default),
        or all that anybody asks for, a person or another package's requirement (and so on: an extra
        can ask for extras), as pip does.
    cycles : {"error", "merge"}
        As in :meth:`seqkit.RepoDependencyGraph.from_edges`.

    Raises
    ------
    ReadError
        Where the file is no such report, lists a package twice, or a requirement cannot be understood.
    DependencyCycle
        With ``cycles="error"``, where there is one.
    """
    return pip_graph(load_json(path), path, environment=environment, extras=extras, cycles=cycles)


def pip_graph(
    document: object,
    path: PathLike,
    *,
    environment: Mapping[str, str] | None = None,
    extras: Literal["all", "requested"] = "requested",
    cycles: Cycles = "error",
) -> RepoDependencyGraph:
    """Do what :func:`read_pip` does with a document that is already read; `path` is for errors."""
    check_cycles(cycles)
    if extras not in _EXTRAS:
        raise ValueError(f"extras is {extras!r}, expected one of {_EXTRAS}")
    chosen = _chosen_environment(environment)
    report = typed(path, "the document", document, dict)
    if report.get("version") != "1":
        found = described(report["version"]) if "version" in report else "missing"
        raise ReadError(path, None, f"version is {found}, expected '1': is it a report of pip?")
    told = typed(path, "environment", report.get("environment", {}), dict)
    for variable, value in told.items():
        typed(path, f"environment[{described(variable)}]", value, str)
    packages = _packages(report, path)
    pairs = _active_pairs(path, packages, {**told, **chosen}, extras == "all")
    return build(path, pairs, {name: {"version": package.version} for name, package in packages.items()}, cycles)


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
        self.name = str(canonicalize_name(name))
        self.version = cast("str", typed(path, f"{where}.metadata.version", metadata.get("version"), str))
        self.requested: bool = typed(path, f"{where}.requested", told.get("requested", False), bool)
        self.extras = {
            str(canonicalize_name(extra))
            for extra in text_list(path, f"{where}.requested_extras", told.get("requested_extras", []))
        }
        where = f"{where}.metadata.requires_dist"
        self.requirements = [
            _requirement(path, f"{where}[{index}]", text)
            for index, text in enumerate(text_list(path, where, metadata.get("requires_dist", [])))
        ]


def _requirement(path: PathLike, where: str, text: str) -> Requirement:
    try:
        return Requirement(text)
    except (ValueError, RecursionError) as error:  # InvalidRequirement is a ValueError
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise ReadError(
            path, None, f"{where} is {described(text)}, expected a requirement: {shortened(reason)}"
        ) from None


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


def _active_pairs(
    path: PathLike, packages: Mapping[str, _Package], environment: Mapping[str, str], follow: bool
) -> list[tuple[str, str]]:
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
    for name, extra in todo:
        package = packages[name]
        for index, requirement in enumerate(package.requirements):
            needed = str(canonicalize_name(requirement.name))
            if needed not in packages:
                continue
            if not _holds(path, f"{package.where}.metadata.requires_dist[{index}]", requirement, environment, extra):
                continue
            if needed != name:
                pairs[needed, name] = True
            # An extra that asks for more extras of its own package is that package's doing, not another's.
            if follow or needed == name:
                for asked in sorted(requirement.extras):
                    pair = needed, str(canonicalize_name(asked))
                    if pair not in seen:
                        seen.add(pair)
                        todo.append(pair)
    return list(pairs)


def _holds(path: PathLike, where: str, requirement: Requirement, environment: Mapping[str, str], extra: str) -> bool:
    if requirement.marker is None:
        return True
    try:
        return requirement.marker.evaluate({**environment, "extra": extra})
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        # A marker that compares what cannot be compared, or a variable that markers of metadata do not have.
        reason = shortened(str(error) or type(error).__name__)
        raise ReadError(path, None, f"{where} has a marker that cannot be evaluated: {reason}") from None
