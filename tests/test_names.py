"""The public names, pinned: a name that comes or goes is a decision."""

from __future__ import annotations

import ast
import importlib
import inspect
import pickle
import re
import subprocess
import sys
import typing
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType

import pytest

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
    "ReadReport",
    "ReadWarning",
    "load_dataset",
    "Dataset",
    # plan
    "Release",
    "RepoReleaseStatus",
    "SequenceItem",
    "SequencePlan",
    "ChangePlan",
    "build_plan",
    "plan_changes",
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
    "DurationModel",
    "Freeze",
    "FailureModel",
    "RepoReleaser",
    "ScriptedReleaser",
    "SimulatedReleaser",
    "Retry",
    "VirtualClock",
    "RecordedReleaser",
    "CommandReleaser",
    "delayed",
    "disturbed",
    # how likely
    "Analysis",
    "Comparison",
    "Estimate",
    "Simulation",
    "Trial",
    "analyze",
    "blast_radius",
    "compare",
    "compare_many",
    "levers",
    "simulate",
    "Eta",
    "eta",
    # when will it be done
    "Schedule",
    "ScheduleAnomaly",
    "lanes_curve",
    "schedule",
    "UnknownRepo",
    # fitted to the past
    "Dispersion",
    "RetryTest",
    "UnsupportedRanking",
    "dispersion_test",
    "fit_common_causes",
    "Calibration",
    "calibration",
    "DurationFit",
    "fit_durations",
    "fit_failure_rates",
    "posterior_draws",
    "posterior_models",
    "ranking_note",
    "retry_test",
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
    "write_parquet",
    # does it hold together
    "AuditReport",
    "anchor",
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
    "report",
    "TrainReport",
    # frames
    "events_frame",
    "for_spreadsheet",
    "items_frame",
    "attempts_frame",
    "ledger_from_frame",
    "read_attempts",
    "runs_frame",
    # for other tools
    "to_ocel_frames",
    "to_otel",
    "to_xes_frame",
    # what arguments take
    "LedgerLike",
    "ModelLike",
    "PlanLike",
    "ReleaserLike",
    "Seed",
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
    pictures = {"blast_radius", "calibration", "counts", "history", "impact", "importance", "levers", "options"}
    pictures |= {"rates", "order", "timeline", "makespan", "gantt", "lanes", "tornado"}
    assert set(seqkit.plots.__all__) == pictures
    assert set(seqkit.widgets.__all__) == {"DagView", "LedgerBrowser", "Lesson", "RunView", "WhatIf", "lesson_notebook"}


def test_public_names_of_the_readers_of_formats() -> None:
    of_ledgers = {"read_jsonl", "read_postgresql", "read_sqlite", "read_surql", "read_surrealkv"}
    opening = {"as_ledger", "open_ledger", "read_ledger", "read_ledgers", "write_ledger"}
    classes = {
        "GraphRunRecorder",
        "LedgerLike",
        "MemoryRunLedger",
        "RepeatedRecords",
        "RunLedger",
        "SqlRunLedger",
        "UnreadableLines",
    }
    assert set(seqkit.ledger.__all__) == of_ledgers | opening | classes | {"write_jsonl", "write_sqlite"}
    of_graphs = {"read_edges", "read_npm", "read_pip", "read_plan"}
    of_graphs |= {"read_dbt", "read_dot", "read_graphml", "read_node_link"}
    of_graphs |= {"read_backstage", "read_poetry", "read_pylock", "read_python", "read_uv", "read_workflow"}
    of_graphs |= {"read_js", "read_maven", "read_nx", "read_pnpm", "read_turbo"}
    of_graphs |= {"read_cargo", "read_cargo_lock", "read_cargo_metadata", "read_go", "read_go_mod_graph"}
    of_graphs |= {"read_conda_forge", "read_debian", "read_kde", "read_publishing_rules", "read_ros", "read_yarn"}
    of_graphs |= {"read_cyclonedx", "read_spdx"}
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


PACKAGES = ("seqkit", "seqkit.plots", "seqkit.widgets", "seqkit.explore", "seqkit.errors")
TOLD = {(package, name) for package in PACKAGES for name in importlib.import_module(package).__all__}
THINGS = {f"{package}.{name}": getattr(importlib.import_module(package), name) for package, name in sorted(TOLD)}
DEFINED = {
    name: thing
    for name, thing in THINGS.items()
    if isinstance(thing, type | FunctionType) and thing.__module__.startswith("seqkit")
}


@pytest.mark.parametrize("package", PACKAGES)
def test_dir_lists_the_public_names_alone(package: str) -> None:
    module = importlib.import_module(package)
    assert dir(module) == sorted(module.__all__)


@pytest.mark.parametrize("name", DEFINED)
def test_what_is_public_says_where_it_is_imported_from(name: str) -> None:
    thing = DEFINED[name]
    module = importlib.import_module(thing.__module__)
    assert thing.__module__ in PACKAGES
    assert getattr(module, thing.__name__) is thing
    assert pickle.loads(pickle.dumps(thing)) is thing


def test_values_of_public_classes_are_pickled_by_their_public_name() -> None:
    for value in (seqkit.Estimate(0.5, 0.1), seqkit.FailureModel(default=0.25), seqkit.RunMetadata()):
        data = pickle.dumps(value)
        assert repr(pickle.loads(data)) == repr(value)
        assert b"seqkit." not in data


def test_tracebacks_show_short_names() -> None:
    code = "import seqkit; seqkit.what_if(seqkit.build_plan(seqkit.RepoDependencyGraph(), version='1'), fail='x')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1].startswith("seqkit.RepoNotFound: ")


ONLY_CHECKED = {"seqkit.Dataset", "seqkit.SequenceOutcome"}  # name what lies above them, or what takes long to import


@pytest.mark.parametrize(
    "name", sorted({name for name, thing in DEFINED.items() if isinstance(thing, type)} - ONLY_CHECKED)
)
def test_type_hints_of_public_classes_can_be_read(name: str) -> None:
    assert isinstance(typing.get_type_hints(DEFINED[name]), dict)


def parameters(thing: object) -> Iterator[tuple[str, inspect.Parameter]]:
    """All parameters of a public function, or of a class and its public methods."""
    callables = [("", thing)]
    if isinstance(thing, type):
        callables = [
            (f".{name}", member.__func__ if isinstance(member, classmethod | staticmethod) else member)
            for name, member in vars(thing).items()
            if name == "__init__" or not name.startswith("_")
        ]
    for name, function in callables:
        if isinstance(function, FunctionType) and function.__module__.startswith("seqkit"):
            yield from ((name, parameter) for parameter in inspect.signature(function).parameters.values())


@pytest.mark.parametrize("name", DEFINED)
def test_no_parameter_takes_just_anything(name: str) -> None:
    found = [
        f"{name}{method}({parameter.name})"
        for method, parameter in parameters(DEFINED[name])
        if str(parameter.annotation) in ("Any", "typing.Any", "Any | None")
        and parameter.kind is not inspect.Parameter.VAR_KEYWORD  # handed on: to the artist, a reader, execute_plan
        and not parameter.name.startswith("_")
    ]
    assert found == []


def classes_in(node: ast.AST) -> Iterator[ast.ClassDef]:
    """All classes, inside functions and classes too, without a walk through expressions: none is in one."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.expr):
            if isinstance(child, ast.ClassDef):
                yield child
            yield from classes_in(child)


def test_no_two_classes_share_a_name() -> None:
    where: dict[str, list[str]] = {}
    for file in sorted(Path(seqkit.__file__).parent.rglob("*.py")):
        for found in classes_in(ast.parse(file.read_text("utf-8"))):
            where.setdefault(found.name, []).append(file.name)
    assert {name: files for name, files in where.items() if len(files) > 1} == {}
    assert len(where) > 100


def test_no_docstring_leads_to_a_module_that_is_not_public() -> None:
    role = re.compile(r":(?:func|class|meth|data):`~?(seqkit\.[a-z_]+)\.[\w.]+`")
    found = {
        f"{name}: {match[0]}"
        for name, thing in DEFINED.items()
        for match in role.finditer(inspect.getdoc(thing) or "")
        if match[1] not in {*PACKAGES, "seqkit.readers"}  # where the options of `read_graph` are explained
    }
    assert found == set()
