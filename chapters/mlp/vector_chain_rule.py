r"""La regla de la cadena con vectores: los caminos se suman."""

from dlbook import check


def vector_chain_rule(functions, jacobians, x, dy):
    r"""Valor de una composición de funciones de vectores, y el gradiente que llega, llevado hasta la entrada.

    **Dos caminos.** Un número :math:`t` entra en dos máquinas, de las que salen :math:`u(t)` y :math:`v(t)`, y una
    tercera los junta: :math:`F(t)=f\bigl(u(t),v(t)\bigr)`. Cada camino cambia :math:`F` por su lado, y los dos cambios
    se suman:

    .. math::
       :label: ed-mlp-dos-caminos

       F'(t)=\frac{\partial f}{\partial u}\,u'(t)+\frac{\partial f}{\partial v}\,v'(t),

    con las dos parciales calculadas en :math:`\bigl(u(t),v(t)\bigr)`.

    **Demostración.** Supongamos que :math:`u` y :math:`v` tienen derivada en :math:`t` y que las parciales de :math:`f`
    son continuas. Al moverse :math:`t` un poco, :math:`\Delta t`, :math:`u` se mueve :math:`\Delta u`, y :math:`v`,
    :math:`\Delta v`. El cambio de :math:`F` se puede recorrer en dos tramos: primero se mueve :math:`u`, y luego
    :math:`v`.

    .. math::

       \Delta F
       =\underbrace{f(u+\Delta u,\,v)-f(u,\,v)}_{\text{solo se mueve }u}
       +\underbrace{f(u+\Delta u,\,v+\Delta v)-f(u+\Delta u,\,v)}_{\text{solo se mueve }v} .

    Lo que se restó en un tramo se sumó en el otro. En cada tramo :math:`f` es función de **una** variable, y ahí vale
    el teorema del valor medio: el cambio es lo que se movió la variable por la derivada en algún punto del tramo. Hay,
    pues, un :math:`\tilde u` entre :math:`u` y :math:`u+\Delta u`, y un :math:`\tilde v` entre :math:`v` y
    :math:`v+\Delta v`, con los que, al dividir entre :math:`\Delta t`,

    .. math::

       \frac{\Delta F}{\Delta t}
       =\frac{\partial f}{\partial u}(\tilde u,\,v)\,\frac{\Delta u}{\Delta t}
       +\frac{\partial f}{\partial v}(u+\Delta u,\,\tilde v)\,\frac{\Delta v}{\Delta t} .

    Cuando :math:`\Delta t\to0`, los cocientes se vuelven :math:`u'(t)` y :math:`v'(t)`. Además :math:`\Delta u` y
    :math:`\Delta v` tienden a 0, de modo que los puntos :math:`(\tilde u,v)` y :math:`(u+\Delta u,\tilde v)` se acercan
    a :math:`(u,v)`; y como las parciales son continuas, sus valores también se acercan a los de ahí. Queda
    :eq:`ed-mlp-dos-caminos`. :math:`\blacksquare`

    **Los que sean.** Con :math:`n` caminos hay :math:`n` tramos y la cuenta es la misma. Y si además entran varios
    números, :math:`x_1,\dots,x_d`, se mueve solo uno y se dejan quietos los demás, pues eso es una derivada parcial:

    .. math::
       :label: ed-mlp-varios-caminos

       \frac{\partial F}{\partial x_k}
       =\sum_{j=1}^{n}\frac{\partial f}{\partial u_j}\,\frac{\partial u_j}{\partial x_k} .

    En cada camino los factores se multiplican, y lo de todos los caminos se suma.

    **La jacobiana.** Una función a la que entran :math:`d` números y de la que salen :math:`m` tiene :math:`md`
    derivadas parciales. La tabla con todas, **una fila por salida y una columna por entrada**, es su *matriz jacobiana*
    (*Jacobian matrix*):

    .. math::
       :label: ed-mlp-jacobiana

       \mathbf J_f=\begin{bmatrix}
       \frac{\partial y_1}{\partial x_1} & \cdots & \frac{\partial y_1}{\partial x_d}\\[4pt]
       \vdots & & \vdots\\[4pt]
       \frac{\partial y_m}{\partial x_1} & \cdots & \frac{\partial y_m}{\partial x_d}
       \end{bmatrix}.

    Si :math:`\mathbf u=g(\mathbf x)` y luego :math:`\mathbf y=f(\mathbf u)`, :eq:`ed-mlp-varios-caminos` dice que la
    derivada de :math:`y_i` respecto a :math:`x_k` es la fila :math:`i` de :math:`\mathbf J_f` por la columna :math:`k`
    de :math:`\mathbf J_g`. O sea que componer funciones es multiplicar sus jacobianas:

    .. math::
       :label: ed-mlp-jacobiana-producto

       \mathbf J_{f\circ g}(\mathbf x)=\mathbf J_f(\mathbf u)\,\mathbf J_g(\mathbf x) .

    **Hacia atrás.** Al final de una red hay un solo número, la pérdida :math:`\mathcal L`. De cada vector queremos el
    gradiente de la pérdida respecto a él, que se escribe con una raya encima: :math:`\bar{\mathbf y}=\partial\mathcal
    L/\partial\mathbf y`. Conocido :math:`\bar{\mathbf y}`, ¿cuánto vale :math:`\bar{\mathbf x}`? Otra vez
    :eq:`ed-mlp-varios-caminos`, ahora con un camino por cada :math:`y_i`:

    .. math::

       \bar x_k=\sum_{i=1}^{m}\frac{\partial\mathcal L}{\partial y_i}\,\frac{\partial y_i}{\partial x_k}
       =\sum_{i=1}^{m}\bar y_i\,(\mathbf J_f)_{ik} .

    La suma baja por la **columna** :math:`k` de :math:`\mathbf J_f`, que es la fila :math:`k` de su traspuesta. Con los
    gradientes como columnas,

    .. math::
       :label: ed-mlp-traspuesta

       \bar{\mathbf x}=\mathbf J_f^\top\,\bar{\mathbf y} .

    Hacia delante, la jacobiana multiplica, aproximadamente, un cambio pequeño de la entrada; hacia atrás, su traspuesta
    multiplica al gradiente. A esto último se le llama producto vector-jacobiana (*vector–Jacobian product*, VJP). En
    una fila de funciones, :math:`\mathbf u_0=\mathbf x` y :math:`\mathbf u_l=f_l(\mathbf u_{l-1})`, se repite de la
    última a la primera:

    .. math::
       :label: ec-mlp-cadena-jacobianas

       \bar{\mathbf u}_{l-1}=\mathbf J_{f_l}(\mathbf u_{l-1})^\top\,\bar{\mathbf u}_l .

    Es :eq:`ec-mlp-cadena` con matrices en lugar de números. Con vectores de mil números, cada paso es una matriz por un
    vector, un millón de multiplicaciones; multiplicar dos jacobianas entre sí pediría mil millones.

    **A mano.** Primero :math:`\mathbf u=(x_1^2,\ x_1x_2,\ x_2)` y después :math:`y=u_1+u_2u_3`, en
    :math:`\mathbf x=(1,2)`. Hacia delante, :math:`\mathbf u=(1,2,2)` y :math:`y=5`. Las jacobianas son

    .. math::

       \begin{bmatrix}2x_1&0\\x_2&x_1\\0&1\end{bmatrix}=\begin{bmatrix}2&0\\2&1\\0&1\end{bmatrix}
       \qquad\text{y}\qquad
       \begin{bmatrix}1&u_3&u_2\end{bmatrix}=\begin{bmatrix}1&2&2\end{bmatrix}.

    Hacia atrás, con :math:`\bar y=1`, la segunda da :math:`\bar{\mathbf u}=(1,2,2)`. La primera, leída por columnas,
    da :math:`\bar x_1=2\cdot1+2\cdot2+0\cdot2=6` y :math:`\bar x_2=0\cdot1+1\cdot2+1\cdot2=4`:

    >>> import numpy as np
    >>> f1 = lambda x: np.array([x[0] ** 2, x[0] * x[1], x[1]])
    >>> J1 = lambda x: np.array([[2 * x[0], 0], [x[1], x[0]], [0, 1]])
    >>> f2 = lambda u: np.array([u[0] + u[1] * u[2]])
    >>> J2 = lambda u: np.array([[1, u[2], u[1]]])
    >>> vector_chain_rule([f1, f2], [J1, J2], [1, 2], [1])
    (array([5.]), array([6., 4.]))

    Sin intermedios, :math:`y=x_1^2+x_1x_2^2`, y sus parciales, :math:`2x_1+x_2^2` y :math:`2x_1x_2`, valen 6 y 4.

    Parameters
    ----------
    functions : sequence of callable
        :math:`f_1,\dots,f_L`, en el orden en que se aplican; cada una recibe un vector y devuelve otro.
    jacobians : sequence of callable
        La jacobiana de cada una: recibe lo mismo que ella y devuelve la matriz.
    x : array_like, shape (d,)
        El punto.
    dy : array_like, shape (m,)
        El gradiente de la pérdida respecto a lo que sale de la última.

    Returns
    -------
    y : ndarray, shape (m,)
        Lo que sale de la última.
    dx : ndarray, shape (d,)
        El gradiente de la pérdida respecto a ``x``.

    Raises
    ------
    TypeError
        Si no son números reales, o si no son funciones.
    ValueError
        Si no hay tantas funciones como jacobianas, si las formas no encajan o si por el camino sale algo que no es
        finito.
    """
    functions, jacobians = check.sequence(functions, "functions"), check.sequence(jacobians, "jacobians")
    if len(functions) != len(jacobians):
        raise ValueError(f"se esperaba una jacobiana por función, pero llegaron {len(functions)} y {len(jacobians)}")
    for name, every in (("functions", functions), ("jacobians", jacobians)):
        for k, one in enumerate(every):
            check.function(one, f"{name}[{k}]", 1)
    u = [check.floats(x, "x", "d")]
    for k, f in enumerate(functions):
        u.append(check.floats(f(u[k]), f"functions[{k}]", "m"))
    dx = check.floats(dy, "dy", f"{u[-1].size}")
    for k in reversed(range(len(functions))):
        jacobian = check.floats(jacobians[k](u[k]), f"jacobians[{k}]", f"{u[k + 1].size} {u[k].size}")
        dx = jacobian.T @ dx  # [ec-mlp-cadena-jacobianas]
    return u[-1], check.floats(dx, "gradiente")


def plain_vector_chain_rule(functions, jacobians, x, dy):
    r"""De ida se guarda cada vector; de vuelta, se multiplica por cada traspuesta."""
    u = [x]
    for f in functions:
        u.append(f(u[-1]))
    dx = dy
    for k in reversed(range(len(functions))):
        dx = jacobians[k](u[k]).T @ dx  # [ec-mlp-cadena-jacobianas]
    return u[-1], dx
