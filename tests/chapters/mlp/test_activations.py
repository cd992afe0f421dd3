"""Las activaciones: valen lo que las de Keras, su pendiente es la de verdad y aguantan cualquier número."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numba import njit

from chapters.mlp import activations
from chapters.mlp.activations import ELU, GELU, LeakyReLU, exponential, linear, sigmoid, softmax, step, tanh
from dlbook.gradcheck import check_gradients

REFERENCE = json.loads((Path(__file__).resolve().parents[2] / "reference" / "mlp.json").read_text(encoding="utf-8"))
CASES = [(c["name"], c["arguments"]) for c in REFERENCE["activations"]]
CLASSES = {"leaky_relu": LeakyReLU, "elu": ELU, "gelu": GELU}
SMOOTH = [f for f in activations.NAMES.values() if f.name not in ("step", "linear")]
EVERY = [*activations.NAMES.values(), LeakyReLU(0.1), ELU(0.5), GELU(approximate=True)]

# TensorFlow guarda como float32 la fuga de `leaky_relu` y el √2 de `gelu`, aunque calcule en float64. Que las nuestras
# son exactas lo dice el álgebra, más abajo.
ROUNDED_BY_TENSORFLOW = {"leaky_relu": 1e-7, "gelu": 1e-6}

shapes = st.lists(st.integers(1, 4), min_size=1, max_size=3).map(tuple)
reals = st.floats(-20, 20)


def ours(name, arguments):
    return CLASSES[name](**arguments) if arguments else activations.NAMES[name]


def backward(f, z, dy):
    y, dz = np.empty_like(z), np.empty_like(z)
    f.forward(z, y)
    f.backward(z, y, dy, dz)
    return y, dz


@pytest.mark.parametrize("case", REFERENCE["activations"], ids=lambda c: f"{c['name']}{c['arguments']}")
def test_value_and_gradient_are_those_of_keras(case):
    z, dy = (np.array(REFERENCE["inputs"][name]) for name in ("z", "dy"))
    f = ours(case["name"], case["arguments"])
    y, dz = backward(f, z, dy)
    rtol = ROUNDED_BY_TENSORFLOW.get(case["name"], 1e-12)
    np.testing.assert_allclose(y, case["y"], rtol=rtol, atol=rtol / 100)
    np.testing.assert_allclose(dz, case["dz"], rtol=rtol, atol=rtol / 100)
    np.testing.assert_allclose(f(z), y, rtol=0)


@pytest.mark.parametrize(("name", "arguments"), CASES)
def test_they_agree_with_keras_here_and_now(name, arguments):
    pytest.importorskip("keras")
    from tests.reference import oracle

    generator = np.random.default_rng(0)
    for dtype, tolerance in (("float64", ROUNDED_BY_TENSORFLOW.get(name, 1e-12)), ("float32", 5e-6)):
        for shape in ((4,), (1, 3), (5, 2, 7)):
            z, dy = (5 * generator.normal(size=shape).astype(dtype) for _ in range(2))
            both = backward(ours(name, arguments), z, dy), oracle.activation(name, arguments, z, dy)
            for mine, theirs in zip(*both, strict=True):
                assert mine.dtype == theirs.dtype == dtype
                np.testing.assert_allclose(mine, theirs, rtol=tolerance, atol=5 * tolerance)


@pytest.mark.parametrize("f", EVERY, ids=repr)
@given(arrays(np.float64, shapes, elements=reals.filter(lambda z: abs(z) > 1e-4)), st.integers(0, 1000))
def test_the_gradient_is_the_measured_one(f, z, seed):
    dy = np.random.default_rng(seed).normal(size=z.shape)
    gradient = backward(f, z, dy)[1]
    report = check_gradients(lambda: float((np.asarray(f(z)) * dy).sum()), {"z": z}, {"z": gradient}, atol=1e-8)
    assert report.ok, str(report)


@pytest.mark.parametrize("f", SMOOTH, ids=repr)
@given(st.lists(reals, min_size=2, max_size=5))
def test_derivative_times_the_error_is_backward(f, z):
    z = np.array(z)
    dy = np.arange(1.0, len(z) + 1)
    slope = f.derivative(z)
    expected = slope.T @ dy if f is softmax else slope * dy
    np.testing.assert_allclose(backward(f, z, dy)[1], expected, rtol=1e-9, atol=1e-12)


SYMBOLIC = {
    "sigmoid": "1/(1+exp(-z))",
    "tanh": "(exp(z)-exp(-z))/(exp(z)+exp(-z))",
    "softplus": "log(1+exp(z))",
    "gelu": "z*(1+erf(z/sqrt(2)))/2",
    "leaky_relu": "Piecewise((z, z > 0), (z/5, True))",
    "elu": "Piecewise((z, z > 0), (exp(z)-1, True))",
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


@pytest.mark.parametrize("f", EVERY, ids=repr)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.filterwarnings("error")
def test_large_numbers_neither_overflow_nor_warn(f, dtype):
    z = np.array([-1e9, -1e4, -100, -20, -0.0, 0, 20, 100, 1e4, 1e9], dtype)
    y, dz = backward(f, z, np.ones_like(z))
    assert np.isfinite(y).all()
    assert np.isfinite(dz).all()
    assert y.dtype == dz.dtype == f(z).dtype == f.derivative(z).dtype == dtype


@pytest.mark.parametrize("f", EVERY, ids=repr)
@given(z=arrays(np.float32, 12, elements=st.floats(-30, 30, width=32)))
def test_float32_is_float64_rounded(f, z):
    dy = np.ones_like(z)
    for single, double in zip(backward(f, z, dy), backward(f, z.astype(float), dy.astype(float)), strict=True):
        np.testing.assert_allclose(single, double, rtol=2e-5, atol=3e-6)


@pytest.mark.parametrize("f", EVERY, ids=repr)
def test_any_array_will_do_and_none_is_modified(f):
    base = np.random.default_rng(0).normal(size=(6, 8))
    for z in (
        base[::2, ::2],
        base.T,
        np.asfortranarray(base),
        base[0],
        base[:1],
        base.astype(np.float16),
        base.tolist(),
    ):
        before = np.array(z, copy=True)
        y = f(z)
        assert y.shape == before.shape
        rows = np.ascontiguousarray(before.astype(np.float32 if before.dtype == np.float16 else np.float64))
        np.testing.assert_array_equal(y, f(rows))
        np.testing.assert_array_equal(z, before)
    assert f([1, 2, 3]).dtype == np.float64
    frozen = base.copy()
    frozen.setflags(write=False)
    assert f(frozen).flags.writeable


@pytest.mark.parametrize("f", [f for f in EVERY if f is not softmax], ids=repr)
def test_a_number_gives_a_number(f):
    assert np.ndim(f(0.5)) == np.ndim(f.derivative(0.5)) == 0
    assert float(f(0.5)) == f([0.5])[0]


@pytest.mark.parametrize("f", [f for f in EVERY if f is not step], ids=repr)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_nan_shows_instead_of_hiding(f, dtype):
    # Las capas no comprobaron los valores: si la red se rompe, que la pérdida lo diga.
    z = np.array([1, np.nan, -1], dtype)
    y, dz = backward(f, z, np.full_like(z, np.nan))
    assert np.isnan(y[1])
    assert np.isnan(dz[1])


@pytest.mark.parametrize("f", EVERY, ids=repr)
@pytest.mark.parametrize("method", ["__call__", "derivative"])
@pytest.mark.parametrize(
    ("z", "error", "message"),
    [
        ([], ValueError, "al menos un elemento"),
        (np.zeros((3, 0)), ValueError, "al menos un elemento"),
        ([1, np.nan], ValueError, "finitos"),
        ([1, np.inf], ValueError, "finitos"),
        ("hola", TypeError, "números reales"),
        ([1j], TypeError, "números reales"),
        ([[1], [1, 2]], ValueError, "distinto largo"),
        (None, TypeError, "números reales"),
    ],
)
def test_bad_input_gets_a_spanish_sentence(f, method, z, error, message):
    with pytest.raises(error, match=message):
        getattr(f, method)(z)


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
        assert repr(f) in (f"{type(f).__name__}()", repr(type(f)()))
    assert activations.get(None) is None
    for nonsense in ("Relu ", 3, [], lambda z: z, LeakyReLU):
        with pytest.raises(ValueError, match="activation: se esperaba 'linear' o 'step'"):
            activations.get(nonsense)


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
