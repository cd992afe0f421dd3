"""Los textos y las series: de un servidor de esta máquina, de ``DLBOOK_DATA`` y los que vienen con el libro."""

import gzip
import hashlib
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from dlbook.data import files, load_co2, load_quijote, load_sunspots, load_tinyshakespeare, series, small_text, texts
from dlbook.data.files import Expected

needs_data = pytest.mark.skipif(
    not os.environ.get("DLBOOK_DATA"), reason="los textos no están: pon en DLBOOK_DATA la carpeta que los tiene"
)
PLAIN = "El ingenioso hidalgo don Quijote de la Mancha\n\nCapítulo único: ñ, ¿y ü?\n\nFin\n"
RAW = f"Cabecera\n\n{PLAIN[:45]}  {PLAIN[45:]}\n\nEnd of Project Gutenberg's Don Quijote\n".replace("\n", "\r\n")
RAW = RAW.encode("iso-8859-1")


def expected(content, others=None):
    return Expected(len(content), hashlib.sha256(content).hexdigest(), others or {})


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    monkeypatch.delenv("DLBOOK_DATA", raising=False)
    monkeypatch.setattr(files, "user_cache_path", lambda name: tmp_path / name)
    served = {}

    class Server(BaseHTTPRequestHandler):
        def do_GET(self):
            body = served[self.path]
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        served["url"] = (f"http://127.0.0.1:{server.server_port}/",)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield served
        server.shutdown()
        thread.join()


def test_the_quijote_is_downloaded_cleaned_and_kept(mirror, monkeypatch, capfd):
    mirror["/2000-8.txt"] = RAW
    monkeypatch.setattr(texts, "QUIJOTE", {"2000-8.txt": expected(RAW)})
    monkeypatch.setattr(texts, "QUIJOTE_MIRRORS", mirror["url"])
    assert load_quijote() == PLAIN
    assert "2000-8.txt" in capfd.readouterr().err
    assert load_quijote(download=False) == PLAIN


@pytest.mark.parametrize(
    ("name", "content"),
    [("quijote.txt", PLAIN.encode()), ("2000-8.txt.gz", gzip.compress(RAW, mtime=0)), ("2000-8.txt", RAW)],
)
def test_other_forms_of_the_quijote_will_do(tmp_path, monkeypatch, name, content):
    monkeypatch.setenv("DLBOOK_DATA", str(tmp_path))
    own = {"2000-8.txt": expected(RAW, {name: expected(content)})}
    monkeypatch.setattr(texts, "QUIJOTE", own)
    (tmp_path / "texto").mkdir()
    (tmp_path / "texto" / name).write_bytes(content)
    assert load_quijote(download=False) == PLAIN


def test_the_others_are_downloaded_too(mirror, monkeypatch):
    verses, weeks = b"First Citizen:\nBefore we proceed", b"date,co2\n19580329,316.1\n19580405,\n"
    mirror.update({"/input.txt": verses, "/co2.csv": weeks})
    monkeypatch.setattr(texts, "TINYSHAKESPEARE", {"input.txt": expected(verses)})
    monkeypatch.setattr(texts, "TINYSHAKESPEARE_MIRRORS", mirror["url"])
    monkeypatch.setattr(series, "CO2", {"co2.csv": expected(weeks)})
    monkeypatch.setattr(series, "CO2_MIRRORS", mirror["url"])
    assert load_tinyshakespeare() == verses.decode()
    dates, ppm = load_co2()
    assert dates.tolist() == np.array(["1958-03-29", "1958-04-05"], "datetime64[D]").tolist()
    assert ppm[0] == 316.1
    assert np.isnan(ppm[1])


@pytest.mark.parametrize("load", [load_quijote, load_tinyshakespeare, load_co2])
def test_missing_without_network_says_how_to_get_it(tmp_path, monkeypatch, load):
    monkeypatch.setattr(files, "user_cache_path", lambda name: tmp_path / name)
    monkeypatch.delenv("DLBOOK_DATA", raising=False)
    with pytest.raises(FileNotFoundError, match="descarga a mano"):
        load(download=False)


# --- Los de verdad ---


@needs_data
def test_the_quijote_is_the_one_the_book_measures():
    text = load_quijote(download=False)
    assert (len(text), len(set(text))) == (2097953, 91)
    assert hashlib.sha256(text.encode()).hexdigest() == texts.QUIJOTE["2000-8.txt"].others["quijote.txt"].sha256
    assert small_text() in text


@needs_data
def test_the_original_cleaned_is_the_clean_one(tmp_path, monkeypatch):
    text = load_quijote(download=False)
    path = os.path.join(os.environ["DLBOOK_DATA"], "texto", "2000-8.txt.gz")
    if not os.path.exists(path):
        pytest.skip("sin el original del Proyecto Gutenberg")
    with gzip.open(path) as file:
        (tmp_path / "2000-8.txt").write_bytes(file.read())
    monkeypatch.setenv("DLBOOK_DATA", str(tmp_path))
    assert load_quijote(download=False) == text


@needs_data
def test_tinyshakespeare():
    text = load_tinyshakespeare(download=False)
    assert (len(text), len(set(text))) == (1115394, 65)


@needs_data
def test_co2():
    dates, ppm = load_co2(download=False)
    assert len(dates) == len(ppm) == 2284
    assert np.isnan(ppm).sum() == 59
    assert (np.diff(dates) == np.timedelta64(7, "D")).all()
    assert str(dates[0]) == "1958-03-29"
    assert ppm[-1] == 371.5


def test_sunspots():
    years, spots = load_sunspots()
    assert (np.diff(years) == 1).all()
    assert (years[0], years[-1], spots[-1]) == (1700, 2008, 2.9)
