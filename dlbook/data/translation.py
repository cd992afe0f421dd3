r"""Frases en español y en inglés, por parejas: con qué aprender a traducir."""

import zipfile
import zlib

from dlbook import check
from dlbook.data.files import Expected, fetch

SPANISH_ENGLISH = {
    "spa-eng.zip": Expected(
        2_638_744,
        "0c4fd7825d3d872488d38c157f784e035edab4f2ff0df25a2a208790ecb5b58f",
    )
}
COMMIT = "8be2e56afcc09e53e5e8ff0bff50ca815cddb5ac"
PINOKIO = "https://raw.githubusercontent.com/JEdward7777/Pinokio/"
SPANISH_ENGLISH_MIRRORS = (
    "https://storage.googleapis.com/download.tensorflow.org/data/",
    f"{PINOKIO}{COMMIT}/",
)
# De cada cuántas frases inglesas, una es para la prueba.
ONE_OF = 20


def load_spanish_english(download=True, max_words=8):
    r"""Frases cortas de la vida diaria en español, cada una con su traducción al inglés.

    Las escribieron y tradujeron los voluntarios de Tatoeba; la selección es la de ManyThings, de mayo de 2018. Hay
    118 964 parejas, y muchas frases tienen varias traducciones: «Go.» es «Ve.», «Vete.», «Vaya.» y «Váyase.». El
    archivo (2.6 MB) se busca en la subcarpeta ``traduccion`` de ``DLBOOK_DATA`` y después en la carpeta de caché del
    usuario; si no está, se descarga, y siempre se comprueba su sha256.

    .. code-block:: python

       train, test = load_spanish_english()
       spanish, english = train[0]

    **El reparto** no es al azar: una frase inglesa va a la prueba según la cuenta de sus letras (su CRC-32), y con
    ella todas sus traducciones. De lo que queda para entrenar se quitan las parejas cuya frase española también está
    en la prueba. Así ninguna frase, en ninguno de los dos idiomas, está en las dos partes.

    Parameters
    ----------
    download : bool
        Con ``False`` no se usa la red: si falta el archivo, ``FileNotFoundError``.
    max_words : int
        Cuántas palabras, separadas por espacios, puede tener a lo sumo cada frase, en los dos idiomas.

    Returns
    -------
    train, test : list of (str, str)
        Las parejas, ``(español, inglés)``, en el orden del archivo: de las más cortas a las más largas.

    Raises
    ------
    TypeError, ValueError
        Si ``max_words`` no es un entero de al menos 1.
    FileNotFoundError, ValueError, ConnectionError
        Como en :func:`~dlbook.data.load_quijote`.

    Notes
    -----
    Las frases son de Tatoeba (tatoeba.org), por medio de ManyThings (www.manythings.org/anki), con licencia
    CC BY 2.0 (creativecommons.org/licenses/by/2.0). Si las usas, dilo así.
    """
    max_words = check.integer(max_words, "max_words", 1)
    download = check.boolean(download, "download")
    files, mirrors = SPANISH_ENGLISH, SPANISH_ENGLISH_MIRRORS
    (path,) = fetch(files, mirrors, "traduccion", download)
    with zipfile.ZipFile(path) as file:
        text = file.read("spa-eng/spa.txt").decode("utf-8")
    train, test = [], []
    for line in text.splitlines():
        english, spanish = line.split("\t")
        if max(len(english.split()), len(spanish.split())) <= max_words:
            tested = zlib.crc32(english.encode()) % ONE_OF == 0
            (test if tested else train).append((spanish, english))
    seen = {spanish for spanish, _ in test}
    return [pair for pair in train if pair[0] not in seen], test
