r"""Preguntarle a una red ya entrenada en qué píxeles se fijó."""

import numpy as np

from dlbook import check

# De a cuántos números se le pregunta a la red por la imagen tapada.
LARGEST_BATCH = 2**22


def saliency(model, x, classes=None):
    r"""Mapa de saliencia (*saliency map*): cuánto cambiaría el puntaje de una clase si cambiara cada píxel.

    El gradiente de la pérdida respecto a los pesos dice cómo corregir la red. La misma cuenta, llevada una capa más
    atrás, da el gradiente respecto a la **imagen**, y ahí dice otra cosa: cerca de esta imagen, el puntaje de la clase
    :math:`k` es casi una función lineal,

    .. math::
       :label: ed-cnn-taylor

       z_k(\mathbf x+\boldsymbol\epsilon) \approx z_k(\mathbf x)
       + \sum_{i,j,c} \frac{\partial z_k}{\partial x_{ijc}}\,\epsilon_{ijc} .

    Los píxeles con derivada grande, del signo que sea, son aquellos en los que un cambio pequeño mueve más la respuesta
    :cite:p:`simonyan2013`. Si hay varios canales, se toma el que más mueve:

    .. math::
       :label: ec-cnn-saliencia

       S_{ij} = \max_{c}\ \left|\frac{\partial z_k}{\partial x_{ijc}}\right| .

    **La cuenta.** Basta con ir hacia delante y volver con :math:`\partial z_k/\partial\mathbf z`, que es un vector de
    ceros con un 1 en la clase :math:`k`. Cada capa ya sabe hacer su parte.

    **A mano.** Si la red es una sola neurona por clase, :math:`\mathbf z=\mathbf x\mathbf W`, la derivada es la columna
    :math:`k` de :math:`\mathbf W` y no depende de la imagen. Con dos píxeles y dos clases:

    >>> from chapters.mlp import Dense, Flatten, Input, Sequential
    >>> model = Sequential(
    ...     [Input((1, 2, 1)), Flatten(), Dense(2)], dtype="float64"
    ... )
    >>> model.set_weights([[[1, -3], [2, 0.5]], [0, 0]])
    >>> saliency(model, [[[[1.0], [1.0]]]], 1)  # la columna 1 es (-3, 0.5)
    array([[[3. , 0.5]]])

    Parameters
    ----------
    model : Model
        Una red de imágenes que termina en puntajes, uno por clase, sin *softmax*.
    x : array_like, shape (n, h, w, c)
        Las imágenes.
    classes : int or sequence of int, optional
        La clase por la que se pregunta, una para todas o una por imagen. Sin ella, la que la red contestó.

    Returns
    -------
    ndarray, shape (n, h, w)

    Raises
    ------
    TypeError, ValueError
        Si no es un modelo, si las imágenes no son las de la red o la clase no existe.
    """
    x, z, classes = _answers(model, x, classes)
    dz = np.zeros_like(z)
    dz[np.arange(len(z)), classes] = 1
    return np.abs(model.backward(dz)).max(axis=-1)  # [ec-cnn-saliencia]


def plain_saliency(model, x, classes):
    r"""Adelante, atrás y, de los canales, el que más mueve."""
    z = model.forward(x)
    dz = np.eye(z.shape[1])[classes]
    slopes = model.backward(dz)
    return np.abs(slopes).max(axis=-1)  # [ec-cnn-saliencia]


def occlusion(model, x, size=3, fill_value=0.0, classes=None):
    r"""Mapa de oclusión: cuánto baja el puntaje de una clase al tapar cada rincón de la imagen.

    Es lo que harías con una foto y la mano: tapas un pedazo y preguntas otra vez. Donde más baja el puntaje, más
    contaba lo tapado :cite:p:`zeiler2014`. Sea :math:`\mathbf x^{(i,j)}` la imagen con un cuadro liso de lado :math:`s`
    centrado en el píxel :math:`(i,j)`:

    .. math::
       :label: ec-cnn-oclusion

       O_{ij} = z_k(\mathbf x) - z_k\bigl(\mathbf x^{(i,j)}\bigr) .

    A diferencia del gradiente, aquí el cambio no es pequeño ni hay que derivar nada: sirve con cualquier cosa que
    conteste. El precio es una pregunta por píxel.

    **A mano.** Con una sola neurona, tapar un píxel le quita su producto :math:`w_i x_i`, y eso es lo que baja el
    puntaje:

    >>> from chapters.mlp import Dense, Flatten, Input, Sequential
    >>> model = Sequential(
    ...     [Input((1, 3, 1)), Flatten(), Dense(1)], dtype="float64"
    ... )
    >>> model.set_weights([[[2], [-1], [3]], [10]])
    >>> occlusion(model, [[[[1.0], [4.0], [0.0]]]], size=1)
    array([[[ 2., -4.,  0.]]])

    El segundo píxel estorbaba: sin él, el puntaje sube. El tercero pesa más que ninguno, pero ya valía 0 y taparlo con
    0 no cambia nada. Cuidado con el color del cuadro: también es información.

    Parameters
    ----------
    model : Model
        Como en :func:`saliency`.
    x : array_like, shape (n, h, w, c)
        Las imágenes.
    size : int
        El lado del cuadro, impar.
    fill_value : float
        De qué valor se pinta.
    classes : int or sequence of int, optional
        Como en :func:`saliency`.

    Returns
    -------
    ndarray, shape (n, h, w)

    Raises
    ------
    TypeError, ValueError
        Si no es un modelo, si las imágenes no son las de la red, la clase no existe o el cuadro no es de lado impar.

        >>> occlusion(model, np.zeros((1, 1, 3, 1)), size=2)
        Traceback (most recent call last):
            ...
        ValueError: size: se esperaba un entero impar, pero llegó 2
    """
    if check.integer(size, "size", 1) % 2 == 0:
        raise ValueError(f"size: se esperaba un entero impar, pero llegó {size}")
    fill_value = check.number(fill_value, "fill_value")
    x, z, classes = _answers(model, x, classes)
    n, h, w = x.shape[:3]
    out = np.empty((n, h, w), z.dtype)
    half = size // 2
    # De a tantas copias que quepan holgadas en la memoria.
    some = min(h * w, max(1, LARGEST_BATCH // x[0].size))
    covered = np.empty((some, *x.shape[1:]), x.dtype)
    for k in range(n):
        for start in range(0, h * w, some):
            batch = covered[: h * w - start]
            batch[...] = x[k]
            for p in range(len(batch)):
                i, j = divmod(start + p, w)
                batch[p, max(i - half, 0) : i + half + 1, max(j - half, 0) : j + half + 1] = fill_value
            answers = model.predict(batch)[:, classes[k]]
            out[k].flat[start : start + len(batch)] = z[k, classes[k]] - answers  # [ec-cnn-oclusion]
    return out


def plain_occlusion(model, x, size, fill_value, classes):
    r"""Un cuadro en cada píxel, y la misma pregunta otra vez."""
    n, h, w, _ = x.shape
    half, own = size // 2, (np.arange(n), classes)
    before = model.forward(x)[own]
    out = np.empty((n, h, w))
    for i in range(h):
        for j in range(w):
            covered = x.copy()
            rows = slice(max(0, i - half), i + half + 1)
            columns = slice(max(0, j - half), j + half + 1)
            covered[:, rows, columns] = fill_value
            after = model.forward(covered)[own]
            out[:, i, j] = before - after  # [ec-cnn-oclusion]
    return out


def _answers(model, x, classes):
    # Los puntajes de cada imagen y la clase por la que se pregunta.
    check.model(model)
    x = check.floats(x, "x", "n h w c")
    z = model.forward(x)
    if z.ndim != 2:
        raise ValueError(f"model: se esperaba un puntaje por clase, pero da la forma {z.shape}")
    if classes is None:
        classes = z.argmax(axis=1)
    elif not isinstance(classes, (list, tuple)) and np.ndim(classes) == 0:
        classes = np.full(len(x), check.integer(classes, "classes", 0, z.shape[1] - 1))
    else:
        classes = check.labels(classes, "classes", z.shape[1], "n", {"n": len(x)})
    return x, z, classes
