"""Makes fashion.npz, the images that the course ships, from the full Fashion-MNIST set.

Run it where the four original files are, for example in Debian's package `dataset-fashion-mnist`:

    python bplib/data/make_fashion.py /usr/share/datasets/fashion-mnist

It keeps the first 1,000 training and the first 200 test images of each of the ten classes, in their original order.
"""
import gzip
import sys
from pathlib import Path

import numpy as np

CLASSES = 10
PER_CLASS = {"train": 1000, "t10k": 200}


def read_idx(path):
    """The array in a gzipped IDX file of bytes; its header gives the number of axes and the length of each."""
    with gzip.open(path) as file:
        raw = file.read()
    axes = raw[3]
    shape = np.frombuffer(raw, ">i4", count=axes, offset=4)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * axes).reshape(shape)


def first_of_each_class(labels, count):
    """Indices of the first `count` examples of every class, in their original order."""
    return np.sort(np.concatenate([np.flatnonzero(labels == c)[:count] for c in range(CLASSES)]))


def main(source):
    arrays = {}
    for part, name in (("train", "train"), ("t10k", "test")):
        images = read_idx(source / f"{part}-images-idx3-ubyte.gz")
        labels = read_idx(source / f"{part}-labels-idx1-ubyte.gz")
        keep = first_of_each_class(labels, PER_CLASS[part])
        arrays[f"x_{name}"] = images[keep].reshape(len(keep), -1)
        arrays[f"y_{name}"] = labels[keep]
    np.savez_compressed(Path(__file__).with_name("fashion.npz"), **arrays)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
