r"""El descenso de gradiente en sus tres tallas: con todos los ejemplos, con uno y con unos cuantos."""

import math

import numpy as np

from chapters.mlp.losses import Loss
from dlbook import check


def neuron_loss(theta, x, y, loss):
    r"""La pérdida media de una sola neurona y su gradiente: algo pequeño que minimizar.

    Para ver caminar a un algoritmo no hace falta una red. Basta una neurona sin activación,
    :math:`z^{(i)}=b+\mathbf w^\top\mathbf x^{(i)}`, y una pérdida. Con el error cuadrático es una regresión lineal; con
    la entropía cruzada binaria sobre logits, una regresión logística. Los parámetros van en un solo vector,
    :math:`\boldsymbol\theta=(b,\mathbf w)`.

    **Gradiente.** La pérdida ya sabe cuánto cambia :math:`J` si cambia una predicción; llamémosle
    :math:`\delta_i=\partial J/\partial z^{(i)}`. Mover :math:`b` mueve todas las predicciones lo mismo, y mover
    :math:`w_j` mueve cada una en proporción a su :math:`x^{(i)}_j`. Los caminos se suman:

    .. math::
       :label: ec-mlp-neurona-gradiente

       \begin{gathered}
       \frac{\partial J}{\partial b} = \sum_{i=1}^{n} \delta_i,
       \\
       \frac{\partial J}{\partial\mathbf w} = \sum_{i=1}^{n} \delta_i\,\mathbf x^{(i)}
       = \mathbf X^\top\boldsymbol\delta .
       \end{gathered}

    **A mano.** Dos ejemplos, :math:`x=1` con :math:`y=1` y :math:`x=2` con :math:`y=3`, y la neurona en cero. Los
    errores son :math:`-1` y :math:`-3`, y :math:`J=(1+9)/2=5`. Como :math:`\delta_i=\tfrac2n(z^{(i)}-y^{(i)})`, o sea
    :math:`-1` y :math:`-3`, el gradiente es :math:`(-1-3,\ -1\cdot1-3\cdot2)`:

    >>> from chapters.mlp.losses import BinaryCrossentropy, MeanSquaredError
    >>> x, y = [[1.0], [2.0]], [1.0, 3.0]
    >>> neuron_loss([0, 0], x, y, MeanSquaredError())
    (5.0, array([-4., -7.]))

    La logística en cero contesta ½ a todo, y su pérdida es :math:`\ln2`:

    >>> loss = BinaryCrossentropy(from_logits=True)
    >>> value, gradient = neuron_loss([0, 0], x, [0, 1], loss)
    >>> round(value, 4), gradient  # ½ (0.5 - 0.5),  ½ (0.5·1 - 0.5·2)
    (0.6931, array([ 0.  , -0.25]))

    Parameters
    ----------
    theta : array_like, shape (d + 1,)
        El sesgo y los pesos.
    x : array_like, shape (n, d)
        Una observación por fila.
    y : array_like, shape (n,)
        Lo que debería salir.
    loss : Loss
        La pérdida; si espera probabilidades, pídela con ``from_logits=True``.

    Returns
    -------
    value : float
        :math:`J(\boldsymbol\theta)`.
    gradient : ndarray, shape (d + 1,)
        :math:`\nabla J(\boldsymbol\theta)`.

    Raises
    ------
    TypeError, ValueError
        Si ``loss`` no es una pérdida, las formas no concuerdan o algo no es un número finito.
    """
    if not isinstance(loss, Loss):
        raise TypeError(f"loss: se esperaba una pérdida, pero llegó {loss!r}")
    x, y, theta = _data(x, y, theta)
    if len(theta) != x.shape[1] + 1:
        raise ValueError(f"theta: se esperaba un sesgo y {x.shape[1]} pesos, pero llegaron {len(theta)} números")
    z = x @ theta[1:] + theta[0]
    value, delta = loss(y, z), loss.gradient(y, z)
    return value, np.append(delta.sum(), delta @ x)  # [ec-mlp-neurona-gradiente]


def plain_neuron_loss(theta, x, y, loss):
    r"""Una neurona: ir, medir y volver."""
    z = x @ theta[1:] + theta[0]
    value, delta = loss(y, z), loss.gradient(y, z)
    return value, np.append(delta.sum(), delta @ x)  # [ec-mlp-neurona-gradiente]


def gradient_descent(f, theta, learning_rate=0.1, tolerance=1e-6, max_steps=10_000):
    r"""Descenso de gradiente: bajar por la pérdida de **todos** los ejemplos hasta que deje de haber pendiente.

    1. Empieza en unos pesos :math:`\boldsymbol\theta`, sorteados de una normal :math:`\mathcal N(0,\sigma^2)`.
    2. Hasta converger, repite:

       a. calcula el gradiente :math:`\nabla J(\boldsymbol\theta)`, con todos los ejemplos;
       b. da un paso en contra,

          .. math::
             :label: ec-mlp-descenso-completo

             \boldsymbol\theta \leftarrow \boldsymbol\theta - \eta\,\nabla J(\boldsymbol\theta) .

    3. Devuelve los pesos. :item:`OPT-07`

    **Por qué baja.** Llamemos :math:`\mathbf g` al gradiente. Cerca de :math:`\boldsymbol\theta` la pérdida se parece a
    su tangente, y un paso :math:`-\eta\,\mathbf g` la cambia en

    .. math::
       :label: ed-mlp-descenso-baja

       \begin{aligned}
       J(\boldsymbol\theta-\eta\,\mathbf g) - J(\boldsymbol\theta)
       &\approx \mathbf g^\top(-\eta\,\mathbf g)\\
       &= -\eta\,\lVert\mathbf g\rVert^2 .
       \end{aligned}

    Es negativo mientras quede pendiente. El :math:`\approx` es la letra pequeña: si :math:`\eta` es grande, el paso
    sale de la zona donde la tangente se parece a la función, y ya no hay promesa.

    **Cuándo parar.** En el mínimo el gradiente es cero, pero casi nunca se cae justo ahí: los pasos se acortan conforme
    la pendiente se acaba. «Converger» es decidir que con esto basta. Aquí, que la pendiente sea menor que una
    tolerancia:

    .. math::
       :label: ec-mlp-descenso-parada

       \lVert\nabla J(\boldsymbol\theta)\rVert \leq \tau .

    :item:`OPT-09`

    **A mano.** En el tazón :math:`x^2+y^2`, con gradiente :math:`(2x,2y)`, de :math:`(1,2)` a
    :math:`(1,2)-0.1\,(2,4)`: :item:`MLP-34`

    >>> from chapters.mlp.optimizers.landscapes import bowl
    >>> gradient_descent(bowl, [1.0, 2.0], learning_rate=0.1, max_steps=1)
    array([[1. , 2. ],
           [0.8, 1.6]])

    Cada paso multiplica el punto por :math:`1-2\cdot0.1=0.8`, y al gradiente también. El primero mide
    :math:`\sqrt{20}`; para llegar a :math:`10^{-6}` hacen falta :math:`\ln(10^6\sqrt{20})/\ln(1/0.8)=68.6` pasos, o
    sea, 69. La altura baja en todos:

    >>> points = gradient_descent(bowl, [1.0, 2.0], learning_rate=0.1)
    >>> len(points) - 1
    69
    >>> heights = bowl(points)[0]
    >>> bool((np.diff(heights) < 0).all())
    True

    **Cuánto cuesta.** Un paso de :func:`neuron_loss` hace :math:`n(d+1)` productos al ir y otros tantos al volver. Con
    sesenta mil imágenes de 784 píxeles son 94 millones de productos para mover los pesos **una** vez: :item:`OPT-10`

    >>> n, d = 60_000, 784
    >>> 2 * n * (d + 1)
    94200000

    Parameters
    ----------
    f : callable
        Recibe :math:`\boldsymbol\theta` y devuelve la altura y el gradiente, como
        :func:`~chapters.mlp.optimizers.landscapes.bowl`.
    theta : array_like, shape (p,)
        El punto de partida.
    learning_rate : float
        La tasa :math:`\eta`, mayor que cero.
    tolerance : float
        La tolerancia :math:`\tau`; con 0 se dan todos los pasos.
    max_steps : int
        Cuántos pasos, a lo sumo.

    Returns
    -------
    ndarray, shape (pasos + 1, p)
        La partida y el punto después de cada paso; el último es la respuesta.

    Raises
    ------
    TypeError, ValueError
        Si un argumento no es lo que se pide, o si los pasos son tan largos que los números se desbordan. Con
        :math:`\eta=1.5`, cada paso multiplica por :math:`1-2\cdot1.5=-2`:

        >>> gradient_descent(bowl, [1.0, 2.0], learning_rate=1.5)
        Traceback (most recent call last):
            ...
        ValueError: learning_rate: con 1.5 los pesos se desbordan en el paso 1022; prueba una menor
    """
    theta = check.floats(theta, "theta", "p").astype(np.float64)
    learning_rate = check.number(learning_rate, "learning_rate", 0, open_low=True)
    tolerance = check.number(tolerance, "tolerance", 0)
    max_steps = check.integer(max_steps, "max_steps", 0)
    check.function(f, "f", 1)
    points = [theta]
    with np.errstate(over="ignore", invalid="ignore"):
        for step in range(max_steps):
            gradient = _gradient(f, learning_rate, step, theta)
            if math.hypot(*gradient) <= tolerance:  # [ec-mlp-descenso-parada]
                break
            theta = theta - learning_rate * gradient  # [ec-mlp-descenso-completo]
            points.append(theta)
    return np.array(points)


def plain_gradient_descent(f, theta, learning_rate, tolerance, max_steps):
    r"""Bajar hasta que deje de haber pendiente."""
    points = [np.array(theta)]
    for _ in range(max_steps):
        _, gradient = f(theta)
        if np.linalg.norm(gradient) <= tolerance:  # [ec-mlp-descenso-parada]
            break
        theta = theta - learning_rate * gradient  # [ec-mlp-descenso-completo]
        points.append(theta)
    return np.array(points)


def stochastic_gradient_descent(f, theta, x, y, learning_rate=0.01, steps=1000, seed=None):
    r"""Descenso estocástico (*stochastic gradient descent*): un paso por cada ejemplo, escogido al azar.

    1. Empieza en unos pesos :math:`\boldsymbol\theta` al azar.
    2. Tantas veces como pasos, repite:

       a. escoge al azar un ejemplo :math:`i`;
       b. calcula el gradiente de **su** pérdida, :math:`\nabla\mathcal L_i(\boldsymbol\theta)`;
       c. da un paso con ese mismo gradiente,

          .. math::
             :label: ec-mlp-descenso-estocastico

             \boldsymbol\theta \leftarrow \boldsymbol\theta - \eta\,\nabla\mathcal L_i(\boldsymbol\theta) .

    3. Devuelve los pesos. :item:`OPT-11` :erratum:`E-09`

    **¿Por qué funciona?** Un ejemplo solo da una opinión, y puede estar muy equivocada. Pero como todos tienen la misma
    probabilidad :math:`\tfrac1n` de salir, en promedio la opinión es la correcta:

    .. math::
       :label: ed-mlp-descenso-insesgado

       \begin{aligned}
       \operatorname E_i\bigl[\nabla\mathcal L_i\bigr]
       &= \sum_{i=1}^{n}\frac1n\,\nabla\mathcal L_i\\
       &= \nabla\Bigl(\frac1n\sum_{i=1}^n\mathcal L_i\Bigr)\\
       &= \nabla J .
       \end{aligned}

    Se dice que el gradiente de un ejemplo es un estimador *insesgado* del de todos: cuesta :math:`n` veces menos y
    apunta, en promedio, hacia el mismo lado. :item:`OPT-12`

    **A mano.** Los dos ejemplos de :func:`neuron_loss`, con la neurona en cero. Por separado, sus pesos tienen
    gradientes :math:`-2` y :math:`-12`. Ninguno es el de todos, que vale :math:`-7`, pero su media sí:

    >>> from functools import partial
    >>> from chapters.mlp.losses import MeanSquaredError
    >>> f = partial(neuron_loss, loss=MeanSquaredError())
    >>> x, y = np.array([[1.0], [2.0]]), np.array([1.0, 3.0])
    >>> [f([0, 0], x[[i]], y[[i]])[1].tolist() for i in (0, 1)]
    [[-2.0, -2.0], [-6.0, -12.0]]
    >>> f([0, 0], x, y)[1].tolist()
    [-4.0, -7.0]

    **No se detiene.** En el mínimo de :math:`J` los gradientes de los ejemplos no valen cero: se cancelan entre todos.
    Uno solo sigue empujando, y con :math:`\eta` fija el punto se queda rondando. Por eso aquí no se mira la pendiente,
    se cuentan los pasos. Si hay unos pesos con los que **todos** aciertan, como :math:`z=2x-1` en nuestros dos
    ejemplos, todos los gradientes se anulan ahí, y se queda quieto:

    >>> points = stochastic_gradient_descent(
    ...     f, [0, 0], x, y, 0.1, steps=2000, seed=0
    ... )
    >>> points[-1].round(6)
    array([-1.,  2.])

    Parameters
    ----------
    f : callable
        Recibe :math:`\boldsymbol\theta` y unos ejemplos, ``x`` y ``y``, y devuelve su pérdida media y el gradiente.
    theta : array_like, shape (p,)
        El punto de partida.
    x : array_like, shape (n, d)
        Los ejemplos, uno por fila.
    y : array_like, shape (n,)
        Lo que debería salir de cada uno.
    learning_rate : float
        La tasa :math:`\eta`, mayor que cero.
    steps : int
        Cuántos pasos.
    seed : int or numpy.random.Generator, optional
        La semilla del sorteo. Un mismo ejemplo puede salir dos veces seguidas.

    Returns
    -------
    ndarray, shape (steps + 1, p)
        La partida y el punto después de cada paso; el último es la respuesta.

    Raises
    ------
    TypeError, ValueError
        Como en :func:`gradient_descent`.
    """
    x, y, theta = _data(x, y, theta)
    learning_rate = check.number(learning_rate, "learning_rate", 0, open_low=True)
    steps = check.integer(steps, "steps", 0)
    check.memory((steps + 1) * theta.size, "steps, los puntos", 8)
    check.function(f, "f", 3)
    generator = check.generator(seed)
    points = [theta]
    with np.errstate(over="ignore", invalid="ignore"):
        for step in range(steps):
            i = generator.integers(len(x))
            gradient = _gradient(f, learning_rate, step, theta, x[i : i + 1], y[i : i + 1])
            theta = theta - learning_rate * gradient  # [ec-mlp-descenso-estocastico]
            points.append(theta)
    return np.array(points)


def plain_stochastic_gradient_descent(
    f,
    theta,
    x,
    y,
    learning_rate,
    steps,
    seed,
):
    r"""Un paso por ejemplo."""
    generator, points = np.random.default_rng(seed), [theta]
    for _ in range(steps):
        i = generator.integers(len(x))
        _, gradient = f(theta, x[[i]], y[[i]])
        theta = theta - learning_rate * gradient  # [ec-mlp-descenso-estocastico]
        points.append(theta)
    return np.array(points)


def minibatch_gradient_descent(f, theta, x, y, batch_size=32, learning_rate=0.01, epochs=10, seed=None):
    r"""Descenso por lotes (*mini-batch gradient descent*): un paso por cada puñado de ejemplos.

    1. Empieza en unos pesos :math:`\boldsymbol\theta` al azar.
    2. En cada época:

       a. baraja los ejemplos y pártelos en lotes :math:`\mathcal B`, de :math:`B` ejemplos cada uno;
       b. por cada lote:

          1. calcula la media de los gradientes de **sus** ejemplos;
          2. da un paso con ella,

             .. math::
                :label: ec-mlp-descenso-lotes

                \begin{gathered}
                \boldsymbol\theta \leftarrow \boldsymbol\theta - \eta\,\mathbf g_{\mathcal B},
                \\
                \mathbf g_{\mathcal B} = \frac1B\sum_{i\in\mathcal B}\nabla\mathcal L_i(\boldsymbol\theta) .
                \end{gathered}

    3. Devuelve los pesos. :item:`OPT-13`

    Aquí :math:`\mathcal B` es el conjunto y :math:`B`, cuántos tiene :erratum:`E-77`. Con :math:`B=n` es el descenso
    completo; con :math:`B=1`, el estocástico.

    **Qué se gana.** La opinión media de :math:`B` ejemplos también es insesgada, y menos caprichosa. Llamemos
    :math:`\sigma^2` a la varianza del gradiente de un ejemplo. Si los :math:`B` se sortean por separado, las varianzas
    de una suma se suman, y la de un múltiplo lleva el factor al cuadrado:

    .. math::
       :label: ed-mlp-lote-varianza

       \operatorname{Var}\Bigl(\frac1B\sum_{i\in\mathcal B}\nabla\mathcal L_i\Bigr)
       = \frac1{B^2}\cdot B\,\sigma^2
       = \frac{\sigma^2}{B} .

    Su raíz, :math:`\sigma/\sqrt B`, dice cuánto suele apartarse del gradiente de todos. Para la mitad hace falta un
    lote **cuatro** veces mayor: agrandar el lote rinde cada vez menos. :item:`OPT-14`

    >>> from functools import partial
    >>> from chapters.mlp.losses import MeanSquaredError
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((200, 1))
    >>> y = 2 * x[:, 0] - 1 + 0.5 * rng.standard_normal(200)
    >>> f = partial(neuron_loss, loss=MeanSquaredError())
    >>> each = np.array([f([0, 0], x[[i]], y[[i]])[1][1] for i in range(200)])
    >>> for B in (1, 4, 16):
    ...     means = each[rng.integers(200, size=(100_000, B))].mean(axis=1)
    ...     ratio = means.var() / (each.var() / B)  # 1 si la varianza es σ²/B
    ...     print(B, round(float(ratio), 1))
    1 1.0
    4 1.0
    16 1.0

    (Al repartir la baraja los ejemplos de un lote no se repiten, y la varianza es algo menor: la de arriba por
    :math:`\frac{n-B}{n-1}`. Con el lote entero es cero, como debe ser.)

    **Cuántos pasos.** Una época da :math:`\lceil n/B\rceil` pasos; si la división no es exacta, el último lote es
    menor. Con 200 ejemplos de 32 en 32 son siete, y el último lleva ocho: :item:`OPT-16`

    >>> points = minibatch_gradient_descent(
    ...     f, [0, 0], x, y, 32, 0.1, epochs=20, seed=0
    ... )
    >>> len(points) - 1 == 20 * 7
    True
    >>> points[-1].round(1)  # cerca de -1 y 2, los que pusimos
    array([-1.,  2.])

    Parameters
    ----------
    f : callable
        Recibe :math:`\boldsymbol\theta` y unos ejemplos, ``x`` y ``y``, y devuelve su pérdida media y el gradiente.
    theta : array_like, shape (p,)
        El punto de partida.
    x : array_like, shape (n, d)
        Los ejemplos, uno por fila.
    y : array_like, shape (n,)
        Lo que debería salir de cada uno.
    batch_size : int
        El tamaño :math:`B` de los lotes.
    learning_rate : float
        La tasa :math:`\eta`, mayor que cero.
    epochs : int
        Cuántas veces se recorren todos los ejemplos.
    seed : int or numpy.random.Generator, optional
        La semilla de la baraja.

    Returns
    -------
    ndarray, shape (pasos + 1, p)
        La partida y el punto después de cada paso; el último es la respuesta.

    Raises
    ------
    TypeError, ValueError
        Como en :func:`gradient_descent`.
    """
    x, y, theta = _data(x, y, theta)
    batch_size = check.integer(batch_size, "batch_size", 1)
    learning_rate = check.number(learning_rate, "learning_rate", 0, open_low=True)
    epochs = check.integer(epochs, "epochs", 0)
    check.memory((epochs * -(-len(x) // batch_size) + 1) * theta.size, "epochs, los puntos", 8)
    check.function(f, "f", 3)
    generator = check.generator(seed)
    points = [theta]
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(epochs):
            order = generator.permutation(len(x))
            for start in range(0, len(x), batch_size):
                batch = order[start : start + batch_size]
                gradient = _gradient(f, learning_rate, len(points) - 1, theta, x[batch], y[batch])
                theta = theta - learning_rate * gradient  # [ec-mlp-descenso-lotes]
                points.append(theta)
    return np.array(points)


def plain_minibatch_gradient_descent(
    f,
    theta,
    x,
    y,
    batch_size,
    learning_rate,
    epochs,
    seed,
):
    r"""Un paso por lote."""
    generator, points = np.random.default_rng(seed), [theta]
    for _ in range(epochs):
        order = generator.permutation(len(x))
        for start in range(0, len(x), batch_size):
            batch = order[start : start + batch_size]
            _, gradient = f(theta, x[batch], y[batch])
            theta = theta - learning_rate * gradient  # [ec-mlp-descenso-lotes]
            points.append(theta)
    return np.array(points)


def _data(x, y, theta):
    sizes = {}
    x, y = check.floats(x, "x", "n d", sizes), check.floats(y, "y", "n", sizes)
    return x, y, check.floats(theta, "theta", "p").astype(np.float64)


# Quien llama calla los avisos de NumPy: un paso que se desborda se dice aquí, con el remedio.
def _gradient(f, learning_rate, step, theta, *examples):
    if np.isfinite(theta).all():
        pair = f(theta, *examples)
        if not isinstance(pair, tuple) or len(pair) != 2 or np.shape(pair[1]) != theta.shape:
            raise ValueError(f"f: se esperaban la altura y un gradiente de forma {theta.shape}, pero devolvió {pair!r}")
        if np.isfinite(pair[1]).all():
            return np.asarray(pair[1], np.float64)
    raise ValueError(f"learning_rate: con {learning_rate:g} los pesos se desbordan en el paso {step}; prueba una menor")
