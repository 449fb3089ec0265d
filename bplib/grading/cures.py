"""Chapter 11, Cures: starting weights, normalisation, ways around a layer, and which cure for which patient."""
from bplib.grading import cures_dropout, cures_init, cures_norm, cures_norm_back, cures_paths, cures_patients

PARTS = (cures_init, cures_norm, cures_norm_back, cures_paths, cures_dropout, cures_patients)
EXERCISES = tuple(exercise for part in PARTS for exercise in part.EXERCISES)
