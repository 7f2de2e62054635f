"""Results as CSV and JSON, to files or to stdout."""

from __future__ import annotations

import csv
import json
import math
import os
import sys
from pathlib import Path
from typing import Any

import pandas as pd

from seqkit._show.spreadsheet import harmless
from seqkit._util.files import replacing
from seqkit._util.secrets import as_given

__all__ = ["CSV_HELP", "JSON_HELP", "check_targets", "csv_text", "json_text", "write"]

_STDOUT = "-"

CSV_HELP = (
    "Write a row a repo as CSV; overwrites the file. - for stdout, instead of the tables. Names that a spreadsheet "
    "would run get a ' before them; --json has all names as they are."
)
JSON_HELP = "Write everything as a JSON object; overwrites the file. - for stdout, instead of the tables."


def check_targets(source: str, csv_to: str | None, json_to: str | None) -> bool:
    """Find out before the work what can be known not to be writable; give whether tables are to be printed.

    Raises
    ------
    ValueError, OSError
        Where both go to one place, one would replace `source`, a directory is missing, or a directory is in
        the place of a file.
    """
    targets = [target for target in (csv_to, json_to) if target is not None]
    if len({target if target == _STDOUT else os.path.realpath(target) for target in targets}) < len(targets):
        raise ValueError(f"--csv and --json are both {as_given(targets[0], 200)}, expected two places")
    for target in targets:
        if target == _STDOUT:
            continue
        path = Path(os.path.realpath(target))
        if str(path) == os.path.realpath(source):
            raise ValueError(f"{as_given(target, 200)} is the file that is read, expected another one to write to")
        if not target or path.is_dir():
            raise OSError(f"cannot write {as_given(target, 200)}: it is not the name of a file")
        if not path.parent.is_dir():
            raise OSError(
                f"cannot write {as_given(target, 200)}: there is no directory {as_given(str(path.parent), 200)}"
            )
    return _STDOUT not in targets


def write(target: str, text: str) -> None:
    """Write `text` to stdout (``-``) or to a file: whole, or not at all.

    What is no regular file, such as a pipe, is written to directly.
    """
    if target == _STDOUT:
        sys.stdout.write(text)
        return
    try:
        with replacing(target) as draft:
            draft.write_bytes(text.encode())
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OSError(f"cannot write {as_given(target, 200)}: {error.strerror or error}") from None


def csv_text(frame: pd.DataFrame, index: bool = False) -> str:
    r"""Write a frame as CSV with ``\n`` at the ends of lines, and all digits; no spreadsheet runs a cell of it.

    These are tables for people; seqkit reads none of them. What it does read is never changed on writing.

    Examples
    --------
    >>> print(csv_text(pd.DataFrame({"repo_id": ["a,b", "=1+1"], "p": [0.1, -1.0]})), end="")
    repo_id,p
    "a,b",0.1
    '=1+1,-1.0
    """
    frame = frame.reset_index() if index else frame
    frame = frame.map(lambda cell: harmless(cell) if isinstance(cell, str) else cell)
    text = frame.to_csv(index=False, lineterminator="\n")
    if "\r" in text:  # the csv module of Python 3.11 would leave it without quotes, and readers break the line there
        text = frame.to_csv(index=False, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    return text


def json_text(content: Any) -> str:
    """Write JSON that every reader takes: numbers that are none become null, and all is ASCII.

    Examples
    --------
    >>> print(json_text({"se": float("nan")}), end="")
    {
      "se": null
    }
    """
    return json.dumps(_plain(content), indent=2, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value
