"""What a command writes: kept in a file, and told by its end, without its secrets."""

from __future__ import annotations

import contextlib
import json
import os
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote, quote_plus

from seqkit._util.secrets import HIDDEN

__all__ = ["Mask", "Output", "log_name"]

_TOLD = 2_000  # characters that are told of an output
_WIDEST = 4  # bytes of a character
_LINE_IS_SECRET = 8  # characters from which a line of a secret is one by itself
_START_IS_SECRET = 4  # characters from which the beginning of a secret is one, where an output breaks off
_LONGEST_NAME = 100  # characters of each part of a file's name

# Of colours, titles, links and character sets; a title that never ends goes no further than its line.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)?|[ -/]*[0-~])")
_NEWLINE = re.compile(r"\r+\n?")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Mask:
    """Hides secrets, however they are written: as they are, in JSON, in a URL, without blanks around, by their lines.

    Examples
    --------
    >>> Mask(["s3/cret"]).text("user:s3/cret@host, user:s3%2Fcret@host")
    'user:***@host, user:***@host'
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets for form in _forms(secret)} - {""}
        self._forms = sorted(forms, key=lambda form: (-len(form), form))
        encoded = sorted({_encoded(form) for form in forms}, key=lambda form: (-len(form), form))
        self._encoded = encoded
        self.longest = len(encoded[0]) if encoded else 0
        # Looked for from each place: secrets may overlap, and the longest there covers the others there.
        self._in_text = re.compile(f"(?=({'|'.join(map(re.escape, self._forms))}))") if forms else None
        self._in_bytes = re.compile(b"(?=(%s))" % b"|".join(map(re.escape, encoded))) if forms else None

    def text(self, text: str) -> str:
        """Hide them in a text."""
        if self._in_text is None:
            return text
        shown, end = "", 0
        for first, last in _joined(found.span(1) for found in self._in_text.finditer(text)):
            shown += text[end:first] + HIDDEN
            end = last
        return shown + text[end:]

    def tail(self, data: bytes, start: int, breaks_off: bool) -> bytes:
        """Hide them in what stands behind `start`, also one that begins before, or one that breaks off at the end."""
        if self._in_bytes is None:
            return data[start:]
        spans = [found.span(1) for found in self._in_bytes.finditer(data)]
        for form in self._encoded if breaks_off else ():
            head = form[:_START_IS_SECRET]
            at = data.find(head, max(0, len(data) - len(form)))
            while at >= 0 and not form.startswith(data[at:]):
                at = data.find(head, at + 1)
            if at >= 0:
                spans.append((at, len(data)))
        shown, end = b"", start
        for first, last in _joined(spans):
            if last > start:
                shown += data[end : max(first, end)] + HIDDEN.encode()
                end = last
        return shown + data[end:]


def _forms(secret: str) -> Iterable[str]:
    """Spell a secret in all the ways that are looked for."""
    lines = [line.strip() for line in secret.splitlines()]
    lines = [line for line in lines if len(line) >= _LINE_IS_SECRET]
    for form in {secret, secret.strip(), secret.replace("\n", "\r\n"), *lines}:
        yield form
        yield from (json.dumps(form)[1:-1], json.dumps(form, ensure_ascii=False)[1:-1], repr(form)[1:-1])
        raw = _encoded(form)
        yield from (quote(raw), quote(raw, safe=""), quote_plus(raw))
        yield _plain(form)


def _encoded(form: str) -> bytes:
    return form.encode("utf-8", "surrogateescape")


def _joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join spans that touch or overlap."""
    joined: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if joined and first <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return joined


def _plain(text: str) -> str:
    r"""Take out what a terminal obeys; lines and tabs stay.

    Examples
    --------
    >>> _plain("\x1b[31mred\x1b[0m\r\n10 %\r20 %\a")
    'red\n10 %\n20 %'
    """
    return _CONTROL.sub("", _NEWLINE.sub("\n", _ESCAPES.sub("", text)))


class Output:
    """A file that a command writes to, which only we may read; without `kept` it is gone when it is closed.

    Only its end is ever read, so that it may be of any size.
    """

    def __init__(self, kept: Path | None = None) -> None:
        self.path = kept
        self._left: str | None = None
        self._reading = self.descriptor = -1
        try:
            if kept is not None:
                self._reading = os.open(kept, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
                name = os.fspath(kept)
            else:
                self._reading, name = tempfile.mkstemp(prefix="seqkit-", suffix=".log")
                self._left = name
            # Each write goes to the end, also where several programs write, or one of them empties the file.
            self.descriptor = os.open(name, os.O_WRONLY | os.O_APPEND)
            if kept is None:
                with contextlib.suppress(OSError):  # systems that keep open files by name: it is removed later
                    os.unlink(name)
                    self._left = None
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close it, and remove what is not kept."""
        for descriptor in (self._reading, self.descriptor):
            if descriptor >= 0:
                os.close(descriptor)
        self._reading = self.descriptor = -1
        if self._left is not None:
            with contextlib.suppress(OSError):
                os.unlink(self._left)
            self._left = None

    def drop(self) -> None:
        """Do not keep it: nothing was started that could write to it."""
        self._left = self._left if self.path is None else os.fspath(self.path)

    def tail(self, mask: Mask) -> str:
        """Give the end of it, about 2,000 characters, in plain text without secrets."""
        text, is_whole = self._end(mask, breaks_off=True)
        return text if is_whole else f"…{text}"

    def last_line(self, mask: Mask) -> str | None:
        """Give the last line that has something in it, in plain text without secrets; None where all are empty.

        Raises
        ------
        ValueError
            Where it is too long to be told.
        """
        text, is_whole = self._end(mask, breaks_off=False)
        line = text.rpartition("\n")
        if not is_whole and not line[1]:
            raise ValueError(f"the last line of its output has more than {_TOLD:,} characters")
        return line[2].strip() or None

    def _end(self, mask: Mask, breaks_off: bool) -> tuple[str, bool]:
        """Give the end of it, and whether that is all."""
        size = os.fstat(self._reading).st_size
        first = max(0, size - _WIDEST * (_TOLD + 1) - mask.longest)
        os.lseek(self._reading, first, os.SEEK_SET)
        data = b""
        while len(data) < size - first and (more := os.read(self._reading, size - first - len(data))):
            data += more
        told = mask.tail(data, mask.longest if first else 0, breaks_off)
        text = mask.text(_plain(told.decode("utf-8", "replace"))).strip()
        return text[-_TOLD:], not first and len(text) <= _TOLD


def log_name(repo_id: str, version_label: str, attempt: int, number: int) -> str:
    """Name the file of an attempt; `number` counts those that there are of it already, as other runs made, from 1.

    Examples
    --------
    >>> log_name("core", "1.0", 2, 1), log_name("org/core", "1.0", 1, 3)
    ('core@1.0-2.log', 'org%2Fcore@1.0-1.3.log')
    """
    repo, version = (quote(part, safe="", errors="replace")[:_LONGEST_NAME] for part in (repo_id, version_label))
    return f"{repo}@{version}-{attempt}{'' if number == 1 else f'.{number}'}.log"
