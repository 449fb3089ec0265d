"""The bug hunt, third part: six sentences about backpropagation, m14 to m19, each to be judged and proved by a cell."""

from types import SimpleNamespace

import numpy as np

from bplib import MSE, SGD, Linear, Sequential, Sigmoid, SoftmaxCrossEntropy, Tanh, trace
from bplib.grading.core import Mutant
from bplib.grading.hunt_parts import claim


def small_network():
    """The network 4-5-3-2 of the exercises, its loss, and a batch of six."""
    rng = np.random.default_rng(8)
    net = Sequential(Linear(4, 5, rng=1), Tanh(), Linear(5, 3, rng=2), Tanh(), Linear(3, 2, rng=3))
    return SimpleNamespace(net=net, loss=MSE(), x=rng.normal(0, 1, (6, 4)), y=rng.normal(0, 1, (6, 2)))


def input_gradient():
    """dL/dx of the small network, (6, 4)."""
    small = small_network()
    small.loss.forward(small.net.forward(small.x), small.y)
    return small.net.backward(small.loss.backward())


def first_to_last(depth=20):
    """The length of the first layer's weight gradient divided by that of the last, in a deep network of sigmoids."""
    layers = [layer for i in range(depth) for layer in (Linear(8, 8, rng=i), Sigmoid())]
    rng = np.random.default_rng(16)
    norms = trace(Sequential(*layers), MSE(), rng.normal(0, 1, (32, 8)), rng.uniform(0, 1, (32, 8))).gradient_norms()
    return norms["0.W"] / norms[f"{2 * depth - 2}.W"]


def largest_change(step=False):
    """How far any parameter of the small network moves in one forward and one backward, and in a step where there is one."""
    small = small_network()
    before = {name: param.copy() for name, param in small.net.params.items()}
    small.loss.forward(small.net.forward(small.x), small.y)
    small.net.backward(small.loss.backward())
    if step:
        SGD(small.net, lr=0.1).step()
    return max(float(np.abs(param - before[name]).max()) for name, param in small.net.params.items())


def noise_ratio(size=16, mean=lambda d: np.sqrt(np.mean(d**2))):
    """The noise of gradients of single examples divided by that of mini-batches, taken in order."""
    rng = np.random.default_rng(19)
    x = rng.normal(0, 1, (512, 6))
    y = (x @ rng.normal(0, 1, 6) + rng.normal(0, 1, 512) > 0).astype(int)
    layer, loss = Linear(6, 2, rng=4), SoftmaxCrossEntropy()

    def gradient(rows):
        loss.forward(layer.forward(x[rows]), y[rows])
        layer.backward(loss.backward())
        return layer.grads["W"]

    whole = gradient(slice(None))

    def noise(size):
        return mean(np.array([np.linalg.norm(gradient(slice(i, i + size)) - whole) for i in range(0, 512, size)]))

    return float(noise(1) / noise(size))


LARGEST, RATIO, NOISE, STEP = float(np.abs(input_gradient()).max()), first_to_last(), noise_ratio(), largest_change(step=True)

EXERCISES = (
    claim("m14", "Which layer's slope?", (False, np.array([6, 3])), "the shape that the middle factor must have", (
        Mutant("believed", (True, (6, 3)), "The shape is right, and it is not the shape of the printed factor. So can the "
                                           "formula be computed as printed?"),
        Mutant("as-printed", (False, (6, 5)), "This is the shape of the factor as printed. Asked for is the one that fits."),
        Mutant("believed-as-printed", (True, (6, 5)), "The slope as printed has this shape. Its neighbour on the left has "
                                                      "another, and the two are multiplied entry by entry."),
        Mutant("turned", (False, (3, 6)), "Rows are examples: the shape is the other way round."),
        Mutant("weights", (False, (5, 3)), "This is the shape of the weights, which is what the whole product must have. "
                                           "Asked for is the middle factor."),
    ), ("The first two factors are multiplied entry by entry. What does that ask of their shapes?",
        "Read the shape of dL/da of layer 2 from the widths: the batch, and the width of that layer."),
        variants={"as a list": [False, [6, 3]], "NumPy's": (np.False_, np.array([6, 3])), "zero": (0 == 1, (6.0, 3.0))}),
    claim("m15", "Inputs and gradients", (False, LARGEST), "the largest size of an entry of dL/dx", (
        Mutant("believed", (True, LARGEST), "You measured a gradient that is not zero, and say that it is zero."),
        Mutant("believed-unmeasured", (True, 0.0), "Whether x changes during training is one thing. How the loss would change "
                                                   "if it did is another, and it can be measured: do."),
        Mutant("smallest", (False, float(np.abs(input_gradient()).min())), "This is the smallest entry. One zero would prove "
                                                                           "nothing; the largest settles it."),
        Mutant("signed", (False, float(input_gradient().max())), "This is the largest entry, with its sign. Another one is "
                                                                 "further from zero, and negative."),
        Mutant("length", (False, float(np.linalg.norm(input_gradient()))), "This is the length of the whole gradient. Asked "
                                                                          "for is its largest entry."),
    ), ("What does net.backward return?", "Take the size of each entry, then the largest of them.")),
    claim("m16", "Deep networks", (False, RATIO), "the first layer's gradient length divided by the last layer's", (
        Mutant("believed", (True, RATIO), "Your own number says that next to nothing arrives at the first layer."),
        Mutant("upside-down", (False, 1 / RATIO), "This is the last divided by the first: turn it round."),
        Mutant("shallow", (False, first_to_last(10)), "This is the ratio for ten layers. Take all twenty."),
        Mutant("logarithm", (False, float(np.log10(RATIO))), "This is the ratio as a power of ten. Give the ratio itself."),
    ), ("trace(net, loss, x, y).gradient_norms() knows all lengths by name.",
        "The first weights are 0.W. Between two layers with weights stands an activation, so the last are 38.W.")),
    claim("m17", "What backpropagation is", (False, 0.0), "the largest change of any parameter", (
        Mutant("believed", (True, 0.0), "Nothing moved. A kind of gradient descent that does not descend?"),
        Mutant("with-a-step", (False, STEP), "This is the change after the optimiser's step. Measure before it: "
                                             "after forward and backward alone."),
        Mutant("believed-with-a-step", (True, STEP), "The parameters moved because an optimiser stepped. Measure what backward "
                                                     "does by itself."),
    ), ("Copy every parameter, run forward and backward, compare.",
        "A copy has to be made with .copy(); another name for the same array changes with it."),
        variants={"as a list": [False, 0], "NumPy's": (np.False_, np.float64(0))}),
    claim("m18", "The year", (False, 1970), "the year in which reverse-mode differentiation was first published", (
        Mutant("believed", (True, 1986), "Rumelhart, Hinton and Williams made it popular in 1986. Others had it before."),
        Mutant("doubted", (False, 1986), "You say that it was not 1986, and then give that year."),
        Mutant("believed-and-earlier", (True, 1970), "The year is right, and it is not 1986. Your verdict says it is."),
        Mutant("werbos", (False, 1974), "In 1974 Werbos described it in his thesis. The method itself had been published a few "
                                        "years before, in Finland."),
        Mutant("robbins", (False, 1951), "1951 is the year of stochastic gradient descent, by Robbins and Monro. It uses "
                                         "gradients, and says nothing of how to compute them."),
        Mutant("cauchy", (False, 1847), "1847 is the year of gradient descent, by Cauchy. It uses gradients, and does "
                                        "not say how to compute them."),
        Mutant("kelley", (False, 1960), "Kelley in 1960 sent derivatives backward through the steps of a control problem: an "
                                        "ancestor. Reverse mode for any program came ten years later."),
    ), ("Look at the table above. Which entry is about any program, not about networks?",
        "It was the master's thesis of a student in Helsinki."),
        variants={"as a list": [False, 1970.0]}, rtol=1e-9),
    claim("m19", "One example or all", (False, NOISE), "how many times noisier single examples are than batches of 16", (
        Mutant("believed", (True, NOISE), "You measured a third way between one and all. So is there only one other?"),
        Mutant("upside-down", (False, 1 / NOISE), "This is the noise of batches by that of single examples. Turn it round."),
        Mutant("theory", (False, 4.0), "The square root of 16 is what theory promises on average. Give what you measured."),
        Mutant("other-size", (False, noise_ratio(32)), "This is the number for batches of 32. Take 16."),
        Mutant("mean-distance", (False, noise_ratio(mean=np.mean)), "You took the mean of the distances. Asked for is the root "
                                                                    "of the mean of their squares."),
        Mutant("variance", (False, noise_ratio(mean=lambda d: np.mean(d**2))), "This compares squares: the root is missing."),
    ), ("The cell above defines noise(size). Call it twice.", "Divide the noise of single examples by that of batches of 16.")),
)
