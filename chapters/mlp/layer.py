r"""Lo que toda capa sabe hacer: construirse, ir hacia delante y volver hacia atrás."""

import contextlib
import contextvars
import copy
import dis
import functools
import inspect
import itertools
import math
import threading
from typing import NamedTuple

import numpy as np

from chapters.mlp import constraints, initializers, promises, regularizers
from chapters.mlp.symbol import Node, Symbol, symbols_in
from chapters.mlp.tape import called
from chapters.mlp.tape.tensor import Tensor, is_recording
from chapters.mlp.tape.through import through, through_losses
from dlbook import check, registry
from dlbook.attributes import Configured, refuse, unknown
from dlbook.numeric.elementwise import sum_rows
from dlbook.numeric.recording import ARRAYS, lent, spoil, unwatched
from dlbook.several import each
from dlbook.training import check_depth, walk

_shapes_only = contextvars.ContextVar("shapes_only", default=False)
# Cuántos números se pueden pedir todavía para pesos en cero; sin nada, los pesos salen de sus inicializadores.
_blank = contextvars.ContextVar("blank", default=None)
# Si quien construye es el libro: entonces las formas van sin el eje de las observaciones.
_inside = contextvars.ContextVar("inside", default=False)
# Construir una capa, copiarla para una llamada y entregarle lo que la llamada calculó: de a un hilo.
_lock = threading.RLock()
_MISSING = object()
_set = object.__setattr__
_INTEGER = np.dtype("int64")


class Weight(NamedTuple):
    r"""Un peso de una capa: sus números, su gradiente, si se aprende, y qué se le pide y qué lo distingue de otros."""

    value: np.ndarray
    gradient: np.ndarray | None
    regularizer: regularizers.Regularizer | None
    trainable: bool
    constraint: constraints.Constraint | None
    # Los números se mudan de memoria; esto no cambia nunca.
    key: object


@contextlib.contextmanager
def shapes_only():
    r"""Para contar sin pagar: lo que se construya adentro no reserva memoria para sus pesos.

    Una red de ciento cuarenta millones de parámetros ocupa medio gigabyte antes de hacer nada. Para saber cuántos son,
    qué sale de cada capa y cuánto trabajo cuesta bastan las formas:

    >>> from chapters.mlp import Dense, Input, Sequential
    >>> with shapes_only():
    ...     model = Sequential(
    ...         [Input(shape=(100_000,)), Dense(1_000_000), Dense(10)]
    ...     )
    >>> model.count_params()
    100011000010

    Raises
    ------
    ValueError
        Al usar después lo que se construyó así.

        >>> model.forward(np.zeros((1, 100_000)))
        Traceback (most recent call last):
            ...
        ValueError: dense: se construyó dentro de shapes_only y no tiene pesos; constrúyela fuera para usarla
    """
    token = _shapes_only.set(True)
    try:
        yield
    finally:
        _shapes_only.reset(token)


@contextlib.contextmanager
def blank(numbers):
    r"""Lo que se construya adentro tiene los pesos en cero, sin pedir memoria para más números de los que se dicen.

    Parameters
    ----------
    numbers : int
        Cuántos pueden ser, a lo sumo.
    """
    token = _blank.set([numbers])
    try:
        yield
    finally:
        _blank.reset(token)


def _first_shape(options):
    # Los dos nombres con que Keras la recibe, en cualquier capa.
    if "input_dim" in options:
        return check.shape((options.pop("input_dim"),), "input_dim")
    if options.get("input_shape") is not None:
        return check.shape(options.pop("input_shape"), "input_shape", unknown=True)
    options.pop("input_shape", None)
    return None


@contextlib.contextmanager
def all_or_nothing(*layers):
    r"""Si lo de adentro falla, deja las capas, y las que contienen, como estaban.

    >>> from chapters.mlp import Dense
    >>> layer = Dense(3)
    >>> with contextlib.suppress(ZeroDivisionError), all_or_nothing(layer):
    ...     layer.build((2,))
    ...     1 / 0
    >>> layer.built
    False

    Parameters
    ----------
    *layers : Layer
        Las capas.
    """
    saved = []
    for layer in itertools.chain(*map(walk, layers)):
        attributes = dict(vars(layer))
        # Las listas y los diccionarios se cambian por dentro: hay que recordar también lo que tenían.
        contents = [(v, copy.copy(v)) for v in attributes.values() if isinstance(v, (list, dict))]
        saved.append((layer, attributes, contents, layer.generator.bit_generator.state))
    try:
        yield
    except BaseException:
        for layer, attributes, contents, random in saved:
            vars(layer).clear()
            vars(layer).update(attributes)
            for container, content in contents:
                container.clear()
                container.extend(content) if isinstance(container, list) else container.update(content)
            layer.generator.bit_generator.state = random
        raise


def _without_batch(shapes):
    # A un modelo se le puede decir la forma como en Keras, con None en el lugar de las observaciones.
    return [s[1:] if isinstance(s, (list, tuple)) and len(s) > 1 and s[0] is None else s for s in shapes]


def _whole(build):
    # Una construcción termina entera, con cada peso en su atributo, o no empezó.
    @functools.wraps(build)
    def whole(self, *arguments, **options):
        if self._building:
            return build(self, *arguments, **options)
        arguments = [called.without_batch(shape) for shape in arguments]
        if hasattr(self, "fit") and not _inside.get():
            arguments = _without_batch(arguments)
            options = dict(zip(options, _without_batch(options.values()), strict=True))
        token = _inside.set(True)
        try:
            with _lock, all_or_nothing(self), called.shapes_as(False):
                vars(self)["_building"] = True
                build(self, *arguments, **options)
                self._finish()
                vars(self)["_building"] = False
        finally:
            _inside.reset(token)

    return whole


@functools.cache
def _written(cls):
    # Los atributos que se escriben al ir y al volver: lo que una llamada le deja a la siguiente.
    names = set()
    for base in cls.__mro__:
        for method in ("forward", "backward"):
            code = getattr(vars(base).get(method), "__code__", None)
            names |= {i.argval for i in dis.get_instructions(code) if i.opname == "STORE_ATTR"} if code else set()
    return names


@functools.cache
def _adds_loss(cls):
    # Si en alguno de sus métodos se llama a ``add_loss``.
    for base in cls.__mro__[: cls.__mro__.index(Layer)]:
        for method in vars(base).values():
            if "add_loss" in getattr(getattr(method, "__code__", None), "co_names", ()):
                return True
    return False


def _holds_arrays(value):
    values = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else [value]
    return any(isinstance(v, np.ndarray) for v in values)


def text_of_shape(shape):
    r"""Escribe la forma de unas observaciones: ``n`` para cuántas son, y ``?`` donde no se sabe.

    >>> text_of_shape((None, 3))
    '(n, ?, 3)'

    Parameters
    ----------
    shape : sequence
        Los tamaños de una observación.

    Returns
    -------
    str
    """
    return "(" + ", ".join(["n", *("?" if size is None else str(size) for size in shape)]) + ")"


def every_one_of_any_size(layer):
    r"""Dice si admiten entradas de otro tamaño todas las capas que una contiene, y por eso ella.

    No basta que cada una lo admita: a lo que sigue le debe llegar el mismo último eje, y el de una capa que aplana
    depende de los demás.
    """
    return all(inner.any_size and _keeps_the_last_axis(inner) for inner in layer.layers)


def _keeps_the_last_axis(layer):
    shapes = [(*(None for _ in shape[:-1]), *shape[-1:]) for shape in each(layer.input_shape or (None,))]
    if any(shape[-1:] in ((None,), ()) for shape in shapes):
        return True
    outputs = layer.compute_output_shape(shapes if layer.several else shapes[0])
    return all(shape[-1] is not None for shape in each(outputs))


def distinguish(layer, others, where):
    r"""Hace que una capa no se llame como ninguna de las que están junto a ella.

    >>> from chapters.mlp import Dense
    >>> layer = Dense(2)
    >>> distinguish(layer, [Dense(3), Dense(4, name="dense_1")], "layers")
    >>> layer.name
    'dense_2'
    >>> distinguish(Dense(2, name="a"), [Dense(3, name="a")], "layers")
    Traceback (most recent call last):
        ...
    ValueError: layers: se esperaban nombres distintos, pero hay dos capas 'a'

    Parameters
    ----------
    layer : Layer
        La capa. Si nadie le dio su nombre, se le cambia.
    others : iterable of Layer
        Las demás.
    where : str
        Dónde están, para el mensaje.

    Raises
    ------
    ValueError
        Si se le dio el nombre de otra.
    """
    taken, base, k = {other.name for other in others}, layer.name, 0
    if layer._own["name"] and layer.name in taken:
        raise ValueError(f"{where}: se esperaban nombres distintos, pero hay dos capas {layer.name!r}")
    # La que ya está en otro modelo se sigue llamando como ahí.
    while layer.name in taken and not layer.placed:
        k += 1
        layer.name = f"{base}_{k}"
    layer.placed = True


def fitted(values, name, shape, dtype):
    r"""Da unos números listos para ser los de un peso: reales, finitos, contiguos, de su forma y de su tipo.

    >>> fitted([1, 2], "bias", (2,), np.dtype("float32"))
    array([1., 2.], dtype=float32)
    >>> fitted([1, 1e300], "bias", (2,), np.dtype("float32"))
    Traceback (most recent call last):
        ...
    ValueError: bias: hay números de hasta 1e+300, que no caben en float32

    Parameters
    ----------
    values : array_like
        Los números.
    name : str
        Qué son, para el mensaje.
    shape : tuple of int
        La forma del peso.
    dtype : numpy.dtype
        Su tipo.

    Returns
    -------
    ndarray, shape ``shape``
        Puede compartir memoria con ``values``.
    """
    values = check.floats(values, name)
    if values.shape != shape:
        raise ValueError(f"{name}: se esperaba la forma {shape}, pero llegó {values.shape}")
    return _cast(values, name, dtype)


@functools.lru_cache(256)
def _places(function):
    kinds = inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD
    return [p.name for p in inspect.signature(function).parameters.values() if p.kind in kinds][2:]


def _named(call, others, options):
    # Una opción como ``True`` o un número, que llega por su posición, con el nombre que le da quien la recibe.
    names = _places(call)
    while others:
        name = names[len(others) - 1] if len(others) <= len(names) else None
        plain = isinstance(others[-1], (bool, np.bool_)) or (name and isinstance(others[-1], (int, float, str)))
        if name not in ("training", "mask") and not plain:
            break
        # Donde cabe cualquier número de entradas, la que no lo es solo puede decir si se entrena.
        others, options = others[:-1], options | {name or "training": others[-1]}
    return others, options


@functools.lru_cache(256)
def _accepted(function):
    # Los nombres de los argumentos que recibe; ninguno, si recibe los que sean.
    parameters = list(inspect.signature(function).parameters.values())[1:]
    kinds = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
    free = any(p.kind is p.VAR_KEYWORD for p in parameters)
    return [] if free else [p.name for p in parameters if p.kind in kinds]


def _placed(layer, function, inputs, options):
    # Las entradas que llegan con su nombre van a su lugar; las opciones que nadie recibe se dicen.
    inputs = () if inputs[0] is _MISSING else inputs
    parameters = inspect.signature(function).parameters
    for name in (*list(parameters)[1:2], *_places(function))[len(inputs) :]:
        # Un arreglo en un argumento que se puede omitir es una opción.
        kinds = Symbol if parameters[name].default is not inspect.Parameter.empty else (Symbol, np.ndarray, Tensor)
        given = isinstance(options.get(name), kinds) or (not inputs and name in options)
        if name in ("training", "mask") or not given:
            break
        inputs, options = (*inputs, options[name]), {key: v for key, v in options.items() if key != name}
    if not inputs:
        raise TypeError(f"{layer.name}: se esperaba una entrada, un arreglo o un valor simbólico, pero no llegó nada")
    known = _accepted(function)
    for name in options:
        if known and name not in known and not (name == "training" and getattr(layer, "taped", False)):
            raise unknown(layer.name, name, known)
    return inputs, options


def _needs_input(call):
    # La firma dice que hace falta una entrada, aunque quien note que falta sea la llamada, para decirlo en español.
    parameters = inspect.signature(call).parameters.values()
    call.__signature__ = inspect.Signature([p.replace(default=p.empty) for p in parameters])
    return call


def _cast(values, name, dtype):
    if values.dtype == dtype:
        return values
    with np.errstate(over="ignore"):
        converted = values.astype(dtype)
    if not np.isfinite(converted).all():
        raise ValueError(f"{name}: hay números de hasta {np.abs(values).max():g}, que no caben en {dtype}")
    return converted


def _fill(view, array):
    # La primera réplica se muda a donde ya está: no hay nada que copiar.
    if view.__array_interface__["data"] != array.__array_interface__["data"]:
        view[...] = array


def _replace(value, copies):
    # Las capas de adentro pueden estar en un atributo o en una lista, una tupla o un diccionario.
    if isinstance(value, Layer):
        return copies.get(id(value), value)
    if isinstance(value, (list, tuple)) and any(isinstance(v, Layer) for v in value):
        return type(value)(_replace(v, copies) for v in value)
    if isinstance(value, dict) and any(isinstance(v, Layer) for v in value.values()):
        return {key: _replace(v, copies) for key, v in value.items()}
    return value


def _read_at_each_step(name, value):
    real = isinstance(value, tuple) and value and all(isinstance(one, float) for one in value)
    return real or isinstance(value, float) or name in ("activation", "name")


@functools.cache
def _takes_mask(cls):
    return "mask" in inspect.signature(getattr(cls, "call", cls.forward)).parameters


class _InPlace(list):
    # Asignar a un gradiente es copiar en su memoria, que dentro de un modelo es parte de un vector.
    def __setitem__(self, k, value):
        if np.shape(value) != self[k].shape:
            raise ValueError(f"gradients[{k}]: se esperaba la forma {self[k].shape}, pero llegó {np.shape(value)}")
        self[k][...] = value


@registry.register("layer")
class Layer(Configured):
    r"""La pieza con que se arman las redes: una función con pesos que sabe derivarse a sí misma.

    Una capa (*layer*) lleva :math:`\mathbf x` a :math:`\mathbf y=f(\mathbf x;\mathbf w)`. De la pérdida
    :math:`\mathcal L` no sabe nada. Le basta con que alguien le diga cuánto cambia la pérdida si cambia su salida,
    :math:`\partial\mathcal L/\partial\mathbf y`. Con eso, y con lo que guardó al ir hacia delante, la regla de la
    cadena le da las dos cosas que solo ella puede calcular:

    .. math::
       :label: ed-mlp-capa

       \frac{\partial\mathcal L}{\partial\mathbf w}
       = \frac{\partial\mathcal L}{\partial\mathbf y}\,\frac{\partial\mathbf y}{\partial\mathbf w},
       \qquad
       \frac{\partial\mathcal L}{\partial\mathbf x}
       = \frac{\partial\mathcal L}{\partial\mathbf y}\,\frac{\partial\mathbf y}{\partial\mathbf x} .

    La primera dice cómo corregir sus pesos. La segunda es justo lo que necesita la capa anterior para hacer lo mismo, y
    así hasta el principio de la red. Ninguna capa conoce a sus vecinas: por eso se apila una tras otra, mientras las
    formas encajen.

    **Una capa propia** define tres métodos: :meth:`build` crea los pesos, :meth:`forward` calcula la salida y guarda lo
    que hará falta, y :meth:`backward` llena :attr:`gradients`, con un arreglo por peso, y devuelve el gradiente de la
    entrada. :meth:`ready` y :meth:`output_gradient` comprueban lo que llega y lo pasan al tipo de la capa. Esta
    multiplica cada entrada por su propio peso:

    >>> class Scale(Layer):
    ...     def build(self, input_shape):
    ...         super().build(input_shape)
    ...         self.scale = self.add_weight(input_shape, "ones")
    ...     def forward(self, x, training=False):
    ...         self.x = self.ready(x)
    ...         self.y = self.x * self.scale
    ...         return self.y
    ...     def backward(self, dy):
    ...         dy = self.output_gradient(dy)
    ...         self.gradients[0][:] = (dy * self.x).sum(axis=0)
    ...         return dy * self.scale

    **A mano.** Con dos observaciones y pesos 1, la salida es la entrada. Si la pérdida es la suma de las salidas,
    :math:`\partial\mathcal L/\partial\mathbf y` vale 1 en todas partes, y el gradiente de cada peso es la
    suma de su columna:

    >>> layer = Scale()
    >>> layer.forward([[1.0, 2.0], [3.0, 5.0]])
    array([[1., 2.],
           [3., 5.]], dtype=float32)
    >>> layer.backward(np.ones((2, 2)))
    array([[1., 1.],
           [1., 1.]], dtype=float32)
    >>> layer.gradients[0]
    array([4., 7.], dtype=float32)

    **Sus pesos tienen nombre**, el del atributo en que :meth:`build` los guardó. Leer ``layer.scale`` da el arreglo;
    asignarle otro copia sus números, si son reales, finitos y de la misma forma:

    >>> layer.scale = [10, 0.5]
    >>> layer([[1.0, 2.0]])
    array([[10.,  1.]], dtype=float32)
    >>> layer.scale = [1, 2, 3]
    Traceback (most recent call last):
        ...
    ValueError: scale: se esperaba la forma (2,), pero llegó (3,)

    Las formas se escriben sin el eje de las observaciones, que es siempre el primero y puede tener el largo que sea.
    Un tamaño puede ser ``None``: el que traigan los datos, cada vez. Lo admite cualquier capa cuyos pesos no dependan
    de él. La forma de la última entrada está en ``current_shape``; si algo más depende de ella, se calcula en
    :meth:`adjust_to`, que :meth:`ready` llama cuando cambia.

    Parameters
    ----------
    dtype : {"float32", "float64"}, optional
        El tipo de los pesos y de todas las cuentas. Sin él, el del modelo que la contiene; suelta, ``"float32"``.
    seed : int or numpy.random.Generator, optional
        Origen de todo su azar. Sin ella, el modelo que la contiene le da una a partir de la suya.
    name : str, optional
        Su nombre en el resumen y en los archivos.
    trainable : bool
        Si sus pesos se aprenden. Con ``False`` está congelada, ella y las capas que contiene: trabaja igual, pero nadie
        la corrige.
    activity_regularizer : str or Regularizer, optional
        La penalización de lo que sale de la capa: la suma sobre el lote entre el número de observaciones.

    Attributes
    ----------
    weights : list of ndarray
        Todos sus pesos, en el orden de Keras: los que se aprenden, los que no, y los de las capas que contiene.
    trainable_weights : list of ndarray
        Los que se aprenden. Dentro de un modelo son vistas de un vector.
    gradients : list of ndarray
        Los gradientes de ``trainable_weights``, en el mismo orden; en un modelo, vistas de otro vector.
    layers : list of Layer
        Las capas que contiene, si está hecha de otras.
    input_shape : tuple of int or None
        La forma de una observación, con ``None`` donde puede ser cualquiera; sin construir, ``None``.
    current_shape : tuple of int or None
        La forma de la última observación; ``None`` mientras no se sepa.
    """

    # Si usa su generador al ir hacia delante; entonces cada réplica recibe uno propio en cada época.
    random = False
    # Si al entrenar necesita el lote entero; entonces las réplicas van a la par y se encuentran en ``share``.
    whole_batch = False
    # Si su entrada son enteros, como las clases o las palabras de un diccionario: así llegan, y no como reales.
    integers = False
    # Si crea una máscara: qué posiciones de una secuencia cuentan. Y si deja pasar la de su entrada, o la pierde.
    masks = supports_masking = False
    # En qué carpeta guarda Keras sus pesos, si no es la suya, y las de las capas que contiene, si no van en una lista.
    own_folder, inner_folders = "", None
    # Los argumentos con nombre que en un grafo también pueden ser valores simbólicos, como un estado inicial.
    side_inputs = ()
    # Si recibe varias entradas, en una lista; entonces sus formas también van en una lista.
    several = False
    # Si las varias entradas no van en una lista: cada una va en su argumento.
    apart = False
    # En qué argumentos recibe la máscara de cada entrada, si no es en ``mask``.
    mask_names = ()
    # Si Keras no guarda sus pesos juntos: la carpeta de los que se llaman ``query/…``, y así.
    weight_folders = ()
    # De a cuántas observaciones conviene llevarla, por lo menos: una recurrente usa todos sus pesos en cada paso.
    fewest = 1
    # Si, ya construida, admite entradas de otro tamaño: sus pesos, y cuántos números da por vector, solo dependen del
    # último eje; si recibe enteros, de ninguno.
    any_size = False
    # El azar del lote entero, si esta réplica solo ve una parte.
    draws = None
    # La forma de la última entrada, y la forma y el tipo de lo que salió de ella, ya comprobados.
    _passed = None, None, None

    # Las copias de las capas que contiene a las que se llama más de una vez.
    echoes = ()
    # Lo que la capa sumó a la pérdida la última vez, y cuántas observaciones tiene el lote entero, si ve una parte.
    added = ()
    whole = None
    activity_regularizer = None

    # Lo que se lee de un archivo se construye así.
    blank = staticmethod(blank)

    # Los pesos, por su nombre, y con qué atributos se llama a cada uno.
    _weights, _attributes = {}, {}
    # Los pesos que se acaban de crear y esperan su atributo.
    _fresh = None
    _building = _outline = False
    # Qué pesos tienen penalización, en una réplica.
    _penalized = None
    # Cómo estaban, recién construida, los atributos que se escriben al ir y al volver.
    _rested = None

    def __init_subclass__(cls, **options):
        r"""Hace de ``build`` una operación entera, y a las capas de quien lee les comprueba lo que entregan."""
        super().__init_subclass__(**options)
        called.complete(cls)
        if "compute_mask" in vars(cls) and not registry.ours(cls):
            # De la de quien lee no se sabe si la crea: se le pregunta siempre, como en Keras.
            cls.supports_masking = True
            cls.masks = vars(cls).get("masks", True)
        if "build" in vars(cls):
            # Si falla, la capa queda como estaba.
            cls.build = _whole(cls.build)
        if not registry.ours(cls):
            promises.checked(cls)

    def __init__(self, *, dtype=None, seed=None, name=None, trainable=True, activity_regularizer=None, **unknown):
        # La forma de lo que entra, si se le dio a la capa: su modelo se construye con ella.
        self.first_shape = _first_shape(unknown)
        refuse(self, unknown)
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self._weights, self._attributes = {}, {}
        wanted = "float32" if dtype is None else getattr(dtype, "name", dtype)
        self.dtype = np.dtype(check.choice(wanted, "dtype", ["float32", "float64"]))
        self.generator = check.generator(seed)
        self._own = {"dtype": dtype is not None, "seed": seed is not None, "name": name is not None}
        kind = registry.snake_case(type(self).__name__)
        self.name = kind if name is None else check.text(name, "name")
        self.input_shape = self.current_shape = None
        self.layers = []
        # Las llamadas con valores simbólicos, y si ya está en algún modelo.
        self.nodes, self.placed = [], False
        self._trainable = check.boolean(trainable, "trainable")
        # Lo que se guarda entre ir y volver.
        self.x = self.y = None
        # La forma que input ya aceptó: con ella no hay más que revisar.
        self._seen = None
        # Las réplicas que entrenan reutilizan la memoria de sus resultados; las capas de quien lee, no.
        self.reuse = False
        self.buffers = {}
        # A nadie le sirve el gradiente de los datos: la primera capa que entrena no lo calcula.
        self.input_gradient = True
        # Dónde se encuentra esta réplica con las otras, y cuál es.
        self.meeting, self.part = None, 0

    def __setattr__(self, name, value):
        r"""Asigna un atributo: si es el de un peso, copia en él los números; si es un argumento, lo comprueba."""
        # Por aquí pasa, a cada paso, todo resultado intermedio: lo primero es no estorbar.
        if name in self._attributes or self._fresh:
            self._assign(name, value)
        elif name in self.configurable:
            super().__setattr__(name, value)
        else:
            _set(self, name, value)

    def configured(self, name, value):
        r"""Da lo que se guarda al asignar un argumento; de una capa construida cambia solo lo que se lee en cada paso.

        Son los números reales y sus pares, la activación y el nombre. Lo demás ya decidió qué pesos hay y por dónde
        pasa cada número.

        >>> from chapters.mlp import Dense
        >>> layer = Dense(3, activation="relu")
        >>> layer.units = 2
        >>> layer.build((4,))
        >>> layer.activation = "tanh"
        >>> try:
        ...     layer.units = 5
        ... except ValueError as error:
        ...     print(str(error).partition(";")[0])
        dense, units: la capa ya está construida con 2
        """
        if self._building:
            return value
        value, now = super().configured(name, value), vars(self).get(name)
        if (self.built or self.layers) and not _read_at_each_step(name, value) and value is not now and value != now:
            raise ValueError(f"{self.name}, {name}: la capa ya está construida con {now!r}; para cambiarlo crea otra")
        return value

    # --- Lo que define cada capa ---

    @_whole
    def build(self, input_shape):
        r"""Prepara la capa para entradas de una forma; quien tiene pesos, los crea aquí.

        Si falla, la capa queda como estaba, y las que contiene también.

        Parameters
        ----------
        input_shape : tuple of int
            La forma de una observación; ``None`` donde puede ser cualquiera.

        Raises
        ------
        ValueError
            Si ya estaba construida o la forma no es una tupla de enteros positivos.
        """
        if self.built:
            raise ValueError(f"{self.name}: ya está construida, para entradas de forma {self.input_shape}")
        self.input_shape = self.checked_shape(input_shape)
        if not any(None in shape for shape in each(self.input_shape)):
            self.adjust_to(self.input_shape)

    def checked_shape(self, input_shape):
        r"""Comprueba la forma de una observación, o de varias, en una lista, si la capa recibe varias entradas."""
        if not self.several:
            return check.shape(input_shape, "input_shape", unknown=True)
        if not isinstance(input_shape, (list, tuple)) or not input_shape or isinstance(input_shape[0], int):
            raise TypeError(
                f"input_shape: se esperaba una lista de formas, una por entrada, pero llegó {input_shape!r}"
            )
        return [check.shape(s, f"input_shape[{k}]", unknown=True) for k, s in enumerate(input_shape)]

    def adjust_to(self, shape):
        r"""Deja la capa lista para observaciones de una forma; quien calcula algo a partir de ella, lo hace aquí.

        Se llama al construir, si la forma se sabe completa, y cada vez que llega una entrada de otra.

        Parameters
        ----------
        shape : tuple of int
            La forma de una observación, completa.
        """
        self.current_shape = shape

    def compute_output_shape(self, input_shape):
        r"""Devuelve la forma de la salida de una observación; aquí, la misma de la entrada.

        Donde la entrada diga ``None`` y la salida dependa de ello, la salida también dice ``None``.
        """
        return self.checked_shape(input_shape)

    def shapes_after(self, input_shape, options):
        r"""Da la forma de lo que sale de una llamada, o la lista; casi nunca depende de sus opciones.

        Parameters
        ----------
        input_shape : tuple of int or list
            La forma de una observación, o la lista, si son varias entradas.
        options : dict
            Los argumentos que se dieron con nombre.
        """
        return self.compute_output_shape(input_shape)

    def masks_for(self, masks):
        r"""Da los argumentos en que ``forward`` recibe la máscara de sus entradas, por su nombre.

        Parameters
        ----------
        masks : list
            La máscara de cada entrada, o ``None``.

        Returns
        -------
        dict
        """
        if all(mask is None for mask in masks):
            return {}
        if self.mask_names:
            return {name: mask for name, mask in zip(self.mask_names, masks, strict=False) if mask is not None}
        return {"mask": masks if self.several else masks[0]} if _takes_mask(type(self)) else {}

    def compute_mask(self, inputs, previous_mask=None):
        r"""Da la máscara de la salida, que dice qué posiciones cuentan.

        La capa que crea una máscara declara ``masks = True`` y la da aquí; la que la usa la recibe en ``forward``, en
        un argumento ``mask``. En medio pasa por las que declaran ``supports_masking = True``; en las demás se pierde,
        como en Keras.

        Parameters
        ----------
        inputs : ndarray or list of ndarray
            La entrada. Una capa del libro que no crea máscaras solo puede mirar su forma.
        previous_mask : ndarray of bool, shape (n, t), or list, optional
            La de la entrada; una lista, si son varias.

        Returns
        -------
        ndarray of bool, None, or list
            Una lista, si la capa da varias salidas y no todas tienen la misma.
        """
        return previous_mask if self.supports_masking and not isinstance(previous_mask, list) else None

    def forward(self, x, training=False):
        r"""Calcula la salida, y guarda lo que :meth:`backward` necesita.

        Parameters
        ----------
        x : array_like, shape (n, ...)
            Una o más observaciones. La primera vez, si hace falta, construye la capa.
        training : bool
            Si se está entrenando: el *dropout*, por ejemplo, solo actúa entonces.

        Returns
        -------
        ndarray, shape (n, ...)
        """
        raise NotImplementedError

    def backward(self, dy):
        r"""Calcula los gradientes de los pesos, en :attr:`gradients`, y devuelve el de la entrada.

        Parameters
        ----------
        dy : array_like, shape (n, ...)
            El gradiente de la salida del último :meth:`forward`.

        Returns
        -------
        ndarray, shape (n, ...)
        """
        raise NotImplementedError

    def work(self):
        r"""Estima cuántos productos cuesta ir hacia delante con una observación.

        De esto depende en cuántas partes se reparte un lote. Aquí, uno por peso y uno por entrada.
        """
        return self.count_params() + sum(map(math.prod, each(self.current_shape or ())))

    # --- Lo que toda capa ya sabe ---

    @_needs_input
    def __call__(self, x=_MISSING, /, *others, **options):
        r"""Es otra manera de escribir :meth:`forward`, que pueden usar varios hilos a la vez.

        Lo que una llamada calcula en el camino es solo suya; al terminar, la capa se queda con lo de la última que
        acabó, completo, y con eso va hacia atrás.

        Con valores simbólicos, como los que da :func:`Input`, no calcula nada: apunta la llamada y da otros.
        """
        if others:
            others, options = _named(self._receiver, others, options)
        if x is _MISSING or (options and [*options] != ["training"]):
            (x, *others), options = _placed(self, self._receiver, (x, *others), options)
        if not isinstance(options.get("training"), (bool, np.bool_, int, type(None))):
            came = type(options["training"]).__name__
            raise TypeError(f"{self.name}: training: se esperaba True, False o None, pero llegó un {came}")
        if any(True for _ in symbols_in((x, *others, *options.values()))):
            return self.record((x, *others), options)
        if is_recording():
            return through(self, (x, *others), options)
        if self.reuse:
            return self.forward(x, *others, **options)
        with _lock:
            if not self.built:
                return self.forward(x, *others, **options)
            twin, pairs = self._twin()
        y = twin.forward(x, *others, **options)
        with _lock:
            for layer, other, before in pairs:
                written = ((name, v) for name, v in vars(other).items() if before.get(name, _MISSING) is not v)
                vars(layer).update(written)
        return y

    @property
    def _receiver(self):
        # Quien recibe lo que llega a una llamada.
        return getattr(type(self), "call", type(self).forward)

    def record(self, arguments, options):
        r"""Apunta una llamada con valores simbólicos y da lo que sale: otro, o una lista si son varios.

        No hace falta que la capa esté construida: eso queda para el modelo, que sabe el tipo y la semilla.

        Parameters
        ----------
        arguments : tuple
            Los argumentos de posición.
        options : dict
            Los demás.

        Returns
        -------
        Symbol or list of Symbol

        Raises
        ------
        ValueError
            Si recibe varios y solo admite uno, o si no son de la forma que espera.
        """
        if not self.several and len(arguments) == 1 and isinstance(arguments[0], (list, tuple)):
            # Una lista con un solo valor, como admite Keras.
            arguments = tuple(arguments[0])
        if options.get("training", False) is None:
            # Como en Keras: decide quien llame al modelo.
            del options["training"]
        for name, value in options.items() if self.mask_names else ():
            if name.endswith("_mask") and any(True for _ in symbols_in([value])):
                raise TypeError(f"{self.name}, {name}: se esperaba un arreglo de unos y ceros, no un valor simbólico")
        node = Node(self, arguments, options)
        # Lo que llega a un lado, como un estado inicial, no es la entrada.
        sides = [options[name] for name in self.side_inputs if name in options]
        shapes = [symbol.observation for symbol in node.inputs[: len(node.inputs) - len(list(symbols_in(sides)))]]
        if not self.several and len(shapes) != 1:
            raise ValueError(f"{self.name}: se esperaba una sola entrada, pero llegaron {len(shapes)}")
        shape, role = shapes if self.several else shapes[0], self.called(options)
        if self.built and not role.admits(shape):
            raise ValueError(f"{self.name}: se construyó para entradas {self.input_shape}, y le llegan {shape}")
        outputs = role.shapes_after(shape, options)
        dtype = self.dtype.name
        node.outputs += [Symbol(one, dtype, node) for one in each(outputs)]
        self.nodes.append(node)
        return node.outputs if isinstance(outputs, list) else node.outputs[0]

    def called(self, options):
        r"""Da lo que la capa es en una llamada con ciertas opciones: ella misma, si con todas hace lo mismo.

        La que con una opción recibe otra cosa, o da otra, como una tabla que se lee al revés, devuelve aquí un objeto
        que contesta por ella: ``integers``, ``masks``, ``admits``, ``build_inside``, ``shapes_after`` y
        ``compute_mask``.

        Parameters
        ----------
        options : dict
            Los argumentos con nombre de la llamada.

        Returns
        -------
        Layer or object
        """
        return self

    def admits(self, shape):
        r"""Dice si, ya construida, admite observaciones de una forma."""
        if shape == self.input_shape:
            return True
        pairs = list(zip(each(self.input_shape), each(shape), strict=False))
        if self.any_size:
            return all((self.integers or a[-1:] == b[-1:]) and len(a) == len(b) for a, b in pairs)
        # Donde la capa admite cualquier tamaño, cualquiera sirve.
        return all(len(a) == len(b) and all(w in (None, s) for w, s in zip(a, b, strict=True)) for a, b in pairs)

    @property
    def input(self):
        r"""El valor simbólico con que se llamó a la capa la primera vez, o la lista, si fueron varios."""
        return self._node("input").inputs if self.several else self._node("input").inputs[0]

    @property
    def output(self):
        r"""El valor simbólico que salió de la capa la primera vez que se la llamó con otro, o la lista."""
        outputs = self._node("output").outputs
        return outputs if len(outputs) > 1 else outputs[0]

    def _node(self, name):
        if not self.nodes:
            raise AttributeError(f"{self.name}.{name}: la capa no está todavía en ninguna red; llámala con un Input")
        return self.nodes[0]

    @property
    def built(self):
        r"""Si ya conoce la forma de su entrada y tiene pesos."""
        return self.input_shape is not None

    @property
    def weights(self):
        r"""Los pesos propios, primero los que se aprenden, y luego los de las capas que contiene."""
        return [layer._weights[name].value for layer in walk(self) for name in layer.weight_names]

    @property
    def weight_names(self):
        r"""Los nombres de los pesos propios, en el orden en que están en :attr:`weights`."""
        return sorted(self._weights, key=lambda name: not self._weights[name].trainable)

    def learning(self):
        r"""Da las capas cuyos pesos se aprenden, ella y las que contiene; cada una, una sola vez."""
        found, pending = {}, [self]
        while pending:
            layer = pending.pop()
            if layer._trainable and id(layer) not in found:
                found[id(layer)] = layer
                pending += reversed(layer.layers)
        return list(found.values())

    def learned(self):
        r"""Da los pesos que se aprenden, cada uno con su nombre y su capa, en el orden de :attr:`trainable_weights`."""
        every = ((layer, name) for layer in self.learning() for name in layer._weights)
        return [(layer, name) for layer, name in every if layer._weights[name].trainable]

    @property
    def trainable_weights(self):
        r"""Los de :attr:`weights` que mueve el optimizador; de una capa congelada, ninguno."""
        return [layer._weights[name].value for layer, name in self.learned()]

    @property
    def non_trainable_weights(self):
        r"""Los demás, que son los de las capas congeladas y los que se recuerdan sin aprenderlos."""
        learned = {id(w) for w in self.trainable_weights}
        return [w for w in self.weights if id(w) not in learned]

    # Keras llama a los pesos de las dos maneras.
    variables = property(lambda self: self.weights)
    trainable_variables = property(lambda self: self.trainable_weights)
    non_trainable_variables = property(lambda self: self.non_trainable_weights)

    @property
    def gradients(self):
        r"""Los gradientes de :attr:`trainable_weights`, en el mismo orden.

        Los de una capa congelada son un borrador: su :meth:`backward` puede escribir en ellos, y nadie los lee.
        """
        gradients = _InPlace()
        # Los propios, aunque esté congelada: su ``backward`` puede escribir en ellos. Se pide en cada paso.
        layers = self.learning() if self.layers else []
        for layer in layers or [self]:
            for name, weight in layer._weights.items():
                if weight.trainable:
                    if weight.gradient is None:
                        weight = layer._with_gradient(name)
                    gradients.append(lent(weight.gradient))
        return gradients

    @property
    def trainable(self):
        r"""Si sus pesos se aprenden. Al asignarla, vale también para las capas que contiene, como en Keras."""
        return self._trainable

    @trainable.setter
    def trainable(self, value):
        value = check.boolean(value, "trainable")
        for layer in walk(self):
            layer._trainable = value

    def add_weight(
        self,
        shape,
        initializer="glorot_uniform",
        dtype=None,
        trainable=True,
        *,
        regularizer=None,
        constraint=None,
        name=None,
    ):
        r"""Crea un peso, con su gradiente en cero. Los argumentos van en el orden de Keras.

        Guárdalo en un atributo, ``self.kernel = self.add_weight(...)``: así se llama el peso, y cuando el modelo lo
        mude de memoria, el atributo se mudará con él. Uno que no quedó en ningún atributo es un error.

        Parameters
        ----------
        shape : tuple of int
            La forma del peso.
        initializer : str or Initializer
            De dónde salen sus valores.
        dtype : str, optional
            El de la capa; está por compatibilidad con Keras.
        trainable : bool
            Con ``False``, no es un parámetro que se aprenda, sino un estado: algo que la capa calcula y recuerda. Se
            guarda y se copia con los demás, y no entra en el gradiente.
        regularizer : str or Regularizer, optional
            La penalización que se le suma a la pérdida.
        constraint : str, Constraint or callable, optional
            La restricción que se le impone después de cada paso.
        name : str, optional
            Cómo se llama en los archivos, si no es como el atributo.

        Returns
        -------
        ndarray, shape ``shape``
            El peso.

        Raises
        ------
        TypeError, ValueError
            Si no cabe en la memoria, o si el inicializador no da números reales y finitos de esa forma.
        """
        where = f"{self.name}, {name or 'peso'}"
        shape = check.shape(shape, f"{where}, shape")
        if dtype is not None and np.dtype(check.choice(dtype, "dtype", ["float32", "float64"])) != self.dtype:
            raise ValueError(f"{where}: se esperaba dtype={self.dtype.name!r}, el de la capa, pero llegó {dtype!r}")
        if name is not None and (not isinstance(name, str) or not name or name in self._weights):
            raise ValueError(f"{self.name}: se esperaba para el peso un nombre que no se repita, pero llegó {name!r}")
        trainable = check.boolean(trainable, "trainable")
        value = self._new_values(where, shape, initializers.get(initializer))
        key = f"weight_{len(self._weights)}" if name is None else name
        constraint = constraints.get(constraint)
        self._weights[key] = Weight(value, None, regularizers.get(regularizer), trainable, constraint, object())
        if constraint is not None and not self._outline:
            # Que se queje aquí, y no a la mitad del entrenamiento, si no sabe qué hacer con un peso así.
            fitted(constraint(value.copy()), f"{where}, restricción", shape, self.dtype)
        if self._fresh is None:
            vars(self)["_fresh"] = {}
        self._fresh[id(value)] = key, name is not None
        return value

    def build_blank(self, input_shape, numbers):
        r"""Construye la capa con los pesos en cero, sin pedir memoria para más números de los que se dicen.

        Es para quien trae los pesos de otra parte, como un archivo.

        Parameters
        ----------
        input_shape : tuple of int
            Como en :meth:`build`.
        numbers : int
            Cuántos pueden ser, a lo sumo.

        Raises
        ------
        ValueError
            Si le tocan más.
        """
        with blank(numbers):
            self.build_inside(input_shape)

    def build_inside(self, input_shape):
        r"""Como :meth:`build`, con la forma siempre sin el eje de las observaciones, también en un modelo."""
        token = _inside.set(True)
        try:
            self.build(input_shape)
        finally:
            _inside.reset(token)

    def ready(self, x):
        r"""Deja la entrada lista para el código compilado: tipo, forma y memoria, comprobados.

        Si la capa recibe varias entradas, es una lista.

        Raises
        ------
        TypeError
            Si no son números reales.
        ValueError
            Si no hay ninguna observación, si su forma no es la de la capa o si hay NaN o infinitos.
        """
        if self.added:
            self.added = []
        if self.activity_regularizer is not None:
            spoil("su salida suma a la pérdida")
        if self.several:
            return self._each_ready(x)
        # Lo que sale de otra capa ya está listo, y un NaN pasa: que se vea en la pérdida.
        dtype = _INTEGER if self.integers else self.dtype
        ready = type(x) in ARRAYS and x.dtype == dtype and x.flags.carray
        if ready and x.shape[1:] == self._seen and x.shape[0]:
            return x
        x = self.fitting(x if ready else self._as_numbers(x, "x", dtype), "x")
        if not ready:
            x = np.require(_cast(x, "x", dtype), requirements=["C", "A", "W"])
        self._seen = self.current_shape
        return x

    def _each_ready(self, xs):
        xs = self.arranged(xs, "x")
        dtypes = self.input_dtypes if self.built else [self.dtype] * len(xs)
        ready = [type(x) in ARRAYS and x.dtype == d and x.flags.carray for x, d in zip(xs, dtypes, strict=True)]
        if all(ready) and len(xs[0]) and [x.shape[1:] for x in xs] == self._seen and len({len(x) for x in xs}) == 1:
            return xs
        names = [f"x[{k}]" for k in range(len(xs))]
        xs = [x if r else self._as_numbers(x, n, d) for x, r, n, d in zip(xs, ready, names, dtypes, strict=True)]
        xs = self.fitting(xs, "x")
        for k, (dtype, fine) in enumerate(zip(dtypes, ready, strict=True)):
            if not fine:
                xs[k] = np.require(_cast(xs[k], names[k], dtype), requirements=["C", "A", "W"])
        self._seen = self.current_shape
        return xs

    @staticmethod
    def _as_numbers(x, name, dtype):
        return check.floats(x, name) if dtype.kind == "f" else check.whole(x, name)

    @property
    def input_dtypes(self):
        r"""El tipo con que llega cada entrada, que es el de la capa o enteros."""
        return [_INTEGER if self.integers else self.dtype] * (len(self.input_shape or ()) if self.several else 1)

    def arranged(self, x, name="x"):
        r"""Da las entradas de una capa que recibe varias, en una lista.

        Parameters
        ----------
        x : list, tuple or dict
            Las entradas; en un diccionario, por su nombre, si la capa se los puso.
        name : str
            Nombre del argumento, para el mensaje.

        Returns
        -------
        list
        """
        wanted = len(self.input_shape) if self.built else None
        if not isinstance(x, (list, tuple)) or not x or (wanted and len(x) != wanted):
            came = f"{len(x)}" if isinstance(x, (list, tuple)) else f"un {type(x).__name__}"
            raise ValueError(f"{name}: se esperaba una lista de {wanted or 'varias'} entradas, pero llegó {came}")
        return list(x)

    def fitting(self, x, name="x"):
        r"""Comprueba la forma de unas observaciones y deja la capa lista para ellas; si hace falta, la construye.

        Parameters
        ----------
        x : ndarray, shape (n, ...), or list of ndarray
            Números de cualquier tipo; en una lista, si la capa recibe varias entradas.
        name : str
            Nombre del argumento, para el mensaje.

        Returns
        -------
        ndarray, shape (n, ...), or list of ndarray
            Las mismas, con la forma que espera la capa.

        Raises
        ------
        ValueError
            Si no hay ninguna o no son de la forma de la capa.
        """
        if self._outline:
            self._refuse()
        xs = x if self.several else [x]
        names = [f"{name}[{k}]" for k in range(len(xs))] if self.several else [name]
        sizes = [one.shape[1:] for one in xs]
        size = sizes if self.several else sizes[0]
        for one, where in zip(xs, names, strict=True):
            if 0 in one.shape[1:]:
                # Con tres ejes, el de en medio es el tiempo; si son palabras, no hay otro.
                steps = not one.shape[1] and one.ndim == (2 if one.dtype.kind in "iu" else 3)
                wanted = "un paso" if steps else "un número por observación"
                raise ValueError(f"{where}: se esperaba al menos {wanted}, pero llegó la forma {one.shape}")
        if not self.built and all(one.ndim and one.shape[0] for one in xs):
            with _lock:
                if not self.built:
                    check_depth(self)
                    # Lo que sale puede ser mucho más que los pesos: se cuenta antes de sortearlos.
                    out = sum(map(math.prod, each(self.compute_output_shape(size))))
                    check.memory(out, f"{self.name}, la salida")
                    self.build(size)
        for one, where, wanted in zip(xs, names, each(self.input_shape or ()), strict=True):
            self._check_fit(one, where, wanted)
            if len(one) != len(xs[0]):
                raise ValueError(f"{where}: se esperaban {len(xs[0])} observaciones, pero llegaron {len(one)}")
        if size != self.current_shape:
            self.adjust_to(size)
        return x

    def _check_fit(self, x, name, wanted):
        if x.ndim and not x.shape[0]:
            raise ValueError(f"{name}: se esperaba al menos una observación, pero llegó la forma {x.shape}")
        size = x.shape[1:]
        if wanted and size != wanted and self.any_size:
            # A un entero no le importa cuántos tiene al lado.
            wanted = (*(None,) * (len(wanted) - 1), None if self.integers else wanted[-1])
        fits = len(size) == len(wanted) and all(w in (None, s) for w, s in zip(wanted, size, strict=True))
        if not x.ndim or not fits:
            wanted = text_of_shape(wanted if self.built else ["…"])
            raise ValueError(f"{name}: se esperaba la forma {wanted}, pero llegó {x.shape}")

    def _refuse(self):
        raise ValueError(
            f"{self.name}: se construyó dentro de shapes_only y no tiene pesos; constrúyela fuera para usarla"
        )

    def refuse_outline(self):
        r"""Falla si la capa, o alguna de las que contiene, se construyó dentro de :func:`shapes_only`."""
        for layer in walk(self):
            if layer._outline:
                layer._refuse()

    def output_gradient(self, dy, k=None):
        r"""Deja el gradiente que llega listo para el código compilado: con la forma de la última salida.

        Si la capa da varias, ``k`` dice cuál.

        Raises
        ------
        TypeError
            Si no son números reales.
        ValueError
            Si no se ha ido hacia delante, si la forma no es la de la salida o si hay NaN o infinitos.
        """
        if self.y is None:
            raise ValueError(f"{self.name}: para ir hacia atrás hay que ir antes hacia delante, con forward")
        y = self.y if k is None else self.y[k]
        shape = y.shape
        if not (type(dy) in ARRAYS and dy.dtype == self.dtype and dy.shape == shape and dy.flags.carray):
            dy = check.floats(dy, "dy")
            if dy.shape != shape:
                raise ValueError(f"dy: se esperaba la forma {shape} de la última salida, pero llegó {dy.shape}")
            dy = np.require(dy, self.dtype, ["C", "A", "W"])
        return dy if self.activity_regularizer is None else self._with_activity(dy, y, k)

    def output_gradients(self, dy):
        r"""Hace lo mismo con el gradiente de cada salida, en una lista; ``None`` es un gradiente de ceros."""
        if not isinstance(self.y, list):
            return [self.output_gradient(dy)]
        if not isinstance(dy, (list, tuple)) or len(dy) != len(self.y):
            came = len(dy) if isinstance(dy, (list, tuple)) else f"un {type(dy).__name__}"
            raise ValueError(
                f"dy: se esperaba una lista de {len(self.y)} gradientes, uno por salida, pero llegó {came}"
            )
        dys = [np.zeros_like(y) if one is None else one for one, y in zip(dy, self.y, strict=True)]
        return [self.output_gradient(one, k) for k, one in enumerate(dys)]

    def _with_activity(self, dy, y, k):
        # Lo que la salida le suma a la pérdida también tiene gradiente. Dos salidas pueden tener la misma forma.
        total = self.buffer(("dy de la actividad", k), dy.shape)
        total[...] = 0
        self.activity_regularizer.add_gradient(y, total)
        total *= self.dtype.type(1 / (self.whole or len(dy)))
        total += dy
        return total

    def performers(self):
        r"""Recorre las capas que hacen el trabajo: ella, las que contiene y las copias de las que se llaman otra vez.

        Yields
        ------
        Layer
        """
        for layer in walk(self):
            yield layer
            for echo in layer.echoes:
                if echo is not None:
                    yield from echo.performers()

    def add_loss(self, loss):
        r"""Suma algo a la pérdida; se llama desde ``forward``, y ``backward`` debe sumar su gradiente.

        A la pérdida va la media sobre el lote entero, aunque se reparta entre los hilos: el gradiente de cada
        observación se divide entre ``self.whole``, o entre las que llegaron si es ``None``.

        Parameters
        ----------
        loss : float or array_like, shape (n,)
            Cuánto, de cada observación; un solo número es la media de las que llegaron.
        """
        if not self.added:
            self.added = []
        if self.reuse and type(loss) in ARRAYS and loss.ndim:
            # Una réplica guarda la suma, y siempre en la misma memoria: al repetir lo grabado, ahí queda la nueva.
            total = self.buffer(("added", len(self.added)), (1,), np.float64)
            sum_rows(loss.reshape(-1, 1), total)
            loss = unwatched(total)
        else:
            # Se lee de la capa, y otra ida pudo haberlo cambiado.
            spoil("suma a la pérdida")
        self.added.append(loss)

    def added_loss(self, rows):
        r"""Da lo que las capas sumaron a la pérdida en la última ida, sumado sobre sus observaciones.

        Parameters
        ----------
        rows : int
            Cuántas observaciones llegaron.

        Returns
        -------
        float
        """
        total = 0.0
        for layer in self.performers():
            if layer.activity_regularizer is not None:
                total += sum(regularizers.value_of(layer.activity_regularizer, y) for y in each(layer.y))
            for loss in layer.added:
                total += float(np.sum(loss)) if np.ndim(loss) else float(loss) * rows
        return total

    def added_arrays(self):
        r"""Da los números que suma :meth:`added_loss` en una réplica, cada uno donde queda en cada paso.

        Returns
        -------
        list of ndarray or None
            ``None``, si alguno no está en la memoria: hay que preguntarle a la capa.
        """
        performers = list(self.performers())
        found = [loss for layer in performers for loss in layer.added]
        kept = all(isinstance(one, np.ndarray) and one.dtype == np.float64 and one.size == 1 for one in found)
        return found if kept and all(layer.activity_regularizer is None for layer in performers) else None

    @property
    def alone(self):
        r"""Si al entrenar ha de ver el lote entero de una vez, en un solo hilo.

        Hace falta si lo que suma a la pérdida no es una suma sobre las observaciones, y la única penalización de la que
        se sabe que lo es son ``L1L2`` y las que heredan de ella. Una capa que mira el lote entero lo declara.
        """
        return not isinstance(self.activity_regularizer, (regularizers.L1L2, type(None)))

    @property
    def adds_loss(self):
        r"""Si ella, o alguna de las que contiene, le suma algo a la pérdida."""
        return any(layer.activity_regularizer is not None or _adds_loss(type(layer)) for layer in walk(self))

    @property
    def losses(self):
        r"""Lo que se suma a la pérdida, que son las penalizaciones de los pesos y lo que sumaron las capas al ir."""
        if is_recording():
            return through_losses(self)
        found = []
        for layer, name in self.learned():
            weight = layer._weights[name]
            if weight.regularizer is not None:
                found.append(regularizers.value_of(weight.regularizer, weight.value))
        if any(layer.y is not None or layer.added for layer in walk(self)):
            first = next(y for layer in walk(self) for y in each(layer.y) if y is not None)
            if self.adds_loss:
                found.append(self.added_loss(len(first)) / len(first))
        return found

    def buffer(self, name, shape, dtype=None):
        r"""Devuelve memoria para un resultado: nueva para quien usa la capa, la misma en cada paso si se entrena."""
        if not self.reuse:
            return check.empty(shape, f"{self.name}, {name}", dtype or self.dtype)
        array = self.buffers.get((name, shape))
        if array is None:
            array = check.lasting(shape, f"{self.name}, {name}", dtype or self.dtype)
            self.buffers[name, shape] = array
        return lent(array)

    def get_weights(self):
        r"""Devuelve copias de todos los pesos, también los que no se aprenden, en el orden de Keras."""
        return [w.copy() for w in self.weights]

    def set_weights(self, weights):
        r"""Copia unos pesos en los de la capa: todos o, si algo no encaja, ninguno.

        Parameters
        ----------
        weights : list of array_like
            Como los da :meth:`get_weights`.

        Raises
        ------
        ValueError
            Si no son tantos como los de la capa o alguno tiene otra forma, o NaN o infinitos.
        """
        own = self.weights
        if not isinstance(weights, (list, tuple)) or len(weights) != len(own):
            came = len(weights) if isinstance(weights, (list, tuple)) else type(weights).__name__
            hint = "" if self.built or self.layers else "; la capa aún no está construida"
            raise ValueError(f"weights: se esperaba una lista de {len(own)} arreglos, pero llegó {came}{hint}")
        pairs = enumerate(zip(own, weights, strict=True))
        checked = [fitted(new, f"weights[{k}]", old.shape, old.dtype) for k, (old, new) in pairs]
        self.refuse_outline()
        for old, new in zip(own, checked, strict=True):
            old[...] = new

    def count_params(self):
        r"""Devuelve cuántos números hay en sus pesos, se aprendan o no."""
        return sum(w.size for w in self.weights)

    def penalty(self, add_gradient=False):
        r"""Devuelve lo que suman las penalizaciones de los pesos que se aprenden.

        Parameters
        ----------
        add_gradient : bool
            Si además hay que sumar sus gradientes en :attr:`gradients`.
        """
        pairs = self._penalized
        if pairs is None:
            pairs = [(layer, name) for layer, name in self.learned() if layer._weights[name].regularizer is not None]
            if self.reuse:
                # Las réplicas lo preguntan en cada paso, y en ellas no cambia.
                self._penalized = pairs
        total = 0.0
        for layer, name in pairs:
            weight = layer._weights[name]
            total += regularizers.value_of(weight.regularizer, weight.value)
            if add_gradient:
                if weight.gradient is None:
                    weight = layer._with_gradient(name)
                weight.regularizer.add_gradient(weight.value, weight.gradient)
        return total

    @property
    def penalized(self):
        r"""Si alguno de sus pesos, o de los de las capas que contiene, tiene penalización."""
        return any(weight.regularizer is not None for layer in walk(self) for weight in layer._weights.values())

    @property
    def constrained(self):
        r"""Si alguno de sus pesos, o de los de las capas que contiene, tiene restricción."""
        return any(weight.constraint is not None for layer in walk(self) for weight in layer._weights.values())

    def constrain(self):
        r"""Impone, en su sitio, las restricciones de los pesos que se aprenden; se llama después de cada paso."""
        for layer, name in self.learned():
            weight = layer._weights[name]
            w = weight.value
            # Si el paso desbordó los pesos, que lo diga la pérdida.
            if weight.constraint is not None and np.isfinite(w).all():
                w[...] = fitted(weight.constraint(w), f"{layer.name}, {name}, restricción", w.shape, w.dtype)

    def uniform(self, out):
        r"""Llena un arreglo con números al azar de 0 a 1, sin el 1.

        Al entrenar, un lote se reparte entre varios hilos, que trabajan a la vez. Con estos números, a cada observación
        le tocan los mismos, vaya en el hilo que vaya y haya los que haya; los que se le pidan a ``self.generator``
        dependen del reparto. Fuera de un entrenamiento son los de ``self.generator``.

        >>> layer = Layer(seed=0)
        >>> layer.uniform(np.empty(3)).round(2)
        array([0.64, 0.27, 0.04])

        Parameters
        ----------
        out : ndarray of float32 or float64, shape (n, ...)
            Dónde se escriben; unos cuantos por observación.

        Returns
        -------
        ndarray
            El mismo ``out``.
        """
        if self.draws is None:
            spoil("sortea")
            return self.generator.random(out=out, dtype=out.dtype)
        return self.draws.uniform(out)

    def share(self, values):
        r"""Entrega unos números a las réplicas que hacen el mismo paso, y devuelve los de todas.

        Un lote se reparte entre los hilos, y cada réplica de la capa ve solo su parte. Quien necesita algo del lote
        entero, como su media, declara ``whole_batch = True`` y lo junta aquí. Todas las réplicas llaman a la vez, con
        arreglos de la misma forma, y todas reciben lo mismo, en el mismo orden.

        Parameters
        ----------
        values : ndarray
            Lo de esta réplica.

        Returns
        -------
        ndarray, shape (réplicas, ...)
            Lo de cada una. No se modifica.
        """
        if self.meeting is None or self.meeting.parts == 1:
            return values[np.newaxis]
        spoil("espera a las otras réplicas")
        return self.meeting.share(self.part, unwatched(values))

    # --- Lo que el modelo les pide a sus capas ---

    def inherit(self, parent):
        r"""Toma del modelo que la contiene lo que no se le dio: tipo y semilla. Si está congelado, ella también."""
        if not parent.trainable:
            self.trainable = False
        if self.built:
            if self.dtype != parent.dtype:
                raise ValueError(f"{self.name}: se esperaba dtype={parent.dtype.name!r}, pero es {self.dtype.name!r}")
            return
        if not self._own["dtype"]:
            _set(self, "dtype", parent.dtype)
        elif self.dtype != parent.dtype:
            raise ValueError(f"{self.name}: se esperaba dtype={parent.dtype.name!r}, pero es {self.dtype.name!r}")
        if not self._own["seed"]:
            self.generator = parent.new_generator()

    def new_generator(self):
        r"""Devuelve un generador nuevo, que sale del azar de la capa."""
        return np.random.default_rng(self.generator.integers(2**32, size=8))

    def adopt(self, theta, gradient):
        r"""Muda a vistas de dos vectores, con sus valores, los pesos que se aprenden y sus gradientes.

        Devuelve lo que sobra de cada vector.
        """
        for layer, name in self.learned():
            w, g, *_ = layer._weights[name]
            view, theta = theta[: w.size].reshape(w.shape), theta[w.size :]
            slope, gradient = gradient[: w.size].reshape(w.shape), gradient[w.size :]
            _fill(view, w)
            if g is not None:
                _fill(slope, g)
            layer._move(name, view, slope)
        return theta, gradient

    def leave(self, theta):
        r"""Saca de un vector, con sus valores, los pesos que ya no se aprenden."""
        learned = {(id(layer), name) for layer, name in self.learned()}
        for layer in walk(self):
            for name, weight in layer._weights.items():
                if weight.value.base is theta and (id(layer), name) not in learned:
                    layer._move(name, weight.value.copy(), None)

    def replica(self):
        r"""Copia la capa para otro hilo: los mismos pesos en memoria, y gradientes y resultados intermedios propios."""
        other, pairs = self._twin()
        for _, layer, _ in pairs:
            layer._weights = {name: weight._replace(gradient=None) for name, weight in layer._weights.items()}
            layer.x = layer.y = None
            layer.buffers = {}
            layer._penalized = None
            layer.reuse = True
        return other

    def echo(self):
        r"""Copia la capa para llamarla otra vez en la misma pasada: los mismos pesos; gradientes y memoria, propios."""
        other = self.replica()
        for layer, mine in zip(walk(other), walk(self), strict=True):
            layer.reuse = mine.reuse
        return other

    def take_draws(self, original):
        r"""Sigue el azar de la capa de la que esta es copia: cada llamada sortea lo suyo."""
        for mine, theirs in zip(walk(self), walk(original), strict=True):
            if mine.random:
                mine.generator, mine.draws = theirs.generator, theirs.draws

    def must_go_back(self):
        r"""Si su :meth:`backward` hace falta aunque nadie use el gradiente de su entrada: si hay algo que corregir."""
        return bool(self.learned())

    def follow(self, original):
        r"""Toma los argumentos que le hayan cambiado a la capa de la que esta es réplica.

        Parameters
        ----------
        original : Layer
            La capa.

        Returns
        -------
        bool
            Si alguno había cambiado.
        """
        changed = False
        for mine, theirs in zip(walk(self), walk(original), strict=True):
            for name in theirs.configurable:
                value, now = vars(theirs).get(name), vars(mine).get(name)
                if _read_at_each_step(name, value) and value is not now:
                    changed = changed or value != now
                    _set(mine, name, value)
            # Con otros argumentos puede empezar a sortear.
            if "random" in vars(theirs):
                mine.random = theirs.random
        for mine in walk(self):
            for layer, echo in mine.repeated():
                changed = echo.follow(layer) or changed
        return changed

    def without_input_gradient(self):
        r"""Avisa que nadie usará el gradiente de su entrada: :meth:`backward` puede ahorrárselo y devolver ``None``."""
        self.input_gradient = False

    def repeated(self):
        r"""Da las capas que llama otra vez en la misma pasada, cada una con su copia; nada, si van en fila."""
        return []

    def connections(self):
        r"""Da, de cada capa que contiene, el texto que dice de dónde le llega lo suyo; nada, si van en fila."""
        return []

    # --- Los pesos, por dentro ---

    def _new_values(self, where, shape, initializer):
        if _shapes_only.get():
            # Un solo cero que se ve desde todas las posiciones, y ninguna manera de usarlo.
            self._outline = True
            return np.broadcast_to(np.zeros((), self.dtype), shape)
        blank = _blank.get()
        if blank is not None:
            blank[0] -= math.prod(shape)
            if blank[0] < 0:
                raise ValueError(f"a {self.name!r} le tocan más pesos de los que trae el archivo")
            return np.zeros(shape, self.dtype)
        # Los inicializadores trabajan en float64, y luego se convierte.
        check.memory(math.prod(shape), where, 8 + self.dtype.itemsize)
        values = initializer(shape, dtype=self.dtype.name, seed=self.generator)
        # Una copia: el arreglo puede ser una vista, o de quien hizo el inicializador.
        return fitted(values, f"{where}, inicializador {type(initializer).__name__}", shape, self.dtype).copy()

    def _assign(self, attribute, value):
        if attribute in self._attributes:
            weight = self._weights[self._attributes[attribute]].value
            if value is not weight:
                value = fitted(value, attribute, weight.shape, weight.dtype)
                self.refuse_outline()
                weight[...] = value
            return
        if id(value) in self._fresh:
            key, named = self._fresh[id(value)]
            if not named:
                key = self._rename(key, attribute.lstrip("_"))
                self._fresh[id(value)] = key, True
            self._attributes[attribute] = key
        elif isinstance(value, np.ndarray) and id(value.base) in self._fresh:
            raise ValueError(
                f"{self.name}, {attribute}: es una vista de un peso, y dejará de serlo cuando el modelo lo mude de "
                f"memoria; tómala en forward"
            )
        _set(self, attribute, value)

    def _rename(self, old, new):
        # Dos atributos pueden diferir solo en el guion bajo.
        base, k = new, 0
        while new in self._weights:
            k += 1
            new = f"{base}_{k}"
        weights = [(new if name == old else name, weight) for name, weight in self._weights.items()]
        self._weights.clear()
        self._weights.update(weights)
        return new

    def _finish(self):
        for name, weight in self._weights.items():
            if name not in self._attributes.values():
                raise ValueError(
                    f"{self.name}: el peso de forma {weight.value.shape} no quedó en ningún atributo; guarda cada uno "
                    f"en el suyo, como en self.w = self.add_weight(...)"
                )
        self._fresh = None
        written = _written(type(self)) - set(self._attributes)
        self._rested = {name: vars(self)[name] for name in written if name in vars(self)}

    def _with_gradient(self, name):
        # Se reserva cuando hace falta: quien solo predice no lo paga.
        weight = self._weights[name]
        weight = self._weights[name] = weight._replace(gradient=np.zeros_like(weight.value))
        return weight

    def _move(self, name, value, gradient):
        self._weights[name] = self._weights[name]._replace(value=value, gradient=gradient)
        for attribute, weight in self._attributes.items():
            if weight == name:
                vars(self)[attribute] = value

    # --- Las copias ---

    def _twin(self, known=None):
        # Una copia que comparte los pesos y guarda aparte lo que calcula. Con ella, de cada capa: la original, su copia
        # y cómo empezó la copia. Una capa que está en dos lugares tiene una sola copia.
        known, pairs = {} if known is None else known, []
        for layer in self.layers:
            if id(layer) not in known:
                known[id(layer)], inner = layer._twin(known)
                pairs += inner
        other = object.__new__(type(self))
        attributes = vars(other)
        attributes.update(vars(self))
        if self.layers:
            attributes.update({name: _replace(value, known) for name, value in list(attributes.items())})
        if any(None in shape for shape in each(self.input_shape or ())):
            # Otro hilo puede estar cambiando a la original de forma: la copia lo calcula de nuevo.
            attributes["_seen"] = attributes["current_shape"] = None
        return other, [(self, other, dict(attributes)), *pairs]

    def __copy__(self):
        r"""Copia la capa con todo y pesos: dos capas no pueden compartirlos, porque cada modelo los muda a lo suyo."""
        return copy.deepcopy(self)

    def __getstate__(self):
        r"""Da lo que se copia y se guarda: la capa, sin lo que le dejó la última vez que fue y volvió."""
        # Copiar y guardar bajan nivel por nivel: antes se mira que no sean demasiados.
        check_depth(self)
        state = {**vars(self), "x": None, "y": None, "buffers": {}, "_seen": None, "nodes": [], "placed": False}
        for name in _written(type(self)) - set(self._attributes) if self._rested is not None else ():
            if _holds_arrays(state.get(name)):
                del state[name]
                state.update({name: self._rested[name]} if name in self._rested else {})
        return state

    def __repr__(self):
        r"""Dice qué clase de capa es y cómo se llama."""
        return f"<{type(self).__name__} {self.name!r}>"
