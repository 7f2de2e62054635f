"""What the widgets show, as plain state: no browser, no ipywidgets, no pictures.

A widget only calls these objects and renders them, so that everything it can do is also possible
from code, and can be tested without a browser.

===========  ==============================================================
Scenario     a what-if that is changed bit by bit
LiveRun      a run as it goes, from its events
Walk         the sequencing of a plan, step by step
Quiz         questions about it
Exercises    what a notebook asks about it
Browser      the runs of a ledger, filtered, opened and compared
===========  ==============================================================
"""

from seqkit._util.public import presented
from seqkit.explore.browse import Browser
from seqkit.explore.exercises import Exercises
from seqkit.explore.lesson import Walk
from seqkit.explore.live import LiveRun
from seqkit.explore.quiz import Quiz
from seqkit.explore.scenario import Scenario

__all__ = ["Browser", "Exercises", "LiveRun", "Quiz", "Scenario", "Walk"]

presented(__name__, __all__, globals())


def __dir__() -> list[str]:
    return sorted(__all__)
