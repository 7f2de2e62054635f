"""Code that is part of an attempt, as it is in a run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from seqkit.running.context import UnderWay, be_part_of, under_way

__all__ = ["part_of"]


@contextmanager
def part_of(attempt: UnderWay) -> Iterator[None]:
    """Let what runs in here be part of it."""
    before = under_way()
    be_part_of(attempt)
    try:
        yield
    finally:
        be_part_of(before)
