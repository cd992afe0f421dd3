r"""El mejor quitador de ruido que existe, cuando los datos posibles se conocen todos."""

import numpy as np

from dlbook import check


def optimal_denoiser(x, data, sigma):
    r"""Da la media de los datos limpios que pudieron dar cada punto con ruido gaussiano.

    Alguien elige un dato al azar entre :math:`\mathbf x^{(1)},\dots,\mathbf x^{(n)}`, todos igual de probables, y le
    suma ruido de desviación :math:`\sigma` en cada coordenada. Llega :math:`\tilde{\mathbf x}`. ¿De cuál salió? Por la
    regla de Bayes, la probabilidad de cada uno es proporcional a la densidad del ruido que habría hecho falta,
    :math:`\tilde{\mathbf x}-\mathbf x^{(i)}`; lo que es común a todos se cancela, y queda una *softmax*:

    .. math::
       :label: ec-ae-posterior

       p_i=P(\mathbf x^{(i)}\mid\tilde{\mathbf x})=
       \frac{e^{-\lVert\tilde{\mathbf x}-\mathbf x^{(i)}\rVert^2/2\sigma^2}}
       {\sum_j e^{-\lVert\tilde{\mathbf x}-\mathbf x^{(j)}\rVert^2/2\sigma^2}} .

    La respuesta que menos se equivoca, en promedio del cuadrado, es la media:

    .. math::
       :label: ec-ae-optimo

       r^*(\tilde{\mathbf x})=\mathrm E[\mathbf x\mid\tilde{\mathbf x}]=\sum_i p_i\,\mathbf x^{(i)} .

    Con :math:`\sigma` pequeña gana el dato más cercano; con :math:`\sigma` enorme pesan todos igual, y la respuesta
    es la media de los datos.

    **A mano.** Dos datos, −1 y 1. En una recta la cuenta se cierra: :math:`p_2/p_1=e^{2\tilde x/\sigma^2}`, así que la
    media es :math:`\tanh(\tilde x/\sigma^2)`. Con :math:`\tilde x=0.5` y :math:`\sigma=1`, :math:`\tanh 0.5=0.4621`:

    >>> optimal_denoiser([[0.5]], data=[[-1.0], [1.0]], sigma=1.0).round(4)
    array([[0.4621]])
    >>> optimal_denoiser([[0.5]], data=[[-1.0], [1.0]], sigma=0.1).round(4)
    array([[1.]])

    Parameters
    ----------
    x : array_like, shape (m, d)
        Los puntos con ruido.
    data : array_like, shape (n, d)
        Los datos limpios.
    sigma : float
        La desviación del ruido, mayor que 0.

    Returns
    -------
    ndarray, shape (m, d)
        La media de los datos, vista desde cada punto.

    Raises
    ------
    TypeError, ValueError
        Si no son tablas de números reales y finitos con las mismas columnas, o si la desviación no es mayor que 0.
    """
    sizes = {}
    x, data = check.floats(x, "x", "m d", sizes), check.floats(data, "data", "n d", sizes)
    sigma = check.number(sigma, "sigma", 1e-100, 1e100)
    x, data = x.astype(float), data.astype(float)
    with np.errstate(over="ignore", invalid="ignore"):
        y = plain_optimal_denoiser(x, data, sigma)
    check.finite(y, "la media de los datos")
    return y


def plain_optimal_denoiser(x, data, sigma):
    r"""Una softmax de las distancias, y la media con esos pesos."""
    squares = ((x[:, None] - data) ** 2).sum(axis=-1)
    logits = -squares / (2 * sigma**2)
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)  # [ec-ae-posterior]
    return p @ data  # [ec-ae-optimo]
