"""Una red siamesa: dos dígitos, ¿son el mismo?"""

import keras
import numpy as np
from sklearn.datasets import load_digits

from tests.programs import fix

layers = keras.layers

x, y = load_digits(return_X_y=True)
x = (x / 16).astype("float32")
# De cada tres parejas, dos son distintas.
rng = np.random.RandomState(1)
left = rng.randint(0, 1200, 600)
right = np.array([rng.choice(np.flatnonzero((y[:1200] == y[i]) == (k % 3 == 0))) for k, i in enumerate(left)])
same = (y[left] == y[right]).astype("float32")

# La torre, que comparten las dos entradas
tower = keras.Sequential(
    [
        layers.Input((64,)),
        layers.Dense(32, activation="relu"),
        layers.Dense(16, kernel_constraint=keras.constraints.MaxNorm(3)),
    ],
    name="tower",
)
input_a, input_b = keras.Input((64,)), keras.Input((64,))
vector_a, vector_b = tower(input_a), tower(input_b)
cosine = layers.Dot(axes=1, normalize=True)([vector_a, vector_b])
difference = layers.Subtract()([vector_a, vector_b])
square = layers.multiply([difference, difference])
joined = layers.Concatenate()([cosine, square])
output = layers.Dense(1, activation="sigmoid")(joined)
siamese = keras.Model([input_a, input_b], output)
fix(siamese)

siamese.compile(loss="binary_crossentropy", optimizer="nadam", metrics=["binary_accuracy", "AUC"])
history = siamese.fit([x[left], x[right]], same, batch_size=50, epochs=4, shuffle=False, verbose=0)
# La torre ya entrenada, sola
embedding = tower.predict(x[:100], verbose=0)
result = {**history.history, "embedding": np.linalg.norm(embedding, axis=1).mean(), "weights": siamese.count_params()}
