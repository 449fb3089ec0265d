"""The bug hunt, third part: six sentences about backpropagation, m14 to m19, each to be judged and proved by a cell."""

import numpy as np

from course.ch08_gradient_checking.bank.parts import claim
from course.grading.core import Mutant

# What the cells of the exercises measure; tests/grading/test_hunt.py measures it again. Numbers rather than computations,
# so that whoever imports the exercises does not train networks first.
LARGEST, SMALLEST, LARGEST_SIGNED, LENGTH = 0.240993, 0.00654494, 0.111349, 0.458756  # of dL/dx
RATIO, RATIO_OF_TEN = 4.11556e-13, 2.36111e-06  # first to last gradient length, with twenty and with ten layers
STEP = 0.201403  # the largest change of a parameter in a step with learning rate 0.1
NOISE, NOISE_32, NOISE_MEAN, NOISE_SQUARED = 3.9283, 6.09192, 3.6111, 15.4316

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
        Mutant("smallest", (False, SMALLEST), "This is the smallest entry. One zero would prove "
                                                                           "nothing; the largest settles it."),
        Mutant("signed", (False, LARGEST_SIGNED), "This is the largest entry, with its sign. Another one is "
                                                                 "further from zero, and negative."),
        Mutant("length", (False, LENGTH), "This is the length of the whole gradient. Asked "
                                                                          "for is its largest entry."),
    ), ("What does net.backward return?", "Take the size of each entry, then the largest of them.")),
    claim("m16", "Deep networks", (False, RATIO), "the first layer's gradient length divided by the last layer's", (
        Mutant("believed", (True, RATIO), "Your own number says that next to nothing arrives at the first layer."),
        Mutant("upside-down", (False, 1 / RATIO), "This is the last divided by the first: turn it round."),
        Mutant("shallow", (False, RATIO_OF_TEN), "This is the ratio for ten layers. Take all twenty."),
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
        Mutant("other-size", (False, NOISE_32), "This is the number for batches of 32. Take 16."),
        Mutant("mean-distance", (False, NOISE_MEAN), "You took the mean of the distances. Asked for is the root "
                                                                    "of the mean of their squares."),
        Mutant("variance", (False, NOISE_SQUARED), "This compares squares: the root is missing."),
    ), ("The cell above defines noise(size). Call it twice.", "Divide the noise of single examples by that of batches of 16.")),
)
