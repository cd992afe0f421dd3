r"""La exactitud de ILSVRC: basta con estar entre las primeras."""

import numpy as np

from chapters.mlp.metrics import CategoricalAccuracy, SparseCategoricalAccuracy
from chapters.mlp.metrics.base import add_mean
from dlbook import check
from dlbook.attributes import Absent, Checked
from dlbook.numeric.kernel import kernel


class SparseTopKCategoricalAccuracy(SparseCategoricalAccuracy):
    r"""Exactitud *top-k*: en cuántos casos la clase correcta está entre las :math:`k` mejor calificadas.

    En una foto de ImageNet puede haber un perro, una pelota y un sillón, y solo una de las tres es «la correcta». Con
    mil clases, además, muchas se parecen: hay más de cien razas de perro. Por eso el concurso dejaba dar cinco
    respuestas. Con :math:`c` la clase correcta y :math:`\hat y_j` los puntajes,

    .. math::
       :label: ec-cnn-top-k

       \text{acierto} = \Bigl[\,\#\{j : \hat y_j > \hat y_c\} < k\,\Bigr] .

    El corchete vale 1 si lo de adentro se cumple y 0 si no: se acierta si menos de :math:`k` clases le ganan a la
    correcta. Con :math:`k=1` es la exactitud de siempre. El **error top-5** es el resto hasta 1. :item:`SYS-22`

    **A mano.** La clase correcta es la 2. En la primera observación le gana una, así que es la segunda mejor; en la
    otra le ganan dos:

    >>> scores = [[0.1, 0.5, 0.3, 0.1], [0.4, 0.3, 0.2, 0.1]]
    >>> [SparseTopKCategoricalAccuracy(k)([2, 2], scores) for k in (1, 2, 3)]
    [0.0, 0.5, 1.0]

    Parameters
    ----------
    k : int
        Cuántas respuestas se permiten.
    name, dtype
        Como en :class:`~chapters.mlp.metrics.Metric`.
    from_sorted_ids : False
        No existe aquí: llegan puntajes, y no clases ya ordenadas.
    """

    name = "sparse_top_k_categorical_accuracy"

    k = Checked(check.integer, 1)
    from_sorted_ids = Absent(False)

    def __init__(self, k=5, name=None, dtype=None, from_sorted_ids=False):
        super().__init__(name, dtype)
        self.k, self.from_sorted_ids = k, from_sorted_ids

    def _matches(self, labels, y_pred, weight, n, state):
        _top_k_matches(labels, y_pred, weight, self.k, n, state)


def plain_sparse_top_kcategorical_accuracy(labels, scores, k):
    r"""A la correcta le ganan menos de k."""
    correct = scores[np.arange(len(labels)), labels]
    better = (scores > correct[:, np.newaxis]).sum(axis=1)
    return (better < k).mean()  # [ec-cnn-top-k]


@kernel
def _top_k_matches(labels, y_pred, weight, k, n, state):
    total, classes = 0.0, y_pred.shape[2]
    for i in range(weight.size):
        matches = 0
        for j in range(labels.shape[1]):
            correct = labels[i, j]
            # Una etiqueta que no es una clase es de las que la pérdida ignora.
            better = 0 if 0 <= correct < classes else k
            for c in range(classes if better < k else 0):
                better += y_pred[i, j, c] > y_pred[i, j, correct]
            matches += better < k  # [ec-cnn-top-k]
        total += weight[i] * matches
    add_mean(total, labels.size, weight, n, state)


class TopKCategoricalAccuracy(CategoricalAccuracy):
    r"""Exactitud *top-k* con las clases correctas en *one-hot*.

    >>> scores = [[0.1, 0.5, 0.3, 0.1], [0.4, 0.3, 0.2, 0.1]]
    >>> TopKCategoricalAccuracy(2)([[0, 0, 1, 0], [0, 0, 1, 0]], scores)
    0.5

    Parameters
    ----------
    k : int
        Cuántas respuestas se permiten.
    name, dtype
        Como en :class:`~chapters.mlp.metrics.Metric`.
    """

    name = "top_k_categorical_accuracy"

    k = Checked(check.integer, 1)

    def __init__(self, k=5, name=None, dtype=None):
        super().__init__(name, dtype)
        self.k = k

    def _matches(self, y_true, y_pred, weight, n, state):
        labels = y_true.argmax(axis=-1)
        _top_k_matches(labels, y_pred, weight, self.k, n, state)
