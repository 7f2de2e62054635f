"""What a run would do, without doing it."""

from __future__ import annotations

from seqkit._util.words import printable
from seqkit.core.outcome import SequenceOutcome
from seqkit.core.plan import SequencePlan
from seqkit.core.rules import Rules
from seqkit.running.releasers import ReleaserLike

__all__ = ["printed"]


def printed(plan: SequencePlan, releaser: ReleaserLike) -> SequenceOutcome:
    """Print what would run, in plan order, as if nothing failed; the outcome has every repo pending.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, ScriptedReleaser, build_plan
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1.0")
    >>> printed(plan, ScriptedReleaser())
    core 1.0: ScriptedReleaser({})
    api 1.0: ScriptedReleaser({})
    SequenceOutcome(0 succeeded, 0 failed, 2 pending)
    """
    shown = getattr(releaser, "shown", None)
    for item, released in zip(plan.items, plan.arrays.released, strict=True):
        if released:
            what = shown(item) if callable(shown) else f"{releaser!r:.200}"
            print(printable(f"{item.repo_id} {item.version_label}: {what}"))
    return Rules(plan).outcome()
