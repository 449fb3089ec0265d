"""Chapter 08: thirteen programs with a mistake each, to be located and repaired, and six sentences to be judged."""

from course.ch08_gradient_checking.bank import claims, gradients, training

EXERCISES = (
    gradients.M1 + gradients.M2 + gradients.M3 + gradients.M4 + training.M5 + training.M6 + training.M7 + training.M8
    + training.M9 + training.M10 + training.M11 + gradients.M12 + gradients.M13 + claims.EXERCISES
)
