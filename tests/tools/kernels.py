"""Have numba compile what the tests will call, once: else the workers of a whole run all do it at the same time.

``python -m tests.tools.kernels``; nothing happens where numba is not installed.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec

from seqkit import RepoDependencyGraph, build_plan, schedule, simulate

__all__ = ["main"]


def main() -> int:
    """Call each kernel, which keeps what it compiled beside its source."""
    if find_spec("numba") is not None:
        plan = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs")]), version="1")
        simulate(plan, 0.1, 64, rng=7, engine="numba")
        for lanes in (1, None):  # with a queue, and without
            schedule(plan, 60, lanes, 0.1, trials=64, rng=7, engine="numba")
    return 0


if __name__ == "__main__":
    sys.exit(main())
