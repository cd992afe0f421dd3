r"""Capítulo 4: autocodificadores y modelos generativos."""

__all__ = []
