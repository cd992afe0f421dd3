r"""Normalización por lotes: cada canal, centrado y a la misma escala en toda la red."""

import numpy as np

from chapters.cnn.arguments import known
from chapters.mlp import constraints, initializers, regularizers
from chapters.mlp.layer import Layer
from chapters.mlp.places import give_back, permuted, take
from dlbook import check
from dlbook.attributes import Absent
from dlbook.numeric.elementwise import copy
from dlbook.numeric.kernel import kernel

# De a cuántas filas se suma en el tipo de los datos antes de pasar a float64: pocas, para no perder cifras.
BLOCK = 64


def batch_norm_forward(x, gamma, beta, epsilon=1e-3):
    r"""Normalización por lotes (*batch normalization*), hacia delante.

    Centrar los datos y dividirlos entre su desviación estándar arregla lo que recibe la primera capa. Pero cada capa es
    la entrada de la siguiente, y sus pesos se mueven en cada paso: lo que salía centrado deja de estarlo. La idea de
    :cite:t:`ioffe2015` es normalizar **dentro** de la red, en cada paso y con lo que haya en el lote.

    **Definición.** Tomemos un canal y sus :math:`M` valores en el lote, :math:`x_1,\dots,x_M`. En una capa densa, el
    canal es una neurona y hay un valor por observación, :math:`M=n`. En una imagen hay además uno por píxel,
    :math:`M=n\,H\,W`: a todas las posiciones que recorrió el filtro se les hace lo mismo. Se calculan la media y la
    varianza,

    .. math::
       :label: ec-cnn-bn-media

       \begin{aligned}
       \mu&=\frac1M\sum_{i=1}^{M}x_i,\\
       \sigma^2&=\frac1M\sum_{i=1}^{M}(x_i-\mu)^2,
       \end{aligned}

    se centra y se escala,

    .. math::
       :label: ec-cnn-bn-normaliza

       \hat x_i=\frac{x_i-\mu}{\sqrt{\sigma^2+\varepsilon}},

    y se deja que la red elija otra media y otra escala, si le convienen:

    .. math::
       :label: ec-cnn-bn-escala

       y_i=\gamma\,\hat x_i+\beta .

    :math:`\varepsilon` es un número pequeño que evita dividir entre cero cuando el canal es constante. :math:`\gamma` y
    :math:`\beta` se aprenden, uno por canal. Si llegaran a ser :math:`\gamma=\sqrt{\sigma^2+\varepsilon}` y
    :math:`\beta=\mu`, la capa devolvería lo que entró: la red no pierde lo que ya podía hacer.

    **El lote entero.** Para ir más deprisa, un lote se reparte entre varios hilos. Cada uno suma lo suyo, las sumas se
    juntan y solo entonces se divide: :math:`\mu` y :math:`\sigma^2` son las de **todo** el lote, como si nadie lo
    hubiera repartido.

    **A mano.** Un canal con los valores 1, 1, 5 y 5: la media es 3, la varianza 4, y :math:`\hat x=(-1,-1,1,1)`. Con
    :math:`\gamma=10` y :math:`\beta=7` quedan en :math:`-3` y :math:`17`:

    >>> x = [[1.0], [1.0], [5.0], [5.0]]
    >>> y, mean, variance = batch_norm_forward(x, [10.0], [7.0], 1e-12)
    >>> y.round(6).ravel()
    array([-3., -3., 17., 17.])
    >>> mean, variance
    (array([3.]), array([4.]))

    Si al canal se le suma una constante, o se multiplica por un número positivo, la salida es la misma, salvo por
    :math:`\varepsilon`:

    >>> other = 100 * np.array(x) - 8
    >>> batch_norm_forward(other, [10.0], [7.0], 1e-12)[0].round(6).ravel()
    array([-3., -3., 17., 17.])

    Parameters
    ----------
    x : array_like, shape (..., d)
        El último eje son los canales.
    gamma, beta : array_like, shape (d,)
        La escala y el desplazamiento de cada canal.
    epsilon : float
        El número :math:`\varepsilon`, mayor que 0.

    Returns
    -------
    y : ndarray, shape (..., d)
        La salida.
    mean, variance : ndarray, shape (d,)
        La media y la varianza de cada canal.

    Raises
    ------
    TypeError
        Si no son números reales.
    ValueError
        Si las formas no encajan o si hay NaN o infinitos.
    """
    sizes = {}
    x = check.floats(x, "x", "... d", sizes)
    gamma, beta = (check.floats(a, name, "d", sizes).astype(x.dtype) for a, name in ((gamma, "gamma"), (beta, "beta")))
    epsilon = check.number(epsilon, "epsilon", 0, open_low=True)
    rows = x.reshape(-1, x.shape[-1])
    mean, variance, inverse = _batch_statistics(rows, epsilon)
    y = np.empty_like(x)
    _batch_norm_forward(rows, mean, inverse, gamma, beta, y.reshape(rows.shape))
    return y, mean, variance


def plain_batch_norm_forward(x, gamma, beta, epsilon=1e-3):
    r"""Cada canal, centrado y a escala."""
    others = tuple(range(x.ndim - 1))  # todos menos los canales
    mean = x.mean(axis=others)  # [ec-cnn-bn-media]
    variance = ((x - mean) ** 2).mean(axis=others)  # [ec-cnn-bn-media]
    hat = (x - mean) / np.sqrt(variance + epsilon)  # [ec-cnn-bn-normaliza]
    y = gamma * hat + beta  # [ec-cnn-bn-escala]
    return y, mean, variance


@kernel
def _join(moments, count, means, squares):
    d = means.size
    before, after = moments[0], moments[0] + count
    for j in range(d):
        step = means[j] - moments[1 + j]
        moments[1 + j] += count / after * step  # [ec-cnn-bn-juntar]
        moments[1 + d + j] += squares[j] + before * count / after * step * step  # [ec-cnn-bn-juntar]
    moments[0] = after


@kernel
def _moments(x, moments):
    # moments = (M, medias, sumas de cuadrados), en float64.
    n, d = x.shape
    moments[:] = 0
    total, squares = np.empty(d, x.dtype), np.empty(d, x.dtype)
    for start in range(0, n, BLOCK):
        stop = min(start + BLOCK, n)
        total[:] = 0
        for i in range(start, stop):
            for j in range(d):
                total[j] += x[i, j]
        for j in range(d):
            total[j] /= stop - start  # [ec-cnn-bn-media]
        squares[:] = 0
        for i in range(start, stop):
            for j in range(d):
                squares[j] += (x[i, j] - total[j]) * (x[i, j] - total[j])  # [ec-cnn-bn-media]
        _join(moments, stop - start, total, squares)


@kernel
def _join_parts(parts, epsilon, mean, variance, inverse, count):
    # Las partes del lote, siempre en el mismo orden; apunta cuántos valores tiene cada canal.
    d = mean.size
    moments = parts[0].copy()
    for k in range(1, parts.shape[0]):
        _join(moments, parts[k, 0], parts[k, 1 : 1 + d], parts[k, 1 + d :])
    for j in range(d):
        mean[j] = moments[1 + j]
        variance[j] = moments[1 + d + j] / moments[0]
        inverse[j] = 1 / np.sqrt(moments[1 + d + j] / moments[0] + epsilon)
    count[0] = moments[0]


def _batch_statistics(rows, epsilon):
    d = rows.shape[1]
    moments = np.empty(1 + 2 * d)
    mean, variance, inverse = (np.empty(d, rows.dtype) for _ in range(3))
    _moments(rows, moments)
    _join_parts(moments[np.newaxis], epsilon, mean, variance, inverse, np.empty(1))
    return mean, variance, inverse


@kernel
def _batch_norm_forward(x, mean, inverse, gamma, beta, y):
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            hat = (x[i, j] - mean[j]) * inverse[j]  # [ec-cnn-bn-normaliza]
            y[i, j] = gamma[j] * hat + beta[j]  # [ec-cnn-bn-escala]


def batch_norm_backward(x, gamma, dy, epsilon=1e-3):
    r"""Normalización por lotes, hacia atrás.

    Aquí hay algo que ninguna capa anterior tenía. La salida de una observación depende de **todas** las del lote, por
    la media y por la varianza. Mover :math:`x_k` mueve a :math:`y_k` y, de paso, a las demás.

    **Derivación.** Tomemos un canal, con :math:`s=\sqrt{\sigma^2+\varepsilon}` y :math:`g_i` el gradiente que llega a
    :math:`y_i`. Lo fácil primero. :math:`\gamma` y :math:`\beta` tocan a los :math:`M` valores, y sus gradientes son
    sumas:

    .. math::
       :label: ec-cnn-bn-parametros

       \frac{\partial\mathcal L}{\partial\beta}=\sum_i g_i,
       \qquad
       \frac{\partial\mathcal L}{\partial\gamma}=\sum_i g_i\,\hat x_i .

    Ahora :math:`x_k`, que llega a :math:`\hat x_i=(x_i-\mu)/s` por tres caminos: el directo, si :math:`i=k`; la media;
    y la varianza, que está dentro de :math:`s`. Escribimos :math:`[i=k]` por el número que vale 1 si :math:`i=k` y 0 si
    no; es la derivada de :math:`x_i` respecto a :math:`x_k`. La de la media, que es un promedio, es
    :math:`\partial\mu/\partial x_k=1/M`. La de la varianza se saca derivando cada cuadrado:

    .. math::
       :label: ed-cnn-bn-caminos

       \begin{aligned}
       \frac{\partial\sigma^2}{\partial x_k}
       &=\tfrac2M\sum_i(x_i-\mu)\bigl([i=k]-\tfrac1M\bigr)\\
       &=\tfrac2M(x_k-\mu)-\tfrac2{M^2}\underbrace{\textstyle\sum_i(x_i-\mu)}_{0}\\
       &=\tfrac2M(x_k-\mu).
       \end{aligned}

    La última suma es cero porque :math:`\sum_i x_i=M\mu`. Falta la de :math:`s=\sqrt{\sigma^2+\varepsilon}`, y la da la
    regla de la cadena:

    .. math::
       :label: ed-cnn-bn-desviacion

       \frac{\partial s}{\partial x_k}
       =\frac1{2s}\,\frac{\partial\sigma^2}{\partial x_k}
       =\frac{x_k-\mu}{M\,s}
       =\frac{\hat x_k}M .

    Con eso se deriva :math:`\hat x_i`, que es un cociente, :math:`(u/s)'=u'/s-u\,s'/s^2` con :math:`u=x_i-\mu`:

    .. math::
       :label: ed-cnn-bn-jacobiano

       \begin{aligned}
       \frac{\partial\hat x_i}{\partial x_k}
       &=\frac{[i=k]-\frac1M}{s}-\frac{x_i-\mu}{s^2}\cdot\frac{\hat x_k}{M}\\
       &=\frac1s\left([i=k]-\frac1M-\frac{\hat x_i\hat x_k}{M}\right),
       \end{aligned}

    porque :math:`(x_i-\mu)/s` es otra vez :math:`\hat x_i`. Por último, la pérdida depende de :math:`x_k` a través de
    todas las salidas, y :math:`y_i=\gamma\hat x_i+\beta`. Se suma sobre ellas, y de :math:`\sum_i g_i[i=k]` solo queda
    :math:`g_k`:

    .. math::
       :label: ec-cnn-bn-entrada

       \begin{aligned}
       \frac{\partial\mathcal L}{\partial x_k}
       &=\sum_i g_i\,\gamma\,\frac{\partial\hat x_i}{\partial x_k}\\
       &=\frac{\gamma}{s}\Bigl(g_k-\frac1M\sum_i g_i\\
       &\qquad\quad-\hat x_k\,\frac1M\sum_i g_i\hat x_i\Bigr).
       \end{aligned}

    Las dos sumas son las de :eq:`ec-cnn-bn-parametros`: ya estaban hechas.

    **Qué dice.** Al gradiente que llega se le quita su media, y luego su parte a lo largo de :math:`\hat{\mathbf x}`.
    Tenía que ser así. Sumar una constante a todo el canal no cambia la salida, y estirarlo desde su media tampoco,
    salvo por :math:`\varepsilon`: en esas dos direcciones no hay nada que ganar, y no puede haber gradiente.

    **A mano.** Con los valores 1, 1, 5 y 5 teníamos :math:`s=2` y :math:`\hat x=(-1,-1,1,1)`. Llega :math:`g=(4,0,0,0)`
    y :math:`\gamma=10`. Las sumas son :math:`\sum g_i=4` y :math:`\sum g_i\hat x_i=-4`, con medias :math:`1` y
    :math:`-1`. Al primer valor le toca :math:`\frac{10}2(4-1-(-1)(-1))=10`; al segundo,
    :math:`\frac{10}2(0-1-(-1)(-1))=-10`; a los otros dos, :math:`\frac{10}2(0-1-(1)(-1))=0`:

    >>> x = [[1.0], [1.0], [5.0], [5.0]]
    >>> g = [[4.0], [0.0], [0.0], [0.0]]
    >>> dgamma, dbeta, dx = batch_norm_backward(x, [10.0], g, 1e-12)
    >>> dx.round(6).ravel() + 0.0
    array([ 10., -10.,   0.,   0.])
    >>> dgamma.round(6), dbeta
    (array([-4.]), array([4.]))

    Al segundo valor no le llegaba ninguna culpa, y recibe una: subirlo mueve la media y la varianza, y con ellas al
    primero.

    Parameters
    ----------
    x : array_like, shape (..., d)
        Lo que entró a :func:`batch_norm_forward`.
    gamma : array_like, shape (d,)
        La escala de cada canal.
    dy : array_like, shape (..., d)
        El gradiente de la salida.
    epsilon : float
        El número :math:`\varepsilon`, mayor que 0.

    Returns
    -------
    dgamma, dbeta : ndarray, shape (d,)
        Los gradientes de la escala y el desplazamiento.
    dx : ndarray, shape (..., d)
        El de la entrada.

    Raises
    ------
    TypeError
        Si no son números reales.
    ValueError
        Si las formas no encajan o si hay NaN o infinitos.
    """
    sizes = {}
    x = check.floats(x, "x", "... d", sizes)
    gamma = check.floats(gamma, "gamma", "d", sizes).astype(x.dtype)
    dy = check.floats(dy, "dy").astype(x.dtype, copy=False)
    if dy.shape != x.shape:
        raise ValueError(f"dy: se esperaba la forma de x, {x.shape}, pero llegó {dy.shape}")
    epsilon = check.number(epsilon, "epsilon", 0, open_low=True)
    rows = x.reshape(-1, x.shape[-1])
    mean, _, inverse = _batch_statistics(rows, epsilon)
    sums, dx = np.empty((2, rows.shape[1])), np.empty_like(x)
    _batch_norm_sums(rows, dy.reshape(rows.shape), mean, inverse, sums)
    _batch_norm_backward(rows, dy.reshape(rows.shape), mean, inverse, gamma, sums / len(rows), dx.reshape(rows.shape))
    return sums[0].astype(x.dtype), sums[1].astype(x.dtype), dx


def plain_batch_norm_backward(x, gamma, dy, epsilon=1e-3):
    r"""Tres caminos: el directo, el de la media y el de la varianza."""
    others = tuple(range(x.ndim - 1))
    s = np.sqrt(x.var(axis=others) + epsilon)
    hat = (x - x.mean(axis=others)) / s  # [ec-cnn-bn-normaliza]
    M = x.size // gamma.size
    dbeta = dy.sum(axis=others)  # [ec-cnn-bn-parametros]
    dgamma = (dy * hat).sum(axis=others)  # [ec-cnn-bn-parametros]
    dx = gamma / s * (dy - dbeta / M - hat * dgamma / M)  # [ec-cnn-bn-entrada]
    return dgamma, dbeta, dx


@kernel
def _batch_norm_sums(x, dy, mean, inverse, sums):
    # sums = (gradiente de gamma, gradiente de beta), en float64.
    n, d = x.shape
    sums[:] = 0
    dgamma, dbeta = np.empty(d, x.dtype), np.empty(d, x.dtype)
    for start in range(0, n, BLOCK):
        dgamma[:] = 0
        dbeta[:] = 0
        for i in range(start, min(start + BLOCK, n)):
            for j in range(d):
                dgamma[j] += dy[i, j] * ((x[i, j] - mean[j]) * inverse[j])  # [ec-cnn-bn-parametros]
                dbeta[j] += dy[i, j]  # [ec-cnn-bn-parametros]
        for j in range(d):
            sums[0, j] += dgamma[j]
            sums[1, j] += dbeta[j]


@kernel
def _average(parts, count, means):
    # La media sobre el lote entero de lo que juntó cada parte.
    for k in range(means.shape[0]):
        for j in range(means.shape[1]):
            total = 0.0
            for part in range(parts.shape[0]):
                total += parts[part, k, j]
            means[k, j] = total / count[0]


@kernel
def _batch_norm_backward(x, dy, mean, inverse, gamma, means, dx):
    n, d = x.shape
    mean_dot, mean_dy = means[0].astype(x.dtype), means[1].astype(x.dtype)
    for i in range(n):
        for j in range(d):
            hat = (x[i, j] - mean[j]) * inverse[j]
            dx[i, j] = gamma[j] * inverse[j] * (dy[i, j] - mean_dy[j] - hat * mean_dot[j])  # [ec-cnn-bn-entrada]


class BatchNormalization(Layer):
    r"""Capa de normalización por lotes, con los argumentos de Keras.

    Al entrenar hace :func:`batch_norm_forward` con la media y la varianza del lote. Al predecir no debe: la respuesta a
    una foto no puede depender de qué otras fotos llegaron con ella. Por eso la capa lleva, mientras entrena, un
    **promedio móvil** de las medias y las varianzas que va viendo. En cada paso conserva una parte :math:`m` de lo que
    recordaba, y el resto lo toma del lote; :math:`m` es la **inercia**, el argumento ``momentum``:

    .. math::
       :label: ec-cnn-bn-movil

       \begin{aligned}
       \bar\mu&\leftarrow m\,\bar\mu+(1-m)\,\mu,\\
       \bar\sigma^2&\leftarrow m\,\bar\sigma^2+(1-m)\,\sigma^2 .
       \end{aligned}

    Esos dos números por canal **no se aprenden** del gradiente: son un *estado*. Se guardan y se copian con los pesos,
    y no entran en :math:`\boldsymbol\theta`. Al predecir, :eq:`ec-cnn-bn-normaliza` usa :math:`\bar\mu` y
    :math:`\bar\sigma^2`, que no dependen de lo que llega. La capa es entonces una recta por canal, y la derivada de una
    recta es su pendiente. Si a :math:`y_k` le llega el gradiente :math:`g_k`,

    .. math::
       :label: ec-cnn-bn-prediccion

       \frac{\partial\mathcal L}{\partial x_k}=\frac{\gamma}{\sqrt{\bar\sigma^2+\varepsilon}}\;g_k .

    Congelada (``trainable=False``), la capa también usa los promedios, y no los mueve: así, una red que aprendió con
    otros datos no los olvida en los primeros lotes de los nuevos.

    **A mano.** Los valores 1, 1, 5 y 5 tienen media 3 y varianza 4. Los promedios empiezan en 0 y 1, y con
    :math:`m=0.75` un paso los deja en :math:`0.25\cdot3=0.75` y :math:`0.75+0.25\cdot4=1.75`:

    >>> options = {"epsilon": 1e-12, "dtype": "float64"}
    >>> layer = BatchNormalization(momentum=0.75, **options)
    >>> x = [[1.0], [1.0], [5.0], [5.0]]
    >>> layer.forward(x, training=True).round(6).ravel()
    array([-1., -1.,  1.,  1.])
    >>> layer.moving_mean, layer.moving_variance
    (array([0.75]), array([1.75]))

    Predecir con ellos da otra cosa, :math:`(1-0.75)/\sqrt{1.75}\approx0.189` para los unos, hasta que los promedios
    alcanzan a los datos:

    >>> layer.forward(x).round(3).ravel()
    array([0.189, 0.189, 3.213, 3.213])
    >>> for _ in range(100):
    ...     y = layer.forward(x, training=True)
    >>> layer.forward(x).round(3).ravel()
    array([-1., -1.,  1.,  1.])

    Los pesos salen en el orden de Keras: :math:`\gamma`, :math:`\beta`, :math:`\bar\mu`, :math:`\bar\sigma^2`.

    >>> layer.count_params(), len(layer.trainable_weights)
    (4, 2)

    Parameters
    ----------
    axis : int
        El eje de los canales, contando el de las observaciones: casi siempre el último.
    momentum : float
        La inercia :math:`m` de los promedios, de 0 a 1.
    epsilon : float
        El número :math:`\varepsilon`.
    center, scale : bool
        Si hay :math:`\beta` y si hay :math:`\gamma`.
    beta_initializer, gamma_initializer, moving_mean_initializer, moving_variance_initializer : str or Initializer
        Con qué valores empiezan.
    beta_regularizer, gamma_regularizer : str or Regularizer, optional
        Penalización que se suma a la pérdida.
    beta_constraint, gamma_constraint : str, Constraint or callable, optional
        Restricción que se les impone después de cada paso.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`chapters.mlp.Layer`.

    Attributes
    ----------
    gamma : ndarray, shape (d,), or None
        La escala :math:`\gamma`.
    beta : ndarray, shape (d,), or None
        El desplazamiento :math:`\beta`.
    moving_mean : ndarray, shape (d,)
        El promedio móvil de las medias.
    moving_variance : ndarray, shape (d,)
        El de las varianzas.

    Raises
    ------
    TypeError, ValueError
        Si un argumento no es del tipo o del conjunto que se espera.

        >>> BatchNormalization(momentum=2)
        Traceback (most recent call last):
            ...
        ValueError: momentum: se esperaba un número de al menos 0 y de a lo sumo 1, pero llegó 2

    Notes
    -----
    El lote se reparte entre los hilos, cada uno con su copia de la capa, pero la media y la varianza son las del lote
    entero: a la mitad del paso las copias se esperan y las juntan con :eq:`ec-cnn-bn-juntar`. Hacia atrás juntan las
    dos sumas de :eq:`ec-cnn-bn-parametros`. La vuelta deriva la ida que se hizo: si la capa se congela entre una y
    otra, sigue siendo la del lote.
    """

    whole_batch = True
    supports_masking = True
    renorm = Absent(False)
    renorm_clipping = Absent(None)
    renorm_momentum = Absent(0.99)
    synchronized = Absent(False)

    def __init__(
        self,
        axis=-1,
        momentum=0.99,
        epsilon=1e-3,
        center=True,
        scale=True,
        beta_initializer="zeros",
        gamma_initializer="ones",
        moving_mean_initializer="zeros",
        moving_variance_initializer="ones",
        beta_regularizer=None,
        gamma_regularizer=None,
        beta_constraint=None,
        gamma_constraint=None,
        **options,
    ):
        super().__init__(**options)
        self.axis = check.integer(axis, "axis", -64, 64)
        self.momentum = check.number(momentum, "momentum", 0, 1)
        self.epsilon = check.number(epsilon, "epsilon", 0, open_low=True)
        self.center, self.scale = check.boolean(center, "center"), check.boolean(scale, "scale")
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.gamma = self.beta = self.moving_mean = self.moving_variance = None

    def build(self, input_shape):
        r"""Crea los pesos y los promedios, uno por canal."""
        sizes = check.shape(input_shape, "input_shape", unknown=True)
        axis = self.axis + len(sizes) + 1 if self.axis < 0 else self.axis
        if not 1 <= axis <= len(sizes):
            raise ValueError(f"axis: se esperaba un eje que no sea el de las observaciones, pero llegó {self.axis}")
        shape = (sizes[axis - 1],)
        if shape == (None,):
            raise ValueError(f"axis: se esperaba un eje que mida siempre lo mismo, pero llegó {self.axis}")
        super().build(input_shape)
        self._axis_of_channels = axis
        self.any_size = axis == len(sizes)
        if self.scale:
            own = {"regularizer": self.gamma_regularizer, "constraint": self.gamma_constraint}
            self.gamma = self.add_weight(shape, self.gamma_initializer, **own)
        if self.center:
            own = {"regularizer": self.beta_regularizer, "constraint": self.beta_constraint}
            self.beta = self.add_weight(shape, self.beta_initializer, **own)
        self.moving_mean = self.add_weight(shape, self.moving_mean_initializer, trainable=False)
        self.moving_variance = self.add_weight(shape, self.moving_variance_initializer, trainable=False)
        # Lo que hace las veces del peso que no hay.
        self._ones, self._zeros = np.ones(shape, self.dtype), np.zeros(shape, self.dtype)

    def forward(self, x, training=False, mask=None):
        r"""Normaliza con el lote, si se entrena, o con los promedios; la media es de los instantes que cuentan."""
        self.x = x = self.ready(x)
        self.rows = rows = self._rows(x, "rows")
        self.padded = None if mask is None else ~self._per_row(mask, x.shape)
        channels = rows.shape[1:]
        self.mean, self.inverse = self.buffer("mean", channels), self.buffer("inverse", channels)
        self.with_batch = bool(training) and self.trainable
        if self.with_batch:
            moments = self.buffer("moments", (1 + 2 * rows.shape[1],), np.float64)
            variance, self.count = self.buffer("variance", channels), self.buffer("count", (1,), np.float64)
            _moments(rows if mask is None else rows[~self.padded], moments)
            parts = self.share(moments)
            if mask is not None:
                parts = np.ascontiguousarray(parts[parts[:, 0] > 0])
            if len(parts):
                _join_parts(parts, self.epsilon, self.mean, variance, self.inverse, self.count)
            else:
                # Un lote en el que nada cuenta: centro 0, sin mover los promedios.
                self.count[0], self.mean[:] = 1, 0
                _inverse(self.mean, self.epsilon, self.inverse)
            if self.part == 0 and len(parts):
                # Los promedios son de todas las réplicas; los mueve una.
                _move_averages(self.moving_mean, self.moving_variance, self.mean, variance, self.momentum)
        else:
            copy(self.moving_mean, self.mean)
            _inverse(self.moving_variance, self.epsilon, self.inverse)
        y = self.buffer("y", rows.shape)
        gamma, beta = self._gamma_and_beta()
        _batch_norm_forward(rows, self.mean, self.inverse, gamma, beta, y)
        self.y = y = self._back(y, "out")
        return y

    def backward(self, dy):
        r"""Llena los gradientes de :math:`\gamma` y :math:`\beta` y devuelve el de la entrada."""
        dy = self._rows(self.output_gradient(dy), "dy")
        gamma, _ = self._gamma_and_beta()
        # Lo que se deriva es la ida que se hizo, aunque después se haya congelado la capa.
        if self.trainable or self.with_batch:
            sums = self.buffer("sums", (2, dy.shape[1]), np.float64)
            _batch_norm_sums(self.rows, dy, self.mean, self.inverse, sums)
        if self.trainable:
            self._keep(sums)
        if not self.input_gradient:
            return None
        dx = self.buffer("dx", dy.shape)
        if self.with_batch:
            means = self.buffer("means", sums.shape, np.float64)
            _average(self.share(sums), self.count, means)
            _batch_norm_backward(self.rows, dy, self.mean, self.inverse, gamma, means, dx)
            if self.padded is not None:
                # Un relleno no movió la media ni la varianza: lo suyo es solo su escala.
                dx[self.padded] = dy[self.padded] * (gamma * self.inverse)
        else:
            _affine_backward(dy, self.inverse, gamma, dx)
        return self._back(dx, "din")

    def work(self):
        r"""Cuenta unas cuantas operaciones por número: leer y escribir la memoria cuesta más que ellas."""
        return 8 * known(self.input_shape)

    def _gamma_and_beta(self):
        return self.gamma if self.scale else self._ones, self.beta if self.center else self._zeros

    def _keep(self, sums):
        kept = [own for own, there in zip(sums, (self.scale, self.center), strict=True) if there]
        for gradient, own in zip(self.gradients, kept, strict=True):
            copy(own, gradient)

    def _rows(self, x, name):
        # Una columna por canal. Si los canales no son el último eje, hay que llevarlos ahí.
        if self._axis_of_channels == x.ndim - 1:
            return x.reshape(-1, x.shape[-1])
        rows = self.buffer(
            f"{name} moved", (x.size // x.shape[self._axis_of_channels], x.shape[self._axis_of_channels])
        )
        take(x, self._places(), rows.reshape(len(x), -1))
        return rows

    def _per_row(self, mask, shape):
        # Uno por vector de canales, en el orden de las filas.
        mask = check.mask(mask, "mask")
        if self._axis_of_channels != len(shape) - 1:
            raise ValueError(f"{self.name}: con máscara se espera que los canales sean el último eje")
        if not 0 < mask.ndim < len(shape) or mask.shape != shape[: mask.ndim]:
            raise ValueError(f"mask: se esperaba la forma {shape[:-1]}, pero llegó {mask.shape}")
        wide = mask.reshape(mask.shape + (1,) * (len(shape) - 1 - mask.ndim))
        return np.ascontiguousarray(np.broadcast_to(wide, shape[:-1])).reshape(-1)

    def _back(self, rows, name):
        if self._axis_of_channels == self.x.ndim - 1:
            return rows.reshape(self.x.shape)
        x = self.buffer(name, self.x.shape)
        give_back(rows.reshape(len(x), -1), self._places(), x)
        return x

    def _places(self):
        # De dónde sale cada número al poner los canales al final.
        axes = range(self.x.ndim - 1)
        return permuted(self.x.shape[1:], tuple(sorted(axes, key=lambda axis: axis == self._axis_of_channels - 1)))


def plain_batch_normalization(x, gamma, beta, moving, momentum, training):
    r"""Al entrenar, con el lote, y los promedios se mueven; al predecir, con ellos."""
    if training:
        y, *batch = plain_batch_norm_forward(x, gamma, beta)
        moving = momentum * moving + (1 - momentum) * np.array(batch)  # [ec-cnn-bn-movil]
    else:
        mean, variance = moving  # (2, d)
        slope = gamma / np.sqrt(variance + 1e-3)  # [ec-cnn-bn-prediccion]
        y = slope * (x - mean) + beta
    return y, moving


@kernel
def _move_averages(moving_mean, moving_variance, mean, variance, momentum):
    for j in range(mean.size):
        # Un lote dañado da NaN, y el entrenamiento se detiene; que los promedios no se dañen con él.
        if np.isfinite(mean[j]) and np.isfinite(variance[j]):
            moving_mean[j] = momentum * moving_mean[j] + (1 - momentum) * mean[j]  # [ec-cnn-bn-movil]
            moving_variance[j] = momentum * moving_variance[j] + (1 - momentum) * variance[j]  # [ec-cnn-bn-movil]


@kernel
def _inverse(variance, epsilon, inverse):
    for j in range(variance.size):
        inverse[j] = 1 / np.sqrt(variance[j] + epsilon)


@kernel
def _affine_backward(dy, inverse, gamma, dx):
    for i in range(dy.shape[0]):
        for j in range(dy.shape[1]):
            dx[i, j] = gamma[j] * inverse[j] * dy[i, j]  # [ec-cnn-bn-prediccion]
