r"""Los filtros con nombre: los que alguien diseñó a mano antes de que una red los aprendiera."""

import numpy as np

from dlbook.check import choice


def named_kernel(name):
    r"""Filtro de 3 × 3 con nombre propio.

    Mira primero cuánto **suman** los pesos. Sobre una zona lisa, donde todos los píxeles valen :math:`c`, la respuesta
    es :math:`\sum_{ab}c\,k_{ab}=c\sum_{ab}k_{ab}`: si suman 1, la zona queda igual; si suman 0, se apaga y solo
    contesta lo que cambia. Ahora, de dónde sale cada uno.

    *Identidad* (*identity*): un 1 en el centro, y devuelve la imagen. *Desenfoque de caja* (*box blur*): el promedio
    de los nueve vecinos. *Desenfoque gaussiano* (*Gaussian blur*): también promedia, pero los cercanos pesan más.
    Su fila :math:`(1,2,1)` es la convolución de :math:`(1,1)` consigo misma; si se repite salen los números del
    triángulo de Pascal, cuya forma se acerca a la campana de Gauss. :item:`CNN-23, CNN-25, CNN-26`

    *Laplaciano*: cuánto se apartan de un píxel sus cuatro vecinos. En un eje, el desarrollo de Taylor dice que
    :math:`f(t\pm1)=f(t)\pm f'(t)+\tfrac12f''(t)\pm\cdots`; al sumar las dos, la primera derivada se cancela y queda
    :math:`f(t-1)-2f(t)+f(t+1)\approx f''(t)`. Las dos segundas derivadas, la de arriba abajo y la de lado a lado,
    suman el filtro con :math:`-4` en el centro. :item:`CNN-27`

    *Realce* (*sharpen*): la identidad **menos** el laplaciano. El laplaciano es negativo en la cresta de un borde y
    positivo en el valle; restarlo sube lo alto y hunde lo bajo, y el borde se ve más nítido. :item:`CNN-24`

    *Sobel*: restar lo que hay de un lado de lo que hay del otro, :math:`(-1,0,1)`, estima dos veces la primera
    derivada, porque :math:`f(t+1)-f(t-1)\approx2f'(t)`. En el otro eje se promedia con :math:`(1,2,1)` para que un
    píxel con ruido no engañe. ``sobel_x`` mira cómo cambia el brillo al ir hacia la derecha y enciende los bordes
    **verticales**; ``sobel_y``, hacia abajo, los **horizontales**. *Relieve* (*emboss*): la identidad más una derivada
    en diagonal. La imagen se conserva y parece iluminada desde una esquina. :item:`CNN-22`

    .. math::
       :label: ec-cnn-filtros

       \begin{gathered}
       \underset{\text{identidad}}{\begin{pmatrix}0&0&0\\0&1&0\\0&0&0\end{pmatrix}}
       \quad
       \underset{\text{realce}}{\begin{pmatrix}0&-1&0\\-1&5&-1\\0&-1&0\end{pmatrix}}
       \quad
       \underset{\text{relieve}}{\begin{pmatrix}-2&-1&0\\-1&1&1\\0&1&2\end{pmatrix}}
       \\[1ex]
       \underset{\text{caja}}{\tfrac19\begin{pmatrix}1&1&1\\1&1&1\\1&1&1\end{pmatrix}}
       \quad
       \underset{\text{gaussiano}}{\tfrac1{16}\begin{pmatrix}1&2&1\\2&4&2\\1&2&1\end{pmatrix}}
       \\[1ex]
       \underset{\text{Sobel en }x}{\begin{pmatrix}-1&0&1\\-2&0&2\\-1&0&1\end{pmatrix}}
       \quad
       \underset{\text{Sobel en }y}{\begin{pmatrix}-1&-2&-1\\0&0&0\\1&2&1\end{pmatrix}}
       \quad
       \underset{\text{laplaciano}}{\begin{pmatrix}0&1&0\\1&-4&1\\0&1&0\end{pmatrix}}
       \end{gathered}

    **A mano.** Lo que suma cada uno, y las cuentas que los unen:

    >>> names = (
    ...     "identity", "sharpen", "box", "gaussian", "sobel_x", "sobel_y",
    ...     "laplacian", "emboss",
    ... )
    >>> for name in names:
    ...     print(f"{name:9}", round(float(named_kernel(name).sum()), 6))
    identity  1.0
    sharpen   1.0
    box       1.0
    gaussian  1.0
    sobel_x   0.0
    sobel_y   0.0
    laplacian 0.0
    emboss    1.0
    >>> identity = named_kernel("identity")
    >>> laplacian = named_kernel("laplacian")
    >>> bool((named_kernel("sharpen") == identity - laplacian).all())
    True
    >>> 16 * named_kernel("gaussian")
    array([[1., 2., 1.],
           [2., 4., 2.],
           [1., 2., 1.]])
    >>> named_kernel("emboss") - identity  # la derivada en diagonal
    array([[-2., -1.,  0.],
           [-1.,  0.,  1.],
           [ 0.,  1.,  2.]])

    Parameters
    ----------
    name : str
        ``"identity"``, ``"sharpen"``, ``"box"``, ``"gaussian"``, ``"sobel_x"``, ``"sobel_y"``, ``"laplacian"`` o
        ``"emboss"``.

    Returns
    -------
    ndarray, shape (3, 3)
        Un arreglo nuevo cada vez.

    Raises
    ------
    ValueError
        Si no es uno de esos nombres.

        >>> named_kernel("sobel")
        Traceback (most recent call last):
            ...
        ValueError: name: se esperaba 'identity' o 'sharpen' o 'box' o 'gaussian' o 'sobel_x' o 'sobel_y'
        o 'laplacian' o 'emboss', pero llegó 'sobel'
    """
    table = {  # [ec-cnn-filtros]
        "identity": [[0, 0, 0], [0, 1, 0], [0, 0, 0]],
        "sharpen": [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
        "box": np.ones((3, 3)) / 9,
        "gaussian": np.outer([1, 2, 1], [1, 2, 1]) / 16,
        "sobel_x": [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
        "sobel_y": [[-1, -2, -1], [0, 0, 0], [1, 2, 1]],
        "laplacian": [[0, 1, 0], [1, -4, 1], [0, 1, 0]],
        "emboss": [[-2, -1, 0], [-1, 1, 1], [0, 1, 2]],
    }
    return np.array(table[choice(name, "name", table)], dtype=np.float64)
