r"""Fashion-MNIST: setenta mil fotografías de ropa, con la forma exacta de MNIST."""

import numpy as np

from dlbook.data.files import fetch
from dlbook.data.idx import read_idx
from dlbook.data.mnist import expected, with_labels_of_a_byte

# Los cuatro archivos originales, en el orden en que load_fashion_mnist los entrega.
FILES = {
    **expected(
        "train-images-idx3-ubyte",
        26_421_880,
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        47_040_016,
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    ),
    **expected(
        "train-labels-idx1-ubyte",
        29_515,
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        60_008,
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    ),
    **expected(
        "t10k-images-idx3-ubyte",
        4_422_102,
        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        7_840_016,
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    ),
    **expected(
        "t10k-labels-idx1-ubyte",
        5_148,
        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        10_008,
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
}
MIRRORS = (
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
)

FASHION_MNIST_CLASSES = (
    "camiseta",
    "pantalón",
    "suéter",
    "vestido",
    "abrigo",
    "sandalia",
    "camisa",
    "zapatilla",
    "bolso",
    "botín",
)


def load_fashion_mnist(download=True):
    r"""Las 70 000 fotografías de Fashion-MNIST, de 28 × 28 píxeles, repartidas como las publicaron sus autores.

    En MNIST hasta un modelo sencillo acierta mucho. Han Xiao, Kashif Rasul y Roland Vollgraf juntaron fotografías de
    un catálogo de ropa, en grises y con la misma forma, en las que acertar cuesta más :cite:p:`xiao2017`: donde se
    lee MNIST se puede leer Fashion-MNIST sin cambiar nada. ``FASHION_MNIST_CLASSES`` da los nombres de las diez
    clases, en el orden de las etiquetas.

    Los cuatro archivos originales (31 MB) se buscan en la subcarpeta ``fashion_mnist`` de la carpeta que diga la
    variable de entorno ``DLBOOK_DATA``, y después en la carpeta de caché del usuario. También sirven ya descomprimidos,
    sin ``.gz``. Si no están, se descargan. En todos los casos se comprueba su sha256 antes de usarlos.

    .. code-block:: python

       (x_train, y_train), (x_test, y_test) = load_fashion_mnist()

    Parameters
    ----------
    download : bool
        Con ``False`` no se usa la red: si faltan los archivos, ``FileNotFoundError``.

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        ``x`` : ndarray of uint8, shape (60000, 28, 28) y (10000, 28, 28), de 0 (fondo) a 255. ``y`` : ndarray of int64,
        shape (60000,) y (10000,), con la clase, de 0 a 9.

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
    Zalando lo publicó con la licencia MIT.
    """
    # Sus archivos se llaman como los de MNIST: sueltos en la carpeta serían los otros.
    found = fetch(FILES, MIRRORS, "fashion_mnist", download, loose=False)
    x_train, y_train, x_test, y_test = map(read_idx, found)
    return (x_train, y_train.astype(np.int64)), (x_test, y_test.astype(np.int64))


def load_data():
    r"""Lo mismo que :func:`~dlbook.data.load_fashion_mnist`, como en Keras: con etiquetas de un byte.

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        Todo, ndarray of uint8: ``x``, de forma (60000, 28, 28) y (10000, 28, 28); ``y``, (60000,) y (10000,).
    """
    return with_labels_of_a_byte(load_fashion_mnist())
