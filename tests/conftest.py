"""What all tests share: seeds, a private progress file, and the layers that need PyTorch or Chromium."""

import os
import shutil
import sys
import zlib

# Before NumPy is imported: on a shared machine several BLAS threads make small matrices slower, and sums differ.
os.environ.update({f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}, MPLBACKEND="Agg")

import hypothesis
import numpy as np
import pytest

CI = os.environ.get("CI") == "true"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

# What takes long, in the order in which it starts: a long test that starts last leaves the other processors idle. The browser
# waits most of the time, so it is first, and one long notebook comes before what can be shared out in small parts.
SLOW = ("browser", "notebooks/", "tests/cohort/", "tests/hostile/", "tests/labs/", "tests/build/", "tests/test_benchmarks",
        "solutions/", "exercises/", "tests/grading/test_exercises")
APART = ("tests/grading/test_exercises.py", "tests/cohort/test_same_verdicts.py")  # their tests need nothing of each other

hypothesis.settings.register_profile("course", deadline=None, derandomize=CI)
hypothesis.settings.load_profile("course")


def pytest_collection_modifyitems(config, items):
    """The slow ones first."""
    where = [item.path.relative_to(config.rootpath).as_posix() for item in items]
    places = [next((i for i, part in enumerate(SLOW) if part in path), len(SLOW)) for path in where]
    items[:] = [items[i] for i in sorted(range(len(items)), key=lambda i: places[i])]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """For pytest-xdist: the tests of one file in one process, with three exceptions."""
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            file = nodeid.partition("::")[0]
            if "browser" in file:  # they wait most of the time; but each process starts a server and a browser
                return f"browser {sum(nodeid.encode()) % 2}"
            if file == "tests/labs/test_grid.py":  # what it works out for a lab is shared by the tests of that lab
                return file + nodeid.partition("[")[2]
            return nodeid if file in APART else file

    return Scheduling(config, log)


def missing(what, how):
    """Skip a test that needs something which is not here; where nothing may be missing, in CI, fail it."""
    message = f"{what} is not here. To run this test: {how}"
    if CI:
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


@pytest.fixture(scope="session")
def torch():
    """PyTorch, the oracle."""
    try:
        import torch
    except ImportError:
        missing("PyTorch", "make test EXTRAS=test,torch (or: pip install -e .[torch])")
    torch.set_num_threads(1)
    return torch


@pytest.fixture(scope="session")
def chromium():
    """The path of a Chromium; BPLIB_CHROMIUM names another one."""
    path = os.environ.get("BPLIB_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    return path or missing(
        "Chromium", "apt-get install chromium (or set BPLIB_CHROMIUM to the path of a Chromium or Chrome)"
    )


@pytest.fixture
def rng(request):
    """Random numbers that depend on the test's name only."""
    return np.random.default_rng(zlib.crc32(request.node.nodeid.encode()))


@pytest.fixture(autouse=True)
def progress_file(tmp_path, monkeypatch):
    """No test touches the progress of whoever runs it, or looks at the notebook that they run it from."""
    path = tmp_path / "progress.json"
    monkeypatch.setenv("BPLIB_PROGRESS", str(path))
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    return path


@pytest.fixture(autouse=True)
def close_figures():
    """Figures that a test leaves open would add up to matplotlib's warning, which is an error here."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
