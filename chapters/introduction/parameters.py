r"""Cuántos números hay que aprender: los parámetros de una red."""

from itertools import pairwise

from dlbook.check import integer


def layer_parameters(fan_in, units, own=1):
    r"""Cuenta los parámetros de una capa.

    Una capa es un grupo de :math:`u` unidades que miran lo mismo y no comparten nada entre sí. Cada una tiene un peso
    por cada una de las :math:`e` entradas que ve, y además :math:`p` parámetros propios que no dependen de la entrada;
    lo habitual es :math:`p=1`, el sesgo. Por lo tanto

    .. math::
       :label: ec-int-parametros-capa

       N_{\text{capa}} = u\,(e+p) .

    La misma cuenta sirve para una capa **densa**, donde cada unidad ve todas las entradas, y para una
    **convolucional**, donde cada unidad es un filtro que se desliza por la imagen: un filtro de 5×5 sobre una imagen en
    color, con tres números por píxel, ve :math:`e=5\cdot5\cdot3` números a la vez, y como usa los **mismos** pesos en
    toda la imagen, el tamaño de la imagen no entra en la cuenta.

    **A mano.** Diez unidades que ven los 784 píxeles de una imagen de 28×28:

    >>> layer_parameters(784, 10)
    7850

    Seis filtros de 5×5 sobre una imagen gris, la primera capa de LeNet-5:

    >>> layer_parameters(5 * 5, 6)
    156

    Parameters
    ----------
    fan_in : int
        Entradas :math:`e` que ve cada unidad.
    units : int
        Unidades :math:`u` (o filtros) de la capa.
    own : int
        Parámetros :math:`p` propios de cada unidad: 1 con sesgo, 0 sin él.

    Returns
    -------
    int

    Raises
    ------
    TypeError
        Si no son enteros.
    ValueError
        Si ``fan_in`` o ``units`` es menor que 1, u ``own`` menor que 0.
    """
    fan_in = integer(fan_in, "fan_in", 1)
    units = integer(units, "units", 1)
    own = integer(own, "own", 0)
    return units * (fan_in + own)  # [ec-int-parametros-capa]


def count_parameters(sizes):
    r"""Cuenta los parámetros de una red densa a partir del tamaño de sus capas.

    En una red densa con :math:`L` capas, la capa :math:`l` tiene :math:`n_l` unidades y cada una ve las
    :math:`n_{l-1}` salidas de la capa anterior (:math:`n_0` son las entradas). Sumamos :eq:`ec-int-parametros-capa`
    sobre las capas:

    .. math::
       :label: ec-int-parametros-red

       N = \sum_{l=1}^{L} n_l\,(n_{l-1}+1) .

    **A mano.** Dos entradas, tres unidades ocultas y una salida: :math:`3\cdot(2+1)+1\cdot(3+1)=13`.

    >>> count_parameters([2, 3, 1])
    13

    Parameters
    ----------
    sizes : sequence of int
        Entradas y unidades de cada capa: ``[n_0, n_1, ..., n_L]``, al menos dos números.

    Returns
    -------
    int

    Raises
    ------
    TypeError
        Si no es una lista o tupla de enteros.
    ValueError
        Si tiene menos de dos números o alguno es menor que 1.

        >>> count_parameters([784])
        Traceback (most recent call last):
            ...
        ValueError: sizes: se esperaban al menos dos tamaños, pero llegó [784]
    """
    if not isinstance(sizes, (list, tuple)):
        raise TypeError(f"sizes: se esperaba una lista de enteros, pero llegó {type(sizes).__name__}")
    if len(sizes) < 2:
        raise ValueError(f"sizes: se esperaban al menos dos tamaños, pero llegó {list(sizes)}")
    sizes = [integer(size, f"sizes[{i}]", 1) for i, size in enumerate(sizes)]
    return plain_count_parameters(sizes)


def plain_count_parameters(sizes):
    r"""Capa por capa."""
    total = 0
    for before, after in pairwise(sizes):
        total += layer_parameters(before, after)  # [ec-int-parametros-red]
    return total
