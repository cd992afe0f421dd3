"""Transferencia: lo aprendido con unos dígitos sirve para otros."""

import tempfile
from pathlib import Path

import keras
from sklearn.datasets import load_digits

from tests.programs import fix

layers = keras.layers

x, y = load_digits(return_X_y=True)
x = x.reshape(-1, 8, 8, 1).astype("float32") / 16
low, high = y < 5, y >= 5

# Primero, los dígitos del 0 al 4
base = keras.Sequential(
    [
        keras.Input((8, 8, 1)),
        layers.Conv2D(8, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dense(16, activation="relu", kernel_initializer=keras.initializers.HeNormal()),
        layers.Dense(5, activation="softmax", name="head"),
    ],
    name="base",
)
fix(base)
base.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
first = base.fit(x[low][:400], y[low][:400], epochs=3, shuffle=False, verbose=0)

# Después, los del 5 al 9: se conserva todo menos la última capa.
features = keras.Model(base.inputs, base.layers[-2].output, name="features")
features.trainable = False
inputs = keras.Input((8, 8, 1))
outputs = layers.Dense(5, activation="softmax", kernel_initializer="zeros")(features(inputs, training=False))
model = keras.Model(inputs, outputs)
model.compile(keras.optimizers.Adam(1e-2), "sparse_categorical_crossentropy", metrics=["accuracy"])
second = model.fit(x[high][:300], y[high][:300] - 5, epochs=3, shuffle=False, verbose=0)

with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "digits.keras"
    model.save(path)
    again = keras.models.load_model(path)
    saved = again.evaluate(x[high][300:], y[high][300:] - 5, verbose=0)
    # Y un ajuste fino: todo se entrena, con pasos cortos.
    again.get_layer("features").trainable = True
    again.compile(keras.optimizers.Adam(1e-4), "sparse_categorical_crossentropy", metrics=["accuracy"])
    third = again.fit(x[high][:300], y[high][:300] - 5, epochs=2, shuffle=False, verbose=0)
result = {"first": first.history, "second": second.history, "saved": saved, "third": third.history}
result["trainable"] = len(model.trainable_weights), len(again.trainable_weights)
