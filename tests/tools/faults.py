"""Releases that go wrong in every way, what is really out of them, and a loop whose turns are counted.

Nothing here reads a ledger by the library's own reading: what a ledger claims is held against what really happened.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import selectors
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from seqkit import (
    RepoDependencyGraph,
    RunEvent,
    RunLedger,
    RunStatus,
    SequenceOutcome,
    SequencePlan,
    audit,
    build_plan,
    items_frame,
    resume_plan,
    run_plan,
)
from seqkit.explore.live import LiveRun
from seqkit.ledger.story import read_story
from seqkit.running.clock import sleep, sleep_for_ever
from seqkit.running.context import under_way

# ---------------------------------------------------------------------- what goes wrong


class Manner(NamedTuple):
    """How one attempt goes."""

    how: str = "ok"
    before: float = 0.0
    """Seconds until it is out, or would be."""
    after: float = 0.0
    """Seconds from there until it answers."""


HONEST = ("ok", "fails", "hangs", "cleans up", "fails when asked", "out when asked", "cancels itself", "is cancelled")
"""Where these raise without being asked to stop, the repo is not out."""
DEAF = ("deaf", "deaf fails", "deaf for ever")
"""These go on though they are asked to stop."""
LOST = ("lost", "hangs out", "deaf lost")
"""These may be out, and do not say so."""
BREAKING = ("rubbish", "nothing", "raises a base exception", "exits", "interrupts")
"""These end the run."""


class Base(BaseException):
    """No Exception: it ends a run."""


class Registry:
    """Releases for real, in the manner that it is told to, and knows what is out.

    Parameters
    ----------
    manners : mapping
        By repo: how its attempts go, the first, the second, …; what is not named is ``Manner()``.
    answers : str
        What the check says: "truth", "lags" (the truth of two seconds ago), "unknown" (it raises), "rubbish", "hangs",
        "deaf" (it hangs, and does not stop).
    begins : callable
        Called with the repo when its release is called.
    """

    def __init__(
        self,
        manners: Mapping[str, Sequence[Manner]] | None = None,
        answers: str = "truth",
        begins: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.manners, self.answers, self.begins = manners or {}, answers, begins
        self.out = Counter[str]()
        self.out_at: dict[str, float] = {}
        self.calls: list[tuple[str, int]] = []
        self.last_is_out: dict[str, bool] = {}  # whether the last attempt at a repo released it
        self.lost: set[str] = set()  # those whose answers were
        self.held: list[object] = []  # what holds a lane now
        self.most = 0
        self.asked = Counter[str]()

    @contextlib.contextmanager
    def _holding(self, what: object) -> Iterator[None]:
        self.held.append(what)
        self.most = max(self.most, len(self.held))
        try:
            yield
        finally:
            self.held.remove(what)

    def publish(self, repo: str) -> str:
        """Release it."""
        self.out[repo] += 1
        self.last_is_out[repo] = True
        mine = under_way()
        self.out_at[repo] = 0.0 if mine is None else mine.pace.now()
        return f"run-{repo}"

    async def plainly(self, repo: str, version: str, digest: str, by: str) -> str:
        """Release it, and let nothing go wrong."""
        return self.publish(repo)

    async def release(self, repo: str, version: str, digest: str, by: str, attempt: int = 1) -> Any:
        """Release it in its manner."""
        with self._holding((repo, attempt)):
            self.begins(repo)
            self.calls.append((repo, attempt))
            self.last_is_out[repo] = False
            return await self._released(repo, dict(enumerate(self.manners.get(repo, ()), 1)).get(attempt, Manner()))

    async def _released(self, repo: str, manner: Manner) -> Any:
        how, before, after = manner
        pause = self._deaf_sleep if how.startswith("deaf") else sleep
        try:
            await pause(before)
            await self._goes_wrong(repo, how)
        except asyncio.CancelledError:
            self.asked[repo] += 1
            if how == "fails when asked":
                raise OSError("cut off") from None
            if how == "cleans up":
                await sleep(1)
            if how != "out when asked":
                raise
        made = self.publish(repo)
        if how == "hangs out":
            await sleep_for_ever()
        await pause(after)
        if how in LOST:
            self.lost.add(repo)
            raise ConnectionError("the answer was lost")
        return {"rubbish": 7, "nothing": None}.get(how, made)

    async def _goes_wrong(self, repo: str, how: str) -> None:
        """Do what keeps it from being released, where anything does."""
        match how:
            case "hangs" | "out when asked" | "fails when asked" | "cleans up":
                await sleep_for_ever()
            case "deaf for ever":
                await self._deaf_sleep(1e6)
            case "fails" | "deaf fails":
                raise RuntimeError(f"{repo} failed")
            case "cancels itself":
                raise asyncio.CancelledError
            case "is cancelled":
                asyncio.current_task().cancel()  # type: ignore[union-attr]  # it is one
                await sleep(1)
            case "raises a base exception":
                raise Base("base")
            case "exits":
                raise SystemExit(3)
            case "interrupts":
                raise KeyboardInterrupt

    async def _deaf_sleep(self, seconds: float) -> None:
        pace = under_way().pace  # type: ignore[union-attr]  # it is part of a run
        until = pace.now() + seconds
        while (left := until - pace.now()) > 0:
            with contextlib.suppress(asyncio.CancelledError):
                await sleep(left)

    async def check(self, repo: str, version: str) -> Any:
        """Say whether it is out, as it is told to."""
        with self._holding(("check", repo)):
            await sleep(0.25)
            match self.answers:
                case "unknown":
                    raise OSError("no network")
                case "rubbish":
                    return 7
                case "hangs":
                    await sleep_for_ever()
                case "deaf":
                    await self._deaf_sleep(1e6)
            if self.answers == "lags" and self.out_at.get(repo, 0.0) > under_way().pace.now() - 2:  # type: ignore[union-attr]
                return None
            return self.is_out(repo)

    def is_out(self, repo: str, version: str = "") -> str | None:
        """Say the truth."""
        return f"run-{repo}" if self.out[repo] else None


# ---------------------------------------------------------------------- what a ledger claims, and what is true


def claims(events: Sequence[RunEvent]) -> dict[str, str]:
    """Say what a ledger claims of each repo that it has entered: open, out, not out, or doubt."""
    claimed: dict[str, str] = {}
    for event in events:
        repo, payload = event.payload["node_id"], event.payload
        if event.kind in ("NodeEntered", "NodeRetrying"):
            claimed[repo] = "open"
        elif event.kind == "NodeExited" or (event.kind == "NodeLate" and "run_id" in payload):
            claimed[repo] = "out"
        elif event.kind in ("NodeFailed", "NodeLate"):
            claimed[repo] = "doubt" if payload.get("in_doubt") else "not out"
    return claimed


def is_true(events: Sequence[RunEvent], registry: Registry, once: bool) -> None:
    """Hold what a ledger claims against what happened.

    What was never entered was never called. What it calls out is out; what it calls failed, and not in doubt, is not:
    none of its attempts where a check tells (`once`), else not the last one, but where its answer was lost. With a
    check that tells, nothing is out twice.
    """
    claimed = claims(events)
    assert {repo for repo, _ in registry.calls} <= set(claimed), "nothing was called before its entry was written"
    for repo, claim in claimed.items():
        if claim == "out":
            assert registry.out[repo], f"{repo} is called out, and is not"
        if claim == "not out" and once:
            assert not registry.out[repo], f"{repo} is called failed, and is out"
        elif claim == "not out" and repo not in registry.lost:
            assert not registry.last_is_out.get(repo), f"{repo} is called failed, and its last attempt released it"
    if once:
        assert max(registry.out.values(), default=0) <= 1, registry.out


def one_reading(ledger: RunLedger, run_id: str, outcome: SequenceOutcome | None, live: LiveRun | None = None) -> None:
    """Hold all that read a run against each other: outcome, story, frame, live view, and what is left to resume."""
    events = ledger.get_events(run_id)
    story = read_story(ledger, run_id)
    words = [told.word for told in story.items()]
    frame = items_frame(ledger, run_id)
    seen = [
        "in_doubt" if doubt and status == "failed" else status if status != "skipped" else cause
        for status, cause, doubt in zip(
            frame["status"].astype(str), frame["skip_cause"].astype(str), frame["in_doubt"].fillna(False), strict=True
        )
    ]
    assert seen == words
    if outcome is not None:
        assert outcome.words() == words
        assert outcome.to_frame()["in_doubt"].tolist() == frame["in_doubt"].tolist()
        assert outcome.to_frame()["attempts"].tolist() == frame["attempts"].tolist()
        own = story.outcome(run_id=run_id, ledger=ledger)
        assert own.statuses == outcome.statuses
        assert (own.in_doubt, own.still_running, own.late) == (outcome.in_doubt, outcome.still_running, outcome.late)
    if live is None:
        live = LiveRun(story.plan)  # type: ignore[arg-type]  # the run has one
        for event in events:
            live(event)
    assert list(live.words.values()) == words
    out = {repo for repo, claim in claims(events).items() if claim == "out"}
    rest = resume_plan(ledger, run_id, in_doubt="retry")
    assert set(rest.released) == set(story.plan.released) - out  # type: ignore[union-attr]  # the run has one
    doubtful = {repo for repo, claim in claims(events).items() if claim in ("open", "doubt")}
    assert set(rest.in_doubt) == doubtful


def sound(ledger: RunLedger, *besides: str) -> str:
    """Give the one run of a ledger, of which the audit tells the doubts and nothing else but by checks `besides`."""
    [run] = ledger.list_runs()
    report = audit(ledger)
    assert report.ok, report.findings.to_string()
    warned = [row for row in report.finding_rows if row.severity == "warning"]
    assert {row.check for row in warned} <= {"entries", "doubts", *besides}, report.findings.to_string()
    doubtful = {repo for repo, claim in claims(ledger.get_events(run.run_id)).items() if claim in ("open", "doubt")}
    assert {row.repo_id for row in warned if row.check in ("entries", "doubts")} == doubtful
    return run.run_id


def goes_on(ledger: RunLedger, run_id: str, registry: Registry) -> None:
    """Resume a run by asking what is out, and hold that everything is then out, and once."""
    rest = resume_plan(ledger, run_id, in_doubt="check", check=registry.is_out, check_wait=0.0)
    if rest.released:
        assert run_plan(rest, registry.plainly, ledger).overall_success
    story = read_story(ledger, run_id)
    assert registry.out == dict.fromkeys(story.plan.released, 1), registry.out  # type: ignore[union-attr]
    assert audit(ledger).ok, audit(ledger).findings.to_string()
    assert not [run for run in ledger.list_runs() if run.status is RunStatus.RUNNING]


def plan_of(*edges: str, nodes: str = "") -> SequencePlan:
    """Plan repos of one letter, each edge two of them."""
    return build_plan(RepoDependencyGraph.from_edges([(e[0], e[1]) for e in edges], nodes=list(nodes)), version="1")


# ---------------------------------------------------------------------- a loop that counts


class _Jumping(selectors.DefaultSelector):
    """Lets time pass instead of waiting for it; what threads do takes real time."""

    passed = 0.0

    def select(self, timeout: float | None = None) -> Any:
        """Wait for nothing but threads."""
        found = super().select(60.0 if timeout is None else 0.002 if timeout and threading.active_count() > 1 else 0.0)
        assert found or timeout is not None, "nobody will ever wake this loop up"
        if not found and timeout:
            self.passed += timeout
        return found


class CountingLoop(asyncio.SelectorEventLoop):
    """An event loop that counts its turns, and does something at some of them. Its time jumps."""

    def __init__(self) -> None:
        self.jumping = _Jumping()
        super().__init__(self.jumping)
        self.turn = 0
        self.acts: dict[int, Callable[[], object]] = {}

    def time(self) -> float:
        """Tell the seconds that have passed."""
        return self.jumping.passed

    def _run_once(self) -> None:
        if (act := self.acts.pop(self.turn, None)) is not None:
            act()
        self.turn += 1
        super()._run_once()  # type: ignore[misc]  # it is private


def open_files(folder: Path) -> list[str]:
    """List the files of a folder that this process has open."""
    found = []
    for descriptor in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            found.append(os.readlink(f"/proc/self/fd/{descriptor}"))
    return [name for name in found if name.startswith(str(folder))]
