"""Escribir sin dejar nada a medias, pase lo que pase, y sin tocar lo que no es un archivo."""

import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time

import pytest

from dlbook import paths

posix = pytest.mark.skipif(os.name == "nt", reason="Windows no tiene permisos, señales ni tuberías de estas")


def write(path, content=b"nuevo"):
    with paths.replacing(path, "filepath") as file:
        file.write(content)


def names(folder):
    return sorted(p.name for p in folder.iterdir())


@pytest.mark.parametrize("length", [1, 200, 245, 246, 250, 255])
def test_any_name_that_the_disk_admits(tmp_path, length):
    path = tmp_path / ("x" * length)
    write(path)
    write(path, b"otra vez")
    assert path.read_bytes() == b"otra vez"
    assert names(tmp_path) == [path.name]


def test_a_name_that_it_does_not_admit(tmp_path):
    with pytest.raises(OSError, match="x: no se pudo escribir el archivo"):
        write(tmp_path / ("x" * 256))
    assert names(tmp_path) == []


@posix
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o666, 0o400])
def test_permissions_of_the_replaced_file_stay(tmp_path, mode):
    path = tmp_path / "a"
    path.write_bytes(b"viejo")
    path.chmod(mode)
    seen = []
    with paths.replacing(path, "filepath") as file:
        seen.append(stat.S_IMODE(os.fstat(file.fileno()).st_mode))
        file.write(b"nuevo")
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert seen == [mode], "ni mientras se escribe lo puede leer nadie más"


@posix
@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_a_new_file_has_the_permissions_of_any_new_file(tmp_path, mask, mode):
    before = os.umask(mask)
    try:
        write(tmp_path / "a")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == mode


def test_links_are_followed(tmp_path):
    folder = tmp_path / "lejos"
    folder.mkdir()
    (folder / "real").write_bytes(b"viejo")
    (tmp_path / "uno").symlink_to(folder / "real")
    (tmp_path / "dos").symlink_to("uno")
    write(tmp_path / "dos")
    assert (tmp_path / "dos").is_symlink()
    assert (tmp_path / "uno").is_symlink()
    assert (folder / "real").read_bytes() == b"nuevo"
    (tmp_path / "colgado").symlink_to(folder / "aún no")
    write(tmp_path / "colgado")
    assert (folder / "aún no").read_bytes() == b"nuevo"
    assert (tmp_path / "colgado").is_symlink()


def make(kind, path):
    if kind == "carpeta":
        path.mkdir()
    elif kind == "tubería":
        os.mkfifo(path)
    elif kind == "enchufe":
        own = socket.socket(socket.AF_UNIX)
        own.bind(path.name)
        own.close()
    elif kind == "dispositivo":
        path.symlink_to("/dev/null")
    else:
        path.symlink_to(path)


@posix
@pytest.mark.parametrize("kind", ["carpeta", "tubería", "enchufe", "dispositivo", "enlace a sí mismo"])
def test_what_is_no_ordinary_file_is_refused_and_left_alone(tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "a"
    make(kind, path)
    before = os.lstat(path)
    with pytest.raises(
        ValueError, match=r"filepath: se esperaba un archivo corriente, pero .* es (una carpeta|otra cosa)"
    ):
        write(path)
    after = os.lstat(path)
    assert (before.st_ino, before.st_mode) == (after.st_ino, after.st_mode)
    assert names(tmp_path) == ["a"]
    with pytest.raises(FileNotFoundError, match=r"se esperaba un archivo, pero es (una carpeta|otra cosa)"):
        paths.readable(path, "filepath")


@posix
def test_a_device_itself(tmp_path):
    with pytest.raises(ValueError, match="se esperaba un archivo corriente, pero /dev/null es otra cosa"):
        write("/dev/null")


def fail(path, error):
    with paths.replacing(path, "filepath") as file:
        file.write(b"a medias")
        raise error


def test_a_failure_while_writing_leaves_what_there_was(tmp_path):
    write(tmp_path / "a", b"viejo")
    for error in (KeyboardInterrupt, ValueError, MemoryError):
        with pytest.raises(error):
            fail(tmp_path / "a", error)
    with pytest.raises(OSError, match=r"a: no se pudo escribir el archivo \(No queda espacio\)"):
        fail(tmp_path / "a", OSError(28, "No queda espacio"))
    assert (tmp_path / "a").read_bytes() == b"viejo"
    assert names(tmp_path) == ["a"]


SCRIPT = """
import sys, time
from dlbook import paths
with paths.replacing(sys.argv[1], "filepath") as file:
    file.write(b"a medias")
    file.flush()
    print("empecé", flush=True)
    time.sleep(60)
"""


def start(path):
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "empecé\n"
    return process


@posix
def test_the_next_one_removes_what_a_dead_process_left_and_not_what_a_living_one_writes(tmp_path):
    write(tmp_path / "a", b"viejo")
    dead, living = [start(tmp_path / "a") for _ in range(3)], start(tmp_path / "b")
    for process in dead:
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=30)
    assert (tmp_path / "a").read_bytes() == b"viejo"
    assert len(names(tmp_path)) == 5
    write(tmp_path / "c")
    left = [name for name in names(tmp_path) if name.startswith(paths.PREFIX)]
    assert len(left) == 1
    assert (tmp_path / left[0]).read_bytes() == b"a medias"
    living.send_signal(signal.SIGINT)
    living.communicate(timeout=30)
    assert names(tmp_path) == ["a", "c"]


@posix
def test_only_its_own_leftovers_are_removed(tmp_path):
    (tmp_path / ".dlbook-notas").mkdir()
    os.mkfifo(tmp_path / ".dlbook-tubo")
    (tmp_path / ".dlbook-enlace").symlink_to("/dev/null")
    (tmp_path / ".otro.temporal").write_bytes(b"ajeno")
    (tmp_path / ".dlbook-recien").write_bytes(b"")
    (tmp_path / ".dlbook-viejo").write_bytes(b"")
    os.utime(tmp_path / ".dlbook-viejo", (time.time() - 3600,) * 2)
    write(tmp_path / "a")
    assert names(tmp_path) == [
        ".dlbook-enlace",
        ".dlbook-notas",
        ".dlbook-recien",
        ".dlbook-tubo",
        ".otro.temporal",
        "a",
    ]


def test_many_threads_on_the_same_file(tmp_path):
    contents = [bytes([k]) * 100_000 for k in range(8)]
    threads = [threading.Thread(target=write, args=(tmp_path / "a", content)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "a").read_bytes() in contents
    assert names(tmp_path) == ["a"]
