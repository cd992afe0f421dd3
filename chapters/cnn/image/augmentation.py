r"""Aumento de datos: mover, girar y reflejar las imágenes mientras la red entrena."""

import math

import numpy as np

from chapters.cnn.arguments import channels_last, image_shape
from chapters.mlp.layer import Layer
from chapters.mlp.symbol import Symbol
from chapters.mlp.tape.through import training_now
from dlbook import check
from dlbook.attributes import Checked
from dlbook.numeric.kernel import kernel

# Qué hay más allá de la orilla, con el número que recibe el núcleo.
FILL_MODES = {"constant": 0, "nearest": 1, "reflect": 2}


def affine_transform(images, transform, fill_mode="constant", fill_value=0.0):
    r"""Mueve, gira, estira o refleja imágenes: una transformación afín de sus coordenadas.

    Para girar una imagen, lo natural sería tomar cada píxel y llevarlo a su lugar nuevo. No sirve: unos lugares
    recibirían dos píxeles y otros, ninguno. Se hace **al revés**. Cada píxel de la imagen nueva, en la columna
    :math:`u` y la fila :math:`v`, pregunta de dónde viene:

    .. math::
       :label: ec-cnn-afin

       \begin{pmatrix} x \\ y \end{pmatrix}
       = \begin{pmatrix} a_{11} & a_{12} \\ a_{21} & a_{22} \end{pmatrix}
         \begin{pmatrix} u \\ v \end{pmatrix}
       + \begin{pmatrix} t_1 \\ t_2 \end{pmatrix} .

    Con seis números se dice todo: la identidad con un :math:`t` mueve, una rotación gira, un :math:`a_{11}` negativo
    refleja.

    La respuesta casi nunca cae en el centro de un píxel. Sean :math:`j=\lfloor x\rfloor` e :math:`i=\lfloor y\rfloor`,
    y
    :math:`\alpha=x-j`, :math:`\beta=y-i` lo que sobra. Se promedian los cuatro vecinos, y pesa más el más cercano. Es
    la *interpolación bilineal* (*bilinear interpolation*):

    .. math::
       :label: ec-cnn-bilineal

       \begin{aligned}
       J_{v,u} ={}& (1-\beta)\bigl[(1-\alpha)\,I_{i,j} + \alpha\, I_{i,j+1}\bigr]
       \\ &+ \beta\bigl[(1-\alpha)\,I_{i+1,j} + \alpha\, I_{i+1,j+1}\bigr].
       \end{aligned}

    Los cuatro pesos son cero o más y suman :math:`(1-\beta)+\beta=1`: es un promedio, y nunca se sale del intervalo de
    los valores que promedia.

    **A mano.** Una fila de cuatro píxeles que viene de medio píxel a la izquierda, :math:`x=u-\tfrac12`: cada píxel
    es el promedio de dos vecinos, y fuera de la imagen hay ceros.

    >>> import numpy as np
    >>> row = np.array([[[[0.0], [10.0], [20.0], [40.0]]]])
    >>> affine_transform(row, [[1, 0, -0.5], [0, 1, 0]])[0, 0, :, 0]
    array([ 0.,  5., 15., 30.])

    Reflejarla es preguntar a la columna :math:`x=3-u`:

    >>> affine_transform(row, [[-1, 0, 3], [0, 1, 0]])[0, 0, :, 0]
    array([40., 20., 10.,  0.])

    ¿Y lo que queda fuera? Se elige: un valor fijo, repetir la orilla o ver la imagen como en un espejo. Aquí viene de
    tres columnas a la derecha, y solo la primera tiene de dónde:

    >>> far = [[1, 0, 3], [0, 1, 0]]
    >>> for mode in "constant", "nearest", "reflect":
    ...     moved = affine_transform(row, far, mode, fill_value=7)
    ...     print(mode, moved[0, 0, :, 0])
    constant [40.  7.  7.  7.]
    nearest [40. 40. 40. 40.]
    reflect [40. 40. 20. 10.]

    Parameters
    ----------
    images : ndarray, shape (n, h, w, c)
        Las imágenes.
    transform : array_like, shape (2, 3) or (n, 2, 3)
        :math:`(\mathbf A\ \mathbf t)`, una para todas o una por imagen. Keras escribe los mismos seis números en fila,
        y dos ceros detrás.
    fill_mode : {"constant", "nearest", "reflect"}
        Qué hay fuera de la imagen: ``fill_value``, el píxel más cercano o la imagen reflejada (d c b a | a b c d |
        d c b a).
    fill_value : float
        El valor de fuera con ``"constant"``.

    Returns
    -------
    ndarray, shape (n, h, w, c)

    Raises
    ------
    TypeError, ValueError
        Si las formas no concuerdan, hay NaN o infinitos, o el modo no existe.

        >>> affine_transform(row, np.eye(3))
        Traceback (most recent call last):
            ...
        ValueError: transform: se esperaba la forma (2, 3), pero llegó (3, 3)
    """
    images = check.floats(images, "images", "n h w c")
    transform = check.floats(transform, "transform")
    if transform.ndim == 3:
        transform = check.floats(transform, "transform", "n 2 3", {"n": len(images)})
    else:
        transform = np.broadcast_to(check.floats(transform, "transform", "2 3"), (len(images), 2, 3))
    mode = FILL_MODES[check.choice(fill_mode, "fill_mode", list(FILL_MODES))]
    fill_value = images.dtype.type(check.number(fill_value, "fill_value"))
    y = np.empty_like(images)
    _affine_transform(images, np.ascontiguousarray(transform, np.float64), mode, fill_value, y)
    return y


@kernel
def _neighbours(x, size, mode):
    # Los dos vecinos de una coordenada, o -1 si son de fuera, y cuánto pesa el segundo. Las comparaciones están
    # escritas para que una coordenada gigantesca, o que no sea un número, tampoco se salga.
    last = size - 1
    if mode == 0:
        if not (-1 < x < size):
            return -1, -1, 0.0
        j = math.floor(x)
        return j, j + 1 if j < last else -1, x - j
    if mode == 2:
        x = (x + 0.5) % (2 * size)
        x = min(x, 2 * size - x) - 0.5
    if not x > 0:
        return 0, 0, 0.0
    if x >= last:
        return last, last, 0.0
    j = math.floor(x)
    return j, j + 1, x - j


@kernel
def _affine_transform(images, transform, mode, fill, out):
    n, h, w, channels = images.shape
    one = images.dtype.type(1)
    for k in range(n):
        t = transform[k]
        for v in range(h):
            for u in range(w):
                x = t[0, 0] * u + t[0, 1] * v + t[0, 2]  # [ec-cnn-afin]
                y = t[1, 0] * u + t[1, 1] * v + t[1, 2]
                j, right, alpha = _neighbours(x, w, mode)
                i, below, beta = _neighbours(y, h, mode)
                alpha, beta = images.dtype.type(alpha), images.dtype.type(beta)
                for c in range(channels):
                    # Una fila o columna -1 es de fuera.
                    a = images[k, i, j, c] if i >= 0 and j >= 0 else fill
                    b = images[k, i, right, c] if i >= 0 and right >= 0 else fill
                    p = images[k, below, j, c] if below >= 0 and j >= 0 else fill
                    q = images[k, below, right, c] if below >= 0 and right >= 0 else fill
                    top, bottom = (one - alpha) * a + alpha * b, (one - alpha) * p + alpha * q
                    out[k, v, u, c] = (one - beta) * top + beta * bottom  # [ec-cnn-bilineal]


@kernel
def _affine_transform_backward(dy, transform, mode, dx):
    n, h, w, channels = dy.shape
    one = dy.dtype.type(1)
    dx[:] = 0
    for k in range(n):
        t = transform[k]
        for v in range(h):
            for u in range(w):
                j, right, alpha = _neighbours(t[0, 0] * u + t[0, 1] * v + t[0, 2], w, mode)
                i, below, beta = _neighbours(t[1, 0] * u + t[1, 1] * v + t[1, 2], h, mode)
                alpha, beta = dy.dtype.type(alpha), dy.dtype.type(beta)
                # Cada píxel de la salida reparte su gradiente entre los cuatro que promedió.
                for c in range(channels):
                    if i >= 0 and j >= 0:
                        dx[k, i, j, c] += (one - beta) * (one - alpha) * dy[k, v, u, c]
                    if i >= 0 and right >= 0:
                        dx[k, i, right, c] += (one - beta) * alpha * dy[k, v, u, c]
                    if below >= 0 and j >= 0:
                        dx[k, below, j, c] += beta * (one - alpha) * dy[k, v, u, c]
                    if below >= 0 and right >= 0:
                        dx[k, below, right, c] += beta * alpha * dy[k, v, u, c]


def plain_affine_transform(images, transform, fill_value):
    r"""Cada píxel pregunta de dónde viene; fuera de la imagen hay una orilla."""
    h, w = images.shape[1:3]
    edges = (0, 0), (1, 2), (1, 2), (0, 0)
    framed = np.pad(images, edges, constant_values=fill_value)
    new = np.empty(images.shape)
    for v, u in np.ndindex(h, w):
        x, y = transform[:, :2] @ [u, v] + transform[:, 2]  # [ec-cnn-afin]
        x, y = np.clip([x, y], -1, [w, h])
        j, i = math.floor(x), math.floor(y)
        alpha, beta = x - j, y - i
        four = framed[:, i + 1 : i + 3, j + 1 : j + 3]
        top = (1 - alpha) * four[:, 0, 0] + alpha * four[:, 0, 1]
        bottom = (1 - alpha) * four[:, 1, 0] + alpha * four[:, 1, 1]
        new[:, v, u] = (1 - beta) * top + beta * bottom  # [ec-cnn-bilineal]
    return new


@kernel
def _stretch(numbers, low, high):
    # De números entre 0 y 1, números entre low y high.
    for i in range(numbers.size):
        numbers[i] = low + (high - low) * numbers[i]


class RandomLayer(Layer):
    r"""Lo que comparten las capas que transforman imágenes al azar: una transformación nueva por imagen y por paso.

    Dentro de un modelo solo actúan al entrenar. Una capa suelta, ``capa(x)``, actúa siempre, como en Keras: quien la
    llama así quiere imágenes nuevas.
    """

    random = True
    any_size = True

    def between(self, low, high, n, name):
        r"""Da un número al azar por imagen, de ``low`` a ``high``; ``name`` es el nombre de su memoria."""
        numbers = self.uniform(self.buffer(name, (n,), np.float64))
        _stretch(numbers, float(low), float(high))
        return numbers

    def build(self, input_shape):
        r"""Comprueba que las observaciones sean imágenes."""
        self.compute_output_shape(input_shape)
        super().build(input_shape)

    def compute_output_shape(self, input_shape):
        r"""Devuelve la misma forma, si es la de una imagen."""
        return image_shape(input_shape)

    def __call__(self, x, training=None):
        r"""Transforma unas imágenes fuera de todo modelo; con ``training=False`` las devuelve como están."""
        if training is None and not isinstance(x, Symbol):
            # Adentro de una red manda lo que ella haga; si nadie la llamó, actúa.
            training = training_now.get() is not False
        return super().__call__(x, training=training)


@kernel
def _stay(transform):
    # La transformación que no mueve nada.
    for k in range(transform.shape[0]):
        for i in range(2):
            for j in range(3):
                transform[k, i, j] = 1.0 if i == j else 0.0


class RandomAffine(RandomLayer):
    r"""Lo que comparten las que mueven los píxeles: cada una define :meth:`draw`, que da las matrices.

    Parameters
    ----------
    fill_mode, fill_value
        Como en :func:`affine_transform`.
    interpolation : {"bilinear"}
        Cómo se calculan los píxeles que caen entre otros.
    data_format : {"channels_last"}, optional
        Dónde van los canales; aquí, siempre al final.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.
    """

    fill_mode = Checked(check.choice, list(FILL_MODES))
    interpolation = Checked(check.choice, ["bilinear"])
    fill_value = Checked(check.number)

    def __init__(self, fill_mode="reflect", interpolation="bilinear", fill_value=0.0, data_format=None, **options):
        super().__init__(**options)
        self.fill_mode, self.interpolation, self.fill_value = fill_mode, interpolation, fill_value
        self.data_format = channels_last(data_format)
        self.transform = None

    def draw(self, n, h, w):
        r"""Sortea una transformación por imagen; arreglo de forma (n, 2, 3)."""
        raise NotImplementedError

    def still(self, n):
        r"""Da la memoria de las transformaciones, con la que deja cada imagen como está."""
        transform = self.buffer("transform", (n, 2, 3), np.float64)
        _stay(transform)
        return transform

    def forward(self, x, training=False):
        r"""Transforma las imágenes si se entrena; si no, las devuelve como están."""
        self.x = y = x = self.ready(x)
        transform = None
        if training:
            transform = np.ascontiguousarray(self.draw(*x.shape[:3]), np.float64)
            y = self.buffer("y", x.shape)
            _affine_transform(x, transform, FILL_MODES[self.fill_mode], x.dtype.type(self.fill_value), y)
        self.transform, self.y = transform, y
        return y

    def backward(self, dy):
        r"""Reparte el gradiente de cada píxel entre los que promedió."""
        dy = self.output_gradient(dy)
        if not self.input_gradient:
            return None
        if self.transform is None:
            return dy
        dx = self.buffer("dx", dy.shape)
        _affine_transform_backward(dy, self.transform, FILL_MODES[self.fill_mode], dx)
        return dx


def factor_range(factor, name):
    r"""Da el intervalo del que se sortea un factor, entre −1 y 1: un número *a* es el de −*a* a *a*.

    >>> factor_range(0.2, "factor"), factor_range((0.3, 0.1), "factor")
    ((-0.2, 0.2), (0.1, 0.3))
    """
    if isinstance(factor, (tuple, list)):
        if len(factor) != 2:
            raise ValueError(f"{name}: se esperaba un número o un par, pero llegó {factor!r}")
        return tuple(sorted(check.number(value, name, -1, 1) for value in factor))
    factor = abs(check.number(factor, name, -1, 1))
    return -factor, factor


def as_factor(factor, name, range_of=factor_range):
    r"""Comprueba un factor: un número o un par. El intervalo se calcula cada vez que se sortea."""
    range_of(factor, name)
    return tuple(map(float, factor)) if isinstance(factor, (tuple, list)) else float(factor)


@kernel
def _move(moves, size, axis, transform):
    for k in range(moves.size):
        transform[k, axis, 2] = -size * moves[k]


class RandomTranslation(RandomAffine):
    r"""Mueve cada imagen, al azar, unos píxeles: a los lados y arriba o abajo.

    Un dígito dos píxeles a la derecha es el mismo dígito. A una red convolucional no hay que enseñarle que un borde es
    un borde en todas partes, pero la capa densa del final sí lee posiciones, y con imágenes movidas aprende a no
    depender de la exacta.

    Recortar al azar una ventana de la imagen rodeada de relleno (*random crop*) es esto mismo, con un número entero de
    píxeles.

    **Hacia atrás.** Una vez echada la suerte, cada píxel :math:`q` de la salida es una suma ponderada de píxeles de la
    entrada, :math:`J_q=\sum_p c_{qp} I_p`, con los :math:`c_{qp}` de :eq:`ec-cnn-bilineal`. El gradiente vuelve por los
    mismos pesos; lo que se juntó, ahora se reparte:

    .. math::
       :label: ed-cnn-afin-atras

       \frac{\partial\mathcal L}{\partial I_p} = \sum_q c_{qp}\,\frac{\partial\mathcal L}{\partial J_q} .

    Esta capa suele ser la primera y nadie le pide ese gradiente, pero puede ir en cualquier parte.

    **A mano.** Con un solo desplazamiento posible, de un cuarto del ancho hacia la izquierda y nada en vertical, no hay
    azar: en una imagen de ancho 4, un píxel.

    >>> layer = RandomTranslation(
    ...     0, (-0.25, -0.25), fill_mode="constant", dtype="float64"
    ... )
    >>> x = np.arange(1.0, 9.0).reshape(1, 2, 4, 1)
    >>> layer(x)[0, :, :, 0]
    array([[2., 3., 4., 0.],
           [6., 7., 8., 0.]])
    >>> layer(x, training=False)[0, :, :, 0]  # al predecir no hace nada
    array([[1., 2., 3., 4.],
           [5., 6., 7., 8.]])

    Parameters
    ----------
    height_factor, width_factor : float or tuple of float
        Cuánto se mueve, como fracción del alto y del ancho: ``0.1`` es entre −0.1 y 0.1; ``(a, b)``, entre *a* y *b*.
        Lo positivo es hacia abajo y a la derecha.
    fill_mode, interpolation, fill_value
        Qué aparece por la orilla, como en :func:`affine_transform`. Lo de en medio se interpola siempre así,
        ``"bilinear"``.
    seed : int or numpy.random.Generator, optional
        Origen de su azar. Sin ella, el modelo que la contiene le da una a partir de la suya.
    data_format : {"channels_last"}, optional
        Dónde van los canales; aquí, siempre al final.
    **options
        ``dtype``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.

    Raises
    ------
    TypeError, ValueError
        Si un factor no está entre −1 y 1.
    """

    height_factor = Checked(as_factor)
    width_factor = Checked(as_factor)

    def __init__(
        self,
        height_factor,
        width_factor,
        fill_mode="reflect",
        interpolation="bilinear",
        seed=None,
        fill_value=0.0,
        data_format=None,
        **options,
    ):
        super().__init__(fill_mode, interpolation, fill_value, data_format, seed=seed, **options)
        self.height_factor, self.width_factor = height_factor, width_factor

    def draw(self, n, h, w):
        r"""Sortea los desplazamientos."""
        transform = self.still(n)
        right = self.between(*factor_range(self.width_factor, "width_factor"), n, "right")
        down = self.between(*factor_range(self.height_factor, "height_factor"), n, "down")
        _move(right, w, 0, transform)
        _move(down, h, 1, transform)
        return transform


def plain_random_rotation(turns, h, w):
    r"""Las matrices que giran tantas vueltas sin mover el centro."""
    angle, centre = 2 * np.pi * turns, np.array([w - 1, h - 1]) / 2
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array([[cos, -sin], [sin, cos]]).transpose(2, 0, 1)
    return np.dstack([turn, centre - turn @ centre])  # [ec-cnn-giro]


@kernel
def _turn(turns, h, w, transform):
    x, y = (w - 1) / 2, (h - 1) / 2
    for k in range(turns.size):
        angle = 2 * np.pi * turns[k]
        cos, sin = np.cos(angle), np.sin(angle)
        t = transform[k]
        t[0, 0], t[0, 1], t[0, 2] = cos, -sin, x - (cos * x - sin * y)  # [ec-cnn-giro]
        t[1, 0], t[1, 1], t[1, 2] = sin, cos, y - (sin * x + cos * y)  # [ec-cnn-giro]


class RandomRotation(RandomAffine):
    r"""Gira cada imagen, al azar, alrededor de su centro.

    Girar un ángulo :math:`\theta` en torno al centro :math:`\mathbf c` es ir al centro, girar y volver:

    .. math::
       :label: ec-cnn-giro

       \begin{gathered}
       \begin{pmatrix} x \\ y \end{pmatrix}
       = \begin{pmatrix} \cos\theta & -\sin\theta \\ \sin\theta & \cos\theta \end{pmatrix}
         \left[\begin{pmatrix} u \\ v \end{pmatrix} - \mathbf c\right] + \mathbf c ,
       \\[1ex]
       \mathbf c = \tfrac12\begin{pmatrix} w-1 \\ h-1 \end{pmatrix}.
       \end{gathered}

    Un poco de giro imita la inclinación de la letra. Demasiado convierte un 6 en un 9.

    **A mano.** Un cuarto de vuelta, sin azar:

    >>> layer = RandomRotation((0.25, 0.25), dtype="float64")
    >>> layer([[[[1], [2]], [[3], [4]]]])[0, :, :, 0].round(12)
    array([[2., 4.],
           [1., 3.]])

    Parameters
    ----------
    factor : float or tuple of float
        El ángulo, como fracción de una vuelta: ``0.05`` es entre −18 y 18 grados. Lo positivo es contra las manecillas
        del reloj.
    fill_mode, interpolation, fill_value
        Qué aparece en las esquinas, como en :func:`affine_transform`. Lo de en medio se interpola siempre así,
        ``"bilinear"``.
    seed : int or numpy.random.Generator, optional
        Origen de su azar. Sin ella, el modelo que la contiene le da una a partir de la suya.
    data_format : {"channels_last"}, optional
        Dónde van los canales; aquí, siempre al final.
    **options
        ``dtype``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.

    Raises
    ------
    TypeError, ValueError
        Si el factor no está entre −1 y 1.
    """

    factor = Checked(as_factor)

    def __init__(
        self,
        factor,
        fill_mode="reflect",
        interpolation="bilinear",
        seed=None,
        fill_value=0.0,
        data_format=None,
        **options,
    ):
        options |= {"data_format": data_format, "seed": seed}
        super().__init__(fill_mode, interpolation, fill_value, **options)
        self.factor = factor

    def draw(self, n, h, w):
        r"""Sortea los ángulos."""
        transform = self.buffer("transform", (n, 2, 3), np.float64)
        _turn(self.between(*factor_range(self.factor, "factor"), n, "turns"), h, w, transform)
        return transform


@kernel
def _flip(coins, size, axis, transform):
    for k in range(coins.size):
        if coins[k] < 0.5:
            transform[k, axis, axis] = -1.0
            transform[k, axis, 2] = size - 1


class RandomFlip(RandomAffine):
    r"""Refleja al azar cada imagen, como en un espejo.

    Un gato que mira a la izquierda es tan gato como el que mira a la derecha: al reflejarlo se duplican los datos sin
    inventar nada. Un 2 reflejado, en cambio, no es un 2, y una *b* reflejada es una *d*. Ninguna fórmula avisa: quien
    conoce los datos decide qué cambios **conservan la etiqueta**.

    Reflejar es preguntar a la columna :math:`w-1-u`, o a la fila :math:`h-1-v`; no hay que interpolar.

    **A mano.** Con cuatro copias de una misma imagen, unas salen reflejadas y otras no:

    >>> layer = RandomFlip("horizontal", seed=0, dtype="float64")
    >>> layer(np.tile([[[1], [2], [3]]], (4, 1, 1, 1)))[:, 0, :, 0]
    array([[1., 2., 3.],
           [3., 2., 1.],
           [3., 2., 1.],
           [3., 2., 1.]])

    Parameters
    ----------
    mode : {"horizontal_and_vertical", "horizontal", "vertical"}
        Si se cambian izquierda y derecha, arriba y abajo, o las dos cosas, cada una con su moneda.
    seed : int or numpy.random.Generator, optional
        Origen de su azar. Sin ella, el modelo que la contiene le da una a partir de la suya.
    data_format : {"channels_last"}, optional
        Dónde van los canales; aquí, siempre al final.
    **options
        ``dtype``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.

    Raises
    ------
    ValueError
        Si el modo no existe.
    """

    mode = Checked(check.choice, ["horizontal_and_vertical", "horizontal", "vertical"])

    def __init__(
        self,
        mode="horizontal_and_vertical",
        seed=None,
        data_format=None,
        **options,
    ):
        super().__init__(data_format=data_format, seed=seed, **options)
        self.mode = mode

    def draw(self, n, h, w):
        r"""Echa las monedas."""
        transform = self.still(n)
        sizes = {"horizontal": w, "vertical": h}
        for axis, (direction, size) in enumerate(sizes.items()):
            if direction in self.mode:
                _flip(self.between(0, 1, n, direction), size, axis, transform)
        return transform


@kernel
def _zoom(factors, size, axis, transform):
    for k in range(factors.size):
        scale = 1 + factors[k]
        transform[k, axis, axis] = scale
        transform[k, axis, 2] = (1 - scale) * (size - 1) / 2  # [ec-cnn-zoom]


class RandomZoom(RandomAffine):
    r"""Acerca o aleja cada imagen, al azar, sin mover su centro.

    El mismo gato, de cerca y de lejos. Si el factor que se sortea es :math:`z`, cada píxel pregunta a :math:`1+z` veces
    su distancia al centro :math:`\mathbf c`. Con :math:`z` negativo la imagen se acerca; con :math:`z` positivo se
    aleja, y por las orillas aparece lo que diga ``fill_mode``:

    .. math::
       :label: ec-cnn-zoom

       \begin{pmatrix} x \\ y \end{pmatrix}
       = \begin{pmatrix} 1+z_w & 0 \\ 0 & 1+z_h \end{pmatrix}
         \left[\begin{pmatrix} u \\ v \end{pmatrix} - \mathbf c\right] + \mathbf c .

    El gradiente vuelve por los mismos pesos, como en :eq:`ed-cnn-afin-atras`.

    **A mano.** Cinco píxeles con el centro en el 2. Al doble de lejos, :math:`z=1`, los cinco nuevos vienen de las
    columnas −2, 0, 2, 4 y 6:

    >>> options = {"fill_mode": "constant", "dtype": "float64"}
    >>> layer = RandomZoom((0, 0), (1, 1), **options)
    >>> layer([[[[1], [2], [3], [4], [5]]]])[0, 0, :, 0]
    array([0., 1., 3., 5., 0.])

    Parameters
    ----------
    height_factor : float or tuple of float
        El factor :math:`z_h`, de −1 a 1: ``0.2`` es entre −0.2 y 0.2; ``(a, b)``, entre *a* y *b*.
    width_factor : float or tuple of float, optional
        El de lo ancho. Sin él, el mismo que se sorteó a lo alto: la imagen no se deforma.
    fill_mode, interpolation, fill_value
        Qué aparece por la orilla, como en :func:`affine_transform`. Lo de en medio se interpola siempre así,
        ``"bilinear"``.
    seed : int or numpy.random.Generator, optional
        Origen de su azar. Sin ella, el modelo que la contiene le da una a partir de la suya.
    data_format : {"channels_last"}, optional
        Dónde van los canales; aquí, siempre al final.
    **options
        ``dtype``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.

    Raises
    ------
    TypeError, ValueError
        Si un factor no está entre −1 y 1.
    """

    height_factor = Checked(as_factor)
    width_factor = Checked(as_factor, optional=True)

    def __init__(
        self,
        height_factor,
        width_factor=None,
        fill_mode="reflect",
        interpolation="bilinear",
        seed=None,
        fill_value=0.0,
        data_format=None,
        **options,
    ):
        super().__init__(fill_mode, interpolation, fill_value, data_format, seed=seed, **options)
        self.height_factor, self.width_factor = height_factor, width_factor

    def draw(self, n, h, w):
        r"""Sortea los factores."""
        wide = tall = self.between(*factor_range(self.height_factor, "height_factor"), n, "tall")
        if self.width_factor is not None:
            wide = self.between(*factor_range(self.width_factor, "width_factor"), n, "wide")
        transform = self.still(n)
        for axis, (factors, size) in enumerate(((wide, w), (tall, h))):
            _zoom(factors, size, axis, transform)
        return transform


def plain_random_zoom(x, height_factor, width_factor):
    r"""Una transformación afín que deja el centro en su lugar."""
    transform = np.zeros((2, 3))
    axes = (width_factor, x.shape[2]), (height_factor, x.shape[1])
    for axis, (z, size) in enumerate(axes):
        center = (size - 1) / 2
        transform[axis, axis] = 1 + z
        transform[axis, 2] = center - (1 + z) * center  # [ec-cnn-zoom]
    return affine_transform(x, transform, "reflect")
