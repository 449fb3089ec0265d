"""Chapter 09, second part: what goes in, what it costs, and what comes out."""

from itertools import pairwise

import numpy as np

from bplib import Softmax
from course.grading.core import Exercise, Mutant

softmax = Softmax().f


# What a network costs.


def cost(widths, n):
    """Parameters, multiplications of a forward pass, and of a whole step."""
    sizes = [n_in * n_out for n_in, n_out in pairwise(widths)]
    products = n * sum(sizes)
    return sum(sizes) + sum(widths[1:]), products, 3 * products - n * sizes[0]


def cost_but(biases=lambda widths: sum(widths[1:]), step=lambda products, first, last: 3 * products - first, batch=True):
    """The same with another count of biases or of a step; first and last are the products of these layers."""

    def answer(widths, n):
        sizes = [n_in * n_out for n_in, n_out in pairwise(widths)]
        n = n if batch else 1
        return sum(sizes) + biases(widths), n * sum(sizes), step(n * sum(sizes), n * sizes[0], n * sizes[-1])

    return answer


def cost_in_loops(widths, n):
    """Layer by layer."""
    parameters = forward = backward = 0
    for place in range(len(widths) - 1):
        size = widths[place] * widths[place + 1]
        parameters += size + widths[place + 1]
        forward += n * size
        backward += n * size * (2 if place else 1)
    return [parameters, forward, forward + backward]


def widths_and_batch(rng):
    """The widths of a network of two or three layers, and a batch size."""
    widths = [int(rng.integers(20, 60)), *(int(width) for width in rng.integers(7, 19, rng.integers(1, 3))), 5]
    return widths, int(rng.integers(3, 9))


# Standardising.


def standardise(x_train, x_test):
    """Both with the mean and the spread of the training images."""
    return tuple((x - x_train.mean()) / x_train.std() for x in (x_train, x_test))


def standardise_but(train, test):
    """train and test are functions of (x, x_train, x_test)."""
    return lambda x_train, x_test: (train(x_train, x_train, x_test), test(x_test, x_train, x_test))


def by(x, other, axis=None, ddof=0):
    """x with the mean and spread of other taken off and out."""
    return (x - other.mean(axis=axis, keepdims=axis is not None)) / other.std(axis=axis, ddof=ddof, keepdims=axis is not None)


def everywhere(f):
    """The same function for both."""
    return standardise_but(f, f)


def images(rng):
    """A few training images and fewer test images, which are a little brighter."""
    d = int(rng.integers(5, 8))
    return rng.uniform(0, 1, (9, d)) * np.linspace(0.4, 1, d), rng.uniform(0.2, 1, (4, d)) * np.linspace(0.5, 1, d)


# The confusion matrix.


def confusion(y, y_hat, k):
    """counts[i, j]: how often class i was taken for class j."""
    table = np.zeros((k, k), int)
    np.add.at(table, (y, y_hat), 1)
    return table


def once(y, y_hat, k):
    """Fancy indexing adds one to an entry once, however often it is named."""
    counts = np.zeros((k, k), int)
    counts[y, y_hat] += 1
    return counts


def shifted(y, y_hat, k):
    """Classes counted from 1."""
    counts = np.zeros((k, k), int)
    np.add.at(counts, (y - 1, y_hat - 1), 1)
    return counts


def as_large_as_seen(y, y_hat, k):
    """As many classes as labels occur."""
    seen = max(y.max(), y_hat.max()) + 1
    return confusion(y, y_hat, seen)


def confusion_in_loops(y, y_hat, k):
    """Pair by pair, as lists."""
    counts = [[0] * k for _ in range(k)]
    for true, predicted in zip(y, y_hat):
        counts[true][predicted] += 1
    return counts


def errors_only(counts):
    """Nothing on the diagonal."""
    return counts - np.diag(np.diag(counts))


def labelled(rng):
    """Labels and predictions, many of them right, some mistakes repeated; all classes occur, not equally often."""
    k = int(rng.integers(4, 6))
    y = rng.permutation(np.repeat(np.arange(k), rng.permutation(np.arange(3, k + 3))))
    y_hat = np.where(rng.uniform(size=len(y)) < 0.5, y, rng.integers(0, k, len(y)))
    wrong = np.flatnonzero(y == 0)[:2]
    y_hat[wrong] = k - 1
    return y, y_hat, k


# The update-to-data ratio.


def update_ratio(W, dW, lr):
    """|lr dW| / |W|."""
    return float(lr * np.linalg.norm(dW) / np.linalg.norm(W))


def update_ratio_in_loops(W, dW, lr):
    """Entry by entry."""
    step = sum((lr * slope) ** 2 for row in dW for slope in row)
    return (step / sum(weight**2 for row in W for weight in row)) ** 0.5


def layer(rng):
    """Weights, their gradient, and a learning rate."""
    d, k = 7, int(rng.integers(3, 6))
    return rng.normal(0, 0.5, (d, k)), rng.normal(0, 0.02, (d, k)), float(rng.uniform(0.05, 0.3))


# The worst mistakes.


def worst_mistakes(z, y, count):
    """Rows that are wrong, the largest loss first."""
    return worst_by(losses)(z, y, count)


def losses(z, y):
    """The cross-entropy of each example."""
    return -np.log(softmax(z)[np.arange(len(y)), y])


def worst_by(score, candidates=lambda wrong: np.flatnonzero(wrong), slice_of=lambda found, count: found[:count]):
    """Candidates in falling order of a score(z, y)."""

    def answer(z, y, count):
        rows = candidates(z.argmax(axis=1) != y)
        return slice_of(rows[np.argsort(-score(z, y)[rows], kind="stable")], count)

    return answer


def positions(z, y, count):
    """Places in the list of mistakes, not of images."""
    found = worst_by(losses)(z, y, count).tolist()
    wrong = np.flatnonzero(z.argmax(axis=1) != y).tolist()
    return np.array([wrong.index(row) for row in found])


def margin(z, y):
    """How far the winning logit lies above the true one."""
    return z.max(axis=1) - z[np.arange(len(y)), y]


def worst_sorted(z, y, count):
    """In plain Python."""
    wrong = [i for i in range(len(y)) if z[i].argmax() != y[i]]
    return sorted(wrong, key=lambda i: np.exp(z[i, y[i]] - z[i].max()) / np.exp(z[i] - z[i].max()).sum())[:count]


def judged(rng):
    """Logits and labels in which right answers are less sure than some mistakes, and confidence is not loss."""
    count = 4
    while True:
        n, k = 14, 5
        z = rng.normal(0, 1.2, (n, k))
        y = np.where(rng.uniform(size=n) < 0.45, z.argmax(axis=1), rng.integers(0, k, n))
        y[0] = z[0].argmax()  # so that places among the mistakes are not those among the images
        given = z, y, count
        right = worst_mistakes(*given).tolist()
        others = [answer(*given).tolist() for answer in NEAR_WORST]
        more = np.sum(z.argmax(axis=1) != y) > count
        if more and all(other != right for other in others) and len(set(map(tuple, others))) == len(others):
            return given


NEAR_WORST = (
    worst_by(lambda z, y: softmax(z).max(axis=1)),
    worst_by(losses, candidates=lambda wrong: np.arange(len(wrong))),
    worst_by(lambda z, y: -losses(z, y)),
    worst_by(lambda z, y: -np.arange(len(y))),
    worst_by(margin),
    worst_by(losses, candidates=lambda wrong: np.flatnonzero(~wrong)),
    worst_by(lambda z, y: -z[np.arange(len(y)), y]),
    positions,
)

EXERCISES = (
    Exercise(
        id="real_network.cost",
        title="What a step costs",
        points=1,
        reference=cost,
        inputs=widths_and_batch,
        parts=("The number of parameters", "The forward pass", "The whole step"),
        edge_cases=(("784-128-10 and 64 images", ([784, 128, 10], 64)), ("a single layer", ([784, 10], 32))),
        mutants=(
            Mutant("no-biases", cost_but(biases=lambda widths: 0), "Biases are parameters too: one for each unit of a layer."),
            Mutant("biases-of-inputs", cost_but(biases=lambda widths: sum(widths[:-1])),
                   "You counted a bias for each input of a layer. There is one for each output."),
            Mutant("biases-everywhere", cost_but(biases=sum),
                   "You counted biases for the pixels too. Only units that compute something have one."),
            Mutant("one-bias-a-layer", cost_but(biases=lambda widths: len(widths) - 1),
                   "You counted one bias for each layer. Each of its units has its own."),
            Mutant("batch-forgotten", cost_but(batch=False),
                   "You counted the multiplications of one image. Each of the n images goes through."),
            Mutant("gradient-of-the-pixels", cost_but(step=lambda products, first, last: 3 * products),
                   "Three products for every layer is one too many for the first: nobody needs the gradient of the pixels."),
            Mutant("no-way-back", cost_but(step=lambda products, first, last: 2 * products),
                   "You counted forward and the weight gradients. Behind the first layer, the gradient must also go back through "
                   "the weights."),
            Mutant("wrong-end", cost_but(step=lambda products, first, last: 3 * products - last),
                   "You left out the gradient of the input for the last layer. It is the first layer that does not need it."),
            Mutant("backward-only", cost_but(step=lambda products, first, last: 2 * products - first),
                   "This is the backward pass alone. A step is forward and backward."),
        ),
        variants={"loops": cost_in_loops, "floats": lambda widths, n: tuple(map(float, cost(widths, n)))},
        hints=("A linear layer has a weight for each pair of input and output, and each weight multiplies once an image.",
               "Backward makes two products of the same size: one for the gradient of the weights, one that takes delta back to "
               "the layer before.",
               "The first layer has no layer before it. So a step costs three products for each layer, less one for the first."),
    ),
    Exercise(
        id="real_network.standardise",
        title="Standardise without peeking",
        points=1,
        reference=standardise,
        inputs=images,
        parts=("The training images", "The test images"),
        mutants=(
            Mutant("test-by-itself", everywhere(lambda x, train, test: by(x, x)),
                   "The test images are standardised by their own mean and spread. The network never saw those numbers: the "
                   "same brightness would mean another input than in training."),
            Mutant("both-together", everywhere(lambda x, train, test: by(x, np.concatenate([train, test]))),
                   "The test images have gone into the mean and spread: that is a leak. Use the training images alone."),
            Mutant("by-the-test", everywhere(lambda x, train, test: by(x, test)),
                   "You took mean and spread of the test images. Whatever is measured is measured on the training images."),
            Mutant("test-as-it-was", standardise_but(lambda x, train, test: by(x, train), lambda x, train, test: x + 0),
                   "The test images are as they were. They must be treated as the training images are."),
            Mutant("each-pixel", everywhere(lambda x, train, test: by(x, train, axis=0)),
                   "You took a mean and a spread for each pixel. That is often done, but a pixel black in all training "
                   "images has a spread of 0. Asked for is one mean and one spread."),
            Mutant("each-image", everywhere(lambda x, train, test: by(x, x, axis=1)),
                   "You standardised each image by itself, so a dark shirt and a bright one look alike."),
            Mutant("mean-only", everywhere(lambda x, train, test: x - train.mean()), "The division by the spread is missing."),
            Mutant("spread-only", everywhere(lambda x, train, test: x / train.std()), "The mean is still in."),
            Mutant("variance", everywhere(lambda x, train, test: (x - train.mean()) / train.var()),
                   "You divided by the variance. The spread is its square root."),
            Mutant("divided-first", everywhere(lambda x, train, test: x / train.std() - train.mean()),
                   "You divided first, and then took off the mean of the undivided images. Mind the order."),
            Mutant("n-minus-one", everywhere(lambda x, train, test: by(x, train, ddof=1)),
                   "Your spread divides by one less than the number of entries. Here it is plain std, without ddof."),
            Mutant("zero-to-one", everywhere(lambda x, train, test: (x - train.min()) / np.ptp(train)),
                   "You stretched the brightness to 0 to 1. Standardised means mean 0 and spread 1."),
        ),
        variants={
            "by hand": lambda x_train, x_test: [(x - np.sum(x_train) / x_train.size)
                                                / np.mean((x_train - np.mean(x_train)) ** 2) ** 0.5 for x in (x_train, x_test)],
            "flat": lambda x_train, x_test: (by(x_train, x_train.ravel()), by(x_test, x_train.ravel())),
        },
        hints=("Two numbers are needed, a mean and a spread. From which images?",
               "The test images stand for images that do not exist yet, so nothing may be measured on them.",
               "Measure both numbers on the training images, over all pixels at once, and apply the same two to both arrays."),
    ),
    Exercise(
        id="real_network.confusion",
        title="The confusion matrix",
        points=1,
        reference=confusion,
        inputs=labelled,
        edge_cases=(("a class that never occurs", (np.array([0, 1, 1, 0, 2]), np.array([0, 1, 2, 1, 2]), 4)),),
        mutants=(
            Mutant("transposed", lambda y, y_hat, k: confusion(y_hat, y, k),
                   "Rows and columns are swapped. Row i holds the images whose true class is i."),
            Mutant("counted-once", once,
                   "counts[y, y_hat] += 1 adds 1 to each pair once, however often it occurs. np.add.at adds every time."),
            Mutant("rows-add-to-one", lambda y, y_hat, k: confusion(y, y_hat, k) / np.bincount(y, minlength=k)[:, None],
                   "You divided each row by how many images it holds. Asked for are the counts."),
            Mutant("columns-add-to-one", lambda y, y_hat, k: confusion(y, y_hat, k) / np.bincount(y_hat, minlength=k),
                   "You divided each column by how often its class was predicted. Asked for are the counts."),
            Mutant("shares-of-all", lambda y, y_hat, k: confusion(y, y_hat, k) / len(y),
                   "You divided by the number of images. Asked for are the counts."),
            Mutant("off-by-one", shifted, "You took 1 off the labels. Classes are counted from 0, and index -1 is the last row."),
            Mutant("mistakes-only", lambda y, y_hat, k: errors_only(confusion(y, y_hat, k)),
                   "The diagonal is empty. It holds the images that are right."),
            Mutant("right-ones-only", lambda y, y_hat, k: np.diag(np.diag(confusion(y, y_hat, k))),
                   "Only the diagonal is filled. The mistakes are what the other entries are for."),
            Mutant("too-small", as_large_as_seen,
                   "Right as long as the last class occurs. The matrix has k rows and k columns, whichever labels are there."),
            Mutant("both-ways", lambda y, y_hat, k: confusion(y, y_hat, k) + errors_only(confusion(y_hat, y, k)),
                   "You counted a mistake both ways. Shirt taken for T-shirt and T-shirt taken for shirt are two entries."),
        ),
        variants={
            "loops": confusion_in_loops,
            "bincount": lambda y, y_hat, k: np.bincount(k * y + y_hat, minlength=k * k).reshape(k, k),
            "one-hot": lambda y, y_hat, k: np.eye(k)[y].T @ np.eye(k)[y_hat],
            "comparisons": lambda y, y_hat, k: [[np.sum((y == i) & (y_hat == j)) for j in range(k)] for i in range(k)],
        },
        hints=("Begin with a table of zeros, k by k. Each image adds 1 to one entry.",
               "Which entry? The true class chooses the row, the predicted one the column. A plain loop is fine.",
               "If you index with two arrays at once, a pair that comes twice counts once; np.add.at has no such trap."),
    ),
    Exercise(
        id="real_network.update_ratio",
        title="The update-to-data ratio",
        points=1,
        reference=update_ratio,
        inputs=layer,
        mutants=(
            Mutant("no-learning-rate", lambda W, dW, lr: update_ratio(W, dW, 1.0),
                   "This compares the gradient with the weights. The update is the gradient times the learning rate."),
            Mutant("upside-down", lambda W, dW, lr: 1 / update_ratio(W, dW, lr),
                   "You divided weights by update. It is the update's length over the weights' length."),
            Mutant("squared", lambda W, dW, lr: update_ratio(W, dW, lr) ** 2,
                   "Your ratio is of squares. A length is the square root of a sum of squares."),
            Mutant("entry-by-entry", lambda W, dW, lr: np.mean(np.abs(lr * dW / W)),
                   "You averaged the ratios of the entries. One weight near 0 then decides everything; divide two lengths."),
            Mutant("largest-entry", lambda W, dW, lr: lr * np.abs(dW).max() / np.abs(W).max(),
                   "You compared the largest entries. Asked for are lengths, of all entries together."),
            Mutant("sums", lambda W, dW, lr: lr * np.sum(dW) / np.sum(W),
                   "You divided sums, in which entries of opposite sign cancel. A length squares them first."),
            Mutant("sizes", lambda W, dW, lr: lr * np.abs(dW).sum() / np.abs(W).sum(),
                   "You added up sizes. The length is the square root of the sum of squares."),
            Mutant("spectral", lambda W, dW, lr: lr * np.linalg.norm(dW, 2) / np.linalg.norm(W, 2),
                   "np.linalg.norm(W, 2) of a matrix is its largest singular value. Leave the 2 out."),
            Mutant("one-for-each-unit", lambda W, dW, lr: lr * np.linalg.norm(dW, axis=0) / np.linalg.norm(W, axis=0),
                   "You have a ratio for each column. Asked for is one number for the layer."),
            Mutant("logarithm", lambda W, dW, lr: np.log10(update_ratio(W, dW, lr)),
                   "You took the logarithm. That is good for a plot; asked for is the ratio."),
            Mutant("length-of-the-difference", lambda W, dW, lr: np.linalg.norm(W - lr * dW) / np.linalg.norm(W),
                   "This is the new weights' length over the old one, which is near 1. The update alone stands above."),
        ),
        variants={
            "loops": update_ratio_in_loops,
            "root of squares": lambda W, dW, lr: np.sqrt(np.sum((lr * dW) ** 2) / np.sum(W**2)),
            "step by step": lambda W, dW, lr: np.linalg.norm(W - (W - lr * dW)) / np.linalg.norm(W),
            "mean squares": lambda W, dW, lr: np.sqrt(np.mean((lr * dW) ** 2)) / np.sqrt(np.mean(W**2)),
        },
        hints=("Update and data: what one step adds to W, and W itself.",
               "Each of the two is a matrix. Its length is the square root of the sum of all its squares.",
               "The length of lr times dW, over the length of W."),
    ),
    Exercise(
        id="real_network.worst",
        title="The worst mistakes",
        points=2,
        reference=worst_mistakes,
        inputs=judged,
        edge_cases=(("fewer mistakes than asked for", (np.array([[2.0, 0.5, 0.1], [1.0, 0.2, 3.0], [0.3, 1.5, 0.2],
                                                                [0.1, 0.4, 0.9]]), np.array([0, 0, 1, 1]), 4)),),
        mutants=(
            Mutant("by-confidence", NEAR_WORST[0],
                   "You sorted by how sure the network was of its wrong answer. The loss asks what it gave to the true class."),
            Mutant("right-ones-too", NEAR_WORST[1],
                   "There are right answers among yours. An answer can be right and unsure, with a larger loss than a mistake."),
            Mutant("smallest-first", NEAR_WORST[2], "These are the mildest mistakes. argsort begins with the smallest."),
            Mutant("unsorted", NEAR_WORST[3], "These are the first mistakes that come along. Sort them by their loss."),
            Mutant("by-margin", NEAR_WORST[4],
                   "You sorted by how far the true logit lies below the winner. The loss also counts the other classes."),
            Mutant("right-ones-only", NEAR_WORST[5], "None of these is a mistake. Turn the comparison round."),
            Mutant("by-the-true-logit", NEAR_WORST[6],
                   "You sorted by the logit of the true class. A logit means something only beside the others of its row: take "
                   "the softmax."),
            Mutant("places-among-mistakes", positions,
                   "These are places in the list of mistakes. Asked for are row numbers of z, so look them up in that list."),
            Mutant("worst-last", worst_by(losses, slice_of=lambda found, count: found[:count][::-1]),
                   "The right rows, but the worst comes last. It should come first."),
            Mutant("losses", lambda z, y, count: losses(z, y)[worst_mistakes(z, y, count)],
                   "These are the losses themselves. Asked for is where they are: the row numbers."),
            Mutant("all-of-them", worst_by(losses, slice_of=lambda found, count: found),
                   "These are all mistakes in the right order. Only the first `count` are asked for."),
        ),
        variants={
            "plain Python": worst_sorted,
            "minus infinity": lambda z, y, count: np.argsort(
                np.where(z.argmax(1) != y, -losses(z, y), np.inf))[:min(count, np.sum(z.argmax(1) != y))],
        },
        hints=("Three things: the loss of each example, which ones are wrong, and an order.",
               "Wrong is where argmax along the rows is not y. np.flatnonzero turns that into row numbers.",
               "Sort the row numbers of the mistakes by their losses, largest first, and keep the first `count` of them."),
    ),
)
