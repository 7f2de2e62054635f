"""A run as its ledger tells it: the plan, the rules it went by, and what became of every repo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, get_args

from seqkit._util.secrets import as_given
from seqkit.core.graph import RepoDependencyGraph
from seqkit.core.model import RunEvent, RunRecord, RunStatus, SequenceItem
from seqkit.core.plan import SequencePlan, knowing, plan_of_items
from seqkit.core.terms import Terms
from seqkit.ledger import RunLedger
from seqkit.ledger.story import Story, Told, story_of

__all__ = ["REASONS", "Left", "NotTold", "PastRun", "check_graph", "past_run", "read_run"]

Left = Literal["failed", "in_doubt", "blocked", "stopped", "not_reached"]

REASONS = get_args(Left)
"""Why a repo is left, in the order in which frames sort the reasons."""

_FINISHED = (RunStatus.COMPLETED, RunStatus.FAILED)


@dataclass(frozen=True)
class PastRun:
    """One run of a ledger, read for resuming or replaying it."""

    record: RunRecord
    story: Story
    plan: SequencePlan
    versionless: frozenset[str] = frozenset()
    """Repos whose planned version nothing tells."""
    has_holes: bool = False
    """Whether events are missing, so that silence does not tell that a repo was not reached."""

    @property
    def told(self) -> Mapping[str, Told]:
        """What the events tell of each repo."""
        return self.story.told

    @property
    def terms(self) -> Terms:
        """The rules that the run went by."""
        return self.story.terms

    @cached_property
    def ends(self) -> dict[str, Told]:
        """Tell what became of each repo that was to be released, in plan order."""
        items = {told.repo_id: told for told in self.story.items()}
        ends = {repo: items[repo] for repo in self.plan.released}
        if self.has_holes:  # silence may be a lost event
            ends |= {repo: replace(told, status="in_progress") for repo, told in ends.items() if told.word == "pending"}
        return ends

    @cached_property
    def failed(self) -> list[str]:
        """List the repos that ran out of attempts, in plan order."""
        return [repo for repo, told in self.ends.items() if told.status == "failed"]


class NotTold(ValueError):
    """What a ledger does not tell of a run, so that whoever asks has to.

    Attributes
    ----------
    over : str
        What it is about: ``"plan"``, ``"version"``, ``"in_doubt"`` or ``"taken"``.
    found : str
        What was found, as a clause; the message adds what to do, by the names of Python's arguments.
    """

    def __init__(self, over: str, found: str, advice: str) -> None:
        super().__init__(advice.format(found))
        self.over, self.found = over, found


def read_run(ledger: RunLedger, run_id: str, graph: RepoDependencyGraph | SequencePlan | None = None) -> PastRun:
    """Read a run of a ledger; `graph` stands in where it carries no plan. Raises as :func:`past_run` does."""
    record, events = ledger.get_run(run_id), ledger.get_events(run_id)
    run = past_run(record, story_of(record, events), graph)
    return replace(run, has_holes=bool(getattr(ledger, "problems", ())) or _has_holes(record, events))


def _has_holes(record: RunRecord, events: Sequence[RunEvent]) -> bool:
    """Tell whether events are missing: in the middle, or as many as the summary counts more."""
    counted = record.summary.total_events if record.summary is not None else 0
    return {event.seq for event in events} != set(range(1, len(events) + 1)) or counted > len(events)


def check_graph(graph: object) -> None:
    """Raise TypeError where a `graph` argument is something else."""
    if graph is not None and not isinstance(graph, RepoDependencyGraph | SequencePlan):
        raise TypeError(f"graph is {as_given(graph)}, expected a RepoDependencyGraph or a SequencePlan")


def past_run(record: RunRecord, story: Story, graph: RepoDependencyGraph | SequencePlan | None = None) -> PastRun:
    """Take up a run whose story has been read already.

    Raises
    ------
    ValueError, TypeError
        Where the run carries no plan and `graph` is None, or is neither a graph nor a plan.
    RepoNotFound
        Where the run carries no plan and its events name a repo that the graph does not have.
    """
    check_graph(graph)
    if story.plan is None:
        plan, versionless = _stand_in(record, story.told, graph)
        return PastRun(record, story.of_plan(plan), plan, versionless)
    plan = story.plan
    if graph is not None:
        plan = knowing(plan, graph)  # what it tells is not needed, but its names are no unknown ones
    return PastRun(record, story, plan)


def _stand_in(
    record: RunRecord, told: Mapping[str, Told], graph: RepoDependencyGraph | SequencePlan | None
) -> tuple[SequencePlan, frozenset[str]]:
    """Plan what a run without a plan can have planned; also give the repos whose version is not known."""
    if graph is None:
        raise NotTold(
            "plan",
            f"run {record.run_id!r} carries no plan that can be read, so what it was to release is not known",
            "{}; pass graph=, the dependency graph (or the SequencePlan) that it was made from",
        )
    if isinstance(graph, SequencePlan):
        return graph, frozenset()
    for repo in told:
        graph.require(repo)
    order = graph.topological_order()
    below: set[str] = set()  # failed, or below a failure
    for repo in order:
        if repo in below or (repo in told and told[repo].status == "failed"):
            below.add(repo)
            below.update(graph.dependents_of(repo))
    wanted: dict[str, SequenceItem] = {}
    versionless = set()
    for repo in order:
        # A run that went to its end was silent about what it blocked and about what it was not to release.
        if repo in told or repo in below or record.status not in _FINISHED:
            version = (told[repo].version if repo in told else None) or graph.attributes(repo).get("version")
            if version is None:
                versionless.add(repo)
            wanted[repo] = SequenceItem(repo_id=repo, version_label="" if version is None else str(version))
    return plan_of_items(graph, wanted, "", "path", order), frozenset(versionless)
