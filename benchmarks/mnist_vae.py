r"""El autocodificador variacional con MNIST entero; deja los resultados en ``docs/resultados/mnist_vae.json``.

Se ejecuta con ``python -m benchmarks.mnist_vae PYTHON``, donde ``PYTHON`` es un intérprete que tenga PyTorch: con él se
entrena el mismo modelo, con los mismos pasos, en ``benchmarks/mnist_vae_torch.py``. Tarda unos minutos.
"""

import json
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

import numpy as np

from benchmarks.record import as_hex, curves, header, store
from chapters.autoencoder import elbo, gaussian_kl, vae
from chapters.mlp import Adam
from dlbook.data import load_mnist
from dlbook.numeric.parallel import set_threads

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "docs" / "resultados" / "mnist_vae.json"
SEEDS, LATENTS = (0, 1), (2, 20)
HIDDEN, BATCH, EPOCHS, RATE = 400, 128, 20, 1e-3
# Cuántos códigos se sortean por imagen al medir la cota.
SAMPLES = 5
# Cuántas imágenes se guardan: por lado del plano, muestras y reconstrucciones; y cuántos puntos del plano.
SIDE, DRAWN, ROWS, POINTS = 8, 24, 8, 600


def main():
    # Un hilo, como en PyTorch.
    set_threads(1)
    (x, _), (x_test, y_test), grays = images()
    results = {
        **header("benchmarks.mnist_vae PYTHON", SEEDS[0]),
        **{"hidden": HIDDEN, "batch_size": BATCH, "epochs": EPOCHS, "learning_rate": RATE, "samples": SAMPLES},
        "steps": EPOCHS * -(-len(x) // BATCH),
    }
    for latent in LATENTS:
        runs, peers = [], []
        for seed in SEEDS:
            models, run = train(x, x_test, latent, seed)
            runs.append(run)
            print("libro", latent, seed, run["elbo"], flush=True)
            peers.append(in_torch(sys.argv[1], x, x_test, latent, seed))
            print("torch", latent, seed, peers[-1]["elbo"], flush=True)
            if seed == SEEDS[0]:
                drawn = pictures(*models, x_test, y_test, grays, latent)
        results[str(latent)] = {"runs": runs, "torch": peers, **drawn}
    store(RESULTS, results)


def images():
    """Carga MNIST y sortea cada píxel una vez: se enciende con probabilidad igual a su gris."""
    (x, y), (x_test, y_test) = load_mnist()
    rng = np.random.default_rng(0)
    grays = [a.reshape(len(a), -1) / np.float32(255) for a in (x, x_test)]
    x, x_test = (np.float32(rng.random(a.shape, dtype=np.float32) < a) for a in grays)
    return (x, y), (x_test, y_test), grays[1]


def train(x, x_test, latent, seed):
    """Entrena un VAE y mide su cota con las imágenes de prueba."""
    model, encoder, decoder = vae(x.shape[1], HIDDEN, latent, seed=seed)
    model.compile(Adam(RATE), "binary_crossentropy", loss_weights=[x.shape[1]])
    history = model.fit(x, x, BATCH, EPOCHS, verbose=0).history
    reconstruction, kl = elbo(encoder, decoder, x_test, SAMPLES)
    return (encoder, decoder), {
        "elbo": round(float((reconstruction - kl).mean()), 3),
        "reconstruction": round(float(reconstruction.mean()), 3),
        "kl": round(float(kl.mean()), 3),
        "history": curves(history)["loss"],
    }


def in_torch(python, x, x_test, latent, seed):
    """Entrena el mismo modelo en PyTorch, en otro proceso."""
    with tempfile.TemporaryDirectory() as folder:
        np.savez(f"{folder}/data.npz", x=x > 0, x_test=x_test > 0)
        numbers = latent, seed, HIDDEN, BATCH, EPOCHS, RATE, SAMPLES
        command = [python, ROOT / "benchmarks" / "mnist_vae_torch.py", f"{folder}/data.npz", *map(str, numbers)]
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def pictures(encoder, decoder, x_test, y_test, grays, latent):
    """Guarda lo que la página dibuja."""
    mean, log_var = encoder.predict(x_test)
    rows = [int(np.flatnonzero(y_test == digit)[0]) for digit in range(ROWS)]
    z = np.random.default_rng(0).normal(size=(DRAWN, latent))
    found = {
        "kl_by_dimension": [
            round(float(gaussian_kl(m[:, None], s[:, None]).mean()), 4) for m, s in zip(mean.T, log_var.T, strict=True)
        ],
        "samples": compressed(decoder.predict(z)),
        "given": compressed(grays[rows]),
        "rebuilt": compressed(decoder.predict(mean[rows])),
    }
    if latent == 2:
        from scipy.stats import norm

        steps = norm.ppf((np.arange(SIDE) + 0.5) / SIDE)
        plane = [(a, b) for b in steps[::-1] for a in steps]
        found |= {
            "plane": compressed(decoder.predict(plane)),
            "codes": np.round(mean[:POINTS], 2).tolist(),
            "digits": y_test[:POINTS].tolist(),
        }
    return found


def compressed(images):
    """Escribe unas imágenes de grises entre 0 y 1 en hexadecimal, comprimidas: son muchas."""
    return zlib.compress(bytes.fromhex(as_hex(np.clip(images, 0, 1))), 9).hex()


if __name__ == "__main__":
    main()
