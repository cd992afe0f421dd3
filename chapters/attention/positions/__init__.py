r"""Cómo se le dice a una red dónde está cada cosa."""
