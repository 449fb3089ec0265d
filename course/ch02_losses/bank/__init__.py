"""Chapter 02: squared error and cross-entropy, their gradients, and the ways in which both go wrong."""
from course.ch02_losses.bank import binary, classes, squared

EXERCISES = squared.EXERCISES + binary.EXERCISES + classes.EXERCISES
