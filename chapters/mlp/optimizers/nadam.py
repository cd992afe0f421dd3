r"""Adam que mira adelante."""

import math

import numpy as np

from chapters.mlp.optimizers.base import Optimizer
from dlbook import check
from dlbook.attributes import Checked
from dlbook.numeric.kernel import kernel


class Nadam(Optimizer):
    r"""Adam con la mirada de Nesterov (*Nesterov-accelerated Adam*, Nadam).

    En :class:`SGD`, Nesterov mide la pendiente en el punto al que la inercia va a llegar. :cite:t:`dozat2016` hace lo
    mismo con Adam: en lugar de la media :math:`m` que hay, usa la que habrá en el paso siguiente si el gradiente se
    repite. La fracción que se conserva, :math:`\mu_t`, empieza en algo más de la mitad de :math:`\beta_1` y sube poco a
    poco hasta él:

    .. math::
       :label: ec-mlp-nadam-fraccion

       \mu_t = \beta_1\bigl(1-\tfrac12\,0.96^{\,t}\bigr),
       \qquad
       P_t = \mu_1\mu_2\cdots\mu_t .

    Las medias son las de Adam, :eq:`ec-mlp-adam-momentos`. Si la primera se llevara con :math:`\mu_t`, como en el
    artículo, le faltaría :math:`1-P_t` en vez de :math:`1-\beta_1^{\,t}`. Keras la lleva con :math:`\beta_1` y la
    corrige de todos modos con :math:`P`; aquí se hace como en Keras:

    .. math::
       :label: ec-mlp-nadam

       \begin{gathered}
       \hat m_i = \frac{\mu_{t+1}\,m_i}{1-P_{t+1}} + \frac{(1-\mu_t)\,g_i}{1-P_t},
       \\
       \theta_i \leftarrow \theta_i - \eta\,\frac{\hat m_i}{\sqrt{v_i/(1-\beta_2^{\,t})}+\epsilon} .
       \end{gathered}

    **A mano.** En :math:`f(\theta)=\theta^2` desde 1, con :math:`\eta=0.1`: :math:`g=2`, :math:`m=0.2` y la raíz del
    denominador vale 2. Como :math:`\mu_1=0.9\cdot0.52=0.468` y :math:`\mu_2=0.9\cdot0.5392=0.48528`,
    :math:`\hat m=0.48528\cdot0.2/(1-0.468\cdot0.48528)+2`:

    >>> import numpy as np
    >>> from chapters.mlp.optimizers import Nadam
    >>> theta, optimizer = np.array([1.0]), Nadam(learning_rate=0.1)
    >>> optimizer.step(theta, 2 * theta)
    >>> m_hat = 0.48528 * 0.2 / (1 - 0.468 * 0.48528) + 2
    >>> theta.round(5), round(1 - 0.1 * m_hat / 2, 5)
    (array([0.89372]), 0.89372)

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
        # El producto de las fracciones y hasta qué paso llega.
        self._product = 0, 1.0

    def _slots(self):
        return {"momentum": 0.0, "velocity": 0.0}

    def _fraction(self, t):
        return self.beta_1 * (1 - 0.5 * 0.96**t)  # [ec-mlp-nadam-fraccion]

    def _multiplied(self, t):
        # Casi siempre falta un factor; si el estado viene de otra parte, todos. En cero ya no cambia.
        done, product = self._product if self._product[0] <= t else (0, 1.0)
        while done < t and product:
            done += 1
            product *= self._fraction(done)  # [ec-mlp-nadam-fraccion]
        self._product = t, product
        return product

    @property
    def product(self):
        r"""El producto de las fracciones de los pasos que lleva."""
        return self._multiplied(self.iterations)

    def _update(self, theta, gradient, state, rate):
        t = self.iterations + 1
        now, after, product = self._fraction(t), self._fraction(t + 1), self._multiplied(t)
        old, new = rate * after / (1 - product * after), rate * (1 - now) / (1 - product)
        whole = math.sqrt(1 - self.beta_2**t)
        m, v = state["momentum"], state["velocity"]
        _nadam(theta, gradient, m, v, old, new, whole, 1 - self.beta_1, 1 - self.beta_2, self.epsilon)


def plain_nadam(
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
    mu = beta_1 * (1 - 0.5 * 0.96 ** np.arange(1, t + 2))  # [ec-mlp-nadam-fraccion]
    product = np.cumprod(mu)  # [ec-mlp-nadam-fraccion]
    m = m + (1 - beta_1) * (gradient - m)  # [ec-mlp-adam-momentos]
    v = v + (1 - beta_2) * (gradient**2 - v)  # [ec-mlp-adam-momentos]
    ahead = mu[-1] * m / (1 - product[-1])  # [ec-mlp-nadam]
    ahead += (1 - mu[-2]) * gradient / (1 - product[-2])  # [ec-mlp-nadam]
    spread = np.sqrt(v / (1 - beta_2**t)) + epsilon
    return theta - learning_rate * ahead / spread, m, v  # [ec-mlp-nadam]


@kernel(error_model="numpy")
def _nadam(theta, gradient, m, v, old, new, whole, new_1, new_2, epsilon):
    # ``old`` y ``new`` llevan ya la tasa y las correcciones; ``whole``, la de v.
    real = theta.dtype.type
    a, b, c, eps = real(old), real(new), real(whole), real(epsilon)
    take_1, take_2 = real(new_1), real(new_2)
    for i in range(theta.size):
        g = gradient[i]
        m[i] += take_1 * (g - m[i])
        v[i] += take_2 * (g * g - v[i])
        theta[i] -= (a * m[i] + b * g) / (np.sqrt(v[i]) / c + eps)  # [ec-mlp-nadam]
