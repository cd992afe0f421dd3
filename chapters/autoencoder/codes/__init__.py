r"""Códigos: redes que aprietan los datos, y lo que se aprende al apretarlos."""
