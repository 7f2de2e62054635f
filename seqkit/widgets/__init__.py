"""Widgets for Jupyter: try failures, watch a run, learn how the order comes about, read a ledger.

=============  ==============================================================
WhatIf         make repos fail, change rates and rules, see what it comes to
RunView        a picture of a run that changes while it goes
Lesson         walk through a release one choice at a time; a quiz
LedgerBrowser  choose a run of a ledger, look at it, compare it with another
DagView        the picture in them: a graph that can be pressed and zoomed
=============  ==============================================================

``lesson_notebook`` writes a lesson with exercises about a plan, for a teacher and for students.

Each widget leaves a still picture where it cannot run, and ``close()`` removes it for good.
"""

from seqkit._util.public import presented
from seqkit.explore.lesson_book import lesson_notebook
from seqkit.widgets.dag import DagView
from seqkit.widgets.ledger_browser import LedgerBrowser
from seqkit.widgets.lesson import Lesson
from seqkit.widgets.run_view import RunView
from seqkit.widgets.what_if import WhatIf

__all__ = ["DagView", "LedgerBrowser", "Lesson", "RunView", "WhatIf", "lesson_notebook"]

presented(__name__, __all__, globals())


def __dir__() -> list[str]:
    return sorted(__all__)
