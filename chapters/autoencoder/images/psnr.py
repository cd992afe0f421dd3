r"""La relación señal a ruido de pico: el error cuadrático, en decibeles."""

import math

import numpy as np

from dlbook import check


def psnr(a, b, max_val):
    r"""Relación señal a ruido de pico (*peak signal-to-noise ratio*), en decibeles, de cada imagen.

    El error cuadrático medio (*mean squared error*, MSE) de dos imágenes de :math:`N` números es

    .. math::
       :label: ec-ae-mse

       \mathrm{MSE}(\mathbf a,\mathbf b)=\frac1N\sum_{i=1}^N(a_i-b_i)^2 ,

    y no dice mucho solo: ¿0.01 es poco? Depende de cuánto vale el blanco. Si los píxeles van de 0 a :math:`L`, el
    mayor error posible es :math:`L`. El cociente :math:`L^2/\mathrm{MSE}` ya no tiene unidades, y como abarca
    muchos órdenes de magnitud se mira su logaritmo:

    .. math::
       :label: ec-ae-psnr

       \mathrm{PSNR}=10\log_{10}\frac{L^2}{\mathrm{MSE}} \quad\text{dB}.

    Diez veces el logaritmo en base diez es la cuenta de los decibeles: cada 10 dB, el cociente se multiplica por diez.
    Crece con el parecido, y para dos imágenes iguales es infinita.

    **Al doble de error.** Si cada diferencia se duplica, el MSE se multiplica por 4, y

    .. math::
       :label: ed-ae-psnr-doble

       10\log_{10}\frac{L^2}{4\,\mathrm{MSE}}=\mathrm{PSNR}-20\log_{10}2\approx\mathrm{PSNR}-6.02 .

    **A mano.** Cuatro píxeles de 8 bits, :math:`L=255`. Las diferencias son 0, 5, 0 y −5, y el MSE,
    :math:`50/4=12.5`: :math:`10\log_{10}(65\,025/12.5)=37.16` dB. Con las diferencias al doble, 6.02 dB menos:

    >>> a = np.array([[50, 100], [150, 200]])[..., None]
    >>> error = np.array([[0, 5], [0, -5]])[..., None]
    >>> round(float(psnr(a, a + error, 255)), 2)
    37.16
    >>> round(float(psnr(a, a + 2 * error, 255)), 2)
    31.14
    >>> psnr(a, a, 255)
    array(inf)

    Parameters
    ----------
    a, b : array_like, shape (..., h, w, c)
        Las imágenes; una o un lote.
    max_val : float
        Lo que mide el intervalo de los píxeles, :math:`L`: 1 si van de 0 a 1, 255 si son de 8 bits.

    Returns
    -------
    ndarray, shape (...)
        La de cada imagen.

    Raises
    ------
    TypeError, ValueError
        Si no son imágenes de la misma forma, con números reales y finitos, o si el intervalo no es mayor que 0.

        >>> psnr(a, a[:1], 255)
        Traceback (most recent call last):
            ...
        ValueError: b: se esperaba la forma (2, 2, 1) de a, pero llegó (1, 2, 1)
    """
    a, b = two_images(a, b)
    largest = check.number(max_val, "max_val", 0, open_low=True)
    with np.errstate(divide="ignore", over="ignore"):
        mse = ((a - b) ** 2).mean(axis=(-3, -2, -1))  # [ec-ae-mse]
        check.finite(mse, "el error cuadrático medio")
        decibels = 20 * math.log10(largest) - 10 * np.log10(mse)  # [ec-ae-psnr]
    return np.asarray(decibels)


def two_images(a, b):
    r"""Comprueba que son dos imágenes, o dos lotes, de la misma forma, y les da el mismo tipo."""
    a, b = check.floats(a, "a", "... h w c"), check.floats(b, "b", "... h w c")
    if a.shape != b.shape:
        raise ValueError(f"b: se esperaba la forma {a.shape} de a, pero llegó {b.shape}")
    dtype = np.result_type(a, b)
    return a.astype(dtype, copy=False), b.astype(dtype, copy=False)
