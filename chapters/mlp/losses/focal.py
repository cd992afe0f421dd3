r"""Las entropías cruzadas focales: que los casos fáciles no tapen a los difíciles."""

import numpy as np

from chapters.mlp.activations import sigmoid, softmax
from chapters.mlp.losses.binary import EPSILON, _between_0_and_1
from chapters.mlp.losses.categorical import _classes, _distributions
from chapters.mlp.losses.rows import RowLoss
from dlbook import check
from dlbook.attributes import Checked


def _power(base, exponent):
    # La potencia y su derivada; en 0, con un exponente menor que 1, la pendiente infinita se toma como 0.
    slope = exponent * base ** (exponent - 1) if exponent else np.zeros_like(base)
    return base**exponent, np.where(np.isinf(slope), 0, slope)


class BinaryFocalCrossentropy(RowLoss):
    r"""Entropía cruzada binaria focal (*focal loss*): lo que ya se sabe, casi no cuenta.

    Con un positivo por cada mil negativos, mil pérdidas pequeñas pueden sumar más que una grande, y a la red le
    conviene decir que no. La pérdida focal multiplica cada entropía por una potencia de lo que le faltó a la
    probabilidad de lo que sí ocurrió, :math:`p_t=y\hat y+(1-y)(1-\hat y)`. Con :math:`\gamma=2`, un caso con
    :math:`p_t=0.9` cuenta cien veces menos:

    .. math::
       :label: ec-mlp-focal

       \begin{gathered}
       \mathcal L = \frac1K\sum_{j=1}^{K} a_j\,(1-p_t)^\gamma\,H_j,\\
       H_j = -\bigl[y\ln\hat y+(1-y)\ln(1-\hat y)\bigr],
       \end{gathered}

    donde :math:`a_j` es 1, o :math:`y\alpha+(1-y)(1-\alpha)` con ``apply_class_balancing=True``. De la derivada de un
    producto, con la de :math:`H` de :eq:`ec-mlp-bce-gradiente` y :math:`p_t'=2y-1`,

    .. math::
       :label: ec-mlp-focal-gradiente

       \frac{\partial\mathcal L}{\partial\hat y}
       = \frac{a_j}K\Bigl[(1-p_t)^\gamma H' - \gamma\,(1-p_t)^{\gamma-1}(2y-1)\,H\Bigr] .

    Con logits, todo se multiplica por la pendiente de la sigmoide, :math:`\hat y(1-\hat y)`, y :math:`H` y su derivada
    son las de :eq:`ec-mlp-bce-logits`, que no hay que recortar. Sin ellos, como en Keras, :math:`\hat y` se recorta en
    :math:`H` a :math:`[10^{-7},1-10^{-7}]`.

    **A mano.** Un caso fácil, :math:`0.1^2\cdot0.1054`, y uno difícil, :math:`0.9^2\cdot2.3026`:

    >>> y, p = [[1], [1]], [[0.9], [0.1]]
    >>> BinaryFocalCrossentropy().call(y, p).round(5).tolist()
    [0.00105, 1.86509]

    Con :math:`\gamma=0` es la entropía de siempre:

    >>> BinaryFocalCrossentropy(gamma=0).call(y, p).round(5).tolist()
    [0.10536, 2.30259]

    Parameters
    ----------
    apply_class_balancing : bool
        Si además se pesa cada clase.
    alpha : float
        Entre 0 y 1: el peso de los positivos; el de los negativos es el resto hasta 1.
    gamma : float
        Al menos 0: cuánto se descuentan los casos fáciles.
    from_logits, label_smoothing
        Como en :class:`BinaryCrossentropy`.
    axis, reduction, name, dtype
        Como en :class:`Loss`.
    """

    name = "binary_focal_crossentropy"
    apply_class_balancing = Checked(check.boolean)
    alpha, gamma = Checked(check.number, 0, 1), Checked(check.number, 0)
    from_logits = Checked(check.boolean)
    label_smoothing = Checked(check.number, 0, 1)

    def __init__(
        self,
        apply_class_balancing=False,
        alpha=0.25,
        gamma=2.0,
        from_logits=False,
        label_smoothing=0.0,
        axis=-1,
        reduction="sum_over_batch_size",
        name=None,
        dtype=None,
    ):
        super().__init__(reduction, name, dtype)
        self.apply_class_balancing, self.alpha, self.gamma = apply_class_balancing, alpha, gamma
        self.from_logits, self.label_smoothing, self.axis = from_logits, label_smoothing, axis

    def prepare(self, y_true, output_shape, dtype):
        r"""Como :meth:`Loss.prepare`; además exige números entre 0 y 1."""
        return _between_0_and_1(super().prepare(y_true, output_shape, dtype))

    def rows(self, y_true, y_pred):
        r"""Como :meth:`RowLoss.rows`."""
        y, p = y_true * (1 - self.label_smoothing) + self.label_smoothing / 2, y_pred
        if self.from_logits:
            p = np.empty_like(y_pred)
            sigmoid.forward(y_pred, p)
            surprise = np.maximum(y_pred, 0) - y * y_pred + np.log1p(np.exp(-np.abs(y_pred)))
            slope, step = p - y, p * (1 - p)
        else:
            q = np.clip(p, EPSILON, 1 - EPSILON)
            surprise = -(y * np.log(q) + (1 - y) * np.log(1 - q))
            slope, step = np.where(q == p, (q - y) / (q * (1 - q)), 0), 1
        missing, less = _power(1 - (y * p + (1 - y) * (1 - p)), self.gamma)
        scale = (y * self.alpha + (1 - y) * (1 - self.alpha)) if self.apply_class_balancing else np.ones_like(y)
        losses = (scale * missing * surprise).mean(axis=1)  # [ec-mlp-focal]
        slopes = missing * slope - less * step * (2 * y - 1) * surprise  # [ec-mlp-focal-gradiente]
        return losses, scale / y.shape[1] * slopes


def plain_binary_focal_crossentropy(y_true, y_pred, gamma):
    r"""La de cada observación y su gradiente, con ceros y unos."""
    p = np.where(y_true == 1, y_pred, 1 - y_pred)
    H = -np.log(p)
    losses = ((1 - p) ** gamma * H).mean(axis=1)  # [ec-mlp-focal]
    less = gamma * (1 - p) ** (gamma - 1)
    # [ec-mlp-focal-gradiente]
    slopes = -(2 * y_true - 1) * ((1 - p) ** gamma / p + less * H)
    return losses, slopes / p.shape[1]


class CategoricalFocalCrossentropy(RowLoss):
    r"""Entropía cruzada categórica focal: lo mismo que :class:`BinaryFocalCrossentropy`, con :math:`K` clases.

    Como en :class:`CategoricalCrossentropy`, las probabilidades se dividen primero entre su suma, :math:`q_k=p_k/s`, y
    se recortan a :math:`[10^{-7},1-10^{-7}]`:

    .. math::
       :label: ec-mlp-focal-categorica

       \mathcal L = -\sum_{k=1}^{K}\alpha_k\,y_k\,(1-q_k)^\gamma\ln q_k .

    Cada término depende solo de su :math:`q_k`, con derivada

    .. math::
       :label: ec-mlp-focal-categorica-termino

       d_k = \alpha_k\,y_k\Bigl[\gamma\,(1-q_k)^{\gamma-1}\ln q_k-\frac{(1-q_k)^\gamma}{q_k}\Bigr],

    cero si se recortó. Después, la regla de la cadena por el cociente,

    .. math::
       :label: ec-mlp-focal-categorica-gradiente

       \frac{\partial\mathcal L}{\partial p_k} = \frac1s\Bigl(d_k-\sum_j d_jq_j\Bigr) ,

    y con logits, donde :math:`s=1`, se multiplica por :math:`p_k`, que es lo que hace la jacobiana del *softmax*.

    **A mano.** De tres clases la correcta tiene 0.5: :math:`0.25\cdot0.5^2\cdot0.6931`.

    >>> loss = CategoricalFocalCrossentropy()
    >>> round(loss([[1, 0, 0]], [[0.5, 0.3, 0.2]]), 6)
    0.043322

    Parameters
    ----------
    alpha : float or list of float
        De al menos 0: el peso de todas las clases, o el de cada una.
    gamma : float
        Al menos 0: cuánto se descuentan los casos fáciles.
    from_logits, label_smoothing
        Como en :class:`CategoricalCrossentropy`.
    axis, reduction, name, dtype
        Como en :class:`Loss`.
    """

    name = "categorical_focal_crossentropy"
    gamma = Checked(check.number, 0)
    from_logits = Checked(check.boolean)
    label_smoothing = Checked(check.number, 0, 1)

    def __init__(
        self,
        alpha=0.25,
        gamma=2.0,
        from_logits=False,
        label_smoothing=0.0,
        axis=-1,
        reduction="sum_over_batch_size",
        name=None,
        dtype=None,
    ):
        super().__init__(reduction, name, dtype)
        each = isinstance(alpha, (list, tuple)) or (isinstance(alpha, np.ndarray) and alpha.ndim > 0)
        alphas = check.sequence(alpha, "alpha") if each else [alpha]
        alphas = [check.number(a, "alpha", 0) for a in alphas]
        self.alpha, self.gamma = alphas if each else alphas[0], gamma
        self.from_logits, self.label_smoothing, self.axis = from_logits, label_smoothing, axis

    def prepare(self, y_true, output_shape, dtype):
        r"""Como :meth:`Loss.prepare`; además exige que cada fila sume 1."""
        classes = _classes(output_shape)
        if isinstance(self.alpha, list):
            check.sequence(self.alpha, "alpha", classes)
        return _distributions(super().prepare(y_true, output_shape, dtype))

    def rows(self, y_true, y_pred):
        r"""Como :meth:`RowLoss.rows`."""
        y = y_true * (1 - self.label_smoothing) + self.label_smoothing / y_true.shape[1]
        p = y_pred
        if self.from_logits:
            p = np.empty_like(y_pred)
            softmax.forward(y_pred, p)
        total = p.sum(axis=1, keepdims=True)
        share = p / total
        q = np.clip(share, EPSILON, 1 - EPSILON)
        missing, less = _power(1 - q, self.gamma)
        scale = np.asarray(self.alpha, y.dtype) * y
        losses = -(scale * missing * np.log(q)).sum(axis=1)  # [ec-mlp-focal-categorica]
        d = scale * (less * np.log(q) - missing / q)  # [ec-mlp-focal-categorica-termino]
        d = np.where(q == share, d, 0)
        slopes = (d - (d * share).sum(axis=1, keepdims=True)) / total  # [ec-mlp-focal-categorica-gradiente]
        return losses, slopes * p if self.from_logits else slopes


def plain_categorical_focal_crossentropy(y_true, y_pred, alpha, gamma):
    r"""La de cada observación y su gradiente, con probabilidades."""
    s = y_pred.sum(axis=1, keepdims=True)
    q, scale = y_pred / s, alpha * y_true
    # [ec-mlp-focal-categorica]
    losses = -(scale * (1 - q) ** gamma * np.log(q)).sum(axis=1)
    less = gamma * (1 - q) ** (gamma - 1)
    # [ec-mlp-focal-categorica-termino]
    d = scale * (less * np.log(q) - (1 - q) ** gamma / q)
    # [ec-mlp-focal-categorica-gradiente]
    return losses, (d - (d * q).sum(axis=1, keepdims=True)) / s
