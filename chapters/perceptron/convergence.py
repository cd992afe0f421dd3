r"""El teorema de convergencia: por qué la regla de Rosenblatt termina, y en cuántas correcciones a lo más."""

import numpy as np

from dlbook import check


def mistake_bound(x, y, w, b):
    r"""Cota de Novikoff: las correcciones que la regla de Rosenblatt no puede rebasar.

    Para no arrastrar el sesgo, guardémoslo como un peso más: :math:`\tilde{\mathbf x}=(1,\mathbf x)`,
    :math:`\tilde{\mathbf w}=(b,\mathbf w)`, y así :math:`z=\tilde{\mathbf w}^\top\tilde{\mathbf x}`. Escribamos además
    la respuesta correcta con signo, :math:`t=2y-1`, que vale 1 si hay que disparar y −1 si hay que callar. Entonces
    :math:`t\,z>0` quiere decir que el ejemplo está del lado correcto. Y como en un fallo :math:`e=t`, la corrección
    :eq:`ec-per-correccion` se escribe en una sola línea:
    :math:`\tilde{\mathbf w}\leftarrow\tilde{\mathbf w}+\eta\,t\,\tilde{\mathbf x}`.

    **Teorema** (:cite:t:`novikoff1962`). Sea :math:`\tilde{\mathbf u}` cualquier hiperplano que separa los ejemplos
    :math:`\tilde{\mathbf x}^{(1)},\dots,\tilde{\mathbf x}^{(n)}`, y sean su *margen* (*margin*) y el radio de los datos

    .. math::
       :label: ec-per-margen

       \begin{gathered}
       \gamma=\min_i\frac{t^{(i)}\,\tilde{\mathbf u}^\top\tilde{\mathbf x}^{(i)}}{\lVert\tilde{\mathbf u}\rVert}>0,\\
       R=\max_i\lVert\tilde{\mathbf x}^{(i)}\rVert .
       \end{gathered}

    La regla, si empieza en cero, corrige en total a lo más

    .. math::
       :label: ec-per-cota

       k\le\left(\frac R\gamma\right)^2

    veces, sin importar el orden de los ejemplos, cuántas veces se repitan ni la tasa :math:`\eta`.

    **Demostración.** Supongamos :math:`\lVert\tilde{\mathbf u}\rVert=1`, que no cambia nada porque
    :eq:`ec-per-margen` ya divide entre la norma. Sea :math:`\tilde{\mathbf w}_k` el vector después de :math:`k`
    correcciones, con :math:`\tilde{\mathbf w}_0=\mathbf 0`. Miremos dos cantidades.

    *Uno: el avance hacia la solución crece por lo menos en línea recta.* Cada corrección suma
    :math:`\eta\,t\,\tilde{\mathbf x}`, y el margen dice cuánto de eso apunta hacia :math:`\tilde{\mathbf u}`:

    .. math::

       \begin{aligned}
       \tilde{\mathbf u}^\top\tilde{\mathbf w}_{k}
       &=\tilde{\mathbf u}^\top\tilde{\mathbf w}_{k-1}+\eta\,t\,\tilde{\mathbf u}^\top\tilde{\mathbf x}\\
       &\ge \tilde{\mathbf u}^\top\tilde{\mathbf w}_{k-1}+\eta\,\gamma .
       \end{aligned}

    Tras :math:`k` correcciones, :math:`\tilde{\mathbf u}^\top\tilde{\mathbf w}_{k}\ge k\,\eta\,\gamma`.

    *Dos: el tamaño crece a lo más como una raíz.* Solo se corrige cuando hay un fallo, es decir, cuando
    :math:`t\,\tilde{\mathbf w}_{k-1}^\top\tilde{\mathbf x}\le 0`. Por eso, al desarrollar el cuadrado, el término
    cruzado no puede hacerlo crecer:

    .. math::

       \begin{aligned}
       \lVert\tilde{\mathbf w}_{k}\rVert^2
       &=\lVert\tilde{\mathbf w}_{k-1}\rVert^2
       +\underbrace{2\,\eta\,t\,\tilde{\mathbf w}_{k-1}^\top\tilde{\mathbf x}}_{\le\,0}\\
       &\quad+\eta^2\,\underbrace{t^2}_{1}\lVert\tilde{\mathbf x}\rVert^2\\
       &\le \lVert\tilde{\mathbf w}_{k-1}\rVert^2+\eta^2R^2 .
       \end{aligned}

    Tras :math:`k` correcciones, :math:`\lVert\tilde{\mathbf w}_{k}\rVert^2\le k\,\eta^2R^2`, o sea,
    :math:`\lVert\tilde{\mathbf w}_{k}\rVert\le\sqrt k\,\eta R`.

    *Tres: la recta alcanza a la raíz.* Como :math:`\lVert\tilde{\mathbf u}\rVert=1`, el producto
    :math:`\tilde{\mathbf u}^\top\tilde{\mathbf w}_k` es una proyección, y no supera al vector que proyecta
    (Cauchy–Schwarz), de modo que

    .. math::

       k\,\eta\,\gamma\le\tilde{\mathbf u}^\top\tilde{\mathbf w}_{k}\le
       \lVert\tilde{\mathbf w}_{k}\rVert\le\sqrt k\,\eta R .

    Al dividir los extremos entre :math:`\sqrt k\,\eta\,\gamma` queda :math:`\sqrt k\le R/\gamma`; al cuadrado,
    es :eq:`ec-per-cota`. :math:`\blacksquare`

    Como las correcciones se acaban, llega una época sin ninguna: todos los ejemplos están bien.

    **A mano.** Para OR sirve :math:`\tilde{\mathbf u}=(-1,2,2)`, de norma 3. Los valores de :math:`t\,z` en las cuatro
    filas son 1, 1, 1 y 3, así que :math:`\gamma=\tfrac13`. El ejemplo más grande es :math:`(1,1,1)`, con
    :math:`R=\sqrt3`. La cota es :math:`3\cdot 9`:

    >>> x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    >>> y = np.array([0, 1, 1, 1])
    >>> round(mistake_bound(x, y, [2, 2], -1), 9)
    27.0

    La regla gastó 2 + 2 + 1 = 5 correcciones. La cota se cumple con holgura: vale también para el peor orden posible.

    Parameters
    ----------
    x : ndarray, shape (n, d)
        Los ejemplos.
    y : ndarray of int, shape (n,)
        Sus respuestas, 0 o 1.
    w : ndarray, shape (d,)
        Los pesos de un hiperplano que los separa. Cuanto mayor sea su margen, mejor es la cota.
    b : float
        Su sesgo.

    Returns
    -------
    float
        :math:`(R/\gamma)^2`. Es infinita si el margen es tan pequeño que no cabe en un ``float64``.

    Raises
    ------
    TypeError
        Si algo no es un número real.
    ValueError
        Si las formas no concuerdan o el hiperplano no deja a todos los ejemplos de su lado con margen.

        >>> mistake_bound(x, y, [1, 1], -1)
        Traceback (most recent call last):
            ...
        ValueError: w, b: se esperaba que separaran con margen, pero el ejemplo 1 no está del lado correcto
    """
    sizes = {}
    x = check.floats(x, "x", "n d", sizes).astype(np.float64)
    y = check.labels(y, "y", 2, "n", sizes)
    w = check.floats(w, "w", "d", sizes).astype(np.float64)
    b = check.number(b, "b")
    u = np.append(b, w)
    x = np.column_stack([np.ones(len(x)), x])
    # Sin sus escalas, que no cambian R/γ, los cuadrados no se desbordan.
    u /= np.abs(u).max() or 1.0
    x /= np.abs(x).max()
    margins = (2 * y - 1) * (x @ u)
    if margins.min() <= 0:
        wrong = f"el ejemplo {margins.argmin()} no está del lado correcto"
        raise ValueError(f"w, b: se esperaba que separaran con margen, pero {wrong}")
    margin = margins.min() / np.linalg.norm(u)  # [ec-per-margen]
    radius = np.linalg.norm(x, axis=1).max()  # [ec-per-margen]
    with np.errstate(over="ignore"):
        return float((radius / margin) ** 2)  # [ec-per-cota]


def plain_mistake_bound(x, y, w, b):
    r"""El radio entre el margen, al cuadrado."""
    u, t = np.append(b, w), 2 * y - 1
    x = np.column_stack([np.ones(len(x)), x])  # (n, 1 + d)
    margin = (t * (x @ u)).min() / np.linalg.norm(u)  # [ec-per-margen]
    radius = np.linalg.norm(x, axis=1).max()  # [ec-per-margen]
    return (radius / margin) ** 2  # [ec-per-cota]
