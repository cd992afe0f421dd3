r"""Las pérdidas, con los nombres de Keras."""

from chapters.mlp.losses.absolute import MeanAbsoluteError
from chapters.mlp.losses.base import Loss
from chapters.mlp.losses.binary import BinaryCrossentropy
from chapters.mlp.losses.categorical import CategoricalCrossentropy
from chapters.mlp.losses.sparse import SparseCategoricalCrossentropy
from chapters.mlp.losses.squared import MeanSquaredError
from dlbook import check

# Como en Keras, la función da una pérdida por observación; la clase, la media.
mean_squared_error = MSE = mse = MeanSquaredError().call
mean_absolute_error = MAE = mae = MeanAbsoluteError().call
binary_crossentropy = BinaryCrossentropy().call
categorical_crossentropy = CategoricalCrossentropy().call
sparse_categorical_crossentropy = SparseCategoricalCrossentropy().call

CLASSES = (
    MeanSquaredError,
    MeanAbsoluteError,
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
)
NAMES = {c.name: c for c in CLASSES} | {c.__name__: c for c in CLASSES}
SHORT = {"mse": MeanSquaredError, "mae": MeanAbsoluteError, "bce": BinaryCrossentropy}
NAMES |= SHORT | {name.upper(): c for name, c in SHORT.items()}

__all__ = [
    "MAE",
    "MSE",
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "Loss",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "SparseCategoricalCrossentropy",
    "binary_crossentropy",
    "categorical_crossentropy",
    "get",
    "mae",
    "mean_absolute_error",
    "mean_squared_error",
    "mse",
    "sparse_categorical_crossentropy",
]


def get(loss):
    r"""Encuentra una pérdida por su nombre.

    >>> get("mse")
    MeanSquaredError()
    >>> get(BinaryCrossentropy(from_logits=True))
    BinaryCrossentropy(from_logits=True, label_smoothing=0.0)

    Parameters
    ----------
    loss : str, Loss, type or callable
        El nombre de Keras, corto, largo o el de la clase; la clase, el propio objeto, o una función de lo correcto y lo
        predicho, como :class:`~chapters.mlp.FunctionLoss`.

    Returns
    -------
    Loss

    Raises
    ------
    ValueError
        Si el nombre no existe.

        >>> get("mes")
        Traceback (most recent call last):
            ...
        ValueError: loss: se esperaba 'mean_squared_error' o 'mean_absolute_error' o 'binary_crossentropy' o
        'categorical_crossentropy' o 'sparse_categorical_crossentropy', pero llegó 'mes'
    """
    if isinstance(loss, Loss):
        return loss
    if isinstance(loss, type) and issubclass(loss, Loss):
        return loss()
    if callable(loss) and not isinstance(loss, type):
        from chapters.mlp.tape.functions import FunctionLoss

        return FunctionLoss(loss)
    if isinstance(loss, str) and loss in NAMES:
        return NAMES[loss]()
    return check.choice(loss, "loss", [c.name for c in CLASSES])
