r"""Pronosticar sin red: repetir lo de hace un periodo, una combinación lineal de lo último, y con qué se miden."""

import numpy as np

from dlbook import check

MOST = 1_000_000


def seasonal_naive(series, steps=1, period=1):
    r"""Pronostica que todo será como hace un periodo: el método ingenuo al que hay que ganarle.

    Con :math:`m` valores por periodo, doce si la serie es mensual, el pronóstico del valor :math:`h` que sigue es el
    último conocido de su mismo lugar en el periodo:

    .. math::
       :label: ec-rnn-ingenuo

       \hat y_{T+h}=y_{T-m+1+(h-1)\bmod m},\qquad h=1,2,\dots

    Con :math:`m=1` es «mañana como hoy».

    **A mano.** Una serie de periodo 3, y los cinco que siguen:

    >>> seasonal_naive([1.0, 5.0, 9.0, 2.0, 6.0, 10.0], 5, period=3)
    array([ 2.,  6., 10.,  2.,  6.])
    >>> seasonal_naive([1.0, 5.0, 9.0], 2)
    array([9., 9.])

    Parameters
    ----------
    series : array_like, shape (T,)
        La serie, del más viejo al más nuevo.
    steps : int
        Cuántos valores se pronostican.
    period : int
        Cuántos valores tiene un periodo, :math:`m`; a lo sumo :math:`T`.

    Returns
    -------
    ndarray, shape (steps,)

    Raises
    ------
    TypeError, ValueError
        Si la serie no es de números o el periodo no cabe en ella.
    """
    series = check.floats(series, "series", "T")
    steps = check.integer(steps, "steps", 1, MOST)
    period = check.integer(period, "period", 1, len(series))
    return series[len(series) - period + np.arange(steps) % period]  # [ec-rnn-ingenuo]


def mase(y_true, y_pred, y_train, period=1):
    r"""Error absoluto medio, medido en errores del método ingenuo (*mean absolute scaled error*).

    ¿Es bueno un error de 14 manchas? Depende de cuánto cambian las manchas de un año al otro. La regla se toma de la
    propia serie: lo que se equivoca, **en el entrenamiento**, quien repite lo de hace :math:`m` valores
    :cite:p:`hyndman2006`:

    .. math::
       :label: ec-rnn-mase

       \operatorname{MASE}=\frac{\dfrac1n\sum_{t}\lvert y_t-\hat y_t\rvert}
       {\dfrac1{T-m}\sum_{t=m+1}^{T}\lvert y_t-y_{t-m}\rvert} .

    **No depende de las unidades.** Si se miden las mismas cosas en otra escala, :math:`y'=ay+b`, y el pronóstico se
    lleva a ella, cada resta se multiplica por :math:`a` y pierde la :math:`b`:

    .. math::
       :label: ed-rnn-mase-escala

       \lvert y'_t-\hat y'_t\rvert=\lvert a\rvert\,\lvert y_t-\hat y_t\rvert,\qquad
       \lvert y'_t-y'_{t-m}\rvert=\lvert a\rvert\,\lvert y_t-y_{t-m}\rvert .

    El factor :math:`\lvert a\rvert` sale de las dos sumas y se cancela. Por eso se pueden comparar manchas con partes
    por millón. Con menos de 1 se yerra menos de lo que erró el ingenuo **en el entrenamiento**; con 0.5, la mitad. En
    la prueba, el propio ingenuo puede dar otra cosa que 1.

    **A mano.** El entrenamiento 10, 12, 11, 13 cambia 2, 1 y 2: en promedio, 5/3. Si los errores son 1 y 0, su media
    es ½, y ½ entre 5/3 es 0.3:

    >>> mase([14.0, 15.0], [13.0, 15.0], [10.0, 12.0, 11.0, 13.0])
    0.3

    Parameters
    ----------
    y_true, y_pred : array_like, shape (n,)
        Lo que pasó y lo que se pronosticó.
    y_train : array_like, shape (T,)
        La serie con que se entrenó, de la que sale la regla.
    period : int
        Hace cuántos valores mira el ingenuo, :math:`m`; menos que :math:`T`.

    Returns
    -------
    float

    Raises
    ------
    TypeError, ValueError
        Si las formas no concuerdan, o si el entrenamiento se repite exactamente cada periodo, y no hay regla.

        >>> mase([1.0], [2.0], [5.0, 5.0, 5.0])
        Traceback (most recent call last):
            ...
        ValueError: y_train: se esperaba que cambiara de un periodo a otro, pero se repite cada 1
    """
    sizes = {}
    y_true = check.floats(y_true, "y_true", "n", sizes).astype(float)
    y_pred = check.floats(y_pred, "y_pred", "n", sizes).astype(float)
    y_train = check.floats(y_train, "y_train", "T").astype(float)
    if len(y_train) < 2:
        raise ValueError(f"y_train: se esperaban al menos 2 valores, pero hay {len(y_train)}")
    period = check.integer(period, "period", 1, len(y_train) - 1)
    if (y_train[period:] == y_train[:-period]).all():
        raise ValueError(f"y_train: se esperaba que cambiara de un periodo a otro, pero se repite cada {period}")
    with np.errstate(over="ignore", invalid="ignore"):
        found = plain_mase(y_true, y_pred, y_train, period)
    if not np.isfinite(found):
        raise ValueError("y_true: se esperaba un error que cupiera en un número, pero se desborda")
    return found


def plain_mase(y_true, y_pred, y_train, period):
    r"""El error de uno, entre el del otro."""
    scale = np.abs(y_train[period:] - y_train[:-period]).mean()
    return float(np.abs(y_true - y_pred).mean() / scale)  # [ec-rnn-mase]


class Autoregression:
    r"""Pronostica con una combinación lineal de los últimos valores (*autoregressive model*, AR).

    .. math::
       :label: ec-rnn-ar

       \hat y_t=c+\varphi_1y_{t-1}+\varphi_2y_{t-2}+\dots+\varphi_py_{t-p} .

    **Derivación.** Cada valor desde el :math:`p+1` da una fila: lo que hubo antes, con un 1 para la constante, y lo
    que siguió. Son los mínimos cuadrados de siempre, con la propia serie haciendo de entrada y de salida:

    .. math::
       :label: ec-rnn-ar-ajuste

       \min_{c,\boldsymbol\varphi}\sum_{t=p+1}^{T}\Bigl(y_t-c-\sum_{j=1}^{p}\varphi_jy_{t-j}\Bigr)^2 .

    Es una neurona lineal que mira una ventana, y la solución es exacta: no hay tasa, ni épocas, ni semilla.

    **A mano.** En la sucesión de Fibonacci cada número es la suma de los dos anteriores. Con :math:`p=2` la recta la
    encuentra, :math:`\varphi_1=\varphi_2=1`, y sigue contando:

    >>> model = Autoregression(2).fit([1, 1, 2, 3, 5, 8, 13])
    >>> model.coefficients.round(6), abs(round(model.intercept, 6))
    (array([1., 1.]), 0.0)
    >>> model.predict([[5, 8], [8, 13]]).round(6)
    array([13., 21.])
    >>> model.forecast([5, 8, 13], 3).round(6)
    array([21., 34., 55.])

    Parameters
    ----------
    order : int
        Cuántos valores mira, :math:`p`.

    Attributes
    ----------
    coefficients : ndarray, shape (p,)
        :math:`\varphi_1,\dots,\varphi_p`: el primero es el del valor más nuevo.
    intercept : float
        :math:`c`.

    Raises
    ------
    TypeError, ValueError
        Si el orden no es un entero positivo, o la serie es corta: hacen falta al menos :math:`2p+1` valores.
    """

    def __init__(self, order):
        self.order = check.integer(order, "order", 1, MOST)
        self.coefficients = self.intercept = None

    def fit(self, series):
        r"""Ajusta los coeficientes por mínimos cuadrados y devuelve el propio modelo."""
        series, p = check.floats(series, "series", "T").astype(float), self.order
        if len(series) < 2 * p + 1:
            raise ValueError(f"series: se esperaban al menos {2 * p + 1} valores, pero hay {len(series)}")
        windows = np.lib.stride_tricks.sliding_window_view(series, p)[:-1]
        rows = np.column_stack([np.ones(len(windows)), windows[:, ::-1]])
        solution = np.linalg.lstsq(rows, series[p:], rcond=None)[0]
        self.intercept, self.coefficients = float(solution[0]), solution[1:]
        return self

    def predict(self, x):
        r"""Da el valor que sigue a cada ventana de ``x``, (n, p), con el más nuevo al final."""
        if self.coefficients is None:
            raise ValueError("Autoregression: se esperaba llamar primero a fit, pero el modelo no tiene coeficientes")
        x = check.floats(x, "x", "n p", {"p": self.order})
        return self.intercept + x[:, ::-1] @ self.coefficients

    def forecast(self, series, steps=1):
        r"""Pronostica los ``steps`` valores que siguen a la serie, alimentándose de sus propios pronósticos."""
        series = check.floats(series, "series", "T")
        if len(series) < self.order:
            raise ValueError(f"series: se esperaban al menos {self.order} valores, pero hay {len(series)}")
        known = list(series[len(series) - self.order :])
        for k in range(check.integer(steps, "steps", 1, MOST)):
            with np.errstate(over="ignore", invalid="ignore"):
                known.append(self.predict([known[-self.order :]])[0])
            if not np.isfinite(known[-1]):
                raise ValueError(f"steps: el pronóstico crece sin límite; el último que cabe en un número es el {k}")
        return np.array(known[self.order :])


def plain_autoregression(order, series, x):
    r"""Las filas de la serie, sus mínimos cuadrados y el valor que sigue a cada ventana."""
    ends = range(order, len(series))
    before = [series[t - order : t][::-1] for t in ends]
    rows = np.column_stack([np.ones(len(before)), before])
    given = rows, series[order:]
    c, *phi = np.linalg.lstsq(*given, rcond=None)[0]  # [ec-rnn-ar-ajuste]
    return c, np.array(phi), c + x[:, ::-1] @ phi  # [ec-rnn-ar]
