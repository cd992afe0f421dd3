r"""Llevar la bitácora para TensorBoard."""

import time
from pathlib import Path

import numpy as np

from dlbook import check, paths
from dlbook.attributes import Absent, Checked
from dlbook.callbacks.base import Callback, frequency

# En cuántas barras se parte un histograma.
BARS = 30


def _histogram(weight):
    values = np.asarray(weight, np.float64).ravel()
    counts, edges = np.histogram(values, BARS)
    return {
        "min": values.min(),
        "max": values.max(),
        "num": values.size,
        "sum": values.sum(),
        "sum_squares": (values**2).sum(),
        "bucket_limit": edges[1:].tolist(),
        "bucket": counts.tolist(),
    }


class TensorBoard(Callback):
    r"""Lleva la bitácora en el formato de TensorBoard, que la dibuja en el navegador mientras se entrena.

    Hace falta el paquete ``tensorboard``, que este libro no instala: ``pip install tensorboard``. Después,
    ``tensorboard --logdir logs``. Lo del entrenamiento queda en la carpeta ``train`` y lo de la validación en
    ``validation``, con los nombres de Keras: ``epoch_loss``, ``batch_loss``, ``evaluation_loss_vs_iterations``.

    Parameters
    ----------
    log_dir : str or pathlib.Path
        La carpeta.
    histogram_freq : int
        Cada cuántas épocas se anota el histograma de cada peso; 0, nunca.
    write_graph : bool
        Se admite, como en Keras, y no escribe nada.
    write_images, profile_batch, embeddings_freq, embeddings_metadata
        No existen aquí: solo se admiten como Keras los deja.
    write_steps_per_second : bool
        Si se anota cuántos pasos da por segundo.
    update_freq : {"epoch", "batch"} or int
        Si las cantidades se anotan solo al final de cada época, además en cada paso, o además cada tantos pasos.

    Raises
    ------
    ImportError
        Al empezar a entrenar o a medir, si no está el paquete.
    """

    histogram_freq = Checked(check.integer, 0)
    write_graph = Checked(check.boolean)
    write_steps_per_second = Checked(check.boolean)
    update_freq = Checked(frequency, "epoch", "batch")
    write_images, profile_batch = Absent(False), Absent(0)
    embeddings_freq, embeddings_metadata = Absent(0), Absent(None)

    def __init__(
        self,
        log_dir="logs",
        histogram_freq=0,
        write_graph=True,
        write_images=False,
        write_steps_per_second=False,
        update_freq="epoch",
        profile_batch=0,
        embeddings_freq=0,
        embeddings_metadata=None,
    ):
        self.log_dir = str(paths.checked(log_dir, "log_dir"))
        self.histogram_freq, self.write_graph, self.write_images = histogram_freq, write_graph, write_images
        self.write_steps_per_second, self.update_freq = write_steps_per_second, update_freq
        self.profile_batch, self.embeddings_freq = profile_batch, embeddings_freq
        self.embeddings_metadata = embeddings_metadata
        self._writers, self._training = {}, False
        self._steps = self._first_step = 0
        self._start = None

    def on_train_begin(self, logs=None):
        r"""Abre la bitácora."""
        self._steps, self._training = 0, True
        self._writer("train")

    def on_epoch_begin(self, epoch, logs=None):
        r"""Empieza a contar el tiempo."""
        self._start, self._first_step = time.perf_counter(), self.model.optimizer.iterations

    def on_train_batch_end(self, batch, logs=None):
        r"""Anota lo de un paso, si toca."""
        self._steps += 1
        every = {"epoch": None, "batch": 1}.get(self.update_freq, self.update_freq)
        if every and self._steps % every == 0:
            self._write("train", {f"batch_{name}": value for name, value in (logs or {}).items()}, self._steps)

    def on_epoch_end(self, epoch, logs=None):
        r"""Anota lo de la época."""
        logs = logs or {}
        validation = {name.removeprefix("val_"): value for name, value in logs.items() if name.startswith("val_")}
        train = {name: value for name, value in logs.items() if not name.startswith("val_")}
        train["learning_rate"] = self.model.optimizer.learning_rate
        if self.write_steps_per_second and self._start is not None:
            taken = self.model.optimizer.iterations - self._first_step
            train["steps_per_second"] = taken / max(time.perf_counter() - self._start, 1e-9)
        for folder, values in (("train", train), ("validation", validation)):
            if values:
                self._write(folder, {f"epoch_{name}": value for name, value in values.items()}, epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._write("train", self._histograms(), epoch)

    def on_test_end(self, logs=None):
        r"""Anota lo que se midió."""
        step = self.model.optimizer.iterations
        measured = {f"evaluation_{name}_vs_iterations": value for name, value in (logs or {}).items()}
        self._write("validation", measured, step)
        if not self._training:
            self._close()

    def on_train_end(self, logs=None):
        r"""Cierra la bitácora."""
        self._training = False
        self._close()

    def _writer(self, folder):
        if folder not in self._writers:
            try:
                from tensorboard.summary.writer.event_file_writer import EventFileWriter
            except ImportError as error:
                raise ImportError(
                    "TensorBoard: hace falta el paquete 'tensorboard', que no está instalado; "
                    "se instala con 'pip install tensorboard'"
                ) from error
            self._writers[folder] = EventFileWriter(str(Path(self.log_dir, folder)))
        return self._writers[folder]

    def _close(self):
        for writer in self._writers.values():
            writer.close()
        self._writers = {}

    def _write(self, folder, values, step):
        writer = self._writer(folder)
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import HistogramProto, Summary

        found = []
        for name, value in values.items():
            if isinstance(value, dict):
                found.append(Summary.Value(tag=name, histo=HistogramProto(**value)))
            else:
                found.append(Summary.Value(tag=name, simple_value=float(value)))
        writer.add_event(Event(wall_time=time.time(), step=int(step), summary=Summary(value=found)))
        writer.flush()

    def _histograms(self):
        # Los mismos nombres que en un archivo.
        from dlbook.saving import weight_names

        names = weight_names(self.model)
        return {f"{name}/histogram": _histogram(w) for name, w in zip(names, self.model.weights, strict=True)}

    def __getstate__(self):
        r"""Da lo que se copia: todo, menos los archivos abiertos."""
        return {**vars(self), "_writers": {}}
