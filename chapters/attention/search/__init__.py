r"""Buscar: de la regresión por núcleos a la atención aditiva."""
