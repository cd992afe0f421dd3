"""El producto de matrices pequeñas da lo mismo que NumPy con cualquier forma, y no escribe fuera de su lugar."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import config, njit, types

from dlbook.numeric.matmul import matmul, matmul_transposed
from dlbook.numeric.matmul_at import add_matmul_at, matmul_at
from dlbook.numeric.vectors import BYTES

sizes = st.integers(1, 70)
dtypes = st.sampled_from([np.float32, np.float64])


def operands(n, p, m, dtype, seed=0):
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(n, p)).astype(dtype), rng.normal(size=(p, m)).astype(dtype)
    # Una fila de guardia antes y otra después.
    guarded = np.full((n + 2, m), 7, dtype)
    return a, b, guarded


def agree(out, expected):
    tolerance = 1e-4 if out.dtype == np.float32 else 1e-12
    return np.allclose(out, expected, rtol=tolerance, atol=tolerance)


@given(sizes, sizes, sizes, dtypes)
def test_both_products_agree_with_numpy_and_stay_inside(n, p, m, dtype):
    a, b, guarded = operands(n, p, m, dtype)
    out = guarded[1:-1]
    for product, right in ((matmul, b), (matmul_transposed, np.ascontiguousarray(b.T))):
        out[:] = np.nan
        product(a, right, out)
        assert agree(out, a @ b)
        assert (guarded[[0, -1]] == 7).all()


@given(sizes, sizes, sizes, dtypes)
def test_the_left_operand_may_be_a_transpose_and_gives_the_same_bits(n, p, m, dtype):
    a, b, guarded = operands(n, p, m, dtype)
    out = guarded[1:-1]
    matmul(a, b, out)
    again = np.empty_like(out)
    matmul(np.ascontiguousarray(a.T).T, b, again)
    assert np.array_equal(out, again)


@given(sizes, st.integers(2, 40), sizes, dtypes)
def test_a_row_does_not_depend_on_the_others(n, p, m, dtype):
    # De esto depende que predecir de uno en uno y de mil en mil dé los mismos bits.
    a, b, guarded = operands(n, p, m, dtype)
    out = guarded[1:-1]
    matmul(a, b, out)
    one = np.empty((1, m), dtype)
    matmul(a[-1:], b, one)
    assert np.array_equal(one[0], out[-1])


@pytest.mark.parametrize("product", [matmul, matmul_transposed])
def test_large_matrices(product):
    a, b, guarded = operands(300, 513, 257, np.float64)
    product(a, b if product is matmul else np.ascontiguousarray(b.T), guarded[1:-1])
    assert agree(guarded[1:-1], a @ b)


def test_nan_and_infinity_pass_through():
    a, b, guarded = operands(9, 20, 33, np.float32)
    a[4, 3] = np.nan
    matmul(a, b, guarded[1:-1])
    assert np.isnan(guarded[5]).all()
    assert np.isfinite(np.delete(guarded, 5, axis=0)).all()


REAL = types.float32
MATRIX, VECTOR, WHERE = types.Array(REAL, 2, "C"), types.Array(REAL, 1, "C"), types.Array(types.intp, 1, "C")


@pytest.mark.skipif(config.DISABLE_JIT or BYTES < 64, reason="lee el ensamblador de un procesador con AVX-512")
@pytest.mark.parametrize(
    ("product", "arguments"),
    [
        (matmul, [MATRIX] * 3),
        (matmul_transposed, [MATRIX] * 3),
        (matmul_at, [VECTOR, WHERE, WHERE, VECTOR, types.intp, VECTOR, REAL, VECTOR, WHERE, types.intp]),
        (add_matmul_at, [VECTOR, WHERE, WHERE, VECTOR, types.intp, VECTOR, WHERE, types.intp]),
    ],
)
def test_the_sums_of_a_tile_do_not_leave_the_registers(product, arguments):
    # Lo que se lee de la caché no trae sus instrucciones: se compila otra vez.
    again = njit(product.py_func)
    again.compile(tuple(arguments))
    (text,) = again.inspect_asm().values()
    loops = []
    for block in re.split(r"\n(?=\.LBB)", text):
        label = block.split(":")[0]
        # Un ciclo es un bloque que salta a su propio principio.
        inside, *more = re.split(rf"\n\tj\w+\t{re.escape(label)}\n", f"{block}\n")
        if more and inside.count("fmadd") >= 6:
            loops.append(inside)
    assert loops
    for loop in loops:
        assert not re.search(r"%[xyz]mm\d+, -?\d*\(%rsp\)", loop), loop
