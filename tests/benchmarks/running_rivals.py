"""Other ways to release in the order of a graph, each written as well as a competent person would.

Every rival takes of each repo what it needs, prepares what it can, and gives a function that releases all of them
once. A release does nothing. One whose package is missing raises ImportError when it is prepared.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from graphlib import TopologicalSorter
from typing import Any

Needs = Mapping[str, Sequence[str]]
"""By repo, in topological order: the repos that it needs."""
Once = Callable[[], object]

LANES = 64


async def release(repo_id: str, version_label: str, spec_digest: str, promoted_by: str) -> str:
    """Release nothing."""
    return "x"


@contextlib.contextmanager
def bare_loop(needs: Needs) -> Iterator[Once]:
    """Let asyncio and graphlib do it, so many at once; nothing is recorded."""

    async def one(repo: str) -> str:
        await release(repo, "1.0", "", "")
        return repo

    async def all_of_them() -> None:
        sorter = TopologicalSorter(needs)
        sorter.prepare()
        ready, running = list(sorter.get_ready()), set[asyncio.Task[str]]()
        while sorter.is_active():
            while ready and len(running) < LANES:
                running.add(asyncio.create_task(one(ready.pop())))
            ended, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                sorter.done(task.result())
            ready.extend(sorter.get_ready())

    yield lambda: asyncio.run(all_of_them())


@contextlib.contextmanager
def prefect_flow(needs: Needs) -> Iterator[Once]:
    """Submit a task each to prefect, with a server of its own beside it, whose time does not count."""
    with tempfile.TemporaryDirectory() as home:
        quiet = dict.fromkeys(("PREFECT_LOGGING_LEVEL", "PREFECT_SERVER_LOGGING_LEVEL"), "CRITICAL")
        alone = {"PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1", "PREFECT_HOME": home}
        os.environ.update(quiet | alone)  # read when it is imported
        import prefect  # noqa: PLC0415  # each rival needs its own package only
        from prefect.testing.utilities import prefect_test_harness  # noqa: PLC0415

        task = prefect.task(lambda *_: "x", name="release")

        @prefect.flow
        def train() -> None:
            futures: dict[str, Any] = {}
            for repo, above in needs.items():
                futures[repo] = task.submit(repo, "1.0", "", "", wait_for=[futures[other] for other in above])
            for future in futures.values():
                future.wait()

        with prefect_test_harness(server_startup_timeout=600):  # seconds; half a minute is not always enough
            yield train


@contextlib.contextmanager
def dagster_job(needs: Needs) -> Iterator[Once]:
    """Make a job of dagster's with an op each, and execute it in this process; nothing is logged."""
    import dagster  # noqa: PLC0415

    def op_of(repo: str, above: Sequence[str]) -> Any:
        takes = {_named(other): dagster.In(dagster.Nothing) for other in above}
        return dagster.op(name=_named(repo), ins=takes, out=dagster.Out(dagster.Nothing))(lambda: None)

    def wired() -> None:
        made: dict[str, Any] = {}
        for repo, above in needs.items():
            made[repo] = op_of(repo, above)(**{_named(other): made[other] for other in above})

    job = dagster.graph(name="train")(wired).to_job()
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    yield lambda: job.execute_in_process(run_config=quiet)


def _named(repo: str) -> str:
    return repo.replace("-", "_")


@contextlib.contextmanager
def doit_tasks(needs: Needs) -> Iterator[Once]:
    """Run doit in this process, a task each; it keeps what it did in a database."""
    from doit.cmd_base import ModuleTaskLoader  # noqa: PLC0415
    from doit.doit_cmd import DoitMain  # noqa: PLC0415
    from doit.reporter import ZeroReporter  # noqa: PLC0415

    def task_release() -> Iterator[dict[str, Any]]:
        for repo, above in needs.items():
            yield {"name": repo, "actions": [(lambda: None,)], "task_dep": [f"release:{other}" for other in above]}

    with tempfile.TemporaryDirectory() as folder:
        config = {"reporter": ZeroReporter, "dep_file": os.path.join(folder, "doit.db")}
        tasks = {"task_release": task_release, "DOIT_CONFIG": config}
        yield lambda: DoitMain(ModuleTaskLoader(tasks)).run(["run"])


RIVALS: dict[str, tuple[Callable[[Needs], contextlib.AbstractContextManager[Once]], int, int]] = {
    "prefect": (prefect_flow, 100, 3),
    "dagster": (dagster_job, 200, 5),
    "doit": (doit_tasks, 1_000, 9),
}
"""How each is prepared, with how many repos, and how often it is timed: fewer where it is slow."""
