r"""Por dónde entran los datos a una red."""

import numpy as np

from chapters.mlp.layer import Layer
from chapters.mlp.symbol import Node, Symbol
from dlbook import check
from dlbook.attributes import only

# Los tipos que puede tener lo que entra; dentro de la red son dos: los números de la red, o enteros.
DTYPES = (
    *(
        "float16",
        "float32",
        "float64",
        "bool",
        "uint8",
        "int8",
        "uint16",
        "int16",
        "uint32",
        "int32",
        "int64",
        "uint64",
    ),
)


class InputLayer(Layer):
    r"""La capa por la que entran los datos; :func:`Input` la crea.

    No hace nada con lo que recibe. Está para que la red sepa qué forma espera, y para que la entrada tenga nombre:

    >>> layer = InputLayer(shape=(3,), name="medidas")
    >>> layer.output
    <Symbol 'medidas', shape=(None, 3), dtype=float32>

    Parameters
    ----------
    shape : tuple of int
        La forma, sin el eje de las observaciones; ``None`` donde puede ser cualquiera.
    batch_size : int, optional
        Está por compatibilidad con Keras: los lotes pueden ser de cualquier tamaño.
    dtype : str, optional
        El tipo de lo que entra. Con uno entero, como ``"int32"``, llegan enteros a la red; con los demás, números del
        tipo de la red.
    batch_shape : tuple, optional
        La forma con el eje de las observaciones, en vez de ``shape``.
    name : str, optional
        Su nombre, que también es el de la entrada en los diccionarios de :meth:`~chapters.mlp.Model.fit`.
    """

    any_size = True

    def __init__(self, shape=None, batch_size=None, dtype=None, *, batch_shape=None, name=None, **options):
        super().__init__(name=name, **options)
        if (shape is None) == (batch_shape is None):
            raise ValueError("shape: se esperaba la forma de una observación en shape, o con el lote en batch_shape")
        if batch_shape is not None:
            if not isinstance(batch_shape, (list, tuple)) or not batch_shape:
                raise TypeError(f"batch_shape: se esperaba una tupla con el eje del lote, pero llegó {batch_shape!r}")
            batch_size, *shape = batch_shape
        self.shape = check.shape(shape, "shape", unknown=True)
        if batch_size is not None:
            check.integer(batch_size, "batch_size", 1)
        self.input_dtype = check.choice("float32" if dtype is None else getattr(dtype, "name", dtype), "dtype", DTYPES)
        if name is None:
            self.name = "input"
        self.build(self.shape)
        node = Node(self, (), {})
        node.outputs.append(Symbol(self.shape, self.input_dtype, node))
        self.nodes.append(node)

    @property
    def integers(self):
        r"""Si lo que entra son enteros."""
        return np.dtype(self.input_dtype).kind in "iu"

    def inherit(self, parent):
        r"""Toma el tipo del modelo: no tiene pesos que lo contradigan."""
        self.dtype = parent.dtype

    def forward(self, x, training=False):
        r"""Deja pasar la entrada."""
        self.y = self.ready(x)
        return self.y

    def backward(self, dy):
        r"""Deja pasar el gradiente."""
        return self.output_gradient(dy)

    def get_config(self):
        r"""Da los argumentos con que se crea otra igual, con los nombres de Keras."""
        return {"batch_shape": [None, *self.shape], "dtype": self.input_dtype, "sparse": False, "name": self.name}

    @classmethod
    def from_config(cls, config):
        r"""Crea una capa con lo que da :meth:`get_config`, aquí o en Keras."""
        known = ("shape", "batch_shape", "batch_input_shape", "dtype", "name", "sparse", "ragged", "optional")
        others = [key for key, value in config.items() if key not in known and value not in (None, False)]
        if others or any(config.get(key) for key in ("sparse", "ragged", "optional")):
            raise ValueError(f"InputLayer: se esperaba una entrada corriente, pero llegó {config!r:.120}")
        shape = config.get("batch_shape", config.get("batch_input_shape"))
        own = {"shape": config["shape"]} if shape is None else {"batch_shape": [None, *shape[1:]]}
        return cls(dtype=config.get("dtype"), name=config.get("name"), **own)


def Input(  # noqa: N802  (como en Keras: se escribe como una clase)
    shape=None,
    batch_size=None,
    dtype=None,
    sparse=None,
    batch_shape=None,
    name=None,
    tensor=None,
    optional=False,
):
    r"""Da el valor simbólico de una entrada: por aquí llegarán observaciones de esta forma.

    >>> Input(shape=(784,))
    <Symbol 'input', shape=(None, 784), dtype=float32>

    Al principio de un :class:`Sequential`, le dice la forma de los datos. En una red que no es una fila, es el valor
    con que se llama a la primera capa; véase :class:`Functional`.

    Parameters
    ----------
    shape, batch_size, dtype, batch_shape, name
        Como en :class:`InputLayer`.
    sparse, tensor, optional
        No existen aquí: solo se admiten como Keras los deja si no se dice nada.

    Returns
    -------
    Symbol

    Raises
    ------
    TypeError, ValueError
        Si la forma no es una tupla de enteros positivos, o ``None`` donde puede ser cualquiera, o el tipo no existe.

        >>> Input(shape=3)
        Traceback (most recent call last):
            ...
        TypeError: shape: se esperaba una tupla de enteros, pero llegó 3
    """
    only(sparse, "sparse", None)
    only(tensor, "tensor", None)
    only(optional, "optional", False)
    options = {"batch_shape": batch_shape, "name": name}
    return InputLayer(shape, batch_size, dtype, **options).output
