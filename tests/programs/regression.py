"""El avance de la diabetes: una regresión que normaliza sus datos."""

import keras
from sklearn.datasets import load_diabetes

from tests.programs import fix

layers = keras.layers

x, y = load_diabetes(return_X_y=True, scaled=False)
x, y = x.astype("float32"), (y / 100).astype("float32")
x_train, y_train, x_test, y_test = x[:350], y[:350], x[350:], y[350:]

# La media y la varianza se aprenden antes de entrenar.
normalizer = layers.Normalization(axis=-1)
normalizer.adapt(x_train)


def build_and_compile_model():
    model = keras.Sequential(
        [normalizer, layers.Dense(32, activation="relu"), layers.Dense(16, activation="elu"), layers.Dense(1)]
    )
    model.compile(loss="mean_absolute_error", optimizer=keras.optimizers.RMSprop(0.005), metrics=["mse", "mape"])
    model.build((None, 10))
    fix(model)
    return model


model = build_and_compile_model()
# Si no mejora lo bastante, pasos más cortos.
reduce_lr = keras.callbacks.ReduceLROnPlateau(monitor="val_loss", factor=0.3, patience=1, min_delta=0.03, min_lr=1e-4)
history = model.fit(
    x_train,
    y_train,
    validation_data=(x_test, y_test),
    epochs=6,
    callbacks=[reduce_lr],
    shuffle=False,
    verbose=0,
)
result = dict(history.history)
result["test"] = model.evaluate(x_test, y_test, verbose=0)
