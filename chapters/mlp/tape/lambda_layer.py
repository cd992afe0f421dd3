r"""Una función como capa."""

from chapters.mlp.layer import Layer


class Lambda(Layer):
    r"""Hace de una función una capa sin pesos; su vuelta la da la cinta.

    >>> import numpy as np
    >>> from chapters.mlp import Dense, Input, Sequential
    >>> model = Sequential([Input((2,)), Lambda(lambda x: x**2), Dense(1)])
    >>> model.layers[0](np.array([[2.0, -3.0]]))
    array([[4., 9.]], dtype=float32)
    >>> model.layers[0].backward(np.array([[1.0, 1.0]]))
    array([[ 4., -6.]], dtype=float32)

    Parameters
    ----------
    function : callable
        Recibe un tensor y da otro, con el mismo eje de observaciones.
    output_shape : optional
        Está por compatibilidad con Keras: la forma de lo que sale se averigua con un ensayo.
    mask : ndarray of bool or callable, optional
        La máscara de lo que sale, o una función que recibe la entrada y su máscara y la da. Sin ella, se pierde.
    arguments : dict, optional
        Otros argumentos de la función, con nombre.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.

    Notes
    -----
    Una función no se puede guardar en un archivo; quien quiera guardar el modelo escribe una clase con ``call``.
    """

    any_size = True

    def __init__(
        self,
        function,
        output_shape=None,
        mask=None,
        arguments=None,
        **options,
    ):
        super().__init__(**options)
        if not callable(function):
            raise TypeError(f"function: se esperaba una función, pero llegó {function!r:.60}")
        if arguments is not None and not isinstance(arguments, dict):
            raise TypeError(f"arguments: se esperaba un diccionario, pero llegó {arguments!r:.60}")
        self.function, self.output_shape = function, output_shape
        self.mask, self.masks = mask, mask is not None
        self.arguments = arguments

    def compute_mask(self, inputs, previous_mask=None):
        r"""Da la máscara que se dijo al crearla."""
        return self.mask(inputs, previous_mask) if callable(self.mask) else self.mask

    def call(self, x):
        r"""Llama a la función."""
        return self.function(x, **(self.arguments or {}))
