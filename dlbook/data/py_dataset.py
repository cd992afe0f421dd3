r"""Datos que llegan por lotes: lo que hay que escribir para que no tengan que caber en la memoria."""


class PyDataset:
    r"""Un conjunto de datos que se pide lote por lote; en Keras se llamaba también ``Sequence``.

    De una carpeta con cien mil fotos no se hace un arreglo. Basta con saber cuántos lotes hay, ``len(datos)``, y leer
    el que toque, ``datos[k]``. Quien hereda define esos dos:

    >>> class Squares(PyDataset):
    ...     def __len__(self):
    ...         return 3
    ...     def __getitem__(self, k):
    ...         x = np.arange(2 * k, 2 * k + 2)
    ...         return x, x**2
    >>> import numpy as np
    >>> for x, y in Squares():
    ...     print(x, y)
    [0 1] [0 1]
    [2 3] [4 9]
    [4 5] [16 25]

    El orden de los lotes lo baraja quien entrena; el de las observaciones, si hace falta, :meth:`on_epoch_end`.

    Parameters
    ----------
    workers, use_multiprocessing, max_queue_size
        Están por compatibilidad con Keras, y aquí no cambian nada.
    """

    def __init__(
        self,
        workers=1,
        use_multiprocessing=False,
        max_queue_size=10,
    ):
        self.workers = workers
        self.use_multiprocessing = use_multiprocessing
        self.max_queue_size = max_queue_size

    def __len__(self):
        r"""Dice cuántos lotes hay."""
        raise NotImplementedError(f"{type(self).__name__}: falta __len__, que dice cuántos lotes hay")

    def __getitem__(self, k):
        r"""Da el lote ``k``: ``(x, y)`` o ``(x, y, sample_weight)``."""
        raise NotImplementedError(f"{type(self).__name__}: falta __getitem__, que da el lote k")

    def __iter__(self):
        r"""Recorre los lotes en orden, una vez."""
        return (self[k] for k in range(len(self)))

    @property
    def num_batches(self):
        r"""Cuántos lotes hay."""
        return len(self)

    def on_epoch_begin(self):
        r"""Se llama al empezar cada época."""

    def on_epoch_end(self):
        r"""Se llama al terminar cada época: para barajar, por ejemplo."""
