"""Lets pytest collect the built notebooks, which lie beside tests/, and count the hostile submissions."""

pytest_plugins = ["tests.browser.fixtures", "tests.hostile.totals", "tests.notebooks.collect"]
