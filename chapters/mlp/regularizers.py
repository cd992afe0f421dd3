r"""Penalizaciones: que los pesos grandes cuesten."""

import numpy as np

from dlbook import check, registry
from dlbook.attributes import Configured
from dlbook.numeric.kernel import kernel


# La suma puede hacerse en otro orden: así el procesador lleva varias a la vez.
@kernel(fastmath={"reassoc"})
def _penalty(w, l1, l2):
    total = 0.0
    for i in range(w.size):
        total += l1 * abs(w[i]) + l2 * w[i] * w[i]  # [ec-mlp-penalizacion]
    return total


@kernel
def _add_penalty_gradient(w, l1, l2, gradient):
    real = w.dtype.type
    for i in range(w.size):
        gradient[i] += real(l1) * np.sign(w[i]) + real(2 * l2) * w[i]  # [ec-mlp-penalizacion-gradiente]


@registry.register("regularizer")
class Regularizer(Configured):
    r"""Lo que toda penalización sabe hacer: decir cuánto cuestan unos pesos, y su gradiente.

    Una tuya hereda de esta y define :meth:`value` y :meth:`add_gradient`.
    """

    def __call__(self, w):
        r"""Da la penalización de unos pesos."""
        return self.value(check.floats(w, "w", "..."))

    def gradient(self, w):
        r"""Da el gradiente de la penalización, con la forma de ``w``."""
        w = check.floats(w, "w", "...")
        gradient = np.zeros_like(w)
        self.add_gradient(w, gradient)
        return gradient

    def value(self, w):
        r"""Da la penalización de un arreglo contiguo, sin comprobar nada."""
        raise NotImplementedError

    def add_gradient(self, w, gradient):
        r"""Suma a ``gradient`` el de la penalización, sin comprobar nada."""
        raise NotImplementedError

    def __repr__(self):
        r"""Escribe la llamada que la crea."""
        given = [f"{k}={v!r}" for k, v in vars(self).items() if v]
        arguments = ", ".join(given)
        return f"{type(self).__name__}({arguments})"


class L1L2(Regularizer):
    r"""Penaliza el tamaño de los pesos: la regularización (*regularization*) L1 y L2.

    Entre dos redes que aciertan lo mismo, preferimos la más sencilla. Una red que sobreajusta necesita pesos grandes
    para doblarse tanto entre un ejemplo y el siguiente; entonces cobrémosle por ellos. A la pérdida se le suma

    .. math::
       :label: ec-mlp-penalizacion

       \Omega(\mathbf w) = \lambda_1\sum_i |w_i| + \lambda_2\sum_i w_i^2 .

    **Derivada.** :math:`|w|` es una recta de pendiente 1 a la derecha del cero y −1 a la izquierda, o sea
    :math:`\operatorname{signo}(w)`; en el cero hay un pico y se toma 0. La de :math:`w^2` es :math:`2w`:

    .. math::
       :label: ec-mlp-penalizacion-gradiente

       \frac{\partial\Omega}{\partial w_i} = \lambda_1\operatorname{signo}(w_i) + 2\lambda_2\,w_i .

    Ahí se ve la diferencia. La L2 tira de cada peso hacia el cero con fuerza proporcional a su tamaño: cuanto más
    pequeño, menos tira. La L1 tira con la misma fuerza por pequeño que sea el peso, y al que no hace falta lo lleva
    hasta el cero.

    **A mano.** Con :math:`\mathbf w=(3,-4)`, :math:`\lambda_1=0.1` y :math:`\lambda_2=0.01`:
    :math:`0.1\cdot7+0.01\cdot25=0.95`, y el gradiente es :math:`(0.1+0.06,\ -0.1-0.08)`:

    >>> penalty = L1L2(l1=0.1, l2=0.01)
    >>> round(penalty([3.0, -4.0]), 4)
    0.95
    >>> penalty.gradient([3.0, -4.0]).round(4)
    array([ 0.16, -0.18])

    Parameters
    ----------
    l1, l2 : float
        :math:`\lambda_1` y :math:`\lambda_2`, cero o más.
    """

    name = "l1_l2"

    def __init__(self, l1=0.0, l2=0.0):
        self.l1 = check.number(l1, "l1", 0)
        self.l2 = check.number(l2, "l2", 0)

    def value(self, w):
        r"""Da la penalización de un arreglo contiguo, sin comprobar nada."""
        return _penalty(w.reshape(-1), self.l1, self.l2)

    def add_gradient(self, w, gradient):
        r"""Suma a ``gradient`` el de la penalización, sin comprobar nada."""
        _add_penalty_gradient(w.reshape(-1), self.l1, self.l2, gradient.reshape(-1))


def plain_l1l2(w, l1, l2):
    r"""Lo que cuestan los pesos, y su gradiente."""
    cost = l1 * np.abs(w).sum() + l2 * (w**2).sum()  # [ec-mlp-penalizacion]
    gradient = l1 * np.sign(w) + 2 * l2 * w  # [ec-mlp-penalizacion-gradiente]
    return cost, gradient


class L1(L1L2):
    r"""Solo la L1, :math:`\lambda_1\sum_i|w_i|`: la que lleva hasta el cero los pesos que no hacen falta.

    >>> L1(0.1)([3.0, -5.0])
    0.8

    Parameters
    ----------
    l1 : float
        :math:`\lambda_1`, cero o más.
    """

    name = "l1"

    def __init__(self, l1=0.01):
        super().__init__(l1=l1)


class L2(L1L2):
    r"""Solo la L2, :math:`\lambda_2\sum_i w_i^2`: la que encoge todos los pesos.

    Con descenso de gradiente de tasa :math:`\eta`, cada peso se multiplica por :math:`1-2\eta\lambda_2` antes de
    corregirse. Por eso también se llama *decaimiento de pesos* (*weight decay*).

    >>> L2(0.01)([3.0, -4.0])
    0.25

    Parameters
    ----------
    l2 : float
        :math:`\lambda_2`, cero o más.
    """

    name = "l2"

    def __init__(self, l2=0.01):
        super().__init__(l2=l2)


class OrthogonalRegularizer(Regularizer):
    r"""Cobra a los vectores que se parecen: los quiere perpendiculares, midan lo que midan.

    De :math:`n` vectores se toma la dirección, :math:`\mathbf u_i=\mathbf w_i/\lVert\mathbf w_i\rVert`. Hay
    :math:`P=n(n-1)/2` parejas, y se cobra lo que en promedio coinciden:

    .. math::
       :label: ec-mlp-penalizacion-ortogonal

       \Omega(\mathbf W) = \frac{\lambda}{P}\sum_{i<j}|\mathbf u_i\cdot\mathbf u_j| .

    **Derivada.** Mover :math:`\mathbf u_i` cambia sus parejas, :math:`\mathbf g_i=\frac{\lambda}{P}\sum_{j\neq i}
    \operatorname{signo}(\mathbf u_i\cdot\mathbf u_j)\,\mathbf u_j`. Y alargar :math:`\mathbf w_i` no cambia su
    dirección, así que de :math:`\mathbf g_i` solo cuenta lo perpendicular:

    .. math::
       :label: ec-mlp-penalizacion-ortogonal-gradiente

       \frac{\partial\Omega}{\partial\mathbf w_i}
       = \frac{\mathbf g_i-(\mathbf g_i\cdot\mathbf u_i)\,\mathbf u_i}{\lVert\mathbf w_i\rVert} .

    **A mano.** Dos filas a 45°, con :math:`\lambda=1`: cobra :math:`\cos 45°`. A 90°, nada.

    >>> penalty = OrthogonalRegularizer(factor=1)
    >>> (
    ...     round(penalty([[2.0, 0.0], [3.0, 3.0]]), 4),
    ...     penalty([[2.0, 0.0], [0.0, 3.0]]),
    ... )
    (0.7071, 0.0)
    >>> penalty.gradient([[2.0, 0.0], [3.0, 3.0]]).round(4)
    array([[ 0.    ,  0.3536],
           [ 0.1179, -0.1179]])

    Parameters
    ----------
    factor : float
        :math:`\lambda`, cero o más.
    mode : {"rows", "columns"}
        Qué vectores son: las filas o las columnas de la matriz.

    Raises
    ------
    TypeError, ValueError
        Si un argumento no es del tipo o del conjunto que se espera, o si los pesos no son una matriz.
    """

    name = "orthogonal_regularizer"

    def __init__(self, factor=0.01, mode="rows"):
        self.factor = check.number(factor, "factor", 0)
        self.mode = check.choice(mode, "mode", ["rows", "columns"])

    def _directions(self, w):
        if w.ndim != 2:
            raise ValueError(f"w: se esperaba una matriz, con dos ejes, pero llegó la forma {w.shape}")
        w = w if self.mode == "rows" else w.T
        norms = np.sqrt(np.square(w, dtype=np.float64).sum(axis=1, keepdims=True))
        # Un vector de ceros no tiene dirección: no se parece a ninguno.
        norms[norms == 0] = np.inf
        u = w / norms
        alike = u @ u.T
        np.fill_diagonal(alike, 0)
        return u, norms, alike, self.factor / max(len(w) * (len(w) - 1) / 2, 1)

    def value(self, w):
        r"""Da la penalización de una matriz."""
        _, _, alike, price = self._directions(w)
        return float(price * np.abs(alike).sum() / 2)  # [ec-mlp-penalizacion-ortogonal]

    def add_gradient(self, w, gradient):
        r"""Suma a ``gradient`` el de la penalización."""
        u, norms, alike, price = self._directions(w)
        g = price * np.sign(alike) @ u
        g = (g - (g * u).sum(axis=1, keepdims=True) * u) / norms  # [ec-mlp-penalizacion-ortogonal-gradiente]
        gradient += (g if self.mode == "rows" else g.T).astype(gradient.dtype)


def plain_orthogonal_regularizer(w, factor):
    r"""Lo que cuesta que las filas se parezcan, y su gradiente."""
    norms = np.linalg.norm(w, axis=1, keepdims=True)
    u = w / norms
    alike = u @ u.T
    np.fill_diagonal(alike, 0)
    price = factor / (len(w) * (len(w) - 1) / 2)
    cost = price * np.abs(alike).sum() / 2  # [ec-mlp-penalizacion-ortogonal]
    g = price * np.sign(alike) @ u
    along = (g * u).sum(axis=1, keepdims=True)
    gradient = (g - along * u) / norms  # [ec-mlp-penalizacion-ortogonal-gradiente]
    return cost, gradient


# Los nombres con que Keras los llama como si fueran funciones.
l1, l2, l1_l2, orthogonal_regularizer = L1, L2, L1L2, OrthogonalRegularizer


NAMES = {"l1": L1, "l2": L2, "l1_l2": L1L2, "L1L2": L1L2}
NAMES |= {"orthogonal_regularizer": OrthogonalRegularizer, "OrthogonalRegularizer": OrthogonalRegularizer}


def value_of(regularizer, w):
    r"""Da la penalización de un arreglo contiguo, comprobada: la puede haber escrito quien lee.

    >>> value_of(L2(0.01), np.array([3.0, -4.0]))
    0.25
    """
    value = regularizer.value(w)
    return value if type(value) is float else check.number(value, f"{type(regularizer).__name__}.value")


def _check(regularizer):
    # Quien solo cambia una de estas dos, o lo que se llama desde fuera, se quedaría con la penalización de otra.
    cls = type(regularizer)
    ours = next(base for base in cls.__mro__ if registry.ours(base))
    names = "__call__", "gradient", "value", "add_gradient"
    changed = [n for n in names if getattr(cls, n) is not getattr(ours, n)]
    if (changed or ours is Regularizer) and not {"value", "add_gradient"} <= set(changed):
        defined = changed[0] if changed else "ninguno"
        raise TypeError(f"{cls.__name__}: se esperaba que definiera value y add_gradient, pero define {defined}")
    if not registry.ours(cls):
        value = regularizer.value(np.ones((2, 3), np.float32))
        check.returned(value, f"{cls.__name__}.value")


def get(regularizer):
    r"""Encuentra una penalización por su nombre; si ya es una, o ``None``, la devuelve tal cual.

    >>> get("l2")
    L2(l2=0.01)
    >>> get(None) is None
    True

    Parameters
    ----------
    regularizer : str, Regularizer, type or None
        ``"l1"``, ``"l2"``, ``"l1_l2"``…, una penalización, su clase, o nada.

    Returns
    -------
    Regularizer or None

    Raises
    ------
    TypeError
        Si es de quien lee y no define lo que usan las capas.
    ValueError
        Si el nombre no existe.

        >>> get("l3")
        Traceback (most recent call last):
            ...
        ValueError: regularizer: se esperaba 'l1' o 'l2' o 'l1_l2' o 'L1L2' o 'orthogonal_regularizer' o
        'OrthogonalRegularizer', pero llegó 'l3'
    """
    if regularizer is None:
        return None
    is_class = isinstance(regularizer, type)
    if is_class and issubclass(regularizer, Regularizer):
        return get(regularizer())
    if not isinstance(regularizer, Regularizer):
        name = check.choice(regularizer, "regularizer", list(NAMES))
        return NAMES[name]()
    _check(regularizer)
    return regularizer
