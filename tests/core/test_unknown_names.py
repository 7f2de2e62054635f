"""Names that a plan does not have: near ones are suggested, slips are warned of, models without effect are refused."""

from __future__ import annotations

import asyncio
import copy
import pickle
import re
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from difflib import SequenceMatcher, get_close_matches
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import seqkit.__main__
from seqkit import (
    CommonCause,
    DurationModel,
    FailureModel,
    MemoryRunLedger,
    ReleaseSequencer,
    RepoDependencyGraph,
    RepoNotFound,
    ScriptedReleaser,
    SequencePlan,
    SimulatedReleaser,
    UnknownRepo,
    VirtualClock,
    analyze,
    build_plan,
    compare,
    delayed,
    diff_plans,
    eta,
    execute_plan,
    fit_failure_rates,
    plots,
    replay,
    resume_plan,
    run_plan,
    schedule,
    simulate,
    steps,
    what_if,
    write_ledger,
)
from seqkit._util.near import MOST_COMPARED, NearNames
from seqkit.core.neighbours import neighbours
from seqkit.core.unknown import MOST_COMPARED_IN_A_CALL, check_models
from seqkit.explore import LiveRun, Scenario
from seqkit.widgets import DagView, WhatIf

GRAPH = RepoDependencyGraph.from_edges([("acme-core", "acme-api"), ("acme-api", "acme-web"), ("acme-core", "docs")])
PLAN = build_plan(GRAPH, version="1.0")
SLIP = {"acme-coer": 0.5, "docs": 0.1}  # one name is a slip, the other is right


def causes(*repos: str, probability: float = 0.1) -> list[CommonCause]:
    return [CommonCause("ci", probability, repos)]


@contextmanager
def heard() -> Iterator[list[str]]:
    """Collect what is warned of."""
    told: list[str] = []
    with warnings.catch_warnings(record=True, action="always") as caught:
        yield told
    assert all(each.category is UnknownRepo for each in caught)
    told += [str(each.message) for each in caught]


def past_run() -> tuple[MemoryRunLedger, str]:
    ledger = MemoryRunLedger(ids=["monday"])
    run_plan(PLAN, ScriptedReleaser({"acme-api": "red"}), ledger)
    return ledger, "monday"


async def awaited(model: Any) -> Any:
    return await execute_plan(PLAN, model, rng=1)


async def inside_a_loop(model: Any) -> Any:
    return run_plan(PLAN, model, rng=1)


# Whatever takes a model, called with one.
TAKERS: dict[str, Callable[[Any], Any]] = {
    "analyze": lambda model: analyze(PLAN, model),
    "simulate": lambda model: simulate(PLAN, model, trials=64, rng=1),
    "compare two plans": lambda model: compare(PLAN, PLAN.without("docs"), model, trials=64, rng=1),
    "compare two models": lambda model: compare(PLAN, 0.1, model, trials=64, rng=1),
    "compare, the plan by name": lambda model: compare(model, 0.1, plan=PLAN, trials=64, rng=1),
    "replay": lambda model: replay(*past_run(), policy="continue", model=model, trials=10, rng=1),
    "diff_plans": lambda model: diff_plans(PLAN, PLAN.without("docs"), model),
    "Scenario": lambda model: Scenario(PLAN, model, trials=64),
    "WhatIf": lambda model: WhatIf(PLAN, model, trials=64),
    "run_plan": lambda model: run_plan(PLAN, model, rng=1),
    "run_plan inside a loop": lambda model: asyncio.run(inside_a_loop(model)),
    "execute_plan": lambda model: asyncio.run(awaited(model)),
    "ReleaseSequencer": lambda model: ReleaseSequencer(GRAPH).run(PLAN, model, rng=1),
    "SimulatedReleaser": lambda model: run_plan(PLAN, SimulatedReleaser(model, rng=1)),
}
each_taker = pytest.mark.parametrize("take", TAKERS.values(), ids=TAKERS)


NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
UNDER_WAY = run_plan(PLAN, SimulatedReleaser(0.0, rng=1, durations=60), clock=VirtualClock(NOON))

# Whatever takes durations, called with them.
TIMED: dict[str, Callable[[Any], Any]] = {
    "run_plan": lambda takes: run_plan(PLAN, 0.0, durations=takes, rng=1),
    "run_plan, by the releaser": lambda takes: run_plan(
        PLAN, SimulatedReleaser(0.0, rng=1, durations=takes), clock=VirtualClock()
    ),
    "run_plan, by a wrapped one": lambda takes: run_plan(PLAN, delayed(0.0, takes, rng=1), clock=VirtualClock()),
    "schedule": lambda takes: schedule(PLAN, takes, trials=8, rng=1),
    "eta": lambda takes: eta(UNDER_WAY.ledger, UNDER_WAY.run_id, takes, now=NOON, trials=8, rng=1),
    "LiveRun": lambda takes: LiveRun(PLAN, takes),
}


# ---------------------------------------------------------------------- durations and priorities


@pytest.mark.parametrize("take", TIMED.values(), ids=TIMED)
def test_durations_are_held_against_the_plan_wherever_they_are_given(take: Callable[[Any], Any]) -> None:
    with heard() as told:
        take(60)
        take({"acme-core": 10, "acme-api": 10, "acme-web": 10, "docs": 5, "another-train": 5})
        take(DurationModel({"acme-core": 10, "another-train": 5}, default=60))
    assert told == []
    with heard() as told:
        take(DurationModel({"acme-coer": 10, "docs": 5}, default=60))
    (said,) = told
    assert re.match(r"(durations names|the durations of releaser name) 1 repo that the plan does not have: ", said)
    assert "'acme-coer' (did you mean 'acme-core'?)" in said
    with heard() as told:
        take(DurationModel({"another-train": 5}, default=60))
    assert "it names no other, so that one time serves for all 4 repos" in told[0]
    with heard() as told, pytest.raises(ValueError, match="durations has none for 'acme-core'"):
        take({"acme-coer": 10, "docs": 5, "acme-api": 10, "acme-web": 10})
    assert told == []


def test_a_view_of_a_run_holds_priorities_against_the_plan() -> None:
    with heard() as told:
        LiveRun(PLAN, priority={"acme-coer": 2, "docs": 1})
    assert told[0].startswith("priority names 1 repo that the plan does not have: 'acme-coer' (did you mean")


# ---------------------------------------------------------------------- a model for a plan


@each_taker
def test_a_slip_is_warned_of_once_a_call_at_the_line_of_the_caller(take: Callable[[Any], Any]) -> None:
    with pytest.warns(UnknownRepo) as caught:
        take(SLIP)
    assert len(caught) == 1
    told = str(caught[0].message)
    assert "name 1 repo that the plan does not have" in told or "name 1 repo that neither plan has" in told
    assert "'acme-coer' (did you mean 'acme-core'?)" in told
    assert "docs" not in told
    assert 'filterwarnings("ignore", category=seqkit.UnknownRepo)' in told
    assert Path(caught[0].filename) == Path(__file__)


@each_taker
@pytest.mark.parametrize(
    "model",
    [
        {"acme-coer": 0.5},
        {"nobody": 1.0},
        pd.Series({"acme-coer": 0.5}),
        {"acme-coer": 0.0},
        FailureModel({"acme-coer": 0.5}, common_causes=causes("nobody")),
        FailureModel({"nobody": 0.5}, common_causes=causes("docs", probability=0)),
        FailureModel(common_causes=causes("acme-coer", "nobody")),
    ],
    ids=str,
)
def test_a_model_under_which_nothing_could_fail_is_refused(take: Callable[[Any], Any], model: Any) -> None:
    # Of two models of a call each is judged by itself.
    with pytest.raises(ValueError, match="neither a default nor a common cause can make a repo fail") as raised:
        take(model)
    assert "Name repos as they are to be released: 'acme-core', 'acme-api', 'docs' and 1 more, or give a default" in (
        str(raised.value)
    )


@each_taker
@pytest.mark.parametrize(
    "model",
    [
        0.0,
        0.3,
        {},
        pd.Series(dtype=float),
        FailureModel(default=0.2),
        FailureModel(),
        {"docs": 0.5},
        {"docs": 0.0},
        {"docs": 0.1, "another-train": 0.5},
        {"docs": 0.1, "doc": 0.5},
        FailureModel({"another-train": 0.5}, common_causes=causes("docs")),
        FailureModel({"docs": 0.1}, common_causes=causes("another-train")),
        FailureModel({"acme-coer": 0.1}, common_causes=causes("acme-core", "acme-coer", "acme-api", "acme-web")),
        FailureModel(default=0.2, common_causes=causes("another-train")),  # the outage is of others, the rate of all
        FailureModel({"docs": 0.1}, default=0.2, common_causes=causes("another-train", "docs")),
    ],
    ids=str,
)
def test_one_model_serves_many_plans(take: Callable[[Any], Any], model: Any) -> None:
    take(model)  # and no warning becomes an error


@each_taker
def test_where_all_names_are_unknown_the_default_serves_for_all(take: Callable[[Any], Any]) -> None:
    with heard() as told:
        take(FailureModel({"acme-coer": 0.5, "nobody": 0.1}, default=0.25))
    assert len(told) == 1
    assert "name 2 repos that" in told[0]
    assert "'acme-coer' (did you mean 'acme-core'?), 'nobody'; it names no other" in told[0]
    assert "so that its default 0.25 serves for all 4 repos" in told[0]


def test_members_of_common_causes_are_names_too() -> None:
    with heard() as told:
        analyze(PLAN, FailureModel(default=0.1, common_causes=causes("docs", "acme-wbe")))
        analyze(PLAN, FailureModel({"docs": 0.1, "dcos": 0.1}, common_causes=causes("acme-coer", "acme-aip")))
    assert "the common causes of model name 1 repo" in told[0]
    assert "'acme-wbe' (did you mean 'acme-web'?)" in told[0]
    assert "the common causes of model name 2 repos" in told[1]
    assert "rates" not in told[1]  # docs, near to dcos, has a rate of its own
    assert len(told) == 2


def test_a_slip_in_the_rates_is_heard_beside_a_cause_that_strikes_everybody() -> None:
    outage = causes("acme-core", "acme-api", "acme-web", "docs")
    with heard() as told:
        analyze(PLAN, FailureModel({"acme-coer": 0.5}, common_causes=outage))
        analyze(PLAN, FailureModel({"acme-core": 0.5}, default=0.1, common_causes=causes("acme-coer")))
    assert "the rates of model name 1 repo" in told[0]
    assert "the common causes of model name 1 repo" in told[1]


def test_differing_case_is_the_nearest_of_all() -> None:
    with heard() as told:
        analyze(PLAN, {"docs": 0.1, "ACME-CORE": 0.5, " acme-web ": 0.5})
    assert "'ACME-CORE' (did you mean 'acme-core'?), ' acme-web ' (did you mean 'acme-web'?)" in told[0]


def test_two_models_of_a_call_are_told_of_in_one_warning() -> None:
    with heard() as told:
        compare(PLAN, SLIP, {"docs": 0.2, "acme-aip": 0.5}, trials=64, rng=1)
    (one,) = told
    assert "the rates of b name 1 repo that the plan does not have: 'acme-coer'" in one
    assert "the rates of model name 1 repo that the plan does not have: 'acme-aip'" in one


def test_what_either_plan_of_a_call_has_is_known() -> None:
    before = build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1")
    after = build_plan(RepoDependencyGraph.from_edges([("cores", "app")]), version="2")
    compare(before, after, {"core": 0.1}, trials=64, rng=1)
    diff_plans(before, after, {"cores": 0.1})
    with pytest.raises(ValueError, match="that neither plan has: 'cora'"):
        compare(before, after, {"cora": 0.1}, trials=64, rng=1)
    with pytest.raises(ValueError, match="that neither plan has: 'cora'"):
        diff_plans(before, after, {"cora": 0.1})


def test_few_names_are_told_and_long_ones_cut() -> None:
    slips = {f"acme-co{letter}e": 0.1 for letter in "abcdefg"}
    with heard() as told:
        analyze(PLAN, {**slips, "docs": 0.1, "acme-core" * 30: 0.1})
    assert "name 7 repos" in told[0]
    assert told[0].count("did you mean") == 3
    assert "and 4 more" in told[0]
    with pytest.raises(ValueError, match="name 1 repo that") as raised:
        analyze(PLAN, {"<b>]\n" * 10_000: 0.5})
    assert len(str(raised.value)) < 600
    assert "\n" not in str(raised.value)


def test_where_nothing_is_to_be_released_nothing_is_missed() -> None:
    for plan in (build_plan(RepoDependencyGraph()), build_plan(GRAPH, []), build_plan(GRAPH, [], scope="all")):
        assert analyze(plan, {"nobody": 0.5}).p_all_succeed == 1.0
        assert run_plan(plan, ScriptedReleaser(["nobody"])).overall_success


def test_a_warning_does_not_change_the_numbers() -> None:
    with heard() as told:
        analysis = analyze(PLAN, SLIP)
        scenario = Scenario(PLAN, FailureModel(SLIP, common_causes=causes("docs", "another-train", "acme-wbe")))
    assert analysis.to_frame().equals(analyze(PLAN, {"docs": 0.1}).to_frame())
    assert len(told) == 2
    plain = Scenario(PLAN, FailureModel({"docs": 0.1}, common_causes=causes("docs")))
    for each in (scenario, plain):  # what the scenario asks for by itself warns no more
        each.fail("acme-web")
    assert scenario.to_frame().equals(plain.to_frame())
    assert scenario.baseline.to_frame().equals(plain.baseline.to_frame())
    assert scenario.simulation.to_frame().equals(plain.simulation.to_frame())
    scenario.set_rate("docs", 0.0)
    assert scenario.analysis is not None


# ---------------------------------------------------------------------- scripts


def test_a_script_that_names_nobody_in_the_plan_is_refused_before_anything_is_written() -> None:
    ledger = MemoryRunLedger()
    with pytest.raises(ValueError, match="the script of releaser names 1 repo that the plan does not have") as raised:
        run_plan(PLAN, ScriptedReleaser({"acme-coer": "red"}), ledger)
    assert "'acme-coer' (did you mean 'acme-core'?), so that no release would fail" in str(raised.value)
    assert ledger.list_runs() == []


def test_a_slip_in_a_script_is_warned_of() -> None:
    with heard() as told:
        outcome = run_plan(PLAN, ScriptedReleaser({"acme-coer": "red", "docs": "red", "another-train": "red"}))
    assert list(outcome.failures) == ["docs"]
    assert len(told) == 1
    assert "the script of releaser names 1 repo that the plan does not have: 'acme-coer'" in told[0]


def test_a_script_for_many_plans_is_right() -> None:
    run_plan(PLAN, ScriptedReleaser(["docs", "another-train"]))
    run_plan(PLAN.without("docs"), ScriptedReleaser(["docs"]))
    run_plan(PLAN, ScriptedReleaser())
    run_plan(PLAN, ScriptedReleaser(["docs", "doc"]))


# ---------------------------------------------------------------------- what a plan knows


SOME = build_plan(GRAPH, [("acme-core", "1"), ("acme-web", "1")])  # acme-api lies between them, docs is left out


@pytest.mark.parametrize(
    "plan",
    [
        SOME,
        PLAN.without("docs"),
        PLAN.without("docs").without("acme-web"),
        build_plan(PLAN.without("docs").graph, version="1.0"),
        pickle.loads(pickle.dumps(SOME)),
        copy.deepcopy(SOME),
        ReleaseSequencer(GRAPH).build_plan([("acme-core", "1"), ("acme-web", "1")]),
    ],
)
@pytest.mark.parametrize("repo", ["docs", "acme-api"])
def test_a_plan_knows_the_graph_it_comes_from(plan: SequencePlan, repo: str) -> None:
    analyze(plan, {repo: 0.5})
    run_plan(plan, {repo: 0.5})


def test_what_a_plan_knows_beside_its_items_is_no_part_of_it() -> None:
    alone = SequencePlan.from_json(SOME.to_json())
    assert alone == SOME
    assert alone.plan_id == SOME.plan_id
    assert hash(alone) == hash(SOME)
    assert "docs" not in SOME.to_json()
    assert "docs" not in SOME.graph
    assert build_plan(SOME.graph, version="2") == build_plan(alone.graph, version="2")
    with pytest.raises(ValueError, match="'docs'"):
        analyze(alone, {"docs": 0.5})
    analyze(alone, {"acme-api": 0.5})  # unreleased, and known


def test_a_subgraph_is_a_graph_of_its_own() -> None:
    part = build_plan(GRAPH.subgraph(["acme-core", "acme-api"]), version="1")
    with pytest.raises(ValueError, match="'docs'"):
        analyze(part, {"docs": 0.5})


def test_a_graph_that_grows_tells_a_plan_nothing_new() -> None:
    graph = RepoDependencyGraph.from_edges([("core", "api")])
    plan = build_plan(graph, [("api", "1")])
    graph.add_node("later")
    analyze(plan, {"core": 0.5})
    with pytest.raises(ValueError, match="'later'"):
        analyze(plan, {"later": 0.5})


def test_a_plan_that_resumes_knows_the_run_and_the_graph_given() -> None:
    ledger, run_id = past_run()
    rest = resume_plan(ledger, run_id)
    assert rest.released == ["acme-api", "acme-web"]
    for plan in (rest, pickle.loads(pickle.dumps(rest)), rest.without("acme-web")):
        analyze(plan, {"docs": 0.5})
    wider = RepoDependencyGraph.compose(GRAPH, RepoDependencyGraph.from_edges([("docs", "site")]))
    with pytest.raises(ValueError, match="'site'"):
        analyze(rest, {"site": 0.5})
    for known in (wider, build_plan(wider, [("docs", "1")])):
        analyze(resume_plan(ledger, run_id, graph=known), {"site": 0.5})
        replay(ledger, run_id, policy="continue", model={"site": 0.5}, graph=known)
    assert resume_plan(ledger, run_id, graph=wider) == rest


# ---------------------------------------------------------------------- the rule, by brute force


names = st.text("abcA-", min_size=1, max_size=6)


def close(name: str, repos: set[str]) -> bool:
    return any(
        SequenceMatcher(a=repo, b=name).ratio() >= 0.6 or SequenceMatcher(a=repo.lower(), b=name.lower()).ratio() >= 0.6
        for repo in repos
    )


@given(st.sets(names, min_size=1, max_size=6), st.sets(names, max_size=6), st.sampled_from([0.0, 0.1]), st.data())
def test_rates_are_judged_by_the_rule(planned: set[str], named: set[str], default: float, data: st.DataObject) -> None:
    released = data.draw(st.sets(st.sampled_from(sorted(planned)), min_size=1))
    graph = RepoDependencyGraph.from_edges([], nodes=sorted(planned))
    plan = build_plan(graph, [(repo, "1") for repo in sorted(released)])
    model = FailureModel(dict.fromkeys(sorted(named), 0.1), default)
    unknown = named - planned
    if named and unknown == named and not default:
        with pytest.raises(ValueError, match="nothing ever would"):
            analyze(plan, model)
        with pytest.raises(ValueError, match="no release would fail"):
            run_plan(plan, ScriptedReleaser(named))
        return
    with heard() as told:
        analyze(plan, model)
    slips = {name for name in unknown if close(name, released - named)}
    assert len(told) == bool(slips or (named and unknown == named))
    if slips and unknown != named:
        assert f"name {len(slips)} repo{'s'[: len(slips) != 1]} that the plan does not have" in told[0]


@given(names, st.lists(names, max_size=12))
def test_near_names_are_those_that_difflib_calls_close(sought: str, possible: list[str]) -> None:
    lower = list(dict.fromkeys(name.lower() for name in possible))
    found = NearNames(lower).near(sought.lower(), n=12)
    assert set(found) == set(get_close_matches(sought.lower(), lower, n=12)) if lower else not found
    ratios = [SequenceMatcher(a=name, b=sought.lower()).ratio() for name in found]
    assert ratios == sorted(ratios, reverse=True)
    assert NearNames(lower).near(sought.lower()) == found[:3]


@given(st.text(max_size=4), st.lists(st.text(max_size=4), max_size=6))
def test_any_text_may_be_sought_among_any(sought: str, possible: list[str]) -> None:
    found = NearNames(possible).near(sought)
    assert len(found) <= 3
    assert set(found) <= set(possible)
    if sought and sought in possible:
        assert found[0].lower() == sought.lower()


def counted_ratios(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count how often difflib compares two names, from now on."""
    count = [0]
    ratio = SequenceMatcher.ratio

    def counting(self: SequenceMatcher[str]) -> float:
        count[0] += 1
        return ratio(self)

    monkeypatch.setattr(SequenceMatcher, "ratio", counting)
    return count


@pytest.mark.parametrize("pattern", ["zeta-{}-eroc-ecivres", "service-x{}-core", "{}"])
def test_many_names_on_many_repos_are_compared_so_many_times_and_no_more(
    monkeypatch: pytest.MonkeyPatch, pattern: str
) -> None:
    count = counted_ratios(monkeypatch)
    plan = build_plan(
        RepoDependencyGraph.from_edges([], nodes=[f"service-{i:05}-core" for i in range(10_000)]), version="1"
    )
    rates = {pattern.format(i): 0.1 for i in range(1_000)} | {"service-00000-core": 0.1}
    with heard() as told:
        check_models([plan], model=FailureModel(rates))
    assert count[0] <= MOST_COMPARED_IN_A_CALL + MOST_COMPARED
    assert len(told) == ("service" in pattern)
    if told:
        assert " or more repos that the plan does not have" in told[0]


def test_a_model_that_names_every_repo_compares_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    count = counted_ratios(monkeypatch)
    rates = dict.fromkeys([*PLAN.released, *(f"acme-{i}" for i in range(300))], 0.1)
    analyze(PLAN, rates)
    analyze(PLAN, 0.1)
    assert count[0] == 0


# ---------------------------------------------------------------------- RepoNotFound


LOOKUPS: dict[str, Callable[[str], Any]] = {
    "graph.node": GRAPH.node,
    "graph.attributes": GRAPH.attributes,
    "graph.dependencies_of": GRAPH.dependencies_of,
    "graph.transitive_dependents_of": GRAPH.transitive_dependents_of,
    "graph.subgraph": lambda repo: GRAPH.subgraph(["docs", repo]),
    "graph.add_dependency": lambda repo: RepoDependencyGraph.compose(GRAPH).add_dependency(repo, "docs"),
    "neighbours": lambda repo: neighbours(GRAPH, repo),
    "build_plan": lambda repo: build_plan(GRAPH, [(repo, "1.0")]),
    "plan.without": lambda repo: PLAN.without(repo),
    "plan.from_json": lambda repo: SequencePlan.from_json(
        PLAN.to_json().replace('["acme-api", "acme-web"]', f'["{repo}", "acme-web"]')
    ),
    "what_if": lambda repo: what_if(PLAN, ["docs", repo]),
    "steps": lambda repo: steps(PLAN, fail=repo),
    "replay": lambda repo: replay(*past_run(), fail=repo),
    "Scenario.toggle": lambda repo: Scenario(PLAN).toggle(repo),
    "outcome_probability": lambda repo: analyze(PLAN, 0.1).outcome_probability(failed=[repo]),
    "plots.blast_radius": lambda repo: plots.blast_radius(PLAN, repo),
    "plots.blast_radius of a graph": lambda repo: plots.blast_radius(GRAPH, repo),
    "plots.order": lambda repo: plots.order(PLAN, around=repo),
    "DagView": lambda repo: DagView(PLAN, around=repo),
}


@pytest.mark.parametrize("look", LOOKUPS.values(), ids=LOOKUPS)
def test_a_repo_that_is_not_found_comes_with_suggestions(look: Callable[[str], Any]) -> None:
    with pytest.raises(RepoNotFound) as raised:
        look("acme-coer")
    error = raised.value
    assert str(error) == "repo not found in graph: acme-coer"
    assert error.suggestions[0] == "acme-core"
    assert len(error.suggestions) <= 3
    assert error.__notes__ == [f"did you mean {' or '.join(map(repr, error.suggestions))}?"]
    assert traceback.format_exception(error)[-1] == f"{error.__notes__[0]}\n"
    plt.close("all")


@pytest.mark.parametrize("look", LOOKUPS.values(), ids=LOOKUPS)
def test_a_repo_that_is_near_to_nothing_comes_without(look: Callable[[str], Any]) -> None:
    with pytest.raises(RepoNotFound) as raised:
        look("qqq")
    assert raised.value.suggestions == []
    assert raised.value.__notes__ == []
    plt.close("all")


@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))])
def test_suggestions_and_notes_survive_the_way_to_another_process(way: Callable[[RepoNotFound], RepoNotFound]) -> None:
    graph = RepoDependencyGraph.from_edges([("core", "api")])
    with pytest.raises(RepoNotFound) as raised:
        graph.node("coer")
    graph.add_node("coer")  # what was near then is what is told
    raised.value.add_note("while reading the train")
    again = way(raised.value)
    assert type(again) is RepoNotFound
    assert (str(again), again.repo, again.args) == ("repo not found in graph: coer", "coer", ("coer",))
    assert again.suggestions == ["core"]
    assert again.__notes__ == ["did you mean 'core'?", "while reading the train"]


def test_an_error_made_by_hand_has_no_suggestions_and_takes_notes() -> None:
    error = RepoNotFound("core")
    assert error.suggestions == []
    error.add_note("a note")
    assert traceback.format_exception(error)[-1] == "a note\n"


def test_a_loop_that_catches_errors_pays_for_no_suggestions(monkeypatch: pytest.MonkeyPatch) -> None:
    count = counted_ratios(monkeypatch)
    for number in range(100):
        with pytest.raises(RepoNotFound):
            GRAPH.node(f"acme-{number}")
    assert count[0] == 0


def test_what_is_no_text_is_not_found_either() -> None:
    with pytest.raises(RepoNotFound, match="repo not found in graph: 7") as raised:
        GRAPH.node(7)  # type: ignore[arg-type]
    assert raised.value.suggestions == []


# ---------------------------------------------------------------------- the command line, a picture


def test_the_command_line_suggests_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edges, plan = tmp_path / "edges.csv", tmp_path / "plan.json"
    edges.write_text("dependency,dependent\nacme-core,acme-api\nacme-core,docs\n")
    plan.write_text(PLAN.to_json().replace('["acme-api", "acme-web"]', '["acme-aip", "acme-web"]'))
    for arguments, meant in (
        (["what-if", str(edges), "--fail", "acme-coer"], "acme-core"),
        (["simulate", str(edges), "--failure-rate", "0.1", "--rate", "acme-coer=0.5"], "acme-core"),
        (["simulate", str(edges), "--failure-rate", "0.1", "--outage", "ci=0.1:docs,acme-coer"], "acme-core"),
        (["what-if", str(plan), "--fail", "docs"], "acme-api"),
    ):
        assert seqkit.__main__.main(arguments) == 2
        told = capsys.readouterr().err
        assert told.count("did you mean") == 1
        assert f"did you mean '{meant}'" in told


def test_notes_of_an_error_reach_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger, edges = tmp_path / "runs.jsonl", tmp_path / "edges.csv"
    edges.write_text("dependency,dependent\nacme-coer,acme-api\n")
    write_ledger(past_run()[0], ledger)
    bare = ledger.read_text().replace('"plan":{', '"other":{')  # as the original writes it: without a plan
    assert bare != ledger.read_text()
    ledger.write_text(bare)
    assert seqkit.__main__.main(["resume", str(ledger), "monday", "--graph", str(edges)]) == 2
    told = capsys.readouterr().err
    assert told.startswith("seqkit: repo not found in graph: acme-core; did you mean 'acme-coer'")
    assert told.count("did you mean") == 1


def test_a_picture_of_a_fit_holds_an_assumed_model_against_it() -> None:
    fit = fit_failure_rates(pd.DataFrame({"repo_id": ["core", "api"] * 40, "succeeded": [False, True] * 40}))
    with heard() as told:
        plots.rates(fit, model={"croe": 0.5, "api": 0.1})
    assert "that the fit does not have: 'croe' (did you mean 'core'?)" in told[0]
    with pytest.raises(ValueError, match="that the fit does not have"):
        plots.rates(fit, model={"croe": 0.5})
    plots.rates(fit, model={"core": 0.5, "another-train": 0.1})
    plt.close("all")
