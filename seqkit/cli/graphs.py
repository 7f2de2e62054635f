"""``graph``: what a file or folder says of who needs whom; ``plan``: what must go out, and in which order."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from seqkit._util.words import and_more, listed, plural, printable
from seqkit.analysis.blast import blast_radius
from seqkit.cli.printing import console, named, show, some
from seqkit.cli.source import DIRECTION_HELP, KINDS_HELP, SOURCE_HELP, read_dependencies
from seqkit.cli.writing import CSV_HELP, JSON_HELP, check_targets, csv_text, json_text, write
from seqkit.core.changes import plan_changes
from seqkit.core.graph import RepoDependencyGraph
from seqkit.core.plan import SequencePlan, build_plan
from seqkit.core.versions import BUMPS

__all__ = ["DirectionOption", "FormatOption", "UnitOption", "graph", "plan"]

_TOP = 10

KindsOption = Annotated[str | None, typer.Option(metavar="KIND,…", help=KINDS_HELP)]
DirectionOption = Annotated[str | None, typer.Option(metavar="WORD", help=DIRECTION_HELP)]
FormatOption = Annotated[
    str | None, typer.Option("--format", metavar="NAME", help="What the file is, where that cannot be seen.")
]
UnitOption = Annotated[
    str | None, typer.Option(metavar="package|repo", help="Of folders: what a repo of the graph is.")
]


def graph(
    source: Annotated[str, typer.Argument(metavar="DATASET_FILE_OR_FOLDER", help=SOURCE_HELP)],
    kinds: KindsOption = None,
    format: FormatOption = None,
    direction: DirectionOption = None,
    unit: UnitOption = None,
    csv: Annotated[str | None, typer.Option(metavar="FILE", help=CSV_HELP)] = None,
    json: Annotated[str | None, typer.Option(metavar="FILE", help=JSON_HELP)] = None,
) -> None:
    """Show what a file or folder says of who needs whom, and what it is worth.

    Cycles are shown with the dependencies whose removal opens them. The CSV is the list of dependencies. The JSON
    object: source, format, repos, dependencies, roots, waves, widest, longest_chain, cycles, blast_radius, report.
    """
    tables = check_targets(source, csv, json)
    read = read_dependencies(source, kinds, format, unit, "keep", direction)
    answer = _answer(source, read)
    if tables:
        _print(console(), answer, read)
    if csv is not None:
        write(csv, csv_text(read.to_frame()))
    if json is not None:
        write(json, json_text(answer))


def _answer(source: str, read: RepoDependencyGraph) -> dict[str, Any]:
    cyclic = read.has_cycles
    waves = [] if cyclic else read.waves()
    report = read.report
    frame = read.cycles()
    return {
        "source": source,
        "format": report.format if report is not None else "data set",
        "repos": len(read),
        "dependencies": read.n_dependencies,
        "roots": [repo for repo in read if not read.dependencies_of(repo)],
        "waves": None if cyclic else len(waves),
        "widest": None if cyclic else max(map(len, waves), default=0),
        "longest_chain": None if cyclic else _chain(read, waves),
        "cycles": [
            {
                "members": members,
                "smallest_cycle": walk,
                "kinds": why,
                "cut": [list(pair) for pair in pairs],
            }
            for members, walk, why, pairs in zip(
                frame["members"], frame["smallest_cycle"], frame["kinds"], frame["cut"], strict=True
            )
        ],
        "blast_radius": [] if cyclic else _widest(read),
        "report": []
        if report is None
        else [
            {"about": about, "what": one.what, "count": one.count or None, "examples": list(one.examples)}
            for about, one in report
        ],
    }


def _chain(read: RepoDependencyGraph, waves: list[list[str]]) -> list[str]:
    """Give a longest chain of repos that each need the one before: from the last wave up."""
    wave = {repo: number for number, repos in enumerate(waves) for repo in repos}
    chain = [waves[-1][0]] if waves else []
    while chain and wave[chain[-1]]:
        above = wave[chain[-1]] - 1
        chain.append(next(repo for repo in read.dependencies_of(chain[-1]) if wave[repo] == above))
    return chain[::-1]


def _widest(read: RepoDependencyGraph) -> list[dict[str, Any]]:
    frame = blast_radius(read).sort_values("n_dependents", ascending=False, kind="stable").head(_TOP)
    return [
        {"repo_id": repo, "dependents": int(below), "directly": int(direct)}
        for repo, below, direct in zip(frame.index, frame["n_dependents"], frame["n_direct_dependents"], strict=True)
    ]


def _print(to: Console, answer: dict[str, Any], read: RepoDependencyGraph) -> None:
    counts = f"{plural(answer['repos'], 'repo')}, {plural(answer['dependencies'], 'dependency', 'dependencies')}"
    to.print(Text(printable(f"{named(answer['source'])} ({answer['format']}): {counts}.")))
    rows = [("need nothing", f"{len(answer['roots']):,}", some(answer["roots"], 8))]
    if answer["waves"] is not None:
        rows += [
            ("waves", f"{answer['waves']:,}", f"the widest has {plural(answer['widest'], 'repo')}"),
            ("longest chain", f"{len(answer['longest_chain']):,}", some(answer["longest_chain"], 12)),
        ]
    show(to, "SHAPE", ("", "repos", "which"), rows, ("repos",))
    if answer["cycles"]:
        cycles = [
            (
                f"{len(cycle['members']):,}",
                " → ".join(map(named, cycle["smallest_cycle"])),
                ", ".join(cycle["kinds"]),
                listed([f"{named(after)} needs {named(before)}" for before, after in cycle["cut"]], 5, apart="; "),
            )
            for cycle in answer["cycles"]
        ]
        columns = ("repos", "the shortest way round (each is needed by the next)", "kinds", "open it without")
        show(to, "CYCLES: there is no order", columns, cycles[:_TOP], ("repos",))
        if more := and_more(len(cycles) - _TOP, before=""):
            to.print(Text(more))
    elif any(row["dependents"] for row in answer["blast_radius"]):
        rows = [
            (named(row["repo_id"]), f"{row['dependents']:,}", f"{row['directly']:,}")
            for row in answer["blast_radius"]
            if row["dependents"]
        ]
        show(to, "WHOSE FAILURE HOLDS UP MOST", ("repo", "holds up", "directly"), rows, ("holds up", "directly"))
    if read.report is not None:
        to.print(Text("\nREPORT\n"))
        for line in read.report.lines():
            to.print(Text(printable(line)))


def plan(
    source: Annotated[str, typer.Argument(metavar="DATASET_FILE_OR_FOLDER", help=SOURCE_HELP)],
    changed: Annotated[
        str | None,
        typer.Option(metavar="REPO,…", help="What changed: it goes out with all downstream. Default: all repos."),
    ] = None,
    bump: Annotated[
        str,
        typer.Option(
            metavar=f"{'|'.join(BUMPS)},REPO=VERSION,…",
            help="With --changed: how the versions of what changed grow, and which version a repo gets.",
        ),
    ] = "patch",
    kinds: KindsOption = None,
    format: FormatOption = None,
    direction: DirectionOption = None,
    unit: UnitOption = None,
    version: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Without --changed: of repos that have no version.")
    ] = None,
    merge_cycles: Annotated[bool, typer.Option("--merge-cycles", help="Release each cycle as one unit.")] = False,
    csv: Annotated[str | None, typer.Option(metavar="FILE", help=CSV_HELP)] = None,
    json: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Write the plan, as run and what-if read it. - for stdout."),
    ] = None,
) -> None:
    """Plan a release: what goes out, at which version, in which order, and why.

    The JSON is the plan itself, which the other commands take.
    """
    tables = check_targets(source, csv, json)
    read = read_dependencies(source, kinds, format, unit, "merge" if merge_cycles else "error", direction)
    if changed is not None:
        if version is not None:
            raise ValueError(f"--version is {version!r:.80}, but with --changed versions are proposed by --bump")
        named_repos = [repo.strip() for repo in changed.split(",") if repo.strip()]
        try:
            through = None if kinds is None else "all"  # what was chosen is all that was read
            made = plan_changes(read, named_repos, _bumps(bump, named_repos), through)
        except ValueError as error:
            hint = "; here that is --bump REPO=VERSION,…" if "pass bump=" in str(error) else ""
            raise ValueError(f"{error}{hint}") from None
        if tables:
            _print_changes(console(), made)
        frame = made.to_frame().merge(made.reasons.reset_index()[["repo_id", "reason", "version_before"]], how="left")
        planned: SequencePlan = made
    else:
        planned = build_plan(read, version=version)
        if tables:
            _print_plan(console(), planned)
        frame = planned.to_frame()
    if csv is not None:
        write(csv, csv_text(frame.drop(columns=["dependencies", "skip_cause", "status"])))
    if json is not None:
        write(json, planned.to_json() + "\n")


def _bumps(text: str, changed: list[str]) -> dict[str, str]:
    """Read how versions grow: a rule for what changed, and repos with their versions."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    given = {repo.strip(): version.strip() for repo, mark, version in (part.rpartition("=") for part in parts) if mark}
    rules = [part for part in parts if "=" not in part] or [BUMPS[-1]]
    if len(rules) > 1 or rules[0] not in BUMPS:
        raise ValueError(f"--bump is {text!r:.80}, expected one of {BUMPS}, and REPO=VERSION for repos of their own")
    return {**dict.fromkeys(changed, rules[0]), **given}


def _print_changes(to: Console, made: Any) -> None:
    to.print(Text(printable(f"{repr(made)[len('ChangePlan(') : -1]}.")))
    reasons = made.reasons
    rows = [
        (
            named(repo),
            f"{'?' if before is None else before} → {after}",
            str(reason),
            some(list(because), 4) if because else "-",
        )
        for repo, before, after, reason, because in zip(
            reasons.index,
            reasons["version_before"].astype(object).where(reasons["version_before"].notna(), None),
            reasons["version_after"],
            reasons["reason"],
            reasons["because_of"],
            strict=True,
        )
    ]
    show(to, "GOES OUT, in this order", ("repo", "version", "why", "because of"), rows)
    if len(made.left_out):
        left = [(named(repo), why) for repo, why in made.left_out["why"].items()]
        show(to, "LEFT OUT on purpose", ("repo", "why"), left)


def _print_plan(to: Console, planned: SequencePlan) -> None:
    to.print(Text(printable(f"{repr(planned)[len('SequencePlan(') : -1]}.")))
    rows = [
        (f"{number:,}", f"{len(wave):,}", ", ".join(f"{named(repo)} {_label(planned, repo)}" for repo in wave[:12]))
        for number, wave in enumerate(planned.waves())
    ]
    show(to, "GOES OUT", ("wave", "repos", "which"), rows, ("wave", "repos"))


def _label(planned: SequencePlan, repo: str) -> str:
    return planned.items[planned.position(repo)].version_label
