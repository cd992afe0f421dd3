r"""Programas: escribir, traducir, pronosticar y contestar."""
