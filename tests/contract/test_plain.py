"""La versión que se lee y la que se ejecuta calculan lo mismo."""

import importlib
import inspect
import pkgutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chapters
from dlbook.sphinx.definitions import PLAIN, plain_name

MODULES = [
    importlib.import_module(name)
    for _, name, _ in pkgutil.walk_packages(chapters.__path__, "chapters.")
    if ".keras" not in name
]
# Cada función o clase con su versión que se lee.
FOUND = {
    plain_name(name): (vars(module)[plain_name(name)], value)
    for module in MODULES
    for name, value in vars(module).items()
    if plain_name(name) in vars(module) and value.__module__ == module.__name__
}


class Sizes:
    """Tamaños y números al azar; un tamaño que ya se pidió es el mismo."""

    def __init__(self, seed):
        self.generator, self.known = np.random.default_rng(seed), {}

    def __call__(self, name, low=1, high=4):
        return self.known.setdefault(name, int(self.generator.integers(low, high + 1)))

    def array(self, *names):
        return self.generator.normal(size=[name if isinstance(name, int) else self(name) for name in names])


def images(r):
    h, w = r("h", 4, 8), r("w", 4, 8)
    return r.array("n", h, w, "c")


def maps(r):
    rows, columns = ((r(size) - r(k)) // r("s") + 1 for size, k in (("h", "kh"), ("w", "kw")))
    return r.array("n", rows, columns, "f")


def convolution(r):
    return {"x": images(r), "kernel": r.array("kh", "kw", "c", "f"), "strides": r("s", 1, 3)}


def local_response(r):
    numbers = {"bias": 1 + r.generator.random(), "alpha": r.generator.random(), "beta": 0.25 * r("quarters")}
    return {"x": r.array("n", "h", "d"), "depth_radius": r("radius", 0, 5)} | numbers


# Con qué argumentos se compara cada una.
ARGUMENTS = {
    "plain_perceptron_rule": lambda r: {
        "x": r.array("n", "d"),
        "y": r.generator.integers(0, 2, r("n")),
        "w": r.array("d"),
        "b": float(r.generator.normal()),
        "learning_rate": 0.1 + r.generator.random(),
    },
    "plain_dense_forward": lambda r: {"x": r.array("n", "d"), "w": r.array("d", "m"), "b": r.array("m")},
    "plain_dense_backward": lambda r: {"x": r.array("n", "d"), "w": r.array("d", "m"), "dy": r.array("n", "m")},
    "plain_batch_norm_forward": lambda r: {
        "x": r.array("n", "h", "w", "d"),
        "gamma": r.array("d"),
        "beta": r.array("d"),
    },
    "plain_batch_norm_backward": lambda r: {
        "x": r.array("n", "h", "w", "d"),
        "gamma": r.array("d"),
        "dy": r.array("n", "h", "w", "d"),
    },
    "plain_local_response_forward": local_response,
    "plain_local_response_backward": lambda r: local_response(r) | {"dy": r.array("n", "h", "d")},
    "plain_im2col": lambda r: {"x": images(r), "kernel_size": (r("kh"), r("kw")), "strides": r("s", 1, 3)},
    "plain_col2im": lambda r: {
        "input_shape": images(r).shape,
        "kernel_size": (r("kh"), r("kw")),
        "strides": r("s", 1, 3),
        "columns": r.array(maps(r).size // r("f"), r("kh") * r("kw") * r("c")),
    },
    "plain_conv2d_forward": lambda r: convolution(r) | {"bias": r.array("f")},
    "plain_conv2d_backward": lambda r: convolution(r) | {"dy": maps(r)},
}


def test_each_one_is_compared():
    assert set(ARGUMENTS) == set(FOUND) == {n for module in MODULES for n in vars(module) if n.startswith(PLAIN)}


def every(value):
    return value if isinstance(value, tuple) else (value,)


@pytest.mark.parametrize("name", FOUND)
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_it_gives_the_same_as_what_runs(name, seed):
    plain, fast = FOUND[name]
    arguments = ARGUMENTS[name](Sizes(seed))
    expected, found = every(fast(**arguments)), every(plain(**arguments))
    assert len(expected) == len(found)
    for a, b in zip(expected, found, strict=True):
        assert np.shape(a) == np.shape(b)
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", FOUND)
def test_its_arguments_are_those_of_what_runs(name):
    plain, fast = (list(inspect.signature(f).parameters) for f in FOUND[name])
    assert plain == [name for name in fast if name in plain]


@pytest.mark.parametrize("name", FOUND)
def test_it_is_short_narrow_and_tagged(name):
    source = inspect.getsource(FOUND[name][0])
    lines = [line for line in source.splitlines() if line.strip() and '"""' not in line]
    assert 2 <= len(lines) <= 20
    # La etiqueta se imprime en el margen.
    assert max(len(line.partition("  # [")[0]) for line in lines) <= 76
    assert "# [ec-" in source
