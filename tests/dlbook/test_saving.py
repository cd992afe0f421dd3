"""Guardar y volver: nada se pierde en el camino y ningún archivo ajeno hace daño."""

import json
import os
import struct
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("safetensors")

from safetensors.numpy import save as safetensors_save

from chapters.mlp import activations, initializers, losses, metrics, optimizers, regularizers, schedules
from chapters.mlp.activation import Activation
from chapters.mlp.dense import Dense
from chapters.mlp.dropout import Dropout
from chapters.mlp.flatten import Flatten
from chapters.mlp.layer import Layer
from chapters.mlp.maxout import Maxout
from chapters.mlp.reshape import Reshape
from chapters.mlp.sequential import Input, Sequential
from dlbook.saving import files, load, objects, save, weight_names

RNG = np.random.default_rng(0)


def network(**options):
    return Sequential([Input(shape=(3,)), Dense(4, activation="tanh"), Dense(2)], seed=0, **options)


def everything():
    return Sequential(
        [
            Input(shape=(2, 6)),
            Flatten(),
            Dense(
                8,
                activation=activations.LeakyReLU(0.1),
                kernel_initializer=initializers.VarianceScaling(2.0, "fan_in", "uniform", seed=3),
                kernel_regularizer=regularizers.L2(0.01),
                bias_regularizer=regularizers.L1L2(0.1, 0.2),
            ),
            Reshape((-1, 2)),
            Sequential([Dense(3, use_bias=False), Activation("softmax"), Dropout(0.25)], name="interior"),
            Flatten(name="otra"),
            Maxout(5, pieces=3),
            Dense(1, activation="sigmoid", kernel_initializer="he_normal"),
        ],
        dtype="float64",
        seed=1,
        name="todo",
    )


# --- Ida y vuelta ---


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_weights_and_predictions_come_back_bit_by_bit(tmp_path, dtype):
    model = network(dtype=dtype)
    save(model, tmp_path / "red.safetensors")
    copy = load(tmp_path / "red.safetensors")
    x = RNG.normal(size=(7, 3))
    assert copy.theta.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(copy.theta, model.theta)
    np.testing.assert_array_equal(copy.forward(x), model.forward(x))


def test_architecture_comes_back_whole(tmp_path):
    model = everything()
    save(model, tmp_path / "a")
    copy = load(tmp_path / "a")
    assert objects.describe(copy) == objects.describe(model)
    assert weight_names(copy) == weight_names(model)
    assert copy.name == "todo"
    assert copy.input_shape == (2, 6)
    dense = copy.layers[1]
    assert repr(dense.activation) == "LeakyReLU(negative_slope=0.1)"
    assert dense.kernel_regularizer.l2 == 0.01
    assert copy.layers[3].layers[2].rate == 0.25
    x = RNG.normal(size=(5, 2, 6))
    np.testing.assert_array_equal(copy.forward(x), model.forward(x))
    assert copy.penalty() == model.penalty()


def test_weights_are_named_as_in_keras():
    names = ["dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias"]
    assert weight_names(network()) == names


def test_layers_with_the_same_name_do_not_step_on_each_other(tmp_path):
    # Los nombres completos chocan: el de una capa de adentro y el de una de afuera que lleva la diagonal puesta.
    inner = Sequential([Dense(2, name="b")], name="a")
    model = Sequential([Input(shape=(2,)), inner, Dense(2, name="a/b")], seed=0)
    assert len(set(weight_names(model))) == 4
    save(model, tmp_path / "a")
    np.testing.assert_array_equal(load(tmp_path / "a").theta, model.theta)


@pytest.mark.parametrize("name", ["training/optimizer", "format", "../../../tmp/dentro", "sí/ñ/😀", "x" * 300])
def test_any_layer_name_survives(tmp_path, name):
    model = Sequential([Input(shape=(2,)), Dense(2, name=name)], seed=0)
    model.compile("adam", "mse")
    model.fit(np.ones((4, 2)), np.ones((4, 2)), verbose=0)
    save(model, tmp_path / "a")
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
    copy = load(tmp_path / "a")
    assert copy.layers[0].name == name
    np.testing.assert_array_equal(copy.theta, model.theta)


def test_loading_does_not_draw_random_weights(tmp_path, monkeypatch):
    save(network(), tmp_path / "a")
    monkeypatch.setattr(initializers.GlorotUniform, "_fill", None)
    monkeypatch.setattr(initializers.VarianceScaling, "_fill", None)
    load(tmp_path / "a")


def test_custom_layer(tmp_path):
    class Scale(Layer):
        def __init__(self, start=1.0, **options):
            super().__init__(**options)
            self.start = start

        def build(self, input_shape):
            super().build(input_shape)
            self.scale = self.add_weight(input_shape, initializers.Constant(self.start))

        def forward(self, x, training=False):
            self.x = self.ready(x)
            self.y = self.x * self.scale
            return self.y

    model = Sequential([Input(shape=(2,)), Scale(3.0)])
    save(model, tmp_path / "a")
    with pytest.raises(ValueError, match=r"no se conoce la clase 'Scale'.*custom_objects"):
        load(tmp_path / "a")
    with pytest.raises(ValueError, match="herede de Layer"):
        load(tmp_path / "a", custom_objects={"Scale": dict})
    copy = load(tmp_path / "a", custom_objects={"Scale": Scale})
    np.testing.assert_array_equal(copy.forward([[1, 2]]), [[3, 6]])
    assert weight_names(copy) == ["scale/scale"]


def test_a_layer_that_hides_its_arguments_says_so(tmp_path):
    class Hidden(Dense):
        def __init__(self, size, **options):
            super().__init__(size, **options)

    with pytest.raises(TypeError, match="atributo que se llame como su argumento 'size'"):
        save(Sequential([Input(shape=(2,)), Hidden(2)]), tmp_path / "a")
    assert not list(tmp_path.iterdir())


def test_a_class_named_like_one_of_the_book_is_refused(tmp_path):
    # Se guardaría con el nombre de la otra, y al cargarla sería la otra.
    twice = type("Dropout", (Dropout,), {"__init__": Dropout.__init__})
    with pytest.raises(TypeError, match="Dropout es una clase tuya que se llama como otra del libro"):
        save(Sequential([Input(shape=(2,)), twice(0.5)]), tmp_path / "a")


def test_a_missing_argument_is_named():
    for description, name in (
        ({"schedule": "ExponentialDecay", "config": {}}, "initial_learning_rate"),
        ({"schedule": "PiecewiseConstantDecay", "config": {"boundaries": [1]}}, "values"),
        ({"layer": "Dense", "config": {"activation": "relu"}}, "units"),
    ):
        with pytest.raises(ValueError, match=f"le falta su argumento '{name}'"):
            objects.rebuild(description)


# --- El entrenamiento ---


def compiled():
    model = Sequential([Input(shape=(3,)), Dense(4, activation="relu"), Dropout(0.3), Dense(2)], seed=0)
    model.compile(
        optimizers.Adam(schedules.CosineDecay(0.01, 100), clipvalue=1.0),
        losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy", metrics.SparseCategoricalAccuracy()],
    )
    return model


X, Y = RNG.normal(size=(40, 3)), RNG.integers(0, 2, 40)


def test_training_resumed_from_a_file_ends_with_the_same_bits(tmp_path):
    straight = compiled()
    straight.fit(X, Y, epochs=6, verbose=0, batch_size=8)

    stopped = compiled()
    stopped.fit(X, Y, epochs=3, verbose=0, batch_size=8)
    save(stopped, tmp_path / "a")
    resumed = load(tmp_path / "a")
    assert resumed.epoch == 3
    assert resumed.optimizer.iterations == stopped.optimizer.iterations
    resumed.fit(X, Y, epochs=6, initial_epoch=3, verbose=0, batch_size=8)
    np.testing.assert_array_equal(resumed.theta, straight.theta)


def test_a_changed_learning_rate_survives(tmp_path):
    model = network()
    model.compile(optimizers.SGD(0.1, momentum=0.9), "mse")
    model.optimizer.learning_rate = 0.025
    save(model, tmp_path / "a")
    assert load(tmp_path / "a").optimizer.learning_rate == 0.025


def test_without_optimizer_on_either_side(tmp_path):
    model = compiled()
    save(model, tmp_path / "bare", include_optimizer=False)
    assert load(tmp_path / "bare").optimizer is None
    save(model, tmp_path / "full")
    assert load(tmp_path / "full", compile=False).optimizer is None
    assert (tmp_path / "bare").stat().st_size < (tmp_path / "full").stat().st_size


def test_model_methods(tmp_path):
    from chapters.mlp import load_model

    model = compiled()
    model.save(tmp_path / "a.safetensors")
    np.testing.assert_array_equal(load_model(tmp_path / "a.safetensors").theta, model.theta)


def test_a_loss_that_is_not_of_the_book_cannot_be_saved(tmp_path):
    model = network()
    model.compile("sgd", "mse")
    model.loss = lambda a, b: 0
    with pytest.raises(TypeError, match="loss: no se sabe guardar <function"):
        save(model, tmp_path / "a")
    save(model, tmp_path / "a", include_optimizer=False)


# --- Escribir ---


def test_unbuilt_model(tmp_path):
    with pytest.raises(ValueError, match="aún no está construido"):
        save(Sequential([Dense(2)]), tmp_path / "a")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_broken_weights_are_not_saved_over_good_ones(tmp_path, bad):
    model = network()
    save(model, tmp_path / "a")
    before = (tmp_path / "a").read_bytes()
    model.theta[3] = bad
    with pytest.raises(ValueError, match="'dense/kernel' tiene NaN o infinitos"):
        save(model, tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == before


def test_a_failed_write_leaves_the_old_file_and_no_debris(tmp_path, monkeypatch):
    model = network()
    save(model, tmp_path / "a")
    before = (tmp_path / "a").read_bytes()
    model.theta[:] = 0

    def broken(*_):
        raise OSError("No space left on device")

    for name in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(os, name, broken)
            with pytest.raises(OSError, match="No space"):
                save(model, tmp_path / "a")
        assert (tmp_path / "a").read_bytes() == before
        assert [p.name for p in tmp_path.iterdir()] == ["a"]


KILLED = """
import os, signal, sys
import safetensors.numpy
from chapters.mlp import Dense, Input, Sequential
model = Sequential([Input((3,)), Dense(4)])
model.save(sys.argv[1])
safetensors.numpy.save = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
model.save(sys.argv[1])
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows no tiene estas señales")
def test_dying_before_writing_leaves_nothing(tmp_path):
    # Armar el archivo en la memoria tarda; que empiece a existir después.
    result = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "a")], check=False)
    assert result.returncode < 0
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
    load(tmp_path / "a")


def test_overwrite(tmp_path):
    save(network(), tmp_path / "a")
    with pytest.raises(FileExistsError, match="ya existe"):
        save(network(), tmp_path / "a", overwrite=False)
    save(network(), tmp_path / "a")


def test_a_link_keeps_being_a_link(tmp_path):
    (tmp_path / "real").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    save(network(), tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    load(tmp_path / "real")


def test_missing_paths(tmp_path):
    with pytest.raises(FileNotFoundError, match="no existe la carpeta"):
        save(network(), tmp_path / "no" / "a")
    with pytest.raises(FileNotFoundError, match="se esperaba un archivo, pero no existe"):
        load(tmp_path / "no")
    with pytest.raises(FileNotFoundError, match="se esperaba un archivo, pero es una carpeta"):
        load(tmp_path)


@pytest.mark.parametrize("bad", [None, 3, b"red", [], ["red"], True, object()])
def test_paths_that_are_not(bad):
    for call in (lambda: save(network(), bad), lambda: load(bad)):
        with pytest.raises(TypeError, match="filepath: se esperaba la ruta de un archivo, pero llegó"):
            call()


@pytest.mark.parametrize("bad", ["", "red\0", "red\ud800"])
def test_names_that_no_file_can_have(bad):
    for call in (lambda: save(network(), bad), lambda: load(bad)):
        with pytest.raises(ValueError, match="filepath: se esperaba la ruta de un archivo, pero llegó"):
            call()


@pytest.mark.parametrize("bad", [None, 3, [], [Dense(2)], "red", {}, Dense(2), Dense])
def test_what_is_no_model_is_not_saved(tmp_path, bad):
    with pytest.raises(TypeError, match="model: se esperaba un modelo, pero llegó"):
        save(bad, tmp_path / "a")
    assert not list(tmp_path.iterdir())


def test_custom_objects_are_a_dictionary(good):
    with pytest.raises(TypeError, match="custom_objects: se esperaba un diccionario de clases, pero llegó"):
        load(good, custom_objects=[Dense])


def test_weight_names_wants_a_layer():
    with pytest.raises(TypeError, match="layer: se esperaba una capa, pero llegó"):
        weight_names([Dense(2)])


# --- Leer lo que otros escriben ---


@pytest.fixture
def good(tmp_path):
    path = tmp_path / "a.safetensors"
    save(compiled(), path)
    return path


def rejected(path, match=None):
    """Carga un archivo malo: un solo ValueError, de una línea, que empieza por el archivo."""
    with pytest.raises(ValueError, match=match) as caught:
        load(path)
    text = str(caught.value)
    assert text.startswith(str(path))
    assert "\n" not in text
    assert len(text) < 400 + len(str(path))
    return text


def header(data):
    size = struct.unpack("<Q", data[:8])[0]
    return json.loads(data[8 : 8 + size]), data[8 + size :]


def pack(head, body=b""):
    head = head if isinstance(head, bytes) else json.dumps(head).encode()
    return struct.pack("<Q", len(head)) + head + body


def with_architecture(path, change):
    """Cambia la arquitectura de un archivo bueno y lo vuelve a escribir, por lo demás intacto."""
    head, body = header(path.read_bytes())
    architecture = json.loads(head["__metadata__"]["architecture"])
    change(architecture)
    head["__metadata__"]["architecture"] = json.dumps(architecture)
    path.write_bytes(pack(head, body))


def with_tensors(path, change):
    """Cambia los arreglos de un archivo bueno."""
    tensors, metadata = files.read(path)
    change(tensors)
    path.write_bytes(safetensors_save(tensors, metadata))


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 100, -1])
def test_truncated(good, size):
    good.write_bytes(good.read_bytes()[:size])
    rejected(good, "dañado o incompleto")


def test_longer_than_it_says(good):
    good.write_bytes(good.read_bytes() + b"\0")
    rejected(good, "dañado o incompleto")


@pytest.mark.parametrize(
    "content",
    [
        b"hola",
        b"PK\x03\x04" + b"\0" * 100,
        b"\x80\x04\x95" + b"\0" * 100,
        struct.pack("<Q", 2**63) + b"{}",
        struct.pack("<Q", 5) + b"{}",
        pack(b"[" * 100_000),
        pack(b"[]"),
        pack(b"{}"),
        pack(b'{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}', b"0000"),
        pack(b'{"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]}}', b"0000"),
        pack(b'{"a": {"dtype": "F32", "shape": [1000000000000], "data_offsets": [0, 4]}}', b"0000"),
        pack(b'{"a": {"dtype": "F32", "shape": [4294967296, 4294967296], "data_offsets": [0, 4]}}', b"0000"),
        pack(b'{"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}', b"0000"),
        pack(b'{"a": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}}', b"0000"),
        pack(b'{"a": {"dtype": "F8_E4M3", "shape": [4], "data_offsets": [0, 4]}}', b"0000"),
        pack(b'{"__metadata__": {"format": "\xff"}}'),
        pack(b'{"__metadata__": {"format": 3}}'),
        pack({"__metadata__": {"format": "pt"}}),
        pack({"__metadata__": {"format": "dlbook"}}),
        pack({"__metadata__": {"format": "dlbook", "version": "99", "architecture": "{}"}}),
        pack({"__metadata__": {"format": "dlbook", "version": "1"}}),
    ],
)
def test_not_a_model(tmp_path, content):
    (tmp_path / "a").write_bytes(content)
    rejected(tmp_path / "a")


def test_the_same_tensor_twice(tmp_path):
    one = b'"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}'
    (tmp_path / "a").write_bytes(pack(b"{" + one + b", " + one + b"}", b"0000"))
    rejected(tmp_path / "a", "'a' está repetido")


def test_a_header_too_large(tmp_path):
    (tmp_path / "a").write_bytes(pack(b"{" + b" " * (files.MOST_BYTES + 10) + b"}"))
    rejected(tmp_path / "a")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "3",
        "NaN",
        "{",
        '{"model": null}',
        '{"model": {"layer": "Sequential", "config": {}}, "model": 3}',
        '{"model": ' + "[" * 50_000 + "]" * 50_000 + "}",
        '{"model": [' + "{}," * 60_000 + "{}]}",
        '{"model": ' + "9" * 10_000 + "}",
        '{"model": {"layer": "Sequential", "config": {"layers": NaN}}, "input_shape": [3]}',
        '{"model": {"loss": "MeanSquaredError", "config": {}}, "input_shape": [3]}',
        '{"model": {"layer": "Dense", "config": {"units": 2}}}',
        '{"model": {"layer": "Sequential", "config": {"layers": []}}, "input_shape": [3]}',
    ],
)
def test_architectures_that_are_not(good, text):
    head, body = header(good.read_bytes())
    head["__metadata__"]["architecture"] = text
    good.write_bytes(pack(head, body))
    rejected(good)


@pytest.mark.parametrize(
    "name", ["os.system", "system", "Popen", "eval", "", "Sequential.__init__", "x" * 500, 3, None, [1]]
)
def test_unknown_classes(good, name):
    def change(architecture):
        architecture["model"]["config"]["layers"][0]["layer"] = name

    with_architecture(good, change)
    rejected(good)


@pytest.mark.parametrize("name", ["Model", "Layer", "NetworkClassifier", "Input", "Adam", "MeanSquaredError"])
def test_classes_of_the_book_that_are_not_layers_or_do_nothing(good, name):
    def change(architecture):
        architecture["model"]["config"]["layers"][0] = {"layer": name, "config": {}}

    with_architecture(good, change)
    rejected(good)


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("units", -1),
        ("units", 2.5),
        ("units", "4"),
        ("units", None),
        ("units", [4]),
        ("units", 10**30),
        ("activation", "__import__"),
        ("activation", {"activation": "Layer", "config": {}}),
        ("activation", {"layer": "Dense", "config": {"units": 2}}),
        ("kernel_initializer", {"initializer": "Constant", "config": {"value": "x"}}),
        ("kernel_initializer", {"initializer": "Constant", "config": 3}),
        ("dtype", "float16"),
        ("dtype", "object"),
        ("name", ""),
        ("name", 7),
        ("__class__", "Dropout"),
        ("nuevo", 1),
    ],
)
def test_hostile_arguments(good, argument, value):
    def change(architecture):
        architecture["model"]["config"]["layers"][0]["config"][argument] = value

    with_architecture(good, change)
    rejected(good)


@pytest.mark.parametrize("shape", [None, [], [0], [-3], ["3"], [3.5], [10**12], [10**30], 3, "abc", {"a": 1}, [4]])
def test_hostile_input_shapes(good, shape):
    with_architecture(good, lambda a: a.update(input_shape=shape))
    rejected(good)


def test_huge_layers_are_rejected_before_asking_for_memory(good):
    # Diez mil millones de pesos serían 40 GB: hay que darse cuenta antes.
    script = """
import resource, sys
from chapters.mlp import load_model as load
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
try:
    load(sys.argv[1])
except ValueError as error:
    print(error)
"""

    def change(architecture):
        for layer in architecture["model"]["config"]["layers"]:
            if layer["layer"] == "Dense":
                layer["config"]["units"] = 100_000

    with_architecture(good, change)
    done = subprocess.run([sys.executable, "-c", script, str(good)], capture_output=True, text=True, check=True)
    assert "más pesos de los que trae el archivo" in done.stdout


@pytest.mark.parametrize("rows", [2**31 - 1, 2**27])
@pytest.mark.parametrize(
    "layers",
    [
        [{"layer": "MaxPooling2D", "config": {"pool_size": 1}}],
        [{"layer": "AveragePooling2D", "config": {"padding": "same", "strides": 1}}],
        [{"layer": "UpSampling2D", "config": {"size": 2**31 - 1, "interpolation": "bilinear"}}],
        [{"layer": "ZeroPadding2D", "config": {"padding": 2**31 - 1}}],
        [{"layer": "Flatten", "config": {}}, {"layer": "Dense", "config": {"units": 2**31 - 1}}],
        [{"layer": "Flatten", "config": {}}, {"layer": "Maxout", "config": {"units": 2**31, "pieces": 2**31}}],
        [{"layer": "BatchNormalization", "config": {"axis": 1}}],
        [{"layer": "Reshape", "config": {"target_shape": [2**31, -1]}}],
    ],
)
def test_millions_of_rows_that_nobody_has_cost_nothing(tmp_path, rows, layers):
    # Un archivo de unas cuatrocientas letras que pide 2³¹ filas se rechaza; si pide menos, quizá se carga. En ningún
    # caso pide memoria.
    import tracemalloc

    import chapters.cnn  # noqa: F401

    architecture = {"model": {"layer": "Sequential", "config": {"layers": layers}}, "input_shape": [rows, 2, 1]}
    metadata = {"format": "dlbook", "version": "1", "architecture": json.dumps(architecture)}
    (tmp_path / "a").write_bytes(pack({"__metadata__": metadata}))
    tracemalloc.start()
    try:
        load(tmp_path / "a")
    except ValueError as error:
        assert any(text in str(error) for text in ("se esperaba", "más pesos de los que trae", "harían falta"))
    else:
        assert rows == 2**27
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000


def nested(levels):
    text = '{"layer": "Sequential", "config": {"layers": [' * levels + "]}}" * levels
    metadata = {"format": "dlbook", "version": "1", "architecture": f'{{"model": {text}, "input_shape": [3]}}'}
    return pack({"__metadata__": metadata})


@pytest.mark.parametrize("levels", [40, 150, 300, 900, 20_000])
def test_networks_inside_networks_have_a_limit(tmp_path, levels):
    (tmp_path / "a").write_bytes(nested(levels))
    rejected(tmp_path / "a", "está anidado demasiado hondo: se admiten 100 niveles")


@pytest.mark.parametrize("levels", [31, 32])
def test_a_file_cannot_ask_for_more_levels_than_a_network_may_have(tmp_path, levels):
    (tmp_path / "a").write_bytes(nested(levels))
    rejected(tmp_path / "a", "está anidada demasiado hondo; se admiten 30 niveles de capas dentro de capas")


class Deep(Dense):
    """Una capa con un argumento que son listas dentro de listas."""

    def __init__(self, units, tree=(), **options):
        super().__init__(units, **options)
        self.tree = tree


@pytest.mark.parametrize("levels", [100, 900])
def test_what_could_not_be_read_is_not_written(tmp_path, levels):
    tree = []
    for _ in range(levels):
        tree = [tree]
    with pytest.raises(ValueError, match="está anidado demasiado hondo: se admiten 100 niveles"):
        save(Sequential([Input((3,)), Deep(2, tree)]), tmp_path / "a")
    assert not list(tmp_path.iterdir())


def test_a_sparse_file_larger_than_the_memory_is_a_sentence(tmp_path):
    # Mil millones de ceros que no ocupan disco: la biblioteca que los lee falla de una manera que no es Exception.
    pytest.importorskip("resource")
    head = json.dumps({"a": {"dtype": "F32", "shape": [1 << 28], "data_offsets": [0, 1 << 30]}}).encode()
    with (tmp_path / "a").open("wb") as file:
        file.write(struct.pack("<Q", len(head)) + head)
        file.truncate(8 + len(head) + (1 << 30))
    script = """
import resource, sys
import chapters.mlp
from dlbook.saving import load
with open("/proc/self/statm") as file:
    base = int(file.read().split()[0]) * resource.getpagesize()
for extra in (0.5, 1.5, 2.5):
    limit = base + int(extra * 2**30)
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
    try:
        load(sys.argv[1])
    except ValueError as error:
        print(error)
"""
    if not os.path.exists("/proc/self/statm"):
        pytest.skip("solo en Linux se sabe cuánta memoria ocupa un proceso")
    command = [sys.executable, "-c", script, str(tmp_path / "a")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [f"{tmp_path / 'a'}: no cabe en la memoria"] * 3
    assert done.stderr == ""


@pytest.mark.parametrize("name", ["ExponentialDecay", "PiecewiseConstantDecay"])
def test_missing_arguments_are_named(good, name):
    head, body = header(good.read_bytes())
    config = {"learning_rate": {"schedule": name, "config": {}}}
    head["__metadata__"]["compile"] = json.dumps({"optimizer": {"optimizer": "SGD", "config": config}})
    good.write_bytes(pack(head, body))
    rejected(good, f"{name}: le falta su argumento")


def test_missing_tensor(good):
    with_tensors(good, lambda t: t.pop("dense/bias"))
    rejected(good, "le falta el peso 'dense/bias'")


def test_missing_training_tensor(good):
    with_tensors(good, lambda t: t.pop("training/optimizer/iterations"))
    rejected(good, "le falta 'training/optimizer/iterations'")


@pytest.mark.parametrize("name", ["otro", "../../etc/passwd", "/etc/passwd", "dense/kernel_1"])
def test_extra_tensor(good, name, tmp_path):
    with_tensors(good, lambda t: t.update({name: np.zeros(2)}))
    rejected(good, "le sobra")
    assert [p.name for p in tmp_path.iterdir()] == [good.name]


@pytest.mark.parametrize("dtype", ["float64", "int32", "int64", "bool"])
def test_wrong_dtype(good, dtype):
    with_tensors(good, lambda t: t.update({"dense/kernel": t["dense/kernel"].astype(dtype)}))
    rejected(good, "se esperaba 'dense/kernel' de forma .* y tipo float32")


@pytest.mark.parametrize("shape", [(4, 3), (12,), (1, 3, 4), (3, 5)])
def test_wrong_shape(good, shape):
    with_tensors(good, lambda t: t.update({"dense/kernel": np.zeros(shape, np.float32)}))
    rejected(good, "se esperaba 'dense/kernel' de forma")


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_weights_that_are_not_numbers(good, bad):
    def change(tensors):
        tensors["dense/kernel"][1, 2] = bad

    with_tensors(good, change)
    rejected(good, "'dense/kernel' tiene NaN o infinitos")


def with_training(path, change):
    head, body = header(path.read_bytes())
    training = json.loads(head["__metadata__"]["training"])
    change(training)
    head["__metadata__"]["training"] = json.dumps(training)
    path.write_bytes(pack(head, body))


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.clear(),
        lambda t: t.update(epoch=-1),
        lambda t: t.update(epoch="x"),
        lambda t: t.update(random=[]),
        lambda t: t.update(random=[{"bit_generator": "os"}] * 4),
        lambda t: t.update(random=[{"bit_generator": "PCG64", "state": {"state": -1, "inc": 2**200}}] * 4),
        lambda t: t.update(random=[{"bit_generator": "PCG64"}] * 4),
        lambda t: t.update(random=3),
        lambda t: t.update(optimizer={"tensor": "dense/kernel"}),
        lambda t: t.update(optimizer={"tensor": ["dense/kernel"]}),
        lambda t: t.update(optimizer=[]),
        lambda t: t.update(weights=[1, 2, 3]),
        lambda t: t["optimizer"].update(iterations=-5),
        lambda t: t["optimizer"].update(iterations="muchas"),
    ],
)
def test_hostile_training_states(good, change):
    with_training(good, change)
    if json.loads(header(good.read_bytes())[0]["__metadata__"]["training"]).get("weights"):
        load(good)  # los pesos no se leen de ahí
    else:
        rejected(good)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"optimizer": "adan"}',
        '{"optimizer": {"optimizer": "SGD", "config": {"learning_rate": "x"}}}',
        '{"optimizer": {"optimizer": "SGD", "config": {"lr": 1}}}',
        '{"optimizer": {"loss": "MeanSquaredError", "config": {}}}',
        '{"loss": 3}',
        '{"metrics": 3}',
    ],
)
def test_hostile_compile(good, text):
    head, body = header(good.read_bytes())
    head["__metadata__"]["compile"] = text
    good.write_bytes(pack(head, body))
    rejected(good)


def test_a_training_state_without_optimizer_is_extra(good):
    head, body = header(good.read_bytes())
    del head["__metadata__"]["compile"]
    good.write_bytes(pack(head, body))
    rejected(good, "le sobra")


@given(st.integers(0, 10_000), st.integers(0, 255), st.integers(1, 40))
def test_flipped_bytes_never_do_anything_but_fail_or_load(tmp_path_factory, where, value, count):
    path = tmp_path_factory.mktemp("a") / "a"
    save(compiled(), path)
    data = bytearray(path.read_bytes())
    where %= len(data)
    data[where : where + count] = bytes([value]) * len(data[where : where + count])
    path.write_bytes(bytes(data))
    try:
        model = load(path)
    except ValueError:
        return
    assert np.isfinite(model.theta).all()


def test_no_pickle_and_no_chapter_at_import():
    script = """
import sys
import dlbook.saving
assert not [name for name in sys.modules if name.startswith("chapters")]
"""
    subprocess.run([sys.executable, "-c", script], check=True)
    for module in (files, objects):
        assert "pickle" not in vars(module)


def test_whether_to_compile_is_a_yes_or_a_no(tmp_path):
    save(network(), tmp_path / "a")
    with pytest.raises(ValueError, match="compile: se esperaba True o False, pero llegó 'sí'"):
        load(tmp_path / "a", compile="sí")


@pytest.mark.parametrize("name", ["red.zip", "red.pkl", "red.tar.gz", "red.weights"])
def test_a_name_of_another_format_is_refused(tmp_path, name):
    for write in (network().save, network().save_weights):
        with pytest.raises(ValueError, match=r"filepath: se esperaba que terminara en \.safetensors, .*pero llegó '\."):
            write(tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["red", "red-0.53", "red.SAFETENSORS"])
def test_a_name_of_no_other_format_is_safetensors(tmp_path, name):
    network().save(tmp_path / name)
    assert load(tmp_path / name).built
