r"""Células dibujadas por nosotros, con su máscara exacta: para aprender a segmentar sin descargar nada."""

import numpy as np

from dlbook import check

# Más células, o más píxeles entre todas, no son para este libro.
MOST = 100_000
MOST_PIXELS = 250_000_000
# Cuántas veces se busca un lugar libre para cada célula.
TRIES = 30


def cell_images(n=100, size=64, cells=6, radius=(0.1, 0.2), light=0.5, noise=0.08, seed=0):
    r"""Imágenes en gris con células de orilla irregular, y qué píxeles son de alguna.

    Cada célula es una elipse abollada con una membrana oscura; por dentro es apenas más clara que el fondo. Ninguna se
    encima con otra. Encima de todo cae una luz dispareja, como la de un microscopio mal ajustado: una esquina de la
    imagen recibe más que la contraria. Por eso ningún tono separa las células del fondo. Al final se suma ruido.

    >>> x, masks = cell_images(2, seed=0)
    >>> x.shape, x.dtype.name, masks.dtype.name
    ((2, 64, 64, 1), 'float32', 'uint8')
    >>> np.unique(masks)
    array([0, 1], dtype=uint8)

    Parameters
    ----------
    n : int
        Cuántas imágenes; a lo sumo cien mil, y 250 millones de píxeles entre todas.
    size : int
        El lado en píxeles, de 16 a 512.
    cells : int
        Cuántas células a lo sumo en cada una, de 1 a 64. Si no caben sin superponerse, se ponen menos.
    radius : (float, float)
        Entre qué y qué miden los semiejes de una célula, en lados de la imagen; de 0.03 a 0.5.
    light : float
        Cuánto cambia la luz de una esquina a la otra, de 0 a 1, con los tonos entre 0 y 1.
    noise : float
        Desviación estándar del ruido, de 0 a 1.
    seed : int or numpy.random.Generator
        Semilla.

    Returns
    -------
    x : ndarray of float32, shape (n, size, size, 1)
        Las imágenes.
    masks : ndarray of uint8, shape (n, size, size, 1)
        1 dentro de una célula, con todo y membrana; 0 fuera.

    Raises
    ------
    TypeError, ValueError
        Si algún argumento no es del tipo o del intervalo que se pide.
    """
    rng = check.generator(seed)
    size = check.integer(size, "size", 16, 512)
    n = check.integer(n, "n", 1, min(MOST, MOST_PIXELS // size**2))
    cells = check.integer(cells, "cells", 1, 64)
    radius = [check.number(r, "radius", 0.03, 0.5) for r in check.sequence(radius, "radius", 2)]
    if radius[0] > radius[1]:
        raise ValueError(f"radius: se esperaba del menor al mayor, pero llegó {tuple(radius)}")
    light, noise = check.number(light, "light", 0, 1), check.number(noise, "noise", 0, 1)
    x, masks = np.empty((n, size, size, 1), np.float32), np.zeros((n, size, size, 1), np.uint8)
    for k in range(n):
        image, masks[k, ..., 0] = _drawn(size, cells, radius, rng)
        image += light * _ramp(size, rng)
        x[k, ..., 0] = image + rng.normal(0, noise, image.shape)
    return x, masks


def _drawn(size, cells, axes, rng):
    row, column = np.mgrid[:size, :size]
    image, taken = np.full((size, size), 0.45), np.zeros((size, size), bool)
    for _ in range(int(rng.integers(max(1, cells // 2), cells + 1))):
        for _ in range(TRIES):
            radius = _radius(row, column, size, axes, rng)
            if not (taken & (radius < 1.1)).any():
                inside, membrane = radius < 1, (radius > 0.75) & (radius < 1)
                image[inside] = rng.uniform(0.5, 0.6)
                image[membrane] = rng.uniform(0.2, 0.3)
                taken |= inside
                break
    return image, taken


def _radius(row, column, size, axes, rng):
    # Qué tan lejos del centro queda cada píxel, en radios de una célula: 1 es la orilla.
    v, u = row - rng.uniform(0, size), column - rng.uniform(0, size)
    tilt, angle = rng.uniform(0, np.pi), np.arctan2(v, u)
    a, b = size * rng.uniform(*axes, 2)
    ellipse = np.hypot((u * np.cos(tilt) + v * np.sin(tilt)) / a, (v * np.cos(tilt) - u * np.sin(tilt)) / b)
    dent = sum(rng.uniform(-0.08, 0.08) * np.cos(k * angle + rng.uniform(0, 2 * np.pi)) for k in (2, 3, 5))
    return ellipse / (1 + dent)


def _ramp(size, rng):
    # De -½ a ½ de una esquina a la otra, en una dirección al azar.
    way = rng.uniform(0, 2 * np.pi)
    along = np.linspace(-0.5, 0.5, size)
    ramp = np.cos(way) * along[:, np.newaxis] + np.sin(way) * along
    return ramp / (abs(np.cos(way)) + abs(np.sin(way)))
