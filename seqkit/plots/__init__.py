"""Pictures of plans and outcomes: each function draws on `ax` (or a new figure) and returns the Axes.

They never show, save or close anything, and leave matplotlib's settings alone. ``figsize=(width, height)`` is the
size of a new figure in inches. ``theme="dark"`` draws on a dark ground, ``"light"`` on a light one; ``"auto"`` does as
matplotlib's settings say, so that after ``matplotlib.pyplot.style.use("dark_background")`` all plots are dark. Whether
the page of a notebook is dark, the page does not tell the kernel.

Legends list what occurs, in one order everywhere, that of the statuses' lightness: pending, unreleased, blocked,
succeeded, in progress, failed, in doubt, stopped.

=======================  =====================================================
:func:`order`            a plan or an outcome, drawn from top to bottom
:func:`blast_radius`     what one failed repo blocks
:func:`impact`           what each failure blocks, as a matrix
:func:`timeline`         when each repo of a run was tried, from its ledger
:func:`history`          what became of every repo in every run of a ledger
:func:`counts`           how many repos are released, fail or are skipped
:func:`importance`       what hardening each repo buys, and what depends on it
:func:`options`          several ways to release, against the best of them
:func:`levers`           what each change of plan or rates buys
:func:`rates`            fitted failure rates, their intervals, and assumed ones
:func:`calibration`      what past trains were forecast to do, against what they did
:func:`makespan`         when a train will be done, and what a deadline is worth
:func:`gantt`            when each repo starts and ends, and what the end hangs on
:func:`lanes`            when a train is done with each number of lanes
:func:`tornado`          how much sooner it ends if a repo is faster
=======================  =====================================================
"""

from __future__ import annotations

from seqkit._util.public import presented
from seqkit.plots.calibration import calibration
from seqkit.plots.counts import counts
from seqkit.plots.dag import blast_radius, order
from seqkit.plots.gantt import gantt
from seqkit.plots.history import history
from seqkit.plots.impact import impact
from seqkit.plots.importance import importance
from seqkit.plots.lanes import lanes
from seqkit.plots.levers import levers
from seqkit.plots.makespan import makespan
from seqkit.plots.options import options
from seqkit.plots.rates import rates
from seqkit.plots.timeline import timeline
from seqkit.plots.tornado import tornado

__all__ = [
    "blast_radius",
    "calibration",
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
    "rates",
    "timeline",
    "tornado",
]

presented(__name__, __all__, globals())


def __dir__() -> list[str]:
    return sorted(__all__)
