"""The gradient lab under a hand that does not wait: the pictures follow, none is stale at the end."""

import re
import statistics
from time import monotonic

from tools import frontend


def test_dragging_the_depth_of_the_gradient_lab(desk, capsys):
    desk.show("from course.ch10_vanishing import GradientMagnitudes\nGradientMagnitudes().show()")
    lab = desk.page.locator(".bplib-lab")
    slider = lab.get_by_role("slider").first
    slider.press("End")
    begin = monotonic()
    frontend.rest(desk.page)
    # A busy machine draws less in a second, so the hand that moves beside it is slower.
    values, pictures, released = frontend.drag(desk.page, lab, slider, seconds=15 * (monotonic() - begin))

    assert values[-1][0] == slider.get_attribute("aria-valuetext") == "100", "the drag reached the end of the range"
    shown = [re.search(r"layer (\d+)'s", words) for words, _ in pictures]
    assert f"{shown[-1][1]}" == "100", "the last picture is that of the last value"
    assert sum(time > released for _, time in pictures) <= 3, "no pictures of old values come after the end"
    depths = [int(found[1]) for found in shown]
    assert depths == sorted(depths), "no picture is older than the one before"

    first = {}
    for value, time in values:
        first.setdefault(value, time)
    latencies = [time - first[str(depth)] for depth, (_, time) in zip(depths, pictures) if str(depth) in first]
    rate = 1000 * (len(pictures) - 1) / (pictures[-1][1] - pictures[0][1])
    with capsys.disabled():
        print(f"\n  dragging the depth from 2 to 100: {rate:.1f} pictures a second, "
              f"median {statistics.median(latencies):.0f} ms from change to picture, {len(pictures)} pictures")
    assert len(pictures) > 10
