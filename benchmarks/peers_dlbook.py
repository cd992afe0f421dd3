r"""Un paso de entrenamiento en este libro: ``fit`` completo, con los datos barajados."""

from importlib.metadata import version

from protocol import SIZES, data, serve

from chapters.mlp.dense import Dense
from chapters.mlp.losses import MeanSquaredError, SparseCategoricalCrossentropy
from chapters.mlp.optimizers import Adam
from chapters.mlp.sequential import Input, Sequential


def make(model, batch):
    x, y = data(model)
    *hidden, output = SIZES[model][1:]
    network = Sequential([Input((784,)), *(Dense(n, activation="relu") for n in hidden), Dense(output)], seed=0)
    loss = SparseCategoricalCrossentropy(from_logits=True) if model == "mlp" else MeanSquaredError()
    network.compile(Adam(), loss)

    return lambda epochs: network.fit(x, y, batch_size=batch, epochs=epochs, verbose=0)


if __name__ == "__main__":
    serve(make, {name: version(name) for name in ("numba", "numpy")})
