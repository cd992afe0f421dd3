"""Los resultados guardados de MNIST dicen lo que la página cuenta; con MNIST a la mano, la red vuelve a aprender."""

import json

import numpy as np
import pytest

from benchmarks import mnist_mlp
from dlbook.data import load_mnist

KEYS = {
    "command",
    "date",
    "seed",
    "versions",
    "machine",
    "threads",
    "one_hidden",
    "deep",
    "accuracy_by_seed",
    "seconds",
}


@pytest.fixture(scope="module")
def stored():
    return json.loads(mnist_mlp.RESULTS.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def mnist():
    try:
        load_mnist(download=False)
    except FileNotFoundError as error:
        pytest.skip(f"sin MNIST: {error}")
    return mnist_mlp.images()


def test_the_file_says_how_it_was_made_and_is_small(stored):
    assert set(stored) == KEYS
    assert stored["command"] == "python -m benchmarks.mnist_mlp"
    assert mnist_mlp.RESULTS.stat().st_size < 300_000


def test_the_network_shown_is_the_first_seed_and_every_seed_reads_well(stored):
    assert stored["seed"] == mnist_mlp.SEEDS[0] == 0
    assert stored["accuracy_by_seed"][0] == stored["one_hidden"]["test_accuracy"]
    assert len(stored["accuracy_by_seed"]) == len(mnist_mlp.SEEDS) == 5
    assert min(stored["accuracy_by_seed"]) >= 0.982


@pytest.mark.parametrize(("name", "floor"), [("one_hidden", 0.982), ("deep", 0.984)])
def test_the_stored_networks_read_digits_well_and_their_numbers_agree(stored, name, floor):
    result = stored[name]
    confusion, wrong = np.array(result["confusion"]), result["wrong"]
    assert result["test_accuracy"] >= floor
    assert confusion.sum() == 10_000
    assert np.trace(confusion) == round(10_000 * result["test_accuracy"]) == 10_000 - len(wrong)
    for digit in range(10):
        assert sum(was == digit for _, was, _, _ in wrong) == confusion[digit].sum() - confusion[digit, digit]
    assert {len(curve) for curve in result["history"].values()} == {result["epochs"]}
    assert result["parameters"] == getattr(mnist_mlp, name)().count_params()
    assert {len(bytes.fromhex(text)) for text in result["weights"]["units"] + result["wrong_images"]} == {784}


def test_the_stored_mistakes_are_images_of_mnist(stored, mnist):
    _, (x, y) = mnist
    for result in (stored["one_hidden"], stored["deep"]):
        for (index, was, read, p), text in zip(result["wrong"], result["wrong_images"], strict=False):
            assert np.frombuffer(bytes.fromhex(text), np.uint8).tolist() == np.rint(255 * x[index]).tolist()
            assert was == y[index] != read
            assert 0.1 < p <= 1


@pytest.mark.parametrize(("name", "rate"), [("one_hidden", 3e-3), ("deep", 1e-3)])
def test_one_epoch_already_reads_most_digits(mnist, name, rate):
    result = mnist_mlp.train(getattr(mnist_mlp, name), mnist, epochs=1, rate=rate)
    assert result["test_accuracy"] > 0.94
    assert len(result["wrong"]) == round(10_000 * (1 - result["test_accuracy"]))
