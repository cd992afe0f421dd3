r"""Ruido normal: entrenar con las entradas un poco movidas."""

import math

import numpy as np

from chapters.mlp.layer import Layer
from dlbook import check
from dlbook.numeric.elementwise import add, multiply
from dlbook.numeric.kernel import kernel


@kernel
def _normals(uniforms, noise):
    # De cada pareja de uniformes salen dos normales: una va en la primera mitad y la otra en la segunda.
    size, half = noise.shape[1], uniforms.shape[2]
    for n in range(noise.shape[0]):
        for k in range(half):
            radius = np.sqrt(-2 * np.log(1 - uniforms[n, 0, k]))
            angle = 2 * np.pi * uniforms[n, 1, k]
            noise[n, k] = radius * np.cos(angle)  # [ec-mlp-box-muller]
            if half + k < size:
                noise[n, half + k] = radius * np.sin(angle)  # [ec-mlp-box-muller]


class GaussianNoise(Layer):
    r"""Capa que al entrenar le suma a cada número un ruido normal, con los argumentos de Keras.

    Un dato medido otra vez no sale idéntico. Si la red ve cada vez el mismo ejemplo un poco movido, no le sirve
    memorizarlo: tiene que contestar lo mismo en todo su vecindario. Con desviación :math:`\sigma`,

    .. math::
       :label: ec-mlp-ruido

       y_i = x_i + \sigma\,\epsilon_i , \qquad \epsilon_i\sim\mathcal N(0, 1) .

    El ruido no depende de :math:`x_i`, y su derivada es 1: el gradiente pasa **igual**. Al predecir, la capa no hace
    nada.

    **De uniformes a normales.** La computadora sortea números :math:`u` y :math:`v` repartidos por igual entre 0 y 1.
    Dos normales independientes son un punto del plano con densidad :math:`e^{-r^2/2}/2\pi`, que solo depende de la
    distancia al origen, :math:`r`. Así que su dirección es uniforme, :math:`2\pi v`, y al integrar por anillos,
    :math:`P(r>a)=\int_a^\infty re^{-r^2/2}\,dr=e^{-a^2/2}`. Si :math:`r=\sqrt{-2\ln(1-u)}`, entonces :math:`r>a` cuando
    :math:`1-u<e^{-a^2/2}`, que ocurre justo con esa probabilidad. De la pareja salen dos normales :cite:p:`box1958`:

    .. math::
       :label: ec-mlp-box-muller

       \begin{gathered}
       \epsilon = \sqrt{-2\ln(1-u)}\,\cos 2\pi v ,\\
       \epsilon' = \sqrt{-2\ln(1-u)}\,\sin 2\pi v .
       \end{gathered}

    **A mano.** El promedio del ruido es 0, su desviación es :math:`\sigma`, y dos de cada tres quedan a menos de una
    desviación:

    >>> layer = GaussianNoise(0.5, seed=0, dtype="float64")
    >>> y = layer.forward(np.zeros((1000, 50)), training=True)
    >>> (
    ...     abs(float(y.mean())) < 0.01, round(float(y.std()), 2),
    ...     round(float((abs(y) < 0.5).mean()), 2),
    ... )
    (True, 0.5, 0.68)
    >>> layer.backward(np.full((1000, 50), 3.0))[0, :4]
    array([3., 3., 3., 3.])
    >>> GaussianNoise(0.5).forward([[1, 2, 3]])
    array([[1., 2., 3.]], dtype=float32)

    Parameters
    ----------
    stddev : float
        La desviación :math:`\sigma`, de 0 a 1.
    seed : int or numpy.random.Generator, optional
        Origen de su azar. Sin ella, el modelo que la contiene le da una a partir de la suya.
    **options
        ``dtype``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.

    Raises
    ------
    TypeError, ValueError
        Si ``stddev`` no es un número de 0 a 1.

        >>> GaussianNoise(-1)
        Traceback (most recent call last):
            ...
        ValueError: stddev: se esperaba un número de al menos 0 y de a lo sumo 1, pero llegó -1
    """

    random = True
    any_size = True
    supports_masking = True

    def __init__(self, stddev, seed=None, **options):
        super().__init__(seed=seed, **options)
        self.stddev = check.number(stddev, "stddev", 0, 1)

    def forward(self, x, training=False):
        r"""Suma el ruido si se entrena; si no, devuelve la entrada."""
        self.x = self.y = x = self.ready(x)
        if training and self.stddev:
            self.y = y = self.buffer("y", x.shape)
            multiply(self.normal(x), self.stddev, y)
            add(y, x, y)  # [ec-mlp-ruido]
        return self.y

    def backward(self, dy):
        r"""Devuelve el gradiente como llegó."""
        return self.output_gradient(dy)

    def normal(self, x):
        r"""Sortea una normal de media 0 y desviación 1 para cada número de la entrada."""
        noise = self.buffer("noise", x.shape)
        rows = noise.reshape(len(x), -1)
        uniforms = self.uniform(self.buffer("uniforms", (len(x), 2, (rows.shape[1] + 1) // 2)))
        _normals(uniforms, rows)
        return noise


def plain_gaussian_noise(x, stddev, uniforms):
    r"""De cada pareja de uniformes, dos normales que se suman."""
    u, v = uniforms[:, 0], uniforms[:, 1]
    radius = np.sqrt(-2 * np.log(1 - u))
    # [ec-mlp-box-muller]
    pair = radius * np.cos(2 * np.pi * v), radius * np.sin(2 * np.pi * v)
    noise = np.concatenate(pair, axis=1)[:, : x.shape[1]]
    return x + stddev * noise  # [ec-mlp-ruido]


@kernel
def _gaussian_dropout_forward(stddev, x, factor, y):
    # En factor llegan normales, y quedan los factores.
    s, one = x.dtype.type(stddev), x.dtype.type(1)
    for i in range(x.size):
        factor[i] = factor[i] * s + one
        y[i] = factor[i] * x[i]  # [ec-mlp-dropout-normal]


class GaussianDropout(GaussianNoise):
    r"""Capa que al entrenar multiplica cada número por una normal de media 1, con los argumentos de Keras.

    Es un *dropout* sin apagones. La moneda de :class:`~chapters.mlp.dropout.Dropout`, ya dividida, tiene media 1 y
    desviación :math:`\sigma=\sqrt{p/(1-p)}`; aquí el factor tiene las mismas, pero es normal
    :cite:p:`srivastava2014`:

    .. math::
       :label: ec-mlp-dropout-normal

       y_i = (1+\sigma\epsilon_i)\,x_i ,
       \qquad
       \frac{\partial\mathcal L}{\partial x_i} = (1+\sigma\epsilon_i)\,\frac{\partial\mathcal L}{\partial y_i} .

    **A mano.** Con :math:`p=0.2`, :math:`\sigma=\sqrt{0.2/0.8}=0.5`. Con una entrada de unos, la salida es el factor, y
    el gradiente de la suma también:

    >>> layer = GaussianDropout(0.2, seed=0, dtype="float64")
    >>> y = layer.forward(np.ones((1000, 50)), training=True)
    >>> round(float(y.mean()), 2), round(float(y.std()), 2)
    (1.0, 0.5)
    >>> bool((layer.backward(np.ones((1000, 50))) == y).all())
    True

    Parameters
    ----------
    rate : float
        La fracción :math:`p` del *dropout* equivalente, desde 0 y menor que 1.
    seed : int or numpy.random.Generator, optional
        Origen de su azar. Sin ella, el modelo que la contiene le da una a partir de la suya.
    **options
        ``dtype``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.

    Raises
    ------
    TypeError, ValueError
        Si ``rate`` no es un número desde 0 y menor que 1.
    """

    def __init__(self, rate, seed=None, **options):
        Layer.__init__(self, seed=seed, **options)
        self.rate = check.number(rate, "rate", 0, 1, open_high=True)
        self.factor = None

    def forward(self, x, training=False):
        r"""Multiplica por el azar si se entrena; si no, devuelve la entrada."""
        self.x = self.y = x = self.ready(x)
        self.factor = None
        if training and self.rate:
            self.factor, self.y = self.normal(x), self.buffer("y", x.shape)
            arrays = x.reshape(-1), self.factor.reshape(-1), self.y.reshape(-1)
            _gaussian_dropout_forward(math.sqrt(self.rate / (1 - self.rate)), *arrays)
        return self.y

    def backward(self, dy):
        r"""Multiplica el gradiente por lo mismo que la entrada."""
        dy = self.output_gradient(dy)
        if self.factor is None:
            return dy
        dx = self.buffer("dx", dy.shape)
        multiply(self.factor, dy, dx)  # [ec-mlp-dropout-normal]
        return dx


def plain_gaussian_dropout(x, rate, noise, dy):
    r"""El mismo factor, de ida y de vuelta."""
    factor = 1 + math.sqrt(rate / (1 - rate)) * noise
    return factor * x, factor * dy  # [ec-mlp-dropout-normal]
