r"""Lo que comparten las pérdidas que se escriben en unas líneas de NumPy, fila por fila."""

import numpy as np

from chapters.mlp.losses.base import Loss


class RowLoss(Loss):
    r"""Una pérdida que se calcula fila por fila con NumPy.

    Todo lo que se hace con los pesos, los lotes y los ejes de más es igual en todas. La que hereda de esta solo define
    :meth:`rows`: la pérdida de cada fila y su gradiente.

    >>> class Quartic(RowLoss):
    ...     def rows(self, y_true, y_pred):
    ...         error = y_pred - y_true
    ...         return (error**4).mean(axis=1), 4 * error**3 / error.shape[1]
    >>> loss = Quartic()
    >>> (
    ...     loss([[0.0, 0.0]], [[1.0, 2.0]]),
    ...     loss.gradient([[0.0, 0.0]], [[1.0, 2.0]]),
    ... )
    (8.5, array([[ 2., 16.]]))

    Parameters
    ----------
    reduction, name, dtype
        Como en :class:`Loss`.
    """

    def rows(self, y_true, y_pred):
        r"""Da la pérdida de cada fila y su gradiente, sin comprobar nada.

        Parameters
        ----------
        y_true, y_pred : ndarray, shape (n, K)
            Lo correcto y lo predicho.

        Returns
        -------
        losses : ndarray, shape (n,)
        gradient : ndarray, shape (n, K)
            La derivada de cada pérdida respecto a su fila de ``y_pred``.
        """
        raise NotImplementedError

    def shard(self, y_true, y_pred, weight, gradient):
        r"""Como :meth:`Loss.shard`."""
        losses, slopes = self._rows(y_true, y_pred)
        per_weight = losses.size // weight.size
        share = np.repeat(weight.reshape(-1) / per_weight, per_weight)
        gradient = gradient.reshape(slopes.shape)
        np.multiply(slopes, share[:, np.newaxis], out=gradient)
        return float((share * losses).sum(dtype=np.float64))

    def _each(self, y_true, y_pred):
        shape = y_pred.shape[:-1] if y_pred.ndim > 1 else y_pred.shape
        return self._rows(y_true, y_pred)[0].reshape(shape)

    def _rows(self, y_true, y_pred):
        shape = -1, y_pred.shape[-1] if y_pred.ndim > 1 else 1
        # Si algo se desborda, se nota en la pérdida y avisa quien entrena.
        with np.errstate(all="ignore"):
            return self.rows(y_true.reshape(shape), y_pred.reshape(shape))
