"""Chapter 04, Slopes by finite differences: its exercises, from one slope to a weak checker that the learner breaks."""
from course.ch04_finite_differences.bank.check import EXERCISES as CHECK
from course.ch04_finite_differences.bank.measure import EXERCISES as MEASURE

EXERCISES = (*MEASURE, *CHECK)
