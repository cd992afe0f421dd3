"""Las máscaras: por dónde pasan, qué le hacen a la pérdida y a las métricas, y qué hace Keras."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chapters.cnn import BatchNormalization, GlobalAveragePooling1D
from chapters.mlp import (
    SGD,
    Add,
    Concatenate,
    Dense,
    Dropout,
    Flatten,
    GradientTape,
    Input,
    Lambda,
    Layer,
    Maximum,
    MeanSquaredError,
    Model,
    Multiply,
    Reshape,
    Sequential,
    SparseCategoricalCrossentropy,
)
from chapters.mlp.metrics import Metric
from chapters.rnn import GRU, LSTM, Bidirectional, Embedding, Masking, SimpleRNN, TimeDistributed
from dlbook.gradcheck import check_gradients
from dlbook.numeric.parallel import set_threads
from dlbook.training import engine

REFERENCE = json.loads((Path(__file__).parents[2] / "reference/masks.json").read_text("utf-8"))


def padded(n, t, rng, least=0):
    """Secuencias de palabras de distinto largo, con ceros a la derecha; la primera puede no tener ninguna."""
    x = rng.integers(1, 7, (n, t))
    for k, length in enumerate(rng.integers(least, t + 1, n)):
        x[k, length:] = 0
    return x


def tagger(seed=0, **options):
    layers = [Input((None,)), Embedding(7, 3, mask_zero=True), Dense(4, "tanh"), Dropout(0.0), Dense(2)]
    return Sequential(layers, dtype="float64", seed=seed, **options)


def losses_of(model, x, y):
    return ((model.predict(x) - y) ** 2).mean(axis=-1)


# --- La pérdida ---


@given(n=st.integers(1, 9), t=st.integers(1, 6), seed=st.integers(0, 99), weighing=st.sampled_from(["", "n", "nt"]))
@settings(max_examples=30, deadline=None)
def test_the_loss_is_the_mean_over_the_real_steps(n, t, seed, weighing):
    rng = np.random.default_rng(seed)
    x, y, model = padded(n, t, rng), rng.normal(size=(n, t, 2)), tagger(seed)
    model.compile(SGD(0.1), "mse")
    mask, each = x != 0, losses_of(model, x, y)
    s = {"": None, "n": rng.random(n), "nt": rng.random((n, t))}[weighing]
    weight = np.ones((n, 1)) if s is None else s.reshape(n, -1)
    expected = (each * mask * weight).sum() / max(1, mask.sum())
    loss, gradient = model.loss_and_gradient(x, y, s)
    assert loss == pytest.approx(expected, abs=1e-12)
    assert model.evaluate(x, y, batch_size=n, sample_weight=s) == pytest.approx(expected, abs=1e-12)
    before = model.theta.copy()
    assert model.train_on_batch(x, y, sample_weight=s) == pytest.approx(expected, abs=1e-12)
    np.testing.assert_allclose(before - model.theta, 0.1 * gradient, atol=1e-12)


@pytest.mark.parametrize("reduction", ["sum", "sum_over_batch_size", "mean_with_sample_weight"])
def test_every_reduction_divides_by_what_it_says(reduction):
    rng = np.random.default_rng(0)
    x, y, model = padded(5, 4, rng, 1), rng.normal(size=(5, 4, 2)), tagger()
    s, mask, each = rng.random(5), x != 0, losses_of(model, x, y)
    model.compile("sgd", MeanSquaredError(reduction))
    total = (each * mask * s[:, np.newaxis]).sum()
    bottom = {"sum": 1, "sum_over_batch_size": mask.sum(), "mean_with_sample_weight": (mask.T * s).sum()}[reduction]
    assert model.loss_and_gradient(x, y, s)[0] == pytest.approx(total / bottom)
    assert model.evaluate(x, y, sample_weight=s) == pytest.approx(total / bottom)


def test_the_denominator_belongs_to_the_whole_batch_with_any_threads_and_any_pieces(monkeypatch):
    monkeypatch.setattr(engine, "WORK_PER_THREAD", 1)
    rng = np.random.default_rng(0)
    x, y, found = padded(23, 5, rng), rng.normal(size=(23, 5, 2)), []
    for threads, cache in ((1, engine.CACHE), (3, engine.CACHE), (2, 64)):
        monkeypatch.setattr(engine, "CACHE", cache)
        set_threads(threads)
        model = tagger()
        model.compile(SGD(0.1), "mse", metrics=["mae"])
        history = model.fit(x, y, batch_size=7, epochs=3, shuffle=True, verbose=0).history
        found.append([*model.theta, *history["loss"], *history["mae"], *model.evaluate(x, y, batch_size=6)])
    set_threads(None)
    np.testing.assert_allclose(found[1], found[0], rtol=1e-9)
    np.testing.assert_allclose(found[2], found[0], rtol=1e-9)


def test_an_ignored_class_and_the_mask_count_together():
    rng = np.random.default_rng(0)
    x, y, model = padded(6, 5, rng), rng.integers(0, 2, (6, 5)), tagger()
    y[0] = -1
    loss = SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1)
    model.compile("sgd", loss)
    counts = (x != 0) & (y != -1)
    z = model.predict(x)
    each = np.log(np.exp(z).sum(axis=-1)) - np.take_along_axis(z, np.where(counts, y, 0)[..., np.newaxis], -1)[..., 0]
    expected = (each * counts).sum() / counts.sum()
    assert model.loss_and_gradient(x, y)[0] == pytest.approx(expected)
    assert model.evaluate(x, y, batch_size=6) == pytest.approx(expected)


def test_the_padding_teaches_nothing():
    # Lo que se pida en el relleno no cambia ni la pérdida ni el gradiente.
    rng = np.random.default_rng(1)
    x, y, model = padded(4, 6, rng, 2), rng.normal(size=(4, 6, 2)), tagger()
    model.compile("sgd", "mse", metrics=["mae"])
    other = np.where((x != 0)[..., np.newaxis], y, 1e3)
    (a, da), (b, db) = (model.loss_and_gradient(x, one) for one in (y, other))
    assert a == b
    np.testing.assert_array_equal(da, db)
    assert model.evaluate(x, y) == model.evaluate(x, other)


def test_a_batch_of_padding_alone_costs_nothing():
    model = tagger()
    model.compile("sgd", "mse", metrics=["mae"])
    x, y = np.zeros((3, 4), int), np.ones((3, 4, 2))
    loss, gradient = model.loss_and_gradient(x, y)
    assert loss == 0
    assert not gradient.any()
    assert model.evaluate(x, y) == [0.0, 0.0]
    assert np.isfinite(model.fit(x, y, verbose=0).history["loss"]).all()


def test_several_outputs_have_each_their_own_mask():
    rng = np.random.default_rng(0)
    x = Input((4,))
    e = Embedding(7, 3, mask_zero=True)(x)
    model = Model(x, [Dense(1, name="pasos")(e), Dense(2, name="todo")(SimpleRNN(3)(e))], dtype="float64", seed=0)
    model.compile("sgd", "mse", loss_weights=[1.0, 0.5], metrics=[["mae"], ["mae"]])
    tokens = padded(6, 4, rng)
    ys = [rng.normal(size=(6, 4, 1)), rng.normal(size=(6, 2))]
    predicted = model.predict(tokens)
    first, second = (((p - y) ** 2).mean(axis=-1) for p, y in zip(predicted, ys, strict=True))
    mask = tokens != 0
    expected = (first * mask).sum() / mask.sum() + 0.5 * second.mean()
    assert model.loss_and_gradient(tokens, ys)[0] == pytest.approx(expected)
    assert model.evaluate(tokens, ys, return_dict=True)["loss"] == pytest.approx(expected)


# --- Las métricas ---


class Largest(Metric):
    def __init__(self, name="largest", **options):
        super().__init__(name=name, **options)
        self.most = self.add_variable((), "zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        error = np.abs(y_true - y_pred).max(axis=-1)
        self.most.assign(np.maximum(self.most, (error if sample_weight is None else error * (sample_weight > 0)).max()))

    def result(self):
        return self.most


class Closeness(Metric):
    """Una media que no sabe de pesos."""

    name = "closeness"

    def shard(self, y_true, y_pred):
        return float((np.abs(y_true - y_pred).max(axis=-1) < 1).reshape(len(y_true), -1).mean(axis=1).sum())


def test_the_metrics_of_the_book_and_those_of_the_reader_count_only_what_is_real():
    rng = np.random.default_rng(0)
    x, y, model = padded(9, 5, rng), rng.normal(size=(9, 5, 2)), tagger()
    model.compile("sgd", "mse", metrics=["mae", Largest(), Closeness()], weighted_metrics=["mse"])
    s, mask, error = rng.random(9), x != 0, np.abs(model.predict(x) - y)
    found = model.evaluate(x, y, sample_weight=s, batch_size=4, return_dict=True)
    assert found["mae"] == pytest.approx(error.mean(axis=-1)[mask].mean())
    assert found["largest"] == pytest.approx(error.max(axis=-1)[mask].max())
    assert found["closeness"] == pytest.approx((error.max(axis=-1) < 1)[mask].mean())
    weight = mask * s[:, np.newaxis]
    assert found["mse"] == pytest.approx(((error**2).mean(axis=-1) * weight).sum() / weight.sum())


# --- Por dónde pasa ---


def mask_after(*layers, x=None):
    x = padded(4, 5, np.random.default_rng(0)) if x is None else x
    model = Sequential([Input((5,)), Embedding(7, 3, mask_zero=True), *layers])
    model.forward(x)
    assert (model.foreseen_masks([x])[0] is None) == (model.output_masks()[0] is None)
    return x != 0, model.output_masks()[0]


@pytest.mark.parametrize("layer", [Dense(2), Dropout(0.3), BatchNormalization(), SimpleRNN(2, return_sequences=True)])
def test_it_goes_through_the_layers_that_keras_lets_it_through(layer):
    sent, found = mask_after(layer)
    np.testing.assert_array_equal(found, sent)


@pytest.mark.parametrize("layer", [Flatten(), Reshape((3, 5)), SimpleRNN(2), GlobalAveragePooling1D()])
def test_it_is_lost_in_the_others(layer):
    assert mask_after(layer)[1] is None


def test_a_lambda_layer_gives_the_mask_it_was_told():
    assert mask_after(Lambda(lambda x: x * 2))[1] is None
    x = padded(4, 5, np.random.default_rng(0))
    model = Sequential([Input((5,)), Embedding(7, 3, mask_zero=True), Lambda(lambda x: x * 2, mask=lambda x, m: ~m)])
    model.forward(x)
    np.testing.assert_array_equal(model.output_masks()[0], x == 0)
    assert model.foreseen_masks([x]) is None


class Halves(Layer):
    """La máscara depende de lo que calculó otra capa: no se sabe antes de ir."""

    supports_masking = True

    def forward(self, x, training=False):
        self.x = self.y = self.ready(x)
        return self.y

    def backward(self, dy):
        return self.output_gradient(dy)

    def compute_mask(self, inputs, previous_mask=None):
        return (inputs > 0).any(axis=-1)


def test_a_mask_that_depends_on_the_computation_also_reaches_the_loss(monkeypatch):
    monkeypatch.setattr(engine, "WORK_PER_THREAD", 1)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 4, 3)), rng.normal(size=(20, 4, 2))
    set_threads(3)
    model = Sequential([Input((4, 3)), Dense(2, use_bias=False), Halves(), Dense(2)], dtype="float64", seed=0)
    model.compile(SGD(0.1), "mse", metrics=["mae"])
    mask, each = (x @ model.weights[0] > 0).any(axis=-1), losses_of(model, x, y)
    expected = each[mask].mean()
    assert 0 < mask.mean() < 1
    loss, gradient = model.loss_and_gradient(x, y)
    assert loss == pytest.approx(expected)
    assert model.evaluate(x, y, batch_size=20)[0] == pytest.approx(expected)
    before = model.theta.copy()
    assert model.train_on_batch(x, y)[0] == pytest.approx(expected)
    np.testing.assert_allclose(before - model.theta, 0.1 * gradient, atol=1e-12)
    set_threads(None)


def test_merging_counts_what_counts_in_any():
    rng = np.random.default_rng(0)
    a, b = Input((5,)), Input((5,))
    ea, eb = Embedding(7, 3, mask_zero=True)(a), Embedding(7, 3, mask_zero=True)(b)
    plain = Embedding(7, 3)(b)
    model = Model([a, b], [Add()([ea, eb]), Concatenate()([ea, eb]), Concatenate(axis=1)([ea, eb]), Add()([ea, plain])])
    x = [padded(4, 5, rng), padded(4, 5, rng)]
    model.forward(x)
    either = (x[0] != 0) | (x[1] != 0)
    expected = [either, either, np.concatenate([x[0] != 0, x[1] != 0], axis=1), None]
    for found, foreseen, one in zip(model.output_masks(), model.foreseen_masks(x), expected, strict=True):
        if one is None:
            assert found is None
            assert foreseen is None
        else:
            np.testing.assert_array_equal(found, one)
            np.testing.assert_array_equal(foreseen, one)


def test_it_enters_and_leaves_a_model_inside_another():
    rng = np.random.default_rng(0)
    x, y = padded(5, 4, rng), rng.normal(size=(5, 4, 2))
    inner = Sequential([Embedding(7, 3, mask_zero=True), Dense(2, "tanh")])
    outer = Sequential([Input((4,)), inner, Sequential([Dense(2)])], dtype="float64", seed=0)
    outer.compile("sgd", "mse")
    mask = x != 0
    assert outer.loss_and_gradient(x, y)[0] == pytest.approx(losses_of(outer, x, y)[mask].mean())
    assert outer.evaluate(x, y, batch_size=5) == pytest.approx(losses_of(outer, x, y)[mask].mean())


def test_the_whole_chain_has_the_gradient_that_differences_measure():
    rng = np.random.default_rng(0)
    x, y = padded(5, 4, rng), rng.normal(size=(5, 4, 2))
    layers = [Embedding(7, 3, mask_zero=True), SimpleRNN(4, return_sequences=True), BatchNormalization(), Dense(2)]
    model = Sequential([Input((4,)), *layers], dtype="float64", seed=0)
    model.compile("sgd", "mse")

    def measured(training):
        gradient = model.loss_and_gradient(x, y, training=training)[1]
        return check_gradients(
            lambda: model.loss_and_gradient(x, y, training=training)[0], {"theta": model.theta}, {"theta": gradient}
        )

    assert measured(False).ok
    assert measured(True).ok


# --- Las capas que la usan ---


def test_batch_normalization_takes_the_mean_of_what_counts(monkeypatch):
    monkeypatch.setattr(engine, "WORK_PER_THREAD", 1)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(6, 5, 3)) + 2
    x[0], x[1, 2:], x[4, 1:] = 0, 0, 0
    layer = BatchNormalization(dtype="float64")
    mask = (x != 0).any(axis=-1)
    y = layer.forward(x, training=True, mask=mask)
    real = x[mask]
    np.testing.assert_allclose(y, (x - real.mean(0)) / np.sqrt(real.var(0) + 1e-3), rtol=1e-10)
    np.testing.assert_allclose(layer.moving_mean, 0.01 * real.mean(0), rtol=1e-10)
    targets, found = rng.normal(size=(6, 5, 3)), []
    for threads in (1, 3):
        set_threads(threads)
        model = Sequential([Input((5, 3)), Masking(), BatchNormalization(), Dense(3)], dtype="float64", seed=0)
        model.compile(SGD(0.1), "mse")
        model.fit(x, targets, batch_size=6, epochs=2, shuffle=False, verbose=0)
        found.append(np.concatenate([w.ravel() for w in model.weights]))
    set_threads(None)
    np.testing.assert_allclose(*found, rtol=1e-9)
    before = layer.moving_mean.copy()
    assert np.isfinite(layer.forward(x, training=True, mask=np.zeros((6, 5), bool))).all()
    np.testing.assert_array_equal(layer.moving_mean, before)
    with pytest.raises(ValueError, match="con máscara se espera que los canales sean el último eje"):
        BatchNormalization(axis=1).forward(x, training=True, mask=mask)


def test_the_global_mean_is_of_what_counts_and_of_nothing_it_is_zero():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, 4, 2))
    mask = np.array([[1, 1, 0, 0], [0, 0, 0, 0], [1, 0, 1, 1]], bool)
    layer = GlobalAveragePooling1D(dtype="float64")
    y = layer.forward(x, mask=mask)
    np.testing.assert_allclose(y[0], x[0, :2].mean(axis=0))
    np.testing.assert_array_equal(y[1], 0)
    dy = rng.normal(size=(3, 2))
    dx = layer.backward(dy)
    report = check_gradients(lambda: (layer.forward(x, mask=mask) * dy).sum(), {"x": x}, {"x": dx})
    assert report.ok, str(report)


# --- Lo que no encaja ---


def test_a_mask_that_does_not_fit_gets_one_spanish_sentence():
    loss = MeanSquaredError()
    with pytest.raises(ValueError, match=r"mask: se esperaba la forma \(2, 3\), un valor por vector de la salida"):
        loss(np.zeros((2, 3, 4)), np.zeros((2, 3, 4)), mask=np.ones((3, 2)))
    assert loss(np.zeros((1, 2, 1)), np.array([[[2.0], [9.0]]]), mask=[[1, 0]]) == 4.0
    model = tagger()
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="sample_weight: se esperaba"):
        model.fit(np.ones((3, 4), int), np.ones((3, 4, 2)), sample_weight=np.ones((3, 5)), verbose=0)


X = np.ones((2, 4, 3))
STRANGE = {
    "nan": np.full((2, 4), np.nan),
    "half": np.full((2, 4), 0.5),
    "two": np.full((2, 4), 2),
    "texts": np.full((2, 4), "a"),
    "objects": np.full((2, 4), None),
    "short": np.ones((2, 3)),
    "wide": np.ones((2, 4, 3, 1)),
    "ragged": [[1], [1, 0]],
    "empty": [],
    "complex": np.full((2, 4), 1j),
    "one": True,
    "text": "x",
}
# Quién recibe una máscara, además de las recurrentes.
TAKES = {
    "normalization": lambda mask: BatchNormalization().forward(X, mask=mask),
    "mean": lambda mask: GlobalAveragePooling1D().forward(X, mask=mask),
    "product": lambda mask: Multiply().forward([X, X], mask=[mask, None]),
    "maximum": lambda mask: Maximum().forward([X, X], mask=[None, mask]),
    "sum": lambda mask: Add().compute_mask([X, X], [mask, mask]),
    "side by side": lambda mask: Concatenate().compute_mask([X, X], [mask, None]),
    "each step": lambda mask: TimeDistributed(Dense(2)).forward(X, mask=mask),
    "both ways": lambda mask: Bidirectional(SimpleRNN(2)).forward(X, mask=mask),
    "loss": lambda mask: MeanSquaredError()(X, X, mask=mask),
    "model": lambda mask: Sequential([Input((None, 3)), SimpleRNN(2)]).forward(X, mask=mask),
}


@pytest.mark.parametrize("who", TAKES)
@pytest.mark.parametrize("what", STRANGE)
def test_what_is_not_a_mask_is_refused_by_everyone(who, what):
    if (who, what) == ("each step", "wide"):
        return  # dice además qué es real dentro de cada paso
    with pytest.raises((TypeError, ValueError), match=r"^mask(\[\d\])?: se esperaba"):
        TAKES[who](STRANGE[what])


@pytest.mark.parametrize("who", TAKES)
def test_ones_and_zeros_in_a_list_are_a_mask(who):
    mask = [[1, 1, 0, 0], [1, 1, 1, 0]]
    np.testing.assert_array_equal(TAKES[who](mask) is None, TAKES[who](np.array(mask, bool)) is None)
    if who in ("sum", "product", "side by side", "maximum", "mean"):
        np.testing.assert_array_equal(TAKES[who](mask), TAKES[who](np.array(mask, bool)))


def test_a_model_of_several_inputs_takes_a_mask_for_each():
    a, b = Input((None, 3)), Input((None, 3))
    model = Model([a, b], Add()([a, b]))
    mask = [[1, 1, 0, 0], [1, 0, 0, 0]]
    model.forward([X, X], mask=[mask, mask])
    with pytest.raises(ValueError, match="mask: se esperaban 2 elementos, pero llegaron 3"):
        model.forward([X, X], mask=[mask] * 3)


@pytest.mark.parametrize("layer", [Masking(), Embedding(3, 2, mask_zero=True)])
@pytest.mark.parametrize("x", ["x", ["a", "b"], [[1], [1, 2]], None, {}, 1j, [[None]], object()])
def test_what_is_not_a_sequence_has_no_mask(layer, x):
    with pytest.raises((TypeError, ValueError), match="inputs: se esperaba"):
        layer.compute_mask(x)


@pytest.mark.parametrize("built", [False, True])
@pytest.mark.parametrize(
    "make",
    [
        *(lambda: SimpleRNN(2), lambda: Bidirectional(GRU(2)), lambda: TimeDistributed(Dense(2)), lambda: Masking()),
        lambda: GlobalAveragePooling1D(),
        lambda: Sequential([Input((None, 3)), Masking(), Bidirectional(LSTM(2))]),
    ],
)
def test_a_sequence_without_steps_is_refused(make, built):
    layer = make()
    if built and not layer.built:
        layer.build((None, 3))
    with pytest.raises(ValueError, match=r"x: se esperaba al menos un paso, pero llegó la forma \(2, 0, 3\)"):
        layer.forward(np.zeros((2, 0, 3)))


def test_a_sentence_without_words_is_refused():
    model = Sequential([Input((None,)), Embedding(3, 2, mask_zero=True), LSTM(2)])
    with pytest.raises(ValueError, match=r"x: se esperaba al menos un paso, pero llegó la forma \(2, 0\)"):
        model.predict(np.zeros((2, 0), int))
    with pytest.raises(ValueError, match=r"x: se esperaba al menos un número por observación, pero llegó la forma"):
        Dense(2).forward(np.zeros((2, 0)))


# --- Keras ---


@pytest.mark.parametrize("case", REFERENCE["cases"], ids=lambda case: case["name"])
def test_it_does_what_keras_did(case):
    from tests.reference.make_masks_reference import network

    model = network(case["name"], "chapters")
    model.set_weights([np.array(w) for w in case["weights"]])
    x, y = np.array(case["x"]), np.array(case["y"])
    s = None if case["sample_weight"] is None else np.array(case["sample_weight"])
    np.testing.assert_allclose(model.predict(x), case["predicted"], atol=1e-6)
    model.compile(SGD(0.1), "mse", metrics=["mae"], weighted_metrics=["mse"])
    found = model.evaluate(x, y, batch_size=4, sample_weight=s)
    np.testing.assert_allclose(found, case["measured"], rtol=1e-6, atol=1e-7)
    history = model.fit(x, y, batch_size=4, epochs=3, shuffle=False, sample_weight=s, verbose=0).history
    for name, values in case["history"].items():
        np.testing.assert_allclose(history[name], values, rtol=2e-6, atol=1e-7)
    for one, expected in zip(model.get_weights(), case["after"], strict=True):
        np.testing.assert_allclose(one, expected, atol=1e-6)


# --- Con la cinta ---


class Tagger(Model):
    """Escrito como en Keras: la máscara pasa sola de una capa a la otra."""

    def __init__(self, **options):
        super().__init__(**options)
        self.table = Embedding(7, 3, mask_zero=True)
        self.hidden = SimpleRNN(4, return_sequences=True)
        self.out = Dense(2)

    def call(self, x):
        return self.out(self.hidden(self.table(x)))


@pytest.mark.parametrize("frozen", [False, True])
def test_in_a_model_that_only_says_what_it_computes_it_also_arrives(frozen):
    rng = np.random.default_rng(0)
    x, y = padded(6, 5, rng), rng.normal(size=(6, 5, 2))
    model = Tagger(dtype="float64", seed=0)
    model.table.trainable = not frozen
    model.compile(SGD(0.1), "mse", metrics=["mae"])
    model.build((None, 5))
    row = Sequential(
        [Input((5,)), Embedding(7, 3, mask_zero=True), SimpleRNN(4, return_sequences=True), Dense(2)], dtype="float64"
    )
    row.set_weights(model.get_weights())
    row.layers[0].trainable = not frozen
    row.compile(SGD(0.1), "mse", metrics=["mae"])
    np.testing.assert_allclose(model.predict(x), row.predict(x), rtol=1e-10)
    np.testing.assert_allclose(model.evaluate(x, y, batch_size=4), row.evaluate(x, y, batch_size=4), rtol=1e-10)
    for one in (model, row):
        one.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    for a, b in zip(model.get_weights(), row.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9)


def test_in_a_loop_of_the_reader_the_loss_sees_the_mask_of_what_is_predicted():
    rng = np.random.default_rng(0)
    x, y, model = padded(6, 5, rng), rng.normal(size=(6, 5, 2)), tagger()
    model.compile("sgd", "mse")
    expected, gradient = model.loss_and_gradient(x, y)
    for measured in (lambda p: MeanSquaredError()(y, p), lambda p: model.compute_loss(x, y, p)):
        with GradientTape() as tape:
            value = measured(model(x))
        assert float(value) == pytest.approx(expected)
        found = tape.gradient(value, model.trainable_weights)
        np.testing.assert_allclose(np.concatenate([g.ravel() for g in found]), gradient, atol=1e-12)
