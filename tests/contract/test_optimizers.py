"""El contrato de todo optimizador: dónde escribe, qué recuerda, qué olvida y qué rechaza."""

import copy
import pickle
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chapters.cnn import BatchNormalization
from chapters.mlp import SGD, Dense, Input, Sequential, load_model
from dlbook.numeric.parallel import Team, cut, set_threads
from dlbook.training import engine as engines
from dlbook.training.data import prepare
from tests.contract import cases


def every_step(case):
    """Mueve los pesos con cada gradiente."""
    return "gradient_accumulation_steps" not in case.arguments


def free(case):
    """Mueve los pesos su fórmula, y no su media."""
    return "use_ema" not in case.arguments


def by_coordinate(case):
    """Lo que hace con un número no depende de los demás."""
    return not {"clipnorm", "global_clipnorm"} & set(case.arguments)


both_types = pytest.mark.parametrize("dtype", ["float32", "float64"])


def path(size, steps, dtype="float64", seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=size).astype(dtype), rng.normal(size=(steps, size)).astype(dtype)


def walk(optimizer, theta, gradients):
    """Los puntos por los que pasa."""
    theta, points = theta.copy(), []
    for gradient in gradients:
        optimizer.step(theta, gradient)
        points.append(theta.copy())
    return np.array(points)


@cases.every("optimizer", every_step)
@both_types
def test_the_step_is_in_place_and_touches_nothing_else(case, dtype):
    theta, gradients = path(30, 4, dtype)
    whole, view, optimizer = np.zeros(34, dtype), None, case.make()
    whole[2:-2] = theta
    view = whole[2:-2]
    for gradient in gradients:
        gradient.setflags(write=False)
        before = view.copy()
        assert optimizer.step(view, gradient) is None
        assert (view != before).any()
        assert not np.shares_memory(view, gradient)
    assert not whole[[0, 1, -2, -1]].any()
    assert optimizer.iterations == 4
    assert all(a.dtype == dtype and a.shape == view.shape for a in optimizer.state.values())
    np.testing.assert_array_equal(view, walk(case.make(), theta, gradients)[-1])


@cases.every("optimizer", by_coordinate)
@both_types
def test_each_coordinate_minds_its_own_business(case, dtype):
    theta, gradients = path(7, 5, dtype)
    together = walk(case.make(), theta, gradients)
    alone = [
        walk(case.make(), theta[i : i + 1], np.ascontiguousarray(gradients[:, i : i + 1])) for i in range(theta.size)
    ]
    np.testing.assert_array_equal(together, np.concatenate(alone, axis=1))


@cases.every("optimizer", every_step)
def test_no_parameters_are_parameters_too(case):
    optimizer = case.make()
    for _ in range(2):
        optimizer.step(np.zeros(0), np.zeros(0))
    assert optimizer.iterations == 2


@cases.every("optimizer")
@both_types
def test_stopping_and_going_on_changes_nothing(case, dtype):
    theta, gradients = path(20, 12, dtype)
    whole = walk(case.make(), theta, gradients)
    first, second = case.make(), case.make()
    middle = walk(first, theta, gradients[:5])[-1]
    state = first.get_state()
    assert all(isinstance(value, np.ndarray) for value in state.values())
    second.set_state(state)
    others = second, copy.deepcopy(first), pickle.loads(pickle.dumps(first))
    for array in (*first.state.values(), *state.values()):
        array.fill(0)
    for other in others:
        np.testing.assert_array_equal(walk(other, middle, gradients[5:]), whole[5:])
        assert other.iterations == 12 // (case.arguments.get("gradient_accumulation_steps") or 1)


@cases.every("optimizer")
@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_a_copy_has_its_own_memory(case, copied):
    theta, gradients = path(30, 6)
    one = case.make()
    halfway = walk(one, theta, gradients[:3])[-1]
    other = copied(one)
    expected = walk(one, halfway, gradients[3:])
    np.testing.assert_array_equal(walk(other, halfway, gradients[3:]), expected)


# Al terminar fit la media toma el lugar de los pesos: dos mitades no son un entero.
@cases.every("optimizer", free)
def test_a_training_resumed_from_a_file_ends_with_the_same_bits(case, tmp_path):
    def fit(model, **options):
        model.fit(np.linspace(-1, 1, 30).reshape(10, 3), np.linspace(0, 1, 10), batch_size=4, verbose=0, **options)
        return model

    def fresh():
        model = Sequential([Input((3,)), Dense(4, "tanh"), Dense(1)], seed=0)
        model.compile(case.make(), "mse")
        return model

    whole = fit(fresh(), epochs=4)
    fit(fresh(), epochs=2).save(tmp_path / "mitad.safetensors")
    again = load_model(tmp_path / "mitad.safetensors")
    assert type(again.optimizer) is case.cls
    np.testing.assert_array_equal(fit(again, epochs=4, initial_epoch=2).theta, whole.theta)


@cases.every("optimizer")
@pytest.mark.parametrize(
    "spoil",
    [
        lambda state: [1],
        lambda state: {},
        lambda state: state | {"otra": np.ones(3)},
        lambda state: state | {"iterations": np.array(1.5)},
        lambda state: state | {"iterations": np.array(-1)},
        lambda state: state | {"learning_rate": np.array(-1.0)},
        lambda state: {k: v[:-1] if v.ndim and k == next(iter(state)) else v for k, v in state.items()} | {"otra": 1},
        lambda state: {k: v * np.nan for k, v in state.items()},
    ],
)
def test_a_damaged_state_changes_nothing(case, spoil):
    optimizer = case.make()
    walk(optimizer, *path(3, 2))
    before = optimizer.get_state()
    with pytest.raises((TypeError, ValueError), match="se esperab"):
        optimizer.set_state(spoil(optimizer.get_state()))
    after = optimizer.get_state()
    assert before.keys() == after.keys()
    assert all(np.array_equal(before[name], after[name]) for name in before)


@cases.every("optimizer", every_step)
def test_zero_gradients_move_only_what_decays_and_a_nan_shows(case):
    optimizer, theta = case.make(), np.ones(3, np.float32)
    for _ in range(3):
        optimizer.step(theta, np.zeros(3, np.float32))
    assert np.isfinite(theta).all()
    assert (theta == 1).all() == (not optimizer.weight_decay)
    optimizer.step(theta, np.array([1, np.nan, 1], np.float32))
    assert np.isnan(theta[1])


@cases.every("optimizer", free)
def test_the_rate_is_the_one_given_and_can_be_changed(case):
    optimizer, theta = case.make(), np.ones(2)
    given = cases.made((cases.defaults(case.cls) | case.arguments)["learning_rate"])
    for step in range(8):
        assert optimizer.learning_rate == (given(step) if callable(given) else given)
        optimizer.step(theta, np.ones(2))
    optimizer.learning_rate = 0
    before = theta.copy()
    # Con inercia puede seguir andando; sin ella, se queda donde está.
    optimizer.step(theta, np.zeros(2))
    assert optimizer.learning_rate == 0
    assert np.isfinite(theta).all()
    assert np.array_equal(theta, before) or getattr(optimizer, "momentum", 0)
    schedule = cases.SCHEDULES[0].make()
    optimizer.learning_rate = schedule
    assert optimizer.learning_rate == schedule(optimizer.iterations)


@cases.every("optimizer", every_step)
@pytest.mark.parametrize("limits", [{"clipnorm": 0.5}, {"clipvalue": 0.5}, {"global_clipnorm": 0.5}], ids=str)
@both_types
def test_clipping_is_a_step_with_the_clipped_gradient(case, limits, dtype):
    theta, gradients = path(9, 6, dtype)
    unlimited = {"clipnorm": None, "clipvalue": None, "global_clipnorm": None}
    clipped = walk(case.make(**(unlimited | limits)), theta, gradients)
    if "clipvalue" in limits:
        shorter = np.clip(gradients, -0.5, 0.5)
    else:
        shorter = gradients * np.minimum(1, 0.5 / np.linalg.norm(gradients, axis=1, keepdims=True))
    by_hand = walk(case.make(**unlimited), theta, shorter.astype(dtype))
    np.testing.assert_allclose(clipped, by_hand, rtol=1e-4 if dtype == "float32" else 1e-10)


V = np.ones(3)


@cases.every("optimizer")
@pytest.mark.parametrize(
    ("theta", "gradient", "message"),
    [
        ([1.0], V, "theta: se esperaba un arreglo de float32 o float64, pero llegó list"),
        (np.ones(3, int), V, "theta: se esperaba un arreglo de float32 o float64, pero llegó int64"),
        (V, V.tolist(), "gradient: se esperaba un arreglo"),
        (V.reshape(1, 3), V, "theta: se esperaba un vector contiguo"),
        (np.ones(6)[::2], V, "theta: se esperaba un vector contiguo"),
        (V, np.ones(6)[::2], "gradient: se esperaba un vector contiguo"),
        (V, np.ones(2), "gradient: se esperaba float64 de forma"),
        (V, V.astype(np.float32), "gradient: se esperaba float64"),
        (np.broadcast_to(1.0, 1), np.ones(1), "solo lectura"),
        (None, None, "theta: se esperaba un arreglo"),
    ],
    ids=str,
)
def test_bad_vectors_get_a_spanish_sentence(case, theta, gradient, message):
    with pytest.raises((TypeError, ValueError), match=message):
        case.make().step(theta, gradient)
    assert (V == 1).all()


@cases.every("optimizer")
def test_the_memory_of_one_network_is_not_for_another(case):
    optimizer = case.make()
    optimizer.step(np.ones(3), np.ones(3))
    if optimizer.state:
        for theta in (np.ones(4), np.ones(3, np.float32)):
            with pytest.raises(ValueError, match="lleva la cuenta de 3 parámetros de float64"):
                optimizer.step(theta, theta.copy())


CLIPS = ["clipnorm", "clipvalue", "global_clipnorm"]
NUMBERS = ["learning_rate", "weight_decay", "momentum", "rho", "beta_1", "beta_2", "epsilon", *CLIPS]


@cases.every("optimizer")
@pytest.mark.parametrize("value", ["x", -1, np.nan, np.inf, 1j], ids=str)
def test_a_number_that_cannot_be_is_refused_by_name(case, value):
    for name in set(NUMBERS) & set(cases.defaults(case.cls)):
        with pytest.raises((TypeError, ValueError), match=rf"{name}: se esperaba un número"):
            case.make(**(dict.fromkeys(CLIPS) | {name: value}))


# --- Qué pesos son ---


def runs(sizes, kept, steps=3, seed=0):
    """Los gradientes de unos pasos, con los pesos que en cada uno se entrenan."""
    rng = np.random.default_rng(seed)
    return [({key: rng.normal(size=sizes[key]) for key in keys}) for keys in kept for _ in range(steps)]


@cases.every("optimizer", lambda case: by_coordinate(case) and every_step(case) and free(case))
def test_a_weight_that_leaves_and_comes_back_finds_its_memory(case):
    """Cada peso anda como si tuviera un optimizador para él, al que solo llaman cuando le toca."""
    sizes = {"a": 3, "b": 2, "c": 4}
    together, weights = case.make(), {key: np.ones(size) for key, size in sizes.items()}
    alone, apart = {key: case.make() for key in sizes}, {key: np.ones(size) for key, size in sizes.items()}
    for step, gradients in enumerate(runs(sizes, ["ab", "a", "cba", "b", "bc", "", "abc"])):
        together.follow([(key, sizes[key]) for key in gradients])
        flat = np.concatenate([np.zeros(0), *(weights[key] for key in gradients)])
        together.step(flat, np.concatenate([np.zeros(0), *gradients.values()]))
        start = 0
        for key, gradient in gradients.items():
            weights[key] = flat[start : start + sizes[key]].copy()
            start += sizes[key]
            # Los pasos se cuentan para todos.
            alone[key].iterations = step
            alone[key].step(apart[key], gradient)
        together = copy.deepcopy(together) if step % 4 == 3 else together
    for key in sizes:
        np.testing.assert_array_equal(weights[key], apart[key])


@cases.every("optimizer")
def test_following_the_same_weights_or_after_loading_changes_nothing(case):
    theta, gradients = path(6, 9)
    expected = walk(case.make(clipnorm=None), theta, gradients)
    one = case.make(clipnorm=None)
    walked = [walk(one, theta, gradients[:3])]
    one.follow([("a", 2), ("b", 4)])
    walked.append(walk(one, walked[-1][-1], gradients[3:6]))
    other = case.make(clipnorm=None)
    other.set_state(one.get_state())
    other.follow([("x", 5), ("y", 1)])
    other.follow((("x", 5), ("y", 1)))
    walked.append(walk(other, walked[-1][-1], gradients[6:]))
    np.testing.assert_array_equal(np.concatenate(walked), expected)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (3, "parts: se esperaba una lista de pares"),
        ([3], "parts: se esperaba una lista de pares"),
        ([("a", 1, 2)], "parts: se esperaba una lista de pares"),
        ([([], 1)], "parts: se esperaba una lista de pares"),
        ([("a", 1.5)], "parts: se esperaba un entero"),
        ([("a", -1)], "parts: se esperaba un entero"),
        ([("a", 1), ("a", 2)], "repetido"),
    ],
    ids=str,
)
def test_parts_that_cannot_be_are_refused_and_change_nothing(parts, message):
    optimizer = cases.OPTIMIZERS[4].make()
    optimizer.follow([("a", 3)])
    optimizer.step(np.ones(3), np.ones(3))
    with pytest.raises((TypeError, ValueError), match=message):
        optimizer.follow(parts)
    optimizer.step(np.ones(3), np.ones(3))
    with pytest.raises(ValueError, match="se esperaban 3 parámetros, pero llegaron 4"):
        optimizer.step(np.ones(4), np.ones(4))


# --- En varias partes, los mismos bits ---

FREE = {"clipnorm": None, "clipvalue": None, "global_clipnorm": None}
SHARED = [
    {},
    {"weight_decay": 0.1},
    FREE | {"clipnorm": 0.5},
    FREE | {"clipvalue": 0.5},
    FREE | {"global_clipnorm": 0.5},
    {"use_ema": True, "ema_momentum": 0.9, "ema_overwrite_frequency": 2},
    {"gradient_accumulation_steps": 2},
    FREE | {"clipnorm": 0.5, "use_ema": True, "gradient_accumulation_steps": 2, "weight_decay": 0.1},
]
shared = pytest.mark.parametrize("options", SHARED, ids=lambda options: "-".join(n for n, v in options.items() if v))


def assert_same(one, other):
    """Recuerdan lo mismo, bit por bit."""
    one, other = one.get_state(), other.get_state()
    assert one.keys() == other.keys()
    for name, value in one.items():
        np.testing.assert_array_equal(value, other[name])


@cases.every("optimizer")
@shared
@settings(max_examples=10)
@given(
    size=st.integers(0, 150),
    first=st.integers(0, 150),
    parts=st.sampled_from([1, 2, 3, 5]),
    dtype=st.sampled_from(["float32", "float64"]),
    rng=st.randoms(use_true_random=False),
)
def test_in_pieces_and_in_any_order_the_bits_are_the_same(case, options, size, first, parts, dtype, rng):
    theta, gradients = path(size, 5, dtype, seed=size)
    whole, pieced = case.make(**options), case.make(**options)
    # Dos pesos: dónde acaba el primero no coincide con los trozos.
    owners = [("a", min(first, size)), ("b", size - min(first, size))]
    together = theta.copy()

    def spread(move):
        pieces = cut(size, parts)
        rng.shuffle(pieces)
        for a, b in pieces:
            move(a, b)

    for optimizer in (whole, pieced):
        optimizer.follow(owners)
    for gradient in gradients:
        whole.step(together, gradient)
        kept = gradient.copy()
        pieced.step(theta, gradient, spread)
        np.testing.assert_array_equal(theta, together)
        np.testing.assert_array_equal(gradient, kept)
    assert_same(pieced, whole)


@cases.every("optimizer")
def test_without_looking_at_all_a_gradient_may_arrive_with_its_piece(case):
    """Quien no mira todo puede recibir el gradiente de cada trozo justo antes de moverlo."""
    theta, gradients = path(40, 4)
    expected = walk(case.make(), theta, gradients)
    optimizer, late = case.make(), np.full(40, np.nan)

    def spread(move, gradient):
        for a, b in cut(40, 3):
            late[a:b] = gradient[a:b]
            move(a, b)

    if optimizer.looks_at_all:
        assert not (by_coordinate(case) and every_step(case))
        return
    for gradient, point in zip(gradients, expected, strict=True):
        late.fill(np.nan)
        optimizer.step(theta, late, lambda move, gradient=gradient: spread(move, gradient))
        np.testing.assert_array_equal(theta, point)


def wide(optimizer, units=30):
    model = Sequential([Input((20,)), Dense(units, "tanh", kernel_constraint="max_norm"), Dense(4)], seed=0)
    model.compile(optimizer, "mse")
    return model


X, Y = path(20 * 24, 1, "float32")[0].reshape(24, 20), path(4 * 24, 1, "float32", 1)[0].reshape(24, 4)


@pytest.fixture
def eager(monkeypatch):
    """Se reparte aunque no valga la pena."""
    monkeypatch.setattr(engines, "WORK_PER_THREAD", 1)
    monkeypatch.setattr(engines, "NUMBERS_PER_THREAD", 50)
    yield
    set_threads(None)


@cases.every("optimizer")
@pytest.mark.parametrize("threads", [1, 2, 3, 5])
def test_the_team_moves_what_one_thread_would(case, threads, eager):
    set_threads(threads)
    model = wide(case.make())
    data = prepare(model, X, Y)
    with engines.Engine(model) as engine:
        engine.limit_blas()
        engine.start(data)
        pieces = engine._pieces()
        assert len(pieces) == threads
        assert [a for a, _ in pieces] + [model.theta.size] == [0] + [b for _, b in pieces]
        assert all(a % engines.LINE == 0 for a, _ in pieces)
        for _ in range(4):
            engine._step(data, None, 0, 24)
            alone, theta = copy.deepcopy(model.optimizer), model.theta.copy()
            # En orden, del primero al último.
            gradient = engine.gradients[0].copy()
            assert len(engine.losses) == threads
            for other in engine.gradients[1:]:
                gradient += other
            engine._update()
            alone.step(theta, gradient)
            np.testing.assert_array_equal(model.theta, theta)
            assert_same(model.optimizer, alone)


@cases.every("optimizer")
@pytest.mark.parametrize("threads", [2, 5])
def test_the_same_fit_with_the_same_threads_gives_the_same_bits(case, threads, eager):
    set_threads(threads)
    models = [wide(case.make()) for _ in range(2)]
    for model in models:
        model.fit(X, Y, batch_size=8, epochs=3, verbose=0)
    np.testing.assert_array_equal(models[0].theta, models[1].theta)
    assert_same(models[0].optimizer, models[1].optimizer)


@pytest.mark.parametrize("name", ["sgd", "adam"])
def test_a_large_vector_is_shared_without_being_asked(name, monkeypatch):
    threads, seen = 2, []
    monkeypatch.setattr(engines.Engine, "_spread", lambda self, *works, old=engines.Engine._spread: (
        seen.append(len(self._pieces())), old(self, *works),
    ))  # fmt: skip
    try:
        set_threads(threads)
        models = [wide(name, units=engines.NUMBERS_PER_THREAD * threads // 20) for _ in range(2)]
        for model in models:
            assert model.theta.size > engines.NUMBERS_PER_THREAD * threads
            model.fit(X, Y, batch_size=8, epochs=2, verbose=0)
        np.testing.assert_array_equal(models[0].theta, models[1].theta)
        set_threads(1)
        # Con lotes que no se cortan, los hilos del optimizador no cambian nada.
        monkeypatch.setattr(engines, "WORK_PER_THREAD", 10**12)
        alone, shared = (wide(name, units=5000) for _ in range(2))
        alone.fit(X, Y, batch_size=8, verbose=0)
        set_threads(threads)
        shared.fit(X, Y, batch_size=8, verbose=0)
        np.testing.assert_array_equal(alone.theta, shared.theta)
    finally:
        set_threads(None)
    assert set(seen) == {1, threads}


@pytest.mark.parametrize("units", [1, 2, 4])
@pytest.mark.parametrize("threads", [2, 7])
def test_more_threads_than_lines_are_not_used(units, threads, monkeypatch):
    """Con muy pocos parámetros hay menos líneas que hilos."""
    monkeypatch.setattr(engines, "NUMBERS_PER_THREAD", 1)
    try:
        set_threads(threads)
        models = [Sequential([Input((2,)), Dense(units)], seed=0) for _ in range(2)]
        for model, spread in zip(models, (1, 10**9), strict=True):
            monkeypatch.setattr(engines, "NUMBERS_PER_THREAD", spread)
            model.compile("adam", "mse")
            model.fit(X[:, :2], Y[:, :units], batch_size=8, verbose=0)
        np.testing.assert_array_equal(models[0].theta, models[1].theta)
    finally:
        set_threads(None)


@pytest.mark.parametrize("clip", [{}, {"global_clipnorm": 1.0}], ids=str)
def test_an_error_while_moving_comes_out_and_leaves_no_thread(clip, eager, monkeypatch):
    set_threads(3)
    before = threading.active_count()

    def broken(self, theta, gradient, state, rate):
        if threading.current_thread() is not threading.main_thread():
            raise ZeroDivisionError("en un trozo")

    model = wide(SGD(0.1, **clip))
    with monkeypatch.context() as patch:
        patch.setattr(SGD, "_update", broken)
        with pytest.raises(ZeroDivisionError, match="en un trozo"):
            model.fit(X, Y, batch_size=8, verbose=0)
    assert model.optimizer.iterations == 0
    assert threading.active_count() <= before
    model.fit(X, Y, batch_size=8, verbose=0)
    assert model.optimizer.iterations == 3


def test_ones_own_optimizer_sees_the_whole_vector(eager):
    """Su fórmula puede mirar todas las coordenadas, así que no se reparte; los gradientes sí se suman en equipo."""
    sizes = []

    class Normalized(SGD):
        def _update(self, theta, gradient, state, rate):
            sizes.append(theta.size)
            theta -= rate * gradient / np.linalg.norm(gradient)

    class Plain(SGD):
        def step(self, theta, gradient):
            sizes.append(theta.size)
            super().step(theta, gradient)

    set_threads(3)
    for cls in (Normalized, Plain):
        model = wide(cls(0.1))
        model.fit(X, Y, batch_size=8, epochs=2, verbose=0)
        assert model.optimizer.iterations == 6
    assert set(sizes) == {model.theta.size}
    assert len(sizes) == 12
    ours = wide(SGD(0.1))
    ours.fit(X, Y, batch_size=8, epochs=2, verbose=0)
    np.testing.assert_array_equal(ours.theta, model.theta)


def test_layers_that_meet_and_the_update_may_use_different_teams(eager, monkeypatch):
    """El lote en cinco partes y los pesos en una: las capas que se encuentran siguen encontrándose."""
    monkeypatch.setattr(engines, "NUMBERS_PER_THREAD", 10**9)
    set_threads(5)
    found = []
    for _ in range(2):
        model = Sequential([Input((20,)), Dense(6), BatchNormalization(), Dense(4)], seed=0)
        model.compile("adam", "mse")
        found.append(model.fit(X, Y, batch_size=12, epochs=3, verbose=0).history["loss"])
    assert found[0] == found[1]
    with Team(3) as team:
        kept = []
        for parts in (3, 1, 3, 2, 3, 3):
            team.run(lambda k: team.meeting.share(k, np.zeros(2)), parts)
            if parts == 3:
                kept.append(team.meeting.slots)
        # Ir y venir no pide memoria nueva.
        assert all(slots is kept[0] for slots in kept)
