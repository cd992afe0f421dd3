r"""Imágenes: píxeles, colores, histogramas y aumento de datos."""
