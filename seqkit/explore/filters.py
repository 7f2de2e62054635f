"""Which runs of a ledger are listed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

__all__ = ["SEARCHED", "Filters", "meant"]

SEARCHED = ("run_id", "plan_id", "originating_run_id", "train", "resumes", "agent_name", "git_sha")
"""The columns of a runs frame in which text is looked for."""


Words = Callable[[str], Mapping[str, str]]
"""Tells how each repo of a run ended."""


def meant(text: str, repos: Iterable[str]) -> list[str]:
    """Give the repos that somebody means: those that are called that, else those in whose name it stands.

    Upper and lower case are the same.

    Examples
    --------
    >>> meant("KIO", ["kio", "kio-extras", "karchive"]), meant("ki", ["kio", "kio-extras", "karchive"])
    (['kio'], ['kio', 'kio-extras'])
    """
    wanted = text.strip().casefold()
    known = [(repo, repo.casefold()) for repo in repos]
    return [repo for repo, name in known if name == wanted] or [repo for repo, name in known if wanted in name]


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

    repo: str = ""
    """A repo that the run has, or what stands in the names of some."""
    ended: str | None = None
    """How one of those repos ended in it; without `repo`, one of any."""

    def among(self, runs: pd.DataFrame, trains: Mapping[str, str], words: Words = lambda _run: {}) -> pd.DataFrame:
        """Give the rows of a runs frame that pass.

        `trains` tells the train of each run id, and `words` how the repos of a run ended, where that is asked for.
        """
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
        if self.repo.strip() or self.ended is not None:
            runs = runs[[self.passes(words(run)) for run in runs["run_id"]]]
        return runs

    def passes(self, words: Mapping[str, str]) -> bool:
        """Tell whether a run passes whose repos ended so, as far as `repo` and `ended` go."""
        repos = meant(self.repo, words) if self.repo.strip() else words
        return any(self.ended in (None, words[repo]) for repo in repos)
