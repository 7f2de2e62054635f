r"""``go.mod`` and ``go.work``: lines that begin with a word, alone or in blocks.

>>> text = 'module example.com/app // ours\nrequire (\n\texample.com/lib/v2 v2.0.1\n\t"a.b/c" v1.0.0 // indirect\n)\n'
>>> [(line.verb, line.words, line.comment) for line in go_lines("go.mod", text)]
[('module', ['example.com/app'], 'ours'), ('require', ['example.com/lib/v2', 'v2.0.1'], ''),
 ('require', ['a.b/c', 'v1.0.0'], 'indirect')]
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from seqkit.errors import ReadError
from seqkit.readers._files import PathLike, described, load_text

__all__ = ["GoMod", "GoWork", "Replaced", "Required", "go_lines"]

_WORD = re.compile(
    r"""\s*(?:(?P<comment>//.*)|`(?P<raw>[^`]*)`|"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<sign>=>|[()\[\],])"""
    r"""|(?P<bare>(?:(?!//|=>)[^\s()\[\],"`])+)|(?P<other>\S))"""
)
_KNOWN = frozenset(
    ("module", "go", "toolchain", "godebug", "require", "exclude", "replace", "retract", "use", "tool", "ignore")
)
_LOCAL = re.compile(r"\.{1,2}(?:[/\\]|$)|/|[A-Za-z]:[/\\]")


@dataclass(frozen=True, slots=True)
class GoLine:
    """A line, or one of a block, which is as if the word before the block stood in front of it."""

    number: int
    verb: str
    words: list[str]
    comment: str


@dataclass(frozen=True, slots=True)
class Required:
    """A module that is required."""

    module: str
    version: str
    indirect: bool
    """Whether a dependency brings it, and no package of the module itself uses it."""


@dataclass(frozen=True, slots=True)
class Replaced:
    """What is taken instead of a module, in one version or in all."""

    module: str
    version: str
    """``""`` for all."""
    by: str
    """A module, or a folder."""
    is_folder: bool


def go_lines(path: PathLike, text: str) -> Iterator[GoLine]:
    """List the lines of such a file.

    Raises
    ------
    ReadError
        With the line, where a block has no end or quotes have none.
    """
    block, opened = "", 0
    number = 0
    for number, row in enumerate(text.split("\n"), 1):
        words, comment = _words(path, number, row)
        if not words:
            continue
        if block and words == [")"]:
            block = ""
        elif not block and words[-1] == "(" and len(words) == 2:  # a word and a bracket
            block, opened = words[0], number
        elif block:
            yield GoLine(number, block, words, comment)
        elif words[-2:] != ["(", ")"]:
            yield GoLine(number, words[0], words[1:], comment)
    if block:
        raise ReadError(path, opened, f"{block} ( has no end, expected ) on a line of its own")


def _words(path: PathLike, number: int, row: str) -> tuple[list[str], str]:
    words: list[str] = []
    at = 0
    while found := _WORD.match(row, at):
        at = found.end()
        kind, text = str(found.lastgroup), found[str(found.lastgroup)]
        if kind == "comment":
            return words, text.removeprefix("//").strip()
        if kind == "other":
            raise ReadError(path, number, f"has {described(text)} without its end, expected text in quotes")
        words.append(re.sub(r"\\(.)", r"\1", text) if kind == "quoted" else text)
    return words, ""


@dataclass
class _GoFile:
    path: PathLike
    replaced: list[Replaced] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    """Lines that begin with a word that is none of Go's."""

    def _read(self) -> Iterator[GoLine]:
        """Give the lines that only one of the two kinds of files has."""
        for line in go_lines(self.path, load_text(self.path)):
            if line.verb == "replace":
                self.replaced.append(self._replacement(line))
            elif line.verb in _KNOWN:
                yield line
            else:
                self.unknown.append(" ".join([line.verb, *line.words]))

    def _replacement(self, line: GoLine) -> Replaced:
        before, after = line.words, []
        if "=>" in line.words:
            at = line.words.index("=>")
            before, after = line.words[:at], line.words[at + 1 :]
        if not (1 <= len(before) <= 2 and 1 <= len(after) <= 2):  # a module and perhaps a version
            raise self._wrong(line, "module [version] => module version, or => folder")
        is_folder = len(after) == 1 and _LOCAL.match(after[0]) is not None
        return Replaced(before[0], before[1] if len(before) > 1 else "", after[0], is_folder)

    def _wrong(self, line: GoLine, expected: str) -> ReadError:
        return ReadError(
            self.path, line.number, f"has {described(' '.join([line.verb, *line.words]))}, expected {expected}"
        )


class GoMod(_GoFile):
    """A ``go.mod``.

    Raises
    ------
    ReadError
        Where it cannot be read, or says no module.
    """

    def __init__(self, path: PathLike) -> None:
        super().__init__(path)
        self.module = ""
        self.required: list[Required] = []
        self.tools: list[str] = []
        """Packages that are run while the module is developed."""
        for line in self._read():
            if line.verb == "module":
                if len(line.words) != 1:
                    raise self._wrong(line, "module and its path")
                self.module = line.words[0]
            elif line.verb == "require":
                if len(line.words) != 2:  # a module and a version
                    raise self._wrong(line, "a module and a version")
                indirect = re.match(r"indirect\b", line.comment) is not None
                self.required.append(Required(line.words[0], line.words[1], indirect))
            elif line.verb == "tool" and line.words:
                self.tools.append(line.words[0])
        if not self.module:
            raise ReadError(path, None, "says no module, expected a line such as: module example.com/path")


class GoWork(_GoFile):
    """A ``go.work``."""

    def __init__(self, path: PathLike) -> None:
        super().__init__(path)
        self.used: list[str] = []
        """Folders of modules."""
        for line in self._read():
            if line.verb == "use":
                if len(line.words) != 1:
                    raise self._wrong(line, "a folder")
                self.used.append(line.words[0])
