r"""Las figuras en un teléfono: se encogen hasta donde su letra se lee, y de ahí en adelante se deslizan."""

import re
from pathlib import Path

from docutils import nodes

# Lo menos que puede medir la letra de una figura en la pantalla, en píxeles.
SMALLEST = 9
PIXELS_PER_POINT = 96 / 72
# Matplotlib dibuja cada letra a 100 puntos y la encoge: así dice de qué tamaño es.
LETTERS = re.compile(r"scale\(([\d.]+) -\1\)")
WIDTH = re.compile(r'<svg[^>]* width="([\d.]+)pt"')


class sliding(nodes.General, nodes.Element):  # noqa: N801 - así se nombran los nodos de docutils
    r"""La caja de una figura que no se encoge a menos de ``width`` píxeles."""


def narrowest(svg):
    r"""Cuánto tiene que medir de ancho una figura para que se lea su letra más pequeña, en píxeles.

    >>> narrowest('<svg width="300pt"> <g transform="scale(0.09 -0.09)"/> <g transform="scale(0.12 -0.12)"/> </svg>')
    300

    Parameters
    ----------
    svg : str
        El dibujo.

    Returns
    -------
    int
        0 si no tiene letras.
    """
    width, letters = WIDTH.search(svg), [float(size) for size in LETTERS.findall(svg)]
    return round(float(width[1]) * SMALLEST / (100 * min(letters))) if width and letters else 0


def _box(app, doctree, docname):
    if app.builder.format != "html":
        return
    for image in list(doctree.findall(nodes.image)):
        path = Path(app.srcdir, image["uri"])
        if path.suffix == ".svg" and path.is_file() and (width := narrowest(path.read_text(encoding="utf-8"))):
            box = sliding("", width=width)
            image.replace_self(box)
            box += image


def _open(self, node):
    self.body.append(f'<div class="dl-sliding" style="--dl-width: {node["width"]}px">')


def _close(self, node):
    self.body.append("</div>\n")


def setup(app):
    r"""Registra la caja."""
    app.add_node(sliding, html=(_open, _close))
    app.connect("doctree-resolved", _box, priority=900)
