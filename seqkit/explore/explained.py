"""Who was blocked in a run that carries no plan, where a graph tells who needs whom."""

from __future__ import annotations

from dataclasses import replace

from seqkit.core.blocking import Blockers, failed_above
from seqkit.core.graph import RepoDependencyGraph
from seqkit.core.model import RunRecord
from seqkit.core.plan import SequencePlan
from seqkit.history.past import past_run
from seqkit.ledger.story import Story, Told

__all__ = ["explained"]


def explained(
    record: RunRecord, story: Story, graph: RepoDependencyGraph | SequencePlan | None = None
) -> dict[str, Told]:
    """Tell of each repo that a run tells of and, by `graph`, of those that it is silent about as they were blocked.

    A run that carries its plan explains itself, and `graph` says nothing. Else what was skipped without a word why, or
    not even named, is blocked where something that it needs failed in that run.

    Examples
    --------
    >>> import pandas as pd
    >>> from seqkit import ledger_from_frame
    >>> frame = pd.DataFrame({"repo_id": ["core", "api"], "status": ["failed", "skipped"]})
    >>> ledger = ledger_from_frame(frame, run=None)
    >>> record = ledger.list_runs()[0]
    >>> from seqkit.ledger.story import story_of
    >>> story = story_of(record, ledger.get_events(record.run_id))
    >>> [(repo, told.word) for repo, told in explained(record, story).items()]
    [('core', 'failed'), ('api', 'skipped')]
    >>> graph = RepoDependencyGraph.from_edges([("core", "api"), ("api", "app")])
    >>> [(repo, told.word, told.blocked_by) for repo, told in explained(record, story, graph).items()]
    [('core', 'failed', ()), ('api', 'blocked', ('core',)), ('app', 'blocked', ('core',))]
    """
    items = {told.repo_id: told for told in story.items()}
    if story.plan is not None or graph is None:
        return items
    if isinstance(graph, RepoDependencyGraph) and (strange := [repo for repo in items if repo not in graph]):
        graph = RepoDependencyGraph.from_edges(graph.edges, nodes=[*graph, *strange])
    held = past_run(record, story, graph).story
    silent = {told.repo_id: told for told in held.items()}
    items |= {repo: told for repo, told in silent.items() if repo not in items and told.word == "blocked"}
    if held.plan is None:
        return items
    arrays = held.plan.arrays
    failures = [at for at, repo in enumerate(arrays.ids) if silent[repo].status == "failed"]
    blockers = Blockers(arrays.ids, arrays.dependencies, failures)
    for position, above in failed_above(blockers):
        own = items.get(arrays.ids[position])
        if above and own is not None and own.status == "skipped" and own.skip_cause is None:
            names, more = blockers.told(position, above)
            items[own.repo_id] = replace(own, skip_cause="blocked", blocked_by=names, more_blocked_by=more)
    return items
