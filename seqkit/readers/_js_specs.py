"""What a dependency in a ``package.json`` means: a range of versions, a folder, another name, or something elsewhere.

>>> told = Spec.read("core", "workspace:^", "packages/app", "")
>>> told.name, told.folder, told.wants, told.is_local
('core', None, None, True)
>>> Spec.read("old-core", "npm:core@^1.2", "packages/app", "")
Spec(name='core', folder=None, wants='^1.2', is_local=False)
>>> Spec.read("core", "file:../core", "packages/app", "").folder
'packages/core'
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from seqkit.readers._semver import is_range, takes
from seqkit.readers._tree import joined

__all__ = ["Catalogs", "Spec", "has_no_version", "npm_takes"]

Catalogs = Mapping[str, Mapping[str, str]]
"""What ``catalog:`` stands for: by the catalog's name (``default``), then by the package's."""

_ALIAS = re.compile(r"(@[^@/]+/[^@/]+|[^@/]+)@(.*)", re.DOTALL)
_NAME = re.compile(r"(@[\w.~-]+/)?[\w.~-]+")
_FOLDERS = ("link:", "file:", "portal:", "./", "../", "/", "~/")
_TARBALL = re.compile(r"\.(tgz|tar|tar\.gz)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Spec:
    """A dependency as it is meant."""

    name: str
    """The package that is meant, whatever it is called by whom needs it."""
    folder: str | None = None
    """Where it lies, from the top of the tree, if it says so."""
    wants: str | None = None
    """The versions that it takes, or an address or a tag that no version here is; None: whatever lies here."""
    is_local: bool = False
    """Whether it says that it is here, and nothing from the registry will do."""

    @staticmethod
    def read(name: str, text: str, folder: str, top: str, catalogs: Catalogs | None = None) -> Spec:
        """Read what stands behind a name.

        Parameters
        ----------
        name, text : str
            A row of a section of dependencies.
        folder, top : str
            Where the package lies, and the workspace it is a member of.
        catalogs : mapping of str to mapping of str to str, optional
            Versions that are named in one place. One that is not there may be any.
        """
        text = text.strip()
        if text.startswith("catalog:"):
            told = ((catalogs or {}).get(text[8:].strip() or "default") or {}).get(name, "").strip()
            if not told or told.startswith("catalog:"):
                return Spec(name)
            text = told
        if text.startswith("patch:") and (patched := _ALIAS.fullmatch(text[6:].partition("#")[0])):
            name, text = patched[1], unquote(patched[2])
        if text.startswith("workspace:"):
            return _of_workspace(name, text[10:].strip(), folder, top)
        if text.startswith("npm:"):
            return _of_registry(name, text[4:].strip())
        if text.startswith(_FOLDERS) or text in (".", ".."):
            path = re.sub(r"^(link|file|portal):(//(?=/|\.))?", "", text).partition("::")[0]
            if not _TARBALL.search(path):
                return Spec(name, joined(folder, path), is_local=True)
        return Spec(name, wants=text)


def _of_workspace(name: str, told: str, folder: str, top: str) -> Spec:
    if told in ("", "*", "^", "~") or is_range(told):
        return Spec(name, is_local=True)
    if told.startswith(("./", "../", "/")) or told == ".":
        return Spec(name, joined(folder, told), is_local=True)
    if alias := _ALIAS.fullmatch(told):
        return Spec(alias[1], is_local=True)
    return Spec(name, joined(top, told), is_local=True)


def _of_registry(name: str, told: str) -> Spec:
    if alias := _ALIAS.fullmatch(told):
        return Spec(alias[1], wants=alias[2].strip())
    return Spec(name, wants=told) if is_range(told) or not _NAME.fullmatch(told) else Spec(told, wants="*")


def has_no_version(version: str | None) -> bool:
    """Tell whether a version says nothing: none, or what stands there until a release tool puts one in.

    Examples
    --------
    >>> has_no_version(None), has_no_version("0.0.0-development"), has_no_version("0.0.1")
    (True, True, False)
    """
    return version is None or version.startswith("0.0.0") or takes("*", version) is None


def npm_takes(wants: str, version: str | None) -> bool:
    """Tell whether what is asked for is a version that lies here; one that has none is what any range means.

    Examples
    --------
    >>> npm_takes("^1.0", "1.4.2"), npm_takes("^1.0", "2.0.0"), npm_takes("^1.0", None), npm_takes("latest", None)
    (True, False, True, False)
    """
    if version is None or has_no_version(version):
        return is_range(wants)
    return bool(takes(wants, version))
