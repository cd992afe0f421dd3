r"""Cuánto mide lo que sale de una convolución, y con cuántos ceros se rellena la orilla."""

from chapters.cnn.arguments import whole
from dlbook.check import choice


def kernel_span(kernel_size, dilation=1):
    r"""Cuántas casillas ocupa un filtro dilatado: :eq:`ec-cnn-extension`.

    >>> kernel_span(3), kernel_span(3, 2), kernel_span(3, 4), kernel_span(1, 4)
    (3, 5, 9, 1)

    Parameters
    ----------
    kernel_size : int
        Cuántos pesos tiene.
    dilation : int
        La dilatación.

    Returns
    -------
    int

    Raises
    ------
    TypeError, ValueError
        Si alguno no es un entero de al menos 1.
    """
    kernel_size = whole(kernel_size, "kernel_size")
    return whole(dilation, "dilation") * (kernel_size - 1) + 1  # [ec-cnn-extension]


def output_size(size, kernel_size, stride=1, padding="valid", dilation=1):
    r"""Tamaño de la salida: en cuántas posiciones cabe la ventana a lo largo de un eje.

    Empecemos por lo más simple: una fila de :math:`D` casillas y un filtro de :math:`N`, que avanza de uno en uno. La
    ventana que empieza en la casilla :math:`i`, contando desde 0, termina en la :math:`i+N-1`, y cabe si esa es a lo
    más la última, :math:`D-1`. O sea, :math:`i` va de 0 a :math:`D-N`: las posiciones son

    .. math::
       :label: ed-cnn-tamano

       M = D - N + 1 .

    Tres números más cambian la cuenta:

    - :math:`P`, el *relleno* (*padding*): cuántas casillas con cero se agregan en **cada** extremo;
    - :math:`S`, el *paso* (*stride*): cuántas casillas avanza la ventana cada vez;
    - :math:`d`, la *dilatación* (*dilation*): el filtro lee una casilla de cada :math:`d`. Con :math:`d=1` son
      vecinas; con :math:`d=2` se deja una sin leer entre dos que se leen.

    Un filtro de :math:`N` pesos dilatado tiene :math:`N-1` saltos de :math:`d` casillas, y por lo tanto ocupa

    .. math::
       :label: ec-cnn-extension

       K = d\,(N-1) + 1 .

    La fila rellenada mide :math:`D+2P`. La ventana que ocupa el lugar :math:`i` empieza ahora en la casilla :math:`iS`
    y termina en la :math:`iS+K-1`. Cabe si :math:`iS+K-1\leq D+2P-1`, o sea, :math:`i\leq (D+2P-K)/S`. Los enteros que
    empiezan en 0 y no pasan de una cantidad :math:`q\geq 0` son :math:`\lfloor q\rfloor+1`:

    .. math::
       :label: ec-cnn-tamano

       M = \left\lfloor\frac{D+2P-K}{S}\right\rfloor + 1 .

    Con :math:`P=0`, :math:`S=1` y :math:`d=1` vuelve a ser :eq:`ed-cnn-tamano`. Lo que la parte entera descarta son
    casillas del final que ninguna ventana alcanza a leer.

    **Dos rellenos con nombre.** ``"valid"`` es :math:`P=0`: solo valen las posiciones donde todo lo que se lee es
    imagen. ``"same"`` pone los ceros que hagan falta para que con paso 1 la salida mida **lo mismo** que la entrada;
    con paso :math:`S` promete :math:`\lceil D/S\rceil`, la división redondeada hacia arriba
    (:func:`~chapters.cnn.same_padding` dice cuántos ceros son).

    **A mano.** Una entrada de 5 y un filtro de 3: con VALID, :math:`5-3+1=3`; con un cero en cada orilla,
    :math:`5+2-3+1=5`, que es lo que da SAME; con paso 2, :math:`\lfloor 2/2\rfloor+1=2`. Con dilatación 2 el filtro
    ocupa 5 y solo cabe una vez: :item:`CNN-31, CNN-32`

    >>> [output_size(5, 3, padding=p) for p in ("valid", 1, "same")]
    [3, 5, 5]
    >>> output_size(5, 3, stride=2), output_size(5, 3, dilation=2)
    (2, 1)

    La fórmula, contra la cuenta una por una de las ventanas que caben:

    >>> cases = (7, 3, 0, 2), (8, 3, 0, 2), (8, 5, 2, 3), (32, 5, 0, 1)
    >>> for d, n, p, s in cases:
    ...     starts = range(0, d + 2 * p - n + 1, s)
    ...     print(output_size(d, n, s, p), len(starts))
    3 3
    3 3
    3 3
    28 28

    Parameters
    ----------
    size : int
        Cuánto mide la entrada a lo largo del eje, :math:`D`.
    kernel_size : int
        Cuántos pesos tiene el filtro a lo largo de ese eje, :math:`N`.
    stride : int
        El paso, :math:`S`.
    padding : {"valid", "same"} or int
        El relleno: por su nombre, o cuántos ceros en cada extremo, :math:`P`.
    dilation : int
        La dilatación, :math:`d`.

    Returns
    -------
    int

    Raises
    ------
    TypeError
        Si algún tamaño no es un entero.
    ValueError
        Si alguno es menor que 1, si el relleno no es de los que se admiten o si el filtro no cabe.

        >>> output_size(4, 3, dilation=2)
        Traceback (most recent call last):
            ...
        ValueError: kernel_size: se esperaba un filtro que quepa en 4, pero ocupa 5
    """
    size = whole(size, "size")
    span = kernel_span(kernel_size, dilation)
    stride = whole(stride, "stride")
    if isinstance(padding, str):
        if choice(padding, "padding", ("valid", "same")) == "same":
            return -(-size // stride)
        padding = 0
    room = size + 2 * whole(padding, "padding", 0)
    if span > room:
        raise ValueError(f"kernel_size: se esperaba un filtro que quepa en {room}, pero ocupa {span}")
    return (room - span) // stride + 1  # [ec-cnn-tamano]


def same_padding(size, kernel_size, stride=1, dilation=1):
    r"""Los ceros que pone SAME en cada extremo de un eje.

    Se le pide una salida de :math:`M=\lceil D/S\rceil`. La última ventana empieza en la casilla :math:`(M-1)S` de la
    fila ya rellenada y ocupa :math:`K` :eq:`ec-cnn-extension`, de modo que la fila tiene que llegar a
    :math:`(M-1)S+K`. Lo que le falta es el relleno total,

    .. math::
       :label: ec-cnn-same

       P_{\text{total}} = \max\bigl((M-1)\,S + K - D,\ 0\bigr) ,

    y se reparte por mitades. Si es impar, el cero que sobra va **al final**, como en TensorFlow y en Keras. Con paso 1
    queda :math:`P_{\text{total}}=K-1`, que en un filtro impar es el mismo número por los dos lados,
    :math:`(K-1)/2`. :item:`CNN-32`

    **A mano.** Con 5 casillas y un filtro de 3, un cero por lado. Con un filtro de 2 falta un solo cero, y va al final.
    Con 4 casillas, un filtro de 3 y paso 2 la salida mide 2 y la última ventana llega a :math:`2+3=5`: falta uno.

    >>> same_padding(5, 3), same_padding(5, 2), same_padding(4, 3, stride=2)
    ((1, 1), (0, 1), (0, 1))
    >>> same_padding(5, 3, dilation=2)
    (2, 2)

    Con un filtro de 1 y ese paso, la última ventana termina antes que la imagen, y no falta nada:

    >>> same_padding(4, 1, stride=2)
    (0, 0)

    Parameters
    ----------
    size, kernel_size, stride, dilation : int
        Como en :func:`~chapters.cnn.output_size`.

    Returns
    -------
    before, after : int
        Ceros al principio y al final.

    Raises
    ------
    TypeError, ValueError
        Si algún tamaño no es un entero de al menos 1.

        >>> same_padding(5, 3, stride=0)
        Traceback (most recent call last):
            ...
        ValueError: stride: se esperaba un entero de al menos 1, pero llegó 0
    """
    count = output_size(size, kernel_size, stride, "same", dilation)
    needed = (count - 1) * stride + kernel_span(kernel_size, dilation)
    total = max(needed - size, 0)  # [ec-cnn-same]
    return total // 2, total - total // 2


def output_sizes(sizes, kernel_size, strides, padding, dilation_rate=(1, 1)):
    r"""El tamaño de la salida en cada eje; donde no se sabe cuánto mide la entrada, tampoco.

    >>> output_sizes((28, None), (5, 5), (1, 1), "valid")
    (24, None)

    Parameters
    ----------
    sizes : sequence of int or None
        Lo que mide la entrada.
    kernel_size, strides, dilation_rate : sequence of int
        Los de cada eje.
    padding : {"valid", "same", "causal"}
        El relleno. Con el causal, todo al principio, hay tantas posiciones como con SAME.

    Returns
    -------
    tuple of int or None
    """
    padding = "same" if padding == "causal" else padding
    axes = zip(sizes, kernel_size, strides, dilation_rate, strict=True)
    return tuple(None if d is None else output_size(d, k, s, padding, r) for d, k, s, r in axes)
