r"""Las capas de quien lee que solo dicen qué calculan, en ``call``: la vuelta se la da la cinta."""

import contextlib
import contextvars
import copy
import inspect

import numpy as np

from chapters.mlp.symbol import Symbol, substituted, symbols_in
from chapters.mlp.tape.tensor import GradientTape, Tensor, _each, _plain, _tapes
from chapters.mlp.tape.through import extras, paused, training_now
from dlbook import check

# Si quien pide construir una capa es el ``build`` de quien lee, que da las formas como Keras, con el eje del lote.
_with_batch = contextvars.ContextVar("with_batch", default=False)
# Con qué tamaños se ensaya donde puede haber cualquiera.
REHEARSED = 16, 32


def without_batch(shape):
    r"""Da la forma de una observación de la que llega al ``build`` de una capa, venga del libro o de quien lee."""
    if not _with_batch.get():
        return shape
    several = isinstance(shape, list) and shape and isinstance(shape[0], (list, tuple))
    return [tuple(one[1:]) for one in shape] if several else tuple(shape[1:])


@contextlib.contextmanager
def shapes_as(with_batch):
    r"""Adentro, las formas que reciben los ``build`` llevan, o no, el eje del lote."""
    token = _with_batch.set(with_batch)
    try:
        yield
    finally:
        _with_batch.reset(token)


class _Pass:
    # Lo que una ida le deja a la vuelta. Al copiar o guardar la capa, no va.
    def __init__(self, tape, inputs, shapes, output, weights, added):
        self.tape, self.inputs, self.shapes = tape, inputs, shapes
        self.output, self.weights, self.added = output, weights, added

    def __reduce__(self):
        return type(None), ()


class _Hole:
    # El lugar de una entrada entre los argumentos con que se llamó a la capa.
    def __repr__(self):
        return "_"


def _names(call):
    # Los argumentos con nombre que ``call`` admite, y cuántas entradas recibe, si no son las que sean.
    parameters = list(inspect.signature(call).parameters.values())
    names = {p.name for p in parameters if p.kind is not p.VAR_KEYWORD}
    free = any(p.kind is p.VAR_KEYWORD for p in parameters)
    positional = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD and p.name not in ("training", "mask")]
    return names, free, np.inf if any(p.kind is p.VAR_POSITIONAL for p in parameters) else len(positional)


def _in_attributes(layer):
    # Las capas que hay en los atributos de otra, en el orden en que se asignaron, también en listas y diccionarios.
    from chapters.mlp.layer import Layer

    found = {}
    for value in list(vars(layer).values()):
        inside = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else [value]
        found.update((id(one), one) for one in list(inside) if isinstance(one, Layer))
    return list(found.values())


class Taped:
    r"""Lo que la cinta le da a una capa, o a un modelo, que define ``call`` y no ``forward``.

    No se hereda de ella: :class:`~chapters.mlp.Layer` le pone estos métodos a quien los necesita. Quien lee escribe
    solo lo que su capa calcula, con ``ops`` o con operadores:

    >>> from chapters.mlp import Dense, Layer, ops
    >>> class Gate(Layer):
    ...     def __init__(self, units, **options):
    ...         super().__init__(**options)
    ...         self.units = units
    ...         self.inner = Dense(units)
    ...     def build(self, input_shape):
    ...         self.scale = self.add_weight((self.units,), "ones")
    ...     def call(self, x):
    ...         return self.scale * ops.sigmoid(self.inner(x))
    >>> gate = Gate(2, dtype="float64", seed=0)
    >>> gate(np.zeros((1, 3)))
    array([[0.5, 0.5]])
    >>> gate.backward(np.ones((1, 2))).shape
    (1, 3)
    >>> gate.gradients[0]
    array([0.5, 0.5])

    Los pesos que cree con ``add_weight``, en ``build`` o al crearla, son dentro de ``call`` variables que la cinta
    apunta. Las capas que guarde en atributos, en listas o en diccionarios son suyas, en el orden en que las asignó; las
    que nadie construyó se construyen la primera vez, con un ensayo. A ``build`` le llega la forma como en Keras, con
    ``None`` en el lugar del lote. Como ``call`` puede mirar el lote entero, al entrenar no se reparte entre los hilos.
    """

    taped = alone = True
    several = False
    _pass = None
    _masks = (None,)
    _shapes = None
    # Con qué se la llamó, con un hueco en el lugar de cada entrada, y cuáles de ellas son enteros.
    _manner = None
    integer_inputs = ()

    @property
    def layers(self):
        r"""Las capas que contiene, que son las de sus atributos."""
        return _in_attributes(self)

    @layers.setter
    def layers(self, layers):
        vars(self)["_listed"] = layers

    @property
    def built(self):
        r"""Si ya conoce la forma de su entrada y tiene pesos."""
        return self.input_shape is not None

    @built.setter
    def built(self, value):
        # Keras lo pide en ``build``; aquí se sabe solo.
        pass

    def run(self, inputs, options):
        r"""Llama a ``call`` mientras la cinta apunta, con los pesos como variables.

        Parameters
        ----------
        inputs : tuple
            Las entradas.
        options : dict
            Los argumentos con nombre; ``training`` vale también para las capas que contiene.

        Returns
        -------
        Tensor
        """
        if not self.built:
            with paused():
                given = {name: _plain(value) for name, value in options.items() if name != "training"}
                self.forward(*_each(list(inputs), np.asarray), **given)
        names, free, _ = _names(self.call)
        training = bool(options.get("training"))
        options = {name: value for name, value in options.items() if free or name in names}
        tape = _tapes.get()[0]
        kept, vars(self)["added"] = dict(vars(self)), ()
        token = training_now.set(training)
        try:
            for attribute, key in self._attributes.items():
                weight = self._weights[key]
                variable = vars(self)[attribute] = tape.node(weight.value)
                variable.trainable, variable.name = weight.trainable, key
            return self.call(*inputs, **options)
        finally:
            training_now.reset(token)
            vars(self).update({attribute: kept[attribute] for attribute in self._attributes})

    def forward(self, *inputs, training=None, **options):
        r"""Llama a ``call`` y apunta lo que hace."""
        if training is None and len(inputs) > 1 and isinstance(inputs[-1], (bool, np.bool_)):
            *inputs, training = inputs
        inputs = [self._received(x) for x in inputs]
        flat = []
        _each(inputs, flat.append)
        self.several = len(flat) > 1
        others = {name: value for name, value in options.items() if not isinstance(value, (np.ndarray, Tensor))}
        self._called_with(inputs, others, [x.dtype for x in flat])
        self.fitting(flat if self.several else flat[0])
        with paused(), GradientTape() as tape:
            # Unos enteros van como son: respecto a ellos no hay qué derivar.
            noted = _each(inputs, lambda x: tape.node(x) if x.dtype.kind == "f" else x)
            y = self.run(noted, {"training": bool(training), **options})
            weights = [tape.node(w) for w in self.trainable_weights]
            nodes = [tape.node(x) for x in flat]
            added = extras(self)
        self._masks = [getattr(y, "mask", None)]
        self._pass = _Pass(tape, nodes, [x.shape for x in flat], y, weights, added)
        self.x = flat[0]
        self.y = self._given(y)
        return self.y

    def output_masks(self):
        r"""Da, en una lista, la máscara de lo que salió la última vez; las capas de adentro la llevan."""
        return self._masks

    def backward(self, dy):
        r"""Lee la cinta al revés."""
        dy, done = self.output_gradient(dy), self._pass
        starts = [(done.output, dy)] if isinstance(done.output, Tensor) else []
        starts += [(loss, np.ones(())) for loss in done.added]
        learned = done.weights if self.trainable else []
        sources = [*learned, *(x for x in done.inputs if x is not None)] if self.input_gradient else learned
        found = [None] * len(sources)
        if starts:
            targets, slopes = zip(*starts, strict=True)
            found = done.tape.gradient(list(targets), sources, list(slopes))
        for gradient, slope in zip(self.gradients if self.trainable else [], found, strict=False):
            gradient[...] = 0 if slope is None else slope
        if not self.input_gradient:
            return None
        back = iter(found[len(learned) :])
        dx = []
        for x, shape in zip(done.inputs, done.shapes, strict=True):
            slope = None if x is None else next(back)
            dx.append(np.zeros(shape, self.dtype) if slope is None else slope)
        return dx if self.several else dx[0]

    def compute_output_shape(self, input_shape):
        r"""Devuelve la forma de la salida, ensayando con unas entradas."""
        shape = self.checked_form(input_shape)
        known, case = vars(self).setdefault("_known", {}), self._case(shape)
        if case not in known:
            if self.built:
                known[case] = self.rehearse(shape)
            else:
                other = copy.deepcopy(self)
                other.build(shape)
                known.update(vars(other)["_known"])
        return known[case]

    def _case(self, shape):
        # De qué depende la forma de lo que sale: de la de lo que entra y de las opciones con que se la llamó.
        return repr((shape, self._manner))

    def checked_form(self, input_shape):
        r"""Comprueba la forma de la entrada, o de varias, en una lista."""
        if isinstance(input_shape, list) and input_shape and isinstance(input_shape[0], (list, tuple)):
            self.several = len(input_shape) > 1
            shapes = [check.shape(s, f"input_shape[{k}]", unknown=True) for k, s in enumerate(input_shape)]
            return shapes if self.several else shapes[0]
        return check.shape(input_shape, "input_shape", unknown=True)

    def rehearse(self, shape):
        r"""Llama a ``call`` con unas entradas inventadas: construye lo que falte y da la forma de lo que sale."""
        shapes = shape if isinstance(shape, list) else [shape]
        states = [(w, w.copy()) for w in self.non_trainable_weights]
        found = []
        for size in REHEARSED if any(None in one for one in shapes) else REHEARSED[:1]:
            sizes = [tuple(size if s is None else s for s in one) for one in shapes]
            try:
                found.append(self._tried(sizes, 0.5))
            except ValueError:
                # Quien espera índices no admite un medio.
                found.append(self._tried(sizes, 0.0))
        for weight, before in states:
            weight[...] = before
        return tuple(a if a == b else None for a, b in zip(found[0], found[-1], strict=True))

    def _tried(self, sizes, value):
        # La forma de lo que sale con entradas de unos tamaños, llenas de un número.
        xs = [np.full((2, *size), value, self.dtype) for size in sizes]
        whole = self.integer_inputs if len(self.integer_inputs) == len(xs) else [self.integers] * len(xs)
        xs = [x.astype(np.int64) if w or self.integers else x for x, w in zip(xs, whole, strict=True)]
        inputs, options = self._as_called(xs)
        with paused(), np.errstate(all="ignore"), GradientTape():
            return self._given(self.run(inputs, options | {"training": False})).shape[1:]

    def called_as(self, arguments, options, *kinds):
        r"""Recuerda con qué se la llama; lo que es de uno de los tipos que se dan es una entrada."""
        vars(self)["_manner"] = substituted((tuple(arguments), options), lambda _: _Hole(), kinds)

    def _called_with(self, arguments, options, dtypes):
        self.integer_inputs = [np.dtype(dtype).kind in "iu" for dtype in dtypes]
        self.called_as(arguments, options, Symbol, np.ndarray, Tensor)

    def _as_called(self, xs):
        # Las entradas del ensayo, como llegaron las de verdad; si nadie la llamó, una por argumento, si caben.
        holes, pending = [], iter(xs)
        substituted(self._manner, holes.append, _Hole)
        if len(holes) == len(xs):
            return substituted(self._manner, lambda _: next(pending), _Hole)
        return (xs if len(xs) == 1 or _names(self.call)[2] >= len(xs) else [xs]), {}

    def notice(self, x):
        r"""Ve, antes de construirse, si recibe varias entradas: arreglos en una lista."""
        if not self.built:
            self.several = isinstance(x, (list, tuple)) and len(x) > 1 and all(getattr(one, "shape", ()) for one in x)

    def record(self, arguments, options):
        r"""Apunta una llamada con valores simbólicos, uno o varios."""
        from chapters.mlp.layer import Layer

        symbols = list(symbols_in((*arguments, *options.values())))
        self.several = len(symbols) > 1
        self._called_with(arguments, options, [symbol.dtype for symbol in symbols])
        return Layer.record(self, arguments, options)

    def _received(self, x):
        if isinstance(x, (list, tuple)) and x and not np.isscalar(x[0]) and isinstance(x[0], (np.ndarray, Tensor)):
            return [self._received(one) for one in x]
        # A un modelo le llegan reales, como de ``fit``; a una capa, los enteros le llegan como son.
        came = getattr(x, "dtype", None)
        if self.integers or (came is not None and came.kind in "iu" and not hasattr(self, "fit")):
            return np.require(check.whole(x, "x"), np.int64, ["C", "A", "W"])
        return np.require(check.floats(x, "x"), self.dtype, ["C", "A", "W"])

    def _given(self, y):
        if not isinstance(y, (Tensor, np.ndarray)):
            raise TypeError(
                f"{self.name}: de call se esperaba un tensor o un arreglo, pero devolvió {type(y).__name__}"
                + ("; ¿falta el return?" if y is None else "")
            )
        return np.array(y, self.dtype, order="C")


def _build(theirs):
    # Primero lo que la capa sabe de sí; luego el ``build`` de quien lee; al final, un ensayo construye lo de adentro.
    def build(self, input_shape):
        from chapters.mlp.model import Model

        if _with_batch.get():
            # La llamó, con super(), el de una clase más derivada.
            if theirs is not None:
                theirs(self, input_shape)
            return
        shape = self.checked_form(input_shape)
        if self.built:
            raise ValueError(f"{self.name}: ya está construida, para entradas de forma {self.input_shape}")
        for name, weight in self._weights.items():
            # Los que creó al nacer pueden ser de otro tipo que el modelo que la contiene.
            if weight.value.dtype != self.dtype:
                self._move(name, weight.value.astype(self.dtype), None)
        for layer in self.layers:
            layer.inherit(self)
        if theirs is not None:
            with shapes_as(True):
                theirs(self, [(None, *one) for one in shape] if isinstance(shape, list) else (None, *shape))
            for layer in self.layers:
                layer.inherit(self)
        self.input_shape = shape
        self.current_shape = None
        if not any(None in one for one in (shape if isinstance(shape, list) else [shape])):
            self.adjust_to(shape)
        vars(self)["_known"] = {self._case(shape): self.rehearse(shape)}
        if isinstance(self, Model) and all(weight.base is None for weight in self.trainable_weights):
            self._bind()

    return build


def complete(cls):
    r"""Le da a una clase que define ``call``, y no ``forward``, lo que le falta para ser una capa.

    Parameters
    ----------
    cls : type
        Una subclase de :class:`~chapters.mlp.Layer`; a las demás no les hace nada.
    """
    own = vars(cls)
    if "train_step" in own and "call" not in own and not hasattr(cls, "calls") and not getattr(cls, "taped", False):
        # Con sus propios pasos no hace falta call, pero sus capas también son las de sus atributos.
        cls.layers = Taped.layers
    if "forward" in own or not ("call" in own or ("build" in own and getattr(cls, "taped", False))):
        return
    if "build" in own or not getattr(cls, "taped", False):
        cls.build = _build(own.get("build"))
    for name, value in vars(Taped).items():
        if name not in ("__module__", "__doc__", "__dict__", "__weakref__"):
            setattr(cls, name, value)
