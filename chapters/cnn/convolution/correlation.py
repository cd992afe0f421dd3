r"""La correlación cruzada y la convolución de una imagen con un filtro, y los filtros que se parten en dos."""

import math

import numpy as np

from chapters.cnn.convolution.geometry import output_size, same_padding
from dlbook.check import floats, memory
from dlbook.numeric.kernel import kernel


def correlate2d(image, kernel, stride=1, padding="valid", dilation=1):
    r"""Correlación cruzada (*cross-correlation*) de una imagen con un filtro.

    Pon el *filtro* (*filter*, *kernel*), una cuadrícula pequeña de pesos, sobre una esquina de la imagen. Multiplica
    cada peso por el píxel que tiene debajo y suma: un número. Mueve el filtro una casilla y repite, hasta barrer la
    imagen. Los números, en el lugar donde se obtuvieron, forman el mapa de salida, :math:`y`. Si :math:`x` es la imagen
    y :math:`k`, un filtro de :math:`N_1` filas y :math:`N_2` columnas, :item:`CNN-01, CNN-59`

    .. math::
       :label: ec-cnn-correlacion

       y_{ij} = \sum_{a=0}^{N_1-1}\ \sum_{b=0}^{N_2-1} x_{\,i+a,\ j+b}\ k_{ab} .

    **Es el producto punto de siempre.** Extiende en una fila el parche de imagen que hay bajo el filtro y extiende
    igual el filtro: :math:`y_{ij}` es su producto punto, :eq:`ec-per-producto-punto`. O sea, la preactivación de una
    neurona sin sesgo que solo ve ese parche y cuyos pesos son el filtro. **Una correlación es una misma neurona
    preguntando lo mismo en cada lugar**. Entre parches de la misma longitud, contesta más alto el que más apunta hacia
    donde apuntan sus pesos, :eq:`ed-per-parecido`.

    **Es lineal**, y **se mueve con la imagen**. Si :math:`x'_{ij}=x_{i-u,\,j-v}` es la imagen desplazada, entonces

    .. math::
       :label: ed-cnn-equivariancia

       y'_{ij} = \sum_{a,b} x_{\,i-u+a,\ j-v+b}\ k_{ab} = y_{i-u,\ j-v} :

    el mapa desplazado lo mismo. A eso se le llama *equivariancia a traslaciones*, y pide dos cosas. La ventana tiene
    que avanzar **de uno en uno**; si avanza de :math:`S` en :math:`S`, solo vale para desplazamientos múltiplos de
    :math:`S`, y con uno de :math:`mS` píxeles el mapa se mueve :math:`m` casillas. Y las dos ventanas, la de antes y la
    de después, tienen que caer **dentro** de la imagen: en la orilla entran píxeles nuevos y otros se pierden.

    **A mano.** El filtro resta la columna derecha de la ventana a la izquierda. En la primera parada,
    :math:`(1+3+0)-(2+0+1)=1`; una casilla a la derecha, :math:`(0+1+2)-(1+1+0)=1`:

    >>> image = [[1, 0, 2, 1],
    ...          [3, 1, 0, 1],
    ...          [0, 2, 1, 0]]
    >>> edge = [[1, 0, -1]] * 3
    >>> correlate2d(image, edge)
    array([[1., 1.]])

    Con el parche y el filtro en fila, el mismo 1:

    >>> patch = np.array(image)[0:3, 0:3]
    >>> int(patch.ravel() @ np.ravel(edge))
    1

    Una imagen al azar, movida una casilla a la derecha: el mapa es el mismo, movido, salvo la columna por donde entró
    lo nuevo. Y si la ventana avanza de dos en dos, una casilla lo cambia entero; dos, no:

    >>> x = np.random.default_rng(0).normal(size=(8, 9))
    >>> y, moved = correlate2d(x, edge), correlate2d(np.roll(x, 1, 1), edge)
    >>> np.isclose(moved[:, 1:], y[:, :-1]).mean().item()
    1.0
    >>> y = correlate2d(x, edge, stride=2)
    >>> for u in 1, 2:
    ...     moved = correlate2d(np.roll(x, u, 1), edge, stride=2)
    ...     print(u, np.isclose(moved[:, 1:], y[:, :-1]).mean())
    1 0.0
    2 1.0

    Parameters
    ----------
    image : array_like, shape (H, W)
        Un canal de una imagen. Los enteros, también los de ocho bits, pasan a ``float64`` antes de multiplicar.
    kernel : array_like, shape (N1, N2)
        El filtro.
    stride, dilation : int
        El paso y la dilatación, los mismos en los dos ejes.
    padding : {"valid", "same"} or int
        El relleno de ceros: por su nombre, o cuántos en cada orilla.

    Returns
    -------
    ndarray, shape (M1, M2)
        ``float32`` si la imagen y el filtro lo son; si no, ``float64``.

    Raises
    ------
    TypeError
        Si no son números reales o los tamaños no son enteros.
    ValueError
        Si no son de dos ejes, si hay NaN o infinitos o si el filtro no cabe en la imagen.

        >>> correlate2d(np.ones((2, 5)), np.ones((3, 3)))
        Traceback (most recent call last):
            ...
        ValueError: kernel_size: se esperaba un filtro que quepa en 2, pero ocupa 3
    """
    image = floats(image, "image", "H W")
    kernel = floats(kernel, "kernel", "N1 N2")
    dtype = np.result_type(image, kernel)
    if isinstance(padding, str):
        padding = padding.lower()
    shape = [output_size(d, n, stride, padding, dilation) for d, n in zip(image.shape, kernel.shape, strict=True)]
    if padding == "same":
        margins = [same_padding(d, n, stride, dilation) for d, n in zip(image.shape, kernel.shape, strict=True)]
    else:
        margins = [(0, 0) if padding == "valid" else (padding, padding)] * 2
    memory(math.prod(d + sum(m) for d, m in zip(image.shape, margins, strict=True)), "padding", dtype.itemsize)
    x = np.pad(image.astype(dtype, copy=False), margins)
    y = np.empty(shape, dtype)
    _correlate2d(x, kernel.astype(dtype, copy=False), stride, dilation, y)
    return y


def plain_correlate2d(image, kernel):
    r"""El mapa, casilla por casilla."""
    image, kernel = np.asarray(image), np.asarray(kernel)
    height, width = kernel.shape
    rows, columns = image.shape[0] - height + 1, image.shape[1] - width + 1
    y = np.empty((rows, columns))
    for i in range(rows):
        for j in range(columns):
            patch = image[i : i + height, j : j + width]
            y[i, j] = (patch * kernel).sum()  # [ec-cnn-correlacion]
    return y


@kernel
def _correlate2d(x, k, stride, dilation, y):
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            total = y.dtype.type(0)
            for a in range(k.shape[0]):
                for b in range(k.shape[1]):
                    total += x[i * stride + a * dilation, j * stride + b * dilation] * k[a, b]
            y[i, j] = total  # [ec-cnn-paso]


def convolve2d(image, kernel, stride=1, padding="valid", dilation=1):
    r"""Convolución de una imagen con un filtro: la correlación con el filtro girado media vuelta.

    La convolución de los matemáticos suma con los índices cruzados: cuando uno avanza, el otro retrocede. De dos
    cuadrículas que fuera de su marco valen cero,

    .. math::
       :label: ed-cnn-convolucion

       (x * k)_{ij} = \sum_{a}\sum_{b} x_{\,i-a,\ j-b}\ k_{ab} .

    **Por qué el signo menos.** Piensa en cada píxel como una gota de tinta: :math:`x_{rs}` gotas en el lugar
    :math:`(r,s)`, y cada gota deja la mancha :math:`k`. En :math:`(i,j)` cae lo que manchó cada gota desde donde está:
    la de :math:`(r,s)` aporta el peso que queda a :math:`(i-r,\ j-s)` de ella. Sumar sobre todas las gotas,
    :math:`\sum_{r,s}x_{rs}\,k_{i-r,\,j-s}`, es :eq:`ed-cnn-convolucion` con :math:`a=i-r` y :math:`b=j-s`. **La
    convolución reparte; la correlación recoge.**

    **Conmuta.** El cambio de nombres que acabamos de hacer lo demuestra: recorre los mismos pares de píxel y peso y
    deja :math:`\sum_{r,s}k_{i-r,\,j-s}\,x_{rs}`, que es la definición de :math:`(k*x)_{ij}`. Imagen y filtro hacen
    papeles intercambiables. Con el mismo argumento, :math:`(x*k)*l=x*(k*l)`: aplicar dos filtros seguidos es aplicar
    uno solo, su convolución. La correlación no conmuta: al intercambiar los papeles, el mapa sale girado media vuelta.

    **Un giro las convierte.** En :eq:`ed-cnn-convolucion`, escribe :math:`a=N_1-1-a'` y :math:`b=N_2-1-b'`: el peso
    que se usa con el píxel :math:`(i-N_1+1+a',\ j-N_2+1+b')` es :math:`\tilde k_{a'b'}=k_{N_1-1-a',\,N_2-1-b'}`, el
    filtro leído de atrás hacia delante por filas y por columnas. Salvo por dónde se empieza a contar, y con
    :math:`\operatorname{corr}` para la correlación,

    .. math::
       :label: ec-cnn-convolucion

       \begin{aligned}
       x * k &= \operatorname{corr}(x,\ \tilde k), \\
       \tilde k_{ab} &= k_{N_1-1-a,\ N_2-1-b} .
       \end{aligned}

    Si el filtro queda igual al girarlo 180°, las dos coinciden. Si cambia de signo, como el de abajo, el mapa también.

    **A mano.** La ventana de :func:`~chapters.cnn.correlate2d` da ahora lo contrario:

    >>> image = [[1, 0, 2, 1],
    ...          [3, 1, 0, 1],
    ...          [0, 2, 1, 0]]
    >>> convolve2d(image, [[1, 0, -1]] * 3)
    array([[-1., -1.]])

    Para que conmute hay que dejar que el filtro asome por las orillas: un relleno de :math:`N-1` no pierde ninguna suma
    con algo dentro. Da igual entonces quién es la imagen:

    >>> x = np.arange(16.0).reshape(4, 4)
    >>> k = np.array([[1.0, 2.0], [0.0, -1.0]])
    >>> for f in convolve2d, correlate2d:
    ...     print(np.array_equal(f(x, k, padding=1), f(k, x, padding=3)))
    True
    False

    Parameters
    ----------
    image, kernel, stride, padding, dilation
        Como en :func:`~chapters.cnn.correlate2d`.

    Returns
    -------
    ndarray, shape (M1, M2)

    Raises
    ------
    TypeError, ValueError
        Como en :func:`~chapters.cnn.correlate2d`.
    """
    kernel = floats(kernel, "kernel", "N1 N2")
    return correlate2d(image, kernel[::-1, ::-1], stride, padding, dilation)  # [ec-cnn-convolucion]


def separate(kernel):
    r"""Parte un filtro en una columna y una fila, si es *separable*.

    Un filtro es separable si cada peso es el producto de uno que depende solo de la fila y otro que depende solo de la
    columna:

    .. math::
       :label: ec-cnn-separable

       k_{ab} = u_a\, v_b,
       \qquad\text{o sea,}\qquad \mathbf K = \mathbf u\,\mathbf v^\top .

    **Para qué.** Con paso 1 y sin dilatar, la suma se parte en dos:

    .. math::

       \begin{aligned}
       y_{ij} &= \sum_a\sum_b x_{i+a,\,j+b}\,u_a v_b \\
       &= \sum_a u_a\Bigl(\sum_b x_{i+a,\,j+b}\,v_b\Bigr) .
       \end{aligned}

    El paréntesis es la correlación con la fila; lo de fuera, la del resultado con la columna. Con un filtro
    de :math:`N\times N` son :math:`2N` multiplicaciones por casilla en lugar de :math:`N^2`: con :math:`N=3`, 6 contra
    9; con :math:`N=15`, 30 contra 225.

    **Cuáles lo son.** En :math:`\mathbf u\,\mathbf v^\top` todas las filas son múltiplos de :math:`\mathbf v`, así que
    su rango es 1; y una matriz de rango 1 no puede ser otra cosa, porque sus filas son todas múltiplos de una. La
    *descomposición en valores singulares* (SVD) lo averigua, porque escribe cualquier matriz como una suma de matrices
    de rango 1: :math:`\mathbf K=\sum_r\sigma_r\mathbf a_r\mathbf b_r^\top`, con vectores de longitud 1 y
    :math:`\sigma_1\geq\sigma_2\geq\cdots\geq0`. Hay un solo sumando si y solo si :math:`\sigma_2=0`. Aquí el peso
    :math:`\sigma_1` va por mitades, :math:`\sqrt{\sigma_1}` a cada uno, y el signo se elige de modo que la fila sume
    algo que no sea negativo.

    **A mano.** El filtro de Sobel en :math:`y` es un desenfoque de lado y una resta de arriba abajo:
    :math:`(-1,0,1)^\top(1,2,1)`.

    >>> u, v = separate([[-1, -2, -1], [0, 0, 0], [1, 2, 1]])
    >>> (u / u[-1]).round(6) + 0.0, (v / v[0]).round(6)
    (array([-1.,  0.,  1.]), array([1., 2., 1.]))
    >>> np.outer(u, v).round(6) + 0.0
    array([[-1., -2., -1.],
           [ 0.,  0.,  0.],
           [ 1.,  2.,  1.]])

    Parameters
    ----------
    kernel : array_like, shape (N1, N2)
        El filtro, con algún peso distinto de cero.

    Returns
    -------
    u : ndarray, shape (N1,)
        La columna.
    v : ndarray, shape (N2,)
        La fila.

    Raises
    ------
    TypeError
        Si no son números reales.
    ValueError
        Si no es separable o todos sus pesos son cero.

        >>> separate([[0, 1, 0], [1, -4, 1], [0, 1, 0]])
        Traceback (most recent call last):
            ...
        ValueError: kernel: se esperaba un filtro separable, pero llegó uno de rango 2
    """
    kernel = floats(kernel, "kernel", "N1 N2")
    left, sigma, right = np.linalg.svd(kernel.astype(np.float64))
    rounding = sigma[0] * max(kernel.shape) * np.finfo(kernel.dtype).eps
    rank = int((sigma > rounding).sum())
    if rank != 1:
        raise ValueError(f"kernel: se esperaba un filtro separable, pero llegó uno de rango {rank}")
    half = np.sqrt(sigma[0]) * (-1.0 if right[0].sum() < 0 else 1.0)
    u, v = half * left[:, 0], half * right[0]  # [ec-cnn-separable]
    return u.astype(kernel.dtype), v.astype(kernel.dtype)
