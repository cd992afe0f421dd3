r"""Las métricas, con los nombres de Keras."""

import inspect

from chapters.mlp.metrics.accuracy import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
)
from chapters.mlp.metrics.auc import AUC
from chapters.mlp.metrics.base import Metric
from chapters.mlp.metrics.confusion import (
    FalseNegatives,
    FalsePositives,
    Precision,
    Recall,
    TrueNegatives,
    TruePositives,
)
from chapters.mlp.metrics.error import MeanAbsoluteError, MeanSquaredError, R2Score, RootMeanSquaredError
from chapters.mlp.metrics.f_score import F1Score, FBetaScore
from chapters.mlp.metrics.iou import BinaryIoU, IoU, MeanIoU
from chapters.mlp.metrics.of_losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CategoricalHinge,
    CosineSimilarity,
    Hinge,
    KLDivergence,
    LogCoshError,
    MeanAbsolutePercentageError,
    MeanSquaredLogarithmicError,
    Poisson,
    SparseCategoricalCrossentropy,
    SquaredHinge,
)
from chapters.mlp.metrics.reduction import Mean, Sum
from dlbook import check, registry

__all__ = [
    "AUC",
    "Accuracy",
    "BinaryAccuracy",
    "BinaryCrossentropy",
    "BinaryIoU",
    "CategoricalAccuracy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "F1Score",
    "FBetaScore",
    "FalseNegatives",
    "FalsePositives",
    "Hinge",
    "IoU",
    "KLDivergence",
    "LogCoshError",
    "Mean",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanIoU",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Metric",
    "Poisson",
    "Precision",
    "R2Score",
    "Recall",
    "RootMeanSquaredError",
    "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
    "Sum",
    "TrueNegatives",
    "TruePositives",
    "check_name",
    "get",
]

# De los nombres que dependen de las formas, la binaria, la de etiquetas y la de one-hot.
BY_SHAPE = {
    **dict.fromkeys(("accuracy", "acc"), (BinaryAccuracy, SparseCategoricalAccuracy, CategoricalAccuracy)),
    **dict.fromkeys(
        ("crossentropy", "ce"), (BinaryCrossentropy, SparseCategoricalCrossentropy, CategoricalCrossentropy)
    ),
}
SHORT = {
    "mse": MeanSquaredError,
    "mae": MeanAbsoluteError,
    "mape": MeanAbsolutePercentageError,
    "msle": MeanSquaredLogarithmicError,
    "bce": BinaryCrossentropy,
}
# La que Keras llama de dos maneras.
OTHER = {"log_cosh_error": LogCoshError}


def _names():
    # Las de los capítulos que se hayan importado, con el nombre de Keras y con el de la clase. Las que piden algún
    # argumento, o no comparan nada, no se pueden pedir así.
    classes = [
        c
        for c in registry.classes("metric").values()
        if c.name
        and not issubclass(c, Mean)
        and all(p.default is not p.empty for p in inspect.signature(c).parameters.values())
    ]
    short = SHORT | {name.upper(): c for name, c in SHORT.items()} | OTHER
    return {c.name: c for c in classes} | {c.__name__: c for c in classes} | short


def check_name(metric):
    r"""Comprueba que exista una métrica con un nombre, antes de conocer los datos.

    >>> check_name("recall")

    Parameters
    ----------
    metric : object
        El nombre; lo que no es un texto no se comprueba.

    Raises
    ------
    ValueError
        Si ninguna se llama así, en ningún capítulo.

        >>> check_name("exactitud")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
            ...
        ValueError: metrics: se esperaba 'accuracy' o 'auc' o ..., pero llegó 'exactitud'
    """
    if isinstance(metric, str) and metric.lower() not in BY_SHAPE:
        if metric not in _names():
            registry.import_everything()
        if metric not in _names():
            _unknown(metric)


def _unknown(metric):
    known = {c.name for c in _names().values()} - {"accuracy"}
    check.choice(metric, "metrics", ["accuracy", *sorted(known)], exact=True)


def get(metric, y_true, y_pred, from_logits=False):
    r"""Encuentra una métrica por su nombre.

    ``"accuracy"`` es una de tres, y cuál depende de las formas, como en Keras: con una sola salida, la binaria; con
    clases como enteros, :class:`SparseCategoricalAccuracy`; si no, :class:`CategoricalAccuracy`. Igual con
    ``"crossentropy"``.

    >>> import numpy as np
    >>> get("accuracy", np.array([2, 0]), np.zeros((2, 3)))
    SparseCategoricalAccuracy()
    >>> get("accuracy", np.zeros((2, 1)), np.zeros((2, 1)))
    BinaryAccuracy(threshold=0.5)
    >>> get("MAE", np.zeros((2, 1)), np.zeros((2, 1)))
    MeanAbsoluteError()

    Parameters
    ----------
    metric : str, Metric or type
        El nombre de Keras, corto, largo o el de la clase; la clase, o el propio objeto.
    y_true, y_pred : ndarray
        Lo correcto, y algo de la forma de lo predicho.
    from_logits : bool
        Si la salida son *logits*.

    Returns
    -------
    Metric

    Raises
    ------
    ValueError
        Si el nombre no existe, o si la métrica no concuerda con la forma de lo correcto.
    """
    if isinstance(metric, str) and metric.lower() in BY_SHAPE:
        binary, sparse, categorical = BY_SHAPE[metric.lower()]
        cls = categorical if y_true.shape == y_pred.shape else sparse
        if y_pred.shape[-1] == 1:
            cls = binary
        options = {}
        if binary is not BinaryAccuracy:
            options = {"from_logits": from_logits}
        elif cls is binary and from_logits:
            options = {"threshold": 0.0}
        metric = cls(**options)
    elif isinstance(metric, type) and issubclass(metric, Metric):
        metric = metric()
    elif callable(metric) and not isinstance(metric, (type, Metric)):
        from chapters.mlp.tape.functions import FunctionMetric

        metric = FunctionMetric(metric)
    elif not isinstance(metric, Metric):
        if not isinstance(metric, str):
            _unknown(metric)
        check_name(metric)
        metric = _names()[metric]()
    metric.accept(y_true, y_pred.shape[1:])
    return metric
