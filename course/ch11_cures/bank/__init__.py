"""Chapter 11, Cures: starting weights, normalisation, ways around a layer, and which cure for which patient."""
from course.ch11_cures.bank import dropout, init, norm, norm_back, paths, patients

PARTS = (init, norm, norm_back, paths, dropout, patients)
EXERCISES = tuple(exercise for part in PARTS for exercise in part.EXERCISES)
