r"""La divergencia de una normal a la normal estándar: lo que el código de un VAE paga en nats."""

import numpy as np

from dlbook import check


def gaussian_kl(mean, log_var):
    r"""Divergencia KL de una normal diagonal a la normal estándar, con la fórmula cerrada.

    Sean :math:`q=\mathcal N(\mu,\sigma^2)` y :math:`p=\mathcal N(0,1)`. La divergencia es la media, con :math:`z`
    sorteada de :math:`q`, de :math:`\ln q(z)-\ln p(z)`.

    **Derivación.** Con :math:`z=\mu+\sigma\varepsilon` y :math:`\varepsilon\sim\mathcal N(0,1)`,

    .. math::
       :label: ed-ae-kl-logaritmos

       \begin{aligned}
       \ln q(z)&=-\tfrac12\ln2\pi-\ln\sigma-\tfrac12\varepsilon^2,\\
       \ln p(z)&=-\tfrac12\ln2\pi-\tfrac12(\mu+\sigma\varepsilon)^2 .
       \end{aligned}

    Al restar se va :math:`\ln 2\pi`, y queda
    :math:`-\ln\sigma-\tfrac12\varepsilon^2+\tfrac12(\mu^2+2\mu\sigma\varepsilon+\sigma^2\varepsilon^2)`. Solo falta
    promediar: :math:`\mathbb E[\varepsilon]=0` y :math:`\mathbb E[\varepsilon^2]=1`. El resultado es
    :math:`-\ln\sigma-\tfrac12+\tfrac12\mu^2+\tfrac12\sigma^2`.

    En :math:`d` dimensiones independientes los logaritmos de las densidades se suman, y sus medias también. Con
    :math:`\ell_j=\ln\sigma_j^2`, que puede ser cualquier número y no solo uno positivo,

    .. math::
       :label: ec-ae-kl

       D_{\mathrm{KL}}(q\,\|\,p)=\frac12\sum_{j=1}^{d}\left(\mu_j^2+e^{\ell_j}-1-\ell_j\right).

    **A mano.** Una normal estándar no se aparta de sí misma: 0. Corrida una unidad, :math:`\tfrac12(1+1-1-0)=0.5`. Con
    media 0 y varianza 4, :math:`\tfrac12(4-1-\ln4)\approx0.807`. Con varianza :math:`\tfrac14`, estrecharse cuesta
    :math:`\tfrac12(\tfrac14-1+\ln4)\approx0.318`:

    >>> log_var = np.log([[1.0], [1.0], [4.0]])
    >>> gaussian_kl([[0.0], [1.0], [0.0]], log_var).round(3)
    array([0.   , 0.5  , 0.807])
    >>> gaussian_kl([[0.0], [0.0]], np.log([[0.25], [0.0001]])).round(3)
    array([0.318, 4.105])

    Parameters
    ----------
    mean : array_like, shape (n, d)
        Las medias :math:`\mu`, una fila por observación.
    log_var : array_like, shape (n, d)
        Los logaritmos de las varianzas, :math:`\ell`.

    Returns
    -------
    ndarray, shape (n,)
        La divergencia de cada observación, en nats. Nunca es negativa.

    Raises
    ------
    TypeError, ValueError
        Si no son números reales y finitos, o si las formas no son iguales.
    """
    mean, log_var = _same_shape(mean, log_var)
    terms = mean**2 + np.exp(log_var) - 1 - log_var
    return terms.sum(axis=1) / 2  # [ec-ae-kl]


def gaussian_kl_backward(mean, log_var, dy):
    r"""Deriva :func:`gaussian_kl` respecto a las medias y a los logaritmos de las varianzas.

    Cada sumando de :eq:`ec-ae-kl` depende de un :math:`\mu_j` y de un :math:`\ell_j`. Con el gradiente :math:`g` de esa
    observación,

    .. math::
       :label: ec-ae-kl-gradiente

       \frac{\partial\mathcal L}{\partial\mu_j}=g\,\mu_j,
       \qquad
       \frac{\partial\mathcal L}{\partial\ell_j}=\frac g2\left(e^{\ell_j}-1\right).

    Los dos se anulan solo en :math:`\mu_j=0` y :math:`\sigma_j=1`: todo lo demás lo empujan hacia la normal estándar.

    >>> dmean, dlog_var = gaussian_kl_backward([[1.0]], np.log([[4.0]]), [1.0])
    >>> dmean, dlog_var.round(3)
    (array([[1.]]), array([[1.5]]))

    Parameters
    ----------
    mean, log_var : array_like, shape (n, d)
        Lo que recibió :func:`gaussian_kl`.
    dy : array_like, shape (n,)
        El gradiente de cada divergencia.

    Returns
    -------
    dmean, dlog_var : ndarray, shape (n, d)
        Los gradientes.

    Raises
    ------
    TypeError, ValueError
        Si no son números reales y finitos, o si las formas no encajan.
    """
    mean, log_var = _same_shape(mean, log_var)
    g = check.floats(dy, "dy", "n", {"n": len(mean)})[:, np.newaxis]
    dmean = g * mean  # [ec-ae-kl-gradiente]
    dlog_var = g / 2 * (np.exp(log_var) - 1)  # [ec-ae-kl-gradiente]
    return dmean, dlog_var


def _same_shape(mean, log_var):
    sizes = {}
    mean = check.floats(mean, "mean", "n d", sizes)
    return mean, check.floats(log_var, "log_var", "n d", sizes)
