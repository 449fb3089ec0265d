"""How fast a slider answers on the page: a real JupyterLab and a real Chromium, the engine against a plain `interact`.

Two pages show the same figure, one by the engine, one by `interact`; a slider is pressed in the one and in the other in turns.
Then the engine's slider is dragged through its range.
"""
import os
import re
import shutil
import statistics
import tempfile
from pathlib import Path

import nbformat

from benchmarks.core import Row, absent, at_least, attempt
from benchmarks.labs import FLAGSHIP, SLIDER
from course.labs.live import Choice, Toggle

ROOT = Path(__file__).parents[1]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PRESSES = 5  # in one page before it is the other's turn
WORK, PEER = f"slider to picture in the browser, {FLAGSHIP.__name__}", "the same figure by `interact`"
DRAG = f"dragging the depth of {FLAGSHIP.__name__}"
SETUP = """
import sys
sys.path.insert(0, {root!r})
from benchmarks.labs import FLAGSHIP, redraw
lab = FLAGSHIP()
"""
ENGINE = """
lab.show()
"""
INTERACT = """
from IPython.display import Image, display
from ipywidgets import interact
values = lab.values()
controls = {{"{slider}": lab.controls["{slider}"].widget("{slider}")}}
interact(lambda **moved: display(Image(redraw(lab, values | moved))), **controls)
"""
# The time from a key press to the next picture that has been painted.
PRESS = """([slider, selector, key]) => new Promise((resolve, reject) => {
  const images = () => [...document.querySelectorAll(selector)].map(image => image.src).join();
  const before = images(), begin = performance.now();
  const look = () => {
    const image = document.querySelector(selector), now = images();
    if (image && image.complete && image.naturalWidth && now !== before) resolve(performance.now() - begin);
    else if (performance.now() - begin > 10000) reject(new Error('no new picture'));
    else requestAnimationFrame(look);
  };
  slider.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true}));
  requestAnimationFrame(look);
})"""


def chromium():
    """The path of a Chromium, or None; BPLIB_CHROMIUM names another one."""
    return os.environ.get("BPLIB_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)


def rows(rounds=8):
    """The rows of this group; in each turn the slider is pressed five times in either page."""
    try:
        from tools import frontend
    except ImportError as problem:
        frontend = None
        why = str(problem)
    if frontend is None or not chromium():
        yield absent(WORK, PEER, "at least 5 x faster", why if frontend is None else "no Chromium is installed")
        return
    with tempfile.TemporaryDirectory() as folder:
        paths = [_notebook(folder, name, code) for name, code in (("engine", ENGINE), ("interact", INTERACT))]
        with frontend.jupyterlab(paths) as address, frontend.browser(chromium()) as browser:
            pages = {}
            for path in paths:
                pages[path.stem] = browser.new_page(viewport={"width": 1280, "height": 1000})
                frontend.run_all(pages[path.stem], address(path.name))
            yield attempt(WORK, PEER, "at least 5 x faster", lambda: _pressed(pages, rounds))
            pages.pop("interact").close()
            drags = []
            yield attempt(DRAG, "", "at least 12 pictures a second", lambda: _dragged(frontend, pages["engine"], drags))
            yield attempt(f"{DRAG}: at the end", "", "no stale picture", lambda: _last(drags))


def _notebook(folder, name, code):
    code = SETUP.format(root=str(ROOT)) + code.format(slider=SLIDER)
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    path = Path(folder, f"{name}.ipynb")
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)], metadata=kernel), path)
    return path


def _pressed(pages, rounds):
    times = {name: [] for name in pages}
    for _ in range(rounds):
        for name, page in pages.items():
            page.bring_to_front()
            times[name].append(statistics.median(_presses(page)))
    value = statistics.median(b / a for a, b in zip(times["engine"], times["interact"]))
    words = ", ".join(f"{name} {statistics.median(spans):.0f} ms" for name, spans in times.items())
    return at_least(WORK, PEER, 5, value, "x faster", words)


def _presses(page):
    selector = ".jp-OutputArea-output img"
    page.locator(selector).first.wait_for()
    controls = FLAGSHIP.controls
    sliders = [name for name, control in controls.items() if not isinstance(control, Choice | Toggle)]
    handles = page.get_by_role("slider")
    handle = handles.nth(sliders.index(SLIDER) if handles.count() > 1 else 0).element_handle()
    for press in range(PRESSES):
        page.wait_for_timeout(150)
        yield page.evaluate(PRESS, [handle, selector, ("ArrowRight", "ArrowLeft")[press % 2]])


def _dragged(frontend, page, drags):
    page.bring_to_front()
    lab = page.locator(".bplib-lab").first
    slider = lab.get_by_role("slider").first
    _, pictures, _ = frontend.drag(page, lab, slider)
    page.wait_for_timeout(2000)
    drags.append((slider.get_attribute("aria-valuetext"), lab.locator("[role=status]").text_content()))
    rate = 1000 * (len(pictures) - 1) / (pictures[-1][1] - pictures[0][1])
    return at_least(DRAG, "", 12, rate, "pictures a second", f"{len(pictures)} pictures")


def _last(drags):
    asked, words = drags[0]
    shown = re.search(r"layer (\d+)'s", words)[1]
    return Row(f"{DRAG}: at the end", "", "no stale picture", "none" if shown == asked else "stale", shown == asked,
               f"the slider shows {asked}, the picture {shown}")
