"""Chapter 06, Backpropagation through layers: its exercises, from one layer's backward to a network of one's own."""
from bplib.grading.backprop_layers import EXERCISES as LAYERS
from bplib.grading.backprop_networks import EXERCISES as NETWORKS

EXERCISES = (*LAYERS, *NETWORKS)
