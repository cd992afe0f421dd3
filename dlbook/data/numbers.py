r"""Los números, en palabras: la mitad de un problema de traducción que se puede corregir solo."""

from dlbook import check

# Del 0 al 29 hay que sabérselos: se escriben en una palabra.
UNITS_AND_TEENS = """
cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis diecisiete dieciocho
diecinueve veinte veintiuno veintidós veintitrés veinticuatro veinticinco veintiséis veintisiete veintiocho veintinueve
"""
SMALL = UNITS_AND_TEENS.split()
TENS = ["treinta", "cuarenta", "cincuenta", "sesenta", "setenta", "ochenta", "noventa"]
FIRST_HUNDREDS = ["ciento", "doscientos", "trescientos", "cuatrocientos", "quinientos"]
HUNDREDS = [*FIRST_HUNDREDS, "seiscientos", "setecientos", "ochocientos", "novecientos"]


def spanish_number(n):
    r"""Escribe un entero en palabras, como se lee en español.

    Las reglas caben en cinco líneas, y una red tiene que aprender también sus excepciones:

    - hasta el veintinueve, una palabra; desde el treinta, decenas **y** unidades;
    - cien justo es «cien»; con algo detrás, «ciento»;
    - quinientos, setecientos y novecientos no salen de cinco, siete y nueve;
    - mil va solo, sin un «uno» delante; después, «dos mil», «tres mil»…;
    - antes de «mil», «uno» pierde su última letra: «veintiún mil», «treinta y un mil».

    >>> spanish_number(243)
    'doscientos cuarenta y tres'
    >>> [spanish_number(n) for n in (16, 22, 31, 100, 101)]
    ['dieciséis', 'veintidós', 'treinta y uno', 'cien', 'ciento uno']
    >>> spanish_number(21_021)
    'veintiún mil veintiuno'
    >>> spanish_number(555_555)
    'quinientos cincuenta y cinco mil quinientos cincuenta y cinco'

    Parameters
    ----------
    n : int
        El número, de 0 a 999 999.

    Returns
    -------
    str
        En minúsculas y con sus acentos.

    Raises
    ------
    TypeError, ValueError
        Si no es un entero, o si no está entre 0 y 999 999.

        >>> spanish_number(1_000_000)
        Traceback (most recent call last):
            ...
        ValueError: n: se esperaba un entero entre 0 y 999999, pero llegó 1000000
    """
    n = check.integer(n, "n", 0, 999_999)
    thousands, rest = divmod(n, 1000)
    if not thousands:
        return _below_thousand(rest)
    words = "mil" if thousands == 1 else f"{_shortened(_below_thousand(thousands))} mil"
    return f"{words} {_below_thousand(rest)}" if rest else words


def _below_thousand(n):
    if n == 100:
        return "cien"
    if n > 100:
        hundreds, rest = HUNDREDS[n // 100 - 1], n % 100
        return f"{hundreds} {_below_thousand(rest)}" if rest else hundreds
    if n < 30:
        return SMALL[n]
    tens = TENS[n // 10 - 3]
    return f"{tens} y {SMALL[n % 10]}" if n % 10 else tens


def _shortened(words):
    # Ante «mil», «veintiuno» es «veintiún» y «treinta y uno», «treinta y un».
    if words.endswith("veintiuno"):
        return words.removesuffix("uno") + "ún"
    return words.removesuffix("o") if words.endswith("uno") else words
