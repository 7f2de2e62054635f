"""Random graphs, releases and failures, and the sequencing rules read a second time, naively.

Nothing here is taken from the library's own algorithms: the functions below are what they are held against.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

from hypothesis import strategies as st

from seqkit import RepoDependencyGraph, RunLedger, SequenceOutcome, SequencePlan, build_plan, run_plan
from seqkit.core.terms import Policy

Edge = tuple[str, str]

HOSTILE_NAMES = [
    "<script>alert(1)</script>",
    'a"b',
    "'; DROP TABLE runs;--",
    "🚀👩‍🚀",
    "x" * 10_000,
    "two\nlines",
    "$x$",
    "",
]

POLICIES: tuple[Policy, ...] = ("skip_dependents", "stop", "continue")

AWKWARD_IDS = [
    *HOSTILE_NAMES[:4],
    *HOSTILE_NAMES[5:],
    "a",
    "b",
    "Z",
    "10",
    "9",
    "é",
    "e\u0301",
    "\0",
    " ",
    "a+b",
    "a\\",
]

repo_ids = st.one_of(st.sampled_from(AWKWARD_IDS), st.text(max_size=3))
policies = st.sampled_from(POLICIES)
budgets = st.none() | st.integers(1, 4)
attempts = st.integers(1, 3)


# ---------------------------------------------------------------------- the naive reading


def fifo_kahn(nodes: Iterable[str], edges: Iterable[Edge]) -> list[str]:
    """Sorted roots first; whoever a repo frees is sorted and joins the end of the line."""
    left, gone = set(edges), []
    line = sorted(node for node in set(nodes) if not any(after == node for _, after in left))
    while line:
        node = line.pop(0)
        gone.append(node)
        mine = {edge for edge in left if edge[0] == node}
        left -= mine
        line += sorted(after for _, after in mine if not any(other == after for _, other in left))
    return gone


def ancestors(nodes: Iterable[str], edges: Collection[Edge]) -> dict[str, set[str]]:
    """For each repo, all that must be out before it, itself left out."""
    found: dict[str, set[str]] = {node: set() for node in nodes}
    for _ in found:
        for before, after in edges:
            found[after] |= {before} | found[before]
    return found


def on_a_path(nodes: Collection[str], edges: Collection[Edge], released: Collection[str]) -> set[str]:
    """Repos that are released, or lie on a dependency path between two that are."""
    above = ancestors(nodes, edges)
    return {
        node
        for node in nodes
        if node in released or (above[node] & set(released) and any(node in above[other] for other in released))
    }


@dataclass
class Reading:
    """What a run of one lane must come to."""

    succeeded: list[str]
    failed: list[str]
    skipped: list[str]
    causes: dict[str, str]
    blocked_by: dict[str, list[str]]
    tries: dict[str, int]
    events: list[tuple[str, str]]


@dataclass(frozen=True)
class Train:
    """A graph, what is released of it, and how the day goes."""

    nodes: list[str]
    edges: list[Edge]
    released: list[str]
    failing: dict[str, int]  # repo -> how many of its attempts fail, counted from the first
    policy: Literal["skip_dependents", "stop", "continue"]
    budget: int | None
    attempts: int
    scope: Literal["path", "all"]

    @property
    def graph(self) -> RepoDependencyGraph:
        return RepoDependencyGraph.from_edges(self.edges, nodes=self.nodes)

    @property
    def plan(self) -> SequencePlan:
        releases = [(repo, "1.0", f"digest-{repo}", "kim") for repo in self.released]
        return build_plan(self.graph, releases, "origin", scope=self.scope)

    @property
    def options(self) -> dict[str, Any]:
        return {"policy": self.policy, "failure_budget": self.budget, "attempts": self.attempts}

    def releaser(self) -> Callable[..., str]:
        tries = Counter[str]()

        def release(repo: str, *_: str) -> str:
            tries[repo] += 1
            if tries[repo] <= self.failing.get(repo, 0):
                raise RuntimeError(f"{repo} failed {tries[repo]}")
            return f"release of {repo}"

        return release

    def run(self, ledger: RunLedger, **more: Any) -> SequenceOutcome:
        return run_plan(self.plan, self.releaser(), ledger, **self.options, **more)

    @property
    def order(self) -> list[str]:
        kept = self.nodes if self.scope == "all" else on_a_path(self.nodes, self.edges, self.released)
        return [repo for repo in fifo_kahn(self.nodes, self.edges) if repo in kept]

    def reading(self, attempts: int | None = None) -> Reading:
        tries = attempts or self.attempts
        above = ancestors(self.nodes, self.edges)
        out = Reading([], [], [], {}, {}, dict.fromkeys(self.order, 0), [])
        for repo in self.order:
            blockers = [other for other in out.failed if other in above[repo] and self.policy != "continue"]
            stopped = len(out.failed) >= (1 if self.policy == "stop" else self.budget or len(self.nodes) + 1)
            if repo not in self.released:
                out.skipped.append(repo)
                out.causes[repo] = "unreleased"
            elif stopped or (blockers and self.policy == "skip_dependents"):
                out.skipped.append(repo)
                out.causes[repo] = "blocked" if blockers else "stopped"
                out.blocked_by[repo] = blockers
                out.events.append(("NodeSkipped", repo))
            else:
                bad = self.failing.get(repo, 0)
                out.tries[repo] = min(bad + 1, tries)
                (out.failed if bad >= tries else out.succeeded).append(repo)
                last = "NodeFailed" if bad >= tries else "NodeExited"
                retries = [("NodeRetrying", repo)] * (out.tries[repo] - 1)
                out.events += [("NodeEntered", repo), *retries, (last, repo)]
        return out


# ---------------------------------------------------------------------- the strategies


@st.composite
def dags(draw: st.DrawFn, largest: int = 8, ids: Any = repo_ids) -> tuple[list[str], list[Edge]]:
    """Repos, in any order, and edges among them without a cycle, in any order."""
    nodes = draw(st.lists(ids, unique=True, max_size=largest))
    possible = list(combinations(nodes, 2))
    edges = draw(st.lists(st.sampled_from(possible), unique=True, max_size=2 * largest)) if possible else []
    return draw(st.permutations(nodes)), edges


@st.composite
def digraphs(draw: st.DrawFn, largest: int = 7) -> tuple[list[str], list[Edge]]:
    """Repos and any edges among them: cycles and self-edges too. Ids without a plus sign."""
    nodes = draw(st.lists(st.text("abcxyz", min_size=1, max_size=3), unique=True, min_size=1, max_size=largest))
    one = st.sampled_from(nodes)
    return nodes, draw(st.lists(st.tuples(one, one), unique=True, max_size=2 * largest))


def subsets(nodes: list[str]) -> st.SearchStrategy[list[str]]:
    """Some of the repos, in any order."""
    return st.lists(st.sampled_from(nodes), unique=True, max_size=len(nodes)) if nodes else st.just([])


@st.composite
def trains(draw: st.DrawFn, largest: int = 8) -> Train:
    """A whole case; half of them release every repo."""
    nodes, edges = draw(dags(largest))
    released = draw(st.just(nodes) | subsets(nodes))
    failing = {repo: draw(st.integers(1, 3)) for repo in draw(subsets(nodes))}
    scopes: tuple[Literal["path", "all"], ...] = ("path", "all")
    scope = draw(st.sampled_from(scopes))
    return Train(nodes, edges, released, failing, draw(policies), draw(budgets), draw(attempts), scope)
