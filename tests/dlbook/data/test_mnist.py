"""MNIST de verdad, si está en la carpeta ``DLBOOK_DATA``."""

import gzip
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from dlbook.data import files, load_mnist
from dlbook.data.mnist import FILES, MIRRORS

needs_mnist = pytest.mark.skipif(
    not os.environ.get("DLBOOK_DATA"), reason="MNIST no está: pon en DLBOOK_DATA la carpeta que lo tiene"
)


@pytest.fixture(scope="module")
def mnist():
    return load_mnist(download=False)


@pytest.fixture
def copy(tmp_path, monkeypatch):
    for name in FILES:
        own = Path(os.environ["DLBOOK_DATA"])
        shutil.copyfile(own / "mnist" / name if (own / "mnist").is_dir() else own / name, tmp_path / name)
    monkeypatch.setenv("DLBOOK_DATA", str(tmp_path))
    monkeypatch.setattr(files, "user_cache_path", lambda name: tmp_path / "caché" / name)
    return tmp_path


@needs_mnist
def test_shapes_and_types(mnist):
    (x_train, y_train), (x_test, y_test) = mnist
    assert x_train.shape == (60000, 28, 28)
    assert x_test.shape == (10000, 28, 28)
    assert y_train.shape == (60000,)
    assert y_test.shape == (10000,)
    assert x_train.dtype == x_test.dtype == np.uint8
    assert y_train.dtype == y_test.dtype == np.int64


@needs_mnist
def test_known_facts(mnist):
    (x_train, y_train), (x_test, y_test) = mnist
    assert np.bincount(y_train).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(y_test).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert y_train[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert y_test[:5].tolist() == [7, 2, 1, 0, 4]
    assert x_train.mean() / 255 == pytest.approx(0.1307, abs=5e-5)
    assert x_train.std() / 255 == pytest.approx(0.3081, abs=5e-5)
    assert x_test.mean() / 255 == pytest.approx(0.1325, abs=5e-5)
    assert x_test.std() / 255 == pytest.approx(0.3105, abs=5e-5)
    # Los dígitos caben en 20 × 20 antes de centrarse: en el borde casi nunca hay tinta.
    assert x_train[:, 0].mean() < 0.1


@needs_mnist
def test_the_result_is_the_readers_own(mnist):
    assert all(array.flags.writeable for part in mnist for array in part)


@needs_mnist
@pytest.mark.parametrize("dot", ["-", "."])
def test_decompressed_files_will_do(copy, mnist, dot):
    for name in FILES:
        plain = name.removesuffix(".gz").replace("-idx", f"{dot}idx")
        (copy / plain).write_bytes(gzip.decompress((copy / name).read_bytes()))
        (copy / name).unlink()
    for ours, theirs in zip(load_mnist(download=False), mnist, strict=True):
        assert all((a == b).all() and a.dtype == b.dtype for a, b in zip(ours, theirs, strict=True))


@needs_mnist
def test_truncated_file(copy):
    path = copy / "t10k-labels-idx1-ubyte.gz"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ValueError, match=r"t10k-labels-idx1-ubyte.gz: se esperaba .* llegó uno de 1000 bytes"):
        load_mnist()


@needs_mnist
def test_one_corrupted_bit(copy):
    path = copy / "train-images-idx3-ubyte.gz"
    content = bytearray(path.read_bytes())
    content[5_000_000] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match="está cortado, dañado o es otro"):
        load_mnist()


@needs_mnist
def test_swapped_files(copy):
    shutil.copyfile(copy / "t10k-images-idx3-ubyte.gz", copy / "train-images-idx3-ubyte.gz")
    with pytest.raises(ValueError, match=r"train-images-idx3-ubyte\.gz: se esperaba .* uno de 1648877 bytes"):
        load_mnist()


@needs_mnist
def test_cache_is_read_too(copy, monkeypatch):
    shutil.copytree(copy, copy / "caché" / "dlbook" / "mnist")
    monkeypatch.delenv("DLBOOK_DATA")
    assert load_mnist(download=False)[1][1][:3].tolist() == [7, 2, 1]


def test_missing_without_network_names_every_file(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "user_cache_path", lambda name: tmp_path / name)
    monkeypatch.delenv("DLBOOK_DATA", raising=False)
    with pytest.raises(FileNotFoundError) as info:
        load_mnist(download=False)
    assert all(
        text in str(info.value) for text in [*FILES, *MIRRORS, str(tmp_path / "dlbook" / "mnist"), "DLBOOK_DATA"]
    )
