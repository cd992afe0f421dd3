r"""Tres paisajes de dos parámetros para ver caminar a los optimizadores."""

import numpy as np

from chapters.mlp.optimizers.base import Optimizer
from dlbook import check


def bowl(theta):
    r"""Un tazón, :math:`x^2+y^2`: un paisaje amable.

    .. math::
       :label: ec-mlp-tazon

       f(x,y) = x^2+y^2,
       \qquad
       \nabla f = (2x,\ 2y) .

    El gradiente apunta siempre al lado contrario del mínimo, que está en el origen.

    **A mano.**

    >>> bowl([1.0, 2.0])
    (5.0, array([2., 4.]))

    Parameters
    ----------
    theta : array_like, shape (..., 2)
        Uno o varios puntos.

    Returns
    -------
    value : float or ndarray, shape (...)
        La altura.
    gradient : ndarray, shape (..., 2)
        El gradiente.

    Raises
    ------
    TypeError, ValueError
        Si no son puntos del plano.
    """
    theta = check.floats(theta, "theta", "... 2")
    return _pair((theta**2).sum(axis=-1), 2 * theta)  # [ec-mlp-tazon]


def ravine(theta):
    r"""Un barranco: una pared veinte veces más empinada que el fondo.

    .. math::
       :label: ec-mlp-barranco

       \begin{gathered}
       f(x,y) = \tfrac12\bigl(x^2+20\,y^2\bigr),
       \\
       \nabla f = (x,\ 20y) .
       \end{gathered}

    El mínimo está en el origen, pero cuesta abajo solo se va hacia él desde los ejes: en lo demás manda la pared.
    La tasa tiene que ser menor que :math:`2/20` para no rebotar fuera, y con esa tasa el avance por el fondo es lento.
    Algo así les pasa a las pérdidas cuando una entrada vale mucho más que otra.

    **A mano.** En :math:`(4,1)` el mínimo está a la izquierda, y el gradiente señala sobre todo hacia arriba: se baja
    hacia la otra pared.

    >>> ravine([4.0, 1.0])
    (18.0, array([ 4., 20.]))

    Parameters
    ----------
    theta : array_like, shape (..., 2)
        Uno o varios puntos.

    Returns
    -------
    value : float or ndarray, shape (...)
        La altura.
    gradient : ndarray, shape (..., 2)
        El gradiente.

    Raises
    ------
    TypeError, ValueError
        Si no son puntos del plano.
    """
    theta = check.floats(theta, "theta", "... 2")
    slope = theta * np.array([1, 20], theta.dtype)  # [ec-mlp-barranco]
    return _pair((slope * theta).sum(axis=-1) / 2, slope)


def rosenbrock(theta):
    r"""La función de Rosenbrock: un valle curvo, fácil de encontrar y difícil de recorrer.

    .. math::
       :label: ec-mlp-rosenbrock

       f(x,y) = (1-x)^2 + 100\,(y-x^2)^2 .

    El segundo término vale cero a lo largo de la parábola :math:`y=x^2`, el fondo del valle. Solo el primero, cien
    veces más débil, empuja por él hacia el mínimo, que está en :math:`(1,1)`. Llamemos :math:`r=y-x^2` y derivemos con
    la regla de la cadena:

    .. math::
       :label: ec-mlp-rosenbrock-gradiente

       \nabla f = \bigl(-2(1-x)-400\,x\,r,\quad 200\,r\bigr) .

    **A mano.** En el origen, sobre la parábola, queda solo el empuje débil; en el mínimo, nada:

    >>> rosenbrock([0.0, 0.0])
    (1.0, array([-2.,  0.]))
    >>> rosenbrock([1.0, 1.0])
    (0.0, array([0., 0.]))

    Parameters
    ----------
    theta : array_like, shape (..., 2)
        Uno o varios puntos.

    Returns
    -------
    value : float or ndarray, shape (...)
        La altura.
    gradient : ndarray, shape (..., 2)
        El gradiente.

    Raises
    ------
    TypeError, ValueError
        Si no son puntos del plano.
    """
    theta = check.floats(theta, "theta", "... 2")
    x, y = theta[..., 0], theta[..., 1]
    r = y - x**2
    gradient = np.stack([-2 * (1 - x) - 400 * x * r, 200 * r], axis=-1)  # [ec-mlp-rosenbrock-gradiente]
    return _pair((1 - x) ** 2 + 100 * r**2, gradient)  # [ec-mlp-rosenbrock]


def _pair(value, gradient):
    return (float(value) if np.ndim(value) == 0 else value), gradient + 0.0


def path(optimizer, f, start, steps):
    r"""Los puntos por los que pasa un optimizador.

    **A mano.** Con :math:`\eta=0.25` en el tazón, cada paso parte el punto a la mitad:

    >>> from chapters.mlp.optimizers import SGD
    >>> path(SGD(0.25), bowl, [1.0, 2.0], 3)
    array([[1.   , 2.   ],
           [0.5  , 1.   ],
           [0.25 , 0.5  ],
           [0.125, 0.25 ]])

    Parameters
    ----------
    optimizer : Optimizer
        Recién creado: camina con su estado.
    f : callable
        Recibe un punto y devuelve la altura y el gradiente, como :func:`bowl`, :func:`ravine` o :func:`rosenbrock`.
    start : array_like, shape (p,)
        El punto de partida.
    steps : int
        Cuántos pasos.

    Returns
    -------
    ndarray, shape (steps + 1, p)
        La partida y los puntos que siguen, en ``float64``.

    Raises
    ------
    TypeError, ValueError
        Si los argumentos no son de los tipos pedidos, o si el camino se aleja tanto que los números se desbordan.
    """
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"optimizer: se esperaba un optimizador, pero llegó {optimizer!r}")
    theta = check.floats(start, "start", "p").astype(np.float64)
    steps = check.integer(steps, "steps", 0)
    points = check.empty((steps + 1, theta.size), "steps")
    points[0] = theta
    for t in range(1, len(points)):
        # Si la altura se desborda no importa: del gradiente y del punto se ocupa check.
        with np.errstate(over="ignore", invalid="ignore"):
            gradient = f(theta)[1]
        sizes = {"p": theta.size}
        gradient = check.floats(gradient, "gradient", "p", sizes)
        optimizer.step(theta, gradient.astype(np.float64))
        points[t] = check.floats(theta, f"el punto {t}")
    return points
