r"""Copiar lo de tres lugares atrás, con cuatro maneras de decir dónde; deja ``docs/resultados/posiciones.json``.

Se ejecuta con ``python -m benchmarks.positions`` y tarda menos de un minuto. Cada modelo es una tabla, una sola
cabeza causal y una capa densa. Aprende con líneas de 16 símbolos al azar y se mide también con más largas. Cada vez
se cuenta qué fracción de los símbolos copia bien; los tres primeros de cada línea, que no tienen nada tres lugares
atrás, no cuentan.
"""

from pathlib import Path

import numpy as np

from benchmarks.record import header, store
from chapters.attention import (
    RotaryEmbedding,
    SinePositionEncoding,
    TokenAndPositionEmbedding,
    causal_mask,
    scaled_dot_product_attention,
    scaled_dot_product_attention_backward,
)
from chapters.mlp import Adam, Add, Dense, Input, Layer, Model, SparseCategoricalCrossentropy
from chapters.rnn import Embedding

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "docs" / "resultados" / "posiciones.json"
SYMBOLS, WIDTH, BACK, LENGTH = 8, 32, 3, 16
LENGTHS = [16, 32, 64, 128]
EXAMPLES, BATCH, EPOCHS, RATE, SEEDS = 2048, 32, 15, 3e-3, 5
WAYS = "nada", "tabla", "senos", "giros"


class Look(Layer):
    r"""Una cabeza causal que gira, o no, sus consultas y sus claves."""

    any_size = True

    def __init__(self, width, turn, **options):
        super().__init__(**options)
        self.width, self.turn = width, turn
        self.projections = [Dense(width, name=name) for name in ("query", "key", "value")]
        self.turns = [RotaryEmbedding(name="turn_query"), RotaryEmbedding(name="turn_key")] if turn else []
        self.layers = [*self.projections, *self.turns]

    def build(self, input_shape):
        r"""Construye las tres transformaciones."""
        super().build(input_shape)
        for layer in self.layers:
            layer.inherit(self)
            layer.build_inside((*input_shape[:-1], self.width))

    def forward(self, x, training=False):
        r"""Compara, reparte y mezcla."""
        self.x = x = self.ready(x)
        parts = [layer.forward(x) for layer in self.projections]
        for k, turn in enumerate(self.turns):
            parts[k] = turn.forward(parts[k])
        self.parts = parts
        self.y, self.a = scaled_dot_product_attention(*parts, causal_mask(x.shape[1]))
        return self.y

    def backward(self, dy):
        r"""Regresa por la mezcla, por los giros y por las tres transformaciones."""
        dy = self.output_gradient(dy)
        slopes = list(scaled_dot_product_attention_backward(*self.parts, self.a, dy))
        for k, turn in enumerate(self.turns):
            slopes[k] = turn.backward(slopes[k])
        return sum(layer.backward(slope) for layer, slope in zip(self.projections, slopes, strict=True))


def network(way, seed):
    """Arma el modelo con una manera de decir dónde está cada símbolo."""
    read = Input((None,), dtype="int64")
    if way == "tabla":
        x = TokenAndPositionEmbedding(SYMBOLS, LENGTH, WIDTH)(read)
    else:
        x = Embedding(SYMBOLS, WIDTH)(read)
        x = Add()([x, SinePositionEncoding()(x)]) if way == "senos" else x
    model = Model(read, Dense(SYMBOLS)(Look(WIDTH, way == "giros")(x)), seed=seed)
    model.compile(Adam(RATE), SparseCategoricalCrossentropy(from_logits=True))
    return model


def lines(n, length, rng):
    """Líneas al azar, lo que hay que contestar y qué lugares cuentan."""
    x = rng.integers(0, SYMBOLS, (n, length))
    y = np.roll(x, BACK, axis=1)
    return x, y, np.broadcast_to(np.arange(length) >= BACK, x.shape).astype(float)


def measure(way, seed):
    """Entrena, y da con cada largo la fracción de aciertos y cuánto peso se lleva, en promedio, el de tres atrás."""
    rng = np.random.default_rng(seed)
    model = network(way, seed)
    x, y, weight = lines(EXAMPLES, LENGTH, rng)
    model.fit(x, y, batch_size=BATCH, epochs=EPOCHS, sample_weight=weight, verbose=0)
    found = {}
    for length in LENGTHS if way != "tabla" else LENGTHS[:1]:
        x, y, _ = lines(200, length, rng)
        hits = model.forward(x).argmax(axis=-1) == y
        (look,) = (layer for layer in model.layers if isinstance(layer, Look))
        weights = np.diagonal(look.a, -BACK, axis1=1, axis2=2)
        found[str(length)] = [round(float(numbers.mean()), 4) for numbers in (hits[:, BACK:], weights)]
    return found


def main():
    sizes = {"symbols": SYMBOLS, "width": WIDTH, "back": BACK, "length": LENGTH, "examples": EXAMPLES}
    settings = sizes | {"batch_size": BATCH, "epochs": EPOCHS, "learning_rate": RATE, "seeds": SEEDS}
    results = {"accuracy": {}, "weight": {}}
    for way in WAYS:
        runs = [measure(way, seed) for seed in range(SEEDS)]
        for k, name in enumerate(results):
            results[name][way] = [{length: pair[k] for length, pair in run.items()} for run in runs]
        print(way, runs, flush=True)
    store(RESULTS, header("benchmarks.positions", 0) | settings | results)


if __name__ == "__main__":
    main()
