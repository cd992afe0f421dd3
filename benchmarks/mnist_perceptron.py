r"""El perceptrón con MNIST entero; deja los resultados en ``docs/resultados/mnist_perceptron.json``.

Se ejecuta con ``python -m benchmarks.mnist_perceptron`` y tarda alrededor de un minuto. Los píxeles son enteros y
:math:`\eta=1`, de modo que los pesos también: las cuentas salen exactas y, con la misma semilla, iguales en cualquier
máquina. Solo los tiempos cambian.
"""

import datetime
import json
import os
import platform
import statistics
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
from sklearn.linear_model import Perceptron as Peer

from chapters.perceptron.rosenblatt import Perceptron
from chapters.perceptron.speed import RUNGS, one_vs_rest
from dlbook.data import load_mnist

RESULTS = Path(__file__).resolve().parents[1] / "docs" / "resultados" / "mnist_perceptron.json"
SEED = 0


def main():
    started = time.perf_counter()
    data = load_mnist()
    results = {
        "command": "python -m benchmarks.mnist_perceptron",
        "date": datetime.date.today().isoformat(),
        "seed": SEED,
        "versions": {name: version(name) for name in ("numpy", "numba", "scikit-learn")},
        "machine": f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} núcleos",
        "zeros_and_ones": {**pair(data, 0, 1), **pair_times(data, 0, 1)},
        "fours_and_nines": pair(data, 4, 9),
        "all_digits": all_digits(data),
    }
    results["seconds"] = round(time.perf_counter() - started, 1)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(RESULTS)


def pair(data, negative, positive):
    """Separa dos dígitos: la historia, los pesos, las exactitudes y las imágenes de prueba que falla."""
    (x_train, y_train), (x_test, y_test) = (select(*part, negative, positive) for part in data)
    model = Perceptron(epochs=100, shuffle=True, seed=SEED).fit(x_train, y_train)
    wrong = np.flatnonzero(model.predict(x_test) != y_test)
    return {
        "train": len(x_train),
        "test": len(x_test),
        "mistakes": model.history["mistakes"],
        "weights": model.w.astype(int).tolist(),
        "bias": int(model.b),
        "train_accuracy": model.score(x_train, y_train),
        "test_accuracy": model.score(x_test, y_test),
        "wrong": len(wrong),
        "wrong_images": [x_test[i].astype(np.uint8).tobytes().hex() for i in wrong[:8]],
        "wrong_digits": [(negative, positive)[y_test[i]] for i in wrong[:8]],
    }


def pair_times(data, negative, positive):
    """Mide cuánto tarda el entrenamiento, aquí y en scikit-learn, con las mismas épocas."""
    x, y = select(*data[0], negative, positive)
    epochs = len(Perceptron(epochs=100).fit(x, y).history["mistakes"])
    return {
        "timed_epochs": epochs,
        "seconds": median_time(lambda: Perceptron(epochs=epochs).fit(x, y)),
        "seconds_scikit_learn": median_time(lambda: Peer(max_iter=epochs, tol=None, shuffle=False).fit(x, y)),
    }


def all_digits(data, epochs=10):
    """Entrena diez perceptrones, uno contra todos, y mide una época en cada peldaño."""
    (x_train, y_train), (x_test, y_test) = data
    x_train, x_test = flat(x_train), flat(x_test)
    w, b = one_vs_rest(x_train, y_train, 10, epochs)
    times = {}
    for rung in RUNGS:
        repeat = 1 if rung == "python" else 5
        times[rung] = median_time(lambda rung=rung: one_vs_rest(x_train, y_train, 10, 1, rung), repeat)
    accuracy = float(((x_test @ w.T + b).argmax(axis=1) == y_test).mean())
    return {"epochs": epochs, "test_accuracy": accuracy, "seconds_per_epoch": times}


def select(x, y, negative, positive):
    """Deja solo dos dígitos, con 1 para el positivo y 0 para el negativo."""
    chosen = (y == negative) | (y == positive)
    return flat(x[chosen]), (y[chosen] == positive).astype(int)


def flat(x):
    """Aplana cada imagen en una fila de números reales."""
    return x.reshape(len(x), -1).astype(np.float64)


def median_time(run, repeat=9):
    """Mide la mediana de varias corridas, en segundos."""
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


if __name__ == "__main__":
    main()
