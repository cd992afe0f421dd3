r"""Restricciones: lo que los pesos tienen prohibido."""

import numpy as np

from dlbook import check, registry
from dlbook.attributes import Configured

# El de Keras: una columna de ceros no se divide entre cero.
EPSILON = 1e-7


@registry.register("constraint")
class Constraint(Configured):
    r"""Lo que toda restricción (*constraint*) sabe hacer: devolver los pesos al lugar permitido.

    Una penalización **cobra** por los pesos grandes; una restricción los **prohíbe**. Después de cada paso del
    optimizador, los pesos que se salieron del conjunto permitido :math:`C` se cambian por los más cercanos que están
    dentro, la *proyección*:

    .. math::
       :label: ed-mlp-restriccion

       \mathbf w \leftarrow \operatorname{proy}_C(\mathbf w-\eta\,\nabla\mathcal L) .

    Por eso no tiene gradiente: no es parte de la pérdida, sino un retoque después de cada paso. Alguna, como
    :class:`MinMaxNorm`, puede andar solo una parte del camino.

    >>> from chapters.mlp import Dense, Input, Sequential
    >>> model = Sequential(
    ...     [Input(shape=(2,)), Dense(1, kernel_constraint="non_neg")], seed=0
    ... )
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> x = np.array([[1.0, 2.0], [2.0, 1.0]])
    >>> _ = model.fit(x, x @ [[1.0], [-1.0]], epochs=20, verbose=0)
    >>> bool((model.layers[0].kernel >= 0).all())
    True

    Una tuya hereda de esta y define ``__call__``, que recibe los pesos y devuelve los permitidos; o es una función que
    hace eso mismo.
    """

    def __call__(self, w):
        r"""Da los pesos permitidos más cercanos, con la forma de ``w``."""
        raise NotImplementedError


class NonNeg(Constraint):
    r"""Ningún peso negativo: los que lo sean valen cero.

    .. math::
       :label: ec-mlp-no-negativos

       w_i \leftarrow \max(w_i,\ 0) .

    Sirve donde un peso negativo no tendría sentido, como en una mezcla de ingredientes.

    >>> NonNeg()([-1.0, 0.5])
    array([0. , 0.5])
    """

    def __call__(self, w):
        r"""Da los pesos permitidos más cercanos, con la forma de ``w``."""
        return np.maximum(check.floats(w, "w", "..."), 0)  # [ec-mlp-no-negativos]


def _axes(axis):
    if not isinstance(axis, (tuple, list)):
        return check.integer(axis, "axis", -64, 63)
    given = enumerate(axis)
    return tuple(check.integer(a, f"axis[{k}]", -64, 63) for k, a in given)


class NormConstraint(Constraint):
    r"""Lo que comparten las que miden vectores: los estiran o encogen sin girarlos.

    Si :math:`\mathbf w` mide :math:`\lVert\mathbf w\rVert` y debe medir :math:`m`, se multiplica por el cociente:

    .. math::
       :label: ec-mlp-restriccion-norma

       \mathbf w \leftarrow \frac{m}{\lVert\mathbf w\rVert+\epsilon}\,\mathbf w,
       \qquad
       \epsilon = 10^{-7} .

    Cada restricción dice cuánto es :math:`m`. Los vectores van a lo largo de ``axis``. En una capa densa, el eje 0 son
    los pesos que entran a cada neurona; en los filtros del capítulo que sigue, ``axis=[0, 1, 2]``.
    """

    def allowed(self, norms):
        r"""Da cuánto debe medir cada vector, :math:`m`, si mide ``norms``."""
        raise NotImplementedError

    def __call__(self, w):
        r"""Da los pesos permitidos, con la forma de ``w``."""
        w = check.floats(w, "w", "...")
        axes = self.axis if isinstance(self.axis, tuple) else (self.axis,)
        known = {a % w.ndim for a in axes if -w.ndim <= a < w.ndim}
        if len(known) < len(axes):
            raise ValueError(
                f"axis: se esperaban ejes distintos entre {-w.ndim} y {w.ndim - 1}, los de w, pero llegó {self.axis}"
            )
        # Los cuadrados, en float64: en float32 no cabría el de un peso de 1e20.
        squares = np.square(w, dtype=np.float64)
        norms = np.sqrt(squares.sum(axis=axes, keepdims=True))
        factor = self.allowed(norms) / (norms + EPSILON)
        return w * factor.astype(w.dtype)  # [ec-mlp-restriccion-norma]


class MaxNorm(NormConstraint):
    r"""Norma máxima (*max-norm*): los vectores que midan más que :math:`c` se encogen hasta :math:`c`.

    .. math::
       :label: ec-mlp-norma-maxima

       m = \min(\lVert\mathbf w\rVert,\ c) .

    Junto con el *dropout*, permite tasas grandes sin que los pesos estallen :cite:p:`srivastava2014`.

    **A mano.** La primera columna mide 5 y se queda en 2; la segunda mide 1 y no se toca:

    >>> MaxNorm(2)([[3.0, 0.0], [4.0, 1.0]]).round(4)
    array([[1.2, 0. ],
           [1.6, 1. ]])

    Parameters
    ----------
    max_value : float
        Cuánto puede medir cada vector, :math:`c`, cero o más.
    axis : int or sequence of int
        A lo largo de qué eje, o de cuáles, van los vectores.
    """

    def __init__(self, max_value=2, axis=0):
        self.max_value = check.number(max_value, "max_value", 0)
        self.axis = _axes(axis)

    def allowed(self, norms):
        r"""Da lo que mide, o el tope."""
        return np.minimum(norms, self.max_value)  # [ec-mlp-norma-maxima]


class UnitNorm(NormConstraint):
    r"""Norma uno: de cada vector queda la dirección, y :math:`m=1`.

    >>> UnitNorm()([[3.0, 0.0], [4.0, 2.0]]).round(4)
    array([[0.6, 0. ],
           [0.8, 1. ]])

    Parameters
    ----------
    axis : int or sequence of int
        A lo largo de qué eje, o de cuáles, van los vectores.
    """

    def __init__(self, axis=0):
        self.axis = _axes(axis)

    def allowed(self, norms):
        r"""Da 1."""
        return 1.0


class MinMaxNorm(NormConstraint):
    r"""Norma entre dos topes, quizá poco a poco.

    .. math::
       :label: ec-mlp-norma-entre

       m = r\,\min\bigl(\max(\lVert\mathbf w\rVert,\ a),\ c\bigr) + (1-r)\,\lVert\mathbf w\rVert .

    Con :math:`r=1` se obedece en cada paso; con menos, cada paso recorre una fracción :math:`r` de lo que falta.

    **A mano.** Mide 5, el tope es 1 y :math:`r=\tfrac12`: queda a la mitad, en 3.

    >>> MinMaxNorm(max_value=1, rate=0.5)([3.0, 4.0]).round(4)
    array([1.8, 2.4])

    Parameters
    ----------
    min_value, max_value : float
        Entre cuánto y cuánto puede medir cada vector, :math:`a` y :math:`c`; el segundo no puede ser menor.
    rate : float
        Qué fracción de lo que falta se corrige en cada paso, :math:`r`, de 0 a 1.
    axis : int or sequence of int
        A lo largo de qué eje, o de cuáles, van los vectores.
    """

    def __init__(self, min_value=0.0, max_value=1.0, rate=1.0, axis=0):
        self.min_value = low = check.number(min_value, "min_value", 0)
        self.max_value = check.number(max_value, "max_value", low)
        self.rate = check.number(rate, "rate", 0, 1)
        self.axis = _axes(axis)

    def allowed(self, norms):
        r"""Da lo que le toca, según la fracción."""
        inside = np.clip(norms, self.min_value, self.max_value)
        return self.rate * inside + (1 - self.rate) * norms  # [ec-mlp-norma-entre]


NAMES = {
    "max_norm": MaxNorm,
    "min_max_norm": MinMaxNorm,
    "non_neg": NonNeg,
    "unit_norm": UnitNorm,
}
# Los nombres con que Keras los llama como si fueran funciones.
max_norm, min_max_norm, non_neg, unit_norm = MaxNorm, MinMaxNorm, NonNeg, UnitNorm


def get(constraint):
    r"""Encuentra una restricción por su nombre; si ya es una, o ``None``, la devuelve tal cual.

    >>> get("max_norm")
    MaxNorm(max_value=2.0, axis=0)
    >>> get(None) is None
    True

    Parameters
    ----------
    constraint : str, Constraint, callable or None
        El nombre de Keras, una restricción, una función de los pesos que da los permitidos, o nada.

    Returns
    -------
    Constraint, callable or None

    Raises
    ------
    ValueError
        Si el nombre no existe.

        >>> get("max")
        Traceback (most recent call last):
            ...
        ValueError: constraint: se esperaba 'max_norm' o 'min_max_norm' o 'non_neg' o 'unit_norm' o 'MaxNorm' o
        'MinMaxNorm' o 'NonNeg' o 'UnitNorm', pero llegó 'max'
    """
    is_class = isinstance(constraint, type)
    if is_class and issubclass(constraint, Constraint):
        return constraint()
    if constraint is None or (callable(constraint) and not is_class):
        return constraint
    names = NAMES | {cls.__name__: cls for cls in NAMES.values()}
    return names[check.choice(constraint, "constraint", list(names))]()
