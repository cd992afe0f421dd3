"""Los conjuntos con la forma de Keras, y los cuatro que trae el libro, parecidos."""

import gzip
import hashlib
import inspect

import numpy as np
import pytest

from chapters.keras import datasets, utils
from dlbook import data
from dlbook.data import cifar10, fashion_mnist, files, mnist
from dlbook.data.files import Expected

LOADERS = [data.load_cifar10, data.load_digits, data.load_fashion_mnist, data.load_mnist]


def sets(shape):
    rng = np.random.default_rng(0)
    return tuple((rng.integers(0, 256, (n, *shape), np.uint8), rng.integers(0, 10, n)) for n in (6, 4))


@pytest.mark.parametrize(
    ("name", "source", "shape", "label"),
    [
        ("mnist", mnist, (28, 28), ()),
        ("fashion_mnist", fashion_mnist, (28, 28), ()),
        ("cifar10", cifar10, (32, 32, 3), (1,)),
    ],
)
def test_load_data_gives_the_shapes_and_types_of_keras(name, source, shape, label, monkeypatch):
    loaded = sets(shape)
    monkeypatch.setattr(source, f"load_{name}", lambda: loaded)
    found = getattr(datasets, name).load_data()
    for (x, y), (images, labels) in zip(found, loaded, strict=True):
        np.testing.assert_array_equal(x, images)
        np.testing.assert_array_equal(y.reshape(-1), labels)
        assert y.shape == (len(images), *label)
        assert x.dtype == y.dtype == np.uint8


def test_another_path_is_refused():
    with pytest.raises(ValueError, match="path: esta opción de Keras no existe"):
        datasets.mnist.load_data("otro.npz")


def test_those_that_come_in_files_take_the_same_argument():
    for load in LOADERS:
        if load is not data.load_digits:
            assert str(inspect.signature(load)) == "(download=True)"


# --- Fashion-MNIST en miniatura ---


@pytest.fixture
def fashion(tmp_path, monkeypatch):
    """Los cuatro archivos, con tres imágenes cada uno, en la subcarpeta que les toca."""
    folder = tmp_path / "datos" / "fashion_mnist"
    folder.mkdir(parents=True)
    images = np.arange(3 * 28 * 28, dtype=np.uint64).reshape(3, 28, 28).astype(np.uint8)
    contents = {
        3: bytes([0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 28, 0, 0, 0, 28]) + images.tobytes(),
        1: bytes([0, 0, 8, 1, 0, 0, 0, 3, 9, 0, 4]),
    }
    expected = {}
    for name in fashion_mnist.FILES:
        content = gzip.compress(contents[int(name.split("idx")[1][0])])
        (folder / name).write_bytes(content)
        expected[name] = Expected(len(content), hashlib.sha256(content).hexdigest())
    monkeypatch.setattr(fashion_mnist, "FILES", expected)
    monkeypatch.setattr(files, "user_cache_path", lambda name: tmp_path / "caché" / name)
    monkeypatch.setenv("DLBOOK_DATA", str(tmp_path / "datos"))
    return folder


def test_it_has_the_form_of_mnist(fashion):
    for x, y in data.load_fashion_mnist(download=False):
        assert x.shape == (3, 28, 28)
        assert x.dtype == np.uint8
        assert y.dtype == np.int64
        assert [data.FASHION_MNIST_CLASSES[k] for k in y] == ["botín", "camiseta", "abrigo"]


def test_the_files_of_mnist_lying_loose_are_not_taken_for_its_own(fashion):
    for name in fashion_mnist.FILES:
        (fashion.parent / name).write_bytes(b"de MNIST")
    assert data.load_fashion_mnist(download=False)[0][1].tolist() == [9, 0, 4]
    for name in fashion_mnist.FILES:
        (fashion / name).unlink()
    with pytest.raises(FileNotFoundError, match="faltan archivos de datos"):
        data.load_fashion_mnist(download=False)


# --- Lotes ---


def test_a_dataset_without_its_methods_says_which_is_missing():
    for call in (len, lambda d: d[0]):
        with pytest.raises(NotImplementedError, match="PyDataset: falta __"):
            call(data.PyDataset(workers=2))
    assert utils.Sequence is utils.PyDataset is data.PyDataset
