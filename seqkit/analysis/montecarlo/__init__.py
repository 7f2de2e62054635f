"""Many simulated runs at once: :func:`simulate`, :func:`compare` and :func:`compare_many`.

===================  =============================================================
`simulation`         simulate, and what it gives
`comparison`         compare, and what it gives
`options`            several ways to release, ranked
`trial`              one trial, through the rule machine
`reach`              what a trial can come to at all
`paired`             what two ways to release differ by, trial by trial
`experiment`         a plan, a model and a policy as plain arrays; sums of tallies
`numpy_draws`        what is drawn, in numpy
`numpy_kernel`       trials as bits, in numpy
`numba_draws`        what is drawn, compiled
`numba_kernel`       the same bits, compiled
`driver`             chunks, threads, executors, progress
===================  =============================================================
"""

from __future__ import annotations

from seqkit.analysis.estimate import Estimate
from seqkit.analysis.montecarlo.comparison import Comparison, compare
from seqkit.analysis.montecarlo.options import compare_many
from seqkit.analysis.montecarlo.simulation import Simulation, simulate
from seqkit.analysis.montecarlo.trial import Trial

__all__ = ["Comparison", "Estimate", "Simulation", "Trial", "compare", "compare_many", "simulate"]
