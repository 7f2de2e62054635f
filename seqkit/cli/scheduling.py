"""``schedule``: when a release will be done."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Annotated, Any

import pandas as pd
import typer
from rich.console import Console
from rich.text import Text

from seqkit.analysis.schedule.moments import LEVELS, time_text, when
from seqkit.analysis.schedule.posing import SCHEDULE_PRIORITIES
from seqkit.analysis.schedule.scheduling import schedule as run
from seqkit.cli import options
from seqkit.cli.printing import chance, console, named, show
from seqkit.cli.source import SOURCE_HELP, Source, read_source
from seqkit.core.durations import DurationModel
from seqkit.core.times import seconds_of

__all__ = ["schedule"]


def schedule(
    source: Annotated[str, typer.Argument(metavar="DATASET_OR_FILE", help=SOURCE_HELP)],
    duration: Annotated[float, typer.Option(metavar="S", help="Seconds that a release takes: the median.")],
    own_duration: Annotated[
        list[str] | None, typer.Option(metavar="REPO=S", help="The median of one repo; repeatable.")
    ] = None,
    spread: Annotated[
        float, typer.Option(metavar="X", help="Standard deviation of the logarithm of a duration; 0 for none.")
    ] = 0.0,
    parallel: Annotated[int, typer.Option(metavar="N", help="So many releases at once; 0 for no limit.")] = 1,
    priority: Annotated[
        str | None, typer.Option(metavar="NAME", help=f"Who goes first: {', '.join(SCHEDULE_PRIORITIES)}.")
    ] = None,
    failure_rate: Annotated[float, typer.Option(metavar="P", help="How likely each attempt fails.")] = 0.0,
    rate: Annotated[
        list[str] | None, typer.Option(metavar="REPO=P", help="A rate of its own for one repo; repeatable.")
    ] = None,
    attempts: Annotated[int, typer.Option(metavar="N", help="How often a repo is tried.")] = 1,
    policy: Annotated[str, typer.Option(metavar="NAME", help=options.POLICY_HELP)] = "skip_dependents",
    failure_budget: Annotated[int | None, typer.Option(metavar="N", help=options.BUDGET_HELP)] = None,
    min_interval: Annotated[float, typer.Option(metavar="S", help="Seconds between two starts.")] = 0.0,
    start: Annotated[
        str | None, typer.Option(metavar="DATE", help="When it starts, such as 2026-12-24T09:00Z: tell dates.")
    ] = None,
    freeze: Annotated[
        list[str] | None,
        typer.Option(
            metavar="START/END", help="In between nothing starts: dates, or seconds from the start; repeatable."
        ),
    ] = None,
    lead: Annotated[float, typer.Option(metavar="S", help=options.LEAD_HELP)] = 0.0,
    deadline: Annotated[
        float | None, typer.Option(metavar="S", help="How likely is everything released within so many seconds?")
    ] = None,
    trials: Annotated[int, typer.Option(metavar="N", help="How many trains.")] = 10_000,
    rng: Annotated[int | None, typer.Option(metavar="N", help="Seed: the same one gives the same numbers.")] = None,
    top: Annotated[int, typer.Option(metavar="N", help="How many repos to list; 0 for none.")] = 10,
    merge_cycles: Annotated[bool, typer.Option("--merge-cycles", help="Release each cycle as one unit.")] = False,
) -> None:
    """Say when a release will be done: in lanes, with durations and failures drawn."""
    terms = options.terms(policy, failure_budget, attempts)
    for option, value, least in (("--parallel", parallel, 0), ("--trials", trials, 1), ("--top", top, 0)):
        options.whole(option, value, least)
    if rng is not None:
        options.whole("--rng", rng, 0)
    if priority is not None:
        options.one_of("--priority", priority, SCHEDULE_PRIORITIES)
    seconds_of(min_interval, "--min-interval")
    if deadline is not None:
        seconds_of(deadline, "--deadline")
    begins = None if start is None else options.moment("--start", start)
    calendar = options.freezes(freeze or (), lead)
    if begins is None and any(each.dated for each in calendar):
        raise ValueError("--freeze has dates, and there is no --start: expected one, or seconds from the start")
    read = read_source(source, merge_cycles)
    told = run(
        read.plan,
        _durations(read, duration, own_duration or (), spread),
        max_parallel=parallel or None,
        model=options.failure_model(read, failure_rate, rate or (), ()),
        **terms.to_tag(),
        priority=priority,  # type: ignore[arg-type]  # checked above
        min_interval=min_interval,
        start=begins,
        calendar=calendar,
        trials=trials,
        rng=secrets.randbits(32) if rng is None else rng,  # short enough to be typed again
    )
    _print(console(), read, told, deadline, top)


def _durations(read: Source, duration: float, own: Any, spread: float) -> DurationModel:
    medians = dict.fromkeys(read.plan.released, seconds_of(duration, "--duration"))
    for text in own:
        repo, equals, seconds = text.rpartition("=")  # a name may hold = too
        try:
            value = float(seconds)
        except ValueError:
            value = -1.0
        if not equals or value < 0:
            raise ValueError(f"--own-duration is {text!r}, expected REPO=S, such as core=600")
        medians[read.released("--own-duration", repo)] = seconds_of(value, "--own-duration")
    try:
        return DurationModel(medians, spread)
    except ValueError as error:
        raise ValueError(f"--spread is {spread:g}: {error}") from None


def _print(to: Console, read: Source, told: Any, deadline: float | None, top: int) -> None:
    to.print(Text(str(read)))
    to.print(Text(f"{told.trials:,} trains, seed {told.seed}. Everything is released with {_share(told.p_complete)}."))
    rows = [("mean", *_both(told, told.mean))]
    rows += [
        (f"{level:.0%} of the trains by", *_both(told, lambda complete, level=level: told.quantile(level, complete)))
        for level in LEVELS
    ]
    show(to, "WHEN IT ENDS", ("", "whatever comes of it", "everything released"), rows)
    planned, best = _told(told.plan_date), _told(told.lower_bound)
    to.print(
        Text(
            f"\nIf nothing fails and each takes its mean: {planned}, which is met with {_share(told.p_plan_date)}. "
            f"At the means no order is done before {best}: this one takes at most {told.gap:.1%} longer."
        )
    )
    if deadline is not None:
        by = told.p_done_by(deadline)
        to.print(Text(f"Everything is released within {_told(timedelta(seconds=deadline))} with {_share(by)}."))
    if told.calendar:
        _print_freezes(to, told)
    if top:
        frame = told.to_frame().sort_values("criticality", ascending=False, kind="stable").head(top)
        shown = [
            (
                named(str(repo)),
                f"{row['criticality']:.1%}",
                _told(row["start_p50"]),
                _told(row["finish_p50"]),
                _told(row["finish_p90"]),
                f"{row['p_released']:.1%}",
            )
            for repo, row in zip(frame.index, frame.to_dict("records"), strict=True)
        ]
        columns = ("repo", "critical", "starts (P50)", "ends (P50)", "ends (P90)", "released")
        show(to, "ON WHOM THE END HANGS", columns, shown, columns[1:])


def _print_freezes(to: Console, told: Any) -> None:
    frame = told.freezes()
    rows = [
        (
            when(row["start"]),
            when(row["end"]),
            f"{row['p_done']:.1%}",
            f"{row['p_under_way']:.1%}",
            f"{row['released']:.1f}",
            _last_start(told, at),
        )
        for at, row in enumerate(frame.to_dict("records"))
    ]
    columns = ("frozen from", "until", "done before", "under way", "released", "last start (90 %)")
    show(to, "FREEZES", columns, rows, columns[2:5])


def _last_start(told: Any, freeze: int) -> str:
    last = told.last_safe_start(freeze)
    if last is None:
        return "none does"
    if isinstance(last, datetime):
        return when(last)
    return f"{time_text(abs(last))} {'later' if last >= timedelta(0) else 'sooner'}"


def _both(told: Any, ask: Any) -> tuple[str, str]:
    return repr(ask(False)), repr(ask(True)) if told.p_complete else "-"


def _share(estimate: Any) -> str:
    return chance(float(estimate), estimate.se, estimate.trials)


def _told(time: Any) -> str:
    return "-" if pd.isna(time) else when(time)
