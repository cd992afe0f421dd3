r"""Un *callback* hecho de funciones sueltas."""

from dlbook.attributes import unknown
from dlbook.callbacks.base import Callback, hooks


class LambdaCallback(Callback):
    r"""Un *callback* hecho de funciones sueltas: para una línea no hace falta una clase.

    >>> from chapters.mlp import Dense, Sequential
    >>> layer = Dense(1, kernel_initializer="zeros")
    >>> model = Sequential([layer], dtype="float64")
    >>> model.compile("sgd", "mse")
    >>> def tell(epoch, logs):
    ...     print(epoch, round(logs["loss"], 3))
    >>> told = [LambdaCallback(on_epoch_end=tell)]
    >>> history = model.fit(
    ...     [[1.0]], [[2.0]], epochs=2, callbacks=told, verbose=0
    ... )
    0 4.0
    1 3.686

    Parameters
    ----------
    on_epoch_begin, on_epoch_end : callable, optional
        Reciben la época y ``logs``.
    on_train_begin, on_train_end : callable, optional
        Reciben ``logs``.
    on_train_batch_begin, on_train_batch_end : callable, optional
        Reciben el paso y ``logs``.
    **functions : callable
        Las de los demás métodos de :class:`Callback`, como ``on_test_end``.

    Raises
    ------
    TypeError
        Si alguna no es una función, o si nadie llamaría a la que se llama así.

        >>> LambdaCallback(on_epoch_finish=print)
        Traceback (most recent call last):
            ...
        TypeError: LambdaCallback: el libro no tiene el argumento
        'on_epoch_finish'; el más parecido es 'on_epoch_begin'
    """

    def __init__(
        self,
        on_epoch_begin=None,
        on_epoch_end=None,
        on_train_begin=None,
        on_train_end=None,
        on_train_batch_begin=None,
        on_train_batch_end=None,
        **functions,
    ):
        functions |= {"on_epoch_begin": on_epoch_begin, "on_epoch_end": on_epoch_end}
        functions |= {"on_train_begin": on_train_begin, "on_train_end": on_train_end}
        functions |= {"on_train_batch_begin": on_train_batch_begin, "on_train_batch_end": on_train_batch_end}
        for name, function in functions.items():
            if name not in hooks():
                raise unknown("LambdaCallback", name, hooks())
            if function is not None:
                if not callable(function):
                    raise TypeError(f"{name}: se esperaba una función, pero llegó {function!r:.60}")
                setattr(self, name, function)
