"""El formato IDX: lo que se lee bien y lo que se rechaza."""

import gzip
import os
import re
import struct
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dlbook.data import read_idx
from dlbook.data.idx import TYPES

CODES = {np.dtype(dtype).newbyteorder("="): code for code, dtype in TYPES.items()}
SAME_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def idx(array):
    header = bytes([0, 0, CODES[array.dtype], array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "datos.gz"


@SAME_FOLDER
@given(
    array=st.sampled_from(list(CODES)).flatmap(
        lambda dtype: (
            hnp.arrays(dtype, hnp.array_shapes(max_dims=4, max_side=5), elements={"allow_nan": False})
            if dtype.kind == "f"
            else hnp.arrays(dtype, hnp.array_shapes(max_dims=4, max_side=5))
        )
    )
)
def test_reads_what_was_written(path, array):
    plain = path.with_name("datos-idx-ubyte")
    path.write_bytes(gzip.compress(idx(array)))
    plain.write_bytes(idx(array))
    for given_path in (path, str(path), plain):
        read = read_idx(given_path)
        assert read.dtype == array.dtype
        assert read.dtype.isnative
        assert read.flags.writeable
        assert read.shape == array.shape
        assert (read == array).all()


GOOD = idx(np.arange(6, dtype=np.uint8).reshape(2, 3))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no hay ni un byte"),
        (GOOD[:3], r"empieza con los bytes \[0, 0, 8\]"),
        (b"<!DOCTYPE html>", r"empieza con los bytes \[60, 33, 68, 79\]"),
        (b"\1" + GOOD[1:], "se esperaba un encabezado IDX"),
        (b"\0\0\x0a\1\0\0\0\1\0", "se esperaba un encabezado IDX"),  # 0x0A no es ningún tipo
        (b"\0\0\x08\0\7", "se esperaba un encabezado IDX"),  # sin ejes
        (b"\0\0\x08\xff" + b"\0\0\0\1" * 255 + b"\7", "se esperaba un encabezado IDX"),  # más ejes que NumPy
        (GOOD[:9], "los tamaños de 2 ejes, pero el archivo termina antes"),
        (b"\0\0\x08\2" + struct.pack(">2I", 0, 3), r"la forma declarada es \(0, 3\)"),
        (GOOD[:-1], "se esperaban 6 bytes de datos.* pero hay 5"),
        (GOOD[:12], "se esperaban 6 bytes de datos.* pero hay 0"),
        (GOOD + b"\0", "se esperaban 6 bytes de datos.* pero hay más"),
    ],
)
def test_bad_content_is_named(path, content, message):
    for written in (gzip.compress(content), content):
        path.write_bytes(written)
        with pytest.raises(ValueError, match=re.escape(str(path)) + ": .*" + message):
            read_idx(path)


@pytest.mark.parametrize("compress", [gzip.compress, bytes])
@pytest.mark.parametrize("size", [2**32 - 1, 10**9, 10**6])
def test_a_promise_that_the_file_cannot_keep_costs_nothing(path, compress, size):
    path.write_bytes(compress(b"\0\0\x08\3" + struct.pack(">3I", size, size, 3) + b"\0" * 100))
    tracemalloc.start()
    with pytest.raises(ValueError, match="pero un archivo de este tamaño no puede traer más de"):
        read_idx(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_empty_file(path):
    path.write_bytes(b"")
    with pytest.raises(ValueError, match="no hay ni un byte"):
        read_idx(path)


def test_truncated_gzip_at_every_byte(path):
    whole = gzip.compress(GOOD)
    for length in range(1, len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"se esperaba un (archivo gzip (completo|sano)|encabezado IDX)"):
            read_idx(path)


@SAME_FOLDER
@given(position=st.integers(0, len(gzip.compress(GOOD)) - 1), flip=st.integers(1, 255))
def test_a_flipped_byte_is_an_error_or_changes_nothing(path, position, flip):
    damaged = bytearray(gzip.compress(GOOD, mtime=0))
    damaged[position] ^= flip
    path.write_bytes(damaged)
    try:
        assert read_idx(path).tolist() == [[0, 1, 2], [3, 4, 5]]  # hay bytes de gzip que no importan, como la fecha
    except ValueError as error:
        assert str(path) in str(error)


@SAME_FOLDER
@given(st.binary(max_size=200))
def test_noise_never_crashes(path, content):
    for raw in (content, gzip.compress(content), gzip.compress(GOOD[:8] + content)):
        path.write_bytes(raw)
        try:
            read_idx(path)
        except ValueError as error:
            assert str(error).startswith(f"{path}: se esperaba")


def test_a_bomb_is_cut_short(path):
    path.write_bytes(gzip.compress(GOOD + bytes(200_000_000), compresslevel=1))
    tracemalloc.start()
    with pytest.raises(ValueError, match="pero hay más"):
        read_idx(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4_000_000


SCRIPT = """
import resource, sys
from dlbook.data import read_idx
with open("/proc/self/statm") as file:
    base = int(file.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (base + 2**29, resource.RLIM_INFINITY))
try:
    read_idx(sys.argv[1])
except ValueError as error:
    print(error)
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="solo en Linux se sabe cuánto ocupa un proceso")
@pytest.mark.parametrize("promised", [4, 10**9])
def test_a_gzip_larger_than_the_memory_is_a_sentence(path, promised):
    # Mil millones de ceros comprimidos; el encabezado promete cuatro, o todos.
    header = b"\0\0\x08\1" + struct.pack(">I", promised)
    path.write_bytes(gzip.compress(header) + 100 * gzip.compress(bytes(10**7)))
    done = subprocess.run([sys.executable, "-c", SCRIPT, str(path)], capture_output=True, text=True, check=True)
    assert ("pero hay más" if promised == 4 else "quepa en la memoria") in done.stdout
    assert done.stderr == ""


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="se esperaba un archivo, pero no existe"):
        read_idx(tmp_path / "nada.gz")
    with pytest.raises(FileNotFoundError, match="se esperaba un archivo, pero es una carpeta"):
        read_idx(tmp_path)


def test_a_name_that_no_file_can_have():
    with pytest.raises(ValueError, match="path: se esperaba la ruta de un archivo, pero llegó ''"):
        read_idx("")


@given(st.one_of(st.integers(), st.none(), st.binary(), st.lists(st.text()), st.floats()))
def test_path_must_be_a_path(value):
    with pytest.raises(TypeError, match="path: se esperaba la ruta de un archivo"):
        read_idx(value)
