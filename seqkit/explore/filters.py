"""Which runs of a ledger are listed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

__all__ = ["SEARCHED", "Filters"]

SEARCHED = ("run_id", "plan_id", "originating_run_id", "train", "resumes", "agent_name", "git_sha")
"""The columns of a runs frame in which text is looked for."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What a run must be to be listed; None, and empty text, let every run pass.

    Examples
    --------
    >>> from seqkit import MemoryRunLedger, RepoDependencyGraph, build_plan, run_plan, runs_frame
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1.0")
    >>> ledger = MemoryRunLedger(ids=["monday", "tuesday"])
    >>> _ = run_plan(plan, 1.0, ledger), run_plan(plan, 0.0, ledger)
    >>> Filters(status="FAILED").among(runs_frame(ledger), {})["run_id"].tolist()
    ['monday']
    """

    status: str | None = None
    """How the run stands."""
    policy: str | None = None
    """The policy it went by."""
    train: str | None = None
    """The train it belongs to."""
    text: str = ""
    """What one of :data:`SEARCHED` contains, in upper or lower case."""

    def among(self, runs: pd.DataFrame, trains: Mapping[str, str]) -> pd.DataFrame:
        """Give the rows of a runs frame that pass; `trains` tells the train of each run id."""
        if self.status is not None:
            runs = runs[runs["status"] == self.status]
        if self.policy is not None:
            runs = runs[(runs["policy"] == self.policy).fillna(False)]
        if self.train is not None:
            runs = runs[[trains[run] == self.train for run in runs["run_id"]]]
        if self.text:
            wanted = self.text.casefold()
            rows = zip(*(runs[name] for name in SEARCHED), strict=True)
            runs = runs[[any(not pd.isna(cell) and wanted in cell.casefold() for cell in row) for row in rows]]
        return runs
