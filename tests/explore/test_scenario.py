"""A scenario gives what the public functions give, whatever was changed before, and its source gives it again."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqkit import (
    CommonCause,
    DurationModel,
    Estimate,
    FailureModel,
    RepoDependencyGraph,
    RepoNotFound,
    UnknownRepo,
    UnsupportedRanking,
    analyze,
    build_plan,
    fit_failure_rates,
    load_dataset,
    schedule,
    simulate,
    what_if,
)
from seqkit.core.failures import as_model
from seqkit.explore import Scenario
from tests.tools.strategies import HOSTILE_NAMES, POLICIES, trains

GRAPH = RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs"), ("api", "app"), ("app", "site")])
PLAN = build_plan(GRAPH, version="1")
PART = build_plan(GRAPH, [("core", "1"), ("app", "1"), ("site", "1")])  # api lies between: unreleased
RULES = ("policy", "failure_budget", "attempts")


@pytest.fixture
def scenario():
    return Scenario(PLAN, {"core": 0.2, "api": 0.1}, trials=2_000, seed=3)


def rules_of(scenario: Scenario) -> dict[str, Any]:
    return {name: getattr(scenario, name) for name in RULES}


def run(source: str, **given_names: Any) -> dict[str, Any]:
    names = dict(given_names)
    exec(source, names)
    return names


# ---------------------------------------------------------------------- results


def test_results_are_those_of_the_public_functions(scenario):
    scenario.fail("api")
    scenario.attempts = 2
    model = {"core": 0.2, "api": 1.0}
    assert scenario.outcome.to_frame().equals(what_if(PLAN, "api").to_frame())
    assert scenario.blast == ["app", "site"]
    assert scenario.analysis.expected == analyze(PLAN, model, attempts=2).expected
    simulation = simulate(PLAN, model, 2_000, rng=3, attempts=2)
    assert scenario.simulation.counts.equals(simulation.counts)
    assert scenario.p_repo == analyze(PLAN, model, attempts=2).to_frame()["p_succeeded"].to_dict()
    assert scenario.p_at_least(0.4) == analyze(PLAN, model, attempts=2).p_at_least(share=0.4)


def test_baseline_leaves_out_what_was_done_by_hand(scenario):
    scenario.set_rate("docs", 0.3)
    assert scenario.baseline is scenario
    scenario.toggle("core")
    expected = analyze(PLAN, {"core": 0.2, "api": 0.1, "docs": 0.3}).expected
    assert scenario.baseline.analysis.expected == expected
    assert scenario.expected_succeeded == 0.0
    scenario.toggle("site")
    assert scenario.baseline.analysis.expected == expected
    scenario.set_rate("docs", None)
    assert scenario.baseline.analysis.expected == analyze(PLAN, {"core": 0.2, "api": 0.1}).expected


def test_results_are_kept_until_something_changes(scenario):
    first = scenario.outcome, scenario.analysis, scenario.simulation
    assert (scenario.outcome, scenario.analysis, scenario.simulation) == first
    baseline = scenario.toggle("core") and scenario.baseline
    scenario.toggle("api")
    assert scenario.outcome is not first[0]
    assert scenario.baseline is baseline  # does not depend on who fails
    scenario.scale = 2.0
    assert scenario.baseline is not baseline


@pytest.mark.parametrize(("name", "value"), [("policy", "stop"), ("policy", "continue"), ("failure_budget", 1)])
def test_rules_without_closed_forms_are_simulated_and_say_why(scenario, name, value):
    setattr(scenario, name, value)
    assert scenario.analysis is None
    assert "no closed form" in scenario.why_not_exact
    for number in (scenario.expected_succeeded, scenario.p_all_succeed, scenario.p_at_least(0.8)):
        assert isinstance(number, Estimate)
        assert number.se > 0
    simulation = simulate(PLAN, {"core": 0.2, "api": 0.1}, 2_000, rng=3, **{name: value})
    assert scenario.expected_succeeded == pytest.approx(simulation.n_succeeded.mean())
    assert (scenario.to_frame()["se_succeeded"] > 0).any()


def test_too_many_common_causes_are_simulated_and_say_why():
    causes = [CommonCause(f"cause {i}", 0.1, ["core", "api"], 0.5) for i in range(14)]
    scenario = Scenario(PLAN, FailureModel(common_causes=causes), trials=100)
    assert scenario.analysis is None
    assert "cause" in scenario.why_not_exact
    assert isinstance(scenario.p_all_succeed, Estimate)
    assert run(scenario.to_code())["analysis"] is None


def test_the_law_is_simulated_where_the_exact_one_takes_long():
    pairs = [(f"a{i}", f"b{j}") for i in range(30) for j in (i, (i + 7) % 30, (i * 11 + 3) % 30)]
    scenario = Scenario(build_plan(RepoDependencyGraph.from_edges(pairs), version="1"), 0.1, trials=1_000)
    assert scenario.law is None
    assert isinstance(scenario.p_at_least(0.9), Estimate)
    assert not isinstance(scenario.p_all_succeed, Estimate)


def test_the_law_is_that_of_the_analysis(scenario):
    scenario.fail("docs")
    assert scenario.law == pytest.approx(analyze(PLAN, {"core": 0.2, "api": 0.1, "docs": 1}).distribution().tolist())
    scenario.policy = "stop"
    assert scenario.law is None


def test_a_schedule_is_that_of_the_public_function_and_time_alone_leaves_the_rest(scenario):
    assert scenario.schedule is None
    analysis = scenario.analysis
    scenario.durations = {"core": 60, "api": timedelta(minutes=2), "docs": 5, "app": 6, "site": 7}
    scenario.max_parallel = 2
    assert scenario.analysis is analysis
    train = scenario.schedule
    made = schedule(PLAN, scenario.durations, 2, {"core": 0.2, "api": 0.1}, trials=train.trials, rng=3)
    assert train.makespan().equals(made.makespan())
    scenario.time_scale = 2.0
    assert scenario.schedule.plan_date == 2 * made.plan_date
    scenario.deadline = timedelta(minutes=3)
    assert scenario.deadline == 180.0
    scenario.reset()
    assert (scenario.durations, scenario.max_parallel, scenario.deadline, scenario.time_scale) == (None, 1, None, 1.0)


def test_to_be_on_time_is_never_likelier_than_to_be_released_at_all(scenario):
    scenario.durations = DurationModel(60, sigma=0.5)
    assert scenario.p_on_time == scenario.p_all_succeed
    chances = []
    for scenario.deadline in (200, 300, 10_000):
        chances.append(scenario.p_on_time)
        made = schedule(PLAN, scenario.durations, 1, {"core": 0.2, "api": 0.1}, trials=20_000, rng=8)
        truth = made.p_done_by(scenario.deadline)
        assert abs(chances[-1] - truth) < 4 * math.hypot(chances[-1].se, truth.se)
    assert chances == sorted(chances)
    assert chances[-1] == scenario.p_all_succeed == pytest.approx(0.72)
    scenario.fail("docs")
    assert (scenario.p_on_time, type(scenario.p_on_time)) == (0.0, float)


def test_a_schedule_does_not_warn_of_names_of_another_plan():
    model = FailureModel({"core": 0.1, "doks": 0.2}, default=0.05)
    with pytest.warns(UnknownRepo):
        scenario = Scenario(PLAN, model, durations=60)
    assert scenario.schedule.trials > 0  # a warning here would be an error


def test_hard_and_causes_are_set_and_taken_back():
    model = FailureModel({"core": 0.1}, 0.05, [CommonCause("outage", 0.1, ["api"])], hard={"core": 0.5})
    scenario = Scenario(PLAN, model, attempts=2)
    assert scenario.hard == pytest.approx(0.1)  # the mean of five repos
    begun, before = scenario.hard, scenario.gain_of_a_try
    scenario.hard = 1.0
    assert (scenario.model.hard, scenario.gain_of_a_try) == (1.0, 0.0)
    scenario.hard = begun
    assert scenario.model is model
    assert scenario.gain_of_a_try == before
    scenario.set_cause("outage", 1.0)
    assert scenario.p_repo["api"] == 0
    scenario.set_cause("outage", 0.1)
    assert scenario.model is model
    scenario.set_cause("outage", 0.0)
    scenario.set_cause("outage", None)
    assert scenario.causes == {"outage": 0.1}


# ---------------------------------------------------------------------- changing


def test_scale_multiplies_all_rates_also_those_set_by_hand(scenario):
    scenario.set_rate("docs", 0.25)
    scenario.scale = 3.0
    assert [scenario.rate(repo) for repo in PLAN.released] == pytest.approx([0.6, 0.3, 0.75, 0.0, 0.0])
    scenario.scale = 1_000.0
    assert [scenario.rate(repo) for repo in PLAN.released] == [1.0, 1.0, 1.0, 0.0, 0.0]
    scenario.scale = 1.0
    assert [scenario.rate(repo) for repo in PLAN.released] == [0.2, 0.1, 0.25, 0.0, 0.0]
    scenario.set_rate("docs", None)
    assert scenario.rate("docs") == 0.0


with pytest.warns(UnsupportedRanking):
    FITTED = FailureModel.from_fit(fit_failure_rates(load_dataset("kf5").ledger, prior=(0.5, 30.0)))
KF5 = build_plan(load_dataset("kf5").graph)
GIVEN = [
    0.0862,
    {"core": 0.003, "api": 0.0, "docs": 1.0, "app": 5e-324, "another": 0.7},
    FailureModel({"core": 0.1, "docs": 0.05}, 0.05, [CommonCause("outage", 1 / 3, ["core", "elsewhere"])]),
    FITTED,
]


def bits(scenario: Scenario) -> Any:
    """All that is set, to the last bit."""
    model = scenario.model
    rates = {repo: rate.hex() for repo, rate in model.rates.items()}
    numbers = rates, model.default.hex(), scenario.scale.hex(), model.common_causes
    return numbers, rules_of(scenario), scenario.failing, scenario.to_code(plan="plan")


@pytest.mark.filterwarnings("ignore::seqkit.UnknownRepo")  # models of other plans too
@pytest.mark.parametrize("model", GIVEN, ids=["number", "mapping", "causes", "fit"])
@pytest.mark.parametrize("plan", [PLAN, PART, KF5], ids=["all", "part", "kf5"])
def test_where_nothing_is_set_the_model_is_the_one_given(plan, model):
    if plan is KF5 and model is GIVEN[1]:
        with pytest.raises(ValueError, match="nothing ever would"):
            Scenario(plan, model, trials=64)
        return
    scenario = Scenario(plan, model, trials=64)
    assert scenario.model == as_model(model)
    assert run(scenario.to_code(plan="plan"), plan=plan)["model"] == as_model(model)
    before = bits(scenario)
    for repo in plan.released[:7]:
        own = scenario.rate(repo)
        for there in (0.5, 0.25, None, 0.123):
            scenario.set_rate(repo, there)
            assert scenario.rate(repo) == (own if there is None else there)
        scenario.set_rate(repo, own)
        assert bits(scenario) == before
    scenario.scale = 7.7
    assert scenario.model != as_model(model)
    scenario.scale = 1
    assert bits(scenario) == before
    if isinstance(model, FailureModel):
        assert scenario.model is model


@pytest.mark.parametrize("scale", [0.1, 0.3, 3.0, 7.0, 1e6, 1e-300])
@pytest.mark.parametrize("rate", [0.003, 0.0862, 1 / 3, 0.9, 1.0])
def test_a_rate_set_at_one_scale_is_scaled_to_every_other(scenario, scale, rate):
    scenario.scale = scale
    scenario.set_rate("docs", rate)
    for there in (0.0, 0.5, 1.0, 2.0, 1e6):
        scenario.scale = there
        assert scenario.rate("docs") == min(1.0, rate * there / scale)
        scenario.scale = scale
        assert scenario.rate("docs") == rate


def test_a_rate_set_where_all_are_0_counts_as_set_at_scale_1(scenario):
    scenario.scale = 0.0
    assert {scenario.rate(repo) for repo in PLAN.released} == {0.0}
    scenario.set_rate("docs", 0.25)
    assert scenario.rate("docs") == 0.25
    scenario.scale = 2.0
    assert scenario.rate("docs") == 0.5


def test_a_rate_beyond_1_comes_back_as_it_was(scenario):
    scenario.set_rate("docs", 0.3)
    before = bits(scenario)
    scenario.scale = 5.0
    for repo in ("core", "docs"):
        assert scenario.rate(repo) == 1.0
        scenario.set_rate(repo, 0.5)
        scenario.set_rate(repo, 1.0)
    scenario.scale = 1.0
    assert bits(scenario) == before


def test_numbers_of_numpy_are_plain_in_the_source(scenario):
    scenario.attempts, scenario.failure_budget, scenario.policy = np.int64(2), np.int32(3), np.str_("stop")
    scenario.scale, rate = np.float32(0.5), np.float64(0.25)
    scenario.set_rate("docs", rate)
    assert "np." not in scenario.to_code()
    same(scenario, run(scenario.to_code()))


def test_equal_models_have_equal_sources():
    one = Scenario(PLAN, {"core": 0.1, "zz": 0.2, "aa": 0.3}, trials=64)
    other = Scenario(PLAN, {"aa": 0.3, "zz": 0.2, "core": 0.5}, trials=64)
    for repo in ("site", "docs"):
        one.set_rate(repo, 0.4)
    for repo in ("docs", "site", "core"):
        other.set_rate(repo, 0.1 if repo == "core" else 0.4)
    assert one.model == other.model
    assert one.to_code() == other.to_code()


RATES = st.sampled_from([0.0, 0.003, 0.0862, 0.1, 0.3, 1 / 3, 0.9, 1.0]) | st.floats(0, 1)
SCALES = st.sampled_from([0.0, 0.1, 0.5, 1.0, 3.0, 10.0, 1e6]) | st.floats(0, 5)
WRITES = st.one_of(
    st.tuples(st.just("rate"), st.sampled_from(PART.released), RATES | st.none()),
    st.tuples(st.just("scale"), st.just(""), SCALES),
    st.tuples(st.just("toggle"), st.sampled_from(PART.released), st.none()),
    st.tuples(st.just("policy"), st.just(""), st.sampled_from(POLICIES)),
    st.tuples(st.just("failure_budget"), st.just(""), st.none() | st.integers(1, 3)),
    st.tuples(st.just("attempts"), st.just(""), st.integers(1, 4)),
)


def write(scenario: Scenario, kind: str, repo: str, value: Any) -> tuple[str, str, Any]:
    """Do one thing, and say how it is undone."""
    if kind == "toggle":
        scenario.toggle(repo)
        return kind, repo, None
    if kind == "rate":
        before = scenario.rate(repo)
        # Where the model's rate shows no other number (all are 0 at scale 0), no number tells how to undo it.
        if value is not None or scenario.model_rate(repo) != before:
            scenario.set_rate(repo, value)
    else:
        before = getattr(scenario, kind)
        setattr(scenario, kind, value)
    return kind, repo, before


@settings(max_examples=150)
@given(st.lists(WRITES, max_size=5), st.lists(WRITES, max_size=8), st.sampled_from(GIVEN[:3]))
def test_looking_changes_nothing_and_what_is_undone_is_undone(earlier, later, model):
    scenario = Scenario(PART, model, trials=64)
    given_bits = bits(scenario)
    undo_all = [write(scenario, *change) for change in earlier]
    before = bits(scenario)
    for repo in PART.released:
        scenario.rate(repo), scenario.model_rate(repo)
    for name in ("outcome", "blast", "analysis", "simulation", "baseline", "expected_succeeded", "p_repo"):
        getattr(scenario, name)
    scenario.to_frame(), scenario.to_code(), repr(scenario)
    assert bits(scenario) == before
    made = run(scenario.to_code(plan="plan"), plan=PART)
    assert made["model"] == scenario.model
    for change in reversed([write(scenario, *change) for change in later]):
        write(scenario, *change)
    assert bits(scenario) == before
    for change in reversed(undo_all):
        write(scenario, *change)
    assert bits(scenario) == given_bits


def test_what_is_worked_out_while_something_changes_is_not_kept(scenario):
    def make():
        scenario.set_rate("docs", 0.3)  # as another thread may
        return "of before"

    assert scenario._once("answer", make) == "of before"
    assert scenario._once("answer", lambda: "of now") == "of now"


def test_causes_and_defaults_of_the_model_are_kept():
    cause = CommonCause("outage", 0.1, ["core", "site"])
    scenario = Scenario(PLAN, FailureModel({"core": 0.2}, 0.05, [cause]), trials=100)
    scenario.scale = 2.0
    assert scenario.model == FailureModel({"core": 0.4}, 0.1, [cause])


def test_reset_goes_back_to_the_beginning():
    scenario = Scenario(PLAN, 0.1, policy="stop", failure_budget=2, attempts=3, trials=100)
    before = rules_of(scenario), scenario.model, scenario.outcome.to_frame()
    scenario.fail(["core", "site"])
    scenario.set_rate("api", 0.9)
    scenario.scale, scenario.policy, scenario.failure_budget, scenario.attempts = 2.0, "continue", None, 1
    scenario.reset()
    assert (rules_of(scenario), scenario.model) == before[:2]
    assert scenario.outcome.to_frame().equals(before[2])
    assert scenario.failing == frozenset()


def test_toggle_tells_who_fails_now(scenario):
    assert scenario.toggle("api") is True
    assert scenario.failing == {"api"}
    assert scenario.toggle("api") is False
    assert scenario.failing == frozenset()


def test_changes_are_told_until_no_longer_wanted(scenario):
    told = []
    watch = lambda: told.append(sorted(scenario.failing))  # noqa: E731
    scenario.on_change(watch)
    scenario.toggle("core")
    scenario.scale = 1.5
    scenario.on_change(watch, remove=True)
    scenario.reset()
    assert told == [["core"], ["core"]]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda s: s.toggle("nobody"), RepoNotFound, "nobody"),
        (lambda s: s.fail(["core", "nobody"]), RepoNotFound, "nobody"),
        (lambda s: s.fail(7), TypeError, "fail is 7"),
        (lambda s: s.set_rate("core", 1.5), ValueError, r"rates\['core'\] is 1.5"),
        (lambda s: s.set_rate("core", "often"), TypeError, "'often'"),
        (lambda s: s.set_rate("nobody", 0.1), RepoNotFound, "nobody"),
        (lambda s: setattr(s, "scale", -1), ValueError, "scale is -1"),
        (lambda s: setattr(s, "scale", float("nan")), ValueError, "scale is nan"),
        (lambda s: setattr(s, "scale", 1e7), ValueError, "scale is 10000000.0, expected a number from 0 to 1,000,000"),
        (lambda s: s.set_rate("core", float("nan")), ValueError, "nan"),
        (lambda s: setattr(s, "policy", "pray"), ValueError, "policy is 'pray', expected one of"),
        (lambda s: setattr(s, "failure_budget", 0), ValueError, "failure_budget is 0"),
        (lambda s: setattr(s, "attempts", 0), ValueError, "attempts is 0"),
        (lambda s: s.to_code("not a name"), ValueError, "plan is 'not a name', expected the name of a variable"),
        (lambda s: s.to_code("class"), ValueError, "plan is 'class'"),
    ],
)
def test_a_wrong_change_is_refused_and_changes_nothing(scenario, change, error, message):
    scenario.toggle("docs")
    before = rules_of(scenario), scenario.model, scenario.failing, scenario.scale
    with pytest.raises(error, match=message):
        change(scenario)
    assert (rules_of(scenario), scenario.model, scenario.failing, scenario.scale) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"plan": GRAPH}, "plan is a RepoDependencyGraph, expected a SequencePlan"),
        ({"model": "often"}, "model is 'often'"),
        ({"policy": "pray"}, "policy is 'pray'"),
        ({"failure_budget": 0}, "failure_budget is 0"),
        ({"attempts": 1.5}, "attempts is 1.5"),
        ({"trials": 0}, "trials is 0"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_a_wrong_beginning_is_refused(arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        Scenario(**{"plan": PLAN, **arguments})


def test_unreleased_repos_neither_fail_nor_have_rates():
    scenario = Scenario(PART, 0.1, trials=100)
    for change in (lambda: scenario.toggle("api"), lambda: scenario.set_rate("api", 0.5), lambda: scenario.rate("api")):
        with pytest.raises(ValueError, match="'api' is in the plan but not released: it never fails"):
            change()
    scenario.fail("core")
    assert scenario.blast == ["app", "site"]


# ---------------------------------------------------------------------- the table and the source


def test_the_table_holds_outcome_and_chances():
    scenario = Scenario(PART, {"core": 0.5, "app": 0.1}, trials=100)
    scenario.toggle("app")
    frame = scenario.to_frame()
    assert list(frame.index) == ["core", "api", "app", "site"]
    assert frame["status"].tolist() == ["succeeded", "skipped", "failed", "skipped"]
    assert frame["skip_cause"].tolist()[1::2] == ["unreleased", "blocked"]
    assert frame["failing"].tolist() == [False, False, True, False]
    assert frame["failure_rate"].drop("api").tolist() == [0.5, 0.1, 0.0]
    assert frame["p_failed"].drop("api").tolist() == [0.5, 0.5, 0.0]
    assert frame["se_failed"].drop("api").tolist() == [0.0, 0.0, 0.0]
    numbers = [name for name in frame if name.startswith(("p_", "se_", "failure_"))]
    assert frame.loc["api", numbers].isna().all()
    assert [str(frame[name].dtype) for name in numbers] == ["float64"] * 7
    assert isinstance(frame["status"].dtype, pd.CategoricalDtype)
    assert frame["failing"].dtype == "boolean"


def test_the_table_of_nothing_has_the_same_columns():
    empty = Scenario(build_plan(RepoDependencyGraph(), []), 0.1, trials=10)
    full = Scenario(PLAN, 0.1, trials=10).to_frame()
    assert empty.to_frame().dtypes.equals(full.dtypes)
    assert len(empty.to_frame()) == 0


def same(scenario: Scenario, made: dict[str, Any]) -> None:
    assert made["outcome"].plan == scenario.plan
    assert made["outcome"].to_frame().equals(scenario.outcome.to_frame())
    for repo in scenario.plan.released:
        assert made["model"].rate(repo) == scenario.model.rate(repo)
    assert made["simulation"].counts.equals(scenario.simulation.counts)
    assert made["simulation"].to_frame().equals(scenario.simulation.to_frame())
    if scenario.analysis is None:
        assert made["analysis"] is None
    else:
        assert made["analysis"].to_frame().equals(scenario.analysis.to_frame())


@pytest.mark.filterwarnings("ignore::seqkit.UnknownRepo")
@settings(max_examples=60)
@given(trains(), st.data())
def test_the_source_makes_the_same_results(train, data):
    plan = train.plan
    rate = st.floats(0, 1)
    model = FailureModel(
        data.draw(st.dictionaries(st.sampled_from(train.nodes), rate)) if train.nodes else {}, data.draw(rate)
    )
    scenario = Scenario(
        plan,
        model,
        policy=data.draw(st.sampled_from(POLICIES)),
        failure_budget=data.draw(st.none() | st.integers(1, 3)),
        attempts=data.draw(st.integers(1, 3)),
        trials=130,
        seed=data.draw(st.integers(0, 5)),
    )
    if plan.released:
        scenario.fail(data.draw(st.lists(st.sampled_from(plan.released), max_size=2)))
        scenario.set_rate(data.draw(st.sampled_from(plan.released)), data.draw(rate))
    scenario.scale = data.draw(st.floats(0, 3))
    same(scenario, run(scenario.to_code()))
    made = run(scenario.to_code(plan="release"), release=plan)
    same(scenario, made)
    assert made["model"] == scenario.model


@pytest.mark.parametrize("name", ["model", "outcome", "analysis", "simulation", "what_if", "simulate", "analyze"])
def test_the_source_refuses_a_name_that_it_would_overwrite(scenario, name):
    with pytest.raises(ValueError, match=f"plan is '{name}', which the source itself gives another meaning"):
        scenario.to_code(plan=name)


def test_the_source_survives_hostile_names():
    names = [*HOSTILE_NAMES, "a\u2028b", "'''\"\"\"\\", "{x}", "# not a comment"]
    plan = build_plan(RepoDependencyGraph.from_edges([], nodes=names), version="1")
    scenario = Scenario(plan, FailureModel(dict.fromkeys(names, 0.25), 0.5), trials=64)
    scenario.fail(names)
    same(scenario, run(scenario.to_code()))


def test_the_source_of_fitted_rates_is_short_and_runs_as_it_stands():
    data = load_dataset("kf5")
    plan = build_plan(data.graph)
    with pytest.warns(UnsupportedRanking):
        fitted = FailureModel.from_fit(fit_failure_rates(data.ledger, prior=(0.5, 30.0)))
    scenario = Scenario(plan, fitted, attempts=2, durations=600, max_parallel=4, deadline=36_000)
    scenario.fail("kio")
    scenario.scale = 2.0
    held = scenario.to_code(plan="plan", model="fitted")
    assert held.count("\n") < 13
    made = run(held, plan=plan, fitted=fitted)
    same(scenario, made)
    assert made["train"].makespan().equals(scenario.schedule.makespan())
    assert made["on_time"] == scenario.schedule.p_done_by(36_000)
    assert scenario.to_code(plan="plan").count("\n") < 60
    written = scenario.to_code()
    assert max(map(len, written.splitlines())) < 200
    made = run(written)
    assert made["plan"] == plan
    same(scenario, made)


def test_the_source_says_which_causes_and_shares_were_changed():
    causes = [CommonCause("outage", 0.25, ["core", "site"])]
    given = FailureModel({"core": 0.1}, 0.05, causes, hard=0.5)
    scenario = Scenario(PLAN, given, trials=64)
    assert "model = given\n" in scenario.to_code("plan", "given")
    scenario.set_cause("outage", 1.0)
    scenario.hard = 0.75
    source = scenario.to_code("plan", "given")
    assert "rates" not in source
    made = run(source, plan=PLAN, given=given)
    assert made["model"] == scenario.model
    same(scenario, made)


@pytest.mark.parametrize("name", ["model", "rates", "simulate"])
def test_the_source_refuses_a_model_that_it_would_overwrite(scenario, name):
    with pytest.raises(ValueError, match=f"model is '{name}', which the source itself gives another meaning"):
        scenario.to_code(plan="plan", model=name)


def test_the_source_holds_causes():
    causes = [CommonCause('the "ci"\n', 0.25, ["core", "site"]), CommonCause("none", 0.0, [])]
    scenario = Scenario(PLAN, FailureModel(common_causes=causes), trials=200)
    made = run(scenario.to_code())
    same(scenario, made)
    assert made["model"].common_causes == scenario.model.common_causes


def test_numbers_are_true_by_brute_force(scenario):
    """Expected releases, given that api fails: core alone decides about itself and docs."""
    scenario.toggle("api")
    assert scenario.expected_succeeded == pytest.approx(2 * 0.8)
    assert scenario.p_at_least(0.4) == pytest.approx(0.8)
    assert float(np.mean(scenario.simulation.n_succeeded)) == pytest.approx(1.6, abs=0.05)


def test_repr_is_stable(scenario):
    scenario.fail(["api", "core"])
    scenario.failure_budget = 2
    assert repr(scenario) == "Scenario(5 repos to release: 2 fail by hand, skip_dependents, failure_budget=2)"


def test_what_is_taken_back_is_the_change_made_last_and_not_one_that_looks_like_it():
    """Two settings give the same rate at a scale of 20, where neither can rise above 1."""
    scenario = Scenario(PLAN, FailureModel({"api": 0.09}), trials=32)
    scenario.scale = 20.0
    before = scenario.rate("api")
    scenario.set_rate("api", 0.0)
    scenario.scale = 0.0
    scenario.set_rate("api", 0.25)
    scenario.set_rate("api", 0.0)
    scenario.scale = 20.0
    scenario.set_rate("api", before)
    scenario.scale = 1.0
    assert scenario.rate("api") == 0.09
