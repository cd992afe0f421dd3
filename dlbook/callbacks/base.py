r"""A quién llama el entrenamiento, y cuándo."""

import difflib

from dlbook import check, registry
from dlbook.attributes import Configured

registry.provide(__package__)


def hooks():
    r"""Da los nombres de los métodos a los que se llama.

    >>> len(hooks()), hooks()[0]
    (16, 'on_train_begin')

    Returns
    -------
    list of str
    """
    return [name for name in vars(Callback) if name.startswith("on_")]


def unknown(name):
    r"""Dice que un método no existe y cuál se le parece.

    >>> unknown("on_test_start")
    'on_test_start, porque no existe; el que más se parece es on_test_end'

    Parameters
    ----------
    name : str
        El nombre.

    Returns
    -------
    str
    """
    closest = difflib.get_close_matches(name, hooks(), 1, cutoff=0)[0]
    return f"{name}, porque no existe; el que más se parece es {closest}"


def frequency(value, name, *words):
    r"""Comprueba cada cuánto se hace algo: con una de esas palabras, o cada tantos pasos.

    >>> frequency(10, "save_freq", "epoch"), frequency("epoch", "save_freq", "epoch")
    (10, 'epoch')
    >>> frequency("a veces", "save_freq", "epoch")
    Traceback (most recent call last):
        ...
    ValueError: save_freq: se esperaba 'epoch' o un entero de al menos 1, pero llegó 'a veces'

    Parameters
    ----------
    value : str or int
        Lo que llegó.
    name : str
        El nombre del argumento.
    *words : str
        Las palabras.

    Returns
    -------
    str or int

    Raises
    ------
    ValueError
        Si no es ni una cosa ni otra.
    """
    try:
        return check.choice(value, name, words) if isinstance(value, str) else check.integer(value, name, 1)
    except (TypeError, ValueError):
        expected = " o ".join(map(repr, words))
        raise ValueError(
            f"{name}: se esperaba {expected} o un entero de al menos 1, pero llegó {value!r:.60}"
        ) from None


@registry.register("callback")
class Callback(Configured):
    r"""Alguien a quien el entrenamiento llama en momentos fijos.

    ``fit`` no sabe de gráficas, de archivos ni de cuándo conviene detenerse. En lugar de eso, avisa: al empezar y al
    terminar, en cada época y en cada paso, llama a un método de cada objeto que le diste. A un objeto así se le dice
    *callback*, el que espera la llamada. Aquí todos los métodos están vacíos; el tuyo hereda y escribe los que quiera.

    ``self.model`` es el modelo y ``self.params``, un diccionario con ``epochs``, ``steps`` (pasos por época) y
    ``verbose``. En ``logs`` llega lo que se sabe en ese momento: la pérdida, las métricas y, al final de la época, las
    de validación. Lo que un *callback* agregue ahí al terminar la época lo ven los que siguen en la lista, y queda
    anotado en la :class:`History`. Para detener el entrenamiento, pon ``self.model.stop_training`` en ``True``.

    **A mano.** Un diario para una neurona que empieza en cero. Ante :math:`x=1` contesta 0 y lo correcto es 2: la
    pérdida es 4. Su gradiente, :math:`2\cdot(-2)\cdot(1, 1)`, con :math:`\eta=0.01`, deja el peso y el sesgo en 0.04:
    contesta 0.08 y la pérdida es :math:`1.92^2`:

    >>> from chapters.mlp import Dense, Sequential
    >>> class Diary(Callback):
    ...     def on_epoch_end(self, epoch, logs=None):
    ...         last = self.params["epochs"]
    ...         print(f"época {epoch + 1} de {last}: {logs['loss']:.3f}")
    >>> neuron = Dense(1, kernel_initializer="zeros")
    >>> model = Sequential([neuron], dtype="float64")
    >>> model.compile("sgd", "mse")
    >>> options = {"epochs": 2, "callbacks": [Diary()], "verbose": 0}
    >>> history = model.fit([[1.0]], [[2.0]], **options)
    época 1 de 2: 4.000
    época 2 de 2: 3.686

    **Si el tuyo recuerda algo** de una época a otra, di qué en :meth:`get_state` y cómo se recupera en
    :meth:`set_state`. Lo recordado se guarda con el modelo. Al continuar un entrenamiento, es decir, si ``fit`` recibe
    ``initial_epoch=model.epoch``, vuelve al *callback* de la misma clase que esté en la lista.

    **También al medir y al predecir.** ``evaluate`` llama a los métodos que dicen ``test``, y ``fit`` también, cuando
    valida; ``predict``, a los que dicen ``predict``.

    Attributes
    ----------
    model : Model
        El modelo que se entrena.
    params : dict
        Los datos del entrenamiento.
    validates : bool
        Si ``fit`` valida, aunque no sea en todas las épocas.

    Raises
    ------
    TypeError
        Al definir la tuya, si un método parece un aviso y no lo es.

        >>> class Typo(Callback):
        ...     def on_epoch_ended(self, epoch, logs=None):
        ...         print(logs)
        Traceback (most recent call last):
            ...
        TypeError: Typo: nadie llama a un método on_epoch_ended, porque no existe; el que más se parece es on_epoch_end
    """

    model = None
    params = None
    validates = False

    def __init_subclass__(cls, **options):
        r"""Rechaza lo que parece un aviso y no lo es: nadie lo llamaría nunca."""
        for name in dir(cls):
            if name.startswith("on_") and name not in hooks() and callable(getattr(cls, name)):
                raise TypeError(f"{cls.__name__}: nadie llama a un método {unknown(name)}")
        super().__init_subclass__(**options)

    def set_model(self, model):
        r"""Recibe el modelo."""
        self.model = model

    def set_params(self, params):
        r"""Recibe los datos del entrenamiento."""
        self.params = params

    def on_train_begin(self, logs=None):
        r"""Al empezar."""

    def on_train_end(self, logs=None):
        r"""Al terminar, también si se detuvo antes de tiempo."""

    def on_epoch_begin(self, epoch, logs=None):
        r"""Al empezar una época; la primera es la 0."""

    def on_epoch_end(self, epoch, logs=None):
        r"""Al terminar una época."""

    def on_train_batch_begin(self, batch, logs=None):
        r"""Antes de un paso; el primero de cada época es el 0."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch, logs=None):
        r"""Después de un paso, con la pérdida y las métricas de lo que va de la época."""
        self.on_batch_end(batch, logs)

    def on_batch_begin(self, batch, logs=None):
        r"""Otro nombre de :meth:`on_train_batch_begin`; si están los dos, se llama a aquel."""

    def on_batch_end(self, batch, logs=None):
        r"""Otro nombre de :meth:`on_train_batch_end`; si están los dos, se llama a aquel."""

    def on_test_begin(self, logs=None):
        r"""Al empezar a medir, en ``evaluate`` o al validar."""

    def on_test_end(self, logs=None):
        r"""Al terminar de medir, con la pérdida y las métricas."""

    def on_test_batch_begin(self, batch, logs=None):
        r"""Antes de medir un lote."""

    def on_test_batch_end(self, batch, logs=None):
        r"""Después de medir un lote."""

    def on_predict_begin(self, logs=None):
        r"""Al empezar a predecir."""

    def on_predict_end(self, logs=None):
        r"""Al terminar de predecir."""

    def on_predict_batch_begin(self, batch, logs=None):
        r"""Antes de predecir un lote."""

    def on_predict_batch_end(self, batch, logs=None):
        r"""Después de predecir un lote."""

    def get_state(self):
        r"""Da lo que recuerda: un diccionario de números, textos, arreglos, listas y otros diccionarios."""
        return {}

    def set_state(self, state):
        r"""Recupera lo que dio :meth:`get_state`; se llama después de :meth:`on_train_begin`."""


# Otro nombre, el de antes, que Keras conserva.
ALIASES = {"on_train_batch_begin": "on_batch_begin", "on_train_batch_end": "on_batch_end"}


def _defined(callback, name):
    # Los que no se escribieron son los vacíos de ``Callback``.
    method = getattr(callback, name)
    return None if getattr(method, "__func__", method) is getattr(Callback, name) else method


def called(callbacks, method):
    r"""Devuelve el método de los *callbacks* que de verdad lo definen: llamar a los vacíos en cada paso cuesta tiempo.

    >>> called([Callback(), Callback()], "on_train_batch_end")
    []
    >>> class Counts(Callback):
    ...     def on_batch_end(self, batch, logs=None):
    ...         print(batch)
    >>> for method in called([Callback(), Counts()], "on_train_batch_end"):
    ...     method(3, {})
    3

    Parameters
    ----------
    callbacks : sequence of Callback
        Los *callbacks*.
    method : str
        El nombre del método.

    Returns
    -------
    list of callable
        En el mismo orden.
    """
    names = [method, ALIASES[method]] if method in ALIASES else [method]
    found = [next(filter(None, (_defined(c, name) for name in names)), None) for c in callbacks]
    return [f for f in found if f is not None]
