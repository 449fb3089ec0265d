"""Chapter 07, Softmax and classification: its exercises, from the Jacobian to a network that learns by heart."""
from course.ch07_softmax.bank.gradients import EXERCISES as GRADIENTS
from course.ch07_softmax.bank.practice import EXERCISES as PRACTICE

EXERCISES = (*GRADIENTS, *PRACTICE)
