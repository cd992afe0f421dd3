"""El libro con la forma de Keras: cada nombre, el del capítulo que lo enseña, y con los argumentos de Keras."""

import importlib
import inspect
import os
import pkgutil
import subprocess
import sys

import numpy as np
import pytest

import chapters
import chapters.cnn
import chapters.mlp
import chapters.mlp.merging
import chapters.rnn
import dlbook.data.mnist
import dlbook.saving
import dlbook.settings
from chapters import keras
from dlbook import callbacks, registry
from dlbook.saving.config import keras_names
from tests.contract import cases

MODULES = [name for name in keras_names() if name not in ("utils", "ops", "datasets")]
EXPORTED = [
    (module, name)
    for module in MODULES
    for name in dir(importlib.import_module(f"chapters.keras.{module}".rstrip(".")))
    if not inspect.ismodule(getattr(importlib.import_module(f"chapters.keras.{module}".rstrip(".")), name))
]


def exported(module, name):
    return getattr(importlib.import_module(f"chapters.keras.{module}".rstrip(".")), name)


@pytest.mark.parametrize(("module", "name"), EXPORTED)
def test_every_name_lives_somewhere_else(module, name):
    value = exported(module, name)
    home = importlib.import_module(getattr(value, "__module__", None) or type(value).__module__)
    assert not home.__name__.startswith("chapters.keras.") or home.__name__.startswith("chapters.keras.utils")
    assert any(other is value for other in vars(home).values())


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("Sequential", chapters.mlp.Sequential),
        ("Input", chapters.mlp.Input),
        ("layers.Dense", chapters.mlp.Dense),
        ("layers.Conv2D", chapters.cnn.Conv2D),
        ("models.load_model", chapters.mlp.load_model),
        ("models.clone_model", chapters.mlp.clone_model),
        ("optimizers.Adam", chapters.mlp.Adam),
        ("optimizers.schedules.CosineDecay", chapters.mlp.CosineDecay),
        ("losses.MeanSquaredError", chapters.mlp.losses.MeanSquaredError),
        ("metrics.MeanSquaredError", chapters.mlp.metrics.MeanSquaredError),
        ("activations.relu", chapters.mlp.activations.relu),
        ("initializers.he_normal", chapters.mlp.initializers.HeNormal),
        ("regularizers.l2", chapters.mlp.L2),
        ("callbacks.EarlyStopping", callbacks.EarlyStopping),
        ("saving.load_model", chapters.mlp.load_model),
        ("layers.Input", chapters.mlp.Input),
        ("layers.add", chapters.mlp.merging.add),
        ("datasets.mnist.load_data", dlbook.data.mnist.load_data),
        ("utils.clear_session", dlbook.settings.clear_session),
        ("utils.register_keras_serializable", dlbook.saving.register),
        ("utils.to_categorical", chapters.mlp.to_categorical),
        ("utils.pad_sequences", chapters.mlp.pad_sequences),
        ("preprocessing.sequence.pad_sequences", chapters.mlp.pad_sequences),
        ("layers.TextVectorization", chapters.rnn.TextVectorization),
        ("optimizers.schedules.ExponentialDecay", chapters.mlp.ExponentialDecay),
        ("initializers.HeNormal", chapters.mlp.initializers.HeNormal),
    ],
)
def test_the_names_are_where_a_program_of_keras_looks_for_them(path, value):
    found = keras
    for name in path.split("."):
        found = getattr(found, name)
    assert found is value
    module, _, name = f"chapters.keras.{path}".rpartition(".")
    space = {}
    exec(f"from {module} import {name}", space)
    assert space[name] is value


def test_everything_that_keras_has_is_there():
    kinds = {"layer": "layers", "loss": "losses", "metric": "metrics", "optimizer": "optimizers"}
    kinds |= {"initializer": "initializers", "regularizer": "regularizers", "callback": "callbacks"}
    kinds |= {"schedule": "optimizers.schedules"}
    for case in {(c.kind, c.name): c for table in cases.TABLES.values() for c in table}.values():
        if case.kind in kinds and case.name in keras_names()[kinds[case.kind]]:
            assert exported(kinds[case.kind], case.name) is registry.find(case.kind, case.name)


HOMES = [name for _, name, _ in pkgutil.walk_packages(chapters.__path__, "chapters.") if ".keras" not in name]


@pytest.mark.parametrize("home", HOMES)
def test_a_layer_has_every_name_that_keras_gives_it(home):
    for name, value in vars(importlib.import_module(home)).items():
        if isinstance(value, type) and issubclass(value, chapters.mlp.Layer) and name in keras_names()["layers"]:
            assert getattr(keras.layers, name) is value


@pytest.mark.parametrize(
    ("code", "error", "text"),
    [
        (
            "keras.layers.MelSpectrogram",
            AttributeError,
            "el libro no tiene keras.layers.MelSpectrogram, que en Keras sí",
        ),
        ("from chapters.keras.layers import MelSpectrogram", ImportError, "el libro no tiene keras.layers.MelSpec"),
        ("from chapters.keras.layers import Dens", ImportError, "ni en Keras ni en el libro; el más parecido es Dense"),
        ("from chapters.keras.optimizers import Muon", ImportError, "el libro no tiene keras.optimizers.Muon"),
        ("from chapters.keras import applications", ImportError, "el libro no tiene keras.applications"),
        ("keras.nada", AttributeError, "keras.nada no existe, ni en Keras ni en el libro"),
        ("keras.config.set_floatx('float16')", ValueError, "aquí es siempre 'float32'"),
    ],
)
def test_what_is_missing_is_said(code, error, text):
    with pytest.raises(error, match=text):
        exec(code, {"keras": keras})
    assert not hasattr(keras.layers, "MelSpectrogram")


def test_star_imports_and_dir_show_what_there_is():
    space = {}
    exec("from chapters.keras.layers import *", space)
    assert set(dir(keras.layers)) <= set(space)
    assert {"layers", "models", "Sequential"} <= set(dir(keras))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        *[(name, {}) for name in ("add", "subtract", "multiply", "average", "maximum", "minimum")],
        ("concatenate", {"axis": 1}),
        ("dot", {"axes": 2}),
    ],
)
def test_what_joins_is_also_a_function(name, options):
    a, b = keras.Input((2, 3)), keras.Input((2, 3))
    model = keras.Model([a, b], getattr(keras.layers, name)([a, b], name="joined", **options))
    layer = model.get_layer("joined")
    assert type(layer) is getattr(chapters.mlp, name.capitalize())
    x = [np.arange(6.0).reshape(1, 2, 3), np.full((1, 2, 3), 2.0)]
    np.testing.assert_array_equal(model.predict(x), type(layer)(**options)(x))


def test_importing_it_loads_no_chapter():
    code = "import sys, chapters.keras; print([m for m in sys.modules if m in ('chapters.mlp', 'numba', 'matplotlib')])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "chapters.mlp" not in out
    assert "matplotlib" not in out


def test_the_first_name_that_is_asked_may_live_in_any_chapter():
    code = "from chapters import keras; print(keras.layers.GRU.__name__)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "GRU"


# --- Lo que se escribe en un programa de Keras ---


@pytest.mark.parametrize("first", [{"input_shape": (4,)}, {"input_dim": 4}])
def test_the_first_layer_says_the_shape(first):
    layers = keras.layers
    model = keras.Sequential([layers.Dense(3, **first), layers.Dense(2, input_shape=(9,))])
    assert model.input_shape == (4,)
    assert model.count_params() == 23
    step = keras.Sequential()
    step.add(layers.Dense(3, **first))
    assert step.built
    assert keras.models.clone_model(model).input_shape == (4,)
    image = keras.Sequential([layers.Conv2D(2, 3, input_shape=(None, None, 1)), layers.GlobalAveragePooling2D()])
    assert image.input_shape == (None, None, 1)


@pytest.mark.parametrize("bad", [{"input_shape": "x"}, {"input_shape": (0,)}, {"input_dim": -1}, {"input_dim": 2.5}])
def test_a_shape_that_is_none_is_refused(bad):
    with pytest.raises((TypeError, ValueError), match=r"^input_(shape|dim).*: se esperaba"):
        keras.layers.Dense(3, **bad)


def test_a_model_says_the_shape_of_what_comes_out():
    model = keras.Sequential([keras.layers.Dense(3)])
    assert model.output_shape is None
    model.build((None, 5, 4))
    assert model.output_shape == (5, 3)
    x = keras.Input((2,))
    assert keras.Model(x, [x, keras.layers.Dense(1)(x)]).output_shape == [(2,), (1,)]


def test_a_model_is_built_with_the_shape_of_keras_or_with_that_of_the_book():
    for shape in ((None, 4), [None, 4], (4,)):
        model = keras.Sequential([keras.layers.Dense(3), keras.Sequential([keras.layers.Dense(2)])])
        model.build(shape)
        assert model.input_shape == (4,)
        assert model.layers[1].input_shape == (3,)
    model = keras.Sequential([keras.layers.Dense(3)])
    model.build(input_shape=(None, 28, 4))
    assert model.input_shape == (28, 4)
    # Dentro de un modelo, None es lo que el libro dice que es: un tamaño que puede ser cualquiera.
    inner = keras.Sequential([keras.layers.Dense(3)])
    assert keras.Sequential([keras.Input((None, 4)), inner]).layers[0].input_shape == (None, 4)
    layer = keras.layers.Dense(3)
    layer.build((None, 4))
    assert layer.input_shape == (None, 4)


def test_the_summary_goes_where_it_is_told(capsys):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    lines = []
    model.summary(line_length=70, print_fn=lines.append)
    assert capsys.readouterr().out == ""
    assert len(lines[1]) == len(lines[2]) == 70
    with pytest.raises((TypeError, ValueError), match="line_length: se esperaba"):
        model.summary(line_length="ancho")


@pytest.mark.parametrize("name", ["normal", "truncated_normal", "uniform"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_random_numbers_are_those_of_their_seed(name, dtype):
    draw = getattr(keras.random, name)
    values = draw((50, 40), dtype=dtype, seed=3)
    assert (values == draw((50, 40), dtype=dtype, seed=3)).all()
    assert values.dtype == dtype
    expected = {"normal": (0, 1), "truncated_normal": (0, 0.88), "uniform": (0.5, 0.289)}[name]
    assert (values.mean(), values.std()) == pytest.approx(expected, abs=0.05)
    assert draw((), seed=1).shape == ()
    with pytest.raises((TypeError, ValueError), match="shape"):
        draw((-1,))


def test_random_choices_follow_their_logits():
    found = keras.random.categorical([[0.0, 1.0]], 4000, seed=0)
    assert found.mean() == pytest.approx(0.731, abs=0.02)
    assert sorted(keras.random.shuffle(range(5), seed=1).tolist()) == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match="maxval"):
        keras.random.randint((2,), 3, 3)


@pytest.fixture(scope="module")
def theirs():
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    return pytest.importorskip("keras")


@pytest.mark.parametrize("module", MODULES)
def test_what_has_two_names_in_keras_has_both_here(theirs, module):
    found = theirs
    for part in filter(None, module.split(".")):
        found = getattr(found, part)
    ours, names = importlib.import_module(f"chapters.keras.{module}".rstrip(".")), {}
    for name in keras_names()[module]:
        if callable(value := getattr(found, name, None)):
            names.setdefault(id(value), []).append(hasattr(ours, name))
    assert all(all(known) for known in names.values() if any(known))


# Su primer argumento tiene otro nombre, o se llaman solo sin nombres.
OTHERWISE = {
    "Callback",
    "Initializer",
    "Input",
    "Layer",
    "LearningRateSchedule",
    "Loss",
    "Metric",
    "Model",
    "Optimizer",
}
OTHERWISE |= {"Sequential", "get", "serialize", "deserialize", "serialize_keras_object", "deserialize_keras_object"}


@pytest.mark.parametrize(("module", "name"), EXPORTED)
def test_what_it_exports_exists_in_keras_and_starts_with_the_same_arguments(theirs, module, name):
    found = theirs
    for part in filter(None, [*module.split("."), name]):
        found = getattr(found, part)
    if module == "activations" or name in OTHERWISE:
        return
    parameters = inspect.signature(exported(module, name)).parameters.values()
    ours = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    other = [p.name for p in inspect.signature(found).parameters.values()]
    assert ours == other[: len(ours)]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: keras.random.randint((3,), 0, 2**40), "maxval: se esperaba un entero entre 1 y 2147483648"),
        (lambda: keras.random.randint((3,), -(2**40), 0), "minval: se esperaba un entero entre -2147483648 y"),
        (lambda: keras.random.randint((3,), 0, 10**30, dtype="int64"), "maxval: se esperaba un entero entre 1 y"),
        (lambda: keras.random.normal((10**13,)), "shape: harían falta"),
        (lambda: keras.utils.custom_object_scope(3).__enter__(), "custom_objects: se esperaba un diccionario"),
        (lambda: keras.utils.register_keras_serializable()(3), "register: se esperaba una clase o una función"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()
