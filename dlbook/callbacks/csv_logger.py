r"""Llevar la bitácora en un archivo."""

import csv

from dlbook import check, paths
from dlbook.callbacks.base import Callback


class CSVLogger(Callback):
    r"""Escribe una línea por época en un archivo CSV, que se puede ir leyendo mientras se entrena.

    La historia de ``fit`` se entrega al final; el archivo crece época por época, y sobrevive aunque el programa no. La
    columna ``epoch`` cuenta desde 0, como en Keras.

    **A mano.** La bitácora de la neurona que empezaba en cero en :class:`Callback`:

    >>> import tempfile
    >>> from pathlib import Path
    >>> from chapters.mlp import Dense, Sequential
    >>> neuron = Dense(1, kernel_initializer="zeros")
    >>> model = Sequential([neuron], dtype="float64")
    >>> model.compile("sgd", "mse")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "recta.csv")
    ...     options = {"callbacks": [CSVLogger(path)], "verbose": 0}
    ...     history = model.fit([[1.0]], [[2.0]], epochs=2, **options)
    ...     print(path.read_text())
    epoch,loss
    0,4.0
    1,3.6864
    <BLANKLINE>

    Parameters
    ----------
    filename : str or pathlib.Path
        El archivo.
    separator : str
        Lo que separa las columnas.
    append : bool
        Si se agrega a lo que ya había, para continuar un entrenamiento.
    """

    def __init__(self, filename, separator=",", append=False):
        self.filename = paths.checked(filename, "filename")
        if not isinstance(separator, str) or len(separator) != 1:
            raise ValueError(f"separator: se esperaba un solo carácter, pero llegó {separator!r}")
        self.separator = separator
        self.append = check.boolean(append, "append")
        self._columns, self._continues = None, False

    def on_train_begin(self, logs=None):
        r"""Empieza el archivo, o lee los nombres de sus columnas si se va a continuar."""
        self._columns = None
        with paths.growing(self.filename, "filename", "a+" if self.append else "w+") as file:
            file.seek(0)
            text = file.read()
            # Una línea que se quedó a la mitad no se junta con la que sigue.
            if text and not text.endswith("\n"):
                file.write("\n")
        self._continues = bool(text)
        if self._continues:
            header = text.partition("\n")[0]
            first, *self._columns = next(csv.reader([header], delimiter=self.separator)) or [""]
            if first != "epoch":
                raise ValueError(f"{self.filename}: se esperaba que empezara con 'epoch', no con {first!r:.60}")

    def on_epoch_end(self, epoch, logs=None):
        r"""Escribe la línea de la época."""
        logs = logs or {}
        lost = [name for name in logs if name not in self._columns] if self._continues else []
        if lost:
            raise ValueError(f"{self.filename}: se esperaba una columna {lost[0]!r}, pero tiene {self._columns}")
        self._continues = False
        with paths.growing(self.filename, "filename") as file:
            writer = csv.writer(file, delimiter=self.separator, lineterminator="\n")
            if self._columns is None:
                self._columns = list(logs)
                if self.validates and not any(name.startswith("val_") for name in logs):
                    # Hoy no tocaba validar; otro día tocará, y lo medido necesita su columna.
                    self._columns += [f"val_{name}" for name in logs]
                writer.writerow(["epoch", *self._columns])
            writer.writerow([epoch, *(logs.get(name, "") for name in self._columns)])
