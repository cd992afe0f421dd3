r"""Escenas dibujadas por nosotros, con la caja de cada figura: para aprender a detectar sin descargar nada."""

import numpy as np

from dlbook import check

# Las clases, por su etiqueta.
SHAPES = "círculo", "cuadrado", "triángulo"
# Más escenas, o más píxeles entre todas, no son para este libro.
MOST = 100_000
MOST_PIXELS = 250_000_000


def shape_scenes(n=100, size=48, objects=3, noise=0.08, seed=0):
    r"""Imágenes en gris con unas cuantas figuras de tamaño y tono al azar, y la caja de cada una.

    Cada escena tiene de una a ``objects`` figuras: círculos (0), cuadrados (1) y triángulos (2). Miden entre la quinta
    parte y casi la mitad del lado de la imagen, son más claras o más oscuras que el fondo, y sus cajas se superponen
    poco: nunca más de la décima parte de lo que ocupan juntas. Al final se suma ruido.

    >>> x, boxes, classes = shape_scenes(2, seed=0)
    >>> x.shape, x.dtype.name
    ((2, 48, 48, 1), 'float32')
    >>> [len(b) for b in boxes] == [len(c) for c in classes]
    True
    >>> bool((boxes[0] >= 0).all() and (boxes[0] <= 1).all())
    True

    Parameters
    ----------
    n : int
        Cuántas escenas; a lo sumo cien mil, y 250 millones de píxeles entre todas.
    size : int
        El lado de la imagen en píxeles, de 16 a 512.
    objects : int
        Cuántas figuras a lo sumo en cada una, de 1 a 8. Si no caben sin superponerse, se ponen menos.
    noise : float
        Desviación estándar del ruido, con los tonos entre 0 y 1.
    seed : int or numpy.random.Generator
        Semilla.

    Returns
    -------
    x : ndarray of float32, shape (n, size, size, 1)
        Las imágenes, con tonos entre 0 y 1 antes del ruido.
    boxes : list of ndarray of float64, shape (k, 4)
        Las cajas :math:`(x_1, y_1, x_2, y_2)` de cada imagen, en fracciones de su lado.
    classes : list of ndarray of int64, shape (k,)
        Qué figura hay en cada caja.

    Raises
    ------
    TypeError, ValueError
        Si algún argumento no es del tipo o del intervalo que se pide.
    """
    rng = check.generator(seed)
    size = check.integer(size, "size", 16, 512)
    n = check.integer(n, "n", 1, min(MOST, MOST_PIXELS // size**2))
    objects = check.integer(objects, "objects", 1, 8)
    noise = check.number(noise, "noise", 0, 1)
    x = np.empty((n, size, size, 1), np.float32)
    scenes = [_scene(size, objects, rng) for _ in range(n)]
    for k, (image, _, _) in enumerate(scenes):
        x[k, :, :, 0] = image + rng.normal(0, noise, (size, size))
    return x, [boxes for _, boxes, _ in scenes], [classes for _, _, classes in scenes]


def _scene(size, objects, rng):
    background = rng.uniform(0.3, 0.7)
    image = np.full((size, size), background)
    boxes, classes = [], []
    for _ in range(rng.integers(1, objects + 1)):
        for _ in range(20):
            width = rng.uniform(0.2, 0.45)
            x1, y1 = rng.uniform(0, 1 - width, 2)
            box = np.array([x1, y1, x1 + width, y1 + width])
            if all(_overlap(box, other) <= 0.1 for other in boxes):
                kind = int(rng.integers(len(SHAPES)))
                # Ni tan parecida al fondo que no se vea.
                tone = background + rng.choice([-1, 1]) * rng.uniform(0.2, 0.3)
                image = np.where(_inside(kind, box, size), tone, image)
                boxes.append(box)
                classes.append(kind)
                break
    return image, np.array(boxes), np.array(classes, np.int64)


def _inside(kind, box, size):
    # Los centros de los píxeles, de 0 a 1 dentro de la caja.
    center = (np.arange(size) + 0.5) / size
    u = (center[None, :] - box[0]) / (box[2] - box[0])
    v = (center[:, None] - box[1]) / (box[3] - box[1])
    if kind == 0:
        return (u - 0.5) ** 2 + (v - 0.5) ** 2 <= 0.25
    within = (u >= 0) & (u <= 1) & (v >= 0) & (v <= 1)
    # El triángulo apunta hacia arriba: a la altura v, abarca v/2 a cada lado del centro.
    return within if kind == 1 else within & (np.abs(u - 0.5) <= v / 2)


def _overlap(a, b):
    sides = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    shared = np.prod(np.maximum(sides, 0))
    return shared / (np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - shared)
