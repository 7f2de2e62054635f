"""``simulate``: how much of a release is likely to go out."""

from __future__ import annotations

import math
import secrets
from typing import Annotated, Any

import pandas as pd
import typer
from rich.console import Console
from rich.text import Text

from seqkit._util.arguments import at_least
from seqkit._util.words import inflected, plural
from seqkit.analysis.exact import Analysis, analyze
from seqkit.analysis.montecarlo import Estimate, Simulation
from seqkit.analysis.montecarlo import simulate as run
from seqkit.cli import options
from seqkit.cli.printing import chance, console, mean, named, number, show
from seqkit.cli.source import SOURCE_HELP, Source, read_source
from seqkit.cli.writing import CSV_HELP, JSON_HELP, check_targets, csv_text, json_text, write

__all__ = ["simulate"]

_SHARE = 0.8
_QUANTILES = {"min": "min", "q05": "5 %", "q25": "25 %", "median": "median", "q75": "75 %", "q95": "95 %", "max": "max"}
_ENGINES = ("auto", "numpy", "numba")

_Table = tuple[str, tuple[str, ...], list[tuple[str, ...]]]  # title, columns, rows


def simulate(
    source: Annotated[str, typer.Argument(metavar="DATASET_OR_FILE", help=SOURCE_HELP)],
    failure_rate: Annotated[float, typer.Option(metavar="P", help="How likely each attempt fails, from 0 to 1.")],
    rate: Annotated[
        list[str] | None, typer.Option(metavar="REPO=P", help="A rate of its own for one repo; repeatable.")
    ] = None,
    outage: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[NAME=]P:REPO,…",
            help='These repos fail together with probability P; repeatable. Names with commas in quotes: "a,b".',
        ),
    ] = None,
    trials: Annotated[int | None, typer.Option(metavar="N", help="How many runs; 100,000 if not given.")] = None,
    until: Annotated[
        float | None,
        typer.Option(metavar="SE", help="Instead: run until the mean share released has this standard error."),
    ] = None,
    rng: Annotated[int | None, typer.Option(metavar="N", help="Seed: the same one gives the same numbers.")] = None,
    policy: Annotated[str, typer.Option(metavar="NAME", help=options.POLICY_HELP)] = "skip_dependents",
    failure_budget: Annotated[int | None, typer.Option(metavar="N", help=options.BUDGET_HELP)] = None,
    attempts: Annotated[int, typer.Option(metavar="N", help="How often a repo is tried.")] = 1,
    engine: Annotated[
        str, typer.Option(metavar="NAME", help="Who counts: auto, numpy or numba. The numbers are the same.")
    ] = "auto",
    top: Annotated[int, typer.Option(metavar="N", help="How many repos to list; 0 for none.")] = 10,
    merge_cycles: Annotated[bool, typer.Option("--merge-cycles", help="Release each cycle as one unit.")] = False,
    csv: Annotated[str | None, typer.Option(metavar="FILE", help=CSV_HELP)] = None,
    json: Annotated[str | None, typer.Option(metavar="FILE", help=JSON_HELP)] = None,
) -> None:
    """Simulate a release many times, and show how much of it is likely to go out and what matters most.

    The JSON object: setting (source, what was read, failure_rate, rates, outages, policy, failure_budget,
    attempts, trials, until, seed), summary (succeeded, failed, skipped: repos per run with mean, se_mean, std and
    quantiles; p_all_succeed and p_at_least_80_percent with p and se), exact (null unless the policy has closed
    forms: expected_succeeded, p_all_succeed), repos (as in the CSV, with the exact gain_if_perfect or null),
    counts (n_succeeded, n_failed, n_skipped, in how many trials). Every se is a standard error.
    """
    terms = options.terms(policy, failure_budget, attempts)
    options.whole("--top", top, 0)
    options.one_of("--engine", engine, _ENGINES)
    if rng is not None:
        options.whole("--rng", rng, 0)
    if trials is not None:
        options.whole("--trials", trials, 1)
        if until is not None:
            raise ValueError(f"--trials is {trials} and --until is {until}, expected one of the two")
    tables = check_targets(source, csv, json)
    read = read_source(source, merge_cycles)
    model = options.failure_model(read, failure_rate, rate or (), outage or ())
    try:
        simulation = run(
            read.plan,
            model,
            trials=100_000 if trials is None else trials,
            rng=secrets.randbits(32) if rng is None else rng,  # short enough to be typed again
            **terms.to_tag(),
            until=until,
            engine=engine,  # type: ignore[arg-type]  # checked above
        )
    except ImportError as error:  # numba, asked for but not there
        raise ValueError(f"--engine is {engine}: {error}") from error
    exact = _exact(simulation)
    if tables:
        _print(console(), read, simulation, exact, until, top)
    if csv is not None:
        write(csv, csv_text(simulation.to_frame(), index=True))
    if json is not None:
        write(json, json_text(_document(read, simulation, exact, until)))


def _exact(simulation: Simulation) -> Analysis | None:
    """Work out what has closed forms; None where nothing has."""
    if not simulation._terms.closed_form:
        return None
    try:
        return analyze(simulation.plan, simulation.model, simulation.attempts)
    except ValueError:  # more outages than can be summed over
        return None


# ---------------------------------------------------------------------- JSON


def _document(source: Source, simulation: Simulation, exact: Analysis | None, until: float | None) -> dict[str, Any]:
    model, frame, summary = simulation.model, simulation.to_frame(), simulation.summary()
    gain = None if exact is None else exact.importance()["gain_if_perfect"].to_dict()
    columns = frame.to_dict("list")
    return {
        "setting": {
            "source": source.name,
            "kind": source.kind,
            **source.facts,
            "failure_rate": model.default,
            "rates": dict(model.rates),
            "outages": [
                {"name": cause.name, "probability": cause.probability, "repos": list(cause.repos)}
                for cause in model.common_causes
            ],
            **simulation._terms.to_tag(),
            "trials": simulation.trials,
            "until": until,
            "seed": simulation.seed,
        },
        "summary": {
            **{
                str(count): {
                    **{name: float(row[name]) for name in ("mean", "se_mean", "std")},
                    **{name: int(row[name]) for name in _QUANTILES},
                }
                for count, row in summary.iterrows()
            },
            "p_all_succeed": _estimate(simulation.p_all_succeed),
            "p_at_least_80_percent": _estimate(simulation.p_at_least(share=_SHARE)),
        },
        "exact": None
        if exact is None
        else {"expected_succeeded": exact.expected.succeeded, "p_all_succeed": exact.p_all_succeed},
        "repos": [
            {
                "repo_id": repo,
                **{str(name): float(values[row]) for name, values in columns.items()},
                "gain_if_perfect": None if gain is None else gain[repo],
            }
            for row, repo in enumerate(simulation.plan.released)
        ],
        "counts": simulation.counts.to_dict("records"),
    }


def _estimate(estimate: Estimate) -> dict[str, float]:
    return {"p": float(estimate), "se": estimate.se}


# ---------------------------------------------------------------------- printing


def _print(
    to: Console, source: Source, simulation: Simulation, exact: Analysis | None, until: float | None, top: int
) -> None:
    to.print(Text(str(source)))
    for line in _setting(simulation, until):
        to.print(Text(line))
    columns = ("repos per run", "mean ± se", "std", *_QUANTILES.values())
    show(to, "HOW MANY REPOS: mean, spread and quantiles of one run", columns, _summary_rows(simulation), columns[1:])
    n, trials = len(simulation.plan.released), simulation.trials
    every, most = simulation.p_all_succeed, simulation.p_at_least(share=_SHARE)
    rows: list[tuple[str, ...]] = [
        (f"all {n:,} repos are released", chance(every, every.se, trials)),
        (f"at least 80 % ({at_least(n, None, _SHARE):,}) are released", chance(most, most.se, trials)),
    ]
    show(to, "CHANCES", ("what", "probability ± se"), rows, ("probability ± se",))
    if top and n:
        title, columns, listed = _by_rate(simulation, top) if exact is None else _by_gain(simulation, exact, top)
        show(to, title, columns, listed, columns[1:])
        rows += listed
    to.print()
    for line in _provenance(simulation, exact):
        to.print(Text(line))
    if any(cell.endswith(")") for row in rows for cell in row[1:]):
        to.print(Text("(at most …), (at least …): the same in all these runs; limits of 95 % confidence."))


def _setting(simulation: Simulation, until: float | None) -> list[str]:
    model = simulation.model
    own = f" ({plural(len(model.rates), 'repo')} with a rate of {inflected(len(model.rates), 'its', 'their')} own)"
    enough = f", enough for a standard error of {until:g} of the share released" if until else ""
    return [
        f"An attempt fails with probability {model.default:g}{own if model.rates else ''}.",
        f"{simulation._terms.told}; {plural(simulation.attempts, 'attempt')} each.",
        *(
            f"Outage {named(cause.name)}: probability {cause.probability:g} a run, strikes "
            f"{plural(len(tuple(cause.repos)), 'repo')}."
            for cause in model.common_causes
        ),
        f"{plural(simulation.trials, 'simulated run')}{enough}; --rng {simulation.seed} gives these numbers again.",
    ]


def _summary_rows(simulation: Simulation) -> list[tuple[str, ...]]:
    means = simulation.expected._asdict()
    return [
        (
            "released" if count == "succeeded" else str(count),
            mean(means[str(count)]),
            "?" if math.isnan(row["std"]) else f"{row['std']:.3g}",
            *(f"{int(row[name]):,}" for name in _QUANTILES),
        )
        for count, row in simulation.summary().iterrows()
    ]


def _by_gain(simulation: Simulation, exact: Analysis, top: int) -> _Table:
    worth = exact.importance()
    worth = worth[worth.index.isin(exact.plan.released)].head(top)  # outages have rows of their own
    frame = simulation.to_frame().loc[list(worth.index)]
    columns = ("repo", "gain (exact)", "dependents", "fails ± se", "is released ± se")
    cells = (
        map(named, worth.index),
        map(number, worth["gain_if_perfect"]),
        (f"{count:,}" for count in worth["n_dependents"]),
        _chances(simulation, frame, "failed"),
        _chances(simulation, frame, "succeeded"),
    )
    title = "WHICH REPOS MATTER MOST: how many more a run would release if this one never failed"
    return title, columns, list(zip(*cells, strict=True))


def _by_rate(simulation: Simulation, top: int) -> _Table:
    # Stable, so that equals stay in plan order.
    frame = simulation.to_frame().sort_values("p_succeeded", kind="stable").head(top)
    columns = ("repo", "is released ± se", "fails ± se", "is skipped ± se")
    cells = (_chances(simulation, frame, what) for what in ("succeeded", "failed", "skipped"))
    return "WHICH REPOS ARE RELEASED LEAST OFTEN", columns, list(zip(map(named, frame.index), *cells, strict=True))


def _chances(simulation: Simulation, frame: pd.DataFrame, what: str) -> list[str]:
    pairs = zip(frame[f"p_{what}"], frame[f"se_{what}"], strict=True)
    return [chance(p, error, simulation.trials) for p, error in pairs]


def _provenance(simulation: Simulation, exact: Analysis | None) -> list[str]:
    if exact is not None:
        return [
            f"Exact, by closed forms: the gains; {number(exact.expected.succeeded)} repos on average, "
            f"all with probability {exact.p_all_succeed:.4g}.",
            "Simulated: everything else; ± is one standard error (se).",
        ]
    if simulation._terms.closed_form:
        why = "so many outages are too many to sum over"
    else:
        why = "there are closed forms for policy skip_dependents without a budget only"
    return ["Simulated: everything; ± is one standard error (se).", f"Exact: nothing, as {why}."]
