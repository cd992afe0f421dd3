r"""El programa de Keras que aprende a sumar leyendo las cifras; deja ``docs/resultados/suma.json``.

Se ejecuta con ``python -m benchmarks.addition`` y tarda unos minutos; con unas semillas después, solo esas. El programa
es el de los ejemplos de Keras: tres cifras, la pregunta al revés, una LSTM que lee y otra que escribe.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.record import curves, header, store
from dlbook.callbacks import LambdaCallback
from dlbook.numeric.parallel import set_threads

RESULTS = Path(__file__).resolve().parents[1] / "docs" / "resultados" / "suma.json"
SEEDS, EXAMPLES, DIGITS, UNITS, BATCH, EPOCHS, GOAL = (0, 1), 50_000, 3, 128, 32, 40, 0.99
LETTERS = "0123456789+ "
# Cuántas preguntas con su respuesta se guardan.
SHOWN = 8


def main():
    set_threads(1)
    results = {
        **header("benchmarks.addition", SEEDS[0]),
        **{"examples": EXAMPLES, "digits": DIGITS, "units": UNITS, "batch_size": BATCH, "goal": GOAL},
        "published_epochs": 100,
    }
    for seed in map(int, sys.argv[1:]) if sys.argv[1:] else SEEDS:
        # Las semillas se pueden hacer por separado: se conservan las de antes.
        old = json.loads(RESULTS.read_text(encoding="utf-8"))["runs"] if RESULTS.exists() else []
        results["runs"] = [one for one in old if one["seed"] < seed] + [{"seed": seed} | run(seed)]
        store(RESULTS, results)


def questions(count, seed):
    """Sortea sumas distintas; dos que solo cambian de orden cuentan como la misma."""
    rng, seen, asked, answers = np.random.default_rng(seed), set(), [], []
    while len(asked) < count:
        # Primero cuántas cifras y después cuáles: así abundan también los números cortos.
        a, b = (int("".join(map(str, rng.integers(10, size=rng.integers(1, DIGITS + 1))))) for _ in range(2))
        if (pair := tuple(sorted((a, b)))) not in seen:
            seen.add(pair)
            asked.append(f"{a}+{b}".ljust(2 * DIGITS + 1)[::-1])
            answers.append(str(a + b).ljust(DIGITS + 1))
    return asked, answers


def one_hot(texts):
    """Escribe cada letra como un vector de ceros con un uno."""
    ids = np.array([[LETTERS.index(letter) for letter in text] for text in texts])
    return np.eye(len(LETTERS), dtype=np.float32)[ids]


def network(keras):
    """Arma la red del programa, con la biblioteca que llegue."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((2 * DIGITS + 1, len(LETTERS))),
            layers.LSTM(UNITS),
            layers.RepeatVector(DIGITS + 1),
            layers.LSTM(UNITS, return_sequences=True),
            layers.Dense(len(LETTERS), activation="softmax"),
        ]
    )


def run(seed):
    """Entrena hasta que, en una época, acierta en validación lo que se pide; da todas sus curvas."""
    from chapters import keras

    asked, answers = questions(EXAMPLES, seed)
    x, y = one_hot(asked), one_hot(answers)
    keep = len(x) - len(x) // 10
    keras.utils.set_random_seed(seed)
    model = network(keras)
    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])

    def stop(epoch, logs):
        print(seed, epoch + 1, {name: round(float(value), 4) for name, value in logs.items()}, flush=True)
        model.stop_training = logs["val_accuracy"] >= GOAL

    started = time.perf_counter()
    callbacks = [LambdaCallback(on_epoch_end=stop)]
    history = model.fit(
        x[:keep], y[:keep], BATCH, EPOCHS, validation_data=(x[keep:], y[keep:]), callbacks=callbacks, verbose=0
    ).history
    seconds = time.perf_counter() - started
    found = model.predict(x[keep:], verbose=0).argmax(axis=2)
    right = (found == y[keep:].argmax(axis=2)).all(axis=1)
    written = ["".join(LETTERS[k] for k in row) for row in found[:SHOWN]]
    shown = [
        [question[::-1].strip(), answer.strip(), own.strip()]
        for question, answer, own in zip(asked[keep:], answers[keep:], written, strict=False)
    ]
    return {
        **{"epochs": len(history["loss"]), "reached": bool(history["val_accuracy"][-1] >= GOAL)},
        **{"val_accuracy": round(history["val_accuracy"][-1], 4), "whole": round(float(right.mean()), 4)},
        **{"seconds": round(seconds, 1), "history": curves(history), "shown": shown},
    }


if __name__ == "__main__":
    main()
