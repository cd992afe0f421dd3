r"""La entropía cruzada de una respuesta entre varias, con la respuesta escrita como distribución."""

import math

import numpy as np

from chapters.mlp.activations.exponential import _add, log
from chapters.mlp.activations.softmax import _exponentiate, _shift
from chapters.mlp.losses.base import Loss
from chapters.mlp.losses.binary import EPSILON, _between_0_and_1
from dlbook import check
from dlbook.attributes import Checked
from dlbook.numeric.kernel import kernel


class CategoricalCrossentropy(Loss):
    r"""Entropía cruzada categórica (*categorical cross-entropy*): una respuesta entre :math:`K`.

    La respuesta correcta se escribe con un 1 en su clase y ceros en las demás (*one-hot*), y la red reparte la unidad
    entre las :math:`K` clases:

    .. math::
       :label: ec-mlp-cce

       \mathcal L = -\sum_{k=1}^{K} y_k\ln p_k .

    Con un solo 1 queda un solo término, :math:`-\ln p_c`: la sorpresa de encontrar la clase correcta :math:`c`. Si lo
    correcto es también una distribución, :math:`y=(0.7, 0.3)`, la fórmula promedia las sorpresas.

    **De dónde sale.** Es un dado de :math:`K` caras cargado con :math:`p_1,\dots,p_K`. El exponente apaga las caras que
    no salieron, :math:`p(\mathbf y)=\prod_k p_k^{y_k}`, y menos su logaritmo es :eq:`ec-mlp-cce`. Con :math:`K=2` y
    :math:`p_2=1-p_1` es la entropía cruzada binaria.

    **Con logits.** Sea :math:`p_k=e^{z_k}/S` con :math:`S=\sum_j e^{z_j}`, el *softmax*. El logaritmo del cociente es
    una resta, :math:`\ln p_k=z_k-\ln S`, y como :math:`\sum_k y_k=1`,

    .. math::
       :label: ec-mlp-cce-logits

       \mathcal L = -\sum_k y_k\,(z_k-\ln S) = \ln S - \sum_k y_k z_k .

    Para el gradiente, :math:`\partial\ln S/\partial z_j=e^{z_j}/S=p_j`. Luego

    .. math::
       :label: ec-mlp-cce-logits-gradiente

       \frac{\partial\mathcal L}{\partial z_j} = p_j - y_j :

    lo predicho menos lo deseado, igual que en el error cuadrático y en la entropía binaria. La jacobiana del *softmax*
    y la derivada del logaritmo se deshicieron una a la otra; por eso se calculan juntas, con ``from_logits=True`` y la
    red sin *softmax* al final. Antes de la exponencial se resta el mayor de los puntajes, que ni cambia :math:`p` ni
    desborda.

    .. admonition:: Con probabilidades, como Keras
       :class: dropdown

       Antes del logaritmo se hacen dos cosas: se divide entre la suma, :math:`q_k=p_k/\sum_j p_j`, y se recorta
       :math:`q` a :math:`[10^{-7},1-10^{-7}]`. Llamemos :math:`s` a la suma. Como
       :math:`\partial q_k/\partial p_j=([k=j]-q_k)/s`, la regla de la cadena da

       .. math::
          :label: ec-mlp-cce-gradiente

          \frac{\partial\mathcal L}{\partial p_j}
          = -\sum_k \frac{y_k}{q_k}\,\frac{[k=j]-q_k}{s}
          = \frac1s\Bigl(\sum_k y_k - \frac{y_j}{q_j}\Bigr),

       donde no cuentan las clases recortadas, cuya pérdida no cambia.

    **Una sola salida no es una clase.** Con :math:`K=1` el *softmax* vale siempre :math:`e^{z}/e^{z}=1`, la pérdida es
    :math:`-\ln1=0` con cualquier peso y la red no aprende nada. Ahí van la sigmoide y
    :class:`BinaryCrossentropy`; nosotros lo impedimos. :item:`MLP-83` :erratum:`E-05`

    **A mano.** Con los puntajes :math:`(2,\ 1,\ 0.1)`, :math:`S=11.212`; la primera es la correcta:

    >>> from chapters.mlp.losses import CategoricalCrossentropy
    >>> loss = CategoricalCrossentropy(from_logits=True)
    >>> y, z = [[1, 0, 0]], [[2.0, 1.0, 0.1]]
    >>> round(loss(y, z), 4)  # ln 11.212 - 2
    0.417
    >>> loss.gradient(y, z).round(4)  # (0.659 - 1, 0.242, 0.099)
    array([[-0.341 ,  0.2424,  0.0986]])

    Sin logits se puede dar cualquier múltiplo de las probabilidades:

    >>> loss = CategoricalCrossentropy()
    >>> (
    ...     round(loss([[1, 0, 0]], [[0.5, 0.25, 0.25]]), 6),
    ...     round(loss([[1, 0, 0]], [[2.0, 1.0, 1.0]]), 6),
    ... )
    (0.693147, 0.693147)

    Parameters
    ----------
    from_logits : bool
        Si las predicciones son logits y no probabilidades.
    label_smoothing : float
        Entre 0 y 1: reparte una parte de la certeza entre todas las clases, :math:`y_k\leftarrow y_k(1-s)+\tfrac sK`.
        Solo dentro de la pérdida: las métricas ven las etiquetas de verdad.
    axis, reduction, name, dtype
        Como en :class:`Loss`.

    Raises
    ------
    TypeError, ValueError
        Si los argumentos no son de los tipos o los intervalos pedidos, o si hay una sola salida.

        >>> loss([[1]], [[0.3]])
        Traceback (most recent call last):
            ...
        ValueError: y_pred: se esperaban al menos 2 clases, pero hay 1; para sí o no usa binary_crossentropy
    """

    name = "categorical_crossentropy"
    from_logits = Checked(check.boolean)
    label_smoothing = Checked(check.number, 0, 1)

    def __init__(
        self,
        from_logits=False,
        label_smoothing=0.0,
        axis=-1,
        reduction="sum_over_batch_size",
        name=None,
        dtype=None,
    ):
        super().__init__(reduction, name, dtype)
        self.from_logits, self.label_smoothing, self.axis = from_logits, label_smoothing, axis

    def prepare(self, y_true, output_shape, dtype):
        r"""Como :meth:`Loss.prepare`; además exige que cada fila sume 1."""
        _classes(output_shape)
        return _distributions(super().prepare(y_true, output_shape, dtype))

    def shard(self, y_true, y_pred, weight, gradient):
        r"""Como :meth:`Loss.shard`."""
        shape = -1, y_pred.shape[-1]
        kernel = _categorical_logits if self.from_logits else _categorical_probabilities
        return kernel(
            y_true.reshape(shape),
            y_pred.reshape(shape),
            weight.reshape(-1),
            gradient.reshape(shape),
            self.label_smoothing,
        )


def plain_categorical_crossentropy(y_true, y_pred, from_logits):
    r"""La pérdida de cada observación y su gradiente."""
    if from_logits:
        z = y_pred - y_pred.max(axis=1, keepdims=True)
        S = np.exp(z).sum(axis=1, keepdims=True)
        # [ec-mlp-cce-logits]
        losses = np.log(S[:, 0]) - (y_true * z).sum(axis=1)
        return losses, np.exp(z) / S - y_true  # [ec-mlp-cce-logits-gradiente]
    s = y_pred.sum(axis=1, keepdims=True)
    q = np.clip(y_pred / s, EPSILON, 1 - EPSILON)
    losses = -(y_true * np.log(q)).sum(axis=1)  # [ec-mlp-cce]
    counted = np.where(q == y_pred / s, y_true, 0)
    total = counted.sum(axis=1, keepdims=True)
    return losses, (total - counted / q) / s  # [ec-mlp-cce-gradiente]


def _classes(output_shape):
    classes = output_shape[-1] if output_shape else 1
    if classes < 2:
        raise ValueError(
            f"y_pred: se esperaban al menos 2 clases, pero hay {classes}; para sí o no usa binary_crossentropy"
        )
    return classes


def _distributions(y_true):
    totals = _between_0_and_1(y_true).sum(axis=-1)
    wrong = np.abs(totals - 1) > 1e-3
    if wrong.any():
        where = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise ValueError(
            f"y_true: se esperaba que cada fila sumara 1, pero la {where} suma {totals[where]:g}; "
            "si tienes una etiqueta por observación usa sparse_categorical_crossentropy"
        )
    return y_true


@kernel(error_model="numpy")
def _categorical_logits(y_true, logits, weight, gradient, smoothing):
    n, classes = logits.shape
    real = logits.dtype.type
    keep, doubt = real(1) - real(smoothing), real(smoothing) / real(classes)
    per_weight = n // weight.size
    loss = 0.0
    _shift(logits, gradient)
    # Lo que falta del logaritmo: menos el puntaje medio, ya desplazado.
    for i in range(n):
        mean = real(0)
        for k in range(classes):
            mean = _add(mean, (y_true[i, k] * keep + doubt) * gradient[i, k])
        loss -= weight[i // per_weight] * mean
    _exponentiate(gradient.reshape(-1))
    for i in range(n):
        share = weight[i // per_weight] / real(per_weight)
        total = gradient[i, 0]
        for k in range(1, classes):
            total = _add(total, gradient[i, k])
        loss += weight[i // per_weight] * math.log(total)  # [ec-mlp-cce-logits]
        for k in range(classes):
            y = y_true[i, k] * keep + doubt
            gradient[i, k] = share * (gradient[i, k] / total - y)  # [ec-mlp-cce-logits-gradiente]
    return loss / per_weight


@kernel(error_model="numpy")
def _categorical_probabilities(y_true, p, weight, gradient, smoothing):
    n, classes = p.shape
    real = p.dtype.type
    keep, doubt = real(1) - real(smoothing), real(smoothing) / real(classes)
    per_weight = n // weight.size
    low, high, zero = real(EPSILON), real(1 - EPSILON), real(0)
    loss = 0.0
    for i in range(n):
        share = weight[i // per_weight] / real(per_weight)
        total = zero
        for k in range(classes):
            total = _add(total, p[i, k])
        surprise, inside = zero, zero
        for k in range(classes):
            q, y = p[i, k] / total, y_true[i, k] * keep + doubt
            surprise = _add(surprise, -y * log(min(max(q, low), high)))  # [ec-mlp-cce]
            inside = _add(inside, y if low <= q <= high else zero)
        loss += share * surprise
        for k in range(classes):
            q, y = p[i, k] / total, y_true[i, k] * keep + doubt
            own = y / q if low <= q <= high else zero
            gradient[i, k] = share * (inside - own) / total  # [ec-mlp-cce-gradiente]
    return loss
