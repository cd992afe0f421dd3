r"""Redes que no son una fila: de valores simbólicos a un grafo."""

import functools

from chapters.mlp.graph import Call, Graph, Slot, _filled, _options
from chapters.mlp.input_layer import InputLayer
from chapters.mlp.layer import distinguish
from chapters.mlp.model import Model
from chapters.mlp.symbol import Node, Symbol, substituted
from dlbook import training
from dlbook.several import each


def _symbols(value, name):
    # Los valores simbólicos de una entrada o salida del modelo, y sus nombres si vienen en un diccionario.
    values = list(value.values()) if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else [value]
    for one in values:
        if not isinstance(one, Symbol):
            raise TypeError(f"{name}: se esperaban valores simbólicos, como los de Input, pero llegó {one!r:.80}")
    if not values:
        raise ValueError(f"{name}: se esperaba al menos un valor")
    return list(values), list(value) if isinstance(value, dict) else None


def _backwards(outputs, entries):
    # Las llamadas de las que dependen las salidas, cada una después de las que necesita; y en qué orden se encontró
    # cada capa, yendo de las salidas hacia atrás. Con una pila: una red puede ser más honda de lo que Python baja.
    found, order, done = {}, [], set()
    stop = {id(entry) for entry in entries}
    for output in outputs:
        pending = [(output, False)]
        while pending:
            symbol, ready = pending.pop()
            node = symbol.node
            if ready:
                if id(node) not in done:
                    done.add(id(node))
                    order.append(node)
                continue
            if id(node) in done:
                continue
            found.setdefault(id(node.layer), len(found))
            pending.append((symbol, True))
            if id(symbol) not in stop:
                pending += [(one, False) for one in reversed(node.inputs)]
    return order, found


def _sorted(outputs, entries):
    # Las capas y las llamadas, de las más lejanas a la salida a las más cercanas: así las ordena Keras, y con ellas los
    # pesos. Lejos es el camino más largo; a la misma distancia, como se encontraron.
    order, found = _backwards(outputs, entries)
    stop = {id(entry) for entry in entries}
    far, layers = {}, {}
    for node in reversed(order):
        depth = max(far.get(id(node), 0), layers.get(id(node.layer), (0, None))[0])
        layers[id(node.layer)] = depth, node.layer
        far[id(node)] = depth
        if not any(id(symbol) in stop for symbol in node.outputs):
            for parent in {id(s.node): s.node for s in node.inputs}.values():
                far[id(parent)] = max(far.get(id(parent), 0), depth + 1)
    for entry in entries:
        # Una entrada de la que no depende ninguna salida.
        if id(entry.node.layer) not in layers:
            layers[id(entry.node.layer)], found[id(entry.node.layer)] = (0, entry.node.layer), -1
    by_depth = sorted(layers.values(), key=lambda pair: (-pair[0], found[id(pair[1])]))
    return [layer for _, layer in by_depth], sorted(order, key=lambda node: -far[id(node)])


class Functional(Graph):
    r"""Una red que no es una fila, escrita como una cuenta.

    :func:`Input` da un valor simbólico; una capa llamada con uno da el siguiente, y ``Model(inputs, outputs)`` recoge
    lo que hay entre unos y otros. Un modelo también es una capa: se le puede llamar con un valor simbólico, y entonces
    es una pieza de otro.

    >>> from chapters.mlp import Concatenate, Dense, Input, Model
    >>> photo = Input(shape=(4,), name="foto")
    >>> age = Input(shape=(1,), name="edad")
    >>> features = Dense(3, activation="relu")(photo)
    >>> price = Dense(1, name="precio")(Concatenate()([features, age]))
    >>> model = Model([photo, age], price, seed=0)
    >>> model.summary()
    Functional
    capa           forma de salida      parámetros  viene de
    foto           (n, 4)                        0  datos
    dense          (n, 3)                       15  foto
    edad           (n, 1)                        0  datos
    concatenate    (n, 4)                        0  dense, edad
    precio         (n, 1)                        5  concatenate
    Total: 20 parámetros

    La columna «viene de» dice de qué capas le llega lo suyo a cada una; si se la llama varias veces, una barra separa
    las llamadas. Los datos van en una lista, en el orden de las entradas, o en un diccionario con sus nombres:

    >>> x = {"foto": np.ones((2, 4)), "edad": [[30.0], [40.0]]}
    >>> model.predict(x).shape
    (2, 1)

    Cualquier valor intermedio puede ser la salida de otro modelo, con las mismas capas y los mismos pesos:

    >>> inside = Model(model.inputs, model.get_layer("concatenate").output)
    >>> inside.predict(x).shape
    (2, 4)

    Parameters
    ----------
    inputs : Symbol, list or dict
        Por dónde entran los datos.
    outputs : Symbol, list or dict
        Lo que sale.
    name, trainable
        Como en :class:`~chapters.mlp.Layer`.
    **options
        ``dtype`` y ``seed``, como en :class:`~chapters.mlp.Layer`. Las capas sin construir a las que no se les dio tipo
        o semilla toman los del modelo.

    Raises
    ------
    TypeError, ValueError
        Si algo no es un valor simbólico, o si una salida depende de una entrada que no está en ``inputs``.

        >>> Model(Input(shape=(2,)), Dense(2)(Input(shape=(2,))))
        Traceback (most recent call last):
            ...
        ValueError: inputs: una salida depende de la entrada 'input', de forma (None, 2), que no está en la lista
    """

    def __init__(self, inputs, outputs, name=None, trainable=True, **options):
        super().__init__(name=name, trainable=trainable, **options)
        entries, self._entry_keys = _symbols(inputs, "inputs")
        exits, self._exit_keys = _symbols(outputs, "outputs")
        if len({id(entry) for entry in entries}) < len(entries):
            raise ValueError("inputs: se esperaban entradas distintas, pero hay una repetida")
        self._connect(entries, exits)
        built = next((layer.dtype for layer in self.layers if layer.built and layer.weights), None)
        if built is not None and not self._own["dtype"]:
            self.dtype = built
        shapes = [entry.observation for entry in entries]
        self.build(shapes if self.several else shapes[0])

    def _connect(self, entries, exits):
        layers, nodes = _sorted(exits, entries)
        given = {id(entry): entry for entry in entries}
        doors = {}
        for entry in entries:
            own = isinstance(entry.node.layer, InputLayer)
            doors[id(entry)] = entry.node.layer if own else InputLayer(entry.observation, dtype=entry.dtype)
        # Lo que está antes de una entrada no es parte del modelo.
        inside = [n for n in nodes if not any(id(s) in given for s in n.outputs)]
        for node in inside:
            if isinstance(node.layer, InputLayer):
                lost = node.outputs[0]
                raise ValueError(
                    f"inputs: una salida depende de la entrada {lost.name!r}, de forma {lost.shape}, que no está en la "
                    f"lista"
                )
        used = {id(node.layer) for node in inside}
        ordered = []
        for layer in layers:
            door = next((d for key, d in doors.items() if given[key].node.layer is layer), None)
            if door is not None and door not in ordered:
                ordered.append(door)
            if id(layer) in used:
                ordered.append(layer)
        for layer in ordered:
            training.check_depth(layer, level=2)
            distinguish(layer, self.layers, "layers")
            self.layers.append(layer)
        places = {id(layer): k for k, layer in enumerate(self.layers)}
        slots = {id(entry): k for k, entry in enumerate(entries)}
        self._doors = tuple(places[id(doors[id(entry)])] for entry in entries)

        def slot(symbol):
            return Slot(slots[id(symbol)])

        calls = []
        for node in inside:
            for symbol in node.outputs:
                slots[id(symbol)] = len(slots)
            arguments, options = substituted(node.arguments, slot), substituted(node.options, slot)
            targets = tuple(slots[id(symbol)] for symbol in node.outputs)
            calls.append(Call(places[id(node.layer)], arguments, options, targets))
        self._arrange(calls, len(entries), [slots[id(symbol)] for symbol in exits])
        self._inputs, self._outputs = entries, exits

    def retrace(self):
        r"""Apunta otra vez el grafo con valores simbólicos, en una copia que aún no los tiene."""
        values = [None] * self._slots
        for k, door in enumerate(self._doors):
            layer = self.layers[door]
            if not layer.nodes:
                node = Node(layer, (), {})
                node.outputs.append(Symbol(layer.shape, layer.input_dtype, node))
                layer.nodes.append(node)
            values[k] = layer.nodes[0].outputs[0]
        self._inputs = values[: self._entries]
        for call in self.calls:
            layer = self.layers[call.layer]
            outputs = layer.record(_filled(call.arguments, values), _options(call, values))
            for target, symbol in zip(call.targets, each(outputs), strict=True):
                values[target] = symbol
            layer.placed = True
        self._outputs = [values[slot] for slot in self._exits]

    def connections(self):
        r"""Da de dónde le llega lo suyo a cada capa: los nombres de otras, y los de cada llamada, si son varias."""
        origins = [self.layers[door].name for door in self._doors]
        found = [[] for _ in self.layers]
        for call in self.calls:
            found[call.layer].append(", ".join(origins[source] for source in call.sources))
            origins += [self.layers[call.layer].name] * len(call.targets)
        return [" | ".join(texts) if texts else "datos" for texts in found]

    def get_config(self):
        r"""Da lo que hace falta para crear otra igual: las capas y, por su número, qué le llega a cada una."""
        calls = [
            {"layer": c.layer, "arguments": _numbered(c.arguments), "options": _numbered(c.options)} for c in self.calls
        ]
        return {
            "layers": list(self.layers),
            "inputs": list(self._doors),
            "calls": calls,
            "outputs": list(self._exits),
            "dtype": self.dtype,
            "name": self.name,
            "trainable": self.trainable,
        }

    @classmethod
    def from_config(cls, config):
        r"""Crea una red como la que describió :meth:`get_config`.

        Raises
        ------
        ValueError
            Si el grafo pide una capa o un valor que no existe.
        """
        layers, values = config["layers"], []

        def taken(found, k, what):
            if type(k) is not int or not 0 <= k < len(found):
                raise ValueError(f"{what}: se esperaba uno de los {len(found)} que hay hasta ahí, no {k!r:.40}")
            return found[k]

        values += [taken(layers, k, "inputs").output for k in config["inputs"]]
        inputs = list(values)

        def symbol(number):
            return taken(values, number, "calls")

        for call in config["calls"]:
            layer = taken(layers, call["layer"], "calls")
            outputs = layer.record(tuple(_lettered(call["arguments"], symbol)), _lettered(call["options"], symbol))
            values += each(outputs)
        outputs = [taken(values, k, "outputs") for k in config["outputs"]]
        return cls(inputs, outputs, **{name: config[name] for name in ("dtype", "name", "trainable") if name in config})

    def takes_integers(self, k):
        r"""Dice si son enteros lo que entra por la entrada ``k``: si ella lo dice, o todas las capas que lo reciben."""
        return self.layers[self._doors[k]].integers or super().takes_integers(k)

    def arranged(self, x, name="x"):
        r"""Como en :class:`~chapters.mlp.Layer`; en un diccionario, las entradas van por su nombre."""
        if isinstance(x, dict):
            missing = [key for key in self.input_names if key not in x]
            if missing:
                raise ValueError(f"{name}: falta la entrada {missing[0]!r}; las del modelo son {self.input_names}")
            x = [x[key] for key in self.input_names]
        return super().arranged(x, name)

    @property
    def input_names(self):
        r"""Los nombres de las entradas, para dar los datos en un diccionario."""
        return self._entry_keys or [self.layers[door].name for door in self._doors]

    @property
    def output_names(self):
        r"""Los nombres de las salidas, que son los de las capas de las que salen."""
        return self._exit_keys or [symbol.name for symbol in self._outputs]


def _numbered(value):
    # Lo que se escribe de un argumento: en lugar de cada valor, su número.
    if isinstance(value, Slot):
        return {"slot": value.number}
    if isinstance(value, (list, tuple)):
        return [_numbered(v) for v in value]
    return {name: _numbered(v) for name, v in value.items()} if isinstance(value, dict) else value


def _lettered(value, symbol):
    if isinstance(value, dict):
        if set(value) == {"slot"}:
            return symbol(value["slot"])
        return {name: _lettered(v, symbol) for name, v in value.items()}
    return [_lettered(v, symbol) for v in value] if isinstance(value, list) else value


@functools.cache
def with_graph(cls):
    r"""Da la clase de un modelo que se crea con entradas y salidas: la de siempre o, si es de quien lee, una mezcla.

    >>> from chapters.mlp import Dense, Input, Model
    >>> class Mine(Model):
    ...     pass
    >>> x = Input(shape=(2,))
    >>> model = Mine(x, Dense(1)(x))
    >>> isinstance(model, Mine), isinstance(model, Functional)
    (True, True)

    Parameters
    ----------
    cls : type
        :class:`Model`, o una clase que hereda de ella.

    Returns
    -------
    type
    """
    return Functional if cls is Model else type(cls.__name__, (cls, Functional), {"__module__": cls.__module__})
