"""Jobs of CI: workflows of GitHub Actions and pipelines of GitLab, by what each job ``needs``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from seqkit.core.graph import Cycles, RepoDependencyGraph, check_cycles
from seqkit.core.kinds import Kinds, chosen_kinds
from seqkit.errors import ReadError
from seqkit.readers._documents import load_yaml
from seqkit.readers._files import Opened, PathLike, described, text_list, typed
from seqkit.readers._gathered import Gathered

__all__ = ["is_github_workflow", "is_gitlab_pipeline", "is_workflow", "read_workflow"]

_GITHUB = re.compile(r"""^["']?(?:on|true)["']?\s*:""", re.M)
_JOBS = re.compile(r"^jobs\s*:", re.M)
_STAGES = re.compile(r"^stages\s*:", re.M)
_WORK = re.compile(r"^\s+(?:script|trigger|extends)\s*:", re.M)

# Keys of a pipeline of GitLab that are no jobs.
_SETTINGS = frozenset(
    {"after_script", "before_script", "cache", "default", "image", "include", "services", "spec", "stages", "types"}
    | {"variables", "workflow", "<<"}
)
_OF_JOBS = frozenset(("extends", "needs", "run", "script", "stage", "trigger", "<<"))
_STAGES_BY_DEFAULT = ("build", "test", "deploy")
_DEEPEST = 20  # templates that extend templates


def is_workflow(file: Opened) -> bool:
    """Tell whether a file has the keys of a workflow or a pipeline."""
    return is_github_workflow(file) or is_gitlab_pipeline(file)


def is_github_workflow(file: Opened) -> bool:
    """Tell whether a file has the keys of a workflow of GitHub Actions."""
    return _JOBS.search(file.text) is not None and _GITHUB.search(file.text) is not None


def is_gitlab_pipeline(file: Opened) -> bool:
    """Tell whether a file is called as a pipeline of GitLab, or has its keys."""
    if _JOBS.search(file.text):
        return False
    named = "gitlab-ci" in file.__fspath__().replace("\\", "/").rpartition("/")[2]
    return named or (_STAGES.search(file.text) is not None and _WORK.search(file.text) is not None)


def read_workflow(path: PathLike, *, kinds: Kinds = None, cycles: Cycles = "error") -> RepoDependencyGraph:
    r"""Read a workflow of GitHub Actions or a pipeline of GitLab; every job is a repo.

    Jobs are called by their keys, and what GitHub shows stands in the attribute `title`, the stage in `stage`; `uses`
    is the workflow that a job calls, `may_fail` is true where its failure holds nobody back (``continue-on-error:
    true``). A job of a matrix is one. What other files add (``include``, workflows that are called) is not read, and
    said.

    Parameters
    ----------
    path : str or pathlib.Path
        A file of ``.github/workflows``, or a ``.gitlab-ci.yml``.
    kinds : str or collection of str, or None
        Which dependencies count: some of `seqkit.core.kinds.KINDS`, ``"all"``, or None for all but dev, test and
        extra. ``normal`` is what a job ``needs``; ``optional`` what GitLab's job needs where it is there;
        ``implicit`` what a job without ``needs`` waits for in GitLab: the jobs of the stages before its own.
    cycles : {"error", "merge", "keep"}
        As in :meth:`seqkit.RepoDependencyGraph.from_edges`.

    Raises
    ------
    ReadError
        Where the file is neither, or malformed.
    DependencyCycle
        With ``cycles="error"``, where there is one.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "ci.yml")
    ...     _ = file.write_text("on: push\njobs:\n  build:\n  test: {needs: build}\n  ship: {needs: [test]}\n")
    ...     read_workflow(file).topological_order()
    ['build', 'test', 'ship']
    """
    check_cycles(cycles)
    chosen_kinds(kinds)
    documents = [one for one in load_yaml(path) if isinstance(one, dict)]
    document = next((one for one in documents[::-1] if "spec" not in one), None)  # GitLab: a header, then the pipeline
    if document is None:
        raise ReadError(path, None, "holds no table, expected a workflow of GitHub Actions or a pipeline of GitLab")
    found = Gathered(path, "workflow")
    if "jobs" in document:
        _tell_github(path, typed(path, "jobs", document["jobs"], dict), found)
    else:
        _tell_gitlab(path, document, found)
    if not found.nodes:
        raise ReadError(path, None, "has no jobs, expected a workflow of GitHub Actions or a pipeline of GitLab")
    return found.to_graph(kinds, cycles)


def _tell_github(path: PathLike, jobs: dict[str, Any], found: Gathered) -> None:
    for name, job in jobs.items():
        table = _table(path, f"jobs.{name}", job)
        title, uses = table.get("name"), table.get("uses")
        found.package(
            name,
            title=title if isinstance(title, str) and title != name else None,
            uses=uses if isinstance(uses, str) else None,
            may_fail=True if table.get("continue-on-error") == "true" else None,
        )
        if "uses" in table:
            found.left_out("jobs of workflows that are called", name)
    for name, job in jobs.items():
        needs = _table(path, f"jobs.{name}", job).get("needs", [])
        where = f"jobs.{name}.needs"
        for other in [needs] * bool(needs) if isinstance(needs, str) else text_list(path, where, needs):
            _tell_need(found, name, other, "normal")


def _tell_need(found: Gathered, name: str, other: str, kind: str) -> None:
    if other in found.nodes:
        found.needs(name, other, kind)
    else:
        found.look_at("needs of jobs that are not in the file", f"{name} needs {other}")


def _table(path: PathLike, where: str, value: Any) -> dict[str, Any]:
    """Give a table; one without anything in it is empty text."""
    return {} if value == "" else dict(typed(path, where, value, dict))


# ---------------------------------------------------------------------- GitLab


def _tell_gitlab(path: PathLike, document: dict[str, Any], found: Gathered) -> None:
    told = document.get("stages", document.get("types", list(_STAGES_BY_DEFAULT)))
    stages = [".pre", *text_list(path, "stages", told), ".post"]
    if "include" in document:
        found.look_at("includes, which are not read: jobs of other files are missing", described(document["include"]))
    jobs = {
        name: value
        for name, value in document.items()
        if not name.startswith(".") and name not in _SETTINGS and isinstance(value, dict) and _OF_JOBS & value.keys()
    }
    by_stage: dict[str, list[str]] = {}
    needs: dict[str, Any] = {}
    for name in jobs:
        stage = _inherited(path, document, name, "stage") or "test"
        stage = typed(path, f"{name}.stage", stage, str)
        if stage not in stages:
            found.look_at("stages that are not listed", f"{name} is in {stage}")
        found.package(name, stage=stage)
        by_stage.setdefault(stage, []).append(name)
        needs[name] = _inherited(path, document, name, "needs")
    for name in jobs:
        if needs[name] is None:
            for other in _before(stages, by_stage, needs, found.nodes[name]["stage"]):
                found.needs(name, other, "implicit")
            continue
        for other, kind in _needed(path, name, needs[name], found):
            if kind == "optional" and other not in found.nodes:
                found.left_out("optional needs of jobs that are not in the file", f"{name} needs {other}")
            else:
                _tell_need(found, name, other, kind)


def _needed(path: PathLike, name: str, needs: Any, found: Gathered) -> Iterator[tuple[str, str]]:
    entries = needs.get("job", []) if isinstance(needs, dict) else needs
    for number, one in enumerate([entries] * bool(entries) if isinstance(entries, str) else _list(path, name, entries)):
        if isinstance(one, str):
            yield one, "normal"
            continue
        entry = typed(path, f"{name}.needs[{number}]", one, dict)
        job = entry.get("job")
        if job is None or "project" in entry or "pipeline" in entry:
            found.left_out("needs of other pipelines", f"{name}.needs[{number}]")
        else:
            kind = "optional" if entry.get("optional") in ("true", "yes", "on") else "normal"
            yield typed(path, f"{name}.needs[{number}].job", job, str), kind


def _list(path: PathLike, name: str, value: Any) -> list[Any]:
    return list(typed(path, f"{name}.needs", value, list))


def _before(stages: list[str], by_stage: dict[str, list[str]], needs: dict[str, Any], stage: str) -> Iterator[str]:
    """List the jobs that a stage waits for: those of the one before, and further up past those that need not wait."""
    if stage not in stages:
        return
    for earlier in reversed(stages[: stages.index(stage)]):
        yield from by_stage.get(earlier, ())
        if by_stage.get(earlier) and all(needs[name] is None for name in by_stage[earlier]):
            return


def _inherited(path: PathLike, document: dict[str, Any], name: str, key: str) -> Any:
    """Give what a job has under a key, by itself, by a merged anchor or by what it extends; None where nobody says."""
    level: list[tuple[str, Any]] = [(name, document.get(name))]
    seen = {name}
    for _ in range(_DEEPEST):
        above: list[tuple[str, Any]] = []
        for where, job in level:
            if not isinstance(job, dict):
                continue
            if key in job:
                return job[key]
            merged = job.get("<<", [])
            above += [(where, one) for one in (merged if isinstance(merged, list) else [merged])]
            extends = job.get("extends", [])
            names = [extends] if isinstance(extends, str) else text_list(path, f"{where}.extends", extends)
            # The last that a job extends counts most.
            for other in reversed(names):
                if other not in seen:
                    seen.add(other)
                    above.append((other, document.get(other)))
        level = above
    return None
