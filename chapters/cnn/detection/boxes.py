r"""Cajas: cuánto se parecen dos rectángulos."""

import numpy as np

from dlbook import check
from dlbook.numeric.kernel import kernel


# Lo de cada imagen se revisa después; aquí, que sea una lista con algo para cada una.
def _per_image(value, name):
    if not isinstance(value, (list, tuple)) and not (isinstance(value, np.ndarray) and value.ndim):
        raise TypeError(f"{name}: se esperaba una lista con un elemento por imagen, pero llegó {value!r}")
    return value


def _boxes(value, name):
    boxes = check.floats(value, name)
    # Una imagen puede no tener ninguna caja.
    if boxes.size == 0:
        return np.empty((0, 4))
    boxes = check.floats(boxes, name, "n 4").astype(np.float64)
    for k in np.flatnonzero((boxes[:, 0] > boxes[:, 2]) | (boxes[:, 1] > boxes[:, 3])):
        raise ValueError(f"{name}[{k}]: se esperaba x1 <= x2 y y1 <= y2, pero llegó {boxes[k].tolist()}")
    return boxes


def iou(boxes, others):
    r"""Intersección sobre unión (*intersection over union*, IoU): de 0, no se tocan, a 1, son la misma caja.

    Una caja es :math:`(x_1, y_1, x_2, y_2)`: la esquina de arriba a la izquierda y la de abajo a la derecha, con
    :math:`y` hacia abajo, como en una imagen. Para decir cuánto se parecen :math:`A` y :math:`B` no basta el área que
    comparten: una caja que abarca toda la imagen comparte todo con cualquiera. Por eso se divide entre lo que ocupan
    las dos juntas. Con :math:`|A|`, el área de :math:`A`:

    .. math::
       :label: ec-cnn-iou

       \operatorname{IoU}(A, B) = \frac{|A\cap B|}{|A\cup B|} = \frac{|A\cap B|}{|A|+|B|-|A\cap B|} .

    En :math:`|A|+|B|` lo compartido se contó dos veces; por eso se resta una.

    **La intersección** de dos rectángulos con lados paralelos a los ejes es otro. Un punto está en los dos si su
    :math:`x` pasa de los dos lados izquierdos, es decir, del mayor, y no llega a ninguno de los derechos, es decir, al
    menor. El ancho es la distancia de uno a otro, o cero si están al revés, que es cuando no se tocan:

    .. math::
       :label: ec-cnn-interseccion

       \begin{aligned}
       |A\cap B| ={}& \bigl(\min(x_2^A, x_2^B)-\max(x_1^A, x_1^B)\bigr)_+
       \\
       & \cdot\bigl(\min(y_2^A, y_2^B)-\max(y_1^A, y_1^B)\bigr)_+ ,
       \end{aligned}

    con :math:`(u)_+=\max(u, 0)`. Si se olvida esa parte positiva, dos cajas separadas en los dos ejes multiplican
    negativo por negativo y parecen compartir un área que no existe.

    **A mano.** Dos cuadrados de lado 2; el segundo está desplazado una unidad en cada eje. Comparten 1, y juntos ocupan
    :math:`4+4-1=7`. El tercero ni los toca:

    >>> a, b, c = [0, 0, 2, 2], [1, 1, 3, 3], [5, 5, 6, 7]
    >>> iou([a], [a, b, c]).round(4)
    array([[1.    , 0.1429, 0.    ]])

    Parameters
    ----------
    boxes : array_like, shape (n, 4)
        Cajas con :math:`x_1\le x_2` y :math:`y_1\le y_2`.
    others : array_like, shape (m, 4)
        Otras, en las mismas unidades.

    Returns
    -------
    ndarray of float64, shape (n, m)
        La de cada par. Dos cajas sin área, aunque sean la misma, no comparten nada: 0.

    Raises
    ------
    TypeError
        Si no son números reales.
    ValueError
        Si las formas no son esas, hay NaN o infinitos, o una caja está al revés.

        >>> iou([[2, 0, 0, 2]], [a])
        Traceback (most recent call last):
            ...
        ValueError: boxes[0]: se esperaba x1 <= x2 y y1 <= y2, pero llegó [2.0, 0.0, 0.0, 2.0]
    """
    boxes, others = _boxes(boxes, "boxes"), _boxes(others, "others")
    out = np.empty((len(boxes), len(others)))
    _iou_of_pairs(boxes, others, out)
    return out


def plain_iou(boxes, others):
    r"""Todos los pares a la vez: una fila por caja, una columna por la otra."""
    a, b = boxes[:, np.newaxis], others[np.newaxis]
    low = np.maximum(a[..., :2], b[..., :2])
    high = np.minimum(a[..., 2:], b[..., 2:])
    sides = np.maximum(high - low, 0)
    shared = sides[..., 0] * sides[..., 1]  # [ec-cnn-interseccion]
    area, other = (np.prod(c[..., 2:] - c[..., :2], -1) for c in (a, b))
    return shared / (area + other - shared)  # [ec-cnn-iou]


@kernel
def _iou(a, b):
    width = max(min(a[2], b[2]) - max(a[0], b[0]), 0.0)
    height = max(min(a[3], b[3]) - max(a[1], b[1]), 0.0)
    shared = width * height  # [ec-cnn-interseccion]
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared
    return shared / union if union > 0 else 0.0  # [ec-cnn-iou]


@kernel
def _iou_of_pairs(boxes, others, out):
    for i in range(boxes.shape[0]):
        for j in range(others.shape[0]):
            out[i, j] = _iou(boxes[i], others[j])
