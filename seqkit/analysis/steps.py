"""The ordering explained, step by step, and somebody's own ordering checked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from seqkit._show.html import shortened
from seqkit._util import dtypes
from seqkit._util.words import inflected, listed, plural
from seqkit.core.plan import SequencePlan
from seqkit.core.rules import Rules, Skip, each_choice, fail_ids
from seqkit.core.terms import GOES_ON, Policy, Terms

__all__ = ["OrderCheck", "check_order", "is_queue", "needed_releases", "steps"]

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
        `ready` (object: list of the repos that could be taken, in plan order, so `choice` first), `freed`
        (object: list of the repos that become ready with this choice, in plan order), `blocked` (object: list of the
        repos to release that this choice's failure newly keeps from starting), `why` (string: the reason in
        words).

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, build_plan
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs")]), version="1.0")
    >>> frame = steps(plan, fail="core")
    >>> frame.loc[0, ["choice", "ready", "freed", "blocked"]].tolist()
    ['core', ['core'], ['api', 'docs'], ['api', 'docs']]
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
    failing = fail_ids(plan, fail)
    rules = Rules(plan, Terms(policy))
    rows: list[tuple[str, list[str], list[str], list[str], str]] = []
    doomed: set[str] = set()
    queue = is_queue(plan)
    ready = rules.ready()
    since = dict.fromkeys(ready, 0)  # at which step a repo became ready
    for step in each_choice(rules, lambda repo, attempt: "what if it fails" if repo in failing else None):
        repo, blocked = step.repo_id, []
        if isinstance(step, Skip):
            why = _why_skipped(step)
        else:
            waited = [other for other in ready if since[other] < since[repo]]
            place = "first in line" if queue else _place(waited)
            why = f"{shortened(repo, 60)} is {place}: {_needs(rules, step.position, queue)}"
            if repo in failing:
                blocked = _newly_blocked(rules, repo, doomed)
                doomed.update(blocked)
                held = f"{plural(len(blocked), 'repo')}" if blocked else "nobody"
                why += f". It fails, which keeps {held} from starting"
        after = rules.ready()
        freed = [other for other in after if other not in since]
        rows.append((repo, ready, freed, blocked, why))
        since.update(dict.fromkeys(freed, len(rows)))
        ready = after
    choice, queues, freed, blocks, whys = (list(column) for column in zip(*rows, strict=True)) if rows else ([],) * 5
    return dtypes.frame(
        {
            "step": dtypes.integer(range(1, len(rows) + 1)),
            "choice": dtypes.string(choice),
            "ready": dtypes.objects(queues),
            "freed": dtypes.objects(freed),
            "blocked": dtypes.objects(blocks),
            "why": dtypes.string(whys),
        }
    )


def _newly_blocked(rules: Rules, repo: str, doomed: set[str]) -> list[str]:
    """List the repos to release that this failure, and none before it, keeps from starting."""
    plan = rules.plan
    if rules.stopping:
        ended = {item.repo_id for position, item in enumerate(plan.items) if rules.status(position).name != "pending"}
        return [other for other in plan.released if other not in ended and other not in doomed]
    if not rules.terms.blocks:
        return []
    below = set(plan.graph.transitive_dependents_of(repo))
    return [other for other in plan.released if other in below and other not in doomed]


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


def _place(waited: list[str]) -> str:
    """Say what brings a repo to its place where there is no queue; `waited`: who was ready before it."""
    if not waited:
        return f"next {_FROM_WHOLE}"
    were = inflected(len(waited), "was", "were")
    return f"next in the order of the whole graph, ahead of {_names(waited)}, which {were} ready before it"


def _needs(rules: Rules, position: int, queue: bool) -> str:
    """Say what has become of all that a repo needs, now that it may start."""
    ended: dict[str, list[str]] = {"succeeded": [], "skipped": [], "failed": []}
    for dependency in rules.plan.arrays.dependencies[position]:
        ended[rules.status(dependency).name].append(rules.plan.items[dependency].repo_id)
    parts = []
    if repos := ended["succeeded"]:
        parts.append(f"{_names(repos)}, which {inflected(len(repos), 'has', 'have')} been released")
    if repos := ended["skipped"]:  # what starts needs no blocked repo: these are not part of the release
        parts.append(f"{_names(repos)}, which {inflected(len(repos), 'is', 'are')} not part of this release")
    if repos := ended["failed"]:
        parts.append(f"{_names(repos)}, which failed: {GOES_ON}")
    return "it needs " + ("; and ".join(parts) or ("nothing" if queue else "nothing in this plan"))


def _why_skipped(step: Skip) -> str:
    repo = shortened(step.repo_id, 60)
    if step.cause == "unreleased":
        return f"{repo} is passed over: it is not part of this release and holds nobody up"
    if step.cause == "stopped":
        return f"{repo} is passed over: the release has stopped"
    return f"{repo} is passed over: it needs {_names(step.blocked_by)}, which failed"


def _names(repos: Iterable[str]) -> str:
    return listed(list(repos), 4, lambda repo: shortened(repo, 60))


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
    missing = needed_releases(plan)
    for position, repo in enumerate(order):
        if repo not in plan.arrays.position:
            return OrderCheck(
                False, False, position, repo, f"{repo!r:.80} stands at position {position}, but it is not in the plan"
            )
        if repo in gone:
            return OrderCheck(
                False, False, position, repo, f"{repo} stands at position {position}, but it already went out"
            )
        late = [other for other in missing.get(repo, ()) if other not in gone]
        if late:
            message = (
                f"{repo} stands at position {position}, but it needs {_names(late)}, "
                f"which {inflected(len(late), 'has', 'have')} not gone out by then"
            )
            return OrderCheck(False, False, position, repo, message)
        gone.add(repo)
    left = [repo for repo in plan.released if repo not in gone]
    if left:
        return OrderCheck(False, False, len(order), left[0], f"the order ends, but {_names(left)} should still go out")
    taken = [(position, repo) for position, repo in enumerate(order) if repo in missing]
    for (position, theirs), ours in zip(taken, plan.released, strict=True):
        if theirs != ours:
            message = f"valid; the plan would take {ours} here, at position {position}, before {theirs}"
            return OrderCheck(True, False, position, theirs, message)
    return OrderCheck(True, True, None, None, "valid, and the plan's own order")


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
