"""turbo: the summaries of runs that ``turbo run build --summarize`` leaves in ``.turbo/runs``."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from seqkit.core.graph import RepoDependencyGraph, graph_of_edges
from seqkit.errors import DependencyCycle, ReadError
from seqkit.importers._blame import blockers_in
from seqkit.importers._copies import RunFile, counted_once
from seqkit.importers._recorded import Recorded, moment
from seqkit.readers._files import Opened, PathLike, text_list, typed
from seqkit.readers.turbo import ROOT, is_turbo, load_turbo, package_of

__all__ = ["is_turbo_run", "read_turbo_runs"]

_NO_SCRIPT = "<NONEXISTENT>"
_FIRST = datetime.min.replace(tzinfo=UTC)
_WORST_FIRST = ("failed", "cancelled", "blocked", "stopped", "succeeded")


def is_turbo_run(file: Opened) -> bool:
    """Tell whether a text is the summary of a run of turbo, or a dry run that tells of its tasks."""
    return is_turbo(file) or file.has_keys("turboVersion", "execution", "tasks")


def read_turbo_runs(files: Sequence[Opened], graph: RepoDependencyGraph | None = None) -> Recorded:
    """Read summaries of runs of turbo; every package is a repo, as for :func:`seqkit.read_turbo`, tried once in a run.

    Where `graph` names tasks (``core#build``), and in a repository of one package, tasks are the repos. Of several
    tasks of a package the worst counts: the package failed where one of them did. What came from the cache succeeded,
    with the detail ``cached``.

    A summary tells only of what was begun. What is missing from it and waits for a failure is ``blocked``; what turbo
    did not come to, since it stops at the first failure, is ``stopped``, as far as the packages of the run are listed.
    Who waits for whom is taken from `graph`, else from the tasks of all the files together.

    Parameters
    ----------
    files : sequence of Opened
        Summaries, and dry runs (``turbo run build --dry=json``), which tell of all tasks.
    graph : RepoDependencyGraph, optional
        Who needs whom, by packages or by tasks.

    Raises
    ------
    ReadError
        Where a file is malformed, there is no run, or two files tell of one run otherwise.
    """
    found = Recorded("turbo")
    documents = [(file, typed(file, "the document", load_turbo(file), dict)) for file in files]
    known = _TurboTasks()
    runs, dry = [], 0
    for file, document in documents:
        tasks = list(_tasks(file, document, found))
        known.learn(tasks)
        if isinstance(document.get("execution"), dict):
            runs.append(_run(file, document, tasks, found))
        else:
            dry += 1
    if documents and not runs:
        raise ReadError(documents[0][0], None, "is a dry run of turbo, expected a summary of a run beside it")
    runs = counted_once(found, runs, lambda task: task.meaning is None)
    blame = _TurboBlame(known, runs[0].file if runs else "", graph)
    for run in sorted(runs, key=lambda run: (run.about.at, run.run_id)):
        _add(run, blame, found)
        if graph is None and not dry and any(task.meaning == "failed" for task in run.items.values()):
            found.say_once(
                "what a failure blocked is known as far as the summaries tell of dependents; a dry run (--dry=json) or "
                "a graph tells of all"
            )
    return found


# ---------------------------------------------------------------------- what a file says


class _TurboTask(NamedTuple):
    name: str
    needs: tuple[str, ...]
    dependents: tuple[str, ...]
    has_script: bool
    meaning: str | None
    """None where it was not begun."""
    started: datetime | None
    finished: datetime | None
    reason: str | None
    is_cached: bool


class _TurboScope(NamedTuple):
    at: datetime
    packages: frozenset[str]


@dataclass
class _TurboTasks:
    """The tasks of all files."""

    needs: dict[str, set[str]] = field(default_factory=dict)
    without_script: set[str] = field(default_factory=set)

    def learn(self, tasks: Iterable[_TurboTask]) -> None:
        for task in tasks:
            self.needs.setdefault(task.name, set()).update(task.needs)
            for dependent in task.dependents:
                self.needs.setdefault(dependent, set()).add(task.name)
            if not task.has_script:
                self.without_script.add(task.name)


def _tasks(file: Opened, document: Mapping[str, Any], found: Recorded) -> Iterator[_TurboTask]:
    seen: set[str] = set()
    for index, told in enumerate(typed(file, "tasks", document.get("tasks"), list)):
        place = f"tasks[{index}]"
        typed(file, place, told, dict)
        key = "taskId" if "taskId" in told else "task"  # a repository of one package has no ids
        name = typed(file, f"{place}.{key}", told.get(key), str)
        if name in seen:
            raise ReadError(file, None, f"{place}.{key} is once more that of another task, expected each once")
        seen.add(name)
        needs, dependents = (
            tuple(text_list(file, f"{place}.{key}", told.get(key) or [])) for key in ("dependencies", "dependents")
        )
        has_script = typed(file, f"{place}.command", told.get("command") or "", str) != _NO_SCRIPT
        yield _TurboTask(name, needs, dependents, has_script, *_outcome(file, place, told, found))


def _outcome(
    file: Opened, place: str, told: Mapping[str, Any], found: Recorded
) -> tuple[str | None, datetime | None, datetime | None, str | None, bool]:
    cache = told.get("cache")
    is_cached = typed(file, f"{place}.cache", cache, dict).get("status") == "HIT" if cache is not None else False
    execution = told.get("execution")
    if execution is None:
        return None, None, None, None, is_cached
    place = f"{place}.execution"
    typed(file, place, execution, dict)
    started, finished = (
        moment(file, f"{place}.{key}", execution.get(key), found, "ms") for key in ("startTime", "endTime")
    )
    code = execution.get("exitCode")
    error = typed(file, f"{place}.error", execution.get("error") or "", str)
    failed = bool(error) or (code is not None and typed(file, f"{place}.exitCode", code, int) != 0)
    # What turbo ended itself, since something else had failed, has no exit code.
    meaning = "failed" if failed else "succeeded" if code is not None or is_cached else "cancelled"
    return meaning, started, finished, (error or f"exit code {code}") if failed else None, is_cached


def _run(file: Opened, document: Mapping[str, Any], tasks: Sequence[_TurboTask], found: Recorded) -> RunFile:
    name = typed(file, "id", document.get("id"), str)
    packages = frozenset(text_list(file, "packages", document.get("packages") or []))
    at = moment(file, "execution.startTime", document["execution"].get("startTime"), found, "ms")
    return RunFile(file, name, {task.name: task for task in tasks}, _TurboScope(at or _FIRST, packages))


# ---------------------------------------------------------------------- what was not begun


class _TurboBlame:
    """Who waits for whom: by the graph that was given, else by all tasks that the files tell of."""

    def __init__(self, known: _TurboTasks, file: PathLike, given: RepoDependencyGraph | None) -> None:
        names_tasks = given is not None and any(task in given for task in known.needs)
        only_root = given is None and all(package_of(task) == ROOT for task in known.needs)
        self._node_is_package = given is not None and not names_tasks
        self._repo_is_task = names_tasks or only_root
        self._without_script = known.without_script
        if given is not None:
            self._graph, self._order = given, given.topological_order()
            return
        edges = [(need, task) for task, needs in known.needs.items() for need in needs if need != task]
        try:
            self._graph = graph_of_edges(edges, list(known.needs))
            self._order = self._graph.topological_order()
        except DependencyCycle as cycle:
            raise ReadError(
                file, None, f"and the other files have tasks that wait for each other ({cycle}); give a graph"
            ) from None

    def node_of(self, task: str) -> str:
        """Give the repo of the graph that a task is."""
        return package_of(task) if self._node_is_package else task

    def repo_of(self, node: str) -> str:
        """Give what a repo of the graph is called in the rows."""
        return node if self._node_is_package or self._repo_is_task else package_of(node)

    def missing(self, run: RunFile) -> Iterator[tuple[str, list[str]]]:
        """Give what a run did not begin, and the failures that it waited for."""
        tasks: Collection[_TurboTask] = run.items.values()
        failed = {self.node_of(task.name) for task in tasks if task.meaning == "failed"}
        tried = {self.node_of(task.name) for task in tasks if task.meaning is not None}
        waiting = dict.fromkeys(self.node_of(task.name) for task in tasks if task.meaning is None and task.has_script)
        blockers = blockers_in(self._graph, self._order, failed, tried - failed)
        kinds = {_kind(name) for task in tasks for name in (task.name, *task.dependents)}
        packages = run.about.packages
        for node in (*waiting, *(node for node in self._order if failed and node not in waiting)):
            if node in tried:
                continue
            is_listed = node in waiting or (node if self._node_is_package else package_of(node)) in packages
            may_be = is_listed or not packages
            if node not in waiting and not self._node_is_package:
                may_be = may_be and _kind(node) in kinds and node not in self._without_script
            if may_be and (is_listed or node in blockers):
                yield node, blockers.get(node, [])


def _kind(task: str) -> str:
    return task.rpartition("#")[2]


# ---------------------------------------------------------------------- what comes of it


class _TurboPart(NamedTuple):
    """What became of a task, or of a repo of the graph that a run did not begin."""

    meaning: str
    task: _TurboTask | None = None
    blocked_by: tuple[str, ...] = ()


def _add(run: RunFile, blame: _TurboBlame, found: Recorded) -> None:
    repos: dict[str, list[_TurboPart]] = {}
    for task in run.items.values():
        if task.meaning is not None:
            repos.setdefault(blame.repo_of(blame.node_of(task.name)), []).append(_TurboPart(task.meaning, task))
    for node, blockers in blame.missing(run):
        repo = blame.repo_of(node)
        blocked_by = tuple(dict.fromkeys(map(blame.repo_of, blockers)))
        repos.setdefault(repo, []).append(_TurboPart("blocked" if blocked_by else "stopped", None, blocked_by))
        if repo not in run.items and node not in run.items:
            found.say("repos that a run does not tell of, and that were taken from who needs whom", repo)
    for repo, parts in repos.items():
        _add_repo(run.run_id, repo, parts, found)


def _add_repo(run_id: str, repo: str, parts: Sequence[_TurboPart], found: Recorded) -> None:
    """Add a repo by its worst part: it is out where all of it is."""
    if len(parts) > 1:
        found.say("packages with several tasks, of which the worst counts", repo)
    worst = min((part.meaning for part in parts), key=_WORST_FIRST.index)
    tasks = [part.task for part in parts if part.task is not None]
    found.add(
        run_id,
        repo,
        worst,
        started=min((task.started for task in tasks if task.started is not None), default=None),
        finished=max((task.finished for task in tasks if task.finished is not None), default=None),
        reason=next((task.reason for task in tasks if task.reason is not None), None),
        blocked_by=dict.fromkeys(name for part in parts for name in part.blocked_by),
        detail="cached" if worst == "succeeded" and all(task.is_cached for task in tasks) else None,
    )
