"""A real JupyterLab and a real Chromium, for the tests, the benchmark and the screenshot.

The server listens on this machine only, on a free port, with a random token that stands in no command line. Its
settings, its kernels' files and the notebooks it serves lie in a folder of its own, which goes when it goes.
"""

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path

import nbformat

from tools.execute import environment

SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "notebook-extension/tracker": {"windowingMode": "none"},  # all cells stay in the page, also those out of sight
}
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
START, PATIENCE = 120, 120_000  # seconds for the server, milliseconds for the page
READY = """async () => {
  await window.jupyterapp.restored;
  const panel = window.jupyterapp.shell.currentWidget;
  await panel.context.ready;
  await panel.sessionContext.ready;
  await panel.revealed;
  const messages = window.bplibMessages = {sent: 0, unanswered: new Set(), answered: () => {}};
  panel.sessionContext.session.kernel.anyMessage.connect((_, {msg, direction}) => {
    if (direction === 'send' && msg.channel === 'shell') {
      messages.sent += 1;
      messages.unanswered.add(msg.header.msg_id);
    }
    if (msg.content.execution_state === 'idle') messages.unanswered.delete(msg.parent_header.msg_id);
    if (!messages.unanswered.size) messages.answered();
  });
}"""
RUN_ALL = "() => window.jupyterapp.commands.execute('notebook:run-all-cells')"
# The dialog that asks whether to restart is for the caller to answer; then `bplibRun` says how the cells went.
RESTART = "() => { window.bplibRun = window.jupyterapp.commands.execute('notebook:restart-run-all') }"
RESTARTED = "async () => { window.bplibMessages.unanswered.clear(); return await window.bplibRun }"
RUN_CELL = """code => {
  window.jupyterapp.shell.currentWidget.content.activeCell.model.sharedModel.setSource(code);
  return window.jupyterapp.commands.execute('notebook:run-cell');
}"""
# A slider holds its newest value back until the one before is answered, so there may be messages after the last answer.
REST = """([code, patience]) => {
  const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel, messages = window.bplibMessages;
  const rest = async () => {
    let sent;
    do {
      if (messages.unanswered.size) await new Promise(answered => { messages.answered = answered });
      sent = messages.sent;
      await kernel.requestExecute({code, silent: true, store_history: false}).done;
    } while (messages.sent !== sent + 1);
    await Promise.all([...document.querySelectorAll('img.widget-image')].map(image => image.decode()));
    for (const _ of ['painted', 'seen by who waits for it']) await new Promise(requestAnimationFrame);
  };
  const late = new Promise((_, reject) => setTimeout(() => reject(new Error('the page does not come to rest')), patience));
  return Promise.race([rest(), late]);
}"""
OUTPUTS = """() => [...window.jupyterapp.shell.currentWidget.content.model.cells]
  .filter(cell => cell.type === 'code')
  .flatMap(cell => cell.outputs.toJSON())
  .filter(output => output.output_type === 'error' || output.name === 'stderr')
  .map(output => output.evalue || output.text)"""
# Notes when the slider shows a new number, and when a new picture has been painted, with the words that belong to it.
WATCH = """([lab, slider]) => {
  const image = lab.querySelector('img.widget-image');
  const seen = window.bplibSeen = {values: [], pictures: []};
  let number = slider.getAttribute('aria-valuetext'), source = image.src;
  const look = () => {
    if (slider.getAttribute('aria-valuetext') !== number) {
      number = slider.getAttribute('aria-valuetext');
      seen.values.push([number, performance.now()]);
    }
    const words = lab.querySelector('[role=status]').textContent;
    if (image.src !== source && image.complete && image.naturalWidth) {
      source = image.src;
      seen.pictures.push([words, performance.now()]);
    } else if (image.src === source && seen.pictures.length) {
      seen.pictures.at(-1)[0] = words;  // they are a message of their own, and may come a moment after the picture
    }
    if (window.bplibSeen === seen) requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}"""
THEME = "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})"


@contextmanager
def jupyterlab(notebooks):
    """Serve a copy of some notebooks; gives a function from a notebook's name to its address.

    Parameters
    ----------
    notebooks : paths of notebooks.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        root = Path(folder, "notebooks")
        root.mkdir()
        for notebook in notebooks:
            shutil.copy(notebook, root)
        for name, values in SETTINGS.items():
            path = Path(folder, "settings", "@jupyterlab", f"{name}.jupyterlab-settings")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(values))
        token = secrets.token_hex(16)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        homes = {f"JUPYTER_{kind}_DIR": f"{folder}/{kind}" for kind in ("CONFIG", "DATA", "RUNTIME")}
        homes |= {"JUPYTERLAB_SETTINGS_DIR": f"{folder}/settings", "JUPYTERLAB_WORKSPACES_DIR": f"{folder}/workspaces"}
        options = [
            "--no-browser",
            "--allow-root",
            "--expose-app-in-browser",
            "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={port}",
            "--ServerApp.port_retries=0",
            f"--ServerApp.root_dir={root}",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
            "--LabApp.extension_manager=readonly",
        ]
        log = Path(folder, "log")
        with log.open("w") as output:
            server = subprocess.Popen(
                [sys.executable, "-m", "jupyterlab", *options],
                env=environment(folder) | homes | {"JUPYTER_TOKEN": token},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            _wait(server, f"http://127.0.0.1:{port}/api", log)
            yield lambda name: f"http://127.0.0.1:{port}/lab/tree/{name}?token={token}&reset"
        finally:
            _stop(server)


def _wait(server, address, log):
    begin = time.monotonic()
    while True:
        try:
            urllib.request.urlopen(address, timeout=1).close()
            return
        except OSError:
            if server.poll() is not None or time.monotonic() - begin > START:
                raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()[-2000:]}") from None
            time.sleep(0.1)


def _stop(server):
    """The server, and the kernels it started: they are one process group."""
    server.terminate()
    with suppress(subprocess.TimeoutExpired):
        server.wait(10)
    with suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    server.wait()


@contextmanager
def browser(chromium):
    """A headless Chromium, from the path of its program."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        try:
            yield running
        finally:
            running.close()


def run_all(page, address):
    """Open a notebook and run all its cells. RuntimeError where one raises or writes to stderr."""
    _opened(page, address)
    _require_clean(page, page.evaluate(RUN_ALL))


def restart_and_run_all(page):
    """The same for a notebook that is open, in a new kernel."""
    page.evaluate(RESTART)
    page.locator(".jp-Dialog .jp-mod-accept").click()
    _require_clean(page, page.evaluate(RESTARTED))


def _opened(page, address):
    page.goto(address)
    page.wait_for_function("() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel", timeout=PATIENCE)
    page.evaluate(READY)


def _require_clean(page, went_well):
    problems = page.evaluate(OUTPUTS)
    if not went_well or problems:
        raise RuntimeError(f"The notebook does not run: {problems}")


def rest(page):
    """Wait until the kernel has answered all that the page has sent, and the page shows it."""
    from course.labs.live import LONGEST_WAIT

    # A lab draws at most LONGEST_WAIT after a change; a clock that is set later, for as long, rings after it has drawn.
    page.evaluate(REST, [f"await __import__('asyncio').sleep({LONGEST_WAIT})", PATIENCE])


class Desk:
    """A page with one cell, for code of one chapter after the other: the page and the kernel are started once.

    Parameters
    ----------
    page : of Playwright. address : where a notebook of one empty cell is served.
    """

    def __init__(self, page, address):
        self.page = page
        _opened(page, address)

    def show(self, code):
        """Run code in the place of what was there, and wait until what it shows is seen. Raises what `run_all` raises."""
        _require_clean(self.page, self.page.evaluate(RUN_CELL, code))
        self.page.locator(".jp-OutputArea-output").first.wait_for()
        rest(self.page)


def write_notebook(path, *cells):
    """Write a notebook of these cells of code, and give its path."""
    kernelspec = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for code in cells], metadata=kernelspec), path)
    return path


def drag(page, lab, slider, seconds=4, steps=80):
    """Drag a slider of a lab with the mouse through its whole range, and watch what the page shows.

    Parameters
    ----------
    page : of Playwright. lab, slider : locators of the lab and of one slider in it. seconds : how long the way takes.
    steps : in how many moves of the mouse.

    Returns
    -------
    values : what the slider showed, pairs (text, ms). pictures : what the lab's words said when a new picture was there, pairs
        (text, ms). released : when the mouse was let go, ms.
    """
    track = slider.locator("xpath=ancestor::*[contains(@class, 'noUi-base')]").bounding_box()
    knob = slider.bounding_box()
    y = knob["y"] + knob["height"] / 2
    page.mouse.move(knob["x"] + knob["width"] / 2, y)
    page.mouse.down()
    page.mouse.move(track["x"], y)
    rest(page)
    page.evaluate(WATCH, [lab.element_handle(), slider.element_handle()])
    begin = time.monotonic()
    for step in range(1, steps + 1):
        page.mouse.move(track["x"] + track["width"] * step / steps, y)
        page.wait_for_timeout(max(0, 1000 * (begin + seconds * step / steps - time.monotonic())))
    page.mouse.up()
    released = page.evaluate("() => performance.now()")
    rest(page)
    seen = page.evaluate("() => { const seen = window.bplibSeen; window.bplibSeen = null; return seen }")
    return seen["values"], seen["pictures"], released
