r"""Una GAN: un generador y un discriminador que se entrenan por turnos."""

import numpy as np

from chapters.mlp.functional import Model
from chapters.mlp.losses.binary import BinaryCrossentropy
from chapters.mlp.sequential import Input
from dlbook import check


class GAN:
    r"""Red generativa adversaria (*generative adversarial network*): dos redes, una contra otra.

    El **generador** (*generator*) convierte ruido en datos falsos; el **discriminador** (*discriminator*), el perito,
    les da un logit. Aprenden por turnos, con dos modelos que comparten capas, como en Keras:

    1. El discriminador recibe un lote de verdaderos y falsos, con sus respuestas, 1 y 0, y da un paso.
    2. El modelo combinado es el generador seguido del discriminador **congelado**. Recibe ruido, y la respuesta que
       se le pide es 1, «verdadero». El gradiente atraviesa al discriminador sin corregirlo y llega al generador, que
       da un paso.

    Sin congelarlo, en el segundo turno el discriminador aprendería a llamar verdadero a lo falso. Las pérdidas son
    :func:`discriminator_loss` y :func:`generator_loss`: las dos son una entropía cruzada con logits.

    >>> from chapters.mlp import Adam, Dense, Input, Sequential
    >>> hidden = [Input((2,)), Dense(8, "relu"), Dense(1)]
    >>> generator = Sequential(hidden, seed=0)
    >>> hidden = [Input((1,)), Dense(8, "relu"), Dense(1)]
    >>> discriminator = Sequential(hidden, seed=1)
    >>> gan = GAN(generator, discriminator, seed=0)
    >>> gan.compile(Adam(1e-3), Adam(1e-3))
    >>> d_loss, g_loss = gan.train_on_batch([[3.0], [4.0], [5.0]])
    >>> gan.sample(4).shape
    (4, 1)

    Parameters
    ----------
    generator, discriminator : Model
        El discriminador termina en una neurona **sin activación**; su entrada tiene la forma de lo que da el
        generador. La del generador es un vector.
    seed : int or numpy.random.Generator
        La semilla del ruido.

    Raises
    ------
    TypeError, ValueError
        Si no son modelos construidos o sus formas no encajan.
    """

    def __init__(self, generator, discriminator, seed=0):
        self.generator = check.model(generator, "generator")
        self.discriminator = check.model(discriminator, "discriminator")
        self.rng = check.generator(seed)
        seen, made = generator.input_shape, generator.output_shape
        judged, told = discriminator.input_shape, discriminator.output_shape
        if not isinstance(seen, tuple) or len(seen) != 1:
            raise ValueError(f"generator: se esperaba construido y con un vector de entrada, pero su entrada es {seen}")
        if made != judged or told != (1,):
            raise ValueError(f"se esperaba un discriminador de {made} a (1,), pero llegó uno de {judged} a {told}")
        self.latent = seen[0]
        noise = Input((self.latent,))
        self.combined = Model(noise, discriminator(generator(noise)))

    def compile(self, d_optimizer, g_optimizer):
        r"""Da a cada jugador su optimizador, uno distinto a cada uno."""
        if d_optimizer is g_optimizer and not isinstance(g_optimizer, str):
            raise ValueError("g_optimizer: se esperaba otro optimizador, pero llegó el mismo que el del discriminador")
        self.discriminator.trainable = True
        self.discriminator.compile(d_optimizer, BinaryCrossentropy(from_logits=True))
        self.discriminator.trainable = False
        self.combined.compile(g_optimizer, BinaryCrossentropy(from_logits=True))

    def noise(self, n):
        r"""Sortea ``n`` entradas del generador, de una normal estándar."""
        shape = check.integer(n, "n", 1), self.latent
        check.memory(shape[0] * shape[1], "ruido")
        return self.rng.standard_normal(shape, np.float32)

    def sample(self, n):
        r"""Inventa ``n`` datos."""
        return self.generator.predict(self.noise(n), verbose=0)

    def train_discriminator(self, x):
        r"""El turno del discriminador, con un lote de verdaderos y otros tantos falsos; devuelve su pérdida."""
        x = self._data(x)
        fake = self.generator(self.noise(len(x)), training=True)
        answers = np.repeat([[1.0], [0.0]], len(x), axis=0)
        self.discriminator.trainable = True
        loss = self.discriminator.train_on_batch(np.concatenate([x, fake]), answers)
        self.discriminator.trainable = False
        return loss

    def train_generator(self, n):
        r"""El turno del generador, con ``n`` falsos nuevos; devuelve su pérdida."""
        return self.combined.train_on_batch(self.noise(n), np.ones((n, 1)))

    def _data(self, x):
        shape = " ".join(map(str, ("n", *self.discriminator.input_shape)))
        return check.floats(x, "x", shape)

    def train_on_batch(self, x):
        r"""Un turno de cada uno.

        Parameters
        ----------
        x : array_like, shape (n, ...)
            Datos verdaderos.

        Returns
        -------
        d_loss, g_loss : float
            La pérdida de cada jugador, en nats.
        """
        return self.train_discriminator(x), self.train_generator(len(x))

    def fit(self, x, batch_size=32, epochs=1):
        r"""Entrena por turnos, con los datos barajados en cada época.

        Parameters
        ----------
        x : array_like, shape (n, ...)
            Datos verdaderos.
        batch_size, epochs : int
            Cuántos verdaderos en cada turno, y cuántas veces se recorren todos.

        Returns
        -------
        dict of list of float
            La pérdida media de cada jugador en cada época: ``d_loss`` y ``g_loss``.
        """
        x = self._data(x)
        size = check.integer(batch_size, "batch_size", 1, len(x))
        history = {"d_loss": [], "g_loss": []}
        for _ in range(check.integer(epochs, "epochs", 1)):
            order = self.rng.permutation(len(x))
            # Lo que no completa un lote se queda para otra época.
            batches = order[: len(x) // size * size].reshape(-1, size)
            losses = [self.train_on_batch(x[rows]) for rows in batches]
            for name, values in zip(history, zip(*losses, strict=True), strict=True):
                history[name].append(float(np.mean(values)))
        return history
