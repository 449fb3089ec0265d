"""Chapter 02: squared error and cross-entropy, their gradients, and the ways in which both go wrong."""
from bplib.grading import losses_binary, losses_classes, losses_squared

EXERCISES = losses_squared.EXERCISES + losses_binary.EXERCISES + losses_classes.EXERCISES
