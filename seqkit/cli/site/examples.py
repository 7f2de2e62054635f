"""What the gallery shows: a function for each picture and widget, whose lines stand beside what they draw.

A public name without one is shown by the example of its docstring. ``import seqkit`` and ``from seqkit import plots,
widgets`` come before; each function needs nothing else.
"""

from __future__ import annotations

from typing import Any

import seqkit
from seqkit import plots, widgets

__all__ = [
    "DagView",
    "LedgerBrowser",
    "Lesson",
    "RunView",
    "WhatIf",
    "blast_radius",
    "counts",
    "gantt",
    "history",
    "impact",
    "importance",
    "lanes",
    "levers",
    "makespan",
    "options",
    "order",
    "timeline",
    "tornado",
]


def order() -> Any:  # noqa: D103  # the text beside it is that of the function shown
    plan = seqkit.build_plan(seqkit.load_dataset("jest29").graph)
    return plots.order(seqkit.what_if(plan, fail="jest-haste-map"))


def blast_radius() -> Any:  # noqa: D103
    graph = seqkit.load_dataset("jest29").graph
    return plots.blast_radius(graph, "jest-haste-map", around="jest-haste-map", depth=2)


def impact() -> Any:  # noqa: D103
    return plots.impact(seqkit.load_dataset("jest29").graph)


def timeline() -> Any:  # noqa: D103
    plan = seqkit.build_plan(seqkit.load_dataset("chain_or_hub").graph)
    releaser = seqkit.SimulatedReleaser({"hub": 0.5}, rng=3, durations=300)
    clock = seqkit.VirtualClock()
    return plots.timeline(seqkit.run_plan(plan, releaser, attempts=2, max_parallel=2, clock=clock))


def history() -> Any:  # noqa: D103
    plan = seqkit.build_plan(seqkit.load_dataset("chain_or_hub").graph)
    ledger = seqkit.MemoryRunLedger()
    for week in range(12):
        seqkit.run_plan(plan, 0.08, ledger, rng=week, tags={"train": f"week {week + 1}"})
    return plots.history(ledger)


def counts() -> Any:  # noqa: D103
    plan = seqkit.build_plan(seqkit.load_dataset("kf5").graph)
    return plots.counts(seqkit.analyze(plan, 0.02))


def importance() -> Any:  # noqa: D103
    plan = seqkit.build_plan(seqkit.load_dataset("jest29").graph)
    return plots.importance(seqkit.analyze(plan, 0.02))


def levers() -> Any:  # noqa: D103
    plan = seqkit.build_plan(seqkit.load_dataset("kf5").graph)
    return plots.levers(seqkit.levers(plan, 0.02))


def options() -> Any:  # noqa: D103
    plan = seqkit.build_plan(seqkit.load_dataset("kf5").graph)
    frame = seqkit.compare_many(
        {
            "as it is": (plan, 0.02),
            "try twice": (plan, 0.02, {"attempts": 2}),
            "stop at a failure": (plan, 0.02, {"policy": "stop"}),
        },
        rng=7,
    )
    return plots.options(frame)


def makespan() -> Any:  # noqa: D103
    plan = seqkit.build_plan(seqkit.load_dataset("jest29").graph)
    takes = seqkit.DurationModel(default=600, sigma=0.4)
    train = seqkit.schedule(plan, takes, max_parallel=4, model=0.01, trials=1000, rng=7)
    return plots.makespan(train, deadline=3 * 3600)


def gantt() -> Any:  # noqa: D103
    plan = seqkit.build_plan(seqkit.load_dataset("chain_or_hub").graph)
    takes = seqkit.DurationModel(default=600, sigma=0.4)
    return plots.gantt(seqkit.schedule(plan, takes, max_parallel=2, trials=1000, rng=7))


def lanes() -> Any:  # noqa: D103
    plan = seqkit.build_plan(seqkit.load_dataset("jest29").graph)
    return plots.lanes(seqkit.lanes_curve(plan, 600, lanes=[1, 2, 4, 8], trials=500, rng=7))


def tornado() -> Any:  # noqa: D103
    plan = seqkit.build_plan(seqkit.load_dataset("chain_or_hub").graph)
    takes = seqkit.DurationModel(default=600, sigma=0.4)
    return plots.tornado(seqkit.schedule(plan, takes, max_parallel=2, trials=1000, rng=7))


def WhatIf() -> Any:  # noqa: D103
    plan = seqkit.build_plan(seqkit.load_dataset("jest29").graph)
    return widgets.WhatIf(plan, 0.02)


def RunView() -> Any:  # noqa: D103
    plan = seqkit.build_plan(seqkit.load_dataset("jest29").graph)
    view = widgets.RunView(plan)
    seqkit.run_plan(plan, 0.05, rng=7, on_event=view)
    return view


def Lesson() -> Any:  # noqa: D103
    plan = seqkit.build_plan(seqkit.load_dataset("chain_or_hub").graph)
    return widgets.Lesson(plan)


def LedgerBrowser() -> Any:  # noqa: D103
    plan = seqkit.build_plan(seqkit.load_dataset("chain_or_hub").graph)
    ledger = seqkit.MemoryRunLedger()
    seqkit.run_plan(plan, 0.2, ledger, rng=7)
    return widgets.LedgerBrowser(ledger)


def DagView() -> Any:  # noqa: D103
    graph = seqkit.load_dataset("chain_or_hub").graph
    return widgets.DagView(graph, words={"hub": "failed"})
