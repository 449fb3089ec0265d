"""Makes the notebook that a learner gets from the one that holds the solutions, with nbgrader, as a teacher would."""

import logging
import tempfile
from pathlib import Path

import nbformat
from nbgrader.apps import NbGraderAPI
from traitlets.config import Config, PyFileConfigLoader

CONFIG = Path(__file__).parents[1] / "nbgrader_config.py"


def course(folder, database=True):
    """nbgrader's API for a course in the given folder, with the project's settings; its database lies there too."""
    config = Config(PyFileConfigLoader(CONFIG.name, path=str(CONFIG.parent)).load_config())
    config.CourseDirectory.root = str(folder)
    config.CourseDirectory.db_url = f"sqlite:///{folder}/gradebook.db"
    config.NbGrader.log_level = logging.WARNING
    if not database:
        config.GenerateAssignment.no_database = True
        config.SaveCells.enabled = False
    return NbGraderAPI(config=config)


def exercises(name, solutions):
    """The notebook for learners. RuntimeError with nbgrader's own words where nbgrader refuses."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "solutions", name, f"{name}.ipynb")
        source.parent.mkdir(parents=True)
        nbformat.write(solutions, source)
        outcome = course(folder, database=False).generate_assignment(name, force=True)
        if not outcome["success"]:
            raise RuntimeError(f"nbgrader cannot release {name}:\n{outcome.get('log') or outcome.get('error')}")
        return nbformat.read(Path(folder, "exercises", name, f"{name}.ipynb"), as_version=4)
