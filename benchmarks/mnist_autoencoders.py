r"""Los autocodificadores densos con MNIST entero; deja los resultados en ``docs/resultados/mnist_autoencoders.json``.

Se ejecuta con ``python -m benchmarks.mnist_autoencoders`` y tarda unos minutos. Si hay un intérprete con Keras,
``.venv-peers`` o el que diga ``DLBOOK_PEERS``, los mismos programas se entrenan también ahí.
"""

import argparse
import contextlib
import json
import os
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.autoencoder_programs import BATCH, EPOCHS, PROGRAMS, deep, train
from benchmarks.harness import Process
from benchmarks.record import as_hex, header, store
from chapters import keras
from chapters.introduction import pca
from dlbook.data import load_mnist

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "docs" / "resultados" / "mnist_autoencoders.json"
SEEDS = range(2)
LATENTS = (2, 8, 32)
# De cada dígito, cuántos puntos del plano latente se guardan; cuántos pasos tiene la caminata.
POINTS = 100
STEPS = 9


def main():
    parser = argparse.ArgumentParser(description="Entrena los autocodificadores densos con MNIST.")
    parser.add_argument("--epochs", type=int, help="épocas de cada uno, en lugar de las suyas")
    parser.add_argument("--rows", type=int, help="con cuántas imágenes se entrena")
    parser.add_argument("--dry", action="store_true", help="solo muestra, sin guardar")
    parser.add_argument("-v", action="store_true", help="muestra lo que imprime Keras")
    options = parser.parse_args()
    started = time.perf_counter()
    (x_train, _), (x_test, y_test) = load_mnist()
    x, x_test = ((images.reshape(len(images), -1) / np.float32(255)) for images in (x_train[: options.rows], x_test))
    rows = [int(np.flatnonzero(y_test == digit)[0]) for digit in range(10)]
    epochs = {name: options.epochs or epochs for name, epochs in EPOCHS.items()}
    results = {
        **header("benchmarks.mnist_autoencoders", SEEDS[0]),
        "batch_size": BATCH,
        "epochs": epochs,
        "images": [as_hex(x_test[row]) for row in rows],
    }
    with peer(x, x_test) as other:
        trained = {}
        for name, build in PROGRAMS.items():
            if other:
                other.tell({"program": name, "seed": SEEDS[0], "epochs": epochs[name]})
            runs = []
            for seed in SEEDS:
                keras.utils.set_random_seed(seed)
                models = build(keras)
                runs.append(train(keras, models, x, x_test, epochs[name], seed))
                trained.setdefault(name, models)
                print(name, seed, runs[-1]["train_loss"][-1], runs[-1]["test_loss"], flush=True)
            results[name] = {"runs": runs, **pictures(trained[name], x_test[rows])}
        results["latents"] = latents(trained["deep"], x, x_test, y_test, rows, epochs["deep"])
        if other:
            results["versions"] |= other.versions
            results["keras"] = {name: other.answer() for name in PROGRAMS}
    results["seconds"] = round(time.perf_counter() - started, 1)
    if options.dry:
        print(len(json.dumps(results)), results["keras"])
    else:
        store(RESULTS, results)


def pictures(models, x):
    """Reconstruye unas imágenes y guarda también sus códigos."""
    autoencoder, encoder, _ = models
    codes = encoder.predict(x, verbose=0)
    return {
        "reconstructions": [as_hex(np.clip(y, 0, 1)) for y in autoencoder.predict(x, verbose=0)],
        "codes": np.round(codes, 3).tolist(),
    }


def latents(with_32, x, x_test, y_test, rows, epochs):
    """Entrena la red profunda con códigos más cortos y compara con tantas componentes principales."""
    found = {}
    for k in LATENTS:
        models = with_32
        if k != 32:
            keras.utils.set_random_seed(SEEDS[0])
            models = deep(keras, k)
            run = train(keras, models, x, x_test, epochs, SEEDS[0])
            print("deep", k, run["train_loss"][-1], run["test_loss"], run["test_mse"], flush=True)
        y = models[0].predict(x_test, verbose=0)
        mean, v, _ = pca(x, k)
        flat = mean + (x_test - mean) @ v @ v.T
        found[str(k)] = {
            "mse": round(float(np.mean((x_test - y) ** 2)), 5),
            "pca_mse": round(float(np.mean((x_test - flat) ** 2)), 5),
        }
        if k != 32:
            found[str(k)]["reconstructions"] = pictures(models, x_test[rows])["reconstructions"]
        if k == 2:
            found[str(k)] |= plane(models, x_test, y_test, rows)
    return found


def plane(models, x_test, y_test, rows):
    """Guarda puntos del plano latente y una caminata en línea recta, del código de un 0 al de un 1."""
    _, encoder, decoder = models
    some = np.concatenate([np.flatnonzero(y_test == digit)[:POINTS] for digit in range(10)])
    codes = encoder.predict(x_test[some], verbose=0)
    start, end = encoder.predict(x_test[rows[:2]], verbose=0)
    t = np.linspace(0, 1, STEPS, dtype=np.float32)[:, None]
    walk = (1 - t) * start + t * end
    return {
        "plane": np.round(codes, 2).tolist(),
        "labels": y_test[some].tolist(),
        "walk_codes": np.round(walk, 2).tolist(),
        "walk": [as_hex(y) for y in decoder.predict(walk, verbose=0)],
    }


@contextlib.contextmanager
def peer(x, x_test):
    """Da el proceso al que se le pregunta por Keras; ``None``, si no hay un intérprete que lo tenga."""
    interpreter = os.environ.get("DLBOOK_PEERS") or str(ROOT / ".venv-peers" / "bin" / "python")
    with tempfile.TemporaryDirectory() as folder:
        images = Path(folder) / "mnist.npz"
        np.savez(images, train=x, test=x_test)
        try:
            other = Process(interpreter, ["peers_autoencoders.py"])
        except (OSError, json.JSONDecodeError):
            other = None
        try:
            if other:
                other.tell(str(images))
            yield other
        finally:
            if other:
                other.close()


if __name__ == "__main__":
    main()
