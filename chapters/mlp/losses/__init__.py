r"""Las pérdidas, con los nombres de Keras."""

import inspect

from chapters.mlp.losses.absolute import MeanAbsoluteError
from chapters.mlp.losses.base import UNREDUCED, Loss
from chapters.mlp.losses.binary import BinaryCrossentropy
from chapters.mlp.losses.categorical import CategoricalCrossentropy
from chapters.mlp.losses.cosine import CosineSimilarity
from chapters.mlp.losses.divergence import KLDivergence, Poisson
from chapters.mlp.losses.focal import BinaryFocalCrossentropy, CategoricalFocalCrossentropy
from chapters.mlp.losses.hinge import CategoricalHinge, Hinge, SquaredHinge
from chapters.mlp.losses.huber import Huber, LogCosh
from chapters.mlp.losses.relative import MeanAbsolutePercentageError, MeanSquaredLogarithmicError
from chapters.mlp.losses.rows import RowLoss
from chapters.mlp.losses.sparse import SparseCategoricalCrossentropy
from chapters.mlp.losses.squared import MeanSquaredError
from dlbook import check, registry

CLASSES = (
    MeanSquaredError,
    MeanAbsoluteError,
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
    MeanAbsolutePercentageError,
    MeanSquaredLogarithmicError,
    Huber,
    LogCosh,
    Hinge,
    SquaredHinge,
    CategoricalHinge,
    KLDivergence,
    Poisson,
    CosineSimilarity,
    BinaryFocalCrossentropy,
    CategoricalFocalCrossentropy,
)
NAMES = {c.name: c for c in CLASSES} | {c.__name__: c for c in CLASSES}
SHORT = {
    "mse": MeanSquaredError,
    "mae": MeanAbsoluteError,
    "mape": MeanAbsolutePercentageError,
    "msle": MeanSquaredLogarithmicError,
    "bce": BinaryCrossentropy,
    "kld": KLDivergence,
}
NAMES |= SHORT | {name.upper(): c for name, c in SHORT.items()}


def _function(cls):
    # Como en Keras, la función da una pérdida por observación; la clase, la media.
    data = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in ("y_true", "y_pred")]
    own = [p for p in inspect.signature(cls).parameters.values() if p.name not in ("reduction", "name", "dtype")]

    def function(*arguments, **options):
        options = signature.bind(*arguments, **options).arguments
        y_true, y_pred = options.pop("y_true"), options.pop("y_pred")
        return cls(**options).call(y_true, y_pred)

    signature = function.__signature__ = inspect.Signature(data + own)
    function.__name__ = function.__qualname__ = cls.name
    function.__doc__ = f"Da la pérdida de cada observación, sin promediar: ``{cls.__name__}(…).call``."
    return function


mean_squared_error = MSE = mse = _function(MeanSquaredError)
mean_absolute_error = MAE = mae = _function(MeanAbsoluteError)
mean_absolute_percentage_error = MAPE = mape = _function(MeanAbsolutePercentageError)
mean_squared_logarithmic_error = MSLE = msle = _function(MeanSquaredLogarithmicError)
binary_crossentropy = _function(BinaryCrossentropy)
binary_focal_crossentropy = _function(BinaryFocalCrossentropy)
categorical_crossentropy = _function(CategoricalCrossentropy)
categorical_focal_crossentropy = _function(CategoricalFocalCrossentropy)
sparse_categorical_crossentropy = _function(SparseCategoricalCrossentropy)
huber = _function(Huber)
log_cosh = _function(LogCosh)
hinge = _function(Hinge)
squared_hinge = _function(SquaredHinge)
categorical_hinge = _function(CategoricalHinge)
kl_divergence = KLD = kld = _function(KLDivergence)
poisson = _function(Poisson)
cosine_similarity = _function(CosineSimilarity)
FUNCTIONS = {globals()[c.name]: c for c in CLASSES}

__all__ = [
    "KLD",
    "MAE",
    "MAPE",
    "MSE",
    "MSLE",
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "Loss",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "RowLoss",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_hinge",
    "cosine_similarity",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "kld",
    "log_cosh",
    "mae",
    "mape",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "mse",
    "msle",
    "poisson",
    "sparse_categorical_crossentropy",
    "squared_hinge",
]


def _later(name):
    # Las de los capítulos siguientes, por el nombre de Keras o el de su clase.
    if not isinstance(name, str):
        return None
    found = registry.find("loss", name) or next((c for c in registry.classes("loss").values() if c.name == name), None)
    return found if found is not None and found.name is not None else None


def get(loss):
    r"""Encuentra, por su nombre, la pérdida con que se va a entrenar.

    >>> get("mse")
    MeanSquaredError()
    >>> get(huber)
    Huber(delta=1.0)
    >>> get(BinaryCrossentropy(from_logits=True))
    BinaryCrossentropy(from_logits=True, label_smoothing=0.0)

    Parameters
    ----------
    loss : str, Loss, type or callable
        El nombre de Keras, corto, largo o el de la clase; la clase, el propio objeto, la función de aquí que se llama
        como ella, o una función de lo correcto y lo predicho, como en :class:`~chapters.mlp.FunctionLoss`.

    Returns
    -------
    Loss

    Raises
    ------
    ValueError
        Si el nombre no existe, o si la pérdida no da un solo número.

        >>> get("mes")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
            ...
        ValueError: loss: se esperaba 'mean_squared_error' o 'mean_absolute_error' o 'binary_crossentropy' o
        'categorical_crossentropy' o 'sparse_categorical_crossentropy' o ..., pero llegó 'mes'
        >>> get(MeanSquaredError(reduction=None))
        Traceback (most recent call last):
            ...
        ValueError: reduction: para entrenar se esperaba una pérdida que dé un solo número, pero llegó None
    """
    if isinstance(loss, type) and issubclass(loss, Loss):
        loss = loss()
    elif isinstance(loss, str) and loss in NAMES:
        loss = NAMES[loss]()
    elif not isinstance(loss, Loss):
        own = next((c for function, c in FUNCTIONS.items() if function is loss), None) or _later(loss)
        if own is None and callable(loss) and not isinstance(loss, type):
            from chapters.mlp.tape.functions import FunctionLoss

            return FunctionLoss(loss)
        loss = own() if own else check.choice(loss, "loss", [c.name for c in CLASSES])
    if loss.reduction in UNREDUCED:
        raise ValueError(
            f"reduction: para entrenar se esperaba una pérdida que dé un solo número, pero llegó {loss.reduction!r}"
        )
    return loss
