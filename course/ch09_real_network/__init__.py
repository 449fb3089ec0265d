"""Chapter 09, A real network."""

from course.labs import lazily

__all__, __getattr__ = lazily(
    __name__, labs=["MysteryRun", "RealTraining", "TrainingDiagnostics"], pictures=["FirstLayer", "Mistakes"]
)
