"""Writes a new chapter that builds and passes its tests as it stands: `python -m tools.chapter 23 example`.

    course/ch23_example/          lesson.md, exercises.md, bank.py with one exercise, labs.py with one lab
    tests/chapters/ch23_example/  what its formula, its exercise and its lab are measured with

Nothing else has to be changed: chapters are found by their folders. Write over it, part by part.
"""

import argparse
import keyword
import re
import sys
from pathlib import Path
from string import Template

from tools import source

REPOSITORY = Path(__file__).parents[1]


class ChapterError(Exception):
    """Why no chapter was written, for people."""


LESSON = """---
title: "$title"
minutes: 30
you_will: find the slope of a parabola, and measure it
questions:
  - How fast does a square grow?
objectives:
  - say how steep the parabola is at any place
  - check it by a measurement
takeaways:
  - The slope of w squared is 2 w.
---

Why this matters, and a puzzle that the chapter will solve. One idea to a cell.

```{code-cell}
from bplib import numerical_gradient
from course.$package import $lab
```

## Slide and see

Predict first: where is the parabola steepest, and where is it flat? Then drag the slider.

```{code-cell}
$lab().show()
```

## The maths

A loss $$L = w^2$$ grows by the slope

$$$$\\frac{dL}{dw} = 2w$$$$ (the-slope)

and a cell checks it:

```{code-cell}
measured = numerical_gradient(lambda w: float(w**2), 3.0)
print(f"measured {float(measured):.4f}, by the formula {2 * 3.0:.4f}")
```

+++

{summary}
"""

EXERCISES = '''---
title: "$title: exercises"
minutes: 20
---

One line on what you write here. If you are stuck, add a cell with `hint("$topic.slope")`.

```{code-cell}
import numpy as np

from course import check, hint, progress
```

## The slope

What is the slope of `w**2`, for each number of an array?

```{code-cell}
:tags: [answer]
def slope(w):
    """dL/dw for L = w**2, for each number of the array w."""
    ### BEGIN SOLUTION
    return 2 * w
    ### END SOLUTION
```

```{code-cell}
:tags: [check]
check("$topic.slope", slope)
```
'''

INIT = '''"""Chapter $number, $title."""

from course.labs import lazily

__all__, __getattr__ = lazily(__name__, labs=["$lab"])
'''

BANK = '''"""Chapter $number, $title: its exercises."""
import numpy as np

from course.grading.core import Exercise, Mutant


def slope(w):
    """dL/dw for L = w**2."""
    return 2 * w


EXERCISES = (
    Exercise(
        id="$topic.slope",
        title="The slope of a square",
        points=1,
        reference=slope,
        inputs=lambda rng: (rng.uniform(0.5, 2, 5) * rng.choice([-1, 1], 5),),
        edge_cases=(("all zeros", (np.zeros(3),)),),
        mutants=(
            Mutant("value", lambda w: w**2, "That is the square itself. Asked for is how fast it grows."),
            Mutant("two-missing", lambda w: 1.0 * w, "Both factors of w times w grow, and you have counted one of them."),
        ),
        variants={"sum": lambda w: w + w},
        hints=("Let w grow a little in w times w: which parts grow?", "Each of the two factors brings the other one: add them."),
    ),
)
'''

LABS = '''"""Chapter $number: a parabola, and its tangent at the place that you choose."""

import numpy as np

from course.labs import style
from course.labs.live import Float, Lab


class $lab(Lab):
    """L = w^2 with its tangent at w."""

    title = "How fast does a square grow?"
    controls = {"w": Float(-2.0, 2.0, 1.0, label="place w")}

    def compute(self, w):
        """The tangent at w.

        Returns
        -------
        dict : x (2,), where the tangent begins and ends; y (2,), how high it is there; w and slope, numbers.
        """
        slope = 2 * w
        x = np.array([w - 1, w + 1])
        return {"x": x, "y": w**2 + slope * (x - w), "w": w, "slope": slope}

    def draw(self, figure, data):
        axes = figure.subplots()
        x = np.linspace(-3, 3, 121)
        axes.plot(x, x**2, color=style.LINE)
        axes.set(xlim=(-3, 3), ylim=(-4, 9), xlabel="w", ylabel="loss L", title="The loss, and its tangent")
        (tangent,) = axes.plot([], [], "--", color=style.GRADIENT)
        (point,) = axes.plot([], [], "o", color=style.GRADIENT)
        return {"tangent": tangent, "point": point}

    def update(self, artists, data):
        artists["tangent"].set_data(data["x"], data["y"])
        artists["point"].set_data([data["w"]], [data["w"] ** 2])

    def describe(self, values, data):
        return f"At w = {data['w']:.2f} the loss is {data['w'] ** 2:.2f}, and its slope is {data['slope']:.2f}."
'''

TEST_FORMULAS = '''"""Chapter $number: each displayed formula, evaluated on numbers and compared with a measurement."""

import numpy as np

from bplib import numerical_gradient


def test_the_slope(rng):
    r"""\\frac{dL}{dw} = 2w"""
    w = rng.uniform(-2, 2, 5)
    np.testing.assert_allclose(2 * w, numerical_gradient(lambda w: np.sum(w**2), w), rtol=1e-7, atol=1e-9)
'''

TEST_BANK = '''"""Chapter $number: the reference is what a measurement finds. What every exercise must do is tested elsewhere."""

import numpy as np

from bplib import numerical_gradient
from course.catalogue import find


def test_the_slope_is_what_a_measurement_finds(rng):
    w = rng.uniform(-2, 2, 5)
    measured = numerical_gradient(lambda w: np.sum(w**2), w)
    np.testing.assert_allclose(find("$topic.slope").reference(w), measured, rtol=1e-7, atol=1e-9)
'''

TEST_LABS = '''"""Chapter $number: what the lab shows is true. That every setting gives a picture is tested elsewhere."""

import numpy as np
import pytest

from course.$package import $lab


@pytest.mark.parametrize("w", [-2.0, 0.0, 1.5])
def test_the_tangent_touches_the_parabola(w):
    data = $lab().data(w=w)
    (left, right), (low, high) = data["x"], data["y"]
    assert data["slope"] == (high - low) / (right - left)
    assert np.interp(w, data["x"], data["y"]) == pytest.approx(w**2)
    assert (data["y"] <= data["x"] ** 2).all()
'''

PARTS = {
    "course/{}/__init__.py": INIT,
    "course/{}/lesson.md": LESSON,
    "course/{}/exercises.md": EXERCISES,
    "course/{}/bank.py": BANK,
    "course/{}/labs.py": LABS,
    "tests/chapters/{}/test_formulas.py": TEST_FORMULAS,
    "tests/chapters/{}/test_bank.py": TEST_BANK,
    "tests/chapters/{}/test_labs.py": TEST_LABS,
}


def write(root, number, topic):
    """Write the folders of a new chapter; gives the files.

    Parameters
    ----------
    root : the folder of the course. number : such as "23". topic : what its notebook and exercise ids are called, such as
        "example" or "chain_rule".

    Raises
    ------
    ChapterError : for a number or a topic that is no such thing, or that a chapter has already. Nothing is written then.
    """
    if not re.fullmatch(r"\d\d", number):
        raise ChapterError(f"The number of a chapter has two digits, such as 07 or 23, not {number!r}.")
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", topic) or keyword.iskeyword(topic):
        raise ChapterError(f"The name of a chapter is small letters, such as example or chain_rule, not {topic!r}.")
    for other in source.chapters(root):
        names = {other.topic, source.front_matter(other.lesson.read_text(encoding="utf-8")).get("formerly")}
        if other.number == number or topic in names:
            raise ChapterError(f"There is {other.folder.name} already: a number and a name belong to one chapter.")
    title = topic.replace("_", " ").capitalize()
    words = {"number": number, "topic": topic, "package": f"ch{number}_{topic}", "title": title,
             "lab": "".join(word.capitalize() for word in topic.split("_"))}
    files = []
    for place, text in PARTS.items():
        path = root / place.format(words["package"])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(Template(text).substitute(words), encoding="utf-8", newline="\n")
        files.append(path)
    return files


def main(arguments=None):
    """Write a chapter, and say what to do next; 1 where none was written."""
    parser = argparse.ArgumentParser(prog="python -m tools.chapter", description="Write a new chapter that builds as it stands.")
    parser.add_argument("number", help="two digits, such as 23")
    parser.add_argument("name", help="such as example or chain_rule")
    options = parser.parse_args(arguments)
    try:
        files = write(REPOSITORY, options.number, options.name)
    except ChapterError as problem:
        print(problem, file=sys.stderr)
        return 1
    print("\n".join(f"wrote {path.relative_to(REPOSITORY).as_posix()}" for path in files))
    print(f"Next: make build, make kill-matrix CHAPTER={options.number}, make test CHAPTER={options.number}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
