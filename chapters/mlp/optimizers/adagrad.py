r"""Una tasa de aprendizaje para cada peso."""

import numpy as np

from chapters.mlp.optimizers.base import Optimizer
from dlbook import check
from dlbook.attributes import Checked
from dlbook.numeric.kernel import kernel


class Adagrad(Optimizer):
    r"""Gradiente adaptable (*adaptive gradient*, Adagrad): una tasa de aprendizaje para cada peso.

    Imagina que una entrada de la red vale casi siempre cero, como la columna de una palabra rara. Su peso recibe
    gradiente una vez cada mil ejemplos, y con la misma tasa que los demás se mueve mil veces menos a menudo.
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

    **Por qué la raíz de los cuadrados.** Multiplica la pérdida por diez: todos los gradientes se multiplican por diez.
    Si la cuenta parte de cero, :math:`\sqrt{a_i}` también, y el cociente no se entera, salvo por el pequeño
    :math:`\epsilon`: el paso no depende de las unidades de la pérdida. Keras, y este libro, parten de :math:`a_0=0.1`
    para que los primeros pasos no sean tan largos, y entonces sí dependen. Diez gradientes de 0.03 dejan el peso en un
    sitio, y diez de 30, en otro; desde cero, en el mismo:

    >>> import numpy as np
    >>> from chapters.mlp.optimizers import Adagrad
    >>> def after(gradient, start):
    ...     theta = np.array([0.0])
    ...     optimizer = Adagrad(0.1, initial_accumulator_value=start)
    ...     for _ in range(10):
    ...         optimizer.step(theta, np.array([gradient]))
    ...     return round(float(theta[0]), 3)
    >>> [after(gradient, 0.1) for gradient in (0.03, 30.0)]
    [-0.093, -0.502]
    >>> [after(gradient, 0.0) for gradient in (0.03, 30.0)]
    [-0.502, -0.502]

    **El precio.** La cuenta solo crece. Si el gradiente vale siempre :math:`g`, tras :math:`t` pasos
    :math:`a\approx tg^2` y el paso mide :math:`\eta/\sqrt t`: la tasa baja sola, aunque no convenga, y puede quedarse
    corta antes de llegar. De ahí nacen :class:`RMSprop` y :class:`Adadelta`.

    **A mano.** Con :math:`a_0=0.1`, :math:`\eta=1` y un gradiente que vale siempre 2: tras el primer paso
    :math:`a=4.1` y tras el segundo :math:`a=8.1`.

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
        La tasa :math:`\eta`. La de Keras, 0.001, es pequeña para un método que la reduce solo.
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

    def _update(self, theta, gradient, state, rate):
        _adagrad(theta, gradient, state["accumulator"], rate, self.epsilon)


def plain_adagrad(theta, gradient, a, learning_rate, epsilon):
    r"""Un paso; da los pesos y la cuenta."""
    a = a + gradient**2  # [ec-mlp-adagrad]
    move = gradient / np.sqrt(a + epsilon)
    return theta - learning_rate * move, a  # [ec-mlp-adagrad]


@kernel(error_model="numpy")
def _adagrad(theta, gradient, a, rate, epsilon):
    real = theta.dtype.type
    eta, eps = real(rate), real(epsilon)
    for i in range(theta.size):
        g = gradient[i]
        a[i] += g * g
        theta[i] -= eta * g / np.sqrt(a[i] + eps)  # [ec-mlp-adagrad]
