r"""Texto: de una cadena a números enteros."""
