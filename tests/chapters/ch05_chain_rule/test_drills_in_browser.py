"""The drill in a real JupyterLab: filled in by keyboard, marked in the drawing, the streak counted by the kernel."""

import pytest

from course.ch05_chain_rule.drills import Drill

SEED = 3


@pytest.fixture
def form(desk):
    """The form on a page, with the graph that stands on it."""
    desk.show(f"from course.ch05_chain_rule.drills import drill\ndrill({SEED})")
    form = desk.page.locator(".bplib-drill")
    form.locator("svg").wait_for()
    return form


def fill(form, numbers):
    fields = form.locator("input").all()
    assert len(fields) == len(numbers)
    for field, number in zip(fields, numbers):
        field.fill(f"{number:g}")
        field.press("Tab")
    form.get_by_role("button", name="Check").press("Enter")


def test_a_wrong_node_is_marked_and_a_right_graph_counts(form, shots):
    graph = Drill(SEED).graph
    right = graph.backward(graph.forward())
    slopes = graph.slopes(graph.forward())
    name = next(name for name in graph.names if len(graph.uses(name)) > 1)
    user, slope = graph.terms(name, slopes)[0]
    fill(form, (right | {name: right[user] * slope}).values())
    form.get_by_text("overwritten instead of added").wait_for()
    assert form.locator("svg").text_content().count("✗") == 1
    assert "Right in a row: 0, at best 0." in form.inner_text()
    form.screenshot(path=shots / "drill.png")
    form.get_by_role("button", name="Next graph").press("Enter")
    form.get_by_text("Write the gradient of every node").wait_for()
    following = Drill(SEED)
    following.renew()
    fill(form, following.graph.backward(following.graph.forward()).values())
    form.get_by_text("All right.").wait_for()
    assert "Right in a row: 1, at best 1." in form.inner_text()
