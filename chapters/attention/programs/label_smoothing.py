r"""Etiquetas con algo de duda: la entropía cruzada suavizada, con la respuesta escrita como un número."""

import numpy as np

from chapters.mlp.losses.sparse import SparseCategoricalCrossentropy, _sparse_logits
from dlbook import check
from dlbook.attributes import Checked
from dlbook.numeric.kernel import kernel


def plain_smoothed_crossentropy(labels, logits, smoothing):
    r"""Da la pérdida de unos puntajes y su gradiente, promediados."""
    n, classes = logits.shape
    z = logits - logits.max(axis=1, keepdims=True)
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    right = np.arange(n), labels
    ahead = logits[right] - logits.mean(axis=1)
    loss = -np.log(p[right]) + smoothing * ahead  # [ec-att-suave]
    q = np.full_like(p, smoothing / classes)
    q[right] += 1 - smoothing
    return loss.mean(), (p - q) / n  # [ec-att-suave-gradiente]


class SmoothedCrossentropy(SparseCategoricalCrossentropy):
    r"""Entropía cruzada con etiquetas enteras y suavizadas (*label smoothing*), a partir de puntajes.

    Una etiqueta dice que la clase :math:`c` tiene probabilidad 1. Para dar esa respuesta el *softmax* necesita una
    ventaja infinita de :math:`z_c`: por grande que ya sea, el gradiente pide más. :cite:t:`szegedy2016` piden algo que
    sí se puede alcanzar. De la certeza se aparta una parte :math:`\varepsilon` y se reparte por igual entre las
    :math:`K` clases:

    .. math::
       :label: ed-att-suave-etiqueta

       q_k=(1-\varepsilon)\,[k=c]+\frac{\varepsilon}{K} .

    **Derivación.** La entropía cruzada es :math:`-\sum_kq_k\ln p_k`, y :math:`\ln p_k=z_k-\ln S` con
    :math:`S=\sum_je^{z_j}`. Como :math:`\sum_kq_k=1`,

    .. math::

       \mathcal L=\ln S-\sum_kq_kz_k
       =\ln S-(1-\varepsilon)\,z_c-\varepsilon\,\bar z,
       \qquad \bar z=\frac1K\sum_kz_k .

    Ya teníamos :math:`\ln S-z_c`, la pérdida sin suavizar, :eq:`ec-mlp-sparse-logits`. Lo demás es un término nuevo:

    .. math::
       :label: ec-att-suave

       \mathcal L=\underbrace{\ln S-z_c}_{\text{la de siempre}}+\;\varepsilon\,(z_c-\bar z) .

    Cobra por la ventaja de la clase correcta sobre el promedio. El gradiente, sin sorpresas, es lo predicho menos lo
    deseado:

    .. math::
       :label: ec-att-suave-gradiente

       \frac{\partial\mathcal L}{\partial z_k}
       =p_k-q_k
       =p_k-(1-\varepsilon)\,[k=c]-\frac{\varepsilon}{K} .

    Se anula cuando :math:`p=q`, y eso pasa con una ventaja finita. Si :math:`z_c` le gana por :math:`m` a todas las
    demás, que están empatadas, :math:`e^m=q_c/q_k`:

    .. math::
       :label: ed-att-suave-ventaja

       m=\ln\frac{1-\varepsilon+\varepsilon/K}{\varepsilon/K}
       =\ln\Bigl(1+\frac{(1-\varepsilon)K}{\varepsilon}\Bigr) .

    **El piso.** La pérdida ya no llega a cero: lo menos que puede valer es la entropía de :math:`q`. Al leer una curva
    hay que restarla.

    **A mano.** Los puntajes de siempre, :math:`(2,\ 1,\ 0.1)`, con :math:`p=(0.659,\ 0.242,\ 0.099)`. Con
    :math:`\varepsilon=0.3`, a cada clase le tocan 0.1, y :math:`q=(0.8,\ 0.1,\ 0.1)`. La pérdida sube
    :math:`0.3\,(2-1.0333)=0.29`:

    >>> loss = SmoothedCrossentropy(0.3)
    >>> z = np.array([[2.0, 1.0, 0.1]])
    >>> round(loss([0], z), 4), round(SmoothedCrossentropy(0)([0], z), 4)
    (0.707, 0.417)
    >>> loss.gradient([0], z).round(4)             # p - q
    array([[-0.141 ,  0.1424, -0.0014]])

    En la ventaja de :eq:`ed-att-suave-ventaja` el gradiente es cero:

    >>> m = np.log(1 + 0.7 * 3 / 0.3)
    >>> z = np.array([[m, 0.0, 0.0]])
    >>> np.abs(loss.gradient([0], z)).max() < 1e-15
    np.True_

    Es la de Keras con *one-hot* y ``label_smoothing``, sin escribir una fila de :math:`K` números por palabra:

    >>> from chapters.mlp import CategoricalCrossentropy
    >>> keras = CategoricalCrossentropy(from_logits=True, label_smoothing=0.3)
    >>> round(keras([[1, 0, 0]], [[2.0, 1.0, 0.1]]), 4)
    0.707

    Parameters
    ----------
    label_smoothing : float
        La parte :math:`\varepsilon` que se reparte, de 0 a 1.
    ignore_class : int, optional
        Una etiqueta que no cuenta, como el 0 del relleno.
    reduction, axis, name, dtype
        Como en :class:`~chapters.mlp.losses.Loss`.

    Raises
    ------
    TypeError, ValueError
        Si un argumento no sirve o, al usarla, si alguna etiqueta no es una de las clases.

        >>> SmoothedCrossentropy(1.5)
        Traceback (most recent call last):
            ...
        ValueError: label_smoothing: se esperaba un número de al menos 0 y de a lo sumo 1, pero llegó 1.5
    """

    name = "smoothed_crossentropy"
    label_smoothing = Checked(check.number, 0, 1)
    # No es un argumento: con probabilidades, la de Keras.
    from_logits = True

    def __init__(
        self,
        label_smoothing=0.1,
        ignore_class=None,
        reduction="sum_over_batch_size",
        axis=-1,
        name=None,
        dtype=None,
    ):
        super(SparseCategoricalCrossentropy, self).__init__(reduction, name, dtype)
        self.label_smoothing, self.ignore_class, self.axis = label_smoothing, ignore_class, axis

    def kernel(self, labels, logits, weight, gradient):
        r"""Suma las pérdidas de unas filas y escribe su gradiente, ya con pesos. No comprueba nada."""
        return _smoothed(labels, logits, weight, gradient, self.label_smoothing)


@kernel(error_model="numpy")
def _smoothed(labels, logits, weight, gradient, smoothing):
    n, classes = logits.shape
    real = logits.dtype.type
    per_weight = n // weight.size
    loss = _sparse_logits(labels, logits, weight, gradient)
    for i in range(n):
        share = weight[i // per_weight] / real(per_weight)
        mean = real(0)
        for k in range(classes):
            mean += logits[i, k]
        mean /= real(classes)
        ahead = logits[i, labels[i]] - mean
        loss += share * real(smoothing) * ahead  # [ec-att-suave]
        doubt = share * real(smoothing)
        for k in range(classes):
            gradient[i, k] -= doubt / real(classes)  # [ec-att-suave-gradiente]
        gradient[i, labels[i]] += doubt  # [ec-att-suave-gradiente]
    return loss
