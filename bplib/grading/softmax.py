"""Chapter 07, Softmax and classification: its exercises, from the Jacobian to a network that learns by heart."""
from bplib.grading.softmax_gradients import EXERCISES as GRADIENTS
from bplib.grading.softmax_practice import EXERCISES as PRACTICE

EXERCISES = (*GRADIENTS, *PRACTICE)
