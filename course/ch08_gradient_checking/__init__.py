"""Chapter 08, Gradient checking and the bug hunt."""

from course.labs import lazily

__all__, __getattr__ = lazily(__name__, labs=["BugHeatmap"], hunt=["scoreboard"])
