r"""Lo que todo optimizador sabe hacer: dar un paso."""

import inspect

import numpy as np
from numba import njit

from chapters.mlp.optimizers.clipping import _clip_by_global_norm, _clip_by_value
from chapters.mlp.schedules import LearningRateSchedule
from dlbook import check, registry
from dlbook.attributes import Absent, Checked, Configured, refuse


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
         - En Keras
       * - :class:`SGD`
         - restar el gradiente; con inercia, acumular
         - ``keras.optimizers.SGD``
       * - :class:`Adagrad`
         - una tasa para cada peso
         - ``keras.optimizers.Adagrad``
       * - :class:`RMSprop`
         - olvidar lo viejo
         - ``keras.optimizers.RMSprop``
       * - :class:`Adadelta`
         - pasos en las unidades de los pesos
         - ``keras.optimizers.Adadelta``
       * - :class:`Adam`
         - inercia y una tasa por peso, sin sesgo
         - ``keras.optimizers.Adam``
       * - :class:`AdamW`
         - encoger los pesos aparte
         - ``keras.optimizers.AdamW``

    Nombres, argumentos, valores por omisión y fórmulas son los de Keras 3; en TensorFlow están en
    ``tf.keras.optimizers``. :item:`OPT-31`

    **Antes del paso**, si se pide, ocurren dos cosas. Se recorta el gradiente, con :func:`clip_by_value` o con
    :func:`clip_by_global_norm`. Y se encogen los pesos (*weight decay*), lo que mantiene pequeños a los que no sirven:

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

    Parameters
    ----------
    learning_rate : float or LearningRateSchedule
        La tasa de aprendizaje :math:`\eta`, o un programa que la da en cada paso.
    weight_decay : float, optional
        El factor :math:`\lambda` de :eq:`ec-mlp-encoger`.
    clipnorm : None
        No existe aquí, como se explica abajo.
    clipvalue, global_clipnorm : float, optional
        El tope del gradiente, por coordenada o de su norma. A lo sumo uno de los dos.
    **options
        Los demás argumentos de Keras, como ``use_ema`` o ``name``. Aquí no existen: solo se admiten apagados.

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

    Notes
    -----
    El ``clipnorm`` de Keras, que recorta por separado la norma de cada peso, aquí no existe: para el optimizador no hay
    pesos separados.
    """

    weight_decay = Checked(check.number, 0, optional=True)
    clipvalue = Checked(check.number, 0, open_low=True, optional=True)
    global_clipnorm = Checked(check.number, 0, open_low=True, optional=True)
    clipnorm, use_ema, ema_momentum, ema_overwrite_frequency = Absent(None), Absent(False), Absent(0.99), Absent(None)
    loss_scale_factor, gradient_accumulation_steps, name = Absent(None), Absent(None), Absent(None)

    def __init__(
        self, learning_rate, weight_decay=None, clipnorm=None, clipvalue=None, global_clipnorm=None, **options
    ):
        self.learning_rate, self.weight_decay, self.clipnorm = learning_rate, weight_decay, clipnorm
        self.clipvalue, self.global_clipnorm = clipvalue, global_clipnorm
        refuse(self, options)
        self._limit()
        self.iterations = 0
        self.state = {}
        self._clipped = self._owner = None

    @property
    def learning_rate(self):
        r"""La tasa del próximo paso. Se le puede asignar otro número, u otro programa."""
        return self._learning_rate if self.schedule is None else self.schedule(self.iterations)

    @learning_rate.setter
    def learning_rate(self, value):
        if not isinstance(value, LearningRateSchedule):
            value = check.number(value, "learning_rate", 0)
        self._learning_rate = value

    @property
    def schedule(self):
        r"""El programa que da la tasa, o ``None`` si es un número."""
        return self._learning_rate if isinstance(self._learning_rate, LearningRateSchedule) else None

    def step(self, theta, gradient):
        r"""Da un paso: modifica ``theta`` en su sitio.

        Parameters
        ----------
        theta : ndarray, shape (p,)
            Los parámetros, de ``float32`` o ``float64``.
        gradient : ndarray, shape (p,)
            Su gradiente, del mismo tipo. No se modifica.

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
        gradient = self._clip(gradient)
        rate = self.learning_rate
        if self.weight_decay:
            _decay(theta, rate * self.weight_decay)
        self._update(theta, gradient, rate)
        self.iterations += 1

    def apply(self, gradients, weights):
        r"""Da un paso con unos gradientes sueltos, como los de una :class:`~chapters.mlp.GradientTape`.

        Lo que recuerda es de cada peso: dale siempre los mismos, en el mismo orden.

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
        theta = np.concatenate([w.ravel() for _, w in pairs])
        self.step(theta, np.concatenate([g.ravel() for g, _ in pairs]).astype(theta.dtype))
        for (_, w), part in zip(pairs, np.split(theta, np.cumsum([w.size for _, w in pairs])[:-1]), strict=True):
            w[...] = part.reshape(w.shape)

    def apply_gradients(self, grads_and_vars):
        r"""Lo mismo que :meth:`apply`, con los pares juntos: cada gradiente con su peso."""
        self.apply(*(zip(*grads_and_vars, strict=True)))

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
        slots = self._slots()
        state = {name: array.copy() for name, array in self.state.items() if name in slots}
        state["iterations"] = np.array(self.iterations)
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
        arrays = {name: value for name, value in state.items() if name not in ("iterations", "learning_rate")}
        if "iterations" not in state or (arrays and set(arrays) != set(self._slots())):
            expected = ", ".join(["iterations", *self._slots()])
            raise ValueError(f"state: se esperaban {expected}, pero llegaron {', '.join(map(str, state)) or 'ninguno'}")
        iterations = check.integer(np.asarray(state["iterations"])[()], "iterations", 0)
        rate = check.number(np.asarray(state.get("learning_rate", 0.0))[()], "learning_rate", 0)
        for name, array in arrays.items():
            _vector(array, name)
            check.floats(array, name)
        if len({(array.shape, array.dtype) for array in arrays.values()}) > 1:
            raise ValueError("state: se esperaban vectores del mismo tamaño y tipo")
        if "learning_rate" in state:
            self.learning_rate = rate
        self.iterations, self._owner = iterations, None
        self.state = {name: array.copy() for name, array in arrays.items()}

    def __copy__(self):
        r"""Copia el optimizador con lo que recuerda: los pasos de uno no mueven la memoria del otro."""
        other = object.__new__(type(self))
        vars(other).update(vars(self), state={name: array.copy() for name, array in self.state.items()}, _clipped=None)
        return other

    def _slots(self):
        # Los vectores que recuerda, con el valor del que parte cada uno.
        return {}

    def _update(self, theta, gradient, rate):
        raise NotImplementedError

    def _remember(self, theta):
        for name, start in self._slots().items():
            if name not in self.state:
                self.state[name] = np.full_like(theta, start)
        for array in self.state.values():
            if array.shape != theta.shape or array.dtype != theta.dtype:
                raise ValueError(
                    f"theta: este optimizador lleva la cuenta de {array.size} parámetros de {array.dtype}, pero "
                    f"llegaron {theta.size} de {theta.dtype}; para otra red crea otro optimizador"
                )

    def _limit(self):
        if self.clipvalue is not None and self.global_clipnorm is not None:
            raise ValueError("clipvalue y global_clipnorm: se esperaba a lo sumo uno de los dos, pero llegaron ambos")
        return self.clipvalue or self.global_clipnorm

    def _clip(self, gradient):
        limit = self._limit()
        if limit is None:
            return gradient
        # El recorte va a un vector propio, que se reutiliza: el gradiente de quien llama no se toca.
        if self._clipped is None or self._clipped.shape != gradient.shape or self._clipped.dtype != gradient.dtype:
            self._clipped = np.empty_like(gradient)
        kernel = _clip_by_value if self.clipvalue else _clip_by_global_norm
        kernel(gradient, limit, self._clipped)
        return self._clipped

    def __repr__(self):
        r"""Escribe la llamada que lo crea."""
        names = [name for name in inspect.signature(type(self)).parameters if name in vars(self)]
        values = {"learning_rate": self._learning_rate} | {name: getattr(self, name) for name in names}
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in values.items())})"


def _vector(array, name):
    if not isinstance(array, np.ndarray) or array.dtype not in (np.float32, np.float64):
        came = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
        raise TypeError(f"{name}: se esperaba un arreglo de float32 o float64, pero llegó {came}")
    if array.ndim != 1 or not array.flags.c_contiguous:
        raise ValueError(f"{name}: se esperaba un vector contiguo, pero llegó la forma {array.shape}")


@njit(cache=True, nogil=True)
def _decay(theta, amount):
    share = theta.dtype.type(amount)
    for i in range(theta.size):
        theta[i] -= share * theta[i]  # [ec-mlp-encoger]
