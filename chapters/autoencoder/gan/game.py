r"""El juego del falsificador y el perito: el mejor perito, y cuánto vale la partida."""

import numpy as np

from dlbook import check


def _distributions(p, q):
    sizes = {}
    p, q = (check.floats(value, name, "k", sizes) for value, name in ((p, "p"), (q, "q")))
    for value, name in ((p, "p"), (q, "q")):
        if value.min() < 0 or abs(value.sum() - 1) > 1e-6:
            raise ValueError(f"{name}: se esperaban probabilidades que sumen 1, pero suman {value.sum():.6g}")
    return p.astype(np.float64), q.astype(np.float64)


def optimal_discriminator(p, q):
    r"""El mejor perito posible, si se conocen las dos distribuciones.

    Le muestran un dato; la mitad de las veces es verdadero y sale con probabilidad :math:`p(x)`, y la otra mitad es
    falso y sale con :math:`q(x)`. Contesta :math:`D(x)`, la probabilidad que le da a que sea verdadero, y su
    puntuación media es

    .. math::
       :label: ed-ae-gan-valor

       V(D) = \sum_x \bigl[\,p(x)\ln D(x) + q(x)\ln(1-D(x))\,\bigr] .

    **Derivación.** Cada :math:`x` tiene su propio sumando, y el perito puede escoger cada :math:`D(x)` por separado.
    Para un :math:`x` fijo, con :math:`a=p(x)` y :math:`b=q(x)`, hay que maximizar :math:`f(d)=a\ln d+b\ln(1-d)` entre
    0 y 1. Su derivada se anula en

    .. math::
       :label: ed-ae-gan-optimo

       f'(d) = \frac ad-\frac b{1-d} = 0
       \quad\Longrightarrow\quad a(1-d)=b\,d
       \quad\Longrightarrow\quad d=\frac{a}{a+b} ,

    y la segunda, :math:`f''(d)=-a/d^2-b/(1-d)^2`, es negativa en todo el intervalo: es el único máximo. El mejor
    perito es

    .. math::
       :label: ec-ae-gan-optimo

       D^*(x)=\frac{p(x)}{p(x)+q(x)} .

    Si :math:`q=p`, contesta :math:`\tfrac12` a todo: no puede hacer nada mejor que echar una moneda. :item:`GEN-03`

    **A mano.** Una moneda verdadera cae en cara 3 de cada 4 veces; la falsa, 1 de cada 4. Ante una cara, la
    probabilidad de que sea la verdadera es :math:`0.75/(0.75+0.25)`:

    >>> optimal_discriminator([0.75, 0.25], [0.25, 0.75])
    array([0.75, 0.25])
    >>> optimal_discriminator([0.75, 0.25], [0.75, 0.25])
    array([0.5, 0.5])

    Parameters
    ----------
    p, q : array_like, shape (k,)
        Las probabilidades de cada valor: la de los datos y la del generador.

    Returns
    -------
    ndarray, shape (k,)
        :math:`D^*`; :math:`\tfrac12` donde ninguna da nada.

    Raises
    ------
    TypeError, ValueError
        Si no son probabilidades que sumen 1, o si no son tantas en una como en otra.
    """
    return plain_optimal_discriminator(*_distributions(p, q))


def plain_optimal_discriminator(p, q):
    """La probabilidad de que sea verdadero, valor por valor."""
    total = p + q
    best = p / np.where(total > 0, total, 1)  # [ec-ae-gan-optimo]
    return np.where(total > 0, best, 0.5)


def gan_value(p, q, d=None):
    r"""Cuánto vale la partida, :eq:`ed-ae-gan-valor`, con un perito o con el mejor.

    **Contra el mejor perito.** Con :math:`D^*` de :eq:`ec-ae-gan-optimo`, y con :math:`m=(p+q)/2`, la mitad del
    camino entre las dos distribuciones, :math:`D^*=p/(2m)` y :math:`1-D^*=q/(2m)`. Entonces

    .. math::
       :label: ec-ae-gan-equilibrio

       \begin{aligned}
       V(D^*) &= \sum_x p\ln\frac{p}{2m} + \sum_x q\ln\frac{q}{2m}\\
              &= -\ln 4 + \operatorname{KL}(p\,\|\,m)+\operatorname{KL}(q\,\|\,m) .
       \end{aligned}

    En el segundo paso, cada :math:`\ln\frac12` sale de su suma multiplicado por 1, porque las probabilidades suman
    uno, y entre los dos dan :math:`2\ln\tfrac12=-\ln4`. Las dos divergencias no son negativas, y son cero solo si
    :math:`p=m` y :math:`q=m`, o sea, si :math:`q=p`. Por eso **lo menos que puede valer la partida para el
    falsificador es** :math:`-\ln4`, **y solo lo alcanza copiando los datos**. La mitad de la suma de las dos
    divergencias se llama *divergencia de Jensen y Shannon* :cite:p:`goodfellow2014`.

    **A mano.** Con las monedas de :func:`optimal_discriminator`, :math:`V=2\,(0.75\ln0.75+0.25\ln0.25)`; si son
    iguales, :math:`-\ln4`:

    >>> import numpy as np
    >>> gan_value([0.75, 0.25], [0.25, 0.75]).round(4)
    np.float64(-1.1247)
    >>> bool(np.isclose(gan_value([0.75, 0.25], [0.75, 0.25]), -np.log(4)))
    True

    Con un perito que se equivoca, menos:

    >>> gan_value([0.75, 0.25], [0.25, 0.75], d=[0.9, 0.4]).round(4)
    np.float64(-1.2669)

    Parameters
    ----------
    p, q : array_like, shape (k,)
        Las probabilidades de cada valor: la de los datos y la del generador.
    d : array_like, shape (k,), optional
        Lo que contesta el perito ante cada valor, entre 0 y 1. Sin él, el mejor.

    Returns
    -------
    float
        El valor, en nats; :math:`-\infty` si el perito niega lo que ocurre.

    Raises
    ------
    TypeError, ValueError
        Si no son probabilidades, o si no son tantas en una como en otra.
    """
    p, q = _distributions(p, q)
    if d is None:
        d = optimal_discriminator(p, q)
    d = check.floats(d, "d", "k", {"k": len(p)})
    if d.min() < 0 or d.max() > 1:
        raise ValueError(f"d: se esperaban probabilidades entre 0 y 1, pero van de {d.min():.6g} a {d.max():.6g}")
    return plain_gan_value(p, q, d)


def plain_gan_value(p, q, d):
    """La puntuación media del perito; lo que nunca ocurre no cuenta."""
    with np.errstate(divide="ignore"):
        real = np.where(p > 0, np.log(d), 0)
        fake = np.where(q > 0, np.log(1 - d), 0)
    return p @ real + q @ fake  # [ec-ae-gan-equilibrio]
