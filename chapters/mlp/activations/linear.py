r"""La activación que no hace nada."""

from chapters.mlp.activations.base import ActivationFunction


class Linear(ActivationFunction):
    r"""Identidad (*linear*): la salida es la preactivación.

    .. math::
       :label: ec-mlp-identidad

       \varphi(z) = z,
       \qquad
       \varphi'(z) = 1 .

    No dobla nada, así que en una capa oculta no sirve: dos capas lineales seguidas son una sola. Su sitio es la última
    capa de una regresión. Un salario, una temperatura o un precio pueden valer cualquier número, y la salida tiene que
    poder darlos todos. Como su pendiente vale 1 en todas partes, nunca se satura. :item:`MLP-12`

    **A mano.**

    >>> from chapters.mlp.activations import linear
    >>> linear([-2.0, 0.0, 3.5])
    array([-2. ,  0. ,  3.5])
    >>> linear.derivative([-2.0, 0.0, 3.5])
    array([1., 1., 1.])
    """

    name = "linear"

    def forward(self, z, y):
        r"""Copia ``z`` en ``y``."""
        y[...] = z  # [ec-mlp-identidad]

    def backward(self, z, y, dy, dz):
        r"""Copia ``dy`` en ``dz``: la pendiente es 1."""
        dz[...] = dy


linear = Linear()
