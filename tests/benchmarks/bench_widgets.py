"""How long after a press the page shows the new outcome, in a real browser; and the CPU time of our own part of it."""

from __future__ import annotations

import itertools
import random
import statistics
import sys
from pathlib import Path

SIZES = (46, 100, 300)
AIMS = {100: 200, 300: 500}  # milliseconds from a press to the page, lanes and times on
PRESSES = 40

SETUP = """
import random, time
from seqkit import DurationModel, RepoDependencyGraph, build_plan, load_dataset
from seqkit.widgets import WhatIf

def graph_of(n):
    if n == 46:
        return load_dataset("jest29").graph
    draw = random.Random(n)
    ids = [f"repo-{i:03d}" for i in range(n)]
    edges = {(ids[draw.randrange(max(0, i - 40), i)], ids[i]) for i in range(1, n) for _ in range(draw.randint(1, 3))}
    return RepoDependencyGraph.from_edges(sorted(edges), nodes=ids)

times = dict(durations=DurationModel(600, sigma=0.4), max_parallel=4, deadline=8 * 3_600) if TIMED else {}
widget = WhatIf(build_plan(graph_of(N), version="1.0"), 0.03, **times)
took = []
press = widget._pressed
def timed(repo):
    start = time.process_time()
    press(repo)
    took.append(time.process_time() - start)
widget.dag._callbacks[:] = [timed]
widget
"""

# Measured in the page, from the click to the frame in which box, numbers and words have all changed.
PRESS = """
async (number) => {
  const node = document.querySelector(`.seqkit-node[data-number="${number}"]`);
  const before = node.getAttribute("aria-pressed");
  const status = document.querySelector(".seqkit-status");
  const said = status.innerText;
  const numbers = document.querySelector(".seqkit-numbers").outerHTML;
  const start = performance.now();
  node.dispatchEvent(new MouseEvent("click", { bubbles: true }));
  while (node.getAttribute("aria-pressed") === before || status.innerText === said
         || document.querySelector(".seqkit-numbers")?.outerHTML === numbers) {
    await new Promise(requestAnimationFrame);
  }
  await new Promise(requestAnimationFrame);
  return performance.now() - start;
}
"""


def described(times: list[float]) -> str:
    """Give median and 90th percentile, in milliseconds."""
    return f"{statistics.median(times):6.0f} {statistics.quantiles(times, n=10)[8]:6.0f}"


def run() -> list[str]:
    """Measure all sizes; one line each."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from tests.tools.browser import find_chromium, open_lab  # noqa: PLC0415  # of the tests, and needs Playwright

    if find_chromium() is None:
        return ["WhatIf in a browser: no Chromium found"]
    lines = [f"{'WhatIf: press to page':24}{'median ms':>10}{'p90':>5}   {'of CPU':>10}{'p90':>5}"]
    with open_lab() as lab:
        for n, timed in itertools.product(SIZES, (False, True)):
            with lab.notebook(f"N, TIMED = {n}, {timed}", SETUP, height=1400) as notebook:
                notebook.run()
                notebook.page.wait_for_selector(".seqkit-node")
                order = random.Random(n)
                numbers = [order.randrange(n) for _ in range(PRESSES)]
                times = [notebook.page.evaluate(PRESS, number) for number in numbers]
                own = [1000 * seconds for seconds in notebook.value("took")]
                what = f"{n:>4} repos{', 4 lanes, times' * timed}"
                aim = AIMS.get(n)
                met = "met" if aim and statistics.median(times) <= aim else "missed"
                said = f"   aim {aim} ms: {met}" if aim and timed else ""
                lines.append(f"{what:24}{described(times):>15}   {described(own):>15}{said}")
    return lines


if __name__ == "__main__":
    print("\n".join(run()))
