"""Gzipped files, unpacked piece by piece and within bounds."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable, Iterator

from seqkit._util.strict_json import Unreadable

__all__ = ["is_gzipped", "unpacked"]

LARGEST_EXPANSION = 2 * 2**30
"""Bytes that a gzipped file may unpack to."""

HIGHEST_RATIO = 200
"""How many times its size a gzipped file may unpack to, once it is past `RATIO_FROM` bytes.

Executed runs come to 10 to 50 times; an all but empty megabyte to 1000."""

RATIO_FROM = 16 * 2**20
"""Up to here any ratio goes."""

_LOOK_AGAIN = 2**20
_MAGIC = b"\x1f\x8b"


def is_gzipped(raw: io.BufferedReader) -> bool:
    """Tell whether a file, of which nothing is read yet, is gzipped: no text in UTF-8 begins like that."""
    return raw.peek(2)[:2] == _MAGIC


def unpacked(raw: io.BufferedReader, read: Callable[[gzip.GzipFile], bytes]) -> Iterator[bytes]:
    r"""Unpack a file; `read` takes the next piece of what is in it.

    Raises
    ------
    Unreadable
        Where it is cut or damaged, or unpacks to more than the bounds allow.

    Examples
    --------
    >>> raw = io.BufferedReader(io.BytesIO(gzip.compress(b"one\ntwo\n")))
    >>> is_gzipped(raw), list(unpacked(raw, lambda content: content.readline(100)))
    (True, [b'one\n', b'two\n'])
    """
    size, look_at = 0, RATIO_FROM
    with gzip.GzipFile(fileobj=raw, mode="rb") as content:
        while True:
            try:
                piece = read(content)
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                raise Unreadable(f"the gzip file is cut or damaged here ({error}); nothing after it was read") from None
            if not piece:
                return
            size += len(piece)
            if size > look_at:
                if size > LARGEST_EXPANSION or size > HIGHEST_RATIO * raw.tell():
                    raise Unreadable(
                        f"unpacks to more than {LARGEST_EXPANSION >> 30} GB or {HIGHEST_RATIO} times its size; nothing "
                        "from here on was read; where you trust the file, unpack it and read that"
                    )
                look_at = size + _LOOK_AGAIN
            yield piece
