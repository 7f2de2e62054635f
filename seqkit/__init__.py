"""Releases that span many repositories: plan them, run them, read their ledgers, ask what if.

=====================  =====================================================================
the graph              RepoDependencyGraph, RepoNode, SimilarIds, read_graph, ReadReport, ReadWarning,
                       load_dataset, Dataset
the plan               Release, build_plan, SequencePlan, SequenceItem, RepoReleaseStatus,
                       plan_changes, ChangePlan
the order explained    steps, check_order, OrderCheck
running it             execute_plan, run_plan, ReleaseSequencer, SequenceOutcome, Retry, VirtualClock
who releases           RepoReleaser, ScriptedReleaser, SimulatedReleaser, RecordedReleaser, delayed,
                       disturbed, CommandReleaser
what fails             FailureModel, CommonCause, UnknownRepo, what_if
how long it takes      DurationModel, Freeze
how likely             analyze, Analysis, blast_radius, simulate, Simulation, Trial, Estimate,
                       compare, Comparison, compare_many, levers
when will it be done   schedule, Schedule, lanes_curve, ScheduleAnomaly, eta, Eta
fitted to the past     fit_failure_rates, ranking_note, UnsupportedRanking, posterior_draws,
                       posterior_models, fit_common_causes, fit_durations, DurationFit, dispersion_test,
                       Dispersion, retry_test, RetryTest, calibration, Calibration
keeping the record     RunLedger, MemoryRunLedger, SqlRunLedger, open_ledger, write_ledger,
                       GraphRunRecorder
its records            RunRecord, RunEvent, RunMetadata, RunSummary, RunStatus, RunId,
                       EvaluationMetadata, ContentDigest
reading it             read_ledger, read_ledgers, FoundLedger, UnreadableLines, RepeatedRecords,
                       runs_frame, events_frame, items_frame, attempts_frame, for_spreadsheet,
                       write_parquet
other systems' runs    read_attempts, ledger_from_frame
does it hold together  audit, AuditReport, anchor
what it left behind    resume_plan, ResumePlan, close_run, blockers, replay, Replay, diff_plans, PlanDiff,
                       trains_frame, fixes_frame
what arguments take    ModelLike, PlanLike, ReleaserLike, LedgerLike, Seed
what goes wrong        SeqkitError and below it: see seqkit.errors
=====================  =====================================================================

Pictures are in :mod:`seqkit.plots`, widgets in :mod:`seqkit.widgets`; the command line is ``python -m seqkit``.
"""

from __future__ import annotations

import importlib
from typing import Any

from seqkit._show.spreadsheet import for_spreadsheet
from seqkit._util.public import presented
from seqkit.analysis.blast import blast_radius
from seqkit.analysis.exact import Analysis, analyze
from seqkit.analysis.levers import levers
from seqkit.analysis.montecarlo import Comparison, Estimate, Simulation, Trial, compare, compare_many, simulate
from seqkit.analysis.schedule.curve import ScheduleAnomaly, lanes_curve
from seqkit.analysis.schedule.eta import Eta, eta
from seqkit.analysis.schedule.scheduled import Schedule
from seqkit.analysis.schedule.scheduling import schedule
from seqkit.analysis.steps import OrderCheck, check_order, steps
from seqkit.analysis.whatif import what_if
from seqkit.auditing import AuditReport, anchor, audit
from seqkit.core.calendar import Freeze
from seqkit.core.changes import ChangePlan, plan_changes
from seqkit.core.draws import Seed
from seqkit.core.durations import DurationModel
from seqkit.core.failures import CommonCause, FailureModel, ModelLike
from seqkit.core.graph import RepoDependencyGraph
from seqkit.core.ids import SimilarIds
from seqkit.core.model import (
    ContentDigest,
    EvaluationMetadata,
    Release,
    RepoNode,
    RepoReleaseStatus,
    RunEvent,
    RunId,
    RunMetadata,
    RunRecord,
    RunStatus,
    RunSummary,
    SequenceItem,
)
from seqkit.core.outcome import SequenceOutcome
from seqkit.core.plan import SequencePlan, build_plan
from seqkit.core.read_report import ReadReport
from seqkit.core.retry import Retry
from seqkit.core.trains import PlanLike
from seqkit.core.unknown import UnknownRepo
from seqkit.datasets import Dataset, load_dataset
from seqkit.errors import (
    Backend,
    DependencyCycle,
    DuplicateRelease,
    IntegrityError,
    InvalidDigest,
    InvalidRunState,
    MultiRepoError,
    ReadError,
    RepoNotFound,
    RunNotFound,
    SeqkitError,
    SequencingFailed,
    StorageError,
)
from seqkit.fitting.causes import fit_common_causes
from seqkit.fitting.dispersion import Dispersion, dispersion_test
from seqkit.fitting.durations import DurationFit, fit_durations
from seqkit.fitting.posterior import posterior_draws, posterior_models
from seqkit.fitting.rates import UnsupportedRanking, fit_failure_rates, ranking_note
from seqkit.fitting.retries import RetryTest, retry_test
from seqkit.history import (
    Calibration,
    PlanDiff,
    Replay,
    ResumePlan,
    blockers,
    calibration,
    close_run,
    diff_plans,
    fixes_frame,
    replay,
    resume_plan,
    trains_frame,
)
from seqkit.importers import ledger_from_frame, read_attempts
from seqkit.ledger import (
    GraphRunRecorder,
    LedgerLike,
    MemoryRunLedger,
    RepeatedRecords,
    RunLedger,
    UnreadableLines,
    open_ledger,
    read_ledger,
    read_ledgers,
    write_ledger,
)
from seqkit.ledger.attempts import attempts_frame
from seqkit.ledger.found import FoundLedger
from seqkit.ledger.frames import events_frame, items_frame, runs_frame
from seqkit.ledger.parquet import write_parquet
from seqkit.readers import ReadWarning, read_graph
from seqkit.running.clock import VirtualClock
from seqkit.running.commands import CommandReleaser
from seqkit.running.executor import execute_plan, run_plan
from seqkit.running.releasers import ReleaserLike, RepoReleaser, ScriptedReleaser, SimulatedReleaser
from seqkit.running.sequencer import ReleaseSequencer
from seqkit.running.wrappers import RecordedReleaser, delayed, disturbed

__version__ = "0.1.0"

__all__ = [
    "Analysis",
    "AuditReport",
    "Backend",
    "Calibration",
    "ChangePlan",
    "CommandReleaser",
    "CommonCause",
    "Comparison",
    "ContentDigest",
    "Dataset",
    "DependencyCycle",
    "Dispersion",
    "DuplicateRelease",
    "DurationFit",
    "DurationModel",
    "Estimate",
    "Eta",
    "EvaluationMetadata",
    "FailureModel",
    "FoundLedger",
    "Freeze",
    "GraphRunRecorder",
    "IntegrityError",
    "InvalidDigest",
    "InvalidRunState",
    "LedgerLike",
    "MemoryRunLedger",
    "ModelLike",
    "MultiRepoError",
    "OrderCheck",
    "PlanDiff",
    "PlanLike",
    "ReadError",
    "ReadReport",
    "ReadWarning",
    "RecordedReleaser",
    "Release",
    "ReleaseSequencer",
    "ReleaserLike",
    "RepeatedRecords",
    "Replay",
    "RepoDependencyGraph",
    "RepoNode",
    "RepoNotFound",
    "RepoReleaseStatus",
    "RepoReleaser",
    "ResumePlan",
    "Retry",
    "RetryTest",
    "RunEvent",
    "RunId",
    "RunLedger",
    "RunMetadata",
    "RunNotFound",
    "RunRecord",
    "RunStatus",
    "RunSummary",
    "Schedule",
    "ScheduleAnomaly",
    "ScriptedReleaser",
    "Seed",
    "SeqkitError",
    "SequenceItem",
    "SequenceOutcome",
    "SequencePlan",
    "SequencingFailed",
    "SimilarIds",
    "SimulatedReleaser",
    "Simulation",
    "SqlRunLedger",
    "StorageError",
    "Trial",
    "UnknownRepo",
    "UnreadableLines",
    "UnsupportedRanking",
    "VirtualClock",
    "analyze",
    "anchor",
    "attempts_frame",
    "audit",
    "blast_radius",
    "blockers",
    "build_plan",
    "calibration",
    "check_order",
    "close_run",
    "compare",
    "compare_many",
    "delayed",
    "diff_plans",
    "dispersion_test",
    "disturbed",
    "eta",
    "events_frame",
    "execute_plan",
    "fit_common_causes",
    "fit_durations",
    "fit_failure_rates",
    "fixes_frame",
    "for_spreadsheet",
    "items_frame",
    "lanes_curve",
    "ledger_from_frame",
    "levers",
    "load_dataset",
    "open_ledger",
    "plan_changes",
    "posterior_draws",
    "posterior_models",
    "ranking_note",
    "read_attempts",
    "read_graph",
    "read_ledger",
    "read_ledgers",
    "replay",
    "resume_plan",
    "retry_test",
    "run_plan",
    "runs_frame",
    "schedule",
    "simulate",
    "steps",
    "trains_frame",
    "what_if",
    "write_ledger",
    "write_parquet",
]


presented(__name__, __all__, globals())


def __getattr__(name: str) -> Any:
    if name == "SqlRunLedger":  # SQLAlchemy takes longer to import than all of seqkit
        from seqkit.ledger import SqlRunLedger  # noqa: PLC0415

        return SqlRunLedger
    if name in ("plots", "widgets", "explore"):  # matplotlib and ipywidgets are for those who draw
        return importlib.import_module(f"seqkit.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
