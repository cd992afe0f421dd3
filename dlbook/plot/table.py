r"""Una tabla de números con sus nombres: en una página se tiñe, y en una terminal se lee."""

from html import escape

import numpy as np

from dlbook import check
from dlbook.plot.style import COLORS


class Table:
    r"""Lo que da :func:`table`: sabe escribirse en HTML, para una página, y en texto, para una terminal.

    >>> Table([["1.5"]], [[0.0]], ["a"], ["x"])
         x
    a  1.5

    Parameters
    ----------
    cells : list of list of str
        Lo que dice cada casilla.
    strengths : list of list of float
        De −1 a 1, hacia qué color se tiñe y cuánto.
    rows, columns : list of str
        Los nombres.
    """

    def __init__(self, cells, strengths, rows, columns):
        self.cells, self.strengths, self.rows, self.columns = cells, strengths, rows, columns

    def __repr__(self):
        r"""La escribe con espacios."""
        lines = [["", *self.columns], *([name, *row] for name, row in zip(self.rows, self.cells, strict=True))]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        first = widths[0]
        return "\n".join(
            "  ".join([line[0].ljust(first), *(text.rjust(w) for text, w in zip(line[1:], widths[1:], strict=True))])
            for line in lines
        )

    def _repr_html_(self):
        head = "".join(f'<th scope="col">{escape(name)}</th>' for name in self.columns)
        body = ""
        for name, row, strengths in zip(self.rows, self.cells, self.strengths, strict=True):
            cells = "".join(map(_cell, row, strengths))
            body += f'<tr><th scope="row">{escape(name)}</th>{cells}</tr>'
        return (
            f'<div class="dl-numbers" tabindex="0"><table><thead><tr><td></td>{head}</tr></thead>'
            f"<tbody>{body}</tbody></table></div>"
        )


def _cell(text, strength):
    color = COLORS[1] if strength > 0 else COLORS[0]
    # En hexadecimal, la cuarta pareja es qué tan opaco es.
    tint = f' style="background-color: {color}{round(90 * abs(strength)):02x}"' if strength else ""
    return f"<td{tint}>{escape(text)}</td>"


def table(values, rows=None, columns=None, decimals=2):
    r"""Escribe una matriz con el nombre de cada fila y de cada columna, y tiñe cada casilla según su número.

    Naranja es positivo y azul negativo, más fuerte cuanto más lejos del cero. Las casillas de :math:`-\infty`, que en
    la atención son las que no se pueden mirar, no se tiñen.

    >>> table([[1.25, -0.5], [0, -np.inf]], ["el", "gato"], ["1", "2"])
             1      2
    el    1.25  −0.50
    gato  0.00     −∞

    Parameters
    ----------
    values : array_like, shape (m, n)
        Los números; pueden ser infinitos.
    rows, columns : sequence of str, optional
        Los nombres; sin ellos, los índices desde 0.
    decimals : int
        Cuántos decimales se escriben, de 0 a 9.

    Returns
    -------
    Table

    Raises
    ------
    TypeError, ValueError
        Si no es una matriz de números, o si los nombres no son tantos como sus filas y columnas.

        >>> table([[1.0, 2.0]], ["a", "b"])
        Traceback (most recent call last):
            ...
        ValueError: rows: se esperaban 1 elementos, pero llegaron 2
    """
    values = check.numbers_of(values, "values", "m n").astype(float)
    if np.isnan(values).any() or not values.size:
        raise ValueError("values: se esperaban números, pero hay casillas sin número o ninguna casilla")
    m, n = values.shape
    decimals = check.integer(decimals, "decimals", 0, 9)
    rows = [str(name) for name in check.sequence(range(m) if rows is None else rows, "rows", m)]
    columns = [str(name) for name in check.sequence(range(n) if columns is None else columns, "columns", n)]
    finite = np.where(np.isfinite(values), values, 0)
    largest = np.abs(finite).max() or 1.0
    return Table(
        [[_text(value, decimals) for value in row] for row in values], (finite / largest).tolist(), rows, columns
    )


def _text(value, decimals):
    text = f"{value:.{decimals}f}".replace("inf", "∞").replace("-", "−")
    # Un cero con signo es un cero.
    return text[1:] if text.startswith("−") and not text.strip("−0.") else text
