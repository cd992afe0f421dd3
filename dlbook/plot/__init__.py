r"""Las figuras que comparten los capítulos, todas con el mismo estilo."""

from dlbook.plot.diagrams import network, neuron, paths, tower
from dlbook.plot.flow import Box, flow
from dlbook.plot.history import curves
from dlbook.plot.pictures import cells, images
from dlbook.plot.plane import decision_regions, line, points
from dlbook.plot.style import COLORS, GRAY, LINES, MARKERS, use_style
from dlbook.plot.table import table

__all__ = [
    "COLORS",
    "GRAY",
    "LINES",
    "MARKERS",
    "Box",
    "cells",
    "curves",
    "decision_regions",
    "flow",
    "images",
    "line",
    "network",
    "neuron",
    "paths",
    "points",
    "table",
    "tower",
    "use_style",
]
