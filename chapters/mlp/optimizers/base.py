r"""Lo que todo optimizador sabe hacer: dar un paso."""

import inspect
import itertools

import numpy as np

from chapters.mlp.optimizers.clipping import _clip_by_global_norm, _clip_by_value
from chapters.mlp.schedules import LearningRateSchedule
from dlbook import check, registry
from dlbook.attributes import Absent, Checked, Configured, refuse
from dlbook.numeric.kernel import kernel

# El nombre, entre lo que recuerda, de la media de los pesos y del gradiente que se va juntando.
AVERAGE, GATHERED = "average", "accumulated_gradient"
# Las dos precisiones en que se entrena.
REALS = np.dtype("float32"), np.dtype("float64")


def _starts(parts):
    wrong = "parts: se esperaba una lista de pares, el peso y cuántos números tiene, pero llegó"
    if not isinstance(parts, tuple) or not all(isinstance(part, tuple) and len(part) == 2 for part in parts):
        raise TypeError(f"{wrong} {parts!r:.60}")
    try:
        repeated = len({key for key, _ in parts}) < len(parts)
    except TypeError:
        raise TypeError(f"{wrong} {parts!r:.60}") from None
    if repeated:
        raise ValueError("parts: se esperaba cada peso una vez, pero hay alguno repetido")
    return tuple(np.cumsum([0, *(check.integer(size, "parts", 0) for _, size in parts)]).tolist())


@registry.register("optimizer")
class Optimizer(Configured):
    r"""Un optimizador (*optimizer*): el que mueve los pesos.

    La retropropagación dice hacia dónde crece la pérdida. Al optimizador le toca decidir cuánto moverse hacia el otro
    lado, y qué recordar de los pasos anteriores. Para él la red no tiene capas: es un solo vector
    :math:`\boldsymbol\theta` con todos los parámetros, y otro :math:`\mathbf g` con su gradiente. Cada optimizador es
    una fórmula sobre esos dos vectores, coordenada por coordenada.

    .. list-table::
       :header-rows: 1

       * - Clase
         - Qué idea agrega
       * - :class:`SGD`
         - restar el gradiente; con inercia, acumular
       * - :class:`Adagrad`
         - una tasa para cada peso
       * - :class:`RMSprop`
         - olvidar lo viejo
       * - :class:`Adadelta`
         - pasos en las unidades de los pesos
       * - :class:`Adam`
         - inercia y una tasa por peso, sin sesgo
       * - :class:`AdamW`
         - encoger los pesos aparte
       * - :class:`Nadam`
         - Adam con la mirada de Nesterov
       * - :class:`Adamax`
         - Adam con el mayor gradiente en vez de la media
       * - :class:`Lion`
         - solo el signo

    Nombres, argumentos, valores por omisión y fórmulas son los de ``keras.optimizers``, de Keras 3; en TensorFlow
    están en ``tf.keras.optimizers``. :item:`OPT-31`

    **Antes del paso**, si se pide, ocurren dos cosas. Se recorta el gradiente: con :func:`clip_by_value`, con
    :func:`clip_by_global_norm`, o con ``clipnorm``, que hace lo mismo que la segunda con cada peso por separado. Y se
    encogen los pesos (*weight decay*), lo que mantiene pequeños a los que no sirven:

    .. math::
       :label: ec-mlp-encoger

       \boldsymbol\theta \leftarrow \boldsymbol\theta - \eta\lambda\,\boldsymbol\theta .

    **A mano.** Un paso modifica ``theta`` en su sitio. Con :math:`f(\theta)=\theta^2`, cuyo gradiente es
    :math:`2\theta`, y :math:`\eta=0.1`, de 1 se pasa a 0.8:

    >>> from chapters.mlp.optimizers import SGD
    >>> theta = np.array([1.0])
    >>> optimizer = SGD(learning_rate=0.1)
    >>> optimizer.step(theta, 2 * theta)
    >>> theta
    array([0.8])

    Con :math:`\lambda=0.5` se resta además :math:`0.1\cdot0.5\cdot1`, y el gradiente, recortado a 1, resta 0.1:

    >>> theta = np.array([1.0])
    >>> SGD(0.1, weight_decay=0.5, clipvalue=1.0).step(theta, 2 * theta)
    >>> theta.round(12)
    array([0.85])

    **Una media de los pesos.** Con lotes al azar y una tasa fija los pesos no se detienen: tiemblan alrededor de un
    lugar. La media de sus últimas posiciones tiembla menos, y a veces acierta más. Con ``use_ema=True`` se lleva
    después de cada paso una media móvil exponencial (*exponential moving average*, EMA):

    .. math::
       :label: ec-mlp-media-pesos

       \bar{\boldsymbol\theta} \leftarrow m\,\bar{\boldsymbol\theta} + (1-m)\,\boldsymbol\theta ,

    que parte de los pesos del primer paso, y que ``fit`` pone en el lugar de los pesos al terminar. Con :math:`m=0.5`,
    los pesos 0.8 y 0.64 dan :math:`0.5\cdot0.8+0.5\cdot0.64=0.72`:

    >>> theta = np.array([1.0])
    >>> optimizer = SGD(0.1, use_ema=True, ema_momentum=0.5)
    >>> for _ in range(2):
    ...     optimizer.step(theta, 2 * theta)
    >>> print(theta.round(2), optimizer.state["average"].round(2))
    [0.64] [0.72]
    >>> optimizer.finalize(theta)
    >>> theta.round(2)
    array([0.72])

    **Varios lotes por paso.** Si un lote grande no cabe en la memoria, se le dan varios pequeños: con
    ``gradient_accumulation_steps=k`` los pesos se mueven una vez cada :math:`k` gradientes, con su media.

    >>> theta = np.array([1.0])
    >>> optimizer = SGD(0.1, gradient_accumulation_steps=2)
    >>> for gradient in (1.0, 3.0):
    ...     optimizer.step(theta, np.array([gradient]))
    ...     print(theta, optimizer.iterations)
    [1.] 0
    [0.8] 1

    Parameters
    ----------
    learning_rate : float or LearningRateSchedule
        La tasa de aprendizaje :math:`\eta`, o un programa que la da en cada paso.
    weight_decay : float, optional
        El factor :math:`\lambda` de :eq:`ec-mlp-encoger`.
    clipnorm, clipvalue, global_clipnorm : float, optional
        El tope del gradiente: de la norma de cada peso, de cada coordenada o de la norma de todo. A lo sumo uno de los
        tres. Dónde empieza cada peso lo dice :meth:`follow`; sin eso, el vector cuenta como uno.
    use_ema : bool
        Si se lleva la media de los pesos.
    ema_momentum : float
        La fracción :math:`m` que conserva, entre 0 y 1.
    ema_overwrite_frequency : int, optional
        Cada cuántos pasos toma la media el lugar de los pesos; sin él, solo al terminar.
    loss_scale_factor : None
        No existe aquí.
    gradient_accumulation_steps : int, optional
        De cuántos gradientes se hace cada paso, al menos 2.
    name : str, optional
        Un nombre; sin él, el de la clase.
    **options
        Ninguna más: un argumento que no existe se rechaza.

    Attributes
    ----------
    iterations : int
        Cuántos pasos ha dado.
    state : dict of ndarray
        Lo que recuerda: vectores del tamaño de los parámetros. Se crean en el primer paso.

    Raises
    ------
    TypeError, ValueError
        Si un argumento no es del tipo o del intervalo pedido.
    """

    weight_decay = Checked(check.number, 0, optional=True)
    clipnorm = Checked(check.number, 0, open_low=True, optional=True)
    clipvalue = Checked(check.number, 0, open_low=True, optional=True)
    global_clipnorm = Checked(check.number, 0, open_low=True, optional=True)
    use_ema = Checked(check.boolean)
    ema_momentum = Checked(check.number, 0, 1)
    ema_overwrite_frequency = Checked(check.integer, 1, optional=True)
    gradient_accumulation_steps = Checked(check.integer, 2, optional=True)
    name = Checked(check.text)
    loss_scale_factor = Absent(None)

    def __init__(
        self,
        learning_rate,
        weight_decay=None,
        clipnorm=None,
        clipvalue=None,
        global_clipnorm=None,
        use_ema=False,
        ema_momentum=0.99,
        ema_overwrite_frequency=None,
        loss_scale_factor=None,
        gradient_accumulation_steps=None,
        name=None,
        **options,
    ):
        self.learning_rate, self.weight_decay, self.clipnorm = learning_rate, weight_decay, clipnorm
        self.clipvalue, self.global_clipnorm = clipvalue, global_clipnorm
        self.use_ema, self.ema_momentum = use_ema, ema_momentum
        self.ema_overwrite_frequency = ema_overwrite_frequency
        self.loss_scale_factor, self.gradient_accumulation_steps = loss_scale_factor, gradient_accumulation_steps
        self.name = registry.snake_case(type(self).__name__) if name is None else name
        refuse(self, options)
        self._limit()
        self.iterations = 0
        self.state = {}
        # De quién es cada trozo del vector, dónde empieza, y lo que se recuerda de los pesos que ahora no están.
        self._parts, self._starts, self._aside = None, None, {}
        # Los gradientes que se han juntado para el próximo paso.
        self._gathered = 0
        self._clipped = self._owner = None

    @property
    def learning_rate(self):
        r"""La tasa del próximo paso. Se le puede asignar otro número, u otro programa."""
        if self.schedule is None:
            return self._learning_rate
        return check.number(self.schedule(self.iterations), f"{type(self.schedule).__name__}()", 0)

    @learning_rate.setter
    def learning_rate(self, value):
        if not isinstance(value, LearningRateSchedule):
            value = check.number(value, "learning_rate", 0)
        self._learning_rate = value

    @property
    def schedule(self):
        r"""El programa que da la tasa, o ``None`` si es un número."""
        return self._learning_rate if isinstance(self._learning_rate, LearningRateSchedule) else None

    def step(self, theta, gradient, spread=None):
        r"""Da un paso: modifica ``theta`` en su sitio.

        La fórmula mueve cada coordenada sin mirar las demás. Por eso el vector se puede repartir entre varios hilos, y
        salen los mismos bits que con uno.

        **A mano.** Cuatro pesos y dos hilos; cada hilo trae su gradiente, y al terminar se queda con la mitad de los
        pesos: ahí suma los dos gradientes y mueve. La suma es :math:`(2,2,4,4)`, y con :math:`\eta=0.1` se resta su
        décima parte. Da lo mismo que la segunda mitad acabe antes:

        >>> from chapters.mlp.optimizers import SGD
        >>> theta = np.array([1.0, 2.0, 3.0, 4.0])
        >>> gradient = np.array([1.0, 2.0, 3.0, 4.0])
        >>> other = np.array([1.0, 0.0, 1.0, 0.0])
        >>> def spread(move):
        ...     for a, b in ((2, 4), (0, 2)):
        ...         gradient[a:b] += other[a:b]
        ...         move(a, b)
        ...         print(theta)
        >>> SGD(0.1).step(theta, gradient, spread)
        [1.  2.  2.6 3.6]
        [0.8 1.8 2.6 3.6]

        Parameters
        ----------
        theta : ndarray, shape (p,)
            Los parámetros, de ``float32`` o ``float64``.
        gradient : ndarray, shape (p,)
            Su gradiente, del mismo tipo. No se modifica.
        spread : callable, optional
            Quien reparte: recibe una función ``move(a, b)``, que mueve las coordenadas de la ``a`` a la ``b``, y la
            llama con trozos que cubran el vector, en el orden o en los hilos que quiera. Sin él, es un solo trozo.

        Raises
        ------
        TypeError
            Si no son arreglos de ``float32`` o ``float64``.
        ValueError
            Si no tienen un solo eje, la misma forma y el mismo tipo, no son contiguos, o no son del tamaño que tenían
            en el primer paso.
        """
        _vector(theta, "theta")
        _vector(gradient, "gradient")
        if theta.shape != gradient.shape or theta.dtype != gradient.dtype:
            raise ValueError(
                f"gradient: se esperaba {theta.dtype} de forma {theta.shape}, como theta, "
                f"pero llegó {gradient.dtype} de forma {gradient.shape}"
            )
        if not theta.flags.writeable:
            raise ValueError("theta: se esperaba un arreglo que se pueda modificar, pero es de solo lectura")
        self._remember(theta)
        whole = self._gather(gradient) if self.gradient_accumulation_steps else gradient
        if whole is not None:
            whole, rate = self._clip(whole), self.learning_rate

        def move(a, b):
            piece, state = theta[a:b], {name: vector[a:b] for name, vector in self.state.items()}
            if whole is not None:
                slope = whole[a:b]
                if self.clipvalue:
                    slope = self._clipped[a:b]
                    _clip_by_value(whole[a:b], self.clipvalue, slope)
                if self.weight_decay:
                    _decay(piece, rate * self.weight_decay)
                self._update(piece, slope, state, rate)
            if self.use_ema:
                # En el primer paso no hay nada que conservar.
                _average(piece, state[AVERAGE], self.ema_momentum if self.iterations else 0.0)

        if spread is None:
            move(0, theta.size)
        else:
            spread(move)
        if self.use_ema and self.ema_overwrite_frequency and (self.iterations + 1) % self.ema_overwrite_frequency == 0:
            self.finalize(theta)
        self.iterations += whole is not None

    @property
    def looks_at_all(self):
        r"""Si antes de mover una coordenada tiene que ver el gradiente entero, o guardarlo para después."""
        looking = self.clipnorm, self.global_clipnorm, self.gradient_accumulation_steps
        return any(option is not None for option in looking)

    @property
    def foreseeable(self):
        r"""Si para saber qué se hará en un paso no hace falta el gradiente, porque solo mueve cada coordenada."""
        return not self.looks_at_all and not (self.use_ema and self.ema_overwrite_frequency)

    def finalize(self, theta):
        r"""Pone en el lugar de los pesos la media que se llevaba; sin ``use_ema``, nada.

        Parameters
        ----------
        theta : ndarray, shape (p,)
            Los parámetros; se modifican en su sitio.

        Raises
        ------
        TypeError, ValueError
            Como en :meth:`step`.
        """
        if self.use_ema and self.state:
            _vector(theta, "theta")
            self._remember(theta)
            # De un peso que aún no da un paso no hay media.
            np.copyto(theta, self.state[AVERAGE], where=~np.isnan(self.state[AVERAGE]))

    def follow(self, parts):
        r"""Aprende de quién es cada trozo del vector de los parámetros; lo llama el modelo.

        La fórmula de un optimizador no lo necesita, pero hay dos cosas que van por peso. Una es ``clipnorm``. La otra,
        la memoria, si cambia qué pesos se entrenan: la de los que siguen se muda a su nuevo lugar, la de los que se van
        se aparta y la recuperan si vuelven, y los nuevos empiezan sin ella. Así se puede congelar una parte de la red y
        descongelarla después sin que nadie pierda su inercia.

        **A mano.** Dos pesos, :math:`w`, de dos números, y :math:`b`, de uno, con inercia. Tras un paso, la velocidad
        es :math:`-\eta\mathbf g`; :math:`b` se congela un rato y la suya lo espera:

        >>> from chapters.mlp.optimizers import SGD
        >>> optimizer = SGD(0.1, momentum=0.9)
        >>> optimizer.follow([("w", 2), ("b", 1)])
        >>> optimizer.step(np.zeros(3), np.array([1.0, 2.0, 3.0]))
        >>> optimizer.follow([("w", 2)])
        >>> optimizer.state["momentum"].round(2)
        array([-0.1, -0.2])
        >>> optimizer.follow([("b", 1), ("w", 2)])
        >>> optimizer.state["momentum"].round(2)
        array([-0.3, -0.1, -0.2])

        Parameters
        ----------
        parts : sequence of (hashable, int)
            De cada peso, en el orden del vector, algo que lo distinga de los demás y cuántos números tiene.

        Raises
        ------
        TypeError, ValueError
            Si no son pares así, o si hay un peso repetido.

        Notes
        -----
        Lo apartado se copia con el optimizador, pero no está en :meth:`get_state`, ni en los archivos. Si no sabía de
        quién era lo que recuerda, porque viene de :meth:`set_state`, se entiende que es de estos pesos.
        """
        parts = tuple(parts) if isinstance(parts, list) else parts
        if parts == self._parts:
            return
        starts = _starts(parts)
        if self._parts is not None:
            self._move(parts, starts)
        self._parts, self._starts = parts, starts

    def _move(self, parts, starts):
        slots = self._every_slot()
        for (key, _), (a, b) in zip(self._parts, itertools.pairwise(self._starts), strict=True):
            self._aside[key] = {name: vector[a:b].copy() for name, vector in self.state.items()}
        for name, vector in self.state.items():
            self.state[name] = self._placed(name, slots.get(name, 0.0), starts[-1], vector.dtype)
        for (key, size), (a, b) in zip(parts, itertools.pairwise(starts), strict=True):
            for name, piece in self._aside.pop(key, {}).items():
                if name in self.state and piece.size == size:
                    self.state[name][a:b] = piece

    def apply(self, gradients, weights):
        r"""Da un paso con unos gradientes sueltos, como los de una :class:`~chapters.mlp.GradientTape`.

        Lo que recuerda es de cada peso.

        >>> from chapters.mlp.optimizers import SGD
        >>> w, b = np.array([[1.0, 2.0]]), np.array([3.0])
        >>> SGD(0.5).apply([np.array([[2.0, 2.0]]), np.array([4.0])], [w, b])
        >>> w, b
        (array([[0., 1.]]), array([1.]))

        Parameters
        ----------
        gradients : list of ndarray
            Uno por peso; el de un peso que no influye puede ser ``None``, y ese no se mueve.
        weights : list of ndarray or Variable
            Los pesos; se modifican en su sitio.

        Raises
        ------
        TypeError, ValueError
            Si no son tantos, si no tienen la misma forma y el mismo tipo, o si todos son ``None``.
        """
        gradients, weights = list(gradients), [getattr(w, "value", w) for w in weights]
        if len(gradients) != len(weights):
            raise ValueError(f"gradients: se esperaban {len(weights)}, uno por peso, pero llegaron {len(gradients)}")
        pairs = [(np.asarray(g), w) for g, w in zip(gradients, weights, strict=True) if g is not None]
        if not pairs:
            raise ValueError("gradients: se esperaba al menos un gradiente, pero todos son None o no hay ninguno")
        for k, (g, w) in enumerate(pairs):
            if not isinstance(w, np.ndarray) or g.shape != w.shape:
                came = f"{g.shape} para {getattr(w, 'shape', type(w).__name__)}"
                raise ValueError(f"gradients[{k}]: se esperaba la forma de su peso, que es un arreglo; llegó {came}")
        self.follow([(id(w), w.size) for _, w in pairs])
        theta = np.concatenate([w.ravel() for _, w in pairs])
        self.step(theta, np.concatenate([g.ravel() for g, _ in pairs]).astype(theta.dtype))
        for (_, w), part in zip(pairs, np.split(theta, np.cumsum([w.size for _, w in pairs])[:-1]), strict=True):
            w[...] = part.reshape(w.shape)

    def apply_gradients(self, grads_and_vars):
        r"""Lo mismo que :meth:`apply`, con los pares juntos: cada gradiente con su peso."""
        try:
            pairs = [(gradient, weight) for gradient, weight in grads_and_vars]
        except (TypeError, ValueError):
            raise TypeError(
                f"grads_and_vars: se esperaban pares de gradiente y peso, pero llegó {grads_and_vars!r:.60}"
            ) from None
        self.apply([gradient for gradient, _ in pairs], [weight for _, weight in pairs])

    def claim(self, owner):
        r"""Queda al servicio de un modelo: lo que recuerde desde ahora es de sus parámetros.

        Parameters
        ----------
        owner : object
            Lo que distingue al modelo de los demás.

        Raises
        ------
        ValueError
            Si ya recuerda los parámetros de otro, o lleva a medias su programa de la tasa. Como en Keras, cada red
            quiere su optimizador.
        """
        remembers = self.state or self.schedule is not None
        if self._owner not in (None, owner) and self.iterations and remembers:
            raise ValueError(
                f"optimizer: este {type(self).__name__} lleva la cuenta de los {self.iterations} pasos de otra red; "
                "para esta crea otro optimizador"
            )
        self._owner = owner

    def get_state(self):
        r"""Devuelve lo que hace falta para seguir después como si nada.

        Returns
        -------
        dict of ndarray
            Copias de los vectores, el número de pasos y, si es un número, la tasa.
        """
        slots = self._every_slot()
        state = {name: array.copy() for name, array in self.state.items() if name in slots}
        state["iterations"] = np.array(self.iterations)
        if self.gradient_accumulation_steps:
            state["gathered"] = np.array(self._gathered)
        if self.schedule is None:
            state["learning_rate"] = np.array(self._learning_rate)
        return state

    def set_state(self, state):
        r"""Pone al optimizador en el estado que devolvió :meth:`get_state`.

        Parameters
        ----------
        state : dict
            El estado; se copia.

        Raises
        ------
        TypeError, ValueError
            Si no es un estado de este optimizador.
        """
        if not isinstance(state, dict):
            raise TypeError(f"state: se esperaba un diccionario, pero llegó {type(state).__name__}")
        arrays = {name: v for name, v in state.items() if name not in ("iterations", "learning_rate", "gathered")}
        slots = self._every_slot()
        if "iterations" not in state or (arrays and set(arrays) != set(slots)):
            expected = ", ".join(["iterations", *slots])
            raise ValueError(f"state: se esperaban {expected}, pero llegaron {', '.join(map(str, state)) or 'ninguno'}")
        iterations = check.integer(np.asarray(state["iterations"])[()], "iterations", 0)
        rate = check.number(np.asarray(state.get("learning_rate", 0.0))[()], "learning_rate", 0)
        gathered = check.integer(np.asarray(state.get("gathered", 0))[()], "gathered", 0)
        for name, array in arrays.items():
            _vector(array, name)
            if name != AVERAGE:
                # La media de un peso que aún no da un paso es NaN.
                check.floats(array, name)
        if len({(array.shape, array.dtype) for array in arrays.values()}) > 1:
            raise ValueError("state: se esperaban vectores del mismo tamaño y tipo")
        if "learning_rate" in state:
            self.learning_rate = rate
        self.iterations, self._gathered, self._owner = iterations, gathered, None
        self._parts, self._starts, self._aside = None, None, {}
        self.state = {name: self._placed(name, array, array.shape, array.dtype) for name, array in arrays.items()}

    def __copy__(self):
        r"""Copia el optimizador con lo que recuerda: los pasos de uno no mueven la memoria del otro."""
        other = object.__new__(type(self))
        other.__setstate__(vars(self) | {"_aside": dict(self._aside)})
        return other

    def __setstate__(self, values):
        r"""Lo que recibe al copiarse entero o al salir de un archivo de ``pickle``; sus vectores, en su lugar."""
        vars(self).update(values, _clipped=None)
        self.state = {name: self._placed(name, array, array.shape, array.dtype) for name, array in self.state.items()}

    def _slots(self):
        # Los vectores que recuerda, con el valor del que parte cada uno.
        return {}

    def _update(self, theta, gradient, state, rate):
        # La fórmula, en un trozo: de los parámetros, del gradiente y de cada vector que se recuerda.
        raise NotImplementedError

    def _every_slot(self):
        # Los de la fórmula y los que comparten todos. Una media que vale NaN todavía no empieza.
        slots = self._slots()
        if self.use_ema:
            slots[AVERAGE] = np.nan
        if self.gradient_accumulation_steps:
            slots[GATHERED] = 0.0
        return slots

    def _remember(self, theta):
        if self._starts is not None and self._starts[-1] != theta.size:
            raise ValueError(f"theta: se esperaban {self._starts[-1]} parámetros, pero llegaron {theta.size}")
        for name, start in self._every_slot().items():
            if name not in self.state:
                self.state[name] = self._placed(name, start, theta.shape, theta.dtype)
        for array in self.state.values():
            if array.shape != theta.shape or array.dtype != theta.dtype:
                raise ValueError(
                    f"theta: este optimizador lleva la cuenta de {array.size} parámetros de {array.dtype}, pero "
                    f"llegaron {theta.size} de {theta.dtype}; para otra red crea otro optimizador"
                )

    def _placed(self, name, value, shape, dtype):
        # Un vector que se recuerda, en su lugar de la página: el de los parámetros es el primero, los gradientes van
        # después, y estos, contando desde el último.
        names = list(self._every_slot())
        place = names.index(name) if name in names else len(names)
        vector = check.empty(shape, f"lo que recuerda el optimizador, {name}", dtype, place=-1 - place)
        vector[...] = value
        return vector

    def _gather(self, gradient):
        # Devuelve la media de los gradientes que tocan, o nada si todavía faltan.
        total = self.state[GATHERED]
        total += gradient
        self._gathered += 1
        if self._gathered < self.gradient_accumulation_steps:
            return None
        gradient = total / self.gradient_accumulation_steps
        total[:], self._gathered = 0, 0
        return gradient

    def _limit(self):
        limits = [limit for limit in (self.clipnorm, self.clipvalue, self.global_clipnorm) if limit is not None]
        if len(limits) > 1:
            raise ValueError(
                "clipnorm, clipvalue y global_clipnorm: se esperaba a lo sumo uno de los tres, pero llegaron "
                f"{len(limits)}"
            )
        return limits[0] if limits else None

    def _clip(self, gradient):
        if self.clipnorm is self.clipvalue is self.global_clipnorm is None:
            return gradient
        limit = self._limit()
        # El recorte va a un vector propio, que se reutiliza: el gradiente de quien llama no se toca.
        if self._clipped is None or self._clipped.shape != gradient.shape or self._clipped.dtype != gradient.dtype:
            place = -1 - len(self.state)
            self._clipped = check.empty(gradient.shape, "el gradiente recortado", gradient.dtype, place=place)
        if self.clipvalue:
            # Cada trozo recortará lo suyo al moverse.
            return gradient
        starts = self._starts if self.clipnorm and self._starts else (0, gradient.size)
        for a, b in itertools.pairwise(starts):
            _clip_by_global_norm(gradient[a:b], limit, self._clipped[a:b])
        return self._clipped

    def __repr__(self):
        r"""Escribe la llamada que lo crea; de lo que todos comparten, solo lo que no se quedó como estaba."""
        own = inspect.signature(type(self)).parameters
        shared = {name: p.default for name, p in inspect.signature(Optimizer).parameters.items() if name not in own}
        shared["name"] = registry.snake_case(type(self).__name__)
        values = {name: getattr(self, name) for name in own if name in vars(self)}
        values |= {name: getattr(self, name) for name, v in shared.items() if getattr(self, name, v) != v}
        values = {"learning_rate": self._learning_rate} | values
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in values.items())})"


def _vector(array, name):
    if not isinstance(array, np.ndarray) or array.dtype not in REALS:
        came = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
        raise TypeError(f"{name}: se esperaba un arreglo de float32 o float64, pero llegó {came}")
    if array.ndim != 1 or not array.flags.c_contiguous:
        raise ValueError(f"{name}: se esperaba un vector contiguo, pero llegó la forma {array.shape}")


def plain_optimizer(
    theta,
    gradient,
    average,
    rule,
    learning_rate,
    weight_decay,
    ema_momentum,
):
    r"""Un paso con encogimiento y media; ``rule`` es la fórmula de cada uno."""
    theta = theta - learning_rate * weight_decay * theta  # [ec-mlp-encoger]
    theta = rule(theta, gradient, learning_rate)
    average = ema_momentum * average + (1 - ema_momentum) * theta  # [ec-mlp-media-pesos]
    return theta, average


@kernel
def _decay(theta, amount):
    share = theta.dtype.type(amount)
    for i in range(theta.size):
        theta[i] -= share * theta[i]  # [ec-mlp-encoger]


@kernel
def _average(theta, average, momentum):
    real = theta.dtype.type
    keep, take = real(momentum), real(1 - momentum)
    for i in range(theta.size):
        # NaN: la de este peso empieza ahora.
        if np.isnan(average[i]):
            average[i] = theta[i]
        average[i] = keep * average[i] + take * theta[i]  # [ec-mlp-media-pesos]
