"""What past runs left behind: what is left to do, who held up whom, what would have been, what has changed.

:func:`resume_plan` plans what a run left, :func:`trains_frame` and :func:`fixes_frame` show runs that resume each
other as one, :func:`blockers` shares out the blame, :func:`replay` goes through a run again under other
rules, :func:`diff_plans` compares two plans, and :func:`calibration` holds forecasts of past trains against what came.
"""

from __future__ import annotations

from seqkit.history.blame import blockers
from seqkit.history.calibration import Calibration, calibration
from seqkit.history.closing import close_run
from seqkit.history.diff import PlanDiff, diff_plans
from seqkit.history.replaying import Replay, replay
from seqkit.history.resume import ResumePlan, resume_plan
from seqkit.history.trains import fixes_frame, trains_frame

__all__ = [
    "Calibration",
    "PlanDiff",
    "Replay",
    "ResumePlan",
    "blockers",
    "calibration",
    "close_run",
    "diff_plans",
    "fixes_frame",
    "replay",
    "resume_plan",
    "trains_frame",
]
