"""Chapter 09: a real network, from its first forward pass to its last mistake."""
from course.ch09_real_network.bank import data, passes, runs

EXERCISES = passes.EXERCISES + data.EXERCISES + runs.EXERCISES
