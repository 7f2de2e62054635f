"""Pictures of plans and outcomes: each function draws on `ax` (or a new figure) and returns the Axes.

They never show, save or close anything, and leave matplotlib's settings alone.

=======================  =====================================================
:func:`order`            a plan or an outcome, drawn from left to right
:func:`blast_radius`     what one failed repo blocks
=======================  =====================================================
"""

from __future__ import annotations

from seqkit.plots.dag import blast_radius, order

__all__ = ["blast_radius", "order"]
