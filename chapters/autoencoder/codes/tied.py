r"""Pesos atados: el decodificador usa la traspuesta de la matriz del codificador."""

import numpy as np

from chapters.autoencoder.codes.sparsity import add_to_rows
from chapters.mlp import Layer, activations, initializers
from chapters.mlp.dense import _dense_backward_input, _dense_backward_weights, _dense_forward
from dlbook import check
from dlbook.numeric.elementwise import add, sum_rows


class TiedAutoencoder(Layer):
    r"""Capa que codifica y decodifica con una sola matriz.

    Con los **pesos atados** (*tied weights*), la fila de :math:`\mathbf W` con que una entrada escribe en el código es
    la misma con que el código escribe en ella:

    .. math::
       :label: ec-ae-atados

       \mathbf Z=\mathbf X\mathbf W+\mathbf 1\mathbf b^\top,\qquad
       \mathbf H=\varphi(\mathbf Z),\qquad
       \mathbf S=\mathbf H\mathbf W^\top+\mathbf 1\mathbf c^\top,\qquad
       \hat{\mathbf X}=\psi(\mathbf S) .

    Son :math:`dk` pesos en lugar de :math:`2dk`.

    **Derivación.** Llega la culpa de :math:`\hat{\mathbf X}`. La activación :math:`\psi` la convierte en la de
    :math:`\mathbf S`, que llamaremos :math:`\boldsymbol\Gamma`, de :math:`n\times d`. La segunda mitad es una capa
    densa de matriz :math:`\mathbf W^\top`, así que :eq:`ec-mlp-densa-entrada` y :eq:`ec-mlp-densa-sesgo` dan

    .. math::
       :label: ec-ae-atados-codigo

       \frac{\partial\mathcal L}{\partial\mathbf H}=\boldsymbol\Gamma\mathbf W,
       \qquad
       \frac{\partial\mathcal L}{\partial\mathbf c}=\boldsymbol\Gamma^\top\mathbf 1 .

    La activación :math:`\varphi` la lleva a :math:`\boldsymbol\Delta=\partial\mathcal L/\partial\mathbf Z`, de
    :math:`n\times k`, y la primera mitad es otra capa densa.

    La matriz se usó **dos veces**. Como con cualquier :term:`capa compartida`, los gradientes de sus dos usos se suman.
    Del primero, :eq:`ec-mlp-densa-pesos` da :math:`\mathbf X^\top\boldsymbol\Delta`. Del segundo, da el gradiente de
    :math:`\mathbf W^\top`, que es :math:`\mathbf H^\top\boldsymbol\Gamma`; traspuesto,
    :math:`\boldsymbol\Gamma^\top\mathbf H`:

    .. math::
       :label: ec-ae-atados-pesos

       \frac{\partial\mathcal L}{\partial\mathbf W}
       =\underbrace{\mathbf X^\top\boldsymbol\Delta}_{\text{al codificar}}
       +\underbrace{\boldsymbol\Gamma^\top\mathbf H}_{\text{al decodificar}},
       \qquad
       \frac{\partial\mathcal L}{\partial\mathbf b}=\boldsymbol\Delta^\top\mathbf 1,
       \qquad
       \frac{\partial\mathcal L}{\partial\mathbf X}=\boldsymbol\Delta\mathbf W^\top .

    **A mano.** Dos entradas, un código y todo lineal, con :math:`\mathbf w=(1, 2)` y sin sesgos. De :math:`(3, 1)` sale
    el código :math:`3+2=5`, y la reconstrucción :math:`(5, 10)`:

    >>> layer = TiedAutoencoder(1, dtype="float64")
    >>> layer.build((2,))
    >>> layer.set_weights([[[1], [2]], [0], [0, 0]])
    >>> layer.encode([[3, 1]]), layer.forward([[3, 1]])
    (array([[5.]]), array([[ 5., 10.]]))

    Si solo la primera salida tiene culpa, :math:`\boldsymbol\Gamma=(1, 0)` y :math:`\Delta=1\cdot1=1`. Al codificar,
    los pesos reciben :math:`(3, 1)\cdot1`; al decodificar, :math:`(1, 0)\cdot5`. En total, :math:`(8, 1)`:

    >>> layer.backward([[1, 0]])
    array([[1., 2.]])
    >>> layer.gradients[0].ravel()
    array([8., 1.])

    Parameters
    ----------
    units : int
        Cuántos números tiene el código, :math:`k`.
    activation : str or ActivationFunction, optional
        La del código, :math:`\varphi`; sin ella, es lineal.
    output_activation : str or ActivationFunction, optional
        La de la salida, :math:`\psi`.
    kernel_initializer, bias_initializer : str or Initializer
        Con qué valores empiezan los pesos y los dos sesgos.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`chapters.mlp.Layer`.

    Attributes
    ----------
    kernel : ndarray, shape (d, k)
        La matriz :math:`\mathbf W`.
    bias : ndarray, shape (k,)
        Los sesgos del código, :math:`\mathbf b`.
    output_bias : ndarray, shape (d,)
        Los de la salida, :math:`\mathbf c`.

    Raises
    ------
    TypeError, ValueError
        Si un argumento no es del tipo o del conjunto que se espera, o si cada observación no es un vector.

        >>> TiedAutoencoder(2).forward(np.zeros((5, 4, 3)))
        Traceback (most recent call last):
            ...
        ValueError: x: se esperaba la forma (n, d), un vector por observación, pero llegó (n, 4, 3)
    """

    def __init__(
        self,
        units,
        activation=None,
        output_activation=None,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        **options,
    ):
        super().__init__(**options)
        self.units = check.integer(units, "units", 1)
        self.activation = activations.get(activation)
        self.output_activation = activations.get(output_activation)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel = self.bias = self.output_bias = None

    def build(self, input_shape):
        r"""Crea la matriz y los dos sesgos."""
        (d,) = self.compute_output_shape(input_shape)
        super().build(input_shape)
        self.kernel = self.add_weight((d, self.units), self.kernel_initializer)
        self.bias = self.add_weight((self.units,), self.bias_initializer)
        self.output_bias = self.add_weight((d,), self.bias_initializer)

    def compute_output_shape(self, input_shape):
        r"""Devuelve la forma de la entrada, que es la de la salida."""
        shape = check.shape(input_shape, "input_shape", unknown=True)
        if len(shape) != 1 or shape[0] is None:
            text = ", ".join(["n", *("?" if size is None else str(size) for size in shape)])
            raise ValueError(f"x: se esperaba la forma (n, d), un vector por observación, pero llegó ({text})")
        return shape

    def encode(self, x):
        r"""Da el código de cada observación.

        Parameters
        ----------
        x : array_like, shape (n, d)
            Las observaciones.

        Returns
        -------
        ndarray, shape (n, k)
        """
        x = self.ready(x)
        z = self.buffer("z", (len(x), self.units))
        _dense_forward(x, self.kernel, self.bias, z)
        return self._activated("h", self.activation, z)

    def forward(self, x, training=False):
        r"""Codifica y decodifica."""
        self.x = x = self.ready(x)
        self.z, self.s = self.buffer("z", (len(x), self.units)), self.buffer("s", x.shape)
        _dense_forward(x, self.kernel, self.bias, self.z)  # [ec-ae-atados]
        self.h = self._activated("h", self.activation, self.z)  # [ec-ae-atados]
        # Por la traspuesta: lo mismo que el gradiente de la entrada de una capa densa.
        _dense_backward_input(self.h, self.kernel, self.s)  # [ec-ae-atados]
        add_to_rows(self.s, self.output_bias, self.s)
        self.y = self._activated("y", self.output_activation, self.s)  # [ec-ae-atados]
        return self.y

    def backward(self, dy):
        r"""Llena los gradientes de la matriz y los dos sesgos y devuelve el de la entrada."""
        dy = self.output_gradient(dy)
        ds = self._before("ds", self.output_activation, self.s, self.y, dy)
        dh = self.buffer("dh", self.h.shape)
        _dense_forward(ds, self.kernel, self.bias[:0], dh)  # [ec-ae-atados-codigo]
        dz = self._before("dz", self.activation, self.z, self.h, dh)
        if self.trainable:
            dkernel, dbias, doutput_bias = self.gradients
            second = self.buffer("second", dkernel.shape)
            _dense_backward_weights(self.x, dz, dkernel, dbias)  # [ec-ae-atados-pesos]
            _dense_backward_weights(ds, self.h, second, self.bias[:0])
            add(dkernel, second, dkernel)  # [ec-ae-atados-pesos]
            sum_rows(ds, doutput_bias)  # [ec-ae-atados-codigo]
        if not self.input_gradient:
            return None
        dx = self.buffer("dx", self.x.shape)
        _dense_backward_input(dz, self.kernel, dx)  # [ec-ae-atados-pesos]
        return dx

    def work(self):
        r"""Cuenta dos productos por peso."""
        return 2 * self.units * self.input_shape[0]

    def _activated(self, name, activation, z):
        if activation is None:
            return z
        y = self.buffer(name, z.shape)
        activation.forward(z, y)
        return y

    def _before(self, name, activation, z, y, dy):
        # El gradiente de lo que entró a una activación.
        if activation is None:
            return dy
        dz = self.buffer(name, dy.shape)
        activation.backward(z, y, dy, dz)
        return dz


def plain_tied_autoencoder(x, w, b, c, dy):
    r"""La ida y la vuelta, con tanh en el código y salida lineal."""
    h = np.tanh(x @ w + b)  # [ec-ae-atados]
    y = h @ w.T + c  # [ec-ae-atados]
    dc = dy.sum(axis=0)  # [ec-ae-atados-codigo]
    dz = (dy @ w) * (1 - h**2)  # [ec-ae-atados-codigo]
    dw = x.T @ dz + dy.T @ h  # [ec-ae-atados-pesos]
    db = dz.sum(axis=0)  # [ec-ae-atados-pesos]
    dx = dz @ w.T  # [ec-ae-atados-pesos]
    return y, dw, db, dc, dx
