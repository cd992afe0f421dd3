r"""La regla de la cadena: cómo se deriva una composición."""

from dlbook import check


def chain_rule(functions, derivatives, x):
    r"""Valor y derivada de una composición :math:`F=f_L\circ\cdots\circ f_2\circ f_1`.

    Una máquina multiplica por 3 el cambio que le llega y otra, por 14. En fila, multiplican por 42. Eso es todo: para
    :math:`F(x)=f(g(x))`,

    .. math::
       :label: ed-mlp-cadena-dos

       F'(x)=f'\bigl(g(x)\bigr)\,g'(x) .

    Ojo con el punto: :math:`f'` se evalúa en :math:`u=g(x)`, lo que de verdad le llega a :math:`f`, y no en :math:`x`.

    **Demostración.** Que :math:`g` tenga derivada en :math:`x` quiere decir que cerca de ahí es casi una recta: si
    :math:`x` se mueve :math:`\Delta x`, :math:`u` se mueve

    .. math::

       \Delta u=g(x+\Delta x)-g(x)=\bigl(g'(x)+r\bigr)\,\Delta x,

    con un resto :math:`r` que tiende a 0 cuando :math:`\Delta x\to0`. Lo mismo dice de :math:`f` su derivada en
    :math:`u`, con otro resto, :math:`s`: al moverse :math:`\Delta u`, sea cuanto sea, :math:`f` cambia
    :math:`\bigl(f'(u)+s\bigr)\,\Delta u`, con :math:`s\to0` si :math:`\Delta u\to0`, y :math:`s=0` si
    :math:`\Delta u=0`. Ahora basta poner una dentro de la otra y dividir entre :math:`\Delta x`:

    .. math::

       \frac{F(x+\Delta x)-F(x)}{\Delta x}=\bigl(f'(u)+s\bigr)\,\bigl(g'(x)+r\bigr).

    Cuando :math:`\Delta x\to0`, también :math:`\Delta u\to0`, los dos restos desaparecen y queda
    :eq:`ed-mlp-cadena-dos`. En ningún momento dividimos entre :math:`\Delta u`, que puede ser cero aunque
    :math:`\Delta x` no lo sea. :math:`\blacksquare`

    **Más de dos.** Llamemos :math:`u_0=x` y :math:`u_k=f_k(u_{k-1})`. Aplicar la regla una y otra vez deja un producto
    con un factor por función, cada uno evaluado en lo que esa función recibió:

    .. math::
       :label: ec-mlp-cadena

       F'(x)=f_L'(u_{L-1})\cdots f_2'(u_1)\,f_1'(u_0)=\prod_{k=1}^{L}f_k'(u_{k-1}) .

    **A mano.** :math:`F(x)=(3x+1)^2` en :math:`x=2`. Hacia delante, :math:`u=3\cdot2+1=7` y :math:`F=49`. Los factores
    son :math:`3` y :math:`2u=14`, y su producto, 42:

    >>> functions = [lambda x: 3 * x + 1, lambda u: u**2]
    >>> derivatives = [lambda x: 3, lambda u: 2 * u]
    >>> chain_rule(functions, derivatives, 2)
    (49.0, 42.0)

    Mover :math:`x` un poquito a cada lado lo confirma:

    >>> import numpy as np
    >>> from dlbook.gradcheck import numeric_gradient
    >>> F = lambda x: (3 * x[0] + 1) ** 2
    >>> numeric_gradient(F, np.array([2.0])).round(6)
    array([42.])

    Parameters
    ----------
    functions : sequence of callable
        :math:`f_1,\dots,f_L`, en el orden en que se aplican.
    derivatives : sequence of callable
        La derivada de cada una.
    x : float
        El punto.

    Returns
    -------
    value : float
        :math:`F(x)`.
    derivative : float
        :math:`F'(x)`.

    Raises
    ------
    TypeError
        Si ``x`` no es un número real.
    ValueError
        Si no hay tantas funciones como derivadas, o si por el camino sale algo que no es un número finito.
    """
    functions, derivatives = check.sequence(functions, "functions"), check.sequence(derivatives, "derivatives")
    if len(functions) != len(derivatives):
        raise ValueError(f"se esperaba una derivada por función, pero llegaron {len(functions)} y {len(derivatives)}")
    for name, every in (("functions", functions), ("derivatives", derivatives)):
        for k, one in enumerate(every):
            check.function(one, f"{name}[{k}]", 1)
    u = check.number(x, "x")
    derivative = 1.0
    for k, (f, df) in enumerate(zip(functions, derivatives, strict=True)):
        derivative *= check.number(df(u), f"derivatives[{k}]")  # [ec-mlp-cadena]
        u = check.number(f(u), f"functions[{k}]")
    return u, derivative


def plain_chain_rule(functions, derivatives, x):
    r"""Un factor por función, calculado en lo que esa función recibe."""
    u, derivative = x, 1.0
    for f, df in zip(functions, derivatives, strict=True):
        derivative *= df(u)  # [ec-mlp-cadena]
        u = f(u)
    return u, derivative
