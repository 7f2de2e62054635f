"""Trains in sequence: plans that were split from one, and leave one after the other.

What failed or was skipped in an earlier train blocks all below it in a later one, where the policy blocks. Common
causes strike each train anew, and a stop and a failure budget count in each train alone.

>>> from seqkit import RepoDependencyGraph, build_plan
>>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("docs", "site")]), version="1.0")
>>> trains = as_plan(plan.split(["docs"]))
>>> trains
Trains(seq-...: 4 repos to release in 2 waves, 2 trains)
>>> list(zip(trains.released, trains.train_of, strict=True))
[('docs', 0), ('core', 1), ('api', 1), ('site', 1)]
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from seqkit._util.secrets import as_given
from seqkit._util.words import plural
from seqkit.core.blocking import Blockers, failed_above
from seqkit.core.model import RepoReleaseStatus, SkipCause
from seqkit.core.outcome import SequenceOutcome
from seqkit.core.plan import SequencePlan, snapshot_of, whole_of
from seqkit.core.rules import Reason, follow
from seqkit.core.terms import Terms

__all__ = ["PlanLike", "Trains", "as_plan", "follow_trains", "loss_holds_up"]

PlanLike = SequencePlan | Sequence[SequencePlan]
"""What a `plan` argument of an analysis takes: a plan, or trains of one that leave one after the other."""

_SKIPPED = RepoReleaseStatus.skipped()


class Trains(SequencePlan):
    """All repos of several trains, train by train, with the dependencies between them."""

    trains: tuple[SequencePlan, ...]
    """The plans, in the order in which they leave."""

    def __init__(self, trains: Sequence[SequencePlan], whole: SequencePlan) -> None:
        leaves = {repo: number for number, train in enumerate(trains) for repo in train.released}
        gone = whole.without([repo for repo in whole.released if repo not in leaves])
        arrays, train_of = gone.arrays, list[int]()
        for repo, needed in zip(arrays.ids, arrays.dependencies, strict=True):
            earliest = max((train_of[other] for other in needed), default=0)
            train_of.append(leaves.get(repo, earliest))
            if train_of[-1] < earliest:
                late = next(arrays.ids[other] for other in needed if train_of[other] == earliest)
                raise ValueError(
                    f"plan has trains in an order that cannot be: {repo!r} leaves before {late!r}, which it needs; "
                    "expected the first part of a split before the second"
                )
        order = sorted(range(len(train_of)), key=lambda position: (train_of[position], position))
        super().__init__([gone.items[position] for position in order], snapshot_of(gone), whole.originating_run_id)
        self.trains = tuple(trains)
        self._train_of = tuple(train_of[position] for position in order)

    @property
    def train_of(self) -> tuple[int, ...]:  # noqa: D102  # documented where it is overridden
        return self._train_of

    def __repr__(self) -> str:
        told = super().__repr__().removeprefix("SequencePlan(").removesuffix(")")
        return f"Trains({told}, {plural(len(self.trains), 'train')})"


def as_plan(plan: PlanLike, argument: str = "plan") -> SequencePlan:
    """Read a `plan` argument: a plan as it is, several as :class:`Trains`.

    Raises
    ------
    TypeError, ValueError
        Where it is neither, or the plans were not split from one, release a repo twice or stand in an order in which
        a repo leaves before one that it needs.
    """
    if isinstance(plan, SequencePlan):
        return plan
    if isinstance(plan, list | tuple) and plan and all(isinstance(each, SequencePlan) for each in plan):
        return plan[0] if len(plan) == 1 else _trains(list(plan), argument)
    raise TypeError(
        f"{argument} is {as_given(plan)}, expected a SequencePlan, as build_plan(graph, …) makes one, or the parts of "
        "one: [first, second] of plan.split(repos)"
    )


def _trains(plans: list[SequencePlan], argument: str) -> Trains:
    whole = whole_of(plans[0])
    if whole is None or any(whole_of(plan) is not whole for plan in plans):
        raise ValueError(
            f"{argument} is a list of {len(plans)} plans that were not split from one, so that nobody knows what the "
            "later ones need of the earlier; expected the parts of plan.split(repos), as it gave them"
        )
    seen: set[str] = set()
    for plan in plans:
        for repo in plan.released:
            if repo in seen:
                raise ValueError(f"{argument} releases {repo!r} in two trains, expected each repo in one")
            seen.add(repo)
    return Trains(plans, whole)


def loss_holds_up(plan: SequencePlan, terms: Terms) -> bool:
    """Tell whether what a repo was not released for keeps those from being released that need it.

    In one train a stop needs no such rule, as nothing starts after it; a later train starts all the same.
    """
    return terms.holds_up if any(plan.train_of) else terms.blocks


def follow_trains(plan: SequencePlan, terms: Terms, reason: Reason, seed: int | None = None) -> SequenceOutcome:
    """Go through a plan, or through trains one after the other, and give what it came to.

    `reason` and `terms` are those of :func:`seqkit.core.rules.follow`. A repo held back by an earlier train is
    blocked; by whom is told as in a single run, and by nobody where what it needs was only stopped.
    """
    if not isinstance(plan, Trains):
        return follow(plan, terms, reason).outcome(seed=seed)
    arrays = plan.arrays
    statuses, attempts = [_SKIPPED] * len(arrays.ids), [0] * len(arrays.ids)
    causes: list[SkipCause | None] = [None if released else "unreleased" for released in arrays.released]
    blocked_by: list[tuple[str, ...]] = [()] * len(arrays.ids)
    more: dict[int, int] = {}
    failures: list[int] = []
    lost = [False] * len(arrays.ids)  # not released, or below one that is not
    held: list[int] = []
    for number, train in enumerate(plan.trains):
        mine = [
            at
            for at, (other, yes) in enumerate(zip(plan.train_of, arrays.released, strict=True))
            if other == number and yes
        ]
        below = _below(arrays.dependencies, lost) if number and loss_holds_up(plan, terms) else [False] * len(lost)
        late = [position for position in mine if below[position]]
        held += late
        outcome = follow(train.without([arrays.ids[position] for position in late]), terms, reason).outcome()
        for place, repo in enumerate(outcome.plan.arrays.ids):
            at = arrays.position[repo]
            if not outcome.plan.arrays.released[place]:
                continue
            statuses[at], attempts[at] = outcome.statuses[place], outcome.attempts[place]
            causes[at], blocked_by[at] = outcome.skip_causes[place], outcome.blocked_by[place]
            if place in outcome.more_blocked_by:
                more[at] = outcome.more_blocked_by[place]
        for position in mine:
            lost[position] = statuses[position].name != "succeeded"
        failures += [position for position in mine if statuses[position].name == "failed"]
    blockers = Blockers(arrays.ids, arrays.dependencies, failures)
    above = dict(failed_above(blockers)) if held else {}
    for position in held:
        causes[position] = "blocked"
        blocked_by[position], unnamed = blockers.told(position, above.get(position, 0))
        if unnamed:
            more[position] = unnamed
    return SequenceOutcome(
        plan=plan,
        statuses=tuple(statuses),
        skip_causes=tuple(causes),
        blocked_by=tuple(blocked_by),
        attempts=tuple(attempts),
        seed=seed,
        more_blocked_by=more,
    )


def _below(dependencies: Sequence[Iterable[int]], lost: Sequence[bool]) -> list[bool]:
    below: list[bool] = []
    for own, needed in zip(lost, dependencies, strict=True):
        below.append(own or any(below[other] for other in needed))
    return below
