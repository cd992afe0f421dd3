"""Con qué se mide: datos, azar rebobinado, gradientes en unas direcciones y una red alrededor de una capa."""

import copy

import numpy as np

from chapters.mlp import Dense, Flatten, Input, Sequential
from dlbook.gradcheck import check_gradients
from dlbook.training import walk


def sample(shape, n=3, seed=1, dtype="float64"):
    """Observaciones al azar."""
    return np.random.default_rng(seed).normal(size=(n, *shape)).astype(dtype)


def built(case, n=3, **options):
    """Una capa con pesos que no son los de fábrica, y con qué recordar si recuerda algo."""
    layer = case.fed(**({"dtype": "float64", "seed": 0} | options))
    layer.build(case.shape)
    stir(layer)
    layer.forward(sample(case.shape, 5, seed=9, dtype=layer.dtype), training=True)
    return layer


def stir(layer):
    """Mueve un poco los pesos que se aprenden: un sesgo en cero esconde errores."""
    rng = np.random.default_rng(3)
    for weight in layer.trainable_weights:
        weight += 0.3 * rng.normal(size=weight.shape)


def rewound(layer):
    """Una función que deja el azar y lo que la capa recuerda como están ahora."""
    generators = [inner.generator for inner in walk(layer)]
    states = [copy.deepcopy(generator.bit_generator.state) for generator in generators]
    kept = [weight.copy() for weight in layer.non_trainable_weights]

    def rewind():
        for generator, state in zip(generators, states, strict=True):
            generator.bit_generator.state = state
        for weight, value in zip(layer.non_trainable_weights, kept, strict=True):
            weight[...] = value

    return rewind


def assert_gradients(f, arrays, gradients, rtol=1e-6, atol=1e-9, directions=3):
    """Mueve cada arreglo entero en unas direcciones al azar, y compara lo que cambia ``f`` con lo calculado.

    Una dirección al azar mezcla todas las coordenadas: si alguna derivada está mal, se nota, y son dos cuentas.
    """
    rng = np.random.default_rng(4)
    starts = {name: array.copy() for name, array in arrays.items()}
    ways = {name: rng.normal(size=(directions, *array.shape)) for name, array in arrays.items()}
    steps = {name: np.zeros(directions) for name in arrays}

    def moved():
        for name, array in arrays.items():
            array[...] = starts[name] + np.tensordot(steps[name], ways[name], 1)
        return float(f())

    expected = {name: np.tensordot(ways[name], gradients[name].copy(), array.ndim) for name, array in arrays.items()}
    report = check_gradients(moved, steps, expected, rtol=rtol, atol=atol)
    moved()
    assert report.ok, str(report)


def check_layer(layer, x, training):
    """Compara con lo medido los gradientes de la entrada y de todos los pesos que se aprenden."""
    rewind = rewound(layer)

    def forward():
        rewind()
        return layer.forward(x, training=training)

    share = sample(forward().shape[1:], len(x), seed=2)
    dx = layer.backward(share)
    names = ["x", *(f"w{k}" for k in range(len(layer.gradients)))]
    arrays, slopes = [x, *layer.trainable_weights], [dx, *layer.gradients]
    assert_gradients(
        # Lo que la capa suma a la pérdida va como media.
        lambda: (forward() * share).sum() + layer.added_loss(len(x)) / len(x),
        dict(zip(names, arrays, strict=True)),
        dict(zip(names, slopes, strict=True)),
    )


def network(case, below=True, **options):
    """La capa con una densa debajo, que la obliga a devolver su gradiente, y otra encima."""
    first = [Dense(case.shape[-1], "tanh")] if below else []
    layers = [Input(case.shape), *first, case.fed(**options), Flatten(), Dense(2, "tanh")]
    model = Sequential(layers, dtype="float64", seed=3)
    stir(model)
    return model
