r"""El autocodificador variacional, armado, y la cota con que se mide."""

import numpy as np

from chapters.autoencoder.vae.gaussian_kl import gaussian_kl
from chapters.autoencoder.vae.sampling import Sampling
from chapters.mlp import Dense, Input, Model
from dlbook import check


def _sizes(input_size, hidden, latent):
    values = {"input_size": input_size, "hidden": hidden, "latent": latent}
    return [check.integer(n, name, 1) for name, n in values.items()]


def vae(
    input_size,
    hidden,
    latent,
    beta=1.0,
    activation="relu",
    seed=None,
    dtype="float32",
):
    r"""Arma un autocodificador variacional denso para datos entre 0 y 1.

    Son tres modelos con las mismas capas. El **codificador** da dos vectores, :math:`\boldsymbol\mu(\mathbf x)` y
    :math:`\boldsymbol\ell(\mathbf x)`, cada uno por su capa lineal; el **decodificador**, la probabilidad de cada
    píxel; y el tercero los une con un :class:`Sampling`. Los dos primeros sirven después de entrenar: uno para mirar
    los códigos y el otro para generar.

    >>> whole, encoder, decoder = vae(64, 32, 2, seed=0)
    >>> mean, log_var = encoder.predict(np.zeros((5, 64)))
    >>> mean.shape, decoder.predict(np.zeros((3, 2))).shape
    ((5, 2), (3, 64))
    >>> whole.count_params() == encoder.count_params() + decoder.count_params()
    True

    La entropía cruzada de :class:`~chapters.mlp.losses.BinaryCrossentropy` es la **media** de los píxeles; la de la
    cota es su **suma**. Por eso se compila con ``loss_weights=[input_size]``, y la pérdida queda en nats por imagen:

    >>> whole.compile("adam", "binary_crossentropy", loss_weights=[64])

    Parameters
    ----------
    input_size : int
        Cuántos números tiene cada dato.
    hidden : int
        Cuántas neuronas tiene la capa oculta de cada lado.
    latent : int
        Cuántos números tiene el código.
    beta : float
        Cuánto pesa la divergencia; con 1, la pérdida es la cota con el signo cambiado.
    activation : str
        La activación de las capas ocultas.
    seed : int, optional
        Origen de los pesos y del azar.
    dtype : str
        El tipo de los pesos: ``"float32"`` o ``"float64"``.

    Returns
    -------
    vae, encoder, decoder : Model
        El modelo entero, el codificador y el decodificador.

    Raises
    ------
    TypeError, ValueError
        Si algún tamaño no es un entero positivo o ``beta`` es negativo.
    """
    m, hidden, latent = _sizes(input_size, hidden, latent)
    first, second, third = check.generator(seed).spawn(3)
    x, z = Input((m,), name="x"), Input((latent,), name="z")
    h = Dense(hidden, activation)(x)
    codes = Dense(latent, name="media")(h), Dense(latent, name="log_var")(h)
    own = {"dtype": dtype, "seed": first}
    encoder = Model(x, list(codes), name="codificador", **own)
    pixels = Dense(m, "sigmoid")(Dense(hidden, activation)(z))
    own = {"dtype": dtype, "seed": second}
    decoder = Model(z, pixels, name="decodificador", **own)
    drawn = decoder(Sampling(beta)(encoder(x)))
    whole = Model(x, drawn, name="vae", dtype=dtype, seed=third)
    return whole, encoder, decoder


def elbo(encoder, decoder, x, samples=1, seed=0):
    r"""Mide la cota de la evidencia de cada dato, con píxeles de Bernoulli, en sus dos partes.

    La cota es reconstrucción menos divergencia. La divergencia es exacta, :eq:`ec-ae-kl`; la reconstrucción es una
    media sobre el azar del código, y se estima con :math:`S` sorteos. Con :math:`\hat{\mathbf x}` lo que da el
    decodificador,

    .. math::
       :label: ec-ae-reconstruccion

       R=\frac1S\sum_{s=1}^{S}\sum_i
       \Bigl[x_i\ln\hat x_i^{(s)}+(1-x_i)\ln\bigl(1-\hat x_i^{(s)}\bigr)\Bigr].

    **A mano.** Un decodificador que no sabe nada da :math:`\tfrac12` en cada píxel: con cuatro píxeles,
    :math:`R=4\ln\tfrac12\approx-2.773`. Y un codificador que da la normal estándar no paga nada:

    >>> _, encoder, decoder = vae(4, 3, 2, seed=0)
    >>> for model in (encoder, decoder):
    ...     model.set_weights([0 * w for w in model.get_weights()])
    >>> reconstruction, kl = elbo(encoder, decoder, [[0.0, 1.0, 1.0, 0.0]])
    >>> reconstruction.round(3), kl
    (array([-2.773]), array([0.]))

    Parameters
    ----------
    encoder, decoder : Model
        Los de :func:`vae`, o los que den y reciban lo mismo.
    x : array_like, shape (n, m)
        Los datos, entre 0 y 1.
    samples : int
        Cuántos códigos se sortean por dato, :math:`S`; hasta 10 000.
    seed : int
        Origen del azar.

    Returns
    -------
    reconstruction, kl : ndarray, shape (n,)
        La reconstrucción y la divergencia de cada dato, en nats. La cota es su resta.

    Raises
    ------
    TypeError, ValueError
        Si ``x`` no es una tabla de números entre 0 y 1, o si ``samples`` no es un entero de 1 a 10 000.
    """
    x = check.floats(x, "x", "n m").astype(float)
    if x.min() < 0 or x.max() > 1:
        raise ValueError(f"x: se esperaban números entre 0 y 1, pero van de {x.min():g} a {x.max():g}")
    samples = check.integer(samples, "samples", 1, 10_000)
    rng = check.generator(seed)
    encoder, decoder = check.model(encoder, "encoder"), check.model(decoder, "decoder")
    return plain_elbo(encoder, decoder, x, samples, rng)


def plain_elbo(encoder, decoder, x, samples=1, seed=0):
    r"""La reconstrucción, con códigos sorteados, y la divergencia, exacta."""
    rng = np.random.default_rng(seed)
    mean, log_var = (np.float64(a) for a in encoder.predict(x))
    total = np.zeros(len(x))
    for _ in range(samples):
        noise = rng.normal(size=mean.shape)
        p = decoder.predict(mean + np.exp(log_var / 2) * noise)
        p = np.clip(np.float64(p), 1e-7, 1 - 1e-7)
        total += np.where(x > 0, x * np.log(p), 0).sum(axis=1)
        total += ((1 - x) * np.log1p(-p)).sum(axis=1)
    return total / samples, gaussian_kl(mean, log_var)  # [ec-ae-reconstruccion]
