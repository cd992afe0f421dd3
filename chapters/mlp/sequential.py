r"""Capas una tras otra."""

from chapters.mlp.activation import Activation
from chapters.mlp.activations import ActivationFunction
from chapters.mlp.graph import Call, Graph, Slot
from chapters.mlp.input_layer import Input, InputLayer
from chapters.mlp.layer import Layer, all_or_nothing, distinguish
from chapters.mlp.symbol import Symbol
from dlbook import check, training
from dlbook.numeric.recording import perform

__all__ = ["Input", "Sequential"]

FLOATING = ("float16", "float32", "float64", "bool")


class Sequential(Graph):
    r"""Una red hecha de capas en fila: lo que sale de una entra a la siguiente.

    Hacia delante es la composición :eq:`ed-mlp-composicion`. Hacia atrás es la regla de la cadena, capa por capa, de la
    última a la primera: cada una recibe el gradiente de su salida y devuelve el de su entrada, que es la salida de la
    anterior. La primera capa recibe los datos tal cual, sin activación de por medio. :erratum:`E-45` :item:`MLP-81`

    >>> from chapters.mlp.dense import Dense
    >>> model = Sequential(
    ...     [Input(shape=(2,)), Dense(3, activation="tanh"), Dense(1)], seed=0
    ... )
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
    :eq:`ec-mlp-colapso`: ponle activación a todas las ocultas. :erratum:`E-43`

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
        # La forma, el tipo y el nombre de la entrada, si se dijeron; los valores simbólicos, cuando se construya.
        self._input = self.input_dtype = self._input_name = None
        self._inputs = self._outputs = ()
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
        with all_or_nothing(self):
            layer = self.layers.pop()
            self._chain()
            if self.built and self.layers:
                self.retrace()
        return layer

    def build(self, input_shape):
        r"""Construye las capas, cada una con la forma de la salida de la anterior."""
        self._refuse_empty()
        super().build(input_shape)

    def compute_output_shape(self, input_shape):
        r"""Devuelve la forma de la salida de la última capa."""
        if len(self.calls) != len(self.layers):
            # Alguien cambió la lista sin usar ``add`` ni ``pop``.
            self._chain()
        if self.layers and getattr(self.layers[0], "taped", False) and not self.layers[0].built:
            # Quien solo dice qué calcula se ensaya con lo que le va a llegar.
            self.layers[0].integer_inputs = [self.takes_integers(0)]
        return super().compute_output_shape(input_shape)

    def forward(self, x, training=False, mask=None):
        r"""Pasa la entrada por todas las capas."""
        self._refuse_empty()
        if self.masks or mask is not None:
            return super().forward(x, training, mask)
        y = self.ready(x)
        for layer in self.layers:
            y = perform(layer.forward, y, training=training)
        self.y = y
        return y

    def backward(self, dy):
        r"""Lleva el gradiente de la última capa a la primera."""
        dy = self.output_gradient(dy)
        for layer in reversed(self.layers):
            dy = perform(layer.backward, dy)
            if dy is None or not layer.input_gradient:
                return None
        return dy

    def retrace(self):
        r"""Apunta la fila con valores simbólicos: así cada capa sabe su entrada y su salida."""
        door = InputLayer(self.input_shape, dtype=self.input_dtype, name=self._input_name)
        value = door.output
        self._inputs = [value]
        for layer in self.layers:
            value = layer.record((value,), {})
        self._outputs = [value]

    def takes_integers(self, k):
        r"""Dice si lo que entra son enteros: si lo dice el Input, o la primera capa."""
        return (self.input_dtype or "float32") not in FLOATING or super().takes_integers(k)

    @property
    def input_names(self):
        r"""El nombre de la entrada."""
        return [self._input_name or "input"]

    def _refuse_empty(self):
        if not self.layers:
            raise ValueError(f"{self.name}: se esperaba al menos una capa, pero el modelo está vacío")

    def _append(self, layer):
        if isinstance(layer, InputLayer):
            layer = layer.output
        if isinstance(layer, Symbol) and isinstance(layer.node.layer, InputLayer):
            if self.layers or self.built:
                raise ValueError("layers: Input va al principio, antes de todas las capas")
            if self._input is not None:
                raise ValueError(
                    f"layers: se esperaba un solo Input, pero hay dos, de {self._input} y {layer.observation}"
                )
            self._input, self.input_dtype = layer.observation, layer.dtype
            self._input_name = layer.name if layer.node.layer._own["name"] else None
            return
        if isinstance(layer, ActivationFunction):
            layer = Activation(layer)
        # La capa y las que contiene también han de caber un nivel más abajo.
        training.check_depth(check.layer(layer, "layers"), level=2)
        if layer is self or any(layer is other for other in self.layers):
            raise ValueError(
                f"layers: la capa {layer.name!r} está repetida; en una fila cada una va una vez: usa dos distintas, o "
                f"Model(inputs, outputs)"
            )
        distinguish(layer, self.layers, "layers")
        if not self.layers and not self.built and self._input is None:
            self._input = layer.first_shape
        self.layers.append(layer)
        self._chain()

    def _chain(self):
        calls = [Call(k, (Slot(k),), {}, (k + 1,)) for k in range(len(self.layers))]
        self._arrange(calls, 1, [len(calls)])

    def _build_if_possible(self):
        if self.built:
            self._build_layers()
        elif self._input is not None and self.layers:
            self.build_inside(self._input)

    def _build_layers(self):
        super()._build_layers()
        self.retrace()
