"""A plan by position: what the arrays say, and that nothing changes them."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from typing import Any

import pytest
from hypothesis import given

from seqkit import (
    RepoDependencyGraph,
    RepoNotFound,
    SequencePlan,
    analyze,
    blast_radius,
    build_plan,
    check_order,
    simulate,
    steps,
    what_if,
)
from seqkit.core.arrays import PlanArrays
from tests.tools.strategies import Train, trains

EDGES = [("core", "hub"), ("hub", "app"), ("core", "docs"), ("lib", "app"), ("p", "q"), ("q", "p")]
GRAPH = RepoDependencyGraph.from_edges(EDGES, cycles="merge")
RELEASES = [("core", "1.0"), ("app", "1.0"), ("docs", "1.0"), ("lib", "1.0"), ("p+q", "1.0")]


def made() -> SequencePlan:
    return build_plan(GRAPH, RELEASES)


def frozen(value: object) -> bool:
    if isinstance(value, tuple):
        return all(map(frozen, value))
    return value is None or isinstance(value, str | int)


@given(trains())
def test_the_arrays_are_the_plan_by_position(train: Train) -> None:
    plan = train.plan
    arrays = plan.arrays
    ids = [item.repo_id for item in plan.items]
    assert list(arrays.ids) == ids
    assert dict(arrays.position) == {repo: plan.position(repo) for repo in ids} == {r: i for i, r in enumerate(ids)}
    assert [[ids[i] for i in row] for row in arrays.dependencies] == [
        sorted(plan.graph.dependencies_of(repo), key=ids.index) for repo in ids
    ]
    assert [[ids[i] for i in row] for row in arrays.dependents] == [
        sorted(plan.graph.dependents_of(repo), key=ids.index) for repo in ids
    ]
    assert [repo for repo, released in zip(ids, arrays.released, strict=True) if released] == plan.released
    wave_of = {repo: number for number, wave in enumerate(plan.waves()) for repo in wave}
    assert list(arrays.waves) == [wave_of.get(repo) for repo in ids]
    assert [depth for depth, yes in zip(arrays.depths, arrays.released, strict=True) if yes] == [
        wave for wave in arrays.waves if wave is not None
    ]
    assert list(plan.to_frame().sort_values("position")["wave"]) == list(plan.to_frame().set_index("repo_id").wave[ids])


def test_the_arrays_are_made_once_and_nothing_changes_them() -> None:
    plan = made()
    arrays: Any = plan.arrays
    assert plan.arrays is arrays
    for field in dataclasses.fields(PlanArrays):
        value = getattr(arrays, field.name)
        assert field.name == "position" or frozen(value), field.name
        with pytest.raises(FrozenInstanceError):
            setattr(arrays, field.name, value)
        with pytest.raises(FrozenInstanceError):
            delattr(arrays, field.name)
    with pytest.raises(TypeError, match="does not support item assignment"):
        arrays.position["core"] = 3
    with pytest.raises(TypeError, match="does not support item deletion"):
        del arrays.position["core"]
    assert not hasattr(arrays.position, "clear")
    with pytest.raises((AttributeError, TypeError)):
        arrays.more = 1
    with pytest.raises(AttributeError):
        plan.arrays = arrays  # type: ignore[misc]


@pytest.mark.parametrize("name", ["released", "unreleased", "run_tags", "edges"])
def test_what_a_plan_gives_cannot_be_put_in_its_place(name: str) -> None:
    plan = made()
    with pytest.raises(AttributeError):
        setattr(plan, name, [])


def test_arrays_are_equal_where_their_plans_are_and_survive_a_copy() -> None:
    arrays = made().arrays
    assert arrays == made().arrays
    assert hash(arrays) == hash(made().arrays)
    for again in (pickle.loads(pickle.dumps(arrays)), copy.copy(arrays), copy.deepcopy(arrays)):
        assert again == arrays
        for field in dataclasses.fields(PlanArrays):
            assert getattr(again, field.name) == getattr(arrays, field.name)
        with pytest.raises(TypeError):
            again.position["core"] = 3
    assert arrays != build_plan(GRAPH, RELEASES[1:]).arrays  # core is not released
    assert arrays != build_plan(GRAPH, RELEASES, scope="all").without("docs").arrays
    plan = made()
    assert plan.arrays == pickle.loads(pickle.dumps(plan)).arrays
    assert pickle.loads(pickle.dumps(plan)) == plan


def test_an_empty_plan_has_arrays() -> None:
    arrays = build_plan(GRAPH, []).arrays
    assert (arrays.ids, arrays.waves, dict(arrays.position)) == ((), (), {})
    assert repr(arrays) == "PlanArrays(0 items, 0 dependencies)"


def test_who_asks_where_nobody_stands_is_told_who_may_be_meant() -> None:
    plan = made()
    assert plan.position("core") == 0
    for ask in (plan.position, plan.graph.require):
        with pytest.raises(RepoNotFound, match="did you mean 'core'") as caught:
            ask("coer")
        assert caught.value.suggestions == ["core"]
        with pytest.raises(RepoNotFound):
            ask(3)  # type: ignore[arg-type]
    assert plan.graph.require("hub") == "hub"


# ---------------------------------------------------------------------- lists

LISTS: dict[str, Callable[[SequencePlan], Any]] = {
    "released": lambda plan: plan.released,
    "unreleased": lambda plan: plan.unreleased,
    "waves": lambda plan: plan.waves(),
    "first wave": lambda plan: plan.waves()[0],
    "edges": lambda plan: plan.edges,
    "edges of the graph": lambda plan: plan.graph.edges,
    "waves of the graph": lambda plan: plan.graph.waves(),
    "first wave of the graph": lambda plan: plan.graph.waves()[0],
    "order of the graph": lambda plan: plan.graph.topological_order(),
    "dependents": lambda plan: plan.graph.dependents_of("core"),
    "dependencies": lambda plan: plan.graph.dependencies_of("app"),
    "all dependents": lambda plan: plan.graph.transitive_dependents_of("core"),
    "all dependencies": lambda plan: plan.graph.transitive_dependencies_of("app"),
    "attributes": lambda plan: plan.graph.attributes("p+q"),
    "members": lambda plan: plan.graph.attributes("p+q")["members"],
    "members in the first graph": lambda plan: GRAPH.attributes("p+q")["members"],
    "dependencies in the frame": lambda plan: plan.to_frame()["dependencies"].iloc[-1],
    "words": lambda plan: what_if(plan, "core").words(),
    "succeeded": lambda plan: what_if(plan, "lib").succeeded,
    "tags": lambda plan: plan.run_tags,
}


def told(plan: SequencePlan) -> str:
    """Write all that is told of a plan."""
    analysis, simulation = analyze(plan, 0.1), simulate(plan, 0.1, trials=200, rng=1)
    order = check_order(plan, ["core", "docs", "lib", "app", "p+q"])
    outcome = what_if(plan, "core")
    frames = (
        plan.to_frame(),
        analysis.to_frame(),
        analysis.importance(),
        simulation.to_frame(),
        blast_radius(plan),
        steps(plan, fail="core"),
        outcome.to_frame(),
    )
    return json.dumps(
        [
            plan.to_json(),
            repr(plan),
            plan._repr_html_(),
            *(frame.reset_index().astype(object).to_json(default_handler=str) for frame in frames),
            repr((analysis, simulation, order, outcome, plan.graph.attributes("p+q"), GRAPH.attributes("p+q"))),
            str((plan.released, plan.unreleased, plan.waves(), plan.edges, plan.arrays.waves)),
            plan.without("docs").to_json(),
        ]
    )


TOLD = told(made())


@pytest.mark.parametrize("what", LISTS)
def test_whoever_changes_a_list_of_a_plan_changes_nothing_else(what: str) -> None:
    plan = made()
    for _ in range(2):  # before anything was asked, and after
        given = LISTS[what](plan)
        assert given or what in ("tags",)
        given.clear()
        assert told(plan) == TOLD
        assert LISTS[what](plan) == LISTS[what](made())
