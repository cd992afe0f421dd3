r"""Penalizaciones: que los pesos grandes cuesten."""

import numpy as np
from numba import njit

from dlbook import check, registry
from dlbook.attributes import Configured


# La suma puede hacerse en otro orden: así el procesador lleva varias a la vez.
@njit(cache=True, nogil=True, fastmath={"reassoc"})
def _penalty(w, l1, l2):
    total = 0.0
    for i in range(w.size):
        total += l1 * abs(w[i]) + l2 * w[i] * w[i]  # [ec-mlp-penalizacion]
    return total


@njit(cache=True, nogil=True)
def _add_penalty_gradient(w, l1, l2, gradient):
    real = w.dtype.type
    for i in range(w.size):
        gradient[i] += real(l1) * np.sign(w[i]) + real(2 * l2) * w[i]  # [ec-mlp-penalizacion-gradiente]


@registry.register("regularizer")
class L1L2(Configured):
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

    Ahí se ve la diferencia. La L2 jala cada peso hacia el cero con fuerza proporcional a su tamaño: los encoge a todos
    y no borra ninguno. La L1 jala con la misma fuerza por pequeño que sea el peso, y a los que no hacen falta los deja
    en cero.

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
        return _penalty(w.reshape(-1), self.l1, self.l2)

    def add_gradient(self, w, gradient):
        r"""Suma a ``gradient`` el de la penalización, sin comprobar nada."""
        _add_penalty_gradient(w.reshape(-1), self.l1, self.l2, gradient.reshape(-1))

    def __repr__(self):
        r"""Escribe la llamada que la crea."""
        arguments = ", ".join(f"{name}={value!r}" for name, value in vars(self).items() if value)
        return f"{type(self).__name__}({arguments})"


class L1(L1L2):
    r"""Solo la L1, :math:`\lambda_1\sum_i|w_i|`: la que lleva a cero los pesos que no hacen falta.

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

    Con descenso de gradiente de paso :math:`\eta`, cada peso se multiplica por :math:`1-2\eta\lambda_2` antes de
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


# Los nombres con que Keras los llama como si fueran funciones.
l1, l2, l1_l2 = L1, L2, L1L2


def _method(cls, name):
    return getattr(cls, name) is not getattr(L1L2, name)


NAMES = {"l1": L1, "l2": L2, "l1_l2": L1L2, "L1L2": L1L2}


def value_of(regularizer, w):
    r"""Da la penalización de un arreglo contiguo, comprobada: la puede haber escrito quien lee.

    >>> value_of(L2(0.01), np.array([3.0, -4.0]))
    0.25
    """
    value = regularizer.value(w)
    return value if type(value) is float else check.number(value, f"{type(regularizer).__name__}.value")


def get(regularizer):
    r"""Encuentra una penalización por su nombre; si ya es una, o ``None``, la devuelve tal cual.

    >>> get("l2")
    L2(l2=0.01)
    >>> get(None) is None
    True

    Parameters
    ----------
    regularizer : str, L1L2 or None
        ``"l1"``, ``"l2"``, ``"l1_l2"``, una penalización, o nada.

    Returns
    -------
    L1L2 or None

    Raises
    ------
    TypeError
        Si es de quien lee y no define lo que usan las capas.
    ValueError
        Si el nombre no existe.

        >>> get("l3")
        Traceback (most recent call last):
            ...
        ValueError: regularizer: se esperaba 'l1' o 'l2' o 'l1_l2' o 'L1L2', pero llegó 'l3'
    """
    if regularizer is None:
        return None
    if isinstance(regularizer, type) and issubclass(regularizer, L1L2):
        return get(regularizer())
    if not isinstance(regularizer, L1L2):
        return NAMES[check.choice(regularizer, "regularizer", list(NAMES))]()
    # Quien solo cambia una de estas dos, o lo que se llama desde fuera, se quedaría con la penalización de otra.
    cls = type(regularizer)
    changed = [name for name in ("__call__", "gradient", "value", "add_gradient") if _method(cls, name)]
    if changed and not {"value", "add_gradient"} <= set(changed):
        raise TypeError(f"{cls.__name__}: se esperaba que definiera value y add_gradient, pero define {changed[0]}")
    if not registry.ours(cls):
        check.returned(regularizer.value(np.ones((2, 3), np.float32)), f"{cls.__name__}.value")
    return regularizer
