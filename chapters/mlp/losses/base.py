r"""Lo que toda pérdida sabe hacer: medir cuánto cuesta equivocarse y decir hacia dónde se corrige."""

import inspect

import numpy as np

from chapters.mlp.tape.shard import free_targets, taped_shard
from chapters.mlp.tape.through import is_taped, through_each, through_loss
from dlbook import check, registry
from dlbook.attributes import Absent, Configured
from dlbook.training.data import aligned, check_mask, masked

# Lo que se hace con las pérdidas de las observaciones, como en Keras.
UNREDUCED = ("none", None)
REDUCTIONS = ("sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", *UNREDUCED)


@registry.register("loss")
class Loss(Configured):
    r"""Una función de pérdida (*loss*): cuánto cuesta equivocarse.

    La red ve :math:`\mathbf x^{(i)}` y predice :math:`\hat{\mathbf y}^{(i)}=f(\mathbf x^{(i)};\boldsymbol\theta)`; lo
    correcto era :math:`\mathbf y^{(i)}`. La pérdida de esa observación es un número,

    .. math::
       :label: ed-mlp-perdida

       \mathcal L_i = \mathcal L\bigl(f(\mathbf x^{(i)};\boldsymbol\theta),\ \mathbf y^{(i)}\bigr),

    que vale poco cuando la predicción se parece a lo correcto y crece conforme se aleja. :item:`MLP-19, MLP-22`

    **La pérdida de todos** es el promedio sobre los :math:`n` ejemplos. Se llama *pérdida empírica* (*empirical loss*)
    o *función de costo*, y es lo que se minimiza:

    .. math::
       :label: ec-mlp-costo

       J(\boldsymbol\theta) = \frac1n\sum_{i=1}^{n} s_i\,\mathcal L_i ,

    donde :math:`s_i` es el peso del ejemplo: 1 mientras nadie diga otra cosa. :item:`MLP-20`

    Es la **media** y no la suma. :erratum:`E-38` La diferencia no es de forma: con la suma, juntar el doble de datos
    duplicaría el gradiente, y la tasa de aprendizaje que servía con mil ejemplos dejaría de servir con dos mil.
    :item:`MLP-21`

    Los datos ya están dados; lo único que podemos mover son los pesos. Por eso :math:`J` se escribe como función **de**
    :math:`\boldsymbol\theta`: a cada elección de pesos le asigna un costo, como un mapa de relieve le asigna a cada
    lugar una altura. :erratum:`E-39` :item:`MLP-29` Entrenar es buscar el punto más bajo,
    :math:`\boldsymbol\theta^*=\operatorname{argmin}_{\boldsymbol\theta}J(\boldsymbol\theta)`.
    Con capas ocultas no es el único: si intercambias dos neuronas ocultas, con todos sus pesos, la red calcula lo
    mismo. :item:`MLP-26`

    **De dónde salen las pérdidas.** Las de esta página no son arbitrarias. Supón que la predicción no es una
    respuesta, sino los parámetros de una distribución :math:`p(\mathbf y\mid\hat{\mathbf y})`
    (:doc:`/introduccion/probabilidad`). Los pesos más creíbles son los que hacen más
    probable lo que de verdad se observó. Si los ejemplos son independientes, esa probabilidad, la *verosimilitud*
    (*likelihood*), es un producto. El logaritmo lo vuelve suma, el signo menos cambia máximo por mínimo y dividir entre
    :math:`n` no mueve el mínimo:

    .. math::
       :label: ed-mlp-verosimilitud

       \begin{aligned}
       &\max_{\boldsymbol\theta}\ \prod_{i=1}^n p\bigl(\mathbf y^{(i)}\mid\hat{\mathbf y}^{(i)}\bigr)
       \\
       \iff\ &\min_{\boldsymbol\theta}\ \frac1n\sum_{i=1}^n
       \underbrace{-\ln p\bigl(\mathbf y^{(i)}\mid\hat{\mathbf y}^{(i)}\bigr)}_{\mathcal L_i} .
       \end{aligned}

    Aquí la pérdida es menos el logaritmo de la verosimilitud, y escoger pérdida es escoger distribución: :item:`MLP-25`

    .. list-table::
       :header-rows: 1

       * - Se predice
         - Última activación
         - Distribución
         - Pérdida
       * - un número
         - identidad
         - normal
         - :class:`MeanSquaredError`
       * - un número, con datos raros
         - identidad
         - de Laplace
         - :class:`MeanAbsoluteError`
       * - sí o no
         - sigmoide
         - de Bernoulli
         - :class:`BinaryCrossentropy`
       * - una de :math:`K` clases
         - *softmax*
         - categórica
         - :class:`CategoricalCrossentropy` o :class:`SparseCategoricalCrossentropy`

    **A mano.** Una pérdida se llama como función y da la media; :meth:`call` da la de cada observación y
    :meth:`gradient`, el gradiente de la media:

    >>> from chapters.mlp.losses import MeanSquaredError
    >>> loss = MeanSquaredError()
    >>> y_true, y_pred = [1.0, 0.0, 1.0], [0.9, 0.2, 0.6]
    >>> loss.call(y_true, y_pred).round(2)
    array([0.01, 0.04, 0.16])
    >>> round(loss(y_true, y_pred), 6)  # (0.01 + 0.04 + 0.16) / 3
    0.07
    >>> loss.gradient(y_true, y_pred).round(4)             # 2 (ŷ - y) / 3
    array([-0.0667,  0.1333, -0.2667])

    Con pesos, el segundo ejemplo cuenta doble y el tercero, nada. Se sigue dividiendo entre 3, como en Keras:

    >>> round(loss(y_true, y_pred, sample_weight=[1, 2, 0]), 6)
    0.03

    Parameters
    ----------
    reduction : {"sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", "none"} or None
        Qué se hace con las pérdidas de las observaciones, ya multiplicadas por su peso: se promedian, como en
        :eq:`ec-mlp-costo`; se suman; se suman y se dividen entre la suma de los pesos; o nada, y llamarla da una por
        observación. Con esta última no se puede entrenar.
    name : str, optional
        Otro nombre.
    dtype : None
        El tipo es el de las predicciones. Está aquí, como ``axis`` en las que lo tienen, para que el código de Keras
        sirva sin cambios: no admite otro valor.

    Attributes
    ----------
    name : str
        El nombre con que la conoce Keras.
    """

    name, reduction = None, "sum_over_batch_size"
    axis, dtype = Absent(-1), Absent(None)

    def __init__(self, reduction="sum_over_batch_size", name=None, dtype=None):
        reduction, self.dtype = check.choice(reduction, "reduction", REDUCTIONS, exact=True), dtype
        if reduction != self.reduction:
            self.reduction = reduction
        if name is not None:
            self.name = check.text(name, "name")

    def __call__(self, y_true, y_pred, sample_weight=None, mask=None):
        r"""Da la pérdida de todos, o la de cada uno si no se reducen; los argumentos son los de :meth:`gradient`."""
        if is_taped(y_pred):
            return through_loss(self, y_true, y_pred, sample_weight, mask)
        y_true, y_pred, weight = self._arguments(y_true, y_pred, sample_weight, mask)
        if self.reduction in UNREDUCED:
            each = self._each(y_true, y_pred)
            return each * weight.reshape(weight.shape + (1,) * (each.ndim - weight.ndim))
        weight = weight / self.divisor_with(y_true, weight, mask)
        return float(self.shard(y_true, y_pred, weight, np.empty_like(y_pred)))  # [ec-mlp-costo]

    def gradient(self, y_true, y_pred, sample_weight=None, mask=None):
        r"""Da el gradiente de la pérdida de todos respecto a las predicciones; sin reducir, el de la suma.

        Parameters
        ----------
        y_true : array_like, shape (n, ...)
            Lo correcto.
        y_pred : array_like, shape (n, ...)
            Lo que la red predice.
        sample_weight : array_like, shape (n,), optional
            El peso :math:`s_i` de cada observación. Si la salida es una secuencia, puede ser uno por instante.
        mask : array_like of bool, shape (n, t), optional
            Qué instantes cuentan. Los demás pesan cero y la media es de los que cuentan, como en
            :eq:`ec-rnn-mascara-costo`.

        Returns
        -------
        ndarray, shape (n, ...)
            :math:`\partial J/\partial\hat{\mathbf y}`, con la forma y el tipo de ``y_pred``.

        Raises
        ------
        TypeError, ValueError
            Si algo no son números finitos, las formas no concuerdan o las etiquetas no valen para esta pérdida.
        """
        y_true, y_pred, weight = self._arguments(y_true, y_pred, sample_weight, mask)
        gradient = np.empty_like(y_pred)
        self.shard(y_true, y_pred, weight / self.divisor_with(y_true, weight, mask), gradient)
        return gradient

    def call(self, y_true, y_pred):
        r"""Da la pérdida de cada observación, sin promediar.

        Parameters
        ----------
        y_true, y_pred
            Como en :meth:`gradient`.

        Returns
        -------
        ndarray, shape (n, ...)
            Una por observación; si la salida tiene más ejes, una por cada vector de su último eje.

        Raises
        ------
        TypeError, ValueError
            Como en :meth:`gradient`.
        """
        if is_taped(y_pred):
            return through_each(self, y_true, y_pred)
        return self._each(*self._arguments(y_true, y_pred, None)[:2])

    def _each(self, y_true, y_pred):
        shape = y_pred.shape[:-1] if y_pred.ndim > 1 else y_pred.shape
        rows = int(np.prod(shape))
        y_true, y_pred = y_true.reshape(rows, -1), y_pred.reshape(rows, -1)
        one, scratch = np.ones(1, y_pred.dtype), np.empty_like(y_pred[:1])
        losses = [self.shard(y_true[i : i + 1], y_pred[i : i + 1], one, scratch) for i in range(rows)]
        return np.array(losses, y_pred.dtype).reshape(shape)

    def prepare(self, y_true, output_shape, dtype):
        r"""Comprueba lo correcto una vez, antes de entrenar, y lo deja listo para :meth:`shard`.

        Parameters
        ----------
        y_true : array_like, shape (n, ...)
            Lo correcto. Si la salida es un solo número por observación, vale también sin ese eje.
        output_shape : tuple of int
            La forma de la salida, sin el eje de las observaciones.
        dtype : str or numpy.dtype
            El tipo de la salida.

        Returns
        -------
        ndarray, shape (n, ...)
            Contiguo; ``y_true`` mismo si ya estaba listo. Es lo correcto **como se dio**, porque también lo leen las
            métricas y los pesos de las clases; lo que una pérdida le haga, como suavizarlo, lo hace en :meth:`shard`.

        Raises
        ------
        TypeError, ValueError
            Si no son números finitos o no concuerdan con la salida.
        """
        if self.alone:
            return free_targets(y_true, output_shape, dtype)
        y_true = self._fit(check.numbers_of(y_true, "y_true", "..."), tuple(output_shape))
        return check.cast(y_true, "y_true", dtype)

    def shard(self, y_true, y_pred, weight, gradient):
        r"""Suma las pérdidas de una parte del lote y escribe su gradiente. No comprueba nada.

        Parameters
        ----------
        y_true : ndarray, shape (n, ...)
            Unas filas de lo que devolvió :meth:`prepare`.
        y_pred : ndarray, shape (n, ...)
            Las predicciones.
        weight : ndarray, shape (n,)
            El peso de cada observación, ya dividido entre :meth:`divisor` del lote entero; si se promedia,
            :math:`s_i/n`. Con más ejes, uno por cada vector de la salida, dividido entre cuántos son.
        gradient : ndarray, shape (n, ...)
            Donde se escribe el gradiente de la suma.

        Returns
        -------
        float
            :math:`\sum_i (s_i/n)\,\mathcal L_i`.
        """
        function, name = getattr(self, "function", self.call), self.name or type(self).__name__
        return taped_shard(function, name, y_true, y_pred, weight, gradient)

    @property
    def alone(self):
        r"""Si tiene que ver el lote de una vez, como la que solo define ``call``, que puede mirarlo entero."""
        return type(self).shard is Loss.shard

    def divisor(self, y_true, weight, mask=None):
        r"""Dice entre qué se divide la suma de :math:`s_i\,\mathcal L_i`, donde :math:`\mathcal L_i` es la media de los
        vectores de una observación.

        >>> from chapters.mlp.losses import MeanSquaredError
        >>> import numpy as np
        >>> y_true, weight = np.zeros((4, 1)), np.array([1.0, 1.0, 1.0, 0.0])
        >>> names = ["sum_over_batch_size", "sum", "mean_with_sample_weight"]
        >>> [MeanSquaredError(name).divisor(y_true, weight) for name in names]
        [4.0, 1.0, 3.0]

        Parameters
        ----------
        y_true : ndarray, shape (n, ...)
            Lo que devolvió :meth:`prepare`, del lote entero.
        weight : ndarray, shape (n,), or None
            Los pesos :math:`s_i`, como se dieron. Con más ejes, uno por cada vector de la salida. Si hay máscara, ya
            con ceros donde no cuentan.
        mask : ndarray of bool, shape (n, t), optional
            Qué instantes cuentan.

        Returns
        -------
        float
            Mayor que 0. Si :attr:`divides_by_rows`, es la longitud de ``y_true``.
        """
        counted = self._counted(y_true)
        size = len(y_true) if weight is None else weight.size
        # A cada peso le tocan varios vectores, si la salida tiene más ejes.
        counted = counted.reshape(size, -1)
        if self.reduction == "sum" or self.reduction in UNREDUCED:
            return 1 / counted.shape[1]
        if self.reduction == "mean_with_sample_weight" and weight is not None:
            counted = counted * weight.reshape(-1, 1)
        elif mask is not None:
            wide = np.broadcast_to(aligned(mask, weight.ndim), weight.shape)
            counted = counted & wide.reshape(-1, 1)  # [ec-rnn-mascara-costo]
        # Si nada cuenta, la suma es cero, y se queda en cero.
        return float(counted.sum()) / counted.shape[1] or 1.0

    def divisor_with(self, y_true, weight, mask=None):
        r"""Da lo que :meth:`divisor`, con máscara o sin ella; la de quien lee puede no saber de máscaras."""
        if mask is None or "mask" not in inspect.signature(type(self).divisor).parameters:
            return self.divisor(y_true, weight)
        return self.divisor(y_true, weight, np.asarray(mask).astype(bool))

    @property
    def divides_by_rows(self):
        r"""Si basta con dividir entre cuántas observaciones hay, sin preguntarle a :meth:`divisor`."""
        return self.reduction in ("sum_over_batch_size", "mean") and type(self).divisor is Loss.divisor

    def _counted(self, y_true):
        # De cada vector de lo correcto, si cuenta.
        return np.ones(y_true.size // y_true.shape[-1] if y_true.ndim > 1 else y_true.size, bool)

    def _arguments(self, y_true, y_pred, sample_weight, mask=None):
        y_pred = check.floats(y_pred, "y_pred", "...")
        if y_pred.ndim == 0:
            raise ValueError("y_pred: se esperaba una predicción por observación, pero llegó un solo número")
        y_true = self.prepare(y_true, y_pred.shape[1:], y_pred.dtype)
        if len(y_true) != len(y_pred):
            raise ValueError(f"y_true: se esperaban {len(y_pred)} observaciones, pero llegaron {len(y_true)}")
        if sample_weight is None:
            sample_weight = np.ones(len(y_pred), y_pred.dtype)
        weight = _weights(sample_weight, y_pred)
        return y_true, y_pred, weight if mask is None else masked(weight, check_mask(mask, y_pred.shape), y_pred.dtype)

    def _fit(self, y_true, output_shape):
        # Un solo número por observación se puede escribir (n,) o (n, 1).
        def core(shape):
            return shape[:-1] if shape[-1:] == (1,) else shape

        if y_true.ndim == 0 or core(y_true.shape[1:]) != core(output_shape):
            expected = ", ".join(["n", *map(str, output_shape)])
            raise ValueError(f"y_true: se esperaba la forma ({expected}) de la salida, pero llegó {y_true.shape}")
        return y_true.reshape(len(y_true), *output_shape)


def plain_loss(losses, sample_weight):
    r"""El promedio de las pérdidas, cada una con su peso."""
    return (sample_weight * losses).sum() / len(losses)  # [ec-mlp-costo]


def _weights(sample_weight, y_pred):
    weight = check.cast(check.floats(sample_weight, "sample_weight", "..."), "sample_weight", y_pred.dtype)
    if weight.ndim > 1 and weight.shape[-1] == 1 and weight.shape != y_pred.shape[:-1][: weight.ndim]:
        weight = weight[..., 0]
    if weight.shape != y_pred.shape[: max(1, min(weight.ndim, y_pred.ndim - 1))]:
        expected = f"la forma {y_pred.shape[:1]}, un peso por observación"
        raise ValueError(f"sample_weight: se esperaba {expected}, pero llegó {weight.shape}")
    if weight.min() < 0:
        raise ValueError(f"sample_weight: se esperaban pesos de al menos 0, pero hay un {weight.min()}")
    return weight
