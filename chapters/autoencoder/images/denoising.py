r"""Pares de imagen estropeada e imagen limpia, con ruido nuevo en cada época."""

import numpy as np

from dlbook import check
from dlbook.data import PyDataset


class NoisyPairs(PyDataset):
    r"""Lotes para aprender a quitar ruido: entra la imagen estropeada, y lo que debe salir es la limpia.

    Con los pares :math:`(\tilde{\mathbf x},\mathbf x)`, la pérdida de un autocodificador que quita ruido (*denoising
    autoencoder*, DAE) es la de siempre, con otra entrada :cite:p:`vincent2008`:

    .. math::
       :label: ed-ae-dae

       J(\boldsymbol\theta)=\frac1n\sum_{i=1}^n
       \mathcal L\bigl(\mathbf x^{(i)},\,f_{\boldsymbol\theta}(\tilde{\mathbf x}^{(i)})\bigr) .

    Copiar la entrada ya no sirve: la salida buscada no está en ella. Y cada vez que se pide un lote, el ruido se sortea
    **otra vez**, de modo que la red no ve dos veces la misma imagen estropeada y no puede aprendérsela.

    **A mano.** Tres imágenes de dos píxeles, en lotes de a dos; el ruido de aquí suma uno:

    >>> x = np.arange(6.0).reshape(3, 2)
    >>> def one_more(clean, generator):
    ...     return clean + 1
    >>> pairs = NoisyPairs(x, one_more, batch_size=2, shuffle=False)
    >>> len(pairs)
    2
    >>> noisy, clean = pairs[1]
    >>> noisy, clean
    (array([[5., 6.]]), array([[4., 5.]]))

    Parameters
    ----------
    x : array_like, shape (n, ...)
        Las imágenes limpias.
    corrupt : callable
        ``corrupt(limpias, generador)`` devuelve las mismas, estropeadas, con la misma forma; por ejemplo,
        ``lambda x, g: masking_noise(x, 0.3, g)``.
    batch_size : int
        Cuántas en cada lote.
    shuffle : bool
        Si se barajan al terminar cada época.
    seed : int or numpy.random.Generator, optional
        De dónde sale el azar.

    Raises
    ------
    TypeError, ValueError
        Si no son números reales y finitos, o si lo que devuelve ``corrupt`` tiene otra forma.
    """

    def __init__(self, x, corrupt, batch_size=32, shuffle=True, seed=None):
        super().__init__()
        self.x = check.floats(x, "x")
        if self.x.ndim < 2 or self.x.size == 0:
            raise ValueError(f"x: se esperaba al menos (n, d), pero llegó {self.x.shape}")
        self.corrupt = check.function(corrupt, "corrupt", 2)
        self.batch_size = check.integer(batch_size, "batch_size", 1)
        self.shuffle = check.boolean(shuffle, "shuffle")
        self.generator = check.generator(seed)
        self.order = np.arange(len(self.x))
        self.on_epoch_end()

    def __len__(self):
        r"""Dice cuántos lotes hay; el último puede ser más pequeño."""
        return -(-len(self.x) // self.batch_size)

    def __getitem__(self, k):
        r"""Da el lote ``k``: las estropeadas, con ruido recién sorteado, y las limpias."""
        k = check.integer(k, "k", 0, len(self) - 1)
        clean = self.x[self.order[k * self.batch_size : (k + 1) * self.batch_size]]
        noisy = check.floats(self.corrupt(clean.copy(), self.generator), "corrupt")
        if noisy.shape != clean.shape:
            raise ValueError(f"corrupt: se esperaba la forma {clean.shape}, pero llegó {noisy.shape}")
        return noisy, clean

    def on_epoch_end(self):
        r"""Baraja las imágenes."""
        if self.shuffle:
            self.generator.shuffle(self.order)
