"""Un modelo con su propio ``train_step``: fit le entrega los lotes, y lo demás es suyo."""

import numpy as np
import pytest

from chapters.keras import ops
from chapters.mlp import Adam, Dense, GradientTape, Input, Layer, Model, Sequential, metrics
from dlbook.callbacks import Callback

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(24, 3)), RNG.normal(size=(24, 2))


def graph(cls):
    x = Input(shape=(3,))
    return cls(x, Dense(2)(Dense(4, "tanh")(x)), dtype="float64", seed=0)


class Own(Model):
    """El ejemplo de siempre: la pérdida de compile, con la cinta."""

    def train_step(self, data):
        x, y = data
        with GradientTape() as tape:
            loss = self.compute_loss(x=x, y=y, y_pred=self(x, training=True))
        weights = self.trainable_weights
        self.optimizer.apply(tape.gradient(loss, weights), weights)
        return {"loss": loss}


def test_a_step_of_ones_own_that_does_the_usual_does_the_same():
    own, usual = graph(Own), graph(Model)
    for model in (own, usual):
        model.compile(Adam(0.01), "mse")
        history = model.fit(X, Y, batch_size=8, epochs=3, shuffle=False, verbose=0).history["loss"]
    assert len(history) == 3
    for one, other in zip(own.get_weights(), usual.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9)
    assert own.predict(X).shape == (24, 2)


class Divergence(Model):
    """Un autocodificador variacional, como en los tutoriales: sin ``call``, con sus métricas."""

    def __init__(self, **options):
        super().__init__(**options)
        self.encoder = Sequential([Input((3,)), Dense(4)], dtype="float64", seed=1)
        self.decoder = Sequential([Input((2,)), Dense(3)], dtype="float64", seed=2)
        self.tracker = metrics.Mean(name="loss")

    @property
    def metrics(self):
        return [self.tracker]

    def train_step(self, data):
        with GradientTape() as tape:
            code = self.encoder(data)
            mean, log_var = code[:, :2], code[:, 2:]
            z = mean + ops.exp(0.5 * log_var) * 0.1
            loss = ops.mean(ops.sum(ops.square(data - self.decoder(z)), axis=-1))
            loss = loss - 0.5 * ops.mean(1 + log_var - ops.square(mean) - ops.exp(log_var))
        weights = self.trainable_weights
        self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        self.tracker.update_state(loss)
        return {"loss": self.tracker.result()}


def test_a_model_with_only_its_steps_learns_and_its_metrics_start_again_each_epoch():
    model = Divergence(dtype="float64")
    model.compile(optimizer=Adam(0.02))
    assert len(model.trainable_weights) == 4
    losses = model.fit(X, batch_size=8, epochs=12, verbose=0).history["loss"]
    assert losses[-1] < 0.7 * losses[0]


def test_it_validates_with_test_step_and_tells_the_callbacks():
    class Tested(Own):
        def test_step(self, data):
            x, y = data
            return {"error": np.abs(self(x) - y).mean()}

    class Notes(Callback):
        def __init__(self):
            super().__init__()
            self.seen = []

        def on_train_batch_end(self, batch, logs=None):
            self.seen.append(logs["loss"])

    model, notes = graph(Tested), Notes()
    model.compile(Adam(0.01), "mse")
    history = model.fit(
        X, Y, batch_size=8, validation_data=(X, Y), validation_batch_size=24, callbacks=[notes], verbose=0
    ).history
    assert len(notes.seen) == 3
    assert history["val_error"][0] == pytest.approx(np.abs(model.predict(X) - Y).mean())
    assert model.evaluate(X, Y, return_dict=True) == {"error": pytest.approx(history["val_error"][0])}


def test_what_is_not_a_dictionary_is_a_sentence():
    class Wrong(Own):
        def train_step(self, data):
            return 3

    model = graph(Wrong)
    model.compile(Adam(0.01), "mse")
    with pytest.raises(TypeError, match="train_step: se esperaba un diccionario"):
        model.fit(X, Y, verbose=0)
    assert isinstance(model, Layer)


class Classes(Own):
    """Entrena a su manera y valida como todos: la pérdida lee lo correcto, y hay que comprobarlo."""


@pytest.mark.parametrize(
    "call",
    [
        lambda m, y: m.evaluate(X, y),
        lambda m, y: m.test_on_batch(X, y),
        lambda m, y: m.fit(X, np.zeros(24, int), validation_data=(X, y), verbose=0),
        lambda m, y: m.fit(X, y, validation_split=0.5, verbose=0),
    ],
)
@pytest.mark.parametrize("label", [-1, 2, 10**9])
def test_what_the_loss_reads_is_checked_even_if_the_step_is_of_ones_own(call, label):
    x = Input(shape=(3,))
    model = Classes(x, Dense(2, "softmax")(x), dtype="float64", seed=0)
    model.compile(Adam(0.01), "sparse_categorical_crossentropy")
    # El paso propio también las rechaza: aquí solo están mal las que no son para él.
    y = np.zeros(24, int)
    y[-1] = label
    with pytest.raises(ValueError, match="y_true: se esperaba un entero entre 0 y 1"):
        call(model, y)


def test_one_batch_goes_through_the_step_too():
    model, other = graph(Own), graph(Model)
    for one in (model, other):
        one.compile(Adam(0.01), "mse")
    logs = model.train_on_batch(X, Y, return_dict=True)
    assert logs == {"loss": pytest.approx(other.train_on_batch(X, Y))}
    np.testing.assert_allclose(model.get_weights()[0], other.get_weights()[0], rtol=1e-10)
