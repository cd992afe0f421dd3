r"""La frontera de decisión de una neurona, y a qué distancia queda cada punto."""

import numpy as np

from chapters.perceptron.similarity import euclidean_distance
from chapters.perceptron.threshold_unit import weighted_sum
from dlbook.check import floats, number


def signed_distance(x, w, b):
    r"""Distancia con signo de un punto a la frontera de decisión de una neurona.

    La frontera (*decision boundary*) son los puntos donde la neurona no se inclina por nada:

    .. math::
       :label: ed-per-frontera

       \{\mathbf x : \mathbf w^\top\mathbf x + b = 0\} .

    Con dos entradas es una recta; con tres, un plano; con :math:`d`, un hiperplano. Parte el espacio en dos mitades,
    una con :math:`z>0` y otra con :math:`z<0`.

    **El vector de pesos es perpendicular a la frontera.** Toma dos puntos de ella, :math:`\mathbf p` y
    :math:`\mathbf q`. Como :math:`\mathbf w^\top\mathbf p=-b` y :math:`\mathbf w^\top\mathbf q=-b`, al restar
    :math:`\mathbf w^\top(\mathbf p-\mathbf q)=0`: el producto punto de :math:`\mathbf w` con cualquier dirección de la
    frontera es cero.

    **Distancia.** Camina desde :math:`\mathbf x` en línea recta hacia la frontera, o sea, a lo largo de
    :math:`\mathbf w/\lVert\mathbf w\rVert`, y llama :math:`\delta` a lo que te separa de ella. El punto al que llegas,
    :math:`\mathbf p=\mathbf x-\delta\,\mathbf w/\lVert\mathbf w\rVert`, cumple

    .. math::

       0 = \mathbf w^\top\mathbf p + b
         = \mathbf w^\top\mathbf x - \delta\,\frac{\mathbf w^\top\mathbf w}{\lVert\mathbf w\rVert} + b
         = \mathbf w^\top\mathbf x + b - \delta\,\lVert\mathbf w\rVert ,

    y al despejar:

    .. math::
       :label: ec-per-distancia-frontera

       \delta(\mathbf x) = \frac{\mathbf w^\top\mathbf x + b}{\lVert\mathbf w\rVert} .

    Es la menor distancia posible: para otro punto :math:`\mathbf q` de la frontera, :math:`\mathbf q-\mathbf p` es
    perpendicular a :math:`\mathbf w`, y Pitágoras da
    :math:`\lVert\mathbf x-\mathbf q\rVert^2=\delta^2+\lVert\mathbf q-\mathbf p\rVert^2\geq\delta^2`. El signo dice el
    lado: positivo hacia donde apunta :math:`\mathbf w`.

    **En código.** Dividir los pesos y el sesgo entre :math:`\lVert\mathbf w\rVert` no mueve la frontera, y deja unos
    pesos de longitud 1. Con ellos, la suma ponderada ya es la distancia.

    **A mano.** Con :math:`\mathbf w=(3,-2)` y :math:`b=1` el punto :math:`(-1,2)` tiene :math:`z=-6` y
    :math:`\lVert\mathbf w\rVert=\sqrt{13}`:

    >>> round(float(signed_distance([-1, 2], [3, -2], 1)), 6)
    -1.664101

    Y dos puntos de la recta:

    >>> on_it = [[0, 0.5], [-1 / 3, 0]]
    >>> np.abs(signed_distance(on_it, [3, -2], 1)).round(12)
    array([0., 0.])

    Parameters
    ----------
    x : array_like, shape (..., d)
        Un punto, o varios: las coordenadas van en el último eje.
    w : array_like, shape (d,)
        Pesos, no todos cero.
    b : float
        Sesgo.

    Returns
    -------
    float or ndarray, shape (...)
        Distancia de cada punto, positiva del lado de :math:`\mathbf w`.

    Raises
    ------
    TypeError
        Si no son números reales.
    ValueError
        Si las formas no concuerdan, si hay NaN o infinitos o si todos los pesos son cero.

        >>> signed_distance([1, 2], [0, 0], 1)
        Traceback (most recent call last):
            ...
        ValueError: w: se esperaba algún peso distinto de cero
    """
    w = floats(w, "w", "d")
    norm = euclidean_distance(w, np.zeros_like(w))
    if norm == 0:
        raise ValueError("w: se esperaba algún peso distinto de cero")
    return weighted_sum(x, w / norm, number(b, "b") / norm)  # [ec-per-distancia-frontera]
