r"""Lo que se les hace a los datos antes de que la red los vea."""

from chapters.mlp.preprocessing.balance import class_proportions, class_weights
from chapters.mlp.preprocessing.category_encoding import CategoryEncoding
from chapters.mlp.preprocessing.min_max import min_max
from chapters.mlp.preprocessing.normalization import Normalization
from chapters.mlp.preprocessing.normalize import normalize
from chapters.mlp.preprocessing.one_hot import one_hot, to_categorical
from chapters.mlp.preprocessing.pad_sequences import pad_sequences
from chapters.mlp.preprocessing.rescaling import Rescaling
from chapters.mlp.preprocessing.split import train_validation_test_split

__all__ = [
    "CategoryEncoding",
    "Normalization",
    "Rescaling",
    "class_proportions",
    "class_weights",
    "min_max",
    "normalize",
    "one_hot",
    "pad_sequences",
    "to_categorical",
    "train_validation_test_split",
]
