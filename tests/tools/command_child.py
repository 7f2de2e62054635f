"""A process that runs a plan into a SQLite file, by commands that end in every way, until it is done, or stopped."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sys
import tempfile
from pathlib import Path

from seqkit import CommandReleaser, RepoDependencyGraph, RunEvent, SequencePlan, build_plan, run_plan

SECRET = 's3/cr"et +ü'
SPELT = (SECRET, 's3/cr\\"et', "s3%2Fcr", "cr\\u0022et")

PUBLISH = 'echo x >> "$OUT/$1"'
MANNERS = {
    "releases": f"sleep 0.03; {PUBLISH}",
    "fails": 'echo "no $TOKEN" >&2; exit 3',
    "loses its answer": f"{PUBLISH}; exit 1",
    "is killed": "kill -9 $$",
    "forks twice": f"(sleep 600 & sleep 600 &) & {PUBLISH}",
    "leaves the session": f"setsid sleep 601 & sleep 0.01; {PUBLISH}",
    "ignores signals": "trap '' INT TERM; echo \"$TOKEN\"; sleep 600 & while :; do sleep 600; done",
    "stops late": f"trap '{PUBLISH}; exit 0' INT; sleep 600 & wait",
    "closes its output": "exec >&- 2>&-; sleep 600",
    "floods": 'while :; do echo "$TOKEN"; done',
    "starts groups": f"set -m; sleep 600 & sleep 0.01; {PUBLISH}",
}
"""What a command does, as a script for ``sh``."""


def plan_of(seed: int) -> SequencePlan:
    """Give a plan of eight repos."""
    chance = random.Random(f"plan {seed}")
    repos = "abcdefgh"
    edges = [(a, b) for n, b in enumerate(repos) for a in repos[:n] if chance.random() < 0.12]
    return build_plan(RepoDependencyGraph.from_edges(edges, nodes=list(repos)), version="1")


def manners(seed: int) -> dict[str, str]:
    """Say how the commands of the repos go."""
    chance = random.Random(f"manners {seed}")
    return {repo: chance.choice(list(MANNERS)) for repo in plan_of(seed).released}


def releaser(folder: Path, seed: int, mark: str) -> CommandReleaser:
    """Make the releaser: one script, that looks up by the repo what to do."""
    cases = " ".join(f"{repo}) {MANNERS[manner]};;" for repo, manner in manners(seed).items())
    return CommandReleaser(
        ["sh", "-c", f'case "$1" in {cases} esac', "sh", "{repo_id}"],
        env={"MARK": mark, "TOKEN": SECRET, "OUT": str(folder / "out")},
        secrets=["TOKEN"],
        check=["sh", "-c", 'test -e "$OUT/$1" && echo "id-$1"', "sh", "{repo_id}"],
    )


def execute(folder: Path, seed: int, mark: str) -> None:
    """Run the plan of a seed; what is printed goes to a file."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    tempfile.tempdir = str(folder / "tmp")
    said = os.open(folder / "said", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for descriptor in (1, 2):
        os.dup2(said, descriptor)
    made = releaser(folder, seed, mark)

    def tell(event: RunEvent) -> None:
        print(event, flush=True)
        (folder / "begun").touch()

    print(made, made.command("a", "1"), flush=True)
    with contextlib.suppress(KeyboardInterrupt):  # a second one may come when the run has ended
        try:
            outcome = run_plan(
                plan_of(seed), made, folder / "runs.db", attempts=2, timeout=0.4, grace=0.1, check_wait=0.0,
                max_parallel=3, on_event=tell,
            )  # fmt: skip
            print(outcome, outcome.to_frame().to_string(), flush=True)
        except KeyboardInterrupt as error:
            print(repr(error), getattr(error, "__notes__", ()), flush=True)
    sys.stdout.flush()
