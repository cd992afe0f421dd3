r"""Los dígitos de 8 × 8 que vienen con scikit-learn: reales, pequeños y sin red."""

import numpy as np

from dlbook import check


def load_digits(test_fraction=0.2, seed=0):
    r"""Dígitos escritos a mano, de 8 × 8 píxeles, repartidos en entrenamiento y prueba.

    Son las 1797 imágenes que scikit-learn trae consigo: no se descarga nada. Varias personas escribieron
    dígitos en un formulario; cada uno se digitalizó en 32 × 32 puntos blancos o negros, y cada píxel de la imagen
    cuenta cuántos de los 16 puntos de un bloque de 4 × 4 quedaron con tinta. Por eso los valores van de 0 a 16
    :cite:p:`alpaydin1998`.

    El reparto es **estratificado**: cada dígito guarda en las dos partes la misma proporción, salvo redondeo. Con la
    misma semilla, es siempre el mismo.

    >>> (x_train, y_train), (x_test, y_test) = load_digits()
    >>> x_train.shape, x_test.shape
    ((1437, 8, 8), (360, 8, 8))
    >>> int(x_train.min()), int(x_train.max())
    (0, 16)
    >>> np.bincount(y_test)  # cuántos ceros, unos, doses… hay en la prueba
    array([36, 37, 35, 37, 36, 36, 36, 36, 35, 36])

    Parameters
    ----------
    test_fraction : float
        Parte de las imágenes que se reserva para la prueba, entre 0.01 y 0.99.
    seed : int or numpy.random.Generator
        Semilla del reparto.

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        ``x`` : ndarray of uint8, shape (n, 8, 8), con valores de 0 a 16. ``y`` : ndarray of int64, shape (n,), con el
        dígito escrito.

    Raises
    ------
    TypeError, ValueError
        Si ``test_fraction`` o ``seed`` no sirven.

        >>> load_digits(test_fraction=1.5)
        Traceback (most recent call last):
            ...
        ValueError: test_fraction: se esperaba un número de al menos 0.01 y de a lo sumo 0.99, pero llegó 1.5

    Notes
    -----
    Las etiquetas son ``int64`` y no ``uint8``, como en Keras, a propósito: con ``uint8``, pasar de {0, 1} a {−1, 1}
    mediante ``2 * y - 1`` convierte el 0 en 255 sin avisar. Las imágenes sí son ``uint8``: divídelas entre 16 antes de
    calcular con ellas.
    """
    test_fraction = check.number(test_fraction, "test_fraction", 0.01, 0.99)
    rng = check.generator(seed)
    # scikit-learn tarda en importarse: solo lo paga quien pide los dígitos.
    from sklearn import datasets
    from sklearn.model_selection import train_test_split

    digits = datasets.load_digits()
    x, y = digits.images.astype(np.uint8), digits.target.astype(np.int64)
    x_train, x_test, y_train, y_test = train_test_split(
        x,
        y,
        test_size=test_fraction,
        stratify=y,
        random_state=int(rng.integers(2**32)),
    )
    return (x_train, y_train), (x_test, y_test)
