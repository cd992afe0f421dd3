r"""Los conjuntos de datos, como en Keras: cada uno es un módulo con su ``load_data``."""

from chapters.keras.datasets import cifar10, fashion_mnist, mnist

__all__ = ["cifar10", "fashion_mnist", "mnist"]
