"""El producto con las filas donde sea, el banco de medidas y los resultados guardados."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import protocol
from dlbook.numeric.matmul_at import SLACK, add_matmul_at, matmul_at, padded_line

ROOT = Path(__file__).resolve().parents[3]

sizes = st.fixed_dictionaries(
    {
        "rows": st.one_of(st.integers(1, 20), st.sampled_from([240, 241, 500])),
        "depth": st.integers(1, 20),
        "width": st.integers(1, 40),
        "gap": st.integers(0, 5),
        "dtype": st.sampled_from(["float32", "float64"]),
    }
)


def drawn(sizes, seed):
    rng = np.random.default_rng(seed)
    n, depth, m, line = sizes["rows"], sizes["depth"], sizes["width"], sizes["width"] + sizes["gap"]
    a = rng.normal(size=300).astype(sizes["dtype"])
    rows, columns = rng.integers(0, 200, n), rng.integers(0, 100, depth)
    # Lo que sobra se lee, y no debe notarse: basura.
    b = np.full(depth * line + SLACK, 1e3, sizes["dtype"])
    weights = rng.normal(size=(depth, m))
    for k in range(depth):
        b[k * line : k * line + m] = weights[k]
    product = a[rows[:, np.newaxis] + columns] @ weights.astype(sizes["dtype"])
    return rng, a, rows, columns, b, line, product


@given(sizes, st.integers(0, 2**32 - 1), st.sampled_from([-np.inf, 0.0]))
def test_the_product_reads_and_writes_where_it_is_told(sizes, seed, floor):
    rng, a, rows, columns, b, line, product = drawn(sizes, seed)
    n, m = product.shape
    start = rng.normal(size=m + 2 * SLACK).astype(a.dtype)
    out = np.full(n * m + 2 * SLACK, 7, a.dtype)
    matmul_at(a, rows, columns, b, line, start, a.dtype.type(floor), out, np.arange(n) * m, m)
    expected = np.maximum(product + start[:m], floor)
    np.testing.assert_allclose(out[: n * m].reshape(n, m), expected, rtol=1e-3, atol=1e-4)
    # Fuera de las filas se escribe, a lo más, lo que falta para llenar un vector.
    assert (out[n * m + SLACK :] == 7).all()


@given(sizes, st.integers(0, 2**32 - 1))
def test_rows_that_overlap_add_up(sizes, seed):
    sizes["gap"] = padded_line(sizes["width"], np.dtype(sizes["dtype"]).itemsize) - sizes["width"]
    rng, a, rows, columns, b, line, product = drawn(sizes, seed)
    b[:-SLACK].reshape(-1, line)[:, sizes["width"] :] = 0
    n, m = product.shape
    places = rng.integers(0, 60, n)
    out = np.zeros(60 + line + SLACK, a.dtype)
    add_matmul_at(a, rows, columns, b, line, out, places, m)
    expected = np.zeros(out.size)
    for place, row in zip(places, product, strict=True):
        expected[place : place + m] += row
    np.testing.assert_allclose(out, expected, rtol=1e-3, atol=2e-3)


def test_lines_of_a_packed_matrix_do_not_share_a_place_in_the_cache():
    for itemsize in (4, 8):
        for width in range(1, 300):
            line = padded_line(width, itemsize)
            assert line >= width
            assert line * itemsize <= 64 or line * itemsize // 64 % 2 == 1


def test_every_network_of_the_benchmarks_can_be_described_and_fed():
    assert protocol.sizes("mlp") == [784, 128, 10]
    assert protocol.sizes("autoencoder") == [784, 128, 32, 128, 784]
    assert protocol.sizes("lenet") == [784, 6, 16, 120, 84, 10]
    for model, description in protocol.MODELS.items():
        x, y = protocol.data(model)
        assert x.shape == (description["rows"], *description["input"])
        assert len(y) == description["rows"]


def test_this_book_answers_a_question_of_the_benchmark():
    question = json.dumps({"model": "lenet", "task": "fit", "batch": 1024, "seconds": 0})
    answer = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "peers_dlbook.py"],
        input=question + "\n",
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    versions, elapsed = map(json.loads, answer.stdout.splitlines())
    assert set(versions) == {"numba", "numpy"}
    assert elapsed["seconds"] > 0


def stored():
    return json.loads((ROOT / "docs" / "resultados" / "cnn_velocidad.json").read_text(encoding="utf-8"))


def test_the_stored_results_say_how_they_were_made():
    results = stored()
    assert results["command"] == "python -m benchmarks.cnn"
    assert {"date", "seed", "versions", "machine", "threads", "first_step_seconds"} <= set(results)
    assert {s["model"] for s in results["steps"]} == {"lenet", "cnn"}


@pytest.mark.parametrize(("model", "at_least"), [("lenet", 1.5), ("cnn", 1.0)])
def test_the_stored_results_meet_the_goal(model, at_least):
    for step in stored()["steps"]:
        if step["model"] == model and "times_faster" in step:
            assert step["times_faster"] >= at_least, step
