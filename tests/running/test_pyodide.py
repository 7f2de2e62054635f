"""In a browser's Python: what it refuses is what the other tests take it to refuse, and the loop for it drives there.

Pyodide runs on Node here, of the npm package ``pyodide`` in ``node_modules`` of the checkout, or in the folder that
SEQKIT_PYODIDE names. It brings Python and its standard library. numpy and pandas, which ``import seqkit`` needs, it
fetches from servers of its own; so this imports only modules that need neither, without the package around them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.tools.restricted import no_process, no_thread

TOP = Path(__file__).parents[2]
PYODIDE = Path(os.environ.get("SEQKIT_PYODIDE", TOP / "node_modules" / "pyodide")).absolute()

RUN = """
const { loadPyodide } = await import(process.argv[2]);
const pyodide = await loadPyodide();
pyodide.FS.mkdirTree("/top");
pyodide.FS.mount(pyodide.FS.filesystems.NODEFS, { root: process.argv[3] }, "/top");
console.log(await pyodide.runPythonAsync(process.argv[4]));
"""

IN_PYODIDE = """
import asyncio, json, subprocess, sys, threading, types

package = types.ModuleType("seqkit")
package.__path__ = ["/top/seqkit"]
running = types.ModuleType("seqkit.running")
running.__path__ = ["/top/seqkit/running"]
sys.modules |= {"seqkit": package, "seqkit.running": running}
from seqkit.running.nowait import NeedsWaiting, NoWaiting, loop_that_stays, run_without_waiting
from seqkit._util.threads import starts

said = {}

def refused(name, call):
    try:
        call()
    except Exception as error:
        said[name] = [type(error).__name__, *map(str, error.args)]

async def release(repo):
    await asyncio.sleep(0)
    return repo

async def train():
    assert isinstance(asyncio.get_running_loop(), NoWaiting)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(release(repo)) for repo in ("core", "api")]
    return [task.result() for task in tasks] + [await asyncio.to_thread(str, "app")]

around = asyncio.get_running_loop()
said["a train"] = run_without_waiting(train)
said["the loop around"] = asyncio.get_running_loop() is around and loop_that_stays() is around
said["starts"] = starts(threading.Thread(target=print))
refused("a wait", lambda: run_without_waiting(lambda: asyncio.sleep(60)))
refused("a thread", lambda: threading.Thread(target=print).start())
refused("a process", lambda: subprocess.Popen(["git"]))
await asyncio.sleep(0.001)
json.dumps(said)
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    node = shutil.which("node")
    if node is None or not (PYODIDE / "pyodide.mjs").is_file():
        pytest.skip("needs Node and the npm package pyodide: npm install --no-save pyodide@0.29, or SEQKIT_PYODIDE")
    script = tmp_path_factory.mktemp("pyodide") / "run.mjs"
    script.write_text(RUN, encoding="utf-8")
    done = subprocess.run(
        [node, str(script), (PYODIDE / "pyodide.mjs").as_uri(), str(TOP), IN_PYODIDE],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def test_runs_that_wait_for_nothing_are_driven_there(said: dict[str, Any]) -> None:
    assert said["a train"] == ["core", "api", "app"]
    assert said["the loop around"] is True
    assert said["a wait"][0] == "NeedsWaiting"
    assert "use await execute_plan(…)" in said["a wait"][1]


def test_what_is_refused_elsewhere_in_its_name_is_refused_there_in_the_same_words(said: dict[str, Any]) -> None:
    assert said["starts"] is False
    for name, stand_in in (("a thread", no_thread), ("a process", no_process)):
        with pytest.raises((RuntimeError, OSError), match=r"thread|process") as told:
            stand_in()
        assert said[name] == [type(told.value).__name__, *map(str, told.value.args)]
