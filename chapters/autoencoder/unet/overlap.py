r"""Pérdidas que miden cuánto se superponen dos máscaras: Dice, Tversky e IoU."""

import numpy as np

from chapters.mlp.losses import Loss
from chapters.mlp.losses.base import UNREDUCED
from chapters.mlp.losses.binary import _between_0_and_1
from dlbook import check

# Con las dos máscaras vacías no hay entre qué dividir; es el número de Keras.
EPSILON = 1e-7
# Más allá, los números de precisión simple se desbordan al elevarlos al cuadrado.
MOST = 1e6


def plain_overlap_loss(y_true, y_pred, numbers):
    """Da la pérdida de dos máscaras, cuánto se superponen, y su gradiente."""
    a, b, c, e = numbers
    inside = (y_true * y_pred).sum()
    N = a * inside  # [ec-ae-traslape]
    D = b * y_true.sum() + c * y_pred.sum() + e * inside + 1e-7
    dN, dD = a * y_true, c + e * y_true
    return 1 - N / D, -(dN * D - N * dD) / D**2  # [ec-ae-traslape-gradiente]


class OverlapLoss(Loss):
    r"""Lo que comparten las pérdidas que comparan dos máscaras enteras, y no píxel por píxel.

    Todas miran tres sumas sobre los píxeles: la intersección :math:`I=\sum_k y_k p_k`, cuánto mide la máscara correcta,
    :math:`Y=\sum_k y_k`, y cuánto la predicha, :math:`P=\sum_k p_k`. Con máscaras de ceros y unos son cuentas de
    píxeles; con probabilidades, cuentas suaves, y por eso se pueden derivar. La pérdida es uno menos un cociente,

    .. math::
       :label: ec-ae-traslape

       \mathcal L = 1-\frac{N}{D},\qquad
       N = a\,I,\qquad D = b\,Y+c\,P+e\,I+\varepsilon ,

    y cada una escoge sus cuatro números, :math:`(a,b,c,e)`; :math:`\varepsilon=10^{-7}` evita dividir entre cero.

    **Derivación.** ¿Cuánto cambia si se mueve **un** píxel, :math:`p_k`? En :math:`I` solo aparece en el sumando
    :math:`y_kp_k`, y en :math:`P`, en el suyo:

    .. math::
       :label: ed-ae-traslape-sumas

       \frac{\partial I}{\partial p_k}=y_k,\qquad
       \frac{\partial Y}{\partial p_k}=0,\qquad
       \frac{\partial P}{\partial p_k}=1 .

    Por lo tanto :math:`\partial N/\partial p_k=a\,y_k` y :math:`\partial D/\partial p_k=c+e\,y_k`. Queda derivar un
    cociente, con el signo menos de la pérdida:

    .. math::
       :label: ec-ae-traslape-gradiente

       \frac{\partial\mathcal L}{\partial p_k}
       = -\frac{\frac{\partial N}{\partial p_k}D-N\frac{\partial D}{\partial p_k}}{D^2}
       = \frac{N\,(c+e\,y_k)-a\,y_k\,D}{D^2} .

    El gradiente solo tiene **dos** valores si :math:`y_k` es 0 o 1: uno para todos los píxeles de fuera y otro para
    todos los de dentro, estén bien o mal contestados. Un píxel no se corrige por lo mal que va él, como en la entropía
    cruzada, sino por lo mal que va la máscara.

    Si no hay nada que pintar, :math:`Y=0`, entonces :math:`N=0`: la pérdida vale 1 y el gradiente es cero, se pinte lo
    que se pinte. De una máscara vacía, sola, no se aprende nada.

    La clase que herede de esta solo dice sus cuatro números, en ``numbers``.

    Parameters
    ----------
    reduction, name, dtype
        Como en :class:`chapters.mlp.losses.Loss`.
    axis : int or tuple of int, optional
        Sobre qué ejes se suma, contando el de las observaciones. Sin ellos, sobre todos, y el lote entero es **una**
        máscara; con ``(1, 2, 3)``, cada imagen es la suya. Solo entonces se puede repartir el lote entre los hilos.

    Raises
    ------
    TypeError, ValueError
        Si algún eje no es entero o no existe, o si la máscara correcta no va de 0 a 1.

        >>> Dice()([[255.0, 0.0]], [[0.9, 0.1]])
        Traceback (most recent call last):
            ...
        ValueError: y_true: se esperaba un número entre 0 y 1, pero hay un 255 en la posición (0, 0)
    """

    # Aquí sí se escoge.
    axis = None

    def __init__(self, reduction="sum_over_batch_size", name=None, axis=None, dtype=None):
        super().__init__(reduction, name, dtype)
        if axis is not None:
            values = axis if isinstance(axis, (tuple, list)) else (axis,)
            axis = tuple(check.integer(value, "axis") for value in values)
            if not axis:
                raise ValueError("axis: se esperaba al menos un eje, pero llegó ()")
        self.axis = axis

    @property
    def numbers(self):
        r"""Los números :math:`(a,b,c,e)` de :eq:`ec-ae-traslape`."""
        raise NotImplementedError(f"{type(self).__name__}: falta decir sus cuatro números, en ``numbers``")

    def _axes(self, y):
        # Los ejes en que se suma, de 0 en adelante.
        if self.axis is None:
            return tuple(range(y.ndim))
        if not all(-y.ndim <= k < y.ndim for k in self.axis):
            raise ValueError(f"axis: se esperaban ejes de {y.ndim}, pero llegó {self.axis}")
        return tuple(sorted({k % y.ndim for k in self.axis}))

    @property
    def alone(self):
        r"""Si tiene que ver el lote de una vez, porque se suma también sobre las observaciones."""
        # De un eje negativo no se sabe cuál es sin ver los datos, salvo que sea el último.
        return self.axis is None or any(k == 0 or k < -1 for k in self.axis)

    def __call__(self, y_true, y_pred, sample_weight=None):
        r"""Da la pérdida de todos, como en :class:`chapters.mlp.losses.Loss`."""
        if self.reduction in UNREDUCED and sample_weight is None:
            return self.call(y_true, y_pred)
        return super().__call__(y_true, y_pred, sample_weight)

    def prepare(self, y_true, output_shape, dtype):
        r"""Como :meth:`chapters.mlp.losses.Loss.prepare`; además exige números entre 0 y 1."""
        y_true = self._fit(check.numbers_of(y_true, "y_true", "..."), tuple(output_shape))
        return _between_0_and_1(check.cast(y_true, "y_true", dtype))

    def divisor(self, y_true, weight):
        r"""Como :meth:`chapters.mlp.losses.Loss.divisor`."""
        size = len(y_true) if weight is None else weight.size
        if self.reduction == "mean_with_sample_weight" and weight is not None:
            return float(weight.sum()) or 1.0
        if self.reduction == "sum" or self.reduction in UNREDUCED:
            # Cada observación vale la media de sus máscaras; al sumar, su suma.
            return size / y_true.sum(self._axes(y_true)).size
        return float(size)

    @property
    def divides_by_rows(self):
        r"""Como en :class:`chapters.mlp.losses.Loss`."""
        return self.reduction in ("sum_over_batch_size", "mean")

    def shard(self, y_true, y_pred, weight, gradient):
        r"""Como :meth:`chapters.mlp.losses.Loss.shard`."""
        a, _, c, e = self.numbers
        axes = self._axes(y_pred)
        with np.errstate(all="ignore"):
            n, d = self._quotient(y_true, y_pred, axes)
            share = self._share(weight, n.shape, 0 in axes)
            per_mask = np.expand_dims(share / d**2, axes)
            n_mask, d_mask = np.expand_dims(n, axes), np.expand_dims(d, axes)
            gradient[...] = per_mask * (n_mask * (c + e * y_true) - a * y_true * d_mask)  # [ec-ae-traslape-gradiente]
            return float((share * (1 - n / d)).sum(dtype=np.float64))

    def _quotient(self, y_true, y_pred, axes):
        a, b, c, e = self.numbers
        inside = (y_true * y_pred).sum(axes)
        return a * inside, b * y_true.sum(axes) + c * y_pred.sum(axes) + e * inside + EPSILON  # [ec-ae-traslape]

    def _share(self, weight, shape, whole):
        # Cuánto cuenta cada máscara en la suma.
        if whole:
            return np.full(shape, weight.sum() / max(1, np.prod(shape)), weight.dtype)
        if weight.shape != shape[: weight.ndim]:
            raise ValueError(f"sample_weight: se esperaba un peso por máscara, {shape}, pero llegaron {weight.shape}")
        spread = np.broadcast_to(weight.reshape(weight.shape + (1,) * (len(shape) - weight.ndim)), shape)
        return spread * weight.dtype.type(weight.size / spread.size)

    def _each(self, y_true, y_pred):
        with np.errstate(all="ignore"):
            n, d = self._quotient(y_true, y_pred, self._axes(y_pred))
            return 1 - n / d


class Dice(OverlapLoss):
    r"""La pérdida de Dice: uno menos el doble de lo compartido entre lo que suman las dos máscaras.

    El coeficiente de Dice de dos conjuntos es :math:`2|A\cap B|/(|A|+|B|)`: 1 si son iguales, 0 si no se tocan
    :cite:p:`dice1945`. Con probabilidades se llama *soft Dice* :cite:p:`milletari2016`:

    .. math::
       :label: ec-ae-dice

       \mathcal L_D = 1-\frac{2I}{Y+P+\varepsilon} ,\qquad (a,b,c,e)=(2,1,1,0) .

    Al sustituir en :eq:`ec-ae-traslape-gradiente`, con :math:`S=Y+P` y sin :math:`\varepsilon`,

    .. math::
       :label: ed-ae-dice-gradiente

       \frac{\partial\mathcal L_D}{\partial p_k} = \frac{2I-2y_kS}{S^2}
       = \begin{cases} 2I/S^2 & \text{fuera},\ y_k=0\\ -2(S-I)/S^2 & \text{dentro},\ y_k=1 \end{cases}

    **A mano.** Cuatro píxeles; los dos primeros son de la célula. :math:`I=0.8+0.4=1.2`, :math:`Y=2`,
    :math:`P=0.8+0.4+0.3+0=1.5`, :math:`S=3.5`: Dice :math:`=2.4/3.5=0.6857` y la pérdida,
    :math:`0.3143`. Fuera, el gradiente es :math:`2.4/12.25=0.1959`; dentro, :math:`-2\cdot2.3/12.25=-0.3755`.

    >>> loss = Dice()
    >>> y_true, y_pred = [[1.0, 1.0, 0.0, 0.0]], [[0.8, 0.4, 0.3, 0.0]]
    >>> round(loss(y_true, y_pred), 4)
    0.3143
    >>> loss.gradient(y_true, y_pred).round(4)
    array([[-0.3755, -0.3755,  0.1959,  0.1959]])

    Parameters
    ----------
    reduction, name, axis, dtype
        Como en :class:`OverlapLoss`.

    Raises
    ------
    TypeError, ValueError
        Si algún eje no es entero, o no existe.

        >>> Dice(axis=4)(y_true, y_pred)
        Traceback (most recent call last):
            ...
        ValueError: axis: se esperaban ejes de 2, pero llegó (4,)
    """

    name = "dice"
    numbers = 2, 1, 1, 0  # [ec-ae-dice]


class IoULoss(OverlapLoss):
    r"""La pérdida de Jaccard: uno menos la intersección entre la unión.

    Para conjuntos, la unión es :math:`|A|+|B|-|A\cap B|`, porque al sumar los dos tamaños lo compartido se cuenta dos
    veces. Con probabilidades, lo mismo :cite:p:`rahman2016`:

    .. math::
       :label: ec-ae-iou

       \mathcal L_J = 1-\frac{I}{Y+P-I+\varepsilon} ,\qquad (a,b,c,e)=(1,1,1,-1) .

    Con :math:`U=Y+P-I`, :eq:`ec-ae-traslape-gradiente` queda

    .. math::
       :label: ed-ae-iou-gradiente

       \frac{\partial\mathcal L_J}{\partial p_k}
       = \frac{I(1-y_k)-y_kU}{U^2}
       = \begin{cases} I/U^2 & \text{fuera}\\ -1/U & \text{dentro} \end{cases}

    **A mano.** Los cuatro píxeles de :class:`Dice`: :math:`U=2+1.5-1.2=2.3`, IoU :math:`=1.2/2.3=0.5217`. Fuera, el
    gradiente es :math:`1.2/5.29=0.2268`; dentro, :math:`-1/2.3=-0.4348`.

    >>> loss = IoULoss()
    >>> y_true, y_pred = [[1.0, 1.0, 0.0, 0.0]], [[0.8, 0.4, 0.3, 0.0]]
    >>> round(1 - loss(y_true, y_pred), 4)
    0.5217
    >>> loss.gradient(y_true, y_pred).round(4)
    array([[-0.4348, -0.4348,  0.2268,  0.2268]])

    Parameters
    ----------
    reduction, name, axis, dtype
        Como en :class:`OverlapLoss`.
    """

    name = "iou_loss"
    numbers = 1, 1, 1, -1  # [ec-ae-iou]


class Tversky(OverlapLoss):
    r"""La pérdida de Tversky: como Dice, pero los dos errores pueden costar distinto.

    Lo que falta por pintar, :math:`Y-I`, y lo que se pintó de más, :math:`P-I`, se pesan por separado
    :cite:p:`salehi2017`:

    .. math::
       :label: ec-ae-tversky

       \begin{gathered}
       \mathcal L_T = 1-\frac{I}{I+\alpha\,(Y-I)+\beta\,(P-I)+\varepsilon} ,\\
       (a,b,c,e)=(1,\ \alpha,\ \beta,\ 1-\alpha-\beta) .
       \end{gathered}

    Con :math:`\alpha=\beta=\tfrac12` es la de Dice; con :math:`\alpha=\beta=1`, la de Jaccard. Con
    :math:`\alpha>\beta`, dejarse una célula cuesta más que inventarla.

    >>> y_true, y_pred = [[1.0, 1.0, 0.0, 0.0]], [[0.8, 0.4, 0.3, 0.0]]
    >>> corners = ((0.5, 0.5), (1, 1), (0.7, 0.3))
    >>> [round(Tversky(a, b)(y_true, y_pred), 4) for a, b in corners]
    [0.3143, 0.4783, 0.3514]

    Parameters
    ----------
    alpha : float
        Lo que cuesta lo que falta, de 0 a un millón.
    beta : float
        Lo que cuesta lo que sobra, de 0 a un millón.
    reduction, name, axis, dtype
        Como en :class:`OverlapLoss`.

    Notes
    -----
    En el artículo, :math:`\alpha` pesa lo que sobra y :math:`\beta` lo que falta, y lo mismo dice la documentación de
    Keras 3. Pero su cuenta hace lo contrario: multiplica por ``alpha`` la suma de :math:`y_k(1-p_k)`, lo que falta.
    Aquí se hace la cuenta de Keras, y así se explica.

    Raises
    ------
    TypeError, ValueError
        Como en :class:`OverlapLoss`, y si ``alpha`` o ``beta`` no están en su intervalo.
    """

    name = "tversky"

    def __init__(
        self,
        alpha=0.5,
        beta=0.5,
        reduction="sum_over_batch_size",
        name=None,
        axis=None,
        dtype=None,
    ):
        super().__init__(reduction, name, axis, dtype)
        self.alpha = check.number(alpha, "alpha", 0, MOST)
        self.beta = check.number(beta, "beta", 0, MOST)

    @property
    def numbers(self):
        r"""Los números de :eq:`ec-ae-tversky`."""
        alpha, beta = self.alpha, self.beta
        return 1, alpha, beta, 1 - alpha - beta  # [ec-ae-tversky]
