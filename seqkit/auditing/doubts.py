"""What the events of a run say of doubts: failed and perhaps out, still running, come to an end too late."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["IN_DOUBT", "STILL_RUNNING", "DoubtFacts"]

IN_DOUBT, STILL_RUNNING = "in_doubt", "still_running"
"""What a payload says true of, where it says so at all."""


@dataclass(slots=True)
class DoubtFacts:
    """In dicts from repo to the index of the event that says so; kept up event by event."""

    failed: dict[str, int] = field(default_factory=dict)
    """Failed repos of which nobody knows whether they are out."""
    going_on: dict[str, int] = field(default_factory=dict)
    """Repos with an attempt that went on though asked to stop, and has no end."""
    late: dict[str, int] = field(default_factory=dict)
    """Repos with an attempt that came to its end after it had failed."""
    came_out: dict[str, int] = field(default_factory=dict)
    """Those of them that are out by it."""
    processes: list[int] = field(default_factory=list)
    """Where a process is named."""

    def end(self, index: int, repo: str, payload: Mapping[str, Any], marks: Collection[str]) -> list[str]:
        """Take in that an attempt ended, and what it left open by those `marks`; say what is wrong in the payload."""
        self.forget(repo)
        wrong = []
        for name in marks:
            if type(payload.get(name, False)) is not bool:
                wrong.append(f"{name}, true or false")
            if payload.get(name) is True and repo not in self.came_out:
                (self.failed if name == IN_DOUBT else self.going_on)[repo] = index
        return wrong

    def come_late(self, index: int, repo: str, payload: Mapping[str, Any], has_failed: bool) -> list[str]:
        """Take in that an attempt ended too late; say what is wrong in the payload."""
        out = "run_id" in payload
        wrong = [] if type(payload.get("run_id" if out else "error")) is str else ["run_id or error, a text"]
        self.late.setdefault(repo, index)
        if out:
            self.came_out.setdefault(repo, index)
        return wrong + self.end(index, repo, payload, [IN_DOUBT] if has_failed else [])

    def forget(self, repo: str) -> None:
        """Take in that a repo begins or ends, so that what was open of it is not."""
        self.failed.pop(repo, None)
        self.going_on.pop(repo, None)
