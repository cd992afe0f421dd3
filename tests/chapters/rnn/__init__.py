"""Pruebas del capítulo 5."""
