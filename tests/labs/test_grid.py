"""Every lab, over a grid of all its controls: no error, nothing clipped, words that follow, pictures that do not depend
on the way there."""

import asyncio
import html
from base64 import b64decode
from io import BytesIO
from itertools import combinations, product
from typing import NamedTuple

import numpy as np
import pytest
from matplotlib.text import Text
from PIL import Image

from course.catalogue import chapters
from course.labs import style
from course.labs.live import LONGEST_WAIT, Float, Live, Picture

LABS = {f"{chapter.name}-{kind.__name__}": kind for chapter in chapters() for kind in chapter.labs}
FULL = 50  # a lab with more combinations than that is tried on all pairs of values


def grid(lab):
    """All combinations of what the controls can be; of many, each control alone away from its default, and then so many
    combinations that every two values of two controls meet."""
    samples = {name: list(dict.fromkeys(control.samples())) for name, control in lab.controls.items()}
    if np.prod([len(values) for values in samples.values()]) <= FULL:
        return [dict(zip(samples, values)) for values in product(*samples.values())]
    alone = [lab.values(**{name: value}) for name, values in samples.items() for value in values]
    return list({tuple(values.values()): values for values in [*alone, *meetings(samples)]}.values())


def meetings(samples):
    """Few combinations in which every two values of two controls meet, one combination after the other, greedily."""
    open_pairs = {frozenset(pair) for one, other in combinations(samples, 2)
                  for pair in product([(one, a) for a in samples[one]], [(other, b) for b in samples[other]])}
    while open_pairs:
        row = dict(min((sorted(pair, key=repr) for pair in open_pairs), key=repr))
        for name in [name for name in samples if name not in row]:
            gains = {value: sum(frozenset([(name, value), item]) in open_pairs for item in row.items())
                     for value in samples[name]}
            row[name] = max(gains, key=gains.get)
        open_pairs -= {frozenset(pair) for pair in combinations(row.items(), 2)}
        yield {name: row[name] for name in samples}


def test_meetings_bring_every_two_values_together():
    samples = {"a": [1, 2, 3], "b": ["x", "y"], "c": [False, True], "d": [0.1, 0.2, 0.3]}
    rows = list(meetings(samples))
    met = {frozenset(pair) for row in rows for pair in combinations(row.items(), 2)}
    for one, other in combinations(samples, 2):
        for a, b in product(samples[one], samples[other]):
            assert frozenset([(one, a), (other, b)]) in met
    assert len(rows) < 20 < 3 * 2 * 2 * 3


@pytest.fixture(params=LABS.values(), ids=LABS, scope="module")
def lab(request):
    return request.param()


class Drawn(NamedTuple):
    """What one setting looks like: its contrast, its texts and those that are misplaced. Pixels are kept of every third."""

    values: dict
    data: dict
    contrast: int
    sizes: dict
    problems: list
    pixels: np.ndarray | None


@pytest.fixture(scope="module")
def start(lab):
    """The picture of the defaults, which `drawn` moves, and what it is as a file."""
    picture = Picture(lab, lab.data())
    return picture, picture.png()


@pytest.fixture(scope="module")
def drawn(lab, start):
    """The whole grid, each setting worked out and drawn once for all tests of a lab, one after the other in one picture.

    The settings farthest from the defaults come first: what they leave behind would be seen in the nearer ones.
    """
    near = lab.values()
    settings = sorted(grid(lab), key=lambda values: sum(values[name] == near[name] for name in near))
    (picture, _), found = start, []
    for place, values in enumerate(settings, 1 - len(settings)):
        data = lab.data(**values)
        picture.update(data)
        pixels = picture.pixels()
        sizes = {text.get_text(): text.get_fontsize() for text in picture.figure.findobj(Text) if text.get_text()}
        kept = pixels if place % 3 == 0 or not found else None
        found.append(Drawn(values, data, np.ptp(pixels), sizes, list(misplaced(picture)), kept))
    return found


def test_there_are_labs():
    assert LABS


def test_it_says_what_it_is(lab):
    assert type(lab).__doc__.strip()
    assert lab.title.endswith("?")
    for control in lab.controls.values():
        assert control.label


def test_defaults_are_places_where_a_slider_can_stand(lab):
    """A page puts a slider at the nearest of its steps, and would never come back to a default between two of them."""
    for name, control in lab.controls.items():
        if isinstance(control, Float):
            scale = np.log10 if control.log else float
            low, high, default = (scale(value) for value in (control.low, control.high, control.default))
            steps = (default - low) / (control.step or (high - low) / 100)
            assert abs(steps - round(steps)) < 1e-6, f"{name}: {steps} steps from the left"


def test_every_setting_gives_a_picture_whose_texts_are_seen(drawn):
    for setting in drawn:
        assert setting.contrast > 200, setting.values  # light paper, dark ink
        assert not setting.problems, setting.values


def test_letters_are_large_enough_to_read(drawn):
    smallest = 8.5 * style.CSS_DPI / 72  # pixels on the page
    assert smallest > 11
    for setting in drawn:
        assert {text: size for text, size in setting.sizes.items() if size < 8.5} == {}, setting.values


def test_every_setting_gives_words(lab, drawn):
    words = {tuple(setting.values.values()): lab.describe(setting.values, setting.data) for setting in drawn}
    for said in words.values():
        assert said.strip().endswith((".", "!", "?"))
        assert len(said) < 400
        assert "  " not in said
    # Each control is heard in the words, for some setting of the others.
    for name, control in lab.controls.items():
        place = list(lab.controls).index(name)
        heard = {}
        for values, said in words.items():
            heard.setdefault(values[:place] + values[place + 1 :], set()).add(said)
        assert any(len(said) > 1 for said in heard.values()), f"nothing is said of {name} = {control.samples()}"


def test_the_same_setting_gives_the_same_whatever_was_shown_before(lab, drawn):
    """On the way there all settings farther from the defaults were shown before it, on the way back all nearer ones, and the
    defaults last, as in a new picture."""
    defaults = lab.data()
    back = Picture(lab, defaults)
    for values, data, *_, pixels in reversed(drawn):
        if pixels is not None:
            again = lab.data(**values)
            with style.context():
                lab.update(back.artists, defaults)
            back.update(again)
            same(back.pixels(), pixels, values)
            assert lab.describe(values, data) == lab.describe(values, again)


def test_a_picture_of_its_own_is_the_same(lab, drawn):
    values, data, *_, pixels = drawn[0]
    output, _ = lab.bundle(**values)
    with Image.open(BytesIO(b64decode(output["image/png"]))) as image:
        same(np.asarray(image), pixels, values)
    assert output["text/plain"] == lab.describe(values, data)


def same(pixels, others, values):
    different = np.argwhere((pixels != others).any(axis=2))
    assert not len(different), f"{values}: {len(different)} pixels, the first at {different[0]}"


@pytest.mark.parametrize(
    ("labels", "said"),
    [([(0.5, "one", 0.5), (0.51, "two", 0.5)], "'one' and 'two' lie on each other"), ([(0.9, "x" * 40, 0.1)], "is cut off")],
)
def test_misplaced_text_is_found(waves, labels, said):
    picture = Picture(waves, waves.data())
    assert not list(misplaced(picture))
    for x, text, y in labels:
        picture.figure.text(x, y, text)
    assert any(said in problem for problem in misplaced(picture))


def misplaced(picture):
    """In words, each text that the edge of the picture cuts off, and each pair of texts that lie on each other."""
    boxes, page = dict(texts(picture)), picture.figure.bbox
    for (label, _), box in boxes.items():
        if not (page.x0 <= box.x0 and box.x1 <= page.x1 and page.y0 <= box.y0 and box.y1 <= page.y1):
            yield f"{label!r} is cut off by the edge of the picture"
    for ((label, _), one), ((other, _), two) in combinations(boxes.items(), 2):
        width = min(one.x1, two.x1) - max(one.x0, two.x0)
        height = min(one.y1, two.y1) - max(one.y0, two.y0)
        if width > 1 and height > 1:
            yield f"{label!r} and {other!r} lie on each other"


def texts(picture):
    """Every visible text of a figure and the box it fills, in pixels."""
    renderer = picture.figure.canvas.get_renderer()
    with style.context():  # how many ticks there is room for depends on the size of letters
        unused = unused_tick_labels(picture.figure)
    for text in picture.figure.findobj(Text):
        label = text.get_text().strip()
        if label and text.get_visible() and id(text) not in unused:
            yield (label, id(text)), text.get_window_extent(renderer)


def unused_tick_labels(figure):
    """Matplotlib keeps labels of ticks that it does not draw: spare ones, and those outside an axis."""
    unused = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            drawn = axis._update_ticks() if axes.axison and axis.get_visible() else []
            for tick in {*axis.majorTicks, *axis.minorTicks} - {*drawn}:
                unused |= {id(tick.label1), id(tick.label2)}
    return unused


def test_the_widgets_drive_it(lab, start):
    """What a widget can be set to are the values of the grid, whose pictures are seen above; of each widget the last is drawn."""

    async def drive():
        live = Live(lab)
        for name, control in lab.controls.items():
            for value in sorted(control.samples(), key=lambda value: value != control.default):
                live.controls[name].value = value
                assert asked(live) == lab.values(**{name: value})
            await answered(live)
            live.controls[name].value = control.default
        for name, control in list(lab.controls.items())[:2]:
            live.controls[name].value = control.samples()[-1]
        live.reset.click()
        assert asked(live) == lab.values()
        await answered(live)
        return live

    def asked(live):
        return lab.values(**{name: widget.value for name, widget in live.controls.items()})

    async def answered(live):
        await asyncio.sleep(LONGEST_WAIT)  # a clock that was set later, for as long, rings after the answer
        values = asked(live)
        assert html.escape(lab.describe(values, lab.data(**values))) in live.words.value

    live = asyncio.run(drive())
    assert live.image.value == start[1]
