r"""La atención: puntajes, pesos, máscaras y cabezas."""
