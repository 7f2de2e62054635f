"""What Python packages require (PEP 508): names, extras and markers, read as leniently as the tools of Python do.

>>> read, trouble = parsed("Typing_Extensions[x]>=4; python_version < '3.8'")
>>> normalised(read.name), can_hold(read.marker), can_hold(read.marker, ">=3.9")
('typing-extensions', True, False)
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from packaging.markers import InvalidMarker, Marker
from packaging.requirements import Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from seqkit._show.html import shortened

__all__ = ["can_hold", "extras_in", "kind_of_group", "normalised", "parsed", "parsed_marker", "reason"]

_START = re.compile(  # of a requirement: a name that is no path or URL, and its extras
    r"\s*(?P<name>[A-Z0-9][A-Z0-9._-]*)\s*(?P<extras>\[[^\]]*\])?(?=\s*(?:$|[\[(<>=!~;@,^*'\"]|(?<=\s)\w))\s*(?P<url>@)?",
    re.IGNORECASE | re.ASCII,
)
_TESTS = ("test", "tests", "testing")
_WORDS = re.compile(r""""([^"]*)"|'([^']*)'|([a-z_.]+)""")
_EXTRA = re.compile(r"""\bextra\s*==\s*["']([^"']+)["']|["']([^"']+)["']\s*==\s*extra\b""")
_MOST_MACHINES = 20_000  # that a marker is tried on

# What a machine says of itself; the rest of a marker's words are tried one by one.
_SYSTEMS = tuple(
    {"os_name": name, "sys_platform": platform, "platform_system": system}
    for name, platform, system in (
        ("posix", "linux", "Linux"),
        ("posix", "darwin", "Darwin"),
        ("nt", "win32", "Windows"),
        ("posix", "cygwin", "CYGWIN_NT"),
        ("posix", "emscripten", "Emscripten"),
        ("posix", "wasi", "WASI"),
        ("posix", "android", "Android"),
        ("posix", "ios", "iOS"),
        ("posix", "freebsd13", "FreeBSD"),
        ("posix", "aix", "AIX"),
        ("java", "java", "Java"),
    )
)
_IMPLEMENTATIONS = tuple(
    {"implementation_name": name, "platform_python_implementation": title}
    for name, title in (("cpython", "CPython"), ("pypy", "PyPy"), ("graalpy", "GraalVM"), ("jython", "Jython"))
)
_PYTHONS = ((2, 7), *((3, minor) for minor in range(31)))
_PYTHON = ("python_version", "python_full_version", "implementation_version")
_FREE = ("platform_machine", "platform_release", "platform_version", "extra")


def normalised(name: str) -> str:
    """Write a name as PyPI compares them (PEP 503): lower case, runs of ``-_.`` as ``-``."""
    return str(canonicalize_name(name))


def kind_of_group(group: str) -> str:
    """Give the kind of dependencies that stand in a group of development: test where it is called so, else dev.

    Examples
    --------
    >>> kind_of_group("tests"), kind_of_group("lint")
    ('test', 'dev')
    """
    return "test" if normalised(group) in _TESTS else "dev"


def parsed(text: str) -> tuple[Requirement | None, str]:
    """Read a requirement, and say in which way it breaks the rules, or ``""``; None where it has no name.

    What breaks them is read with less of it, down to its name.
    """
    trouble = ""
    for reading in _readings(text):
        try:
            return Requirement(reading), trouble
        except (ValueError, RecursionError) as error:  # InvalidRequirement is a ValueError
            trouble = trouble or reason(error)
    return None, trouble


def _readings(text: str) -> Iterator[str]:
    """List what a requirement may say: all of it; where that breaks the rules less, down to its name."""
    yield text
    if start := _START.match(text):
        name, extras = start["name"].rstrip("._-"), start["extras"] or ""
        # The marker stands behind a semicolon; in a URL, which may hold some, behind a blank and one.
        _, found, marker = text[start.end() :].partition(" ;" if start["url"] else ";")
        markers = [f" ; {marker}", ""] if found else [""]
        yield from (f"{name}{asked}{marker}" for marker in markers for asked in dict.fromkeys((extras, "")))


def reason(error: Exception) -> str:
    """Say in one line what is wrong."""
    return shortened((str(error) or type(error).__name__).splitlines()[0])


def parsed_marker(text: str) -> Marker | None:
    """Read a marker; None where there is none, or one that breaks the rules."""
    try:
        return Marker(text) if text.strip() else None
    except (InvalidMarker, RecursionError):
        return None


def extras_in(marker: Marker | None) -> list[str]:
    """List the extras that a marker asks for by ``extra == "…"``, normalised."""
    return [normalised(one or other) for one, other in _EXTRA.findall(str(marker))] if marker is not None else []


def can_hold(marker: Marker | None, requires_python: str = "") -> bool:
    """Tell whether a marker holds on any machine that a package is for; what cannot be decided may hold.

    Tried are all systems, implementations and versions of Python that `requires_python` allows, with what the marker
    itself names: a dependency counts unless its marker can never hold.

    Examples
    --------
    >>> can_hold(Marker("sys_platform == 'win32' and os_name == 'posix'")), can_hold(Marker("sys_platform == 'beos'"))
    (False, True)
    """
    return marker is None or _can_hold(str(marker), requires_python)


@lru_cache(maxsize=4096)
def _can_hold(text: str, requires_python: str) -> bool:
    marker = Marker(text)
    words = _WORDS.findall(text)
    variables = {word for _, _, word in words}
    if variables & {"extras", "dependency_groups"}:
        return True
    told = list(dict.fromkeys(one or other for one, other, word in words if not word))
    axes = [
        axis
        for names, axis in (
            (_SYSTEMS[0], _with_told(_SYSTEMS, told)),
            (_IMPLEMENTATIONS[0], _with_told(_IMPLEMENTATIONS, told)),
            (_PYTHON, _pythons(told, requires_python)),
            *(((name,), [{name: value} for value in ("", *told)]) for name in _FREE),
        )
        if variables.intersection(names)
    ]
    for number, machine in enumerate(itertools.product(*axes)):
        if number >= _MOST_MACHINES:
            return True
        environment = {"extra": ""}
        for part in machine:
            environment.update(part)
        try:
            if marker.evaluate(dict(environment)):
                return True
        except (ValueError, KeyError, TypeError, RecursionError):
            return True  # compares what cannot be compared
    return False


def _with_told(machines: Sequence[dict[str, str]], told: Sequence[str]) -> list[dict[str, str]]:
    """List machines, and for what a marker names that none of them says one that does."""
    known = {value for machine in machines for value in machine.values()}
    others = [{**machines[0], name: value} for value in told if value not in known for name in machines[0]]
    return [*machines, *others]


def _pythons(told: Sequence[str], requires_python: str) -> list[dict[str, str]]:
    """List versions of Python: each minor, and those beside what the marker names."""
    versions = {(*python, patch) for python in _PYTHONS for patch in (0, 99)}
    for text in told:
        for word in re.split(r"[\s,|]+", text):
            try:
                release = (*Version(word.removesuffix(".*")).release, 0, 0)[:3]
            except InvalidVersion:
                continue
            versions |= {(release[0], release[1], max(release[2] + step, 0)) for step in (-1, 0, 1)}
    try:
        allowed = SpecifierSet(requires_python)
    except InvalidSpecifier:
        allowed = SpecifierSet()
    full = [(f"{major}.{minor}", f"{major}.{minor}.{patch}") for major, minor, patch in sorted(versions)]
    chosen = [both for both in full if allowed.contains(both[1], prereleases=True)] or full
    return [dict(zip(_PYTHON, (minor, patch, patch), strict=True)) for minor, patch in chosen]
