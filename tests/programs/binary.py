"""Tumores benignos y malignos: una clasificación binaria y sus métricas."""

import keras
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler

from tests.programs import fix

layers = keras.layers

x, y = load_breast_cancer(return_X_y=True)
x = StandardScaler().fit_transform(x)

model = keras.Sequential(
    [
        keras.Input(shape=(30,)),
        layers.Dense(16, use_bias=False),
        layers.BatchNormalization(),
        layers.Activation("relu"),
        layers.Dense(8, activation="tanh"),
        layers.Dense(1, activation="sigmoid"),
    ],
    name="tumores",
)
fix(model)

model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=1e-2),
    loss=keras.losses.BinaryCrossentropy(label_smoothing=0.1),
    metrics=[
        keras.metrics.BinaryAccuracy(name="acc"),
        keras.metrics.Precision(name="precision"),
        keras.metrics.Recall(thresholds=0.4, name="recall"),
        keras.metrics.AUC(name="auc"),
        keras.metrics.FalsePositives(),
    ],
)
history = model.fit(
    x[:400], y[:400], batch_size=50, epochs=3, validation_data=(x[400:], y[400:]), shuffle=False, verbose=0
)
probabilities = model.predict(x[400:], verbose=0).ravel()
result = {**history.history, "mean": probabilities.mean(), "std": probabilities.std()}
result |= model.evaluate(x[400:], y[400:], verbose=0, return_dict=True)
