"""What `make lab` lets every kernel run first."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def session(folder, code, startup=True):
    """What IPython prints for a line of code, in a session that has run nothing else."""
    place = folder / "profile_default" / "startup"
    place.mkdir(parents=True)
    if startup:
        shutil.copy(ROOT / "tools" / "startup.py", place / "import-course.py")
    run = subprocess.run([sys.executable, "-m", "IPython", "--colors=NoColor", "-c", code], cwd=ROOT, capture_output=True,
                         text=True, env=os.environ | {"IPYTHONDIR": str(folder)}, check=False)
    return run.stdout + run.stderr


def test_a_check_before_anything_was_imported_says_which_cell_to_run(tmp_path):
    said = session(tmp_path, "check('start_here.twice', 1)")
    assert "NameError: name 'check' is not defined" in said
    assert "check belongs to the course." in said
    assert "Run the first code cell of the notebook" in said


def test_it_leaves_no_name_behind(tmp_path):
    assert session(tmp_path, "print(sorted(name for name in dir() if 'course' in name))").strip() == "[]"


def test_make_puts_it_where_kernels_of_its_environment_look():
    run = subprocess.run(["make", "--dry-run", "--always-make", "lab"], cwd=ROOT, capture_output=True, text=True, check=True)
    # A name that cannot be imported: IPython puts the folder on the path while it runs what lies there.
    assert "cp tools/startup.py .venv/etc/ipython/startup/import-course.py" in run.stdout
