r"""Fashion-MNIST, como en Keras."""

from dlbook.data.fashion_mnist import load_data

__all__ = ["load_data"]
