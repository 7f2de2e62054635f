"""Files for importers, and what they make of them, in short."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from seqkit import ReadError
from seqkit.importers._recorded import Recorded
from seqkit.readers._files import Opened

__all__ = ["brief", "opened", "refused", "remarks", "times"]


def opened(folder: Path, **files: Any) -> list[Opened]:
    """Write files, ``name_json=`` or ``name_yml=``, and open them."""
    made = []
    for name, content in files.items():
        file = folder / ".".join(name.rsplit("_", 1))
        file.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
        made.append(Opened(file))
    return made


def brief(found: Recorded) -> list[str]:
    """Give a line a row: run, repo, attempt, status and what else there is, but for the times."""
    lines = []
    for row in found.rows:
        blocked = f"by {','.join(row.blocked_by)}" if row.blocked_by else None
        told = (row.run_id, row.repo_id, row.attempt, row.status, blocked, row.reason, row.detail)
        lines.append(" ".join(str(value) for value in told if value is not None))
    return lines


def times(found: Recorded) -> list[tuple[str | None, str | None]]:
    """Give the minutes at which rows start and end."""
    return [
        tuple(at and f"{at:%H:%M}" for at in (row.started_at, row.finished_at))  # type: ignore[misc]
        for row in found.rows
    ]


def remarks(found: Recorded) -> list[str]:
    return [str(counted) for counted in found.said()]


def refused(read: Callable[[list[Opened]], Recorded], path: Path, texts: Iterable[str]) -> Iterator[str]:
    """Give the errors of the texts that are refused, each with a ReadError."""
    for text in texts:
        path.write_text(text, "utf-8")
        try:
            read([Opened(path)])
        except ReadError as error:
            yield str(error)
