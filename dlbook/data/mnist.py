r"""MNIST: setenta mil dígitos escritos a mano, el banco de pruebas más usado del campo."""

import numpy as np

from dlbook.attributes import only
from dlbook.data.files import Expected, fetch
from dlbook.data.idx import read_idx


def expected(name, size, sha256, plain_size, plain_sha256):
    r"""Dice cómo se reconoce un archivo comprimido, o el mismo descomprimido.

    Parameters
    ----------
    name : str
        Su nombre, sin ``.gz``.
    size, sha256
        Del comprimido.
    plain_size, plain_sha256
        Del descomprimido.

    Returns
    -------
    dict of str to Expected
    """
    # Mucha gente los tiene descomprimidos, con uno de estos dos nombres.
    plain = Expected(plain_size, plain_sha256)
    return {f"{name}.gz": Expected(size, sha256, {name: plain, name.replace("-idx", ".idx"): plain})}


# Los cuatro archivos originales, en el orden en que load_mnist los entrega.
FILES = {
    **expected(
        "train-images-idx3-ubyte",
        9_912_422,
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        47_040_016,
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    ),
    **expected(
        "train-labels-idx1-ubyte",
        28_881,
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        60_008,
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    ),
    **expected(
        "t10k-images-idx3-ubyte",
        1_648_877,
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        7_840_016,
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    ),
    **expected(
        "t10k-labels-idx1-ubyte",
        4_542,
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        10_008,
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
}
MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)


def load_mnist(download=True):
    r"""Las 70 000 imágenes de MNIST, de 28 × 28 píxeles, repartidas como las publicaron sus autores.

    Los escribieron empleados de la oficina del censo y estudiantes de secundaria de Estados Unidos. LeCun, Cortes y
    Burges llevaron los dígitos a un mismo tamaño y centraron cada imagen en el centro de masa de su tinta
    :cite:p:`lecun1998`. Quien escribió para el entrenamiento no escribió para la prueba: así se mide si la red aprendió
    a leer, y no si reconoce una letra que ya había visto.

    Los cuatro archivos originales (11 MB) se buscan en la carpeta que diga la variable de entorno ``DLBOOK_DATA``, en
    ella misma o en su subcarpeta ``mnist``, y después en la carpeta de caché del usuario. También sirven ya
    descomprimidos, sin ``.gz``. Si no están, se descargan. En todos los casos se comprueba su sha256 antes de usarlos.

    .. code-block:: python

       (x_train, y_train), (x_test, y_test) = load_mnist()

    Parameters
    ----------
    download : bool
        Con ``False`` no se usa la red: si faltan los archivos, ``FileNotFoundError``.

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        ``x`` : ndarray of uint8, shape (60000, 28, 28) y (10000, 28, 28), de 0 (papel) a 255 (tinta). ``y`` : ndarray
        of int64, shape (60000,) y (10000,), con el dígito escrito.

    Raises
    ------
    FileNotFoundError
        Si faltan archivos y ``download`` es falso, o si ``DLBOOK_DATA`` no es una carpeta.
    ValueError
        Si un archivo de ``DLBOOK_DATA`` está cortado, dañado o es otro.
    ConnectionError
        Si hay que descargar y no se puede; el mensaje dice qué archivos traer, de dónde y adónde.

    Notes
    -----
    Las etiquetas son ``int64`` por la misma razón que en :func:`~dlbook.data.load_digits`. Yann LeCun y Corinna Cortes
    conservan los derechos de MNIST, derivado de los conjuntos originales del NIST y ofrecido con la licencia Creative
    Commons Attribution-Share Alike 3.0.
    """
    x_train, y_train, x_test, y_test = map(read_idx, fetch(FILES, MIRRORS, "mnist", download))
    return (x_train, y_train.astype(np.int64)), (x_test, y_test.astype(np.int64))


def with_labels_of_a_byte(sets):
    r"""Da los mismos conjuntos con las etiquetas en ``uint8``, como los entrega Keras.

    >>> with_labels_of_a_byte([(np.zeros((1, 2)), np.array([7]))])
    ((array([[0., 0.]]), array([7], dtype=uint8)),)

    Parameters
    ----------
    sets : iterable of tuple
        Pares ``(x, y)``.

    Returns
    -------
    tuple of tuple
    """
    return tuple((x, y.astype(np.uint8)) for x, y in sets)


def load_data(path="mnist.npz"):
    r"""Lo mismo que :func:`~dlbook.data.load_mnist`, como en Keras: con etiquetas de un byte.

    Parameters
    ----------
    path : {"mnist.npz"}
        Está por compatibilidad: los archivos son los que busca :func:`~dlbook.data.load_mnist`.

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        Todo, ndarray of uint8: ``x``, de forma (60000, 28, 28) y (10000, 28, 28); ``y``, (60000,) y (10000,).
    """
    only(path, "path", "mnist.npz")
    return with_labels_of_a_byte(load_mnist())
