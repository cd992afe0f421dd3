r"""El descenso de gradiente estocástico, con inercia y con la mirada de Nesterov."""

from chapters.mlp.optimizers.base import Optimizer
from dlbook import check
from dlbook.attributes import Checked
from dlbook.numeric.kernel import kernel


class SGD(Optimizer):
    r"""Descenso de gradiente estocástico (*stochastic gradient descent*), con o sin inercia.

    El gradiente apunta hacia donde la pérdida crece más. Camina hacia el otro lado: :item:`MLP-34, MLP-46`

    .. math::
       :label: ec-mlp-sgd

       \boldsymbol\theta \leftarrow \boldsymbol\theta - \eta\,\mathbf g .

    Lo de *estocástico* es porque :math:`\mathbf g` suele ser el de un lote al azar, :eq:`ec-mlp-descenso-lotes`; al
    optimizador le da lo mismo de dónde venga.

    **La tasa.** En :math:`f(\theta)=\theta^2` el paso es :math:`\theta\leftarrow\theta-2\eta\theta=(1-2\eta)\theta`.
    Converge si :math:`|1-2\eta|<1`, es decir, si :math:`0<\eta<1`. Con :math:`\eta` pequeña llega despacio; arriba de
    :math:`\tfrac12` salta de un lado al otro; en 1 salta sin acercarse, y de ahí en adelante se aleja. :item:`OPT-24`

    **Inercia** (*momentum*). En un barranco largo, cuesta abajo queda sobre todo hacia la pared de enfrente, y el
    descenso rebota de lado a lado casi sin avanzar. Démosle masa a la bola: que conserve una fracción :math:`\mu` de su
    velocidad :cite:p:`polyak1964`.

    .. math::
       :label: ec-mlp-inercia

       \mathbf v \leftarrow \mu\mathbf v - \eta\,\mathbf g,
       \qquad
       \boldsymbol\theta \leftarrow \boldsymbol\theta + \mathbf v .

    Los tirones de lado cambian de signo y se cancelan en parte; el empuje del fondo del barranco se repite y se
    acumula. ¿Hasta cuánto? Si :math:`\mathbf g` no cambiara, la velocidad se estabilizaría donde
    :math:`\mathbf v=\mu\mathbf v-\eta\mathbf g`, o sea en :math:`-\frac{\eta}{1-\mu}\mathbf g`: con :math:`\mu=0.9`,
    diez veces el paso sin inercia. :item:`OPT-17`

    **Nesterov.** Si ya sabemos que la inercia nos llevará a :math:`\boldsymbol\theta+\mu\mathbf v`, midamos la
    pendiente ahí y no donde estamos; así se frena antes de pasarse :cite:p:`nesterov1983,sutskever2013`. La prima
    marca lo que queda después del paso:

    .. math::
       :label: ed-mlp-nesterov

       \mathbf v' = \mu\mathbf v - \eta\,\nabla J(\boldsymbol\theta+\mu\mathbf v),
       \qquad
       \boldsymbol\theta' = \boldsymbol\theta+\mathbf v' .

    Una red calcula el gradiente donde están sus pesos, no en otro lado. Entonces guardemos como pesos el punto
    adelantado, :math:`\boldsymbol\vartheta=\boldsymbol\theta+\mu\mathbf v`, y veamos cómo se mueve:

    .. math::

       \boldsymbol\vartheta' = \boldsymbol\theta'+\mu\mathbf v'
       = \boldsymbol\theta+\mathbf v'+\mu\mathbf v'
       = (\boldsymbol\vartheta-\mu\mathbf v) + (\mu\mathbf v-\eta\,\mathbf g) + \mu\mathbf v' .

    Los dos :math:`\mu\mathbf v` se cancelan, y queda la forma de Keras, donde :math:`\mathbf g` ya es el gradiente en
    los pesos guardados: :item:`OPT-18`

    .. math::
       :label: ec-mlp-nesterov

       \boldsymbol\vartheta \leftarrow \boldsymbol\vartheta + \mu\mathbf v' - \eta\,\mathbf g .

    **A mano.** En :math:`x^2+y^2`, desde :math:`(1,2)`, donde el gradiente es :math:`(2,4)`, y con :math:`\eta=0.1`:

    >>> import numpy as np
    >>> from chapters.mlp.optimizers import SGD
    >>> theta = np.array([1.0, 2.0])
    >>> SGD(0.1).step(theta, 2 * theta)
    >>> theta
    array([0.8, 1.6])

    Veinte pasos desde 1 con tres tasas. El factor :math:`1-2\eta` es 0.98, 0.2 y −1.2:

    >>> def descend(optimizer, steps):
    ...     theta = np.array([1.0])
    ...     for _ in range(steps):
    ...         optimizer.step(theta, 2 * theta)
    ...     return float(theta[0])
    >>> [f"{descend(SGD(rate), 20):.1g}" for rate in (0.01, 0.4, 1.1)]
    ['0.7', '1e-14', '4e+01']

    Con inercia, :math:`v=-0.2` y luego :math:`v=0.9(-0.2)-0.1\cdot1.6=-0.34`: de 0.8 a 0.46.

    >>> [round(descend(SGD(0.1, momentum=0.9), t), 4) for t in (1, 2)]
    [0.8, 0.46]

    Con Nesterov, la forma :eq:`ed-mlp-nesterov` da 0.8 y 0.496. Los pesos de Keras son los puntos adelantados,
    :math:`0.8+0.9(-0.2)=0.62` y :math:`0.496+0.9(-0.304)=0.2224`:

    >>> theta, v = 1.0, 0.0
    >>> for _ in range(2):
    ...     v = 0.9 * v - 0.1 * 2 * (theta + 0.9 * v)
    ...     theta += v
    ...     print(round(theta, 4), round(theta + 0.9 * v, 4))
    0.8 0.62
    0.496 0.2224
    >>> [
    ...     round(descend(SGD(0.1, momentum=0.9, nesterov=True), t), 4)
    ...     for t in (1, 2)
    ... ]
    [0.62, 0.2224]

    Parameters
    ----------
    learning_rate : float or LearningRateSchedule
        La tasa :math:`\eta`.
    momentum : float
        La fracción :math:`\mu` de la velocidad que se conserva, entre 0 y 1.
    nesterov : bool
        Si la pendiente se mide en el punto adelantado.
    weight_decay, clipnorm, clipvalue, global_clipnorm, **options
        Como en :class:`Optimizer`.
    """

    momentum = Checked(check.number, 0, 1)
    nesterov = Checked(check.boolean)

    def __init__(
        self,
        learning_rate=0.01,
        momentum=0.0,
        nesterov=False,
        weight_decay=None,
        clipnorm=None,
        clipvalue=None,
        global_clipnorm=None,
        **options,
    ):
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, **options)
        self.momentum, self.nesterov = momentum, nesterov

    def _slots(self):
        return {"momentum": 0.0} if self.momentum else {}

    def _update(self, theta, gradient, state, rate):
        if not self.momentum:
            _sgd(theta, gradient, rate)
        elif self.nesterov:
            _nesterov(theta, gradient, state["momentum"], rate, self.momentum)
        else:
            _momentum(theta, gradient, state["momentum"], rate, self.momentum)


def plain_sgd(theta, gradient, v, learning_rate, momentum, nesterov):
    r"""Un paso; da los pesos y la velocidad."""
    step = -learning_rate * gradient  # [ec-mlp-sgd]
    v = momentum * v + step  # [ec-mlp-inercia]
    if nesterov:
        return theta + momentum * v + step, v  # [ec-mlp-nesterov]
    return theta + v, v  # [ec-mlp-inercia]


@kernel
def _sgd(theta, gradient, rate):
    eta = theta.dtype.type(rate)
    for i in range(theta.size):
        theta[i] -= eta * gradient[i]  # [ec-mlp-sgd]


@kernel
def _momentum(theta, gradient, v, rate, momentum):
    eta, mu = theta.dtype.type(rate), theta.dtype.type(momentum)
    for i in range(theta.size):
        v[i] = mu * v[i] - eta * gradient[i]  # [ec-mlp-inercia]
        theta[i] += v[i]


@kernel
def _nesterov(theta, gradient, v, rate, momentum):
    eta, mu = theta.dtype.type(rate), theta.dtype.type(momentum)
    for i in range(theta.size):
        v[i] = mu * v[i] - eta * gradient[i]
        theta[i] += mu * v[i] - eta * gradient[i]  # [ec-mlp-nesterov]
