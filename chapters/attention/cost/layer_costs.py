r"""Lo que cuestan cuatro maneras de mezclar una secuencia."""

from dlbook import check


def layer_costs(length, width, kernel_size=3):
    r"""Cuenta lo que cuesta mezclar :math:`T` vectores de :math:`d` números con cuatro capas.

    Entran :math:`T` vectores de :math:`d` números y salen otros tantos. De cada capa interesan cuatro cosas. Los
    **parámetros**. Las **operaciones**: un producto y su suma son dos; las de los sesgos, la activación y el *softmax*
    no se cuentan. Los **pasos en fila**: cuántos tienen que esperar al anterior dentro de la capa. Y el **camino**: por
    cuántas capas o pasos tiene que pasar lo que dice la primera posición para llegar a la última.

    **Densa**, sobre los :math:`Td` números puestos en fila. Cada salida mira todas las entradas:

    .. math::
       :label: ec-att-costo-densa

       \begin{gathered}
       \text{parámetros: }(Td)^2+Td,\\
       \text{operaciones: }2\,(Td)^2 .
       \end{gathered}

    **Convolución** con filtros de :math:`k` posiciones. Son :math:`d` filtros de :math:`kd` números, y se usan en las
    :math:`T` posiciones, con el relleno de las orillas:

    .. math::
       :label: ec-att-costo-convolucion

       \begin{gathered}
       \text{parámetros: }kd^2+d,\\
       \text{operaciones: }2\,Tkd^2,\\
       \text{camino: }\left\lceil\frac{T-1}{(k-1)/2}\right\rceil .
       \end{gathered}

    Una capa lleva lo de una posición hasta :math:`\frac{k-1}2` lugares más allá; para recorrer :math:`T-1` hay que
    apilar tantas capas, y todo lo demás se multiplica por ellas.

    **Recurrente**, la sencilla. Una matriz para la entrada y otra para el estado, en cada uno de los :math:`T` pasos:

    .. math::
       :label: ec-att-costo-recurrente

       \begin{gathered}
       \text{parámetros: }2d^2+d,\\
       \text{operaciones: }4\,Td^2,\\
       \text{pasos en fila: }T,
       \qquad
       \text{camino: }T .
       \end{gathered}

    **Atención** de varias cabezas, que en total miden :math:`d`. Cuatro densas de :math:`d` a :math:`d` (consultas,
    claves, valores y salida) en cada posición; y con cada una de las :math:`T^2` parejas, un producto punto de
    :math:`d` números y un vector de :math:`d` números que se suma:

    .. math::
       :label: ec-att-costo-atencion

       \begin{gathered}
       \text{parámetros: }4d^2+4d,\\
       \text{operaciones: }8\,Td^2+4\,T^2d .
       \end{gathered}

    **A mano.** Con :math:`T=10`, :math:`d=4` y filtros de 3: la densa tiene :math:`40^2+40` parámetros, la convolución
    necesita nueve capas, y la atención hace :math:`8\cdot10\cdot16+4\cdot100\cdot4` operaciones:

    >>> costs = layer_costs(10, 4)
    >>> costs["densa"]["parameters"], costs["convolución"]["path"]
    (1640, 9)
    >>> costs["atención"]["operations"] == 1280 + 1600
    True

    Parameters
    ----------
    length : int
        Cuántas posiciones, :math:`T`.
    width : int
        Cuántos números tiene cada una, :math:`d`.
    kernel_size : int
        Cuántas posiciones mira un filtro de la convolución, :math:`k`; un número impar, de al menos 3.

    Returns
    -------
    dict of str to dict
        De cada capa, ``parameters``, ``operations``, ``steps`` y ``path``.

    Raises
    ------
    TypeError, ValueError
        Si no son enteros positivos, o si ``kernel_size`` es par o menor que 3.

        >>> layer_costs(10, 4, 2)
        Traceback (most recent call last):
            ...
        ValueError: kernel_size: se esperaba un número impar de al menos 3, pero llegó 2
    """
    T = check.integer(length, "length", 1)
    d = check.integer(width, "width", 1)
    k = check.integer(kernel_size, "kernel_size", 1)
    if k < 3 or k % 2 == 0:
        wanted = "se esperaba un número impar de al menos 3"
        raise ValueError(f"kernel_size: {wanted}, pero llegó {k}")
    # El techo de una división: el negativo del piso del negativo.
    layers = max(1, -((1 - T) // ((k - 1) // 2)))
    by_pair, whole = 4 * T**2 * d, T * d
    costs = {
        "densa": (whole**2 + whole, 2 * whole**2, 1, 1),  # [ec-att-costo-densa]
        "convolución": (k * d**2 + d, 2 * T * k * d**2, 1, layers),  # [ec-att-costo-convolucion]
        "recurrente": (2 * d**2 + d, 4 * T * d**2, T, T),  # [ec-att-costo-recurrente]
        "atención": (4 * d**2 + 4 * d, 8 * T * d**2 + by_pair, 1, 1),  # [ec-att-costo-atencion]
    }
    names = "parameters", "operations", "steps", "path"
    rows = (dict(zip(names, row, strict=True)) for row in costs.values())
    return dict(zip(costs, rows, strict=True))
