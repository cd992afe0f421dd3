r"""Una y dos capas de atención, con historias que se repiten; deja ``docs/resultados/induccion.json``.

Se ejecuta con ``python -m benchmarks.induction`` y tarda unos tres minutos. Es el experimento de la página «Cabezas que
se pueden leer».
"""

from pathlib import Path

import numpy as np

from benchmarks.record import header, store
from chapters.attention import MultiHeadAttention, TokenAndPositionEmbedding
from chapters.mlp import Adam, Add, Dense, Input, Model, SparseCategoricalCrossentropy

RESULTS = Path(__file__).resolve().parents[1] / "docs" / "resultados" / "induccion.json"
LETTERS, STEPS, SHORTEST, LONGEST = 16, 24, 6, 12
SEEDS, BATCH, RATE, ROUNDS, STEPS_A_ROUND, TEST = range(3), 64, 3e-3, 12, 100, 256
# Cuántas capas, de qué ancho y con cuántas cabezas.
NETWORKS = {"una capa": (1, 32, 1), "una capa de cuatro cabezas": (1, 64, 4), "dos capas": (2, 32, 1)}


def main():
    results = {
        **header("benchmarks.induction", SEEDS[0]),
        **{"letters": LETTERS, "steps": STEPS, "batch_size": BATCH, "learning_rate": RATE},
        **{"steps_a_round": STEPS_A_ROUND, "networks": NETWORKS, "accuracy": {}, "looks": []},
    }
    for name, sizes in NETWORKS.items():
        results["accuracy"][name] = rows = []
        for seed in SEEDS:
            looking, found = train(seed, *sizes)
            rows.append(found)
            print(name, seed, found, flush=True)
            if sizes[0] == 2:
                results["looks"].append(looks(looking))
    store(RESULTS, results)


def stories(n, rng):
    """Sortea historias: unas letras distintas, y otra vez las mismas; cada una con su periodo."""
    periods = rng.integers(SHORTEST, LONGEST + 1, n)
    whole = np.array([np.resize(rng.permutation(LETTERS)[:p], STEPS + 1) for p in periods])
    # Lo que sigue solo se puede saber desde la primera letra que se repite.
    return whole[:, :-1], whole[:, 1:], periods, (np.arange(STEPS) >= periods[:, None]).astype(np.float32)


def train(seed, layers, width, heads):
    """Entrena; da un modelo con los pesos de la atención, y los aciertos después de cada tanda."""
    x = first = Input((STEPS,))
    x = TokenAndPositionEmbedding(LETTERS, STEPS, width)(x)
    weights = []
    for _ in range(layers):
        y, a = MultiHeadAttention(heads, width // heads)(x, x, use_causal_mask=True, return_attention_scores=True)
        x = Add()([x, y])
        weights.append(a)
    model = Model(first, Dense(LETTERS)(x), seed=seed)
    model.compile(Adam(RATE), SparseCategoricalCrossentropy(from_logits=True))
    rng, found = np.random.default_rng(seed), []
    test, right, _, counts = stories(TEST, np.random.default_rng(1000))
    for _ in range(ROUNDS):
        x, y, _, w = stories(STEPS_A_ROUND * BATCH, rng)
        model.fit(x, y, BATCH, 1, sample_weight=w, verbose=0)
        hits = model.predict(test, verbose=0).argmax(-1) == right
        found.append(round(float((hits * counts).sum() / counts.sum()), 4))
    return Model(first, weights), found


def looks(looking):
    """Cuánto mira la primera capa a la letra de antes, y la segunda, a la que siguió a la misma letra."""
    test, _, periods, _ = stories(TEST, np.random.default_rng(1000))
    first, second = (a[:, 0] for a in looking.predict(test, verbose=0))
    before = first[:, np.arange(1, STEPS), np.arange(STEPS - 1)].mean()
    after = [second[i, t, t - p + 1] for i, p in enumerate(periods) for t in range(p, STEPS)]
    return [round(float(before), 4), round(float(np.mean(after)), 4)]


if __name__ == "__main__":
    main()
