"""Los optimizadores: caminan por donde los de Keras, recuerdan lo justo y siguen donde se quedaron."""

import inspect
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chapters.mlp import optimizers, schedules
from chapters.mlp.optimizers import SGD, Adadelta, Adagrad, Adam, AdamW, RMSprop, clip_by_global_norm, clip_by_value
from chapters.mlp.optimizers.landscapes import bowl, path, ravine, rosenbrock
from chapters.mlp.schedules import (
    CosineDecay,
    ExponentialDecay,
    InverseTimeDecay,
    LearningRateSchedule,
    PiecewiseConstantDecay,
    PolynomialDecay,
)
from dlbook.gradcheck import check_gradients

REFERENCE = json.loads((Path(__file__).resolve().parents[2] / "reference" / "mlp.json").read_text(encoding="utf-8"))
IDS = [f"{k}-{c['name']}" for k, c in enumerate(REFERENCE["optimizers"])]
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
    lambda: Adam(ExponentialDecay(0.1, 10, 0.5), clipvalue=0.5),
    lambda: SGD(CosineDecay(0.1, 50), momentum=0.5, global_clipnorm=1.0, weight_decay=0.01),
]
NAMES = [repr(make())[:60] for make in EVERY]


def build(case):
    arguments = dict(case["arguments"])
    if isinstance(arguments.get("learning_rate"), list):
        name, values = arguments["learning_rate"]
        arguments["learning_rate"] = getattr(schedules, name)(**values)
    return getattr(optimizers, case["name"])(**arguments)


def walk(optimizer, theta, gradients):
    theta = theta.copy()
    points = []
    for gradient in gradients:
        optimizer.step(theta, gradient)
        points.append(theta.copy())
    return np.array(points)


@pytest.mark.parametrize("case", REFERENCE["optimizers"], ids=IDS)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-13), ("float32", 2e-6)])
def test_fifty_steps_are_those_of_keras(case, dtype, tolerance):
    theta, gradients = (np.array(REFERENCE["path"][name], dtype) for name in ("theta", "gradients"))
    points = walk(build(case), theta, gradients)
    np.testing.assert_allclose(points[[0, 1, 9, 49]], case[dtype], rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("case", REFERENCE["optimizers"], ids=IDS)
def test_they_agree_with_keras_here_and_now(case):
    pytest.importorskip("keras")
    from tests.reference import oracle

    generator = np.random.default_rng(7)
    for dtype, tolerance in (("float64", 1e-12), ("float32", 2e-5)):
        theta = generator.normal(size=11).astype(dtype)
        gradients = (generator.normal(size=(50, 11)) * 10 ** generator.uniform(-3, 2, 11)).astype(dtype)
        theirs = oracle.optimizer(case["name"], case["arguments"], theta, gradients)
        np.testing.assert_allclose(walk(build(case), theta, gradients), theirs, rtol=tolerance, atol=tolerance)


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
    for call, name in (
        (lambda: Adam(1e-3, 0.9, 0.999, 1e-7, True), "amsgrad"),
        (lambda: AdamW(1e-3, 0.01, 0.9, 0.999, 1e-7, True), "amsgrad"),
        (lambda: SGD(0.1, clipnorm=1.0), "clipnorm"),
        (lambda: RMSprop(use_ema=True), "use_ema"),
        (lambda: Adagrad(gradient_accumulation_steps=4), "gradient_accumulation_steps"),
    ):
        with pytest.raises(ValueError, match=f"{name}: esta opción de Keras no existe aquí"):
            call()
    with pytest.raises(TypeError, match="Adam: no se conoce el argumento 'lr'"):
        Adam(lr=0.1)


@pytest.mark.parametrize("case", REFERENCE["schedules"], ids=lambda c: str(c["arguments"])[:70])
def test_schedules_are_those_of_keras(case):
    schedule = getattr(schedules, case["name"])(**case["arguments"])
    rates = [schedule(step) for step in case["steps"]]
    np.testing.assert_allclose(rates, case["rates"], rtol=1e-13, atol=1e-16)
    assert all(isinstance(rate, float) for rate in rates)


@pytest.mark.parametrize("make", EVERY, ids=NAMES)
@pytest.mark.parametrize("landscape", [bowl, ravine])
def test_they_go_down(make, landscape):
    points = path(make(), landscape, [1.0, -1.0], 200)
    heights = landscape(points)[0]
    assert heights[-1] < 0.05 * heights[0] or isinstance(make(), Adadelta)
    assert heights[-1] < heights[0]


def test_adam_finds_the_end_of_the_valley():
    assert rosenbrock(path(Adam(0.02), rosenbrock, [-1.0, 1.5], 5000)[-1])[0] < 1e-6


@pytest.mark.parametrize("landscape", [bowl, ravine, rosenbrock])
@given(st.lists(st.floats(-2, 2), min_size=2, max_size=2))
def test_the_gradients_of_the_landscapes(landscape, point):
    theta = np.array(point)
    assert check_gradients(lambda: landscape(theta)[0], {"theta": theta}, {"theta": landscape(theta)[1]}, rtol=1e-5).ok
    grid = np.stack([theta, theta + 1]).reshape(2, 1, 2)
    values, gradients = landscape(grid)
    assert values.shape == (2, 1)
    np.testing.assert_allclose(gradients[0, 0], landscape(theta)[1])


@pytest.mark.parametrize("make", EVERY, ids=NAMES)
@given(st.integers(1, 40), st.integers(0, 99), st.sampled_from(["float32", "float64"]))
@settings(max_examples=15)
def test_each_coordinate_minds_its_own_business(make, size, seed, dtype):
    # Sin recorte de norma, un vector es lo mismo que sus coordenadas por separado.
    if make().global_clipnorm:
        return
    generator = np.random.default_rng(seed)
    theta = generator.normal(size=size).astype(dtype)
    gradients = generator.normal(size=(5, size)).astype(dtype)
    together = walk(make(), theta, gradients)
    alone = [walk(make(), theta[i : i + 1], np.ascontiguousarray(gradients[:, i : i + 1])) for i in range(size)]
    np.testing.assert_array_equal(together, np.concatenate(alone, axis=1))
    assert together.dtype == dtype


@pytest.mark.parametrize("make", EVERY, ids=NAMES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_stopping_and_going_on_changes_nothing(make, dtype):
    generator = np.random.default_rng(0)
    theta, gradients = generator.normal(size=20).astype(dtype), generator.normal(size=(12, 20)).astype(dtype)
    whole = walk(make(), theta, gradients)
    first, second = make(), make()
    middle = walk(first, theta, gradients[:5])[-1]
    state = first.get_state()
    assert all(isinstance(value, np.ndarray) for value in state.values())
    second.set_state(state)
    for array in first.state.values():
        array[:] = np.nan
    np.testing.assert_array_equal(walk(second, middle, gradients[5:]), whole[5:])
    assert second.iterations == 12


def test_a_state_before_the_first_step():
    optimizer = Adam(0.1)
    other = Adam(0.5)
    other.set_state(optimizer.get_state())
    assert other.learning_rate == 0.1
    other.step(np.zeros(3), np.ones(3))
    assert set(other.get_state()) == {"iterations", "learning_rate", "momentum", "velocity"}
    scheduled = Adam(ExponentialDecay(0.1, 1, 0.5))
    assert set(scheduled.get_state()) == {"iterations"}


@pytest.mark.parametrize("make", EVERY, ids=NAMES)
def test_the_gradient_is_not_touched_and_the_step_is_in_place(make):
    theta, gradient = np.ones(7), np.full(7, 3.0)
    gradient.setflags(write=False)
    view = theta[:]
    assert make().step(theta, gradient) is None
    assert (view == theta).all()
    assert (theta != 1).all()
    assert (gradient == 3).all()


def test_views_of_a_longer_vector_do_not_spill():
    theta, gradient = np.zeros(10), np.ones(10)
    Adam(0.1).step(theta[2:5], gradient[2:5])
    assert (theta != 0).tolist() == [False] * 2 + [True] * 3 + [False] * 5


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


def test_zero_gradients_move_nothing_and_break_nothing():
    for make in EVERY:
        optimizer = make()
        theta = np.ones(3, np.float32)
        for _ in range(3):
            optimizer.step(theta, np.zeros(3, np.float32))
        assert np.isfinite(theta).all()
        if not optimizer.weight_decay:
            assert (theta == 1).all()


def test_a_broken_gradient_shows():
    for make in EVERY:
        theta = np.ones(3)
        make().step(theta, np.array([1.0, np.nan, 1.0]))
        assert np.isnan(theta[1])


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


def test_a_repr_can_be_copied_and_pasted():
    names = {name: getattr(schedules, name) for name in dir(schedules) if name.endswith("Decay")}
    names |= {cls.__name__: cls for cls in optimizers.CLASSES}
    for make in EVERY:
        assert repr(eval(repr(make()), names)) == repr(make())


V = np.ones(3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: SGD(-1), "learning_rate: se esperaba un número de al menos 0"),
        (lambda: SGD("rápido"), "learning_rate: se esperaba un número real"),
        (lambda: SGD(momentum=1.5), "momentum: .*de a lo sumo 1"),
        (lambda: SGD(nesterov="sí"), "nesterov: se esperaba True o False"),
        (lambda: SGD(weight_decay=-0.1), "weight_decay: se esperaba un número de al menos 0"),
        (lambda: SGD(clipvalue=0), "clipvalue: se esperaba un número mayor que 0"),
        (lambda: SGD(clipvalue=1, global_clipnorm=1), "a lo sumo uno de los dos"),
        (lambda: Adam(beta_1=1), "beta_1: .*menor que 1"),
        (lambda: Adam(beta_2=-0.1), "beta_2: .*de al menos 0"),
        (lambda: Adam(epsilon=0), "epsilon: se esperaba un número mayor que 0"),
        (lambda: AdamW(weight_decay=None), "weight_decay: se esperaba un número real"),
        (lambda: RMSprop(rho=1), "rho: .*menor que 1"),
        (lambda: Adagrad(initial_accumulator_value=-1), "initial_accumulator_value"),
        (lambda: SGD().step([1.0], V), "theta: se esperaba un arreglo de float32 o float64, pero llegó list"),
        (lambda: SGD().step(np.ones(3, int), V), "theta: .*int64"),
        (lambda: SGD().step(V.reshape(1, 3), V), "theta: se esperaba un vector contiguo"),
        (lambda: SGD().step(np.ones(6)[::2], V), "theta: se esperaba un vector contiguo"),
        (lambda: SGD().step(V, np.ones(2)), r"gradient: se esperaba float64 de forma \(3,\).*\(2,\)"),
        (lambda: SGD().step(V, V.astype(np.float32)), "gradient: .*float32"),
        (lambda: SGD().step(np.broadcast_to(1.0, 1), np.ones(1)), "solo lectura"),
        (lambda: grow(Adam()), "lleva la cuenta de 3 parámetros de float64, pero llegaron 4"),
        (lambda: Adam().set_state([1]), "state: se esperaba un diccionario"),
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
        (lambda: ExponentialDecay(0.1, 1, 0.5)(-1), "step: se esperaba un número de al menos 0"),
        (lambda: InverseTimeDecay(-0.1, 1, 0.5), "initial_learning_rate"),
        (lambda: PolynomialDecay(0.1, 1, power=0), "power: se esperaba un número mayor que 0"),
        (lambda: CosineDecay(0.1, 10, warmup_target=-1), "warmup_target"),
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


def grow(optimizer):
    optimizer.step(np.ones(3), np.ones(3))
    optimizer.step(np.ones(4), np.ones(4))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("landscape", [bowl, ravine, rosenbrock])
@pytest.mark.parametrize(("rate", "steps"), [(1e308, 1), (1e200, 2), (100.0, 200)])
def test_a_path_that_runs_away_says_so(landscape, rate, steps):
    # También si se desborda justo en el último paso, y sin avisos de NumPy por el camino.
    with pytest.raises(ValueError, match="finitos"):
        path(SGD(rate), landscape, [2.0, 3.0], steps)


@given(st.floats(0, 1e6))
def test_schedules_never_go_negative_or_above_where_they_start(step):
    for schedule in (
        ExponentialDecay(0.1, 100, 0.5),
        InverseTimeDecay(0.1, 100, 2.0, staircase=True),
        PolynomialDecay(0.1, 100, cycle=True),
        PiecewiseConstantDecay([10, 100], [0.1, 0.01, 0.001]),
        CosineDecay(0.1, 100, alpha=0.1),
    ):
        assert isinstance(schedule, LearningRateSchedule)
        assert 0 <= schedule(step) <= 0.1 + 1e-15
