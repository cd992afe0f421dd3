r"""La media y la desviación de los datos, aprendidas una vez y guardadas con la red."""

import functools
import math

import numpy as np

from chapters.mlp.layer import Layer
from chapters.mlp.places import repeated, take
from chapters.mlp.preprocessing.rescaling import number_or_list
from dlbook import check
from dlbook.numeric.elementwise import fill
from dlbook.numeric.kernel import kernel

# Una desviación menor que esta se toma por esta, como en Keras: se divide entre ella.
SMALLEST = 1e-7
# Cuántos números se promedian de una vez.
CHUNK = 1 << 20


def _axes(axis):
    axes = list(axis) if isinstance(axis, (list, tuple)) else [] if axis is None else [axis]
    axes = [check.integer(a, "axis", -64, 64) for a in axes]
    if len(set(axes)) < len(axes):
        raise ValueError(f"axis: se esperaban ejes distintos, pero llegó {axis}")
    return axes


def _batches(data):
    # Un arreglo es un solo lote; lo demás se recorre, y de un par (x, y) se toma x.
    nested = isinstance(data, (list, tuple)) and not (len(data) and hasattr(data[0], "shape"))
    if nested or isinstance(data, (str, bytes)) or hasattr(data, "__array__"):
        yield data
    elif hasattr(data, "__len__") and hasattr(data, "__getitem__"):
        yield from (_observations(data[k]) for k in range(len(data)))
    elif hasattr(data, "__iter__"):
        yield from map(_observations, data)
    else:
        yield data


def _observations(batch):
    return batch[0] if isinstance(batch, tuple) and batch else batch


@functools.lru_cache(256)
def _given(values, shape, dtype):
    # Los mismos números en todos los pasos; los ven quienes preguntan por ellos, y no los pueden cambiar.
    given = np.array(values, dtype).reshape(shape)
    given.setflags(write=False)
    return given


@kernel
def _spread(variance, smallest, spread):
    for j in range(spread.size):
        spread[j] = max(np.sqrt(variance[j]), smallest)


@kernel
def _standardize(x, mean, spread, y):
    for i in range(y.shape[0]):
        for j in range(mean.size):
            y[i, j] = (x[i, j] - mean[j]) / spread[j]  # [ec-mlp-estandar]


@kernel
def _restore(x, mean, spread, y):
    for i in range(y.shape[0]):
        for j in range(mean.size):
            y[i, j] = x[i, j] * spread[j] + mean[j]


class Normalization(Layer):
    r"""Capa que le resta a cada característica su media y la divide entre su desviación (*standardization*).

    Otra manera de llevar todo a la misma escala. :func:`min_max` mira solo los dos extremos; la media :math:`\mu_j` y
    la varianza :math:`\sigma_j^2` miran todos los datos. De :math:`n` datos,

    .. math::
       :label: ec-mlp-estandar-momentos

       \begin{gathered}
       \mu_j = \frac1n\sum_i x_{ij},\\
       \sigma_j^2 = \frac1n\sum_i (x_{ij}-\mu_j)^2 ,
       \end{gathered}

    y la capa hace

    .. math::
       :label: ec-mlp-estandar

       y_{ij} = \frac{x_{ij}-\mu_j}{\sigma_j},
       \qquad
       \frac{\partial\mathcal L}{\partial x_{ij}} = \frac1{\sigma_j}\,\frac{\partial\mathcal L}{\partial y_{ij}} .

    De esos mismos :math:`n` datos sale media 0 y, si no eran todos iguales, varianza 1. La media y la varianza no se
    aprenden del gradiente: las calcula
    :meth:`adapt`, **con los datos de entrenamiento y nada más**, y viajan con los pesos.

    **A mano.** Los valores 1, 1, 5 y 5 tienen media 3 y varianza 4:

    >>> layer = Normalization(dtype="float64")
    >>> layer.adapt(np.array([[1.0], [1.0], [5.0], [5.0]]))
    >>> layer.mean, layer.variance
    (array([[3.]]), array([[4.]]))
    >>> layer.forward([[1.0], [3.0], [9.0]]).ravel()
    array([-1.,  0.,  3.])
    >>> layer.backward([[1.0], [2.0], [3.0]]).ravel()
    array([0.5, 1. , 1.5])

    Al revés, ``invert=True`` devuelve a sus unidades lo que salió de una red, :math:`x=\mu+\sigma y`:

    >>> back = Normalization(mean=3, variance=4, invert=True, dtype="float64")
    >>> back.forward([[-1.0], [3.0]]).ravel()
    array([1., 9.])

    Parameters
    ----------
    axis : int, tuple of int or None
        Los ejes que tienen media propia, contando el de las observaciones; casi siempre el último. Con ``None``, una
        sola media para todo.
    mean, variance : float or list of float, optional
        La media y la varianza, si ya se conocen; las dos o ninguna.
    invert : bool
        Si en vez de quitar la media y la desviación las pone.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.

    Attributes
    ----------
    mean, variance : ndarray
        Las que se usan, con la forma que las deja listas para operar con los datos.

    Raises
    ------
    TypeError, ValueError
        Si falta la media o la varianza, si una varianza es negativa o si el eje no existe.

        >>> Normalization(mean=3)
        Traceback (most recent call last):
            ...
        ValueError: variance: se esperaba junto con mean, pero solo llegó una de las dos
    """

    supports_masking = True

    def __init__(self, axis=-1, mean=None, variance=None, invert=False, **options):
        super().__init__(**options)
        _axes(axis)
        self.axis = list(axis) if isinstance(axis, tuple) else axis
        if (mean is None) != (variance is None):
            missing, given = ("variance", "mean") if variance is None else ("mean", "variance")
            raise ValueError(f"{missing}: se esperaba junto con {given}, pero solo llegó una de las dos")
        self._mean = None if mean is None else number_or_list(mean, "mean")
        self._variance = None if variance is None else number_or_list(variance, "variance")
        if mean is not None:
            if np.shape(self._mean) != np.shape(self._variance):
                raise ValueError(
                    f"variance: se esperaba de forma {np.shape(mean)}, como mean, pero llegó {np.shape(variance)}"
                )
            if np.min(self._variance) < 0:
                raise ValueError(f"variance: se esperaban números de al menos 0, pero hay un {np.min(variance):g}")
        self.invert = check.boolean(invert, "invert")
        self.adapt_mean = self.adapt_variance = self.count = None

    @property
    def mean(self):
        r"""La media que se usa; antes de construir la capa, la que se le dio."""
        return self._aligned(self._mean, self.adapt_mean)

    @mean.setter
    def mean(self, value):
        self._refuse_change("mean")

    @property
    def variance(self):
        r"""La varianza que se usa; antes de construir la capa, la que se le dio."""
        return self._aligned(self._variance, self.adapt_variance)

    @variance.setter
    def variance(self, value):
        self._refuse_change("variance")

    def _refuse_change(self, name):
        raise ValueError(f"{name}: solo se puede dar al crear {type(self).__name__}")

    def build(self, input_shape):
        r"""Crea la media y la varianza, si no se le dieron: empiezan en 0 y 1."""
        axes = self._own_axes(input_shape)
        super().build(input_shape)
        sizes = (1, *self.input_shape)
        self.any_size = set(axes) <= {len(sizes) - 1}
        self._shape = [size if a in axes else 1 for a, size in enumerate(sizes)]
        if self._mean is None:
            shape = tuple(sizes[a] for a in axes)
            self.adapt_mean = self.add_weight(shape, "zeros", trainable=False, name="mean")
            self.adapt_variance = self.add_weight(shape, "ones", trainable=False, name="variance")
            # Keras guarda también una cuenta, que no usa: con ella, los pesos son los mismos y en el mismo orden.
            self.count = self.add_weight((), "zeros", trainable=False)

    def compute_output_shape(self, input_shape):
        r"""Devuelve la misma forma."""
        self._own_axes(input_shape)
        return super().compute_output_shape(input_shape)

    def adapt(self, data):
        r"""Calcula la media y la varianza de unos datos, por pedazos: pueden no caber en la memoria.

        De dos pedazos, con :math:`n_a` y :math:`n_b` datos, salen la media y la varianza de los dos juntos. Con
        :math:`s=n_b/(n_a+n_b)` y :math:`\delta=\mu_b-\mu_a`:

        .. math::
           :label: ec-mlp-estandar-juntar

           \begin{gathered}
           \mu=\mu_a+s\,\delta,\\
           \sigma^2=(1-s)\,\sigma_a^2+s\,\sigma_b^2+s\,(1-s)\,\delta^2 .
           \end{gathered}

        >>> layer = Normalization(dtype="float64")
        >>> batches = np.array([[1.0], [1.0]]), np.array([[5.0], [5.0]])
        >>> layer.adapt(list(batches))
        >>> layer.mean, layer.variance
        (array([[3.]]), array([[4.]]))

        Parameters
        ----------
        data : array_like, shape (n, ...), or iterable of ndarray
            Los datos, o lotes de ellos; de un lote que es un par ``(x, y)`` se toma ``x``.

        Raises
        ------
        TypeError, ValueError
            Si no son números finitos de la forma de la capa, o si la media y la varianza se dieron al crearla.
        """
        if self._mean is not None:
            raise ValueError(f"{self.name}: se esperaba una capa sin mean ni variance, pero se le dieron al crearla")
        n, mean, variance = 0, 0.0, 0.0
        for x in _batches(data):
            x = check.numbers_of(x, "data")
            x = self.fitting(x[:, np.newaxis] if x.ndim == 1 else x, "data")
            check.finite(x, "data")
            rows = max(1, CHUNK * len(x) // x.size)
            axes = tuple(a for a, size in enumerate(self._shape) if size == 1)
            for start in range(0, len(x), rows):
                part = x[start : start + rows].astype(np.float64)
                count = part.size // math.prod(self._shape)
                share, delta = count / (n + count), part.mean(axes, keepdims=True) - mean  # [ec-mlp-estandar-momentos]
                own = part.var(axes, keepdims=True)
                mean = mean + share * delta  # [ec-mlp-estandar-juntar]
                variance = (1 - share) * variance + share * own + share * (1 - share) * delta**2
                n += count
        if not n:
            raise ValueError("data: se esperaba al menos un lote, pero no llegó ninguno")
        self.adapt_mean = np.reshape(mean, self.adapt_mean.shape)
        self.adapt_variance = np.reshape(variance, self.adapt_variance.shape)

    def forward(self, x, training=False):
        r"""Quita la media y la desviación, o las pone."""
        self.x = x = self.ready(x)
        self.y, self.spread = self.buffer("y", x.shape), self.buffer("spread", x.shape[1:])
        center, variance = self.buffer("center", x.shape[1:]), self.buffer("variance", x.shape[1:])
        places = repeated(tuple(self._shape[1:]), x.shape[1:])
        for own, wide in ((self.mean, center), (self.variance, variance)):
            take(own, places, wide[np.newaxis])
        _spread(variance.reshape(-1), self.dtype.type(SMALLEST), self.spread.reshape(-1))
        self._standardize(x, center, self.y)
        return self.y

    def backward(self, dy):
        r"""Divide el gradiente entre la desviación, o lo multiplica."""
        dy = self.output_gradient(dy)
        if not self.input_gradient:
            return None
        dx, center = self.buffer("dx", dy.shape), self.buffer("no center", dy.shape[1:])
        fill(center, 0)
        self._standardize(dy, center, dx)
        return dx

    def _standardize(self, x, center, y):
        rows = len(x), -1
        kernel = _restore if self.invert else _standardize
        kernel(x.reshape(rows), center.reshape(-1), self.spread.reshape(-1), y.reshape(rows))

    def _own_axes(self, input_shape):
        # Los ejes que tienen media propia, contados con el de las observaciones; los de una media dada, los que mida.
        sizes = (None, *check.shape(input_shape, "input_shape", unknown=True))
        axes = sorted(a + len(sizes) if a < 0 else a for a in _axes(self.axis))
        for a in axes:
            if not 0 < a < len(sizes):
                raise ValueError(f"axis: se esperaba un eje que no sea el de las observaciones, pero llegó {self.axis}")
            if sizes[a] is None:
                raise ValueError(f"axis: se esperaba un eje que mida siempre lo mismo, pero llegó {self.axis}")
        if self._mean is None:
            return axes
        given = len(self._mean) if isinstance(self._mean, list) else 1
        axes = axes[-1:] if isinstance(self._mean, list) else []
        if given != math.prod(sizes[a] for a in axes):
            raise ValueError(f"mean: se esperaba un número por cada uno del eje {self.axis}, pero llegaron {given}")
        return axes

    def _aligned(self, given, learned):
        if not self.built:
            return given
        if learned is not None:
            return learned.reshape(self._shape)
        return _given(tuple(given) if isinstance(given, list) else (given,), tuple(self._shape), self.dtype)


def plain_normalization(data, x, dy):
    r"""La media y la desviación salen de unos datos, y se usan con otros."""
    mean = data.mean(axis=0)  # [ec-mlp-estandar-momentos]
    variance = ((data - mean) ** 2).mean(axis=0)  # [ec-mlp-estandar-momentos]
    y = (x - mean) / np.sqrt(variance)  # [ec-mlp-estandar]
    dx = dy / np.sqrt(variance)  # [ec-mlp-estandar]
    return y, dx
