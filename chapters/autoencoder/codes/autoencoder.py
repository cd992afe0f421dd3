r"""El autocodificador: una red que se responde a sí misma, y lo que se mide en ella."""

import numpy as np

from chapters.mlp import Dense, Input, Model
from dlbook import check


def autoencoder(
    input_size, hidden, latent, activation="relu",
    latent_activation=None, output_activation=None, **options,
):  # fmt: skip
    r"""Arma un autocodificador denso (*autoencoder*) y sus dos mitades, que comparten las capas.

    El **codificador** (*encoder*) lleva :math:`\mathbf x`, de :math:`d` números, a su código :math:`\mathbf h`, de
    :math:`k`; el **decodificador** (*decoder*) lleva el código a :math:`\hat{\mathbf x}`, otra vez de :math:`d`:

    .. math::
       :label: ec-ae-autocodificador

       \mathbf h=f(\mathbf x),\qquad \hat{\mathbf x}=g(\mathbf h)=g(f(\mathbf x)) .

    Cada uno es una red como las del capítulo 2. Los anchos de las capas ocultas van una vez en el codificador y, al
    revés, otra en el decodificador: con :math:`d=64`, capas de 32 y 16 y un código de 2, la red es
    64-32-16-**2**-16-32-64.

    **Tres modelos, unos pesos.** El entero, para entrenar; el codificador, para escribir códigos; el decodificador,
    para leerlos. Son tres maneras de recorrer las mismas capas, así que al entrenar el entero quedan entrenados los
    tres:

    >>> whole, encoder, decoder = autoencoder(8, [], 3, seed=0)
    >>> [layer.output.shape for layer in whole.layers]
    [(None, 8), (None, 3), (None, 8)]
    >>> x = np.eye(8, dtype="float32")
    >>> codes = encoder.predict(x)
    >>> codes.shape, decoder.predict(codes).shape
    ((8, 3), (8, 8))
    >>> bool((decoder.predict(codes) == whole.predict(x)).all())
    True

    Al codificar los tamaños bajan, y al decodificar suben hasta el de la entrada :item:`AE-08` :item:`AE-10`:

    >>> whole, _, _ = autoencoder(64, [32, 16], 2)
    >>> [layer.output.shape[-1] for layer in whole.layers]
    [64, 32, 16, 2, 16, 32, 64]

    Parameters
    ----------
    input_size : int
        Cuántos números tiene una observación, :math:`d`.
    hidden : sequence of int
        El ancho de cada capa oculta del codificador, en orden. Puede estar vacía.
    latent : int
        Cuántos números tiene el código, :math:`k`.
    activation : str or ActivationFunction, optional
        La activación de las capas ocultas.
    latent_activation, output_activation : str or ActivationFunction, optional
        La del código y la de la salida; sin ellas, son lineales.
    **options
        ``seed`` y ``dtype``, como en :class:`chapters.mlp.Layer`.

    Returns
    -------
    autoencoder, encoder, decoder : Model
        El entero y sus dos mitades.

    Raises
    ------
    TypeError, ValueError
        Si un tamaño no es un entero de al menos 1, o si una activación no existe.

        >>> autoencoder(8, [], 0)
        Traceback (most recent call last):
            ...
        ValueError: latent: se esperaba un entero de al menos 1, pero llegó 0
    """
    d = check.integer(input_size, "input_size", 1)
    k = check.integer(latent, "latent", 1)
    widths = check.sequence(hidden, "hidden", empty=True)
    x, h = Input((d,)), Input((k,))
    code = x
    for m in widths:
        code = Dense(check.integer(m, "hidden", 1), activation)(code)
    code = Dense(k, latent_activation)(code)
    back = [Dense(m, activation) for m in reversed(widths)]
    x_hat, read = code, h
    for layer in (*back, Dense(d, output_activation)):
        x_hat, read = layer(x_hat), layer(read)
    whole = Model(x, x_hat, name="autoencoder", **options)  # [ec-ae-autocodificador]
    encoder = Model(x, code, name="encoder")
    return whole, encoder, Model(h, read, name="decoder")


def reconstruction_error(x, x_hat):
    r"""Mide, en cada observación, lo que la reconstrucción se aparta de la entrada.

    Es el error cuadrático medio de :doc:`las pérdidas </mlp/perdidas>`, con la entrada en el lugar de la respuesta:

    .. math::
       :label: ec-ae-error

       \mathcal L^{(i)}=\frac1d\sum_{j=1}^{d}\bigl(x^{(i)}_j-\hat x^{(i)}_j\bigr)^2 .

    Al entrenar basta su media. Aquí se da **uno por observación**, porque también dice cuáles se reconstruyen mal: es
    el **puntaje de anomalía** (*anomaly score*) :item:`AE-15`.

    **A mano.** De :math:`(1, 0, 2)` a :math:`(1, 1, 0)` los cuadrados son 0, 1 y 4, y :math:`5/3\approx1.667`:

    >>> x, x_hat = [[1, 0, 2], [0, 0, 0]], [[1, 1, 0], [0, 0, 0]]
    >>> reconstruction_error(x, x_hat).round(3)
    array([1.667, 0.   ])

    Parameters
    ----------
    x : array_like, shape (n, ...)
        Las entradas: vectores o imágenes.
    x_hat : array_like, shape (n, ...)
        Sus reconstrucciones.

    Returns
    -------
    ndarray, shape (n,)
        El error de cada observación, en unidades de la entrada al cuadrado.

    Raises
    ------
    TypeError, ValueError
        Si no son números reales y finitos, si no hay ninguno o si las formas no son iguales.

        >>> reconstruction_error([[1, 0, 2]], [[1, 0]])
        Traceback (most recent call last):
            ...
        ValueError: x_hat: se esperaba la forma de x, (1, 3), pero llegó (1, 2)
    """
    x, x_hat = check.floats(x, "x"), check.floats(x_hat, "x_hat")
    if x.ndim == 0 or x.size == 0:
        asked = "al menos una observación con algún número"
        raise ValueError(f"x: se esperaba {asked}, pero llegó {x.shape}")
    if x.shape != x_hat.shape:
        asked = f"x_hat: se esperaba la forma de x, {x.shape}"
        raise ValueError(f"{asked}, pero llegó {x_hat.shape}")
    square = (x - x_hat).astype(np.float64) ** 2
    return square.reshape(len(x), -1).mean(axis=1)  # [ec-ae-error]


def compression_rate(n, k):
    r"""Dice cuántas veces más corto es el código que la entrada.

    .. math::
       :label: ec-ae-compresion

       \frac nk=\frac{\text{números que entran}}{\text{números del código}} .

    **A mano.** De 784 píxeles a 32 números, :math:`784/32=24.5` veces:

    >>> compression_rate(784, 32)
    24.5

    Son números contra números, no bytes contra bytes. Un píxel de MNIST ocupa un byte, y un número del código,
    cuatro: en bytes, :math:`784/(4\cdot32)` es mucho menos.

    >>> compression_rate(784, 4 * 32)
    6.125

    Parameters
    ----------
    n : int
        Cuántos números entran.
    k : int
        Cuántos tiene el código.

    Returns
    -------
    float
        Mayor que 1 si comprime.

    Raises
    ------
    TypeError, ValueError
        Si no son enteros de al menos 1.
    """
    return check.integer(n, "n", 1) / check.integer(k, "k", 1)  # [ec-ae-compresion]
