"""Dígitos con una red convolucional."""

import keras
import numpy as np
from sklearn.datasets import load_digits

from tests.programs import fix

layers = keras.layers
num_classes = 10
input_shape = (8, 8, 1)

images, labels = load_digits(return_X_y=True)
images = np.expand_dims(images.reshape(-1, 8, 8), -1)[:640]
labels = labels[:640]

model = keras.Sequential(
    [
        layers.Input(shape=input_shape),
        layers.Rescaling(1.0 / 16),
        layers.Conv2D(16, kernel_size=(3, 3), padding="same", activation="relu"),
        layers.BatchNormalization(),
        layers.MaxPooling2D(pool_size=(2, 2)),
        layers.Conv2D(32, 3, use_bias=False),
        layers.BatchNormalization(momentum=0.9),
        layers.ReLU(),
        layers.GlobalAveragePooling2D(),
        layers.Dense(num_classes),
    ]
)
fix(model)

model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.05, momentum=0.9, nesterov=True),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=[
        keras.metrics.SparseCategoricalAccuracy(),
        keras.metrics.SparseTopKCategoricalAccuracy(k=3, name="top3"),
    ],
)
history = model.fit(images, labels, batch_size=64, epochs=3, validation_split=0.1, shuffle=False, verbose=0)
result = history.history
