r"""Los autocodificadores densos de «Building Autoencoders in Keras», escritos una vez para las dos bibliotecas.

Cada función recibe el módulo ``keras``: el de Keras o ``chapters.keras``. Lo demás es el mismo texto. No importa nada
más que NumPy, para que también pueda leerlo un intérprete que no conoce este libro.
"""

import numpy as np

BATCH = 256
PIXELS = 784
# Cuántas épocas se entrena cada uno. Al disperso y al profundo el programa original les da cien.
EPOCHS = {"basic": 50, "sparse": 25, "deep": 25}
ACTIVITY = 1e-4


def joined(keras, inputs, codes, decoder_layers):
    """Une las dos mitades; da el autocodificador, el codificador y el decodificador, que comparten sus capas."""
    latent = keras.Input((codes.shape[-1],))
    h, y = latent, codes
    for layer in decoder_layers:
        h, y = layer(h), layer(y)
    return keras.Model(inputs, y), keras.Model(inputs, codes), keras.Model(latent, h)


def basic(keras, k=32, penalty=None):
    """784-k-784: una capa para escribir el código y otra para leerlo."""
    inputs = keras.Input((PIXELS,))
    codes = keras.layers.Dense(k, activation="relu", activity_regularizer=penalty)(inputs)
    return joined(keras, inputs, codes, [keras.layers.Dense(PIXELS, activation="sigmoid")])


def sparse(keras):
    """El mismo, con un cobro por lo que se encienden las neuronas del código."""
    return basic(keras, penalty=keras.regularizers.L1(ACTIVITY))


def deep(keras, k=32):
    """784-128-64-k-64-128-784. Con un código de menos de 32 números, sin ReLU en él."""
    inputs = h = keras.Input((PIXELS,))
    for width in (128, 64):
        h = keras.layers.Dense(width, activation="relu")(h)
    codes = keras.layers.Dense(k, activation="relu" if k == 32 else None)(h)
    back = [keras.layers.Dense(width, activation="relu") for width in (64, 128)]
    return joined(keras, inputs, codes, [*back, keras.layers.Dense(PIXELS, activation="sigmoid")])


PROGRAMS = {"basic": basic, "sparse": sparse, "deep": deep}


def train(keras, models, x, x_test, epochs, seed):
    """Entrena con la propia entrada por respuesta; da las pérdidas y cómo son los códigos."""
    autoencoder, encoder, _ = models
    keras.utils.set_random_seed(seed)
    autoencoder.compile(optimizer="adam", loss="binary_crossentropy")
    history = autoencoder.fit(x, x, epochs=epochs, batch_size=BATCH, verbose=0).history
    codes = encoder.predict(x_test, verbose=0)
    y = autoencoder.predict(x_test, verbose=0)
    return {
        "train_loss": [round(float(v), 5) for v in history["loss"]],
        "test_loss": round(cross_entropy(x_test, y), 5),
        "test_mse": round(float(np.mean((x_test - y) ** 2)), 5),
        "active": round(float((codes != 0).mean()), 4),
        "mean_code": round(float(codes.mean()), 3),
    }


def cross_entropy(x, y):
    """Promedia la entropía cruzada de cada píxel, sin lo que el código cobre aparte."""
    y = np.clip(y.astype(np.float64), 1e-7, 1 - 1e-7)
    return float(-np.mean(x * np.log(y) + (1 - x) * np.log(1 - y)))
