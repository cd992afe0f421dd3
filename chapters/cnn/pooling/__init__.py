r"""El agrupamiento, y su contrario, el aumento de tamaño."""
