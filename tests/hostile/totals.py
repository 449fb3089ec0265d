"""Says at the end of a run how many hostile submissions were judged, and how many of them rightly."""


def pytest_terminal_summary(terminalreporter):
    def count(outcome):
        names = {report.nodeid for report in terminalreporter.stats.get(outcome, [])}
        return sum("test_hostile[" in name and "[honest work" not in name for name in names)

    right = count("passed")
    judged = right + count("failed") + count("error")
    if judged:
        terminalreporter.write_line(f"{judged} hostile submissions, {right} scored right")
