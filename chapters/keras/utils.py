r"""Las utilidades de todos los días, como en Keras."""

from chapters.cnn import array_to_img, image_dataset_from_directory, img_to_array, load_img, save_img
from chapters.mlp import normalize, pad_sequences, to_categorical
from dlbook.check import set_random_seed
from dlbook.data import PyDataset

# Como se llamaba antes.
Sequence = PyDataset

__all__ = [
    "PyDataset",
    "Sequence",
    "array_to_img",
    "image_dataset_from_directory",
    "img_to_array",
    "load_img",
    "normalize",
    "pad_sequences",
    "save_img",
    "set_random_seed",
    "to_categorical",
]
