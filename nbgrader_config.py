"""nbgrader's settings, for teachers: `pip install -e .[teaching]`, then nbgrader's own commands in this folder."""

c = get_config()  # noqa: F821  (nbgrader provides it when it reads this file)

c.CourseDirectory.course_id = "trust-no-gradient"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "exercises"

# A comment, so that an untouched notebook runs from top to bottom without an error.
c.ClearSolutions.code_stub = {"python": "# Your code here."}
c.ClearSolutions.begin_solution_delimeter = "### BEGIN SOLUTION"
c.ClearSolutions.end_solution_delimeter = "### END SOLUTION"
