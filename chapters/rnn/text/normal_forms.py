r"""Las formas normales de Unicode: un mismo texto se puede escribir con distintos números."""

import unicodedata

from dlbook import check


def normalize_text(
    text,
    form="NFC",
    casefold=False,
    strip_accents=False,
    keep="",
):
    r"""Deja un texto en una sola de las maneras de escribirlo con Unicode.

    La eñe de «año» puede ser un carácter, U+00F1, o dos: una ene y una tilde que se pone encima, U+0303. En pantalla
    son iguales; para un programa, no. La forma NFC junta todo lo que se puede juntar y la NFD separa todo lo que se
    puede separar; NFKC y NFKD además cambian por letras corrientes las que solo se distinguen en el dibujo, como la
    ligadura de «ﬁn»; y también el exponente de «10²», que queda en «102».

    **A mano.** Dos «año» que no son iguales hasta que se normalizan:

    >>> one, two = "a\u00f1o", "an\u0303o"
    >>> len(one), len(two), one == two
    (3, 4, False)
    >>> normalize_text(two) == one, len(normalize_text(one, "NFD"))
    (True, 4)

    Quitar las mayúsculas junta «Rosa» con «rosa». Quitar los acentos junta más: «año» con «ano», «pasó» con «paso».

    >>> normalize_text("MAÑANA, Ángel", casefold=True)
    'mañana, ángel'
    >>> normalize_text("un año, ¿qué pasó?", strip_accents=True)
    'un ano, ¿que paso?'
    >>> normalize_text("un año, ¿qué pasó?", strip_accents=True, keep="ñÑ")
    'un año, ¿que paso?'

    Parameters
    ----------
    text : str
        El texto.
    form : {"NFC", "NFD", "NFKC", "NFKD"}
        La forma.
    casefold : bool
        Si se quitan las mayúsculas.
    strip_accents : bool
        Si se quitan las marcas que llevan las letras: acentos, diéresis, cedillas y la tilde de la eñe.
    keep : str
        Las letras a las que no se les quitan.

    Returns
    -------
    str

    Raises
    ------
    TypeError, ValueError
        Si no es un texto, o no hay tal forma.

        >>> normalize_text("año", "NFX")
        Traceback (most recent call last):
            ...
        ValueError: form: se esperaba 'NFC' o 'NFD' o 'NFKC' o 'NFKD', pero llegó 'NFX'
    """
    form = check.choice(form, "form", ["NFC", "NFD", "NFKC", "NFKD"])
    keep = unicodedata.normalize("NFC", string(keep, "keep"))
    text = unicodedata.normalize("NFC", string(text, "text"))
    if check.boolean(casefold, "casefold"):
        text = text.casefold()
    if check.boolean(strip_accents, "strip_accents"):
        letters = unicodedata.normalize("NFC", text)
        text = "".join(c if c in keep else _bare(c) for c in letters)
    return unicodedata.normalize(form, text)


def _bare(letter):
    parts = unicodedata.normalize("NFD", letter)
    return "".join(c for c in parts if not unicodedata.combining(c))


def string(value, name):
    r"""Devuelve ``value`` si es un texto, aunque esté vacío.

    >>> string("", "text")
    ''
    >>> string(3, "text")
    Traceback (most recent call last):
        ...
    TypeError: text: se esperaba un texto, pero llegó 3

    Parameters
    ----------
    value : object
        Lo que llegó.
    name : str
        Cómo se llama el argumento.

    Returns
    -------
    str
    """
    return value if isinstance(value, str) and not value else check.text(value, name)


def counted(value, name):
    r"""Devuelve ``value`` si es un diccionario de palabras y cuántas veces está cada una.

    >>> counted({"gato": 2}, "words")
    {'gato': 2}
    >>> counted({"gato": 0}, "words")
    Traceback (most recent call last):
        ...
    ValueError: words: se esperaba un entero de al menos 1, pero llegó 0

    Parameters
    ----------
    value : object
        Lo que llegó.
    name : str
        Cómo se llama el argumento.

    Returns
    -------
    dict of str to int
    """
    if not isinstance(value, dict):
        raise TypeError(f"{name}: se esperaba un diccionario de palabras y cuentas, pero llegó {type(value).__name__}")
    return {string(word, name): check.integer(n, name, 1) for word, n in value.items()}
