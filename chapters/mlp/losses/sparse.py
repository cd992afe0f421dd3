r"""La entropía cruzada de una respuesta entre varias, con la respuesta escrita como etiqueta."""

import math

import numpy as np

from chapters.mlp.activations.exponential import _add
from chapters.mlp.activations.softmax import _exponentiate, _shift
from chapters.mlp.losses.base import Loss
from chapters.mlp.losses.binary import EPSILON
from chapters.mlp.losses.categorical import _classes
from dlbook import check
from dlbook.attributes import Checked
from dlbook.numeric.kernel import kernel


class SparseCategoricalCrossentropy(Loss):
    r"""Entropía cruzada con etiquetas enteras (*sparse categorical cross-entropy*).

    Es :class:`CategoricalCrossentropy` cuando lo correcto es una sola clase, escrita con su número :math:`c` y no con
    una fila de ceros y un 1. De la suma sobrevive un término:

    .. math::
       :label: ec-mlp-sparse-logits

       \mathcal L = -\ln p_c = \ln\sum_k e^{z_k} - z_c .

    Con diez mil palabras como clases, guardar un número en vez de diez mil ceros puede ser la diferencia entre
    caber y no caber en la memoria. Por lo demás son la misma pérdida: viene de la misma verosimilitud y tiene el
    mismo gradiente,

    .. math::
       :label: ec-mlp-sparse-logits-gradiente

       \frac{\partial\mathcal L}{\partial z_k} = p_k - [k=c] .

    El gradiente suma cero: subir la clase correcta es bajar las demás, cada una en proporción a lo que se le creía.

    .. admonition:: Con probabilidades, como Keras
       :class: dropdown

       Se recorta :math:`p` a :math:`[10^{-7},1-10^{-7}]` y después se divide entre la suma. Si :math:`s` es la suma de
       las recortadas,

       .. math::
          :label: ec-mlp-sparse

          \mathcal L = \ln s - \ln p_c,
          \qquad
          \frac{\partial\mathcal L}{\partial p_k} = \frac1s - \frac{[k=c]}{p_c} ,

       y el gradiente es cero en las recortadas.

    **A mano.** El mismo ejemplo que con *one-hot*, y un puntaje que desbordaría la exponencial:

    >>> from chapters.mlp.losses import SparseCategoricalCrossentropy
    >>> loss = SparseCategoricalCrossentropy(from_logits=True)
    >>> round(loss([0], [[2.0, 1.0, 0.1]]), 4)
    0.417
    >>> loss.gradient([0], [[2.0, 1.0, 0.1]]).round(4)
    array([[-0.341 ,  0.2424,  0.0986]])
    >>> loss([1], [[1e4, 0.0, 0.0]])
    10000.0

    Con ``ignore_class=-1``, una etiqueta −1, que sin eso sería un error, es como si no estuviera:

    >>> some = SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1)
    >>> round(some([0, -1], [[2.0, 1.0, 0.1], [9.0, 9.0, 9.0]]), 4)
    0.417

    Una red que no sabe nada reparte por igual entre :math:`K` clases, y su pérdida es :math:`\ln K`. Con diez,
    :math:`2.3`: si al empezar ves un número mucho mayor, busca por qué.

    >>> round(loss([3], [[0.0] * 10]), 4), round(math.log(10), 4)
    (2.3026, 2.3026)

    Parameters
    ----------
    from_logits : bool
        Si las predicciones son logits y no probabilidades.
    ignore_class : int, optional
        Una etiqueta que no cuenta, sea o no una de las clases: la de lo que nadie anotó, o la del relleno de una
        secuencia. La pérdida se divide entre los vectores que sí cuentan.
    reduction, axis, name, dtype
        Como en :class:`Loss`.

    Raises
    ------
    TypeError, ValueError
        Si los argumentos no son de los tipos pedidos; al usarla, si alguna etiqueta no es una de las clases.

        >>> loss([3], [[0.2, 0.3, 0.5]])
        Traceback (most recent call last):
            ...
        ValueError: y_true: se esperaba un entero entre 0 y 2, pero hay un 3 en la posición (0,)
    """

    name = "sparse_categorical_crossentropy"
    from_logits = Checked(check.boolean)
    ignore_class = Checked(check.integer, -(2**31), 2**31, optional=True)

    def __init__(
        self,
        from_logits=False,
        ignore_class=None,
        reduction="sum_over_batch_size",
        axis=-1,
        name=None,
        dtype=None,
    ):
        super().__init__(reduction, name, dtype)
        self.from_logits, self.ignore_class, self.axis = from_logits, ignore_class, axis

    def prepare(self, y_true, output_shape, dtype):
        r"""Como :meth:`Loss.prepare`, pero devuelve etiquetas: un entero entre 0 y K − 1 por vector de la salida."""
        output_shape = tuple(output_shape)
        classes, ignored = _classes(output_shape), self.ignore_class
        if ignored is None:
            labels = check.labels(y_true, "y_true", classes, "...")
        else:
            y_true = check.floats(y_true, "y_true", "...")
            labels = check.labels(np.where(y_true == ignored, 0, y_true), "y_true", classes, "...")
            labels[y_true == ignored] = ignored
        return np.ascontiguousarray(self._fit(labels, output_shape[:-1]))

    def _counted(self, y_true):
        return y_true.reshape(-1) != self.ignore_class if self.ignore_class is not None else np.ones(y_true.size, bool)

    @property
    def divides_by_rows(self):
        r"""Si basta con dividir entre cuántas observaciones hay, porque todas las etiquetas cuentan."""
        return super().divides_by_rows and self.ignore_class is None

    def shard(self, y_true, y_pred, weight, gradient):
        r"""Como :meth:`Loss.shard`."""
        shape = -1, y_pred.shape[-1]
        labels, weight = y_true.reshape(-1), weight.reshape(-1)
        if self.ignore_class is not None:
            # La que no cuenta pesa cero, y lleva la etiqueta de una clase que existe.
            counted, per_weight = self._counted(y_true), labels.size // weight.size
            labels, weight = np.where(counted, labels, 0), np.repeat(weight / per_weight, per_weight) * counted
        return self.kernel(labels, y_pred.reshape(shape), weight, gradient.reshape(shape))

    def kernel(self, labels, y_pred, weight, gradient):
        r"""Suma las pérdidas de unas filas y escribe su gradiente, ya con pesos. No comprueba nada."""
        kernel = _sparse_logits if self.from_logits else _sparse_probabilities
        return kernel(labels, y_pred, weight, gradient)


def plain_sparse_categorical_crossentropy(y_true, y_pred, from_logits):
    r"""La pérdida de cada observación y su gradiente."""
    i = np.arange(len(y_true))
    if from_logits:
        z = y_pred - y_pred.max(axis=1, keepdims=True)
        S = np.exp(z).sum(axis=1, keepdims=True)
        losses = np.log(S[:, 0]) - z[i, y_true]  # [ec-mlp-sparse-logits]
        slopes = np.exp(z) / S
        slopes[i, y_true] -= 1  # [ec-mlp-sparse-logits-gradiente]
        return losses, slopes
    p = np.clip(y_pred, EPSILON, 1 - EPSILON)
    s = p.sum(axis=1, keepdims=True)
    losses = np.log(s[:, 0]) - np.log(p[i, y_true])  # [ec-mlp-sparse]
    slopes = np.repeat(1 / s, p.shape[1], axis=1)
    slopes[i, y_true] -= 1 / p[i, y_true]  # [ec-mlp-sparse]
    return losses, np.where(p == y_pred, slopes, 0)


@kernel(error_model="numpy")
def _sparse_logits(labels, logits, weight, gradient):
    n, classes = logits.shape
    per_weight = n // weight.size
    loss = 0.0
    _shift(logits, gradient)
    for i in range(n):
        loss -= weight[i // per_weight] * gradient[i, labels[i]]
    _exponentiate(gradient.reshape(-1))
    for i in range(n):
        share = weight[i // per_weight] / logits.dtype.type(per_weight)
        total = gradient[i, 0]
        for k in range(1, classes):
            total = _add(total, gradient[i, k])
        loss += weight[i // per_weight] * math.log(total)  # [ec-mlp-sparse-logits]
        scale = share / total
        for k in range(classes):
            gradient[i, k] *= scale
        gradient[i, labels[i]] -= share  # [ec-mlp-sparse-logits-gradiente]
    return loss / per_weight


@kernel(error_model="numpy")
def _sparse_probabilities(labels, p, weight, gradient):
    n, classes = p.shape
    real = p.dtype.type
    per_weight = n // weight.size
    low, high, zero = real(EPSILON), real(1 - EPSILON), real(0)
    loss = 0.0
    for i in range(n):
        share = weight[i // per_weight] / real(per_weight)
        total = zero
        for k in range(classes):
            total = _add(total, min(max(p[i, k], low), high))
        correct = min(max(p[i, labels[i]], low), high)
        loss += share * (math.log(total) - math.log(correct))  # [ec-mlp-sparse]
        for k in range(classes):
            slope = share / total - (share / correct if k == labels[i] else zero)  # [ec-mlp-sparse]
            gradient[i, k] = slope if low <= p[i, k] <= high else zero
    return loss
