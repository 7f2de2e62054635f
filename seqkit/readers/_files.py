"""What every reader does with a file: open it, decode it, check shapes.

Whatever is wrong with a file becomes a `ReadError` that names the file, the line where
there is one, the place inside and what was expected there.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Sequence
from functools import cached_property
from typing import Any, TypeAlias

from seqkit._show.html import shortened
from seqkit._util.files import open_regular
from seqkit._util.gzipped import is_gzipped, unpacked
from seqkit._util.secrets import as_given, shown
from seqkit._util.strict_json import Unreadable, parse_json
from seqkit._util.warned import warn_caller
from seqkit._util.words import listed
from seqkit.errors import ReadError

__all__ = [
    "Opened",
    "PathLike",
    "ReadWarning",
    "described",
    "load_bytes",
    "load_json",
    "load_text",
    "name_unpacked",
    "text_list",
    "typed",
    "warn_of_content",
]

LARGEST = 256 * 2**20
"""Bytes that a file may have: it is held in memory, and what is made of it takes several times as much."""

_PIECE = 2**20
_GZ = ".gz"
_MOST_TOLD = 5

PathLike: TypeAlias = str | os.PathLike[str]

_JSON_NAMES = {
    dict: "an object",
    list: "a list",
    str: "text",
    bool: "true or false",
    int: "a number",
    float: "a number",
}


class ReadWarning(UserWarning):
    """Something in an input file that was understood in part, and how; one warning a call and kind."""


def warn_of_content(path: PathLike, summary: str, told: Sequence[str]) -> None:
    """Warn of what stands in a file, if `told` tells anything; a few are named, the rest counted."""
    if told:
        warn_caller(f"{shown(os.fspath(path))}: {summary}: {listed(told, _MOST_TOLD, apart='; ')}", ReadWarning)


class Opened(os.PathLike[str]):
    """A file into which several look: it is read and parsed once."""

    def __init__(self, path: PathLike) -> None:
        self._path = os.fspath(path)

    def __fspath__(self) -> str:
        return self._path

    @cached_property
    def text(self) -> str:
        """Its text, as :func:`load_text` gives it."""
        return load_text(self._path)

    @cached_property
    def document(self) -> Any:
        """Its JSON, as :func:`load_json` gives it."""
        return _parsed(self._path, self.text)

    def has_keys(self, *keys: str) -> bool:
        """Tell whether it is a JSON object with these keys."""
        return isinstance(self.document, dict) and all(key in self.document for key in keys)


def load_bytes(path: PathLike) -> bytes:
    """Read a file; one that is gzipped, whatever its name, is unpacked.

    Raises
    ------
    ReadError
        Where there is no such file, it may not be read, it is a pipe or a device, has more than 256 MB, unpacked too,
        or is gzipped and cut or damaged.
    """
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"path is {as_given(path, 200)} ({type(path).__name__}), expected a str or a pathlib.Path")
    try:
        with open_regular(path) as file:
            content = _unpacked(file) if is_gzipped(file) else file.read(LARGEST + 1)
    except Unreadable as error:
        raise ReadError(path, None, str(error)) from None
    except (OSError, ValueError) as error:
        raise ReadError.opening(path, error) from None
    if len(content) > LARGEST:
        raise ReadError(path, None, f"has more than {LARGEST >> 20} MB, expected dependencies in at most that")
    return content


def _unpacked(file: io.BufferedReader) -> bytes:
    """Unpack a gzipped file, as far as it is no larger than a file may be."""
    content = bytearray()
    for piece in unpacked(file, lambda within: within.read(_PIECE)):
        content += piece
        if len(content) > LARGEST:
            break
    return bytes(content)


def name_unpacked(path: PathLike) -> str:
    """Give the name of a file as tables of formats have it: without the ending that says that it is gzipped.

    Examples
    --------
    >>> name_unpacked("target/manifest.json.gz"), name_unpacked("edges.csv")
    ('target/manifest.json', 'edges.csv')
    """
    name = os.fspath(path)
    return name[: -len(_GZ)] if name.lower().endswith(_GZ) else name


def load_text(path: PathLike) -> str:
    """Read a UTF-8 file, with or without a byte order mark.

    Raises
    ------
    ReadError
        As :func:`load_bytes`, and where it is not UTF-8 (with the line).
    """
    if isinstance(path, Opened):
        return path.text
    content = load_bytes(path)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # bytes.splitlines breaks at \n, \r and \r\n only, as editors and the csv module do.
        line = len((error.object[: error.start] + b"x").splitlines())
        raise ReadError(
            path, line, f"byte 0x{error.object[error.start]:02x} is not UTF-8 ({error.reason}); save the file as UTF-8"
        ) from None


def load_json(path: PathLike) -> Any:
    """Read a JSON file, strictly: what other programs would read differently (NaN, a key twice) is refused.

    Raises
    ------
    ReadError
        As :func:`load_text`, and where the content is not JSON (with the line) or is nested too deeply.
    """
    return path.document if isinstance(path, Opened) else _parsed(path, load_text(path))


def _parsed(path: PathLike, text: str) -> Any:
    try:
        return parse_json(text)
    except Unreadable as error:
        raise ReadError(path, error.line, str(error)) from None


def described(value: object) -> str:
    """Say what a JSON value is, in one short phrase whatever its size.

    Examples
    --------
    >>> described(None), described([1, [2]]), described("x")
    ('null', 'a list', "'x'")
    """
    # Containers are never printed: repr recurses, and a file decides how deep they are.
    if isinstance(value, dict | list):
        return _JSON_NAMES[type(value)]
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return shortened(repr(value), 60)


def typed(path: PathLike, where: str, value: object, kind: type) -> Any:
    """Give `value` back if it is a `kind` (dict, list, str or bool), and, for text, if UTF-8 can hold it.

    `where` is the place in the document, such as ``packages['node_modules/a'].version``.

    Raises
    ------
    ReadError
        Naming the place, what is there and what was expected.
    """
    if not isinstance(value, kind):
        raise ReadError(path, None, f"{where} is {described(value)}, expected {_JSON_NAMES[kind]}")
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ReadError(path, None, f"{where} is {described(value)}, which holds half a character") from None
    return value


def text_list(path: PathLike, where: str, value: object) -> list[str]:
    """Give `value` back if it is a list of text."""
    return [typed(path, f"{where}[{index}]", item, str) for index, item in enumerate(typed(path, where, value, list))]
