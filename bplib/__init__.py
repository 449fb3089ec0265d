"""bplib: the layers, losses and gradient checkers of Trust No Gradient. Small enough to read in one sitting.

Read the modules in the order of the imports below.
"""
from bplib import datasets as datasets
from bplib import init as init
from bplib.activations import (
    Elementwise as Elementwise,
)
from bplib.activations import (
    LeakyReLU as LeakyReLU,
)
from bplib.activations import (
    ReLU as ReLU,
)
from bplib.activations import (
    Sigmoid as Sigmoid,
)
from bplib.activations import (
    Softmax as Softmax,
)
from bplib.activations import (
    Tanh as Tanh,
)
from bplib.gradcheck import (
    check_gradients as check_gradients,
)
from bplib.gradcheck import (
    numerical_gradient as numerical_gradient,
)
from bplib.gradcheck import (
    taylor_slopes as taylor_slopes,
)
from bplib.layers import Layer as Layer
from bplib.layers import Linear as Linear
from bplib.layers import Sequential as Sequential
from bplib.losses import (
    MSE as MSE,
)
from bplib.losses import (
    BinaryCrossEntropy as BinaryCrossEntropy,
)
from bplib.losses import (
    Loss as Loss,
)
from bplib.losses import (
    SoftmaxCrossEntropy as SoftmaxCrossEntropy,
)
from bplib.optim import SGD as SGD
from bplib.trace import trace as trace
