r"""Cuánto cuesta la atención, y cómo no guardar la matriz."""
