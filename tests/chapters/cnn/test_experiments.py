"""Los resultados guardados de las redes convolucionales dicen lo que las páginas cuentan."""

import io
import json

import numpy as np
import pytest

from benchmarks import cifar10_cnn, mnist_cnn, mnist_transfer
from chapters.cnn import lenet5
from dlbook.data import load_digits, load_mnist

HEADER = {"command", "date", "seed", "versions", "machine", "threads", "seconds"}


def read(module):
    return json.loads(module.RESULTS.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def mnist():
    try:
        load_mnist(download=False)
    except FileNotFoundError as error:
        pytest.skip(f"sin MNIST: {error}")
    return mnist_cnn.images()


# --- Lo guardado ---


@pytest.mark.parametrize(("module", "size"), [(mnist_cnn, 400_000), (mnist_transfer, 20_000), (cifar10_cnn, 250_000)])
def test_every_file_says_how_it_was_made_and_is_small(module, size):
    assert set(read(module)) > HEADER
    assert read(module)["command"].startswith(f"python -m {module.__name__}")
    assert module.RESULTS.stat().st_size < size


@pytest.mark.parametrize(
    ("module", "names"), [(mnist_cnn, ["mlp", "lenet", "augmented"]), (cifar10_cnn, ["mlp", "cnn"])]
)
def test_the_numbers_of_each_network_agree(module, names):
    for name in names:
        result = read(module)[name]
        confusion = np.array(result["confusion"])
        assert confusion.sum() == 10_000
        assert np.trace(confusion) == round(10_000 * result["test_accuracy"])
        assert result["accuracy_by_seed"][0] == result["test_accuracy"]
        assert len(result["accuracy_by_seed"]) == len(module.SEEDS)
        assert {len(curve) for curve in result["history"].values()} == {result["epochs"]}
        assert result["parameters"] == getattr(module, name)().count_params()


def test_lenet_meets_its_goals_in_mnist():
    results = read(mnist_cnn)
    assert results["lenet"]["epochs"] <= 5
    assert min(results["lenet"]["accuracy_by_seed"]) >= 0.99
    assert results["augmented"]["test_accuracy"] >= 0.993
    assert abs(results["mlp"]["parameters"] / results["lenet"]["parameters"] - 1) < 0.01


def test_the_stored_network_reads_its_digits():
    stored = read(mnist_cnn)["network"]
    model = lenet5()
    weights = [np.frombuffer(bytes.fromhex(w["values"]), np.int8).reshape(w["shape"]) for w in stored["weights"]]
    model.set_weights([w["scale"] * values for w, values in zip(stored["weights"], weights, strict=True)])
    digits = [np.frombuffer(bytes.fromhex(text), np.uint8).reshape(28, 28, 1) for text in stored["images"]]
    assert model.predict(np.stack(digits) / 255).argmax(axis=1).tolist() == list(range(10))
    assert stored["test_accuracy"] > 0.985
    for layer, count, size in zip(stored["patches"], (6, 16), (5, 14), strict=True):
        assert layer["size"] == size
        assert len(layer["filters"]) == count
        assert {len(bytes.fromhex(text)) for row in layer["filters"] for text in row} == {size * size}


def test_the_errors_of_the_transfer_are_complete():
    results = read(mnist_transfer)
    errors = {name: np.array(runs) for name, runs in results["errors"].items()}
    assert set(errors) == set(mnist_transfer.WAYS)
    for runs in errors.values():
        assert runs.shape == (len(results["examples"]), len(mnist_transfer.SEEDS))
        assert 0 <= runs.min() <= runs.max() <= 1


def test_the_photographs_are_stored_as_they_look():
    results = read(cifar10_cnn)
    assert results["lossy"] == ("--jpeg" in results["command"])
    for text in results["cnn"]["wrong_images"]:
        assert len(bytes.fromhex(text)) == 32 * 32 * 3
    for _, was, said, p in results["cnn"]["wrong"]:
        assert was != said
        assert 0.1 < p <= 1


# --- Los programas ---


def test_the_stored_mistakes_are_images_of_mnist(mnist):
    _, (x, y) = mnist
    result = read(mnist_cnn)["augmented"]
    for (index, was, read_as, _), text in zip(result["wrong"], result["wrong_images"], strict=False):
        assert np.frombuffer(bytes.fromhex(text), np.uint8).tolist() == np.rint(255 * x[index]).ravel().tolist()
        assert was == y[index] != read_as


def test_a_part_of_an_epoch_already_reads_most_digits(mnist):
    (x, y), (x_test, y_test) = mnist
    data = (x[:6000], y[:6000]), (x_test[:1000], y_test[:1000])
    model, result = mnist_cnn.train(mnist_cnn.lenet, data, 1, seed=0, validation=1000)
    assert result["test_accuracy"] > 0.8
    assert result["shifted"][0] == result["test_accuracy"] > result["shifted"][6]
    again, _ = mnist_cnn.train(mnist_cnn.lenet, data, 1, seed=0, validation=1000)
    assert (model.theta == again.theta).all()


def test_frozen_parts_do_not_move():
    (images, y), _ = load_digits()
    x = np.zeros((64, 28, 28, 1), np.float32)
    x[:, 10:18, 10:18, 0] = images[y < 5][:64] / 16
    y = y[y < 5][:64]
    source = mnist_transfer.train(x, y, 2, 32, seed=0)
    for copied, frozen in mnist_transfer.WAYS.values():
        model = mnist_transfer.train(x, y, 2, 32, 1, source, copied, frozen)
        for k, (part, old) in enumerate(zip(model.layers, source.layers, strict=True)):
            same = all((a == b).all() for a, b in zip(part.get_weights(), old.get_weights(), strict=True))
            assert same == (frozen and k < copied)


def test_the_augmented_network_starts_the_same_with_the_same_seed():
    for name in ("lenet", "augmented"):
        a, b, c = (getattr(mnist_cnn, name)(seed).theta for seed in (0, 0, 1))
        assert (a == b).all()
        assert not (a == c).all()


def test_the_jpeg_copy_is_read(tmp_path):
    image = pytest.importorskip("PIL.Image", reason="Pillow no está instalado")
    rng = np.random.default_rng(0)
    arrays = {}
    for part, n in (("train", 3), ("test", 2)):
        flat = rng.integers(0, 256, (n, 1, 1, 3), np.uint8) * np.ones((1, 32, 32, 1), np.uint8)
        files = []
        for picture in flat:
            stream = io.BytesIO()
            image.fromarray(picture).save(stream, "jpeg")
            files.append(stream.getvalue())
        arrays |= {
            f"{part}_jpeg": np.frombuffer(b"".join(files), np.uint8),
            f"{part}_offsets": np.cumsum([0, *map(len, files)]),
            f"{part}_labels": np.arange(n, dtype=np.uint8),
            part: flat,
        }
    np.savez(tmp_path / "copia.npz", **{name: a for name, a in arrays.items() if name not in ("train", "test")})
    for (x, y), part in zip(cifar10_cnn.read_jpeg(tmp_path / "copia.npz"), ("train", "test"), strict=True):
        assert np.abs(x.astype(int) - arrays[part]).max() < 6
        assert y.tolist() == list(range(len(x)))


def test_a_small_photograph_network_trains():
    rng = np.random.default_rng(0)
    data = [(rng.integers(0, 256, (n, 32, 32, 3), np.uint8), rng.integers(0, 10, n)) for n in (80, 40)]
    normal = cifar10_cnn.images(data)
    assert np.allclose(normal[0][0].mean(axis=(0, 1, 2)), 0, atol=1e-4)
    assert np.allclose(normal[0][0].std(axis=(0, 1, 2)), 1, atol=1e-4)
    result = cifar10_cnn.train(cifar10_cnn.cnn, normal, 1, 1e-3, 0, validation=16)
    assert len(result["wrong_images"]) == min(len(result["wrong"]), cifar10_cnn.IMAGES)
    shown = np.frombuffer(bytes.fromhex(result["wrong_images"][0]), np.uint8).reshape(32, 32, 3)
    assert np.abs(shown.astype(int) - data[1][0][result["wrong"][0][0]]).max() <= 1
