"""Datos como los traen los demás: tablas de pandas, archivos que no caben en la memoria, bytes."""

import functools
import tracemalloc

import numpy as np
import pytest

from chapters.mlp import Dense, Flatten, Input, Rescaling, Reshape, Sequential
from dlbook import check
from dlbook.training.data import prepare


class Column:
    """Lo que hace falta de una columna de pandas; con huecos, llega como objetos."""

    def __init__(self, values, dtype, name=None):
        self.values, self.dtype, self.name = values, dtype, name

    def isna(self):
        return np.array([v is None for v in self.values])

    def to_numpy(self, dtype=object):
        return np.array(self.values, dtype)

    def __array__(self, dtype=None, copy=None):
        return self.to_numpy(self.dtype if isinstance(self.dtype, np.dtype) else object)


class Table:
    """Lo que hace falta de una tabla."""

    def __init__(self, **columns):
        self.columns = columns

    def items(self):
        return self.columns.items()

    def isna(self):
        return None

    def to_numpy(self):
        return None

    def __array__(self, dtype=None, copy=None):
        return np.column_stack([np.asarray(c) for c in self.columns.values()])


class Nullable:
    """Un tipo de pandas que admite huecos."""

    def __init__(self, kind, numpy_dtype=None):
        self.kind, self.numpy_dtype = kind, numpy_dtype


def nullable(name):
    return Nullable(np.dtype(name).kind, np.dtype(name))


AGES = Column([20, 30, 40], nullable("int64"))
HEIGHTS = Column([1.5, 1.6, 1.7], np.dtype("float64"))
SMOKES = Column([True, False, True], nullable("bool"))
EXPECTED = [[20, 1.5, 1], [30, 1.6, 0], [40, 1.7, 1]]


def test_columns_of_several_types_become_one_array():
    x = check.floats(Table(edad=AGES, altura=HEIGHTS, fuma=SMOKES), "x", "n 3")
    assert x.tolist() == EXPECTED
    assert check.numbers_of(Table(a=HEIGHTS, b=HEIGHTS), "x").dtype == np.float64
    assert check.numbers_of(AGES, "y").dtype == np.int64
    assert check.labels(SMOKES, "y", 2).tolist() == [1, 0, 1]


class Sparse:
    """Un tipo de pandas que solo guarda lo que no es cero."""

    kind, subtype = "f", np.dtype("float64")


def test_a_column_that_only_keeps_what_is_not_zero_is_filled():
    column = Column([0.0, 2.0, 0.0], Sparse())
    assert check.numbers_of(column, "x").tolist() == [0, 2, 0]
    assert check.numbers_of(Table(a=column, b=column), "x").dtype == np.float64


TEXT = Column(["a", "b", "c"], np.dtype(object), "barrio")
CATEGORY = Column([1, 2, 1], Nullable("O"))
MISSING = "x, columna 'edad': se esperaba un número por fila, pero faltan 1"
HOLE = Column([1, None, 3], nullable("int64"), "edad")


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (Table(edad=AGES, barrio=TEXT), TypeError, "x, columna 'barrio': se esperaban números, pero es de tipo object"),
        (TEXT, TypeError, "x, columna 'barrio': se esperaban números"),
        (Table(tipo=CATEGORY), TypeError, "x, columna 'tipo': se esperaban números"),
        (
            Table(altura=HEIGHTS, edad=HOLE),
            ValueError,
            "x, columna 'edad': se esperaba un número por fila, pero faltan 1",
        ),
        (HOLE, ValueError, MISSING),
    ],
)
def test_a_column_that_is_not_of_numbers_is_named(value, error, message):
    with pytest.raises(error, match=message):
        check.numbers_of(value, "x")


def test_the_tables_of_pandas():
    pandas = pytest.importorskip("pandas", reason="pandas no está instalado")
    table = pandas.DataFrame({"edad": [20, 30, 40], "altura": [1.5, 1.6, 1.7], "fuma": [True, False, True]})
    mixed = table.astype({"edad": "Int64", "fuma": "boolean", "altura": "Float64"})
    sparse = table.astype(pandas.SparseDtype("float", 0))
    for frame in (table, mixed, table.astype(float), table.convert_dtypes(), sparse):
        assert check.floats(frame, "x").tolist() == EXPECTED
        assert check.floats(frame["edad"], "y").tolist() == [20, 30, 40]
    model = Sequential([Dense(1, "sigmoid")], seed=0)
    model.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
    model.fit(mixed, mixed["fuma"], verbose=0, validation_split=0.34)
    assert model.predict(mixed).shape == (3, 1)
    np.testing.assert_array_equal(model.predict(mixed), model.predict(np.float32(EXPECTED)))
    mixed.loc[1, "edad"] = pandas.NA
    with pytest.raises(ValueError, match="columna 'edad': se esperaba un número por fila, pero faltan 1"):
        model.predict(mixed)
    for text in (["a", "b", "c"], pandas.Categorical([1, 2, 1]), pandas.to_datetime(["2020", "2021", "2022"])):
        with pytest.raises(TypeError, match="columna 'otra': se esperaban números"):
            model.predict(table.assign(otra=text))


# --- La memoria ---


def peak(call):
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.fixture
def file(tmp_path):
    """Ocho mil imágenes en un archivo: 6 MB."""
    path = tmp_path / "x.npy"
    written = np.lib.format.open_memmap(path, "w+", np.uint8, (8000, 28, 28))
    written[:] = np.random.default_rng(0).integers(0, 256, (8000, 28, 28))
    written.flush()
    return np.load(path, mmap_mode="r")


def classifier():
    model = Sequential([Input((28, 28)), Rescaling(1 / 255), Flatten(), Dense(2)], seed=0)
    model.compile("sgd", "mse")
    return model


def test_what_is_in_a_file_stays_there(file, monkeypatch):
    # La memoria que va a durar se pide por bloques, y cualquiera sería mayor que lo que aquí se mira.
    monkeypatch.setattr(check, "BLOCK", 1 << 16)
    monkeypatch.setattr(check, "PAGE", check.LINE)
    y = np.zeros((8000, 2), np.float32)
    calls = (
        lambda model: model.fit(file, y, verbose=0),
        lambda model: model.predict(file),
        lambda model: model.evaluate(file, y),
    )
    assert np.shares_memory(check.numbers_of(file, "x"), file)
    # El primero compila, que también ocupa memoria.
    for model in (classifier(), classifier()):
        peaks = [peak(functools.partial(call, model)) for call in calls]
    assert max(peaks) < file.nbytes / 2
    other = classifier()
    other.fit(file[:64], y[:64], verbose=0)
    other.fit(np.array(file), y, verbose=0)
    model = classifier()
    model.fit(file[:64], y[:64], verbose=0)
    model.fit(file, y, verbose=0)
    np.testing.assert_array_equal(model.theta, other.theta)


@pytest.mark.parametrize("loss", ["mse", "mae", "binary_crossentropy"])
def test_what_must_come_out_is_converted_once(loss):
    x = np.random.default_rng(0).integers(0, 2, (8000, 28, 28), np.uint8)
    model = Sequential([Input((28, 28)), Flatten(), Dense(784, "sigmoid"), Reshape((28, 28))], seed=0)
    model.compile("sgd", loss)
    prepare(model, x[:10], x[:10].copy())
    # En float32, cuatro veces lo que ocupan los bytes, y nada más.
    assert peak(lambda: prepare(model, x, x.copy())) < 5.3 * x.nbytes


def test_labels_of_bytes_are_checked_without_another_copy():
    y = np.random.default_rng(0).integers(0, 3, (100, 100, 100), np.uint8)
    assert peak(lambda: check.labels(y, "y", 3, "...")) < 11.5 * y.nbytes
