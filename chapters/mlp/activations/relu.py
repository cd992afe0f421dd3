r"""La rectificadora lineal y su variante con fuga."""

import numpy as np

from chapters.mlp.activations.base import ActivationFunction
from dlbook import check
from dlbook.numeric.kernel import kernel


class ReLU(ActivationFunction):
    r"""Rectificadora lineal (*rectified linear unit*, ReLU): deja pasar lo positivo.

    .. math::
       :label: ec-mlp-relu

       \operatorname{relu}(z) = \max(0, z) .

    La sigmoide y la tangente se saturan por los dos lados, y el error se apaga al atravesar muchas capas. La ReLU
    conserva la mitad de la identidad: donde está encendida, su pendiente es 1, y el error la cruza sin perder nada
    :cite:p:`nair2010`. :item:`MLP-08`

    **Derivada.** Son dos rectas:

    .. math::
       :label: ec-mlp-relu-derivada

       \operatorname{relu}'(z) = \begin{cases} 1 & \text{si } z > 0,\\ 0 & \text{si } z < 0. \end{cases}

    En :math:`z=0` hay un pico y no hay derivada: por la izquierda la pendiente es 0 y por la derecha es 1. Alguna hay
    que usar, y el convenio, el de Keras también, es 0. Importa poco, porque con pesos al azar es raro que una
    preactivación valga cero exacto, salvo si todas sus entradas son cero. :item:`MLP-15`

    **Dónde se satura.** A la izquierda del cero, y del todo. Si los pesos de una neurona llegan a ser tales que
    :math:`z<0` con todos los ejemplos, su gradiente es cero y el descenso no la mueve: es una neurona *muerta*. Contra
    eso están :class:`LeakyReLU` y :class:`ELU`.

    **A mano.**

    >>> from chapters.mlp.activations import relu
    >>> relu([-2, 0, 3])
    array([0., 0., 3.])
    >>> relu.derivative([-2, 0, 3])
    array([0., 0., 1.])

    **Sus tres perillas.** Keras deja mover el lugar donde se enciende, :math:`\theta`, ponerle un techo :math:`M` y
    darle una fuga :math:`\alpha` a lo que queda debajo:

    .. math::
       :label: ec-mlp-relu-general

       \varphi(z) = \begin{cases} \min(z, M) & \text{si } z > \theta,\\
       \alpha\,(z-\theta) & \text{si } z\leq\theta. \end{cases}

    La pendiente es 1 entre :math:`\theta` y :math:`M`, 0 por encima del techo y :math:`\alpha` debajo. Con techo 6 se
    llama ``relu6``: la usan algunas redes para teléfonos, que guardan cada salida en pocos bits y no quieren números
    grandes.

    >>> from chapters.mlp.activations import ReLU, relu6
    >>> relu6([-1.0, 3.0, 8.0])
    array([0., 3., 6.])
    >>> bent = ReLU(negative_slope=0.5, threshold=1)
    >>> bent([-1.0, 1.0, 1.5])  # 0.5 (-1 - 1) = -1
    array([-1. ,  0. ,  1.5])

    Parameters
    ----------
    negative_slope : float
        La fuga :math:`\alpha`, cero o más.
    max_value : float, optional
        El techo :math:`M`, cero o más.
    threshold : float
        Dónde se enciende, :math:`\theta`, cero o más.

    Raises
    ------
    TypeError, ValueError
        Si alguno no es un número real, es negativo o no es finito.
    """

    name = "relu"

    def __init__(self, negative_slope=0.0, max_value=None, threshold=0.0):
        self.negative_slope = check.number(negative_slope, "negative_slope", 0)
        self.max_value = None if max_value is None else check.number(max_value, "max_value", 0)
        self.threshold = check.number(threshold, "threshold", 0)

    @property
    def plain(self):
        r"""Si es la de siempre, :math:`\max(0, z)`."""
        return self.max_value is None and not self.negative_slope and not self.threshold

    def _knobs(self, z):
        highest = np.inf if self.max_value is None else self.max_value
        return [z.dtype.type(value) for value in (self.negative_slope, highest, self.threshold)]

    def forward(self, z, y):
        r"""Escribe en ``y`` el valor en ``z``."""
        if self.plain:
            _relu(z.reshape(-1), y.reshape(-1))
        else:
            _relu_general(z.reshape(-1), y.reshape(-1), *self._knobs(z))

    def backward(self, z, y, dy, dz):
        r"""Escribe en ``dz`` lo que pasa de ``dy``: todo donde está encendida, nada o la fuga donde no."""
        if self.plain:
            _relu_backward(z.reshape(-1), dy.reshape(-1), dz.reshape(-1))
        else:
            _relu_general_backward(z.reshape(-1), dy.reshape(-1), dz.reshape(-1), *self._knobs(z))


def plain_re_lu(z, dy):
    r"""Deja pasar lo positivo, de ida y de vuelta."""
    y = np.maximum(0, z)  # [ec-mlp-relu]
    return y, np.where(z > 0, dy, 0)  # [ec-mlp-relu-derivada]


# Con «z <= 0» y no «z > 0», un NaN pasa en vez de volverse cero: que el error se vea.
@kernel
def _relu(z, y):
    zero = z.dtype.type(0)
    for i in range(z.size):
        y[i] = zero if z[i] <= 0 else z[i]  # [ec-mlp-relu]


@kernel
def _relu_backward(z, dy, dz):
    zero = z.dtype.type(0)
    for i in range(z.size):
        dz[i] = zero if z[i] <= 0 else dy[i]  # [ec-mlp-relu-derivada]


@kernel
def _relu_general(z, y, slope, highest, threshold):
    zero = z.dtype.type(0)
    for i in range(z.size):
        # Más cero: sin fuga saldría -0.
        below = slope * (z[i] - threshold) + zero
        y[i] = below if z[i] <= threshold else min(z[i], highest)  # [ec-mlp-relu-general]


@kernel
def _relu_general_backward(z, dy, dz, slope, highest, threshold):
    zero = z.dtype.type(0)
    for i in range(z.size):
        above = zero if z[i] >= highest else dy[i]
        dz[i] = slope * dy[i] if z[i] <= threshold else above  # [ec-mlp-relu-general]


relu, relu6 = ReLU(), ReLU(max_value=6)


class LeakyReLU(ActivationFunction):
    r"""ReLU con fuga (*leaky ReLU*): a la izquierda del cero queda una pendiente pequeña.

    .. math::
       :label: ec-mlp-relu-fuga

       \begin{gathered}
       \varphi(z) = \begin{cases} z & \text{si } z > 0,\\ \alpha z & \text{si } z\leq 0, \end{cases}
       \\
       \varphi'(z) = \begin{cases} 1 & \text{si } z > 0,\\ \alpha & \text{si } z\leq 0. \end{cases}
       \end{gathered}

    Una neurona apagada recibe así una fracción :math:`\alpha` del error, y puede volver a la vida
    :cite:p:`maas2013`. No se satura en ninguna parte. :item:`MLP-09`

    **¿Es lo mismo que** :math:`\max(\alpha z, z)` **?** Comparemos los dos términos: :math:`z-\alpha z=(1-\alpha)z`.
    Si :math:`\alpha<1`, el paréntesis es positivo y el mayor es :math:`z` cuando :math:`z>0` y :math:`\alpha z` cuando
    :math:`z<0`: coincide con :eq:`ec-mlp-relu-fuga`. Si :math:`\alpha>1` es al revés. Por eso la fórmula del máximo
    solo vale con :math:`\alpha<1`. :erratum:`E-33`

    **Cuánto vale la fuga.** Nadie se pone de acuerdo. Un curso escribe 0.1; otro pide que sea mucho menor que 1, y lo
    más visto es 0.01. La función ``leaky_relu`` de Keras toma 0.2, que es lo que tomamos aquí, y su capa ``LeakyReLU``,
    0.3. Lo prudente es escribirlo siempre.

    **A mano.** Con la fuga del curso y con la de Keras:

    >>> from chapters.mlp.activations import LeakyReLU, leaky_relu
    >>> LeakyReLU(negative_slope=0.1)([-2, 0, 3])
    array([-0.2,  0. ,  3. ])
    >>> leaky_relu([-2, 0, 3])
    array([-0.4,  0. ,  3. ])
    >>> leaky_relu.derivative([-2, 0, 3])
    array([0.2, 0.2, 1. ])

    Con :math:`\alpha=2` el máximo deja de ser la fuga. Y ya no es una fuga: amplifica lo negativo.

    >>> z = -1.0
    >>> max(2 * z, z), float(LeakyReLU(2.0)(z))
    (-1.0, -2.0)

    Parameters
    ----------
    negative_slope : float
        La fuga :math:`\alpha`, cero o más.

    Raises
    ------
    TypeError, ValueError
        Si la fuga no es un número real, es negativa o no es finita.
    """

    name = "leaky_relu"

    def __init__(self, negative_slope=0.2):
        self.negative_slope = check.number(negative_slope, "negative_slope", 0)

    def forward(self, z, y):
        r"""Escribe en ``y`` el valor en ``z``."""
        _leaky_relu(z.reshape(-1), y.reshape(-1), self.negative_slope)

    def backward(self, z, y, dy, dz):
        r"""Escribe en ``dz`` todo ``dy`` donde ``z`` es positivo y la fracción de la fuga donde no."""
        _leaky_relu_backward(z.reshape(-1), dy.reshape(-1), dz.reshape(-1), self.negative_slope)


def plain_leaky_re_lu(z, dy, negative_slope):
    r"""Lo positivo pasa entero; lo demás, por la fuga."""
    slope = np.where(z > 0, 1, negative_slope)
    return slope * z, slope * dy  # [ec-mlp-relu-fuga]


@kernel
def _leaky_relu(z, y, negative_slope):
    alpha = z.dtype.type(negative_slope)
    for i in range(z.size):
        y[i] = z[i] if z[i] > 0 else alpha * z[i]  # [ec-mlp-relu-fuga]


@kernel
def _leaky_relu_backward(z, dy, dz, negative_slope):
    alpha = z.dtype.type(negative_slope)
    for i in range(z.size):
        dz[i] = dy[i] if z[i] > 0 else alpha * dy[i]  # [ec-mlp-relu-fuga]


leaky_relu = LeakyReLU()
