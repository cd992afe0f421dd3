"""Los optimizadores: caminan por donde los de Keras, recuerdan lo justo y siguen donde se quedaron."""

import copy
import inspect
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chapters.mlp import Dense, Input, Sequential, optimizers
from chapters.mlp.optimizers import (
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    Lion,
    Nadam,
    RMSprop,
    clip_by_global_norm,
    clip_by_value,
)
from chapters.mlp.optimizers.landscapes import bowl, path, ravine, rosenbrock
from chapters.mlp.schedules import (
    CosineDecay,
    CosineDecayRestarts,
    ExponentialDecay,
    LearningRateSchedule,
    PiecewiseConstantDecay,
    PolynomialDecay,
)
from dlbook.gradcheck import check_gradients

EVERY = [
    lambda: SGD(0.05),
    lambda: SGD(0.05, momentum=0.9),
    lambda: SGD(0.05, momentum=0.9, nesterov=True),
    lambda: Adagrad(0.5),
    lambda: Adadelta(1.0),
    lambda: RMSprop(0.01),
    lambda: RMSprop(0.01, momentum=0.5, centered=True),
    lambda: Adam(0.1),
    lambda: AdamW(0.1),
    lambda: Nadam(0.05),
    lambda: Adamax(0.1),
    lambda: Lion(0.02),
    lambda: Adam(0.1, amsgrad=True),
    lambda: SGD(0.05, use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=2),
    lambda: SGD(0.05, gradient_accumulation_steps=2),
    lambda: Adam(ExponentialDecay(0.1, 10, 0.5), clipvalue=0.5),
    lambda: SGD(CosineDecay(0.1, 50), momentum=0.5, global_clipnorm=1.0, weight_decay=0.01),
]
NAMES = [repr(make())[:60] for make in EVERY]


@pytest.mark.parametrize("cls", optimizers.CLASSES)
def test_names_and_defaults_are_those_of_keras(cls):
    keras = pytest.importorskip("keras")
    theirs = inspect.signature(getattr(keras.optimizers, cls.__name__)).parameters
    ours = [p for p in inspect.signature(cls).parameters.values() if p.kind is not p.VAR_KEYWORD]
    assert [p.name for p in ours] == list(theirs)[: len(ours)]
    for parameter in ours:
        assert parameter.default == theirs[parameter.name].default
    # Los que faltan se admiten como Keras los deja.
    rest = [p for p in list(theirs.values())[len(ours) :] if p.kind is not p.VAR_KEYWORD]
    cls(**{p.name: p.default for p in rest})


def test_the_order_of_the_arguments_is_that_of_keras():
    assert Adam(1e-3, 0.9, 0.999, 1e-7, False, 0.01).weight_decay == 0.01
    assert AdamW(1e-3, 0.01, 0.8).beta_1 == 0.8
    assert SGD(0.1, 0.9, True, 0.01, None, 2.0).clipvalue == 2
    assert CosineDecay(0.1, 10, 0.0, "coseno", 0.2, 5).warmup_target == 0.2
    with pytest.raises(ValueError, match="loss_scale_factor: esta opción de Keras no existe aquí"):
        RMSprop(loss_scale_factor=2.0)
    with pytest.raises(TypeError, match="Adam: el libro no tiene el argumento 'lr'; aquí se llama 'learning_rate'"):
        Adam(lr=0.1)


@pytest.mark.parametrize("make", EVERY, ids=NAMES)
@pytest.mark.parametrize("landscape", [bowl, ravine])
def test_they_go_down(make, landscape):
    points = path(make(), landscape, [1.0, -1.0], 200)
    heights = landscape(points)[0]
    assert heights[-1] < 0.05 * heights[0] or isinstance(make(), Adadelta)
    assert heights[-1] < heights[0]


def steps(optimizer, gradients):
    theta, lengths = np.zeros(1), []
    for gradient in gradients:
        before = theta.copy()
        optimizer.step(theta, np.array([gradient]))
        lengths.append(abs(theta - before).item())
    return np.array(lengths)


def histories(seed):
    """Gradientes de todas clases: raros, que crecen, que decaen, con ruido."""
    rng = np.random.default_rng(seed)
    rare = rng.normal(size=3000) * (rng.random(3000) < 0.002)
    growth = np.exp(rng.uniform(-0.1, 0.12) * np.arange(300))
    return [rare, rng.normal(size=300), growth, np.r_[np.zeros(3000), growth], rng.standard_cauchy(3000)]


@pytest.mark.parametrize("seed", range(3))
def test_no_step_is_longer_than_its_bound(seed):
    for gradients in histories(seed):
        bound = 0.1 / np.sqrt(0.001 * (1 - 0.9**2 / 0.999))
        assert steps(Adam(1.0), gradients).max() < bound < 7.2703
        assert steps(Adam(1.0, amsgrad=True), gradients).max() < bound
        assert steps(Adamax(1.0), gradients).max() < 0.1 / (1 - 0.9 / 0.999) < 1.0091
        assert steps(RMSprop(1.0), gradients).max() < 1 / np.sqrt(0.1) + 1e-6
        assert set(steps(Lion(1.0), gradients).round(9)) <= {0.0, 1.0}


def test_the_bounds_of_adam_and_adamax_are_reached_and_its_rate_is_not_a_bound():
    zeros = np.zeros(20_000)
    assert steps(Adam(1.0), [*zeros, 1.0])[-1] > 3.16
    assert steps(Adam(1.0), [*zeros, *(0.999 / 0.9) ** np.arange(80)])[-1] > 7.27
    assert steps(Adamax(1.0), 0.999 ** np.arange(300))[-1] > 1.009


def test_a_centered_rmsprop_has_no_bound():
    assert steps(RMSprop(1.0), np.full(100, 2.0)).max() < 3.2
    assert steps(RMSprop(1.0, centered=True), np.full(100, 2.0)).max() > 100


def test_the_scale_of_the_gradients_does_not_matter_to_adagrad_only_from_zero():
    gradients = np.random.default_rng(0).normal(size=50)
    for start, equal in ((0.0, True), (0.1, False)):
        small, large = (steps(Adagrad(0.1, start), scale * gradients) for scale in (1.0, 1000.0))
        assert np.allclose(small, large, rtol=1e-3) == equal


def test_adam_finds_the_end_of_the_valley():
    assert rosenbrock(path(Adam(0.02), rosenbrock, [-1.0, 1.5], 5000)[-1])[0] < 1e-6


@pytest.mark.parametrize("landscape", [bowl, ravine, rosenbrock])
@given(st.lists(st.floats(-2, 2), min_size=2, max_size=2))
def test_the_gradients_of_the_landscapes(landscape, point):
    theta = np.array(point)
    assert check_gradients(
        lambda: landscape(theta)[0], {"theta": theta}, {"theta": landscape(theta)[1]}, rtol=1e-5, atol=1e-7
    ).ok
    grid = np.stack([theta, theta + 1]).reshape(2, 1, 2)
    values, gradients = landscape(grid)
    assert values.shape == (2, 1)
    np.testing.assert_allclose(gradients[0, 0], landscape(theta)[1])


def test_a_state_before_the_first_step():
    optimizer = Adam(0.1)
    other = Adam(0.5)
    other.set_state(optimizer.get_state())
    assert other.learning_rate == 0.1
    other.step(np.zeros(3), np.ones(3))
    assert set(other.get_state()) == {"iterations", "learning_rate", "momentum", "velocity"}
    scheduled = Adam(ExponentialDecay(0.1, 1, 0.5))
    assert set(scheduled.get_state()) == {"iterations"}


def test_the_learning_rate_can_be_changed_along_the_way():
    optimizer = SGD(0.1)
    theta = np.array([1.0])
    optimizer.step(theta, np.array([1.0]))
    optimizer.learning_rate = 0.5
    optimizer.step(theta, np.array([1.0]))
    assert theta[0] == pytest.approx(0.4)
    optimizer.learning_rate = PiecewiseConstantDecay([2], [0.3, 0.0])
    assert optimizer.learning_rate == 0.3
    optimizer.step(theta, np.array([1.0]))
    assert optimizer.learning_rate == 0
    assert theta[0] == pytest.approx(0.1)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20), st.floats(1e-3, 1e3))
def test_clipping(gradient, limit):
    g = np.array(gradient)
    by_value = clip_by_value(g, limit)
    assert np.abs(by_value).max() <= limit
    np.testing.assert_array_equal(by_value, np.clip(g, -limit, limit))
    by_norm = clip_by_global_norm(g, limit)
    assert np.linalg.norm(by_norm) <= limit * (1 + 1e-12)
    if np.linalg.norm(g) <= limit:
        np.testing.assert_allclose(by_norm, g, rtol=1e-15)
    np.testing.assert_allclose(by_norm * np.linalg.norm(g), g * np.linalg.norm(by_norm), rtol=1e-9, atol=1e-9)


def test_the_norm_of_a_huge_float32_gradient_does_not_overflow():
    g = np.array([3e30, 4e30], np.float32)
    np.testing.assert_allclose(clip_by_global_norm(g, 5.0), [3, 4], rtol=1e-6)
    assert clip_by_global_norm(g.reshape(1, 2), 5.0).shape == (1, 2)
    assert clip_by_global_norm(g, 5.0).dtype == np.float32


def test_get():
    for cls in optimizers.CLASSES:
        assert type(optimizers.get(cls.__name__)) is type(optimizers.get(cls.__name__.lower())) is cls
    optimizer = Adam()
    assert optimizers.get(optimizer) is optimizer
    for nonsense in ("adan", None, 3, [], Adam):
        with pytest.raises(ValueError, match="optimizer: se esperaba 'sgd'"):
            optimizers.get(nonsense)


def test_get_from_a_description():
    schedule = {"class_name": "ExponentialDecay", "config": {"initial_learning_rate": 0.1, "decay_steps": 10}}
    schedule["config"]["decay_rate"] = 0.5
    made = optimizers.get({"class_name": "adam", "config": {"learning_rate": schedule, "clipnorm": 1.0, "name": "a"}})
    assert type(made) is Adam
    assert (made.learning_rate, made.clipnorm, made.name) == (0.1, 1.0, "a")
    assert type(made.schedule) is ExponentialDecay
    assert optimizers.get({"class_name": "SGD"}).learning_rate == 0.01
    for nonsense, message in (
        ({}, "se esperaba un diccionario con 'class_name' y 'config'"),
        ({"class_name": "adan"}, "optimizer: se esperaba 'SGD'"),
        ({"class_name": "SGD", "config": [1]}, "se esperaba un diccionario con 'class_name' y 'config'"),
        ({"class_name": "SGD", "config": {"lr": 0.1}}, "SGD: no se conoce el argumento 'lr'"),
        ({"class_name": "SGD", "config": {"learning_rate": {"class_name": "adam"}}}, "learning_rate: se esperaba 'Cos"),
    ):
        with pytest.raises((TypeError, ValueError), match=message):
            optimizers.get(nonsense)


class Negative(LearningRateSchedule):
    def __call__(self, step):
        return -1.0


# --- Peso por peso ---


def test_each_weight_is_shortened_by_itself():
    theta, gradient = np.zeros(4), np.array([3.0, 4.0, 0.0, 0.5])
    optimizer = SGD(1.0, clipnorm=1.0)
    optimizer.follow([("w", 2), ("b", 1), ("c", 1)])
    optimizer.step(theta, gradient)
    np.testing.assert_allclose(theta, [-0.6, -0.8, 0.0, -0.5])
    # Sin saber dónde acaba cada uno, son uno solo.
    whole = np.zeros(4)
    SGD(1.0, clipnorm=1.0).step(whole, gradient)
    assert np.linalg.norm(whole) == pytest.approx(1)


def test_the_average_of_a_weight_starts_when_the_weight_does():
    optimizer = SGD(0.5, use_ema=True, ema_momentum=0.5)
    optimizer.follow([("a", 1)])
    for _ in range(2):
        optimizer.step(np.array([1.0]), np.array([1.0]))
    optimizer.follow([("a", 1), ("b", 1)])
    theta = np.array([7.0, 7.0])
    optimizer.finalize(theta)
    np.testing.assert_array_equal(theta, [0.5, 7.0])
    # Lo que aún no empieza se guarda y se recupera.
    other = SGD(0.5, use_ema=True, ema_momentum=0.5)
    other.set_state(optimizer.get_state())
    for one in (optimizer, other):
        theta = np.array([1.5, 9.0])
        one.step(theta, np.array([0.0, 0.0]))
        one.finalize(theta)
        np.testing.assert_array_equal(theta, [1.0, 9.0])


def test_the_average_is_put_where_the_weights_were_only_when_asked():
    theta = np.array([1.0])
    plain = SGD(0.1)
    plain.finalize(theta)
    SGD(0.1, use_ema=True).finalize(theta)
    assert theta[0] == 1


def test_a_weight_of_another_size_starts_again():
    optimizer = SGD(0.1, momentum=0.9)
    optimizer.follow([("a", 2)])
    optimizer.step(np.zeros(2), np.ones(2))
    optimizer.follow([("a", 3)])
    np.testing.assert_array_equal(optimizer.state["momentum"], np.zeros(3))


def test_several_gradients_make_one_step():
    rng = np.random.default_rng(0)
    gradients = rng.normal(size=(6, 3))
    few, many = Adam(0.1), Adam(0.1, gradient_accumulation_steps=3)
    theta, other = np.zeros(3), np.zeros(3)
    for k, gradient in enumerate(gradients):
        many.step(other, gradient)
        if k % 3 == 2:
            few.step(theta, gradients[k - 2 : k + 1].mean(axis=0))
    np.testing.assert_allclose(theta, other, rtol=1e-12)
    assert many.iterations == few.iterations == 2


def test_nadam_goes_on_from_a_saved_state_without_its_product():
    gradients = np.random.default_rng(0).normal(size=(40, 3))
    whole, theta = Nadam(0.1), np.zeros(3)
    for gradient in gradients:
        whole.step(theta, gradient)
    half, other = Nadam(0.1), np.zeros(3)
    for gradient in gradients[:25]:
        half.step(other, gradient)
    again = Nadam(0.1)
    again.set_state(half.get_state())
    for gradient in gradients[25:]:
        again.step(other, gradient)
    np.testing.assert_array_equal(theta, other)


def test_a_restart_is_where_it_should_even_if_rounding_disagrees():
    for first, factor in ((7, 2.0), (10, 1.1), (3, 3.0), (0.1, 1.5), (6, 1.0)):
        schedule, start, length = CosineDecayRestarts(0.1, first, factor), 0.0, float(first)
        for _ in range(12):
            start, length = start + length, length * factor
            # Justo antes está abajo; justo después, arriba.
            assert schedule(start * (1 - 1e-9)) < 1e-6
            assert schedule(start * (1 + 1e-9)) > 0.0999


def test_a_name_is_kept_and_printed_only_if_it_was_given():
    assert [cls().name for cls in (SGD, Adam, AdamW, RMSprop)] == ["sgd", "adam", "adam_w", "rm_sprop"]
    assert "name" not in repr(Adam())
    assert Adam(name="mío").name == "mío"
    assert repr(SGD(0.1, use_ema=True, name="mío")).endswith("use_ema=True, name='mío')")


V = np.ones(3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: SGD(momentum=1.5), "momentum: .*de a lo sumo 1"),
        (lambda: SGD(nesterov="sí"), "nesterov: se esperaba True o False"),
        (lambda: SGD(clipvalue=0), "clipvalue: se esperaba un número mayor que 0"),
        (lambda: SGD(clipvalue=1, global_clipnorm=1), "a lo sumo uno de los tres"),
        (lambda: SGD(clipnorm=1, clipvalue=1), "a lo sumo uno de los tres"),
        (lambda: SGD(ema_momentum=1.5), "ema_momentum: .*de a lo sumo 1"),
        (lambda: SGD(ema_overwrite_frequency=0), "ema_overwrite_frequency: se esperaba un entero de al menos 1"),
        (lambda: SGD(gradient_accumulation_steps=1), "gradient_accumulation_steps: .* de al menos 2"),
        (lambda: Lion(beta_1=0), "beta_1: .*mayor que 0"),
        (lambda: Adam(amsgrad=2), "amsgrad: se esperaba True o False"),
        (lambda: Adam(beta_1=1), "beta_1: .*menor que 1"),
        (lambda: Adam(beta_2=-0.1), "beta_2: .*de al menos 0"),
        (lambda: Adam(epsilon=0), "epsilon: se esperaba un número mayor que 0"),
        (lambda: AdamW(weight_decay=None), "weight_decay: se esperaba un número real"),
        (lambda: RMSprop(rho=1), "rho: .*menor que 1"),
        (lambda: Adagrad(initial_accumulator_value=-1), "initial_accumulator_value"),
        (lambda: Adam().set_state({}), "state: se esperaban iterations, momentum, velocity, pero llegaron ninguno"),
        (lambda: Adam().set_state({"iterations": 1, "momentum": V}), "state: se esperaban"),
        (lambda: Adam().set_state(SGD().get_state() | {"accumulator": V}), "state: se esperaban"),
        (lambda: Adam().set_state({"iterations": 1.5}), "iterations: se esperaba un entero"),
        (lambda: Adam().set_state({"iterations": 1, "learning_rate": -1}), "learning_rate"),
        (lambda: Adam().set_state({"iterations": 1, "momentum": V, "velocity": np.ones(4)}), "mismo tamaño y tipo"),
        (lambda: Adam().set_state({"iterations": 1, "momentum": V, "velocity": V * np.nan}), "velocity: .*finitos"),
        (
            lambda: Adam().set_state({"iterations": 1, "momentum": V, "velocity": "v"}),
            "velocity: se esperaba un arreglo",
        ),
        (lambda: clip_by_value([], 1), "al menos un elemento"),
        (lambda: clip_by_global_norm([np.inf], 1), "finitos"),
        (lambda: clip_by_global_norm(V, -1), "limit: se esperaba un número mayor que 0"),
        (lambda: path(3, bowl, [0, 0], 1), "optimizer: se esperaba un optimizador"),
        (lambda: path(SGD(), bowl, [0, 0], -1), "steps: se esperaba un entero"),
        (lambda: path(SGD(), bowl, [0, 0, 0], 1), "theta: se esperaba la forma"),
        (lambda: bowl([1.0]), r"theta: se esperaba la forma \(…, 2\)"),
        (lambda: ExponentialDecay(0.1, 0, 0.5), "decay_steps: se esperaba un número mayor que 0"),
        (lambda: ExponentialDecay(0.1, 1, 0), "decay_rate: se esperaba un número mayor que 0"),
        (lambda: PolynomialDecay(0.1, 1, power=0), "power: se esperaba un número mayor que 0"),
        (lambda: CosineDecay(0.1, 10, warmup_target=-1), "warmup_target"),
        (lambda: CosineDecayRestarts(0.1, 10, t_mul=0.5), "t_mul: se esperaba un número de al menos 1"),
        (lambda: SGD(Negative()).learning_rate, r"Negative\(\): se esperaba un número de al menos 0"),
        (lambda: SGD(LearningRateSchedule(3)), "name: se esperaba un texto"),
        (lambda: PiecewiseConstantDecay([1, 2], [0.1, 0.2]), "una tasa más que fronteras"),
        (lambda: PiecewiseConstantDecay([], [0.1]), "al menos una frontera"),
        (lambda: PiecewiseConstantDecay([2, 1], [0.1, 0.2, 0.3]), "fronteras crecientes"),
        (
            lambda: PiecewiseConstantDecay(len, [0.1]),
            "boundaries: se esperaba una lista de números, pero llegó <built-in",
        ),
        (lambda: PiecewiseConstantDecay([1], 0.1), "values: se esperaba una lista de números, pero llegó 0.1"),
        (lambda: PiecewiseConstantDecay("12", [1, 2, 3]), "boundaries: se esperaba una lista de números"),
        (lambda: PiecewiseConstantDecay({1: 2}, [1, 2]), "boundaries: se esperaba una lista de números"),
        (lambda: PiecewiseConstantDecay([[1]], [1, 2]), "boundaries: se esperaba un número real"),
        (lambda: ExponentialDecay(0.1, 1, 0.5, name=3), "name: se esperaba un texto"),
        (lambda: ExponentialDecay(0.1, 1, 0.5, staircase=2), "staircase: se esperaba True o False"),
        (lambda: PiecewiseConstantDecay([1], ["a", 1]), "values: se esperaba un número real"),
    ],
)
def test_bad_input_gets_a_spanish_sentence(call, message):
    with pytest.raises((ValueError, TypeError), match=message):
        call()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("landscape", [bowl, ravine, rosenbrock])
@pytest.mark.parametrize(("rate", "steps"), [(1e308, 1), (1e200, 2), (100.0, 200)])
def test_a_path_that_runs_away_says_so(landscape, rate, steps):
    # También si se desborda justo en el último paso, y sin avisos de NumPy por el camino.
    with pytest.raises(ValueError, match="finitos"):
        path(SGD(rate), landscape, [2.0, 3.0], steps)


def test_a_schedule_without_its_formula_says_what_is_missing():
    with pytest.raises(NotImplementedError, match="LearningRateSchedule: falta escribir __call__"):
        LearningRateSchedule()(0)


@pytest.mark.parametrize("make", [*EVERY, lambda: RMSprop(0.01, momentum=0.9, centered=True, use_ema=True)])
def test_what_is_walked_together_starts_in_different_places_of_a_page(make):
    # Si no, un paso tarda el doble: /mlp/costo-optimizador.
    model = Sequential([Input((300,)), Dense(20)], seed=0)
    model.compile(make(), "mean_squared_error")
    model.optimizer.gradient_accumulation_steps = 2
    if model.optimizer.clipnorm is model.optimizer.global_clipnorm is None:
        model.optimizer.clipvalue = 1.0
    x, y = np.ones((8, 300), np.float32), np.ones((8, 20), np.float32)
    model.fit(x, y, batch_size=4, verbose=0)

    def starts(optimizer, *others):
        found = [array.ctypes.data % 4096 for array in (*others, *optimizer.state.values())]
        assert not any(start % 64 for start in found)
        return found

    optimizer = model.optimizer
    found = starts(optimizer, model.theta, model.gradient, optimizer._clipped)
    assert len(set(found)) == len(found)
    assert starts(copy.copy(optimizer)) == found[3:]
    assert starts(copy.deepcopy(optimizer)) == found[3:]
    assert starts(pickle.loads(pickle.dumps(optimizer))) == found[3:]
    again = make()
    again.gradient_accumulation_steps = 2
    again.set_state(optimizer.get_state())
    assert starts(again) == found[3:]
    again.follow([("w", 6020)])
    again.follow([("b", 20), ("w", 6020)])
    assert starts(again) == found[3:]
