r"""Leer en los dos sentidos, y juntar las dos lecturas."""

from chapters.cnn.blocks.residual import build_paths, check_distinct
from chapters.mlp.dense import _rows
from chapters.mlp.layer import Layer
from chapters.rnn.recurrent.recurrent import Recurrent
from chapters.rnn.sequences.masking import zero_out
from dlbook import check
from dlbook.numeric.elementwise import add, multiply
from dlbook.numeric.kernel import kernel
from dlbook.saving import objects


@kernel
def _turn(x, y):
    # Los pasos de cada secuencia, del último al primero.
    n, steps, d = x.shape
    for i in range(n):
        for t in range(steps):
            for j in range(d):
                y[i, t, j] = x[i, steps - 1 - t, j]


@kernel
def _put_together(a, b, out):
    # Dos matrices, lado a lado.
    first = a.shape[1]
    for i in range(out.shape[0]):
        for j in range(first):
            out[i, j] = a[i, j]
        for j in range(b.shape[1]):
            out[i, first + j] = b[i, j]


@kernel
def _take_apart(x, a, b):
    first = a.shape[1]
    for i in range(x.shape[0]):
        for j in range(first):
            a[i, j] = x[i, j]
        for j in range(b.shape[1]):
            b[i, j] = x[i, first + j]


class Bidirectional(Layer):
    r"""Lee cada secuencia dos veces, de ida y de vuelta, con dos capas recurrentes.

    En «el banco del parque» y «el banco del pueblo», lo que dice de qué banco se trata viene **después**. Una capa que
    lee de izquierda a derecha llega a «banco» sin saberlo. Con otra que lea al revés, cada posición :math:`t` tiene dos
    resúmenes: el de todo lo anterior, :math:`\overrightarrow{\mathbf h}_t`, y el de todo lo que sigue,
    :math:`\overleftarrow{\mathbf h}_t`. Se ponen uno al lado del otro:

    .. math::
       :label: ed-rnn-bidireccional

       \mathbf y_t=\bigl[\overrightarrow{\mathbf h}_t,\overleftarrow{\mathbf h}_t\bigr] .

    La segunda capa da sus estados en el orden en que leyó, así que se invierten para que hablen de la misma posición.
    De regreso, cada capa recibe su mitad del gradiente, y a la entrada le llega la suma. Es para secuencias que se
    tienen enteras: para predecir la palabra que sigue sería trampa.

    **A mano.** Dos capas que solo suman lo que les llega, con la activación lineal y pesos 1. De ida salen las sumas
    desde el principio; de vuelta, las sumas hasta el final:

    >>> from chapters.rnn.recurrent.simple_rnn import SimpleRNN
    >>> adder = SimpleRNN(1, "linear", return_sequences=True)
    >>> layer = Bidirectional(adder, dtype="float64")
    >>> layer.build((3, 1))
    >>> layer.set_weights([[[1.0]], [[1.0]], [0.0]] * 2)
    >>> layer.forward([[[1.0], [2.0], [4.0]]])
    array([[[1., 7.],
            [3., 6.],
            [7., 4.]]])

    Con gradiente 1 en la primera posición, :math:`x_1` está en las dos sumas, y los otros, solo en la de vuelta:

    >>> layer.backward([[[1.0, 1.0], [0.0, 0.0], [0.0, 0.0]]]).ravel()
    array([2., 1., 1.])

    Parameters
    ----------
    layer : Recurrent
        La capa que lee de ida.
    merge_mode : {"concat", "sum", "mul", "ave"} or None
        Cómo se juntan las dos lecturas: lado a lado, sumadas, multiplicadas o promediadas; con ``None`` salen las dos,
        en una lista.
    backward_layer : Recurrent, optional
        La que lee de vuelta; sin ella, una con los argumentos de la primera y el orden contrario.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`chapters.mlp.Layer`.

    Raises
    ------
    TypeError, ValueError
        Si no son capas recurrentes, si leen en el mismo sentido o si no dan lo mismo.

        >>> Bidirectional(adder, backward_layer=SimpleRNN(1, return_sequences=True))
        Traceback (most recent call last):
            ...
        ValueError: backward_layer: se esperaba una en el sentido contrario, pero go_backwards es False en las dos

    Notes
    -----
    Donde la máscara tapa un paso y sale un vector por paso, ese vector es cero, como en Keras. ``initial_state`` es una
    lista: primero los estados de la capa de ida y luego los de la otra.
    """

    any_size = supports_masking = True
    side_inputs = ("initial_state",)
    inner_folders = "forward_layer", "backward_layer"
    state_gradients = None

    def __init__(self, layer, merge_mode="concat", *, backward_layer=None, **options):
        super().__init__(**options)
        self.layer = self._recurrent(layer, "layer")
        self.merge_mode = check.choice(merge_mode, "merge_mode", ["concat", "sum", "mul", "ave", None])
        if backward_layer is None:
            own = objects.arguments(layer, type(layer)) | {"go_backwards": not layer.go_backwards}
            if not layer._own["dtype"]:
                del own["dtype"]
            backward_layer = type(layer)(**own | {"name": f"backward_{layer.name}"})
        self.backward_layer = self._recurrent(backward_layer, "backward_layer")
        for name in ("return_sequences", "return_state", "stateful"):
            one, other = getattr(layer, name), getattr(backward_layer, name)
            if one != other:
                raise ValueError(f"backward_layer: se esperaba {name}={one}, como en la otra, pero es {other}")
        if layer.go_backwards == backward_layer.go_backwards:
            raise ValueError(
                f"backward_layer: se esperaba una en el sentido contrario, pero go_backwards es "
                f"{layer.go_backwards} en las dos"
            )
        if merge_mode not in ("concat", None) and layer.units != backward_layer.units:
            raise ValueError(
                f"merge_mode: para {merge_mode!r} se esperaban dos capas con las mismas unidades, pero tienen "
                f"{layer.units} y {backward_layer.units}"
            )
        self.layers = [self.layer, self.backward_layer]
        check_distinct(self)

    @staticmethod
    def _recurrent(layer, name):
        if not isinstance(layer, Recurrent):
            raise TypeError(f"{name}: se esperaba una capa recurrente, como LSTM o GRU, pero llegó {layer!r:.60}")
        return layer

    @classmethod
    def from_config(cls, config, custom_objects=None):
        r"""Crea la capa con lo que dio ``get_config``, aquí o en Keras."""
        config = dict(config) if isinstance(config, dict) else config
        for name in ("layer", "backward_layer") if isinstance(config, dict) else ():
            if isinstance(config.get(name), dict) and isinstance(config[name].get("config"), dict):
                # Keras se lo pone a las dos; aquí los pasos tapados dan ceros sin que nadie lo pida.
                inner = {k: v for k, v in config[name]["config"].items() if k != "zero_output_for_mask"}
                config[name] = config[name] | {"config": inner}
        return super().from_config(config, custom_objects)

    return_sequences = property(lambda self: self.layer.return_sequences, doc="Si sale un vector por paso.")
    return_state = property(lambda self: self.layer.return_state, doc="Si salen además los estados finales.")
    stateful = property(lambda self: self.layer.stateful, doc="Si cada llamada sigue donde acabó la anterior.")

    def reset_state(self):
        r"""Olvida los estados de las dos capas, si son ``stateful``."""
        for layer in self.layers:
            layer.reset_state()

    # Como se llamaba antes en Keras.
    reset_states = reset_state

    def build(self, input_shape):
        r"""Construye las dos capas para la misma entrada."""
        self.compute_output_shape(input_shape)
        super().build(input_shape)
        build_paths(self)

    def compute_output_shape(self, input_shape):
        r"""Devuelve la forma de lo que sale; una lista, si son varias cosas."""
        (one, *states), (other, *rest) = (self._shapes(layer, input_shape) for layer in self.layers)
        if self.merge_mode == "concat":
            one = (*one[:-1], one[-1] + other[-1])
        y = [one, other] if self.merge_mode is None else [one]
        return [*y, *states, *rest] if len(y) > 1 or states else y[0]

    @staticmethod
    def _shapes(layer, input_shape):
        shapes = layer.compute_output_shape(input_shape)
        return shapes if isinstance(shapes, list) else [shapes]

    def compute_mask(self, inputs, previous_mask=None):
        r"""Da la máscara de lo que sale: la misma, si sale un vector por paso."""
        mask = previous_mask if self.return_sequences else None
        masks = [mask] * (2 if self.merge_mode is None else 1)
        if self.return_state:
            masks += [None] * (self.layer.state_count + self.backward_layer.state_count)
        return masks if len(masks) > 1 else masks[0]

    def forward(self, x, training=False, mask=None, initial_state=None):
        r"""Lee en los dos sentidos y junta las dos lecturas.

        Parameters
        ----------
        x : array_like, shape (n, T, d)
            Las secuencias.
        training : bool
            Si se está entrenando.
        mask : array_like of bool, shape (n, T), optional
            Qué pasos son reales.
        initial_state : list of array_like, shape (n, units), optional
            Los estados iniciales de la capa de ida y los de la otra.

        Returns
        -------
        ndarray, or list of ndarray
        """
        self.x = x = self.ready(x)
        first = self.layer.state_count
        total = first + self.backward_layer.state_count
        starts = None, None
        if initial_state is not None:
            if not isinstance(initial_state, (list, tuple)) or len(initial_state) != total:
                came = len(initial_state) if isinstance(initial_state, (list, tuple)) else "otra cosa"
                raise ValueError(f"initial_state: se esperaba una lista de {total} estados, pero llegó {came}")
            starts = list(initial_state[:first]), list(initial_state[first:])
        found = [
            layer.forward(x, training, mask=mask, initial_state=start)
            for layer, start in zip(self.layers, starts, strict=True)
        ]
        states = [state for ys in found if self.return_state for state in ys[1:]]
        ys = [one[0] if self.return_state else one for one in found]
        self.real = check.mask(mask, "mask") if mask is not None and self.return_sequences else None
        ys = [self._aligned(f"y {k}", layer, y) for k, (layer, y) in enumerate(zip(self.layers, ys, strict=True))]
        self.parts = [self._real(f"y {k}", y) for k, y in enumerate(ys)]
        y = self._merged(*self.parts)
        self.y = [*y, *states] if len(y) > 1 or states else y[0]
        return self.y

    def _aligned(self, name, layer, y):
        # Cada posición, en el lugar que tenía en la entrada; al volver, en el que espera la capa.
        if not (self.return_sequences and layer.go_backwards):
            return y
        turned = self.buffer(f"{name} turned", y.shape)
        _turn(y, turned)
        return turned

    def _real(self, name, y):
        # Con ceros en las posiciones de relleno.
        if self.real is None:
            return y
        found = self.buffer(f"{name} real", y.shape)
        zero_out(y, self.real, found)
        return found

    def _merged(self, one, other):
        if self.merge_mode is None:
            return [one, other]
        if self.merge_mode == "concat":
            y = self.buffer("y", (*one.shape[:-1], one.shape[-1] + other.shape[-1]))
            _put_together(_rows(one), _rows(other), _rows(y))
            return [y]
        y = self.buffer("y", one.shape)
        if self.merge_mode == "mul":
            multiply(one, other, y)
        else:
            add(one, other, y)
        if self.merge_mode == "ave":
            multiply(y, 0.5, y)
        return [y]

    def _shares(self, dy):
        # Lo que le toca a cada capa del gradiente de lo que juntaron.
        if self.merge_mode == "sum":
            return [dy, dy]
        shares = [self.buffer(f"share {k}", part.shape) for k, part in enumerate(self.parts)]
        if self.merge_mode == "concat":
            _take_apart(_rows(dy), *map(_rows, shares))
        elif self.merge_mode == "mul":
            multiply(dy, self.parts[1], shares[0])
            multiply(dy, self.parts[0], shares[1])
        else:
            multiply(dy, 0.5, shares[0])
            shares[1] = shares[0]
        return shares

    def backward(self, dy):
        r"""Le da a cada capa su parte del gradiente, y suma lo que vuelve."""
        dys = self.output_gradients(dy)
        pair, dstates = (dys[:2], dys[2:]) if self.merge_mode is None else (self._shares(dys[0]), dys[1:])
        found = []
        for k, (layer, share) in enumerate(zip(self.layers, pair, strict=True)):
            share = self._aligned(f"dy {k}", layer, self._real(f"dy {k}", share))
            if self.return_state:
                own, dstates = dstates[: layer.state_count], dstates[layer.state_count :]
                share = [share, *own]
            found.append(layer.backward(share))
        self.state_gradients = [g for layer in self.layers for g in layer.state_gradients]
        if not self.input_gradient:
            return None
        dx = self.buffer("dx", self.x.shape)
        add(*found, dx)
        return dx

    def without_input_gradient(self):
        r"""Avisa también a las dos capas."""
        super().without_input_gradient()
        for layer in self.layers:
            layer.without_input_gradient()

    def work(self):
        r"""Suma el trabajo de las dos capas."""
        return sum(layer.work() for layer in self.layers)
