"""Chapter 09, first part: the whole network forward, backward, and through one epoch."""

import numpy as np

from bplib import Linear, ReLU, Sequential, Softmax, SoftmaxCrossEntropy
from course.grading.core import Exercise, Mutant

softmax = Softmax().f


def relu(z):
    """What is positive, and 0 for the rest."""
    return np.maximum(z, 0)


def one_hot(y, k):
    """Rows of zeros with a 1 at the label."""
    return np.eye(k)[y]


def cross_entropy(z, y):
    """The mean of log-sum-exp minus the true logit."""
    z = z - z.max(axis=1, keepdims=True)
    return float(np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(y)), y]))


# Forward: every intermediate, and the loss.


def forward(x, y, W1, b1, W2, b2):
    """z1, a1, z2 and the loss."""
    z1 = x @ W1 + b1
    a1 = relu(z1)
    z2 = a1 @ W2 + b2
    return z1, a1, z2, cross_entropy(z2, y)


def forward_but(hidden=relu, last=lambda z: z, loss=cross_entropy, bias1=1, bias2=1):
    """The same with something exchanged."""

    def answer(x, y, W1, b1, W2, b2):
        z1 = x @ W1 + bias1 * b1
        a1 = hidden(z1)
        z2 = last(a1 @ W2 + bias2 * b2)
        return z1, a1, z2, loss(z2, y)

    return answer


def looked_up(z, y):
    """Minus the mean log of the probability of the true class."""
    return -np.mean(np.log(softmax(z)[np.arange(len(y)), y]))


def overflowing(z, y):
    """The formula as it stands."""
    return np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(y)), y])


def forward_by_library(x, y, W1, b1, W2, b2):
    """Through bplib's layers."""
    first, activation, second = Linear(*W1.shape), ReLU(), Linear(*W2.shape)
    for layer, W, b in ((first, W1, b1), (second, W2, b2)):
        layer.params["W"][...], layer.params["b"][...] = W, b
    z1 = first.forward(x)
    a1 = activation.forward(z1)
    z2 = second.forward(a1)
    return z1, a1, z2, SoftmaxCrossEntropy().forward(z2, y)


def forward_in_loops(x, y, W1, b1, W2, b2):
    """Example by example."""
    rows = []
    for row in x:
        z1 = np.array([row @ column for column in W1.T]) + b1
        a1 = np.where(z1 > 0, z1, 0)
        rows.append((z1, a1, np.array([a1 @ column for column in W2.T]) + b2))
    z1, a1, z2 = (np.array(parts) for parts in zip(*rows))
    return [z1, a1, z2, cross_entropy(z2, y)]


# Backward: both error terms and all gradients.


def backward(x, y, W1, b1, W2, b2):
    """delta2, dW2, db2, delta1, dW1, db1."""
    z1 = x @ W1 + b1
    a1 = relu(z1)
    delta2 = (softmax(a1 @ W2 + b2) - one_hot(y, len(b2))) / len(x)
    delta1 = delta2 @ W2.T * (z1 > 0)
    return delta2, a1.T @ delta2, delta2.sum(axis=0), delta1, x.T @ delta1, delta1.sum(axis=0)


def difference(z2, y):
    """p - y, not averaged."""
    return softmax(z2) - one_hot(y, z2.shape[1])


def backward_but(top=lambda z2, y: difference(z2, y) / len(y), mask=lambda z1, da: z1 > 0, add=lambda delta: delta.sum(axis=0),
                 met=relu, scale=1.0, back=lambda delta2, W2: delta2 @ W2.T):
    """The same with something exchanged: delta2, the factor of the ReLU, db, what W2 met, and what dW and db are divided by."""

    def answer(x, y, W1, b1, W2, b2):
        z1 = x @ W1 + b1
        delta2 = top(relu(z1) @ W2 + b2, y)
        da = back(delta2, W2)
        delta1 = da * mask(z1, da)
        scaled = scale if scale == 1 else 1 / len(x)
        return (delta2, scaled * met(z1).T @ delta2, scaled * add(delta2), delta1, scaled * x.T @ delta1, scaled * add(delta1))

    return answer


def backward_by_library(x, y, W1, b1, W2, b2):
    """Through bplib's layers, with the error terms caught on the way."""
    net, loss = Sequential(Linear(*W1.shape), ReLU(), Linear(*W2.shape)), SoftmaxCrossEntropy()
    for name, value in {"0.W": W1, "0.b": b1, "2.W": W2, "2.b": b2}.items():
        net.params[name][...] = value
    loss.forward(net.forward(x), y)
    delta2 = loss.backward()
    delta1 = net[1].backward(net[2].backward(delta2))
    net[0].backward(delta1)
    return delta2, net.grads["2.W"], net.grads["2.b"], delta1, net.grads["0.W"], net.grads["0.b"]


def backward_example_by_example(x, y, W1, b1, W2, b2):
    """One example at a time, added up."""
    parts = [backward(x[i:i + 1], y[i:i + 1], W1, b1, W2, b2) for i in range(len(x))]
    delta2, dW2, db2, delta1, dW1, db1 = (np.array(part) / len(x) for part in zip(*parts))
    return delta2[:, 0], dW2.sum(0), db2.sum(0), delta1[:, 0], dW1.sum(0), db1.sum(0)


# One epoch of mini-batches.


def epoch(x, y, W1, b1, W2, b2, order, batch_size, lr):
    """W1, b1, W2, b2 after one pass through the examples in the given order."""
    for start in range(0, len(x), batch_size):
        batch = order[start:start + batch_size]
        _, dW2, db2, _, dW1, db1 = backward(x[batch], y[batch], W1, b1, W2, b2)
        W1, b1, W2, b2 = W1 - lr * dW1, b1 - lr * db1, W2 - lr * dW2, b2 - lr * db2
    return W1, b1, W2, b2


def epoch_but(batches=lambda n, order, size: [(order[i:i + size],) * 2 for i in range(0, n, size)], rate=lambda lr, m, n: lr,
              biases=1, stale=False, in_place=False, early=False):
    """The same with something exchanged: the rows of x and of y in each batch, the step, and when weights change."""

    def answer(x, y, W1, b1, W2, b2, order, batch_size, lr):
        W1, b1, W2, b2 = weights = [W if in_place else W.copy() for W in (W1, b1, W2, b2)]
        start = [W.copy() for W in weights]
        for rows, labels in batches(len(x), order, batch_size):
            step = rate(lr, len(rows), len(x))
            _, dW2, db2, _, dW1, db1 = backward(x[rows], y[labels], *(start if stale else weights))
            W2 -= step * dW2
            if early:
                _, _, _, _, dW1, db1 = backward_with(x[rows], y[labels], W1, b1, start[2], start[3], W2)
                start[2][...], start[3][...] = W2, b2 - step * db2
            W1 -= step * dW1
            b1 -= biases * step * db1
            b2 -= biases * step * db2
        return W1, b1, W2, b2

    return answer


def backward_with(x, y, W1, b1, W2, b2, changed):
    """The gradients if delta1 goes back through weights that have been changed already."""
    return backward_but(back=lambda delta2, W2: delta2 @ changed.T)(x, y, W1, b1, W2, b2)


def epoch_by_split(x, y, W1, b1, W2, b2, order, batch_size, lr):
    """Shuffled first, then cut."""
    weights = [W1, b1, W2, b2]
    cuts = range(batch_size, len(x), batch_size)
    for some, labels in zip(np.split(x[order], cuts), np.split(y[order], cuts)):
        _, dW2, db2, _, dW1, db1 = backward_by_library(some, labels, *weights)
        weights = [W - lr * dW for W, dW in zip(weights, (dW1, db1, dW2, db2))]
    return weights


def network(rng):
    """A batch with labels, in which every class occurs, and a network for it."""
    n, d, h, k = int(rng.integers(8, 11)), 6, 5, 3
    y = rng.permutation([*range(k), *rng.integers(0, k, n - k)])
    return (rng.normal(0.3, 1, (n, d)), y, rng.normal(0, 0.6, (d, h)), rng.normal(0, 0.5, h),
            rng.normal(0, 0.8, (h, k)), rng.normal(0, 0.5, k))


def with_order(rng):
    """The same with an order, a batch size that leaves a smaller last batch, and a learning rate."""
    arguments = network(rng)
    n = len(arguments[0])
    return *arguments, rng.permutation(n), 4 if n % 4 else 3, float(rng.uniform(0.3, 0.6))


ONE = (np.array([[0.5, -1.0, 2.0]]), np.array([1]), np.array([[1.0, -0.5], [0.2, 0.3], [-0.4, 0.8]]), np.array([0.7, -0.2]),
       np.array([[0.6, -0.3, 0.2, 0.1], [1.1, 0.4, -0.9, 0.3]]), np.array([0.1, -0.2, 0.3, 0.4]))
LARGE = (*ONE[:4], 1e4 * ONE[4], ONE[5])
LARGE_AND_RIGHT = (ONE[0], forward(*LARGE)[2].argmax(axis=1), *LARGE[2:])
CORNER = (np.array([[0.5, -1.0], [1.5, 0.4], [-0.7, 0.9]]), np.array([1, 0, 2]), np.array([[0.0, 0.8, -0.6], [0.0, 0.5, 0.9]]),
          np.array([0.0, 0.3, 0.2]), np.array([[0.6, -0.3, 0.2], [1.1, 0.4, -0.9], [0.3, 0.7, 0.5]]), np.array([0.1, -0.2, 0.3]))

FORWARD = Exercise(
    id="real_network.forward",
    title="The whole network, forward",
    points=2,
    reference=forward,
    inputs=network,
    parts=("z1", "a1", "z2", "L"),
    edge_cases=(("one example", ONE), ("logits of 10,000 that are wrong", LARGE),
                ("logits of 10,000 that are right", LARGE_AND_RIGHT)),
    mutants=(
        Mutant("no-activation", forward_but(hidden=lambda z: z),
               "There is no ReLU between the layers. Two linear layers in a row are one linear layer."),
        Mutant("relu-at-the-end", forward_but(last=relu),
               "You put a ReLU behind the last layer too. Logits may be negative: a class that is unlikely needs one."),
        Mutant("sigmoid", forward_but(hidden=lambda z: 1 / (1 + np.exp(-z))),
               "The hidden layer has a sigmoid. Asked for is a ReLU."),
        Mutant("absolute", forward_but(hidden=np.abs), "You took the size of z1. A ReLU sets the negative ones to 0."),
        Mutant("softmax-twice", forward_but(last=softmax),
               "Your z2 are probabilities, and the loss takes the softmax of them once more. z2 are the logits."),
        Mutant("first-bias-missing", forward_but(bias1=0), "b1 is missing in z1."),
        Mutant("second-bias-missing", forward_but(bias2=0), "b2 is missing in z2."),
        Mutant("biases-missing", forward_but(bias1=0, bias2=0), "Both biases are missing."),
        Mutant("sum", forward_but(loss=lambda z, y: len(y) * cross_entropy(z, y)),
               "You added up the losses of the examples. The loss of a batch is their mean, or a larger batch would make "
               "larger steps."),
        Mutant("mean-over-entries", forward_but(loss=lambda z, y: cross_entropy(z, y) / z.shape[1]),
               "You averaged over all entries, examples times classes. The mean is over the examples."),
        Mutant("sign", forward_but(loss=lambda z, y: -cross_entropy(z, y)),
               "The minus of -log p is missing: a loss is positive."),
        Mutant("base-two", forward_but(loss=lambda z, y: cross_entropy(z, y) / np.log(2)),
               "You took logarithms to base 2. Here, log is the natural logarithm."),
        Mutant("log-of-zero", forward_but(loss=looked_up),
               "Right for ordinary logits. At 10,000 a probability rounds to 0, and its log is infinite. Take the largest "
               "logit off, and the logarithm before the division."),
        Mutant("overflow", forward_but(loss=overflowing),
               "Right for ordinary logits. The exponential of 10,000 is infinite: take the largest logit of each row off first."),
        Mutant("one-minus-p", forward_but(loss=lambda z, y: 1 - np.mean(softmax(z)[np.arange(len(y)), y])),
               "You averaged 1 - p of the true class. Cross-entropy averages -log p."),
    ),
    variants={"library": forward_by_library, "loops": forward_in_loops,
              "where": forward_but(hidden=lambda z: np.where(z > 0, z, 0.0))},
    hints=("Four lines, one for each thing to return. Each uses the one before.",
           "Linear, ReLU, linear: then the loss of chapter 07, which takes logits and labels.",
           "For the loss take each row's largest logit off, then subtract the true logit from the log of the sum of "
           "exponentials, and average over the examples."),
)

BACKWARD = Exercise(
    id="real_network.backward",
    title="The whole network, backward",
    points=3,
    reference=backward,
    inputs=network,
    parts=("delta2", "dW2", "db2", "delta1", "dW1", "db1"),
    edge_cases=(("one example", ONE), ("a hidden unit at exactly 0", CORNER)),
    mutants=(
        Mutant("no-mask", backward_but(mask=lambda z1, da: 1),
               "The ReLU is missing on the way back. Where z1 was negative it passed 0 forward, and passes 0 back."),
        Mutant("mask-of-the-gradient", backward_but(mask=lambda z1, da: da > 0),
               "You kept the positive gradients. What counts is where z1 was positive; the gradient may have any sign."),
        Mutant("corner", backward_but(mask=lambda z1, da: z1 >= 0),
               "Right, except where z1 is exactly 0. In this course the slope of ReLU is 0 there, so the mask is z1 > 0."),
        Mutant("times-activation", backward_but(mask=lambda z1, da: relu(z1)),
               "You multiplied by the activation a1 itself. The chain rule wants the slope of the ReLU, which is 0 or 1."),
        Mutant("sum", backward_but(top=difference),
               "The loss averages over the examples, your delta2 does not: the division by n is missing."),
        Mutant("divided-twice", backward_but(scale=0),
               "You divided by n in delta2, and again in the gradients of weights and biases. Once is enough."),
        Mutant("bias-averaged", backward_but(add=lambda delta: delta.mean(axis=0)),
               "You averaged for the biases. The 1/n is in delta already, so the rows add up."),
        Mutant("bias-one-row", backward_but(add=lambda delta: delta[0]),
               "db takes the first example only. Every example uses the bias, so the rows of delta add up."),
        Mutant("not-one-hot", backward_but(top=lambda z2, y: (softmax(z2) - y[:, None]) / len(y)),
               "You took the label, a class number, off every probability. Take 1 off at the true class only."),
        Mutant("sign", backward_but(top=lambda z2, y: -difference(z2, y) / len(y)),
               "The sign is flipped everywhere: the gradient is p minus y, not y minus p."),
        Mutant("slope-too-many", backward_but(top=lambda z2, y: softmax(z2) * (1 - softmax(z2)) * difference(z2, y) / len(y)),
               "You multiplied by p(1 - p). Behind cross-entropy it has cancelled: delta2 is (p - y)/n and no more."),
        Mutant("softmax-missing", backward_but(top=lambda z2, y: (z2 - one_hot(y, z2.shape[1])) / len(y)),
               "You took y off the logits. It is the probabilities, softmax(z2), that it comes off."),
        Mutant("met-z1", backward_but(met=lambda z1: z1),
               "For dW2 you used z1. W2 never met z1: what it was multiplied with is a1."),
        Mutant("not-transposed", backward_but(back=lambda delta2, W2: delta2 @ W2),
               "Going back, delta2 (n, k) meets W2 (h, k), and the shapes do not fit. Transpose W2."),
    ),
    variants={"library": backward_by_library, "one by one": backward_example_by_example,
              "mask from a1": backward_but(mask=lambda z1, da: relu(z1) > 0),
              "where": backward_but(mask=lambda z1, da: np.where(z1 > 0, 1.0, 0.0))},
    hints=("Run forward first. Then walk back: delta2, its two gradients, through W2 and the ReLU to delta1, its two gradients.",
           "delta2 is chapter 07's (p - y)/n. Each layer's gradients are what it met, transposed, times its delta; and the "
           "sum of delta's rows.",
           "For delta1: delta2 goes back through the transpose of W2, and only where z1 was above 0."),
)

EPOCH = Exercise(
    id="real_network.epoch",
    title="One epoch of mini-batches",
    points=2,
    reference=epoch,
    inputs=with_order,
    parts=("W1", "b1", "W2", "b2"),
    edge_cases=(("a batch larger than the data", (*ONE, np.array([0]), 5, 0.5)),),
    mutants=(
        Mutant("last-batch-dropped",
               epoch_but(lambda n, order, size: [(order[i:i + size],) * 2 for i in range(0, n - size + 1, size)]),
               "The last batch is smaller than the others, and you left it out. Its examples count too."),
        Mutant("order-ignored", epoch_but(lambda n, order, size: [(np.arange(n)[i:i + size],) * 2 for i in range(0, n, size)]),
               "You took the examples as they lie. The order that is given says which comes when."),
        Mutant("labels-not-reordered",
               epoch_but(lambda n, order, size: [(order[i:i + size], np.arange(n)[i:i + size]) for i in range(0, n, size)]),
               "You reordered the images but not their labels, so nearly every image has the label of another."),
        Mutant("images-not-reordered",
               epoch_but(lambda n, order, size: [(np.arange(n)[i:i + size], order[i:i + size]) for i in range(0, n, size)]),
               "You reordered the labels but not the images, so nearly every image has the label of another."),
        Mutant("one-batch", epoch_but(lambda n, order, size: [(order[:size],) * 2]),
               "One step was made, with the first batch. Does your return stand inside the loop?"),
        Mutant("whole-set", epoch_but(lambda n, order, size: [(order,) * 2]),
               "You made one step with all examples at once. Cut them into batches, and step after each."),
        Mutant("one-by-one", epoch_but(lambda n, order, size: [(order[i:i + 1],) * 2 for i in range(n)]),
               "You made a step after every single example. batch_size says how many go into one step."),
        Mutant("overlapping", epoch_but(lambda n, order, size: [(order[i:i + size],) * 2 for i in range(n)]),
               "Your batches overlap: the start moves by 1. It should move by batch_size."),
        Mutant("old-weights", epoch_but(stale=True),
               "All gradients are those of the weights at the start of the epoch. Each batch should see the weights that the "
               "batch before has left."),
        Mutant("w2-too-early", epoch_but(early=True),
               "W2 was changed before its old value was used for delta1. First all gradients, then all steps."),
        Mutant("climbs", epoch_but(rate=lambda lr, m, n: -lr), "Your steps go uphill. A step goes against the gradient."),
        Mutant("summed", epoch_but(rate=lambda lr, m, n: lr * m),
               "Your gradients are sums over the batch, so a step is batch_size times too long. They should be means."),
        Mutant("divided-by-all", epoch_but(rate=lambda lr, m, n: lr * m / n),
               "You divided by the number of all examples. The loss of a batch is the mean over that batch."),
        Mutant("no-learning-rate", epoch_but(rate=lambda lr, m, n: 1), "The steps do not use the learning rate."),
        Mutant("biases-forgotten", epoch_but(biases=0), "The weights take steps, the biases stay where they were."),
        Mutant("in-place", epoch_but(in_place=True),
               "Right, but -= has changed the arrays of whoever called you. Write W1 = W1 - ..., or copy first."),
    ),
    variants={"split": epoch_by_split, "copies": epoch_but()},
    hints=("Your `backward` gives the gradients of one batch. Around it goes a loop over starts 0, batch_size, 2 batch_size, ...",
           "A slice of `order` is a list of row numbers. Index images and labels with the same slice; one that runs past the "
           "end is simply shorter.",
           "For each slice: the four gradients at the present weights, then a step for all four arrays. Return after the loop."),
)

EXERCISES = (FORWARD, BACKWARD, EPOCH)
