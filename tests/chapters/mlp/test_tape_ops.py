"""Cada operación de la cinta calcula lo que la de Keras, y su gradiente es el que se mide."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chapters.mlp import GradientTape, Tensor, ops
from dlbook.gradcheck import check_gradients
from tests.reference.ops_cases import CASES, reals, replaced, weights

STORED = json.loads(Path(__file__).parents[2].joinpath("reference", "ops.json").read_text(encoding="utf-8"))
NAMES = [f"{k}-{name}" for k, (name, *_) in enumerate(CASES)]
# TensorFlow guarda como float32 algunos números aunque calcule en float64.
CROSSENTROPIES = {f"{kind}crossentropy" for kind in ("binary_", "categorical_", "sparse_categorical_")}
ROUNDED = {"clip", "gelu", "leaky_relu", "normalize"} | CROSSENTROPIES
FLAT = {"stop_gradient"}


def outputs(name, arguments, options):
    found = getattr(ops, name)(*arguments, **options)
    return list(found) if isinstance(found, (list, tuple)) and name != "shape" else [found]


def total(name, arguments, options):
    """La cantidad que se deriva: lo que sale, con sus pesos."""
    parts = [one for one in outputs(name, arguments, options) if np.asarray(one).dtype.kind == "f"]
    return sum(ops.sum(ops.multiply(ops.cast(one, "float64"), weights(np.shape(one)))) for one in parts)


def slopes(name, arguments, options):
    given = [np.asarray(x) for x in reals(arguments)]
    with GradientTape() as tape:
        y = total(name, replaced(arguments, iter(given)), options)
    if not isinstance(y, Tensor):
        return [np.zeros(x.shape) for x in given]
    return tape.gradient(y, given, unconnected_gradients="zero")


@pytest.mark.parametrize(("case", "stored"), list(zip(CASES, STORED, strict=True)), ids=NAMES)
def test_values_and_gradients_are_those_of_keras(case, stored):
    name, arguments, options = case
    tolerance = 1e-6 if name in ROUNDED or "alpha" in options else 1e-9
    found = outputs(name, arguments, options)
    assert [stored[0], len(stored[1])] == [name, len(found)]
    for mine, (dtype, shape, values) in zip(found, stored[1], strict=True):
        assert list(np.shape(mine)) == shape
        assert np.asarray(mine).dtype == dtype
        np.testing.assert_allclose(np.ravel(mine), values, rtol=tolerance, atol=tolerance)
    if stored[2]:
        for mine, (_, shape, values) in zip(slopes(name, arguments, options), stored[2], strict=True):
            assert list(mine.shape) == shape
            np.testing.assert_allclose(mine.ravel(), values, rtol=1e-7, atol=max(tolerance, 1e-7))


DERIVED = [
    (case, label) for case, label in zip(CASES, NAMES, strict=True) if reals(case[1]) and case[0] not in FLAT | {"cast"}
]


def has_ties(case):
    name, arguments, _ = case
    numbers = np.concatenate([np.ravel(x) for x in reals(arguments)])
    return name in ("max", "maximum", "minimum") and len(np.unique(numbers)) < len(numbers)


SMOOTH = [(case, label) for case, label in DERIVED if not has_ties(case)]


@pytest.mark.parametrize("case", [case for case, _ in SMOOTH], ids=[label for _, label in SMOOTH])
def test_gradients_are_those_that_are_measured(case):
    name, arguments, options = case
    given = [np.array(x, float) for x in reals(arguments)]

    def measured():
        return float(total(name, replaced(arguments, iter(given)), options))

    with GradientTape() as tape:
        y = total(name, replaced(arguments, iter(given)), options)
    if not isinstance(y, Tensor):
        return
    found = tape.gradient(y, given, unconnected_gradients="zero")
    names = [str(k) for k in range(len(given))]
    report = check_gradients(measured, dict(zip(names, given, strict=True)), dict(zip(names, found, strict=True)))
    assert report.ok, f"\n{report}"


@pytest.mark.parametrize(("case", "label"), DERIVED, ids=[n for _, n in DERIVED])
def test_a_float32_argument_gives_a_float32_result_and_gradient(case, label):
    name, arguments, options = case
    if "dtype" in options or "weights" in options:
        return
    small = [np.asarray(x, np.float32) for x in reals(arguments)]
    with GradientTape() as tape:
        found = outputs(name, replaced(arguments, iter(small)), options)
    recorded = [one for one in found if isinstance(one, Tensor)]
    assert all(one.dtype == np.float32 for one in recorded)
    if recorded:
        gradients = tape.gradient(recorded, small, unconnected_gradients="zero")
        assert [g.dtype for g in gradients] == [np.float32] * len(small)


BINARY = [ops.add, ops.subtract, ops.multiply, ops.maximum, lambda a, b: ops.divide(a, 2 + ops.square(b))]


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_what_was_repeated_is_summed_for_random_shapes(data):
    shape = data.draw(st.lists(st.integers(1, 3), max_size=3))
    shapes = []
    for _ in range(2):
        drop = data.draw(st.integers(0, len(shape)))
        shapes.append([1 if data.draw(st.booleans()) else size for size in shape][drop:])
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    a, b = (rng.normal(size=s) for s in shapes)
    operation = data.draw(st.sampled_from(BINARY))
    # Una letra por eje: se multiplica por pesos distintos, para que ningún lugar cuente como otro.
    with GradientTape() as tape:
        y = operation(a, b)
        loss = ops.sum(y * weights(y.shape))
    da, db = tape.gradient(loss, [a, b])
    measured = lambda: float(ops.sum(operation(a, b) * weights(y.shape)))  # noqa: E731
    assert check_gradients(measured, {"a": a, "b": b}, {"a": da, "b": db}).ok


@pytest.mark.parametrize("option", [{"out": np.zeros(2)}, {"nonsense": 1}])
def test_an_option_of_einsum_that_would_change_nothing_is_refused(option):
    with pytest.raises(ValueError, match="einsum: se esperaban argumentos que encajen"):
        ops.einsum("ij->i", np.ones((2, 3)), **option)
    assert ops.einsum("ij->i", np.ones((2, 3)), optimize="greedy").tolist() == [3, 3]


def test_nothing_is_left_without_a_case():
    listed = {name for name, _, _ in CASES}
    simple = {"abs", "array", "convert_to_numpy", "convert_to_tensor", "full_like", "identity", "is_tensor", "ndim"}
    aliases = {"true_divide", "swish", "zeros", "ones", "shape", "size"}
    assert set(ops.__all__) - listed == simple | aliases


@pytest.mark.parametrize("axis", [(0, 1), [0], "a", 1.5, 7])
@pytest.mark.parametrize("name", ["argmax", "argmin", "argsort", "sort", "cumsum", "split", "stack", "concatenate"])
def test_who_admits_one_axis_is_not_given_several(name, axis):
    x = np.arange(6.0).reshape(2, 3)
    arguments = {"split": [x, 1], "stack": [[x, x]], "concatenate": [[x, x]]}.get(name, [x])
    with pytest.raises((TypeError, ValueError), match="axis: se esperaba un entero"):
        getattr(ops, name)(*arguments, axis=axis)


def test_without_an_axis_everything_is_sorted():
    assert ops.sort(np.array([[3.0, 1.0], [2.0, 0.0]]), axis=None).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: ops.expand_dims(x, None), "axis: se esperaba un entero, pero llegó None"),
        (lambda x: ops.slice(x, (1, 1), (1, 5)), r"shape\[1\]: se esperaba un entero entre -1 y 2, pero llegó 5"),
        (
            lambda x: ops.slice(x, (5, 0), (1, 1)),
            r"start_indices\[0\]: se esperaba un entero entre 0 y 2, pero llegó 5",
        ),
        (lambda x: ops.slice(x, (0, 0), (1, 1.5)), r"shape\[1\]: se esperaba un entero, pero llegó 1.5"),
        (lambda x: ops.slice(x, (0,), (1,)), "slice: se esperaban argumentos que encajen entre sí"),
        (lambda x: ops.roll(x, 2.5), "shift: se esperaban enteros, pero llegó float"),
        (lambda x: ops.pad(x, 1.5), "pad_width: se esperaban enteros, pero llegó float"),
    ],
)
def test_what_would_be_cut_or_rounded_in_silence_is_refused(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call(np.arange(6.0).reshape(2, 3))
