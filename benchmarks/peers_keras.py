r"""Un paso de entrenamiento en Keras sobre TensorFlow, con ``fit``.

Con ``plain`` como argumento no se usa el compilador XLA, que Keras pone por su cuenta donde puede.
"""

import os
import sys

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# oneDNN, que TensorFlow apaga en algunos procesadores: con él las convoluciones tardan menos de la mitad.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import keras
import tensorflow as tf
from protocol import MODELS, RECURRENT, data, serve

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
    "input": "mse",
    "pixels": "binary_crossentropy",
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


class Gan(keras.Model):
    """Un paso del discriminador y uno del generador, en una sola función compilada."""

    def __init__(self, generator, discriminator, noise):
        super().__init__()
        self.generator, self.discriminator, self.noise = generator, discriminator, noise
        self.optimizers = keras.optimizers.Adam(), keras.optimizers.Adam()
        self.cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)

    def train_step(self, real):
        """Da los dos pasos con un lote de imágenes de verdad."""
        n = tf.shape(real)[0]
        ones = tf.ones((n, 1))
        targets = tf.concat([ones, tf.zeros((n, 1))], 0)
        # Las imágenes que se le mostraron al discriminador sirven también para el paso del generador.
        with tf.GradientTape() as outer:
            fake = self.generator(tf.random.normal((n, self.noise)), training=True)
            with tf.GradientTape() as tape:
                images = tf.concat([real, tf.stop_gradient(fake)], 0)
                loss = self.cross_entropy(targets, self.discriminator(images, training=True))
            weights = self.discriminator.trainable_weights
            self.optimizers[1].apply(tape.gradient(loss, weights), weights)
            loss = self.cross_entropy(ones, self.discriminator(fake, training=True))
        weights = self.generator.trainable_weights
        self.optimizers[0].apply(outer.gradient(loss, weights), weights)
        return {"loss": loss}


def make(model, batch):
    keras.utils.set_random_seed(0)
    x, y = data(model)
    described = MODELS[model]
    trained = network(described["input"], described["layers"])
    if "generator" in described:
        noise = described["noise"]
        trained = Gan(network((noise,), described["generator"]), trained, noise)
        trained.compile()
        return lambda epochs: trained.fit(x, batch_size=batch, epochs=epochs, verbose=0)
    compiled = False if "plain" in sys.argv else "auto"
    trained.compile(keras.optimizers.Adam(), LOSSES[described["target"]], jit_compile=compiled)
    return lambda epochs: trained.fit(x, y, batch_size=batch, epochs=epochs, verbose=0)


if __name__ == "__main__":
    serve(make, {"keras": keras.__version__, "tensorflow": tf.__version__})
