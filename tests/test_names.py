"""The public names, pinned: a name that comes or goes is a decision."""

from __future__ import annotations

import subprocess
import sys

import seqkit
import seqkit.ledger
import seqkit.plots
import seqkit.readers
import seqkit.widgets

NAMES = {
    # graph
    "RepoDependencyGraph",
    "RepoNode",
    "SimilarIds",
    "read_graph",
    "ReadWarning",
    "load_dataset",
    "Dataset",
    # plan
    "Release",
    "RepoReleaseStatus",
    "SequenceItem",
    "SequencePlan",
    "build_plan",
    # the order explained
    "OrderCheck",
    "check_order",
    "steps",
    # running
    "ReleaseSequencer",
    "SequenceOutcome",
    "execute_plan",
    "run_plan",
    "what_if",
    # releasers
    "CommonCause",
    "FailureModel",
    "RepoReleaser",
    "ScriptedReleaser",
    "SimulatedReleaser",
    # how likely
    "Analysis",
    "Comparison",
    "Estimate",
    "Simulation",
    "Trial",
    "analyze",
    "blast_radius",
    "compare",
    "simulate",
    "UnknownRepo",
    # fitted to the past
    "Dispersion",
    "UnsupportedRanking",
    "dispersion_test",
    "fit_failure_rates",
    "posterior_draws",
    "posterior_models",
    "ranking_note",
    # ledgers
    "ContentDigest",
    "EvaluationMetadata",
    "GraphRunRecorder",
    "MemoryRunLedger",
    "RunEvent",
    "RunId",
    "RunLedger",
    "RunMetadata",
    "RunRecord",
    "RunStatus",
    "RunSummary",
    "SqlRunLedger",
    "open_ledger",
    "FoundLedger",
    "RepeatedRecords",
    "UnreadableLines",
    "read_ledger",
    "read_ledgers",
    "write_ledger",
    # does it hold together
    "AuditReport",
    "audit",
    # what it left behind
    "PlanDiff",
    "Replay",
    "ResumePlan",
    "blockers",
    "diff_plans",
    "fixes_frame",
    "replay",
    "close_run",
    "resume_plan",
    "trains_frame",
    # frames
    "events_frame",
    "for_spreadsheet",
    "items_frame",
    "runs_frame",
    # errors
    "Backend",
    "DependencyCycle",
    "DuplicateRelease",
    "IntegrityError",
    "InvalidDigest",
    "InvalidRunState",
    "MultiRepoError",
    "ReadError",
    "RepoNotFound",
    "RunNotFound",
    "SeqkitError",
    "SequencingFailed",
    "StorageError",
}


def test_public_names() -> None:
    assert set(seqkit.__all__) == NAMES
    assert list(seqkit.__all__) == sorted(seqkit.__all__)


def test_public_names_of_what_is_seen() -> None:
    pictures = {"blast_radius", "calibration", "counts", "history", "impact", "importance", "order", "timeline"}
    assert set(seqkit.plots.__all__) == pictures
    assert set(seqkit.widgets.__all__) == {"DagView", "LedgerBrowser", "Lesson", "RunView", "WhatIf"}


def test_public_names_of_the_readers_of_formats() -> None:
    of_ledgers = {"read_jsonl", "read_postgresql", "read_sqlite", "read_surql", "read_surrealkv"}
    opening = {"as_ledger", "open_ledger", "read_ledger", "read_ledgers", "write_ledger"}
    classes = {"GraphRunRecorder", "MemoryRunLedger", "RepeatedRecords", "RunLedger", "SqlRunLedger", "UnreadableLines"}
    assert set(seqkit.ledger.__all__) == of_ledgers | opening | classes | {"write_jsonl", "write_sqlite"}
    of_graphs = {"read_edges", "read_npm", "read_pip", "read_plan"}
    assert set(seqkit.readers.__all__) == of_graphs | {"ReadWarning", "read_graph"}
    for package in (seqkit.ledger, seqkit.readers):
        assert all(getattr(package, name) is not None for name in package.__all__)


def test_what_is_seen_needs_no_import_of_its_own() -> None:
    names = "seqkit.plots.order, seqkit.widgets.WhatIf, seqkit.explore.Walk"
    code = f"import seqkit; print(*[thing.__name__ for thing in ({names})])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["order", "WhatIf", "Walk"]


def test_every_public_name_is_there_and_listed() -> None:
    for name in NAMES:
        assert getattr(seqkit, name) is not None
    assert set(dir(seqkit)) >= NAMES


def test_the_docstring_table_names_them_all() -> None:
    told = seqkit.__doc__ or ""
    errors = set(seqkit.errors.__all__)
    assert [name for name in sorted(NAMES - errors) if name not in told] == []
