"""bplib: the layers, losses and gradient checkers of Trust No Gradient. Small enough to read in one sitting.

Read the modules in the order of the imports below.
"""

from bplib import datasets as datasets, init as init
from bplib.layers import Layer as Layer, Linear as Linear, Residual as Residual, Sequential as Sequential
from bplib.activations import (
    ELU as ELU,
    GELU as GELU,
    Elementwise as Elementwise,
    LeakyReLU as LeakyReLU,
    ReLU as ReLU,
    Sigmoid as Sigmoid,
    Softmax as Softmax,
    Tanh as Tanh,
)
from bplib.normalization import BatchNorm as BatchNorm, Dropout as Dropout, LayerNorm as LayerNorm
from bplib.losses import (
    BinaryCrossEntropy as BinaryCrossEntropy,
    Loss as Loss,
    MSE as MSE,
    SoftmaxCrossEntropy as SoftmaxCrossEntropy,
)
from bplib.optim import (
    Momentum as Momentum,
    SGD as SGD,
    clip_by_global_norm as clip_by_global_norm,
    clip_by_norm as clip_by_norm,
    clip_by_value as clip_by_value,
    clip_weights as clip_weights,
)
from bplib.trace import trace as trace
from bplib.training import evaluate as evaluate, fit as fit
from bplib.gradcheck import (
    check_gradients as check_gradients,
    numerical_gradient as numerical_gradient,
    taylor_slopes as taylor_slopes,
)
