r"""La historia de un entrenamiento."""

from dlbook import check
from dlbook.callbacks.base import Callback


class History(Callback):
    r"""Anota lo que pasó en cada época; es lo que devuelve ``fit``.

    La pérdida dibujada contra las épocas se llama **curva de aprendizaje** (*learning curve*), y es el
    electrocardiograma de un entrenamiento: si baja, si ya se aplanó, si oscila porque la tasa es grande, si la de
    validación se separa de la otra porque la red empezó a memorizar.

    **A mano.** Lo que anota son listas, una por cantidad:

    >>> history = History()
    >>> history.on_epoch_end(0, {"loss": 0.9, "val_loss": 1.0})
    >>> history.on_epoch_end(1, {"loss": 0.5, "val_loss": 0.8})
    >>> history.history
    {'loss': [0.9, 0.5], 'val_loss': [1.0, 0.8]}
    >>> history.epoch
    [0, 1]

    ``history.plot()`` las dibuja, cada cantidad junto a su validación.

    Attributes
    ----------
    history : dict
        Nombre de cada cantidad y la lista de sus valores, uno por época.
    epoch : list of int
        Las épocas recorridas.
    """

    def __init__(self):
        self.history = {}
        self.epoch = []

    def on_epoch_end(self, epoch, logs=None):
        r"""Anota la época."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)

    def plot(self, *names, ax=None):
        r"""Dibuja las curvas de aprendizaje.

        Parameters
        ----------
        *names : str
            Qué dibujar, junto con su validación; sin nombres, la pérdida.
        ax : matplotlib.axes.Axes, optional
            Dónde dibujar.

        Returns
        -------
        matplotlib.axes.Axes
        """
        # Dibujar carga matplotlib; entrenar, no.
        from dlbook import plot

        chosen = {}
        for name in names or ("loss",):
            if name not in self.history:
                check.choice(name, "names", list(self.history), exact=True)
            for key in (name, f"val_{name}"):
                if key in self.history:
                    chosen[key] = self.history[key]
        label = ", ".join(names or ("loss",))
        start = self.epoch[0] + 1
        return plot.curves(chosen, ax, ylabel=label, start=start)
