r"""De los dígitos 0 a 4 a los dígitos 5 a 9; deja los resultados en ``docs/resultados/mnist_transferencia.json``.

Se ejecuta con ``python -m benchmarks.mnist_transfer`` y tarda unos minutos.
"""

import time
from pathlib import Path

import numpy as np

from benchmarks.mnist_cnn import images
from benchmarks.record import header, store
from chapters.cnn import lenet5
from chapters.mlp import Adam, CosineDecay, Dense, Input, Sequential, SparseCategoricalCrossentropy

RESULTS = Path(__file__).resolve().parents[1] / "docs" / "resultados" / "mnist_transferencia.json"
SEEDS = range(3)
# Cuántos ejemplos de cada dígito nuevo.
EXAMPLES = (1, 2, 5, 10, 30, 100, 300, 1000)
# La red de origen: épocas, lote y tasa.
EPOCHS, BATCH, RATE = 3, 64, 2e-3
# La red nueva: pasos (o cinco épocas, si son más) y lote.
STEPS, SMALL_BATCH = 400, 32
# Cada manera: cuántas de las dos partes se copian de la red de origen, y si lo copiado se congela.
WAYS = {"scratch": (0, False), "frozen": (1, True), "fine": (1, False), "all": (2, True)}


def main():
    started = time.perf_counter()
    (x_train, y_train), (x_test, y_test) = images()
    old, new, new_test = y_train < 5, y_train >= 5, y_test >= 5
    x_new, y_new, x_test, y_test = x_train[new], y_train[new] - 5, x_test[new_test], y_test[new_test] - 5
    results = {
        **header("benchmarks.mnist_transfer", SEEDS[0]),
        "examples": list(EXAMPLES),
        "steps": STEPS,
        "errors": {name: [[] for _ in EXAMPLES] for name in WAYS},
    }
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        source = train(x_train[old], y_train[old], EPOCHS * -(-old.sum() // BATCH), BATCH, seed)
        order = [rng.permutation(np.flatnonzero(y_new == digit)) for digit in range(5)]
        for k, examples in enumerate(EXAMPLES):
            rows = np.concatenate([rows[:examples] for rows in order])
            steps = max(STEPS, 5 * -(-len(rows) // SMALL_BATCH))
            for name, (copied, frozen) in WAYS.items():
                model = train(x_new[rows], y_new[rows], steps, SMALL_BATCH, seed, source, copied, frozen)
                error = 1 - float((model.predict(x_test).argmax(axis=1) == y_test).mean())
                results["errors"][name][k].append(round(error, 4))
        print(seed, {name: [e[-1] for e in errors] for name, errors in results["errors"].items()}, flush=True)
    results["seconds"] = round(time.perf_counter() - started, 1)
    store(RESULTS, results)


def train(x, y, steps, batch, seed, source=None, copied=0, frozen=False):
    """Entrena LeNet-5 para cinco dígitos, quizá con las primeras partes de otra."""
    layers = lenet5(seed=seed).layers
    # Las convoluciones, las dos capas densas y la cabeza.
    parts = [Sequential(layers[:5]), Sequential(layers[5:7]), Dense(5)]
    model = Sequential([Input((28, 28, 1)), *parts], seed=seed)
    for k in range(copied):
        parts[k].set_weights(source.layers[k].get_weights())
        parts[k].trainable = not frozen
    model.compile(Adam(CosineDecay(RATE, steps)), SparseCategoricalCrossentropy(from_logits=True))
    model.fit(x, y, batch, max(1, round(steps / -(-len(x) // batch))), verbose=0)
    return model


if __name__ == "__main__":
    main()
