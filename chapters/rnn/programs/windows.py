r"""De una serie larga, muchos ejemplos cortos: la ventana que se desliza."""

import numpy as np

from dlbook import check
from dlbook.data import PyDataset


class _Windows(PyDataset):
    # Las ventanas no se guardan: de cada una se sabe dónde empieza, y se recorta cuando se pide su lote.

    def __init__(self, data, targets, starts, steps, batch_size):
        super().__init__()
        self.data, self.targets = data, targets
        self.starts, self.steps, self.batch_size = starts, steps, batch_size

    def __len__(self):
        return -(-len(self.starts) // (self.batch_size or 1))

    def __getitem__(self, k):
        k = check.integer(k, "k", -len(self), len(self) - 1) % len(self)
        if self.batch_size is None:
            starts = self.starts[k]
        else:
            starts = self.starts[k * self.batch_size : (k + 1) * self.batch_size]
        x = self.data[np.add.outer(starts, self.steps)]
        return x if self.targets is None else (x, self.targets[starts])


def _series(value, name):
    array = check.numbers_of(value, name)
    if not array.shape:
        raise ValueError(f"{name}: se esperaba una serie, pero llegó un solo número")
    return array


def timeseries_dataset_from_array(
    data,
    targets,
    sequence_length,
    sequence_stride=1,
    sampling_rate=1,
    batch_size=128,
    shuffle=False,
    seed=None,
    start_index=None,
    end_index=None,
    format="tf",
):
    r"""Corta una serie en ventanas, cada una con su respuesta: los ejemplos de que aprende una red.

    Una serie de :math:`T` valores es **una** observación. Para entrenar se hacen muchas: la ventana :math:`i` son
    :math:`L` valores desde :math:`x_{is}`, tomados cada :math:`r`, y su respuesta es la que esté en ``targets`` en el
    lugar en que la ventana empieza:

    .. math::
       :label: ec-rnn-ventanas

       \bigl(x_{is},\,x_{is+r},\,\dots,\,x_{is+(L-1)r}\bigr)\longrightarrow y_{is},
       \qquad is+(L-1)r\le T-1 .

    Que ``targets`` se cuente desde el **principio** de la ventana confunde a cualquiera. Para pronosticar el valor que
    sigue, se da la serie corrida :math:`L` lugares: la respuesta de la ventana que empieza en :math:`t` es
    :math:`x_{t+L}`.

    **A mano.** De seis valores, ventanas de tres y el que sigue:

    >>> x = np.array([10.0, 11.0, 12.0, 13.0, 14.0, 15.0])
    >>> windows = timeseries_dataset_from_array(x[:-1], x[3:], 3)
    >>> for given, following in windows:
    ...     print(given)
    ...     print(following)
    [[10. 11. 12.]
     [11. 12. 13.]
     [12. 13. 14.]]
    [13. 14. 15.]

    Cada tercer valor, dos por ventana, una ventana cada dos lugares:

    >>> data = timeseries_dataset_from_array(np.arange(8), None, 2, 2, 3)
    >>> data[0]
    array([[0, 3],
           [2, 5],
           [4, 7]])

    Parameters
    ----------
    data : array_like, shape (T, ...)
        La serie; el primer eje es el tiempo.
    targets : array_like, shape (T', ...), or None
        Las respuestas; la de cada ventana es la del lugar en que empieza. Si son menos que las ventanas, sobran
        ventanas y no se usan.
    sequence_length : int
        Cuántos valores tiene una ventana, :math:`L`.
    sequence_stride : int
        Cada cuántos lugares empieza una ventana, :math:`s`.
    sampling_rate : int
        Cada cuántos lugares se toma un valor dentro de ella, :math:`r`.
    batch_size : int or None
        Cuántas ventanas tiene un lote; con ``None``, no hay lotes y se da cada ventana sola.
    shuffle : bool
        Si las ventanas se barajan, una vez.
    seed : int, optional
        La semilla de la baraja.
    start_index, end_index : int, optional
        Qué tramo de la serie se usa, sin contar ``end_index``. Se cuentan en la serie, y las respuestas, desde el
        mismo lugar.
    format : {"tf", "grain"}
        Qué da Keras; aquí se da lo mismo con los dos.

    Returns
    -------
    PyDataset
        Con ``len``, ``[k]``, y para darse a ``fit`` tal cual.

    Raises
    ------
    TypeError, ValueError
        Si un argumento no sirve o si ninguna ventana cabe.

        >>> timeseries_dataset_from_array(np.arange(4), None, 5)
        Traceback (most recent call last):
            ...
        ValueError: sequence_length: se esperaba que cupiera en la serie, pero una ventana abarca 5 valores y hay 4
    """
    check.choice(format, "format", ["tf", "grain"])
    data = _series(data, "data")
    length = check.integer(sequence_length, "sequence_length", 1)
    most = max(1, len(data) - 1)
    stride = check.integer(sequence_stride, "sequence_stride", 1, most)
    rate = check.integer(sampling_rate, "sampling_rate", 1, most)
    if batch_size is not None:
        batch_size = check.integer(batch_size, "batch_size", 1)
    start = 0 if start_index is None else check.integer(start_index, "start_index", 0, len(data) - 1)
    end = len(data) if end_index is None else check.integer(end_index, "end_index", start + 1, len(data))
    data = data[start:end]
    targets = None if targets is None else _series(targets, "targets")[start:end]
    if len(data) <= (length - 1) * rate:
        raise ValueError(
            "sequence_length: se esperaba que cupiera en la serie, "
            f"pero una ventana abarca {(length - 1) * rate + 1} valores y hay {len(data)}"
        )
    if targets is not None and not len(targets):
        raise ValueError(f"targets: se esperaban respuestas desde el lugar {start}, pero no hay ninguna")
    count = len(data) - (length - 1) * rate
    starts = np.arange(0, count if targets is None else min(count, len(targets)), stride)
    if check.boolean(shuffle, "shuffle"):
        check.generator(seed).shuffle(starts)
    return _Windows(data, targets, starts, rate * np.arange(length), batch_size)


def plain_timeseries_dataset_from_array(
    data,
    targets,
    sequence_length,
    sequence_stride=1,
    sampling_rate=1,
):
    r"""Todas las ventanas, en una tabla, y sus respuestas."""
    steps = sampling_rate * np.arange(sequence_length)
    count = min(len(data) - steps[-1], len(targets))
    starts = np.arange(0, count, sequence_stride)
    x = data[starts[:, np.newaxis] + steps]  # [ec-rnn-ventanas]
    return x, targets[starts]
