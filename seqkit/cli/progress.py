"""What runs now, since when, and how much is left: a bar where there is a terminal, else a line for each event."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from seqkit._util.words import printable
from seqkit.core.model import RunEvent
from seqkit.core.plan import SequencePlan
from seqkit.explore.live import LiveRun

__all__ = ["watching"]


@contextlib.contextmanager
def watching(plan: SequencePlan) -> Iterator[Callable[[RunEvent], None]]:
    """Give what to call with each event of a run; it writes to stderr."""
    live = LiveRun(plan)
    if not sys.stderr.isatty():

        def line(event: RunEvent) -> None:
            live(event)
            if event.kind != "NodeProcess":  # that is for whoever finds the run broken off
                said = f"{event.timestamp:%H:%M:%S} UTC {live.last} ({live.n_released - live.n_ended} left)"
                print(printable(said), file=sys.stderr, flush=True)

        yield line
        return
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}", markup=False))
    # Without a thread of its own, which could write after the run has ended.
    with Progress(*columns, console=Console(stderr=True), auto_refresh=False, transient=True) as bar:
        task = bar.add_task("nothing has started yet", total=live.n_released)

        def drawn(event: RunEvent) -> None:
            live(event)
            bar.update(task, completed=live.n_ended, description=printable(live.now() or live.last), refresh=True)

        yield drawn
