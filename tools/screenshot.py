"""Takes the two pictures of the README in a real JupyterLab: the gradient lab as it stands, docs/gradient-lab.png, and an
animation of its depth slider being moved, docs/gradient-lab.gif."""

import os
import shutil
import sys
import tempfile
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import nbformat
from PIL import Image

from tools import frontend

ROOT = Path(__file__).parents[1]
STILL, MOVING = ROOT / "docs" / "gradient-lab.png", ROOT / "docs" / "gradient-lab.gif"
MARGIN = 12  # pixels of the page beside and below the lab
COLOURS = 128  # enough for a lab with smooth letters; the file is a third as large as with all of them
FRAME, PAUSE = 150, 2500  # ms


@contextmanager
def gradient_lab(chromium, scale):
    """The gradient lab on a page of its own: the page, the lab, and a function that takes its picture."""
    with tempfile.TemporaryDirectory() as folder:
        code = "from course.ch10_vanishing import GradientMagnitudes\nGradientMagnitudes().show()"
        kernelspec = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
        path = Path(folder, "lab.ipynb")
        nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)], metadata=kernelspec), path)
        with frontend.jupyterlab([path]) as address, frontend.browser(chromium) as browser:
            page = browser.new_page(viewport={"width": 1280, "height": 1100}, device_scale_factor=scale)
            frontend.run_all(page, address(path.name))
            lab = page.locator(".bplib-lab")
            lab.locator("img").wait_for()

            def picture():
                box, image = lab.bounding_box(), lab.locator("img").bounding_box()
                size = {"width": image["width"] + 2 * MARGIN, "height": box["height"] + MARGIN}
                png = page.screenshot(clip={"x": box["x"] - MARGIN, "y": box["y"]} | size)
                return Image.open(BytesIO(png)).convert("RGB")

            yield page, lab, picture


def still(chromium, target):
    """The lab as a learner meets it."""
    with gradient_lab(chromium, scale=2) as (page, lab, picture):
        lab.get_by_text("of layer 20").wait_for()
        page.wait_for_timeout(1000)  # the last picture is on its way
        picture().quantize(COLOURS, dither=Image.Dither.NONE).save(target, optimize=True)


def moving(chromium, target):
    """The depth goes from 2 to 50; the curve is pinned; and a network with residuals takes the place of the sigmoids."""
    with gradient_lab(chromium, scale=1) as (page, lab, picture):
        slider, frames, times = lab.get_by_role("slider").first, [], []
        height = None

        def keep(time):
            nonlocal height
            frame = picture()
            height = height or frame.height + 40  # room for a second line of words
            page_of = Image.new("RGB", (frame.width, height), "white")
            page_of.paste(frame, (0, 0))
            frames.append(page_of.quantize(COLOURS, dither=Image.Dither.NONE))
            times.append(time)

        slider.press("Home")
        for depth in range(2, 51, 2):
            lab.get_by_text(f"layer {depth}'s").wait_for()
            page.wait_for_timeout(100)
            keep(FRAME)
            slider.press("ArrowRight")
            slider.press("ArrowRight")
        slider.press("ArrowLeft")
        slider.press("ArrowLeft")
        lab.get_by_text("layer 50's").wait_for()
        keep(PAUSE)
        lab.get_by_role("button", name="Pin this curve").click()
        lab.get_by_role("button", name="ResNet 2015").click()
        lab.get_by_text("slope of the ReLU").wait_for()
        page.wait_for_timeout(500)
        keep(2 * PAUSE)
    frames[0].save(target, save_all=True, append_images=frames[1:], duration=times, loop=0, optimize=True)


if __name__ == "__main__":
    chromium = os.environ.get("BPLIB_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    take, target = (moving, MOVING) if "--moving" in sys.argv else (still, STILL)
    take(chromium, target)
