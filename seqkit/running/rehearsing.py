"""What a run would do, without doing it."""

from __future__ import annotations

import shlex

from seqkit._util.words import printable
from seqkit.core.model import SequenceItem
from seqkit.core.outcome import SequenceOutcome
from seqkit.core.plan import SequencePlan
from seqkit.core.rules import Rules
from seqkit.running.commands import CommandReleaser
from seqkit.running.releasers import ReleaserLike
from seqkit.running.wrappers import Around

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
    >>> def publish(repo_id, version_label, spec_digest, promoted_by): ...
    >>> printed(plan, publish)
    core 1.0: publish
    api 1.0: publish
    SequenceOutcome(0 succeeded, 0 failed, 2 pending)
    """
    for item, released in zip(plan.items, plan.arrays.released, strict=True):
        if released:
            print(printable(f"{item.repo_id} {item.version_label}: {_what(releaser, item)}"))
    return Rules(plan).outcome()


def _what(releaser: ReleaserLike, item: SequenceItem) -> str:
    if isinstance(releaser, Around):
        return _what(releaser.releaser, item)
    if not isinstance(releaser, CommandReleaser):
        return f"{_named(releaser):.200}"
    about = (item.repo_id, item.version_label, item.spec_digest, item.promoted_by)
    where = releaser.directory(*about)
    return shlex.join(releaser.command(*about)) + ("" if where is None else f" (in {where})")


def _named(releaser: object) -> str:
    """Say who releases: what has no repr of its own by its name, as an address tells nobody anything."""
    kind = type(releaser)
    named = kind.__qualname__ if kind.__repr__ is object.__repr__ else None
    return getattr(releaser, "__qualname__", named) or repr(releaser)
