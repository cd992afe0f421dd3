r"""La entropía cruzada de una respuesta de sí o no."""

import numpy as np

from chapters.mlp.activations.exponential import _add, exp, log, log1p
from chapters.mlp.losses.base import Loss
from dlbook import check
from dlbook.attributes import Checked
from dlbook.numeric.kernel import kernel

EPSILON = 1e-7


class BinaryCrossentropy(Loss):
    r"""Entropía cruzada binaria (*binary cross-entropy*, BCE): la pérdida de las respuestas de sí o no.

    La red da :math:`\hat y`, la probabilidad de que la respuesta sea sí, y :math:`y` vale 1 si fue sí y 0 si fue no:

    .. math::
       :label: ec-mlp-bce

       \mathcal L = -\bigl[\,y\ln\hat y + (1-y)\ln(1-\hat y)\,\bigr] .

    Solo uno de los dos sumandos cuenta. Si fue sí, la pérdida es :math:`-\ln\hat y`: cero si la red le daba toda la
    probabilidad a lo que ocurrió, y sin límite conforme le daba menos. :item:`MLP-23`

    **De dónde sale.** Una respuesta de sí o no es una moneda cargada, que cae en sí con probabilidad :math:`\hat y`.
    Las dos opciones se escriben de un golpe, porque el exponente apaga la que no ocurrió, y el logaritmo hace el resto:

    .. math::

       p(y\mid\hat y) = \hat y^{\,y}\,(1-\hat y)^{1-y}
       \quad\Longrightarrow\quad
       -\ln p = -\bigl[y\ln\hat y+(1-y)\ln(1-\hat y)\bigr] .

    **El signo menos no es adorno.** A veces se imprime la fórmula sin él, y sin corchetes. Los logaritmos de
    probabilidades son negativos, y la pérdida saldría negativa; minimizarla es hacerla *más* negativa, o sea alejar la
    predicción de la respuesta. Con los números de abajo da −0.279777 en lugar de 0.279777. :erratum:`E-13`

    **Gradiente.** De la derivada del logaritmo, y a común denominador:

    .. math::
       :label: ec-mlp-bce-gradiente

       \frac{\partial\mathcal L}{\partial\hat y}
       = -\frac{y}{\hat y} + \frac{1-y}{1-\hat y}
       = \frac{\hat y-y}{\hat y\,(1-\hat y)} .

    **Con logits.** El denominador es la pendiente de la sigmoide. Si :math:`\hat y=\sigma(z)`, al multiplicar por
    :math:`\sigma'(z)` se cancela, y queda:

    .. math::
       :label: ec-mlp-bce-logits-gradiente

       \frac{\partial\mathcal L}{\partial z} = \sigma(z) - y .

    La saturación de la sigmoide desaparece: una neurona segura y equivocada recibe toda la corrección. También la
    pérdida se simplifica. Como :math:`-\ln\sigma(z)=\ln(1+e^{-z})` y :math:`-\ln(1-\sigma(z))=\ln(1+e^{z})`, y el
    segundo es el primero más :math:`z`,

    .. math::
       :label: ec-mlp-bce-logits

       \begin{aligned}
       \mathcal L &= y\ln(1+e^{-z}) + (1-y)\bigl[z+\ln(1+e^{-z})\bigr]\\
       &= \max(z,0) - yz + \ln\bigl(1+e^{-|z|}\bigr),
       \end{aligned}

    donde la última forma, que nunca se desborda, sale de tratar aparte :math:`z\geq0` y :math:`z<0`. Es lo que hace
    ``from_logits=True``, con la red sin activación al final. Prefiérelo.

    **Con probabilidades** hay que cuidar el :math:`\ln 0`. Como Keras, se recorta :math:`\hat y` al intervalo
    :math:`[10^{-7},\ 1-10^{-7}]`. Más allá la pérdida no cambia y el gradiente es cero: justo a la neurona más
    equivocada no le llega corrección.

    **A mano.** Con :math:`y=(1,0,1)` y :math:`\hat y=(0.9,0.2,0.6)`, la media de :math:`-\ln 0.9`, :math:`-\ln 0.8` y
    :math:`-\ln 0.6`: :worked:`WE-08`

    >>> import numpy as np
    >>> from chapters.mlp.losses import BinaryCrossentropy
    >>> y, p = np.array([1.0, 0.0, 1.0]), np.array([0.9, 0.2, 0.6])
    >>> round(BinaryCrossentropy()(y, p), 6)
    0.279777
    >>> printed = np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    >>> round(float(printed), 6)
    -0.279777

    Los logits dan lo mismo, con el gradiente limpio:

    >>> z = np.log(p / (1 - p))
    >>> loss = BinaryCrossentropy(from_logits=True)
    >>> round(loss(y, z), 6), (3 * loss.gradient(y, z)).round(6)
    (0.279777, array([-0.1,  0.2, -0.4]))
    >>> loss([0.0, 1.0], [1e4, 1e4])  # una se equivoca del todo, otra acierta
    5000.0

    Parameters
    ----------
    from_logits : bool
        Si las predicciones son logits y no probabilidades.
    label_smoothing : float
        Entre 0 y 1: acerca las etiquetas a la duda, :math:`y\leftarrow y(1-s)+\tfrac s2`, para que la red no persiga
        una certeza infinita. Solo dentro de la pérdida: las métricas ven las de verdad.
    axis, reduction, name, dtype
        Como en :class:`Loss`.

    Raises
    ------
    TypeError, ValueError
        Si los argumentos no son de los tipos o los intervalos pedidos.
    """

    name = "binary_crossentropy"
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
        r"""Como :meth:`Loss.prepare`; además exige números entre 0 y 1."""
        return _between_0_and_1(super().prepare(y_true, output_shape, dtype))

    def shard(self, y_true, y_pred, weight, gradient):
        r"""Como :meth:`Loss.shard`."""
        shape = weight.size, -1
        kernel = _binary_logits if self.from_logits else _binary_probabilities
        return kernel(
            y_true.reshape(shape),
            y_pred.reshape(shape),
            weight.reshape(-1),
            gradient.reshape(shape),
            self.label_smoothing,
        )


def plain_binary_crossentropy(y_true, y_pred, from_logits):
    r"""La pérdida de cada observación y su gradiente."""
    y = y_true
    if from_logits:
        z, small = y_pred, np.exp(-abs(y_pred))
        # [ec-mlp-bce-logits]
        each = np.maximum(z, 0) - y * z + np.log(1 + small)
        # [ec-mlp-bce-logits-gradiente]
        slopes = 1 / (1 + np.exp(-z)) - y
    else:
        p = np.clip(y_pred, EPSILON, 1 - EPSILON)
        each = -(y * np.log(p) + (1 - y) * np.log(1 - p))  # [ec-mlp-bce]
        slopes = (p - y) / (p * (1 - p))  # [ec-mlp-bce-gradiente]
        slopes = np.where(p == y_pred, slopes, 0)
    return each.mean(axis=1), slopes / y.shape[1]


def _between_0_and_1(y_true):
    if y_true.min() < 0 or y_true.max() > 1:
        outside = (y_true < 0) | (y_true > 1)
        where = tuple(int(i) for i in np.argwhere(outside)[0])
        raise ValueError(
            f"y_true: se esperaba un número entre 0 y 1, pero hay un {y_true[where]:g} en la posición {where}"
        )
    return y_true


@kernel(error_model="numpy")
def _binary_logits(y_true, logits, weight, gradient, smoothing):
    n, outputs = logits.shape
    real = logits.dtype.type
    zero, one = real(0), real(1)
    keep, doubt = one - real(smoothing), real(smoothing) / real(2)
    loss = 0.0
    for i in range(n):
        share = weight[i] / real(outputs)
        total = zero
        for j in range(outputs):
            y, z = y_true[i, j] * keep + doubt, logits[i, j]
            small = exp(-abs(z))
            total = _add(total, max(z, zero) - y * z + log1p(small))  # [ec-mlp-bce-logits]
            p = (one if z >= 0 else small) / (one + small)
            gradient[i, j] = share * (p - y)  # [ec-mlp-bce-logits-gradiente]
        loss += share * total
    return loss


@kernel(error_model="numpy")
def _binary_probabilities(y_true, y_pred, weight, gradient, smoothing):
    n, outputs = y_pred.shape
    real = y_pred.dtype.type
    zero, one, low, high = real(0), real(1), real(EPSILON), real(1 - EPSILON)
    keep, doubt = one - real(smoothing), real(smoothing) / real(2)
    loss = 0.0
    for i in range(n):
        share = weight[i] / real(outputs)
        total = zero
        for j in range(outputs):
            y, p = y_true[i, j] * keep + doubt, y_pred[i, j]
            inside = low <= p <= high
            p = min(max(p, low), high)
            total = _add(total, -(y * log(p) + (one - y) * log(one - p)))  # [ec-mlp-bce]
            slope = share * (p - y) / (p * (one - p))  # [ec-mlp-bce-gradiente]
            gradient[i, j] = slope if inside else zero
        loss += share * total
    return loss
