"""Escribe con Keras los archivos de ``keras_files/``, para leerlos donde Keras no está.

Se ejecuta como módulo, ``-m tests.reference.make_keras_files``, donde haya Keras.
"""

import json
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).with_name("keras_files")


def main():
    import keras

    keras.utils.set_random_seed(0)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((5, 5, 1)),
            layers.Conv2D(2, 3, activation="relu", kernel_regularizer="l2"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.3),
            keras.Sequential([layers.Dense(3, activation="tanh"), layers.Dense(3)], name="interior"),
            layers.LeakyReLU(negative_slope=0.1),
            layers.Dense(2, activation="softmax"),
        ],
        name="red",
    )
    rate = keras.optimizers.schedules.ExponentialDecay(0.01, 10, 0.9)
    model.compile(keras.optimizers.Adam(rate), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    rng = np.random.default_rng(0)
    x, y = rng.random((8, 5, 5, 1)).astype("float32"), rng.integers(0, 2, 8)
    model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    FOLDER.mkdir(exist_ok=True)
    for end in ("keras", "h5"):
        model.save(FOLDER / f"red.{end}")
    found = {"x": x.tolist(), "y": y.tolist(), "predicted": model.predict(x, verbose=0).tolist()}
    found["more"] = model.fit(x, y, batch_size=8, epochs=1, shuffle=False, verbose=0).history["loss"]
    (FOLDER / "red.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
