"""The labs that the lesson makes from the learner's own network. Here it is as large as theirs, and learns for a moment."""

NETWORK = """
from bplib import Linear, ReLU, Sequential, SoftmaxCrossEntropy, datasets, fit
from course.ch09_real_network import FirstLayer, Mistakes
data = datasets.fashion()
net = Sequential(Linear(784, 128, init="he", rng=0), ReLU(), Linear(128, 10, rng=1))
start = net.params["0.W"].copy()
fit(net, SoftmaxCrossEntropy(), data.x_train[:500], data.y_train[:500], epochs=1, lr=0.1, progress=False, rng=0)
"""
SHOWN = {"Mistakes": NETWORK + "Mistakes(net, data.x_test, data.y_test).show()",
         "FirstLayer": NETWORK + "FirstLayer(net, start=start).show()"}
