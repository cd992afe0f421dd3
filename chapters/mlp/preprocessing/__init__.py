r"""Lo que se les hace a los datos antes de que la red los vea."""

from chapters.mlp.preprocessing.balance import class_proportions, class_weights
from chapters.mlp.preprocessing.min_max import min_max
from chapters.mlp.preprocessing.one_hot import one_hot
from chapters.mlp.preprocessing.split import train_validation_test_split

__all__ = ["class_proportions", "class_weights", "min_max", "one_hot", "train_validation_test_split"]
