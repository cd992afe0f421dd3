r"""Sortear un código sin perder el gradiente."""

import numpy as np

from chapters.mlp.gaussian_noise import GaussianNoise
from chapters.mlp.layer import Layer, text_of_shape
from dlbook import check
from dlbook.numeric.elementwise import fill
from dlbook.numeric.kernel import kernel


class Sampling(GaussianNoise):
    r"""Capa que sortea el código de un VAE, y le suma a la pérdida lo que ese código se aparta de la normal estándar.

    Recibe dos cosas del codificador, la media :math:`\boldsymbol\mu` y el logaritmo de la varianza
    :math:`\boldsymbol\ell`. Al entrenar da

    .. math::
       :label: ec-ae-muestra

       z_j=\mu_j+\sigma_j\,\varepsilon_j,
       \qquad
       \sigma_j=e^{\ell_j/2},
       \qquad
       \varepsilon_j\sim\mathcal N(0,1),

    y suma a la pérdida de cada observación :math:`\beta` veces su divergencia, :eq:`ec-ae-kl`. Al predecir no sortea:
    da la media.

    **Hacia atrás.** El azar está en :math:`\varepsilon_j`, que no depende de nada. Con él quieto, :math:`z_j` es una
    cuenta como cualquier otra: :math:`\partial z_j/\partial\mu_j=1` y
    :math:`\partial z_j/\partial\ell_j=\tfrac12\sigma_j\varepsilon_j`. Al gradiente :math:`g_j` que llega del
    decodificador se le suma el de la divergencia, :eq:`ec-ae-kl-gradiente`, dividido entre las :math:`n` observaciones
    del lote, porque a la pérdida va su media:

    .. math::
       :label: ec-ae-muestra-gradiente

       \begin{aligned}
       \frac{\partial J}{\partial\mu_j}&=g_j+\frac\beta n\,\mu_j,\\
       \frac{\partial J}{\partial\ell_j}
       &=\frac12\,g_j\,\sigma_j\varepsilon_j+\frac\beta{2n}\left(e^{\ell_j}-1\right).
       \end{aligned}

    **A mano.** Con :math:`\mu=1`, :math:`\sigma=2` y :math:`\varepsilon=z-1` entre 2:

    >>> layer = Sampling(beta=3.0, seed=0, dtype="float64")
    >>> mean, log_var = [[1.0]], np.log([[4.0]])
    >>> z = layer.forward([mean, log_var], training=True)
    >>> noise = (z - 1) / 2
    >>> dmean, dlog_var = layer.backward([[10.0]])
    >>> dmean
    array([[13.]])
    >>> bool(np.isclose(dlog_var, 10 * 2 * noise / 2 + 3 * (4 - 1) / 2).all())
    True

    La pérdida creció en :math:`3\cdot\tfrac12(1+4-1-\ln4)`, y al predecir sale la media:

    >>> round(layer.added_loss(1), 3)
    3.921
    >>> layer.forward([mean, log_var])
    array([[1.]])

    Parameters
    ----------
    beta : float
        Cuánto pesa la divergencia en la pérdida, :math:`\beta\ge0`. Con 0 la capa solo sortea.
    seed : int or numpy.random.Generator, optional
        Origen de su azar. Sin ella, el modelo que la contiene le da una a partir de la suya.
    **options
        ``dtype``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.

    Raises
    ------
    TypeError, ValueError
        Si ``beta`` es negativo, o si no llegan dos entradas de la misma forma.

        >>> Sampling(beta=-1)
        Traceback (most recent call last):
            ...
        ValueError: beta: se esperaba un número de al menos 0, pero llegó -1

    Notes
    -----
    Los números al azar se piden como en :class:`~chapters.mlp.GaussianNoise`: a cada observación le tocan los mismos
    con cualquier número de hilos.
    """

    several = True

    def __init__(self, beta=1.0, seed=None, **options):
        Layer.__init__(self, seed=seed, **options)
        self.beta = check.number(beta, "beta", 0)

    def build(self, input_shape):
        r"""Comprueba las formas."""
        self.compute_output_shape(input_shape)
        super().build(input_shape)

    def compute_output_shape(self, input_shape):
        r"""Devuelve la forma del código, que es la de la media."""
        shapes = self.checked_shape(input_shape)
        if len(shapes) != 2 or shapes[0] != shapes[1]:
            texts = ", ".join(map(text_of_shape, shapes))
            raise ValueError(
                f"{self.name}: se esperaban una media y un logaritmo de la misma forma, pero llegó {texts}"
            )
        return shapes[0]

    def forward(self, x, training=False):
        r"""Sortea el código si se entrena; si no, da la media. Suma la divergencia a la pérdida."""
        self.x = mean, log_var = self.ready(x)
        if training:
            self.noise = self.normal(mean)
        else:
            self.noise = self.buffer("noise", mean.shape)
            fill(self.noise, 0)
        self.std, self.y = self.buffer("std", mean.shape), self.buffer("y", mean.shape)
        loss = self.buffer("divergence", (len(mean),))
        arrays = mean, log_var, self.noise, self.std, self.y
        _sampling_forward(self.beta, *(one.reshape(len(mean), -1) for one in arrays), loss)
        self.add_loss(loss)
        return self.y

    def backward(self, dy):
        r"""Devuelve el gradiente de la media y el del logaritmo de la varianza."""
        dy = self.output_gradient(dy)
        mean, _ = self.x
        share = dy.dtype.type(self.beta / (self.whole or len(dy)))
        dmean, dlog_var = self.buffer("dmean", dy.shape), self.buffer("dlog_var", dy.shape)
        arrays = dy, mean, self.std, self.noise, dmean, dlog_var
        _sampling_backward(share, *(one.reshape(-1) for one in arrays))
        return [dmean, dlog_var]


@kernel
def _sampling_forward(beta, mean, log_var, noise, std, y, loss):
    one, two = mean.dtype.type(1), mean.dtype.type(2)
    for i in range(mean.shape[0]):
        total = mean.dtype.type(0)
        for j in range(mean.shape[1]):
            std[i, j] = np.exp(log_var[i, j] / two)
            y[i, j] = std[i, j] * noise[i, j] + mean[i, j]  # [ec-ae-muestra]
            total += mean[i, j] * mean[i, j] + std[i, j] * std[i, j] - one - log_var[i, j]
        loss[i] = mean.dtype.type(beta / 2) * total


@kernel
def _sampling_backward(share, dy, mean, std, noise, dmean, dlog_var):
    one, two = dy.dtype.type(1), dy.dtype.type(2)
    for i in range(dy.size):
        dmean[i] = dy[i] + share * mean[i]  # [ec-ae-muestra-gradiente]
        slope = dy[i] * std[i] * noise[i] + share * (std[i] * std[i] - one)
        dlog_var[i] = slope / two  # [ec-ae-muestra-gradiente]


def plain_sampling(mean, log_var, noise, beta, dy):
    r"""La ida y la vuelta, con el ruido a la vista."""
    n, std = len(mean), np.exp(log_var / 2)
    z = mean + std * noise  # [ec-ae-muestra]
    kl = (mean**2 + std**2 - 1 - log_var).sum(axis=1) / 2
    dmean = dy + beta * mean / n  # [ec-ae-muestra-gradiente]
    dlog_var = dy * std * noise / 2  # [ec-ae-muestra-gradiente]
    dlog_var += beta * (std**2 - 1) / (2 * n)  # [ec-ae-muestra-gradiente]
    return z, beta * kl, dmean, dlog_var
