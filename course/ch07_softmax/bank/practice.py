"""Chapter 07, second part: the sanity checks that come before any training, and accuracy."""
import numpy as np

from bplib import SGD, Linear, ReLU, Sequential, SoftmaxCrossEntropy, Tanh, evaluate
from course.grading.core import Exercise, Mutant


def first_loss(k):
    """What a network that knows nothing has for a loss."""
    return np.log(k)


def accuracy(z, y):
    """The share of examples whose largest logit is that of the true class."""
    return np.mean(z.argmax(axis=1) == y)


def learns_by_heart(net, x, y, steps=400, lr=0.5):
    """Does training on these few examples get every one of them right?"""
    loss, optimiser = SoftmaxCrossEntropy(), SGD(net, lr)
    for _ in range(steps):
        loss.forward(net.forward(x), y)
        net.backward(loss.backward())
        optimiser.step()
    return bool(np.mean(net.forward(x).argmax(axis=1) == y) == 1)


class Blind(Linear):
    """A layer that sees one input only, whatever the examples are."""

    def forward(self, x, training=False):
        return super().forward(np.broadcast_to(x[:1], x.shape).copy())


def hidden(cls=Tanh, last=Linear):
    """A small network."""
    return Sequential(Linear(6, 24, rng=1), cls(), last(24, 3, rng=2))


NETWORKS = ("a right network", "a right network with random labels", "a network whose last layer sees one example only",
            "a right network with a ReLU")


def on_several(answer, x, y, random):
    """What the function says of networks that can learn, and of one that cannot."""
    said = []
    for make, labels in ((hidden, y), (hidden, random), (lambda: hidden(last=Blind), y), (lambda: hidden(ReLU), y)):
        value = answer(make(), x.copy(), labels.copy())
        array = np.asarray(value)
        said.append(f"no True or False, but {type(value).__name__}" if array.ndim or array.dtype.kind not in "biuf"
                    else "it can" if array else "it cannot")
    return tuple(said)


def a_few(rng):
    """Twelve examples of three classes, their labels, and random ones."""
    return rng.normal(0, 1, (12, 6)), np.arange(12) % 3, rng.permutation(np.arange(12) % 3)


def some_logits(rng):
    """Logits and labels, some of them right."""
    z, y = rng.normal(0, 1, (9, 4)) + rng.choice([-4, 4], (9, 1)), rng.integers(0, 4, 9)
    z[np.arange(5), y[:5]] += 5
    return z, y


def by_fit(net, x, y):
    """With the library's own loop."""
    from bplib import fit

    fit(net, SoftmaxCrossEntropy(), x, y, epochs=400, batch_size=len(x), lr=0.5, progress=False)
    return evaluate(net, SoftmaxCrossEntropy(), x, y)[1] == 1


def by_loss(net, x, y):
    """Judged by the loss."""
    learns_by_heart(net, x, y)
    return evaluate(net, SoftmaxCrossEntropy(), x, y)[0] < 0.3


EXERCISES = (
    Exercise(
        id="softmax.first_loss",
        title="The first loss",
        points=1,
        reference=first_loss,
        inputs=lambda rng: (int(rng.integers(3, 200)),),
        mutants=(
            Mutant("probability", lambda k: 1 / k,
                   "That is the probability of each class. The loss is minus its log."),
            Mutant("negative", lambda k: -np.log(k),
                   "The log of 1/k is negative, and the loss has a minus in front: it is positive."),
            Mutant("base-two", lambda k: np.log2(k),
                   "That is in bits, with the logarithm to the base 2. The cross-entropy uses the natural logarithm."),
            Mutant("base-ten", lambda k: np.log10(k),
                   "np.log10 is the logarithm to the base 10. The cross-entropy uses the natural one."),
            Mutant("count", lambda k: float(k), "That is the number of classes."),
            Mutant("surprise-of-the-rest", lambda k: -np.log(1 - 1 / k),
                   "That is how surprised it is by a *wrong* class. The loss looks at the true one."),
        ),
        variants={"minus log": lambda k: -np.log(1 / k), "equal logits": lambda k: float(np.logaddexp.reduce(np.zeros(k)))},
        shown="An untrained classifier should start near this loss. If it starts far above, look for the reason before you "
              "train.",
        hints=("A network that knows nothing gives every class the same probability. Which one?",
               "The loss of an example is minus the log of the true class's probability, here 1/k.",
               "Minus the log of 1/k is the log of k."),
    ),
    Exercise(
        id="softmax.accuracy",
        title="Accuracy",
        points=1,
        reference=accuracy,
        inputs=some_logits,
        mutants=(
            Mutant("along-the-batch", lambda z, y: np.mean(z.argmax(axis=0) == y[:z.shape[1]]),
                   "argmax(axis=0) finds the best *example* for each class. You want the best class of each example."),
            Mutant("count", lambda z, y: float(np.sum(z.argmax(axis=1) == y)),
                   "That is how many are right. The accuracy is their share."),
            Mutant("errors", lambda z, y: np.mean(z.argmax(axis=1) != y),
                   "That is the share that is wrong."),
            Mutant("least-likely", lambda z, y: np.mean(z.argmin(axis=1) == y),
                   "You looked for the smallest logit. The prediction is the class with the largest."),
            Mutant("positive-logit", lambda z, y: np.mean(z[np.arange(len(z)), y] > 0),
                   "You asked whether the true class's logit is positive. It has to be larger than all the others."),
            Mutant("probability", lambda z, y: np.mean(np.exp(z - z.max(1, keepdims=True))[np.arange(len(z)), y]
                                                       / np.exp(z - z.max(1, keepdims=True)).sum(axis=1)),
                   "That is the mean probability of the true class. Accuracy asks only whether it is the largest."),
            Mutant("per-class", lambda z, y: np.sum(z.argmax(axis=1) == y) / z.shape[1],
                   "You divided by the number of classes. It is a share of the examples."),
        ),
        variants={
            "loop": lambda z, y: sum(int(np.argmax(row) == label) for row, label in zip(z, y)) / len(y),
            "sorted": lambda z, y: (np.argsort(z, axis=1)[:, -1] == y).mean(),
        },
        hints=("Which class does the network choose for one row?",
               "np.argmax along the rows gives a class for each example. Compare it with y.",
               "The mean of a comparison is the share for which it is true."),
    ),
    Exercise(
        id="softmax.by_heart",
        title="Can it learn a few examples by heart?",
        points=3,
        reference=learns_by_heart,
        inputs=a_few,
        beside=True,
        run=on_several,
        parts=tuple(f"Your function, given {name}:" for name in NETWORKS),
        mutants=(
            Mutant("never", lambda net, x, y: learns_by_heart(net, x, y, steps=3),
                   "Your function finds that no network can, and three of these four can. Is there a training, with some hundred "
                   "steps and a learning rate near 0.5?"),
            Mutant("always", lambda net, x, y: True,
                   "Your function says yes to everything. One of these networks cannot learn: train it, and see whether *every* "
                   "example is right."),
            Mutant("upside-down", lambda net, x, y: not learns_by_heart(net, x, y),
                   "True and False have changed places."),
        ),
        variants={"fit": by_fit, "by loss": by_loss, "numpy bool": lambda net, x, y: np.bool_(learns_by_heart(net, x, y))},
        shown="Run this before any long training. A network that cannot learn a few examples by heart has something wrong with "
              "it.",
        hints=("Train with plain gradient descent on these few examples, all of them in each step.",
               "A loop of a few hundred steps: forward, loss, backward, SGD(net, 0.5).step(). Then look at the predictions.",
               "Afterwards compare the largest logit of every row with its label, and say whether all of them are right."),
    ),
)
