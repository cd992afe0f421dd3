"""Dos salidas: qué dígito es y cuánta tinta lleva."""

import keras
from sklearn.datasets import load_digits

from tests.programs import fix

Dense, Input = keras.layers.Dense, keras.layers.Input

x, digit = load_digits(return_X_y=True)
x = x[:800] / 16.0
digit, ink = digit[:800], x.mean(axis=1) * 10

inputs = Input(shape=(64,), name="image")
h = Dense(32, activation="relu")(inputs)
digit_output = Dense(10, activation="softmax", name="digit")(h)
ink_output = Dense(1, name="ink")(Dense(8, activation="softplus")(h))
model = keras.models.Model(inputs=inputs, outputs={"ink": ink_output, "digit": digit_output})
fix(model)

model.compile(
    optimizer=keras.optimizers.RMSprop(0.002),
    loss={"digit": "sparse_categorical_crossentropy", "ink": keras.losses.Huber(delta=0.5)},
    loss_weights={"digit": 1.0, "ink": 0.3},
    metrics={"digit": ["accuracy"], "ink": ["mae", keras.metrics.RootMeanSquaredError(name="rmse")]},
)
history = model.fit(
    x[:600],
    {"digit": digit[:600], "ink": ink[:600]},
    epochs=4,
    batch_size=40,
    validation_data=(x[600:], {"digit": digit[600:], "ink": ink[600:]}),
    shuffle=False,
    verbose=0,
)
evaluated = model.evaluate(
    x[600:], {"digit": digit[600:], "ink": ink[600:]}, batch_size=50, verbose=0, return_dict=True
)
predicted = model.predict(x[:3], verbose=0)
result = {
    "history": history.history,
    "evaluate": evaluated,
    "ink": predicted["ink"].mean(),
    "digit": predicted["digit"].max(),
}
