r"""Las redes con nombre y las piezas que solo ellas usan."""
