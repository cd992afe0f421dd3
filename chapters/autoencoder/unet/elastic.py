r"""Deformación elástica: estirar una imagen como si fuera de hule, y su máscara con ella."""

import numpy as np

from dlbook import check


def elastic_field(shape, alpha=3.0, sigma=6.0, seed=None):
    r"""Un campo suave de desplazamientos al azar: hacia dónde se corre cada píxel.

    A cada píxel le toca un desplazamiento al azar, :math:`\mathbf r(u,v)`, con sus dos componentes entre :math:`-1` y
    1. Así, vecinos irían para lados contrarios y la imagen se haría arena. Se **alisa** con una gaussiana de
    :math:`\sigma` píxeles, y los vecinos acaban yendo casi juntos :cite:p:`simard2003`. Alisar encoge; se
    vuelve a estirar para que el desplazamiento cuadrático medio sea de :math:`\alpha` píxeles:

    .. math::
       :label: ec-ae-elastica-campo

       \mathbf s = G_\sigma * \mathbf r ,\qquad
       \mathbf d = \alpha\,\frac{\mathbf s}
       {\sqrt{\operatorname{media}_{u,v}\lVert\mathbf s(u,v)\rVert^2}} .

    >>> field = elastic_field((64, 64), alpha=3, sigma=6, seed=0)
    >>> field.shape, round(float(np.sqrt((field**2).sum(axis=0).mean())), 6)
    ((2, 64, 64), 3.0)

    Parameters
    ----------
    shape : (int, int)
        Alto y ancho de la imagen.
    alpha : float
        Cuánto se mueve un píxel, en píxeles; de 0 a 1000.
    sigma : float
        Qué tan suave es, en píxeles, mayor que 0 y hasta 1000. Si es mucho menor que ``alpha``, el hule se pliega.
    seed : int or numpy.random.Generator, optional
        Semilla.

    Returns
    -------
    ndarray of float64, shape (2, h, w)
        Cuántas filas y cuántas columnas.

    Raises
    ------
    TypeError, ValueError
        Si algún argumento no es del tipo o del intervalo que se pide.
    """
    import scipy

    shape = check.shape(shape, "shape")
    if len(shape) != 2:
        raise ValueError(f"shape: se esperaba (h, w), pero llegó {shape}")
    alpha = check.number(alpha, "alpha", 0, 1000)
    sigma = check.number(sigma, "sigma", 0, 1000, open_low=True)
    check.memory(6 * shape[0] * shape[1], "shape", 8)
    noise = check.generator(seed).uniform(-1, 1, (2, *shape))
    smooth = scipy.ndimage.gaussian_filter(noise, (0, sigma, sigma))
    return alpha * smooth / np.sqrt((smooth**2).sum(axis=0).mean())  # [ec-ae-elastica-campo]


def _read(image, places, order):
    # Con orden 1, interpolando; con orden 0, el más cercano.
    import scipy

    options = {"order": order, "mode": "reflect"}
    channels = [image[..., c] for c in range(image.shape[-1])]
    return np.stack([scipy.ndimage.map_coordinates(c, places, **options) for c in channels], axis=-1)


def plain_elastic_deformation(images, masks, alpha, sigma, seed):
    """Estira imágenes y máscaras, cada pareja con su campo."""
    rng, (h, w) = np.random.default_rng(seed), images.shape[1:3]
    bent, painted = np.empty_like(images), None
    if masks is not None:
        painted = np.empty_like(masks)
    for k in range(len(images)):
        places = np.mgrid[:h, :w] + elastic_field((h, w), alpha, sigma, rng)
        bent[k] = _read(images[k], places, order=1)  # [ec-ae-elastica]
        if masks is not None:
            painted[k] = _read(masks[k], places, order=0)
    return bent if masks is None else (bent, painted)


def elastic_deformation(images, masks=None, alpha=3.0, sigma=6.0, seed=None):
    r"""Deforma cada imagen con su propio campo, y su máscara con el mismo.

    Con el campo :math:`\mathbf d` de :func:`elastic_field`, cada píxel de la imagen nueva lee la vieja en otro lugar:

    .. math::
       :label: ec-ae-elastica

       \tilde x(u,v) = x\bigl(u+d_1(u,v),\ v+d_2(u,v)\bigr) .

    Ese lugar casi nunca cae en un píxel. En la imagen se interpola entre los cuatro vecinos. En la máscara, no: entre
    la clase 0 y la clase 1 no hay una clase ½, y se toma el píxel **más cercano**. Fuera de la imagen se lee su
    reflejo. :item:`AE-32`

    >>> images, masks = np.random.default_rng(0).random((2, 2, 16, 16, 1))
    >>> masks = (masks > 0.5).astype(np.uint8)
    >>> bent, painted = elastic_deformation(images, masks, seed=0)
    >>> bent.shape, painted.dtype.name, np.unique(painted)
    ((2, 16, 16, 1), 'uint8', array([0, 1], dtype=uint8))

    Con :math:`\alpha=0`, nada se mueve:

    >>> np.array_equal(elastic_deformation(images, alpha=0, seed=0), images)
    True

    Parameters
    ----------
    images : array_like, shape (n, h, w, c)
        Las imágenes.
    masks : array_like, shape (n, h, w, k), optional
        Sus máscaras, de cualquier tipo de número.
    alpha, sigma, seed
        Los de :func:`elastic_field`.

    Returns
    -------
    bent : ndarray, shape (n, h, w, c)
        Las imágenes.
    painted : ndarray, shape (n, h, w, k)
        Las máscaras, con su tipo; solo si se dieron.

    Raises
    ------
    TypeError, ValueError
        Si algún argumento no es del tipo o del intervalo que se pide, o si a una imagen no le toca una máscara de su
        tamaño.

        >>> elastic_deformation(images, masks[:, :8])
        Traceback (most recent call last):
            ...
        ValueError: masks: se esperaban máscaras de (2, 16, 16), como las imágenes, pero llegaron (2, 8, 16)
    """
    images, rng = check.floats(images, "images", "n h w c"), check.generator(seed)
    if masks is not None:
        masks, size = check.numbers_of(masks, "masks", "n h w k"), images.shape[:3]
        if masks.shape[:3] != size:
            came = masks.shape[:3]
            raise ValueError(f"masks: se esperaban máscaras de {size}, como las imágenes, pero llegaron {came}")
    return plain_elastic_deformation(images, masks, alpha, sigma, rng)
