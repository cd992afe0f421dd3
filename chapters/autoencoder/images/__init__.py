r"""Imágenes: autocodificadores que miran, ruidos, y cuánto se parecen dos imágenes."""
