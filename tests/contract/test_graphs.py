"""El contrato de las redes que no son una fila: gradientes, hilos, archivos, copias y capas compartidas."""

import copy
import pickle

import numpy as np
import pytest

from chapters.keras import ops
from chapters.mlp import (
    SGD,
    Activation,
    Adam,
    Add,
    Average,
    Concatenate,
    Dense,
    Dot,
    Dropout,
    Input,
    Layer,
    Maximum,
    Model,
    Multiply,
    Sequential,
    Subtract,
    load_model,
)
from chapters.mlp.regularizers import OrthogonalRegularizer
from dlbook.gradcheck import check_gradients
from dlbook.numeric.parallel import set_threads
from dlbook.training import engine

N = 11


def branches():
    x = Input(shape=(3,), name="x")
    one = Dense(4, "tanh")(x)
    other = Dense(4, "sigmoid")(one)
    return Model(x, Dense(2)(Add()([one, other, Dense(4)(x)])), dtype="float64", seed=0)


def shared():
    a, b = Input(shape=(3,), name="a"), Input(shape=(3,), name="b")
    tower = Dense(4, "tanh", name="torre", kernel_regularizer="l2")
    one, two = tower(a), tower(b)
    again = tower(Dense(3, "tanh")(Multiply()([one, two])))
    return Model([a, b], Dense(1)(Concatenate()([one, two, again])), dtype="float64", seed=0)


def several():
    a, b = Input(shape=(3,), name="a"), Input(shape=(2, 3), name="b")
    merged = Average()([a, b])
    left = Dense(2, "tanh", name="izquierda", activity_regularizer="l2")(a)
    right = Dense(1, name="derecha")(Subtract()([merged, Maximum()([a, b])]))
    return Model({"a": a, "b": b}, {"izquierda": left, "derecha": right}, dtype="float64", seed=0)


def nested():
    code = Input(shape=(4,))
    encoder = Sequential([Input((3,)), Dense(4, "tanh")], name="codificador", dtype="float64", seed=1)
    decoder = Model(code, Dense(3)(Dropout(0.0)(code)), name="decodificador", dtype="float64", seed=2)
    x, y = Input(shape=(3,)), Input(shape=(3,))
    one, two = encoder(x), encoder(y)
    return Model([x, y], [decoder(one), Dot(axes=1)([one, two])], dtype="float64", seed=0)


def random():
    x = Input(shape=(3,))
    drop = Dropout(0.4)
    return Model(x, Dense(2)(Add()([drop(Dense(5)(x)), drop(Dense(5, "tanh")(x))])), dtype="float64", seed=0)


MODELS = {f.__name__: f for f in (branches, shared, several, nested, random)}
every = pytest.mark.parametrize("make", [pytest.param(f, id=name) for name, f in MODELS.items()])


def data(model, n=N):
    rng = np.random.default_rng(0)
    shapes = model.input_shape if model.several else [model.input_shape]
    xs = [rng.normal(size=(n, *shape)) for shape in shapes]
    ys = [rng.normal(size=(n, *s)) for s in listed(model.compute_output_shape(model.input_shape))]
    return (xs if len(xs) > 1 else xs[0]), (ys if len(ys) > 1 else ys[0])


def listed(value):
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else [value]


def same(one, other):
    return len(one) == len(other) and all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.fixture
def threads(monkeypatch):
    monkeypatch.setattr(engine, "WORK_PER_THREAD", 1)

    def change(count, cache=1 << 20):
        monkeypatch.setattr(engine, "CACHE", cache)
        set_threads(count)

    yield change
    set_threads(None)


@every
def test_the_gradients_are_the_measured_ones(make):
    model = make()
    x, y = data(model)
    model.compile("sgd", "mse", loss_weights=[0.5, 2.0] if len(model.outputs) > 1 else None)
    loss, gradient = model.loss_and_gradient(x, y)
    report = check_gradients(lambda: model.loss_and_gradient(x, y)[0], {"theta": model.theta}, {"theta": gradient})
    assert report.ok, str(report)
    assert np.isfinite(loss)
    outputs = listed(model.forward(x))
    back = listed(model.backward([np.cos(o) for o in outputs] if len(outputs) > 1 else np.cos(outputs[0])))
    for one, dx in zip(listed(x), back, strict=True):
        report = check_gradients(
            lambda: sum(np.sin(o).sum() for o in listed(model.forward(x))) + penalties(model, x), {"x": one}, {"x": dx}
        )
        assert report.ok, str(report)


def penalties(model, x):
    return model.added_loss(len(listed(x)[0])) / len(listed(x)[0])


@every
def test_threads_and_chunks_only_change_the_rounding(make, threads):
    def trained():
        model = make()
        x, y = data(model)
        model.compile(SGD(0.05), "mse", metrics=None)
        loss = model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0).history["loss"]
        return [np.array(loss), *listed(model.predict(x)), *model.get_weights()]

    threads(1)
    alone = trained()
    for count, cache in ((1, 1), (2, 1 << 20), (4, 1)):
        threads(count, cache)
        for one, other in zip(trained(), alone, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


@every
def test_fit_is_one_gradient_step_after_another(make):
    if make is random:
        return
    one, other = make(), make()
    x, y = data(one)
    for model in (one, other):
        model.compile(SGD(0.05), "mse")
    one.fit(x, y, batch_size=N, epochs=3, shuffle=False, verbose=0)
    for _ in range(3):
        other.theta -= 0.05 * other.loss_and_gradient(x, y, training=True)[1]
    np.testing.assert_allclose(one.theta, other.theta, rtol=1e-10)


@every
def test_it_comes_back_from_disk_and_goes_on(make, tmp_path):
    model = make()
    x, y = data(model)
    model.compile(Adam(0.01), "mse")
    model.fit(x, y, epochs=2, verbose=0)
    model.save(tmp_path / "red.safetensors")
    again = load_model(tmp_path / "red.safetensors")
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]
    assert again.calls == model.calls
    assert same(listed(again.predict(x)), listed(model.predict(x)))
    for one in (model, again):
        one.fit(x, y, epochs=4, initial_epoch=2, verbose=0)
    assert same(again.get_weights(), model.get_weights())


@every
def test_copies_answer_the_same_and_are_others(make):
    model = make()
    x, _ = data(model)
    expected = listed(model.predict(x))
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert same(listed(other.predict(x)), expected)
        assert [s.shape for s in other.inputs] == [s.shape for s in model.inputs]
        other.theta[:] = 0
        # Los símbolos de la copia son de sus capas.
        part = Model(other.inputs, other.layers[-1].output)
        assert set(map(id, part.layers)) <= set(map(id, other.layers))
    assert same(listed(model.predict(x)), expected)


@every
def test_the_summary_says_where_everything_comes_from(make, capsys):
    model = make()
    model.summary()
    text = capsys.readouterr().out
    assert "viene de" in text
    for layer in model.layers:
        assert f"{layer.name} " in text
    assert f"Total: {model.count_params()} parámetros" in text


def test_a_call_remembers_its_own():
    # La misma capa dos veces, con un producto en medio: lo que recuerda la segunda no pisa lo de la primera.
    x = Input(shape=(1,))
    layer = Dense(1, use_bias=False)
    model = Model(x, layer(layer(x)), dtype="float64")
    model.set_weights([[[3.0]]])
    model.compile("sgd", "mse")
    assert model.forward([[2.0]]) == 18.0
    assert model.backward([[1.0]]) == 9.0
    # y = w² x: su derivada es 2 w x.
    assert model.layers[1].gradients[0] == 12.0


def test_building_on_the_layers_of_another_leaves_it_as_it_was():
    model = Sequential([Input((3,)), Dense(4, "tanh"), Dense(2)], seed=0)
    model.compile(Adam(0.1), "mse")
    x, y = data(model, 20)
    other = copy.deepcopy(model)
    model.fit(x, y, epochs=1, verbose=0)
    other.fit(x, y, epochs=1, verbose=0)
    names = [layer.name for layer in model.layers]
    part = Sequential(model.layers[:-1])
    inside = Model(model.inputs, model.layers[0].output)
    new = Model(model.inputs, Dense(1)(model.layers[0].output))
    expected = np.tanh(x.astype(np.float32) @ model.layers[0].kernel + model.layers[0].bias)
    for one in (part, inside):
        np.testing.assert_allclose(one.predict(x), expected, rtol=1e-5)
    assert new.predict(x).shape == (20, 1)
    assert [layer.name for layer in model.layers] == names
    for one in (model, other):
        one.fit(x, y, epochs=2, initial_epoch=1, verbose=0)
    assert same(model.get_weights(), other.get_weights())
    # Y lo que aprende uno se ve en el otro.
    expected = np.tanh(x.astype(np.float32) @ model.layers[0].kernel + model.layers[0].bias)
    np.testing.assert_allclose(part.predict(x), expected, rtol=1e-5)


def test_a_model_trained_after_another_with_the_same_layers_keeps_both_momenta():
    # Dos modelos comparten el cuerpo y se turnan: cada optimizador recuerda lo suyo.
    def make():
        x = Input(shape=(3,))
        body = Dense(4, "tanh")(x)
        one, two = Model(x, Dense(1)(body), seed=0), Model(x, Dense(2)(body), seed=1)
        one.compile(SGD(0.1, momentum=0.9), "mse")
        two.compile(SGD(0.1, momentum=0.9), "mse")
        return one, two

    one, two = make()
    rng = np.random.default_rng(0)
    x, y, z = rng.normal(size=(8, 3)), rng.normal(size=(8, 1)), rng.normal(size=(8, 2))
    velocity = {0: 0.0, 1: 0.0}
    by_hand = {}
    for k, (model, target) in enumerate(((one, y), (two, z))):
        by_hand[k] = model, target
    for _ in range(3):
        for k, (model, target) in by_hand.items():
            before = model.theta.copy()
            gradient = model.loss_and_gradient(x, target)[1]
            velocity[k] = 0.9 * velocity[k] - 0.1 * gradient
            model.train_on_batch(x, target)
            np.testing.assert_allclose(model.theta, before + velocity[k], rtol=2e-5, atol=1e-6)


def test_the_gan_pattern_keeps_the_momentum_of_both():
    generator = Sequential([Input((2,)), Dense(4, "tanh"), Dense(3)], seed=0, name="generador")
    judge = Sequential([Input((3,)), Dense(4, "tanh"), Dense(1, "sigmoid")], seed=1, name="juez")
    judge.compile(Adam(0.01), "binary_crossentropy")
    judge.trainable = False
    z = Input(shape=(2,))
    gan = Model(z, judge(generator(z)))
    gan.compile(Adam(0.01), "binary_crossentropy")
    assert gan.theta.size == generator.count_params()
    rng = np.random.default_rng(0)
    for _ in range(3):
        noise, real = rng.normal(size=(8, 2)), rng.normal(size=(8, 3))
        judge.trainable = True
        before = generator.get_weights()
        judge.train_on_batch(np.concatenate([real, generator.predict(noise)]), np.repeat([[1.0], [0.0]], 8, axis=0))
        assert same(generator.get_weights(), before)
        judge.trainable = False
        before = judge.get_weights()
        gan.train_on_batch(noise, np.ones((8, 1)))
        assert same(judge.get_weights(), before)
    assert judge.optimizer.iterations == gan.optimizer.iterations == 3


def test_freezing_one_part_keeps_what_the_optimizer_remembers_of_the_rest():
    model = Sequential([Input((3,)), Dense(4, "tanh"), Dense(2)], dtype="float64", seed=0)
    model.compile(SGD(0.1, momentum=0.9), "mse")
    x, y = data(model, 6)
    velocity = np.zeros(model.theta.size)
    size = model.layers[0].count_params()
    for frozen in (False, True, True, False, False):
        model.layers[0].trainable = True
        free = slice(size if frozen else 0, None)
        weights = np.concatenate([w.ravel() for w in model.weights])
        gradient = model.loss_and_gradient(x, y)[1]
        model.layers[0].trainable = not frozen
        velocity[free] = 0.9 * velocity[free] - 0.1 * gradient[free]
        weights[free] += velocity[free]
        model.train_on_batch(x, y)
        np.testing.assert_allclose(np.concatenate([w.ravel() for w in model.weights]), weights, rtol=1e-10)


class Chosen(Layer):
    """Da la fila de una tabla que dice cada entero."""

    integers = True

    def build(self, input_shape):
        super().build(input_shape)
        self.table = self.add_weight((50, 2), "uniform")

    def compute_output_shape(self, input_shape):
        return (*input_shape, 2)

    def forward(self, x, training=False):
        self.x = self.ready(x)
        assert self.x.dtype == np.int64
        self.y = self.table[self.x]
        return self.y

    def backward(self, dy):
        dy = self.output_gradient(dy)
        self.gradients[0][:] = 0
        np.add.at(self.gradients[0], self.x, dy)
        return None if not self.input_gradient else np.zeros(self.x.shape, self.dtype)


def test_integers_arrive_as_integers():
    words, price = Input(shape=(4,), dtype="int32"), Input(shape=(1,))
    table = Chosen()
    mean = Dense(1)(Concatenate()([Activation("tanh")(flat(table(words))), price]))
    model = Model([words, price], mean, dtype="float64", seed=0)
    assert [d.kind for d in model.input_dtypes] == ["i", "f"]
    rng = np.random.default_rng(0)
    x = [rng.integers(0, 50, (7, 4)).astype("int16"), rng.normal(size=(7, 1))]
    model.compile("sgd", "mse")
    model.fit(x, rng.normal(size=7), batch_size=3, epochs=2, verbose=0)
    assert model.predict(x).shape == (7, 1)
    with pytest.raises(ValueError, match=r"x\[0\]: se esperaba un entero, pero hay un 0.5"):
        model.predict([np.full((7, 4), 0.5), x[1]])
    # Una fila también: lo pide la primera capa.
    row = Sequential([Input((4,)), Chosen()], seed=0)
    assert row.predict(np.full((2, 4), 3)).shape == (2, 4, 2)


def flat(symbol):
    from chapters.mlp import Flatten

    return Flatten()(symbol)


def test_outputs_in_a_dictionary_come_out_in_one_also_after_a_file(tmp_path):
    a = Input(shape=(3,), name="a")
    model = Model({"entra": a}, {"sale": Dense(2, name="densa")(a)}, seed=0)
    model.compile("sgd", {"sale": "mse"})
    x = {"entra": np.ones((4, 3))}
    for name in ("red.keras", "red.h5", "red.safetensors"):
        model.save(tmp_path / name)
        again = load_model(tmp_path / name)
        np.testing.assert_array_equal(again.predict(x)["sale"], model.predict(x)["sale"])
        np.testing.assert_array_equal(again.predict_on_batch(x)["sale"], again(x)["sale"])
        assert again.evaluate(x, {"sale": np.ones((4, 2))}) == model.evaluate(x, {"sale": np.ones((4, 2))})
    # Y con valores simbólicos.
    assert Model(a, Dense(1)(model({"entra": a})["sale"])).predict(x["entra"]).shape == (4, 1)
    with pytest.raises(ValueError, match="falta la entrada 'entra'; las del modelo son"):
        model({"otra": a})


def test_data_in_lists_and_dictionaries_and_losses_per_output():
    model = several()
    # Los de un diccionario van por orden alfabético.
    (a, b), (right, left) = data(model)
    model.compile(
        "sgd",
        {"izquierda": "mse", "derecha": "mae"},
        loss_weights={"izquierda": 0.5},
        metrics={"derecha": ["mse"]},
    )
    by_name = {"b": b, "a": a}, {"derecha": right, "izquierda": left}
    logs = model.evaluate(*by_name, return_dict=True)
    assert set(logs) == {"loss", "izquierda_loss", "derecha_loss", "derecha_mse"}
    assert logs == model.evaluate([a, b], [right, left], return_dict=True)
    found = model.predict([a, b])
    assert list(found) == model.output_names == ["derecha", "izquierda"]
    two, one = found.values()
    assert logs["izquierda_loss"] == pytest.approx(np.mean((one - left) ** 2))
    assert logs["derecha_loss"] == pytest.approx(np.mean(np.abs(two - right)))
    activity = 0.01 * np.sum(one**2) / N
    assert logs["loss"] == pytest.approx(0.5 * logs["izquierda_loss"] + logs["derecha_loss"] + activity)
    history = model.fit(*by_name, epochs=2, verbose=0, validation_data=by_name).history
    assert {"val_loss", "val_derecha_mse"} <= set(history)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda m: m.predict(np.zeros((4, 3))), "se esperaba una lista de 2 entradas"),
        (lambda m: m.predict([np.zeros((4, 3))]), "se esperaba una lista de 2 entradas"),
        (lambda m: m.predict({"a": np.zeros((4, 3))}), "falta la entrada 'b'"),
        (lambda m: m.predict([np.zeros((4, 3)), np.zeros((5, 2, 3))]), r"x\[1\]: se esperaban 4 observaciones"),
        (lambda m: m.predict([np.zeros((4, 3)), np.zeros((4, 3))]), r"x\[1\]: se esperaba la forma \(n, \?, 3\)"),
        (lambda m: m.fit([np.zeros((4, 3)), np.zeros((4, 2, 3))], np.zeros(4)), "y: se esperaba una lista de 2"),
        (lambda m: m.compile("sgd", {"arriba": "mse"}), "loss: no hay una salida 'arriba'"),
        (lambda m: m.compile("sgd", ["mse"] * 3), "loss: se esperaba uno por salida, 2"),
        (lambda m: m.compile("sgd", "mse", loss_weights="mucho"), "loss_weights: se esperaba un número"),
        (lambda m: m.backward(np.zeros((4, 2))), "se esperaba una lista de 2 gradientes"),
        (lambda m: Model(m.inputs[0], m.outputs), "inputs: una salida depende de la entrada 'b'"),
        (lambda m: Model([m.inputs[0]] * 2, m.outputs[0]), "inputs: se esperaban entradas distintas"),
        (lambda m: Model(m.inputs, 3), "outputs: se esperaban valores simbólicos"),
        (lambda m: Model([], m.outputs), "inputs: se esperaba al menos un valor"),
        (lambda m: m.get_layer("arriba"), "name: se esperaba"),
        (lambda m: m.get_layer(), "se esperaba un nombre o un lugar"),
        (lambda m: np.asarray(m.outputs[0]), "es un valor simbólico y todavía no tiene números"),
        (lambda m: Dense(2)(m.outputs), "se esperaba una sola entrada, pero llegaron 2"),
        (lambda m: Add()(m.inputs[0]), "se esperaban al menos dos entradas"),
        (lambda m: Add()([Input((2,)), Input((3,))]), "se esperaban formas que se puedan operar entre sí"),
    ],
)
def test_nonsense_is_a_sentence(wrong, message):
    model = several()
    model.compile("sgd", "mse")
    model.forward(data(model)[0])
    with pytest.raises((TypeError, ValueError), match=message):
        wrong(model)


def test_operators_are_layers_and_are_saved(tmp_path):
    a, b = Input(shape=(3,)), Input(shape=(3,))
    y = -((2 * a + b) - 1) * (a / 4 - b) + (3 - b)
    model = Model([a, b], y, dtype="float64")
    x = data(model)[0]
    expected = -((2 * x[0] + x[1]) - 1) * (x[0] / 4 - x[1]) + (3 - x[1])
    np.testing.assert_allclose(model.predict(x), expected, rtol=1e-12)
    model.save(tmp_path / "red.safetensors")
    np.testing.assert_allclose(load_model(tmp_path / "red.safetensors").predict(x), expected, rtol=1e-12)


def test_any_operation_of_the_tape_can_be_part_of_a_graph():
    a, b = Input(shape=(3,)), Input(shape=(3,))
    hidden = Dense(3)(a)
    model = Model(
        [a, b], ops.exp(-(hidden**2)) + ops.where(b > 0, hidden[:, :1], b @ np.eye(3)), dtype="float64", seed=0
    )
    x, y = data(model)
    h = x[0] @ model.get_layer("dense").kernel
    expected = np.exp(-(h**2)) + np.where(x[1] > 0, h[:, :1], x[1])
    np.testing.assert_allclose(model.predict(x), expected, rtol=1e-12)
    model.compile("sgd", "mse")
    gradient = model.loss_and_gradient(x, y)[1]
    report = check_gradients(lambda: model.loss_and_gradient(x, y)[0], {"theta": model.theta}, {"theta": gradient})
    assert report.ok, str(report)


class Marks(Layer):
    """Dice que no cuentan las posiciones en que todo es cero."""

    masks = True

    def forward(self, x, training=False):
        self.x = self.y = self.ready(x)
        return self.y

    def backward(self, dy):
        return self.output_gradient(dy)

    def compute_mask(self, inputs, previous_mask=None):
        return (inputs != 0).any(axis=-1)


class MeanOfWhatCounts(Layer):
    """Promedia las posiciones que cuentan; la máscara llega hasta aquí."""

    def compute_output_shape(self, input_shape):
        return input_shape[1:]

    def forward(self, x, training=False, mask=None):
        self.x = self.ready(x)
        weight = np.ones(self.x.shape[:2], self.dtype) if mask is None else mask.astype(self.dtype)
        self.share = (weight / weight.sum(axis=1, keepdims=True))[..., np.newaxis]
        self.y = np.ascontiguousarray((self.x * self.share).sum(axis=1))
        return self.y

    def backward(self, dy):
        return self.output_gradient(dy)[:, np.newaxis] * self.share

    def compute_mask(self, inputs, previous_mask=None):
        return None


@pytest.mark.parametrize("nested", [False, True])
def test_a_mask_goes_from_the_layer_that_makes_it_to_the_one_that_uses_it(nested):
    layers = [Marks(), Dense(3, "tanh"), MeanOfWhatCounts(), Dense(1)]
    if nested:
        layers = [Sequential(layers[:2]), *layers[2:]]
    row = Sequential([Input((4, 2)), *layers], dtype="float64", seed=0)
    x = np.random.default_rng(0).normal(size=(5, 4, 2))
    x[0, 2:] = 0
    x[3, 1] = 0
    hidden, mask = np.tanh(x @ row.weights[0] + row.weights[1]), (x != 0).any(axis=-1)
    mean = np.array([hidden[k][mask[k]].mean(axis=0) for k in range(5)])
    expected = mean @ row.weights[2] + row.weights[3]
    np.testing.assert_allclose(row.predict(x), expected, rtol=1e-12)
    a, b = Input((4, 2)), Input((4, 2))
    both = Model([a, b], MeanOfWhatCounts()(Add()([Marks()(a), Marks()(b)])), dtype="float64")
    other = np.ones_like(x)
    other[:, 0] = 0
    # Como en Keras, cuenta lo que cuente en alguna.
    counts = mask | (other != 0).any(axis=-1)
    expected = [(x + other)[k][counts[k]].mean(axis=0) for k in range(5)]
    np.testing.assert_allclose(both.predict([x, other]), expected, rtol=1e-12)
    row.compile("sgd", "mse")
    y = np.ones((5, 1))
    gradient = row.loss_and_gradient(x, y)[1]
    report = check_gradients(lambda: row.loss_and_gradient(x, y)[0], {"theta": row.theta}, {"theta": gradient})
    assert report.ok, str(report)


def test_a_penalty_that_looks_at_the_whole_batch_sees_it_whole(threads):
    # Esta compara unas observaciones con otras, y por partes no da lo mismo.
    def losses(count):
        threads(count)
        layers = [Input((3,)), Dense(4, activity_regularizer=OrthogonalRegularizer(0.1)), Dense(1)]
        model = Sequential(layers, dtype="float64", seed=0)
        model.compile("sgd", "mse")
        x, y = data(model, 8)
        found = [model.loss_and_gradient(x, y)[0]]
        return found + model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0).history["loss"]

    alone, shared = losses(1), losses(2)
    np.testing.assert_allclose(shared, alone, rtol=1e-12)
    assert alone[0] == pytest.approx(alone[1])


@pytest.mark.parametrize("loss", [[None, None], {}, (None, None)])
def test_without_any_loss_there_is_nothing_to_learn(loss):
    x = Input((3,))
    model = Model(x, [Dense(1)(x), Dense(1)(x)])
    model.compile("sgd", loss)
    with pytest.raises(ValueError, match="loss: falta decir qué se minimiza"):
        model.fit(np.ones((4, 3)), [np.ones((4, 1))] * 2, verbose=0)


def test_what_the_layers_add_can_be_all_there_is_to_learn():
    x = Input((3,))
    model = Model(x, [Dense(1, activity_regularizer="l2")(x), Dense(1)(x)])
    model.compile("sgd", [None, None])
    losses = model.fit(np.ones((4, 3)), [np.ones((4, 1))] * 2, epochs=2, verbose=0).history["loss"]
    assert losses[1] < losses[0]
