r"""Textos: don Quijote entero, el Shakespeare de Karpathy y un capítulo que viene con el libro."""

import gzip
from importlib import resources

from dlbook.data.files import Expected, fetch

# Con la cabecera y la licencia del Proyecto Gutenberg, en ISO-8859-1 y con CRLF; en su lugar sirven el mismo
# comprimido y el texto ya limpio, como lo entrega load_quijote.
QUIJOTE = {
    "2000-8.txt": Expected(
        2_155_394,
        "4973737f16b7e8b8972c08e54a95b7bc43b5d93d6738bc08f9256f9c2c68a2ba",
        {
            "quijote.txt": Expected(2_141_519, "6b6980190ef34f73b2496bcbf530596a16cdc7ebc39d03f20c9a53a93d73f3f2"),
            "2000-8.txt.gz": Expected(803_359, "34b05f6c750308cb681f0c907847582b73608ee8aa23f478b6b67ce6a7609578"),
        },
    )
}
QUIJOTE_MIRRORS = (
    "https://raw.githubusercontent.com/GITenberg/Don-Quijote_2000/7879f2c1653ec515d125f49b177c3ef7f596bc3f/",
)
QUIJOTE_START, QUIJOTE_END = "El ingenioso hidalgo don Quijote de la Mancha", "End of Project Gutenberg's Don Quijote"

TINYSHAKESPEARE_SHA256 = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"
TINYSHAKESPEARE = {
    "input.txt": Expected(
        1_115_394,
        TINYSHAKESPEARE_SHA256,
        {"tinyshakespeare.txt": Expected(1_115_394, TINYSHAKESPEARE_SHA256)},
    )
}
TINYSHAKESPEARE_MIRRORS = (
    "https://raw.githubusercontent.com/karpathy/char-rnn/6f9487a6fe5b420b7ca9afb0d7c078e37c1d1b4e/data/tinyshakespeare/",
)


def load_quijote(download=True):
    r"""Las dos partes de *Don Quijote*, en un solo texto: más de dos millones de caracteres.

    Es la edición del Proyecto Gutenberg sin su cabecera ni su licencia, con las líneas separadas por ``\n`` y sin
    espacios al final de ellas; lo demás, como está, con sus líneas de unos 75 caracteres. El archivo (2 MB) se
    busca en la carpeta que diga la variable de entorno ``DLBOOK_DATA``, en ella misma o en su subcarpeta ``texto``, y
    después en la carpeta de caché del usuario; también sirve ya limpio, con el nombre ``quijote.txt``. Si no está, se
    descarga. En todos los casos se comprueba su sha256 antes de usarlo.

    .. code-block:: python

       text = load_quijote()
       train, test = text[: len(text) * 9 // 10], text[len(text) * 9 // 10 :]

    Parameters
    ----------
    download : bool
        Con ``False`` no se usa la red: si falta el archivo, ``FileNotFoundError``.

    Returns
    -------
    str
        El texto: 2 097 953 caracteres, de los que 91 son distintos.

    Raises
    ------
    FileNotFoundError
        Si falta el archivo y ``download`` es falso, o si ``DLBOOK_DATA`` no es una carpeta.
    ValueError
        Si el archivo de ``DLBOOK_DATA`` está cortado, dañado o es otro.
    ConnectionError
        Si hay que descargar y no se puede; el mensaje dice qué archivo traer, de dónde y adónde.

    Notes
    -----
    La obra es del dominio público: Cervantes murió en 1616.
    """
    (path,) = fetch(QUIJOTE, QUIJOTE_MIRRORS, "texto", download)
    content = path.read_bytes()
    if path.name == "quijote.txt":
        return content.decode("utf-8")
    content = gzip.decompress(content) if path.suffix == ".gz" else content
    lines = content.decode("iso-8859-1").replace("\r\n", "\n").split("\n")
    text = "\n".join(line.rstrip() for line in lines)
    return text[text.index(QUIJOTE_START) : text.index(QUIJOTE_END)].rstrip() + "\n"


def load_tinyshakespeare(download=True):
    r"""Fragmentos de las obras de Shakespeare en un solo texto, con los que se suelen comparar los modelos de letras.

    Andrej Karpathy lo reunió para una entrada de su bitácora :cite:p:`karpathy2015b`, y desde entonces es la vara con
    que se miden muchos programas que escriben letra por letra. Lo usual es entrenar con el primer 90 %. El archivo
    (1 MB) se busca en la subcarpeta ``texto`` de ``DLBOOK_DATA``, con el nombre ``tinyshakespeare.txt``, y después en
    la carpeta de caché del usuario; si no está, se descarga, y siempre se comprueba su sha256.

    .. code-block:: python

       text = load_tinyshakespeare()

    Parameters
    ----------
    download : bool
        Con ``False`` no se usa la red: si falta el archivo, ``FileNotFoundError``.

    Returns
    -------
    str
        El texto: 1 115 394 caracteres, de los que 65 son distintos.

    Raises
    ------
    FileNotFoundError, ValueError, ConnectionError
        Como en :func:`~dlbook.data.load_quijote`.
    """
    (path,) = fetch(TINYSHAKESPEARE, TINYSHAKESPEARE_MIRRORS, "texto", download, loose=False)
    return path.read_bytes().decode("ascii")


def small_text():
    r"""El capítulo primero de *Don Quijote*: un texto pequeño que viene con el libro, sin red ni archivos.

    >>> text = small_text()
    >>> len(text), len(set(text)), len(text.split())
    (10478, 63, 1895)
    >>> print(text[102:227])
    En un lugar de la Mancha, de cuyo nombre no quiero acordarme, no ha mucho
    tiempo que vivía un hidalgo de los de lanza en asti

    Es, letra por letra, un trozo de lo que da :func:`~dlbook.data.load_quijote`, con sus mismas líneas.

    Returns
    -------
    str
    """
    folder = resources.files(__package__)
    content = folder.joinpath("quijote_primero.txt").read_bytes()
    return content.decode("utf-8")
