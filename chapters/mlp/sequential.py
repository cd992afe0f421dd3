r"""Capas una tras otra."""

import math

from chapters.mlp.layer import Layer, _shapes_only, all_or_nothing, distinguish, every_one_of_any_size
from chapters.mlp.model import Model
from dlbook import check, training


class Input:
    r"""La forma de una observación, para construir el modelo desde el principio.

    Sin ella, el modelo espera a ver los primeros datos.

    >>> Input(shape=(784,))
    Input(shape=(784,))

    Parameters
    ----------
    shape : tuple of int
        La forma, sin el eje de las observaciones; ``None`` donde puede ser cualquiera, como en una imagen de cualquier
        tamaño, ``(None, None, 3)``.
    """

    def __init__(self, shape):
        self.shape = check.shape(shape, "shape", unknown=True)

    def __repr__(self):
        r"""Escribe la llamada que la crea."""
        return f"Input(shape={self.shape})"


class Sequential(Model):
    r"""Una red hecha de capas en fila: lo que sale de una entra a la siguiente.

    Hacia delante es la composición :eq:`ed-mlp-composicion`. Hacia atrás es la regla de la cadena, capa por capa, de la
    última a la primera: cada una recibe el gradiente de su salida y devuelve el de su entrada, que es la salida de la
    anterior. La primera capa recibe los datos tal cual, sin activación de por medio :erratum:`E-45`. :item:`MLP-81`

    >>> from chapters.mlp.dense import Dense
    >>> model = Sequential([Input(shape=(2,)), Dense(3, activation="tanh"), Dense(1)], seed=0)
    >>> model.summary()
    Sequential
    capa           forma de salida      parámetros
    dense          (n, 3)                        9
    dense_1        (n, 1)                        4
    Total: 13 parámetros
    >>> model.forward([[0.5, -1.0]]).shape
    (1, 1)

    Sin la forma de la entrada, el modelo se construye con los primeros datos. También se arma poco a poco, y un modelo
    puede ser capa de otro: :item:`MLP-80`

    >>> encoder = Sequential([Dense(4, activation="relu"), Dense(2)])
    >>> model = Sequential()
    >>> model.add(encoder)
    >>> model.add(Dense(4))
    >>> model.built
    False
    >>> model.forward([[1.0, 2.0, 3.0]]).shape
    (1, 4)

    **Sin activación no hay profundidad.** Dos capas densas lineales seguidas son una sola, como se ve en
    :eq:`ec-mlp-colapso`; así están escritas las del curso, y hay que ponerles la activación :erratum:`E-43`.

    Parameters
    ----------
    layers : list of Layer, optional
        Las capas, y si acaso un :class:`Input` al principio.
    trainable, name
        Como en :class:`~chapters.mlp.Layer`.
    **options
        ``dtype`` y ``seed``, como en :class:`~chapters.mlp.Layer`. Las capas a las que
        no se les dio tipo o semilla toman los del modelo.

    Raises
    ------
    TypeError, ValueError
        Si algo no es una capa, o si hay una repetida o dos con el nombre que se les dio.

        >>> Sequential([Dense(3), "relu"])
        Traceback (most recent call last):
            ...
        TypeError: layers: se esperaba una capa, pero llegó 'relu'
    """

    def __init__(self, layers=None, trainable=True, name=None, **options):
        super().__init__(trainable=trainable, name=name, **options)
        self._input = None
        if layers is not None and not isinstance(layers, (list, tuple)):
            raise TypeError(f"layers: se esperaba una lista de capas, pero llegó {layers!r}")
        for layer in layers or ():
            self._append(layer)
        self._build_if_possible()

    def add(self, layer):
        r"""Agrega una capa al final; las demás conservan sus pesos. Si no encaja, todo queda como estaba."""
        touched = [self, layer] if isinstance(layer, Layer) else [self]
        with all_or_nothing(*touched):
            self._append(layer)
            self._build_if_possible()

    def pop(self):
        r"""Quita la última capa y la devuelve."""
        if not self.layers:
            raise ValueError("layers: se esperaba al menos una capa, pero el modelo está vacío")
        return self.layers.pop()

    def build(self, input_shape):
        r"""Construye las capas, cada una con la forma de la salida de la anterior."""
        self._refuse_empty()
        self.compute_output_shape(input_shape)
        super().build(input_shape)
        self._build_layers()

    any_size = property(every_one_of_any_size)

    def adjust_to(self, shape):
        r"""Deja cada capa lista para la forma de lo que le llega."""
        super().adjust_to(shape)
        shapes = [shape]
        for layer in self.layers:
            shapes.append(layer.compute_output_shape(shapes[-1]))
        if not _shapes_only.get():
            # Cada salida puede caber y no caber todas: de una observación se guardan todas, para volver.
            numbers = sum(map(math.prod, shapes[1:]))
            check.memory(numbers, f"{self.name}, lo que sale de sus capas", self.dtype.itemsize)
        for layer, size in zip(self.layers, shapes, strict=False):
            if not layer.built:
                break
            if layer.current_shape != size:
                layer.adjust_to(size)

    def compute_output_shape(self, input_shape):
        r"""Devuelve la forma de la salida de la última capa."""
        shape = check.shape(input_shape, "input_shape", unknown=True)
        for layer in self.layers:
            shape = layer.compute_output_shape(shape)
        return tuple(shape)

    def forward(self, x, training=False):
        r"""Pasa la entrada por todas las capas."""
        self._refuse_empty()
        y = self.input(x)
        for layer in self.layers:
            y = layer.forward(y, training)
        self.y = y
        return y

    def backward(self, dy):
        r"""Lleva el gradiente de la última capa a la primera."""
        dy = self.output_gradient(dy)
        for layer in reversed(self.layers):
            dy = layer.backward(dy)
            if dy is None or not layer.input_gradient:
                return None
        return dy

    def without_input_gradient(self):
        r"""Avisa a las capas del principio, hasta la primera que se entrena: atrás de ella no hay qué corregir."""
        super().without_input_gradient()
        for layer in self.layers:
            layer.without_input_gradient()
            if layer.trainable_weights:
                break

    def work(self):
        r"""Suma el trabajo de las capas."""
        return sum(layer.work() for layer in self.layers)

    def _refuse_empty(self):
        if not self.layers:
            raise ValueError(f"{self.name}: se esperaba al menos una capa, pero el modelo está vacío")

    def _append(self, layer):
        if isinstance(layer, Input):
            if self.layers or self.built:
                raise ValueError("layers: Input va al principio, antes de todas las capas")
            if self._input is not None:
                raise ValueError(f"layers: se esperaba un solo Input, pero hay dos, de {self._input} y {layer.shape}")
            self._input = layer.shape
            return
        # La capa y las que contiene también han de caber un nivel más abajo.
        training.check_depth(check.layer(layer, "layers"), level=2)
        if layer is self or any(layer is other for other in self.layers):
            raise ValueError(
                f"layers: la capa {layer.name!r} está repetida; cada una guarda lo suyo, usa dos distintas"
            )
        distinguish(layer, self.layers, "layers")
        if not self.layers and not self.built and self._input is None:
            self._input = layer.first_shape
        self.layers.append(layer)

    def _build_if_possible(self):
        if self.built:
            self._build_layers()
        elif self._input is not None and self.layers:
            self.build_inside(self._input)

    def _build_layers(self):
        shape = self.input_shape
        for layer in self.layers:
            layer.inherit(self)
            if not layer.built:
                layer.build(shape)
            elif layer.input_shape != shape:
                raise ValueError(f"{layer.name}: se construyó para entradas {layer.input_shape}, y le llegan {shape}")
            shape = layer.compute_output_shape(shape)
        self._bind()
