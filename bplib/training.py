"""Training: forward, loss, backward, step, again and again; and a record of how it went.

The loop in `fit` is the one that you write by hand in the chapters. What it adds is a record of every step, a progress
bar, and a stop with advice when numbers are no longer finite.
"""
import os
from collections import namedtuple
from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np

from bplib import _require
from bplib._threads import suited_to
from bplib.layers import fill_grads
from bplib.losses import BinaryCrossEntropy, SoftmaxCrossEntropy
from bplib.optim import SGD

CHUNK = 1000  # examples that `evaluate` puts through the network at once
DELAY = 1  # seconds; what is done sooner needs no progress bar

Step = namedtuple("Step", "loss norms ratios")
Epoch = namedtuple("Epoch", "loss accuracy validation_loss validation_accuracy")


class DivergedError(RuntimeError):
    """The loss or a gradient is no longer a finite number. `history` holds what happened before."""

    def __init__(self, message, history):
        super().__init__(message)
        self.history = history


class History:
    """How a training went: as arrays, for each of its k steps and at the end of each of its m epochs.

    An accuracy is nan where the loss is not one of classification, and an update ratio where a parameter is all zeros.
    `steps_per_epoch` is a whole number; `stopped` says why training ended early, or is empty.
    """

    def __init__(self, names, steps_per_epoch):
        self._names, self._steps, self._epochs = tuple(names), [], []
        self.steps_per_epoch, self.stopped = steps_per_epoch, ""

    @property
    def loss(self):
        """The loss of each step's batch, before the step: (k,)."""
        return np.array([step.loss for step in self._steps])

    @property
    def gradient_norms(self):
        """The length of each parameter's gradient in each step: {"0.W": (k,), ...}."""
        return self._by_parameter([step.norms for step in self._steps])

    @property
    def update_ratios(self):
        """The length of each update divided by that of its parameter: {"0.W": (k,), ...}."""
        return self._by_parameter([step.ratios for step in self._steps])

    @property
    def epoch_loss(self):
        """The loss on all training examples at the end of each epoch: (m,)."""
        return self._by_epoch("loss")

    @property
    def accuracy(self):
        """The share of training examples that are right at the end of each epoch: (m,)."""
        return self._by_epoch("accuracy")

    @property
    def validation_loss(self):
        """The loss on the validation data at the end of each epoch: (m,), or empty."""
        return self._by_epoch("validation_loss")

    @property
    def validation_accuracy(self):
        """The share of validation examples that are right at the end of each epoch: (m,), or empty."""
        return self._by_epoch("validation_accuracy")

    def _by_parameter(self, rows):
        table = np.array(rows).reshape(len(rows), len(self._names))
        return {name: table[:, place].copy() for place, name in enumerate(self._names)}

    def _by_epoch(self, what):
        values = [getattr(epoch, what) for epoch in self._epochs]
        return np.array([value for value in values if value is not None])

    def __repr__(self):
        end = f", stopped: {self.stopped}" if self.stopped else ""
        last = f", last loss {self._steps[-1].loss:.4g}" if self._steps else ""
        return f"History({len(self._steps)} steps, {len(self._epochs)} epochs{last}{end})"


def evaluate(net, loss, x, y):
    """The loss and the accuracy on a whole data set, in evaluation mode, a thousand examples at a time.

    Parameters
    ----------
    net, loss : a network and its loss. x : (n, ...). y : (n, ...), as the loss expects it.

    Returns
    -------
    loss : the mean over all examples. accuracy : the share of examples whose likeliest class is the true one (for
        `BinaryCrossEntropy`: whose logit has the right sign); nan for other losses.

    Raises
    ------
    ValueError : x and y differ in length, or are empty; and what the network and the loss raise.
    """
    x, y = _pairs(x, y, "evaluate")
    total = right = 0.0
    for start in range(0, len(x), CHUNK):
        y_hat, targets = net.forward(x[start:start + CHUNK]), y[start:start + CHUNK]
        total += loss.forward(y_hat, targets) * len(targets)
        right += _right(loss, y_hat, targets) * len(targets)
    return total / len(x), right / len(x)


def fit(net, loss, x, y, epochs=10, batch_size=64, lr=None, optimiser=None, validation=None, rng=0, shuffle=True,
        progress=True, on_epoch=None):
    """Train a network with mini-batches, and return the `History`.

    Each epoch puts the examples in a new random order and cuts it into batches; the last one may be smaller. A progress bar
    shows the loss and the time left once training takes longer than a second. Ctrl-C (in a notebook: the square) ends the
    training, and what was learned so far is kept and returned. Small matrices are multiplied by one thread.

    Parameters
    ----------
    net : a layer such as a Sequential; it is changed. loss : a Loss. x, y : n examples and their targets.
    epochs, batch_size : whole numbers. lr : the learning rate of plain SGD, 0.1 where nothing is given; or
    optimiser : such as `Momentum(net, 0.1)`, made for this net.
    validation : a pair (x, y) that is only looked at. rng : a seed or a Generator, for the order. shuffle : a new order at
    each epoch? progress : a bar? on_epoch : called as on_epoch(history, epoch) after each epoch; if it returns True,
    training stops.

    Raises
    ------
    TypeError, ValueError : an argument is not what it should be. DivergedError : the loss or a gradient became infinite or
        nan; the parameters are those before that step.
    """
    x, y = _pairs(x, y, "fit")
    if validation is not None:
        validation = _pairs(*_pair(validation), "fit", "validation x", "validation y")
    epochs, batch_size = _require.whole(epochs, "fit", "epochs"), _require.whole(batch_size, "fit", "batch_size")
    if lr is not None and optimiser is not None:
        raise ValueError("fit: expected lr or optimiser, got both. The optimiser has its own learning rate.")
    optimiser = optimiser or SGD(net, 0.1 if lr is None else lr)
    if getattr(optimiser, "net", net) is not net:
        raise ValueError("fit: the optimiser was made for another network, so this one would not learn.")
    rng = _require.generator(rng)

    n = len(x)
    starts = range(0, n, batch_size)
    history = History(net.params, len(starts))
    largest = batch_size * max((param.size for param in net.params.values()), default=0)
    with _bar(epochs * len(starts), progress) as bar, suited_to(multiplications=largest):
        try:
            for epoch in range(epochs):
                order = rng.permutation(n) if shuffle else np.arange(n)
                for start in starts:
                    batch = order[start:start + batch_size]
                    value = loss.forward(net.forward(x[batch], training=True), y[batch])
                    fill_grads(net, loss.backward())
                    norms = {name: _length(grad) for name, grad in net.grads.items()}
                    _require_finite(value, norms, optimiser, history)
                    before = {name: param.copy() for name, param in net.params.items()}
                    optimiser.step()
                    ratios = [_ratio(param, before[name]) for name, param in net.params.items()]
                    history._steps.append(Step(value, [norms[name] for name in before], ratios))
                    bar.set_postfix_str(f"epoch {epoch + 1}, loss {value:.4g}", refresh=False)
                    bar.update()
                history._epochs.append(Epoch(*evaluate(net, loss, x, y),
                                             *(evaluate(net, loss, *validation) if validation else (None, None))))
                if on_epoch is not None and on_epoch(history, epoch):
                    history.stopped = f"on_epoch said so after epoch {epoch + 1}"
                    break
        except KeyboardInterrupt:
            history.stopped = "interrupted"
    return history


def _pair(validation):
    if not isinstance(validation, (tuple, list)) or len(validation) != 2:
        raise TypeError(f"fit: expected validation to be a pair (x, y), got {type(validation).__name__}.")
    return validation


def _pairs(x, y, who, x_name="x", y_name="y"):
    x, y = _require.batch(x, who, name=x_name), np.asarray(y)
    if y.ndim == 0 or len(x) != len(y):
        raise ValueError(f"{who}: expected as many targets as examples, got {x_name} of shape {x.shape} and "
                         f"{y_name} of shape {y.shape}.")
    for name, array in ((x_name, x), (y_name, y)):
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            place = tuple(map(int, np.argwhere(~np.isfinite(array))[0]))
            raise ValueError(f"{who}: expected finite numbers, got {array[place]} in {name} at {place}.")
    return x, y


def _right(loss, y_hat, y):
    if isinstance(loss, SoftmaxCrossEntropy):
        return np.mean(y_hat.argmax(axis=1) == y)
    if isinstance(loss, BinaryCrossEntropy):
        return np.mean((y_hat > 0) == (y > 0.5))
    return np.nan


def _length(array):
    return float(np.sqrt(np.vdot(array, array)))


def _ratio(param, before):
    length = _length(before)
    return _length(param - before) / length if length else np.nan


def _require_finite(value, norms, optimiser, history):
    wrong = [name for name, norm in norms.items() if not np.isfinite(norm)]
    if np.isfinite(value) and not wrong:
        return
    step, lr = len(history._steps), getattr(optimiser, "lr", None)
    what = f"the gradient of {wrong[-1]} is not finite" if np.isfinite(value) else f"the loss is {value}"
    first = f" It was {history._steps[0].loss:.4g} at first and {history._steps[-1].loss:.4g} a step ago." if step else ""
    smaller = f"a smaller learning rate (it is {lr:g}; try {lr / 10:g})" if lr else "a smaller learning rate"
    history.stopped = f"{what} at step {step}"
    advice = (f"Try {smaller}." if step else "No step was taken yet, so it is not the learning rate: "
              "try smaller initial weights, and inputs of a size near 1.")
    raise DivergedError(f"fit: {what} at step {step}.{first} {advice} If that does not help, check the gradients with "
                        "check_gradients, and look for a log or a division of 0.", history)


def _bar(steps, progress):
    try:
        from tqdm.auto import tqdm
    except ImportError:  # bplib asks for NumPy only; then there is no bar
        return nullcontext(SimpleNamespace(update=lambda: None, set_postfix_str=lambda text, refresh: None))
    # tqdm itself reads TQDM_DISABLE for its bar of text, but not for that of a notebook.
    off = not progress or os.environ.get("TQDM_DISABLE", "0") not in ("", "0")
    return tqdm(total=steps, desc="training", unit="step", delay=DELAY, leave=False, disable=off)
