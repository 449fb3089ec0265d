"""Lets pytest collect the built notebooks, which lie beside tests/."""

pytest_plugins = ["tests.notebooks.collect"]
