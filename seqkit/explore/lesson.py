"""A release walked through one choice at a time, forwards and back: the state of a lesson."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import pandas as pd

from seqkit._show.html import table
from seqkit._show.palette import STATUS_STYLES
from seqkit._util.arguments import whole
from seqkit._util.secrets import as_given
from seqkit._util.words import listed, plural
from seqkit.analysis.steps import is_queue, told_steps
from seqkit.analysis.whatif import what_if
from seqkit.core.plan import SequencePlan
from seqkit.core.rules import fail_ids
from seqkit.core.terms import Policy
from seqkit.explore._words import short, told

__all__ = ["MOST_WALKED", "Walk"]

MOST_WALKED = 2_000
"""Repos in a walk: every step keeps all that is ready, so time and memory grow with the square."""


class Walk:
    """A place in a release: so many choices are made, the rest is to come.

    The sequencer takes the first in plan order of those that are ready. A walk stands between
    two choices: `position` of them are behind it. Step forward and back at will; nothing is run.
    A plan of a whole graph is a queue, in which newcomers join the end; a plan of some of its repos
    keeps the whole graph's order, in which they may stand ahead of others.

    Parameters
    ----------
    plan : SequencePlan
        What to walk through.
    fail : str or iterable of str
        Who fails when tried.
    policy : str
        What a failure means for the rest, as in :func:`seqkit.execute_plan`.

    Attributes
    ----------
    plan, policy
        As given.
    fail : frozenset of str
        The same as a set.
    frame : pandas.DataFrame
        Every step, as :func:`seqkit.steps` gives them. Not to be changed.
    queue : bool
        Whether newcomers join the end at every step, as in a plan of a whole graph.
    position : int
        How many choices are made, from 0 to ``len(walk)``.

    Raises
    ------
    RepoNotFound
        Where a repo that should fail is not in the plan.
    TypeError, ValueError
        Where `plan` is no plan or has more than 2,000 repos, or `policy` is none of the policies.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, build_plan
    >>> graph = RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs"), ("api", "app")])
    >>> walk = Walk(build_plan(graph, version="1.0"), fail="api")
    >>> walk
    Walk(step 0 of 4; in line: core)
    >>> walk.forward(); walk.choice, walk.ready, walk.in_degrees
    True
    ('core', ['api', 'docs'], {'core': 0, 'api': 0, 'docs': 0, 'app': 1})
    >>> walk.forward(); walk.why
    True
    'api was first in line: it needs core, which has been released. It failed, which keeps 1 repo from starting'
    >>> walk.words
    {'core': 'succeeded', 'api': 'failed', 'docs': 'pending', 'app': 'pending'}
    """

    def __init__(self, plan: SequencePlan, fail: str | Iterable[str] = (), policy: Policy = "skip_dependents") -> None:
        if not isinstance(plan, SequencePlan):
            raise TypeError(f"plan is {as_given(plan)}, expected a SequencePlan; build_plan(graph) makes one")
        if len(plan.items) > MOST_WALKED:
            raise ValueError(
                f"plan has {len(plan.items):,} repos, expected at most {MOST_WALKED:,} for a walk; "
                "a plan of part of the graph will do: build_plan(graph.subgraph(repos), …)"
            )
        self.plan = plan
        self.fail = fail_ids(plan, fail)
        self.policy = policy
        self.frame: pd.DataFrame
        self.frame, self._why, self._newcomers = told_steps(plan, self.fail, policy)
        self.queue = is_queue(plan)
        self.position = 0
        self._ids = [item.repo_id for item in plan.items]
        self._ends = what_if(plan, self.fail, policy).words()
        self._ready, self._freed, self._blocked = (self.frame[name].tolist() for name in ("ready", "freed", "blocked"))

    # ------------------------------------------------------------------ moving

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def at_end(self) -> bool:
        """Whether every choice is made."""
        return self.position == len(self)

    def forward(self) -> bool:
        """Make the next choice; returns whether there was one."""
        return self.to(min(self.position + 1, len(self)))

    def back(self) -> bool:
        """Take the last choice back; returns whether there was one."""
        return self.to(max(self.position - 1, 0))

    def to(self, step: int) -> bool:
        """Go to where `step` choices are made, from 0 to ``len(walk)``; returns whether that is elsewhere.

        Raises
        ------
        TypeError, ValueError
            Where `step` is not a whole number within the walk.
        """
        before, self.position = self.position, whole("step", step, 0, len(self))
        return self.position != before

    def step_of(self, repo_id: str) -> int:
        """Tell which step takes this repo, from 1.

        Raises
        ------
        RepoNotFound
            Where it is not in the plan.
        """
        return self.plan.position(repo_id) + 1

    # ------------------------------------------------------------------ the choice just made

    @property
    def choice(self) -> str | None:
        """The repo taken last; None at the start."""
        return self._ids[self.position - 1] if self.position else None

    @property
    def why(self) -> str:
        """Why it was taken, and what came of it, in words."""
        if self.position:
            return self._why[self.position - 1]
        n = len(self._ready[0]) if len(self) else 0
        if not n:
            return "The plan is empty: there is nothing to choose"
        told_nothing = f"Nothing is released yet. {plural(n, 'repo needs', 'repos need')} nothing"
        if self.queue:
            return f"{told_nothing}, and so can go first"
        return (
            f"{told_nothing} in this plan, and so can go first. The plan keeps the order of the whole graph, in which "
            "repos that are not released are passed over: of those that are ready, the first in that order goes next"
        )

    @property
    def story(self) -> str:
        """Where the walk stands, `why`, and who became ready with it: in words."""
        parts = [f"Step {self.position} of {len(self)}. {self.why}".removesuffix(".")]
        if (freed := self.freed) and self.queue:
            parts.append(f"That brought {told(freed)} into the queue")
        elif freed:
            parts.append(f"That made {told(freed)} ready; in the whole graph's order, ready are now {told(self.ready)}")
        if held := [repo for repo in self.newcomers if repo not in freed]:
            parts.append(f"The turn of {told(held)} will come only to be passed over")
        if self.at_end and len(self):
            counts = Counter(self._ends)
            ends = [f"{counts[word]} {style.word}" for word, style in STATUS_STYLES.items() if counts[word]]
            parts.append(f"Every repo has had its turn: {', '.join(ends)}")
        return ". ".join(parts) + "."

    @property
    def freed(self) -> list[str]:
        """The repos that became ready with it, and that no failure keeps from starting, in plan order."""
        return list(self._freed[self.position - 1]) if self.position else []

    @property
    def newcomers(self) -> list[str]:
        """The repos that came into :attr:`ready` with it: the freed ones, and blocked ones, in plan order."""
        return list(self._newcomers[self.position - 1]) if self.position else []

    @property
    def blocked(self) -> list[str]:
        """The repos to release that its failure newly keeps from starting, in plan order."""
        return list(self._blocked[self.position - 1]) if self.position else []

    # ------------------------------------------------------------------ how things stand

    @property
    def ready(self) -> list[str]:
        """Repos whose dependencies are all behind, in plan order: the first is taken next.

        Where the walk is a :attr:`queue`, that is the order in which all of them will be taken; else newcomers may
        stand ahead of them. Unreleased repos are among them, and so are blocked ones: their turn is to
        be passed over.
        """
        return [] if self.at_end else list(self._ready[self.position])

    @property
    def doomed(self) -> list[str]:
        """The repos whose turn has not come and that failures so far keep from starting, in plan order."""
        held = {repo for blocked in self._blocked[: self.position] for repo in blocked}
        return [repo for repo in self._ids[self.position :] if repo in held]

    @property
    def in_degrees(self) -> dict[str, int]:
        """For each repo in plan order, how many of its direct dependencies are not yet behind.

        This is the in-degree that Kahn's algorithm counts down: at zero a repo is ready.
        """
        return {
            repo: sum(dependency >= self.position for dependency in dependencies)
            for repo, dependencies in zip(self._ids, self.plan.arrays.dependencies, strict=True)
        }

    @property
    def words(self) -> dict[str, str]:
        """For each repo in plan order, how it stands: a key of the palette of statuses.

        A repo that a failure will keep from starting is pending until its turn comes.
        """
        return {
            repo: end if position < self.position or end == "unreleased" else "pending"
            for position, (repo, end) in enumerate(zip(self._ids, self._ends, strict=True))
        }

    def __repr__(self) -> str:
        line = listed(self.ready, 3, lambda repo: short(repo, 40))
        where = "in line" if self.queue else "ready"
        waiting = f"{where}: {line}" if self.ready else f"nobody is {where}"
        return f"Walk(step {self.position} of {len(self)}; {waiting})"

    def _repr_html_(self) -> str:
        counts = Counter(self.words.values())
        rows = [(style.mark, style.word, counts[word]) for word, style in STATUS_STYLES.items()]
        return table(repr(self), ["", "status", "repos"], rows, self.why)
