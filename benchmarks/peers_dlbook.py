r"""Un paso de entrenamiento en este libro: ``fit`` completo, con los datos barajados."""

from importlib.metadata import version

from protocol import MODELS, data, serve

from chapters.cnn.convolution.conv2d import Conv2D
from chapters.cnn.pooling.max_pooling import MaxPooling2D
from chapters.mlp.dense import Dense
from chapters.mlp.flatten import Flatten
from chapters.mlp.losses import MeanSquaredError, SparseCategoricalCrossentropy
from chapters.mlp.optimizers import Adam
from chapters.mlp.sequential import Input, Sequential

LAYERS = {
    "dense": lambda units, activation=None: Dense(units, activation=activation),
    "conv": lambda filters, size, padding: Conv2D(filters, size, padding=padding, activation="relu"),
    "pool": MaxPooling2D,
    "flatten": Flatten,
}


def make(model, batch):
    x, y = data(model)
    layers = [LAYERS[kind](*arguments) for kind, *arguments in MODELS[model]["layers"]]
    network = Sequential([Input(MODELS[model]["input"]), *layers], seed=0)
    classes = MODELS[model]["target"] == "classes"
    network.compile(Adam(), SparseCategoricalCrossentropy(from_logits=True) if classes else MeanSquaredError())

    return lambda epochs: network.fit(x, y, batch_size=batch, epochs=epochs, verbose=0)


if __name__ == "__main__":
    serve(make, {name: version(name) for name in ("numba", "numpy")})
