r"""El banco de trabajo del libro: datos, figuras, comprobaciones y herramientas de las páginas.

``chapters`` importa ``dlbook``; ``dlbook`` nunca importa un capítulo.
"""

__version__ = "0.1.0"
