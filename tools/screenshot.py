"""Takes docs/gradient-lab.png, the picture in the README: the gradient lab as it stands in a real JupyterLab."""

import os
import shutil
import tempfile
from io import BytesIO
from pathlib import Path

import nbformat
from PIL import Image

from tools import frontend

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "docs" / "gradient-lab.png"
MARGIN = 12  # pixels of the page beside and below the lab
COLOURS = 128  # enough for a lab with smooth letters; the file is a third as large as with all of them


def screenshot(chromium, target):
    """Open the gradient lab, make the network twenty layers deep with the keyboard, and take its picture."""
    with tempfile.TemporaryDirectory() as folder:
        code = "from bplib.labs import GradientMagnitudes\nGradientMagnitudes().show()"
        kernelspec = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
        path = Path(folder, "lab.ipynb")
        nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)], metadata=kernelspec), path)
        with frontend.jupyterlab([path]) as address, frontend.browser(chromium) as browser:
            page = browser.new_page(viewport={"width": 1280, "height": 900}, device_scale_factor=2)
            frontend.run_all(page, address(path.name))
            lab = page.locator(".bplib-lab")
            lab.locator("img").wait_for()
            for _ in range(10):
                lab.get_by_role("slider").first.press("ArrowRight")
            lab.get_by_text("of layer 20").wait_for()
            page.wait_for_timeout(1000)  # the last picture is on its way
            lab.get_by_role("slider").first.blur()
            box, image = lab.bounding_box(), lab.locator("img").bounding_box()
            clip = {
                "x": box["x"] - MARGIN,
                "y": box["y"],
                "width": image["width"] + 2 * MARGIN,
                "height": box["height"] + MARGIN,
            }
            png = page.screenshot(clip=clip)
    with Image.open(BytesIO(png)) as picture:
        target.parent.mkdir(exist_ok=True)
        picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(target, optimize=True)


if __name__ == "__main__":
    screenshot(os.environ.get("BPLIB_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome"), TARGET)
