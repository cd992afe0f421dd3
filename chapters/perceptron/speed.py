r"""La escalera de velocidad: el mismo entrenamiento en Python puro, NumPy, numba y varios núcleos."""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from chapters.perceptron.rosenblatt import MAX_EPOCHS, _check_overflow, _perceptron_epoch
from dlbook import check
from dlbook.numeric.kernel import kernel


def _python(x, targets, epochs):
    rows = x.tolist()
    weights, biases = [], []
    for target in targets.tolist():
        w, b = [0.0] * len(rows[0]), 0.0
        for _ in range(epochs):
            for row, t in zip(rows, target, strict=True):
                z = 0.0
                for w_j, x_j in zip(w, row, strict=True):
                    z += w_j * x_j
                error = t - (z + b >= 0)
                if error:
                    pairs = zip(w, row, strict=True)
                    w = [w_j + error * x_j for w_j, x_j in pairs]
                    b += error
        weights.append(w)
        biases.append(b)
    return np.array(weights), np.array(biases)


def _numpy(x, targets, epochs):
    w, b = np.zeros((len(targets), x.shape[1])), np.zeros(len(targets))
    # Los ejemplos, uno tras otro; las clases, todas a la vez.
    for _ in range(epochs):
        for i in range(len(x)):
            error = targets[:, i] - (w @ x[i] + b >= 0)
            if error.any():
                w += np.outer(error, x[i])
                b += error
    return w, b


def _numba(x, targets, epochs, each=map):
    w = np.zeros((len(targets), x.shape[1]))

    def train(k):
        # Cada clase escribe solo en su fila de w.
        return _epochs(x, targets[k], w[k], epochs)

    return w, np.array(list(each(train, range(len(targets)))))


@kernel
def _epochs(x, y, w, epochs):
    order = np.arange(len(x))
    b = 0.0
    for _ in range(epochs):
        b, _ = _perceptron_epoch(x, y, order, w, b, 1.0)
    return b


def _threads(x, targets, epochs):
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return _numba(x, targets, epochs, pool.map)


RUNGS = {
    "python": _python,
    "numpy": _numpy,
    "numba": _numba,
    "threads": _threads,
}


def one_vs_rest(x, y, classes, epochs=10, rung="threads"):
    r"""Entrena un perceptrón por clase, uno contra todos, por el peldaño de la escalera que elijas.

    Un perceptrón solo separa dos clases. Para separar :math:`K`, se entrenan :math:`K`: el de la clase :math:`k`
    aprende a disparar con los suyos y a callar con todos los demás (*one versus rest*). Sus respuestas correctas son

    .. math::
       :label: ec-per-uno-contra-todos

       y_k^{(i)}=\begin{cases}1 & \text{si } y^{(i)}=k,\\ 0 & \text{si no,}\end{cases}
       \qquad k=0,\dots,K-1,

    y para clasificar gana la suma ponderada mayor, :math:`\arg\max_k\left(\mathbf w_k^\top\mathbf x+b_k\right)`. Los
    :math:`K` entrenamientos no se hablan: por eso se pueden repartir entre los núcleos del procesador. Dentro de
    cada uno no hay qué repartir, porque cada ejemplo necesita los pesos que dejó el anterior.

    **A mano.** Tres puntos del plano, uno por clase. Al terminar, cada uno recibe su suma mayor del perceptrón que le
    toca:

    >>> x, y = np.array([[2, 0], [-1, 2], [-1, -2]]), np.array([0, 1, 2])
    >>> w, b = one_vs_rest(x, y, classes=3)
    >>> z = x @ w.T + b
    >>> z                      # una fila por punto, una columna por perceptrón
    array([[ 2., -4., -4.],
           [-4.,  3., -5.],
           [-4., -5.,  3.]])
    >>> z.argmax(axis=1)
    array([0, 1, 2])

    Parameters
    ----------
    x : ndarray, shape (n, d)
        Los ejemplos.
    y : ndarray of int, shape (n,)
        La clase de cada uno, de 0 a K − 1.
    classes : int
        Cuántas clases hay, :math:`K`; a lo más, tantas como ejemplos.
    epochs : int
        Cuántas épocas se entrena cada perceptrón, con :math:`\eta=1` y los ejemplos en el orden en que vienen.
    rung : {"python", "numpy", "numba", "threads"}
        El peldaño: listas y ciclos de Python; productos de NumPy; el núcleo compilado de
        :func:`perceptron_rule`; o ese núcleo con las clases repartidas entre hilos.

    Returns
    -------
    w : ndarray, shape (K, d)
        Los pesos de cada perceptrón.
    b : ndarray, shape (K,)
        Sus sesgos.

    Raises
    ------
    TypeError
        Si algo no es del tipo pedido.
    ValueError
        Si las formas no concuerdan, hay clases fuera de rango, el peldaño no existe o los pesos pueden desbordarse.
    """
    sizes = {}
    x = check.floats(x, "x", "n d", sizes).astype(np.float64)
    classes = check.integer(classes, "classes", 1, sizes["n"])
    y = check.labels(y, "y", classes, "n", sizes)
    epochs = check.integer(epochs, "epochs", 1, MAX_EPOCHS)
    rung = check.choice(rung, "rung", list(RUNGS))
    targets = (y == np.arange(classes)[:, None]).astype(np.int64)  # [ec-per-uno-contra-todos]
    _check_overflow(x, np.zeros(sizes["d"]), 0.0, 1.0, sizes["n"] * epochs)
    return RUNGS[rung](x, targets, epochs)
