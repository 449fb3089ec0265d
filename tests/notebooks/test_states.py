"""Which cells are run again after a wrong answer: all that can do something else with it, and no others."""

import pytest

from tests.notebooks.states import Cell, names

ANSWER = "def f():\n    return 1"
DATA = "import numpy as np\nkept, rng, text = [], np.random.default_rng(0), 'a'"


def cell(source):
    return Cell({"id": "x", "source": source, "metadata": {}})


@pytest.mark.parametrize(
    ("later", "again"),
    [
        (["f()", "1 + 1", "f"], [0, 2]),
        (["def g():\n    return f()", "g()", "h = g", "h()"], [0, 1, 2, 3]),
        (["value = [f() for _ in range(3)]", "print(value)"], [0, 1]),
        (["kept.append(f())", "len(kept)", "text"], [0, 1]),
        (["rng.normal(size=f())", "rng.normal()", "np.ones(3)", "text"], [0, 1]),
        (["def g():\n    global text\n    text = f()", "g()", "text"], [0, 1, 2]),
        (["def g(x=f()):\n    return x", "g()"], [0, 1]),
        (["class A:\n    f = f", "A.f()"], [0, 1]),
        (["@staticmethod\ndef g():\n    return (lambda: f())()", "g"], [0, 1]),
        (["kept = [f()]", "kept += [1]", "kept = []", "kept"], [0, 1, 2, 3]),
        (["globals()['f']()", "eval('f()')", "text"], [0, 1]),
        (["def g():\n    return globals()['f']()", "g()"], [0, 1]),
        (["def g(f):\n    return f + 1", "g(2)", "[f for f in range(3)]", "(lambda f: f)(2)", "text.f if 0 else 1"], []),
    ],
)
def test_what_is_run_again(later, again):
    space = {}
    exec(DATA, space)
    exec(ANSWER, space)
    changed, found = cell(ANSWER).may_change(space), []
    for place, source in enumerate(later):
        exec(source, space)
        if cell(source).can_differ(changed):
            changed |= cell(source).may_change(space)
            found.append(place)
    assert found == again


@pytest.mark.parametrize(
    ("source", "uses", "binds"),
    [
        ("x = y", {"y"}, {"x"}),
        ("x += 1", set(), {"x"}),
        ("import a.b\nfrom c import d as e", set(), {"a", "e"}),
        ("def f(x, y=z):\n    q = x\n    return w + q", {"z", "w"}, {"f"}),
        ("for i in things:\n    print(i)", {"things", "print", "i"}, {"i"}),
        ("with a as b, c:\n    del d", {"a", "c"}, {"b", "d"}),
    ],
)
def test_names_of_a_cell(source, uses, binds):
    assert names(source) == (uses, binds)
