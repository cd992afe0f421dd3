r"""Agrupamiento por el mínimo: el máximo, con los signos cambiados."""

import numpy as np

from chapters.cnn.max_pooling import MaxPooling2D


class MinPooling2D(MaxPooling2D):
    r"""Agrupamiento por el mínimo (*min pooling*): el menor de cada ventana es menos el mayor de los opuestos."""

    def forward(self, x, training=False):
        r"""Se queda con el menor de cada ventana."""
        x = self.input(x)
        opposite = np.negative(x, out=self.buffer("opposite", x.shape))
        return np.negative(super().forward(opposite, training), out=self.buffer("least", self.y.shape))
