r"""Pérdidas que miden cuánto se enciman dos máscaras: Dice, Tversky e IoU."""

import numpy as np

from chapters.mlp.losses import Loss
from dlbook import check

# Con las dos máscaras vacías no hay entre qué dividir; es el número de Keras.
EPSILON = 1e-7


class OverlapLoss(Loss):
    r"""Lo que comparten las pérdidas que comparan dos máscaras enteras, y no píxel por píxel.

    Todas miran tres sumas sobre los píxeles: la intersección :math:`I=\sum_k y_k p_k`, cuánto mide la máscara correcta,
    :math:`Y=\sum_k y_k`, y cuánto la predicha, :math:`P=\sum_k p_k`. Con máscaras de ceros y unos son cuentas de
    píxeles; con probabilidades, cuentas suaves, y por eso se pueden derivar. La pérdida es uno menos un cociente,

    .. math::
       :label: ec-ae-traslape

       \mathcal L = 1-\frac{N}{D},\qquad
       N = a\,I,\qquad D = b\,Y+c\,P+e\,I+\varepsilon ,

    y cada una escoge sus cuatro números; :math:`\varepsilon=10^{-7}` evita dividir entre cero.

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

    La que hereda de esta solo dice sus cuatro números en ``numbers``, una propiedad.

    Parameters
    ----------
    reduction, name, dtype
        Como en :class:`chapters.mlp.Loss`.
    axis : int or tuple of int, optional
        Sobre qué ejes se suma, contando el de las observaciones. Sin ellos, sobre todos, y el lote entero es **una**
        máscara; con ``(1, 2, 3)``, cada imagen es la suya. Solo entonces se puede repartir el lote entre los hilos.
    """

    def __init__(self, reduction="sum_over_batch_size", name=None, axis=None, dtype=None):
        super().__init__(reduction, name, dtype)
        if axis is not None:
            values = axis if isinstance(axis, (tuple, list)) else (axis,)
            axis = tuple(check.integer(value, "axis") for value in values)
            if not axis:
                raise ValueError("axis: se esperaba al menos un eje, pero llegó ()")
        self.axis = axis

    def _axes(self, y):
        # Los ejes en que se suma, de 0 en adelante.
        if self.axis is None:
            return tuple(range(y.ndim))
        if not all(-y.ndim <= k < y.ndim for k in self.axis):
            raise ValueError(f"axis: se esperaban ejes de {y.ndim}, pero llegó {self.axis}")
        return tuple(sorted({k % y.ndim for k in self.axis}))

    @property
    def alone(self):
        r"""Si tiene que ver el lote de una vez: cuando se suma también sobre las observaciones."""
        # De un eje negativo no se sabe cuál es sin ver los datos, salvo que sea el último.
        return self.axis is None or any(k == 0 or k < -1 for k in self.axis)

    def prepare(self, y_true, output_shape, dtype):
        r"""Como :meth:`chapters.mlp.Loss.prepare`."""
        y_true = self._fit(check.numbers_of(y_true, "y_true", "..."), tuple(output_shape))
        return check.cast(y_true, "y_true", dtype)

    def divisor(self, y_true, weight):
        r"""Como :meth:`chapters.mlp.Loss.divisor`; si hay una sola máscara, su pérdida es la media."""
        size = len(y_true) if weight is None else weight.size
        each = _sum(y_true, self._axes(y_true)).size
        if self.reduction == "mean_with_sample_weight" and weight is not None:
            return float(weight.sum()) or 1.0
        averaged = self.reduction in ("sum_over_batch_size", "mean", "mean_with_sample_weight")
        return float(size) if averaged else size / each

    @property
    def divides_by_rows(self):
        r"""Como en :class:`chapters.mlp.Loss`."""
        return self.reduction in ("sum_over_batch_size", "mean")

    def shard(self, y_true, y_pred, weight, gradient):
        r"""Como :meth:`chapters.mlp.Loss.shard`."""
        a, b, c, e = self.numbers
        axes = self._axes(y_pred)
        with np.errstate(all="ignore"):
            intersection = _sum(y_true * y_pred, axes)
            n = a * intersection  # [ec-ae-traslape]
            d = b * _sum(y_true, axes) + c * _sum(y_pred, axes) + e * intersection + EPSILON
            share = self._share(weight, n.shape)
            slope = n * (c + e * y_true) - a * y_true * d  # [ec-ae-traslape-gradiente]
            gradient[...] = share * slope / d**2
            return float((share * (1 - n / d)).sum(dtype=np.float64))

    def _share(self, weight, shape):
        # Cuánto cuenta cada máscara: lo que pesan sus observaciones, entre cuántas máscaras hay en cada una.
        if weight.ndim == 1:
            weight = weight.reshape(-1, *(1,) * (len(shape) - 1))
        else:
            weight = weight.reshape(*weight.shape, *(1,) * (len(shape) - weight.ndim))
        shared = tuple(k for k in range(len(shape)) if shape[k] == 1 < weight.shape[k])
        if shared and shared != tuple(range(len(shape)))[: len(shared)]:
            raise ValueError(f"sample_weight: se esperaba un peso por máscara, pero llegaron {weight.shape}")
        total = weight.sum(axis=shared, keepdims=True)
        return np.broadcast_to(total, shape) * (total.size / np.prod(shape))

    def _each(self, y_true, y_pred):
        a, b, c, e = self.numbers
        axes = self._axes(y_pred)
        intersection = (y_true * y_pred).sum(axes)
        d = b * y_true.sum(axes) + c * y_pred.sum(axes) + e * intersection + EPSILON
        return 1 - a * intersection / d


def _sum(array, axes):
    return array.sum(axes, keepdims=True)
