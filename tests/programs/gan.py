"""Una GAN: el generador y el discriminador, uno contra otro."""

import keras
import numpy as np
from sklearn.datasets import load_digits

from tests.programs import fix

layers = keras.layers
latent_dim, batch_size = 8, 32

x, _ = load_digits(return_X_y=True)
x = (x / 8 - 1).astype("float32")

generator = keras.Sequential(
    [
        layers.Dense(32, input_dim=latent_dim),
        layers.LeakyReLU(0.2),
        layers.BatchNormalization(momentum=0.8),
        layers.Dense(64, activation="tanh"),
    ]
)
discriminator = keras.Sequential(
    [
        layers.Dense(32, input_shape=(64,)),
        layers.LeakyReLU(0.2),
        layers.Dense(1, activation="sigmoid"),
    ]
)
optimizer = keras.optimizers.Adam(0.0002, beta_1=0.5)
discriminator.compile(loss="binary_crossentropy", optimizer=optimizer, metrics=["accuracy"])

# En el modelo combinado solo aprende el generador.
discriminator.trainable = False
z = keras.Input(shape=(latent_dim,))
combined = keras.Model(z, discriminator(generator(z)))
combined.compile(loss="binary_crossentropy", optimizer=keras.optimizers.Adam(0.0002, beta_1=0.5))
fix(combined)

rng = np.random.RandomState(0)
losses = []
for step in range(20):
    real = x[step * batch_size : (step + 1) * batch_size]
    noise = rng.normal(0, 1, (batch_size, latent_dim)).astype("float32")
    fake = generator.predict(noise, verbose=0)
    discriminator.trainable = True
    d_real = discriminator.train_on_batch(real, np.ones((batch_size, 1)))
    d_fake = discriminator.train_on_batch(fake, np.zeros((batch_size, 1)))
    discriminator.trainable = False
    g_loss = combined.train_on_batch(noise, np.ones((batch_size, 1)))
    losses.append([*d_real, *d_fake, g_loss])
result = {"losses": losses, "image": np.abs(generator.predict_on_batch(noise)).mean()}
