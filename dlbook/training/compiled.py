r"""Las métricas de ``compile``, en la mano de quien escribe sus propios pasos."""

from dlbook import check
from dlbook.several import each
from dlbook.training.data import checked_target, per_output


class Compiled:
    r"""Todas las métricas que se pidieron en ``compile``, como una sola; su valor es un diccionario.

    Cuáles son se sabe con el primer lote: ``"accuracy"`` depende de las formas.

    Parameters
    ----------
    model : Model
        El modelo.

    Attributes
    ----------
    name : str
        El nombre que le da Keras.
    """

    name, rising = "compile_metrics", None

    def __init__(self, model):
        self.model = model
        self.found = None

    def __call__(self, y_true, y_pred, sample_weight=None):
        r"""Suma unas observaciones a lo que llevaban y da su valor."""
        self.update_state(y_true, y_pred, sample_weight)
        return self.result()

    def update_state(self, y_true, y_pred, sample_weight=None):
        r"""Suma unas observaciones a lo que llevaban; con varias salidas, en listas, como en ``compute_loss``."""
        targets = self.model.targets()
        outputs = [check.numbers_of(one, "y_pred") for one in each(y_pred)]
        if len(outputs) != len(targets):
            raise ValueError(f"y_pred: se esperaban {len(targets)} salidas, pero llegaron {len(outputs)}")
        if any(one.ndim == 0 for one in outputs):
            raise ValueError("y_pred: se esperaba al menos una predicción, pero llegó un número suelto")
        triples = zip(targets, per_output(y_true, targets, "y_true"), outputs, strict=True)
        ys = [checked_target(t, y, one.shape[1:], self.model.dtype, "", len(one)) for t, y, one in triples]
        if self.found is None:
            triples = zip(targets, ys, outputs, strict=True)
            self.found = [self.model.resolve_metrics(t, y, one.shape[1:]) for t, y, one in triples]
        weights = per_output(sample_weight, targets, "sample_weight", same=True)
        for of_one, y, one, weight in zip(self.found, ys, outputs, weights, strict=True):
            for found in of_one:
                found.metric.update_state(y, one, **({"sample_weight": weight} if found.weighted else {}))

    def result(self):
        r"""Da el valor de cada una, por el nombre con que se anota; antes de ver nada, ninguno."""
        return {found.name: found.metric.result() for of_one in self.found or () for found in of_one}

    def reset_state(self):
        r"""Olvidan todo lo que se ha visto."""
        for of_one in self.found or ():
            for found in of_one:
                found.metric.reset_state()
