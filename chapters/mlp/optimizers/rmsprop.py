r"""Adagrad con mala memoria."""

import numpy as np

from chapters.mlp.optimizers.base import Optimizer
from dlbook import check
from dlbook.attributes import Checked
from dlbook.numeric.kernel import kernel


class RMSprop(Optimizer):
    r"""Raíz de la media de los cuadrados (*root mean square propagation*, RMSprop): Adagrad que olvida.

    Adagrad suma todos los cuadrados desde el principio de los tiempos. Cambiemos la suma por una media que se renueva:
    en cada paso conserva una fracción :math:`\rho` de lo viejo y toma el resto de lo nuevo.

    .. math::
       :label: ec-mlp-rmsprop

       \begin{gathered}
       v_i \leftarrow \rho\,v_i + (1-\rho)\,g_i^2,
       \\
       \theta_i \leftarrow \theta_i - \eta\,\frac{g_i}{\sqrt{v_i+\epsilon}} .
       \end{gathered}

    Lo propuso Geoffrey Hinton en su curso, sin artículo :cite:p:`tieleman2012`. :item:`OPT-22`

    **Cuánto recuerda.** Al desenrollar la media, el cuadrado de hace :math:`k` pasos pesa :math:`(1-\rho)\rho^k`. Con
    :math:`\rho=0.9`, a los diez pasos ya pesa la tercera parte. La tasa no se apaga: si el gradiente vale siempre
    :math:`g`, :math:`v` tiende a :math:`g^2` y el paso, a :math:`\eta`.

    **El paso más largo.** Como :math:`v` incluye al gradiente de ahora, :math:`v\geq(1-\rho)g^2`, y el paso mide a lo
    sumo :math:`\eta/\sqrt{1-\rho}`. Con :math:`\rho=0.9` son :math:`3.16\,\eta`. Eso mide el primero, porque :math:`v`
    parte de cero, con cualquier gradiente junto al que :math:`\epsilon` no cuente. Adam corrige ese sesgo del arranque.

    **Centrada.** Si un gradiente es grande pero constante, no es ruido y no hay por qué frenarlo. Con ``centered=True``
    se divide entre la desviación estándar en vez de la media cuadrática, porque
    :math:`\operatorname{Var}(g)=E[g^2]-E[g]^2`:

    .. math::
       :label: ec-mlp-rmsprop-centrada

       \begin{gathered}
       u_i \leftarrow \rho\,u_i + (1-\rho)\,g_i,
       \\
       \theta_i \leftarrow \theta_i - \eta\,\frac{g_i}{\sqrt{v_i-u_i^2+\epsilon}} .
       \end{gathered}

    Se paga perdiendo el tope: si el gradiente no cambia, la desviación tiende a cero, y el paso crece hasta que lo
    frena :math:`\epsilon`.

    **Con inercia**, el paso se acumula como en :class:`SGD`: :math:`m_i\leftarrow\mu m_i+\text{paso}_i` y
    :math:`\theta_i\leftarrow\theta_i-m_i`.

    **A mano.** El primer paso no depende del tamaño del gradiente:

    >>> import numpy as np
    >>> from chapters.mlp.optimizers import RMSprop
    >>> theta = np.array([0.0, 0.0])
    >>> optimizer = RMSprop(learning_rate=0.1)
    >>> optimizer.step(theta, np.array([2.0, 200.0]))
    >>> theta.round(4), round(0.1 / 0.1**0.5, 4)
    (array([-0.3162, -0.3162]), 0.3162)

    En el segundo, :math:`v=0.9\cdot0.4+0.1\cdot4=0.76` y el paso es :math:`0.1\cdot2/\sqrt{0.76}=0.2294`:

    >>> optimizer.step(theta, np.array([2.0, 200.0]))
    >>> theta.round(4)
    array([-0.5456, -0.5456])

    Parameters
    ----------
    learning_rate : float or LearningRateSchedule
        La tasa :math:`\eta`.
    rho : float
        La fracción :math:`\rho` que se conserva, de 0 a menos de 1.
    momentum : float
        La inercia :math:`\mu`, de 0 a menos de 1.
    epsilon : float
        El número :math:`\epsilon`, positivo, que evita dividir entre cero.
    centered : bool
        Si se divide entre la desviación estándar.
    weight_decay, clipnorm, clipvalue, global_clipnorm, **options
        Como en :class:`Optimizer`.
    """

    rho = Checked(check.number, 0, 1, open_high=True)
    momentum = Checked(check.number, 0, 1, open_high=True)
    epsilon = Checked(check.number, 0, open_low=True)
    centered = Checked(check.boolean)

    def __init__(
        self,
        learning_rate=0.001,
        rho=0.9,
        momentum=0.0,
        epsilon=1e-7,
        centered=False,
        weight_decay=None,
        clipnorm=None,
        clipvalue=None,
        global_clipnorm=None,
        **options,
    ):
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, **options)
        self.rho, self.momentum, self.epsilon, self.centered = rho, momentum, epsilon, centered

    def _slots(self):
        slots = {"velocity": 0.0}
        if self.momentum:
            slots["momentum"] = 0.0
        if self.centered:
            slots["average_gradient"] = 0.0
        return slots

    def _update(self, theta, gradient, state, rate):
        # Los vectores que no se usan van vacíos.
        slots, unused = self._slots(), theta[:0]
        names = "velocity", "momentum", "average_gradient"
        v, m, u = (state[name] if name in slots else unused for name in names)
        _rmsprop(theta, gradient, v, m, u, rate, self.rho, self.momentum, self.epsilon)


def plain_rmsprop(theta, gradient, v, learning_rate, rho, epsilon):
    r"""Un paso, sin centrar y sin inercia; da los pesos y la media."""
    v = rho * v + (1 - rho) * gradient**2  # [ec-mlp-rmsprop]
    move = gradient / np.sqrt(v + epsilon)
    return theta - learning_rate * move, v  # [ec-mlp-rmsprop]


@kernel(error_model="numpy")
def _rmsprop(theta, gradient, v, m, u, rate, rho, momentum, epsilon):
    real = theta.dtype.type
    eta, keep, take, mu, eps = real(rate), real(rho), real(1 - rho), real(momentum), real(epsilon)
    centered, heavy = u.size > 0, m.size > 0
    for i in range(theta.size):
        g = gradient[i]
        v[i] = keep * v[i] + take * g * g
        spread = v[i]
        if centered:
            u[i] = keep * u[i] + take * g
            spread -= u[i] * u[i]  # [ec-mlp-rmsprop-centrada]
        move = eta * g / np.sqrt(spread + eps)  # [ec-mlp-rmsprop]
        if heavy:
            m[i] = mu * m[i] + move
            move = m[i]
        theta[i] -= move
