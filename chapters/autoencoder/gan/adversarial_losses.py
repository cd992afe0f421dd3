r"""Las pérdidas de los dos jugadores, con sus gradientes."""

from chapters.mlp.activations import sigmoid, softplus
from dlbook import check


def discriminator_loss(real, fake):
    r"""La pérdida del perito: la entropía cruzada de quien debe decir «verdadero» a unos y «falso» a otros.

    La última neurona del perito da un logit :math:`z`, y :math:`D=\sigma(z)`. Con :math:`n` datos verdaderos, de logits
    :math:`r_i`, y :math:`m` falsos, de logits :math:`f_j`, su pérdida es el valor de la partida, :eq:`ed-ae-gan-valor`,
    estimado con los ejemplos, cambiado de signo y entre dos:

    .. math::
       :label: ec-ae-gan-perito

       \mathcal L_D = \frac12\Bigl[\frac1n\sum_i -\ln\sigma(r_i) + \frac1m\sum_j -\ln\bigl(1-\sigma(f_j)\bigr)\Bigr] .

    Si hay tantos de unos como de otros, es la entropía cruzada de todos juntos, con 1 y 0 por respuesta: es lo que
    calcula ``BinaryCrossentropy(from_logits=True)``. Contra un falsificador perfecto, el mejor perito paga
    :math:`\ln2`.

    **Gradiente.** El de la entropía cruzada con logits, :eq:`ec-mlp-bce-logits-gradiente`, es la respuesta menos lo
    correcto:

    .. math::
       :label: ec-ae-gan-perito-gradiente

       \frac{\partial\mathcal L_D}{\partial r_i}=\frac{\sigma(r_i)-1}{2n},
       \qquad
       \frac{\partial\mathcal L_D}{\partial f_j}=\frac{\sigma(f_j)}{2m} .

    **A mano.** Un perito que no sabe nada, con todos los logits en cero:

    >>> loss, dreal, dfake = discriminator_loss([0.0, 0.0], [0.0, 0.0])
    >>> loss.round(4), dreal, dfake
    (np.float64(0.6931), array([-0.125, -0.125]), array([0.125, 0.125]))

    Parameters
    ----------
    real, fake : array_like, shape (n,) and (m,)
        Los logits de los verdaderos y los de los falsos.

    Returns
    -------
    loss : float
        La pérdida, en nats.
    dreal, dfake : ndarray, shape (n,) and (m,)
        Sus gradientes.

    Raises
    ------
    TypeError, ValueError
        Si no son números reales y finitos, o si no hay ninguno.
    """
    return plain_discriminator_loss(check.floats(real, "real", "n"), check.floats(fake, "fake", "m"))


def plain_discriminator_loss(real, fake):
    """La media de las sorpresas del perito, y sus derivadas."""
    surprise = softplus(-real).mean() + softplus(fake).mean()
    dreal = (sigmoid(real) - 1) / (2 * len(real))
    dfake = sigmoid(fake) / (2 * len(fake))  # [ec-ae-gan-perito-gradiente]
    return surprise / 2, dreal, dfake  # [ec-ae-gan-perito]


def generator_loss(fake, saturating=False):
    r"""La pérdida del falsificador, en sus dos versiones.

    Lo que la partida le pide es **minimizar** :math:`\ln(1-D)`, que el perito no esté seguro de que es falso:

    .. math::
       :label: ec-ae-gan-satura

       \mathcal L_G=\frac1m\sum_j\ln\bigl(1-\sigma(f_j)\bigr),
       \qquad
       \frac{\partial\mathcal L_G}{\partial f_j}=-\frac{\sigma(f_j)}m .

    La derivada sale de :math:`\ln(1-\sigma(f))=-\ln(1+e^f)`, cuya pendiente es :math:`-\sigma(f)`. Mírala cuando el
    falsificador es malo, que es al principio: el perito lo descubre, :math:`\sigma(f)\approx0`, y **el gradiente es
    casi cero**. Justo quien más tiene que aprender no recibe corrección: la pérdida *satura*.

    La versión que se usa cambia la pregunta. En vez de minimizar que lo descubran, **maximizar que le crean**:

    .. math::
       :label: ec-ae-gan-no-satura

       \mathcal L_G=\frac1m\sum_j-\ln\sigma(f_j),
       \qquad
       \frac{\partial\mathcal L_G}{\partial f_j}=-\frac{1-\sigma(f_j)}m .

    Las dos empujan cada logit hacia arriba y quieren lo mismo, un perito que diga «verdadero». Cambia la fuerza:
    ahora el que va peor recibe casi toda, :math:`1-\sigma(f)\approx1`.

    **A mano.** Un falso que el perito descubre con mucha seguridad, :math:`f=-4`, o sea :math:`\sigma(f)=0.018`:

    >>> for saturating in (True, False):
    ...     loss, dfake = generator_loss([-4.0], saturating)
    ...     print(f"pérdida {loss:.4f}, gradiente {dfake[0]:.4f}")
    pérdida -0.0181, gradiente -0.0180
    pérdida 4.0181, gradiente -0.9820

    Parameters
    ----------
    fake : array_like, shape (m,)
        Los logits que el perito les da a los falsos.
    saturating : bool
        Si se usa la de la partida; si no, la que se usa en la práctica :cite:p:`goodfellow2014`.

    Returns
    -------
    loss : float
        La pérdida, en nats.
    dfake : ndarray, shape (m,)
        Su gradiente.

    Raises
    ------
    TypeError, ValueError
        Si no son números reales y finitos, o si no hay ninguno.
    """
    return plain_generator_loss(check.floats(fake, "fake", "m"), check.boolean(saturating, "saturating"))


def plain_generator_loss(fake, saturating):
    """La media de las pérdidas de los falsos, y su derivada."""
    if saturating:
        loss, dfake = -softplus(fake), -sigmoid(fake)  # [ec-ae-gan-satura]
    else:
        loss, dfake = softplus(-fake), sigmoid(fake) - 1  # [ec-ae-gan-no-satura]
    return loss.mean(), dfake / len(fake)
