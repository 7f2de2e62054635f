"""Run every check: style, types, the tests on pandas 2.2, the tests on the installed versions.

``python -m tests`` in an environment that has the extra ``test``. The part on pandas 2.2 makes an
environment of its own beside this one, ``.venv-pandas22``.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TOP = Path(__file__).parent.parent
OLD = TOP / ".venv-pandas22"
OLD_PYTHON = OLD / ("Scripts" if sys.platform == "win32" else "bin") / "python"

PY = sys.executable
# Three, as browsers and processes leave two cores idle; a notebook's cells stay together. In the order given: left to
# itself the plugin begins with the files that have most tests, and is left with a browser's few, which take minutes.
PARALLEL = ["-n", "3", "--dist", "loadfile", "--no-loadscope-reorder"]
FIRST = ["tests/browser", "tests/running", "notebooks"]
OLD_PANDAS = ["pandas==2.2.*", "pytest", "pytest-xdist", "nbval", "hypothesis", "ipykernel", "psycopg[binary]"]
OLD_PANDAS += ["openpyxl", "pyarrow", "surrealdb>=2,<3", "simpy"]


def of_frames() -> list[str]:
    """List what runs on pandas 2.2: every test file that speaks of frames, and the notebooks about them.

    In the browser pandas is in the kernel, not on the page; the rest of what those tests see is the same. Some long
    files make frames to see who may ask, how much it takes, what is drawn and what is said, which hangs on no version
    of pandas.
    """
    files = sorted(path.relative_to(TOP / "tests") for path in (TOP / "tests").rglob("test_*.py"))
    chosen = [path for path in files if path.parts[0] != "browser" and path.as_posix() not in OF_OTHER_THINGS]
    speaking = [path for path in chosen if "frame" in (TOP / "tests" / path).read_text("utf-8").lower()]
    # What the others show is not made by pandas.
    return [str("tests" / path) for path in speaking] + [f"notebooks/{name}" for name in OF_FRAMES]


OF_FRAMES = ("01_first_release_train.ipynb", "03_auditing_past_ledgers.ipynb")


OF_OTHER_THINGS = {
    "_show/test_hostile_names.py",
    "analysis/test_bench_rivals.py",
    "analysis/test_eta.py",
    "analysis/test_freezes.py",
    "analysis/test_goals.py",
    "analysis/test_hard.py",
    "analysis/test_mild_causes_and_trains.py",
    "analysis/test_montecarlo.py",
    "analysis/test_montecarlo_agreement.py",
    "analysis/test_montecarlo_kernels.py",
    "analysis/test_montecarlo_trials.py",
    "analysis/test_options.py",
    "analysis/test_schedule.py",
    "analysis/test_schedule_bounds.py",
    "analysis/test_schedule_edges.py",
    "analysis/test_schedule_engines.py",
    "analysis/test_schedule_listing.py",
    "analysis/test_schedule_search.py",
    "analysis/test_steps.py",
    "auditing/test_audit.py",
    "auditing/test_imported.py",
    "cli/test_commands.py",
    "cli/test_conversion.py",
    "cli/test_frames_page.py",
    "cli/test_ledgers.py",
    "cli/test_reference.py",
    "cli/test_running.py",
    "core/test_arrays.py",
    "core/test_blocking.py",
    "core/test_cycles.py",
    "core/test_durations.py",
    "core/test_exports.py",
    "core/test_failures.py",
    "core/test_graph.py",
    "core/test_rules.py",
    "core/test_similar_ids.py",
    "core/test_terms.py",
    "core/test_unknown_names.py",
    "explore/test_lane_walk.py",
    "explore/test_lesson.py",
    "explore/test_scenario.py",
    "fitting/test_calibration_of_fits.py",
    "fitting/test_evidence.py",
    "history/test_close_run.py",
    "history/test_executors.py",
    "history/test_growth.py",
    "history/test_replay.py",
    "history/test_report.py",
    "importers/test_airflow.py",
    "importers/test_github.py",
    "ledger/test_copies.py",
    "ledger/test_digest.py",
    "ledger/test_file_format.py",
    "ledger/test_formats.py",
    "ledger/test_hostile_databases.py",
    "ledger/test_hostile_files.py",
    "ledger/test_ledger.py",
    "ledger/test_naming.py",
    "ledger/test_one_moment.py",
    "ledger/test_story.py",
    "ledger/test_surreal.py",
    "ledger/test_urls.py",
    "plots/test_dag.py",
    "plots/test_impact.py",
    "plots/test_schedules.py",
    "plots/test_strange_names.py",
    "plots/test_timeline.py",
    "readers/test_distributions.py",
    "readers/test_edges.py",
    "readers/test_reading.py",
    "running/test_growth.py",
    "running/test_lanes.py",
    "running/test_other_code.py",
    "running/test_restricted_hosts.py",
    "running/test_sequencer.py",
    "running/test_signals.py",
    "running/test_timeouts.py",
    "test_crossing.py",
    "test_names.py",
    "test_private_access.py",
    "test_special_files.py",
    "widgets/test_lesson.py",
    "widgets/test_what_if.py",
}


# Some machines keep no compiled modules: then each of the hundreds of processes would compile all of them anew.
_COMPILED_ONCE = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

Step = tuple[str, list[str]]

# What stands in one row goes on at the same time: the first waits for the disk and the network, the second for neither.
STEPS: list[list[list[Step]]] = [
    [[("style", [PY, "-m", "ruff", "check", "."])]],
    [[("format", [PY, "-m", "ruff", "format", "--check", "."])]],
    [
        [
            ("an environment with pandas 2.2", [PY, "-m", "venv", str(OLD)]),
            (
                "an environment with pandas 2.2, filled",
                [str(OLD_PYTHON), "-m", "pip", "install", "-q", "-e", ".", *OLD_PANDAS],
            ),
        ],
        [("types", [PY, "-m", "mypy"]), ("compiled kernels", [PY, "-m", "tests.tools.kernels"])],
    ],
    [[("frames, ledgers and notebooks on pandas 2.2", [str(OLD_PYTHON), "-m", "pytest", *PARALLEL, *of_frames()])]],
    [[("all tests", [PY, "-m", "pytest", *PARALLEL, *FIRST, "tests", "seqkit"])]],
]


def main() -> int:
    """Run the steps, say how each ended, and give 1 where one failed."""
    failed: list[str] = []
    for row in STEPS:
        with ThreadPoolExecutor(len(row)) as together:
            failed += itertools.chain.from_iterable(together.map(_one_after_the_other, row))
    if failed:
        print(f"\nfailed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _one_after_the_other(steps: list[Step]) -> list[str]:
    """Run some steps; give the names of those that failed."""
    failed = []
    for name, command in steps:
        print(f"\n== {name}", flush=True)
        started = time.monotonic()
        code = subprocess.run(command, cwd=TOP, env=_COMPILED_ONCE, check=False).returncode
        took = time.monotonic() - started
        print(f"== {name}: {'ok' if code == 0 else f'FAILED ({code})'} in {took:.0f} s", flush=True)
        if code != 0:
            failed.append(name)
    return failed


if __name__ == "__main__":
    sys.exit(main())
