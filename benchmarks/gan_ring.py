r"""Una GAN ante ocho montones, con tres repartos de turnos; deja ``docs/resultados/gan_anillo.json``.

Se ejecuta con ``python -m benchmarks.gan_ring`` y tarda unos minutos.
"""

import time
from pathlib import Path

from benchmarks.record import header, store
from chapters.autoencoder import GAN, mode_coverage
from chapters.mlp import Adam, Dense, Input, Sequential
from chapters.mlp.activations import LeakyReLU
from dlbook.data import gaussian_ring

RESULTS = Path(__file__).resolve().parents[1] / "docs" / "resultados" / "gan_anillo.json"
SEEDS = range(4)
# Cuántos turnos seguidos le tocan a cada uno, discriminador y generador, en cada ronda.
TURNS = {"1:1": (1, 1), "1:5": (1, 5), "5:1": (5, 1)}
BATCH, ROUNDS, EVERY = 128, 500, 50
RATE, RADIUS = 5e-3, 0.2


def main():
    started = time.perf_counter()
    settings = {"batch_size": BATCH, "rounds": ROUNDS, "every": EVERY, "learning_rate": RATE, "radius": RADIUS}
    results = {**header("benchmarks.gan_ring", SEEDS[0]), **settings, "runs": {}}
    for name, turns in TURNS.items():
        runs = [train(*turns, seed) for seed in SEEDS]
        good, covered, samples = zip(*runs, strict=True)
        results["runs"][name] = {"good": good, "covered": covered, "samples": samples[0]}
        print(name, [values[-1] for values in covered], [values[-1] for values in good], flush=True)
    store(RESULTS, results | {"seconds": round(time.perf_counter() - started, 1)})


def train(judged, forged, seed):
    """Entrena; da, cada tantas rondas, la fracción de muestras buenas y los montones cubiertos, y las últimas."""
    hidden = [Dense(64, "relu"), Dense(64, "relu"), Dense(2)]
    generator = Sequential([Input((2,)), *hidden], seed=seed)
    hidden = [Dense(64), LeakyReLU(0.2), Dense(64), LeakyReLU(0.2), Dense(1)]
    gan = GAN(generator, Sequential([Input((2,)), *hidden], seed=100 + seed), seed=seed)
    gan.compile(Adam(RATE, beta_1=0.5), Adam(RATE, beta_1=0.5))
    x, y = gaussian_ring(ROUNDS * judged * BATCH, seed=seed)
    centers = [x[y == k].mean(axis=0) for k in range(8)]
    batches, good, covered, samples = iter(x.reshape(-1, BATCH, 2)), [], [], []
    for done in range(1, ROUNDS + 1):
        for _ in range(judged):
            gan.train_discriminator(next(batches))
        for _ in range(forged):
            gan.train_generator(BATCH)
        if done % EVERY == 0:
            samples = gan.sample(1000)
            share, those = mode_coverage(samples, centers, RADIUS)
            good.append(round(share, 3))
            covered.append(int(those.sum()))
    return good, covered, samples[:300].round(3).tolist()


if __name__ == "__main__":
    main()
