r"""Vectores que se aprenden para cada palabra."""
