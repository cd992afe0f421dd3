r"""Arreglos nuevos, y de un tipo a otro."""

import numpy as np

from chapters.mlp.tape.operation import axis_of, operation, sizes_of
from chapters.mlp.tape.tensor import DTYPES, Tensor, numbers_in, record
from dlbook import check


def _type(dtype, otherwise="float32"):
    if dtype is None:
        return otherwise
    name = dtype if isinstance(dtype, str) else getattr(dtype, "name", getattr(dtype, "__name__", dtype))
    return check.choice({"int": "int32", "float": "float32"}.get(name, name), "dtype", DTYPES)


@operation()
def zeros(shape, dtype=None):
    r"""Ceros."""
    return np.zeros(sizes_of(shape), _type(dtype))


@operation()
def ones(shape, dtype=None):
    r"""Unos."""
    return np.ones(sizes_of(shape), _type(dtype))


@operation()
def full(shape, fill_value, dtype=None):
    r"""El mismo número en todos los lugares."""
    return np.full(sizes_of(shape), numbers_in(fill_value, "fill_value"), _type(dtype))


@operation(np.zeros_like)
def zeros_like(x, dtype=None):
    r"""Ceros, con la forma de otro."""
    x = np.asarray(numbers_in(x))
    return np.zeros(x.shape, _type(dtype, x.dtype))


@operation(np.ones_like)
def ones_like(x, dtype=None):
    r"""Unos, con la forma de otro."""
    x = np.asarray(numbers_in(x))
    return np.ones(x.shape, _type(dtype, x.dtype))


@operation(np.full_like)
def full_like(x, fill_value, dtype=None):
    r"""El mismo número, con la forma de otro."""
    x = np.asarray(numbers_in(x))
    return np.full(x.shape, numbers_in(fill_value, "fill_value"), _type(dtype, x.dtype))


@operation()
def eye(N, M=None, k=0, dtype=None):
    r"""Unos en una diagonal y ceros en lo demás."""
    rows, columns = sizes_of((N, N if M is None else M), "N, M")
    return np.eye(rows, columns, check.integer(k, "k", -rows, columns), _type(dtype))


def identity(n, dtype=None):
    r"""La matriz identidad."""
    return eye(n, dtype=dtype)


@operation()
def arange(start, stop=None, step=None, dtype=None):
    r"""Números en fila, con el mismo paso."""
    start, stop = (0, start) if stop is None else (start, stop)
    given = {"start": start, "stop": stop, "step": 1 if step is None else step}
    start, stop, step = (check.number(value, name) for name, value in given.items())
    if not step:
        raise ValueError("step: se esperaba un número distinto de 0, pero llegó 0")
    check.memory(int(max(0, (stop - start) / step)) + 1, "arange", 8)
    whole = all(isinstance(value, (int, np.integer)) for value in given.values())
    return np.arange(start, stop, step).astype(_type(dtype, "int32" if whole else "float32"))


@operation()
def linspace(start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0):
    r"""Números igualmente separados entre dos."""
    num = check.integer(num, "num", 0)
    check.memory(num, "num", 8)
    found = np.linspace(numbers_in(start), numbers_in(stop), num, endpoint, axis=axis).astype(_type(dtype))
    return (found, (found[1] - found[0])) if retstep else found


@operation()
def one_hot(x, num_classes, axis=-1, dtype=None, sparse=False):
    r"""Un 1 en el lugar de la clase y 0 en los demás; una clase que no existe da puros ceros."""
    if sparse:
        raise ValueError(f"sparse: se esperaba False, pero llegó {sparse!r}")
    num_classes = check.integer(num_classes, "num_classes", 1)
    x = np.asarray(numbers_in(x))
    if x.dtype.kind not in "biu":
        raise TypeError(f"x: se esperaban enteros, pero llegó {x.dtype}")
    check.memory(x.size * num_classes, "one_hot", 8)
    hot = (x[..., np.newaxis] == np.arange(num_classes)).astype(_type(dtype))
    return np.moveaxis(hot, -1, axis_of(axis, hot.ndim))


@operation(np.astype)
def cast(x, dtype):
    r"""Cambia el tipo: :math:`\bar x=\bar y`, en el tipo de antes."""
    return record(np.asarray(numbers_in(x)).astype(_type(dtype)), (x, lambda dy: dy))


@operation()
def convert_to_tensor(x, dtype=None, sparse=None, ragged=None):
    r"""Da un arreglo de lo que llegue; un tensor se queda como está."""
    if dtype is not None:
        return cast(x, dtype)
    if isinstance(x, Tensor):
        return x
    plain = np.asarray(numbers_in(x))
    return plain.astype({"f": np.float32, "i": np.int32}[plain.dtype.kind]) if type(x) in (int, float) else plain


def array(x, dtype=None):
    r"""Lo mismo que :func:`convert_to_tensor`."""
    return convert_to_tensor(x, dtype)


@operation()
def convert_to_numpy(x):
    r"""Da los números en un arreglo que no recuerda nada."""
    return np.array(numbers_in(x))


@operation()
def stop_gradient(variable):
    r"""Los mismos números, como si fueran un dato: :math:`\bar x=0`."""
    return np.array(numbers_in(variable))


def is_tensor(x):
    r"""Si es un tensor o un arreglo."""
    return isinstance(x, (Tensor, np.ndarray))


@operation(np.shape)
def shape(x):
    r"""La forma, en una tupla."""
    return np.shape(numbers_in(x))


@operation(np.ndim)
def ndim(x):
    r"""Cuántos ejes."""
    return np.ndim(numbers_in(x))


@operation(np.size)
def size(x):
    r"""Cuántos números."""
    return int(np.size(numbers_in(x)))
