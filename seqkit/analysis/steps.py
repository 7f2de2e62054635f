"""The ordering explained, step by step, and somebody's own ordering checked."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

import pandas as pd

from seqkit._show.html import shortened
from seqkit._util import dtypes
from seqkit._util.words import and_more, inflected, listed, plural
from seqkit.core.arrays import reached
from seqkit.core.plan import SequencePlan
from seqkit.core.rules import Rules, Skip, each_choice, fail_ids
from seqkit.core.terms import GOES_ON, Policy, Terms

__all__ = ["OrderCheck", "check_order", "is_queue", "needed_releases", "steps", "told_steps"]

_MOST_WHOLE = 2_000  # items of a plan whose whole queue is listed at each step
_MOST_READY = 100
_MOST_TOLD = 4
_FROM_WHOLE = "in the order of the whole graph, which the plan keeps"
"""How a plan that is no queue came to its order."""


def steps(plan: SequencePlan, fail: str | Iterable[str] = (), policy: Policy = "skip_dependents") -> pd.DataFrame:
    r"""Walk through a release one choice at a time and say why each is made.

    A plan of a whole graph is a queue: who needs nothing stands in it by name, the first is taken, and whom
    that frees joins the end, again by name. A plan of some of a graph's repos keeps the order of the whole graph
    and passes the others over, so that a repo just freed may stand ahead of some that were ready before;
    where it comes to that, `why` tells of the whole graph's order, not of a line. What is said of needs
    is said of the plan: who needs only repos that are not in it needs nothing here.

    Parameters
    ----------
    plan : SequencePlan
        What to walk through.
    fail : str or iterable of str
        Who fails when tried.
    policy
        What a failure means for the rest, as in :func:`seqkit.execute_plan`.

    Returns
    -------
    pandas.DataFrame
        A row a choice, in plan order. Columns: `step` (Int64, from 1), `choice` (string: the repo taken),
        `ready` (object: list of the repos whose turn may come, in plan order, so `choice` first), `freed`
        (object: list of the repos that become ready with this choice and that no failure keeps from starting, in plan
        order), `blocked` (object: list of the repos to release that this choice's failure newly keeps from starting),
        `why` (string: the reason in words). A blocked repo comes into `ready` too, to be passed over, and is never
        freed. Of a plan of more than 2,000 items `ready` lists the first hundred, since whoever waits long would stand
        in it again and again, and `n_ready` (Int64, behind it) counts them all.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, build_plan
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs")]), version="1.0")
    >>> frame = steps(plan, fail="core")
    >>> frame.loc[0, ["choice", "ready", "freed", "blocked"]].tolist()
    ['core', ['core'], [], ['api', 'docs']]
    >>> print(*frame["why"], sep="\n")
    core is first in line: it needs nothing. It fails, which keeps 2 repos from starting
    api is passed over: it needs core, which failed
    docs is passed over: it needs core, which failed

    Of this graph two repos are not released. Without them app may go at once, but stands after api all the same:

    >>> graph = RepoDependencyGraph.from_edges([("core", "api"), ("lib", "tool"), ("tool", "app")])
    >>> print(*steps(build_plan(graph, [("core", "1.0"), ("api", "1.0"), ("app", "1.0")]))["why"], sep="\n")
    core is next in the order of the whole graph, which the plan keeps: it needs nothing in this plan
    api is next in the order of the whole graph, ahead of app, which was ready before it: it needs core, which has been
    released
    app is next in the order of the whole graph, which the plan keeps: it needs nothing in this plan
    """
    return told_steps(plan, fail, policy)[0]


def told_steps(
    plan: SequencePlan, fail: str | Iterable[str], policy: Policy
) -> tuple[pd.DataFrame, list[str], list[list[str]]]:
    """Give the frame of :func:`steps`, the reason of each as it is told afterwards, and who came into `ready` with it.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, build_plan
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs")]), version="1.0")
    >>> frame, afterwards, newcomers = told_steps(plan, "core", "skip_dependents")
    >>> frame["why"][1], afterwards[1]
    ('api is passed over: it needs core, which failed', 'api was passed over: it needs core, which failed')
    >>> newcomers
    [['api', 'docs'], [], []]
    """
    failing = fail_ids(plan, fail)
    rules = Rules(plan, Terms(policy))
    arrays, whole = plan.arrays, len(plan.items) <= _MOST_WHOLE
    rows: list[tuple[str, list[str], int, list[str], list[str], str]] = []
    afterwards: list[str] = []
    newcomers: list[list[str]] = []
    held: set[str] = set()
    held_back: set[int] = set()  # who stands below a failure, unreleased ones too
    queue = is_queue(plan)
    waits_for = [len(row) for row in arrays.dependencies]
    line = _Line(len(plan.items), None if whole else _MOST_READY)
    line.add([position for position, count in enumerate(waits_for) if not count])
    for step in each_choice(rules, lambda repo, attempt: "what if it fails" if repo in failing else None):
        position, repo = step.position, step.repo_id
        ready, n_ready, blocked = [arrays.ids[other] for other in line.first], len(line), list[str]()
        if isinstance(step, Skip):
            told, came_of_it = f"passed over: {_why_skipped(step)}", ("", "")
        else:
            place = "first in line" if queue else _place(*line.before(position), arrays.ids)
            told, came_of_it = f"{place}: {_needs(rules, position, queue)}", ("", "")
            if repo in failing:
                blocked = _newly_blocked(rules, position, held_back)
                kept = f"{plural(len(blocked), 'repo')}" if blocked else "nobody"
                rest = f"which keeps {kept} from starting"
                came_of_it = (f". It fails, {rest}", f". It failed, {rest}")
        freed = []
        for other in arrays.dependents[position]:
            waits_for[other] -= 1
            if not waits_for[other]:
                freed.append(other)
        line.take()
        line.add(freed)
        newcomers.append([arrays.ids[other] for other in freed])
        held.update(blocked)
        name = shortened(repo, 60)
        why = f"{name} is {told}{came_of_it[0]}"
        afterwards.append(f"{name} was {told}{came_of_it[1]}")
        rows.append((repo, ready, n_ready, [other for other in newcomers[-1] if other not in held], blocked, why))
    choice, queues, counts, freeds, blocks, whys = (list(x) for x in zip(*rows, strict=True)) if rows else ([],) * 6
    frame = dtypes.frame(
        {
            "step": dtypes.integer(range(1, len(rows) + 1)),
            "choice": dtypes.string(choice),
            "ready": dtypes.objects(queues),
            **({} if whole else {"n_ready": dtypes.integer(counts)}),
            "freed": dtypes.objects(freeds),
            "blocked": dtypes.objects(blocks),
            "why": dtypes.string(whys),
        }
    )
    return frame, afterwards, newcomers


class _Line:
    """Who is ready, in plan order. The first are at hand; of the others no more than their number.

    Each is a position of the plan. Adding and taking costs a logarithm, whoever else waits.
    """

    def __init__(self, items: int, most: int | None) -> None:
        self.first: list[int] = []
        self._rest: list[int] = []  # a heap of those behind
        self._most = items if most is None else most
        self._since: dict[int, int] = {}  # in which batch each came
        self._batch = 0
        self._counts = [0] * (items + 2)  # a Fenwick tree: how many in line are of each batch

    def __len__(self) -> int:
        return len(self.first) + len(self._rest)

    def add(self, positions: list[int]) -> None:
        """Let some join, who are ready since the same moment."""
        self._batch += 1
        for position in positions:
            self._since[position] = self._batch
            insort(self.first, position)
            if len(self.first) > self._most:
                heappush(self._rest, self.first.pop())
        self._count(self._batch, len(positions))
        self._fill()

    def take(self) -> None:
        """Let the first go."""
        self._count(self._since.pop(self.first.pop(0)), -1)
        self._fill()

    def _fill(self) -> None:
        while self._rest and len(self.first) < self._most:
            self.first.append(heappop(self._rest))

    def before(self, position: int) -> tuple[int, list[int]]:
        """Say how many in line came in earlier batches than this one, and who of the first did."""
        earlier = self._since[position] - 1
        seen = [other for other in self.first if self._since[other] <= earlier]
        count, batch = 0, earlier
        while batch:
            count += self._counts[batch]
            batch &= batch - 1
        return count, seen

    def _count(self, batch: int, change: int) -> None:
        while batch < len(self._counts):
            self._counts[batch] += change
            batch += batch & -batch


def _newly_blocked(rules: Rules, position: int, held_back: set[int]) -> list[str]:
    """List the repos to release that this failure, and none before it, keeps from starting."""
    arrays = rules.plan.arrays
    if rules.stopping:
        waiting = [at for at, released in enumerate(arrays.released) if released and rules.word(at) == "pending"]
        new = [at for at in waiting if at not in held_back]
        held_back.update(new)
        return [arrays.ids[at] for at in new]
    if not rules.terms.blocks:
        return []
    return [arrays.ids[at] for at in reached(arrays.dependents, position, known=held_back) if arrays.released[at]]


def is_queue(plan: SequencePlan) -> bool:
    """Tell whether a plan's order is first in, first out: roots by name, and whom a repo frees by name at the end.

    So it is for a whole graph. A plan of some of its repos need not be: who stands between them is gone.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, build_plan
    >>> graph = RepoDependencyGraph.from_edges([("core", "api"), ("lib", "tool"), ("tool", "app")])
    >>> is_queue(build_plan(graph, version="1.0"))
    True
    >>> is_queue(build_plan(graph, [("core", "1.0"), ("api", "1.0"), ("app", "1.0")]))
    False
    """
    return plan.graph.topological_order() == [item.repo_id for item in plan.items]


def _place(count: int, waited: list[int], ids: Sequence[str]) -> str:
    """Say what brings a repo to its place where there is no queue: how many were ready before it, and who of them."""
    if not count:
        return f"next {_FROM_WHOLE}"
    who = _names([ids[other] for other in waited], count) if waited else plural(count, "repo")
    return (
        f"next in the order of the whole graph, ahead of {who}, which {inflected(count, 'was', 'were')} ready before it"
    )


def _needs(rules: Rules, position: int, queue: bool) -> str:
    """Say what has become of all that a repo needs, now that it may start."""
    ended: dict[str, list[str]] = {"succeeded": [], "skipped": [], "failed": []}
    for dependency in rules.plan.arrays.dependencies[position]:
        ended[rules.word(dependency)].append(rules.plan.items[dependency].repo_id)
    parts = []
    if repos := ended["succeeded"]:
        parts.append(f"{_names(repos)}, which {inflected(len(repos), 'has', 'have')} been released")
    if repos := ended["skipped"]:  # what starts needs no blocked repo: these are not part of the release
        parts.append(f"{_names(repos)}, which {inflected(len(repos), 'is', 'are')} not part of this release")
    if repos := ended["failed"]:
        parts.append(f"{_names(repos)}, which failed: {GOES_ON}")
    return "it needs " + ("; and ".join(parts) or ("nothing" if queue else "nothing in this plan"))


def _why_skipped(step: Skip) -> str:
    if step.cause == "unreleased":
        return "it is not part of this release and holds nobody up"
    if step.cause == "stopped":
        return "the release has stopped"
    return f"it needs {_names(step.blocked_by, len(step.blocked_by) + step.more)}, which failed"


def _names(repos: Sequence[str], count: int | None = None) -> str:
    """Name the first of some repos, which may be all that is known of `count`."""
    shown = repos[:_MOST_TOLD]
    return listed(shown, len(shown), lambda repo: shortened(repo, 60)) + and_more((count or len(repos)) - len(shown))


@dataclass(frozen=True)
class OrderCheck:
    """Whether an order is valid, and where it first goes wrong or its own way. True where it is valid."""

    valid: bool
    """Every repo to release stands once, after everything it needs."""
    same_as_plan: bool
    """It is also the plan's own order."""
    position: int | None
    """Where in the order the first violation, or else the first difference from the plan, stands; from 0."""
    repo_id: str | None
    """The repo that stands there."""
    message: str
    """The same in words."""

    def __bool__(self) -> bool:
        return self.valid


def check_order(plan: SequencePlan, order: Iterable[str]) -> OrderCheck:
    """Check somebody's own release order. Any valid order passes, not the plan's alone.

    Parameters
    ----------
    plan : SequencePlan
        What is released.
    order : iterable of str
        Repo ids, the first to release first. Unreleased repos may stand in it or be left out.

    Returns
    -------
    OrderCheck
        It names the first violation; where there is none, the first difference from the plan, unreleased repos
        apart.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, build_plan
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs")]), version="1.0")
    >>> check_order(plan, ["core", "docs", "api"]).message
    'valid; the plan would take api here, at position 1, before docs'
    >>> check_order(plan, ["docs", "core", "api"]).message
    'docs stands at position 0, but it needs core, which has not gone out by then'
    """
    order = [order] if isinstance(order, str) else list(order)
    gone: set[str] = set()
    arrays = plan.arrays
    waits_for = [len(row) for row in arrays.dependencies]
    _settle(plan, [at for at, count in enumerate(waits_for) if not count and not arrays.released[at]], waits_for)
    for position, repo in enumerate(order):
        if repo not in plan.arrays.position:
            return OrderCheck(
                False, False, position, repo, f"{repo!r:.80} stands at position {position}, but it is not in the plan"
            )
        if repo in gone:
            return OrderCheck(
                False, False, position, repo, f"{repo} stands at position {position}, but it already went out"
            )
        at = arrays.position[repo]
        if arrays.released[at] and waits_for[at]:
            late = _late(plan, at, gone)
            message = (
                f"{repo} stands at position {position}, but it needs {_names(late)}, "
                f"which {inflected(len(late), 'has', 'have')} not gone out by then"
            )
            return OrderCheck(False, False, position, repo, message)
        gone.add(repo)
        if arrays.released[at]:
            _settle(plan, [at], waits_for)
    left = [repo for repo in plan.released if repo not in gone]
    if left:
        return OrderCheck(False, False, len(order), left[0], f"the order ends, but {_names(left)} should still go out")
    taken = [(position, repo) for position, repo in enumerate(order) if arrays.released[arrays.position[repo]]]
    for (position, theirs), ours in zip(taken, plan.released, strict=True):
        if theirs != ours:
            message = f"valid; the plan would take {ours} here, at position {position}, before {theirs}"
            return OrderCheck(True, False, position, theirs, message)
    return OrderCheck(True, True, None, None, "valid, and the plan's own order")


def _settle(plan: SequencePlan, settled: list[int], waits_for: list[int]) -> None:
    """Take in that nobody need wait for these any more, nor for unreleased repos that need nothing else."""
    while settled:
        for other in plan.arrays.dependents[settled.pop()]:
            waits_for[other] -= 1
            if not waits_for[other] and not plan.arrays.released[other]:
                settled.append(other)


def _late(plan: SequencePlan, position: int, gone: set[str]) -> list[str]:
    """List the released repos, not out, that one needs directly or through unreleased ones alone."""
    arrays = plan.arrays
    needed = reached(arrays.dependencies, position, past=lambda other: not arrays.released[other])
    return [arrays.ids[at] for at in needed if arrays.released[at] and arrays.ids[at] not in gone]


def needed_releases(plan: SequencePlan) -> dict[str, list[str]]:
    """For each repo to release, list the released repos it needs, directly or through unreleased ones only.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, build_plan
    >>> graph = RepoDependencyGraph.from_edges([("core", "api"), ("api", "app")])
    >>> needed_releases(build_plan(graph, [("core", "1.0"), ("app", "1.0")]))
    {'core': [], 'app': ['core']}
    """
    through: list[list[int]] = []
    needed: dict[str, list[str]] = {}
    for position, dependencies in enumerate(plan.arrays.dependencies):
        found: set[int] = set()
        for dependency in dependencies:
            if plan.arrays.waves[dependency] is None:
                found.update(through[dependency])
            else:
                found.add(dependency)
        through.append(sorted(found))
        if plan.arrays.waves[position] is not None:
            needed[plan.items[position].repo_id] = [plan.items[other].repo_id for other in through[position]]
    return needed
