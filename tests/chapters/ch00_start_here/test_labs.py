"""The doctor says what is fine, what is missing and what to do; a browser test proves its heartbeat."""

import sys

import pytest

from course.ch00_start_here import doctor
from course.ch00_start_here.labs import BEATS, WIDGET_VIEW, Doctor, findings

MODULE = sys.modules["course.ch00_start_here.labs"]


def test_everything_is_fine_here():
    assert all(fine for _, fine, _ in doctor().rows)
    assert {what for what, _, _ in findings()} >= {"Python", "numpy", "matplotlib", "ipywidgets", "images"}


def test_what_is_read_without_a_browser_says_so_and_is_the_same_everywhere():
    text = Doctor()._repr_mimebundle_()["text/plain"]
    assert text.startswith("Python, packages and images: fine.")
    assert "no answer from the browser" in text
    assert sys.version.split()[0] not in text


def test_a_live_view_stands_beside_the_text():
    patient = Doctor()
    assert patient._repr_mimebundle_()[WIDGET_VIEW]["model_id"] == patient.box.model_id


def test_heartbeats_are_counted_and_an_echo_is_asked_for_each():
    patient = Doctor()
    assert not patient.alive
    assert "waiting for your browser" in patient.table.value
    for beat in range(1, BEATS + 1):
        assert patient.sent.value == beat
        patient.heard.value = beat
    assert patient.alive
    assert "waiting" not in patient.table.value


def test_a_missing_package_and_an_old_python_are_named_with_what_to_do(monkeypatch):
    monkeypatch.setattr(MODULE, "PACKAGES", ("numpy", "no_such_package"))
    monkeypatch.setattr(MODULE.sys, "version_info", (3, 9, 1))
    wrong = {what: words for what, fine, words in findings() if not fine}
    assert wrong.keys() == {"Python", "no_such_package"}
    assert "3.9.1" in wrong["Python"]
    assert "pip install no_such_package" in wrong["no_such_package"]
    assert "no_such_package" in repr(Doctor())


def test_unreadable_images_are_named(monkeypatch):
    def broken(*arguments, **options):
        raise OSError("cut off")
    monkeypatch.setattr("bplib.datasets.fashion", broken)
    assert any(what == "images" and "cut off" in words for what, fine, words in findings() if not fine)


@pytest.mark.parametrize("package", MODULE.PACKAGES)
def test_every_package_of_the_table_is_one_the_course_depends_on(package):
    from importlib.metadata import requires
    assert any(line.startswith(package) for line in requires("trust-no-gradient"))
