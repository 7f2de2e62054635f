"""What came out differently in two runs of a ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd

from seqkit._show.palette import EVERY_STYLE
from seqkit._util import dtypes
from seqkit._util.words import inflected, plural

__all__ = ["WORDS", "RunDiff", "companion", "diff_runs", "words_of"]

WORDS = ("succeeded", "failed", "in_doubt", "blocked", "stopped", "skipped", "unreleased", "in_progress", "pending")
"""How an item may have ended: its status or, of a skipped one, the cause, where anybody told it; ``in_doubt`` where it
failed and nobody knows whether it is out. The order of all counts."""

_SHOWN = 4  # kinds of change that the summary names


class RunDiff(NamedTuple):
    """Where two runs differ, repo by repo and in one line."""

    frame: pd.DataFrame
    """A row for each repo that differs; see :func:`diff_runs`."""
    summary: str
    """The same as a sentence."""


class _Ending(NamedTuple):
    status: str
    version: str | None
    reason: str | None


def words_of(items: pd.DataFrame) -> dict[str, str]:
    """Tell how each repo of an items frame ended, one of :data:`WORDS`.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, build_plan, what_if
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1.0")
    >>> words_of(what_if(plan, fail="core").to_frame())
    {'core': 'failed', 'api': 'blocked'}
    """
    unsure = (items["status"] == "failed") & items["in_doubt"].fillna(False)
    return {
        repo: "in_doubt" if doubt else status if pd.isna(cause) else cause
        for repo, status, cause, doubt in zip(
            items["repo_id"], items["status"], items["skip_cause"], unsure, strict=True
        )
    }


def diff_runs(a: pd.DataFrame, b: pd.DataFrame) -> RunDiff:
    """Compare what became of every repo in two runs.

    Parameters
    ----------
    a, b : DataFrame
        The items of a run each, as :func:`seqkit.items_frame` gives them.

    Returns
    -------
    RunDiff
        Its `frame` has a row for each repo that differs, those of `b` in plan order, then those that only `a` has:

        - `repo_id` (string).
        - `changes` (object: list of str): ``only in a``, ``only in b``; else ``status``, ``version``, ``reason``.
        - `status_a`, `status_b` (ordered categorical over :data:`WORDS`): how it ended.
        - `version_a`, `version_b`, `reason_a`, `reason_b` (string).

    Examples
    --------
    >>> from seqkit import MemoryRunLedger, RepoDependencyGraph, build_plan, items_frame, run_plan
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1.0")
    >>> ledger = MemoryRunLedger(ids=["monday", "tuesday"])
    >>> _ = run_plan(plan, {"api": 1.0}, ledger), run_plan(plan, 0.0, ledger)
    >>> difference = diff_runs(items_frame(ledger, "monday"), items_frame(ledger, "tuesday"))
    >>> difference.summary
    '1 of 2 repos differs: 1 failed → succeeded'
    >>> difference.frame[["repo_id", "changes", "status_a", "status_b"]].values.tolist()
    [['api', ['status', 'reason'], 'failed', 'succeeded']]
    """
    before, after = _endings(a), _endings(b)
    nothing = _Ending("", None, None)
    changes: dict[str, list[str]] = {}
    for repo in [*after, *(repo for repo in before if repo not in after)]:
        if found := _changes(before.get(repo), after.get(repo)):
            changes[repo] = found
    pairs = [(before.get(repo, nothing), after.get(repo, nothing)) for repo in changes]

    def column(side: int, name: str) -> list[str | None]:
        return [getattr(pair[side], name) for pair in pairs]

    columns: dict[str, Any] = {"repo_id": dtypes.string(list(changes)), "changes": dtypes.objects(changes.values())}
    for side, letter in enumerate("ab"):
        ended = [word or None for word in column(side, "status")]
        columns[f"status_{letter}"] = dtypes.categorical(ended, WORDS)
    for name in ("version", "reason"):
        for side, letter in enumerate("ab"):
            columns[f"{name}_{letter}"] = dtypes.string(column(side, name))
    return RunDiff(dtypes.frame(columns), _summary(changes, before, after))


def companion(runs: pd.DataFrame, run_id: str) -> str | None:
    """Say with which run to compare one: the run it resumes, else the last before it of the same plan.

    Where there is neither, the last before it, else the next; None where it is the only one. `runs` is a
    :func:`seqkit.runs_frame`, newest first.
    """
    ids = list(runs["run_id"])
    here = ids.index(run_id)
    own, older = runs.iloc[here], runs.iloc[here + 1 :]
    resumed = None if pd.isna(own["resumes"]) else str(own["resumes"])
    if resumed in ids and resumed != run_id:
        return resumed
    of_plan = older[(older["plan_id"] == own["plan_id"]).fillna(False)]
    nearest = [*of_plan["run_id"], *older["run_id"], *reversed(ids[:here])]
    return nearest[0] if nearest else None


def _endings(items: pd.DataFrame) -> dict[str, _Ending]:
    versions, reasons = ([None if pd.isna(v) else v for v in items[name]] for name in ("version_label", "reason"))
    return {
        repo: _Ending(word, version, reason)
        for (repo, word), version, reason in zip(words_of(items).items(), versions, reasons, strict=True)
    }


def _changes(a: _Ending | None, b: _Ending | None) -> list[str]:
    if a is None or b is None:
        return ["only in b" if a is None else "only in a"]
    return [name for name, old, new in zip(_Ending._fields, a, b, strict=True) if old != new]


def _summary(changes: Mapping[str, list[str]], before: Mapping[str, _Ending], after: Mapping[str, _Ending]) -> str:
    repos = len(before.keys() | after.keys())
    if not changes:
        return f"no difference in {plural(repos, 'repo')}"
    kinds = Counter(_kind(found, before.get(repo), after.get(repo)) for repo, found in changes.items())
    told = [f"{count:,} {kind}" for kind, count in kinds.most_common(_SHOWN)]
    rest = len(changes) - sum(count for _, count in kinds.most_common(_SHOWN))
    if rest:
        told.append(f"{rest:,} in other ways")
    differ = inflected(len(changes), "differs", "differ")
    return f"{len(changes):,} of {plural(repos, 'repo')} {differ}: {', '.join(told)}"


def _kind(found: list[str], a: _Ending | None, b: _Ending | None) -> str:
    """Name what matters most: where it is, how it ended, its version, the reason."""
    if a is None or b is None:
        return found[0]
    if "status" in found:
        return f"{EVERY_STYLE[a.status].word} → {EVERY_STYLE[b.status].word}"
    return f"with another {found[0]}"
