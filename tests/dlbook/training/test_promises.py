"""Lo que entrega el código de quien lee se compara con lo que prometió, antes de que llegue a un núcleo."""

import contextlib
import re
import threading
from pathlib import Path

import numpy as np
import pytest

from chapters.cnn import Branches, Residual
from chapters.mlp import metrics, promises
from chapters.mlp.activations.base import ActivationFunction
from chapters.mlp.dense import Dense
from chapters.mlp.layer import Layer
from chapters.mlp.losses import MeanSquaredError, SparseCategoricalCrossentropy
from chapters.mlp.model import Model
from chapters.mlp.optimizers import SGD
from chapters.mlp.optimizers.base import Optimizer
from chapters.mlp.regularizers import L2
from chapters.mlp.sequential import Input, Sequential
from dlbook.numeric.parallel import set_threads
from dlbook.training import engine as engines

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 6)).astype(np.float32)
LABELS = RNG.integers(0, 3, 40)


@pytest.fixture(autouse=True, params=[1, 2])
def threads(monkeypatch, request):
    monkeypatch.setattr(engines, "WORK_PER_THREAD", 1)
    set_threads(request.param)
    yield request.param
    set_threads(None)


class Own(Layer):
    """Entrega lo que le digan."""

    def __init__(self, change=lambda y: y, back=lambda dx: dx, **options):
        super().__init__(**options)
        self.change, self.back = change, back

    def forward(self, x, training=False):
        self.x = self.ready(x)
        self.y = self.change(self.x)
        return self.y

    def backward(self, dy):
        return self.back(np.ones_like(self.x))


def calls(model):
    return [
        lambda: model.fit(X, LABELS, verbose=0),
        lambda: model.evaluate(X, LABELS),
        lambda: model.predict(X),
        lambda: model(X),
    ]


OUTPUTS = [
    (lambda x: np.concatenate([x, x], axis=1), r"float32 de forma \(\d+, 6\)"),
    (lambda x: x[:, :1].copy(), r"float32 de forma \(\d+, 1\)"),
    (lambda x: x[:1].copy(), r"float32 de forma \(1, 3\)"),
    (lambda x: x[..., np.newaxis].copy(), r"float32 de forma \(\d+, 3, 1\)"),
    (lambda x: x.astype(np.float64), r"float64 de forma \(\d+, 3\)"),
    (lambda x: x.tolist(), "list"),
    (lambda x: x.sum(), "float32"),
    (lambda x: None, r"no devolvió nada; ¿falta el return\?"),
]


@pytest.mark.parametrize("loss", ["sparse_categorical_crossentropy", "mae"])
@pytest.mark.parametrize(("change", "came"), OUTPUTS)
def test_an_output_that_was_not_promised_is_an_error_that_names_the_layer(change, came, loss):
    model = Sequential([Input((6,)), Dense(3, "softmax"), Own(change, name="mía")], seed=0)
    model.compile("sgd", loss, metrics=["accuracy"] if loss != "mae" else None)
    y = LABELS if loss != "mae" else np.zeros((40, 3))
    for call in (lambda: model.fit(X, y, verbose=0), lambda: model.evaluate(X, y), lambda: model.predict(X)):
        with pytest.raises((TypeError, ValueError), match=rf"mía: de forward se esperaba .*\(\d+, 3\).*{came}"):
            call()


def wrap(inner):
    return [
        Sequential([Input((6,)), inner, Dense(3, "softmax")], seed=0),
        Sequential([Input((6,)), Residual([Dense(6), inner]), Dense(3, "softmax")], seed=0),
        Sequential([Input((6,)), Branches([inner, Dense(2)]), Dense(3, "softmax")], seed=0),
        Sequential([Input((6,)), Sequential([inner]), Dense(3, "softmax")], seed=0),
    ]


@pytest.mark.parametrize("k", range(4))
@pytest.mark.parametrize("change", [lambda x: x[:, :1].copy(), lambda x: np.tile(x, (1, 3)), lambda x: None])
def test_wherever_the_layer_is(k, change):
    model = wrap(Own(change, name="mía"))[k]
    model.compile("sgd", "sparse_categorical_crossentropy")
    for call in calls(model):
        with pytest.raises((TypeError, ValueError), match="mía: de forward se esperaba"):
            call()


@pytest.mark.parametrize("k", range(1, 4))
@pytest.mark.parametrize(
    ("back", "came"),
    [
        (lambda dx: None, "no devolvió nada"),
        (lambda dx: dx[:, :1].copy(), r"de forma \(\d+, 1\)"),
        (lambda dx: np.tile(dx, (2, 1)), r"float32 de forma \(\d+, 6\)"),
        (lambda dx: dx.astype(np.float64), "float64"),
        (lambda dx: 3.0, "float"),
    ],
)
def test_a_gradient_that_was_not_promised_is_an_error_that_names_the_layer(k, back, came):
    model = wrap(Own(back=back, name="mía"))[k]
    model.layers.insert(0, first := Dense(6))
    first.inherit(model)
    first.build((6,))
    model.compile("sgd", "sparse_categorical_crossentropy")
    before = model.theta.copy()
    with pytest.raises((TypeError, ValueError), match=f"mía: de backward se esperaba .*{came}"):
        model.fit(X, LABELS, verbose=0)
    assert np.array_equal(before, model.theta)


def test_the_first_layer_may_return_nothing_when_nobody_needs_it():
    model = Sequential([Input((6,)), Own(back=lambda dx: None), Dense(3)], seed=0)
    model.compile("sgd", "mse")
    model.fit(X, np.zeros((40, 3)), verbose=0)
    with pytest.raises(TypeError, match=r"own: de backward se esperaba .*no devolvió nada"):
        model.loss_and_gradient(X, np.zeros((40, 3)))


@pytest.mark.parametrize(
    "view",
    [
        lambda x: np.asfortranarray(x),
        lambda x: np.repeat(x, 2, axis=1)[:, ::2],
        lambda x: np.broadcast_to(x[:, :1], x.shape),
        lambda x: x.view(np.matrix),
    ],
)
def test_an_output_out_of_order_in_memory_is_put_in_order(view):
    plain = Sequential([Input((6,)), Dense(3), Own(lambda x: np.array(view(x), order="C"))], seed=0)
    odd = Sequential([Input((6,)), Dense(3), Own(view, lambda dx: view(dx))], seed=0)
    for model in (plain, odd):
        model.compile("sgd", SparseCategoricalCrossentropy(from_logits=True))
        model.fit(X, LABELS, verbose=0)
    assert np.array_equal(plain.predict(X), odd.predict(X))
    assert np.array_equal(plain.theta, odd.theta)


def test_a_change_of_shape_in_the_middle_of_a_training_is_noticed():
    class Late(Own):
        count = 0

        def forward(self, x, training=False):
            Late.count += 1
            y = super().forward(x, training)
            return y if Late.count < 4 else np.tile(y, (1, 2))

    model = Sequential([Input((6,)), Dense(3), Late()], seed=0)
    model.compile("sgd", SparseCategoricalCrossentropy(from_logits=True))
    with pytest.raises(ValueError, match=r"late: de forward se esperaba .* pero devolvió float32 de forma \(\d+, 6\)"):
        model.fit(X, LABELS, batch_size=8, verbose=0)


def test_a_promise_that_is_not_kept():
    class Wide(Dense):
        def compute_output_shape(self, input_shape):
            return (7,)

    model = Sequential([Input((6,)), Wide(3)], seed=0)
    with pytest.raises(ValueError, match=r"wide: .* forma \(\d+, 7\), la que da compute_output_shape"):
        model.predict(X)


def test_a_layer_that_writes_on_its_input_is_an_error_and_the_data_are_whole():
    class Doubles(Own):
        def forward(self, x, training=False):
            x *= 2
            self.x = self.y = x
            return x

    model = Sequential([Input((6,)), Doubles(), Dense(3)], seed=0)
    with pytest.raises(ValueError, match="doubles: forward cambió su entrada"):
        model.predict(X)


def test_a_model_of_ones_own_is_a_layer_too():
    class Mine(Model):
        def build(self, input_shape):
            super().build(input_shape)
            self.layers = [Dense(3), Dense(4)]
            for layer in self.layers:
                layer.inherit(self)
                layer.build(input_shape)

        def forward(self, x, training=False):
            return np.concatenate([layer.forward(self.ready(x)) for layer in self.layers], axis=1)

        def backward(self, dy):
            return None

    model = Mine(seed=0)
    with pytest.raises(ValueError, match=r"mine: .* forma \(\d+, 6\), .* pero devolvió float32 de forma \(\d+, 7\)"):
        model.predict(X)


def test_assigning_a_gradient_is_copying_into_it():
    class Assigns(Dense):
        factor = 1

        def backward(self, dy):
            dx = super().backward(dy)
            self.gradients[0] = self.factor * (self.x.T @ dy)
            return dx

    def trained(layer):
        model = Sequential([Input((6,)), layer], seed=0)
        model.compile("sgd", "mse")
        model.fit(X, np.zeros((40, 3)), verbose=0)
        return model.get_weights()

    for ours, theirs in zip(trained(Assigns(3)), trained(Dense(3)), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-7)
    wrong = Assigns(3)
    wrong.factor = np.ones((2, 6, 3), np.float32)
    with pytest.raises(ValueError, match=r"gradients\[0\]: se esperaba la forma \(6, 3\), pero llegó \(2, 6, 3\)"):
        trained(wrong)


def test_an_output_shared_by_the_threads_is_an_error(threads):
    class Shares(Own):
        def build(self, input_shape):
            super().build(input_shape)
            self.memory = np.empty((40, 3), np.float32)

        def forward(self, x, training=False):
            self.x = x
            self.y = self.memory[: len(x)]
            self.y[...] = x
            return self.y

    model = Sequential([Input((6,)), Dense(3), Shares()], seed=0)
    model.compile("sgd", "mse")
    if threads == 1:
        model.fit(X, np.zeros((40, 3)), verbose=0)
        return
    with pytest.raises(ValueError, match="shares: la salida está en un arreglo que comparten todos los hilos"):
        model.fit(X, np.zeros((40, 3)), verbose=0)


def test_the_book_pays_nothing_for_it():
    assert not hasattr(Dense.forward, "is_checked")
    assert Own.forward.is_checked
    assert promises.checked(Own) is None


# --- Pérdidas, métricas, penalizaciones, activaciones y optimizadores ---


def network(**compiled):
    model = Sequential([Input((6,)), Dense(3, kernel_regularizer=compiled.pop("regularizer", None))], seed=0)
    model.compile(**{"optimizer": "sgd", "loss": "mse"} | compiled)
    return model


def loss(shard=None, prepare=None, base=MeanSquaredError):
    return type("Mine", (base,), {k: f for k, f in (("shard", shard), ("prepare", prepare)) if f})()


@pytest.mark.parametrize(
    ("shard", "message"),
    [
        (lambda self, y, p, w, g: None, "Mine.shard: se esperaba que devolviera un número, pero devolvió None"),
        (lambda self, y, p, w, g: (p - y) ** 2, r"devolvió un arreglo de tipo float32 y forma \(\d+, 3\)"),
        (lambda self, y, p, w, g: 1.0, "Mine.shard: se esperaba que llenara gradient, en su sitio"),
        (lambda self, y, p, w, g: g[:, :1].fill(0) or 1.0, "Mine.shard: se esperaba que llenara gradient"),
    ],
)
def test_a_loss_of_ones_own(shard, message):
    model = network(loss=loss(shard))
    for call in (model.fit, model.evaluate):
        with pytest.raises((TypeError, ValueError), match=message):
            call(X, np.zeros((40, 3)), verbose=0)


@pytest.mark.parametrize(
    ("prepare", "base", "message"),
    [
        (lambda self, y, shape, dtype: np.zeros((len(y), 1)), MeanSquaredError, r"forma \(n, 3\)"),
        (lambda self, y, shape, dtype: [0] * len(y), MeanSquaredError, r"forma \(n, 3\)"),
        (lambda self, y, shape, dtype: y + 9, SparseCategoricalCrossentropy, "un entero entre 0 y 2"),
        (lambda self, y, shape, dtype: y[:3], SparseCategoricalCrossentropy, "se esperaban 40 observaciones"),
    ],
)
def test_what_a_loss_of_ones_own_prepares(prepare, base, message):
    model = network(loss=loss(None, prepare, base))
    for call in (model.fit, model.evaluate):
        with pytest.raises((TypeError, ValueError), match=message):
            call(X, LABELS, verbose=0)


def test_a_loss_all_of_ones_own_may_have_its_own_truth():
    def prepare(self, y, shape, dtype):
        return np.asarray(y, dtype).reshape(-1, 1)

    def shard(self, y, p, w, g):
        g[...] = w[:, None] * (p - y)
        return float((w[:, None] * (p - y) ** 2).sum() / 2)

    model = network(loss=loss(shard, prepare))
    assert model.fit(X, LABELS, epochs=5, verbose=0).history["loss"][-1] > 0
    model.compile("sgd", loss(shard, prepare), metrics=["accuracy"])
    with pytest.raises(ValueError, match="metrics: "):
        model.fit(X, LABELS, verbose=0)
    with pytest.raises(TypeError, match=r"Mine.prepare: se esperaba un arreglo de números, pero devolvió NoneType"):
        network(loss=loss(shard, lambda *_: None)).fit(X, LABELS, verbose=0)


def test_a_metric_of_ones_own():
    class Metric(metrics.MeanAbsoluteError):
        def shard(self, y_true, y_pred):
            return np.abs(y_true - y_pred)

    model = network(metrics=[Metric()])
    for call in (model.fit, model.evaluate):
        with pytest.raises(
            TypeError, match=r"Metric.shard: se esperaba que devolviera un número, pero devolvió un arr"
        ):
            call(X, np.zeros((40, 3)), verbose=0)


def test_a_regularizer_of_ones_own():
    class Penalty(L2):
        def value(self, w):
            return w**2

        def add_gradient(self, w, gradient):
            gradient += 2 * w

    with pytest.raises(TypeError, match=r"Penalty.value: se esperaba que devolviera un número, pero devolvió un"):
        network(regularizer=Penalty())


@pytest.mark.parametrize(
    ("forward", "backward", "message"),
    [
        (lambda self, z, y: np.sin(z), None, "Mine.forward: se esperaba que escribiera en y"),
        (lambda self, z, y: y[:1].fill(0), None, "Mine.forward: se esperaba que escribiera en y"),
        (None, lambda self, z, y, dy, dz: dy * 2, "Mine.backward: se esperaba que escribiera en dz"),
    ],
)
def test_an_activation_of_ones_own(forward, backward, message):
    def double(self, z, y):
        y[...] = 2 * z

    def slope(self, z, y, dy, dz):
        dz[...] = 2 * dy

    cls = type("Mine", (ActivationFunction,), {"forward": forward or double, "backward": backward or slope})
    with pytest.raises(ValueError, match=message):
        Dense(3, cls())
    good = type("Mine", (ActivationFunction,), {"forward": double, "backward": slope})
    assert Dense(3, good()).forward(X).shape == (40, 3)


@pytest.mark.parametrize(
    ("update", "message"),
    [
        (lambda self, theta, gradient: theta - 0.1 * gradient, "Mine.step: se esperaba que cambiara theta en su sitio"),
        (lambda self, theta, gradient: None, "Mine: el primer paso no movió ningún peso; theta se cambia en su sitio"),
    ],
)
def test_an_optimizer_of_ones_own(update, message):
    cls = type("Mine", (Optimizer,), {"step": update})
    with pytest.raises((TypeError, ValueError), match=message):
        network(optimizer=cls(0.1)).fit(X, np.ones((40, 3)), verbose=0)
    cls = type("Mine", (SGD,), {"_update": lambda self, theta, gradient, state, rate: None})
    with pytest.raises(ValueError, match="no movió ningún peso"):
        network(optimizer=cls(0.1)).fit(X, np.ones((40, 3)), verbose=0)
    network(optimizer=cls(0.0)).fit(X, np.ones((40, 3)), verbose=0)
    still = network(optimizer=type("Still", (SGD,), {})(0.1))
    still.fit(X, still.predict(X), verbose=0)


# --- Los datos que otro hilo cambia, y dos que entrenan ---


@pytest.mark.parametrize("dtype", [np.int64, np.float32, np.float64, np.uint8])
def test_labels_that_change_after_the_check_do_not_reach_the_loss(dtype):
    labels = LABELS.astype(dtype)
    seen = []

    class Spoil(SparseCategoricalCrossentropy):
        def shard(self, y_true, y_pred, weight, gradient):
            labels[:] = 200
            seen.append(int(y_true.max()))
            return super().shard(y_true, y_pred, weight, gradient)

    model = network(loss=Spoil(from_logits=True))
    model.fit(X, labels, batch_size=8, verbose=0)
    assert max(seen) == 2


def test_labels_that_change_during_the_check_are_refused_or_valid():
    labels = np.zeros(40, np.float32)
    stop = threading.Event()

    def spoil():
        while not stop.is_set():
            labels[7] = 1e9
            labels[7] = 0

    thread = threading.Thread(target=spoil)
    thread.start()
    try:
        prepare = SparseCategoricalCrossentropy().prepare
        for _ in range(3000):
            with contextlib.suppress(ValueError):
                assert 0 <= prepare(labels, (3,), "float32").max() < 3
    finally:
        stop.set()
        thread.join()


def test_a_model_is_trained_by_one_thread_at_a_time():
    model, inside = network(), []
    base = Sequential([Input((6,)), model, Dense(2)], seed=0)
    base.compile("sgd", "mse")

    class Second(SGD):
        def step(self, theta, gradient):
            if not inside:
                for other, y in ((model, np.zeros((40, 3))), (base, np.zeros((40, 2)))):
                    try:
                        other.fit(X, y, verbose=0)
                    except RuntimeError as error:
                        inside.append(str(error))
            super().step(theta, gradient)

    model.compile(Second(0.1), "mse")
    model.fit(X, np.zeros((40, 3)), verbose=0)
    assert len(inside) == 2
    assert all("ya se está entrenando" in text for text in inside)
    thread_errors = []

    def second():
        try:
            model.fit(X, np.zeros((40, 3)), verbose=0)
        except RuntimeError as error:
            thread_errors.append(str(error))

    class Threaded(SGD):
        def step(self, theta, gradient):
            thread = threading.Thread(target=second)
            thread.start()
            thread.join()
            super().step(theta, gradient)

    model.compile(Threaded(0.1), "mse")
    model.fit(X, np.zeros((40, 3)), batch_size=40, verbose=0)
    assert len(thread_errors) == 1
    # Al terminar, queda libre; también si termina mal.
    model.compile(SGD(0.1), "mse")
    with pytest.raises(ValueError, match="y_true"):
        model.fit(X, np.zeros((40, 9)), verbose=0)
    model.fit(X, np.zeros((40, 3)), verbose=0)


# --- Nadie mira por dentro ---


def test_the_bench_asks_only_through_public_methods():
    own = re.compile(r"(?<![\w.])(?!self\b|cls\b|os\b|sys\b|caching\b)(\w+(?:\.\w+)*)\._[a-z]\w*")
    for path in Path(engines.__file__).parents[1].rglob("*.py"):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            found = own.search(line)
            assert not found or line.lstrip().startswith(("from ", "import ")), f"{path.name}:{number}: {line.strip()}"
