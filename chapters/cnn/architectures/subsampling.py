r"""El submuestreo entrenable de LeNet-5."""

from chapters.cnn.arguments import image_shape, whole
from chapters.mlp import initializers
from chapters.mlp.layer import Layer
from dlbook.numeric.kernel import kernel


class Subsampling2D(Layer):
    r"""Submuestreo entrenable (*subsampling*): suma cada ventana, la escala y le suma un sesgo.

    Así agrupaba LeNet-5 :cite:p:`lecun1998`. Las ventanas no se superponen, y cada canal tiene solo dos parámetros, un
    coeficiente :math:`a_c` y un sesgo :math:`b_c`, por grande que sea la imagen:

    .. math::
       :label: ec-cnn-submuestreo

       \begin{gathered}
       y_{ijc} = a_c\,s_{ijc} + b_c,
       \\
       s_{ijc} = \sum_{u=0}^{k-1}\sum_{v=0}^{k-1} x_{ki+u,\,kj+v,\,c} .
       \end{gathered}

    Con :math:`a_c=1/k^2` y :math:`b_c=0` es el promedio de siempre. Si :math:`a_c` es pequeño, la tangente que viene
    después trabaja en su parte recta y la capa solo emborrona; si es grande, hace de interruptor, y según el sesgo
    contesta «algo hay en la ventana» o «hay de todo en la ventana».

    **Hacia atrás.** Cada :math:`x` está en una sola ventana y con peso :math:`a_c`; :math:`a_c` y :math:`b_c` están en
    todas:

    .. math::
       :label: ec-cnn-submuestreo-atras

       \begin{aligned}
       \frac{\partial\mathcal L}{\partial a_c} &= \sum_{ij}\frac{\partial\mathcal L}{\partial y_{ijc}}\,s_{ijc},
       \\
       \frac{\partial\mathcal L}{\partial b_c} &= \sum_{ij}\frac{\partial\mathcal L}{\partial y_{ijc}},
       \\
       \frac{\partial\mathcal L}{\partial x_{ki+u,\,kj+v,\,c}} &= a_c\,\frac{\partial\mathcal L}{\partial y_{ijc}} .
       \end{aligned}

    **A mano.** Una imagen de :math:`2\times4` tiene dos ventanas, que suman 10 y 26. Con :math:`a=\frac12` y
    :math:`b=1` salen 6 y 14:

    >>> import numpy as np
    >>> layer = Subsampling2D(2, dtype="float64")
    >>> x = np.array([[1, 2, 5, 6], [3, 4, 7, 8]]).reshape(1, 2, 4, 1)
    >>> layer.build(x.shape[1:])
    >>> layer.set_weights([[0.5], [1]])
    >>> layer.forward(x).ravel()
    array([ 6., 14.])

    De vuelta, con el gradiente :math:`(1, 10)`: el de :math:`a` es :math:`10\cdot1+26\cdot10`; el de :math:`b`, 11.

    >>> layer.backward(np.reshape([1, 10], (1, 1, 2, 1)))[0, :, :, 0]
    array([[0.5, 0.5, 5. , 5. ],
           [0.5, 0.5, 5. , 5. ]])
    >>> [float(g[0]) for g in layer.gradients]
    [270.0, 11.0]

    Parameters
    ----------
    pool_size : int
        El lado :math:`k` de la ventana. Si la imagen no se parte justo, sobran filas y columnas al final, y no se
        miran.
    coefficient_initializer, bias_initializer : str or Initializer
        Con qué valores empiezan los coeficientes y los sesgos.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`chapters.mlp.Layer`.

    Attributes
    ----------
    coefficient : ndarray, shape (c,)
        El coeficiente de cada canal.
    bias : ndarray, shape (c,)
        Su sesgo.

    Raises
    ------
    TypeError, ValueError
        Si un argumento no es lo que se espera o la ventana no cabe en la imagen.

        >>> Subsampling2D(3, name="s2").build((2, 4, 1))
        Traceback (most recent call last):
            ...
        ValueError: s2: se esperaba una imagen de al menos 3 × 3, con canales, pero llegó (2, 4, 1)
    """

    any_size = True

    def __init__(self, pool_size=2, coefficient_initializer="ones", bias_initializer="zeros", **options):
        super().__init__(**options)
        self.pool_size = whole(pool_size, "pool_size")
        self.coefficient_initializer = initializers.get(coefficient_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.coefficient = self.bias = self.sums = None

    def build(self, input_shape):
        r"""Crea un coeficiente y un sesgo por canal."""
        self.compute_output_shape(input_shape)
        super().build(input_shape)
        self.coefficient = self.add_weight((self.input_shape[-1],), self.coefficient_initializer)
        self.bias = self.add_weight((self.input_shape[-1],), self.bias_initializer)

    def compute_output_shape(self, input_shape):
        r"""Devuelve la forma de la entrada con los dos lados divididos entre el de la ventana."""
        k, shape = self.pool_size, image_shape(input_shape)
        *sizes, channels = shape
        if any(size is not None and size < k for size in sizes):
            raise ValueError(
                f"{self.name}: se esperaba una imagen de al menos {k} × {k}, con canales, pero llegó {shape}"
            )
        return (*(None if size is None else size // k for size in sizes), channels)

    def forward(self, x, training=False):
        r"""Suma cada ventana, la escala y le suma el sesgo."""
        self.x = x = self.ready(x)
        shape = (len(x), *self.compute_output_shape(x.shape[1:]))
        self.sums, self.y = sums, y = self.buffer("sums", shape), self.buffer("y", shape)
        _subsampling_forward(x, self.pool_size, self.coefficient, self.bias, sums, y)
        return y

    def backward(self, dy):
        r"""Llena los gradientes de coeficientes y sesgos, y reparte el de la entrada."""
        dy = self.output_gradient(dy)
        dx = self.buffer("dx", self.x.shape)
        _subsampling_backward(dy, self.pool_size, self.coefficient, self.sums, *self.gradients, dx)
        return dx if self.input_gradient else None


def plain_subsampling2d(x, k, a, b, dy):
    r"""La ida y la vuelta; los lados son múltiplos de k."""
    n, height, width, channels = x.shape
    windows = x.reshape(n, height // k, k, width // k, k, channels)
    s = windows.sum(axis=(2, 4))  # [ec-cnn-submuestreo]
    y = a * s + b  # [ec-cnn-submuestreo]
    da = (dy * s).sum(axis=(0, 1, 2))  # [ec-cnn-submuestreo-atras]
    db = dy.sum(axis=(0, 1, 2))  # [ec-cnn-submuestreo-atras]
    # Cada gradiente, k veces hacia abajo y k veces a lo ancho.
    rows = (a * dy).repeat(k, axis=1)
    dx = rows.repeat(k, axis=2)  # [ec-cnn-submuestreo-atras]
    return y, da, db, dx


@kernel
def _subsampling_forward(x, k, a, b, s, y):
    n, height, width, channels = y.shape
    s[:] = 0
    for m in range(n):
        for i in range(k * height):
            for j in range(k * width):
                for c in range(channels):
                    s[m, i // k, j // k, c] += x[m, i, j, c]
        for i in range(height):
            for j in range(width):
                for c in range(channels):
                    y[m, i, j, c] = a[c] * s[m, i, j, c] + b[c]  # [ec-cnn-submuestreo]


@kernel
def _subsampling_backward(dy, k, a, s, da, db, dx):
    n, height, width, channels = dy.shape
    da[:] = 0
    db[:] = 0
    dx[:] = 0
    for m in range(n):
        for i in range(height):
            for j in range(width):
                for c in range(channels):
                    da[c] += dy[m, i, j, c] * s[m, i, j, c]  # [ec-cnn-submuestreo-atras]
                    db[c] += dy[m, i, j, c]  # [ec-cnn-submuestreo-atras]
        for i in range(k * height):
            for j in range(k * width):
                for c in range(channels):
                    dx[m, i, j, c] = a[c] * dy[m, i // k, j // k, c]  # [ec-cnn-submuestreo-atras]
