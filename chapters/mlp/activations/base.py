r"""Lo que toda función de activación sabe hacer."""

import inspect

import numpy as np

from chapters.mlp.tape.through import is_taped, through_activation
from dlbook import check, registry
from dlbook.attributes import Configured


@registry.register("activation")
class ActivationFunction(Configured):
    r"""Una función de activación (*activation function*): su valor y su derivada.

    Una capa multiplica por sus pesos y suma, y con eso solo puede hacer rectas y planos. La función de activación
    :math:`\varphi` dobla el resultado. Se aplica a cada preactivación por separado:

    .. math::
       :label: ed-mlp-activacion

       y_i = \varphi(z_i) .

    **Hacia atrás.** Sea :math:`\mathcal L` la pérdida, el número que dice cuánto se equivoca la red, y *error* de
    :math:`y_i`, cuánto cambia si se mueve :math:`y_i`. Mover :math:`z_i` solo mueve a :math:`y_i`. En la regla de la
    cadena queda entonces un único sumando, y el error que llega de adelante se multiplica por la pendiente:

    .. math::
       :label: ed-mlp-activacion-atras

       \frac{\partial\mathcal L}{\partial z_i} = \frac{\partial\mathcal L}{\partial y_i}\,\varphi'(z_i) .

    Esa pendiente decide cuánto del error pasa a la capa anterior. Donde :math:`\varphi'` es casi cero decimos que la
    función *se satura* (*saturates*): el error se queda ahí, y los pesos de atrás dejan de aprender. Por eso cada
    función de este catálogo trae su derivada y dice dónde se satura.

    Cada activación es un objeto que se usa como una función, y su método :meth:`derivative` da la pendiente:

    >>> from chapters.mlp.activations import tanh
    >>> z = np.array([-3.0, 0.5, 3.0])
    >>> tanh(z).round(4)
    array([-0.9951,  0.4621,  0.9951])
    >>> tanh.derivative(z).round(4)
    array([0.0099, 0.7864, 0.0099])

    Cada clase tiene además un ejemplar ya hecho, con el nombre de Keras: ``tanh`` es ``Tanh()``. Si le das más
    argumentos, son los de su clase:

    >>> from chapters.mlp.activations import relu
    >>> relu([-2.0, 3.0, 8.0], max_value=6)
    array([0., 3., 6.])

    Attributes
    ----------
    name : str
        El nombre con que la conoce Keras.
    """

    name = None
    # Como una función: así la rotula quien dibuja varias.
    __name__ = property(lambda self: self.name)

    def __call__(self, z, *arguments, **options):
        r"""Da el valor en cada punto; con más argumentos, el de otra de su clase que los tenga."""
        if arguments or options:
            return type(self)(*arguments, **options)(z)
        if is_taped(z):
            return through_activation(self, z)
        z = check.floats(z, "z", "...")
        y = np.empty_like(z)
        self.forward(z, y)
        return y[()]

    def derivative(self, z):
        r"""Da la pendiente en cada punto.

        Parameters
        ----------
        z : array_like, shape (...)
            Preactivaciones.

        Returns
        -------
        float or ndarray, shape (...)
            :math:`\varphi'(z)`, del mismo tipo real que ``z``. En un pico, la pendiente que usa Keras.

        Raises
        ------
        TypeError
            Si no son números reales.
        ValueError
            Si está vacío o hay NaN o infinitos.
        """
        z = check.floats(z, "z", "...")
        y, slope = np.empty_like(z), np.empty_like(z)
        self.forward(z, y)
        self.backward(z, y, np.ones_like(z), slope)
        return slope[()]

    def forward(self, z, y):
        r"""Escribe en ``y`` el valor en ``z``. No comprueba nada: para las capas, que ya comprobaron.

        Parameters
        ----------
        z, y : ndarray, shape (...)
            Contiguos, de la misma forma y del mismo tipo.
        """
        raise NotImplementedError

    def backward(self, z, y, dy, dz):
        r"""Escribe en ``dz`` el gradiente de la entrada a partir del de la salida. Tampoco comprueba nada.

        Parameters
        ----------
        z, y : ndarray, shape (...)
            La entrada y la salida del último :meth:`forward`.
        dy, dz : ndarray, shape (...)
            :math:`\partial\mathcal L/\partial\mathbf y`, que llega, y :math:`\partial\mathcal L/\partial\mathbf z`,
            que se escribe.
        """
        raise NotImplementedError

    def __repr__(self):
        r"""Escribe la llamada que la crea."""
        usual = inspect.signature(type(self)).parameters
        own = [(name, value) for name, value in vars(self).items() if name in usual and value != usual[name].default]
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in own)})"
