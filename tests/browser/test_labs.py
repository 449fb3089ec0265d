"""Each notebook with a lab in a real JupyterLab: every control answers to the keyboard, in the picture and in words."""

import time
from pathlib import Path

import nbformat
import pytest

from tools import frontend

ROOT = Path(__file__).parents[2]
PATIENCE = 20  # seconds for a change that must come
SEEN = """async lab => {
  const image = lab.querySelector('img.widget-image');
  const words = lab.querySelector('[role=status]').textContent;
  try {
    await image.decode();
    const bytes = await (await fetch(image.src)).arrayBuffer();
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-1', bytes));
    return [image.naturalWidth ? Array.from(digest).join() : null, words];
  } catch {  // the next picture came while this one was read
    return [null, words];
  }
}"""
HIDDEN = "lab => [...lab.querySelectorAll('label, .widget-readout')].filter(e => e.scrollWidth > e.clientWidth + 1)"
HIDDEN += ".map(e => e.textContent)"


def notebooks_with_labs():
    found = []
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = nbformat.read(path, as_version=4).cells
        if any(".show()" in cell.source for cell in cells if cell.cell_type == "code"):
            found.append(path.name)
    return found


NOTEBOOKS = notebooks_with_labs()


class Seen:
    """A lab on a page, as a person sees it: a picture and words."""

    def __init__(self, page, root):
        self.page, self.root = page, root

    def now(self):
        return tuple(self.root.evaluate(SEEN))

    def settled(self, quiet=0.25):
        """What is seen when nothing has changed for a while."""
        last, since = self.now(), time.monotonic()
        limit = since + PATIENCE
        while time.monotonic() < limit:
            self.page.wait_for_timeout(50)
            now = self.now()
            if now != last:
                last, since = now, time.monotonic()
            elif now[0] and time.monotonic() - since > quiet:
                return now
        raise AssertionError("the lab does not come to rest")

    def until(self, seen, patience=PATIENCE):
        """Wait for a picture with words for which `seen` is true. Did it come?"""
        limit = time.monotonic() + patience
        while time.monotonic() < limit:
            now = self.now()
            if now[0] and seen(now):
                return True
            self.page.wait_for_timeout(50)
        return False

    def answers(self, *actions):
        """Do one thing after the other until picture and words have both changed."""
        before = after = self.settled()

        def both(now):
            return all(old != new for old, new in zip(before, now))

        for action in actions:
            action()
            self.until(lambda now, last=after: now != last, 3)  # a busy machine may be silent for longer than a lab is quiet
            after = self.settled()
            if both(after):
                return
        if not self.until(both):
            raise AssertionError(f"picture changed: {before[0] != after[0]}; words: {before[1]!r}, then {self.now()[1]!r}")

    def press(self, control, *keys):
        """The same, where each thing is pressing a key."""
        self.answers(*(lambda key=key: control.press(key) for key in keys))

    def choose_next(self, menu, arrow):
        """Open a menu, one up or down, take it. (An arrow on a closed menu is a shortcut of JupyterLab's.)"""

        def choose():
            menu.focus()
            for key in ("Enter", arrow, "Enter"):
                self.page.keyboard.press(key)
                self.page.wait_for_timeout(200)

        value = menu.input_value()
        self.answers(choose)
        assert menu.input_value() != value


def test_there_are_notebooks_with_labs():
    assert NOTEBOOKS


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_control_of_every_lab(page, address, shots, name):
    frontend.run_all(page, address(name))
    page.locator(".bplib-lab img.widget-image").first.wait_for()
    labs = page.locator(".bplib-lab").all()
    for number, root in enumerate(labs):
        root.scroll_into_view_if_needed()
        lab = Seen(page, root)
        start = lab.settled()
        root.screenshot(path=shots / f"{Path(name).stem}-{number}.png")
        assert root.evaluate(HIDDEN) == [], "labels that are cut off"
        sliders = root.get_by_role("slider").all()
        for slider in sliders:
            slider.focus()
            value = slider.get_attribute("aria-valuetext")
            lab.press(slider, "ArrowRight", "ArrowRight", "End", "Home")
            assert slider.get_attribute("aria-valuetext") != value
        root.screenshot(path=shots / f"{Path(name).stem}-{number}-moved.png")
        reset(lab, start)
        for menu in root.locator("select").all():
            last = menu.locator("option").count() - 1
            below = last - menu.evaluate("menu => menu.selectedIndex")
            for arrow in ["ArrowDown"] * below + ["ArrowUp"] * (last if below < last else 0):
                lab.choose_next(menu, arrow)
        for box in root.get_by_role("checkbox").all():
            lab.press(box, "Space")
        reset(lab, start)
        for button in root.locator("button").all():
            if button.inner_text().strip() not in ("Reset", "Pin this curve", ""):
                lab.press(button, "Enter")
        reset(lab, start)
        if root.get_by_role("button", name="Pin this curve").count():
            lab.press(root.get_by_role("button", name="Pin this curve"), "Enter")
            root.get_by_role("button", name="Take the pin out").wait_for()
            reset(lab, start)
        if sliders:
            drag(page, sliders[0])
            assert lab.until(lambda now, start=start: now != start)
            reset(lab, start)
    page.evaluate(frontend.THEME, "JupyterLab Dark")
    page.wait_for_function("document.body.dataset.jpThemeLight === 'false'")
    page.locator("#jupyterlab-splash").wait_for(state="detached")
    labs[0].scroll_into_view_if_needed()
    page.screenshot(path=shots / f"{Path(name).stem}-dark.png")
    page.evaluate(frontend.THEME, "JupyterLab Light")  # a setting, so the next notebook would be dark as well
    page.wait_for_function("document.body.dataset.jpThemeLight === 'true'")


def reset(lab, start):
    button = lab.root.get_by_role("button", name="Reset")
    button.focus()
    button.press("Enter")
    lab.until(lambda now: now == start)
    assert lab.settled() == start


def drag(page, slider):
    """Take the knob with the mouse, to the right, and back past its place."""
    box = slider.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y, steps=12)
    page.mouse.up()


def test_an_error_is_shown_to_the_learner_and_the_lab_recovers(page, address):
    frontend.run_all(page, address("broken.ipynb"))
    root = page.locator(".bplib-lab")
    root.locator("img").wait_for()
    lab = Seen(page, root)
    bars = root.get_by_role("slider").nth(1)
    for _ in range(3):
        bars.press("ArrowRight")
    root.get_by_text("ArithmeticError: thirteen <bars>").first.wait_for(state="attached")
    picture, _ = lab.settled()
    bars.press("ArrowRight")
    root.get_by_text("14 bars").wait_for()
    assert lab.until(lambda now: now[0] != picture)
    lab.press(root.get_by_role("checkbox"), "Space")


def test_the_doctor_hears_the_browser(page, address):
    frontend.run_all(page, address("00_start_here.ipynb"))
    heartbeat = page.locator(".bplib-doctor").get_by_text("your browser has answered")
    heartbeat.wait_for()
    assert page.locator(".bplib-doctor").get_by_text("look here").count() == 0
