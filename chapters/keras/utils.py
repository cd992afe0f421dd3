r"""Las utilidades de todos los días, como en Keras."""

from chapters.cnn import array_to_img, image_dataset_from_directory, img_to_array, load_img, save_img
from chapters.mlp import normalize, pad_sequences, to_categorical
from dlbook.check import set_random_seed
from dlbook.data import PyDataset
from dlbook.saving import custom_object_scope, get_custom_objects
from dlbook.saving import deserialize as deserialize_keras_object
from dlbook.saving import register as register_keras_serializable
from dlbook.saving import serialize as serialize_keras_object
from dlbook.settings import clear_session

# Como se llamaba antes.
Sequence = PyDataset

__all__ = [
    "PyDataset",
    "Sequence",
    "array_to_img",
    "clear_session",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "image_dataset_from_directory",
    "img_to_array",
    "load_img",
    "normalize",
    "pad_sequences",
    "register_keras_serializable",
    "save_img",
    "serialize_keras_object",
    "set_random_seed",
    "to_categorical",
]
