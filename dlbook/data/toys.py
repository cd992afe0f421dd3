r"""Conjuntos de juguete: caben en una figura y cada uno plantea una sola pregunta."""

import numpy as np

from dlbook import check

MOST = 10_000_000


def logic_gate(name):
    r"""La tabla de verdad de una compuerta lógica, como datos de entrenamiento.

    Cuatro ejemplos bastan para la pregunta que divide en dos la historia del perceptrón: ¿hay una recta que separe los
    ceros de los unos? Para todas estas compuertas la hay, menos para una.

    >>> x, y = logic_gate("xor")
    >>> x
    array([[0., 0.],
           [0., 1.],
           [1., 0.],
           [1., 1.]])
    >>> y
    array([0, 1, 1, 0])

    Parameters
    ----------
    name : {"and", "or", "xor", "nand", "nor"}
        Compuerta.

    Returns
    -------
    x : ndarray, shape (4, 2)
        Las cuatro combinaciones de dos entradas, siempre en el mismo orden.
    y : ndarray of int64, shape (4,)
        La salida de la compuerta para cada una.

    Raises
    ------
    ValueError
        Si no es una de las cinco.
    """
    outputs = {"and": [0, 0, 0, 1], "or": [0, 1, 1, 1], "xor": [0, 1, 1, 0], "nand": [1, 1, 1, 0], "nor": [1, 0, 0, 0]}
    name = check.choice(name, "name", outputs)
    return np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), np.array(outputs[name], np.int64)


def apples_and_oranges(n=None, seed=0):
    r"""Manzanas (0) y naranjas (1), descritas por su peso y por lo rugoso de su cáscara.

    El peso casi no ayuda, porque hay frutas grandes y pequeñas de las dos clases; la cáscara lo dice todo. Las dos
    clases son linealmente separables: la recta «rugosidad = 0.5» deja las manzanas debajo y las naranjas encima, y
    ninguna fruta queda a menos de 0.1 de ella.

    >>> x, y = apples_and_oranges()
    >>> x[y == 0]
    array([[1.5 , 0.2 ],
           [1.7 , 0.3 ],
           [1.3 , 0.1 ],
           [1.6 , 0.25]])
    >>> x[y == 1]
    array([[1.4 , 0.8 ],
           [1.6 , 0.9 ],
           [1.8 , 0.7 ],
           [1.2 , 0.85]])

    Parameters
    ----------
    n : int, optional
        Cuántas frutas sortear, la mitad de cada clase (si ``n`` es impar, sobra una naranja). Sin él, las ocho de
        arriba.
    seed : int or numpy.random.Generator
        Semilla del sorteo.

    Returns
    -------
    x : ndarray, shape (n, 2)
        Peso, en unidades de 100 g, y rugosidad, de 0 (lisa) a 1 (muy rugosa).
    y : ndarray of int64, shape (n,)
        0 si es manzana, 1 si es naranja.

    Raises
    ------
    TypeError, ValueError
        Si ``n`` no es un entero de al menos 2 o la semilla no sirve.

    Notes
    -----
    Las ocho frutas son nuestras: de este ejercicio del curso solo se conservó el título.
    """
    rng = check.generator(seed)
    if n is None:
        apples = [[1.5, 0.2], [1.7, 0.3], [1.3, 0.1], [1.6, 0.25]]
        oranges = [[1.4, 0.8], [1.6, 0.9], [1.8, 0.7], [1.2, 0.85]]
        return np.array(apples + oranges), np.repeat([0, 1], 4)
    n = check.integer(n, "n", 2, MOST)
    y = _two_classes(n, rng)
    weight = rng.uniform(1.2, 1.8, n)
    roughness = rng.uniform(0.05, 0.4, n) + 0.55 * y
    return np.column_stack([weight, roughness]), y


def circles(n=200, noise=0.0, seed=0):
    r"""Un disco (1) rodeado por un anillo (0): ninguna recta los separa.

    El disco tiene radio 1 y el anillo va del radio 1.5 al 2, ambos centrados en el origen y llenos de manera pareja. La
    distancia al origen resuelve el problema, pero las dos entradas son las coordenadas: alguien tiene que descubrirla.

    >>> x, y = circles(200)
    >>> radius = np.hypot(x[:, 0], x[:, 1])
    >>> bool(radius[y == 1].max() < 1), bool(radius[y == 0].min() >= 1.5)
    (True, True)

    Parameters
    ----------
    n : int
        Cuántos puntos, la mitad de cada clase (si es impar, sobra uno del disco).
    noise : float
        Desviación estándar del ruido gaussiano que se suma a cada coordenada, de 0 a 10.
    seed : int or numpy.random.Generator
        Semilla.

    Returns
    -------
    x : ndarray, shape (n, 2)
        Coordenadas.
    y : ndarray of int64, shape (n,)
        1 en el disco, 0 en el anillo.

    Raises
    ------
    TypeError, ValueError
        Si algún argumento no es del tipo o del intervalo que se pide.

    Notes
    -----
    Es un sustituto nuestro del problema «círculo» de TensorFlow Playground, no una copia de sus puntos.
    """
    rng = check.generator(seed)
    n = check.integer(n, "n", 2, MOST)
    noise = check.number(noise, "noise", 0, 10)
    y = _two_classes(n, rng)
    # El área crece con el cuadrado del radio: la raíz reparte los puntos de manera pareja.
    u = rng.random(n)
    radius = np.sqrt(np.where(y == 1, u, 1.5**2 + (2**2 - 1.5**2) * u))
    return _polar(radius, rng.uniform(0, 2 * np.pi, n), noise, rng), y


def gaussian_ring(n=200, k=8, noise=0.05, seed=0):
    r"""Puntos en ``k`` montones iguales, repartidos en una circunferencia de radio 1.

    El centro del montón :math:`j` está en el ángulo :math:`2\pi j/k`. A cada punto le toca un montón al azar y se
    aparta de su centro con una normal. Sirve para ver si un modelo que inventa puntos se olvida de algún montón.

    >>> x, y = gaussian_ring(1000, seed=0)
    >>> x.shape, len(np.unique(y))
    ((1000, 2), 8)
    >>> np.abs(x[y == 0].mean(axis=0) - [1, 0]).max() < 0.02
    np.True_

    Parameters
    ----------
    n : int
        Cuántos puntos.
    k : int
        Cuántos montones, de 1 a 100.
    noise : float
        Desviación estándar de cada coordenada alrededor del centro, de 0 a 10.
    seed : int or numpy.random.Generator
        Semilla.

    Returns
    -------
    x : ndarray, shape (n, 2)
        Coordenadas.
    y : ndarray of int64, shape (n,)
        El montón de cada punto.

    Raises
    ------
    TypeError, ValueError
        Si algún argumento no es del tipo o del intervalo que se pide.
    """
    rng = check.generator(seed)
    n, k = check.integer(n, "n", 1, MOST), check.integer(k, "k", 1, 100)
    noise = check.number(noise, "noise", 0, 10)
    y = rng.integers(0, k, n)
    return _polar(np.ones(n), 2 * np.pi * y / k, noise, rng), y


def spirals(n=200, turns=1.5, noise=0.0, seed=0):
    r"""Dos espirales enroscadas, una por clase: el problema difícil entre los de juguete.

    Un punto que ha recorrido la fracción :math:`t\in[0,1)` de su brazo está a la distancia :math:`r=0.2+1.8\,t` del
    origen y en el ángulo :math:`2\pi\cdot\text{turns}\cdot t`. El brazo de la clase 1 es el de la clase 0 girado media
    vuelta.

    >>> x, y = spirals(400)
    >>> x.shape, np.bincount(y)
    ((400, 2), array([200, 200]))

    Parameters
    ----------
    n : int
        Cuántos puntos, la mitad en cada brazo (si es impar, sobra uno de la clase 1).
    turns : float
        Vueltas de cada brazo, más de 0 y a lo sumo 100.
    noise : float
        Desviación estándar del ruido gaussiano que se suma a cada coordenada, de 0 a 10.
    seed : int or numpy.random.Generator
        Semilla.

    Returns
    -------
    x : ndarray, shape (n, 2)
        Coordenadas.
    y : ndarray of int64, shape (n,)
        El brazo de cada punto.

    Raises
    ------
    TypeError, ValueError
        Si algún argumento no es del tipo o del intervalo que se pide.
    """
    rng = check.generator(seed)
    n = check.integer(n, "n", 2, MOST)
    turns = check.number(turns, "turns", 0, 100, open_low=True)
    noise = check.number(noise, "noise", 0, 10)
    y = _two_classes(n, rng)
    t = rng.random(n)
    return _polar(0.2 + 1.8 * t, 2 * np.pi * turns * t + np.pi * y, noise, rng), y


def students(n=None, seed=0):
    r"""¿Aprobará el estudiante? Clases a las que asistió, horas que estudió por su cuenta, y si aprobó.

    Sin argumentos son ocho, y una recta los separa: aprobaron quienes suman más de 8 entre clases y horas.

    >>> x, y = students()
    >>> x[y == 0].tolist()                       # no aprobaron
    [[2.0, 1.0], [3.0, 4.0], [4.0, 2.0], [1.0, 6.0]]
    >>> x[y == 1].tolist()                       # aprobaron
    [[5.0, 5.0], [4.0, 8.0], [6.0, 3.0], [7.0, 6.0]]

    Si pides ``n``, se parecen más a la vida: nadie tiene nada asegurado. Quien suma :math:`s` entre clases y horas
    aprueba con probabilidad :math:`1/(1+e^{8-s})`; con 8 es como lanzar una moneda, y ninguna recta acierta siempre.

    Parameters
    ----------
    n : int, optional
        Cuántos estudiantes sortear. Sin él, los ocho de arriba.
    seed : int or numpy.random.Generator
        Semilla del sorteo.

    Returns
    -------
    x : ndarray, shape (n, 2)
        Clases a las que asistió, entero de 0 a 8, y horas de estudio, de 0 a 8.
    y : ndarray of int64, shape (n,)
        1 si aprobó, 0 si no.

    Raises
    ------
    TypeError, ValueError
        Si ``n`` no es un entero positivo o la semilla no sirve.

    Notes
    -----
    Los datos son nuestros: del curso se conservaron la pregunta y las dos variables, no los puntos.
    """
    rng = check.generator(seed)
    if n is None:
        failed = [[2.0, 1.0], [3.0, 4.0], [4.0, 2.0], [1.0, 6.0]]
        passed = [[5.0, 5.0], [4.0, 8.0], [6.0, 3.0], [7.0, 6.0]]
        return np.array(failed + passed), np.repeat([0, 1], 4)
    n = check.integer(n, "n", 1, MOST)
    classes = rng.integers(0, 9, n).astype(np.float64)
    hours = rng.uniform(0, 8, n)
    y = (rng.random(n) < 1 / (1 + np.exp(8 - classes - hours))).astype(np.int64)
    return np.column_stack([classes, hours]), y


def ages_and_salaries(n=30, noise=0.1, seed=0):
    r"""Edades y salarios que siguen, salvo ruido, la recta :math:`\text{salario}=4.51+0.036\cdot\text{edad}`.

    Con treinta personas, unos mínimos cuadrados se acercan a los dos números de la recta; con treinta mil, los
    recuperan:

    >>> for n in (30, 30_000):
    ...     x, y = ages_and_salaries(n)
    ...     slope, intercept = np.polyfit(x[:, 0], y, 1)
    ...     print(round(float(intercept), 2), round(float(slope), 3))
    4.62 0.034
    4.51 0.036

    Parameters
    ----------
    n : int
        Cuántas personas, al menos 2.
    noise : float
        Desviación estándar del ruido gaussiano del salario, de 0 a 100.
    seed : int or numpy.random.Generator
        Semilla.

    Returns
    -------
    x : ndarray, shape (n, 1)
        Edad en años cumplidos, de 20 a 65.
    y : ndarray, shape (n,)
        Salario, en las unidades de la recta (el curso no dice cuáles).

    Raises
    ------
    TypeError, ValueError
        Si algún argumento no es del tipo o del intervalo que se pide.

    Notes
    -----
    La recta es la del curso; las personas son nuestras, porque los datos con que se ajustó no se conservaron.
    """
    rng = check.generator(seed)
    n = check.integer(n, "n", 2, MOST)
    noise = check.number(noise, "noise", 0, 100)
    age = rng.integers(20, 66, n).astype(np.float64)
    return age[:, None], 4.51 + 0.036 * age + noise * rng.standard_normal(n)


def _two_classes(n, rng):
    return rng.permutation(np.arange(n) >= n // 2).astype(np.int64)


def _polar(radius, angle, noise, rng):
    x = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
    return x + noise * rng.standard_normal(x.shape)
