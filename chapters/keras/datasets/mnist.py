r"""MNIST, como en Keras."""

from dlbook.data.mnist import load_data

__all__ = ["load_data"]
