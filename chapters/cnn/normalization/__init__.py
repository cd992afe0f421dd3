r"""Normalizar por lotes y por vecindad."""
