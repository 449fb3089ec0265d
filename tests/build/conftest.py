"""A miniature course, so that the build is tested without the real chapters."""

from types import SimpleNamespace

import pytest

LESSON = """---
title: A slope
minutes: 5
you_will: draw a line
questions: ["What is a slope?"]
objectives: [read a slope, "draw one: by hand"]
takeaways: [A slope is rise over run.]
---
Prose first.

+++

A second cell, with $y = 2x$.

```{code-cell}
import matplotlib.pyplot as plt
import numpy as np
```

```{code-cell}
x = np.linspace(0, 1, 3)
print(f"rise {2 * x[-1]:.1f}")
figure, axes = plt.subplots(figsize=(2, 2))
axes.plot(x, 2 * x)
plt.show()
```

```{code-cell}
2 * x
```

{summary}
"""

EXERCISES = '''---
title: Slopes, by you
minutes: 10
---
Two answers.

```{code-cell}
from course import check
```

```{code-cell}
:tags: [answer]
def slope(x, y):
    """Rise over run."""
    ### BEGIN SOLUTION
    return (y[1] - y[0]) / (x[1] - x[0])
    ### END SOLUTION
```

```{code-cell}
:tags: [check]
check("slope.slope", slope)
```

```{code-cell}
:tags: [answer]
steepest = ...
### BEGIN SOLUTION
steepest = 3.0
### END SOLUTION
```

```{code-cell}
:tags: [check]
check("slope.steepest", steepest)
```
'''


PAGE = """---
title: Trouble
minutes: 3
---
A page beside the lesson.

```{code-cell}
import numpy as np
```

```{code-cell}
np.arange(3).sum()
```
"""


@pytest.fixture
def catalogue():
    """Exercises of one topic, `slope`."""
    topics = {"slope": (SimpleNamespace(id="slope.slope", points=2), SimpleNamespace(id="slope.steepest", points=1))}
    return topics.__getitem__


@pytest.fixture
def course(tmp_path):
    """A function that writes the miniature course, with texts replaced as (old, new), and returns its root."""

    def write(*changes, lesson=LESSON, exercises=EXERCISES):
        for old, new in changes:
            assert old in lesson + exercises, f"nothing to replace: {old!r}"
            lesson, exercises = lesson.replace(old, new), exercises.replace(old, new)
        folder = tmp_path / "course" / "ch07_slope"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "lesson.md").write_text(lesson, encoding="utf-8")
        (folder / "exercises.md").write_text(exercises, encoding="utf-8")
        return tmp_path

    return write
