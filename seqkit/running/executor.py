"""Running a plan: the rules drive, a releaser releases, a ledger keeps the record."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping
from typing import Any

from pydantic_core import to_jsonable_python

from seqkit._util.arguments import whole
from seqkit._util.secrets import as_given
from seqkit.core.calendar import Calendar, as_dates, merged
from seqkit.core.draws import Seed, resolve_seed
from seqkit.core.durations import DurationsLike, as_durations
from seqkit.core.ids import checked_text
from seqkit.core.model import RunMetadata
from seqkit.core.outcome import SequenceOutcome
from seqkit.core.plan import SequencePlan, item_json
from seqkit.core.retry import Attempts, Retry, Waits, retry_of
from seqkit.core.rules import Rules
from seqkit.core.terms import Policy, Terms
from seqkit.core.times import seconds_of
from seqkit.core.unknown import check_durations
from seqkit.ledger import LedgerLike, MemoryRunLedger, as_ledger
from seqkit.ledger.digest import VERSION
from seqkit.ledger.given import Clock, RunClock, system_clock
from seqkit.running.asking import Asked, Check, as_releaser
from seqkit.running.attempt import Limits
from seqkit.running.beside import run_anywhere
from seqkit.running.clock import pace_of
from seqkit.running.execution import Execution
from seqkit.running.lanes import Options, Priority, priority_of, ranks_of
from seqkit.running.recording import Recording
from seqkit.running.rehearsing import printed
from seqkit.running.releasers import ReleaserLike
from seqkit.running.telling import OnEvent, checked_on_event
from seqkit.running.wrappers import check_releaser

__all__ = ["OnEvent", "execute_plan", "run_plan"]


async def execute_plan(
    plan: SequencePlan,
    releaser: ReleaserLike,
    ledger: LedgerLike | None = None,
    rng: Seed | None = None,
    trial: int = 0,
    record_skips: bool = True,
    policy: Policy = "skip_dependents",
    failure_budget: int | None = None,
    attempts: Attempts = 1,
    retry_delay: float = 0.0,
    max_parallel: int | None = 1,
    priority: Priority | None = None,
    durations: DurationsLike | None = None,
    min_interval: float = 0.0,
    calendar: Calendar = (),
    timeout: float | None = None,
    grace: float = 10.0,
    check: Check | None = None,
    check_wait: float = 10.0,
    tags: Mapping[str, Any] | None = None,
    on_event: OnEvent | None = None,
    clock: Clock | None = None,
) -> SequenceOutcome:
    """Run a plan: release each repo after what it needs, and record every step.

    Parameters
    ----------
    plan : SequencePlan
        What to run.
    releaser : RepoReleaser, function, float, mapping or FailureModel
        Who releases. A failure rate or model means a :class:`seqkit.SimulatedReleaser`. The id that it returns and
        the reason of a failure are recorded as plain text: half characters as their escapes, and cut after 1,000,000
        characters, which the text then says.
    ledger : RunLedger, path or URL, optional
        Where the run is kept; a new :class:`seqkit.MemoryRunLedger` where None.
    rng, trial
        The seed of whatever is drawn, the failures of a model and the jitter of retries, and which of its trials to
        follow. The run's tag ``seed`` tells it.
    record_skips : bool
        Whether skipped repos get a ``NodeSkipped`` event; ``aivcs-core`` writes none.
    policy : {"skip_dependents", "stop", "continue"}
        After a failure: skip what depends on it, start nothing new, or go on regardless.
    failure_budget : int, optional
        At the n-th failure the policy turns to ``"stop"``.
    attempts : int or Retry
        How often a repo is tried before it counts as failed; a :class:`seqkit.Retry` also says after which errors, and
        how long to wait before the next attempt.
    retry_delay : float
        Seconds to wait before the next attempt at a repo; short for ``Retry(delay=…)``.
    max_parallel : int, optional
        How many releases may be under way at once, the *lanes*; None for no limit. A repo that waits to be tried
        again holds no lane, but where there is only one. More lanes can make a train longer: what goes first matters.
    priority : {"plan", "most_blocked", "longest_path"} or mapping, optional
        Who starts first of those that may: as planned, who has most repos to release below it, who has the longest
        path of releases ahead, or by number, the higher first. None is plan order at one lane, which never changes
        what is recorded, and the longest path at more.
    durations : float, timedelta, mapping, Series or DurationModel, optional
        How long releases take, for ``"longest_path"``, of a model on average; where it is not given each counts the
        same.
    min_interval : float
        Seconds between the starts of two attempts.
    calendar : Freeze or iterable of Freeze
        Windows of dates in which nothing starts, by the run's clock: what is due waits, and what runs goes on. See
        :class:`seqkit.Freeze`.
    timeout : float or timedelta, optional
        Seconds for one attempt. Then it is asked to stop (cancelled), and has failed; where it had got through all the
        same, its id counts. What goes on regardless keeps its lane, which ``still_running: true`` in its event says,
        and is not tried again before it has ended. A plain function runs in a thread, which cannot be stopped. The last
        attempt that timed out leaves its repo in doubt, but where a `check` tells.
    grace : float or timedelta
        Seconds that what is under way has to stop once it is asked to: where it timed out, or where the run breaks off.
        What comes of it in that time is recorded. After 9/10 of it, it is asked once more.
    check : function, optional
        "It failed, but is it out?": asked ``(repo_id, version_label)``, async or not, once an attempt that failed or
        timed out has ended; by default the releaser's method of that name, where it has one. It gives the id that the
        repo is out as, or None where it is not, or raises where it cannot tell: then the repo has failed, *in doubt*,
        and is not tried again.
    check_wait : float or timedelta
        Seconds after which None is believed, where it is still the answer: registries lag. It is asked again after
        1/7, 3/7 and all of that, with 0 never. Each question may take `timeout`.
    tags : mapping, optional
        More to write into the run's tags, such as ``train``, ``resumes``, ``due``.
    on_event : callable, optional
        Called with a copy of each event once it is durable. A plain function: nobody awaits what it returns.
    clock : callable, optional
        Tells the time as an aware datetime; the system's by default. A :class:`seqkit.VirtualClock` also waits, and
        jumps. It is asked once before the run begins. Where it fails later, what happened is recorded with the time
        it told last, and the run ends as FAILED.

    Returns
    -------
    SequenceOutcome
        What the run came to; also where releases failed.

    Raises
    ------
    StorageError
        Where the ledger failed. Its `events` are those that could not be written, its `outcome` is what
        had happened by then.
    ValueError
        Where an argument is out of its range; where `plan` resumes a run and this ledger has another run already
        that did, and released one of its repos; where a failure rate, model or script names only repos that the plan
        does not have, and nothing could fail.
    TypeError
        Where the releaser returned something that is no str; the run is FAILED, and the repo in doubt.
    asyncio.CancelledError
        Where the task that awaits this is cancelled. The first ``cancel()`` asks what is under way to stop and gives it
        its `grace`, the second asks at once. The run is CANCELLED, and all that is known is recorded.
    RuntimeError
        Where no asyncio event loop is running, as under trio: use :func:`seqkit.run_plan` there.
    BaseException
        What came from outside the releaser ends the run as FAILED, a cancellation or KeyboardInterrupt as
        CANCELLED; both are raised again.

    Warns
    -----
    UnknownRepo
        Where `releaser`, `priority` or `durations` name a repo that looks like a slip: see
        :class:`seqkit.FailureModel`.

    Examples
    --------
    >>> import asyncio
    >>> from seqkit import RepoDependencyGraph, ScriptedReleaser, build_plan
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs")]), version="1.0")
    >>> asyncio.run(execute_plan(plan, ScriptedReleaser({"api": "tests are red"})))
    SequenceOutcome(2 succeeded, 1 failed)
    """
    _require_a_loop()
    run, metadata = _prepared(
        plan,
        releaser,
        ledger,
        rng,
        trial,
        record_skips,
        Terms(policy, failure_budget, attempts),  # type: ignore[arg-type]  # of a Retry it keeps the number
        retry_of(attempts, retry_delay),
        _options(plan, max_parallel, priority, durations, min_interval, calendar, _limits(timeout, grace, check_wait)),
        check,
        tags,
        on_event,
        clock,
    )
    return await run.execute(metadata)


def _require_a_loop() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        raise RuntimeError(
            "execute_plan needs a running asyncio event loop, and there is none: under trio or another framework, or "
            "without any, call run_plan (in a thread of its own, where it must not block); else asyncio.run(…)"
        ) from None


def _prepared(
    plan: SequencePlan,
    releaser: ReleaserLike,
    ledger: LedgerLike | None,
    rng: Seed | None,
    trial: int,
    record_skips: bool,
    terms: Terms,
    retry: Retry,
    options: tuple[Options, dict[str, Any]],
    check: Check | None,
    tags: Mapping[str, Any] | None,
    on_event: OnEvent | None,
    clock: Clock | None,
) -> tuple[Execution, RunMetadata]:
    """Read and check the arguments; in the thread of the caller, whose line a warning should name."""
    asked = as_releaser(releaser, rng, trial, check)
    check_releaser(plan, releaser)
    seed = _seed(asked, rng, retry)
    on_event = checked_on_event(on_event)
    rules = Rules(plan, terms)
    told = options[1] | ({"retry": delays} if (delays := retry.to_tag()) else {})
    metadata = _metadata(rules, record_skips, tags, told, seed)
    if not isinstance(ledger, str | os.PathLike | None):
        ledger = as_ledger(ledger)
    if clock is not None:
        clock = RunClock(clock, ledger)
    recording = Recording(
        rules,
        MemoryRunLedger(clock=clock) if ledger is None else ledger,
        record_skips,
        on_event,
        clock or system_clock,
    )
    waits = Waits(retry, seed or 0, int(trial) if asked.trial is None else asked.trial)
    return Execution(recording, asked, waits, pace_of(clock), options[0], seed), metadata


def _seed(asked: Asked, rng: Seed | None, retry: Retry) -> int | None:
    """Say where whatever is drawn in a run comes from; None where nothing is."""
    if asked.seed is None:
        return None if rng is None and not retry.jitter else resolve_seed(rng)
    if rng is not None and not asked.drawn and resolve_seed(rng) != asked.seed:
        raise ValueError(
            f"rng is {as_given(rng, 200)}, and the releaser has the seed {asked.seed} of its own: leave rng out"
        )
    return asked.seed


def _limits(timeout: Any, grace: Any, check_wait: Any) -> Limits:
    """Read how long an attempt may take."""
    most = None if timeout is None else seconds_of(timeout, "timeout")
    if most == 0:
        raise ValueError("timeout is 0, which no release keeps: expected seconds above 0, or None for no limit")
    return Limits(most, seconds_of(grace, "grace"), seconds_of(check_wait, "check_wait"))


def _options(
    plan: SequencePlan,
    max_parallel: Any,
    priority: Any,
    durations: DurationsLike | None,
    min_interval: Any,
    calendar: Any,
    limits: Limits,
) -> tuple[Options, dict[str, Any]]:
    """Read what says how many releases are under way at once; also give what the plan tag says of it."""
    if not isinstance(plan, SequencePlan):
        raise TypeError(f"plan is {as_given(plan)}, expected a SequencePlan (build_plan makes one)")
    lanes = None if max_parallel is None else whole("max_parallel", max_parallel, 1)
    first = priority_of(priority, lanes, plan)
    seconds = None if durations is None else check_durations(plan, as_durations(durations))
    interval = seconds_of(min_interval, "min_interval")
    freezes = as_dates(calendar)
    told: dict[str, Any] = {}
    if lanes != 1:
        told["max_parallel"] = lanes
    if priority is not None:
        told["priority"] = dict(priority) if isinstance(priority, Mapping) else priority
    if interval:
        told["min_interval"] = interval
    if freezes:
        told["calendar"] = [each.to_tag() for each in freezes]
    usual = Limits()
    for name in ("timeout", "grace", "check_wait"):
        if getattr(limits, name) != getattr(usual, name):
            told[name] = getattr(limits, name)
    return Options(lanes, ranks_of(first, plan.arrays, seconds), interval, limits, merged(freezes)), told


def _metadata(
    rules: Rules,
    record_skips: bool,
    tags: Mapping[str, Any] | None,
    told: Mapping[str, Any],
    seed: int | None,
) -> RunMetadata:
    plan = rules.plan
    if tags is not None and not isinstance(tags, Mapping):
        raise TypeError(f"tags is {as_given(tags)}, expected a mapping from names to JSON")
    more = dict(plan.run_tags) | _json(dict(tags or {}))
    for name in ("resumes", "taken_as_released"):
        if name in plan.run_tags and more[name] != plan.run_tags[name]:
            own = plan.run_tags[name]
            raise ValueError(
                f"tags has {name}={more[name]!r:.80}, expected {own!r:.80}, as the plan says: leave it out"
            )
    for taken in ("plan_id", "plan"):
        if taken in more:
            raise ValueError(f"tags has {taken!r}, which seqkit writes itself; choose another name")
    if seed is not None and more.setdefault("seed", seed) != seed:
        raise ValueError(f"tags has seed={more['seed']!r:.80}, and the run writes its own there, {seed}: leave it out")
    own = {
        "originating_run_id": plan.originating_run_id,
        **rules.terms.to_tag(),
        "record_skips": record_skips,
        "items": [item_json(item) for item in plan.items],
        "edges": [list(edge) for edge in plan.edges],
        "digest": VERSION,
        **told,
    }
    return RunMetadata(tags={"plan_id": plan.plan_id, "plan": own, **more})


def _json(tags: dict[str, Any]) -> dict[str, Any]:
    """Give a copy of tags as any ledger can hold them, which nobody else can change while the run goes on."""
    try:
        text = json.dumps(tags, allow_nan=False, ensure_ascii=False, default=to_jsonable_python)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"tags is {as_given(tags)}, expected what JSON can hold: {error!s:.120}") from None
    made: dict[str, Any] = json.loads(checked_text(text, "tags"))
    return made


def run_plan(
    plan: SequencePlan,
    releaser: ReleaserLike,
    ledger: LedgerLike | None = None,
    rng: Seed | None = None,
    trial: int = 0,
    record_skips: bool = True,
    policy: Policy = "skip_dependents",
    failure_budget: int | None = None,
    attempts: Attempts = 1,
    retry_delay: float = 0.0,
    max_parallel: int | None = 1,
    priority: Priority | None = None,
    durations: DurationsLike | None = None,
    min_interval: float = 0.0,
    calendar: Calendar = (),
    timeout: float | None = None,
    grace: float = 10.0,
    check: Check | None = None,
    check_wait: float = 10.0,
    tags: Mapping[str, Any] | None = None,
    on_event: OnEvent | None = None,
    clock: Clock | None = None,
    dry_run: bool = False,
) -> SequenceOutcome:
    """Run a plan and wait for it: :func:`execute_plan` for code that is not async.

    Works in a notebook too, where an event loop is running already. Where no thread can start either (a browser's
    Python) a run there goes as long as it waits for nothing, and RuntimeError says "use await execute_plan(…)" else.

    Ctrl-C (SIGINT) and SIGTERM end the run as CANCELLED: the first asks what is under way to stop and gives it its
    `grace`, the second asks at once. Once all that is known is recorded KeyboardInterrupt is raised, after a SIGTERM
    SystemExit with 143. Handlers of your own are left alone, and in other threads than the main one no signal arrives.

    With ``dry_run=True`` nothing runs and nothing is recorded: what would run is printed, in plan order, as if nothing
    failed, and the outcome has every repo pending.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, build_plan
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs")]), version="1.0")
    >>> run_plan(plan, {"core": 1.0}, rng=7)
    SequenceOutcome(0 succeeded, 1 failed, 2 blocked)
    """
    run, metadata = _prepared(
        plan,
        releaser,
        ledger,
        rng,
        trial,
        record_skips,
        Terms(policy, failure_budget, attempts),  # type: ignore[arg-type]  # of a Retry it keeps the number
        retry_of(attempts, retry_delay),
        _options(plan, max_parallel, priority, durations, min_interval, calendar, _limits(timeout, grace, check_wait)),
        check,
        tags,
        on_event,
        clock,
    )
    if dry_run:
        return printed(plan, releaser)
    return run_anywhere(lambda: run.execute(metadata))
