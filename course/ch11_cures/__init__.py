"""Chapter 11, Cures."""

from course.labs import lazily

__all__, __getattr__ = lazily(__name__, labs=["CureRace", "GainLaw"])
