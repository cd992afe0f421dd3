r"""Aumento de datos con la luz: más claro o más oscuro, con más contraste o con menos."""

import numpy as np

from chapters.cnn.image.augmentation import RandomLayer, as_factor, factor_range
from dlbook import check
from dlbook.attributes import Absent, Checked
from dlbook.numeric.elementwise import multiply
from dlbook.numeric.kernel import kernel


@kernel
def _clip(y, low, high, inside):
    least, most = y.dtype.type(low), y.dtype.type(high)
    for i in range(y.size):
        inside[i] = least <= y[i] <= most
        y[i] = least if y[i] < least else most if y[i] > most else y[i]


def _pixel_range(value_range, name):
    low, high = check.sequence(value_range, name, 2)
    return tuple(sorted((check.number(low, f"{name}[0]"), check.number(high, f"{name}[1]"))))


class RandomLight(RandomLayer):
    r"""Lo que comparten las que cambian la luz: ninguna deja un píxel fuera del intervalo de los suyos.

    Cada una define :meth:`change`, que escribe los píxeles nuevos, y :meth:`change_back`, que devuelve su gradiente.

    Parameters
    ----------
    value_range : (float, float)
        El menor y el mayor valor que puede tener un píxel.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.
    """

    data_format = Absent(None)
    value_range = Checked(_pixel_range)

    def __init__(self, value_range, **options):
        super().__init__(**options)
        self.value_range = value_range
        self.inside = None

    def change(self, x, y):
        r"""Escribe en ``y`` los píxeles nuevos, sin recortarlos."""
        raise NotImplementedError

    def change_back(self, dx):
        r"""Lleva a los píxeles viejos el gradiente de los nuevos, sobre la misma memoria."""
        raise NotImplementedError

    def forward(self, x, training=False):
        r"""Cambia la luz de cada imagen si se entrena; si no, las devuelve como están."""
        self.x = self.y = x = self.ready(x)
        self.inside = None
        if training:
            self.y = y = self.buffer("y", x.shape)
            self.change(x, y)
            self.inside = self.buffer("inside", x.shape, bool)
            _clip(y.reshape(-1), *self.value_range, self.inside.reshape(-1))
        return self.y

    def backward(self, dy):
        r"""Deja pasar el gradiente de los píxeles que no se recortaron."""
        dy = self.output_gradient(dy)
        if not self.input_gradient or self.inside is None:
            return dy if self.input_gradient else None
        dx = self.buffer("dx", dy.shape)
        multiply(dy, self.inside, dx)
        self.change_back(dx)
        return dx


def plain_random_brightness(x, factors, low, high):
    r"""A cada imagen, una fracción de lo que va del más oscuro al más claro."""
    added = (high - low) * factors.reshape(-1, 1, 1, 1)
    return np.clip(x + added, low, high)  # [ec-cnn-brillo]


@kernel
def _brighten(x, factors, span, y):
    for k in range(x.shape[0]):
        added = x.dtype.type(span * factors[k])
        for i in range(x.shape[1]):
            y[k, i] = x[k, i] + added  # [ec-cnn-brillo]


class RandomBrightness(RandomLight):
    r"""Aclara u oscurece cada imagen, al azar: le suma lo mismo a todos sus píxeles.

    La misma calle a las diez y a las seis. Si los píxeles van de :math:`l` a :math:`h` y el factor que se sortea es
    :math:`f`, la imagen entera cambia en :math:`f\,(h-l)`, y lo que se pase se recorta:

    .. math::
       :label: ec-cnn-brillo

       \begin{aligned}
       y &= \min\bigl(\max\bigl(x+f\,(h-l),\ l\bigr),\ h\bigr),\\
       \frac{\partial\mathcal L}{\partial x}
       &= [\,l\le x+f\,(h-l)\le h\,]\;\frac{\partial\mathcal L}{\partial y} .
       \end{aligned}

    El corchete vale 1 si lo de adentro se cumple y 0 si no: donde se recortó, mover el píxel no cambia nada, y no hay
    gradiente.

    **A mano.** Con :math:`f=0.2`, sin azar, se suman :math:`0.2\cdot255=51`:

    >>> layer = RandomBrightness((0.2, 0.2), dtype="float64")
    >>> layer([[[[0], [100], [250]]]])[0, 0, :, 0]
    array([ 51., 151., 255.])
    >>> layer.backward([[[[1], [1], [1]]]])[0, 0, :, 0]
    array([1., 1., 0.])

    Parameters
    ----------
    factor : float or tuple of float
        De dónde se sortea :math:`f`: ``0.2`` es entre −0.2 y 0.2; ``(a, b)``, entre *a* y *b*. Con −1 queda todo negro,
        y con 1, todo blanco.
    value_range : (float, float)
        El menor y el mayor valor de un píxel, :math:`l` y :math:`h`.
    seed : int or numpy.random.Generator, optional
        Origen de su azar. Sin ella, el modelo que la contiene le da una a partir de la suya.
    **options
        ``dtype``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.

    Raises
    ------
    TypeError, ValueError
        Si el factor no está entre −1 y 1.
    """

    factor = Checked(as_factor)

    def __init__(self, factor, value_range=(0, 255), seed=None, **options):
        super().__init__(value_range, seed=seed, **options)
        self.factor = factor

    def change(self, x, y):
        r"""Suma a cada imagen lo suyo."""
        low, high = self.value_range
        factors = self.between(*factor_range(self.factor, "factor"), len(x), "factors")
        rows = [one.reshape(len(x), -1) for one in (x, y)]
        _brighten(rows[0], factors, float(high - low), rows[1])

    def change_back(self, dx):
        r"""Sumar una constante no cambia el gradiente."""


@kernel
def _mean(x, c):
    total = 0.0
    for p in range(x.shape[0]):
        total += x[p, c]
    return x.dtype.type(total / x.shape[0])


@kernel
def _contrast_forward(x, contrast, y):
    # (n, P, c)
    for k in range(x.shape[0]):
        times = x.dtype.type(contrast[k])
        for c in range(x.shape[2]):
            mean = _mean(x[k], c)
            for p in range(x.shape[1]):
                y[k, p, c] = (x[k, p, c] - mean) * times + mean  # [ec-cnn-contraste]


@kernel
def _contrast_backward(dx, contrast):
    for k in range(dx.shape[0]):
        times = dx.dtype.type(contrast[k])
        for c in range(dx.shape[2]):
            shared = (dx.dtype.type(1) - times) * _mean(dx[k], c)
            for p in range(dx.shape[1]):
                dx[k, p, c] = dx[k, p, c] * times + shared  # [ec-cnn-contraste-atras]


def _contrast_range(factor, name):
    if not isinstance(factor, (tuple, list)):
        factor = (check.number(factor, name, 0, 1),) * 2
    low, high = factor_range(factor, name)
    if low + high < 0:
        raise ValueError(f"{name}: se esperaba un par (a, b) con 1 - a a lo sumo 1 + b, pero llegó {factor}")
    return 1 - low, 1 + high


class RandomContrast(RandomLight):
    r"""Aumenta o reduce el contraste de cada imagen, al azar.

    Con niebla, todos los píxeles se parecen a su media; con sol, se alejan de ella. Si :math:`\mu` es la media de un
    canal de la imagen, con :math:`P` píxeles, y :math:`c` lo que se sortea, cada píxel se aleja de ella :math:`c` veces
    lo que se alejaba:

    .. math::
       :label: ec-cnn-contraste

       z_p = c\,(x_p-\mu)+\mu,
       \qquad
       \mu=\frac1P\sum_p x_p ,

    y después se recorta al intervalo de los píxeles: :math:`y_p` es :math:`z_p` o el extremo.

    **Hacia atrás.** A lo que se recortó no le llega nada. De lo demás, cada píxel cuenta en lo suyo y, a través de la
    media, en lo de todos: con
    :math:`\partial\mu/\partial x_p=1/P`,

    .. math::
       :label: ec-cnn-contraste-atras

       \frac{\partial\mathcal L}{\partial x_p}
       = c\,\frac{\partial\mathcal L}{\partial z_p}
       + (1-c)\,\frac1P\sum_q\frac{\partial\mathcal L}{\partial z_q} .

    **A mano.** Los píxeles 100 y 200 tienen media 150. El factor es :math:`(a,b)=(-0.2,0.2)`, y :math:`c` se sortea
    entre :math:`1-a` y :math:`1+b`: sin azar, :math:`c=1.2`, y se alejan 60 de ella en vez de 50.
    El gradiente que llega, 1 y 0, tiene media 0.5: al primero le tocan :math:`1.2-0.2\cdot0.5`, y al segundo,
    :math:`-0.2\cdot0.5`:

    >>> layer = RandomContrast((-0.2, 0.2), dtype="float64")
    >>> layer([[[[100], [200]]]])[0, 0, :, 0]
    array([ 90., 210.])
    >>> layer.backward([[[[1], [0]]]])[0, 0, :, 0].round(12)
    array([ 1.1, -0.1])

    Parameters
    ----------
    factor : float or tuple of float
        De dónde se sortea :math:`c`: con ``(a, b)``, entre :math:`1-a` y :math:`1+b`, con *a* y *b* en orden y de −1 a
        1; un solo número *a* es ``(a, a)``.
    value_range : (float, float)
        El menor y el mayor valor de un píxel.
    seed : int or numpy.random.Generator, optional
        Origen de su azar. Sin ella, el modelo que la contiene le da una a partir de la suya.
    **options
        ``dtype``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.

    Raises
    ------
    TypeError, ValueError
        Si el factor no es un número de 0 a 1, o un par en orden.

    Notes
    -----
    Hay versiones de Keras que, con un solo número, toman ``(0, a)`` y solo aumentan el contraste, aunque su manual dice
    esto.
    """

    factor = Checked(as_factor, _contrast_range)

    def __init__(self, factor, value_range=(0, 255), seed=None, **options):
        super().__init__(value_range, seed=seed, **options)
        self.factor = factor

    def change(self, x, y):
        r"""Aleja cada píxel de la media de su canal."""
        self.contrast = self.between(*_contrast_range(self.factor, "factor"), len(x), "contrast")
        shape = len(x), -1, x.shape[-1]
        _contrast_forward(x.reshape(shape), self.contrast, y.reshape(shape))

    def change_back(self, dx):
        r"""Reparte el gradiente entre el píxel y la media."""
        _contrast_backward(dx.reshape(len(dx), -1, dx.shape[-1]), self.contrast)


def plain_random_contrast(x, dz, contrast):
    r"""Cada píxel, más lejos de su media; de vuelta, lo suyo y lo de la media."""
    mean = x.mean(axis=(1, 2), keepdims=True)
    z = contrast * (x - mean) + mean  # [ec-cnn-contraste]
    shared = dz.mean(axis=(1, 2), keepdims=True)
    return z, contrast * dz + (1 - contrast) * shared  # [ec-cnn-contraste-atras]
