"""Imágenes en archivos y carpetas: lo que se guarda se lee, y lo que no es una imagen se dice."""

import io
import sys

import numpy as np
import pytest

from chapters.cnn import (
    Resizing,
    array_to_img,
    image_dataset_from_directory,
    img_to_array,
    load_img,
    save_img,
)

RNG = np.random.default_rng(0)
SHAPES = {"grayscale": (5, 4, 1), "rgb": (5, 4, 3), "rgba": (5, 4, 4)}


def pixels(shape):
    return RNG.integers(0, 256, shape).astype(np.float32)


@pytest.mark.parametrize("color_mode", SHAPES)
def test_what_is_saved_is_read(color_mode, tmp_path):
    x = pixels(SHAPES[color_mode])
    save_img(tmp_path / "a.PNG", x, scale=False)
    for path in (tmp_path / "a.PNG", str(tmp_path / "a.PNG"), io.BytesIO((tmp_path / "a.PNG").read_bytes())):
        y = img_to_array(load_img(path, color_mode))
        np.testing.assert_array_equal(y, x)
        assert y.dtype == np.float32
    assert img_to_array(load_img(tmp_path / "a.PNG", target_size=(3, 7))).shape == (3, 7, 3)


def test_a_jpeg_has_no_opacity(tmp_path):
    save_img(tmp_path / "a.jpg", np.full((8, 8, 4), 200.0), scale=False)
    np.testing.assert_allclose(img_to_array(load_img(tmp_path / "a.jpg")), 200, atol=2)


def test_keeping_the_proportions_crops_before_resizing():
    x = pixels((4, 8, 3))
    file = io.BytesIO()
    save_img(file, x, file_format="png", scale=False)
    square = img_to_array(load_img(file, target_size=(4, 4), keep_aspect_ratio=True))
    np.testing.assert_array_equal(square, x[:, 2:6])


def test_agrees_with_keras(tmp_path):
    keras = pytest.importorskip("keras", reason="Keras no está instalado")
    x = RNG.normal(size=(5, 6, 3))
    np.testing.assert_array_equal(np.asarray(array_to_img(x)), np.asarray(keras.utils.array_to_img(x)))
    save_img(tmp_path / "a.png", x)
    for options in ({}, {"color_mode": "grayscale"}, {"target_size": (3, 4), "interpolation": "bilinear"}):
        ours, theirs = load_img(tmp_path / "a.png", **options), keras.utils.load_img(tmp_path / "a.png", **options)
        np.testing.assert_array_equal(img_to_array(ours), keras.utils.img_to_array(theirs))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda folder: load_img(folder / "no.png"), "no.png: se esperaba un archivo, pero no existe"),
        (lambda folder: load_img(folder / "texto.png"), "texto.png: se esperaba una imagen"),
        (lambda folder: load_img(io.BytesIO(b"x")), "path: se esperaba una imagen"),
        (lambda folder: load_img(folder / "texto.png", "azul"), "color_mode: se esperaba"),
        (lambda folder: load_img(folder / "texto.png", target_size=3.5), "target_size: se esperaba un entero"),
        (lambda folder: save_img(folder / "a", np.zeros((2, 2, 3))), "file_format: se esperaba un formato"),
        (lambda folder: save_img(folder / "a.zip", np.zeros((2, 2, 3))), "file_format: se esperaba un formato"),
        (lambda folder: save_img(folder / "no" / "a.png", np.zeros((2, 2, 3))), "path: no existe la carpeta"),
        (lambda folder: save_img(folder / "texto.png" / "a.png", np.zeros((2, 2, 3))), "path: no existe la carpeta"),
        (lambda folder: array_to_img(np.zeros((2, 2))), "x: se esperaba la forma"),
        (lambda folder: array_to_img(np.zeros((2, 2, 2))), "x: se esperaban 1, 3 o 4 canales"),
        (lambda folder: array_to_img(np.full((2, 2, 1), 300), scale=False), "x: se esperaban valores entre 0 y 255"),
        (lambda folder: img_to_array(np.zeros(3)), "img: se esperaba una imagen"),
        (lambda folder: img_to_array("foto"), "img: se esperaban números"),
    ],
)
def test_nonsense_is_refused(call, message, tmp_path):
    (tmp_path / "texto.png").write_text("no soy una imagen")
    with pytest.raises((TypeError, ValueError, FileNotFoundError), match=message):
        call(tmp_path)


# --- Una carpeta por clase ---


@pytest.fixture
def animals(tmp_path):
    """Diez imágenes de un solo color, que es su número: seis gatos y cuatro perros."""
    for k in range(10):
        path = tmp_path / ("gato" if k < 6 else "perro") / f"{k}.png"
        path.parent.mkdir(exist_ok=True)
        save_img(path, np.full((4 + k, 5, 3), 10.0 * k), scale=False)
    (tmp_path / "gato" / "notas.txt").write_text("nada")
    (tmp_path / ".oculta").mkdir()
    return tmp_path


def read(data):
    """Qué imágenes hay, y lo correcto de cada una."""
    batches = list(data)
    x, y = (np.concatenate(part) for part in zip(*batches, strict=True))
    return (x[:, 0, 0, 0] / 10).astype(int).tolist(), y


def load(folder, **options):
    return image_dataset_from_directory(folder, **{"image_size": (4, 4), "verbose": False} | options)


def test_in_order_it_gives_every_image_with_its_class_and_the_last_batch_is_shorter(animals):
    data = load(animals, batch_size=4, shuffle=False)
    assert data.class_names == ["gato", "perro"]
    assert len(data) == 3
    assert [len(x) for x, _ in data] == [4, 4, 2]
    numbers, y = read(data)
    assert numbers == list(range(10))
    assert y.tolist() == [0] * 6 + [1] * 4
    assert y.dtype == np.int32
    assert [path.rsplit("/")[-1] for path in data.file_paths] == [f"{k}.png" for k in range(10)]
    assert data[0][0].dtype == np.float32
    np.testing.assert_array_equal(data[-1][0], data[2][0])


def test_labels_are_written_in_each_way(animals):
    assert read(load(animals, shuffle=False, label_mode="categorical"))[1][[0, -1]].tolist() == [[1, 0], [0, 1]]
    assert read(load(animals, shuffle=False, label_mode="binary"))[1][[0, -1]].tolist() == [[0], [1]]
    assert load(animals, label_mode=None)[0].shape == (10, 4, 4, 3)
    assert load(animals, labels=None, color_mode="grayscale")[0].shape == (10, 4, 4, 1)
    assert read(load(animals, shuffle=False, class_names=["perro", "gato"]))[1].tolist() == [0] * 4 + [1] * 6
    assert read(load(animals, shuffle=False, labels=list(range(10))))[1].tolist() == list(range(10))


def test_it_is_shuffled_again_after_each_epoch_and_the_seed_decides(animals):
    data = load(animals, seed=1)
    orders = []
    for _ in range(3):
        numbers, y = read(data)
        assert sorted(numbers) == list(range(10))
        assert y.tolist() == [int(k >= 6) for k in numbers]
        orders.append(numbers)
        data.on_epoch_end()
    assert len({tuple(order) for order in orders}) == 3
    assert read(load(animals, seed=1))[0] == orders[0]


def test_the_two_parts_share_nothing(animals):
    options = {"validation_split": 0.3, "seed": 2}
    train, validation = (load(animals, subset=part, **options) for part in ("training", "validation"))
    assert len(read(train)[0]) == 7
    assert sorted(read(train)[0] + read(validation)[0]) == list(range(10))
    both = load(animals, subset="both", **options)
    assert [read(part)[0] for part in both] == [read(train)[0], read(validation)[0]]
    before = read(validation)[0]
    validation.on_epoch_end()
    assert read(validation)[0] == before


@pytest.mark.parametrize("options", [{}, {"interpolation": "nearest"}, {"crop_to_aspect_ratio": True}])
def test_images_are_resized_as_the_layer_does(tmp_path, options):
    x = pixels((6, 9, 3))
    (tmp_path / "una").mkdir()
    save_img(tmp_path / "una" / "a.png", x, scale=False)
    y = load(tmp_path, image_size=(4, 5), **options)[0][0]
    np.testing.assert_array_equal(y, Resizing(4, 5, **options).forward(x[np.newaxis]))


@pytest.mark.parametrize("options", [{}, {"interpolation": "nearest"}, {"crop_to_aspect_ratio": True}])
def test_a_folder_gives_the_images_of_keras(tmp_path, options):
    keras = pytest.importorskip("keras", reason="Keras no está instalado")
    (tmp_path / "una").mkdir()
    save_img(tmp_path / "una" / "a.png", pixels((6, 9, 3)), scale=False)
    y = load(tmp_path, image_size=(4, 5), **options)[0][0]
    theirs = keras.utils.image_dataset_from_directory(tmp_path, image_size=(4, 5), verbose=False, **options)
    np.testing.assert_allclose(y, np.asarray(next(iter(theirs))[0]), atol=1e-3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"directory": "no/está"}, "directory: se esperaba una carpeta"),
        ({"directory": None}, "directory: se esperaba una carpeta"),
        ({"class_names": ["pez"]}, "class_names: se esperaba 'gato' o 'perro', pero llegó 'pez'"),
        ({"class_names": ["gato"], "label_mode": "binary"}, "label_mode: se esperaban dos clases"),
        ({"class_names": ["gato", "gato"]}, "class_names: se esperaban clases distintas"),
        ({"labels": [0, 1]}, "labels: se esperaban 10, una por imagen, pero llegaron 2"),
        ({"labels": "otras"}, "labels: se esperaba 'inferred'"),
        ({"label_mode": "texto"}, "label_mode: se esperaba"),
        ({"batch_size": None}, "batch_size: se esperaba un entero"),
        ({"image_size": (3,)}, "image_size: se esperaba un entero o dos"),
        ({"subset": "training"}, "subset: se esperaba junto con validation_split"),
        ({"validation_split": 0.5, "subset": "training"}, "seed: se esperaba una semilla"),
        ({"validation_split": 0.01, "subset": "both"}, "validation_split: con 10 imágenes, 0.01 deja una parte vacía"),
        ({"pad_to_aspect_ratio": True}, "pad_to_aspect_ratio: esta opción de Keras no existe"),
        ({"interpolation": "area"}, "interpolation: se esperaba"),
    ],
)
def test_a_folder_with_nonsense_is_refused(animals, options, message):
    with pytest.raises((TypeError, ValueError, FileNotFoundError), match=message):
        load(**{"folder": options.pop("directory", animals), **options})


def test_a_broken_image_is_named(animals):
    (animals / "gato" / "3.png").write_bytes(b"rota")
    with pytest.raises(ValueError, match=r"3\.png: se esperaba una imagen, pero no se pudo leer"):
        read(load(animals))


def test_without_pillow_it_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "PIL", None)
    for call in (lambda: load_img("a.png"), lambda: array_to_img(np.zeros((2, 2, 3))), lambda: load(tmp_path)):
        with pytest.raises(ImportError, match="hace falta Pillow"):
            call()
