r"""Una tasa de aprendizaje para cada peso."""

import numpy as np
from numba import njit

from chapters.mlp.optimizers.base import Optimizer
from dlbook import check
from dlbook.attributes import Checked


class Adagrad(Optimizer):
    r"""Gradiente adaptable (*adaptive gradient*, Adagrad): una tasa de aprendizaje para cada peso.

    Imagina que una entrada de la red vale casi siempre cero, como la columna de una palabra rara. Su peso recibe
    gradiente una vez cada mil ejemplos, y con la misma tasa que los demás aprende mil veces más despacio.
    :cite:t:`duchi2011` proponen que cada peso lleve la cuenta de cuánto se le ha corregido ya, y que su paso se divida
    entre eso:
    :item:`OPT-19, OPT-30`

    .. math::
       :label: ec-mlp-adagrad

       \begin{gathered}
       a_i \leftarrow a_i + g_i^2,
       \\
       \theta_i \leftarrow \theta_i - \eta\,\frac{g_i}{\sqrt{a_i+\epsilon}} .
       \end{gathered}

    **Por qué la raíz de los cuadrados.** Multiplica la pérdida por diez: todos los gradientes se multiplican por diez,
    :math:`\sqrt{a_i}` también, y el cociente no se entera. El paso no depende de las unidades de la pérdida, ni de las
    de cada entrada.

    **El precio.** La cuenta solo crece. Si el gradiente vale siempre :math:`g`, tras :math:`t` pasos
    :math:`a\approx tg^2` y el paso mide :math:`\eta/\sqrt t`: la tasa baja sola, aunque no convenga, y puede apagarse
    antes de llegar. De ahí nacen :class:`RMSprop` y :class:`Adadelta`.

    **A mano.** Con :math:`a_0=0.1`, :math:`\eta=1` y un gradiente que vale siempre 2: tras el primer paso
    :math:`a=4.1` y tras el segundo :math:`a=8.1`.

    >>> import numpy as np
    >>> from chapters.mlp.optimizers import Adagrad
    >>> theta, optimizer = np.array([0.0]), Adagrad(learning_rate=1.0)
    >>> for _ in range(2):
    ...     optimizer.step(theta, np.array([2.0]))
    ...     print(optimizer.state["accumulator"].round(4), theta.round(4))
    [4.1] [-0.9877]
    [8.1] [-1.6905]
    >>> round(2 / 4.1**0.5, 4), round(2 / 4.1**0.5 + 2 / 8.1**0.5, 4)
    (0.9877, 1.6905)

    Parameters
    ----------
    learning_rate : float or LearningRateSchedule
        La tasa :math:`\eta`. La de Keras, 0.001, suele quedarse corta con este método, que la reduce solo.
    initial_accumulator_value : float
        El valor de :math:`a` antes del primer paso, cero o más.
    epsilon : float
        El número :math:`\epsilon`, positivo, que evita dividir entre cero.
    weight_decay, clipnorm, clipvalue, global_clipnorm, **options
        Como en :class:`Optimizer`.
    """

    initial_accumulator_value = Checked(check.number, 0)
    epsilon = Checked(check.number, 0, open_low=True)

    def __init__(
        self,
        learning_rate=0.001,
        initial_accumulator_value=0.1,
        epsilon=1e-7,
        weight_decay=None,
        clipnorm=None,
        clipvalue=None,
        global_clipnorm=None,
        **options,
    ):
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, **options)
        self.initial_accumulator_value, self.epsilon = initial_accumulator_value, epsilon

    def _slots(self):
        return {"accumulator": self.initial_accumulator_value}

    def _update(self, theta, gradient, rate):
        _adagrad(theta, gradient, self.state["accumulator"], rate, self.epsilon)


@njit(cache=True, nogil=True, error_model="numpy")
def _adagrad(theta, gradient, a, rate, epsilon):
    real = theta.dtype.type
    eta, eps = real(rate), real(epsilon)
    for i in range(theta.size):
        g = gradient[i]
        a[i] += g * g
        theta[i] -= eta * g / np.sqrt(a[i] + eps)  # [ec-mlp-adagrad]
