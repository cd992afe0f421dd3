r"""Difusión: deshacer el ruido paso a paso."""
