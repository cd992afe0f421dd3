r"""Un GPT de letras con dos textos, aquí y en PyTorch; deja ``docs/resultados/gpt_*.json``.

Se ejecuta con ``python -m benchmarks.gpt PYTHON PARTE``, donde ``PYTHON`` es un intérprete que tenga PyTorch y
``PARTE`` es una de estas. ``shakespeare`` entrena con tinyshakespeare, en el ajuste que nanoGPT publica para un
procesador. ``quijote`` entrena con *Don Quijote*. ``carrera`` da unos pasos del primero aquí y en PyTorch
(``benchmarks/gpt_torch.py``), por turnos, desde los mismos pesos y con los mismos lotes. Cada parte
tarda menos de diez minutos.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.record import as_hex, header, store
from chapters.attention import generate, gpt
from chapters.attention.programs.generate import _weights
from chapters.mlp import AdamW, SparseCategoricalCrossentropy
from chapters.mlp.schedules import CosineDecay
from chapters.rnn import Alphabet
from dlbook.data import load_quijote, load_tinyshakespeare
from dlbook.numeric.parallel import set_threads

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "docs" / "resultados"
SEED, THREADS, DISTANCES, ROUNDS = 0, 1, 16, 2
# Lo que nanoGPT publica para un procesador. La pérdida de validación que da es 1.88.
NANO = {"length": 64, "width": 128, "heads": 4, "blocks": 4, "batch": 12, "steps": 2000}
QUIJOTE = {"length": 64, "width": 128, "heads": 4, "blocks": 4, "batch": 16, "steps": 2000}
RATES = {"rate": 1e-3, "floor": 1e-4, "warmup": 100, "decay": 0.1}
MANNERS = [(0.0, None, None), (0.8, None, None), (1.0, None, None), (1.0, None, 0.9), (1.0, 5, None), (1.5, None, None)]
PROMPTS = {"shakespeare": "ROMEO:\n", "quijote": "En esto "}
SENTENCES = {
    "shakespeare": "ROMEO:\nWhat, shall this speech be spoke",
    "quijote": "En un lugar de la Mancha, de cuyo nombre",
}


def main():
    python, part = sys.argv[1:]
    set_threads(THREADS)
    if part == "carrera":
        race(python)
    else:
        learn(part)


def letters(name):
    """Da el alfabeto de un texto, lo que se aprende de él y lo que se aparta."""
    text = {"shakespeare": load_tinyshakespeare, "quijote": load_quijote}[name]()
    alphabet = Alphabet(text)
    return alphabet, *np.split(alphabet.encode(text), [len(text) * 9 // 10])


def network(vocabulary, setting):
    """Arma el modelo y lo deja listo para entrenar."""
    sizes = [setting[name] for name in ("length", "width", "heads", "blocks")]
    model = gpt(vocabulary, *sizes, seed=SEED)
    fall = setting["steps"] - RATES["warmup"]
    share = RATES["floor"] / RATES["rate"]
    schedule = CosineDecay(0.0, fall, share, warmup_target=RATES["rate"], warmup_steps=RATES["warmup"])
    optimizer = AdamW(schedule, RATES["decay"], beta_2=0.99, epsilon=1e-8, global_clipnorm=1.0)
    model.compile(optimizer, SparseCategoricalCrossentropy(from_logits=True))
    return model


def starts_of(train, setting):
    """Sortea dónde empieza cada fila de cada lote."""
    return np.random.default_rng(SEED).integers(
        len(train) - setting["length"], size=setting["steps"] * setting["batch"]
    )


def fit(model, train, test, setting, parts=10):
    """Entrena; da la pérdida de cada parte, la de validación después de ella, y los segundos de entrenar."""
    rows = starts_of(train, setting)[:, np.newaxis] + np.arange(setting["length"])
    # La primera vez se compila: eso no es entrenar, y se hace antes de tomar el tiempo, con otro modelo.
    first = train[rows[: setting["batch"]]]
    network(model.output_shape[-1], setting).fit(first, first, setting["batch"], verbose=0)
    part, found = len(rows) // parts, {"loss": [], "validation": [], "seconds": 0.0, "cpu_seconds": 0.0}
    for k in range(0, part * parts, part):
        wall, cpu = time.perf_counter(), time.process_time()
        some = rows[k : k + part]
        run = model.fit(train[some], train[some + 1], setting["batch"], shuffle=False, verbose=0)
        found["seconds"] += time.perf_counter() - wall
        found["cpu_seconds"] += time.process_time() - cpu
        found["loss"].append(round(run.history["loss"][0], 5))
        if test is not None:
            found["validation"].append(round(float(surprise(model, test, setting["length"]).mean()), 4))
    return found | {name: round(found[name], 1) for name in ("seconds", "cpu_seconds")}


def surprise(model, ids, length, jump=None):
    """Da la pérdida de cada letra, en filas que empiezan cada ``jump``; sin él, una tras otra."""
    starts = np.arange(0, len(ids) - length, jump or length)
    lost = np.empty((len(starts), length))
    for k in range(0, len(starts), 64):
        rows = starts[k : k + 64, np.newaxis] + np.arange(length)
        z = np.float64(model.predict(ids[rows], verbose=0))
        z -= z.max(axis=-1, keepdims=True)
        chosen = np.take_along_axis(z, ids[rows + 1][..., np.newaxis], axis=-1)[..., 0]
        lost[k : k + 64] = np.log(np.exp(z).sum(axis=-1)) - chosen
    return lost


def learn(name):
    """Entrena con un texto, mide, escribe y mira la atención."""
    alphabet, train, test = letters(name)
    setting = NANO if name == "shakespeare" else QUIJOTE
    model = network(len(alphabet), setting)
    found = fit(model, train, test if name == "shakespeare" else None, setting)
    length = setting["length"]
    lost = surprise(model, test, length)
    # Cada letra, con la mitad de la ventana por delante, al menos: así escribe ``generate``.
    long = surprise(model, test, length, length // 2)[:, length // 2 :]
    found |= {"by_place": np.round(lost.mean(axis=0), 4).tolist()}
    found |= {"bits": round(lost.mean() / np.log(2), 4), "bits_long": round(long.mean() / np.log(2), 4)}
    sentence = SENTENCES[name]
    found["sentence"], found["attention"] = sentence, as_hex(attention(model, alphabet.encode(sentence)[np.newaxis])[0])
    starts = np.random.default_rng(SEED).integers(len(test) - length, size=32)
    maps = attention(model, test[starts[:, np.newaxis] + np.arange(length)])
    found["by_distance"] = np.round(by_distance(maps).astype(np.float64), 4).tolist()
    prompt = PROMPTS[name]
    for temperature, top_k, top_p in MANNERS:
        text = alphabet.decode(generate(model, alphabet.encode(prompt), 400, temperature, top_k, top_p, SEED))
        manner = {"temperature": temperature, "top_k": top_k, "top_p": top_p}
        found.setdefault("samples", []).append(manner | {"prompt": prompt, "text": text})
    found["letters_per_second"] = letters_per_second(model, alphabet.encode(prompt))
    about = {"parameters": model.count_params(), "characters": len(train) + len(test), "letters": len(alphabet)}
    results = header(f"benchmarks.gpt PYTHON {name}", SEED) | setting | RATES | about | found
    store(RESULTS / f"gpt_{name}.json", results)
    shown = "validation", "bits", "bits_long", "cpu_seconds", "letters_per_second"
    print({key: results[key] for key in shown})


def attention(model, ids):
    """Da los pesos de atención de unas secuencias, (n, L, H, T, T)."""
    model.forward(ids)
    found = []
    for block in (layer for layer in model.layers if hasattr(layer, "self_attention_layer")):
        layer = block.self_attention_layer
        read = layer.x[0].copy()
        _, weights = layer.forward(read, read, return_attention_scores=True, use_causal_mask=True)
        found.append(weights.copy())
    return np.stack(found, axis=1)


def by_distance(maps):
    """Promedia cuánto se mira a cada distancia, por bloque y cabeza, desde la segunda mitad de la ventana."""
    steps = maps.shape[-1]
    rows = np.arange(steps // 2, steps)
    return np.stack([maps[..., rows, rows - k].mean(axis=(0, -1)) for k in range(DISTANCES)], axis=-1)


def letters_per_second(model, prompt, count=2000, times=5):
    """Mide cuántas letras escribe por segundo de procesador: la mejor de varias veces."""
    best = np.inf
    for _ in range(times):
        start = time.process_time()
        generate(model, prompt, count, seed=SEED)
        best = min(best, time.process_time() - start)
    return round(count / best)


def race(python):
    """Entrena unos pasos en cada lado, por turnos: cuánto tarda uno y a qué pérdida se llega."""
    alphabet, train, test = letters("shakespeare")
    short = NANO | {"steps": 150}
    rounds = []
    for _ in range(ROUNDS):
        sides = {"ours": fit(network(len(alphabet), short), train, test, short, parts=1)}
        sides["ours"]["validation"] = sides["ours"]["validation"][0]
        sides |= {side: in_torch(python, train, test, short, side == "compiled") for side in ("torch", "compiled")}
        for found in sides.values():
            found["milliseconds"] = round(1000 * found["cpu_seconds"] / short["steps"], 1)
            del found["loss"]
        rounds.append(sides)
        print(sides, flush=True)
    results = header("benchmarks.gpt PYTHON carrera", SEED) | short | RATES | {"rounds": rounds}
    store(RESULTS / "gpt_carrera.json", results)


def in_torch(python, train, test, setting, compiled=False):
    """Entrena lo mismo en PyTorch, en otro proceso, desde los mismos pesos."""
    model = network(train.max() + 1, setting)
    arrays = in_torch_names(model) | {"train": train, "test": test, "starts": starts_of(train, setting)}
    numbers = setting | RATES | {"letters": model.output_shape[-1], "tied": True, "threads": THREADS}
    with tempfile.TemporaryDirectory() as folder:
        np.savez(f"{folder}/data.npz", **arrays, **numbers)
        command = [python, ROOT / "benchmarks" / "gpt_torch.py", f"{folder}/data.npz", *["compile"] * compiled]
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def in_torch_names(model):
    """Da los pesos con los nombres y las formas de ``benchmarks/gpt_torch.py``."""
    kinds = [type(layer).__name__ for layer in model.layers]
    layer = {kind: model.layers[k] for k, kind in enumerate(kinds)}
    found = {"letters.weight": layer["ReversibleEmbedding"].embeddings}
    found["places.weight"] = layer["PositionEmbedding"].position_embeddings
    found["norm.weight"], found["norm.bias"] = layer["LayerNormalization"].get_weights()
    blocks = [layer for layer, kind in zip(model.layers, kinds, strict=True) if kind == "TransformerDecoder"]
    for k, block in enumerate(blocks):
        norms, *rest = _weights(block)
        names = [f"{name}.{kind}" for name in ("norm_1", "norm_2") for kind in ("weight", "bias")]
        found |= {f"blocks.{k}.{name}": norms[i] for i, name in enumerate(names)}
        names = [f"{name}.{kind}" for name in ("qkv", "project", "up", "down") for kind in ("weight", "bias")]
        found |= {f"blocks.{k}.{name}": value.T for name, value in zip(names, rest, strict=True)}
    return {name: np.array(value) for name, value in found.items()}


if __name__ == "__main__":
    main()
