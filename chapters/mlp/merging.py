r"""Juntar dos caminos de una red, o más: sumarlos, multiplicarlos, ponerlos uno al lado del otro."""

import math

import numpy as np

from chapters.mlp.layer import Layer, text_of_shape
from chapters.mlp.places import give_back, permuted, repeated, take
from dlbook import check
from dlbook.numeric import elementwise
from dlbook.numeric.elementwise import copy, fill
from dlbook.numeric.kernel import kernel
from dlbook.numeric.matmul import matmul, matmul_transposed
from dlbook.training.data import aligned


def _broadcast(layer, shapes):
    # La forma que sale de operar elemento a elemento, con las reglas de NumPy; en Keras, con los mismos ejes.
    if len(shapes) < 2:
        raise ValueError(f"{layer.name}: se esperaban al menos dos entradas, pero llegó {len(shapes)}")
    axes = max(map(len, shapes))
    padded = [(1,) * (axes - len(shape)) + tuple(shape) for shape in shapes]
    result = []
    for sizes in zip(*padded, strict=True):
        known = {size for size in sizes if size not in (None, 1)}
        if len(known) > 1:
            texts = ", ".join(map(text_of_shape, shapes))
            raise ValueError(f"{layer.name}: se esperaban formas que se puedan operar entre sí, pero llegaron {texts}")
        result.append(known.pop() if known else None if None in sizes else 1)
    return tuple(result)


def _masks(masks, xs):
    # Una máscara por entrada, o ninguna; cada una, con los primeros ejes de la suya.
    if masks is None:
        return [None] * len(xs)
    masks = check.sequence(masks, "mask", len(xs))
    masks = [None if mask is None else check.mask(mask, f"mask[{k}]") for k, mask in enumerate(masks)]
    for k, (x, mask) in enumerate(zip(xs, masks, strict=True)):
        if mask is not None and (not 0 < mask.ndim <= x.ndim or mask.shape != x.shape[: mask.ndim]):
            wanted = x.shape[: max(1, x.ndim - 1)]
            raise ValueError(f"mask[{k}]: se esperaba la forma {wanted}, pero llegó {mask.shape}")
    return masks


class Merge(Layer):
    r"""Lo que comparten las capas que juntan varias entradas, elemento por elemento.

    Las entradas van en una lista. Sus formas son iguales o, como en NumPy, donde una mide 1 se repite; las de menos
    ejes se alinean por el final, después del eje de las observaciones. Al volver, el gradiente de lo que se repitió se
    suma: es un valor que se usó varias veces.

    >>> layer = Add()
    >>> layer.forward([[[1.0, 2.0, 3.0]], [[10.0]]])
    array([[11., 12., 13.]], dtype=float32)
    >>> [dx.tolist() for dx in layer.backward([[1.0, 1.0, 5.0]])]
    [[[1.0, 1.0, 5.0]], [[7.0]]]

    Todas admiten ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`chapters.mlp.Layer`.
    """

    several = True
    any_size = True
    supports_masking = True

    def __init__(self, **options):
        super().__init__(**options)

    def build(self, input_shape):
        r"""Comprueba que las formas se puedan operar."""
        self.compute_output_shape(input_shape)
        super().build(input_shape)

    def compute_output_shape(self, input_shape):
        r"""Devuelve la forma común."""
        return _broadcast(self, self.checked_shape(input_shape))

    def compute_mask(self, inputs, previous_mask=None):
        r"""Da qué posiciones cuentan en alguna de las entradas, como Keras; si una no tiene máscara, cuentan todas."""
        masks = _masks(previous_mask, inputs)
        return None if any(mask is None for mask in masks) else np.logical_or.reduce(masks)

    def _filled(self, xs, mask, filler):
        # Lo que no cuenta, cambiado por lo que no altera el resultado; y dónde cuenta alguna, si todas tienen máscara.
        wide = [None if m is None else aligned(m, x.ndim) for x, m in zip(xs, _masks(mask, xs), strict=True)]
        filled = [x if m is None else np.where(m, x, self.dtype.type(filler)) for x, m in zip(xs, wide, strict=True)]
        return filled, wide, None if any(m is None for m in wide) else np.logical_or.reduce(wide)

    def _wide(self, xs):
        # Todas con la forma del resultado: lo que en una mide 1, repetido.
        n, wide = len(xs[0]), []
        shape = _broadcast(self, [x.shape[1:] for x in xs])
        for k, x in enumerate(xs):
            if x.shape[1:] != shape:
                narrow, x = x, self.buffer(("repetida", k), (n, *shape))
                take(narrow, _places(narrow.shape[1:], shape), x)
            wide.append(x)
        return wide

    def _result(self, xs):
        shape = (len(xs[0]), *_broadcast(self, [x.shape[1:] for x in xs]))
        return self.buffer("y", shape)

    def _narrow(self, dy, k):
        # Lo que se repitió al ir se suma al volver.
        dx = self.buffer(("dx", k), self.x[k].shape)
        if dx.shape == dy.shape:
            copy(dy, dx)
        else:
            give_back(dy, _places(dx.shape[1:], dy.shape[1:]), dx)
        return dx


def _places(shape, whole):
    # Los ejes se alinean por el final.
    return repeated((1,) * (len(whole) - len(shape)) + shape, whole)


def _add_all(xs, y):
    elementwise.add(xs[0], xs[1], y)
    for other in xs[2:]:
        elementwise.add(y, other, y)


class Add(Merge):
    r"""Capa que suma sus entradas.

    .. math::
       :label: ec-mlp-suma

       \mathbf y = \mathbf x_1+\mathbf x_2+\dots

    Su derivada respecto a cualquiera es 1: el gradiente que llega se le da a todas.

    >>> layer = Add()
    >>> layer.forward([[[1.0, 2.0]], [[10.0, 20.0]]])
    array([[11., 22.]], dtype=float32)
    >>> [dx.tolist() for dx in layer.backward([[5.0, 7.0]])]
    [[[5.0, 7.0]], [[5.0, 7.0]]]
    """

    def forward(self, x, training=False):
        r"""Suma."""
        self.x = self.ready(x)
        self.y = self._result(self.x)
        _add_all(self._wide(self.x), self.y)  # [ec-mlp-suma]
        return self.y

    def backward(self, dy):
        r"""Da el mismo gradiente a todas."""
        dy = self.output_gradient(dy)
        return [self._narrow(dy, k) for k in range(len(self.x))]


def plain_add(x, dy):
    r"""El gradiente que llega se le da a todas."""
    y = np.sum(x, axis=0)  # [ec-mlp-suma]
    return (y, *(dy for _ in x))


@kernel
def _subtract(a, b, out):
    for i in range(out.size):
        out[i] = a[i] - b[i]


class Subtract(Merge):
    r"""Capa que resta la segunda entrada de la primera.

    .. math::
       :label: ec-mlp-resta

       \mathbf y = \mathbf x_1-\mathbf x_2

    El gradiente de la segunda lleva el signo cambiado.

    >>> layer = Subtract()
    >>> layer.forward([[[1.0, 2.0]], [[10.0, 20.0]]])
    array([[ -9., -18.]], dtype=float32)
    >>> [dx.tolist() for dx in layer.backward([[5.0, 7.0]])]
    [[[5.0, 7.0]], [[-5.0, -7.0]]]
    """

    def compute_output_shape(self, input_shape):
        r"""Devuelve la forma común de las dos."""
        shapes = self.checked_shape(input_shape)
        if len(shapes) != 2:
            raise ValueError(f"{self.name}: se esperaban dos entradas, pero llegaron {len(shapes)}")
        return _broadcast(self, shapes)

    def forward(self, x, training=False):
        r"""Resta."""
        self.x = self.ready(x)
        self.y = self._result(self.x)
        first, second = self._wide(self.x)
        _subtract(first.reshape(-1), second.reshape(-1), self.y.reshape(-1))  # [ec-mlp-resta]
        return self.y

    def backward(self, dy):
        r"""Da el gradiente a la primera, y a la segunda con el signo cambiado."""
        dy = self.output_gradient(dy)
        first, second = self._narrow(dy, 0), self._narrow(dy, 1)
        elementwise.multiply(second, -1, second)
        return [first, second]


def plain_subtract(x, dy):
    r"""A la segunda, con el signo cambiado."""
    y = x[0] - x[1]  # [ec-mlp-resta]
    return y, dy, -dy


class Multiply(Merge):
    r"""Capa que multiplica sus entradas, elemento por elemento.

    .. math::
       :label: ec-mlp-producto

       \mathbf y = \mathbf x_1\odot\mathbf x_2\odot\dots,
       \qquad
       \frac{\partial\mathcal L}{\partial\mathbf x_k}
       = \frac{\partial\mathcal L}{\partial\mathbf y}\odot\prod_{j\ne k}\mathbf x_j

    >>> layer = Multiply()
    >>> layer.forward([[[1.0, 2.0]], [[10.0, 20.0]]])
    array([[10., 40.]], dtype=float32)
    >>> [dx.tolist() for dx in layer.backward([[5.0, 7.0]])]
    [[[50.0, 140.0]], [[5.0, 14.0]]]
    """

    def forward(self, x, training=False, mask=None):
        r"""Multiplica; lo que la máscara de una entrada quita cuenta como un 1, como en Keras."""
        self.x, self.counted, self.any = self.ready(x), None, None
        if mask is not None:
            self.x, self.counted, self.any = self._filled(self.x, mask, 1)
        self.y = self._result(self.x)
        first, second, *rest = self._wide(self.x)
        elementwise.multiply(first, second, self.y)
        for other in rest:
            elementwise.multiply(self.y, other, self.y)
        if self.any is not None:
            self.y *= self.any
        return self.y

    def backward(self, dy):
        r"""Multiplica el gradiente por las demás entradas; sin dividir, que alguna puede ser 0."""
        dy = self.output_gradient(dy)
        factors, found = self._wide(self.x), []
        for k in range(len(factors)):
            product = self.buffer(("producto", k), dy.shape)
            copy(dy, product)
            if self.counted is not None and self.counted[k] is not None:
                product *= self.counted[k]
            for j, other in enumerate(factors):
                if j != k:
                    elementwise.multiply(product, other, product)  # [ec-mlp-producto]
            found.append(self._narrow(product, k))
        return found


def plain_multiply(x, dy):
    r"""A cada entrada le llega el gradiente por las demás."""
    found = []
    for k in range(len(x)):
        others = np.prod(x[:k] + x[k + 1 :], axis=0)
        found.append(dy * others)  # [ec-mlp-producto]
    return (np.prod(x, axis=0), *found)


class Average(Merge):
    r"""Capa que promedia sus entradas.

    .. math::
       :label: ec-mlp-promedio

       \mathbf y = \tfrac1K\,(\mathbf x_1+\dots+\mathbf x_K)

    A cada una le toca el gradiente dividido entre :math:`K`.

    >>> layer = Average()
    >>> layer.forward([[[1.0, 2.0]], [[11.0, 20.0]]])
    array([[ 6., 11.]], dtype=float32)
    >>> [dx.tolist() for dx in layer.backward([[5.0, 7.0]])]
    [[[2.5, 3.5]], [[2.5, 3.5]]]
    """

    def forward(self, x, training=False):
        r"""Promedia."""
        self.x = self.ready(x)
        self.y = self._result(self.x)
        _add_all(self._wide(self.x), self.y)
        elementwise.multiply(self.y, 1 / len(self.x), self.y)  # [ec-mlp-promedio]
        return self.y

    def backward(self, dy):
        r"""Da a cada una su parte del gradiente."""
        dy = self.output_gradient(dy)
        found = [self._narrow(dy, k) for k in range(len(self.x))]
        for dx in found:
            elementwise.multiply(dx, 1 / len(found), dx)
        return found


@kernel
def _choose(a, b, sign, out):
    # El mayor, o el menor si el signo es -1; un NaN gana siempre.
    for i in range(out.size):
        out[i] = a[i] if sign * a[i] >= sign * b[i] or a[i] != a[i] else b[i]


@kernel
def _choose_backward(x, y, dy, free, dx):
    # Donde ya ganó otra, free es 0.
    for i in range(dx.size):
        won = free[i] and x[i] == y[i]
        free[i] = free[i] and not won
        dx[i] = dy[i] if won else 0


class _Choice(Merge):
    # De las entradas se queda, en cada lugar, con la primera que gana; a ella va todo el gradiente.
    _sign = _loses = None

    def forward(self, x, training=False, mask=None):
        r"""Se queda con la que gana en cada lugar, entre las que cuentan; si no cuenta ninguna, con la primera."""
        self.x = self.ready(x)
        if mask is not None:
            given = self.x[0]
            self.x, _, some = self._filled(self.x, mask, self._loses)
            self.x[0] = self.x[0] if some is None else np.where(some, self.x[0], given)
        self.y, sign = self._result(self.x), self.dtype.type(self._sign)
        best, *rest = (x.reshape(-1) for x in self._wide(self.x))
        for other in rest:
            _choose(best, other, sign, self.y.reshape(-1))
            best = self.y.reshape(-1)
        return self.y

    def backward(self, dy):
        r"""Lleva el gradiente a la que ganó."""
        dy = self.output_gradient(dy)
        free, found = self.buffer("libre", dy.shape, bool), []
        fill(free, True)
        for k, x in enumerate(self._wide(self.x)):
            part = self.buffer(("parte", k), dy.shape)
            _choose_backward(*(one.reshape(-1) for one in (x, self.y, dy, free, part)))
            found.append(self._narrow(part, k))
        return found


class Maximum(_Choice):
    r"""Capa que se queda, en cada lugar, con la mayor de sus entradas.

    .. math::
       :label: ed-mlp-maximo

       y_i = \max_k x_{k,i}

    El gradiente va entero a la que ganó; si empatan, a la primera.

    >>> layer = Maximum()
    >>> layer.forward([[[1.0, 20.0]], [[10.0, 2.0]]])
    array([[10., 20.]], dtype=float32)
    >>> [dx.tolist() for dx in layer.backward([[5.0, 7.0]])]
    [[[0.0, 7.0]], [[5.0, 0.0]]]
    """

    _sign, _loses = 1, -np.inf


class Minimum(_Choice):
    r"""Capa que se queda, en cada lugar, con la menor de sus entradas; el gradiente, como en :class:`Maximum`.

    >>> layer = Minimum()
    >>> layer.forward([[[1.0, 20.0]], [[10.0, 2.0]]])
    array([[1., 2.]], dtype=float32)
    >>> [dx.tolist() for dx in layer.backward([[5.0, 7.0]])]
    [[[5.0, 0.0]], [[0.0, 7.0]]]
    """

    _sign, _loses = -1, np.inf


@kernel
def place_columns(x, start, y):
    r"""Pone las columnas de ``x`` en ``y``, desde la ``start``."""
    width = x.shape[1]
    for i in range(x.shape[0]):
        source, target = x[i], y[i, start : start + width]
        for j in range(width):
            target[j] = source[j]


@kernel
def take_columns(y, start, x):
    r"""Llena ``x`` con las columnas de ``y``, desde la ``start``."""
    width = x.shape[1]
    for i in range(x.shape[0]):
        source, target = y[i, start : start + width], x[i]
        for j in range(width):
            target[j] = source[j]


class Concatenate(Layer):
    r"""Capa que pone sus entradas una al lado de otra, a lo largo de un eje.

    .. math::
       :label: ec-mlp-concatenacion

       \mathbf y = [\mathbf x_1;\ \mathbf x_2;\ \dots]

    Al volver, el gradiente se corta por los mismos lugares y cada entrada recibe su pedazo.

    >>> layer = Concatenate()
    >>> layer.forward([[[1.0, 2.0]], [[3.0]]])
    array([[1., 2., 3.]], dtype=float32)
    >>> [dx.tolist() for dx in layer.backward([[5.0, 6.0, 7.0]])]
    [[[5.0, 6.0]], [[7.0]]]

    Parameters
    ----------
    axis : int
        El eje, contando el de las observaciones, que es el 0 y no puede ser.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`chapters.mlp.Layer`.

    Raises
    ------
    TypeError, ValueError
        Si el eje no existe, o si las formas difieren en algún otro.

        >>> Concatenate().compute_output_shape([(2, 3), (4, 3)])
        Traceback (most recent call last):
            ...
        ValueError: concatenate: se esperaban formas iguales salvo en el eje 2, pero llegaron (n, 2, 3), (n, 4, 3)
    """

    several = True
    any_size = True
    supports_masking = True

    def __init__(self, axis=-1, **options):
        super().__init__(**options)
        self.axis = check.integer(axis, "axis")

    def compute_mask(self, inputs, previous_mask=None):
        r"""Junta las máscaras como las entradas. Si se juntan vectores, cuenta el que cuente en alguna."""
        masks, wide = _masks(previous_mask, inputs), []
        if all(mask is None for mask in masks):
            return None
        for x, mask in zip(inputs, masks, strict=True):
            mask = np.ones(x.shape, bool) if mask is None else mask
            wide.append(np.broadcast_to(mask.reshape(mask.shape + (1,) * (x.ndim - mask.ndim)), x.shape))
        return np.concatenate(wide, self._axis([x.shape for x in inputs])).any(axis=-1)

    def _axis(self, shapes):
        axes = len(shapes[0])
        if not (1 <= self.axis < axes or -axes < self.axis <= -1):
            raise ValueError(f"axis: se esperaba un eje de {axes} que no sea el 0, pero llegó {self.axis}")
        return self.axis % axes

    def build(self, input_shape):
        r"""Comprueba las formas."""
        self.compute_output_shape(input_shape)
        super().build(input_shape)

    def compute_output_shape(self, input_shape):
        r"""Devuelve la forma de las entradas juntas: en su eje, la suma."""
        shapes = self.checked_shape(input_shape)
        if len({len(shape) for shape in shapes}) > 1:
            texts = ", ".join(map(text_of_shape, shapes))
            raise ValueError(f"{self.name}: se esperaban formas con los mismos ejes, pero llegaron {texts}")
        axis = self._axis([(0, *shape) for shape in shapes]) - 1
        result = []
        for k, sizes in enumerate(zip(*shapes, strict=True)):
            known = {size for size in sizes if size is not None}
            if k == axis:
                result.append(None if None in sizes else sum(sizes))
            elif len(known) > 1:
                texts = ", ".join(map(text_of_shape, shapes))
                raise ValueError(
                    f"{self.name}: se esperaban formas iguales salvo en el eje {axis + 1}, pero llegaron {texts}"
                )
            else:
                result.append(known.pop() if known else None)
        return tuple(result)

    def forward(self, x, training=False):
        r"""Junta las entradas."""
        self.x = xs = self.ready(x)
        axis = self._axis([x.shape for x in xs])
        shape = list(xs[0].shape)
        shape[axis] = sum(x.shape[axis] for x in xs)
        self.y = self.buffer("y", tuple(shape))
        rows, start = math.prod(shape[:axis]), 0
        for x in xs:
            # Lo que sigue al eje va junto: de cada entrada, unas columnas.
            place_columns(x.reshape(rows, -1), start, self.y.reshape(rows, -1))  # [ec-mlp-concatenacion]
            start += x.size // rows
        return self.y

    def backward(self, dy):
        r"""Corta el gradiente y da a cada entrada su pedazo."""
        dy = self.output_gradient(dy)
        rows = math.prod(dy.shape[: self._axis([dy.shape])])
        found, start = [], 0
        for k, x in enumerate(self.x):
            dx = self.buffer(("dx", k), x.shape)
            take_columns(dy.reshape(rows, -1), start, dx.reshape(rows, -1))
            found.append(dx)
            start += dx.size // rows
        return found


def plain_concatenate(x, axis, dy):
    r"""Se juntan al ir; al volver, se corta por los mismos lugares."""
    y = np.concatenate(x, axis)  # [ec-mlp-concatenacion]
    ends = np.cumsum([one.shape[axis] for one in x])[:-1]
    return (y, *np.split(dy, ends, axis))


@kernel
def _units(x, shortest, norm):
    # Cada vector entre su longitud, que se apunta.
    for i in range(x.shape[0]):
        row = x[i]
        squares = x.dtype.type(0)
        for j in range(row.size):
            squares += row[j] * row[j]
        norm[i] = np.sqrt(max(squares, shortest))
        for j in range(row.size):
            row[j] /= norm[i]


@kernel
def _units_backward(unit, norm, shortest, slope):
    zero = unit.dtype.type(0)
    for i in range(unit.shape[0]):
        along = zero
        for j in range(unit.shape[1]):
            along += slope[i, j] * unit[i, j]
        along = along if norm[i] > np.sqrt(shortest) else zero
        for j in range(unit.shape[1]):
            slope[i, j] = (slope[i, j] - along * unit[i, j]) / norm[i]  # [ec-mlp-punto-normal]


@kernel
def _dots(a, b, y):
    for n in range(y.shape[0]):
        matmul_transposed(a[n], b[n], y[n])  # [ec-mlp-punto]


@kernel
def _dots_backward(a, b, dy, da, db):
    for n in range(dy.shape[0]):
        matmul(dy[n], b[n], da[n])
        matmul(dy[n].T, a[n], db[n])


class Dot(Layer):
    r"""Capa que multiplica sus dos entradas como matrices: el producto punto a lo largo de un eje de cada una.

    Con vectores, da un número por observación:

    .. math::
       :label: ec-mlp-punto

       y = \mathbf a\cdot\mathbf b=\sum_i a_ib_i,
       \qquad
       \frac{\partial\mathcal L}{\partial\mathbf a} = \frac{\partial\mathcal L}{\partial y}\,\mathbf b,
       \quad
       \frac{\partial\mathcal L}{\partial\mathbf b} = \frac{\partial\mathcal L}{\partial y}\,\mathbf a .

    Con ``normalize=True`` cada vector se divide antes entre su longitud, y lo que sale es el coseno del ángulo que
    forman. Sea :math:`\hat{\mathbf a}=\mathbf a/\lVert\mathbf a\rVert`, y :math:`\mathbf g` el gradiente que le llega.
    Alargar :math:`\mathbf a` no mueve :math:`\hat{\mathbf a}`, así que de :math:`\mathbf g` se quita lo que va a lo
    largo de :math:`\hat{\mathbf a}`; lo demás lo mueve tanto menos cuanto más larga es :math:`\mathbf a`. A
    :math:`\mathbf a` le llega

    .. math::
       :label: ec-mlp-punto-normal

       \frac{\mathbf g-(\mathbf g\cdot\hat{\mathbf a})\,\hat{\mathbf a}}{\lVert\mathbf a\rVert} .

    >>> layer = Dot(axes=1)
    >>> layer.forward([[[1.0, 2.0]], [[3.0, 4.0]]])
    array([[11.]], dtype=float32)
    >>> [dx.tolist() for dx in layer.backward([[1.0]])]
    [[[3.0, 4.0]], [[1.0, 2.0]]]
    >>> cosine = Dot(axes=1, normalize=True, dtype="float64")
    >>> cosine.forward([[[3.0, 4.0]], [[8.0, 6.0]]])
    array([[0.96]])

    Parameters
    ----------
    axes : int or tuple of int
        El eje de cada entrada por el que se multiplica, contando el de las observaciones.
    normalize : bool
        Si se divide antes entre las longitudes.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`chapters.mlp.Layer`.

    Raises
    ------
    TypeError, ValueError
        Si no son dos entradas o sus ejes no miden lo mismo.

        >>> Dot(axes=1).compute_output_shape([(2,), (3,)])
        Traceback (most recent call last):
            ...
        ValueError: dot: se esperaban ejes del mismo tamaño, pero miden 2 y 3
    """

    several = True

    # Más corto que esto, un vector ya no tiene dirección: como en Keras.
    SHORTEST = 1e-12

    def __init__(self, axes, normalize=False, **options):
        super().__init__(**options)
        if isinstance(axes, (list, tuple)):
            if len(axes) != 2:
                raise ValueError(f"axes: se esperaban dos ejes, pero llegó {axes!r}")
            self.axes = tuple(check.integer(axis, f"axes[{k}]") for k, axis in enumerate(axes))
        else:
            self.axes = check.integer(axes, "axes")
        self.normalize = check.boolean(normalize, "normalize")

    def build(self, input_shape):
        r"""Comprueba las formas."""
        self.compute_output_shape(input_shape)
        super().build(input_shape)

    @property
    def any_size(self):
        r"""Si el último eje de las dos se conserva, y entonces los demás pueden medir lo que sea."""
        return self.built and all(a < len(s) for a, s in zip(self._both(self._axes()), self.input_shape, strict=True))

    def _axes(self):
        return [len(shape) + 1 for shape in self.input_shape]

    def _both(self, dimensions):
        axes = self.axes if isinstance(self.axes, tuple) else (self.axes, self.axes)
        for axis, n in zip(axes, dimensions, strict=True):
            if not (1 <= axis < n or -n < axis <= -1):
                raise ValueError(f"axes: se esperaba un eje de {n} que no sea el 0, pero llegó {axis}")
        return [axis % n for axis, n in zip(axes, dimensions, strict=True)]

    def compute_output_shape(self, input_shape):
        r"""Devuelve la forma: los ejes de una y de la otra, sin aquellos por los que se multiplica."""
        shapes = self.checked_shape(input_shape)
        if len(shapes) != 2:
            raise ValueError(f"{self.name}: se esperaban dos entradas, pero llegaron {len(shapes)}")
        a, b = self._both([len(shape) + 1 for shape in shapes])
        sizes = shapes[0][a - 1], shapes[1][b - 1]
        if None not in sizes and sizes[0] != sizes[1]:
            raise ValueError(f"{self.name}: se esperaban ejes del mismo tamaño, pero miden {sizes[0]} y {sizes[1]}")
        rest = [s for k, s in enumerate(shapes[0]) if k != a - 1] + [s for k, s in enumerate(shapes[1]) if k != b - 1]
        return tuple(rest) or (1,)

    def _ordered(self, k, axis):
        # De dónde sale cada número al poner al final el eje de los vectores.
        shape = self.x[k].shape[1:]
        return permuted(shape, (*(j for j in range(len(shape)) if j != axis - 1), axis - 1))

    def forward(self, x, training=False):
        r"""Multiplica los vectores de una por los de la otra."""
        self.x = self.ready(x)
        self.axes_used = self._both([x.ndim for x in self.x])
        self.vectors, self.norms = [], []
        for k, (x, axis) in enumerate(zip(self.x, self.axes_used, strict=True)):
            size = x.shape[axis]
            vectors = self.buffer(("vectors", k), (len(x), x[0].size // size, size))
            take(x, self._ordered(k, axis), vectors)
            self.vectors.append(vectors)
            if self.normalize:
                norm = self.buffer(("norm", k), (vectors.size // size,))
                _units(vectors.reshape(-1, size), self.dtype.type(self.SHORTEST), norm)
                self.norms.append(norm)
        shape = self.compute_output_shape([x.shape[1:] for x in self.x])
        self.y = self.buffer("y", (len(self.x[0]), *shape))
        _dots(*self.vectors, self._products(self.y))
        return self.y

    def _products(self, y):
        return y.reshape(len(y), *(vectors.shape[1] for vectors in self.vectors))

    def backward(self, dy):
        r"""Lleva a cada vector el gradiente por el otro; si se normalizó, sin lo que solo lo alarga."""
        dy = self.output_gradient(dy)
        slopes = [self.buffer(("slope", k), vectors.shape) for k, vectors in enumerate(self.vectors)]
        _dots_backward(*self.vectors, self._products(dy), *slopes)
        found = []
        for k, (axis, unit, slope) in enumerate(zip(self.axes_used, self.vectors, slopes, strict=True)):
            if self.normalize:
                rows = -1, unit.shape[-1]
                shortest = self.dtype.type(self.SHORTEST)
                _units_backward(unit.reshape(rows), self.norms[k], shortest, slope.reshape(rows))
            dx = self.buffer(("dx", k), self.x[k].shape)
            give_back(slope, self._ordered(k, axis), dx)
            found.append(dx)
        return found


def plain_dot(a, b, normalize, dy):
    r"""El producto punto de cada pareja de vectores o, normalizado, su coseno."""
    u, v, sizes = a, b, []
    if normalize:
        sizes = [np.linalg.norm(c, axis=1, keepdims=True) for c in (a, b)]
        u, v = a / sizes[0], b / sizes[1]
    y = (u * v).sum(axis=1, keepdims=True)  # [ec-mlp-punto]
    da, db = dy * v, dy * u  # [ec-mlp-punto]
    if normalize:
        da = da - (da * u).sum(axis=1, keepdims=True) * u
        db = db - (db * v).sum(axis=1, keepdims=True) * v
        da, db = da / sizes[0], db / sizes[1]  # [ec-mlp-punto-normal]
    return y, da, db


# --- Lo mismo, como funciones: cada una crea su capa y la llama, con las opciones de la capa ---


def add(inputs, **options):
    r"""Suma las entradas de una lista, con una capa :class:`Add` nueva.

    Con valores simbólicos da otro, como cualquier capa; con números, números:

    >>> add([[[1.0, 2.0]], [[10.0, 20.0]]])
    array([[11., 22.]], dtype=float32)
    """
    return Add(**options)(inputs)


def subtract(inputs, **options):
    r"""Resta la segunda entrada de la primera, con una capa :class:`Subtract` nueva.

    >>> subtract([[[1.0, 2.0]], [[10.0, 20.0]]])
    array([[ -9., -18.]], dtype=float32)
    """
    return Subtract(**options)(inputs)


def multiply(inputs, **options):
    r"""Multiplica las entradas de una lista, con una capa :class:`Multiply` nueva.

    >>> multiply([[[1.0, 2.0]], [[10.0, 20.0]]])
    array([[10., 40.]], dtype=float32)
    """
    return Multiply(**options)(inputs)


def average(inputs, **options):
    r"""Promedia las entradas de una lista, con una capa :class:`Average` nueva.

    >>> average([[[1.0, 2.0]], [[11.0, 20.0]]])
    array([[ 6., 11.]], dtype=float32)
    """
    return Average(**options)(inputs)


def maximum(inputs, **options):
    r"""Da, en cada lugar, la mayor de las entradas, con una capa :class:`Maximum` nueva.

    >>> maximum([[[1.0, 20.0]], [[10.0, 2.0]]])
    array([[10., 20.]], dtype=float32)
    """
    return Maximum(**options)(inputs)


def minimum(inputs, **options):
    r"""Da, en cada lugar, la menor de las entradas, con una capa :class:`Minimum` nueva.

    >>> minimum([[[1.0, 20.0]], [[10.0, 2.0]]])
    array([[1., 2.]], dtype=float32)
    """
    return Minimum(**options)(inputs)


def concatenate(inputs, axis=-1, **options):
    r"""Pone las entradas una al lado de otra, con una capa :class:`Concatenate` nueva.

    >>> concatenate([[[1.0, 2.0]], [[3.0]]])
    array([[1., 2., 3.]], dtype=float32)
    """
    return Concatenate(axis, **options)(inputs)


def dot(inputs, axes=-1, **options):
    r"""Multiplica dos entradas como matrices, con una capa :class:`Dot` nueva.

    >>> dot([[[1.0, 2.0]], [[3.0, 4.0]]])
    array([[11.]], dtype=float32)
    """
    return Dot(axes, **options)(inputs)
