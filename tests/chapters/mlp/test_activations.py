"""Las activaciones: valen lo que las de Keras, su pendiente es la de verdad y aguantan cualquier número."""

import importlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numba import njit

from chapters.mlp import activations
from chapters.mlp.activations import ELU, GELU, LeakyReLU, linear, sigmoid, softmax, step, tanh

# El módulo: en el paquete, ``exponential`` es la activación.
exponential = importlib.import_module("chapters.mlp.activations.exponential")
reals = st.floats(-20, 20)


SYMBOLIC = {
    "sigmoid": "1/(1+exp(-z))",
    "tanh": "(exp(z)-exp(-z))/(exp(z)+exp(-z))",
    "softplus": "log(1+exp(z))",
    "gelu": "z*(1+erf(z/sqrt(2)))/2",
    "leaky_relu": "Piecewise((z, z > 0), (z/5, True))",
    "elu": "Piecewise((z, z > 0), (exp(z)-1, True))",
    "celu": "Piecewise((z, z > 0), (exp(z)-1, True))",
    "exponential": "exp(z)",
    "hard_sigmoid": "Min(Max(z/6+Rational(1,2), 0), 1)",
    "hard_silu": "z*Min(Max(z/6+Rational(1,2), 0), 1)",
    "log_sigmoid": "log(1/(1+exp(-z)))",
    "mish": "z*tanh(log(1+exp(z)))",
    "silu": "z/(1+exp(-z))",
    "softsign": "z/(1+Abs(z))",
    "squareplus": "(z+sqrt(z**2+4))/2",
    "tanh_shrink": "z-tanh(z)",
}


@pytest.mark.parametrize("name", SYMBOLIC)
def test_the_derivative_is_the_one_algebra_gives(name):
    sympy = pytest.importorskip("sympy")
    z = sympy.Symbol("z", real=True)
    formula = sympy.sympify(SYMBOLIC[name], locals={"z": z})
    f = activations.NAMES[name]
    for value in ("-7/2", "-1/3", "2/5", "3"):
        at = {z: sympy.Rational(value)}
        point = float(sympy.Rational(value))
        assert float(f(point)) == pytest.approx(float(formula.subs(at).evalf(30)), rel=1e-13)
        assert float(f.derivative(point)) == pytest.approx(float(sympy.diff(formula, z).subs(at).evalf(30)), rel=1e-12)


@given(z=st.floats(-300, 300))
def test_identities(z):
    assert float(tanh(z)) == pytest.approx(2 * float(sigmoid(2 * z)) - 1, abs=1e-15)
    assert float(tanh(-z)) == -float(tanh(z))
    assert float(sigmoid(z) + sigmoid(-z)) == pytest.approx(1)
    assert float(activations.softplus.derivative(z)) == pytest.approx(float(sigmoid(z)), rel=1e-14)
    assert float(activations.softplus(z) - activations.softplus(-z)) == pytest.approx(z, rel=1e-14, abs=1e-14)
    assert float(activations.relu(z) - activations.relu(-z)) == z
    assert float(linear(z)) == z
    assert float(step(z)) == (z >= 0)


@given(arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(1, 6)), elements=reals), st.floats(-1e3, 1e3))
def test_softmax_is_a_distribution_that_only_sees_differences(z, shift):
    p = softmax(z)
    assert (p >= 0).all()
    np.testing.assert_allclose(p.sum(axis=-1), 1, rtol=1e-14)
    np.testing.assert_allclose(softmax(z + shift), p, rtol=1e-9)
    jacobian = softmax.derivative(z)
    np.testing.assert_allclose(jacobian, np.swapaxes(jacobian, -1, -2), atol=1e-16)
    np.testing.assert_allclose(jacobian.sum(axis=-1), 0, atol=1e-15)


def test_the_kinks_follow_keras():
    assert activations.relu.derivative(0.0) == 0
    assert LeakyReLU(0.3).derivative(0.0) == pytest.approx(0.3)
    assert ELU(0.5).derivative(0.0) == 0.5
    assert step(0.0) == 1
    assert not np.signbit(activations.relu(-0.0))


def test_get():
    for name, f in activations.NAMES.items():
        assert activations.get(name) is (None if name == "linear" else f)
        assert repr(f) == (f"{type(f).__name__}()" if name != "relu6" else "ReLU(max_value=6.0)")
    assert activations.get(None) is None
    for nonsense in ("Relu ", 3, [], LeakyReLU):
        with pytest.raises(ValueError, match="activation: se esperaba 'linear' o 'step'"):
            activations.get(nonsense)


def test_they_take_the_arguments_of_keras_as_functions_do():
    z = [-2.0, 0.5, 8.0]
    np.testing.assert_array_equal(activations.relu(z, 0.1, 6), activations.ReLU(0.1, max_value=6)(z))
    np.testing.assert_array_equal(activations.elu(z, alpha=0.5), ELU(0.5)(z))
    np.testing.assert_array_equal(activations.swish(z), activations.silu(z))
    assert [f.__name__ for f in (activations.relu, activations.hard_silu)] == ["relu", "hard_silu"]
    with pytest.raises(TypeError, match="negative_slope: se esperaba un número real"):
        activations.leaky_relu(z, "mucha")


@pytest.mark.parametrize("f", [softmax, activations.log_softmax])
def test_classes_may_be_in_any_axis(f):
    z = np.random.default_rng(0).normal(size=(2, 3, 4))
    for axis in (0, 1, -2, 2):
        np.testing.assert_array_equal(f(z, axis), np.moveaxis(f(np.moveaxis(z, axis, -1)), -1, axis))
    for axis in (3, -4):
        with pytest.raises(ValueError, match=f"axis: se esperaba un entero entre -3 y 2, pero llegó {axis}"):
            f(z, axis=axis)
    with pytest.raises(TypeError, match="axis: se esperaba un entero"):
        f(z, axis=(0, 1))


def test_log_softmax_keeps_what_softmax_rounds_to_zero():
    assert activations.log_softmax([0.0, 1000.0])[0] == -1000
    assert softmax([0.0, 1000.0])[0] == 0


def test_selu_keeps_the_mean_and_the_variance_of_a_normal():
    points, weights = np.polynomial.hermite_e.hermegauss(200)
    weights /= weights.sum()
    y = activations.selu(points)
    assert weights @ y == pytest.approx(0, abs=2e-3)
    assert weights @ y**2 == pytest.approx(1, abs=2e-3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: LeakyReLU(-0.1), "negative_slope: se esperaba un número de al menos 0"),
        (lambda: LeakyReLU("mucha"), "negative_slope: se esperaba un número real"),
        (lambda: ELU(np.nan), "alpha: se esperaba un número finito"),
        (lambda: GELU("sí"), "approximate: se esperaba True o False"),
    ],
)
def test_bad_arguments_get_a_spanish_sentence(call, message):
    with pytest.raises((ValueError, TypeError), match=message):
        call()


def compiled(f):
    @njit(error_model="numpy")
    def loop(x, y):
        for i in range(x.size):
            y[i] = f(x[i])

    def table(x):
        y = np.empty_like(x)
        loop(x, y)
        return y

    return table


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("name", "points"),
    [
        ("exp", -np.concatenate([np.logspace(-20, 1.9, 20001), np.linspace(0, 87, 20001)])),
        ("expm1", -np.concatenate([np.logspace(-20, 1.9, 20001), np.linspace(0, 87, 20001)])),
        ("log", np.concatenate([np.logspace(-37, 37, 20001), np.linspace(0.5, 2, 20001)])),
        ("log1p", np.concatenate([np.logspace(-20, 0, 20001), np.linspace(0, 1, 20001)])),
    ],
)
def test_the_exponential_and_the_logarithms_are_right_to_the_last_bits(name, points, dtype):
    x = points.astype(dtype)
    y = compiled(getattr(exponential, name))(x)
    exact = getattr(np, name)(x.astype(np.longdouble))
    assert y.dtype == dtype
    last_bit = np.spacing(np.abs(exact.astype(dtype))).astype(np.longdouble)
    assert (np.abs(y.astype(np.longdouble) - exact) <= 4 * last_bit).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_exponential_at_the_edges(dtype):
    x = np.array([-np.inf, -1e30, -1e4, -750, -0.0, 0, np.nan], dtype)
    np.testing.assert_array_equal(compiled(exponential.exp)(x), np.array([0, 0, 0, 0, 1, 1, np.nan], dtype))
    np.testing.assert_array_equal(compiled(exponential.expm1)(x), np.array([-1, -1, -1, -1, 0, 0, np.nan], dtype))
    assert np.isnan(compiled(exponential.log)(x[-1:]))
    assert np.isnan(compiled(exponential.log1p)(x[-1:]))
    assert float(compiled(exponential.log)(np.ones(1, dtype))[0]) == 0
