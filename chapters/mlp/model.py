r"""Un modelo: capas, pérdida y optimizador, listos para aprender."""

import operator

import numpy as np

from chapters.mlp import losses, metrics, optimizers
from chapters.mlp.layer import Layer, _shapes_only, fitted, text_of_shape
from dlbook import check, console, saving, training
from dlbook.attributes import explains, only


def _summarize(parent, indent, expand_nested, lines):
    for layer in parent.layers:
        shape = count = "?"
        if layer.built:
            shape = text_of_shape(layer.compute_output_shape(layer.input_shape))
            count = str(layer.count_params())
        lines.append((indent + layer.name, shape, count))
        if expand_nested:
            _summarize(layer, indent + "  ", expand_nested, lines)


def _free(name, taken):
    # Dos métricas que se llaman igual: la segunda es name_1, como en Keras.
    names = [name, *(f"{name}_{k}" for k in range(1, len(taken) + 1))]
    return next(n for n in names if n not in taken)


class Model(Layer):
    r"""Una capa que sabe entrenarse: todos los pesos que aprende son un solo vector.

    Para un optimizador no hay capas ni matrices: hay un vector :math:`\boldsymbol\theta` con todos los parámetros, y
    otro con el gradiente. Aquí es verdad también en la memoria. Los pesos de cada capa son **vistas** de un vector,
    :attr:`theta`, y sus gradientes, de otro, :attr:`gradient`. Así el descenso de gradiente se escribe como en las
    fórmulas, en un renglón.

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

    Lo mismo lo hace :meth:`fit`, que además corta los datos en lotes, los baraja, reparte cada lote entre los núcleos y
    lleva la cuenta:

    >>> from chapters.mlp.optimizers import SGD
    >>> x = np.linspace(-1, 1, 200).reshape(-1, 1)
    >>> model.compile(optimizer=SGD(0.1), loss="mse")
    >>> history = model.fit(x, 3 * x - 1, epochs=50, verbose=0)
    >>> model.theta.round(3)
    array([ 3., -1.])

    Quien quiera una red que no sea una fila de capas escribe una clase que herede de esta, con sus capas en
    ``self.layers`` y sus propios ``build``, ``forward`` y ``backward``; todo lo demás ya está.

    Attributes
    ----------
    optimizer : Optimizer
        El de :meth:`compile`.
    loss : Loss
        La de :meth:`compile`.
    metrics : list
        Las de :meth:`compile`.
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

    def __init__(self, **options):
        super().__init__(**options)
        self.optimizer = self.loss = self.history = None
        self.metrics = []
        self.epoch = 0
        self.stop_training = False
        self.callbacks, self.remembered, self.identity = (), [], object()
        self._theta = self._gradient = None
        # Qué pesos son vistas de los dos vectores, y si eran otros cuando empezó el optimizador.
        self._bound, self._stale = [], False

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
        loss_weights, weighted_metrics, run_eagerly, steps_per_execution, jit_compile, auto_scale_loss
            No existen aquí: solo se admiten como Keras los deja si no se dice nada.
        """
        only(loss_weights, "loss_weights", None)
        only(weighted_metrics, "weighted_metrics", None)
        only(run_eagerly, "run_eagerly", False)
        only(steps_per_execution, "steps_per_execution", 1)
        only(jit_compile, "jit_compile", "auto")
        only(auto_scale_loss, "auto_scale_loss", True)
        optimizer = optimizers.get(optimizer)
        loss = None if loss is None else losses.get(loss)
        if metrics is not None and not isinstance(metrics, (list, tuple)):
            raise TypeError(f"metrics: se esperaba una lista, pero llegó {metrics!r}")
        self.optimizer, self.loss, self.metrics = optimizer, loss, list(metrics or ())
        if self.built:
            self._bind()
        self._stale = False

    @explains
    def fit(
        self,
        x,
        y,
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

        Con Ctrl-C se detiene al acabar el paso en curso: los pesos quedan enteros y lo recorrido, en ``history``.

        Parameters
        ----------
        x : array_like, shape (n, ...)
            Las observaciones.
        y : array_like, shape (n, ...)
            Lo correcto, como lo espera la pérdida.
        batch_size : int, optional
            Cuántas observaciones por paso; si no se dice, 32.
        epochs : int
            En qué época se termina.
        verbose : {"auto", 0, 1, 2} or bool
            1 o ``"auto"``, una barra de progreso por época; 2, un renglón por época; 0, nada.
        callbacks : list of dlbook.callbacks.Callback, optional
            Lo que se llama al principio y al final de cada época y de cada lote, en el orden de la lista; los que
            guardan el modelo, al final.
        validation_split : float
            Qué fracción, del final de los datos, se aparta para validar.
        validation_data : tuple, optional
            ``(x, y)`` o ``(x, y, sample_weight)`` para validar, en vez de apartar.
        shuffle : bool
            Si se baraja en cada época.
        class_weight : dict, optional
            Cuánto cuenta en la pérdida cada clase, por su número; las que falten cuentan 1.
        sample_weight : array_like, shape (n,) or (n, 1), optional
            Cuánto cuenta cada observación en la pérdida.
        initial_epoch : int
            En qué época se empieza, para continuar un entrenamiento. Si es ``model.epoch``, los *callbacks* siguen con
            lo que recordaban.
        steps_per_epoch, validation_steps, validation_batch_size, validation_freq
            No existen aquí: solo se admiten como Keras los deja si no se dice nada.

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
        only(steps_per_epoch, "steps_per_epoch", None)
        only(validation_steps, "validation_steps", None)
        only(validation_batch_size, "validation_batch_size", None)
        only(validation_freq, "validation_freq", 1)
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
        )

    @explains
    def evaluate(
        self,
        x,
        y,
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
        batch_size, verbose
            Se aceptan por compatibilidad con Keras: aquí no cambian nada.
        steps, callbacks
            No existen aquí: solo se admite ``None``.
        return_dict : bool
            Si se devuelve un diccionario con nombres.

        Returns
        -------
        float, list of float, or dict
            La pérdida, sola si no hay métricas.
        """
        only(steps, "steps", None)
        only(callbacks, "callbacks", None)
        logs = training.evaluate(self, x, y, sample_weight)
        if return_dict:
            return logs
        return logs["loss"] if len(logs) == 1 else list(logs.values())

    @explains
    def predict(self, x, batch_size=None, verbose="auto", steps=None, callbacks=None):
        r"""Calcula la salida de cada observación, en todos los núcleos.

        Parameters
        ----------
        x : array_like, shape (n, ...)
            Las observaciones.
        batch_size, verbose
            Se aceptan por compatibilidad con Keras: aquí no cambian nada.
        steps, callbacks
            No existen aquí: solo se admite ``None``.

        Returns
        -------
        ndarray, shape (n, ...)
        """
        only(steps, "steps", None)
        only(callbacks, "callbacks", None)
        return training.predict(self, x)

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
        y_pred = self.forward(x, training=training)
        loss = self.loss(y, y_pred, sample_weight)
        self._bind()
        self.backward(self.loss.gradient(y, y_pred, sample_weight))
        loss += self.penalty(add_gradient=True)
        return loss, self._gradient.copy()

    @explains
    def summary(self, line_length=None, *, print_fn=None, expand_nested=False):
        r"""Imprime las capas, la forma de lo que sale de cada una y sus parámetros.

        Lo que no se sabe todavía, porque nadie ha dicho qué forma tiene la entrada, sale como ``?``.

        Parameters
        ----------
        line_length : int, optional
            Cuántas letras, al menos, mide cada renglón.
        print_fn : callable, optional
            A quién se le entrega cada renglón, en vez de imprimirlo.
        expand_nested : bool
            Si debajo de cada capa hecha de capas se muestran también, con sangría, las que contiene.
        """
        training.check_depth(self)
        lines = [("capa", "forma de salida", "parámetros")]
        _summarize(self, "", check.boolean(expand_nested, "expand_nested"), lines)
        first, second, third = (max(map(len, column)) for column in zip(*lines, strict=True))
        first, second = max(first + 2, 15), max(second + 2, 21)
        if line_length is not None:
            first = max(first, check.integer(line_length, "line_length", 1) - second - third)
        say = console.say if print_fn is None else print_fn
        say(type(self).__name__)
        for name, shape, count in lines:
            say(f"{name:<{first}}{shape:<{second}}{count:>{third}}")
        if not self.built:
            say("Sin construir: pon un Input al principio o dale unos datos, y se sabrá lo demás")
            return
        total, learned = self.count_params(), sum(w.size for w in self.trainable_weights)
        say(f"Total: {total} parámetros" + (f", {learned} de ellos entrenables" if learned < total else ""))

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
        # Lo que recuerda el optimizador vino con el estado.
        self._stale = False

    def resolve_metrics(self, y):
        r"""Encuentra las métricas de :meth:`compile` para lo correcto, ya preparado; pares de nombre y métrica."""
        y_pred = np.broadcast_to(self.dtype.type(0), (len(y), *self.compute_output_shape(self.current_shape)))
        from_logits = getattr(self.loss, "from_logits", False)
        found = {}
        for metric in self.metrics:
            one = metrics.get(metric, y, y_pred, from_logits)
            name = metric if isinstance(metric, str) else one.name or type(one).__name__
            found[_free(name, ("loss", *found))] = one
        return list(found.items())

    def fitting(self, x, name="x"):
        r"""Como en :class:`~chapters.mlp.Layer`; si la entrada tiene un solo número en el último eje, puede faltar."""
        wanted = self.input_shape
        if wanted and wanted[-1] == 1 and x.ndim == len(wanted):
            x = x[..., np.newaxis]
        return super().fitting(x, name)

    def adopt(self, theta, gradient):
        r"""Como en :class:`~chapters.mlp.Layer`; además recuerda su trozo de los dos vectores."""
        size = sum(w.size for w in self.trainable_weights)
        self._theta, self._gradient = theta[:size], gradient[:size]
        rest = super().adopt(theta, gradient)
        self._bound = self.trainable_weights
        return rest

    def replica(self):
        r"""Como en :class:`~chapters.mlp.Layer`, con un vector propio para el gradiente."""
        self._bind()
        other = super().replica()
        other.adopt(self._theta, np.zeros(self._gradient.shape, self.dtype))
        return other

    def _bind(self):
        if _shapes_only.get():
            return
        own = self.trainable_weights
        if self._theta is not None and len(own) == len(self._bound) and all(map(operator.is_, own, self._bound)):
            return
        self.refuse_outline()
        # Lo que el optimizador recuerda es de los parámetros de antes, uno por uno.
        self._stale = self._theta is not None and bool(self.optimizer and self.optimizer.state)
        self.leave()
        size = sum(w.size for w in own)
        check.memory(2 * size, f"{self.name}, los parámetros y su gradiente", self.dtype.itemsize)
        self.adopt(np.zeros(size, self.dtype), np.zeros(size, self.dtype))

    def check_compiled(self):
        r"""Comprueba que se pueda entrenar: que se llamó a :meth:`compile`, y con las capas que ahora se entrenan.

        Raises
        ------
        ValueError
            Si no.
        """
        if self.loss is None:
            raise ValueError("loss: falta decir qué se minimiza; llama antes a compile(optimizer, loss)")
        if self.built:
            self._bind()
        if self._stale:
            raise ValueError(
                "optimizer: recuerda otros parámetros, porque cambió qué capas se entrenan; llama otra vez a compile"
            )

    def __getstate__(self):
        r"""Da lo que se copia y se guarda: todo, menos los dos vectores."""
        # Al copiar o guardar, cada vista se vuelve un arreglo suelto: la copia arma sus propios vectores.
        # Los callbacks de un fit en curso no son del modelo.
        return {**super().__getstate__(), "_theta": None, "_gradient": None, "_bound": [], "callbacks": ()}
