r"""Normalizar antes o después de cada subcapa; deja ``docs/resultados/antes_o_despues.json``.

Unas redes de bloques codificadores aprenden a ordenar ocho cifras. Cambian la profundidad, la tasa, si hay
calentamiento y dónde va la normalización, y se anota qué fracción de las cifras queda en su lugar en frases nuevas.
Se ejecuta con ``python -m benchmarks.pre_post_norm`` y tarda unos minutos; también por partes, con sus nombres.
"""

import json
import sys
from pathlib import Path

import numpy as np

from benchmarks.record import header, store
from chapters.attention import LayerNormalization, TransformerEncoder
from chapters.mlp import Adam, CosineDecay, Dense, Input, Sequential, SparseCategoricalCrossentropy
from dlbook.numeric.parallel import set_threads

RESULTS = Path(__file__).resolve().parents[1] / "docs" / "resultados" / "antes_o_despues.json"
DEPTHS, RATES, SEEDS = [2, 6, 16], [1e-3, 3e-3, 1e-2], range(3)
DIGITS, LENGTH, WIDTH, HEADS, BATCH, STEPS, WARMUP, TEST = 10, 8, 32, 2, 16, 300, 100, 500

# Si se normaliza antes, y si hay calentamiento.
ARMS = {
    "antes, sin calentamiento": (True, False),
    "antes, con calentamiento": (True, True),
    "después, sin calentamiento": (False, False),
    "después, con calentamiento": (False, True),
}


def main():
    set_threads(1)
    settings = {"digits": DIGITS, "length": LENGTH, "width": WIDTH, "heads": HEADS, "batch_size": BATCH}
    settings |= {"steps": STEPS, "warmup": WARMUP, "depths": DEPTHS, "rates": RATES, "seeds": len(SEEDS)}
    results = header("benchmarks.pre_post_norm", SEEDS[0]) | settings
    for name in sys.argv[1:] or ARMS:
        first, warmup = ARMS[name]
        rows = [[[measure(d, r, warmup, first, s) for s in SEEDS] for r in RATES] for d in DEPTHS]
        print(name, rows, flush=True)
        # Lo que ya estaba con los mismos números se conserva.
        old = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
        kept = old.get("accuracy", {}) if all(old.get(key) == value for key, value in settings.items()) else {}
        store(RESULTS, results | {"accuracy": kept | {name: rows}})


def draw(n, rng):
    """Cifras al azar, con su lugar, y las mismas en orden."""
    y = rng.integers(0, DIGITS, (n, LENGTH))
    x = np.concatenate([np.eye(DIGITS)[y], np.tile(np.eye(LENGTH), (n, 1, 1))], axis=-1).astype("float32")
    return x, np.sort(y, axis=1)


def network(depth, first, seed):
    """Una fila de bloques; con la normalización antes, una más al final."""
    blocks = [TransformerEncoder(4 * WIDTH, HEADS, normalize_first=first) for _ in range(depth)]
    last = [LayerNormalization(epsilon=1e-5)] if first else []
    return Sequential([Input((LENGTH, DIGITS + LENGTH)), Dense(WIDTH), *blocks, *last, Dense(DIGITS)], seed=seed)


def measure(depth, rate, warmup, first, seed):
    """Entrena; da la fracción de cifras en su lugar en frases nuevas."""
    rng = np.random.default_rng(seed)
    model = network(depth, first, seed)
    # Con ``alpha=1`` la tasa no baja: sube en línea recta y se queda.
    schedule = CosineDecay(0.0, STEPS, 1.0, warmup_target=rate, warmup_steps=WARMUP) if warmup else rate
    model.compile(Adam(schedule), SparseCategoricalCrossentropy(from_logits=True))
    model.fit(*draw(STEPS * BATCH, rng), BATCH, 1, shuffle=False, verbose=0)
    x, y = draw(TEST, np.random.default_rng(1000 + seed))
    scores = model.predict(x, verbose=0)
    return round(float((scores.argmax(axis=-1) == y).mean()), 4) if np.isfinite(scores).all() else None


if __name__ == "__main__":
    main()
