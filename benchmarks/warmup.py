r"""Un transformer hondo que ordena dígitos, con calentamiento y sin él; deja ``docs/resultados/calentamiento.json``.

Se ejecuta con ``python -m benchmarks.warmup``. Con la normalización después y antes, con tres tasas y tres semillas.
"""

from pathlib import Path

import numpy as np

from benchmarks.record import header, store
from chapters.attention import TokenAndPositionEmbedding, TransformerEncoder
from chapters.mlp import Adam, CosineDecay, Dense, Input, Model, SparseCategoricalCrossentropy

RESULTS = Path(__file__).resolve().parents[1] / "docs" / "resultados" / "calentamiento.json"
BLOCKS, WIDTH, HEADS, LENGTH, BATCH, STEPS, WARMUP = 8, 32, 4, 8, 32, 120, 60
RATES, SEEDS = (1e-3, 5e-3, 2e-2), range(3)


def network(seed, first):
    """Arma el modelo: ocho bloques codificadores."""
    words = Input((LENGTH,))
    x = TokenAndPositionEmbedding(11, LENGTH, WIDTH)(words)
    for _ in range(BLOCKS):
        x = TransformerEncoder(2 * WIDTH, HEADS, normalize_first=first)(x)
    return Model(words, Dense(10)(x), seed=seed)


def run(rate, seed, first, warm):
    """Entrena con dígitos al azar y da la pérdida con otros."""
    x = np.random.default_rng(seed).integers(1, 11, (BATCH * (STEPS + 10), LENGTH))
    y = np.sort(x, axis=1) - 1
    model = network(seed, first)
    # Después de subir no baja: la única diferencia es el principio.
    rate = CosineDecay(0.0, 10**9, warmup_target=rate, warmup_steps=WARMUP) if warm else rate
    model.compile(Adam(rate), SparseCategoricalCrossentropy(from_logits=True))
    cut = BATCH * STEPS
    model.fit(x[:cut], y[:cut], batch_size=BATCH, shuffle=False, verbose=0)
    return round(model.evaluate(x[cut:], y[cut:], verbose=0), 4)


def main():
    settings = {"blocks": BLOCKS, "width": WIDTH, "heads": HEADS, "length": LENGTH, "batch": BATCH}
    settings |= {"steps": STEPS, "warmup": WARMUP, "rates": RATES, "seeds": len(SEEDS)}
    losses = {}
    for first in (False, True):
        for warm in (False, True):
            name = ("antes" if first else "después") + (", con" if warm else ", sin")
            losses[name] = [[run(rate, seed, first, warm) for seed in SEEDS] for rate in RATES]
            print(name, losses[name], flush=True)
    store(RESULTS, {**header("benchmarks.warmup", "0, 1, 2"), **settings, "losses": losses})


if __name__ == "__main__":
    main()
