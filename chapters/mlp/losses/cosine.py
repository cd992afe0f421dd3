r"""La similitud coseno, como pérdida: solo importa hacia dónde apunta."""

import numpy as np

from chapters.mlp.losses.binary import EPSILON
from chapters.mlp.losses.rows import RowLoss


class CosineSimilarity(RowLoss):
    r"""La similitud coseno, con signo menos: −1 si apuntan a lo mismo, 0 si son perpendiculares.

    Cuando lo que se predice es una dirección, como el vector de una palabra, la longitud no importa. Con
    :math:`\mathbf u=\mathbf y/\lVert\mathbf y\rVert` y :math:`\hat{\mathbf u}=\hat{\mathbf y}/\lVert\hat{\mathbf y}
    \rVert`,

    .. math::
       :label: ec-mlp-coseno

       \mathcal L = -\mathbf u\cdot\hat{\mathbf u} .

    Alargar :math:`\hat{\mathbf y}` no cambia nada, así que al gradiente se le quita lo que va a lo largo de él:

    .. math::
       :label: ec-mlp-coseno-gradiente

       \frac{\partial\mathcal L}{\partial\hat{\mathbf y}}
       = -\frac{\mathbf u-(\mathbf u\cdot\hat{\mathbf u})\,\hat{\mathbf u}}{\lVert\hat{\mathbf y}\rVert} .

    Como en Keras, se divide entre :math:`10^{-7}` si la longitud es menor, y un vector de ceros da 0. Más corto que
    eso, alargarlo sí cambia, y no se le quita nada.

    **A mano.** :math:`(3,4)` mide 5; con :math:`(1,0)` forma un coseno de 0.6:

    >>> loss = CosineSimilarity()
    >>> (
    ...     round(loss([[1.0, 0.0]], [[3.0, 4.0]]), 6),
    ...     loss.gradient([[1.0, 0.0]], [[3.0, 4.0]]).round(4),
    ... )
    (-0.6, array([[-0.128,  0.096]]))

    Parameters
    ----------
    axis, reduction, name, dtype
        Como en :class:`Loss`.
    """

    name = "cosine_similarity"

    def __init__(
        self,
        axis=-1,
        reduction="sum_over_batch_size",
        name=None,
        dtype=None,
    ):
        super().__init__(reduction, name, dtype)
        self.axis = axis

    def rows(self, y_true, y_pred):
        r"""Como :meth:`RowLoss.rows`."""
        size = np.sqrt((y_pred**2).sum(axis=1, keepdims=True))
        true_size = np.sqrt((y_true**2).sum(axis=1, keepdims=True))
        scale = np.minimum(1 / size, 1 / EPSILON)
        true_scale = np.minimum(1 / true_size, 1 / EPSILON)
        u, v = y_true * true_scale, y_pred * scale
        cosine = (u * v).sum(axis=1, keepdims=True)  # [ec-mlp-coseno]
        along = np.where(scale < 1 / EPSILON, cosine, 0) * v
        # [ec-mlp-coseno-gradiente]
        return -cosine[:, 0], -(u - along) * scale
