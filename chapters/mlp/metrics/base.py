r"""Métricas: lo que de verdad queremos saber de una red, aunque no se pueda derivar."""

import functools
import inspect

import numpy as np

from chapters.mlp.losses.base import _weights
from dlbook import check, registry
from dlbook.attributes import Absent, Configured
from dlbook.numeric.kernel import kernel

# Un solo peso, para cuando nadie da ninguno.
ONE = np.ones(1)


@functools.cache
def _weighs(cls):
    return "weight" in inspect.signature(cls.shard).parameters


@registry.register("metric")
class Metric(Configured):
    r"""Una cantidad que se mira durante el entrenamiento, pero que no lo guía.

    La pérdida está hecha para derivarse. Lo que nos interesa suele ser otra cosa, como en cuántos casos acierta la red:
    la **exactitud** (*accuracy*),

    .. math::
       :label: ec-mlp-exactitud

       \text{exactitud} = \frac1n\sum_{i=1}^{n}\bigl[\hat c^{(i)} = c^{(i)}\bigr],

    donde :math:`\hat c^{(i)}` es la clase que dijo la red, :math:`c^{(i)}` la correcta, y el corchete vale 1 si son la
    misma y 0 si no. Esa cuenta da saltos: su derivada es cero en casi todas partes, y
    ningún gradiente puede seguirla. Por eso se entrena con una y se juzga con la otra.

    **A mano.** De dos observaciones, acierta la primera: 0.7 es la mayor y está en la clase 2.

    >>> from chapters.mlp.metrics import SparseCategoricalAccuracy
    >>> accuracy = SparseCategoricalAccuracy()
    >>> accuracy([2, 0], [[0.1, 0.2, 0.7], [0.3, 0.6, 0.1]])
    0.5

    **Se acumula**, como en Keras: una métrica llamada otra vez cuenta también lo de antes, hasta
    :meth:`reset_state`. Así se mide por lotes lo que no cabe de una vez:

    >>> accuracy.update_state([1, 1], [[0.3, 0.6, 0.1], [0.2, 0.7, 0.1]])
    >>> accuracy.result()
    0.75
    >>> accuracy.reset_state()
    >>> accuracy.result()
    0.0

    **Con pesos**, la media de lo de cada observación, :math:`m_i`, es :math:`\sum_i s_im_i/\sum_i s_i`, con
    :math:`s_i` su peso: se divide entre los pesos, y no entre :math:`n` como en la pérdida.

    >>> accuracy(
    ...     [2, 0], [[0.1, 0.2, 0.7], [0.3, 0.6, 0.1]], sample_weight=[3, 1]
    ... )
    0.75

    **Por dentro**, lo que recuerda es un vector de números que solo se suman: :meth:`size` dice cuántos,
    :meth:`accumulate` les suma los de unas observaciones y :meth:`value` da con ellos la métrica. Por eso se reparte
    entre los hilos como si nada. Aquí son dos, la suma con pesos y la suma de los pesos.

    **Una tuya**, si es una media, hereda de esta y define solo :meth:`shard`. También puede ser como en Keras: pide lo
    que recuerda con :meth:`add_variable` y define :meth:`update_state` y :meth:`result`. Entonces ve cada lote entero,
    en un solo hilo, y recuerda lo que quiera:

    >>> class Worst(Metric):
    ...     def __init__(self, name="worst", **options):
    ...         super().__init__(name=name, **options)
    ...         self.most = self.add_variable((), "zeros", name="most")
    ...
    ...     def update_state(self, y_true, y_pred, sample_weight=None):
    ...         error = np.abs(np.subtract(y_true, y_pred)).max()
    ...         self.most.assign(np.maximum(self.most, error))
    ...
    ...     def result(self):
    ...         return self.most
    >>> worst = Worst()
    >>> worst.update_state([[1.0], [2.0]], [[1.5], [5.0]])
    >>> float(worst.result())
    3.0

    Si dos métricas se llaman igual, la segunda se anota con ``_1``.

    Parameters
    ----------
    name : str, optional
        El nombre con que se anota, si no es el de siempre.
    dtype : None
        Como en Keras, pero no admite otro valor: el tipo es el de las predicciones.

    Attributes
    ----------
    name : str
        El nombre con que la conoce Keras.
    rising : bool
        Si más es mejor; ``None`` si no se sabe.
    """

    name = rising = _state = None
    _variables = ()
    dtype = Absent(None)
    # Si la cuenta la lleva la propia métrica, y si tiene que ver cada lote entero.
    counts_by_itself = alone = False

    def __init_subclass__(cls, **options):
        r"""Anota si la clase cuenta a su manera."""
        super().__init_subclass__(**options)
        # De los tres métodos con que una métrica cuenta, manda el que se definió más cerca.
        last = next(vars(c).keys() for c in cls.__mro__ if {"update_state", "accumulate", "shard"} & vars(c).keys())
        cls.counts_by_itself = not {"accumulate", "shard"} & last
        if cls.counts_by_itself:
            cls.alone = True
        elif "shard" in last and "accumulate" not in last:
            # Aunque herede de una que suma de otra manera, la que define su suma la quiere.
            cls.accumulate = Metric.accumulate

    def __init__(self, name=None, dtype=None):
        self.dtype = dtype
        if name is not None:
            self.name = check.text(name, "name")

    def __call__(self, y_true, y_pred, sample_weight=None):
        r"""Suma unas observaciones a lo que llevaba y da la métrica; los argumentos, en :meth:`update_state`."""
        self.update_state(y_true, y_pred, sample_weight)
        return self.result()

    def update_state(self, y_true, y_pred, sample_weight=None):
        r"""Suma unas observaciones a lo que llevaba.

        Parameters
        ----------
        y_true : array_like, shape (n, ...)
            Lo correcto.
        y_pred : array_like, shape (n, ...)
            Lo predicho.
        sample_weight : array_like, shape (n,), optional
            El peso de cada observación, de al menos 0. Si la métrica mira cada vector por separado, puede ser uno por
            vector.

        Raises
        ------
        TypeError, ValueError
            Si no son números finitos, si las formas no concuerdan con las de antes o si la métrica no sirve con ellas.
        """
        y_pred = check.floats(y_pred, "y_pred")
        if y_pred.ndim == 0 or not y_pred.size:
            raise ValueError(f"y_pred: se esperaba al menos una predicción, pero llegó la forma {y_pred.shape}")
        y_true = self._prepare(y_true, y_pred)
        if sample_weight is not None:
            sample_weight = _weights(sample_weight, y_pred)
        size = self.size(y_pred.shape[1:])
        if self._state is not None and self._state.size != size:
            raise ValueError(f"y_pred: la forma {y_pred.shape} no concuerda con lo que se esperaba por lo de antes")
        state = np.zeros(size)
        self.accumulate(y_true, y_pred, sample_weight, state)
        self._state = state if self._state is None else self._state + state

    def result(self):
        r"""Da la métrica de todo lo que se ha visto.

        Returns
        -------
        float or ndarray
            Antes de ver nada, lo que da :meth:`value` con ceros.
        """
        return self.value(np.zeros(self.size((1,))) if self._state is None else self._state)

    def reset_state(self):
        r"""Olvida todo lo que se ha visto, y deja en ceros las variables."""
        self._state = None
        for variable in self._variables:
            variable.assign(np.zeros(variable.shape))

    @property
    def variables(self):
        r"""Lo que pidió con :meth:`add_variable`, en orden."""
        return list(self._variables)

    def add_variable(self, shape, initializer="zeros", dtype=None, *, name=None):
        r"""Crea algo que la métrica recuerda de un lote a otro, hasta :meth:`reset_state`.

        Parameters
        ----------
        shape : tuple of int
            La forma; ``()``, un solo número.
        initializer : str, Initializer or callable
            Con qué números empieza.
        dtype : str, optional
            El tipo; si no se dice, ``"float64"``, porque una suma larga pierde cifras en ``"float32"``.
        name : str, optional
            Cómo se llama.

        Returns
        -------
        Variable
        """
        from chapters.mlp import initializers
        from chapters.mlp.tape.tensor import Variable

        dtype = "float64" if dtype is None else dtype
        variable = Variable(initializers.get(initializer), shape, dtype, trainable=False, name=name)
        self._variables = [*self._variables, variable]
        return variable

    def add_weight(self, shape=(), initializer="zeros", dtype=None, name=None):
        r"""Como :meth:`add_variable`, con el nombre de antes."""
        return self.add_variable(shape, initializer, dtype, name=name)

    def size(self, output_shape):
        r"""Dice cuántos números recuerda.

        Parameters
        ----------
        output_shape : tuple of int
            La forma de la salida, sin el eje de las observaciones.

        Returns
        -------
        int
        """
        return 2

    def accumulate(self, y_true, y_pred, weight, state):
        r"""Suma en ``state`` lo de unas observaciones, sin comprobar nada.

        Parameters
        ----------
        y_true : ndarray, shape (n, ...)
            Unas filas de lo que preparó la pérdida.
        y_pred : ndarray, shape (n, ...)
            Las predicciones.
        weight : ndarray, shape (n,), or None
            El peso de cada observación, como se dio.
        state : ndarray of float64, shape (size,)
            Lo que se lleva; se le suma en su sitio.
        """
        if weight is None:
            total, count = self.shard(y_true, y_pred), len(y_pred)
        elif _weighs(type(self)):
            total, count = self.shard(y_true, y_pred, weight), weight.sum(dtype=np.float64)
        else:
            # Con un peso por instante, cada instante es como una observación.
            y_true, y_pred = (a.reshape(-1, *a.shape[weight.ndim :]) for a in (y_true, y_pred))
            each = [self.shard(y_true[i : i + 1], y_pred[i : i + 1]) for i in range(len(y_pred))]
            total, count = float(np.dot(weight.reshape(-1), each)), weight.sum(dtype=np.float64)
        if type(total) is not float:
            check.returned(total, f"{type(self).__name__}.shard")
        # Varios pesos por observación cuentan, entre todos, como uno.
        share = 1 if weight is None else len(weight) / weight.size
        state[0] += share * total
        state[1] += share * count

    def value(self, state):
        r"""Da la métrica.

        Parameters
        ----------
        state : ndarray of float64, shape (size,)
            Lo que sumó :meth:`accumulate`.

        Returns
        -------
        float or ndarray
        """
        return _ratio(state[0], state[1])

    def shard(self, y_true, y_pred):
        r"""Suma la métrica de unas observaciones, sin comprobar nada.

        Las del libro admiten además ``weight``, un arreglo con los pesos; a la que no, se la llama observación por
        observación cuando los hay.

        Parameters
        ----------
        y_true : ndarray, shape (n, ...)
            Unas filas de lo que preparó la pérdida.
        y_pred : ndarray, shape (n, ...)
            Las predicciones.

        Returns
        -------
        float
        """
        raise NotImplementedError

    def accept(self, y_true, output_shape):
        r"""Comprueba, una vez, que :meth:`accumulate` puede leer lo correcto.

        La tuya acepta lo que sea mientras no diga otra cosa aquí.

        Parameters
        ----------
        y_true : ndarray, shape (n, ...)
            Todo lo que preparó la pérdida.
        output_shape : tuple of int
            La forma de la salida, sin el eje de las observaciones.

        Raises
        ------
        ValueError
            Si no puede.
        """

    def _prepare(self, y_true, y_pred):
        y_true = check.floats(y_true, "y_true")
        # Un solo número por observación se puede escribir (n,) o (n, 1).
        if _core(y_true.shape) != _core(y_pred.shape):
            raise ValueError(f"y_true: se esperaba la forma {y_pred.shape} de y_pred, pero llegó {y_true.shape}")
        return y_true.reshape(y_pred.shape).astype(y_pred.dtype)


def _spread(weight, y_pred):
    # Los pesos, en fila, y cuántos son; sin ellos, uno para todos, que vale por el número de observaciones.
    return (ONE, len(y_pred)) if weight is None else (weight.reshape(-1), weight.size)


class Averaged(Metric):
    r"""Una media de las del libro. La suma un núcleo, :meth:`add`, que además apunta la cuenta: así se puede grabar."""

    def add(self, y_true, y_pred, weight, n, state):
        r"""Suma la métrica de ``n`` observaciones y su cuenta, con :func:`add_mean`.

        Parameters
        ----------
        y_true, y_pred : ndarray, shape (n, ...)
            Lo correcto y lo predicho.
        weight : ndarray, shape (w,)
            Los pesos, en fila; uno solo, si pesan lo mismo.
        n : int
            Cuántas son.
        state : ndarray of float64, shape (2,)
            Dónde se suma.
        """
        raise NotImplementedError

    def accumulate(self, y_true, y_pred, weight, state):
        r"""Como :meth:`Metric.accumulate`."""
        self.add(y_true, y_pred, _spread(weight, y_pred)[0], len(y_pred), state)

    def shard(self, y_true, y_pred, weight=None):
        r"""Como :meth:`Metric.shard`."""
        weight, n = _spread(weight, y_pred)
        state = np.zeros(2)
        self.add(y_true, y_pred, weight, n, state)
        return float(state[0])


@kernel
def add_mean(total, size, weight, n, state):
    r"""Suma lo de ``n`` observaciones en las que hay ``size`` números y con sus pesos dan ``total``."""
    counted = 0.0
    for i in range(weight.size):
        counted += weight[i]
    # Varios pesos por observación cuentan, entre todos, como uno.
    state[0] += total * n / size
    state[1] += counted * n / weight.size


def _core(shape):
    return shape[:-1] if len(shape) > 1 and shape[-1] == 1 else shape


def _ratio(top, bottom):
    # Como en Keras, de nada entre nada sale cero.
    bottom = np.asarray(bottom)
    with np.errstate(all="ignore"):
        ratio = np.where(bottom == 0, 0.0, top / bottom)
    return ratio if ratio.ndim else float(ratio)


def _same_shape(metric, y_true, output_shape):
    r"""Acepta lo correcto si tiene la forma de la salida."""
    if y_true.shape[1:] != output_shape:
        raise _useless(metric, y_true, output_shape)


def _useless(metric, y_true, output_shape):
    came = f"lo correcto de forma {('n', *y_true.shape[1:])} y la salida de {('n', *output_shape)}"
    return ValueError(f"metrics: {metric.name} no sirve con {came}".replace("'n'", "n"))


@kernel(fastmath={"reassoc"})
def _squares(y_true, y_pred, weight, n, state):
    total = 0.0
    for i in range(weight.size):
        squares = 0.0
        for j in range(y_pred.shape[1]):
            squares += (y_true[i, j] - y_pred[i, j]) ** 2
        total += weight[i] * squares
    add_mean(total, y_pred.size, weight, n, state)


@kernel(fastmath={"reassoc"})
def _distances(y_true, y_pred, weight, n, state):
    total = 0.0
    for i in range(weight.size):
        distances = 0.0
        for j in range(y_pred.shape[1]):
            distances += abs(y_true[i, j] - y_pred[i, j])
        total += weight[i] * distances
    add_mean(total, y_pred.size, weight, n, state)
