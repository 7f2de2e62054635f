"""Names that matplotlib would set as formulas, or leave out, stand in every picture as they are."""

from __future__ import annotations

import warnings
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from matplotlib.text import Text

from seqkit import (
    CommonCause,
    FailureModel,
    MemoryRunLedger,
    RepoDependencyGraph,
    ScriptedReleaser,
    analyze,
    build_plan,
    compare_many,
    fit_failure_rates,
    run_plan,
    schedule,
    simulate,
)
from seqkit.plots import (
    blast_radius,
    counts,
    gantt,
    history,
    impact,
    importance,
    levers,
    options,
    order,
    rates,
    timeline,
    tornado,
)
from tests.tools.strange_names import HIDDEN, MARKUP, TEX, is_seen

pytestmark = pytest.mark.usefixtures("settings_untouched")

# Of the hidden ones every third, of all scripts and kinds; by hand all.
BATCHES = [[*TEX, "_hidden", "__init__"], MARKUP[:12], HIDDEN[::3][:14]]
ALL_HIDDEN = [HIDDEN[:14], HIDDEN[14:28], HIDDEN[28:]]


def pictures(names: list[str]) -> dict[str, Any]:
    hub, *others = names
    plan = build_plan(RepoDependencyGraph.from_edges([(hub, name) for name in others[:6]], nodes=names), version=hub)
    ledger = MemoryRunLedger(ids=[hub, others[0], "third"])
    failing = {name: f"{name}: {hub}" for name in (hub, *others[::2])}
    outcome = run_plan(plan, ScriptedReleaser(failing), ledger, tags={"train": others[1]})
    run_plan(plan, ScriptedReleaser({}), ledger, tags={"train": hub})
    model = FailureModel(dict.fromkeys(names, 0.2), common_causes=[CommonCause(hub, 0.1, names[:3])])
    changes = [("harden", name, None, 1.0, 2.0, 1.0) for name in names[:6]]
    changes += [("end cause", None, name, 1.0, 1.5, 0.5) for name in names[:6]]
    train = schedule(plan, 600, 2, model, rng=0, trials=16)
    with warnings.catch_warnings(action="ignore"):
        fit = fit_failure_rates(ledger)
    return {
        "order of a plan": order(plan),
        "order of an outcome": order(outcome),
        "order around": order(outcome, around=hub),
        "blast radius": blast_radius(plan, hub),
        "impact": impact(plan),
        "timeline": timeline(ledger, outcome.run_id),
        "counts": counts(simulate(plan, model, trials=64, rng=0)),
        "importance": importance(analyze(plan, model)),
        "history": history(ledger),
        "options": options(compare_many(dict.fromkeys(names, (plan, model)), rng=0, trials=64)),
        "levers": levers(pd.DataFrame(changes, columns=["action", "repo_id", "cause", "before", "after", "gain"])),
        "gantt": gantt(train),
        "tornado": tornado(train),
        "rates": rates(fit, model=dict.fromkeys(names, 0.2)),
    }


@pytest.mark.parametrize("names", [*BATCHES, *(pytest.param(names, marks=pytest.mark.slow) for names in ALL_HIDDEN)])
def test_no_name_is_set_as_a_formula(names: list[str]) -> None:
    named = 0
    for what, ax in pictures(names).items():
        ax.figure.canvas.draw()  # warnings are errors
        for text in ax.figure.findobj(Text):
            told = text.get_text()
            if "$" in told or "\\" in told:
                assert not text.get_parse_math(), (what, told)
                assert not text.get_usetex(), (what, told)
                named += 1
            assert is_seen(told, lines=True), (what, ascii(told))
        plt.close(ax.figure)
    assert named or names == MARKUP[:12]


def test_names_that_begin_with_a_low_line_are_drawn() -> None:
    names = ["_hidden", "__init__", "_x", "_nolegend_"]
    drawn = pictures(names)
    for what in (
        "order of a plan",
        "timeline",
        "impact",
        "history",
        "rates",
        "blast radius",
        "options",
        "levers",
        "gantt",
        "tornado",
    ):
        drawn[what].figure.canvas.draw()
        told = " ".join(text.get_text().replace("\n", "") for text in drawn[what].figure.findobj(Text))
        assert all(name in told for name in names), (what, told)
