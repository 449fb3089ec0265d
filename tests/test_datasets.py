"""The data: shapes, ranges, classes, fresh copies, and the facts that the lessons build on."""

import numpy as np
import pytest

from bplib import SGD, BinaryCrossEntropy, Linear, datasets


def test_fashion_shapes_and_ranges():
    data = datasets.fashion()
    assert data.x_train.shape == (10000, 784)
    assert data.x_test.shape == (2000, 784)
    assert data.y_train.shape == (10000,)
    assert data.y_test.shape == (2000,)
    for x in (data.x_train, data.x_test):
        assert x.dtype == np.float64
        assert x.min() == 0
        assert x.max() == 1
        assert np.array_equal(x * 255, np.round(x * 255))
    for y in (data.y_train, data.y_test):
        assert y.dtype == np.int64
        assert np.array_equal(np.bincount(y), [len(y) // 10] * 10)
    assert len(datasets.FASHION_CLASSES) == len(set(datasets.FASHION_CLASSES)) == 10


def test_fashion_in_single_precision():
    single, double = datasets.fashion(dtype=np.float32), datasets.fashion()
    assert single.x_train.dtype == single.x_test.dtype == np.float32
    assert np.allclose(single.x_train, double.x_train, rtol=1e-6, atol=0)
    assert single.y_train.dtype == np.int64


def test_training_and_test_images_share_none():
    data = datasets.fashion()
    train = {row.tobytes() for row in (data.x_train * 255).astype(np.uint8)}
    test = {row.tobytes() for row in (data.x_test * 255).astype(np.uint8)}
    assert not train & test


@pytest.mark.parametrize("load", [datasets.fashion, datasets.pullover_or_dress])
def test_every_call_gives_new_arrays(load):
    first = load()
    kept = [array.copy() for array in first]
    for array in first:
        array[...] = 0
    for again, before in zip(load(), kept, strict=True):
        assert np.array_equal(again, before)
        assert again.flags.writeable


def accuracy_of_a_neuron(x, y):
    """What one logistic neuron reaches on these features, trained to its end."""
    neuron, loss, target = Linear(x.shape[1], 1, init="zeros"), BinaryCrossEntropy(), y[:, np.newaxis].astype(float)
    sgd = SGD(neuron, 3.0)
    for _ in range(400):
        loss.forward(neuron.forward(x), target)
        neuron.backward(loss.backward())
        sgd.step()
    return np.mean((neuron.forward(x)[:, 0] > 0) == y)


def best_cut(feature, y):
    """The accuracy of the best single threshold, in either direction."""
    cuts = [np.mean((feature > cut) == y) for cut in [-np.inf, *feature]]
    return max(max(cuts), 1 - min(cuts))


def test_neither_feature_separates_pullovers_from_dresses_but_both_do():
    x, y = datasets.pullover_or_dress()
    assert x.shape == (2000, 2)
    assert y.dtype == np.int64
    assert np.array_equal(np.bincount(y), [1000, 1000])
    assert np.allclose(x.mean(axis=0), 0, atol=1e-12)
    assert np.allclose(x.std(axis=0), 1, atol=1e-12)
    assert [round(accuracy_of_a_neuron(x[:, [j]], y), 2) for j in (0, 1)] == [0.72, 0.55]
    assert [round(best_cut(x[:, j], y), 2) for j in (0, 1)] == [0.75, 0.57]
    assert round(accuracy_of_a_neuron(x, y), 2) == 0.96


def test_accuracies_by_hand():
    y = np.array([0, 0, 1, 1])
    assert best_cut(np.array([1.0, 2.0, 3.0, 4.0]), y) == 1
    assert best_cut(np.array([4.0, 3.0, 2.0, 1.0]), y) == 1
    assert best_cut(np.array([1.0, 3.0, 2.0, 4.0]), y) == 0.75
    assert accuracy_of_a_neuron(np.array([[-1.0], [-0.5], [0.5], [1.0]]), y) == 1


def test_xor_is_one_or_the_other_but_not_both():
    x, y = datasets.xor()
    assert [(int(a) != int(b)) for a, b in x] == [bool(target) for target in y[:, 0]]
    assert len({tuple(row) for row in x}) == 4
    design = np.column_stack([x, np.ones(4)])
    weights = np.linalg.lstsq(design, y, rcond=None)[0]
    assert np.allclose(design @ weights, 0.5), "the best straight plane knows nothing"
    x[...] = 7
    assert datasets.xor()[0].max() == 1, "each call gives new arrays"


def test_the_line_is_twice_x():
    x, y = datasets.line()
    assert x.shape == y.shape == (4, 1)
    assert x[:, 0].tolist() == [1, 2, 3, 4]
    assert y[:, 0].tolist() == [2, 4, 6, 8]
