"""JupyterLab in a headless Chromium, for tests that drive widgets as people do.

A test takes the fixture ``lab`` (in conftest, one server and browser a test file)::

    def test_something(lab):
        with lab.notebook("import seqkit", "view = ...; view") as notebook:
            notebook.run()                                         # all cells; waits until the kernel is idle
            notebook.page.get_by_role("button", name="Next").click()      # a page of Playwright, mouse and keyboard
            notebook.until("view.position == 1")                   # in the kernel, beside the page
            assert notebook.value("view.position") == 1
            notebook.theme("JupyterLab Dark")
            notebook.screenshot("something-dark")                  # only where SEQKIT_SCREENSHOTS names a folder

Leaving the block fails the test if the page logged an error or asked anything outside this machine.
"""

from __future__ import annotations

import ast
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_core.utils import ensure_event_loop
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, sync_playwright

__all__ = ["Lab", "Notebook", "find_chromium", "open_lab"]

FLAGS = [
    "--no-sandbox",  # containers run as root
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 180.0  # seconds for anything to happen; nothing here takes more than a few, but on a busy machine
# The page has its notebook before it has a kernel, and shows it as idle; what is run by then is run by nobody.
KERNEL = """() => {
  const context = window.jupyterapp.shell.currentWidget?.sessionContext;
  const kernel = context?.session?.kernel;
  if (document.querySelector(".jp-Dialog .jp-mod-accept")) return "asked for";
  return context?.isReady && kernel?.connectionStatus === "connected" && kernel.status === "idle" && "there";
}"""


def find_chromium() -> str | None:
    """Give the path of a Chromium or Chrome, or None."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next((path for name in names if (path := shutil.which(name))), None)


class Notebook:
    """A notebook open in JupyterLab: the page, and a second line to its kernel."""

    def __init__(self, page: Page, home: str) -> None:
        """Listen to the page, which is about to open the notebook."""
        self.page = page
        self.home = home
        self.errors: list[str] = []
        self.strangers: list[str] = []
        self._aside = ThreadPoolExecutor(1)  # Playwright has an event loop running in this thread
        self._client: BlockingKernelClient | None = None
        self._connection = Path()  # known once there is a kernel
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", self._asked)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def _asked(self, request: Request) -> None:
        own = (f"http://{self.home}/", f"ws://{self.home}/", "data:", "blob:")
        if not request.url.startswith(own):
            self.strangers.append(request.url)

    # ------------------------------------------------------------------ the page

    def command(self, name: str, **arguments: Any) -> None:
        """Start one of JupyterLab's commands; it may take its time."""
        self.page.evaluate("([name, args]) => { window.jupyterapp.commands.execute(name, args) }", [name, arguments])

    def run(self, wait: bool = True) -> None:
        """Run all cells."""
        self.page.wait_for_selector(".jp-Notebook .jp-CodeCell")
        if not wait:
            self.command("notebook:run-all-cells")
            return
        self.page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")  # until all have run
        self.idle()
        # Each widget comes to life, which hides its picture.
        hidden = "() => [...document.querySelectorAll('.seqkit-still')].every(still => still.offsetParent === null)"
        self.page.wait_for_function(hidden)

    def idle(self) -> None:
        """Wait until the kernel has done everything that was sent to it so far, and the page shows it."""
        self.python("")
        # The page's own connection brings its messages in their order: after this one it has shown those before it.
        self.page.evaluate(
            """async () => {
              const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
              await kernel.requestExecute({ code: "", silent: true, store_history: false }).done;
              await new Promise(requestAnimationFrame);
            }"""
        )
        self.page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status=idle]", state="attached")

    def theme(self, name: str) -> None:
        """Switch to "JupyterLab Light" or "JupyterLab Dark"."""
        self.command("apputils:change-theme", theme=name)
        self.page.wait_for_function("name => document.body.dataset.jpThemeName === name", arg=name)
        self.page.wait_for_timeout(300)  # style sheets fade in; only screenshots see it

    def screenshot(self, name: str) -> None:
        """Keep a picture of the page in the folder SEQKIT_SCREENSHOTS, where it is set."""
        folder = os.environ.get("SEQKIT_SCREENSHOTS")
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=Path(folder, f"{name}.png"))

    # ------------------------------------------------------------------ the kernel

    def _connected(self) -> BlockingKernelClient:
        if self._client is None:
            client = BlockingKernelClient(connection_file=str(self._connection))
            client.load_connection_file()
            client.start_channels()
            client.wait_for_ready(timeout=PATIENCE)
            self._client = client
        return self._client

    def _execute(self, code: str, expression: str) -> dict[str, Any]:
        client = self._connected()
        reply = client.execute_interactive(
            code,
            silent=True,
            store_history=False,
            user_expressions={"value": expression},
            timeout=PATIENCE,
            output_hook=lambda message: None,
        )
        return dict(reply["content"])

    def python(self, code: str, expression: str = "None") -> str:
        """Run `code` in the notebook's kernel, aside of the page, and give the repr of `expression`."""
        content = self._aside.submit(self._execute, code, expression).result()
        if content["status"] != "ok":
            raise AssertionError("\n".join(content.get("traceback", [content["status"]])))
        value = content["user_expressions"]["value"]
        if value["status"] != "ok":
            raise AssertionError(f"{expression}: {value['ename']}: {value['evalue']}")
        return str(value["data"]["text/plain"])

    def value(self, expression: str) -> Any:
        """Give the value of an expression in the kernel: a literal, such as numbers, strings, lists and dicts."""
        return ast.literal_eval(self.python("", expression))

    def until(self, expression: str) -> None:
        """Wait until the expression is true in the kernel."""
        deadline = time.monotonic() + PATIENCE
        while self.python("", f"bool({expression})") != "True":
            assert time.monotonic() < deadline, f"never came true: {expression}"
            self.page.wait_for_timeout(20)  # lets the page's own messages through

    def _close(self) -> None:
        if self._client is not None:
            self._aside.submit(self._client.stop_channels).result()
            self._aside.submit(lambda: ensure_event_loop().close()).result()
        self._aside.shutdown()


class Lab:
    """A JupyterLab server and a browser."""

    def __init__(self, home: str, token: str, folder: Path, runtime: Path, context: BrowserContext) -> None:
        """Use what :func:`open_lab` has started; its pages share what they have loaded of JupyterLab."""
        self.home, self.token, self.folder, self.runtime, self.context = home, token, folder, runtime, context
        self._number = 0

    def _api(self, path: str, method: str = "GET") -> str:
        request = urllib.request.Request(
            f"http://{self.home}/api/{path}", method=method, headers={"Authorization": f"token {self.token}"}
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return str(answer.read().decode())

    def _kernel(self, name: str) -> str:
        """Give the id of the kernel behind a notebook."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            for session in json.loads(self._api("sessions")):
                if session["path"] == name:
                    return str(session["kernel"]["id"])
            time.sleep(0.05)
        raise AssertionError(f"{name} has no kernel")

    @contextmanager
    def notebook(
        self, *cells: str, path: str | os.PathLike[str] | None = None, width: int = 1280, height: int = 1000
    ) -> Iterator[Notebook]:
        """Open a new notebook with these cells, or a copy of the one at `path`."""
        self._number += 1
        name = f"page{self._number}.ipynb"
        if path is None:
            book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
            book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
            nbformat.write(book, self.folder / name)
        else:
            shutil.copy(path, self.folder / name)
        page = self.context.new_page()
        page.set_viewport_size({"width": width, "height": height})
        page.set_default_timeout(PATIENCE * 1000)
        notebook, kernel = Notebook(page, self.home), ""
        try:
            page.goto(f"http://{self.home}/lab/tree/{name}?token={self.token}&reset")
            page.wait_for_selector(".jp-Notebook .jp-Cell")
            if page.wait_for_function(KERNEL).json_value() == "asked for":  # a slow first start asks for the kernel
                page.locator(".jp-Dialog .jp-mod-accept").first.click()
                page.wait_for_function(f"() => ({KERNEL})() === 'there'")
            kernel = self._kernel(name)
            notebook._connection = self.runtime / f"kernel-{kernel}.json"
            page.evaluate("window.jupyterapp.shell.collapseLeft()")
            yield notebook
            assert notebook.strangers == [], "the page asked for something outside this machine"
            assert notebook.errors == [], "the page logged errors"
        finally:
            notebook._close()
            page.close()
            if kernel:
                self._api(f"kernels/{kernel}", "DELETE")


@contextmanager
def open_lab() -> Iterator[Lab]:
    """Start JupyterLab and Chromium, with nothing of the user's settings, and stop them in the end."""
    with tempfile.TemporaryDirectory(prefix="seqkit-lab-", ignore_cleanup_errors=True) as name:
        top = Path(name)
        folder, runtime, settings = top / "notebooks", top / "runtime", top / "settings"
        quiet = settings / "@jupyterlab" / "apputils-extension"
        for each in (folder, runtime, quiet):
            each.mkdir(parents=True)
        (quiet / "notification.jupyterlab-settings").write_text('{"fetchNews": "false", "checkForUpdates": false}')
        env = {
            **os.environ,
            "HOME": str(top),
            "IPYTHONDIR": str(top / "ipython"),
            "JUPYTER_CONFIG_DIR": str(top / "config"),
            "JUPYTER_DATA_DIR": str(top / "data"),
            "JUPYTER_RUNTIME_DIR": str(runtime),
            "JUPYTERLAB_SETTINGS_DIR": str(settings),
            "JUPYTERLAB_WORKSPACES_DIR": str(top / "workspaces"),
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        }
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            home, token = f"127.0.0.1:{probe.getsockname()[1]}", secrets.token_hex(16)
        command = [
            *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--expose-app-in-browser"),
            f"--ServerApp.root_dir={folder}",
            "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={home.split(':')[1]}",
            "--ServerApp.port_retries=0",
            "--ServerApp.terminals_enabled=False",
            f"--IdentityProvider.token={token}",
            "--LabApp.news_url=None",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
            "--LabApp.extension_manager=readonly",
        ]
        log = top / "server.log"
        with log.open("wb") as output:
            server = subprocess.Popen(command, env=env, cwd=folder, stdout=output, stderr=output)
        try:
            _wait_for(f"http://{home}/api/status?token={token}", server, log)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=find_chromium(), headless=True, args=FLAGS)
                try:
                    yield Lab(home, token, folder, runtime, browser.new_context())
                finally:
                    browser.close()
        finally:
            server.terminate()
            try:
                server.wait(10)  # no test is about how it ends
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            urllib.request.urlopen(url, timeout=PATIENCE).close()
            return
        except urllib.error.URLError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()}") from None
            time.sleep(0.05)
