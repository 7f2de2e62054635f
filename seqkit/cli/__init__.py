"""The commands of ``python -m seqkit``.

===============  ==================================================================
`demonstration`  demo: a simulated release of a data set, with pictures and a ledger
`whatif`         what-if: who is blocked where some repos fail
`simulation`     simulate: how much of a release is likely to go out
`scheduling`     schedule: when it will be done
`graphs`         graph, plan: who needs whom, what must go out
`ledgers`        runs, show: what a ledger holds, what happened in one run
`auditing`       audit, anchor: whether a ledger holds together, and what to keep of it
`running`        run: a release by commands, recorded in a ledger
`resuming`       resume: what a run left to do, the plan for it, and the run of that
`conversion`     convert, export: a ledger or a graph in another form, a ledger as Parquet files
`reporting`      report: what became of a train, for people
`reference`      reference: the API reference as web pages
`source`         a data set, a graph file or a plan file becomes a plan
`releasing`      the options of commands that release
`progress`       what runs now, since when, and how much is left
`options`        options that hold more than one word, checked
`printing`       tables and numbers as text
`writing`        CSV and JSON, whole or not at all
===============  ==================================================================
"""

from __future__ import annotations

from seqkit.cli.auditing import anchor, audit
from seqkit.cli.conversion import convert, export
from seqkit.cli.demonstration import demo
from seqkit.cli.graphs import graph, plan
from seqkit.cli.ledgers import runs, show_run
from seqkit.cli.reference import reference
from seqkit.cli.reporting import report
from seqkit.cli.resuming import resume
from seqkit.cli.running import run
from seqkit.cli.scheduling import schedule
from seqkit.cli.simulation import simulate
from seqkit.cli.whatif import what_if

__all__ = [
    "anchor",
    "audit",
    "convert",
    "demo",
    "export",
    "graph",
    "plan",
    "reference",
    "report",
    "resume",
    "run",
    "runs",
    "schedule",
    "show_run",
    "simulate",
    "what_if",
]
