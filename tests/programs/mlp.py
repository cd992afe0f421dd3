"""Dígitos con un perceptrón multicapa."""

import keras
from sklearn.datasets import load_digits

from tests.programs import fix

# Los datos: imágenes de 8 por 8, con valores de 0 a 16.
x, y = load_digits(return_X_y=True)
x = x.astype("float32") / 16
x_train, x_test = x[:1500], x[1500:]
y_train, y_test = keras.utils.to_categorical(y[:1500], 10), keras.utils.to_categorical(y[1500:], 10)

# El modelo
model = keras.models.Sequential()
model.add(keras.layers.Input(shape=(64,)))
model.add(keras.layers.Dense(64, activation="relu", kernel_regularizer=keras.regularizers.l2(1e-4)))
model.add(keras.layers.Dense(32, activation="relu", kernel_initializer="he_normal"))
model.add(keras.layers.Dense(10, activation="softmax"))
fix(model)

model.compile(loss="categorical_crossentropy", optimizer="rmsprop", metrics=["accuracy"])
history = model.fit(x_train, y_train, batch_size=64, epochs=4, validation_split=0.2, shuffle=False, verbose=0)

# ¿Qué tal con lo que no ha visto?
score = model.evaluate(x_test, y_test, verbose=0)
result = {**history.history, "test loss": score[0], "test accuracy": score[1]}
