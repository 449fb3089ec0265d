"""Lets pytest collect the built notebooks, which lie beside tests/, count the hostile submissions, and know `--chapter`."""

pytest_plugins = ["tests.browser.fixtures", "tests.hostile.totals", "tests.notebooks.collect", "tests.selection"]
