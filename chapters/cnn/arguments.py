r"""Los argumentos que comparten las capas de imágenes, revisados en un solo lugar y con las costumbres de Keras."""

from dlbook import check

# Lo que mide, para contar el trabajo, un lado que todavía no se sabe.
UNKNOWN_SIDE = 32


def whole(value, name, low=1):
    r"""Devuelve un entero que cabe con holgura en los índices del código compilado.

    >>> whole(2**40, "strides")
    Traceback (most recent call last):
        ...
    ValueError: strides: se esperaba un entero entre 1 y 2147483647, pero llegó 1099511627776
    """
    return check.integer(check.integer(value, name, low), name, low, 2**31 - 1)


def pair(value, name):
    r"""Devuelve un entero positivo repetido, o los dos que llegaron: alto y ancho.

    >>> pair(3, "kernel_size"), pair([3, 5], "kernel_size")
    ((3, 3), (3, 5))
    >>> pair(0, "strides")
    Traceback (most recent call last):
        ...
    ValueError: strides: se esperaba un entero de al menos 1, pero llegó 0
    """
    if not isinstance(value, (tuple, list)):
        return (whole(value, name),) * 2
    if len(value) != 2:
        raise ValueError(f"{name}: se esperaba un entero o dos, pero llegaron {len(value)}")
    return tuple(whole(v, f"{name}[{k}]") for k, v in enumerate(value))


def single(value, name):
    r"""Devuelve un entero positivo dentro de una tupla, como lo guarda Keras.

    >>> single(3, "kernel_size"), single([3], "kernel_size")
    ((3,), (3,))
    """
    if isinstance(value, (tuple, list)) and len(value) == 1:
        (value,) = value
    return (whole(value, name),)


def each_axis(value, name, rank):
    r"""Devuelve un entero positivo por eje: :func:`pair` en una imagen, :func:`single` en una serie.

    >>> each_axis(3, "strides", 2), each_axis(3, "strides", 1)
    ((3, 3), (3,))
    """
    return pair(value, name) if rank == 2 else single(value, name)


def image_shape(shape, name="x"):
    r"""Exige que una observación tenga alto, ancho y canales; los lados pueden no saberse todavía.

    >>> image_shape((28, 28, 1)), image_shape((None, None, 3))
    ((28, 28, 1), (None, None, 3))
    >>> image_shape((28, 28))
    Traceback (most recent call last):
        ...
    ValueError: x: se esperaba la forma (n, alto, ancho, canales), pero llegó (n, 28, 28)
    """
    shape = check.shape(shape, name, unknown=True)
    if len(shape) != 3 or shape[-1] is None:
        came = ", ".join(["n", *map(str, shape)])
        raise ValueError(f"{name}: se esperaba la forma (n, alto, ancho, canales), pero llegó ({came})")
    return shape


def series_shape(shape, name="x"):
    r"""Exige que una observación tenga instantes y canales; cuántos instantes puede no saberse todavía.

    >>> series_shape((100, 2)), series_shape((None, 2))
    ((100, 2), (None, 2))
    >>> series_shape((28, 28, 1))
    Traceback (most recent call last):
        ...
    ValueError: x: se esperaba la forma (n, instantes, canales), pero llegó (n, 28, 28, 1)
    """
    shape = check.shape(shape, name, unknown=True)
    if len(shape) != 2 or shape[-1] is None:
        came = ", ".join(["n", *map(str, shape)])
        raise ValueError(f"{name}: se esperaba la forma (n, instantes, canales), pero llegó ({came})")
    return shape


def on_image(values):
    r"""Da lo de cada eje de una imagen; a lo de una serie le falta el alto, que es 1.

    >>> on_image((3,)), on_image((3, 5))
    ((1, 3), (3, 5))
    """
    return values if len(values) == 2 else (1, *values)


def as_images(array):
    r"""Ve cada serie como una imagen de un píxel de alto, sin copiar; las imágenes, tal cual.

    >>> import numpy as np
    >>> [as_images(np.zeros(s)).shape for s in ((5, 7, 2), (5, 4, 7, 2))]
    [(5, 1, 7, 2), (5, 4, 7, 2)]
    """
    return array if array.ndim == 4 else array.reshape(len(array), 1, *array.shape[1:])


def known(shape):
    r"""Da cuántos números hay en una forma; un lado que no se sabe cuenta como si midiera :data:`UNKNOWN_SIDE`.

    >>> known((10, 10, 3)), known((None, 10, 3))
    (300, 960)
    """
    total = 1
    for size in shape:
        total *= UNKNOWN_SIDE if size is None else size
    return total


def channels_last(data_format):
    r"""Acepta el único orden de los ejes que hay aquí: los canales al final.

    >>> channels_last(None), channels_last("channels_last")
    ('channels_last', 'channels_last')
    >>> channels_last("channels_first")
    Traceback (most recent call last):
        ...
    ValueError: data_format: se esperaba 'channels_last', los canales en el último eje, pero llegó 'channels_first'
    """
    try:
        return check.choice("channels_last" if data_format is None else data_format, "data_format", ["channels_last"])
    except ValueError:
        raise ValueError(
            f"data_format: se esperaba 'channels_last', los canales en el último eje, pero llegó {data_format!r}"
        ) from None


def check_dilation(strides, dilation_rate):
    r"""Exige que no haya paso y dilatación a la vez, como Keras.

    >>> check_dilation((2, 1), (1, 3))
    Traceback (most recent call last):
        ...
    ValueError: dilation_rate: se esperaba 1 cuando el paso es mayor que 1, pero llegó (1, 3) con paso (2, 1)
    """
    if max(strides) > 1 and max(dilation_rate) > 1:
        raise ValueError(
            f"dilation_rate: se esperaba 1 cuando el paso es mayor que 1, pero llegó {dilation_rate} con paso {strides}"
        )
