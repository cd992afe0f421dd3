r"""Atributos que se comprueban cada vez que se les asigna algo, y no solo en el constructor."""

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


def refuse(instance, options):
    r"""Revisa los argumentos que el constructor no conoce: los que Keras tiene y aquí faltan, y los inventados.

    >>> class Brake:
    ...     abs = Absent(False)
    >>> refuse(Brake(), {"abs": False})
    >>> refuse(Brake(), {"ab": False})
    Traceback (most recent call last):
        ...
    TypeError: Brake: no se conoce el argumento 'ab'

    Parameters
    ----------
    instance : object
        El objeto que se está creando.
    options : dict
        Los argumentos.
    """
    for name, value in options.items():
        if not isinstance(getattr(type(instance), name, None), Absent):
            raise TypeError(f"{type(instance).__name__}: no se conoce el argumento {name!r}")
        setattr(instance, name, value)


def _tracked(init):
    # Mientras el constructor trabaja, lo que asigna es asunto suyo.
    @functools.wraps(init)
    def tracked(self, *arguments, **options):
        if id(self) in _making:
            return init(self, *arguments, **options)
        _making.add(id(self))
        try:
            init(self, *arguments, **options)
        finally:
            _making.discard(id(self))

    return tracked


def _own_arguments(cls):
    kinds = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
    parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]
    return [parameter for parameter in parameters if parameter.kind in kinds]


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
