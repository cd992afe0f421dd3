r"""Atributos que se comprueban cada vez que se les asigna algo, y no solo en el constructor."""

import difflib
import functools
import inspect
from types import MappingProxyType

import numpy as np

from dlbook import registry

# Los objetos cuyo constructor todavía no termina.
_making = set()


class Checked:
    r"""Un atributo que pasa por una función de :mod:`dlbook.check` antes de guardarse.

    Un número fuera de su intervalo estorba igual si llega al crear el objeto que si se le asigna después. Se declara
    en la clase, y el constructor solo asigna:

    >>> from dlbook import check
    >>> class Brake:
    ...     strength = Checked(check.number, 0, 1)
    ...     def __init__(self, strength):
    ...         self.strength = strength
    >>> brake = Brake(0.5)
    >>> brake.strength = 2
    Traceback (most recent call last):
        ...
    ValueError: strength: se esperaba un número de al menos 0 y de a lo sumo 1, pero llegó 2
    >>> brake.strength
    0.5

    Parameters
    ----------
    function : callable
        Recibe el valor y el nombre del atributo, y devuelve lo que se guarda.
    *arguments, **options
        Lo demás que recibe ``function``.
    optional : bool
        Si vale también ``None``.
    """

    def __init__(self, function, *arguments, optional=False, **options):
        self.function, self.arguments, self.options, self.optional = function, arguments, options, optional
        # Lo que hay que decir de él está en el docstring de su clase: la página no lo repite.
        self.__doc__ = None

    def __set_name__(self, owner, name):
        r"""Aprende cómo se llama."""
        self.name = name

    # Sin __get__, leerlo es leer el diccionario del objeto: no cuesta nada.
    def __set__(self, instance, value):
        r"""Comprueba y guarda."""
        if not (self.optional and value is None):
            value = self.function(value, self.name, *self.arguments, **self.options)
        vars(instance)[self.name] = value


def only(value, name, default):
    r"""Rechaza una opción de Keras que aquí no existe, si no llega como Keras la deja apagada.

    >>> only(None, "steps", None)
    >>> only(3, "steps", None)
    Traceback (most recent call last):
        ...
    ValueError: steps: esta opción de Keras no existe aquí; se esperaba None, pero llegó 3

    Parameters
    ----------
    value : object
        Lo que llegó.
    name : str
        El nombre de la opción.
    default : object
        El único valor que se admite.
    """
    if not (value is default or (np.isscalar(value) and value == default)):
        raise ValueError(f"{name}: esta opción de Keras no existe aquí; se esperaba {default!r}, pero llegó {value!r}")


class Absent:
    r"""Una opción de Keras que aquí no existe: solo admite el valor con que Keras la deja apagada.

    >>> class Brake:
    ...     abs = Absent(False)
    >>> brake = Brake()
    >>> brake.abs = False
    >>> brake.abs = True
    Traceback (most recent call last):
        ...
    ValueError: abs: esta opción de Keras no existe aquí; se esperaba False, pero llegó True

    Parameters
    ----------
    default : object
        Ese valor.
    """

    def __init__(self, default):
        self.default = default
        self.__doc__ = None

    def __set_name__(self, owner, name):
        r"""Aprende cómo se llama."""
        self.name = name

    def __get__(self, instance, owner=None):
        r"""Da el único valor que puede tener."""
        return self if instance is None else self.default

    def __set__(self, instance, value):
        r"""Rechaza cualquier otro."""
        only(value, self.name, self.default)


# Como se llamaban en Keras 1 y 2, o se llaman en otras bibliotecas, los argumentos que aquí tienen otro nombre.
FORMER_NAMES = {
    "alpha": "negative_slope",
    "batch_input_shape": "input_shape",
    "border_mode": "padding",
    "bias": "use_bias",
    "dropout_rate": "rate",
    "eta": "learning_rate",
    "filter_size": "kernel_size",
    "in_features": "input_dim",
    "init": "kernel_initializer",
    "kernel": "kernel_size",
    "lr": "learning_rate",
    "nb_epoch": "epochs",
    "nb_filter": "filters",
    "out_features": "units",
    "output_dim": "units",
    "p": "rate",
    "period": "save_freq",
    "show_accuracy": "metrics",
    "size": "pool_size",
    "stride": "strides",
    "subsample": "strides",
    "W_regularizer": "kernel_regularizer",
    "weights_only": "save_weights_only",
}


def closest(name, known):
    r"""Da el nombre que más se le parece a otro, entre los que hay, o ``None``.

    >>> closest("Dens", ["Dense", "Dropout"]), closest("x", ["Dense"])
    ('Dense', None)
    """
    return next(iter(difflib.get_close_matches(name, known, 1)), None)


def unknown(where, name, known):
    r"""Da el error de un argumento que no existe: dice cuál se le parece o, si ninguno, cuáles hay.

    >>> unknown("Dense", "unit", ["units", "activation"])
    TypeError("Dense: el libro no tiene el argumento 'unit'; el más parecido es 'units'")
    >>> unknown("SGD", "lr", ["learning_rate", "momentum"])
    TypeError("SGD: el libro no tiene el argumento 'lr'; aquí se llama 'learning_rate'")
    >>> unknown("Flatten", "n", ["name"])
    TypeError("Flatten: el libro no tiene el argumento 'n'; tiene name")

    Parameters
    ----------
    where : str
        De quién es el argumento.
    name : str
        Cómo llegó.
    known : sequence of str
        Los que hay.

    Returns
    -------
    TypeError
    """
    close = closest(name, known)
    if FORMER_NAMES.get(name) in known:
        hint = f"aquí se llama {FORMER_NAMES[name]!r}"
    elif close:
        hint = f"el más parecido es {close!r}"
    else:
        hint = f"tiene {', '.join(known)}" if known else "no tiene ninguno"
    return TypeError(f"{where}: el libro no tiene el argumento {name!r}; {hint}")


def refuse(instance, options):
    r"""Revisa los argumentos que el constructor no conoce: los que Keras tiene y aquí faltan, y los inventados.

    >>> class Brake:
    ...     abs = Absent(False)
    >>> refuse(Brake(), {"abs": False})
    >>> refuse(Brake(), {"ab": False})
    Traceback (most recent call last):
        ...
    TypeError: Brake: el libro no tiene el argumento 'ab'; no tiene ninguno

    Parameters
    ----------
    instance : object
        El objeto que se está creando.
    options : dict
        Los argumentos.
    """
    for name, value in options.items():
        if not isinstance(getattr(type(instance), name, None), Absent):
            raise unknown(type(instance).__name__, name, _every_argument(type(instance)))
        setattr(instance, name, value)


def _every_argument(cls):
    # Los de su constructor y, si los deja pasar, los de la base de su especie.
    bases = [base for base in cls.__mro__ if "__init__" in vars(base) and base not in (object, Configured)]
    chosen = bases[:1] + (bases[-1:] if bases and _passes_on(bases[0].__init__) else [])
    return list(dict.fromkeys(parameter.name for base in chosen for parameter in _own_arguments(base)))


def _passes_on(function):
    return any(p.kind is p.VAR_KEYWORD for p in inspect.signature(function).parameters.values())


def _explained(where, function, arguments, options, known):
    # Python dice en inglés que una llamada no encaja; aquí, en español, y con lo que sí hay.
    parameters = list(inspect.signature(function).parameters.values())[1:]
    for name in options:
        strange = FORMER_NAMES.get(name) in known if _passes_on(function) else True
        if strange and name not in {p.name for p in parameters}:
            return unknown(where, name, known)
    places = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if not any(p.kind is p.VAR_POSITIONAL for p in parameters) and len(arguments) > len(places):
        return TypeError(
            f"{where}: se esperaban a lo sumo {len(places)} argumentos sin nombre, pero llegaron {len(arguments)}"
        )
    for place in places[: len(arguments)]:
        if place.name in options:
            return TypeError(f"{where}: el argumento {place.name!r} llegó dos veces, sin nombre y con él")
    for p in parameters:
        required = p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
        if required and p not in places[: len(arguments)] and p.name not in options:
            return TypeError(f"{where}: falta el argumento {p.name!r}")
    return None


def explains(method):
    r"""Decora un método que recibe argumentos de Keras: lo que no encaje se dice en español.

    >>> class Car:
    ...     @explains
    ...     def drive(self, speed, *, gear=1):
    ...         return speed
    >>> Car().drive(sped=3)
    Traceback (most recent call last):
        ...
    TypeError: drive: el libro no tiene el argumento 'sped'; el más parecido es 'speed'
    >>> Car().drive()
    Traceback (most recent call last):
        ...
    TypeError: drive: falta el argumento 'speed'

    Parameters
    ----------
    method : function
        El método.

    Returns
    -------
    function
    """

    @functools.wraps(method)
    def explained(self, *arguments, **options):
        try:
            return method(self, *arguments, **options)
        except TypeError as error:
            # Si no llegó a entrar, lo que no encaja son los argumentos.
            if error.__traceback__.tb_next is not None:
                raise
            known = [p.name for p in _method_arguments(method)]
            raise _explained(method.__name__, method, arguments, options, known) or error from None

    return explained


def _method_arguments(function):
    kinds = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
    return [p for p in list(inspect.signature(function).parameters.values())[1:] if p.kind in kinds]


def _tracked(init):
    signature = inspect.signature(init)

    # Mientras el constructor trabaja, lo que asigna es asunto suyo.
    @functools.wraps(init)
    def tracked(self, *arguments, **options):
        if id(self) in _making:
            return init(self, *arguments, **options)
        try:
            signature.bind(self, *arguments, **options)
        except TypeError as error:
            cls = type(self)
            raise _explained(cls.__name__, init, arguments, options, _every_argument(cls)) or error from None
        _making.add(id(self))
        try:
            init(self, *arguments, **options)
        finally:
            _making.discard(id(self))

    return tracked


def _own_arguments(cls):
    return _method_arguments(cls.__init__)


class Configured:
    r"""Un objeto al que se le puede asignar después lo mismo que admite su constructor, y nada más.

    El constructor ya sabe qué es válido, también cuando un argumento depende de otro. Asignarle algo a un argumento es
    preguntarle: se crea otro objeto, que se tira, con ese valor y con los demás argumentos como están, y se guarda lo
    que él haya guardado. Si lo rechaza, no cambia nada:

    >>> from chapters.mlp.initializers import RandomUniform
    >>> initializer = RandomUniform(minval=0, maxval=1)
    >>> initializer.minval = 2
    Traceback (most recent call last):
        ...
    ValueError: maxval: se esperaba un número de al menos 2.0, pero llegó 1.0
    >>> initializer.minval = -1
    >>> initializer.minval
    -1.0

    Vale para las clases del libro, sin declarar nada; la que escribe quien lee hereda lo que ya comprobaban las suyas.
    Una propiedad se comprueba sola.
    """

    # De cada argumento, la clase cuyo constructor lo conoce.
    configurable = MappingProxyType({})

    @_tracked
    def __init__(self):
        r"""No recibe nada; está para que lo diga en español."""

    def __init_subclass__(cls, **options):
        r"""Anota qué argumentos hay que comprobar."""
        super().__init_subclass__(**options)
        if "__init__" in vars(cls):
            cls.__init__ = _tracked(cls.__init__)
        cls.configurable = {}
        # Quien hereda el constructor se lo pregunta a sí misma: puede admitir otra cosa que su base.
        asked = cls if registry.ours(cls) else None
        for base in cls.__mro__:
            if "__init__" in vars(base) and registry.ours(base):
                for parameter in _own_arguments(base):
                    attribute = getattr(cls, parameter.name, None)
                    if isinstance(attribute, Checked) or not hasattr(attribute, "__set__"):
                        cls.configurable.setdefault(parameter.name, asked or base)
                asked = None

    def __setattr__(self, name, value):
        r"""Asigna un atributo; si es un argumento del constructor, lo comprueba él."""
        if name in self.configurable and id(self) not in _making:
            value = self.configured(name, value)
        object.__setattr__(self, name, value)

    def __repr__(self):
        r"""Escribe la llamada que lo crea."""
        own = inspect.signature(type(self)).parameters
        arguments = ", ".join(f"{name}={value!r}" for name, value in vars(self).items() if name in own)
        return f"{type(self).__name__}({arguments})"

    def get_config(self):
        r"""Da los argumentos con que se crea una copia, con los nombres de Keras."""
        from dlbook.saving import config

        return config.get_config(self)

    @classmethod
    def from_config(cls, config, custom_objects=None):
        r"""Crea un objeto con lo que dio :meth:`get_config`, aquí o en Keras."""
        from dlbook.saving import config as keras_config

        return keras_config.from_config(cls, config, custom_objects)

    def configured(self, name, value):
        r"""Da lo que el constructor guardaría en uno de sus argumentos, si lo admite."""
        now, cls, arguments = vars(self), self.configurable[name], {}
        for parameter in _own_arguments(cls):
            attribute = next((a for a in (f"_{parameter.name}", parameter.name) if a in now), None)
            if attribute is not None:
                arguments[parameter.name] = now[attribute]
            elif parameter.default is parameter.empty and parameter.name != name:
                # Quien hereda sin llamar al constructor de su base se arregla solo.
                return value
        other = cls(**arguments | {name: value})
        if not hasattr(other, name):
            raise ValueError(f"{name}: solo se puede dar al crear {cls.__name__}")
        return getattr(other, name)
