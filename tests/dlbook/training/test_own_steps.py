"""Un modelo con su propio ``train_step``: fit le entrega los lotes, y lo demás es suyo."""

import copy

import numpy as np
import pytest

from chapters.keras import ops
from chapters.mlp import Adam, Dense, GradientTape, Input, Layer, Model, Sequential, metrics
from dlbook import saving
from dlbook.callbacks import Callback
from dlbook.numeric.parallel import get_threads, set_threads

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


# --- Las métricas de compile, en los pasos propios ---


class Metered(Own):
    """El ciclo de Keras sobre ``self.metrics``, en los dos pasos."""

    def measured(self, y, y_pred, loss):
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss)
            else:
                metric.update_state(y, y_pred)
        return {metric.name: metric.result() for metric in self.metrics}

    def train_step(self, data):
        x, y = data
        with GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(y=y, y_pred=y_pred)
        weights = self.trainable_weights
        self.optimizer.apply(tape.gradient(loss, weights), weights)
        return self.measured(y, y_pred, loss)

    def test_step(self, data):
        x, y = data
        y_pred = self(x)
        return self.measured(y, y_pred, self.compute_loss(y=y, y_pred=y_pred))


def test_the_metrics_of_compile_are_objects_that_measure_what_fit_would():
    own, usual = graph(Metered), graph(Model)
    for model in (own, usual):
        model.compile(Adam(0.01), "mse", metrics=["mae", metrics.RootMeanSquaredError()])
        options = {"batch_size": 8, "validation_data": (X[:16], Y[:16]), "shuffle": False, "verbose": 0}
        history = model.fit(X, Y, epochs=3, **options).history
        if model is own:
            found, measured = history, model.evaluate(X, Y, batch_size=8, return_dict=True)
    assert (
        set(found)
        == set(history)
        == {f"{v}{n}" for v in ("", "val_") for n in ("loss", "mae", "root_mean_squared_error")}
    )
    for name, values in history.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-9)
    assert measured == pytest.approx(usual.evaluate(X, Y, return_dict=True), rel=1e-9)


def test_the_metrics_are_in_the_order_of_keras_and_those_of_the_attributes_at_the_end():
    model = graph(Metered)
    model.held, model.several_held = metrics.Mean(name="held"), [metrics.Sum(name="sum")]
    assert [m.name for m in model.metrics] == ["held", "sum"]
    model.compile("sgd", "mse", metrics=["mae"])
    assert [m.name for m in model.metrics] == ["loss", "compile_metrics", "held", "sum"]
    assert model.metrics[1] is model.metrics[1]
    assert model.metrics[1].result() == {}
    model.compile("sgd", "mse")
    assert [m.name for m in model.metrics] == ["loss", "held", "sum"]


def test_the_metrics_of_a_model_are_not_copied_nor_saved(tmp_path):
    model = graph(Metered)
    model.compile("sgd", "mse", metrics=["mae"])
    model.fit(X, Y, verbose=0)
    twin = copy.deepcopy(model)
    assert twin.metrics[1].model is twin
    usual = graph(Model)
    usual.compile("sgd", "mse", metrics=["mae"])
    assert [m.name for m in usual.metrics] == ["loss", "compile_metrics"]
    usual.save(tmp_path / "red.safetensors")
    assert saving.load(tmp_path / "red.safetensors").asked_metrics == ["mae"]


def test_accuracy_is_resolved_with_the_shapes_and_the_weights_reach_only_who_asked():
    x = Input(shape=(3,))
    model = Metered(x, Dense(2, "softmax")(x), dtype="float64", seed=0)
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"], weighted_metrics=["acc"])
    every, y_pred = model.metrics[1], np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]])
    every.update_state(np.array([0, 0, 1]), y_pred, np.array([3.0, 1.0, 0.0]))
    assert every.result() == {"accuracy": pytest.approx(2 / 3), "acc": pytest.approx(0.75)}
    every.reset_state()
    assert every.result()["accuracy"] == 0
    with pytest.raises(ValueError, match="y_true: se esperaba un entero entre 0 y 1"):
        every.update_state(np.array([0, 9, 1]), y_pred)
    with pytest.raises(ValueError, match="observaciones"):
        every.update_state(np.array([0, 1]), y_pred)
    with pytest.raises(ValueError, match="y_pred: se esperaban 1 salidas"):
        every.update_state(np.array([0, 0, 1]), [y_pred, y_pred])


# --- Una métrica de quien lee, como en Keras ---


class Worst(metrics.Metric):
    """No se suma: el mayor error, y cuántos lotes y observaciones vio."""

    def __init__(self, name="worst", **options):
        super().__init__(name=name, **options)
        self.most = self.add_variable(shape=(), initializer="zeros", name="most")
        self.count = self.add_weight(shape=(), initializer="zeros", name="count")
        self.batches, self.kept = [], []

    def update_state(self, y_true, y_pred, sample_weight=None):
        error = ops.max(ops.abs(y_true - y_pred))
        self.most.assign(ops.maximum(self.most, error))
        self.count.assign_add(len(y_pred))
        self.batches.append((len(y_pred), sample_weight is not None))
        self.kept.append(y_pred)

    def result(self):
        return self.most * 1.0


@pytest.mark.parametrize("threads", [1, 2])
def test_a_metric_in_the_style_of_keras_sees_each_batch_whole_and_once(threads):
    before = get_threads()
    set_threads(threads)
    try:
        mine, model = Worst(), graph(Model)
        # Con un lote así de grande, sin ella se repartiría.
        model.compile("sgd", "mse", metrics=[mine, "mae"])
        n = 40_000
        x, y = np.tile(X, (n // 24, 1)), np.tile(Y, (n // 24, 1))
        history = model.fit(x, y, batch_size=30_000, epochs=2, verbose=0).history
        assert [n for n, _ in mine.batches] == [30_000, len(x) - 30_000] * 2
        assert float(mine.count) == len(x)
        mine.batches, mine.kept = [], []
        logs = model.evaluate(X, Y, batch_size=10, return_dict=True)
    finally:
        set_threads(before)
    assert mine.batches == [(10, False), (10, False), (4, False)]
    assert logs["worst"] == pytest.approx(np.abs(model.predict(X) - Y).max())
    np.testing.assert_allclose(np.concatenate(mine.kept), model.predict(X))
    assert type(history["worst"][0]) is float


def test_it_validates_gets_weights_if_asked_and_works_in_a_step_of_ones_own():
    plain, weighted, own = graph(Model), graph(Model), graph(Metered)
    plain.compile("sgd", "mse", metrics=[Worst()])
    history = plain.fit(X, Y, validation_split=0.5, shuffle=False, verbose=0).history
    assert history["val_worst"][0] == pytest.approx(np.abs(plain.predict(X[12:]) - Y[12:]).max())
    mine = Worst()
    weighted.compile("sgd", "mse", weighted_metrics=[mine])
    weighted.fit(X, Y, sample_weight=np.ones(24), verbose=0)
    assert mine.batches == [(24, True)]
    own.compile("sgd", "mse", metrics=[Worst()])
    assert own.evaluate(X, Y, return_dict=True)["worst"] == pytest.approx(np.abs(own.predict(X) - Y).max())


def test_it_may_build_on_another_metric():
    class Scaled(metrics.MeanAbsoluteError):
        def update_state(self, y_true, y_pred, sample_weight=None):
            super().update_state(10 * y_true, 10 * y_pred, sample_weight)

    class Averaged(metrics.Mean):
        def update_state(self, y_true, y_pred, sample_weight=None):
            super().update_state(ops.abs(y_true - y_pred), sample_weight)

    model = graph(Model)
    model.compile("sgd", "mse", metrics=[Scaled(name="scaled"), Averaged(name="averaged"), "mae"])
    logs = model.evaluate(X, Y, batch_size=7, return_dict=True)
    assert logs["scaled"] == pytest.approx(10 * logs["mae"])
    assert logs["averaged"] == pytest.approx(logs["mae"])
    model.compile("sgd", "mse", metrics=[metrics.Mean()])
    with pytest.raises(ValueError, match="metrics: se esperaba una que compare"):
        model.evaluate(X, Y)


def test_a_model_that_carries_it_is_saved_and_copied(tmp_path):
    model = graph(Model)
    model.compile("sgd", "mse", metrics=[Worst(name="peor")])
    model.fit(X, Y, verbose=0)
    expected = model.evaluate(X, Y)
    assert copy.deepcopy(model).evaluate(X, Y) == expected
    model.save(tmp_path / "red.safetensors")
    assert saving.load(tmp_path / "red.safetensors", custom_objects={"Worst": Worst}).evaluate(X, Y) == expected


def test_with_several_outputs_each_metric_has_the_name_of_its_output():
    x = Input(shape=(3,))
    model = Metered(x, [Dense(2, name="a")(x), Dense(2, name="b")(x)], dtype="float64", seed=0)
    model.compile("sgd", "mse", metrics={"a": ["mae"], "b": [Worst()]})
    logs = model.evaluate(X, [Y, Y], return_dict=True)
    first, second = model.predict(X)
    assert logs["a_mae"] == pytest.approx(np.abs(first - Y).mean())
    assert logs["b_worst"] == pytest.approx(np.abs(second - Y).max())


def test_its_variables_start_as_said_and_go_to_zero_as_in_keras():
    metric = metrics.Metric(name="any")
    one = metric.add_variable((2,), "ones", name="one")
    np.testing.assert_array_equal(one.numpy(), [1, 1])
    metric.reset_state()
    np.testing.assert_array_equal(metric.variables[0].numpy(), [0, 0])
    with pytest.raises(TypeError, match="shape"):
        metric.add_variable(-1, "zeros")


def test_a_result_that_is_not_a_number_is_a_sentence():
    class Wrong(Worst):
        def result(self):
            return "mucho"

    model = graph(Model)
    model.compile("sgd", "mse", metrics=[Wrong()])
    with pytest.raises(TypeError, match=r"Wrong\.result"):
        model.evaluate(X, Y)
