r"""Los algoritmos de Winograd: los filtros de 3 × 3 con menos productos."""

from typing import NamedTuple

import numpy as np
from llvmlite import ir
from numba import config, types
from numba.extending import intrinsic

from chapters.cnn.convolution.im2col import find_windows, place_windows
from chapters.cnn.convolution.padding import Margin, clear, flat, padded
from dlbook import check
from dlbook.numeric.kernel import kernel
from dlbook.numeric.matmul import ROWS, matmul
from dlbook.numeric.matmul_at import add_matmul_at
from dlbook.numeric.vectors import BYTES, Writer

# Los filtros miden TAPS de lado y cada mosaico da OUTPUTS × OUTPUTS salidas.
TAPS, OUTPUTS = 3, 4
# Dónde se evalúa, además de en el infinito.
POINTS = 0, 1, -1, 0.5, -2
# Cuántos productos hay de cada lado de un mosaico.
SIZE = len(POINTS) + 1
# Cuántos bytes ocupan los mosaicos de un bloque, que al leerlos siguen en la caché; y cuántos son, al menos y a lo más.
CACHED, FEWEST, MOST = 640 * 1024, 32, 128
# Lo que mide una línea de caché, en bytes.
LINE = 64


def winograd_matrices(points, taps=3):
    r"""Las tres matrices con que se hace una correlación de una dimensión con menos productos.

    Un filtro de tres pesos, :math:`g_0,g_1,g_2`, pasa por cuatro números, :math:`d_0,\dots,d_3`, y da dos salidas,
    :math:`y_0=d_0g_0+d_1g_1+d_2g_2` y :math:`y_1=d_1g_0+d_2g_1+d_3g_2`. Son seis productos, y bastan **cuatro**:

    .. math::
       :label: ed-cnn-winograd-cuatro

       \begin{aligned}
       m_0 &= (d_0-d_2)\,g_0 , \\
       m_1 &= (d_1+d_2)\,\tfrac12(g_0+g_1+g_2) , \\
       m_2 &= (d_2-d_1)\,\tfrac12(g_0-g_1+g_2) , \\
       m_3 &= (d_3-d_1)\,g_2 , \\[1ex]
       y_0 &= m_0+m_1+m_2 , \\
       y_1 &= m_1-m_2+m_3 .
       \end{aligned}

    Compruébalo: en :math:`m_1+m_2` queda :math:`d_1g_1+d_2(g_0+g_2)`, y en :math:`m_1-m_2`,
    :math:`d_1(g_0+g_2)+d_2g_1`. Lo del filtro se calcula una vez y sirve para toda la señal; lo de los datos son sumas
    y restas. Las dos salidas **comparten** trabajo: :math:`m_1` y :math:`m_2` entran en ambas. ¿De dónde sale?

    **Multiplicar polinomios por sus valores.** Sean :math:`g(x)=g_0+g_1x+g_2x^2` y :math:`h(x)=h_0+h_1x`. Su producto,
    :math:`s(x)`, tiene cuatro coeficientes, :math:`s_j=\sum_ih_i\,g_{j-i}` (los :math:`g` que no hay son 0);
    multiplicar cada uno de los de :math:`g` por cada uno de los de :math:`h` son seis productos. Pero
    :math:`s(p)=g(p)\,h(p)`: el valor en un punto cuesta **uno**. Se le llama «valor en el infinito» al coeficiente de
    :math:`x^3`, :math:`s_3=g_2h_1`, que también cuesta uno. Con tres puntos y el infinito se recupera :math:`s`. Con
    :math:`N(x)=\prod_k(x-p_k)`, que se anula en todos, y :math:`N_k(x)=\prod_{q\neq p_k}(x-q)`, al que le falta un
    factor,

    .. math::
       :label: ed-cnn-winograd-interpolar

       \begin{aligned}
       s(x) &= \sum_k \frac{g(p_k)\,h(p_k)}{N_k(p_k)}\,N_k(x) \\
       &\quad+ g_2h_1\,N(x) .
       \end{aligned}

    En :math:`x=p_k` se anulan todos los sumandos menos uno, que da :math:`s(p_k)`; y :math:`x^3` solo está en
    :math:`N`, con coeficiente 1. Así que los dos lados coinciden en los tres puntos y en el coeficiente de :math:`x^3`:
    su diferencia es de grado 2, a lo más, y tiene tres raíces. Es cero.

    **Con matrices.** Una fila por punto, y la última, para el infinito, que solo toma :math:`g_2` y :math:`h_1`. En
    :math:`\mathbf G`, las potencias :math:`1,p,p^2` entre :math:`N_k(p)`; en :math:`\mathbf A`, las potencias
    :math:`1,p`; en :math:`\mathbf B`, los coeficientes de :math:`N_k`, y los de :math:`N` al final. Con :math:`\odot`
    para multiplicar casilla por casilla, :eq:`ed-cnn-winograd-interpolar` dice
    :math:`\mathbf s=\mathbf B^\top[(\mathbf G\mathbf g)\odot(\mathbf A\mathbf h)]`. Si :math:`N_k(p)` es negativo, el
    signo se le pone a la fila de :math:`\mathbf B`, que da lo mismo.

    **Del producto a la correlación: trasponer.** Deja quieto el filtro. Entonces :math:`\mathbf s=\mathbf S\mathbf h`,
    y la matriz tiene :math:`S_{ji}=g_{j-i}`. Su traspuesta, por los datos, da
    :math:`\sum_jg_{j-i}\,d_j=\sum_kg_k\,d_{i+k}=y_i`: **la correlación es la traspuesta del producto de polinomios**.
    Como multiplicar casilla por casilla por :math:`\mathbf G\mathbf g` es multiplicar por una matriz diagonal,
    :math:`\mathbf S=\mathbf B^\top\operatorname{diag}(\mathbf G\mathbf g)\,\mathbf A`. Se traspone, y queda

    .. math::
       :label: ec-cnn-winograd

       \mathbf y = \mathbf A^\top\bigl[(\mathbf G\mathbf g)\odot(\mathbf B\mathbf d)\bigr] .

    Nada dependió del 3 ni del 2: con :math:`r` pesos y :math:`m` salidas hacen falta :math:`m+r-1` productos, uno por
    punto más el infinito, en vez de :math:`mr`. Se escribe :math:`F(m,r)` :cite:p:`winograd1980`. Lavin y Gray, que lo
    llevaron a las redes :cite:p:`lavin2016`, llaman :math:`\mathbf B^\top` a lo que aquí es :math:`\mathbf B`.

    **A mano.** Los puntos 0, 1 y :math:`-1` dan :eq:`ed-cnn-winograd-cuatro`:

    >>> A, G, B = winograd_matrices([0, 1, -1])
    >>> B
    array([[ 1.,  0., -1.,  0.],
           [ 0.,  1.,  1.,  0.],
           [ 0., -1.,  1.,  0.],
           [ 0., -1.,  0.,  1.]])
    >>> G
    array([[ 1. ,  0. ,  0. ],
           [ 0.5,  0.5,  0.5],
           [ 0.5, -0.5,  0.5],
           [ 0. ,  0. ,  1. ]])
    >>> A.T
    array([[ 1.,  1.,  1.,  0.],
           [ 0.,  1., -1.,  1.]])

    Con los datos :math:`4,1,2,5` y los pesos :math:`1,2,3`, las salidas son :math:`4+2+6=12` y :math:`1+4+15=20`:

    >>> left, right = B @ [4, 1, 2, 5], G @ [1, 2, 3]
    >>> left, right
    (array([2., 3., 1., 4.]), array([1., 3., 1., 3.]))
    >>> left * right  # los cuatro productos
    array([ 2.,  9.,  1., 12.])
    >>> A.T @ (left * right)
    array([12., 20.])

    Parameters
    ----------
    points : array_like, shape (k,)
        Dónde se evalúa, además de en el infinito; todos distintos.
    taps : int
        Cuántos pesos tiene el filtro, :math:`r`; :math:`k+1` a lo más.

    Returns
    -------
    A : ndarray, shape (k + 1, k + 2 - taps)
        La que recoge las salidas, traspuesta.
    G : ndarray, shape (k + 1, taps)
        La que transforma el filtro.
    B : ndarray, shape (k + 1, k + 1)
        La que transforma los datos.

    Raises
    ------
    TypeError
        Si no son números reales.
    ValueError
        Si hay puntos repetidos, si no alcanzan o si los números no caben en ``float64``.

        >>> winograd_matrices([0, 1, 1])
        Traceback (most recent call last):
            ...
        ValueError: points: se esperaban puntos distintos, pero 1.0 está repetido
    """
    points = check.floats(points, "points", "k").astype(np.float64)
    taps = check.integer(taps, "taps", 1)
    if points.size < taps - 1:
        raise ValueError(f"points: se esperaban al menos {taps - 1} puntos para {taps} pesos, pero hay {points.size}")
    values, counts = np.unique(points, return_counts=True)
    if (counts > 1).any():
        raise ValueError(f"points: se esperaban puntos distintos, pero {values[counts > 1][0]} está repetido")
    with np.errstate(all="ignore"):
        found = plain_winograd_matrices(points, taps)
    if not all(np.isfinite(matrix).all() for matrix in found):
        raise ValueError("points: se esperaban puntos cuyas potencias quepan en float64, pero se desbordan")
    return found


def plain_winograd_matrices(points, taps=3):
    r"""Una fila por punto y, al final, la del infinito."""
    n = len(points) + 1

    def powers(degree):
        rows = np.vander(points, degree, increasing=True)
        return np.vstack([rows, np.eye(degree)[-1]])

    a, g, b = powers(n - taps + 1), powers(taps), np.zeros((n, n))
    for k, p in enumerate(points):
        others = np.delete(points, k)
        scale = np.prod(p - others)  # N_k(p)
        polynomial = np.atleast_1d(np.poly(others))[::-1]
        b[k, :-1] = np.sign(scale) * polynomial
        g[k] /= abs(scale)
    b[-1] = np.poly(points)[::-1]
    return a, g, b + 0.0  # [ec-cnn-winograd]


A, G, B = winograd_matrices(POINTS)


def _nested(matrix, *, finish=False):
    r"""Fabrica la cuenta ``out = matrix @ tile @ matrix.T`` de un mosaico cuyas casillas son vectores.

    La casilla :math:`(i,j)` está en ``source[at + i row + j column]``, y la del resultado, en
    ``out[to + i line + j step]``. Con ``finish`` se le suma ``start`` y lo que quede por debajo de ``floor`` sube hasta
    ahí. Los ceros de la matriz no se multiplican, y los unos tampoco.
    """
    rows, columns = matrix.shape
    if config.DISABLE_JIT:

        def plain(source, at, row, column, out, to, line, step, start, floor):
            def places(count, down, across):
                corners = np.add.outer(np.arange(count) * down, np.arange(count) * across)
                return np.add.outer(corners, np.arange(BYTES // source.itemsize))

            tile = source.reshape(-1)[at + places(columns, row, column)]
            value = np.einsum("ri,ijv,qj->rqv", matrix, tile, matrix)
            if finish:
                value = np.maximum(value + start[: value.shape[-1]], floor)
            out.reshape(-1)[to + places(rows, line, step)] = value

        return plain

    @intrinsic
    def tile(typing, source, at, row, column, out, to, line, step, start, floor):
        moves = types.intp, types.intp, types.intp
        signature = types.void(source, *moves, out, *moves, start, source.dtype)

        def write(context, builder, signature, arguments):
            kinds = signature.args
            w = Writer(context, builder, kinds[0].dtype)
            pointers = [context.make_array(kinds[k])(context, builder, arguments[k]).data for k in (0, 4, 8)]
            at, row, column, to, line, step = (arguments[k] for k in (1, 2, 3, 5, 6, 7))
            source, out, start = w.at(pointers[0], at), w.at(pointers[1], to), pointers[2]

            def place(pointer, i, down, j, across):
                pointer = w.at(pointer, builder.mul(ir.Constant(down.type, i), down))
                return w.at(pointer, builder.mul(ir.Constant(across.type, j), across))

            def combine(factors, values):
                total = None
                for factor, value in zip(factors, values, strict=True):
                    if factor not in (0, 1, -1):
                        value = builder.fmul(ir.Constant(w.vector, [factor] * w.lanes), value, flags=["contract"])
                    if factor and total is None:
                        total = builder.fsub(w.zero, value) if factor == -1 else value
                    elif factor:
                        total = (builder.fsub if factor == -1 else builder.fadd)(total, value, flags=["contract"])
                return total

            tall = [[w.load_at(place(source, i, row, j, column), 0) for i in range(columns)] for j in range(columns)]
            half = [[combine(factors, line) for line in tall] for factors in matrix.tolist()]
            for i in range(rows):
                for j, factors in enumerate(matrix.tolist()):
                    value = combine(factors, half[i])
                    if finish:
                        value = w.at_least(builder.fadd(value, w.load_at(start, 0)), w.spread(arguments[9]))
                    w.store_at(value, place(out, i, line, j, step), 0)
            return context.get_dummy_value()

        return signature, write

    return tile


_images, _filters, _maps = _nested(B), _nested(G), _nested(A.T.copy(), finish=True)
_images_back, _filters_back = _nested(A), _nested(G.T.copy())


class Tiles(NamedTuple):
    r"""Dónde están los mosaicos de una imagen y los de sus mapas."""

    margin: Margin
    # Cuántos números hay en una fila de la imagen rellenada, y en una de los mapas.
    pitch: int
    line: int
    # Dónde empieza cada mosaico en la imagen rellenada y dónde, en los mapas.
    corners: np.ndarray
    maps: np.ndarray
    # Cuántas filas y columnas de sus mapas ya calculó el mosaico de antes.
    above: np.ndarray
    left: np.ndarray


def find_tiles(windows, filters):
    r"""Coloca los mosaicos; el último de cada lado se recorre hacia atrás hasta que cabe."""
    width, channels = windows.padded_shape[1:]
    starts, again = [], []
    for side in windows.output:
        whole = np.arange(0, side, OUTPUTS)
        starts.append(np.minimum(whole, side - OUTPUTS))
        again.append(whole - starts[-1])
    pitch, line = width * channels, windows.output[1] * filters
    return Tiles(
        margin=windows.margin,
        pitch=pitch,
        line=line,
        corners=np.add.outer(starts[0] * pitch, starts[1] * channels).reshape(-1),
        maps=np.add.outer(starts[0] * line, starts[1] * filters).reshape(-1),
        above=np.repeat(again[0], again[1].size),
        left=np.tile(again[1], again[0].size),
    )


def pays(windows, filters, lanes):
    r"""Dice si a una capa de :math:`3\times3`, paso 1 y sin dilatar le conviene Winograd.

    Hacen falta vectores enteros de canales y de filtros, y que los mosaicos, que en la orilla se superponen, ahorren
    al menos la mitad de los productos: así se midió. Con dieciséis números por vector:

    >>> from chapters.cnn.convolution.im2col import find_windows
    >>> [pays(find_windows((side, side, 32), 3, padding="same"), 64, 16) for side in (3, 4, 5, 14)]
    [False, True, False, True]

    Parameters
    ----------
    windows : Windows
        Dónde están las ventanas.
    filters, lanes : int
        Cuántos filtros, y cuántos números caben en un vector.

    Returns
    -------
    bool
    """
    (height, width), channels = windows.output, windows.input_shape[-1]
    if channels % lanes or filters % lanes or min(height, width) < OUTPUTS:
        return False
    tiles = -(-height // OUTPUTS) * -(-width // OUTPUTS)
    return TAPS**2 * height * width >= 2 * SIZE**2 * tiles


class Winograd:
    r"""Lo que necesitan los núcleos de Winograd de una capa: dónde están sus mosaicos y cuánta memoria piden.

    Sirve para filtros de :math:`3\times3` con paso 1 y sin dilatar, cuando los canales y los filtros llenan vectores
    enteros y los mapas miden al menos un mosaico.

    Parameters
    ----------
    windows : Windows
        Dónde están las ventanas.
    filters : int
        Cuántos filtros.
    dtype : dtype
        El tipo de los números.
    """

    def __init__(self, windows, filters, dtype):
        *sides, channels = windows.input_shape
        self.shape, self.gather = (*windows.output, filters), None
        top, before = divmod(windows.margin.first // channels, windows.padded_shape[1])
        before = TAPS - 1 - top, TAPS - 1 - before
        back = place_windows(self.shape, sides, before, (TAPS, TAPS), (1, 1), (1, 1))
        self.tiles, self.back = find_tiles(windows, filters), find_tiles(back, channels)
        self.scratch, self.scratch_back = (w.scratch(dtype).size for w in (windows, back))
        item = np.dtype(dtype).itemsize
        block = CACHED // (SIZE**2 * item * (channels + filters)) // ROWS * ROWS
        self.block = min(max(block, FEWEST), MOST)
        # Un plano por cada producto, y entre dos planos, una línea: si no, caerían en los mismos cajones de la caché.
        self.line = LINE // item
        planes = channels * filters, self.block * channels, self.block * filters
        self.planes = [plane + self.line for plane in planes]
        self.rows, self.columns = np.arange(channels), np.arange(self.block) * channels
        self.places = np.arange(channels) * filters

    def _memory(self, buffer):
        # Los filtros, los mosaicos de la imagen y los de los mapas; a la ida y a la vuelta, los mismos.
        memory = buffer("winograd", SIZE**2 * sum(self.planes) + self.line)
        first = -memory.ctypes.data // memory.itemsize % self.line
        parts = []
        for plane in self.planes:
            parts.append(memory[first : first + SIZE**2 * plane].reshape(SIZE**2, plane))
            first += SIZE**2 * plane
        return parts

    def with_slack(self, dz, buffer):
        r"""Ve el gradiente de los mapas en una sola fila; aquí no se lee de más."""
        return dz.reshape(-1)

    def forward(self, x, kernel, bias, floor, buffer):
        r"""Llama al núcleo de ida y devuelve los mapas."""
        z = buffer("z", (len(x), *self.shape))
        filters, images, maps = self._memory(buffer)
        start, scratch = buffer("start", kernel.shape[-1]), buffer("scratch", self.scratch)
        bias, floor = start[:0] if bias is None else bias, z.dtype.type(floor)
        memory = start, filters, images, maps, scratch
        _winograd_forward(flat(x), kernel, bias, floor, flat(z), *memory, self.tiles)
        return z

    def weights(self, x, dz, dkernel, buffer):
        r"""Llama al núcleo que llena el gradiente de los filtros."""
        filters, images, maps = self._memory(buffer)
        scratch, part = buffer("scratch", self.scratch), buffer("part", OUTPUTS**2 * dkernel.shape[-1])
        dz = dz[: len(x) * self.maps_size].reshape(len(x), -1)
        tables = self.tiles, self.rows, self.columns, self.places
        _winograd_backward_weights(flat(x), dz, dkernel, filters, images, maps, scratch, part, *tables)

    def input(self, dz, kernel, dx, buffer):
        r"""Llama al núcleo de ida con los filtros girados: llena el gradiente de las imágenes."""
        filters, maps, images = self._memory(buffer)
        height, width, channels, count = kernel.shape
        turned = buffer("turned", (height, width, count, channels))
        _turn(kernel, turned)
        start, scratch = buffer("start", channels), buffer("scratch back", self.scratch_back)
        memory, least = (start, filters, images, maps, scratch), dx.dtype.type(-np.inf)
        _winograd_forward(flat(dz), turned, start[:0], least, flat(dx), *memory, self.back)

    @property
    def maps_size(self):
        r"""Cuántos números hay en los mapas de una imagen."""
        height, width, filters = self.shape
        return height * width * filters


def _checked(x, kernel, padding):
    x = check.floats(x, "x", "n h w c")
    kernel = check.floats(kernel, "kernel", "kh kw c f", {"kh": TAPS, "kw": TAPS, "c": x.shape[-1]})
    windows = find_windows(x.shape[1:], TAPS, padding=padding)
    if min(windows.output) < OUTPUTS:
        raise ValueError(f"x: se esperaban mapas de {OUTPUTS} × {OUTPUTS} o más, pero son de {windows.output}")
    return x, kernel


def _filled(array, lanes, axes):
    # Con los canales que falten para llenar vectores enteros, en cero.
    missing = [-size % lanes if k in axes else 0 for k, size in enumerate(array.shape)]
    return np.pad(array, [(0, more) for more in missing]) if any(missing) else array


def _fill(x, kernel, padding):
    # Lo que piden los núcleos: los canales y los filtros en vectores enteros, y dónde van los mosaicos.
    lanes = BYTES // x.itemsize
    x, kernel = _filled(x, lanes, [3]), _filled(kernel, lanes, [2, 3])
    windows = find_windows(x.shape[1:], TAPS, padding=padding)
    return x, kernel, Winograd(windows, kernel.shape[-1], x.dtype)


def winograd_forward(x, kernel, bias=None, padding="valid"):
    r"""La convolución con filtros de :math:`3\times3` y paso 1, con la cuarta parte de los productos.

    **De una dimensión a dos: anidar.** Piensa la imagen como una lista de filas, :math:`\mathbf d_0,\mathbf d_1,\dots`,
    y el filtro también, :math:`\mathbf g_0,\mathbf g_1,\mathbf g_2`. La fila :math:`u` de la salida es
    :math:`\mathbf y_u=\sum_i\mathbf d_{u+i}\star\mathbf g_i`, con :math:`\star` para la correlación de una fila con
    otra: la suma de antes, con filas en lugar de números. ¿Vale la misma receta? :eq:`ec-cnn-winograd`, con unos datos
    y un filtro que tienen un solo 1, en :math:`d_i` y en :math:`g_j`, dice que :math:`\sum_kA_{ku}B_{ki}G_{kj}` es 1
    si :math:`i=u+j` y 0 si no. Como :math:`\star` se reparte entre los sumandos, igual que un producto,

    .. math::

       \begin{aligned}
       &\sum_kA_{ku}\Bigl(\sum_iB_{ki}\,\mathbf d_i\Bigr)\star\Bigl(\sum_jG_{kj}\,\mathbf g_j\Bigr) \\
       &\quad=\sum_{i,j}\Bigl(\sum_kA_{ku}B_{ki}G_{kj}\Bigr)\,\mathbf d_i\star\mathbf g_j \\
       &\quad=\sum_j\mathbf d_{u+j}\star\mathbf g_j=\mathbf y_u .
       \end{aligned}

    Así que para :math:`m` filas bastan :math:`m+2` correlaciones de filas ya combinadas, y cada una se hace con
    :math:`m+2` productos por la misma receta. Combinar filas es multiplicar por la izquierda; combinar dentro de una
    fila, por la derecha y con la traspuesta:

    .. math::
       :label: ec-cnn-winograd-dos

       \begin{gathered}
       \mathbf V=\mathbf B\,\mathbf D\,\mathbf B^\top ,
       \qquad
       \mathbf U=\mathbf G\,\mathbf K\,\mathbf G^\top , \\[1ex]
       \mathbf Y=\mathbf A^\top\,[\,\mathbf U\odot\mathbf V\,]\,\mathbf A .
       \end{gathered}

    :math:`\mathbf K` es el filtro; :math:`\mathbf D`, un *mosaico* (*tile*) de :math:`(m+2)\times(m+2)` píxeles, e
    :math:`\mathbf Y`, las :math:`m\times m` salidas que da. Los mosaicos vecinos se superponen en dos filas o columnas.

    **Cuánto se ahorra.** Una salida pide 9 productos por canal. Aquí, con :math:`m=2`, 16 entre 4 salidas:

    >>> [9 / ((m + 2) ** 2 / m**2) for m in (1, 2, 4)]
    [1.0, 2.25, 4.0]

    Este libro usa :math:`m=4`, con los puntos :math:`0,1,-1,\tfrac12` y :math:`-2`.

    **Con canales y filtros.** Se suma sobre los canales **antes** de volver, porque volver es lineal. En cada una de
    las 36 casillas, si :math:`\mathbf V_{ij}` tiene un mosaico por fila y un canal por columna,

    .. math::
       :label: ec-cnn-winograd-canales

       \mathbf M_{ij}=\mathbf V_{ij}\,\mathbf U_{ij} :

    36 productos de matrices, que es donde el procesador va más rápido. Transformar un mosaico cuesta lo mismo con un
    filtro que con cien, así que conviene más cuantos más canales y filtros haya.

    **A mano.** Un filtro que solo copia el píxel del centro devuelve la imagen sin su orilla:

    >>> image = np.arange(36.0).reshape(1, 6, 6, 1)
    >>> copy = np.zeros((3, 3, 1, 1))
    >>> copy[1, 1] = 1
    >>> winograd_forward(image, copy)[0, :, :, 0].round(9)
    array([[ 7.,  8.,  9., 10.],
           [13., 14., 15., 16.],
           [19., 20., 21., 22.],
           [25., 26., 27., 28.]])

    Parameters
    ----------
    x : array_like, shape (n, h, w, c)
        Las imágenes, con los canales al final.
    kernel : array_like, shape (3, 3, c, f)
        Los filtros.
    bias : array_like, shape (f,), optional
        Un sesgo por filtro.
    padding : {"valid", "same"}
        El relleno.

    Returns
    -------
    ndarray, shape (n, h', w', f)
        Los mapas, como los de :func:`~chapters.cnn.conv2d_forward`; ``float32`` solo si todo lo que entra lo es.

    Raises
    ------
    TypeError
        Si no son números reales.
    ValueError
        Si las formas no encajan, los mapas miden menos de :math:`4\times4` o hay NaN o infinitos.

        >>> winograd_forward(np.ones((1, 5, 6, 1)), copy)
        Traceback (most recent call last):
            ...
        ValueError: x: se esperaban mapas de 4 × 4 o más, pero son de (3, 4)
    """
    x, kernel = _checked(x, kernel, padding)
    filters = kernel.shape[-1]
    bias = np.zeros(filters, x.dtype) if bias is None else check.floats(bias, "bias", "f", {"f": filters})
    dtype = np.result_type(x, kernel, bias)
    x, kernel, winograd = _fill(x.astype(dtype, copy=False), kernel.astype(dtype, copy=False), padding)
    bias = _filled(bias.astype(dtype, copy=False), BYTES // dtype.itemsize, [0])
    z = winograd.forward(x, kernel, bias, -np.inf, lambda name, shape: check.empty(shape, name, dtype))
    return np.ascontiguousarray(z[..., :filters])


def plain_winograd_forward(x, kernel, bias):
    r"""Cada mosaico, ida y vuelta."""
    n, h, w, _ = x.shape
    u = np.einsum("ka,abcf,lb->klcf", G, kernel, G)
    z = np.empty((n, h - 2, w - 2, kernel.shape[-1]))
    for i in range(0, h - 2, OUTPUTS):
        for j in range(0, w - 2, OUTPUTS):
            # El último se recorre hacia atrás hasta que cabe.
            i, j = min(i, h - SIZE), min(j, w - SIZE)
            d = x[:, i : i + SIZE, j : j + SIZE]
            v = np.einsum("ka,nabc,lb->nklc", B, d, B)  # [ec-cnn-winograd-dos]
            m = np.einsum("nklc,klcf->nklf", v, u)  # [ec-cnn-winograd-canales]
            y = np.einsum("ka,nklf,lb->nabf", A, m, A)
            z[:, i : i + OUTPUTS, j : j + OUTPUTS] = y + bias
    return z


@kernel
def _spread_images(x, scratch, tiles, first, n, channels, images):
    # Los mosaicos transformados, desde el ``first``: en cada plano, uno por fila.
    lanes, count, plane = BYTES // x.itemsize, tiles.corners.size, images.shape[1]
    for t in range(n):
        which, corner = (first + t) // count, tiles.corners[(first + t) % count]
        if (first + t) % count == 0:
            padded(x[which], scratch, tiles.margin)
        image = scratch if scratch.size else x[which]
        for c in range(0, channels, lanes):
            to = t * channels + c
            _images(image, corner + c, tiles.pitch, channels, images, to, SIZE * plane, plane, image, image[0])


@kernel
def _winograd_forward(x, kernel, bias, floor, z, start, filters, images, maps, scratch, tiles):
    _, _, c, f = kernel.shape
    for k in range(f):
        start[k] = bias[k] if k < bias.size else x.dtype.type(0)
    lanes, count, plane = BYTES // x.itemsize, tiles.corners.size, filters.shape[1]
    for k in range(0, c * f, lanes):
        _filters(kernel, k, TAPS * c * f, c * f, filters, k, SIZE * plane, plane, start, floor)
    clear(scratch)
    plane = maps.shape[1]
    block, total = (plane - LINE // x.itemsize) // f, x.shape[0] * count
    # Mosaicos de varias imágenes, si caben: cuantos más, mejores productos.
    for first in range(0, total, block):
        n = min(block, total - first)
        _spread_images(x, scratch, tiles, first, n, c, images)
        for k in range(SIZE * SIZE):
            left, right = images[k, : n * c].reshape(n, c), filters[k, : c * f].reshape(c, f)
            matmul(left, right, maps[k, : n * f].reshape(n, f))  # [ec-cnn-winograd-canales]
        for t in range(n):
            image, place = z[(first + t) // count], tiles.maps[(first + t) % count]
            for k in range(0, f, lanes):
                # Lo último de [ec-cnn-winograd-dos], con el sesgo y, si ``floor`` es 0, la ReLU.
                _maps(maps, t * f + k, SIZE * plane, plane, image, place + k, tiles.line, f, start[k:], floor)


def winograd_backward(x, kernel, dy, padding="valid"):
    r"""Los tres gradientes de :func:`winograd_forward`, con la cuarta parte de los productos.

    **Los filtros.** Con el mosaico quieto, :eq:`ec-cnn-winograd-dos` es una cadena de tres pasos lineales: de
    :math:`\mathbf K` a :math:`\mathbf U`, de ahí a :math:`\mathbf M=\mathbf U\odot\mathbf V`, y de ahí a
    :math:`\mathbf A^\top\mathbf M\mathbf A`. La culpa los recorre al revés, cada uno traspuesto. El paso
    :math:`\mathbf K\to\mathbf G\mathbf K\mathbf G^\top` multiplica :math:`K_{ab}` por :math:`G_{ia}G_{jb}` y lo suma
    en :math:`U_{ij}`; al volver, la culpa de :math:`U_{ij}` se multiplica por lo mismo y se suma en :math:`(a,b)`:
    :math:`\mathbf G^\top(\cdot)\,\mathbf G`. Igual con :math:`\mathbf A`, y multiplicar por :math:`\mathbf V` casilla
    por casilla se vuelve multiplicar por :math:`\mathbf V`. Como el filtro es el mismo en todos los mosaicos,
    las culpas se suman:

    .. math::
       :label: ec-cnn-winograd-pesos

       \begin{gathered}
       \boldsymbol\Delta_U = \sum_{\text{mosaicos}}
       \mathbf V\odot(\mathbf A\,\boldsymbol\Delta\,\mathbf A^\top) , \\
       \frac{\partial\mathcal L}{\partial\mathbf K} = \mathbf G^\top\,\boldsymbol\Delta_U\,\mathbf G .
       \end{gathered}

    Son los mismos 36 productos por mosaico, ahora :math:`\mathbf V_{ij}^\top` por las culpas; :math:`\mathbf G^\top` se
    aplica una sola vez, al final. Donde dos mosaicos se superponen, la culpa de una salida se cuenta solo en uno.

    **La entrada.** Es :eq:`ec-cnn-conv2d-entrada`: la correlación de la culpa, rodeada de ceros, con el filtro girado
    media vuelta y los canales en el lugar de los filtros. O sea, otra vez :func:`winograd_forward`.

    **A mano.** El filtro que copia el centro, con culpa 1 en todas las salidas. A su peso del centro le toca la suma
    de los píxeles que vio, del 7 al 28, y a la imagen, un 1 en cada uno de esos píxeles:

    >>> image = np.arange(36.0).reshape(1, 6, 6, 1)
    >>> copy = np.zeros((3, 3, 1, 1))
    >>> copy[1, 1] = 1
    >>> ones = np.ones((1, 4, 4, 1))
    >>> dkernel, dbias, dx = winograd_backward(image, copy, ones)
    >>> dkernel[1, 1].round(9), int(image[0, 1:5, 1:5].sum())
    (array([[280.]]), 280)
    >>> dx[0, :, :, 0].round(9) + 0.0
    array([[0., 0., 0., 0., 0., 0.],
           [0., 1., 1., 1., 1., 0.],
           [0., 1., 1., 1., 1., 0.],
           [0., 1., 1., 1., 1., 0.],
           [0., 1., 1., 1., 1., 0.],
           [0., 0., 0., 0., 0., 0.]])

    Parameters
    ----------
    x : array_like, shape (n, h, w, c)
        Lo que entró a :func:`winograd_forward`.
    kernel : array_like, shape (3, 3, c, f)
        Los filtros.
    dy : array_like, shape (n, h', w', f)
        El gradiente de los mapas, :math:`\boldsymbol\Delta`.
    padding : {"valid", "same"}
        El relleno.

    Returns
    -------
    dkernel : ndarray, shape (3, 3, c, f)
        El gradiente de los filtros.
    dbias : ndarray, shape (f,)
        El de los sesgos.
    dx : ndarray, shape (n, h, w, c)
        El de las imágenes.

    Raises
    ------
    TypeError
        Si no son números reales.
    ValueError
        Si las formas no encajan, los mapas miden menos de :math:`4\times4` o hay NaN o infinitos.
    """
    x, kernel = _checked(x, kernel, padding)
    dy = check.floats(dy, "dy")
    channels, filters = kernel.shape[2:]
    expected = (len(x), *find_windows(x.shape[1:], TAPS, padding=padding).output, filters)
    if dy.shape != expected:
        raise ValueError(f"dy: se esperaba la forma {expected} de la salida, pero llegó {dy.shape}")
    dtype = np.result_type(x, kernel, dy)
    dbias = dy.sum(axis=(0, 1, 2), dtype=dtype)
    x, kernel, winograd = _fill(x.astype(dtype, copy=False), kernel.astype(dtype, copy=False), padding)
    dy = _filled(dy.astype(dtype, copy=False), BYTES // dtype.itemsize, [3])
    dkernel, dx = np.empty_like(kernel), np.empty_like(x)

    def buffer(name, shape):
        return check.empty(shape, name, dtype)

    winograd.weights(x, dy.reshape(-1), dkernel, buffer)
    winograd.input(dy, kernel, dx, buffer)
    parts = dkernel[:, :, :channels, :filters], dbias, dx[..., :channels]
    return tuple(map(np.ascontiguousarray, parts))


def plain_winograd_backward(x, kernel, dy):
    r"""Los filtros, mosaico por mosaico; la imagen, con otra ida."""
    rows, columns = dy.shape[1:3]
    # Con ceros, los mosaicos son enteros.
    below, right = -rows % OUTPUTS, -columns % OUTPUTS
    more = (0, 0), (0, below), (0, right), (0, 0)
    far, blame, du = np.pad(x, more), np.pad(dy, more), 0
    for i in range(0, rows, OUTPUTS):
        for j in range(0, columns, OUTPUTS):
            d = far[:, i : i + SIZE, j : j + SIZE]
            delta = blame[:, i : i + OUTPUTS, j : j + OUTPUTS]
            v = np.einsum("ka,nabc,lb->nklc", B, d, B)
            e = np.einsum("ka,nabf,lb->nklf", A, delta, A)
            du = du + np.einsum("nklc,nklf->klcf", v, e)
    dkernel = np.einsum("ka,klcf,lb->abcf", G, du, G)  # [ec-cnn-winograd-pesos]
    turned = kernel[::-1, ::-1].swapaxes(2, 3)
    around = np.pad(dy, [(0, 0), (2, 2), (2, 2), (0, 0)])
    dx = plain_winograd_forward(around, turned, 0)
    return dkernel, dy.sum(axis=(0, 1, 2)), dx


@kernel
def _turn(kernel, turned):
    # Media vuelta, y los canales en el lugar de los filtros.
    height, width, channels, filters = kernel.shape
    for i in range(height):
        for j in range(width):
            for f in range(filters):
                for c in range(channels):
                    turned[i, j, f, c] = kernel[height - 1 - i, width - 1 - j, c, f]


@kernel
def _only_new(delta, place, line, filters, above, left, part):
    # La culpa de un mosaico, sin las filas y columnas que ya contó otro.
    clear(part)
    for i in range(above, OUTPUTS):
        for k in range(left * filters, OUTPUTS * filters):
            part[i * OUTPUTS * filters + k] = delta[place + i * line + k]


@kernel
def _winograd_backward_weights(x, dz, dkernel, filters, images, maps, scratch, part, tiles, rows, columns, places):
    _, _, c, f = dkernel.shape
    lanes, count, plane = BYTES // x.itemsize, tiles.corners.size, maps.shape[1]
    total = x.shape[0] * count
    clear(filters.reshape(-1))
    clear(scratch)
    for first in range(0, total, columns.size):
        n = min(columns.size, total - first)
        _spread_images(x, scratch, tiles, first, n, c, images)
        for t in range(n):
            delta, k = dz[(first + t) // count], (first + t) % count
            place, line = tiles.maps[k], tiles.line
            if tiles.above[k] + tiles.left[k] > 0:
                _only_new(delta, place, line, f, tiles.above[k], tiles.left[k], part)
                delta, place, line = part, 0, OUTPUTS * f
            for g in range(0, f, lanes):
                _images_back(delta, place + g, line, f, maps, t * f + g, SIZE * plane, plane, part, part[0])
        for k in range(SIZE * SIZE):
            # La traspuesta de los mosaicos: rows y columns cambian de papel.
            add_matmul_at(images[k], rows, columns[:n], maps[k], f, filters[k], places, f)  # [ec-cnn-winograd-pesos]
    plane = filters.shape[1]
    for k in range(0, c * f, lanes):
        _filters_back(filters, k, SIZE * plane, plane, dkernel, k, TAPS * c * f, c * f, part, part[0])
