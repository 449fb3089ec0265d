"""bplib: the layers, losses and gradient checkers of Trust No Gradient. Small enough to read in one sitting.

Read the modules in the order of the imports below.
"""

from bplib import datasets as datasets, init as init
from bplib.layers import Layer as Layer, Linear as Linear, Sequential as Sequential
from bplib.activations import (
    Elementwise as Elementwise,
    LeakyReLU as LeakyReLU,
    ReLU as ReLU,
    Sigmoid as Sigmoid,
    Softmax as Softmax,
    Tanh as Tanh,
)
from bplib.losses import (
    BinaryCrossEntropy as BinaryCrossEntropy,
    Loss as Loss,
    MSE as MSE,
    SoftmaxCrossEntropy as SoftmaxCrossEntropy,
)
from bplib.optim import Momentum as Momentum, SGD as SGD
from bplib.trace import trace as trace
from bplib.training import evaluate as evaluate, fit as fit
from bplib.gradcheck import (
    check_gradients as check_gradients,
    numerical_gradient as numerical_gradient,
    taylor_slopes as taylor_slopes,
)
