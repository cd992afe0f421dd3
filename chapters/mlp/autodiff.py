r"""Diferenciación automática en modo inverso, con números sueltos: lo que hacen los *frameworks* por dentro."""

import itertools
import numbers

import numpy as np

from dlbook import check

_births = itertools.count()


class Value:
    r"""Un número que recuerda cómo se calculó, y por eso sabe derivarse.

    Cada operación crea un nodo nuevo. El nodo guarda su resultado y, por cada número que usó, una **derivada local**:
    cuánto cambia el resultado si cambia ese número y nada más. Un producto :math:`v=a\,b` guarda
    :math:`\partial v/\partial a=b` y :math:`\partial v/\partial b=a`. Los nodos, unidos a los que usaron, forman el
    *grafo de cómputo* (*computational graph*) de la cuenta entera:

    >>> x, w1, w2 = Value(0.5, "x"), Value(0.4, "w1"), Value(-0.3, "w2")
    >>> loss = (1 - w2 * (w1 * x).tanh()) ** 2
    >>> loss
    Value(1.12193)

    **Modo inverso.** Queremos :math:`\bar u=\partial\mathcal L/\partial u` para todo nodo :math:`u`. Si a :math:`u` lo
    usan los nodos :math:`v_1,\dots,v_k`, mover :math:`u` mueve todos ellos, y los efectos se suman:

    .. math::
       :label: ec-mlp-modo-inverso

       \bar u=\sum_{v\,:\,u\to v}\bar v\;\frac{\partial v}{\partial u},
       \qquad
       \bar{\mathcal L}=1 .

    Es la regla de la cadena, leída desde la pérdida. Basta recorrer los nodos en un orden en que cada uno llegue
    después de todos los que lo usan, y repartir su :math:`\bar v` entre los que él usó. Ese orden ya lo tenemos: nadie
    nace antes que los números con que se calcula, así que el orden de nacimiento, al revés, sirve siempre.

    >>> loss.backward()
    >>> round(w1.gradient, 6), round(w2.gradient, 6), round(x.gradient, 6)
    (0.305385, -0.418125, 0.244308)

    **Modo directo.** También se puede ir con la cuenta, empujando hacia delante la derivada respecto a **una** entrada
    :math:`x`:

    .. math::
       :label: ec-mlp-modo-directo

       \dot v=\sum_{u\,:\,u\to v}\frac{\partial v}{\partial u}\;\dot u,
       \qquad
       \dot x=1,

    con :math:`\dot u=0` en las demás entradas:

    >>> round(loss.derivative(w1), 6), round(loss.derivative(w2), 6)
    (0.305385, -0.418125)

    **Lo que cuesta cada uno.** Los dos pasan una vez por cada arista del grafo, con un producto y una suma. Pero una
    pasada del modo directo da la derivada respecto a una entrada, y una del inverso, la derivada de **una** salida
    respecto a todo. Con :math:`p` parámetros y una pérdida, el directo cuesta :math:`p` pasadas y el inverso, una sola.
    Como cada operación de aquí usa a lo más dos números, hay a lo más dos aristas por operación: **el gradiente
    completo cuesta un múltiplo fijo de lo que cuesta calcular la pérdida**, sin importar cuántos parámetros haya. Lo
    que se paga es memoria: hay que guardar el grafo.

    Parameters
    ----------
    value : float
        El número.
    name : str
        Su letrero en el dibujo.

    Attributes
    ----------
    value : float
        El número.
    gradient : float
        La derivada respecto a él de la última cantidad a la que se pidió :meth:`backward`.
    parents : tuple of (Value, float)
        Los números que usó, cada uno con su derivada local.

    Raises
    ------
    TypeError
        Si no es un número real.
    ValueError
        Si una operación no da un número finito o no tiene derivada ahí.

        >>> Value(0).log()
        Traceback (most recent call last):
            ...
        ValueError: log: se esperaba un resultado finito y con derivada, pero salió -inf con 0
    """

    def __init__(self, value, name=""):
        self.value = check.number(value, "value")
        self.name = str(name)
        self.gradient = 0.0
        self.parents = ()
        self.operation = ""
        self.birth = next(_births)

    def __add__(self, other):
        r"""Suma."""
        return _operation("+", np.add, (self, other), lambda a, b: (1.0, 1.0))

    def __mul__(self, other):
        r"""Producto."""
        return _operation("×", np.multiply, (self, other), lambda a, b: (b, a))

    def __sub__(self, other):
        r"""Resta."""
        return _operation("−", np.subtract, (self, other), lambda a, b: (1.0, -1.0))

    def __rsub__(self, other):
        r"""Resta de un número menos un nodo."""
        return _operation("−", np.subtract, (other, self), lambda a, b: (1.0, -1.0))

    def __truediv__(self, other):
        r"""Cociente."""
        return _operation("÷", np.divide, (self, other), lambda a, b: (1 / b, -a / b**2))

    def __rtruediv__(self, other):
        r"""Cociente de un número entre un nodo."""
        return _operation("÷", np.divide, (other, self), lambda a, b: (1 / b, -a / b**2))

    def __pow__(self, exponent):
        r"""Potencia con exponente constante."""
        n = check.number(exponent, "exponente")
        return _operation(f"^{n:g}", lambda a: a**n, (self,), lambda a: (n * a ** (n - 1) if n else 0.0,))

    def __neg__(self):
        r"""Cambio de signo."""
        return _operation("−", np.negative, (self,), lambda a: (-1.0,))

    __radd__, __rmul__ = __add__, __mul__

    def exp(self):
        r""":math:`e^u`, que es su propia derivada."""
        return _operation("exp", np.exp, (self,), lambda a: (np.exp(a),))

    def log(self):
        r""":math:`\ln u`, con derivada :math:`1/u`."""
        return _operation("log", np.log, (self,), lambda a: (1 / a,))

    def tanh(self):
        r""":math:`\tanh u`, con derivada :math:`1-\tanh^2u`."""
        return _operation("tanh", np.tanh, (self,), lambda a: (1 - np.tanh(a) ** 2,))

    def relu(self):
        r""":math:`\max(0,u)`, con derivada 1 o 0; en el pico, 0 por convenio."""
        return _operation("relu", lambda a: max(a, 0.0), (self,), lambda a: (float(a > 0),))

    def backward(self):
        r"""Deja en ``gradient`` de cada nodo la derivada de este número respecto a él, en una sola pasada."""
        nodes = self.graph()
        for node in nodes:
            node.gradient = 0.0
        self.gradient = 1.0
        for v in reversed(nodes):
            for u, local in v.parents:
                u.gradient += v.gradient * local  # [ec-mlp-modo-inverso]

    def derivative(self, variable):
        r"""Devuelve la derivada de este número respecto a ``variable``, en modo directo."""
        if not isinstance(variable, Value):
            raise TypeError(f"variable: se esperaba un Value, pero llegó {variable!r}")
        tangent = {}
        for v in self.graph():
            tangent[v] = sum(local * tangent[u] for u, local in v.parents)  # [ec-mlp-modo-directo]
            if v is variable:
                tangent[v] = 1.0
        return float(tangent[self])

    def graph(self):
        r"""Devuelve todos los nodos de los que depende este número, y él mismo, por orden de nacimiento."""
        found, pending = {self}, [self]
        while pending:
            for u, _ in pending.pop().parents:
                if u not in found:
                    found.add(u)
                    pending.append(u)
        return sorted(found, key=lambda node: node.birth)

    def __repr__(self):
        r"""El número, con seis cifras."""
        return f"Value({self.value:.6g})"


def plain_value(loss, variable):
    r"""Los dos modos: hacia atrás desde la pérdida, y hacia delante desde una variable."""
    nodes = loss.graph()  # por orden de nacimiento
    gradient = dict.fromkeys(nodes, 0.0)
    gradient[loss] = 1.0
    for v in reversed(nodes):
        for u, local in v.parents:
            gradient[u] += gradient[v] * local  # [ec-mlp-modo-inverso]
    tangent = {}
    for v in nodes:
        tangent[v] = sum(local * tangent[u] for u, local in v.parents)  # [ec-mlp-modo-directo]
        if v is variable:
            tangent[v] = 1.0
    return gradient[variable], tangent[loss]


def _operation(name, f, arguments, derivatives):
    if not all(isinstance(a, (Value, numbers.Real)) for a in arguments):
        return NotImplemented  # un arreglo de NumPy sabe repartirse, elemento por elemento
    used = [a if isinstance(a, Value) else Value(a, f"{float(a):g}") for a in arguments]
    given = [np.float64(u.value) for u in used]
    with np.errstate(all="ignore"):
        result, local = f(*given), [float(d) for d in derivatives(*given)]
    if not np.isfinite([result, *local]).all():
        source = " y ".join(f"{a:g}" for a in given)
        raise ValueError(f"{name}: se esperaba un resultado finito y con derivada, pero salió {result:g} con {source}")
    node = Value(result)
    node.operation, node.parents = name, tuple(zip(used, local, strict=True))
    return node
