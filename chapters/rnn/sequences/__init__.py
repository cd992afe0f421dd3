r"""Secuencias de distinto largo: rellenar y tapar."""
