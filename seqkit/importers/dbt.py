"""dbt: the runs that ``run_results.json`` keeps, with ``manifest.json`` for who needs whom."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from seqkit._util.words import cut, plural, quoted
from seqkit.core.graph import RepoDependencyGraph, graph_of_edges
from seqkit.errors import DependencyCycle, ReadError
from seqkit.importers._blame import blockers_in
from seqkit.importers._copies import RunFile, counted_once
from seqkit.importers._recorded import Recorded, moment
from seqkit.importers._words import status_of
from seqkit.readers._files import Opened, typed
from seqkit.readers.dbt import is_dbt, read_dbt

__all__ = ["is_dbt_run", "read_dbt_runs"]

_OWN_WORDS = {"runtime error": "failed", "partial success": "failed"}
_SAYS_NO_MORE = ("success", "pass", "error", "fail", "skipped")
_COMMANDS = ("build", "compile", "clone", "docs", "retry", "run", "run-operation", "seed", "snapshot", "source", "test")
_TIMES = ("invocation_started_at", "generated_at")
_FAIL_FAST = "fail_fast"
_HOOK = "operation."
_FIRST = datetime.min.replace(tzinfo=UTC)


def is_dbt_run(file: Opened) -> bool:
    """Tell whether a JSON file is a ``run_results.json`` of dbt, or the manifest that belongs to one."""
    return _is_results(file) or is_dbt(file)


def _is_results(file: Opened) -> bool:
    document = file.document
    facts = document.get("metadata") if isinstance(document, dict) else None
    return isinstance(facts, dict) and "invocation_id" in facts and "results" in document


def read_dbt_runs(files: Sequence[Opened], graph: RepoDependencyGraph | None = None) -> Recorded:
    """Read runs of dbt; every model, seed, snapshot and test is a repo, by its unique id, each tried once in a run.

    dbt does not say who blocked whom. Of what was skipped the failed ancestors are named; where there are none, the
    failed tests of its ancestors, for which ``dbt build`` waits although the manifest has no such edge; what nothing
    explains stays ``skipped``, or ``stopped`` where dbt says that it failed fast. Warnings succeeded, partial
    successes failed; `detail` has the word.

    A ``dbt retry`` goes on with the latest earlier run in which all that it retries had failed or been skipped; such
    runs have one train, the id of the first. The runs come in the order of time.

    Parameters
    ----------
    files : sequence of Opened
        ``run_results.json`` (schemas v4 to v6) of one or more runs, each under its own name, and manifests. A run is
        read with the manifest of its own invocation, else with one from its folder, else with the newest.
    graph : RepoDependencyGraph, optional
        Who needs whom, in place of the manifests: ``read_graph("manifest.json", kinds="all")``, tests and all.

    Raises
    ------
    ReadError
        Where a file is malformed or a status is unknown, there is no run, or two files tell of one run otherwise.
    """
    found = Recorded("dbt")
    manifests = [file for file in files if not _is_results(file)]
    told = [_run(file, found) for file in files if _is_results(file)]
    if not told and manifests:
        raise ReadError(manifests[0], None, "is a manifest of dbt, expected a run_results.json beside it")
    _check_words(told)
    runs = sorted(counted_once(found, told), key=lambda run: (run.about.at, run.run_id))
    graphs = _ManifestGraphs(manifests, graph, found)
    for run, train in zip(runs, _trains(runs, found), strict=True):
        _add(run, train, graphs.of(run), found)
    return found


# ---------------------------------------------------------------------- what a file says


class _Invocation(NamedTuple):
    at: datetime
    is_retry: bool


class _NodeResult(NamedTuple):
    status: str
    started: datetime | None
    finished: datetime | None
    message: str

    @property
    def meaning(self) -> str:
        return _OWN_WORDS.get(self.status) or status_of(self.status) or ""


def _run(file: Opened, found: Recorded) -> RunFile:
    facts = typed(file, "metadata", file.document["metadata"], dict)
    name = typed(file, "metadata.invocation_id", facts["invocation_id"], str)
    items: dict[str, _NodeResult] = {}
    for index, told in enumerate(typed(file, "results", file.document["results"], list)):
        place = f"results[{index}]"
        repo = typed(file, f"{place}.unique_id", typed(file, place, told, dict).get("unique_id"), str)
        if repo in items:
            raise ReadError(file, None, f"{place}.unique_id is {cut(repo, 80)!r} once more, expected each once")
        items[repo] = _result(file, place, told, found)
    times = [
        moment(file, f"metadata.{key}", facts.get(key), found) for key in ("invocation_started_at", "generated_at")
    ]
    at = next((time for time in (*times, *(item.started for item in items.values())) if time is not None), _FIRST)
    return RunFile(file, name, items, _Invocation(at, _is_retry(file)))


def _is_retry(file: Opened) -> bool:
    args = file.document.get("args")
    args = {} if args is None else typed(file, "args", args, dict)
    which, command = args.get("which"), args.get("invocation_command")
    words = typed(file, "args.invocation_command", command, str).split() if command is not None else []
    # Options of dbt itself may stand before its command, and a model be called like one.
    return which == "retry" or next((word for word in words if word in _COMMANDS), None) == "retry"


def _result(file: Opened, place: str, told: Mapping[str, Any], found: Recorded) -> _NodeResult:
    starts, ends = [], []
    for index, step in enumerate(typed(file, f"{place}.timing", told.get("timing") or [], list)):
        where = f"{place}.timing[{index}]"
        typed(file, where, step, dict)
        starts.append(moment(file, f"{where}.started_at", step.get("started_at"), found))
        ends.append(moment(file, f"{where}.completed_at", step.get("completed_at"), found))
    message = typed(file, f"{place}.message", told.get("message") or "", str)
    status = typed(file, f"{place}.status", told.get("status"), str)
    started = next((at for at in starts if at is not None), None)
    return _NodeResult(status, started, next((at for at in reversed(ends) if at is not None), None), message)


def _check_words(runs: Sequence[RunFile]) -> None:
    unknown: dict[str, RunFile] = {}
    for run in runs:
        for result in run.items.values():
            if not result.meaning:
                unknown.setdefault(result.status, run)
    if unknown:
        first = next(iter(unknown.values()))
        raise ReadError(
            first.file, None, f"has statuses that dbt is not known to write: {quoted(unknown)}, expected success, error"
        )


# ---------------------------------------------------------------------- who needs whom


class _ManifestGraphs:
    """The graphs of runs: that which was given, else the manifests'."""

    def __init__(self, manifests: Sequence[Opened], given: RepoDependencyGraph | None, found: Recorded) -> None:
        self._manifests = list({os.fspath(file): file for file in manifests}.values())
        self._given = given
        self._found = found
        self._read: dict[str, _OrderedGraph] = {}

    def of(self, run: RunFile) -> _OrderedGraph | None:
        if self._given is not None:
            return self._kept("", self._given)
        manifest = self._manifest_of(run)
        if manifest is None:
            self._found.say_once(
                "nobody told who needs whom: what was skipped names no failure; give the manifest.json"
            )
            return None
        name = os.fspath(manifest)
        if name not in self._read:
            try:
                self._kept(name, read_dbt(manifest, kinds="all"))
            except DependencyCycle as cycle:
                raise ReadError(manifest, None, str(cycle)) from None
        return self._read[name]

    def _kept(self, name: str, graph: RepoDependencyGraph) -> _OrderedGraph:
        return self._read.setdefault(name, _OrderedGraph(graph))

    def _manifest_of(self, run: RunFile) -> Opened | None:
        folder = os.path.dirname(os.fspath(run.file))
        for fits in (
            lambda file: file.document["metadata"].get("invocation_id") == run.run_id,
            lambda file: len(self._manifests) > 1 and os.path.dirname(os.fspath(file)) == folder,
        ):
            own = [file for file in self._manifests if fits(file)]
            if own:
                return max(own, key=self._made)
        if len(self._manifests) > 1:
            self._found.say("runs without a manifest of their own, which were read with the newest", run.run_id)
        return max(self._manifests, key=self._made, default=None)

    def _made(self, file: Opened) -> tuple[datetime, str]:
        made = moment(file, "metadata.generated_at", file.document["metadata"].get("generated_at"), self._found)
        return made or _FIRST, os.fspath(file)


class _OrderedGraph:
    """A graph and its order."""

    def __init__(self, graph: RepoDependencyGraph) -> None:
        self.graph = graph
        self.order = graph.topological_order()

    def blockers(self, failed: set[str], released: set[str]) -> Mapping[str, list[str]]:
        return blockers_in(self.graph, self.order, failed, released)

    def with_tests(self, failed: set[str]) -> _OrderedGraph:
        """Let what is downstream of all that a failed test looks at wait for the test, as ``dbt build`` does."""
        below: dict[str, set[str]] = {}
        edges = list(self.graph.edges)
        for test in failed:
            if test in self.graph and _is_test(self.graph, test):
                looked_at = self.graph.dependencies_of(test)
                for repo in looked_at:
                    if repo not in below:
                        below[repo] = set(self.graph.transitive_dependents_of(repo))
                waiting = set.intersection(*(below[repo] for repo in looked_at)) if looked_at else set()
                edges += ((test, repo) for repo in waiting if self._is_first(repo, waiting))
        return _OrderedGraph(graph_of_edges(edges, list(self.graph)))

    def _is_first(self, repo: str, waiting: set[str]) -> bool:
        """Tell whether not all that a repo needs waits: the others do by way of that. Tests do not wait for tests."""
        return not waiting.issuperset(self.graph.dependencies_of(repo)) and not _is_test(self.graph, repo)


def _is_test(graph: RepoDependencyGraph, repo: str) -> bool:
    kind = graph.attributes(repo).get("type")
    return (kind if isinstance(kind, str) else repo.partition(".")[0]) in ("test", "unit_test", "data_test")


# ---------------------------------------------------------------------- what comes of it


def _trains(runs: Sequence[RunFile], found: Recorded) -> Iterator[str | None]:
    """Give the train of each run; the runs in the order of time."""
    first: dict[str, str] = {}
    open_in: list[tuple[str, set[str]]] = []
    for run in runs:
        if run.about.is_retry:
            retried = {repo for repo in run.items if not repo.startswith(_HOOK)}
            before = next((name for name, unfinished in reversed(open_in) if retried <= unfinished), None)
            if before is None:
                found.say("retries of a run that is not among the files", run.run_id)
            else:
                first[run.run_id] = first.setdefault(before, before)
        failed = {repo for repo, result in run.items.items() if result.meaning in ("failed", "skipped")}
        open_in.append((run.run_id, failed))
    return (first.get(run.run_id) for run in runs)


def _add(run: RunFile, train: str | None, graph: _OrderedGraph | None, found: Recorded) -> None:
    meanings = {repo: result.meaning for repo, result in run.items.items()}
    failed, released, skipped = (
        {repo for repo, meaning in meanings.items() if meaning == wanted}
        for wanted in ("failed", "succeeded", "skipped")
    )
    blockers: dict[str, list[str]] = {}
    if graph is not None and skipped:
        blockers.update(graph.blockers(failed, released))
        if any(repo not in blockers for repo in skipped):
            blockers = {**graph.with_tests(failed).blockers(failed, released), **blockers}
    unknown = [repo for repo in skipped if graph is not None and repo not in graph.graph]
    if unknown:
        found.say_once(f"the graph does not know {plural(len(unknown), 'repo')} that {run.run_id} skipped")
    for repo, result in run.items.items():
        meaning, blocked_by = result.meaning, blockers.get(repo, [])
        if meaning == "skipped" and blocked_by:
            meaning = "blocked"
        elif meaning == "skipped" and _FAIL_FAST in result.message:
            meaning = "stopped"
        found.add(
            run.run_id,
            repo,
            meaning,
            started=result.started,
            finished=result.finished,
            reason=next(iter(result.message.strip().splitlines()), None),
            blocked_by=blocked_by,
            train=train,
            detail=None if result.status in _SAYS_NO_MORE else result.status,
        )
