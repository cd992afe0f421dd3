r"""Los datos del libro: dígitos escritos a mano y conjuntos de juguete.

Los dígitos se entregan como en Keras, ``(x_train, y_train), (x_test, y_test)``; los de juguete, como ``x, y``.
"""

from dlbook.data.digits import load_digits
from dlbook.data.idx import read_idx
from dlbook.data.mnist import load_mnist
from dlbook.data.toys import (
    ages_and_salaries,
    apples_and_oranges,
    circles,
    logic_gate,
    spirals,
    students,
)

__all__ = [
    "ages_and_salaries",
    "apples_and_oranges",
    "circles",
    "load_digits",
    "load_mnist",
    "logic_gate",
    "read_idx",
    "spirals",
    "students",
]
