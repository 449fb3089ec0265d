"""Chapter 05: the chain rule, from one operation to the reverse sweep over any graph."""
from bplib.grading import chain_rule_fill, chain_rule_steps, chain_rule_sweep

EXERCISES = chain_rule_steps.EXERCISES + chain_rule_fill.EXERCISES + chain_rule_sweep.EXERCISES
