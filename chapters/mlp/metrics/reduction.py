r"""La media y la suma de unos números que se van viendo."""

import numpy as np

from chapters.mlp.metrics.base import Metric
from dlbook import check, registry


class Mean(Metric):
    r"""La media de los números que se le den: la pérdida de cada paso, por ejemplo, cuando el ciclo lo escribes tú.

    >>> mean = Mean()
    >>> mean.update_state([1.0, 3.0])
    >>> mean.update_state(8.0)
    >>> mean.result()
    4.0
    >>> Mean()([1.0, 3.0], sample_weight=[3.0, 1.0])
    1.5

    Parameters
    ----------
    name, dtype
        Como en :class:`Metric`.
    """

    name = "mean"

    def __call__(self, values, sample_weight=None):
        r"""Suma unos números a lo que llevaba y da la media de todos."""
        self.update_state(values, sample_weight)
        return self.result()

    def update_state(self, values, sample_weight=None):
        r"""Suma unos números a lo que llevaba.

        Parameters
        ----------
        values : array_like
            Uno o varios; los ejes que siguen al primero se promedian.
        sample_weight : array_like, optional
            El peso de cada uno. Si tiene menos ejes que ``values``, los que sobran se promedian antes.

        Raises
        ------
        TypeError, ValueError
            Si no son números finitos o las formas no concuerdan.
        """
        values, weight = _values(values, sample_weight)
        values = values.reshape(*weight.shape, -1).mean(axis=-1)
        state = [np.sum(a.reshape(len(a), -1).mean(axis=1)) for a in (values * weight, weight)]
        self._state = np.array(state) + (0 if self._state is None else self._state)

    def accept(self, y_true, output_shape):
        r"""No acepta nada, porque no compara lo predicho con lo correcto; la que heredes de ella, sí."""
        if not registry.ours(type(self)):
            return
        raise ValueError(f"metrics: se esperaba una que compare lo predicho con lo correcto, pero llegó {self.name}")


def _values(values, sample_weight):
    values = np.atleast_1d(check.floats(values, "values").astype(np.float64))
    if not values.size:
        raise ValueError(f"values: se esperaba al menos un número, pero llegó la forma {values.shape}")
    if sample_weight is None:
        return values, np.ones(len(values))
    weight = check.floats(sample_weight, "sample_weight").astype(np.float64)
    if weight.ndim == 0:
        values, weight = values.mean(keepdims=True).reshape(1), weight.reshape(1)
    if values.shape[: weight.ndim] != weight.shape:
        raise ValueError(f"sample_weight: se esperaba la forma {values.shape} de values, pero llegó {weight.shape}")
    return values, weight


class Sum(Mean):
    r"""La suma de los números que se le den.

    >>> total = Sum()
    >>> total.update_state([1.0, 3.0])
    >>> total.update_state([[2.0, 2.0], [1.0, 1.0]], sample_weight=[1.0, 0.0])
    >>> total.result()
    8.0

    Parameters
    ----------
    name, dtype
        Como en :class:`Metric`.
    """

    name = "sum"

    def update_state(self, values, sample_weight=None):
        r"""Como :meth:`Mean.update_state`, pero todo se suma."""
        values, weight = _values(values, sample_weight)
        parts = values.reshape(*weight.shape, -1).sum(axis=-1)
        state = np.array([(parts * weight).sum(), 1.0])
        self._state = state + (0 if self._state is None else self._state)

    def value(self, state):
        r"""Da la suma."""
        return float(state[0])
