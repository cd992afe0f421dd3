r"""El trato entre ``benchmarks.mlp`` y los procesos que mide: un renglón de JSON por pregunta y uno por respuesta.

Cada biblioteca vive en su propio proceso, con su propio intérprete, y no usa nada de dlbook. Un bloque es una pregunta:
``{"model": "mlp", "batch": 64, "seconds": 0.3}``; la respuesta es cuánto tardó, en promedio, un paso de entrenamiento.
"""

import json
import sys
import time

import numpy as np

ROWS = 8192
SIZES = {"mlp": (784, 128, 10), "autoencoder": (784, 128, 32, 128, 784)}


def data(model, seed=0):
    """Da las mismas observaciones a todos: ruido del tamaño de MNIST, y clases o las propias observaciones."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(ROWS, 784)).astype(np.float32)
    return x, rng.integers(0, 10, ROWS) if model == "mlp" else x


def serve(make, versions):
    """Contesta bloques hasta que se cierre la entrada.

    ``make(model, batch)`` devuelve una función que recorre los datos las veces que se le pidan.
    """
    answers = sys.stdout
    # Lo que la biblioteca imprima no debe mezclarse con las respuestas.
    sys.stdout = sys.stderr
    print(json.dumps(versions), file=answers, flush=True)
    ready = {}
    for line in sys.stdin:
        question = json.loads(line)
        key = question["model"], question["batch"]
        if key not in ready:
            ready[key] = make(*key)
            ready[key](1)
        one = elapsed(ready[key], 1)
        epochs = max(1, round(question["seconds"] / one))
        steps = epochs * ROWS // question["batch"]
        print(json.dumps({"seconds": elapsed(ready[key], epochs) / steps}), file=answers, flush=True)


def elapsed(train, epochs):
    """Mide cuánto tarda un entrenamiento."""
    began = time.perf_counter()
    train(epochs)
    return time.perf_counter() - began
