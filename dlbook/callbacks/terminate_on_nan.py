r"""Acabar sin un error cuando la pérdida se rompe."""

import math

from dlbook import check
from dlbook.attributes import Checked
from dlbook.callbacks.base import Callback
from dlbook.console import say


class TerminateOnNaN(Callback):
    r"""Termina el entrenamiento, sin un error, si la pérdida deja de ser un número.

    Aquí ``fit`` ya se detiene en el primer paso que sale mal y lanza un ``FloatingPointError`` que dice dónde y por
    qué pudo ser. Con este *callback* dice lo mismo en una línea y acaba como siempre: los demás recuperan y cierran lo
    suyo, y ``fit`` devuelve la historia de las épocas completas. Sirve cuando se prueban muchas redes en fila y una que
    se rompe no debe detener a las otras.

    **A mano.** Con una tasa de :math:`10^{200}`, la segunda pérdida ya no cabe en un ``float64``:

    >>> from chapters.mlp import SGD, Dense, Sequential
    >>> layer = Dense(1, kernel_initializer="zeros")
    >>> model = Sequential([layer], dtype="float64")
    >>> model.compile(SGD(1e200), "mse")
    >>> options = {"epochs": 5, "callbacks": [TerminateOnNaN()], "verbose": 0}
    >>> history = model.fit([[1.0]], [[2.0]], **options)  # doctest: +ELLIPSIS
    la pérdida es inf en la época 2, lote 1 de 1: ...
    >>> history.history
    {'loss': [4.0]}

    Parameters
    ----------
    raise_error : bool
        Si, como en Keras, se lanza un ``RuntimeError`` y no se llama ya a nadie.
    """

    raise_error = Checked(check.boolean)

    def __init__(self, raise_error=False):
        self.raise_error = raise_error

    def on_batch_end(self, batch, logs=None):
        r"""Mira la pérdida de un ciclo escrito a mano; en ``fit`` nunca llega una que no sea un número."""
        loss = (logs or {}).get("loss")
        if loss is not None and not math.isfinite(loss):
            self.stop(f"la pérdida es {loss} en el lote {batch + 1}")

    def stop(self, reason):
        r"""Termina, por la razón que se le dé.

        Parameters
        ----------
        reason : str
            Qué pasó.

        Raises
        ------
        RuntimeError
            Si así se pidió.
        """
        if self.raise_error:
            raise RuntimeError(reason)
        say(reason)
        self.model.stop_training = True
