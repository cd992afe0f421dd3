"""El vino, por dos entradas: su color y lo demás."""

import keras
import numpy as np
from sklearn.datasets import load_wine

from tests.programs import fix

layers = keras.layers

x, y = load_wine(return_X_y=True)
x = (x - x.mean(axis=0)) / x.std(axis=0)
# Vienen por clases: se mezclan.
order = np.random.RandomState(0).permutation(len(x))
x, y = x[order], y[order]
chemistry, color = x[:, :9], x[:, 9:]

# Una rama por entrada
chemistry_input = keras.Input(shape=(9,), name="chemistry")
color_input = keras.Input(shape=(4,), name="color")
a = layers.Dense(12, activation="relu")(chemistry_input)
b = layers.Dense(8, activation="relu")(color_input)
b = keras.Model(color_input, b, name="color_tower")(color_input)

# Se juntan
z = layers.concatenate([a, b])
z = layers.Dense(8, activation="swish")(z)
output = layers.Dense(3, activation="softmax")(z)
model = keras.Model(inputs=[chemistry_input, color_input], outputs=output)
fix(model)

model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["acc"])
first = model.fit([chemistry, color], y, epochs=5, batch_size=16, validation_split=0.25, shuffle=False, verbose=0)
second = model.fit({"color": color, "chemistry": chemistry}, y, epochs=5, shuffle=False, verbose=0)
result = {"first": first.history, "second": second.history, "layers": [type(layer).__name__ for layer in model.layers]}
result["predictions"] = model.predict([chemistry, color], verbose=0).max()
