"""Chapter 05: the chain rule, from one operation to the reverse sweep over any graph."""
from course.ch05_chain_rule.bank import fill, steps, sweep

EXERCISES = steps.EXERCISES + fill.EXERCISES + sweep.EXERCISES
