r"""Adam con el mayor gradiente en vez de la media de los cuadrados."""

import numpy as np

from chapters.mlp.optimizers.base import Optimizer
from dlbook import check
from dlbook.attributes import Checked
from dlbook.numeric.kernel import kernel


class Adamax(Optimizer):
    r"""Adam con la norma del máximo (Adamax).

    Adam divide entre una media cuadrática, donde un gradiente enorme pesa por su cuadrado. :cite:t:`kingma2015`
    proponen, en el mismo artículo, dividir entre el mayor gradiente reciente, que se va olvidando a razón de
    :math:`\beta_2`. Desde el primer paso mide lo que el gradiente, así que solo hay que corregir :math:`m`, que es la
    de :eq:`ec-mlp-adam-momentos`:

    .. math::
       :label: ec-mlp-adamax

       \begin{gathered}
       u_i \leftarrow \max\bigl(\beta_2 u_i,\ |g_i|\bigr),
       \\
       \theta_i \leftarrow \theta_i - \frac{\eta}{1-\beta_1^{\,t}}\,\frac{m_i}{u_i+\epsilon} .
       \end{gathered}

    **El tope.** El gradiente de hace :math:`k` pasos mide a lo sumo :math:`u/\beta_2^{\,k}`. Suma todos con los pesos
    con que entran en :math:`m`: si :math:`\beta_1<\beta_2`,

    .. math::
       :label: ed-mlp-adamax-cota

       |m| \leq (1-\beta_1)\sum_k \Bigl(\frac{\beta_1}{\beta_2}\Bigr)^{k} u
       < \frac{1-\beta_1}{1-\beta_1/\beta_2}\,u .

    Corregir :math:`m` no la aumenta. Con :math:`t` pasos la suma llega solo a :math:`1-(\beta_1/\beta_2)^t` de la
    entera, y corregir es dividir entre :math:`1-\beta_1^t`, que no es menor: :math:`\beta_1/\beta_2>\beta_1`. Con los
    valores de Keras el paso no pasa de :math:`1.01\,\eta`; en :class:`Adam` puede llegar a siete veces :math:`\eta`,
    :eq:`ed-mlp-adam-cota`.

    **A mano.** En :math:`f(\theta)=\theta^2` desde 1, con :math:`\eta=0.1`. Primero :math:`m=0.2`, :math:`u=2` y el
    paso es :math:`\frac{0.1}{0.1}\cdot\frac{0.2}2=0.1`. Después :math:`g=1.8`, :math:`m=0.36` y
    :math:`u=0.999\cdot2`:

    >>> import numpy as np
    >>> from chapters.mlp.optimizers import Adamax
    >>> theta, optimizer = np.array([1.0]), Adamax(learning_rate=0.1)
    >>> for _ in range(2):
    ...     optimizer.step(theta, 2 * theta)
    ...     print(theta.round(5))
    [0.9]
    [0.80517]
    >>> round(0.9 - 0.1 / 0.19 * 0.36 / 1.998, 5)
    0.80517

    La cota, y unos gradientes que bajan de :math:`\beta_2` en :math:`\beta_2`, que se acercan a ella:

    >>> round(0.1 / (1 - 0.9 / 0.999), 4)
    1.0091
    >>> theta, optimizer = np.array([0.0]), Adamax(learning_rate=1.0)
    >>> for gradient in 0.999 ** np.arange(200):
    ...     before = theta.copy()
    ...     optimizer.step(theta, np.array([gradient]))
    >>> abs(theta - before).round(4)
    array([1.0091])

    Parameters
    ----------
    learning_rate, beta_1, beta_2, epsilon
        Como en :class:`Adam`.
    weight_decay, clipnorm, clipvalue, global_clipnorm, **options
        Como en :class:`Optimizer`.
    """

    beta_1 = Checked(check.number, 0, 1, open_high=True)
    beta_2 = Checked(check.number, 0, 1, open_high=True)
    epsilon = Checked(check.number, 0, open_low=True)

    def __init__(
        self,
        learning_rate=0.001,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-7,
        weight_decay=None,
        clipnorm=None,
        clipvalue=None,
        global_clipnorm=None,
        **options,
    ):
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, **options)
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon

    def _slots(self):
        return {"momentum": 0.0, "norm": 0.0}

    def _update(self, theta, gradient, state, rate):
        rate /= 1 - self.beta_1 ** (self.iterations + 1)
        m, u = state["momentum"], state["norm"]
        _adamax(theta, gradient, m, u, rate, 1 - self.beta_1, self.beta_2, self.epsilon)


def plain_adamax(
    theta,
    gradient,
    m,
    u,
    t,
    learning_rate,
    beta_1,
    beta_2,
    epsilon,
):
    r"""El paso número ``t``, desde 1; da los pesos, la media y el máximo."""
    m = m + (1 - beta_1) * (gradient - m)  # [ec-mlp-adam-momentos]
    u = np.maximum(beta_2 * u, np.abs(gradient))  # [ec-mlp-adamax]
    rate = learning_rate / (1 - beta_1**t)  # [ec-mlp-adamax]
    return theta - rate * m / (u + epsilon), m, u  # [ec-mlp-adamax]


@kernel(error_model="numpy")
def _adamax(theta, gradient, m, u, rate, new, keep, epsilon):
    real = theta.dtype.type
    eta, take, keep, eps = real(rate), real(new), real(keep), real(epsilon)
    for i in range(theta.size):
        g = gradient[i]
        m[i] += take * (g - m[i])
        u[i] = max(keep * u[i], abs(g))  # [ec-mlp-adamax]
        theta[i] -= eta * m[i] / (u[i] + eps)  # [ec-mlp-adamax]
