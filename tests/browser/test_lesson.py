"""A lesson in a real JupyterLab, as a learner meets it: run, run again in a new kernel, seen in the dark."""

from tools import frontend


def test_a_lesson_runs_and_runs_again(page, running, shots):
    frontend.run_all(page, running.address("00_start_here.ipynb"))
    lives(page)
    frontend.restart_and_run_all(page)
    lives(page)
    page.evaluate(frontend.THEME, "JupyterLab Dark")
    page.wait_for_function("document.body.dataset.jpThemeLight === 'false'")
    page.locator("#jupyterlab-splash").wait_for(state="detached")
    page.locator(".bplib-lab").scroll_into_view_if_needed()
    page.screenshot(path=shots / "dark.png")
    page.evaluate(frontend.THEME, "JupyterLab Light")  # a setting, so the next page would be dark as well
    page.wait_for_function("document.body.dataset.jpThemeLight === 'true'")


def lives(page):
    """The doctor hears the browser and finds nothing, and the lab answers."""
    page.locator(".bplib-doctor").get_by_text("your browser has answered").wait_for()
    assert page.locator(".bplib-doctor").get_by_text("look here").count() == 0
    lab = page.locator(".bplib-lab")
    for key, depth in (("Home", 2), ("End", 100)):
        lab.get_by_role("slider").first.press(key)
        frontend.rest(page)
        assert f"layer {depth}'s" in lab.get_by_role("status").text_content()
