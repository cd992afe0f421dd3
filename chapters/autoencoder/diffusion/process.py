r"""El proceso de difusión: ensuciar un dato en pasos que se saben deshacer."""

import numpy as np

from dlbook import check

# Con más pasos que estos, la tabla de la señal ya no es lo que cuesta.
MOST = 100_000


def _kept(alpha_bar):
    alpha_bar = check.floats(alpha_bar, "alpha_bar", "t")
    falls = len(alpha_bar) > 1 and (np.diff(alpha_bar) < 0).all()
    if not falls or alpha_bar[0] != 1 or alpha_bar[-1] <= 0:
        wanted = "se esperaba que bajara de 1 a algo mayor que 0"
        n, first, last = len(alpha_bar), alpha_bar[0], alpha_bar[-1]
        came = f"llegaron {n} números, de {first} a {last}"
        raise ValueError(f"alpha_bar: {wanted}, pero {came}")
    return alpha_bar


def _checked(t, alpha_bar, points):
    # Un paso hacia atrás, y tablas de la misma forma.
    sizes = {}
    tables = [check.floats(p, k, "n d", sizes) for k, p in points.items()]
    alpha_bar = _kept(alpha_bar)
    return check.integer(t, "t", 1, len(alpha_bar) - 1), alpha_bar, *tables


def linear_schedule(steps, first=1e-4, last=0.02):
    r"""Programa lineal: en cada paso se borra un poco más de la señal que en el anterior.

    En el paso :math:`t` se cambia una fracción :math:`\beta_t` de la varianza por ruido, y se conserva
    :math:`\alpha_t=1-\beta_t`. Aquí :math:`\beta_t` crece en línea recta :cite:p:`ho2020`; lo que importa después es
    el producto, la fracción que queda de la señal original:

    .. math::
       :label: ec-ae-dif-lineal

       \beta_t = \beta_1+\frac{t-1}{T-1}\,(\beta_T-\beta_1) ,
       \qquad
       \bar\alpha_t=\prod_{s=1}^{t}(1-\beta_s) ,
       \qquad
       \bar\alpha_0=1 .

    **A mano.** Con tres pasos que borran 0.1, 0.2 y 0.3 quedan 0.9, :math:`0.9\cdot0.8=0.72` y
    :math:`0.72\cdot0.7=0.504`:

    >>> linear_schedule(3, 0.1, 0.3).round(3)
    array([1.   , 0.9  , 0.72 , 0.504])

    Parameters
    ----------
    steps : int
        Cuántos pasos, :math:`T`.
    first, last : float
        Lo que borran el primero y el último, entre 0 y 1, sin llegar a ellos.

    Returns
    -------
    ndarray, shape (steps + 1,)
        :math:`\bar\alpha_t`, desde :math:`t=0`.

    Raises
    ------
    TypeError, ValueError
        Si los argumentos no son de esos, o si son tantos pasos que la señal se vuelve cero.
    """
    steps = check.integer(steps, "steps", 1, MOST)
    inside = {"open_low": True, "open_high": True}
    first = check.number(first, "first", 0, 1, **inside)
    last = check.number(last, "last", 0, 1, **inside)
    beta = np.linspace(first, last, steps)
    return _kept(np.concatenate([[1.0], np.cumprod(1 - beta)]))  # [ec-ae-dif-lineal]


def cosine_schedule(steps, offset=0.008, most=0.999):
    r"""Programa del coseno: la señal baja despacio al principio y al final, y parejo en medio.

    El lineal gasta muchos pasos en puro ruido. Este dibuja directamente la curva que se quiere para
    :math:`\bar\alpha_t`, un cuarto de coseno al cuadrado :cite:p:`nichol2021`, y de ella saca cada paso:

    .. math::
       :label: ec-ae-dif-coseno

       f_t=\cos^2\Bigl(\frac{t/T+s}{1+s}\cdot\frac\pi2\Bigr) ,
       \qquad
       \beta_t=\min\Bigl(1-\frac{f_t}{f_{t-1}},\ \beta_{\max}\Bigr) .

    El corrimiento :math:`s` evita que el primer paso casi no haga nada; el tope, que el último lo borre todo:
    :math:`f_T=0`.

    **A mano.** Sin corrimiento y con dos pasos, a la mitad queda :math:`\cos^2 45°=0.5`, y al final el tope deja 0.2
    de esa mitad:

    >>> cosine_schedule(2, offset=0, most=0.8).round(3)
    array([1. , 0.5, 0.1])

    Parameters
    ----------
    steps : int
        Cuántos pasos, :math:`T`.
    offset : float
        El corrimiento :math:`s`, de 0 a 1.
    most : float
        El tope :math:`\beta_{\max}`, entre 0 y 1, sin llegar a ellos.

    Returns
    -------
    ndarray, shape (steps + 1,)
        :math:`\bar\alpha_t`, desde :math:`t=0`.

    Raises
    ------
    TypeError, ValueError
        Si los argumentos no son de esos.
    """
    steps = check.integer(steps, "steps", 1, MOST)
    offset = check.number(offset, "offset", 0, 1)
    inside = {"open_low": True, "open_high": True}
    most = check.number(most, "most", 0, 1, **inside)
    u = (np.arange(steps + 1) / steps + offset) / (1 + offset)
    f = np.cos(u * np.pi / 2) ** 2
    beta = np.minimum(1 - f[1:] / f[:-1], most)  # [ec-ae-dif-coseno]
    return _kept(np.concatenate([[1.0], np.cumprod(1 - beta)]))


def diffuse(x, t, alpha_bar, noise):
    r"""Ensucia un dato hasta el paso :math:`t`, de un salto.

    Cada paso encoge lo que hay y le suma ruido nuevo, de modo que la varianza se conserve:

    .. math::
       :label: ed-ae-dif-paso

       \mathbf x_t=\sqrt{\alpha_t}\,\mathbf x_{t-1}+\sqrt{1-\alpha_t}\,\boldsymbol\xi_t ,
       \qquad
       \boldsymbol\xi_t\sim\mathcal N(\mathbf 0,\mathbf I) .

    **Derivación.** Para llegar al paso 500 no hace falta pasar por los otros 499. Por inducción: supongamos que hasta
    :math:`t-1` un solo ruido basta,
    :math:`\mathbf x_{t-1}=\sqrt{\bar\alpha_{t-1}}\,\mathbf x_0+\sqrt{1-\bar\alpha_{t-1}}\,\boldsymbol\epsilon'`. Para
    :math:`t=1` es el propio paso, con :math:`\bar\alpha_0=1`. Al sustituir,

    .. math::
       :label: ed-ae-dif-induccion

       \mathbf x_t=\underbrace{\sqrt{\alpha_t\bar\alpha_{t-1}}}_{\sqrt{\bar\alpha_t}}\,\mathbf x_0
       +\sqrt{\alpha_t(1-\bar\alpha_{t-1})}\,\boldsymbol\epsilon'+\sqrt{1-\alpha_t}\,\boldsymbol\xi_t .

    Los dos ruidos son normales, de media cero e independientes. Su suma es normal, y su varianza, la suma de las dos:
    :math:`\alpha_t(1-\bar\alpha_{t-1})+(1-\alpha_t)=1-\alpha_t\bar\alpha_{t-1}=1-\bar\alpha_t`. Es decir, otra vez un
    solo ruido :math:`\boldsymbol\epsilon\sim\mathcal N(\mathbf 0,\mathbf I)`:

    .. math::
       :label: ec-ae-dif-salto

       \mathbf x_t=\sqrt{\bar\alpha_t}\,\mathbf x_0+\sqrt{1-\bar\alpha_t}\,\boldsymbol\epsilon .

    **A mano.** Si queda el 36 % de la señal, el dato se multiplica por 0.6 y el ruido, por 0.8:

    >>> alpha_bar = [1.0, 0.6, 0.36]
    >>> diffuse([[2.0, -1.0]], 2, alpha_bar, [[0.5, 1.0]]).round(6)
    array([[1.6, 0.2]])

    Parameters
    ----------
    x : array_like, shape (n, d)
        Los datos limpios, uno por fila.
    t : int or array_like of int, shape (n,)
        A qué paso se lleva cada uno, de 0 a :math:`T`.
    alpha_bar : array_like, shape (T + 1,)
        Lo que queda de la señal: empieza en 1 y baja.
    noise : array_like, shape (n, d)
        El ruido :math:`\boldsymbol\epsilon`.

    Returns
    -------
    ndarray, shape (n, d)

    Raises
    ------
    TypeError, ValueError
        Si las formas no encajan, si ``alpha_bar`` no baja desde 1 o si algún paso no existe.
    """
    sizes = {}
    x = check.floats(x, "x", "n d", sizes)
    noise = check.floats(noise, "noise", "n d", sizes)
    alpha_bar = _kept(alpha_bar)
    if np.isscalar(t):
        t = np.full(len(x), check.integer(t, "t", 0, len(alpha_bar) - 1))
    t = check.labels(t, "t", len(alpha_bar), "n", sizes)
    kept = alpha_bar[t][:, np.newaxis]
    return np.sqrt(kept) * x + np.sqrt(1 - kept) * noise  # [ec-ae-dif-salto]


def posterior(x, start, t, alpha_bar):
    r"""De dónde pudo venir :math:`\mathbf x_t`, si se sabe en qué dato empezó todo.

    **Derivación.** Fijos :math:`\mathbf x_t` y :math:`\mathbf x_0`, la regla de Bayes dice que la densidad de
    :math:`\mathbf x_{t-1}` es proporcional a la de dar el paso, por la de estar ahí. Las dos son normales, y basta
    mirar los exponentes. Coordenada por coordenada, con :math:`u` por :math:`x_{t-1}`,

    .. math::
       :label: ed-ae-dif-bayes

       -2\ln q(u\mid x_t,x_0)=\frac{(x_t-\sqrt{\alpha_t}\,u)^2}{1-\alpha_t}
       +\frac{(u-\sqrt{\bar\alpha_{t-1}}\,x_0)^2}{1-\bar\alpha_{t-1}}+c ,

    donde :math:`c` no depende de :math:`u`. Se desarrolla y se juntan las potencias de :math:`u`:

    .. math::
       :label: ed-ae-dif-cuadrado

       \begin{gathered}
       A\,u^2-2B\,u+c' , \\
       A=\frac{\alpha_t}{1-\alpha_t}+\frac1{1-\bar\alpha_{t-1}} , \qquad
       B=\frac{\sqrt{\alpha_t}\,x_t}{1-\alpha_t}+\frac{\sqrt{\bar\alpha_{t-1}}\,x_0}{1-\bar\alpha_{t-1}} .
       \end{gathered}

    Completar el cuadrado es escribir :math:`Au^2-2Bu=A(u-B/A)^2-B^2/A`: una normal de media :math:`B/A` y varianza
    :math:`1/A`. Falta simplificar. Con denominador común, el numerador de :math:`A` es
    :math:`\alpha_t(1-\bar\alpha_{t-1})+(1-\alpha_t)`, la suma de varianzas de :func:`diffuse`:
    :math:`1-\bar\alpha_t`. Eso da la varianza, y la media es :math:`B` multiplicada por ella:

    .. math::
       :label: ec-ae-dif-posterior

       \begin{gathered}
       \tilde\sigma_t^2=\frac{(1-\alpha_t)(1-\bar\alpha_{t-1})}{1-\bar\alpha_t} , \\
       \tilde{\boldsymbol\mu}_t=\frac{\sqrt{\alpha_t}\,(1-\bar\alpha_{t-1})}{1-\bar\alpha_t}\,\mathbf x_t
       +\frac{\sqrt{\bar\alpha_{t-1}}\,(1-\alpha_t)}{1-\bar\alpha_t}\,\mathbf x_0 .
       \end{gathered}

    Es un promedio ponderado de dónde se está y de dónde se salió. Con :math:`t=1` la varianza es cero y la media,
    :math:`\mathbf x_0`.

    **A mano.** Con :math:`\bar\alpha_1=0.6` y :math:`\bar\alpha_2=0.36`, :math:`\alpha_2=0.36/0.6=0.6`. La varianza es
    :math:`0.4\cdot0.4/0.64=0.25`. El peso de :math:`x_2` es :math:`\sqrt{0.6}\cdot0.4/0.64=0.4841`, y el de
    :math:`x_0`, el mismo. Con :math:`x_2=1.6` y :math:`x_0=2`, la media es :math:`0.4841\cdot3.6=1.7428`:

    >>> mean, variance = posterior([[1.6]], [[2.0]], 2, [1.0, 0.6, 0.36])
    >>> mean.round(4), round(variance, 4)
    (array([[1.7428]]), 0.25)

    Parameters
    ----------
    x : array_like, shape (n, d)
        Dónde se está en el paso :math:`t`.
    start : array_like, shape (n, d)
        Dónde se empezó, :math:`\mathbf x_0`.
    t : int
        El paso, de 1 a :math:`T`.
    alpha_bar : array_like, shape (T + 1,)
        Lo que queda de la señal.

    Returns
    -------
    mean : ndarray, shape (n, d)
        La media de :math:`\mathbf x_{t-1}`.
    variance : float
        Su varianza, igual en cada coordenada.

    Raises
    ------
    TypeError, ValueError
        Si las formas no encajan, si ``alpha_bar`` no baja desde 1 o si el paso no existe.
    """
    points = {"x": x, "start": start}
    t, alpha_bar, x, start = _checked(t, alpha_bar, points)
    now, before = alpha_bar[t], alpha_bar[t - 1]
    alpha = now / before
    variance = (1 - alpha) * (1 - before) / (1 - now)  # [ec-ae-dif-posterior]
    mean = np.sqrt(alpha) * (1 - before) * x
    mean += np.sqrt(before) * (1 - alpha) * start
    return mean / (1 - now), float(variance)  # [ec-ae-dif-posterior]


def reverse_step(x, t, predicted, alpha_bar, noise):
    r"""Retrocede un paso, del :math:`t` al :math:`t-1`, con el ruido que la red cree ver.

    **Derivación.** Quien genera no tiene :math:`\mathbf x_0`. Pero si la red acierta el ruido, el salto
    :eq:`ec-ae-dif-salto` se despeja:

    .. math::
       :label: ed-ae-dif-despeje

       \hat{\mathbf x}_0=\frac{\mathbf x_t-\sqrt{1-\bar\alpha_t}\,\hat{\boldsymbol\epsilon}}{\sqrt{\bar\alpha_t}} .

    Se pone en la media de :eq:`ec-ae-dif-posterior`. Como :math:`\bar\alpha_t=\alpha_t\bar\alpha_{t-1}`, el segundo
    término trae :math:`(1-\alpha_t)/\sqrt{\alpha_t}` por lo de arriba. A :math:`\mathbf x_t` lo multiplica entonces

    .. math::
       :label: ed-ae-dif-coeficiente

       \frac1{1-\bar\alpha_t}\Bigl(\sqrt{\alpha_t}\,(1-\bar\alpha_{t-1})+\frac{1-\alpha_t}{\sqrt{\alpha_t}}\Bigr)
       =\frac{\alpha_t-\bar\alpha_t+1-\alpha_t}{\sqrt{\alpha_t}\,(1-\bar\alpha_t)}=\frac1{\sqrt{\alpha_t}} ,

    y al ruido, :math:`-(1-\alpha_t)/\sqrt{\alpha_t(1-\bar\alpha_t)}`. Se sortea alrededor de esa media con la varianza
    de antes:

    .. math::
       :label: ec-ae-dif-regreso

       \mathbf x_{t-1}=\frac1{\sqrt{\alpha_t}}
       \Bigl(\mathbf x_t-\frac{1-\alpha_t}{\sqrt{1-\bar\alpha_t}}\,\hat{\boldsymbol\epsilon}\Bigr)
       +\tilde\sigma_t\,\boldsymbol\xi .

    **A mano.** Es el ejemplo de :func:`posterior`: si el ruido era 0.5, sale la misma media, y el nuevo ruido, 1, suma
    :math:`\sqrt{0.25}`:

    >>> reverse_step([[1.6]], 2, [[0.5]], [1.0, 0.6, 0.36], [[1.0]]).round(4)
    array([[2.2428]])

    Parameters
    ----------
    x : array_like, shape (n, d)
        Dónde se está en el paso :math:`t`.
    t : int
        El paso, de 1 a :math:`T`.
    predicted : array_like, shape (n, d)
        El ruido que la red cree que hay en ``x``.
    alpha_bar : array_like, shape (T + 1,)
        Lo que queda de la señal.
    noise : array_like, shape (n, d)
        El ruido nuevo, :math:`\boldsymbol\xi`. En el último paso, :math:`t=1`, se multiplica por cero.

    Returns
    -------
    ndarray, shape (n, d)

    Raises
    ------
    TypeError, ValueError
        Si las formas no encajan, si ``alpha_bar`` no baja desde 1 o si el paso no existe.
    """
    points = {"x": x, "predicted": predicted, "noise": noise}
    t, alpha_bar, x, predicted, noise = _checked(t, alpha_bar, points)
    now, before = alpha_bar[t], alpha_bar[t - 1]
    alpha = now / before
    mean = x - (1 - alpha) / np.sqrt(1 - now) * predicted
    sigma = np.sqrt((1 - alpha) * (1 - before) / (1 - now))
    return mean / np.sqrt(alpha) + sigma * noise  # [ec-ae-dif-regreso]


def implicit_step(x, t, to, predicted, alpha_bar):
    r"""Retrocede del paso :math:`t` al :math:`s`, sin sortear nada.

    Con el dato despejado, :eq:`ed-ae-dif-despeje`, y el ruido que la red cree ver se puede volver a ensuciar, ahora
    solo hasta :math:`s<t`. Es el salto :eq:`ec-ae-dif-salto` con los mismos dos ingredientes :cite:p:`song2021a`:

    .. math::
       :label: ec-ae-dif-implicito

       \mathbf x_s=\sqrt{\bar\alpha_s}\,\hat{\mathbf x}_0+\sqrt{1-\bar\alpha_s}\,\hat{\boldsymbol\epsilon} .

    Como el camino ya no tiene azar, cada ruido inicial lleva a una sola muestra, y se pueden saltar pasos.

    **A mano.** Si la red acierta el ruido, :math:`\hat x_0=(1.6-0.8\cdot0.5)/0.6=2`, y en el paso 1 queda
    :math:`\sqrt{0.6}\cdot2+\sqrt{0.4}\cdot0.5=1.8654`:

    >>> implicit_step([[1.6]], 2, 1, [[0.5]], [1.0, 0.6, 0.36]).round(4)
    array([[1.8654]])
    >>> implicit_step([[1.6]], 2, 0, [[0.5]], [1.0, 0.6, 0.36]).round(4)
    array([[2.]])

    Parameters
    ----------
    x : array_like, shape (n, d)
        Dónde se está en el paso :math:`t`.
    t : int
        El paso, de 1 a :math:`T`.
    to : int
        A cuál se llega, :math:`s`, de 0 a :math:`t-1`.
    predicted : array_like, shape (n, d)
        El ruido que la red cree que hay en ``x``.
    alpha_bar : array_like, shape (T + 1,)
        Lo que queda de la señal.

    Returns
    -------
    ndarray, shape (n, d)

    Raises
    ------
    TypeError, ValueError
        Si las formas no encajan, si ``alpha_bar`` no baja desde 1 o si algún paso no existe.
    """
    points = {"x": x, "predicted": predicted}
    t, alpha_bar, x, predicted = _checked(t, alpha_bar, points)
    to = check.integer(to, "to", 0, t - 1)
    now, then = alpha_bar[t], alpha_bar[to]
    start = (x - np.sqrt(1 - now) * predicted) / np.sqrt(now)
    return np.sqrt(then) * start + np.sqrt(1 - then) * predicted  # [ec-ae-dif-implicito]


def sample(predict, x, alpha_bar, seed=None):
    r"""Genera: empieza en puro ruido y retrocede paso a paso hasta el dato.

    Con :math:`\bar\alpha_T` casi cero, :math:`\mathbf x_T` es prácticamente una normal estándar, venga del dato que
    venga. De ahí se puede sortear sin conocer ningún dato, y luego aplicar :eq:`ec-ae-dif-regreso` con
    :math:`t=T,\dots,1`.

    **A mano.** Si todos los datos fueran el punto 3, el ruido de cualquier :math:`x_t` se sabría exactamente, y se
    llega a 3 desde donde se empiece:

    >>> alpha_bar = linear_schedule(10, 0.1, 0.5)
    >>> def known(x, t):
    ...     kept = alpha_bar[t]
    ...     return (x - np.sqrt(kept) * 3) / np.sqrt(1 - kept)
    >>> path = sample(known, [[-1.0], [0.5]], alpha_bar, seed=0)
    >>> path.shape, path[0].round(6)
    ((11, 2, 1), array([[3.],
           [3.]]))

    Parameters
    ----------
    predict : callable
        La red: recibe ``x`` y ``t`` y devuelve el ruido que cree ver, con la forma de ``x``.
    x : array_like, shape (n, d)
        Dónde se empieza: ruido, :math:`\mathbf x_T`.
    alpha_bar : array_like, shape (T + 1,)
        Lo que queda de la señal.
    seed : int or numpy.random.Generator, optional
        Origen del azar de los pasos.

    Returns
    -------
    ndarray, shape (T + 1, n, d)
        El camino entero, en su lugar: las muestras en el 0 y el ruido inicial en el :math:`T`.

    Raises
    ------
    TypeError, ValueError
        Si los argumentos no son de esos, o si ``predict`` no devuelve la forma que recibe.
    """
    check.function(predict, "predict", 2)
    x, alpha_bar = check.floats(x, "x", "n d"), _kept(alpha_bar)
    rng = check.generator(seed)
    path = check.empty((len(alpha_bar), *x.shape), "el camino")
    path[-1] = x
    for t in range(len(alpha_bar) - 1, 0, -1):
        noise = rng.normal(size=x.shape)
        # Una copia, por si la red escribe en lo que recibe.
        predicted = predict(path[t].copy(), t)
        path[t - 1] = reverse_step(path[t], t, predicted, alpha_bar, noise)
    return path
