r"""Intersección entre unión: cuánto coinciden dos regiones, clase por clase."""

import numpy as np

from chapters.mlp.metrics.base import Metric, _useless
from dlbook import check
from dlbook.attributes import Absent, Checked


def _classes_of(value, name):
    return [check.integer(v, name, 0) for v in check.sequence(value, name)]


class IoU(Metric):
    r"""Intersección entre unión (*intersection over union*, IoU) de las clases que se pidan, en promedio.

    Es la medida de la segmentación, donde cada píxel lleva una clase. De la matriz de confusión, :math:`C_{ab}` son
    los píxeles de la clase :math:`a` a los que se les dijo :math:`b`, y para cada clase

    .. math::
       :label: ec-mlp-iou

       \text{IoU}_k = \frac{C_{kk}}{\sum_b C_{kb}+\sum_a C_{ak}-C_{kk}} :

    los que coinciden, entre los que dijo uno u otro. Una clase que no está en ninguno de los dos lados no entra en el
    promedio. Como en Keras, al denominador y a cuántas clases se promedian se les suma :math:`10^{-7}`; lo que no es
    una clase se pasa por alto.

    **A mano.** La clase 0 coincide en uno de dos; la 1, en dos de tres:

    >>> y_true, y_pred = [0, 1, 1, 0], [0, 1, 1, 1]
    >>> [round(IoU(2, [k])(y_true, y_pred), 4) for k in (0, 1)]
    [0.5, 0.6667]

    Parameters
    ----------
    num_classes : int
        Cuántas clases hay.
    target_class_ids : list of int
        De cuáles se promedia.
    name, dtype
        Como en :class:`Metric`.
    ignore_class : int, optional
        Una etiqueta que no cuenta.
    sparse_y_true, sparse_y_pred : bool
        Si lo correcto y lo predicho son ya números de clase; si no, son un vector por píxel, del que se toma la mayor.
        Para la salida de una red con *softmax*, ``sparse_y_pred=False``.
    axis : -1
        No admite otro valor.
    """

    name = "io_u"
    rising = True
    num_classes = Checked(check.integer, 1, 10_000)
    target_class_ids = Checked(_classes_of)
    ignore_class = Checked(check.integer, -(2**31), 2**31, optional=True)
    sparse_y_true, sparse_y_pred = Checked(check.boolean), Checked(check.boolean)
    axis = Absent(-1)

    def __init__(
        self,
        num_classes,
        target_class_ids,
        name=None,
        dtype=None,
        ignore_class=None,
        sparse_y_true=True,
        sparse_y_pred=True,
        axis=-1,
    ):
        super().__init__(name, dtype)
        self.num_classes, self.target_class_ids, self.ignore_class = num_classes, target_class_ids, ignore_class
        self.sparse_y_true, self.sparse_y_pred, self.axis = sparse_y_true, sparse_y_pred, axis
        if max(self.target_class_ids) >= self.num_classes:
            last = max(self.target_class_ids)
            raise ValueError(
                f"target_class_ids: se esperaba un entero entre 0 y {self.num_classes - 1}, pero llegó {last}"
            )

    def accept(self, y_true, output_shape):
        r"""Acepta una clase, o un vector, por píxel."""
        sides = ((y_true.shape[1:], self.sparse_y_true), (output_shape, self.sparse_y_pred))
        # Lo que no es un número de clase necesita un eje del que tomar la mayor.
        lacking = any(not sparse and not len(shape) for shape, sparse in sides)
        if lacking or _pixels(*sides[0]) != _pixels(*sides[1]):
            raise _useless(self, y_true, output_shape)

    def size(self, output_shape):
        r"""La matriz de confusión."""
        return self.num_classes**2

    def accumulate(self, y_true, y_pred, weight, state):
        r"""Suma la matriz de confusión."""
        a = (y_true if self.sparse_y_true else y_true.argmax(axis=-1)).astype(np.int64)
        b = (self._said(y_pred) if self.sparse_y_pred else y_pred.argmax(axis=-1)).astype(np.int64).reshape(a.shape)
        w = np.ones(a.shape) if weight is None else weight.reshape(weight.shape + (1,) * (a.ndim - weight.ndim))
        counted = (a >= 0) & (a < self.num_classes) & (b >= 0) & (b < self.num_classes)
        if self.ignore_class is not None:
            counted &= a != self.ignore_class
        cells = a[counted] * self.num_classes + b[counted]
        state += np.bincount(cells, np.broadcast_to(w, a.shape)[counted], state.size)

    def _said(self, y_pred):
        return y_pred

    def value(self, state):
        r"""Da el promedio."""
        matrix = state.reshape(self.num_classes, -1)
        both = np.diag(matrix)
        either = matrix.sum(axis=0) + matrix.sum(axis=1) - both
        wanted = np.isin(np.arange(self.num_classes), self.target_class_ids) & (either > 1e-9)
        found = both[wanted] / (either[wanted] + 1e-7)  # [ec-mlp-iou]
        return float(found.sum() / (wanted.sum() + 1e-7))

    def _prepare(self, y_true, y_pred):
        y_true = check.floats(y_true, "y_true")
        if y_true.ndim == 0 or len(y_true) != len(y_pred):
            raise ValueError(f"y_true: se esperaban {len(y_pred)} observaciones, pero llegó la forma {y_true.shape}")
        if not y_true.size:
            raise ValueError(f"y_true: se esperaba al menos un número, pero llegó la forma {y_true.shape}")
        self.accept(y_true, y_pred.shape[1:])
        return y_true


def _pixels(shape, sparse):
    # Una clase por píxel se puede escribir con un eje de más, de tamaño 1.
    return shape[:-1] if not sparse or shape[-1:] == (1,) else shape


def plain_io_u(y_true, y_pred, target_class_ids):
    r"""La de cada clase que se pide y aparece, y su media."""
    scores = []
    for k in target_class_ids:
        both = ((y_true == k) & (y_pred == k)).sum()
        either = ((y_true == k) | (y_pred == k)).sum()
        if either:
            scores.append(both / (either + 1e-7))  # [ec-mlp-iou]
    return sum(scores) / (len(scores) + 1e-7)


class MeanIoU(IoU):
    r"""Intersección entre unión, promediada sobre todas las clases.

    >>> iou = MeanIoU(num_classes=2)
    >>> round(iou([0, 1, 1, 0], [0, 1, 1, 1]), 4)  # (1/2 + 2/3) / 2
    0.5833

    Parameters
    ----------
    num_classes, name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis
        Como en :class:`IoU`.
    """

    name = "mean_io_u"

    def __init__(
        self,
        num_classes,
        name=None,
        dtype=None,
        ignore_class=None,
        sparse_y_true=True,
        sparse_y_pred=True,
        axis=-1,
    ):
        every = range(check.integer(num_classes, "num_classes", 1, 10_000))
        rest = ignore_class, sparse_y_true, sparse_y_pred, axis
        super().__init__(num_classes, every, name, dtype, *rest)


class BinaryIoU(IoU):
    r"""Intersección entre unión cuando lo predicho es la probabilidad de una de dos clases.

    Un 0.5 cuenta como sí:

    >>> round(BinaryIoU()([0, 1, 1, 0], [0.1, 0.9, 0.6, 0.5]), 4)
    0.5833

    Parameters
    ----------
    target_class_ids : list of int
        De cuáles se promedia: 0, 1 o las dos.
    threshold : float
        Desde cuánto es la clase 1.
    name, dtype
        Como en :class:`Metric`.
    """

    name = "binary_io_u"
    threshold = Checked(check.number)

    def __init__(
        self,
        target_class_ids=(0, 1),
        threshold=0.5,
        name=None,
        dtype=None,
    ):
        super().__init__(2, target_class_ids, name, dtype)
        self.threshold = threshold

    def _said(self, y_pred):
        return y_pred >= y_pred.dtype.type(self.threshold)
