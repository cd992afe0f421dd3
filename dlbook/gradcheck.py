r"""Comprobar un gradiente escrito a mano contra la definición de derivada."""

from dataclasses import dataclass

import numpy as np

from dlbook import check

STEP = float(np.cbrt(np.finfo(np.float64).eps))


def numeric_gradient(f, theta, h=STEP):
    r"""Gradiente por diferencias centrales, una coordenada a la vez.

    La derivada mide cuánto cambia :math:`f` al mover un poco una sola coordenada. Movámosla de verdad, a los dos lados:

    .. math::
       :label: ec-gradcheck-central

       \frac{\partial f}{\partial\theta_i}\approx
       \frac{f(\boldsymbol\theta+h\,\mathbf e_i)-f(\boldsymbol\theta-h\,\mathbf e_i)}{2h},

    donde :math:`\mathbf e_i` vale 1 en la coordenada :math:`i` y 0 en las demás.

    **Por qué a los dos lados.** Llamemos :math:`g(t)=f(\boldsymbol\theta+t\,\mathbf e_i)` y desarrollemos por Taylor:

    .. math::

       \begin{aligned}
       g(h)&=g(0)+h\,g'(0)+\tfrac{h^2}{2}g''(0)+\tfrac{h^3}{6}g'''(\xi_1),\\
       g(-h)&=g(0)-h\,g'(0)+\tfrac{h^2}{2}g''(0)-\tfrac{h^3}{6}g'''(\xi_2),
       \end{aligned}

    con :math:`\xi_1` y :math:`\xi_2` en algún lugar entre :math:`-h` y :math:`h`. Al restar se cancelan :math:`g(0)` y
    también el término de :math:`h^2`. Al dividir entre :math:`2h` queda :math:`g'(0)` más un error de tamaño
    :math:`\tfrac{h^2}{6}|g'''|`. Con un solo lado, :math:`(g(h)-g(0))/h`, el término de :math:`h^2` sobrevive y el
    error es de tamaño :math:`\tfrac h2|g''|`. Con un paso cien veces menor, el de un lado baja cien veces; el de los
    dos, diez mil.

    **Por qué no un paso diminuto.** La computadora redondea: cada valor de :math:`f` llega con un error relativo del
    orden de :math:`\varepsilon\approx 2.2\cdot10^{-16}`, y la división entre :math:`2h` lo agranda. En total,

    .. math::
       :label: ed-gradcheck-error

       E(h)\approx\frac{h^2}{6}\,|g'''|+\frac{\varepsilon\,|f|}{h}.

    Un sumando crece con :math:`h` y el otro decrece. El mejor paso está donde :math:`E'(h)=0`:

    .. math::

       \frac h3\,|g'''|-\frac{\varepsilon\,|f|}{h^2}=0
       \quad\Longrightarrow\quad
       h=\left(3\,\varepsilon\,\frac{|f|}{|g'''|}\right)^{1/3}.

    Si :math:`f` y su tercera derivada son de tamaño parecido, :math:`h` es del orden de :math:`\varepsilon^{1/3}`, y el
    error que queda, de :math:`\varepsilon^{2/3}\approx 4\cdot10^{-11}`. Como un número grande se guarda con menos
    decimales, el paso crece con la coordenada:

    .. math::
       :label: ec-gradcheck-paso

       h_i=\varepsilon^{1/3}\,\max(1,|\theta_i|).

    **A mano.** El gradiente de :math:`\theta_1^2\,\theta_2` en :math:`(3, 2)` es
    :math:`(2\theta_1\theta_2,\ \theta_1^2)=(12, 9)`:

    >>> f = lambda t: t[0] ** 2 * t[1]
    >>> numeric_gradient(f, np.array([3.0, 2.0])).round(6)
    array([12.,  9.])

    Con :math:`e^\theta` en 0, cuya derivada es 1, un paso mayor y uno menor que :math:`\varepsilon^{1/3}`, que en el
    código se llama ``STEP``, salen peor:

    >>> for h in (1e-2, STEP, 1e-12):
    ...     slope = numeric_gradient(lambda t: np.exp(t[0]), np.zeros(1), h)
    ...     size = np.log10(abs(slope[0] - 1))
    ...     print(f"h = {h:.0e}   error del orden de 1e{size:.0f}")
    h = 1e-02   error del orden de 1e-5
    h = 6e-06   error del orden de 1e-11
    h = 1e-12   error del orden de 1e-4

    Parameters
    ----------
    f : callable
        Recibe ``theta`` y devuelve un número.
    theta : ndarray of float64
        El punto, con la forma que sea. Se mueve en su sitio mientras se mide y al final queda exactamente como estaba.
    h : float
        Paso de una coordenada de tamaño 1 o menor.

    Returns
    -------
    ndarray of float64
        Con la forma de ``theta``.

    Raises
    ------
    TypeError
        Si ``theta`` no es un arreglo de ``float64`` o ``f`` no devuelve un número real de esa precisión.
    ValueError
        Si ``theta`` está vacío o es de solo lectura, o si hay valores que no son finitos.

    Notes
    -----
    En un pico no hay derivada que medir: en :math:`\max(0,\theta)` con :math:`\theta=0` sale 1/2, el promedio de las
    dos pendientes. Comprueba los gradientes lejos de los picos. Cada coordenada cuesta dos evaluaciones de ``f``.
    """
    theta = _live(theta, "theta")
    h = check.number(h, "h", 0, open_low=True)
    check.function(f, "f", 1)
    gradient = np.empty_like(theta)
    for i in np.ndindex(theta.shape):
        value = theta[i]
        step = h * max(1.0, abs(value))  # [ec-gradcheck-paso]
        try:
            theta[i] = right = value + step
            above = _scalar(f(theta))
            theta[i] = left = value - step
            below = _scalar(f(theta))
        finally:
            theta[i] = value
        # Se divide entre lo que de verdad se movió: value + step también se redondea.
        if right == left:
            raise ValueError(f"h: el paso {h} se pierde al redondear en la posición {i}; usa uno mayor")
        gradient[i] = (above - below) / (right - left)  # [ec-gradcheck-central]
    return gradient


def plain_numeric_gradient(f, theta, h=STEP):
    r"""Cada coordenada, un poco a un lado y un poco al otro."""
    gradient = np.empty(theta.shape)
    for i in np.ndindex(theta.shape):
        e = np.zeros(theta.shape)
        e[i] = 1
        step = h * max(1, abs(theta[i]))  # [ec-gradcheck-paso]
        change = f(theta + step * e) - f(theta - step * e)
        gradient[i] = change / (2 * step)  # [ec-gradcheck-central]
    return gradient


@dataclass(frozen=True)
class ParameterReport:
    r"""Lo que se midió de un parámetro.

    Attributes
    ----------
    name : str
        Su nombre.
    relative_error : float
        :math:`\lVert\mathbf a-\mathbf n\rVert/(\lVert\mathbf a\rVert+\lVert\mathbf n\rVert)`; 0 si los dos son cero.
    max_error : float
        La mayor diferencia entre dos coordenadas.
    worst : tuple of int
        La posición donde ocurre.
    analytic : float
        El gradiente calculado, en esa posición.
    numeric : float
        El medido, en esa posición.
    ok : bool
        Si la diferencia es tolerable.
    """

    name: str
    relative_error: float
    max_error: float
    worst: tuple
    analytic: float
    numeric: float
    ok: bool


@dataclass(frozen=True)
class GradientReport:
    r"""Un :class:`~dlbook.gradcheck.ParameterReport` por parámetro; ``print`` lo muestra como tabla.

    Attributes
    ----------
    parameters : tuple of ParameterReport
        Uno por parámetro, en el orden en que llegaron.
    """

    parameters: tuple

    @property
    def ok(self):
        r"""Si todos los gradientes pasaron."""
        return all(p.ok for p in self.parameters)

    def __getitem__(self, name):
        r"""El informe del parámetro que se llama ``name``."""
        for p in self.parameters:
            if p.name == name:
                return p
        raise KeyError(f"no hay un parámetro {name!r}; hay {', '.join(p.name for p in self.parameters)}")

    def __str__(self):
        r"""La tabla."""
        width = max(9, *(len(p.name) for p in self.parameters))
        lines = [f"{'parámetro':{width}}  error relativo    máximo  peor lugar"]
        for p in self.parameters:
            verdict = "" if p.ok else f"  ← mal: {p.analytic:.4g}, no {p.numeric:.4g}"
            lines.append(
                f"{p.name:{width}}  {p.relative_error:14.1e}  {p.max_error:8.1e}  {p.worst!s:10}{verdict}".rstrip()
            )
        return "\n".join(lines)


def check_gradients(f, parameters, gradients, *, h=STEP, rtol=1e-6, atol=1e-9):
    r"""Compara gradientes escritos a mano con los que se miden moviendo cada número.

    De cada arreglo, sea un parámetro o una entrada, tenemos dos gradientes: el que dedujimos, :math:`\mathbf a`, y el
    que mide :func:`~dlbook.gradcheck.numeric_gradient`, :math:`\mathbf n`. Su diferencia sola no dice nada: 0.001 es
    enorme si el gradiente vale 0.01, y nada si vale 1000. Por eso se divide entre el tamaño de los dos:

    .. math::
       :label: ec-gradcheck-relativo

       e=\frac{\lVert\mathbf a-\mathbf n\rVert}{\lVert\mathbf a\rVert+\lVert\mathbf n\rVert}\in[0,1].

    Un signo cambiado, :math:`\mathbf a=-\mathbf n`, da :math:`e=1`; un factor 2 que sobra, 1/3. Uno bien escrito da
    solo lo que estorba la medida, que en :func:`~dlbook.gradcheck.numeric_gradient` es del orden de
    :math:`\varepsilon^{2/3}`. Si sale algo intermedio, busca un pico cerca. Y si el gradiente verdadero es cero, el
    numérico es puro redondeo, que crece con :math:`|f|`, y :math:`e` sale grande sin culpa de nadie. Por eso se acepta
    cuando

    .. math::
       :label: ec-gradcheck-acepta

       \lVert\mathbf a-\mathbf n\rVert\le
       r\left(\lVert\mathbf a\rVert+\lVert\mathbf n\rVert\right)+t\,\max(1,|f|),

    con :math:`r` y :math:`t` las tolerancias ``rtol`` y ``atol``.

    **A mano.** La pérdida :math:`\tfrac12(wx-3)^2` en :math:`w=2,\ x=1` tiene gradientes :math:`(wx-3)x=-1` y
    :math:`(wx-3)w=-2`. Escribamos el segundo con el signo cambiado:

    >>> w, x = np.array([2.0]), np.array([1.0])
    >>> loss = lambda: 0.5 * ((w * x - 3.0) ** 2).sum()
    >>> by_hand = {"w": [-1.0], "x": [2.0]}
    >>> report = check_gradients(loss, {"w": w, "x": x}, by_hand)
    >>> report.ok, report["w"].ok, report["x"].ok
    (False, True, False)
    >>> report["x"].relative_error
    1.0
    >>> wrong = report["x"]
    >>> wrong.worst, wrong.analytic, round(wrong.numeric, 6)
    ((0,), 2.0, -2.0)

    ``print(report)`` da todo eso en una tabla.

    Parameters
    ----------
    f : callable
        No recibe nada: usa los arreglos de ``parameters`` y devuelve la pérdida, un número.
    parameters : dict
        Nombre y arreglo ``float64`` de cada parámetro o entrada. Son los arreglos vivos que ``f`` lee: se mueven
        mientras se mide y quedan exactamente como estaban, aunque ``f`` falle.
    gradients : dict
        Los mismos nombres, con el gradiente que quieres comprobar, de la forma de su parámetro.
    h : float
        El paso, como en :func:`~dlbook.gradcheck.numeric_gradient`.
    rtol, atol : float
        Las tolerancias.

    Returns
    -------
    GradientReport
        Con ``ok``, un informe por parámetro y una tabla para ``print``.

    Raises
    ------
    TypeError
        Si un arreglo no es de ``float64``: con ``float32`` no se distingue un error del redondeo.
    ValueError
        Si los nombres o las formas no concuerdan, si algo no es finito, o si ``f`` cambia de valor sin que cambie nada.
    """
    parameters = _named(parameters, "parameters")
    gradients = _named(gradients, "gradients")
    if set(parameters) != set(gradients):
        raise ValueError(f"gradients: se esperaban {', '.join(parameters)}, pero llegaron {', '.join(gradients)}")
    rtol = check.number(rtol, "rtol", 0)
    atol = check.number(atol, "atol", 0)
    check.function(f, "f")
    pairs = []
    for name, value in parameters.items():
        theta = _live(value, f"parameters[{name!r}]")
        analytic = check.floats(gradients[name], f"gradients[{name!r}]")
        if analytic.dtype != np.float64:
            raise TypeError(f"gradients[{name!r}]: se esperaba float64, pero llegó {analytic.dtype}")
        if analytic.shape != theta.shape:
            raise ValueError(
                f"gradients[{name!r}]: se esperaba la forma de su parámetro, {theta.shape}, pero llegó {analytic.shape}"
            )
        # Una copia: si el gradiente vive en un búfer que f reutiliza, cambiaría mientras se mide.
        pairs.append((name, theta, analytic.copy()))
    loss, again = _scalar(f()), _scalar(f())
    if loss != again:
        raise ValueError(f"f: dio {loss} y luego {again} con los mismos parámetros; ¿hay azar sin semilla dentro?")
    return GradientReport(tuple(_compare(f, loss, *pair, h, rtol, atol) for pair in pairs))


def plain_check_gradients(f, parameters, gradients, rtol=1e-6, atol=1e-9):
    r"""De cada uno, el error relativo y si se acepta."""
    report = {}
    for name, theta in parameters.items():
        a, n = gradients[name], numeric_gradient(lambda _: f(), theta)
        distance = np.linalg.norm(a - n)
        size = np.linalg.norm(a) + np.linalg.norm(n)
        e = distance / size if size else 0.0  # [ec-gradcheck-relativo]
        limit = rtol * size + atol * max(1, abs(f()))
        report[name] = e, distance <= limit  # [ec-gradcheck-acepta]
    return report


def _compare(f, loss, name, theta, analytic, h, rtol, atol):
    numeric = numeric_gradient(lambda _: f(), theta, h)
    difference = np.abs(analytic - numeric)
    distance, size = float(np.linalg.norm(difference)), float(np.linalg.norm(analytic) + np.linalg.norm(numeric))
    worst = tuple(int(i) for i in np.unravel_index(difference.argmax(), difference.shape))
    return ParameterReport(
        name=name,
        relative_error=distance / size if size else 0.0,  # [ec-gradcheck-relativo]
        max_error=float(difference[worst]),
        worst=worst,
        analytic=float(analytic[worst]),
        numeric=float(numeric[worst]),
        ok=distance <= rtol * size + atol * max(1.0, abs(loss)),  # [ec-gradcheck-acepta]
    )


def _live(value, name):
    if not isinstance(value, np.ndarray) or value.dtype != np.float64:
        came = f"{value.dtype}" if isinstance(value, np.ndarray) else type(value).__name__
        raise TypeError(f"{name}: se esperaba un arreglo de float64, pero llegó {came}")
    check.floats(value, name, "..." if value.ndim else "")
    if not value.flags.writeable:
        raise ValueError(f"{name}: se esperaba un arreglo que se pueda modificar, pero es de solo lectura")
    return value


def _scalar(value):
    if getattr(value, "dtype", np.float64) != np.float64:
        raise TypeError(f"f: se esperaba un número de float64, pero llegó {value.dtype}")
    return check.number(value, "f()")


def _named(value, name):
    if not isinstance(value, dict) or not value or not all(isinstance(key, str) for key in value):
        raise ValueError(f"{name}: se esperaba un diccionario de nombres y arreglos, pero llegó {type(value).__name__}")
    return value
