r"""Un paso de entrenamiento en Keras sobre TensorFlow, o predecir y evaluar.

El paso se escribe a mano y se compila entero con ``tf.function``, que aquí va más rápido que ``fit``; los lotes se le
dan ya cortados. Con ``xla`` como argumento lo compila además XLA.
"""

import os
import sys

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# oneDNN, que TensorFlow apaga en algunos procesadores: con él las convoluciones tardan menos de la mitad.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import keras
import numpy as np
import tensorflow as tf
from protocol import MODELS, RECURRENT, data, quickest, serve

layers = keras.layers


class Sample(layers.Layer):
    """El código de un VAE: media, logaritmo de la varianza y un sorteo; suma su divergencia a la pérdida."""

    def __init__(self, size):
        super().__init__()
        self.mean, self.log_var = layers.Dense(size), layers.Dense(size)

    def build(self, shape):
        """Crea las dos densas."""
        self.mean.build(shape)
        self.log_var.build(shape)

    def call(self, x):
        """Sortea."""
        mean, log_var = self.mean(x), self.log_var(x)
        divergence = 0.5 * tf.reduce_sum(mean**2 + tf.exp(log_var) - 1 - log_var, 1)
        self.add_loss(tf.reduce_mean(divergence) / 784)
        return mean + tf.random.normal(tf.shape(mean)) * tf.exp(0.5 * log_var)


class Tokens(layers.Layer):
    """El vector de cada palabra más el de su lugar."""

    def __init__(self, words, length, width):
        super().__init__()
        self.words, self.places = layers.Embedding(words, width), layers.Embedding(length, width)
        self.length = length

    def build(self, shape):
        """Crea las dos tablas."""
        self.words.build()
        self.places.build()

    def call(self, x):
        """Los suma."""
        return self.words(x) + self.places(tf.range(self.length))


def block(width, heads):
    """Da un bloque de GPT: normaliza, atiende a lo anterior y suma; normaliza, dos densas y suma."""

    def apply(x):
        y = layers.LayerNormalization()(x)
        x = layers.Add()([x, layers.MultiHeadAttention(heads, width // heads)(y, y, use_causal_mask=True)])
        y = layers.Dense(4 * width, activation="gelu")(layers.LayerNormalization()(x))
        return layers.Add()([x, layers.Dense(width)(y)])

    return apply


RECURRENT_LAYERS = {"rnn": layers.SimpleRNN, "gru": layers.GRU, "lstm": layers.LSTM}
LAYERS = {
    **{kind: lambda size, units, kind=kind: RECURRENT_LAYERS[kind](units, return_sequences=True) for kind in RECURRENT},
    "embedding": layers.Embedding,
    "tokens": Tokens,
    "block": block,
    "norm": lambda width: layers.LayerNormalization(),
    "dense": lambda units, activation=None: layers.Dense(units, activation=activation),
    "conv": lambda filters, size, padding, activation="relu", strides=1: layers.Conv2D(
        filters, size, strides, padding, activation=activation
    ),
    "transpose": lambda filters, size, activation="relu": layers.Conv2DTranspose(
        filters, size, 2, "same", activation=activation
    ),
    "pool": layers.MaxPooling2D,
    "up": layers.UpSampling2D,
    "flatten": layers.Flatten,
    "reshape": lambda *shape: layers.Reshape(shape),
    "sample": Sample,
}
LOSSES = {
    "classes": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    "letters": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    "input": keras.losses.MeanSquaredError(),
    "pixels": keras.losses.BinaryCrossentropy(),
}


def network(shape, described):
    kept = []
    x = first = layers.Input(shape, dtype="int32" if described[0][0] in ("embedding", "tokens") else None)
    for kind, *arguments in described:
        if kind == "keep":
            kept.append(x)
        else:
            x = layers.Concatenate()([kept.pop(), x]) if kind == "join" else LAYERS[kind](*arguments)(x)
    return keras.Model(first, x)


def compiled(run):
    return tf.function(run, jit_compile="xla" in sys.argv)


def make(model, task, batch):
    keras.backend.clear_session()
    keras.utils.set_random_seed(0)
    x, y = data(model, task)
    described = MODELS[model]
    trained = network(described["input"], described["layers"])
    if task != "fit":
        return whole(trained, x, y, task)
    if "generator" in described:
        step = gan(network((described["noise"],), described["generator"]), trained, described["noise"], batch)
    else:
        step = classic(trained, LOSSES[described["target"]])
    starts = range(0, len(x), batch)
    batches = [(tf.constant(x[start : start + batch]), tf.constant(y[start : start + batch])) for start in starts]

    def train(epochs):
        for _ in range(epochs):
            for x, y in batches:
                found = step(x, y)
        # Lo que se mide termina cuando el último paso.
        return float(found)

    return train


def classic(trained, loss):
    optimizer = keras.optimizers.Adam()
    optimizer.build(trained.trainable_variables)

    @compiled
    def step(x, y):
        with tf.GradientTape() as tape:
            total = loss(y, trained(x, training=True)) + sum(trained.losses)
        optimizer.apply(tape.gradient(total, trained.trainable_variables), trained.trainable_variables)
        return total

    return step


def gan(generator, discriminator, noise, batch):
    cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)
    optimizers = keras.optimizers.Adam(), keras.optimizers.Adam()
    for optimizer, one in zip(optimizers, (generator, discriminator), strict=True):
        optimizer.build(one.trainable_variables)
    ones = tf.ones((batch, 1))
    targets = tf.concat([ones, tf.zeros((batch, 1))], 0)

    @compiled
    def step(real, _):
        # Las imágenes que se le mostraron al discriminador sirven también para el paso del generador.
        with tf.GradientTape() as outer:
            fake = generator(tf.random.normal((batch, noise)), training=True)
            with tf.GradientTape() as tape:
                images = tf.concat([real, tf.stop_gradient(fake)], 0)
                loss = cross_entropy(targets, discriminator(images, training=True))
            weights = discriminator.trainable_variables
            optimizers[1].apply(tape.gradient(loss, weights), weights)
            loss = cross_entropy(ones, discriminator(fake, training=True))
        weights = generator.trainable_variables
        optimizers[0].apply(outer.gradient(loss, weights), weights)
        return loss

    return step


def whole(trained, x, y, task):
    cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="sum")

    @compiled
    def evaluate(x, y):
        found = trained(x, training=False)
        right = tf.reduce_sum(tf.cast(tf.argmax(found, 1) == y, tf.float32))
        return tf.stack([cross_entropy(y, found), right])

    predict = compiled(lambda x: trained(x, training=False))
    x, y = tf.constant(x), tf.constant(y)

    def run(size):
        pieces = [slice(start, start + size) for start in range(0, len(x), size)]
        if task == "predict":
            return np.concatenate([predict(x[piece]).numpy() for piece in pieces])
        return (sum(evaluate(x[piece], y[piece]) for piece in pieces) / len(x)).numpy()

    return quickest(run)


if __name__ == "__main__":
    serve(make, {"keras": keras.__version__, "tensorflow": tf.__version__})
