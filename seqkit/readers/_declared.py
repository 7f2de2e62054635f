"""What a Python package declares that it needs, whichever table of whichever tool says so.

>>> import tempfile
>>> from seqkit.readers._gathered import Gathered
>>> with tempfile.TemporaryDirectory() as top:
...     declared = Declared(Tree(top), "packages/app", Gathered(top, "python"), sources={"lib": "packages/lib"})
...     declared.add("Lib[fast] >= 2", where="project.dependencies[0]")
...     declared.add("tool @ file:../tool", "dev", where="dependency-groups.dev[0]")
>>> for need in declared.needs: print(need.name, need.kind, need.folder, need.extras)
lib normal packages/lib ('fast',)
tool dev packages/tool ()
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import unquote

from seqkit.readers._files import described, load_text
from seqkit.readers._gathered import Gathered
from seqkit.readers._manifests import Need
from seqkit.readers._requirements import can_hold, extras_in, kind_of_group, normalised, parsed, parsed_marker
from seqkit.readers._tree import Tree, joined

__all__ = ["Declared", "folder_of"]

_ROOT = re.compile(r"\$\{PROJECT_ROOT\}|\{root((?::parent)*)(?::(?:uri|real))?(?::parent)*\}")
_COMMENT = re.compile(r"(?:^|\s)#.*")
_OPTION = re.compile(r"\s+--?[a-z].*")
_EGG = re.compile(r"[#&]egg=([A-Za-z0-9._-]+(?:\[[^\]]*\])?)")
_MOST_FILES = 100  # of requirements, by which others are read


def folder_of(url: str, folder: str) -> str | None:
    """Give the folder that a reference means, from the top: a relative path, or a URL that names the project's root.

    Examples
    --------
    >>> folder_of("file:../lib", "a"), folder_of("{root:uri}/../lib", "a"), folder_of("file:///${PROJECT_ROOT}/b", "a")
    ('lib', 'lib', 'a/b')
    >>> folder_of("file:///srv/lib", "a"), folder_of("https://example.org/lib.whl", "a")
    (None, None)
    """
    path = url.partition("#")[0]
    if root := _ROOT.search(path):
        up = root[0].count(":parent")
        return joined(folder, "./" + "../" * up + unquote(path[root.end() :]).lstrip("/"))
    if path.startswith("file:"):
        path = unquote(path.removeprefix("file:").removeprefix("//"))
    elif re.match(r"[A-Za-z][\w+.-]*:", path):
        return None
    return joined(folder, path) if path else None


class Declared:
    """What is needed, in the order in which it is declared.

    Parameters
    ----------
    tree : Tree
        Where it lies.
    folder : str
        The folder of the package, from the top.
    found : Gathered
        Who is told of what does not count or is not understood.
    sources : mapping of str to str
        Folders by normalised names: where a tool takes what it finds from, such as uv by ``tool.uv.sources``.
    requires_python : str
        Versions of Python that the package is for.

    Attributes
    ----------
    needs : list of Need
        What is needed.
    """

    def __init__(
        self, tree: Tree, folder: str, found: Gathered, sources: Mapping[str, str], requires_python: str = ""
    ) -> None:
        self.needs: list[Need] = []
        self.tree = tree
        self.folder = folder
        self.found = found
        self._sources = sources
        self._requires_python = requires_python

    def add(self, text: str, kind: str = "normal", group: str = "", where: str = "") -> None:
        """Add a requirement as PEP 508 writes it, or nearly so; `where` is the table that says it."""
        read, trouble = parsed(text)
        place = f"{self.folder or '.'}: {where}" if where else self.folder or "."
        if read is None:
            egg, folder = _EGG.search(text), folder_of(text, self.folder)
            if egg is not None:
                read, _ = parsed(egg[1])
            if folder is not None or read is not None:
                name = normalised(read.name) if read is not None else ""
                extras = tuple(map(normalised, sorted(read.extras))) if read is not None else ()
                self.needs.append(Need(name, kind, folder, group=group, extras=extras))
            else:
                self.found.look_at("requirements that are not understood", f"{place} has {described(text)}")
            return
        if trouble:
            self.found.guessed("requirements that break the rules, read by their names", f"{place} has {text}")
        folder = folder_of(read.url, self.folder) if read.url else None
        if read.marker is None or self._may_hold(read.name, str(read.marker)):
            for one in [group] if group else extras_in(read.marker) or [""]:
                self.named(read.name, kind, one, folder, sorted(read.extras))

    def named(
        self,
        name: str,
        kind: str = "normal",
        group: str = "",
        folder: str | None = None,
        extras: Iterable[str] = (),
        marker: str = "",
    ) -> None:
        """Add what is known in parts."""
        name = normalised(name)
        if marker and not self._may_hold(name, marker):
            return
        place = folder if folder is not None else self._sources.get(name)
        self.needs.append(
            Need(name, kind, place, group=normalised(group) if group else "", extras=tuple(map(normalised, extras)))
        )

    def _may_hold(self, name: str, marker: str) -> bool:
        if can_hold(parsed_marker(marker), self._requires_python):
            return True
        self.found.left_out(
            "dependencies whose markers can never hold", f"{self.folder or '.'} needs {name} where {marker}"
        )
        return False

    def add_all(self, texts: Iterable[str], kind: str = "normal", group: str = "", where: str = "") -> None:
        """Add several requirements."""
        for text in texts:
            self.add(text, kind, group, where)

    def add_group(self, group: str, texts: Iterable[str], where: str = "") -> None:
        """Add the requirements of a group of development."""
        self.add_all(texts, kind_of_group(group), where=where)

    def add_files(self, names: Iterable[str], kind: str = "normal", group: str = "") -> None:
        """Add what stands in files of requirements, as pip reads them, and in those that they name by ``-r``."""
        todo = [joined(self.folder, name) for name in names]
        known = set(todo)
        for number, place in enumerate(todo):  # it grows while it is read
            if place is None or not self.tree.has(place) or number >= _MOST_FILES:
                self.found.look_at("files of requirements that are not there", f"{self.folder or '.'} names {place}")
                continue
            text = load_text(self.tree.open(place)).replace("\\\n", " ")
            for line in text.splitlines():
                words = _COMMENT.sub("", line).strip()
                option, _, rest = (
                    words.replace("=", " ", 1).partition(" ") if words.startswith("-") else ("", "", words)
                )
                if option in ("-r", "--requirement"):
                    other = joined(place.rpartition("/")[0], rest.strip())
                    if other not in known:
                        known.add(other)
                        todo.append(other)
                elif option in ("", "-e", "--editable") and words:
                    rest = words.removeprefix(option).lstrip("= ") if option else words
                    self.add(_OPTION.sub("", rest), kind, group, place)
