r"""Un paso de entrenamiento en este libro, con ``fit`` completo y los datos barajados; también predecir y evaluar."""

from importlib.metadata import version

import numpy as np
from protocol import MODELS, data, serve

from chapters.attention.blocks.layer_normalization import LayerNormalization
from chapters.attention.blocks.transformer_decoder import TransformerDecoder
from chapters.attention.positions.learned import TokenAndPositionEmbedding
from chapters.cnn.convolution.conv2d import Conv2D
from chapters.cnn.convolution.conv2d_transpose import Conv2DTranspose
from chapters.cnn.pooling.max_pooling import MaxPooling2D
from chapters.cnn.pooling.upsampling import UpSampling2D
from chapters.mlp.dense import Dense
from chapters.mlp.flatten import Flatten
from chapters.mlp.losses import BinaryCrossentropy, MeanSquaredError, SparseCategoricalCrossentropy
from chapters.mlp.merging import Concatenate
from chapters.mlp.model import Model
from chapters.mlp.optimizers import Adam
from chapters.mlp.reshape import Reshape
from chapters.mlp.sequential import Input, Sequential
from chapters.rnn.embeddings.embedding import Embedding
from chapters.rnn.recurrent.gru import GRU
from chapters.rnn.recurrent.lstm import LSTM
from chapters.rnn.recurrent.simple_rnn import SimpleRNN

LAYERS = {
    "dense": lambda units, activation=None: Dense(units, activation=activation),
    "conv": lambda filters, size, padding, activation="relu", strides=1: Conv2D(
        filters, size, strides, padding, activation=activation
    ),
    "transpose": lambda filters, size, activation="relu": Conv2DTranspose(
        filters, size, 2, "same", activation=activation
    ),
    "pool": MaxPooling2D,
    "up": UpSampling2D,
    "flatten": Flatten,
    "reshape": lambda *shape: Reshape(shape),
    "embedding": Embedding,
    "tokens": lambda words, length, width: TokenAndPositionEmbedding(words, length, width),
    "block": lambda width, heads: TransformerDecoder(4 * width, heads, activation="gelu", normalize_first=True),
    "norm": lambda width: LayerNormalization(),
    "rnn": lambda size, units: SimpleRNN(units, return_sequences=True),
    "gru": lambda size, units: GRU(units, return_sequences=True),
    "lstm": lambda size, units: LSTM(units, return_sequences=True),
}
LOSSES = {
    "classes": lambda: SparseCategoricalCrossentropy(from_logits=True),
    "letters": lambda: SparseCategoricalCrossentropy(from_logits=True),
    "input": MeanSquaredError,
    "pixels": BinaryCrossentropy,
}


def sample(x, size):
    from chapters.autoencoder.vae.sampling import Sampling

    # La entropía cruzada es la media de los píxeles; la divergencia se divide entre cuántos son.
    return Sampling(beta=1 / 784)([Dense(size)(x), Dense(size)(x)])


def network(shape, described):
    if not {"join", "sample"} & {kind for kind, *_ in described}:
        return Sequential([Input(shape), *(LAYERS[kind](*arguments) for kind, *arguments in described)], seed=0)
    kept = []
    x = first = Input(shape)
    for kind, *arguments in described:
        if kind == "keep":
            kept.append(x)
        elif kind == "join":
            x = Concatenate()([kept.pop(), x])
        elif kind == "sample":
            x = sample(x, *arguments)
        else:
            x = LAYERS[kind](*arguments)(x)
    return Model(first, x)


def make(model, task, batch):
    x, y = data(model, task)
    described = MODELS[model]
    trained = network(described["input"], described["layers"])
    if "generator" in described:
        return gan(network((described["noise"],), described["generator"]), trained, x, batch)
    loss = LOSSES[described["target"]]()
    if task == "fit":
        trained.compile(Adam(), loss)
        return lambda times: trained.fit(x, y, batch_size=batch, epochs=times, verbose=0)
    trained.compile(Adam(), loss, metrics=["accuracy"])
    run = {
        "predict": lambda: trained.predict(x, verbose=0),
        "evaluate": lambda: trained.evaluate(x, y, verbose=0),
    }[task]
    return lambda times: [run() for _ in range(times)]


def gan(generator, discriminator, x, batch):
    (noise,) = generator.input_shape
    rng = np.random.default_rng(0)
    discriminator.compile(Adam(), BinaryCrossentropy(from_logits=True))
    # En el modelo combinado solo aprende el generador.
    discriminator.trainable = False
    entry = Input((noise,))
    combined = Model(entry, discriminator(generator(entry)))
    combined.compile(Adam(), BinaryCrossentropy(from_logits=True))
    ones = np.ones((batch, 1), np.float32)
    targets = np.concatenate([ones, 0 * ones])

    def train(epochs):
        for _ in range(epochs):
            for start in range(0, len(x), batch):
                z = rng.standard_normal((batch, noise), np.float32)
                discriminator.trainable = True
                images = np.concatenate([x[start : start + batch], generator.predict_on_batch(z)])
                discriminator.train_on_batch(images, targets)
                discriminator.trainable = False
                combined.train_on_batch(z, ones)

    return train


if __name__ == "__main__":
    serve(make, {name: version(name) for name in ("numba", "numpy")})
