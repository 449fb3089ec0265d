"""How long the course takes as a whole: each lesson's Run All, and the second `make lab` until its page is served."""
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

import nbformat

from benchmarks.core import at_most, attempt, ratio
from tools.execute import execute

ROOT = Path(__file__).parents[1]
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LONG = ("09", "11")  # these train networks of their own, and may take longer
LIMIT, LONG_LIMIT = 30, 60  # seconds
PAGE = "lab/tree/notebooks/00_start_here.ipynb"
PATIENCE = 60  # seconds for a server


def rows(rounds=5, lessons=LESSONS):
    """The rows of this group."""
    for limit, some in ((LIMIT, [path for path in lessons if not path.name.startswith(LONG)]),
                        (LONG_LIMIT, [path for path in lessons if path.name.startswith(LONG)])):
        if some:
            what = f"Run All of {'each lesson' if limit == LIMIT else 'lessons ' + ' and '.join(LONG)}, the slowest"
            yield attempt(what, "", f"at most {limit} s", lambda limit=limit, some=some, what=what: _run_all(what, limit, some))
    what = "second `make lab` to a served page"
    yield attempt(what, "plain `jupyter lab`", "at most 1.2 x", lambda: _second_start(what, rounds))


def _run_all(what, limit, lessons):
    seconds = {}
    for path in lessons:
        with tempfile.TemporaryDirectory() as folder:
            notebook, start = nbformat.read(path, as_version=4), time.perf_counter()
            execute(notebook, path.name, folder)
            seconds[path.stem] = time.perf_counter() - start
    note = ", ".join(f"{name[:2]} {found:.0f} s" for name, found in seconds.items())
    return at_most(what, "", limit, max(seconds.values()), "s", note)


def _second_start(what, rounds):
    plain = [sys.executable, "-m", "jupyterlab", "--ServerApp.ip=localhost", "--allow-root"]
    contenders = {"make lab": lambda flags: ["make", "--silent", "lab", f"LABFLAGS={' '.join(flags)}"],
                  "jupyter lab": lambda flags: [*plain, *flags]}
    times = {name: [] for name in contenders}
    for turn in range(rounds + 1):
        for name, command in contenders.items():
            found = served(command)
            if turn:  # the first turn reads the files
                times[name].append(found)
    note = ", ".join(f"{name} {sorted(found)[len(found) // 2]:.2f} s" for name, found in times.items())
    return at_most(what, "plain `jupyter lab`", 1.2, ratio(times, "make lab", "jupyter lab"), note=note)


def served(command):
    """Seconds from a command, which is made from the server's flags, until the first page has been served."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    start = time.perf_counter()
    flags = ["--no-browser", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, Path(folder, "log").open("w+") as log:
        homes = {f"JUPYTER_{kind}_DIR": f"{folder}/{kind}" for kind in ("CONFIG", "DATA", "RUNTIME")}
        server = subprocess.Popen(command(flags), cwd=ROOT, env=os.environ | homes | {"JUPYTER_TOKEN": token},
                                  start_new_session=True, stdout=log, stderr=subprocess.STDOUT)
        try:
            while server.poll() is None and time.perf_counter() - start < PATIENCE:
                with suppress(OSError), urllib.request.urlopen(f"http://localhost:{port}/{PAGE}?token={token}") as answer:
                    answer.read()
                    return time.perf_counter() - start
                time.sleep(0.01)
            log.seek(0)
            raise RuntimeError(f"no page after {time.perf_counter() - start:.0f} s; the server said: {log.read()[-500:]}")
        finally:
            with suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGKILL)
            server.wait()
