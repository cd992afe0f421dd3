r"""Un paso de entrenamiento en JAX, o predecir y evaluar; los lotes se le dan ya en orden, sin barajar.

El paso entero, con un Adam escrito aquí, es una función compilada que pisa los pesos que recibe en vez de pedir otros.
Con ``scan`` como argumento lo que se compila es la época: el ciclo de los lotes también. Las convoluciones van así
muchas veces más despacio, y a esas redes no se les prueba.
"""

import sys
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax, nn
from protocol import MODELS, RECURRENT, data, quickest, serve

ACTIVATIONS = {
    None: lambda x: x,
    "relu": nn.relu,
    "leaky_relu": lambda x: nn.leaky_relu(x, 0.2),
    "sigmoid": nn.sigmoid,
}
IMAGES = ("NHWC", "HWIO", "NHWC")


def draw(rng, *shape):
    limit = (6 / sum(shape[-2:]) / np.prod(shape[:-2])) ** 0.5
    return jnp.asarray(rng.uniform(-limit, limit, shape), jnp.float32)


# Cada capa da sus pesos, lo que hace con ellos y con la entrada, y la forma de lo que sale.


def dense(rng, shape, units, activation=None):
    weights = [draw(rng, shape[-1], units), jnp.zeros(units)]
    return weights, lambda w, x: ACTIVATIONS[activation](x @ w[0] + w[1]), (*shape[:-1], units)


def conv(rng, shape, filters, size, padding, activation="relu", strides=1):
    weights = [draw(rng, size, size, shape[-1], filters), jnp.zeros(filters)]

    def run(w, x):
        x = lax.conv_general_dilated(x, w[0], (strides, strides), padding.upper(), dimension_numbers=IMAGES)
        return ACTIVATIONS[activation](x + w[1])

    return weights, run, jax.eval_shape(run, weights, jnp.zeros((1, *shape))).shape[1:]


def transpose(rng, shape, filters, size, activation="relu"):
    weights = [draw(rng, size, size, shape[-1], filters), jnp.zeros(filters)]

    def run(w, x):
        return ACTIVATIONS[activation](lax.conv_transpose(x, w[0], (2, 2), "SAME", dimension_numbers=IMAGES) + w[1])

    return weights, run, (2 * shape[0], 2 * shape[1], filters)


def pool(rng, shape):
    height, width, channels = shape[0] // 2, shape[1] // 2, shape[2]
    return [], lambda w, x: x.reshape(-1, height, 2, width, 2, channels).max((2, 4)), (height, width, channels)


def up(rng, shape):
    return [], lambda w, x: x.repeat(2, 1).repeat(2, 2), (2 * shape[0], 2 * shape[1], shape[2])


def flatten(rng, shape):
    return reshape(rng, shape, int(np.prod(shape)))


def reshape(rng, shape, *wanted):
    return [], lambda w, x: x.reshape(-1, *wanted), wanted


def embedding(rng, shape, words, width):
    # Con tan pocas palabras, elegir filas con un producto es más rápido al volver que sumarlas en su lugar.
    return [draw(rng, words, width)], lambda w, x: nn.one_hot(x, words) @ w[0], (*shape, width)


def tokens(rng, shape, words, length, width):
    weights = [draw(rng, words, width), draw(rng, length, width)]
    return weights, lambda w, x: nn.one_hot(x, words) @ w[0] + w[1][: x.shape[1]], (*shape, width)


def normalized(w, x):
    x = x - x.mean(-1, keepdims=True)
    return w[0] * x * lax.rsqrt((x * x).mean(-1, keepdims=True) + 1e-5) + w[1]


def norm(rng, shape, width):
    return [jnp.ones(width), jnp.zeros(width)], normalized, shape


def block(rng, shape, width, heads):
    sizes = (width, 3 * width), (width, width), (width, 4 * width), (4 * width, width)
    weights = [[draw(rng, *size), jnp.zeros(size[1])] for size in sizes]
    weights += [[jnp.ones(width), jnp.zeros(width)] for _ in range(2)]

    def run(w, x):
        n, steps, _ = x.shape
        parts = normalized(w[4], x) @ w[0][0] + w[0][1]
        query, key, value = (part.reshape(n, steps, heads, -1) for part in jnp.split(parts, 3, -1))
        z = nn.dot_product_attention(query, key, value, is_causal=True).reshape(n, steps, width)
        x = x + z @ w[1][0] + w[1][1]
        return x + nn.gelu(normalized(w[5], x) @ w[2][0] + w[2][1], False) @ w[3][0] + w[3][1]

    return weights, run, shape


def recurrent(kind, rng, shape, size, units):
    gates = {"rnn": 1, "gru": 3, "lstm": 4}[kind] * units
    weights = [draw(rng, size, gates), draw(rng, units, gates), jnp.zeros(gates), jnp.zeros(gates)]

    def run(w, x):
        # Los productos de la entrada, de todos los pasos a la vez; el tiempo, primero.
        entries = jnp.swapaxes(x @ w[0] + w[2], 0, 1)
        start = jnp.zeros((len(x), units))

        def rnn(h, entry):
            h = jnp.tanh(entry + h @ w[1])
            return h, h

        def gru(h, entry):
            own = h @ w[1] + w[3]
            z, r = jnp.split(nn.sigmoid(entry[:, : 2 * units] + own[:, : 2 * units]), 2, 1)
            h = z * h + (1 - z) * jnp.tanh(entry[:, 2 * units :] + r * own[:, 2 * units :])
            return h, h

        def lstm(state, entry):
            h, c = state
            i, f, g, o = jnp.split(entry + h @ w[1], 4, 1)
            c = nn.sigmoid(f) * c + nn.sigmoid(i) * jnp.tanh(g)
            h = nn.sigmoid(o) * jnp.tanh(c)
            return (h, c), h

        step = {"rnn": rnn, "gru": gru, "lstm": lstm}[kind]
        return jnp.swapaxes(lax.scan(step, (start, start) if kind == "lstm" else start, entries, unroll=4)[1], 0, 1)

    return weights, run, (shape[0], units)


def sample(rng, shape, size):
    weights = [draw(rng, shape[-1], 2 * size), jnp.zeros(2 * size)]

    def run(w, x, key):
        mean, log_var = jnp.split(x @ w[0] + w[1], 2, 1)
        divergence = 0.5 * (mean**2 + jnp.exp(log_var) - 1 - log_var).sum(1).mean()
        return mean + jax.random.normal(key, mean.shape) * jnp.exp(0.5 * log_var), divergence

    return weights, run, (size,)


LAYERS = {
    **{kind: partial(recurrent, kind) for kind in RECURRENT},
    **{"dense": dense, "conv": conv, "transpose": transpose, "pool": pool, "up": up, "flatten": flatten},
    **{"reshape": reshape, "embedding": embedding, "tokens": tokens, "norm": norm, "block": block, "sample": sample},
}


def network(rng, shape, described):
    """Da los pesos de una red y la función que la recorre, que devuelve también la divergencia del código."""
    weights, steps, kept = [], [], []
    for kind, *arguments in described:
        w, run = [], None
        if kind == "keep":
            kept.append(shape)
        elif kind == "join":
            shape = (*shape[:-1], shape[-1] + kept.pop()[-1])
        else:
            w, run, shape = LAYERS[kind](rng, shape, *arguments)
        weights.append(w)
        steps.append((kind, run))

    def apply(weights, x, key=None):
        kept, divergence = [], 0.0
        for (kind, run), w in zip(steps, weights, strict=True):
            if kind == "keep":
                kept.append(x)
            elif kind == "join":
                x = jnp.concatenate([kept.pop(), x], -1)
            elif kind == "sample":
                x, divergence = run(w, x, key)
            else:
                x = run(w, x)
        return x, divergence

    return weights, apply


def classes(found, y):
    return -jnp.take_along_axis(nn.log_softmax(found), y[..., jnp.newaxis], -1).mean()


def pixels(found, y):
    found = jnp.clip(found, 1e-7, 1 - 1e-7)
    return -(y * jnp.log(found) + (1 - y) * jnp.log1p(-found)).mean()


def judged(found, real):
    return nn.softplus(-found if real else found).mean()


LOSSES = {"classes": classes, "letters": classes, "pixels": pixels, "input": lambda found, y: ((found - y) ** 2).mean()}


def adam(weights, gradient, state):
    m, v, t = state
    t = t + 1
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, gradient)
    v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, gradient)
    rate = 1e-3 * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    return jax.tree.map(lambda w, m, v: w - rate * m / (jnp.sqrt(v) + 1e-7), weights, m, v), (m, v, t)


def untouched(weights):
    return jax.tree.map(jnp.zeros_like, weights), jax.tree.map(jnp.zeros_like, weights), jnp.zeros(())


def make(model, task, batch):
    rng = np.random.default_rng(0)
    described = MODELS[model]
    if "scan" in sys.argv and (task != "fit" or {"conv", "transpose"} & {kind for kind, *_ in described["layers"]}):
        return None
    x, y = (jnp.asarray(array) for array in data(model, task))
    weights, apply = network(rng, described["input"], described["layers"])
    if task != "fit":
        return whole(weights, apply, x, y, task)
    if "generator" in described:
        painter, paint = network(rng, (described["noise"],), described["generator"])
        weights, step = (painter, weights), gan(paint, apply, (batch, described["noise"]))
        state = tuple(map(untouched, weights))
    else:
        step, state = classic(apply, LOSSES[described["target"]]), untouched(weights)
    batches = [array.reshape(-1, batch, *array.shape[1:]) for array in (x, y)]
    return loop(step, weights, state, batches)


def classic(apply, loss):
    def step(weights, state, key, x, y):
        def measure(weights):
            found, divergence = apply(weights, x, key)
            return loss(found, y) + divergence / x[0].size

        return adam(weights, jax.grad(measure)(weights), state)

    return step


def gan(paint, judge, noise):
    def step(weights, state, key, real, _):
        painter, judge_weights = weights
        z = jax.random.normal(key, noise)
        # Las imágenes que se le mostraron al discriminador sirven también para el paso del generador.
        fake, back = jax.vjp(lambda w: paint(w, z)[0], painter)

        def mistakes(w):
            found = judge(w, jnp.concatenate([real, fake]))[0]
            return (judged(found[: len(real)], True) + judged(found[len(real) :], False)) / 2

        judge_weights, judge_state = adam(judge_weights, jax.grad(mistakes)(judge_weights), state[1])
        (gradient,) = back(jax.grad(lambda image: judged(judge(judge_weights, image)[0], True))(fake))
        painter, painter_state = adam(painter, gradient, state[0])
        return (painter, judge_weights), (painter_state, judge_state)

    return step


def loop(step, weights, state, batches):
    """Da la función que entrena: un lote tras otro, o la época compilada entera."""
    kept = weights, state, jax.random.key(0)

    def one(carried, rows):
        weights, state, key = carried
        key, own = jax.random.split(key)
        return (*step(weights, state, own, *rows), key), None

    if "scan" in sys.argv:
        epoch = jax.jit(lambda carried, batches: lax.scan(one, carried, batches)[0], donate_argnums=0)
    else:
        once = jax.jit(lambda carried, *rows: one(carried, rows)[0], donate_argnums=0)
        batches = list(zip(*batches, strict=True))

        def epoch(carried, batches):
            for rows in batches:
                carried = once(carried, *rows)
            return carried

    def train(epochs):
        nonlocal kept
        for _ in range(epochs):
            kept = epoch(kept, batches)
        jax.block_until_ready(kept)

    return train


def whole(weights, apply, x, y, task):
    @jax.jit
    def predict(weights, x):
        return apply(weights, x)[0]

    @jax.jit
    def evaluate(weights, x, y):
        found = apply(weights, x)[0]
        return jnp.stack([classes(found, y), (found.argmax(1) == y).mean()])

    def run(size):
        pieces = [slice(start, start + size) for start in range(0, len(x), size)]
        if task == "predict":
            return np.concatenate([predict(weights, x[piece]) for piece in pieces])
        return np.asarray(sum(evaluate(weights, x[piece], y[piece]) for piece in pieces)) / len(pieces)

    return quickest(run)


if __name__ == "__main__":
    serve(make, {"jax": jax.__version__})
