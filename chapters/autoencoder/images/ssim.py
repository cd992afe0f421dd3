r"""La similitud estructural: cuánto se parecen dos imágenes, ventana por ventana."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from chapters.autoencoder.images.psnr import two_images
from dlbook import check


def ssim_map(a, b, max_val, filter_size=11, filter_sigma=1.5, k1=0.01, k2=0.03):
    r"""Similitud estructural (*structural similarity*) de dos imágenes en cada ventana.

    De los píxeles de una ventana en :math:`\mathbf a` y en :math:`\mathbf b` se toman cinco números: las medias
    :math:`\mu_a` y :math:`\mu_b`, las desviaciones :math:`\sigma_a` y :math:`\sigma_b`, y la covarianza
    :math:`\sigma_{ab}`. Con ellos se contestan tres preguntas :cite:p:`wang2004`: si tienen la misma luz
    (*luminance*), si tienen el mismo contraste (*contrast*) y si lo claro y lo oscuro caen en los mismos lugares, que
    es la **estructura** (*structure*):

    .. math::
       :label: ed-ae-ssim-tres

       \begin{gathered}
       l=\frac{2\mu_a\mu_b+C_1}{\mu_a^2+\mu_b^2+C_1},\\[1ex]
       c=\frac{2\sigma_a\sigma_b+C_2}{\sigma_a^2+\sigma_b^2+C_2},
       \qquad
       s=\frac{\sigma_{ab}+C_3}{\sigma_a\sigma_b+C_3} .
       \end{gathered}

    **Ninguna pasa de 1.** De :math:`(\mu_a-\mu_b)^2\ge0` sale
    :math:`2\mu_a\mu_b\le\mu_a^2+\mu_b^2`, con igualdad si las medias son iguales; lo mismo con las desviaciones. Y
    :math:`|\sigma_{ab}|\le\sigma_a\sigma_b` es la desigualdad de Cauchy y Schwarz: sin la constante, :math:`s` es la
    correlación, que vale 1 si una ventana es la otra por un número positivo, más otro número.

    **Las constantes** evitan dividir entre casi cero en lo negro y en lo liso. Se toman pequeñas y en las unidades de
    la imagen, :math:`C_1=(k_1L)^2` y :math:`C_2=(k_2L)^2`, y :math:`C_3=C_2/2`, que permite simplificar el producto.
    Como

    .. math::
       :label: ed-ae-ssim-simplifica

       c\,s=\frac{2(\sigma_a\sigma_b+C_3)}{\sigma_a^2+\sigma_b^2+C_2}\cdot
       \frac{\sigma_{ab}+C_3}{\sigma_a\sigma_b+C_3}
       =\frac{2\sigma_{ab}+C_2}{\sigma_a^2+\sigma_b^2+C_2} ,

    ya no hacen falta raíces, y la similitud :math:`l\,c\,s` es

    .. math::
       :label: ec-ae-ssim

       \mathrm{SSIM}=
       \frac{2\mu_a\mu_b+C_1}{\mu_a^2+\mu_b^2+C_1}\cdot
       \frac{2\sigma_{ab}+C_2}{\sigma_a^2+\sigma_b^2+C_2} .

    **La ventana.** Todas las medias llevan pesos de campana, para que una ventana no tenga orillas bruscas. De
    :math:`k\times k` píxeles, el que está a :math:`(u,v)` del centro pesa

    .. math::
       :label: ec-ae-ssim-pesos

       w_{uv}=g_u\,g_v , \qquad g_u=\frac{e^{-u^2/2\sigma^2}}{\sum_t e^{-t^2/2\sigma^2}} ,

    con :math:`k=11` y :math:`\sigma=1.5`. Con ellos :math:`\mu_a=\sum w\,a`,
    :math:`\sigma_a^2=\sum w\,a^2-\mu_a^2` y :math:`\sigma_{ab}=\sum w\,ab-\mu_a\mu_b`. Como :math:`w_{uv}` es un
    producto, la media se hace por columnas y luego por filas.

    **A mano.** Una ventana de :math:`2\times2`: sus cuatro píxeles están igual de lejos del centro y pesan
    :math:`\frac14`. En :math:`\mathbf a`, la media es 2 y la varianza, :math:`(4+0+0+4)/4=2`. En :math:`\mathbf b`,
    que tiene la mitad de contraste, 2 y :math:`\frac12`. La covarianza es :math:`(2+0+0+2)/4=1`. Sin las constantes,
    :math:`l=1`, :math:`c=2/2.5=0.8` y :math:`s=1`; con ellas, apenas más:

    >>> a = np.array([[0.0, 2.0], [2.0, 4.0]])[..., None]
    >>> b = np.array([[1.0, 2.0], [2.0, 3.0]])[..., None]
    >>> ssim_map(a, b, max_val=4, filter_size=2).round(4)
    array([[[0.8011]]])

    Si lo claro cae donde estaba lo oscuro, la covarianza cambia de signo, y la similitud también:

    >>> ssim_map(a, 4 - b, max_val=4, filter_size=2).round(4)
    array([[[-0.7897]]])

    Parameters
    ----------
    a, b : array_like, shape (..., h, w, c)
        Las imágenes; una o un lote.
    max_val : float
        Lo que mide el intervalo de los píxeles, :math:`L`.
    filter_size : int
        El lado de la ventana, :math:`k`; no mayor que el de la imagen.
    filter_sigma : float
        La desviación de los pesos, :math:`\sigma`, en píxeles.
    k1, k2 : float
        De dónde salen las constantes.

    Returns
    -------
    ndarray, shape (..., h - k + 1, w - k + 1, c)
        La similitud en cada ventana que cabe entera, a lo más 1.

    Raises
    ------
    TypeError, ValueError
        Si no son imágenes de la misma forma, con números reales y finitos; si la ventana no cabe; o si las
        constantes son tan pequeñas que se divide entre cero.

        >>> ssim_map(a, b, max_val=4)
        Traceback (most recent call last):
            ...
        ValueError: filter_size: se esperaba un entero entre 1 y 2, pero llegó 11
    """
    a, b = two_images(a, b)
    size = check.integer(filter_size, "filter_size", 1, min(a.shape[-3:-1]))
    sigma = check.number(filter_sigma, "filter_sigma", 0.01)
    largest = check.number(max_val, "max_val", 0, 1e100, open_low=True)
    k1, k2 = check.number(k1, "k1", 0, 1e50), check.number(k2, "k2", 0, 1e50)
    with np.errstate(all="ignore"):
        values = plain_ssim_map(a, b, largest, size, sigma, k1, k2)
    if not np.isfinite(values).all():
        raise ValueError(
            "k1, k2: se esperaban constantes con las que no se divida entre cero ni se desborden las cuentas"
        )
    return values


def plain_ssim_map(a, b, max_val, filter_size, filter_sigma, k1, k2):
    r"""La similitud de cada ventana, con medias de pesos de campana."""
    c1, c2 = (k1 * max_val) ** 2, (k2 * max_val) ** 2
    u = (np.arange(filter_size) - (filter_size - 1) / 2) / filter_sigma
    g = np.exp(((u**2).min() - u**2) / 2)
    g = (g / g.sum()).astype(a.dtype)  # [ec-ae-ssim-pesos]

    def mean(x):
        columns = sliding_window_view(x, filter_size, axis=-3) @ g
        return sliding_window_view(columns, filter_size, axis=-2) @ g

    mean_a, mean_b = mean(a), mean(b)
    squares = mean_a**2 + mean_b**2
    variances = mean(a**2 + b**2) - squares
    covariance = mean(a * b) - mean_a * mean_b
    light = (2 * mean_a * mean_b + c1) / (squares + c1)
    return light * (2 * covariance + c2) / (variances + c2)  # [ec-ae-ssim]


def ssim(a, b, max_val, filter_size=11, filter_sigma=1.5, k1=0.01, k2=0.03):
    r"""Similitud estructural de cada imagen: la media de la de sus ventanas.

    .. math::
       :label: ec-ae-ssim-media

       \overline{\mathrm{SSIM}}=\frac1{|\mathcal V|}\sum_{V\in\mathcal V}\mathrm{SSIM}(V) ,

    donde :math:`\mathcal V` son las ventanas de :func:`ssim_map`, y si hay varios canales, las de todos. Vale 1 si las
    dos imágenes son iguales. No depende de cuál va primero, porque nada en :eq:`ec-ae-ssim` lo hace.

    Tiene los argumentos de ``tf.image.ssim`` y da lo mismo. Con :math:`k=11`, también da lo de
    ``skimage.metrics.structural_similarity`` con ``gaussian_weights=True``, ``sigma=1.5`` y
    ``use_sample_covariance=False``.

    **A mano.** Las ventanas de :func:`ssim_map`, otra vez; hay una sola, y su media es ella misma:

    >>> a = np.array([[0.0, 2.0], [2.0, 4.0]])[..., None]
    >>> b = np.array([[1.0, 2.0], [2.0, 3.0]])[..., None]
    >>> print(f"{ssim(a, b, max_val=4, filter_size=2):.4f}")
    0.8011

    Con un lote, la de cada imagen; la segunda es la primera en negativo:

    >>> ssim([a, a], [a, 4 - a], max_val=4, filter_size=2).round(4)
    array([ 1.    , -0.9928])

    Parameters
    ----------
    a, b, max_val, filter_size, filter_sigma, k1, k2
        Como en :func:`ssim_map`.

    Returns
    -------
    ndarray, shape (...)
        La de cada imagen.

    Raises
    ------
    TypeError, ValueError
        Como en :func:`ssim_map`.
    """
    windows = ssim_map(a, b, max_val, filter_size, filter_sigma, k1, k2)
    return np.asarray(windows.mean(axis=(-3, -2, -1)))  # [ec-ae-ssim-media]
