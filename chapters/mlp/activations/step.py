r"""El escalón del capítulo anterior, visto como activación."""

import numpy as np

from chapters.mlp.activations.base import ActivationFunction
from dlbook.numeric.kernel import kernel


class Step(ActivationFunction):
    r"""Escalón (*step*): la activación que no se puede entrenar con gradientes.

    Es el :math:`H` de la unidad con umbral:

    .. math::
       :label: ec-mlp-escalon

       \begin{gathered}
       H(z) = \begin{cases} 0 & \text{si } z < 0,\\ 1 & \text{si } z \geq 0, \end{cases}
       \\
       H'(z) = 0 \quad\text{si } z\neq 0 .
       \end{gathered}

    Es plano a los dos lados. Si mueves muy poco un peso, la respuesta no cambia, salvo en el salto, y el
    gradiente no sabe hacia dónde empujar: vale cero. En el salto ni siquiera hay derivada; aquí, por convenio, también
    damos 0. Se satura en todas partes. La regla de Rosenblatt esquiva el problema porque no deriva nada, pero solo
    sirve para una capa. Para entrenar varias hace falta suavizar el escalón, y de ahí nace la sigmoide.

    **A mano.**

    >>> from chapters.mlp.activations import step
    >>> step([-0.5, 0.0, 2.0])
    array([0., 1., 1.])
    >>> step.derivative([-0.5, 0.0, 2.0])
    array([0., 0., 0.])
    """

    name = "step"

    def forward(self, z, y):
        r"""Escribe en ``y`` el escalón de ``z``."""
        _step(z.reshape(-1), y.reshape(-1))

    def backward(self, z, y, dy, dz):
        r"""Escribe ceros en ``dz``."""
        dz[...] = 0


def plain_step(z, dy):
    r"""El escalón y su pendiente, que es cero."""
    y = np.where(z >= 0, 1.0, 0.0)  # [ec-mlp-escalon]
    return y, np.zeros_like(dy)  # [ec-mlp-escalon]


@kernel
def _step(z, y):
    for i in range(z.size):
        y[i] = 1 if z[i] >= 0 else 0  # [ec-mlp-escalon]


step = Step()
