r"""Recortar el gradiente: un susto no debe tirar a la red del mapa."""

import numpy as np

from chapters.mlp.activations.exponential import _add
from dlbook import check
from dlbook.numeric.kernel import kernel


def clip_by_value(gradient, limit):
    r"""Recorta cada número del gradiente por separado.

    Cuando la pérdida tiene un precipicio, el gradiente en su borde es enorme, y un solo paso puede mandar los pesos
    muy lejos. Un remedio simple es poner un tope a cada coordenada:

    .. math::
       :label: ec-mlp-recorte-valor

       g_i \leftarrow \min\bigl(\max(g_i, -c),\ c\bigr) .

    Si unas coordenadas se recortan y otras no, **la dirección cambia**. Compárala con :func:`clip_by_global_norm`.

    **A mano.** El gradiente :math:`(30, -0.4)` casi no miraba a la segunda coordenada; recortado a 1, sí:

    >>> clip_by_value([30.0, -0.4], 1.0)
    array([ 1. , -0.4])

    Parameters
    ----------
    gradient : array_like, shape (...)
        El gradiente; no se modifica.
    limit : float
        El tope :math:`c`, mayor que cero.

    Returns
    -------
    ndarray, shape (...)
        Del mismo tipo real que ``gradient``.

    Raises
    ------
    TypeError, ValueError
        Si no son números finitos o el tope no es positivo.
    """
    gradient = check.floats(gradient, "gradient", "...")
    limit = check.number(limit, "limit", 0, open_low=True)
    clipped = np.empty_like(gradient)
    _clip_by_value(gradient.reshape(-1), limit, clipped.reshape(-1))
    return clipped


def plain_clip_by_value(gradient, limit):
    r"""Un tope para cada coordenada."""
    return np.minimum(np.maximum(gradient, -limit), limit)  # [ec-mlp-recorte-valor]


@kernel
def _clip_by_value(gradient, limit, clipped):
    high = gradient.dtype.type(limit)
    for i in range(gradient.size):
        clipped[i] = min(max(gradient[i], -high), high)  # [ec-mlp-recorte-valor]


def clip_by_global_norm(gradient, limit):
    r"""Acorta el gradiente si es demasiado largo, sin cambiar hacia dónde apunta.

    Se mide el gradiente entero, el de todos los pesos a la vez, y si pasa del tope se divide entre lo que sobra:

    .. math::
       :label: ec-mlp-recorte-norma

       \mathbf g \leftarrow \mathbf g\,\frac{c}{\max\bigl(\lVert\mathbf g\rVert,\,c\bigr)} .

    Si :math:`\lVert\mathbf g\rVert\leq c`, el cociente es 1 y nada cambia. Si no, el largo nuevo es :math:`c`.
    Es el recorte que se propuso para las redes recurrentes :cite:p:`pascanu2013`. No lo confundas con truncar la
    retropropagación en el tiempo, que es dejar de mirar hacia atrás a partir de cierto instante.

    **A mano.** :math:`(30,-40)` mide 50; con tope 5 se divide entre diez:

    >>> clip_by_global_norm([30.0, -40.0], 5.0)
    array([ 3., -4.])
    >>> clip_by_global_norm([3.0, -4.0], 5.0)
    array([ 3., -4.])

    Parameters
    ----------
    gradient : array_like, shape (...)
        El gradiente; no se modifica.
    limit : float
        El tope :math:`c`, mayor que cero.

    Returns
    -------
    ndarray, shape (...)
        Del mismo tipo real que ``gradient``.

    Raises
    ------
    TypeError, ValueError
        Si no son números finitos o el tope no es positivo.
    """
    gradient = check.floats(gradient, "gradient", "...")
    limit = check.number(limit, "limit", 0, open_low=True)
    clipped = np.empty_like(gradient)
    _clip_by_global_norm(gradient.reshape(-1), limit, clipped.reshape(-1))
    return clipped


def plain_clip_by_global_norm(gradient, limit):
    r"""El mismo rumbo, no más largo que el tope."""
    length = np.linalg.norm(gradient)
    return gradient * limit / max(length, limit)  # [ec-mlp-recorte-norma]


@kernel(error_model="numpy")
def _clip_by_global_norm(gradient, limit, clipped):
    # El cuadrado de 1e20 no cabe en float32: la norma se lleva en float64.
    total = 0.0
    for i in range(gradient.size):
        g = np.float64(gradient[i])
        total = _add(total, g * g)
    scale = gradient.dtype.type(limit / max(np.sqrt(total), limit))
    for i in range(gradient.size):
        clipped[i] = gradient[i] * scale  # [ec-mlp-recorte-norma]
