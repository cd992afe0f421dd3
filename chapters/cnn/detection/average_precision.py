r"""La precisión media: un solo número para un detector."""

import numpy as np

from chapters.cnn.detection.boxes import _boxes, _per_image, iou
from dlbook import check


def _hits(overlaps, scores, threshold):
    hits, taken = np.zeros(len(scores), bool), set()
    if overlaps.shape[1]:
        for i in np.argsort(-scores, kind="stable"):
            j = int(overlaps[i].argmax())
            hits[i] = overlaps[i, j] >= threshold and j not in taken
            if hits[i]:
                taken.add(j)
    return hits


def average_precision(found, truth, threshold=0.5):
    r"""Precisión media (*average precision*, AP) de una clase en varias imágenes.

    Un detector da cajas con puntaje; cuántas se toman en serio depende de dónde se ponga el corte. Con el corte alto,
    si es bueno, dirá poco y casi todo cierto; con el corte bajo encontrará más y dirá más disparates. De las :math:`k`
    más seguras de todas las imágenes, :math:`a_k` son aciertos, y hay :math:`m` objetos que encontrar:

    .. math::
       :label: ec-cnn-precision-exhaustividad

       P_k = \frac{a_k}{k},\qquad R_k = \frac{a_k}{m} .

    La primera es la **precisión** (*precision*): de lo que dijo, cuánto era cierto. La segunda, la **exhaustividad**
    (*recall*): de lo que había, cuánto encontró.

    Una caja **acierta** si la caja verdadera con la que más se superpone, de su imagen, alcanza el umbral de IoU y
    ninguna más segura la reclamó antes. Encontrar dos veces el mismo objeto cuenta como un acierto y un error.

    La AP es el área bajo la curva de precisión contra exhaustividad. Esta solo avanza cuando hay un acierto, y cada
    acierto la hace avanzar :math:`1/m`; se toma la mejor precisión que se logra de ahí en adelante, para que un
    tropiezo temprano no castigue dos veces:

    .. math::
       :label: ec-cnn-precision-media

       \mathrm{AP} = \frac1m\sum_{k\,\text{acierto}}\ \max_{l\ge k} P_l .

    **A mano.** Dos objetos y tres cajas: acierto, error, acierto. Las precisiones son 1, ½ y ⅔, y la AP,
    :math:`\tfrac12\bigl(1+\tfrac23\bigr)=\tfrac56`:

    >>> truth = [[[0, 0, 2, 2], [4, 4, 6, 6]]]
    >>> found = [([[0, 0, 2, 2], [8, 8, 9, 9], [4, 4, 6, 6]], [0.9, 0.8, 0.7])]
    >>> round(average_precision(found, truth), 4)
    0.8333

    Parameters
    ----------
    found : list of (boxes, scores)
        Lo que el detector encontró en cada imagen.
    truth : list of array_like, shape (k, 4)
        Las cajas verdaderas de cada imagen.
    threshold : float
        Desde qué IoU cuenta como acierto, de 0 a 1.

    Returns
    -------
    float
        De 0 a 1. Si no hay ningún objeto que encontrar, ``nan``.

    Raises
    ------
    TypeError, ValueError
        Si las formas no concuerdan o el umbral no está entre 0 y 1.
    """
    threshold = check.number(threshold, "threshold", 0, 1)
    found, truth = _per_image(found, "found"), _per_image(truth, "truth")
    if len(found) != len(truth):
        raise ValueError(f"found: se esperaba un resultado por imagen, {len(truth)}, pero llegaron {len(found)}")
    scores, hits, total = [], [], 0
    for k, (those, true) in enumerate(zip(found, truth, strict=True)):
        if not isinstance(those, (list, tuple)) or len(those) != 2:
            raise TypeError(f"found[{k}]: se esperaban dos cosas, las cajas y sus puntajes, pero llegó {those!r}")
        boxes, points = _boxes(those[0], f"found[{k}]"), check.floats(those[1], f"found[{k}]")
        true = _boxes(true, f"truth[{k}]")
        if points.shape != (len(boxes),):
            raise ValueError(f"found[{k}]: se esperaba un puntaje por caja, {len(boxes)}, pero llegó {points.shape}")
        total += len(true)
        scores.extend(points)
        hits.extend(_hits(iou(boxes, true), points, threshold))
    if not total:
        return float("nan")
    order = np.argsort(-np.array(scores), kind="stable")
    hits = np.array(hits, bool)[order]
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)  # [ec-cnn-precision-exhaustividad]
    best_ahead = np.maximum.accumulate(precision[::-1])[::-1]
    return float(best_ahead[hits].sum() / total)  # [ec-cnn-precision-media]


def plain_average_precision(found, truth, threshold):
    r"""De la más segura a la menos: qué aciertos hay, y con qué precisión se llega a cada uno."""
    scores, hits = [], []
    for (boxes, points), true in zip(found, truth, strict=True):
        taken = set()
        for i in np.argsort(-points):
            overlaps = iou([boxes[i]], true)[0]
            j = overlaps.argmax()
            hits.append(overlaps[j] >= threshold and j not in taken)
            if hits[-1]:
                taken.add(j)
            scores.append(points[i])
    right = np.array(hits)[np.argsort(-np.array(scores))]
    k = np.arange(1, len(right) + 1)
    precision = np.cumsum(right) / k  # [ec-cnn-precision-exhaustividad]
    ahead = np.maximum.accumulate(precision[::-1])[::-1]
    return ahead[right].sum() / sum(map(len, truth))  # [ec-cnn-precision-media]
