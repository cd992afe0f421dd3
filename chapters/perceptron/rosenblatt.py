r"""La regla de Rosenblatt: cómo una unidad con umbral aprende sus pesos de los ejemplos."""

import numpy as np

from chapters.perceptron.threshold_unit import step
from dlbook import check
from dlbook.numeric.kernel import kernel

MAX_EPOCHS = 1_000_000_000


def perceptron_rule(x, y, w, b, learning_rate=1.0):
    r"""Una época de la regla de Rosenblatt: predecir, comparar y corregir, ejemplo por ejemplo.

    La unidad ya sabe contestar: dispara (1) si :math:`z=\mathbf w^\top\mathbf x+b\ge 0` y calla (0) si no. Le falta
    aprender. Mostrémosle un ejemplo :math:`\mathbf x` del que conocemos la respuesta correcta, :math:`y\in\{0,1\}`, y
    comparemos:

    .. math::
       :label: ec-per-error

       \begin{gathered}
       e = y-\hat y,\\
       \hat y=\begin{cases}1 & \text{si } \mathbf w^\top\mathbf x+b\ge 0,\\ 0 & \text{si no.}\end{cases}
       \end{gathered}

    El error solo puede valer 0 (acertó), 1 (calló y debía disparar) o −1 (disparó y debía callar). La regla suma al
    vector de pesos el propio ejemplo, multiplicado por el error y por la *tasa de aprendizaje* (*learning rate*)
    :math:`\eta>0`:

    .. math::
       :label: ec-per-correccion

       \mathbf w\leftarrow\mathbf w+\eta\,e\,\mathbf x,
       \qquad
       b\leftarrow b+\eta\,e .

    Si acertó, nada cambia. Recorrer así todos los ejemplos, uno tras otro, es una *época* (*epoch*).

    **Por qué corrige.** Después de un fallo, presentemos otra vez el mismo ejemplo. Al sustituir
    :eq:`ec-per-correccion` en la suma ponderada,

    .. math::
       :label: ed-per-empuje

       \begin{aligned}
       z_{\text{nueva}}&=(\mathbf w+\eta e\mathbf x)^\top\mathbf x+(b+\eta e)\\
       &= z+\eta\,e\left(\lVert\mathbf x\rVert^2+1\right).
       \end{aligned}

    El paréntesis es positivo. Si debía disparar, :math:`e=1` y :math:`z` sube; si debía callar, :math:`e=-1` y
    :math:`z` baja: siempre hacia el lado correcto. No siempre alcanza con una vez, y lo que arregla a un ejemplo puede
    estropear a otro; por eso hacen falta épocas. Si ese vaivén termina, y cuándo, lo dice el teorema de
    :func:`mistake_bound`.

    **A mano.** Aprendamos OR desde cero, con :math:`\eta=1`. El primer ejemplo es :math:`(0,0)`: la suma vale 0,
    que ya es :math:`\ge 0`, y la unidad dispara. Debía callar, así que :math:`e=-1`: los pesos no cambian, porque
    :math:`\mathbf x` es cero, y el sesgo baja a −1.

    >>> x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    >>> y = np.array([0, 1, 1, 1])
    >>> perceptron_rule(x[:1], y[:1], [0, 0], 0)
    (array([0., 0.]), -1.0, 1)

    Las épocas completas terminan cuando una pasa sin fallos. Es la cuarta:

    >>> w, b = np.zeros(2), 0.0
    >>> for epoch in range(1, 5):
    ...     w, b, mistakes = perceptron_rule(x, y, w, b)
    ...     print(f"época {epoch}: b = {b:g}, w = {w}, fallos = {mistakes}")
    época 1: b = 0, w = [0. 1.], fallos = 2
    época 2: b = 0, w = [1. 1.], fallos = 2
    época 3: b = -1, w = [1. 1.], fallos = 1
    época 4: b = -1, w = [1. 1.], fallos = 0

    Parameters
    ----------
    x : ndarray, shape (n, d)
        Los ejemplos, uno por fila, en el orden en que se presentan.
    y : ndarray of int, shape (n,)
        La respuesta correcta de cada uno: 0 o 1.
    w : ndarray, shape (d,)
        Los pesos con que empieza la época. No se modifican.
    b : float
        El sesgo con que empieza.
    learning_rate : float
        La tasa :math:`\eta`, mayor que cero.

    Returns
    -------
    w : ndarray, shape (d,)
        Los pesos al terminar la época.
    b : float
        El sesgo al terminar.
    mistakes : int
        Cuántos ejemplos falló y corrigió.

    Raises
    ------
    TypeError
        Si algo no es un número real.
    ValueError
        Si las formas no concuerdan, hay etiquetas distintas de 0 y 1, o los pesos pueden desbordarse.

        >>> perceptron_rule(x, [-1, 1, 1, 1], w, b)
        Traceback (most recent call last):
            ...
        ValueError: y: se esperaba un entero entre 0 y 1, pero hay un -1 en la posición (0,)
    """
    sizes = {}
    x = check.floats(x, "x", "n d", sizes)
    y = check.labels(y, "y", 2, "n", sizes)
    w = check.floats(w, "w", "d", sizes).astype(np.float64)
    b = check.number(b, "b")
    learning_rate = check.number(learning_rate, "learning_rate", 0, open_low=True)
    _check_overflow(x, w, b, learning_rate, len(x))
    return w, *_perceptron_epoch(x, y, np.arange(len(x)), w, b, learning_rate)


def plain_perceptron_rule(x, y, w, b, learning_rate=1.0):
    r"""Una época: predecir, comparar, corregir."""
    w, mistakes = w.copy(), 0
    for x_i, y_i in zip(x, y, strict=True):
        z = w @ x_i + b  # [ec-per-suma-ponderada]
        answer = 1 if z >= 0 else 0
        error = y_i - answer  # [ec-per-error]
        w += learning_rate * error * x_i  # [ec-per-correccion]
        b += learning_rate * error  # [ec-per-correccion]
        mistakes += error != 0
    return w, b, mistakes


def _check_overflow(x, w, b, learning_rate, corrections):
    # Lo más que pueden crecer un peso y la suma ponderada en tantas correcciones.
    largest = max(float(x.max()), -float(x.min()))
    weight = float(np.abs(w).max()) + learning_rate * corrections * largest
    z = len(w) * weight * largest + abs(b) + learning_rate * corrections
    if not np.isfinite(z):
        raise ValueError(f"x: con datos de {largest:g} los pesos podrían desbordarse; divídelos entre el mayor")


@kernel
def _perceptron_epoch(x, y, order, w, b, learning_rate):
    mistakes = 0
    for i in order:
        # Predecir y comparar.
        error = y[i] - (1 if _row_sum(x, i, w, b) >= 0 else 0)  # [ec-per-error]
        # Corregir.
        if error != 0:
            for j in range(w.size):
                w[j] += learning_rate * error * x[i, j]  # [ec-per-correccion]
            b += learning_rate * error  # [ec-per-correccion]
            mistakes += 1
    return b, mistakes


# Con permiso de sumar en otro orden, el procesador hace varios productos a la vez.
@kernel(fastmath={"reassoc"})
def _row_sum(x, i, w, b):
    z = 0.0
    for j in range(w.size):
        z += w[j] * x[i, j]
    return z + b  # [ec-per-suma-ponderada]


class Perceptron:
    r"""El perceptrón de Rosenblatt: una unidad con umbral que aprende de los ejemplos.

    Junta las piezas del capítulo en un objeto que se usa como los de Keras: se crea, se entrena con :meth:`fit` y se
    consulta con :meth:`predict`. Entrenar es repetir :func:`perceptron_rule` desde :math:`\mathbf w=\mathbf 0`,
    :math:`b=0`, hasta que una época pase sin fallos o se acaben las épocas permitidas.

    **A mano.** Manzanas contra naranjas: cada fruta se describe con su peso, en cientos de gramos, y la rugosidad de su
    cáscara, de 0 a 1. Las cuatro primeras son manzanas (0) y las demás, naranjas (1).

    >>> from dlbook.data import apples_and_oranges
    >>> x, y = apples_and_oranges()
    >>> x[:2].tolist(), x[4:6].tolist()
    ([[1.5, 0.2], [1.7, 0.3]], [[1.4, 0.8], [1.6, 0.9]])
    >>> model = Perceptron().fit(x, y)
    >>> model.b, model.w.round(12)
    (0.0, array([-0.4,  1.1]))
    >>> model.history
    {'mistakes': [2, 2, 0]}
    >>> model.score(x, y)
    1.0

    El peso empuja un poco hacia «manzana» y la rugosidad, mucho hacia «naranja». Una fruta nueva, de 150 gramos y casi
    lisa:

    >>> model.predict([[1.5, 0.15]])
    array([0])

    Parameters
    ----------
    learning_rate : float
        La tasa :math:`\eta` de :eq:`ec-per-correccion`.
    epochs : int
        Cuántas épocas se permiten como máximo.
    shuffle : bool
        Si cada época presenta los ejemplos en un orden nuevo, al azar. Sin barajar se presentan como llegaron, y el
        resultado se puede seguir a mano.
    seed : int or numpy.random.Generator
        La semilla con que se baraja.

    Attributes
    ----------
    w : ndarray, shape (d,)
        Los pesos; ``None`` antes de entrenar.
    b : float
        El sesgo.
    history : dict
        ``{"mistakes": [...]}``, los fallos de cada época. Si el último es 0, la regla convergió.

    Raises
    ------
    TypeError, ValueError
        Si un argumento no es del tipo o del intervalo pedido.
    """

    def __init__(self, learning_rate=1.0, epochs=100, shuffle=False, seed=0):
        self.learning_rate = check.number(learning_rate, "learning_rate", 0, open_low=True)
        self.epochs = check.integer(epochs, "epochs", 1, MAX_EPOCHS)
        self.shuffle = check.choice(shuffle, "shuffle", [True, False])
        check.generator(seed)
        self.seed = seed
        self.w, self.b, self.history = None, 0.0, {"mistakes": []}

    def fit(self, x, y):
        r"""Entrena desde cero hasta que una época pase sin fallos, o hasta agotar las épocas.

        Parameters
        ----------
        x : ndarray, shape (n, d)
            Los ejemplos.
        y : ndarray of int, shape (n,)
            Sus respuestas, 0 o 1. Pueden ser todas iguales: «contestar siempre lo mismo» también se aprende.

        Returns
        -------
        Perceptron
            El mismo objeto, ya entrenado. Como en Keras, ``fit(x, y).history`` es el diccionario con la historia.

        Raises
        ------
        TypeError, ValueError
            Como :func:`perceptron_rule`.
        """
        sizes = {}
        x = check.floats(x, "x", "n d", sizes)
        y = check.labels(y, "y", 2, "n", sizes)
        generator = check.generator(self.seed)
        w, b, history = np.zeros(sizes["d"]), 0.0, []
        _check_overflow(x, w, b, self.learning_rate, sizes["n"] * self.epochs)
        order = np.arange(sizes["n"])
        for _ in range(self.epochs):
            if self.shuffle:
                order = generator.permutation(sizes["n"])
            b, mistakes = _perceptron_epoch(x, y, order, w, b, self.learning_rate)
            history.append(mistakes)
            if mistakes == 0:
                break
        self.w, self.b, self.history = w, b, {"mistakes": history}
        return self

    def decision_function(self, x):
        r"""Suma ponderada :math:`z` de cada ejemplo: su signo es la respuesta; su tamaño, la holgura.

        Parameters
        ----------
        x : ndarray, shape (n, d)
            Los ejemplos.

        Returns
        -------
        ndarray, shape (n,)
            :math:`z=\mathbf w^\top\mathbf x+b`. Dividida entre :math:`\lVert\mathbf w\rVert` es la distancia, con
            signo, a la frontera.

        Raises
        ------
        TypeError, ValueError
            Si ``x`` no es una matriz de números con tantas columnas como pesos, o falta entrenar.
        """
        if self.w is None:
            raise ValueError("Perceptron: todavía no tiene pesos; llama primero a fit(x, y)")
        sizes = {}
        w = check.floats(self.w, "w", "d", sizes).astype(np.float64)
        x = check.floats(x, "x", "n d", sizes)
        return check.floats(_row_sums(x, w, check.number(self.b, "b")), "suma ponderada")

    def predict(self, x):
        r"""Respuesta para cada ejemplo: 1 si la suma ponderada es mayor o igual que cero, 0 si no.

        Parameters
        ----------
        x : ndarray, shape (n, d)
            Los ejemplos.

        Returns
        -------
        ndarray of int, shape (n,)

        Raises
        ------
        TypeError, ValueError
            Como :meth:`decision_function`.
        """
        return step(self.decision_function(x))

    def score(self, x, y):
        r"""Exactitud (*accuracy*): la fracción de ejemplos que acierta.

        Parameters
        ----------
        x : ndarray, shape (n, d)
            Los ejemplos.
        y : ndarray of int, shape (n,)
            Sus respuestas, 0 o 1.

        Returns
        -------
        float
            Entre 0 y 1.

        Raises
        ------
        TypeError, ValueError
            Como :func:`perceptron_rule`.
        """
        answer = self.predict(x)
        return float((answer == check.labels(y, "y", 2, "n", {"n": len(answer)})).mean())


# La misma suma que al entrenar, en el mismo orden: lo que allá fue un acierto también lo es aquí.
@kernel
def _row_sums(x, w, b):
    z = np.empty(len(x))
    for i in range(len(x)):
        z[i] = _row_sum(x, i, w, b)
    return z
