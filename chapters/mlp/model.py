r"""Un modelo: capas, pérdida y optimizador, listos para aprender."""

import inspect
import operator
from typing import NamedTuple

import numpy as np

from chapters.mlp import losses, optimizers
from chapters.mlp import metrics as metrics_module
from chapters.mlp.layer import Layer, _shapes_only, fitted, text_of_shape
from chapters.mlp.settled import Origin, Settled
from chapters.mlp.symbol import symbols_in
from chapters.mlp.tape.through import paused
from dlbook import check, console, registry, saving, training
from dlbook.attributes import Absent, explains, only
from dlbook.several import distribute, each
from dlbook.training import per_output, walk


def _summarize(parent, indent, expand_nested, lines):
    sources = parent.connections()
    for k, layer in enumerate(parent.layers):
        shape = count = "?"
        if layer.built:
            shapes = each(layer.compute_output_shape(layer.input_shape))
            shape = ", ".join(map(text_of_shape, shapes))
            count = str(layer.count_params())
        lines.append((indent + layer.name, shape, count, sources[k] if sources else ""))
        if expand_nested:
            _summarize(layer, indent + "  ", expand_nested, lines)


def address(array):
    r"""Da el lugar de la memoria donde empieza un arreglo."""
    return array.__array_interface__["data"][0]


def _free(name, taken):
    # Dos métricas que se llaman igual: la segunda es name_1, como en Keras.
    names = [name, *(f"{name}_{k}" for k in range(1, len(taken) + 1))]
    return next(n for n in names if n not in taken)


class Asked(NamedTuple):
    r"""Una métrica que se pidió en ``compile``, y si cada observación cuenta lo que diga ``sample_weight``."""

    metric: object
    weighted: bool


class Target(NamedTuple):
    r"""Qué se le pide a una salida: con qué se compara, cuánto cuenta y qué más se mira."""

    name: str
    loss: losses.Loss | None
    weight: float
    metrics: list


class Found(NamedTuple):
    r"""Una métrica lista para medir: cómo se anota, cuál es, si pesa las observaciones y cuántos números junta."""

    name: str
    metric: metrics_module.Metric
    weighted: bool
    size: int

    def restart(self):
        r"""Olvida lo visto, si es la propia métrica quien lo recuerda."""
        if self.metric.counts_by_itself:
            self.metric.reset_state()

    def accumulate(self, y, y_pred, weight, state):
        r"""Suma lo de unas observaciones en ``state``, o en la propia métrica.

        Como los de la máscara también son pesos, no se le dan a quien no los recibe.
        """
        if not self.metric.counts_by_itself:
            self.metric.accumulate(y, y_pred, weight, state)
            return
        # La memoria de y y de y_pred se usa otra vez en el lote siguiente, y quien lee podría guardarlos.
        takes = self.weighted or "sample_weight" in inspect.signature(self.metric.update_state).parameters
        options = {"sample_weight": weight} if weight is not None and takes else {}
        with paused():
            self.metric.update_state(y.copy(), y_pred.copy(), **options)

    def value(self, state):
        r"""Da la métrica."""
        if not self.metric.counts_by_itself:
            return self.metric.value(state)
        found = check.floats(np.asarray(self.metric.result()), f"{type(self.metric).__name__}.result")
        return found if found.ndim else float(found)


def _check_places(found, y, output_shape):
    # Las del libro recorren juntos lo correcto y la salida: una fila, o una etiqueta, por vector de la salida.
    if registry.ours(type(found.metric)) and y.shape[1:] not in (output_shape, output_shape[:-1]):
        raise ValueError(
            f"metrics: {found.name} espera que lo correcto tenga la forma de la salida, {output_shape}, "
            f"o una etiqueta por vector, pero la pérdida lo dejó en {y.shape[1:]}"
        )


def _applied(function, value):
    # A uno, o a cada uno de una lista o un diccionario, que también pueden tener listas.
    if isinstance(value, dict):
        return {name: _applied(function, one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_applied(function, one) for one in value]
    return function(value)


def _listed(metrics):
    return list(metrics) if isinstance(metrics, (list, tuple)) else [] if metrics is None else [metrics]


def _flat(logs, return_dict):
    # Como en Keras: un diccionario, una lista o, si solo hay uno, un número.
    values = list(logs.values())
    return logs if return_dict else values[0] if len(values) == 1 else values


class Model(Layer):
    r"""Una capa que sabe entrenarse: todos los pesos que aprende son un solo vector.

    Para un optimizador no hay capas ni matrices: hay un vector :math:`\boldsymbol\theta` con todos los parámetros, y
    otro con el gradiente. Aquí es verdad también en la memoria. Los pesos de cada capa son **vistas** de un vector,
    :attr:`theta`, y sus gradientes, de otro, :attr:`gradient`. Así el descenso de gradiente se escribe como en las
    fórmulas, en una línea.

    **A mano.** Una neurona lineal con :math:`w=2,\ b=1` y la pérdida cuadrática. En :math:`x=3` predice 7; lo correcto
    era 5. La pérdida es :math:`(7-5)^2=4`, y el gradiente, :math:`2\cdot2\cdot(x, 1)=(12, 4)`:

    >>> from chapters.mlp.dense import Dense
    >>> from chapters.mlp.sequential import Input, Sequential
    >>> model = Sequential([Input(shape=(1,)), Dense(1)], dtype="float64")
    >>> model.theta[:] = [2.0, 1.0]
    >>> model.compile(loss="mse")
    >>> loss, gradient = model.loss_and_gradient([[3.0]], [[5.0]])
    >>> loss, gradient
    (4.0, array([12.,  4.]))

    Un paso de descenso con :math:`\eta=0.05` deja la predicción en :math:`1.4\cdot3+0.8=5`:

    >>> model.theta -= 0.05 * gradient
    >>> model.predict([[3.0]]).round(6)
    array([[5.]])

    Lo mismo lo hace :meth:`fit`, que además baraja los datos, los corta en lotes, reparte cada lote entre los núcleos y
    lleva la cuenta:

    >>> from chapters.mlp.optimizers import SGD
    >>> x = np.linspace(-1, 1, 200).reshape(-1, 1)
    >>> model.compile(optimizer=SGD(0.1), loss="mse")
    >>> history = model.fit(x, 3 * x - 1, epochs=50, verbose=0)
    >>> model.theta.round(3)
    array([ 3., -1.])

    Una red que no es una fila de capas se arma con ``Model(inputs, outputs)``, que da un :class:`Functional`. Si no
    te basta, escribe una clase que herede de esta, con sus capas en ``self.layers`` y sus propios ``build``,
    ``forward`` y ``backward``; todo lo demás ya está.

    Attributes
    ----------
    optimizer : Optimizer
        El de :meth:`compile`.
    loss : Loss
        La de :meth:`compile`.
    asked_metrics : list or dict
        Las métricas, como llegaron a :meth:`compile`.
    history : dlbook.callbacks.History
        Lo que pasó en el último :meth:`fit`, aunque se haya interrumpido.
    epoch : int
        Cuántas épocas lleva.
    stop_training : bool
        Un *callback* lo pone en ``True`` para terminar al final de la época.
    callbacks : sequence of dlbook.callbacks.Callback
        Los del :meth:`fit` en curso.
    remembered : list of dict
        Lo que recordaban al terminar, para continuar.
    identity : object
        Lo que lo distingue de los demás modelos ante su optimizador.
    """

    # En Keras tampoco lo tienen los modelos, sino sus capas.
    activity_regularizer = Absent(None)

    def __new__(cls, *arguments, **options):
        r"""Con entradas y salidas, ``Model(inputs, outputs)`` es un :class:`Functional`, como en Keras."""
        if "outputs" not in options and not any(True for _ in symbols_in(arguments[:2])):
            return super().__new__(cls)
        from chapters.mlp.functional import with_graph

        return super().__new__(with_graph(cls))

    def __init__(self, **options):
        super().__init__(**options)
        self.optimizer = self.loss = self.history = None
        self.asked_metrics, self.weighted_metrics, self.loss_weights = [], [], None
        # Las de compile, para los pasos de quien lee; se crean cuando alguien las pide.
        self._compiled = None
        self.epoch = 0
        self.stop_training = False
        self.callbacks, self.remembered, self.identity = (), [], object()
        # Por dónde van los sorteos de train_on_batch, y lo que sirve otra vez en la siguiente llamada, de lo que sea.
        self.ongoing = self.kept = None
        self._theta = self._gradient = None
        # Qué pesos son vistas de los dos vectores.
        self._bound = []

    @property
    def theta(self):
        r"""Los parámetros que se aprenden, en un vector; escribir en él es cambiar los pesos de las capas.

        Los de las capas congeladas no están.
        """
        self._bind()
        return self._theta

    @theta.setter
    def theta(self, values):
        self.theta[:] = fitted(values, "theta", self.theta.shape, self.dtype)

    @property
    def gradient(self):
        r"""El último gradiente, en el orden de :attr:`theta`."""
        self._bind()
        return self._gradient

    @explains
    def compile(
        self,
        optimizer="rmsprop",
        loss=None,
        loss_weights=None,
        metrics=None,
        weighted_metrics=None,
        run_eagerly=False,
        steps_per_execution=1,
        jit_compile="auto",
        auto_scale_loss=True,
    ):
        r"""Elige con qué se va a entrenar. Los argumentos son los de Keras.

        Parameters
        ----------
        optimizer : str or Optimizer
            Cómo se usa el gradiente.
        loss : str or Loss
            Qué se minimiza.
        metrics : list, optional
            Qué se mira, además: nombres o métricas.
        loss_weights : list of float or dict, optional
            Cuánto cuenta la pérdida de cada salida; sin él, 1.
        weighted_metrics : list, optional
            Como ``metrics``, pero cada observación cuenta lo que diga ``sample_weight``.
        run_eagerly, steps_per_execution, jit_compile, auto_scale_loss
            No existen aquí: solo se admiten como Keras los deja si no se dice nada.

        Raises
        ------
        TypeError, ValueError
            Si algo no se conoce o no es lo que se espera.
        """
        only(run_eagerly, "run_eagerly", False)
        only(steps_per_execution, "steps_per_execution", 1)
        only(jit_compile, "jit_compile", "auto")
        only(auto_scale_loss, "auto_scale_loss", True)
        optimizer = optimizers.get(optimizer)
        loss = _applied(lambda one: None if one is None else losses.get(one), loss)
        for given in (metrics, weighted_metrics):
            if given is not None and not isinstance(given, (list, tuple, dict)):
                raise TypeError(f"metrics: se esperaba una lista, pero llegó {given!r}")
            _applied(metrics_module.check_name, given)
        loss_weights = _applied(lambda w: None if w is None else check.number(w, "loss_weights"), loss_weights)
        self.optimizer, self.loss, self.loss_weights = optimizer, loss, loss_weights
        self.ongoing = self.kept = self._compiled = None
        self.asked_metrics = metrics if isinstance(metrics, dict) else list(metrics or ())
        self.weighted_metrics = weighted_metrics if isinstance(weighted_metrics, dict) else list(weighted_metrics or ())
        if self.built:
            self.targets()
            self._bind()
            self._tell_optimizer()

    @property
    def metrics(self):
        r"""Las métricas de un modelo que define su propio paso, en un método ``train_step``.

        Así termina un paso que las recorre:

        .. code-block:: python

           for metric in self.metrics:
               if metric.name == "loss":
                   metric.update_state(loss)
               else:
                   metric.update_state(y, y_pred)
           return {metric.name: metric.result() for metric in self.metrics}

        Como en Keras, después de :meth:`compile` la primera es la media de la pérdida, ``"loss"``, y la segunda, todas
        las que se pidieron, como una sola; siguen las que el modelo guarda en sus atributos. Se olvidan de lo visto al
        empezar cada época y cada evaluación. :meth:`fit` sin ``train_step`` no las toca.
        """
        if self.optimizer is not None and self._compiled is None:
            self._compiled = [metrics_module.Mean(name="loss")]
            if self.asked_metrics or self.weighted_metrics:
                self._compiled.append(training.Compiled(self))
        held = [
            one
            for name, value in vars(self).items()
            if name not in ("_compiled", "asked_metrics", "weighted_metrics")
            for one in (value if isinstance(value, (list, tuple)) else [value])
            if isinstance(one, metrics_module.Metric)
        ]
        return [*(self._compiled or ()), *held]

    def targets(self):
        r"""Da qué se le pide a cada salida: la pérdida, cuánto cuenta y las métricas, como llegaron a :meth:`compile`.

        Returns
        -------
        list of Target
        """
        names = self.output_names
        loss = distribute(self.loss, names, "loss")
        weights = distribute(self.loss_weights, names, "loss_weights")
        asked = []
        for given, weighted in ((self.asked_metrics, False), (self.weighted_metrics, True)):
            # Con una sola salida, la lista es de sus métricas.
            own = [given] if len(names) == 1 and isinstance(given, list) else given or None
            asked.append((distribute(own, names, "metrics"), weighted))
        found = []
        for k, name in enumerate(names):
            wanted = [Asked(metric, weighted) for each_, weighted in asked for metric in _listed(each_[k])]
            found.append(Target(name, loss[k], 1.0 if weights[k] is None else weights[k], wanted))
        return found

    @explains
    def fit(
        self,
        x,
        y=None,
        batch_size=None,
        epochs=1,
        verbose="auto",
        callbacks=None,
        validation_split=0.0,
        validation_data=None,
        shuffle=True,
        class_weight=None,
        sample_weight=None,
        initial_epoch=0,
        steps_per_epoch=None,
        validation_steps=None,
        validation_batch_size=None,
        validation_freq=1,
    ):
        r"""Entrena el modelo. Los argumentos son los de Keras.

        Con Ctrl-C se detiene al acabar el paso en curso, o los pocos que se estén dando seguidos: los pesos quedan
        enteros y lo recorrido, en ``history``.

        Parameters
        ----------
        x : array_like, shape (n, ...)
            Las observaciones. Si el modelo tiene varias entradas, una lista, o un diccionario con sus nombres. También
            algo que dé los lotes ya hechos, ``(x, y)`` o ``(x, y, sample_weight)``: un generador, o un objeto con
            ``__len__`` y ``__getitem__``; mientras un lote entrena, otro hilo pide los siguientes.
        y : array_like, shape (n, ...)
            Lo correcto, como lo espera la pérdida; con varias salidas, una lista o un diccionario.
        batch_size : int, optional
            Cuántas observaciones por paso; si no se dice, 32.
        epochs : int
            En qué época se termina.
        verbose : {"auto", 0, 1, 2} or bool
            1 o ``"auto"``, una barra de progreso por época; 2, una línea por época; 0, nada.
        callbacks : list of dlbook.callbacks.Callback, optional
            Lo que se llama al principio y al final de cada época y de cada lote, en el orden de la lista; los que
            guardan el modelo, al final.
        validation_split : float
            Qué fracción, del final de los datos, se aparta para validar.
        validation_data : tuple, optional
            ``(x, y)`` o ``(x, y, sample_weight)`` para validar, en vez de apartar; o algo que dé los lotes.
        shuffle : bool
            Si se baraja en cada época.
        class_weight : dict, optional
            Cuánto cuenta en la pérdida cada clase, por su número; las que falten cuentan 1.
        sample_weight : array_like, shape (n,), (n, 1) or (n, t), optional
            Cuánto cuenta cada observación en la pérdida, o cada instante, si la salida es una secuencia.
        initial_epoch : int
            En qué época se empieza, para continuar un entrenamiento. Si es ``model.epoch``, los *callbacks* siguen con
            lo que recordaban.
        steps_per_epoch, validation_steps : int, optional
            Cuántos lotes, a lo sumo, por época y en cada validación; hace falta con un generador que no se acaba.
        validation_batch_size : int, optional
            De cuántas observaciones son los lotes al validar.
        validation_freq : int or list of int
            Cada cuántas épocas se valida, o en cuáles.

        Returns
        -------
        dlbook.callbacks.History
            La pérdida y las métricas de cada época.

        Raises
        ------
        TypeError, ValueError
            Si un argumento no es lo que se espera. Se comprueban todos antes de mover un peso.
        FloatingPointError
            Si la pérdida deja de ser finita; dice en qué época y lote, y por qué pudo ser. Antes se llama a
            ``on_train_end``, así que :class:`~dlbook.callbacks.EarlyStopping` deja los mejores pesos.
        """
        return training.fit(
            self,
            x,
            y,
            batch_size=batch_size,
            epochs=epochs,
            verbose=verbose,
            callbacks=callbacks,
            validation_split=validation_split,
            validation_data=validation_data,
            shuffle=shuffle,
            class_weight=class_weight,
            sample_weight=sample_weight,
            initial_epoch=initial_epoch,
            steps_per_epoch=steps_per_epoch,
            validation_steps=validation_steps,
            validation_batch_size=validation_batch_size,
            validation_freq=validation_freq,
        )

    @explains
    def evaluate(
        self,
        x,
        y=None,
        batch_size=None,
        verbose="auto",
        sample_weight=None,
        steps=None,
        callbacks=None,
        return_dict=False,
    ):
        r"""Mide la pérdida y las métricas sin entrenar.

        Parameters
        ----------
        x, y, sample_weight
            Como en :meth:`fit`.
        batch_size : int, optional
            Solo importa si la pérdida no es una media; si no, el resultado es el mismo con cualquiera.
        verbose
            Se acepta por compatibilidad con Keras: aquí no cambia nada.
        steps : int, optional
            Cuántos lotes, a lo sumo.
        callbacks : list of dlbook.callbacks.Callback, optional
            Como en :meth:`fit`.
        return_dict : bool
            Si se devuelve un diccionario con nombres.

        Returns
        -------
        float, list of float, or dict
            La pérdida, sola si no hay métricas.
        """
        return _flat(training.evaluate(self, x, y, sample_weight, batch_size, steps, callbacks), return_dict)

    @explains
    def predict(self, x, batch_size=None, verbose="auto", steps=None, callbacks=None):
        r"""Calcula la salida de cada observación, en todos los núcleos.

        Parameters
        ----------
        x : array_like, shape (n, ...)
            Las observaciones, como en :meth:`fit`.
        batch_size, verbose
            Se aceptan por compatibilidad con Keras: aquí no cambian nada.
        steps : int, optional
            Cuántos lotes, a lo sumo.
        callbacks : list of dlbook.callbacks.Callback, optional
            Como en :meth:`fit`.

        Returns
        -------
        ndarray, shape (n, ...), or list of ndarray
            Una lista, si hay varias salidas.
        """
        return self.arranged_outputs(training.predict(self, x, batch_size, steps, callbacks))

    def arranged_outputs(self, y):
        r"""Da lo que sale como lo espera quien llama; una red con las salidas en un diccionario, con sus nombres."""
        return y

    def train_on_batch(self, x, y=None, sample_weight=None, class_weight=None, return_dict=False):
        r"""Da un solo paso de entrenamiento con un lote.

        Parameters
        ----------
        x, y, sample_weight, class_weight
            Como en :meth:`fit`.
        return_dict : bool
            Si se devuelve un diccionario con nombres.

        Returns
        -------
        float, list of float, or dict
            La pérdida y las métricas de ese lote, antes del paso; la pérdida, sola si no hay métricas.
        """
        return _flat(training.train_on_batch(self, x, y, sample_weight, class_weight), return_dict)

    def test_on_batch(self, x, y=None, sample_weight=None, return_dict=False):
        r"""Mide la pérdida y las métricas de un lote; los argumentos son los de :meth:`train_on_batch`."""
        return _flat(training.evaluate(self, x, y, sample_weight), return_dict)

    def reset_metrics(self):
        r"""No hace nada, y está por compatibilidad con Keras: cada medida empieza de cero."""

    def predict_on_batch(self, x):
        r"""Calcula la salida de un lote, como :meth:`predict`."""
        return self.arranged_outputs(training.predict(self, x))

    def loss_and_gradient(self, x, y, sample_weight=None, training=False):
        r"""Da la pérdida de unas observaciones y su gradiente respecto a todos los parámetros.

        La pérdida incluye las penalizaciones de los pesos. Es el paso de entrenamiento sin el optimizador, para
        experimentar y para comprobar gradientes.

        Parameters
        ----------
        x, y, sample_weight
            Como en :meth:`fit`.
        training : bool
            Si actúan las capas que solo actúan al entrenar, como el *dropout*.

        Returns
        -------
        loss : float
        gradient : ndarray, shape (theta.size,)
            En el orden de :attr:`theta`; es una copia.
        """
        self.check_compiled()
        y_pred = each(self.forward(x, training=training))
        targets = self.targets()
        rows, loss, slopes = len(y_pred[0]), 0.0, []
        quads = zip(targets, y_pred, per_output(y, targets, "y"), self.output_masks(), strict=True)
        for target, one, correct, mask in quads:
            if target.loss is None:
                slopes.append(np.zeros_like(one))
                continue
            others = [sample_weight] if mask is None else [sample_weight, mask]
            loss += target.weight * target.loss(correct, one, *others)
            slope = target.loss.gradient(correct, one, *others)
            slopes.append(slope if target.weight == 1 else slope * slope.dtype.type(target.weight))
        loss += self.added_loss(rows) / rows
        self._bind()
        self.backward(slopes if len(slopes) > 1 else slopes[0])
        loss += self.penalty(add_gradient=True)
        return loss, self._gradient.copy()

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        r"""Da la pérdida de unas predicciones, con lo que suman las capas; en un ciclo propio, apuntada en la cinta.

        Parameters
        ----------
        x : optional
            Está por compatibilidad con Keras.
        y, y_pred, sample_weight
            Lo correcto, lo predicho y los pesos, como en :meth:`fit`; con varias salidas, en listas.
        training : bool
            Está por compatibilidad con Keras.

        Returns
        -------
        Tensor or float
        """
        self.check_compiled()
        targets, total = self.targets(), 0.0
        quads = zip(targets, each(y_pred), per_output(y, targets, "y"), self.output_masks(), strict=True)
        for target, one, correct, mask in quads:
            if target.loss is not None:
                # Un tensor trae la suya.
                mask = getattr(one, "mask", mask)
                others = [sample_weight] if mask is None else [sample_weight, mask]
                total = total + target.weight * target.loss(correct, one, *others)
        return total + sum(self.losses)

    @explains
    def summary(self, line_length=None, *, print_fn=None, expand_nested=False):
        r"""Imprime las capas, la forma de lo que sale de cada una y sus parámetros.

        Lo que no se sabe todavía, porque nadie ha dicho qué forma tiene la entrada, sale como ``?``.

        Parameters
        ----------
        line_length : int, optional
            Cuántas letras, al menos, mide cada línea.
        print_fn : callable, optional
            A quién se le entrega cada línea, en vez de imprimirla.
        expand_nested : bool
            Si debajo de cada capa hecha de capas se muestran también, con sangría, las que contiene.
        """
        training.check_depth(self)
        lines = [("capa", "forma de salida", "parámetros", "viene de" if self.connections() else "")]
        _summarize(self, "", check.boolean(expand_nested, "expand_nested"), lines)
        first, second, third, _ = (max(map(len, column)) for column in zip(*lines, strict=True))
        first, second = max(first + 2, 15), max(second + 2, 21)
        if line_length is not None:
            first = max(first, check.integer(line_length, "line_length", 1) - second - third)
        say = console.say if print_fn is None else print_fn
        say(type(self).__name__)
        for name, shape, count, source in lines:
            say(f"{name:<{first}}{shape:<{second}}{count:>{third}}  {source}".rstrip())
        if not self.built:
            say("Sin construir: pon un Input al principio o dale unos datos, y se sabrá lo demás")
            return
        total, learned = self.count_params(), sum(w.size for w in self.trainable_weights)
        line = f"Total: {total} parámetro" + "s" * (total != 1)
        say(line + (f", {learned} de ellos entrenable" + "s" * (learned != 1) if learned < total else ""))

    def save(self, filepath, overwrite=True, *, include_optimizer=True):
        r"""Guarda el modelo en un archivo, como :func:`dlbook.saving.save`: safetensors, ``.keras`` o ``.h5``."""
        self.refuse_outline()
        saving.save(self, filepath, overwrite, include_optimizer=include_optimizer)

    def save_weights(self, filepath, overwrite=True):
        r"""Guarda solo los pesos, como :func:`dlbook.saving.save_weights`."""
        saving.save_weights(self, filepath, overwrite)

    def load_weights(self, filepath, skip_mismatch=False):
        r"""Lee solo los pesos, como :func:`dlbook.saving.load_weights`."""
        saving.load_weights(self, filepath, skip_mismatch)

    def to_json(self, **options):
        r"""Escribe la arquitectura, sin los pesos, como :func:`dlbook.saving.to_json`."""
        return saving.to_json(self, **options)

    def to_keras(self):
        r"""Da el mismo modelo en Keras, con los mismos pesos; hace falta tener Keras instalado."""
        from dlbook import bridge

        return bridge.to_keras(self)

    @staticmethod
    def from_keras(model):
        r"""Da el modelo de este libro que hace lo mismo que uno de Keras, con los mismos pesos."""
        from dlbook import bridge

        return bridge.from_keras(model)

    def get_state(self):
        r"""Da todo lo que hace falta para continuar el entrenamiento como si nunca se hubiera detenido.

        Son los pesos, lo que recuerdan el optimizador y los *callbacks*, el azar de cada capa y la época. El
        diccionario solo tiene arreglos, números, textos, listas y otros diccionarios.
        """
        return training.get_state(self)

    def set_state(self, state):
        r"""Vuelve al punto que guardó :meth:`get_state`. El modelo debe tener la misma arquitectura y optimizador."""
        self._bind()
        training.set_state(self, state)

    def output_masks(self):
        r"""Da la máscara de cada salida de la última ida, en una lista; ``None`` en la que no tiene.

        Solo una fila o un grafo de capas las llevan; quien escribe su propio ``forward`` puede dar aquí las suyas.

        Returns
        -------
        list of (ndarray of bool or None)
        """
        return [None] * len(self.output_names)

    def foreseen_masks(self, xs):
        r"""Da la máscara de cada salida con solo mirar lo que entra, o ``None`` si no se puede.

        Parameters
        ----------
        xs : list of ndarray
            Lo que entra.

        Returns
        -------
        list or None
        """
        return self.output_masks() if type(self).output_masks is Model.output_masks else None

    def resolve_metrics(self, target, y, output_shape):
        r"""Encuentra las métricas de una salida para lo correcto, ya preparado.

        Parameters
        ----------
        target : Target
            La salida, con las métricas como se dieron en :meth:`compile`.
        y : ndarray
            Lo correcto.
        output_shape : tuple of int
            La forma de una observación de la salida.

        Returns
        -------
        list of Found
        """
        if not target.metrics:
            return []
        y_pred = np.broadcast_to(self.dtype.type(0), (len(y), *output_shape))
        from_logits = getattr(target.loss, "from_logits", False)
        prefix = f"{target.name}_" if len(self.output_names) > 1 else ""
        found = {}
        for metric, weighted in target.metrics:
            one = metrics_module.get(metric, y, y_pred, from_logits)
            name = prefix + (metric if isinstance(metric, str) else one.name or type(one).__name__)
            name = _free(name, ("loss", *found))
            found[name] = Found(name, one, weighted, one.size(output_shape))
            _check_places(found[name], y, output_shape)
        return list(found.values())

    def admit(self, found, y, output_shape):
        r"""Comprueba que una métrica pueda leer lo correcto; con lotes que llegan de fuera, en cada uno.

        Parameters
        ----------
        found : Found
            La métrica.
        y : ndarray
            Lo correcto, ya preparado.
        output_shape : tuple of int
            La forma de una observación de la salida.

        Raises
        ------
        ValueError
            Si no.
        """
        _check_places(found, y, output_shape)
        found.metric.accept(y, output_shape)

    @property
    def output_names(self):
        r"""Los nombres de las salidas."""
        return ["output"]

    @property
    def input_names(self):
        r"""Los nombres de las entradas."""
        return ["input"]

    def get_layer(self, name=None, index=None):
        r"""Da una capa por su nombre o por su lugar.

        Parameters
        ----------
        name : str, optional
            El nombre.
        index : int, optional
            Qué lugar ocupa en ``layers``.

        Raises
        ------
        ValueError
            Si no hay ninguna así.
        """
        if (name is None) == (index is None):
            raise ValueError("get_layer: se esperaba un nombre o un lugar, uno de los dos")
        if index is not None:
            index = check.integer(index, "index", -len(self.layers), len(self.layers) - 1)
            return self.layers[index]
        names = [layer.name for layer in self.layers]
        if name not in names:
            check.choice(name, "name", names, exact=True)
        return self.layers[names.index(name)]

    def fitting(self, x, name="x"):
        r"""Como en :class:`~chapters.mlp.Layer`; si la entrada tiene un solo número en el último eje, puede faltar."""
        wanted = self.input_shape
        if not self.several and wanted and wanted[-1] == 1 and x.ndim == len(wanted):
            x = x[..., np.newaxis]
        return super().fitting(x, name)

    def adopt(self, theta, gradient):
        r"""Como en :class:`~chapters.mlp.Layer`; además cada modelo recuerda su trozo de los vectores."""
        rest = super().adopt(theta, gradient)
        for layer in walk(self):
            if isinstance(layer, Model):
                layer._remember(theta, gradient)
        return rest

    def _remember(self, theta, gradient):
        # Los pesos que se aprenden, si están seguidos en el vector, que es casi siempre.
        own = self.trainable_weights
        sizes = [w.size for w in own]
        starts = [(address(w) - address(theta)) // theta.itemsize for w in own]
        start = starts[0] if own else 0
        if starts == [start + sum(sizes[:k]) for k in range(len(own))]:
            part = slice(start, start + sum(sizes))
            self._theta, self._gradient, self._bound = theta[part], gradient[part], own

    def _bind(self):
        if _shapes_only.get():
            return
        own = self.trainable_weights
        if self._theta is not None and len(own) == len(self._bound) and all(map(operator.is_, own, self._bound)):
            return
        self.refuse_outline()
        self.kept = None
        if self._theta is not None:
            self.leave(self._theta if self._theta.base is None else self._theta.base)
        size = sum(w.size for w in own)
        check.memory(2 * size, f"{self.name}, los parámetros y su gradiente", self.dtype.itemsize)
        both = [check.empty(size, f"{self.name}, los parámetros", self.dtype, place=k) for k in range(2)]
        for vector in both:
            vector.fill(0)
        self.adopt(*both)
        self._tell_optimizer()

    def _tell_optimizer(self):
        # Lo que el optimizador recuerda es de cada parámetro: si cambia cuáles se aprenden, lo suyo va con cada uno.
        if self.optimizer is not None and self._theta is not None:
            weights = (layer._weights[name] for layer, name in self.learned())
            self.optimizer.follow([(weight.key, weight.value.size) for weight in weights])

    def origin(self):
        r"""Anota cómo está el modelo, para saber después si le cambiaron algo: un ``Origin``."""
        return Origin(self)

    def settled(self, replica):
        r"""Anota cómo está una réplica recién hecha, para usarla en otra llamada: un ``Settled``."""
        return Settled(replica)

    def check_compiled(self):
        r"""Comprueba que se pueda entrenar: que se llamó a :meth:`compile`, y con las capas que ahora se entrenan.

        Raises
        ------
        ValueError
            Si no.
        """
        parts = self.loss.values() if isinstance(self.loss, dict) else each(self.loss)
        # Sin pérdida en ninguna salida, solo se aprende de lo que las capas sumen.
        nothing = self.loss is None or (all(part is None for part in parts) and not self.adds_loss)
        if nothing and not callable(getattr(self, "train_step", None)):
            raise ValueError("loss: falta decir qué se minimiza; llama antes a compile(optimizer, loss)")
        if self.built:
            self._bind()
            self._tell_optimizer()

    def __getstate__(self):
        r"""Da lo que se copia y se guarda: todo, menos los dos vectores."""
        # Al copiar o guardar, cada vista se vuelve un arreglo suelto: la copia arma sus propios vectores.
        # Los callbacks de un fit en curso no son del modelo.
        return {
            **super().__getstate__(),
            "_theta": None,
            "_gradient": None,
            "_bound": [],
            "callbacks": (),
            "ongoing": None,
            "kept": None,
            "_compiled": None,
        }
