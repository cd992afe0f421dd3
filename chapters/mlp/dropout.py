r"""*Dropout*: entrenar con media red apagada."""

from chapters.mlp.layer import Layer, text_of_shape
from chapters.mlp.places import repeated, take
from dlbook import check
from dlbook.numeric.kernel import kernel


@kernel
def _toss(coins, rate):
    # Llegan números al azar entre 0 y 1, y quedan los m_i / (1 - p).
    p = coins.dtype.type(rate)
    kept = coins.dtype.type(1 / (1 - rate) if rate < 1 else 0)
    zero = coins.dtype.type(0)
    for i in range(coins.size):
        coins[i] = kept if coins[i] >= p else zero


@kernel
def _dropout_forward(x, rate, factor, y):
    # En factor llegan números al azar entre 0 y 1, y quedan los m_i / (1 - p).
    _toss(factor, rate)
    for i in range(x.size):
        y[i] = factor[i] * x[i]  # [ec-mlp-dropout]


@kernel
def _dropout_backward(dy, factor, dx):
    for i in range(dy.size):
        dx[i] = factor[i] * dy[i]  # [ec-mlp-dropout-atras]


class Dropout(Layer):
    r"""*Dropout*: en cada paso del entrenamiento apaga al azar una parte de lo que le llega.

    La idea de sus autores :cite:p:`srivastava2014` es que una red que sobreajusta reparte el trabajo en sociedades
    frágiles: una neurona corrige justo los errores de otra, y juntas memorizan un ejemplo. Si en cada paso cualquiera
    puede faltar, ninguna puede contar con su vecina: tiene que aprender algo que sirva por sí solo.
    :item:`REG-07, REG-09`

    Sea :math:`p` la fracción que se apaga. Por cada número se echa una moneda :math:`m_i`, que vale 0 con probabilidad
    :math:`p` y 1 con probabilidad :math:`1-p`:

    .. math::
       :label: ec-mlp-dropout

       y_i = \frac{m_i}{1-p}\,x_i .

    **Por qué se divide.** Si de cada :math:`x_i` llega en promedio :math:`(1-p)\,x_i`, al predecir, con todas
    encendidas, la capa siguiente recibiría otra suma que la que aprendió a leer. La división lo repara: en promedio
    sale lo mismo que entra,

    .. math::

       \operatorname E[y_i] = \frac{\operatorname E[m_i]}{1-p}\,x_i = \frac{1-p}{1-p}\,x_i = x_i ,

    y por eso al predecir la capa no hace nada. Esta división al entrenar es el *dropout* invertido (*inverted
    dropout*), el de Keras. :erratum:`E-31`

    **Hacia atrás.** La moneda es un factor constante, y el gradiente pasa por las mismas que pasó el número:

    .. math::
       :label: ec-mlp-dropout-atras

       \frac{\partial\mathcal L}{\partial x_i} = \frac{m_i}{1-p}\,\frac{\partial\mathcal L}{\partial y_i} .

    **A mano.** Con :math:`p=\tfrac12`, lo que sobrevive se duplica. Al predecir no pasa nada: :item:`REG-08, REG-10`

    >>> layer = Dropout(0.5, seed=5, dtype="float64")
    >>> layer.forward([[1, 1, 1, 1, 1, 1]], training=True)
    array([[2., 2., 2., 0., 0., 0.]])
    >>> layer.backward([[1, 2, 3, 4, 5, 6]])
    array([[2., 4., 6., 0., 0., 0.]])
    >>> layer.forward([[1, 1, 1, 1, 1, 1]])
    array([[1., 1., 1., 1., 1., 1.]])

    Con muchas monedas, la media se conserva:

    >>> layer = Dropout(0.2, seed=0)
    >>> import numpy as np
    >>> y = layer.forward(np.ones((1000, 100)), training=True)
    >>> (
    ...     round(float(y.mean()), 2), round(float((y == 0).mean()), 2),
    ...     float(y.max()),
    ... )
    (1.0, 0.2, 1.25)

    Parameters
    ----------
    rate : float
        La fracción :math:`p` que se apaga, de 0 a 1. Lo usual es 0.5 en capas ocultas grandes y 0.2 en la entrada. Con
        1, al entrenar se apaga todo.
    noise_shape : tuple of int or None, optional
        La forma de las monedas, con el eje de las observaciones, que va siempre completo. Donde dice 1, la misma moneda
        vale para todo el eje: en series, ``(None, 1, None)`` apaga canales enteros. ``None`` es lo que mida la entrada.
    seed : int or numpy.random.Generator, optional
        Origen de su azar. Sin ella, el modelo que la contiene le da una a partir de la suya.
    **options
        ``dtype``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.

    Raises
    ------
    TypeError, ValueError
        Si ``rate`` no es un número de 0 a 1.

        >>> Dropout(2)
        Traceback (most recent call last):
            ...
        ValueError: rate: se esperaba un número de al menos 0 y de a lo sumo 1, pero llegó 2
    """

    random = True
    any_size = True
    supports_masking = True

    def __init__(self, rate, noise_shape=None, seed=None, **options):
        super().__init__(seed=seed, **options)
        self.rate = check.number(rate, "rate", 0, 1)
        self.noise_shape = noise_shape
        if noise_shape is not None:
            self.noise_shape = check.shape(noise_shape, "noise_shape", unknown=True)
            if not self.noise_shape or self.noise_shape[0] == 1:
                raise ValueError(f"noise_shape: se esperaba None en el primer eje, pero llegó {noise_shape}")
        self.factor = None

    def build(self, input_shape):
        r"""Comprueba que las monedas encajen."""
        self.compute_output_shape(input_shape)
        super().build(input_shape)

    def compute_output_shape(self, input_shape):
        r"""Devuelve la forma de la entrada."""
        shape = super().compute_output_shape(input_shape)
        self.coins((None, *shape))
        return shape

    def coins(self, shape):
        r"""Da la forma de las monedas para unas observaciones: una por número o, con ``noise_shape``, menos."""
        if self.noise_shape is None:
            return shape
        _, *wanted = self.noise_shape
        n, *sizes = shape
        if len(wanted) != len(sizes) or any(
            None not in (coin, size) and coin not in (1, size) for coin, size in zip(wanted, sizes, strict=True)
        ):
            raise ValueError(
                f"noise_shape: se esperaba None, 1 o lo que mide cada eje de {text_of_shape(sizes)}, "
                f"pero llegó {self.noise_shape}"
            )
        return (n, *(1 if coin == 1 else size for coin, size in zip(wanted, sizes, strict=True)))

    def forward(self, x, training=False):
        r"""Apaga al azar si se entrena; si no, devuelve la entrada."""
        self.x = self.y = x = self.ready(x)
        self.factor = None
        if training and self.rate:
            self.factor = coins = self.uniform(self.buffer("coins", self.coins(x.shape)))
            if coins.shape != x.shape:
                self.factor = self.buffer("factor", x.shape)
                take(coins, repeated(coins.shape[1:], x.shape[1:]), self.factor)
            self.y = y = self.buffer("y", x.shape)
            _dropout_forward(x.reshape(-1), self.rate, self.factor.reshape(-1), y.reshape(-1))
        return self.y

    def backward(self, dy):
        r"""Deja pasar el gradiente por donde pasó la entrada."""
        dy = self.output_gradient(dy)
        if self.factor is None:
            return dy
        dx = self.buffer("dx", dy.shape)
        _dropout_backward(dy.reshape(-1), self.factor.reshape(-1), dx.reshape(-1))
        return dx


def plain_dropout(x, rate, coins, dy):
    r"""La capa al entrenar; las monedas son números al azar de 0 a 1."""
    factor = (coins >= rate) / (1 - rate)
    y = factor * x  # [ec-mlp-dropout]
    dx = factor * dy  # [ec-mlp-dropout-atras]
    return y, dx
