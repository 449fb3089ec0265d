"""Each lab in a real JupyterLab, as its lesson shows it: every control answers to the keyboard, in the picture and in words."""

from pathlib import Path

import pytest

from tests.browser.shown import LABS
from tools import frontend

ROOT = Path(__file__).parents[2]
SEEN = """async lab => {
  const image = lab.querySelector('img.widget-image');
  const bytes = await (await fetch(image.src)).arrayBuffer();
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-1', bytes));
  return [image.naturalWidth ? Array.from(digest).join() : null, lab.querySelector('[role=status]').textContent];
}"""
HIDDEN = "lab => [...lab.querySelectorAll('label, .widget-readout')].filter(e => e.scrollWidth > e.clientWidth + 1)"
HIDDEN += ".map(e => e.textContent)"


class Shown:
    """A lab on a page, as a person sees it: a picture and words."""

    def __init__(self, page):
        self.page, self.root = page, page.locator(".bplib-lab")
        self.seen = self.now()

    def now(self):
        """What is seen when everything is answered."""
        frontend.rest(self.page)
        self.seen = tuple(self.root.evaluate(SEEN))
        assert self.seen[0], "there is no picture"
        return self.seen

    def answers(self, *actions):
        """Do one thing after the other until picture and words have both changed."""
        before = self.seen
        for action in actions:
            action()
            if all(old != new for old, new in zip(before, self.now())):
                return
        raise AssertionError(f"picture changed: {before[0] != self.seen[0]}; words: {before[1]!r}, then {self.seen[1]!r}")

    def press(self, control, *keys):
        """The same, where each thing is pressing a key."""
        self.answers(*(lambda key=key: control.press(key) for key in keys))

    def choose_next(self, menu, arrow):
        """Open a menu, one up or down, take it. (An arrow on a closed menu is a shortcut of JupyterLab's.)"""
        value = menu.input_value()
        self.answers(lambda: [menu.press("Enter"), menu.press(arrow), menu.press("Enter")])
        assert menu.input_value() != value

    def reset(self, start):
        self.root.get_by_role("button", name="Reset").press("Enter")
        assert self.now() == start

    def drag(self, slider):
        """Take the knob with the mouse, to the right, and back past its place."""
        box = slider.bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move(x + 60, y, steps=12)
        self.page.mouse.up()


@pytest.mark.parametrize("name", LABS)
def test_every_control_answers(desk, shots, name):
    desk.show(LABS[name])
    lab = Shown(desk.page)
    root, start = lab.root, lab.seen
    root.screenshot(path=shots / f"{name}.png")
    assert root.evaluate(HIDDEN) == [], "labels that are cut off"
    sliders = root.get_by_role("slider").all()
    for slider in sliders:
        value = slider.get_attribute("aria-valuetext")
        lab.press(slider, "ArrowRight", "ArrowRight", "End", "Home")
        assert slider.get_attribute("aria-valuetext") != value
    root.screenshot(path=shots / f"{name}-moved.png")
    lab.reset(start)
    for menu in root.locator("select").all():
        last = menu.locator("option").count() - 1
        below = last - menu.evaluate("menu => menu.selectedIndex")
        for arrow in ["ArrowDown"] * below + ["ArrowUp"] * (last if below < last else 0):
            lab.choose_next(menu, arrow)
    for box in root.get_by_role("checkbox").all():
        lab.press(box, "Space")
    lab.reset(start)
    for button in root.locator("button").all():
        if button.inner_text().strip() not in ("Reset", "Pin this curve", ""):
            lab.press(button, "Enter")
    lab.reset(start)
    if root.get_by_role("button", name="Pin this curve").count():
        lab.press(root.get_by_role("button", name="Pin this curve"), "Enter")
        root.get_by_role("button", name="Take the pin out").wait_for()
        lab.reset(start)
    if sliders:
        lab.drag(sliders[0])
        assert lab.now() != start
        lab.reset(start)


def test_an_error_is_shown_to_the_learner_and_the_lab_recovers(desk):
    desk.show(f"import sys\nsys.path.insert(0, {str(ROOT / 'tests' / 'labs')!r})\nfrom conftest import Broken\nBroken().show()")
    lab = Shown(desk.page)
    bars = lab.root.get_by_role("slider").nth(1)
    for _ in range(3):
        bars.press("ArrowRight")
    lab.root.get_by_text("ArithmeticError: thirteen <bars>").first.wait_for(state="attached")
    lab.now()
    lab.press(bars, "ArrowRight")
    assert "14 bars" in lab.seen[1]
    lab.press(lab.root.get_by_role("checkbox"), "Space")
