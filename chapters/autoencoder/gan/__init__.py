r"""Dos redes, una contra otra."""
