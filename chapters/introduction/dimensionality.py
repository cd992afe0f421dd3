r"""La maldición de la dimensionalidad: dos cuentas que crecen demasiado rápido."""

from dlbook.check import integer, number


def grid_cells(dimension, per_axis=10):
    r"""Cuenta las celdas en que se divide un espacio al partir cada eje en trozos iguales.

    Con un solo eje partido en :math:`m` trozos hay :math:`m` celdas. Un segundo eje repite las :math:`m` celdas una vez
    por cada uno de sus trozos: :math:`m\cdot m`. Cada eje nuevo vuelve a multiplicar por :math:`m`, de modo que en
    :math:`d` dimensiones

    .. math::
       :label: ec-int-celdas

       \text{celdas} = m^d .

    El número de dimensiones está en el **exponente**. Si para conocer lo que pasa en una celda hace falta al
    menos un ejemplo, los ejemplos necesarios crecen igual.

    **A mano.** Diez trozos por eje:

    >>> [grid_cells(d) for d in (1, 2, 3, 6)]
    [10, 100, 1000, 1000000]

    Parameters
    ----------
    dimension : int
        Número de ejes :math:`d`, entre 1 y 10 000.
    per_axis : int
        Trozos :math:`m` en cada eje, entre 1 y 10 000.

    Returns
    -------
    int
        Exacto, por grande que sea.

    Raises
    ------
    TypeError
        Si no son enteros.
    ValueError
        Si quedan fuera de rango.

        >>> grid_cells(0)
        Traceback (most recent call last):
            ...
        ValueError: dimension: se esperaba un entero entre 1 y 10000, pero llegó 0
    """
    dimension = integer(dimension, "dimension", 1, 10_000)
    per_axis = integer(per_axis, "per_axis", 1, 10_000)
    return per_axis**dimension  # [ec-int-celdas]


def shell_fraction(dimension, thickness=0.05):
    r"""Fracción del volumen de una bola que está en su cáscara.

    Toma una bola de radio 1 y quítale una cáscara de grosor :math:`\varepsilon`: queda otra bola, de radio
    :math:`1-\varepsilon`. Al encoger una figura de :math:`d` dimensiones por un factor :math:`r`, su volumen se
    multiplica por :math:`r^d` (una longitud por :math:`r`, un área por :math:`r^2`, un volumen por :math:`r^3`…), así
    que la bola interior tiene :math:`(1-\varepsilon)^d` del volumen, y la cáscara, el resto:

    .. math::
       :label: ec-int-cascara

       f(d, \varepsilon) = 1-(1-\varepsilon)^d .

    Como :math:`1-\varepsilon` es menor que 1, la potencia tiende a cero cuando :math:`d` crece y **todo el volumen
    acaba en la cáscara**, por delgada que sea. El mismo argumento vale para un cubo y para cualquier figura que se
    pueda encoger hacia su centro.

    **A mano.** Una cáscara que ocupa el 5 % del radio:

    >>> [round(shell_fraction(d, 0.05), 4) for d in (1, 2, 3, 64)]
    [0.05, 0.0975, 0.1426, 0.9625]

    En 64 dimensiones, las de una imagen de 8×8 píxeles, casi no queda naranja dentro de la cáscara.

    Parameters
    ----------
    dimension : int
        Dimensiones :math:`d`, entre 1 y mil millones.
    thickness : float
        Grosor :math:`\varepsilon` de la cáscara, como fracción del radio: mayor que 0 y a lo sumo 1.

    Returns
    -------
    float
        Entre 0 y 1.

    Raises
    ------
    TypeError
        Si ``dimension`` no es un entero o ``thickness`` no es un número real.
    ValueError
        Si quedan fuera de rango.

        >>> shell_fraction(3, 0)
        Traceback (most recent call last):
            ...
        ValueError: thickness: se esperaba un número mayor que 0
        y de a lo sumo 1, pero llegó 0
    """
    dimension = integer(dimension, "dimension", 1, 10**9)
    thickness = number(thickness, "thickness", 0, 1, open_low=True)
    return 1 - (1 - thickness) ** dimension  # [ec-int-cascara]
