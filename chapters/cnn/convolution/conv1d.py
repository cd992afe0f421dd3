r"""La convolución de una serie: el mismo filtro, a lo largo del tiempo."""

from chapters.cnn.convolution.conv2d import Conv2D


class Conv1D(Conv2D):
    r"""Capa de convolución en una dimensión, con los argumentos de Keras.

    Un sonido, un electrocardiograma o la temperatura de cada hora son una fila de números: una imagen de **un** píxel
    de alto. El filtro se desliza solo a lo largo. Con :math:`k` pesos por canal, paso :math:`s`, dilatación
    :math:`d` y :math:`p` ceros al principio,

    .. math::
       :label: ed-cnn-conv1d

       z_{tf} = b_f + \sum_{i=0}^{k-1}\sum_{c=0}^{C-1} x_{ts+i\,d-p,\,c}\,w_{icf} ,

    que es :eq:`ec-cnn-conv2d` con alto 1. Por eso no hay nada que volver a derivar ni a programar: la capa es una
    :class:`~chapters.cnn.Conv2D` que ve cada serie como una imagen de :math:`1\times T`, y de esa capa solo cambia en
    qué lugar están las ventanas. :item:`CNN-17`

    **Sin ver el futuro.** En una imagen da lo mismo mirar a la izquierda que a la derecha; en el tiempo, no. Para
    predecir lo que sigue, la salida en :math:`t` solo puede depender de :math:`x_0,\dots,x_t`. El relleno ``"causal"``
    pone **todos** los ceros al principio, :math:`p=d(k-1)`; entonces el último peso cae en :math:`x_t` con paso 1,
    y los demás, en el pasado. La salida mide lo mismo que la entrada.

    **A mano.** Un filtro que promedia dos instantes. Con ``"valid"`` salen tres promedios; con ``"causal"``, cuatro, y
    al primero le falta un vecino:

    >>> import numpy as np
    >>> x = np.array([2.0, 4.0, 6.0, 0.0]).reshape(1, 4, 1)
    >>> for padding in ("valid", "causal"):
    ...     layer = Conv1D(1, 2, padding=padding, dtype="float64")
    ...     layer.build((4, 1))
    ...     layer.set_weights([np.array([0.5, 0.5]).reshape(2, 1, 1), [0.0]])
    ...     print(layer.forward(x)[0, :, 0])
    [3. 5. 3.]
    [1. 3. 5. 3.]

    Con culpa 1 en cada salida causal, los tres primeros instantes están en dos promedios; el último, en uno:

    >>> layer.backward(np.ones((1, 4, 1)))[0, :, 0]
    array([1. , 1. , 1. , 0.5])
    >>> layer.gradients[0].ravel()  # 0+2+4+6 y 2+4+6+0
    array([12., 12.])

    Parameters
    ----------
    filters : int
        Cuántos filtros.
    kernel_size : int
        Cuántos instantes abarca cada uno.
    strides : int
        El paso.
    padding : {"valid", "same", "causal"}
        El relleno.
    data_format : {"channels_last"}, optional
        Dónde van los canales; aquí, siempre al final.
    dilation_rate : int
        La dilatación; mayor que 1, solo con paso 1.
    groups, activation, use_bias, kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer
        Como en :class:`~chapters.cnn.Conv2D`.
    kernel_constraint, bias_constraint
        También.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.

    Attributes
    ----------
    kernel : ndarray, shape (k, c / groups, f)
        Los filtros.
    bias : ndarray, shape (f,), or None
        Los sesgos.

    Raises
    ------
    TypeError, ValueError
        Si un argumento no es del tipo o del conjunto que se espera, o si el filtro no cabe en la serie.

        >>> Conv1D(4, 3).compute_output_shape((28, 28, 1))
        Traceback (most recent call last):
            ...
        ValueError: x: se esperaba la forma (n, instantes, canales), pero llegó (n, 28, 28, 1)
    """

    rank = 1
    paddings = ("valid", "same", "causal")
