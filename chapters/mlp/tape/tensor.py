r"""Diferenciación automática en modo inverso, con arreglos: el tensor, la variable y la cinta."""

import contextvars
import itertools
import numbers

import numpy as np

from dlbook import check

_births = itertools.count()
# Las cintas que apuntan ahora, de afuera hacia adentro; cada hilo tiene las suyas.
_tapes = contextvars.ContextVar("tapes", default=())
DTYPES = [
    *("float16", "float32", "float64", "int8", "int16", "int32", "int64"),
    *("uint8", "uint16", "uint32", "uint64", "bool"),
]
# Las operaciones de ``ops``, por la función de NumPy que hace lo mismo.
OPERATIONS = {}


class Tensor(np.lib.mixins.NDArrayOperatorsMixin):
    r"""Un arreglo que recuerda cómo se calculó, y por eso sabe derivarse.

    Es :class:`Value` con un arreglo en lugar de un número. Solo cambia una cosa. Con números, la derivada local es otro
    número, y se multiplica. Con arreglos sería una matriz enorme, la jacobiana :math:`\mathbf J=\partial\mathbf
    y/\partial\mathbf x`, con una fila por número que sale y una columna por número que entra; pero nadie la necesita
    entera. Lo que hace falta es su producto con el gradiente que llega, :math:`\bar{\mathbf y}=\partial\mathcal
    L/\partial\mathbf y`:

    .. math::
       :label: ec-mlp-vjp

       \bar{\mathbf x}=\sum_{\mathbf y\,:\,\mathbf x\to\mathbf y}\mathbf J^\top\bar{\mathbf y} .

    Por eso cada nodo guarda, por cada arreglo que usó, una **función** que recibe :math:`\bar{\mathbf y}` y devuelve
    :math:`\mathbf J^\top\bar{\mathbf y}`: el *producto vector-jacobiana* (*vector–Jacobian product*, VJP).

    **A mano.** En :math:`y=\sum_i a_i^2`, con :math:`\mathbf a=(1, 2, 3)`, el cuadrado tiene una jacobiana diagonal,
    :math:`2a_i`, y la suma, una fila de unos:

    >>> from chapters.mlp import GradientTape, ops
    >>> a = np.array([1.0, 2.0, 3.0])
    >>> with GradientTape() as tape:
    ...     y = ops.sum(ops.square(a))
    >>> y
    <Tensor shape=(), dtype=float64: 14.>
    >>> tape.gradient(y, a)
    array([2., 4., 6.])

    Con sus operadores se escribe como con un arreglo de NumPy, y las funciones de NumPy que tienen pareja en ``ops``
    también lo aceptan. Donde nadie apunta, todo da arreglos.

    >>> with GradientTape() as tape:
    ...     t = tape.watch(a)
    ...     y = np.sum((2 * t[1:] - 1) ** 2)
    >>> tape.gradient(y, t)
    array([ 0., 12., 20.])

    Parameters
    ----------
    value : array_like
        Los números.

    Attributes
    ----------
    value : ndarray
        Los números.
    parents : tuple of (Tensor, callable)
        Los que usó, cada uno con la función que lleva el gradiente hasta él.
    mask : ndarray of bool or None
        Qué instantes cuentan, si lo dio una capa que sabe de máscaras.

    Raises
    ------
    TypeError
        Si no son números reales.
    """

    mask = None

    def __init__(self, value):
        self.value, self.parents = check.numbers_of(value, "value"), ()
        self.mark, self.birth = None, next(_births)

    shape = property(lambda self: self.value.shape)
    dtype = property(lambda self: self.value.dtype)
    ndim = property(lambda self: self.value.ndim)
    size = property(lambda self: self.value.size)
    T = property(lambda self: OPERATIONS[np.transpose](self))

    def numpy(self):
        r"""Da los números, en un arreglo que ya no recuerda nada."""
        return self.value.copy()

    def item(self):
        r"""Da el único número que hay."""
        return self.value.item()

    def __getitem__(self, index):
        r"""Escoge, como en un arreglo."""
        return OPERATIONS["getitem"](self, index)

    def __array__(self, dtype=None, copy=None):
        r"""Da los números a quien espera un arreglo."""
        return np.array(self.value, dtype) if copy else np.asarray(self.value, dtype)

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        r"""Responde, con lo de ``ops``, a los operadores y a funciones como ``np.exp``."""
        if len(options.get("out", ())) == 1 and options["out"][0] is self:
            # ``t += 1`` da otro tensor: el de antes todavía hace falta para volver.
            del options["out"]
        if method == "__call__" and not options and ufunc in OPERATIONS:
            return OPERATIONS[ufunc](*inputs)
        return _untaped(getattr(ufunc, method), ufunc.__name__, inputs, options)

    def __array_function__(self, function, types, inputs, options):
        r"""Responde a funciones como ``np.sum``."""
        if function in OPERATIONS:
            return OPERATIONS[function](*inputs, **options)
        return _untaped(function, function.__name__, inputs, options)

    def __bool__(self):
        r"""Da el valor de verdad de su único número."""
        return bool(self.value)

    def __float__(self):
        r"""Da su único número."""
        return float(self.value.item())

    def __int__(self):
        r"""Da su único número, sin decimales."""
        return int(self.value.item())

    def __index__(self):
        r"""Da su único número, si es entero, para usarlo de índice."""
        return self.value.__index__()

    def __len__(self):
        r"""Da el tamaño de su primer eje."""
        return len(self.value)

    def __iter__(self):
        r"""Recorre su primer eje."""
        return (self[k] for k in range(len(self)))

    def __hash__(self):
        r"""Lo distingue de los demás: dos tensores son el mismo solo si son el mismo objeto."""
        return id(self)

    def __repr__(self):
        r"""Su forma, su tipo y sus números."""
        numbers = np.array2string(self.value, threshold=10, separator=", ")
        return f"<{type(self).__name__} shape={self.shape}, dtype={self.dtype}: {numbers}>"


def _method(function):
    def method(self, *arguments, **options):
        return OPERATIONS[function](self, *arguments, **options)

    return method


# Los métodos de un arreglo que más se usan.
for _function in (
    *(np.sum, np.mean, np.max, np.min, np.prod, np.std, np.var, np.argmax, np.argmin, np.cumsum, np.any, np.all),
    *(np.clip, np.round, np.squeeze, np.ravel, np.reshape, np.transpose, np.repeat, np.take, np.dot, np.astype),
):
    setattr(Tensor, _function.__name__, _method(_function))


def _untaped(function, name, inputs, options):
    # Lo que la cinta no sabe derivar, si nadie apunta, se calcula sin más.
    if _tapes.get():
        raise TypeError(
            f"{name}: la cinta no sabe derivar esta función de NumPy, o no con esos argumentos; se esperaba una de "
            f"keras.ops"
        )
    plain = [_plain(x) for x in inputs]
    return function(*plain, **{key: _plain(x) for key, x in options.items()})


def _plain(x):
    if isinstance(x, (list, tuple)):
        return type(x)(map(_plain, x))
    return x.value if isinstance(x, Tensor) else x


class Variable(Tensor):
    r"""Un tensor cuyos números cambian: un peso, o cualquier cosa que un programa vaya corrigiendo.

    >>> from chapters.mlp import GradientTape, Variable
    >>> w = Variable([3.0, 4.0], dtype="float64")
    >>> with GradientTape() as tape:
    ...     loss = np.sum(w * w)
    >>> w.assign_sub(0.1 * tape.gradient(loss, w)).numpy()
    array([2.4, 3.2])

    Parameters
    ----------
    initializer : array_like or callable
        Los números; o de dónde salen, una función de la forma y el tipo.
    shape : tuple of int, optional
        La forma, si se da una función.
    dtype : str, optional
        El tipo; si no se dice, el de un arreglo de NumPy, o ``"float32"``.
    trainable : bool
        Si se aprende.
    name : str, optional
        Cómo se llama.

    Raises
    ------
    TypeError, ValueError
        Si no son números reales, o si se da una función y no la forma.
    """

    def __init__(self, initializer, shape=None, dtype=None, trainable=True, *, name=None):
        if callable(initializer):
            if shape is None:
                raise ValueError("shape: se esperaba la forma, porque initializer es una función")
            shape = check.shape(shape, "shape")
            try:
                initializer = initializer(shape, dtype="float32" if dtype is None else dtype)
            except TypeError as error:
                raise TypeError(f"initializer: se esperaba una función de la forma y del tipo; {error}") from error
        kept = isinstance(initializer, (np.ndarray, np.generic, Tensor))
        super().__init__(initializer)
        if dtype is None:
            dtype = "float32" if self.dtype.kind == "f" and not kept else self.dtype.name
        self.value = self.value.astype(check.choice(dtype, "dtype", DTYPES))
        if shape is not None and self.shape != check.shape(shape, "shape"):
            raise ValueError(f"initializer: se esperaba la forma {tuple(shape)}, pero llegó {self.shape}")
        self.trainable = check.boolean(trainable, "trainable")
        self.name = "variable" if name is None else check.text(name, "name")

    def assign(self, value):
        r"""Cambia sus números por otros de la misma forma, en su sitio."""
        value = check.numbers_of(value, "value")
        if value.shape != self.shape:
            raise ValueError(f"value: se esperaba la forma {self.shape}, pero llegó {value.shape}")
        self.value[...] = value
        return self

    def assign_add(self, value):
        r"""Les suma otros."""
        return self.assign(self.value + np.asarray(value))

    def assign_sub(self, value):
        r"""Les resta otros."""
        return self.assign(self.value - np.asarray(value))


def _node(value, parents, mark):
    node = Tensor.__new__(Tensor)
    node.value, node.parents = np.asarray(value), parents
    node.mark, node.birth = mark, next(_births)
    return node


def is_recording():
    r"""Dice si en este hilo hay alguna cinta apuntando.

    >>> from chapters.mlp import GradientTape
    >>> with GradientTape():
    ...     is_recording()
    True
    >>> is_recording()
    False
    """
    return bool(_tapes.get())


def record(value, *links):
    r"""Apunta una operación y da el tensor que sale; si nadie apunta, o no hay nada que derivar, el arreglo.

    >>> from chapters.mlp import GradientTape
    >>> x = np.array([1.0, 2.0])
    >>> with GradientTape() as tape:
    ...     y = record(3 * x, (x, lambda dy: 3 * dy))
    >>> tape.gradient(y, x)
    array([3., 3.])

    Parameters
    ----------
    value : ndarray
        Lo que dio la operación.
    *links : (object, callable)
        Cada cosa que usó, con la función que recibe el gradiente de lo que salió y da el suyo. No importa que ese
        gradiente salga con más ejes que los de la cosa, porque se repitió, o con ejes de tamaño 1: se ajusta.

    Returns
    -------
    Tensor or ndarray
    """
    tapes = _tapes.get()
    if not tapes or value.dtype.kind != "f":
        return value
    nodes = [(tapes[0].node(x), pull) for x, pull in links]
    parents = tuple(pair for pair in nodes if pair[0] is not None)
    return _node(value, parents, tapes[0].mark) if parents else value


def undo_broadcast(gradient, x):
    r"""Ajusta un gradiente a la forma de aquello de lo que es.

    **Derivación.** Al operar arreglos de formas distintas, NumPy repite los números del menor (*broadcasting*). Esa
    repetición también es una operación. Si :math:`x_j` se copió en los lugares :math:`i\in C_j`,
    entonces :math:`y_i=x_j`, cada copia tiene derivada 1, y los efectos de mover :math:`x_j` se suman:

    .. math::
       :label: ec-mlp-repeticion

       \bar x_j=\sum_{i\in C_j}\bar y_i .

    **A mano.** Un sesgo de 2 números que se sumó a 3 filas recibe la suma de cada columna:

    >>> undo_broadcast(
    ...     np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), np.zeros(2)
    ... )
    array([ 9., 12.])

    Parameters
    ----------
    gradient : ndarray
        El gradiente, con la forma de lo que salió.
    x : ndarray
        Lo que entró.

    Returns
    -------
    ndarray
        Con la forma y el tipo de ``x``.
    """
    if gradient.shape != x.shape:
        extra = gradient.ndim - x.ndim
        gradient = gradient.sum(axis=tuple(range(extra))) if extra > 0 else gradient  # [ec-mlp-repeticion]
        gradient = np.asarray(gradient)
        one = tuple(k for k, size in enumerate(gradient.shape) if x.shape[k] == 1 < size)
        gradient = gradient.sum(axis=one, keepdims=True) if one else gradient  # [ec-mlp-repeticion]
        gradient = np.broadcast_to(gradient, x.shape)
    return gradient if gradient.dtype == x.dtype else gradient.astype(x.dtype)


def plain_undo_broadcast(gradient, x):
    r"""Lo que se repitió al ir se suma al volver."""
    while gradient.ndim > x.ndim:
        gradient = gradient.sum(axis=0)  # [ec-mlp-repeticion]
    for k, size in enumerate(x.shape):
        if size == 1:
            gradient = gradient.sum(axis=k, keepdims=True)  # [ec-mlp-repeticion]
    return gradient


class GradientTape:
    r"""La cinta (*tape*): apunta las operaciones que se hacen mientras está puesta, y luego las lee al revés.

    Se usa como la de TensorFlow, con ``with``. Apunta lo que se calcula con ``ops``, con los
    operadores de los tensores, con las capas y los modelos del libro y con sus pérdidas. Después, :meth:`gradient` da
    el gradiente de una cantidad respecto a lo que se le pida: variables, pesos de capas o arreglos.

    **A mano.** Un paso del descenso de gradiente en un ciclo propio. El modelo :math:`\hat y=wx` con :math:`w=2`
    predice 6 en :math:`x=3`; si lo correcto era 5, la pérdida es 1 y su gradiente, :math:`2(6-5)\cdot3=6`:

    >>> from chapters.mlp import SGD, Dense, GradientTape, ops
    >>> layer = Dense(
    ...     1, use_bias=False, kernel_initializer="ones", dtype="float64"
    ... )
    >>> layer.build((1,))
    >>> layer.set_weights([[[2.0]]])
    >>> x, y = np.array([[3.0]]), np.array([[5.0]])
    >>> with GradientTape() as tape:
    ...     loss = ops.mean(ops.square(layer(x) - y))
    >>> gradients = tape.gradient(loss, layer.trainable_weights)
    >>> gradients
    [array([[6.]])]
    >>> SGD(0.1).apply(gradients, layer.trainable_weights)
    >>> layer.kernel.round(12)
    array([[1.4]])

    Lo que se calcule con NumPy y solo con arreglos no queda apuntado, porque NumPy no avisa: ``tape.watch(x)`` da un
    tensor que sí. Las segundas derivadas no existen aquí: pedir un gradiente mientras otra cinta apunta es un error.

    Parameters
    ----------
    persistent : bool
        Está por compatibilidad: aquí se puede pedir más de un gradiente de todos modos.
    watch_accessed_variables : bool
        Como en TensorFlow; solo se admite ``True``.
    """

    def __init__(self, persistent=False, watch_accessed_variables=True):
        self.persistent = check.boolean(persistent, "persistent")
        if not check.boolean(watch_accessed_variables, "watch_accessed_variables"):
            raise ValueError("watch_accessed_variables: se esperaba True; lo que no se pide a gradient no se calcula")
        # Los arreglos y las variables que se han usado, por su identidad, con su tensor; y la marca de los suyos.
        self.leaves, self.mark = {}, object()

    def __enter__(self):
        r"""Empieza a apuntar."""
        outer = _tapes.get()
        if outer:
            # Lo que apunta la de adentro también es de la de afuera.
            self.leaves, self.mark = outer[0].leaves, outer[0].mark
        self._token = _tapes.set((*outer, self))
        return self

    def __exit__(self, *_):
        r"""Deja de apuntar."""
        _tapes.reset(self._token)

    def watch(self, tensor):
        r"""Da un tensor con unos números, para que lo que se calcule con él quede apuntado."""
        if isinstance(tensor, (list, tuple)):
            return [self.watch(one) for one in tensor]
        if not isinstance(tensor, (np.ndarray, Tensor)):
            raise TypeError(f"tensor: se esperaba un arreglo o un tensor, pero llegó {type(tensor).__name__}")
        return self.node(tensor)

    def node(self, x):
        r"""Da el tensor que representa algo en esta cinta; ``None``, si no es nada que se pueda derivar."""
        if isinstance(x, Tensor) and x.mark is self.mark:
            return x
        if not isinstance(x, (np.ndarray, Tensor)) or x.dtype.kind != "f":
            return None
        # Lo que viene de otra cinta, ya terminada, es para esta un dato.
        if id(x) not in self.leaves:
            leaf = Variable.__new__(Variable)
            own = vars(x) if isinstance(x, Variable) else {"trainable": True, "name": "variable"}
            vars(leaf).update(own, value=getattr(x, "value", x), parents=(), mark=self.mark, birth=next(_births))
            self.leaves[id(x)] = x, leaf
        return self.leaves[id(x)][1]

    def gradient(self, target, sources, output_gradients=None, unconnected_gradients="none"):
        r"""Da el gradiente de una cantidad respecto a otras.

        Recorre los tensores de los que depende, del más joven al más viejo, y reparte el gradiente de cada uno según
        :eq:`ec-mlp-vjp`; solo por los caminos que llegan a algo que se pidió.

        Parameters
        ----------
        target : Tensor or list of Tensor
            La cantidad; si son varios números, su suma.
        sources : Tensor, ndarray, list or dict
            Respecto a qué: variables, pesos de capas, arreglos o tensores intermedios.
        output_gradients : ndarray or list of ndarray, optional
            Por cuánto cuenta cada número de ``target``; sin él, 1.
        unconnected_gradients : {"none", "zero"}
            Qué se da de lo que no influye en la cantidad: ``None`` o ceros.

        Returns
        -------
        ndarray, list or dict
            Como ``sources``.

        Raises
        ------
        TypeError, ValueError
            Si ``target`` no depende de nada que se haya apuntado, si otra cinta está apuntando o si las formas no
            concuerdan.
        """
        check.choice(unconnected_gradients, "unconnected_gradients", ["none", "zero"])
        if any(tape is not self for tape in _tapes.get()):
            raise ValueError(
                "gradient: se esperaba que ninguna otra cinta estuviera apuntando; las segundas derivadas no existen "
                "aquí"
            )
        targets = list(target) if isinstance(target, (list, tuple)) else [target]
        given = output_gradients if isinstance(output_gradients, (list, tuple)) else [output_gradients]
        given = [None] * len(targets) if output_gradients is None else list(given)
        if len(given) != len(targets):
            raise ValueError(f"output_gradients: se esperaban {len(targets)}, pero llegaron {len(given)}")
        starts = [self._start(t, g) for t, g in zip(targets, given, strict=True)]
        wanted = {}
        _each(sources, lambda source: wanted.setdefault(id(source), self._leaf(source)))
        found = self._pull(starts, [leaf for leaf in wanted.values() if leaf is not None])

        def taken(source):
            leaf = wanted[id(source)]
            if leaf is not None and id(leaf) in found:
                return np.array(found[id(leaf)])
            return np.zeros(source.shape, source.dtype) if unconnected_gradients == "zero" else None

        return _each(sources, taken)

    def _leaf(self, source):
        if not isinstance(source, (np.ndarray, Tensor)):
            raise TypeError(
                f"sources: se esperaban variables, pesos, arreglos o tensores, pero llegó {type(source).__name__}"
            )
        if isinstance(source, Tensor) and source.mark is self.mark:
            return source
        return self.leaves.get(id(source), (None, None))[1]

    def _start(self, target, gradient):
        if not isinstance(target, Tensor) or target.mark is not self.mark:
            raise TypeError(
                "target: se esperaba un tensor calculado mientras esta cinta apuntaba, pero llegó "
                f"{type(target).__name__}; usa keras.ops, capas o los operadores de un tensor"
            )
        if gradient is None:
            return target, np.ones_like(target.value)
        gradient = check.numbers_of(gradient, "output_gradients")
        if gradient.shape != target.shape:
            raise ValueError(f"output_gradients: se esperaba la forma {target.shape}, pero llegó {gradient.shape}")
        return target, gradient.astype(target.dtype)

    def _pull(self, starts, sources):
        nodes, pending = {}, [target for target, _ in starts]
        while pending:
            node = pending.pop()
            if id(node) not in nodes:
                nodes[id(node)] = node
                pending += [parent for parent, _ in node.parents]
        order = sorted(nodes.values(), key=lambda node: node.birth)
        # Solo importan los que dependen de algo que se pidió.
        asked = {id(source) for source in sources}
        useful = set(asked)
        for node in order:
            if any(id(parent) in useful for parent, _ in node.parents):
                useful.add(id(node))
        gradients = {}
        for target, gradient in starts:
            gradients[id(target)] = gradients.get(id(target), 0) + gradient
        token = _tapes.set(())
        try:
            for y in reversed(order):
                if id(y) not in gradients or not y.parents:
                    continue
                dy = gradients[id(y)] if id(y) in asked else gradients.pop(id(y))
                for x, pull in y.parents:
                    if id(x) in useful:
                        dx = undo_broadcast(np.asarray(pull(dy)), x.value)
                        gradients[id(x)] = gradients[id(x)] + dx if id(x) in gradients else dx  # [ec-mlp-vjp]
        finally:
            _tapes.reset(token)
        return {key: gradients[key] for key in asked if key in gradients}


def plain_gradient_tape(target, sources):
    r"""Cada tensor, del más joven al más viejo, reparte su gradiente entre los que usó."""
    nodes, pending = set(), [target]
    while pending:
        node = pending.pop()
        if node not in nodes:
            nodes.add(node)
            pending += [parent for parent, _ in node.parents]
    gradients = {target: np.ones_like(target.value)}
    for y in sorted(nodes, key=lambda node: -node.birth):
        for x, pull in y.parents:
            dx = undo_broadcast(pull(gradients[y]), x.value)
            gradients[x] = gradients.get(x, 0) + dx  # [ec-mlp-vjp]
    return [gradients[source] for source in sources]


def _each(sources, function):
    # A uno, o a cada uno de una lista o un diccionario, como vengan.
    if isinstance(sources, dict):
        return {name: _each(one, function) for name, one in sources.items()}
    if isinstance(sources, (list, tuple)):
        return [_each(one, function) for one in sources]
    return function(sources)


def numbers_in(x, name="x"):
    r"""Da los números de lo que recibe una operación: el arreglo de un tensor, o el arreglo que haya en una lista.

    Un número de Python se queda como está, y toma el tipo de aquello con que se opere. Los de una lista son
    ``float32`` o ``int32``, como en Keras.

    >>> numbers_in([1.0, 2.0]).dtype, numbers_in(3)
    (dtype('float32'), 3)

    Parameters
    ----------
    x : Tensor or array_like
        Lo que llegó.
    name : str
        Nombre del argumento, para el mensaje.

    Returns
    -------
    ndarray or float

    Raises
    ------
    TypeError
        Si no son números reales, o si es una lista con tensores adentro.
    """
    if isinstance(x, Tensor):
        return x.value
    if isinstance(x, (np.ndarray, np.generic)):
        if x.dtype.kind not in "biuf":
            raise TypeError(f"{name}: se esperaban números reales, pero llegó {x.dtype}")
        return x
    if isinstance(x, numbers.Real):
        return x
    if isinstance(x, (list, tuple)) and any(isinstance(one, Tensor) for one in x):
        raise TypeError(f"{name}: se esperaba un tensor, pero llegó una lista de tensores; júntalos antes con «stack»")
    array = check.numbers_of(x, name)
    return array.astype({"f": np.float32, "i": np.int32}.get(array.dtype.kind, array.dtype))
