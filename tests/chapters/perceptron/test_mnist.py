"""Los resultados guardados de MNIST salen otra vez, cifra por cifra, cuando MNIST está."""

import json

import pytest

from benchmarks import mnist_perceptron
from dlbook.data import load_mnist

KEYS = {"command", "date", "seed", "versions", "machine", "seconds", "zeros_and_ones", "fours_and_nines", "all_digits"}


@pytest.fixture(scope="module")
def stored():
    return json.loads(mnist_perceptron.RESULTS.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def mnist():
    try:
        return load_mnist(download=False)
    except FileNotFoundError as error:
        pytest.skip(f"sin MNIST: {error}")


def test_the_file_says_how_it_was_made(stored):
    assert set(stored) == KEYS
    assert stored["command"] == "python -m benchmarks.mnist_perceptron"


@pytest.mark.parametrize(("name", "negative", "positive"), [("zeros_and_ones", 0, 1), ("fours_and_nines", 4, 9)])
def test_training_again_gives_the_stored_numbers(stored, mnist, name, negative, positive):
    again = mnist_perceptron.pair(mnist, negative, positive)
    assert again == {key: stored[name][key] for key in again}


def test_the_rule_separates_all_zeros_and_ones(stored):
    assert stored["zeros_and_ones"]["mistakes"][-1] == 0
    assert stored["zeros_and_ones"]["train_accuracy"] == 1.0
    assert stored["zeros_and_ones"]["test_accuracy"] > 0.99
