r"""Sucesiones de distinto largo, en una sola tabla."""

import numpy as np

from dlbook import check


def pad_sequences(sequences, maxlen=None, dtype="int32", padding="pre", truncating="pre", value=0.0):
    r"""Junta en una tabla sucesiones de distinto largo: rellena las cortas y recorta las largas.

    Un lote es un arreglo, y un arreglo es rectangular; las frases no. Se fija un largo, y a la que no llega se le pone
    relleno (*padding*), por omisión **delante**: así lo último que lee la red es la frase, y no una fila de ceros.

    **A mano.** Dos sucesiones, al largo de la mayor y después a dos:

    >>> pad_sequences([[7, 8, 9], [5]])
    array([[7, 8, 9],
           [0, 0, 5]], dtype=int32)
    >>> pad_sequences([[7, 8, 9], [5]], maxlen=2, padding="post")
    array([[8, 9],
           [5, 0]], dtype=int32)

    Parameters
    ----------
    sequences : sequence of array_like
        Las sucesiones; cada elemento puede ser un número o un arreglo, de la misma forma en todas.
    maxlen : int, optional
        El largo. Sin él, el de la mayor.
    dtype : str or dtype
        El tipo de la tabla; ``object`` si hay textos.
    padding, truncating : {"pre", "post"}
        De qué lado se rellena y de cuál se recorta: delante o detrás.
    value : float or str
        El relleno.

    Returns
    -------
    ndarray, shape (n, maxlen, ...)

    Raises
    ------
    TypeError, ValueError
        Si no es una lista de sucesiones, o no caben en el tipo.

        >>> pad_sequences([1, 2])
        Traceback (most recent call last):
            ...
        TypeError: sequences[0]: se esperaba una lista, pero llegó 1
    """
    sequences = check.sequence(sequences, "sequences")
    sequences = [check.sequence(s, f"sequences[{k}]", empty=True) for k, s in enumerate(sequences)]
    padding = check.choice(padding, "padding", ["pre", "post"])
    truncating = check.choice(truncating, "truncating", ["pre", "post"])
    longest = max(map(len, sequences))
    maxlen = longest if maxlen is None else check.integer(maxlen, "maxlen", 1)
    try:
        dtype = np.dtype(dtype)
        arrays = [np.asarray(s[-maxlen:] if truncating == "pre" else s[:maxlen], dtype) for s in sequences if s]
        value = np.asarray(value, dtype)
    except (TypeError, ValueError, OverflowError) as error:
        raise TypeError(f"sequences: se esperaban elementos y relleno que quepan en {dtype}: {error}") from None
    shape = arrays[0].shape[1:] if arrays else ()
    if value.ndim:
        raise ValueError(f"value: se esperaba un solo valor, pero llegó la forma {value.shape}")
    check.memory(len(sequences) * maxlen * int(np.prod(shape, dtype=object)), "sequences, ya rellenas", dtype.itemsize)
    table = np.full((len(sequences), maxlen, *shape), value, dtype)
    rest = iter(arrays)
    for row, s in zip(table, sequences, strict=True):
        if s:
            kept = next(rest)
            if kept.shape[1:] != shape:
                raise ValueError(f"sequences: se esperaban elementos de forma {shape}, pero hay de {kept.shape[1:]}")
            row[slice(-len(kept), None) if padding == "pre" else slice(len(kept))] = kept
    return table
