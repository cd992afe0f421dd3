r"""De una categoría a un vector de ceros con un solo uno."""

import numpy as np

from chapters.mlp.preprocessing.categories import as_categories
from dlbook import check


def one_hot(values, categories=None):
    r"""Escribe cada categoría como un vector de ceros con un uno en su lugar (*one-hot encoding*).

    Una red multiplica y suma, y no se puede multiplicar «amarillo». Numerar los colores, rojo 0, amarillo 1, verde 2,
    la engaña: creería que el verde es el doble que el amarillo y que el amarillo está **entre** los otros dos.
    Se le da a cada categoría una columna propia, y se enciende la que toca:

    .. math::
       :label: ec-mlp-one-hot

       y_{ik} = [\,c_i = k\,] ,

    donde :math:`c_i` es la categoría del ejemplo :math:`i`: un 1 en la columna de su categoría y ceros en las demás.
    Cada fila suma uno, y así también se lee como una probabilidad: toda para la categoría correcta.

    **Ninguna está en medio.** La distancia entre dos categorías distintas es siempre la misma. Sus vectores difieren en
    dos lugares, y en cada uno por 1: :math:`\sqrt{1^2+1^2}=\sqrt2`.

    **A mano.** La variable *color* del curso, con tres categorías: :item:`MLP-71` :worked:`WE-17`

    >>> colors = ["rojo", "rojo", "amarillo", "verde", "amarillo"]
    >>> one_hot(colors, ["rojo", "amarillo", "verde"])
    array([[1., 0., 0.],
           [1., 0., 0.],
           [0., 1., 0.],
           [0., 0., 1.],
           [0., 1., 0.]])

    Las etiquetas de un clasificador suelen venir ya numeradas, y basta con decir cuántas hay. Al clasificar, **una
    neurona de salida por categoría**: la matriz de lo deseado tiene tantas columnas como categorías, aunque alguna
    no aparezca en estos datos: :item:`MLP-72`

    >>> one_hot([2, 0], 4)
    array([[0., 0., 1., 0.],
           [1., 0., 0., 0.]])
    >>> one_hot(np.arange(10), 10).shape
    (10, 10)

    **Lo que cuesta.** Casi todo son ceros. Con 950 categorías, un ejemplo de cada una ya son 902 500 números, y solo
    950 no son cero:

    >>> y = one_hot(np.arange(950))
    >>> y.size, int((y == 0).sum())
    (902500, 901550)

    Parameters
    ----------
    values : array_like, shape (n,)
        Una categoría por ejemplo: textos o enteros.
    categories : sequence or int, optional
        Las categorías, en el orden de las columnas, o cuántas hay si están numeradas desde 0. Sin ellas, los
        enteros de 0 al mayor que aparezca.

    Returns
    -------
    ndarray, shape (n, K)

    Raises
    ------
    TypeError
        Si hay textos y no se dicen las categorías.
    ValueError
        Si hay un valor que no es una de ellas, si alguna está repetida o si no hay ningún ejemplo.

        >>> one_hot(["azul"], ["rojo", "amarillo", "verde"])
        Traceback (most recent call last):
            ...
        ValueError: values: se esperaba 'rojo' o 'amarillo' o 'verde', pero llegó 'azul'
    """
    if categories is None or isinstance(categories, (int, np.integer)):
        values = check.floats(values, "values", "n")
        classes = int(values.max()) + 1 if categories is None else check.integer(categories, "categories", 1)
        index = check.labels(values, "values", max(classes, 1))
    else:
        categories = as_categories(categories, "categories")
        index = _positions(values, categories)
        classes = len(categories)
    check.memory(len(index) * classes, "values, una columna por categoría", 8)
    y = np.zeros((len(index), classes))
    y[np.arange(len(index)), index] = 1  # [ec-mlp-one-hot]
    return y


def plain_one_hot(values, categories):
    r"""Un uno en la columna de cada categoría."""
    y = np.zeros((len(values), len(categories)))
    for i, category in enumerate(values):
        y[i, categories.index(category)] = 1  # [ec-mlp-one-hot]
    return y


def _positions(values, categories):
    place = {category: k for k, category in enumerate(categories)}
    if len(place) < len(categories):
        raise ValueError(f"categories: se esperaban categorías distintas, pero llegaron {categories}")
    values = as_categories(values, "values")
    for value in values:
        check.choice(value, "values", place, exact=True)
    return [place[value] for value in values]


def to_categorical(x, num_classes=None):
    r"""Escribe unas clases numeradas como vectores de ceros con un uno: :func:`one_hot` con el nombre de Keras.

    Las clases pueden venir con la forma que sea; la de los vectores es la misma, con un eje más al final. Un último
    eje de tamaño 1, como el de las etiquetas de CIFAR-10 en Keras, se quita antes.

    >>> to_categorical([[2], [0]])
    array([[0., 0., 1.],
           [1., 0., 0.]])
    >>> to_categorical([[2, 0]], num_classes=4).shape
    (1, 2, 4)

    Parameters
    ----------
    x : array_like of int
        Las clases, desde 0.
    num_classes : int, optional
        Cuántas hay. Sin decirlo, las de 0 a la mayor que aparezca.

    Returns
    -------
    ndarray, shape (..., num_classes)

    Raises
    ------
    TypeError, ValueError
        Si hay algo que no es una de las clases.

        >>> to_categorical([0, 3], num_classes=3)
        Traceback (most recent call last):
            ...
        ValueError: x: se esperaba un entero entre 0 y 2, pero hay un 3 en la posición (1,)
    """
    x = check.floats(x, "x", "...")
    x = x[..., 0] if x.ndim > 1 and x.shape[-1] == 1 else x
    if num_classes is None:
        num_classes = max(int(x.max()) + 1, 1)
    classes = check.integer(num_classes, "num_classes", 1)
    index = check.labels(x, "x", classes, "...")
    check.memory(index.size * classes, "x, una columna por clase", 8)
    y = np.zeros((index.size, classes))
    y[np.arange(index.size), index.reshape(-1)] = 1
    return y.reshape(*index.shape, classes)
