r"""Valores simbólicos: lo que pasará por una red, antes de que haya datos."""

from dataclasses import dataclass, field

# Una lista de datos puede ser muy larga; una de valores simbólicos, no.
_LOOKED_AT = 64


@dataclass(eq=False)
class Node:
    r"""Una llamada a una capa con valores simbólicos: qué capa, con qué, y qué salió.

    Attributes
    ----------
    layer : Layer
        La capa.
    arguments : tuple
        Los argumentos de posición: valores simbólicos, listas de ellos o cualquier otra cosa.
    options : dict
        Los que se dieron con nombre.
    outputs : list of Symbol
        Lo que salió.
    """

    layer: object
    arguments: tuple
    options: dict
    outputs: list = field(default_factory=list)

    @property
    def inputs(self):
        r"""Los valores simbólicos que recibió, en orden."""
        return list(symbols_in((*self.arguments, *self.options.values())))


class Symbol:
    r"""Un valor simbólico: de lo que pasará por aquí se sabe la forma y de dónde viene; los números llegarán después.

    Lo da :func:`Input`, y lo da una capa a la que se llama con uno. Sirve para escribir una red como se escribe una
    cuenta, y para nada más: no tiene números. En Keras se llama ``KerasTensor``.

    >>> from chapters.mlp import Dense, Input
    >>> x = Input(shape=(3,))
    >>> y = Dense(2)(x)
    >>> y
    <Symbol 'dense', shape=(None, 2), dtype=float32>

    Parameters
    ----------
    observation : tuple of int
        La forma de una observación; ``None`` donde puede ser cualquiera.
    dtype : str
        El tipo de los números que llegarán.
    node : Node
        La llamada de la que sale: qué capa, y con qué valores. Siguiendo estos nodos hacia atrás se recorre la red.

    Attributes
    ----------
    shape : tuple
        Como en Keras, con ``None`` en el eje de las observaciones.
    name : str
        El de la capa de la que sale.
    """

    def __init__(self, observation, dtype, node):
        self.observation, self.dtype, self.node = tuple(observation), dtype, node

    @property
    def shape(self):
        r"""La forma, con ``None`` en el eje de las observaciones, como en Keras."""
        return (None, *self.observation)

    @property
    def ndim(self):
        r"""Cuántos ejes, contando el de las observaciones."""
        return len(self.shape)

    @property
    def name(self):
        r"""El nombre de la capa de la que sale."""
        return self.node.layer.name

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        r"""Responde, con lo de ``ops``, a los operadores y a funciones como ``np.exp``; a las demás, falla."""
        from chapters.mlp.tape.tensor import OPERATIONS

        if method != "__call__" or options or ufunc not in OPERATIONS:
            self.__array__()
        return OPERATIONS[ufunc](*inputs)

    def __add__(self, other):
        r"""Suma; como todos los operadores, apunta una capa que lo hará."""
        return _operated("add", self, other)

    def __radd__(self, other):
        r"""Suma."""
        return _operated("add", other, self)

    def __sub__(self, other):
        r"""Resta."""
        return _operated("subtract", self, other)

    def __rsub__(self, other):
        r"""Resta."""
        return _operated("subtract", other, self)

    def __mul__(self, other):
        r"""Multiplica elemento por elemento."""
        return _operated("multiply", self, other)

    def __rmul__(self, other):
        r"""Multiplica elemento por elemento."""
        return _operated("multiply", other, self)

    def __truediv__(self, other):
        r"""Divide elemento por elemento."""
        return _operated("divide", self, other)

    def __rtruediv__(self, other):
        r"""Divide elemento por elemento."""
        return _operated("divide", other, self)

    def __pow__(self, other):
        r"""Eleva a una potencia."""
        return _operated("power", self, other)

    def __neg__(self):
        r"""Cambia el signo."""
        return _operated("negative", self)

    def __matmul__(self, other):
        r"""Multiplica como matrices."""
        return _operated("matmul", self, other)

    def __gt__(self, other):
        r"""Compara elemento por elemento."""
        return _operated("greater", self, other)

    def __lt__(self, other):
        r"""Compara elemento por elemento."""
        return _operated("less", self, other)

    def __ge__(self, other):
        r"""Compara elemento por elemento."""
        return _operated("greater_equal", self, other)

    def __le__(self, other):
        r"""Compara elemento por elemento."""
        return _operated("less_equal", self, other)

    def __getitem__(self, where):
        r"""Toma una parte; el primer índice es el de las observaciones."""
        from chapters.mlp.tape.lambda_layer import Lambda

        try:
            return Lambda(lambda x: x[where])(self)
        except IndexError:
            raise IndexError(f"{self!r}: se esperaban índices que quepan en su forma, pero llegó {where!r}") from None

    def __array__(self, *_, **__):
        r"""Falla: todavía no hay números, ni que contar, recorrer o preguntar si son ciertos."""
        raise TypeError(
            f"{self!r} es un valor simbólico y todavía no tiene números; llama con él a una capa, o arma un Model y "
            f"llámalo con datos"
        )

    __bool__ = __float__ = __int__ = __len__ = __iter__ = __array__

    def __repr__(self):
        r"""Dice de qué capa sale, su forma y su tipo."""
        return f"<Symbol {self.name!r}, shape={self.shape}, dtype={self.dtype}>"


def _operated(name, *values):
    from chapters.mlp.tape import ops

    return getattr(ops, name)(*values)


def symbols_in(arguments):
    r"""Recorre los valores simbólicos que hay entre unos argumentos, o en sus listas y diccionarios.

    >>> from chapters.mlp import Input
    >>> a, b = Input(shape=(1,)), Input(shape=(2,))
    >>> [s.observation for s in symbols_in(([a, b], 3, a))]
    [(1,), (2,), (1,)]

    Parameters
    ----------
    arguments : sequence
        Los argumentos.

    Yields
    ------
    Symbol
    """
    for argument in arguments:
        if isinstance(argument, Symbol):
            yield argument
        elif isinstance(argument, (list, tuple, dict)):
            values = argument.values() if isinstance(argument, dict) else argument[:_LOOKED_AT]
            yield from (value for value in values if isinstance(value, Symbol))


def substituted(value, substitute, kind=Symbol):
    r"""Da una copia de un argumento con cada valor simbólico cambiado por otra cosa.

    Parameters
    ----------
    value : object
        Un valor simbólico, o una lista, una tupla o un diccionario con ellos; lo demás se queda como está.
    substitute : callable
        Recibe el valor simbólico y da lo que va en su lugar.
    kind : type or tuple of type
        Lo que se cambia, si no son los valores simbólicos.

    Returns
    -------
    object
    """
    if isinstance(value, kind):
        return substitute(value)
    if isinstance(value, (list, tuple)):
        return type(value)(substituted(v, substitute, kind) for v in value)
    if isinstance(value, dict):
        return {name: substituted(v, substitute, kind) for name, v in value.items()}
    return value
