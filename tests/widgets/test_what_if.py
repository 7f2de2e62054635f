"""The what-if widget, without a browser: controls change the scenario, and all that is shown follows."""

from __future__ import annotations

import asyncio
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ipywidgets.widgets import widget as registry

from seqkit import (
    CommonCause,
    DurationModel,
    FailureModel,
    RepoDependencyGraph,
    ScriptedReleaser,
    analyze,
    build_plan,
    run_plan,
    what_if,
)
from seqkit._show.palette import STATUS_STYLES
from seqkit.explore import Scenario
from seqkit.explore.drawing import MOST_DRAWN
from seqkit.widgets import WhatIf
from seqkit.widgets._what_if_html import _chance, percentage
from tests.tools.strategies import HOSTILE_NAMES, POLICIES

GRAPH = RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs"), ("api", "app"), ("app", "site")])
PLAN = build_plan(GRAPH, version="1")
PART = build_plan(GRAPH, [("core", "1"), ("app", "1")])


pytestmark = pytest.mark.usefixtures("no_model_is_left")


@pytest.fixture
def widget():
    made = WhatIf(PLAN, {"core": 0.2, "api": 0.1}, trials=1_000)
    yield made
    made.close()


def words(widget: WhatIf) -> list[str]:
    return [widget.dag.word(item.repo_id) for item in widget.scenario.plan.items]


def text(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def test_pressing_makes_fail_and_unfail(widget):
    widget.dag.press("api")
    assert words(widget) == what_if(PLAN, "api").words()
    assert widget.dag.ringed == ["api"]
    assert widget.status.text == "api fails. If no other repo fails: 2 succeeded, 1 failed, 2 blocked"
    assert text(widget.blocked.value).endswith("Blocked by these failures (2) : app , site")
    assert widget.dag.notes["app"] == "0%"
    widget.dag.press("core")
    assert words(widget) == what_if(PLAN, ["api", "core"]).words()
    widget.dag.press("api")
    widget.dag.press("core")
    assert widget.status.text == "core is left to chance again. If no other repo fails: 5 succeeded, 0 failed"
    assert "Blocked by" not in widget.blocked.value
    assert widget.dag.ringed == []


def test_numbers_before_and_after(widget):
    widget.dag.press("docs")
    before, after = analyze(PLAN, {"core": 0.2, "api": 0.1}), analyze(PLAN, {"core": 0.2, "api": 0.1, "docs": 1})
    shown = text(widget.numbers.value)
    assert f"expected to be released {before.expected.succeeded:.2f} {after.expected.succeeded:.2f}" in shown
    assert f"all are released {before.p_all_succeed:.1%} 0%" in shown
    assert f"at least 80% are {before.p_at_least(share=0.8):.1%} {after.p_at_least(share=0.8):.1%}" in shown
    assert widget.dag.notes == {"core": "80%", "api": "72%", "docs": "0%", "app": "72%", "site": "72%"}
    assert f"mean {after.expected.succeeded:.2f}" in widget.shape.value
    assert "exact probabilities" in widget.shape.value
    assert "±" not in widget.shape.value + widget.numbers.value
    assert "Chances are exact." in shown


def test_controls_change_the_scenario(widget):
    widget.scale.value = 2.0
    widget.attempts.value = 3
    widget.policy.value = "stop"
    widget.budget.value = 2
    scenario = widget.scenario
    assert (scenario.scale, scenario.attempts, scenario.policy, scenario.failure_budget) == (2.0, 3, "stop", 2)
    assert "estimated from 1,000 simulated runs: the policy stop has no closed form" in text(widget.numbers.value)
    assert "in 1,000 simulated runs" in widget.shape.value
    assert "±" in widget.shape.value
    assert "±" in widget.numbers.value
    widget.budget.value = 0
    assert scenario.failure_budget is None
    assert widget.status.text == "If no other repo fails: 5 succeeded, 0 failed"


def test_a_repo_is_chosen_by_name_and_its_rate_is_set(widget):
    assert widget.rate.disabled
    assert widget.fails.disabled
    widget.focus.find.value = "doc"  # the only one that matches
    assert widget.focus.find.value == "docs"
    assert not widget.rate.disabled
    assert widget.scenario.failing == frozenset()
    widget.rate.value = 0.4
    assert widget.scenario.rate("docs") == 0.4
    assert widget.status.text.startswith("docs fails at 40.0%")
    widget.fails.value = True
    assert widget.scenario.failing == {"docs"}
    assert widget.fails.value is True
    widget.dag.press("docs")
    assert widget.fails.value is False


def test_a_repo_made_to_fail_below_another_failure_is_blocked(widget):
    widget.dag.press("app")
    assert widget.status.text == "app fails. If no other repo fails: 3 succeeded, 1 failed, 1 blocked"
    assert "1 made to fail" in text(widget.numbers.value)
    widget.dag.press("core")
    assert widget.dag.word("app") == "blocked"
    assert widget.dag.ringed == ["app", "core"]
    assert "1 fails, 1 made to fail is skipped" in text(widget.numbers.value)
    widget.dag.press("api")
    assert widget.status.text.startswith("api is made to fail, but it is blocked before it is tried.")


def test_boxes_are_filled_by_what_is_likely_and_not_by_what_happens_if_all_goes_well(widget):
    assert widget.dag.shades == pytest.approx({"core": 0.8, "api": 0.72, "docs": 0.8, "app": 0.72, "site": 0.72})
    widget.dag.press("api")
    assert set(widget.dag.shades) == {"core", "docs"}
    assert widget.dag.counts(shaded=False) == {**dict.fromkeys(STATUS_STYLES, 0), "failed": 1, "blocked": 2}
    run_plan(PLAN, 0.0, on_event=widget)
    assert widget.dag.shades == {}  # a run is no matter of chance


def test_the_chosen_repo_is_told_to_the_picture(widget):
    widget.focus.find.value = "docs"
    assert widget.dag.chosen == "docs"
    widget.dag.press("api")
    assert widget.dag.chosen == "api"
    widget.reset()
    assert widget.dag.chosen is None


def test_names_near_the_one_typed_are_offered(widget):
    widget.focus.find.value = "dosc"
    assert widget.status.text == "No repo matches 'dosc'; near it: docs"
    (offered,) = widget.focus.near.children
    offered.click()
    assert (widget.focus.repo, widget.focus.find.value, widget.focus.near.children) == ("docs", "docs", ())
    widget.focus.find.value = "a"
    assert [button.description for button in widget.focus.near.children] == ["api", "app"]
    widget.focus.find.value = "core"
    assert widget.focus.near.children == ()


def test_lanes_durations_and_a_deadline(widget):
    assert "has ended" not in widget.numbers.value
    widget.minutes.value = 10
    assert widget.scenario.durations == DurationModel(600.0)
    assert "has ended, with 80%, after 50 min" in text(widget.numbers.value)
    widget.lanes.value = 0
    widget.deadline.value = 0.5
    assert (widget.scenario.max_parallel, widget.scenario.deadline) == (None, 1_800.0)
    shown = text(widget.numbers.value)
    assert "has ended, with 80%, after 40 min" in shown
    assert "all are released within 30 min 0.0% ± 0.1%" in shown
    assert "Times are estimated from 1,000 simulated trains without a limit of lanes." in shown
    widget.dag.press("site")
    assert "after 40 min 40 min" in text(widget.numbers.value)
    widget.minutes.value = 0
    assert widget.scenario.durations is None
    assert widget.slower.layout.display == "none"


def test_given_durations_are_scaled():
    takes = DurationModel({"core": 600, "api": 1200}, default=60)
    widget = WhatIf(PLAN, 0.0, durations=takes, max_parallel=2, deadline=3_600, trials=64)
    assert (widget.minutes.layout.display, widget.slower.layout.display) == ("none", None)
    assert (widget.lanes.value, widget.deadline.value) == (2, 1.0)
    assert "all are released within 1 h 100%" in text(widget.numbers.value)
    widget.slower.value = 2.0
    assert widget.scenario.times == takes.scaled(2.0, PLAN.released)
    assert "all are released within 1 h 0%" in text(widget.numbers.value)
    widget.close()


def test_hard_failures_are_not_mended_by_a_second_try(widget):
    def gain():
        return float(re.search(r"One more try for each would release ([\d.]+) more", text(widget.numbers.value))[1])

    mended = gain()
    widget.hard.value = 0.5
    assert 0 < gain() < mended
    widget.hard.value = 1.0
    assert gain() == 0
    assert widget.scenario.model.hard == 1.0
    widget.hard.value = 0.0
    assert widget.scenario.model is widget.scenario.given


def test_causes_are_chosen_and_struck():
    causes = [CommonCause("outage", 0.02, ["core"]), CommonCause("registry", 0.1, ["docs"])]
    widget = WhatIf(PLAN, FailureModel(default=0.0, common_causes=causes), trials=64)
    assert (widget.cause.value, widget.strikes.value) == ("outage", 0.02)
    widget.cause.value = "registry"
    assert widget.strikes.value == 0.1
    widget.strikes.value = 1.0
    assert widget.scenario.causes == {"outage": 0.02, "registry": 1.0}
    assert widget.status.text.startswith("registry strikes at 100.0%.")
    assert widget.scenario.p_repo["docs"] == 0
    widget.reset()
    assert widget.strikes.value == 0.1
    assert widget.scenario.model is widget.scenario.given
    widget.close()


def test_exact_and_simulated_numbers_do_not_stand_side_by_side(monkeypatch):
    """The law of the plan as it is takes too long here, the one with a failure does not."""
    widget = WhatIf(PLAN, 0.1, trials=1_000)
    law = Scenario.law.fget
    monkeypatch.setattr(Scenario, "law", property(lambda scenario: law(scenario) if scenario.failing else None))
    widget.scenario.toggle("site")
    row = re.search("at least 80% are (.*?) (Numbers|Chances)", text(widget.numbers.value))[1]
    assert row.count("±") == 2
    widget.close()


RATES = {"core": 0.003, "api": 0.0862, "docs": 3 / 67, "app": 1.0, "of another plan": 0.7}
LOOKS = [
    *(("choose", repo) for repo in PLAN.released),
    *((name, "") for name in ("show_code", "save", "repr", "still", "reach", "table", "page")),
]


def look(widget: WhatIf, what: str, repo: str) -> None:
    if what == "choose":
        widget.focus.find.value = repo
    elif what in ("show_code", "save"):
        getattr(widget, what).click()
    elif what == "reach":
        options = widget.focus.reach.options
        widget.focus.reach.value = options[(options.index(widget.focus.reach.value) + 1) % len(options)]
    elif what == "page":  # a page that opens gets all state; one that sends its own back changes nothing
        new = (getattr(widget, name) for name in ("hard", "lanes", "minutes", "slower", "deadline", "cause", "strikes"))
        for part in (widget.rate, widget.scale, widget.attempts, widget.budget, widget.policy, widget.fails, *new):
            part.set_state(part.get_state())
        widget.rate.set_state({"value": round(widget.rate.value, 2)})
        widget.scale.set_state({"value": round(widget.scale.value)})
    else:
        {"repr": widget.__repr__, "still": widget.still_html, "table": widget.scenario.to_frame}[what]()


def bits(widget: WhatIf):
    scenario, model = widget.scenario, widget.scenario.model
    numbers = {repo: rate.hex() for repo, rate in model.rates.items()}, model.default.hex(), scenario.scale.hex()
    rules = scenario.policy, scenario.failure_budget, scenario.attempts, scenario.failing
    time = scenario.times, scenario.max_parallel, scenario.deadline
    return numbers, model.common_causes, model.hard, rules, time, scenario.to_code(plan="plan")


def control(widget: WhatIf, name: str, repo: str):
    if name in ("rate", "fails"):
        widget.focus.find.value = repo
    return getattr(widget, name)


MOVES = st.one_of(
    st.tuples(st.just("rate"), st.sampled_from(PLAN.released), st.sampled_from([0.0, 0.25, 1 / 3, 1.0])),
    st.tuples(st.just("fails"), st.sampled_from(PLAN.released), st.booleans()),
    st.tuples(st.just("scale"), st.just(""), st.sampled_from([0.0, 0.1, 1 / 3, 1.0, 7.0, 20.0])),
    st.tuples(st.just("attempts"), st.just(""), st.integers(1, 5)),
    st.tuples(st.just("policy"), st.just(""), st.sampled_from(POLICIES)),
    st.tuples(st.just("budget"), st.just(""), st.integers(0, 3)),
    st.tuples(st.just("hard"), st.just(""), st.sampled_from([0.0, 0.35, 1 / 3, 1.0])),
    st.tuples(st.just("strikes"), st.just(""), st.sampled_from([0.0, 0.02, 1.0])),
    st.tuples(st.just("lanes"), st.just(""), st.integers(0, 3)),
    st.tuples(st.just("slower"), st.just(""), st.sampled_from([0.5, 1.0, 3.0])),
    st.tuples(st.just("deadline"), st.just(""), st.sampled_from([0.0, 1.5, 8.0])),
)


ACTS = (st.lists(MOVES, max_size=3), st.lists(st.sampled_from(LOOKS), max_size=8), st.lists(MOVES, max_size=5))


@settings(max_examples=20)
@given(*ACTS)
def test_looking_changes_nothing_and_moving_back_undoes(earlier, looks, moves):
    assert_moving_back_undoes(earlier, looks, moves)


@pytest.mark.slow
@settings(max_examples=300)
@given(*ACTS)
def test_looking_changes_nothing_and_moving_back_undoes_at_length(earlier, looks, moves):
    assert_moving_back_undoes(earlier, looks, moves)


def assert_moving_back_undoes(earlier, looks, moves):
    outage = CommonCause("outage", 0.02, ["api", "docs"])
    takes = DurationModel(dict.fromkeys(PLAN.released, 600.0), sigma=0.4)
    widget = WhatIf(PLAN, FailureModel(RATES, 0.0123, [outage], 0.35), trials=32, durations=takes)
    begun = bits(widget)
    done = []

    def move(name, repo, value):
        moved = control(widget, name, repo)
        before, moved.value = moved.value, value
        return name, repo, before

    done += [move(*each) for each in earlier]
    before = bits(widget)
    for each in looks:
        look(widget, *each)
        assert bits(widget) == before
    later = [move(*each) for each in moves]
    for each in reversed(later):
        move(*each)
    assert bits(widget) == before
    for each in reversed(done):
        move(*each)
    assert bits(widget) == begun
    widget.close()


def test_the_control_shows_the_very_rate_and_the_model_is_the_one_given():
    model = FailureModel(RATES, 0.0123)
    widget = WhatIf(PLAN, model, trials=32)
    for repo in PLAN.released:
        widget.focus.find.value = repo
        assert widget.rate.value.hex() == model.rate(repo).hex()
        widget.rate.value = 0.5
        assert widget.scenario.model != model
        assert f"{repo!r}: 0.5" in widget.scenario.to_code(plan="plan")
        widget.rate.value = model.rate(repo)
        assert widget.scenario.model is model
    widget.focus.find.value = "docs"
    widget.rate.value = 0.0862
    assert widget.status.text.startswith("docs fails at 8.62%.")
    widget.close()


def test_the_scale_moves_rates_set_by_hand(widget):
    widget.focus.find.value = "docs"
    widget.rate.value = 0.3
    widget.scale.value = 3.0
    assert widget.rate.value == widget.scenario.rate("docs") == 0.3 * 3
    widget.scale.value = 20.0
    assert widget.rate.value == 1.0
    widget.scale.value = 1.0
    assert widget.rate.value == 0.3


def test_a_message_about_another_repo_writes_nothing(widget):
    widget.focus.find.value = "docs"
    late = widget.rate._face["turn"]
    widget.focus.find.value = "core"
    before = bits(widget)
    widget.rate._received(widget.rate, {"set": "50.0", "turn": late}, [])
    assert bits(widget) == before
    widget.rate._received(widget.rate, {"set": "50.0", "turn": widget.rate._face["turn"]}, [])
    assert widget.scenario.rate("core") == 0.5


def test_a_rate_without_a_repo_is_nobodys(widget):
    before = bits(widget)
    widget.rate.value = 0.5
    assert widget.status.text == "Choose a repo to set its rate"
    assert bits(widget) == before
    widget.focus.find.value = "core"
    assert widget.rate.value == 0.2


def test_a_cell_may_set_something_while_another_thread_shows(widget):
    """What a hand does comes in a thread of its own in JupyterLab."""
    widget.focus.find.value = "core"
    in_picture, go_on = threading.Event(), threading.Event()

    def held_up(change):
        if threading.current_thread() is not threading.main_thread():
            in_picture.set()
            assert go_on.wait(10)

    widget.attempts.observe(held_up, "value")
    with ThreadPoolExecutor(1) as pool:
        pressed = pool.submit(setattr, widget.scenario, "attempts", 2)
        assert in_picture.wait(10)
        threading.Timer(0.1, go_on.set).start()
        widget.rate.value = 0.5
        pressed.result()
    assert widget.scenario.rate("core") == widget.rate.value == 0.5


def test_choosing_a_repo_does_not_make_its_rate_its_own(widget):
    widget.focus.find.value = "core"
    widget.dag.press("api")
    widget.scale.value = 2.0
    assert widget.rate.value == 0.2
    assert widget.scenario.rate("core") == pytest.approx(0.4)


@pytest.mark.parametrize(("typed", "said"), [("zzz", "No repo matches 'zzz'"), ("a", "2 repos match 'a': api, app")])
def test_a_name_that_does_not_match_one_repo(widget, typed, said):
    widget.focus.find.value = typed
    assert widget.status.text == said
    assert widget.focus.repo is None


def test_names_that_look_alike_can_each_be_chosen():
    names = ["", " a", "a", "a b", "a b (4)", "a\nb", "a\rb", "core"]
    plan = build_plan(RepoDependencyGraph.from_edges([("core", name) for name in names[:-1]]), version="1")
    widget = WhatIf(plan, 0.1, trials=64)
    assert len(widget.focus.find.options) == len(names)
    chosen = []
    for label in widget.focus.find.options:
        widget.focus.find.value = label
        chosen.append(widget.focus.repo)
    assert sorted(chosen) == sorted(names)
    for name in names:
        widget.dag.press(name)
        assert widget.focus.repo == name
    widget.close()


def test_looking_around_a_repo(widget):
    widget.focus.reach.value = "1 step around"
    assert widget.status.text == "Choose a repo to draw what is around it"
    widget.focus.find.value = "app"
    assert widget.dag.drawn == ["api", "app", "site"]
    widget.focus.reach.value = "2 steps around"
    assert widget.dag.drawn == ["core", "api", "app", "site"]
    widget.dag.press("core")  # the picture stays where it is
    assert widget.dag.drawn == ["core", "api", "app", "site"]
    widget.focus.reach.value = "everything"
    assert len(widget.dag.drawn) == 5


def test_a_plan_of_many_repos_is_looked_at_in_parts():
    ids = [f"r{i:04}" for i in range(MOST_DRAWN + 5)]
    plan = build_plan(RepoDependencyGraph.from_edges(pairwise(ids)), version="1")
    widget = WhatIf(plan, 0.001, trials=64)
    assert widget.dag.too_many
    widget.focus.find.value = ids[9]
    assert widget.dag.drawn == ids[8:11]
    widget.dag.press(ids[9])
    assert widget.scenario.outcome.succeeded == ids[:9]
    assert widget.blocked.value.count("<bdi>") == 30
    widget.close()


def test_changes_from_code_are_shown(widget):
    widget.scenario.fail(["api", "docs"])
    widget.scenario.scale = 20.0
    widget.scenario.attempts = 9
    assert words(widget) == what_if(PLAN, ["api", "docs"]).words()
    assert (widget.scale.value, widget.attempts.value) == (20.0, 9)
    assert widget.scenario.scale == 20.0


def test_reset_goes_back(widget):
    widget.dag.press("core")
    widget.scale.value = 3.0
    widget.policy.value = "continue"
    widget.undo.click()
    assert set(words(widget)) == {"succeeded"}
    assert (widget.scale.value, widget.policy.value) == (1.0, "skip_dependents")
    assert widget.scenario.failing == frozenset()


def test_code_is_shown_and_follows(widget):
    widget.show_code.click()
    widget.dag.press("api")
    assert "fail=['api']" in widget.code
    assert unescape(re.search("<pre[^>]*>(.*)</pre>", widget.source.value, re.S)[1]) == widget.code
    names = {"plan": PLAN}
    exec(widget.code, names)
    assert names["outcome"].to_frame().equals(widget.scenario.outcome.to_frame())
    widget.show_code.click()
    assert (widget.code, widget.source.value) == ("", "")


def test_the_table_is_saved(widget):
    widget.dag.press("api")
    widget.save.click()
    assert widget.frame.equals(widget.scenario.to_frame())
    assert widget.status.text == "5 rows are in the attribute frame of this widget"


def test_unreleased_repos_say_why_they_cannot_fail():
    widget = WhatIf(PART, 0.1, trials=64)
    widget.dag.press("api")
    assert "not released: it never fails" in widget.status.text
    assert "⚠" in widget.status.value
    assert words(widget) == ["succeeded", "unreleased", "succeeded"]
    widget.close()


def test_a_live_run_is_shown_until_something_changes(widget):
    widget.dag.press("docs")

    async def notebook():
        return run_plan(PLAN, ScriptedReleaser({"api": "red"}), on_event=widget)

    outcome = asyncio.run(notebook())
    assert words(widget) == outcome.words()
    assert widget.dag.ringed == []
    assert widget.status.text.startswith("Run: 5 of 5 ended.")
    widget.dag.press("docs")
    assert set(words(widget)) == {"succeeded"}
    other = build_plan(RepoDependencyGraph.from_edges([("x", "y")]), version="1")
    run_plan(other, 0.0, on_event=widget)
    assert "says nothing about the plan" in widget.status.text


def test_a_run_that_goes_on_does_not_come_back_into_the_picture(widget):
    """What was told before the change is part of the run; half of it would be a wrong picture."""

    def watch(event):
        widget(event)
        if event.kind == "NodeExited" and event.payload["node_id"] == "core":
            widget.dag.press("docs")

    run_plan(PLAN, 0.0, on_event=watch)
    assert words(widget) == what_if(PLAN, "docs").words()
    assert widget.status.text == "docs fails. If no other repo fails: 4 succeeded, 1 failed"
    run_plan(PLAN, 0.0, on_event=widget)
    assert set(words(widget)) == {"succeeded"}
    assert widget.status.text.startswith("Run: 5 of 5 ended.")


def test_presses_and_events_from_another_thread_do_not_end_the_run(widget):
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(lambda: [run_plan(PLAN, 0.0, on_event=widget) for _ in range(100)])
        while not running.done():
            widget.dag.press("docs")
        assert all(outcome.overall_success for outcome in running.result())
    widget.reset()
    assert set(words(widget)) == {"succeeded"}
    assert widget.dag.ringed == []


def test_hostile_names():
    plan = build_plan(RepoDependencyGraph.from_edges([("core", name) for name in HOSTILE_NAMES]), version="1")
    widget = WhatIf(plan, FailureModel(default=0.1), trials=64)
    widget.show_code.click()
    for name in HOSTILE_NAMES:
        widget.dag.press(name)
        assert widget.focus.repo == name
        assert name in widget.scenario.failing
    widget.dag.press("core")
    for part in (widget.numbers, widget.shape, widget.blocked, widget.source, widget.status):
        assert "<script" not in part.value
    assert len(repr(widget)) < 400
    widget.close()


def test_closing_five_leaves_nothing():
    before = set(registry._instances)
    widgets = [WhatIf(PLAN, 0.1, trials=64) for _ in range(5)]
    for each in widgets:
        each.close()
    assert set(registry._instances) == before


@pytest.mark.parametrize(
    ("p", "shown"), [(0.0, "0%"), (1.0, "100%"), (1e-9, "<1%"), (0.9999, ">99%"), (0.5, "50%"), (0.014, "1%")]
)
def test_percentage(p, shown):
    assert percentage(p) == shown


@pytest.mark.parametrize(
    ("p", "shown"),
    [
        (0.0, "0%"),
        (1e-9, "< 0.1%"),
        (0.001, "0.1%"),
        (0.5, "50.0%"),
        (0.999, "99.9%"),
        (0.9995, "> 99.9%"),
        (1.0, "100%"),
    ],
)
def test_exact_chances_are_percentages_and_certain_only_where_they_are(p, shown):
    assert _chance(p, 100) == shown


def test_an_empty_plan():
    widget = WhatIf(build_plan(RepoDependencyGraph(), []), 0.1, trials=64)
    assert "Nothing to draw" in widget.dag._drawing["note"]
    assert repr(widget) == "WhatIf(nobody fails: 0 succeeded, 0 failed; 0 of 0 repos expected to be released)"
    widget.close()


@pytest.mark.parametrize("arguments", [{"plan": GRAPH}, {"model": "often"}, {"attempts": 0}])
def test_a_wrong_beginning_leaves_nothing_behind(arguments):
    with pytest.raises((TypeError, ValueError)):
        WhatIf(**{"plan": PLAN, **arguments})


def test_reset_forgets_the_chosen_repo():
    widget = WhatIf(PLAN, 0.1)
    widget.focus.find.value = "api"
    assert (widget.focus.repo, widget.rate.disabled, widget.rate.readout) == ("api", False, True)
    widget.reset()
    assert (widget.focus.repo, widget.focus.find.value, widget.rate.disabled, widget.rate.readout) == (
        None,
        "",
        True,
        False,
    )
    widget.close()
