r"""La misma capa en cada paso de una secuencia."""

import inspect

from chapters.mlp.layer import Layer, text_of_shape
from dlbook import check
from dlbook.training import walk


class TimeDistributed(Layer):
    r"""Aplica una capa a cada paso de una secuencia, con los mismos pesos en todos.

    Una capa que espera una imagen no sabe qué hacer con un video, que son :math:`T` imágenes. No hace falta otra capa:
    lo que sale de cada paso solo depende de ese paso, así que :math:`n` secuencias de :math:`T` pasos son
    :math:`nT` observaciones como cualesquiera:

    .. math::
       :label: ed-rnn-cada-paso

       \mathbf y_{it}=f(\mathbf x_{it};\,\mathbf w) .

    De ida se juntan los dos primeros ejes y al salir se separan; de vuelta, lo mismo con los gradientes, y el de los
    pesos suma lo de todos los pasos.

    **A mano.** Una densa que suma dos números, en tres pasos:

    >>> from chapters.mlp import Dense
    >>> layer = TimeDistributed(Dense(1, use_bias=False), dtype="float64")
    >>> layer.build((3, 2))
    >>> layer.set_weights([[[1.0], [1.0]]])
    >>> layer.forward([[[1, 2], [3, 4], [5, 6]]])
    array([[[ 3.],
            [ 7.],
            [11.]]])
    >>> layer.backward([[[1.0], [0.0], [1.0]]]).shape
    (1, 3, 2)

    A cada peso le toca la suma de su entrada en los pasos con gradiente, :math:`1+5` y :math:`2+6`:

    >>> layer.gradients[0].ravel()
    array([6., 8.])

    Parameters
    ----------
    layer : Layer
        La capa. Recibe una sola entrada y da una sola salida.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`chapters.mlp.Layer`.

    Raises
    ------
    TypeError, ValueError
        Si no es una capa, o si la entrada no tiene un eje para los pasos y otro para cada uno.

        >>> TimeDistributed(Dense(1)).forward([[1.0, 2.0]])
        Traceback (most recent call last):
            ...
        ValueError: x: se esperaba la forma (n, T, …), con un eje para los pasos, pero llegó (n, 2)

    Notes
    -----
    La máscara pasa de largo: dice qué pasos son reales, y a la capa, que ve cada paso por su cuenta, no le hace falta.
    Con tres ejes, (n, T, …), dice además qué es real dentro de cada paso, y esa parte sí le llega, si la recibe. Una
    :class:`~chapters.cnn.BatchNormalization` aquí normaliza con todos los pasos del lote; la de Keras, con los de cada
    instante.
    """

    supports_masking = True
    inner_folders = ("layer",)

    def __init__(self, layer, **options):
        super().__init__(**options)
        if not isinstance(layer, Layer):
            raise TypeError(f"layer: se esperaba una capa, pero llegó {layer!r:.60}")
        if layer.several:
            raise ValueError(f"layer: se esperaba una capa de una sola entrada, pero {layer.name!r} recibe varias")
        self.layer = layer
        self.layers = [layer]
        self.integers = layer.integers

    @property
    def any_size(self):
        r"""Si admite secuencias de otro largo; siempre, pero el resto de la forma es cosa de la capa."""
        return self.layer.any_size

    def build(self, input_shape):
        r"""Construye la capa para un paso."""
        self.compute_output_shape(input_shape)
        super().build(input_shape)
        inner = self.input_shape[1:]
        self.layer.inherit(self)
        if not self.layer.built:
            self.layer.build(inner)
        elif self.layer.input_shape != inner:
            raise ValueError(
                f"{self.layer.name}: se construyó para entradas {self.layer.input_shape}, y le llegan {inner}"
            )

    def compute_output_shape(self, input_shape):
        r"""Devuelve la forma de lo que sale de cada paso, con los pasos delante."""
        shape = check.shape(input_shape, "input_shape", unknown=True)
        if len(shape) < 2:
            raise ValueError(
                f"x: se esperaba la forma (n, T, …), con un eje para los pasos, pero llegó {text_of_shape(shape)}"
            )
        inner = self.layer.compute_output_shape(shape[1:])
        if isinstance(inner, list):
            raise ValueError(f"layer: se esperaba una capa de una sola salida, pero {self.layer.name!r} da varias")
        return (shape[0], *inner)

    def forward(self, x, training=False, mask=None):
        r"""Junta los pasos de todas las secuencias, los pasa por la capa y los separa.

        Parameters
        ----------
        x : array_like, shape (n, T, ...)
            Las secuencias.
        training : bool
            Si se está entrenando.
        mask : array_like of bool, shape (n, T) or (n, T, ...), optional
            Qué es real.

        Returns
        -------
        ndarray, shape (n, T, ...)
        """
        self.x = x = self.ready(x)
        n, steps = x.shape[:2]
        if not steps:
            raise ValueError(f"x: se esperaba al menos un paso, pero llegó la forma {x.shape}")
        options = {}
        if mask is not None:
            mask = check.mask(mask, "mask")
            if mask.shape[:2] != (n, steps):
                raise ValueError(f"mask: se esperaba la forma ({n}, {steps}, …), pero llegó {mask.shape}")
            if mask.ndim > 2 and "mask" in inspect.signature(self.layer.forward).parameters:
                options["mask"] = mask.reshape(-1, *mask.shape[2:])
        for inner in walk(self.layer):
            # Lo que la capa le sume a la pérdida se promedia sobre las secuencias, no sobre los pasos.
            inner.whole = self.whole or n
        y = self.layer.forward(x.reshape(-1, *x.shape[2:]), training, **options)
        self.y = y.reshape(n, steps, *y.shape[1:])
        return self.y

    def backward(self, dy):
        r"""Junta los gradientes de los pasos, los pasa por la capa y los separa."""
        dy = self.output_gradient(dy)
        dx = self.layer.backward(dy.reshape(-1, *dy.shape[2:]))
        return None if dx is None or not self.input_gradient else dx.reshape(self.x.shape)

    def without_input_gradient(self):
        r"""Avisa también a la capa."""
        super().without_input_gradient()
        self.layer.without_input_gradient()

    def work(self):
        r"""Cuenta el trabajo de la capa, una vez por paso."""
        return self.layer.work() * ((self.current_shape or (1,))[0] or 1)
