r"""Supresión de no máximos: de muchas cajas que dicen lo mismo, quedarse con una."""

import numpy as np

from chapters.cnn.detection.boxes import _boxes, _iou
from dlbook import check
from dlbook.numeric.kernel import kernel


def non_max_suppression(boxes, scores, classes=None, threshold=0.5):
    r"""Supresión de no máximos (*non-maximum suppression*): una caja por objeto.

    Un detector suele proponer varias cajas para cada objeto: las celdas vecinas también lo ven, y cada una propone
    la suya. El remedio es codicioso y corto:

    .. code-block:: text

       mientras queden cajas:
           toma la de más puntaje y guárdala
           por cada una de las que quedan:
               si su IoU con la guardada pasa del umbral, descártala

    Si hay clases, solo compiten las de la misma: un jinete y su caballo se superponen, y los dos son ciertos.

    El orden importa. Una caja descartada ya no descarta a nadie: en una fila de cajas donde cada una se superpone con
    la siguiente, cae la segunda, y por eso sobrevive la tercera.

    **A mano.** Tres cajas en fila. La primera y la segunda comparten la mitad de su unión; la segunda y la tercera,
    también; la primera y la tercera, la quinta parte:

    >>> boxes = [[0, 0, 6, 6], [2, 0, 8, 6], [4, 0, 10, 6]]
    >>> from chapters.cnn import iou
    >>> iou(boxes, boxes)[0].round(2)
    array([1. , 0.5, 0.2])
    >>> non_max_suppression(boxes, scores=[0.9, 0.8, 0.7], threshold=0.4)
    array([0, 2])

    Si la mejor es la de en medio, las otras dos caen:

    >>> non_max_suppression(boxes, scores=[0.8, 0.9, 0.7], threshold=0.4)
    array([1])

    Parameters
    ----------
    boxes : array_like, shape (n, 4)
        Las cajas, como en :func:`iou`.
    scores : array_like, shape (n,)
        Qué tan segura está la red de cada una.
    classes : array_like of int, shape (n,), optional
        La clase de cada una.
    threshold : float
        Cuánta IoU se permite entre dos cajas de la misma clase, de 0 a 1.

    Returns
    -------
    ndarray of int64, shape (k,)
        Cuáles se quedan, de la más segura a la menos. Los empates los gana la primera.

    Raises
    ------
    TypeError, ValueError
        Si las formas no concuerdan, hay NaN o infinitos, o el umbral no está entre 0 y 1.
    """
    boxes = _boxes(boxes, "boxes")
    n = len(boxes)
    threshold = check.number(threshold, "threshold", 0, 1)
    if n == 0:
        count = check.floats(scores, "scores").size
        if count:
            raise ValueError(f"scores: se esperaban tantos como cajas, 0, pero llegaron {count}")
        return np.empty(0, np.int64)
    scores = check.floats(scores, "scores", "n", {"n": n})
    classes = np.zeros(n) if classes is None else check.floats(classes, "classes", "n", {"n": n})
    order, kept = np.argsort(-scores, kind="stable"), np.empty(n, np.int64)
    return kept[: _non_max_suppression(boxes, classes, order, threshold, kept)]


@kernel
def _non_max_suppression(boxes, classes, order, threshold, kept):
    # Cuántas se quedan; la que ya se descartó no descarta a nadie.
    count = 0
    for i in order:
        alone = True
        for k in kept[:count]:
            if classes[i] == classes[k] and _iou(boxes[i], boxes[k]) > threshold:
                alone = False
                break
        if alone:
            kept[count] = i
            count += 1
    return count
