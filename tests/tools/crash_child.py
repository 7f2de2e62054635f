"""One process of the crash test: executes a plan, or what is left of it, until it is done or killed."""

from __future__ import annotations

import asyncio
import json
import os
import random
from pathlib import Path

from seqkit import RepoDependencyGraph, RunEvent, SequencePlan, SqlRunLedger, build_plan, run_plan
from seqkit.history import resume_plan
from seqkit.history.doubt import InDoubt


def plan_of(seed: int) -> SequencePlan:
    """Give a plan of up to ten repos, one of them in the middle perhaps not released."""
    chance = random.Random(seed)
    repos = [f"repo {number} 'é'" for number in range(chance.randint(4, 10))]
    edges = [
        (before, after) for n, after in enumerate(repos) for before in repos[:n] if chance.random() < 1.5 / len(repos)
    ]
    released = [repo for repo in repos if chance.random() < 0.9] or repos
    graph = RepoDependencyGraph.from_edges(edges, nodes=repos)
    return build_plan(graph, [(repo, "1.0", "", "") for repo in released], f"seed {seed}")


def append(path: Path, line: str) -> None:
    """Add a line; it is with the operating system when this returns, which a killed process cannot take back."""
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, f"{line}\n".encode())
    os.close(file)


class Releaser:
    """Notes in a file what was really released. Some tries fail; in later rounds fewer do."""

    def __init__(self, folder: Path, seed: int, turn: int) -> None:
        self.folder = folder
        self.chance = random.Random(f"{seed} {turn}")
        self.rate = 0.25 if turn < 3 else 0.0

    async def release(self, repo_id: str, version_label: str, spec_digest: str, promoted_by: str) -> str:
        """Release, or fail."""
        await asyncio.sleep(self.chance.random() * 0.002)
        if self.chance.random() < self.rate:
            raise RuntimeError("tests are red")
        append(self.folder / "released", repo_id)
        await asyncio.sleep(self.chance.random() * 0.002)
        return f"run-{repo_id}"


def execute(url: str, folder: Path, seed: int, turn: int, in_doubt: InDoubt) -> None:
    """Run the plan of `seed`, or resume the newest run; each event that the ledger acknowledged is noted in a file."""

    def acknowledged(event: RunEvent) -> None:
        append(folder / "acknowledged", json.dumps([turn, event.seq, event.kind, event.payload["node_id"]]))

    chance = random.Random(f"settings {seed} {turn}")
    append(folder / "turns", str(turn))
    with SqlRunLedger(url) as ledger:
        runs = ledger.list_runs()
        plan = resume_plan(ledger, runs[-1].run_id, in_doubt=in_doubt) if runs else plan_of(seed)
        run_plan(
            plan,
            Releaser(folder, seed, turn),
            ledger,
            attempts=chance.choice([1, 2]),
            policy=chance.choice(["skip_dependents", "stop", "continue"]),
            record_skips=chance.random() < 0.7,
            tags={"turn": turn},
            on_event=acknowledged,
        )
