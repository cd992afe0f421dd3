"""Los datos llegan por lotes, y el entrenamiento se vigila."""

import tempfile

import keras
import numpy as np
from sklearn.datasets import load_digits

from tests.programs import fix

layers, callbacks = keras.layers, keras.callbacks


class Digits(keras.utils.PyDataset):
    """Lotes de dígitos."""

    def __init__(self, x, y, batch_size, **kwargs):
        super().__init__(**kwargs)
        self.x, self.y, self.batch_size = x, y, batch_size

    def __len__(self):
        return int(np.ceil(len(self.x) / self.batch_size))

    def __getitem__(self, index):
        rows = slice(index * self.batch_size, (index + 1) * self.batch_size)
        return self.x[rows] / 16.0, self.y[rows]


def forever(x, y, batch_size):
    """Un generador que no se acaba, con un peso por observación."""
    while True:
        for start in range(0, len(x), batch_size):
            rows = slice(start, start + batch_size)
            yield x[rows] / 16.0, y[rows], 1.0 + 0.5 * (y[rows] % 2)


x, y = load_digits(return_X_y=True)
model = keras.Sequential([layers.Input((64,)), layers.Dense(32, activation="gelu"), layers.Dense(10, "softmax")])
fix(model)

schedule = keras.optimizers.schedules.ExponentialDecay(0.05, decay_steps=20, decay_rate=0.9, staircase=True)
model.compile(
    keras.optimizers.SGD(schedule, momentum=0.8, clipnorm=0.5), "sparse_categorical_crossentropy", metrics=["accuracy"]
)
with tempfile.TemporaryDirectory() as folder:
    history = model.fit(
        Digits(x[:1000], y[:1000], 64),
        epochs=8,
        validation_data=Digits(x[1000:1200], y[1000:1200], 50),
        class_weight={0: 2.0, 3: 0.5},
        callbacks=[
            callbacks.EarlyStopping(monitor="val_loss", min_delta=0.15, patience=1, restore_best_weights=True),
            callbacks.ModelCheckpoint(f"{folder}/best.keras", monitor="val_accuracy", save_best_only=True),
            callbacks.TerminateOnNaN(),
        ],
        shuffle=False,
        verbose=0,
    )
    best = keras.models.load_model(f"{folder}/best.keras").evaluate(x[1000:] / 16, y[1000:], verbose=0)
more = model.fit(forever(x[:600], y[:600], 60), steps_per_epoch=10, epochs=2, verbose=0)
result = {"history": history.history, "best": best, "more": more.history}
