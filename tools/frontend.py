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

from tools.execute import environment

SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "notebook-extension/tracker": {"windowingMode": "none"},  # all cells stay in the page, also those out of sight
}
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
START, PATIENCE = 60, 60_000  # seconds for the server, milliseconds for the page
RUN_ALL = """async () => {
  const app = window.jupyterapp;
  await app.restored;
  const panel = app.shell.currentWidget;
  await panel.context.ready;
  await panel.sessionContext.ready;
  await panel.revealed;
  return await app.commands.execute('notebook:run-all-cells');
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
    page.goto(address)
    page.wait_for_function("() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel", timeout=PATIENCE)
    clean = page.evaluate(RUN_ALL)
    problems = page.evaluate(OUTPUTS)
    if not clean or problems:
        raise RuntimeError(f"The notebook does not run: {problems}")


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
    page.wait_for_timeout(500)
    page.evaluate(WATCH, [lab.element_handle(), slider.element_handle()])
    begin = time.monotonic()
    for step in range(1, steps + 1):
        page.mouse.move(track["x"] + track["width"] * step / steps, y)
        page.wait_for_timeout(max(0, 1000 * (begin + seconds * step / steps - time.monotonic())))
    page.mouse.up()
    released = page.evaluate("() => performance.now()")
    # Until no picture has come for three seconds: how long the last one takes depends on the machine.
    page.wait_for_function("() => performance.now() - Math.max(bplibSeen.released ??= performance.now(), "
                           "...bplibSeen.pictures.map(([, time]) => time)) > 3000")
    seen = page.evaluate("() => { const seen = window.bplibSeen; window.bplibSeen = null; return seen }")
    return seen["values"], seen["pictures"], released
