r"""Detección: cajas, rejilla, supresión y precisión media."""
