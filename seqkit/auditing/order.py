"""What a run is held against: the order of its plan, or of a graph, and the rules it was run under."""

from __future__ import annotations

import hashlib
import itertools
import operator
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from json.encoder import encode_basestring as quoted  # the C one, where there is one
from typing import Any

from seqkit.core.graph import RepoDependencyGraph
from seqkit.core.model import spec_digest_of
from seqkit.core.plan import SequencePlan, plan_of
from seqkit.core.terms import Terms
from seqkit.errors import SeqkitError
from seqkit.ledger.digest import canonical, object_text

__all__ = ["Order", "OwnPlan", "Plans", "Settings", "order_in", "order_of_graph", "order_of_plan", "settings_in"]


@dataclass(frozen=True)
class Order:
    """Repos in an order that respects their dependencies."""

    ids: list[str]
    """The repos."""
    position: Mapping[str, int]
    """Where each stands in `ids`."""
    dependencies: Sequence[Sequence[int]]
    """The positions of what each needs directly."""
    released: Sequence[bool] | None = None
    """Whether each is part of the release; None for a graph, which does not say."""
    versions: list[str] | None = None
    """The version at which each is to be released; None for a graph."""
    origin: str | None = None
    """The plan's originating_run_id; None for a graph."""
    own: Mapping[str, Any] | None = None
    """The plan as it stands in the tags of the run; None where it was given to the audit."""
    written: Mapping[str, bytes] = field(default_factory=dict)
    """Its items and edges as canonical JSON, where they stand there just as seqkit writes them."""
    graph_of: str | None = None
    """Of what the plan is whose dependencies alone these are."""

    @cached_property
    def expected(self) -> frozenset[str]:
        """The repos that may have events: those to release; of a graph all."""
        released = self.released
        return frozenset(self.ids if released is None else itertools.compress(self.ids, released))

    @cached_property
    def as_graph(self) -> Order:
        """The dependencies alone, without what was to be released."""
        return Order(self.ids, self.position, self.dependencies, graph_of=self.origin)

    @cached_property
    def spec_digest(self) -> str | None:
        """The spec digest of a run of the plan; None for a graph."""
        return None if self.origin is None else spec_digest_of(self.origin)

    @cached_property
    def plan_id(self) -> str:
        """The id that the run's own plan should have."""
        if self.written:
            text = object_text({**self.written, "originating_run_id": self.origin}, self.written)
            return f"seq-{hashlib.sha256(text).hexdigest()[:8]}"
        return plan_of({**(self.own or {}), "plan_id": None}).plan_id


@dataclass(frozen=True)
class Settings:
    """The rules that a run was made under, as its plan says; what the original does where it says nothing."""

    terms: Terms = field(default_factory=Terms)
    """What a failure means for the rest."""
    attempts: int | None = None
    """How often a repo is tried; None where it is not known."""
    record_skips: bool = False
    """Whether a skipped repo has an event."""
    lanes: int = 1
    """How many releases may be under way at once."""
    as_planned: bool = True
    """Whether of those that may start the first of the plan does."""

    @cached_property
    def goes_on(self) -> bool:
        """Whether what depends on a failed repo may start all the same."""
        return self.terms.goes_on


def order_of_plan(plan: SequencePlan, own: Mapping[str, Any] | None = None) -> Order:
    """Take a plan's order."""
    ids = [item.repo_id for item in plan.items]
    versions = [item.version_label for item in plan.items]
    return Order(
        ids,
        plan.arrays.position,
        plan.arrays.dependencies,
        plan.arrays.released,
        versions,
        plan.originating_run_id,
        own,
    )


def order_of_graph(graph: RepoDependencyGraph) -> Order:
    """Take a graph's order."""
    ids = graph.topological_order()
    position = {repo: index for index, repo in enumerate(ids)}
    dependencies = [[position[other] for other in graph.dependencies_of(repo)] for repo in ids]
    return Order(ids, position, dependencies)


def order_in(tag: object) -> Order | str:
    """Read the order of the plan that a run carries, or say why it cannot be read."""
    if not isinstance(tag, Mapping):
        return f"expected an object with originating_run_id, items and edges, found {type(tag).__name__}"
    if (plain := _plain_order(tag)) is not None:
        return plain
    try:
        return order_of_plan(plan_of(tag), tag)
    except (SeqkitError, ValueError, TypeError, RecursionError) as problem:
        return f"expected items in dependency order and edges among them, found: {problem!s:.300}"


@dataclass(frozen=True, slots=True)
class OwnPlan:
    """What the plan in a run's tags says."""

    order: Order | str
    """Its order, or why it cannot be read; empty where there is no plan."""
    text: bytes | None = None
    """Its canonical JSON; None where it is nothing that JSON can hold."""
    settings: Settings = field(default_factory=Settings)
    """The rules that it tells."""
    remarks: Sequence[str] = ()
    """What of it could not be read."""


class Plans:
    """Reads the plans in the tags of runs: many runs of one plan, one after the other, and it is read once."""

    def __init__(self) -> None:
        self._tag: object = None
        self._rest = b""
        self._read = OwnPlan("")

    def read(self, tag: object) -> OwnPlan:
        """Give what a plan says."""
        if tag is None:
            return OwnPlan("")
        try:
            rest = _rest_of(tag)
            if not self._is_the_same(tag, rest):
                order = order_in(tag)
                self._read = _own_plan(tag, order, _text_of(tag, order))
        except (ValueError, TypeError, RecursionError):  # it is nothing that JSON can hold
            return _own_plan(tag, order_in(tag), None)
        self._tag, self._rest = tag, rest
        return self._read

    def _is_the_same(self, tag: object, rest: bytes) -> bool:
        # Texts alone are equal only to the same text; 1, 1.0 and True, which are equal too, stand in the rest.
        order, last = self._read.order, self._tag
        if not (isinstance(order, Order) and order.written and isinstance(last, dict) and isinstance(tag, dict)):
            return False
        if rest != self._rest or self._read.remarks:  # which say what stands there, in Python's words
            return False
        return all(tag.get(name) == last.get(name) for name in _LISTS)


def _own_plan(tag: Any, order: Order | str, text: bytes | None) -> OwnPlan:
    if not isinstance(order, Order):
        return OwnPlan(order, text, remarks=[f"the plan cannot be read: {order}"])
    settings, remarks = settings_in(tag)
    return OwnPlan(order, text, settings, remarks)


_LISTS = ("items", "edges")


def _rest_of(tag: object) -> bytes:
    return canonical({name: tag[name] for name in tag if name not in _LISTS}) if isinstance(tag, dict) else b""


def _text_of(tag: object, order: Order | str) -> bytes:
    return object_text(tag, order.written) if isinstance(order, Order) else canonical(tag)


_ITEM = ("repo_id", "version_label", "spec_digest", "promoted_by", "status")
_columns_of = operator.itemgetter(*_ITEM)


def _plain_order(tag: Mapping[str, Any]) -> Order | None:  # noqa: PLR0911  # one a reason
    """Do what ``plan_of`` does, many times faster; None for what is better left to it.

    Column by column, since a look at each value in turn takes as long as all the rest of an audit.
    """
    items, edges, origin = tag.get("items"), tag.get("edges"), tag.get("originating_run_id")
    if type(items) is not list or type(edges) is not list or type(origin) is not str or "plan_id" in tag:
        return None
    if not (_all(dict, items) and set(map(len, items)) <= {len(_ITEM)}):
        return None
    if not (_all(list, edges) and set(map(len, edges)) <= {2}):
        return None
    try:
        columns = [list(column) for column in zip(*map(_columns_of, items), strict=True)] or [[] for _ in _ITEM]
    except KeyError:
        return None
    ids, versions, _, _, statuses = columns
    if not all(_all(str, column) for column in columns) or not set(statuses) <= {"pending", "skipped"}:
        return None
    position = {repo: index for index, repo in enumerate(ids)}
    try:
        befores, afters = [list(map(position.__getitem__, ends)) for ends in zip(*edges, strict=True)] or ([], [])
    except (KeyError, TypeError):  # no repo of the plan, or no text
        return None
    if len(position) < len(ids) or not all(map(operator.lt, befores, afters)):
        return None
    if not all(map(operator.lt, edges, edges[1:])):
        return None
    dependencies: list[list[int]] = [[] for _ in ids]
    for before, after in zip(befores, afters, strict=True):
        dependencies[after].append(before)
    released = [status != "skipped" for status in statuses]
    texts = [list(map(quoted, column)) for column in columns]
    items = [
        f'{{"promoted_by":{by},"repo_id":{repo},"spec_digest":{digest},"status":{status},"version_label":{version}}}'
        for repo, version, digest, by, status in zip(*texts, strict=True)
    ]
    quoted_ids = texts[0]
    pairs = [f"[{quoted_ids[before]},{quoted_ids[after]}]" for before, after in zip(befores, afters, strict=True)]
    try:
        origin.encode()
        written = {"edges": _list_of(pairs), "items": _list_of(items)}
    except UnicodeEncodeError:  # half a character
        return None
    return Order(ids, position, dependencies, released, versions, origin, tag, written)


def _all(kind: type, values: Iterable[object]) -> bool:
    return set(map(type, values)) <= {kind}


def _list_of(texts: Iterable[str]) -> bytes:
    return f"[{','.join(texts)}]".encode()


def settings_in(tag: Mapping[str, Any]) -> tuple[Settings, list[str]]:
    """Read the rules out of a run's plan; what cannot be read is told and taken for the default."""
    terms, unread = Terms.told_by(tag)
    attempts = None if "attempts" in unread else terms.attempts
    skips = tag.get("record_skips")
    if not isinstance(skips, bool):
        skips, unread["record_skips"] = True, "true or false"
    taken = {**terms.to_tag(), "attempts": attempts, "record_skips": skips}
    told = []
    for name, expected in unread.items():
        found = f"{tag[name]!r:.80}" if name in tag else "missing"
        told.append(f"plan.{name} is {found}, expected {expected}; taken for {taken[name]!r}")
    lanes = tag.get("max_parallel", 1)
    if lanes is None:
        lanes = sys.maxsize  # no limit
    lanes = lanes if _from_one(lanes) else 1
    as_planned = tag.get("priority", "plan" if lanes == 1 else "longest_path") == "plan"
    return Settings(terms, attempts, skips, lanes, as_planned), told


def _from_one(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1
