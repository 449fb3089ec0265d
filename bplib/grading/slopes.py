"""Chapter 04, Slopes by finite differences: its exercises, from one slope to a weak checker that the learner breaks."""
from bplib.grading.slopes_check import EXERCISES as CHECK
from bplib.grading.slopes_measure import EXERCISES as MEASURE

EXERCISES = (*MEASURE, *CHECK)
