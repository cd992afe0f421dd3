r"""Tres maneras de estropear una imagen: ruido gaussiano, sal y pimienta, y píxeles tapados."""

import numpy as np

from dlbook import check


def gaussian_noise(x, stddev, seed=None, clip=None):
    r"""Le suma a cada número de una imagen un ruido normal (*Gaussian noise*).

    Es el de una cámara con poca luz: en cada píxel se cuelan muchos errores pequeños, y su suma es casi normal. Con
    desviación :math:`\sigma`,

    .. math::
       :label: ec-ae-ruido-gaussiano

       \tilde x_i=x_i+\sigma\,\epsilon_i , \qquad \epsilon_i\sim\mathcal N(0,1) .

    **Cuánto estropea.** El error es :math:`\sigma\epsilon_i`, y la media de su cuadrado, :math:`\sigma^2`, porque
    :math:`\mathrm E[\epsilon_i^2]=1`: la misma en todas partes, sea cual sea la imagen.

    **Recortar.** Una imagen no puede valer menos que el negro ni más que el blanco, así que se suele **recortar**
    (*clip*) a :math:`[0, 1]`. Entonces el ruido ya no tiene media cero. En un píxel negro se pierde todo el ruido
    negativo, y si :math:`\sigma` es tan pequeña que el blanco no se alcanza, queda :math:`\sigma\max(\epsilon,0)`. Como
    la densidad normal :math:`\phi` cumple :math:`\phi'(t)=-t\,\phi(t)`, y la de :math:`\epsilon^2` se reparte por
    mitades entre los dos lados,

    .. math::
       :label: ed-ae-recorte

       \begin{gathered}
       \mathrm E[\tilde x-x]=\sigma\int_0^\infty t\,\phi(t)\,dt=\sigma\,\phi(0)\approx0.4\,\sigma ,\\
       \mathrm E[(\tilde x-x)^2]=\frac{\sigma^2}2 .
       \end{gathered}

    El fondo negro se aclara y el blanco se oscurece: el recorte quita error, pero deja un **sesgo**.

    **A mano.** Ruido de desviación 0.1 en un millón de píxeles negros, sin recortar y recortado:

    >>> import numpy as np
    >>> black = np.zeros((1000, 1000))
    >>> y = gaussian_noise(black, 0.1, seed=0)
    >>> print(f"media {y.mean():.3f}, de los cuadrados {(y**2).mean():.4f}")
    media 0.000, de los cuadrados 0.0100
    >>> y = gaussian_noise(black, 0.1, seed=0, clip=(0, 1))
    >>> print(f"media {y.mean():.3f}, de los cuadrados {(y**2).mean():.4f}")
    media 0.040, de los cuadrados 0.0050

    Parameters
    ----------
    x : array_like, shape (...)
        Las imágenes.
    stddev : float
        La desviación :math:`\sigma`, 0 o mayor, en las unidades de la imagen.
    seed : int or numpy.random.Generator, optional
        De dónde sale el azar.
    clip : (float, float), optional
        El negro y el blanco a los que se recorta; sin ellos, no se recorta.

    Returns
    -------
    ndarray, shape (...)
        Las imágenes con ruido, del mismo tipo; las de enteros, en ``float64``.

    Raises
    ------
    TypeError, ValueError
        Si no son números reales y finitos, si la desviación es negativa o si el negro no es menor que el blanco.
    """
    x = check.floats(x, "x")
    stddev = check.number(stddev, "stddev", 0)
    noise = check.generator(seed).standard_normal(x.shape, x.dtype)
    with np.errstate(over="ignore"):
        y = x + x.dtype.type(stddev) * noise  # [ec-ae-ruido-gaussiano]
    check.finite(y, "x con ruido")
    if clip is not None:
        low, high = check.sequence(clip, "clip", 2)
        low = check.number(low, "clip[0]")
        high = check.number(high, "clip[1]", low, open_low=True)
        with np.errstate(over="ignore"):
            y = y.clip(low, high)
    return y


def salt_and_pepper_noise(x, rate, seed=None, low=0.0, high=1.0):
    r"""Cambia unos cuantos números al azar por negro o por blanco (*salt-and-pepper noise*).

    Es el de un sensor con celdas muertas o el de un bit que llegó mal: casi todos los píxeles están intactos, y de los
    otros no queda **nada**. Cada número, con probabilidad :math:`p` y sin mirar a los demás, se cambia por el negro,
    :math:`a`, o por el blanco, :math:`b`, según salga una moneda:

    .. math::
       :label: ec-ae-sal-pimienta

       \tilde x_i=\begin{cases}
       a & \text{si } u_i<p/2,\\
       b & \text{si } p/2\le u_i<p,\\
       x_i & \text{si no,}
       \end{cases}
       \qquad u_i\sim\mathcal U[0,1) .

    **Cuánto estropea.** Con probabilidad :math:`p/2` el error es :math:`x_i-a`, con otra igual es :math:`x_i-b`, y si
    no, cero:

    .. math::
       :label: ed-ae-sal-error

       \mathrm E[(\tilde x_i-x_i)^2]=\frac p2\bigl[(x_i-a)^2+(x_i-b)^2\bigr] .

    Con :math:`a=0` y :math:`b=1`, un píxel negro o blanco pierde :math:`p/2`, y uno de gris medio, la mitad,
    :math:`p/4`.

    **A mano.** Uno de cada cinco, en cien mil píxeles negros. De los que se sortean, a la mitad les toca negro, como
    estaban:

    >>> import numpy as np
    >>> y = salt_and_pepper_noise(np.zeros(100_000), 0.2, seed=0)
    >>> print(np.unique(y), f"{(y**2).mean():.2f}")
    [0. 1.] 0.10

    Parameters
    ----------
    x : array_like, shape (...)
        Las imágenes.
    rate : float
        Qué fracción se cambia, :math:`p`, de 0 a 1.
    seed : int or numpy.random.Generator, optional
        De dónde sale el azar.
    low, high : float
        El negro y el blanco.

    Returns
    -------
    ndarray, shape (...)
        Las imágenes con ruido, del mismo tipo; las de enteros, en ``float64``.

    Raises
    ------
    TypeError, ValueError
        Si no son números reales y finitos o si la fracción no está de 0 a 1.
    """
    x = check.floats(x, "x")
    rate = check.number(rate, "rate", 0, 1)
    low, high = check.number(low, "low"), check.number(high, "high")
    u = check.generator(seed).random(x.shape)
    y = x.copy()
    with np.errstate(over="ignore"):
        y[u < rate] = high
        y[u < rate / 2] = low  # [ec-ae-sal-pimienta]
    check.finite(y, "x con ruido")
    return y


def masking_noise(x, rate, seed=None):
    r"""Apaga unos cuantos números al azar (*masking noise*).

    Es *dropout* en la entrada, sin la división: cada número se vuelve cero con probabilidad :math:`p`,

    .. math::
       :label: ec-ae-tapar

       \tilde x_i=m_i\,x_i , \qquad P(m_i=0)=p,\quad P(m_i=1)=1-p .

    Quien reconstruye ya no puede copiar: lo que falta hay que deducirlo de lo que queda :cite:p:`vincent2008`.

    **Cuánto estropea.** El error es :math:`-x_i` con probabilidad :math:`p` y cero en otro caso, así que la media de
    su cuadrado es :math:`p\,x_i^2`. En lo negro no se nota; por eso conviene con tinta clara sobre fondo negro, que es
    como están los dígitos.

    **A mano.** Se apaga la cuarta parte de unos píxeles que valen 2:

    >>> import numpy as np
    >>> y = masking_noise(np.full(100_000, 2.0), 0.25, seed=0)
    >>> print(np.unique(y), f"{((y - 2) ** 2).mean():.2f}")
    [0. 2.] 1.00

    Parameters
    ----------
    x : array_like, shape (...)
        Las imágenes.
    rate : float
        Qué fracción se apaga, :math:`p`, de 0 a 1.
    seed : int or numpy.random.Generator, optional
        De dónde sale el azar.

    Returns
    -------
    ndarray, shape (...)
        Las imágenes tapadas, del mismo tipo; las de enteros, en ``float64``.

    Raises
    ------
    TypeError, ValueError
        Si no son números reales y finitos o si la fracción no está de 0 a 1.
    """
    x = check.floats(x, "x")
    rate = check.number(rate, "rate", 0, 1)
    kept = check.generator(seed).random(x.shape) >= rate
    return x * kept  # [ec-ae-tapar]
