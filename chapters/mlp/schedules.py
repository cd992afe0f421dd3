r"""Programas de la tasa de aprendizaje: empezar a zancadas y terminar a pasitos."""

import math
from bisect import bisect_left

import numpy as np

from dlbook import check, registry
from dlbook.attributes import Checked, Configured


@registry.register("schedule")
class LearningRateSchedule(Configured):
    r"""Lo que todo programa de la tasa de aprendizaje sabe hacer: decir cuánto vale en el paso :math:`t`.

    Al principio la red está lejos y conviene avanzar rápido. Cerca del mínimo, la misma zancada puede saltarlo de un
    lado al otro, y con lotes al azar el ruido del gradiente la mantiene rebotando. Un programa (*learning rate
    schedule*) hace que :math:`\eta` dependa del paso: grande primero, pequeña después.

    Se da al optimizador en lugar del número, y él lleva la cuenta de los pasos:

    >>> from chapters.mlp.optimizers import SGD
    >>> import numpy as np
    >>> optimizer = SGD(ExponentialDecay(0.1, decay_steps=1, decay_rate=0.5))
    >>> theta = np.array([1.0])
    >>> for _ in range(3):
    ...     print(optimizer.learning_rate)
    ...     optimizer.step(theta, 2 * theta)
    0.1
    0.05
    0.025

    **El tuyo** hereda de esta clase y escribe ``__call__``, que recibe el paso y devuelve la tasa. Este sube en línea
    recta y luego baja como :math:`1/\sqrt t`; con uno así se entrenaron los primeros transformadores
    (:doc:`/attention/index`):

    >>> class Rise(LearningRateSchedule):
    ...     def __init__(self, warmup):
    ...         self.warmup = warmup
    ...     def __call__(self, step):
    ...         t = step + 1
    ...         return 0.1 * min(t / self.warmup, (self.warmup / t) ** 0.5)
    >>> [Rise(4)(step) for step in (0, 1, 3, 15)]
    [0.025, 0.05, 0.1, 0.05]
    >>> SGD(Rise(4)).learning_rate
    0.025

    Parameters
    ----------
    name : str, optional
        Un nombre, como en Keras.
    """

    name = None

    def __init__(self, name=None):
        if name is not None:
            self.name = check.text(name, "name")

    def __call__(self, step):
        r"""Da la tasa de un paso.

        Parameters
        ----------
        step : float
            El paso, contado desde 0.

        Returns
        -------
        float

        Raises
        ------
        TypeError, ValueError
            Si no es un número o es negativo.
        """
        return self._rate(check.number(step, "step", 0))

    def _rate(self, t):
        raise NotImplementedError(f"{type(self).__name__}: falta escribir __call__, que recibe el paso y da la tasa")


class ExponentialDecay(LearningRateSchedule):
    r"""Decaimiento exponencial: cada :math:`T` pasos se multiplica por el mismo factor, :math:`r`.

    .. math::
       :label: ec-mlp-tasa-exponencial

       \eta_t = \eta_0\,r^{\,t/T} .

    Con ``staircase=True`` el exponente se redondea hacia abajo y la tasa baja por escalones.

    **A mano.** Se parte a la mitad cada 10 pasos; a medio camino, :math:`0.1\sqrt{1/2}`:

    >>> schedule = ExponentialDecay(0.1, decay_steps=10, decay_rate=0.5)
    >>> [round(schedule(t), 4) for t in (0, 5, 10, 20)]
    [0.1, 0.0707, 0.05, 0.025]
    >>> ExponentialDecay(0.1, 10, 0.5, staircase=True)(19)
    0.05

    Parameters
    ----------
    initial_learning_rate : float
        La tasa :math:`\eta_0` del primer paso.
    decay_steps : float
        El periodo :math:`T`, mayor que cero.
    decay_rate : float
        El factor :math:`r`, mayor que cero; menor que 1 para que baje.
    staircase : bool
        Si baja por escalones.
    name : str, optional
        Un nombre, como en Keras.
    """

    initial_learning_rate = Checked(check.number, 0)
    decay_steps = Checked(check.number, 0, open_low=True)
    decay_rate = Checked(check.number, 0, open_low=True)
    staircase = Checked(check.boolean)

    def __init__(self, initial_learning_rate, decay_steps, decay_rate, staircase=False, name=None):
        super().__init__(name)
        self.initial_learning_rate, self.decay_steps = initial_learning_rate, decay_steps
        self.decay_rate, self.staircase = decay_rate, staircase

    def _rate(self, t):
        periods = t / self.decay_steps
        if self.staircase:
            periods = math.floor(periods)
        return self.initial_learning_rate * self.decay_rate**periods  # [ec-mlp-tasa-exponencial]


def plain_exponential_decay(
    step,
    initial_learning_rate,
    decay_steps,
    decay_rate,
):
    r"""La tasa de un paso, sin escalones."""
    periods = step / decay_steps
    return initial_learning_rate * decay_rate**periods  # [ec-mlp-tasa-exponencial]


class InverseTimeDecay(LearningRateSchedule):
    r"""Decaimiento inverso: la tasa baja como :math:`1/t`.

    .. math::
       :label: ec-mlp-tasa-inversa

       \eta_t = \frac{\eta_0}{1+r\,t/T} .

    **De dónde sale.** :cite:t:`robbins1951` probaron que un descenso con ruido llega al mínimo si las tasas suman
    infinito y sus cuadrados suman algo finito:

    .. math::
       :label: ed-mlp-robbins-monro

       \sum_t\eta_t=\infty,
       \qquad
       \sum_t\eta_t^2<\infty .

    La primera deja llegar desde cualquier parte; la segunda apaga el ruido. :math:`1/t` cumple las dos:
    :math:`\sum\frac1t=\infty` y :math:`\sum\frac1{t^2}=\frac{\pi^2}6`. Una exponencial no cumple la primera, y una
    constante no cumple la segunda.

    **Con qué hipótesis.** Que cuesta abajo se vaya siempre hacia un mismo punto :math:`\theta^*`, el mínimo, y con
    fuerza: :math:`(\theta-\theta^*)\,J'(\theta)\geq c\,(\theta-\theta^*)^2` con :math:`c>0`. Que el gradiente ruidoso
    :math:`g` sea insesgado. Y que no crezca más que la distancia: :math:`E[g^2]\leq G^2\,[1+(\theta-\theta^*)^2]`.
    Entonces, si :math:`D_t` es la media de :math:`(\theta_t-\theta^*)^2`, al desarrollar el cuadrado de
    :math:`\theta_t-\eta_t\,g-\theta^*` queda

    .. math::
       :label: ed-mlp-robbins-monro-paso

       D_{t+1} \leq \bigl(1-2c\,\eta_t+\eta_t^2G^2\bigr)\,D_t + \eta_t^2\,G^2 .

    En cuanto :math:`\eta_t G^2<c`, el paréntesis es menor que :math:`1-c\,\eta_t`: encoge la distancia, y como las
    tasas suman infinito, la encoge hasta cero. Lo que el ruido agrega suma algo finito, y los pasos que siguen también
    lo encogen. La pérdida de una red con capas ocultas no cumple las hipótesis: ahí las tasas que bajan se usan porque
    ayudan, no porque el teorema lo prometa. Y sin ellas no hay promesa ni en una dimensión: en :math:`\theta^4`, cuya
    pendiente crece demasiado, :math:`1/t` estalla si se parte de 3, en vez de llegar a 0.

    >>> def walk(theta, slope):
    ...     schedule = InverseTimeDecay(1.0, decay_steps=1, decay_rate=1.0)
    ...     for t in range(3):
    ...         theta -= schedule(t) * slope(theta)
    ...     return theta
    >>> f"{walk(3.0, lambda x: x):.3g}"  # la pendiente de θ²/2
    '0'
    >>> f"{walk(3.0, lambda x: 4 * x**3):.3g}"  # y la de θ⁴
    '-1.65e+19'

    **A mano.** Con :math:`r=1` y :math:`T=10`: :math:`0.1`, :math:`0.1/1.5`, :math:`0.1/2` y :math:`0.1/3`.

    >>> schedule = InverseTimeDecay(0.1, decay_steps=10, decay_rate=1.0)
    >>> [round(schedule(t), 4) for t in (0, 5, 10, 20)]
    [0.1, 0.0667, 0.05, 0.0333]

    Parameters
    ----------
    initial_learning_rate : float
        La tasa :math:`\eta_0` del primer paso.
    decay_steps : float
        El periodo :math:`T`, mayor que cero.
    decay_rate : float
        Qué tan rápido baja, :math:`r\geq 0`.
    staircase : bool
        Si baja por escalones, uno cada periodo.
    name : str, optional
        Un nombre, como en Keras.
    """

    initial_learning_rate = Checked(check.number, 0)
    decay_steps = Checked(check.number, 0, open_low=True)
    decay_rate = Checked(check.number, 0)
    staircase = Checked(check.boolean)

    def __init__(self, initial_learning_rate, decay_steps, decay_rate, staircase=False, name=None):
        super().__init__(name)
        self.initial_learning_rate, self.decay_steps = initial_learning_rate, decay_steps
        self.decay_rate, self.staircase = decay_rate, staircase

    def _rate(self, t):
        periods = t / self.decay_steps
        if self.staircase:
            periods = math.floor(periods)
        return self.initial_learning_rate / (1 + self.decay_rate * periods)  # [ec-mlp-tasa-inversa]


def plain_inverse_time_decay(
    step,
    initial_learning_rate,
    decay_steps,
    decay_rate,
):
    r"""La tasa de un paso, sin escalones."""
    periods = step / decay_steps
    return initial_learning_rate / (1 + decay_rate * periods)  # [ec-mlp-tasa-inversa]


class PolynomialDecay(LearningRateSchedule):
    r"""Decaimiento polinómico: de una tasa a otra en :math:`T` pasos, y ahí se queda.

    .. math::
       :label: ec-mlp-tasa-polinomio

       \eta_t = (\eta_0-\eta_T)\Bigl(1-\frac{\min(t,T)}{T}\Bigr)^{p} + \eta_T .

    Con :math:`p=1` es una recta. Con ``cycle=True``, al terminar vuelve a subir: cada vez que :math:`t` alcanza a
    :math:`T`, se toma como :math:`T` el siguiente múltiplo.

    **A mano.** Una recta de 0.1 a 0.02 en 8 pasos baja 0.01 en cada uno:

    >>> schedule = PolynomialDecay(0.1, decay_steps=8, end_learning_rate=0.02)
    >>> [round(schedule(t), 4) for t in (0, 1, 4, 8, 100)]
    [0.1, 0.09, 0.06, 0.02, 0.02]
    >>> again = PolynomialDecay(0.1, 8, 0.02, cycle=True)
    >>> round(again(9), 4)  # 0.08 (1 - 9/16) + 0.02
    0.055

    Parameters
    ----------
    initial_learning_rate, end_learning_rate : float
        Las tasas :math:`\eta_0` y :math:`\eta_T`.
    decay_steps : float
        Los pasos :math:`T` que dura la bajada.
    power : float
        El exponente :math:`p`, mayor que cero.
    cycle : bool
        Si vuelve a empezar.
    name : str, optional
        Un nombre, como en Keras.
    """

    initial_learning_rate = Checked(check.number, 0)
    decay_steps = Checked(check.number, 0, open_low=True)
    end_learning_rate = Checked(check.number, 0)
    power = Checked(check.number, 0, open_low=True)
    cycle = Checked(check.boolean)

    def __init__(self, initial_learning_rate, decay_steps, end_learning_rate=0.0001, power=1.0, cycle=False, name=None):
        super().__init__(name)
        self.initial_learning_rate, self.decay_steps = initial_learning_rate, decay_steps
        self.end_learning_rate, self.power, self.cycle = end_learning_rate, power, cycle

    def _rate(self, t):
        total = self.decay_steps
        if self.cycle:
            total *= max(1, math.ceil(t / total))
        left = 1 - min(t, total) / total
        fall = self.initial_learning_rate - self.end_learning_rate
        return fall * left**self.power + self.end_learning_rate  # [ec-mlp-tasa-polinomio]


def plain_polynomial_decay(
    step,
    initial_learning_rate,
    decay_steps,
    end_learning_rate,
    power,
):
    r"""La tasa de un paso, sin volver a subir."""
    left = 1 - min(step, decay_steps) / decay_steps
    fall = initial_learning_rate - end_learning_rate
    return fall * left**power + end_learning_rate  # [ec-mlp-tasa-polinomio]


def _numbers(values, name, low=-np.inf):
    if not isinstance(values, (list, tuple, np.ndarray)) or getattr(values, "ndim", 1) != 1:
        raise TypeError(f"{name}: se esperaba una lista de números, pero llegó {values!r}")
    return [check.number(value, name, low) for value in values]


class PiecewiseConstantDecay(LearningRateSchedule):
    r"""Por tramos: una tasa hasta cierto paso, otra hasta el siguiente, y así.

    .. math::
       :label: ec-mlp-tasa-tramos

       \eta_t = \begin{cases}
       v_0 & \text{si } t\leq b_0,\\
       v_1 & \text{si } b_0 < t\leq b_1,\\
       \ \vdots\\
       v_k & \text{si } t > b_{k-1}.
       \end{cases}

    Es lo que se hace a ojo: cuando la pérdida deja de bajar, se divide la tasa entre diez.

    **A mano.** El paso de la frontera todavía es del tramo anterior:

    >>> schedule = PiecewiseConstantDecay([100, 200], [0.1, 0.01, 0.001])
    >>> [schedule(t) for t in (0, 100, 101, 200, 201)]
    [0.1, 0.1, 0.01, 0.01, 0.001]

    Parameters
    ----------
    boundaries : sequence of float
        Las fronteras :math:`b_0<b_1<\dots`.
    values : sequence of float
        Las tasas :math:`v_0,v_1,\dots`: una más que las fronteras.
    name : str, optional
        Un nombre, como en Keras.

    Raises
    ------
    TypeError, ValueError
        Si no son listas de números, no concuerdan o las fronteras no crecen.
    """

    boundaries = Checked(_numbers)
    values = Checked(_numbers, 0)

    def __init__(self, boundaries, values, name=None):
        super().__init__(name)
        self.boundaries, self.values = boundaries, values
        if len(self.values) != len(self.boundaries) + 1 or not self.boundaries:
            raise ValueError(
                "values: se esperaba al menos una frontera y una tasa más que fronteras, pero llegaron "
                f"{len(self.boundaries)} fronteras y {len(self.values)} tasas"
            )
        if any(a >= b for a, b in zip(self.boundaries, self.boundaries[1:], strict=False)):
            raise ValueError(f"boundaries: se esperaban fronteras crecientes, pero llegó {self.boundaries}")

    def _rate(self, t):
        return self.values[bisect_left(self.boundaries, t)]  # [ec-mlp-tasa-tramos]


def plain_piecewise_constant_decay(step, boundaries, values):
    r"""El tramo es el de cuántas fronteras quedaron atrás."""
    passed = np.sum(step > np.array(boundaries))
    return values[passed]  # [ec-mlp-tasa-tramos]


class CosineDecay(LearningRateSchedule):
    r"""Medio coseno: baja despacio, luego rápido y al final despacio otra vez.

    .. math::
       :label: ec-mlp-tasa-coseno

       \eta_t = \eta_0\Bigl[(1-\alpha)\,\tfrac12\Bigl(1+\cos\frac{\pi\min(t,T)}{T}\Bigr)+\alpha\Bigr] .

    El coseno va de 1 a −1 mientras :math:`t` va de 0 a :math:`T`; con el 1 y la mitad, va de 1 a 0. El piso
    :math:`\alpha` es la fracción que queda al final :cite:p:`loshchilov2017`.

    **Calentamiento** (*warmup*). Con los pesos recién sorteados el gradiente puede ser grande y cambiar mucho de un
    lote a otro; empezar con zancadas largas puede arruinar la red en los primeros pasos. Con ``warmup_target`` la tasa
    sube antes en línea recta, durante :math:`C` pasos, de :math:`\eta_0` a la meta :math:`\eta_C`, y el coseno empieza
    ahí:

    .. math::
       :label: ec-mlp-tasa-calentamiento

       \eta_t = \eta_0 + (\eta_C-\eta_0)\,\frac tC
       \qquad\text{si } t < C .

    **A mano.** A la mitad el coseno vale 0, y la tasa, la mitad:

    >>> schedule = CosineDecay(0.1, decay_steps=100)
    >>> [round(schedule(t), 4) for t in (0, 25, 50, 75, 100, 500)]
    [0.1, 0.0854, 0.05, 0.0146, 0.0, 0.0]
    >>> schedule = CosineDecay(
    ...     0.0, decay_steps=100, warmup_target=0.1, warmup_steps=10
    ... )
    >>> [round(schedule(t), 4) for t in (0, 5, 10, 60, 110)]
    [0.0, 0.05, 0.1, 0.05, 0.0]

    Parameters
    ----------
    initial_learning_rate : float
        La tasa :math:`\eta_0` del primer paso.
    decay_steps : float
        Los pasos :math:`T` que dura el coseno.
    alpha : float
        La fracción :math:`\alpha` que queda al final.
    name : str, optional
        Un nombre, como en Keras.
    warmup_target : float, optional
        La meta :math:`\eta_C` del calentamiento; sin ella no lo hay.
    warmup_steps : float
        Los pasos :math:`C` que dura el calentamiento.
    """

    initial_learning_rate = Checked(check.number, 0)
    decay_steps = Checked(check.number, 0, open_low=True)
    alpha = Checked(check.number, 0)
    warmup_target = Checked(check.number, 0, optional=True)
    warmup_steps = Checked(check.number, 0)

    def __init__(self, initial_learning_rate, decay_steps, alpha=0.0, name=None, warmup_target=None, warmup_steps=0):
        super().__init__(name)
        self.initial_learning_rate, self.decay_steps = initial_learning_rate, decay_steps
        self.alpha, self.warmup_target, self.warmup_steps = alpha, warmup_target, warmup_steps

    def _rate(self, t):
        start = self.initial_learning_rate
        if self.warmup_target is not None:
            if t < self.warmup_steps:
                return start + (self.warmup_target - start) * t / self.warmup_steps  # [ec-mlp-tasa-calentamiento]
            start, t = self.warmup_target, t - self.warmup_steps
        wave = 0.5 * (1 + math.cos(math.pi * min(t, self.decay_steps) / self.decay_steps))
        return start * ((1 - self.alpha) * wave + self.alpha)  # [ec-mlp-tasa-coseno]


def plain_cosine_decay(
    step,
    initial_learning_rate,
    decay_steps,
    alpha,
    warmup_target,
    warmup_steps,
):
    r"""La tasa de un paso: la subida y, después, medio coseno."""
    if step < warmup_steps:
        rise = (warmup_target - initial_learning_rate) * step / warmup_steps
        return initial_learning_rate + rise  # [ec-mlp-tasa-calentamiento]
    share = min(step - warmup_steps, decay_steps) / decay_steps
    wave = 0.5 * (1 + np.cos(np.pi * share))
    return warmup_target * ((1 - alpha) * wave + alpha)  # [ec-mlp-tasa-coseno]


class CosineDecayRestarts(LearningRateSchedule):
    r"""Cosenos que vuelven a empezar (*warm restarts*): la tasa baja, salta arriba y baja otra vez.

    Una tasa que ya bajó deja a la red donde esté. Subirla de golpe la sacude, y a veces la saca a un sitio mejor
    :cite:p:`loshchilov2017`. La primera bajada dura :math:`T`; cada una, :math:`a` veces lo que la anterior, y su tasa
    se multiplica por :math:`b`. La número :math:`i`, contada desde 0, empieza en el paso :math:`s_i`:

    .. math::
       :label: ec-mlp-tasa-rearranques

       \begin{gathered}
       s_i = T\,(1+a+\dots+a^{i-1}),\\
       \eta_t = \eta_0\Bigl[(1-\alpha)\,\tfrac{b^i}2\Bigl(1+\cos\frac{\pi\,(t-s_i)}{T\,a^i}\Bigr)+\alpha\Bigr] .
       \end{gathered}

    **A mano.** Con :math:`T=10` y :math:`a=2`, la primera acaba en 10 y la segunda en 30; a la mitad de cada una, la
    mitad de la tasa:

    >>> schedule = CosineDecayRestarts(0.1, first_decay_steps=10)
    >>> [round(schedule(t), 4) for t in (0, 5, 10, 20, 30)]
    [0.1, 0.05, 0.1, 0.05, 0.1]
    >>> schedule = CosineDecayRestarts(
    ...     0.1, first_decay_steps=10, t_mul=1, m_mul=0.5
    ... )
    >>> [round(schedule(t), 4) for t in (0, 5, 10, 15, 20)]
    [0.1, 0.05, 0.05, 0.025, 0.025]

    Parameters
    ----------
    initial_learning_rate : float
        La tasa :math:`\eta_0` del primer paso.
    first_decay_steps : float
        Los pasos :math:`T` que dura la primera bajada.
    t_mul : float
        Cuánto se alarga cada una, :math:`a`; al menos 1.
    m_mul : float
        Por cuánto se multiplica su tasa, :math:`b`.
    alpha : float
        La fracción :math:`\alpha` que queda al final de cada una.
    name : str, optional
        Un nombre, como en Keras.
    """

    initial_learning_rate = Checked(check.number, 0)
    first_decay_steps = Checked(check.number, 0, open_low=True)
    t_mul = Checked(check.number, 1)
    m_mul = Checked(check.number, 0)
    alpha = Checked(check.number, 0)

    def __init__(self, initial_learning_rate, first_decay_steps, t_mul=2.0, m_mul=1.0, alpha=0.0, name=None):
        super().__init__(name)
        self.initial_learning_rate, self.first_decay_steps = initial_learning_rate, first_decay_steps
        self.t_mul, self.m_mul, self.alpha = t_mul, m_mul, alpha

    def _rate(self, t):
        i, share = self._restart(t / self.first_decay_steps)
        wave = 0.5 * self.m_mul**i * (1 + math.cos(math.pi * share))
        return self.initial_learning_rate * ((1 - self.alpha) * wave + self.alpha)  # [ec-mlp-tasa-rearranques]

    def _restart(self, periods):
        # Cuál bajada es, y qué fracción de ella va.
        growth = self.t_mul - 1
        if not growth:
            return math.floor(periods), periods % 1
        i = math.floor(math.log1p(periods * growth) / math.log1p(growth))
        length = self.t_mul**i
        share = (periods - (length - 1) / growth) / length
        # Al redondear, la cuenta puede quedar justo antes de un arranque.
        return (i, share) if share < 1 else (i + 1, (share - 1) / self.t_mul)


def plain_cosine_decay_restarts(
    step,
    initial_learning_rate,
    first_decay_steps,
    t_mul,
    m_mul,
    alpha,
):
    r"""La tasa de un paso: se quitan las bajadas que ya acabaron."""
    length, height = first_decay_steps, 1.0
    while step >= length:
        step, length, height = step - length, length * t_mul, height * m_mul
    wave = 0.5 * height * (1 + np.cos(np.pi * step / length))
    shown = (1 - alpha) * wave + alpha
    return initial_learning_rate * shown  # [ec-mlp-tasa-rearranques]


CLASSES = (
    CosineDecay,
    CosineDecayRestarts,
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
)
