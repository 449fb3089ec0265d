"""How fast the labs answer: `python benchmarks/labs.py [--browser]`.

Kernel: the time to work out and draw one new value, by the engine and by drawing the whole figure anew, in turns, so that
whatever else the machine does hits both alike. Browser: from a key press on a slider to the new picture on the page, in a
real JupyterLab, by the engine and by a plain `interact` that shows the same figure. All numbers are medians in ms.
"""

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from io import BytesIO
from itertools import cycle
from pathlib import Path

import nbformat
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from tqdm import tqdm

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from bplib import labs  # noqa: E402
from bplib.labs import style  # noqa: E402
from bplib.labs.live import Choice, Picture, Toggle  # noqa: E402

ROUNDS, PRESSES = 30, 25
NOTEBOOK = """
from bplib import labs
from bplib.labs import style
from bplib.labs.live import Live
from benchmarks.labs import redraw
lab = labs.{lab}()
"""
ENGINE = """
live = Live(lab)
for name, value in {start}.items():
    live.controls[name].value = value
from IPython.display import display
display(live.box)
"""
INTERACT = """
from IPython.display import Image, display
from ipywidgets import interact
values = lab.values(**{start})
controls = {{"{slider}": lab.controls["{slider}"].widget("{slider}")}}
controls["{slider}"].value = values.pop("{slider}")
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


def redraw(lab, values):
    """A picture the plain way: work it out, make a new figure, draw and save it."""
    data = lab.data(**values)
    with style.context():
        figure = Figure(figsize=lab.size)
        FigureCanvasAgg(figure)
        figure.suptitle(lab.title, x=0.01, horizontalalignment="left")
        lab.update(lab.draw(figure, data), data)
        png = BytesIO()
        figure.savefig(png, format="png")
    return png.getvalue()


def cases():
    """Each lab with its defaults, and the flagship at its deepest; and the numeric control that is moved."""
    for name in labs.__all__:
        lab = getattr(labs, name)()
        for start in [{}] + ([{"depth": 50}] if "depth" in lab.controls else []):
            sliders = [key for key, control in lab.controls.items() if not isinstance(control, Choice | Toggle)]
            moved = [key for key in sliders if key not in ("depth", "width")]
            if moved:  # a picture without sliders has nothing to answer
                yield lab, start, moved[0]


def in_the_kernel(lab, start, slider):
    """Median times of compute, the engine's whole answer, and a full redraw."""
    control = lab.controls[slider]
    values = [control.low + (control.high - control.low) * part / 7 for part in range(1, 7)]
    values = cycle([int(value) if isinstance(control.default, int) else value for value in values])
    picture = Picture(lab, lab.data(**start))
    times = {"compute": [], "engine": [], "redraw": []}
    for value in (next(values) for _ in range(ROUNDS)):
        now = start | {slider: value}
        begin = time.perf_counter()
        data = lab.data(**now)
        computed = time.perf_counter()
        lab.describe(lab.values(**now), data)
        picture.update(data)
        picture.png()
        answered = time.perf_counter()
        redraw(lab, now)
        redrawn = time.perf_counter()
        for name, span in zip(times, (computed - begin, answered - begin, redrawn - answered)):
            times[name].append(1000 * span)
    return {name: statistics.median(spans) for name, spans in times.items()}


def in_the_browser(chromium):
    """For each case the median times from key press to picture, of the engine and of `interact`."""
    from tools import frontend

    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, (lab, start, slider) in enumerate(cases()):
            for kind, code in (("engine", ENGINE), ("interact", INTERACT)):
                setup = f"import sys\nsys.path.insert(0, {str(ROOT)!r})" + NOTEBOOK.format(lab=type(lab).__name__)
                cell = nbformat.v4.new_code_cell(setup + code.format(start=start, slider=slider))
                metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
                paths.append(Path(folder, f"{number}-{kind}.ipynb"))
                nbformat.write(nbformat.v4.new_notebook(cells=[cell], metadata=metadata), paths[-1])
        with frontend.jupyterlab(paths) as address, frontend.browser(chromium) as browser:
            measured = {}
            for path in tqdm(paths, desc="browser", leave=False):
                page = browser.new_page(viewport={"width": 1280, "height": 1000})
                frontend.run_all(page, address(path.name))
                number, kind = path.stem.split("-")
                measured.setdefault(int(number), {})[kind] = _presses(page, [*cases()][int(number)])
                page.close()
    return measured


def _presses(page, case):
    lab, _, slider = case
    selector = ".jp-OutputArea-output img"
    page.locator(selector).first.wait_for()
    sliders = [key for key, control in lab.controls.items() if not isinstance(control, Choice | Toggle)]
    handles = page.get_by_role("slider")
    handle = handles.nth(sliders.index(slider) if handles.count() > 1 else 0).element_handle()
    spans = []
    for press in range(PRESSES):
        page.wait_for_timeout(150)
        spans.append(page.evaluate(PRESS, [handle, selector, ("ArrowRight", "ArrowLeft")[press % 2]]))
    return statistics.median(spans)


def main():
    parser = argparse.ArgumentParser(description="Measure how fast the labs answer a slider.")
    parser.add_argument("--browser", action="store_true", help="also in JupyterLab (needs Chromium)")
    parser.add_argument(
        "--chromium", default=shutil.which("chromium") or shutil.which("google-chrome"), help="the path of a Chromium"
    )
    options = parser.parse_args()
    shown = in_the_browser(options.chromium) if options.browser else {}
    print(f"{'medians in ms':38s}{'kernel':27s}browser")
    print(f"{'lab, slider':36s}  compute   engine   redraw   engine interact")
    for number, (lab, start, slider) in enumerate(cases()):
        kernel = in_the_kernel(lab, start, slider)
        name = type(lab).__name__ + "".join(f" {key} {value}" for key, value in start.items())
        spans = [*kernel.values(), *shown.get(number, {}).values()]
        print(f"{name + ', ' + slider:36s}" + "".join(f"{span:9.1f}" for span in spans))


if __name__ == "__main__":
    main()
