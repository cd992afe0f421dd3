r"""El softmax: de puntajes a probabilidades que suman uno."""

import numpy as np

from chapters.mlp.activations.base import ActivationFunction
from chapters.mlp.activations.exponential import _add, exp
from dlbook import check
from dlbook.numeric.kernel import kernel


def _resolved(axis, ndim):
    if not -ndim <= axis < ndim:
        raise ValueError(f"axis: se esperaba un entero entre {-ndim} y {ndim - 1}, pero llegó {axis}")
    return axis % ndim


def _by_rows(kernel, axis, *arrays):
    if axis == arrays[0].ndim - 1:
        kernel(*(a.reshape(-1, a.shape[-1]) for a in arrays))
        return
    # Las clases, al último eje; y lo que sale, a su lugar.
    moved = [np.ascontiguousarray(np.moveaxis(a, axis, -1)) for a in arrays]
    kernel(*(a.reshape(-1, a.shape[-1]) for a in moved))
    arrays[-1][...] = np.moveaxis(moved[-1], -1, axis)


class Softmax(ActivationFunction):
    r"""*Softmax*: de :math:`K` puntajes a :math:`K` probabilidades que suman uno.

    Un clasificador da un puntaje por clase. Para leerlos como probabilidades, ninguno puede ser negativo y todos deben
    sumar 1. La exponencial los vuelve positivos y dividir entre la suma hace lo demás:

    .. math::
       :label: ec-mlp-softmax

       p_k = \frac{e^{z_k}}{\sum_{j=1}^{K} e^{z_j}} .

    El puntaje mayor se lleva la probabilidad mayor, pero sin dejar en cero a las demás: es un máximo *suave*.

    **Solo importan las diferencias.** Al sumar :math:`c` a todos los puntajes, arriba y abajo aparece el factor
    :math:`e^c`, y se cancela. De ahí salen dos cosas. Restando el mayor, todos los exponentes quedan en
    :math:`(-\infty,0]` y nada se desborda. Y con dos clases,
    :math:`p_1=\frac{e^{z_1}}{e^{z_1}+e^{z_2}}=\frac1{1+e^{-(z_1-z_2)}}`: es la sigmoide de la diferencia.

    **Derivada.** Aquí cada salida depende de *todas* las entradas, así que no hay una pendiente sino una tabla, la
    matriz jacobiana. Llamemos :math:`S` a la suma de abajo; :math:`\partial S/\partial z_j=e^{z_j}`. Por la regla del
    cociente,

    .. math::

       \begin{aligned}
       \frac{\partial p_k}{\partial z_j}
       &= \frac{[k=j]\,e^{z_k}\,S - e^{z_k}\,e^{z_j}}{S^2}\\
       &= [k=j]\,p_k - p_k\,p_j ,
       \end{aligned}

    donde :math:`[k=j]` vale 1 si son la misma clase y 0 si no:

    .. math::
       :label: ec-mlp-softmax-jacobiana

       \frac{\partial p_k}{\partial z_j} = p_k\bigl([k=j] - p_j\bigr) .

    **Hacia atrás.** Todas las salidas le cobran a :math:`z_j` su parte. Sumémoslas con :eq:`ec-mlp-softmax-jacobiana`,
    y abreviemos :math:`g_k=\partial\mathcal L/\partial p_k`:

    .. math::
       :label: ec-mlp-softmax-atras

       \begin{aligned}
       \frac{\partial\mathcal L}{\partial z_j}
       &= \sum_{k} g_k\,p_k\bigl([k=j]-p_j\bigr)\\
       &= p_j\Bigl(g_j - \sum_{k} g_k\,p_k\Bigr) .
       \end{aligned}

    El paréntesis compara :math:`g_j` con el promedio de todos. No hace falta construir la tabla: con :math:`K` clases
    son :math:`2K` productos en vez de :math:`K^2`.

    **Dónde se satura.** Cuando una probabilidad se acerca a 1 y las demás, por lo tanto, a 0: la diagonal de la tabla
    es :math:`p_k(1-p_k)`, lo demás es :math:`-p_kp_j`, y en cada producto hay un factor casi cero. La entropía cruzada
    (:doc:`/mlp/perdidas`) lo compensa, y por eso van juntas.

    **A mano.** Con los puntajes :math:`(2,\ 1,\ 0.1)`, :math:`S=7.389+2.718+1.105=11.212`:

    >>> from chapters.mlp.activations import sigmoid, softmax
    >>> p = softmax([2.0, 1.0, 0.1])
    >>> p.round(4)
    array([0.659 , 0.2424, 0.0986])
    >>> softmax.derivative([2.0, 1.0, 0.1]).round(4)
    array([[ 0.2247, -0.1598, -0.065 ],
           [-0.1598,  0.1837, -0.0239],
           [-0.065 , -0.0239,  0.0889]])

    Cada fila suma cero: si la suma de las probabilidades no puede cambiar, lo que una gana lo pierden las otras.
    Sumar 1000 a todos no cambia nada, y con dos clases sale la sigmoide:

    >>> bool(np.allclose(softmax([1002.0, 1001.0, 1000.1]), p))
    True
    >>> bool(abs(softmax([3.0, 1.0])[0] - sigmoid(2.0)) < 1e-15)
    True

    Las clases van en un eje, casi siempre el último; lo demás son observaciones independientes:

    >>> softmax([[2.0, 1.0], [2.0, 3.0]], axis=0).round(4)
    array([[0.5   , 0.1192],
           [0.5   , 0.8808]])

    Parameters
    ----------
    axis : int
        El eje de las clases. En una capa se cuenta el de las observaciones, que es el 0 y no puede ser.

    Raises
    ------
    TypeError, ValueError
        Si no es un entero o no hay tal eje.
    """

    name = "softmax"
    # De una fila de puntajes a una de probabilidades, y de regreso.
    kernels = property(lambda self: (_softmax, _softmax_backward))

    def __init__(self, axis=-1):
        self.axis = check.integer(axis, "axis", -64, 63)

    def __call__(self, z, *arguments, **options):
        r"""Da los valores de cada observación, con las clases en el eje que sea."""
        if arguments or options:
            return type(self)(*arguments, **options)(z)
        z = check.floats(z, "z", "... K")
        y = np.empty_like(z)
        _by_rows(self.kernels[0], _resolved(self.axis, z.ndim), z, y)
        return y

    def derivative(self, z):
        r"""Da la matriz jacobiana de cada observación.

        Parameters
        ----------
        z : array_like, shape (..., K)
            Puntajes; las clases van en el último eje.

        Returns
        -------
        ndarray, shape (..., K, K)
            En la fila :math:`k` y la columna :math:`j`, :math:`\partial p_k/\partial z_j`.

        Raises
        ------
        TypeError
            Si no son números reales.
        ValueError
            Si está vacío o hay NaN o infinitos.
        """
        p = np.moveaxis(self(z), self.axis, -1)
        return p[..., :, None] * (np.eye(p.shape[-1], dtype=p.dtype) - p[..., None, :])  # [ec-mlp-softmax-jacobiana]

    def forward(self, z, y):
        r"""Escribe en ``y`` los valores de cada observación de ``z``."""
        _by_rows(self.kernels[0], self.inner_axis(z.ndim), z, y)

    def backward(self, z, y, dy, dz):
        r"""Escribe en ``dz`` el gradiente de los puntajes, que sale de ``y`` y ``dy``."""
        _by_rows(self.kernels[1], self.inner_axis(y.ndim), y, dy, dz)

    def inner_axis(self, ndim):
        r"""Da el eje, contado desde 0, en un arreglo de tantos ejes; el de las observaciones se rechaza.

        Sumar sobre las observaciones las mezclaría, y el resultado dependería de cómo se repartió el lote.
        """
        axis = _resolved(self.axis, ndim)
        if axis == 0 and ndim > 1:
            raise ValueError(f"axis: se esperaba un eje de cada observación, pero llegó {self.axis}, el del lote")
        return axis


def plain_softmax(z, dy, axis):
    r"""Exponenciales entre su suma; de vuelta, contra el promedio."""
    e = np.exp(z - z.max(axis, keepdims=True))
    p = e / e.sum(axis, keepdims=True)  # [ec-mlp-softmax]
    mean = (dy * p).sum(axis, keepdims=True)
    return p, p * (dy - mean)  # [ec-mlp-softmax-atras]


# Restar el mayor de cada fila: ningún exponente queda positivo.
@kernel
def _shift(z, shifted):
    n, classes = z.shape
    for i in range(n):
        largest = z[i, 0]
        for k in range(1, classes):
            largest = z[i, k] if z[i, k] > largest else largest
        for k in range(classes):
            shifted[i, k] = z[i, k] - largest


# Todas las exponenciales seguidas, y no fila por fila, para que el procesador las haga por tandas.
@kernel
def _exponentiate(x):
    for i in range(x.size):
        x[i] = exp(x[i])


@kernel(error_model="numpy")
def _softmax(z, p):
    n, classes = z.shape
    _shift(z, p)
    _exponentiate(p.reshape(-1))
    for i in range(n):
        total = p[i, 0]
        for k in range(1, classes):
            total = _add(total, p[i, k])
        for k in range(classes):
            p[i, k] /= total  # [ec-mlp-softmax]


@kernel
def _softmax_backward(p, g, dz):
    n, classes = p.shape
    for i in range(n):
        mean = p.dtype.type(0)
        for k in range(classes):
            mean = _add(mean, g[i, k] * p[i, k])
        for j in range(classes):
            dz[i, j] = p[i, j] * (g[i, j] - mean)  # [ec-mlp-softmax-atras]


softmax = Softmax()
