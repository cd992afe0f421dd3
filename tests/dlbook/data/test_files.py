"""Buscar, descargar y comprobar archivos, contra un servidor de esta misma máquina que se porta mal a pedido."""

import hashlib
import io
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from dlbook.data import files
from dlbook.data.files import Expected, fetch

CONTENT = bytes(range(256)) * 4000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
FILES = {"datos.bin": Expected(len(CONTENT), SHA256)}


class Mirror(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.requested.append(self.path)
        behaviour = self.path.split("/")[1]
        if behaviour == "falta":
            return self.send_error(404)
        body = b"<html>Inicia sesion en esta red</html>" if behaviour.startswith("otro") else CONTENT
        if behaviour == "cambiado":
            body = body[:-1] + b"x"
        self.send_response(200)
        if behaviour == "raro":
            self.send_header("Content-Encoding", "gzip")
        lengths = {"promete": 10**12, "miente": len(body), "absurdo": "muchos"}
        if not behaviour.endswith(("sin-largo", "sin-fin")):
            self.send_header("Content-Length", str(lengths.get(behaviour, len(body))))
        self.end_headers()
        if behaviour in ("sin-fin", "miente"):
            return self.endless()
        if behaviour == "gota":
            return self.drop_by_drop(body)
        if behaviour in ("corta", "espera"):
            body = body[: len(body) // 2]
        self.wfile.write(body)
        self.wfile.flush()
        if behaviour == "espera":
            self.server.halfway.set()
            self.server.leave.wait(30)

    def endless(self):
        # Sigue mientras haya quien lea: un disco entero, si lo dejan.
        try:
            while self.server.sent < 1 << 30:
                self.wfile.write(CONTENT)
                self.server.sent += len(CONTENT)
        except OSError:
            pass

    def drop_by_drop(self, body):
        try:
            for k in range(len(body)):
                self.wfile.write(body[k : k + 1])
                self.wfile.flush()
                if self.server.leave.wait(0.02):
                    return
        except OSError:
            pass

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Mirror) as server:
        server.sent = 0
        server.requested, server.halfway, server.leave = [], threading.Event(), threading.Event()
        server.url = f"http://127.0.0.1:{server.server_port}/"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.leave.set()
        server.shutdown()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "user_cache_path", lambda name: tmp_path / "caché" / name)
    monkeypatch.delenv("DLBOOK_DATA", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path / "caché" / "dlbook" / "juego"


def get(server, *behaviours, **options):
    [path] = fetch(FILES, [f"{server.url}{behaviour}/" for behaviour in behaviours], "juego", **options)
    return path


def test_downloads_once_with_a_bar_and_nothing_else_in_the_folder(server, cache, capfd):
    assert get(server, "bien") == cache / "datos.bin"
    assert (cache / "datos.bin").read_bytes() == CONTENT
    assert os.listdir(cache) == ["datos.bin"]
    assert "datos.bin: 100%" in capfd.readouterr().err
    get(server, "bien")
    assert server.requested == ["/bien/datos.bin"]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("console", [None, "cerrada"])
def test_without_a_console_it_downloads_all_the_same(server, cache, monkeypatch, console):
    if console:
        console = io.StringIO()
        console.close()
    monkeypatch.setattr(sys, "stdout", console)
    monkeypatch.setattr(sys, "stderr", console)
    assert get(server, "bien").read_bytes() == CONTENT


@pytest.mark.parametrize("behaviour", ["falta", "otro", "otro-sin-largo", "corta", "cambiado", "promete", "absurdo"])
def test_a_bad_mirror_yields_to_the_next(server, cache, behaviour):
    assert get(server, behaviour, "sin-largo").read_bytes() == CONTENT
    assert os.listdir(cache) == ["datos.bin"]
    assert server.requested == [f"/{behaviour}/datos.bin", "/sin-largo/datos.bin"]


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ("falta", "contestó 404"),
        ("otro", "ofreció otro archivo, de 38 bytes"),
        ("otro-sin-largo", "entregó otro archivo, de 38 bytes"),
        ("cambiado", f"entregó otro archivo, de {len(CONTENT)} bytes"),
        ("promete", "ofreció otro archivo, de 1000000000000 bytes"),
        ("absurdo", "ofreció otro archivo, de muchos bytes"),
        ("corta", "cortó la descarga"),
    ],
)
def test_when_no_mirror_works_the_message_says_what_to_do(server, cache, behaviour, reason):
    with pytest.raises(ConnectionError) as info:
        get(server, behaviour)
    host = server.url[7:-1]
    assert str(info.value) == (
        f"no se pudo descargar datos.bin ({host}: {reason}): descarga a mano datos.bin de {server.url}{behaviour}/ y "
        f"déjalos en {cache}, o en la carpeta que diga la variable de entorno DLBOOK_DATA"
    )
    assert info.value.__suppress_context__ or info.value.__context__ is None
    assert os.listdir(cache) == []


def test_no_network(server, cache):
    server.shutdown()
    server.server_close()
    with pytest.raises(ConnectionError, match="falló la conexión"):
        get(server, "bien", "otro")
    assert os.listdir(cache) == []


def test_a_silent_mirror_is_not_waited_for_long(server, cache, monkeypatch):
    monkeypatch.setattr(files, "SECONDS_WITHOUT_ANSWER", 0.3)
    assert get(server, "espera", "bien").read_bytes() == CONTENT


def test_a_download_that_does_not_end_is_cut_as_soon_as_there_is_too_much(server, cache):
    with pytest.raises(ConnectionError, match=f"entregó otro archivo, de más de {len(CONTENT)} bytes"):
        get(server, "sin-fin")
    assert os.listdir(cache) == []
    time.sleep(0.2)
    assert server.sent < 100 * len(CONTENT)


def test_nothing_is_read_beyond_the_promised_length(server, cache):
    assert get(server, "miente").read_bytes() == CONTENT


def test_a_wrong_content_encoding_does_not_matter(server, cache):
    # El archivo llega como está en el disco del sitio: nadie lo descomprime en el camino.
    assert get(server, "raro").read_bytes() == CONTENT


def test_drop_by_drop_is_not_waited_for_long(server, cache, monkeypatch):
    monkeypatch.setattr(files, "SECONDS_WITHOUT_ANSWER", 0.3)
    begin = time.monotonic()
    with pytest.raises(ConnectionError, match="entregó los datos gota a gota"):
        get(server, "gota")
    assert time.monotonic() - begin < 5
    assert os.listdir(cache) == []


PLAIN = b"lo mismo, sin comprimir"
WITH_PLAIN = {
    "datos.bin": Expected(len(CONTENT), SHA256, {"datos": Expected(len(PLAIN), hashlib.sha256(PLAIN).hexdigest())})
}


@pytest.mark.parametrize("where", ["propia", "caché/dlbook/juego"])
def test_another_form_of_the_same_file_will_do(server, tmp_path, monkeypatch, where):
    folder = tmp_path / where
    folder.mkdir(parents=True)
    (folder / "datos").write_bytes(PLAIN)
    if where == "propia":
        monkeypatch.setenv("DLBOOK_DATA", str(folder))
    assert fetch(WITH_PLAIN, [f"{server.url}bien/"], "juego") == [folder / "datos"]
    assert server.requested == []


def test_another_form_that_is_wrong_is_an_error(server, tmp_path, monkeypatch):
    (tmp_path / "datos").write_bytes(PLAIN[:-1])
    monkeypatch.setenv("DLBOOK_DATA", str(tmp_path))
    with pytest.raises(ValueError, match=f"datos: se esperaba el archivo de {len(PLAIN)} bytes"):
        fetch(WITH_PLAIN, [f"{server.url}bien/"], "juego")


def test_a_nonsense_address_is_explained(cache):
    with pytest.raises(ConnectionError, match="contestó algo incomprensible"):
        fetch(FILES, ["gopher://nada/"], "juego")


def test_damaged_cache_is_replaced(server, cache):
    cache.mkdir(parents=True)
    for damaged in (b"", CONTENT[:-1], CONTENT + b"\0", b"otra cosa"):
        (cache / "datos.bin").write_bytes(damaged)
        assert get(server, "bien").read_bytes() == CONTENT


def test_damaged_cache_without_network_is_told_and_kept_out(server, cache):
    cache.mkdir(parents=True)
    (cache / "datos.bin").write_bytes(CONTENT[:-1])
    with pytest.raises(ConnectionError, match="el que hay en la caché está dañado"):
        get(server, "falta")
    with pytest.raises(FileNotFoundError, match="o no son los que se esperan"):
        get(server, "bien", download=False)


def test_without_download_the_network_is_not_touched(server, cache):
    with pytest.raises(FileNotFoundError, match=r"faltan archivos de datos.*descarga a mano datos\.bin"):
        get(server, "bien", download=False)
    assert server.requested == []
    assert not cache.exists()


@pytest.mark.parametrize("subfolder", ["juego", "."])
def test_own_folder_comes_first(server, cache, tmp_path, monkeypatch, subfolder):
    own = tmp_path / "propia" / subfolder
    own.mkdir(parents=True)
    (own / "datos.bin").write_bytes(CONTENT)
    monkeypatch.setenv("DLBOOK_DATA", str(tmp_path / "propia"))
    assert get(server, "falta").samefile(own / "datos.bin")
    assert server.requested == []


def test_wrong_file_in_own_folder_is_an_error_and_is_left_alone(server, tmp_path, monkeypatch):
    wrong = tmp_path / "datos.bin"
    wrong.write_bytes(CONTENT[:1000])
    monkeypatch.setenv("DLBOOK_DATA", str(tmp_path))
    with pytest.raises(ValueError, match=rf"datos\.bin: se esperaba .*sha256 {SHA256[:12]}….* uno de 1000 bytes"):
        get(server, "bien")
    assert wrong.read_bytes() == CONTENT[:1000]
    assert server.requested == []


def test_own_folder_without_the_file_falls_back(server, cache, tmp_path, monkeypatch):
    monkeypatch.setenv("DLBOOK_DATA", str(tmp_path))
    assert get(server, "bien") == cache / "datos.bin"


def test_own_folder_must_exist(server, tmp_path, monkeypatch):
    monkeypatch.setenv("DLBOOK_DATA", str(tmp_path / "no-está"))
    with pytest.raises(FileNotFoundError, match="DLBOOK_DATA: se esperaba una carpeta"):
        get(server, "bien")


def test_cache_that_cannot_be_written(server, cache):
    cache.parent.mkdir(parents=True)
    cache.write_text("un archivo donde debía ir una carpeta")
    with pytest.raises(OSError, match=r"no se pudo guardar datos\.bin"):
        get(server, "bien")


def test_full_disk_leaves_nothing(server, cache, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.shutil, "copyfileobj", full)
    with pytest.raises(OSError, match=r"no se pudo guardar datos\.bin"):
        get(server, "bien")
    assert os.listdir(cache) == []


def test_many_at_once_do_no_harm(server, cache):
    with ThreadPoolExecutor(8) as pool:
        paths = list(pool.map(lambda _: get(server, "bien"), range(16)))
    assert {path.read_bytes() for path in paths} == {CONTENT}
    assert os.listdir(cache) == ["datos.bin"]


SCRIPT = """
import sys
from pathlib import Path
from dlbook.data import files
files.user_cache_path = lambda name: Path(sys.argv[1]) / name
expected = files.Expected(int(sys.argv[4]), sys.argv[2])
print(*files.fetch({"datos.bin": expected}, [sys.argv[3]], "juego"))
"""


def start(server, cache, behaviour):
    command = [sys.executable, "-c", SCRIPT, str(cache.parent.parent), SHA256, f"{server.url}{behaviour}/"]
    command.append(str(len(CONTENT)))
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.skipif(os.name == "nt", reason="Windows no tiene estas señales")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGKILL"])
def test_interrupted_halfway_leaves_nothing(server, cache, name):
    process = start(server, cache, "espera")
    assert server.halfway.wait(30)
    time.sleep(0.2)
    process.send_signal(getattr(signal, name))
    process.communicate(timeout=30)
    assert process.returncode != 0
    assert os.listdir(cache) == []


def test_two_processes_at_once(server, cache):
    processes = [start(server, cache, "bien") for _ in range(3)]
    for process in processes:
        assert process.communicate(timeout=60)[0].strip() == str(cache / "datos.bin")
    assert (cache / "datos.bin").read_bytes() == CONTENT
    assert os.listdir(cache) == ["datos.bin"]
