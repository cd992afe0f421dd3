"""CIFAR-10: el formato, el archivo y, si están en la carpeta ``DLBOOK_DATA``, fotografías de verdad."""

import gzip
import hashlib
import io
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlbook.data import CIFAR10_CLASSES, cifar10, files, load_cifar10, read_cifar10
from dlbook.data.cifar10 import BATCHES, FILES, MIRRORS
from dlbook.data.files import Expected


def sample(name):
    path = Path(os.environ.get("DLBOOK_DATA") or ".") / "cifar10" / name
    if not path.is_file():
        pytest.skip(f"sin las primeras fotografías de CIFAR-10: {name}")
    return read_cifar10(gzip.decompress(path.read_bytes()))


@settings(deadline=None, max_examples=20)
@given(n=st.integers(1, 4), seed=st.integers(0, 2**32))
def test_reads_what_was_written(n, seed):
    rng = np.random.default_rng(seed)
    images, labels = rng.integers(0, 256, (n, 32, 32, 3), np.uint8), rng.integers(0, 10, n)
    content = b"".join(bytes([y]) + x.transpose(2, 0, 1).tobytes() for x, y in zip(images, labels, strict=True))
    for given_content in (content, bytearray(content), memoryview(content)):
        x, y = read_cifar10(given_content)
        assert (x == images).all()
        assert (y == labels).all()
        assert x.dtype == np.uint8
        assert y.dtype == np.int64
        assert x.flags.carray


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (b"", ValueError, "llegaron 0 bytes"),
        (bytes(3072), ValueError, "registros completos de 3073 bytes, pero llegaron 3072 bytes"),
        (bytes(3073) + bytes([10]) + bytes(3072), ValueError, "el registro 1 dice 10"),
        ("avión", TypeError, "content: se esperaban bytes, pero llegó str"),
        (np.zeros(3073, np.uint8).tolist(), TypeError, "llegó list"),
        (memoryview(bytes(2 * 3073))[::2], TypeError, "bytes seguidos en la memoria"),
    ],
)
def test_bad_content_is_rejected(content, error, message):
    with pytest.raises(error, match=message):
        read_cifar10(content)


# --- El archivo entero, en miniatura: los mismos seis nombres, con dos fotografías cada uno ---


def archive(contents, **changes):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for name, content in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            for attribute, value in changes.items():
                setattr(member, attribute, value)
            tar.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def record(label, value):
    return bytes([label]) + bytes([value]) * 3072


GOOD = {name: record(k, 10 * k) + record(9 - k, 10 * k + 1) for k, name in enumerate(BATCHES)}


@pytest.fixture
def install(tmp_path, monkeypatch):
    def write(content):
        (name,) = FILES
        (tmp_path / name).write_bytes(content)
        monkeypatch.setitem(cifar10.FILES, name, Expected(len(content), hashlib.sha256(content).hexdigest()))

    monkeypatch.setattr(cifar10, "BATCH", 2)
    monkeypatch.setenv("DLBOOK_DATA", str(tmp_path))
    monkeypatch.setattr(files, "user_cache_path", lambda name: tmp_path / "caché" / name)
    return write


def test_the_archive_is_read_whole_and_in_order(install, tmp_path):
    # En el archivo los lotes no vienen ordenados, y hay otros archivos entre ellos.
    install(archive({"cifar-10-batches-bin/readme.html": b"hola"} | dict(reversed(GOOD.items()))))
    (x_train, y_train), (x_test, y_test) = load_cifar10(download=False)
    assert x_train.shape == (10, 32, 32, 3)
    assert x_train[:, 0, 0, 0].tolist() == [0, 1, 10, 11, 20, 21, 30, 31, 40, 41]
    assert y_train.tolist() == [0, 9, 1, 8, 2, 7, 3, 6, 4, 5]
    assert x_test[:, 31, 31, 2].tolist() == [50, 51]
    assert y_test.tolist() == [5, 4]
    assert all(a.flags.writeable for a in (x_train, y_train, x_test, y_test))
    assert [p.name for p in tmp_path.iterdir()] == list(FILES), "leer no deja nada en el disco"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (archive({name: GOOD[name] for name in BATCHES[1:]}), r"falta cifar-10-batches-bin/data_batch_1\.bin"),
        (archive(GOOD | {BATCHES[2]: GOOD[BATCHES[2]] + b"x"}), r"falta cifar-10-batches-bin/data_batch_3\.bin"),
        (archive({f"../../{name}": content for name, content in GOOD.items()}), "falta"),
        (archive(GOOD, type=tarfile.SYMTYPE, linkname="/etc/passwd"), "falta"),
        (archive(GOOD)[:-40], "está dañado"),
        (gzip.compress(b"esto no es un tar", mtime=0), "está dañado"),
    ],
)
def test_an_archive_that_is_not_the_expected_one(install, tmp_path, content, message):
    install(content)
    with pytest.raises(ValueError, match=message):
        load_cifar10(download=False)
    assert [p.name for p in tmp_path.iterdir()] == list(FILES)


def test_a_wrong_checksum_is_refused_before_opening(install, tmp_path, monkeypatch):
    install(archive(GOOD))
    monkeypatch.setitem(cifar10.FILES, "cifar-10-binary.tar.gz", Expected(len(archive(GOOD)), "0" * 64))
    with pytest.raises(ValueError, match="está cortado, dañado o es otro"):
        load_cifar10(download=False)


def test_missing_without_network_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "user_cache_path", lambda name: tmp_path / name)
    monkeypatch.delenv("DLBOOK_DATA", raising=False)
    with pytest.raises(FileNotFoundError) as info:
        load_cifar10(download=False)
    assert all(text in str(info.value) for text in [*FILES, *MIRRORS, str(tmp_path / "dlbook" / "cifar10")])


# --- Fotografías de verdad ---


def test_the_first_photographs_of_training_are_the_known_ones():
    x, y = sample("data_batch_1_primeras_4000.bin.gz")
    assert x.shape == (4000, 32, 32, 3)
    assert np.bincount(y).tolist() == [396, 366, 420, 384, 422, 393, 414, 385, 407, 413]
    # La primera es la rana de siempre; la segunda, un camión.
    assert [CIFAR10_CLASSES[k] for k in y[:5]] == ["rana", "camión", "camión", "ciervo", "automóvil"]
    assert x[0, 0, :3].tolist() == [[59, 62, 63], [43, 46, 45], [50, 48, 43]]
    assert x.mean(axis=(0, 1, 2)) / 255 == pytest.approx([0.4914, 0.4822, 0.4465], abs=0.01)


def test_the_first_photographs_of_the_test_are_the_known_ones():
    x, y = sample("test_batch_primeras_1000.bin.gz")
    assert x.shape == (1000, 32, 32, 3)
    assert np.bincount(y).tolist() == [103, 89, 100, 103, 90, 86, 112, 102, 106, 109]
    assert [CIFAR10_CLASSES[k] for k in y[:4]] == ["gato", "barco", "barco", "avión"]
    assert x[0, 0, 0].tolist() == [158, 112, 49]
