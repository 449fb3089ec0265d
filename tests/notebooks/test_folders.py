"""Each chapter's notebooks are where the collector finds them: a folder that is empty must not pass for tested."""

from pathlib import Path

from tests.notebooks.collect import FOLDERS
from tools import build

ROOT = Path(__file__).parents[2]


def test_the_folders_hold_the_notebooks_of_all_chapters():
    targets = {target for job in build.jobs(ROOT) for target in job.targets}
    for folder in FOLDERS:
        mine = {target for target in targets if target.startswith(f"{folder}/")}
        assert mine
        assert mine <= {path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob("*.ipynb")}


def test_pytest_collects_the_folders(pytestconfig):
    assert set(FOLDERS) <= set(pytestconfig.getini("testpaths"))
