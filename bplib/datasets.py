"""The data of the course. All of it is computed here or shipped inside the package; nothing is downloaded."""
from functools import lru_cache
from typing import NamedTuple

import numpy as np

FASHION_CLASSES = ("T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
PULLOVER, DRESS = 2, 3


class Fashion(NamedTuple):
    """Images as rows of 784 brightnesses from 0 (black) to 1 (white), with their class labels from 0 to 9."""

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


def fashion(dtype=np.float64):
    """10,000 training and 2,000 test images of clothes, 28 x 28 pixels, ten classes in equal parts.

    `image.reshape(28, 28)` is the picture; `FASHION_CLASSES[label]` is the name of its class.
    Source: Xiao, Rasul and Vollgraf 2017, "Fashion-MNIST: a novel image dataset for benchmarking machine learning
    algorithms". See data/README.md for how this part of it was chosen.

    Returns
    -------
    Fashion : x_train (10000, 784), y_train (10000,), x_test (2000, 784), y_test (2000,); images in dtype, labels int64.
        New arrays at every call: change them as you like.
    """
    stored = _fashion_bytes()
    return Fashion(stored["x_train"].astype(dtype) / 255, stored["y_train"].astype(np.int64),
                   stored["x_test"].astype(dtype) / 255, stored["y_test"].astype(np.int64))


def pullover_or_dress():
    """Two measurements of the 1,000 pullovers and the 1,000 dresses among the training images.

    A pullover is bright all over. A dress is a bright stripe in the middle. Neither measurement tells them apart well
    by itself; the two together do.

    Returns
    -------
    x : (2000, 2), the mean brightness of the whole image, and that of its middle eight columns. Each is standardised:
        mean 0, spread 1.
    y : (2000,), 0 for a pullover, 1 for a dress.
    """
    stored = _fashion_bytes()
    labels = stored["y_train"]
    keep = (labels == PULLOVER) | (labels == DRESS)
    images = stored["x_train"][keep].reshape(-1, 28, 28) / 255
    x = np.column_stack([images.mean(axis=(1, 2)), images[:, :, 10:18].mean(axis=(1, 2))])
    return (x - x.mean(axis=0)) / x.std(axis=0), (labels[keep] == DRESS).astype(np.int64)


def line():
    """Four points on the line y = 2 x: x = 1, 2, 3, 4. The smallest data set on which descent can be followed by hand.

    Returns
    -------
    x, y : (4, 1) each.
    """
    x = np.array([[1.0], [2.0], [3.0], [4.0]])
    return x, 2 * x


def xor():
    """The four points of "one or the other, but not both". No straight line has both points of one kind on one side.

    Source: Minsky and Papert 1969, "Perceptrons", who showed what a single layer cannot learn.

    Returns
    -------
    x : (4, 2), the corners of a square. y : (4, 1), 1 where exactly one of the two inputs is 1.
    """
    x = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    return x, np.array([[0.0], [1.0], [1.0], [0.0]])


@lru_cache(maxsize=1)
def _fashion_bytes():
    from importlib.resources import files  # here, because it takes as long to import as half of the package

    with (files("bplib") / "data" / "fashion.npz").open("rb") as file, np.load(file) as archive:
        return {name: archive[name] for name in archive.files}
