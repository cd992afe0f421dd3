r"""Un modelo de letras con dos textos, aquí y en PyTorch; deja ``docs/resultados/quijote_letras.json``.

Se ejecuta con ``python -m benchmarks.letters PYTHON``, donde ``PYTHON`` es un intérprete que tenga PyTorch: con él se
entrena lo mismo, desde los mismos pesos y con los mismos lotes, en ``benchmarks/letters_torch.py``. También se entrena
aquí con dos hilos: las mismas sumas en otro orden, para ver cuánto mueve el redondeo. Tarda una media hora. Se puede
hacer por partes, como ``quijote:ours``, ``quijote:torch`` y ``quijote:rounding``, que se escriben después; lo demás del
archivo se queda como estaba.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.record import header, store
from chapters.mlp import Adam, Dense, Input, Sequential, SparseCategoricalCrossentropy
from chapters.mlp.schedules import CosineDecay
from chapters.rnn import LSTM, Alphabet, Embedding, bits_per_character, write
from dlbook.data import load_quijote, load_tinyshakespeare
from dlbook.numeric.parallel import set_threads

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "docs" / "resultados" / "quijote_letras.json"
TEXTS = {"quijote": (load_quijote, "En esto "), "tinyshakespeare": (load_tinyshakespeare, "ROMEO:\n")}
EMBEDDING, UNITS, LENGTH, BATCH = 32, 256, 64, 16
STEPS, RATE, SEED = 14_000, 5e-3, 0
SIDES = "ours", "torch", "rounding"
# Keras y PyTorch no suman el ``epsilon`` de Adam en el mismo lugar. Al empezar, los gradientes son tan pequeños que con
# el de siempre, 1e-7, no harían lo mismo; con este no se nota.
EPSILON = 1e-10
# Con qué temperaturas se escribe, de cuántas letras se sortea, y cuántas se guardan.
MANNERS, WRITTEN = [(0.0, None), (0.5, None), (0.8, None), (1.0, None), (1.0, 5), (1.5, None)], 400


def main():
    python, *parts = sys.argv[1:]
    sizes = {"embedding": EMBEDDING, "units": UNITS, "length": LENGTH, "batch_size": BATCH}
    settings = sizes | {"learning_rate": RATE, "epsilon": EPSILON, "train_share": 0.9}
    for part in parts or [f"{name}:{side}" for name in TEXTS for side in SIDES]:
        name, _, side = part.partition(":")
        load, prompt = TEXTS[name]
        text = load()
        alphabet = Alphabet(text)
        ids = alphabet.encode(text)
        train, test = np.split(ids, [len(ids) * 9 // 10])
        starts = np.random.default_rng(SEED).integers(len(train) - LENGTH, size=STEPS * BATCH)
        set_threads(1 if side == "ours" else 2)
        model = network(len(alphabet), STEPS)
        if side == "torch":
            found = {"torch": in_torch(python, model.get_weights(), train, test, starts)}
        else:
            found = {side: fit(model, train, starts) | {"bits": round(bits_per_character(model, test), 4)}}
        if side == "ours":
            found["samples"] = [write_one(model, alphabet, prompt, *manner) for manner in MANNERS]
            found["letters_per_second"] = letters_per_second(model, alphabet, prompt)
        print(part, {k: v for k, v in found.items() if k != "samples"}, flush=True)
        old = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
        about = {"characters": len(ids), "letters": len(alphabet), "steps": STEPS}
        results = {**header("benchmarks.letters PYTHON", SEED), **settings}
        results |= {key: old[key] for key in TEXTS if key in old}
        store(RESULTS, results | {name: results.get(name, {}) | about | found})


def network(letters, steps):
    """Arma el modelo: tabla, LSTM y puntajes."""
    layers = [Embedding(letters, EMBEDDING), LSTM(UNITS, return_sequences=True), Dense(letters)]
    model = Sequential([Input((LENGTH,)), *layers], seed=SEED)
    model.compile(Adam(CosineDecay(RATE, steps), epsilon=EPSILON), SparseCategoricalCrossentropy(from_logits=True))
    return model


def fit(model, ids, starts):
    """Entrena, y da la pérdida de cada décima parte y los segundos: de reloj y de procesador."""
    x = ids[starts[:, np.newaxis] + np.arange(LENGTH)]
    y = ids[starts[:, np.newaxis] + np.arange(LENGTH) + 1]
    # La primera vez se compila: eso no es entrenar, y se hace antes de tomar el tiempo, con otro modelo.
    network(model.layers[-1].units, 1).fit(x[:BATCH], y[:BATCH], BATCH, verbose=0)
    part, history = len(x) // 10, []
    wall, cpu = time.perf_counter(), time.process_time()
    for k in range(0, len(x), part):
        run = model.fit(x[k : k + part], y[k : k + part], BATCH, shuffle=False, verbose=0)
        history.append(round(run.history["loss"][0], 5))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {"loss": history, "seconds": round(wall, 1), "cpu_seconds": round(cpu, 1)}


def write_one(model, alphabet, prompt, temperature, top_k):
    """Escribe un trozo de una manera."""
    text = write(model, alphabet, prompt, WRITTEN, temperature, top_k, SEED)
    return {"temperature": temperature, "top_k": top_k, "prompt": prompt, "text": text}


def letters_per_second(model, alphabet, prompt, letters=2000, times=5):
    """Mide cuántas letras escribe por segundo de procesador: la mejor de varias veces."""
    best = np.inf
    for _ in range(times):
        start = time.process_time()
        write(model, alphabet, prompt, letters, seed=SEED)
        best = min(best, time.process_time() - start)
    return round(letters / best)


def in_torch(python, weights, train, test, starts):
    """Entrena lo mismo en PyTorch, en otro proceso."""
    numbers = {"steps": len(starts) // BATCH, "batch": BATCH, "length": LENGTH, "threads": 1}
    numbers |= {"rate": RATE, "epsilon": EPSILON}
    with tempfile.TemporaryDirectory() as folder:
        arrays = {f"w{k}": w for k, w in enumerate(weights)} | {"train": train, "test": test, "starts": starts}
        np.savez(f"{folder}/data.npz", **arrays, **numbers)
        command = [python, ROOT / "benchmarks" / "letters_torch.py", f"{folder}/data.npz"]
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


if __name__ == "__main__":
    main()
