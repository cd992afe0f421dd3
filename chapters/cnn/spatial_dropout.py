r"""*Dropout* de mapas enteros: apagar un píxel quita poco, si su vecino dice casi lo mismo."""

from chapters.cnn.arguments import channels_last
from chapters.cnn.spatial import Spatial
from chapters.mlp.dropout import Dropout


class SpatialDropout2D(Spatial, Dropout):
    r"""*Dropout* que apaga canales completos (*spatial dropout*), con los argumentos de Keras.

    En un mapa, los píxeles vecinos se parecen. Si :class:`~chapters.mlp.dropout.Dropout` apaga uno, la capa siguiente
    lo lee en el de al lado, y apagarlo quita poco. Aquí hay **una** moneda por canal de cada imagen, :math:`m_c`, que
    vale 0 con probabilidad :math:`p` y 1 si no:

    .. math::
       :label: ed-cnn-dropout-espacial

       \begin{aligned}
       y_{uvc} &= \frac{m_c}{1-p}\,x_{uvc} , \\
       \frac{\partial\mathcal L}{\partial x_{uvc}} &= \frac{m_c}{1-p}\,\frac{\partial\mathcal L}{\partial y_{uvc}} .
       \end{aligned}

    **A mano.** Tres canales de :math:`1\times2`; el que sobrevive, entero, se duplica:

    >>> import numpy as np
    >>> layer = SpatialDropout2D(0.5, seed=2, dtype="float64")
    >>> layer.forward(np.ones((1, 1, 2, 3)), training=True)[0, 0]
    array([[0., 0., 2.],
           [0., 0., 2.]])
    >>> layer.backward(np.ones((1, 1, 2, 3)))[0, 0]
    array([[0., 0., 2.],
           [0., 0., 2.]])

    Parameters
    ----------
    rate : float
        La fracción :math:`p` de canales que se apaga, de 0 a 1.
    data_format : {"channels_last"}, optional
        Dónde van los canales; aquí, siempre al final.
    seed : int or numpy.random.Generator, optional
        Origen de su azar. Sin ella, el modelo que la contiene le da una a partir de la suya.
    **options
        ``dtype``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.

    Raises
    ------
    TypeError, ValueError
        Si ``rate`` no es un número de 0 a 1, o si lo que llega no son imágenes.
    """

    def __init__(self, rate, data_format=None, seed=None, **options):
        super().__init__(rate, seed=seed, **options)
        self.data_format = channels_last(data_format)

    def compute_output_shape(self, input_shape):
        r"""Devuelve la forma de la entrada."""
        sizes, channels = self.sizes(input_shape)
        return (*sizes, channels)

    def coins(self, shape):
        r"""Da una moneda por observación y canal."""
        return (shape[0], *(1,) * self.rank, shape[-1])


class SpatialDropout1D(SpatialDropout2D):
    r"""*Dropout* que apaga canales completos de una serie, con los argumentos de Keras.

    Es :eq:`ed-cnn-dropout-espacial` a lo largo del tiempo:

    >>> import numpy as np
    >>> layer = SpatialDropout1D(0.5, seed=2)
    >>> layer.forward(np.ones((1, 2, 3)), training=True)[0]
    array([[2., 0., 0.],
           [2., 0., 0.]], dtype=float32)

    Parameters
    ----------
    rate, seed
        Como en :class:`~chapters.cnn.SpatialDropout2D`.
    **options
        ``dtype``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.
    """

    rank = 1

    def __init__(self, rate, seed=None, **options):
        super().__init__(rate, seed=seed, **options)
