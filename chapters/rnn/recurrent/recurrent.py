r"""Lo que comparten las capas que recuerdan: recorrer el tiempo, de ida y de vuelta."""

import numpy as np

from chapters.mlp import activations, constraints, initializers, regularizers
from chapters.mlp.dense import _dense_backward_input, _dense_backward_weights, _dense_forward, _rows, last_axis
from chapters.mlp.dropout import _toss
from chapters.mlp.layer import Layer, text_of_shape
from chapters.rnn.recurrent.steps import (
    NO_MASK,
    add_last_output,
    carry,
    drop_states,
    from_steps,
    last_output,
    outputs_to_steps,
    pack,
    pack_transposed,
    packed_shape,
    recur,
    recur_back,
    states_to_outputs,
    to_steps,
)
from dlbook import check
from dlbook.numeric.elementwise import copy, fill
from dlbook.numeric.matmul import matmul_large
from dlbook.numeric.recording import ARRAYS, perform


class Recurrent(Layer):
    r"""Base de las capas que leen una secuencia paso a paso y guardan un estado.

    Todas hacen lo mismo con el tiempo. En cada paso multiplican la entrada por ``kernel`` y el estado por
    ``recurrent_kernel``, y de la suma, las preactivaciones, sacan el estado que sigue. Lo que distingue a una de otra
    es esa última cuenta: :meth:`step`, y de vuelta :meth:`step_back`. Lo demás está aquí: la máscara, el orden, el
    estado inicial, el *dropout* y los gradientes de los pesos.

    **Un producto para toda la secuencia.** La entrada no depende del estado: su producto con ``kernel`` se hace de una
    vez para todos los pasos, antes de empezar. Solo el del estado tiene que esperar su turno. Al volver, lo mismo: paso
    a paso se calculan los gradientes de las preactivaciones, y con todos juntos, en un producto, el de cada matriz. Un
    núcleo puede preferir calcularlo paso por paso, para usarlo mientras está en la caché: entonces la capa vacía
    :meth:`project` o :meth:`input_gradients`.

    Una capa propia declara cuántas preactivaciones tiene por unidad, ``gates``, y cuántos estados, ``state_count``, y
    escribe dos métodos. Esta suma lo que le llega a lo que recuerda:

    >>> class Adder(Recurrent):
    ...     def step(self, t, z, r, before, after):
    ...         after[0][...] = z + r
    ...     def step_back(self, t, z, before, after, dstates, dz, dr, dbefore):
    ...         dz[...] = dstates[0]
    ...         dbefore[0][...] = 0
    >>> layer = Adder(1, dtype="float64")
    >>> layer.build((None, 1))
    >>> layer.set_weights([[[1.0]], [[1.0]], [0.0]])
    >>> layer.forward([[[1.0], [2.0], [3.0]]])
    array([[6.]])
    >>> layer.backward([[1.0]])
    array([[[1.],
            [1.],
            [1.]]])

    Parameters
    ----------
    units : int
        Cuántas unidades tiene el estado.
    activation : str or ActivationFunction, optional
        La activación :math:`\varphi`.
    use_bias : bool
        Si hay sesgo.
    kernel_initializer, recurrent_initializer, bias_initializer : str or Initializer
        Con qué valores empiezan los pesos de la entrada, los del estado y los sesgos.
    kernel_regularizer, recurrent_regularizer, bias_regularizer : str or Regularizer, optional
        Penalización que se suma a la pérdida.
    activity_regularizer : str or Regularizer, optional
        La penalización de lo que sale de la capa.
    kernel_constraint, recurrent_constraint, bias_constraint : str, Constraint or callable, optional
        Restricción que se les impone después de cada paso.
    dropout, recurrent_dropout : float
        La fracción de la entrada y la del estado que se apagan al entrenar. Las monedas se echan una vez por secuencia:
        son las mismas en todos sus pasos.
    return_sequences : bool
        Si sale el estado de cada paso, (n, T, u), o solo el último, (n, u).
    return_state : bool
        Si además salen los estados finales: una lista, la salida y cada uno.
    go_backwards : bool
        Si la secuencia se lee del final al principio. Lo que sale va en el orden en que se leyó.
    stateful : bool
        Si cada llamada empieza en el estado en que terminó la anterior, hasta :meth:`reset_state`.
    unroll : bool
        Se admite por compatibilidad con Keras; aquí da lo mismo.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`chapters.mlp.Layer`.

    Attributes
    ----------
    kernel : ndarray, shape (d, gates * units)
        Los pesos de la entrada.
    recurrent_kernel : ndarray, shape (units, gates * units)
        Los del estado.
    bias : ndarray, shape (gates * units,), or None
        Los sesgos.
    state_gradients : list of ndarray, shape (n, units)
        El gradiente de cada estado inicial, después de :meth:`backward`.
    """

    any_size = supports_masking = True
    fewest = 64
    own_folder = "cell"
    side_inputs = ("initial_state",)
    # Cuántas preactivaciones por unidad, y cuántos estados.
    gates = 1
    state_count = 1
    state_gradients = None

    def __init__(
        self,
        units,
        activation="tanh",
        use_bias=True,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
        kernel_regularizer=None,
        recurrent_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        recurrent_constraint=None,
        bias_constraint=None,
        dropout=0.0,
        recurrent_dropout=0.0,
        return_sequences=False,
        return_state=False,
        go_backwards=False,
        stateful=False,
        unroll=False,
        **options,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **options)
        self.units = check.integer(units, "units", 1)
        self.activation = activations.get(activation)
        self.use_bias = check.boolean(use_bias, "use_bias")
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = regularizers.get(recurrent_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.recurrent_constraint = constraints.get(recurrent_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.dropout = check.number(dropout, "dropout", 0, 1)
        self.recurrent_dropout = check.number(recurrent_dropout, "recurrent_dropout", 0, 1)
        self.return_sequences = check.boolean(return_sequences, "return_sequences")
        self.return_state = check.boolean(return_state, "return_state")
        self.go_backwards = check.boolean(go_backwards, "go_backwards")
        self.stateful = check.boolean(stateful, "stateful")
        self.unroll = check.boolean(unroll, "unroll")
        self.random = self.dropout > 0 or self.recurrent_dropout > 0
        self.kernel = self.recurrent_kernel = self.bias = None
        # El estado en que terminó la última llamada, si la siguiente empieza ahí. Las copias lo comparten.
        self.memory = {}

    # --- Lo que distingue a una capa de otra ---

    def step(self, t, z, r, before, after):
        r"""Da un paso: de las preactivaciones, el estado que sigue.

        Parameters
        ----------
        t : int
            Qué paso es.
        z : ndarray, shape (n, gates * units)
            La parte de la entrada, con su sesgo. Puede escribirse en ella lo que haga falta al volver.
        r : ndarray, shape (n, gates * units)
            La del estado, ``h @ recurrent_kernel``.
        before : list of ndarray, shape (n, units)
            Los estados de los que se parte.
        after : list of ndarray, shape (n, units)
            Donde se escriben los que siguen.
        """
        raise NotImplementedError(f"{type(self).__name__}: falta escribir step, que da un paso")

    def step_back(self, t, z, before, after, dstates, dz, dr, dbefore):
        r"""Da un paso de vuelta: del gradiente de los estados que salieron, el de las preactivaciones.

        Parameters
        ----------
        t : int
            Qué paso es.
        z : ndarray, shape (n, gates * units)
            Lo que :meth:`step` dejó ahí.
        before, after : list of ndarray, shape (n, units)
            Los estados, antes y después del paso.
        dstates : list of ndarray, shape (n, units)
            El gradiente de los de después.
        dz, dr : ndarray, shape (n, gates * units)
            Donde se escribe el de las dos partes de las preactivaciones. Casi siempre son el mismo arreglo.
        dbefore : list of ndarray, shape (n, units)
            Donde se escribe el de los estados de antes, sin lo que llega por ``recurrent_kernel``.
        """
        raise NotImplementedError(f"{type(self).__name__}: falta escribir step_back, que da un paso de vuelta")

    def bias_shape(self):
        r"""Da la forma de los sesgos."""
        return (self.gates * self.units,)

    def bias_start(self):
        r"""Da el inicializador de los sesgos."""
        return self.bias_initializer

    def input_bias(self):
        r"""Da el sesgo que se suma a la parte de la entrada; sin él, un arreglo vacío."""
        return self.bias if self.use_bias else self.kernel[0, :0]

    def no_bias(self, size):
        r"""Da ceros, para el núcleo que siempre suma un sesgo."""
        zeros = self.buffer("no bias", (size,))
        fill(zeros, 0)
        return zeros

    # --- Lo que toda capa define ---

    def configured(self, name, value):
        r"""Da lo que se guarda al asignar un argumento; con monedas, la capa sortea."""
        value = super().configured(name, value)
        if name in ("dropout", "recurrent_dropout") and value:
            self.random = True
        return value

    @property
    def alone(self):
        r"""Si ha de ver el lote entero, porque su estado sigue de una llamada a otra."""
        return self.stateful or super().alone

    def build(self, input_shape):
        r"""Crea los pesos para secuencias de una forma, (T, d)."""
        d = self._checked(input_shape)[-1]
        super().build(input_shape)
        own = {"regularizer": self.kernel_regularizer, "constraint": self.kernel_constraint}
        self.kernel = self.add_weight((d, self.gates * self.units), self.kernel_initializer, **own)
        own = {"regularizer": self.recurrent_regularizer, "constraint": self.recurrent_constraint}
        shape = (self.units, self.gates * self.units)
        self.recurrent_kernel = self.add_weight(shape, self.recurrent_initializer, **own)
        if self.use_bias:
            own = {"regularizer": self.bias_regularizer, "constraint": self.bias_constraint}
            self.bias = self.add_weight(self.bias_shape(), self.bias_start(), **own)

    def _checked(self, input_shape):
        shape = check.shape(input_shape, "input_shape", unknown=True)
        if len(shape) != 2:
            raise ValueError(
                f"x: se esperaba la forma (n, T, d), de secuencias de vectores, pero llegó {text_of_shape(shape)}"
            )
        last_axis(shape)
        return shape

    def compute_output_shape(self, input_shape):
        r"""Devuelve la forma de la salida; con ``return_state``, la lista con las de los estados."""
        steps, _ = self._checked(input_shape)
        y = (steps, self.units) if self.return_sequences else (self.units,)
        return [y, *[(self.units,)] * self.state_count] if self.return_state else y

    def compute_mask(self, inputs, previous_mask=None):
        r"""Da la máscara de lo que sale: la misma si sale un vector por paso; si no, ninguna."""
        mask = previous_mask if self.return_sequences else None
        return [mask, *[None] * self.state_count] if self.return_state else mask

    def work(self):
        r"""Cuenta un producto por peso y por paso."""
        return self.count_params() * ((self.current_shape or (1,))[0] or 1)

    # --- El estado entre llamadas ---

    def reset_state(self):
        r"""Olvida el estado en que terminó la última llamada, si la capa es ``stateful``."""
        self.memory.clear()

    # Como se llamaba antes en Keras.
    reset_states = reset_state

    def _start(self, initial_state, n):
        if initial_state is None:
            kept = self.memory.get("states") if self.stateful else None
            if kept is None:
                return [None] * self.state_count
            if len(kept[0]) != n:
                raise ValueError(
                    f"{self.name}: se esperaban {len(kept[0])} secuencias, las de la llamada anterior, pero llegaron "
                    f"{n}; para empezar otras, reset_state()"
                )
            return kept
        several = isinstance(initial_state, (list, tuple)) and (
            len(initial_state) == self.state_count > 1 or all(self._is_state(state) for state in initial_state)
        )
        one = not several and not (isinstance(initial_state, np.ndarray) and initial_state.ndim == 3)
        given = [initial_state] if one else list(initial_state)
        if len(given) != self.state_count:
            raise ValueError(f"initial_state: se esperaban {self.state_count} estados, pero llegaron {len(given)}")
        names = ["initial_state"] if one else [f"initial_state[{k}]" for k in range(len(given))]
        # El que da otra capa ya está listo.
        ready = [type(state) in ARRAYS and state.dtype == self.dtype and state.flags.carray for state in given]
        triples = zip(given, names, ready, strict=True)
        given = [state if fine else check.floats(state, name) for state, name, fine in triples]
        for state, name in zip(given, names, strict=True):
            if state.shape != (n, self.units):
                raise ValueError(f"{name}: se esperaba la forma ({n}, {self.units}), pero llegó {state.shape}")
        return given

    @staticmethod
    def _is_state(state):
        try:
            return np.ndim(state) == 2
        except ValueError:
            # Filas de distinto largo: lo dice quien comprueba los números.
            return False

    def _steps_mask(self, mask, n, steps):
        if mask is None:
            return NO_MASK
        mask = check.mask(mask, "mask", (n, steps))
        found = self.buffer("mask", (steps, n), bool)
        copy((mask[:, ::-1] if self.go_backwards else mask).T, found)
        return found

    def _coins(self, name, rate, shape, training):
        if not training or not rate:
            return self.buffer(f"no {name}", (0,) * len(shape))
        coins = self.uniform(self.buffer(name, shape))
        _toss(coins.reshape(-1), rate)
        return coins

    # --- Ir y volver ---

    def forward(self, x, training=False, mask=None, initial_state=None):
        r"""Lee las secuencias, paso a paso.

        Parameters
        ----------
        x : array_like, shape (n, T, d)
            Las secuencias.
        training : bool
            Si se está entrenando.
        mask : array_like of bool, shape (n, T), optional
            Qué pasos son reales. En los demás el estado no cambia, y lo que sale repite lo anterior; antes del primero
            real salen ceros, como en Keras con TensorFlow.
        initial_state : array_like, shape (n, units), or list, optional
            El estado del que se parte, o la lista, si son varios; sin él, ceros.

        Returns
        -------
        ndarray, shape (n, units) or (n, T, units), or list
        """
        self.x = x = self.ready(x)
        n, steps, d = x.shape
        self.mask = mask = self._steps_mask(mask, n, steps)
        start = self._start(initial_state, n)
        self.factor = perform(self._coins, "factor", self.dropout, (n, d), training)
        self.drop = perform(self._coins, "drop", self.recurrent_dropout, (n, self.gates, self.units), training)
        self.xs = xs = self.buffer("xs", (steps, n, d))
        to_steps(x, self.factor, self.go_backwards, xs)
        self.z = z = self.buffer("z", (steps, n, self.gates * self.units))
        self.project(xs, z)
        self.states = states = self.new_states(steps, n)
        for state, first in zip(states, start, strict=True):
            if first is None:
                fill(state[0], 0)
            else:
                copy(first, state[0])
        self.run(z, states, mask)
        if self.stateful:
            self.memory["states"] = [state[-1].copy() for state in states]
        if self.return_sequences:
            y = self.buffer("y", (n, steps, self.units))
            states_to_outputs(states[0], mask, y)
        else:
            y = self.buffer("y", (n, self.units))
            last_output(states[0], mask, y)
        self.y = y
        if self.return_state:
            last = [self.buffer(f"last {k}", (n, self.units)) for k in range(self.state_count)]
            for own, state in zip(last, states, strict=True):
                copy(state[-1], own)
            self.y = [y, *last]
        return self.y

    def backward(self, dy):
        r"""Llena los gradientes de los pesos, y devuelve el de la secuencia; el del estado inicial, aparte."""
        dy, *dlast = self.output_gradients(dy)
        steps, n, _ = self.xs.shape
        dstates = [self.buffer(f"dstate {k}", (n, self.units)) for k in range(self.state_count)]
        for dstate, last in zip(dstates, dlast or [None] * self.state_count, strict=True):
            if last is None:
                fill(dstate, 0)
            else:
                copy(last, dstate)
        dys = self.buffer("dys", (steps if self.return_sequences else 0, n, self.units))
        if self.return_sequences:
            outputs_to_steps(dy, self.mask, dys)
        else:
            add_last_output(dy, self.mask, dstates[0])
        dz, dr = self.preactivation_gradients()
        # El gradiente de la entrada: un núcleo puede llenarlo al volver. Vacío, si nadie lo pide.
        self.dxs = dxs = self.buffer("dxs", self.xs.shape if self.input_gradient else (0, n, 0))
        self.run_back(self.z, self.states, self.mask, dys, dstates, dz, dr)
        self.state_gradients = dstates
        if self._trainable:
            self.weight_gradients(dz, dr)
        if not self.input_gradient:
            return None
        self.input_gradients(dz, dxs)
        dx = self.buffer("dx", self.x.shape)
        from_steps(dxs, self.factor, self.go_backwards, dx)
        return dx

    def new_states(self, steps, n):
        r"""Da la memoria de los estados: en el primer lugar van los iniciales, y después los de cada paso."""
        return [self.buffer(f"state {k}", (steps + 1, n, self.units)) for k in range(self.state_count)]

    def preactivation_gradients(self):
        r"""Da dónde se escriben los gradientes de las dos partes de las preactivaciones; aquí, el mismo arreglo."""
        dz = self.buffer("dz", self.z.shape)
        return dz, dz

    def weight_gradients(self, dz, dr):
        r"""Llena los gradientes de los pesos, cada uno con un solo producto.

        Parameters
        ----------
        dz, dr : ndarray, shape (T, n, gates * units)
            Los de las preactivaciones, la parte de la entrada y la del estado.
        """
        dkernel, drecurrent, *dbias = self.gradients
        _dense_backward_weights(_rows(self.xs), _rows(dz), dkernel, dbias[0] if dbias else self.kernel[0, :0])
        self.recurrent_gradient(self.states[0][:-1], dr, drecurrent)

    def input_gradients(self, dz, dxs):
        r"""Calcula el gradiente de la entrada de todos los pasos, en un producto.

        Parameters
        ----------
        dz : ndarray, shape (T, n, gates * units)
            El de las preactivaciones, la parte de la entrada.
        dxs : ndarray, shape (T, n, d)
            Donde se escribe.
        """
        _dense_backward_input(_rows(dz), self.kernel, _rows(dxs))

    def recurrent_gradient(self, h, dr, out):
        r"""Escribe en ``out`` el gradiente de ``recurrent_kernel``.

        Parameters
        ----------
        h : ndarray, shape (T, n, units)
            Los estados de los que partió cada paso.
        dr : ndarray, shape (T, n, gates * units)
            El gradiente de la parte del estado.
        out : ndarray, shape (units, gates * units)
            Donde se escribe.
        """
        if not self.drop.size:
            matmul_large(_rows(h).T, _rows(dr), out)
            return
        for g in range(self.gates):
            columns, part = slice(g * self.units, (g + 1) * self.units), self.buffer("part", 2 * (self.units,))
            heard = self.buffer("heard", h.shape)
            drop_states(h, self.drop, g, heard)
            matmul_large(_rows(heard).T, _rows(dr)[:, columns], part)
            copy(part, out[:, columns])

    # --- El ciclo: una capa con un núcleo para su caso de siempre escribe el suyo ---

    def project(self, xs, z):
        r"""Calcula la parte de la entrada de todas las preactivaciones, en un producto.

        Parameters
        ----------
        xs : ndarray, shape (T, n, d)
            La entrada.
        z : ndarray, shape (T, n, gates * units)
            Donde se escribe.
        """
        _dense_forward(_rows(xs), self.kernel, self.input_bias(), _rows(z))

    def packed(self, *more):
        r"""Da ``recurrent_kernel`` en franjas de columnas, como se lee en cada paso; para uno solo, ninguna.

        Las matrices de ``more`` van debajo.
        """
        if len(self.z) == 1:
            return self.buffer("not packed", (0, 0, 0))
        return self._packed("packed", self.recurrent_kernel, *more)

    def _packed(self, name, *weights):
        shape = sum(map(len, weights)), weights[0].shape[1]
        out, first = self.buffer(name, packed_shape(shape, self.dtype.itemsize)), 0
        for w in weights:
            pack(w, first, out)
            first += len(w)
        return out

    def packed_transposed(self, *more):
        r"""Da la traspuesta de ``recurrent_kernel`` en franjas de columnas; las de ``more``, a su derecha."""
        weights = self.recurrent_kernel, *more
        shape = weights[0].shape[1], sum(map(len, weights))
        out, first = self.buffer("packed transposed", packed_shape(shape, self.dtype.itemsize)), 0
        for w in weights:
            pack_transposed(w, first, out)
            first += len(w)
        return out

    def run(self, z, states, mask):
        r"""Recorre los pasos hacia delante; aquí, con :meth:`step`, sirve cualquier activación.

        Parameters
        ----------
        z : ndarray, shape (T, n, gates * units)
            La parte de la entrada de todas las preactivaciones.
        states : list of ndarray, shape (T + 1, n, units)
            Los estados; el primero ya está escrito.
        mask : ndarray of bool, shape (T, n) or (0, 0)
            Qué pasos son reales, en el orden en que se leen.
        """
        steps, n, _ = z.shape
        r, dropped = self.buffer("r", z.shape[1:]), self.buffer("dropped", (n, self.units))
        packed = self.packed()
        for t in range(steps):
            recur(states[0][t], self.recurrent_kernel, packed, self.drop, dropped, r)
            before, after = [state[t] for state in states], [state[t + 1] for state in states]
            self.step(t, z[t], r, before, after)
            if mask.size:
                for old, new in zip(before, after, strict=True):
                    carry(mask[t], old, new)

    def run_back(self, z, states, mask, dys, dstates, dz, dr):
        r"""Recorre los pasos hacia atrás; aquí, con :meth:`step_back`.

        Parameters
        ----------
        z, states, mask
            Como en :meth:`run`.
        dys : ndarray, shape (T, n, units) or (0, n, units)
            El gradiente de lo que salió en cada paso.
        dstates : list of ndarray, shape (n, units)
            El de los estados finales; al terminar, el de los iniciales.
        dz, dr : ndarray, shape (T, n, gates * units)
            Donde se escriben los de las preactivaciones.
        """
        steps, n, _ = z.shape
        before = [self.buffer(f"dbefore {k}", (n, self.units)) for k in range(self.state_count)]
        back, dropped = self.buffer("back", (n, self.units)), self.buffer("dropped", (n, self.units))
        packed = self.packed_transposed()
        for t in reversed(range(steps)):
            if dys.size:
                dstates[0] += dys[t]
            olds, news = [state[t] for state in states], [state[t + 1] for state in states]
            self.step_back(t, z[t], olds, news, dstates, dz[t], dr[t], before)
            if mask.size:
                hidden = ~mask[t]
                dz[t][hidden] = 0
                dr[t][hidden] = 0
            recur_back(dr[t], self.recurrent_kernel, packed, self.drop, dropped, back)
            before[0] += back
            for dstate, new in zip(dstates, before, strict=True):
                if mask.size:
                    new[hidden] = dstate[hidden]
                dstate[...] = new
