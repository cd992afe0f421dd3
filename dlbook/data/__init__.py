r"""Los datos del libro: dígitos escritos a mano, fotografías y conjuntos de juguete.

Los dígitos y las fotografías se entregan como en Keras, ``(x_train, y_train), (x_test, y_test)``; los de juguete, como
``x, y``.
"""

from dlbook.data.cells import cell_images
from dlbook.data.cifar10 import CIFAR10_CLASSES, load_cifar10, read_cifar10
from dlbook.data.digits import load_digits
from dlbook.data.fashion_mnist import FASHION_MNIST_CLASSES, load_fashion_mnist
from dlbook.data.idx import read_idx
from dlbook.data.intents import INTENT_NAMES, load_intents
from dlbook.data.isbi2012 import load_isbi2012
from dlbook.data.mnist import load_mnist
from dlbook.data.numbers import spanish_number
from dlbook.data.py_dataset import PyDataset
from dlbook.data.scenes import shape_scenes
from dlbook.data.series import load_co2, load_sunspots
from dlbook.data.texts import load_quijote, load_tinyshakespeare, small_text
from dlbook.data.toys import (
    ages_and_salaries,
    apples_and_oranges,
    circles,
    gaussian_ring,
    logic_gate,
    spirals,
    students,
)
from dlbook.data.translation import load_spanish_english

__all__ = [
    "CIFAR10_CLASSES",
    "FASHION_MNIST_CLASSES",
    "INTENT_NAMES",
    "PyDataset",
    "ages_and_salaries",
    "apples_and_oranges",
    "cell_images",
    "circles",
    "gaussian_ring",
    "load_cifar10",
    "load_co2",
    "load_digits",
    "load_fashion_mnist",
    "load_intents",
    "load_isbi2012",
    "load_mnist",
    "load_quijote",
    "load_spanish_english",
    "load_sunspots",
    "load_tinyshakespeare",
    "logic_gate",
    "read_cifar10",
    "read_idx",
    "shape_scenes",
    "small_text",
    "spanish_number",
    "spirals",
    "students",
]
