r"""El punto de silla: quieto, pero no atrapado."""

import numpy as np

from dlbook import check


def linear_chain(theta):
    r"""La pérdida de la red profunda más pequeña que existe: dos neuronas lineales en fila.

    Con una entrada, sin sesgos y sin activaciones, la red es :math:`\hat y=w_2w_1x`. Que aprenda un solo ejemplo,
    :math:`x=1` con :math:`y=1`:

    .. math::
       :label: ec-mlp-silla

       J(w_1,w_2)=(1-w_1w_2)^2 .

    Con una sola capa, :math:`\hat y=wx`, la pérdida :math:`(1-w)^2` es una parábola y tiene un único mínimo. ¿Qué
    agrega la segunda capa?

    **Derivación.** Por la regla de la cadena,

    .. math::
       :label: ec-mlp-silla-gradiente

       \nabla J = -2\,(1-w_1w_2)\begin{pmatrix} w_2\\ w_1\end{pmatrix} .

    El gradiente se anula en dos casos, y solo en dos. O bien :math:`w_1w_2=1`, y entonces :math:`J=0`: es un mínimo, y
    no lo hay mejor. O bien :math:`w_1=w_2=0`, donde :math:`J=1`. ¿Es este un mínimo local? Camina por la diagonal
    :math:`w_1=w_2=t`: :math:`J=(1-t^2)^2` **baja**. Camina por la otra, :math:`w_1=-w_2=t`: :math:`J=(1+t^2)^2`
    **sube**. Un punto de pendiente cero desde el que se puede subir y bajar es un *punto de silla* (*saddle point*).

    La segunda capa no creó ni un mínimo local malo: todos los que hay valen cero. Creó un lugar plano donde el descenso
    se demora. :item:`MLP-68`

    **A mano.** En :math:`(1,2)` el error es :math:`1-2=-1` y el gradiente, :math:`-2\cdot(-1)\cdot(2,1)`. En el
    origen no hay pendiente, y en :math:`(2,\tfrac12)` la pérdida es cero:

    >>> linear_chain([1.0, 2.0])
    (1.0, array([4., 2.]))
    >>> J, gradient = linear_chain([0.0, 0.0])
    >>> J, bool(gradient.any())
    (1.0, False)
    >>> linear_chain([2.0, 0.5])[0]
    0.0

    Parameters
    ----------
    theta : array_like, shape (2,)
        :math:`w_1` y :math:`w_2`.

    Returns
    -------
    value : float
        :math:`J`.
    gradient : ndarray, shape (2,)
        :math:`\nabla J`.

    Raises
    ------
    TypeError, ValueError
        Si no son dos números finitos.
    """
    w1, w2 = check.floats(theta, "theta", "2").astype(np.float64)
    error = 1 - w1 * w2
    gradient = -2 * error * np.array([w2, w1])  # [ec-mlp-silla-gradiente]
    return float(error**2), gradient  # [ec-mlp-silla]


def linear_chain_hessian(theta):
    r"""Las segundas derivadas de :eq:`ec-mlp-silla`: hacia dónde se curva.

    Deriva otra vez cada componente de :eq:`ec-mlp-silla-gradiente`. La primera es :math:`-2w_2+2w_1w_2^2`; la segunda,
    :math:`-2w_1+2w_1^2w_2`:

    .. math::
       :label: ec-mlp-silla-hessiana

       \mathbf H=\begin{pmatrix} 2w_2^2 & -2+4w_1w_2\\ -2+4w_1w_2 & 2w_1^2\end{pmatrix} .

    Sus valores propios son las curvaturas en las direcciones principales. Si en un punto de pendiente cero todos son
    positivos, es un mínimo; si los hay de los dos signos, es una silla.

    **A mano.** En el origen queda :math:`\begin{pmatrix}0&-2\\-2&0\end{pmatrix}`. Los valores propios son :math:`-2`,
    en la dirección :math:`(1,1)`, y :math:`+2`, en la :math:`(1,-1)`: una silla. :erratum:`E-24`

    >>> H = linear_chain_hessian([0.0, 0.0])
    >>> H.tolist(), np.linalg.eigvalsh(H).tolist()
    ([[0.0, -2.0], [-2.0, 0.0]], [-2.0, 2.0])

    En un mínimo, como :math:`(1,1)`, ninguno es negativo; el cero dice que el fondo es un valle, :math:`w_1w_2=1`:

    >>> np.linalg.eigvalsh(linear_chain_hessian([1.0, 1.0])).round(6).tolist()
    [0.0, 4.0]

    Parameters
    ----------
    theta : array_like, shape (2,)
        :math:`w_1` y :math:`w_2`.

    Returns
    -------
    ndarray, shape (2, 2)

    Raises
    ------
    TypeError, ValueError
        Si no son dos números finitos.
    """
    w1, w2 = check.floats(theta, "theta", "2").astype(np.float64)
    mixed = -2 + 4 * w1 * w2
    return np.array([[2 * w2**2, mixed], [mixed, 2 * w1**2]])  # [ec-mlp-silla-hessiana]
