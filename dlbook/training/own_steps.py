r"""Entrenar con los pasos de quien lee: un modelo que define ``train_step``, y quizá ``test_step``."""

import math

import numpy as np

from dlbook import check
from dlbook.callbacks import called
from dlbook.training.engine import Engine


def defines(model, method):
    r"""Dice si un modelo define un método que los del libro no tienen, como ``train_step``."""
    return callable(getattr(model, method, None))


class OwnSteps(Engine):
    r"""Un motor que le entrega cada lote al modelo, y anota lo que él devuelve.

    Todo va en un hilo: de qué se calcula y en qué orden solo sabe quien escribió el paso.

    Parameters
    ----------
    model : Model
        El modelo; tiene ``train_step``, ``test_step`` o los dos.
    """

    def start(self, data):
        r"""Prepara lo que se va a entrenar; aquí, nada."""

    def epoch(self, source, batch_size, shuffle, epoch, callbacks, progress, limit=None):
        r"""Recorre los datos una vez, y devuelve lo que dio el último paso."""
        before, after = called(callbacks, "on_train_batch_begin"), called(callbacks, "on_train_batch_end")
        batches, logs = source.batches(batch_size, self.model.generator if shuffle else None, limit), {}
        self._forget()
        try:
            for batch, (data, order, start, stop) in enumerate(batches):
                for method in before:
                    method(batch, {})
                logs = self.own_step("train_step", data, order, start, stop)
                loss = logs.get("loss", next(iter(logs.values()), math.nan))
                if not math.isfinite(loss):
                    raise FloatingPointError(f"train_step devolvió {loss} en la época {epoch + 1}, lote {batch + 1}")
                for method in after:
                    method(batch, logs)
                if after and self.model.stop_training:
                    break
                progress.step(batch, loss)
        finally:
            batches.close()
        return logs

    def evaluate(self, source, batch_size, limit=None, callbacks=()):
        r"""Mide con ``test_step``; sin él, como cualquier otro modelo."""
        if not defines(self.model, "test_step"):
            return super().evaluate(source, batch_size, limit, callbacks)
        self._forget()
        logs = {}
        for data, order, start, stop in source.batches(batch_size, None, limit):
            logs = self.own_step("test_step", data, order, start, stop)
        return logs

    def _forget(self):
        for metric in self.model.metrics:
            if hasattr(metric, "reset_state"):
                metric.reset_state()

    def own_step(self, method, data, order, start, stop):
        r"""Le entrega al modelo unas filas y devuelve lo que él diga, en números."""
        rows = slice(start, stop) if order is None else order[start:stop]
        batch = [data.batch(self.model, rows)]
        for columns in (data.targets, data.weighing):
            found = [None if column is None else column.rows(self.model, rows) for column in columns]
            if any(one is not None for one in found):
                batch.append(found if len(found) > 1 else found[0])
        logs = getattr(self.model, method)(tuple(batch) if len(batch) > 1 else batch[0])
        if not isinstance(logs, dict):
            raise TypeError(f"{method}: se esperaba un diccionario de nombres y números, pero devolvió {logs!r:.60}")
        # Como en Keras, el diccionario de varias métricas se anota como si vinieran sueltas.
        inner = [value.items() if isinstance(value, dict) else [(name, value)] for name, value in logs.items()]
        logs = dict(pair for pairs in inner for pair in pairs)
        found = {name: check.floats(np.asarray(value), f"{method}, {name}") for name, value in logs.items()}
        return {name: float(value.mean()) for name, value in found.items()}
