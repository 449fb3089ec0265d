"""Where the shipped images come from, and that the script beside them makes exactly them."""

import gzip
import hashlib
import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest

from bplib import datasets

DATA = Path(datasets.__file__).parent / "data"


@pytest.fixture
def maker():
    spec = importlib.util.spec_from_file_location("make_fashion", DATA / "make_fashion.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def stored(path=DATA / "fashion.npz"):
    with np.load(path) as archive:
        return {name: archive[name] for name in archive.files}


def digest(arrays):
    parts = (f"{name} {array.dtype} {array.shape}".encode() + array.tobytes() for name, array in sorted(arrays.items()))
    return hashlib.sha256(b"".join(parts)).hexdigest()


def write_idx(path, array):
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes()
    path.write_bytes(gzip.compress(header + array.tobytes()))


def small_originals(folder, rng, per_class=3):
    """Four files in the original format, classes mixed."""
    made = {}
    for part in ("train", "t10k"):
        labels = rng.permutation(np.repeat(np.arange(10, dtype=np.uint8), per_class))
        images = rng.integers(0, 256, (len(labels), 28, 28), dtype=np.uint8)
        write_idx(folder / f"{part}-images-idx3-ubyte.gz", images)
        write_idx(folder / f"{part}-labels-idx1-ubyte.gz", labels)
        made[part] = images, labels
    return made


def test_the_script_keeps_the_first_of_each_class_in_order(maker, tmp_path, rng, monkeypatch):
    made = small_originals(tmp_path, rng)
    monkeypatch.setattr(maker, "__file__", str(tmp_path / "make_fashion.py"))
    monkeypatch.setattr(maker, "PER_CLASS", {"train": 2, "t10k": 1})
    maker.main(tmp_path)
    arrays = stored(tmp_path / "fashion.npz")
    for part, name, count in (("train", "train", 2), ("t10k", "test", 1)):
        images, labels = made[part]
        keep, seen = [], dict.fromkeys(range(10), 0)
        for i, label in enumerate(labels.tolist()):
            seen[label] += 1
            if seen[label] <= count:
                keep.append(i)
        assert np.array_equal(arrays[f"x_{name}"], images[keep].reshape(len(keep), 784))
        assert np.array_equal(arrays[f"y_{name}"], labels[keep])
        assert arrays[f"x_{name}"].dtype == arrays[f"y_{name}"].dtype == np.uint8


def test_the_shipped_file_is_the_one_that_was_made():
    arrays = stored()
    assert {name: (array.shape, str(array.dtype)) for name, array in arrays.items()} == {
        "x_train": ((10000, 784), "uint8"),
        "y_train": ((10000,), "uint8"),
        "x_test": ((2000, 784), "uint8"),
        "y_test": ((2000,), "uint8"),
    }
    assert digest(arrays) == "87f8cb84d3380a01f60450c0e257ad3897f8f82421c61c8e0b510968528c29ae"


def test_a_changed_pixel_changes_the_digest():
    arrays = stored()
    before = digest(arrays)
    arrays["x_test"][1999, 400] ^= 1
    assert digest(arrays) != before


def test_provenance_and_licence_travel_with_the_data():
    about = (DATA / "README.md").read_text(encoding="utf-8")
    for words in ("Zalando", "2017", "dataset-fashion-mnist", "make_fashion.py", "MIT", "LICENSE-fashion-mnist"):
        assert words in about
    licence = (DATA / "LICENSE-fashion-mnist").read_text(encoding="utf-8")
    assert "MIT" in licence
    assert re.search(r"Copyright .*20\d\d Zalando", licence)
    assert (DATA / "fashion.npz").stat().st_size < 6_000_000
