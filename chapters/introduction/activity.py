r"""Reglas escritas a mano: la actividad según la velocidad."""

from dlbook.check import number


def activity_from_speed(speed):
    r"""Deduce qué hace una persona a partir de su velocidad, con reglas escritas a mano.

    Quien escribe el programa piensa las reglas: despacio se camina, más rápido se corre, y a partir de cierta
    velocidad hace falta una bicicleta.

    .. math::
       :label: ec-int-actividad

       \operatorname{actividad}(v) =
       \begin{cases}
       \text{WALKING} & \text{si } v < 4,\\
       \text{RUNNING} & \text{si } 4 \le v < 12,\\
       \text{BIKING}  & \text{si } v \ge 12.
       \end{cases}

    Los números 4 y 12 no salieron de ningún dato: alguien los eligió. Fíjate además en las **fronteras**. Como la
    primera regla dice «menor que 4», quien va exactamente a 4 ya corre.

    **A mano.** A cada lado de las dos fronteras:

    >>> for speed in (3.9, 4, 11.9, 12):
    ...     print(speed, activity_from_speed(speed))
    3.9 WALKING
    4 RUNNING
    11.9 RUNNING
    12 BIKING

    Parameters
    ----------
    speed : float
        Velocidad, cero o positiva, en la unidad para la que se escribieron las reglas.

    Returns
    -------
    str
        ``"WALKING"``, ``"RUNNING"`` o ``"BIKING"``.

    Raises
    ------
    TypeError
        Si no es un número real.
    ValueError
        Si es negativa, infinita o NaN.

        >>> activity_from_speed(-1)
        Traceback (most recent call last):
            ...
        ValueError: speed: se esperaba un número de al menos 0, pero llegó -1
    """
    speed = number(speed, "speed", 0)
    if speed < 4:  # [ec-int-actividad]
        return "WALKING"
    if speed < 12:  # [ec-int-actividad]
        return "RUNNING"
    return "BIKING"
