"""Chapter 06, Backpropagation through layers: its exercises, from one layer's backward to a network of one's own."""
from course.ch06_backprop_layers.bank.layers import EXERCISES as LAYERS
from course.ch06_backprop_layers.bank.networks import EXERCISES as NETWORKS

EXERCISES = (*LAYERS, *NETWORKS)
