"""One server, one browser and one page for the tests in the browser that follow each other, of whatever files they are.

They end with the last of these tests: meanwhile Playwright leaves an event loop running, which no other test expects.
"""

from contextlib import ExitStack
from pathlib import Path

import pytest

from tools import frontend

ROOT = Path(__file__).parents[2]
SHOTS = Path(__file__).parent / "shots"


class Running:
    """A server with the notebooks and an empty one, a browser, and the desk when a test has asked for it."""

    now = None

    def __init__(self, chromium, folder):
        empty = frontend.write_notebook(folder / "desk.ipynb", "")
        with ExitStack() as stack:
            self.address = stack.enter_context(frontend.jupyterlab([*(ROOT / "notebooks").glob("*.ipynb"), empty]))
            self.browser = stack.enter_context(frontend.browser(chromium))
            self._stack = stack.pop_all()
        self.desk = None

    def new_page(self):
        """An empty page, and the list of the errors on its console."""
        page, errors = self.browser.new_page(viewport={"width": 1280, "height": 1000}), []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        return page, errors

    @classmethod
    def end(cls):
        """End what runs, if anything does."""
        if cls.now is not None:
            cls.now, ending = None, cls.now
            ending._stack.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item, nextitem):
    try:
        return (yield)
    finally:
        if "running" not in getattr(nextitem, "fixturenames", ()):
            Running.end()


def pytest_unconfigure():
    Running.end()


@pytest.fixture
def running(chromium, tmp_path_factory):
    Running.now = Running.now or Running(chromium, tmp_path_factory.mktemp("desk"))
    return Running.now


@pytest.fixture
def page(running):
    """An empty page whose console must stay free of errors."""
    page, errors = running.new_page()
    yield page
    page.close()
    assert not errors


@pytest.fixture
def desk(running):
    """A page with one cell, for code of any chapter. Its console must stay free of errors."""
    if running.desk is None:
        page, running.errors = running.new_page()
        running.desk = frontend.Desk(page, running.address("desk.ipynb"))
    running.errors.clear()
    yield running.desk
    assert not running.errors


@pytest.fixture(scope="session")
def shots():
    """Where pictures of what the tests saw are kept."""
    SHOTS.mkdir(exist_ok=True)
    return SHOTS
