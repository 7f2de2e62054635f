"""Versions as Poetry asks for them: ``^1.2``, ``~1.2``, ``1.*``, ``>=1,<2 || ==3``.

Source: Poetry's documentation, "Dependency specification".
"""

from __future__ import annotations

import re

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

__all__ = ["meets", "specifiers"]


def meets(version: str | None, constraint: str) -> bool:
    """Tell whether a version meets a constraint; none meets one that is not understood.

    Examples
    --------
    >>> meets("1.9", "^1.2"), meets("2.0", "^1.2"), meets("0.3", "^0.2.5"), meets("1.3", "~1.2"), meets("1", ">=2 || 1")
    (True, False, False, False, True)
    """
    try:
        exact = Version(version or "")
        return any(
            all(_specifiers(part).contains(exact, prereleases=True) for part in _parts(choice))
            for choice in re.split(r"\|\|?", constraint)
        )
    except (InvalidVersion, InvalidSpecifier):
        return False


def _parts(choice: str) -> list[str]:
    """Split what must hold at once: at commas, and at blanks that do not follow an operator."""
    return [part for part in re.split(r",|(?<![<>=!~^ ])\s+(?=[<>=!~^\d])", choice.strip()) if part.strip()] or ["*"]


def _specifiers(part: str) -> SpecifierSet:
    part = part.strip()
    if part == "*":
        return SpecifierSet()
    if part[0] not in "^~" or part.startswith("~="):
        return SpecifierSet(part if part[0] in "<>=!~" and not re.match(r"=[^=]", part) else f"=={part.lstrip('= ')}")
    lowest = Version(part[1:].strip())
    release = list(lowest.release)
    if part[0] == "~":
        place = min(1, len(release) - 1)
    else:
        place = next((place for place, number in enumerate(release) if number), len(release) - 1)
    highest = [*release[:place], release[place] + 1]
    return SpecifierSet(f">={lowest},<{'.'.join(map(str, highest))}")


def specifiers(constraint: str) -> str:
    """Write a constraint as PEP 440 does, or ``""`` where that cannot say it: one of several choices.

    Examples
    --------
    >>> specifiers("^3.9"), specifiers("~2.7 || ^3.6")
    ('<4,>=3.9', '')
    """
    if "|" in constraint:
        return ""
    try:
        return ",".join(sorted(str(one) for part in _parts(constraint) for one in _specifiers(part)))
    except (InvalidVersion, InvalidSpecifier):
        return ""
