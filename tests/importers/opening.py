"""Files of other systems, written for a test and read as an importer is given them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seqkit.importers._recorded import Recorded
from seqkit.readers._files import Opened

__all__ = ["said", "told", "written"]


def written(folder: Path, documents: Mapping[str, Any]) -> list[Opened]:
    """Write files by their names, gzipped where those say so: text as it is, all else as JSON."""
    files = []
    for name, document in documents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = document if isinstance(document, str) else json.dumps(document)
        content = text.encode("utf-8", "surrogatepass")
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        files.append(Opened(path))
    return files


def told(found: Recorded) -> list[tuple[Any, ...]]:
    """Give repo, attempt, status, blockers and detail of every row."""
    return [(row.repo_id, row.attempt, row.status, list(row.blocked_by), row.detail) for row in found.rows]


def said(found: Recorded) -> str:
    """Give all that was said, a line each."""
    return "\n".join(map(str, found.said()))
