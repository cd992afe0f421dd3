r"""Los cinco cursos que dieron origen al libro: sus temas, sus ejemplos y sus erratas.

De estos datos, y de las marcas que las páginas ponen donde los tratan, salen los apéndices «Mapa del curso»,
«Ejemplos del curso» y «Fe de erratas». Los textos están en MyST Markdown, y los doctests que contienen se ejecutan.
"""

import csv
import tomllib
from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True)
class Course:
    r"""Un curso, con los datos que sus láminas imprimen.

    ``institution``, ``people`` y ``year`` quedan vacíos (``year``, en 0) cuando no los imprimen; ``note`` lo dice.
    """

    code: str
    title: str
    institution: str
    people: list[str]
    year: int
    note: str


@dataclass(frozen=True)
class Item:
    r"""Un tema enseñable de los cursos."""

    id: str
    chapter: str
    kind: str
    title: str
    courses: list[str]


@dataclass(frozen=True)
class Example:
    r"""Un ejemplo numérico de los cursos: lo que imprime la lámina, el veredicto y nuestra cuenta."""

    id: str
    title: str
    chapter: str
    courses: list[str]
    slide: str
    verdict: str
    ours: str


@dataclass(frozen=True)
class Erratum:
    r"""Una errata: lo que dice la lámina, lo que es correcto y la prueba (una cuenta, una fuente o ambas)."""

    id: str
    title: str
    section: str
    grave: bool
    chapter: str
    courses: list[str]
    says: str
    correct: str
    proof: str


def courses():
    r"""Devuelve los cinco cursos, en el orden de su código.

    Returns
    -------
    list of Course

    Examples
    --------
    >>> len(courses())
    5
    >>> courses()[0].people
    ['Rodolfo Ferro']
    """
    return _toml("courses", "course", Course)


def inventory():
    r"""Devuelve los temas de los cursos, en el orden en que conviene leerlos.

    Returns
    -------
    list of Item

    Examples
    --------
    >>> len(inventory())
    513
    >>> inventory()[0].id, inventory()[0].courses
    ('INT-01', ['A', 'C'])
    """
    with files(__name__).joinpath("inventory.csv").open(encoding="utf8", newline="") as file:
        return [Item(**row | {"courses": row["courses"].split()}) for row in csv.DictReader(file)]


def examples():
    r"""Devuelve los ejemplos numéricos de los cursos, por orden de identificador.

    Returns
    -------
    list of Example

    Examples
    --------
    >>> len(examples())
    37
    >>> examples()[9].id, examples()[9].verdict
    ('WE-10', 'redondeo')
    """
    return _toml("examples", "example", Example)


def errata():
    r"""Devuelve las erratas de los cursos, por orden de identificador.

    Returns
    -------
    list of Erratum

    Examples
    --------
    >>> len(errata())
    84
    >>> errata()[0].correct.startswith("Es $-14$")
    True
    """
    return _toml("errata", "erratum", Erratum)


def _toml(name, key, kind):
    rows = tomllib.loads(files(__name__).joinpath(f"{name}.toml").read_text(encoding="utf8"))[key]
    return [kind(**{k: v.strip() if isinstance(v, str) else v for k, v in row.items()}) for row in rows]
