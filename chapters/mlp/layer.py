r"""Lo que toda capa sabe hacer: construirse, ir hacia delante y volver hacia atrás."""

import contextlib
import contextvars
import copy
import re

import numpy as np

from chapters.mlp import initializers, regularizers
from dlbook import check, registry

_shapes_only = contextvars.ContextVar("shapes_only", default=False)


@contextlib.contextmanager
def shapes_only():
    r"""Para contar sin pagar: lo que se construya adentro no reserva memoria para sus pesos.

    Una red de ciento cuarenta millones de parámetros ocupa medio gigabyte antes de hacer nada. Para saber cuántos son,
    qué sale de cada capa y cuánto trabajo cuesta bastan las formas:

    >>> from chapters.mlp import Dense, Input, Sequential
    >>> with shapes_only():
    ...     model = Sequential([Input(shape=(100_000,)), Dense(1_000_000), Dense(10)])
    >>> model.count_params()
    100011000010
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


@registry.register("layer")
class Layer:
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
    así hasta el principio de la red. Ninguna capa conoce a sus vecinas: por eso se pueden apilar en cualquier orden.

    **Una capa propia** define tres métodos: :meth:`build` crea los pesos, :meth:`forward` calcula la salida y guarda lo
    que hará falta, y :meth:`backward` llena :attr:`gradients` y devuelve el gradiente de la entrada. Esta multiplica
    cada entrada por su propio peso:

    >>> class Scale(Layer):
    ...     def build(self, input_shape):
    ...         super().build(input_shape)
    ...         self.scale = self.add_weight(input_shape, "ones")
    ...     def forward(self, x, training=False):
    ...         self.x = self.input(x)
    ...         self.y = self.x * self.scale
    ...         return self.y
    ...     def backward(self, dy):
    ...         dy = self.output_gradient(dy)
    ...         self.gradients[0][:] = (dy * self.x).sum(axis=0)
    ...         return dy * self.scale

    **A mano.** Con dos observaciones y pesos 1, la salida es la entrada. Si la pérdida es la suma de las salidas,
    :math:`\partial\mathcal L/\partial\mathbf y` es puro 1, y el gradiente de cada peso es la suma de su columna:

    >>> layer = Scale()
    >>> layer.forward([[1.0, 2.0], [3.0, 5.0]])
    array([[1., 2.],
           [3., 5.]], dtype=float32)
    >>> layer.backward(np.ones((2, 2)))
    array([[1., 1.],
           [1., 1.]], dtype=float32)
    >>> layer.gradients[0]
    array([4., 7.], dtype=float32)

    Las formas se escriben sin el eje de las observaciones, que es siempre el primero y puede tener el largo que sea.

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
    """

    # Si usa su generador al ir hacia delante; entonces cada réplica recibe uno propio en cada época.
    random = False
    # Si al entrenar necesita el lote entero; entonces las réplicas van a la par y se encuentran en ``share``.
    whole_batch = False

    def __init__(self, *, dtype=None, seed=None, name=None, trainable=True):
        self.dtype = np.dtype(check.choice(dtype or "float32", "dtype", ["float32", "float64"]))
        self.generator = check.generator(seed)
        self._own = {"dtype": dtype is not None, "seed": seed is not None, "name": name is not None}
        if name is not None and (not isinstance(name, str) or not name):
            raise TypeError(f"name: se esperaba un texto que no esté vacío, pero llegó {name!r}")
        # Como en Keras: conv2d, max_pooling2d.
        self.name = name or re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=.)(?=[A-Z][a-z])", "_", type(self).__name__).lower()
        self.input_shape = None
        self.layers = []
        self._weights, self._gradients, self._regularizers = [], [], []
        # Lo que se recuerda sin aprenderlo del gradiente.
        self._state = []
        self._trainable = check.choice(trainable, "trainable", [True, False])
        # Lo que se guarda entre ir y volver.
        self.x = self.y = None
        # Las réplicas que entrenan reutilizan la memoria de sus resultados; las capas de quien lee, no.
        self.reuse = False
        self.buffers = {}
        # A nadie le sirve el gradiente de los datos: la primera capa que entrena no lo calcula.
        self.input_gradient = True
        # Dónde se encuentra esta réplica con las otras, y cuál es.
        self.meeting, self.part = None, 0

    # --- Lo que define cada capa ---

    def build(self, input_shape):
        r"""Prepara la capa para entradas de una forma; quien tiene pesos, los crea aquí.

        Parameters
        ----------
        input_shape : tuple of int
            La forma de una observación.

        Raises
        ------
        ValueError
            Si ya estaba construida o la forma no es una tupla de enteros positivos.
        """
        if self.built:
            raise ValueError(f"{self.name}: ya está construida, para entradas de forma {self.input_shape}")
        self.input_shape = as_shape(input_shape, "input_shape")

    def compute_output_shape(self, input_shape):
        r"""Devuelve la forma de la salida de una observación; aquí, la misma de la entrada."""
        return tuple(input_shape)

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
        return self.count_params() + int(np.prod(self.input_shape))

    # --- Lo que toda capa ya sabe ---

    def __call__(self, x, training=False):
        r"""Es otra manera de escribir :meth:`forward`."""
        return self.forward(x, training=training)

    @property
    def built(self):
        r"""Si ya conoce la forma de su entrada y tiene pesos."""
        return self.input_shape is not None

    @property
    def weights(self):
        r"""Los pesos propios, primero los que se aprenden, y luego los de las capas que contiene."""
        if not self.layers and not self._state:
            return self._weights
        return self._weights + self._state + [w for layer in self.layers for w in layer.weights]

    @property
    def trainable_weights(self):
        r"""Los de :attr:`weights` que mueve el optimizador; de una capa congelada, ninguno."""
        if not self._trainable:
            return []
        return self._weights + [w for layer in self.layers for w in layer.trainable_weights]

    @property
    def non_trainable_weights(self):
        r"""Los demás, que son los de las capas congeladas y los que se recuerdan sin aprenderlos."""
        learned = {id(w) for w in self.trainable_weights}
        return [w for w in self.weights if id(w) not in learned]

    @property
    def gradients(self):
        r"""Los gradientes de :attr:`trainable_weights`, en el mismo orden.

        Los de una capa congelada son un borrador: su :meth:`backward` puede escribir en ellos, y nadie los lee.
        """
        own = self._gradients
        if own and own[-1] is None:
            own[:] = [np.zeros_like(w) if g is None else g for w, g in zip(self._weights, own, strict=True)]
        if not self.layers:
            return own
        return own + [g for layer in self.layers if layer.trainable for g in layer.gradients]

    @property
    def trainable(self):
        r"""Si sus pesos se aprenden. Al asignarla, vale también para las capas que contiene, como en Keras."""
        return self._trainable

    @trainable.setter
    def trainable(self, value):
        self._trainable = check.choice(value, "trainable", [True, False])
        for layer in self.layers:
            layer.trainable = value

    def add_weight(self, shape, initializer="glorot_uniform", regularizer=None, trainable=True):
        r"""Crea un peso, con su gradiente en cero.

        Parameters
        ----------
        shape : tuple of int
            La forma del peso.
        initializer : str or Initializer
            De dónde salen sus valores.
        regularizer : str or Regularizer, optional
            La penalización que se le suma a la pérdida.
        trainable : bool
            Con ``False``, no es un parámetro que se aprenda, sino un estado: algo que la capa calcula y recuerda. Se
            guarda y se copia con los demás, y no entra en el gradiente.

        Returns
        -------
        ndarray
            El peso. Guárdalo en un atributo: si el modelo lo muda de memoria, el atributo se muda con él.
        """
        if _shapes_only.get():
            # Un solo cero que se ve desde todas las posiciones, y ninguna manera de usarlo.
            weight = np.broadcast_to(np.zeros((), self.dtype), tuple(shape))
            self.input = self._refuse
        else:
            weight = initializers.get(initializer)(tuple(shape), dtype=self.dtype.name, seed=self.generator)
        if not trainable:
            self._state.append(weight)
            return weight
        self._weights.append(weight)
        # El gradiente se reserva cuando hace falta: quien solo predice no lo paga.
        self._gradients.append(None)
        self._regularizers.append(regularizers.get(regularizer))
        return weight

    def input(self, x):
        r"""Deja la entrada lista para el código compilado: tipo, forma y memoria, comprobados.

        Raises
        ------
        TypeError
            Si no son números reales.
        ValueError
            Si no hay ninguna observación, si su forma no es la de la capa o si hay NaN o infinitos.
        """
        if (
            type(x) is np.ndarray
            and x.dtype == self.dtype
            and x.shape[1:] == self.input_shape
            and x.flags.carray
            and x.shape[0]
        ):
            return x
        x = check.floats(x, "x")
        if x.ndim and not self.built:
            self.build(x.shape[1:])
        if x.ndim == 0 or x.shape[1:] != self.input_shape or not x.shape[0]:
            wanted = ", ".join(["n", *map(str, self.input_shape or ["…"])])
            raise ValueError(f"x: se esperaba la forma ({wanted}) con n de al menos 1, pero llegó {x.shape}")
        return np.require(x, self.dtype, ["C", "A", "W"])

    def _refuse(self, x=None):
        raise ValueError(
            f"{self.name}: se construyó dentro de shapes_only y no tiene pesos; constrúyela fuera para usarla"
        )

    def _refuse_outline(self, weights):
        # Un solo número repetido: ningún eje avanza en la memoria.
        if any(w.ndim and not any(w.strides) for w in weights):
            self._refuse()

    def output_gradient(self, dy, shape=None):
        r"""Deja el gradiente que llega listo para el código compilado: con la forma de la última salida.

        Raises
        ------
        TypeError
            Si no son números reales.
        ValueError
            Si no se ha ido hacia delante, si la forma no es la de la salida o si hay NaN o infinitos.
        """
        if self.y is None and shape is None:
            raise ValueError(f"{self.name}: para ir hacia atrás hay que ir antes hacia delante, con forward")
        shape = self.y.shape if shape is None else shape
        if type(dy) is np.ndarray and dy.dtype == self.dtype and dy.shape == shape and dy.flags.carray:
            return dy
        dy = check.floats(dy, "dy")
        if dy.shape != shape:
            raise ValueError(f"dy: se esperaba la forma {shape} de la última salida, pero llegó {dy.shape}")
        return np.require(dy, self.dtype, ["C", "A", "W"])

    def buffer(self, name, shape, dtype=None):
        r"""Devuelve memoria para un resultado: nueva para quien usa la capa, la misma en cada paso si se entrena."""
        if not self.reuse:
            return np.empty(shape, dtype or self.dtype)
        array = self.buffers.get((name, shape))
        if array is None:
            array = self.buffers[name, shape] = np.empty(shape, dtype or self.dtype)
        return array

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
        checked = [check.floats(w, f"weights[{k}]") for k, w in enumerate(weights)]
        for k, (old, new) in enumerate(zip(own, checked, strict=True)):
            if new.shape != old.shape:
                raise ValueError(f"weights[{k}]: se esperaba la forma {old.shape}, pero llegó {new.shape}")
        self._refuse_outline(own)
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
        if not self._trainable:
            return 0.0
        total = sum((layer.penalty(add_gradient) for layer in self.layers), 0.0)
        for k, (weight, regularizer) in enumerate(zip(self._weights, self._regularizers, strict=True)):
            if regularizer is not None:
                total += regularizer.value(weight)
                if add_gradient:
                    regularizer.add_gradient(weight, self.gradients[k])
        return total

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
        return values[np.newaxis] if self.meeting is None else self.meeting.share(self.part, values)

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
            self.dtype = parent.dtype
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
        if not self._trainable:
            return theta, gradient
        for k, (w, g) in enumerate(zip(self._weights, self._gradients, strict=True)):
            view, theta = theta[: w.size].reshape(w.shape), theta[w.size :]
            slope, gradient = gradient[: w.size].reshape(w.shape), gradient[w.size :]
            _fill(view, w)
            if g is not None:
                _fill(slope, g)
            self._move(k, view, slope)
        for layer in self.layers:
            theta, gradient = layer.adopt(theta, gradient)
        return theta, gradient

    def leave(self):
        r"""Saca de los dos vectores lo que está congelado, con sus valores."""
        if not self._trainable:
            for k, w in enumerate(self._weights):
                if w.base is not None:
                    self._move(k, w.copy(), None)
        for layer in self.layers:
            layer.leave()

    def _move(self, k, weight, gradient):
        # Los atributos que apuntan al peso lo siguen.
        for name, value in vars(self).items():
            if value is self._weights[k]:
                setattr(self, name, weight)
        self._weights[k], self._gradients[k] = weight, gradient

    def replica(self):
        r"""Copia la capa para otro hilo: los mismos pesos en memoria, y gradientes y resultados intermedios propios."""
        other = copy.copy(self)
        copies = {id(layer): layer.replica() for layer in self.layers}
        for name, value in vars(self).items():
            setattr(other, name, _replace(value, copies))
        other._weights, other._state = list(self._weights), list(self._state)
        other._gradients = [None] * len(self._weights)
        other.x = other.y = None
        other.buffers = {}
        other.reuse = True
        return other

    def without_input_gradient(self):
        r"""Avisa que nadie usará el gradiente de su entrada: :meth:`backward` puede ahorrárselo y devolver ``None``."""
        self.input_gradient = False

    def __repr__(self):
        r"""Dice qué clase de capa es y cómo se llama."""
        return f"<{type(self).__name__} {self.name!r}>"


def as_shape(value, name):
    r"""Devuelve una forma como tupla de enteros positivos.

    >>> as_shape([28, 28], "input_shape")
    (28, 28)
    >>> as_shape((28, -1), "input_shape")
    Traceback (most recent call last):
        ...
    ValueError: input_shape[1]: se esperaba un entero de al menos 1, pero llegó -1
    """
    if isinstance(value, (str, bytes)) or not hasattr(value, "__iter__"):
        raise TypeError(f"{name}: se esperaba una tupla de enteros, pero llegó {value!r}")
    return tuple(check.integer(size, f"{name}[{k}]", 1) for k, size in enumerate(value))


def _fill(view, array):
    # La primera réplica se muda a donde ya está: no hay nada que copiar.
    if view.ctypes.data != array.ctypes.data:
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
