r"""CIFAR-10, como en Keras."""

from dlbook.data.cifar10 import load_data

__all__ = ["load_data"]
