r"""Cuánto del gradiente llega de un paso a otro: las jacobianas del estado y sus valores singulares."""

import numpy as np

from dlbook import check


def jacobian_spectrum(recurrent_kernel, y):
    r"""Valores singulares de :math:`\partial\mathbf h_T/\partial\mathbf h_t`, para cada paso de una secuencia.

    De un estado al siguiente, en una red de tangentes, :math:`h_{t,k}=\tanh(\dots+\sum_j h_{t-1,j}\,u_{jk})`. Mover
    :math:`h_{t-1,j}` mueve :math:`z_{t,k}` con factor :math:`u_{jk}`, y la tangente lo multiplica por su pendiente. Con
    :math:`j` en las filas y :math:`k` en las columnas, porque aquí los vectores son filas, es la **jacobiana**:

    .. math::
       :label: ec-rnn-jacobiana

       \mathbf J_t = \frac{\partial\mathbf h_t}{\partial\mathbf h_{t-1}}
       = \mathbf U\,\operatorname{diag}\left(1-\mathbf h_t\odot\mathbf h_t\right) .

    De un paso a otro lejano, la regla de la cadena las multiplica todas: :item:`RNN-33`

    .. math::
       :label: ec-rnn-producto

       \frac{\partial\mathbf h_T}{\partial\mathbf h_t} = \mathbf J_{t+1}\,\mathbf J_{t+2}\cdots\mathbf J_T .

    Un gradiente que está en :math:`T` llega a :math:`t` multiplicado por la traspuesta de esa matriz. Cuánto puede
    crecer o encogerse lo dicen sus **valores singulares**, que son los mismos con traspuesta o sin ella: el mayor es lo
    más que estira a un vector, y el menor, lo menos.

    **A mano.** Con una sola unidad todo son números. La red de :func:`simple_rnn_forward`, con :math:`u=\tfrac12` y los
    estados 0.761594, 0.363399 y 0.179726:

    >>> y = [[0.761594], [0.363399], [0.179726]]
    >>> jacobian_spectrum([[0.5]], y).ravel().round(6)
    array([0.209976, 0.483849, 1.      ])

    El primero es :math:`\partial h_3/\partial h_1=\tfrac12(1-0.363399^2)\cdot\tfrac12(1-0.179726^2)`; el último, el de
    :math:`h_3` consigo mismo.

    Parameters
    ----------
    recurrent_kernel : array_like, shape (u, u)
        Los pesos del estado, :math:`\mathbf U`.
    y : array_like, shape (T, u)
        Los estados de una secuencia, de :math:`\mathbf h_1` a :math:`\mathbf h_T`.

    Returns
    -------
    ndarray, shape (T, u)
        En la fila de cada paso, los valores singulares, de mayor a menor. Uno que sea menor que :math:`10^{-15}`
        veces el mayor es puro redondeo.

    Raises
    ------
    TypeError, ValueError
        Si no son números reales y finitos, si las formas no encajan, si un estado no está entre −1 y 1 o si el producto
        se desborda.

        >>> jacobian_spectrum([[0.5]], [[2.0]])
        Traceback (most recent call last):
            ...
        ValueError: y: se esperaban estados de una tangente, entre −1 y 1, pero hay un 2
    """
    sizes = {}
    recurrent_kernel = check.floats(recurrent_kernel, "recurrent_kernel", "u u", sizes)
    y = check.floats(y, "y", "T u", sizes)
    if np.abs(y).max() > 1:
        raise ValueError(
            f"y: se esperaban estados de una tangente, entre −1 y 1, pero hay un {y.flat[np.abs(y).argmax()]:g}"
        )
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            spectrum = plain_jacobian_spectrum(recurrent_kernel, y)
    except np.linalg.LinAlgError:
        spectrum = np.array([np.nan])
    if not np.isfinite(spectrum).all():
        raise ValueError(
            f"y: se esperaban pasos cuyo producto de jacobianas cupiera en un número, pero con {len(y)} se desborda"
        )
    return spectrum


def plain_jacobian_spectrum(recurrent_kernel, y):
    r"""De atrás hacia delante, una jacobiana más en cada paso."""
    product = np.eye(len(recurrent_kernel), dtype=y.dtype)
    spectrum = np.empty_like(y)
    for t in reversed(range(len(y))):
        spectrum[t] = np.linalg.svd(product, compute_uv=False)
        jacobian = recurrent_kernel * (1 - y[t] ** 2)  # [ec-rnn-jacobiana]
        product = jacobian @ product  # [ec-rnn-producto]
    return spectrum
