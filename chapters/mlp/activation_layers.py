r"""Las activaciones que en Keras son además una capa, con los argumentos que ahí tiene la capa.

Se llaman igual que las de :mod:`chapters.mlp.activations` y hacen lo mismo; cambian el orden de los argumentos y, en
la fuga, el valor de siempre.
"""

from chapters.mlp import activations
from chapters.mlp.activation import AppliedActivation
from dlbook import check


class ReLU(AppliedActivation):
    r"""La ReLU como capa, con sus tres perillas en el orden de Keras: techo, fuga y umbral.

    >>> ReLU(max_value=6, dtype="float64").forward([[-1.0, 3.0, 8.0]])
    array([[0., 3., 6.]])

    Parameters
    ----------
    max_value : float, optional
        El techo :math:`M` de :eq:`ec-mlp-relu-general`, cero o más.
    negative_slope : float
        La fuga :math:`\alpha`, cero o más.
    threshold : float
        Dónde se enciende, :math:`\theta`, cero o más.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.
    """

    def __init__(
        self,
        max_value=None,
        negative_slope=0.0,
        threshold=0.0,
        **options,
    ):
        super().__init__(**options)
        if max_value is not None:
            max_value = check.number(max_value, "max_value", 0)
        self.max_value = max_value
        slope = check.number(negative_slope, "negative_slope", 0)
        self.negative_slope = slope
        self.threshold = check.number(threshold, "threshold", 0)

    def applied(self):
        r"""Da la activación."""
        knobs = self.negative_slope, self.max_value, self.threshold
        return activations.ReLU(*knobs)


class LeakyReLU(AppliedActivation):
    r"""La ReLU con fuga como capa. Ojo: en Keras la fuga de la función es 0.2 y la de la capa, 0.3.

    >>> LeakyReLU(dtype="float64").forward([[-2.0, 3.0]])
    array([[-0.6,  3. ]])

    Parameters
    ----------
    negative_slope : float
        La fuga :math:`\alpha` de :eq:`ec-mlp-relu-fuga`, cero o más. También se admite con el nombre que tenía en Keras
        2, ``alpha``.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.
    """

    def __init__(self, negative_slope=0.3, **options):
        slope = options.pop("alpha", negative_slope)
        super().__init__(**options)
        self.negative_slope = check.number(slope, "negative_slope", 0)

    def applied(self):
        r"""Da la activación."""
        return activations.LeakyReLU(self.negative_slope)


class ELU(AppliedActivation):
    r"""La ELU como capa.

    >>> ELU(alpha=0.5, dtype="float64").forward([[-1e4, 2.0]])
    array([[-0.5,  2. ]])

    Parameters
    ----------
    alpha : float
        Hasta dónde baja, :math:`\alpha` en :eq:`ec-mlp-elu`, cero o más.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.
    """

    def __init__(self, alpha=1.0, **options):
        super().__init__(**options)
        self.alpha = check.number(alpha, "alpha", 0)

    def applied(self):
        r"""Da la activación."""
        return activations.ELU(self.alpha)


class Softmax(AppliedActivation):
    r"""El *softmax* como capa, sobre el eje que se quiera.

    >>> Softmax(axis=1, dtype="float64").forward([[[1.0, 5.0], [1.0, 5.0]]])
    array([[[0.5, 0.5],
            [0.5, 0.5]]])

    Parameters
    ----------
    axis : int
        El eje de las clases, contando el de las observaciones, que es el 0 y no puede ser.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.

    Raises
    ------
    TypeError, ValueError
        Si no es un entero o no hay tal eje en cada observación.

        >>> Softmax(axis=2).build((3,))
        Traceback (most recent call last):
            ...
        ValueError: axis: se esperaba un entero entre -2 y 1, pero llegó 2
    """

    def __init__(self, axis=-1, **options):
        super().__init__(**options)
        self.axis = check.integer(axis, "axis", -64, 63)

    def build(self, input_shape):
        r"""Comprueba que haya tal eje."""
        self.compute_output_shape(input_shape)
        super().build(input_shape)

    def compute_output_shape(self, input_shape):
        r"""Devuelve la misma forma de la entrada."""
        shape = super().compute_output_shape(input_shape)
        self.applied().inner_axis(1 + len(shape))
        return shape

    def applied(self):
        r"""Da la activación."""
        return activations.Softmax(self.axis)
