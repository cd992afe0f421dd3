r"""Bloques: capas hechas de capas."""
