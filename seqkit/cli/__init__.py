"""The commands of ``python -m seqkit``.

===============  ==================================================================
`demonstration`  demo: a simulated release of a data set, with pictures and a ledger
`whatif`         what-if: who is blocked where some repos fail
`simulation`     simulate: how much of a release is likely to go out
`source`         a data set, a graph file or a plan file becomes a plan
`options`        options that hold more than one word, checked
`printing`       tables and numbers as text
`writing`        CSV and JSON, whole or not at all
===============  ==================================================================
"""

from __future__ import annotations

from seqkit.cli.demonstration import demo
from seqkit.cli.printing import printable
from seqkit.cli.simulation import simulate
from seqkit.cli.whatif import what_if

__all__ = ["demo", "printable", "simulate", "what_if"]
