"""Los archivos de Keras, leídos y escritos sin Keras; y con él, donde está instalado."""

import builtins
import inspect
import io
import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from chapters.mlp import Activation, Dense, Dropout, Flatten, Layer, Maxout, Model, Reshape, activations, optimizers
from chapters.mlp.sequential import Input, Sequential
from dlbook.saving import deserialize, hdf5, keras_files, load, save, serialize, weight_names
from tests.contract import cases

h5py = pytest.importorskip("h5py")
FOLDER = Path(__file__).parents[1] / "reference" / "keras_files"
STORED = json.loads((FOLDER / "red.json").read_text(encoding="utf-8"))
X, Y = np.array(STORED["x"], "float32"), np.array(STORED["y"])
RNG = np.random.default_rng(0)


def network(**options):
    layers = [Dense(4, activation="tanh"), Sequential([Dense(3), Dense(2)], name="dentro"), Dense(2)]
    return Sequential([Input(shape=(3,)), *layers], seed=0, **options)


def plain(value):
    """La configuración, como queda en un JSON: sin distinguir listas de tuplas."""
    return json.loads(json.dumps(value.get_config()))


def trained(optimizer="adam"):
    model = network()
    model.compile(optimizer, "mse", metrics=["mae"])
    model.fit(RNG.normal(size=(16, 3)), RNG.normal(size=(16, 2)), epochs=2, batch_size=8, verbose=0)
    return model


# --- Lo que escribió Keras ---


@pytest.mark.parametrize("end", ["keras", "h5"])
def test_a_file_of_keras_gives_the_same_network(end):
    model = load(FOLDER / f"red.{end}")
    np.testing.assert_allclose(model.predict(X), STORED["predicted"], rtol=0, atol=1e-6)
    assert [layer.name for layer in model.layers][1] == "batch_normalization"
    assert repr(model.layers[0].kernel_regularizer) == "L2(l2=0.01)"
    assert model.asked_metrics == ["accuracy"]
    assert type(model.loss).__name__ == "SparseCategoricalCrossentropy"
    assert model.optimizer.iterations == 4
    assert model.optimizer.schedule.decay_rate == 0.9


@pytest.mark.parametrize("end", ["keras", "h5"])
def test_training_goes_on_where_keras_left_it(end):
    model = load(FOLDER / f"red.{end}")
    for layer in model.layers:
        if isinstance(layer, Dropout):
            layer.rate = 0.0
    theirs = load(FOLDER / f"red.{end}", compile=False)
    assert theirs.optimizer is None
    # El primer paso depende de lo que Adam recuerda de los cuatro anteriores.
    before = {name: value.copy() for name, value in model.optimizer.state.items()}
    assert all(np.abs(value).max() > 0 for value in before.values())
    assert before["momentum"].shape == model.theta.shape
    model.fit(X, Y, batch_size=8, verbose=0)
    assert model.optimizer.iterations == 5


@pytest.mark.parametrize("end", ["keras", "h5"])
def test_what_a_file_is_does_not_depend_on_its_name(tmp_path, end):
    path = tmp_path / "red.safetensors"
    path.write_bytes((FOLDER / f"red.{end}").read_bytes())
    assert np.array_equal(load(path).theta, load(FOLDER / f"red.{end}").theta)


@pytest.mark.parametrize("end", ["keras", "h5"])
def test_weights_alone_are_read_from_a_whole_model(end):
    model = load(FOLDER / "red.keras", compile=False)
    expected = model.get_weights()
    model.set_weights([np.zeros_like(w) for w in expected])
    model.load_weights(FOLDER / f"red.{end}")
    assert all(map(np.array_equal, model.get_weights(), expected))


# --- Ida y vuelta ---


@pytest.mark.parametrize("name", ["red.keras", "red.h5", "RED.HDF5"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_model_comes_back_bit_by_bit(tmp_path, name, dtype):
    model = network(dtype=dtype)
    model.layers[2].trainable = False
    model.save(tmp_path / name)
    assert keras_files.kind((tmp_path / name).read_bytes()[:8]) == keras_files.suffix(name)
    copy = load(tmp_path / name)
    assert weight_names(copy) == weight_names(model)
    assert copy.theta.dtype == dtype
    assert all(map(np.array_equal, copy.get_weights(), model.get_weights()))
    assert plain(copy) == plain(model)
    assert copy.optimizer is None


@pytest.mark.parametrize("name", ["red.keras", "red.h5"])
@pytest.mark.parametrize("optimizer", [c.__name__ for c in optimizers.CLASSES])
def test_training_goes_on_as_if_nothing(tmp_path, name, optimizer):
    model = trained(optimizer)
    model.save(tmp_path / name)
    copy = load(tmp_path / name)
    assert copy.optimizer.iterations == model.optimizer.iterations
    assert plain(copy.optimizer) == plain(model.optimizer)
    x, y = RNG.normal(size=(8, 3)), RNG.normal(size=(8, 2))
    for one in (model, copy):
        one.fit(x, y, shuffle=False, verbose=0)
    assert np.array_equal(copy.theta, model.theta)
    model.save(tmp_path / name, include_optimizer=False)
    assert load(tmp_path / name).optimizer is None


LAYERS = {c.name: c for c in cases.TABLES["layer"] if c.name not in ("Input", "Sequential")}


def around(case):
    """Una red con la capa; si recibe varias entradas, con ramas."""
    if case.parts == 1:
        return Sequential([Input(case.shape), case.make()])
    x = Input(case.shape)
    return Model(x, case.make()([x, *(Dense(case.shape[-1])(x) for _ in range(case.parts - 1))]))


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("end", ["keras", "h5"])
def test_every_layer_crosses_a_file(tmp_path, name, end):
    case = LAYERS[name]
    model = around(case)
    model.set_weights([RNG.uniform(0.5, 1.5, w.shape) for w in model.get_weights()])
    model.save(tmp_path / f"red.{end}")
    copy = load(tmp_path / f"red.{end}")
    assert all(map(np.array_equal, copy.get_weights(), model.get_weights()))
    assert plain(copy) == plain(model)


@pytest.mark.parametrize("name", ["pesos.safetensors", "pesos", "pesos.weights.h5"])
def test_weights_alone_come_back(tmp_path, name):
    model, other = network(), network()
    other.set_weights([w + 1 for w in other.get_weights()])
    model.save_weights(tmp_path / name)
    other.load_weights(tmp_path / name)
    assert np.array_equal(other.theta, model.theta)
    with pytest.raises(FileExistsError, match="ya existe"):
        model.save_weights(tmp_path / name, overwrite=False)


@pytest.mark.parametrize("name", ["pesos.safetensors", "pesos.weights.h5"])
def test_weights_that_do_not_fit_change_nothing_or_are_skipped(tmp_path, name):
    model = network()
    model.save_weights(tmp_path / name)
    other = Sequential([Input((3,)), Dense(4), Sequential([Dense(5), Dense(2)], name="dentro"), Dense(2)], seed=1)
    before = other.get_weights()
    with pytest.raises(ValueError, match=r"dense.*\(4, 5\)|\(4, 5\).*dense"):
        other.load_weights(tmp_path / name)
    assert all(map(np.array_equal, other.get_weights(), before))
    other.load_weights(tmp_path / name, skip_mismatch=True)
    assert np.array_equal(other.layers[0].kernel, model.layers[0].kernel)
    assert np.array_equal(other.layers[2].kernel, model.layers[2].kernel)
    assert np.array_equal(other.layers[1].layers[0].kernel, before[2])


class Own(Layer):
    """Una capa de quien lee, que escribe su get_config como en Keras."""

    def __init__(self, times, **options):
        super().__init__(**options)
        self.times = times

    def forward(self, x, training=False):
        self.y = self.ready(x) * self.times
        return self.y

    def backward(self, dy):
        return self.output_gradient(dy) * self.times

    def get_config(self):
        config = super().get_config()
        config.update({"times": self.times})
        return config


@pytest.mark.parametrize("name", ["red.keras", "red.h5", "red.safetensors"])
def test_a_layer_of_ones_own_has_to_be_given(tmp_path, name):
    model = Sequential([Input((2,)), Own(3.0, name="mia"), Dense(1)])
    assert set(model.layers[0].get_config()) >= {"name", "trainable", "dtype", "times"}
    model.save(tmp_path / name)
    with pytest.raises(ValueError, match="Own"):
        load(tmp_path / name)
    copy = load(tmp_path / name, {"Own": Own})
    assert copy.layers[0].times == 3.0
    assert np.array_equal(copy.predict([[1, 2]]), model.predict([[1, 2]]))


class OwnDense(Dense):
    """Hereda de una del libro, y escribe lo suyo como en Keras; sus partes van escritas como las escribe Keras."""

    def __init__(self, units, note="", **options):
        super().__init__(units, **options)
        self.note = note

    def get_config(self):
        return {**super().get_config(), "note": self.note}

    @classmethod
    def from_config(cls, config):
        config["kernel_regularizer"] = deserialize(config["kernel_regularizer"])
        return cls(**config)


@pytest.mark.parametrize("name", ["red.keras", "red.h5", "red.safetensors"])
def test_a_class_that_reads_and_writes_its_config_does_it_itself(tmp_path, name):
    model = Sequential([Input((2,)), OwnDense(3, "hola", kernel_regularizer="l2", use_bias=False)])
    model.save(tmp_path / name)
    layer = load(tmp_path / name, {"OwnDense": OwnDense}).layers[0]
    assert (type(layer), layer.note, layer.kernel_regularizer.l2) == (OwnDense, "hola", 0.01)
    assert np.array_equal(layer.kernel, model.layers[0].kernel)


def test_clones_have_new_weights_and_json_has_none():
    from chapters.mlp import clone_model, model_from_json

    model = network()
    for other in (clone_model(model), model_from_json(model.to_json()), Sequential.from_config(model.get_config())):
        assert plain(other) == plain(model)
        assert other.input_shape == (3,)
        assert not np.array_equal(other.theta, model.theta)
    assert not clone_model(Sequential([Dense(3)])).built


@cases.over(list({(c.kind, c.name): c for t in cases.TABLES.values() for c in t if c.kind != "callback"}.values()))
def test_everything_is_created_again_from_its_config(case):
    one = case.make()
    if case.kind == "layer":
        one.build(case.received)
    assert plain(type(one).from_config(plain(one))) == plain(one)


# --- Un archivo que viene de fuera ---


def rewritten(path, **pieces):
    with zipfile.ZipFile(FOLDER / "red.keras") as archive:
        found = {name: archive.read(name) for name in archive.namelist()} | pieces
    with zipfile.ZipFile(path, "w") as archive:
        for name, piece in found.items():
            if piece is not None:
                archive.writestr(name, piece)
    return path


def config_with(old, new):
    with zipfile.ZipFile(FOLDER / "red.keras") as archive:
        text = archive.read("config.json").decode()
    assert old in text
    return {"config.json": text.replace(old, new)}


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        (
            config_with('"class_name": "Conv2D"', '"class_name": "GRUCell"'),
            "conv2d: el libro no tiene la clase GRUCell",
        ),
        (config_with('"class_name": "Conv2D"', '"class_name": "os.system"'), "no es el nombre de una clase"),
        (config_with('"class_name": "Conv2D"', '"class_name": "__lambda__"'), "el libro no tiene la clase"),
        (config_with('"filters": 2', '"filters": 2000000000'), "más pesos de los que trae el archivo|memoria"),
        (config_with('"units": 2', '"units": 4'), r"se esperaba .*\(3, 4\), pero es de forma \(3, 2\)"),
        (config_with("[null, 5, 5, 1]", "[null, 500000, 500000, 1]"), "a lo sumo"),
        (config_with('"activation": "softmax"', '"activation": "selur"'), "activation"),
        ({"config.json": "{"}, "no es JSON"),
        ({"config.json": "[" * 100_000}, "hondo"),
        ({"config.json": "[]"}, "no dice qué red es"),
        ({"config.json": None}, "se esperaba una pieza 'config.json', pero hay 0"),
        ({"model.weights.h5": None, "model.weights.npz": b""}, r"model\.weights\.npz"),
        ({"model.weights.h5": b"nada"}, "el HDF5 está dañado"),
    ],
)
def test_lies_are_found_out(tmp_path, pieces, text):
    path = rewritten(tmp_path / "ajena.keras", **pieces)
    with pytest.raises(ValueError, match=text) as error:
        load(path)
    assert str(error.value).startswith(str(path))


def test_a_bomb_is_not_opened(tmp_path):
    path = tmp_path / "bomba.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", " " * (8 << 20))
        archive.writestr("model.weights.h5", b"\0" * (64 << 20))
    with pytest.raises(ValueError, match=r"'config\.json' crece demasiado"):
        load(path)
    with pytest.raises(ValueError, match=r"'model\.weights\.h5' crece demasiado"):
        network().load_weights(path)


@pytest.mark.parametrize("end", ["keras", "h5"])
def test_a_file_that_is_cut_short_is_refused(tmp_path, end):
    whole = (FOLDER / f"red.{end}").read_bytes()
    for size in (9, len(whole) // 2, len(whole) - 30):
        path = tmp_path / f"red.{end}"
        path.write_bytes(whole[:size])
        with pytest.raises(ValueError, match="dañado"):
            load(path)


def spoiled(change):
    with zipfile.ZipFile(FOLDER / "red.keras") as archive:
        content = io.BytesIO(archive.read("model.weights.h5"))
    with h5py.File(content, "r+") as file:
        folder = file["layers/dense/vars"]
        values = folder["0"][()]
        del folder["0"]
        change(folder, values)
    return content.getvalue()


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda f, v: f.create_dataset("0", data=np.full_like(v, np.nan)), "NaN"),
        (lambda f, v: f.create_dataset("0", data=v.astype("S3")), "de un tipo que aquí no se usa"),
        (lambda f, v: f.create_dataset("0", data=v.T[:1]), "de forma"),
        (lambda f, v: f.create_dataset("0", v.shape, "float32", chunks=True), "a medias"),
        (lambda f, v: f.create_dataset("0", data=v, compression="gzip"), "comprimido"),
        (lambda f, v: f.create_dataset("0", v.shape, "f4", external="/etc/passwd"), "en otro archivo|dañado"),
        (lambda f, v: f.__setitem__("0", h5py.ExternalLink("/etc/passwd", "/x")), "enlace a otra parte"),
        (lambda f, v: f.__setitem__("0", h5py.SoftLink("/layers/dense/vars/1")), "enlace a otra parte"),
        (lambda f, v: f.create_group("0"), "no es lo que se esperaba"),
        (lambda f, v: None, "se esperaban 2 pesos"),
    ],
)
def test_weights_that_are_not_numbers_of_this_network_are_refused(tmp_path, change, text):
    path = rewritten(tmp_path / "ajena.keras", **{"model.weights.h5": spoiled(change)})
    model = load(FOLDER / "red.keras")
    before = model.get_weights()
    with pytest.raises(ValueError, match=text):
        load(path)
    with pytest.raises(ValueError, match=text):
        model.load_weights(path)
    assert all(map(np.array_equal, model.get_weights(), before))


def test_without_h5py_it_says_how_to_install_it(monkeypatch, tmp_path):
    real = builtins.__import__

    def without(name, *arguments, **options):
        if name == "h5py":
            raise ModuleNotFoundError("No module named 'h5py'")
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    for call in (
        lambda: load(FOLDER / "red.keras"),
        lambda: load(FOLDER / "red.h5"),
        lambda: save(network(), tmp_path / "red.keras"),
        lambda: network().save_weights(tmp_path / "red.weights.h5"),
    ):
        with pytest.raises(ImportError, match="pip install h5py"):
            call()
    assert not list(tmp_path.iterdir())


def test_long_lists_of_names_are_split_as_keras_does():
    names = [f"capa_{k:05d}" for k in range(9000)]
    content = hdf5.written(lambda file: hdf5._write_names(file, "layer_names", names))
    with hdf5.reading(content) as file:
        assert "layer_names" not in file.attrs
        assert hdf5.names(file, "layer_names") == names


# --- Con Keras ---


@pytest.fixture(scope="module")
def keras():
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    return pytest.importorskip("keras")


def varied():
    return Sequential(
        [
            Input(shape=(2, 6)),
            Flatten(),
            Dense(8, activation=activations.LeakyReLU(0.1), kernel_regularizer="l2", kernel_initializer="he_normal"),
            Reshape((-1, 2)),
            Sequential([Dense(3, use_bias=False), Activation("softmax"), Dropout(0.25)], name="interior"),
            Flatten(name="otra"),
            Dense(2),
        ],
        name="todo",
    )


NAMED = {(c.kind, c.name): c for t in cases.TABLES.values() for c in t if cases.in_keras(c) and c.kind != "callback"}


def rounded(value):
    """La configuración, sin lo que Keras cambia: los nombres, y los números, que pasa a precisión sencilla."""

    def walked(config):
        if isinstance(config, dict):
            return {key: walked(v) for key, v in config.items() if key not in ("name", "gain")}
        return float(f"{config:.6g}") if isinstance(config, float) else config

    return walked(plain(value))


@cases.over(list(NAMED.values()))
def test_keras_understands_the_config_of_everything_it_has(keras, case):
    one = case.make()
    if case.kind == "layer":
        one.build(case.received)
    described = serialize(one)
    if case.kind == "activation":
        assert not isinstance(described, str) or keras.activations.get(described)
        return
    theirs = keras.saving.deserialize_keras_object(json.loads(json.dumps(described)))
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(theirs), default=str))
    assert config["class_name"] == case.name
    # Keras no escribe estos en todas las que los tienen.
    silent = {"activity_regularizer", "axis", "dtype", "from_sorted_ids", "gain", "seed"}
    silent |= set(inspect.signature(type(theirs)).parameters)
    assert set(one.get_config()) <= set(config["config"]) | silent
    if set(one.get_config()) <= set(config["config"]) and case.name != "Normalization":
        # Si Keras no escribió algo, no puede volver; y los ejes de ``Normalization`` los escribe en una lista.
        assert rounded(deserialize(config, kind=case.kind)) == rounded(one)


@pytest.mark.parametrize("name", ["red.keras", "red.h5"])
@pytest.mark.parametrize("optimizer", [c.__name__ for c in optimizers.CLASSES])
def test_keras_opens_what_the_book_writes(keras, tmp_path, name, optimizer):
    model = varied()
    model.compile(optimizer, "mse", metrics=["mae"])
    x, y = RNG.normal(size=(8, 2, 6)).astype("float32"), RNG.normal(size=(8, 2)).astype("float32")
    model.fit(x, y, verbose=0)
    model.save(tmp_path / name)
    theirs = keras.models.load_model(tmp_path / name)
    np.testing.assert_allclose(theirs.predict(x, verbose=0), model.predict(x), atol=1e-6)
    assert type(theirs.optimizer).__name__ == optimizer
    if name == "red.keras":
        assert int(theirs.optimizer.iterations) == 1
        ours = dict(hdf5.optimizer_variables(model)).values()
        for mine, other in zip(ours, theirs.optimizer.variables, strict=True):
            np.testing.assert_allclose(mine, other.numpy(), rtol=1e-6)
    model.save_weights(tmp_path / "red.weights.h5")
    theirs.set_weights([w * 0 for w in theirs.get_weights()])
    theirs.load_weights(tmp_path / "red.weights.h5")
    assert all(map(np.array_equal, theirs.get_weights(), model.get_weights()))
    # Y de regreso.
    theirs.save(tmp_path / name)
    back = load(tmp_path / name)
    assert np.array_equal(back.theta, model.theta)
    assert rounded(back.optimizer) == rounded(model.optimizer)


def test_what_keras_does_not_have_it_does_not_open(keras, tmp_path):
    Sequential([Input((2,)), Maxout(3)]).save(tmp_path / "red.keras")
    with pytest.raises(TypeError, match="Maxout"):
        keras.models.load_model(tmp_path / "red.keras")


@pytest.mark.parametrize(
    ("name", "ending"), [(".", ".h5"), ("/", ".h5"), ("\0", ".h5"), ("a\0", ".keras"), ("a\0", ".weights.h5")]
)
def test_a_name_that_does_not_fit_in_an_hdf5_is_refused_in_a_sentence(name, ending, tmp_path):
    model = Sequential([Input((2,)), Dense(3, name=name)])
    save = model.save_weights if ending == ".weights.h5" else model.save
    with pytest.raises(ValueError, match="name: en un HDF5 no cabe una capa de nombre"):
        save(tmp_path / f"red{ending}")
    assert not list(tmp_path.iterdir())
