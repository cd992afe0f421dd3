"""La comprobación de gradientes: encuentra los gradientes mal escritos y deja en paz a los buenos."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dlbook.gradcheck import STEP, check_gradients, numeric_gradient

reals = st.floats(-3, 3, allow_subnormal=False)


# Una red de dos capas con pérdida cuadrática, con la derivada de ReLU escrita bien o mal.
def network(x, y, w1, b1, w2, *, relu_slope):
    z = x @ w1 + b1
    a = np.maximum(z, 0)
    d = (a @ w2 - y) / len(x)
    da = (d @ w2.T) * relu_slope(z, a)
    return {"x": da @ w1.T, "w1": x.T @ da, "b1": da.sum(axis=0), "w2": a.T @ d}


def example(seed):
    rng = np.random.default_rng(seed)
    shapes = {"x": (6, 4), "w1": (4, 5), "b1": (5,), "w2": (5, 2)}
    parameters = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    y = rng.normal(size=(6, 2))

    def loss():
        p = parameters
        return 0.5 * ((np.maximum(p["x"] @ p["w1"] + p["b1"], 0) @ p["w2"] - y) ** 2).sum() / 6

    return parameters, y, loss


@pytest.mark.parametrize("seed", range(5))
def test_a_right_gradient_passes(seed):
    parameters, y, loss = example(seed)
    before = {name: value.copy() for name, value in parameters.items()}
    gradients = network(y=y, relu_slope=lambda z, a: z > 0, **parameters)
    report = check_gradients(loss, parameters, gradients)
    assert report.ok, str(report)
    assert max(p.relative_error for p in report.parameters) < 1e-7
    assert all(np.array_equal(before[name], value) for name, value in parameters.items())


@pytest.mark.parametrize("seed", range(5))
def test_the_slope_of_relu_taken_with_greater_or_equal_after_the_activation_is_caught(seed):
    # a >= 0 se cumple siempre, porque a ya pasó por ReLU: el gradiente atraviesa las neuronas apagadas.
    parameters, y, loss = example(seed)
    gradients = network(y=y, relu_slope=lambda z, a: a >= 0, **parameters)
    report = check_gradients(loss, parameters, gradients)
    assert not report.ok
    assert report["w2"].ok
    assert not report["w1"].ok
    assert "← mal" in str(report)


@given(arrays(np.float64, st.tuples(st.integers(1, 3), st.integers(1, 4)), elements=reals))
def test_a_polynomial_has_its_known_gradient(theta):
    gradient = numeric_gradient(lambda t: (t**3 - 2 * t).sum(), theta)
    assert np.allclose(gradient, 3 * theta**2 - 2, rtol=1e-8, atol=1e-7)


@given(
    arrays(np.float64, st.integers(1, 6), elements=reals),
    st.integers(0, 5),
    st.floats(1e-3, 10).flatmap(lambda d: st.sampled_from([d, -d])),
)
def test_any_visible_error_in_one_coordinate_is_caught_and_located(theta, where, error):
    where %= theta.size
    gradient = np.cos(theta)
    gradient[where] += error
    report = check_gradients(lambda: np.sin(theta).sum(), {"theta": theta}, {"theta": gradient})
    assert not report.ok
    assert report["theta"].worst == (where,)
    assert report["theta"].max_error == pytest.approx(abs(error), rel=1e-4)


@given(arrays(np.float64, 4, elements=reals), st.integers(0, 7))
@settings(max_examples=30)
def test_the_point_comes_back_exactly_even_when_f_fails(theta, calls):
    before, left = theta.copy(), [calls]

    def f(t):
        if not left[0]:
            raise RuntimeError
        left[0] -= 1
        return float(t.sum())

    with pytest.raises(RuntimeError):
        numeric_gradient(f, theta)
    assert np.array_equal(before, theta)


def test_the_error_falls_with_the_square_of_the_step():
    errors = [abs(numeric_gradient(lambda t: np.exp(t[0]), np.ones(1), h)[0] - np.e) for h in (0.1, 0.05, 0.025)]
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.01)
    assert errors[1] / errors[2] == pytest.approx(4, rel=0.01)


def test_the_step_is_close_to_the_best():
    def error(h):
        points = np.linspace(0.5, 1.5, 40)
        return max(abs(numeric_gradient(lambda t: np.exp(t[0]), np.array([p]), h)[0] - np.exp(p)) for p in points)

    assert error(STEP) < min(error(100 * STEP), error(STEP / 100))


def test_large_coordinates_views_and_scalars():
    grid = np.zeros((3, 4))
    view = grid[:, 1]
    view[:] = [1e8, -2e8, 3e8]
    assert np.allclose(numeric_gradient(lambda t: (t**2).sum(), view), 2 * view, rtol=1e-6)
    assert grid[0, 1] == 1e8
    assert numeric_gradient(lambda t: float(t) ** 2, np.array(3.0)) == pytest.approx(6)


def test_a_zero_gradient_is_not_blamed_for_rounding():
    theta = np.array([0.3, 0.4])
    report = check_gradients(lambda: float(np.sin(1.0) + 0 * theta.sum()), {"theta": theta}, {"theta": np.zeros(2)})
    assert report.ok
    assert report["theta"].relative_error == 0


W = np.ones((2, 2))
GOOD = {"w": W}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: numeric_gradient(np.sum, W.astype(np.float32)), "theta: se esperaba un arreglo de float64.*float32"),
        (lambda: numeric_gradient(np.sum, [1.0, 2.0]), "theta: .*llegó list"),
        (lambda: numeric_gradient(np.sum, np.ones(0)), "al menos un elemento"),
        (lambda: numeric_gradient(np.sum, np.array([np.nan])), "finitos"),
        (lambda: numeric_gradient(np.sum, np.broadcast_to(1.0, 3)), "solo lectura"),
        (lambda: numeric_gradient(np.sum, W, 0), "h: se esperaba un número mayor que 0"),
        (lambda: numeric_gradient(np.sum, W, 1e-20), "se pierde al redondear"),
        (lambda: numeric_gradient("f", W), "se esperaba una función"),
        (lambda: numeric_gradient(lambda t: t, W), r"f\(\): se esperaba un número real"),
        (lambda: numeric_gradient(lambda t: np.nan, W), "finito"),
        (lambda: numeric_gradient(lambda t: np.float32(1), W), "float32"),
        (lambda: check_gradients(W.sum, [W], GOOD), "diccionario"),
        (lambda: check_gradients(W.sum, {}, {}), "diccionario"),
        (lambda: check_gradients(W.sum, GOOD, {"v": W}), "gradients: se esperaban w, pero llegaron v"),
        (lambda: check_gradients(W.sum, GOOD, {"w": np.ones(2)}), "la forma de su parámetro"),
        (lambda: check_gradients(W.sum, GOOD, {"w": W.astype(np.float32)}), "float32"),
        (lambda: check_gradients(W.sum, GOOD, {"w": W * np.inf}), "finitos"),
        (lambda: check_gradients(W.sum, {"w": W.astype(int)}, GOOD), "int64"),
        (lambda: check_gradients(W, GOOD, GOOD), "se esperaba una función"),
        (lambda: check_gradients(np.random.default_rng(0).random, GOOD, GOOD), "azar"),
        (lambda: check_gradients(W.sum, GOOD, GOOD, rtol=-1), "rtol"),
    ],
)
def test_bad_input_gets_a_spanish_sentence(call, message):
    with pytest.raises((ValueError, TypeError), match=message):
        call()


def test_the_report_reads_like_a_table():
    report = check_gradients(W.sum, GOOD, {"w": np.ones((2, 2))})
    assert report.ok
    assert str(report).splitlines()[0].startswith("parámetro")
    with pytest.raises(KeyError, match="no hay un parámetro"):
        report["b"]


def test_a_function_that_needs_an_argument_is_refused():
    from chapters.mlp import Dense

    for f in (Dense(2), lambda theta: 0.0, len):
        with pytest.raises(TypeError, match="f: se esperaba una función sin argumentos, pero llegó"):
            check_gradients(f, {"w": np.zeros(2)}, {"w": np.zeros(2)})
    with pytest.raises(TypeError, match="f: se esperaba una función de un argumento"):
        numeric_gradient(lambda: 0.0, np.zeros(2))
