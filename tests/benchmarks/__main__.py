"""``python -m tests.benchmarks [name …]`` prints the named benchmarks, or all."""

import sys

from tests.benchmarks import (
    bench_audit,
    bench_core,
    bench_graphs,
    bench_histories,
    bench_layout,
    bench_ledger,
    bench_running,
    bench_scale,
    bench_schedule,
    bench_whatif,
    bench_widgets,
)

BENCHMARKS = {
    "audit": bench_audit.run,
    "core": bench_core.run,
    "graphs": bench_graphs.run,
    "histories": bench_histories.run,
    "layout": bench_layout.run,
    "ledger": bench_ledger.run,
    "running": bench_running.run,
    "scale": bench_scale.run,
    "schedule": bench_schedule.run,
    "whatif": bench_whatif.run,
    "widgets": bench_widgets.run,
}

if __name__ == "__main__":
    for name in sys.argv[1:] or BENCHMARKS:
        if name not in BENCHMARKS:
            sys.exit(f"unknown benchmark {name!r}, expected one of {sorted(BENCHMARKS)}")
        for line in BENCHMARKS[name]():
            print(line, flush=True)  # what has been measured is kept, whatever comes
        print()
