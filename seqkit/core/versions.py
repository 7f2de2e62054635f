"""The version that comes after another: SemVer 2.0 and PEP 440.

>>> bumped("1.4.2", "minor"), bumped("2.0.0-rc.1", "patch"), bumped("v0.3.1", "patch")
('1.5.0', '2.0.0', 'v0.3.2')
>>> bumped("1.4", "patch"), bumped("2024.1rc2", "patch"), bumped("1!3.1.post2", "major")
('1.4.1', '2024.1', '1!4.0')
"""

from __future__ import annotations

from typing import Literal

from packaging.version import InvalidVersion
from packaging.version import Version as PythonVersion
from semver import Version as SemanticVersion

from seqkit._util.secrets import as_given

__all__ = ["BUMPS", "Bump", "bumped"]

Bump = Literal["major", "minor", "patch"]
BUMPS: tuple[Bump, ...] = ("major", "minor", "patch")


def bumped(version: str, bump: Bump, python: bool = False) -> str:
    """Give the next version.

    A version of three numbers is read by SemVer, any other by PEP 440, and so is all where `python` says so. What was
    on the way to a release (``-rc.1``, ``rc1``, ``.dev3``) becomes that release where it is enough; what is added to
    one (``+build``, ``.post1``) goes.

    Parameters
    ----------
    version : str
        The last one; a ``v`` before it stays.
    bump : {"major", "minor", "patch"}
        Which number grows; those after it become 0.
    python : bool
        Whether it is a Python package's.

    Raises
    ------
    ValueError
        Where it is neither.
    """
    prefix, number = ("v", version[1:]) if version[:1] == "v" else ("", version)
    if not python and SemanticVersion.is_valid(number):
        return prefix + str(SemanticVersion.parse(number).next_version(bump))
    try:
        read = PythonVersion(number)
    except InvalidVersion:
        raise ValueError(
            f"version {as_given(version, 80)} is neither SemVer (1.4.2) nor PEP 440 (1.4, 2024.1rc2), so that nobody "
            "can tell what comes after it"
        ) from None
    place = BUMPS.index(bump)
    numbers = list(read.release)
    if not read.is_prerelease or any(numbers[place + 1 :]):
        numbers += [0] * (place + 1 - len(numbers))
        numbers[place:] = [numbers[place] + 1, *[0] * (len(numbers) - place - 1)]
    epoch = f"{read.epoch}!" if read.epoch else ""
    return f"{prefix}{epoch}{'.'.join(map(str, numbers))}"
