"""Says at the end of a run how many hostile submissions were judged, and how many of them rightly."""


def pytest_terminal_summary(terminalreporter):
    def count(outcome):
        reports = terminalreporter.stats.get(outcome, [])
        return len({report.nodeid for report in reports if "test_hostile[" in report.nodeid and "[honest work" not in report.nodeid})

    right = count("passed")
    judged = right + count("failed") + count("error")
    if judged:
        terminalreporter.write_line(f"{judged} hostile submissions, {right} scored right")
