"""Makes the table of CI runs in data/made_up_ci: nothing in it has happened.

``python -m tests.tools.made_up_ci`` writes it anew; a test compares.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd

from seqkit import (
    DurationModel,
    FailureModel,
    MemoryRunLedger,
    RepoDependencyGraph,
    SimulatedReleaser,
    VirtualClock,
    attempts_frame,
    build_plan,
    delayed,
    run_plan,
)

FOLDER = Path(__file__).parents[2] / "data" / "made_up_ci"

NEEDS = [
    ("proto", "client"),
    ("proto", "server"),
    ("auth", "server"),
    ("auth", "gateway"),
    ("server", "gateway"),
    ("client", "web"),
    ("client", "mobile"),
    ("design", "web"),
    ("design", "mobile"),
    ("gateway", "smoke"),
    ("web", "smoke"),
    ("server", "billing"),
    ("billing", "reports"),
]
RATES = {"proto": 0.02, "auth": 0.05, "server": 0.12, "gateway": 0.04, "client": 0.06, "web": 0.1, "mobile": 0.22}
MINUTES = {"proto": 2.0, "auth": 4.0, "server": 11.0, "gateway": 6.0, "client": 5.0, "web": 8.0, "mobile": 19.0}
NIGHTS = 80
WORDS = {"succeeded": "success", "failed": "failed", "blocked": "skipped"}


def table() -> pd.DataFrame:
    """Give what a CI server might export: other names and words, times without a zone, nothing of who blocked whom."""
    plan = build_plan(RepoDependencyGraph.from_edges(NEEDS), version="nightly")
    model = FailureModel(RATES, default=0.05, hard=0.4)
    durations = DurationModel({repo: 60 * minutes for repo, minutes in MINUTES.items()}, sigma=0.3, default=240.0)
    frames = []
    for night in range(NIGHTS):
        start = datetime(2026, 1, 5, 2, tzinfo=UTC) + timedelta(days=night)
        clock = VirtualClock(start)
        ledger = MemoryRunLedger(ids=[f"{1400 + 7 * night}"], clock=clock)
        releaser = delayed(SimulatedReleaser(model, rng=17, trial=night), durations, rng=1_000 + night)
        run_plan(plan, releaser, ledger, attempts=2, max_parallel=3, clock=clock)
        frames.append(attempts_frame(ledger))
    told = pd.concat(frames)
    began, ended = (told[name].dt.floor("s").dt.strftime("%Y-%m-%d %H:%M:%S") for name in ("started_at", "finished_at"))
    return pd.DataFrame(
        {
            "pipeline": told["run_id"],
            "job": told["repo_id"],
            "try": told["attempt"],
            "result": told["status"].astype(str).map(WORDS),
            "began": began,
            "ended": ended,
        }
    )


def needs() -> pd.DataFrame:
    """Give who needs whom."""
    return pd.DataFrame(NEEDS, columns=["dependency", "dependent"])


if __name__ == "__main__":
    table().to_csv(FOLDER / "builds.csv", index=False, lineterminator="\n")
    needs().to_csv(FOLDER / "needs.csv", index=False, lineterminator="\n")
