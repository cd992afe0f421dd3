r"""Detectar mirando una sola vez: la rejilla, las cajas y la pérdida de YOLO."""

import numpy as np

from chapters.cnn.detection.boxes import _boxes, _iou, _per_image, iou
from chapters.cnn.detection.suppression import non_max_suppression
from chapters.mlp.losses.base import Loss
from dlbook import check
from dlbook.numeric.kernel import kernel

# Una caja son cinco números, siempre en este orden: x, y, √w, √h y, en este lugar, la confianza.
CONFIDENCE = 4


def _boxes_per_cell(k, classes):
    count, rest = divmod(k - classes, 5)
    if count < 1 or rest:
        raise ValueError(f"y_pred: se esperaban 5 B + {classes} números por celda, pero llegaron {k}")
    return count


def grid_output_shape(grid, boxes, classes):
    r"""La forma de lo que sale de un detector de rejilla.

    La imagen se corta en :math:`S\times S` celdas. Cada una responde por los objetos cuyo **centro** cae en ella: da
    :math:`B` cajas de cinco números, el centro :math:`(x, y)`, las raíces del ancho y del alto,
    :math:`\sqrt w, \sqrt h`, y la confianza, y una probabilidad por clase,

    .. math::
       :label: ec-cnn-rejilla

       S\times S\times(5B + C) .

    Las clases son de la celda, no de la caja: si dos objetos caen en la misma, solo se puede nombrar a uno.

    **A mano.** El YOLO original cortaba en :math:`7\times7`, con dos cajas por celda y las 20 clases de PASCAL VOC,
    un conjunto público de fotos con sus cajas :cite:p:`redmon2016`: 1470 números por imagen, y a lo sumo 98 cajas.

    >>> grid_output_shape(7, boxes=2, classes=20)
    (7, 7, 30)

    Parameters
    ----------
    grid : int
        Celdas por lado, :math:`S`.
    boxes : int
        Cajas por celda, :math:`B`.
    classes : int
        Clases, :math:`C`.

    Returns
    -------
    tuple of int
        La forma, sin el eje de las observaciones.
    """
    grid = check.integer(grid, "grid", 1)
    boxes = check.integer(boxes, "boxes", 1)
    classes = check.integer(classes, "classes", 1)
    return grid, grid, 5 * boxes + classes  # [ec-cnn-rejilla]


def grid_encode(boxes, classes, grid, num_classes):
    r"""De las cajas de cada imagen a lo que su rejilla debería contestar.

    Una caja en fracciones de la imagen, :math:`(x_1,y_1,x_2,y_2)`, tiene el centro
    :math:`c=\bigl(\tfrac{x_1+x_2}2,\tfrac{y_1+y_2}2\bigr)`. Multiplicado por :math:`S`, su parte entera dice en qué
    celda cae, y la decimal, en qué lugar de la celda:

    .. math::
       :label: ec-cnn-celda

       (\text{columna},\,\text{fila}) = \lfloor S\,c\rfloor,\qquad (x, y) = S\,c-\lfloor S\,c\rfloor .

    Del tamaño se guarda la **raíz**, :math:`\bigl(\sqrt{x_2-x_1},\sqrt{y_2-y_1}\bigr)`. Fallar por dos píxeles
    arruina una caja de diez y apenas se nota en una de doscientos; la raíz estira lo pequeño y encoge lo grande, y el
    mismo error cuadrático pesa más donde importa más.

    Lo correcto se escribe como lo que contestaría una red de una sola caja por celda que no dudara de nada: por eso
    :func:`grid_decode` lo devuelve a las cajas.

    **A mano.** Con :math:`S=2`, una caja de :math:`0.25` de lado centrada en :math:`(0.75, 0.25)` cae en la columna 1 y
    la fila 0, justo en medio de su celda. Su raíz es :math:`0.5`:

    >>> y = grid_encode(
    ...     [[[0.625, 0.125, 0.875, 0.375]]], [[2]], grid=2, num_classes=3
    ... )
    >>> y.shape
    (1, 2, 2, 8)
    >>> y[0, 0, 1]  # x, y, √w, √h, confianza 1 y la clase 2
    array([0.5, 0.5, 0.5, 0.5, 1. , 0. , 0. , 1. ])

    Parameters
    ----------
    boxes : list of array_like, shape (k, 4)
        Las cajas de cada imagen, entre 0 y 1. Si dos caen en la misma celda se queda la primera.
    classes : list of array_like of int, shape (k,)
        La clase de cada caja.
    grid, num_classes : int
        :math:`S` y :math:`C`.

    Returns
    -------
    ndarray of float64, shape (n, S, S, 5 + C)
        La forma de :func:`grid_output_shape` con :math:`B=1`. En cada celda con objeto: los cuatro números de la caja,
        confianza 1 y un 1 en su clase. En las demás, ceros.

    Raises
    ------
    TypeError, ValueError
        Si una caja está al revés, no tiene área o se sale de la imagen, o si una clase no existe.
    """
    grid, num_classes = check.integer(grid, "grid", 1), check.integer(num_classes, "num_classes", 1)
    boxes, classes = _per_image(boxes, "boxes"), _per_image(classes, "classes")
    if len(boxes) != len(classes):
        raise ValueError(f"classes: se esperaba una lista por imagen, {len(boxes)}, pero llegaron {len(classes)}")
    check.memory(len(boxes) * grid**2 * (5 + num_classes), "grid", 8)
    y = np.zeros((len(boxes), grid, grid, 5 + num_classes))
    for k, (those, kinds) in enumerate(zip(boxes, classes, strict=True)):
        those = _boxes(those, f"boxes[{k}]")
        kinds = check.floats(kinds, f"classes[{k}]")
        if kinds.shape != those.shape[:1]:
            raise ValueError(f"classes[{k}]: se esperaban {len(those)}, una por caja, pero llegó {kinds.shape}")
        if those.size and not (those.min() >= 0 and those.max() <= 1 and (those[:, :2] < those[:, 2:]).all()):
            raise ValueError(f"boxes[{k}]: se esperaban cajas con área y entre 0 y 1, pero llegó {those.tolist()}")
        kinds = check.labels(kinds, f"classes[{k}]", num_classes) if kinds.size else []
        for box, kind in zip(those, kinds, strict=True):
            center = grid * (box[:2] + box[2:]) / 2
            cell = np.minimum(center.astype(int), grid - 1)
            target = y[k, cell[1], cell[0]]
            if target[CONFIDENCE] == 0:
                target[:2] = center - cell  # [ec-cnn-celda]
                target[2:4] = np.sqrt(box[2:] - box[:2])
                target[CONFIDENCE] = 1
                target[5 + kind] = 1
    return y


def plain_grid_encode(boxes, classes, grid, num_classes):
    r"""Cada caja se escribe en la celda donde cae su centro, si nadie llegó antes."""
    y = np.zeros((len(boxes), grid, grid, 5 + num_classes))
    for k, (those, kinds) in enumerate(zip(boxes, classes, strict=True)):
        for box, kind in zip(those, kinds, strict=True):
            center = grid * (box[:2] + box[2:]) / 2
            column, row = cell = np.floor(center).astype(int)  # [ec-cnn-celda]
            target = y[k, row, column]
            if target[CONFIDENCE] == 0:
                target[:2] = center - cell  # [ec-cnn-celda]
                target[2:4] = np.sqrt(box[2:] - box[:2])
                target[[CONFIDENCE, 5 + kind]] = 1
    return y


def grid_decode(y_pred, num_classes, score_threshold=0.25, iou_threshold=0.5):
    r"""De lo que contesta la rejilla a una lista de objetos.

    Deshace :func:`grid_encode` caja por caja. El puntaje de una clase es la probabilidad de la clase por la confianza:
    qué es, por qué tan segura está la red de que ahí hay algo y de que la caja le queda bien. De cada caja se toma su
    mejor clase, se tiran las de puntaje bajo y :func:`non_max_suppression` quita las repetidas.

    **A mano.** La celda de antes, con confianza :math:`0.9` y la clase 2 con probabilidad :math:`0.8`:

    >>> y_pred = np.zeros((1, 2, 2, 8))
    >>> y_pred[0, 0, 1] = [0.5, 0.5, 0.5, 0.5, 0.9, 0.1, 0.1, 0.8]
    >>> boxes, scores, classes = grid_decode(y_pred, num_classes=3)[0]
    >>> boxes, scores.round(2), classes
    (array([[0.625, 0.125, 0.875, 0.375]]), array([0.72]), array([2]))

    Parameters
    ----------
    y_pred : array_like, shape (n, S, S, 5 B + C)
        Lo que la red contesta: por cada caja :math:`x, y, \sqrt w, \sqrt h` y la confianza, y al final las clases.
    num_classes : int
        :math:`C`.
    score_threshold : float
        El puntaje más bajo que se acepta.
    iou_threshold : float
        El umbral de :func:`non_max_suppression`.

    Returns
    -------
    list of (boxes, scores, classes)
        Por imagen, de la más segura a la menos: cajas en fracciones de la imagen y recortadas a ella, puntajes y
        clases.

    Raises
    ------
    TypeError, ValueError
        Si la forma no es la de una rejilla o un umbral no está entre 0 y 1.
    """
    num_classes = check.integer(num_classes, "num_classes", 1)
    score_threshold = check.number(score_threshold, "score_threshold", 0, 1)
    y_pred = check.floats(y_pred, "y_pred", "n S S k").astype(np.float64)
    n, grid, _, k = y_pred.shape
    count = _boxes_per_cell(k, num_classes)
    rows, columns = np.indices((grid, grid))
    corner = np.stack([columns, rows], axis=-1)[None, :, :, None]  # (1, S, S, 1, 2)
    cells = y_pred[..., : 5 * count].reshape(n, grid, grid, count, 5)
    center = (corner + cells[..., :2]) / grid
    half = cells[..., 2:4] ** 2 / 2
    boxes = np.clip(np.concatenate([center - half, center + half], axis=-1), 0, 1)
    scores = cells[..., CONFIDENCE:] * y_pred[..., None, 5 * count :]  # (n, S, S, B, C)
    found = []
    for those, points in zip(boxes, scores, strict=True):
        those, points = those.reshape(-1, 4), points.reshape(-1, num_classes)
        kinds, best = points.argmax(axis=1), points.max(axis=1)
        good = np.flatnonzero(best > score_threshold)
        good = good[non_max_suppression(those[good], best[good], kinds[good], iou_threshold)]
        found.append((those[good], best[good], kinds[good]))
    return found


class GridDetectionLoss(Loss):
    r"""La pérdida de YOLO: una suma de cuadrados en la que cada término pesa distinto.

    De cada celda salen :math:`B` cajas, pero a lo sumo hay un objeto. ¿Con cuál se compara? Con la que **ya** se le
    parece más, la de mayor :math:`\operatorname{IoU}`, que queda como *responsable*. Así las cajas de una celda pueden
    especializarse: la que acierta más en las altas aprende más de las altas.

    Sea :math:`r_{ij}=1` si la caja :math:`j` de la celda :math:`i` es la responsable de un objeto, y :math:`o_i=1` si
    en la celda hay uno. Con :math:`\mathbf b=(x,y,\sqrt w,\sqrt h)`, la confianza :math:`c` y las clases
    :math:`\mathbf p`,

    .. math::
       :label: ed-cnn-yolo

       \begin{aligned}
       \mathcal L ={}& \sum_{i,j} r_{ij}\Bigl[
       \lambda_{\text{caja}}\bigl\lVert\hat{\mathbf b}_{ij}-\mathbf b_i\bigr\rVert^2
       + \bigl(\hat c_{ij}-\operatorname{IoU}_{ij}\bigr)^2\Bigr] \\
       &+ \lambda_{\text{nada}}\sum_{i,j}(1-r_{ij})\,\hat c_{ij}^{\,2}
       + \sum_i o_i\bigl\lVert\hat{\mathbf p}_i-\mathbf p_i\bigr\rVert^2 .
       \end{aligned}

    Léela término por término. La responsable corrige su caja, y su confianza aprende a decir **qué tan bien le queda**:
    su meta no es 1, sino su propia IoU. Las demás aprenden a decir cero. Como casi todas las cajas están vacías, sin
    :math:`\lambda_{\text{nada}}=\tfrac12` la suma de todos esos ceros podría apagar a las pocas que ven algo; y
    :math:`\lambda_{\text{caja}}=5` recuerda que lo difícil es el lugar :cite:p:`redmon2016`.

    **Gradiente.** Todo son cuadrados de «predicho menos meta» por un peso :math:`\omega`: 5, 1, ½ o 0 según el término.
    Con la meta :math:`t` y el peso fijos,

    .. math::
       :label: ec-cnn-yolo-gradiente

       \mathcal L=\sum_k\omega_k\,(\hat y_k-t_k)^2,\qquad
       \frac{\partial\mathcal L}{\partial\hat y_k} = 2\,\omega_k\,(\hat y_k-t_k) .

    Hay una decisión escondida. La meta de la confianza, :math:`\operatorname{IoU}_{ij}`, depende de la caja predicha, y
    quién es responsable, también. Aquí, como en el original, los dos se toman como **constantes**: son la respuesta
    correcta de este paso. Si también se derivara la IoU, la red podría bajar la pérdida empeorando su caja hasta que
    merezca la poca confianza que le tiene.

    **A mano.** Una celda, una caja y una clase. La caja está en su sitio, así que su IoU es 1; la confianza es
    :math:`0.6` y la clase, :math:`0.9`: :math:`(0.6-1)^2+(0.9-1)^2=0.17`.

    >>> loss = GridDetectionLoss(boxes=1)
    >>> y_true = [[[[0.5, 0.5, 0.5, 0.5, 1.0, 1.0]]]]
    >>> y_pred = [[[[0.5, 0.5, 0.5, 0.5, 0.6, 0.9]]]]
    >>> round(loss(y_true, y_pred), 6)
    0.17
    >>> loss.gradient(y_true, y_pred).ravel().round(6)
    array([ 0. ,  0. ,  0. ,  0. , -0.8, -0.2])

    Sin objeto solo cuenta la confianza: :math:`\tfrac12\cdot0.6^2=0.18`.

    >>> round(loss(np.zeros((1, 1, 1, 6)), y_pred), 6)
    0.18

    Lo correcto llega como lo da :func:`grid_encode`, de forma :math:`(n,S,S,5+C)`, que es la de lo predicho,
    :func:`grid_output_shape`, con una sola caja: los números van en el mismo orden.

    Parameters
    ----------
    boxes : int
        Cajas por celda, :math:`B`.
    box_weight : float
        :math:`\lambda_{\text{caja}}`.
    empty_weight : float
        :math:`\lambda_{\text{nada}}`.
    """

    name = "grid_detection"

    def __init__(self, boxes=2, box_weight=5.0, empty_weight=0.5):
        self.boxes = check.integer(boxes, "boxes", 1)
        self.box_weight = check.number(box_weight, "box_weight", 0)
        self.empty_weight = check.number(empty_weight, "empty_weight", 0)

    def prepare(self, y_true, output_shape, dtype):
        r"""Como :meth:`chapters.mlp.losses.Loss.prepare`; la salida tiene que ser una rejilla con esas cajas."""
        y_true = check.floats(y_true, "y_true", "...")
        *grid, numbers = output_shape if len(output_shape) == 3 else (0, 1, 0)
        classes = numbers - 5 * self.boxes
        if grid[0] != grid[1] or classes < 1:
            raise ValueError(
                f"y_pred: se esperaba una rejilla de forma (S, S, {5 * self.boxes} + C), pero llegó {output_shape}"
            )
        if y_true.ndim != 4 or y_true.shape[1:] != (*grid, 5 + classes):
            raise ValueError(
                f"y_true: se esperaba la forma (n, {grid[0]}, {grid[1]}, {5 + classes}), pero llegó {y_true.shape}"
            )
        return check.cast(y_true, "y_true", dtype)

    def call(self, y_true, y_pred):
        r"""Da la pérdida de cada imagen, sin promediar."""
        y_true, y_pred, _ = self._arguments(y_true, y_pred, None)
        one, scratch = np.ones(1, y_pred.dtype), np.empty_like(y_pred[:1])
        images = [self.shard(y_true[i : i + 1], y_pred[i : i + 1], one, scratch) for i in range(len(y_pred))]
        return np.array(images, y_pred.dtype)

    def shard(self, y_true, y_pred, weight, gradient):
        r"""Como :meth:`chapters.mlp.losses.Loss.shard`."""
        _, grid, _, k = y_pred.shape
        return _grid_loss(
            y_true.reshape(len(y_pred), grid * grid, -1),
            y_pred.reshape(len(y_pred), grid * grid, k),
            weight,
            gradient.reshape(len(y_pred), grid * grid, k),
            grid,
            self.boxes,
            self.box_weight,
            self.empty_weight,
        )


@kernel
def _corners(box, grid):
    # El centro se mide en celdas, desde la esquina de la suya; el tamaño, en imágenes y con raíz.
    x, y = box[0] / grid, box[1] / grid
    half_width, half_height = box[2] * box[2] / 2, box[3] * box[3] / 2
    return x - half_width, y - half_height, x + half_width, y + half_height


@kernel
def _grid_loss(y_true, y_pred, weight, gradient, grid, boxes, box_weight, empty_weight):
    loss = 0.0
    for i in range(y_pred.shape[0]):
        for cell in range(y_pred.shape[1]):
            target, predicted, slope = y_true[i, cell], y_pred[i, cell], gradient[i, cell]
            # La responsable: la caja que ya se parece más.
            responsible, best = -1, 0.0
            if target[CONFIDENCE] > 0:
                truth = _corners(target, grid)
                for j in range(boxes):
                    overlap = _iou(_corners(predicted[5 * j :], grid), truth)
                    if responsible < 0 or overlap > best:
                        responsible, best = j, overlap
            for j in range(boxes):
                for k in range(5):
                    wanted, omega = 0.0, 0.0
                    if k < CONFIDENCE:
                        if j == responsible:
                            wanted, omega = target[k], box_weight
                    elif j == responsible:
                        wanted, omega = best, 1.0
                    else:
                        omega = empty_weight
                    error = predicted[5 * j + k] - wanted
                    loss += weight[i] * omega * error * error
                    slope[5 * j + k] = 2 * weight[i] * omega * error  # [ec-cnn-yolo-gradiente]
            for k in range(y_pred.shape[2] - 5 * boxes):
                error = predicted[5 * boxes + k] - target[5 + k] if responsible >= 0 else 0.0
                loss += weight[i] * error * error
                slope[5 * boxes + k] = 2 * weight[i] * error
    return loss


def plain_grid_detection_loss(y_true, y_pred, boxes, weights):
    r"""Primero, de cada celda, la meta de cada número y su peso; después, todo son cuadrados."""
    grid, (box_weight, empty_weight) = y_true.shape[1], weights
    wanted, omega = np.zeros_like(y_pred), np.zeros_like(y_pred)
    for at in np.ndindex(y_pred.shape[:3]):
        target, said, weight = y_true[at], y_pred[at], omega[at]
        weight[CONFIDENCE : 5 * boxes : 5] = empty_weight
        if target[CONFIDENCE] > 0:
            frames = [_corners(said[5 * j :], grid) for j in range(boxes)]
            overlaps = iou(frames, [_corners(target, grid)])[:, 0]
            first, last = 5 * overlaps.argmax(), 5 * boxes  # la responsable
            wanted[at][first : first + 5] = [*target[:4], overlaps.max()]
            weight[first : first + 5] = 4 * [box_weight] + [1.0]
            wanted[at][last:], weight[last:] = target[5:], 1.0
    error = (y_pred - wanted) / len(y_pred)
    loss = (omega * (y_pred - wanted) * error).sum()  # [ec-cnn-yolo-gradiente]
    return loss, 2 * omega * error  # [ec-cnn-yolo-gradiente]
