r"""Solo el signo."""

import numpy as np

from chapters.mlp.optimizers.base import Optimizer
from dlbook import check
from dlbook.attributes import Checked
from dlbook.numeric.kernel import kernel


class Lion(Optimizer):
    r"""Inercia de la que solo cuenta el signo (*evolved sign momentum*, Lion).

    En Adam, si el gradiente se repite, el paso mide :math:`\eta`. ¿Y si midiera eso con cualquier gradiente?
    :cite:t:`chen2023`, tras una búsqueda automática entre muchas fórmulas, se quedan con el signo de una mezcla del
    gradiente y de su media, que aquí se renueva después, y más despacio:

    .. math::
       :label: ec-mlp-lion

       \begin{gathered}
       \theta_i \leftarrow \theta_i - \eta\operatorname{signo}\bigl(\beta_1 m_i+(1-\beta_1)g_i\bigr),
       \\
       m_i \leftarrow \beta_2 m_i + (1-\beta_2)\,g_i .
       \end{gathered}

    Recuerda un número por peso, la mitad que Adam. Como ningún paso es corto, sus autores aconsejan una tasa de tres a
    diez veces menor.

    **A mano.** Con gradientes 5, −0.1 y −5 y :math:`\eta=0.1`. Tras el primero :math:`m=0.05`. El segundo no alcanza a
    cambiar el signo, :math:`0.9\cdot0.05-0.1\cdot0.1>0`; el tercero sí:

    >>> import numpy as np
    >>> from chapters.mlp.optimizers import Lion
    >>> theta, optimizer = np.array([1.0]), Lion(learning_rate=0.1)
    >>> for gradient in (5.0, -0.1, -5.0):
    ...     optimizer.step(theta, np.array([gradient]))
    ...     print(theta.round(4), optimizer.state["momentum"].round(5))
    [0.9] [0.05]
    [0.8] [0.0485]
    [0.9] [-0.00199]

    Parameters
    ----------
    learning_rate : float or LearningRateSchedule
        La tasa :math:`\eta`, que es también lo que mide cada paso.
    beta_1 : float
        Cuánto pesa lo viejo en el paso, mayor que 0 y de a lo sumo 1.
    beta_2 : float
        Cuánto se conserva de la media, de 0 a 1.
    weight_decay, clipnorm, clipvalue, global_clipnorm, **options
        Como en :class:`Optimizer`.
    """

    beta_1 = Checked(check.number, 0, 1, open_low=True)
    beta_2 = Checked(check.number, 0, 1)

    def __init__(
        self,
        learning_rate=0.001,
        beta_1=0.9,
        beta_2=0.99,
        weight_decay=None,
        clipnorm=None,
        clipvalue=None,
        global_clipnorm=None,
        **options,
    ):
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, **options)
        self.beta_1, self.beta_2 = beta_1, beta_2

    def _slots(self):
        return {"momentum": 0.0}

    def _update(self, theta, gradient, state, rate):
        _lion(theta, gradient, state["momentum"], rate, self.beta_1, self.beta_2)


def plain_lion(theta, gradient, m, learning_rate, beta_1, beta_2):
    r"""Un paso; da los pesos y la media."""
    mixed = beta_1 * m + (1 - beta_1) * gradient
    theta = theta - learning_rate * np.sign(mixed)  # [ec-mlp-lion]
    return theta, beta_2 * m + (1 - beta_2) * gradient  # [ec-mlp-lion]


@kernel
def _lion(theta, gradient, m, rate, beta_1, beta_2):
    real = theta.dtype.type
    eta, keep_1, take_1 = real(rate), real(beta_1), real(1 - beta_1)
    keep_2, take_2 = real(beta_2), real(1 - beta_2)
    for i in range(theta.size):
        g = gradient[i]
        theta[i] -= eta * np.sign(keep_1 * m[i] + take_1 * g)  # [ec-mlp-lion]
        m[i] = keep_2 * m[i] + take_2 * g  # [ec-mlp-lion]
