"""One server and one browser for all notebooks of a file. They end with it: Playwright leaves an event loop running meanwhile."""

from pathlib import Path

import nbformat
import pytest

from tools import frontend

ROOT = Path(__file__).parents[2]
SHOTS = Path(__file__).parent / "shots"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The address of a notebook by its name: the built ones, and "broken.ipynb" with a lab that raises."""
    broken = tmp_path_factory.mktemp("notebooks") / "broken.ipynb"
    code = f"import sys\nsys.path.insert(0, {str(ROOT / 'tests' / 'labs')!r})\nfrom conftest import Broken\nBroken().show()"
    kernelspec = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)], metadata=kernelspec), broken)
    with frontend.jupyterlab([*(ROOT / "notebooks").glob("*.ipynb"), broken]) as address:
        yield address


@pytest.fixture(scope="module")
def browser(chromium):
    with frontend.browser(chromium) as browser:
        yield browser


@pytest.fixture
def page(browser):
    """An empty page whose console must stay free of errors."""
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    yield page
    page.close()
    assert not errors


@pytest.fixture(scope="session")
def shots():
    """Where pictures of what the tests saw are kept."""
    SHOTS.mkdir(exist_ok=True)
    return SHOTS
