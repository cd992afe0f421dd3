r"""Una red como grafo: hacia delante en orden, hacia atrás al revés."""

import math
from typing import NamedTuple

import numpy as np

from chapters.mlp.layer import _shapes_only, every_one_of_any_size
from chapters.mlp.model import Model
from dlbook import check, registry
from dlbook.numeric.elementwise import add, fill
from dlbook.numeric.recording import perform
from dlbook.several import each
from dlbook.training import walk


class Slot(NamedTuple):
    r"""El lugar donde está, en cada pasada, el valor que corresponde a uno simbólico."""

    number: int


class Call(NamedTuple):
    r"""Una llamada del grafo: qué capa, con qué valores, y dónde se dejan los que salen."""

    layer: int
    arguments: tuple
    options: dict
    targets: tuple

    @property
    def sources(self):
        r"""De dónde salen los valores que recibe, en orden."""
        found = []
        for value in (*self.arguments, *self.options.values()):
            values = [value] if isinstance(value, Slot) else value if isinstance(value, (list, tuple)) else []
            found += [v.number for v in values if isinstance(v, Slot)]
        return found

    @property
    def plain(self):
        r"""Si recibe un valor, sin más, y da otro, como en una fila."""
        one = len(self.arguments) == 1 and isinstance(self.arguments[0], Slot)
        return one and not self.options and len(self.targets) == 1


def _filled(value, values):
    # Los argumentos de una llamada, con los valores en sus lugares.
    if isinstance(value, Slot):
        return values[value.number]
    if isinstance(value, (list, tuple)):
        return type(value)([_filled(v, values) for v in value])
    return value


class _UnforeseenError(Exception):
    r"""De alguna máscara no se sabe nada sin hacer las cuentas."""


def _shared(mask, targets):
    # La máscara de cada salida de una llamada: la misma para todas, o una lista.
    return mask if isinstance(mask, (list, tuple)) else [mask] * len(targets)


class Graph(Model):
    r"""Un modelo cuyas capas forman un grafo: lo que tienen en común una fila y una red con ramas.

    Aquí la entrada toma dos caminos que se juntan en una suma:

    >>> from chapters.mlp import Add, Dense, Input, Model
    >>> x = Input(shape=(2,))
    >>> y = Add()([x, Dense(2, use_bias=False)(x)])
    >>> model = Model(x, y, dtype="float64")
    >>> model.set_weights([[[2.0, 0.0], [1.0, 3.0]]])
    >>> model.predict([[1.0, 10.0]])
    array([[13., 40.]])

    Una **llamada** es una capa aplicada a unos valores; la misma capa puede estar en varias. **Hacia delante**, las
    llamadas se hacen en un orden en que cada una encuentra ya calculado lo que necesita. Si :math:`\mathbf v_j` es lo
    que sale de la llamada :math:`j` y :math:`\mathcal P_j` son las llamadas, o las entradas, de las que recibe algo,

    .. math::
       :label: ec-mlp-grafo-ida

       \mathbf v_j = f_j\bigl(\mathbf v_i : i\in\mathcal P_j\bigr),
       \qquad i<j \ \text{ para todo } i\in\mathcal P_j .

    **Hacia atrás**, en el orden contrario. Mover :math:`\mathbf v_i` mueve todo lo que lo usa, y los efectos se suman,
    como en :eq:`ed-mlp-suma-de-caminos`. Si :math:`\mathcal H_i` son las llamadas que reciben :math:`\mathbf v_i`,

    .. math::
       :label: ec-mlp-grafo-vuelta

       \frac{\partial\mathcal L}{\partial\mathbf v_i}
       = \sum_{j\in\mathcal H_i}
         \frac{\partial\mathcal L}{\partial\mathbf v_j}\,
         \frac{\partial f_j}{\partial\mathbf v_i} .

    Cada sumando es lo que devuelve el ``backward`` de una capa. Como :math:`j>i` en todos, cuando le toca a :math:`i`
    ya están completos. En un valor que además es una salida del modelo, el gradiente que llega de fuera es un sumando
    más. Una capa a la que se llama :math:`K` veces tiene los mismos pesos en todas, y por la misma razón
    sus gradientes se suman:

    .. math::
       :label: ec-mlp-grafo-compartida

       \frac{\partial\mathcal L}{\partial\mathbf w}
       = \sum_{k=1}^{K}
         \left.\frac{\partial\mathcal L}{\partial\mathbf w}\right|_{\text{llamada } k} .

    Cada llamada recuerda lo suyo: la entrada y la salida de esa vez.

    **A mano.** En el modelo de arriba, :math:`\mathbf y=\mathbf x+\mathbf x\mathbf W`. Si a la salida llega
    :math:`\mathbf g=(1, 0)`, por el camino corto vuelve :math:`\mathbf g`, y por el otro,
    :math:`\mathbf g\mathbf W^\top=(2, 1)`. La suma:

    >>> _ = model.forward([[1.0, 10.0]])
    >>> model.backward([[1.0, 0.0]])
    array([[3., 1.]])

    Attributes
    ----------
    calls : tuple of Call
        Las llamadas, en el orden en que se hacen.
    """

    def __new__(cls, *arguments, **options):
        r"""Crea una red de su propia clase, con los argumentos que sean."""
        return object.__new__(cls)

    def __init__(self, **options):
        super().__init__(**options)
        # Los valores simbólicos por los que se entra y se sale, cuando los haya.
        self._inputs = self._outputs = ()
        self._arrange((), 1, (0,))

    def _arrange(self, calls, entries, exits):
        # El grafo: las llamadas en orden, cuántas entradas hay y de dónde se toman las salidas. Las capas van por su
        # número: así sirve también para las copias.
        self.calls, self._entries, self._exits = tuple(calls), entries, tuple(exits)
        self._slots = entries + sum(len(call.targets) for call in calls)
        self._order = tuple(call.layer for call in calls)
        self._again = tuple(layer in self._order[:k] for k, layer in enumerate(self._order))
        self._plain = tuple((call.plain, call.sources[0], call.targets[0]) for call in calls)
        # Las copias de las capas que se repiten, y qué llamadas hacen falta al volver.
        self.echoes, self._back = (), None
        self.several = entries > 1
        self.masks, self._masks = any(layer.masks for layer in self.layers), None
        self.integers = bool(calls) and not self.several and self.takes_integers(0)

    any_size = property(every_one_of_any_size)
    # Si una máscara pasa o se pierde lo dicen sus capas.
    supports_masking = True
    # La última forma que se le preguntó, con las capas que había, y lo que contestó.
    _shapes_known = None

    @property
    def input_dtypes(self):
        r"""El tipo con que llega cada entrada, que es el del modelo o enteros."""
        return [np.dtype("int64") if self.takes_integers(k) else self.dtype for k in range(self._entries)]

    def takes_integers(self, k):
        r"""Dice si son enteros lo que entra por la entrada ``k``: si así lo esperan todas las capas que lo reciben."""
        users = [self._role(call) for call in self.calls if k in call.sources]
        return bool(users) and all(layer.integers for layer in users)

    def build(self, input_shape):
        r"""Construye las capas, cada una con la forma de lo que le llega."""
        shape = self.checked_shape(input_shape)
        self.compute_output_shape(shape)
        super().build(shape)
        self._build_layers()

    def _build_layers(self):
        shapes = [None] * self._slots
        shapes[: self._entries] = each(self.input_shape)
        for layer in self.layers:
            layer.inherit(self)
        for call in self.calls:
            layer = self.layers[call.layer]
            shape = self._received(call, layer, shapes)
            if not layer.built:
                self._role(call).build_inside(shape)
            elif not self._role(call).admits(shape):
                raise ValueError(f"{layer.name}: se construyó para entradas {layer.input_shape}, y le llegan {shape}")
            self._keep(call, self._shape_after(call, layer, shape), shapes)
        # Los pesos que ya están en el vector de otro modelo se quedan ahí hasta que este se entrene.
        if all(weight.base is None for weight in self.trainable_weights):
            self._bind()

    def _received(self, call, layer, shapes):
        received = [shapes[source] for source in call.sources]
        return received if layer.several else received[0]

    def _shape_after(self, call, layer, shape):
        # En una capa con solo ``call`` depende también de las opciones de esta llamada.
        if getattr(layer, "taped", False):
            layer.called_as(call.arguments, call.options, Slot)
        return layer.called(call.options).shapes_after(shape, call.options)

    def _role(self, call):
        # Lo que la capa es en esta llamada: con una opción puede recibir o dar otra cosa.
        return self.layers[call.layer].called(call.options)

    def _keep(self, call, outputs, values):
        if len(call.targets) == 1:
            values[call.targets[0]] = outputs[0] if isinstance(outputs, list) else outputs
        else:
            for target, value in zip(call.targets, outputs, strict=True):
                values[target] = value

    def _traced(self, input_shape):
        # La forma de cada valor, si la entrada es de esa.
        shapes = [None] * self._slots
        shapes[: self._entries] = each(self.checked_shape(input_shape))
        for call in self.calls:
            layer = self.layers[call.layer]
            self._keep(call, self._shape_after(call, layer, self._received(call, layer, shapes)), shapes)
        return shapes

    def compute_output_shape(self, input_shape):
        r"""Devuelve la forma de lo que sale; una lista, si es más de uno."""
        # Se pregunta varias veces en cada llamada, y de unas capas del libro ya construidas la respuesta no cambia.
        asked = input_shape, self.calls, list(walk(self))[1:]
        if self._shapes_known is not None and self._shapes_known[0] == asked:
            return self._shapes_known[1]
        shapes = self._traced(input_shape)
        found = [tuple(shapes[slot]) for slot in self._exits]
        found = found if len(found) > 1 else found[0]
        if self.built and all(layer.built and registry.ours(type(layer)) for layer in asked[2]):
            self._shapes_known = asked, found
        return found

    def adjust_to(self, shape):
        r"""Deja cada capa lista para la forma de lo que le llega."""
        super().adjust_to(shape)
        shapes = self._traced(shape)
        if not _shapes_only.get():
            # Cada salida puede caber y no caber todas: de una observación se guardan todas, para volver.
            numbers = sum(map(math.prod, shapes[self._entries :]))
            check.memory(numbers, f"{self.name}, lo que sale de sus capas", self.dtype.itemsize)
        for call, again in zip(self.calls, self._again, strict=True):
            layer = self.layers[call.layer]
            if layer.built and not again:
                size = self._received(call, layer, shapes)
                if layer.current_shape != size:
                    layer.adjust_to(size)

    def forward(self, x, training=False, mask=None):
        r"""Hace las llamadas en orden, cada una con lo que dieron las anteriores."""
        values = [None] * self._slots
        x = self.ready(x)
        values[: self._entries] = x if self.several else [x]
        self._prepare_echoes()
        workers = self._workers()
        if self.masks or mask is not None:
            return self._forward_masked(values, workers, training, mask)
        for k, (plain, source, target) in enumerate(self._plain):
            if plain:
                values[target] = perform(workers[k].forward, values[source], training=training)  # [ec-mlp-grafo-ida]
            else:
                self._call(self.calls[k], workers[k], values, training)
        self.y = values[self._exits[0]] if len(self._exits) == 1 else [values[slot] for slot in self._exits]
        return self.y

    def _forward_masked(self, values, workers, training, mask):
        # Con cada valor va su máscara, si la tiene: qué posiciones cuentan.
        masks = self._entry_masks(mask)
        for call, worker in zip(self.calls, workers, strict=True):
            received = [masks[source] for source in call.sources]
            given = [values[source] for source in call.sources]
            received = received if worker.several else received[:1]
            one = received if worker.several else received[0]
            known = any(m is not None for m in received)
            options = {"training": training} | worker.masks_for(received) | _options(call, values)
            self._keep(call, perform(worker.forward, *_filled(call.arguments, values), **options), values)
            role = worker.called(call.options)
            after = perform(role.compute_mask, given if worker.several else given[0], one if known else None)
            for target, found in zip(call.targets, _shared(after, call.targets), strict=True):
                masks[target] = found
        self._masks = [masks[slot] for slot in self._exits]
        self.y = values[self._exits[0]] if len(self._exits) == 1 else [values[slot] for slot in self._exits]
        return self.y

    def _entry_masks(self, mask):
        masks = [None] * self._slots
        if self.several and isinstance(mask, (list, tuple)):
            given = check.sequence(mask, "mask", self._entries)
        else:
            given = [mask] * self._entries
        masks[: self._entries] = [None if one is None else check.mask(one, "mask") for one in given]
        return masks

    def compute_mask(self, inputs, previous_mask=None):
        r"""Da la máscara de lo que salió la última vez; una lista, si salen varios."""
        if self._masks is None or not (self.masks or previous_mask is not None):
            return None
        return self._masks if len(self._masks) > 1 else self._masks[0]

    def output_masks(self):
        r"""Da la máscara de cada salida de la última ida, en una lista; ``None`` en la que no tiene."""
        return self._masks if self.masks and self._masks is not None else [None] * len(self._exits)

    def foreseen_masks(self, xs):
        r"""Da la máscara de cada salida sin ir hacia delante, mirando solo lo que entra.

        Con un lote repartido entre los hilos, la pérdida se divide entre los instantes reales del lote entero: hay que
        contarlos antes de que nadie empiece. Casi siempre se puede, porque la máscara sale de los datos.

        Parameters
        ----------
        xs : list of ndarray
            Lo que entra por cada entrada, ya de su tipo.

        Returns
        -------
        list or None
            Una máscara por salida, o ``None`` en la que no tiene; ``None`` en vez de la lista, si alguna depende de
            las cuentas.
        """
        if not self.masks:
            return [None] * len(self._exits)
        try:
            return self._foresee(xs, [True] * len(xs), None)
        except _UnforeseenError:
            return None

    def _foresee(self, xs, real, mask):
        # Lo que aún no se calcula se representa con un cero de su forma, que no ocupa memoria.
        rows, shape = len(xs[0]), [x.shape[1:] for x in xs]
        shapes, zero = self._traced(shape if self.several else shape[0]), np.zeros((), self.dtype)
        values = [*xs, *(np.broadcast_to(zero, (rows, *s)) for s in shapes[self._entries :])]
        known = [*real, *[False] * (self._slots - self._entries)]
        masks = self._entry_masks(mask)
        for call in self.calls:
            layer = self.layers[call.layer]
            sources = call.sources if layer.several else call.sources[:1]
            given, received = [values[k] for k in sources], [masks[k] for k in sources]
            one = received if layer.several else received[0]
            one = one if any(m is not None for m in received) else None
            if isinstance(layer, Graph):
                after = None
                if layer.masks or one is not None:
                    after = layer._foresee(given, [known[k] for k in sources], one)
            else:
                role = self._role(call)
                if role.masks and not all(known[k] for k in sources):
                    raise _UnforeseenError
                after = role.compute_mask(given if layer.several else given[0], one)
            for target, found in zip(call.targets, _shared(after, call.targets), strict=True):
                masks[target] = found
        return [masks[slot] for slot in self._exits]

    def _call(self, call, worker, values, training):
        options = {"training": training} | _options(call, values)
        self._keep(call, perform(worker.forward, *_filled(call.arguments, values), **options), values)

    def _workers(self):
        # Quién hace cada llamada: la capa, o, si se repite, una copia suya con los mismos pesos y memoria propia.
        layers = [self.layers[k] for k in self._order]
        if not self.echoes:
            return layers
        return [layer if echo is None else echo for layer, echo in zip(layers, self.echoes, strict=True)]

    def repeated(self):
        r"""Da las capas que se llaman otra vez, cada una con su copia."""
        pairs = zip(self._order, self.echoes, strict=False)
        return [(self.layers[k], echo) for k, echo in pairs if echo is not None]

    def _prepare_echoes(self):
        # Las de una réplica duran lo que ella; las demás podrían tener los pesos de antes de una mudanza.
        if True in self._again:
            pairs = list(zip(self._order, self._again, strict=True))
            if not self.echoes or not self.reuse:
                self.echoes = [self.layers[k].echo() if again else None for k, again in pairs]
            for (k, again), echo in zip(pairs, self.echoes, strict=True):
                if again:
                    echo.take_draws(self.layers[k])

    def backward(self, dy):
        r"""Recorre las llamadas al revés, y suma el gradiente de cada valor que se usó más de una vez."""
        slopes = [None] * self._slots
        for slot, slope in zip(self._exits, self._slopes_of(dy), strict=True):
            self._sum(slopes, slot, slope)
        workers = self._workers()
        for k in range(len(self.calls) - 1, -1, -1):
            if self._back is not None and not self._back[k]:
                continue
            plain, source, target = self._plain[k]
            if plain:
                slope = slopes[target]
                slope = self._zeros(workers[k].y) if slope is None else slope
                slope = perform(workers[k].backward, slope)
                if slopes[source] is None:
                    slopes[source] = slope
                elif slope is not None:
                    self._sum(slopes, source, slope)
            else:
                self._return(self.calls[k], workers[k], slopes)
        for k in (k for k, again in enumerate(self._again) if again):
            pairs = zip(self.layers[self._order[k]].gradients, workers[k].gradients, strict=True)
            for gradient, other in pairs:
                add(gradient, other, gradient)  # [ec-mlp-grafo-compartida]
        found = slopes[: self._entries]
        if self.input_gradient:
            # De una entrada que nadie usa.
            found = [self._unused(k) if slope is None else slope for k, slope in enumerate(found)]
        return found if self.several else found[0]

    def _slopes_of(self, dy):
        if len(self._exits) == 1:
            return [self.output_gradient(dy)]
        if not isinstance(dy, (list, tuple)) or len(dy) != len(self._exits):
            raise ValueError(f"dy: se esperaba una lista de {len(self._exits)} gradientes, uno por salida")
        return [None if one is None else self.output_gradient(one, k) for k, one in enumerate(dy)]

    def _sum(self, slopes, slot, slope):
        # El primero puede ser memoria de otra capa: la suma va en otra parte.
        if slopes[slot] is None or slope is None:
            slopes[slot] = slope if slopes[slot] is None else slopes[slot]
            return
        total = self.buffer(("suma", slot), slope.shape)
        add(slopes[slot], slope, total)  # [ec-mlp-grafo-vuelta]
        slopes[slot] = total

    def _zeros(self, y):
        zeros = self.buffer("ceros", y.shape)
        fill(zeros, 0)
        return zeros

    def _unused(self, k):
        x_shape = each(self.current_shape)[k]
        y = self.y[0] if isinstance(self.y, list) else self.y
        return np.zeros((len(y), *x_shape), self.dtype)

    def _return(self, call, worker, slopes):
        given = [slopes[target] for target in call.targets]
        if len(given) == 1:
            given = self._zeros(worker.y) if given[0] is None else given[0]
        else:
            given = [self._zeros(y) if slope is None else slope for slope, y in zip(given, worker.y, strict=True)]
        back = perform(worker.backward, given)
        if back is not None:
            back = list(back) if isinstance(back, (list, tuple)) else [back]
            if len(call.sources) > len(back):
                # Lo que entró por un lado, como un estado inicial, va detrás.
                back += worker.state_gradients
            for source, slope in zip(call.sources, back, strict=True):
                self._sum(slopes, source, slope)

    def without_input_gradient(self):
        r"""Avisa a las capas de cuya entrada nadie usará el gradiente: antes de ellas no hay qué corregir."""
        super().without_input_gradient()
        wanted, back = set(), []
        self._prepare_echoes()
        for call, worker in zip(self.calls, self._workers(), strict=True):
            upstream = any(source in wanted for source in call.sources)
            if not upstream:
                worker.without_input_gradient()
            back.append(upstream or worker.must_go_back())
            if back[-1]:
                wanted.update(call.targets)
        self._back = tuple(back)

    def work(self):
        r"""Suma el trabajo de las capas, una vez por llamada."""
        return sum(self.layers[call.layer].work() for call in self.calls)

    def _twin(self, known=None):
        other, pairs = super()._twin(known)
        # Las copias de las capas que se repiten son de cada una.
        vars(other).update(echoes=(), _back=None)
        pairs[0][2]["echoes"] = ()
        return other, pairs

    def __getstate__(self):
        r"""Da lo que se copia y se guarda: los valores simbólicos los apunta otra vez la copia."""
        return {
            **super().__getstate__(),
            "_inputs": None,
            "_outputs": None,
            "echoes": (),
            "_back": None,
            "_shapes_known": None,
        }

    def __setstate__(self, state):
        r"""Recibe lo que dio :meth:`__getstate__`."""
        vars(self).update(state)
        if self.built:
            self.retrace()

    # --- Lo que ve quien la usa ---

    @property
    def inputs(self):
        r"""Los valores simbólicos que entran, en una lista."""
        return list(self._inputs)

    @property
    def outputs(self):
        r"""Los que salen, en una lista."""
        return list(self._outputs)

    @property
    def input(self):
        r"""El valor simbólico que entra; una lista, si son varios."""
        return self._inputs[0] if len(self._inputs) == 1 else self.inputs

    @property
    def output(self):
        r"""El que sale; una lista, si son varios."""
        return self._outputs[0] if len(self._outputs) == 1 else self.outputs

    @property
    def output_shape(self):
        r"""La forma de lo que sale, como ``input_shape``, y ``None`` si no está construida."""
        return self.compute_output_shape(self.input_shape) if self.built else None

    @property
    def output_names(self):
        r"""Los nombres de las salidas, que son los de las capas de las que salen."""
        return [symbol.name for symbol in self._outputs]


def plain_graph(calls, x, w, dy):
    r"""Cada llamada es una ida, una vuelta y de dónde recibe; todas usan los pesos ``w``."""
    values = [x]
    for forward, _, sources in calls:
        given = [values[i] for i in sources]
        values.append(forward(w, *given))  # [ec-mlp-grafo-ida]
    slopes, dw = [0.0] * len(values), 0.0
    slopes[-1] = dy
    for j in range(len(calls), 0, -1):
        _, backward, sources = calls[j - 1]
        given = [values[i] for i in sources]
        own, *found = backward(slopes[j], w, *given)
        dw = dw + own  # [ec-mlp-grafo-compartida]
        for i, slope in zip(sources, found, strict=True):
            slopes[i] = slopes[i] + slope  # [ec-mlp-grafo-vuelta]
    return values[-1], dw, slopes[0]


def _options(call, values):
    return {name: _filled(value, values) for name, value in call.options.items()}
