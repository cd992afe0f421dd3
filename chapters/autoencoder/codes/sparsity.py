r"""Pocas neuronas a la vez: cobrar a las que se encienden más de lo convenido."""

import numpy as np

from chapters.mlp import Layer
from dlbook import check
from dlbook.numeric.kernel import kernel

# Una media más cerca del 0 o del 1 que esto se toma como esto: su logaritmo ya no diría nada.
SMALLEST = 1e-6


def _divergence(rho, mean):
    inside = (mean > SMALLEST) & (mean < 1 - SMALLEST)
    mean = np.clip(mean, SMALLEST, 1 - SMALLEST)
    on = rho * np.log(rho / mean)
    off = (1 - rho) * np.log((1 - rho) / (1 - mean))
    slope = inside * ((mean - rho) / (mean * (1 - mean)))  # [ec-ae-kl-pendiente]
    return (on + off).sum(), slope  # [ec-ae-escasez]


@kernel
def add_to_rows(x, row, y):
    r"""Escribe en ``y`` la suma de cada fila de ``x`` y otra."""
    for i in range(y.shape[0]):
        for j in range(row.size):
            y[i, j] = x[i, j] + row[j]


def kl_sparsity(codes, rho):
    r"""Cobra a cada neurona por no encenderse, en promedio, lo convenido.

    Se quiere que cada neurona del código responda a pocas observaciones. Con una activación entre 0 y 1, su **actividad
    media** en el lote es

    .. math::
       :label: ec-ae-kl-media

       \hat\rho_j=\frac1n\sum_{i=1}^{n}h_{ij},

    y se quiere cerca de un número pequeño, :math:`\rho`, como 0.05. ¿Cómo se mide la distancia entre dos números
    que son fracciones? Mirándolos como monedas: una que cae cara con probabilidad :math:`\rho` y otra con
    :math:`\hat\rho_j`.

    **Derivación.** Si la moneda verdadera es la de :math:`\rho`, la sorpresa media de quien lo sabe es la entropía,
    :math:`-\rho\ln\rho-(1-\rho)\ln(1-\rho)`. La de quien cree que es :math:`\hat\rho_j` es la entropía cruzada,
    :math:`-\rho\ln\hat\rho_j-(1-\rho)\ln(1-\hat\rho_j)`. Lo que se sorprende de más, por estar equivocado, es la
    resta: la **divergencia de Kullback y Leibler** (*Kullback–Leibler divergence*, KL). Se suma sobre las neuronas
    :cite:p:`ng2011`:

    .. math::
       :label: ec-ae-escasez

       \Omega=\sum_{j=1}^{k}\Bigl[\rho\ln\frac{\rho}{\hat\rho_j}+(1-\rho)\ln\frac{1-\rho}{1-\hat\rho_j}\Bigr] .

    Vale 0 solo si :math:`\hat\rho_j=\rho` en todas. Para verlo, derivemos un sumando respecto a :math:`\hat\rho_j`. Del
    primer logaritmo queda :math:`-\rho/\hat\rho_j`; del segundo, que lleva un menos dentro,
    :math:`(1-\rho)/(1-\hat\rho_j)`. Con denominador común,

    .. math::
       :label: ec-ae-kl-pendiente

       \frac{\partial\Omega}{\partial\hat\rho_j}
       =\frac{1-\rho}{1-\hat\rho_j}-\frac{\rho}{\hat\rho_j}
       =\frac{\hat\rho_j-\rho}{\hat\rho_j(1-\hat\rho_j)} :

    negativa a la izquierda de :math:`\rho` y positiva a la derecha, así que ahí está el único mínimo. Cerca de 0 y de 1
    crece sin tope: una neurona que no se enciende nunca también paga.

    De cada :math:`h_{ij}` la media toma :math:`1/n`. Por la regla de la cadena,

    .. math::
       :label: ec-ae-escasez-gradiente

       \frac{\partial\Omega}{\partial h_{ij}}
       =\frac1n\,\frac{\hat\rho_j-\rho}{\hat\rho_j(1-\hat\rho_j)},

    que es **el mismo para todo el lote**: a nadie se le pide apagarse en una observación en particular, sino en
    promedio.

    **A mano.** Dos observaciones y una neurona que da 0.3 y 0.7: :math:`\hat\rho=0.5`. Con :math:`\rho=0.2`,
    :math:`\Omega=0.2\ln0.4+0.8\ln1.6\approx0.193`, y el gradiente de cada una es
    :math:`\tfrac12\cdot0.3/0.25=0.6`:

    >>> value, gradient = kl_sparsity([[0.3], [0.7]], 0.2)
    >>> round(value, 3), gradient.round(3)
    (0.193, array([[0.6],
           [0.6]]))

    Parameters
    ----------
    codes : array_like, shape (n, k)
        Lo que da cada neurona con cada observación, entre 0 y 1.
    rho : float
        La actividad que se quiere, entre 0 y 1.

    Returns
    -------
    penalty : float
        Lo que se cobra, cero o más, en nats.
    gradient : ndarray, shape (n, k)
        Su gradiente.

    Raises
    ------
    TypeError, ValueError
        Si no son números reales, o si no están entre 0 y 1.

        >>> kl_sparsity([[0.5], [2.0]], 0.2)
        Traceback (most recent call last):
            ...
        ValueError: codes: se esperaban números entre 0 y 1, pero hay un 2.0
    """
    codes = check.floats(codes, "codes", "n k").astype(np.float64)
    rho = check.number(rho, "rho", 0, 1, open_low=True, open_high=True)
    wrong = codes[(codes < 0) | (codes > 1)]
    if wrong.size:
        asked = "codes: se esperaban números entre 0 y 1"
        raise ValueError(f"{asked}, pero hay un {wrong[0]}")
    value, slope = _divergence(rho, codes.mean(axis=0))  # [ec-ae-kl-media]
    gradient = np.tile(slope / len(codes), (len(codes), 1))  # [ec-ae-escasez-gradiente]
    return float(value), gradient


class KLSparsity(Layer):
    r"""Capa que deja pasar todo y suma a la pérdida :math:`\beta\,\Omega`, la de :func:`kl_sparsity`.

    Va después de la que escribe el código, que debe dar números entre 0 y 1, como la sigmoide. Hacia delante no cambia
    nada; hacia atrás, al gradiente que llega le suma :math:`\beta` veces :eq:`ec-ae-escasez-gradiente`:

    .. math::
       :label: ed-ae-kl-capa

       \frac{\partial J}{\partial h_{ij}}
       =\frac{\partial\mathcal L}{\partial h_{ij}}
       +\frac\beta n\,\frac{\hat\rho_j-\rho}{\hat\rho_j(1-\hat\rho_j)} .

    La media es la del **lote entero**. Si cada hilo usara la de su parte, la penalización dependería de cuántos hilos
    hay: la media de las KL no es la KL de la media. Las réplicas juntan sus sumas con
    :meth:`~chapters.mlp.Layer.share`. Solo cobra al entrenar; al evaluar, la pérdida es la de reconstrucción, y no
    depende de en qué lotes se evalúe.

    **A mano.** Los mismos números de arriba, sin más pérdida que ella y con :math:`\beta=10`:

    >>> layer = KLSparsity(0.2, weight=10, dtype="float64")
    >>> layer.forward([[0.3], [0.7]], training=True)
    array([[0.3],
           [0.7]])
    >>> layer.backward([[0], [0]]).round(3)
    array([[6.],
           [6.]])

    Parameters
    ----------
    rho : float
        La actividad media que se quiere, entre 0 y 1.
    weight : float
        Cuánto pesa, :math:`\beta`; cero o más.
    **options
        ``dtype``, ``name`` y ``trainable``, como en :class:`chapters.mlp.Layer`. Congelada, no cobra.

    Raises
    ------
    TypeError, ValueError
        Si ``rho`` no está entre 0 y 1, o si ``weight`` es negativo.

        >>> KLSparsity(0)
        Traceback (most recent call last):
            ...
        ValueError: rho: se esperaba un número mayor que 0 y menor que 1, pero llegó 0
    """

    any_size = True
    whole_batch = True

    def __init__(self, rho=0.05, weight=1.0, **options):
        super().__init__(**options)
        self.rho = check.number(rho, "rho", 0, 1, open_low=True, open_high=True)
        self.weight = check.number(weight, "weight", 0)
        self.slope = None

    def forward(self, x, training=False):
        r"""Deja pasar la entrada y, si se entrena, cobra."""
        self.x = self.y = x = self.ready(x)
        self.slope = None
        if training and self.trainable:
            rows = x.reshape(-1, x.shape[-1])
            parts = self.share(np.array([len(rows), *rows.sum(axis=0, dtype=np.float64)]))
            count, *sums = parts.sum(axis=0)
            value, slope = _divergence(self.rho, np.array(sums) / count)
            self.add_loss(self.weight * value)
            self.slope = self.buffer("slope", x.shape[-1:])
            self.slope[:] = self.weight * slope / count
        return self.y

    def backward(self, dy):
        r"""Devuelve el gradiente que llega, más el de lo que se cobró."""
        dy = self.output_gradient(dy)
        if self.slope is None:
            return dy
        dx = self.buffer("dx", dy.shape)
        add_to_rows(dy.reshape(-1, self.slope.size), self.slope, dx.reshape(-1, self.slope.size))
        return dx
