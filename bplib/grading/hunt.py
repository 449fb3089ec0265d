"""Chapter 08: thirteen programs with a mistake each, to be located and repaired, and six sentences to be judged."""

from bplib.grading import hunt_claims, hunt_gradients as gradients, hunt_training as training

EXERCISES = (
    gradients.M1 + gradients.M2 + gradients.M3 + gradients.M4 + training.M5 + training.M6 + training.M7 + training.M8
    + training.M9 + training.M10 + training.M11 + gradients.M12 + gradients.M13 + hunt_claims.EXERCISES
)
