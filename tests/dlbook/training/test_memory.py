"""Los datos no se copian enteros: ni al comprobarlos ni al convertirlos."""

import subprocess
import sys

import numpy as np
import pytest

from chapters.mlp.dense import Dense
from chapters.mlp.sequential import Input, Sequential
from dlbook import check
from dlbook.training.data import prepare, prepared_inputs

CODE = """
import resource, sys
import numpy as np
from chapters.mlp import Dense, Sequential, Input
from dlbook.numeric import parallel

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10

call, dtype = sys.argv[1:]
model = Sequential([Input((784,)), Dense(10, "softmax")], seed=0)
model.compile("sgd", "sparse_categorical_crossentropy")
few = np.zeros((600, 784), dtype), np.zeros(600, np.int64)
calls = {
    "fit": lambda x, y: model.fit(x, y, batch_size=64, verbose=0),
    "evaluate": model.evaluate,
    "predict": lambda x, y: model.predict(x),
}
calls[call](*few)
# 100,000 imágenes: 78 MB de bytes, 314 MB de float32.
x = np.full((100_000, 784), 3, dtype)
y = np.zeros(100_000, np.int64)
before = peak()
calls[call](x, y)
print(peak() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="cuenta como Linux")
@pytest.mark.parametrize("call", ["fit", "evaluate", "predict"])
@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_large_data_are_not_copied(call, dtype):
    command = [sys.executable, "-W", "ignore", "-c", CODE, call, dtype]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    # Lo que se predice son 4 MB, y las etiquetas, 1.
    assert float(result.stdout) < 25, result.stderr


DTYPES = ["bool", "uint8", "int8", "int16", "int64", "uint64", "float16", "float32", "float64", ">f4", ">i2", ">f8"]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shuffle", [False, True])
def test_every_type_gives_what_its_numbers_give(dtype, shuffle):
    x = np.random.default_rng(0).integers(0, 2 if dtype == "bool" else 100, (50, 4)).astype(dtype)
    thetas, outputs = [], []
    for data in (x, x.astype(np.float32), x.tolist(), np.asfortranarray(x), np.repeat(x, 2, axis=0)[::2]):
        model = Sequential([Input((4,)), Dense(3)], seed=0)
        model.compile("sgd", "mse")
        model.fit(data, np.zeros((50, 3)), shuffle=shuffle, verbose=0)
        thetas.append(model.theta.copy())
        outputs.append((model.predict(data), model.evaluate(data, np.zeros((50, 3)))))
    for theta, (prediction, loss) in zip(thetas[1:], outputs[1:], strict=True):
        assert np.array_equal(theta, thetas[0])
        assert np.array_equal(prediction, outputs[0][0])
        assert loss == outputs[0][1]


def test_data_that_are_ready_stay_where_they_are():
    model = Sequential([Input((4,)), Dense(3)], seed=0)
    model.compile("sgd", "mse")
    for dtype in ("uint8", "float32", "float64"):
        x = np.ones((9, 4), dtype)
        assert np.shares_memory(prepared_inputs(model, x, "x").xs[0], x)
    x = np.ones((9, 4), np.float32)
    square = Sequential([Input((4,)), Dense(4)], seed=0)
    square.compile("sgd", "mse")
    data = prepare(square, x, x)
    assert data.same == [0]
    assert np.shares_memory(data.xs[0], x)
    assert prepare(square, x.astype("uint8"), x).xs[0].dtype == np.uint8
    images = x.astype("uint8")
    assert prepare(square, images, images).same == [0]


@pytest.mark.parametrize("size", [1, 7, check.CHUNK, check.CHUNK + 1, 3 * check.CHUNK])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300])
def test_a_bad_number_is_found_wherever_it_is(size, bad):
    model = Sequential([Input((3,)), Dense(2)], seed=0)
    for k in {0, size // 2, size - 1}:
        x = np.zeros((size, 3))
        x[k, 1] = bad
        with pytest.raises(ValueError, match=rf"x: .*en la posición \({k}, 1\)"):
            model.predict(x)
