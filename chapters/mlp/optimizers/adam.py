r"""El optimizador de uso diario, y su variante con encogimiento aparte."""

import math

import numpy as np

from chapters.mlp.optimizers.base import Optimizer
from dlbook import check
from dlbook.attributes import Checked
from dlbook.numeric.kernel import kernel


class Adam(Optimizer):
    r"""Momentos adaptables (*adaptive moments*, Adam): inercia, una tasa por peso y una corrección.

    :cite:t:`kingma2015` juntan dos ideas. De la inercia toman una media del gradiente; de RMSprop, una media de sus
    cuadrados: :item:`OPT-21, OPT-28`

    .. math::
       :label: ec-mlp-adam-momentos

       \begin{gathered}
       m_i \leftarrow m_i + (1-\beta_1)(g_i-m_i),\\
       v_i \leftarrow v_i + (1-\beta_2)(g_i^2-v_i) .
       \end{gathered}

    Cada una es «lo viejo por :math:`\beta` más lo nuevo por :math:`1-\beta`», escrito como un acercamiento a lo nuevo.

    **El sesgo del arranque.** Las dos parten de cero, y al principio se quedan cortas. ¿Cuánto? Desenrolla la primera
    tras :math:`t` pasos:

    .. math::

       m^{(t)} = (1-\beta_1)\,g^{(t)} + \beta_1 m^{(t-1)}
       = (1-\beta_1)\sum_{k=0}^{t-1}\beta_1^{\,k}\,g^{(t-k)} .

    Si los gradientes tienen todos la misma media :math:`E[g]`, sale de la suma, y lo que queda es una progresión
    geométrica:

    .. math::
       :label: ed-mlp-adam-sesgo

       E\bigl[m^{(t)}\bigr] = E[g]\,(1-\beta_1)\,\frac{1-\beta_1^{\,t}}{1-\beta_1} = E[g]\,\bigl(1-\beta_1^{\,t}\bigr) .

    Le falta justo ese factor. Dividamos entre él, y lo mismo con :math:`v`: :math:`\hat m=m/(1-\beta_1^{\,t})` y
    :math:`\hat v=v/(1-\beta_2^{\,t})`. Con :math:`\beta_2=0.999` no es un detalle: en el primer paso :math:`v` se queda
    mil veces corta, y sin corregir esa media el paso saldría unas treinta veces mayor.

    **El paso** es :math:`\eta\,\hat m/\sqrt{\hat v}`. Las dos correcciones no dependen del peso, así que se juntan en
    una tasa que se calcula una vez:

    .. math::
       :label: ec-mlp-adam-tasa

       \eta_t = \eta\,\frac{\sqrt{1-\beta_2^{\,t}}}{1-\beta_1^{\,t}},

    .. math::
       :label: ec-mlp-adam

       \theta_i \leftarrow \theta_i - \eta_t\,\frac{m_i}{\sqrt{v_i}+\epsilon} .

    **Qué tan grande es un paso.** El cociente :math:`|\hat m|/\sqrt{\hat v}` compara la media del gradiente con su
    media cuadrática, y multiplicar la pérdida por mil no lo cambia. Si el gradiente se repite vale 1, y el paso mide
    :math:`\eta`; si cambia de signo a cada paso, vale mucho menos. Por eso 0.001 suele servir para empezar.

    Pero :math:`\eta` **no es un tope**: las dos medias no olvidan al mismo ritmo. Tras muchos gradientes nulos, uno
    :math:`g` deja :math:`m=(1-\beta_1)g` y :math:`v=(1-\beta_2)g^2`, y el paso mide
    :math:`\eta\,(1-\beta_1)/\sqrt{1-\beta_2}`: con 0.9 y 0.999, :math:`0.1\,\eta/\sqrt{0.001}=3.16\,\eta`. El artículo
    (§ 2.1) da ese número como cota si :math:`1-\beta_1>\sqrt{1-\beta_2}`, que es nuestro caso, y :math:`\eta` si no.
    Tampoco lo es. Para hallar la buena, escribe :math:`m` y :math:`v` con todos los gradientes, y parte cada sumando de
    :math:`m` en dos factores, para que el segundo sea el de :math:`v`:

    .. math::

       m = \sum_k \frac{(1-\beta_1)\,\beta_1^{\,k}}{\sqrt{(1-\beta_2)\,\beta_2^{\,k}}}
       \cdot\sqrt{(1-\beta_2)\,\beta_2^{\,k}}\;g^{(t-k)} .

    El producto punto de dos vectores no pasa del producto de sus largos (es la desigualdad de Cauchy–Schwarz), y el
    largo del segundo es :math:`\sqrt v`. El del primero es una serie geométrica. Si :math:`\beta_1^2<\beta_2`:

    .. math::
       :label: ed-mlp-adam-cota

       \frac{|m|}{\sqrt v}
       < \frac{1-\beta_1}{\sqrt{(1-\beta_2)\,(1-\beta_1^2/\beta_2)}} .

    Con 0.9 y 0.999 son 7.27, y la corrección del sesgo no la aumenta: el factor de :eq:`ec-mlp-adam-tasa` no pasa ahí
    de 1. Tampoco se puede mejorar: tras muchos ceros, unos gradientes que en cada paso se multiplican por
    :math:`\beta_2/\beta_1=1.11` se acercan a ella cuanto se quiera.

    >>> import numpy as np
    >>> from chapters.mlp.optimizers import Adam
    >>> def last_step(*gradients):
    ...     theta, optimizer = np.array([0.0]), Adam(learning_rate=1.0)
    ...     for gradient in gradients:
    ...         before = theta.copy()
    ...         optimizer.step(theta, np.array([gradient]))
    ...     return round(abs(theta - before).item(), 2)
    >>> t = np.arange(1, 20_000)
    >>> bool((np.sqrt(1 - 0.999**t) < 1 - 0.9**t).all())
    True
    >>> zeros = [0.0] * 20_000
    >>> last_step(*[2.0] * 50), last_step(2.0, -2.0, 2.0, -2.0)
    (1.0, 0.05)
    >>> last_step(*zeros, 2.0), last_step(*zeros, *1.11 ** np.arange(60))
    (3.16, 7.27)
    >>> round(0.1 / (0.001 * (1 - 0.9**2 / 0.999)) ** 0.5, 2)
    7.27

    **AMSGrad.** La media :math:`v` olvida, y con ella olvida los gradientes grandes y escasos, que a veces son los que
    importaban. Con ``amsgrad=True`` se divide entre la mayor que ha habido :cite:p:`reddi2018`, y lo que divide ya no
    vuelve a bajar:

    .. math::
       :label: ec-mlp-amsgrad

       \hat v_i \leftarrow \max(\hat v_i, v_i),
       \qquad
       \theta_i \leftarrow \theta_i - \eta_t\,\frac{m_i}{\sqrt{\hat v_i}+\epsilon} .

    **A mano.** En :math:`f(\theta)=\theta^2` desde 1, con :math:`\eta=0.1`. Primer paso: :math:`g=2`, :math:`m=0.2`,
    :math:`v=0.004` y :math:`\eta_1=0.1\sqrt{0.001}/0.1=0.0316`. El paso es :math:`0.0316\cdot0.2/0.0632=0.1`, o sea
    :math:`\eta`:

    >>> theta, optimizer = np.array([1.0]), Adam(learning_rate=0.1)
    >>> optimizer.step(theta, 2 * theta)
    >>> theta.round(6)
    array([0.9])

    Segundo: :math:`g=1.8`, :math:`m=0.2+0.1(1.8-0.2)=0.36`, :math:`v=0.004+0.001(3.24-0.004)=0.007236`,
    :math:`\eta_2=0.1\sqrt{1-0.999^2}/(1-0.9^2)`:

    >>> rate = 0.1 * (1 - 0.999**2) ** 0.5 / (1 - 0.9**2)
    >>> optimizer.step(theta, 2 * theta)
    >>> theta.round(5), round(0.9 - rate * 0.36 / 0.007236**0.5, 5)
    (array([0.80041]), 0.80041)

    Parameters
    ----------
    learning_rate : float or LearningRateSchedule
        La tasa :math:`\eta`.
    beta_1, beta_2 : float
        Lo que se conserva de cada media, de 0 a menos de 1.
    epsilon : float
        El número :math:`\epsilon`, positivo. Es el que el artículo llama :math:`\hat\epsilon`: se suma antes de
        corregir.
    amsgrad : bool
        Si se divide entre la mayor media que ha habido.
    weight_decay, clipnorm, clipvalue, global_clipnorm, **options
        Como en :class:`Optimizer`.
    """

    beta_1 = Checked(check.number, 0, 1, open_high=True)
    beta_2 = Checked(check.number, 0, 1, open_high=True)
    epsilon = Checked(check.number, 0, open_low=True)
    amsgrad = Checked(check.boolean)

    def __init__(
        self,
        learning_rate=0.001,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-7,
        amsgrad=False,
        weight_decay=None,
        clipnorm=None,
        clipvalue=None,
        global_clipnorm=None,
        **options,
    ):
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, **options)
        self.beta_1, self.beta_2, self.epsilon, self.amsgrad = beta_1, beta_2, epsilon, amsgrad

    def _slots(self):
        slots = {"momentum": 0.0, "velocity": 0.0}
        return slots | {"velocity_hat": 0.0} if self.amsgrad else slots

    def _update(self, theta, gradient, state, rate):
        t = self.iterations + 1
        rate *= math.sqrt(1 - self.beta_2**t) / (1 - self.beta_1**t)  # [ec-mlp-adam-tasa]
        m, v = state["momentum"], state["velocity"]
        if self.amsgrad:
            top = state["velocity_hat"]
            _amsgrad(theta, gradient, m, v, top, rate, 1 - self.beta_1, 1 - self.beta_2, self.epsilon)
        else:
            _adam(theta, gradient, m, v, rate, 1 - self.beta_1, 1 - self.beta_2, self.epsilon)


def plain_adam(
    theta,
    gradient,
    m,
    v,
    t,
    learning_rate,
    beta_1,
    beta_2,
    epsilon,
):
    r"""El paso número ``t``, desde 1; da los pesos y las dos medias."""
    m = m + (1 - beta_1) * (gradient - m)  # [ec-mlp-adam-momentos]
    v = v + (1 - beta_2) * (gradient**2 - v)  # [ec-mlp-adam-momentos]
    lack_1, lack_2 = 1 - beta_1**t, 1 - beta_2**t
    rate = learning_rate * np.sqrt(lack_2) / lack_1  # [ec-mlp-adam-tasa]
    return theta - rate * m / (np.sqrt(v) + epsilon), m, v  # [ec-mlp-adam]


@kernel(error_model="numpy")
def _adam(theta, gradient, m, v, rate, new_1, new_2, epsilon):
    # La tasa ya corregida y las fracciones de lo nuevo, 1 - β₁ y 1 - β₂.
    real = theta.dtype.type
    eta, take_1, take_2, eps = real(rate), real(new_1), real(new_2), real(epsilon)
    for i in range(theta.size):
        g = gradient[i]
        m[i] += take_1 * (g - m[i])  # [ec-mlp-adam-momentos]
        v[i] += take_2 * (g * g - v[i])  # [ec-mlp-adam-momentos]
        theta[i] -= eta * m[i] / (np.sqrt(v[i]) + eps)  # [ec-mlp-adam]


@kernel(error_model="numpy")
def _amsgrad(theta, gradient, m, v, top, rate, new_1, new_2, epsilon):
    real = theta.dtype.type
    eta, take_1, take_2, eps = real(rate), real(new_1), real(new_2), real(epsilon)
    for i in range(theta.size):
        g = gradient[i]
        m[i] += take_1 * (g - m[i])
        v[i] += take_2 * (g * g - v[i])
        top[i] = max(top[i], v[i])  # [ec-mlp-amsgrad]
        theta[i] -= eta * m[i] / (np.sqrt(top[i]) + eps)


class AdamW(Adam):
    r"""Adam con los pesos encogidos aparte (*decoupled weight decay*).

    Hay dos maneras de pedir pesos pequeños. Una es sumar :math:`\tfrac\lambda2\lVert\boldsymbol\theta\rVert^2` a la
    pérdida: su gradiente agrega :math:`\lambda\boldsymbol\theta`. La otra es restarle a cada peso, en cada paso, una
    fracción de sí mismo, :eq:`ec-mlp-encoger`. En el descenso simple son la misma:

    .. math::
       :label: ed-mlp-encoger-sgd

       \boldsymbol\theta - \eta\,(\mathbf g+\lambda\boldsymbol\theta)
       = (\boldsymbol\theta - \eta\lambda\,\boldsymbol\theta) - \eta\,\mathbf g .

    En Adam no. Lo que entra por el gradiente se divide después entre :math:`\sqrt{v}`, y los pesos de gradientes
    grandes se encogerían menos que los demás. :cite:t:`loshchilov2019` lo dejan fuera: primero se encogen todos por
    igual, y luego viene el paso de Adam.

    **A mano.** Sin gradiente, lo único que actúa es el encogimiento: :math:`1-0.1\cdot0.5=0.95` y
    :math:`0.95^2=0.9025`.

    >>> import numpy as np
    >>> from chapters.mlp.optimizers import AdamW
    >>> theta = np.array([1.0])
    >>> optimizer = AdamW(learning_rate=0.1, weight_decay=0.5)
    >>> for _ in range(2):
    ...     optimizer.step(theta, np.array([0.0]))
    >>> theta
    array([0.9025])

    Parameters
    ----------
    learning_rate : float or LearningRateSchedule
        La tasa :math:`\eta`.
    weight_decay : float
        La fracción :math:`\lambda`.
    beta_1, beta_2, epsilon, amsgrad
        Como en :class:`Adam`.
    clipnorm, clipvalue, global_clipnorm, **options
        Como en :class:`Optimizer`.
    """

    weight_decay = Checked(check.number, 0)

    def __init__(
        self,
        learning_rate=0.001,
        weight_decay=0.004,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-7,
        amsgrad=False,
        clipnorm=None,
        clipvalue=None,
        global_clipnorm=None,
        **options,
    ):
        super().__init__(
            learning_rate,
            beta_1,
            beta_2,
            epsilon,
            amsgrad,
            weight_decay,
            clipnorm,
            clipvalue,
            global_clipnorm,
            **options,
        )
