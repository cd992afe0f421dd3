r"""El autocodificador convolucional de «Building Autoencoders in Keras» con MNIST, aquí y en Keras.

Se ejecuta con ``python -m benchmarks.mnist_conv_autoencoder`` y tarda una media hora; deja los resultados en
``docs/resultados/mnist_conv_autoencoder.json``. Si antes se ejecutó ``python -m
benchmarks.mnist_conv_autoencoder_keras``, donde Keras esté instalado, guarda también los suyos. El programa original
entrena 50 épocas.
"""

import json
import time
from pathlib import Path

import numpy as np

from benchmarks.record import as_hex, curves, header, store
from dlbook.data import load_mnist

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "docs" / "resultados" / "mnist_conv_autoencoder.json"
# Lo que deja la ejecución en Keras, mientras esta no lo recoge.
PEER = ROOT / "build" / "mnist_conv_autoencoder_keras.json"
EPOCHS, BATCH, SEED = 50, 128, 0


def main():
    from chapters import keras

    ours = train(keras, lambda result: None)
    results = {**header("benchmarks.mnist_conv_autoencoder", SEED), "epochs": EPOCHS, "batch_size": BATCH, "ours": ours}
    if PEER.exists():
        results["keras"] = json.loads(PEER.read_text(encoding="utf-8"))
    store(RESULTS, results)


def network(keras):
    """Arma la red del programa: 16, 8 y 8 filtros al bajar; 8, 8 y 16 al subir."""
    layers = keras.layers
    x = inputs = layers.Input((28, 28, 1))
    for filters in (16, 8, 8):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = layers.MaxPooling2D(2, padding="same")(x)
    # La última convolución no lleva relleno: así 16 × 16 queda en 14 × 14, y al doblarlo salen los 28.
    for filters, padding in ((8, "same"), (8, "same"), (16, "valid")):
        x = layers.Conv2D(filters, 3, padding=padding, activation="relu")(x)
        x = layers.UpSampling2D(2)(x)
    return keras.Model(inputs, layers.Conv2D(1, 3, padding="same", activation="sigmoid")(x))


def train(keras, keep):
    """Entrena la red del programa con la biblioteca que llegue; da lo que la página dibuja, época por época."""
    (x, _), (x_test, y_test) = load_mnist()
    x, x_test = (images[..., None].astype("float32") / 255 for images in (x, x_test))
    rows = [int(np.flatnonzero(y_test == digit)[0]) for digit in range(10)]
    keras.utils.set_random_seed(SEED)
    model = network(keras)
    model.compile(optimizer="adam", loss="binary_crossentropy")
    # La primera vez se compila: eso no es entrenar, y se hace antes de tomar el tiempo.
    weights = model.get_weights()
    model.train_on_batch(x[:BATCH], x[:BATCH])
    model = network(keras)
    model.compile(optimizer="adam", loss="binary_crossentropy")
    model.set_weights(weights)
    result = {"parameters": model.count_params(), "history": {}}
    start, wall = time.process_time(), time.perf_counter()
    for _ in range(EPOCHS):
        history = model.fit(x, x, batch_size=BATCH, verbose=2, validation_data=(x_test, x_test)).history
        for name, values in curves(history).items():
            result["history"].setdefault(name, []).extend(values)
        # El reloj depende de qué más hiciera la máquina; el procesador, casi no.
        result["seconds"] = round(time.perf_counter() - wall, 1)
        result["processor_seconds"] = round(time.process_time() - start, 1)
        shown = model.predict(x_test[rows], verbose=0)
        result["originals"] = [as_hex(image) for image in x_test[rows]]
        result["reconstructions"] = [as_hex(image) for image in shown]
        keep(result)
    return result


if __name__ == "__main__":
    main()
