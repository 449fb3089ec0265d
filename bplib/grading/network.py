"""Chapter 09: a real network, from its first forward pass to its last mistake."""
from bplib.grading import network_data, network_pass, network_runs

EXERCISES = network_pass.EXERCISES + network_data.EXERCISES + network_runs.EXERCISES
