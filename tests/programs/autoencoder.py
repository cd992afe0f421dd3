"""Un autocodificador disperso, hecho de un codificador y un decodificador."""

import keras
import numpy as np
from sklearn.datasets import load_digits

from tests.programs import fix

Dense, Input, Model = keras.layers.Dense, keras.layers.Input, keras.models.Model

x, _ = load_digits(return_X_y=True)
x_train, x_test = x[:1000] / 16.0, x[1000:1300] / 16.0
# También se le pide quitar el ruido.
noisy = np.clip(x_train + np.random.RandomState(0).normal(0, 0.2, x_train.shape), 0, 1)

encoder_input = Input(shape=(64,))
encoded = Dense(32, activation="relu")(encoder_input)
encoded = Dense(12, activation="relu", activity_regularizer=keras.regularizers.l1(1e-3))(encoded)
encoder = Model(encoder_input, encoded, name="encoder")

decoder_input = Input(shape=(12,))
decoded = Dense(32, activation="relu")(decoder_input)
decoded = Dense(64, activation="sigmoid")(decoded)
decoder = Model(decoder_input, decoded, name="decoder")

autoencoder = Model(encoder_input, decoder(encoder(encoder_input)), name="autoencoder")
fix(autoencoder)

autoencoder.compile(optimizer="adam", loss="binary_crossentropy", metrics=["mse"])
history = autoencoder.fit(
    noisy, x_train, epochs=4, batch_size=50, shuffle=False, validation_data=(x_test, x_test), verbose=0
)
codes = encoder.predict(x_test, verbose=0)
images = decoder.predict(codes, verbose=0)
result = {**history.history, "codes": codes.mean(), "images": images.mean()}
